/*
 * Row versions. Sources count in their own ways (a sequence, "year.month.n", an owner's epoch and a
 * number), so a version is four numbers rather than a text, and the stored form pads each to its
 * full width: Redis scripts can then compare versions as bytes, without knowing what is in them.
 */
#include "common/model/version.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define STORED_DIGITS 20 /* of 2^64 - 1 */

int version_parse(struct version *ret, struct str text)
{
	struct version v = { { 0 } };
	size_t n_parts = 0;
	size_t from = 0;

	if (text.n == 0)
		return -EINVAL;
	for (size_t i = 0; i <= text.n; i++) {
		int r;

		if (i < text.n && text.p[i] != '.')
			continue;
		if (n_parts == VERSION_PARTS)
			return -EINVAL;
		r = str_to_u64((struct str){ text.p + from, i - from }, &v.part[n_parts++]);
		if (r < 0)
			return r;
		from = i + 1;
	}
	*ret = v;
	return 0;
}

static int parse_padded(uint64_t *ret, const char *digits)
{
	uint64_t value = 0;

	for (size_t i = 0; i < STORED_DIGITS; i++) {
		unsigned d = (unsigned)digits[i] - '0';

		if (d > 9 || value > (UINT64_MAX - d) / 10)
			return -EINVAL;
		value = value * 10 + d;
	}
	*ret = value;
	return 0;
}

int version_parse_stored(struct version *ret, struct str text)
{
	struct version v;

	if (text.n != VERSION_STORED_LEN)
		return -EINVAL;
	for (size_t i = 0; i < VERSION_PARTS; i++) {
		const char *part = text.p + i * (STORED_DIGITS + 1);

		if (parse_padded(&v.part[i], part) < 0)
			return -EINVAL;
		if (i + 1 < VERSION_PARTS && part[STORED_DIGITS] != '.')
			return -EINVAL;
	}
	*ret = v;
	return 0;
}

int version_cmp(struct version a, struct version b)
{
	for (size_t i = 0; i < VERSION_PARTS; i++) {
		if (a.part[i] != b.part[i])
			return a.part[i] < b.part[i] ? -1 : 1;
	}
	return 0;
}

size_t version_format(char ret[VERSION_TEXT_MAX], struct version v)
{
	size_t n_parts = VERSION_PARTS;
	size_t at = 0;

	while (n_parts > 1 && v.part[n_parts - 1] == 0)
		n_parts--;
	for (size_t i = 0; i < n_parts; i++)
		at += (size_t)snprintf(
			ret + at, VERSION_TEXT_MAX - at, "%s%" PRIu64, i ? "." : "", v.part[i]);
	return at;
}

size_t version_format_stored(char ret[VERSION_TEXT_MAX], struct version v)
{
	return (size_t)snprintf(ret, VERSION_TEXT_MAX,
		"%020" PRIu64 ".%020" PRIu64 ".%020" PRIu64 ".%020" PRIu64, v.part[0], v.part[1],
		v.part[2], v.part[3]);
}
