#pragma once

/*
 * Static types. Primitive types are shared constants, so a pointer comparison will do for them;
 * lists, maps and types of types lie in the arena of the compilation.
 *
 * Beyond the CEL specification: `money`, with the currency where it is known at compile time, and
 * `bps`, basis points. Both are abstract types in the sense of langdef: usable through functions
 * and operators only.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/model/money.h"

enum cel_type_kind {
	CEL_T_DYN,
	CEL_T_NULL,
	CEL_T_BOOL,
	CEL_T_INT,
	CEL_T_UINT,
	CEL_T_DOUBLE,
	CEL_T_STRING,
	CEL_T_BYTES,
	CEL_T_TIMESTAMP,
	CEL_T_DURATION,
	CEL_T_MONEY,
	CEL_T_BPS,
	CEL_T_LIST,
	CEL_T_MAP,
	CEL_T_TYPE,
	CEL_T_PARAM, /* of an overload or an unsolved literal ([]): only inside the checker */
	CEL_T_ERROR, /* already reported */
};

struct cel_type {
	uint8_t kind;
	currency currency;        /* MONEY: at par with it; 0 = known at run time only */
	uint16_t param;           /* PARAM: its number */
	const struct cel_type *a; /* LIST: element; MAP: key; TYPE: what type, NULL = any */
	const struct cel_type *b; /* MAP: value */
};

extern const struct cel_type cel_type_dyn, cel_type_null, cel_type_bool, cel_type_int,
	cel_type_uint, cel_type_double, cel_type_string, cel_type_bytes, cel_type_timestamp,
	cel_type_duration, cel_type_money, cel_type_bps, cel_type_error;

/* NULL when the arena is exhausted. */
const struct cel_type *cel_type_list(struct arena *a, const struct cel_type *element);
const struct cel_type *cel_type_map(
	struct arena *a, const struct cel_type *key, const struct cel_type *value);
const struct cel_type *cel_type_of_type(struct arena *a, const struct cel_type *of);
const struct cel_type *cel_type_money_of(currency c); /* shared constants */

/* Into @a, down to the shared constants. NULL when it is exhausted. */
const struct cel_type *cel_type_copy(struct arena *a, const struct cel_type *t);
/* From the text that cel_type_print writes, blanks allowed: 0, -EINVAL, -ENOMEM. */
MUST_CHECK int cel_type_parse(const struct cel_type **ret, struct arena *a, struct str text);

bool cel_type_eq(const struct cel_type *a, const struct cel_type *b);
/* "int", "list(string)", "map(string, dyn)", "type(int)", "money(ETH)": as cel-go writes types. */
void cel_type_print(struct buf *out, const struct cel_type *t);
