/*
 * Rules are found by one query of the index and taken in the order of the document, group by group.
 * Inside a group everything is added up before the price is touched, so order there cannot matter;
 * of a best-of group only the rule that was taken stays in the list.
 *
 * Without consent there are two queries: of rules that do not read a personal field, and of those
 * that do, by the rest of their condition only. The second finds what is said to have been left
 * out; nothing personal is looked at for it.
 */
#include <assert.h>
#include <stdint.h>

#include "pricing/rules/decide_scratch.h"
#include "pricing/rules/fraction.h"

#define LABEL_BIT(label) (1u << (label))

struct deciding {
	const struct ruleset *r;
	struct decide_scratch *s;
	struct decided *ret;
	int64_t now_ms;
	currency list;
	bool personal_ok, has_hidden;
	uint16_t group;
	size_t n_taken, n_notes;
};

/* ---- which rules ---- */

static void query(const struct row_index *x, struct decide_scratch *s, uint64_t *ret)
{
	size_t n = index_n_columns(x);

	for (size_t i = 0; i < n; i++) {
		int tag = index_column_tag(x, i);

		s->columns[i] = tag == RULESET_TAG_NOW ? &s->now : &s->slots[tag];
	}
	index_match(x, s->columns, ret);
}

/* found: rules to look at, hidden: those among them that may not be. */
static void find(struct deciding *d)
{
	struct decide_scratch *s = d->s;
	size_t words = INDEX_WORDS(d->r->n_rules);

	query(d->r->index, s, s->found);
	d->has_hidden = !d->personal_ok && d->r->index_impersonal;
	if (!d->has_hidden)
		return;
	query(d->r->index_impersonal, s, s->hidden);
	for (size_t i = 0; i < words; i++) {
		s->hidden[i] &= d->r->personal[i];
		s->found[i] = (s->found[i] & ~d->r->personal[i]) | s->hidden[i];
	}
}

/* The lowest bit set in [@from, @end), or @end. */
static size_t next_bit(const uint64_t *bits, size_t from, size_t end)
{
	uint64_t word;

	while (from < end) {
		word = bits[from / 64] >> (from % 64);
		if (word) {
			from += (size_t)__builtin_ctzll(word);
			return from < end ? from : end;
		}
		from = (from / 64 + 1) * 64;
	}
	return end;
}

static bool has_bit(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

/* ---- what is said of them ---- */

static void note(struct deciding *d, size_t rule, const struct line *line, enum fired_state state,
	uint8_t error)
{
	struct decided *ret = d->ret;

	if (state == FIRED_FAILED)
		ret->n_failed++;
	else
		ret->n_left_out++;
	if (d->n_notes == RULESET_NOTES_MAX)
		return;
	d->n_notes++;
	ret->fired[ret->n_fired++] = (struct fired){
		.line = line,
		.rule = (uint16_t)rule,
		.group = d->group,
		.state = (uint8_t)state,
		.error = error,
	};
}

/* Whether the line fired. */
static bool fire(struct deciding *d, size_t rule, const struct line *line)
{
	struct fired *f = &d->ret->fired[d->ret->n_fired];
	enum verdict v;

	if (!d->personal_ok && line->labels & LABEL_BIT(LABEL_PERSONAL)) {
		note(d, rule, line, FIRED_NO_CONSENT, 0);
		return false;
	}
	if (d->n_taken == RULESET_FIRED_MAX) {
		note(d, rule, line, FIRED_LIMIT, 0);
		return false;
	}
	v = decide_effect(d->s, &line->effect, d->list, f);
	if (v == VERDICT_FAILED)
		note(d, rule, line, FIRED_FAILED, f->error);
	if (v != VERDICT_YES)
		return false;
	f->line = line;
	f->rule = (uint16_t)rule;
	f->group = d->group;
	f->state = FIRED;
	d->n_taken++;
	d->ret->n_fired++;
	return true;
}

/* Takes back what @rule fired since @from; notes stay. */
static void take_back(struct deciding *d, size_t from, size_t rule)
{
	struct decided *ret = d->ret;
	size_t n = from;

	for (size_t i = from; i < ret->n_fired; i++) {
		if (ret->fired[i].state == FIRED && ret->fired[i].rule == rule)
			d->n_taken--;
		else
			ret->fired[n++] = ret->fired[i];
	}
	ret->n_fired = n;
}

/* ---- tables ---- */

/* Of all rows that hold, the one with the lowest or highest basis points; the earlier of equals. */
static bool fire_extreme(struct deciding *d, size_t number, const uint64_t *rows, bool is_max)
{
	const struct rule *rule = &d->r->rules[number];
	size_t n = table_n_rows(rule->table), best = SIZE_MAX;
	int64_t best_bps = 0;

	for (size_t i = next_bit(rows, 0, n); i < n; i = next_bit(rows, i + 1, n)) {
		const struct line *line = &rule->rows[i];
		struct fired f;
		enum verdict v;

		if (!d->personal_ok && line->labels & LABEL_BIT(LABEL_PERSONAL))
			continue;
		v = decide_effect(d->s, &line->effect, d->list, &f);
		if (v == VERDICT_FAILED)
			note(d, number, line, FIRED_FAILED, f.error);
		if (v != VERDICT_YES ||
			(best != SIZE_MAX && (is_max ? f.bps <= best_bps : f.bps >= best_bps)))
			continue;
		best = i;
		best_bps = f.bps;
	}
	return best != SIZE_MAX && fire(d, number, &rule->rows[best]);
}

static void note_failures(
	struct deciding *d, size_t number, const struct table_failure *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (f[i].error.sym < CEL_R_FIRST_NOT_APPLICABLE)
			note(d, number, &d->r->rules[number].rows[f[i].row], FIRED_FAILED,
				(uint8_t)f[i].error.sym);
	}
}

