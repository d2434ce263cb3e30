#include "ruleset_support.h"

#include "pricing/rules/decide_scratch.h"
#include "pricing/rules/fields_impl.h"

/* The window of a rule with this `valid`. */
static struct parsed parse_valid(const char *valid)
{
	struct parsed p;
	char *rule = NULL;

	cr_assert(gt(int, asprintf(&rule, "{'id':'a','suppress':true,'valid':{%s}}", valid), 0));
	p = parse_rules(rule);
	free(rule);
	return p;
}

static int64_t ms(const char *text)
{
	int64_t ret = 0;

	cr_assert(fields_time_ms(str_of(text), &ret), "%s", text);
	return ret;
}

static bool holds(const struct parsed *p, const char *at)
{
	const struct window *w = p->rules->rules[0].window;
	int64_t now = ms(at);

	return now >= w->from_ms && now < w->to_ms && decide_window_holds(w, now);
}

static void expect_from(const char *valid, const char *utc)
{
	struct parsed p = parse_valid(valid);

	cr_assert(zero(int, p.r), "%s\n%s", valid, all_findings(&p));
	cr_expect(eq(i64, p.rules->rules[0].window->from_ms, ms(utc)), "%s", valid);
	parsed_fini(&p);
}

Test(window, a_local_time_is_that_of_its_zone)
{
	expect_from("'from':'2026-11-01T00:00','tz':'Europe/Berlin'", "2026-10-31T23:00:00Z");
	expect_from("'from':'2026-07-01T18:30:15','tz':'Europe/Berlin'", "2026-07-01T16:30:15Z");
	expect_from("'from':'2026-07-01','tz':'America/New_York'", "2026-07-01T04:00:00Z");
	expect_from("'from':'2026-07-01','tz':'UTC'", "2026-07-01T00:00:00Z");
	expect_from("'from':'2028-02-29','tz':'UTC'", "2028-02-29T00:00:00Z");
}

Test(window, a_time_with_an_offset_needs_no_zone_and_does_not_ask_it)
{
	expect_from("'from':'2026-11-01T00:00Z'", "2026-11-01T00:00:00Z");
	expect_from("'from':'2026-11-01T00:00:30Z'", "2026-11-01T00:00:30Z");
	expect_from("'from':'2026-11-01T00:00-05:00'", "2026-11-01T05:00:00Z");
	expect_from("'from':'2026-11-01T00:00:00.500+01:00'", "2026-10-31T23:00:00.500Z");
	expect_from("'from':'2026-11-01T00:00Z','tz':'Europe/Berlin'", "2026-11-01T00:00:00Z");
}

/* Berlin: 2026-03-29 02:00 becomes 03:00, 2026-10-25 03:00 becomes 02:00. */
Test(window, a_time_that_the_clocks_skip_is_when_it_would_have_been)
{
	expect_from("'from':'2026-03-29T01:59','tz':'Europe/Berlin'", "2026-03-29T00:59:00Z");
	expect_from("'from':'2026-03-29T02:30','tz':'Europe/Berlin'", "2026-03-29T01:30:00Z");
	expect_from("'from':'2026-03-29T03:00','tz':'Europe/Berlin'", "2026-03-29T01:00:00Z");
}

Test(window, a_time_that_the_clocks_repeat_is_the_first_of_the_two)
{
	expect_from("'from':'2026-10-25T02:30','tz':'Europe/Berlin'", "2026-10-25T00:30:00Z");
	expect_from("'from':'2026-10-25T03:00','tz':'Europe/Berlin'", "2026-10-25T02:00:00Z");
}

Test(window, is_half_open)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse_valid("'from':'2026-11-01T00:00Z','to':'2026-12-01T00:00Z'");

	cr_assert(zero(int, p.r), "%s", all_findings(&p));
	cr_expect(not(holds(&p, "2026-10-31T23:59:59.999Z")));
	cr_expect(holds(&p, "2026-11-01T00:00:00Z"));
	cr_expect(holds(&p, "2026-11-30T23:59:59.999Z"));
	cr_expect(not(holds(&p, "2026-12-01T00:00:00Z")));
}

