#include <errno.h>

#include "lib_support.h"

TestSuite(cel_pattern, .init = lib_begin, .fini = lib_end);

Test(cel_pattern, a_pattern_is_searched_for_anywhere)
{
	EXPECT_CALL("true", MATCHES, S("hubba"), S("ubb"));
	EXPECT_CALL("false", MATCHES, S(""), S("foo|bar"));
	EXPECT_CALL("true", MATCHES, S("cows"), S(""));
	EXPECT_CALL("true", MATCHES, S(""), S(""));
	EXPECT_CALL("true", MATCHES, S("grey"), S("gr(a|e)y"));
	EXPECT_CALL("true", MATCHES, S("banana"), S("^ba(na)*$"));
	EXPECT_CALL("false", MATCHES, S("bananan"), S("^ba(na)*$"));
	EXPECT_CALL("true", MATCHES, S("ma\u00f1ana"), S("a+\u00f1+a+"));
	EXPECT_CALL("true", MATCHES, S("\U0001f431\U0001f600\U0001f600"), S("(a|\U0001f600){2}"));
	EXPECT_CALL("true", MATCHES, S("\u00e4"), S("^.$"));
	EXPECT_CALL("true", MATCHES, S("ABC"), S("(?i)abc"));
	EXPECT_CALL("true", MATCHES, S("\\C"), S("^\\\\C$"));
	EXPECT_CALL("true", MATCHES, S("\\C"), S("^\\Q\\C\\E$"));
	EXPECT_ERROR(NO_OVERLOAD, MATCHES, S("a"), Int(1));
}

Test(cel_pattern, what_is_no_pattern_is_refused_with_a_reason)
{
	const char *bad[] = { "(", "a**", "[z-a]", "\\p{Nope}", "(?=a)", "(a)\\1", "\xff", "\\C",
		"a\\Q\\\\E\\C", "((a{1000}){1000}){1000}" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct cel_pattern *p = NULL;
		char why[64] = "";

		cr_expect(eq(int, cel_pattern_new(&p, str_of(bad[i]), why, sizeof(why)), -EINVAL),
			"%s", bad[i]);
		cr_expect(p == NULL);
		cr_expect(gt(sz, strlen(why), 0), "%s", bad[i]);
		EXPECT_ERROR(ARGUMENT, MATCHES, S("a"), S(bad[i]));
	}
}

Test(cel_pattern, a_reason_is_cut_where_the_room_ends)
{
	struct cel_pattern *p = NULL;
	char why[8] = "xxxxxxx";

	cr_expect(eq(int, cel_pattern_new(&p, STR("(abc"), why, 5), -EINVAL));
	cr_expect(eq(sz, strlen(why), 4));
}

Test(cel_pattern, a_compiled_one_serves_many_texts)
{
	CLEANUP(cel_pattern_free) struct cel_pattern *p = NULL;
	char why[64];

	cr_assert(zero(int, cel_pattern_new(&p, STR("^gallery-[0-9]+$"), why, sizeof(why))));
	cr_expect(cel_pattern_matches(p, STR("gallery-12")));
	cr_expect(not(cel_pattern_matches(p, STR("gallery-"))));
	cr_expect(not(cel_pattern_matches(p, STR_NONE)));
	cr_expect(not(cel_pattern_matches(p, (struct str){ "gallery-12\0", 11 })));
	cr_expect(eq(ptr, cel_pattern_free(NULL), NULL));
}

Test(cel_pattern, a_pattern_that_defeats_backtracking_ends)
{
	enum { N = 20000 };
	CLEANUP(cel_pattern_free) struct cel_pattern *p = NULL;
	static char text[N];
	char why[64];

	memset(text, 'a', N);
	text[N - 1] = 'b';
	cr_assert(zero(int, cel_pattern_new(&p, STR("^(a|aa|a?)*(a*)*$"), why, sizeof(why))));
	cr_expect(not(cel_pattern_matches(p, (struct str){ text, N })));
	/* An automaton larger than its budget: it falls back, and the answer is the same. */
	p = cel_pattern_free(p);
	cr_assert(zero(int, cel_pattern_new(&p, STR("[ab]*a[ab]{200}b$"), why, sizeof(why))));
	cr_expect(cel_pattern_matches(p, (struct str){ text, N }));
}

Test(cel_pattern, at_run_time_only_where_the_context_allows_it)
{
	lib_context.has_patterns = false;
	EXPECT_ERROR(ARGUMENT, MATCHES, S("hubba"), S("ubb"));
}
