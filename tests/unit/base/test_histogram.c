#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/histogram.h"

Test(histogram, empty_one_is_zero_everywhere)
{
	CLEANUP(histogram_free) struct histogram *h = NULL;

	cr_assert(zero(int, histogram_new(&h)));
	cr_expect(zero(u64, histogram_count(h)));
	cr_expect(zero(i64, histogram_sum(h)));
	cr_expect(zero(i64, histogram_quantile(h, 0.5)));
	cr_expect(zero(u64, histogram_count_le(h, INT64_MAX)));
}

Test(histogram, small_values_are_exact)
{
	CLEANUP(histogram_free) struct histogram *h = NULL;

	cr_assert(zero(int, histogram_new(&h)));
	for (int64_t v = 1; v <= 100; v++)
		histogram_add(h, v);
	cr_expect(eq(i64, histogram_quantile(h, 0), 1));
	cr_expect(eq(i64, histogram_quantile(h, 0.01), 1));
	cr_expect(eq(i64, histogram_quantile(h, 0.07), 7));
	cr_expect(eq(i64, histogram_quantile(h, 0.5), 50));
	cr_expect(eq(i64, histogram_quantile(h, 0.99), 99));
	cr_expect(eq(i64, histogram_quantile(h, 1), 100));
	cr_expect(eq(i64, histogram_sum(h), 5050));
	cr_expect(eq(u64, histogram_count_le(h, 37), 37));
}

Test(histogram, error_stays_below_1_6_percent_at_every_magnitude)
{
	for (int64_t v = 1; v < INT64_MAX / 3; v += v / 7 + 1) {
		CLEANUP(histogram_free) struct histogram *h = NULL;
		int64_t q;

		cr_assert(zero(int, histogram_new(&h)));
		histogram_add(h, v);
		histogram_add(h, INT64_MAX); /* so that the maximum does not cap the bound */
		q = histogram_quantile(h, 0.5);
		cr_assert(ge(i64, q, v));
		cr_assert(le(dbl, (double)(q - v), 0.016 * (double)v));
	}
}

Test(histogram, extremes_are_counted)
{
	CLEANUP(histogram_free) struct histogram *h = NULL;

	cr_assert(zero(int, histogram_new(&h)));
	histogram_add(h, INT64_MIN);
	histogram_add(h, -1);
	histogram_add(h, 0);
	histogram_add(h, INT64_MAX);
	histogram_add(h, INT64_MAX);
	cr_expect(eq(u64, histogram_count_le(h, 0), 3));
	cr_expect(eq(u64, histogram_count_le(h, -1), 0));
	cr_expect(eq(u64, histogram_count_le(h, INT64_MAX), 5));
	cr_expect(eq(i64, histogram_quantile(h, 1), INT64_MAX));
	cr_expect(eq(i64, histogram_sum(h), INT64_MAX), "the sum saturates");
}

Test(histogram, count_le_includes_the_bound_itself)
{
	CLEANUP(histogram_free) struct histogram *h = NULL;

	cr_assert(zero(int, histogram_new(&h)));
	histogram_add(h, 499);
	histogram_add(h, 500);
	histogram_add(h, 1000);
	cr_expect(eq(u64, histogram_count_le(h, 500), 2));
	cr_expect(eq(u64, histogram_count_le(h, 1000), 3));
}

Test(histogram, quantile_never_exceeds_the_maximum)
{
	CLEANUP(histogram_free) struct histogram *h = NULL;

	cr_assert(zero(int, histogram_new(&h)));
	histogram_add(h, 1000001);
	cr_expect(eq(i64, histogram_quantile(h, 0.99), 1000001));
}
