#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>

#include "pricing/cel/value_json.h"

#define ARENA (256 * 1024)

static struct arena *arena;

static void setup(void)
{
	cr_assert(zero(int, arena_new(&arena, ARENA)));
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(value_json, .init = setup, .fini = teardown);

static json_t *json_of(const char *text)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	cr_assert(json != NULL, "%s", text);
	return json;
}

static int read_text(struct cel_value *ret, const char *text, struct fault *f)
{
	json_auto_t *json = json_of(text);

	return cel_value_from_json(ret, json, arena, f);
}

static void expect_unchanged(const char *text)
{
	CLEANUP(buf_fini) struct buf out = BUF_INIT(4096);
	struct fault f = { 0 };
	struct cel_value v;

	cr_assert(zero(int, read_text(&v, text, &f)), "%s: %s", text, f.text);
	cel_value_to_json(&out, v);
	buf_putc(&out, '\0');
	cr_expect(eq(str, out.p, (char *)text));
}

static void expect_refused(const char *text, const char *part)
{
	struct fault f = { 0 };
	struct cel_value v;

	cr_expect(eq(int, read_text(&v, text, &f), -EINVAL), "%s", text);
	cr_expect(strstr(f.text, part) != NULL, "%s: %s", text, f.text);
}

Test(value_json, every_kind_is_written_as_it_was_read)
{
	expect_unchanged("{\"nullValue\":null}");
	expect_unchanged("{\"boolValue\":true}");
	expect_unchanged("{\"int64Value\":\"-9223372036854775808\"}");
	expect_unchanged("{\"uint64Value\":\"18446744073709551615\"}");
	expect_unchanged("{\"doubleValue\":0.1}");
	expect_unchanged("{\"doubleValue\":-0.0}");
	expect_unchanged("{\"doubleValue\":1.7976931348623157e+308}");
	expect_unchanged("{\"doubleValue\":5e-324}");
	expect_unchanged("{\"doubleValue\":\"NaN\"}");
	expect_unchanged("{\"doubleValue\":\"-Infinity\"}");
	expect_unchanged("{\"stringValue\":\"a\\u0000\\\"é😀\"}");
	expect_unchanged("{\"bytesValue\":\"\"}");
	expect_unchanged("{\"bytesValue\":\"/w==\"}");
	expect_unchanged("{\"bytesValue\":\"AAE=\"}");
	expect_unchanged("{\"bytesValue\":\"AAEC\"}");
	expect_unchanged("{\"typeValue\":\"google.protobuf.Timestamp\"}");
	expect_unchanged(
		"{\"moneyValue\":{\"amount\":\"1250000000000000000\",\"currency\":\"ETH\"}}");
	expect_unchanged("{\"bpsValue\":\"-500\"}");
}

Test(value_json, lists_and_maps_nest_and_empty_ones_have_no_member)
{
	expect_unchanged("{\"listValue\":{}}");
	expect_unchanged("{\"mapValue\":{}}");
	expect_unchanged(
		"{\"listValue\":{\"values\":[{\"int64Value\":\"1\"},{\"listValue\":{}}]}}");
	expect_unchanged("{\"mapValue\":{\"entries\":[{\"key\":{\"stringValue\":\"a\"},\"value\":{"
			 "\"mapValue\":{\"entries\":[{\"key\":{\"boolValue\":false},\"value\":{"
			 "\"nullValue\":null}}]}}}]}}");
}

Test(value_json, a_list_in_forty_lists_is_written)
{
	CLEANUP(buf_fini) struct buf out = BUF_INIT(65536);
	struct cel_value v[41] = { cel_int(1) };

	for (size_t i = 1; i <= 40; i++)
		v[i] = (struct cel_value){ .kind = CEL_V_LIST, .n = 1, .list = &v[i - 1] };
	cel_value_to_json(&out, v[40]);
	json_auto_t *json = json_loadb(out.p, out.n, 0, NULL);
	cr_assert(json != NULL);
}

