/*
 * One test for each refusal, the order among them, and every way to alter an order or its quote.
 *
 * The tampering starts from the record's JSON, as a client or a plain producer would write it, and
 * goes through the record's decoding: what cannot be read there never comes before the judge.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "common/base/crypto.h"
#include "wallet-bridge/judge.h"

#define SECRET_1 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define SECRET_2 "__79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eDf3t3c29rZ2NfW1dTT0tHQ"
#define KEYS \
	"{\"keys\":[{\"kid\":\"k1\",\"secret\":\"" SECRET_1 "\"}," \
	"{\"kid\":\"2026-11\",\"from\":1795334400200,\"secret\":\"" SECRET_2 "\"}]}"
#define ITEM       "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/77"
#define ITEM_OTHER "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/78"
#define OFFER      "3ce2d8ab-f97f-8e0b-9e5e-99f79e994a66"
#define WALLET     "0x27b1fdb04752bbc536007a920d24acb045561c26"
#define MAC        "xE2d8u67p-YBAqFaRs7Li2UlM9lkqgWC-gMLTRtN8_4"
#define PRICE      "{\"amount\":\"1187500000000000000\",\"currency\":\"ETH\"}"
#define PRICE_LESS "{\"amount\":\"1187499999999999999\",\"currency\":\"ETH\"}"
#define PRICE_WETH "{\"amount\":\"1187500000000000000\",\"currency\":\"WETH\"}"
#define ISSUED     1795334400200
#define EXPIRES    1795334430200

/* The quote of docs/protocol/quote.md: its mac was computed apart from this code. */
#define QUOTE_MEMBERS \
	"\"v\":1,\"kid\":\"k1\",\"offer\":\"" OFFER "\",\"rev\":\"77123.1\",\"user\":\"u_42\"," \
	"\"item\":\"" ITEM "\",\"price\":" PRICE "," \
	"\"issued\":1795334400200,\"expires\":1795334430200,\"mac\":\"" MAC "\""
#define ORDER(quote_members) \
	"{\"id\":\"o-1\",\"client_id\":\"buy-1\",\"user\":\"u_42\",\"session\":\"s_9\"," \
	"\"wallet\":\"" WALLET "\",\"item\":\"" ITEM "\",\"offer\":\"" OFFER "\"," \
	"\"rev\":\"77123.1\",\"price\":" PRICE ",\"quote\":{" quote_members "}," \
	"\"pay\":{\"mode\":\"now\"},\"ts\":1795334404123}"

#define UNREADABLE (-1000) /* the order's own decoding refuses it */

static struct quote_keys *keys;
static struct arena *arena, *arena_of_order;

static void setup(void)
{
	struct fault f = { 0 };

	cr_assert(zero(int, quote_keys_parse(&keys, STR(KEYS), &f)), "%s", f.text);
	cr_assert(zero(int, arena_new(&arena, JUDGE_ARENA_MIN)));
	cr_assert(zero(int, arena_new(&arena_of_order, 65536)));
}

static void teardown(void)
{
	arena = arena_free(arena);
	arena_of_order = arena_free(arena_of_order);
	keys = quote_keys_free(keys);
}

TestSuite(judge, .init = setup, .fini = teardown);

static struct money money_of(u128 amount, const char *code)
{
	return (struct money){ amount, currency_find(str_of(code)) };
}

static const struct judge_rules rules_of_shop = {
	.floor_over_bid_bps = 300, .order_slack_bps = 100, .open_per_user = 3
};

static struct judge_facts good_facts(void)
{
	return (struct judge_facts){
		.order_ms = ISSUED + 4000, .has_item = true, .free_units = 1, .open_of_user = 2
	};
}

static int verdict(const struct order *o, const struct judge_facts *facts,
	const struct judge_rules *rules, struct quote *q)
{
	arena_reset(arena);
	return judge(o, facts, rules, keys, arena, q);
}

/* What becomes of the order record @json. */
static int verdict_of(struct str json)
{
	struct judge_facts facts = good_facts();
	struct quote q;
	struct order o;

	arena_reset(arena_of_order);
	if (decode(&order_type, &o, json, arena_of_order, NULL) != 0)
		return UNREADABLE;
	return verdict(&o, &facts, &rules_of_shop, &q);
}

static struct order good_order(void)
{
	struct order o;
	struct fault f = { 0 };

	arena_reset(arena_of_order);
	cr_assert(zero(int, decode(&order_type, &o, STR(ORDER(QUOTE_MEMBERS)), arena_of_order, &f)),
		"%s", f.text);
	return o;
}

Test(judge, a_good_order_is_accepted_and_its_quote_told)
{
	struct order o = good_order();
	struct judge_facts facts = good_facts();
	struct quote q;

	cr_assert(eq(int, verdict(&o, &facts, &rules_of_shop, &q), REFUSAL_NONE));
	cr_expect(str_eqz(q.kid, "k1"));
	cr_expect(str_eqz(q.offer, OFFER));
	cr_expect(str_eqz(q.user, "u_42"));
	cr_expect(str_eqz(q.item, ITEM));
	cr_expect(q.price.amount == 1187500000000000000 && q.expires == EXPIRES);
}

/* ---- the order of judgement ---- */

/* In this order. */
enum {
	WITH_BAD_QUOTE,
	WITH_WRONG_USER,
	WITH_UNSUPPORTED,
	WITH_WRONG_WALLET,
	WITH_EXPIRED,
	WITH_PAUSED,
	WITH_SOLD_OUT,
	WITH_CHANGED,
	WITH_LIMIT,
	N_WITH
};

