#include <math.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/json_out.h"

static bool holds(const struct buf *b, const char *text)
{
	return !b->failed && str_eqz(buf_str(b), text);
}

Test(json_out, commas_stand_between_members_at_every_depth)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1024);
	struct json_out j = JSON_OUT(&b);

	json_begin(&j, NULL);
	json_strz(&j, "a", "x");
	json_begin_array(&j, "b");
	json_i64(&j, NULL, 1);
	json_begin(&j, NULL);
	json_end(&j);
	json_begin(&j, NULL);
	json_bool(&j, "c", true);
	json_bool(&j, "d", false);
	json_end(&j);
	json_end_array(&j);
	json_out_null(&j, "e");
	json_end(&j);
	cr_expect(holds(&b, "{\"a\":\"x\",\"b\":[1,{},{\"c\":true,\"d\":false}],\"e\":null}"),
		STR_FMT, STR_ARG(buf_str(&b)));
}

Test(json_out, numbers_reach_both_ends)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1024);
	struct json_out j = JSON_OUT(&b);

	json_begin_array(&j, NULL);
	json_i64(&j, NULL, INT64_MIN);
	json_u64(&j, NULL, UINT64_MAX);
	json_f64(&j, NULL, 1.005, 1);
	json_f64(&j, NULL, NAN, 1);
	json_f64(&j, NULL, INFINITY, 1);
	json_end_array(&j);
	cr_expect(holds(&b, "[-9223372036854775808,18446744073709551615,1.0,null,null]"));
}

/* RFC 8785, section 3.2.2.2. */
Test(json_out, escapes_are_the_shortest)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1024);
	struct json_out j = JSON_OUT(&b);
	static const char TEXT[] =
		"\x00\x01\b\t\n\x0b\f\r\x1f \"\\/\x7f\xe2\x82\xac\xf0\x9f\x98\x80";

	json_str(&j, NULL, (struct str){ TEXT, sizeof(TEXT) - 1 });
	cr_expect(holds(&b, "\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f "
			    "\\\"\\\\/\x7f\xe2\x82\xac\xf0\x9f\x98\x80\""),
		STR_FMT, STR_ARG(buf_str(&b)));
}

Test(json_out, bytes_that_are_not_utf8_are_replaced)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1024);
	struct json_out j = JSON_OUT(&b);

	json_str(&j, NULL,
		STR("a\xff"
		    "b\xc3"));
	cr_expect(holds(&b, "\"a\xef\xbf\xbd"
			    "b\xef\xbf\xbd\""));
}

Test(json_out, keys_are_escaped)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1024);
	struct json_out j = JSON_OUT(&b);

	json_begin(&j, NULL);
	json_i64(&j, "a\"b", 1);
	json_end(&j);
	cr_expect(holds(&b, "{\"a\\\"b\":1}"));
}

Test(json_out, absent_is_left_out_in_optional_forms_and_null_in_plain_ones)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1024);
	struct json_out j = JSON_OUT(&b);

	json_begin(&j, NULL);
	json_str_opt(&j, "a", STR_NONE);
	json_raw_opt(&j, "b", STR_NONE);
	json_str_opt(&j, "c", STR(""));
	json_raw_opt(&j, "d", STR("[1]"));
	json_str(&j, "e", STR_NONE);
	json_raw(&j, "f", STR_NONE);
	json_end(&j);
	cr_expect(holds(&b, "{\"c\":\"\",\"d\":[1],\"e\":null,\"f\":null}"));
}

Test(json_out, depth_of_32_is_allowed)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1024);
	struct json_out j = JSON_OUT(&b);

	for (int i = 0; i < 32; i++)
		json_begin_array(&j, NULL);
	json_i64(&j, NULL, 1);
	json_i64(&j, NULL, 2);
	for (int i = 0; i < 32; i++)
		json_end_array(&j);
	cr_expect(holds(&b, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1,2]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"));
}

Test(json_out, overflow_shows_in_the_buffer)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(8);
	struct json_out j = JSON_OUT(&b);

	json_strz(&j, NULL, "much too long");
	cr_expect(b.failed);
}
