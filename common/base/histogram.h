#pragma once

/*
 * Log-linear histogram of non-negative integers (microseconds by convention): 64 linear steps per
 * octave, relative error below 1.6 %, fixed memory, no allocation on the hot path.
 */
#include <stdint.h>

#include "common/base/cleanup.h"

struct histogram;

MUST_CHECK int histogram_new(struct histogram **ret);
struct histogram *histogram_free(struct histogram *h);
DEFINE_CLEANUP(struct histogram *, histogram_free)

void histogram_add(struct histogram *h, int64_t value); /* negative counts as 0 */
uint64_t histogram_count(const struct histogram *h);
int64_t histogram_sum(const struct histogram *h);

/* @q in 0..1: the lowest recorded bucket bound that at least q of the values do not exceed; 0 when
 * empty. */
int64_t histogram_quantile(const struct histogram *h, double q);

/* Values <= @bound (bucket resolution): for Prometheus buckets. */
uint64_t histogram_count_le(const struct histogram *h, int64_t bound);
