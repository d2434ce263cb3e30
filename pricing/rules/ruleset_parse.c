/*
 * A document becomes a ruleset in one walk, each part of it by the file of its name
 * (ruleset_parse.h). Rows of the index are collected on the way and built at the end, the binder
 * last: only then is it known which fields are read and which texts they are compared with.
 *
 * The document stays alive with the ruleset, texts point into it. Its size bounds the arena:
 * nothing that is kept needs more than ARENA_PER_BYTE times the text that asked for it.
 */
#include <errno.h>
#include <stdlib.h>

#include "common/base/crypto.h"
#include "common/model/canonical.h"
#include "pricing/rules/ruleset_parse.h"

#define ARENA_BASE     (1024 * 1024) /* what is as short as "1" has a number that bounds it */
#define ARENA_PER_BYTE 64
#define SCRATCH_BYTES  (6 * CEL_PARSE_ARENA)
#define INTEGER_MAX    ((INT64_C(1) << 53) - 1)

static const char *const rounding_names[] = {
	[ROUND_DOWN] = "down",
	[ROUND_UP] = "up",
	[ROUND_HALF_UP] = "half_up",
	[ROUND_HALF_DOWN] = "half_down",
	[ROUND_HALF_EVEN] = "half_even",
	NULL,
};

/* ---- what any JSON has to be ---- */

static bool is_odd_number(const json_t *v)
{
	json_int_t n = json_integer_value(v);

	return json_is_real(v) || n > INTEGER_MAX || n < -INTEGER_MAX;
}

/* Whether the canonical form exists. */
static bool is_canonical(const json_t *v, int depth)
{
	const char *key;
	json_t *child;
	size_t i;

	if (depth > CANONICAL_DEPTH_MAX || is_odd_number(v))
		return false;
	json_object_foreach((json_t *)v, key, child) {
		if (!is_canonical(child, depth + 1))
			return false;
	}
	json_array_foreach(v, i, child) {
		if (!is_canonical(child, depth + 1))
			return false;
	}
	return true;
}

/* Says where and why it does not. */
static void say_odd(struct parser *p, const json_t *v, int depth)
{
	const char *key;
	json_t *child;
	size_t i, mark;

	if (depth > CANONICAL_DEPTH_MAX) {
		doc_bad(p, "limit", "nested deeper than %d levels", CANONICAL_DEPTH_MAX);
		return;
	}
	if (is_odd_number(v)) {
		doc_bad(p, "value", "must be an integer of at most 53 bits");
		findings_hint(p->findings, "amounts are texts (\"1.25 ETH\"), percentages are "
					   "basis points (2.5 %% is 250)");
	}
	json_object_foreach((json_t *)v, key, child) {
		mark = doc_down(p, ".%.80s", key);
		say_odd(p, child, depth + 1);
		doc_up(p, mark);
	}
	json_array_foreach(v, i, child) {
		mark = doc_down(p, "[%zu]", i);
		say_odd(p, child, depth + 1);
		doc_up(p, mark);
	}
}

static bool load(struct parser *p, struct str json)
{
	json_error_t error;

	if (json.n > RULESET_BYTES_MAX) {
		doc_bad(p, "limit", "larger than %d bytes", RULESET_BYTES_MAX);
		return false;
	}
	p->rules->doc = json_loadb(json.p ? json.p : "", json.n, JSON_REJECT_DUPLICATES, &error);
	if (!p->rules->doc) {
		doc_bad(p, "json", "line %d, column %d: %s", error.line, error.column, error.text);
		return false;
	}
	if (!is_canonical(p->rules->doc, 1))
		say_odd(p, p->rules->doc, 1);
	return true;
}

/* ---- identity ---- */

static int identify(struct parser *p, struct fault *f)
{
	struct ruleset *rules = p->rules;
	uint8_t digest[SHA256_BYTES];
	int r = canonical_json(&rules->body, rules->doc, f);

	if (r == -ENOSPC) {
		doc_bad(p, "limit", "larger than %d bytes in its canonical form",
			RULESET_BYTES_MAX);
		return 0;
	}
	if (r != 0)
		return r;
	r = crypto_sha256(digest, rules->body.p, rules->body.n);
	if (r != 0)
		return fault_set(f, FAULT_FATAL, r, "SHA-256 failed");
	memcpy(rules->id, "sha256:", 7);
	hex_encode(rules->id + 7, digest, sizeof(digest));
	return 0;
}

/* ---- the document ---- */

static void parse_language(struct parser *p, const json_t *doc)
{
	struct str language = doc_text(p, doc, "language", 16, false);

	if (str_is_set(language) && !doc_is_language(language)) {
		doc_bad_member(p, "language", "value", "\"%.16s\" is no language", language.p);
		findings_hint(p->findings, "such as \"en\" or \"de-AT\"");
	}
	p->rules->languages[0] = str_is_set(language) ? language : STR("en");
	p->rules->n_languages = 1;
}

