#include "lib_support.h"

#include "pricing/cel/lib_impl.h"

/* Hours and minutes as hhmm, at a moment in UTC. */
static int offset_at(const char *zone, const char *moment)
{
	const struct cel_zone *z = cel_zone_find(str_of(zone));
	int32_t offset;

	cr_assert(z != NULL, "%s", zone);
	offset = cel_zone_offset(z, T(moment).i);
	cr_assert(zero(int, offset % 60), "%s", zone);
	return offset / 3600 * 100 + offset / 60 % 60;
}
#define EXPECT_OFFSET(hhmm, zone, moment) \
	cr_expect(eq(int, offset_at(zone, moment), hhmm), "%s %s", zone, moment)

Test(cel_zone, fixed_offsets_in_hours_and_minutes)
{
	EXPECT_OFFSET(0, "UTC", "2026-01-01T00:00:00Z");
	EXPECT_OFFSET(200, "+02:00", "2026-01-01T00:00:00Z");
	EXPECT_OFFSET(200, "02:00", "2026-01-01T00:00:00Z");
	EXPECT_OFFSET(-800, "-08:00", "2026-01-01T00:00:00Z");
	EXPECT_OFFSET(-30, "-00:30", "2026-01-01T00:00:00Z");
	EXPECT_OFFSET(0, "-00:00", "2026-01-01T00:00:00Z");
	EXPECT_OFFSET(2359, "+23:59", "2026-01-01T00:00:00Z");
	EXPECT_OFFSET(-2359, "-23:59", "2026-01-01T00:00:00Z");
	cr_expect(cel_zone_find(STR("+02:00")) == cel_zone_find(STR("02:00")));
	cr_expect(cel_zone_find(STR("+02:00")) == cel_zone_find(STR("2:0")));
	cr_expect(cel_zone_find(STR("UTC")) == cel_zone_find(STR("-00:00")));
	cr_expect(cel_zone_find(STR("UTC")) == cel_zone_find(STR("")), "as Go has it");
}

