#pragma once

/* Every series of the role, looked up once. */
#include "common/base/metrics.h"

/* How a command with an event or an order ended. */
enum command_result {
	COMMAND_ACKED,
	COMMAND_REPEATED,
	COMMAND_RATE_LIMITED,
	COMMAND_BAD,
	COMMAND_FORBIDDEN,
	COMMAND_UNAVAILABLE,
	COMMAND_FAILED,      /* the delivery report was an error, or the slot was lost meanwhile */
	COMMAND_CONFLICT,    /* from here on orders only: another one has this id */
	COMMAND_UNSUPPORTED, /* how it would be paid */
	COMMAND_RESULTS,
};

enum push_type {
	PUSH_OFFER,
	PUSH_OFFER_WITHDRAWN,
	PUSH_NO_OFFER,
	PUSH_ORDER,
	PUSH_MARKET,
	PUSH_PING,
	PUSH_DRAINING,
	PUSH_TYPES,
};

enum drop_reason {
	DROP_SLOT_EPOCH,  /* of a former holder of the slot */
	DROP_OWNER_EPOCH, /* of a former owner of the shard */
	DROP_OLD_REV,     /* shown already, or a newer one was */
	DROP_NO_SESSION,  /* gone */
	DROP_USER,        /* the session does not speak for this user */
	DROP_EXPIRED,     /* ran out before it came */
	DROP_BAD_RECORD,
	DROP_REPLACED, /* unsent, a newer one took its place */
	DROP_REASONS,
};

/* What became of a record of payments.results.v1, for each session it could be for. */
enum result_fate {
	RESULT_PUSHED,
	RESULT_OLD_N,      /* told already, or a later state was */
	RESULT_NO_SESSION, /* nobody here speaks for that user */
	RESULT_BAD_RECORD,
	RESULT_FATES,
};

/* What became of a record of market.bestbid.v1. */
enum row_fate {
	ROW_APPLIED,
	ROW_OLD_VER,
	ROW_FULL, /* no place for one more item */
	ROW_BAD_RECORD,
	ROW_FATES,
};

enum tick_fate {
	TICK_PUSHED,
	TICK_CONFLATED, /* a newer one took its place before it was due */
	TICK_FATES,
};

struct gateway_metrics {
	struct gauge *connections;
	struct counter *connects, *refused;
	struct counter *events[COMMAND_RESULTS], *orders[COMMAND_RESULTS];
	struct counter *acks;
	struct histogram *ack_seconds, *order_ack_seconds;
	struct counter *pushes[PUSH_TYPES];
	struct counter *drops[DROP_REASONS];
	struct histogram *push_seconds;
	struct counter *slot_taken, *slot_lost;
	struct gauge *slot;
	struct gauge *outbox_bytes;
	struct counter *results[RESULT_FATES];
	struct counter *rows[ROW_FATES];
	struct counter *ticks[TICK_FATES];
	struct gauge *market_items, *watches;
	struct counter *events_forgotten, *offers_forgotten, *orders_forgotten, *states_forgotten;
	struct counter *users_forgotten, *items_forgotten;
	struct metrics *registry;
};

void gateway_metrics_init(struct gateway_metrics *m, struct metrics *registry);
/* By what is known only when it happens: from the closed sets of contract 4. */
void gateway_metrics_closed(struct gateway_metrics *m, int code);
void gateway_metrics_error(struct gateway_metrics *m, const char *code);
