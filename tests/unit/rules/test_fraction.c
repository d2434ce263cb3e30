#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "pricing/rules/fraction.h"

/* ---- decimal numbers of 200 digits, lowest first: dividing by a power of ten is a shift ---- */

#define DIGITS 200

struct big {
	unsigned char d[DIGITS];
};

static struct big big_of(u128 v)
{
	struct big b = { { 0 } };

	for (int i = 0; v; i++, v /= 10)
		b.d[i] = (unsigned char)(v % 10);
	return b;
}

static struct big big_mul(struct big a, uint64_t by)
{
	u128 carry = 0;

	for (int i = 0; i < DIGITS; i++) {
		carry += (u128)a.d[i] * by;
		a.d[i] = (unsigned char)(carry % 10);
		carry /= 10;
	}
	cr_assert(carry == 0);
	return a;
}

static struct big big_add(struct big a, struct big b)
{
	unsigned carry = 0;

	for (int i = 0; i < DIGITS; i++) {
		carry += (unsigned)a.d[i] + b.d[i];
		a.d[i] = (unsigned char)(carry % 10);
		carry /= 10;
	}
	cr_assert(carry == 0);
	return a;
}

static int big_cmp(struct big a, struct big b)
{
	for (int i = DIGITS; i-- > 0;) {
		if (a.d[i] != b.d[i])
			return a.d[i] < b.d[i] ? -1 : 1;
	}
	return 0;
}

static struct big big_sub(struct big a, struct big b)
{
	int borrow = 0;

	for (int i = 0; i < DIGITS; i++) {
		int d = a.d[i] - b.d[i] - borrow;

		borrow = d < 0;
		a.d[i] = (unsigned char)(d + 10 * borrow);
	}
	return a;
}

static struct big big_shift(struct big a, unsigned digits)
{
	struct big b = { { 0 } };

	for (unsigned i = 0; i + digits < DIGITS; i++)
		b.d[i + digits] = a.d[i];
	return b;
}

/* In the textbook's words: the whole part, and what is behind the point compared with a half. */
static struct big big_round(struct big a, unsigned digits, enum rounding mode)
{
	struct big q = { { 0 } }, one = big_of(1);
	bool rest = false, lower = false, up = false;
	unsigned first = digits ? a.d[digits - 1] : 0;

	for (unsigned i = 0; i < digits; i++)
		rest |= a.d[i] != 0;
	for (unsigned i = 0; i + 1 < digits; i++)
		lower |= a.d[i] != 0;
	for (unsigned i = digits; i < DIGITS; i++)
		q.d[i - digits] = a.d[i];
	if (mode == ROUND_UP)
		up = rest;
	else if (mode == ROUND_HALF_UP)
		up = first >= 5;
	else if (mode == ROUND_HALF_DOWN)
		up = first > 5 || (first == 5 && lower);
	else if (mode == ROUND_HALF_EVEN)
		up = first > 5 || (first == 5 && (lower || q.d[0] % 2));
	return up ? big_add(q, one) : q;
}

struct pair {
	struct fraction f;
	struct big n; /* numerator over 10^(4k) */
	unsigned k;
};

static void pair_init(struct pair *p, u128 amount)
{
	fraction_init(&p->f, amount);
	p->n = big_of(amount);
	p->k = 0;
}

static void pair_mul(struct pair *p, int64_t bps)
{
	int64_t factor = 10000 + (bps < -10000 ? -10000 : bps > 1000000 ? 1000000 : bps);

	fraction_mul_bps(&p->f, bps);
	p->n = big_mul(p->n, (uint64_t)factor);
	p->k++;
}

static void pair_sub(struct pair *p, u128 amount)
{
	struct big take = big_shift(big_of(amount), 4 * p->k);

	fraction_sub(&p->f, amount);
	p->n = big_cmp(p->n, take) > 0 ? big_sub(p->n, take) : big_of(0);
}

static void pair_add(struct pair *p, u128 amount)
{
	fraction_add(&p->f, amount);
	p->n = big_add(p->n, big_shift(big_of(amount), 4 * p->k));
}

static void pair_check(const struct pair *p)
{
	const struct big all_ones = big_of(~(u128)0);

	for (int mode = ROUND_DOWN; mode <= ROUND_HALF_EVEN; mode++) {
		struct big want = big_round(p->n, 4 * p->k, (enum rounding)mode);
		u128 got = fraction_round(&p->f, (enum rounding)mode);

		if (big_cmp(want, all_ones) > 0)
			want = all_ones;
		cr_assert(big_cmp(big_of(got), want) == 0, "mode %d, k %u, wide %d", mode, p->k,
			p->f.is_wide);
	}
}

