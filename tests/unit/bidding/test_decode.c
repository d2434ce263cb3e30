/* Messages of the stream, recorded and made, as market events: the whole event is compared in its
 * written form. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <stdio.h>
#include <stdlib.h>

#include "bidding/opensea/decode.h"
#include "bidding/opensea/frame.h"
#include "common/base/config.h"

#define NOW   1788949200000
#define C     "0x387c41b0b2f1128de44db1bcf8baad085f26392c"
#define H     "0x39f8000000000000000000000000000000000000000000000000000000000000"
#define M     "0x0d9e000000000000000000000000000000000000"
#define T     "0x395b000000000000000000000000000000000000"
#define WETH  "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
#define ITEM7 "eip155:1/erc721:" C "/7"

static struct collection collection_of(const char *slug, const char *contract)
{
	struct collection c;
	char text[300];
	struct fault f = { 0 };

	snprintf(text, sizeof(text),
		"slug=%s;chain=eip155:1;standard=erc721;contract=%s;fee_bps=750;currency=ETH", slug,
		contract);
	cr_assert(zero(int, collection_parse(&c, 0, str_of(text), &f)), "%s", f.text);
	return c;
}

struct decoded {
	struct arena *arena;
	struct buf json;
	enum opensea_reason reason;
	int code;
};

static void decode_message(struct decoded *d, const struct collection *c, struct str message)
{
	struct market_event e;
	struct json_out j;

	cr_assert(zero(int, arena_new(&d->arena, 1 << 20)));
	d->json = BUF_INIT(65536);
	d->code = opensea_decode(&e, c, message, NOW, d->arena, &d->reason);
	if (d->code)
		return;
	j = JSON_OUT(&d->json);
	market_event_json(&j, &e);
}

static void decoded_fini(struct decoded *d)
{
	buf_fini(&d->json);
	arena_free(d->arena);
}

/* ---- recorded ---- */

static const char *const RECORDED[] = {
	"{\"type\":\"bid\",\"collection\":\"argonauts\",\"item\":\"eip155:1/erc721:" C
	"/7531\",\"order\":\"" H "\",\"seq\":1,\"ts\":1788949119860,\"received\":1788949200000,"
	"\"maker\":\"" M "\",\"price\":{\"amount\":\"880000000000000000\",\"currency\":\"ETH\"},"
	"\"price_net\":{\"amount\":\"814000000000000000\",\"currency\":\"ETH\"},\"quantity\":1,"
	"\"starts\":1788949117000,\"expires\":1788950917000,\"flags\":[\"net_estimated\"]}",

	"{\"type\":\"cancelled\",\"collection\":\"argonauts\",\"item\":\"eip155:1/erc721:" C
	"/7531\",\"order\":\"" H "\",\"seq\":2,\"ts\":1788949140000,\"received\":1788949200000,"
	"\"maker\":\"" M "\",\"quantity\":1,\"expires\":1788949800000,\"private\":false}",

	"{\"type\":\"invalidated\",\"collection\":\"argonauts\",\"item\":\"eip155:1/erc721:" C
	"/4842\",\"order\":\"0x7cb4000000000000000000000000000000000000000000000000000000000000\","
	"\"seq\":2,\"ts\":1788949200000,\"received\":1788949200000,\"quantity\":1}",

	/* no address: what token it is, its symbol does not say */
	"{\"type\":\"collection_offer\",\"collection\":\"argonauts\","
	"\"order\":\"0xc011000000000000000000000000000000000000000000000000000000000000\","
	"\"seq\":1,\"ts\":1788949260000,\"received\":1788949200000,"
	"\"maker\":\"0xbffe000000000000000000000000000000000000\",\"quantity\":1,"
	"\"expires\":1788951060000,\"flags\":[\"no_fx\"]}",

	"{\"type\":\"trait_offer\",\"collection\":\"argonauts\","
	"\"order\":\"0x7a17000000000000000000000000000000000000000000000000000000000000\","
	"\"seq\":1,\"ts\":1788949260000,\"received\":1788949200000,"
	"\"maker\":\"0xbffe000000000000000000000000000000000000\",\"quantity\":1,"
	"\"expires\":1788951060000,\"flags\":[\"no_fx\"]}",

	/* eth_price is the rate here and the order's value elsewhere: neither is the price */
	"{\"type\":\"sold\",\"collection\":\"argonauts\",\"item\":\"eip155:1/erc721:" C
	"/8119\",\"order\":\"0xaef8bbe92f2f02f22b48e534518eee5d74e66226cd004bf14df2856b229c17b3\","
	"\"ts\":1788949572500,\"received\":1788949200000,"
	"\"maker\":\"0xb78b000000000000000000000000000000000000\","
	"\"taker\":\"" T "\",\"price\":{\"amount\":\"1430000000000000000\",\"currency\":\"ETH\"},"
	"\"quantity\":1,\"private\":false}",

	/* 18 ETH do not fit an int64; 17.46 are what the seller gets */
	"{\"type\":\"bid\",\"collection\":\"pudgypenguins\",\"item\":\"eip155:1/erc721:"
	"0xbd3531da5cf5857e7cfaa92426877b022e612cf8/3246\","
	"\"order\":\"0x18ea513382e2c8e9307cd0cfd1a595556205cc94992accdaf71e77f21cad1d4c\","
	"\"ts\":1705904180121,\"received\":1788949200000,"
	"\"maker\":\"0xb73d5c81096da0f0d16741d1dc89e96a054920b2\","
	"\"price\":{\"amount\":\"18000000000000000000\",\"currency\":\"ETH\"},"
	"\"price_net\":{\"amount\":\"17460000000000000000\",\"currency\":\"ETH\"},\"quantity\":1,"
	"\"starts\":1705904175000,\"expires\":1705905675000}",
};

