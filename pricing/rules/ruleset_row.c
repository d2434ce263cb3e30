/*
 * A rule with a table: its cells are table.c's, what its rows do is the document's. A row without
 * words of its own has the rule's.
 */
#include <errno.h>
#include <stdio.h>

#include "pricing/rules/ruleset_parse.h"

#define BIT(x) (1u << (x))

/* Of rows that are compared with each other only basis points can be. */
static unsigned allowed_effects(enum hit_policy hit)
{
	if (hit == HIT_MIN || hit == HIT_MAX)
		return BIT(EFFECT_BPS);
	return BIT(EFFECT_BPS) | BIT(EFFECT_DISCOUNT) | BIT(EFFECT_SURCHARGE) |
	       BIT(EFFECT_SUPPRESS);
}

static bool is_number(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return s.n > 0;
}

/* "<rule>/<id or number>" */
static int name_row(
	struct parser *p, const json_t *v, struct str rule, size_t number, struct line *ret)
{
	struct str id = doc_id(p, v, "id", false);
	char name[2 * RULESET_ID_MAX + 24];

	if (is_number(id)) {
		doc_bad_member(p, "id", "id", "is a number, as rows without an id have");
		return 0;
	}
	if (str_is_set(id))
		snprintf(name, sizeof(name), STR_FMT "/" STR_FMT, STR_ARG(rule), STR_ARG(id));
	else
		snprintf(name, sizeof(name), STR_FMT "/%zu", STR_ARG(rule), number);
	ret->id = arena_copy(p->rules->arena, str_of(name));
	if (!str_is_set(ret->id))
		return -ENOMEM;
	return str_is_set(rule) ? doc_enter(p, NAME_LINE, ret->id, "id") : 0;
}

struct table_rule {
	struct rule *rule;
	unsigned allowed;
	const struct texts *words;
	bool has_note; /* the rule's */
	uint64_t *impersonal;
};

static int parse_row(struct parser *p, const json_t *v, struct table_rule *t, size_t i)
{
	static const char *const names[] = { "id", "if", "bps", "discount", "surcharge", "suppress",
		"perks", "explanation", "note", NULL };
	struct line *line = &t->rule->rows[i];
	struct slot_set slots = { 0 };
	int r;

	if (!doc_check_members(p, v, names, NULL, "\"if\", an effect and an explanation"))
		return 0;
	r = name_row(p, v, t->rule->line.id, i + 1, line);
	if (r == 0)
		r = doc_line(p, v, t->allowed, t->words, line, &slots);
	if (r != 0)
		return r;
	if (t->rule->table)
		table_row_slots(t->rule->table, i, slots.bits);
	line->labels = slots_labels(p, &slots);
	if (labels_personal(line->labels))
		p->needs_disclosure = true;
	else
		t->impersonal[i / 64] |= UINT64_C(1) << (i % 64);
	doc_use(p, &slots,
		t->has_note || str_is_set(doc_text(p, v, "note", RULESET_NOTE_MAX, false)));
	return 0;
}

static int parse_rows(struct parser *p, const json_t *table, struct table_rule *t)
{
	const json_t *rows = json_object_get(table, "rows");
	size_t n = json_array_size(rows);
	bool has_personal = false;
	int r = 0;

	p->n_rows += n;
	t->rule->rows = doc_take(p, n * sizeof(*t->rule->rows));
	t->impersonal = doc_take(p, INDEX_WORDS(n) * sizeof(*t->impersonal));
	if (!t->rule->rows || !t->impersonal)
		return -ENOMEM;
	for (size_t i = 0; i < n && r == 0; i++) {
		size_t mark = doc_down_item(p, "rows", i), scratch = arena_used(p->scratch);

		r = parse_row(p, json_array_get(rows, i), t, i);
		has_personal |= labels_personal(t->rule->rows[i].labels);
		arena_rewind(p->scratch, scratch);
		doc_up(p, mark);
	}
	if (has_personal)
		t->rule->rows_impersonal = t->impersonal;
	return r;
}

static bool has_room(struct parser *p, const json_t *table)
{
	size_t n = json_array_size(json_object_get(table, "rows"));

	if (n <= TABLE_ROWS_MAX && p->n_rows + n <= RULESET_ROWS_MAX)
		return true;
	doc_bad_member(p, "rows", "limit", "at most %d rows in a table and %d in a document",
		TABLE_ROWS_MAX, RULESET_ROWS_MAX);
	return false;
}

static void refuse_effects(struct parser *p, const json_t *object)
{
	static const char *const effects[] = { "bps", "discount", "surcharge", "suppress",
		"perks" };

	for (size_t i = 0; i < ARRAY_LEN(effects); i++) {
		if (json_object_get(object, effects[i]))
			doc_bad_member(p, effects[i], "value",
				"the rule has a table: its rows have effects and perks");
	}
}

int doc_table_rule(struct parser *p, const json_t *object, struct rule *rule)
{
	const json_t *v = json_object_get(object, "table");
	const struct table_context context = {
		.schema = p->schema,
		.symbols = p->rules->symbols,
		.scratch = p->scratch,
		.findings = p->findings,
	};
	struct table_rule t = { .rule = rule, .allowed = allowed_effects(HIT_FIRST) };
	struct slot_set slots = { 0 };
	size_t mark;
	int r = doc_texts(p, object, "explanation", false, &t.words);

	if (r != 0)
		return r;
	refuse_effects(p, object);
	t.has_note = json_string_length(json_object_get(object, "note")) > 0;
	mark = doc_down_member(p, "table");
	if (!json_is_object(v))
		doc_bad(p, "value", "must be an object: hit, inputs and rows");
	if (!json_is_object(v) || !has_room(p, v)) {
		doc_up(p, mark);
		return 0;
	}
	r = table_parse(&rule->table, v, p->path, &context);
	if (r == -EINVAL)
		r = 0;
	if (r == 0 && rule->table) {
		t.allowed = allowed_effects(table_hit(rule->table));
		table_slots(rule->table, slots.bits);
		slots_merge((struct slot_set *)p->rules->used, slots.bits);
		if (p->is_asked ||
			table_hit(rule->table) == HIT_UNIQUE) /* an overlap there is an error */
			table_report(rule->table, p->path, p->findings);
	}
	if (r == 0)
		r = parse_rows(p, v, &t);
	doc_up(p, mark);
	return r;
}
