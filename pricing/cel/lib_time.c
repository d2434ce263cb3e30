/*
 * Timestamps and durations as texts, and between each other.
 *
 * A timestamp is seconds and nanoseconds, because its range in nanoseconds needs more than 64 bits;
 * a duration is nanoseconds, because cel-go's is, and so has its range of about 292 years. A
 * timestamp keeps no zone: its text is always in UTC.
 */
#include "pricing/cel/lib_impl.h"

#include <stdio.h>

static struct cel_value invalid_timestamp(void)
{
	return cel_error(CEL_R_ARGUMENT, "invalid RFC 3339 timestamp");
}

static struct cel_value invalid_duration(void)
{
	return cel_error(CEL_R_ARGUMENT, "invalid duration");
}

static struct cel_value timestamp_overflow(void)
{
	return cel_error(CEL_R_RANGE, "timestamp overflow");
}

static struct cel_value duration_overflow(void)
{
	return cel_error(CEL_R_RANGE, "duration overflow");
}

static struct cel_value timestamp_in_range(int64_t seconds, uint32_t ns)
{
	if (seconds < TIMESTAMP_SECONDS_MIN || seconds > TIMESTAMP_SECONDS_MAX)
		return timestamp_overflow();
	return cel_timestamp(seconds, ns);
}

struct cel_value lib_timestamp_add(struct cel_value timestamp, int64_t ns)
{
	int64_t seconds = ns / NS_PER_SECOND;
	int64_t rest = ns % NS_PER_SECOND + timestamp.n;

	if (rest < 0) {
		rest += NS_PER_SECOND;
		seconds--;
	} else if (rest >= NS_PER_SECOND) {
		rest -= NS_PER_SECOND;
		seconds++;
	}
	return timestamp_in_range(timestamp.i + seconds, (uint32_t)rest);
}

struct cel_value lib_timestamp_difference(struct cel_value a, struct cel_value b)
{
	__int128 ns = (__int128)(a.i - b.i) * NS_PER_SECOND + a.n - b.n;

	return ns < INT64_MIN || ns > INT64_MAX ? duration_overflow() : cel_duration((int64_t)ns);
}

/* @n digits at @p, between least and most. */
static bool read_digits(const char *p, int n, int least, int most, int *ret)
{
	*ret = 0;
	for (int i = 0; i < n; i++) {
		if (!str_is_digit(p[i]))
			return false;
		*ret = *ret * 10 + p[i] - '0';
	}
	return *ret >= least && *ret <= most;
}

static int days_of_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && cel_is_leap(year));
}

/* "2026-11-24T13:43:01", no leap second. */
static bool read_date_and_time(const char *p, int64_t *ret)
{
	int year, month, day, hour, minute, second;

	if (!read_digits(p, 4, 0, 9999, &year) || p[4] != '-' ||
		!read_digits(p + 5, 2, 1, 12, &month) || p[7] != '-' ||
		!read_digits(p + 8, 2, 1, days_of_month(year, month), &day) || p[10] != 'T' ||
		!read_digits(p + 11, 2, 0, 23, &hour) || p[13] != ':' ||
		!read_digits(p + 14, 2, 0, 59, &minute) || p[16] != ':' ||
		!read_digits(p + 17, 2, 0, 59, &second))
		return false;
	*ret = cel_civil_seconds(year, month, day, hour, minute, second);
	return true;
}

/* ".123" at the front, taken off; what is finer than a nanosecond is dropped. No dot is 0. */
static bool read_fraction(struct str *rest, uint32_t *ret_ns)
{
	uint32_t unit = NS_PER_SECOND;
	size_t i = 1;

	*ret_ns = 0;
	if (rest->n == 0 || rest->p[0] != '.')
		return true;
	for (; i < rest->n && str_is_digit(rest->p[i]); i++) {
		unit /= 10;
		*ret_ns += unit * (uint32_t)(rest->p[i] - '0');
	}
	rest->p += i;
	rest->n -= i;
	return i > 1;
}

/* "Z" or "+02:00" and nothing after it. */
static bool read_offset(struct str s, int *ret_seconds)
{
	int hours, minutes;

	*ret_seconds = 0;
	if (str_eqz(s, "Z"))
		return true;
	if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':' ||
		!read_digits(s.p + 1, 2, 0, 23, &hours) ||
		!read_digits(s.p + 4, 2, 0, 59, &minutes))
		return false;
	*ret_seconds = (hours * 60 + minutes) * (s.p[0] == '-' ? -60 : 60);
	return true;
}

struct cel_value cel_timestamp_parse(struct str text)
{
	struct str rest;
	int64_t seconds;
	uint32_t ns;
	int offset;

	if (text.n < 20 || !read_date_and_time(text.p, &seconds))
		return invalid_timestamp();
	rest = (struct str){ text.p + 19, text.n - 19 };
	if (!read_fraction(&rest, &ns) || !read_offset(rest, &offset))
		return invalid_timestamp();
	return timestamp_in_range(seconds - offset, ns);
}

