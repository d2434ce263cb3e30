/*
 * The shape of a document's tests: what can be said wrong before one of them runs. A test that
 * names a rule that is not there would pass for ever as `not_fired`, so names are checked too.
 * Running them is rules_test.c's business.
 */
#include <errno.h>
#include <stdlib.h>

#include "common/model/item.h"
#include "common/model/offer.h"
#include "pricing/rules/fields_impl.h"
#include "pricing/rules/ruleset_parse.h"

#define GIVEN_ARENA (64 * 1024)
#define LIST_MAX    256

static const char *const outcome_names[] = { "OFFER", "NO_OFFER", NULL };

struct test_check {
	void *record;
	struct arena *arena;
};

/* ---- given ---- */

static void check_given(struct parser *p, const json_t *v, const struct test_check *t)
{
	const json_t *given = json_object_get(v, "given");
	size_t mark = doc_down(p, ".given");

	memset(t->record, 0, p->schema->record_size);
	arena_reset(t->arena);
	if (given && !json_is_object(given))
		doc_bad(p, "test", "must be an object of values by field");
	for (void *it = json_object_iter((json_t *)given); it;
		it = json_object_iter_next((json_t *)given, it)) {
		struct fault f = { 0 };

		if (schema_set(p->schema, t->record, json_object_iter_key(it),
			    json_object_iter_value(it), t->arena, &f) != 0)
			doc_bad(p, "test", "%s", f.text);
	}
	doc_up(p, mark);
}

static void check_at(struct parser *p, const json_t *v)
{
	struct str at = doc_text(p, v, "at", 40, false);
	int64_t ms;

	if (!str_is_set(at) || fields_time_ms(at, &ms))
		return;
	doc_bad_member(p, "at", "test", "\"%.40s\" is no moment", at.p);
	findings_hint(p->findings, "such as \"2026-11-20T19:00:00Z\"");
}

/* ---- expect ---- */

/* Lines: a rule with a table fires by its rows, and its own name means any of them. */
static void check_names(
	struct parser *p, const json_t *v, const char *key, enum name_kind kind, const char *what)
{
	const json_t *names;
	size_t n = doc_array(p, v, key, LIST_MAX, &names);

	for (size_t i = 0; i < n; i++) {
		const json_t *name = json_array_get(names, i);
		struct str s = { json_string_value(name), json_string_length(name) };
		struct str nearest;

		if (str_is_set(s) && names_has(p->names, kind, s))
			continue;
		doc_bad_member(p, key, "test", "there is no %s \"%.130s\"", what, s.p ? s.p : "");
		/* Of thousands of names for each of thousands of wrong ones: only while there is
		 * room to say it. */
		nearest = str_is_set(s) && !p->findings->n_dropped
				  ? names_nearest(p->names, kind, s)
				  : STR_NONE;
		if (str_is_set(nearest))
			findings_hint(
				p->findings, "did you mean \"" STR_FMT "\"?", STR_ARG(nearest));
	}
}

static void check_items(struct parser *p, const json_t *v, const char *key)
{
	const json_t *items;
	size_t n = doc_array(p, v, key, RULESET_SUGGEST_MAX, &items);

	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_array_get(items, i);
		struct str s = { json_string_value(item), json_string_length(item) };

		if (!str_is_set(s) || !item_is_valid(s))
			doc_bad_member(p, key, "test", "number %zu is no item id", i + 1);
	}
}

static void check_price(struct parser *p, const json_t *v)
{
	struct str s = doc_text(p, v, "price", 80, false);
	struct money m;

	if (!str_is_set(s) || fields_money(s, &m))
		return;
	doc_bad_member(p, "price", "test", "\"%.80s\" is no amount", s.p);
	findings_hint(p->findings, "such as \"1.25 ETH\"");
}

static void check_expect(struct parser *p, const json_t *v)
{
	static const char *const names[] = { "price", "outcome", "reason", "fired", "not_fired",
		"perks", "suggest", "alternatives", "personalised", NULL };
	const json_t *expect = json_object_get(v, "expect");
	size_t mark = doc_down(p, ".expect");

	if (doc_check_members(p, expect, names, NULL, "what must come out")) {
		if (json_object_size(expect) == 0)
			doc_bad(p, "test", "expects nothing, so it would always pass");
		check_price(p, expect);
		(void)doc_name(p, expect, "outcome", outcome_names, 0);
		(void)doc_name(p, expect, "reason", reason_names, 0);
		check_names(p, expect, "fired", NAME_LINE, "rule");
		check_names(p, expect, "not_fired", NAME_LINE, "rule");
		check_names(p, expect, "perks", NAME_PERK, "perk");
		check_names(p, expect, "suggest", NAME_SUGGESTION, "suggestion");
		check_items(p, expect, "alternatives");
		(void)doc_bool(p, expect, "personalised", false);
	}
	doc_up(p, mark);
}

/* ---- tests ---- */

static int check_test(struct parser *p, const json_t *v, const struct test_check *t)
{
	static const char *const names[] = { "id", "title", "at", "given", "expect", NULL };
	struct str id;
	int r;

	if (!doc_check_members(p, v, names, NULL, "id, given and expect"))
		return 0;
	id = doc_text(p, v, "id", RULESET_TEXT_MAX, true);
	r = doc_enter(p, NAME_TEST, id, "id");
	(void)doc_text(p, v, "title", RULESET_TEXT_MAX, false);
	check_at(p, v);
	check_given(p, v, t);
	check_expect(p, v);
	return r;
}

int doc_tests(struct parser *p, const json_t *doc)
{
	const json_t *tests;
	size_t n = doc_array(p, doc, "tests", RULESET_TESTS_MAX, &tests);
	struct test_check t = { .record = n ? calloc(1, p->schema->record_size) : NULL };
	int r = n && (!t.record || arena_new(&t.arena, GIVEN_ARENA) != 0) ? -ENOMEM : 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		size_t mark = doc_down(p, ".tests[%zu]", i);

		r = check_test(p, json_array_get(tests, i), &t);
		doc_up(p, mark);
	}
	p->rules->tests = n ? tests : NULL;
	free(t.record);
	arena_free(t.arena);
	return r;
}
