#include "tests/unit/pricing/fixture.h"

#include <stdio.h>

static struct price_result price(const char *rules, const struct price_inputs *in)
{
	CLEANUP(ruleset_free) struct ruleset *r = ruleset_of(rules);
	struct price_result ret;

	fixture_compute(r, in, &ret);
	/* Texts borrow from the ruleset that goes now: only numbers and codes are looked at. */
	return ret;
}

static enum reason reason_of(const struct price_inputs *in)
{
	struct price_result r = price(RULES_NONE, in);

	cr_expect(eq(int, r.outcome == OUTCOME_OFFER, r.reason == REASON_NONE));
	cr_expect(eq(int, money_is_set(r.price), r.outcome == OUTCOME_OFFER));
	return r.reason;
}

static void expect_waterfall(const char *rules, const struct price_inputs *in, const char *json)
{
	CLEANUP(ruleset_free) struct ruleset *r = ruleset_of(rules);
	CLEANUP(buf_fini) struct buf out = BUF_INIT(65536);
	struct json_out j = JSON_OUT(&out);
	struct price_result result;

	fixture_compute(r, in, &result);
	compute_waterfall_json(&j, NULL, &result);
	cr_expect(str_eqz(buf_str(&out), json), "got " STR_FMT, STR_ARG(buf_str(&out)));
}

Test(compute, a_good_event_gets_the_list_price)
{
	struct price_inputs in = inputs_of_a_good_event();
	struct price_result r = price(RULES_NONE, &in);

	cr_expect(eq(int, r.outcome, OUTCOME_OFFER));
	cr_expect(r.price.amount == ETH_);
	cr_expect(not(r.personalised));
	expect_waterfall(RULES_NONE, &in,
		"[{\"step\":\"anchor\",\"id\":\"list\",\"before\":\"1000000000000000000\","
		"\"after\":\"1000000000000000000\"}]");
}

Test(compute, reasons_are_judged_in_the_documented_order)
{
	struct price_inputs in = inputs_of_a_good_event();

	/* Everything is wrong; repairing one after another shows the next. */
	in.deadline = in.now - 1;
	in.bad = STR("bad");
	in.profile.row.state = in.loyalty.row.state = ROW_UNKNOWN;
	in.inventory.age_ms = 15001;
	in.bestbid.age_ms = 15001;
	in.inventory.list = (struct money){ 0 };
	in.inventory.held = 1;
	in.inventory.supply = 0;
	in.paused = TRI_TRUE;
	in.guards.live_per_user = in.live_user = 3;

	cr_expect(eq(int, reason_of(&in), REASON_EXPIRED));
	cr_expect(eq(int, price(RULES_NONE, &in).outcome, OUTCOME_EXPIRED));
	in.deadline = in.now; /* the last moment */
	cr_expect(eq(int, reason_of(&in), REASON_BAD_EVENT));
	in.bad = STR_NONE;
	cr_expect(eq(int, reason_of(&in), REASON_STALE_PROFILE));
	in.profile.row.state = ROW_NONE;
	cr_expect(eq(int, reason_of(&in), REASON_STALE_LOYALTY));
	in.loyalty.row.state = ROW_NONE;
	cr_expect(eq(int, reason_of(&in), REASON_STALE_INVENTORY));
	in.inventory.age_ms = 15000;
	cr_expect(eq(int, reason_of(&in), REASON_STALE_MARKET));
	in.bestbid.age_ms = 15000;
	cr_expect(eq(int, reason_of(&in), REASON_SOLD_OUT));
	in.inventory.supply = 1;
	cr_expect(eq(int, reason_of(&in), REASON_NOT_FOR_SALE));
	in.inventory.list = eth(ETH_);
	cr_expect(eq(int, reason_of(&in), REASON_CIRCUIT_OPEN));
	in.inventory.held = 0;
	cr_expect(eq(int, reason_of(&in), REASON_PAUSED));
	in.paused = TRI_ABSENT;
	cr_expect(eq(int, reason_of(&in), REASON_QUOTE_LIMIT));
	in.live_user = 2;
	cr_expect(eq(int, reason_of(&in), REASON_NONE));
}

