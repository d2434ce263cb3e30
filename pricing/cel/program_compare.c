/*
 * Tests with a quick answer: comparison with a constant, `in` a constant list, has() of a variable.
 * Types only choose the instruction; it asks the kind of what it is given, and leaves everything
 * unexpected to vm_test.c.
 */
#include "pricing/cel/program_impl.h"

#include <stdlib.h>

static enum cel_relation relation_of(int f)
{
	static const uint8_t of[] = {
		[CEL_F_EQ] = CEL_IS_EQ,
		[CEL_F_NE] = CEL_IS_NE,
		[CEL_F_LT] = CEL_IS_LT,
		[CEL_F_LE] = CEL_IS_LE,
		[CEL_F_GT] = CEL_IS_GT,
		[CEL_F_GE] = CEL_IS_GE,
	};

	return (enum cel_relation)of[f];
}

/* a < b as b > a */
static enum cel_relation mirrored(enum cel_relation r)
{
	return (enum cel_relation)((r & CEL_IS_EQ) | (r & CEL_IS_LT ? CEL_IS_GT : 0) |
				   (r & CEL_IS_GT ? CEL_IS_LT : 0));
}

static enum cel_type_kind type_of(const struct cel_gen *g, const struct cel_node *n)
{
	return g->o->is_unchecked || !n->type ? CEL_T_DYN : (enum cel_type_kind)n->type->kind;
}

/* The operand of a test: whatever has to be made for it ends the row of tests before it. */
static struct cel_operand operand(struct cel_gen *g, const struct cel_node *n, struct cel_label *l)
{
	struct cel_operand x;

	if (cel_gen_direct(g, n, &x))
		return x;
	cel_gen_flush(g, l);
	return cel_gen_operand(g, n);
}

static struct cel_insn *test(struct cel_gen *g, unsigned op, unsigned e, struct cel_operand x)
{
	struct cel_insn *i = cel_gen_emit_x(g, op, e, x);

	g->run++;
	return i;
}

static bool is_i64(enum cel_type_kind t, enum cel_value_kind v)
{
	return (t == CEL_T_INT && v == CEL_V_INT) || (t == CEL_T_BPS && v == CEL_V_BPS) ||
	       (t == CEL_T_DURATION && v == CEL_V_DURATION);
}

static void i64_test(struct cel_gen *g, struct cel_operand x, struct cel_value v,
	enum cel_relation r, bool jump_if, unsigned e)
{
	static const uint8_t ops[] = {
		[CEL_IS_EQ] = CEL_J_I64_EQ,
		[CEL_IS_NE] = CEL_J_I64_NE,
		[CEL_IS_LT] = CEL_J_I64_LT,
		[CEL_IS_LE] = CEL_J_I64_LE,
		[CEL_IS_GT] = CEL_J_I64_GT,
		[CEL_IS_GE] = CEL_J_I64_GE,
	};
	struct cel_insn *i = test(g, ops[jump_if ? r : 7 - r], e, x);

	i->sub = v.kind;
	i->i = v.i;
}

static void text_test(struct cel_gen *g, const struct cel_node *n, struct cel_operand x,
	struct cel_value v, bool jump_if, unsigned e)
{
	struct cel_insn *i;

	if (g->o->symbols && n->kind != CEL_N_CALL)
		v.sym = cel_symbols_add(g->o->symbols, cel_str(v));
	i = test(g, jump_if ? CEL_J_TEXT_EQ : CEL_J_TEXT_NE, e, x);
	i->k = cel_gen_constant(g, v);
	i->sym = v.sym;
}

/* Which instruction tells two values of this type apart. */
static unsigned pair_op(enum cel_type_kind t)
{
	switch (t) {
	case CEL_T_INT:
	case CEL_T_BPS:
	case CEL_T_DURATION:
		return CEL_J_INTS;
	case CEL_T_MONEY:
		return CEL_J_MONEY;
	case CEL_T_TIMESTAMP:
		return CEL_J_TIMES;
	case CEL_T_DOUBLE:
		return CEL_J_DOUBLES;
	default:
		return CEL_J_ANY;
	}
}

static void pair_test(struct cel_gen *g, enum cel_type_kind type, struct cel_operand x,
	struct cel_operand y, enum cel_relation r, bool jump_if, unsigned e)
{
	struct cel_insn *i = test(g, pair_op(type), e, x);

	i->d = (uint16_t)y.file;
	i->k = y.at;
	i->sub = (uint8_t)(r | (jump_if ? 0 : CEL_IF_NOT));
}

static void against(struct cel_gen *g, const struct cel_node *n, struct cel_value v,
	enum cel_relation r, bool jump_if, struct cel_label *l, unsigned e)
{
	enum cel_type_kind type = type_of(g, n);
	struct cel_operand x = operand(g, n, l);
	bool is_equality = r == CEL_IS_EQ || r == CEL_IS_NE;

