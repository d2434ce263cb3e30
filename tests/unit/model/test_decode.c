#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>

#include "common/model/decode.h"
#include "common/model/money.h"
#include "common/model/version.h"

static const char *const colour_names[] = { "", "red", "blue", NULL };
static const char *const thing_names[] = { "thing", NULL };

struct thing {
	struct str type, text, item, user, wallet, id, hex, raw, deep;
	int64_t number, time, count;
	int flag, colour;
	struct money price;
	struct version ver;
};

#define AT(m) offsetof(struct thing, m)

static const struct field fields[] = {
	{ "type", FIELD_CONST, 0, AT(type), 0, thing_names },
	{ "text", FIELD_STR, FIELD_NULLABLE, AT(text), 600, NULL },
	{ "item", FIELD_ITEM, 0, AT(item), 0, NULL },
	{ "user", FIELD_USER, 0, AT(user), 0, NULL },
	{ "wallet", FIELD_WALLET, 0, AT(wallet), 0, NULL },
	{ "id", FIELD_ID, FIELD_REQUIRED, AT(id), 0, NULL },
	{ "hex", FIELD_HEX, 0, AT(hex), 0, NULL },
	{ "raw", FIELD_RAW, 0, AT(raw), 0, NULL },
	{ "a.b.c", FIELD_STR, FIELD_NONEMPTY, AT(deep), 0, NULL },
	{ "a.number", FIELD_I64, 0, AT(number), 0, NULL },
	{ "time", FIELD_TIME, 0, AT(time), 0, NULL },
	{ "count", FIELD_COUNT, 0, AT(count), 0, NULL },
	{ "flag", FIELD_BOOL, 0, AT(flag), 0, NULL },
	{ "colour", FIELD_ENUM, 0, AT(colour), 0, colour_names },
	{ "price", FIELD_MONEY, FIELD_NULLABLE, AT(price), 0, NULL },
	{ "ver", FIELD_VERSION, 0, AT(ver), 0, NULL },
};

static const struct record_type open_type = { "thing", fields, ARRAY_LEN(fields),
	sizeof(struct thing), false };
static const struct record_type closed_type = { "thing", fields, ARRAY_LEN(fields),
	sizeof(struct thing), true };

static struct arena *arena;
static struct thing thing;
static struct fault fault;

static void setup(void)
{
	cr_assert(zero(int, arena_new(&arena, 16384)));
}

static void teardown(void)
{
	arena = arena_free(arena);
}

/* From a block of exactly its size, gone before the record is looked at: nothing may be borrowed
 * from the input. */
static int decode_copy(const struct record_type *type, struct str json)
{
	char *p = malloc(json.n + !json.n);
	int r;

	cr_assert(p != NULL);
	memcpy(p, json.p, json.n);
	arena_reset(arena);
	fault = (struct fault){ 0 };
	r = decode(type, &thing, (struct str){ p, json.n }, arena, &fault);
	free(p);
	return r;
}

#define READ(json) decode_copy(&open_type, STR(json))

#define EXPECT_FAULT(json, code, text_) \
	do { \
		cr_expect(eq(int, READ(json), code)); \
		cr_expect(eq(str, fault.text, (char *)text_)); \
	} while (0)

TestSuite(decode, .init = setup, .fini = teardown);

Test(decode, every_kind_of_field_is_read)
{
	cr_assert(READ("{\"type\":\"thing\",\"text\":\"caf\\u00e9\",\"item\":\"game:azeroth/"
		       "sword:iron/17\",\"user\":\"u 1\","
		       "\"wallet\":\"0xABCDEFabcdef0123456789012345678901234567\",\"id\":\"i\","
		       "\"hex\":\"0f\",\"raw\":{\"k\":[1]},"
		       "\"a\":{\"b\":{\"c\":\"deep\"},\"number\":-9223372036854775808},\"time\":"
		       "9007199254740991,\"count\":0,"
		       "\"flag\":false,\"colour\":\"blue\",\"price\":{\"amount\":\"5\","
		       "\"currency\":\"ETH\"},\"ver\":\"12.91\"}") == 0,
		"%s", fault.text);
	cr_expect(str_eq(thing.type, STR("thing")));
	cr_expect(str_eq(thing.text, STR("caf\xc3\xa9")));
	cr_expect(str_eq(thing.item, STR("game:azeroth/sword:iron/17")));
	cr_expect(str_eq(thing.user, STR("u 1")));
	cr_expect(str_eq(thing.wallet, STR("0xabcdefabcdef0123456789012345678901234567")));
	cr_expect(str_eq(thing.hex, STR("0f")));
	cr_expect(str_eq(thing.raw, STR("{\"k\":[1]}")));
	cr_expect(str_eq(thing.deep, STR("deep")));
	cr_expect(eq(i64, thing.number, INT64_MIN));
	cr_expect(eq(i64, thing.time, 9007199254740991));
	cr_expect(eq(int, thing.flag, TRI_FALSE));
	cr_expect(eq(int, thing.colour, 2));
	cr_expect(money_is_set(thing.price) && thing.price.amount == 5);
	cr_expect(eq(u64, thing.ver.part[1], 91));
}

