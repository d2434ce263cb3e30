#pragma once

/* Inside the join: join.c asks, join_rows.c reads the answers. */
#include <sys/queue.h>

#include "pricing/join.h"
#include "pricing/keyed.h"

#define SIDES          5
#define COLLECTION_MAX 128
#define NO_KEY         (-1)

enum side { SIDE_PROFILE, SIDE_LOYALTY, SIDE_INVENTORY, SIDE_MARKET, SIDE_STOCK };

struct collection {
	char slug[COLLECTION_MAX + 1];
};

struct used {
	int64_t used_ms;
	uint64_t gen;
	struct version ver;
	bool is_none; /* a tombstone */
};

struct refs {
	int row[SIDES];
	int shard[SIDES];                    /* NO_KEY: not asked */
	char collection[COLLECTION_MAX + 1]; /* that shard[SIDE_MARKET] is of; "" = none */
};

struct join_batch {
	LIST_ENTRY(join_batch) link;
	struct join *join;
	join_done_fn done; /* NULL: cancelled */
	void *ctx;
	struct join_event *events;
	struct refs *refs;
	size_t n;
	int side[SIDES];
	int64_t shards[SIDES]; /* assumed when the keys were made */
	int round;
	int64_t sent_us;
	struct arena *arena; /* texts of keys */
	struct str *keys;
	int n_keys, keys_max;
	bool *is_old; /* by key: it changed after it was asked */
	int *table;   /* open addressing: index of a key, or NO_KEY */
	size_t n_table;
	int err;
	const struct cache_row *rows; /* during done() */
};

struct join {
	struct cache *cache;
	struct join_config config;
	LIST_HEAD(, join_batch) batches;
	struct keyed *used;        /* row key -> struct used */
	struct keyed *collections; /* item -> struct collection */
	int64_t shards[SIDES];     /* 0: not known */
	struct counter *reads, *keys, *again, *regressed, *unreadable, *forgotten;
};

/* NULL: not asked. */
static inline const struct cache_row *row_at(const struct join_batch *b, int key)
{
	return key == NO_KEY ? NULL : &b->rows[key];
}

static inline int64_t field_i64(const struct cache_row *row, const char *name, int64_t fallback)
{
	struct str text = row ? row_get(&row->row, name) : STR_NONE;
	int64_t v;

	return str_is_set(text) && str_to_i64(text, &v) == 0 ? v : fallback;
}