static void parse_head(struct parser *p, const json_t *doc)
{
	int rounding;

	p->rules->name = doc_id(p, doc, "name", true);
	p->rules->version = doc_text(p, doc, "version", RULESET_TEXT_MAX, true);
	(void)doc_text(p, doc, "title", RULESET_TEXT_MAX, false);
	(void)doc_text(p, doc, "note", RULESET_NOTE_MAX, false);
	rounding = doc_name(p, doc, "rounding", rounding_names, ROUND_HALF_EVEN);
	p->rules->rounding = rounding < 0 ? ROUND_HALF_EVEN : (enum rounding)rounding;
	parse_language(p, doc);
}

static int parse_document(struct parser *p)
{
	static const char *const names[] = { "name", "version", "title", "note", "rounding",
		"language", "disclosure", "guards", "groups", "suggest", "tests", NULL };
	static const char *const reserved[] = { "approval", NULL };
	const json_t *doc = p->rules->doc;
	int r;

	if (!doc_check_members(p, doc, names, reserved, "name, version and groups"))
		return 0;
	parse_head(p, doc);
	r = doc_groups(p, doc);
	if (r == 0)
		r = doc_suggestions(p, doc);
	if (r == 0)
		r = doc_disclosure(p, doc);
	if (r == 0)
		r = doc_guards(p, doc);
	if (r == 0)
		r = doc_tests(p, doc);
	if (r == 0)
		r = doc_check_reasons(p);
	if (r == 0)
		doc_check_cost(p);
	return r;
}

/* ---- what decisions need ---- */

static int build(struct parser *p, struct index_part *part, struct row_index **ret)
{
	int r = 0;

	if (!part->builder)
		r = index_builder_new(&part->builder, p->rules->n_rules);
	if (r == 0)
		r = index_build(ret, part->builder);
	if (r != -ENOSPC)
		return r;
	doc_bad_member(p, "groups", "limit", "the index of all conditions is over %d MiB",
		INDEX_BYTES_MAX / (1024 * 1024));
	findings_hint(p->findings, "compare with fewer different numbers, or use tables");
	return 0;
}

static bool has_personal(const struct ruleset *r)
{
	for (size_t i = 0; i < INDEX_WORDS(r->n_rules); i++) {
		if (r->personal[i])
			return true;
	}
	return false;
}

static int finish(struct parser *p)
{
	struct ruleset *rules = p->rules;
	int r = rules->n_rules ? build(p, &p->index, &rules->index) : 0;

	if (r == 0 && has_personal(rules))
		r = build(p, &p->impersonal, &rules->index_impersonal);
	if (r == 0)
		r = binder_new(&rules->binder, rules->schema, rules->symbols, rules->used);
	return r;
}

static int prepare(struct parser *p, size_t n_bytes)
{
	struct ruleset *rules = p->rules;
	int r = arena_new(&rules->arena, ARENA_BASE + ARENA_PER_BYTE * n_bytes);

	if (r == 0)
		r = arena_new(&p->scratch, SCRATCH_BYTES);
	if (r == 0)
		r = names_new(&p->names);
	if (r == 0)
		r = cel_symbols_new(&rules->symbols);
	return r;
}

static int parse(struct parser *p, struct str json, struct fault *f)
{
	size_t n_errors = p->findings->n_errors;
	int r;

	if (!load(p, json))
		return 0;
	r = prepare(p, json.n);
	if (r == 0)
		r = parse_document(p);
	/* The canonical form of what is no document may not exist. */
	if (r == 0 && p->findings->n_errors == n_errors)
		r = identify(p, f);
	if (r == 0 && p->findings->n_errors == n_errors)
		r = finish(p);
	index_builder_free(p->index.builder);
	index_builder_free(p->impersonal.builder);
	names_free(p->names);
	arena_free(p->scratch);
	return r;
}

/* The first of those found here: the caller's findings may hold others. */
static int first_error(const struct findings *all, size_t from, struct fault *f)
{
	struct findings mine = *all;

	mine.v = all->v ? all->v + from : NULL;
	mine.n = all->n - from;
	return findings_fault(&mine, f);
}

int ruleset_parse(struct ruleset **ret, struct str json, const struct schema *schema,
	struct findings *findings, struct fault *f)
{
	CLEANUP(ruleset_free) struct ruleset *rules = calloc(1, sizeof(*rules));
	CLEANUP(findings_fini) struct findings own = FINDINGS_INIT;
	struct parser *p = calloc(1, sizeof(*p));
	struct findings *all = findings ? findings : &own;
	size_t from = all->n, n_errors = all->n_errors;
	int r = rules && p ? 0 : -ENOMEM;

	if (r == 0) {
		rules->schema = schema;
		rules->body = BUF_INIT(RULESET_BYTES_MAX);
		p->rules = rules;
		p->schema = schema;
		p->findings = all;
		p->is_asked = findings;
		p->path[0] = '$';
		p->n_path = 1;
		r = parse(p, json, f);
	}
	free(p);
	if (r == -ENOMEM)
		return fault_set(f, FAULT_RETRY, r, "no memory for the ruleset");
	if (r != 0)
		return r;
	if (all->n_errors > n_errors)
		return first_error(all, from, f);
	*ret = TAKE(rules);
	return 0;
}
