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
#include "pricing/rules/index_impl.h"
#include "pricing/rules/table_impl.h"

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
	struct decide_sums sums; /* of what fired in the group */
};

/* ---- which rules ---- */

static void query(const struct row_index *x, struct deciding *d, uint64_t *ret)
{
	struct decide_scratch *s = d->s;

	for (uint32_t i = 0; i < x->n_columns; i++) {
		int tag = x->columns[i].tag;

		if (tag >= 0) {
			s->columns[i] = &s->slots[tag];
			continue;
		}
		s->now = decide_moment(d->now_ms);
		s->columns[i] = &s->now;
	}
	index_match(x, s->columns, ret);
}

/* found: rules to look at, hidden: those among them that may not be. */
static void find(struct deciding *d)
{
	struct decide_scratch *s = d->s;
	size_t words = INDEX_WORDS(d->r->n_rules);

	query(d->r->index, d, s->found);
	d->has_hidden = !d->personal_ok && d->r->index_impersonal;
	if (!d->has_hidden)
		return;
	query(d->r->index_impersonal, d, s->hidden);
	for (size_t i = 0; i < words; i++) {
		s->hidden[i] &= d->r->personal[i];
		s->found[i] = (s->found[i] & ~d->r->personal[i]) | s->hidden[i];
	}
}

/* The lowest bit set in [@from, @end), or @end. */
static inline size_t next_bit(const uint64_t *bits, size_t from, size_t end)
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

static __attribute__((noinline)) void note(struct deciding *d, size_t rule, const struct line *line,
	enum fired_state state, uint8_t error)
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

/* In the list, and in the sums. */
static inline bool take(struct deciding *d, struct fired *f, size_t rule, const struct line *line)
{
	struct decided *ret = d->ret;

	f->line = line;
	f->rule = (uint16_t)rule;
	f->group = d->group;
	f->state = FIRED;
	ret->labels |= line->labels;
	d->sums.bps += f->bps;
	if (line->effect.kind > EFFECT_BPS) {
		d->sums.discount += f->discount;
		d->sums.surcharge += f->surcharge;
		if (line->effect.kind == EFFECT_SUPPRESS && !ret->suppressed_by)
			ret->suppressed_by = line;
	}
	d->n_taken++;
	ret->n_fired++;
	return true;
}

/* One that is more than a constant. */
static __attribute__((noinline)) bool fire_effect(
	struct deciding *d, struct fired *f, size_t rule, const struct line *line)
{
	enum verdict v = decide_effect(d->s, &line->effect, d->list, f);

	if (v == VERDICT_FAILED)
		note(d, rule, line, FIRED_FAILED, f->error);
	return v == VERDICT_YES && take(d, f, rule, line);
}

/* Whether the line fired. */
static inline bool fire(struct deciding *d, size_t rule, const struct line *line)
{
	struct fired *f = &d->ret->fired[d->ret->n_fired];

	if (__builtin_expect(!d->personal_ok && line->labels & LABEL_BIT(LABEL_PERSONAL), 0)) {
		note(d, rule, line, FIRED_NO_CONSENT, 0);
		return false;
	}
	if (__builtin_expect(d->n_taken == RULESET_FIRED_MAX, 0)) {
		note(d, rule, line, FIRED_LIMIT, 0);
		return false;
	}
	if (line->effect.program)
		return fire_effect(d, f, rule, line);
	f->error = 0;
	f->bps = line->effect.bps;
	f->discount = f->surcharge = 0;
	return take(d, f, rule, line);
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
	struct fired found = { 0 };

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
			(best != SIZE_MAX && (is_max ? f.bps <= found.bps : f.bps >= found.bps)))
			continue;
		best = i;
		found = f;
	}
	if (best == SIZE_MAX)
		return false;
	if (d->n_taken == RULESET_FIRED_MAX) {
		note(d, number, &rule->rows[best], FIRED_LIMIT, 0);
		return false;
	}
	d->ret->fired[d->ret->n_fired] = found;
	return take(d, &d->ret->fired[d->ret->n_fired], number, &rule->rows[best]);
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
	const struct table *t = rule->table;
	const uint64_t *allowed = d->personal_ok ? NULL : rule->rows_impersonal;
	struct table_failure failure;
	size_t row, mark = arena_used(d->s->arena);
	bool ret;

	if (allowed)
		note(d, number, &rule->line, FIRED_NO_CONSENT, 0);
	if (t->hit != HIT_FIRST && t->hit != HIT_UNIQUE) {
		ret = fire_collected(d, number, allowed);
		arena_rewind(d->s->arena, mark);
		return ret;
	}
	failure.error.kind = CEL_V_NULL;
	row = table_first(t, &d->s->context, d->s->slots, allowed, &failure);
	arena_rewind(d->s->arena, mark);
	if (cel_is_error(failure.error))
		note_failures(d, number, &failure, 1);
	return row != SIZE_MAX && fire(d, number, &rule->rows[row]);
}

