#pragma once

/*
 * How functions and operators may be called: parameter and result types, by cel-go's overload ids.
 * Where a parameter type has type parameters (PARAM 0 and 1), the checker puts fresh ones in their
 * place for each call.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"
#include "pricing/cel/function.h"
#include "pricing/cel/type.h"

#define CEL_OVERLOAD_ARGS_MAX   3
#define CEL_OVERLOAD_PARAMS_MAX 2

struct cel_overload {
	struct str id;
	const struct cel_type *args[CEL_OVERLOAD_ARGS_MAX]; /* a receiver first */
	const struct cel_type *result;
	uint32_t key; /* kinds of the arguments, 8 bits each, the first lowest */
	uint8_t n_args;
	bool is_member;
	bool is_variadic; /* the last one may be repeated */
	bool is_money;    /* only in an environment with money */
};

struct cel_overloads {
	const struct cel_overload *v; /* in cel-go's order: the first that fits gives the type */
	uint32_t n;
	bool is_money; /* all of them */
};

/* Indexed by enum cel_function. `==`, `!=`, `&&`, `||` and `?:` included. */
extern const struct cel_overloads cel_overloads[CEL_F_N];

#define CEL_KEY_BITS 8 /* of each argument's kind */
