#pragma once

/*
 * What the shards of one process share: the seams, the settings, the counters, and the items whose
 * shard has no use for the answer any more.
 */
#include <sys/queue.h>

#include "common/base/arena.h"
#include "common/base/metrics.h"
#include "common/io/bus.h"
#include "common/io/cache.h"
#include "common/io/loop.h"
#include "connectors/tables/table.h"

struct item;
struct market_feeds;
TAILQ_HEAD(items, item);

struct loader {
	struct loop *loop;
	struct bus *bus;
	struct cache *cache;
	struct bus_group *group;
	struct arena *arena; /* for the record in hand */
	const char *instance;
	int64_t tombstone_ms;
	size_t in_flight_max; /* items a shard */
	uint64_t n_runs;      /* of this process: run ids are <instance>.<n> */
	struct market_feeds *feeds;
	struct items orphans; /* their answer frees them */
	struct {
		struct counter *applied, *stale, *bad, *feeds;
		struct counter *loads, *reopened, *held, *dead_letters;
		struct counter *stall_cache, *stall_bus;
	} n;
};
