#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>

#include "common/model/canonical.h"

static void expect(const char *json, const char *canonical)
{
	CLEANUP(buf_fini) struct buf out = BUF_INIT(4096);
	struct fault f = { 0 };
	json_t *doc = json_loads(json, JSON_DECODE_ANY, NULL);

	cr_assert(doc != NULL);
	cr_assert(zero(int, canonical_json(&out, doc, &f)), "%s", f.text);
	cr_expect(str_eqz(buf_str(&out), canonical), "got " STR_FMT, STR_ARG(buf_str(&out)));
	json_decref(doc);
}

static void expect_refused(const char *json, size_t max, int err)
{
	CLEANUP(buf_fini) struct buf out = BUF_INIT(max);
	struct fault f = { 0 };
	json_t *doc = json_loads(json, JSON_DECODE_ANY, NULL);

	cr_assert(doc != NULL);
	cr_expect(eq(int, canonical_json(&out, doc, &f), err));
	cr_expect(ne(chr, f.text[0], '\0'));
	json_decref(doc);
}

Test(canonical, members_are_sorted_and_spaces_dropped)
{
	expect("{ \"b\" : [ 1, {\"d\":null,\"c\":true} ], \"a\" : \"x\" }",
		"{\"a\":\"x\",\"b\":[1,{\"c\":true,\"d\":null}]}");
	expect("{}", "{}");
	expect("[]", "[]");
	expect("-7", "-7");
}

/* RFC 8785, 3.2.3: the order of UTF-16 units, where a surrogate pair sorts before U+E000 and up. */
Test(canonical, names_are_ordered_by_utf16_units)
{
	expect("{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,"
	       "\"\\u00f6\":7}",
		"{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,"
		"\"\xf0\x9f\x98\x80\":5,\"\xef\xac\xb3\":3}");
	expect("{\"ab\":1,\"a\":2,\"\":3}", "{\"\":3,\"a\":2,\"ab\":1}");
}

Test(canonical, texts_have_the_shortest_escapes)
{
	expect("[\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\"]",
		"[\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"]");
}

Test(canonical, only_integers_of_53_bits_are_numbers)
{
	expect("[9007199254740991,-9007199254740991,0]", "[9007199254740991,-9007199254740991,0]");
	expect_refused("[9007199254740992]", 4096, -EINVAL);
	expect_refused("{\"a\":1.5}", 4096, -EINVAL);
}

Test(canonical, depth_and_size_have_a_maximum)
{
	expect_refused("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", 4096, -EINVAL);
	expect("[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]");
	expect_refused("[\"0123456789\"]", 8, -ENOSPC);
}
