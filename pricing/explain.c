/*
 * The decision is made once as production makes it, and once more without judgement before it, so
 * that rules can be explained for an item that is sold out too. Everything else is asking what the
 * decision did not have to know.
 */
#include "pricing/explain.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "pricing/explain_impl.h"

#define ARENA_BASE     (256 * 1024)
#define ARENA_PER_RULE (EXPLAIN_TESTS_MAX * sizeof(struct refusal) + 8192)
#define VALUE_MAX      512

struct str explain_copy(struct explain *e, struct str s)
{
	struct str ret = arena_copy(e->arena, s);

	if (!str_is_set(ret)) {
		e->is_full = true;
		return STR("");
	}
	return ret;
}

struct str explain_value(struct explain *e, struct cel_value v)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(VALUE_MAX);

	if (cel_is_error(v) && v.sym == CEL_R_ABSENT)
		return STR("absent");
	cel_value_print(&b, v);
	return explain_copy(e, buf_str(&b));
}

/* ---- what the decision knows ---- */

static enum rule_state state_of(const struct fired *f)
{
	static const enum rule_state states[] = {
		[FIRED] = RULE_FIRED,
		[FIRED_NO_CONSENT] = RULE_NO_CONSENT,
		[FIRED_FAILED] = RULE_FAILED,
		[FIRED_LIMIT] = RULE_LIMIT,
	};

	return states[f->state];
}

/* What is said of the rule; that it fired goes before what is said of its other rows. */
static const struct fired *find_said(const struct explain *e, size_t rule)
{
	const struct fired *ret = NULL;

	for (size_t i = 0; i < e->decided.n_fired; i++) {
		const struct fired *f = &e->decided.fired[i];

		if (f->rule == rule && (!ret || f->state == FIRED))
			ret = f;
	}
	return ret;
}

static const struct fired *fired_in_group(const struct explain *e, uint16_t group)
{
	for (size_t i = 0; i < e->decided.n_fired; i++) {
		if (e->decided.fired[i].state == FIRED && e->decided.fired[i].group == group)
			return &e->decided.fired[i];
	}
	return NULL;
}

static bool has_fired(const struct explain *e, const struct line *line)
{
	for (size_t i = 0; i < e->decided.n_fired; i++) {
		if (e->decided.fired[i].line == line && e->decided.fired[i].state == FIRED)
			return true;
	}
	return false;
}

/* ---- tables ---- */

static bool may_look(const struct explain *e, const struct line *line)
{
	return e->in->personalization == TRI_TRUE || !(line->labels & 1u << LABEL_PERSONAL);
}

static void explain_row(
	struct explain *e, const struct rule *rule, size_t i, struct explained_row *ret)
{
	struct table_why why;

	*ret = (struct explained_row){ .line = &rule->rows[i], .verdict = ROW_FIRED };
	if (has_fired(e, ret->line))
		return;
	ret->verdict = ROW_NO_CONSENT;
	if (!may_look(e, ret->line))
		return;
	ret->verdict = ROW_NOT_PICKED;
	if (!table_why(rule->table, i, &e->scratch->context, e->scratch->slots, &why))
		return;
	ret->verdict = ROW_CELL;
	ret->input = explain_copy(e, str_of(why.input));
	ret->cell = explain_copy(e, str_of(why.cell));
	ret->has = explain_value(e, why.have);
	if (cel_is_error(why.have) && why.have.sym < CEL_R_FIRST_NOT_APPLICABLE) {
		ret->verdict = ROW_FAILED;
		ret->error = str_of(cel_error_name((enum cel_error)why.have.sym));
	} else if (why.need.kind != CEL_V_NULL && !cel_is_error(why.need)) {
		ret->needs = explain_value(e, why.need);
	}
}

