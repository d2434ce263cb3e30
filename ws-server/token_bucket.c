/*
 * The bucket kept as one time instead of a level (GCRA): nothing has to be refilled, and the wait
 * is a subtraction.
 */
#include "ws-server/token_bucket.h"

#include <assert.h>

void token_bucket_init(struct token_bucket *b, int64_t rate, int64_t burst)
{
	assert(rate >= 1 && rate <= 1000000 && burst >= 1);
	b->interval_us = 1000000 / rate;
	b->slack_us = (burst - 1) * b->interval_us;
	b->next_us = 0;
}

int64_t token_bucket_take(struct token_bucket *b, int64_t now_us)
{
	int64_t due_us = b->next_us > now_us ? b->next_us : now_us;
	int64_t wait_us = due_us - now_us - b->slack_us;

	if (wait_us > 0)
		return (wait_us + 999) / 1000;
	b->next_us = due_us + b->interval_us;
	return 0;
}
