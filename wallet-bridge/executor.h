#pragma once

/*
 * Executor: pays for requests, and says on the ledger what it does and sees. The dry-run executor
 * has the place and the interface of the one that speaks to Ethereum.
 *
 * A member of the group `<wallet.group>-executor` on payments.requests.v1; claims each partition by
 * an owner record on payments.ledger.v1 (shard = the partition, key = the signer or "dry-run");
 * folds it (request_log.h); drives each request that counts to its end; appends every step as an
 * `outcome` (common/model/ledger.h). It never writes requests or results, and knows no user.
 *
 * It alone decides whether a payment begins. A request that is not begun within
 * `reservation_ms` of its record's time is reported EXPIRED and never begun.
 */
#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/io/bus.h"
#include "common/io/loop.h"

struct executor;

struct executor_env {
	struct loop *loop;
	struct bus *bus;
	struct metrics *metrics;
	const char *instance;
};

struct executor_config {
	const char *group;      /* consumer group */
	int64_t reservation_ms; /* how long a request may wait to be begun */
	size_t items_max, orders_max;
	int64_t step_ms;   /* mean time between steps (dry run) */
	int64_t fail_bps;  /* of orders that end REVERTED (dry run) */
	int64_t hold_bps;  /* of orders that are HELD for a while (dry run) */
	int64_t never_bps; /* of orders that nobody pays: they run into reservation_ms (dry run) */
};

/* Borrows @env and @config for its life. 0 or -errno with @f. */
MUST_CHECK int executor_dry_run_new(struct executor **ret, const struct executor_env *env,
	const struct executor_config *config, struct fault *f);

struct executor_ops {
	bool (*ready)(const struct executor *e, struct buf *why);
	void (*drain)(struct executor *e, void (*done)(void *ctx), void *ctx);
	void (*free)(struct executor *e);
};
struct executor {
	const struct executor_ops *ops;
};

static inline bool executor_ready(const struct executor *e, struct buf *why)
{
	return e->ops->ready(e, why);
}
/* Takes no more, lets the ledger have what it did, leaves the group, calls @done once (never from
 * inside). */
static inline void executor_drain(struct executor *e, void (*done)(void *ctx), void *ctx)
{
	e->ops->drain(e, done, ctx);
}
static inline struct executor *executor_free(struct executor *e)
{
	if (e)
		e->ops->free(e);
	return NULL;
}