static const struct {
	int refusal;
	const char *name;
} order_of_judgement[N_WITH] = {
	{ REFUSAL_BAD_QUOTE, "BAD_QUOTE" },
	{ REFUSAL_WRONG_USER, "WRONG_USER" },
	{ REFUSAL_UNSUPPORTED, "UNSUPPORTED" },
	{ REFUSAL_WRONG_WALLET, "WRONG_WALLET" },
	{ REFUSAL_QUOTE_EXPIRED, "QUOTE_EXPIRED" },
	{ REFUSAL_PAUSED, "PAUSED" },
	{ REFUSAL_SOLD_OUT, "SOLD_OUT" },
	{ REFUSAL_OFFER_CHANGED, "OFFER_CHANGED" },
	{ REFUSAL_LIMIT, "LIMIT" },
};

static void spoil(struct order *o, struct judge_facts *facts, int with)
{
	switch (with) {
	case WITH_BAD_QUOTE:
		o->offer = STR("another");
		break;
	case WITH_WRONG_USER:
		o->user = STR("u_43");
		break;
	case WITH_UNSUPPORTED:
		o->pay = STR("{\"mode\":\"instalments\"}");
		break;
	case WITH_WRONG_WALLET:
		o->wallet = STR("0x27b1");
		break;
	case WITH_EXPIRED:
		facts->order_ms = EXPIRES + 1;
		break;
	case WITH_PAUSED:
		facts->is_paused = true;
		break;
	case WITH_SOLD_OUT:
		facts->free_units = 0;
		break;
	case WITH_CHANGED:
		facts->cost = money_of(2000000000000000000, "ETH");
		break;
	case WITH_LIMIT:
		facts->open_of_user = 3;
		break;
	}
}

Test(judge, each_refusal_comes_alone)
{
	for (int with = 0; with < N_WITH; with++) {
		struct order o = good_order();
		struct judge_facts facts = good_facts();
		struct quote q;

		spoil(&o, &facts, with);
		cr_expect(eq(int, verdict(&o, &facts, &rules_of_shop, &q),
				  order_of_judgement[with].refusal),
			"%s", order_of_judgement[with].name);
	}
}

Test(judge, of_all_that_apply_the_first_in_the_order_of_judgement_decides)
{
	for (unsigned set = 1; set < 1u << N_WITH; set++) {
		struct order o = good_order();
		struct judge_facts facts = good_facts();
		struct quote q;
		int first = -1;

		for (int with = N_WITH; with-- > 0;) {
			if (!(set & 1u << with))
				continue;
			spoil(&o, &facts, with);
			first = with;
		}
		cr_expect(eq(int, verdict(&o, &facts, &rules_of_shop, &q),
				  order_of_judgement[first].refusal),
			"set %#x, first %s", set, order_of_judgement[first].name);
	}
}

Test(judge, a_refusal_has_the_name_of_the_contract)
{
	for (int with = 0; with < N_WITH; with++)
		cr_expect(eq(str, (char *)refusal_names[order_of_judgement[with].refusal],
			(char *)order_of_judgement[with].name));
	cr_expect(eq(str, (char *)refusal_names[REFUSAL_NONE], ""));
	cr_expect(eq(str, (char *)refusal_names[REFUSAL_BAD_SIGNATURE], "BAD_SIGNATURE"));
	cr_expect(eq(ptr, (void *)refusal_names[REFUSAL_PAUSED + 1], NULL));
}

/* ---- moments ---- */

Test(judge, a_quote_is_good_up_to_and_with_its_last_millisecond)
{
	static const struct {
		int64_t order_ms;
		int want;
	} rows[] = {
		{ 0, REFUSAL_NONE },
		{ ISSUED, REFUSAL_NONE },
		{ EXPIRES - 1, REFUSAL_NONE },
		{ EXPIRES, REFUSAL_NONE },
		{ EXPIRES + 1, REFUSAL_QUOTE_EXPIRED },
		{ INT64_MAX, REFUSAL_QUOTE_EXPIRED },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct order o = good_order();
		struct judge_facts facts = good_facts();
		struct quote q;

		facts.order_ms = rows[i].order_ms;
		cr_expect(eq(int, verdict(&o, &facts, &rules_of_shop, &q), rows[i].want), "row %zu",
			i);
	}
}

Test(judge, no_row_is_sold_out_whatever_the_count_says)
{
	struct order o = good_order();
	struct judge_facts facts = good_facts();
	struct quote q;

	facts.has_item = false;
	cr_expect(eq(int, verdict(&o, &facts, &rules_of_shop, &q), REFUSAL_SOLD_OUT));
	facts.has_item = true;
	facts.free_units = -1;
	cr_expect(eq(int, verdict(&o, &facts, &rules_of_shop, &q), REFUSAL_SOLD_OUT));
	facts.free_units = 1;
	cr_expect(eq(int, verdict(&o, &facts, &rules_of_shop, &q), REFUSAL_NONE));
}

