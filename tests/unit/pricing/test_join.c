#include "tests/unit/pricing/fixture.h"

#include <stdio.h>

#include "common/io/bus.h"
#include "common/io/sim/cache_sim.h"
#include "common/io/sim/loop_sim.h"
#include "pricing/join.h"

#define NOW    INT64_C(1795334400000)
#define MEMO   30000
#define SHARDS 4

/* A store with loaded feeds, and a join that looks at it. */
struct world {
	struct loop *loop;
	struct sim_store *store;
	struct cache *writer, *cache;
	struct metrics *metrics;
	struct join *join;
	struct arena *arena;
	struct price_inputs in;
	int n_done;
};

static void world_init(struct world *w)
{
	const struct join_config config = { .memo_max = 64, .memo_ms = MEMO, .stock_age_ms = 1000 };

	*w = (struct world){ 0 };
	cr_assert(zero(int, loop_sim_new(&w->loop, NOW)));
	cr_assert(zero(int, sim_store_new(&w->store, w->loop)));
	cr_assert(zero(int, cache_sim_new(&w->writer, w->store)));
	cr_assert(zero(int, cache_sim_new(&w->cache, w->store)));
	cr_assert(zero(int, metrics_new(&w->metrics, 64)));
	cr_assert(zero(int, arena_new(&w->arena, 65536)));
	cr_assert(zero(int, join_new(&w->join, w->cache, w->metrics, &config)));
}

static void world_fini(struct world *w)
{
	cache_free(w->cache);
	cache_free(w->writer);
	join_free(w->join);
	sim_store_free(w->store);
	metrics_free(w->metrics);
	arena_free(w->arena);
	loop_free(w->loop);
}

static void beat(
	struct world *w, const char *side, const char *shard, bool complete, int64_t lag_ms)
{
	char key[200];

	snprintf(key, sizeof(key), "feed:{%s}:%s", side, shard);
	cr_assert(zero(int, cache_feed_open(w->writer, str_of(key), STR("run"), NULL, NULL)));
	cr_assert(zero(int, cache_feed_beat(w->writer,
				    &(struct cache_feed){ .key = str_of(key),
					    .run = STR("run"),
					    .alive_at = loop_now_ms(w->loop),
					    .lag_ms = lag_ms,
					    .complete = complete },
				    NULL, NULL)));
	loop_sim_settle(w->loop);
}

static void load_side(struct world *w, const char *side, int32_t shards, bool complete)
{
	char shard[16];

	cr_assert(zero(int, cache_side_open(w->writer, str_of(side), shards, NULL, NULL)));
	for (int32_t i = 0; i < shards; i++) {
		snprintf(shard, sizeof(shard), "%d", (int)i);
		beat(w, side, shard, complete, 0);
	}
}

static void load_all(struct world *w)
{
	load_side(w, "profile", SHARDS, true);
	load_side(w, "loyalty", SHARDS, true);
	load_side(w, "inventory", SHARDS, true);
	beat(w, "market", "cool-cats", true, 0);
}

/* Fields come in pairs, NULL-terminated; no field at all is a delete. */
static void put_gen(
	struct world *w, const char *key, uint64_t part, uint64_t gen, const char *const *fields)
{
	char ver[VERSION_TEXT_MAX];
	struct row row = { .n = 0 };

	for (size_t i = 0; fields && fields[i]; i += 2)
		cr_assert(zero(int, row_put(&row, str_of(fields[i]), str_of(fields[i + 1]))));
	const struct cache_write write = {
		.key = str_of(key),
		.ver = { ver, version_format_stored(ver, (struct version){ { part } }) },
		.gen = gen,
		.src_offset = (int64_t)part,
		.row = fields ? &row : NULL,
		.tombstone_ms = 86400000,
	};

	cr_assert(zero(int, cache_write(w->writer, &write, NULL, NULL)));
	loop_sim_settle(w->loop);
}

#define PUT(w, key, part, ...) put_gen(w, key, part, 1, (const char *const[]){ __VA_ARGS__, NULL })
#define PUT_INVENTORY(w, part) \
	PUT(w, "inventory:{" ITEM "}", part, "list", "1000", "list_currency", "ETH", "supply", \
		"1", "collection", "cool-cats")

