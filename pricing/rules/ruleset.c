/*
 * A ruleset after it was made: it is only read, by as many as like.
 */
#include "pricing/rules/ruleset.h"

#include <stdlib.h>
#include <strings.h>

#include "pricing/rules/ruleset_impl.h"

const char *const group_mode_names[] = { "stack", "first", "best_for_customer", "best_for_margin",
	NULL };

struct str ruleset_id(const struct ruleset *r)
{
	return (struct str){ r->id, RULESET_ID_LEN };
}

struct str ruleset_name(const struct ruleset *r)
{
	return r->name;
}

struct str ruleset_version(const struct ruleset *r)
{
	return r->version;
}

struct str ruleset_body(const struct ruleset *r)
{
	return buf_str(&r->body);
}

size_t ruleset_n_rules(const struct ruleset *r)
{
	return r->n_rules;
}

uint64_t ruleset_cost(const struct ruleset *r)
{
	return r->cost;
}

struct str ruleset_disclosure(const struct ruleset *r, struct str country)
{
	struct str fallback = STR_NONE;

	for (size_t i = 0; i < r->n_disclosures; i++) {
		if (str_is_set(country) && str_eq(r->disclosures[i].country, country))
			return r->disclosures[i].text;
		if (str_eqz(r->disclosures[i].country, "default"))
			fallback = r->disclosures[i].text;
	}
	return fallback;
}

/* ---- languages ---- */

/* Tags are compared without case (RFC 5646): clients write "de-at" as well. */
static bool is_tag(struct str a, struct str b)
{
	return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static size_t find_language(const struct ruleset *r, struct str tag)
{
	for (size_t i = 0; i < r->n_languages; i++) {
		if (is_tag(r->languages[i], tag))
			return i;
	}
	return SIZE_MAX;
}

size_t ruleset_language(const struct ruleset *r, struct str locale)
{
	const char *dash = locale.n ? memchr(locale.p, '-', locale.n) : NULL;
	size_t i = str_is_set(locale) ? find_language(r, locale) : 0;

	if (i == SIZE_MAX && dash)
		i = find_language(r, (struct str){ locale.p, (size_t)(dash - locale.p) });
	return i == SIZE_MAX ? 0 : i;
}

struct str texts_in(const struct texts *t, size_t language)
{
	if (!t || t->n == 0)
		return STR_NONE;
	return language < t->n && str_is_set(t->v[language]) ? t->v[language] : t->v[0];
}

/* ---- the end ---- */

struct ruleset *ruleset_free(struct ruleset *r)
{
	if (!r)
		return NULL;
	for (size_t i = 0; i < r->n_rules; i++)
		table_free(r->rules ? r->rules[i].table : NULL);
	for (size_t i = 0; i < r->n_programs; i++)
		cel_program_free(r->programs[i]);
	free(r->programs);
	index_free(r->index);
	index_free(r->index_impersonal);
	binder_free(r->binder);
	cel_symbols_free(r->symbols);
	arena_free(r->arena);
	buf_fini(&r->body);
	json_decref(r->doc);
	free(r);
	return NULL;
}
