/*
 * Bindings are an array, and what changed in it a stack: trying a candidate costs what it binds,
 * where copying the table for each would cost what the whole expression has bound.
 *
 * Types are shared, so a short expression can have a type whose tree is huge ({x: x} nested by
 * macros doubles it each time). Steps are counted, and past their maximum everything is refused.
 */
#include "pricing/cel/unify.h"

#include <string.h>

#define STEPS_MAX  (1u << 20)
#define PARAMS_MAX 65535
#define FIRST_CAP  32

struct unify_change {
	uint32_t param;
	const struct cel_type *before;
};

static bool step(struct unify *u)
{
	if (++u->n_steps > STEPS_MAX)
		u->is_exhausted = true;
	return !u->is_exhausted;
}

/* Room for one more in an array of the arena; what it grew out of stays there unused. */
static void *grown(struct unify *u, void *v, uint32_t n, uint32_t *cap, size_t size)
{
	uint32_t more = *cap ? *cap * 2 : FIRST_CAP;
	void *ret = v;

	if (n < *cap)
		return v;
	ret = arena_alloc(u->arena, more * size);
	if (!ret) {
		u->is_exhausted = true;
		return NULL;
	}
	if (n > 0)
		memcpy(ret, v, n * size);
	*cap = more;
	return ret;
}

struct unify_mark unify_mark(const struct unify *u)
{
	return (struct unify_mark){ u->n, u->n_changes };
}

void unify_undo(struct unify *u, struct unify_mark mark)
{
	while (u->n_changes > mark.n_changes) {
		const struct unify_change *c = &u->changes[--u->n_changes];

		u->bound[c->param] = c->before;
	}
	u->n = mark.n;
}

const struct cel_type *unify_fresh(struct unify *u)
{
	const struct cel_type **bound =
		grown(u, u->bound, u->n, &u->cap, sizeof(*bound)); /* NOLINT: of pointers */
	struct cel_type *t = arena_alloc(u->arena, sizeof(*t));

	if (!bound || !t || u->n == PARAMS_MAX) {
		u->is_exhausted = true;
		return &cel_type_error;
	}
	*t = (struct cel_type){ .kind = CEL_T_PARAM, .param = (uint16_t)u->n };
	u->bound = bound;
	u->bound[u->n++] = NULL;
	return t;
}

static void bind(struct unify *u, const struct cel_type *param, const struct cel_type *t)
{
	struct unify_change *changes =
		grown(u, u->changes, u->n_changes, &u->changes_cap, sizeof(*changes));

	if (!changes)
		return;
	u->changes = changes;
	u->changes[u->n_changes++] = (struct unify_change){ param->param, u->bound[param->param] };
	u->bound[param->param] = t;
}

static const struct cel_type *or_exhausted(struct unify *u, const struct cel_type *t)
{
	if (!t)
		u->is_exhausted = true;
	return t ? t : &cel_type_error;
}

const struct cel_type *unify_instance(
	struct unify *u, const struct cel_type *t, const struct cel_type **fresh)
{
	switch ((enum cel_type_kind)t->kind) {
	case CEL_T_PARAM:
		if (!fresh[t->param])
			fresh[t->param] = unify_fresh(u);
		return fresh[t->param];
	case CEL_T_LIST:
		return or_exhausted(u, cel_type_list(u->arena, unify_instance(u, t->a, fresh)));
	case CEL_T_MAP: {
		const struct cel_type *key = unify_instance(u, t->a, fresh);

		return or_exhausted(u, cel_type_map(u->arena, key, unify_instance(u, t->b, fresh)));
	}
	case CEL_T_TYPE:
		return or_exhausted(u, cel_type_of_type(u->arena, unify_instance(u, t->a, fresh)));
	default:
		return t;
	}
}

static bool is_less_specific(struct unify *u, const struct cel_type *a, const struct cel_type *b)
{
	if (!step(u) || a->kind == CEL_T_DYN || a->kind == CEL_T_PARAM)
		return true;
	if (b->kind == CEL_T_DYN || b->kind == CEL_T_PARAM || a->kind != b->kind)
		return false;
	switch ((enum cel_type_kind)a->kind) {
	case CEL_T_LIST:
		return is_less_specific(u, a->a, b->a);
	case CEL_T_MAP:
		return is_less_specific(u, a->a, b->a) && is_less_specific(u, a->b, b->b);
	case CEL_T_TYPE:
		return a->a && b->a ? is_less_specific(u, a->a, b->a) : !a->a;
	default:
		return true;
	}
}

/* Money of two currencies is money of one that is known at run time only. */
const struct cel_type *unify_more_general(
	struct unify *u, const struct cel_type *a, const struct cel_type *b)
{
	if (a->kind == CEL_T_MONEY && b->kind == CEL_T_MONEY &&
		!currency_is_par(a->currency, b->currency))
		return &cel_type_money;
	return is_less_specific(u, a, b) ? a : b;
}