static bool fire_collected(struct deciding *d, size_t number, const uint64_t *allowed)
{
	const struct rule *rule = &d->r->rules[number];
	struct table_result *t = &d->s->table;
	enum hit_policy hit = table_hit(rule->table);
	size_t n = table_n_rows(rule->table);
	bool has_fired = false;

	table_match(rule->table, &d->s->context, d->s->slots, allowed, t);
	note_failures(d, number, t->failures, t->n_failures);
	if (hit == HIT_MIN || hit == HIT_MAX)
		return fire_extreme(d, number, t->rows, hit == HIT_MAX);
	for (size_t i = next_bit(t->rows, 0, n); i < n; i = next_bit(t->rows, i + 1, n))
		has_fired |= fire(d, number, &rule->rows[i]);
	return has_fired;
}

static bool fire_table(struct deciding *d, size_t number)
{
	const struct rule *rule = &d->r->rules[number];
	const uint64_t *allowed = d->personal_ok ? NULL : rule->rows_impersonal;
	enum hit_policy hit = table_hit(rule->table);
	struct table_failure failure = { .error.kind = CEL_V_NULL };
	size_t row;

	if (allowed)
		note(d, number, &rule->line, FIRED_NO_CONSENT, 0);
	if (hit != HIT_FIRST && hit != HIT_UNIQUE)
		return fire_collected(d, number, allowed);
	row = table_first(rule->table, &d->s->context, d->s->slots, allowed, &failure);
	if (cel_is_error(failure.error))
		note_failures(d, number, &failure, 1);
	return row != SIZE_MAX && fire(d, number, &rule->rows[row]);
}

/* ---- rules and groups ---- */

/* Whether the rule fired, or a row of it. */
static bool consider(struct deciding *d, size_t number)
{
	const struct rule *rule = &d->r->rules[number];
	bool is_hidden = d->has_hidden && has_bit(d->s->hidden, number);
	uint8_t error = 0;
	enum verdict v;

	if (rule->window && !decide_window_holds(rule->window, d->now_ms))
		return false;
	v = is_hidden ? decide_holds(d->s, rule->rest_impersonal, rule->n_rest_impersonal, &error)
		      : decide_holds(d->s, rule->rest, rule->n_rest, &error);
	if (v == VERDICT_NO)
		return false;
	if (is_hidden) {
		note(d, number, &rule->line, FIRED_NO_CONSENT, 0);
		return false;
	}
	if (v == VERDICT_FAILED) {
		note(d, number, &rule->line, FIRED_FAILED, error);
		return false;
	}
	return rule->table ? fire_table(d, number) : fire(d, number, &rule->line);
}

static bool is_suppressing(const struct fired *f)
{
	return f->state == FIRED && f->line->effect.kind == EFFECT_SUPPRESS;
}

static bool has_suppressed(const struct decided *d, size_t from)
{
	for (size_t i = from; i < d->n_fired; i++) {
		if (is_suppressing(&d->fired[i]))
			return true;
	}
	return false;
}

/* All that fired since @from, added up. */
static void apply(struct fraction *price, const struct fired *f, size_t from, size_t to)
{
	u128 discount = 0, surcharge = 0;
	int64_t bps = 0;

	for (size_t i = from; i < to; i++) {
		if (f[i].state != FIRED)
			continue;
		bps += f[i].bps;
		discount += f[i].discount;
		surcharge += f[i].surcharge;
	}
	fraction_mul_bps(price, bps);
	fraction_sub(price, discount);
	fraction_add(price, surcharge);
}

struct best {
	size_t rule; /* SIZE_MAX: none yet */
	struct fraction price;
};

/* Whether the rule that has just fired, from @from on, takes the place of the best so far. */
static bool is_better(const struct deciding *d, const struct best *b, const struct fraction *price,
	size_t rule, enum group_mode mode)
{
	int order;

	if (b->rule == SIZE_MAX)
		return true;
	order = fraction_cmp(price, &b->price);
	if (order != 0)
		return mode == GROUP_BEST_FOR_CUSTOMER ? order < 0 : order > 0;
	return str_cmp(d->r->rules[rule].line.id, d->r->rules[b->rule].line.id) < 0;
}

