/* The two vectors are those of docs/protocol/quote.md, computed apart from this code. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>

#include <jansson.h>

#include "common/model/quote.h"

#define KEYS \
	"{\"keys\":[{\"kid\":\"k1\",\"secret\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"}," \
	"{\"kid\":\"2026-11\",\"from\":1795334400200," \
	"\"secret\":\"__79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eDf3t3c29rZ2NfW1dTT0tHQ\"}]}"
#define MAC   "xE2d8u67p-YBAqFaRs7Li2UlM9lkqgWC-gMLTRtN8_4"
#define OFFER "3ce2d8ab-f97f-8e0b-9e5e-99f79e994a66"
#define ITEM  "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/77"
#define CANONICAL_HEAD \
	"{\"expires\":1795334430200,\"issued\":1795334400200,\"item\":\"" ITEM "\",\"kid\":" \
	"\"k1\","
#define CANONICAL_TAIL \
	"\"offer\":\"" OFFER "\",\"price\":{\"amount\":\"1187500000000000000\"," \
	"\"currency\":\"ETH\"},\"rev\":\"77123.1\",\"user\":\"u_42\",\"v\":1}"

static struct quote_keys *keys;
static struct arena *arena;

static void setup(void)
{
	struct fault f = { 0 };

	cr_assert(zero(int, quote_keys_parse(&keys, STR(KEYS), &f)), "%s", f.text);
	cr_assert(zero(int, arena_new(&arena, 16384)));
}

static void teardown(void)
{
	arena = arena_free(arena);
	keys = quote_keys_free(keys);
}

TestSuite(quote, .init = setup, .fini = teardown);

static struct quote unsigned_quote(void)
{
	return (struct quote){
		.v = 1,
		.offer = STR(OFFER),
		.rev = { { 77123, 1 } },
		.user = STR("u_42"),
		.item = STR(ITEM),
		.price = { 1187500000000000000, currency_find(STR("ETH")) },
		.issued = 1795334400200,
		.expires = 1795334430200,
	};
}

static struct quote signed_quote(void)
{
	struct quote q = unsigned_quote();

	q.kid = STR("k1");
	q.mac = STR(MAC);
	return q;
}

static void expect_canonical(const struct quote *q, bool with_mac, const char *want)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);

	quote_canonical(&b, q, with_mac);
	buf_putc(&b, '\0');
	cr_assert(not(b.failed));
	cr_expect(eq(str, b.p, (char *)want));
}

Test(quote, canonical_form_keeps_its_vector)
{
	struct quote q = signed_quote();

	expect_canonical(&q, false, CANONICAL_HEAD CANONICAL_TAIL);
	expect_canonical(&q, true, CANONICAL_HEAD "\"mac\":\"" MAC "\"," CANONICAL_TAIL);
}

Test(quote, signing_makes_the_vector)
{
	struct quote q = unsigned_quote();
	char mac[QUOTE_MAC_MAX];

	cr_assert(zero(int, quote_sign(&q, mac, keys, 1795334400199)));
	cr_expect(str_eqz(q.kid, "k1"));
	cr_expect(str_eqz(q.mac, MAC));
	cr_expect(eq(ptr, (void *)q.mac.p, mac), "borrowed from the caller");
	cr_expect(zero(int, quote_verify(&q, keys)));
}

Test(quote, text_outside_ascii_and_the_largest_numbers_keep_their_vector)
{
	struct quote q = {
		.v = 1,
		.offer = STR(OFFER),
		.rev = { { 7 } },
		.user = STR("\xc3\xb3\"\\/\xe2\x82\xac\xf0\x9f\x98\x80"),
		.item = STR("game:azeroth/sword:iron/17"),
		.price = { ((u128)1 << 96) - 1, currency_find(STR("USDC")) },
		.issued = 1795334400200,
		.expires = 9007199254740991,
	};
	char mac[QUOTE_MAC_MAX];

	cr_assert(zero(int, quote_sign(&q, mac, keys, 1795334400200)));
	cr_expect(str_eqz(q.kid, "2026-11"), "its time has come");
	cr_expect(str_eqz(q.mac, "XbrL2n_Z9rmhSZQV1SjxxviYW4ub3dVYjtVRSsCqSDw"));
	expect_canonical(&q, false,
		"{\"expires\":9007199254740991,\"issued\":1795334400200,"
		"\"item\":\"game:azeroth/sword:iron/17\",\"kid\":\"2026-11\",\"offer\":\"" OFFER
		"\","
		"\"price\":{\"amount\":\"79228162514264337593543950335\",\"currency\":\"USDC\"},"
		"\"rev\":\"7\",\"user\":\"\xc3\xb3\\\"\\\\/"
		"\xe2\x82\xac\xf0\x9f\x98\x80\",\"v\":1}");
}

Test(quote, an_older_key_still_verifies)
{
	struct quote q = signed_quote();

	cr_expect(zero(int, quote_verify(&q, keys)), "k1 signed, 2026-11 signs by now");
}

Test(quote, every_member_is_under_the_mac)
{
	struct quote q[] = { signed_quote(), signed_quote(), signed_quote(), signed_quote(),
		signed_quote(), signed_quote(), signed_quote(), signed_quote(), signed_quote(),
		signed_quote() };

	q[0].v = 2;
	q[1].kid = STR("2026-11");
	q[2].offer = STR("3ce2d8ab-f97f-8e0b-9e5e-99f79e994a67");
	q[3].rev.part[3] = 1;
	q[4].user = STR("u_43");
	q[5].item = STR("eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/78");
	q[6].price.amount--;
	q[7].price.currency = currency_find(STR("WETH"));
	q[8].issued++;
	q[9].expires++;
	for (size_t i = 0; i < ARRAY_LEN(q); i++)
		cr_expect(eq(int, quote_verify(&q[i], keys), QUOTE_E_MAC), "change %zu", i);
}

Test(quote, another_v_is_refused_even_when_it_is_signed)
{
	struct quote q = signed_quote();

	q.v = 2;
	q.mac = STR("ogVgvHgAJ8gM6pxMx6P-RnuY-JOQogi94Eg775pKv3M");
	cr_expect(eq(int, quote_verify(&q, keys), QUOTE_E_MAC));
}

Test(quote, a_mac_of_another_shape_is_refused)
{
	static const char *const macs[] = { "", "xE2d",
		"yE2d8u67p-YBAqFaRs7Li2UlM9lkqgWC-gMLTRtN8_4",
		"xE2d8u67p-YBAqFaRs7Li2UlM9lkqgWC-gMLTRtN8_5", /* the same bytes, not canonical */
		MAC "=", "xE2d8u67p+YBAqFaRs7Li2UlM9lkqgWC+gMLTRtN8/4" };

	for (size_t i = 0; i < ARRAY_LEN(macs); i++) {
		struct quote q = signed_quote();

		q.mac = str_of(macs[i]);
		cr_expect(eq(int, quote_verify(&q, keys), QUOTE_E_MAC), "%s", macs[i]);
	}
	struct quote q = signed_quote();
	q.mac = STR_NONE;
	cr_expect(eq(int, quote_verify(&q, keys), QUOTE_E_MAC));
}

