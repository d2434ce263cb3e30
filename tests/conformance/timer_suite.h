#pragma once

/* What both loops promise about timers (common/io/loop.h). */
#include <stddef.h>

#include "common/io/loop.h"

struct timer_suite {
	struct loop *loop;
	/* Lets at least @ms pass on the loop. */
	void (*pass)(struct timer_suite *s, int64_t ms);
	unsigned failures;
};

struct timer_case {
	const char *name;
	void (*run)(struct timer_suite *s);
};

extern const struct timer_case TIMER_CASES[];
extern const size_t N_TIMER_CASES;
