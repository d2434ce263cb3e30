#include "tests/unit/cel/parsed.h"

#define SYNTAX(source, offset, text, hint) \
	expect_error(source, CEL_E_SYNTAX, offset, "Syntax error: " text, hint)
#define MISMATCH(source, offset, token, expecting, hint) \
	SYNTAX(source, offset, "mismatched input '" token "' expecting " expecting, hint)
#define BAD(source, offset, token, hint) \
	SYNTAX(source, offset, "token recognition error at: '" token "'", hint)

#define VALUE "an expression"
#define END   "<EOF>"

Test(cel_parse_error, nothing_is_no_expression)
{
	MISMATCH("", 0, END, VALUE, "an expression is missing");
	MISMATCH("  // a", 6, END, VALUE, "an expression is missing");
	MISMATCH("? a", 0, "?", VALUE, "an expression is missing");
	MISMATCH("in", 0, "in", VALUE, "an expression is missing");
}

Test(cel_parse_error, signs_of_other_languages_are_recognised)
{
	BAD("a & b", 2, "&", "did you mean `&&`?");
	BAD("a | b", 2, "|", "did you mean `||`?");
	BAD("a = b", 2, "=", "did you mean `==`?");
	BAD("a === b", 4, "=", "did you mean `==`?");
	BAD("a !== b", 4, "=", "did you mean `!=`?");
	BAD("a => b", 2, "=", "did you mean `>=`?");
	BAD("a =< b", 2, "=", "did you mean `<=`?");
	MISMATCH("a <> b", 3, ">", VALUE, "did you mean `!=`?");
	BAD("# a", 0, "#", "a comment begins with `//`");
	MISMATCH("a /* b */", 3, "*", VALUE, "a comment begins with `//` and ends with the line");
	BAD("a;", 1, ";", "an expression is one value; nothing ends it");
	BAD("$a", 0, "$", "names are made of letters, digits and `_`");
	BAD("a ^ b", 2, "^", "");
}

Test(cel_parse_error, signs_of_text_editors_are_recognised)
{
	BAD("a == \u201cgold\u201d", 5, "\u201c", "did you mean `\"`?");
	BAD("a == \u2018gold\u2019", 5, "\u2018", "did you mean `'`?");
	BAD("a \u2265 1", 2, "\u2265", "did you mean `>=`?");
	BAD("a \u2260 1", 2, "\u2260", "did you mean `!=`?");
	BAD("a \u2013 1", 2, "\u2013", "did you mean `-`?");
	BAD("a\u00a0&& b", 1, "\u00a0", "a no-break space: write a plain one");
	BAD("\ufeff"
	    "a",
		0, "\ufeff", "a byte order mark: leave it out");
}

Test(cel_parse_error, words_of_other_languages_are_recognised)
{
	MISMATCH("a and b", 2, "and", END, "did you mean `&&`?");
	MISMATCH("a OR b", 2, "OR", END, "did you mean `||`?");
	MISMATCH("not a", 4, "a", END, "did you mean `!`?");
	MISMATCH("NOT a.b", 4, "a", END, "did you mean `!`?");
	MISMATCH("a not in b", 2, "not", END, "did you mean `!`?");
	MISMATCH("a is b", 2, "is", END, "did you mean `==`?");
	MISMATCH("(a and b)", 3, "and", "')'", "did you mean `&&`?");
	MISMATCH("[a or b]", 3, "or", "{',', ']'}", "did you mean `||`?");
}

Test(cel_parse_error, a_word_of_another_language_may_be_a_name)
{
	expect_tree("and || or && not", "_||_(and,_&&_(or,not))");
}

Test(cel_parse_error, a_missing_bracket_names_where_its_other_half_is)
{
	MISMATCH("(a + b", 6, END, "')'", "the `(` of 1:1 is not closed");
	MISMATCH("a &&\n (b || c", 13, END, "')'", "the `(` of 2:2 is not closed");
	MISMATCH("f(a, b", 6, END, "{',', ')'}", "the `(` of 1:2 is not closed");
	MISMATCH("a.f(b c)", 6, "c", "{',', ')'}", "the `(` of 1:4 is not closed");
	MISMATCH("[a, b", 5, END, "{',', ']'}", "the `[` of 1:1 is not closed");
	MISMATCH("a[b", 3, END, "']'", "the `[` of 1:2 is not closed");
	MISMATCH("{a: b", 5, END, "{',', '}'}", "the `{` of 1:1 is not closed");
	MISMATCH("(a]", 2, "]", "')'", "the `(` of 1:1 is not closed");
	MISMATCH("[\"\u00e9\", (", 8, END, VALUE, "the `(` of 1:7 is not closed");
	MISMATCH("{", 1, END, VALUE, "the `{` of 1:1 is not closed");
	MISMATCH("A{", 2, END, "{IDENTIFIER, ESC_IDENTIFIER}", "the `{` of 1:2 is not closed");
}

