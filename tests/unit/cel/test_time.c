#include "lib_support.h"

TestSuite(cel_time, .init = lib_begin, .fini = lib_end);

Test(cel_time, civil_and_seconds_are_inverse_over_the_whole_range)
{
	for (int64_t s = -62135596800 - 86400 * 800LL; s < 253402300800 + 86400 * 800LL;
		s += 86400 * 13 + 4567) {
		struct cel_civil c = cel_civil_of(s);

		cr_assert(eq(i64,
			cel_civil_seconds(c.year, c.month, c.day, c.hour, c.minute, c.second), s));
		cr_assert(eq(i64, cel_civil_seconds(c.year, 1, 1, 0, 0, 0) + c.yearday * 86400LL,
			s - (c.hour * 60 + c.minute) * 60 - c.second));
		cr_assert(c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= 31);
	}
}

Test(cel_time, days_that_are_known)
{
	struct cel_civil c = cel_civil_of(1234567890);

	cr_expect(eq(i64, c.year, 2009));
	cr_expect(c.month == 2 && c.day == 13 && c.hour == 23 && c.minute == 31 && c.second == 30);
	cr_expect(eq(int, c.weekday, 5));
	cr_expect(eq(int, c.yearday, 43));
	cr_expect(eq(i64, cel_civil_seconds(1970, 1, 1, 0, 0, 0), 0));
	cr_expect(eq(i64, cel_civil_seconds(1, 1, 1, 0, 0, 0), -62135596800));
	cr_expect(eq(int, cel_civil_of(-1).weekday, 3));          /* Wednesday */
	cr_expect(eq(int, cel_civil_of(951782400).day, 29));      /* 2000-02-29 */
	cr_expect(eq(int, cel_civil_of(978220800).yearday, 365)); /* 2000-12-31 */
	cr_expect(eq(int, cel_civil_of(4107542400).month, 3));    /* 2100: no leap */
	cr_expect(eq(i64, cel_civil_of(-62167219200).year, 0));
}

Test(cel_time, timestamps_are_read_from_rfc_3339)
{
	EXPECT("timestamp(\"2009-02-13T23:31:30Z\")", T("2009-02-13T23:31:30Z"));
	EXPECT("timestamp(\"2009-02-13T21:31:30Z\")", T("2009-02-13T23:31:30+02:00"));
	EXPECT("timestamp(\"2009-02-14T01:01:30Z\")", T("2009-02-13T23:31:30-01:30"));
	EXPECT("timestamp(\"2009-02-13T23:31:30.000000001Z\")",
		T("2009-02-13T23:31:30.000000001Z"));
	EXPECT("timestamp(\"2009-02-13T23:31:30.12Z\")", T("2009-02-13T23:31:30.120-00:00"));
	EXPECT("timestamp(\"2009-02-13T23:31:30.123456789Z\")",
		T("2009-02-13T23:31:30.1234567899999Z"));
	EXPECT("timestamp(\"0001-01-01T00:00:00Z\")", T("0001-01-01T00:00:00Z"));
	EXPECT("timestamp(\"9999-12-31T23:59:59.999999999Z\")",
		T("9999-12-31T23:59:59.999999999Z"));
	EXPECT("timestamp(\"0001-01-01T01:00:00Z\")", T("0000-12-31T23:00:00-02:00"));
	EXPECT("timestamp(\"2000-02-29T00:00:00Z\")", T("2000-02-29T00:00:00Z"));
	EXPECT("timestamp(\"1969-12-31T23:59:59.5Z\")", T("1969-12-31T23:59:59.5Z"));
}

Test(cel_time, timestamps_out_of_range_are_a_range_error)
{
	lib_expect_error(__LINE__, T("0000-01-01T00:00:00Z"), CEL_R_RANGE);
	lib_expect_error(__LINE__, T("0001-01-01T00:59:59+01:00"), CEL_R_RANGE);
	lib_expect_error(__LINE__, T("9999-12-31T23:59:59-00:01"), CEL_R_RANGE);
	EXPECT_ERROR(RANGE, TIMESTAMP, Int(-62135596801));
	EXPECT_ERROR(RANGE, TIMESTAMP, Int(253402300800));
	EXPECT_ERROR(RANGE, TIMESTAMP, Int(INT64_MAX));
	EXPECT_CALL("timestamp(\"9999-12-31T23:59:59Z\")", TIMESTAMP, Int(253402300799));
}