/* One rule of a best-of group. Suppression is no price: it is not compared. */
static void compete(struct deciding *d, size_t rule, const struct fraction *before, size_t begin,
	enum group_mode mode, struct best *b)
{
	struct decided *ret = d->ret;
	size_t from = ret->n_fired;
	struct fraction price = *before;

	if (!consider(d, rule) || has_suppressed(ret, from))
		return;
	apply(&price, ret->fired, from, ret->n_fired);
	if (is_better(d, b, &price, rule, mode)) {
		if (b->rule != SIZE_MAX)
			take_back(d, begin, b->rule);
		b->rule = rule;
		b->price = price;
	} else {
		take_back(d, begin, rule);
	}
}

static void run_group(struct deciding *d, const struct group *g, struct fraction *price)
{
	size_t begin = d->ret->n_fired, end = g->first + g->n;
	const uint64_t *found = d->s->found;
	struct best best = { .rule = SIZE_MAX };

	for (size_t i = next_bit(found, g->first, end); i < end; i = next_bit(found, i + 1, end)) {
		if (g->mode >= GROUP_BEST_FOR_CUSTOMER)
			compete(d, i, price, begin, g->mode, &best);
		else if (consider(d, i) && g->mode == GROUP_FIRST)
			break;
	}
	apply(price, d->ret->fired, begin, d->ret->n_fired);
	for (size_t i = begin; i < d->ret->n_fired; i++) {
		const struct fired *f = &d->ret->fired[i];

		if (f->state != FIRED)
			continue;
		d->ret->labels |= f->line->labels | d->r->rules[f->rule].line.labels;
		if (is_suppressing(f) && !d->ret->suppressed_by)
			d->ret->suppressed_by = f->line;
	}
}

static void suggest(struct deciding *d)
{
	uint8_t error;

	for (size_t i = 0; i < d->r->n_suggestions; i++) {
		const struct suggestion *s = &d->r->suggestions[i];
		bool is_free = d->personal_ok || !(s->labels & LABEL_BIT(LABEL_PERSONAL));

		if (d->ret->n_suggestions == ARRAY_LEN(d->ret->suggestions))
			return;
		if (is_free && (!s->when || decide_holds(d->s, &s->when, 1, &error) == VERDICT_YES))
			d->ret->suggestions[d->ret->n_suggestions++] = s;
	}
}

void decide(const struct ruleset *r, struct decide_scratch *s, const void *record, int64_t now_ms,
	struct money list, bool personal_ok, struct decided *ret)
{
	struct deciding d = {
		.r = r,
		.s = s,
		.ret = ret,
		.now_ms = now_ms,
		.list = list.currency,
		.personal_ok = personal_ok,
	};
	struct fraction price;

	decided_clear(ret);
	decide_bind(r, s, record, now_ms);
	fraction_init(&price, list.amount);
	if (r->n_rules)
		find(&d);
	for (size_t i = 0; i < r->n_groups; i++) {
		d.group = (uint16_t)i;
		run_group(&d, &r->groups[i], &price);
	}
	ret->price = fraction_round(&price, r->rounding);
	suggest(&d);
	ret->cost = s->context.cost;
}

void decide_suggest(const struct ruleset *r, struct decide_scratch *s, const void *record,
	int64_t now_ms, bool personal_ok, struct decided *ret)
{
	struct deciding d = { .r = r, .s = s, .ret = ret, .personal_ok = personal_ok };

	decided_clear(ret);
	if (r->n_suggestions == 0)
		return;
	decide_bind(r, s, record, now_ms);
	suggest(&d);
	ret->cost = s->context.cost;
}

/* ---- lines ---- */

void decide_walk_begin(
	struct decide_walk *w, const struct ruleset *r, const struct decided *d, u128 list)
{
	*w = (struct decide_walk){ .r = r, .d = d };
	fraction_init(&w->before, list);
}

u128 decide_walk_next(struct decide_walk *w)
{
	const struct decided *d = w->d;
	struct fraction price;

	assert(w->i < d->n_fired);
	if (w->i && d->fired[w->i].group != d->fired[w->i - 1].group) {
		apply(&w->before, d->fired, w->group_begin, w->i);
		w->group_begin = w->i;
	}
	w->i++;
	price = w->before;
	apply(&price, d->fired, w->group_begin, w->i);
	return fraction_round(&price, w->r->rounding);
}

u128 decide_amount(const struct ruleset *r, const struct decided *d, u128 list, size_t i)
{
	struct decide_walk w;
	u128 ret;

	decide_walk_begin(&w, r, d, list);
	do {
		ret = decide_walk_next(&w);
	} while (i--);
	return ret;
}
