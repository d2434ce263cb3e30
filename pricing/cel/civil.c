/*
 * The proleptic Gregorian calendar. Years are counted from March, so that the leap day is the last
 * of its year: then months have one regular formula, and 400 years are always 146,097 days.
 */
#include "pricing/cel/lib_impl.h"

#define SECONDS_PER_DAY  86400
#define DAYS_PER_ERA     146097 /* 400 years */
#define DAYS_FROM_MARCH0 719468 /* 0000-03-01 to 1970-01-01 */

static int64_t floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Of a day within an era, 0..146096: its year, 0..399. */
static int year_of_era(int day)
{
	return (day - day / 1460 + day / 36524 - day / (DAYS_PER_ERA - 1)) / 365;
}

static int first_day_of(int year_of_era)
{
	return 365 * year_of_era + year_of_era / 4 - year_of_era / 100;
}

struct cel_civil cel_civil_of(int64_t seconds)
{
	int64_t days = floor_divide(seconds, SECONDS_PER_DAY);
	int second_of_day = (int)(seconds - days * SECONDS_PER_DAY);
	int64_t era = floor_divide(days + DAYS_FROM_MARCH0, DAYS_PER_ERA);
	int day_of_era = (int)(days + DAYS_FROM_MARCH0 - era * DAYS_PER_ERA);
	int year = year_of_era(day_of_era);
	int day_of_year = day_of_era - first_day_of(year); /* from March 1 */
	int month = (5 * day_of_year + 2) / 153;           /* 0 = March */
	bool is_next_year = month >= 10;
	struct cel_civil ret = {
		.year = year + era * 400 + is_next_year,
		.month = is_next_year ? month - 9 : month + 3,
		.day = day_of_year - (153 * month + 2) / 5 + 1,
		.hour = second_of_day / 3600,
		.minute = second_of_day / 60 % 60,
		.second = second_of_day % 60,
		.weekday = (int)(days + 4 - 7 * floor_divide(days + 4, 7)),
	};

	/* 306 days from March 1 to the end of December, 59 or 60 from January 1 to March 1. */
	ret.yearday = is_next_year ? day_of_year - 306 : day_of_year + 59 + cel_is_leap(ret.year);
	return ret;
}

int64_t cel_civil_seconds(int64_t year, int month, int day, int hour, int minute, int second)
{
	int64_t from_march = year - (month <= 2);
	int64_t era = floor_divide(from_march, 400);
	int month_from_march = month <= 2 ? month + 9 : month - 3;
	int64_t days = era * DAYS_PER_ERA + first_day_of((int)(from_march - era * 400)) +
		       (153 * month_from_march + 2) / 5 + day - 1 - DAYS_FROM_MARCH0;

	return ((days * 24 + hour) * 60 + minute) * 60 + second;
}
