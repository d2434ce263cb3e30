#include "souk/demo/storefront/ops_latency.h"

#include <math.h>
#include <string.h>

bool ops_buckets_add(struct ops_buckets *b, double bound, double count)
{
	if (b->n == OPS_BUCKETS_MAX || isnan(bound) || !isfinite(count) || count < 0)
		return false;
	if (b->n && (bound <= b->bound[b->n - 1] || count < b->count[b->n - 1]))
		return false;
	b->bound[b->n] = bound;
	b->count[b->n++] = count;
	return true;
}

bool ops_buckets_is_whole(const struct ops_buckets *b)
{
	return b->n && isinf(b->bound[b->n - 1]);
}

double ops_buckets_quantile(const struct ops_buckets *b, double q)
{
	const double total = b->n ? b->count[b->n - 1] : 0;
	const double rank = q * total;
	size_t i = 0;

	if (!(total > 0))
		return NAN;
	/* Empty buckets in front have no values, whatever the rank. */
	while (i + 1 < b->n && (b->count[i] < rank || !(b->count[i] > 0)))
		i++;
	if (isinf(b->bound[i]))
		return i ? b->bound[i - 1] : NAN;

	const double low = i ? b->bound[i - 1] : fmin(0, b->bound[0]);
	const double before = i ? b->count[i - 1] : 0;

	return low + (b->bound[i] - low) * (rank - before) / (b->count[i] - before);
}

static bool has_same_bounds(const struct ops_buckets *a, const struct ops_buckets *b)
{
	return a->n == b->n && memcmp(a->bound, b->bound, a->n * sizeof(a->bound[0])) == 0;
}

void ops_latency_scraped(struct ops_latency *l, const struct ops_buckets *b, bool is_reset)
{
	double *sum = l->sum[l->at];

	if (!l->is_set || !has_same_bounds(&l->last, b)) {
		*l = (struct ops_latency){ .last = *b, .is_set = true };
		return;
	}
	for (size_t i = 0; i < b->n; i++)
		sum[i] += is_reset ? b->count[i] : b->count[i] - l->last.count[i];
	l->last = *b;
}

void ops_latency_next(struct ops_latency *l)
{
	const size_t from = l->at;

	l->at = (l->at + 1) % (OPS_WINDOW + 1);
	memcpy(l->sum[l->at], l->sum[from], sizeof(l->sum[0]));
}

void ops_latency_window(const struct ops_latency *l, struct ops_buckets *ret)
{
	const double *now = l->sum[l->at];
	const double *then = l->sum[(l->at + 1) % (OPS_WINDOW + 1)];

	*ret = (struct ops_buckets){ .n = l->is_set ? l->last.n : 0 };
	for (size_t i = 0; i < ret->n; i++) {
		ret->bound[i] = l->last.bound[i];
		ret->count[i] = now[i] - then[i];
	}
}
