#pragma once

/* What the bridge counts. */
#include "common/base/metrics.h"

#define BRIDGE_STATES   16
#define BRIDGE_REFUSALS 16

struct bridge_metrics {
	struct counter *accepted, *refused, *repeats, *conflicts, *dead_letters;
	struct counter *results[BRIDGE_STATES];    /* by enum order_state */
	struct counter *refusals[BRIDGE_REFUSALS]; /* by enum refusal */
	struct counter *entered, *same, *never, *void_, *unknown, *dropped;
	struct counter *supplies, *releases, *snapshots;
	struct counter *held, *resent, *forgotten, *no_room, *unreadable, *failed;
	struct counter *acquired, *lost;
	struct counter *views, *views_stale, *views_failed, *feeds_reopened;
	struct gauge *open, *known, *items, *in_flight, *views_dirty;
	struct histogram *told, *restore;
};

void bridge_metrics_init(struct bridge_metrics *ret, struct metrics *m);