Test(decode, absent_members_are_zero)
{
	memset(&thing, 0xff, sizeof(thing));
	cr_assert(zero(int, READ("{\"id\":\"i\"}")));
	cr_expect(not(str_is_set(thing.text)));
	cr_expect(eq(int, thing.flag, TRI_ABSENT));
	cr_expect(not(money_is_set(thing.price)));
	cr_expect(zero(i64, thing.number));
}

Test(decode, an_empty_text_is_not_an_absent_one)
{
	cr_assert(zero(int, READ("{\"id\":\"i\",\"text\":\"\"}")));
	cr_expect(str_is_set(thing.text));
	cr_expect(zero(sz, thing.text.n));
}

Test(decode, null_means_absent_only_where_the_table_says_so)
{
	cr_expect(zero(int, READ("{\"id\":\"i\",\"text\":null,\"price\":null}")));
	cr_expect(not(str_is_set(thing.text)));
	EXPECT_FAULT("{\"id\":\"i\",\"flag\":null}", DECODE_E_SHAPE,
		"thing: flag: expected true or false, got null (byte 17)");
	EXPECT_FAULT("{\"id\":\"i\",\"raw\":null}", DECODE_E_SHAPE,
		"thing: raw: expected a value, got null (byte 16)");
	EXPECT_FAULT("{\"id\":\"i\",\"a\":null}", DECODE_E_SHAPE,
		"thing: a: expected an object, got null (byte 14)");
}

Test(decode, a_fault_names_record_member_finding_and_place)
{
	EXPECT_FAULT("{\"id\":\"i\",\"a\":{\"number\":\"5\"}}", DECODE_E_SHAPE,
		"thing: a.number: expected an integer, got a string (byte 24)");
	EXPECT_FAULT("{\"id\":\"i\",\"a\":{\"number\":1e3}}", DECODE_E_SHAPE,
		"thing: a.number: expected an integer, got 1e3 (byte 24)");
	EXPECT_FAULT("{\"id\":\"i\",\"a\":{\"number\":9223372036854775808}}", DECODE_E_SHAPE,
		"thing: a.number: out of range (64 bits) (byte 24)");
	EXPECT_FAULT("{\"id\":\"i\",\"count\":-1}", DECODE_E_SHAPE,
		"thing: count: out of range (0 .. 2^53 - 1) (byte 18)");
	EXPECT_FAULT("{\"id\":\"i\",\"colour\":\"green\"}", DECODE_E_SHAPE,
		"thing: colour: expected one of red, blue, got green (byte 19)");
	EXPECT_FAULT("{\"id\":\"i\",\"colour\":\"\"}", DECODE_E_SHAPE,
		"thing: colour: expected one of red, blue, got  (byte 19)");
	EXPECT_FAULT("{\"id\":\"i\",\"type\":\"other\"}", DECODE_E_SHAPE,
		"thing: type: expected \"thing\", got other (byte 17)");
	EXPECT_FAULT("{\"id\":\"i\",\"text\":[\"x\"]}", DECODE_E_SHAPE,
		"thing: text: expected a string, got an array (byte 17)");
	EXPECT_FAULT("{\"id\":\"i\",\"a\":{\"b\":{\"c\":\"\"}}}", DECODE_E_SHAPE,
		"thing: a.b.c: must not be empty (byte 24)");
	EXPECT_FAULT("{\"text\":\"x\"}", DECODE_E_SHAPE, "thing: id: missing");
	EXPECT_FAULT("{}", DECODE_E_SHAPE, "thing: id: missing");
	EXPECT_FAULT("{\"id\":\"i\",}", DECODE_E_JSON,
		"thing: expected a member name in double quotes (byte 10)");
	EXPECT_FAULT("{\"id\":\"i\"}{}", DECODE_E_JSON,
		"thing: something follows the end of the document (byte 10)");
}

