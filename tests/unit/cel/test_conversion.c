#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "lib_support.h"

TestSuite(cel_conversion, .init = lib_begin, .fini = lib_end);

Test(cel_conversion, to_int)
{
	EXPECT_CALL("42", INT, U(42));
	EXPECT_CALL("9223372036854775807", INT, U(INT64_MAX));
	EXPECT_CALL("error: range error", INT, U(UINT64_MAX));
	EXPECT_CALL("-123", INT, D(-123.456));
	EXPECT_CALL("1", INT, D(1.9));
	EXPECT_CALL("-7", INT, D(-7.9));
	EXPECT_CALL("36028797018963968", INT, D(36028797018963969.0));
	EXPECT_CALL("9223372036854774784", INT, D(9223372036854774784.0));
	EXPECT_ERROR(RANGE, INT, D(9223372036854775807.0));
	EXPECT_ERROR(RANGE, INT, D(-9223372036854775808.0));
	EXPECT_ERROR(RANGE, INT, D(1e99));
	EXPECT_ERROR(RANGE, INT, D(NAN));
	EXPECT_ERROR(RANGE, INT, D(-INFINITY));
	EXPECT_CALL("987", INT, S("987"));
	EXPECT_CALL("-9223372036854775808", INT, S("-9223372036854775808"));
	EXPECT_CALL("7", INT, S("+007"));
	EXPECT_ERROR(RANGE, INT, S("9223372036854775808"));
	EXPECT_ERROR(RANGE, INT, S("-9223372036854775809"));
	EXPECT_ERROR(RANGE, INT, S("99999999999999999999999"));
	EXPECT_CALL("1095379199", INT, T("2004-09-16T23:59:59Z"));
	EXPECT_CALL("-1", INT, T("1969-12-31T23:59:59.9Z"));
	EXPECT_CALL("1500000000", INT, Dur("1.5s"));
	EXPECT_ERROR(NO_OVERLOAD, INT, cel_bool(true));
	EXPECT_ERROR(NO_OVERLOAD, INT, cel_bps(1));
}

Test(cel_conversion, texts_that_are_no_integer)
{
	const char *texts[] = { "", "-", "+", " 1", "1 ", "0x10", "1.0", "1e3", "1_000", "--1",
		"\u0661", "1u", "abc" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		EXPECT_ERROR(ARGUMENT, INT, S(texts[i]));
		EXPECT_ERROR(ARGUMENT, UINT, S(texts[i]));
	}
	EXPECT_ERROR(ARGUMENT, UINT, S("+1"));
	EXPECT_ERROR(ARGUMENT, UINT, S("-1"));
	EXPECT_ERROR(ARGUMENT, INT, S("99999999999999999999999x"));
}

Test(cel_conversion, to_uint)
{
	EXPECT_CALL("1729u", UINT, Int(1729));
	EXPECT_CALL("error: range error", UINT, Int(-1));
	EXPECT_CALL("3u", UINT, D(3.14159265));
	EXPECT_CALL("0u", UINT, D(-0.0));
	EXPECT_CALL("18446744073709549568u", UINT, D(18446744073709549568.0));
	EXPECT_ERROR(RANGE, UINT, D(-0.5));
	EXPECT_ERROR(RANGE, UINT, D(18446744073709551615.0));
	EXPECT_ERROR(RANGE, UINT, D(6.022e23));
	EXPECT_ERROR(RANGE, UINT, D(NAN));
	EXPECT_CALL("300u", UINT, S("300"));
	EXPECT_CALL("18446744073709551615u", UINT, S("18446744073709551615"));
	EXPECT_ERROR(RANGE, UINT, S("18446744073709551616"));
}

