/*
 * A condition is read again from its source and evaluated conjunct by conjunct, without the index:
 * what is told is what was written. Where a conjunct is a test of one field against constants, the
 * nearest accepted value is found from the test.
 */
#include <stdio.h>

#include "pricing/explain_impl.h"
#include "pricing/rules/conjunct.h"

#define SOURCE_MAX  (4 * CEL_SOURCE_BYTES_MAX)
#define CHOICES_MAX 8
#define MINUTE_MS   60000
#define DAYS_AHEAD  15
#define MONEY_LAST  (~(u128)0)

/* ---- the nearest value ---- */

static struct cel_value moment(int64_t ms)
{
	int64_t seconds = ms / 1000 - (ms % 1000 < 0);

	return (struct cel_value){ .kind = CEL_V_TIMESTAMP,
		.n = (uint32_t)(ms - seconds * 1000) * 1000000,
		.i = seconds };
}

static struct cel_value integer_of(const struct cel_type *type, int64_t i)
{
	if (type->kind == CEL_T_TIMESTAMP)
		return moment(i);
	return type->kind == CEL_T_BPS ? cel_bps(i) : cel_int(i);
}

/* As a column has it. */
static int64_t place_of(struct cel_value v)
{
	return v.kind == CEL_V_TIMESTAMP ? v.i * 1000 + v.n / 1000000 : v.i;
}

static uint64_t gap(int64_t a, int64_t b)
{
	return a < b ? (uint64_t)b - (uint64_t)a : (uint64_t)a - (uint64_t)b;
}

static struct cel_value nearest_integer(
	const struct test *t, struct cel_value has, const struct cel_type *type)
{
	int64_t at = cel_is_error(has) ? 0 : place_of(has), best = 0;
	uint64_t least = UINT64_MAX;

	for (uint32_t i = 0; i < t->n; i++) {
		int64_t lo = t->v[i].i.lo, hi = t->v[i].i.hi;
		int64_t near = at < lo ? lo : at > hi ? hi : at;

		if (i == 0 || gap(near, at) < least) {
			best = near;
			least = gap(near, at);
		}
	}
	return integer_of(type, best);
}

static struct cel_value nearest_money(const struct test *t, struct cel_value has)
{
	u128 at = cel_is_error(has) ? 0 : cel_money_of(has).amount, best = 0, least = MONEY_LAST;

	for (uint32_t i = 0; i < t->n; i++) {
		u128 lo = t->v[i].m.lo, hi = t->v[i].m.hi;
		u128 near = at < lo ? lo : at > hi ? hi : at;
		u128 far = near > at ? near - at : at - near;

		if (i == 0 || far < least) {
			best = near;
			least = far;
		}
	}
	return cel_money((struct money){ best, t->currency });
}

static struct str symbols_text(struct explain *e, const struct test *t, bool is_bool)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);

	buf_printf(&b, "%s", t->is_negated ? t->n ? "not " : "anything" : "");
	for (uint32_t i = 0; i < t->n && i < CHOICES_MAX; i++) {
		int64_t sym = t->v[i].i.lo;
		struct cel_value v =
			is_bool ? cel_bool(sym)
				: cel_string(cel_symbols_text(e->rules->symbols, (uint16_t)sym));

		buf_printf(&b, "%s", i == 0 ? "" : t->is_negated ? " nor " : " or ");
		cel_value_print(&b, v);
	}
	if (t->n > CHOICES_MAX)
		buf_puts(&b, STR(" or others"));
	return explain_copy(e, buf_str(&b));
}

static struct str needs_of(struct explain *e, const struct conjunct_test *t, struct cel_value has)
{
	const struct cel_type *type = cel_env_var(e->rules->schema->env, t->slot)->type;

	if (t->kind == COLUMN_SYMBOL)
		return symbols_text(e, &t->test, type->kind == CEL_T_BOOL);
	if (t->test.n == 0)
		return t->test.is_negated ? STR("any value") : STR("no value would do");
	return explain_value(e, t->kind == COLUMN_MONEY ? nearest_money(&t->test, has)
							: nearest_integer(&t->test, has, type));
}

