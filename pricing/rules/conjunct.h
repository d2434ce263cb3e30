#pragma once

/*
 * Takes a checked condition apart: `a && b && c` into tests on variables that an index can hold,
 * and the rest as expressions. Exact: with `&&` absorbing errors, a row fires if and only if its
 * tests accept and its rest is true; a variable that is absent is accepted by no test on it.
 *
 * Tests: ==, !=, <, <=, >, >= between a variable and a constant (either side), `in` a list of
 * constants, a bool variable, and `||`, `&&` and `!` of tests on the same variable. Constants are
 * literals and calls of money, units, bps, timestamp and arithmetic on literals. Beyond an index,
 * and so in the rest: order of texts, `!=` of money without a static currency, moments other than
 * `<` and `>=` of a whole millisecond, tests of more than INDEX_INTERVALS_MAX intervals.
 *
 * A test that accepts nothing (x > 5 && x < 3) is kept: it says that the condition never holds.
 */
#include "common/base/arena.h"
#include "pricing/cel/ast.h"
#include "pricing/cel/symbols.h"
#include "pricing/rules/index.h"

struct conjunct_test {
	int slot;
	enum column_kind kind;
	struct test test; /* in the arena */
};

struct conjuncts {
	struct conjunct_test *tests; /* at most one a slot: several are intersected */
	size_t n_tests;
	const struct cel_node **rest;
	size_t n_rest;
};

/* 0 or -ENOMEM (the arena). Texts are entered into @symbols (NULL: tests of texts stay in the
 * rest).
 */
MUST_CHECK int conjuncts_of(struct conjuncts *ret, const struct cel_node *condition,
	struct cel_symbols *symbols, struct arena *a);
