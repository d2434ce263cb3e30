#include "ws-server/gateway_metrics.h"

#include <stdio.h>

#include "common/base/cleanup.h"

static const struct metric_def CONNECTIONS = { "souk_ws_connections", METRIC_GAUGE,
	"Open WebSocket connections.", NULL };
static const struct metric_def CONNECTS = { "souk_ws_connects_total", METRIC_COUNTER,
	"Sessions that were connected.", NULL };
static const struct metric_def REFUSED = { "souk_ws_refused_total", METRIC_COUNTER,
	"Connections refused because the sessions are at their maximum.", NULL };
static const struct metric_def EVENTS = { "souk_ws_events_total", METRIC_COUNTER,
	"Interest commands by how they ended.", "result" };
static const struct metric_def ACKS = { "souk_ws_acks_total", METRIC_COUNTER,
	"Acknowledgements sent.", NULL };
static const struct metric_def ACK_SECONDS = { "souk_ws_ack_seconds", METRIC_HISTOGRAM_SECONDS,
	"From an interest command to its acknowledgement.", NULL };
static const struct metric_def PUSHES = { "souk_ws_pushes_total", METRIC_COUNTER,
	"Pushes handed to sessions.", "type" };
static const struct metric_def DROPS = { "souk_ws_drops_total", METRIC_COUNTER,
	"Offer records and unsent offers that no client saw.", "reason" };
static const struct metric_def PUSH_SECONDS = { "souk_ws_push_seconds", METRIC_HISTOGRAM_SECONDS,
	"From an interest event's time to the push that answers it.", NULL };
static const struct metric_def SLOT_TAKEN = { "souk_ws_slot_taken_total", METRIC_COUNTER,
	"Reply slots taken.", NULL };
static const struct metric_def SLOT_LOST = { "souk_ws_slot_lost_total", METRIC_COUNTER,
	"Reply slots lost.", NULL };
static const struct metric_def SLOT = { "souk_ws_slot", METRIC_GAUGE,
	"The reply slot held, -1 without one.", NULL };
static const struct metric_def OUTBOX = { "souk_ws_outbox_bytes", METRIC_GAUGE,
	"Bytes waiting for slow clients.", NULL };
static const struct metric_def EVENTS_FORGOTTEN = { "souk_ws_events_forgotten_total",
	METRIC_COUNTER, "Events that left the table of repetitions before their time.", NULL };
static const struct metric_def OFFERS_FORGOTTEN = { "souk_ws_offers_forgotten_total",
	METRIC_COUNTER, "Offers that left a session's table of revisions before their time.",
	NULL };
static const struct metric_def CLOSES = { "souk_ws_closes_total", METRIC_COUNTER,
	"Connections closed, by code.", "code" };
static const struct metric_def ERRORS = { "souk_ws_errors_total", METRIC_COUNTER,
	"Errors answered, by code.", "code" };

static const char *const event_results[EVENT_RESULTS] = {
	[EVENT_ACKED] = "acked",
	[EVENT_REPEATED] = "repeated",
	[EVENT_RATE_LIMITED] = "rate_limited",
	[EVENT_BAD] = "bad",
	[EVENT_FORBIDDEN] = "forbidden",
	[EVENT_UNAVAILABLE] = "unavailable",
	[EVENT_FAILED] = "failed",
};

static const char *const push_types[PUSH_TYPES] = {
	[PUSH_OFFER] = "offer",
	[PUSH_OFFER_WITHDRAWN] = "offer_withdrawn",
	[PUSH_NO_OFFER] = "no_offer",
	[PUSH_PING] = "ping",
	[PUSH_DRAINING] = "draining",
};

static const char *const drop_reasons[DROP_REASONS] = {
	[DROP_SLOT_EPOCH] = "slot_epoch",
	[DROP_OWNER_EPOCH] = "owner_epoch",
	[DROP_OLD_REV] = "old_rev",
	[DROP_NO_SESSION] = "no_session",
	[DROP_USER] = "user",
	[DROP_EXPIRED] = "expired",
	[DROP_BAD_RECORD] = "bad_record",
	[DROP_REPLACED] = "replaced",
};

static void look_up(struct counter **ret, size_t n, struct metrics *m, const struct metric_def *def,
	const char *const *labels)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = metrics_counter(m, def, labels[i]);
}

void gateway_metrics_init(struct gateway_metrics *m, struct metrics *registry)
{
	*m = (struct gateway_metrics){
		.connections = metrics_gauge(registry, &CONNECTIONS, NULL),
		.connects = metrics_counter(registry, &CONNECTS, NULL),
		.refused = metrics_counter(registry, &REFUSED, NULL),
		.acks = metrics_counter(registry, &ACKS, NULL),
		.ack_seconds = metrics_histogram(registry, &ACK_SECONDS, NULL),
		.push_seconds = metrics_histogram(registry, &PUSH_SECONDS, NULL),
		.slot_taken = metrics_counter(registry, &SLOT_TAKEN, NULL),
		.slot_lost = metrics_counter(registry, &SLOT_LOST, NULL),
		.slot = metrics_gauge(registry, &SLOT, NULL),
		.outbox_bytes = metrics_gauge(registry, &OUTBOX, NULL),
		.events_forgotten = metrics_counter(registry, &EVENTS_FORGOTTEN, NULL),
		.offers_forgotten = metrics_counter(registry, &OFFERS_FORGOTTEN, NULL),
		.registry = registry,
	};
	look_up(m->events, EVENT_RESULTS, registry, &EVENTS, event_results);
	look_up(m->pushes, PUSH_TYPES, registry, &PUSHES, push_types);
	look_up(m->drops, DROP_REASONS, registry, &DROPS, drop_reasons);
	m->slot->value = -1;
}

/* Clients choose what they close with: anything outside the contract's codes is one series. */
void gateway_metrics_closed(struct gateway_metrics *m, int code)
{
	static const int known[] = { 1000, 1001, 1002, 1003, 1005, 1006, 1007, 1009, 1011, 4000,
		4001, 4003, 4004, 4008, 4029, 4100, 4101, 4108, 4112, 4201, 4210 };
	char text[8] = "other";

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i] == code)
			snprintf(text, sizeof(text), "%d", code);
	counter_add(metrics_counter(m->registry, &CLOSES, text), 1);
}

void gateway_metrics_error(struct gateway_metrics *m, const char *code)
{
	counter_add(metrics_counter(m->registry, &ERRORS, code), 1);
}
