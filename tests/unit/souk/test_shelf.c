/* What stands in the halls, against a Redis in memory and a schedule of four auctions. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <jansson.h>
#include <stdio.h>

#include "common/io/sim/cache_sim.h"
#include "common/io/sim/loop_sim.h"
#include "common/model/item.h"
#include "souk/demo/storefront/shelf.h"

#define START_MS 1795000000000
#define FROM_S   1000000
#define SPEED    1000 /* a second is a thousand */
#define ETH(n)   ((u128)(n)*1000000000000000000ull)

/* 1 runs: a bid before the start, one after 30 s, over after 60 s. 2 waits for its first bid after
 * 40 s. 3 comes after 20 s. 4 has no row. */
static const struct bid bids_1[] = { { 0, ETH(1), FROM_S - 500 }, { 1, ETH(2), FROM_S + 30000 } };
static const struct bid bids_2[] = { { 0, ETH(1), FROM_S + 40000 } };
static struct auction auctions[] = {
	{ .token = 1,
		.reserve = ETH(1),
		.listed_s = FROM_S - 1000,
		.end_s = FROM_S + 60000,
		.bids = bids_1,
		.n_bids = 2 },
	{ .token = 2,
		.reserve = ETH(1),
		.listed_s = FROM_S - 2000,
		.end_s = FROM_S + 140000,
		.bids = bids_2,
		.n_bids = 1 },
	{ .token = 3, .reserve = ETH(1), .listed_s = FROM_S + 20000 },
	{ .token = 4, .reserve = ETH(1), .listed_s = FROM_S - 3000 },
};
static const struct schedule schedule = { .auctions = auctions, .n_auctions = 4 };
static const struct story story = { FROM_S, START_MS, SPEED };

static struct loop *loop;
static struct sim_store *store;
static struct cache *cache;
static struct shelf *shelf;

static void put(const char *table, int token, const char *const *fields)
{
	char item[ITEM_MAX], key[ITEM_MAX + 16];
	struct row row = { 0 };

	schedule_item(item, &auctions[token - 1]);
	snprintf(key, sizeof(key), "%s:{%s}", table, item);
	for (; fields[0]; fields += 2)
		cr_assert(zero(int, row_put(&row, str_of(fields[0]), str_of(fields[1]))));
	cr_assert(zero(int, cache_view_put(cache, str_of(key), &row, 0, NULL, NULL)));
}

#define PUT(table, token, ...) put(table, token, (const char *const[]){ __VA_ARGS__, NULL })

static void setup(void)
{
	cr_assert(zero(int, loop_sim_new(&loop, START_MS)));
	cr_assert(zero(int, sim_store_new(&store, loop)));
	cr_assert(zero(int, cache_sim_new(&cache, store)));
	cr_assert(zero(int, shelf_new(&shelf, loop, cache, &schedule, &story)));
	loop_sim_settle(loop);
	for (int token = 1; token <= 3; token++)
		PUT("inventory", token, "list", "1500000000000000000", "list_currency", "ETH",
			"supply", "1");
	PUT("bestbid", 1, "bid", "1000000000000000000", "bid_currency", "ETH");
	loop_sim_settle(loop);
}

static void teardown(void)
{
	shelf_free(shelf);
	cache_free(cache);
	sim_store_free(store);
	loop_free(loop);
}

TestSuite(shelf, .init = setup, .fini = teardown);

/* The answer; *ret_status may be NULL. The caller has a reference. */
static json_t *ask(int *ret_status)
{
	CLEANUP(buf_fini) struct buf body = BUF_INIT(1 << 16);
	const int status = shelf_answer(shelf, STR_NONE, &body);
	json_t *j = json_loadb(body.p, body.n, 0, NULL);

	if (ret_status)
		*ret_status = status;
	cr_assert(j != NULL);
	return j;
}

/* The item's entry, borrowed from @j; NULL: it does not stand there. */
static const json_t *entry(const json_t *j, int token)
{
	const json_t *one;
	char title[32];
	size_t i;

	snprintf(title, sizeof(title), "Foundation #%d", token);
	json_array_foreach(json_object_get(j, "items"), i, one) {
		if (strcmp(json_string_value(json_object_get(one, "title")), title) == 0)
			return one;
	}
	return NULL;
}

static bool is_sold(const json_t *e)
{
	return json_is_true(json_object_get(e, "sold"));
}

