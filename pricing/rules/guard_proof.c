/*
 * Both directions are one: for a discount the help is what raises the price and the bound is from
 * above, for a premium it is the other way round. So a line's basis points are looked at with the
 * sign of the question (`side`), help is what is positive then, and unlimited help is a number that
 * no sum of real ones reaches.
 *
 * Ratios are fixed-point, rounded in favour of the rule at every step, so a proof is one.
 */
#include "pricing/rules/guard_proof.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "pricing/rules/accept.h"
#include "pricing/rules/ruleset_impl.h"

#define BPS_UNIT  10000
#define UNLIMITED (INT64_C(1) << 40)
#define RATIO_ONE ((u128)1000000000000)
#define RATIO_MAX (RATIO_ONE * 1000000000000) /* nothing is proved of such a price */

enum side { AGAINST_DISCOUNT = 1, AGAINST_PREMIUM = -1 };

struct proof {
	const struct ruleset *r;
	const struct guard_numbers *guards;
	struct findings *findings;
	enum side side;
	size_t rule, row; /* what it is about; row SIZE_MAX: a rule without a table */
	char text[1024];
	size_t n_text;
};

/* ---- what one line can do ---- */

/* The most that it helps, of the side; negative if it does harm. */
static int64_t line_help(const struct line *line, enum side side)
{
	switch (line->effect.kind) {
	case EFFECT_BPS:
		return line->effect.program ? UNLIMITED : side * (int64_t)line->effect.bps;
	case EFFECT_DISCOUNT:
		return side == AGAINST_PREMIUM ? UNLIMITED : 0;
	case EFFECT_SURCHARGE:
		return side == AGAINST_DISCOUNT ? UNLIMITED : 0;
	case EFFECT_NONE:
	case EFFECT_SUPPRESS:
		break;
	}
	return 0;
}

static int64_t at_least_0(int64_t n)
{
	return n > 0 ? n : 0;
}

/* @but: a row that is left out, SIZE_MAX: none. */
static int64_t table_help(const struct rule *rule, size_t but, enum side side)
{
	size_t n = table_n_rows(rule->table);
	bool is_sum = table_hit(rule->table) == HIT_SUM;
	int64_t ret = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t help = i == but ? 0 : at_least_0(line_help(&rule->rows[i], side));

		ret = is_sum ? ret + help : help > ret ? help : ret;
	}
	return ret;
}

/* Fires whatever comes: nothing is asked, nothing is personal. */
static bool is_certain(const struct rule *rule)
{
	return rule->is_enabled && !rule->table && !rule->window && !rule->n_tests &&
	       !rule->n_rest && !(rule->line.labels >> LABEL_PERSONAL & 1) &&
	       rule->line.effect.kind == EFFECT_BPS && !rule->line.effect.program;
}

static int64_t rule_help(const struct rule *rule, bool is_stacked, enum side side)
{
	int64_t help;

	if (!rule->is_enabled)
		return 0;
	if (rule->table)
		return table_help(rule, SIZE_MAX, side);
	help = line_help(&rule->line, side);
	return is_stacked && is_certain(rule) ? help : at_least_0(help);
}

/* ---- which rules can fire together ---- */

static bool is_exclusive(const struct conjunct_test *a, const struct conjunct_test *b)
{
	struct accept x, y;

	if (a->slot != b->slot || a->kind != b->kind)
		return false;
	if (a->kind == COLUMN_MONEY && !currency_is_par(a->test.currency, b->test.currency))
		return true; /* one value is not in both classes */
	return accept_of_test(&x, a->kind, &a->test) && accept_of_test(&y, b->kind, &b->test) &&
	       accept_intersect(&x, &y) && x.n == 0;
}

static bool can_meet(const struct rule *a, const struct rule *b)
{
	for (uint32_t i = 0; i < a->n_tests; i++) {
		for (uint32_t k = 0; k < b->n_tests; k++) {
			if (is_exclusive(&a->tests[i], &b->tests[k]))
				return false;
		}
	}
	if (!a->window || !b->window)
		return true;
	return a->window->from_ms < b->window->to_ms && b->window->from_ms < a->window->to_ms;
}

/* ---- groups ---- */

static const struct rule *subject(const struct proof *p)
{
	return &p->r->rules[p->rule];
}

