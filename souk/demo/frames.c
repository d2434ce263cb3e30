/*
 * Order hashes are SHA-256 of (token, bid number): stable across restarts, unlike anything on a
 * chain, and never presented as verified Seaport hashes. Listings are in the native token, bids in
 * WETH, as on OpenSea: the two are one parity class.
 */
#include "souk/demo/frames.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/crypto.h"
#include "common/base/json_out.h"
#include "common/base/time_text.h"

#define WETH          "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
#define NATIVE        "0x0000000000000000000000000000000000000000"
#define SEAPORT       "0x0000000000000068f116a894984e2db1123eb395"
#define MARKET_FEE_TO "0x0000a26b00c1f0df003000390027140000faa719"

static void json_time(struct json_out *j, const char *key, int64_t ms)
{
	char ours[TIME_TEXT_MAX], text[TIME_TEXT_MAX + 3];

	if (!ms || time_text(ours, ms) < 0) {
		json_out_null(j, key);
		return;
	}
	snprintf(text, sizeof(text), "%.23s000Z", ours); /* OpenSea's have microseconds */
	json_strz(j, key, text);
}

static void json_amount(struct json_out *j, const char *key, u128 amount)
{
	char text[MONEY_TEXT_MAX];

	money_format_amount(text, amount);
	json_strz(j, key, text);
}

/* "0x" and 64 hex digits of a name that is the same at every run. */
static int stable_hash(char ret[67], const char *what, int64_t token, uint32_t n)
{
	char name[96];
	uint8_t digest[SHA256_BYTES];
	int len = snprintf(name, sizeof(name), "souk-demo/%s/%lld/%u", what, (long long)token, n);

	if (crypto_sha256(digest, name, (size_t)len))
		return -EIO;
	memcpy(ret, "0x", 2);
	hex_encode(ret + 2, digest, sizeof(digest));
	return 0;
}

static void begin(struct json_out *j, const char *event, int64_t version, int64_t now_ms)
{
	json_begin(j, NULL);
	json_strz(j, "event_type", event);
	json_i64(j, "version", version);
	json_time(j, "sent_at", now_ms);
	json_begin(j, "payload");
	json_strz(j, "chain", "ethereum");
	json_begin(j, "collection");
	json_strz(j, "slug", SCHEDULE_SLUG);
	json_end(j);
	json_time(j, "event_timestamp", now_ms);
}

static void end(struct json_out *j)
{
	json_end(j);
	json_end(j);
}

static void item(struct json_out *j, const struct auction *a)
{
	char text[160];

	json_begin(j, "item");
	snprintf(text, sizeof(text), "ethereum/" SCHEDULE_CONTRACT "/%lld", (long long)a->token);
	json_strz(j, "nft_id", text);
	json_begin(j, "chain");
	json_strz(j, "name", "ethereum");
	json_end(j);
	json_begin(j, "metadata");
	snprintf(text, sizeof(text), "Foundation #%lld", (long long)a->token);
	json_strz(j, "name", text);
	json_out_null(j, "image_url");
	json_end(j);
	json_end(j);
}

static void account(struct json_out *j, const char *key, const char *address)
{
	json_begin(j, key);
	json_strz(j, "address", address);
	json_end(j);
}

static void payment_token(struct json_out *j, bool weth)
{
	json_begin(j, "payment_token");
	json_strz(j, "address", weth ? WETH : NATIVE);
	json_i64(j, "decimals", 18);
	json_strz(j, "eth_price", "1.000000000000000");
	json_strz(j, "name", weth ? "Wrapped Ether" : "Ether");
	json_strz(j, "symbol", weth ? "WETH" : "ETH");
	json_strz(j, "usd_price", "1800.000000000000000000");
	json_end(j);
}

static void seaport_item(struct json_out *j, int type, const char *token, const char *id,
	u128 amount, const char *recipient)
{
	json_begin(j, NULL);
	json_amount(j, "endAmount", amount);
	json_strz(j, "identifierOrCriteria", id);
	json_i64(j, "itemType", type);
	if (recipient)
		json_strz(j, "recipient", recipient);
	json_amount(j, "startAmount", amount);
	json_strz(j, "token", token);
	json_end(j);
}

/* A bid: WETH for the token, the fees taken out of what the seller gets. */
static void protocol_data(
	struct json_out *j, const struct auction *a, const char *bidder, u128 amount)
{
	char token[24];

	snprintf(token, sizeof(token), "%lld", (long long)a->token);
	json_strz(j, "protocol_address", SEAPORT);
	json_begin(j, "protocol_data");
	json_begin(j, "parameters");
	json_begin_array(j, "consideration");
	seaport_item(j, 2, SCHEDULE_CONTRACT, token, 1, bidder);
	seaport_item(j, 1, WETH, "0", amount * FRAME_MARKET_FEE_BPS / 10000, MARKET_FEE_TO);
	seaport_item(j, 1, WETH, "0", amount * FRAME_ARTIST_FEE_BPS / 10000, a->seller);
	json_end_array(j);
	json_begin_array(j, "offer");
	seaport_item(j, 1, WETH, "0", amount, NULL);
	json_end_array(j);
	json_strz(j, "offerer", bidder);
	json_end(j);
	json_out_null(j, "signature");
	json_end(j);
}

