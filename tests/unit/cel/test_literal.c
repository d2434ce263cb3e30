#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "pricing/cel/literal.h"

static struct arena *arena;

static void set_up(void)
{
	cr_assert(zero(int, arena_new(&arena, 4096)));
}

static void tear_down(void)
{
	arena = arena_free(arena);
}

TestSuite(cel_literal, .init = set_up, .fini = tear_down);

Test(cel_literal, an_int_reaches_to_both_ends_of_its_range)
{
	int64_t i = 1;

	cr_expect(zero(int, cel_literal_int(STR("0"), false, &i)));
	cr_expect(zero(i64, i));
	cr_expect(zero(int, cel_literal_int(STR("9223372036854775807"), false, &i)));
	cr_expect(eq(i64, i, INT64_MAX));
	cr_expect(zero(int, cel_literal_int(STR("9223372036854775808"), true, &i)));
	cr_expect(eq(i64, i, INT64_MIN));
	cr_expect(zero(int, cel_literal_int(STR("0x7fffffffffffffff"), false, &i)));
	cr_expect(eq(i64, i, INT64_MAX));
	cr_expect(zero(int, cel_literal_int(STR("0x8000000000000000"), true, &i)));
	cr_expect(eq(i64, i, INT64_MIN));
	cr_expect(zero(int, cel_literal_int(STR("0xFf"), true, &i)));
	cr_expect(eq(i64, i, -255));
	cr_expect(zero(int, cel_literal_int(STR("00000000000000000000000012"), false, &i)));
	cr_expect(eq(i64, i, 12));
}

Test(cel_literal, an_int_beyond_its_range_is_refused)
{
	int64_t i;

	cr_expect(eq(
		int, cel_literal_int(STR("9223372036854775808"), false, &i), CEL_LITERAL_E_RANGE));
	cr_expect(eq(
		int, cel_literal_int(STR("9223372036854775809"), true, &i), CEL_LITERAL_E_RANGE));
	cr_expect(eq(
		int, cel_literal_int(STR("18446744073709551616"), true, &i), CEL_LITERAL_E_RANGE));
	cr_expect(eq(
		int, cel_literal_int(STR("0x10000000000000000"), false, &i), CEL_LITERAL_E_RANGE));
}

Test(cel_literal, a_uint_loses_its_letter)
{
	uint64_t u;

	cr_expect(zero(int, cel_literal_uint(STR("18446744073709551615u"), &u)));
	cr_expect(eq(u64, u, UINT64_MAX));
	cr_expect(zero(int, cel_literal_uint(STR("0xABU"), &u)));
	cr_expect(eq(u64, u, 0xab));
	cr_expect(eq(int, cel_literal_uint(STR("18446744073709551616u"), &u), CEL_LITERAL_E_RANGE));
}

Test(cel_literal, a_double_is_the_nearest_and_never_infinite)
{
	double d;

	cr_expect(zero(int, cel_literal_double(STR(".5"), true, arena, &d)));
	cr_expect(eq(dbl, d, -0.5));
	cr_expect(zero(int, cel_literal_double(STR("1.7976931348623157e308"), false, arena, &d)));
	cr_expect(eq(dbl, d, 1.7976931348623157e308));
	cr_expect(zero(int, cel_literal_double(STR("1e-400"), false, arena, &d)));
	cr_expect(zero(dbl, d));
	cr_expect(eq(int, cel_literal_double(STR("1e309"), false, arena, &d), CEL_LITERAL_E_RANGE));
	cr_expect(zero(sz, arena_used(arena)), "the copy is given back");
	cr_assert(arena_alloc(arena, 4096) != NULL);
	cr_expect(eq(int, cel_literal_double(STR("1.5"), false, arena, &d), CEL_LITERAL_E_MEMORY));
}

static void expect_text(struct str token, bool is_bytes, struct str expected)
{
	struct str value, bad;

	cr_expect(zero(int, cel_literal_text(token, false, is_bytes, arena, &value, &bad)), STR_FMT,
		STR_ARG(token));
	cr_expect(str_eq(value, expected), STR_FMT " is `" STR_FMT "`", STR_ARG(token),
		STR_ARG(value));
}

Test(cel_literal, every_escape_has_its_character)
{
	expect_text(STR("'\\a\\b\\f\\n\\r\\t\\v'"), false, STR("\a\b\f\n\r\t\v"));
	expect_text(STR("'\\\\\\'\\\"\\`\\?'"), false, STR("\\'\"`?"));
	expect_text(STR("'\\x41\\X7a'"), false, STR("Az"));
	expect_text(STR("'\\101\\000\\377'"), false, STR("A\0\u00ff"));
	expect_text(STR("'\\xff'"), false, STR("\u00ff"));
	expect_text(STR("'\\u00e9\\u20AC\\U0001F601'"), false, STR("\u00e9\u20ac\U0001F601"));
	expect_text(STR("'\\ud7ff\\ue000\\U0010ffff'"), false, STR("\uD7FF\uE000\U0010FFFF"));
}

