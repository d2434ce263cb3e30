/*
 * The operations: each is one request, a script or, for reads, one HGETALL a key. What happens to a
 * request is in cache_redis_core.c.
 */
#include "common/io/cache_redis_core.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct cache_redis *redis(struct cache *c)
{
	return (struct cache_redis *)c;
}

/* A request of one script with @argc arguments to follow; NULL with *err set if it cannot be given
 * now. */
static struct redis_req *script(struct cache_redis *c, enum cache_script s,
	enum redis_answer answer, struct str key, size_t argc, void *ctx, int *err)
{
	struct redis_req *r;

	*err = cache_redis_admit(c, 1);
	if (*err)
		return NULL;
	r = redis_req_new(answer, 1, ctx);
	if (!r) {
		*err = -ENOBUFS;
		return NULL;
	}
	redis_wire_begin(&r->wire, 4 + argc);
	redis_wire_arg(&r->wire, STR("EVALSHA"));
	redis_wire_arg(&r->wire, str_of(c->sha[s]));
	redis_wire_arg(&r->wire, STR("1"));
	redis_wire_arg(&r->wire, key);
	return r;
}

static int submit_one(struct cache_redis *c, struct redis_req *r)
{
	redis_wire_end(r, 0);
	return cache_redis_submit(c, r);
}

static void put_row(struct redis_req *r, const struct row *row)
{
	for (size_t i = 0; i < row->n; i++) {
		redis_wire_arg(&r->wire, row->field[i].name);
		redis_wire_arg(&r->wire, row->field[i].value);
	}
}

static int op_read(
	struct cache *base, const struct str *keys, size_t n, cache_read_fn fn, void *ctx)
{
	struct cache_redis *c = redis(base);
	struct redis_req *r;
	int err;

	assert(n > 0 && n <= CACHE_KEYS_MAX);
	err = cache_redis_admit(c, n);
	if (err)
		return err;
	r = redis_req_new(ANSWER_READ, n, ctx);
	if (!r)
		return -ENOBUFS;
	r->is_script = false;
	r->fn.read = fn;
	for (size_t i = 0; i < n; i++) {
		redis_wire_begin(&r->wire, 2);
		redis_wire_arg(&r->wire, STR("HGETALL"));
		redis_wire_arg(&r->wire, keys[i]);
		redis_wire_end(r, i);
	}
	return cache_redis_submit(c, r);
}

static int op_write(struct cache *base, const struct cache_write *w, cache_write_fn fn, void *ctx)
{
	struct cache_redis *c = redis(base);
	size_t argc = 6 + (w->row ? 2 * w->row->n : 2);
	struct redis_req *r;
	int err;

	assert(str_is_set(w->ver) || !w->row);
	assert(w->row || w->tombstone_ms > 0);
	assert(w->ttl_ms >= 0 && (w->row || !w->ttl_ms));
	assert(!w->row || w->row->n <= CACHE_FIELDS_MAX);
	r = script(c, SCRIPT_WRITE, ANSWER_WRITE, w->key, argc, ctx, &err);
	if (!r)
		return err;
	r->fn.write = fn;
	redis_wire_u64(&r->wire, w->gen);
	redis_wire_arg(&r->wire, w->ver);
	redis_wire_i64(&r->wire, w->et);
	redis_wire_i64(&r->wire, w->src_partition);
	redis_wire_i64(&r->wire, w->src_offset);
	redis_wire_i64(&r->wire, w->row ? w->ttl_ms : w->tombstone_ms);
	if (w->row) {
		put_row(r, w->row);
	} else {
		redis_wire_arg(&r->wire, STR("del"));
		redis_wire_arg(&r->wire, STR("1"));
	}
	return submit_one(c, r);
}

static int op_feed_open(
	struct cache *base, struct str key, struct str run, cache_bool_fn fn, void *ctx)
{
	struct cache_redis *c = redis(base);
	struct redis_req *r;
	int err;

	r = script(c, SCRIPT_FEED_OPEN, ANSWER_BOOL, key, 1, ctx, &err);
	if (!r)
		return err;
	r->fn.yes = fn;
	redis_wire_arg(&r->wire, run);
	return submit_one(c, r);
}

static int op_feed_beat(struct cache *base, const struct cache_feed *f, cache_bool_fn fn, void *ctx)
{
	struct cache_redis *c = redis(base);
	struct redis_req *r;
	int err;

	r = script(c, SCRIPT_FEED_BEAT, ANSWER_BOOL, f->key, f->complete ? 9 : 7, ctx, &err);
	if (!r)
		return err;
	r->fn.yes = fn;
	redis_wire_arg(&r->wire, f->run);
	redis_wire_arg(&r->wire, STR("alive_at"));
	redis_wire_i64(&r->wire, f->alive_at);
	redis_wire_arg(&r->wire, STR("lag_ms"));
	redis_wire_i64(&r->wire, f->lag_ms);
	redis_wire_arg(&r->wire, STR("gap"));
	redis_wire_arg(&r->wire, f->gap ? STR("1") : STR("0"));
	if (f->complete) {
		redis_wire_arg(&r->wire, STR("complete"));
		redis_wire_arg(&r->wire, STR("1"));
	}
	return submit_one(c, r);
}

static int op_side_open(
	struct cache *base, struct str side, int32_t shards, cache_read_fn fn, void *ctx)
{
	struct cache_redis *c = redis(base);
	char key[CACHE_SIDE_MAX + 8];
	struct redis_req *r;
	int err;

