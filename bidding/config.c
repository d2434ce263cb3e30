#include "bidding/config.h"

#include <stddef.h>

#define AT(member) offsetof(struct bidding_config, member)
#define DAY_MS     86400000
#define MANY       10000000

const struct config_row bidding_config_rows[] = {
	{ .key = "opensea.stream_url",
		.type = CONFIG_STR,
		.def = "wss://stream-api.opensea.io/socket/websocket",
		.offset = AT(stream_url),
		.help = "OpenSea's stream; the key and vsn=2.0.0 are added." },
	{ .key = "opensea.rest_url",
		.type = CONFIG_STR,
		.def = "https://api.opensea.io",
		.offset = AT(rest_url),
		.help = "Accepted and not used yet: gaps are flagged, not repaired over REST." },
	{ .key = "opensea.api_key_file",
		.type = CONFIG_STR,
		.offset = AT(api_key_file),
		.help = "File with the API key; read again after a refusal. Needed once there are "
			"collections." },
	{ .key = "opensea.collections",
		.type = CONFIG_LIST,
		.offset = AT(collections),
		.help = "What to follow: items { slug, chain (CAIP-2, eip155:1), standard (erc721 "
			"| "
			"erc1155), contract, fee_bps, currency }." },
	{ .key = "heartbeat_ms",
		.type = CONFIG_INT,
		.def = "5000",
		.offset = AT(heartbeat_ms),
		.min = 100,
		.max = DAY_MS,
		.help = "How often the feed rows beat. A stream that was silent as long is asked "
			"for a "
			"sign of life, so that a quiet collection stays fresh." },
	{ .key = "stream_heartbeat_ms",
		.type = CONFIG_INT,
		.def = "30000",
		.offset = AT(stream_heartbeat_ms),
		.min = 100,
		.max = DAY_MS,
		.help = "Longest time between two heartbeats of the stream; one that is unanswered "
			"as "
			"long ends the connection." },
	{ .key = "join_timeout_ms",
		.type = CONFIG_INT,
		.def = "10000",
		.offset = AT(join_timeout_ms),
		.min = 100,
		.max = DAY_MS,
		.help = "How long a join may be unanswered." },
	{ .key = "stall_ms",
		.type = CONFIG_INT,
		.def = "0",
		.offset = AT(stall_ms),
		.min = 0,
		.max = DAY_MS,
		.help = "A joined collection without an event as long is joined again, with a gap. "
			"0 = "
			"never; set it only where events are known to be frequent." },
	{ .key = "publish_ms",
		.type = CONFIG_INT,
		.def = "50",
		.offset = AT(publish_ms),
		.min = 0,
		.max = 10000,
		.help = "Changes of an item within this time become one row." },
	{ .key = "max_orders",
		.type = CONFIG_INT,
		.def = "200000",
		.offset = AT(max_orders),
		.min = 16,
		.max = MANY,
		.help = "Open orders of one collection; beyond, new ones are refused and "
			"counted." },
	{ .key = "max_items",
		.type = CONFIG_INT,
		.def = "100000",
		.offset = AT(max_items),
		.min = 16,
		.max = MANY,
		.help = "Items of one collection with a row; beyond, new ones are refused and "
			"counted." },
	{ .key = "max_ended",
		.type = CONFIG_INT,
		.def = "100000",
		.offset = AT(max_ended),
		.min = 16,
		.max = MANY,
		.help = "Orders of one collection known only by their end, remembered so that one "
			"that "
			"comes late stays dead; the oldest go first." },
	{ .key = "events_in_flight",
		.type = CONFIG_INT,
		.def = "10000",
		.offset = AT(events_in_flight),
		.min = 16,
		.max = MANY,
		.help = "Events of one collection that Kafka has not acknowledged; new orders are "
			"refused "
			"at three quarters of it." },
	{ .key = "rows_in_flight",
		.type = CONFIG_INT,
		.def = "1000",
		.offset = AT(rows_in_flight),
		.min = 1,
		.max = 30000,
		.help = "Rows of one collection that are on their way to Kafka or to Redis; "
			"beyond, "
			"changes wait and are merged." },
	{ .key = "drain_timeout_ms",
		.type = CONFIG_INT,
		.def = "10000",
		.offset = AT(drain_timeout_ms),
		.min = 0,
		.max = DAY_MS,
		.help = "How long a stopping process waits for Kafka and Redis." },
};
const size_t bidding_config_n_rows = sizeof(bidding_config_rows) / sizeof(bidding_config_rows[0]);
