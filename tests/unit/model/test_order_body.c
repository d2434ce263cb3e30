#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/model/order_body.h"

struct digest {
	uint8_t bytes[SHA256_BYTES];
};

static struct digest digest_of(const char *quote, const char *wallet, const char *pay)
{
	struct order o = { .quote = str_of(quote), .wallet = str_of(wallet), .pay = str_of(pay) };
	struct digest d;

	cr_assert(zero(int, order_body_digest(d.bytes, &o)));
	return d;
}

static bool same(struct digest a, struct digest b)
{
	return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

#define NOW "{\"mode\":\"now\"}"

Test(order_body, order_of_members_spaces_and_escapes_do_not_count)
{
	cr_expect(same(digest_of("{\"a\":1,\"b\":\"x\"}", "0xab", NOW),
		digest_of("{ \"b\":\"\\u0078\", \"a\":1 }", "0xab", "{\"mode\": \"now\"}")));
}

Test(order_body, is_the_digest_of_the_canonical_form)
{
	const char *text = "{\"pay\":{\"mode\":\"now\"},\"quote\":{\"a\":1},\"wallet\":\"0xab\"}";
	struct digest want;

	cr_assert(zero(int, crypto_sha256(want.bytes, text, strlen(text))));
	cr_expect(same(digest_of("{\"a\":1}", "0xab", NOW), want));
}

Test(order_body, every_part_counts_and_the_signature_does_not)
{
	struct digest base = digest_of("{\"a\":1}", "0xab", NOW);
	struct order o = { .quote = STR("{\"a\":1}"),
		.wallet = STR("0xab"),
		.pay = STR(NOW),
		.signature = STR("0x01"),
		.id = STR("other") };
	struct digest d;

	cr_expect(not(same(base, digest_of("{\"a\":2}", "0xab", NOW))));
	cr_expect(not(same(base, digest_of("{\"a\":1}", "0xac", NOW))));
	cr_expect(not(same(base, digest_of("{\"a\":1}", NULL, NOW))));
	cr_expect(not(same(base, digest_of("{\"a\":1}", "0xab", "{\"mode\":\"now\",\"n\":3}"))));
	cr_assert(zero(int, order_body_digest(d.bytes, &o)));
	cr_expect(same(base, d));
}

Test(order_body, a_missing_pay_is_now)
{
	cr_expect(same(digest_of("{\"a\":1}", "0xab", NULL), digest_of("{\"a\":1}", "0xab", NOW)));
	cr_expect(
		same(digest_of("{\"a\":1.5}", "0xab", NULL), digest_of("{\"a\":1.5}", "0xab", NOW)),
		"also where there is no canonical form");
}

#define OFFER "3ce2d8ab-f97f-8e0b-9e5e-99f79e994a66"
#define ITEM  "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/77"
#define QUOTE \
	"{\"v\":1,\"kid\":\"k1\",\"offer\":\"" OFFER "\",\"rev\":\"77123.1\",\"user\":\"u_42\"," \
	"\"item\":\"" ITEM \
	"\",\"price\":{\"amount\":\"1187500000000000000\",\"currency\":\"ETH\"}," \
	"\"issued\":1795334400200,\"expires\":1795334430200," \
	"\"mac\":\"xE2d8u67p-YBAqFaRs7Li2UlM9lkqgWC-gMLTRtN8_4\"}"
#define WALLET "0x27b1fdb04752bbc536007a920d24acb045561c26"

/* sha256 of json.dumps({"pay":…,"quote":…,"wallet":…}, sort_keys=True, separators=(",", ":")) in
 * Python. */
Test(order_body, keeps_the_vectors_that_were_computed_apart)
{
	static const struct {
		const char *wallet, *pay, *want;
	} rows[] = {
		{ WALLET, NOW, "4955ab09f1868c9a04c08e7030d2e841bb34410543c973d6bd36c6c52f5301d8" },
		{ NULL, NOW, "cb8e08de2982b6ec80d6fc0176c7e326f91945957d2af7dafc8ec31a9cc745ac" },
		{ WALLET, "{\"months\":3,\"mode\":\"instalments\"}",
			"e211f9680939bd35fcd773afb0b8fbf13093ed46e5095088096f8bc06dcf434b" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct digest d = digest_of(QUOTE, rows[i].wallet, rows[i].pay);
		char hex[2 * SHA256_BYTES + 1];

		hex_encode(hex, d.bytes, sizeof(d.bytes));
		cr_expect(eq(str, hex, (char *)rows[i].want), "vector %zu", i);
	}
}

Test(order_body, what_has_no_canonical_form_has_a_digest_of_its_text)
{
	struct digest real = digest_of("{\"a\":1.5}", "0xab", NOW);

	cr_expect(same(real, digest_of("{\"a\":1.5}", "0xab", NOW)));
	cr_expect(not(same(real, digest_of("{\"a\":2.5}", "0xab", NOW))));
	cr_expect(not(same(real, digest_of("{\"a\":1.5}", NULL, NOW))));
	cr_expect(not(same(digest_of("{\"a\":1,\"a\":1}", NULL, NOW),
			  digest_of("{\"a\":1}", NULL, NOW))),
		"a repeated member is not the quote");
	cr_expect(not(same(digest_of("{\"a\":100000000000000000000}", NULL, NOW),
		digest_of("{\"a\":100000000000000000001}", NULL, NOW))));
}
