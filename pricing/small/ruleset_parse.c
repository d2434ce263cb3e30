/*
 * From a document to tables. Every error names the JSON path ("$.tables[0].rows[2].when.tier[1]")
 * and what would be right there; names that are close to a valid one are told the nearest.
 *
 * The document stays alive with the ruleset, and texts point into it: nothing is copied but rule
 * names made from a table and a number.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/crypto.h"
#include "common/model/canonical.h"
#include "common/model/interest.h"
#include "common/model/tables.h"
#include "pricing/cel/nearest.h"
#include "pricing/small/ruleset_impl.h"

#define PATH_MAX_ 160
#define BPS_MAX   10000

struct parser {
	struct ruleset *rules;
	struct fault *fault;
	char path[PATH_MAX_];
	size_t n_path;
};

static int bad(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int bad(struct parser *p, const char *fmt, ...)
{
	char what[192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return fault_set(p->fault, FAULT_REJECT, -EINVAL, "%s: %s", p->path, what);
}

/* Descends; returns what path_up() goes back to. */
static size_t path_down(struct parser *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static size_t path_down(struct parser *p, const char *fmt, ...)
{
	size_t mark = p->n_path;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(p->path + mark, sizeof(p->path) - mark, fmt, ap);
	va_end(ap);
	if (n > 0)
		p->n_path += (size_t)n;
	if (p->n_path >= sizeof(p->path))
		p->n_path = sizeof(p->path) - 1;
	return mark;
}

static void path_up(struct parser *p, size_t mark)
{
	p->n_path = mark;
	p->path[mark] = '\0';
}

/* ---- names ---- */

static int check_members(struct parser *p, const json_t *object, const char *const *names)
{
	for (void *it = json_object_iter((json_t *)object); it;
		it = json_object_iter_next((json_t *)object, it)) {
		const char *key = json_object_iter_key(it);

		if (nearest_index(key, names) < 0)
			return bad(p, "unknown member \"%.40s\", nearest is \"%s\"", key,
				nearest_name(key, names));
	}
	return 0;
}

/* ---- scalars ---- */

static int get_text(struct parser *p, const json_t *v, struct str *ret)
{
	size_t n = json_string_length(v);

	if (!json_is_string(v) || n == 0 || n > RULESET_TEXT_MAX)
		return bad(p, "must be a text of 1 to %d bytes", RULESET_TEXT_MAX);
	*ret = (struct str){ json_string_value(v), n };
	return 0;
}

static int get_member_text(struct parser *p, const json_t *object, const char *key, struct str *ret)
{
	size_t mark = path_down(p, ".%s", key);
	int r = get_text(p, json_object_get(object, key), ret);

	path_up(p, mark);
	return r;
}

/* Names of topic keys and metrics. */
static int check_name(struct parser *p, const char *key, struct str s)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (s.n <= 64 && strspn(s.p, allowed) == s.n)
		return 0;
	path_down(p, ".%s", key);
	return bad(p, "must be 1 to 64 of A-Z a-z 0-9 . _ -");
}

/* ---- conditions ---- */

static int check_array(struct parser *p, const json_t *v)
{
	size_t n = json_array_size(v);

	if (!json_is_array(v) || n == 0 || n > RULESET_VALUES_MAX)
		return bad(p, "must be an array of 1 to %d texts", RULESET_VALUES_MAX);
	return 0;
}

static int parse_names(struct parser *p, const json_t *v, const char *const *names, uint32_t *ret)
{
	int r = check_array(p, v);

	for (size_t i = 0; r == 0 && i < json_array_size(v); i++) {
		const char *name = json_string_value(json_array_get(v, i));
		size_t mark = path_down(p, "[%zu]", i);
		int index = name ? nearest_index(name, names) : -1;

		if (!name)
			r = bad(p, "must be a text");
		else if (index < 0)
			r = bad(p, "unknown name \"%.40s\", nearest is \"%s\"", name,
				nearest_name(name, names));
		else
			*ret |= UINT32_C(1) << index;
		path_up(p, mark);
	}
	return r;
}

