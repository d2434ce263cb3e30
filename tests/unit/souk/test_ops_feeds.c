/* Feeds as Redis has them, whoever wrote them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>

#include <jansson.h>

#include "common/io/sim/cache_sim.h"
#include "common/io/sim/loop_sim.h"
#include "souk/demo/storefront/ops_feeds.h"

#define NOW_MS INT64_C(1795334400000)

struct world {
	struct loop *loop;
	struct sim_store *redis;
	struct cache *writer, *cache;
	struct ops_store *store;
	struct ops_feeds *feeds;
};

static const char *const SLUGS[] = { "cool-cats" };

static void world_init(struct world *w)
{
	cr_assert(zero(int, loop_sim_new(&w->loop, NOW_MS)));
	cr_assert(zero(int, sim_store_new(&w->redis, w->loop)));
	cr_assert(zero(int, cache_sim_new(&w->writer, w->redis)));
	cr_assert(zero(int, cache_sim_new(&w->cache, w->redis)));
	cr_assert(zero(int, ops_store_new(&w->store, NULL, 0)));
	cr_assert(zero(int, ops_feeds_new(&w->feeds, w->loop, w->cache, w->store, SLUGS, 1)));
	loop_sim_settle(w->loop);
}

static void world_finip(struct world *w)
{
	ops_feeds_free(w->feeds);
	ops_store_free(w->store);
	cache_free(w->cache);
	cache_free(w->writer);
	sim_store_free(w->redis);
	loop_free(w->loop);
}

#define WORLD(w) \
	CLEANUP(world_fini) struct world w; \
	world_init(&w)

static void side(struct world *w, const char *name, int shards)
{
	cr_assert(zero(int, cache_side_open(w->writer, str_of(name), shards, NULL, NULL)));
	loop_sim_settle(w->loop);
}

static void beat(
	struct world *w, const char *key, int64_t ago_ms, int64_t lag_ms, bool complete, bool gap)
{
	const struct cache_feed f = { .key = str_of(key),
		.run = STR("run-1"),
		.alive_at = loop_now_ms(w->loop) - ago_ms,
		.lag_ms = lag_ms,
		.complete = complete,
		.gap = gap };

	cr_assert(zero(int, cache_feed_open(w->writer, f.key, f.run, NULL, NULL)));
	cr_assert(zero(int, cache_feed_beat(w->writer, &f, NULL, NULL)));
	loop_sim_settle(w->loop);
}

/* "side shard age complete gap|", in order, of the round that is asked for now. */
static const char *feeds(struct world *w)
{
	static char text[4096];
	CLEANUP(buf_fini) struct buf b = BUF_INIT(OPS_NOW_MAX);
	json_t *now, *one;
	size_t i, n = 0;

	ops_feeds_ask(w->feeds);
	loop_sim_settle(w->loop);
	ops_store_commit(w->store, loop_now_ms(w->loop));
	ops_store_write_now(w->store, &b);
	now = json_loadb(b.p, b.n, 0, NULL);
	cr_assert(now != NULL);
	text[0] = '\0';
	json_array_foreach(json_object_get(now, "feeds"), i, one)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %s %lld %d %d|",
			json_string_value(json_object_get(one, "side")),
			json_string_value(json_object_get(one, "shard")),
			json_object_get(one, "age_ms")
				? json_integer_value(json_object_get(one, "age_ms"))
				: -1LL,
			json_is_true(json_object_get(one, "complete")),
			json_is_true(json_object_get(one, "gap")));
	json_decref(now);
	return text;
}

Test(ops_feeds, every_shard_of_every_side_is_read)
{
	WORLD(w);

	side(&w, "profile", 2);
	side(&w, "stock", 1);
	beat(&w, "feed:{profile}:0", 1500, 200, true, false);
	beat(&w, "feed:{market}:cool-cats", 40, 0, true, true);
	cr_expect(eq(str, (char *)feeds(&w),
		"profile 0 1700 1 0|profile 1 -1 0 0|stock 0 -1 0 0|market cool-cats 40 1 1|"));
}

Test(ops_feeds, an_age_grows_when_its_writer_is_gone)
{
	WORLD(w);

	side(&w, "loyalty", 1);
	beat(&w, "feed:{loyalty}:0", 0, 0, true, false);
	loop_sim_advance(w.loop, 60000);
	cr_expect(eq(str, (char *)feeds(&w), "loyalty 0 60000 1 0|market cool-cats -1 0 0|"));
}

Test(ops_feeds, a_clock_that_is_ahead_makes_no_age_below_zero)
{
	WORLD(w);

	side(&w, "loyalty", 1);
	beat(&w, "feed:{loyalty}:0", -5000, 30, true, false);
	cr_expect(eq(str, (char *)feeds(&w), "loyalty 0 30 1 0|market cool-cats -1 0 0|"));
}

Test(ops_feeds, without_redis_nothing_is_known)
{
	WORLD(w);

	side(&w, "loyalty", 1);
	sim_store_set_down(w.redis, true);
	cr_expect(eq(str, (char *)feeds(&w), ""));
	sim_store_set_down(w.redis, false);
	loop_sim_advance(w.loop, 2000);
	cr_expect(eq(str, (char *)feeds(&w), "loyalty 0 -1 0 0|market cool-cats -1 0 0|"));
}

Test(ops_feeds, an_answer_that_is_late_is_not_asked_for_again)
{
	WORLD(w);

	sim_store_set_latency(w.redis, 3000000);
	for (int i = 0; i < 5; i++) {
		ops_feeds_ask(w.feeds);
		cr_expect(eq(sz, cache_in_flight(w.cache), 4), "the four sides, once");
	}
}

Test(ops_feeds, more_shards_than_there_is_room_for_are_left_out)
{
	WORLD(w);
	const char *text;
	size_t n = 0;

	side(&w, "profile", 100000);
	text = feeds(&w);
	for (const char *p = text; *p; p++)
		n += *p == '|';
	cr_expect(eq(sz, n, OPS_FEEDS_MAX));
}
