#pragma once

/* Series of the role that more than one of its files moves. Prefix souk_pricing_. */
#include "common/base/metrics.h"
#include "common/model/offer.h"
#include "pricing/rules/decide.h"

#define PRICING_OUTCOMES 4
#define PRICING_CAUSES   (CAUSE_PAUSE + 1)
/* Records read by a new owner. */
enum restored_kind {
	RESTORED_OWNER,
	RESTORED_DECISION,
	RESTORED_PAST, /* older than an offer lives */
	RESTORED_VOID,
	RESTORED_UNREADABLE,
	RESTORED_KINDS
};

#define PRICING_REASONS (REASON_RULE_CHANGE + 1)

struct pricing_metrics {
	struct counter *events, *repeats, *dead_letters;
	struct counter *decisions[PRICING_OUTCOMES];
	struct counter *reasons[PRICING_REASONS];
	struct counter *resent, *unsendable, *held, *cut_headers, *forgotten;
	struct counter *acquired, *lost;
	struct gauge *in_flight;
	struct histogram *join, *decision;
	struct counter *revisions[PRICING_CAUSES];  /* by cause; first answers are none */
	struct counter *withdrawn[PRICING_REASONS]; /* NULL: no offer is withdrawn for it */
	struct counter *unchanged, *conflated, *not_followed;
	struct gauge *followed;
	struct histogram *revision;
	struct counter *restored[RESTORED_KINDS];
	struct histogram *restore;
	struct counter *rules_failed, *rules_left_out;
};

void pricing_metrics_init(struct pricing_metrics *ret, struct metrics *m);
/* What a decision says of rules that did not take part in it. */
static inline void pricing_metrics_rules(struct pricing_metrics *m, const struct decided *d)
{
	if (d->n_failed)
		counter_add(m->rules_failed, d->n_failed);
	if (d->n_left_out)
		counter_add(m->rules_left_out, d->n_left_out);
}