	assert(side.n <= CACHE_SIDE_MAX);
	snprintf(key, sizeof(key), "feed:{" STR_FMT "}", STR_ARG(side));
	r = script(c, SCRIPT_SIDE_OPEN, ANSWER_READ, str_of(key), 1, ctx, &err);
	if (!r)
		return err;
	r->fn.read = fn;
	redis_wire_i64(&r->wire, shards);
	return submit_one(c, r);
}

static int op_side_raise(struct cache *base, struct str side, cache_read_fn fn, void *ctx)
{
	struct cache_redis *c = redis(base);
	char key[CACHE_SIDE_MAX + 8], pattern[CACHE_SIDE_MAX + 16];
	struct redis_req *r;
	int err;

	assert(side.n <= CACHE_SIDE_MAX);
	snprintf(key, sizeof(key), "feed:{" STR_FMT "}", STR_ARG(side));
	snprintf(pattern, sizeof(pattern), "%s:*", key);
	r = script(c, SCRIPT_SIDE_RAISE, ANSWER_READ, str_of(key), 1, ctx, &err);
	if (!r)
		return err;
	r->fn.read = fn;
	redis_wire_arg(&r->wire, str_of(pattern));
	return submit_one(c, r);
}

static int lease(struct cache *base, enum cache_script s, struct str key, struct str value,
	int64_t ttl_ms, cache_bool_fn fn, void *ctx)
{
	struct cache_redis *c = redis(base);
	struct redis_req *r;
	int err;

	assert(s == SCRIPT_LEASE_DROP || ttl_ms > 0);
	r = script(c, s, ANSWER_BOOL, key, s == SCRIPT_LEASE_DROP ? 1 : 2, ctx, &err);
	if (!r)
		return err;
	r->fn.yes = fn;
	redis_wire_arg(&r->wire, value);
	if (s != SCRIPT_LEASE_DROP)
		redis_wire_i64(&r->wire, ttl_ms);
	return submit_one(c, r);
}

static int op_lease_take(struct cache *c, struct str key, struct str value, int64_t ttl_ms,
	cache_bool_fn fn, void *ctx)
{
	return lease(c, SCRIPT_LEASE_TAKE, key, value, ttl_ms, fn, ctx);
}

static int op_lease_renew(struct cache *c, struct str key, struct str value, int64_t ttl_ms,
	cache_bool_fn fn, void *ctx)
{
	return lease(c, SCRIPT_LEASE_RENEW, key, value, ttl_ms, fn, ctx);
}

static int op_lease_drop(
	struct cache *c, struct str key, struct str value, cache_bool_fn fn, void *ctx)
{
	return lease(c, SCRIPT_LEASE_DROP, key, value, 0, fn, ctx);
}

static int op_view_put(struct cache *base, struct str key, const struct row *row, int64_t ttl_ms,
	cache_bool_fn fn, void *ctx)
{
	struct cache_redis *c = redis(base);
	struct redis_req *r;
	int err;

	assert(row->n > 0);
	r = script(c, SCRIPT_VIEW, ANSWER_BOOL, key, 1 + 2 * row->n, ctx, &err);
	if (!r)
		return err;
	r->fn.yes = fn;
	redis_wire_i64(&r->wire, ttl_ms);
	put_row(r, row);
	return submit_one(c, r);
}

static int op_track(
	struct cache *base, const char *const *prefixes, size_t n, cache_changed_fn fn, void *ctx)
{
	struct cache_redis *c = redis(base);

	assert(!c->n_prefixes && n > 0 && n <= CACHE_REDIS_PREFIXES_MAX);
	for (size_t i = 0; i < n; i++) {
		c->prefixes[i] = strdup(prefixes[i]);
		if (!c->prefixes[i]) {
			while (i-- > 0)
				free(c->prefixes[i]);
			return -ENOBUFS;
		}
	}
	c->n_prefixes = n;
	c->changed = fn;
	c->changed_ctx = ctx;
	cache_redis_track(c);
	return 0;
}

static bool op_is_up(const struct cache *base)
{
	return ((const struct cache_redis *)base)->is_up;
}

static size_t op_in_flight(const struct cache *base)
{
	return ((const struct cache_redis *)base)->in_flight;
}

static void op_free(struct cache *base)
{
	struct cache_redis *c = redis(base);

	cache_redis_fini(c);
	free(c);
}

static const struct cache_ops redis_ops = {
	.free = op_free,
	.is_up = op_is_up,
	.read = op_read,
	.write = op_write,
	.feed_open = op_feed_open,
	.feed_beat = op_feed_beat,
	.side_open = op_side_open,
	.side_raise = op_side_raise,
	.lease_take = op_lease_take,
	.lease_renew = op_lease_renew,
	.lease_drop = op_lease_drop,
	.view_put = op_view_put,
	.track = op_track,
	.in_flight = op_in_flight,
};

int cache_redis_new(
	struct cache **ret, struct loop *loop, const char *url, struct metrics *m, struct fault *f)
{
	struct cache_redis *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return fault_set(f, FAULT_RETRY, -ENOMEM, "redis: out of memory");
	c->base.ops = &redis_ops;
	err = cache_redis_init(c, loop, url, m, f);
	if (err) {
		op_free(&c->base);
		return err;
	}
	*ret = &c->base;
	return 0;
}