static void done(void *ctx, struct join_batch *batch)
{
	struct world *w = ctx;

	w->n_done++;
	arena_reset(w->arena);
	memset(&w->in, 0, sizeof(w->in));
	join_fill(batch, 0, loop_now_ms(w->loop), w->arena, &w->in);
}

static const struct join_event event = { STR("u_42"), STR(ITEM) };

static void ask(struct world *w)
{
	struct join_batch *b;
	int before = w->n_done;

	cr_assert(zero(int, join_read(w->join, &event, 1, done, w, &b)));
	cr_assert(eq(int, w->n_done, before), "not from inside");
	loop_sim_settle(w->loop);
	cr_assert(eq(int, w->n_done, before + 1));
}

static void expect_unknown(const struct input_row *row, enum row_doubt doubt)
{
	cr_expect(eq(int, row->state, ROW_UNKNOWN));
	cr_expect(eq(str, (char *)row_doubt_names[row->doubt], (char *)row_doubt_names[doubt]));
	cr_expect(eq(i64, row->gen, 0));
}

Test(join, rows_and_ages_come_together)
{
	struct world w;

	world_init(&w);
	load_all(&w);
	PUT(&w, "profile:{u_42}", 18, "user", "u_42", "segment", "collector", "country", "DE",
		"consent", "{\"pricing\":true}");
	PUT(&w, "loyalty:{u_42}", 7, "user", "u_42", "tier", "gold", "points", "5400");
	PUT_INVENTORY(&w, 3);
	PUT(&w, "bestbid:{" ITEM "}", 12, "as_of", "5", "bid_net", "900", "bid_net_currency",
		"WETH", "flags", "[\"gap\"]");
	PUT(&w, "stock:{" ITEM "}", 2, "supply", "1", "taken", "1");
	loop_sim_advance(w.loop, 250);
	ask(&w);

	cr_expect(eq(int, w.in.profile.row.state, ROW_PRESENT));
	cr_expect(eq(u64, w.in.profile.row.ver.part[0], 18));
	cr_expect(eq(i64, w.in.profile.row.gen, 1));
	cr_expect(eq(i64, w.in.profile.age_ms, 250));
	cr_expect(str_eqz(w.in.profile.segment, "collector"));
	cr_expect(str_eqz(w.in.profile.country, "DE"));
	cr_expect(eq(int, w.in.profile.consent, TRI_TRUE));
	cr_expect(eq(int, w.in.loyalty.tier, TIER_GOLD));
	cr_expect(eq(i64, w.in.loyalty.points, 5400));
	cr_expect(w.in.inventory.list.amount == 1000);
	cr_expect(str_eqz(w.in.inventory.collection, "cool-cats"));
	cr_expect(w.in.bestbid.bid_net.amount == 900);
	cr_expect(eq(i64, w.in.bestbid.age_ms, 250));
	cr_expect(str_eqz(w.in.bestbid.flags, "[\"gap\"]"));
	cr_expect(eq(i64, w.in.stock.taken, 1));
	world_fini(&w);
}

Test(join, shards_and_collections_are_learned_and_asked_once)
{
	struct world w;

	world_init(&w);
	load_all(&w);
	PUT_INVENTORY(&w, 3);
	ask(&w);
	cr_expect(eq(i64, metrics_value(w.metrics, "souk_pricing_cache_reads_total", NULL), 2));
	cr_expect(
		eq(i64, metrics_value(w.metrics, "souk_pricing_cache_reads_again_total", NULL), 1));
	cr_expect(eq(int, w.in.profile.row.state, ROW_NONE));
	cr_expect(eq(int, w.in.bestbid.row.state, ROW_NONE));
	ask(&w);
	cr_expect(eq(i64, metrics_value(w.metrics, "souk_pricing_cache_reads_total", NULL), 3));
	cr_expect(eq(int, w.in.bestbid.row.state, ROW_NONE));

	/* The source has more partitions now. */
	load_side(&w, "profile", 7, true);
	ask(&w);
	cr_expect(eq(i64, metrics_value(w.metrics, "souk_pricing_cache_reads_total", NULL), 5));
	cr_expect(eq(int, w.in.profile.row.state, ROW_NONE));
	world_fini(&w);
}