Test(compute, each_side_is_stale_by_its_own_limit)
{
	const struct {
		size_t age, max;
		enum reason reason;
	} sides[] = {
		{ offsetof(struct price_inputs, profile.age_ms),
			offsetof(struct price_inputs, guards.max_age_profile_ms),
			REASON_STALE_PROFILE },
		{ offsetof(struct price_inputs, loyalty.age_ms),
			offsetof(struct price_inputs, guards.max_age_loyalty_ms),
			REASON_STALE_LOYALTY },
		{ offsetof(struct price_inputs, inventory.age_ms),
			offsetof(struct price_inputs, guards.max_age_inventory_ms),
			REASON_STALE_INVENTORY },
		{ offsetof(struct price_inputs, bestbid.age_ms),
			offsetof(struct price_inputs, guards.max_age_market_ms),
			REASON_STALE_MARKET },
	};

	for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
		struct price_inputs in = inputs_of_a_good_event();

		*(int64_t *)((char *)&in + sides[i].age) = 501;
		*(int64_t *)((char *)&in + sides[i].max) = 500;
		cr_expect(eq(int, reason_of(&in), sides[i].reason));
		*(int64_t *)((char *)&in + sides[i].max) = 501;
		cr_expect(eq(int, reason_of(&in), REASON_NONE));
	}
}

Test(compute, no_inventory_row_is_no_listing_and_has_no_market_side)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.inventory = (struct input_inventory){ .row.state = ROW_NONE };
	in.bestbid = (struct input_bestbid){ .row.state = ROW_UNKNOWN };
	cr_expect(eq(int, reason_of(&in), REASON_NO_LISTING));
}

Test(compute, an_item_without_a_collection_has_no_market_side)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.inventory.collection = STR_NONE;
	in.bestbid = (struct input_bestbid){ .row.state = ROW_UNKNOWN };
	cr_expect(eq(int, reason_of(&in), REASON_NONE));
}

Test(compute, stock_is_part_of_the_inventory_side)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.stock.row.state = ROW_UNKNOWN;
	cr_expect(eq(int, reason_of(&in), REASON_STALE_INVENTORY));
	in.stock.row.state = ROW_PRESENT;
	in.stock.taken = 1;
	cr_expect(eq(int, reason_of(&in), REASON_SOLD_OUT));
	in.stock.taken = 2; /* oversold elsewhere */
	cr_expect(eq(int, reason_of(&in), REASON_SOLD_OUT));
	in.inventory.supply = INT64_MAX;
	in.stock.taken = INT64_MIN;
	cr_expect(eq(int, reason_of(&in), REASON_NONE));
}

Test(compute, quote_limits_count_users_and_items_and_zero_is_none)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.live_user = in.live_item = 1000;
	cr_expect(eq(int, reason_of(&in), REASON_NONE));
	in.guards.live_per_item = 1001;
	cr_expect(eq(int, reason_of(&in), REASON_NONE));
	in.guards.live_per_item = 1000;
	cr_expect(eq(int, reason_of(&in), REASON_QUOTE_LIMIT));
}

Test(compute, basis_points_of_a_group_are_summed_and_applied_once)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.loyalty.tier = TIER_GOLD;
	in.loyalty.points = 5000;
	in.profile.segment = STR("collector");
	in.personalization = TRI_TRUE;
	in.interest.device = 1;
	in.inventory.list = eth(1001);
	/* 1001 * 0.92 = 920.92; three products would be 921.0 after roundings of 950.95, 931.93,
	 * 922.6. */
	expect_waterfall(RULES_THREE, &in,
		"[{\"step\":\"anchor\",\"id\":\"list\",\"before\":\"1001\",\"after\":\"1001\"},"
		"{\"step\":\"rule\",\"id\":\"gold-tier\",\"before\":\"1001\",\"after\":\"951\"},"
		"{\"step\":\"rule\",\"id\":\"collector\",\"before\":\"951\",\"after\":\"931\"},"
		"{\"step\":\"rule\",\"id\":\"ar\",\"before\":\"931\",\"after\":\"921\"}]");
	cr_expect(price(RULES_THREE, &in).price.amount == 921);
}

