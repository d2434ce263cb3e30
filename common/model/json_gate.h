#pragma once

/*
 * The gate in front of LEJP: a strict reading of RFC 8259 that keeps nothing.
 *
 * LEJP takes comments, `[1,]`, `01`, `1e5.5`, a backslash before a NUL, lone surrogates, any bytes
 * as text, and member names longer than its path buffer (which then run over, and wrap at 256 into
 * another member's name). None of that reaches it: only text that passed here does.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"

enum {
	/* objects and arrays open at once: LEJP's stack of 12, less one for a text inside */
	JSON_DEPTH_MAX = 11,
	JSON_KEY_MAX = 120,    /* bytes of one member name, unescaped */
	JSON_NUMBER_MAX = 128, /* characters of one number */
};

enum {
	JSON_GATE_E_SYNTAX =
		1,         /* not JSON, not UTF-8, or a text with U+0000 or half a surrogate pair */
	JSON_GATE_E_LIMIT, /* a maximum above */
};

struct json_problem {
	const char *what; /* static text */
	size_t offset;
};

/* 0 or JSON_GATE_E_*; fills @ret_problem (may be NULL) then. @is_object: the document must be an
 * object, otherwise any value. */
MUST_CHECK int json_gate(struct str json, bool is_object, struct json_problem *ret_problem);

/* Byte offset at which the @n-th value starts (the document is 1, then in order of appearance) in
 * text that passed the gate. */
size_t json_gate_offset_of(struct str json, unsigned n);

/* In place: UTF-16 surrogate pairs that were encoded one by one (six bytes) become the UTF-8 of
 * their character; returns the new length. */
size_t json_join_surrogates(char *text, size_t n);