Test(cel_conversion, to_double)
{
	EXPECT_CALL("9.223372036854776e+18", DOUBLE, Int(INT64_MAX));
	EXPECT_CALL("1.8446744073709552e+19", DOUBLE, U(UINT64_MAX));
	EXPECT_CALL("123.456", DOUBLE, S("123.456"));
	EXPECT_CALL("6.02214e+23", DOUBLE, S("6.02214e23"));
	EXPECT_CALL("-5.43e-21", DOUBLE, S("-5.43E-21"));
	EXPECT_CALL("-0.0", DOUBLE, S("-0.0"));
	EXPECT_CALL("0.5", DOUBLE, S(".5"));
	EXPECT_CALL("5.0", DOUBLE, S("+5."));
	EXPECT_CALL("0.0", DOUBLE, S("1e-400"));
	EXPECT_ERROR(RANGE, DOUBLE, S("1e400"));
	EXPECT_ERROR(RANGE, DOUBLE, S("-1e400"));
	EXPECT_CALL("double(\"NaN\")", DOUBLE, S("NaN"));
	EXPECT_CALL("double(\"NaN\")", DOUBLE, S("nan"));
	EXPECT_CALL("double(\"Infinity\")", DOUBLE, S("Inf"));
	EXPECT_CALL("double(\"Infinity\")", DOUBLE, S("+infinity"));
	EXPECT_CALL("double(\"-Infinity\")", DOUBLE, S("-INF"));
}