Test(compute, an_exact_half_goes_to_the_even_neighbour)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.interest.device = 1; /* -1 % */
	in.inventory.list = eth(50);
	cr_expect(price(RULES_THREE, &in).price.amount == 50, "49.5");
	in.inventory.list = eth(150);
	cr_expect(price(RULES_THREE, &in).price.amount == 148, "148.5");
}

Test(compute, member_and_personal_rules_personalise_and_context_does_not)
{
	struct price_inputs in = inputs_of_a_good_event();
	CLEANUP(ruleset_free) struct ruleset *r = ruleset_of(RULES_THREE);
	struct price_result result;

	in.interest.device = 1;
	fixture_compute(r, &in, &result);
	cr_expect(not(result.personalised));
	cr_expect(not(str_is_set(result.disclosure)));
	cr_expect(eq(sz, result.n_reasons, 1));
	cr_expect(str_eqz(result.reasons[0].text, "In the gallery"));

	in.loyalty.tier = TIER_GOLD;
	in.loyalty.points = 5000;
	in.profile.country = STR("DE");
	fixture_compute(r, &in, &result);
	cr_expect(result.personalised);
	cr_expect(str_eqz(result.disclosure, "Fuer Sie."));
	cr_expect(eq(sz, result.n_reasons, 2));
}

Test(compute, personal_rules_need_consent_and_the_waterfall_says_so)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.profile.segment = STR("collector");
	expect_waterfall(RULES_THREE, &in,
		"[{\"step\":\"anchor\",\"id\":\"list\",\"before\":\"1000000000000000000\","
		"\"after\":\"1000000000000000000\"},"
		"{\"step\":\"rule\",\"id\":\"collector\",\"before\":\"1000000000000000000\","
		"\"after\":\"1000000000000000000\","
		"\"note\":\"no_consent\"}]");
	cr_expect(not(price(RULES_THREE, &in).personalised));
	in.personalization = TRI_TRUE;
	cr_expect(price(RULES_THREE, &in).price.amount == (u128)ETH_ / 100 * 98);
	cr_expect(price(RULES_THREE, &in).personalised);
}

Test(compute, consent_is_the_profiles_and_can_only_be_narrowed_by_the_context)
{
	const struct {
		int state, profile, context;
		bool ok;
	} cases[] = {
		{ ROW_PRESENT, TRI_TRUE, TRI_ABSENT, true },
		{ ROW_PRESENT, TRI_TRUE, TRI_TRUE, true },
		{ ROW_PRESENT, TRI_TRUE, TRI_FALSE, false },
		{ ROW_PRESENT, TRI_ABSENT, TRI_TRUE, false },
		{ ROW_PRESENT, TRI_FALSE, TRI_TRUE, false },
		{ ROW_NONE, TRI_TRUE, TRI_TRUE, false },
		{ ROW_UNKNOWN, TRI_TRUE, TRI_TRUE, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct price_inputs in = inputs_of_a_good_event();

		in.profile.row.state = cases[i].state;
		in.profile.consent = cases[i].profile;
		in.interest.consent_personalization = cases[i].context;
		cr_expect(eq(int, inputs_consent(&in), cases[i].ok), "case %zu", i);
	}
}

#define RULE_BPS(bps) \
	"{\"name\":\"a\",\"version\":\"1\",\"groups\":[{\"id\":\"g\",\"mode\":\"stack\"," \
	"\"rules\":[{\"id\":\"r\",\"bps\":" bps ",\"explanation\":{\"en\":\"r\"}}]}]}"

Test(compute, the_price_is_rounded_and_then_brought_inside)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.inventory.list = eth(1234);
	in.guards.quantum = STR("100");
	/* 1234 * 0.9 = 1110.6 -> 1111 -> 1100, below the floor of 1107 * 1.03 = 1140.21. */
	in.bestbid.bid_net = eth(1107);
	expect_waterfall(RULE_BPS("-1000"), &in,
		"[{\"step\":\"anchor\",\"id\":\"list\",\"before\":\"1234\",\"after\":\"1234\"},"
		"{\"step\":\"rule\",\"id\":\"r\",\"before\":\"1234\",\"after\":\"1111\"},"
		"{\"step\":\"round\",\"id\":\"quantum\",\"before\":\"1111\",\"after\":\"1100\"},"
		"{\"step\":\"guard\",\"id\":\"best_bid\",\"before\":\"1100\",\"after\":\"1141\"}]");
}

