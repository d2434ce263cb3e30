#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "pricing/cel/nearest.h"

Test(nearest, edits_are_counted_and_a_swap_is_one)
{
	cr_expect(eq(int, nearest_edits(STR("tier"), STR("tier")), 0));
	cr_expect(eq(int, nearest_edits(STR("teir"), STR("tier")), 1));
	cr_expect(eq(int, nearest_edits(STR("tie"), STR("tier")), 1));
	cr_expect(eq(int, nearest_edits(STR("tiers"), STR("tier")), 1));
	cr_expect(eq(int, nearest_edits(STR(""), STR("tier")), 4));
	cr_expect(eq(int, nearest_edits(STR("kitten"), STR("sitting")), 3));
}

Test(nearest, long_names_are_far_from_everything)
{
	char name[NEAREST_MAX + 1];

	memset(name, 'a', sizeof(name));
	cr_expect(
		eq(int, nearest_edits((struct str){ name, sizeof(name) }, STR("a")), NEAREST_MAX));
	cr_expect(eq(
		int, nearest_edits((struct str){ name, NEAREST_MAX }, STR("a")), NEAREST_MAX - 1));
}

Test(nearest, only_near_names_are_meant)
{
	struct nearest n = nearest_to(STR("glod"));

	nearest_offer(&n, STR(""));
	nearest_offer(&n, STR("platinum"));
	cr_expect(not(str_is_set(n.best)));
	nearest_offer(&n, STR("glow"));
	nearest_offer(&n, STR("gold"));
	nearest_offer(&n, STR("clod"));
	cr_expect(str_eqz(n.best, "glow"), "the first of equals stays");
}

Test(nearest, a_closed_list_has_always_a_nearest)
{
	static const char *const names[] = { "", "none", "gold", NULL };

	cr_expect(eq(str, (char *)nearest_name("zzzzzzzz", names), "none"));
	cr_expect(eq(str, (char *)nearest_name("gol", names), "gold"));
	cr_expect(eq(int, nearest_index("gold", names), 2));
	cr_expect(eq(int, nearest_index("", names), -1));
}
