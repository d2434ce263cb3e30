#pragma once

/*
 * One partition of one table: opens its feed, reads the log from the beginning, applies it, and
 *says in the feed how far it is.
 *
 *	OPENING --side_open, feed_open--> READING --refused beat, or the feed is not ours any
 *more--> OPENING READING --Redis or Kafka does not take a record--> STALLED --back--> READING, from
 *the last applied offset
 *
 * Why from the beginning and not from the group's committed offset: the offset says what was read
 *once, not what Redis has. A flush, a lost write or a new gen leaves rows missing that lie before
 *it, and nobody would ever load them. The topics are compacted, so the beginning is as long as the
 *table; rows that are there already are refused by their version.
 *
 * When Redis comes back it may be an older Redis (a failover, a restart from a snapshot). The feed
 *tells: if it is still ours and holds our last beat that was acknowledged, everything applied by
 *then is there, and reading goes on from there. Otherwise all is loaded again.
 */
#include "common/io/backoff.h"
#include "connectors/tables/item.h"

#define SHARD_BUCKETS 256
#define SHARD_RUN_MAX 96
#define SHARD_KEY_MAX 64

enum shard_state { SHARD_OPENING, SHARD_READING, SHARD_STALLED };

struct table_shard {
	TAILQ_ENTRY(table_shard) link;
	struct loader *loader;
	const struct table *table;
	int32_t partition;
	enum shard_state state;
	struct item *ask;  /* an answer of side_open, feed_open or the feed's row is under way */
	struct item *beat; /* a beat is under way */
	struct backoff backoff;
	int64_t retry_us; /* not before */
	bool must_check;  /* Redis was away: look at the feed before going on */

	char feed_key[SHARD_KEY_MAX];
	char run[SHARD_RUN_MAX];
	uint64_t gen;
	bool was_complete; /* our predecessor's work is there: its feed stands until we have caught
			      up */

	struct items items;
	size_t n_items;
	LIST_HEAD(, item) bucket[SHARD_BUCKETS];
	bool is_held;

	int64_t applied;    /* everything below is in Redis; -1: nothing known */
	int64_t applied_ts; /* record time of the newest applied */
	int64_t lettered;   /* bad records below it are in the dead letters already */
	int64_t target;     /* end of the log when reading began, -1 = not known yet */
	int64_t end;        /* where reading last caught up */
	bool is_at_end;
	bool is_loaded;
	int64_t caught_up_ms; /* wall, 0 = never */
	int64_t started_us;
	uint64_t n_rows;

	int64_t beat_applied; /* of the last beat that was acknowledged; -1: none in this load */
	int64_t beat_alive_ms;
	int64_t sent_applied; /* of the beat under way */
	int64_t sent_alive_ms;
	bool sent_complete;
	bool is_announced; /* complete=1 is in the feed */
};
TAILQ_HEAD(shards, table_shard);

/* @committed: what the group has of this partition, or BUS_NO_OFFSET. NULL when out of memory. */
struct table_shard *table_shard_new(
	struct loader *loader, const struct table *table, int32_t partition, int64_t committed);
struct table_shard *table_shard_free(struct table_shard *s);

/* Does what can be done now: called at the start, when Redis is back, and every now and then. */
void table_shard_step(struct table_shard *s);
void table_shard_records(struct table_shard *s, const struct bus_record *r, size_t n);
void table_shard_at_end(struct table_shard *s, int64_t next_offset);
void table_shard_heartbeat(struct table_shard *s);
/* Redis was lost, is back, or forgot everything: rows that were acknowledged may be gone. */
void table_shard_distrust(struct table_shard *s);
/* Starts all over, with a new run: the feed is not ours, or the side has a new gen. */
void table_shard_reopen(struct table_shard *s, const char *why);

bool table_shard_is_loaded(const struct table_shard *s);
int64_t table_shard_lag_ms(const struct table_shard *s);

/* ---- for apply.c ---- */

/* Reading stops; what is under way is forgotten and comes again from the log. */
void table_shard_stall(struct table_shard *s, bool must_check, const char *why, int err);
/* An item is done: moves `applied` over everything done at the front. */
void table_shard_progress(struct table_shard *s);
/* Gives the record to Redis or to the dead letters; false if the shard stalled. */
bool apply_record(struct table_shard *s, const struct bus_record *r);
