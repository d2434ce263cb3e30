/*
 * A test goes the whole way that an event goes, guards included: what it expects is what a shopper
 * would be told. Every expectation is looked at, so that one run says all that is wrong.
 */
#include "pricing/rules_test.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "pricing/rules/fields_impl.h"

#define GIVEN_BYTES (64 * 1024)
#define WHAT_BYTES  16384
#define NOON_MS     INT64_C(1781524800000) /* 2026-06-15T12:00:00Z */
#define ANY_ITEM    "game:test/piece:any/1"

const struct guards rules_test_guards = {
	.max_age_profile_ms = 15000,
	.max_age_loyalty_ms = 15000,
	.max_age_inventory_ms = 15000,
	.max_age_market_ms = 15000,
	.floor_over_bid_bps = 300,
	.max_discount_bps = 5000,
	.moved_bps = 100,
	.quantum = { "1", 1 },
};

/* ---- given ---- */

static void begin_inputs(struct price_inputs *in, const struct guards *guards)
{
	const struct input_row present = { .state = ROW_PRESENT, .gen = 1, .ver = { { 1 } } };

	*in = (struct price_inputs){
		.now = NOON_MS,
		.interest = { .id = STR("test"),
			.user = STR("test"),
			.session = STR("test"),
			.item = STR(ANY_ITEM) },
		.profile = { .row = present, .consent = TRI_TRUE },
		.loyalty = { .row = present },
		.inventory = { .row = present, .supply = 1 },
		.bestbid = { .row = present },
		.stock = { .row.state = ROW_NONE },
		.guards = *guards,
	};
}

int rules_test_inputs(struct price_inputs *ret, const json_t *given, struct str at,
	const struct guards *guards, struct arena *a, struct fault *f)
{
	begin_inputs(ret, guards);
	if (str_is_set(at) && !fields_time_ms(at, &ret->now))
		return fault_set(
			f, FAULT_REJECT, -EINVAL, "\"" STR_FMT "\" is no moment", STR_ARG(at));
	for (void *it = json_object_iter((json_t *)given); it;
		it = json_object_iter_next((json_t *)given, it)) {
		int r = schema_set(price_schema(), ret, json_object_iter_key(it),
			json_object_iter_value(it), a, f);

		if (r != 0)
			return r;
	}
	ret->interest.ts = ret->now;
	ret->personalization = inputs_consent(ret) ? TRI_TRUE : TRI_FALSE;
	return 0;
}

/* ---- expect ---- */

struct test_run {
	const struct ruleset *rules;
	const json_t *expect;
	const struct price_inputs *in;
	const struct price_result *result;
	struct buf *what;
};

static struct str text_of(const json_t *v)
{
	return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) }
				 : STR_NONE;
}

static struct str member(const struct test_run *t, const char *key)
{
	return text_of(json_object_get(t->expect, key));
}

static void complain(const struct test_run *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void complain(const struct test_run *t, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (t->what->n)
		buf_putc(t->what, '\n');
	buf_puts(t->what, str_of(text));
}

static void outcome_text(const struct price_result *r, char ret[64])
{
	snprintf(ret, 64, "%s%s%s%s", decision_outcome_names[r->outcome], r->reason ? " (" : "",
		reason_names[r->reason], r->reason ? ")" : "");
}

static void check_price(const struct test_run *t)
{
	struct str want = member(t, "price");
	struct money m;
	char got[64], outcome[64];

	if (!str_is_set(want))
		return;
	if (t->result->outcome != OUTCOME_OFFER) {
		outcome_text(t->result, outcome);
		complain(t, "price: expected " STR_FMT ", got %s%s", STR_ARG(want), outcome,
			money_is_set(t->in->inventory.list) ? "" : "; item.list is not given");
		return;
	}
	if (fields_money(want, &m) && m.currency == t->result->price.currency &&
		m.amount == t->result->price.amount)
		return;
	money_format_human(got, t->result->price);
	complain(t, "price: expected " STR_FMT ", got %s", STR_ARG(want), got);
}

static void check_outcome(const struct test_run *t)
{
	struct str outcome = member(t, "outcome"), reason = member(t, "reason");
	const struct price_result *r = t->result;
	char got[64];

	outcome_text(r, got);
	if (str_is_set(outcome) && !str_eqz(outcome, decision_outcome_names[r->outcome]))
		complain(t, "outcome: expected " STR_FMT ", got %s", STR_ARG(outcome), got);
	if (str_is_set(reason) && !str_eqz(reason, reason_names[r->reason]))
		complain(t, "reason: expected " STR_FMT ", got %s", STR_ARG(reason), got);
}

/* The line's name, or that of the rule whose row it is. */
static bool is_named(const struct test_run *t, const struct fired *f, struct str name)
{
	return str_eq(f->line->id, name) || str_eq(t->rules->rules[f->rule].line.id, name);
}

static const struct fired *find_fired(const struct test_run *t, struct str name, bool has_fired)
{
	const struct decided *d = &t->result->decided;

	for (size_t i = 0; i < d->n_fired; i++) {
		if ((d->fired[i].state == FIRED) == has_fired && is_named(t, &d->fired[i], name))
			return &d->fired[i];
	}
	return NULL;
}

/* "fired: a, b" for what came instead. */
static void fired_text(const struct test_run *t, char *ret, size_t cap)
{
	const struct decided *d = &t->result->decided;
	size_t n = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < d->n_fired && n < cap; i++) {
		if (d->fired[i].state == FIRED)
			n += (size_t)snprintf(ret + n, cap - n, "%s" STR_FMT, n ? ", " : "",
				STR_ARG(d->fired[i].line->id));
	}
	if (!ret[0])
		snprintf(ret, cap, "nothing");
}

