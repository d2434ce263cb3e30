/*
 * The table is the X-macro of the header, spelled out once. The names are entered into an open hash
 * before main(), while there is only one thread: a table written by hand would have to be worked
 * out anew with every function, and one filled at the first call would need a lock.
 */
#include "pricing/cel/function.h"

#include <stdint.h>

#define G  true, false
#define M  false, true
#define GM true, true

const struct cel_function_info cel_functions[CEL_F_N] = {
#define X(id, text, least, most, how) \
	[CEL_F_##id] = { { text, sizeof(text) - 1 }, least, most, how },
	CEL_FUNCTIONS(X)
#undef X
};

#define N_BUCKETS 256 /* about four for each name: nearly every look-up is one comparison */

static uint8_t buckets[N_BUCKETS];

_Static_assert(CEL_F_N < N_BUCKETS / 2, "room in the hash, and a byte for every number");

/* FNV-1a; names of functions are short. */
static unsigned hash(struct str name)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (unsigned char)name.p[i]) * 16777619u;
	return (h ^ h >> 16) % N_BUCKETS;
}

__attribute__((constructor)) static void fill_buckets(void)
{
	for (unsigned f = CEL_F_UNKNOWN + 1; f < CEL_F_N; f++) {
		unsigned at = hash(cel_functions[f].name);

		while (buckets[at] != 0)
			at = (at + 1) % N_BUCKETS;
		buckets[at] = (uint8_t)f;
	}
}

enum cel_function cel_function_find(struct str name)
{
	for (unsigned at = hash(name); buckets[at] != 0; at = (at + 1) % N_BUCKETS) {
		if (str_eq(cel_functions[buckets[at]].name, name))
			return (enum cel_function)buckets[at];
	}
	return CEL_F_UNKNOWN;
}
