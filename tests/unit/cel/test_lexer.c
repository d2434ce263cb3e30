#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/cleanup.h"
#include "pricing/cel/lexer.h"

struct expected {
	enum cel_token_kind kind;
	const char *text;
};

static void expect_tokens(const char *source, const struct expected *v, size_t n)
{
	struct cel_lexer l;

	cel_lexer_init(&l, str_of(source));
	for (size_t i = 0; i < n; i++) {
		struct cel_token t = cel_lexer_next(&l);
		struct str text = { source + t.begin, t.end - t.begin };

		cr_expect(eq(int, t.kind, (int)v[i].kind), "token %zu of %s", i, source);
		cr_expect(str_eqz(text, v[i].text), "token %zu of %s is `" STR_FMT "`, not `%s`", i,
			source, STR_ARG(text), v[i].text);
	}
	cr_expect(eq(int, cel_lexer_next(&l).kind, CEL_TOK_END), "%s ends", source);
	cr_expect(eq(int, cel_lexer_next(&l).kind, CEL_TOK_END), "%s ends again", source);
}

#define EXPECT(source, ...) \
	do { \
		const struct expected v_[] = { __VA_ARGS__ }; \
		expect_tokens(source, v_, ARRAY_LEN(v_)); \
	} while (0)

Test(cel_lexer, operators_are_the_longest_there_are)
{
	EXPECT("<<=>>===!!=&&||", { CEL_TOK_LT, "<" }, { CEL_TOK_LE, "<=" }, { CEL_TOK_GT, ">" },
		{ CEL_TOK_GE, ">=" }, { CEL_TOK_EQ, "==" }, { CEL_TOK_NOT, "!" },
		{ CEL_TOK_NE, "!=" }, { CEL_TOK_AND, "&&" }, { CEL_TOK_OR, "||" });
	EXPECT("+-*/%?:,.()[]{}", { CEL_TOK_PLUS, "+" }, { CEL_TOK_MINUS, "-" },
		{ CEL_TOK_STAR, "*" }, { CEL_TOK_SLASH, "/" }, { CEL_TOK_PERCENT, "%" },
		{ CEL_TOK_QUESTION, "?" }, { CEL_TOK_COLON, ":" }, { CEL_TOK_COMMA, "," },
		{ CEL_TOK_DOT, "." }, { CEL_TOK_LPAREN, "(" }, { CEL_TOK_RPAREN, ")" },
		{ CEL_TOK_LBRACKET, "[" }, { CEL_TOK_RBRACKET, "]" }, { CEL_TOK_LBRACE, "{" },
		{ CEL_TOK_RBRACE, "}" });
}

Test(cel_lexer, only_four_words_are_keywords)
{
	EXPECT("true false null in if True trues _in", { CEL_TOK_TRUE, "true" },
		{ CEL_TOK_FALSE, "false" }, { CEL_TOK_NULL, "null" }, { CEL_TOK_IN, "in" },
		{ CEL_TOK_IDENT, "if" }, { CEL_TOK_IDENT, "True" }, { CEL_TOK_IDENT, "trues" },
		{ CEL_TOK_IDENT, "_in" });
}

