#include <errno.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/time_text.h"

static void expect_text(int64_t ms, const char *want)
{
	char text[TIME_TEXT_MAX];

	cr_expect(zero(int, time_text(text, ms)));
	cr_expect(eq(str, text, (char *)want));
}

Test(time_text, is_utc_with_milliseconds)
{
	expect_text(INT64_C(1795527781123), "2026-11-24T13:43:01.123Z");
	expect_text(INT64_C(1795527781000), "2026-11-24T13:43:01.000Z");
	expect_text(INT64_C(951782400007), "2000-02-29T00:00:00.007Z");
}

Test(time_text, reaches_from_1970_to_the_end_of_9999)
{
	expect_text(0, "1970-01-01T00:00:00.000Z");
	expect_text(1, "1970-01-01T00:00:00.001Z");
	expect_text(INT64_C(253402300799999), "9999-12-31T23:59:59.999Z");
}

Test(time_text, any_other_year_is_out_of_range_and_leaves_an_empty_text)
{
	const int64_t beyond[] = { -1, INT64_C(253402300800000), INT64_MIN, INT64_MAX };

	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
		char text[TIME_TEXT_MAX] = "old";

		cr_expect(eq(int, time_text(text, beyond[i]), -ERANGE));
		cr_expect(eq(str, text, ""));
	}
}
