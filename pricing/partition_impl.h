#pragma once

/*
 * Inside a partition: partition.c owns it, partition_decide.c answers its events, partition_send.c
 * gets the answers out and the offsets committed.
 */
#include "common/io/owner.h"
#include "pricing/partition.h"
#include "pricing/recent.h"

#define FULL_RETRY_MS    10   /* the bus or the cache has no room */
#define FAILED_RETRY_MS  100  /* a delivery failed, the partition was lost */
#define REFUSED_RETRY_MS 1000 /* an unknown topic, no quote key */
#define OWNER_TEXT_MAX   128

enum partition_state { PARTITION_CLAIMING, PARTITION_RUNNING, PARTITION_LOST };

struct partition {
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
	struct recent *recent;
	uint64_t evicted; /* of @recent, as counted so far */

	struct event_list events;
	int64_t n_events;
	struct event *unsent;  /* first with a message that the bus has not got, NULL: none */
	struct event *waiting; /* first without a decision, NULL: none */
	struct join_batch *batch;
	struct event *batch_end; /* last event of the batch */
	int64_t asked_us;

	bool is_held, is_blocked, is_draining;
	struct loop_timer *retry, *commit, *reclaim;
	bool is_commit_due;
};

/* ---- partition_send.c ---- */

/* Reading goes on or is held, as events in flight, blocks and drains have it. */
void partition_update_hold(struct partition *p);
/* Nothing is sent or asked until @retry_ms have passed. */
void partition_block(struct partition *p, int64_t retry_ms);
void partition_retry(void *ctx);
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

/* Asks for the rows of the first waiting events, or decides those that need none. */
void partition_join_next(struct partition *p);
