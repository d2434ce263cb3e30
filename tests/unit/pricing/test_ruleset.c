#include "tests/unit/pricing/fixture.h"

#include <stdio.h>
#include <errno.h>

#define DOC(tables) \
	"{\"name\":\"demo\",\"version\":\"1\",\"disclosure\":{\"default\":\"d\"},\"tables\":" \
	"[" tables "]}"
#define TABLE(rows) DOC("{\"id\":\"t\",\"match\":\"first\",\"rows\":[" rows "]}")
#define WHEN(when)  TABLE("{\"when\":{" when "},\"bps\":-100,\"reason\":\"r\"}")

static void expect_refused(const char *json, const char *what)
{
	struct ruleset *r = NULL;
	struct fault f = { 0 };

	cr_expect(eq(int, ruleset_parse(&r, str_of(json), &f), -EINVAL));
	cr_expect(eq(ptr, r, NULL));
	cr_expect(strstr(f.text, what) != NULL, "%s: got %s", what, f.text);
}

Test(ruleset, errors_name_the_path_and_what_would_be_right)
{
	expect_refused("{", "line 1");
	expect_refused("[]", "$: must be an object");
	expect_refused("{\"version\":\"1\",\"tables\":[]}", "$.name: must be a text");
	expect_refused(
		"{\"name\":\"a b\",\"version\":\"1\",\"tables\":[]}", "$.name: must be 1 to 64 of");
	expect_refused("{\"name\":\"a\",\"version\":1,\"tables\":[]}", "$.version: must be a text");
	expect_refused(
		"{\"name\":\"a\",\"version\":\"1\",\"tables\":{}}", "$.tables: must be an array");
	expect_refused("{\"name\":\"a\",\"version\":\"1\",\"table\":[]}",
		"$: unknown member \"table\", nearest is \"tables\"");
	expect_refused(DOC("{\"id\":\"t\",\"match\":\"best\",\"rows\":[]}"),
		"$.tables[0].match: must be \"first\"");
	expect_refused(TABLE(""), "$.tables[0].rows: must be an array of at least one row");
	expect_refused(TABLE("{\"when\":{},\"bps\":1.5,\"reason\":\"r\"}"),
		"$.tables[0].rows[0].bps: must be an integer");
	expect_refused(
		TABLE("{\"when\":{},\"bps\":-10001,\"reason\":\"r\"}"), "$.tables[0].rows[0].bps");
	expect_refused(
		TABLE("{\"when\":{},\"bps\":0}"), "$.tables[0].rows[0].reason: must be a text");
	expect_refused(TABLE("{\"bps\":0,\"reason\":\"r\"}"),
		"$.tables[0].rows[0].when: must be an object");
	expect_refused(TABLE("7"), "$.tables[0].rows[0]: must be an object");
	expect_refused(
		"{\"name\":\"a\",\"name\":\"b\",\"version\":\"1\",\"tables\":[]}", "duplicate");
}

Test(ruleset, errors_in_conditions_name_the_nearest)
{
	expect_refused(WHEN("\"teir\":[\"gold\"]"),
		"$.tables[0].rows[0].when: unknown member \"teir\", nearest is \"tier\"");
	expect_refused(WHEN("\"tier\":[\"gold\",\"platnum\"]"),
		"$.tables[0].rows[0].when.tier[1]: unknown name \"platnum\", nearest is "
		"\"platinum\"");
	expect_refused(WHEN("\"device\":[\"\"]"), "when.device[0]: unknown name");
	expect_refused(WHEN("\"signal\":[]"), "when.signal: must be an array of 1 to 64");
	expect_refused(WHEN("\"place\":[7]"), "when.place[0]: must be a text");
	expect_refused(WHEN("\"points\":{\"=>\":1}"),
		"when.points: unknown member \"=>\", nearest is \">");
	expect_refused(
		WHEN("\"points\":{\">=\":\"1\"}"), "when.points: bound \">=\" must be an integer");
	expect_refused(WHEN("\"points\":{\">=\":9223372036854775807}"), "at most 53 bits");
	expect_refused(
		WHEN("\"dwell_ms\":{\">\":5,\"<\":6}"), "when.dwell_ms: no number is within");
	expect_refused(WHEN("\"dwell_ms\":{}"), "when.dwell_ms: must be an object of bounds");
}

Test(ruleset, member_and_personal_conditions_need_a_disclosure)
{
	expect_refused("{\"name\":\"a\",\"version\":\"1\",\"tables\":[{\"id\":\"t\",\"match\":"
		       "\"first\",\"rows\":["
		       "{\"when\":{\"tier\":[\"gold\"]},\"bps\":-1,\"reason\":\"r\"}]}]}",
		"$.disclosure: a document with member or personal conditions needs \"default\"");
	expect_refused("{\"name\":\"a\",\"version\":\"1\",\"disclosure\":{\"Germany\":\"x\"},"
		       "\"tables\":[]}",
		"$.disclosure: \"Germany\" is neither a country");
}