static int parse_texts(struct parser *p, const json_t *v, struct texts *ret)
{
	int r = check_array(p, v);

	if (r != 0)
		return r;
	ret->v = calloc(json_array_size(v), sizeof(*ret->v));
	if (!ret->v)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < json_array_size(v); i++) {
		size_t mark = path_down(p, "[%zu]", i);

		r = get_text(p, json_array_get(v, i), &ret->v[ret->n++]);
		path_up(p, mark);
	}
	return r;
}

#define BOUND_MAX ((INT64_C(1) << 53) - 1)

/* The narrower of what the bounds say. */
static int parse_range(struct parser *p, const json_t *v, struct range *ret)
{
	static const char *const bounds[] = { ">=", ">", "<=", "<", NULL };
	int r;

	*ret = (struct range){ INT64_MIN, INT64_MAX };
	if (!json_is_object(v) || json_object_size(v) == 0)
		return bad(p, "must be an object of bounds, for instance {\">=\":5000}");
	r = check_members(p, v, bounds);
	for (size_t i = 0; r == 0 && bounds[i]; i++) {
		const json_t *bound = json_object_get(v, bounds[i]);
		int64_t n = json_integer_value(bound);

		if (!bound)
			continue;
		if (!json_is_integer(bound) || n > BOUND_MAX || n < -BOUND_MAX)
			return bad(
				p, "bound \"%s\" must be an integer of at most 53 bits", bounds[i]);
		if (i < 2 && n + (i == 1) > ret->min)
			ret->min = n + (i == 1);
		if (i >= 2 && n - (i == 3) < ret->max)
			ret->max = n - (i == 3);
	}
	if (r == 0 && ret->min > ret->max)
		return bad(p, "no number is within these bounds");
	return r;
}

static const char *const when_names[] = {
	[WHEN_TIER] = "tier",
	[WHEN_POINTS] = "points",
	[WHEN_SEGMENT] = "segment",
	[WHEN_DWELL] = "dwell_ms",
	[WHEN_PLACE] = "place",
	[WHEN_DEVICE] = "device",
	[WHEN_SIGNAL] = "signal",
	NULL,
};

static int parse_condition(
	struct parser *p, struct rule_row *row, enum condition c, const json_t *v)
{
	row->when |= 1u << c;
	switch (c) {
	case WHEN_TIER:
		row->labels |= RULE_MEMBER;
		return parse_names(p, v, loyalty_tier_names, &row->tiers);
	case WHEN_POINTS:
		row->labels |= RULE_MEMBER;
		return parse_range(p, v, &row->points);
	case WHEN_SEGMENT:
		row->labels |= RULE_PERSONAL;
		return parse_texts(p, v, &row->segments);
	case WHEN_DWELL:
		return parse_range(p, v, &row->dwell_ms);
	case WHEN_PLACE:
		return parse_texts(p, v, &row->places);
	case WHEN_DEVICE:
		return parse_names(p, v, device_names, &row->devices);
	case WHEN_SIGNAL:
		return parse_names(p, v, signal_kind_names, &row->signals);
	}
	return 0;
}

static int parse_when(struct parser *p, struct rule_row *row, const json_t *v)
{
	size_t top = path_down(p, ".when");
	int r;

	if (!json_is_object(v))
		return bad(p, "must be an object of conditions ({} always holds)");
	r = check_members(p, v, when_names);
	for (int c = 0; r == 0 && when_names[c]; c++) {
		const json_t *condition = json_object_get(v, when_names[c]);
		size_t mark = path_down(p, ".%s", when_names[c]);

		if (condition)
			r = parse_condition(p, row, (enum condition)c, condition);
		if (r == 0)
			path_up(p, mark);
	}
	if (r == 0)
		path_up(p, top);
	return r;
}

/* ---- rows and tables ---- */

static int row_name(
	struct parser *p, struct rule_row *row, struct str table, const json_t *v, size_t i)
{
	char name[RULESET_TEXT_MAX + 24];
	struct str id = STR_NONE;
	char *copy;
	int r;

	if (json_object_get(v, "id")) {
		r = get_member_text(p, v, "id", &id);
		if (r == 0)
			r = check_name(p, "id", id);
		if (r != 0)
			return r;
		snprintf(name, sizeof(name), STR_FMT, STR_ARG(id));
	} else {
		snprintf(name, sizeof(name), STR_FMT "/%zu", STR_ARG(table), i + 1);
	}
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	row->id = str_of(copy);
	return 0;
}

