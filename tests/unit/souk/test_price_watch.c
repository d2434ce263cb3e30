/* A price that rises in a session without the market is found; one that may rise is not. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>

#include "souk/demo/price_watch.h"

#define BINDS_MS     25000
#define REMEMBERS_MS 31000

static struct price_watch *watch;

static void setup(void)
{
	cr_assert(zero(int, price_watch_new(&watch, BINDS_MS, REMEMBERS_MS)));
}

static void teardown(void)
{
	price_watch_free(watch);
}

TestSuite(price_watch, .init = setup, .fini = teardown);

static struct shown_price shown(int64_t now_ms, unsigned price, unsigned bid)
{
	return (struct shown_price){ .session = STR("s"),
		.user = STR("u"),
		.item = STR("i"),
		.now_ms = now_ms,
		.price = { price, currency_find(STR("ETH")) },
		.bid_net = { bid, bid ? currency_find(STR("WETH")) : 0 },
		.moved_bps = 500 };
}

static bool rises(int64_t now_ms, unsigned price, unsigned bid)
{
	struct shown_price s = shown(now_ms, price, bid);

	return price_watch_rises(watch, &s);
}

Test(price_watch, a_rise_with_the_market_where_it_was_is_found)
{
	cr_expect(not(rises(1000, 500, 100)));
	cr_expect(not(rises(1100, 500, 100)));
	cr_expect(not(rises(1200, 490, 100)));
	cr_expect(rises(1300, 491, 104), "4 % is no move");
}

Test(price_watch, a_rise_above_an_earlier_lower_price_is_found)
{
	rises(1000, 400, 100);
	rises(1100, 500, 100);
	cr_expect(rises(1200, 450, 100), "below the last, above the first");
}

Test(price_watch, a_rise_with_the_market_is_right)
{
	rises(1000, 500, 100);
	cr_expect(not(rises(1100, 600, 105)));
	cr_expect(not(rises(1200, 700, 95)), "down is a move, too");
}

Test(price_watch, a_market_that_came_back_has_moved)
{
	rises(1000, 500, 100);
	rises(1100, 500, 150);
	cr_expect(not(rises(1200, 600, 100)));
}

Test(price_watch, a_market_that_drifts_has_moved_in_the_end)
{
	rises(1000, 500, 100);
	cr_expect(not(rises(1100, 500, 103)));
	cr_expect(not(rises(1200, 502, 106)), "against the first");
}

Test(price_watch, what_pricing_may_still_remember_excuses)
{
	rises(1000, 500, 90);
	rises(29000, 500, 100);
	cr_expect(not(rises(30000, 501, 100)));
	cr_expect(rises(1001 + REMEMBERS_MS, 502, 100), "not any more");
}

Test(price_watch, of_more_than_it_keeps_nothing_is_said)
{
	for (int i = 0; i < PRICE_WATCH_OFFERS; i++)
		cr_expect(not(rises(1000 + i, 500, 100)));
	cr_expect(rises(2000, 501, 100));
	cr_expect(not(rises(2100, 502, 100)));
}

Test(price_watch, a_bid_that_comes_or_goes_is_a_move)
{
	rises(1000, 500, 0);
	cr_expect(not(rises(1100, 600, 1)));
	cr_expect(not(rises(1200, 700, 0)));
}

Test(price_watch, no_bid_at_all_is_a_market_that_did_not_move)
{
	rises(1000, 500, 0);
	cr_expect(rises(1100, 501, 0));
}

Test(price_watch, a_lower_price_binds_for_its_window_only)
{
	rises(1000, 500, 100);
	cr_expect(rises(1000 + BINDS_MS, 501, 100));
	teardown();
	setup();
	rises(1000, 500, 100);
	cr_expect(not(rises(1001 + BINDS_MS, 501, 100)));
}

Test(price_watch, sessions_users_and_items_are_apart)
{
	struct shown_price s = shown(1000, 500, 100);

	cr_expect(not(price_watch_rises(watch, &s)));
	s.price.amount = 600;
	s.session = STR("s2");
	cr_expect(not(price_watch_rises(watch, &s)));
	s.session = STR("s");
	s.user = STR("u2");
	cr_expect(not(price_watch_rises(watch, &s)));
	s.user = STR("u");
	s.item = STR("i2");
	cr_expect(not(price_watch_rises(watch, &s)));
}

Test(price_watch, prices_of_two_currencies_are_not_compared)
{
	struct shown_price s = shown(1100, 600, 100);

	rises(1000, 500, 100);
	s.price.currency = currency_find(STR("USDC"));
	cr_expect(not(price_watch_rises(watch, &s)));
}

Test(price_watch, when_it_is_full_the_oldest_is_forgotten_and_the_others_are_not)
{
	char user[24];
	struct shown_price s = shown(1000, 500, 100);

	for (unsigned i = 0; i <= PRICE_WATCH_MAX; i++) {
		snprintf(user, sizeof(user), "u-%u", i);
		s.user = str_of(user);
		price_watch_rises(watch, &s);
	}
	s.price.amount = 501;
	cr_expect(price_watch_rises(watch, &s), "the last is there");
	s.user = STR("u-1");
	cr_expect(price_watch_rises(watch, &s), "and the second");
	s.user = STR("u-0");
	cr_expect(not(price_watch_rises(watch, &s)), "the first is not");
}