Test(join, keys_of_a_batch_are_asked_once_each)
{
	const struct join_event events[] = { { STR("a"), STR(ITEM) }, { STR("b"), STR(ITEM) },
		{ STR("a"), STR(ITEM) } };
	struct join_batch *b;
	struct world w;

	world_init(&w);
	cr_assert(zero(int, join_read(w.join, events, 3, done, &w, &b)));
	loop_sim_settle(w.loop);
	/* profile and loyalty of two users, three rows of the item, five sides. */
	cr_expect(eq(i64, metrics_value(w.metrics, "souk_pricing_cache_keys_total", NULL), 12));
	world_fini(&w);
}

Test(join, a_missing_row_is_none_only_while_its_shard_is_complete)
{
	struct world w;

	world_init(&w);
	ask(&w);
	expect_unknown(&w.in.profile.row, DOUBT_FEED);
	expect_unknown(&w.in.inventory.row, DOUBT_FEED);

	load_side(&w, "profile", SHARDS, false);
	ask(&w);
	expect_unknown(&w.in.profile.row, DOUBT_INCOMPLETE);
	PUT(&w, "profile:{u_42}", 1, "user", "u_42");
	ask(&w);
	cr_expect(eq(int, w.in.profile.row.state, ROW_PRESENT),
		"a row that is there may be used while others load");
	world_fini(&w);
}

Test(join, lag_counts_as_age)
{
	struct world w;

	world_init(&w);
	load_all(&w);
	for (int i = 0; i < SHARDS; i++) {
		char shard[4] = { (char)('0' + i), '\0' };

		beat(&w, "loyalty", shard, true, 5000);
	}
	loop_sim_advance(w.loop, 100);
	ask(&w);
	cr_expect(eq(i64, w.in.loyalty.age_ms, 5100));
	cr_expect(eq(i64, w.in.profile.age_ms, 100));
	loop_sim_step_wall(w.loop, -1000);
	ask(&w);
	cr_expect(
		eq(i64, w.in.profile.age_ms, 0), "a clock that steps back makes nothing negative");
	world_fini(&w);
}

Test(join, a_tombstone_is_none_and_keeps_its_version)
{
	struct world w;

	world_init(&w);
	load_all(&w);
	PUT(&w, "profile:{u_42}", 5, "user", "u_42", "segment", "collector");
	put_gen(&w, "profile:{u_42}", 6, 1, NULL);
	ask(&w);
	cr_expect(eq(int, w.in.profile.row.state, ROW_NONE));
	cr_expect(eq(u64, w.in.profile.row.ver.part[0], 6));
	cr_expect(not(str_is_set(w.in.profile.segment)));
	world_fini(&w);
}

/* The flush takes rows and feeds; what was read after it must not say "nobody is here". */
Test(join, after_a_flush_everything_is_unknown)
{
	struct world w;

	world_init(&w);
	load_all(&w);
	PUT_INVENTORY(&w, 3);
	ask(&w);
	cr_expect(eq(int, w.in.inventory.row.state, ROW_PRESENT));
	sim_store_flush(w.store);
	ask(&w);
	expect_unknown(&w.in.profile.row, DOUBT_FEED);
	expect_unknown(&w.in.inventory.row, DOUBT_FEED);
	world_fini(&w);
}

/* A cache that looks at what is asked and passes it on. */
struct spy {
	struct cache base;
	struct cache *real;
	size_t n_keys, n_rows_after_feeds;
};

static int spy_read(struct cache *c, const struct str *keys, size_t n, cache_read_fn fn, void *ctx)
{
	struct spy *spy = (struct spy *)c;
	bool has_feed = false;

	for (size_t i = 0; i < n; i++) {
		bool is_feed = str_starts(keys[i], STR("feed:"));

		spy->n_rows_after_feeds += has_feed && !is_feed;
		has_feed = has_feed || is_feed;
	}
	spy->n_keys = n;
	return cache_read(spy->real, keys, n, fn, ctx);
}

