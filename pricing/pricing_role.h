#pragma once

/*
 * The role pricing: from interest to offer.
 *
 * The instance joins the group on nft.interest.v1 once a ruleset is in force, claims each partition
 * it is given, and answers every event with a decision and an offer record. See README.md for what
 * it consumes, produces and owns.
 */
#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/io/bus.h"
#include "common/io/cache.h"
#include "common/io/loop.h"
#include "pricing/config.h"

struct pricing;

/* All borrowed for the life of the role; @instance is 1..128 visible ASCII, random per process. */
struct pricing_env {
	struct loop *loop;
	struct bus *bus;
	struct cache *cache; /* tracked by us: nobody else may have called cache_track() */
	struct metrics *metrics;
	const char *instance;
};

/* Output topics whose metadata should be known before the first event
 * (bus_kafka_config.warm_topics); NULL-terminated. */
extern const char *const pricing_warm_topics[];

/* 0; -EINVAL, -ENOENT, -EACCES with @f (configuration, ruleset or keys); -ENOMEM, -EIO. */
MUST_CHECK int pricing_new(struct pricing **ret, const struct pricing_env *env,
	const struct pricing_config *config, struct fault *f);

/* Whether events can be priced; if not, appends one line per cause, and if so what is to be known
 * all the same: a ruleset that was refused. */
bool pricing_ready(const struct pricing *p, struct buf *why);

/* Takes no more events, finishes and commits those it has, leaves the group, then calls @done once
 * (never from inside). */
void pricing_drain(struct pricing *p, void (*done)(void *ctx), void *ctx);

/* Drops what is in flight. The bus and the cache must not run callbacks afterwards (free them
 * next). */
struct pricing *pricing_free(struct pricing *p);
DEFINE_CLEANUP(struct pricing *, pricing_free)
