/*
 * The quote is judged before everything else, as nothing that it says is known to be so before its
 * MAC is. Then what is the order's own, then what depends on the moment: a client whose order could
 * never be good hears that, and not that it came late.
 *
 * `price < floor - floor * slack` in integers is `price < ceil(floor * (1 - slack))`, so one
 * rounding up decides the boundary exactly. Amounts are below 2^96 and basis points below 2^20;
 * nothing here can leave 128 bits.
 */
#include "wallet-bridge/judge.h"

#include <assert.h>
#include <errno.h>

#include "common/base/crypto.h"
#include "common/model/item.h"

#define BPS_UNIT   10000
#define BPS_MAX    1000000
#define DIGEST_TAG "sha256:"
#define QUOTE_MAX  4096 /* the largest that passes the decoding table is under 1,200 */

const char *const refusal_names[] = { "", "BAD_QUOTE", "QUOTE_EXPIRED", "OFFER_CHANGED", "SOLD_OUT",
	"WRONG_USER", "WRONG_WALLET", "BAD_SIGNATURE", "UNSUPPORTED", "LIMIT", "PAUSED", NULL };

/* 0, REFUSAL_BAD_QUOTE or -EIO. */
static int judge_quote(
	const struct order *o, const struct quote_keys *keys, struct arena *a, struct quote *q)
{
	int r;

	if (!str_is_set(o->quote) || decode(&quote_type, q, o->quote, a, NULL) != 0)
		return REFUSAL_BAD_QUOTE;
	r = quote_verify(q, keys);
	if (r < 0)
		return r;
	if (r > 0 || !str_eq(o->offer, q->offer) || !str_eq(o->item, q->item) ||
		version_cmp(o->rev, q->rev) != 0 || o->price.amount != q->price.amount ||
		o->price.currency != q->price.currency)
		return REFUSAL_BAD_QUOTE;
	return 0;
}

struct pay {
	int mode;
};

static const char *const pay_modes[] = { "now", NULL };
static const struct field pay_fields[] = {
	{ "mode", FIELD_ENUM, FIELD_REQUIRED, offsetof(struct pay, mode), 0, pay_modes },
};
static const struct record_type pay_type = {
	.name = "pay",
	.fields = pay_fields,
	.n_fields = ARRAY_LEN(pay_fields),
	.size = sizeof(struct pay),
};

static enum refusal judge_order(const struct order *o, const struct quote *q, struct arena *a)
{
	struct pay pay;

	if (!str_eq(o->user, q->user))
		return REFUSAL_WRONG_USER;
	if (str_is_set(o->pay) && decode(&pay_type, &pay, o->pay, a, NULL) != 0)
		return REFUSAL_UNSUPPORTED;
	if (str_is_set(o->wallet) && !wallet_is_valid(o->wallet))
		return REFUSAL_WRONG_WALLET;
	return REFUSAL_NONE;
}

static u128 with_bps(u128 amount, int64_t bps)
{
	u128 ret = 0;
	int r;

	if (bps < -BPS_UNIT)
		bps = -BPS_UNIT;
	if (bps > BPS_MAX)
		bps = BPS_MAX;
	r = u128_mul_div(&ret, amount, (u128)(BPS_UNIT + bps), BPS_UNIT, ROUND_UP);
	assert(r == 0);
	(void)r;
	return ret;
}

static u128 floor_of(struct money m, int64_t bps, currency c)
{
	return currency_is_par(m.currency, c) ? with_bps(m.amount, bps) : 0;
}

static bool is_below_floor(
	struct money price, const struct judge_facts *facts, const struct judge_rules *rules)
{
	u128 cost = floor_of(facts->cost, rules->min_margin_bps, price.currency);
	u128 bid = floor_of(facts->bid_net, rules->floor_over_bid_bps, price.currency);
	int64_t slack = rules->order_slack_bps > 0 ? rules->order_slack_bps : 0;

	return price.amount < with_bps(cost > bid ? cost : bid, -slack);
}

static enum refusal judge_moment(
	const struct quote *q, const struct judge_facts *facts, const struct judge_rules *rules)
{
	if (facts->order_ms > q->expires)
		return REFUSAL_QUOTE_EXPIRED;
	if (facts->is_paused)
		return REFUSAL_PAUSED;
	if (!facts->has_item || facts->free_units <= 0)
		return REFUSAL_SOLD_OUT;
	if (is_below_floor(q->price, facts, rules))
		return REFUSAL_OFFER_CHANGED;
	if (rules->open_per_user > 0 && facts->open_of_user >= rules->open_per_user)
		return REFUSAL_LIMIT;
	return REFUSAL_NONE;
}

int judge(const struct order *o, const struct judge_facts *facts, const struct judge_rules *rules,
	const struct quote_keys *keys, struct arena *a, struct quote *quote)
{
	int r;

	*quote = (struct quote){ 0 };
	r = judge_quote(o, keys, a, quote);
	if (r == 0)
		r = (int)judge_order(o, quote, a);
	if (r == 0)
		r = (int)judge_moment(quote, facts, rules);
	return r;
}

int judge_quote_digest(char ret[72], const struct quote *q)
{
	CLEANUP(buf_fini) struct buf text = BUF_INIT(QUOTE_MAX);
	uint8_t digest[SHA256_BYTES];
	int r;

	quote_canonical(&text, q, true);
	if (text.failed)
		return -EIO;
	r = crypto_sha256(digest, text.p, text.n);
	if (r < 0)
		return r;
	memcpy(ret, DIGEST_TAG, sizeof(DIGEST_TAG) - 1);
	hex_encode(ret + sizeof(DIGEST_TAG) - 1, digest, sizeof(digest));
	return 0;
}
