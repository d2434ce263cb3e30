#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/model/row_codec.h"
#include "common/model/tables.h"

static struct arena *arena;

static void setup(void)
{
	cr_assert(zero(int, arena_new(&arena, 16384)));
}

static void teardown(void)
{
	arena = arena_free(arena);
}

TestSuite(row_codec, .init = setup, .fini = teardown);

#define EXPECT_FIELD(row, name, want) \
	cr_expect(str_eqz(row_get(row, name), want), "%s: " STR_FMT, name, \
		STR_ARG(row_get(row, name)))

static struct money eth(u128 amount)
{
	return (struct money){ amount, currency_find(STR("ETH")) };
}

Test(row_codec, an_inventory_row_is_flat_text)
{
	struct inventory i = { .item = STR("game:azeroth/sword:iron/17"),
		.ver = { { 3 } },
		.list = eth(125),
		.supply = 0,
		.traits = STR("{\"a\":[1]}") };
	struct row row;

	cr_assert(zero(int, row_encode(&inventory_row_type, &i, &row, arena)));
	EXPECT_FIELD(&row, "item", "game:azeroth/sword:iron/17");
	EXPECT_FIELD(&row, "list", "125");
	EXPECT_FIELD(&row, "list_currency", "ETH");
	EXPECT_FIELD(&row, "supply", "0");
	EXPECT_FIELD(&row, "traits", "{\"a\":[1]}");
	cr_expect(not(str_is_set(row_get(&row, "ver"))));
	cr_expect(not(str_is_set(row_get(&row, "cost"))));
	cr_expect(not(str_is_set(row_get(&row, "cost_currency"))));
	cr_expect(not(str_is_set(row_get(&row, "held"))));
	cr_expect(eq(sz, row.n, 5));
}

Test(row_codec, the_breakers_fields_are_in_the_row_only)
{
	struct inventory i = { .item = STR("game:azeroth/sword:iron/17"),
		.list = eth(125),
		.supply = 1,
		.list_ok = eth(100),
		.held = 1 };
	struct inventory back;
	struct row row;

	cr_assert(zero(int, row_encode(&inventory_row_type, &i, &row, arena)));
	EXPECT_FIELD(&row, "list_ok", "100");
	EXPECT_FIELD(&row, "held", "1");
	cr_assert(zero(int, row_decode(&inventory_row_type, &back, &row, arena, NULL)));
	cr_expect(eq(i64, back.held, 1));
	cr_expect(back.list_ok.amount == 100);
	cr_assert(zero(int, row_decode(&inventory_type, &back, &row, arena, NULL)));
	cr_expect(zero(i64, back.held));
	cr_assert(zero(int, row_encode(&inventory_type, &i, &row, arena)));
	cr_expect(not(str_is_set(row_get(&row, "held"))));
}

Test(row_codec, a_bestbid_row_round_trips)
{
	struct bestbid b = { .item = STR("game:azeroth/sword:iron/17"),
		.collection = STR("swords"),
		.as_of = 1795334400123,
		.bid = eth(((u128)1 << 96) - 1),
		.ask = eth(0),
		.bid_expires = 5,
		.flags = STR("[\"gap\"]") };
	struct bestbid back;
	struct row row;
	struct fault f = { 0 };

	cr_assert(zero(int, row_encode(&bestbid_type, &b, &row, arena)));
	cr_assert(row_decode(&bestbid_type, &back, &row, arena, &f) == 0, "%s", f.text);
	cr_expect(back.bid.amount == ((u128)1 << 96) - 1);
	cr_expect(money_is_set(back.ask) && back.ask.amount == 0);
	cr_expect(not(money_is_set(back.floor)));
	cr_expect(eq(i64, back.as_of, 1795334400123));
	cr_expect(eq(i64, back.bid_expires, 5));
	cr_expect(bestbid_has_flag(&back, "gap"));
}

Test(row_codec, names_of_an_enum_are_stored_as_text)
{
	struct loyalty l = { .user = STR("u"), .tier = TIER_NONE }, back;
	struct row row;

	cr_assert(zero(int, row_encode(&loyalty_type, &l, &row, arena)));
	EXPECT_FIELD(&row, "tier", "none");
	cr_assert(zero(int, row_decode(&loyalty_type, &back, &row, arena, NULL)));
	cr_expect(eq(int, back.tier, TIER_NONE));
}