Test(cel_lexer, a_number_takes_what_belongs_to_it_and_no_more)
{
	EXPECT("0 1u 2U 0x1f 0xFFu 1.5 1e3 1.5E-3 .5 .5e+1", { CEL_TOK_INT, "0" },
		{ CEL_TOK_UINT, "1u" }, { CEL_TOK_UINT, "2U" }, { CEL_TOK_INT, "0x1f" },
		{ CEL_TOK_UINT, "0xFFu" }, { CEL_TOK_FLOAT, "1.5" }, { CEL_TOK_FLOAT, "1e3" },
		{ CEL_TOK_FLOAT, "1.5E-3" }, { CEL_TOK_FLOAT, ".5" }, { CEL_TOK_FLOAT, ".5e+1" });
	EXPECT("1.a", { CEL_TOK_INT, "1" }, { CEL_TOK_DOT, "." }, { CEL_TOK_IDENT, "a" });
	EXPECT("1.", { CEL_TOK_INT, "1" }, { CEL_TOK_DOT, "." });
	EXPECT("1e", { CEL_TOK_INT, "1" }, { CEL_TOK_IDENT, "e" });
	EXPECT("1e+", { CEL_TOK_INT, "1" }, { CEL_TOK_IDENT, "e" }, { CEL_TOK_PLUS, "+" });
	EXPECT("0x", { CEL_TOK_INT, "0" }, { CEL_TOK_IDENT, "x" });
	EXPECT("0X1", { CEL_TOK_INT, "0" }, { CEL_TOK_IDENT, "X1" });
	EXPECT("1.5u", { CEL_TOK_FLOAT, "1.5" }, { CEL_TOK_IDENT, "u" });
	EXPECT("a.5", { CEL_TOK_IDENT, "a" }, { CEL_TOK_FLOAT, ".5" });
	EXPECT("5000ms", { CEL_TOK_INT, "5000" }, { CEL_TOK_IDENT, "ms" });
	EXPECT("1-1", { CEL_TOK_INT, "1" }, { CEL_TOK_MINUS, "-" }, { CEL_TOK_INT, "1" });
}

Test(cel_lexer, texts_have_prefixes_and_three_quotes)
{
	EXPECT("'a' \"b\" r'c' R\"d\" b'e' B'f' br'g' bR\"h\"", { CEL_TOK_STRING, "'a'" },
		{ CEL_TOK_STRING, "\"b\"" }, { CEL_TOK_STRING, "r'c'" },
		{ CEL_TOK_STRING, "R\"d\"" }, { CEL_TOK_BYTES, "b'e'" }, { CEL_TOK_BYTES, "B'f'" },
		{ CEL_TOK_BYTES, "br'g'" }, { CEL_TOK_BYTES, "bR\"h\"" });
	EXPECT("''", { CEL_TOK_STRING, "''" });
	EXPECT("''''''", { CEL_TOK_STRING, "''''''" });
	EXPECT("'''a'b\n''c'''", { CEL_TOK_STRING, "'''a'b\n''c'''" });
	EXPECT("\"\"\"a\\\"\"\"\"", { CEL_TOK_STRING, "\"\"\"a\\\"\"\"\"" });
	EXPECT("'a\\'b'", { CEL_TOK_STRING, "'a\\'b'" });
	EXPECT("r'a\\'", { CEL_TOK_STRING, "r'a\\'" });
	EXPECT("rb'a'", { CEL_TOK_IDENT, "rb" }, { CEL_TOK_STRING, "'a'" });
	EXPECT("b r b1", { CEL_TOK_IDENT, "b" }, { CEL_TOK_IDENT, "r" }, { CEL_TOK_IDENT, "b1" });
}

Test(cel_lexer, a_text_is_plain_if_its_bytes_are_its_value)
{
	static const struct {
		const char *source;
		bool is_plain;
	} cases[] = { { "'abc'", true }, { "'a\\n'", false }, { "r'a\\n'", true },
		{ "'''a\nb'''", true }, { "'''a\r\nb'''", false }, { "r'''a\rb'''", false } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct cel_lexer l;

		cel_lexer_init(&l, str_of(cases[i].source));
		cr_expect(eq(int, cel_lexer_next(&l).is_plain, cases[i].is_plain), "%s",
			cases[i].source);
	}
}

