/* The three forms of a time on the stream. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <errno.h>

#include "bidding/opensea/time.h"

struct time_case {
	char text[48];
	int64_t ms; /* -1: refused */
};

ParameterizedTestParameters(opensea_time, every_form_is_read_and_nothing_else)
{
	static struct time_case t[] = {
		{ "2022-12-01T16:54:24.212517+00:00", 1669913664212 },
		{ "2026-09-09T10:18:41.216000Z", 1788949121216 },
		{ "1788949571", 1788949571000 },
		{ "2026-09-09T10:18:41Z", 1788949121000 },
		{ "2026-09-09T10:18:41", 1788949121000 },
		{ "2026-09-09T12:18:41+02:00", 1788949121000 },
		{ "2026-09-09T05:18:41-0500", 1788949121000 },
		{ "2024-02-29T00:00:00Z", 1709164800000 },
		{ "2000-02-29T00:00:00Z", 951782400000 },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "0", 0 },
		{ "2026-09-09T10:18:41.9999999Z", 1788949121999 },
		{ "2026-02-29T00:00:00Z", -1 },
		{ "2100-02-29T00:00:00Z", -1 },
		{ "2026-13-01T00:00:00Z", -1 },
		{ "2026-00-01T00:00:00Z", -1 },
		{ "2026-09-09T24:00:00Z", -1 },
		{ "2026-09-09T10:18:41.Z", -1 },
		{ "2026-09-09T10:18:41+24:00", -1 },
		{ "2026-09-09T10:18:41Zx", -1 },
		{ "2026-09-09", -1 },
		{ "1969-12-31T23:59:59Z", -1 },
		{ "1970-01-01T00:00:00+01:00", -1 },
		{ "99999999999999999999", -1 },
		{ "9007199254741", -1 },
		{ "-5", -1 },
		{ "", -1 },
		{ "now", -1 },
	};

	return cr_make_param_array(struct time_case, t, sizeof(t) / sizeof(t[0]));
}

ParameterizedTest(struct time_case *p, opensea_time, every_form_is_read_and_nothing_else)
{
	int64_t ms = -1;
	int r = opensea_time_parse(&ms, str_of(p->text));

	cr_expect(eq(int, r, p->ms < 0 ? -EINVAL : 0), "%s", p->text);
	cr_expect(eq(i64, ms, p->ms), "%s", p->text);
}
