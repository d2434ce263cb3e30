#pragma once

/*
 * Types: fills `type`, `slot` and `ref` of every node, or says what does not fit.
 *
 * As cel-go's checker: overload resolution with type parameters and unification, `dyn` fits
 * everything; list and map literals of mixed types become dyn. Beyond it: values of fields with a
 * closed set (==, !=, in against constants), units (comparison, + and - of two different ones),
 * currencies (comparison, + and - without parity), fields that no price may depend on.
 *
 * All errors that can be found are reported, not only the first.
 */
#include "common/base/arena.h"
#include "pricing/cel/ast.h"
#include "pricing/cel/diag.h"
#include "pricing/cel/env.h"

/* @want: what the whole must be (NULL = anything): CEL_E_TYPE otherwise. dyn satisfies any. Returns
 * whether it is well typed. */
bool cel_check(struct cel_node *root, const struct cel_env *env, const struct cel_type *want,
	struct arena *a, struct cel_diags *d);
