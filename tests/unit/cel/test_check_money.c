/* What the checker asks beyond CEL: closed sets, units, currencies, fields no price depends on. */
#include "tests/unit/cel/checked.h"

static const char declarations[] =
	"{\"fields\":["
	"{\"name\":\"customer.tier\",\"type\":\"string\",\"values\":[\"\",\"silver\",\"gold\","
	"\"platinum\"],\"optional\":true},"
	"{\"name\":\"customer.points\",\"type\":\"int\",\"unit\":\"points\"},"
	"{\"name\":\"customer.tags\",\"type\":\"list(string)\",\"values\":[\"vip\",\"new\"]},"
	"{\"name\":\"customer.email\",\"type\":\"string\",\"label\":\"sensitive\"},"
	"{\"name\":\"session.dwell\",\"type\":\"int\",\"unit\":\"ms\"},"
	"{\"name\":\"market.age\",\"type\":\"int\",\"unit\":\"ms\"},"
	"{\"name\":\"market.floor\",\"type\":\"money\"},"
	"{\"name\":\"market.bid\",\"type\":\"money(WETH)\"},"
	"{\"name\":\"market.trend\",\"type\":\"bps\"},"
	"{\"name\":\"market.move\",\"type\":\"int\",\"unit\":\"bps\"},"
	"{\"name\":\"now\",\"type\":\"timestamp\"}]}";

static struct checked k;

static void setup(void)
{
	checked_env(&k, declarations, true);
}

static void teardown(void)
{
	checked_fini(&k);
}

TestSuite(check_money, .init = setup, .fini = teardown);

static void expect_type(const char *source, const char *type)
{
	char *got = checked_type(&k, source);

	cr_expect(eq(str, got, (char *)type), "%s", source);
}

static void expect_errors(const char *source, const char *errors)
{
	char *got = checked_errors(&k, source);

	cr_expect(eq(str, got, (char *)errors), "%s", source);
}

/* ---- names ---- */

Test(check_money, a_word_that_some_field_has_as_its_value_wants_quotes)
{
	expect_errors("customer.tier == gold", "1:18 undeclared reference to 'gold' (in container "
					       "'') [undeclared] a text stands in quotes: 'gold'");
	expect_errors("vip in customer.tags", "1:1 undeclared reference to 'vip' (in container '') "
					      "[undeclared] a text stands in quotes: 'vip'");
}

Test(check_money, a_long_text_is_not_cut_within_a_character)
{
	char *got = checked_errors(&k, "customer.tier == '1éééééééééééééééééééééééééé'");

	cr_expect(str_is_utf8(str_of(got)), "%s", got);
	cr_expect(strstr(got, "never \"1ééééééééééééééééééé\" [enum]") != NULL, "%s", got);
}

Test(check_money, a_number_where_basis_points_belong_is_written_as_these)
{
	expect_errors("market.floor.add_bps(-500)",
		"1:21 found no matching overload for 'add_bps' applied to 'money.(int)' "
		"[overload] basis points are written bps(-500)");
	expect_errors("market.floor.add_bps(market.move)",
		"1:21 found no matching overload for 'add_bps' applied to 'money.(int)' "
		"[overload] convert the number: bps(market.move)");
}

Test(check_money, a_field_that_is_not_there_is_named_with_the_nearest)
{
	expect_errors("customer.teir == 'gold'", "1:10 undeclared reference to 'customer.teir' (in "
						 "container '') [undeclared] did you "
						 "mean `customer.tier`?");
	expect_errors("custmer.tier == 'gold'",
		"1:1 undeclared reference to 'custmer' (in container '') [undeclared] did you mean "
		"`customer.tier`?");
	expect_errors("session == 1", "1:1 undeclared reference to 'session' (in container '') "
				      "[undeclared] `session` has fields: write session.dwell");
	expect_errors("session.colour == 1",
		"1:9 undeclared reference to 'session.colour' (in container '') [undeclared] "
		"`session` has fields: write session.dwell");
	expect_errors("has(customer.teir)", "1:14 undeclared reference to 'customer.teir' (in "
					    "container '') [undeclared] did you "
					    "mean `customer.tier`?");
	expect_errors("ehh('1') > market.floor",
		"1:4 undeclared reference to 'ehh' (in container '') [undeclared] did you mean "
		"`eth`?");
}

Test(check_money, a_price_must_not_depend_on_a_refused_field)
{
	expect_errors("customer.email == 'x'",
		"1:1 a price must not depend on 'customer.email': it is labelled sensitive "
		"[sensitive]");
	expect_errors("true && has(customer.email)",
		"1:13 a price must not depend on 'customer.email': it is labelled sensitive "
		"[sensitive]");
}

/* ---- closed sets ---- */