Test(decode, a_refused_value_cannot_put_control_characters_into_a_message)
{
	EXPECT_FAULT("{\"id\":\"i\",\"colour\":\"a\\nb\xc3\xa9\"}", DECODE_E_SHAPE,
		"thing: colour: expected one of red, blue, got a?b?? (byte 19)");
	cr_expect(eq(int, decode_copy(&closed_type, STR("{\"x\\ny\":1}")), DECODE_E_SHAPE));
	cr_expect(eq(str, fault.text, "thing: x?y: unknown member (byte 8)"));
}

Test(decode, what_is_right_is_read_around_what_is_wrong)
{
	EXPECT_FAULT("{\"text\":5,\"flag\":\"no\",\"a\":[],\"price\":{\"amount\":1},\"id\":\"i\","
		     "\"user\":\"u\"}",
		DECODE_E_SHAPE, "thing: text: expected a string, got a number (byte 8)");
	cr_expect(str_eq(thing.id, STR("i")));
	cr_expect(str_eq(thing.user, STR("u")));
	cr_expect(not(money_is_set(thing.price)));
}

Test(decode, a_repeated_member_is_refused_and_keeps_its_first_value)
{
	EXPECT_FAULT("{\"id\":\"i\",\"id\":\"j\"}", DECODE_E_SHAPE,
		"thing: id: repeated member (byte 15)");
	cr_expect(str_eq(thing.id, STR("i")));
	EXPECT_FAULT("{\"id\":\"i\",\"a\":{},\"a\":{\"number\":1}}", DECODE_E_SHAPE,
		"thing: a: repeated member (byte 21)");
	EXPECT_FAULT("{\"id\":\"i\",\"\\u0069d\":\"j\"}", DECODE_E_SHAPE,
		"thing: id: repeated member (byte 20)");
	EXPECT_FAULT("{\"id\":\"i\",\"text\":null,\"text\":\"x\"}", DECODE_E_SHAPE,
		"thing: text: repeated member (byte 29)");
}

Test(decode, unknown_members_are_skipped_unless_the_table_is_closed)
{
	struct str json = STR("{\"x\":{\"id\":\"no\",\"y\":[{\"id\":1}]},\"z\":[[1,2],\"id\"],"
			      "\"id\":\"i\",\"w\":12345678901234567890123456789}");

	cr_assert(decode_copy(&open_type, json) == 0, "%s", fault.text);
	cr_expect(str_eq(thing.id, STR("i")));
	cr_expect(eq(int, decode_copy(&closed_type, json), DECODE_E_SHAPE));
	cr_expect(eq(str, fault.text, "thing: x: unknown member (byte 5)"));
	cr_expect(str_eq(thing.id, STR("i")));
	cr_expect(eq(int, decode_copy(&closed_type, STR("{\"id\":\"i\",\"a\":{\"q\":1}}")),
		DECODE_E_SHAPE));
	cr_expect(eq(int,
		decode_copy(&closed_type, STR("{\"id\":\"i\",\"price\":{\"amount\":\"1\","
					      "\"currency\":\"ETH\",\"q\":1}}")),
		DECODE_E_SHAPE));
}

Test(decode, a_dot_in_a_name_is_no_path)
{
	cr_assert(zero(int, READ("{\"id\":\"i\",\"a.number\":5,\"a.b\":{\"c\":\"x\"},\"a\":{\"b."
				 "c\":\"y\",\"number\":6}}")));
	cr_expect(eq(i64, thing.number, 6));
	cr_expect(not(str_is_set(thing.deep)));
}

Test(decode, a_name_longer_than_lejps_path_cannot_pose_as_another)
{
	char json[512];
	/* 256 bytes on, LEJP's path would begin again with `id`. */
	int n = snprintf(json, sizeof(json), "{\"%0256did\":\"forged\"}", 0);

	cr_expect(eq(
		int, decode_copy(&open_type, (struct str){ json, (size_t)n }), DECODE_E_TOO_LARGE));
	cr_expect(not(str_is_set(thing.id)));
	cr_expect(eq(str, fault.text, "thing: a member name over 120 bytes (byte 123)"));
}

Test(decode, many_arrays_at_one_level_do_not_add_up)
{
	cr_expect(zero(int, READ("{\"a\":{},\"b\":[],\"c\":[1],\"d\":[],\"e\":[[]],\"f\":[],\"g\":["
				 "],\"h\":[{}],\"id\":\"i\"}")));
	cr_expect(str_eq(thing.id, STR("i")));
}

