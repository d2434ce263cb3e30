#pragma once

/*
 * The role wallet-bridge: decides orders, keeps the stock, tells the states. See README.md for what
 * it consumes, produces and owns, docs/adr/0008 for why.
 */
#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/io/bus.h"
#include "common/io/cache.h"
#include "common/io/loop.h"
#include "wallet-bridge/config.h"

struct wallet_bridge;

/* All borrowed for the life of the role; @instance is 1..128 visible ASCII, random per process. */
struct wallet_bridge_env {
	struct loop *loop;
	struct bus *bus;
	struct cache *cache;
	struct metrics *metrics;
	const char *instance;
};

/* Output topics whose metadata should be known before the first order
 * (bus_kafka_config.warm_topics); NULL-terminated. */
extern const char *const wallet_bridge_warm_topics[];

/* 0; -EINVAL, -ENOENT, -EACCES with @f (configuration or keys); -ENOMEM, -EIO. */
MUST_CHECK int wallet_bridge_new(struct wallet_bridge **ret, const struct wallet_bridge_env *env,
	const struct wallet_config *config, struct fault *f);

/* Whether orders are decided; if not, appends one line per cause. */
bool wallet_bridge_ready(const struct wallet_bridge *b, struct buf *why);

/* Takes no more orders, tells and commits those it has, leaves the group, then calls @done once
 * (never from inside). */
void wallet_bridge_drain(struct wallet_bridge *b, void (*done)(void *ctx), void *ctx);

/* Drops what is in flight. The bus and the cache must not run callbacks afterwards (free them
 * next). */
struct wallet_bridge *wallet_bridge_free(struct wallet_bridge *b);
DEFINE_CLEANUP(struct wallet_bridge *, wallet_bridge_free)
