/*
 * Texts for shoppers. Languages are numbered in the order in which they are met, the document's own
 * first, so that a decision finds a text by a number and a text is as long as its languages need.
 */
#include <errno.h>

#include "pricing/rules/ruleset_parse.h"

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* "de", "gsw", "de-AT", "es-419" */
bool doc_is_language(struct str s)
{
	size_t n = 0;

	while (n < s.n && is_lower(s.p[n]))
		n++;
	if (n < 2 || n > 3)
		return false;
	if (n == s.n)
		return true;
	if (s.p[n++] != '-')
		return false;
	if (s.n - n == 2)
		return is_upper(s.p[n]) && is_upper(s.p[n + 1]);
	return s.n - n == 3 && str_is_digit(s.p[n]) && str_is_digit(s.p[n + 1]) &&
	       str_is_digit(s.p[n + 2]);
}

int doc_language(struct parser *p, struct str tag)
{
	struct ruleset *r = p->rules;

	for (size_t i = 0; i < r->n_languages; i++) {
		if (str_eq(r->languages[i], tag))
			return (int)i;
	}
	if (r->n_languages == RULESET_LANGUAGES_MAX) {
		doc_bad(p, "limit", "a document has at most %d languages", RULESET_LANGUAGES_MAX);
		return -1;
	}
	r->languages[r->n_languages] = tag;
	return (int)r->n_languages++;
}

static int add_text(struct parser *p, const json_t *object, const char *tag, struct str *v)
{
	int number;

	if (!doc_is_language(str_of(tag))) {
		doc_bad(p, "explanation", "\"%.40s\" is no language", tag);
		findings_hint(p->findings, "such as \"en\" or \"de-AT\"");
		return -1;
	}
	number = doc_language(p, str_of(tag));
	if (number >= 0)
		v[number] = doc_text(p, object, tag, RULESET_TEXT_MAX, true);
	return number;
}

int doc_texts(struct parser *p, const json_t *object, const char *key, bool is_required,
	const struct texts **ret)
{
	const json_t *v = json_object_get(object, key);
	struct str own = p->rules->languages[0];
	struct str found[RULESET_LANGUAGES_MAX] = { STR_NONE };
	struct texts *texts;
	struct str *copy;
	uint32_t n = 0;
	size_t mark;

	*ret = NULL;
	if (!v && !is_required)
		return 0;
	mark = doc_down_member(p, key);
	if (!json_is_object(v)) {
		doc_bad(p, "explanation", "must be texts by language");
		findings_hint(
			p->findings, "such as {\"" STR_FMT "\":\"Gold member\"}", STR_ARG(own));
		v = NULL;
	}
	for (void *it = json_object_iter((json_t *)v); it;
		it = json_object_iter_next((json_t *)v, it)) {
		int number = add_text(p, v, json_object_iter_key(it), found);

		if (number >= (int)n)
			n = (uint32_t)number + 1;
	}
	if (v && !json_object_get(v, own.p))
		doc_bad(p, "explanation",
			"has no text in \"" STR_FMT "\", the language of the document",
			STR_ARG(own));
	doc_up(p, mark);
	texts = doc_take(p, sizeof(*texts));
	copy = doc_take(p, n * sizeof(*copy));
	if (!texts || !copy)
		return -ENOMEM;
	memcpy(copy, found, n * sizeof(*copy));
	*texts = (struct texts){ copy, n };
	*ret = texts;
	return 0;
}

/* ---- perks ---- */

/* A perk that several rules bring is one perk: it has one text. */
static int enter_perk(struct parser *p, const json_t *v, struct str id)
{
	const void *other = NULL;
	int r = names_add(p->names, NAME_PERK, id, v, &other);

	if (r != -EEXIST)
		return r;
	if (!json_equal(json_object_get(v, "text"), json_object_get(other, "text")))
		doc_bad_member(p, "id", "id", "perk \"" STR_FMT "\" has another text elsewhere",
			STR_ARG(id));
	return 0;
}

static int parse_perk(struct parser *p, const json_t *v, const struct line *line, struct perk *ret)
{
	static const char *const names[] = { "id", "text", NULL };
	int r;

	if (!doc_check_members(p, v, names, NULL, "id and text"))
		return 0;
	ret->id = doc_id(p, v, "id", true);
	for (uint32_t i = 0; str_is_set(ret->id) && i < line->n_perks; i++) {
		if (str_eq(line->perks[i].id, ret->id))
			doc_bad_member(p, "id", "id", "\"" STR_FMT "\" is there already",
				STR_ARG(ret->id));
	}
	r = doc_texts(p, v, "text", true, &ret->text);
	if (r == 0 && str_is_set(ret->id))
		r = enter_perk(p, v, ret->id);
	return r;
}

int doc_perks(struct parser *p, const json_t *object, struct line *ret)
{
	const json_t *v;
	size_t n = doc_array(p, object, "perks", RULESET_PERKS_MAX, &v);
	struct perk *perks = n ? doc_take(p, n * sizeof(*perks)) : NULL;
	int r = n && !perks ? -ENOMEM : 0;

	ret->perks = perks;
	for (size_t i = 0; i < n && r == 0; i++) {
		size_t mark = doc_down_item(p, "perks", i);

		r = parse_perk(p, json_array_get(v, i), ret, &perks[i]);
		ret->n_perks++;
		doc_up(p, mark);
	}
	return r;
}

/* ---- disclosure ---- */

static bool is_country(struct str s)
{
	return str_eqz(s, "default") || (s.n == 2 && is_upper(s.p[0]) && is_upper(s.p[1]));
}

int doc_disclosure(struct parser *p, const json_t *doc)
{
	const json_t *v = json_object_get(doc, "disclosure");
	struct ruleset *rules = p->rules;
	size_t mark = doc_down(p, ".disclosure");

	if (v && !json_is_object(v))
		doc_bad(p, "disclosure", "must be an object of texts by country, and \"default\"");
	rules->disclosures = doc_take(p, (json_object_size(v) + 1) * sizeof(*rules->disclosures));
	if (!rules->disclosures)
		return -ENOMEM;
	for (void *it = json_object_iter((json_t *)v); it;
		it = json_object_iter_next((json_t *)v, it)) {
		struct disclosure *d = &rules->disclosures[rules->n_disclosures++];

		d->country = str_of(json_object_iter_key(it));
		if (!is_country(d->country)) {
			doc_bad(p, "disclosure", "\"%.40s\" is neither a country nor \"default\"",
				d->country.p);
			findings_hint(p->findings, "two capital letters of ISO 3166: \"DE\"");
		}
		d->text = doc_text(p, v, d->country.p, RULESET_TEXT_MAX, true);
	}
	if (p->needs_disclosure && !json_object_get(v, "default")) {
		doc_bad(p, "disclosure", "\"default\" is missing");
		findings_hint(p->findings,
			"rules that read member or personal fields make personalised prices, and "
			"shoppers are told so");
	}
	doc_up(p, mark);
	return 0;
}
