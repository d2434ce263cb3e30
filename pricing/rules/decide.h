#pragma once

/*
 * Which rules fire, and what they do to a price: the part of a decision between the list price and
 * the guards. Pure: slots, list price, consent and ruleset in; an exact fraction and what made it
 * out.
 *
 * Lines are kept as numbers and pointers; amounts after each step are worked out where they are
 * written down (decide_amount), so that explaining a decision costs next to nothing until somebody
 * reads it.
 */
#include "pricing/rules/fraction.h"
#include "pricing/rules/ruleset_impl.h"

/* An evaluation's memory: kept from decision to decision. */
struct decide_scratch;
#define DECIDE_ARENA_BYTES (256 * 1024)
MUST_CHECK int decide_scratch_new(struct decide_scratch **ret);
struct decide_scratch *decide_scratch_free(struct decide_scratch *s);
DEFINE_CLEANUP(struct decide_scratch *, decide_scratch_free)

enum fired_state {
	FIRED,            /* it took part in the price, or brought perks */
	FIRED_NO_CONSENT, /* left out */
	FIRED_FAILED,     /* left out: @error */
	FIRED_LIMIT,      /* left out: more than RULESET_FIRED_MAX */
};

struct fired {
	const struct line *line;
	uint16_t rule, group;
	uint8_t state;
	uint8_t error;            /* enum cel_error */
	int64_t bps;              /* its own */
	u128 discount, surcharge; /* its own */
};

struct decided {
	struct fired fired[RULESET_FIRED_MAX +
			   RULESET_NOTES_MAX]; /* in the order of the document; in best-of
						  groups only the one that was taken */
	size_t n_fired;
	size_t n_left_out, n_failed;      /* all, also those that notes had no room for */
	const struct line *suppressed_by; /* NULL */
	const struct suggestion *suggestions[8];
	size_t n_suggestions;
	uint8_t labels; /* of all that fired */
	u128 price; /* after all groups, rounded once in the ruleset's mode to the smallest unit */
	uint64_t cost; /* counted */
};

/* As if nothing had been decided. What fired is not cleared but counted as none: it is large. */
static inline void decided_clear(struct decided *d)
{
	d->n_fired = d->n_left_out = d->n_failed = d->n_suggestions = 0;
	d->suppressed_by = NULL;
	d->labels = 0;
	d->price = 0;
	d->cost = 0;
}

/* @record: as the schema says. @now_ms for windows. @list: what groups begin with. */
void decide(const struct ruleset *r, struct decide_scratch *s, const void *record, int64_t now_ms,
	struct money list, bool personal_ok, struct decided *ret);

/* The suggestions that hold; for refusals too. decide() has asked them already. */
void decide_suggest(const struct ruleset *r, struct decide_scratch *s, const void *record,
	bool personal_ok, struct decided *ret);

/* The same for all of them in turn. Borrows. */
struct decide_walk {
	const struct ruleset *r;
	const struct decided *d;
	size_t i, group_begin;
	struct fraction before; /* the group */
};
void decide_walk_begin(
	struct decide_walk *w, const struct ruleset *r, const struct decided *d, u128 list);
u128 decide_walk_next(struct decide_walk *w); /* at most d->n_fired times */
/* The running price after fired[0..i], rounded in the ruleset's mode: for display only, worked out
 * from the list price each time, so that no line carries another's rounding. */
u128 decide_amount(const struct ruleset *r, const struct decided *d, u128 list, size_t i);
