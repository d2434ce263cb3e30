#pragma once

/*
 * Why a decision came out as it did: what every rule did, and of those that did not fire what kept
 * them from it and the nearest value that would have changed that.
 *
 * Nothing of it is kept by a decision: it is worked out again from inputs and ruleset, condition by
 * condition, as they were written. Personal fields are not looked at without consent here either.
 */
#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/json_out.h"
#include "pricing/compute.h"

struct explain;

/* Borrows both (and what they borrow) until it is freed. The ruleset is over price_schema(). 0 or
 * -ENOMEM. */
MUST_CHECK int explain_new(
	struct explain **ret, const struct ruleset *r, const struct price_inputs *in);
struct explain *explain_free(struct explain *e);
DEFINE_CLEANUP(struct explain *, explain_free)

/* For people: outcome, waterfall, then the rules group by group. */
void explain_print(struct buf *out, const struct explain *e);
/*
 * {"outcome","reason"?,"list"?,"price"?,"waterfall","reasons","perks","alternatives","personalised",
 *  "groups":[{"id","mode","rules":[{"id","state","by"?,"error"?,"when"?,"next"?,
 *     "tests"?:[{"text","field"?,"has"?,"needs"?,"error"?}],
 *     "rows"?:[{"id","state","input"?,"cell"?,"has"?,"needs"?,"error"?}],"rows_left_out"?:n}]}],
 *  "suggestions":[{"id","holds"}]}
 *
 * state of a rule: fired, no_consent, failed, limit; disabled, not_valid (its window; `next`: when
 * it is valid again), condition (`tests`: all that do not hold), earlier and outdone (`by` which
 * rule of its group), no_row (`rows`: why), no_effect (the amount is of another currency, or a
 * field of it is absent). Of a row: fired, not_picked, no_consent, cell, failed.
 */
void explain_json(struct json_out *j, const char *key, const struct explain *e);