Test(judge, a_buyer_may_have_as_many_open_orders_as_the_limit)
{
	struct order o = good_order();
	struct judge_facts facts = good_facts();
	struct judge_rules rules = rules_of_shop;
	struct quote q;

	facts.open_of_user = 2;
	cr_expect(eq(int, verdict(&o, &facts, &rules, &q), REFUSAL_NONE));
	facts.open_of_user = 3;
	cr_expect(eq(int, verdict(&o, &facts, &rules, &q), REFUSAL_LIMIT));
	facts.open_of_user = 4;
	cr_expect(eq(int, verdict(&o, &facts, &rules, &q), REFUSAL_LIMIT));
	rules.open_per_user = 0;
	cr_expect(eq(int, verdict(&o, &facts, &rules, &q), REFUSAL_NONE), "0 is no limit");
}

/* ---- floors ---- */

/* The verdict on an order at @price, signed as pricing signs. */
static int verdict_at(
	struct money price, const struct judge_facts *facts, const struct judge_rules *rules)
{
	CLEANUP(buf_fini) struct buf text = BUF_INIT(4096);
	struct json_out j = JSON_OUT(&text);
	struct order o = good_order();
	char mac[QUOTE_MAC_MAX];
	struct quote q = { .v = 1,
		.offer = STR(OFFER),
		.rev = { { 77123, 1 } },
		.user = STR("u_42"),
		.item = STR(ITEM),
		.price = price,
		.issued = ISSUED,
		.expires = EXPIRES };

	cr_assert(zero(int, quote_sign(&q, mac, keys, ISSUED)));
	quote_json(&j, NULL, &q);
	o.quote = buf_str(&text);
	o.price = price;
	return verdict(&o, facts, rules, &q);
}

struct floor_row {
	const char *what;
	u128 cost, bid;
	int64_t margin_bps, over_bid_bps, slack_bps;
	u128 lowest; /* that is accepted */
};

static void check_floor(const struct floor_row *row, const char *cost_code, const char *bid_code)
{
	struct judge_rules rules = { .floor_over_bid_bps = row->over_bid_bps,
		.min_margin_bps = row->margin_bps,
		.order_slack_bps = row->slack_bps };
	struct judge_facts facts = good_facts();

	if (row->cost)
		facts.cost = money_of(row->cost, cost_code);
	if (row->bid)
		facts.bid_net = money_of(row->bid, bid_code);
	cr_expect(eq(int, verdict_at(money_of(row->lowest, "ETH"), &facts, &rules), REFUSAL_NONE),
		"%s: the lowest", row->what);
	if (row->lowest)
		cr_expect(eq(int, verdict_at(money_of(row->lowest - 1, "ETH"), &facts, &rules),
				  REFUSAL_OFFER_CHANGED),
			"%s: one below", row->what);
}

/* By hand: floor = ceil(value * (1 + bps)), lowest = ceil(floor * (1 - slack)). */
static const struct floor_row floor_rows[] = {
	{ "nothing known", 0, 0, 100, 300, 100, 0 }, { "cost", 10000, 0, 0, 0, 0, 10000 },
	{ "cost and margin, up", 10001, 0, 1, 0, 0, 10003 },           /* 10002.0001 */
	{ "bid and distance, up", 0, 101, 0, 300, 0, 105 },            /* 104.03 */
	{ "bid and distance, exact", 0, 100, 0, 300, 0, 103 },         /* 103 */
	{ "slack, exact", 10000, 0, 0, 0, 100, 9900 },                 /* 9900 */
	{ "slack, up", 10003, 0, 0, 0, 100, 9903 },                    /* 9902.97 */
	{ "slack over a rounded floor", 10001, 0, 1, 0, 100, 9903 },   /* 10003, 9902.97 */
	{ "slack of one unit is none", 99, 0, 0, 0, 100, 99 },         /* 98.01 */
	{ "the higher of both: cost", 10000, 9000, 0, 300, 0, 10000 }, /* 9270 */
	{ "the higher of both: bid", 10000, 9800, 0, 300, 0, 10094 },  /* 10094 */
	{ "slack below zero is none", 10000, 0, 0, 0, -100, 10000 },   /* 10000 */
	{ "all slack", 10000, 0, 0, 0, 10000, 0 },                     /* 0 */
	{ "more than all slack", 10000, 0, 0, 0, 1000000, 0 },         /* 0 */
	{ "the widest bps", 1000, 0, 1000000, 0, 0, 101000 },          /* 1000 * 101 */
	{ "more is as the widest", 1000, 0, INT64_MAX, 0, 0, 101000 }, /* 1000 * 101 */
	{ "a margin below zero", 10000, 0, -2500, 0, 0, 7500 },        /* 7500 */
	{ "less than nothing is zero", 10000, 0, INT64_MIN, 0, 0, 0 }, /* 0 */
};

Test(judge, a_price_may_lie_below_the_highest_floor_by_the_slack_and_no_more)
{
	for (size_t i = 0; i < ARRAY_LEN(floor_rows); i++)
		check_floor(&floor_rows[i], "ETH", "ETH");
}

Test(judge, eth_and_weth_are_at_par)
{
	for (size_t i = 0; i < ARRAY_LEN(floor_rows); i++) {
		check_floor(&floor_rows[i], "WETH", "ETH");
		check_floor(&floor_rows[i], "ETH", "WETH");
	}
}

