/*
 * Two oracles that share nothing with the code: a table made by Python's integers
 * (tests/data/model), which has the ties and limits, and OpenSSL's big numbers over seeded random
 * operands, for breadth.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>

#include <openssl/bn.h>

#include "common/model/money.h"

#define U128_MAX (~(u128)0)
#define N_MODES  5
#define N_RANDOM 4000

static uint64_t seed = 0x5eed;

static uint64_t random_u64(void) /* splitmix64 */
{
	uint64_t z = seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static u128 random_u128(void)
{
	u128 v = (u128)random_u64() << 64 | random_u64();

	return v >> random_u64() % 128;
}

static void to_bn(BIGNUM *ret, u128 v)
{
	uint8_t bytes[16];

	for (int i = 15; i >= 0; i--, v >>= 8)
		bytes[i] = (uint8_t)v;
	cr_assert(ne(ptr, BN_bin2bn(bytes, sizeof(bytes), ret), NULL));
}

static u128 from_bn(const BIGNUM *n)
{
	uint8_t bytes[16];
	u128 v = 0;

	cr_assert(eq(int, BN_bn2binpad(n, bytes, sizeof(bytes)), 16));
	for (int i = 0; i < 16; i++)
		v = v << 8 | bytes[i];
	return v;
}

struct oracle {
	BN_CTX *ctx;
	BIGNUM *value, *num, *den, *quotient, *rem;
};

static bool oracle_rounds_up(struct oracle *o, enum rounding mode)
{
	bool is_odd = BN_is_odd(o->quotient);
	bool is_exact = BN_is_zero(o->rem);
	int half;

	BN_lshift1(o->rem, o->rem);
	half = BN_cmp(o->rem, o->den);
	switch (mode) {
	case ROUND_DOWN:
		return false;
	case ROUND_UP:
		return !is_exact;
	case ROUND_HALF_UP:
		return half >= 0;
	case ROUND_HALF_DOWN:
		return half > 0;
	case ROUND_HALF_EVEN:
		return half > 0 || (half == 0 && is_odd);
	}
	return false;
}

/* False if the result is over 128 bits. */
static bool oracle_mul_div(struct oracle *o, u128 *ret, u128 value, u128 num, u128 den, int mode)
{
	to_bn(o->value, value);
	to_bn(o->num, num);
	to_bn(o->den, den);
	BN_mul(o->value, o->value, o->num, o->ctx);
	BN_div(o->quotient, o->rem, o->value, o->den, o->ctx);
	if (oracle_rounds_up(o, (enum rounding)mode))
		BN_add_word(o->quotient, 1);
	if (BN_num_bits(o->quotient) > 128)
		return false;
	*ret = from_bn(o->quotient);
	return true;
}

Test(u128, mul_div_agrees_with_big_numbers_for_random_operands)
{
	struct oracle o = { BN_CTX_new(), BN_new(), BN_new(), BN_new(), BN_new(), BN_new() };
	size_t n_fit = 0, n_over = 0;

	for (int i = 0; i < N_RANDOM; i++) {
		u128 value = random_u128(), num = random_u128(), den = random_u128();

		if (den == 0)
			continue;
		for (int mode = 0; mode < N_MODES; mode++) {
			u128 want = 0, got = 0;
			bool fits = oracle_mul_div(&o, &want, value, num, den, mode);
			int r = u128_mul_div(&got, value, num, den, (enum rounding)mode);

			cr_assert(eq(int, r, fits ? 0 : MONEY_E_RANGE), "case %d mode %d", i, mode);
			cr_assert(got == want, "case %d mode %d", i, mode);
			fits ? n_fit++ : n_over++;
		}
	}
	cr_expect(gt(sz, n_fit, 10000), "most cases have a result");
	cr_expect(gt(sz, n_over, 1000), "and many do not");
	BN_CTX_free(o.ctx);
	BN_free(o.value);
	BN_free(o.num);
	BN_free(o.den);
	BN_free(o.quotient);
	BN_free(o.rem);
}

static u128 number(const char *text)
{
	u128 v;

	cr_assert(zero(int, money_parse_amount_wide(&v, str_of(text))), "%s", text);
	return v;
}

static void check_row(const char *row)
{
	char f[3 + N_MODES][MONEY_TEXT_MAX];

	cr_assert(eq(int,
			  sscanf(row, "%39s %39s %39s %39s %39s %39s %39s %39s", f[0], f[1], f[2],
				  f[3], f[4], f[5], f[6], f[7]),
			  8),
		"%s", row);
	for (int mode = 0; mode < N_MODES; mode++) {
		const char *want = f[3 + mode];
		bool fits = strcmp(want, "-") != 0;
		u128 got = 0;
		int r = u128_mul_div(
			&got, number(f[0]), number(f[1]), number(f[2]), (enum rounding)mode);

		cr_expect(eq(int, r, fits ? 0 : MONEY_E_RANGE), "mode %d of %s", mode, row);
		cr_expect(got == (fits ? number(want) : 0), "mode %d of %s", mode, row);
	}
}

Test(u128, mul_div_agrees_with_the_table_of_ties_and_limits)
{
	const char *dir = getenv("SOUK_TEST_DATA");
	char path[4096], row[512];
	size_t n_rows = 0;
	FILE *file;

	cr_assert(ne(ptr, (void *)dir, NULL), "SOUK_TEST_DATA is not set; run through meson test");
	snprintf(path, sizeof(path), "%s/model/u128_mul_div.txt", dir);
	file = fopen(path, "r");
	cr_assert(ne(ptr, file, NULL), "%s", path);
	while (fgets(row, sizeof(row), file)) {
		if (row[0] == '#')
			continue;
		check_row(row);
		n_rows++;
	}
	fclose(file);
	cr_expect(gt(sz, n_rows, 200));
}

Test(u128, an_overflow_leaves_the_result_alone)
{
	u128 got = 7;

	cr_expect(eq(int, u128_mul_div(&got, U128_MAX, 2, 1, ROUND_DOWN), MONEY_E_RANGE));
	cr_expect(got == 7);
}

Test(u128, a_tie_goes_where_the_mode_says)
{
	static const struct {
		u128 value;
		u128 want[N_MODES];
	} rows[] = {
		{ 4, { 2, 2, 2, 2, 2 } }, { 5, { 2, 3, 3, 2, 2 } }, /* 2.5 */
		{ 7, { 3, 4, 4, 3, 4 } },                           /* 3.5 */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (int mode = 0; mode < N_MODES; mode++) {
			u128 got;

			cr_expect(zero(
				int, u128_mul_div(&got, rows[i].value, 1, 2, (enum rounding)mode)));
			cr_expect(got == rows[i].want[mode], "row %zu mode %d", i, mode);
		}
	}
}
