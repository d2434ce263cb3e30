#include "tests/unit/pricing/fixture.h"

#include "pricing/explain.h"

#define EN "\"explanation\":{\"en\":\"e\"}"

static void explain(
	struct buf *text, struct buf *json, const char *groups, const struct price_inputs *in)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(65536);
	CLEANUP(explain_free) struct explain *e = NULL;
	struct json_out j = JSON_OUT(json);

	buf_printf(&b,
		"{\"name\":\"x\",\"version\":\"1\",\"disclosure\":{\"default\":\"d\"},\"groups\":[%"
		"s]}",
		groups);
	buf_putc(&b, '\0');
	CLEANUP(ruleset_free) struct ruleset *r = ruleset_of(b.p);

	cr_assert(zero(int, explain_new(&e, r, in)));
	explain_print(text, e);
	explain_json(&j, NULL, e);
	buf_putc(text, '\0');
	buf_putc(json, '\0');
}

static void expect_part(const char *groups, const struct price_inputs *in, const char *text_part,
	const char *json_part)
{
	CLEANUP(buf_fini) struct buf text = BUF_INIT(1 << 20);
	CLEANUP(buf_fini) struct buf json = BUF_INIT(1 << 20);

	explain(&text, &json, groups, in);
	cr_expect(strstr(text.p, text_part) != NULL, "\n%s\nhas no\n%s", text.p, text_part);
	cr_expect(strstr(json.p, json_part) != NULL, "\n%s\nhas no\n%s", json.p, json_part);
}

#define GROUP(mode, rules) "{\"id\":\"g\",\"mode\":\"" mode "\",\"rules\":[" rules "]}"
#define RULE(id, when, bps) \
	"{\"id\":\"" id "\",\"when\":\"" when "\",\"bps\":" bps "," EN ",\"note\":\"-\"}"

Test(explain, a_condition_is_told_conjunct_by_conjunct_with_the_nearest_value)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.loyalty.points = 4000;
	in.bestbid.bid_net = weth(5);
	expect_part(
		GROUP("stack",
			RULE("r",
				"customer.points >= 5000 && session.signal in ['ask', 'touch'] && "
				"customer.tier == 'none'",
				"-500")),
		&in,
		"    r: did not fire\n"
		"      customer.points >= 5000\n"
		"        customer.points is 4000, needs 5000\n"
		"      session.signal in ['ask', 'touch']\n"
		"        session.signal is \"view\", needs \"ask\" or \"touch\"\n",
		"{\"id\":\"r\",\"state\":\"condition\",\"when\":\"customer.points >= 5000 && "
		"session.signal in ['ask', 'touch'] && customer.tier == "
		"'none'\",\"tests\":[{\"text\":\"customer.points >= "
		"5000\",\"field\":\"customer.points\",\"has\":\"4000\",\"needs\":\"5000\"},");
	expect_part(
		GROUP("stack", RULE("r", "customer.points > 100 && customer.points < 3000", "1")),
		&in, "customer.points < 3000\n        customer.points is 4000, needs 2999\n",
		"\"needs\":\"2999\"");
	expect_part(GROUP("stack", RULE("r", "market.bid_net > eth('1')", "-1")), &in,
		"market.bid_net is ", "\"needs\":\"eth(\\\"1.000000000000000001\\\")\"");
	expect_part(GROUP("stack", RULE("r", "market.floor > eth('1')", "-1")), &in,
		"market.floor is absent, needs ", "\"has\":\"absent\"");
	expect_part(GROUP("stack", RULE("r", "customer.tier != 'none'", "-1")), &in,
		"customer.tier is \"none\", needs not \"none\"", "\"needs\":\"not \\\"none\\\"\"");
}

Test(explain, what_no_index_can_say_is_told_as_it_was_written)
{
	struct price_inputs in = inputs_of_a_good_event();

	expect_part(
		GROUP("stack", RULE("r", "10 / customer.points > 3 && session.dwell_ms > 9", "-1")),
		&in,
		"      10 / customer.points > 3\n        cannot be answered: divide\n"
		"      session.dwell_ms > 9\n        session.dwell_ms is 0, needs 10\n",
		"{\"text\":\"10 / customer.points > 3\",\"error\":\"divide\"}");
}

Test(explain, groups_say_which_rule_came_before_or_was_better)
{
	struct price_inputs in = inputs_of_a_good_event();

	expect_part(GROUP("first", RULE("a", "true", "-100") "," RULE(
					   "b", "customer.points >= 0", "-500")),
		&in, "b: was not asked: an earlier one of its group fired (a)",
		"{\"id\":\"b\",\"state\":\"earlier\",\"by\":\"a\"");
	expect_part(GROUP("best_for_customer", RULE("a", "true", "-100") "," RULE(
						       "b", "customer.points >= 0", "-500")),
		&in, "a: fired, and another of its group made the better price (b)",
		"{\"id\":\"a\",\"state\":\"outdone\",\"by\":\"b\"");
}

