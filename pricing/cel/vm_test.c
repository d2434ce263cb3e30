/*
 * Tests that have no quick answer: absent values and other errors, values of another kind than the
 * instruction was made for, texts without a symbol, whatever has no instruction of its own.
 */
#include "pricing/cel/program_impl.h"

void cel_vm_note(struct cel_value *e, const struct cel_value *v)
{
	if (e->kind == CEL_V_ERROR)
		return;
	*e = v->kind == CEL_V_ERROR ? *v : cel_error(CEL_R_NO_OVERLOAD, "no such overload");
}

/* Yes, no, or (an error) noted. */
static bool answer(struct cel_value *e, struct cel_value v, bool wanted)
{
	if (v.kind == CEL_V_BOOL)
		return v.b == wanted;
	cel_vm_note(e, &v);
	return false;
}

/* @y is compared with: its cost beyond 1 is counted if it can be any. */
static struct cel_value relation(struct cel_context *c, unsigned relation,
	const struct cel_value *x, const struct cel_value *y)
{
	struct cel_value args[] = { *x, *y }, error;
	int order;

	if (cel_is_error(*x) || cel_is_error(*y))
		return cel_is_error(*x) ? *x : *y;
	if (x->kind == CEL_V_STRING || x->kind == CEL_V_BYTES || x->kind == CEL_V_LIST ||
		x->kind == CEL_V_MAP)
		cel_spend(c, cel_call_cost(CEL_F_EQ, args, 2) - 1);
	if (relation == CEL_IS_EQ || relation == CEL_IS_NE)
		return cel_bool(cel_equal(*x, *y) == (relation == CEL_IS_EQ));
	if (!cel_compare(*x, *y, &order, &error))
		return error;
	return cel_bool(relation >> (order + 1) & 1);
}

static struct cel_value i64_relation(
	struct cel_context *c, const struct cel_insn *i, const struct cel_value *x)
{
	static const uint8_t relations[] = { CEL_IS_EQ, CEL_IS_NE, CEL_IS_LT, CEL_IS_LE, CEL_IS_GT,
		CEL_IS_GE };
	struct cel_value y = { .kind = i->sub, .i = i->i };

	return relation(c, relations[(cel_vm_test_of(i->op) - CEL_J_I64_EQ) / 2], x, &y);
}

static bool is_among(const struct cel_symbol_set *s, uint16_t sym)
{
	uint32_t lo = 0, hi = s->n;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (s->v[mid] < sym)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->n && s->v[lo] == sym;
}

static struct cel_value in_list(
	const struct cel_program *p, const struct cel_insn *i, const struct cel_value *x)
{
	if (x->kind == CEL_V_STRING && x->sym != CEL_SYM_NONE && i->sym != CEL_SET_NONE)
		return cel_bool(is_among(&p->sets[i->sym], x->sym));
	return cel_in(*x, p->constants[i->k]);
}

/* A variable that is absent is no error here. */
static bool presence(struct cel_value *e, const struct cel_value *x, bool wanted)
{
	if (x->kind != CEL_V_ERROR)
		return wanted;
	if (x->sym == CEL_R_ABSENT)
		return !wanted;
	cel_vm_note(e, x);
	return false;
}

bool cel_vm_test(struct cel_context *c, const struct cel_program *p, const struct cel_insn *i,
	const struct cel_value *const *base, struct cel_value *e)
{
	const struct cel_value *x = base[i->c] + i->b;
	unsigned test = cel_vm_test_of(i->op);

	switch (test) {
	case CEL_J_TEXT_EQ:
	case CEL_J_TEXT_NE:
		return answer(
			e, relation(c, CEL_IS_EQ, x, &p->constants[i->k]), test == CEL_J_TEXT_EQ);
	case CEL_J_IN_BITS:
	case CEL_J_NOT_IN_BITS:
		return answer(e, cel_in(*x, p->constants[i->set.list]), test == CEL_J_IN_BITS);
	case CEL_J_IN_LIST:
	case CEL_J_NOT_IN_LIST:
		return answer(e, in_list(p, i, x), test == CEL_J_IN_LIST);
	case CEL_J_IS_TRUE:
	case CEL_J_IS_FALSE:
		return answer(e, *x, test == CEL_J_IS_TRUE);
	case CEL_J_PRESENT:
	case CEL_J_ABSENT:
		return presence(e, x, test == CEL_J_PRESENT);
	case CEL_J_INTS:
	case CEL_J_MONEY:
	case CEL_J_TIMES:
	case CEL_J_DOUBLES:
	case CEL_J_ANY:
		return answer(
			e, relation(c, i->sub & 7u, x, base[i->d] + i->k), !(i->sub & CEL_IF_NOT));
	default:
		return answer(e, i64_relation(c, i, x), true);
	}
}