Test(cel_time, texts_that_are_no_timestamp)
{
	const char *texts[] = { "", "2009-02-13", "10000-01-01T00:00:00Z", "2009-02-13T23:31:30",
		"2009-02-13 23:31:30Z", "2009-02-13t23:31:30z", "2009-02-30T00:00:00Z",
		"2009-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2009-00-10T00:00:00Z",
		"2009-13-10T00:00:00Z", "2009-01-00T00:00:00Z", "2009-01-32T00:00:00Z",
		"2009-02-13T24:00:00Z", "2009-02-13T23:60:30Z", "2009-02-13T23:31:60Z",
		"2009-02-13T23:31:30.Z", "2009-02-13T23:31:30,5Z", "2009-02-13T23:31:30+2:00",
		"2009-02-13T23:31:30+0200", "2009-02-13T23:31:30+24:00",
		"2009-02-13T23:31:30+02:60", "2009-02-13T23:31:30Zx", "2009-02-13T23:31:30.5",
		" 2009-02-13T23:31:30Z", "2009-2-13T23:31:30Z00", "+009-02-13T23:31:30Z",
		"1234567890" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		EXPECT_ERROR(ARGUMENT, TIMESTAMP, S(texts[i]));
	EXPECT_ERROR(NO_OVERLOAD, TIMESTAMP, D(1.0));
}

Test(cel_time, durations_are_read_as_go_reads_them)
{
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = { { "1h30m", 5400000000000 }, { "1.5s", 1500000000 }, { "-2ms", -2000000 },
		{ "0", 0 }, { "-0", 0 }, { "+5s", 5000000000 }, { "1us", 1000 },
		{ "1\u00b5s", 1000 }, { "1\u03bcs", 1000 }, { ".5s", 500000000 },
		{ "1.s", 1000000000 }, { "100ns", 100 }, { "1m1m", 120000000000 },
		{ "0.000000001s", 1 }, { "0.0000000019s", 1 }, { "0.1h", 360000000000 },
		{ "1.000000001h", 3600000003600 }, { "9223372036854775807ns", INT64_MAX },
		{ "-9223372036854775808ns", INT64_MIN }, { "9223372036.854775807s", INT64_MAX },
		{ "-9223372036.854775808s", INT64_MIN }, { "2562047h47m16.854775807s", INT64_MAX },
		{ "0.33333333333333333333333333333333333333h", 1200000000000 - 1 },
		{ "0000000000000000000000000000000000000001s", 1000000000 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cel_value v = Dur(rows[i].text);

		cr_expect(eq(int, v.kind, CEL_V_DURATION), "%s", rows[i].text);
		cr_expect(eq(i64, v.i, rows[i].ns), "%s", rows[i].text);
	}
}

Test(cel_time, texts_that_are_no_duration)
{
	const char *texts[] = { "", "-", "+", "1", "s", ".s", "-.s", "1x", "1 s", " 1s", "1s ",
		"--1s", "1e3s", "1d", "1S", "0x1s", "1.2.3s", "1h-1m", "1s1" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		EXPECT_ERROR(ARGUMENT, DURATION, S(texts[i]));
	EXPECT_ERROR(NO_OVERLOAD, DURATION, Int(1));
}

Test(cel_time, durations_over_292_years_are_a_range_error)
{
	const char *texts[] = { "320000000000s", "-320000000000s", "9223372036854775808ns",
		"-92233720368547758080ns", "-9223372036854775809ns", "2562047h47m16.854775808s",
		"9223372036854775807h", "99999999999999999999999999999999999999999999999999h",
		"2562047h2562047h", "18446744073709551616ns",
		"340282366920938463463374607431768211456s" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		EXPECT_ERROR(RANGE, DURATION, S(texts[i]));
}

Test(cel_time, times_and_durations_are_written_without_zeros_at_the_end)
{
	EXPECT_CALL("\"2009-02-13T23:31:30.1Z\"", STRING, T("2009-02-13T23:31:30.100Z"));
	EXPECT_CALL("\"0099-02-13T23:31:30Z\"", STRING, T("0099-02-13T23:31:30Z"));
	EXPECT_CALL(
		"\"9999-12-31T23:59:59.999999999Z\"", STRING, T("9999-12-31T23:59:59.999999999Z"));
	EXPECT_CALL("\"1.5s\"", STRING, Dur("1500ms"));
	EXPECT_CALL("\"-0.000000001s\"", STRING, Dur("-1ns"));
	EXPECT_CALL("\"0s\"", STRING, Dur("0"));
	EXPECT_CALL("\"-9223372036.854775808s\"", STRING, cel_duration(INT64_MIN));
}

Test(cel_time, sums_and_differences)
{
	EXPECT_CALL(
		"timestamp(\"2009-02-13T23:04:00Z\")", ADD, T("2009-02-13T23:00:00Z"), Dur("240s"));
	EXPECT_CALL(
		"timestamp(\"2009-02-13T23:03:00Z\")", ADD, Dur("120s"), T("2009-02-13T23:01:00Z"));
	EXPECT_CALL("timestamp(\"0001-01-01T00:00:00.000000002Z\")", ADD,
		T("0001-01-01T00:00:01.000000001Z"), Dur("-999999999ns"));
	EXPECT_CALL("timestamp(\"0001-01-01T00:00:02.999999998Z\")", ADD,
		T("0001-01-01T00:00:01.999999999Z"), Dur("999999999ns"));
	EXPECT_CALL(
		"timestamp(\"2009-02-13T23:00:00Z\")", SUB, T("2009-02-13T23:10:00Z"), Dur("600s"));
	EXPECT_CALL(
		"duration(\"120s\")", SUB, T("2009-02-13T23:31:00Z"), T("2009-02-13T23:29:00Z"));
	EXPECT_CALL(
		"duration(\"-0.5s\")", SUB, T("2009-02-13T23:31:00Z"), T("2009-02-13T23:31:00.5Z"));
	EXPECT_CALL("duration(\"858s\")", SUB, Dur("900s"), Dur("42s"));
	EXPECT_CALL("duration(\"650s\")", ADD, Dur("600s"), Dur("50s"));
	EXPECT_CALL("duration(\"-650s\")", NEGATE, Dur("650s"));
	EXPECT_ERROR(NO_OVERLOAD, ADD, T("2009-02-13T23:31:00Z"), T("2009-02-13T23:31:00Z"));
	EXPECT_ERROR(NO_OVERLOAD, SUB, Dur("1s"), T("2009-02-13T23:31:00Z"));
	EXPECT_ERROR(NO_OVERLOAD, MUL, Dur("1s"), Int(2));
	EXPECT_ERROR(NO_OVERLOAD, NEGATE, T("2009-02-13T23:31:00Z"));
}

Test(cel_time, sums_and_differences_out_of_range)
{
	struct cel_value first = T("0001-01-01T00:00:00Z");
	struct cel_value last = T("9999-12-31T23:59:59.999999999Z");

	EXPECT_ERROR(RANGE, ADD, first, Dur("-1s"));
	EXPECT_ERROR(RANGE, ADD, first, Dur("-1ns"));
	EXPECT_ERROR(RANGE, SUB, first, Dur("1ns"));
	EXPECT_ERROR(RANGE, ADD, last, Dur("1ns"));
	EXPECT_ERROR(RANGE, ADD, Dur("1s"), last);
	EXPECT_ERROR(RANGE, SUB, last, cel_duration(INT64_MIN));
	EXPECT_ERROR(RANGE, SUB, last, first);
	EXPECT_ERROR(RANGE, SUB, first, last);
	EXPECT_ERROR(RANGE, ADD, cel_duration(INT64_MAX), cel_duration(1));
	EXPECT_ERROR(RANGE, SUB, cel_duration(INT64_MIN), cel_duration(1));
	EXPECT_ERROR(RANGE, NEGATE, cel_duration(INT64_MIN));
	EXPECT_CALL("duration(\"-9223372036.854775808s\")", SUB,
		T("1677-09-21T00:12:43.145224192Z"), T("1970-01-01T00:00:00Z"));
	EXPECT_ERROR(RANGE, SUB, T("1677-09-21T00:12:43.145224191Z"), T("1970-01-01T00:00:00Z"));
	EXPECT_CALL("duration(\"9223372036.854775807s\")", SUB, T("2262-04-11T23:47:16.854775807Z"),
		T("1970-01-01T00:00:00Z"));
}

Test(cel_time, parts_of_a_moment)
{
	struct cel_value t = T("2009-02-13T23:31:20.123456789Z");

	EXPECT_CALL("2009", GET_FULL_YEAR, t);
	EXPECT_CALL("1", GET_MONTH, t);
	EXPECT_CALL("13", GET_DATE, t);
	EXPECT_CALL("12", GET_DAY_OF_MONTH, t);
	EXPECT_CALL("5", GET_DAY_OF_WEEK, t);
	EXPECT_CALL("43", GET_DAY_OF_YEAR, t);
	EXPECT_CALL("23", GET_HOURS, t);
	EXPECT_CALL("31", GET_MINUTES, t);
	EXPECT_CALL("20", GET_SECONDS, t);
	EXPECT_CALL("123", GET_MILLISECONDS, t);
	EXPECT_CALL("999", GET_MILLISECONDS, T("1969-12-31T23:59:59.999Z"));
	EXPECT_CALL("0", GET_DAY_OF_WEEK, T("2026-08-02T00:00:00Z"));
}

Test(cel_time, parts_of_a_moment_in_a_zone)
{
	struct cel_value t = T("2009-02-13T23:31:30Z");

	EXPECT_CALL("14", GET_DATE, t, S("Australia/Sydney"));
	EXPECT_CALL("12", GET_DAY_OF_MONTH, t, S("US/Central"));
	EXPECT_CALL("13", GET_DAY_OF_MONTH, t, S("+11:00"));
	EXPECT_CALL("11", GET_DAY_OF_MONTH, T("2009-02-13T02:00:00Z"), S("-02:30"));
	EXPECT_CALL("11", GET_DAY_OF_MONTH, T("2009-02-13T02:00:00Z"), S("America/St_Johns"));
	EXPECT_CALL("5", GET_DAY_OF_WEEK, t, S("UTC"));
	EXPECT_CALL("43", GET_DAY_OF_YEAR, t, S("US/Central"));
	EXPECT_CALL("2009", GET_FULL_YEAR, t, S("-09:30"));
	EXPECT_CALL("1", GET_HOURS, t, S("02:00"));
	EXPECT_CALL("16", GET_MINUTES, t, S("Asia/Kathmandu"));
	EXPECT_CALL("30", GET_SECONDS, t, S("-00:00"));
	EXPECT_CALL("0", GET_FULL_YEAR, T("0001-01-01T00:00:00Z"), S("-00:01"));
	EXPECT_CALL("10000", GET_FULL_YEAR, T("9999-12-31T23:59:59Z"), S("+00:01"));
	EXPECT_CALL("error: unknown time zone", GET_HOURS, t, S("Nowhere/Land"));
	EXPECT_ERROR(NO_OVERLOAD, GET_HOURS, t, Int(2));
	EXPECT_ERROR(NO_OVERLOAD, GET_HOURS, Int(2));
}

Test(cel_time, parts_of_a_duration)
{
	EXPECT_CALL("2", GET_HOURS, Dur("10000s"));
	EXPECT_CALL("62", GET_MINUTES, Dur("3730s"));
	EXPECT_CALL("3730", GET_SECONDS, Dur("3730.9s"));
	EXPECT_CALL("321", GET_MILLISECONDS, Dur("123.321456789s"));
	EXPECT_CALL("-500", GET_MILLISECONDS, Dur("-1.5s"));
	EXPECT_CALL("-1", GET_HOURS, Dur("-7199s"));
	EXPECT_ERROR(NO_OVERLOAD, GET_FULL_YEAR, Dur("1s"));
	EXPECT_ERROR(NO_OVERLOAD, GET_HOURS, Dur("1s"), S("UTC"));
}
