#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "ws-server/token_bucket.h"

Test(token_bucket, burst_is_taken_at_once_and_then_the_rate_rules)
{
	struct token_bucket b;
	int64_t now_us = 1000000;

	token_bucket_init(&b, 10, 3);
	for (int i = 0; i < 3; i++)
		cr_assert(zero(long, token_bucket_take(&b, now_us)));
	cr_expect(eq(long, token_bucket_take(&b, now_us), 100));
	cr_expect(eq(long, token_bucket_take(&b, now_us + 99001), 1), "rounded up, never 0");
	cr_expect(zero(long, token_bucket_take(&b, now_us + 100000)));
	cr_expect(eq(long, token_bucket_take(&b, now_us + 100000), 100));
}

Test(token_bucket, refusal_takes_nothing)
{
	struct token_bucket b;

	token_bucket_init(&b, 1, 1);
	cr_assert(zero(long, token_bucket_take(&b, 0)));
	for (int i = 0; i < 100; i++)
		cr_assert(eq(long, token_bucket_take(&b, 0), 1000));
	cr_expect(zero(long, token_bucket_take(&b, 1000000)));
}

Test(token_bucket, long_rest_fills_the_burst_and_no_more)
{
	struct token_bucket b;

	token_bucket_init(&b, 1000000, 2);
	cr_assert(zero(long, token_bucket_take(&b, 0)));
	cr_expect(zero(long, token_bucket_take(&b, INT64_C(1) << 50)));
	cr_expect(zero(long, token_bucket_take(&b, INT64_C(1) << 50)));
	cr_expect(eq(long, token_bucket_take(&b, INT64_C(1) << 50), 1));
}
