/*
 * The machine. Instructions are 16 bytes; operands lie in the caller's slots, in registers or among
 * the program's constants, and are read where they are. Registers are on the C stack: their number
 * is known when a program is made. No heap: what an evaluation makes lies in the context's arena.
 *
 * A guard, `tier in ["gold","platinum"] && points >= 5000 && !blocked`, becomes
 *
 *	h_not_in_bits  tier      remembers "false", or keeps an error in r0
 *	h_i64_lt       points
 *	h_is_true      blocked
 *	return_hit     r0, false       false if one was remembered, else r0: true, or the first
 *error
 *
 * One dispatch a test and no jump that depends on the data, so the processor has nothing to guess
 * wrong. Each instruction jumps to the next by itself (labels as values), so that what follows what
 * is learned for each of them.
 *
 * Tests ask the kind of their operand first: any other than expected, an error or an absent value
 * among them, is answered by vm_test.c.
 *
 * The cost is counted in sums made at compile time; over its limit the evaluation ends with that
 * error, which nothing absorbs.
 */
#include "pricing/cel/vm_impl.h"

/* The next of what register i->a goes through; false at the end. */
static inline bool next_of(struct cel_value *r, const struct cel_insn *i)
{
	const struct cel_value *range = &r[i->a];
	uint64_t at = r[i->a + 1].u++;

	if (range->kind == CEL_V_LIST) {
		if (at >= range->n)
			return false;
		r[i->b] = range->list[at];
		return true;
	}
	if (at >= range->map->n)
		return false;
	r[i->b] = range->map->keys[at];
	return true;
}

static bool begin_range(struct cel_value *r, const struct cel_insn *i)
{
	if (r[i->a].kind != CEL_V_LIST && r[i->a].kind != CEL_V_MAP) {
		cel_vm_note(&r[i->a], &r[i->a]);
		r[i->b] = r[i->a];
		return false;
	}
	vm_set(&r[i->a + 1], CEL_V_UINT, 0);
	return true;
}

/* Room is known to be there. */
static inline bool append(struct cel_value *list, const struct cel_value *v)
{
	struct cel_value *to = (struct cel_value *)(uintptr_t)(list->list + list->n);

	if (UNLIKELY(v->kind == CEL_V_ERROR)) {
		*list = *v;
		return false;
	}
	*to = *v;
	list->n++;
	return true;
}

