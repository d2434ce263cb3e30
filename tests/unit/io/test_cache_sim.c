/* The in-memory cache keeps the contract of cache.h; then what only it can show: races in a fixed
 * order. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "common/io/sim/cache_sim.h"
#include "common/io/sim/loop_sim.h"
#include "tests/conformance/cache_suite.h"

#define VER_1 "00000000000000000001.00000000000000000000.00000000000000000000.00000000000000000000"
#define VER_2 "00000000000000000002.00000000000000000000.00000000000000000000.00000000000000000000"

struct world {
	struct loop *loop;
	struct sim_store *store;
};

static void world_init(struct world *w)
{
	cr_assert(zero(int, loop_sim_new(&w->loop, 1795334400000)));
	cr_assert(zero(int, sim_store_new(&w->store, w->loop)));
}

static void world_fini(struct world *w)
{
	sim_store_free(w->store);
	loop_free(w->loop);
}

static struct cache *make(void *ctx)
{
	struct world *w = ctx;
	struct cache *c = NULL;

	cr_assert(zero(int, cache_sim_new(&c, w->store)));
	return c;
}

static void pump(void *ctx)
{
	struct world *w = ctx;

	loop_sim_advance(w->loop, 10);
	loop_sim_settle(w->loop);
}

static void down(void *ctx)
{
	sim_store_set_down(((struct world *)ctx)->store, true);
}

static void up(void *ctx)
{
	sim_store_set_down(((struct world *)ctx)->store, false);
}

static void flush(void *ctx)
{
	sim_store_flush(((struct world *)ctx)->store);
}

static void run(void (*fn)(struct cache_harness *h), int64_t latency_us)
{
	struct world w;
	struct cache_harness h = {
		.ctx = &w, .make = make, .pump = pump, .down = down, .up = up, .flush = flush
	};

	world_init(&w);
	sim_store_set_latency(w.store, latency_us);
	fn(&h);
	world_fini(&w);
	cr_expect(zero(h.failure[0]), "%s", h.failure);
}

#define X(name) \
	Test(cache_sim, name) \
	{ \
		run(cache_suite_##name, 0); \
		run(cache_suite_##name, 700); \
	}
CACHE_SUITE(X)
#undef X

struct seen {
	char order[16];
	size_t n;
	char value[8];
};

static void on_changed(void *ctx, struct str key)
{
	struct seen *s = ctx;

	s->order[s->n++] = str_is_set(key) ? 'k' : '*';
}

static void on_read(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct seen *s = ctx;

	s->order[s->n++] = err ? 'e' : 'r';
	if (!err && n)
		cr_assert(zero(
			int, str_copy(s->value, sizeof(s->value), row_get(&rows[0].row, "a"))));
}

static void write_a(struct cache *c, const char *ver, const char *value)
{
	struct row row = { .n = 1, .field[0] = { STR("a"), str_of(value) } };
	struct cache_write w = {
		.key = STR("profile:{u}"), .ver = str_of(ver), .gen = 1, .row = &row
	};

	cr_assert(zero(int, cache_write(c, &w, NULL, NULL)));
}

Test(cache_sim, an_invalidation_overtakes_the_reply_of_a_read_that_was_carried_out_before)
{
	static const char *const prefixes[] = { "profile:" };
	struct seen s = { .n = 0 };
	struct str key = STR("profile:{u}");
	struct world w;

	world_init(&w);
	CLEANUP(cache_free) struct cache *reader = make(&w);
	CLEANUP(cache_free) struct cache *writer = make(&w);

	write_a(writer, VER_1, "old");
	loop_sim_settle(w.loop);
	cr_assert(zero(int, cache_track(reader, prefixes, 1, on_changed, &s)));
	loop_sim_settle(w.loop);
	sim_store_set_latency(w.store, 1000);
	cr_assert(zero(int, cache_read(reader, &key, 1, on_read, &s)));
	loop_sim_advance_us(w.loop, 100);
	write_a(writer, VER_2, "new");
	loop_sim_advance_us(w.loop, 2000);
	cr_expect(eq(str, s.order, "*kr"));
	cr_expect(eq(str, s.value, "old"));
	reader = cache_free(reader);
	writer = cache_free(writer);
	world_fini(&w);
}

Test(cache_sim, losing_tracking_resets_and_forgets_twice)
{
	static const char *const prefixes[] = { "profile:" };
	struct seen s = { .n = 0 };
	struct str key = STR("profile:{u}");
	struct world w;

	world_init(&w);
	CLEANUP(cache_free) struct cache *c = make(&w);

	cr_assert(zero(int, cache_track(c, prefixes, 1, on_changed, &s)));
	loop_sim_settle(w.loop);
	cr_assert(zero(int, cache_read(c, &key, 1, on_read, &s)));
	sim_cache_lose_tracking(c);
	cr_expect(not(cache_is_up(c)));
	loop_sim_settle(w.loop);
	cr_expect(eq(str, s.order, "*e**"));
	cr_expect(cache_is_up(c));
	c = cache_free(c);
	world_fini(&w);
}

Test(cache_sim, a_dropped_row_is_gone_and_nobody_is_told)
{
	static const char *const prefixes[] = { "profile:" };
	struct seen s = { .n = 0 };
	struct world w;

	world_init(&w);
	CLEANUP(cache_free) struct cache *c = make(&w);

	cr_assert(zero(int, cache_track(c, prefixes, 1, on_changed, &s)));
	write_a(c, VER_1, "x");
	loop_sim_settle(w.loop);
	cr_expect(str_eqz(sim_store_get(w.store, "profile:{u}", "a"), "x"));
	sim_store_drop(w.store, "profile:{u}");
	loop_sim_settle(w.loop);
	cr_expect(not(str_is_set(sim_store_get(w.store, "profile:{u}", "a"))));
	cr_expect(eq(str, s.order, "*k"));
	c = cache_free(c);
	world_fini(&w);
}

Test(cache_sim, a_cache_made_while_the_store_is_down_is_down)
{
	struct world w;

	world_init(&w);
	sim_store_set_down(w.store, true);
	CLEANUP(cache_free) struct cache *c = make(&w);

	cr_expect(not(cache_is_up(c)));
	sim_store_set_down(w.store, false);
	loop_sim_settle(w.loop);
	cr_expect(cache_is_up(c));
	c = cache_free(c);
	world_fini(&w);
}
