/*
 * Conversions. Texts are read as strictly as Go's strconv reads them, because that is what the
 * reference implementation accepts: no blanks, no hexadecimal, no underscores.
 *
 * A double is written with the fewest digits that read back as the same number. Fifteen always
 * survive the way to a double and back, so they are tried first, zeros at their end taken off;
 * below the smallest normal number there are fewer to begin with, and all lengths are tried.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "pricing/cel/lib_impl.h"

static struct cel_value no_number(void)
{
	return cel_error(CEL_R_ARGUMENT, "type conversion error: not a number");
}

static struct cel_value text_value(struct cel_context *c, const char *p, size_t n)
{
	struct str copy = arena_copy(c->arena, (struct str){ p, n });

	return str_is_set(copy) ? cel_string(copy) : lib_no_memory();
}

/* Digits without a sign; zeros in front are fine. false: no digits, or something else. */
static bool read_u64(struct str s, uint64_t *ret, bool *ret_fits)
{
	*ret = 0;
	*ret_fits = true;
	for (size_t i = 0; i < s.n; i++) {
		if (!str_is_digit(s.p[i]))
			return false;
		*ret_fits = *ret_fits && !__builtin_mul_overflow(*ret, 10, ret) &&
			    !__builtin_add_overflow(*ret, (uint64_t)(s.p[i] - '0'), ret);
	}
	return s.n > 0;
}

static struct cel_value text_to_int(struct str s)
{
	bool is_negative = s.n > 0 && s.p[0] == '-';
	bool has_sign = is_negative || (s.n > 0 && s.p[0] == '+');
	uint64_t u;
	bool fits;

	if (!read_u64((struct str){ s.p + has_sign, s.n - has_sign }, &u, &fits))
		return no_number();
	if (!fits || u > (uint64_t)INT64_MAX + is_negative)
		return lib_range();
	return cel_int(is_negative ? (int64_t)-u : (int64_t)u);
}

static struct cel_value text_to_uint(struct str s)
{
	uint64_t u;
	bool fits;

	if (!read_u64(s, &u, &fits))
		return no_number();
	return fits ? cel_uint(u) : lib_range();
}

static struct cel_value to_int(struct cel_value v)
{
	switch ((enum cel_value_kind)v.kind) {
	case CEL_V_INT:
		return v;
	case CEL_V_UINT:
		return v.u > INT64_MAX ? lib_range() : cel_int(v.i);
	case CEL_V_DOUBLE: /* -2^63 itself is refused, as the conformance suite has it */
		return v.d > -0x1p63 && v.d < 0x1p63 ? cel_int((int64_t)v.d) : lib_range();
	case CEL_V_STRING:
		return text_to_int(cel_str(v));
	case CEL_V_TIMESTAMP: /* seconds */
	case CEL_V_DURATION:  /* nanoseconds */
		return cel_int(v.i);
	default:
		return lib_no_overload();
	}
}

static struct cel_value to_uint(struct cel_value v)
{
	switch ((enum cel_value_kind)v.kind) {
	case CEL_V_UINT:
		return v;
	case CEL_V_INT:
		return v.i < 0 ? lib_range() : cel_uint(v.u);
	case CEL_V_DOUBLE:
		return v.d >= 0 && v.d < 0x1p64 ? cel_uint((uint64_t)v.d) : lib_range();
	case CEL_V_STRING:
		return text_to_uint(cel_str(v));
	default:
		return lib_no_overload();
	}
}

static size_t skip_digits(struct str s, size_t at)
{
	while (at < s.n && str_is_digit(s.p[at]))
		at++;
	return at;
}

/* [+-] digits with at most one dot, [eE][+-]digits: what strtod() may be given. */
static bool is_decimal(struct str s)
{
	size_t at = s.n > 0 && (s.p[0] == '+' || s.p[0] == '-');
	size_t begin = at, n_digits;

	at = skip_digits(s, at);
	n_digits = at - begin;
	if (at < s.n && s.p[at] == '.') {
		begin = ++at;
		at = skip_digits(s, at);
		n_digits += at - begin;
	}
	if (n_digits == 0)
		return false;
	if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
		at++;
		at += at < s.n && (s.p[at] == '+' || s.p[at] == '-');
		begin = at;
		at = skip_digits(s, at);
		if (at == begin)
			return false;
	}
	return at == s.n;
}

static bool eq_no_case(struct str s, const char *z)
{
	return s.n == strlen(z) && strncasecmp(s.p, z, s.n) == 0;
}

/* "NaN", "inf", "+Infinity", in capitals or not; a NaN has no sign. */
static bool read_special(struct str s, double *ret)
{
	bool has_sign = s.n > 0 && (s.p[0] == '+' || s.p[0] == '-');
	struct str rest = { s.p + has_sign, s.n - has_sign };

	*ret = NAN;
	if (eq_no_case(s, "nan"))
		return true;
	*ret = has_sign && s.p[0] == '-' ? -INFINITY : INFINITY;
	return eq_no_case(rest, "inf") || eq_no_case(rest, "infinity");
}

static struct cel_value text_to_double(struct cel_context *c, struct str s)
{
	size_t mark = arena_used(c->arena);
	struct str z;
	double d;

	if (read_special(s, &d))
		return cel_double(d);
	if (!is_decimal(s))
		return no_number();
	z = arena_copy(c->arena, s); /* for its NUL */
	if (!str_is_set(z))
		return lib_no_memory();
	d = strtod(z.p, NULL);
	arena_rewind(c->arena, mark);
	return isinf(d) ? lib_range() : cel_double(d);
}

