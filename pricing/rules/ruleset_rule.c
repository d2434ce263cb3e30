/*
 * Groups and their rules. Every rule is checked whole, also one that is switched off or can never
 * fire: what is wrong should be known before somebody switches it on.
 */
#include <errno.h>

#include "pricing/rules/ruleset_parse.h"

#define ALL_EFFECTS \
	(1u << EFFECT_BPS | 1u << EFFECT_DISCOUNT | 1u << EFFECT_SURCHARGE | 1u << EFFECT_SUPPRESS)

static const char *const rule_members[] = { "id", "title", "owner", "note", "enabled", "valid",
	"audience", "when", "bps", "discount", "surcharge", "suppress", "table", "perks",
	"explanation", NULL };
static const char *const reserved_members[] = { "budget", "experiment", NULL };

/* ---- one rule ---- */

/* The same condition twice in one group: added up it is probably a slip, and of "first" the second
 * can never fire. Windows may tell them apart, so rules with one are left alone. */
static int check_repeated(
	struct parser *p, const json_t *v, const struct group *group, const struct rule *rule)
{
	const void *other = NULL;
	int r;

	if (!rule->source[0] || rule->window || !rule->is_enabled)
		return 0;
	r = names_add(p->names, NAME_CONDITION + rule->group, str_of(rule->source), v, &other);
	if (r != -EEXIST)
		return r;
	findings_add(p->findings, FINDING_WARNING, p->path,
		group->mode == GROUP_FIRST ? "dead-rule" : "duplicate",
		"has the same condition as \"%s\"%s",
		json_string_value(json_object_get(other, "id")),
		group->mode == GROUP_FIRST ? ", which is tried first: it can never fire" : "");
	return 0;
}

static int parse_validity(struct parser *p, const json_t *v, struct rule *rule, size_t row)
{
	const struct window *w;
	int r = doc_window(p, v, &w);

	if (r != 0)
		return r;
	rule->window = w;
	if (!rule->is_enabled)
		return doc_index_now(p, row, 0, 0);
	if (!w || (w->from_ms == INT64_MIN && w->to_ms == INT64_MAX))
		return 0;
	return doc_index_now(p, row, w->from_ms, w->to_ms);
}

static int parse_effects(struct parser *p, const json_t *v, struct rule *rule, bool has_note)
{
	struct slot_set slots = { 0 };
	int r;

	if (json_object_get(v, "table"))
		return doc_table_rule(p, v, rule);
	r = doc_line(p, v, ALL_EFFECTS, NULL, &rule->line, &slots);
	rule->line.labels |= slots_labels(p, &slots);
	doc_use(p, &slots, has_note);
	return r;
}

static int parse_rule(
	struct parser *p, const json_t *v, const struct group *group, struct rule *rule, size_t row)
{
	struct slot_set slots = { 0 };
	bool has_note;
	int r;

	if (!doc_check_members(p, v, rule_members, reserved_members, "id, when and an effect"))
		return 0;
	rule->line.id = doc_id(p, v, "id", true);
	r = doc_enter(p, NAME_LINE, rule->line.id, "id");
	(void)doc_text(p, v, "title", RULESET_TEXT_MAX, false);
	(void)doc_text(p, v, "owner", RULESET_TEXT_MAX, false);
	has_note = str_is_set(doc_text(p, v, "note", RULESET_NOTE_MAX, false));
	rule->is_enabled = doc_bool(p, v, "enabled", true);
	if (r == 0)
		r = doc_condition(p, v, row, rule, &slots);
	rule->line.labels = slots_labels(p, &slots);
	doc_use(p, &slots, has_note);
	if (r == 0)
		r = parse_validity(p, v, rule, row);
	if (r == 0)
		r = check_repeated(p, v, group, rule);
	if (r == 0)
		r = parse_effects(p, v, rule, has_note);
	return r;
}

/* ---- groups ---- */

static int parse_rules(struct parser *p, const json_t *v, struct group *group, size_t number)
{
	const json_t *rules = json_object_get(v, "rules");

	for (size_t i = 0; i < group->n; i++) {
		size_t row = group->first + i;
		size_t mark = doc_down_item(p, "rules", i), scratch = arena_used(p->scratch);
		int r;

		p->rules->rules[row].group = (uint16_t)number;
		r = parse_rule(p, json_array_get(rules, i), group, &p->rules->rules[row], row);
		arena_rewind(p->scratch, scratch);
		doc_up(p, mark);
		if (r != 0)
			return r;
	}
	return 0;
}

static int parse_group(struct parser *p, const json_t *v, struct group *group, size_t number)
{
	static const char *const names[] = { "id", "title", "mode", "note", "rules", NULL };
	int mode, r;

	if (!doc_check_members(p, v, names, NULL, "id, mode and rules"))
		return 0;
	group->id = doc_id(p, v, "id", true);
	r = doc_enter(p, NAME_GROUP, group->id, "id");
	(void)doc_text(p, v, "title", RULESET_TEXT_MAX, false);
	(void)doc_text(p, v, "note", RULESET_NOTE_MAX, false);
	if (!json_object_get(v, "mode")) {
		doc_bad(p, "member", "\"mode\" is missing");
		findings_hint(p->findings, "stack, first, best_for_customer or best_for_margin");
	}
	mode = doc_name(p, v, "mode", group_mode_names, GROUP_STACK);
	group->mode = mode < 0 ? GROUP_STACK : (enum group_mode)mode;
	if (!json_is_array(json_object_get(v, "rules")))
		doc_bad_member(p, "rules", "member", "must be an array of rules");
	return r ? r : parse_rules(p, v, group, number);
}

/* How many rules there are has to be known before the first is read: a row of the index each. */
static int count_rules(struct parser *p, const json_t *groups, size_t n)
{
	struct ruleset *r = p->rules;

	r->groups = doc_take(p, n * sizeof(*r->groups));
	if (!r->groups)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const json_t *group = json_array_get(groups, i);

		r->groups[i].first = (uint32_t)r->n_rules;
		r->groups[i].n = (uint32_t)json_array_size(json_object_get(group, "rules"));
		r->n_rules += r->groups[i].n;
	}
	if (r->n_rules > RULESET_RULES_MAX) {
		doc_bad(p, "limit", "a document has at most %d rules, these are %zu",
			RULESET_RULES_MAX, r->n_rules);
		r->n_rules = 0;
		return 0;
	}
	r->n_groups = n;
	r->rules = doc_take(p, r->n_rules * sizeof(*r->rules));
	r->personal = doc_take(p, INDEX_WORDS(r->n_rules) * sizeof(*r->personal));
	return r->rules && r->personal ? 0 : -ENOMEM;
}

int doc_groups(struct parser *p, const json_t *doc)
{
	const json_t *groups;
	size_t n = doc_array(p, doc, "groups", RULESET_GROUPS_MAX, &groups);
	size_t top = doc_down(p, ".groups");
	int r;

	if (!groups)
		doc_bad(p, "member", "must be an array of groups");
	r = count_rules(p, groups, n);
	for (size_t i = 0; i < p->rules->n_groups && r == 0; i++) {
		size_t mark = doc_down(p, "[%zu]", i);

		r = parse_group(p, json_array_get(groups, i), &p->rules->groups[i], i);
		doc_up(p, mark);
	}
	doc_up(p, top);
	return r;
}
