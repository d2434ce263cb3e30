#include <math.h>
#include <stdio.h>

#include "lib_support.h"

TestSuite(cel_value, .init = lib_begin, .fini = lib_end);

static struct cel_value map_of(
	uint32_t n, const struct cel_value *keys, const struct cel_value *values)
{
	return cel_map_make(&lib_context, keys, values, n);
}
#define MAP1(k, v) map_of(1, V(k), V(v))

static struct cel_value money(const char *text, const char *code)
{
	return CALL(MONEY, S(text), S(code));
}

Test(cel_value, numbers_are_equal_by_value_across_kinds)
{
	cr_expect(cel_equal(Int(3), U(3)));
	cr_expect(cel_equal(U(3), D(3.0)));
	cr_expect(cel_equal(D(3.0), Int(3)));
	cr_expect(cel_equal(D(0.0), D(-0.0)));
	cr_expect(not(cel_equal(Int(-1), U(UINT64_MAX))));
	cr_expect(not(cel_equal(U(UINT64_MAX), Int(-1))));
	cr_expect(not(cel_equal(D(3.1), Int(3))));
	cr_expect(not(cel_equal(D(NAN), D(NAN))));
	cr_expect(not(cel_equal(D(NAN), Int(0))));
	cr_expect(not(cel_equal(D(INFINITY), Int(INT64_MAX))));
	cr_expect(cel_equal(D(INFINITY), D(INFINITY)));
}

Test(cel_value, different_kinds_are_unequal_and_no_error)
{
	struct cel_value all[] = { cel_null(), cel_bool(false), Int(0), S(""), B(""),
		T("1970-01-01T00:00:00Z"), Dur("0"), money("0", "ETH"), cel_bps(0), EMPTY_LIST,
		map_of(0, NULL, NULL), cel_type_value("int") };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		for (size_t k = 0; k < ARRAY_LEN(all); k++)
			cr_expect(eq(int, cel_equal(all[i], all[k]), i == k), "%zu %zu", i, k);
}

Test(cel_value, symbols_decide_before_bytes_where_both_are_known)
{
	struct cel_value gold = S("gold"), silver = S("silver"), other = S("gold"), third = S("x");

	gold.sym = 2;
	silver.sym = 3;
	cr_expect(cel_equal(gold, S("gold")), "one is not looked up: bytes");
	cr_expect(not(cel_equal(gold, silver)));
	other.sym = CEL_SYM_OTHER;
	third.sym = CEL_SYM_OTHER;
	cr_expect(not(cel_equal(gold, other)), "none of the constants is none of them");
	cr_expect(not(cel_equal(other, third)), "two others: bytes");
	cr_expect(cel_equal(other, other));
}

Test(cel_value, lists_are_equal_element_by_element_and_in_order)
{
	cr_expect(cel_equal(LIST(Int(1), D(2)), LIST(U(1), Int(2))));
	cr_expect(cel_equal(EMPTY_LIST, EMPTY_LIST));
	cr_expect(not(cel_equal(LIST(Int(1), Int(2)), LIST(Int(2), Int(1)))));
	cr_expect(not(cel_equal(LIST(Int(1)), LIST(Int(1), Int(1)))));
	cr_expect(cel_equal(LIST(LIST(Int(1)), S("a")), LIST(LIST(U(1)), S("a"))));
	cr_expect(not(cel_equal(LIST(D(NAN)), LIST(D(NAN)))));
}

Test(cel_value, maps_are_equal_whatever_their_order)
{
	struct cel_value a = map_of(2, V(S("a"), Int(1)), V(Int(1), S("x")));
	struct cel_value b = map_of(2, V(U(1), S("a")), V(S("x"), D(1)));

	cr_expect(cel_equal(a, b));
	cr_expect(not(cel_equal(a, MAP1(S("a"), Int(1)))));
	cr_expect(not(cel_equal(MAP1(S("a"), Int(1)), MAP1(S("b"), Int(1)))));
	cr_expect(not(cel_equal(MAP1(S("a"), Int(1)), MAP1(S("a"), Int(2)))));
	cr_expect(not(cel_equal(MAP1(cel_bool(true), Int(1)), MAP1(Int(1), Int(1)))));
}

Test(cel_value, money_is_equal_in_amount_and_at_par)
{
	cr_expect(cel_equal(money("1.25", "ETH"), money("1.250", "ETH")));
	cr_expect(cel_equal(money("1.25", "ETH"), money("1.25", "WETH")));
	cr_expect(not(cel_equal(money("1", "EUR"), money("1", "USD"))));
	cr_expect(not(cel_equal(money("1", "ETH"), money("1.000000000000000001", "ETH"))));
	cr_expect(cel_equal(cel_bps(250), cel_bps(250)));
	cr_expect(not(cel_equal(cel_bps(250), Int(250))));
}