Test(compute, rounding_up_over_the_ceiling_comes_down_again)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.inventory.list = eth(1260);
	in.guards.quantum = STR("100");
	expect_waterfall(RULES_NONE, &in,
		"[{\"step\":\"anchor\",\"id\":\"list\",\"before\":\"1260\",\"after\":\"1260\"},"
		"{\"step\":\"round\",\"id\":\"quantum\",\"before\":\"1260\",\"after\":\"1300\"},"
		"{\"step\":\"guard\",\"id\":\"list\",\"before\":\"1300\",\"after\":\"1260\"}]");
}

Test(compute, no_rule_takes_a_price_over_the_ceiling_or_under_the_discount_limit)
{
	struct price_inputs in = inputs_of_a_good_event();

	cr_expect(price(RULE_BPS("10000"), &in).price.amount == ETH_);
	cr_expect(price(RULE_BPS("-10000"), &in).price.amount == ETH_ / 2);
	in.guards.max_premium_bps = 500;
	cr_expect(price(RULE_BPS("10000"), &in).price.amount == (u128)ETH_ / 100 * 105);
}

Test(compute, discounts_of_more_than_everything_are_everything)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.guards.max_discount_bps = 10000;
	cr_expect(price("{\"name\":\"a\",\"version\":\"1\",\"groups\":[{\"id\":\"g\",\"mode\":"
			"\"stack\",\"rules\":["
			"{\"id\":\"a\",\"bps\":-9000,\"explanation\":{\"en\":\"r\"}},"
			"{\"id\":\"b\",\"bps\":-9000,\"explanation\":{\"en\":\"r\"}}]}]}",
			  &in)
			  .price.amount == 0);
}

Test(compute, a_floor_above_the_ceiling_is_a_conflict_and_both_are_named)
{
	struct price_inputs in = inputs_of_a_good_event();
	struct price_result r;

	in.inventory.list = eth(1000);
	in.bestbid.bid_net = weth(1000);
	r = price(RULES_THREE, &in);
	cr_expect(eq(int, r.outcome, OUTCOME_NO_OFFER));
	cr_expect(eq(int, r.reason, REASON_GUARD_CONFLICT));
	cr_expect(not(money_is_set(r.price)));
	cr_expect(eq(sz, r.n_reasons, 0));
	expect_waterfall(RULES_NONE, &in,
		"[{\"step\":\"anchor\",\"id\":\"list\",\"before\":\"1000\",\"after\":\"1000\"},"
		"{\"step\":\"guard\",\"id\":\"best_bid\",\"before\":\"1000\",\"after\":\"1030\","
		"\"note\":\"conflict\"},"
		"{\"step\":\"guard\",\"id\":\"list\",\"before\":\"1030\",\"after\":\"1000\","
		"\"note\":\"conflict\"}]");
	in.inventory.list = eth(1030); /* floor and ceiling meet */
	r = price(RULES_NONE, &in);
	cr_expect(eq(int, r.outcome, OUTCOME_OFFER));
	cr_expect(r.price.amount == 1030);
}

Test(compute, a_value_without_a_path_to_the_list_currency_is_flagged)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.inventory.list = eth(1000);
	in.bestbid.bid_net = (struct money){ 5000, currency_find(STR("USDC")) };
	expect_waterfall(RULES_NONE, &in,
		"[{\"step\":\"anchor\",\"id\":\"list\",\"before\":\"1000\",\"after\":\"1000\"},"
		"{\"step\":\"guard\",\"id\":\"best_bid\",\"before\":\"1000\",\"after\":\"1000\","
		"\"note\":\"no_fx\"}]");
	cr_expect(eq(int, reason_of(&in), REASON_NONE));
}

Test(compute, a_lower_price_shown_before_is_the_ceiling)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.shown_price = eth(ETH_ - 5);
	cr_expect(price(RULES_NONE, &in).price.amount == ETH_ - 5);
	in.bestbid.bid_net = eth(1); /* there was none: the market moved */
	cr_expect(price(RULES_NONE, &in).price.amount == ETH_);
}