Test(check_money, a_value_outside_its_set_is_an_error)
{
	expect_errors("customer.tier == 'glod'",
		"1:18 'customer.tier' is never \"glod\" [enum] did "
		"you mean \"gold\"?");
	expect_errors("'bronze' != customer.tier",
		"1:1 'customer.tier' is never \"bronze\" [enum] it is one of \"silver\", \"gold\", "
		"\"platinum\"");
	expect_errors("customer.tier == ''", "1:18 'customer.tier' is never \"\" [enum] ask "
					     "!has(customer.tier)");
	expect_type("customer.tier == 'gold'", "bool");
}

Test(check_money, every_value_of_a_list_is_looked_at)
{
	expect_errors("customer.tier in ['gold', 'platnum', 'slver']",
		"1:27 'customer.tier' is never \"platnum\" [enum] did you mean \"platinum\"?\n"
		"1:38 'customer.tier' is never \"slver\" [enum] did you mean \"silver\"?");
	expect_errors("'vpi' in customer.tags",
		"1:1 'customer.tags' is never \"vpi\" [enum] did you mean \"vip\"?");
	expect_errors("customer.tags.exists(tag, tag == 'nev')",
		"1:34 'customer.tags' is never \"nev\" [enum] did you mean \"new\"?");
	expect_errors("customer.tier == (customer.points > 1 ? 'gold' : 'goldd')",
		"1:50 'customer.tier' is never \"goldd\" [enum] did you mean \"gold\"?");
	expect_type("customer.tags.exists(tag, tag in ['vip', 'new'])", "bool");
	expect_type("customer.tier.startsWith('g') && customer.tier > 'a'", "bool");
}

/* ---- units ---- */

Test(check_money, units_do_not_mix)
{
	expect_errors("customer.points > session.dwell",
		"1:17 one side is in points, the other in ms [unit]");
	expect_errors("session.dwell + customer.points == 3",
		"1:15 one side is in ms, the other in points [unit]");
	expect_errors("session.dwell * 2 - 1 < customer.points",
		"1:23 one side is in ms, the other in points [unit]");
	expect_errors("math.least(session.dwell, 5, customer.points) > 1",
		"1:11 one side is in ms, the other in points [unit]");
	expect_errors("int(double(session.dwell)) in [1] && session.dwell == -customer.points",
		"1:52 one side is in ms, the other in points [unit]");
}

Test(check_money, numbers_have_no_unit_and_a_ratio_has_none)
{
	expect_type("session.dwell > 3000", "bool");
	expect_type("session.dwell - market.age > 1", "bool");
	expect_type("customer.points / session.dwell > customer.points / 3", "bool");
	expect_type("session.dwell / market.age > 2", "bool");
	expect_type("customer.points * session.dwell > 2", "bool");
}

Test(check_money, milliseconds_are_no_duration)
{
	expect_errors("session.dwell > duration('3s')",
		"1:15 found no matching overload for '_>_' applied to '(int, duration)' [overload] "
		"it "
		"is in milliseconds: write 3000 for three seconds");
	expect_errors("now > '2026-01-01'",
		"1:5 found no matching overload for '_>_' applied to '(timestamp, string)' "
		"[overload] "
		"a moment is written timestamp(\"2026-01-31T18:00:00Z\")");
}

/* ---- money ---- */

Test(check_money, amounts_have_the_type_of_their_currency)
{
	expect_type("eth('1.25')", "money(ETH)");
	expect_type("money('1.25', 'USD')", "money(USD)");
	expect_type("units('1250000000000000000', 'WETH')", "money(WETH)");
	expect_type("eth('1') + weth('1')", "money(ETH)");
	expect_type("market.floor - eth('1')", "money(ETH)");
	expect_type("market.floor + market.floor", "money");
	expect_type("market.bid.add_bps(bps(-500))", "money(WETH)");
	expect_type("money.max(market.floor, eth('1'), weth('2'))", "money(ETH)");
	expect_type("market.bid.bps_over(market.floor)", "bps");
	expect_type("true ? eth('1') : usd('1')", "money");
	expect_type("[eth('1'), usd('1')]", "list(money)");
	expect_type("[eth('1'), weth('1')]", "list(money(ETH))");
	expect_type("dyn(market.floor)", "dyn");
}

Test(check_money, currencies_without_parity_do_not_mix)
{
	expect_errors("eth('1') < usd('5')", "1:10 no parity between ETH and USD [currency]");
	expect_errors("eth('1') == eur('1')", "1:10 no parity between ETH and EUR [currency]");
	expect_errors("market.bid + usd('1') > eth('1')",
		"1:12 no parity between WETH and USD [currency]");
	expect_errors("eth('1') - jpy('1')", "1:10 no parity between ETH and JPY [currency]");
	expect_errors("money.min(market.floor, eth('1'), eur('2'))",
		"1:10 no parity between ETH and EUR [currency]");
	expect_errors(
		"usd('1').bps_over(market.bid)", "1:18 no parity between USD and WETH [currency]");
	expect_errors("eth('1') in [usd('1')]", "1:10 no parity between ETH and USD [currency]");
	expect_errors("market.floor + eth('1') > usd('1')",
		"1:25 no parity between ETH and USD [currency]");
	expect_type("market.floor > usd('1') && market.floor > eth('1')", "bool");
	expect_type("eth('1') >= weth('1')", "bool");
}