/* ---- rules and groups ---- */

/* The rest of the condition of a rule that the index has found. */
static __attribute__((noinline)) bool holds(struct deciding *d, size_t number)
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
	if (is_hidden)
		note(d, number, &rule->line, FIRED_NO_CONSENT, 0);
	else if (v == VERDICT_FAILED)
		note(d, number, &rule->line, FIRED_FAILED, error);
	return v == VERDICT_YES && !is_hidden;
}

/* Whether the rule fired, or a row of it. */
static inline bool consider(struct deciding *d, size_t number)
{
	const struct rule *rule = &d->r->rules[number];

	if ((rule->window || rule->n_rest || d->has_hidden) && !holds(d, number))
		return false;
	if (!rule->table)
		return fire(d, number, &rule->line);
	if (!fire_table(d, number))
		return false;
	d->ret->labels |= rule->line.labels;
	return true;
}

static bool has_suppressed(const struct decided *d, size_t from)
{
	for (size_t i = from; i < d->n_fired; i++) {
		if (d->fired[i].state == FIRED && d->fired[i].line->effect.kind == EFFECT_SUPPRESS)
			return true;
	}
	return false;
}

struct best {
	size_t rule; /* SIZE_MAX: none yet */
	struct fraction price;
};

/* Whether the rule that has just fired takes the place of the best so far. */
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
	struct decide_sums sums;

	if (!consider(d, rule) || has_suppressed(ret, from))
		return;
	sums = decide_sums(ret->fired, from, ret->n_fired);
	decide_apply(&price, &sums);
	if (is_better(d, b, &price, rule, mode)) {
		if (b->rule != SIZE_MAX)
			take_back(d, begin, b->rule);
		b->rule = rule;
		b->price = price;
	} else {
		take_back(d, begin, rule);
	}
}

/* What was taken back has left its labels behind: they are gathered again. */
static void run_best(struct deciding *d, const struct group *g, struct fraction *price)
{
	size_t begin = d->ret->n_fired, end = g->first + g->n;
	uint8_t labels = d->ret->labels;
	const uint64_t *found = d->s->found;
	struct best best = { .rule = SIZE_MAX };

	for (size_t i = next_bit(found, g->first, end); i < end; i = next_bit(found, i + 1, end))
		compete(d, i, price, begin, g->mode, &best);
	d->sums = decide_sums(d->ret->fired, begin, d->ret->n_fired);
	for (size_t i = begin; i < d->ret->n_fired; i++) {
		const struct fired *f = &d->ret->fired[i];

		if (f->state == FIRED)
			labels |= f->line->labels | d->r->rules[f->rule].line.labels;
	}
	d->ret->labels = labels;
}

static void run_group(struct deciding *d, const struct group *g, struct fraction *price)
{
	size_t end = g->first + g->n;
	const uint64_t *found = d->s->found;

	d->sums = (struct decide_sums){ 0 };
	if (g->mode >= GROUP_BEST_FOR_CUSTOMER) {
		run_best(d, g, price);
	} else {
		for (size_t i = next_bit(found, g->first, end); i < end;
			i = next_bit(found, i + 1, end)) {
			if (consider(d, i) && g->mode == GROUP_FIRST)
				break;
		}
	}
	decide_apply(price, &d->sums);
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
	decide_bind(r, s, record);
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
	bool personal_ok, struct decided *ret)
{
	struct deciding d = { .r = r, .s = s, .ret = ret, .personal_ok = personal_ok };

	decided_clear(ret);
	if (r->n_suggestions == 0)
		return;
	decide_bind(r, s, record);
	suggest(&d);
	ret->cost = s->context.cost;
}