Test(cel_conversion, texts_that_are_no_double)
{
	const char *texts[] = { "", ".", "-", "e5", "1e", "1e+", "1.2.3", " 1", "1 ", "0x1p3",
		"1_0.0", "+nan", "-nan", "infin", "1d", "nan(1)", "1,5" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		EXPECT_ERROR(ARGUMENT, DOUBLE, S(texts[i]));
	cr_expect(eq(sz, arena_used(lib_context.arena), 0));
}

Test(cel_conversion, to_string)
{
	EXPECT_CALL("\"123\"", STRING, Int(123));
	EXPECT_CALL("\"-9223372036854775808\"", STRING, Int(INT64_MIN));
	EXPECT_CALL("\"18446744073709551615\"", STRING, U(UINT64_MAX));
	EXPECT_CALL("\"true\"", STRING, cel_bool(true));
	EXPECT_CALL("\"abc\"", STRING, B("abc"));
	EXPECT_CALL("\"\u00ff\"", STRING, B("\303\277"));
	EXPECT_ERROR(ARGUMENT, STRING, cel_bytes((struct str){ "\0\xff", 2 }));
	EXPECT_ERROR(ARGUMENT, STRING, B("\xed\xa0\x80"));
	EXPECT_CALL("\"1000000s\"", STRING, Dur("1000000s"));
	EXPECT_CALL("\"2009-02-13T23:31:30Z\"", STRING, T("2009-02-13T23:31:30Z"));
	EXPECT_ERROR(NO_OVERLOAD, STRING, cel_null());
	EXPECT_ERROR(NO_OVERLOAD, STRING, LIST(Int(1)));
	EXPECT_CALL("b\"\\xc3\\xbf\"", BYTES, S("\u00ff"));
	EXPECT_CALL("b\"a\"", BYTES, B("a"));
	EXPECT_ERROR(NO_OVERLOAD, BYTES, Int(1));
}

/* From Go's fmt.Sprintf("%g"). */
Test(cel_conversion, doubles_are_written_as_go_writes_them)
{
	static const struct {
		double d;
		const char *text;
	} rows[] = { { 0, "0" }, { -0.0, "-0" }, { 1, "1" }, { 123.456, "123.456" },
		{ -4.5e-3, "-0.0045" }, { 100000, "100000" }, { 999999, "999999" },
		{ 1e6, "1e+06" }, { 1234567, "1.234567e+06" }, { 123456789, "1.23456789e+08" },
		{ 1e20, "1e+20" }, { 1e21, "1e+21" }, { 0.0001, "0.0001" }, { 0.00001, "1e-05" },
		{ 5e-324, "5e-324" }, { DBL_MAX, "1.7976931348623157e+308" },
		{ DBL_MIN, "2.2250738585072014e-308" }, { 0.1 + 0.2, "0.30000000000000004" },
		{ 1e100, "1e+100" }, { 2.5, "2.5" }, { 4.9406564584124654e-323, "5e-323" },
		{ NAN, "NaN" }, { INFINITY, "+Inf" }, { -INFINITY, "-Inf" }, { 100, "100" },
		{ 12345.678, "12345.678" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cel_value v = CALL(STRING, D(rows[i].d));

		cr_assert(eq(int, v.kind, CEL_V_STRING));
		cr_expect(eq(str, (char *)v.s, (char *)rows[i].text));
	}
}

Test(cel_conversion, every_double_reads_back_from_its_text)
{
	uint64_t bits = 88172645463325252u;

	for (int i = 0; i < 20000; i++) {
		struct cel_value text;
		double d;

		bits ^= bits << 13;
		bits ^= bits >> 7;
		bits ^= bits << 17;
		memcpy(&d, &bits, sizeof(d));
		if (!isfinite(d))
			continue;
		arena_reset(lib_context.arena);
		text = CALL(STRING, D(d));
		cr_assert(cel_equal(CALL(DOUBLE, text), D(d)), "%a", d);
	}
}

Test(cel_conversion, to_bool)
{
	const char *yes[] = { "1", "t", "T", "true", "TRUE", "True" };
	const char *no[] = { "0", "f", "F", "false", "FALSE", "False" };
	const char *none[] = { "", "TrUe", "FaLsE", "yes", "2", " true" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		EXPECT_CALL("true", BOOL, S(yes[i]));
		EXPECT_CALL("false", BOOL, S(no[i]));
		EXPECT_ERROR(ARGUMENT, BOOL, S(none[i]));
	}
	EXPECT_CALL("true", BOOL, cel_bool(true));
	EXPECT_ERROR(NO_OVERLOAD, BOOL, Int(1));
}

Test(cel_conversion, types_have_the_names_of_the_specification)
{
	EXPECT_CALL("bool", TYPE, cel_bool(true));
	EXPECT_CALL("int", TYPE, Int(1));
	EXPECT_CALL("uint", TYPE, U(1));
	EXPECT_CALL("double", TYPE, D(1));
	EXPECT_CALL("string", TYPE, S(""));
	EXPECT_CALL("bytes", TYPE, B(""));
	EXPECT_CALL("null_type", TYPE, cel_null());
	EXPECT_CALL("list", TYPE, LIST(Int(1)));
	EXPECT_CALL("map", TYPE, cel_map_make(&lib_context, NULL, NULL, 0));
	EXPECT_CALL("google.protobuf.Duration", TYPE, Dur("1s"));
	EXPECT_CALL("type", TYPE, CALL(TYPE, Int(1)));
	EXPECT_CALL("bps", TYPE, cel_bps(1));
	EXPECT_CALL("true", EQ, CALL(TYPE, Int(1)), CALL(TYPE, Int(2)));
	EXPECT_CALL("false", EQ, CALL(TYPE, Int(1)), CALL(TYPE, U(1)));
	EXPECT_CALL("true", EQ, CALL(TYPE, Int(1)), cel_type_value("int"));
	EXPECT_CALL("5", DYN, Int(5));
}

Test(cel_conversion, least_and_greatest_compare_across_kinds_and_keep_the_kind)
{
	EXPECT_CALL("1", MATH_LEAST, Int(1), D(2.5), U(3));
	EXPECT_CALL("3u", MATH_GREATEST, Int(1), D(2.5), U(3));
	EXPECT_CALL("-1", MATH_LEAST, LIST(Int(5), Int(-1), Int(3)));
	EXPECT_CALL("7", MATH_GREATEST, Int(7));
	EXPECT_CALL("1", MATH_LEAST, Int(1), D(1.0));
	EXPECT_ERROR(ARGUMENT, MATH_LEAST, EMPTY_LIST);
	EXPECT_ERROR(ARGUMENT, MATH_LEAST, D(NAN), Int(1));
	EXPECT_ERROR(NO_OVERLOAD, MATH_LEAST, S("a"), Int(1));
	EXPECT_ERROR(NO_OVERLOAD, MATH_LEAST, Int(1), cel_bps(1));
	EXPECT_ERROR(NO_OVERLOAD, MATH_LEAST, LIST(Int(1)), Int(1));
}