static struct cel_value to_double(struct cel_context *c, struct cel_value v)
{
	switch ((enum cel_value_kind)v.kind) {
	case CEL_V_DOUBLE:
		return v;
	case CEL_V_INT:
		return cel_double((double)v.i);
	case CEL_V_UINT:
		return cel_double((double)v.u);
	case CEL_V_STRING:
		return text_to_double(c, cel_str(v));
	default:
		return lib_no_overload();
	}
}

static struct cel_value to_bool(struct cel_value v)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };

	if (v.kind == CEL_V_BOOL)
		return v;
	if (v.kind != CEL_V_STRING)
		return lib_no_overload();
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (str_eqz(cel_str(v), yes[i]))
			return cel_bool(true);
		if (str_eqz(cel_str(v), no[i]))
			return cel_bool(false);
	}
	return cel_error(CEL_R_ARGUMENT, "type conversion error: not a bool");
}

static struct cel_value to_bytes(struct cel_value v)
{
	if (v.kind == CEL_V_BYTES)
		return v;
	return v.kind == CEL_V_STRING ? cel_bytes(cel_str(v)) : lib_no_overload();
}

/* The shortest digits of a finite positive number, without zeros at the end. Their count. */
static size_t shortest_digits(char ret[18], double d, int *ret_exponent)
{
	char text[32] = "0e0";
	size_t n = 0;

	for (int precision = d < DBL_MIN ? 0 : 14; precision < 17; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, d);
		if (strtod(text, NULL) == d)
			break;
	}
	for (const char *p = text; *p != 'e'; p++)
		if (*p != '.')
			ret[n++] = *p;
	while (n > 1 && ret[n - 1] == '0')
		n--;
	*ret_exponent = atoi(strchr(text, 'e') + 1);
	return n;
}

/* "1.25e+06" of "125" and 6 */
static size_t scientific_text(char *ret, const char *digits, size_t n, int exponent)
{
	size_t at = 0;

	ret[at++] = digits[0];
	if (n > 1) {
		ret[at++] = '.';
		memcpy(ret + at, digits + 1, n - 1);
		at += n - 1;
	}
	return at + (size_t)snprintf(
			    ret + at, 6, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent) % 1000);
}

/* "0.0125", "1.25", "125000" */
static size_t plain_text(char *ret, const char *digits, size_t n, int exponent)
{
	size_t at = 0;

	if (exponent < 0) {
		ret[at++] = '0';
		ret[at++] = '.';
		for (int i = -1; i > exponent; i--)
			ret[at++] = '0';
	}
	for (size_t i = 0; i < n; i++) {
		if (exponent >= 0 && (int)i == exponent + 1)
			ret[at++] = '.';
		ret[at++] = digits[i];
	}
	for (int i = (int)n; i <= exponent; i++)
		ret[at++] = '0';
	ret[at] = '\0';
	return at;
}

size_t lib_double_text(char *ret, double d)
{
	char digits[18] = "0";
	size_t n, at = 0;
	int exponent;

	if (isnan(d))
		return (size_t)sprintf(ret, "NaN");
	if (isinf(d))
		return (size_t)sprintf(ret, "%cInf", d < 0 ? '-' : '+');
	if (signbit(d))
		ret[at++] = '-';
	if (d == 0)
		return at + (size_t)sprintf(ret + at, "0");
	n = shortest_digits(digits, fabs(d), &exponent);
	if (exponent < -4 || exponent >= 6)
		return at + scientific_text(ret + at, digits, n, exponent);
	return at + plain_text(ret + at, digits, n, exponent);
}

static struct cel_value bytes_to_string(struct cel_value v)
{
	if (!str_is_utf8(cel_str(v)))
		return cel_error(
			CEL_R_ARGUMENT, "invalid UTF-8 in bytes, cannot convert to string");
	return cel_string(cel_str(v));
}

static struct cel_value to_string(struct cel_context *c, struct cel_value v)
{
	char text[LIB_TIME_TEXT_MAX];
	size_t n;

	switch ((enum cel_value_kind)v.kind) {
	case CEL_V_STRING:
		return v;
	case CEL_V_BYTES:
		return bytes_to_string(v);
	case CEL_V_BOOL:
		return cel_string(v.b ? STR("true") : STR("false"));
	case CEL_V_INT:
		n = (size_t)snprintf(text, sizeof(text), "%lld", (long long)v.i);
		break;
	case CEL_V_UINT:
		n = (size_t)snprintf(text, sizeof(text), "%llu", (unsigned long long)v.u);
		break;
	case CEL_V_DOUBLE:
		n = lib_double_text(text, v.d);
		break;
	case CEL_V_TIMESTAMP:
		n = lib_timestamp_text(text, v);
		break;
	case CEL_V_DURATION:
		n = lib_duration_text(text, v.i);
		break;
	default:
		return lib_no_overload();
	}
	return text_value(c, text, n);
}

struct cel_value lib_convert(struct cel_context *c, enum cel_function f, struct cel_value v)
{
	switch (f) {
	case CEL_F_BOOL:
		return to_bool(v);
	case CEL_F_BYTES:
		return to_bytes(v);
	case CEL_F_DOUBLE:
		return to_double(c, v);
	case CEL_F_INT:
		return to_int(v);
	case CEL_F_STRING:
		return to_string(c, v);
	case CEL_F_TYPE:
		return cel_type_value(cel_kind_name((enum cel_value_kind)v.kind));
	case CEL_F_UINT:
		return to_uint(v);
	default:
		return lib_no_overload();
	}
}
