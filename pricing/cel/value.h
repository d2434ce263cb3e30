#pragma once

/*
 * A value at run time: 24 bytes, copied freely. Texts, lists and maps are borrowed from the program
 * (constants), from whoever bound the slots, or from the arena of the evaluation.
 *
 * Errors are values, because `&&` and `||` absorb them: a rule that could not be decided must not
 * stop one that can. Absent fields and missing currency paths are errors of their own code, so that
 * a rule about the floor does not *fail* for an item without one: it does not apply.
 *
 * Symbols: a string constant that a ruleset compares with gets a small number; a bound string that
 * is one of them carries it in `sym`. Two values with syms above SYM_OTHER are equal exactly if
 * those are. SYM_OTHER says: looked up, and it is none of the constants (two of them: compare the
 * bytes). SYM_NONE = not looked up, compare the bytes.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/model/money.h"
#include "pricing/cel/type.h"

enum cel_value_kind {
	CEL_V_ERROR,
	CEL_V_NULL,
	CEL_V_BOOL,
	CEL_V_INT,
	CEL_V_UINT,
	CEL_V_DOUBLE,
	CEL_V_STRING,
	CEL_V_BYTES,
	CEL_V_TIMESTAMP,
	CEL_V_DURATION,
	CEL_V_MONEY,
	CEL_V_BPS,
	CEL_V_LIST,
	CEL_V_MAP,
	CEL_V_TYPE,
};

enum cel_error {
	CEL_R_NO_OVERLOAD = 1, /* "no such overload" */
	CEL_R_NO_KEY,          /* "no such key" */
	CEL_R_NO_FIELD,        /* "no such field" */
	CEL_R_UNDECLARED,      /* "undeclared reference" (unchecked expressions only) */
	CEL_R_INDEX,           /* "index out of bounds" */
	CEL_R_OVERFLOW,        /* "integer overflow" */
	CEL_R_RANGE,           /* "out of range": conversion, timestamp, duration */
	CEL_R_DIVIDE,          /* "division by zero" / "modulus by zero" */
	CEL_R_ARGUMENT,     /* "invalid argument": a text that is no number, zone, pattern, … */
	CEL_R_KEY_TYPE,     /* "unsupported key type" */
	CEL_R_REPEATED_KEY, /* "repeated key" */
	CEL_R_NEGATIVE,     /* money below zero */
	CEL_R_MEMORY,       /* the arena is used up */
	CEL_R_COST,         /* the run-time cost is over its limit */
	/* Not failures of a rule: it does not apply. */
	CEL_R_ABSENT,  /* a declared field that this event has no value for */
	CEL_R_NO_PATH, /* two currencies without parity or a fresh rate */
};
#define CEL_R_FIRST_NOT_APPLICABLE CEL_R_ABSENT
/* "overflow", "absent", …: what waterfalls and metrics call it. */
const char *cel_error_name(enum cel_error e);

#define CEL_SYM_NONE  0
#define CEL_SYM_OTHER 1 /* the first symbol is 2 */

struct cel_value;
struct cel_map;

struct cel_value {
	uint8_t kind;      /* enum cel_value_kind */
	currency currency; /* MONEY */
	uint16_t sym;      /* STRING: symbol; ERROR: enum cel_error */
	uint32_t n; /* STRING, BYTES: bytes; LIST: elements; TIMESTAMP: nanoseconds 0..999,999,999;
		       ERROR: slot number + 1 of what is absent, 0 = unknown */
	union {
		bool b;
		int64_t i; /* INT; BPS; DURATION: nanoseconds; TIMESTAMP: seconds since 1970 */
		uint64_t u;
		double d;
		const char *s;                /* STRING, BYTES; TYPE: its name, NUL-terminated */
		const struct cel_value *list; /* LIST */
		const struct cel_map *map;    /* MAP */
		struct {
			uint64_t lo, hi; /* MONEY */
		} m;
		const char *text; /* ERROR: static text, cel-go's words */
	};
};
_Static_assert(sizeof(struct cel_value) == 24, "values are copied a lot");