Test(decode, every_recorded_frame_becomes_its_event)
{
	struct collection argonauts = collection_of("argonauts", C);
	struct collection penguins =
		collection_of("pudgypenguins", "0xbd3531da5cf5857e7cfaa92426877b022e612cf8");
	char path[512], line[16384];
	size_t n = 0;
	FILE *in;

	snprintf(path, sizeof(path), "%s/bidding/recorded.jsonl", getenv("SOUK_TEST_DATA"));
	in = fopen(path, "r");
	cr_assert(in != NULL);
	for (; fgets(line, sizeof(line), in); n++) {
		CLEANUP(arena_free) struct arena *a = NULL;
		struct opensea_frame f;
		struct decoded d;

		cr_assert(n < ARRAY_LEN(RECORDED));
		cr_assert(zero(int, arena_new(&a, 65536)));
		cr_assert(zero(int, opensea_frame_parse(&f, str_of(line), a, NULL)));
		decode_message(&d,
			str_eqz(f.topic, "collection:argonauts") ? &argonauts : &penguins,
			f.payload);
		cr_expect(zero(int, d.code), "line %zu: reason %d", n + 1, (int)d.reason);
		cr_expect(str_eqz(buf_str(&d.json), RECORDED[n]), "line %zu:\n" STR_FMT "\n%s",
			n + 1, STR_ARG(buf_str(&d.json)), RECORDED[n]);
		decoded_fini(&d);
	}
	cr_expect(eq(sz, n, ARRAY_LEN(RECORDED)));
	fclose(in);
}

/* ---- made: one bid, one listing or one sale with one thing odd ---- */

#define MSG(type, payload) "{\"event_type\":\"" type "\",\"version\":3,\"payload\":{" payload "}}"
#define WHERE              "\"chain\":\"ethereum\",\"collection\":{\"slug\":\"argonauts\"}"
#define AT                 "\"event_timestamp\":\"2026-09-09T10:18:39Z\""
#define NFT                "\"item\":{\"nft_id\":\"ethereum/" C "/7\"}"
#define ORDER              "\"order_hash\":\"" H "\""
#define MAKER              "\"maker\":{\"address\":\"" M "\"}"
#define PAY                "\"payment_token\":{\"address\":\"" WETH "\",\"decimals\":18,\"symbol\":\"?\"}"
#define BASE(p)            "\"base_price\":" p
#define COMMON             WHERE "," AT "," NFT "," ORDER "," MAKER "," PAY
#define MONEY(to, start, end) \
	"{\"itemType\":1,\"token\":\"" WETH \
	"\",\"identifierOrCriteria\":\"0\",\"startAmount\":" start ",\"endAmount\":" end \
	",\"recipient\":\"" to "\"}"
