#include "common/base/config.h"

#include "ws-server/ws_server_role.h"

#define INT(key_, member_, def_, min_, max_, help_) \
	{ \
		.key = (key_), .type = CONFIG_INT, .def = (def_), \
		.offset = offsetof(struct gateway_config, member_), .min = (min_), .max = (max_), \
		.help = (help_), \
	}
#define TEXT(key_, member_, def_, help_) \
	{ \
		.key = (key_), .type = CONFIG_STR, .def = (def_), \
		.offset = offsetof(struct gateway_config, member_), .help = (help_), \
	}

const struct config_row gateway_config_rows[] = {
	TEXT("auth.hs256_secret_file", hs256_secret_file, NULL,
		"File with the secret (at least 32 bytes) that signs tokens with HS256."),
	TEXT("auth.jwks_url", jwks_url, NULL, "Not supported yet: leave it out."),
	INT("connect_timeout_ms", connect_timeout_ms, "10000", 100, 60000,
		"Time for the connect command before the connection is closed."),
	INT("deadline_ms", deadline_ms, "30000", 100, 600000,
		"How long after its arrival an event may still be priced."),
	INT("drain_spread_ms", drain_spread_ms, "5000", 0, 600000,
		"Clients of a draining gateway are told to come back over this time."),
	INT("drain_timeout_ms", drain_timeout_ms, "10000", 100, 600000,
		"The longest that a drain waits for acknowledgements."),
	INT("limits.act_as_events_per_s", act_as_events_per_s, "2000", 1, 1000000,
		"Events a second of a session that acts for many users; bursts of twice that."),
	INT("limits.commands_in_flight", commands_in_flight, "32", 1, 32,
		"Commands of a session that wait for their answer."),
	INT("limits.connections", connections, "10000", 1, 1000000, "Connections; beyond it 503."),
	INT("limits.connections_per_address", connections_per_address, "1000", 0, 1000000,
		"Connections of one address; beyond it 429. 0: no limit."),
	INT("limits.events_burst", events_burst, "40", 1, 1000000, "Events of a session at once."),
	INT("limits.events_in_flight", events_in_flight, "65536", 1, 10000000,
		"Commands of all sessions that wait for their answer."),
	INT("limits.events_per_s", events_per_s, "20", 1, 1000000, "Events a second of a session."),
	INT("limits.events_remembered", events_remembered, "65536", 16, 10000000,
		"Acknowledged events by which repetitions are known."),
	INT("limits.market_items", market_items, "65536", 16, 10000000,
		"Items whose newest market row is kept, watched or not."),
	INT("limits.message_max", message_max, "16384", 1024, 16384,
		"Bytes of a message from a client; beyond it close 1009."),
	INT("limits.offers_remembered", offers_remembered, "256", 4, 65536,
		"Offers of a session whose newest revision is known; of one that acts for many "
		"users 16 "
		"times as many."),
	INT("limits.orders_per_s", orders_per_s, "5", 1, 1000000,
		"Orders a second of a session; bursts of twice that. Of one that acts for many: as "
		"its events."),
	INT("limits.orders_remembered", orders_remembered, "65536", 16, 10000000,
		"Acknowledged orders by which repetitions and conflicts are known."),
	INT("limits.orders_shown", orders_shown, "256", 4, 65536,
		"Orders of a session whose newest state is known; of one that acts for many users "
		"16 times as many."),
	INT("limits.outbox_bytes", outbox_bytes, "262144", 4096, 67108864,
		"Bytes that wait for a slow client; beyond it close 4108."),
	INT("limits.queries_per_s", queries_per_s, "50", 1, 1000000,
		"Commands order_status, watch and unwatch a second of a session; bursts of twice "
		"that. Of one that acts for many: as its events."),
	INT("limits.users_remembered", users_remembered, "16384", 1, 1000000,
		"Users that a session acts for and is pushed the results of."),
	INT("limits.watches", watches, "64", 1, 4096,
		"Items that a session watches at once; one that acts for many users 16 times as "
		"many."),
	TEXT("listen", listen, "0.0.0.0:8080", "Address and port; port 0 = any."),
	INT("offer_ttl_ms", offer_ttl_ms, "30000", 1000, 600000,
		"How long an offer lives at most: as pricing.offer_ttl_ms."),
	INT("ping_s", ping_s, "25", 1, 300,
		"Quiet seconds before a client is pinged; 10 s more and it is closed."),
	INT("watch_ms", watch_ms, "250", 10, 60000,
		"A watched item is pushed at most once in this time."),
};

const size_t gateway_config_n_rows = sizeof(gateway_config_rows) / sizeof(gateway_config_rows[0]);
