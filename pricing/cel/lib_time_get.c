/*
 * The parts of a moment in a zone, and of a duration. Months, days of the month and days of the
 * year count from 0, except in getDate(): that is langdef's choice. A duration's parts are the
 * whole of it in that unit, toward zero; only its milliseconds are those beside the seconds.
 */
#include "pricing/cel/lib_impl.h"

struct cel_value cel_time_part(enum cel_function f, struct cel_value v, int32_t offset)
{
	struct cel_civil c = cel_civil_of(v.i + offset);

	switch (f) {
	case CEL_F_GET_FULL_YEAR:
		return cel_int(c.year);
	case CEL_F_GET_MONTH:
		return cel_int(c.month - 1);
	case CEL_F_GET_DATE:
		return cel_int(c.day);
	case CEL_F_GET_DAY_OF_MONTH:
		return cel_int(c.day - 1);
	case CEL_F_GET_DAY_OF_WEEK:
		return cel_int(c.weekday);
	case CEL_F_GET_DAY_OF_YEAR:
		return cel_int(c.yearday);
	case CEL_F_GET_HOURS:
		return cel_int(c.hour);
	case CEL_F_GET_MINUTES:
		return cel_int(c.minute);
	case CEL_F_GET_SECONDS:
		return cel_int(c.second);
	case CEL_F_GET_MILLISECONDS:
		return cel_int(v.n / NS_PER_MS);
	default:
		return lib_no_overload();
	}
}

static struct cel_value of_duration(enum cel_function f, int64_t ns)
{
	switch (f) {
	case CEL_F_GET_HOURS:
		return cel_int(ns / (3600 * NS_PER_SECOND));
	case CEL_F_GET_MINUTES:
		return cel_int(ns / (60 * NS_PER_SECOND));
	case CEL_F_GET_SECONDS:
		return cel_int(ns / NS_PER_SECOND);
	case CEL_F_GET_MILLISECONDS:
		return cel_int(ns % NS_PER_SECOND / NS_PER_MS);
	default:
		return lib_no_overload();
	}
}

struct cel_value lib_time_get(enum cel_function f, const struct cel_value *args, unsigned n)
{
	const struct cel_zone *zone;

	if (args[0].kind == CEL_V_DURATION && n == 1)
		return of_duration(f, args[0].i);
	if (args[0].kind != CEL_V_TIMESTAMP)
		return lib_no_overload();
	if (n == 1)
		return cel_time_part(f, args[0], 0);
	if (args[1].kind != CEL_V_STRING)
		return lib_no_overload();
	zone = cel_zone_find(cel_str(args[1]));
	if (!zone)
		return cel_error(CEL_R_ARGUMENT, "unknown time zone");
	return cel_time_part(f, args[0], cel_zone_offset(zone, args[0].i));
}