Test(cel_lexer, a_text_without_its_closing_quote_ends_with_the_line)
{
	EXPECT("'abc", { CEL_TOK_UNFINISHED, "'abc" });
	EXPECT("'abc\nd", { CEL_TOK_UNFINISHED, "'abc" }, { CEL_TOK_IDENT, "d" });
	EXPECT("'abc\\", { CEL_TOK_UNFINISHED, "'abc\\" });
	EXPECT("'abc\\\nd", { CEL_TOK_UNFINISHED, "'abc\\" }, { CEL_TOK_IDENT, "d" });
	EXPECT("'abc\rd", { CEL_TOK_UNFINISHED, "'abc" }, { CEL_TOK_IDENT, "d" });
	EXPECT("'''abc'", { CEL_TOK_UNFINISHED, "'''abc'" });
	EXPECT("br\"", { CEL_TOK_UNFINISHED, "br\"" });
}

Test(cel_lexer, blanks_and_comments_are_nothing)
{
	EXPECT(" \t\r\n\fa // b\n c//", { CEL_TOK_IDENT, "a" }, { CEL_TOK_IDENT, "c" });
	EXPECT("a/b", { CEL_TOK_IDENT, "a" }, { CEL_TOK_SLASH, "/" }, { CEL_TOK_IDENT, "b" });
	EXPECT("//", { CEL_TOK_END, "" });
	EXPECT("", { CEL_TOK_END, "" });
}

Test(cel_lexer, a_quoted_name_holds_letters_digits_and_some_signs)
{
	EXPECT("`a-b/c.d e_1`", { CEL_TOK_QUOTED, "`a-b/c.d e_1`" });
	EXPECT("``", { CEL_TOK_BAD, "`" }, { CEL_TOK_BAD, "`" });
	EXPECT("`$`", { CEL_TOK_BAD, "`" }, { CEL_TOK_BAD, "$" }, { CEL_TOK_BAD, "`" });
	EXPECT("`a", { CEL_TOK_BAD, "`" }, { CEL_TOK_IDENT, "a" });
}

Test(cel_lexer, a_character_that_begins_nothing_is_one_token)
{
	EXPECT("& | = # $", { CEL_TOK_BAD, "&" }, { CEL_TOK_BAD, "|" }, { CEL_TOK_BAD, "=" },
		{ CEL_TOK_BAD, "#" }, { CEL_TOK_BAD, "$" });
	EXPECT("\u20aca", { CEL_TOK_BAD, "\u20ac" }, { CEL_TOK_IDENT, "a" });
	EXPECT("\xff\x01", { CEL_TOK_BAD, "\xff" }, { CEL_TOK_BAD, "\x01" });
}

Test(cel_lexer, bytes_above_ascii_are_noticed_wherever_they_are)
{
	const char *wide[] = { "'\u00e9'", "// \u00e9", "'\u00e9", "\u00e9", "r'''\u00e9'''" };
	struct cel_lexer l;

	for (size_t i = 0; i < ARRAY_LEN(wide); i++) {
		cel_lexer_init(&l, str_of(wide[i]));
		while (cel_lexer_next(&l).kind != CEL_TOK_END)
			cr_expect(l.has_wide, "%s", wide[i]);
		cr_expect(l.has_wide, "%s", wide[i]);
	}
	cel_lexer_init(&l, STR("a == 'b' // c"));
	while (cel_lexer_next(&l).kind != CEL_TOK_END)
		;
	cr_expect(not(l.has_wide));
}

Test(cel_lexer, nothing_is_read_behind_the_end)
{
	/* Each prefix in a block of its own size, so that one byte too far is seen. */
	const char *source = "a.b <= 0x1f && !(c in [1.5e+3u, 'x\\'', r\"\"\"y\"\"\"]) // \u00e9";
	size_t n = strlen(source);

	for (size_t i = 0; i <= n; i++) {
		char *copy = malloc(i ? i : 1);
		struct cel_lexer l;
		size_t n_tokens = 0;

		memcpy(copy, source, i);
		cel_lexer_init(&l, (struct str){ copy, i });
		while (cel_lexer_next(&l).kind != CEL_TOK_END)
			n_tokens++;
		cr_expect(le(sz, n_tokens, i));
		free(copy);
	}
}
