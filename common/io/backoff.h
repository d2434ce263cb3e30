#pragma once

/* Full-jitter exponential back-off: uniform in [0, min(cap, base * 2^attempt)]. Deterministic for a
 * seed. */
#include <stdint.h>

struct backoff {
	int64_t base_ms, cap_ms;
	unsigned attempt;
	uint64_t state;
};

#define BACKOFF_INIT(base_, cap_, seed_) \
	((struct backoff){ .base_ms = (base_), .cap_ms = (cap_), .state = (seed_) })

int64_t backoff_next_ms(struct backoff *b);
void backoff_reset(struct backoff *b);