/* Sweep: whatever the rules say, a price is inside its guards or there is none. */
Test(compute, every_price_is_inside_its_guards)
{
	char rules[256];

	for (int bps = -10000; bps <= 10000; bps += 487) {
		snprintf(rules, sizeof(rules),
			"{\"name\":\"a\",\"version\":\"1\",\"groups\":[{\"id\":\"g\",\"mode\":"
			"\"stack\",\"rules\":[{\"id\":\"r\",\"bps\":%d,\"explanation\":{\"en\":"
			"\"r\"}}]}]}",
			bps);
		for (int bid = 0; bid <= 1100; bid += 97) {
			struct price_inputs in = inputs_of_a_good_event();
			struct price_result r;

			in.inventory.list = eth(1000 + (u128)bid % 13);
			in.bestbid.bid_net = bid ? weth((u128)bid) : (struct money){ 0 };
			in.inventory.cost = eth(500 + (u128)bid % 7);
			in.guards.quantum = STR("50");
			r = price(rules, &in);
			if (r.outcome != OUTCOME_OFFER)
				continue;
			cr_assert(r.price.amount <= in.inventory.list.amount);
			cr_assert(r.price.amount * 10000 >= (u128)bid * 10300);
			cr_assert(r.price.amount >= in.inventory.cost.amount);
			cr_assert(r.price.amount * 2 >= in.inventory.list.amount);
		}
	}
}

/* ---- suppression, perks, alternatives ---- */

#define OTHER "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/78"
#define THIRD "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/79"

/* Not in the lobby; gold members get two perks; three suggestions that name some items twice. */
#define RULES_RICH \
	"{\"name\":\"rich\",\"version\":\"1\",\"language\":\"en\",\"disclosure\":{\"default\":" \
	"\"d\"}," \
	"\"groups\":[{\"id\":\"g\",\"mode\":\"stack\",\"rules\":[" \
	"{\"id\":\"lobby\",\"when\":\"session.place == 'lobby'\",\"suppress\":true}," \
	"{\"id\":\"gold\",\"when\":\"customer.tier == " \
	"'gold'\",\"bps\":-500,\"explanation\":{\"en\":" \
	"\"Gold " \
	"member\",\"de\":\"Gold-Mitglied\"},\"perks\":[{\"id\":\"early\",\"text\":{\"en\":" \
	"\"Early\"," \
	"\"de\":\"Vorab\"}},{\"id\":\"tour\",\"text\":{\"en\":\"A tour\"}}]}," \
	"{\"id\":\"look\",\"when\":\"session.dwell_ms > " \
	"9\",\"perks\":[{\"id\":\"early\",\"text\":{" \
	"\"en\":\"Early\",\"de\":\"Vorab\"}}]}," \
	"{\"id\":\"div\",\"when\":\"1 / session.dwell_ms == " \
	"7\",\"bps\":-1,\"explanation\":{\"en\":\"e\"}}" \
	"]}],\"suggest\":[" \
	"{\"id\":\"gone\",\"when\":\"item.left == 0\",\"items\":[\"" ITEM "\",\"" OTHER "\"]}," \
	"{\"id\":\"lobby\",\"when\":\"session.place == 'lobby'\",\"items\":[\"" OTHER \
	"\",\"" THIRD "\"]}," \
	"{\"id\":\"personal\",\"when\":\"customer.segment == 'collector'\",\"items\":[\"" THIRD \
	"\"]}]}"

static void expect_alternatives(const struct price_result *r, const char *json)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
	struct json_out j = JSON_OUT(&b);

	compute_alternatives_json(&j, NULL, r);
	cr_expect(str_eqz(buf_str(&b), json), "got " STR_FMT, STR_ARG(buf_str(&b)));
}

