/*
 * Quotes: signed by pricing, carried by a client that may alter it, checked by the
 * wallet-bridge.
 *
 * What is signed is the canonical form of the decoded values, never the bytes received: a client
 * may re-order members or write an escape differently and the quote stays good, while a change of
 * any value breaks it. The decoding table is closed, since a member outside the signature that some
 * reader took for signed would be a hole.
 */
#include "common/model/quote.h"

#include <assert.h>
#include <errno.h>

#include "common/base/crypto.h"
#include "common/model/quote_keys.h"

#define QUOTE_V       1
#define CANONICAL_MAX 4096 /* the largest that passes the decoding table is under 1,200 */

static const struct field fields[] = {
	{ "v", FIELD_I64, FIELD_REQUIRED, offsetof(struct quote, v), 0, NULL },
	{ "kid", FIELD_ID, FIELD_REQUIRED, offsetof(struct quote, kid), QUOTE_KID_MAX, NULL },
	{ "offer", FIELD_ID, FIELD_REQUIRED, offsetof(struct quote, offer), 0, NULL },
	{ "rev", FIELD_VERSION, FIELD_REQUIRED, offsetof(struct quote, rev), 0, NULL },
	{ "user", FIELD_USER, FIELD_REQUIRED, offsetof(struct quote, user), 0, NULL },
	{ "item", FIELD_ITEM, FIELD_REQUIRED, offsetof(struct quote, item), 0, NULL },
	{ "price", FIELD_MONEY, FIELD_REQUIRED, offsetof(struct quote, price), 0, NULL },
	{ "issued", FIELD_TIME, FIELD_REQUIRED, offsetof(struct quote, issued), 0, NULL },
	{ "expires", FIELD_TIME, FIELD_REQUIRED, offsetof(struct quote, expires), 0, NULL },
	{ "mac", FIELD_STR, FIELD_REQUIRED | FIELD_NONEMPTY, offsetof(struct quote, mac),
		QUOTE_MAC_MAX - 1, NULL },
};

const struct record_type quote_type = {
	.name = "quote",
	.fields = fields,
	.n_fields = ARRAY_LEN(fields),
	.size = sizeof(struct quote),
	.is_closed = true,
};

void quote_json(struct json_out *j, const char *key, const struct quote *q)
{
	char rev[VERSION_TEXT_MAX];

	version_format(rev, q->rev);
	json_begin(j, key);
	json_i64(j, "v", q->v);
	json_str(j, "kid", q->kid);
	json_str(j, "offer", q->offer);
	json_strz(j, "rev", rev);
	json_str(j, "user", q->user);
	json_str(j, "item", q->item);
	money_json(j, "price", q->price);
	json_i64(j, "issued", q->issued);
	json_i64(j, "expires", q->expires);
	json_str(j, "mac", q->mac);
	json_end(j);
}

void quote_canonical(struct buf *out, const struct quote *q, bool with_mac)
{
	struct json_out j = JSON_OUT(out);
	char rev[VERSION_TEXT_MAX];

	version_format(rev, q->rev);
	json_begin(&j, NULL);
	json_i64(&j, "expires", q->expires);
	json_i64(&j, "issued", q->issued);
	json_str(&j, "item", q->item);
	json_str(&j, "kid", q->kid);
	if (with_mac)
		json_str(&j, "mac", q->mac);
	json_str(&j, "offer", q->offer);
	money_json(&j, "price", q->price);
	json_strz(&j, "rev", rev);
	json_str(&j, "user", q->user);
	json_i64(&j, "v", q->v);
	json_end(&j);
}

static int make_mac(char mac[QUOTE_MAC_MAX], const struct quote *q, const struct quote_key *key)
{
	CLEANUP(buf_fini) struct buf text = BUF_INIT(CANONICAL_MAX);
	uint8_t digest[SHA256_BYTES];
	int r;

	quote_canonical(&text, q, false);
	if (text.failed)
		return -EIO;
	r = crypto_hmac_sha256(digest, key->secret, key->n_secret, text.p, text.n);
	if (r < 0)
		return r;
	base64url_encode(mac, digest, sizeof(digest));
	return 0;
}

int quote_sign(
	struct quote *q, char mac[QUOTE_MAC_MAX], const struct quote_keys *keys, int64_t now_ms)
{
	const struct quote_key *key = quote_keys_at(keys, now_ms);
	int r;

	assert(q->v == QUOTE_V && money_is_set(q->price));
	if (!key)
		return QUOTE_E_KID;
	q->kid = str_of(key->kid);
	r = make_mac(mac, q, key);
	if (r < 0)
		return r;
	q->mac = (struct str){ mac, QUOTE_MAC_MAX - 1 };
	return 0;
}

int quote_verify(const struct quote *q, const struct quote_keys *keys)
{
	const struct quote_key *key = quote_keys_find(keys, q->kid);
	char mac[QUOTE_MAC_MAX];
	int r;

	if (!key)
		return QUOTE_E_KID;
	/* Another version may mean something else by the same members, signed or not. */
	if (q->v != QUOTE_V || q->mac.n != QUOTE_MAC_MAX - 1)
		return QUOTE_E_MAC;
	r = make_mac(mac, q, key);
	if (r < 0)
		return r;
	return crypto_equal(mac, q->mac.p, QUOTE_MAC_MAX - 1) ? 0 : QUOTE_E_MAC;
}
