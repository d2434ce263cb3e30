/*
 * What a rule or a row does: one effect at most, perks, and the words for it.
 */
#include <errno.h>

#include "pricing/rules/ruleset_parse.h"

static const char *const effect_names[] = {
	[EFFECT_NONE] = "",
	[EFFECT_BPS] = "bps",
	[EFFECT_DISCOUNT] = "discount",
	[EFFECT_SURCHARGE] = "surcharge",
	[EFFECT_SUPPRESS] = "suppress",
};

static int parse_program(struct parser *p, const json_t *object, const char *key,
	const struct cel_type *want, struct effect *ret, struct slot_set *slots)
{
	struct cel_node *root = doc_expr(p, object, key, want);

	if (!root)
		return 0;
	slots_add(root, slots);
	return doc_program(p, object, key, root, &ret->program);
}

static int parse_bps(
	struct parser *p, const json_t *object, struct effect *ret, struct slot_set *slots)
{
	const json_t *v = json_object_get(object, "bps");
	json_int_t n = json_integer_value(v);

	if (json_is_string(v))
		return parse_program(p, object, "bps", &cel_type_bps, ret, slots);
	if (!json_is_integer(v) || n < -RULESET_BPS_MAX || n > RULESET_BPS_MAX) {
		doc_bad_member(p, "bps", "value",
			"must be an integer from -%d to %d, or an expression of type bps",
			RULESET_BPS_MAX, RULESET_BPS_MAX);
		findings_hint(p->findings, "100 is one percent; -500 takes 5 %% off");
		return 0;
	}
	ret->bps = (int32_t)n;
	return 0;
}

int doc_effect(struct parser *p, const json_t *object, unsigned allowed, struct effect *ret,
	struct slot_set *slots)
{
	for (int kind = EFFECT_BPS; kind <= EFFECT_SUPPRESS; kind++) {
		const char *name = effect_names[kind];

		if (!json_object_get(object, name))
			continue;
		if (ret->kind) {
			doc_bad_member(p, name, "value", "there is \"%s\" already: one effect each",
				effect_names[ret->kind]);
			return 0;
		}
		ret->kind = (enum effect_kind)kind;
		if (!(allowed >> kind & 1)) {
			doc_bad_member(p, name, "value", "cannot be compared or added here");
			findings_hint(p->findings, "rows of this hit policy have \"bps\"");
		}
	}
	switch (ret->kind) {
	case EFFECT_NONE:
		return 0;
	case EFFECT_BPS:
		return parse_bps(p, object, ret, slots);
	case EFFECT_DISCOUNT:
	case EFFECT_SURCHARGE:
		return parse_program(
			p, object, effect_names[ret->kind], &cel_type_money, ret, slots);
	case EFFECT_SUPPRESS:
		if (!json_is_true(json_object_get(object, "suppress")))
			doc_bad_member(p, "suppress", "value", "must be true, or left out");
		return 0;
	}
	return 0;
}

static bool has_price(const struct effect *e)
{
	return e->kind == EFFECT_BPS || e->kind == EFFECT_DISCOUNT || e->kind == EFFECT_SURCHARGE;
}

int doc_line(struct parser *p, const json_t *object, unsigned allowed,
	const struct texts *inherited, struct line *ret, struct slot_set *slots)
{
	bool needs_words;
	int r = doc_effect(p, object, allowed, &ret->effect, slots);

	if (r == 0)
		r = doc_perks(p, object, ret);
	if (r != 0)
		return r;
	if (ret->effect.kind == EFFECT_NONE && !json_object_get(object, "perks")) {
		doc_bad(p, "member", "has no effect");
		findings_hint(p->findings,
			"one of \"bps\", \"discount\", \"surcharge\", \"table\", \"suppress\", or "
			"\"perks\"");
	}
	needs_words = has_price(&ret->effect) && !inherited;
	if (needs_words && !json_object_get(object, "explanation")) {
		doc_bad(p, "explanation",
			"\"explanation\" is missing: shoppers are told why a "
			"price is what it is");
		return 0;
	}
	r = doc_texts(p, object, "explanation", needs_words, &ret->explanation);
	if (!ret->explanation)
		ret->explanation = inherited;
	return r;
}