Test(judge, a_floor_without_a_path_to_the_price_is_left_out)
{
	struct judge_rules rules = { .floor_over_bid_bps = 300 };
	struct judge_facts facts = good_facts();

	facts.bid_net = money_of(1000000, "USDC");
	facts.cost = money_of(1000000, "EUR");
	cr_expect(eq(int, verdict_at(money_of(1, "ETH"), &facts, &rules), REFUSAL_NONE));
	facts.cost = money_of(2, "WETH");
	cr_expect(eq(int, verdict_at(money_of(1, "ETH"), &facts, &rules), REFUSAL_OFFER_CHANGED),
		"the other one still counts");
	cr_expect(eq(
		int, verdict_at(money_of(1029999, "USDC"), &facts, &rules), REFUSAL_OFFER_CHANGED));
	cr_expect(eq(int, verdict_at(money_of(1030000, "USDC"), &facts, &rules), REFUSAL_NONE));
}

Test(judge, the_largest_amounts_are_compared_without_overflow)
{
	u128 most = ((u128)1 << MONEY_INPUT_BITS) - 1;
	struct judge_rules rules = { .order_slack_bps = 0 };
	struct judge_facts facts = good_facts();

	facts.cost = facts.bid_net = money_of(most, "ETH");
	cr_expect(eq(int, verdict_at(money_of(most, "ETH"), &facts, &rules), REFUSAL_NONE));
	cr_expect(eq(
		int, verdict_at(money_of(most - 1, "ETH"), &facts, &rules), REFUSAL_OFFER_CHANGED));
	rules.min_margin_bps = rules.floor_over_bid_bps = 1000000;
	cr_expect(
		eq(int, verdict_at(money_of(most, "ETH"), &facts, &rules), REFUSAL_OFFER_CHANGED));
}

/* ---- tampering ---- */

static int verdict_of_doc(const json_t *doc)
{
	char *text = json_dumps(doc, JSON_COMPACT);
	int r;

	cr_assert(text != NULL);
	r = verdict_of(str_of(text));
	free(text);
	return r;
}

static json_t *order_doc(void)
{
	json_t *doc = json_loads(ORDER(QUOTE_MEMBERS), JSON_REJECT_DUPLICATES, NULL);

	cr_assert(doc != NULL);
	return doc;
}

/* Sets or, with NULL, takes out "member" or "quote.member". */
static void change(json_t *doc, const char *path, const char *json)
{
	const char *dot = strchr(path, '.');
	json_t *in = dot ? json_object_get(doc, "quote") : doc;
	const char *name = dot ? dot + 1 : path;
	json_t *value = json ? json_loads(json, JSON_DECODE_ANY, NULL) : NULL;

	cr_assert(eq(int, json != NULL, value != NULL), "%s", json ? json : "");
	if (value)
		cr_assert(zero(int, json_object_set_new(in, name, value)));
	else
		cr_assert(zero(int, json_object_del(in, name)));
}

struct change {
	const char *path, *json;
	int want;
};

static void check_changes(const struct change *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_auto_t *doc = order_doc();

		change(doc, rows[i].path, rows[i].json);
		cr_expect(eq(int, verdict_of_doc(doc), rows[i].want), "%s = %s", rows[i].path,
			rows[i].json ? rows[i].json : "(removed)");
	}
}

Test(judge, a_member_of_the_order_that_is_altered_gets_its_refusal)
{
	static const struct change rows[] = {
		{ "offer", "\"3ce2d8ab-f97f-8e0b-9e5e-99f79e994a67\"", REFUSAL_BAD_QUOTE },
		{ "offer", "\"3CE2D8AB-F97F-8E0B-9E5E-99F79E994A66\"", REFUSAL_BAD_QUOTE },
		{ "offer", "7", UNREADABLE },
		{ "offer", NULL, UNREADABLE },
		{ "rev", "\"77123.2\"", REFUSAL_BAD_QUOTE },
		{ "rev", "\"77123\"", REFUSAL_BAD_QUOTE },
		{ "rev", "\"77123.1.0.1\"", REFUSAL_BAD_QUOTE },
		{ "rev", "\"77123.1.0\"", REFUSAL_NONE }, /* the same version */
		{ "rev", "77123.1", UNREADABLE },
		{ "rev", NULL, UNREADABLE },
		{ "price", PRICE_LESS, REFUSAL_BAD_QUOTE },
		{ "price", PRICE_WETH, REFUSAL_BAD_QUOTE },
		{ "price", "{\"amount\":\"0\",\"currency\":\"ETH\"}", REFUSAL_BAD_QUOTE },
		{ "price", "{\"amount\":1187500000000000000,\"currency\":\"ETH\"}", UNREADABLE },
		{ "price", "{\"amount\":\"1187500000000000000\",\"currency\":\"eth\"}",
			UNREADABLE },
		{ "price", NULL, UNREADABLE },
		{ "item", "\"" ITEM_OTHER "\"", REFUSAL_BAD_QUOTE },
		{ "item", "\"eip155:1/erc721:0x3B3EE1931DC30C1957379FAC9ABA94D1C48A5405/77\"",
			UNREADABLE },
		{ "item", NULL, UNREADABLE },
		{ "user", "\"u_43\"", REFUSAL_WRONG_USER },
		{ "user", "\"U_42\"", REFUSAL_WRONG_USER },
		{ "user", "\"u_42 \"", REFUSAL_WRONG_USER },
		{ "user", NULL, UNREADABLE },
		{ "wallet", "\"0x52908400098527886e0f7030069857d2e4169ee7\"", REFUSAL_NONE },
		{ "wallet", "\"0x27b1\"", UNREADABLE },
		{ "wallet", NULL, REFUSAL_NONE }, /* it is asked for when it is paid */
		{ "quote", "null", UNREADABLE },
		{ "quote", "{}", REFUSAL_BAD_QUOTE },
		{ "quote", "[]", REFUSAL_BAD_QUOTE },
		{ "quote", "1", REFUSAL_BAD_QUOTE },
		{ "quote", "\"" MAC "\"", REFUSAL_BAD_QUOTE },
		{ "quote", NULL, UNREADABLE },
		{ "pay", "{\"mode\":\"instalments\"}", REFUSAL_UNSUPPORTED },
		{ "pay", "{\"mode\":\"NOW\"}", REFUSAL_UNSUPPORTED },
		{ "pay", "{\"mode\":null}", REFUSAL_UNSUPPORTED },
		{ "pay", "{\"mode\":[\"now\"]}", REFUSAL_UNSUPPORTED },
		{ "pay", "{}", REFUSAL_UNSUPPORTED },
		{ "pay", "[]", REFUSAL_UNSUPPORTED },
		{ "pay", "\"now\"", REFUSAL_UNSUPPORTED },
		{ "pay", "{\"mode\":\"now\",\"note\":1.5}", REFUSAL_NONE }, /* carried along */
		{ "pay", NULL, UNREADABLE },
		/* These decide nothing. */
		{ "id", "\"o-2\"", REFUSAL_NONE },
		{ "client_id", "\"buy-2\"", REFUSAL_NONE },
		{ "session", "\"s_10\"", REFUSAL_NONE },
		{ "signature", "\"0x00\"", REFUSAL_NONE },
		{ "ts", "1", REFUSAL_NONE },
		{ "ts", "9007199254740991", REFUSAL_NONE },
		{ "unknown", "{\"expires\":0}", REFUSAL_NONE },
	};

	check_changes(rows, ARRAY_LEN(rows));
}

