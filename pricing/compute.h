#pragma once

/*
 * The price: a pure function of inputs and ruleset, without clock, cache or memory. Whoever has
 * both gets the same bytes.
 *
 * Order of judgement, the first that applies decides:
 *	 1 EXPIRED         now is past the event's deadline
 *	 2 BAD_EVENT       the event is not what it should be
 *	 3 STALE_PROFILE, STALE_LOYALTY, STALE_INVENTORY, STALE_MARKET
 *	                   a side is unknown, or its feed is older than it may be. An item whose
 *	                   inventory row is missing or names no collection has no market side; stock
 *	                   is part of the inventory side
 *	 4 NO_LISTING      no inventory row (or a tombstone)
 *	 5 SOLD_OUT        supply - taken <= 0
 *	 6 NOT_FOR_SALE    no list price
 *	 7 CIRCUIT_OPEN    the row is held until a person confirms its list price
 *	 8 PAUSED
 *	 9 QUOTE_LIMIT     as many live quotes for the user or the item as allowed
 *	10 the price       list price, rules, rounding, guards
 *	11 GUARD_CONFLICT  the highest floor is above the lowest ceiling
 *
 * A revision of a live offer (inputs.is_revision) has no deadline and no limit of live quotes, and
 * PAUSED comes first of all: a pause that waited for fresh feeds would not stop what it is for.
 * What cannot be priced any more is WITHDRAWN. A conflict that is one only because changed rules
 * hold the price shown (inputs.holds) is RULE_CHANGE.
 *
 * The price: the list price (anchor); the summed basis points of all rules that fired, applied
 * once, half to even; rounded half to even to a multiple of the quantum; then brought inside the
 * guards (floors round up, ceilings down), which may leave the quantum's grid. Every change is a
 * waterfall line. A rule line shows the running price after it, computed from the list price each
 * time, so the last one is the exact result and no line carries another's rounding.
 */
#include "common/base/json_out.h"
#include "common/model/money.h"
#include "common/model/offer.h"
#include "pricing/inputs.h"
#include "pricing/small/ruleset.h"

enum price_step { STEP_ANCHOR, STEP_RULE, STEP_GUARD, STEP_ROUND };

struct price_line {
	enum price_step step;
	struct str id;
	u128 before, after;
	const char *note; /* NULL; "no_consent": a personal rule was left out; "no_fx": a value
			     without a path to the list currency was left out; "conflict" */
};

struct price_reason {
	struct str rule;
	struct str text;
	int32_t bps;
};

#define PRICE_LINES_MAX (1 + RULESET_HITS_MAX + 1 + 8)

/* Borrows from ruleset and inputs. */
struct price_result {
	enum decision_outcome outcome; /* of a revision OFFER or WITHDRAWN, else OFFER, NO_OFFER or
					  EXPIRED */
	enum reason reason;
	struct money price; /* OUTCOME_OFFER only */
	struct price_line lines[PRICE_LINES_MAX];
	size_t n_lines;
	struct price_reason reasons[RULESET_TABLES_MAX]; /* shown to the shopper */
	size_t n_reasons;
	bool personalised;
	struct str disclosure; /* set if personalised */
};

void compute(const struct ruleset *rules, const struct price_inputs *in, struct price_result *ret);

/* [{"step","id","before","after","note"?}] and [{"rule","text","bps"}]. */
void compute_waterfall_json(struct json_out *j, const char *key, const struct price_result *r);
void compute_reasons_json(struct json_out *j, const char *key, const struct price_result *r);
