#include <errno.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/crypto.h"

/* FIPS 180-4 examples. */
Test(crypto, sha256_matches_the_published_digests)
{
	uint8_t digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	cr_assert(zero(int, crypto_sha256(digest, "abc", 3)));
	hex_encode(hex, digest, sizeof(digest));
	cr_expect(eq(str, hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	cr_assert(zero(int, crypto_sha256(digest, NULL, 0)));
	hex_encode(hex, digest, sizeof(digest));
	cr_expect(eq(str, hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
}

/* RFC 4231, cases 1 and 2. */
Test(crypto, hmac_matches_rfc_4231)
{
	uint8_t mac[SHA256_BYTES], key[20];
	char hex[2 * SHA256_BYTES + 1];

	memset(key, 0x0b, sizeof(key));
	cr_assert(zero(int, crypto_hmac_sha256(mac, key, sizeof(key), "Hi There", 8)));
	hex_encode(hex, mac, sizeof(mac));
	cr_expect(eq(str, hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"));
	cr_assert(
		zero(int, crypto_hmac_sha256(mac, "Jefe", 4, "what do ya want for nothing?", 28)));
	hex_encode(hex, mac, sizeof(mac));
	cr_expect(eq(str, hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
}

Test(crypto, hmac_takes_an_empty_key_and_message)
{
	uint8_t mac[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	cr_assert(zero(int, crypto_hmac_sha256(mac, NULL, 0, NULL, 0)));
	hex_encode(hex, mac, sizeof(mac));
	cr_expect(eq(str, hex, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"));
}

Test(crypto, random_differs)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	cr_assert(zero(int, crypto_random(a, sizeof(a))));
	cr_assert(zero(int, crypto_random(b, sizeof(b))));
	cr_expect(not(crypto_equal(a, b, sizeof(a))));
	cr_expect(crypto_equal(a, a, sizeof(a)));
}

Test(crypto, hex_decodes_both_cases_and_exact_lengths_only)
{
	uint8_t out[2];

	cr_assert(zero(int, hex_decode(out, 2, STR("aBcD"))));
	cr_expect(eq(int, out[0], 0xab));
	cr_expect(eq(int, out[1], 0xcd));
	cr_expect(eq(int, hex_decode(out, 2, STR("abc")), -EINVAL));
	cr_expect(eq(int, hex_decode(out, 2, STR("abcde")), -EINVAL));
	cr_expect(eq(int, hex_decode(out, 2, STR("abcdef")), -EINVAL));
	cr_expect(eq(int, hex_decode(out, 2, STR("abcg")), -EINVAL));
	cr_expect(eq(int, hex_decode(out, 1, STR("0x")), -EINVAL));
	cr_expect(zero(int, hex_decode(out, 0, STR(""))));
}

/* RFC 4648, section 10, without padding. */
Test(crypto, base64url_matches_rfc_4648)
{
	static const char *const PAIRS[][2] = { { "", "" }, { "f", "Zg" }, { "fo", "Zm8" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy" }, { "\xfb\xff", "-_8" } };

	for (size_t i = 0; i < sizeof(PAIRS) / sizeof(PAIRS[0]); i++) {
		size_t n = strlen(PAIRS[i][0]), out_n = 99;
		char text[16];
		uint8_t out[16];

		cr_expect(eq(sz, base64url_encode(text, PAIRS[i][0], n), strlen(PAIRS[i][1])));
		cr_expect(eq(str, text, (char *)PAIRS[i][1]));
		cr_assert(zero(int, base64url_decode(out, n, &out_n, str_of(PAIRS[i][1]))));
		cr_assert(eq(sz, out_n, n));
		cr_expect(zero(int, memcmp(out, PAIRS[i][0], n)));
	}
}

Test(crypto, base64url_round_trips_every_byte_within_its_stated_size)
{
	uint8_t in[256], out[256];
	size_t out_n = 0;

	for (int i = 0; i < 256; i++)
		in[i] = (uint8_t)i;
	for (size_t n = 0; n <= 256; n++) {
		char *text = malloc((n * 4 + 2) / 3 + 1); /* ASan checks the bound */
		size_t len = base64url_encode(text, in, n);

		cr_assert(zero(int, base64url_decode(out, n, &out_n, (struct str){ text, len })));
		cr_assert(eq(sz, out_n, n));
		cr_assert(zero(int, memcmp(in, out, n)));
		free(text);
	}
}

Test(crypto, base64url_refuses_second_spellings_and_foreign_letters)
{
	uint8_t out[8];
	size_t n;

	cr_expect(eq(int, base64url_decode(out, 8, &n, STR("Zh")), -EINVAL), "left-over bits");
	cr_expect(eq(int, base64url_decode(out, 8, &n, STR("Zm9")), -EINVAL), "left-over bits");
	cr_expect(eq(int, base64url_decode(out, 8, &n, STR("Zg==")), -EINVAL), "padding");
	cr_expect(eq(int, base64url_decode(out, 8, &n, STR("Z")), -EINVAL));
	cr_expect(eq(int, base64url_decode(out, 8, &n, STR("+/8")), -EINVAL));
	cr_expect(eq(int, base64url_decode(out, 8, &n, STR("Zm 9")), -EINVAL));
	cr_expect(eq(int, base64url_decode(out, 2, &n, STR("Zm9v")), -ENOSPC));
}