Test(quote, an_unknown_kid_is_told_apart)
{
	struct quote q = signed_quote();

	q.kid = STR("k2");
	cr_expect(eq(int, quote_verify(&q, keys), QUOTE_E_KID));
	q.kid = STR_NONE;
	cr_expect(eq(int, quote_verify(&q, keys), QUOTE_E_KID));
}

Test(quote, nothing_is_signed_before_the_first_key_is_due)
{
	CLEANUP(quote_keys_free) struct quote_keys *later = NULL;
	struct quote q = unsigned_quote();
	char mac[QUOTE_MAC_MAX];

	cr_assert(zero(
		int, quote_keys_parse(&later,
			     STR("{\"keys\":[{\"kid\":\"k\",\"from\":1000,"
				 "\"secret\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"}]}"),
			     NULL)));
	cr_expect(eq(int, quote_sign(&q, mac, later, 999), QUOTE_E_KID));
	cr_expect(not(str_is_set(q.mac)));
	cr_expect(zero(int, quote_sign(&q, mac, later, 1000)));
}

Test(quote, json_has_the_members_in_the_order_of_the_protocol)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
	struct json_out j = JSON_OUT(&b);
	struct quote q = signed_quote();

	json_begin(&j, NULL);
	quote_json(&j, "quote", &q);
	json_end(&j);
	buf_putc(&b, '\0');
	cr_expect(eq(str, b.p,
		"{\"quote\":{\"v\":1,\"kid\":\"k1\",\"offer\":\"" OFFER "\","
		"\"rev\":\"77123.1\",\"user\":\"u_42\",\"item\":\"" ITEM "\","
		"\"price\":{\"amount\":\"1187500000000000000\",\"currency\":\"ETH\"},"
		"\"issued\":1795334400200,\"expires\":1795334430200,\"mac\":\"" MAC "\"}}"));
}