Test(cel_value, order_within_a_kind)
{
	struct cel_value pairs[][2] = { { cel_bool(false), cel_bool(true) }, { Int(-1), Int(1) },
		{ U(1), U(UINT64_MAX) }, { D(-INFINITY), D(-1) }, { S(""), S("a") },
		{ S("a"), S("aa") }, { S("Z"), S("a") },
		{ S("\xef\xbf\xbf"), S("\xf0\x90\x80\x80") }, { S("z"), S("\u00e4") },
		{ B("\x7f"), B("\x80") },
		{ T("2009-02-13T23:31:30Z"), T("2009-02-13T23:31:30.000000001Z") },
		{ T("1969-12-31T23:59:59.9Z"), T("1970-01-01T00:00:00Z") },
		{ Dur("-1s"), Dur("1ns") }, { cel_bps(-1), cel_bps(0) },
		{ money("1", "WETH"), money("1.5", "ETH") } };

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct cel_value *p = pairs[i], error;
		int order = 7;

		cr_expect(cel_compare(p[0], p[1], &order, &error) && order == -1, "%zu", i);
		cr_expect(cel_compare(p[1], p[0], &order, &error) && order == 1, "%zu", i);
		cr_expect(cel_compare(p[0], p[0], &order, &error) && order == 0, "%zu", i);
		cr_expect(CALL(LT, p[0], p[1]).b && CALL(LE, p[0], p[1]).b);
		cr_expect(CALL(GT, p[1], p[0]).b && CALL(GE, p[1], p[0]).b);
		cr_expect(CALL(LT, p[0], p[0]).b == false && CALL(LE, p[0], p[0]).b);
	}
}

Test(cel_value, numbers_are_ordered_across_kinds_as_the_conformance_suite_has_it)
{
	EXPECT_CALL("true", LT, Int(1), U(9223372036854775808u));
	EXPECT_CALL("false", LT, Int(INT64_MAX), D(9223372036854775808.0));
	EXPECT_CALL("true", LT, Int(INT64_MAX), D(9223372036854777857.0));
	EXPECT_CALL("false", LT, Int(INT64_MIN), D(-9223372036854775809.0));
	EXPECT_CALL("false", LT, U(1), Int(INT64_MIN));
	EXPECT_CALL("false", LT, U(UINT64_MAX), D(-1));
	EXPECT_CALL("true", LT, U(UINT64_MAX), D(18446744073709590000.0));
	EXPECT_CALL("false", LT, D(18446744073709553665.0), U(UINT64_MAX));
	EXPECT_CALL("false", GE, U(UINT64_MAX), D(18446744073709553665.0));
	EXPECT_CALL("true", GE, Int(INT64_MAX), D(9223372036854775808.0));
	EXPECT_CALL("true", LE, D(9223372036854775808.0), Int(INT64_MAX));
	EXPECT_CALL("true", LT, Int(-1), U(0));
	EXPECT_CALL("true", GT, D(0.5), Int(0));
	EXPECT_CALL("true", LT, D(-INFINITY), Int(INT64_MIN));
}

Test(cel_value, what_has_no_order_says_so)
{
	struct cel_value error;
	int order;

	EXPECT_ERROR(NO_OVERLOAD, LT, S("foo"), Int(1024));
	EXPECT_ERROR(NO_OVERLOAD, LT, LIST(Int(0)), LIST(Int(1)));
	EXPECT_ERROR(NO_OVERLOAD, GE, MAP1(Int(1), Int(1)), MAP1(Int(1), Int(1)));
	EXPECT_ERROR(NO_OVERLOAD, LT, cel_null(), cel_null());
	EXPECT_ERROR(NO_OVERLOAD, LT, cel_bps(1), Int(1));
	EXPECT_ERROR(NO_OVERLOAD, LT, cel_bool(false), Int(1));
	EXPECT_ERROR(NO_PATH, LT, money("1", "EUR"), money("1", "USD"));
	cr_expect(not(cel_compare(S("a"), Int(1), &order, &error)));
	cr_expect(eq(int, order, 0));
	EXPECT("error: no such overload", error);
	cr_expect(not(cel_compare(cel_absent(3), Int(1), &order, &error)));
	EXPECT("error: absent", error);
}

Test(cel_value, no_relation_holds_beside_nan)
{
	struct cel_value error, others[] = { D(NAN), D(1), Int(1), U(1) };
	int order;

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		EXPECT_CALL("false", LT, D(NAN), others[i]);
		EXPECT_CALL("false", LE, others[i], D(NAN));
		EXPECT_CALL("false", GT, D(NAN), others[i]);
		EXPECT_CALL("false", GE, others[i], D(NAN));
		cr_expect(cel_compare(D(NAN), others[i], &order, &error));
		cr_expect(eq(int, order, 2));
	}
}

