/*
 * Two forms of the same: sentences for people, and an object for tools. Nothing is decided here.
 */
#include <stdio.h>

#include "pricing/cel/lib.h"
#include "pricing/explain_impl.h"

#define TIME_MAX 40

static const char *const state_names[] = {
	[RULE_FIRED] = "fired",
	[RULE_NO_CONSENT] = "no_consent",
	[RULE_FAILED] = "failed",
	[RULE_LIMIT] = "limit",
	[RULE_DISABLED] = "disabled",
	[RULE_NOT_VALID] = "not_valid",
	[RULE_CONDITION] = "condition",
	[RULE_EARLIER] = "earlier",
	[RULE_OUTDONE] = "outdone",
	[RULE_NO_ROW] = "no_row",
	[RULE_NO_EFFECT] = "no_effect",
};

static const char *const state_texts[] = {
	[RULE_FIRED] = "fired",
	[RULE_NO_CONSENT] = "left out: it looks at personal fields, and there is no consent",
	[RULE_FAILED] = "left out: it failed",
	[RULE_LIMIT] = "left out: too many rules fired",
	[RULE_DISABLED] = "is switched off",
	[RULE_NOT_VALID] = "is not valid now",
	[RULE_CONDITION] = "did not fire",
	[RULE_EARLIER] = "was not asked: an earlier one of its group fired",
	[RULE_OUTDONE] = "fired, and another of its group made the better price",
	[RULE_NO_ROW] = "fired no row",
	[RULE_NO_EFFECT] =
		"did nothing: its amount is of another currency, or a field of it is absent",
};

static const char *const verdict_names[] = {
	[ROW_FIRED] = "fired",
	[ROW_NOT_PICKED] = "not_picked",
	[ROW_NO_CONSENT] = "no_consent",
	[ROW_CELL] = "cell",
	[ROW_FAILED] = "failed",
};

static void time_text(char ret[TIME_MAX], int64_t ms)
{
	struct cel_civil c = cel_civil_of(ms / 1000 - (ms % 1000 < 0));

	snprintf(ret, TIME_MAX, "%04lld-%02d-%02dT%02d:%02d:%02dZ", (long long)c.year, c.month,
		c.day, c.hour, c.minute, c.second);
}

/* ---- for people ---- */

static void print_outcome(struct buf *out, const struct explain *e)
{
	const struct price_result *r = &e->result;
	char text[64];

	buf_printf(out, "%s", decision_outcome_names[r->outcome]);
	if (r->reason)
		buf_printf(out, " (%s)", reason_names[r->reason]);
	if (r->outcome == OUTCOME_OFFER) {
		money_format_human(text, r->price);
		buf_printf(out, " %s%s", text, r->personalised ? ", personalised" : "");
	}
	buf_putc(out, '\n');
}

static void print_waterfall(struct buf *out, const struct explain *e)
{
	static const char *const steps[] = { "anchor", "rule", "guard", "round" };
	struct price_line lines[PRICE_LINES_MAX];
	size_t n = compute_lines(&e->result, lines);
	currency c = e->in->inventory.list.currency;
	char text[64];

	for (size_t i = 0; i < n; i++) {
		money_format_human(text, (struct money){ lines[i].after, c });
		buf_printf(out, "  %-6s " STR_FMT ": %s%s%s\n", steps[lines[i].step],
			STR_ARG(lines[i].id), text, lines[i].note[0] ? "  " : "", lines[i].note);
	}
}

static void print_test(struct buf *out, const struct refusal *t)
{
	buf_printf(out, "      " STR_FMT, STR_ARG(t->text));
	if (str_is_set(t->field))
		buf_printf(out, "\n        " STR_FMT " is " STR_FMT ", needs " STR_FMT,
			STR_ARG(t->field), STR_ARG(t->has), STR_ARG(t->needs));
	else if (str_is_set(t->error))
		buf_printf(out, "\n        cannot be answered: " STR_FMT, STR_ARG(t->error));
	buf_putc(out, '\n');
}

static void print_row(struct buf *out, const struct explained_row *r)
{
	buf_printf(out, "      " STR_FMT ": ", STR_ARG(r->line->id));
	switch (r->verdict) {
	case ROW_FIRED:
		buf_printf(out, "fired\n");
		return;
	case ROW_NOT_PICKED:
		buf_printf(out, "holds, and another row was picked\n");
		return;
	case ROW_NO_CONSENT:
		buf_printf(out, "left out: no consent\n");
		return;
	case ROW_FAILED:
		buf_printf(out, "failed: " STR_FMT "\n", STR_ARG(r->error));
		return;
	case ROW_CELL:
		break;
	}
	buf_printf(out, STR_FMT " is " STR_FMT ", the cell says " STR_FMT, STR_ARG(r->input),
		STR_ARG(r->has), STR_ARG(r->cell));
	if (str_is_set(r->needs))
		buf_printf(out, " (nearest: " STR_FMT ")", STR_ARG(r->needs));
	buf_putc(out, '\n');
}

