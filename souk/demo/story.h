#pragma once

/*
 * The data's time on our clock: the window of the auctions moved to the present and sped up. Shared
 * by the world that tells the story and the shoppers that choose where to look.
 */
#include <stdint.h>

struct story {
	int64_t from_s;   /* data time at the start */
	int64_t start_ms; /* our time then */
	int64_t speed;    /* data seconds per second */
};

#define STORY_FROM_S  1615161600 /* 2021-03-08: the busy weeks begin */
#define STORY_UNTIL_S 1619827200 /* 2021-05-01: the data ends */
#define STORY_SPEED   1440       /* a day of auctions in a minute */

static inline int64_t story_data_s(const struct story *s, int64_t now_ms)
{
	return s->from_s + (now_ms - s->start_ms) * s->speed / 1000;
}

static inline int64_t story_our_ms(const struct story *s, int64_t data_s)
{
	return s->start_ms + (data_s - s->from_s) * 1000 / s->speed;
}