#define TOKEN(to) \
	"{\"itemType\":2,\"token\":\"" C \
	"\",\"identifierOrCriteria\":\"7\",\"startAmount\":\"1\"," \
	"\"endAmount\":\"1\",\"recipient\":\"" to "\"}"
#define SEAPORT(offer, consideration) \
	"\"protocol_data\":{\"parameters\":{\"offerer\":\"" M "\",\"offer\":[" offer \
	"],\"consideration\":[" consideration \
	"],\"startTime\":\"1788949000\",\"endTime\":1788959000}}"

struct made {
	const char *what;
	const char *message;
	int code;
	int reason;      /* enum opensea_reason, of OPENSEA_E_BAD */
	const char *has; /* what the written event contains */
	const char *lacks;
};

#define ETH(n) "{\"amount\":\"" n "\",\"currency\":\"ETH\"}"

static const struct made MADE[] = {
	/* numbers where texts belong */
	{ "an integral number is taken as the text",
		MSG("item_received_bid", COMMON "," BASE("99999999999999999999")), 0, 0,
		"\"price\":" ETH("99999999999999999999"), NULL },
	{ "a fraction is no amount", MSG("item_received_bid", COMMON "," BASE("1.5")),
		OPENSEA_E_BAD, OPENSEA_BAD_PRICE, NULL, NULL },
	{ "an exponent is no amount", MSG("item_received_bid", COMMON "," BASE("1e18")),
		OPENSEA_E_BAD, OPENSEA_BAD_PRICE, NULL, NULL },
	{ "a sign is no amount", MSG("item_received_bid", COMMON "," BASE("\"-1\"")), OPENSEA_E_BAD,
		OPENSEA_BAD_PRICE, NULL, NULL },
	{ "a bid without a price is none", MSG("item_received_bid", COMMON), OPENSEA_E_BAD,
		OPENSEA_BAD_PRICE, NULL, NULL },
	{ "a price of null is none", MSG("item_received_bid", COMMON "," BASE("null")),
		OPENSEA_E_BAD, OPENSEA_BAD_PRICE, NULL, NULL },
	{ "the largest amount is taken",
		MSG("item_received_bid", COMMON "," BASE("\"79228162514264337593543950335\"")), 0,
		0, "\"price\":" ETH("79228162514264337593543950335"), "too_big" },
	{ "one more is left out and flagged",
		MSG("item_received_bid", COMMON "," BASE("\"79228162514264337593543950336\"")), 0,
		0, "\"flags\":[\"too_big\"]", "\"price\"" },
	{ "a version as text",
		"{\"event_type\":\"item_cancelled\",\"version\":\"12\",\"payload\":{" WHERE
		"," ORDER "}}",
		0, 0, "\"seq\":12", NULL },
	{ "a quantity as text",
		MSG("item_received_bid", COMMON "," BASE("\"100\"") ",\"quantity\":\"3\""), 0, 0,
		"\"quantity\":3", NULL },
	/* the token */
	{ "an id without the token is completed from the order",
		MSG("item_received_bid", WHERE "," AT "," ORDER "," MAKER "," PAY "," BASE(
						 "\"100\"") ",\"item\":{\"nft_id\":\"ethereum/" C
							    "\"}," SEAPORT("", TOKEN(M))),
		0, 0, "\"item\":\"" ITEM7 "\"", NULL },
	{ "so is an absent item",
		MSG("item_received_bid", WHERE "," AT "," ORDER "," MAKER "," PAY
					       "," BASE("\"100\"") "," SEAPORT("", TOKEN(M))),
		0, 0, "\"item\":\"" ITEM7 "\"", NULL },
	{ "and an empty one",
		MSG("item_received_bid", WHERE "," AT "," ORDER "," MAKER "," PAY "," BASE(
						 "\"100\"") ",\"item\":{}," SEAPORT("", TOKEN(M))),
		0, 0, "\"item\":\"" ITEM7 "\"", NULL },
	{ "a Merkle root is no token id",
		MSG("item_received_bid",
			WHERE "," AT "," ORDER "," MAKER "," PAY "," BASE("\"100\"") "," SEAPORT("",
				"{\"itemType\":4,\"token\":\"" C
				"\",\"identifierOrCriteria\":\"7\",\"startAmount\":\"1\","
				"\"endAmount\":\"1\"}")),
		OPENSEA_E_BAD, OPENSEA_BAD_ITEM, NULL, NULL },
	{ "a bid for no token is none",
		MSG("item_received_bid",
			WHERE "," AT "," ORDER "," MAKER "," PAY "," BASE("\"1\"")),
		OPENSEA_E_BAD, OPENSEA_BAD_ITEM, NULL, NULL },
	{ "a token of another contract is not ours",
		MSG("item_received_bid",
			WHERE "," AT "," ORDER "," MAKER "," PAY
			      "," BASE("\"1\"") ",\"item\":{\"nft_id\":\"ethereum/" M "/7\"}"),
		OPENSEA_E_BAD, OPENSEA_BAD_ITEM, NULL, NULL },
	{ "a token id has digits only",
		MSG("item_received_bid",
			WHERE "," AT "," ORDER "," MAKER "," PAY
			      "," BASE("\"1\"") ",\"item\":{\"nft_id\":\"ethereum/" C "/0x7\"}"),
		OPENSEA_E_BAD, OPENSEA_BAD_ITEM, NULL, NULL },
	{ "a contract in mixed case is the same",
		MSG("item_received_bid",
			WHERE "," AT "," ORDER "," MAKER "," PAY
			      "," BASE("\"1\"") ",\"item\":{\"nft_id\":\"ethereum/"
						"0x387C41B0B2F1128DE44DB1BCF8BAAD085F26392C/7\"}"),
		0, 0, "\"item\":\"" ITEM7 "\"", NULL },
	/* the chain and the collection */
	{ "a chain as object",
		MSG("item_cancelled", "\"chain\":{\"name\":\"ethereum\"},\"collection\":{\"slug\":"
				      "\"argonauts\"}," ORDER),
		0, 0, "\"type\":\"cancelled\"", NULL },
	{ "no chain is the configured one", MSG("item_cancelled", ORDER), 0, 0,
		"\"type\":\"cancelled\"", NULL },
	{ "another chain is not ours", MSG("item_cancelled", "\"chain\":\"matic\"," ORDER),
		OPENSEA_E_BAD, OPENSEA_BAD_CHAIN, NULL, NULL },
	{ "an unknown chain is not ours",
		MSG("item_cancelled", "\"chain\":{\"name\":\"moon\"}," ORDER), OPENSEA_E_BAD,
		OPENSEA_BAD_CHAIN, NULL, NULL },
	{ "another collection is not ours",
		MSG("item_cancelled", "\"collection\":{\"slug\":\"doodles\"}," ORDER),
		OPENSEA_E_BAD, OPENSEA_BAD_COLLECTION, NULL, NULL },
	/* orders */
	{ "a cancel with nothing but its hash",
		MSG("item_cancelled", WHERE ",\"item\":{},\"maker\":null,\"protocol_data\":null,"
					    "\"expiration_date\":null,\"listing_date\":null,"
					    "\"taker\":null," ORDER),
		0, 0, "\"order\":\"" H "\"", "\"item\"" },
	{ "a hash in upper case is lowered",
		MSG("item_cancelled",
			"\"order_hash\":"
			"\"0X39F8000000000000000000000000000000000000000000000000000000000000\""),
		0, 0, "\"order\":\"" H "\"", NULL },
	{ "a short hash is none", MSG("item_cancelled", "\"order_hash\":\"0x39f8\""), OPENSEA_E_BAD,
		OPENSEA_BAD_ORDER, NULL, NULL },
	{ "a hash of other letters is none",
		MSG("item_cancelled",
			"\"order_hash\":"
			"\"0xzzf8000000000000000000000000000000000000000000000000000000000000\""),
		OPENSEA_E_BAD, OPENSEA_BAD_ORDER, NULL, NULL },
	{ "no hash is none", MSG("order_invalidate", WHERE), OPENSEA_E_BAD, OPENSEA_BAD_ORDER, NULL,
		NULL },
	/* what the seller gets */
	{ "the net is the gross without what others get",
		MSG("item_received_bid",
			COMMON "," BASE("\"1000\"") "," SEAPORT(MONEY(M, "\"1000\"", "\"1000\""),
				TOKEN(M) "," MONEY(T, "\"25\"", "\"25\"") "," MONEY(
					C, "50", "50"))),
		0, 0, "\"price\":" ETH("1000") ",\"price_net\":" ETH("925"), "net_estimated" },
	{ "money back to the bidder is no fee",
		MSG("item_received_bid",
			COMMON "," BASE("\"1000\"") "," SEAPORT(MONEY(M, "\"1000\"", "\"1000\""),
				TOKEN(M) "," MONEY(M, "\"25\"", "\"25\""))),
		0, 0, "\"price_net\":" ETH("1000"), NULL },
	{ "an order that says another total is not believed",
		MSG("item_received_bid", COMMON
			"," BASE("\"1000\"") "," SEAPORT(MONEY(M, "\"999\"", "\"999\""), TOKEN(M))),
		0, 0, "\"price\":" ETH("1000") ",\"price_net\":" ETH("925"), NULL },
	{ "nor one whose fees are more than the bid",
		MSG("item_received_bid",
			COMMON "," BASE("\"1000\"") "," SEAPORT(MONEY(M, "\"1000\"", "\"1000\""),
				TOKEN(M) "," MONEY(T, "\"1001\"", "\"1001\""))),
		0, 0, "\"flags\":[\"net_estimated\"]", NULL },
	{ "nor one with an amount that cannot be read",
		MSG("item_received_bid",
			COMMON "," BASE("\"1000\"") "," SEAPORT(MONEY(M, "\"1000\"", "\"1000\""),
				TOKEN(M) "," MONEY(T, "\"x\"", "\"1\""))),
		0, 0, "\"flags\":[\"net_estimated\"]", NULL },
	{ "parts of several tokens round down; base_price is per item",
		MSG("item_received_bid", COMMON "," BASE("\"333\"") ",\"quantity\":3," SEAPORT(
						 MONEY(M, "\"999\"", "\"999\""),
						 TOKEN(M) "," MONEY(T, "\"100\"", "\"100\""))),
		0, 0, "\"price\":" ETH("333") ",\"price_net\":" ETH("299"), NULL },
	{ "base_price may be for all of them",
		MSG("item_received_bid", COMMON "," BASE("\"1000\"") ",\"quantity\":3," SEAPORT(
						 MONEY(M, "\"1000\"", "\"1000\""), TOKEN(M))),
		0, 0, "\"price\":" ETH("333") ",\"price_net\":" ETH("333"), NULL },
	/* tokens */
	{ "an unknown token leaves the price out",
		MSG("item_received_bid", WHERE "," AT "," NFT "," ORDER "," MAKER "," BASE(
						 "\"5\"") ",\"payment_token\":{\"address\":\"" M
							  "\",\"symbol\":\"WETH\"}"),
		0, 0, "\"flags\":[\"no_fx\"]", "\"price\"" },
	{ "a token outside the parity class leaves it out too",
		MSG("item_received_bid", WHERE "," AT "," NFT "," ORDER "," MAKER "," BASE(
						 "\"5\"") ",\"payment_token\":{\"address\":"
							  "\"0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606"
							  "eB48\",\"symbol\":\"ETH\"}"),
		0, 0, "\"flags\":[\"no_fx\"]", "\"price\"" },
	{ "the order names the token where the event does not",
		MSG("item_received_bid",
			WHERE "," AT "," NFT "," ORDER "," MAKER
			      "," BASE("\"1000\"") ",\"payment_token\":null," SEAPORT(
				      MONEY(M, "\"1000\"", "\"1000\""), TOKEN(M))),
		0, 0, "\"price\":" ETH("1000"), "no_fx" },
	/* times */
	{ "the order's times where the event has none",
		MSG("item_received_bid",
			COMMON "," BASE("\"1000\"") ",\"expiration_date\":null," SEAPORT(
				MONEY(M, "\"1000\"", "\"1000\""), TOKEN(M))),
		0, 0, "\"starts\":1788949000000,\"expires\":1788959000000", NULL },
	{ "unix seconds of a transaction",
		MSG("item_sold",
			WHERE "," NFT ",\"sale_price\":\"9\"," PAY
			      ",\"transaction\":{\"hash\":\"0x0\",\"timestamp\":\"1788949571\"}"),
		0, 0, "\"ts\":1788949571000", NULL },
	{ "no time at all is ours", MSG("item_cancelled", ORDER ",\"event_timestamp\":\"soon\""), 0,
		0, "\"ts\":1788949200000", NULL },
	/* listings */
	{ "a listing without a type is fixed",
		MSG("item_listed", COMMON "," BASE("\"70\"") ",\"listing_type\":null"), 0, 0,
		"\"listing\":\"fixed\"", NULL },
	{ "an auction is english",
		MSG("item_listed", COMMON "," BASE("\"70\"") ",\"listing_type\":\"english\""), 0, 0,
		"\"listing\":\"english\"", NULL },
	{ "a type nobody knows is an auction: no ask",
		MSG("item_listed", COMMON "," BASE("\"70\"") ",\"listing_type\":\"sealed\""), 0, 0,
		"\"listing\":\"english\"", NULL },
	{ "a dutch one says what it falls to",
		MSG("item_listed",
			COMMON "," BASE("\"100\"") ",\"listing_type\":\"dutch\"," SEAPORT(TOKEN(M),
				MONEY(M, "\"90\"", "\"45\"") "," MONEY(T, "\"10\"", "\"5\""))),
		0, 0, "\"price\":" ETH("100") ",\"price_end\":" ETH("50"), NULL },
	{ "an order that falls is dutch, whatever is said",
		MSG("item_listed", COMMON "," BASE("\"100\"") ",\"listing_type\":null," SEAPORT(
					   TOKEN(M), MONEY(M, "\"100\"", "\"40\""))),
		0, 0, "\"listing\":\"dutch\"", NULL },
	{ "a dutch one that does not say it is flagged",
		MSG("item_listed", COMMON "," BASE("\"100\"") ",\"listing_type\":\"dutch\""), 0, 0,
		"\"flags\":[\"no_end\"]", "price_end" },
	{ "asks of several tokens round up",
		MSG("item_listed", COMMON "," BASE("\"100\"") ",\"quantity\":3," SEAPORT(
					   TOKEN(M), MONEY(M, "\"100\"", "\"100\""))),
		0, 0, "\"price\":" ETH("34"), NULL },
	{ "a listing for somebody is private",
		MSG("item_listed", COMMON "," BASE("\"1\"") ",\"taker\":{\"address\":\"" T "\"}"),
		0, 0, "\"private\":true", NULL },
	{ "nobody is no taker",
		MSG("item_listed",
			COMMON "," BASE("\"1\"") ",\"taker\":{\"address\":"
						 "\"0x0000000000000000000000000000000000000000\"}"),
		0, 0, "\"listing\":\"fixed\"", "private" },
	{ "an order that delivers the token is private",
		MSG("item_listed", COMMON "," BASE("\"100\"") "," SEAPORT(
					   TOKEN(M), MONEY(M, "\"100\"", "\"100\"") "," TOKEN(T))),
		0, 0, "\"private\":true", NULL },
	/* offers to a collection */
	{ "an offer to the collection is met by all",
		MSG("collection_offer", WHERE
			"," AT "," ORDER "," MAKER "," PAY
			"," BASE("\"9\"") ",\"collection_criteria\":{\"slug\":\"argonauts\"}"),
		0, 0, "\"type\":\"collection_offer\"", "unmet" },
	{ "one whose criteria are absent is met by none",
		MSG("collection_offer", WHERE "," AT "," ORDER "," MAKER "," PAY "," BASE("\"9\"")),
		0, 0, "\"unmet\"", NULL },
	{ "one for another contract is met by none",
		MSG("collection_offer", WHERE
			"," AT "," ORDER "," MAKER "," PAY
			"," BASE("\"9\"") ",\"asset_contract_criteria\":{\"address\":\"" M "\"}"),
		0, 0, "\"unmet\"", NULL },
	{ "one with traits is met by none",
		MSG("collection_offer",
			WHERE "," AT "," ORDER "," MAKER "," PAY
			      "," BASE("\"9\"") ",\"collection_criteria\":{\"slug\":\"argonauts\"},"
						"\"trait_criteria_list\":[{\"trait_type\":\"a\","
						"\"trait_name\":\"b\"}]"),
		0, 0, "\"unmet\"", NULL },
	/* sales, transfers, the rest */
	{ "a sale without a price still ends its order",
		MSG("item_sold", WHERE "," AT "," NFT "," ORDER), 0, 0, "\"type\":\"sold\"",
		"\"price\"" },
	{ "a sale of nothing is none", MSG("item_sold", WHERE "," AT ",\"sale_price\":\"9\"," PAY),
		OPENSEA_E_BAD, OPENSEA_BAD_ORDER, NULL, NULL },
	{ "a transfer",
		MSG("item_transferred", WHERE "," AT "," NFT ",\"from_account\":{\"address\":\"" M
					      "\"},\"to_account\":{\"address\":\"" T "\"}"),
		0, 0, "\"from\":\"" M "\",\"to\":\"" T "\"", NULL },
	{ "a transfer from nobody is none", MSG("item_transferred", WHERE "," AT "," NFT),
		OPENSEA_E_BAD, OPENSEA_BAD_ACCOUNT, NULL, NULL },
	{ "the old name of a bid", MSG("item_received_offer", COMMON "," BASE("\"5\"")), 0, 0,
		"\"type\":\"bid\"", NULL },
	{ "an unknown event is skipped", MSG("item_teleported", COMMON), OPENSEA_E_UNKNOWN, 0, NULL,
		NULL },
	{ "no event type is skipped", "{\"payload\":{}}", OPENSEA_E_UNKNOWN, 0, NULL, NULL },
	{ "a payload of null", "{\"event_type\":\"item_cancelled\",\"payload\":null}",
		OPENSEA_E_BAD, OPENSEA_BAD_ORDER, NULL, NULL },
	{ "everything of the wrong type",
		"{\"event_type\":\"item_received_bid\",\"version\":{},\"payload\":{\"item\":[],"
		"\"chain\":[],\"collection\":5,\"maker\":\"x\",\"base_price\":{},"
		"\"order_hash\":1,\"payment_token\":[],\"protocol_data\":{\"parameters\":[1,2]},"
		"\"quantity\":true}}",
		OPENSEA_E_BAD, OPENSEA_BAD_CHAIN + 1, NULL, NULL },
	{ "a message that is no object", "[1]", OPENSEA_E_BAD, OPENSEA_BAD_JSON, NULL, NULL },
};

