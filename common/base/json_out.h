#pragma once

/*
 * Our JSON writer: compact, straight into a buf, members in the order they are written.
 *
 *	struct json_out j = JSON_OUT(&buf);
 *	json_begin(&j, NULL);
 *	json_str(&j, "id", id);
 *	json_begin_array(&j, "flags");
 *	json_str(&j, NULL, f);
 *	json_end_array(&j);
 *	json_end(&j);
 *
 * A NULL key writes a bare value (array element or document). The optional forms write nothing for
 * an absent value. Strings are escaped per RFC 8259 with the shortest escapes (as RFC 8785 wants);
 * bytes that are not UTF-8 become U+FFFD. An absent text in a plain form is null. Depth at most 32
 * (assert).
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/str.h"

struct json_out {
	struct buf *b;
	int depth;
	uint64_t has_member; /* bit per depth */
};

#define JSON_OUT(buf_) ((struct json_out){ .b = (buf_) })

#define JSON_ESCAPE_MAX 7 /* \uXXXX and a NUL */

static inline bool json_must_escape(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\';
}
/* The shortest escape of a byte that must have one (assert); returns its length. */
size_t json_escape(char ret[JSON_ESCAPE_MAX], unsigned char c);

void json_begin(struct json_out *j, const char *key);
void json_end(struct json_out *j);
void json_begin_array(struct json_out *j, const char *key);
void json_end_array(struct json_out *j);
void json_str(struct json_out *j, const char *key, struct str s);
void json_str_opt(struct json_out *j, const char *key, struct str s); /* absent -> nothing */
void json_strz(struct json_out *j, const char *key, const char *z);
void json_i64(struct json_out *j, const char *key, int64_t v);
void json_u64(struct json_out *j, const char *key, uint64_t v);
void json_bool(struct json_out *j, const char *key, bool v);
void json_out_null(struct json_out *j, const char *key); /* json_null() is Jansson's */
/* reports only, never money */
void json_f64(struct json_out *j, const char *key, double v, int decimals);
/* @json is already valid JSON */
void json_raw(struct json_out *j, const char *key, struct str json);
void json_raw_opt(struct json_out *j, const char *key, struct str json);