Test(decode, long_texts_come_whole)
{
	for (size_t n = 240; n <= 600; n++) {
		char json[700], want[600];
		int len;

		memset(want, 'x', n);
		memcpy(want + n - 2, "\xc3\xa9", 2);
		len = snprintf(
			json, sizeof(json), "{\"id\":\"i\",\"text\":\"%.*s\"}", (int)n, want);
		cr_assert(decode_copy(&open_type, (struct str){ json, (size_t)len }) == 0,
			"%zu: %s", n, fault.text);
		cr_expect(str_eq(thing.text, (struct str){ want, n }), "%zu", n);
		cr_expect(eq(chr, thing.text.p[n], '\0'));
	}
}

Test(decode, a_text_over_its_maximum_is_too_large_and_the_rest_is_read)
{
	char json[800];
	int n = snprintf(json, sizeof(json), "{\"text\":\"%0601d\",\"id\":\"i\"}", 0);

	cr_expect(eq(
		int, decode_copy(&open_type, (struct str){ json, (size_t)n }), DECODE_E_TOO_LARGE));
	cr_expect(eq(str, fault.text, "thing: text: over 600 bytes (byte 8)"));
	cr_expect(str_eq(thing.id, STR("i")));
	cr_expect(not(str_is_set(thing.text)));
	cr_expect(lt(sz, arena_used(arena), 64));
	n = snprintf(json, sizeof(json), "{\"id\":\"%0129d\"}", 0);
	cr_expect(eq(
		int, decode_copy(&open_type, (struct str){ json, (size_t)n }), DECODE_E_TOO_LARGE));
	cr_expect(eq(str, fault.text, "thing: id: 129 bytes, at most 128 (byte 6)"));
}

Test(decode, surrogate_pairs_are_joined_wherever_a_chunk_ends)
{
	for (size_t pad = 245; pad < 260; pad++) {
		char json[400], want[300], text[300];
		int n;

		memset(text, 'x', pad);
		n = snprintf(json, sizeof(json), "{\"id\":\"i\",\"text\":\"%.*s\\ud83d\\ude00\"}",
			(int)pad, text);
		cr_assert(decode_copy(&open_type, (struct str){ json, (size_t)n }) == 0, "%s",
			fault.text);
		n = snprintf(want, sizeof(want), "%.*s\xf0\x9f\x98\x80", (int)pad, text);
		cr_expect(str_eq(thing.text, (struct str){ want, (size_t)n }), "%zu", pad);
	}
}

Test(decode, money_is_two_texts)
{
	EXPECT_FAULT("{\"id\":\"i\",\"price\":1.25}", DECODE_E_SHAPE,
		"thing: price: expected money {\"amount\",\"currency\"}, got a number (byte 18)");
	EXPECT_FAULT("{\"id\":\"i\",\"price\":{\"amount\":1,\"currency\":\"ETH\"}}", DECODE_E_SHAPE,
		"thing: price: amount must be a string, got a number (byte 28)");
	EXPECT_FAULT(
		"{\"id\":\"i\",\"price\":{\"amount\":{\"amount\":\"1\"},\"currency\":\"ETH\"}}",
		DECODE_E_SHAPE, "thing: price: amount must be a string, got an object (byte 28)");
	EXPECT_FAULT("{\"id\":\"i\",\"price\":{\"currency\":\"ETH\"}}", DECODE_E_SHAPE,
		"thing: price: money needs an amount and a currency, both strings (byte 18)");
	EXPECT_FAULT(
		"{\"id\":\"i\",\"price\":{\"amount\":\"1\",\"amount\":\"2\",\"currency\":\"ETH\"}}",
		DECODE_E_SHAPE, "thing: price: money has a repeated member (byte 28)");
	cr_expect(eq(int, READ("{\"id\":\"i\",\"price\":{\"amount\":\"1\",\"currency\":\"XXX\"}}"),
		DECODE_E_SHAPE));
	cr_expect(eq(int,
		READ("{\"id\":\"i\",\"price\":{\"amount\":\"79228162514264337593543950336\","
		     "\"currency\":\"ETH\"}}"),
		DECODE_E_SHAPE));
	cr_expect(eq(int,
		READ("{\"id\":\"i\",\"price\":{\"amount\":"
		     "\"100000000000000000000000000000000000000000000000000000000000\","
		     "\"currency\":\"ETH\"}}"),
		DECODE_E_SHAPE));
	cr_expect(eq(int, READ("{\"id\":\"i\",\"price\":{\"amount\":\"\",\"currency\":\"ETH\"}}"),
		DECODE_E_SHAPE));
	cr_expect(zero(
		int, READ("{\"id\":\"i\",\"price\":{\"x\":{\"amount\":\"9\"},\"currency\":\"ETH\","
			  "\"y\":[1],\"amount\":\"79228162514264337593543950335\"}}")));
	cr_expect(money_is_set(thing.price));
	cr_expect(thing.price.amount == ((u128)1 << 96) - 1);
}

