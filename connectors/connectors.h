#pragma once

/*
 * The connectors role: table topics into Redis (connectors/README.md).
 *
 * A member of one consumer group over the table topics. Each partition it is given is a shard that
 * it reads from the beginning and keeps applied, row by row, until the partition goes elsewhere
 * (tables/table_shard.h). On the loop thread only.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/config.h"
#include "common/base/metrics.h"
#include "common/io/bus.h"
#include "common/io/cache.h"
#include "common/io/loop.h"

/* Section `connectors`. */
struct connectors_config {
	struct config_list tables; /* names of tables/table.h */
	char *group;
	int64_t heartbeat_ms;
	int64_t tombstone_ms;
	int64_t in_flight_max; /* records a partition that are not applied yet, before it is held */
};
extern const struct config_row connectors_config_rows[];
extern const size_t connectors_config_n_rows;

struct connectors_env {
	struct loop *loop;
	struct bus *bus;
	struct cache *cache; /* tracked by us: nobody else may have called cache_track() */
	struct metrics *metrics;
	const char *instance; /* random per process */
};

struct connectors;

/*
 * Borrows @env's members and @config until freed. 0, -EINVAL (`tables` names an unknown or repeated
 * one), -ENOMEM, or the bus's error, with @f.
 */
MUST_CHECK int connectors_new(struct connectors **ret, const struct connectors_env *env,
	const struct connectors_config *config, struct fault *f);
/* Leaves the group. Answers still in flight have nobody to go to then: free the bus and the cache
 * before the loop runs again. */
struct connectors *connectors_free(struct connectors *c);
DEFINE_CLEANUP(struct connectors *, connectors_free)

/* Whether Kafka and Redis answer and every partition we were given is loaded; appends to @why (may
 * be NULL) what is missing. */
bool connectors_ready(const struct connectors *c, struct buf *why);
