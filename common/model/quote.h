#pragma once

/*
 * A quote: what the price maker signs, and what an order must bring back unchanged.
 *
 * mac = unpadded base64url of HMAC-SHA-256, under the key named by kid, over the RFC 8785 (JCS)
 * form of the quote without `mac`. All members are texts, integers below 2^53 and one nested object
 * of texts, so JCS here is: members in byte order of their ASCII names, our escapes, no spaces.
 * Keys file: JSON {"keys":[{"kid":"k1","secret":"<base64url of >= 32 bytes>","from":ms?}]}; of the
 * keys whose `from` has passed, the one with the highest (missing = 0; the later in the document on
 * a tie) signs; all verify.
 */
#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/json_out.h"
#include "common/model/decode.h"
#include "common/model/money.h"
#include "common/model/version.h"

#define QUOTE_MAC_MAX 44 /* 43 characters and a NUL */

struct quote {
	int64_t v; /* 1 */
	struct str kid;
	struct str offer;
	struct version rev;
	struct str user;
	struct str item;
	struct money price;
	int64_t issued;
	int64_t expires;
	struct str mac;
};
extern const struct record_type quote_type; /* closed: an unknown member is refused */
void quote_json(struct json_out *j, const char *key, const struct quote *q);
/* The RFC 8785 form, with or without mac, appended to @out. */
void quote_canonical(struct buf *out, const struct quote *q, bool with_mac);

struct quote_keys;
/* The keys document, of at most 64 KiB and 1..16 keys. 0, or -errno with @f (FAULT_FATAL): -EINVAL
 * names the member, never a secret. */
MUST_CHECK int quote_keys_parse(struct quote_keys **ret, struct str json, struct fault *f);
MUST_CHECK int quote_keys_load(struct quote_keys **ret, const char *path, struct fault *f);
struct quote_keys *quote_keys_free(struct quote_keys *k);
DEFINE_CLEANUP(struct quote_keys *, quote_keys_free)

enum { QUOTE_E_KID = 1, /* no such key */ QUOTE_E_MAC /* not what was signed, or `v` is not 1 */ };

/* q->v is 1 and the price is set (assert). Sets q->kid (borrowed from @keys) and q->mac (borrowed
 * from @mac). 0, QUOTE_E_KID (no key's `from` has passed) or -EIO. */
MUST_CHECK int quote_sign(
	struct quote *q, char mac[QUOTE_MAC_MAX], const struct quote_keys *keys, int64_t now_ms);
/* 0, QUOTE_E_* or -EIO. */
MUST_CHECK int quote_verify(const struct quote *q, const struct quote_keys *keys);