static int parse_row(
	struct parser *p, struct rule_row *row, struct str table, const json_t *v, size_t i)
{
	static const char *const names[] = { "id", "when", "bps", "reason", NULL };
	const json_t *bps = json_object_get(v, "bps");
	int r;

	if (!json_is_object(v))
		return bad(p, "must be an object with when, bps and reason");
	r = check_members(p, v, names);
	if (r == 0)
		r = row_name(p, row, table, v, i);
	if (r == 0)
		r = parse_when(p, row, json_object_get(v, "when"));
	if (r == 0)
		r = get_member_text(p, v, "reason", &row->reason);
	if (r != 0)
		return r;
	if (!json_is_integer(bps) || json_integer_value(bps) < -BPS_MAX ||
		json_integer_value(bps) > BPS_MAX) {
		path_down(p, ".bps");
		return bad(p, "must be an integer from -%d to %d", BPS_MAX, BPS_MAX);
	}
	row->bps = (int32_t)json_integer_value(bps);
	p->rules->labels |= row->labels;
	return 0;
}

static int parse_rows(struct parser *p, struct rule_table *t, struct str table, const json_t *rows)
{
	size_t n = json_array_size(rows), top = path_down(p, ".rows");
	int r = 0;

	if (!json_is_array(rows) || n == 0)
		return bad(p, "must be an array of at least one row");
	if (p->rules->n_rows + n > RULESET_ROWS_MAX)
		return bad(p, "a document has at most %d rows", RULESET_ROWS_MAX);
	t->rows = calloc(n, sizeof(*t->rows));
	if (!t->rows)
		return -ENOMEM;
	p->rules->n_rows += n;
	for (size_t i = 0; i < n; i++) {
		size_t mark = path_down(p, "[%zu]", i);

		t->n++;
		r = parse_row(p, &t->rows[i], table, json_array_get(rows, i), i);
		if (r != 0)
			return r;
		path_up(p, mark);
	}
	path_up(p, top);
	return 0;
}

static int parse_table(struct parser *p, const json_t *v)
{
	static const char *const names[] = { "id", "match", "rows", NULL };
	struct str id = STR_NONE, match = STR_NONE;
	int r;

	if (!json_is_object(v))
		return bad(p, "must be an object with id, match and rows");
	r = check_members(p, v, names);
	if (r == 0)
		r = get_member_text(p, v, "id", &id);
	if (r == 0)
		r = check_name(p, "id", id);
	if (r == 0)
		r = get_member_text(p, v, "match", &match);
	if (r != 0)
		return r;
	if (!str_eqz(match, "first")) {
		path_down(p, ".match");
		return bad(p, "must be \"first\"");
	}
	return parse_rows(
		p, &p->rules->tables[p->rules->n_tables++], id, json_object_get(v, "rows"));
}

static int parse_tables(struct parser *p, const json_t *tables)
{
	size_t n = json_array_size(tables), top = path_down(p, ".tables");

	if (!json_is_array(tables) || n > RULESET_TABLES_MAX)
		return bad(p, "must be an array of at most %d tables", RULESET_TABLES_MAX);
	for (size_t i = 0; i < n; i++) {
		size_t mark = path_down(p, "[%zu]", i);
		int r = parse_table(p, json_array_get(tables, i));

		if (r != 0)
			return r;
		path_up(p, mark);
	}
	path_up(p, top);
	return 0;
}

/* ---- what one offer can say ---- */

#define REASONS_BYTES_MAX 16384 /* as large as common/model/offer.c takes them */
#define REASON_BYTES      48    /* names, bps, punctuation */

static size_t json_bytes(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		n += c < 0x20 ? 6 : c == '"' || c == '\\' ? 2 : 1;
	}
	return n;
}

/* Each table can fire its longest row. */
static int check_reasons(struct parser *p)
{
	size_t n = 2;

	for (size_t t = 0; t < p->rules->n_tables; t++) {
		const struct rule_table *table = &p->rules->tables[t];
		size_t longest = 0;

		for (size_t i = 0; i < table->n; i++) {
			const struct rule_row *row = &table->rows[i];
			size_t m = row->id.n + json_bytes(row->reason) + REASON_BYTES;

			longest = m > longest ? m : longest;
		}
		n += longest;
	}
	if (n <= REASONS_BYTES_MAX)
		return 0;
	path_down(p, ".tables");
	return bad(p, "the reasons of one offer could need %zu bytes, at most %d: shorten reasons",
		n, REASONS_BYTES_MAX);
}

