#pragma once

/*
 * The tests inside a document: each gives some fields, and says what must come out.
 *
 * Around what is given everything is as good as it can be: all sides present and fresh, one unit in
 * stock, no market, a membership without a tier, consent to personal prices, the guards that
 * pricing ships with, noon of 2026-06-15 (a Monday) in UTC. Only the list price has to be given.
 *
 * `expect` (all members may be left out): "price" as text; "outcome" OFFER or NO_OFFER; "reason";
 * "fired" and "not_fired" rules or rows, each of which did or did not take part (a rule with a
 * table by any of its rows); "perks" (ids), "suggest" (ids of suggestions) and "alternatives"
 * (items): exactly these, in any order; "personalised".
 */
#include <jansson.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/fault.h"
#include "pricing/compute.h"

/* Those of a configuration that says nothing of them. */
extern const struct guards rules_test_guards;

/* @given: {"customer.tier":"gold"} or NULL; @at: RFC 3339, absent = the moment above. Borrows from
 * @guards, copies into @a. 0 or -EINVAL with @f naming the field. */
MUST_CHECK int rules_test_inputs(struct price_inputs *ret, const json_t *given, struct str at,
	const struct guards *guards, struct arena *a, struct fault *f);

struct rules_test_outcome {
	struct str id;
	bool is_passed;
	struct str what; /* of a failed one: a line for each expectation, what came in it */
	const struct price_inputs *inputs;
	const struct price_result *result;
};
/* Borrowed for the time of the call. */
typedef void (*rules_test_fn)(void *ctx, const struct rules_test_outcome *o);

/* Runs all in the document's order. @r is over price_schema(). @guards NULL: those above. @each may
 * be NULL. 0 (some may have failed) or -ENOMEM. */
MUST_CHECK int rules_test_run(const struct ruleset *r, const struct guards *guards,
	rules_test_fn each, void *ctx, size_t *ret_n_passed, size_t *ret_n_failed);