/* A feed vouches for what was read before it, never for what comes after. */
Test(join, feeds_are_asked_after_all_rows)
{
	static const struct cache_ops ops = { .read = spy_read };
	const struct join_config config = { .memo_max = 64, .memo_ms = MEMO };
	const struct join_event events[] = { { STR("a"), STR(ITEM) },
		{ STR("b"), STR("game:azeroth/sword:iron/17") } };
	struct join_batch *b;
	struct world w;

	world_init(&w);
	load_all(&w);
	PUT_INVENTORY(&w, 3);
	struct spy spy = { .base.ops = &ops, .real = w.cache };
	join_free(w.join);
	cr_assert(zero(int, join_new(&w.join, &spy.base, w.metrics, &config)));
	for (int i = 0; i < 2; i++) {
		cr_assert(zero(int, join_read(w.join, events, 2, done, &w, &b)));
		loop_sim_settle(w.loop);
	}
	cr_expect(eq(int, w.n_done, 2));
	cr_expect(gt(sz, spy.n_keys, 15));
	cr_expect(eq(sz, spy.n_rows_after_feeds, 0));
	cr_expect(eq(int, w.in.bestbid.row.state, ROW_NONE));
	world_fini(&w);
}

Test(join, a_version_below_the_one_used_is_unknown_and_counted)
{
	struct world w;

	world_init(&w);
	load_all(&w);
	PUT(&w, "profile:{u_42}", 9, "user", "u_42");
	ask(&w);
	cr_expect(eq(int, w.in.profile.row.state, ROW_PRESENT));

	sim_store_drop(w.store, "profile:{u_42}");
	ask(&w);
	expect_unknown(&w.in.profile.row, DOUBT_OLDER);
	PUT(&w, "profile:{u_42}", 8, "user", "u_42");
	ask(&w);
	expect_unknown(&w.in.profile.row, DOUBT_OLDER);
	cr_expect(eq(i64, metrics_value(w.metrics, "souk_pricing_rows_regressed_total", NULL), 2));
	PUT(&w, "profile:{u_42}", 10, "user", "u_42");
	ask(&w);
	cr_expect(eq(int, w.in.profile.row.state, ROW_PRESENT));
	cr_expect(eq(u64, w.in.profile.row.ver.part[0], 10));
	world_fini(&w);
}

Test(join, a_used_version_is_remembered_as_long_as_an_offer_can_live)
{
	struct world w;

	world_init(&w);
	load_all(&w);
	PUT(&w, "profile:{u_42}", 9, "user", "u_42");
	ask(&w);
	sim_store_drop(w.store, "profile:{u_42}");
	loop_sim_advance(w.loop, MEMO - 1);
	ask(&w);
	expect_unknown(&w.in.profile.row, DOUBT_OLDER);
	loop_sim_advance(w.loop, 1);
	ask(&w);
	cr_expect(eq(int, w.in.profile.row.state, ROW_NONE));
	world_fini(&w);
}

Test(join, used_versions_beyond_the_maximum_are_counted)
{
	struct join_event other = event;
	struct join_batch *b;
	char user[16], key[32];
	struct world w;

	world_init(&w);
	load_all(&w);
	for (int i = 0; i < 65; i++) {
		snprintf(user, sizeof(user), "u_%d", i);
		snprintf(key, sizeof(key), "profile:{%s}", user);
		PUT(&w, key, 1, "user", user);
		other.user = str_of(user);
		cr_assert(zero(int, join_read(w.join, &other, 1, done, &w, &b)));
		loop_sim_settle(w.loop);
		cr_assert(eq(int, w.in.profile.row.state, ROW_PRESENT));
	}
	cr_expect(eq(i64, metrics_value(w.metrics, "souk_pricing_memo_forgotten_total", NULL), 1));
	world_fini(&w);
}

