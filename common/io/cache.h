#pragma once

/*
 * Cache: what Souk needs of Redis, and no more. Rows with a version that never goes back, feeds
 * with an owner, leases, and invalidations.
 *
 * Real: cache_redis.c (hiredis, RESP2). In-memory: sim/cache_sim.c. One conformance suite runs
 * against both (tests/conformance/cache_suite.h).
 *
 * Stored row: the record's fields, and `ver` (83-byte stored form), `et` (ms), `gen`, `src`
 * ("partition:offset"); a tombstone has `del`=1, ver, gen, et, src and expires. A hash with `src`
 * is a stored row: these five are stripped from `row` when it is read. Any other hash (feeds,
 * views) keeps all its fields in `row`; its `ver`, `gen` and `et` are given beside it too.
 *
 * Callbacks come on the loop thread, never from inside the call, exactly once; their texts are
 * borrowed. A callback may give new commands and may free the cache. cache_free() drops what is in
 * flight without a callback. Commands of one cache are answered in the order they were given.
 *
 * While the server is away, commands fail at once with -ENOTCONN; commands in flight when it goes
 * get -ECONNRESET (they may or may not have been done), and cache_is_up() is false already then. A
 * command the server refuses gets -EIO, or -ENOSPC when it is out of memory (noeviction). Nothing
 * is sent again by itself.
 *
 * Order of replies and invalidations. They travel on two connections, so either may be first:
 *
 * 1. A read that is given after changed(key) came sees that change, or a later one.
 *
 * 2. changed(key) may overtake the reply of a read that was carried out before the change. So: when
 * it comes between cache_read() and its callback, that key's row may be old, and no other
 * changed(key) will follow: keep the row only after reading it again. When it comes after the
 * callback it is an ordinary invalidation.
 *
 * 3. The answer of one's own write and its invalidation come in either order.
 *
 * 4. A tracking cache keeps its two connections together: when either is lost, what is in flight is
 * answered with -ECONNRESET, then comes changed(STR_NONE). It is up again only when invalidations
 * are in force, and then changed(STR_NONE) comes again before any read can be given. So no read is
 * answered without them, except one given before the first changed(STR_NONE) after cache_track().
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/base/row.h"
#include "common/base/str.h"
#include "common/io/loop.h"

#define CACHE_KEYS_MAX      4096  /* per read */
#define CACHE_IN_FLIGHT_MAX 65536 /* keys of reads, and one for every other command */
#define CACHE_SIDE_MAX      32    /* bytes of a side's name */
#define CACHE_FIELDS_MAX    (ROW_FIELDS_MAX - 5) /* own fields of a stored row */

enum cache_row_state { CACHE_MISSING, CACHE_PRESENT, CACHE_TOMBSTONE };

struct cache_row {
	enum cache_row_state state;
	/* stored form; p == NULL: none (a tombstone that was made by offset where nothing was
	 * stored) */
	struct str ver;
	uint64_t gen;
	int64_t et;
	struct str src;
	struct row row; /* the record's own fields */
};

enum cache_outcome { CACHE_APPLIED, CACHE_STALE /* (gen, ver) is not higher: nothing changed */ };

struct cache_write {
	struct str key;
	struct str ver; /* stored form; p == NULL only for a delete by offset */
	uint64_t gen;
	int64_t et;
	int32_t src_partition;
	int64_t src_offset;
	const struct row *row; /* NULL: delete, leaving a tombstone */
	int64_t tombstone_ms;  /* its retention */
	int64_t ttl_ms;        /* of a row: it expires if it is not written again; 0 = never */
};

struct cache_feed {
	struct str key; /* feed:{side}:<shard> */
	struct str run; /* the writer's own run id */
	int64_t alive_at;
	int64_t lag_ms;
	bool gap;
	bool complete; /* set once all rows are in; a beat with false leaves the stored value */
};

typedef void (*cache_read_fn)(void *ctx, int err, const struct cache_row *rows, size_t n);
typedef void (*cache_write_fn)(void *ctx, int err, enum cache_outcome outcome);
typedef void (*cache_bool_fn)(void *ctx, int err, bool yes);
/* @key: the row that changed; p == NULL: forget everything (flush, or the invalidation connection
 * was lost and is back). */
typedef void (*cache_changed_fn)(void *ctx, struct str key);

struct cache;

struct cache_ops {
	void (*free)(struct cache *c);
	bool (*is_up)(const struct cache *c);
	int (*read)(struct cache *c, const struct str *keys, size_t n, cache_read_fn fn, void *ctx);
	int (*write)(struct cache *c, const struct cache_write *w, cache_write_fn fn, void *ctx);
	int (*feed_open)(
		struct cache *c, struct str key, struct str run, cache_bool_fn fn, void *ctx);
	int (*feed_beat)(struct cache *c, const struct cache_feed *f, cache_bool_fn fn, void *ctx);
	int (*side_open)(
		struct cache *c, struct str side, int32_t shards, cache_read_fn fn, void *ctx);
	int (*side_raise)(struct cache *c, struct str side, cache_read_fn fn, void *ctx);
	int (*lease_take)(struct cache *c, struct str key, struct str value, int64_t ttl_ms,
		cache_bool_fn fn, void *ctx);
	int (*lease_renew)(struct cache *c, struct str key, struct str value, int64_t ttl_ms,
		cache_bool_fn fn, void *ctx);
	int (*lease_drop)(
		struct cache *c, struct str key, struct str value, cache_bool_fn fn, void *ctx);
	int (*view_put)(struct cache *c, struct str key, const struct row *row, int64_t ttl_ms,
		cache_bool_fn fn, void *ctx);
	int (*track)(struct cache *c, const char *const *prefixes, size_t n, cache_changed_fn fn,
		void *ctx);
	size_t (*in_flight)(const struct cache *c);
};

