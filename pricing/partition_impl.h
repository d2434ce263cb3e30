#pragma once

/*
 * Inside a partition: partition.c owns it, partition_restore.c reads what was shown before,
 * partition_decide.c answers its events, partition_revise.c prices its live offers again,
 * partition_send.c gets the answers out and the offsets committed.
 */
#include "common/io/owner.h"
#include "pricing/partition.h"
#include "pricing/partition_restore.h"
#include "pricing/recent.h"
#include "pricing/reviser.h"

#define FULL_RETRY_MS    10   /* the bus or the cache has no room */
#define FAILED_RETRY_MS  100  /* a delivery failed, the partition was lost */
#define REFUSED_RETRY_MS 1000 /* an unknown topic, no quote key */
#define OWNER_TEXT_MAX   128

enum partition_state { PARTITION_CLAIMING, PARTITION_RESTORING, PARTITION_RUNNING, PARTITION_LOST };

struct partition {
	TAILQ_ENTRY(partition) link;    /* of all of the process */
	TAILQ_ENTRY(partition) in_line; /* of the reviser's */
	bool is_linked, is_in_line;
	struct partition_env *env;
	int32_t number;
	enum partition_state state;
	struct owner *owner;
	char owner_text[OWNER_TEXT_MAX + 1]; /* of the owner record looked at last */
	int64_t epoch;
	int64_t next; /* first offset without acknowledged results, or BUS_NO_OFFSET */
	int64_t committed;
	int64_t since; /* the predecessor's metadata, -1 = none; once ours, @recent knows */
	bool was_owned;
	struct partition_restore restore;
	struct recent *recent;
	uint64_t evicted; /* of @recent, as counted so far */

	struct event_list events;
	int64_t n_events, n_revisions; /* in the list */
	struct event *unsent;  /* first with a message that the bus has not got, NULL: none */
	struct event *waiting; /* first without a decision, NULL: none */
	struct join_batch *batch;
	struct event *batch_end; /* last event of the batch */
	int64_t asked_us;

	bool is_held, is_blocked, is_draining;
	struct loop_timer *retry, *commit, *reclaim;
	bool is_commit_due;

	struct live *live;
	struct loop_timer *wake; /* an offer has cooled, is to be tried again, or has run out */
	int64_t wake_us;         /* when, -1: not at all */
};

/* ---- partition.c ---- */

/* RESTORING is over: events begin. */
void partition_restored(struct partition *p);

/* ---- partition_send.c ---- */

/* Reading goes on or is held, as events in flight, blocks and drains have it. */
void partition_update_hold(struct partition *p);
/* Nothing is sent or asked until @retry_ms have passed. */
void partition_block(struct partition *p, int64_t retry_ms);
void partition_retry(void *ctx);
/* Takes @e, a revision that is decided: before the events that are not. */
void partition_insert(struct partition *p, struct event *e);
/* Takes @e. */
void partition_append(struct partition *p, struct event *e);
/* Gives it back: it is in no list any more. */
void partition_take_out(struct partition *p, struct event *e);
struct event *partition_next_waiting(struct event *e);
/* Sends what is decided, in order, as far as the bus takes it. */
void partition_pump(struct partition *p);
/* What was answered under a former epoch and is not in the log yet would be void there: it is
 * answered again, as soon as no report of it is due. */
void partition_redo(struct partition *p);
/* Frees the finished events at the head and arranges their commit. */
void partition_advance(struct partition *p);
void partition_commit(void *ctx);

/* ---- partition_decide.c ---- */

/* env->inputs of what @interest finds now; rows from @batch, NULL: unknown for @doubt. */
void partition_fill(struct partition *p, const struct interest *interest, struct join_batch *batch,
	size_t row, enum row_doubt doubt, int64_t now_ms);
/* What recent.h forgot before its time. */
void partition_count_evicted(struct partition *p);
/* env->result. */
void partition_count(struct partition *p);

/* Asks for the rows of the first waiting events, or decides those that need none. */
void partition_join_next(struct partition *p);

/* ---- partition_revise.c ---- */

/* Whether a live offer may be priced again now. */
bool partition_may_revise(const struct partition *p);
/* Of an offer that was taken (live_take): true if it needs no look-up, and is settled. */
bool partition_revise_unasked(struct partition *p, struct live_offer *o);
/* The same with the rows of event @row of @batch; settles it. */
void partition_revise(
	struct partition *p, struct live_offer *o, struct join_batch *batch, size_t row);
/* An event's offer is in env->result: follow it. @is_old: a row changed meanwhile. */
void partition_follow(struct partition *p, struct event *e, const struct id *id, bool is_old);
/* The answer of @e is acknowledged. */
void partition_delivered(struct partition *p, struct event *e);
/* After anything that may have made offers ready, or wait. */
void partition_kick(struct partition *p);
void partition_wake(void *ctx);