Test(ruleset, bounds_are_refused_beyond_and_taken_at_the_maximum)
{
	CLEANUP(buf_fini) struct buf doc = BUF_INIT(2 * RULESET_BYTES_MAX);
	struct fault f = { 0 };
	struct ruleset *r = NULL;

	for (int n = RULESET_ROWS_MAX; n <= RULESET_ROWS_MAX + 1; n++) {
		buf_clear(&doc);
		buf_puts(&doc, STR("{\"name\":\"a\",\"version\":\"1\",\"tables\":[{\"id\":\"t\","
				   "\"match\":\"first\",\"rows\":["));
		for (int i = 0; i < n; i++)
			buf_printf(
				&doc, "%s{\"when\":{},\"bps\":0,\"reason\":\"r\"}", i ? "," : "");
		buf_puts(&doc, STR("]}]}"));
		cr_expect(eq(int, ruleset_parse(&r, buf_str(&doc), &f),
			n > RULESET_ROWS_MAX ? -EINVAL : 0));
		if (n <= RULESET_ROWS_MAX)
			r = ruleset_free(r);
	}
	cr_expect(strstr(f.text, "at most 4096 rows") != NULL, "%s", f.text);

	buf_clear(&doc);
	buf_puts(&doc, STR("{\"name\":\"a\",\"version\":\"1\",\"tables\":["));
	for (int i = 0; i <= RULESET_TABLES_MAX; i++)
		buf_printf(&doc,
			"%s{\"id\":\"t\",\"match\":\"first\",\"rows\":[{\"when\":{},\"bps\":0,"
			"\"reason\":\"r\"}]}",
			i ? "," : "");
	buf_puts(&doc, STR("]}"));
	cr_expect(eq(int, ruleset_parse(&r, buf_str(&doc), &f), -EINVAL));
	cr_expect(strstr(f.text, "at most 64 tables") != NULL, "%s", f.text);

	buf_clear(&doc);
	for (size_t i = 0; i <= RULESET_BYTES_MAX; i++)
		buf_putc(&doc, ' ');
	cr_expect(eq(int, ruleset_parse(&r, buf_str(&doc), &f), -EINVAL));
	cr_expect(strstr(f.text, "1048576 bytes") != NULL, "%s", f.text);
}