struct cache {
	const struct cache_ops *ops;
};

static inline struct cache *cache_free(struct cache *c)
{
	if (c)
		c->ops->free(c);
	return NULL;
}
DEFINE_CLEANUP(struct cache *, cache_free)

static inline bool cache_is_up(const struct cache *c)
{
	return c->ops->is_up(c);
}

/* All commands: 0 (the callback will come, exactly once), -ENOTCONN, or -ENOBUFS (the bound on
 * commands in flight). fn may be NULL where no answer is needed. */

/* One pipeline, one callback, rows in the order of the keys; read in that order too (a feed given
 * after its rows is never older than they are). 1 <= n <= CACHE_KEYS_MAX. Any hash: feed rows and
 * views are CACHE_PRESENT with all fields in `row` (ver, gen, et, src are set where stored). A
 * lease is not a hash: -EIO. Not atomic over the keys. */
static inline int cache_read(
	struct cache *c, const struct str *keys, size_t n, cache_read_fn fn, void *ctx)
{
	return c->ops->read(c, keys, n, fn, ctx);
}
/* Replaces the whole row, its TTL included (a write without one makes it stay), in one script if
 * (gen, ver) is higher than what is stored, tombstones included. What has expired is not stored:
 * any version applies. A delete without a version applies if its partition is the stored src's and
 * its offset is beyond it (or nothing is stored); it keeps the stored ver. Offsets of an older gen
 * mean nothing: a delete with a higher gen applies, and has no version, so that the first row of
 * its gen applies after it. Keys, field names and values are copied; a row needs no field. */
static inline int cache_write(
	struct cache *c, const struct cache_write *w, cache_write_fn fn, void *ctx)
{
	return c->ops->write(c, w, fn, ctx);
}
/* Makes the feed ours: sets `run`, keeps `complete` if the feed was there. Answers whether it was
 * complete. */
static inline int cache_feed_open(
	struct cache *c, struct str key, struct str run, cache_bool_fn fn, void *ctx)
{
	return c->ops->feed_open(c, key, run, fn, ctx);
}
/* Acts only while `run` is ours; answers whether it was. false: Redis was flushed or someone else
 * took over; open and load again. */
static inline int cache_feed_beat(
	struct cache *c, const struct cache_feed *f, cache_bool_fn fn, void *ctx)
{
	return c->ops->feed_beat(c, f, fn, ctx);
}
/* feed:{side}: sets `shards`, and `gen`=1 where there is none; answers one row with both. */
static inline int cache_side_open(
	struct cache *c, struct str side, int32_t shards, cache_read_fn fn, void *ctx)
{
	return c->ops->side_open(c, side, shards, fn, ctx);
}
/* A new generation: raises `gen` of feed:{side} and removes the feeds of its shards in one step, so
 * that none vouches for rows that no longer count. Answers as side_open, CACHE_MISSING (and nothing
 * done) if the side is not there. For operators: walks the whole database. */
static inline int cache_side_raise(struct cache *c, struct str side, cache_read_fn fn, void *ctx)
{
	return c->ops->side_raise(c, side, fn, ctx);
}
/* SET NX PX: whether the key is now ours. */
static inline int cache_lease_take(struct cache *c, struct str key, struct str value,
	int64_t ttl_ms, cache_bool_fn fn, void *ctx)
{
	return c->ops->lease_take(c, key, value, ttl_ms, fn, ctx);
}
/* Compare-and-pexpire: whether it is still ours. */
static inline int cache_lease_renew(struct cache *c, struct str key, struct str value,
	int64_t ttl_ms, cache_bool_fn fn, void *ctx)
{
	return c->ops->lease_renew(c, key, value, ttl_ms, fn, ctx);
}
/* Compare-and-delete. */
static inline int cache_lease_drop(
	struct cache *c, struct str key, struct str value, cache_bool_fn fn, void *ctx)
{
	return c->ops->lease_drop(c, key, value, fn, ctx);
}
/* Whole unversioned hash with a TTL (0 = none): views such as sess:{id}. */
static inline int cache_view_put(struct cache *c, struct str key, const struct row *row,
	int64_t ttl_ms, cache_bool_fn fn, void *ctx)
{
	return c->ops->view_put(c, key, row, ttl_ms, fn, ctx);
}
/* Once per cache, at most 8 prefixes; fn(STR_NONE) comes as soon as it is in force. Invalidations
 * of rows whose key starts with a prefix (none a prefix of another), by anyone, ourselves included,
 * in the order of the changes. */
static inline int cache_track(
	struct cache *c, const char *const *prefixes, size_t n, cache_changed_fn fn, void *ctx)
{
	return c->ops->track(c, prefixes, n, fn, ctx);
}
static inline size_t cache_in_flight(const struct cache *c)
{
	return c->ops->in_flight(c);
}

/* redis://host:port/db, redis://:password@host:port/db or unix:///path?db=0. 0, -EINVAL with @f.
 * Connects (and reconnects with jittered back-off, 20 ms .. 1 s) by itself. */
MUST_CHECK int cache_redis_new(
	struct cache **ret, struct loop *loop, const char *url, struct metrics *m, struct fault *f);