Test(cel_value, a_list_is_indexed_by_any_whole_number)
{
	struct cel_value list = LIST(Int(7), Int(8), Int(9));

	EXPECT_CALL("7", INDEX, list, Int(0));
	EXPECT_CALL("9", INDEX, list, U(2));
	EXPECT_CALL("8", INDEX, list, D(1.0));
	EXPECT_ERROR(INDEX, INDEX, list, Int(3));
	EXPECT_ERROR(INDEX, INDEX, list, Int(-1));
	EXPECT_ERROR(INDEX, INDEX, list, U(UINT64_MAX));
	EXPECT_ERROR(INDEX, INDEX, list, D(-1));
	EXPECT_ERROR(INDEX, INDEX, list, D(1e300));
	EXPECT_ERROR(INDEX, INDEX, list, D(INFINITY));
	EXPECT_ERROR(ARGUMENT, INDEX, list, D(0.1));
	EXPECT_ERROR(ARGUMENT, INDEX, list, D(NAN));
	EXPECT_ERROR(ARGUMENT, INDEX, list, S(""));
	EXPECT_ERROR(NO_OVERLOAD, INDEX, S("abc"), Int(0));
}

Test(cel_value, a_map_finds_numbers_by_value)
{
	struct cel_value map = map_of(3, V(U(1), Int(2), S("a")), V(D(1.5), D(2.5), Int(3)));

	EXPECT_CALL("1.5", INDEX, map, Int(1));
	EXPECT_CALL("2.5", INDEX, map, U(2));
	EXPECT_CALL("2.5", INDEX, map, D(2.0));
	EXPECT_CALL("3", INDEX, map, S("a"));
	EXPECT_CALL("error: no such key", INDEX, map, D(2.1));
	EXPECT_ERROR(NO_KEY, INDEX, map, Int(-1));
	EXPECT_ERROR(NO_KEY, INDEX, map, B("a"));
	EXPECT_ERROR(NO_KEY, INDEX, map, cel_bool(true));
	EXPECT_ERROR(NO_KEY, INDEX, map, D(NAN));
	EXPECT_CALL("true", IN, D(2.0), map);
	EXPECT_CALL("false", IN, D(2.1), map);
	EXPECT_CALL("false", IN, cel_null(), map);
	EXPECT_ERROR(NO_OVERLOAD, IN, S("a"), S("abc"));
	EXPECT("3", cel_select(map, STR("a")));
	EXPECT("error: no such key", cel_select(map, STR("b")));
	EXPECT("error: no such overload", cel_select(Int(1), STR("b")));
	EXPECT("true", cel_has(map, STR("a")));
	EXPECT("false", cel_has(map, STR("b")));
	EXPECT("false", cel_has(Int(1), STR("a")));
	EXPECT("error: no such overload", cel_has(LIST(S("a")), STR("a")));
}

Test(cel_value, keys_beyond_the_precision_of_a_double_are_told_apart)
{
	struct cel_value map =
		map_of(2, V(Int(9007199254740993), U(UINT64_MAX)), V(Int(1), Int(2)));

	EXPECT_CALL("false", IN, D(9007199254740992.0), map);
	EXPECT_CALL("false", IN, D(18446744073709551616.0), map);
	EXPECT_CALL("true", IN, U(9007199254740993), map);
	EXPECT_CALL("false", IN, Int(-1), map);
}

Test(cel_value, in_a_list_looks_for_an_equal_element)
{
	EXPECT_CALL("true", IN, D(3), LIST(U(5), Int(3)));
	EXPECT_CALL("false", IN, Int(7), EMPTY_LIST);
	EXPECT_CALL("true", IN, S("alpha"), LIST(Int(1), S("alpha")));
	EXPECT_CALL("true", IN, LIST(Int(1)), LIST(LIST(U(1))));
	EXPECT_CALL("false", IN, cel_null(), LIST(Int(1)));
}

Test(cel_value, a_map_refuses_keys_that_are_none_and_keys_twice)
{
	EXPECT_ERROR(KEY_TYPE, SIZE, MAP1(D(1.0), Int(1)));
	EXPECT("error: unsupported key type", MAP1(cel_null(), Int(1)));
	EXPECT("error: unsupported key type", MAP1(LIST(Int(1)), Int(1)));
	EXPECT("error: repeated key", map_of(2, V(S("a"), S("a")), V(Int(1), Int(2))));
	EXPECT("error: repeated key", map_of(2, V(Int(0), U(0)), V(Int(1), Int(2))));
	EXPECT("{true: 1, 1: 2}", map_of(2, V(cel_bool(true), Int(1)), V(Int(1), Int(2))));
	EXPECT("error: v", map_of(2, V(Int(1), cel_error(CEL_R_RANGE, "k")),
				   V(cel_error(CEL_R_RANGE, "v"), Int(1))));
}

