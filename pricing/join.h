#pragma once

/*
 * The join: for a batch of events one pipeline of look-ups, and for each event what the cache says
 * of its sides.
 *
 * Rows are asked first and feeds after them, in one pipeline, because a feed vouches for what was
 * read before it: a flush between the two finds the feed gone, and the side is unknown instead of
 * "nobody is here". Which feed belongs to a row is only known once it was seen (`shards` of a side,
 * the collection of an inventory row); what was learned is remembered, and a pipeline that lacked a
 * feed is done a second time, rows and feeds.
 *
 * Keys (braces are literal): profile:{user} loyalty:{user} inventory:{item} bestbid:{item}
 * stock:{item}; feed:{side}; feed:{side}:<shard>, shard = murmur2 partition of user or item, or the
 * collection for the side "market".
 *
 * Never below the version used before: (gen, ver) of a row that was used is remembered for as long
 * as an offer made from it can live; a lower one, or a row that is gone without a tombstone, is
 * unknown and counted. Nothing is written back here: connectors repairs it, or the memory runs out.
 *
 * An invalidation may overtake the answer of a read that was carried out before the change, and
 * none follows it (cache.h, rule 2). So batches in flight are told of changes too, and
 * join_is_old() says of which events the rows may be those of before.
 */
#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/metrics.h"
#include "common/io/cache.h"
#include "pricing/inputs.h"

#define JOIN_EVENTS_MAX 256

struct join;
struct join_batch;

struct join_config {
	size_t memo_max;
	int64_t memo_ms;      /* how long a used version is remembered */
	int64_t stock_age_ms; /* a stock feed, where there is one, may be this old */
};

struct join_event {
	struct str user;
	struct str item;
};

/* The rows are there (or the cache is not): join_fill() may be called until this returns. */
typedef void (*join_done_fn)(void *ctx, struct join_batch *batch);

/* 0, -ENOMEM, -EIO. */
MUST_CHECK int join_new(struct join **ret, struct cache *cache, struct metrics *m,
	const struct join_config *config);
/* After the cache can call back no more, or with no batch in flight. */
struct join *join_free(struct join *j);
DEFINE_CLEANUP(struct join *, join_free)

/* Borrows the texts of @events until done() returns or the batch is cancelled.
 * n: 1..JOIN_EVENTS_MAX. 0: done() comes, never from inside. -ENOTCONN, -ENOBUFS (ask again later),
 * -ENOMEM. */
MUST_CHECK int join_read(struct join *j, const struct join_event *events, size_t n,
	join_done_fn done, void *ctx, struct join_batch **ret);
/* done() will not come. Accepts NULL. */
void join_cancel(struct join_batch *b);

/* The row @key changed (p == NULL: any may have). */
void join_changed(struct join *j, struct str key);
/* Within done(): whether a row of event @i changed after it was asked. */
bool join_is_old(const struct join_batch *b, size_t i);

/* Sets rows and ages of @in for event @i; texts are in @a. */
void join_fill(
	struct join_batch *b, size_t i, int64_t now_ms, struct arena *a, struct price_inputs *in);
/* The same without a read: every side unknown for @doubt. */
void join_fill_unknown(struct price_inputs *in, enum row_doubt doubt);
