#include "common/io/http_head.h"

#include <string.h>
#include <strings.h>

size_t http_head_length(const char *p, size_t n, size_t from)
{
	const char *at, *end = p + n;

	/* The end may straddle two reads. */
	at = p + (from > 3 ? from - 3 : 0);
	while (at < end && (at = memchr(at, '\r', (size_t)(end - at)))) {
		if (end - at < 4)
			return 0;
		if (memcmp(at, "\r\n\r\n", 4) == 0)
			return (size_t)(at - p) + 4;
		at++;
	}
	return 0;
}

/* RFC 9110 5.6.2. */
static bool is_token_byte(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != 0 && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_token_byte((unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

/* Up to @stop, which is dropped; the whole rest if there is none. */
static struct str cut(struct str *rest, char stop)
{
	const char *at = rest->n ? memchr(rest->p, stop, rest->n) : NULL;
	struct str piece = { rest->p, at ? (size_t)(at - rest->p) : rest->n };
	size_t used = piece.n + (at ? 1 : 0);

	rest->p += used;
	rest->n -= used;
	return piece;
}

static int request_line_parse(struct http_head *h, struct str line)
{
	struct str target, version;
	const char *query;

	h->method = cut(&line, ' ');
	target = cut(&line, ' ');
	version = line;
	if (!is_token(h->method) || !str_is_visible_ascii(target, HTTP_HEAD_MAX) ||
		target.p[0] != '/' || memchr(target.p, '#', target.n))
		return HTTP_HEAD_E_BAD;
	if (version.n != 8 || memcmp(version.p, "HTTP/", 5) != 0 || version.p[6] != '.' ||
		version.p[5] < '0' || version.p[5] > '9' || version.p[7] < '0' ||
		version.p[7] > '9')
		return HTTP_HEAD_E_BAD;
	/* Another major version is well-formed; the caller sees a minor one that it does not speak.
	 */
	h->minor = version.p[5] == '1' ? version.p[7] - '0' : -1;
	query = memchr(target.p, '?', target.n);
	h->path = (struct str){ target.p, query ? (size_t)(query - target.p) : target.n };
	h->query = STR_NONE;
	if (query)
		h->query = (struct str){ query + 1, target.n - h->path.n - 1 };
	return 0;
}

static int header_parse(struct http_head *h, struct str line)
{
	struct http_header header;

	if (!memchr(line.p, ':', line.n))
		return HTTP_HEAD_E_BAD;
	header.name = cut(&line, ':');
	header.value = str_trim(line);
	/* A folded line begins with a space, which is not part of a name either. */
	if (!is_token(header.name))
		return HTTP_HEAD_E_BAD;
	for (size_t i = 0; i < header.value.n; i++) {
		unsigned char c = (unsigned char)header.value.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return HTTP_HEAD_E_BAD;
	}
	if (h->n_headers == HTTP_HEADERS_MAX)
		return HTTP_HEAD_E_LARGE;
	h->headers[h->n_headers++] = header;
	return 0;
}

int http_head_parse(struct http_head *h, struct str text)
{
	bool is_first = true;

	h->n_headers = 0;
	for (;;) {
		struct str line = cut(&text, '\n');
		int r;

		if (line.n == 0 || line.p[line.n - 1] != '\r')
			return HTTP_HEAD_E_BAD;
		line.n--;
		if (line.n == 0)
			return is_first || text.n ? HTTP_HEAD_E_BAD : 0;
		r = is_first ? request_line_parse(h, line) : header_parse(h, line);
		if (r)
			return r;
		is_first = false;
	}
}

static bool is_named(const struct http_header *header, const char *name)
{
	return header->name.n == strlen(name) &&
	       strncasecmp(header->name.p, name, header->name.n) == 0;
}

size_t http_head_get(const struct http_head *h, const char *name, struct str *ret)
{
	size_t n = 0;

	if (ret)
		*ret = STR_NONE;
	for (size_t i = 0; i < h->n_headers; i++)
		if (is_named(&h->headers[i], name) && n++ == 0 && ret)
			*ret = h->headers[i].value;
	return n;
}

bool http_head_has_token(
	const struct http_head *h, const char *name, struct str token, bool any_case)
{
	for (size_t i = 0; i < h->n_headers; i++) {
		struct str rest = h->headers[i].value;

		if (!is_named(&h->headers[i], name))
			continue;
		while (rest.n) {
			struct str item = str_trim(cut(&rest, ','));

			if (item.n == token.n &&
				(any_case ? strncasecmp(item.p, token.p, token.n) == 0
					  : memcmp(item.p, token.p, token.n) == 0))
				return true;
		}
	}
	return false;
}