static int64_t own_bps(const struct proof *p)
{
	const struct rule *rule = subject(p);
	const struct line *line = p->row == SIZE_MAX ? &rule->line : &rule->rows[p->row];

	return line->effect.bps;
}

/* With @others, the most that the group helps; without, only what is certain. */
static int64_t group_help(const struct proof *p, size_t number, bool with_others)
{
	const struct group *g = &p->r->groups[number];
	const struct rule *own = subject(p);
	bool is_own = own->group == number, is_stacked = g->mode == GROUP_STACK;
	int64_t ret = 0;

	if (is_own && own->table && with_others && table_hit(own->table) == HIT_SUM)
		ret += table_help(own, p->row, p->side);
	for (uint32_t i = 0; i < g->n && (is_stacked || !is_own); i++) {
		const struct rule *rule = &p->r->rules[g->first + i];
		int64_t help;

		if (rule == own || (!with_others && !(is_stacked && is_certain(rule))))
			continue;
		help = can_meet(own, rule) ? rule_help(rule, is_stacked, p->side) : 0;
		ret = is_stacked ? ret + help : help > ret ? help : ret;
	}
	return ret;
}

/* The price as a ratio of the list price. */
static u128 multiply(u128 ratio, int64_t bps, enum side side)
{
	u128 factor = bps <= -BPS_UNIT ? 0 : (u128)(BPS_UNIT + bps);
	u128 favour = side == AGAINST_DISCOUNT ? BPS_UNIT - 1 : 0;

	if (factor && ratio > RATIO_MAX / factor)
		return RATIO_MAX;
	return (ratio * factor + favour) / BPS_UNIT;
}

static void say(struct proof *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct proof *p, const char *fmt, ...)
{
	size_t room = sizeof(p->text) - p->n_text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(p->text + p->n_text, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		p->n_text += (size_t)n < room ? (size_t)n : room - 1;
}

/* false: there is no bound. Says each group that does something. */
static bool best_ratio(struct proof *p, bool with_others, u128 *ret)
{
	*ret = RATIO_ONE;
	p->n_text = 0;
	for (size_t i = 0; i < p->r->n_groups; i++) {
		bool is_own = subject(p)->group == i;
		int64_t help = group_help(p, i, with_others), bps = p->side * help;

		if (help >= UNLIMITED / 2)
			return false;
		if (is_own)
			say(p,
				"\ngroup " STR_FMT ": its own %+" PRId64
				" bps, the others at best %+" PRId64,
				STR_ARG(p->r->groups[i].id), own_bps(p), bps);
		else if (bps)
			say(p, "\ngroup " STR_FMT ": at best %+" PRId64 " bps",
				STR_ARG(p->r->groups[i].id), bps);
		*ret = multiply(*ret, bps + (is_own ? own_bps(p) : 0), p->side);
	}
	return *ret < RATIO_MAX;
}

/* ---- guards ---- */

static const struct guard_setting *find_setting(
	const struct guard_setting *v, size_t n, struct str key)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(v[i].key, key))
			return &v[i];
	}
	return NULL;
}

static int64_t setting_bps(const struct guard_setting *s, enum side side)
{
	return !s ? -1 : side == AGAINST_DISCOUNT ? s->max_discount_bps : s->max_premium_bps;
}

/* The widest guard that the document has for what the rule's tests on @field accept: if it names
 * all of them, and each has one. */
static int64_t narrowed(const struct proof *p, const char *field,
	const struct guard_setting *settings, size_t n, int64_t in_force)
{
	const struct rule *rule = subject(p);
	int slot = cel_env_find(p->r->schema->env, str_of(field));
	int64_t widest = -1;

	for (uint32_t i = 0; i < rule->n_tests; i++) {
		const struct conjunct_test *t = &rule->tests[i];

		if (t->slot != slot || t->kind != COLUMN_SYMBOL || t->test.is_negated)
			continue;
		for (uint32_t k = 0; k < t->test.n; k++) {
			struct str key =
				cel_symbols_text(p->r->symbols, (uint16_t)t->test.v[k].i.lo);
			int64_t bps = setting_bps(find_setting(settings, n, key), p->side);

			if (bps < 0)
				return in_force;
			widest = bps > widest ? bps : widest;
		}
	}
	return widest >= 0 && widest < in_force ? widest : in_force;
}

