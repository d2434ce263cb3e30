#include "lib_support.h"

TestSuite(cel_money_lib, .init = lib_begin, .fini = lib_end);

static struct cel_value M(const char *text, const char *code) {
	return CALL(MONEY, S(text), S(code));
}
#define ETH(text) M(text, "ETH")
#define USD(text) M(text, "USD")
#define BPS(i)    cel_bps(i)

Test(cel_money_lib, amounts_are_exact_decimals)
{
	EXPECT("eth(\"1.25\")", ETH("1.25"));
	EXPECT("eth(\"0.000000000000000001\")", ETH("0.000000000000000001"));
	EXPECT("usd(\"19.99\")", USD("19.99"));
	EXPECT("jpy(\"100\")", M("100", "JPY"));
	EXPECT_CALL("eth(\"1.25\")", UNITS, S("1250000000000000000"), S("ETH"));
	EXPECT_CALL("eth(\"79228162514.264337593543950335\")", UNITS,
		S("79228162514264337593543950335"), S("ETH"));
}

Test(cel_money_lib, texts_that_are_no_amount)
{
	const char *texts[] = { "", "-1", "+1", "1.", ".5", "01", "1,5", "1e3", " 1", "1.001" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		EXPECT_ERROR(ARGUMENT, MONEY, S(texts[i]), S("USD"));
	EXPECT_ERROR(ARGUMENT, UNITS, S("1.5"), S("USD"));
	EXPECT_ERROR(ARGUMENT, MONEY, S("1"), S("XXX"));
	EXPECT_ERROR(RANGE, UNITS, S("79228162514264337593543950336"), S("ETH"));
	EXPECT_ERROR(RANGE, MONEY, S("79228162515"), S("ETH"));
	EXPECT_ERROR(NO_OVERLOAD, MONEY, D(1.5), S("USD"));
	EXPECT_ERROR(NO_OVERLOAD, MONEY, S("1"), Int(1));
}

Test(cel_money_lib, sums_and_differences_within_a_parity_class)
{
	EXPECT_CALL("eth(\"1.75\")", ADD, ETH("1.25"), ETH("0.5"));
	EXPECT_CALL("eth(\"1.75\")", ADD, ETH("1.25"), M("0.5", "WETH"));
	EXPECT_CALL("weth(\"0.75\")", SUB, M("1.25", "WETH"), ETH("0.5"));
	EXPECT_CALL("eth(\"0\")", SUB, ETH("1"), ETH("1"));
	EXPECT_ERROR(NEGATIVE, SUB, ETH("1"), ETH("1.000000000000000001"));
	EXPECT_ERROR(NO_PATH, ADD, ETH("1"), USD("1"));
	EXPECT_ERROR(NO_PATH, SUB, M("1", "EUR"), USD("1"));
	EXPECT_ERROR(NO_OVERLOAD, ADD, ETH("1"), Int(1));
	EXPECT_ERROR(NO_OVERLOAD, ADD, ETH("1"), BPS(1));
	EXPECT_ERROR(NO_OVERLOAD, MUL, ETH("1"), Int(2));
	EXPECT_ERROR(NO_OVERLOAD, NEGATE, ETH("1"));
}

Test(cel_money_lib, a_sum_over_128_bits_is_an_overflow)
{
	struct cel_value most = cel_money((struct money){ ~(u128)0, currency_find(STR("ETH")) });

	EXPECT_ERROR(OVERFLOW, ADD, most, ETH("1"));
	EXPECT_ERROR(OVERFLOW, ADD_BPS, most, BPS(1));
	EXPECT_CALL("true", EQ, most, CALL(ADD_BPS, most, BPS(0)));
}

Test(cel_money_lib, comparison_needs_parity_and_equality_does_not)
{
	EXPECT_CALL("true", LT, ETH("1"), M("1.5", "WETH"));
	EXPECT_CALL("true", GE, ETH("1"), M("1", "WETH"));
	EXPECT_CALL("true", EQ, ETH("1"), M("1", "WETH"));
	EXPECT_ERROR(NO_PATH, LT, ETH("1"), USD("1"));
	EXPECT_CALL("false", EQ, M("1", "EUR"), USD("1"));
	EXPECT_CALL("true", NE, M("1", "EUR"), USD("1"));
	EXPECT_CALL("true", IN, ETH("1"), LIST(USD("1"), M("1", "WETH")));
}

Test(cel_money_lib, basis_points_add_up_and_multiply)
{
	EXPECT_CALL("250 bps", BPS, Int(250));
	EXPECT_CALL("-250 bps", ADD, BPS(250), BPS(-500));
	EXPECT_CALL("750 bps", SUB, BPS(250), BPS(-500));
	EXPECT_CALL("-250 bps", NEGATE, BPS(250));
	EXPECT_CALL("-750 bps", MUL, Int(-3), BPS(250));
	EXPECT_CALL("750 bps", MUL, BPS(250), Int(3));
	EXPECT_CALL("true", LT, BPS(-1), BPS(0));
	EXPECT_ERROR(OVERFLOW, ADD, BPS(INT64_MAX), BPS(1));
	EXPECT_ERROR(OVERFLOW, NEGATE, BPS(INT64_MIN));
	EXPECT_ERROR(OVERFLOW, MUL, Int(2), BPS(INT64_MAX));
	EXPECT_ERROR(NO_OVERLOAD, MUL, BPS(2), BPS(2));
	EXPECT_ERROR(NO_OVERLOAD, ADD, BPS(2), Int(2));
	EXPECT_ERROR(NO_OVERLOAD, DIV, BPS(2), Int(2));
	EXPECT_ERROR(NO_OVERLOAD, BPS, BPS(2));
	EXPECT_ERROR(NO_OVERLOAD, BPS, D(2));
}

Test(cel_money_lib, add_bps_rounds_in_the_named_mode)
{
	static const struct {
		enum rounding mode;
		const char *text; /* 0.05 USD less 5 % is 4.75 cents; 0.10 more 5 % is 10.5 */
		const char *tie;
	} rows[] = { { ROUND_DOWN, "usd(\"0.04\")", "usd(\"0.1\")" },
		{ ROUND_UP, "usd(\"0.05\")", "usd(\"0.11\")" },
		{ ROUND_HALF_UP, "usd(\"0.05\")", "usd(\"0.11\")" },
		{ ROUND_HALF_DOWN, "usd(\"0.05\")", "usd(\"0.1\")" },
		{ ROUND_HALF_EVEN, "usd(\"0.05\")", "usd(\"0.1\")" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		lib_context.rounding = rows[i].mode;
		EXPECT_CALL(rows[i].text, ADD_BPS, USD("0.05"), BPS(-500));
		EXPECT_CALL(rows[i].tie, ADD_BPS, USD("0.10"), BPS(500));
		EXPECT_CALL("eth(\"0.95\")", ADD_BPS, ETH("1"), BPS(-500));
	}
}

Test(cel_money_lib, add_bps_at_the_edges)
{
	EXPECT_CALL("eth(\"0\")", ADD_BPS, ETH("5"), BPS(-10000));
	EXPECT_ERROR(NEGATIVE, ADD_BPS, ETH("5"), BPS(-10001));
	EXPECT_ERROR(NEGATIVE, ADD_BPS, ETH("5"), BPS(INT64_MIN));
	EXPECT_CALL("usd(\"429497.73\")", ADD_BPS, USD("1.00"), BPS(4294967296));
	EXPECT_CALL("usd(\"9223372036854785.81\")", ADD_BPS, USD("10.00"), BPS(INT64_MAX));
	EXPECT_ERROR(NO_OVERLOAD, ADD_BPS, ETH("1"), Int(5));
	EXPECT_ERROR(NO_OVERLOAD, ADD_BPS, BPS(1), BPS(5));
}

Test(cel_money_lib, bps_over_is_signed_and_rounds_away_from_zero_alike)
{
	EXPECT_CALL("-500 bps", BPS_OVER, ETH("0.95"), ETH("1"));
	EXPECT_CALL("2500 bps", BPS_OVER, M("1.25", "WETH"), ETH("1"));
	EXPECT_CALL("0 bps", BPS_OVER, ETH("1"), ETH("1"));
	EXPECT_CALL("-10000 bps", BPS_OVER, ETH("0"), ETH("1"));
	/* A third: 3333.3; and two ties, 2.5 basis points up and down. */
	EXPECT_CALL("3333 bps", BPS_OVER, USD("0.04"), USD("0.03"));
	EXPECT_CALL("2 bps", BPS_OVER, USD("40.01"), USD("40.00"));
	EXPECT_CALL("-2 bps", BPS_OVER, USD("39.99"), USD("40.00"));
	lib_context.rounding = ROUND_HALF_UP;
	EXPECT_CALL("3 bps", BPS_OVER, USD("40.01"), USD("40.00"));
	EXPECT_CALL("-3 bps", BPS_OVER, USD("39.99"), USD("40.00"));
	lib_context.rounding = ROUND_DOWN;
	EXPECT_CALL("-2 bps", BPS_OVER, USD("39.99"), USD("40.00"));
	lib_context.rounding = ROUND_UP;
	EXPECT_CALL("-3334 bps", BPS_OVER, USD("0.02"), USD("0.03"));
}

Test(cel_money_lib, bps_over_that_cannot_be)
{
	struct cel_value most = cel_money((struct money){ ~(u128)0, currency_find(STR("ETH")) });
	struct cel_value least = ETH("0.000000000000000001");

	EXPECT_CALL("error: division by zero", BPS_OVER, ETH("1"), ETH("0"));
	EXPECT_ERROR(DIVIDE, BPS_OVER, ETH("0"), ETH("0"));
	EXPECT_ERROR(NO_PATH, BPS_OVER, ETH("1"), USD("1"));
	EXPECT_ERROR(OVERFLOW, BPS_OVER, most, least);
	EXPECT_ERROR(OVERFLOW, BPS_OVER, ETH("10000"), least);
	EXPECT_CALL("0 bps", BPS_OVER, most, most);
	EXPECT_CALL("-10000 bps", BPS_OVER, least, most);
	EXPECT_ERROR(NO_OVERLOAD, BPS_OVER, ETH("1"), Int(1));
}

Test(cel_money_lib, least_and_greatest_of_up_to_eight)
{
	EXPECT_CALL("eth(\"0.5\")", MONEY_MIN, ETH("1"), ETH("0.5"), ETH("2"));
	EXPECT_CALL("weth(\"2\")", MONEY_MAX, ETH("1"), M("2", "WETH"));
	EXPECT_CALL("eth(\"1\")", MONEY_MIN, ETH("1"), M("1", "WETH"));
	EXPECT_ERROR(NO_PATH, MONEY_MIN, ETH("1"), USD("2"));
	EXPECT_ERROR(NO_OVERLOAD, MONEY_MIN, ETH("1"), Int(2));
	EXPECT_ERROR(NO_OVERLOAD, MONEY_MIN, ETH("1"));
	EXPECT_CALL("error: absent", MONEY_MAX, ETH("1"), cel_absent(1));
}

Test(cel_money_lib, fresh_is_not_older_than_the_limit)
{
	EXPECT_CALL("true", IS_FRESH, Int(600000), S("10m"));
	EXPECT_CALL("false", IS_FRESH, Int(600001), S("10m"));
	EXPECT_CALL("true", IS_FRESH, Int(0), Dur("0"));
	EXPECT_CALL("true", IS_FRESH, Int(-5), S("0"));
	EXPECT_CALL("false", IS_FRESH, Int(1), S("999999ns"));
	EXPECT_CALL("true", IS_FRESH, Int(1), S("1000001ns"));
	EXPECT_CALL("false", IS_FRESH, Int(INT64_MAX), cel_duration(INT64_MAX));
	EXPECT_ERROR(ARGUMENT, IS_FRESH, Int(1), S("ten minutes"));
	EXPECT_ERROR(NO_OVERLOAD, IS_FRESH, Dur("1s"), S("10m"));
	EXPECT_ERROR(NO_OVERLOAD, IS_FRESH, Int(1), Int(10));
}
