/* What is worked out when a program is made, and what is left for its evaluation. */
#include "program_support.h"

TestSuite(fold, .init = program_begin, .fini = program_end);

static bool has(const char *source, const char *instruction)
{
	struct cel_program *p = compile(source);
	bool ret = strstr(code_of(p), instruction) != NULL;

	cel_program_free(p);
	return ret;
}

Test(fold, functions_of_constants_are_constants)
{
	static const char *const sources[] = {
		"money('1.25', 'ETH')",
		"eth('1.25')",
		"duration('10m')",
		"timestamp('2026-01-02T03:04:05Z')",
		"bps(250)",
		"[1, 2, 3 + 4]",
		"{'a': 1, 'b': [2]}",
		"1 + 2 * 3",
		"'a' + 'b'",
		"size('abc')",
		"timestamp('2026-01-02T03:04:05Z').getHours('Europe/Vienna')",
		"[1, 2][1]",
		"type(1)",
	};

	for (size_t k = 0; k < ARRAY_LEN(sources); k++) {
		struct cel_program *p = compile(sources[k]);

		cr_expect(strncmp(code_of(p), "   0  return ", 13) == 0, "%s\n%s", sources[k],
			code_of(p));
		cel_eval(p, &context, slots);
		cr_expect(zero(u64, context.cost), "%s", sources[k]);
		cel_program_free(p);
	}
	EXPECT_VALUE("[1, 2, 7]", "[1, 2, 3 + 4]");
	EXPECT_VALUE("4", "timestamp('2026-01-02T03:04:05Z').getHours('Europe/Vienna')");
	EXPECT_VALUE("7", "1 + 2 * 3");
	EXPECT_VALUE("2", "{'a': 1, 'b': [2]}['b'][0]");
	EXPECT_VALUE("true", "type(1) == int && type('a') == string");
}

Test(fold, constants_inside_are_not_made_anew_each_time)
{
	bind("i", cel_int(7));
	bind("price", cel_money((struct money){ 2000000000000000000u, currency_find(STR("ETH")) }));
	cr_expect(not(has("price >= eth('1.25')", "call")));
	cr_expect(not(has("i in [1, 2, 3]", "  list ")));
	cr_expect(not(has("i in [1, 2, 3]", "append")));
	EXPECT_VALUE("true", "price >= eth('1.25')");
	EXPECT_VALUE("false", "i in [1, 2, 3]");
	EXPECT_VALUE("[7, 3]", "[i, 1 + 2]");
}

Test(fold, constant_operands_of_logic_decide_or_go)
{
	bind("flag", cel_bool(true));
	EXPECT_VALUE("true", "flag && true");
	EXPECT_VALUE("false", "flag && 1 > 2");
	EXPECT_VALUE("true", "flag || false");
	EXPECT_VALUE("error: divide", "flag && 1 / 0 > 0");
	EXPECT_VALUE("true", "flag || 1 / 0 > 0");
	EXPECT_VALUE("2", "false ? 1 : 2");
	EXPECT_VALUE("error: divide", "1 / 0 > 0 ? 1 : 2");
}

Test(fold, an_error_is_left_for_the_evaluation)
{
	EXPECT_VALUE("error: divide", "1 / 0");
	EXPECT_VALUE("error: overflow", "9223372036854775807 + 1");
	EXPECT_VALUE("true", "1 / 0 == 1 || true");
	EXPECT_UNCHECKED("error: argument", "duration('ten')");
	EXPECT_UNCHECKED(
		"error: argument", "timestamp('2026-01-02T03:04:05Z').getHours('Nowhere/No')");
	EXPECT_UNCHECKED("error: repeated-key", "{'a': 1, 'a': 2}");
}

Test(fold, what_rounds_waits_for_the_context)
{
	const char *source = "units('5', 'ETH').add_bps(bps(5000))";
	struct cel_program *p = compile(source);
	struct cel_value v;

	context.rounding = ROUND_DOWN;
	v = cel_eval(p, &context, slots);
	cr_expect(eq(u64, v.m.lo, 7));
	context.rounding = ROUND_UP;
	v = cel_eval(p, &context, slots);
	cr_expect(eq(u64, v.m.lo, 8));
	cel_program_free(p);
}

Test(fold, a_ruleset_refuses_amounts_zones_and_patterns_that_are_none)
{
	expect_refused("s.matches('[')", CEL_E_PATTERN);
	expect_refused("s.matches(t)", CEL_E_PATTERN);
	expect_refused("now.getHours('Nowhere/No') == 1", CEL_E_ZONE);
	expect_refused("now.getHours(s) == 1", CEL_E_ZONE);
	expect_refused("timestamp('2026-01-02T03:04:05Z').getHours('Nowhere/No') == 1", CEL_E_ZONE);
	expect_refused("price > units('x', 'ETH')", CEL_E_LITERAL);
}

Test(fold, elsewhere_they_are_errors_of_the_evaluation)
{
	bind_text("s", "golden");
	bind_text("t", "^g.*n$");
	bind("now", cel_timestamp_parse(STR("2026-07-02T03:04:05.678Z")));
	EXPECT_UNCHECKED("error: argument", "s.matches('[')");
	EXPECT_UNCHECKED("true", "s.matches(t)");
	EXPECT_UNCHECKED("error: argument", "now.getHours('Nowhere/No')");
	EXPECT_UNCHECKED("true", "now.getHours('Nowhere/No') == 1 || true");
	EXPECT_UNCHECKED("5", "now.getHours('Europe/' + (s == 'golden' ? 'Vienna' : ''))");
}

Test(fold, patterns_and_zones_are_made_ahead)
{
	bind_text("s", "golden");
	bind("now", cel_timestamp_parse(STR("2026-07-31T22:04:05.678Z")));
	cr_expect(has("s.matches('^g')", "matches"));
	cr_expect(not(has("s.matches('^g')", "call")));
	cr_expect(has("now.getHours('Europe/Vienna')", "in_zone"));
	EXPECT_VALUE("true", "s.matches('^g.*n$')");
	EXPECT_VALUE("false", "s.matches('^n')");
	EXPECT_VALUE("error: absent", "t.matches('^n')");
	EXPECT_VALUE("[2026, 7, 1, 0, 6, 212, 0, 4, 5, 678]",
		"[now.getFullYear('Europe/Vienna'), now.getMonth('Europe/Vienna'),"
		" now.getDate('Europe/Vienna'), now.getDayOfMonth('Europe/Vienna'),"
		" now.getDayOfWeek('Europe/Vienna'), now.getDayOfYear('Europe/Vienna'),"
		" now.getHours('Europe/Vienna'), now.getMinutes('Europe/Vienna'),"
		" now.getSeconds('Europe/Vienna'), now.getMilliseconds('Europe/Vienna')]");
}