static int64_t limit_bps(const struct proof *p)
{
	int64_t in_force = p->side == AGAINST_DISCOUNT ? p->guards->max_discount_bps
						       : p->guards->max_premium_bps;

	in_force = narrowed(
		p, "item.collection", p->r->guard_collections, p->r->n_guard_collections, in_force);
	return narrowed(p, "item.id", p->r->guard_items, p->r->n_guard_items, in_force);
}

static bool is_beyond(const struct proof *p, u128 ratio, int64_t limit)
{
	u128 bound = RATIO_ONE / BPS_UNIT * (u128)(BPS_UNIT - p->side * limit);

	return p->side == AGAINST_DISCOUNT ? ratio < bound : ratio > bound;
}

/* ---- one line ---- */

static void report(struct proof *p, enum finding_level level, u128 ratio, int64_t limit)
{
	const char *guard = p->side == AGAINST_DISCOUNT ? "max_discount" : "max_premium";
	uint64_t price = (uint64_t)(ratio / (RATIO_ONE / BPS_UNIT));
	uint64_t bound = (uint64_t)(BPS_UNIT - p->side * limit);
	const struct rule *rule = subject(p);
	const struct group *g = &p->r->groups[rule->group];
	char path[128];
	int n = snprintf(
		path, sizeof(path), "$.groups[%u].rules[%zu]", rule->group, p->rule - g->first);

	if (p->row != SIZE_MAX)
		snprintf(path + n, sizeof(path) - (size_t)n, ".table.rows[%zu]", p->row);
	findings_add(p->findings, level, path, "guard-bound",
		"%s %s%s\nthe price is %" PRIu64 ".%02" PRIu64
		" %% of the list price at %s, the guard "
		"holds it at %" PRIu64 ".%02" PRIu64 " %%",
		level == FINDING_ERROR ? "can only end at the guard"
				       : "without the help of others it ends at the guard",
		guard, p->text, price / 100, price % 100,
		p->side == AGAINST_DISCOUNT ? "most" : "least", bound / 100, bound % 100);
	if (level == FINDING_ERROR)
		findings_hint(p->findings,
			"give less, or have the guard changed (%s is %" PRId64 " bps here)", guard,
			limit);
}

static void prove_line(struct proof *p, const struct line *line)
{
	u128 ratio;
	int64_t limit;

	if (line->effect.kind != EFFECT_BPS || line->effect.program || line->effect.bps == 0)
		return;
	p->side = line->effect.bps < 0 ? AGAINST_DISCOUNT : AGAINST_PREMIUM;
	limit = limit_bps(p);
	if (!best_ratio(p, false, &ratio) || !is_beyond(p, ratio, limit))
		return;
	if (best_ratio(p, true, &ratio) && is_beyond(p, ratio, limit)) {
		report(p, FINDING_ERROR, ratio, limit);
		return;
	}
	if (best_ratio(p, false, &ratio))
		report(p, FINDING_WARNING, ratio, limit);
}

static bool can_fire(const struct rule *rule)
{
	for (uint32_t i = 0; i < rule->n_tests; i++) {
		if (rule->tests[i].test.n == 0 && !rule->tests[i].test.is_negated)
			return false;
	}
	return rule->is_enabled;
}

void ruleset_guard_report(
	const struct ruleset *r, const struct guard_numbers *g, struct findings *f)
{
	struct proof *p = calloc(1, sizeof(*p));

	if (!p) {
		findings_add(
			f, FINDING_ERROR, "$.groups", "guard-bound", "no memory for the proof");
		return;
	}
	*p = (struct proof){ .r = r, .guards = g, .findings = f };
	for (p->rule = 0; p->rule < r->n_rules; p->rule++) {
		const struct rule *rule = subject(p);
		size_t n = rule->table ? table_n_rows(rule->table) : 0;

		if (!can_fire(rule))
			continue;
		p->row = SIZE_MAX;
		if (!rule->table)
			prove_line(p, &rule->line);
		for (size_t i = 0; i < n; i++) {
			p->row = i;
			prove_line(p, &rule->rows[i]);
		}
	}
	free(p);
}