Test(shelf, before_redis_has_answered_it_is_unavailable)
{
	int status;
	json_auto_t *j = ask(&status);

	cr_expect(eq(int, status, 503));
	cr_expect(json_object_get(j, "error") != NULL);
}

Test(shelf, what_is_listed_and_priced_stands_in_its_hall)
{
	int status;

	loop_sim_advance(loop, 1000);
	json_auto_t *j = ask(&status);
	const json_t *one = entry(j, 1), *two = entry(j, 2);

	cr_expect(eq(int, status, 200));
	cr_assert(one && two);
	cr_expect(eq(str, (char *)json_string_value(json_object_get(one, "hall")), "arena"));
	cr_expect(eq(str, (char *)json_string_value(json_object_get(two, "hall")), "atrium"));
	cr_expect(eq(i64, json_integer_value(json_object_get(one, "bids")), 1));
	cr_expect(eq(i64, json_integer_value(json_object_get(one, "next_in_ms")), 29000));
	cr_expect(eq(i64, json_integer_value(json_object_get(one, "ends_in_ms")), 59000));
	cr_expect(eq(str,
		(char *)json_string_value(json_object_get(json_object_get(one, "list"), "amount")),
		"1500000000000000000"));
	cr_expect(eq(str,
		(char *)json_string_value(json_object_get(json_object_get(one, "bid"), "amount")),
		"1000000000000000000"));
	cr_expect(json_object_get(two, "bid") == NULL);
	cr_expect(json_object_get(two, "ends_in_ms") == NULL);
	cr_expect(zero(int, is_sold(one) || is_sold(two)));
	cr_expect(entry(j, 3) == NULL, "not listed yet");
	cr_expect(entry(j, 4) == NULL, "no row yet");
}

Test(shelf, what_comes_is_put_up_behind_what_stands)
{
	loop_sim_advance(loop, 21000);
	json_auto_t *j = ask(NULL);
	const json_t *items = json_object_get(j, "items");

	cr_assert(eq(sz, json_array_size(items), 3));
	cr_expect(json_array_get(items, 0) == entry(j, 1));
	cr_expect(json_array_get(items, 1) == entry(j, 2));
	cr_expect(json_array_get(items, 2) == entry(j, 3));
}

Test(shelf, a_piece_keeps_its_hall_when_its_auction_begins)
{
	loop_sim_advance(loop, 41000);
	json_auto_t *j = ask(NULL);

	cr_expect(
		eq(str, (char *)json_string_value(json_object_get(entry(j, 2), "hall")), "atrium"));
	cr_expect(eq(i64, json_integer_value(json_object_get(entry(j, 2), "bids")), 1));
	cr_expect(json_object_get(entry(j, 2), "ends_in_ms") != NULL);
}

Test(shelf, a_sold_piece_stays_a_moment_and_never_comes_back)
{
	loop_sim_advance(loop, 60000);
	json_auto_t *at_the_end = ask(NULL);

	cr_assert(entry(at_the_end, 1) != NULL);
	cr_expect(is_sold(entry(at_the_end, 1)));
	loop_sim_advance(loop, SHELF_SOLD_MS + 3000);
	json_auto_t *later = ask(NULL);

	cr_expect(entry(later, 1) == NULL);
	cr_expect(entry(later, 2) != NULL);
}

Test(shelf, a_piece_of_which_no_unit_is_left_is_sold)
{
	loop_sim_advance(loop, 1000);
	PUT("stock", 2, "supply", "1", "taken", "1");
	loop_sim_advance(loop, 1000);
	json_auto_t *sold = ask(NULL);

	cr_expect(is_sold(entry(sold, 2)));
	cr_expect(zero(int, is_sold(entry(sold, 1))));
	/* A reservation that was released: it is back. */
	PUT("stock", 2, "supply", "1", "taken", "0");
	loop_sim_advance(loop, 1000);
	json_auto_t *back = ask(NULL);

	cr_expect(zero(int, is_sold(entry(back, 2))));
}

Test(shelf, while_redis_is_away_the_last_answer_stands)
{
	int status;

	loop_sim_advance(loop, 1000);
	sim_store_set_down(store, true);
	loop_sim_advance(loop, 5000);
	json_auto_t *j = ask(&status);

	cr_expect(eq(int, status, 200));
	cr_expect(entry(j, 1) != NULL);
	sim_store_set_down(store, false);
	loop_sim_advance(loop, 60000);
	json_auto_t *again = ask(NULL);

	cr_expect(entry(again, 3) != NULL, "and it goes on afterwards");
}
