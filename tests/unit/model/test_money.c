#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <stdio.h>

#include "common/model/money.h"

#define U128_MAX (~(u128)0)
#define MAX_96   "79228162514264337593543950335"
#define MAX_128  "340282366920938463463374607431768211455"

static struct money money(const char *amount, const char *code)
{
	struct money m = { 0 };

	cr_assert(zero(int, money_parse_amount_wide(&m.amount, str_of(amount))), "%s", amount);
	m.currency = currency_find(str_of(code));
	cr_assert(ne(int, m.currency, 0), "%s", code);
	return m;
}

static void expect_money(struct money m, const char *amount, const char *code)
{
	char text[MONEY_TEXT_MAX];

	money_format_amount(text, m.amount);
	cr_expect(eq(str, text, (char *)amount));
	cr_expect(eq(str, (char *)currency_code(m.currency), (char *)code));
}

Test(money, amount_text_is_a_plain_decimal_integer)
{
	static const char *const bad[] = { "", "-1", "+1", "1.0", "1e3", "0x10", " 1", "1 ", "00",
		"01", "1,000", "12a", "\xd9\xa1" };
	u128 v = 9;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect(eq(int, money_parse_amount(&v, str_of(bad[i])), MONEY_E_SYNTAX), "%s",
			bad[i]);
	cr_expect(eq(int, money_parse_amount(&v, STR_NONE), MONEY_E_SYNTAX), "absent");
	cr_expect(eq(int, money_parse_amount(&v, STR("1\0")), MONEY_E_SYNTAX), "a NUL");
	cr_expect(v == 9, "a refused text leaves the result alone");
	cr_expect(zero(int, money_parse_amount(&v, STR("0"))));
	cr_expect(v == 0);
}

Test(money, input_ends_at_96_bits_and_our_own_text_at_128)
{
	u128 v;

	cr_expect(zero(int, money_parse_amount(&v, STR(MAX_96))));
	cr_expect(v == ((u128)1 << 96) - 1);
	cr_expect(eq(
		int, money_parse_amount(&v, STR("79228162514264337593543950336")), MONEY_E_RANGE));
	cr_expect(zero(int, money_parse_amount_wide(&v, STR("79228162514264337593543950336"))));
	cr_expect(v == (u128)1 << 96);
	cr_expect(zero(int, money_parse_amount_wide(&v, STR(MAX_128))));
	cr_expect(v == U128_MAX);
	cr_expect(
		eq(int, money_parse_amount_wide(&v, STR("340282366920938463463374607431768211456")),
			MONEY_E_RANGE));
	cr_expect(eq(int, money_parse_amount_wide(&v, STR("1" MAX_128)), MONEY_E_RANGE));
}

Test(money, a_long_text_with_a_bad_end_is_malformed_rather_than_large)
{
	u128 v;

	cr_expect(eq(int, money_parse_amount(&v, STR(MAX_128 MAX_128 "x")), MONEY_E_SYNTAX));
}

Test(money, make_wants_a_known_currency)
{
	struct money m = { 0 };

	cr_expect(zero(int, money_make(&m, STR("1250000000000000000"), STR("ETH"))));
	expect_money(m, "1250000000000000000", "ETH");
	cr_expect(eq(int, money_make(&m, STR("1"), STR("DOGE")), MONEY_E_CURRENCY));
	cr_expect(eq(int, money_make(&m, STR("1"), STR("eth")), MONEY_E_CURRENCY));
	cr_expect(eq(int, money_make(&m, STR("1"), STR("")), MONEY_E_CURRENCY));
	cr_expect(eq(int, money_make(&m, STR("1"), STR_NONE), MONEY_E_CURRENCY));
	cr_expect(eq(int, money_make(&m, STR("1."), STR("ETH")), MONEY_E_SYNTAX));
	expect_money(m, "1250000000000000000", "ETH");
}

