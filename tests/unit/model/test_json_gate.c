#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>

#include "common/model/json_gate.h"

/* From a block of exactly its size, so that one byte too far is seen. */
static int gate(struct str json, bool is_object, struct json_problem *problem)
{
	char *p = malloc(json.n + !json.n);
	int r;

	cr_assert(p != NULL);
	if (json.n)
		memcpy(p, json.p, json.n);
	r = json_gate((struct str){ p, json.n }, is_object, problem);
	free(p);
	return r;
}

static void expect_all(const struct str *texts, size_t n, int want)
{
	for (size_t i = 0; i < n; i++) {
		struct json_problem problem = { .what = "" };
		int r = gate(texts[i], false, &problem);

		cr_expect(r == want, STR_FMT ": %d %s", STR_ARG(texts[i]), r, problem.what);
	}
}

#define EXPECT_ALL(want, ...) \
	expect_all((const struct str[]){ __VA_ARGS__ }, \
		ARRAY_LEN(((const struct str[]){ __VA_ARGS__ })), want)

Test(json_gate, every_kind_of_value_passes)
{
	EXPECT_ALL(0, STR("{}"), STR("[]"), STR(" [ ] "), STR("0"), STR("-0"), STR("-1.25e-7"),
		STR("1E+5"), STR("true"), STR("false"), STR("null"), STR("\"\""),
		STR("{\"a\":[1,{\"b\":[]},[[]]],\"\":{}}"), STR("\t{\r\n\"a\" : 1 }\n"),
		STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\""), STR("\"\\ud83d\\ude00\""),
		STR("\"\x7f\""),
		STR("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80"
		    "\""));
}

Test(json_gate, what_lejp_would_let_through_is_refused)
{
	EXPECT_ALL(JSON_GATE_E_SYNTAX, STR("[1,]"), STR("#c\n{}"), STR("{\"a\":1#c\n}"), STR("01"),
		STR("-01"), STR("1e5.5"), STR("\"\\\0\""), STR("\"\\ud83d\""), STR("\"\\ude00\""),
		STR("\"\\ud83dx\""), STR("\"\\ud83d\\u0041\""), STR("\"\\u0000\""), STR("\"\xff\""),
		STR("[1}"), STR("{\"a\":[1}]"));
}

Test(json_gate, malformed_text_is_refused)
{
	EXPECT_ALL(JSON_GATE_E_SYNTAX, STR(""), STR(" "), STR("{"), STR("["), STR("]"), STR("}"),
		STR("{]"), STR("{,}"), STR("[,1]"), STR("{\"a\"}"), STR("{\"a\":}"),
		STR("{\"a\":1,}"), STR("{\"a\":1 \"b\":2}"), STR("{a:1}"), STR("{'a':1}"),
		STR("[1 2]"), STR("{} {}"), STR("{}x"), STR("1 2"), STR("+1"), STR(".5"), STR("1."),
		STR("-"), STR("1e"), STR("1e+"), STR("0x1"), STR("NaN"), STR("tru"),
		STR("truefalse"), STR("\""), STR("\"\\"), STR("\"\\u12\""), STR("\"\\u12g4\""),
		STR("\"\\q\""), STR("\"\n\""), STR("\"\0\""), STR("\0"), STR("\xef\xbb\xbf{}"),
		STR("\v1"));
}

Test(json_gate, bytes_that_are_not_utf8_are_refused)
{
	EXPECT_ALL(JSON_GATE_E_SYNTAX, STR("\"\x80\""), STR("\"\xc0\xaf\""), STR("\"\xc1\xbf\""),
		STR("\"\xe0\x9f\xbf\""), STR("\"\xed\xa0\x80\""), STR("\"\xf0\x8f\xbf\xbf\""),
		STR("\"\xf4\x90\x80\x80\""), STR("\"\xf5\x80\x80\x80\""), STR("\"\xe2\x82\""),
		STR("\"\xe2\x82"), STR("\"\xc3"), STR("\"\xc3\xc3\""));
}

Test(json_gate, a_record_must_be_an_object)
{
	struct json_problem problem;

	cr_expect(zero(int, gate(STR(" {}"), true, NULL)));
	cr_expect(eq(int, gate(STR(" [{}]"), true, &problem), JSON_GATE_E_SYNTAX));
	cr_expect(eq(sz, problem.offset, 1));
	cr_expect(eq(int, gate(STR("\"a\""), true, NULL), JSON_GATE_E_SYNTAX));
}

static int nested(int depth)
{
	char text[2 * 32 + 1];
	size_t n = 0;

	for (int i = 0; i < depth; i++)
		text[n++] = '[';
	for (int i = 0; i < depth; i++)
		text[n++] = ']';
	return gate((struct str){ text, n }, false, NULL);
}

Test(json_gate, depth_has_a_maximum)
{
	cr_expect(zero(int, nested(JSON_DEPTH_MAX)));
	cr_expect(eq(int, nested(JSON_DEPTH_MAX + 1), JSON_GATE_E_LIMIT));
}

Test(json_gate, a_member_name_has_a_maximum)
{
	char text[160];
	int n = snprintf(text, sizeof(text), "{\"%0*d\":1}", JSON_KEY_MAX, 0);

	cr_expect(zero(int, gate((struct str){ text, (size_t)n }, true, NULL)));
	n = snprintf(text, sizeof(text), "{\"%0*d\":1}", JSON_KEY_MAX + 1, 0);
	cr_expect(eq(int, gate((struct str){ text, (size_t)n }, true, NULL), JSON_GATE_E_LIMIT));
}

Test(json_gate, a_number_has_a_maximum)
{
	char text[160];

	memset(text, '1', sizeof(text));
	cr_expect(zero(int, gate((struct str){ text, JSON_NUMBER_MAX }, false, NULL)));
	cr_expect(eq(int, gate((struct str){ text, JSON_NUMBER_MAX + 1 }, false, NULL),
		JSON_GATE_E_LIMIT));
}

Test(json_gate, a_problem_has_its_offset)
{
	struct json_problem problem;

	cr_assert(eq(int, gate(STR("{\"a\":1,\"b\":x}"), true, &problem), JSON_GATE_E_SYNTAX));
	cr_expect(eq(sz, problem.offset, 11));
	cr_expect(eq(str, (char *)problem.what, "expected a value"));
}

Test(json_gate, values_are_found_by_their_ordinal)
{
	struct str json = STR("{\"a\":[1, \"x\"],\"b\":{\"c\":null}}");

	cr_expect(eq(sz, json_gate_offset_of(json, 1), 0));
	cr_expect(eq(sz, json_gate_offset_of(json, 2), 5));
	cr_expect(eq(sz, json_gate_offset_of(json, 3), 6));
	cr_expect(eq(sz, json_gate_offset_of(json, 4), 9));
	cr_expect(eq(sz, json_gate_offset_of(json, 5), 18));
	cr_expect(eq(sz, json_gate_offset_of(json, 6), 23));
}

Test(json_gate, surrogate_pairs_become_their_character)
{
	char text[] = "a\xed\xa0\xbd\xed\xb8\x80\xed\x9f\xbf\xed\xaf\xbf\xed\xbf\xbf";
	size_t n = json_join_surrogates(text, sizeof(text) - 1);

	cr_expect(str_eq(
		(struct str){ text, n }, STR("a\xf0\x9f\x98\x80\xed\x9f\xbf\xf4\x8f\xbf\xbf")));
}
