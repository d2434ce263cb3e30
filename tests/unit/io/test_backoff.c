#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/io/backoff.h"

Test(backoff, stays_below_a_ceiling_that_doubles_up_to_the_cap)
{
	struct backoff b = BACKOFF_INIT(100, 1000, 42);
	static const int64_t CEILING[] = { 100, 200, 400, 800, 1000, 1000, 1000 };

	for (int round = 0; round < 200; round++) {
		backoff_reset(&b);
		for (size_t i = 0; i < sizeof(CEILING) / sizeof(CEILING[0]); i++) {
			int64_t ms = backoff_next_ms(&b);

			cr_assert(ge(i64, ms, 0));
			cr_assert(le(i64, ms, CEILING[i]));
		}
	}
}

Test(backoff, uses_the_whole_range)
{
	struct backoff b = BACKOFF_INIT(9, 9, 7);
	unsigned hits[10] = { 0 };

	for (int i = 0; i < 2000; i++)
		hits[backoff_next_ms(&b)]++;
	for (int i = 0; i < 10; i++)
		cr_expect(gt(uint, hits[i], 100));
}

Test(backoff, the_same_seed_gives_the_same_delays)
{
	struct backoff a = BACKOFF_INIT(1000, 30000, 99), b = a, c = BACKOFF_INIT(1000, 30000, 100);
	bool differs = false;

	for (int i = 0; i < 20; i++) {
		int64_t ms = backoff_next_ms(&a);

		cr_expect(eq(i64, ms, backoff_next_ms(&b)));
		differs = differs || ms != backoff_next_ms(&c);
	}
	cr_expect(differs);
}

Test(backoff, a_base_above_the_cap_is_cut_to_it)
{
	struct backoff b = BACKOFF_INIT(5000, 50, 1);

	for (int i = 0; i < 100; i++)
		cr_expect(le(i64, backoff_next_ms(&b), 50));
}

Test(backoff, zero_is_no_delay)
{
	struct backoff none = BACKOFF_INIT(0, 1000, 1), capped = BACKOFF_INIT(1000, 0, 1);

	for (int i = 0; i < 100; i++) {
		cr_expect(zero(i64, backoff_next_ms(&none)));
		cr_expect(zero(i64, backoff_next_ms(&capped)));
	}
}

Test(backoff, survives_the_largest_values_and_many_attempts)
{
	struct backoff b = BACKOFF_INIT(INT64_MAX, INT64_MAX, 3),
		       long_lived = BACKOFF_INIT(1, INT64_MAX, 3);

	for (int i = 0; i < 1000; i++) {
		cr_expect(ge(i64, backoff_next_ms(&b), 0));
		cr_expect(ge(i64, backoff_next_ms(&long_lived), 0));
	}
}