/* The members in no order a writer of ours has, one escape written the long way, `rev` with a zero.
 */
#define RECEIVED \
	"{\"mac\":\"" MAC "\", \"user\":\"u\\u005f42\", \"rev\":\"77123.1.0\", \"v\":1," \
	"\"price\":{\"currency\":\"ETH\", \"amount\":\"1187500000000000000\"}, \"kid\":\"k1\"," \
	"\"expires\":1795334430200, \"issued\":1795334400200, \"item\":\"" ITEM "\"," \
	"\"offer\":\"" OFFER "\""

Test(quote, written_anew_by_a_client_it_still_verifies)
{
	struct quote q;
	struct fault f = { 0 };

	cr_assert(zero(int, decode(&quote_type, &q, STR(RECEIVED "}"), arena, &f)), "%s", f.text);
	cr_expect(zero(int, quote_verify(&q, keys)));
}

Test(quote, what_we_write_reads_back_as_it_was)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
	struct json_out j = JSON_OUT(&b);
	struct quote q = signed_quote(), back;

	quote_json(&j, NULL, &q);
	cr_assert(zero(int, decode(&quote_type, &back, buf_str(&b), arena, NULL)));
	cr_expect(zero(int, quote_verify(&back, keys)));
	expect_canonical(&back, true, CANONICAL_HEAD "\"mac\":\"" MAC "\"," CANONICAL_TAIL);
}

static void expect_undecodable(const char *json, const char *member, int want)
{
	struct quote q;
	struct fault f = { 0 };

	cr_expect(eq(int, decode(&quote_type, &q, str_of(json), arena, &f), want), "%s", json);
	cr_expect(ne(ptr, strstr(f.text, member), NULL), "%s is not in \"%s\"", member, f.text);
	arena_reset(arena);
}

Test(quote, an_unknown_member_is_refused)
{
	expect_undecodable(RECEIVED ",\"discount\":1}", "discount", DECODE_E_SHAPE);
}

Test(quote, a_missing_member_is_refused)
{
	static const char *const members[] = { "v", "kid", "offer", "rev", "user", "item", "price",
		"issued", "expires", "mac" };

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		json_auto_t *doc = json_loads(RECEIVED "}", 0, NULL);
		char *text;

		cr_assert(zero(int, json_object_del(doc, members[i])));
		text = json_dumps(doc, JSON_COMPACT);
		expect_undecodable(text, members[i], DECODE_E_SHAPE);
		free(text);
	}
}

Test(quote, members_of_a_wrong_type_or_size_are_refused)
{
	static const struct {
		const char *member, *json;
		int want;
	} rows[] = {
		{ "v", "\"1\"", DECODE_E_SHAPE },
		{ "kid", "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"",
			DECODE_E_TOO_LARGE },
		{ "kid", "\"k 1\"", DECODE_E_SHAPE },
		{ "rev", "77123", DECODE_E_SHAPE },
		{ "item", "\"eip155:1/erc721:0xAB/7\"", DECODE_E_SHAPE },
		{ "price", "1187500000000000000", DECODE_E_SHAPE },
		{ "expires", "9007199254740992", DECODE_E_SHAPE },
		{ "issued", "-1", DECODE_E_SHAPE },
		{ "mac", "\"\"", DECODE_E_SHAPE },
		{ "mac", "\"" MAC "x\"", DECODE_E_TOO_LARGE },
		{ "mac", "null", DECODE_E_SHAPE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_auto_t *doc = json_loads(RECEIVED "}", 0, NULL);
		json_t *value = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);
		char *text;

		cr_assert(zero(int, json_object_set_new(doc, rows[i].member, value)));
		text = json_dumps(doc, JSON_COMPACT);
		expect_undecodable(text, rows[i].member, rows[i].want);
		free(text);
	}
}
