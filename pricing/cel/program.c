/*
 * From text to program: parse, check, the cost, code (program_value.c, _test.c, _loop.c, _call.c,
 * _compare.c), and one block of it (program_pack.c). What the code looks like is told in vm.c.
 */
#include "pricing/cel/program_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static uint64_t cost_limit(const struct cel_options *o)
{
	return o->limits.cost ? o->limits.cost : CEL_COST_MAX;
}

static int generate(
	struct cel_program **ret, struct cel_gen *g, const struct cel_node *root, uint64_t cost)
{
	struct cel_program *p = NULL;
	int r;

	cel_gen_return(g, root);
	r = g->failed ? g->failed : cel_gen_pack(&p, g, root);
	for (uint32_t i = 0; i < g->n_patterns; i++)
		cel_pattern_free(g->patterns[i]);
	if (r)
		return r;
	p->cost = cost;
	*ret = p;
	return 0;
}

int cel_program_new(struct cel_program **ret, const struct cel_node *root,
	const struct cel_env *env, const struct cel_options *o, struct cel_diags *d)
{
	CLEANUP(arena_free) struct arena *own = NULL;
	uint64_t cost = cel_cost_static(root);
	struct cel_gen g; /* large: not zeroed as a whole */
	size_t mark;
	int r;

	if (cost > cost_limit(o)) {
		struct cel_diag *diag = cel_diag_add(d, CEL_STAGE_CHECK, CEL_E_COST, root->offset,
			"worst case costs %" PRIu64 " units, more than the %" PRIu64 " allowed",
			cost, cost_limit(o));

		cel_diag_hint(diag, "shorter lists, fewer loops inside loops");
		return -EINVAL;
	}
	if (!o->scratch) {
		r = arena_new(&own, CEL_PARSE_ARENA);
		if (r)
			return r;
	}
	memset(&g, 0, offsetof(struct cel_gen, few_code));
	g.env = env;
	g.o = o;
	g.diags = d;
	g.fold.arena = own ? own : o->scratch;
	g.fold.has_patterns = o->has_patterns;
	g.code = g.few_code;
	g.cap_code = CEL_CODE_FEW;
	g.constants = g.few_constants;
	g.cap_constants = CEL_CONSTANTS_FEW;
	mark = arena_used(g.fold.arena);
	r = generate(ret, &g, root, cost);
	arena_rewind(g.fold.arena, mark);
	return r;
}

static int compile(struct cel_program **ret, struct str source, const struct cel_env *env,
	const struct cel_options *o, struct cel_diags *d)
{
	struct cel_node *root =
		cel_parse(source, cel_env_has_money(env), &o->limits, o->scratch, d);

	if (!root)
		return -EINVAL;
	if (!o->is_unchecked && !cel_check(root, env, o->want, o->scratch, d))
		return -EINVAL;
	return cel_program_new(ret, root, env, o, d);
}

int cel_compile(struct cel_program **ret, struct str source, const struct cel_env *env,
	const struct cel_options *o, struct cel_diags *d)
{
	CLEANUP(arena_free) struct arena *own = NULL;
	struct cel_options with_scratch = *o;
	size_t mark;
	int r;

	if (!o->scratch) {
		r = arena_new(&own, CEL_PARSE_ARENA);
		if (r)
			return r;
		with_scratch.scratch = own;
	}
	mark = arena_used(with_scratch.scratch);
	r = compile(ret, source, env, &with_scratch, d);
	arena_rewind(with_scratch.scratch, mark);
	return r;
}

struct cel_program *cel_program_free(struct cel_program *p)
{
	if (!p)
		return NULL;
	for (uint32_t i = 0; i < p->n_patterns; i++)
		cel_pattern_free(p->patterns[i]);
	free(p);
	return NULL;
}

const struct cel_type *cel_program_type(const struct cel_program *p)
{
	return p->type;
}

uint64_t cel_program_cost(const struct cel_program *p)
{
	return p->cost;
}

bool cel_program_reads(const struct cel_program *p, int slot)
{
	return slot >= 0 && slot < CEL_VARS_MAX && (p->slots[slot / 64] >> slot % 64 & 1);
}

const uint64_t *cel_program_slots(const struct cel_program *p)
{
	return p->slots;
}