Test(decode, odd_messages_are_read_as_far_as_they_mean_something)
{
	struct collection c = collection_of("argonauts", C);

	for (size_t i = 0; i < ARRAY_LEN(MADE); i++) {
		const struct made *m = &MADE[i];
		struct decoded d;
		const char *text;

		decode_message(&d, &c, str_of(m->message));
		buf_putc(&d.json, '\0');
		text = d.json.p ? d.json.p : "";
		cr_expect(eq(int, d.code, m->code), "%s: reason %d", m->what, (int)d.reason);
		if (d.code == OPENSEA_E_BAD)
			cr_expect(eq(int, (int)d.reason, m->reason), "%s", m->what);
		cr_expect(m->has == NULL || strstr(text, m->has), "%s: %s", m->what, text);
		cr_expect(m->lacks == NULL || !strstr(text, m->lacks), "%s: %s", m->what, text);
		decoded_fini(&d);
	}
}

Test(decode, a_message_cut_anywhere_or_changed_in_one_byte_never_crashes)
{
	static const char whole[] = MSG("item_received_bid",
		COMMON "," BASE("\"1000\"") "," SEAPORT(MONEY(M, "\"1000\"", "\"1000\""),
			TOKEN(M) "," MONEY(T, "\"25\"", "\"25\"")));
	struct collection c = collection_of("argonauts", C);
	char text[sizeof(whole)];

	for (size_t i = 0; i < sizeof(whole) - 1; i++) {
		struct decoded d;

		decode_message(&d, &c, (struct str){ whole, i });
		cr_expect(ne(int, d.code, 0), "cut at %zu", i);
		decoded_fini(&d);
		memcpy(text, whole, sizeof(whole));
		text[i] = (char)(text[i] ^ (1 << (i % 7)));
		decode_message(&d, &c, (struct str){ text, sizeof(whole) - 1 });
		decoded_fini(&d);
	}
}

Test(decode, an_exhausted_arena_is_a_bad_message)
{
	static const char text[] = MSG("item_received_bid", COMMON "," BASE("\"1000\""));
	struct collection c = collection_of("argonauts", C);

	for (size_t n = 16; n < 600; n += 8) {
		CLEANUP(arena_free) struct arena *a = NULL;
		struct market_event e;
		enum opensea_reason reason;

		cr_assert(zero(int, arena_new(&a, n)));
		int r = opensea_decode(&e, &c, str_of(text), NOW, a, &reason);

		cr_expect(r == 0 || r == OPENSEA_E_BAD || r == OPENSEA_E_UNKNOWN);
	}
}