Test(cel_zone, names_that_are_none)
{
	const char *names[] = { "utc ", "+24:00", "+02:60", "+02:", ":00", "+02:000", "+0200",
		"++2:00", "+002:00", "Europe/Atlantis", "../etc/passwd", "Europe/../UTC", "/UTC",
		"Europe//Berlin", "Europe/", "Europe", "./UTC", "zone.tab", "tzdata.zi",
		"localtime", "posixrules", "right/Europe/Berlin", "Europe/Berlin ",
		"Europe/Ber\nlin",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		cr_expect(cel_zone_find(str_of(names[i])) == NULL, "%s", names[i]);
	cr_expect(cel_zone_find((struct str){ "UTC\0", 4 }) == NULL);
	cr_expect(cel_zone_find((struct str){ "Europe/Berlin\0x", 15 }) == NULL);
}

Test(cel_zone, a_zone_is_read_once_and_stays)
{
	const struct cel_zone *z = cel_zone_find(STR("Europe/Berlin"));

	cr_assert(z != NULL);
	cr_expect(cel_zone_find(STR("Europe/Berlin")) == z);
	cr_expect(cel_zone_find(STR("Europe/Paris")) != z);
}

Test(cel_zone, berlin_changes_at_one_in_utc)
{
	EXPECT_OFFSET(100, "Europe/Berlin", "2026-03-29T00:59:59Z");
	EXPECT_OFFSET(200, "Europe/Berlin", "2026-03-29T01:00:00Z");
	EXPECT_OFFSET(200, "Europe/Berlin", "2026-10-25T00:59:59Z");
	EXPECT_OFFSET(100, "Europe/Berlin", "2026-10-25T01:00:00Z");
	EXPECT_OFFSET(100, "Europe/Berlin", "1975-07-01T00:00:00Z");
	EXPECT_OFFSET(300, "Europe/Berlin", "1945-06-01T00:00:00Z");
	EXPECT_OFFSET(100, "Europe/Berlin", "1900-07-01T00:00:00Z");
}

Test(cel_zone, new_york_changes_at_two_local_time)
{
	EXPECT_OFFSET(-500, "America/New_York", "2026-03-08T06:59:59Z");
	EXPECT_OFFSET(-400, "America/New_York", "2026-03-08T07:00:00Z");
	EXPECT_OFFSET(-400, "America/New_York", "2026-11-01T05:59:59Z");
	EXPECT_OFFSET(-500, "America/New_York", "2026-11-01T06:00:00Z");
	EXPECT_OFFSET(-400, "America/New_York", "2006-04-02T07:00:00Z"); /* the rule before 2007 */
	EXPECT_OFFSET(-500, "America/New_York", "2006-03-12T07:00:00Z");
}

Test(cel_zone, sydney_has_summer_over_the_new_year)
{
	EXPECT_OFFSET(1100, "Australia/Sydney", "2026-01-01T00:00:00Z");
	EXPECT_OFFSET(1100, "Australia/Sydney", "2026-04-04T15:59:59Z");
	EXPECT_OFFSET(1000, "Australia/Sydney", "2026-04-04T16:00:00Z");
	EXPECT_OFFSET(1000, "Australia/Sydney", "2026-10-03T15:59:59Z");
	EXPECT_OFFSET(1100, "Australia/Sydney", "2026-10-03T16:00:00Z");
	EXPECT_OFFSET(1100, "Australia/Sydney", "2026-12-31T23:59:59Z");
}

Test(cel_zone, beyond_the_table_the_rule_of_the_file_holds)
{
	EXPECT_OFFSET(100, "Europe/Berlin", "2050-03-27T00:59:59Z");
	EXPECT_OFFSET(200, "Europe/Berlin", "2050-03-27T01:00:00Z");
	EXPECT_OFFSET(200, "Europe/Berlin", "2050-10-30T00:59:59Z");
	EXPECT_OFFSET(100, "Europe/Berlin", "2050-10-30T01:00:00Z");
	EXPECT_OFFSET(-400, "America/New_York", "2099-07-04T00:00:00Z");
	EXPECT_OFFSET(-500, "America/New_York", "2099-12-25T00:00:00Z");
	EXPECT_OFFSET(1100, "Australia/Sydney", "2099-12-31T13:30:00Z");
	EXPECT_OFFSET(1100, "Australia/Sydney", "2099-12-31T12:30:00Z");
	EXPECT_OFFSET(1000, "Australia/Sydney", "2099-07-01T00:00:00Z");
	EXPECT_OFFSET(0, "Europe/Dublin", "2050-01-01T00:00:00Z"); /* winter is its exception */
	EXPECT_OFFSET(100, "Europe/Dublin", "2050-07-01T00:00:00Z");
	EXPECT_OFFSET(1030, "Australia/Lord_Howe", "2050-07-01T00:00:00Z");
	EXPECT_OFFSET(1100, "Australia/Lord_Howe", "2050-01-01T00:00:00Z"); /* half an hour */
	EXPECT_OFFSET(545, "Asia/Kathmandu", "9999-12-31T23:59:59Z");
	EXPECT_OFFSET(900, "Asia/Tokyo", "2050-07-01T00:00:00Z");
}

Test(cel_zone, before_the_table_local_mean_time_holds)
{
	const struct cel_zone *z = cel_zone_find(STR("Europe/Berlin"));

	cr_assert(z != NULL);
	cr_expect(eq(i32, cel_zone_offset(z, T("1800-01-01T00:00:00Z").i), 53 * 60 + 28));
	cr_expect(eq(i32, cel_zone_offset(z, T("0001-01-01T00:00:00Z").i), 53 * 60 + 28));
}

static int32_t rule_at(const char *text, const char *moment)
{
	struct zone_rule r;

	cr_assert(zone_rule_parse(&r, str_of(text)), "%s", text);
	return zone_rule_offset(&r, T(moment).i);
}

Test(cel_zone, rules_in_all_three_forms)
{
	/* Julian days never count February 29, plain days do. */
	cr_expect(eq(i32, rule_at("AAA0BBB,J60/0,J300", "2024-02-29T23:59:59Z"), 0));
	cr_expect(eq(i32, rule_at("AAA0BBB,J60/0,J300", "2024-03-01T00:00:00Z"), 3600));
	cr_expect(eq(i32, rule_at("AAA0BBB,59/0,300", "2024-02-28T23:59:59Z"), 0));
	cr_expect(eq(i32, rule_at("AAA0BBB,59/0,300", "2024-02-29T00:00:00Z"), 3600));
	cr_expect(eq(i32, rule_at("AAA0BBB,59/0,300", "2023-03-01T00:00:00Z"), 3600));
	/* The fifth week is the last that there is. */
	cr_expect(eq(i32, rule_at("AAA0BBB,M2.5.0/0,M12.5.6", "2026-02-21T23:59:59Z"), 0));
	cr_expect(eq(i32, rule_at("AAA0BBB,M2.5.0/0,M12.5.6", "2026-02-22T00:00:00Z"), 3600));
	cr_expect(eq(i32, rule_at("<+0330>-3:30", "2026-02-22T00:00:00Z"), 3 * 3600 + 1800));
	cr_expect(
		eq(i32, rule_at("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z"), -7200));
	cr_expect(
		eq(i32, rule_at("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z"), -3600));
}

Test(cel_zone, a_rule_may_have_summer_all_year)
{
	const char *rule = "XXX3EDT4,0/0,J365/23";

	cr_expect(eq(i32, rule_at(rule, "2026-01-01T02:59:59Z"), -4 * 3600));
	cr_expect(eq(i32, rule_at(rule, "2026-01-01T03:00:00Z"), -4 * 3600));
	cr_expect(eq(i32, rule_at(rule, "2026-07-01T00:00:00Z"), -4 * 3600));
	cr_expect(eq(i32, rule_at(rule, "2024-12-31T12:00:00Z"), -4 * 3600));
	cr_expect(eq(i32, rule_at(rule, "2025-01-01T03:00:00Z"), -4 * 3600));
}

Test(cel_zone, a_change_may_cross_the_end_of_the_year)
{
	/* 50 hours after the beginning of December 31: January 2, two in the morning. */
	const char *rule = "AAA0BBB,J365/50,M6.1.0";

	cr_expect(eq(i32, rule_at(rule, "2026-01-02T01:59:59Z"), 0));
	cr_expect(eq(i32, rule_at(rule, "2026-01-02T02:00:00Z"), 3600));
	cr_expect(eq(i32, rule_at(rule, "2026-06-07T00:59:59Z"), 3600));
	cr_expect(eq(i32, rule_at(rule, "2026-06-07T01:00:00Z"), 0));
	cr_expect(eq(i32, rule_at(rule, "2025-12-31T23:59:59Z"), 0));
}

Test(cel_zone, texts_that_are_no_rule)
{
	const char *texts[] = { "", "CE-1", "CET", "CET-1CEST", "CET-1CEST,M3.5.0",
		"CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0",
		"CET-1CEST,M3.5.0,M10.5.0x", "CET-1CEST,J0,J100", "CET-1CEST,366,100",
		"CET-1CEST,M3.5.0/168,M10.5.0", "CET-25", "CET-1:60", "<CET-1",
		"CET-1,M3.5.0,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/", "CET-" };
	struct zone_rule r;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		cr_expect(not(zone_rule_parse(&r, str_of(texts[i]))), "%s", texts[i]);
}