/* Whether parameter @p is nowhere in @t: else it would be part of itself. */
static bool is_absent_from(struct unify *u, const struct cel_type *p, const struct cel_type *t)
{
	if (!step(u))
		return false;
	switch ((enum cel_type_kind)t->kind) {
	case CEL_T_PARAM:
		return t->param != p->param &&
		       (!u->bound[t->param] || is_absent_from(u, p, u->bound[t->param]));
	case CEL_T_LIST:
		return is_absent_from(u, p, t->a);
	case CEL_T_MAP:
		return is_absent_from(u, p, t->a) && is_absent_from(u, p, t->b);
	case CEL_T_TYPE:
		return !t->a || is_absent_from(u, p, t->a);
	default:
		return true;
	}
}

static bool fits(struct unify *u, const struct cel_type *from, const struct cel_type *to);

/* Whether parameter @p can be @t; *ret_bound: it was something already. */
static bool substitutes(
	struct unify *u, const struct cel_type *t, const struct cel_type *p, bool *ret_bound)
{
	const struct cel_type *before = u->bound[p->param], *after;

	*ret_bound = true;
	if (cel_type_eq(t, p))
		return true;
	if (before) {
		if (!fits(u, t, before))
			return false;
		after = unify_more_general(u, t, before);
		if (after != before && is_absent_from(u, p, after))
			bind(u, p, after);
		return true;
	}
	*ret_bound = false;
	if (!is_absent_from(u, p, t))
		return false;
	bind(u, p, t);
	return true;
}

static bool is_nullable(const struct cel_type *t)
{
	return t->kind == CEL_T_NULL || t->kind == CEL_T_TIMESTAMP || t->kind == CEL_T_DURATION;
}

static bool has_param(const struct cel_type *t)
{
	return t && (t->kind == CEL_T_PARAM || has_param(t->a) || has_param(t->b));
}

/* A type is a type, whichever; but where one is not solved yet (that of []), they have to be of one
 * shape. */
static bool types_fit(struct unify *u, const struct cel_type *from, const struct cel_type *to)
{
	if (!from || !to)
		return true;
	return !(has_param(from) || has_param(to)) || fits(u, from, to);
}

static bool fits(struct unify *u, const struct cel_type *from, const struct cel_type *to)
{
	bool is_bound;

	if (!step(u))
		return false;
	if (from == to)
		return true;
	if (to->kind == CEL_T_PARAM) {
		if (substitutes(u, from, to, &is_bound))
			return true;
		if (is_bound)
			return false;
	}
	if (from->kind == CEL_T_PARAM)
		return substitutes(u, to, from, &is_bound);
	if (unify_is_dyn_or_error(from) || unify_is_dyn_or_error(to))
		return true;
	if (from->kind == CEL_T_NULL)
		return is_nullable(to);
	if (to->kind == CEL_T_NULL)
		return is_nullable(from);
	if (from->kind != to->kind)
		return false;
	switch ((enum cel_type_kind)from->kind) {
	case CEL_T_LIST:
		return fits(u, from->a, to->a);
	case CEL_T_MAP:
		return fits(u, from->a, to->a) && fits(u, from->b, to->b);
	case CEL_T_TYPE:
		return types_fit(u, from->a, to->a);
	default: /* money is money: currencies are looked at by themselves */
		return true;
	}
}

bool unify_fits(struct unify *u, const struct cel_type *from, const struct cel_type *to)
{
	struct unify_mark mark = unify_mark(u);

	if (fits(u, from, to) && !u->is_exhausted)
		return true;
	unify_undo(u, mark);
	return false;
}

const struct cel_type *unify_outer(const struct unify *u, const struct cel_type *t)
{
	while (t->kind == CEL_T_PARAM && u->bound[t->param])
		t = u->bound[t->param];
	return t;
}

const struct cel_type *unify_resolve(struct unify *u, const struct cel_type *t, bool to_dyn)
{
	const struct cel_type *a, *b;

	t = unify_outer(u, t);
	if (!step(u))
		return &cel_type_error;
	switch ((enum cel_type_kind)t->kind) {
	case CEL_T_PARAM:
		return to_dyn ? &cel_type_dyn : t;
	case CEL_T_LIST:
		a = unify_resolve(u, t->a, to_dyn);
		return a == t->a ? t : or_exhausted(u, cel_type_list(u->arena, a));
	case CEL_T_MAP:
		a = unify_resolve(u, t->a, to_dyn);
		b = unify_resolve(u, t->b, to_dyn);
		return a == t->a && b == t->b ? t : or_exhausted(u, cel_type_map(u->arena, a, b));
	case CEL_T_TYPE:
		if (!t->a)
			return t;
		a = unify_resolve(u, t->a, to_dyn);
		return a == t->a ? t : or_exhausted(u, cel_type_of_type(u->arena, a));
	default:
		return t;
	}
}
