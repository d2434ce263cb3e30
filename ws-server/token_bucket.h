#pragma once

/*
 * Rate limit of one session: @rate a second, at most @burst at once.
 */
#include <stdint.h>

struct token_bucket {
	int64_t interval_us; /* between two at the sustained rate */
	int64_t slack_us;    /* how far ahead of that rate one may be */
	int64_t next_us;     /* when the next is due at that rate, monotonic */
};

/* @rate 1..1,000,000, @burst >= 1. */
void token_bucket_init(struct token_bucket *b, int64_t rate, int64_t burst);
/* 0: taken; else the milliseconds (>= 1) until one may be taken: nothing was taken. */
int64_t token_bucket_take(struct token_bucket *b, int64_t now_us);
