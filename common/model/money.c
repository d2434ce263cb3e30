/*
 * Amounts: text in, text out, and checked arithmetic.
 *
 * Every result is either exact under the named rounding or an error code; nothing saturates or
 * wraps. Input is held to 96 bits so that ordinary arithmetic has 32 bits of room, but no function
 * relies on that. An operation on two currencies at par keeps the first one's: the caller put the
 * side whose currency it wants first.
 */
#include "common/model/money.h"

#include <assert.h>

#define U128_MAX     (~(u128)0)
#define INPUT_MAX    (((u128)1 << MONEY_INPUT_BITS) - 1)
#define BPS_PER_UNIT 10000

const char *money_error(int code)
{
	switch (code) {
	case MONEY_E_SYNTAX:
		return "not a decimal integer in text (digits only, no sign, no leading zero)";
	case MONEY_E_RANGE:
		return "amount out of range";
	case MONEY_E_CURRENCY:
		return "unknown currency, or two currencies that are not at par";
	case MONEY_E_NEGATIVE:
		return "amount below zero";
	}
	return "";
}

/* Shifts @d in as the last decimal digit; false if that passes @limit. */
static bool push_digit(u128 *value, unsigned d, u128 limit)
{
	if (*value > limit / 10 || *value * 10 > limit - d)
		return false;
	*value = *value * 10 + d;
	return true;
}

#define SHORT_DIGITS 19 /* fit 64 bits, and every limit */

static int parse_short(u128 *ret, struct str text)
{
	uint64_t value = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (!str_is_digit(text.p[i]))
			return MONEY_E_SYNTAX;
		value = value * 10 + (uint64_t)(text.p[i] - '0');
	}
	*ret = value;
	return 0;
}

static int parse_amount(u128 *ret, struct str text, u128 limit)
{
	u128 value = 0;
	bool fits = true;

	if (text.n == 0 || (text.n > 1 && text.p[0] == '0'))
		return MONEY_E_SYNTAX;
	if (text.n <= SHORT_DIGITS)
		return parse_short(ret, text);
	/* To the end even when it no longer fits: malformed is malformed at any length. */
	for (size_t i = 0; i < text.n; i++) {
		if (!str_is_digit(text.p[i]))
			return MONEY_E_SYNTAX;
		fits = fits && push_digit(&value, (unsigned)(text.p[i] - '0'), limit);
	}
	if (!fits)
		return MONEY_E_RANGE;
	*ret = value;
	return 0;
}

int money_parse_amount(u128 *ret, struct str text)
{
	return parse_amount(ret, text, INPUT_MAX);
}

int money_parse_amount_wide(u128 *ret, struct str text)
{
	return parse_amount(ret, text, U128_MAX);
}

int money_make(struct money *ret, struct str amount, struct str code)
{
	struct money m = { 0 };
	int r = money_parse_amount(&m.amount, amount);

	if (r != 0)
		return r;
	m.currency = currency_find(code);
	if (m.currency == 0)
		return MONEY_E_CURRENCY;
	*ret = m;
	return 0;
}

int money_parse_decimal(struct money *ret, struct str text, currency c)
{
	const char *dot = text.n ? memchr(text.p, '.', text.n) : NULL;
	size_t n_whole = dot ? (size_t)(dot - text.p) : text.n;
	size_t n_decimals = dot ? text.n - n_whole - 1 : 0;
	u128 value;
	bool fits = true;
	int r;

	if (c == 0)
		return MONEY_E_CURRENCY;
	if (dot && (n_decimals == 0 || n_decimals > currency_decimals(c)))
		return MONEY_E_SYNTAX;
	r = parse_amount(&value, (struct str){ text.p, n_whole }, INPUT_MAX);
	if (r == MONEY_E_SYNTAX)
		return r;
	fits = r == 0;
	for (size_t i = 0; i < currency_decimals(c); i++) {
		char digit = i < n_decimals ? dot[1 + i] : '0';

		if (!str_is_digit(digit))
			return MONEY_E_SYNTAX;
		fits = fits && push_digit(&value, (unsigned)(digit - '0'), INPUT_MAX);
	}
	if (!fits)
		return MONEY_E_RANGE;
	*ret = (struct money){ value, c };
	return 0;
}

