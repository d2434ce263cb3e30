#include <errno.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/row.h"

Test(row, absent_field_differs_from_an_empty_one)
{
	struct row row = { .n = 0 };

	cr_assert(zero(int, row_put(&row, STR("tier"), STR(""))));
	cr_expect(str_is_set(row_get(&row, "tier")));
	cr_expect(not(str_is_set(row_get(&row, "tie"))));
	cr_expect(not(str_is_set(row_get(&row, "tiers"))));
}

Test(row, keeps_order_and_finds_values)
{
	struct row row = { .n = 0 };

	cr_assert(zero(int, row_put(&row, STR("b"), STR("1"))));
	cr_assert(zero(int, row_put(&row, STR("a"), STR("2"))));
	cr_expect(str_eqz(row.field[0].name, "b"));
	cr_expect(str_eqz(row_get(&row, "a"), "2"));
}

Test(row, refuses_more_than_its_maximum)
{
	struct row row = { .n = 0 };

	for (int i = 0; i < ROW_FIELDS_MAX; i++)
		cr_assert(zero(int, row_put(&row, STR("f"), STR("v"))));
	cr_expect(eq(int, row_put(&row, STR("g"), STR("v")), -ENOSPC));
	cr_expect(not(str_is_set(row_get(&row, "g"))));
}
