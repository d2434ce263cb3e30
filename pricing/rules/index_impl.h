#pragma once

/*
 * Inside an index. One block of memory:
 *
 *	struct row_index | columns | bounds and symbol maps | all rows | sets of column 0, 1, …
 *
 * A set is `stride` words. Set 0 of a column holds the rows without a test on it. Then INT: one set
 * a stretch, in order; MONEY: the same for each parity class; SYMBOL: texts that no row names, then
 * one a symbol.
 */
#include "pricing/rules/index.h"

struct money_part {
	currency currency; /* one of the class */
	uint32_t n;
	uint32_t first_set;
	const u128 *at;
};

struct column {
	uint8_t kind;    /* enum column_kind */
	uint16_t lowest; /* SYMBOL: the first of the map */
	uint32_t kinds;  /* bits of the kinds of values that it tells apart */
	uint32_t n;      /* bounds (INT, at least 1), symbols mapped, or parts */
	uint32_t n_sets;
	int32_t tag;
	const uint64_t *sets;
	union {
		const int64_t *at;   /* INT: where stretches begin, the first excepted */
		const uint16_t *map; /* SYMBOL: number of the set */
		struct money_part *parts;
	};
};

struct row_index {
	uint32_t n_rows, n_words, stride, n_columns;
	const uint64_t *all; /* every row; a set of its own */
	struct column columns[];
};

/* A set's words: few enough to be unrolled, or whole blocks of 4. */
#define INDEX_BLOCK 4