/* ---- disclosure ---- */

static bool is_country(const char *key)
{
	return strcmp(key, "default") == 0 || (strlen(key) == 2 && key[0] >= 'A' && key[0] <= 'Z' &&
						      key[1] >= 'A' && key[1] <= 'Z');
}

static int parse_disclosure(struct parser *p, const json_t *v)
{
	struct ruleset *rules = p->rules;
	size_t top = path_down(p, ".disclosure");

	if (v && !json_is_object(v))
		return bad(p, "must be an object of texts by country, and \"default\"");
	rules->disclosures = calloc(json_object_size(v) + 1, sizeof(*rules->disclosures));
	if (!rules->disclosures)
		return -ENOMEM;
	for (void *it = json_object_iter((json_t *)v); it;
		it = json_object_iter_next((json_t *)v, it)) {
		struct disclosure *d = &rules->disclosures[rules->n_disclosures++];
		const char *key = json_object_iter_key(it);
		int r;

		if (!is_country(key))
			return bad(
				p, "\"%.40s\" is neither a country (\"DE\") nor \"default\"", key);
		d->country = str_of(key);
		r = get_member_text(p, v, key, &d->text);
		if (r != 0)
			return r;
	}
	if ((rules->labels & (RULE_MEMBER | RULE_PERSONAL)) && !json_object_get(v, "default"))
		return bad(p, "a document with member or personal conditions needs \"default\"");
	path_up(p, top);
	return 0;
}

/* ---- the document ---- */

static int identify(struct parser *p)
{
	struct ruleset *rules = p->rules;
	uint8_t digest[SHA256_BYTES];
	int r = canonical_json(&rules->body, rules->doc, p->fault);

	if (r != 0)
		return r == -ENOSPC ? -EINVAL : r;
	r = crypto_sha256(digest, rules->body.p, rules->body.n);
	if (r != 0)
		return fault_set(p->fault, FAULT_FATAL, r, "SHA-256 failed");
	memcpy(rules->id, "sha256:", 7);
	hex_encode(rules->id + 7, digest, sizeof(digest));
	return 0;
}

static int parse_document(struct parser *p)
{
	static const char *const names[] = { "name", "version", "disclosure", "tables", NULL };
	struct ruleset *rules = p->rules;
	int r;

	if (!json_is_object(rules->doc))
		return bad(p, "must be an object with name, version and tables");
	r = check_members(p, rules->doc, names);
	if (r == 0)
		r = get_member_text(p, rules->doc, "name", &rules->name);
	if (r == 0)
		r = check_name(p, "name", rules->name);
	if (r == 0)
		r = get_member_text(p, rules->doc, "version", &rules->version);
	if (r == 0)
		r = parse_tables(p, json_object_get(rules->doc, "tables"));
	if (r == 0)
		r = check_reasons(p);
	if (r == 0)
		r = parse_disclosure(p, json_object_get(rules->doc, "disclosure"));
	return r;
}

int ruleset_parse(struct ruleset **ret, struct str json, struct fault *f)
{
	CLEANUP(ruleset_free) struct ruleset *rules = NULL;
	struct parser p = { .fault = f, .path = "$", .n_path = 1 };
	json_error_t error;
	int r;

	if (json.n > RULESET_BYTES_MAX)
		return fault_set(
			f, FAULT_REJECT, -EINVAL, "larger than %d bytes", RULESET_BYTES_MAX);
	rules = calloc(1, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	rules->body = BUF_INIT(RULESET_BYTES_MAX);
	rules->doc = json_loadb(json.p ? json.p : "", json.n, JSON_REJECT_DUPLICATES, &error);
	if (!rules->doc)
		return fault_set(f, FAULT_REJECT, -EINVAL, "line %d, column %d: %s", error.line,
			error.column, error.text);
	p.rules = rules;
	r = parse_document(&p);
	if (r == 0)
		r = identify(&p);
	if (r != 0)
		return r;
	*ret = TAKE(rules);
	return 0;
}
