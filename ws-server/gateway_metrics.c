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
static const struct metric_def ORDERS = { "souk_ws_orders_total", METRIC_COUNTER,
	"Order commands by how they ended.", "result" };
static const struct metric_def ORDER_ACK_SECONDS = { "souk_ws_order_ack_seconds",
	METRIC_HISTOGRAM_SECONDS, "From an order command to its acknowledgement.", NULL };
static const struct metric_def RESULTS = { "souk_ws_results_total", METRIC_COUNTER,
	"Results of orders by what became of them here.", "result" };
static const struct metric_def ROWS = { "souk_ws_market_rows_total", METRIC_COUNTER,
	"Market rows read by what became of them.", "result" };
static const struct metric_def TICKS = { "souk_ws_ticks_total", METRIC_COUNTER,
	"Changes of watched items, for each watch.", "result" };
static const struct metric_def MARKET_ITEMS = { "souk_ws_market_items", METRIC_GAUGE,
	"Items whose market is kept.", NULL };
static const struct metric_def WATCHES = { "souk_ws_watches", METRIC_GAUGE,
	"Items watched, each once for every session.", NULL };
static const struct metric_def PUSHES = { "souk_ws_pushes_total", METRIC_COUNTER,
	"Pushes handed to sessions.", "type" };
static const struct metric_def DROPS = { "souk_ws_drops_total", METRIC_COUNTER,
	"Offer records and unsent pushes that no client saw.", "reason" };
static const struct metric_def PUSH_SECONDS = { "souk_ws_push_seconds", METRIC_HISTOGRAM_SECONDS,
	"From an interest event's time to the first push that answers it.", NULL };
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
static const struct metric_def ORDERS_FORGOTTEN = { "souk_ws_orders_forgotten_total",
	METRIC_COUNTER, "Orders that left the table of repetitions before their time.", NULL };
static const struct metric_def STATES_FORGOTTEN = { "souk_ws_order_states_forgotten_total",
	METRIC_COUNTER, "Orders that left a session's table of states before their time.", NULL };
static const struct metric_def USERS_FORGOTTEN = { "souk_ws_users_forgotten_total", METRIC_COUNTER,
	"Users that left the table of a session that acts for others.", NULL };
static const struct metric_def ITEMS_FORGOTTEN = { "souk_ws_market_items_forgotten_total",
	METRIC_COUNTER, "Items that left the table of the market to make room.", NULL };
static const struct metric_def CLOSES = { "souk_ws_closes_total", METRIC_COUNTER,
	"Connections closed, by code.", "code" };
static const struct metric_def ERRORS = { "souk_ws_errors_total", METRIC_COUNTER,
	"Errors answered, by code.", "code" };

static const char *const command_results[COMMAND_RESULTS] = {
	[COMMAND_ACKED] = "acked",
	[COMMAND_REPEATED] = "repeated",
	[COMMAND_RATE_LIMITED] = "rate_limited",
	[COMMAND_BAD] = "bad",
	[COMMAND_FORBIDDEN] = "forbidden",
	[COMMAND_UNAVAILABLE] = "unavailable",
	[COMMAND_FAILED] = "failed",
	[COMMAND_CONFLICT] = "conflict",
	[COMMAND_UNSUPPORTED] = "unsupported",
};

static const char *const result_fates[RESULT_FATES] = {
	[RESULT_PUSHED] = "pushed",
	[RESULT_OLD_N] = "old_n",
	[RESULT_NO_SESSION] = "no_session",
	[RESULT_BAD_RECORD] = "bad_record",
};

static const char *const row_fates[ROW_FATES] = {
	[ROW_APPLIED] = "applied",
	[ROW_OLD_VER] = "old_ver",
	[ROW_FULL] = "full",
	[ROW_BAD_RECORD] = "bad_record",
};

static const char *const tick_fates[TICK_FATES] = {
	[TICK_PUSHED] = "pushed",
	[TICK_CONFLATED] = "conflated",
};

static const char *const push_types[PUSH_TYPES] = {
	[PUSH_OFFER] = "offer",
	[PUSH_OFFER_WITHDRAWN] = "offer_withdrawn",
	[PUSH_NO_OFFER] = "no_offer",
	[PUSH_ORDER] = "order",
	[PUSH_MARKET] = "market",
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
		.order_ack_seconds = metrics_histogram(registry, &ORDER_ACK_SECONDS, NULL),
		.market_items = metrics_gauge(registry, &MARKET_ITEMS, NULL),
		.watches = metrics_gauge(registry, &WATCHES, NULL),
		.orders_forgotten = metrics_counter(registry, &ORDERS_FORGOTTEN, NULL),
		.states_forgotten = metrics_counter(registry, &STATES_FORGOTTEN, NULL),
		.users_forgotten = metrics_counter(registry, &USERS_FORGOTTEN, NULL),
		.items_forgotten = metrics_counter(registry, &ITEMS_FORGOTTEN, NULL),
		.registry = registry,
	};
	look_up(m->events, COMMAND_CONFLICT, registry, &EVENTS, command_results);
	look_up(m->orders, COMMAND_RESULTS, registry, &ORDERS, command_results);
	look_up(m->results, RESULT_FATES, registry, &RESULTS, result_fates);
	look_up(m->rows, ROW_FATES, registry, &ROWS, row_fates);
	look_up(m->ticks, TICK_FATES, registry, &TICKS, tick_fates);
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