/* Keys are INT, UINT, BOOL or STRING; no two are equal (numbers compare by value). The order is
 * that of the literal. */
struct cel_map {
	uint32_t n;
	const struct cel_value *keys;
	const struct cel_value *values;
	const uint32_t *index; /* open hash of entry numbers + 1 with mask + 1 places; NULL: none,
				  searched from the front (cel_map_make() makes it) */
	uint32_t mask;
};

static inline struct cel_value cel_null(void)
{
	return (struct cel_value){ .kind = CEL_V_NULL };
}
static inline struct cel_value cel_bool(bool b)
{
	return (struct cel_value){ .kind = CEL_V_BOOL, .b = b };
}
static inline struct cel_value cel_int(int64_t i)
{
	return (struct cel_value){ .kind = CEL_V_INT, .i = i };
}
static inline struct cel_value cel_uint(uint64_t u)
{
	return (struct cel_value){ .kind = CEL_V_UINT, .u = u };
}
static inline struct cel_value cel_double(double d)
{
	return (struct cel_value){ .kind = CEL_V_DOUBLE, .d = d };
}
static inline struct cel_value cel_bps(int64_t i)
{
	return (struct cel_value){ .kind = CEL_V_BPS, .i = i };
}
static inline struct cel_value cel_string(struct str s)
{
	return (struct cel_value){ .kind = CEL_V_STRING, .n = (uint32_t)s.n, .s = s.p };
}
static inline struct cel_value cel_bytes(struct str s)
{
	return (struct cel_value){ .kind = CEL_V_BYTES, .n = (uint32_t)s.n, .s = s.p };
}
/* Within 0001..9999: whoever makes one checks. @ns: 0..999,999,999. */
static inline struct cel_value cel_timestamp(int64_t seconds, uint32_t ns)
{
	return (struct cel_value){ .kind = CEL_V_TIMESTAMP, .n = ns, .i = seconds };
}
static inline struct cel_value cel_duration(int64_t ns)
{
	return (struct cel_value){ .kind = CEL_V_DURATION, .i = ns };
}
/* @name: as cel_kind_name() writes it, for the life of the value. */
static inline struct cel_value cel_type_value(const char *name)
{
	return (struct cel_value){
		.kind = CEL_V_TYPE, .n = (uint32_t)__builtin_strlen(name), .s = name
	};
}
static inline struct cel_value cel_money(struct money m)
{
	return (struct cel_value){ .kind = CEL_V_MONEY,
		.currency = m.currency,
		.m = { (uint64_t)m.amount, (uint64_t)(m.amount >> 64) } };
}
static inline struct money cel_money_of(struct cel_value v)
{
	return (struct money){ (u128)v.m.hi << 64 | v.m.lo, v.currency };
}
static inline struct str cel_str(struct cel_value v)
{
	return (struct str){ v.s, v.n };
}
static inline bool cel_is_error(struct cel_value v)
{
	return v.kind == CEL_V_ERROR;
}
/* @text: a literal; cel-go's words where it has some. */
static inline struct cel_value cel_error(enum cel_error code, const char *text)
{
	return (struct cel_value){ .kind = CEL_V_ERROR, .sym = (uint16_t)code, .text = text };
}
static inline struct cel_value cel_absent(uint32_t slot)
{
	return (struct cel_value){
		.kind = CEL_V_ERROR, .sym = CEL_R_ABSENT, .n = slot + 1, .text = "absent"
	};
}

/* "int", "null_type", "google.protobuf.Timestamp", "money", …: what type() says. "error" of an
 * error.
 */
const char *cel_kind_name(enum cel_value_kind kind);

/* Equality as in langdef: numbers by value across int, uint and double; NaN equals nothing; lists
 * and maps element by element; other different kinds are unequal, not an error. Money: equal in
 * amount and at par; without parity unequal. Never of errors (assert). */
bool cel_equal(struct cel_value a, struct cel_value b);

/* For people and tests: CEL source text of the value ("gold", 5u, [1, 2], eth("1.25"), -500 bps).
 */
void cel_value_print(struct buf *out, struct cel_value v);
