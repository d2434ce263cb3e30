#include "lib_support.h"

TestSuite(cel_string, .init = lib_begin, .fini = lib_end);

Test(cel_string, parts_are_found_at_the_front_the_end_and_anywhere)
{
	EXPECT_CALL("true", STARTS_WITH, S("foobar"), S("foo"));
	EXPECT_CALL("false", STARTS_WITH, S("foobar"), S("bar"));
	EXPECT_CALL("false", STARTS_WITH, S(""), S("foo"));
	EXPECT_CALL("true", STARTS_WITH, S("foobar"), S(""));
	EXPECT_CALL("true", STARTS_WITH, S(""), S(""));
	EXPECT_CALL("true", STARTS_WITH, S("\U0001f431\U0001f600"), S("\U0001f431"));
	EXPECT_CALL("true", ENDS_WITH, S("fort\u00e9"), S("t\u00e9"));
	EXPECT_CALL("false", ENDS_WITH, S("bar"), S("foobar"));
	EXPECT_CALL("true", ENDS_WITH, S(""), S(""));
	EXPECT_CALL("true", CONTAINS, S("abababc"), S("ababc"));
	EXPECT_CALL("true", CONTAINS, S("hello"), S(""));
	EXPECT_CALL("true", CONTAINS, S(""), S(""));
	EXPECT_CALL("false", CONTAINS, S("hello"), S("ol"));
	EXPECT_CALL("false", CONTAINS, S(""), S("something"));
	EXPECT_CALL("true", CONTAINS, S("Stra\u00dfe"), S("a\u00df"));
	EXPECT_ERROR(NO_OVERLOAD, CONTAINS, B("abc"), B("a"));
	EXPECT_ERROR(NO_OVERLOAD, STARTS_WITH, S("abc"), Int(1));
}

Test(cel_string, a_nul_is_a_character_like_any_other)
{
	struct cel_value text = cel_string((struct str){ "a\0b", 3 });

	EXPECT_CALL("3", SIZE, text);
	EXPECT_CALL("true", CONTAINS, text, cel_string((struct str){ "\0b", 2 }));
	EXPECT_CALL("false", EQ, text, S("a"));
	EXPECT_CALL("true", GT, text, S("a"));
}

Test(cel_string, case_changes_in_ascii_only)
{
	EXPECT_CALL("\"hello \u00c4z@[\"", LOWER_ASCII, S("HeLLo \u00c4Z@["));
	EXPECT_CALL("\"HELLO \u00e4Z`{\"", UPPER_ASCII, S("hEllo \u00e4z`{"));
	EXPECT_CALL("\"\"", LOWER_ASCII, S(""));
	EXPECT_ERROR(NO_OVERLOAD, LOWER_ASCII, Int(1));
}

Test(cel_string, what_changes_nothing_takes_no_memory)
{
	struct cel_value text = S("already small");

	cr_expect(CALL(LOWER_ASCII, text).s == text.s);
	cr_expect(CALL(TRIM, text).s == text.s);
	cr_expect(CALL(ADD, text, S("")).s == text.s);
	cr_expect(eq(sz, arena_used(lib_context.arena), 0));
}

Test(cel_string, a_text_that_stays_keeps_its_symbol_and_a_new_one_has_none)
{
	struct cel_value text = S("gold");

	text.sym = 5;
	cr_expect(eq(int, CALL(LOWER_ASCII, text).sym, 5));
	cr_expect(eq(int, CALL(TRIM, text).sym, 5));
	cr_expect(eq(int, CALL(UPPER_ASCII, text).sym, CEL_SYM_NONE));
	cr_expect(eq(int, CALL(ADD, text, S("en")).sym, CEL_SYM_NONE));
}

Test(cel_string, trim_takes_unicode_white_space_from_both_ends)
{
	EXPECT_CALL("\"a b\"", TRIM, S(" \t\r\n\v\fa b \n"));
	EXPECT_CALL("\"x\"", TRIM, S("\u00a0\u1680\u2003\u2028x\u3000\u205f\u202f\302\205"));
	EXPECT_CALL("\"\"", TRIM, S(" \u2009 "));
	EXPECT_CALL("\"\"", TRIM, S(""));
	EXPECT_CALL("\"\u200bx\u200b\"", TRIM, S("\u200bx\u200b")); /* zero width: no space */
	EXPECT_CALL("\"\u00e4\"", TRIM, S("\u00e4 "));
	EXPECT_CALL("\"\U0001f431\"", TRIM, S("\U0001f431"));
	EXPECT_CALL("\"\u0800\"", TRIM, S("\u0800"));
}