Test(money, amounts_survive_text_and_back)
{
	static const char *const texts[] = { "0", "1", "10", "18446744073709551615",
		"18446744073709551616", MAX_96, MAX_128 };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char text[MONEY_TEXT_MAX];
		u128 v;

		cr_assert(zero(int, money_parse_amount_wide(&v, str_of(texts[i]))));
		cr_expect(eq(sz, money_format_amount(text, v), strlen(texts[i])));
		cr_expect(eq(str, text, (char *)texts[i]));
	}
}

Test(money, human_text_trims_trailing_zeros)
{
	static const struct {
		const char *amount, *code, *want;
	} rows[] = {
		{ "1250000000000000000", "ETH", "1.25 ETH" },
		{ "1000000000000000000", "ETH", "1 ETH" },
		{ "10000000000000000000", "ETH", "10 ETH" },
		{ "1", "ETH", "0.000000000000000001 ETH" },
		{ "0", "ETH", "0 ETH" },
		{ "500000", "USDC", "0.5 USDC" },
		{ "1205", "EUR", "12.05 EUR" },
		{ "100", "USD", "1 USD" },
		{ "1200", "JPY", "1200 JPY" },
		{ "0", "JPY", "0 JPY" },
		{ MAX_128, "WETH", "340282366920938463463.374607431768211455 WETH" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[64];

		cr_expect(eq(sz, money_format_human(text, money(rows[i].amount, rows[i].code)),
			strlen(rows[i].want)));
		cr_expect(eq(str, text, (char *)rows[i].want));
	}
}

Test(money, the_longest_human_text_fits_its_64_bytes)
{
	char text[64];

	cr_assert(zero(int, currency_define(STR("LONGCODE"), 36, 0)));
	cr_expect(eq(sz, money_format_human(text, money(MAX_128, "LONGCODE")), 49));
	cr_expect(eq(str, text, "340.282366920938463463374607431768211455 LONGCODE"));
	cr_expect(eq(sz, money_format_human(text, money("1", "LONGCODE")), 47));
}

Test(money, absent_money_has_no_human_text)
{
	char text[64] = "x";

	cr_expect(zero(sz, money_format_human(text, (struct money){ 0 })));
	cr_expect(eq(str, text, ""));
}

Test(money, decimal_text_becomes_smallest_units)
{
	static const struct {
		const char *text, *code, *want;
	} rows[] = {
		{ "1.25", "ETH", "1250000000000000000" },
		{ "0.000000000000000001", "ETH", "1" },
		{ "0", "ETH", "0" },
		{ "0.00", "EUR", "0" },
		{ "12.5", "EUR", "1250" },
		{ "7", "JPY", "7" },
		{ "79228162514.264337593543950335", "GHST", MAX_96 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct money m;
		currency c = currency_find(str_of(rows[i].code));

		cr_assert(zero(int, money_parse_decimal(&m, str_of(rows[i].text), c)), "%s",
			rows[i].text);
		expect_money(m, rows[i].want, rows[i].code);
	}
}

Test(money, decimal_text_never_rounds)
{
	static const struct {
		const char *text, *code;
		int want;
	} rows[] = {
		{ "1.234", "EUR", MONEY_E_SYNTAX },
		{ "1.230", "EUR", MONEY_E_SYNTAX },
		{ "1.0", "JPY", MONEY_E_SYNTAX },
		{ "1.", "EUR", MONEY_E_SYNTAX },
		{ ".5", "EUR", MONEY_E_SYNTAX },
		{ "", "EUR", MONEY_E_SYNTAX },
		{ "01.5", "EUR", MONEY_E_SYNTAX },
		{ "1.2.", "EUR", MONEY_E_SYNTAX },
		{ "1.2x", "ETH", MONEY_E_SYNTAX },
		{ "-1", "EUR", MONEY_E_SYNTAX },
		{ "79228162514.264337593543950336", "ETH", MONEY_E_RANGE },
		{ "99999999999999999999999999999999", "JPY", MONEY_E_RANGE },
		{ "99999999999999999999999999999999.x", "ETH", MONEY_E_SYNTAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct money m;
		currency c = currency_find(str_of(rows[i].code));

		cr_expect(eq(int, money_parse_decimal(&m, str_of(rows[i].text), c), rows[i].want),
			"%s", rows[i].text);
	}
	cr_expect(
		eq(int, money_parse_decimal(&(struct money){ 0 }, STR("1"), 0), MONEY_E_CURRENCY));
}

Test(money, json_is_an_object_of_two_texts_or_nothing)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1024);
	struct json_out j = JSON_OUT(&b);

	json_begin(&j, NULL);
	money_json(&j, "price", money(MAX_128, "ETH"));
	money_json(&j, "cost", (struct money){ 0 });
	money_json_or_null(&j, "bid", money("0", "JPY"));
	money_json_or_null(&j, "ask", (struct money){ 0 });
	json_end(&j);
	buf_putc(&b, '\0');
	cr_expect(eq(str, b.p,
		"{\"price\":{\"amount\":\"" MAX_128 "\",\"currency\":\"ETH\"},"
		"\"bid\":{\"amount\":\"0\",\"currency\":\"JPY\"},\"ask\":null}"));
}

Test(money, a_sum_is_checked_at_128_bits)
{
	struct money m;

	cr_expect(zero(int, money_add(&m, money(MAX_96, "ETH"), money("1", "ETH"))));
	expect_money(m, "79228162514264337593543950336", "ETH");
	cr_expect(zero(int, money_add(&m, money(MAX_128, "ETH"), money("0", "ETH"))));
	expect_money(m, MAX_128, "ETH");
	cr_expect(eq(int, money_add(&m, money(MAX_128, "ETH"), money("1", "ETH")), MONEY_E_RANGE));
}

Test(money, a_difference_is_never_below_zero)
{
	struct money m;

	cr_expect(zero(int, money_sub(&m, money("5", "EUR"), money("5", "EUR"))));
	expect_money(m, "0", "EUR");
	cr_expect(eq(int, money_sub(&m, money("5", "EUR"), money("6", "EUR")), MONEY_E_NEGATIVE));
}

Test(money, wrapped_and_plain_ether_mix_and_the_first_names_the_result)
{
	struct money m;

	cr_expect(zero(int, money_add(&m, money("2", "ETH"), money("3", "WETH"))));
	expect_money(m, "5", "ETH");
	cr_expect(zero(int, money_sub(&m, money("3", "WETH"), money("2", "ETH"))));
	expect_money(m, "1", "WETH");
	cr_expect(eq(int, money_cmp(money("2", "ETH"), money("2", "WETH")), 0));
	cr_expect(eq(int, money_cmp(money("2", "ETH"), money("3", "WETH")), -1));
	cr_expect(eq(int, money_cmp(money(MAX_128, "WETH"), money("3", "WETH")), 1));
}

Test(money, other_currencies_never_mix)
{
	struct money m, none = { 0 };

	cr_expect(eq(int, money_add(&m, money("2", "ETH"), money("3", "GHST")), MONEY_E_CURRENCY));
	cr_expect(eq(int, money_sub(&m, money("2", "EUR"), money("1", "USD")), MONEY_E_CURRENCY));
	cr_expect(eq(int, money_add(&m, none, none), MONEY_E_CURRENCY));
	cr_expect(eq(int, money_sub(&m, money("2", "EUR"), none), MONEY_E_CURRENCY));
	cr_expect(eq(int, money_add_bps(&m, none, 1, ROUND_UP), MONEY_E_CURRENCY));
	cr_expect(eq(int, money_round(&m, none, 1, ROUND_UP), MONEY_E_CURRENCY));
}

Test(money, basis_points_round_as_told)
{
	struct money m;

	cr_expect(zero(
		int, money_add_bps(&m, money("1250000000000000000", "ETH"), -500, ROUND_DOWN)));
	expect_money(m, "1187500000000000000", "ETH");
	cr_expect(zero(int, money_add_bps(&m, money("999", "EUR"), 300, ROUND_UP)));
	expect_money(m, "1029", "EUR"); /* 1028.97 */
	cr_expect(zero(int, money_add_bps(&m, money("999", "EUR"), 300, ROUND_DOWN)));
	expect_money(m, "1028", "EUR");
	cr_expect(zero(int, money_add_bps(&m, money("999", "EUR"), 0, ROUND_UP)));
	expect_money(m, "999", "EUR");
}

Test(money, basis_points_reach_zero_and_no_further)
{
	struct money m;

	cr_expect(zero(int, money_add_bps(&m, money("999", "EUR"), -10000, ROUND_UP)));
	expect_money(m, "0", "EUR");
	cr_expect(eq(
		int, money_add_bps(&m, money("999", "EUR"), -10001, ROUND_UP), MONEY_E_NEGATIVE));
	cr_expect(eq(
		int, money_add_bps(&m, money("0", "EUR"), INT32_MIN, ROUND_UP), MONEY_E_NEGATIVE));
}

Test(money, basis_points_of_large_amounts_are_exact_or_refused)
{
	struct money m;

	cr_expect(zero(int, money_add_bps(&m, money(MAX_128, "ETH"), -1, ROUND_DOWN)));
	expect_money(m, "340248338684246369617028269971025034633", "ETH");
	cr_expect(eq(int, money_add_bps(&m, money(MAX_128, "ETH"), 1, ROUND_DOWN), MONEY_E_RANGE));
	cr_expect(zero(int, money_add_bps(&m, money(MAX_96, "ETH"), INT32_MAX, ROUND_DOWN)));
	expect_money(m, "17014197566286621186079890155969602", "ETH");
}

Test(money, rounding_goes_to_a_multiple_of_the_quantum)
{
	static const struct {
		enum rounding mode;
		const char *want_14, *want_15, *want_25;
	} rows[] = {
		{ ROUND_DOWN, "10", "10", "20" },
		{ ROUND_UP, "20", "20", "30" },
		{ ROUND_HALF_UP, "10", "20", "30" },
		{ ROUND_HALF_DOWN, "10", "10", "20" },
		{ ROUND_HALF_EVEN, "10", "20", "20" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct money m;

		cr_expect(zero(int, money_round(&m, money("14", "EUR"), 10, rows[i].mode)));
		expect_money(m, rows[i].want_14, "EUR");
		cr_expect(zero(int, money_round(&m, money("15", "EUR"), 10, rows[i].mode)));
		expect_money(m, rows[i].want_15, "EUR");
		cr_expect(zero(int, money_round(&m, money("25", "EUR"), 10, rows[i].mode)));
		expect_money(m, rows[i].want_25, "EUR");
		cr_expect(zero(int, money_round(&m, money("30", "EUR"), 10, rows[i].mode)));
		expect_money(m, "30", "EUR");
	}
}

Test(money, rounding_up_past_128_bits_is_refused)
{
	struct money m;

	cr_expect(eq(int, money_round(&m, money(MAX_128, "EUR"), 2, ROUND_UP), MONEY_E_RANGE));
	cr_expect(zero(int, money_round(&m, money(MAX_128, "EUR"), 1, ROUND_UP)));
	cr_expect(zero(int, money_round(&m, money("1", "EUR"), U128_MAX, ROUND_UP)));
	expect_money(m, MAX_128, "EUR");
}

Test(money, every_error_has_a_text)
{
	for (int code = MONEY_E_SYNTAX; code <= MONEY_E_NEGATIVE; code++)
		cr_expect(ne(str, (char *)money_error(code), ""));
	cr_expect(eq(str, (char *)money_error(0), ""));
}