/* ---- one conjunct ---- */

static bool reads_personal(const struct explain *e, const struct cel_program *p)
{
	for (size_t i = 0; i < e->rules->schema->n; i++) {
		if (cel_program_reads(p, (int)i) &&
			e->rules->schema->fields[i].label == LABEL_PERSONAL)
			return true;
	}
	return false;
}

static void fill(struct explain *e, const struct cel_node *node, struct str source,
	struct cel_value v, struct refusal *ret)
{
	struct conjuncts c = { 0 };

	*ret = (struct refusal){ 0 };
	ret->text = explain_copy(
		e, (struct str){ source.p + node->begin, (size_t)node->end - node->begin });
	if (cel_is_error(v))
		ret->error = str_of(cel_error_name((enum cel_error)v.sym));
	if (conjuncts_of(&c, node, e->rules->symbols, e->trees) != 0 || c.n_tests != 1 || c.n_rest)
		return;
	ret->field = str_of(e->rules->schema->fields[c.tests[0].slot].name);
	ret->has = explain_value(e, e->scratch->slots[c.tests[0].slot]);
	ret->needs = needs_of(e, &c.tests[0], e->scratch->slots[c.tests[0].slot]);
}

static void try_conjunct(struct explain *e, const struct cel_node *node, struct str source,
	struct explained_rule *ret, bool personal_ok)
{
	CLEANUP(cel_program_free) struct cel_program *p = NULL;
	const struct cel_options o = { .symbols = e->rules->symbols };
	struct cel_diags diags = { 0 };
	struct cel_value v;

	if (ret->n_tests == EXPLAIN_TESTS_MAX ||
		cel_program_new(&p, node, e->rules->schema->env, &o, &diags) != 0)
		return;
	if (!personal_ok && reads_personal(e, p))
		return;
	v = cel_eval(p, &e->scratch->context, e->scratch->slots);
	if (v.kind != CEL_V_BOOL || !v.b)
		fill(e, node, source, v, &ret->tests[ret->n_tests++]);
}

static void walk(struct explain *e, const struct cel_node *node, struct str source,
	struct explained_rule *ret, bool personal_ok)
{
	if (node->kind == CEL_N_CALL && node->call.function == CEL_F_AND) {
		walk(e, node->call.args[0], source, ret, personal_ok);
		walk(e, node->call.args[1], source, ret, personal_ok);
		return;
	}
	try_conjunct(e, node, source, ret, personal_ok);
}

void explain_condition(struct explain *e, struct explained_rule *ret, bool personal_ok)
{
	const struct cel_limits limits = {
		.source_bytes = SOURCE_MAX, .depth = 2 * CEL_DEPTH_MAX, .cost = UINT64_MAX
	};
	struct str source = str_of(ret->rule->source);
	struct cel_diags diags = { 0 };
	struct cel_node *root;

	if (!str_is_set(source) || source.n == 0)
		return;
	ret->tests = arena_alloc(e->arena, EXPLAIN_TESTS_MAX * sizeof(*ret->tests));
	if (!ret->tests) {
		e->is_full = true;
		return;
	}
	arena_reset(e->trees);
	root = cel_parse(source, true, &limits, e->trees, &diags);
	if (root && cel_check(root, e->rules->schema->env, &cel_type_bool, e->trees, &diags))
		walk(e, root, source, ret, personal_ok);
}

/* ---- windows ---- */

int64_t explain_next(const struct window *w, int64_t now_ms)
{
	int64_t at = now_ms < w->from_ms ? w->from_ms : (now_ms / MINUTE_MS + 1) * MINUTE_MS;

	for (int64_t i = 0; i < DAYS_AHEAD * 24 * 60 && at < w->to_ms; i++, at += MINUTE_MS) {
		if (decide_window_holds(w, at))
			return at;
	}
	return -1;
}
