/*
 * "CET-1CEST,M3.5.0,M10.5.0/3": what holds after the last time in a zone file. Signs are turned
 * around: POSIX counts to the west. Times of a change may lie up to a week before or after the day
 * (RFC 8536 3.3.1), so that a year's change can fall into the next one.
 */
#include "pricing/cel/lib_impl.h"

struct text {
	const char *p, *end;
};

static bool take(struct text *t, char c)
{
	if (t->p == t->end || *t->p != c)
		return false;
	t->p++;
	return true;
}

static bool read_number(struct text *t, int least, int most, int *ret)
{
	int n_digits = 0;

	*ret = 0;
	for (; t->p < t->end && str_is_digit(*t->p) && n_digits < 4; n_digits++)
		*ret = *ret * 10 + *t->p++ - '0';
	return n_digits > 0 && *ret >= least && *ret <= most;
}

/* "CET" or "<+0330>": three characters or more; what it says is not needed. */
static bool skip_name(struct text *t)
{
	bool is_quoted = take(t, '<');
	const char *begin = t->p;

	while (t->p < t->end &&
		((*t->p >= 'a' && *t->p <= 'z') || (*t->p >= 'A' && *t->p <= 'Z') ||
			(is_quoted && (str_is_digit(*t->p) || *t->p == '+' || *t->p == '-'))))
		t->p++;
	return t->p - begin >= 3 && (!is_quoted || take(t, '>'));
}

/* [+-]hh[:mm[:ss]] */
static bool read_time(struct text *t, int hours_max, int32_t *ret)
{
	bool is_negative = take(t, '-');
	int hours, minutes = 0, seconds = 0;

	if (!is_negative)
		take(t, '+');
	if (!read_number(t, 0, hours_max, &hours))
		return false;
	if (take(t, ':')) {
		if (!read_number(t, 0, 59, &minutes))
			return false;
		if (take(t, ':') && !read_number(t, 0, 59, &seconds))
			return false;
	}
	*ret = (hours * 60 + minutes) * 60 + seconds;
	if (is_negative)
		*ret = -*ret;
	return true;
}

/* ",M3.5.0/2", ",J60", ",59/-1" */
static bool read_change(struct text *t, struct zone_change *ret)
{
	int day, month, week;

	*ret = (struct zone_change){ .seconds = 2 * 3600 };
	if (!take(t, ','))
		return false;
	if (take(t, 'M')) {
		ret->kind = ZONE_MONTH_WEEK_DAY;
		if (!read_number(t, 1, 12, &month) || !take(t, '.') ||
			!read_number(t, 1, 5, &week) || !take(t, '.') ||
			!read_number(t, 0, 6, &day))
			return false;
		ret->month = (int8_t)month;
		ret->week = (int8_t)week;
		ret->weekday = (int8_t)day;
	} else {
		ret->kind = take(t, 'J') ? ZONE_JULIAN : ZONE_DAY;
		if (!read_number(t, ret->kind == ZONE_JULIAN, 365, &day))
			return false;
		ret->day = day;
	}
	return !take(t, '/') || read_time(t, 167, &ret->seconds);
}

bool zone_rule_parse(struct zone_rule *ret, struct str text)
{
	struct text t = { text.p, text.p + text.n };

	*ret = (struct zone_rule){ 0 };
	if (!skip_name(&t) || !read_time(&t, 24, &ret->standard))
		return false;
	ret->standard = -ret->standard;
	if (t.p == t.end)
		return true;
	ret->has_summer = true;
	ret->summer = ret->standard + 3600;
	if (!skip_name(&t))
		return false;
	if (t.p < t.end && *t.p != ',') {
		if (!read_time(&t, 24, &ret->summer))
			return false;
		ret->summer = -ret->summer;
	}
	return read_change(&t, &ret->begin) && read_change(&t, &ret->end) && t.p == t.end;
}

/* The first such weekday of the month, and so many weeks on; the fifth is the last there is. */
static int64_t month_week_day(const struct zone_change *c, int64_t year)
{
	int64_t first = cel_civil_seconds(year, c->month, 1, 0, 0, 0);
	int64_t next = c->month == 12 ? cel_civil_seconds(year + 1, 1, 1, 0, 0, 0)
				      : cel_civil_seconds(year, c->month + 1, 1, 0, 0, 0);
	int day = (c->weekday - cel_civil_of(first).weekday + 7) % 7 + (c->week - 1) * 7;

	if (first + day * 86400 >= next)
		day -= 7;
	return first + day * 86400;
}

/* The local time of that year's change, as if it were UTC. */
static int64_t change_time(const struct zone_change *c, int64_t year)
{
	int64_t january = cel_civil_seconds(year, 1, 1, 0, 0, 0);

	switch ((enum zone_change_kind)c->kind) {
	case ZONE_MONTH_WEEK_DAY:
		return month_week_day(c, year) + c->seconds;
	case ZONE_JULIAN: /* 60 is March 1 in every year */
		return january + (c->day - 1 + (c->day >= 60 && cel_is_leap(year))) * 86400LL +
		       c->seconds;
	case ZONE_DAY:
		return january + c->day * 86400LL + c->seconds;
	}
	return january;
}

/* The last change that has happened decides: of this year or a neighbour, because a change may
 * cross the year's end. One that comes at the same second as another, but in a later year, wins. */
int32_t zone_rule_offset(const struct zone_rule *r, int64_t utc_seconds)
{
	int64_t year = cel_civil_of(utc_seconds + r->standard).year;
	int64_t latest = INT64_MIN;
	int32_t ret = r->standard;

	if (!r->has_summer)
		return r->standard;
	for (int64_t y = year - 1; y <= year + 1; y++) {
		int64_t begin = change_time(&r->begin, y) - r->standard;
		int64_t end = change_time(&r->end, y) - r->summer;

		if (begin <= utc_seconds && begin >= latest) {
			latest = begin;
			ret = r->summer;
		}
		if (end <= utc_seconds && end >= latest && end != begin) {
			latest = end;
			ret = r->standard;
		}
	}
	return ret;
}
