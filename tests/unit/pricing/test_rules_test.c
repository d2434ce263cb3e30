#include "tests/unit/pricing/fixture.h"

#include <errno.h>
#include <glob.h>

#include "common/base/config.h"
#include "pricing/rules_test.h"

/* A ruleset with one gold rule, a suggestion and these tests. */
#define RULES_TESTED(tests) \
	"{\"name\":\"t\",\"version\":\"1\",\"disclosure\":{\"default\":\"d\"},\"groups\":[{" \
	"\"id\":\"g\"," \
	"\"mode\":\"stack\",\"rules\":[{\"id\":\"gold\",\"when\":\"customer.tier == " \
	"'gold'\",\"bps\":-500," \
	"\"explanation\":{\"en\":\"e\"},\"perks\":[{\"id\":\"early\",\"text\":{\"en\":\"Early\"}}" \
	"]}," \
	"{\"id\":\"seg\",\"when\":\"customer.segment == " \
	"'vip'\",\"bps\":-100,\"explanation\":{\"en\":\"e\"}}," \
	"{\"id\":\"tab\",\"explanation\":{\"en\":\"e\"},\"table\":{\"hit\":\"first\",\"inputs\":[" \
	"\"session.dwell_ms\"],\"rows\":[{\"id\":\"long\",\"if\":[\">= " \
	"3000\"],\"bps\":-100}]}}]}]," \
	"\"suggest\":[{\"id\":\"gone\",\"when\":\"item.left == 0\",\"items\":[\"" ITEM "\"]}]," \
	"\"tests\":[" tests "]}"

struct seen {
	char text[4096];
	size_t n;
};

static void each(void *ctx, const struct rules_test_outcome *o)
{
	struct seen *s = ctx;

	s->n += (size_t)snprintf(s->text + s->n, sizeof(s->text) - s->n, STR_FMT ":%s" STR_FMT ";",
		STR_ARG(o->id), o->is_passed ? "ok" : "", STR_ARG(o->what));
	cr_expect(eq(int, o->is_passed, o->what.n == 0));
}

static void expect_tests(const char *rules, size_t passed, size_t failed, const char *want)
{
	CLEANUP(ruleset_free) struct ruleset *r = ruleset_of(rules);
	struct seen seen = { 0 };
	size_t n_passed, n_failed;

	cr_assert(zero(int, rules_test_run(r, NULL, each, &seen, &n_passed, &n_failed)));
	cr_expect(eq(sz, n_passed, passed));
	cr_expect(eq(sz, n_failed, failed));
	cr_expect(eq(str, seen.text, (char *)want));
}

Test(rules_test, what_is_not_given_is_as_good_as_it_can_be)
{
	expect_tests(
		RULES_TESTED(
			"{\"id\":\"a\",\"given\":{\"item.list\":\"1 ETH\",\"customer.segment\":"
			"\"vip\"},\"expect\":{\"price\":\"0.99 ETH\",\"outcome\":\"OFFER\"}}"),
		1, 0, "a:ok;");
}

Test(rules_test, every_expectation_says_what_came_instead)
{
	expect_tests(RULES_TESTED("{\"id\":\"a\",\"given\":{\"item.list\":\"1 "
				  "ETH\",\"customer.tier\":\"gold\"},"
				  "\"expect\":{\"price\":\"0.94 "
				  "ETH\",\"outcome\":\"NO_OFFER\",\"reason\":\"SOLD_OUT\","
				  "\"fired\":[\"tab\",\"gold\"],\"not_fired\":[\"gold\",\"seg\"],"
				  "\"perks\":[],"
				  "\"suggest\":[\"gone\"],\"alternatives\":[\"" ITEM
				  "\"],\"personalised\":false}}"),
		0, 1,
		"a:price: expected 0.94 ETH, got 0.95 ETH\n"
		"outcome: expected NO_OFFER, got OFFER\n"
		"reason: expected SOLD_OUT, got OFFER\n"
		"fired: tab did not; fired: gold\n"
		"not_fired: gold did\n"
		"perks: early is there too\n"
		"suggest: gone is not there\n"
		"alternatives: " ITEM " is not there\n"
		"personalised: expected false, got true;");
}