Test(value_json, moments_and_durations_have_three_six_or_nine_digits)
{
#define OBJECT(type, value) \
	"{\"objectValue\":{\"@type\":\"type.googleapis.com/google.protobuf." type \
	"\",\"value\":\"" value "\"}}"
	expect_unchanged(OBJECT("Timestamp", "2009-02-13T23:31:30Z"));
	expect_unchanged(OBJECT("Timestamp", "0001-01-01T00:00:00.100Z"));
	expect_unchanged(OBJECT("Timestamp", "9999-12-31T23:59:59.999999999Z"));
	expect_unchanged(OBJECT("Duration", "-1.500s"));
	expect_unchanged(OBJECT("Duration", "0.000001s"));
	expect_unchanged(OBJECT("Duration", "9223372036.854775807s"));
	expect_refused(OBJECT("Duration", "soon"), "soon");
	expect_refused(OBJECT("Timestamp", "2009-02-30T00:00:00Z"), "2009-02-30");
	expect_refused(OBJECT("Any", "x"), "@type");
}

Test(value_json, integers_may_be_numbers_if_they_are_exact)
{
	struct cel_value v;

	cr_assert(zero(int, read_text(&v, "{\"int64Value\":5}", NULL)));
	cr_expect(eq(i64, v.i, 5));
	cr_assert(zero(int, read_text(&v, "{\"uint64Value\":7.0}", NULL)));
	cr_expect(eq(u64, v.u, 7));
	cr_assert(zero(int, read_text(&v, "{\"doubleValue\":\"1e3\"}", NULL)));
	cr_expect(eq(dbl, v.d, 1000));
	expect_refused("{\"int64Value\":1.5}", "int64Value");
	expect_refused("{\"int64Value\":1e300}", "int64Value");
	expect_refused("{\"uint64Value\":-1}", "uint64Value");
	expect_refused("{\"int64Value\":\"9223372036854775808\"}", "int64Value");
	expect_refused("{\"int64Value\":\"0x10\"}", "int64Value");
	expect_refused("{\"doubleValue\":\"1e999\"}", "doubleValue");
	expect_refused("{\"doubleValue\":\"0x1\"}", "doubleValue");
}

Test(value_json, what_is_no_value_is_named)
{
	expect_refused("5", "exactly one member");
	expect_refused("{}", "exactly one member");
	expect_refused("{\"int64Value\":\"1\",\"boolValue\":true}", "exactly one member");
	expect_refused("{\"intValue\":\"1\"}", "int64Value");
	expect_refused("{\"bytesValue\":\"a$\"}", "base64");
	expect_refused("{\"listValue\":[]}", "listValue");
	expect_refused("{\"listValue\":{\"value\":[]}}", "listValue");
	expect_refused("{\"mapValue\":{\"entries\":[{\"key\":{\"nullValue\":null},\"value\":{"
		       "\"nullValue\":null}}]}}",
		"mapValue");
	expect_refused("{\"mapValue\":{\"entries\":[{\"key\":{\"int64Value\":1},\"value\":{"
		       "\"int64Value\":1}},{\"key\":{\"uint64Value\":1},\"value\":{\"int64Value\":"
		       "1}}]}}",
		"mapValue");
	expect_refused("{\"typeValue\":\"integer\"}", "typeValue");
	expect_refused("{\"moneyValue\":{\"amount\":1,\"currency\":\"ETH\"}}", "moneyValue");
	expect_refused("{\"moneyValue\":{\"amount\":\"1\",\"currency\":\"XXX\"}}", "moneyValue");
}

Test(value_json, plain_json_has_the_obvious_types)
{
	json_auto_t *json = json_of("{\"a\":[1,2.5,\"x\",true,null],\"b\":{\"bpsValue\":\"5\"}}");
	struct fault f = { 0 };
	struct cel_value v;

	cr_assert(zero(int, cel_value_from_plain_json(&v, json, arena, &f)));
	cr_assert(eq(int, v.kind, CEL_V_MAP));
	cr_assert(eq(u32, v.map->n, 2));
	const struct cel_value *list = v.map->values[0].list;

	cr_expect(eq(int, list[0].kind, CEL_V_INT));
	cr_expect(eq(int, list[1].kind, CEL_V_DOUBLE));
	cr_expect(eq(int, list[2].kind, CEL_V_STRING));
	cr_expect(eq(int, list[3].kind, CEL_V_BOOL));
	cr_expect(eq(int, list[4].kind, CEL_V_NULL));
	cr_expect(eq(int, v.map->values[1].kind, CEL_V_BPS));
}

