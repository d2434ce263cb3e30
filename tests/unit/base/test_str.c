#include <errno.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/str.h"

Test(str, compares_bytes_and_puts_the_shorter_first)
{
	cr_expect(lt(int, str_cmp(STR("a"), STR("b")), 0));
	cr_expect(lt(int, str_cmp(STR("a"), STR("aa")), 0));
	cr_expect(gt(int, str_cmp(STR("\xff"), STR("a")), 0));
	cr_expect(zero(int, str_cmp(STR_NONE, STR(""))));
	cr_expect(zero(int, str_cmp(STR("x"), STR("x"))));
}

Test(str, copy_that_does_not_fit_leaves_an_empty_text)
{
	char to[4] = "old";

	cr_expect(zero(int, str_copy(to, sizeof(to), STR("abc"))));
	cr_expect(eq(str, to, "abc"));
	cr_expect(eq(int, str_copy(to, sizeof(to), STR("abcd")), -ENAMETOOLONG));
	cr_expect(eq(str, to, ""));
	cr_expect(eq(int, str_copy(to, 0, STR("")), -ENAMETOOLONG));
	cr_expect(zero(int, str_copy(to, 1, STR_NONE)));
}

Test(str, trim_takes_spaces_and_tabs_from_both_ends_only)
{
	cr_expect(str_eq(str_trim(STR(" \t a b\t ")), STR("a b")));
	cr_expect(str_eq(str_trim(STR("a")), STR("a")));
	cr_expect(str_eq(str_trim(STR("\na ")), STR("\na")));
	cr_expect(zero(sz, str_trim(STR(" \t")).n));
	cr_expect(zero(sz, str_trim(STR_NONE).n));
}

Test(str, unsigned_number_has_one_text)
{
	uint64_t v = 7;

	cr_expect(zero(int, str_to_u64(STR("0"), &v)));
	cr_expect(eq(u64, v, 0));
	cr_expect(zero(int, str_to_u64(STR("18446744073709551615"), &v)));
	cr_expect(eq(u64, v, UINT64_MAX));
	cr_expect(eq(int, str_to_u64(STR("18446744073709551616"), &v), -ERANGE));
	cr_expect(eq(int, str_to_u64(STR("99999999999999999999999"), &v), -ERANGE));
	cr_expect(eq(u64, v, UINT64_MAX), "an error leaves the value alone");

	static const char *const BAD[] = { "", "00", "01", "+1", "-1", " 1", "1 ", "1.0", "0x1",
		"99999999999999999999999x" };
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
		cr_expect(eq(int, str_to_u64(str_of(BAD[i]), &v), -EINVAL), "%s", BAD[i]);
}

Test(str, signed_number_reaches_both_ends)
{
	int64_t v = 7;

	cr_expect(zero(int, str_to_i64(STR("9223372036854775807"), &v)));
	cr_expect(eq(i64, v, INT64_MAX));
	cr_expect(zero(int, str_to_i64(STR("-9223372036854775808"), &v)));
	cr_expect(eq(i64, v, INT64_MIN));
	cr_expect(zero(int, str_to_i64(STR("-1"), &v)));
	cr_expect(eq(i64, v, -1));
	cr_expect(eq(int, str_to_i64(STR("9223372036854775808"), &v), -ERANGE));
	cr_expect(eq(int, str_to_i64(STR("-9223372036854775809"), &v), -ERANGE));
	cr_expect(eq(int, str_to_i64(STR("-0"), &v), -EINVAL));
	cr_expect(eq(int, str_to_i64(STR("-"), &v), -EINVAL));
	cr_expect(eq(int, str_to_i64(STR("--1"), &v), -EINVAL));
}

/* RFC 3629, section 4: the first and last of every row, and their neighbours. */
Test(str, utf8_is_exactly_that_of_rfc_3629)
{
	static const char *const GOOD[] = { "", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
		"\xe0\xbf\xbf", "\xe1\x80\x80", "\xec\xbf\xbf", "\xed\x80\x80", "\xed\x9f\xbf",
		"\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf0\xbf\xbf\xbf",
		"\xf1\x80\x80\x80", "\xf3\xbf\xbf\xbf", "\xf4\x80\x80\x80", "\xf4\x8f\xbf\xbf",
		"a\xc3\xa4z" };
	static const char *const BAD[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2",
		"\xc2\x7f", "\xc2\xc0", "\xe0\x9f\xbf", "\xe0\xa0", "\xe1\x80\x7f", "\xed\xa0\x80",
		"\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80", "\xf0\x90\x80\xc0",
		"\xf0\x90\x7f\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff",
		"ok\xc3" };

	for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++)
		cr_expect(str_is_utf8(str_of(GOOD[i])), "good %zu", i);
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
		cr_expect(not(str_is_utf8(str_of(BAD[i]))), "bad %zu", i);
	cr_expect(str_is_utf8(STR_NONE));
	cr_expect(str_is_utf8((struct str){ "a\0b", 3 }), "NUL is a character");
}

Test(str, visible_ascii_is_bounded_and_has_no_blank)
{
	cr_expect(str_is_visible_ascii(STR("!~"), 2));
	cr_expect(not(str_is_visible_ascii(STR("abc"), 2)));
	cr_expect(not(str_is_visible_ascii(STR(""), 2)));
	cr_expect(not(str_is_visible_ascii(STR("a b"), 9)));
	cr_expect(not(str_is_visible_ascii(STR("a\x7f"), 9)));
	cr_expect(not(str_is_visible_ascii(STR("\xc3\xa4"), 9)));
}