static int order_hash(struct json_out *j, const char *what, const struct auction *a, uint32_t n)
{
	char hash[67];
	int r = stable_hash(hash, what, a->token, n);

	if (!r)
		json_strz(j, "order_hash", hash);
	return r;
}

static int transaction(struct json_out *j, const struct auction *a, int64_t now_ms)
{
	char hash[67], seconds[24];
	int r = stable_hash(hash, "tx", a->token, 0);

	if (r)
		return r;
	json_begin(j, "transaction");
	json_strz(j, "hash", hash);
	snprintf(seconds, sizeof(seconds), "%lld", (long long)(now_ms / 1000));
	json_strz(j, "timestamp", seconds);
	json_end(j);
	return 0;
}

int frame_listed(struct buf *b, const struct auction *a, const struct frame_times *t)
{
	struct json_out j = JSON_OUT(b);
	int r;

	begin(&j, "item_listed", 1, t->now_ms);
	item(&j, a);
	json_amount(&j, "base_price", a->reserve);
	json_i64(&j, "quantity", 1);
	json_strz(&j, "listing_type", "english");
	json_time(&j, "listing_date", t->starts_ms);
	json_time(&j, "expiration_date", t->expires_ms);
	account(&j, "maker", a->seller);
	json_out_null(&j, "taker");
	payment_token(&j, false);
	json_bool(&j, "is_private", false);
	r = order_hash(&j, "listing", a, 0);
	end(&j);
	return r;
}

int frame_bid(struct buf *b, const struct schedule *s, const struct auction *a, uint32_t bid,
	const struct frame_times *t)
{
	struct json_out j = JSON_OUT(b);
	const char *bidder = s->users[a->bids[bid].bidder].address;
	int r;

	begin(&j, "item_received_bid", 1, t->now_ms);
	item(&j, a);
	json_amount(&j, "base_price", a->bids[bid].amount);
	json_i64(&j, "quantity", 1);
	json_time(&j, "created_date", t->starts_ms);
	json_time(&j, "expiration_date", t->expires_ms);
	account(&j, "maker", bidder);
	json_out_null(&j, "taker");
	payment_token(&j, true);
	protocol_data(&j, a, bidder, a->bids[bid].amount);
	r = order_hash(&j, "bid", a, bid);
	end(&j);
	return r;
}

int frame_bid_cancelled(struct buf *b, const struct schedule *s, const struct auction *a,
	uint32_t bid, const struct frame_times *t)
{
	struct json_out j = JSON_OUT(b);
	int r;

	begin(&j, "item_cancelled", 2, t->now_ms);
	item(&j, a);
	json_amount(&j, "base_price", a->bids[bid].amount);
	json_i64(&j, "quantity", 1);
	json_out_null(&j, "listing_type");
	json_out_null(&j, "listing_date");
	json_time(&j, "expiration_date", t->expires_ms);
	account(&j, "maker", s->users[a->bids[bid].bidder].address);
	json_out_null(&j, "taker");
	payment_token(&j, true);
	json_bool(&j, "is_private", false);
	json_out_null(&j, "transaction");
	r = order_hash(&j, "bid", a, bid);
	end(&j);
	return r;
}

int frame_sold(struct buf *b, const struct schedule *s, const struct auction *a,
	const struct frame_times *t)
{
	struct json_out j = JSON_OUT(b);
	const struct bid *won = &a->bids[a->n_bids - 1];
	int r;

	begin(&j, "item_sold", t->now_ms, t->now_ms);
	item(&j, a);
	json_amount(&j, "sale_price", won->amount);
	json_i64(&j, "quantity", 1);
	json_strz(&j, "listing_type", "english");
	json_time(&j, "closing_date", t->now_ms);
	account(&j, "maker", a->seller);
	account(&j, "taker", s->users[won->bidder].address);
	payment_token(&j, true);
	json_bool(&j, "is_private", false);
	r = order_hash(&j, "bid", a, a->n_bids - 1);
	if (!r)
		r = transaction(&j, a, t->now_ms);
	end(&j);
	return r;
}

int frame_transferred(struct buf *b, const struct schedule *s, const struct auction *a,
	const struct frame_times *t)
{
	struct json_out j = JSON_OUT(b);
	int r;

	begin(&j, "item_transferred", t->now_ms, t->now_ms);
	item(&j, a);
	account(&j, "from_account", a->seller);
	account(&j, "to_account", s->users[a->bids[a->n_bids - 1].bidder].address);
	json_i64(&j, "quantity", 1);
	r = transaction(&j, a, t->now_ms);
	end(&j);
	return r;
}
