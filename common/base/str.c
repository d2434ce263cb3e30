/*
 * The number parsers accept one text per value: ids, sequences and prices travel as text, are
 * hashed and compared as text, and a second spelling of the same number would be a second identity.
 */
#include "common/base/str.h"

#include <errno.h>

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n ? memcmp(a.p, b.p, n) : 0;

	if (d)
		return d;
	return (a.n > b.n) - (a.n < b.n);
}

int str_copy(char *ret, size_t cap, struct str s)
{
	if (cap == 0)
		return -ENAMETOOLONG;
	ret[0] = '\0';
	if (s.n >= cap)
		return -ENAMETOOLONG;
	if (s.n)
		memcpy(ret, s.p, s.n);
	ret[s.n] = '\0';
	return 0;
}

struct str str_trim(struct str s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

int str_to_u64(struct str s, uint64_t *ret)
{
	uint64_t v = 0;
	bool overflow = false;

	if (s.n == 0 || (s.p[0] == '0' && s.n > 1))
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -EINVAL;
		overflow = overflow || __builtin_mul_overflow(v, 10, &v) ||
			   __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v);
	}
	if (overflow)
		return -ERANGE;
	*ret = v;
	return 0;
}

int str_to_i64(struct str s, int64_t *ret)
{
	bool negative = s.n > 0 && s.p[0] == '-';
	struct str digits = negative ? (struct str){ s.p + 1, s.n - 1 } : s;
	uint64_t v = 0, limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
	int r = str_to_u64(digits, &v);

	if (r < 0)
		return r;
	if (negative && v == 0)
		return -EINVAL;
	if (v > limit)
		return -ERANGE;
	/* -v without leaving int64_t: INT64_MIN has no positive counterpart. */
	*ret = negative ? -(int64_t)(v - 1) - 1 : (int64_t)v;
	return 0;
}

size_t str_utf8_len(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned char low = 0x80, high = 0xbf; /* range of the second byte */
	size_t len;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	/* The table of RFC 3629, section 4. */
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;

	if (s.n < len || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

bool str_is_utf8(struct str s)
{
	while (s.n) {
		size_t len = str_utf8_len(s);

		if (len == 0)
			return false;
		s.p += len;
		s.n -= len;
	}
	return true;
}

bool str_is_visible_ascii(struct str s, size_t max)
{
	if (s.n == 0 || s.n > max)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e)
			return false;
	return true;
}