Test(explain, windows_say_when_they_open_next)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.now = INT64_C(1781524800000); /* 2026-06-15T12:00:00Z, a Monday */
	expect_part(
		GROUP("stack",
			"{\"id\":\"w\",\"valid\":{\"tz\":\"Europe/Berlin\",\"weekdays\":[\"fri\"],"
			"\"hours\":[\"18:00-22:00\"]},\"bps\":-1," EN "}"),
		&in, "w: is not valid now, again from 2026-06-19T16:00:00Z",
		"\"state\":\"not_valid\",\"next\":\"2026-06-19T16:00:00Z\"");
	expect_part(
		GROUP("stack",
			"{\"id\":\"w\",\"valid\":{\"from\":\"2026-07-01T10:00:00Z\"},\"bps\":-1," EN
			"}"),
		&in, "again from 2026-07-01T10:00:00Z", "\"next\":\"2026-07-01T10:00:00Z\"");
	expect_part(
		GROUP("stack",
			"{\"id\":\"w\",\"valid\":{\"to\":\"2026-06-01T10:00:00Z\"},\"bps\":-1," EN
			"}"),
		&in, "w: is not valid now, and not in the next days", "\"state\":\"not_valid\"}");
	expect_part(GROUP("stack", "{\"id\":\"o\",\"enabled\":false,\"bps\":-1," EN "}"), &in,
		"o: is switched off", "\"state\":\"disabled\"");
}

Test(explain, personal_fields_are_not_told_without_consent)
{
	static const char groups[] = GROUP(
		"stack", RULE("p", "customer.segment == 'vip' && session.place == 'hall'", "-1"));
	struct price_inputs in = inputs_of_a_good_event();
	CLEANUP(buf_fini) struct buf text = BUF_INIT(65536);
	CLEANUP(buf_fini) struct buf json = BUF_INIT(65536);

	in.profile.segment = STR("whale");
	explain(&text, &json, groups, &in);
	cr_expect(strstr(text.p, "whale") == NULL && strstr(json.p, "whale") == NULL);
	cr_expect(strstr(text.p, "session.place is absent, needs \"hall\"") != NULL, "%s", text.p);
	in.interest.place = STR("hall");
	expect_part(groups, &in,
		"p: left out: it looks at personal fields, and there is no consent",
		"\"state\":\"no_consent\"");
	in.personalization = TRI_TRUE;
	expect_part(groups, &in, "customer.segment is \"whale\", needs \"vip\"",
		"\"state\":\"condition\"");
}

Test(explain, tables_say_for_each_row_which_cell_refuses)
{
	static const char groups[] = GROUP("stack",
		"{\"id\":\"t\"," EN
		",\"table\":{\"hit\":\"first\",\"inputs\":[\"customer.tier\",\"customer.points\"],"
		"\"rows\":[{\"if\":[\"'gold'\",\"-\"],\"bps\":-500},{\"if\":[\"-\",\">= "
		"100\"],\"bps\":-100},"
		"{\"if\":[\"-\",\">= 50\"],\"bps\":-50}]}}");
	struct price_inputs in = inputs_of_a_good_event();

	in.loyalty.points = 10;
	expect_part(groups, &in,
		"    t: fired no row\n"
		"      t/1: customer.tier is \"none\", the cell says 'gold' (nearest: \"gold\")\n"
		"      t/2: customer.points is 10, the cell says >= 100 (nearest: 100)\n",
		"{\"id\":\"t/2\",\"state\":\"cell\",\"input\":\"customer.points\",\"cell\":\">= "
		"100\",\"has\":\"10\",\"needs\":\"100\"}");
	in.loyalty.points = 100;
	expect_part(groups, &in, "      t/2: fired\n      t/3: holds, and another row was picked\n",
		"{\"id\":\"t/3\",\"state\":\"not_picked\"}");
}

Test(explain, an_item_without_an_offer_has_rules_that_can_be_explained)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.inventory.supply = 0;
	expect_part(GROUP("stack", RULE("r", "customer.points > 5", "-1")), &in,
		"NO_OFFER (SOLD_OUT)\n  group g (stack)\n    r: did not fire\n",
		"{\"outcome\":\"NO_OFFER\",\"reason\":\"SOLD_OUT\",\"list\":");
}
