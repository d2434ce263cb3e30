/*
 * Full jitter: of the usual schemes it spreads a crowd that lost its server at once the widest. The
 * numbers come from splitmix64 (public domain, Steele et al.): one word of state, any seed is good,
 * zero included.
 */
#include "common/io/backoff.h"

static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

int64_t backoff_next_ms(struct backoff *b)
{
	int64_t ceiling_ms = b->base_ms > 0 ? b->base_ms : 0;

	for (unsigned i = 0; i < b->attempt && ceiling_ms > 0 && ceiling_ms < b->cap_ms; i++)
		ceiling_ms = ceiling_ms > b->cap_ms / 2 ? b->cap_ms : ceiling_ms * 2;
	if (ceiling_ms > b->cap_ms)
		ceiling_ms = b->cap_ms > 0 ? b->cap_ms : 0;
	if (b->attempt < 63)
		b->attempt++;
	/* The high half of a 128-bit product maps 64 bits onto the range without a modulo's bias
	 * towards small values. */
	return (int64_t)(((unsigned __int128)random_next(&b->state) * ((uint64_t)ceiling_ms + 1)) >>
			 64);
}

void backoff_reset(struct backoff *b)
{
	b->attempt = 0;
}
