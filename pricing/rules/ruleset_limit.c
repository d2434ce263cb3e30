/*
 * What one offer can come to at worst: what it costs to decide, and how much text says why. Both
 * are refused here, because later there is only one offer that cannot be made.
 */
#include <errno.h>
#include <stdlib.h>

#include "pricing/rules/ruleset_parse.h"

#define REASONS_BYTES_MAX 16384 /* as large as common/model/offer.c takes them */
#define REASON_BYTES      56    /* names of members, bps, punctuation */
#define PERK_BYTES        24

/* ---- text ---- */

static size_t json_bytes(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		n += c < 0x20 ? 6 : c == '"' || c == '\\' ? 2 : 1;
	}
	return n;
}

static size_t longest(const struct texts *t)
{
	size_t ret = 0;

	for (uint32_t i = 0; t && i < t->n; i++) {
		size_t n = json_bytes(t->v[i]);

		ret = n > ret ? n : ret;
	}
	return ret;
}

static size_t line_bytes(const struct line *line)
{
	size_t n = line->id.n + longest(line->explanation) + REASON_BYTES;

	for (uint32_t i = 0; i < line->n_perks; i++)
		n += line->perks[i].id.n + longest(line->perks[i].text) + PERK_BYTES;
	return n;
}

/* Sizes of lines that can all fire in one offer. */
struct lines {
	size_t *v;
	size_t n;
};

/* A rule's lines: of a table with "sum" all rows, else the longest. */
static void add_rule(struct lines *l, const struct rule *rule)
{
	size_t n = rule->table ? table_n_rows(rule->table) : 0, most = 0;

	if (!rule->table) {
		l->v[l->n++] = line_bytes(&rule->line);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		size_t bytes = line_bytes(&rule->rows[i]);

		if (table_hit(rule->table) == HIT_SUM)
			l->v[l->n++] = bytes;
		most = bytes > most ? bytes : most;
	}
	if (table_hit(rule->table) != HIT_SUM)
		l->v[l->n++] = most;
}

static size_t sum(const size_t *v, size_t n)
{
	size_t ret = 0;

	for (size_t i = 0; i < n; i++)
		ret += v[i];
	return ret;
}

/* Of a group in which one rule fires, only the one with the most text. */
static void keep_largest(struct lines *l, size_t begin, size_t *best, size_t from)
{
	if (sum(l->v + from, l->n - from) <= sum(l->v + begin, *best)) {
		l->n = from;
		return;
	}
	memmove(l->v + begin, l->v + from, (l->n - from) * sizeof(*l->v));
	*best = l->n - from;
	l->n = begin + *best;
}

static void add_group(struct lines *l, const struct ruleset *r, const struct group *g)
{
	size_t begin = l->n, best = 0;

	for (uint32_t i = 0; i < g->n; i++) {
		size_t from = l->n;

		add_rule(l, &r->rules[g->first + i]);
		if (g->mode != GROUP_STACK)
			keep_largest(l, begin, &best, from);
	}
}

static int falling(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

int doc_check_reasons(struct parser *p)
{
	const struct ruleset *r = p->rules;
	struct lines l = { .v = calloc(r->n_rules + p->n_rows + 1, sizeof(size_t)) };
	size_t bytes;

	if (!l.v)
		return -ENOMEM;
	for (size_t i = 0; i < r->n_groups; i++)
		add_group(&l, r, &r->groups[i]);
	qsort(l.v, l.n, sizeof(*l.v), falling);
	bytes = 2 + sum(l.v, l.n < RULESET_FIRED_MAX ? l.n : RULESET_FIRED_MAX);
	free(l.v);
	if (bytes <= REASONS_BYTES_MAX)
		return 0;
	doc_bad_member(p, "groups", "limit",
		"the reasons of one offer could need %zu bytes, at most %d", bytes,
		REASONS_BYTES_MAX);
	findings_hint(p->findings, "shorten explanations, or let fewer rules fire together");
	return 0;
}

/* ---- cost ---- */

static uint64_t plus(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Everything is asked and everything fires; what the index finds costs nothing that is counted. */
void doc_check_cost(struct parser *p)
{
	struct ruleset *r = p->rules;

	r->cost = 0;
	for (size_t i = 0; i < r->n_programs; i++)
		r->cost = plus(r->cost, cel_program_cost(r->programs[i]));
	for (size_t i = 0; i < r->n_rules; i++) {
		if (r->rules[i].table)
			r->cost = plus(r->cost, table_cost(r->rules[i].table));
	}
	if (r->cost <= RULESET_COST_MAX)
		return;
	doc_bad_member(p, "groups", "cost", "one offer costs %llu in the worst case, at most %d",
		(unsigned long long)r->cost, RULESET_COST_MAX);
	findings_hint(p->findings,
		"comparisons with constants are found by the index and cost nothing; functions, "
		"macros and arithmetic do");
}