static void explain_rows(struct explain *e, struct explained_rule *ret)
{
	size_t n = table_n_rows(ret->rule->table), shown = n;

	if (shown > EXPLAIN_ROWS_MAX)
		shown = EXPLAIN_ROWS_MAX;
	ret->rows = arena_alloc(e->arena, shown * sizeof(*ret->rows));
	if (!ret->rows) {
		e->is_full = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (ret->n_rows == shown)
			break;
		explain_row(e, ret->rule, i, &ret->rows[ret->n_rows++]);
	}
	ret->n_rows_left_out = n - ret->n_rows;
}

/* ---- rules ---- */

static bool is_valid(const struct window *w, int64_t now_ms)
{
	return !w || (now_ms >= w->from_ms && now_ms < w->to_ms && decide_window_holds(w, now_ms));
}

/* Its condition holds, and yet it did not fire. */
static void explain_loser(struct explain *e, struct explained_rule *ret)
{
	enum group_mode mode = e->rules->groups[ret->rule->group].mode;
	const struct fired *other = fired_in_group(e, ret->rule->group);

	if (other && mode == GROUP_FIRST && &e->rules->rules[other->rule] < ret->rule) {
		ret->state = RULE_EARLIER;
		ret->by = other->line->id;
	} else if (other && mode >= GROUP_BEST_FOR_CUSTOMER) {
		ret->state = RULE_OUTDONE;
		ret->by = other->line->id;
	} else {
		ret->state = ret->rule->table ? RULE_NO_ROW : RULE_NO_EFFECT;
	}
}

static void explain_rule(struct explain *e, size_t number, struct explained_rule *ret)
{
	const struct fired *said = find_said(e, number);
	bool personal_ok = e->in->personalization == TRI_TRUE;

	*ret = (struct explained_rule){ .rule = &e->rules->rules[number] };
	if (said) {
		ret->state = state_of(said);
		if (said->state == FIRED_FAILED)
			ret->error = str_of(cel_error_name((enum cel_error)said->error));
	} else if (!ret->rule->is_enabled) {
		ret->state = RULE_DISABLED;
	} else if (!is_valid(ret->rule->window, e->in->now)) {
		ret->state = RULE_NOT_VALID;
		ret->next_ms = explain_next(ret->rule->window, e->in->now);
	} else {
		explain_condition(e, ret, personal_ok);
		ret->state = RULE_CONDITION;
		if (ret->n_tests == 0)
			explain_loser(e, ret);
	}
	if (ret->rule->table && (said || ret->state == RULE_NO_ROW))
		explain_rows(e, ret);
}

/* ---- life ---- */

static int run(struct explain *e)
{
	const struct price_inputs *in = e->in;
	size_t n = e->rules->n_rules;

	compute(e->rules, e->scratch, in, &e->result);
	decide(e->rules, e->scratch, in, in->now, in->inventory.list,
		in->personalization == TRI_TRUE, &e->decided);
	e->scratch->context.cost_max = 0;
	e->v = arena_alloc(e->arena, (n + 1) * sizeof(*e->v));
	if (!e->v)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		explain_rule(e, i, &e->v[i]);
	return e->is_full ? -ENOMEM : 0;
}

int explain_new(struct explain **ret, const struct ruleset *r, const struct price_inputs *in)
{
	CLEANUP(explain_free) struct explain *e = calloc(1, sizeof(*e));
	int err;

	assert(r->schema == price_schema());
	if (!e)
		return -ENOMEM;
	e->rules = r;
	e->in = in;
	err = arena_new(&e->arena, ARENA_BASE + r->n_rules * ARENA_PER_RULE);
	if (err == 0)
		err = arena_new(&e->trees, 2 * CEL_PARSE_ARENA);
	if (err == 0)
		err = decide_scratch_new(&e->scratch);
	if (err == 0)
		err = run(e);
	if (err != 0)
		return err;
	*ret = TAKE(e);
	return 0;
}

struct explain *explain_free(struct explain *e)
{
	if (!e)
		return NULL;
	decide_scratch_free(e->scratch);
	arena_free(e->trees);
	arena_free(e->arena);
	free(e);
	return NULL;
}
