#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <stdio.h>

#include "common/model/money.h"

Test(currency, shipped_ones_have_their_decimals)
{
	static const struct {
		const char *code;
		unsigned decimals;
	} rows[] = {
		{ "ETH", 18 },
		{ "WETH", 18 },
		{ "GHST", 18 },
		{ "USDC", 6 },
		{ "EUR", 2 },
		{ "USD", 2 },
		{ "JPY", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		currency c = currency_find(str_of(rows[i].code));

		cr_assert(ne(int, c, 0), "%s", rows[i].code);
		cr_expect(eq(str, (char *)currency_code(c), (char *)rows[i].code));
		cr_expect(eq(int, (int)currency_decimals(c), (int)rows[i].decimals));
	}
}

Test(currency, only_ether_and_its_wrapper_are_at_par)
{
	currency eth = currency_find(STR("ETH")), weth = currency_find(STR("WETH"));
	currency ghst = currency_find(STR("GHST")), eur = currency_find(STR("EUR"));

	cr_expect(currency_is_par(eth, weth));
	cr_expect(currency_is_par(weth, eth));
	cr_expect(currency_is_par(eur, eur));
	cr_expect(not(currency_is_par(eth, ghst)));
	cr_expect(not(currency_is_par(eur, ghst)), "no parity class is not a class");
	cr_expect(not(currency_is_par(0, 0)), "nothing is not at par with nothing");
	cr_expect(not(currency_is_par(0, eth)));
}

Test(currency, a_new_one_is_found_and_the_shipped_ones_stay)
{
	currency eth = currency_find(STR("ETH"));

	cr_assert(zero(int, currency_define(STR("MATIC"), 18, 0)));
	cr_expect(eq(str, (char *)currency_code(currency_find(STR("MATIC"))), "MATIC"));
	cr_expect(eq(int, currency_find(STR("ETH")), eth));
}

Test(currency, defining_one_again_replaces_it_in_place)
{
	currency eur = currency_find(STR("EUR"));

	cr_assert(zero(int, currency_define(STR("EUR"), 4, 0)));
	cr_expect(eq(int, currency_find(STR("EUR")), eur));
	cr_expect(eq(int, (int)currency_decimals(eur), 4));
}

Test(currency, malformed_definitions_are_refused)
{
	static const char *const codes[] = { "", "E", "NINECHARS", "eur", "E-R", "E R",
		"\xc3\x89UR" };

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		cr_expect(
			eq(int, currency_define(str_of(codes[i]), 2, 0), -EINVAL), "%s", codes[i]);
	cr_expect(eq(int, currency_define(STR_NONE, 2, 0), -EINVAL));
	cr_expect(eq(int, currency_define(STR("BIG"), 37, 0), -EINVAL));
	cr_expect(eq(int, currency_find(STR("BIG")), 0));
	cr_expect(zero(int, currency_define(STR("BIG"), 36, 0)));
}

Test(currency, one_parity_class_has_one_number_of_decimals)
{
	cr_expect(eq(int, currency_define(STR("STETH"), 8, 1), -EINVAL));
	cr_expect(eq(int, currency_define(STR("WETH"), 8, 1), -EINVAL));
	cr_expect(zero(int, currency_define(STR("STETH"), 18, 1)));
	cr_expect(currency_is_par(currency_find(STR("STETH")), currency_find(STR("WETH"))));
}

Test(currency, the_only_one_of_a_class_may_change_its_decimals)
{
	cr_assert(zero(int, currency_define(STR("GEM"), 8, 9)));
	cr_expect(zero(int, currency_define(STR("GEM"), 6, 9)));
	cr_expect(eq(int, (int)currency_decimals(currency_find(STR("GEM"))), 6));
}

Test(currency, the_table_ends_at_63)
{
	int r = 0, n = 7;

	for (; r == 0 && n <= 100; n++) {
		char code[9];

		snprintf(code, sizeof(code), "X%d", n);
		r = currency_define(str_of(code), 2, 0);
	}
	cr_expect(eq(int, r, -ENOSPC));
	cr_expect(eq(int, n - 1, 63), "63 were accepted");
	cr_expect(zero(int, currency_define(STR("ETH"), 18, 1)), "replacing still works");
}