static const char *const quote_members[] = { "v", "kid", "offer", "rev", "user", "item", "price",
	"issued", "expires", "mac" };

Test(judge, a_member_of_the_quote_that_is_altered_is_a_bad_quote)
{
	static const struct change rows[] = {
		{ "quote.v", "0", REFUSAL_BAD_QUOTE },
		{ "quote.v", "2", REFUSAL_BAD_QUOTE },
		{ "quote.v", "\"1\"", REFUSAL_BAD_QUOTE },
		{ "quote.v", "1.0", REFUSAL_BAD_QUOTE },
		{ "quote.v", "true", REFUSAL_BAD_QUOTE },
		{ "quote.kid", "\"2026-11\"", REFUSAL_BAD_QUOTE }, /* ours, but not the one */
		{ "quote.kid", "\"k2\"", REFUSAL_BAD_QUOTE },
		{ "quote.kid", "\"K1\"", REFUSAL_BAD_QUOTE },
		{ "quote.kid", "\"\"", REFUSAL_BAD_QUOTE },
		{ "quote.offer", "\"3ce2d8ab-f97f-8e0b-9e5e-99f79e994a67\"", REFUSAL_BAD_QUOTE },
		{ "quote.rev", "\"77123.2\"", REFUSAL_BAD_QUOTE },
		{ "quote.rev", "\"77123.1.0\"", REFUSAL_NONE }, /* signed in its written form */
		{ "quote.rev", "77123", REFUSAL_BAD_QUOTE },
		{ "quote.user", "\"u_43\"", REFUSAL_BAD_QUOTE },
		{ "quote.item", "\"" ITEM_OTHER "\"", REFUSAL_BAD_QUOTE },
		{ "quote.item", "\"eip155:1/erc721:0x3B3EE1931DC30C1957379FAC9ABA94D1C48A5405/77\"",
			REFUSAL_BAD_QUOTE },
		{ "quote.price", PRICE_LESS, REFUSAL_BAD_QUOTE },
		{ "quote.price", PRICE_WETH, REFUSAL_BAD_QUOTE },
		{ "quote.price", "{\"currency\":\"ETH\",\"amount\":\"1187500000000000000\"}",
			REFUSAL_NONE }, /* the order of members is not signed */
		{ "quote.price",
			"{\"amount\":\"1187500000000000000\",\"currency\":\"ETH\",\"off\":\"1\"}",
			REFUSAL_BAD_QUOTE },
		{ "quote.price", "{\"amount\":\"1187500000000000000\"}", REFUSAL_BAD_QUOTE },
		{ "quote.price", "{\"amount\":1187500000000000000,\"currency\":\"ETH\"}",
			REFUSAL_BAD_QUOTE },
		{ "quote.price", "{\"amount\":\"01187500000000000000\",\"currency\":\"ETH\"}",
			REFUSAL_BAD_QUOTE },
		{ "quote.price", "\"1187500000000000000\"", REFUSAL_BAD_QUOTE },
		{ "quote.issued", "1795334400199", REFUSAL_BAD_QUOTE },
		{ "quote.issued", "1795334400201", REFUSAL_BAD_QUOTE },
		{ "quote.issued", "\"1795334400200\"", REFUSAL_BAD_QUOTE },
		{ "quote.expires", "1795334430199", REFUSAL_BAD_QUOTE },
		{ "quote.expires", "1795334430201", REFUSAL_BAD_QUOTE },
		{ "quote.expires", "9007199254740991", REFUSAL_BAD_QUOTE },
		{ "quote.expires", "-1", REFUSAL_BAD_QUOTE },
		{ "quote.mac", "\"\"", REFUSAL_BAD_QUOTE },
		{ "quote.mac", "\"" MAC "=\"", REFUSAL_BAD_QUOTE },
		{ "quote.mac", "\"" MAC " \"", REFUSAL_BAD_QUOTE },
		{ "quote.mac", "\"" MAC MAC "\"", REFUSAL_BAD_QUOTE },
		{ "quote.mac", "\"xE2d8u67p+YBAqFaRs7Li2UlM9lkqgWC+gMLTRtN8/4\"",
			REFUSAL_BAD_QUOTE },
		{ "quote.discount", "\"1\"", REFUSAL_BAD_QUOTE },
		{ "quote.Price", PRICE, REFUSAL_BAD_QUOTE },
		{ "quote.", "1", REFUSAL_BAD_QUOTE },
	};

	check_changes(rows, ARRAY_LEN(rows));
}

