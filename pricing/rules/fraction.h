#pragma once

/*
 * A price between list price and rounding: an integer over 10^(4k), exact. Every group of rules
 * multiplies by (10000 + basis points) and raises k by one; nothing is rounded until
 * fraction_round(), which divides once.
 *
 * Room: FRACTION_GROUPS_MAX multiplications by at most (10000 + FRACTION_BPS_MAX), and amounts of
 * less than 2^103 (128 effects of MONEY_INPUT_BITS) added before each.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/model/money.h"

#define FRACTION_GROUPS_MAX 16
#define FRACTION_BPS_MAX    1000000
#define FRACTION_WORDS      8

struct fraction {
	u128 small;                 /* the numerator while it fits */
	uint64_t w[FRACTION_WORDS]; /* else here, lowest first */
	uint8_t k;
	bool is_wide;
};

static inline void fraction_init(struct fraction *f, u128 amount)
{
	f->small = amount;
	f->k = 0;
	f->is_wide = false;
}

/* Times (10000 + @bps) / 10000; below -10000 counts as -10000, above FRACTION_BPS_MAX as that. */
void fraction_mul_bps(struct fraction *f, int64_t bps);
/* Less @amount; not below zero. */
void fraction_sub(struct fraction *f, u128 amount);
void fraction_add(struct fraction *f, u128 amount);
/* -1, 0, 1. */
int fraction_cmp(const struct fraction *a, const struct fraction *b);
/* The one division. More than 128 bits: all ones, which no guard lets through. */
u128 fraction_round(const struct fraction *f, enum rounding mode);
