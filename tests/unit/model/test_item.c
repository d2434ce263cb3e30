#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>

#include "common/base/cleanup.h"
#include "common/model/item.h"

#define APE "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/77"

#define X8   "xxxxxxxx"
#define X32  X8 X8 X8 X8
#define X128 X32 X32 X32 X32
#define X78  X32 X32 X8 "xxxxxx"

static void expect_part(struct str part, const char *want)
{
	cr_expect(str_eqz(part, want), STR_FMT " is not %s", STR_ARG(part), want);
}

Test(item, a_chain_token_is_split_in_four)
{
	struct item_parts p;

	cr_assert(zero(int, item_parse(&p, STR(APE), NULL)));
	expect_part(p.chain, "eip155:1");
	expect_part(p.kind, "erc721");
	expect_part(p.contract, "0x3b3ee1931dc30c1957379fac9aba94d1c48a5405");
	expect_part(p.token, "77");
}

Test(item, a_game_item_uses_the_same_grammar)
{
	struct item_parts p;

	cr_assert(zero(
		int, item_parse(&p, STR("game:azeroth_eu-1/sword-2h:iron.long%20/a.b-%c3"), NULL)));
	expect_part(p.chain, "game:azeroth_eu-1");
	expect_part(p.kind, "sword-2h");
	expect_part(p.contract, "iron.long%20");
	expect_part(p.token, "a.b-%c3");
}

Test(item, every_part_may_have_its_full_length_and_no_more)
{
	cr_expect(item_is_valid(STR(X8 ":" X32 "/" X8 ":" X128 "/" X78)));
	cr_expect(not(item_is_valid(STR(X8 "x:1/erc721:0x0/1"))));
	cr_expect(not(item_is_valid(STR("eip155:" X32 "x/erc721:0x0/1"))));
	cr_expect(not(item_is_valid(STR("eip155:1/" X8 "x:0x0/1"))));
	cr_expect(not(item_is_valid(STR("eip155:1/erc721:" X128 "x/1"))));
	cr_expect(not(item_is_valid(STR("eip155:1/erc721:0x0/" X78 "x"))));
	cr_expect(le(sz, sizeof(X8 ":" X32 "/" X8 ":" X128 "/" X78), ITEM_MAX));
}

Test(item, the_offset_of_a_refusal_is_where_it_went_wrong)
{
	static const struct {
		const char *text;
		size_t offset;
	} rows[] = {
		{ "", 0 },
		{ "ei:1/erc721:0x0/1", 2 },
		{ "EIP155:1/erc721:0x0/1", 0 },
		{ "eip155/1/erc721:0x0/1", 6 },
		{ "eip155:/erc721:0x0/1", 7 },
		{ "eip155:1", 8 },
		{ "eip155:1/", 9 },
		{ "eip155:1/erc721", 15 },
		{ "eip155:1/erc_721:0x0/1", 12 },
		{ "eip155:1/erc721:/1", 16 },
		{ "eip155:1/erc721:0xAB/1", 18 },
		{ "eip155:1/erc721:0xab", 20 },
		{ "eip155:1/erc721:0xab/", 21 },
		{ "eip155:1/erc721:0xab/7 ", 22 },
		{ "eip155:1/erc721:0xab/7/8", 22 },
		{ "eip155:1/erc721:0xab/\xc3\xa9", 21 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct item_parts p = { .token = STR("untouched") };
		size_t offset = 999;

		cr_expect(eq(int, item_parse(&p, str_of(rows[i].text), &offset), -EINVAL), "%s",
			rows[i].text);
		cr_expect(eq(sz, offset, rows[i].offset), "%s", rows[i].text);
		expect_part(p.token, "untouched");
	}
}

Test(item, a_nul_or_an_absent_text_is_no_item)
{
	cr_expect(not(item_is_valid(STR_NONE)));
	cr_expect(not(item_is_valid(STR("eip155:1/erc721:0xab/7\0"))));
	cr_expect(not(item_is_valid(STR("eip155:1/erc721:0xab/\0"
					"7"))));
}

Test(item, a_user_is_1_to_128_bytes_of_text)
{
	cr_expect(user_is_valid(STR("u")));
	cr_expect(user_is_valid(STR("J\xc3\xb3zef \xf0\x9f\x98\x80 \"x\"")));
	cr_expect(user_is_valid(STR(X128)));
	cr_expect(not(user_is_valid(STR(X128 "x"))));
	cr_expect(not(user_is_valid(STR(""))));
	cr_expect(not(user_is_valid(STR_NONE)));
}

Test(item, a_user_has_no_control_characters_and_is_utf_8)
{
	cr_expect(not(user_is_valid(STR("a\nb"))));
	cr_expect(not(user_is_valid(STR("a\0b"))));
	cr_expect(not(user_is_valid(STR("a\x7f"))));
	cr_expect(not(user_is_valid(STR("a\xc2\x85"))), "NEL, a C1 control");
	cr_expect(user_is_valid(STR("a\xc2\xa0")), "the first after C1");
	cr_expect(not(user_is_valid(STR("a\xc2"))), "cut short");
	cr_expect(not(user_is_valid(STR("\xff"))));
	cr_expect(not(user_is_valid(STR("\xc0\xaf"))), "overlong");
	cr_expect(not(user_is_valid(STR("\xed\xa0\x80"))), "a surrogate");
}

Test(item, a_wallet_is_0x_and_40_hex_digits_of_either_case)
{
	cr_expect(wallet_is_valid(STR("0x3b3ee1931dc30c1957379fac9aba94d1c48a5405")));
	cr_expect(wallet_is_valid(STR("0x3B3EE1931DC30C1957379FAC9ABA94D1C48A5405")));
	cr_expect(not(wallet_is_valid(STR("0X3b3ee1931dc30c1957379fac9aba94d1c48a5405"))));
	cr_expect(not(wallet_is_valid(STR("0x3b3ee1931dc30c1957379fac9aba94d1c48a540"))));
	cr_expect(not(wallet_is_valid(STR("0x3b3ee1931dc30c1957379fac9aba94d1c48a54055"))));
	cr_expect(not(wallet_is_valid(STR("0x3b3ee1931dc30c1957379fac9aba94d1c48a540g"))));
	cr_expect(not(wallet_is_valid(STR_NONE)));
}