Test(judge, no_member_of_the_quote_can_be_missing_null_or_of_another_type)
{
	static const char *const wrong[] = { NULL, "null", "[]", "{}", "1.5", "false" };

	for (size_t i = 0; i < ARRAY_LEN(quote_members); i++) {
		for (size_t k = 0; k < ARRAY_LEN(wrong); k++) {
			char path[32];

			snprintf(path, sizeof(path), "quote.%s", quote_members[i]);
			check_changes(&(struct change){ path, wrong[k], REFUSAL_BAD_QUOTE }, 1);
		}
	}
}

/* Of two members with one name, one reader takes the first and another the last. */
Test(judge, a_repeated_member_is_refused_also_with_the_same_value)
{
	static const struct {
		const char *json;
		int want;
	} rows[] = {
		{ ORDER(QUOTE_MEMBERS ",\"v\":1"), REFUSAL_BAD_QUOTE },
		{ ORDER(QUOTE_MEMBERS ",\"kid\":\"k1\""), REFUSAL_BAD_QUOTE },
		{ ORDER(QUOTE_MEMBERS ",\"offer\":\"" OFFER "\""), REFUSAL_BAD_QUOTE },
		{ ORDER(QUOTE_MEMBERS ",\"rev\":\"77123.1\""), REFUSAL_BAD_QUOTE },
		{ ORDER(QUOTE_MEMBERS ",\"user\":\"u_42\""), REFUSAL_BAD_QUOTE },
		{ ORDER(QUOTE_MEMBERS ",\"item\":\"" ITEM "\""), REFUSAL_BAD_QUOTE },
		{ ORDER(QUOTE_MEMBERS ",\"price\":" PRICE), REFUSAL_BAD_QUOTE },
		{ ORDER(QUOTE_MEMBERS ",\"price\":" PRICE_LESS), REFUSAL_BAD_QUOTE },
		{ ORDER(QUOTE_MEMBERS ",\"pr\\u0069ce\":" PRICE), REFUSAL_BAD_QUOTE },
		{ ORDER(QUOTE_MEMBERS ",\"issued\":1795334400200"), REFUSAL_BAD_QUOTE },
		{ ORDER(QUOTE_MEMBERS ",\"expires\":1795334430200"), REFUSAL_BAD_QUOTE },
		{ ORDER(QUOTE_MEMBERS ",\"mac\":\"" MAC "\""), REFUSAL_BAD_QUOTE },
	};
	struct order o;
	struct judge_facts facts = good_facts();
	struct quote q;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect(eq(int, verdict_of(str_of(rows[i].json)), rows[i].want), "%s",
			rows[i].json);
	o = good_order();
	o.pay = STR("{\"mode\":\"now\",\"mode\":\"instalments\"}");
	cr_expect(eq(int, verdict(&o, &facts, &rules_of_shop, &q), REFUSAL_UNSUPPORTED));
	o.pay = STR("{\"mode\":\"instalments\",\"mode\":\"now\"}");
	cr_expect(eq(int, verdict(&o, &facts, &rules_of_shop, &q), REFUSAL_UNSUPPORTED));
	o = good_order();
	o.quote = STR("{" QUOTE_MEMBERS "}");
	cr_expect(eq(int, verdict(&o, &facts, &rules_of_shop, &q), REFUSAL_NONE), "as it was");
}

Test(judge, every_character_of_the_mac_counts)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. ";
	struct judge_facts facts = good_facts();
	struct order o = good_order();
	char quote[1024];
	size_t n_same = 0;
	char *mac;

	snprintf(quote, sizeof(quote), "{%s}", QUOTE_MEMBERS);
	o.quote = str_of(quote);
	mac = strstr(quote, MAC);
	for (size_t i = 0; i < strlen(MAC); i++) {
		for (const char *c = alphabet; *c; c++) {
			int want = *c == MAC[i] ? REFUSAL_NONE : REFUSAL_BAD_QUOTE;
			struct quote q;

			n_same += *c == MAC[i];
			mac[i] = *c;
			cr_expect(eq(int, verdict(&o, &facts, &rules_of_shop, &q), want),
				"'%c' at %zu", *c, i);
		}
		mac[i] = MAC[i];
	}
	cr_expect(eq(sz, n_same, strlen(MAC)));
}

