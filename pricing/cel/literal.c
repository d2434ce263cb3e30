/*
 * Escapes never make a text longer (the shortest, \a, is two bytes for one; \xff becomes two bytes
 * of UTF-8 but is four), so the token's length is room enough.
 */
#include "pricing/cel/literal.h"

#include <math.h>
#include <stdlib.h>

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Digits, after an optional 0x, up to the end of @token. */
static int magnitude(struct str token, uint64_t *ret)
{
	bool is_hex = token.n > 2 && token.p[1] == 'x';
	unsigned base = is_hex ? 16 : 10;
	uint64_t value = 0;

	for (size_t i = is_hex ? 2 : 0; i < token.n; i++) {
		if (__builtin_mul_overflow(value, base, &value) ||
			__builtin_add_overflow(value, (unsigned)digit_of(token.p[i]), &value))
			return CEL_LITERAL_E_RANGE;
	}
	*ret = value;
	return 0;
}

int cel_literal_int(struct str token, bool is_negative, int64_t *ret)
{
	uint64_t most = (uint64_t)INT64_MAX + is_negative;
	uint64_t value;
	int r = magnitude(token, &value);

	if (r != 0 || value > most)
		return CEL_LITERAL_E_RANGE;
	*ret = is_negative ? (int64_t)(0 - value) : (int64_t)value;
	return 0;
}

int cel_literal_uint(struct str token, uint64_t *ret)
{
	return magnitude((struct str){ token.p, token.n - 1 }, ret);
}

int cel_literal_double(struct str token, bool is_negative, struct arena *a, double *ret)
{
	size_t mark = arena_used(a);
	struct str text = arena_copy(a, token);
	double value;

	if (!str_is_set(text))
		return CEL_LITERAL_E_MEMORY;
	value = strtod(text.p, NULL);
	arena_rewind(a, mark);
	if (isinf(value))
		return CEL_LITERAL_E_RANGE;
	*ret = is_negative ? -value : value;
	return 0;
}

/* Without prefix and quotes. */
static struct str inside(struct str token, bool *ret_is_raw)
{
	size_t n_prefix = 0;
	size_t n_quotes = 1;

	*ret_is_raw = false;
	while (token.p[n_prefix] != '"' && token.p[n_prefix] != '\'') {
		*ret_is_raw |= (token.p[n_prefix] | 0x20) == 'r';
		n_prefix++;
	}
	if (token.n - n_prefix >= 6 && token.p[n_prefix + 1] == token.p[n_prefix] &&
		token.p[n_prefix + 2] == token.p[n_prefix])
		n_quotes = 3;
	return (struct str){ token.p + n_prefix + n_quotes, token.n - n_prefix - 2 * n_quotes };
}

static char *put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}

static bool is_code_point(uint32_t c)
{
	return c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff);
}

static char simple_escape(char c)
{
	switch (c) {
	case 'a':
		return '\a';
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'v':
		return '\v';
	case '\\':
	case '\'':
	case '"':
	case '`':
	case '?':
		return c;
	default:
		return 0;
	}
}

/* Exactly @n digits at @p, before @end; false if there are fewer. */
static bool digits(const char *p, const char *end, size_t n, unsigned base, uint32_t *ret)
{
	uint32_t value = 0;

	if ((size_t)(end - p) < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int d = digit_of(p[i]);

		if (d < 0 || (unsigned)d >= base)
			return false;
		value = value * base + (unsigned)d;
	}
	*ret = value;
	return true;
}

/* How many hexadecimal digits follow the letter; 0: none, it is another escape. */
static size_t n_digits(char letter, bool is_bytes)
{
	switch (letter) {
	case 'x':
	case 'X':
		return 2;
	case 'u':
		return is_bytes ? 0 : 4;
	case 'U':
		return is_bytes ? 0 : 8;
	default:
		return 0;
	}
}

/* One escape at *@from, which is a backslash. */
static int unescape(const char **from, const char *end, char **to, bool is_bytes)
{
	const char *p = *from + 1;
	size_t n;
	uint32_t c;

	if (p == end)
		return CEL_LITERAL_E_ESCAPE;
	if (simple_escape(*p)) {
		*(*to)++ = simple_escape(*p);
		*from = p + 1;
		return 0;
	}
	n = n_digits(*p, is_bytes);
	if (n > 0 && digits(p + 1, end, n, 16, &c))
		*from = p + 1 + n;
	else if (*p >= '0' && *p <= '3' && digits(p, end, 3, 8, &c))
		*from = p + 3;
	else
		return CEL_LITERAL_E_ESCAPE;
	if (is_bytes) {
		*(*to)++ = (char)c;
		return 0;
	}
	if (!is_code_point(c))
		return CEL_LITERAL_E_CODE_POINT;
	*to = put_utf8(*to, c);
	return 0;
}

/* The bad escape as people see it: backslash, letter, and what it has of its digits. */
static struct str shown(const char *p, const char *end)
{
	const char *q = p + 1;
	size_t n, most;

	if (q == end)
		return (struct str){ p, 1 };
	most = *q >= '0' && *q <= '3' ? 2 : n_digits(*q, false);
	n = str_utf8_len((struct str){ q, (size_t)(end - q) });
	q += n ? n : 1;
	for (n = 0; n < most && q < end && digit_of(*q) >= 0; n++)
		q++;
	return (struct str){ p, (size_t)(q - p) };
}

int cel_literal_text(struct str token, bool is_plain, bool is_bytes, struct arena *a,
	struct str *ret, struct str *bad)
{
	bool is_raw;
	struct str in = inside(token, &is_raw);
	const char *p = in.p;
	const char *end = in.p + in.n;
	char *text;
	char *to;

	*ret = in;
	if (is_plain)
		return 0;
	to = text = arena_alloc(a, in.n);
	if (!text)
		return CEL_LITERAL_E_MEMORY;
	while (p < end) {
		if (*p == '\\' && !is_raw) {
			const char *begin = p;
			int r = unescape(&p, end, &to, is_bytes);

			if (r != 0) {
				*bad = shown(begin, end);
				return r;
			}
		} else if (*p == '\r') {
			p += end - p > 1 && p[1] == '\n' ? 2 : 1;
			*to++ = '\n';
		} else {
			*to++ = *p++;
		}
	}
	*ret = (struct str){ text, (size_t)(to - text) };
	return 0;
}