/* The unit at the front, taken off, in nanoseconds; 0 if there is none. */
static uint64_t read_unit(struct str *rest)
{
	static const struct {
		struct str name;
		uint64_t ns;
	} units[] = {
		{ { "ns", 2 }, 1 },
		{ { "us", 2 }, 1000 },
		{ { "\xc2\xb5s", 3 }, 1000 }, /* U+00B5, the sign */
		{ { "\xce\xbcs", 3 }, 1000 }, /* U+03BC, the letter */
		{ { "ms", 2 }, NS_PER_MS },
		{ { "s", 1 }, NS_PER_SECOND },
		{ { "m", 1 }, 60 * NS_PER_SECOND },
		{ { "h", 1 }, 3600 * NS_PER_SECOND },
	};

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (str_starts(*rest, units[i].name)) {
			rest->p += units[i].name.n;
			rest->n -= units[i].name.n;
			return units[i].ns;
		}
	}
	return 0;
}

struct decimal {
	u128 digits;
	u128 scale; /* how many of them make one */
};

/* Digits with at most one dot among them, taken off. Whole digits stop counting where every unit is
 * over the range; decimals where they are finer than any unit shows. */
static bool read_decimal(struct str *rest, struct decimal *ret)
{
	const u128 enough = (u128)1 << 63;
	bool is_fraction = false;
	size_t i = 0, n_digits = 0;

	*ret = (struct decimal){ 0, 1 };
	for (; i < rest->n && (str_is_digit(rest->p[i]) || (rest->p[i] == '.' && !is_fraction));
		i++) {
		if (rest->p[i] == '.') {
			is_fraction = true;
			continue;
		}
		n_digits++;
		if (is_fraction ? ret->scale >= 1000000000000000000 : ret->digits > enough)
			continue;
		ret->digits = ret->digits * 10 + (unsigned)(rest->p[i] - '0');
		if (is_fraction)
			ret->scale *= 10;
	}
	rest->p += i;
	rest->n -= i;
	return n_digits > 0;
}

struct cel_value cel_duration_parse(struct str text)
{
	const u128 most = (u128)1 << 63; /* of a negative one */
	bool is_negative = text.n > 0 && text.p[0] == '-';
	bool has_sign = is_negative || (text.n > 0 && text.p[0] == '+');
	struct str rest = { text.p + has_sign, text.n - has_sign };
	u128 total = 0;

	if (str_eqz(rest, "0"))
		return cel_duration(0);
	if (rest.n == 0)
		return invalid_duration();
	while (rest.n > 0) {
		struct decimal d;
		uint64_t unit;

		if (!read_decimal(&rest, &d))
			return invalid_duration();
		unit = read_unit(&rest);
		if (unit == 0)
			return invalid_duration();
		/* Digits are below 2^67 * 10^18, the unit below 2^42: no overflow. */
		if (total <= most)
			total += d.digits / d.scale * unit + d.digits % d.scale * unit / d.scale;
	}
	if (total > most || (total == most && !is_negative))
		return duration_overflow();
	return cel_duration(is_negative ? (int64_t) - (uint64_t)total : (int64_t)total);
}

struct cel_value lib_to_timestamp(struct cel_value v)
{
	switch ((enum cel_value_kind)v.kind) {
	case CEL_V_TIMESTAMP:
		return v;
	case CEL_V_INT:
		return timestamp_in_range(v.i, 0);
	case CEL_V_STRING:
		return cel_timestamp_parse(cel_str(v));
	default:
		return lib_no_overload();
	}
}

struct cel_value lib_to_duration(struct cel_value v)
{
	switch ((enum cel_value_kind)v.kind) {
	case CEL_V_DURATION:
		return v;
	case CEL_V_STRING:
		return cel_duration_parse(cel_str(v));
	default:
		return lib_no_overload();
	}
}

/* ".5" for half a second, nothing for none; without zeros at the end. Its length. */
static int fraction_text(char *ret, uint32_t ns)
{
	int n = snprintf(ret, 11, ".%09u", ns % (uint32_t)NS_PER_SECOND);

	while (ret[n - 1] == '0')
		n--;
	return ns == 0 ? 0 : n;
}

size_t lib_timestamp_text(char *ret, struct cel_value timestamp)
{
	struct cel_civil c = cel_civil_of(timestamp.i);
	char fraction[11];
	int n = fraction_text(fraction, timestamp.n);

	return (size_t)snprintf(ret, LIB_TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d%.*sZ",
		(int)c.year, c.month, c.day, c.hour, c.minute, c.second, n, fraction);
}

size_t lib_duration_text(char *ret, int64_t ns)
{
	uint64_t magnitude = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	char fraction[11];
	int n = fraction_text(fraction, (uint32_t)(magnitude % NS_PER_SECOND));

	return (size_t)snprintf(ret, LIB_TIME_TEXT_MAX, "%s%llu%.*ss", ns < 0 ? "-" : "",
		(unsigned long long)(magnitude / NS_PER_SECOND), n, fraction);
}