/* A shopper who lowers the price in both places, or carries an offer over to something else. */
Test(judge, altered_alike_in_order_and_quote_it_is_still_a_bad_quote)
{
	static const struct {
		const char *member, *json;
	} rows[] = {
		{ "price", PRICE_LESS },
		{ "price", PRICE_WETH },
		{ "item", "\"" ITEM_OTHER "\"" },
		{ "offer", "\"another\"" },
		{ "rev", "\"77123.2\"" },
		{ "user", "\"u_43\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_auto_t *doc = order_doc();
		char path[32];

		snprintf(path, sizeof(path), "quote.%s", rows[i].member);
		change(doc, rows[i].member, rows[i].json);
		change(doc, path, rows[i].json);
		cr_expect(eq(int, verdict_of_doc(doc), REFUSAL_BAD_QUOTE), "%s", rows[i].member);
	}
}

/* The same quote, signed by @document's key at @now_ms. */
static int verdict_signed_by(const char *document, int64_t now_ms, const char *kid)
{
	CLEANUP(quote_keys_free) struct quote_keys *others = NULL;
	CLEANUP(buf_fini) struct buf text = BUF_INIT(4096);
	struct json_out j = JSON_OUT(&text);
	struct judge_facts facts = good_facts();
	struct order o = good_order();
	char mac[QUOTE_MAC_MAX];
	struct quote q;

	cr_assert(zero(int, quote_keys_parse(&others, str_of(document), NULL)));
	cr_assert(zero(int, decode(&quote_type, &q, o.quote, arena_of_order, NULL)));
	cr_assert(zero(int, quote_sign(&q, mac, others, now_ms)));
	if (kid)
		q.kid = str_of(kid);
	quote_json(&j, NULL, &q);
	o.quote = buf_str(&text);
	return verdict(&o, &facts, &rules_of_shop, &q);
}

Test(judge, only_our_keys_under_their_own_names_sign)
{
	const char *foreign = "{\"keys\":[{\"kid\":\"k1\",\"secret\":\"" SECRET_2 "\"}]}";
	const char *unknown = "{\"keys\":[{\"kid\":\"k9\",\"secret\":\"" SECRET_1 "\"}]}";

	cr_expect(eq(int, verdict_signed_by(KEYS, ISSUED - 1, NULL), REFUSAL_NONE), "k1");
	cr_expect(eq(int, verdict_signed_by(KEYS, ISSUED, NULL), REFUSAL_NONE), "2026-11");
	cr_expect(eq(int, verdict_signed_by(KEYS, ISSUED, "k1"), REFUSAL_BAD_QUOTE),
		"of one key, said to be of another");
	cr_expect(eq(int, verdict_signed_by(foreign, ISSUED, NULL), REFUSAL_BAD_QUOTE),
		"another's secret under our name");
	cr_expect(eq(int, verdict_signed_by(unknown, ISSUED, NULL), REFUSAL_BAD_QUOTE),
		"our secret under another name");
}

Test(judge, what_is_no_quote_at_all_is_a_bad_quote_and_leaves_none)
{
	static const char *const texts[] = { "", " ", "{", "{}", "[]", "null", "\"\"", "0",
		"{\"v\":1", "{" QUOTE_MEMBERS "}x", "{" QUOTE_MEMBERS "}{" QUOTE_MEMBERS "}",
		"[{" QUOTE_MEMBERS "}]", "{" QUOTE_MEMBERS ",}",
		"{" QUOTE_MEMBERS ",\"\\ud800\":1}", "{" QUOTE_MEMBERS ",\"x\":\"\xff\"}",
		"{" QUOTE_MEMBERS ",\"x\":\"\\u0000\"}" };
	struct judge_facts facts = good_facts();

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct order o = good_order();
		struct quote q;

		o.quote = str_of(texts[i]);
		cr_expect(eq(int, verdict(&o, &facts, &rules_of_shop, &q), REFUSAL_BAD_QUOTE), "%s",
			texts[i]);
	}
	struct order o = good_order();
	struct quote q = { .v = 7 };
	o.quote = STR_NONE;
	cr_expect(eq(int, verdict(&o, &facts, &rules_of_shop, &q), REFUSAL_BAD_QUOTE));
	cr_expect(zero(i64, q.v), "nothing of before is left in it");
}

static void repeat(struct buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_puts(b, str_of(text));
}

Test(judge, a_huge_or_deep_quote_is_a_bad_quote)
{
	static const struct {
		const char *before, *text, *after;
		size_t n;
	} rows[] = {
		{ "{" QUOTE_MEMBERS ",\"x\":\"", "aaaaaaaaaaaaaaaa", "\"}", 65536 },
		{ "{\"user\":\"", "aaaaaaaaaaaaaaaa", "\"," QUOTE_MEMBERS "}", 65536 },
		{ "{\"mac\":\"", "aaaaaaaaaaaaaaaa", "\"}", 65536 },
		{ "{\"expires\":", "1111111111111111", "}", 4096 },
		{ "{" QUOTE_MEMBERS ",\"x\":", "[", "}", 100000 },
		{ "", "{\"a\":", "1", 100000 },
		{ "", "[[[[[[[[", "", 100000 },
		{ "{" QUOTE_MEMBERS, ",\"x\":1", "}", 10000 },
	};
	struct judge_facts facts = good_facts();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_fini) struct buf text = BUF_INIT(4 << 20);
		struct order o = good_order();
		struct quote q;

		buf_puts(&text, str_of(rows[i].before));
		repeat(&text, rows[i].text, rows[i].n);
		buf_puts(&text, str_of(rows[i].after));
		cr_assert(not(text.failed));
		o.quote = buf_str(&text);
		cr_expect(eq(int, verdict(&o, &facts, &rules_of_shop, &q), REFUSAL_BAD_QUOTE),
			"row %zu", i);
	}
}

