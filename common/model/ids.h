#pragma once

/*
 * Ids that Souk makes.
 *
 * v7 (RFC 9562 5.7): 48-bit milliseconds, 12-bit counter within the millisecond, 62 random bits:
 * ordered within a process. v8 (5.8): the first 122 free bits of SHA-256 over length-prefixed
 * parts, so that the same parts give the same id everywhere: each part is preceded by its length as
 * 4 bytes big-endian; the first part is a name ("souk-interest", "souk-order", "souk-offer").
 *	interest id = v8("souk-interest", user, client id)
 *	order id = v8("souk-order", user, client id)
 *	offer id = v8("souk-offer", interest id)
 * Byte layout with vectors: docs/protocol/ids.md.
 */
#include "common/base/str.h"

#define ID_TEXT_MAX     37   /* 36 characters and a NUL */
#define ID_V8_INPUT_MAX 1024 /* bytes of all parts, each with its 4 bytes of length */

struct id {
	char text[ID_TEXT_MAX];
};

/* Safe on any thread. @now_ms in 0 .. 2^48 - 1 (assert). 0 or -EIO (no randomness). */
int id_v7(struct id *ret, int64_t now_ms);
/* 0, -EINVAL (over ID_V8_INPUT_MAX) or -EIO; so for the three below. */
int id_v8(struct id *ret, const struct str *parts, size_t n_parts);
int id_for_interest(struct id *ret, struct str user, struct str client_id);
int id_for_order(struct id *ret, struct str user, struct str client_id);
int id_for_offer(struct id *ret, struct str interest_id);

static inline struct str id_str(const struct id *id)
{
	return str_of(id->text);
}
