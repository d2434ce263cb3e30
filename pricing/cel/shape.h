#pragma once

/*
 * What a comprehension does, seen from its parts and not from the macro that it was written as:
 * compiler and cost look at the same thing.
 */
#include "pricing/cel/ast.h"

enum cel_shape_kind {
	CEL_SHAPE_GENERIC, /* none of the below */
	CEL_SHAPE_ALL,     /* @result && test, from true, while it is not false */
	CEL_SHAPE_EXISTS,  /* @result || test, from false, while it is not true */
	CEL_SHAPE_ONE,     /* test ? @result + 1 : @result, from 0; @result == 1 */
	CEL_SHAPE_APPEND,  /* [test ?] @result + [value] [: @result], from [] */
};

struct cel_shape {
	enum cel_shape_kind kind;
	const struct cel_node *test;  /* NULL: none */
	const struct cel_node *value; /* APPEND */
};

/* Of a CEL_N_COMPREHENSION. */
struct cel_shape cel_shape_of(const struct cel_node *node);