static char *type_of(const char *text, struct buf *out)
{
	struct cel_value v;

	cr_assert(zero(int, read_text(&v, text, NULL)));
	buf_clear(out);
	cel_type_print(out, cel_type_of_value(v, arena));
	buf_putc(out, '\0');
	return out->p;
}

Test(value_json, values_declare_their_types_and_mixed_ones_are_dyn)
{
	CLEANUP(buf_fini) struct buf out = BUF_INIT(4096);

#define ONE     "{\"int64Value\":\"1\"}"
#define LIST(x) "{\"listValue\":{\"values\":[" x "]}}"
	cr_expect(eq(str, type_of(LIST(ONE "," ONE), &out), "list(int)"));
	cr_expect(eq(str, type_of(LIST(ONE ",{\"boolValue\":true}"), &out), "list(dyn)"));
	cr_expect(eq(str, type_of("{\"listValue\":{}}", &out), "list(dyn)"));
	cr_expect(eq(str, type_of(LIST(LIST(ONE)), &out), "list(list(int))"));
	cr_expect(eq(str,
		type_of("{\"mapValue\":{\"entries\":[{\"key\":{\"stringValue\":\"a\"},"
			"\"value\":" ONE "}]}}",
			&out),
		"map(string, int)"));
	cr_expect(eq(str, type_of("{\"moneyValue\":{\"amount\":\"1\",\"currency\":\"EUR\"}}", &out),
		"money(EUR)"));
}

static const struct cel_type *declared(const char *text, struct fault *f)
{
	json_auto_t *json = json_of(text);
	const struct cel_type *t = NULL;

	return cel_type_from_json(&t, json, arena, f) ? NULL : t;
}

Test(value_json, declarations_of_the_suite_are_types)
{
	CLEANUP(buf_fini) struct buf out = BUF_INIT(4096);
	struct fault f = { 0 };
	const struct cel_type *t = declared(
		"{\"mapType\":{\"keyType\":{\"primitive\":\"STRING\"},\"valueType\":{\"listType\":{"
		"\"elemType\":{\"messageType\":\"google.protobuf.Duration\"}}}}}",
		&f);

	cr_assert(t != NULL, "%s", f.text);
	cel_type_print(&out, t);
	buf_putc(&out, '\0');
	cr_expect(eq(str, out.p, "map(string, list(duration))"));
	cr_expect(eq(ptr, (void *)declared("{\"null\":null}", &f), (void *)&cel_type_null));
	cr_expect(eq(ptr, (void *)declared("{\"dyn\":{}}", &f), (void *)&cel_type_dyn));
	cr_expect(eq(ptr, (void *)declared("{\"messageType\":\"some.Message\"}", &f), NULL));
	cr_expect(strstr(f.text, "some.Message") != NULL);
}

Test(value_json, a_value_fits_its_declaration_or_not)
{
	struct cel_value list, money;

	cr_assert(zero(int, read_text(&list, LIST(ONE), NULL)));
	cr_assert(zero(
		int, read_text(&money, "{\"moneyValue\":{\"amount\":\"1\",\"currency\":\"EUR\"}}",
			     NULL)));
	cr_expect(cel_value_fits(list, cel_type_list(arena, &cel_type_int)));
	cr_expect(cel_value_fits(list, cel_type_list(arena, &cel_type_dyn)));
	cr_expect(not(cel_value_fits(list, cel_type_list(arena, &cel_type_uint))));
	cr_expect(not(cel_value_fits(list, &cel_type_int)));
	cr_expect(cel_value_fits(money, &cel_type_money));
	cr_expect(cel_value_fits(money, cel_type_money_of(currency_find(STR("EUR")))));
	cr_expect(not(cel_value_fits(money, cel_type_money_of(currency_find(STR("USD"))))));
}

Test(value_json, an_exhausted_arena_is_said)
{
	CLEANUP(arena_free) struct arena *small = NULL;
	json_auto_t *json = json_of(LIST(ONE "," ONE "," ONE "," ONE));
	struct cel_value v;

	cr_assert(zero(int, arena_new(&small, 64)));
	cr_expect(eq(int, cel_value_from_json(&v, json, small, NULL), -ENOMEM));
}