Test(compute, a_suppressed_item_has_no_offer_after_every_other_refusal)
{
	CLEANUP(ruleset_free) struct ruleset *r = ruleset_of(RULES_RICH);
	struct price_inputs in = inputs_of_a_good_event();
	struct price_result result;

	in.interest.place = STR("lobby");
	in.interest.dwell_ms = 10;
	in.loyalty.tier = TIER_GOLD;
	in.guards.live_per_user = in.live_user = 1;
	fixture_compute(r, &in, &result);
	cr_expect(eq(int, result.reason, REASON_QUOTE_LIMIT));
	expect_alternatives(&result, "[]");

	in.live_user = 0;
	fixture_compute(r, &in, &result);
	cr_expect(eq(int, result.outcome, OUTCOME_NO_OFFER));
	cr_expect(eq(int, result.reason, REASON_SUPPRESSED));
	cr_expect(not(money_is_set(result.price)));
	cr_expect(not(result.personalised));
	cr_expect(eq(sz, result.n_reasons + result.n_perks, 0));
	expect_alternatives(&result, "[\"" OTHER "\",\"" THIRD "\"]");
	expect_waterfall(RULES_RICH, &in,
		"[{\"step\":\"anchor\",\"id\":\"list\",\"before\":\"1000000000000000000\","
		"\"after\":\"1000000000000000000\"},"
		"{\"step\":\"rule\",\"id\":\"lobby\",\"before\":\"1000000000000000000\","
		"\"after\":\"1000000000000000000\",\"note\":\"suppressed\"},"
		"{\"step\":\"rule\",\"id\":\"gold\",\"before\":\"1000000000000000000\","
		"\"after\":\"950000000000000000\"},"
		"{\"step\":\"rule\",\"id\":\"look\",\"before\":\"950000000000000000\","
		"\"after\":\"950000000000000000\"}]");
	in.is_revision = true;
	fixture_compute(r, &in, &result);
	cr_expect(eq(int, result.outcome, OUTCOME_WITHDRAWN));
	cr_expect(eq(int, result.reason, REASON_SUPPRESSED));
}

Test(compute, perks_come_once_and_in_the_shoppers_language)
{
	CLEANUP(ruleset_free) struct ruleset *r = ruleset_of(RULES_RICH);
	struct price_inputs in = inputs_of_a_good_event();
	struct price_result result;

	in.interest.dwell_ms = 10;
	in.loyalty.tier = TIER_GOLD;
	in.interest.locale = STR("de-AT");
	fixture_compute(r, &in, &result);
	cr_assert(eq(sz, result.n_perks, 2));
	cr_expect(str_eqz(result.perks[0].id, "early"));
	cr_expect(str_eqz(result.perks[0].text, "Vorab"));
	cr_expect(str_eqz(result.perks[1].text, "A tour"), "there is no other");
	cr_assert(eq(sz, result.n_reasons, 1), "of rules with an explanation");
	cr_expect(str_eqz(result.reasons[0].text, "Gold-Mitglied"));
	in.interest.locale = STR("fr");
	fixture_compute(r, &in, &result);
	cr_expect(str_eqz(result.reasons[0].text, "Gold member"));
	in.loyalty.tier = TIER_NONE; /* perks without a price */
	fixture_compute(r, &in, &result);
	cr_expect(eq(sz, result.n_perks, 1));
	cr_expect(result.price.amount == ETH_);
	cr_expect(not(result.personalised));
}

Test(compute, alternatives_are_for_offers_and_some_refusals_and_never_the_item_itself)
{
	CLEANUP(ruleset_free) struct ruleset *r = ruleset_of(RULES_RICH);
	struct price_inputs in = inputs_of_a_good_event();
	struct price_result result;

	in.profile.segment = STR("collector");
	fixture_compute(r, &in, &result);
	expect_alternatives(&result, "[]"); /* no consent */
	in.personalization = TRI_TRUE;
	fixture_compute(r, &in, &result);
	expect_alternatives(&result, "[\"" THIRD "\"]");
	cr_expect(eq(int, result.outcome, OUTCOME_OFFER));

	in.stock = (struct input_stock){ .row.state = ROW_PRESENT, .taken = 1 };
	fixture_compute(r, &in, &result);
	cr_expect(eq(int, result.reason, REASON_SOLD_OUT));
	expect_alternatives(&result, "[\"" OTHER "\",\"" THIRD "\"]");
	in.bestbid.age_ms = 15001;
	fixture_compute(r, &in, &result);
	cr_expect(eq(int, result.reason, REASON_STALE_MARKET));
	expect_alternatives(&result, "[]");
	in.bestbid.age_ms = 0;
	in.stock.taken = 0;
	in.inventory.list = (struct money){ 0 };
	fixture_compute(r, &in, &result);
	cr_expect(eq(int, result.reason, REASON_NOT_FOR_SALE));
	expect_alternatives(&result, "[\"" THIRD "\"]");
	in.inventory.list = eth(1000);
	in.bestbid.bid_net = eth(1000);
	fixture_compute(r, &in, &result);
	cr_expect(eq(int, result.reason, REASON_GUARD_CONFLICT));
	expect_alternatives(&result, "[\"" THIRD "\"]");
}

