/*
 * An ancestor is the same index with a lower resolution and its finer digits set to 7, so no
 * geometry is needed. Twelve base cells are pentagons: they have no children in direction 1, so a
 * cell of theirs whose first digit other than 0 is 1 does not exist.
 */
#include "ws-server/h3.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#define MODE_CELL      1
#define BASE_CELLS     122
#define RESOLUTION_MAX 15
#define DIGIT_NONE     7
#define DIGIT_DELETED  1
#define RESOLUTION_AT  52

static unsigned bits(uint64_t h, unsigned at, unsigned n)
{
	return (unsigned)(h >> at & ((UINT64_C(1) << n) - 1));
}

static unsigned digit_at(unsigned resolution)
{
	return 3 * (RESOLUTION_MAX - resolution);
}

static int parse_hex(uint64_t *ret, struct str text)
{
	uint64_t h = 0;

	if (text.n == 0 || text.n > 16)
		return -EINVAL;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c >= '0' && c <= '9')
			h = h << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			h = h << 4 | (uint64_t)(c - 'a' + 10);
		else
			return -EINVAL;
	}
	*ret = h;
	return 0;
}

static bool is_pentagon(unsigned base_cell)
{
	static const uint8_t pentagons[] = { 4, 14, 24, 38, 49, 58, 63, 72, 83, 97, 107, 117 };

	for (size_t i = 0; i < ARRAY_LEN(pentagons); i++)
		if (pentagons[i] == base_cell)
			return true;
	return false;
}

static bool is_cell(uint64_t h)
{
	unsigned resolution = bits(h, RESOLUTION_AT, 4), base_cell = bits(h, 45, 7);
	unsigned first = 0;

	if (bits(h, 63, 1) || bits(h, 59, 4) != MODE_CELL || bits(h, 56, 3) ||
		base_cell >= BASE_CELLS)
		return false;
	for (unsigned r = 1; r <= RESOLUTION_MAX; r++) {
		unsigned digit = bits(h, digit_at(r), 3);

		if ((digit == DIGIT_NONE) != (r > resolution))
			return false;
		if (first == 0 && digit != DIGIT_NONE)
			first = digit;
	}
	return !(first == DIGIT_DELETED && is_pentagon(base_cell));
}

int h3_coarsen(char ret[H3_TEXT_MAX], struct str text, unsigned resolution)
{
	uint64_t h;

	assert(resolution <= RESOLUTION_MAX);
	if (parse_hex(&h, text) < 0 || !is_cell(h))
		return -EINVAL;
	if (bits(h, RESOLUTION_AT, 4) > resolution) {
		h &= ~(UINT64_C(15) << RESOLUTION_AT);
		h |= (uint64_t)resolution << RESOLUTION_AT;
		h |= (UINT64_C(1) << digit_at(resolution)) - 1;
	}
	snprintf(ret, H3_TEXT_MAX, "%" PRIx64, h);
	return 0;
}
