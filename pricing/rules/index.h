#pragma once

/*
 * Which of many rows hold, without trying each: every row is a conjunction of tests on columns, and
 * every column keeps, for each stretch of values between two bounds that occur, the set of rows
 * that accept it. A query finds one set a column and intersects them: rows / 64 words a column.
 *
 * Columns are integers (INT, BPS, TIMESTAMP in milliseconds), symbols (texts and enumerations; BOOL
 * as symbols 0 and 1) or amounts of money (128 bits, one parity class). What cannot be said with
 * these is a residual of the row: its owner evaluates it for the rows found.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/model/money.h"
#include "pricing/cel/value.h"

#define INDEX_ROWS_MAX      4096
#define INDEX_COLUMNS_MAX   64
#define INDEX_INTERVALS_MAX 64 /* of one test */
#define INDEX_BYTES_MAX     (32 * 1024 * 1024)
#define INDEX_WORDS(n_rows) (((n_rows) + 63) / 64)

enum column_kind { COLUMN_INT, COLUMN_SYMBOL, COLUMN_MONEY };

/* Closed on both ends. INT: as int64_t in `lo`/`hi`; MONEY: amounts; SYMBOL: lo == hi. */
struct interval {
	union {
		struct {
			int64_t lo, hi;
		} i;
		struct {
			u128 lo, hi;
		} m;
	};
};

/* A test is a union of intervals; or, for symbols, everything but them (is_negated). An empty list
 * that is not negated accepts nothing, a negated empty one any value that is present. */
struct test {
	const struct interval *v;
	uint32_t n;
	bool is_negated;
	currency currency; /* MONEY */
};

struct index_builder;
struct row_index;

MUST_CHECK int index_builder_new(struct index_builder **ret, size_t n_rows);
struct index_builder *index_builder_free(struct index_builder *b);
DEFINE_CLEANUP(struct index_builder *, index_builder_free)
/* The column's number; -ENOSPC, -ENOMEM. @tag: the owner's name for it (a slot, a program). */
MUST_CHECK int index_builder_column(struct index_builder *b, enum column_kind kind, int tag);
/* The row accepts only what the test does (twice: the intersection); rows without a test on a
 * column accept anything there, absence included. Copies. 0; -ENOSPC: more than INDEX_BYTES_MAX;
 * -ENOMEM. Of a money column tests may be of several parity classes: a value meets those of its
 * own, and no row that tests another. */
MUST_CHECK int index_builder_test(
	struct index_builder *b, size_t row, int column, const struct test *t);
/* 0; -ENOSPC: larger than INDEX_BYTES_MAX; -ENOMEM. */
MUST_CHECK int index_build(struct row_index **ret, struct index_builder *b);
struct row_index *index_free(struct row_index *x);
DEFINE_CLEANUP(struct row_index *, index_free)

size_t index_n_columns(const struct row_index *x);
int index_column_tag(const struct row_index *x, size_t column);
enum column_kind index_column_kind(const struct row_index *x, size_t column);

/*
 * The rows that accept all of @values (one a column; an error value or one of another kind or
 * currency class is accepted only by rows without a test there) into @ret[INDEX_WORDS(n)], bit i%64
 * of word i/64. Texts must carry a symbol (not CEL_SYM_NONE).
 */
void index_match(const struct row_index *x, const struct cel_value *const *values, uint64_t *ret);
/* The lowest such row that is in @allowed (NULL: all), or SIZE_MAX. */
size_t index_first(
	const struct row_index *x, const struct cel_value *const *values, const uint64_t *allowed);

/*
 * For reports: what a column tells apart, each with its set of rows. Number 0 is whatever only rows
 * without a test accept: absence, errors, other parity classes.
 */
enum index_set_kind {
	INDEX_SET_FREE,
	INDEX_SET_STRETCH, /* all values of `v` */
	INDEX_SET_SYMBOL,  /* v.i.lo */
	INDEX_SET_OTHER,   /* texts that no row names */
};
struct index_set {
	enum index_set_kind kind;
	struct interval v;
	currency currency;    /* MONEY: one of the class */
	const uint64_t *rows; /* borrows */
};
size_t index_n_rows(const struct row_index *x);
size_t index_n_sets(const struct row_index *x, size_t column);
struct index_set index_set(const struct row_index *x, size_t column, size_t set);
