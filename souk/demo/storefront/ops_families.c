#include "souk/demo/storefront/ops_families.h"

#include <assert.h>
#include <string.h>

#include "common/base/cleanup.h"

const struct ops_family ops_families[] = {
	{ "events", OPS_RATE, "ws-server", "souk_ws_events_total", "result" },
	{ "pushes", OPS_RATE, "ws-server", "souk_ws_pushes_total", "type" },
	{ "orders", OPS_RATE, "ws-server", "souk_ws_orders_total", "result" },
	{ "connections", OPS_VALUE, "ws-server", "souk_ws_connections", NULL },
	{ "ack", OPS_LATENCY, "ws-server", "souk_ws_ack_seconds", NULL },
	{ "push", OPS_LATENCY, "ws-server", "souk_ws_push_seconds", NULL },
	{ "order_ack", OPS_LATENCY, "ws-server", "souk_ws_order_ack_seconds", NULL },
	{ "decisions", OPS_RATE, "pricing", "souk_pricing_decisions_total", "outcome" },
	{ "reasons", OPS_RATE, "pricing", "souk_pricing_reasons_total", "reason" },
	{ "revisions", OPS_RATE, "pricing", "souk_pricing_revisions_total", "cause" },
	{ "withdrawn", OPS_RATE, "pricing", "souk_pricing_withdrawn_total", "reason" },
	{ "offers_followed", OPS_VALUE, "pricing", "souk_pricing_offers_followed", NULL },
	{ "revision", OPS_LATENCY, "pricing", "souk_pricing_revision_seconds", NULL },
	{ "decision", OPS_LATENCY, "pricing", "souk_pricing_decision_seconds", NULL },
	{ "market_rows", OPS_RATE, "bidding", "souk_bidding_rows_published_total", NULL },
	{ "order_results", OPS_RATE, "wallet-bridge", "souk_wallet_results_total", "state" },
	{ "refusals", OPS_RATE, "wallet-bridge", "souk_wallet_refusals_total", "reason" },
	{ "orders_open", OPS_VALUE, "wallet-bridge", "souk_wallet_orders_open", NULL },
	{ "told", OPS_LATENCY, "wallet-bridge", "souk_wallet_told_seconds", NULL },
	{ "cpu", OPS_RATE, NULL, "process_cpu_seconds_total", NULL },
	{ "memory", OPS_VALUE, NULL, "process_resident_memory_bytes", NULL },
	{ "up", OPS_VALUE, NULL, NULL, NULL },         /* 0 away, 1 not ready, 2 ready */
	{ "feed_age", OPS_VALUE, NULL, NULL, "side" }, /* seconds, the worst shard */
};
const size_t ops_n_families = ARRAY_LEN(ops_families);

const struct ops_family *ops_family(const char *name)
{
	for (size_t i = 0; i < ops_n_families; i++)
		if (strcmp(ops_families[i].name, name) == 0)
			return &ops_families[i];
	assert(!"no such family");
	return NULL;
}
