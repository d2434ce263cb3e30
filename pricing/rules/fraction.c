/*
 * A numerator below 2^128 is enough for a list price of some units of an 18-decimal token and five
 * groups, so nearly every decision stays with it; what goes over moves to 512 bits and stays there.
 *
 * Division by 10^(4k) is short division by 10^16, repeated: a remainder of the last step decides
 * about halves, and those before only break ties, because every divisor is even.
 */
#include "pricing/rules/fraction.h"

#include <assert.h>
#include <string.h>

#define BPS_UNIT    10000
#define GROUPS_STEP 4 /* 10^16, the largest power of 10^4 in 64 bits */

static const uint64_t powers[GROUPS_STEP + 1] = { 1, 10000, 100000000, UINT64_C(1000000000000),
	UINT64_C(10000000000000000) };

/* ---- wide ---- */

static void widen(struct fraction *f)
{
	if (f->is_wide)
		return;
	memset(f->w, 0, sizeof(f->w));
	f->w[0] = (uint64_t)f->small;
	f->w[1] = (uint64_t)(f->small >> 64);
	f->is_wide = true;
}

static void wide_mul(uint64_t w[FRACTION_WORDS], uint64_t by)
{
	u128 carry = 0;

	for (int i = 0; i < FRACTION_WORDS; i++) {
		carry += (u128)w[i] * by;
		w[i] = (uint64_t)carry;
		carry >>= 64;
	}
	assert(carry == 0);
}

static uint64_t wide_div(uint64_t w[FRACTION_WORDS], uint64_t by)
{
	u128 rem = 0;

	for (int i = FRACTION_WORDS; i-- > 0;) {
		rem = rem << 64 | w[i];
		w[i] = (uint64_t)(rem / by);
		rem %= by;
	}
	return (uint64_t)rem;
}

static int wide_cmp(const uint64_t a[FRACTION_WORDS], const uint64_t b[FRACTION_WORDS])
{
	for (int i = FRACTION_WORDS; i-- > 0;) {
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	}
	return 0;
}

static void wide_add(uint64_t a[FRACTION_WORDS], const uint64_t b[FRACTION_WORDS])
{
	u128 carry = 0;

	for (int i = 0; i < FRACTION_WORDS; i++) {
		carry += (u128)a[i] + b[i];
		a[i] = (uint64_t)carry;
		carry >>= 64;
	}
	assert(carry == 0);
}

/* a >= b */
static void wide_sub(uint64_t a[FRACTION_WORDS], const uint64_t b[FRACTION_WORDS])
{
	bool borrow = false;

	for (int i = 0; i < FRACTION_WORDS; i++) {
		u128 take = (u128)b[i] + borrow;

		borrow = a[i] < take;
		a[i] = (uint64_t)(a[i] - take);
	}
	assert(!borrow);
}

static void wide_scale(uint64_t w[FRACTION_WORDS], unsigned k)
{
	for (; k > GROUPS_STEP; k -= GROUPS_STEP)
		wide_mul(w, powers[GROUPS_STEP]);
	wide_mul(w, powers[k]);
}

static void wide_of(struct fraction *ret, u128 amount, unsigned k)
{
	fraction_init(ret, amount);
	widen(ret);
	wide_scale(ret->w, k);
}

/* ---- small ---- */

/* amount * 10^(4k); false if it does not fit. */
static bool scaled(u128 *ret, u128 amount, unsigned k)
{
	for (; k > GROUPS_STEP; k -= GROUPS_STEP) {
		if (__builtin_mul_overflow(amount, (u128)powers[GROUPS_STEP], &amount))
			return false;
	}
	return !__builtin_mul_overflow(amount, (u128)powers[k], ret);
}

/* ---- both ---- */

void fraction_mul_bps(struct fraction *f, int64_t bps)
{
	uint64_t factor;

	if (bps == 0)
		return;
	assert(f->k < FRACTION_GROUPS_MAX);
	if (bps < -BPS_UNIT)
		bps = -BPS_UNIT;
	if (bps > FRACTION_BPS_MAX)
		bps = FRACTION_BPS_MAX;
	factor = (uint64_t)(BPS_UNIT + bps);
	f->k++;
	if (!f->is_wide) {
		u128 product;

		if (!__builtin_mul_overflow(f->small, (u128)factor, &product)) {
			f->small = product;
			return;
		}
		widen(f);
	}
	wide_mul(f->w, factor);
}