Test(window, may_be_open_at_either_end)
{
	CLEANUP(parsed_fini) struct parsed p = parse_valid("'to':'2026-12-01T00:00Z'");

	cr_assert(zero(int, p.r), "%s", all_findings(&p));
	cr_expect(holds(&p, "0001-01-01T00:00:00Z"));
	cr_expect(not(holds(&p, "2026-12-01T00:00:00Z")));
}

Test(window, weekdays_are_those_of_the_zone)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse_valid("'weekdays':['sat','sun'],'tz':'Asia/Tokyo'");

	cr_assert(zero(int, p.r), "%s", all_findings(&p));
	cr_expect(eq(u8, p.rules->rules[0].window->weekdays, 0x41));
	cr_expect(not(holds(&p, "2026-11-20T14:59:59Z"))); /* Friday, a second before midnight */
	cr_expect(holds(&p, "2026-11-20T15:00:00Z"));
	cr_expect(holds(&p, "2026-11-22T14:59:59Z"));
	cr_expect(not(holds(&p, "2026-11-22T15:00:00Z")));
}

Test(window, hours_over_midnight_belong_to_the_day_that_they_begin_on)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse_valid("'weekdays':['fri'],'hours':['22:00-02:00'],'tz':'UTC'");

	cr_assert(zero(int, p.r), "%s", all_findings(&p));
	cr_expect(not(holds(&p, "2026-11-20T01:00:00Z"))); /* of Thursday */
	cr_expect(not(holds(&p, "2026-11-20T21:59:00Z")));
	cr_expect(holds(&p, "2026-11-20T22:00:00Z"));
	cr_expect(holds(&p, "2026-11-21T01:59:00Z"));
	cr_expect(not(holds(&p, "2026-11-21T02:00:00Z")));
	cr_expect(not(holds(&p, "2026-11-21T22:00:00Z")));
}

Test(window, hours_follow_the_local_clock_through_the_year)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse_valid("'hours':['09:00-10:00','23:00-24:00'],'tz':'Europe/Berlin'");

	cr_assert(zero(int, p.r), "%s", all_findings(&p));
	cr_expect(holds(&p, "2026-07-01T07:30:00Z"));
	cr_expect(not(holds(&p, "2026-07-01T08:30:00Z")));
	cr_expect(holds(&p, "2026-12-01T08:30:00Z"));
	cr_expect(not(holds(&p, "2026-12-01T07:30:00Z")));
	cr_expect(holds(&p, "2026-12-01T22:59:59Z"));
	cr_expect(not(holds(&p, "2026-12-01T23:00:00Z")));
}

Test(window, hours_that_end_at_midnight_may_be_written_both_ways)
{
	CLEANUP(parsed_fini) struct parsed p = parse_valid("'hours':['20:00-00:00'],'tz':'UTC'");

	cr_assert(zero(int, p.r), "%s", all_findings(&p));
	cr_expect(holds(&p, "2026-11-20T23:59:00Z"));
	cr_expect(not(holds(&p, "2026-11-20T00:00:00Z")));
}

Test(window, that_says_nothing_is_always_open)
{
	CLEANUP(parsed_fini) struct parsed p = parse_valid("");

	cr_assert(zero(int, p.r), "%s", all_findings(&p));
	cr_expect(holds(&p, "2026-11-20T23:59:00Z"));
	cr_expect(zero(sz, index_n_columns(p.rules->index)));
}

struct wrong {
	const char *valid, *member, *code, *says;
};

