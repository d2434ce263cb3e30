/*
 * Bucket of a value: below 64 the value itself; above, the octave (position of the highest bit) and
 * the six bits after it. So a bucket's width is 1/64 of its lower bound, whatever the magnitude,
 * and finding it is a count of leading zeros and a shift.
 */
#include "common/base/histogram.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define STEP_BITS 6
#define STEPS     (1 << STEP_BITS)
#define N_BUCKETS ((63 - STEP_BITS + 1) * STEPS) /* int64_t has octaves 0..62 */

struct histogram {
	uint64_t count;
	int64_t sum;
	int64_t max;
	uint64_t buckets[N_BUCKETS];
};

int histogram_new(struct histogram **ret)
{
	struct histogram *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	*ret = h;
	return 0;
}

struct histogram *histogram_free(struct histogram *h)
{
	free(h);
	return NULL;
}

static size_t bucket_of(int64_t value)
{
	unsigned octave;

	if (value < STEPS)
		return (size_t)value;
	octave = 63 - (unsigned)__builtin_clzll((unsigned long long)value);
	return (size_t)(octave - STEP_BITS) * STEPS + (size_t)(value >> (octave - STEP_BITS));
}

static int64_t bucket_upper(size_t bucket)
{
	size_t shift;
	uint64_t lower;

	if (bucket < STEPS)
		return (int64_t)bucket;
	shift = bucket / STEPS - 1;
	lower = (uint64_t)(bucket % STEPS + STEPS) << shift;
	return (int64_t)(lower + ((UINT64_C(1) << shift) - 1));
}

static int64_t add_saturated(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

void histogram_add(struct histogram *h, int64_t value)
{
	if (value < 0)
		value = 0;
	h->buckets[bucket_of(value)]++;
	h->count++;
	h->sum = add_saturated(h->sum, value);
	if (value > h->max)
		h->max = value;
}

uint64_t histogram_count(const struct histogram *h)
{
	return h->count;
}

int64_t histogram_sum(const struct histogram *h)
{
	return h->sum;
}

int64_t histogram_quantile(const struct histogram *h, double q)
{
	uint64_t rank, seen = 0;

	assert(q >= 0 && q <= 1);
	if (h->count == 0)
		return 0;
	/* 0.07 * 100 is 7.000000000000001: the nudge keeps the rank at 7. */
	rank = (uint64_t)ceil(q * (double)h->count - 1e-6);
	for (size_t i = 0; i < N_BUCKETS; i++) {
		int64_t upper = bucket_upper(i);

		seen += h->buckets[i];
		if (h->buckets[i] && seen >= rank)
			return upper < h->max ? upper : h->max;
	}
	return h->max;
}

uint64_t histogram_count_le(const struct histogram *h, int64_t bound)
{
	uint64_t n = 0;
	size_t last;

	if (bound < 0)
		return 0;
	last = bucket_of(bound);
	for (size_t i = 0; i <= last; i++)
		n += h->buckets[i];
	return n;
}
