/* Cells: the example of the contract, and indexes put together by hand from the published bit
 * layout. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "ws-server/h3.h"

/* A cell of @base at @resolution whose digits are all @digit, the first one @first. */
static const char *cell(unsigned base, unsigned resolution, unsigned first, unsigned digit)
{
	static char text[2][20];
	static unsigned turn;
	uint64_t h = UINT64_C(1) << 59 | (uint64_t)resolution << 52 | (uint64_t)base << 45;

	for (unsigned r = 1; r <= 15; r++)
		h |= (uint64_t)(r > resolution ? 7 : r == 1 ? first : digit) << (3 * (15 - r));
	turn = !turn;
	snprintf(text[turn], sizeof(text[0]), "%" PRIx64, h);
	return text[turn];
}

static int coarsen(char ret[H3_TEXT_MAX], const char *text)
{
	return h3_coarsen(ret, str_of(text), 6);
}

Test(h3, finer_cell_becomes_its_ancestor)
{
	char out[H3_TEXT_MAX];

	for (unsigned r = 7; r <= 15; r++) {
		cr_assert(zero(int, coarsen(out, cell(15, r, 3, 5))), "resolution %u", r);
		cr_expect(eq(str, out, (char *)cell(15, 6, 3, 5)));
	}
	cr_assert(zero(int, coarsen(out, "891f1d4894fffff")));
	cr_expect(eq(str, out, "861f1d48fffffff"), "resolution 9, in the contract's cell");
}

Test(h3, coarse_cell_stays)
{
	char out[H3_TEXT_MAX];

	cr_assert(zero(int, coarsen(out, "861f1d48fffffff")));
	cr_expect(eq(str, out, "861f1d48fffffff"));
	cr_assert(zero(int, coarsen(out, cell(121, 0, 0, 0))));
	cr_expect(eq(str, out, (char *)cell(121, 0, 0, 0)));
}

Test(h3, text_that_is_no_cell_is_refused)
{
	char out[H3_TEXT_MAX];
	const char *const bad[] = { "", "0", "861f1d48ffffff", "861f1d48fffffff0",
		"861F1D48FFFFFFF", "0x861f1d48fffffff", "861f1d48fffffgf", "ffffffffffffffff",
		"11111111111111111", "1161f1d48fffffff" /* a directed edge */,
		"961f1d48fffffff" /* reserved bits */, "861f1d480ffffff" /* a digit too many */,
		"861f1f8ffffffff" /* one too few */ };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect(eq(int, coarsen(out, bad[i]), -EINVAL), "%s", bad[i]);
	cr_expect(eq(int, coarsen(out, cell(122, 6, 1, 1)), -EINVAL), "there are 122 base cells");
}

Test(h3, pentagon_has_no_child_in_direction_one)
{
	char out[H3_TEXT_MAX];

	cr_expect(eq(int, coarsen(out, cell(4, 9, 1, 2)), -EINVAL));
	cr_expect(eq(int, coarsen(out, cell(117, 9, 0, 1)), -EINVAL), "leading zeros do not help");
	cr_expect(zero(int, coarsen(out, cell(4, 9, 2, 1))));
	cr_expect(zero(int, coarsen(out, cell(5, 9, 1, 2))));
	cr_expect(zero(int, coarsen(out, cell(4, 9, 0, 0))));
}
