/*
 * A client that did not hear its acknowledgement sends the order again, perhaps from another copy
 * of itself with members in another order; so the canonical form is compared, not the bytes. The
 * signature is left out: signing the same order again gives another one.
 */
#include "common/model/order_body.h"

#include <errno.h>

#include <jansson.h>

#include "common/base/buf.h"
#include "common/base/json_out.h"
#include "common/model/canonical.h"

#define BODY_MAX (16 * 1024) /* quote, pay and wallet are bounded by the order's table */

static int add(json_t *body, const char *name, struct str json)
{
	json_error_t error;
	json_t *value;

	if (!str_is_set(json))
		return 0;
	value = json_loadb(json.p, json.n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
	if (!value)
		return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EINVAL;
	return json_object_set_new(body, name, value) == 0 ? 0 : -ENOMEM;
}

/* A client may leave `pay` out: it means this. */
static struct str pay_of(const struct order *o)
{
	return str_is_set(o->pay) ? o->pay : STR("{\"mode\":\"now\"}");
}

static int canonical_body(struct buf *out, const struct order *o)
{
	json_auto_t *body = json_object();
	int r = body ? add(body, "pay", pay_of(o)) : -ENOMEM;

	if (r == 0)
		r = add(body, "quote", o->quote);
	if (r == 0 && str_is_set(o->wallet) &&
		json_object_set_new(body, "wallet", json_stringn(o->wallet.p, o->wallet.n)) < 0)
		r = -ENOMEM;
	return r == 0 ? canonical_json(out, body, NULL) : r;
}

static void plain_body(struct buf *out, const struct order *o)
{
	struct json_out j = JSON_OUT(out);

	buf_puts(out, STR("plain"));
	json_begin(&j, NULL);
	json_str(&j, "pay", pay_of(o));
	json_str_opt(&j, "quote", o->quote);
	json_str_opt(&j, "wallet", o->wallet);
	json_end(&j);
}

int order_body_digest(uint8_t ret[SHA256_BYTES], const struct order *o)
{
	CLEANUP(buf_fini) struct buf text = BUF_INIT(BODY_MAX);
	int r = canonical_body(&text, o);

	if (r == -ENOMEM) /* the other form would be the digest of another order */
		return r;
	if (r < 0) {
		buf_clear(&text);
		plain_body(&text, o);
	}
	if (text.failed)
		return -ENOMEM;
	return crypto_sha256(ret, text.p, text.n);
}
