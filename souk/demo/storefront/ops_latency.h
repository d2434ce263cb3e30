#pragma once

/*
 * Percentiles over time from a Prometheus histogram: what the buckets gained within the last
 * OPS_WINDOW rounds. A window and not one second, since a demo's second has twenty values, of which
 * the 99th percentile is the largest.
 */
#include <stdbool.h>
#include <stddef.h>

#define OPS_BUCKETS_MAX 32
#define OPS_WINDOW      10 /* rounds */

/* Cumulative, as scraped: count[i] values are not above bound[i]; the last bound is infinite. */
struct ops_buckets {
	double bound[OPS_BUCKETS_MAX];
	double count[OPS_BUCKETS_MAX];
	size_t n;
};

struct ops_latency {
	struct ops_buckets last; /* as scraped */
	/* what has come in since the beginning, without the falls of a restart, of each round */
	double sum[OPS_WINDOW + 1][OPS_BUCKETS_MAX];
	size_t at;
	bool is_set;
};

/* Adds a bucket. False, and nothing done: bounds or counts fall, a count is no count, or there are
 * too many. */
bool ops_buckets_add(struct ops_buckets *b, double bound, double count);
/* Whether the last bound is infinite. */
bool ops_buckets_is_whole(const struct ops_buckets *b);

/* @q in 0..1, interpolated within its bucket, as Prometheus does it: the first bucket begins at 0,
 * and of what is above the highest finite bound only that bound is known. Not a number when there
 * are no values. */
double ops_buckets_quantile(const struct ops_buckets *b, double q);

/* Takes what was scraped in this round; @is_reset: the process began from zero since the last one.
 * Other bounds than before begin anew. */
void ops_latency_scraped(struct ops_latency *l, const struct ops_buckets *b, bool is_reset);
/* The round is over. */
void ops_latency_next(struct ops_latency *l);
/* What came in within the window; *ret has n == 0 before the first scrape. */
void ops_latency_window(const struct ops_latency *l, struct ops_buckets *ret);
