/*
 * The way in, and the short way of guards: nothing but tests of slots, each asked once, then the
 * answer. It needs no registers, no frame and no jump but that to the next test, so it is not the
 * loop of vm.c, whose frame alone costs more than such a guard.
 */
#include "pricing/cel/vm_impl.h"

/* From the first test on that has no quick answer. */
static __attribute__((noinline)) struct cel_value rest_of_line(const struct cel_program *p,
	struct cel_context *c, const struct cel_value *slots, const struct cel_insn *i, bool hit)
{
	const struct cel_value *const base[CEL_FILES] = { slots, NULL, p->constants };
	struct cel_value e = vm_bool(p->first);

	for (; i->op != CEL_OP_RETURN_HIT; i++)
		hit |= cel_vm_test(c, p, i, base, &e);
	if (!cel_spend(c, 0))
		return cel_cost_error();
	return hit ? vm_bool(i->sub) : e;
}

struct cel_value cel_eval(
	const struct cel_program *p, struct cel_context *c, const struct cel_value *slots)
{
	static const void *const labels[CEL_OP_RETURN_HIT + 1] = {
#define X(name) [CEL_H_##name] = &&do_##name,
		CEL_TESTS(X)
#undef X
			[CEL_OP_RETURN_HIT] = &&do_RETURN_HIT,
	};
	const struct cel_insn *i = p->code;
	const struct cel_value *v, *w;
	bool hit = false;

#define NEXT \
	do { \
		i++; \
		goto *labels[i->op]; \
	} while (0)
#define TEST(name, is_quick, answer) \
	do_##name : v = (const struct cel_value *)(const void *)((const char *)slots + i->t); \
	if (UNLIKELY(!(is_quick))) \
		return rest_of_line(p, c, slots, i, hit); \
	hit |= (answer); \
	NEXT
#define PAIR_TEST(name, is_quick, order) \
	TEST(name, (w = (i->d == CEL_IN_SLOT ? slots : p->constants) + i->k, (is_quick)), \
		HOLDS(i, order))

	if (UNLIKELY(!cel_spend(c, p->cost_base)))
		return cel_cost_error();
	if (!p->is_line)
		return cel_vm_run(p, c, slots);
	goto *labels[i->op];

	QUICK_TESTS(TEST, PAIR_TEST);

do_RETURN_HIT:
	return vm_bool(hit == i->sub);
}
