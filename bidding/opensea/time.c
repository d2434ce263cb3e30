/*
 * By hand, because strptime() takes the locale's and libc's own ideas of a date, and knows no
 * fractions.
 */
#include "bidding/opensea/time.h"

#include <errno.h>
#include <stdbool.h>

#define TIME_MAX (((int64_t)1 << 53) - 1)

static bool digits(struct str *s, size_t n, int *ret)
{
	*ret = 0;
	if (s->n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		*ret = *ret * 10 + (s->p[i] - '0');
	}
	s->p += n;
	s->n -= n;
	return true;
}

static bool one(struct str *s, const char *any)
{
	if (s->n == 0 || s->p[0] == '\0' || !strchr(any, s->p[0]))
		return false;
	s->p++;
	s->n--;
	return true;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar (after H. Hinnant, public domain). */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = y / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int days_in(int year, int month)
{
	static const int DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && is_leap ? 29 : DAYS[month - 1];
}

static bool fraction(struct str *s, int64_t *ret_ms)
{
	int64_t scale = 100;
	bool any = false;

	*ret_ms = 0;
	if (!one(s, "."))
		return true;
	for (; s->n && s->p[0] >= '0' && s->p[0] <= '9'; s->p++, s->n--, scale /= 10) {
		*ret_ms += scale * (s->p[0] - '0');
		any = true;
	}
	return any;
}

static bool offset(struct str *s, int64_t *ret_s)
{
	int h = 0, m = 0;
	bool is_west;

	*ret_s = 0;
	if (s->n == 0)
		return true; /* none is UTC: all the stream's times are */
	if (one(s, "Zz"))
		return s->n == 0;
	is_west = s->p[0] == '-';
	if (!one(s, "+-") || !digits(s, 2, &h))
		return false;
	one(s, ":");
	if (!digits(s, 2, &m) || s->n || h > 23 || m > 59)
		return false;
	*ret_s = (is_west ? -1 : 1) * (h * 3600 + m * 60);
	return true;
}

static int parse_iso(int64_t *ret_ms, struct str s)
{
	int year, month, day, h, m, sec;
	int64_t ms, east_s;

	if (!digits(&s, 4, &year) || !one(&s, "-") || !digits(&s, 2, &month) || !one(&s, "-") ||
		!digits(&s, 2, &day) || !one(&s, "Tt ") || !digits(&s, 2, &h) || !one(&s, ":") ||
		!digits(&s, 2, &m) || !one(&s, ":") || !digits(&s, 2, &sec) || !fraction(&s, &ms) ||
		!offset(&s, &east_s))
		return -EINVAL;
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(year, month) ||
		h > 23 || m > 59 || sec > 60)
		return -EINVAL;
	ms += (days_of(year, month, day) * 86400 + h * 3600 + m * 60 + sec - east_s) * 1000;
	if (ms < 0 || ms > TIME_MAX)
		return -EINVAL;
	*ret_ms = ms;
	return 0;
}

int opensea_time_parse(int64_t *ret_ms, struct str text)
{
	uint64_t seconds;

	if (str_to_u64(text, &seconds))
		return parse_iso(ret_ms, text);
	if (seconds > (uint64_t)TIME_MAX / 1000)
		return -EINVAL;
	*ret_ms = (int64_t)seconds * 1000;
	return 0;
}
