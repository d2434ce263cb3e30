#pragma once

/*
 * What the literals mean. Every function takes a token as the lexer cut it, so only ranges and
 * escapes can be wrong.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/cleanup.h"
#include "common/base/str.h"

enum {
	CEL_LITERAL_E_RANGE = 1,  /* the number does not fit its type */
	CEL_LITERAL_E_ESCAPE,     /* no such escape (\u and \U in bytes are none), or cut short */
	CEL_LITERAL_E_CODE_POINT, /* a surrogate, or above U+10FFFF */
	CEL_LITERAL_E_MEMORY,     /* the arena is used up */
};

/* 0 or CEL_LITERAL_E_RANGE. The sign belongs to the literal: -9223372036854775808 is one. */
MUST_CHECK int cel_literal_int(struct str token, bool is_negative, int64_t *ret);
MUST_CHECK int cel_literal_uint(struct str token, uint64_t *ret);
/* Also CEL_LITERAL_E_MEMORY, as the text is copied for strtod. */
MUST_CHECK int cel_literal_double(struct str token, bool is_negative, struct arena *a, double *ret);

/*
 * Between the quotes, unescaped, line ends as \n. Borrows from the token if @is_plain, otherwise
 * lies in the arena. On E_ESCAPE and E_CODE_POINT @bad is the escape, a range of the token.
 */
MUST_CHECK int cel_literal_text(struct str token, bool is_plain, bool is_bytes, struct arena *a,
	struct str *ret, struct str *bad);