Test(cel_parse_error, what_is_too_much_is_said)
{
	MISMATCH("a)", 1, ")", END, "`)` closes nothing that is open");
	MISMATCH("a]", 1, "]", END, "`]` closes nothing that is open");
	MISMATCH("a b", 2, "b", END, "an operator is missing before `b`");
	MISMATCH("a 1", 2, "1", END, "an operator is missing before `1`");
	MISMATCH("a, b", 1, ",", END, "several values make a list: [a, b]");
	MISMATCH("a : b", 2, ":", END, "`:` belongs to a `?` or stands in a map");
	MISMATCH("5000ms", 4, "ms", END,
		"a number ends before letters; a length of time is duration(\"90s\")");
	MISMATCH("f(){}", 3, "{", END, "");
	MISMATCH("A{}()", 3, "(", END, "an operator is missing before `(`");
	MISMATCH("a.`b`()", 5, "(", END, "an operator is missing before `(`");
	MISMATCH("1 + 2\n3 +", 6, "3", END, "an operator is missing before `3`");
}

Test(cel_parse_error, an_operator_wants_its_value)
{
	MISMATCH("1 +", 3, END, VALUE, "a value has to follow `+`");
	MISMATCH("a && && b", 5, "&&", VALUE, "a value has to follow `&&`");
	MISMATCH("a == ", 5, END, VALUE, "a value has to follow `==`");
	MISMATCH("a in", 4, END, VALUE, "a value has to follow `in`");
	MISMATCH("--", 2, END, VALUE, "a value has to follow `-`");
	MISMATCH("a ? : b", 4, ":", VALUE, "a value has to follow `?`");
	MISMATCH("a ? b :", 7, END, VALUE, "a value has to follow `:`");
	MISMATCH("10 %", 4, END, VALUE,
		"`%` is the remainder of a division; 2.5 percent are bps(250)");
	MISMATCH("!-a", 2, "a", "a number", "a value has to follow `-`");
	MISMATCH("-!a", 1, "!", VALUE, "a value has to follow `-`");
	MISMATCH("f(,)", 2, ",", VALUE, "");
	MISMATCH("f(a,)", 4, ")", VALUE, "");
	MISMATCH("[a,,b]", 3, ",", "{',', ']'}", "the `[` of 1:1 is not closed");
}

Test(cel_parse_error, a_question_wants_both_answers)
{
	MISMATCH("a ? b", 5, END, "':'", "the `?` of 1:3 has no `:`");
	MISMATCH("a ? b ? c : d : e", 6, "?", "':'", "put the inner `? :` into parentheses");
}

Test(cel_parse_error, a_dot_wants_a_name)
{
	MISMATCH("a.", 2, END, "IDENTIFIER", "a name has to follow `.`");
	MISMATCH("a.true", 2, "true", "IDENTIFIER",
		"a field of that name is written in back quotes: .`true`");
	MISMATCH("a.in", 2, "in", "IDENTIFIER",
		"a field of that name is written in back quotes: .`in`");
	MISMATCH("a.\"b\"", 2, "\"b\"", "IDENTIFIER",
		"a key that is a text is written in brackets: [\"b\"]");
	MISMATCH(".", 1, END, "IDENTIFIER", "a name has to follow `.`");
	MISMATCH("`b-c`", 0, "`b-c`", VALUE,
		"back quotes are for fields only: a.`b-c`; a text is \"b-c\"");
	BAD("a.`$b`", 2, "`", "in back quotes stands a field's name: a.`content-type`");
}