/* One function, because every instruction jumps to the next by itself. */
/* NOLINTNEXTLINE(readability-function-size) */
struct cel_value cel_vm_run(
	const struct cel_program *p, struct cel_context *c, const struct cel_value *slots)
{
	static const void *const labels[] = {
#define X(name) &&do_J_##name, &&do_H_##name,
		CEL_TESTS(X)
#undef X
#define X(name) &&do_##name,
			CEL_OPS(X)
#undef X
	};
	struct cel_value r[CEL_REGISTERS_MAX]; /* only those of the program are touched */
	const struct cel_value *const base[CEL_FILES] = { slots, r, p->constants };
	const struct cel_insn *code = p->code, *i = code;
	const struct cel_value *v, *w;
	bool hit = false;
	int64_t n;

#define X_OF(i) (base[(i)->c] + (i)->b)
#define Y_OF(i) (base[(i)->d] + (i)->k)
#define GO      goto *labels[i->op]
#define NEXT \
	do { \
		i++; \
		GO; \
	} while (0)
#define JUMP \
	do { \
		i = code + i->t; \
		GO; \
	} while (0)
/* The two of a test: @is_quick decides whether @answer can be had here. */
#define TEST(name, is_quick, answer) \
	do_J_##name : v = X_OF(i); \
	if (UNLIKELY(!(is_quick))) \
		goto slow_jump; \
	if (answer) \
		JUMP; \
	NEXT; \
	do_H_##name : v = X_OF(i); \
	if (UNLIKELY(!(is_quick))) \
		goto slow_hit; \
	hit |= (answer); \
	NEXT
#define PAIR_TEST(name, is_quick, order) TEST(name, (w = Y_OF(i), (is_quick)), HOLDS(i, order))
#define ARITHMETIC(name, builtin) \
	do_##name : v = X_OF(i); \
	w = Y_OF(i); \
	if (LIKELY(both_are(v, w, CEL_V_INT)) && LIKELY(!builtin(v->i, w->i, &n))) \
		vm_set(&r[i->a], CEL_V_INT, (uint64_t)n); \
	else \
		r[i->a] = cel_vm_binary(c, CEL_F_##name, v, w); \
	NEXT_COUNTED
#define NEXT_COUNTED \
	do { \
		if (UNLIKELY(!cel_spend(c, 0))) \
			return cel_cost_error(); \
		NEXT; \
	} while (0)

	vm_set(&r[0], CEL_V_BOOL, p->first);
	GO;

	QUICK_TESTS(TEST, PAIR_TEST);

slow_jump:
	if (cel_vm_test(c, p, i, base, &r[i->a]))
		JUMP;
	NEXT_COUNTED;
slow_hit:
	hit |= cel_vm_test(c, p, i, base, &r[i->a]);
	NEXT_COUNTED;

do_LOAD:
	r[i->a] = *X_OF(i);
	NEXT;
do_BOOL:
	vm_set(&r[i->a], CEL_V_BOOL, i->sub);
	NEXT;
do_JUMP:
	JUMP;
do_COST:
	if (UNLIKELY(!cel_spend(c, i->u)))
		return cel_cost_error();
	NEXT;
do_RETURN:
	return *X_OF(i);
do_RETURN_BOOL:
	return vm_bool(i->sub);
do_RETURN_HIT:
	return hit ? vm_bool(i->sub) : r[i->a];
do_TAKE_HIT:
	if (hit)
		vm_set(&r[i->a], CEL_V_BOOL, i->sub);
	hit = false;
	NEXT;
do_JUMP_HIT:
	if (hit) {
		hit = false;
		JUMP;
	}
	NEXT;
do_NOTE:
	cel_vm_note(&r[i->a], X_OF(i));
	NEXT;
do_JUMP_UNLESS_ERROR:
	if (r[i->b].kind != CEL_V_ERROR)
		JUMP;
	cel_vm_note(&r[i->a], &r[i->b]);
	NEXT;
do_JUMP_ERROR:
	if (r[i->a].kind == CEL_V_ERROR)
		JUMP;
	NEXT;
do_NOT_FALSE:
	v = X_OF(i);
	vm_set(&r[i->a], CEL_V_BOOL, !is_bool(v) || v->b);
	NEXT;

	ARITHMETIC(ADD, __builtin_add_overflow);
	ARITHMETIC(SUB, __builtin_sub_overflow);
	ARITHMETIC(MUL, __builtin_mul_overflow);

do_IN:
	r[i->a] = cel_vm_binary(c, CEL_F_IN, X_OF(i), Y_OF(i));
	NEXT_COUNTED;
do_INDEX:
	r[i->a] = cel_index(*X_OF(i), *Y_OF(i));
	NEXT;
do_SELECT:
	r[i->a] = cel_select(*X_OF(i), cel_str(*Y_OF(i)));
	NEXT;
do_HAS:
	r[i->a] = cel_has(*X_OF(i), cel_str(*Y_OF(i)));
	NEXT;
do_CALL:
	r[i->a] = cel_call(c, (enum cel_function)i->sub, &r[i->b], i->c);
	NEXT_COUNTED;
do_MATCHES:
	r[i->a] = cel_vm_matches(c, p->patterns[i->k], i->sym, *X_OF(i));
	NEXT_COUNTED;
do_IN_ZONE:
	r[i->a] = cel_vm_in_zone(i->sub, *X_OF(i), i->p);
	NEXT;
do_LIST:
	if (!cel_vm_list(c, &r[i->a], i->k))
		JUMP;
	NEXT;
do_LIST_LIKE:
	v = &r[i->b];
	if (!cel_vm_list(c, &r[i->a], v->kind == CEL_V_LIST ? v->n : v->map->n))
		JUMP;
	NEXT;
do_APPEND:
	if (!append(&r[i->a], X_OF(i)))
		JUMP;
	NEXT;
do_MAP:
	r[i->a] = cel_map_make(c, r[i->b].list, r[i->k].list, r[i->b].n);
	NEXT;
do_RANGE:
	if (!begin_range(r, i))
		JUMP;
	NEXT;
do_NEXT:
	if (!next_of(r, i))
		JUMP;
	if (UNLIKELY(!cel_spend(c, i->u)))
		return cel_cost_error();
	NEXT;
do_COUNT:
	if (r[i->a].kind == CEL_V_ERROR)
		JUMP;
	r[i->a].i++;
	NEXT;
do_IS_ONE:
	vm_set(&r[i->a], CEL_V_BOOL, r[i->a].i == 1);
	NEXT;
}
