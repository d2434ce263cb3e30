/*
 * The one place that names OpenSSL's digests, so that moving to another provider touches one file.
 * The text forms are strict: one text per byte sequence, because signatures and ids are compared as
 * text.
 */
#include "common/base/crypto.h"

#include <errno.h>
#include <limits.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

static const char HEX[] = "0123456789abcdef";
static const char BASE64URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int crypto_sha256(uint8_t ret[SHA256_BYTES], const void *p, size_t n)
{
	return EVP_Digest(n ? p : "", n, ret, NULL, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
}

int crypto_hmac_sha256(
	uint8_t ret[SHA256_BYTES], const void *key, size_t key_n, const void *p, size_t n)
{
	unsigned ret_n = SHA256_BYTES;

	if (key_n > INT_MAX)
		return -EIO;
	/* HMAC() takes a NULL key for "the key of last time": an empty key is given as "". */
	if (!HMAC(EVP_sha256(), key_n ? key : "", (int)key_n, n ? p : (const void *)"", n, ret,
		    &ret_n))
		return -EIO;
	return ret_n == SHA256_BYTES ? 0 : -EIO;
}

int crypto_random(void *ret, size_t n)
{
	if (n > INT_MAX)
		return -EIO;
	return RAND_bytes(ret, (int)n) == 1 ? 0 : -EIO;
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void hex_encode(char *ret, const void *p, size_t n)
{
	const uint8_t *in = p;

	for (size_t i = 0; i < n; i++) {
		ret[2 * i] = HEX[in[i] >> 4];
		ret[2 * i + 1] = HEX[in[i] & 15];
	}
	ret[2 * n] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(void *ret, size_t n, struct str hex)
{
	uint8_t *out = ret;

	if (hex.n % 2 || hex.n / 2 != n)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(hex.p[2 * i]), low = hex_digit(hex.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

size_t base64url_encode(char *ret, const void *p, size_t n)
{
	const uint8_t *in = p;
	uint32_t bits = 0;
	unsigned n_bits = 0;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | in[i];
		for (n_bits += 8; n_bits >= 6; n_bits -= 6)
			ret[len++] = BASE64URL[bits >> (n_bits - 6) & 63];
	}
	if (n_bits)
		ret[len++] = BASE64URL[bits << (6 - n_bits) & 63];
	ret[len] = '\0';
	return len;
}

static int base64url_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int base64url_decode(void *ret, size_t cap, size_t *ret_n, struct str text)
{
	uint8_t *out = ret;
	uint32_t bits = 0;
	unsigned n_bits = 0;
	size_t len = 0;

	if (text.n % 4 == 1)
		return -EINVAL;
	for (size_t i = 0; i < text.n; i++) {
		int digit = base64url_digit(text.p[i]);

		if (digit < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)digit;
		n_bits += 6;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		if (len == cap)
			return -ENOSPC;
		out[len++] = (uint8_t)(bits >> n_bits);
	}
	/* Left-over bits that are not zero would be a second text for the same bytes. */
	if (bits & ((1u << n_bits) - 1))
		return -EINVAL;
	*ret_n = len;
	return 0;
}
