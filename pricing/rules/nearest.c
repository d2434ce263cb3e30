#include "pricing/rules/nearest.h"

#include <stddef.h>
#include <string.h>

#define NAME_MAX_ 24

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edit distance; names over NAME_MAX_ are far from everything. */
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	size_t row[NAME_MAX_ + 1];

	if (n > NAME_MAX_ || m > NAME_MAX_)
		return NAME_MAX_;
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[m];
}

const char *nearest_name(const char *name, const char *const *names)
{
	const char *best = names[0];

	for (size_t i = 1; names[i]; i++) {
		if (!*best || (*names[i] && distance(name, names[i]) < distance(name, best)))
			best = names[i];
	}
	return best;
}

int nearest_index(const char *name, const char *const *names)
{
	for (int i = 0; names[i]; i++) {
		if (*name && strcmp(names[i], name) == 0)
			return i;
	}
	return -1;
}
