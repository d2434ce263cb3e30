#pragma once

/*
 * JSON in: one table per record type drives LEJP (libwebsockets' streaming parser) straight into
 * the record's struct.
 *
 * Every text the struct gets is a copy in the arena. Members the table does not name are skipped
 * (forward compatibility), unless the table is closed. Refused, with the member's path and the byte
 * offset in the fault: malformed JSON, trailing bytes, a wrong type, a missing required member, a
 * repeated member, a string over its field's limit, nesting over JSON_DEPTH_MAX (11), a member name
 * over 120 bytes, a number over 128 characters, money as a JSON number, text that is not UTF-8,
 * holds U+0000 or half a surrogate pair. See json_gate.h.
 *
 * "Repeated" is seen for members the table names and for amount and currency of money. Inside a
 * FIELD_RAW value and in members nobody asked for, repeats pass: whoever reads the raw value with a
 * table of its own sees them there.
 *
 * FIELD_RAW is written again as compact JSON: no spaces, numbers character by character as they
 * came, texts with the escapes of json_out.h; members keep their order. Its maximum (default 4,096
 * bytes) is that of the compact form.
 *
 * The same table writes and reads the Redis row form (row.h), so the two cannot drift.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/fault.h"
#include "common/base/str.h"

enum field_kind {
	FIELD_STR,     /* struct str; max = bytes (default 1,024) */
	FIELD_ITEM,    /* struct str, a valid item id */
	FIELD_USER,    /* struct str, a valid user */
	FIELD_WALLET,  /* struct str, lower-cased */
	FIELD_ID,      /* struct str, 1..128 visible ASCII */
	FIELD_I64,     /* int64_t, a JSON integer */
	FIELD_TIME,    /* int64_t ms, 0 .. 2^53 - 1 */
	FIELD_BOOL,    /* enum tribool (int): ABSENT, FALSE, TRUE */
	FIELD_ENUM,    /* int: index into `names`; unknown name is refused */
	FIELD_MONEY,   /* struct money from {"amount","currency"} */
	FIELD_VERSION, /* struct version, from text */
	FIELD_RAW,     /* struct str: the value as compact JSON text (object, array or scalar) */
	FIELD_COUNT,   /* int64_t, 0 .. 2^53 - 1 */
	FIELD_CONST,   /* struct str: exactly names[0], as in `type`; borrowed from the table */
	FIELD_HEX,     /* struct str, lower-case hex digits without 0x; max = digits (default 16) */
};

enum field_flags {
	FIELD_REQUIRED = 1,
	FIELD_NULLABLE = 2, /* null is accepted and means absent; elsewhere null is a wrong type */
	FIELD_NONEMPTY = 4,
};

enum tribool { TRI_ABSENT = 0, TRI_FALSE = 1, TRI_TRUE = 2 };

struct field {
	const char *path; /* "signal.dwell_ms": at most 4 levels */
	enum field_kind kind;
	unsigned flags;
	size_t offset; /* into the struct */
	size_t max;
	const char *const *names; /* FIELD_ENUM: NULL-terminated, the index is the value */
};

struct record_type {
	const char *name; /* "interest", for messages */
	const struct field *fields;
	size_t n_fields;
	size_t size;    /* sizeof the struct, zeroed before decoding */
	bool is_closed; /* unknown members are refused */
};

enum {
	DECODE_E_JSON = 1, /* not JSON */
	/* JSON, but not this record: f->text names the member and what would be right */
	DECODE_E_SHAPE,
	DECODE_E_TOO_LARGE, /* the arena is exhausted, or a nesting, key or text limit */
};

/*
 * 0 or DECODE_E_*; fills @f (may be NULL) with the first problem. On DECODE_E_SHAPE, and on
 * DECODE_E_TOO_LARGE for a member over its own limit, reading goes on: @ret holds every member that
 * was right (so that a bad event's id can be answered, wherever it stands), the others are zero. A
 * repeated member keeps its first value. On DECODE_E_JSON nothing is read.
 */
MUST_CHECK int decode(const struct record_type *type, void *ret, struct str json, struct arena *a,
	struct fault *f);
