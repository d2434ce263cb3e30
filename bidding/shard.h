#pragma once

/*
 * One collection, from the stream to its rows: who may speak for it, its book, and where that goes.
 *
 *	claiming -> replaying -> speaking -> (lost) -> claiming …
 *
 * First the owner record, then the log is read up to it: whatever a former owner wrote is below it,
 *and what it writes above is void. Only then is the topic joined and anything said.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bidding/collection.h"
#include "bidding/config.h"
#include "bidding/opensea/stream.h"
#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/metrics.h"
#include "common/io/bus.h"
#include "common/io/cache.h"
#include "common/io/loop.h"

struct shard;

struct shard_env {
	struct loop *loop;
	struct bus *bus;
	struct cache *cache;
	struct metrics *metrics;
	const char *instance; /* random per process */
	const struct bidding_config *config;
	struct opensea_stream *stream;
	int32_t n_shards;
	uint64_t seed;
};

/* Copies @env and @c, borrows what they point to. 0 or -ENOMEM. Starts to claim. */
MUST_CHECK int shard_new(
	struct shard **ret, const struct shard_env *env, const struct collection *c);
/* Before its stream; bus and cache must not run afterwards, other than to be freed. */
struct shard *shard_free(struct shard *s);

/* Every heartbeat_ms: the feed, in Redis and on the topic. */
void shard_beat(struct shard *s);
/* Nothing new is taken; what is known is still written. */
void shard_drain(struct shard *s);
bool shard_is_drained(const struct shard *s);
/* If not, appends a line that says why. */
bool shard_is_ready(const struct shard *s, struct buf *why);
