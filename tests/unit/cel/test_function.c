#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "pricing/cel/function.h"

Test(cel_function, every_name_of_the_table_finds_its_own_number)
{
	for (int f = CEL_F_UNKNOWN + 1; f < CEL_F_N; f++) {
		const struct cel_function_info *info = &cel_functions[f];

		cr_expect(eq(int, (int)cel_function_find(info->name), f), "%s", info->name.p);
		cr_expect(info->is_global || info->is_member, "%s can be called", info->name.p);
		cr_expect(info->n_least >= 1 && info->n_least <= info->n_most);
		cr_expect(le(int, info->n_most, 8));
	}
}

Test(cel_function, the_numbers_stand_for_the_names_of_cel_go)
{
	cr_expect(eq(int, (int)cel_function_find(STR("_&&_")), CEL_F_AND));
	cr_expect(eq(int, (int)cel_function_find(STR("@in")), CEL_F_IN));
	cr_expect(eq(int, (int)cel_function_find(STR("_[_]")), CEL_F_INDEX));
	cr_expect(eq(int, (int)cel_function_find(STR("money.min")), CEL_F_MONEY_MIN));
}

Test(cel_function, a_name_that_is_none_is_unknown)
{
	const char *names[] = { "", "siz", "sizes", "Size", "_&&", "money", "money.", "money.mi",
		"money.mini", "@result", "eth", "getDat", "contains " };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int want = str_eqz(STR("money"), names[i]) ? CEL_F_MONEY : CEL_F_UNKNOWN;

		cr_expect(eq(int, (int)cel_function_find(str_of(names[i])), want), "%s", names[i]);
	}
	cr_expect(eq(int, (int)cel_function_find(STR_NONE), CEL_F_UNKNOWN));
	cr_expect(eq(int, (int)cel_function_find((struct str){ "size\0", 5 }), CEL_F_UNKNOWN));
}

Test(cel_function, operators_are_global_and_receivers_count_as_an_argument)
{
	cr_expect(cel_functions[CEL_F_ADD].is_global && !cel_functions[CEL_F_ADD].is_member);
	cr_expect(not(cel_functions[CEL_F_CONTAINS].is_global));
	cr_expect(eq(int, cel_functions[CEL_F_CONTAINS].n_least, 2));
	cr_expect(cel_functions[CEL_F_SIZE].is_global && cel_functions[CEL_F_SIZE].is_member);
	cr_expect(eq(int, cel_functions[CEL_F_GET_HOURS].n_most, 2));
}
