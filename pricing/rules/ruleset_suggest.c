/*
 * Suggestions: other items for a shopper, also when there is no offer. They are no price, so they
 * need no explanation; what they read counts for the disclosure all the same.
 */
#include <errno.h>

#include "common/model/item.h"
#include "pricing/rules/ruleset_parse.h"

static void parse_items(struct parser *p, const json_t *v, struct suggestion *ret)
{
	const json_t *items;
	size_t n = doc_array(p, v, "items", RULESET_SUGGEST_MAX, &items);

	if (!items || (json_is_array(items) && json_array_size(items) == 0))
		doc_bad_member(p, "items", "member", "must be 1 to %d items", RULESET_SUGGEST_MAX);
	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_array_get(items, i);
		struct str s = { json_string_value(item), json_string_length(item) };

		if (!str_is_set(s) || !item_is_valid(s)) {
			doc_bad_member(p, "items", "value", "number %zu is no item id", i + 1);
			findings_hint(p->findings, "CAIP-19 in lower case: "
						   "\"eip155:1/erc721:0x…/77\"");
			continue;
		}
		for (uint32_t k = 0; k < ret->n; k++) {
			if (str_eq(ret->items[k], s))
				doc_bad_member(
					p, "items", "id", "number %zu is there already", i + 1);
		}
		ret->items[ret->n++] = s;
	}
}

static int parse_suggestion(struct parser *p, const json_t *v, struct suggestion *ret)
{
	static const char *const names[] = { "id", "title", "note", "when", "items", NULL };
	struct slot_set slots = { 0 };
	struct cel_node *root;
	bool has_note;
	int r;

	if (!doc_check_members(p, v, names, NULL, "id, when and items"))
		return 0;
	ret->id = doc_id(p, v, "id", true);
	r = doc_enter(p, NAME_SUGGESTION, ret->id, "id");
	(void)doc_text(p, v, "title", RULESET_TEXT_MAX, false);
	has_note = str_is_set(doc_text(p, v, "note", RULESET_NOTE_MAX, false));
	parse_items(p, v, ret);
	root = doc_expr(p, v, "when", &cel_type_bool);
	if (r != 0 || !root)
		return r;
	slots_add(root, &slots);
	ret->labels = slots_labels(p, &slots);
	doc_use(p, &slots, has_note);
	return doc_program(p, v, "when", root, &ret->when);
}

int doc_suggestions(struct parser *p, const json_t *doc)
{
	const json_t *v;
	size_t n = doc_array(p, doc, "suggest", RULESET_RULES_MAX, &v);
	struct ruleset *rules = p->rules;
	int r = 0;

	rules->suggestions = doc_take(p, n * sizeof(*rules->suggestions));
	if (!rules->suggestions)
		return -ENOMEM;
	for (size_t i = 0; i < n && r == 0; i++) {
		size_t mark = doc_down(p, ".suggest[%zu]", i), scratch = arena_used(p->scratch);

		r = parse_suggestion(p, json_array_get(v, i), &rules->suggestions[i]);
		rules->n_suggestions++;
		arena_rewind(p->scratch, scratch);
		doc_up(p, mark);
	}
	return r;
}
