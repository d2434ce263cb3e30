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

/* ---- of the document ---- */

static struct guard_limits limits_of(const char *guards, const struct price_inputs *in)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(65536);
	struct guard_limits ret;

	buf_printf(&b, "{\"name\":\"g\",\"version\":\"1\",\"groups\":[],\"guards\":{%s}}", guards);
	buf_putc(&b, '\0');
	CLEANUP(ruleset_free) struct ruleset *r = ruleset_of(b.p);

	guard_limits(&ret, r, in);
	return ret;
}

Test(guard, a_document_can_only_narrow)
{
	struct price_inputs in = inputs_of_a_good_event();
	struct guard_limits l;

	in.guards.min_margin_bps = 200;
	in.guards.max_premium_bps = 100;
	in.guards.quantum = STR("1000");
	l = limits_of(
		"\"items\":{\"" ITEM
		"\":{\"min_margin_bps\":100,\"floor_over_bid_bps\":100,\"max_premium_bps\":200,"
		"\"max_discount_bps\":6000,\"round\":\"0.0000000000000001\"}}",
		&in);
	cr_expect(eq(i64, l.min_margin_bps, 200));
	cr_expect(eq(i64, l.floor_over_bid_bps, 300));
	cr_expect(eq(i64, l.max_premium_bps, 100));
	cr_expect(eq(i64, l.max_discount_bps, 5000));
	cr_expect(l.quantum == 1000);
	l = limits_of("\"items\":{\"" ITEM
		      "\":{\"min_margin_bps\":300,\"floor_over_bid_bps\":400,\"max_premium_bps\":0,"
		      "\"max_discount_bps\":1000,\"round\":\"0.0001\"}}",
		&in);
	cr_expect(eq(i64, l.min_margin_bps, 300));
	cr_expect(eq(i64, l.floor_over_bid_bps, 400));
	cr_expect(eq(i64, l.max_premium_bps, 0));
	cr_expect(eq(i64, l.max_discount_bps, 1000));
	cr_expect(l.quantum == (u128)ETH_ / 10000);
}

Test(guard, of_item_and_collection_the_stricter_binds_and_of_others_nothing)
{
	struct price_inputs in = inputs_of_a_good_event();
	static const char guards[] = "\"items\":{\"" ITEM "\":{\"max_discount_bps\":2000}},"
				     "\"collections\":{\"a\":{\"max_discount_bps\":10},\"cool-"
				     "cats\":{\"max_discount_bps\":"
				     "1500,\"min_margin_bps\":50},\"z\":{\"max_discount_bps\":10}}";
	struct guard_limits l = limits_of(guards, &in);

	cr_expect(eq(i64, l.max_discount_bps, 1500));
	cr_expect(eq(i64, l.min_margin_bps, 50));
	in.inventory.collection = STR("other");
	cr_expect(eq(i64, limits_of(guards, &in).max_discount_bps, 2000));
	in.inventory.collection = STR_NONE;
	in.interest.item = STR("other");
	cr_expect(eq(i64, limits_of(guards, &in).max_discount_bps, 5000));
}

Test(guard, a_quantum_that_the_currency_cannot_have_is_none)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.inventory.list = (struct money){ 1000, currency_find(STR("USDC")) };
	cr_expect(
		limits_of("\"items\":{\"" ITEM "\":{\"round\":\"0.0000001\"}}", &in).quantum == 1);
	cr_expect(limits_of("\"items\":{\"" ITEM "\":{\"round\":\"0.01\"}}", &in).quantum == 10000);
}
