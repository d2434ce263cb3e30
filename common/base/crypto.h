#pragma once

/* Thin forms of OpenSSL's digests, and text forms of bytes. Each returns 0 or -EIO (library
 * failure) where it can fail. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"

#define SHA256_BYTES 32

MUST_CHECK int crypto_sha256(uint8_t ret[SHA256_BYTES], const void *p, size_t n);
MUST_CHECK int crypto_hmac_sha256(
	uint8_t ret[SHA256_BYTES], const void *key, size_t key_n, const void *p, size_t n);
MUST_CHECK int crypto_random(void *ret, size_t n);
bool crypto_equal(const void *a, const void *b, size_t n); /* constant time */

/* Lower-case hex and a NUL: @ret holds 2n + 1. */
void hex_encode(char *ret, const void *p, size_t n);
/* Exactly 2n hex digits of either case. 0 or -EINVAL. */
MUST_CHECK int hex_decode(void *ret, size_t n, struct str hex);
/* Unpadded base64url and a NUL: @ret holds (n * 4 + 2) / 3 + 1. Returns the length. */
size_t base64url_encode(char *ret, const void *p, size_t n);
/* Unpadded base64url, canonical. 0, -EINVAL or -ENOSPC. */
MUST_CHECK int base64url_decode(void *ret, size_t cap, size_t *ret_n, struct str text);