static const char *why_not(const struct fired *f)
{
	if (!f)
		return "";
	if (f->state == FIRED_NO_CONSENT)
		return " (left out for want of consent)";
	return f->state == FIRED_FAILED ? " (it failed)" : " (left out)";
}

static void check_fired(const struct test_run *t)
{
	const json_t *fired = json_object_get(t->expect, "fired");
	const json_t *not_fired = json_object_get(t->expect, "not_fired");
	char got[256];

	for (size_t i = 0; i < json_array_size(fired); i++) {
		struct str name = text_of(json_array_get(fired, i));

		if (find_fired(t, name, true))
			continue;
		fired_text(t, got, sizeof(got));
		complain(t, "fired: " STR_FMT " did not%s; fired: %s", STR_ARG(name),
			why_not(find_fired(t, name, false)), got);
	}
	for (size_t i = 0; i < json_array_size(not_fired); i++) {
		struct str name = text_of(json_array_get(not_fired, i));

		if (find_fired(t, name, true))
			complain(t, "not_fired: " STR_FMT " did", STR_ARG(name));
	}
}

static bool has_text(const struct str *v, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(v[i], s))
			return true;
	}
	return false;
}

/* Exactly these. */
static void check_set(const struct test_run *t, const char *key, const struct str *got, size_t n)
{
	const json_t *want = json_object_get(t->expect, key);
	struct str names[64];
	size_t n_names = 0;

	if (!want)
		return;
	for (size_t i = 0; i < json_array_size(want); i++) {
		struct str s = text_of(json_array_get(want, i));

		if (!has_text(got, n, s))
			complain(t, "%s: " STR_FMT " is not there", key, STR_ARG(s));
		if (n_names < ARRAY_LEN(names))
			names[n_names++] = s;
	}
	for (size_t i = 0; i < n; i++) {
		if (!has_text(names, n_names, got[i]))
			complain(t, "%s: " STR_FMT " is there too", key, STR_ARG(got[i]));
	}
}

static void check_sets(const struct test_run *t)
{
	const struct price_result *r = t->result;
	struct str ids[PRICE_PERKS_MAX + RULESET_SUGGEST_MAX];
	size_t n = 0;

	for (size_t i = 0; i < r->n_perks; i++)
		ids[n++] = r->perks[i].id;
	check_set(t, "perks", ids, n);
	n = 0;
	for (size_t i = 0; i < r->decided.n_suggestions; i++)
		ids[n++] = r->decided.suggestions[i]->id;
	check_set(t, "suggest", ids, n);
	check_set(t, "alternatives", r->alternatives, r->n_alternatives);
}

static void check_personalised(const struct test_run *t)
{
	const json_t *want = json_object_get(t->expect, "personalised");

	if (want && json_is_true(want) != t->result->personalised)
		complain(t, "personalised: expected %s, got %s",
			json_is_true(want) ? "true" : "false",
			t->result->personalised ? "true" : "false");
}

/* ---- running ---- */

struct runner {
	const struct ruleset *rules;
	const struct guards *guards;
	struct decide_scratch *scratch;
	struct arena *arena;
	struct price_inputs in;
	struct price_result result;
	struct buf what;
};

static void run_one(struct runner *r, const json_t *test)
{
	struct fault f = { 0 };
	const struct test_run t = {
		.rules = r->rules,
		.expect = json_object_get(test, "expect"),
		.in = &r->in,
		.result = &r->result,
		.what = &r->what,
	};

	buf_clear(&r->what);
	arena_reset(r->arena);
	if (rules_test_inputs(&r->in, json_object_get(test, "given"),
		    text_of(json_object_get(test, "at")), r->guards, r->arena, &f) != 0) {
		complain(&t, "given: %s", f.text);
		return;
	}
	compute(r->rules, r->scratch, &r->in, &r->result);
	check_price(&t);
	check_outcome(&t);
	check_fired(&t);
	check_sets(&t);
	check_personalised(&t);
}

static int runner_new(struct runner **ret, const struct ruleset *rules, const struct guards *guards)
{
	struct runner *r = calloc(1, sizeof(*r));

	*ret = r;
	if (!r)
		return -ENOMEM;
	r->rules = rules;
	r->guards = guards ? guards : &rules_test_guards;
	r->what = BUF_INIT(WHAT_BYTES);
	if (arena_new(&r->arena, GIVEN_BYTES) != 0)
		return -ENOMEM;
	return decide_scratch_new(&r->scratch);
}

static void runner_free(struct runner *r)
{
	if (!r)
		return;
	decide_scratch_free(r->scratch);
	arena_free(r->arena);
	buf_fini(&r->what);
	free(r);
}

int rules_test_run(const struct ruleset *rules, const struct guards *guards, rules_test_fn each,
	void *ctx, size_t *ret_n_passed, size_t *ret_n_failed)
{
	struct runner *r;
	int err = runner_new(&r, rules, guards);

	assert(rules->schema == price_schema());
	*ret_n_passed = *ret_n_failed = 0;
	for (size_t i = 0; err == 0 && i < json_array_size(rules->tests); i++) {
		const json_t *test = json_array_get(rules->tests, i);
		struct rules_test_outcome o = { .inputs = &r->in, .result = &r->result };

		run_one(r, test);
		o.id = text_of(json_object_get(test, "id"));
		o.what = buf_str(&r->what);
		o.is_passed = r->what.n == 0;
		*(o.is_passed ? ret_n_passed : ret_n_failed) += 1;
		if (each)
			each(ctx, &o);
	}
	runner_free(r);
	return err;
}
