#include "tests/unit/pricing/fixture.h"

#include "pricing/guard.h"

static struct guard_bounds bounds(const struct price_inputs *in)
{
	struct guard_limits limits;
	struct guard_bounds b;

	guard_limits(&limits, NULL, in);
	guard_bounds(&b, in, &limits);
	return b;
}

Test(guard, cost_and_margin_is_a_floor_rounded_up)
{
	struct price_inputs in = inputs_of_a_good_event();
	struct guard_bounds b;

	in.guards.max_discount_bps = 10000;
	in.guards.min_margin_bps = 1;
	in.inventory.cost = eth(10001);
	b = bounds(&in);
	cr_expect(b.floor == 10003, "10001 * 1.0001 = 10002.0001"); /* up */
	cr_expect(eq(str, (char *)b.floor_id, "cost"));
}

Test(guard, the_net_best_bid_and_its_distance_is_a_floor_rounded_up)
{
	struct price_inputs in = inputs_of_a_good_event();
	struct guard_bounds b;

	in.guards.max_discount_bps = 10000;
	in.bestbid.bid_net = eth(101);
	b = bounds(&in);
	cr_expect(b.floor == 105, "101 * 1.03 = 104.03");
	cr_expect(eq(str, (char *)b.floor_id, "best_bid"));
	in.bestbid.bid_net = eth(100);
	cr_expect(bounds(&in).floor == 103, "exact stays exact");
}

Test(guard, the_total_discount_is_a_floor_rounded_up)
{
	struct price_inputs in = inputs_of_a_good_event();
	struct guard_bounds b;

	in.inventory.list = eth(9999);
	in.guards.max_discount_bps = 2500;
	b = bounds(&in);
	cr_expect(b.floor == 7500, "9999 * 0.75 = 7499.25");
	cr_expect(eq(str, (char *)b.floor_id, "max_discount"));
}

Test(guard, the_highest_floor_and_the_lowest_ceiling_count)
{
	struct price_inputs in = inputs_of_a_good_event();
	struct guard_bounds b;

	in.inventory.list = eth(1000);
	in.inventory.cost = eth(700);
	in.bestbid.bid_net = eth(800);
	in.shown_price = eth(950);
	in.shown_bid_net = eth(800);
	b = bounds(&in);
	cr_expect(b.floor == 824);
	cr_expect(b.ceiling == 950);
	cr_expect(eq(str, (char *)b.ceiling_id, "shown"));
	in.inventory.cost = eth(900);
	cr_expect(eq(str, (char *)bounds(&in).floor_id, "cost"));
}

Test(guard, the_premium_ceiling_is_rounded_down)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.inventory.list = eth(9999);
	cr_expect(bounds(&in).ceiling == 9999);
	in.guards.max_premium_bps = 1;
	cr_expect(bounds(&in).ceiling == 9999, "9999.9999");
	in.guards.max_premium_bps = 2;
	cr_expect(bounds(&in).ceiling == 10000, "10000.9998");
}

Test(guard, what_was_shown_binds_until_the_market_moves)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.inventory.list = eth(1000);
	in.shown_price = eth(900);
	in.shown_bid_net = eth(10000);
	in.bestbid.bid_net = eth(10100); /* exactly 1 % */
	in.guards.floor_over_bid_bps = 0;
	cr_expect(eq(str, (char *)bounds(&in).ceiling_id, "shown"));
	in.bestbid.bid_net = eth(10101);
	cr_expect(eq(str, (char *)bounds(&in).ceiling_id, "list"));
	in.bestbid.bid_net = eth(9899);
	cr_expect(eq(str, (char *)bounds(&in).ceiling_id, "list"));
	in.bestbid.bid_net = eth(9900);
	cr_expect(eq(str, (char *)bounds(&in).ceiling_id, "shown"));
}

Test(guard, a_bid_that_came_or_went_is_a_moved_market)
{
	cr_expect(not(guard_market_moved((struct money){ 0 }, (struct money){ 0 }, 100)));
	cr_expect(guard_market_moved((struct money){ 0 }, eth(1), 100));
	cr_expect(guard_market_moved(eth(1), (struct money){ 0 }, 100));
	cr_expect(not(guard_market_moved(eth(5), weth(5), 0)));
	cr_expect(guard_market_moved(eth(5), weth(6), 0));
	cr_expect(guard_market_moved(eth(0), eth(1), 10000));
	cr_expect(
		guard_market_moved(eth(5), (struct money){ 5, currency_find(STR("EUR")) }, 10000));
}

Test(guard, parity_converts_and_anything_else_is_left_out_and_flagged)
{
	struct price_inputs in = inputs_of_a_good_event();
	struct guard_bounds b;

	in.inventory.list = eth(1000);
	in.bestbid.bid_net = weth(900);
	b = bounds(&in);
	cr_expect(b.floor == 927);
	cr_expect(eq(sz, b.n_no_fx, 0));

	in.bestbid.bid_net = (struct money){ 900, currency_find(STR("USDC")) };
	in.inventory.cost = (struct money){ 900, currency_find(STR("EUR")) };
	in.shown_price = (struct money){ 1, currency_find(STR("USD")) };
	b = bounds(&in);
	cr_expect(eq(str, (char *)b.floor_id, "max_discount"));
	cr_expect(eq(str, (char *)b.ceiling_id, "list"));
	cr_assert(eq(sz, b.n_no_fx, 3));
	cr_expect(eq(str, (char *)b.no_fx[0], "cost"));
	cr_expect(eq(str, (char *)b.no_fx[1], "best_bid"));
	cr_expect(eq(str, (char *)b.no_fx[2], "shown"));
}

Test(guard, the_largest_amounts_do_not_overflow)
{
	struct price_inputs in = inputs_of_a_good_event();
	u128 max = (((u128)1) << MONEY_INPUT_BITS) - 1;
	struct guard_bounds b;

	in.inventory.list = eth(max);
	in.inventory.cost = eth(max);
	in.bestbid.bid_net = eth(max);
	in.guards.floor_over_bid_bps = INT64_MAX; /* from a record that somebody else wrote */
	in.guards.max_premium_bps = 100000;
	b = bounds(&in);
	cr_expect(b.floor > b.ceiling);
	cr_expect(b.ceiling == max, "a price stays within what its readers take");
}

Test(guard, changed_rules_hold_the_price_shown_although_the_market_moved)
{
	struct price_inputs in = inputs_of_a_good_event();
	struct guard_bounds b;

	in.inventory.list = eth(1000);
	in.shown_price = eth(900);
	in.shown_bid_net = eth(500);
	in.bestbid.bid_net = eth(400);
	b = bounds(&in);
	cr_expect(b.ceiling == 1000 && b.unheld == 1000);
	in.holds = true;
	b = bounds(&in);
	cr_expect(eq(str, (char *)b.ceiling_id, "shown"));
	cr_expect(b.ceiling == 900 && b.unheld == 1000);
	in.bestbid.bid_net = eth(500); /* it binds anyway */
	b = bounds(&in);
	cr_expect(b.ceiling == 900 && b.unheld == 900);
}