/* An offer that its readers cannot take must not be possible. */
Test(ruleset, reasons_of_one_offer_have_a_maximum)
{
	CLEANUP(buf_fini) struct buf doc = BUF_INIT(RULESET_BYTES_MAX);
	char reason[RULESET_TEXT_MAX + 1];

	memset(reason, 'r', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	buf_puts(&doc, STR("{\"name\":\"a\",\"version\":\"1\",\"tables\":["));
	for (int i = 0; i < RULESET_TABLES_MAX; i++)
		buf_printf(&doc,
			"%s{\"id\":\"t\",\"match\":\"first\",\"rows\":[{\"id\":\"%.40s\",\"when\":{"
			"},\"bps\":0,\"reason\":\"%s\"}]}",
			i ? "," : "", reason, reason);
	buf_puts(&doc, STR("]}"));
	buf_putc(&doc, '\0');
	expect_refused(doc.p, "$.tables: the reasons of one offer could need");
}

/* sha256sum of the canonical form, made by hand. */
Test(ruleset, identity_is_the_hash_of_the_canonical_form)
{
	CLEANUP(ruleset_free) struct ruleset *a = ruleset_of(RULES_NONE);
	CLEANUP(ruleset_free)
	struct ruleset *b =
		ruleset_of(" { \"tables\" : [ ], \"version\":\"1\", \"name\":\"no\\u006ee\" }");
	CLEANUP(ruleset_free)
	struct ruleset *c = ruleset_of("{\"name\":\"none\",\"version\":\"2\",\"tables\":[]}");

	cr_expect(str_eqz(ruleset_body(a), "{\"name\":\"none\",\"tables\":[],\"version\":\"1\"}"));
	cr_expect(
		str_eqz(ruleset_id(a),
			"sha256:c5d850fecfae4bfe9d22e264e3ff309c1251e54f2c6b054dc57bbfd492b8675d"),
		STR_FMT, STR_ARG(ruleset_id(a)));
	cr_expect(str_eq(ruleset_id(a), ruleset_id(b)));
	cr_expect(not(str_eq(ruleset_id(a), ruleset_id(c))));
	cr_expect(str_eqz(ruleset_name(a), "none"));
	cr_expect(str_eqz(ruleset_version(c), "2"));
}

Test(ruleset, disclosure_follows_the_country_and_falls_back)
{
	CLEANUP(ruleset_free) struct ruleset *r = ruleset_of(RULES_THREE);
	CLEANUP(ruleset_free) struct ruleset *none = ruleset_of(RULES_NONE);

	cr_expect(str_eqz(ruleset_disclosure(r, STR("DE")), "Fuer Sie."));
	cr_expect(str_eqz(ruleset_disclosure(r, STR("FR")), "Made for you."));
	cr_expect(str_eqz(ruleset_disclosure(r, STR_NONE), "Made for you."));
	cr_expect(not(str_is_set(ruleset_disclosure(none, STR("DE")))));
}

/* ---- matching ---- */

static size_t match(const struct ruleset *r, struct rule_facts f, struct rule_hit *ret)
{
	return ruleset_match(r, &f, ret);
}

Test(ruleset, the_first_row_that_holds_is_the_tables_answer)
{
	CLEANUP(ruleset_free)
	struct ruleset *r = ruleset_of(
		TABLE("{\"when\":{\"tier\":[\"platinum\"]},\"bps\":-800,\"reason\":\"p\"},"
		      "{\"when\":{\"tier\":[\"gold\",\"platinum\"],\"points\":{\">=\":5000}},"
		      "\"bps\":-500,\"reason\":\"g\"},"
		      "{\"when\":{},\"bps\":0,\"reason\":\"all\"}"));
	struct rule_hit hits[RULESET_HITS_MAX];

	cr_expect(eq(sz,
		match(r, (struct rule_facts){ .tier = TIER_PLATINUM, .points = 9000 }, hits), 1));
	cr_expect(eq(int, hits[0].bps, -800));
	cr_expect(str_eqz(hits[0].id, "t/1"));
	cr_expect(eq(
		sz, match(r, (struct rule_facts){ .tier = TIER_GOLD, .points = 5000 }, hits), 1));
	cr_expect(str_eqz(hits[0].id, "t/2"));
	cr_expect(eq(uint, hits[0].labels, RULE_MEMBER));
	cr_expect(eq(
		sz, match(r, (struct rule_facts){ .tier = TIER_GOLD, .points = 4999 }, hits), 1));
	cr_expect(str_eqz(hits[0].id, "t/3"));
	cr_expect(eq(uint, hits[0].labels, RULE_CONTEXT));
}

Test(ruleset, bounds_include_and_exclude_as_written)
{
	CLEANUP(ruleset_free)
	struct ruleset *r = ruleset_of(WHEN("\"dwell_ms\":{\">\":100,\"<=\":200}"));
	struct rule_hit hits[RULESET_HITS_MAX];
	const struct {
		int64_t dwell_ms;
		size_t n;
	} cases[] = { { 100, 0 }, { 101, 1 }, { 200, 1 }, { 201, 0 }, { 0, 0 } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect(
			eq(sz, match(r, (struct rule_facts){ .dwell_ms = cases[i].dwell_ms }, hits),
				cases[i].n));
}

Test(ruleset, context_conditions_match_place_device_and_signal)
{
	CLEANUP(ruleset_free)
	struct ruleset *r = ruleset_of(WHEN("\"place\":[\"gallery-3\",\"gallery-4\"],\"device\":["
					    "\"phone\"],\"signal\":[\"dwell\",\"ask\"]"));
	struct rule_hit hits[RULESET_HITS_MAX];
	struct rule_facts good = { .place = STR("gallery-4"), .device = 2, .signal = SIGNAL_ASK };
	struct rule_facts f = good;

	cr_expect(eq(sz, match(r, f, hits), 1));
	f.place = STR("gallery");
	cr_expect(eq(sz, match(r, f, hits), 0));
	f = good;
	f.place = STR_NONE;
	cr_expect(eq(sz, match(r, f, hits), 0));
	f = good;
	f.device = 0; /* absent */
	cr_expect(eq(sz, match(r, f, hits), 0));
	f = good;
	f.signal = SIGNAL_VIEW;
	cr_expect(eq(sz, match(r, f, hits), 0));
}

Test(ruleset, without_consent_a_personal_row_is_skipped_said_and_the_next_one_tried)
{
	CLEANUP(ruleset_free)
	struct ruleset *r = ruleset_of(TABLE(
		"{\"id\":\"vip\",\"when\":{\"segment\":[\"vip\"],\"device\":[\"phone\"]},\"bps\":-"
		"900,\"reason\":\"v\"},"
		"{\"id\":\"vip2\",\"when\":{\"segment\":[\"vip\"]},\"bps\":-800,\"reason\":\"v\"},"
		"{\"id\":\"all\",\"when\":{},\"bps\":-10,\"reason\":\"a\"}"));
	struct rule_hit hits[RULESET_HITS_MAX];
	struct rule_facts f = { .segment = STR("vip"), .device = 2 };

	cr_expect(eq(sz, match(r, f, hits), 2));
	cr_expect(str_eqz(hits[0].id, "vip"));
	cr_expect(hits[0].is_skipped);
	cr_expect(str_eqz(hits[1].id, "all"));
	cr_expect(not(hits[1].is_skipped));

	f.personal_ok = true;
	cr_expect(eq(sz, match(r, f, hits), 1));
	cr_expect(str_eqz(hits[0].id, "vip"));
	cr_expect(eq(uint, hits[0].labels, RULE_PERSONAL));

	/* What is skipped must not depend on the personal field. */
	f = (struct rule_facts){ .segment = STR("other"), .device = 2 };
	cr_expect(eq(sz, match(r, f, hits), 2));
	cr_expect(str_eqz(hits[0].id, "vip"));
	f.device = 1;
	cr_expect(eq(sz, match(r, f, hits), 2));
	cr_expect(str_eqz(hits[0].id, "vip2"));
}