Test(cel_literal, in_bytes_a_number_is_a_byte)
{
	expect_text(STR("b'\\xff\\377\\x00'"), true, STR("\xff\xff\0"));
	expect_text(STR("b'\u00e9'"), true, STR("\xc3\xa9"));
}

Test(cel_literal, raw_texts_and_three_quotes_keep_what_they_hold)
{
	expect_text(STR("r'\\n'"), false, STR("\\n"));
	expect_text(STR("bR\"\\x41\""), true, STR("\\x41"));
	expect_text(STR("'''a'b\"'''"), false, STR("a'b\""));
	expect_text(STR("\"\"\"\"\"\""), false, STR(""));
	expect_text(STR("''"), false, STR(""));
}

Test(cel_literal, line_ends_become_one_character)
{
	expect_text(STR("'''a\r\nb\rc\nd'''"), false, STR("a\nb\nc\nd"));
	expect_text(STR("r'''a\r\r\n'''"), false, STR("a\n\n"));
	expect_text(STR("'''a\r'''"), false, STR("a\n"));
}

Test(cel_literal, a_plain_text_is_borrowed)
{
	struct str token = STR("r'abc'");
	struct str value, bad;

	cr_expect(zero(int, cel_literal_text(token, true, false, arena, &value, &bad)));
	cr_expect(eq(ptr, (void *)value.p, (void *)(token.p + 2)));
	cr_expect(eq(sz, value.n, 3));
	cr_expect(zero(sz, arena_used(arena)));
}

static void expect_bad(struct str token, bool is_bytes, int error, struct str escape)
{
	struct str value, bad = STR_NONE;

	cr_expect(eq(int, cel_literal_text(token, false, is_bytes, arena, &value, &bad), error),
		STR_FMT, STR_ARG(token));
	cr_expect(str_eq(bad, escape), STR_FMT " stumbles at `" STR_FMT "`", STR_ARG(token),
		STR_ARG(bad));
}

Test(cel_literal, an_escape_that_is_none_is_named)
{
	expect_bad(STR("'a\\d'"), false, CEL_LITERAL_E_ESCAPE, STR("\\d"));
	expect_bad(STR("'\\xFh'"), false, CEL_LITERAL_E_ESCAPE, STR("\\xF"));
	expect_bad(STR("'\\x'"), false, CEL_LITERAL_E_ESCAPE, STR("\\x"));
	expect_bad(STR("'\\u12'"), false, CEL_LITERAL_E_ESCAPE, STR("\\u12"));
	expect_bad(STR("'\\U0001f60'"), false, CEL_LITERAL_E_ESCAPE, STR("\\U0001f60"));
	expect_bad(STR("'\\400'"), false, CEL_LITERAL_E_ESCAPE, STR("\\4"));
	expect_bad(STR("'\\08'"), false, CEL_LITERAL_E_ESCAPE, STR("\\08"));
	expect_bad(STR("'\\1'"), false, CEL_LITERAL_E_ESCAPE, STR("\\1"));
	expect_bad(STR("'\\\u20ac'"), false, CEL_LITERAL_E_ESCAPE, STR("\\\u20ac"));
	expect_bad(STR("b'\\u0041'"), true, CEL_LITERAL_E_ESCAPE, STR("\\u0041"));
	expect_bad(STR("b'\\U00000041'"), true, CEL_LITERAL_E_ESCAPE, STR("\\U00000041"));
	expect_bad(STR("'''a\\\nb'''"), false, CEL_LITERAL_E_ESCAPE, STR("\\\n"));
}

Test(cel_literal, a_number_that_is_no_character_is_named)
{
	expect_bad(STR("'\\ud800'"), false, CEL_LITERAL_E_CODE_POINT, STR("\\ud800"));
	expect_bad(STR("'a\\uDFFFb'"), false, CEL_LITERAL_E_CODE_POINT, STR("\\uDFFF"));
	expect_bad(STR("'\\U00110000'"), false, CEL_LITERAL_E_CODE_POINT, STR("\\U00110000"));
	expect_bad(STR("'\\Uffffffff'"), false, CEL_LITERAL_E_CODE_POINT, STR("\\Uffffffff"));
}

Test(cel_literal, a_text_for_which_there_is_no_memory_is_an_error)
{
	struct str value, bad;

	cr_assert(arena_alloc(arena, 4096) != NULL);
	cr_expect(eq(int, cel_literal_text(STR("'a\\n'"), false, false, arena, &value, &bad),
		CEL_LITERAL_E_MEMORY));
}
