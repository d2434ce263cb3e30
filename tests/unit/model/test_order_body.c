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
