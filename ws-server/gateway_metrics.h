#pragma once

/* Every series of the role, looked up once. */
#include "common/base/metrics.h"

enum event_result {
	EVENT_ACKED,
	EVENT_REPEATED,
	EVENT_RATE_LIMITED,
	EVENT_BAD,
	EVENT_FORBIDDEN,
	EVENT_UNAVAILABLE,
	EVENT_FAILED, /* the delivery report was an error, or the slot was lost meanwhile */
	EVENT_RESULTS,
};

enum push_type {
	PUSH_OFFER,
	PUSH_OFFER_WITHDRAWN,
	PUSH_NO_OFFER,
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
	DROP_REPLACED, /* unsent, a newer revision took its place */
	DROP_REASONS,
};

struct gateway_metrics {
	struct gauge *connections;
	struct counter *connects, *refused;
	struct counter *events[EVENT_RESULTS];
	struct counter *acks;
	struct histogram *ack_seconds;
	struct counter *pushes[PUSH_TYPES];
	struct counter *drops[DROP_REASONS];
	struct histogram *push_seconds;
	struct counter *slot_taken, *slot_lost;
	struct gauge *slot;
	struct gauge *outbox_bytes;
	struct counter *events_forgotten, *offers_forgotten;
	struct metrics *registry;
};

void gateway_metrics_init(struct gateway_metrics *m, struct metrics *registry);
/* By what is known only when it happens: from the closed sets of contract 4. */
void gateway_metrics_closed(struct gateway_metrics *m, int code);
void gateway_metrics_error(struct gateway_metrics *m, const char *code);
