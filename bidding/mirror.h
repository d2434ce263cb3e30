#pragma once

/*
 * The rows of one collection in Redis, and their feed row.
 *
 * Kafka first: a row is written here when Kafka has it. Whatever goes wrong (Redis away, flushed,
 * out of memory, its generation raised), the answer is the same: open the feed again and write
 * every row again. The feed beats only while every row that Kafka has is also here, so a reader
 * that sees a fresh feed sees its rows; `complete` is set once, after the first of them.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bidding/collection.h"
#include "bidding/rows.h"
#include "common/base/cleanup.h"
#include "common/base/metrics.h"
#include "common/io/cache.h"
#include "common/io/loop.h"

struct mirror;

struct mirror_env {
	struct loop *loop;
	struct cache *cache;
	struct metrics *metrics;
	const struct collection *collection;
	const char *run;  /* random per process */
	int32_t n_shards; /* of the side: collections followed */
	struct rows *rows;
	/* The rows are in: the first moment at which a feed may beat. */
	void (*loaded)(void *ctx);
	void *ctx;
};

/* Copies @env. 0 or -ENOMEM. */
MUST_CHECK int mirror_new(struct mirror **ret, const struct mirror_env *env);
/* Answers may still be on their way: the cache must not run afterwards. */
struct mirror *mirror_free(struct mirror *m);

void mirror_open(struct mirror *m);
void mirror_close(struct mirror *m);
void mirror_row(struct mirror *m, const struct rows_done *row);
/* Nothing while the rows are not in. */
void mirror_beat(struct mirror *m, int64_t alive_at_ms, int64_t lag_ms, bool has_gap);
bool mirror_is_loaded(const struct mirror *m);
bool mirror_is_idle(const struct mirror *m); /* every command was answered */