size_t money_format_amount(char *ret, u128 amount)
{
	char digits[MONEY_TEXT_MAX];
	size_t at = sizeof(digits);
	size_t n;

	digits[--at] = '\0';
	do {
		digits[--at] = (char)('0' + (unsigned)(amount % 10));
		amount /= 10;
	} while (amount != 0);
	n = sizeof(digits) - at - 1;
	memcpy(ret, digits + at, n + 1);
	return n;
}

size_t money_format_human(char *ret, struct money m)
{
	char digits[MONEY_TEXT_MAX];
	struct str code = str_of(currency_code(m.currency));
	size_t n_decimals = currency_decimals(m.currency);
	size_t n_digits, n_whole, at = 0;

	ret[0] = '\0';
	if (!money_is_set(m))
		return 0;
	n_digits = money_format_amount(digits, m.amount);
	n_whole = n_digits > n_decimals ? n_digits - n_decimals : 0;
	if (n_whole == 0)
		ret[at++] = '0';
	memcpy(ret, digits, n_whole);
	at += n_whole;

	size_t n_point = at;
	ret[at++] = '.';
	for (size_t i = n_digits - n_whole; i < n_decimals; i++)
		ret[at++] = '0';
	memcpy(ret + at, digits + n_whole, n_digits - n_whole);
	at += n_digits - n_whole;
	while (ret[at - 1] == '0')
		at--;
	if (at == n_point + 1)
		at = n_point;

	ret[at++] = ' ';
	memcpy(ret + at, code.p, code.n + 1);
	return at + code.n;
}

void money_json(struct json_out *j, const char *key, struct money m)
{
	char amount[MONEY_TEXT_MAX];

	if (!money_is_set(m))
		return;
	money_format_amount(amount, m.amount);
	json_begin(j, key);
	json_strz(j, "amount", amount);
	json_strz(j, "currency", currency_code(m.currency));
	json_end(j);
}

void money_json_or_null(struct json_out *j, const char *key, struct money m)
{
	if (money_is_set(m))
		money_json(j, key, m);
	else
		json_out_null(j, key);
}

int money_add(struct money *ret, struct money a, struct money b)
{
	if (!currency_is_par(a.currency, b.currency))
		return MONEY_E_CURRENCY;
	if (a.amount > U128_MAX - b.amount)
		return MONEY_E_RANGE;
	*ret = (struct money){ a.amount + b.amount, a.currency };
	return 0;
}

int money_sub(struct money *ret, struct money a, struct money b)
{
	if (!currency_is_par(a.currency, b.currency))
		return MONEY_E_CURRENCY;
	if (a.amount < b.amount)
		return MONEY_E_NEGATIVE;
	*ret = (struct money){ a.amount - b.amount, a.currency };
	return 0;
}

int money_cmp(struct money a, struct money b)
{
	assert(currency_is_par(a.currency, b.currency));
	return (a.amount > b.amount) - (a.amount < b.amount);
}

int money_add_bps(struct money *ret, struct money m, int32_t bps, enum rounding mode)
{
	int64_t factor = (int64_t)BPS_PER_UNIT + bps;
	u128 amount;
	int r;

	if (!money_is_set(m))
		return MONEY_E_CURRENCY;
	if (factor < 0)
		return MONEY_E_NEGATIVE;
	r = u128_mul_div(&amount, m.amount, (u128)factor, BPS_PER_UNIT, mode);
	if (r != 0)
		return r;
	*ret = (struct money){ amount, m.currency };
	return 0;
}

int money_round(struct money *ret, struct money m, u128 quantum, enum rounding mode)
{
	u128 multiples;
	int r;

	assert(quantum != 0);
	if (!money_is_set(m))
		return MONEY_E_CURRENCY;
	r = u128_mul_div(&multiples, m.amount, 1, quantum, mode);
	if (r != 0)
		return r;
	if (multiples > U128_MAX / quantum)
		return MONEY_E_RANGE;
	*ret = (struct money){ multiples * quantum, m.currency };
	return 0;
}