Test(check_money, a_currency_is_a_constant_that_there_is)
{
	expect_errors("money('1', 'ETHH')", "1:12 unknown currency 'ETHH' [currency] did you mean "
					    "ETH?");
	expect_errors("units('1', 'QQQQQQ')", "1:12 unknown currency 'QQQQQQ' [currency]");
	expect_errors("money('1', customer.tier)",
		"1:20 the currency of an amount is a constant text [currency]");
}

Test(check_money, amounts_are_read_when_they_are_checked)
{
	expect_errors("eth('1.2x')",
		"1:5 '1.2x' is no amount of ETH [literal] digits, with at most "
		"18 after the point");
	expect_errors("usd('1.999')", "1:5 '1.999' is no amount of USD [literal] digits, with at "
				      "most 2 after the point");
	expect_errors("eth('-1')", "1:5 '-1' is no amount of ETH [literal] digits, with at most 18 "
				   "after the point");
	expect_errors("units('1.5', 'ETH')", "1:7 '1.5' is no amount of ETH [literal] smallest "
					     "units are digits only");
	expect_type("money(customer.tier, 'ETH')", "money(ETH)");
}

Test(check_money, money_is_no_number)
{
	expect_errors("market.floor > 1.25",
		"1:14 found no matching overload for '_>_' applied to '(money, double)' [overload] "
		"write an amount with its currency: eth(\"1.25\")");
	expect_errors("usd('1') == 1", "1:10 found no matching overload for '_==_' applied to "
				       "'(money(USD), int)' [overload] write an amount with its "
				       "currency: usd(\"1.25\")");
	expect_errors("market.floor * 2",
		"1:14 found no matching overload for '_*_' applied to '(money, int)' [overload] "
		"scale "
		"an amount by basis points: m.add_bps(bps(-500)) is 5 % less");
	expect_errors("eth(1.25)", "1:4 found no matching overload for 'eth' applied to '(double)' "
				   "[overload] an amount is a text: eth(\"1.25\")");
	expect_errors("null == market.floor", "1:6 found no matching overload for '_==_' applied "
					      "to '(null, money)' [overload] it "
					      "is never null: ask has(market.floor)");
}

Test(check_money, basis_points_reckon_among_themselves_and_with_counts)
{
	expect_type("bps(250)", "bps");
	expect_type("-market.trend + bps(1) - bps(2)", "bps");
	expect_type("market.trend * 2", "bps");
	expect_type("3 * market.trend", "bps");
	expect_type("market.trend >= bps(-500) && market.trend != bps(0)", "bool");
	expect_type("bps(market.move) > market.trend", "bool");
	expect_errors("market.trend > 500", "1:14 found no matching overload for '_>_' applied to "
					    "'(bps, int)' [overload] basis "
					    "points are written bps(500)");
	expect_errors("market.move > bps(5)", "1:13 found no matching overload for '_>_' applied "
					      "to '(int, bps)' [overload] convert "
					      "the number: bps(market.move)");
	expect_errors("market.trend * market.trend",
		"1:14 found no matching overload for '_*_' applied to '(bps, bps)' [overload]");
	expect_errors("bps(2.5)", "1:4 found no matching overload for 'bps' applied to '(double)' "
				  "[overload]");
}

Test(check_money, freshness_is_asked_of_ages_with_a_constant)
{
	expect_type("market.age.is_fresh('10m')", "bool");
	expect_type("market.age.is_fresh(duration('10m'))", "bool");
	expect_errors("market.age.is_fresh('10 minutes')",
		"1:21 '10 minutes' is no duration [literal] write \"10m\", \"1h30m\" or \"45s\"");
	expect_errors("market.age.is_fresh(customer.tier)",
		"1:29 the oldest age is no constant [literal] write \"10m\", or duration(…) of the "
		"text");
	expect_errors("customer.points.is_fresh('10m')",
		"1:25 an age is in ms, this is in points [unit]");
}

Test(check_money, dyn_may_be_money)
{
	char *tree = checked_tree(&k, "dyn(1) > market.floor");

	cr_expect(strstr(tree, "^greater_money") != NULL, "%s", tree);
	tree = checked_tree(&k, "-dyn(1)");
	cr_expect(strstr(tree, "^negate_bps|negate_double|negate_int64") != NULL, "%s", tree);
}
