#pragma once

/*
 * Whether an order is accepted: a pure function of the order, its record's time, the keys, the
 * item's rows and the stock. Order of judgement, the first that applies decides:
 *
 *	BAD_QUOTE      not an object of exactly the quote's members; key id unknown; MAC wrong; `v`
 *	               not 1; or the order's offer, rev, price or item differ from the quote's
 *	WRONG_USER     the quote is another user's
 *	UNSUPPORTED    pay.mode is not "now" (instalments come later); other members of pay are not
 *	               looked at
 *	WRONG_WALLET   a wallet that is not one
 *	QUOTE_EXPIRED  the order record's timestamp is beyond quote.expires
 *	PAUSED         all, or the item's collection
 *	SOLD_OUT       no inventory row, or no free unit
 *	OFFER_CHANGED  the price lies below the highest floor by more than order_slack_bps of it
 *	LIMIT          the buyer has as many open orders as one may
 *
 * A held list price (pricing's breaker) is not looked at: a quote that was given binds.
 *
 * Floors as pricing has them: cost + min_margin_bps, bid_net + floor_over_bid_bps, rounded up, over
 * parity classes; a value without a path to the price's currency is left out.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/model/money.h"
#include "common/model/order.h"
#include "common/model/quote.h"

#define JUDGE_ARENA_MIN 8192

enum refusal {
	REFUSAL_NONE,
	REFUSAL_BAD_QUOTE,
	REFUSAL_QUOTE_EXPIRED,
	REFUSAL_OFFER_CHANGED,
	REFUSAL_SOLD_OUT,
	REFUSAL_WRONG_USER,
	REFUSAL_WRONG_WALLET,
	REFUSAL_BAD_SIGNATURE,
	REFUSAL_UNSUPPORTED,
	REFUSAL_LIMIT,
	REFUSAL_PAUSED,
};
extern const char *const refusal_names[]; /* "", "BAD_QUOTE", …, NULL */

struct judge_rules {
	int64_t floor_over_bid_bps, min_margin_bps, order_slack_bps;
	int64_t open_per_user; /* 0 = no limit */
};

struct judge_facts {
	int64_t order_ms; /* the record's timestamp */
	bool is_paused;
	bool has_item; /* an inventory row that is not deleted */
	int64_t free_units;
	struct money cost;    /* currency 0 = absent */
	struct money bid_net; /* currency 0 = absent */
	int64_t open_of_user;
};

/* 0 = REFUSAL_NONE. @quote is filled (texts in @a) where it could be read. @a has JUDGE_ARENA_MIN
 * bytes free: a quote that does not fit counts as BAD_QUOTE. Negative: -EIO of the digest: judge
 * again. */
MUST_CHECK int judge(const struct order *o, const struct judge_facts *facts,
	const struct judge_rules *rules, const struct quote_keys *keys, struct arena *a,
	struct quote *quote);

/* "sha256:<hex>" over the RFC 8785 form of the quote, its mac included: what the request names.
 * @ret holds 72 bytes. 0 or -EIO. */
MUST_CHECK int judge_quote_digest(char ret[72], const struct quote *q);
