#pragma once

/*
 * The feeds as Redis has them: feed:{side} says how many shards a side has, feed:{side}:<shard> is
 * each one's. Read and not taken from the writers' metrics, so that an age goes on growing when its
 * writer is gone, as it does for pricing.
 */
#include "common/base/cleanup.h"
#include "common/io/cache.h"
#include "common/io/loop.h"
#include "souk/demo/storefront/ops_store.h"

struct ops_feeds;

/* Borrows all; @market_shards are the collections (their number of shards is in no row). */
MUST_CHECK int ops_feeds_new(struct ops_feeds **ret, struct loop *loop, struct cache *cache,
	struct ops_store *store, const char *const *market_shards, size_t n_market_shards);
/* Before the cache, and only when that is freed before the loop turns again: answers may be due. */
struct ops_feeds *ops_feeds_free(struct ops_feeds *f);
DEFINE_CLEANUP(struct ops_feeds *, ops_feeds_free)

/* Asks Redis, unless it still owes the last answer; gives the store what comes. */
void ops_feeds_ask(struct ops_feeds *f);
