#pragma once

/*
 * The head of one HTTP/1.1 request (RFC 9112), cut into pieces and nothing else: no allocation, no
 * decoding.
 *
 * Strict where leniency has been an attack: lines end with CRLF, no folded lines, no space before
 * the colon, no control bytes, no body framing that could hide a second request.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/base/str.h"

#define HTTP_HEAD_MAX    8192 /* bytes, the empty line included */
#define HTTP_HEADERS_MAX 64

struct http_header {
	struct str name, value; /* the value without the spaces around it */
};

/* Borrows from the text it was parsed from. */
struct http_head {
	struct str method, path, query; /* query.p == NULL: no '?' */
	int minor;                      /* HTTP/1.minor */
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t n_headers;
};

/* Conditions of the direct caller. */
enum {
	HTTP_HEAD_E_LARGE = 1, /* more than HTTP_HEADERS_MAX headers */
	HTTP_HEAD_E_BAD,
};

/* Length of the head that @p starts with, or 0 while its end is not there. @from: bytes searched
 * before (0 at first). */
size_t http_head_length(const char *p, size_t n, size_t from);

/* @text is one whole head. 0 or HTTP_HEAD_E_*. */
int http_head_parse(struct http_head *ret, struct str text);

/* How often the header is there; @ret (may be NULL) is the first one's value, or absent. Names in
 * any case. */
size_t http_head_get(const struct http_head *h, const char *name, struct str *ret);
/* Is @token in the comma-separated list of all headers of that name? */
bool http_head_has_token(
	const struct http_head *h, const char *name, struct str token, bool any_case);
