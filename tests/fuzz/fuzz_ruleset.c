/*
 * Any bytes as a document. It is refused with errors that name their places, or it is a ruleset
 * whose canonical form is the same ruleset, whose proofs end, and which decides any offer for not
 * more than what it said it could cost. Memory is no way out: what is read bounds what it takes.
 */
#include <errno.h>
#include <string.h>

#include "common/base/json_out.h"
#include "pricing/inputs.h"
#include "pricing/rules/decide.h"
#include "pricing/rules/guard_proof.h"
#include "tests/fuzz/fuzz.h"

static void check_findings(const struct findings *f)
{
	struct buf out = BUF_INIT(16 << 20);
	struct json_out j = JSON_OUT(&out);

	for (size_t i = 0; i < f->n; i++) {
		FUZZ_CHECK(f->v[i].path[0] == '$' && f->v[i].code[0] && f->v[i].text[0]);
		FUZZ_CHECK(!f->v[i].source || f->v[i].offset <= strlen(f->v[i].source));
	}
	findings_print(&out, f, "x.json");
	FUZZ_CHECK(!out.failed);
	buf_clear(&out);
	findings_json(&j, NULL, f);
	FUZZ_CHECK(!out.failed);
	buf_fini(&out);
}

static void check_again(const struct ruleset *r)
{
	struct ruleset *again = NULL;

	FUZZ_CHECK(ruleset_parse(&again, ruleset_body(r), price_schema(), NULL, NULL) == 0);
	FUZZ_CHECK(str_eq(ruleset_id(again), ruleset_id(r)));
	FUZZ_CHECK(str_eq(ruleset_body(again), ruleset_body(r)));
	FUZZ_CHECK(ruleset_cost(again) == ruleset_cost(r));
	ruleset_free(again);
}

static void check_decision(const struct ruleset *r)
{
	static struct decide_scratch *s;
	static struct decided d;
	const struct money list = { 1000000000000000000, currency_find(STR("ETH")) };
	struct price_inputs in = {
		.now = INT64_C(1795201200250),
		.loyalty = { .tier = TIER_GOLD, .points = 5000 },
		.profile = { .segment = STR("vip"), .country = STR("DE"), .consent = TRI_TRUE },
		.interest = { .dwell_ms = 4000, .place = STR("lobby"), .device = 1 },
		.inventory = { .supply = 2, .list = list, .collection = STR("apes") },
		.bestbid = { .bid = list, .flags = STR("[\"gap\",\"no_fx\"]") },
	};

	if (!s && decide_scratch_new(&s) != 0)
		return;
	for (int personal_ok = 0; personal_ok < 2; personal_ok++) {
		decide(r, s, &in, in.now, list, personal_ok, &d);
		FUZZ_CHECK(d.cost <= ruleset_cost(r));
		FUZZ_CHECK(d.n_fired <= RULESET_FIRED_MAX + RULESET_NOTES_MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct guard_numbers numbers = { 0, 5000 };
	struct str json = { (const char *)data, size };
	struct findings f = FINDINGS_INIT;
	struct ruleset *r = NULL;
	struct fault fault = { 0 };
	int err = ruleset_parse(&r, json, price_schema(), &f, &fault);

	FUZZ_CHECK(err == 0 || err == -EINVAL);
	FUZZ_CHECK((err == 0) == (r != NULL) && (err == 0) == (f.n_errors == 0));
	if (r) {
		ruleset_guard_report(r, &numbers, &f);
		ruleset_note_past(r, INT64_C(1795201200250), &f);
		check_again(r);
		check_decision(r);
	} else {
		FUZZ_CHECK(fault.text[0]);
	}
	check_findings(&f);
	findings_fini(&f);
	ruleset_free(r);
	return 0;
}