static uint64_t state = 88172645463325252u;
static uint64_t any(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Of any size up to @bits. */
static u128 any_amount(unsigned bits)
{
	u128 v = (u128)any() << 64 | any();

	return v >> (128 - bits + any() % bits);
}

static int64_t any_bps(void)
{
	static const int64_t edges[] = { -20000, -10000, -9999, -1, 1, 5000, 1000000, 2000000 };

	return any() % 8 ? (int64_t)(any() % 4001) - 2000 : edges[any() % 8];
}

Test(fraction, is_what_integers_of_any_size_say)
{
	for (int i = 0; i < 3000; i++) {
		unsigned groups = (unsigned)(any() % (FRACTION_GROUPS_MAX + 1));
		struct pair p;

		pair_init(&p, any_amount(96));
		for (unsigned g = 0; g < groups; g++) {
			int64_t bps = any_bps();

			if (bps)
				pair_mul(&p, bps);
			if (any() % 4 == 0)
				pair_sub(&p, any_amount(96));
			if (any() % 4 == 0)
				pair_add(&p, any_amount(103));
			pair_check(&p);
		}
	}
}

Test(fraction, compares_across_different_denominators)
{
	for (int i = 0; i < 3000; i++) {
		struct pair a, b;
		struct big x, y;

		pair_init(&a, any_amount(96));
		b = a;
		for (unsigned n = (unsigned)(any() % 8); n; n--)
			pair_mul(&a, any_bps() | 1);
		for (unsigned n = (unsigned)(any() % 8); n; n--)
			pair_mul(&b, any_bps() | 1);
		x = big_shift(a.n, 4 * b.k);
		y = big_shift(b.n, 4 * a.k);
		cr_assert(eq(int, fraction_cmp(&a.f, &b.f), big_cmp(x, y)));
		cr_assert(eq(int, fraction_cmp(&b.f, &a.f), big_cmp(y, x)));
		cr_assert(zero(int, fraction_cmp(&a.f, &a.f)));
	}
}

static u128 rounded(u128 amount, const int64_t *bps, size_t n, enum rounding mode)
{
	struct fraction f;

	fraction_init(&f, amount);
	for (size_t i = 0; i < n; i++)
		fraction_mul_bps(&f, bps[i]);
	return fraction_round(&f, mode);
}

Test(fraction, an_exact_half_is_one_through_any_number_of_divisions)
{
	/* 1 * (1/2)^1 .. (1/2)^16: only the first is a half, all others are less and not nothing.
	 */
	int64_t halves[FRACTION_GROUPS_MAX];

	for (size_t i = 0; i < ARRAY_LEN(halves); i++)
		halves[i] = -5000;
	cr_expect(rounded(1, halves, 1, ROUND_HALF_UP) == 1);
	cr_expect(rounded(1, halves, 1, ROUND_HALF_DOWN) == 0);
	cr_expect(rounded(1, halves, 1, ROUND_HALF_EVEN) == 0);
	cr_expect(rounded(3, halves, 1, ROUND_HALF_EVEN) == 2);
	for (size_t n = 2; n <= ARRAY_LEN(halves); n++) {
		cr_expect(rounded(1, halves, n, ROUND_HALF_UP) == 0);
		cr_expect(rounded(1, halves, n, ROUND_UP) == 1);
		/* 2^n - 1 halves of 2^-n: a hair under a half of ... 2^(n-1) is the half itself. */
		cr_expect(rounded((u128)1 << (n - 1), halves, n, ROUND_HALF_UP) == 1);
		cr_expect(rounded((u128)1 << (n - 1), halves, n, ROUND_HALF_DOWN) == 0);
		cr_expect(rounded(((u128)1 << (n - 1)) + 1, halves, n, ROUND_HALF_DOWN) == 1);
		cr_expect(rounded(((u128)1 << (n - 1)) - 1, halves, n, ROUND_HALF_UP) == 0);
	}
}

Test(fraction, more_than_128_bits_is_all_ones_and_never_wraps)
{
	const int64_t most[] = { 1000000, 1000000, 1000000, 1000000, 1000000, 1000000, 1000000,
		1000000, 1000000, 1000000, 1000000, 1000000, 1000000, 1000000, 1000000, 1000000 };
	u128 top = ((u128)1 << 96) - 1;

	cr_expect(rounded(top, most, 16, ROUND_DOWN) == ~(u128)0);
	cr_expect(rounded(top, most, 4, ROUND_DOWN) == top * 101 * 101 * 101 * 101);
	cr_expect(rounded(top, (const int64_t[]){ -10000, 1000000 }, 2, ROUND_UP) == 0);
}

Test(fraction, a_discount_of_more_than_there_is_leaves_nothing)
{
	struct fraction f;

	fraction_init(&f, 100);
	fraction_mul_bps(&f, -1);
	fraction_sub(&f, 100);
	cr_expect(fraction_round(&f, ROUND_UP) == 0);
	fraction_add(&f, 7);
	cr_expect(fraction_round(&f, ROUND_DOWN) == 7);
}
