#pragma once

/*
 * The functions and operators there are, by number: parser, checker, compiler and machine speak of
 * them by it. One table, function.c, gives each its name and how it may be called; the checker's
 * overloads are in overload.c; what it does is in lib_*.c.
 */
#include <stdbool.h>

#include "common/base/str.h"

/* name, number of arguments (receiver counted) least and most, G(lobal) M(ember) */
#define CEL_FUNCTIONS(X) \
	X(AND, "_&&_", 2, 2, G) \
	X(OR, "_||_", 2, 2, G) \
	X(CONDITIONAL, "_?_:_", 3, 3, G) \
	X(NOT, "!_", 1, 1, G) \
	X(NOT_STRICTLY_FALSE, "@not_strictly_false", 1, 1, G) \
	X(NEGATE, "-_", 1, 1, G) \
	X(EQ, "_==_", 2, 2, G) \
	X(NE, "_!=_", 2, 2, G) \
	X(LT, "_<_", 2, 2, G) \
	X(LE, "_<=_", 2, 2, G) \
	X(GT, "_>_", 2, 2, G) \
	X(GE, "_>=_", 2, 2, G) \
	X(ADD, "_+_", 2, 2, G) \
	X(SUB, "_-_", 2, 2, G) \
	X(MUL, "_*_", 2, 2, G) \
	X(DIV, "_/_", 2, 2, G) \
	X(MOD, "_%_", 2, 2, G) \
	X(IN, "@in", 2, 2, G) \
	X(INDEX, "_[_]", 2, 2, G) \
	X(SIZE, "size", 1, 1, GM) \
	X(CONTAINS, "contains", 2, 2, M) \
	X(STARTS_WITH, "startsWith", 2, 2, M) \
	X(ENDS_WITH, "endsWith", 2, 2, M) \
	X(MATCHES, "matches", 2, 2, GM) \
	X(BOOL, "bool", 1, 1, G) \
	X(BYTES, "bytes", 1, 1, G) \
	X(DOUBLE, "double", 1, 1, G) \
	X(DURATION, "duration", 1, 1, G) \
	X(DYN, "dyn", 1, 1, G) \
	X(INT, "int", 1, 1, G) \
	X(STRING, "string", 1, 1, G) \
	X(TIMESTAMP, "timestamp", 1, 1, G) \
	X(TYPE, "type", 1, 1, G) \
	X(UINT, "uint", 1, 1, G) \
	X(GET_DATE, "getDate", 1, 2, M) \
	X(GET_DAY_OF_MONTH, "getDayOfMonth", 1, 2, M) \
	X(GET_DAY_OF_WEEK, "getDayOfWeek", 1, 2, M) \
	X(GET_DAY_OF_YEAR, "getDayOfYear", 1, 2, M) \
	X(GET_FULL_YEAR, "getFullYear", 1, 2, M) \
	X(GET_HOURS, "getHours", 1, 2, M) \
	X(GET_MILLISECONDS, "getMilliseconds", 1, 2, M) \
	X(GET_MINUTES, "getMinutes", 1, 2, M) \
	X(GET_MONTH, "getMonth", 1, 2, M) \
	X(GET_SECONDS, "getSeconds", 1, 2, M) \
	/* strings and numbers beyond the standard library, as cel-go's extensions name them */ \
	X(LOWER_ASCII, "lowerAscii", 1, 1, M) \
	X(UPPER_ASCII, "upperAscii", 1, 1, M) \
	X(TRIM, "trim", 1, 1, M) \
	X(MATH_LEAST, "math.least", 1, 8, G) \
	X(MATH_GREATEST, "math.greatest", 1, 8, G) \
	/* money and basis points */ \
	X(MONEY, "money", 2, 2, G)     /* money("1.25", "ETH"); eth("1.25") is parsed into this */ \
	X(UNITS, "units", 2, 2, G)     /* units("1250000000000000000", "ETH"): smallest units */ \
	X(BPS, "bps", 1, 1, G)         /* bps(250), of an int */ \
	X(ADD_BPS, "add_bps", 2, 2, M) /* m.add_bps(b): rounds in the named mode */ \
	X(BPS_OVER, "bps_over", 2, 2, \
		M) /* a.bps_over(b): (a - b) / b in basis points, rounded so */ \
	X(MONEY_MIN, "money.min", 2, 8, G) \
	X(MONEY_MAX, "money.max", 2, 8, G) \
	X(IS_FRESH, "is_fresh", 2, 2, M) /* age_ms.is_fresh("10m"): not older than that */

enum cel_function {
	CEL_F_UNKNOWN,
#define X(id, name, least, most, how) CEL_F_##id,
	CEL_FUNCTIONS(X)
#undef X
		CEL_F_N,
};

struct cel_function_info {
	struct str name;
	unsigned char n_least, n_most;
	bool is_global, is_member;
};
extern const struct cel_function_info cel_functions[CEL_F_N];

/* CEL_F_UNKNOWN if there is none. A perfect or open hash: no scan. */
enum cel_function cel_function_find(struct str name);