Test(join, a_tombstone_that_ran_out_is_still_none)
{
	struct world w;

	world_init(&w);
	load_all(&w);
	put_gen(&w, "profile:{u_42}", 9, 1, NULL);
	ask(&w);
	sim_store_drop(w.store, "profile:{u_42}");
	ask(&w);
	cr_expect(eq(int, w.in.profile.row.state, ROW_NONE));
	world_fini(&w);
}

static void raise_gen(struct world *w, const char *side)
{
	char key[64];
	const struct row row = { .field = { { STR("shards"), STR("4") }, { STR("gen"), STR("2") } },
		.n = 2 };

	snprintf(key, sizeof(key), "feed:{%s}", side);
	cr_assert(zero(int, cache_view_put(w->writer, str_of(key), &row, 0, NULL, NULL)));
	loop_sim_settle(w->loop);
}

/* `souk cache reset`: the source begins anew with lower versions. */
Test(join, rows_of_an_earlier_generation_are_not_there_any_more)
{
	struct world w;

	world_init(&w);
	load_all(&w);
	PUT(&w, "profile:{u_42}", 9, "user", "u_42", "segment", "old");
	ask(&w);
	raise_gen(&w, "profile");
	ask(&w);
	cr_expect(eq(int, w.in.profile.row.state, ROW_NONE));
	cr_expect(not(str_is_set(w.in.profile.segment)));
	put_gen(&w, "profile:{u_42}", 1, 2,
		(const char *const[]){ "user", "u_42", "segment", "new", NULL });
	ask(&w);
	cr_expect(eq(int, w.in.profile.row.state, ROW_PRESENT));
	cr_expect(eq(i64, w.in.profile.row.gen, 2));
	cr_expect(str_eqz(w.in.profile.segment, "new"));
	world_fini(&w);
}

Test(join, a_row_that_is_not_what_its_table_says_is_unknown)
{
	struct world w;

	world_init(&w);
	load_all(&w);
	PUT(&w, "loyalty:{u_42}", 7, "user", "u_42", "tier", "diamond");
	PUT(&w, "inventory:{" ITEM "}", 7, "list", "01", "list_currency", "ETH");
	ask(&w);
	expect_unknown(&w.in.loyalty.row, DOUBT_UNREADABLE);
	cr_expect(eq(int, w.in.loyalty.tier, 0));
	expect_unknown(&w.in.inventory.row, DOUBT_UNREADABLE);
	cr_expect(eq(i64, metrics_value(w.metrics, "souk_pricing_rows_unreadable_total", NULL), 2));
	world_fini(&w);
}

Test(join, an_item_without_a_collection_has_no_market_side)
{
	struct world w;

	world_init(&w);
	load_all(&w);
	PUT(&w, "inventory:{" ITEM "}", 3, "list", "5", "list_currency", "ETH", "supply", "1");
	PUT(&w, "bestbid:{" ITEM "}", 3, "as_of", "5", "bid_net", "4", "bid_net_currency", "ETH");
	ask(&w);
	cr_expect(eq(int, w.in.bestbid.row.state, ROW_NONE));
	cr_expect(not(money_is_set(w.in.bestbid.bid_net)));
	world_fini(&w);
}

Test(join, a_market_feed_that_nobody_writes_makes_the_market_unknown)
{
	struct world w;

	world_init(&w);
	load_all(&w);
	PUT(&w, "inventory:{" ITEM "}", 3, "list", "5", "list_currency", "ETH", "supply", "1",
		"collection", "other-cats");
	PUT(&w, "bestbid:{" ITEM "}", 3, "as_of", "5", "bid_net", "4", "bid_net_currency", "ETH");
	ask(&w);
	expect_unknown(&w.in.bestbid.row, DOUBT_FEED);
	cr_expect(not(money_is_set(w.in.bestbid.bid_net)));
	world_fini(&w);
}

Test(join, stock_without_a_feed_is_what_its_row_says_else_nothing_taken)
{
	struct world w;

	world_init(&w);
	load_all(&w);
	ask(&w);
	cr_expect(eq(int, w.in.stock.row.state, ROW_NONE));
	PUT(&w, "stock:{" ITEM "}", 1, "supply", "2", "taken", "2");
	ask(&w);
	cr_expect(eq(int, w.in.stock.row.state, ROW_PRESENT));
	cr_expect(eq(i64, w.in.stock.taken, 2));
	world_fini(&w);
}

