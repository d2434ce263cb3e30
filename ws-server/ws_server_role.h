#pragma once

/*
 * ws-server: the client edge. WebSocket sessions in, nft.interest.v1 and orders.v1 out;
 * nft.offers.v1, payments.results.v1 and market.bestbid.v1 in, pushes out. It never computes a
 * price.
 *
 * Order of life: gateway_new, a ws_server made with gateway_ops() and the gateway as its ctx,
 * gateway_set_server, the loop; gateway_drain until done; then ws_server_free, gateway_free, and
 * the bus and the cache freed before the loop runs again.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/config.h"
#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/io/bus.h"
#include "common/io/cache.h"
#include "common/io/loop.h"
#include "common/io/ws_server.h"

struct gateway;

/* Section `ws`. Milliseconds, bytes and seconds as named. */
struct gateway_config {
	char *listen;
	char *hs256_secret_file;
	char *jwks_url;
	int64_t message_max;
	int64_t commands_in_flight;
	int64_t connections;
	int64_t connections_per_address;
	int64_t outbox_bytes;
	int64_t events_per_s, events_burst;
	int64_t act_as_events_per_s;
	int64_t events_in_flight;
	int64_t events_remembered;
	int64_t offers_remembered;
	int64_t orders_per_s, queries_per_s;
	int64_t orders_remembered;
	int64_t orders_shown;
	int64_t users_remembered;
	int64_t market_items;
	int64_t watches;
	int64_t watch_ms;
	int64_t ping_s;
	int64_t connect_timeout_ms;
	int64_t deadline_ms;
	int64_t offer_ttl_ms;
	int64_t drain_timeout_ms;
	int64_t drain_spread_ms;
};

#define GATEWAY_CONFIG_SECTION "ws"
extern const struct config_row gateway_config_rows[];
extern const size_t gateway_config_n_rows;

struct gateway_env {
	struct loop *loop;
	struct bus *bus;
	struct cache *cache;
	struct metrics *metrics;
	const char *instance;     /* in ce_source; random per process */
	const char *topic_prefix; /* as the bus has it, "" = none: kafka_replyTopic names the topic
				     as consumers see it */
};

/* Borrows what is in @env and @config until it is freed; reads the secret file now. 0, -ENOMEM,
 * -EIO, or -EINVAL / -ENOENT / -EACCES with @f. */
MUST_CHECK int gateway_new(struct gateway **ret, const struct gateway_env *env,
	const struct gateway_config *config, struct fault *f);
/* After its ws_server, before bus and cache. */
struct gateway *gateway_free(struct gateway *g);
DEFINE_CLEANUP(struct gateway *, gateway_free)

/* What a ws_server of this gateway is made with. */
const struct ws_server_ops *gateway_ops(void);
struct ws_server_config gateway_server_config(const struct gateway_config *config);
/* Borrows; needed for drains only (to stop accepting). */
void gateway_set_server(struct gateway *g, struct ws_server *server);

/* Whether interest can be taken now: Kafka answers, a reply slot is held and read, no drain. If
 * not, one line per cause is appended to @why. */
bool gateway_ready(struct gateway *g, struct buf *why);

/* Stops accepting, tells each client when to come back (spread over drain_spread_ms), closes with
 * 4112 once its commands are answered, and calls @done from the loop when the sessions are gone and
 * the bus has reported everything, at the latest after drain_timeout_ms and a second. Once. */
void gateway_drain(struct gateway *g, void (*done)(void *ctx), void *ctx);

/* A token that a gateway with this secret file takes: for `souk token` and the demo. @act_prefix
 * NULL or "": no act-as scope. 0 or a negative errno with @f. */
MUST_CHECK int gateway_token(struct buf *out, const char *secret_file, const char *user,
	const char *act_prefix, int64_t expires_ms, struct fault *f);
