#pragma once

/*
 * The feeds of the market side, one a collection, told on from the `feed` records that the other
 * region's bidding writes on market.bestbid.v1 with its rows.
 *
 * A collection's rows lie in all partitions of the topic, and several processes may share them. So
 * each partition has a feed of its own, feed:{market}:~<partition> (no slug has a '~'), and a
 * collection's feed, written by whoever has its `feed` records, is complete when all of those are,
 * and as old as the oldest: alive_at = the lowest of the record's own and each partition's alive_at
 * - lag_ms.
 */
#include "connectors/tables/loader.h"

#define MARKET_FEEDS_MAX 4096 /* collections; further ones are left stale, and counted */

struct market_feeds;

MUST_CHECK int market_feeds_new(
	struct market_feeds **ret, struct loader *loader, struct metrics *m);
struct market_feeds *market_feeds_free(struct market_feeds *f);

/* A feed record came on @partition. Copies. */
void market_feeds_note(struct market_feeds *f, int32_t partition, const struct feed_record *r);
/* The partition is not ours any more, or is read anew. */
void market_feeds_forget(struct market_feeds *f, int32_t partition);
void market_feeds_heartbeat(struct market_feeds *f);
