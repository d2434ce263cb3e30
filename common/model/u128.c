/*
 * value * num / den, exactly.
 *
 * The product of two 128-bit numbers needs 256 bits, which no C type has, so it is made of four
 * 64-bit products. Nearly every call (an amount below 2^96 times basis points) has a product below
 * 2^128 and takes one hardware-assisted division; only the rest, conversions over a rate with both
 * sides large, pays for 128 steps of shift and subtract. That is slower than Knuth's algorithm D
 * and has none of its corner cases.
 */
#include "common/model/money.h"

#include <assert.h>

struct u256 {
	u128 hi;
	u128 lo;
};

static struct u256 mul(u128 a, u128 b)
{
	u128 a0 = (uint64_t)a, a1 = a >> 64;
	u128 b0 = (uint64_t)b, b1 = b >> 64;
	u128 low = a0 * b0;
	u128 cross_a = a1 * b0;
	u128 cross_b = a0 * b1;
	/* Three 64-bit terms: at most 3 * (2^64 - 1), no overflow. */
	u128 middle = (low >> 64) + (uint64_t)cross_a + (uint64_t)cross_b;

	return (struct u256){
		.hi = a1 * b1 + (cross_a >> 64) + (cross_b >> 64) + (middle >> 64),
		.lo = middle << 64 | (uint64_t)low,
	};
}

/* n.hi < den, so the quotient fits. */
static u128 divide(struct u256 n, u128 den, u128 *ret_rem)
{
	u128 rem = n.hi;
	u128 quotient = n.lo;

	if (rem == 0) {
		*ret_rem = quotient % den;
		return quotient / den;
	}
	/* The numerator's low half leaves at the top of `quotient` as the quotient's bits enter at
	 * its bottom. */
	for (int i = 0; i < 128; i++) {
		bool carry = rem >> 127;

		rem = rem << 1 | quotient >> 127;
		quotient <<= 1;
		/* With the carry the true remainder is 2^128 + rem: larger than den, and the
		 * subtraction wraps to the right value. */
		if (carry || rem >= den) {
			rem -= den;
			quotient |= 1;
		}
	}
	*ret_rem = rem;
	return quotient;
}

static bool rounds_up(u128 quotient, u128 rem, u128 den, enum rounding mode)
{
	u128 gap = den - rem; /* compared with rem instead of 2 * rem with den: cannot overflow */

	if (rem == 0)
		return false;
	switch (mode) {
	case ROUND_DOWN:
		return false;
	case ROUND_UP:
		return true;
	case ROUND_HALF_UP:
		return rem >= gap;
	case ROUND_HALF_DOWN:
		return rem > gap;
	case ROUND_HALF_EVEN:
		return rem > gap || (rem == gap && (quotient & 1) != 0);
	}
	assert(!"a rounding mode");
	return false;
}

int u128_mul_div(u128 *ret, u128 value, u128 num, u128 den, enum rounding mode)
{
	struct u256 product = mul(value, num);
	u128 quotient, rem;

	assert(den != 0);
	if (product.hi >= den)
		return MONEY_E_RANGE;
	quotient = divide(product, den, &rem);
	if (rounds_up(quotient, rem, den, mode) && ++quotient == 0)
		return MONEY_E_RANGE;
	*ret = quotient;
	return 0;
}
