#pragma once

/*
 * One partition of payments.requests.v1 as the dry-run executor drives it.
 *
 *	CLAIMING   our owner record is on its way to the ledger
 *	SNAPSHOTS  stock.v1 of the partition is read
 *	FOLDING    the requests are folded from their beginning; what the ledger says of them is
 *read RUNNING    every step is reported when it is due, the next one when the ledger has it LOST
 *someone else spoke: everything is dropped, claimed and restored again STUCK      more items than
 *items_max: nothing is driven until the limit is raised
 *
 * Requests are always folded from the beginning: what lies beyond the supply is known only so. What
 * is committed is therefore no place to read on from but says what need not be driven any more: all
 * requests below the offset are done. Its metadata "<ledger partition>:<offset>:<epoch>" says
 * from where on, and under which owner epoch, the ledger speaks of the others.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/metrics.h"
#include "common/io/bus.h"
#include "common/io/loop.h"
#include "wallet-bridge/executor.h"
#include "wallet-bridge/range_reads.h"

#define DRY_RUN_KEY    "dry-run"
#define DRY_RUN_STATES 16

struct dry_run_metrics {
	struct counter *outcomes[DRY_RUN_STATES]; /* by enum order_state */
	struct counter *taken, *beyond, *void_, *released, *unreadable;
	struct counter *acquired, *lost, *failed, *full, *forgotten;
	struct gauge *open;    /* requests that are not done */
	struct histogram *lag; /* from when a step was due until it was given to the bus */
};

/* What all partitions of a process share. */
struct dry_run_env {
	struct loop *loop;
	struct bus *bus;
	struct bus_group *group;
	const char *instance;
	const struct executor_config *config;
	struct range_reads *reads;
	struct arena *scratch; /* of one record */
	struct dry_run_metrics metrics;
};

struct dry_run_shard;

/* As the group gave it. Claims at once. 0, -ENOMEM, -EIO. */
MUST_CHECK int dry_run_shard_new(struct dry_run_shard **ret, struct dry_run_env *env,
	int32_t number, int64_t committed, struct str metadata);
/* Drops what is on its way. */
struct dry_run_shard *dry_run_shard_free(struct dry_run_shard *s);
DEFINE_CLEANUP(struct dry_run_shard *, dry_run_shard_free)

/* The group takes it back, or we leave: commits what is done, while that is still possible. */
void dry_run_shard_commit(struct dry_run_shard *s);
void dry_run_shard_records(struct dry_run_shard *s, const struct bus_record *r, size_t n);
void dry_run_shard_at_end(struct dry_run_shard *s, int64_t next_offset);

/* Begins no step any more. */
void dry_run_shard_drain(struct dry_run_shard *s);
/* No report is due. */
bool dry_run_shard_is_idle(const struct dry_run_shard *s);
/* Appends a line on why it is not driven; nothing if it is. */
void dry_run_shard_why(const struct dry_run_shard *s, struct buf *why);
