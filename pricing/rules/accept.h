#pragma once

/*
 * The values that a test accepts, as a set: sorted, disjoint stretches on one line of numbers.
 * Conjuncts and cells are taken apart with it (and = intersection, or = union, not = complement),
 * and the index keeps its tests so.
 *
 * The line: integers shifted by 2^63 (so that order is that of unsigned numbers), amounts of money
 * as they are, symbols as they are. What is absent is on no line.
 */
#include <stdbool.h>
#include <stdint.h>

#include "pricing/rules/index.h"

#define ACCEPT_MAX INDEX_INTERVALS_MAX

struct accept {
	enum column_kind kind;
	currency currency; /* MONEY */
	uint32_t n;
	struct {
		u128 lo, hi; /* closed */
	} v[ACCEPT_MAX + 1]; /* ACCEPT_MAX symbols, negated, are one stretch more */
};

/* The end of the line. */
u128 accept_top(enum column_kind kind);
static inline u128 accept_key(int64_t i)
{
	return (uint64_t)i ^ (uint64_t)1 << 63;
}
static inline int64_t accept_integer(u128 key)
{
	return (int64_t)((uint64_t)key ^ (uint64_t)1 << 63);
}

void accept_none(struct accept *a, enum column_kind kind, currency c);
void accept_all(struct accept *a, enum column_kind kind, currency c);
/* lo <= hi on the line. The following return false when the set would have more stretches than
 * there is room for; its content is then undefined. */
MUST_CHECK bool accept_add(struct accept *a, u128 lo, u128 hi);
/* Both of one kind and, for money, of one class (assert). */
MUST_CHECK bool accept_unite(struct accept *a, const struct accept *b);
MUST_CHECK bool accept_intersect(struct accept *a, const struct accept *b);
MUST_CHECK bool accept_complement(struct accept *a);

/* A test, and back: `v` has room for ACCEPT_MAX. */
MUST_CHECK bool accept_of_test(struct accept *ret, enum column_kind kind, const struct test *t);
MUST_CHECK bool accept_to_test(const struct accept *a, struct test *ret, struct interval *v);

/* Where a value lies on the line; false: nowhere (absent, another kind or class, a text without a
 * symbol). */
bool accept_place(u128 *ret, enum column_kind kind, currency c, const struct cel_value *v);
bool test_accepts(const struct test *t, enum column_kind kind, const struct cel_value *v);