static void expect_raw(struct str json, const char *want)
{
	cr_assert(decode_copy(&open_type, json) == 0, STR_FMT ": %s", STR_ARG(json), fault.text);
	cr_expect(
		str_eqz(thing.raw, want), STR_FMT ": " STR_FMT, STR_ARG(json), STR_ARG(thing.raw));
}

#define EXPECT_RAW(value, want) \
	expect_raw(STR("{\"id\":\"i\",\"raw\":" value ",\"flag\":true}"), want)

Test(decode, a_raw_value_is_written_compactly)
{
	EXPECT_RAW("{ }", "{}");
	EXPECT_RAW("[ ]", "[]");
	EXPECT_RAW("true", "true");
	EXPECT_RAW("\"a\\/\\u00e9\\u0001\\\"\"", "\"a/\xc3\xa9\\u0001\\\"\"");
	EXPECT_RAW("0.10e+05", "0.10e+05");
	EXPECT_RAW("123456789012345678901234567890.123456789012345678901234567890",
		"123456789012345678901234567890.123456789012345678901234567890");
	EXPECT_RAW("[ 1 , [ ] , { \"a\" : [ null , false ] , \"\" : \"\" } , \"\\ud83d\\ude00\" ]",
		"[1,[],{\"a\":[null,false],\"\":\"\"},\"\xf0\x9f\x98\x80\"]");
	EXPECT_RAW("{\"b\":{\"raw\":1,\"id\":2},\"a.b\":[[[[[[[[1]]]]]]]]}",
		"{\"b\":{\"raw\":1,\"id\":2},\"a.b\":[[[[[[[[1]]]]]]]]}");
}

Test(decode, a_raw_value_has_its_maximum)
{
	char json[5000];
	int n = snprintf(json, sizeof(json), "{\"raw\":[\"%04092d\"],\"id\":\"i\"}", 0);

	cr_expect(zero(int, decode_copy(&open_type, (struct str){ json, (size_t)n })));
	cr_expect(eq(sz, thing.raw.n, 4096));
	n = snprintf(json, sizeof(json), "{\"raw\":[\"%04093d\"],\"id\":\"i\"}", 0);
	cr_expect(eq(
		int, decode_copy(&open_type, (struct str){ json, (size_t)n }), DECODE_E_TOO_LARGE));
	cr_expect(not(str_is_set(thing.raw)));
	cr_expect(str_eq(thing.id, STR("i")));
	cr_expect(lt(sz, arena_used(arena), 64));
}

Test(decode, an_exhausted_arena_is_too_large)
{
	CLEANUP(arena_free) struct arena *small = NULL;
	struct fault f;

	cr_assert(zero(int, arena_new(&small, 8)));
	cr_expect(eq(int,
		decode(&open_type, &thing, STR("{\"id\":\"i\",\"user\":\"somebody\"}"), small, &f),
		DECODE_E_TOO_LARGE));
	cr_expect(eq(str, f.text, "thing: user: no room left for this record (byte 17)"));
	arena_reset(small);
	cr_expect(eq(int,
		decode(&open_type, &thing, STR("{\"id\":\"i\",\"raw\":[\"somebody\"]}"), small,
			NULL),
		DECODE_E_TOO_LARGE));
}

Test(decode, depth_is_bounded_inside_members_nobody_asked_for)
{
	cr_expect(zero(int, READ("{\"x\":[[[[[[[[[[1]]]]]]]]]],\"id\":\"i\"}")));
	cr_expect(
		eq(int, READ("{\"x\":[[[[[[[[[[[1]]]]]]]]]]],\"id\":\"i\"}"), DECODE_E_TOO_LARGE));
	cr_expect(zero(int, READ("{\"raw\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":\"x\"}]}]}]}]}],"
				 "\"id\":\"i\"}")));
}

Test(decode, every_cut_of_a_record_is_refused_or_read)
{
	struct str json = STR("{\"id\":\"i\",\"a\":{\"b\":{\"c\":\"\\ud83d\\ude00\"},\"number\":-"
			      "12},\"raw\":[1.5e-3,{\"k\":[true,null]}],"
			      "\"price\":{\"amount\":\"5\",\"currency\":\"ETH\"}}");

	for (size_t n = 0; n < json.n; n++)
		cr_expect(
			eq(int, decode_copy(&open_type, (struct str){ json.p, n }), DECODE_E_JSON));
	cr_expect(zero(int, decode_copy(&open_type, json)));
}
