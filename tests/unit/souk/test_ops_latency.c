/* Percentiles from differences of buckets. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>

#include "souk/demo/storefront/ops_latency.h"

#define SMALL 1e-9

static struct ops_buckets three(double a, double b, double all)
{
	struct ops_buckets r = { 0 };

	cr_assert(ops_buckets_add(&r, 0.1, a));
	cr_assert(ops_buckets_add(&r, 0.2, b));
	cr_assert(ops_buckets_add(&r, INFINITY, all));
	return r;
}

static double window_quantile(const struct ops_latency *l, double q)
{
	struct ops_buckets w;

	ops_latency_window(l, &w);
	return ops_buckets_quantile(&w, q);
}

/* The numbers are those of Prometheus' histogram_quantile() for the same buckets. */
Test(ops_latency, a_quantile_is_interpolated_within_its_bucket)
{
	const struct ops_buckets b = three(50, 100, 100);

	cr_expect(epsilon_eq(dbl, ops_buckets_quantile(&b, 0.25), 0.05, SMALL));
	cr_expect(epsilon_eq(dbl, ops_buckets_quantile(&b, 0.5), 0.1, SMALL));
	cr_expect(epsilon_eq(dbl, ops_buckets_quantile(&b, 0.9), 0.18, SMALL));
	cr_expect(epsilon_eq(dbl, ops_buckets_quantile(&b, 1), 0.2, SMALL));
}

Test(ops_latency, empty_buckets_in_front_hold_nothing)
{
	const struct ops_buckets b = three(0, 10, 10);

	cr_expect(epsilon_eq(dbl, ops_buckets_quantile(&b, 0), 0.1, SMALL));
	cr_expect(epsilon_eq(dbl, ops_buckets_quantile(&b, 0.5), 0.15, SMALL));
}

Test(ops_latency, of_what_is_above_the_highest_bound_only_the_bound_is_known)
{
	const struct ops_buckets b = three(0, 1, 10);

	cr_expect(epsilon_eq(dbl, ops_buckets_quantile(&b, 0.99), 0.2, SMALL));
}

Test(ops_latency, without_values_there_is_no_quantile)
{
	const struct ops_buckets none = three(0, 0, 0), empty = { 0 };
	struct ops_buckets only_infinite = { 0 };

	cr_expect(isnan(ops_buckets_quantile(&none, 0.5)));
	cr_expect(isnan(ops_buckets_quantile(&empty, 0.5)));
	cr_assert(ops_buckets_add(&only_infinite, INFINITY, 5));
	cr_expect(isnan(ops_buckets_quantile(&only_infinite, 0.5)));
}

Test(ops_latency, buckets_must_rise)
{
	struct ops_buckets b = { 0 };

	cr_expect(not(ops_buckets_add(&b, NAN, 1)));
	cr_expect(not(ops_buckets_add(&b, 1, NAN)));
	cr_expect(not(ops_buckets_add(&b, 1, -1)));
	cr_expect(not(ops_buckets_add(&b, 1, INFINITY)));
	cr_assert(ops_buckets_add(&b, 1, 5));
	cr_expect(not(ops_buckets_add(&b, 1, 6)), "the same bound");
	cr_expect(not(ops_buckets_add(&b, 0.5, 6)));
	cr_expect(not(ops_buckets_add(&b, 2, 4)), "fewer than below");
	cr_expect(eq(sz, b.n, 1));
	cr_expect(not(ops_buckets_is_whole(&b)));
	for (size_t i = 1; i < OPS_BUCKETS_MAX; i++)
		cr_assert(ops_buckets_add(&b, (double)i + 1, 5));
	cr_expect(not(ops_buckets_add(&b, INFINITY, 5)), "no room");
}

Test(ops_latency, what_came_before_the_first_scrape_is_not_in_the_window)
{
	struct ops_latency l = { 0 };
	struct ops_buckets b = three(1000, 1000, 1000);

	ops_latency_scraped(&l, &b, false);
	cr_expect(isnan(window_quantile(&l, 0.5)));
	ops_latency_next(&l);
	b = three(1000, 1010, 1010);
	ops_latency_scraped(&l, &b, false);
	cr_expect(epsilon_eq(dbl, window_quantile(&l, 0.5), 0.15, SMALL), "the ten new ones only");
}

Test(ops_latency, values_leave_the_window_after_ten_rounds)
{
	struct ops_latency l = { 0 };
	struct ops_buckets b = three(0, 0, 0);

	ops_latency_scraped(&l, &b, false);
	ops_latency_next(&l);
	b = three(10, 10, 10);
	for (int i = 0; i < OPS_WINDOW; i++) {
		ops_latency_scraped(&l, &b, false);
		cr_expect(epsilon_eq(dbl, window_quantile(&l, 0.5), 0.05, SMALL), "round %d", i);
		ops_latency_next(&l);
	}
	ops_latency_scraped(&l, &b, false);
	cr_expect(isnan(window_quantile(&l, 0.5)), "they are older than the window");
}

Test(ops_latency, a_restart_counts_from_zero)
{
	struct ops_latency l = { 0 };
	struct ops_buckets b = three(100, 100, 100), w;

	ops_latency_scraped(&l, &b, false);
	ops_latency_next(&l);
	b = three(0, 4, 4);
	ops_latency_scraped(&l, &b, true);
	ops_latency_window(&l, &w);
	cr_expect(epsilon_eq(dbl, w.count[0], 0, SMALL));
	cr_expect(epsilon_eq(dbl, w.count[2], 4, SMALL));
}

Test(ops_latency, other_bounds_begin_anew)
{
	struct ops_latency l = { 0 };
	struct ops_buckets b = three(1, 2, 3), other = { 0 }, w;

	ops_latency_scraped(&l, &b, false);
	ops_latency_next(&l);
	cr_assert(ops_buckets_add(&other, 7, 50));
	cr_assert(ops_buckets_add(&other, INFINITY, 50));
	ops_latency_scraped(&l, &other, false);
	ops_latency_window(&l, &w);
	cr_expect(eq(sz, w.n, 2));
	cr_expect(zero(dbl, w.count[1]));
}
