/* A configured collection is read, or refused with the item and the member named. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "bidding/collection.h"
#include "bidding/config.h"

#define GOOD \
	"slug=foundation;chain=eip155:1;standard=erc721;contract=" \
	"0x3B3ee1931Dc30C1957379FAc9aba94D1C48a5405;fee_bps=750;currency=ETH"

Test(collection, all_members_are_read_and_the_contract_is_lowered)
{
	struct collection c;

	cr_assert(zero(int, collection_parse(&c, 0, STR(GOOD), NULL)));
	cr_expect(eq(str, c.slug, "foundation"));
	cr_expect(eq(str, c.chain, "eip155:1"));
	cr_expect(eq(str, c.standard, "erc721"));
	cr_expect(eq(str, c.contract, "0x3b3ee1931dc30c1957379fac9aba94d1c48a5405"));
	cr_expect(eq(i32, c.fee_bps, 750));
	cr_expect(eq(u8, c.currency, currency_find(STR("ETH"))));
	cr_expect(eq(str, c.key, "eip155:1:foundation"));
}

Test(collection, members_come_in_any_order)
{
	struct collection c;

	cr_expect(
		zero(int, collection_parse(&c, 0,
				  STR("currency=USDC;fee_bps=0;standard=erc1155;contract="
				      "0x3b3ee1931dc30c1957379fac9aba94d1c48a5405;chain=eip155:137;"
				      "slug=a.b_c-D"),
				  NULL)));
	cr_expect(eq(str, c.key, "eip155:137:a.b_c-D"));
}

struct refusal {
	char text[256];
	int code;
	char message[128]; /* what it begins with, after the item */
};

ParameterizedTestParameters(collection, what_is_wrong_is_refused_and_named)
{
	static struct refusal t[] = {
		{ "slug", COLLECTION_E_SYNTAX, "expected member=value, got \"slug\"" },
		{ "slug=a;slug=b", COLLECTION_E_REPEATED, "slug: given twice" },
		{ "colour=red", COLLECTION_E_UNKNOWN, "colour: no such member" },
		{ "slug=*", COLLECTION_E_VALUE, "slug: expected 1..128" },
		{ "slug=", COLLECTION_E_VALUE, "slug: expected 1..128" },
		{ "slug=a b", COLLECTION_E_VALUE, "slug: expected 1..128" },
		{ "chain=ethereum", COLLECTION_E_VALUE, "chain: expected a CAIP-2 chain id" },
		{ "chain=EIP155:1", COLLECTION_E_VALUE, "chain: expected a CAIP-2 chain id" },
		{ "chain=eip155:1/x", COLLECTION_E_VALUE, "chain: expected a CAIP-2 chain id" },
		{ "standard=erc20", COLLECTION_E_VALUE, "standard: expected erc721 or erc1155" },
		{ "contract=0x12", COLLECTION_E_VALUE, "contract: expected 0x and 40 hex digits" },
		{ "fee_bps=10001", COLLECTION_E_VALUE,
			"fee_bps: expected 0..10000, got \"10001\"" },
		{ "fee_bps=-1", COLLECTION_E_VALUE, "fee_bps: expected 0..10000" },
		{ "currency=XYZ", COLLECTION_E_VALUE, "currency: expected the code of a known" },
		{ "slug=a;chain=eip155:1", COLLECTION_E_MISSING, "standard: missing" },
		{ "", COLLECTION_E_MISSING, "slug: missing" },
	};

	return cr_make_param_array(struct refusal, t, sizeof(t) / sizeof(t[0]));
}

ParameterizedTest(struct refusal *p, collection, what_is_wrong_is_refused_and_named)
{
	struct collection c;
	struct fault f = { 0 };
	char want[200];

	cr_expect(eq(int, collection_parse(&c, 3, str_of(p->text), &f), p->code), "%s", p->text);
	snprintf(want, sizeof(want), "bidding.opensea.collections[3]: %s", p->message);
	cr_expect(str_starts(str_of(f.text), str_of(want)), "%s", f.text);
}

Test(collection, a_mapping_of_the_file_arrives_as_one_item)
{
	struct bidding_config config = { 0 };
	struct config_section section = { .name = "bidding",
		.rows = bidding_config_rows,
		.n_rows = bidding_config_n_rows,
		.base = &config };
	const char *const sets[] = { "bidding.opensea.collections=" GOOD };
	struct config_source source = { .sets = sets, .n_sets = 1 };
	struct fault f = { 0 };
	struct collection c;

	cr_assert(zero(int, config_load(&section, 1, &source, &f)), "%s", f.text);
	cr_assert(eq(sz, config.collections.n, 1));
	cr_expect(zero(int, collection_parse(&c, 0, str_of(config.collections.items[0]), &f)));
	cr_expect(eq(i64, config.heartbeat_ms, 5000));
	cr_expect(eq(i64, config.stream_heartbeat_ms, 30000));
	config_unload(&section, 1);
}
