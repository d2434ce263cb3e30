#pragma once

/*
 * One partition of orders.v1 that the group gave us: claimed by an owner record on the same
 * partition of payments.requests.v1, restored from the logs, then read, decided and told in order
 * of offsets. docs/adr/0008.
 *
 *	CLAIMING -> RESTORING on acquired() -> RUNNING
 *	any -> LOST when someone else spoke, or when it is not certain what is in the log:
 *everything in memory is dropped, and after a pause the partition is claimed and restored anew
 */
#include <stdbool.h>
#include <sys/queue.h>

#include "common/base/arena.h"
#include "common/io/bus.h"
#include "common/io/cache.h"
#include "common/io/loop.h"
#include "common/model/ledger.h"
#include "common/model/pause.h"
#include "common/model/quote.h"
#include "wallet-bridge/bridge_metrics.h"
#include "wallet-bridge/judge.h"

struct bridge_shard;
struct message;
struct view_ask;
TAILQ_HEAD(message_list, message);
TAILQ_HEAD(view_asks, view_ask);

/* What all partitions of a process share. */
struct bridge_env {
	struct loop *loop;
	struct bus *bus;
	struct cache *cache;
	struct bus_group *group;
	struct bus_reader *reader; /* of all partitions' logs and tables */
	struct ledger_feed *ledger;
	const char *instance;
	struct quote_keys *keys;
	struct pauses *pauses;
	struct bridge_metrics metrics;
	struct judge_rules rules;
	size_t items_max, orders_max, in_flight_max;
	int64_t view_ttl_ms;
	int32_t n_partitions;
	struct arena *scratch;       /* of one record */
	struct message_list orphans; /* dropped messages whose reports are still to come */
	struct view_asks asks;       /* cache commands under way */
	uint64_t n_runs;             /* of this process: run ids are <instance>.<n> */
};

/* @committed and @metadata as the group gave them. 0, -ENOMEM, -EIO. Claims at once. */
MUST_CHECK int bridge_shard_new(struct bridge_shard **ret, struct bridge_env *env, int32_t number,
	int64_t committed, struct str metadata);
/* The group takes it back: commits what is told while that is still possible. */
void bridge_shard_revoked(struct bridge_shard *s);
/* Drops what is in flight. */
struct bridge_shard *bridge_shard_free(struct bridge_shard *s);

/* Records of orders.v1, and that its end was reached. */
void bridge_shard_orders(struct bridge_shard *s, const struct bus_record *r, size_t n);
void bridge_shard_orders_end(struct bridge_shard *s, int64_t next_offset);
/* Records of the other topics of this partition number, read by env->reader. */
void bridge_shard_records(struct bridge_shard *s, const struct bus_record *r, size_t n);
void bridge_shard_at_end(struct bridge_shard *s, const char *topic);

/* An owner record of the ledger for this partition, or an outcome; in order of offsets, but
 * perhaps again from an earlier one. */
void bridge_shard_executor(struct bridge_shard *s, int32_t partition, int64_t epoch);
void bridge_shard_outcome(
	struct bridge_shard *s, int32_t partition, int64_t offset, const struct outcome_record *o);
/* Every record of that ledger partition below @next_offset was given. */
void bridge_shard_ledger_passed(struct bridge_shard *s, int32_t partition, int64_t next_offset);

/* Every 100 ms: commits, snapshots, views. */
void bridge_shard_tick(struct bridge_shard *s);
void bridge_shard_heartbeat(struct bridge_shard *s);

bool bridge_shard_is_running(const struct bridge_shard *s);
/* What it waits for, in one word: for readiness. */
const char *bridge_shard_why(const struct bridge_shard *s);
/* Whether its views in Redis are complete. */
bool bridge_shard_is_shown(const struct bridge_shard *s);
/* Takes no more orders and outcomes; what it has is told. */
void bridge_shard_drain(struct bridge_shard *s);
/* Nothing in flight, and everything told is given to the commit. */
bool bridge_shard_is_idle(const struct bridge_shard *s);
/* Adds its numbers to the gauges. */
void bridge_shard_count(const struct bridge_shard *s);

/* The process ends: forgets the commands and messages under way. No answer may come afterwards. */
void bridge_asks_free(struct bridge_env *env);
void bridge_orphans_free(struct bridge_env *env);
