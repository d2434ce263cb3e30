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
 *	10 SUPPRESSED      a rule that fires says so
 *	11 the price       list price, rules, rounding, guards
 *	12 GUARD_CONFLICT  the highest floor is above the lowest ceiling
 *
 * A revision of a live offer (inputs.is_revision) has no deadline and no limit of live quotes, and
 * PAUSED comes first of all: a pause that waited for fresh feeds would not stop what it is for.
 * What cannot be priced any more is WITHDRAWN. A conflict that is one only because changed rules
 * hold the price shown (inputs.holds) is RULE_CHANGE.
 *
 * The price: the list price (anchor); what the rules make of it, an exact fraction that is divided
 * once (rules/ruleset.h); rounded to a multiple of the quantum, both in the ruleset's mode; then
 * brought inside the guards (floors round up, ceilings down), which may leave the quantum's grid.
 * Every change is a waterfall line. A rule line shows the running price after it, computed from the
 * list price each time, so the last one is the exact result and no line carries another's rounding;
 * rules that were left out or failed have a line that changes nothing, with a note.
 *
 * The waterfall is kept as what fired, and its amounts are worked out when it is written:
 *explaining a decision costs next to nothing until somebody reads it.
 */
#include "common/base/json_out.h"
#include "common/model/money.h"
#include "common/model/offer.h"
#include "pricing/inputs.h"
#include "pricing/rules/decide.h"

enum price_step { STEP_ANCHOR, STEP_RULE, STEP_GUARD, STEP_ROUND };

#define PRICE_NOTE_MAX 32

struct price_line {
	enum price_step step;
	struct str id;
	u128 before, after;
	char note[PRICE_NOTE_MAX]; /* "" or: "no_consent": a personal rule was left out;
				      "failed:<error>"; "limit": more fired than a decision may
				      name; "suppressed": why there is no offer; "no_fx": a value
				      without a path to the list currency was left out; "conflict"
				    */
};

/* In the shopper's language where the ruleset has it. */
struct price_reason {
	struct str rule;
	struct str text;
	int64_t bps; /* its own; 0 of a rule on amounts, or without a price */
};
struct price_perk {
	struct str id;
	struct str text;
};

#define PRICE_ENDS_MAX         8 /* lines after the rules: rounding and guards */
#define PRICE_LINES_MAX        (1 + RULESET_FIRED_MAX + RULESET_NOTES_MAX + PRICE_ENDS_MAX)
#define PRICE_REASONS_MAX      RULESET_FIRED_MAX /* rulesets bound their text */
#define PRICE_PERKS_MAX        16
#define PRICE_ALTERNATIVES_MAX RULESET_SUGGEST_MAX

/* A line as it is kept. */
struct price_end {
	enum price_step step;
	const char *id;
	u128 before, after;
	const char *note; /* NULL */
};

/* Borrows from ruleset and inputs. Not meant to be copied about: it is large, and only its used
 * part is written. */
struct price_result {
	enum decision_outcome outcome; /* of a revision OFFER or WITHDRAWN, else OFFER, NO_OFFER or
					  EXPIRED */
	enum reason reason;
	bool personalised;
	bool has_lines;
	struct money price;    /* OUTCOME_OFFER only */
	struct str disclosure; /* set if personalised */
	size_t n_reasons, n_perks, n_alternatives, n_ends;
	struct price_reason reasons[PRICE_REASONS_MAX]; /* shown to the shopper */
	struct price_perk perks[PRICE_PERKS_MAX];
	struct str alternatives[PRICE_ALTERNATIVES_MAX]; /* items; of offers, and of SOLD_OUT,
							    NOT_FOR_SALE, SUPPRESSED and
							    GUARD_CONFLICT; never the item itself */
	/* The waterfall: see compute_lines(). */
	const struct ruleset *rules;
	u128 list;
	struct price_end ends[PRICE_ENDS_MAX];
	struct decided decided; /* its numbers are zero if nothing was decided */
};

void compute(const struct ruleset *rules, struct decide_scratch *s, const struct price_inputs *in,
	struct price_result *ret);
/* The same without waterfall, reasons and perks: what explaining costs is the difference. */
void compute_plain(const struct ruleset *rules, struct decide_scratch *s,
	const struct price_inputs *in, struct price_result *ret);

/* The waterfall's lines; returns how many. Ids borrow. */
size_t compute_lines(const struct price_result *r, struct price_line ret[PRICE_LINES_MAX]);

/* [{"step","id","before","after","note"?}], [{"rule","text","bps"}], [{"id","text"}] and [item]. */
void compute_waterfall_json(struct json_out *j, const char *key, const struct price_result *r);
void compute_reasons_json(struct json_out *j, const char *key, const struct price_result *r);
void compute_perks_json(struct json_out *j, const char *key, const struct price_result *r);
void compute_alternatives_json(struct json_out *j, const char *key, const struct price_result *r);
