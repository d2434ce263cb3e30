#pragma once

/*
 * Takes a checked condition apart: `a && b && c` into tests on variables that an index can hold,
 * and the rest as expressions. Exact: with `&&` absorbing errors, a row fires if and only if its
 * tests accept and its rest is true; a variable that is absent is accepted by no test on it.
 *
 * Tests: ==, !=, <, <=, >, >= between a variable and a constant (either side), `in` a list of
 * constants, a bool variable and its negation, and `||` of tests on the same variable.
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

/* 0 or -ENOMEM (the arena). Texts are entered into @symbols. */
MUST_CHECK int conjuncts_of(struct conjuncts *ret, const struct cel_node *condition,
	struct cel_symbols *symbols, struct arena *a);