static void print_rule(struct buf *out, const struct explained_rule *r)
{
	char next[TIME_MAX];

	buf_printf(out, "    " STR_FMT ": %s", STR_ARG(r->rule->line.id), state_texts[r->state]);
	if (str_is_set(r->by))
		buf_printf(out, " (" STR_FMT ")", STR_ARG(r->by));
	if (str_is_set(r->error))
		buf_printf(out, " (" STR_FMT ")", STR_ARG(r->error));
	if (r->state == RULE_NOT_VALID && r->next_ms >= 0) {
		time_text(next, r->next_ms);
		buf_printf(out, ", again from %s", next);
	} else if (r->state == RULE_NOT_VALID) {
		buf_puts(out, STR(", and not in the next days"));
	}
	buf_putc(out, '\n');
	for (size_t i = 0; i < r->n_tests; i++)
		print_test(out, &r->tests[i]);
	for (size_t i = 0; i < r->n_rows; i++)
		print_row(out, &r->rows[i]);
	if (r->n_rows_left_out)
		buf_printf(out, "      and %zu rows more\n", r->n_rows_left_out);
}

static bool holds(const struct explain *e, const struct suggestion *s)
{
	for (size_t i = 0; i < e->decided.n_suggestions; i++) {
		if (e->decided.suggestions[i] == s)
			return true;
	}
	return false;
}

void explain_print(struct buf *out, const struct explain *e)
{
	const struct ruleset *r = e->rules;

	print_outcome(out, e);
	print_waterfall(out, e);
	for (size_t i = 0; i < r->n_groups; i++) {
		const struct group *g = &r->groups[i];

		buf_printf(out, "  group " STR_FMT " (%s)\n", STR_ARG(g->id),
			group_mode_names[g->mode]);
		for (size_t k = 0; k < g->n; k++)
			print_rule(out, &e->v[g->first + k]);
	}
	for (size_t i = 0; i < r->n_suggestions; i++)
		buf_printf(out, "  suggestion " STR_FMT ": %s\n", STR_ARG(r->suggestions[i].id),
			holds(e, &r->suggestions[i]) ? "holds" : "does not hold");
}

/* ---- for tools ---- */

static void json_tests(struct json_out *j, const struct explained_rule *r)
{
	if (r->n_tests == 0)
		return;
	json_begin_array(j, "tests");
	for (size_t i = 0; i < r->n_tests; i++) {
		const struct refusal *t = &r->tests[i];

		json_begin(j, NULL);
		json_str(j, "text", t->text);
		json_str_opt(j, "field", t->field);
		json_str_opt(j, "has", t->has);
		json_str_opt(j, "needs", t->needs);
		json_str_opt(j, "error", t->error);
		json_end(j);
	}
	json_end_array(j);
}

static void json_rows(struct json_out *j, const struct explained_rule *r)
{
	if (r->n_rows == 0)
		return;
	json_begin_array(j, "rows");
	for (size_t i = 0; i < r->n_rows; i++) {
		const struct explained_row *row = &r->rows[i];

		json_begin(j, NULL);
		json_str(j, "id", row->line->id);
		json_strz(j, "state", verdict_names[row->verdict]);
		json_str_opt(j, "input", row->input);
		json_str_opt(j, "cell", row->cell);
		json_str_opt(j, "has", row->has);
		json_str_opt(j, "needs", row->needs);
		json_str_opt(j, "error", row->error);
		json_end(j);
	}
	json_end_array(j);
	if (r->n_rows_left_out)
		json_u64(j, "rows_left_out", r->n_rows_left_out);
}

static void json_rule(struct json_out *j, const struct explained_rule *r)
{
	char next[TIME_MAX];

	json_begin(j, NULL);
	json_str(j, "id", r->rule->line.id);
	json_strz(j, "state", state_names[r->state]);
	json_str_opt(j, "by", r->by);
	json_str_opt(j, "error", r->error);
	if (r->rule->source && r->rule->source[0])
		json_strz(j, "when", r->rule->source);
	if (r->state == RULE_NOT_VALID && r->next_ms >= 0) {
		time_text(next, r->next_ms);
		json_strz(j, "next", next);
	}
	json_tests(j, r);
	json_rows(j, r);
	json_end(j);
}

static void json_groups(struct json_out *j, const struct explain *e)
{
	json_begin_array(j, "groups");
	for (size_t i = 0; i < e->rules->n_groups; i++) {
		const struct group *g = &e->rules->groups[i];

		json_begin(j, NULL);
		json_str(j, "id", g->id);
		json_strz(j, "mode", group_mode_names[g->mode]);
		json_begin_array(j, "rules");
		for (size_t k = 0; k < g->n; k++)
			json_rule(j, &e->v[g->first + k]);
		json_end_array(j);
		json_end(j);
	}
	json_end_array(j);
}

void explain_json(struct json_out *j, const char *key, const struct explain *e)
{
	const struct price_result *r = &e->result;

	json_begin(j, key);
	json_strz(j, "outcome", decision_outcome_names[r->outcome]);
	if (r->reason)
		json_strz(j, "reason", reason_names[r->reason]);
	money_json(j, "list", e->in->inventory.list);
	money_json(j, "price", r->price);
	compute_waterfall_json(j, "waterfall", r);
	compute_reasons_json(j, "reasons", r);
	compute_perks_json(j, "perks", r);
	compute_alternatives_json(j, "alternatives", r);
	json_bool(j, "personalised", r->personalised);
	json_groups(j, e);
	json_begin_array(j, "suggestions");
	for (size_t i = 0; i < e->rules->n_suggestions; i++) {
		json_begin(j, NULL);
		json_str(j, "id", e->rules->suggestions[i].id);
		json_bool(j, "holds", holds(e, &e->rules->suggestions[i]));
		json_end(j);
	}
	json_end_array(j);
	json_end(j);
}
