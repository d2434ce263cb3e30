#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "connectors/tables/table.h"

#define ITEM "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/77"

static struct arena *arena;

static void setup(void)
{
	cr_assert(zero(int, arena_new(&arena, 65536)));
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(table, .init = setup, .fini = teardown);

static int read_one(enum table_id id, struct str key, struct str value,
	const struct bus_header *headers, size_t n_headers, struct table_record *ret,
	struct fault *f)
{
	struct bus_record r = { .topic = tables[id].topic,
		.key = key,
		.value = value,
		.headers = headers,
		.n_headers = n_headers };

	return table_read(&tables[id], &r, ret, arena, f);
}

static int reason(enum table_id id, struct str key, struct str value)
{
	struct table_record record;
	struct fault f = { .kind = FAULT_NONE };
	int e = read_one(id, key, value, NULL, 0, &record, &f);

	if (e)
		cr_expect(ne(chr, f.text[0], '\0'));
	return e;
}

Test(table, every_table_has_the_name_that_finds_it)
{
	for (size_t i = 0; i < TABLE_MAX; i++)
		cr_expect(eq(ptr, (void *)table_find(str_of(tables[i].name)), (void *)&tables[i]));
	cr_expect(eq(ptr, (void *)table_find(STR("stock")), NULL));
}

Test(table, a_row_has_the_fields_of_the_record_and_its_version_beside)
{
	struct table_record record;
	struct row row;

	cr_assert(zero(int,
		read_one(TABLE_INVENTORY, STR(ITEM),
			STR("{\"item\":\"" ITEM "\",\"ver\":\"12.3\",\"list\":{\"amount\":\"100\","
			    "\"currency\":\"ETH\"},\"supply\":1,\"traits\":{ \"a\" : 1 }}"),
			NULL, 0, &record, NULL)));
	cr_expect(eq(int, record.kind, TABLE_ROW));
	cr_expect(str_eqz(record.key, "inventory:{" ITEM "}"));
	cr_expect(str_eqz(record.ver,
		"00000000000000000012.00000000000000000003.00000000000000000000."
		"00000000000000000000"));
	cr_expect(not(record.is_confirmed));
	cr_assert(zero(int, table_row(&tables[TABLE_INVENTORY], &record, &row, arena)));
	cr_expect(str_eqz(row_get(&row, "list"), "100"));
	cr_expect(str_eqz(row_get(&row, "list_currency"), "ETH"));
	cr_expect(str_eqz(row_get(&row, "traits"), "{\"a\":1}"));
	cr_expect(not(str_is_set(row_get(&row, "ver"))));
	cr_expect(not(str_is_set(row_get(&row, "title"))));
}

Test(table, the_key_must_be_there_valid_and_the_one_of_the_value)
{
	struct str value = STR("{\"user\":\"u_1\",\"ver\":\"1\"}");

	cr_expect(zero(int, reason(TABLE_PROFILE, STR("u_1"), value)));
	cr_expect(eq(int, reason(TABLE_PROFILE, STR_NONE, value), TABLE_E_KEY));
	cr_expect(eq(int, reason(TABLE_PROFILE, STR(""), value), TABLE_E_KEY));
	cr_expect(eq(int, reason(TABLE_PROFILE, STR("u_2"), value), TABLE_E_KEY));
	cr_expect(eq(int, reason(TABLE_PROFILE, STR("\x01"), STR_NONE), TABLE_E_KEY));
	cr_expect(eq(int, reason(TABLE_INVENTORY, STR("u_1"), value), TABLE_E_KEY));
}

Test(table, what_is_wrong_has_a_reason)
{
	struct str key = STR("u_1");

	cr_expect(eq(int, reason(TABLE_PROFILE, key, STR("")), TABLE_E_JSON));
	cr_expect(eq(int, reason(TABLE_PROFILE, key, STR("{\"user\":")), TABLE_E_JSON));
	cr_expect(eq(int, reason(TABLE_PROFILE, key, STR("{\"user\":\"u_1\"}")), TABLE_E_SHAPE));
	cr_expect(eq(int, reason(TABLE_PROFILE, key, STR("{\"user\":\"u_1\",\"ver\":1}")),
		TABLE_E_SHAPE));
	cr_expect(eq(int,
		reason(TABLE_LOYALTY, key,
			STR("{\"user\":\"u_1\",\"ver\":\"1\",\"tier\":\"tin\"}")),
		TABLE_E_SHAPE));
	cr_expect(eq(str, (char *)table_reason_text(TABLE_E_JSON), "BAD_JSON"));
	cr_expect(eq(str, (char *)table_reason_text(TABLE_E_VERSION), "BAD_VERSION"));
}

Test(table, a_delete_has_the_version_of_its_header_or_none)
{
	struct bus_header good = { STR("x-souk-ver"), STR("4") },
			  wrong = { STR("x-souk-ver"), STR("four") };
	struct table_record record;
	struct fault f = { .kind = FAULT_NONE };

	cr_assert(zero(int, read_one(TABLE_PROFILE, STR("u_1"), STR_NONE, NULL, 0, &record, NULL)));
	cr_expect(eq(int, record.kind, TABLE_DELETE));
	cr_expect(not(str_is_set(record.ver)));
	cr_assert(
		zero(int, read_one(TABLE_PROFILE, STR("u_1"), STR_NONE, &good, 1, &record, NULL)));
	cr_expect(eq(sz, record.ver.n, (size_t)VERSION_STORED_LEN));
	cr_expect(eq(int, read_one(TABLE_PROFILE, STR("u_1"), STR_NONE, &wrong, 1, &record, &f),
		TABLE_E_VERSION));
}

Test(table, a_confirmation_is_a_header_of_1)
{
	struct bus_header yes = { STR("x-souk-confirm"), STR("1") },
			  no = { STR("x-souk-confirm"), STR("0") };
	struct str value = STR("{\"item\":\"" ITEM "\",\"ver\":\"1\",\"list\":{\"amount\":\"1\","
			       "\"currency\":\"ETH\"},\"supply\":1}");
	struct table_record record;

	cr_assert(zero(int, read_one(TABLE_INVENTORY, STR(ITEM), value, &yes, 1, &record, NULL)));
	cr_expect(record.is_confirmed);
	cr_assert(zero(int, read_one(TABLE_INVENTORY, STR(ITEM), value, &no, 1, &record, NULL)));
	cr_expect(not(record.is_confirmed));
}

Test(table, feed_records_are_on_the_market_topic_only)
{
	struct str value =
		STR("{\"type\":\"feed\",\"collection\":\"apes\",\"alive_at\":5,\"gap\":false}");
	struct table_record record;

	cr_assert(
		zero(int, read_one(TABLE_MARKET, STR("feed:apes"), value, NULL, 0, &record, NULL)));
	cr_expect(eq(int, record.kind, TABLE_FEED));
	cr_expect(str_eqz(record.as.feed.collection, "apes"));
	cr_assert(zero(
		int, read_one(TABLE_MARKET, STR("feed:apes"), STR_NONE, NULL, 0, &record, NULL)));
	cr_expect(eq(int, record.kind, TABLE_NOTHING));
	cr_expect(eq(int, reason(TABLE_MARKET, STR("feed:punks"), value), TABLE_E_KEY));
	cr_expect(eq(int, reason(TABLE_INVENTORY, STR("feed:apes"), value), TABLE_E_KEY));
}
