#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "connectors/tables/breaker.h"

#define STORED_7 \
	"00000000000000000007.00000000000000000000.00000000000000000000.00000000000000000000"

static struct money eth(uint64_t amount)
{
	return (struct money){ amount, currency_find(STR("ETH")) };
}

static struct cache_row stored(const char *list_ok, bool is_held)
{
	struct cache_row row = { .state = CACHE_PRESENT, .ver = STR(STORED_7), .gen = 1 };

	cr_assert(zero(int, row_put(&row.row, STR("list_ok"), str_of(list_ok))));
	cr_assert(zero(int, row_put(&row.row, STR("list_ok_currency"), STR("ETH"))));
	if (is_held)
		cr_assert(zero(int, row_put(&row.row, STR("held"), STR("1"))));
	return row;
}

static struct inventory judge(struct money list, const char *list_ok, bool is_confirmed)
{
	struct cache_row row = stored(list_ok, false);
	struct inventory inv = { .list = list };

	breaker_judge(&inv, &row, is_confirmed);
	return inv;
}

static void expect(struct inventory inv, int64_t held, uint64_t list_ok)
{
	cr_expect(eq(i64, inv.held, held));
	cr_expect(eq(u64, (uint64_t)inv.list_ok.amount, list_ok));
}

Test(breaker, half_away_passes_and_one_unit_more_is_held)
{
	expect(judge(eth(150), "100", false), 0, 150);
	expect(judge(eth(151), "100", false), 1, 100);
	expect(judge(eth(50), "100", false), 0, 50);
	expect(judge(eth(49), "100", false), 1, 100);
}

Test(breaker, zero_compares_without_dividing)
{
	expect(judge(eth(0), "0", false), 0, 0);
	expect(judge(eth(1), "0", false), 1, 0);
}

Test(breaker, the_largest_amounts_do_not_overflow)
{
	struct inventory inv = { .list = { ((u128)1 << 96) - 1, currency_find(STR("ETH")) } };
	struct cache_row row = stored("1", false);

	breaker_judge(&inv, &row, false);
	expect(inv, 1, 1);
	row = stored("79228162514264337593543950335", false);
	inv = (struct inventory){ .list = eth(1) };
	breaker_judge(&inv, &row, false);
	cr_expect(eq(i64, inv.held, 1));
}

Test(breaker, another_currency_is_away_even_at_par)
{
	struct money weth = { 100, currency_find(STR("WETH")) };

	expect(judge(weth, "100", false), 1, 100);
}

Test(breaker, a_confirmation_passes_anything)
{
	expect(judge(eth(100000), "100", true), 0, 100000);
}

Test(breaker, a_first_row_and_a_row_after_a_tombstone_pass)
{
	struct cache_row none = { .state = CACHE_MISSING }, dead = { .state = CACHE_TOMBSTONE };
	struct inventory inv = { .list = eth(7) };

	breaker_judge(&inv, &none, false);
	expect(inv, 0, 7);
	inv = (struct inventory){ .list = eth(8) };
	breaker_judge(&inv, &dead, false);
	expect(inv, 0, 8);
}

Test(breaker, a_row_without_list_ok_is_judged_by_its_list)
{
	struct cache_row row = { .state = CACHE_PRESENT };
	struct inventory inv = { .list = eth(1000) };

	cr_assert(zero(int, row_put(&row.row, STR("list"), STR("100"))));
	cr_assert(zero(int, row_put(&row.row, STR("list_currency"), STR("ETH"))));
	breaker_judge(&inv, &row, false);
	expect(inv, 1, 100);
}

Test(breaker, a_confirmation_of_the_held_version_gets_the_next_fourth_part)
{
	struct version seven = { { 7 } }, eight = { { 8 } };
	struct cache_row held = stored("100", true), free = stored("100", false);

	cr_expect(eq(u64, breaker_version(seven, 1, &held, true).part[3], 1));
	cr_expect(eq(u64, breaker_version(seven, 1, &held, false).part[3], 0));
	cr_expect(eq(u64, breaker_version(seven, 2, &held, true).part[3], 0));
	cr_expect(eq(u64, breaker_version(seven, 1, &free, true).part[3], 0));
	cr_expect(eq(u64, breaker_version(eight, 1, &held, true).part[3], 0));
}
