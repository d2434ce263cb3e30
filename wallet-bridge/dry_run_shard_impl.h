#pragma once

/*
 * Inside a shard: dry_run_shard.c owns it, dry_run_restore.c reads what was before,
 * dry_run_drive.c reports the steps and commits.
 */
#include "common/io/owner.h"
#include "wallet-bridge/drive_table.h"
#include "wallet-bridge/dry_run_shard.h"
#include "wallet-bridge/request_log.h"

#define DRY_RUN_FULL_MS    10   /* until a full bus is tried again */
#define DRY_RUN_FAILED_MS  100  /* a delivery failed, the shard was lost */
#define DRY_RUN_REFUSED_MS 1000 /* no memory, an unknown topic */
#define DRY_RUN_OWNER_MAX  128

enum dry_run_state {
	DRY_RUN_CLAIMING,
	DRY_RUN_SNAPSHOTS,
	DRY_RUN_FOLDING,
	DRY_RUN_RUNNING,
	DRY_RUN_LOST,
	DRY_RUN_STUCK
};

struct dry_run_shard {
	struct dry_run_env *env;
	int32_t number;
	enum dry_run_state state;
	struct owner *owner;
	char owner_text[DRY_RUN_OWNER_MAX + 1]; /* of the owner record looked at last */
	int64_t epoch;

	/* What was committed last, by a predecessor or by us: all requests below are done, and the
	 * ledger speaks of the others from here on. */
	int64_t done_until;
	int32_t ledger_partition;        /* -1: not known */
	struct ledger_place ledger_from; /* offset -1: from the beginning */

	struct request_log *log;
	struct drive_table table;
	int64_t next;      /* offset behind the last request applied */
	bool is_caught_up; /* the end was met: no request from here on has an earlier outcome */
	bool is_full;      /* no room for the request at @next */
	struct range_read read;
	int64_t ledger_until; /* our first owner record */
	int64_t ledger_epoch; /* while reading: the highest met */

	struct ledger_place ledger_end; /* behind what we know of it */
	struct loop_timer *due, *commit, *reclaim;
	int64_t blocked_until_us;
	bool is_commit_due, is_held, is_draining;
	int64_t n_counted; /* in the gauge of open requests */
};

static inline struct str dry_run_key(void)
{
	return STR(DRY_RUN_KEY);
}

/* ---- dry_run_shard.c ---- */

/* Reading of requests goes on, or is held: while full, draining, not ours. */
void dry_run_update_hold(struct dry_run_shard *s);
/* Everything is dropped and, after a pause, claimed and restored again. */
void dry_run_fall_back(struct dry_run_shard *s, int64_t pause_ms);

/* ---- dry_run_restore.c ---- */

/* Everything of before is forgotten, and read again under our epoch. */
void dry_run_restore_begin(struct dry_run_shard *s);
void dry_run_restore_drop(struct dry_run_shard *s);
/* One more record of the requests. False: it found no room. */
bool dry_run_fold(struct dry_run_shard *s, const struct bus_record *r);
/* Room was made, perhaps: reads on if it was. */
void dry_run_unblock(struct dry_run_shard *s);
void dry_run_caught_up(struct dry_run_shard *s, int64_t next_offset);
/* Where our key lies in the ledger. */
int32_t dry_run_ledger_partition(const struct dry_run_shard *s);

/* ---- dry_run_drive.c ---- */

/* The next step of @o is due when it is due. */
void dry_run_schedule(struct dry_run_shard *s, struct drive_order *o);
void dry_run_due(void *ctx);
/* The log or the ledger says that nothing more is to come of it. */
void dry_run_finish(struct dry_run_shard *s, struct drive_order *o);
void dry_run_count_open(struct dry_run_shard *s);
void dry_run_commit_soon(struct dry_run_shard *s);
void dry_run_commit_now(void *ctx);
