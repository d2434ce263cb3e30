/*
 * Matching is a plain scan: rows of one table are tried in order, and the cheap tests (bits of
 * small enumerations) come before texts. A document is tens of rows; an index belongs to the day
 * when it is thousands.
 */
#include "pricing/small/ruleset.h"

#include <stdlib.h>

#include "pricing/small/ruleset_impl.h"

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

struct ruleset *ruleset_free(struct ruleset *r)
{
	if (!r)
		return NULL;
	for (size_t t = 0; t < r->n_tables; t++) {
		for (size_t i = 0; i < r->tables[t].n; i++) {
			free(r->tables[t].rows[i].segments.v);
			free(r->tables[t].rows[i].places.v);
			free((char *)r->tables[t].rows[i].id.p);
		}
		free(r->tables[t].rows);
	}
	free(r->disclosures);
	buf_fini(&r->body);
	json_decref(r->doc);
	free(r);
	return NULL;
}

static bool has(const struct rule_row *row, enum condition c)
{
	return row->when & (1u << c);
}

static bool is_in(uint32_t set, int index)
{
	return set & (UINT32_C(1) << index);
}

static bool is_one_of(const struct texts *texts, struct str s)
{
	for (size_t i = 0; str_is_set(s) && i < texts->n; i++) {
		if (str_eq(texts->v[i], s))
			return true;
	}
	return false;
}

static bool is_within(struct range r, int64_t v)
{
	return v >= r.min && v <= r.max;
}

/* All conditions but the personal ones. */
static bool holds(const struct rule_row *row, const struct rule_facts *f)
{
	return (!has(row, WHEN_TIER) || is_in(row->tiers, f->tier)) &&
	       (!has(row, WHEN_DEVICE) || is_in(row->devices, f->device)) &&
	       (!has(row, WHEN_SIGNAL) || is_in(row->signals, f->signal)) &&
	       (!has(row, WHEN_POINTS) || is_within(row->points, f->points)) &&
	       (!has(row, WHEN_DWELL) || is_within(row->dwell_ms, f->dwell_ms)) &&
	       (!has(row, WHEN_PLACE) || is_one_of(&row->places, f->place));
}

static struct rule_hit hit(const struct rule_row *row, bool is_skipped)
{
	return (struct rule_hit){
		.id = row->id,
		.reason = row->reason,
		.bps = row->bps,
		.labels = row->labels,
		.is_skipped = is_skipped,
	};
}

static size_t match_table(
	const struct rule_table *t, const struct rule_facts *f, struct rule_hit ret[2])
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct rule_row *row = &t->rows[i];

		if (!holds(row, f))
			continue;
		if (row->labels & RULE_PERSONAL) {
			if (!f->personal_ok) {
				if (n == 0)
					ret[n++] = hit(row, true);
				continue;
			}
			if (!is_one_of(&row->segments, f->segment))
				continue;
		}
		ret[n++] = hit(row, false);
		break;
	}
	return n;
}

size_t ruleset_match(const struct ruleset *r, const struct rule_facts *facts,
	struct rule_hit ret[RULESET_HITS_MAX])
{
	size_t n = 0;

	for (size_t t = 0; t < r->n_tables; t++)
		n += match_table(&r->tables[t], facts, ret + n);
	return n;
}
