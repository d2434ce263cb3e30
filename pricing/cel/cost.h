#pragma once

/*
 * What an expression costs, in units near to cel-go's: reading a variable, a selection, a call,
 * an operator 1; a constant 0; a list 10, a map 30 to make; texts 0.1 a byte, rounded up; `matches`
 * (bytes of text) x (bytes of pattern) / 40 + 1, rounded up.
 *
 * The static estimate assumes the worst: texts of a variable are CEL_TEXT_WORST bytes, lists of a
 * variable CEL_LIST_WORST elements, both branches of a conditional count (the dearer one), nothing
 * is absorbed. So it is never below what an evaluation counts while its inputs are within those
 * sizes, and the counter at run time is only a belt.
 */
#include <stdint.h>

#include "pricing/cel/ast.h"

#define CEL_COST_LIST   10
#define CEL_COST_MAP    30
#define CEL_COST_STRUCT 40

#define CEL_TEXT_WORST 256
#define CEL_LIST_WORST 16

/* Of a checked tree; saturates at UINT64_MAX. */
uint64_t cel_cost_static(const struct cel_node *root);