Test(cel_parse_error, braces_want_pairs)
{
	MISMATCH("{a}", 2, "}", "':'", "in braces stand pairs: {\"key\": value}");
	MISMATCH("{a, b}", 2, ",", "':'", "in braces stand pairs: {\"key\": value}");
	MISMATCH("A{b}", 3, "}", "':'", "in braces stand pairs: {\"key\": value}");
	MISMATCH("A{1: b}", 2, "1", "{IDENTIFIER, ESC_IDENTIFIER}",
		"behind the name of a message stand fields: {field: value}");
}

Test(cel_parse_error, a_text_wants_its_closing_quote)
{
	BAD("a == 'gold", 5, "'gold", "the closing ' is missing");
	BAD("a == \"gold && b", 5, "\"gold && b", "the closing \" is missing");
	BAD("r'''gold'", 0, "r'''gold'", "the closing ''' is missing");
	BAD("'a\nb'", 0, "'a", "the closing ' is missing");
}

Test(cel_parse_error, a_long_token_is_cut_in_the_text)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse("a 'this is a text of more than fifty characters, and then some'");

	cr_assert(p.root == NULL);
	cr_expect(eq(str, p.diags.v[0].text,
		(char *)"Syntax error: mismatched input "
			"''this is a text of more than fifty charac...' expecting <EOF>"));
}

Test(cel_parse_error, control_characters_are_shown_as_numbers)
{
	BAD("a \x01 b", 2, "\\x01", "");
	BAD("\x7f", 0, "\\x7f", "");
}

Test(cel_parse_error, a_source_that_is_not_utf8_is_refused_where_it_breaks)
{
	SYNTAX("a == '\xff'", 6, "the source is not UTF-8", "");
	SYNTAX("a // \xc3", 5, "the source is not UTF-8", "");
	SYNTAX("'\u00e9' == '\xed\xa0\x80'", 9, "the source is not UTF-8", "");
}

Test(cel_parse_error, a_zero_byte_is_a_character_like_any_other)
{
	const struct cel_limits limits = { 0 };
	CLEANUP(parsed_fini) struct parsed inside = parse_limited(STR("'a\0b'"), &limits);
	CLEANUP(parsed_fini) struct parsed outside = parse_limited(STR("a\0b"), &limits);

	cr_assert(inside.root != NULL);
	cr_expect(eq(u32, inside.root->constant.n, 3));
	cr_assert(outside.root == NULL);
	cr_expect(eq(u32, outside.diags.v[0].offset, 1));
}

/* ---- errors after which the parser goes on ---- */

Test(cel_parse_error, literals_out_of_range)
{
	expect_error("1 + 9223372036854775808", CEL_E_LITERAL, 4, "invalid int literal",
		"out of the range of int");
	expect_error("-9223372036854775809", CEL_E_LITERAL, 0, "invalid int literal",
		"out of the range of int");
	expect_error("--9223372036854775808", CEL_E_LITERAL, 2, "invalid int literal",
		"out of the range of int");
	expect_error("18446744073709551616u", CEL_E_LITERAL, 0, "invalid uint literal",
		"out of the range of uint");
	expect_error("1.99e90000009", CEL_E_LITERAL, 0, "invalid double literal",
		"out of the range of double");
}

Test(cel_parse_error, bad_escapes)
{
	expect_error("a == 'b\\d'", CEL_E_LITERAL, 5, "invalid escape sequence '\\d'",
		"a backslash itself is written `\\\\`, or the text as r\"...\"");
	expect_error("'\\udead'", CEL_E_LITERAL, 0, "invalid unicode code point",
		"`\\udead` is no character");
	expect_error("b'\\u0041'", CEL_E_LITERAL, 0, "invalid escape sequence '\\u0041'",
		"a backslash itself is written `\\\\`, or the text as r\"...\"");
}

Test(cel_parse_error, reserved_words)
{
	static const char *const words[] = { "as", "break", "const", "continue", "else", "for",
		"function", "if", "import", "let", "loop", "package", "namespace", "return", "var",
		"void", "while" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		CLEANUP(parsed_fini) struct parsed p = parse(words[i]);

		cr_assert(p.root == NULL, "%s", words[i]);
		cr_expect(eq(int, (int)p.diags.v[0].code, CEL_E_RESERVED), "%s", words[i]);
		cr_expect(eq(sz, p.diags.n, 1));
		cr_expect(ne(str, p.diags.v[0].hint, (char *)""));
	}
	expect_error("1 + if(a, b)", CEL_E_RESERVED, 4, "reserved identifier: if",
		"one of two values: condition ? yes : no");
	expect_error(".for", CEL_E_RESERVED, 1, "reserved identifier: for",
		"lists have all, exists, exists_one, map and filter");
	expect_tree("a.if.for", "a.if.for");
	expect_tree("ifs || whil", "_||_(ifs,whil)");
}