Test(judge, the_smallest_arena_holds_the_largest_quote)
{
	CLEANUP(buf_fini) struct buf text = BUF_INIT(16384);
	CLEANUP(buf_fini) struct buf user = BUF_INIT(256);
	struct json_out j = JSON_OUT(&text);
	struct judge_facts facts = good_facts();
	struct order o = good_order();
	char id[129], mac[QUOTE_MAC_MAX];
	struct quote q;

	memset(id, '~', 128);
	id[128] = '\0';
	repeat(&user, "\"\\", 64);
	cr_assert(zero(int, decode(&quote_type, &q, o.quote, arena_of_order, NULL)));
	q.offer = o.offer = str_of(id);
	q.user = o.user = buf_str(&user);
	q.rev = o.rev = (struct version){ { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
	cr_assert(zero(int, quote_sign(&q, mac, keys, ISSUED)));
	quote_json(&j, NULL, &q);
	o.quote = buf_str(&text);
	cr_expect(eq(int, verdict(&o, &facts, &rules_of_shop, &q), REFUSAL_NONE));
}

Test(judge, a_wallet_is_one_or_the_order_is_refused)
{
	static const struct {
		const char *wallet;
		int want;
	} rows[] = {
		{ NULL, REFUSAL_NONE },
		{ WALLET, REFUSAL_NONE },
		{ "0x52908400098527886E0F7030069857D2E4169EE7", REFUSAL_NONE },
		{ "", REFUSAL_WRONG_WALLET },
		{ "0x", REFUSAL_WRONG_WALLET },
		{ "27b1fdb04752bbc536007a920d24acb045561c26", REFUSAL_WRONG_WALLET },
		{ "0X27b1fdb04752bbc536007a920d24acb045561c26", REFUSAL_WRONG_WALLET },
		{ WALLET "0", REFUSAL_WRONG_WALLET },
		{ "0x27b1fdb04752bbc536007a920d24acb045561c2", REFUSAL_WRONG_WALLET },
		{ "0x27b1fdb04752bbc536007a920d24acb045561c2g", REFUSAL_WRONG_WALLET },
	};
	struct judge_facts facts = good_facts();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct order o = good_order();
		struct quote q;

		o.wallet = str_of(rows[i].wallet);
		cr_expect(eq(int, verdict(&o, &facts, &rules_of_shop, &q), rows[i].want), "%s",
			rows[i].wallet ? rows[i].wallet : "none");
	}
}

/* ---- digests ---- */

/* hashlib.sha256 over json.dumps(quote, sort_keys=True, separators=(",", ":"),
 * ensure_ascii=False) in Python. */
Test(judge, the_digest_of_a_quote_keeps_its_vectors)
{
	struct quote q;
	char digest[72];

	cr_assert(zero(int, decode(&quote_type, &q, STR("{" QUOTE_MEMBERS "}"), arena, NULL)));
	cr_assert(zero(int, judge_quote_digest(digest, &q)));
	cr_expect(eq(str, digest,
		"sha256:5724ad0a655cfccb38f7a3b070c8a0702e221bb247feee72a4e55dba102a729e"));

	q = (struct quote){ .v = 1,
		.kid = STR("2026-11"),
		.offer = STR(OFFER),
		.rev = { { 7 } },
		.user = STR("\xc3\xb3\"\\/\xe2\x82\xac\xf0\x9f\x98\x80"),
		.item = STR("game:azeroth/sword:iron/17"),
		.price = money_of(((u128)1 << 96) - 1, "USDC"),
		.issued = ISSUED,
		.expires = 9007199254740991,
		.mac = STR("XbrL2n_Z9rmhSZQV1SjxxviYW4ub3dVYjtVRSsCqSDw") };
	cr_assert(zero(int, judge_quote_digest(digest, &q)));
	cr_expect(eq(str, digest,
		"sha256:e19db89d7e3a9412c96fea24bb204ff8075da9161a586a9f031c3fa8eca5bdeb"));
}

Test(judge, the_digest_of_a_quote_does_not_depend_on_how_it_was_written)
{
	struct order o = good_order();
	struct judge_facts facts = good_facts();
	struct quote q;
	char one[72], two[72];

	cr_assert(eq(int, verdict(&o, &facts, &rules_of_shop, &q), REFUSAL_NONE));
	cr_assert(zero(int, judge_quote_digest(one, &q)));
	o.quote =
		STR("{\"mac\":\"" MAC "\", \"user\":\"u\\u005f42\", \"rev\":\"77123.1.0\", \"v\":1,"
		    "\"price\":{\"currency\":\"ETH\", \"amount\":\"1187500000000000000\"},"
		    "\"kid\":\"k1\",\"expires\":1795334430200, \"issued\":1795334400200,"
		    "\"item\":\"" ITEM "\",\"offer\":\"" OFFER "\"}");
	cr_assert(eq(int, verdict(&o, &facts, &rules_of_shop, &q), REFUSAL_NONE));
	cr_assert(zero(int, judge_quote_digest(two, &q)));
	cr_expect(eq(str, one, two));
	q.mac = STR("yE2d8u67p-YBAqFaRs7Li2UlM9lkqgWC-gMLTRtN8_4");
	cr_assert(zero(int, judge_quote_digest(two, &q)));
	cr_expect(ne(str, one, two), "the mac is part of it");
}
