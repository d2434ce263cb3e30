#pragma once

/*
 * bidding: the market. OpenSea's stream in; market.events.v1, market.bestbid.v1 and the rows of the
 * market side out. It prices nothing and bids for nobody.
 *
 * Order of life: bidding_new, the loop, bidding_drain until done, bidding_free; then the bus and
 * the cache are freed before the loop runs again.
 */
#include <stdbool.h>

#include "bidding/config.h"
#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/io/bus.h"
#include "common/io/cache.h"
#include "common/io/loop.h"
#include "common/io/ws_client.h"

struct bidding;

struct bidding_env {
	struct loop *loop;
	struct bus *bus;
	struct cache *cache;
	struct metrics *metrics;
	const char *instance; /* random per process */
	struct ws_client_factory ws;
};

/* Borrows what is in @env and @config until it is freed; reads the key file now. 0, -ENOMEM, -EIO,
 * or -EINVAL / -ENOENT / -EACCES with @f. */
MUST_CHECK int bidding_new(struct bidding **ret, const struct bidding_env *env,
	const struct bidding_config *config, struct fault *f);
struct bidding *bidding_free(struct bidding *b);
DEFINE_CLEANUP(struct bidding *, bidding_free)

/* Whether every collection is owned, read back, in Redis and joined. If not, one line per cause is
 * appended to @why. */
bool bidding_ready(struct bidding *b, struct buf *why);

/* Leaves the stream, waits until Kafka and Redis have answered for what is in flight, at most
 * drain_timeout_ms, and calls @done from the loop. Once. */
void bidding_drain(struct bidding *b, void (*done)(void *ctx), void *ctx);