Test(cel_parse_error, optional_syntax_is_not_there)
{
	const char *hint = "there are no optional values; has(…) asks whether a value is there";

	expect_error("a.?b", CEL_E_SYNTAX, 1, "unsupported syntax '.?'", hint);
	expect_error("a[?b]", CEL_E_SYNTAX, 1, "unsupported syntax '[?'", hint);
	expect_error("[?a]", CEL_E_SYNTAX, 1, "unsupported syntax '?'", hint);
	expect_error("{?a: b}", CEL_E_SYNTAX, 1, "unsupported syntax '?'", hint);
	expect_error("A{?a: b}", CEL_E_SYNTAX, 2, "unsupported syntax '?'", hint);
}

Test(cel_parse_error, errors_come_in_the_order_of_the_text)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse("[1].map(var, if + '\\d') + 99999999999999999999");
	static const struct {
		enum cel_code code;
		uint32_t offset;
	} expected[] = { { CEL_E_RESERVED, 8 }, { CEL_E_MACRO, 8 }, { CEL_E_RESERVED, 13 },
		{ CEL_E_LITERAL, 18 }, { CEL_E_LITERAL, 26 } };

	cr_assert(eq(sz, p.diags.n, ARRAY_LEN(expected)));
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		cr_expect(eq(int, (int)p.diags.v[i].code, (int)expected[i].code), "%zu", i);
		cr_expect(eq(u32, p.diags.v[i].offset, expected[i].offset), "%zu", i);
	}
}

Test(cel_parse_error, a_syntax_error_is_the_last_one)
{
	CLEANUP(parsed_fini) struct parsed p = parse("if + (a b) + var");

	cr_assert(eq(sz, p.diags.n, 2));
	cr_expect(eq(int, (int)p.diags.v[0].code, CEL_E_RESERVED));
	cr_expect(eq(int, (int)p.diags.v[1].code, CEL_E_SYNTAX));
}

Test(cel_parse_error, more_errors_than_are_kept_are_counted)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse("[if,if,if,if,if,if,if,if,if,if,if,if,if,if,if,if,if,if,if,if]");

	cr_assert(p.root == NULL);
	cr_expect(eq(sz, p.diags.n, CEL_DIAGS_MAX));
	cr_expect(eq(sz, p.diags.n_dropped, 20 - CEL_DIAGS_MAX));
}

Test(cel_parse_error, diagnostics_that_were_there_are_left_alone)
{
	struct cel_diags d = { 0 };
	struct arena *a;

	cr_assert(zero(int, arena_new(&a, CEL_PARSE_ARENA)));
	cel_diag_add(&d, CEL_STAGE_CHECK, CEL_E_TYPE, 99, "of another expression");
	cr_expect(cel_parse(STR("a + b"), true, NULL, a, &d) != NULL, "they are not ours");
	cr_expect(cel_parse(STR("a +"), true, NULL, a, &d) == NULL);
	cr_assert(eq(sz, d.n, 2));
	cr_expect(eq(u32, d.v[0].offset, 99));
	cr_expect(eq(u32, d.v[1].offset, 3));
	arena_free(a);
}

Test(cel_parse_error, a_diagnostic_is_printed_as_cel_go_does)
{
	CLEANUP(parsed_fini) struct parsed p = parse("a ==\n\t\"\u00e9\" = b");
	CLEANUP(buf_fini) struct buf out = BUF_INIT(4096);

	cr_assert(p.root == NULL);
	cel_diag_print(&out, &p.diags.v[0], "<input>", p.source, true);
	buf_putc(&out, '\0');
	cr_expect(eq(str, out.p,
		(char *)"ERROR: <input>:2:6: Syntax error: token recognition error at: '='\n"
			" |  \"\u00e9\" = b\n"
			" | .....^\n"
			" = syntax: did you mean `==`?\n"));
}