Test(window, what_is_wrong_with_one_is_said_at_its_place)
{
	static const struct wrong all[] = {
		{ "'from':'2026-02-30','tz':'UTC'", ".from", "value", "\"2026-02-30\" is no time" },
		{ "'from':'2026-11-01T24:00','tz':'UTC'", ".from", "value", "is no time" },
		{ "'from':'2026-11-01 10:00','tz':'UTC'", ".from", "value", "is no time" },
		{ "'from':'2026-11-1','tz':'UTC'", ".from", "value", "is no time" },
		{ "'from':'0000-11-01','tz':'UTC'", ".from", "value", "is no time" },
		{ "'from':'2026-11-01T25:00Z'", ".from", "value", "is no time" },
		{ "'from':'2026-11-01T10:00+25:00'", ".from", "value", "is no time" },
		{ "'from':20261101,'tz':'UTC'", ".from", "value", "must be a text" },
		{ "'from':'2026-11-01T00:00'", ".from", "value", "without a zone" },
		{ "'from':'2026-11-01','tz':'Europe/Berln'", ".tz", "value", "no time zone" },
		{ "'from':'2026-11-02','to':'2026-11-01','tz':'UTC'", "", "value", "ends before" },
		{ "'from':'2026-11-02','to':'2026-11-02','tz':'UTC'", "", "value",
			"first moment after" },
		{ "'weekdays':['mon']", "", "member", "\"tz\" is missing" },
		{ "'hours':['10:00-11:00']", "", "member", "\"tz\" is missing" },
		{ "'weekdays':['monday'],'tz':'UTC'", ".weekdays", "value", "mon, tue, wed" },
		{ "'weekdays':[],'tz':'UTC'", ".weekdays", "value", "never valid" },
		{ "'hours':[],'tz':'UTC'", ".hours", "value", "never valid" },
		{ "'hours':'10:00-11:00','tz':'UTC'", ".hours", "value", "must be an array" },
		{ "'hours':['10-11'],'tz':'UTC'", ".hours", "value", "18:00-22:00" },
		{ "'hours':['10:00-10:00'],'tz':'UTC'", ".hours", "value", "no span" },
		{ "'hours':['24:00-10:00'],'tz':'UTC'", ".hours", "value", "no span" },
		{ "'hours':['10:60-11:00'],'tz':'UTC'", ".hours", "value", "no span" },
		{ "'hours':['10:00-24:01'],'tz':'UTC'", ".hours", "value", "no span" },
		{ "'hours':['10:00-11:00 '],'tz':'UTC'", ".hours", "value", "no span" },
		{ "'hours':[1,2,3,4,5,6,7,8,9],'tz':'UTC'", ".hours", "limit", "at most 8" },
		{ "'form':'2026-11-01Z'", "", "member", "did you mean \"from\"?" },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct parsed p = parse_valid(all[i].valid);
		const struct finding *f;
		char path[80];

		snprintf(path, sizeof(path), "$.groups[0].rules[0].valid%s", all[i].member);
		f = finding_of(&p, path, all[i].code);
		cr_expect(ne(ptr, (void *)f, NULL), "%s\n%s", all[i].valid, all_findings(&p));
		if (f)
			cr_expect(strstr(f->text, all[i].says) ||
					  (f->hint && strstr(f->hint, all[i].says)),
				"%s\n%s", all[i].valid, all_findings(&p));
		parsed_fini(&p);
	}
}

Test(window, that_is_over_is_noted_when_somebody_says_what_time_it_is)
{
	CLEANUP(parsed_fini)
	struct parsed p =
		parse_rules("{'id':'a','suppress':true,'valid':{'to':'2026-12-01T00:00Z'}},"
			    "{'id':'b','suppress':true},"
			    "{'id':'c','suppress':true,'valid':{'to':'2026-12-01T00:00:01Z'}}");

	cr_assert(zero(int, p.r), "%s", all_findings(&p));
	cr_expect(zero(sz, p.findings.n));
	ruleset_note_past(p.rules, ms("2026-12-01T00:00:00Z"), &p.findings);
	cr_assert(eq(sz, p.findings.n, 1));
	cr_expect(eq(str, p.findings.v[0].path, "$.groups[0].rules[0].valid"));
	cr_expect(eq(int, p.findings.v[0].level, FINDING_NOTE));
}
