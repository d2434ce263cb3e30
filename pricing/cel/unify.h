#pragma once

/*
 * Type parameters and what is known of them so far: unification as cel-go's checker does it, where
 * dyn fits everything and the more general of two types that fit each other is kept.
 */
#include "common/base/arena.h"
#include "pricing/cel/type.h"

struct unify_change;

struct unify {
	struct arena *arena;
	const struct cel_type **bound; /* by number of the parameter; NULL = free */
	uint32_t n, cap;
	struct unify_change *changes; /* to be undone when a candidate does not fit */
	uint32_t n_changes, changes_cap;
	uint32_t n_steps;
	bool is_exhausted; /* memory or steps: everything is refused from then on */
};

/* Zero-initialised but for `arena` is a start. */

struct unify_mark {
	uint32_t n, n_changes;
};
struct unify_mark unify_mark(const struct unify *u);
/* Forgets bindings and parameters since. */
void unify_undo(struct unify *u, struct unify_mark mark);

/* A parameter of its own; cel_type_error when exhausted. */
const struct cel_type *unify_fresh(struct unify *u);
/* A copy of @t with fresh[0], fresh[1] for its parameters; they are made when first needed (NULL).
 */
const struct cel_type *unify_instance(
	struct unify *u, const struct cel_type *t, const struct cel_type **fresh);

/* Whether a value of type @from may stand where @to is wanted; keeps what that says of parameters.
 * If not, nothing has changed. */
bool unify_fits(struct unify *u, const struct cel_type *from, const struct cel_type *to);
/* Of two types that fit. */
const struct cel_type *unify_more_general(
	struct unify *u, const struct cel_type *a, const struct cel_type *b);
/* With what is bound put in; @to_dyn: and dyn for what is not. */
const struct cel_type *unify_resolve(struct unify *u, const struct cel_type *t, bool to_dyn);
/* The type itself, or what its parameter is bound to: its kind is known or PARAM. */
const struct cel_type *unify_outer(const struct unify *u, const struct cel_type *t);

static inline bool unify_is_dyn_or_error(const struct cel_type *t)
{
	return t->kind == CEL_T_DYN || t->kind == CEL_T_ERROR;
}
