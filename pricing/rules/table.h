#pragma once

/*
 * Decision tables, after DMN 1.5 chapter 8: input columns, rows of cells, a hit policy.
 *
 *	{"hit":"first","inputs":["customer.tier","customer.points"],
 *	 "rows":[{"id":"gold","if":["'gold','platinum'",">=
 *5000"],"bps":-500,"explanation":{"en":"Gold member"}},
 *	         {"if":["-","[1..4999]"],"bps":-100}]}
 *
 * hit: "first" (the first row that holds), "unique" (at most one can hold: overlap is an error; if
 * two hold all the same, because of cells that are evaluated, the first is taken and the second
 * fails with CEL_R_ARGUMENT), "collect" with "aggregate": "sum" (all that hold, basis points
 *added), "min", "max" (the one with the lowest or highest basis points; equal ones: the earlier).
 *
 * inputs: CEL expressions (of type int, string, bool, money, timestamp or bps). Cells, one an
 * input:
 *	"-" or ""                    anything, absence included
 *	5000   'gold'   true         equal; a JSON integer or true/false may stand for its text
 *	'gold','platinum'            one of
 *	>= 5000  > x  < x  <= x  != x
 *	[1..100] (1..100] ]1..100]   ranges, open or closed at each end
 *	not(…)                       none of what is inside
 *	otherwise                    a CEL condition in which `_` is the input
 * Money: eth("1.25"). Commas between any of these mean "or". Of an input of type bps a number is
 * so many basis points, of a timestamp a text is its moment ('2026-11-01T00:00:00Z').
 *
 * A cell means what its CEL condition means (`_ >= 5000`; a list is `||`, not(…) is `!`), errors
 *and absence included; a row is the conjunction of its cells.
 */
#include <jansson.h>

#include "pricing/cel/program.h"
#include "pricing/rules/fields.h"
#include "pricing/rules/findings.h"
#include "pricing/rules/index.h"

#define TABLE_ROWS_MAX   2048
#define TABLE_INPUTS_MAX 16

enum hit_policy { HIT_FIRST, HIT_UNIQUE, HIT_SUM, HIT_MIN, HIT_MAX };

struct table;

struct table_context { /* what the document gives */
	const struct schema *schema;
	struct cel_symbols *symbols;
	struct arena *scratch;
	struct findings *findings;
};

/* Reads "hit", "aggregate", "inputs" and the cells of "rows" ("if" of each); effects of rows are
 * the document's business. @path is where the table lies. 0; -EINVAL: findings have errors;
 * -ENOMEM. */
MUST_CHECK int table_parse(
	struct table **ret, const json_t *json, const char *path, const struct table_context *c);
struct table *table_free(struct table *t);
DEFINE_CLEANUP(struct table *, table_free)

enum hit_policy table_hit(const struct table *t);
size_t table_n_rows(const struct table *t);
/* Slots that inputs and cells read, of all rows and of one row (its own cells that are not "-"). */
void table_slots(const struct table *t, uint64_t ret[CEL_VARS_MAX / 64]);
void table_row_slots(const struct table *t, size_t row, uint64_t ret[CEL_VARS_MAX / 64]);
uint64_t table_cost(const struct table *t); /* static worst case */

/* A row whose cells could not be evaluated; of an input that could not be, the first row that tests
 * it. Absence and missing currency paths are no failures: the row does not apply. */
struct table_failure {
	uint32_t row;
	struct cel_value error;
};
#define TABLE_FAILURES_MAX 8

struct table_result {
	uint64_t rows[INDEX_WORDS(
		TABLE_ROWS_MAX)]; /* that hold; of FIRST and UNIQUE at most one bit; of
				     MIN and MAX all that hold: the document picks */
	struct table_failure failures[TABLE_FAILURES_MAX];
	uint32_t n_failures;
};

/* @allowed: bits of rows that may be looked at (consent), NULL = all. */
void table_match(const struct table *t, struct cel_context *c, const struct cel_value *slots,
	const uint64_t *allowed, struct table_result *ret);
/* FIRST and UNIQUE: the row, or SIZE_MAX. @failure is set only if something failed. FIRST over
 * fields without cells that are evaluated is the fast path. */
size_t table_first(const struct table *t, struct cel_context *c, const struct cel_value *slots,
	const uint64_t *allowed, struct table_failure *failure);

/* Overlaps (an error for "unique"), gaps (combinations that no row holds for, shown as the smallest
 * example; a note) and rows that can never match (a warning, with the rows that cover them). @path
 * as above. Bounded: gives up with a note past its budget of combinations. */
void table_report(const struct table *t, const char *path, struct findings *f);

/* Why a row does not hold for these slots: the first cell that refuses, and the nearest value that
 * it would accept: the nearest end of a range, a listed text, or a list of those (in the context's
 * arena); null if there is none or the cell is a condition. Texts borrow from the table. */
struct table_why {
	size_t column;
	struct cel_value have, need;
	const char *input; /* its source text */
	const char *cell;
};
bool table_why(const struct table *t, size_t row, struct cel_context *c,
	const struct cel_value *slots, struct table_why *ret); /* false: it holds */