Test(rules_test, a_table_rule_has_fired_if_a_row_of_it_has)
{
	expect_tests(
		RULES_TESTED(
			"{\"id\":\"a\",\"given\":{\"item.list\":\"1 ETH\",\"session.dwell_ms\":"
			"3000},\"expect\":{\"fired\":[\"tab\",\"tab/long\"]}}"),
		1, 0, "a:ok;");
}

Test(rules_test, consent_and_the_missing_list_price_are_named)
{
	expect_tests(RULES_TESTED("{\"id\":\"a\",\"given\":{\"item.list\":\"1 "
				  "ETH\",\"customer.segment\":\"vip\","
				  "\"customer.consent\":false},\"expect\":{\"fired\":[\"seg\"]}},"
				  "{\"id\":\"b\",\"given\":{},\"expect\":{\"price\":\"1 ETH\"}},"
				  "{\"id\":\"c\",\"given\":{\"item.list\":\"1 "
				  "ETH\",\"item.left\":0,\"item.id\":\"" ITEM
				  "\"},\"expect\":{\"outcome\":\"NO_OFFER\",\"reason\":\"SOLD_"
				  "OUT\",\"suggest\":["
				  "\"gone\"],\"alternatives\":[]}}"),
		1, 2,
		"a:fired: seg did not (left out for want of consent); fired: nothing;"
		"b:price: expected 1 ETH, got NO_OFFER (NOT_FOR_SALE); item.list is not given;"
		"c:ok;");
}

Test(rules_test, guards_are_those_that_pricing_ships_with)
{
	expect_tests(
		RULES_TESTED(
			"{\"id\":\"a\",\"given\":{\"item.list\":\"1 "
			"ETH\",\"customer.tier\":\"gold\","
			"\"market.bid_net\":\"0.95 ETH\"},\"expect\":{\"price\":\"0.9785 ETH\"}}"),
		1, 0, "a:ok;");
}

Test(rules_test, the_demos_document_passes_its_own)
{
	char path[512], *text = NULL;
	struct fault f = { 0 };
	size_t n, n_passed, n_failed;

	snprintf(path, sizeof(path), "%s/souk/demo/data/rules.json", getenv("SOUK_SOURCE_DIR"));
	cr_assert(zero(int, file_read(path, RULESET_BYTES_MAX, &text, &n, &f)), "%s", f.text);
	CLEANUP(ruleset_free) struct ruleset *r = ruleset_of(text);

	free(text);
	cr_assert(zero(int, rules_test_run(r, NULL, NULL, NULL, &n_passed, &n_failed)));
	cr_expect(eq(sz, n_passed, 7));
	cr_expect(zero(sz, n_failed));
}

/* The schema of the protocol takes these (tests/schemas.py), and so do we. */
static void try_files(const char *pattern, bool is_valid)
{
	char path[512], *text;
	struct fault f = { 0 };
	glob_t files;
	size_t n;

	snprintf(path, sizeof(path), "%s/golden/%s", getenv("SOUK_TEST_DATA"), pattern);
	cr_assert(zero(int, glob(path, 0, NULL, &files)), "%s", path);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct ruleset *r = NULL;

		cr_assert(
			zero(int, file_read(files.gl_pathv[i], RULESET_BYTES_MAX, &text, &n, &f)));
		cr_expect(eq(int,
				  ruleset_parse(
					  &r, (struct str){ text, n }, price_schema(), NULL, &f),
				  is_valid ? 0 : -EINVAL),
			"%s: %s", files.gl_pathv[i], f.text);
		ruleset_free(r);
		free(text);
	}
	globfree(&files);
}

Test(rules_test, the_golden_documents_are_taken_and_the_invalid_ones_refused)
{
	try_files("ruleset.*.json", true);
	try_files("invalid/ruleset.*.json", false);
}