void fraction_sub(struct fraction *f, u128 amount)
{
	struct fraction take;
	u128 small;

	if (amount == 0)
		return;
	if (!f->is_wide) {
		f->small = scaled(&small, amount, f->k) && small < f->small ? f->small - small : 0;
		return;
	}
	wide_of(&take, amount, f->k);
	if (wide_cmp(take.w, f->w) < 0)
		wide_sub(f->w, take.w);
	else
		memset(f->w, 0, sizeof(f->w));
}

void fraction_add(struct fraction *f, u128 amount)
{
	struct fraction more;
	u128 small;

	if (amount == 0)
		return;
	if (!f->is_wide && scaled(&small, amount, f->k) &&
		!__builtin_add_overflow(f->small, small, &small)) {
		f->small = small;
		return;
	}
	wide_of(&more, amount, f->k);
	widen(f);
	wide_add(f->w, more.w);
}

int fraction_cmp(const struct fraction *a, const struct fraction *b)
{
	struct fraction x, y;

	if (!a->is_wide && !b->is_wide && a->k == b->k)
		return (a->small > b->small) - (a->small < b->small);
	x = *a;
	y = *b;
	widen(&x);
	widen(&y);
	wide_scale(x.w, b->k > a->k ? (unsigned)(b->k - a->k) : 0);
	wide_scale(y.w, a->k > b->k ? (unsigned)(a->k - b->k) : 0);
	return wide_cmp(x.w, y.w);
}

/* @half: how what is left compares with a half; @is_exact: nothing is left. */
static bool rounds_up(enum rounding mode, bool is_odd, bool is_exact, int half)
{
	if (is_exact)
		return false;
	switch (mode) {
	case ROUND_DOWN:
		return false;
	case ROUND_UP:
		return true;
	case ROUND_HALF_UP:
		return half >= 0;
	case ROUND_HALF_DOWN:
		return half > 0;
	case ROUND_HALF_EVEN:
		return half > 0 || (half == 0 && is_odd);
	}
	return false;
}

static int half_of(uint64_t rem, uint64_t den, bool is_more)
{
	if (rem != den / 2)
		return rem > den / 2 ? 1 : -1;
	return is_more;
}

static u128 round_small(u128 small, unsigned k, enum rounding mode)
{
	bool is_more = false;
	uint64_t den, rem;

	for (; k > GROUPS_STEP; k -= GROUPS_STEP) {
		is_more |= small % powers[GROUPS_STEP] != 0;
		small /= powers[GROUPS_STEP];
	}
	den = powers[k];
	if (small >> 64) {
		rem = (uint64_t)(small % den);
		small /= den;
	} else {
		rem = (uint64_t)small % den;
		small = (uint64_t)small / den;
	}
	return small + rounds_up(mode, small & 1, rem == 0 && !is_more, half_of(rem, den, is_more));
}

static u128 round_wide(const struct fraction *f, enum rounding mode)
{
	struct fraction x = *f;
	bool is_more = false;
	unsigned k = f->k;
	uint64_t rem;
	u128 ret;

	for (; k > GROUPS_STEP; k -= GROUPS_STEP)
		is_more |= wide_div(x.w, powers[GROUPS_STEP]) != 0;
	rem = wide_div(x.w, powers[k]);
	for (int i = 2; i < FRACTION_WORDS; i++) {
		if (x.w[i])
			return ~(u128)0;
	}
	ret = (u128)x.w[1] << 64 | x.w[0];
	if (rounds_up(mode, ret & 1, rem == 0 && !is_more, half_of(rem, powers[k], is_more)) &&
		ret != ~(u128)0)
		ret++;
	return ret;
}

u128 fraction_round(const struct fraction *f, enum rounding mode)
{
	if (f->is_wide)
		return round_wide(f, mode);
	return f->k ? round_small(f->small, f->k, mode) : f->small;
}
