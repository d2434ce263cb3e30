#pragma once

/*
 * What an expression may speak of: the declared variables. Immutable once it is in use; programs
 * borrow it.
 *
 * A variable's name may have dots ("customer.tier"): a chain of selections resolves to the longest
 * declared name, and has(customer.tier) asks whether it has a value at all. Each has a slot, its
 * index: whoever evaluates gives an array of values in that order.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/str.h"
#include "pricing/cel/type.h"

#define CEL_VARS_MAX     256
#define CEL_VAR_NAME_MAX 128

enum cel_unit { CEL_UNIT_NONE, CEL_UNIT_MS, CEL_UNIT_POINTS, CEL_UNIT_COUNT, CEL_UNIT_BPS };
extern const char *const cel_unit_names[]; /* "", "ms", "points", "count", "bps", NULL */

struct cel_var {
	struct str name;
	const struct cel_type *type;
	const char *const
		*values; /* NULL-terminated: the only texts it can have (STRING, or the elements
			    of a list of strings); "" entries are skipped; NULL = any */
	enum cel_unit unit;
	bool is_optional;    /* may be absent: has() may be asked */
	const char *refused; /* not NULL: a price must not depend on it, and why: CEL_E_SENSITIVE */
	void *tag;           /* the owner's: what it knows of the variable */
};

struct cel_env;

/* @with_money: money, bps and their functions exist (a ruleset, `souk rules eval`); false is the
 * plain language of the conformance suite. */
MUST_CHECK int cel_env_new(struct cel_env **ret, bool with_money);
struct cel_env *cel_env_free(struct cel_env *e);
DEFINE_CLEANUP(struct cel_env *, cel_env_free)

/* Copies name and type; borrows values, refused and tag. The slot (>= 0); -EEXIST, -ENOSPC, -EINVAL
 * (no name), -ENOMEM. */
MUST_CHECK int cel_env_add(struct cel_env *e, const struct cel_var *v);

size_t cel_env_n(const struct cel_env *e);
bool cel_env_has_money(const struct cel_env *e);
const struct cel_var *cel_env_var(const struct cel_env *e, int slot);
/* The slot of exactly this name, or CEL_SLOT_NONE. */
int cel_env_find(const struct cel_env *e, struct str name);
/* Whether some variable's name begins with @name and a dot: "customer" is no value, but not
 * unknown. */
bool cel_env_is_prefix(const struct cel_env *e, struct str name);
/* The declared name nearest to @name by edit distance, STR_NONE if none is near. */
struct str cel_env_nearest(const struct cel_env *e, struct str name);

/*
 * Reads declarations:
 *	{"fields":[{"name":"customer.tier","type":"string","values":["gold","none"],"optional":true,
 *	            "unit":"ms","label":"member"}]}
 * type: bool int uint double string bytes timestamp duration money bps dyn null, list(T), map(K,
 *V), money(ETH). Unknown members are errors. `label` is market, item, context, member, personal or
 * sensitive; sensitive fields are refused. 0 or -EINVAL with @f naming the place; -ENOMEM.
 */
MUST_CHECK int cel_env_load(struct cel_env *e, struct str json, struct fault *f);