Test(cel_value, a_large_map_keeps_its_order_and_finds_everything)
{
	enum { N = 500 };
	struct cel_value keys[N], values[N], map;
	char text[N][16];

	for (int i = 0; i < N; i++) {
		snprintf(text[i], sizeof(text[i]), "k%d", i);
		keys[i] = i % 4 == 0   ? S(text[i])
			  : i % 4 == 1 ? Int(-i)
			  : i % 4 == 2 ? U(i)
				       : Int(i);
		values[i] = Int(i * 10);
	}
	map = map_of(N, keys, values);
	cr_assert(eq(int, map.kind, CEL_V_MAP));
	cr_expect(map.map->index != NULL);
	for (int i = 0; i < N; i++) {
		cr_expect(eq(i64, cel_index(map, keys[i]).i, i * 10));
		cr_expect(cel_equal(map.map->keys[i], keys[i]));
		if (i % 4 != 0)
			cr_expect(cel_in(D(i % 4 == 1 ? -i : i), map).b);
	}
	EXPECT("error: no such key", cel_index(map, S("k1")));
	EXPECT("error: no such key", cel_index(map, Int(1)));
	keys[N - 1] = U(2);
	EXPECT("error: repeated key", map_of(N, keys, values));
	keys[N - 1] = D(2);
	EXPECT("error: unsupported key type", map_of(N, keys, values));
}

Test(cel_value, a_map_copies_its_entries)
{
	struct cel_value key[] = { Int(1) }, value[] = { Int(2) };
	struct cel_value map = map_of(1, key, value);

	key[0] = Int(5);
	value[0] = Int(6);
	EXPECT("{1: 2}", map);
	EXPECT("{}", map_of(0, NULL, NULL));
}

Test(cel_value, size_counts_code_points_bytes_elements_and_entries)
{
	EXPECT_CALL("5", SIZE, S("\u03c0\u03ad\u03bd\u03c4\u03b5"));
	EXPECT_CALL("1", SIZE, S("\U0001f431"));
	EXPECT_CALL("0", SIZE, S(""));
	EXPECT_CALL("4", SIZE, B("\xf0\x9f\x90\xb1"));
	EXPECT_CALL("2", SIZE, LIST(Int(1), Int(2)));
	EXPECT_CALL("1", SIZE, MAP1(Int(1), Int(2)));
	EXPECT_ERROR(NO_OVERLOAD, SIZE, Int(1));
}

Test(cel_value, values_are_written_as_source_text)
{
	EXPECT("null", cel_null());
	EXPECT("\"a\\\"b\\\\\\n\\x01\u00e4\"", S("a\"b\\\n\x01\u00e4"));
	EXPECT("b\"a\\x00\\xff\"", cel_bytes((struct str){ "a\0\xff", 3 }));
	EXPECT("5u", U(5));
	EXPECT("5.0", D(5));
	EXPECT("1e+06", D(1e6));
	EXPECT("-0.0045", D(-4.5e-3));
	EXPECT("double(\"NaN\")", D(NAN));
	EXPECT("double(\"-Infinity\")", D(-INFINITY));
	EXPECT("[1, \"gold\", [true]]", LIST(Int(1), S("gold"), LIST(cel_bool(true))));
	EXPECT("eth(\"1.25\")", money("1.25", "ETH"));
	EXPECT("usdc(\"0\")", money("0", "USDC"));
	EXPECT("-500 bps", cel_bps(-500));
	EXPECT("timestamp(\"2009-02-13T23:31:30.5Z\")", T("2009-02-13T23:31:30.500Z"));
	EXPECT("duration(\"-1.5s\")", Dur("-1500ms"));
	EXPECT("google.protobuf.Timestamp", CALL(TYPE, T("2009-02-13T23:31:30Z")));
}

Test(cel_value, errors_have_names_for_metrics)
{
	cr_expect(eq(str, (char *)cel_error_name(CEL_R_OVERFLOW), "overflow"));
	cr_expect(eq(str, (char *)cel_error_name(CEL_R_ABSENT), "absent"));
	for (int e = CEL_R_NO_OVERLOAD; e <= CEL_R_NO_PATH; e++)
		cr_expect(cel_error_name((enum cel_error)e) != NULL, "%d", e);
	for (int k = CEL_V_ERROR; k <= CEL_V_TYPE; k++)
		cr_expect(cel_kind_name((enum cel_value_kind)k) != NULL, "%d", k);
}
