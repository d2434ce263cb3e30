#include "wallet-bridge/bridge_metrics.h"

#include <assert.h>

#include "common/model/order.h"
#include "wallet-bridge/judge.h"

static const struct metric_def ORDERS = { "souk_wallet_orders_total", METRIC_COUNTER,
	"Order records read, by what became of them.", "result" };
static const struct metric_def RESULTS = { "souk_wallet_results_total", METRIC_COUNTER,
	"Results told, by state.", "state" };
static const struct metric_def REFUSALS = { "souk_wallet_refusals_total", METRIC_COUNTER,
	"Orders refused, by reason.", "reason" };
static const struct metric_def OUTCOMES = { "souk_wallet_outcomes_total", METRIC_COUNTER,
	"Outcomes of the ledger, by what they changed.", "effect" };
static const struct metric_def RECORDS = { "souk_wallet_records_total", METRIC_COUNTER,
	"Other records written.", "type" };
static const struct metric_def HELD = { "souk_wallet_holds_total", METRIC_COUNTER,
	"Times that reading of a partition was held back.", NULL };
static const struct metric_def RESENT = { "souk_wallet_resent_total", METRIC_COUNTER,
	"Messages sent again after a failed delivery.", NULL };
static const struct metric_def FORGOTTEN = { "souk_wallet_orders_forgotten_total", METRIC_COUNTER,
	"Finished orders that made room for others.", NULL };
static const struct metric_def NO_ROOM = { "souk_wallet_items_refused_total", METRIC_COUNTER,
	"Rows of items beyond wallet.items_max.", NULL };
static const struct metric_def UNREADABLE = { "souk_wallet_unreadable_total", METRIC_COUNTER,
	"Records of tables and logs that are not what should be there.", NULL };
static const struct metric_def FAILED = { "souk_wallet_failures_total", METRIC_COUNTER,
	"Times that a partition was restored anew because what is in its log was not certain.",
	NULL };
static const struct metric_def OWNER = { "souk_wallet_owner_changes_total", METRIC_COUNTER,
	"Partitions that became ours or were taken from us.", "change" };
static const struct metric_def VIEWS = { "souk_wallet_views_total", METRIC_COUNTER,
	"Views written to Redis.", "result" };
static const struct metric_def REOPENED = { "souk_wallet_feeds_reopened_total", METRIC_COUNTER,
	"Stock feeds that were gone or not ours, after which all views were written again.", NULL };
static const struct metric_def OPEN = { "souk_wallet_orders_open", METRIC_GAUGE,
	"Orders that are not over.", NULL };
static const struct metric_def KNOWN = { "souk_wallet_orders_known", METRIC_GAUGE,
	"Orders remembered.", NULL };
static const struct metric_def ITEMS = { "souk_wallet_items", METRIC_GAUGE, "Items known.", NULL };
static const struct metric_def IN_FLIGHT = { "souk_wallet_orders_in_flight", METRIC_GAUGE,
	"Order records read whose results are not acknowledged.", NULL };
static const struct metric_def DIRTY = { "souk_wallet_views_dirty", METRIC_GAUGE,
	"Views that Redis does not have yet.", NULL };
static const struct metric_def TOLD = { "souk_wallet_told_seconds", METRIC_HISTOGRAM_SECONDS,
	"From reading an order to its acknowledged result.", NULL };
static const struct metric_def RESTORE = { "souk_wallet_restore_seconds", METRIC_HISTOGRAM_SECONDS,
	"From owning a partition to reading its orders.", NULL };

static void init_outcomes(struct bridge_metrics *b, struct metrics *m)
{
	b->entered = metrics_counter(m, &OUTCOMES, "entered");
	b->same = metrics_counter(m, &OUTCOMES, "same");
	b->never = metrics_counter(m, &OUTCOMES, "never");
	b->void_ = metrics_counter(m, &OUTCOMES, "void");
	b->unknown = metrics_counter(m, &OUTCOMES, "unknown");
	b->dropped = metrics_counter(m, &OUTCOMES, "postponed");
}

void bridge_metrics_init(struct bridge_metrics *b, struct metrics *m)
{
	*b = (struct bridge_metrics){
		.accepted = metrics_counter(m, &ORDERS, "accepted"),
		.refused = metrics_counter(m, &ORDERS, "refused"),
		.repeats = metrics_counter(m, &ORDERS, "repeat"),
		.conflicts = metrics_counter(m, &ORDERS, "conflict"),
		.dead_letters = metrics_counter(m, &ORDERS, "dead_letter"),
		.supplies = metrics_counter(m, &RECORDS, "supply"),
		.releases = metrics_counter(m, &RECORDS, "release"),
		.snapshots = metrics_counter(m, &RECORDS, "snapshot"),
		.held = metrics_counter(m, &HELD, NULL),
		.resent = metrics_counter(m, &RESENT, NULL),
		.forgotten = metrics_counter(m, &FORGOTTEN, NULL),
		.no_room = metrics_counter(m, &NO_ROOM, NULL),
		.unreadable = metrics_counter(m, &UNREADABLE, NULL),
		.failed = metrics_counter(m, &FAILED, NULL),
		.acquired = metrics_counter(m, &OWNER, "acquired"),
		.lost = metrics_counter(m, &OWNER, "lost"),
		.views = metrics_counter(m, &VIEWS, "written"),
		.views_stale = metrics_counter(m, &VIEWS, "stale"),
		.views_failed = metrics_counter(m, &VIEWS, "failed"),
		.feeds_reopened = metrics_counter(m, &REOPENED, NULL),
		.open = metrics_gauge(m, &OPEN, NULL),
		.known = metrics_gauge(m, &KNOWN, NULL),
		.items = metrics_gauge(m, &ITEMS, NULL),
		.in_flight = metrics_gauge(m, &IN_FLIGHT, NULL),
		.views_dirty = metrics_gauge(m, &DIRTY, NULL),
		.told = metrics_histogram(m, &TOLD, NULL),
		.restore = metrics_histogram(m, &RESTORE, NULL),
	};
	init_outcomes(b, m);
	for (size_t i = 0; order_state_names[i]; i++) {
		assert(i < BRIDGE_STATES);
		b->results[i] = metrics_counter(m, &RESULTS, order_state_names[i]);
	}
	for (size_t i = 1; refusal_names[i]; i++) {
		assert(i < BRIDGE_REFUSALS);
		b->refusals[i] = metrics_counter(m, &REFUSALS, refusal_names[i]);
	}
}