Test(compute, a_rule_that_fails_is_named_with_its_error_and_changes_nothing)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.interest.dwell_ms = 0;
	expect_waterfall(RULES_RICH, &in,
		"[{\"step\":\"anchor\",\"id\":\"list\",\"before\":\"1000000000000000000\","
		"\"after\":\"1000000000000000000\"},"
		"{\"step\":\"rule\",\"id\":\"div\",\"before\":\"1000000000000000000\","
		"\"after\":\"1000000000000000000\",\"note\":\"failed:divide\"}]");
	cr_expect(price(RULES_RICH, &in).price.amount == ETH_);
	cr_expect(eq(sz, price(RULES_RICH, &in).decided.n_failed, 1));
}

Test(compute, the_quantum_is_rounded_to_in_the_rulesets_mode)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.inventory.list = eth(1999);
	in.guards.quantum = STR("100");
	in.guards.max_premium_bps = 1000;
	cr_expect(
		price("{\"name\":\"a\",\"version\":\"1\",\"rounding\":\"down\",\"groups\":[]}", &in)
			.price.amount == 1900);
	cr_expect(price("{\"name\":\"a\",\"version\":\"1\",\"rounding\":\"up\",\"groups\":[]}", &in)
			  .price.amount == 2000);
}

/* ---- revisions ---- */

static struct price_inputs inputs_of_a_revision(void)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.is_revision = true;
	return in;
}

Test(compute, a_revision_is_an_offer_or_a_withdrawal)
{
	struct price_inputs in = inputs_of_a_revision();
	struct price_result r;

	cr_expect(eq(int, price(RULES_NONE, &in).outcome, OUTCOME_OFFER));
	in.stock = (struct input_stock){ .row.state = ROW_PRESENT, .taken = 1 };
	r = price(RULES_NONE, &in);
	cr_expect(eq(int, r.outcome, OUTCOME_WITHDRAWN));
	cr_expect(eq(int, r.reason, REASON_SOLD_OUT));
	cr_expect(not(money_is_set(r.price)));
}

Test(compute, a_revision_is_under_no_limit_of_live_quotes)
{
	struct price_inputs in = inputs_of_a_revision();

	in.guards.live_per_user = in.guards.live_per_item = 1;
	in.live_user = in.live_item = 5;
	cr_expect(eq(int, reason_of(&in), REASON_NONE));
	in.is_revision = false;
	cr_expect(eq(int, reason_of(&in), REASON_QUOTE_LIMIT));
}

Test(compute, for_a_revision_a_pause_is_judged_before_everything)
{
	struct price_inputs in = inputs_of_a_revision();

	in.paused = TRI_TRUE;
	in.profile = (struct input_profile){ .row = { ROW_UNKNOWN, DOUBT_CACHE, 0, { { 0 } } } };
	in.inventory.supply = 0;
	cr_expect(eq(int, reason_of(&in), REASON_PAUSED));
	in.is_revision = false;
	cr_expect(eq(int, reason_of(&in), REASON_STALE_PROFILE));
}

Test(compute, a_conflict_that_only_changed_rules_make_is_a_rule_change)
{
	struct price_inputs in = inputs_of_a_revision();

	in.inventory.list = eth(1000);
	in.shown_price = eth(900);
	in.bestbid.bid_net = eth(900); /* came: the market moved; the floor is 927 */
	cr_expect(price(RULES_NONE, &in).price.amount == 1000);
	in.holds = true;
	cr_expect(eq(int, reason_of(&in), REASON_RULE_CHANGE));
	in.bestbid.bid_net = eth(990); /* over the list price too: no more than a conflict */
	cr_expect(eq(int, reason_of(&in), REASON_GUARD_CONFLICT));
	in.bestbid.bid_net = in.shown_bid_net = eth(900); /* it did not move */
	cr_expect(eq(int, reason_of(&in), REASON_GUARD_CONFLICT));
}
