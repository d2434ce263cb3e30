#pragma once

/*
 * What is wrong with an expression, and where: collected by lexer, parser and checker, printed in
 * cel-go's shape, so that editors which know that one know ours:
 *
 *	ERROR: <input>:1:10: undeclared reference to 'customer.teir' (in container '')
 *	 | customer.teir == "gold"
 *	 | .........^
 *	 = undeclared: did you mean `customer.tier`?
 *
 * The code ("undeclared") is stable: tools may match it, texts may change.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/str.h"

#define CEL_DIAGS_MAX     16
#define CEL_DIAG_TEXT_MAX 224
#define CEL_DIAG_HINT_MAX 160

enum cel_stage { CEL_STAGE_PARSE, CEL_STAGE_CHECK, CEL_STAGE_EVAL };
extern const char *const cel_stage_names[]; /* "parse", "check", "eval", NULL */

enum cel_code {
	CEL_E_SYNTAX = 1, /* "syntax" */
	CEL_E_LITERAL,    /* "literal": a number out of range, a bad escape */
	CEL_E_RESERVED,   /* "reserved": a reserved word as a name */
	CEL_E_MACRO,      /* "macro": wrong arguments of has, all, exists, … */
	CEL_E_TOO_LONG,   /* "too-long": source over its limit */
	CEL_E_TOO_DEEP,   /* "too-deep" */
	CEL_E_TOO_LARGE,  /* "too-large": more nodes than memory was given for */
	CEL_E_UNDECLARED, /* "undeclared" */
	CEL_E_OVERLOAD,   /* "overload": no function or operator takes these types */
	CEL_E_FIELD,      /* "field": the type has no fields, or not this one */
	CEL_E_TYPE,       /* "type": the expression as a whole is not of the type wanted */
	CEL_E_ENUM,       /* "enum": a value that the field can never have */
	CEL_E_CURRENCY,   /* "currency": no parity between two currencies, or none known */
	CEL_E_UNIT,       /* "unit": milliseconds compared with points, … */
	CEL_E_SENSITIVE,  /* "sensitive": a field that no price may depend on */
	CEL_E_PATTERN,    /* "pattern": `matches` with a pattern that is none, or not constant */
	CEL_E_ZONE,       /* "zone": no such time zone, or not constant */
	CEL_E_COST,       /* "cost": the static worst case is over its limit */
};
const char *cel_code_name(enum cel_code code);

struct cel_diag {
	enum cel_code code;
	enum cel_stage stage;
	uint32_t offset; /* byte offset into the source */
	char text[CEL_DIAG_TEXT_MAX];
	char hint[CEL_DIAG_HINT_MAX]; /* what was probably meant or would be right; "" = none */
};

/* Zero-initialised is empty. Beyond the maximum only counted. */
struct cel_diags {
	struct cel_diag v[CEL_DIAGS_MAX];
	size_t n;
	size_t n_dropped;
};

/* Appends and returns it, for a hint to be added (never NULL: beyond the maximum a spare one). */
struct cel_diag *cel_diag_add(struct cel_diags *d, enum cel_stage stage, enum cel_code code,
	uint32_t offset, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void cel_diag_hint(struct cel_diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Line from 1, column from 1 counted in code points, as cel-go does. */
void cel_position(struct str source, uint32_t offset, unsigned *ret_line, unsigned *ret_column);
/* One diagnostic in the shape above, with its newline at the end. @name: "<input>" or a file or
 * path.
 * @with_code false leaves out the last line. */
void cel_diag_print(struct buf *out, const struct cel_diag *d, const char *name, struct str source,
	bool with_code);