static int refused(
	const struct record_type *type, void *ret, const char *name, struct str value, char *want)
{
	struct row row = { .n = 0 };
	struct fault f = { 0 };
	int r;

	cr_assert(zero(int, row_put(&row, str_of(name), value)));
	cr_assert(zero(int, row_put(&row, STR("item"), STR("game:azeroth/sword:iron/17"))));
	cr_assert(zero(int, row_put(&row, STR("list"), STR("1"))));
	cr_assert(zero(int, row_put(&row, STR("list_currency"), STR("ETH"))));
	cr_assert(zero(int, row_put(&row, STR("supply"), STR("1"))));
	r = row_decode(type, ret, &row, arena, &f);
	cr_expect(eq(str, f.text, want));
	return r;
}

Test(row_codec, a_stored_value_passes_the_checks_of_a_record)
{
	struct inventory i;

	cr_expect(eq(int,
		refused(&inventory_row_type, &i, "held", STR("yes"),
			"inventory row: held: expected an integer from 0, got yes"),
		DECODE_E_SHAPE));
	cr_expect(eq(int,
		refused(&inventory_row_type, &i, "cost", STR("1"),
			"inventory row: cost: an amount without cost_currency"),
		DECODE_E_SHAPE));
	cr_expect(eq(int,
		refused(&inventory_row_type, &i, "traits", STR("{\"a\":1"),
			"inventory row: traits: expected JSON: expected ',' or '}' (byte 6)"),
		DECODE_E_SHAPE));
	cr_expect(eq(int,
		refused(&inventory_row_type, &i, "title", STR("a\xff"),
			"inventory row: title: a text must be UTF-8 without U+0000"),
		DECODE_E_SHAPE));
	cr_expect(eq(int,
		refused(&inventory_row_type, &i, "title", STR("a\0b"),
			"inventory row: title: a text must be UTF-8 without U+0000"),
		DECODE_E_SHAPE));
	cr_expect(str_eq(i.item, STR("game:azeroth/sword:iron/17")));
	cr_expect(eq(int,
		refused(&inventory_row_type, &i, "seller", STR("0x1"),
			"inventory row: seller: expected a wallet (0x and 40 hex digits)"),
		DECODE_E_SHAPE));
}

Test(row_codec, a_required_field_must_be_there)
{
	struct row row = { .n = 0 };
	struct loyalty l;
	struct fault f = { 0 };

	cr_assert(zero(int, row_put(&row, STR("user"), STR("u"))));
	cr_expect(eq(int, row_decode(&loyalty_type, &l, &row, arena, &f), DECODE_E_SHAPE));
	cr_expect(eq(str, f.text, "loyalty: tier: missing"));
	cr_expect(str_eq(l.user, STR("u")));
}

Test(row_codec, the_view_of_stock_needs_no_item_and_offset)
{
	struct row row = { .n = 0 };
	struct stock s;

	cr_assert(zero(int, row_put(&row, STR("supply"), STR("2"))));
	cr_assert(zero(int, row_put(&row, STR("taken"), STR("1"))));
	cr_expect(zero(int, row_decode(&stock_type, &s, &row, arena, NULL)));
	cr_expect(eq(i64, s.taken, 1));
}

Test(row_codec, an_exhausted_arena_is_too_large)
{
	CLEANUP(arena_free) struct arena *small = NULL;
	struct inventory i = {
		.item = STR("game:azeroth/sword:iron/17"), .list = eth(125), .supply = 1
	};
	struct row row;

	cr_assert(zero(int, arena_new(&small, 10)));
	cr_expect(eq(int, row_encode(&inventory_type, &i, &row, small), DECODE_E_TOO_LARGE));
	cr_assert(zero(int, row_encode(&inventory_type, &i, &row, arena)));
	arena_reset(small);
	cr_expect(eq(int, row_decode(&inventory_type, &i, &row, small, NULL), DECODE_E_TOO_LARGE));
}