	if (is_i64(type, v.kind))
		i64_test(g, x, v, r, jump_if, e);
	else if (is_equality && v.kind == CEL_V_STRING)
		text_test(g, n, x, v, jump_if == (r == CEL_IS_EQ), e);
	else if (is_equality && v.kind == CEL_V_BOOL && type == CEL_T_BOOL)
		test(g, (jump_if == (r == CEL_IS_EQ)) == v.b ? CEL_J_IS_TRUE : CEL_J_IS_FALSE, e,
			x);
	else
		pair_test(g, v.kind == CEL_V_INT && type == CEL_T_DYN ? CEL_T_INT : type, x,
			(struct cel_operand){ CEL_IN_CONSTANT, cel_gen_constant(g, v) }, r, jump_if,
			e);
}

static void comparison(
	struct cel_gen *g, const struct cel_node *n, bool jump_if, struct cel_label *l, unsigned e)
{
	const struct cel_node *a = n->call.args[0], *b = n->call.args[1];
	enum cel_relation r = relation_of(n->call.function);
	struct cel_operand x, y;
	struct cel_value v;

	g->cost++;
	if (cel_gen_fold(g, b, &v)) {
		against(g, a, v, r, jump_if, l, e);
	} else if (cel_gen_fold(g, a, &v) && !cel_is_error(v)) {
		against(g, b, v, mirrored(r), jump_if, l, e);
	} else {
		bool is_direct = cel_gen_direct(g, b, &y);

		if (!is_direct)
			cel_gen_flush(g, l);
		x = operand(g, a, l);
		if (!is_direct)
			y = operand(g, b, l);
		pair_test(g, type_of(g, a), x, y, r, jump_if, e);
	}
}

static int by_number(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* The list with its texts' symbols, and these sorted in *syms; *syms NULL: not all have one. */
static struct cel_value with_symbols(struct cel_gen *g, struct cel_value list, uint16_t **syms)
{
	struct cel_value *v = cel_gen_alloc(g, list.n * sizeof(*v));
	uint16_t *sorted = cel_gen_alloc(g, list.n * sizeof(*sorted));

	*syms = NULL;
	if (!v || !sorted || list.n == 0)
		return list;
	for (uint32_t i = 0; i < list.n; i++) {
		v[i] = list.list[i];
		if (v[i].kind != CEL_V_STRING)
			return list;
		v[i].sym = cel_symbols_add(g->o->symbols, cel_str(v[i]));
		if (v[i].sym == CEL_SYM_NONE)
			return list;
		sorted[i] = v[i].sym;
	}
	if (list.n > 1)
		qsort(sorted, list.n, sizeof(*sorted), by_number);
	*syms = sorted;
	list.list = v;
	return list;
}

static void in_list(struct cel_gen *g, const struct cel_node *n, struct cel_value list,
	bool jump_if, struct cel_label *l, unsigned e)
{
	struct cel_operand x = operand(g, n, l);
	uint16_t *syms = NULL;
	struct cel_insn *i;
	uint16_t at;

	g->cost++;
	if (g->o->symbols && n->kind != CEL_N_CALL)
		list = with_symbols(g, list, &syms);
	at = cel_gen_constant(g, list);
	if (syms && syms[list.n - 1] - syms[0] < 32) {
		i = test(g, jump_if ? CEL_J_IN_BITS : CEL_J_NOT_IN_BITS, e, x);
		i->set.lo = syms[0];
		i->set.list = at;
		for (uint32_t k = 0; k < list.n; k++)
			i->set.bits |= 1u << (syms[k] - syms[0]);
		return;
	}
	i = test(g, jump_if ? CEL_J_IN_LIST : CEL_J_NOT_IN_LIST, e, x);
	i->k = at;
	i->sym = CEL_SET_NONE;
	if (syms)
		i->sym = cel_gen_set(g, (struct cel_symbol_set){ syms, list.n });
}

bool cel_gen_compare(
	struct cel_gen *g, const struct cel_node *n, bool jump_if, struct cel_label *l, unsigned e)
{
	unsigned mark = g->next;
	struct cel_name name;
	struct cel_value v;

	if (n->kind == CEL_N_SELECT && n->is_test_only) {
		name = cel_gen_name(g, n);
		if (name.kind != CEL_NAME_SLOT)
			return false;
		g->slots[name.at / 64] |= UINT64_C(1) << name.at % 64;
		test(g, jump_if ? CEL_J_PRESENT : CEL_J_ABSENT, e,
			(struct cel_operand){ CEL_IN_SLOT, (uint16_t)name.at });
		g->cost++;
		return true;
	}
	if (n->kind != CEL_N_CALL)
		return false;
	if (n->call.function >= CEL_F_EQ && n->call.function <= CEL_F_GE) {
		comparison(g, n, jump_if, l, e);
	} else if (n->call.function == CEL_F_IN && cel_gen_fold(g, n->call.args[1], &v) &&
		   v.kind == CEL_V_LIST) {
		in_list(g, n->call.args[0], v, jump_if, l, e);
	} else {
		return false;
	}
	g->next = mark;
	return true;
}