Test(join, a_stock_feed_has_to_be_fresh_where_there_is_one)
{
	struct world w;

	world_init(&w);
	load_all(&w);
	load_side(&w, "stock", SHARDS, true);
	ask(&w);
	cr_expect(eq(int, w.in.stock.row.state, ROW_NONE));
	loop_sim_advance(w.loop, 1001);
	ask(&w);
	expect_unknown(&w.in.stock.row, DOUBT_STALE);
	world_fini(&w);
}

Test(join, a_cache_that_goes_away_leaves_everything_unknown)
{
	struct join_batch *b;
	struct world w;

	world_init(&w);
	load_all(&w);
	cr_assert(zero(int, join_read(w.join, &event, 1, done, &w, &b)));
	sim_store_set_down(w.store, true);
	loop_sim_settle(w.loop);
	cr_expect(eq(int, w.n_done, 1));
	expect_unknown(&w.in.profile.row, DOUBT_CACHE);
	expect_unknown(&w.in.stock.row, DOUBT_CACHE);
	cr_expect(ne(int, join_read(w.join, &event, 1, done, &w, &b), 0));
	world_fini(&w);
}

Test(join, a_cancelled_batch_is_not_told)
{
	struct join_batch *b;
	struct world w;

	world_init(&w);
	cr_assert(zero(int, join_read(w.join, &event, 1, done, &w, &b)));
	join_cancel(b);
	loop_sim_settle(w.loop);
	cr_expect(eq(int, w.n_done, 0));
	cr_assert(zero(int, join_read(w.join, &event, 1, done, &w,
				    &b))); /* and one that never comes back is freed */
	world_fini(&w);
}

/* ---- changes that overtake their answers ---- */

struct asked {
	bool is_old[2];
	int n_done;
};

static void note_old(void *ctx, struct join_batch *batch)
{
	struct asked *a = ctx;

	a->n_done++;
	a->is_old[0] = join_is_old(batch, 0);
	a->is_old[1] = join_is_old(batch, 1);
}

static void ask_two(struct world *w, struct asked *a, const char *changed)
{
	static const struct join_event two[] = { { STR("u_42"), STR(ITEM) },
		{ STR("u_7"), STR("other:item/1") } };
	struct join_batch *b;

	*a = (struct asked){ .n_done = 0 };
	cr_assert(zero(int, join_read(w->join, two, 2, note_old, a, &b)));
	join_changed(w->join, str_of(changed));
	loop_sim_settle(w->loop);
	cr_assert(eq(int, a->n_done, 1));
}

Test(join, a_change_between_asking_and_answering_makes_the_event_old)
{
	struct asked a;
	struct world w;

	world_init(&w);
	load_all(&w);
	PUT_INVENTORY(&w, 1);
	ask(&w); /* shards and collection are known from now on */
	ask_two(&w, &a, "bestbid:{" ITEM "}");
	cr_expect(a.is_old[0] && !a.is_old[1]);
	ask_two(&w, &a, "loyalty:{u_7}");
	cr_expect(a.is_old[1] && !a.is_old[0]);
	ask_two(&w, &a, "loyalty:{nobody}");
	cr_expect(not(a.is_old[0] || a.is_old[1]));
	ask_two(&w, &a, NULL);
	cr_expect(a.is_old[0] && a.is_old[1], "a flush");
	join_changed(w.join, STR("loyalty:{u_7}")); /* nothing is in flight */
	world_fini(&w);
}

/* The second pipeline reads all rows again, after the change. */
Test(join, what_is_read_again_is_not_old)
{
	struct asked a;
	struct world w;

	world_init(&w);
	load_all(&w);
	PUT_INVENTORY(&w, 1);
	ask_two(&w, &a, "bestbid:{" ITEM "}");
	cr_expect(
		eq(i64, metrics_value(w.metrics, "souk_pricing_cache_reads_again_total", NULL), 1));
	cr_expect(not(a.is_old[0] || a.is_old[1]));
	world_fini(&w);
}
