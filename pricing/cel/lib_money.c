/*
 * Money and basis points, on the checked arithmetic of model/money.h. Results of a percentage are
 * rounded in the mode that the context names, a distance from the sign outwards: -2.5 rounds half
 * up to -3, as 2.5 does to 3.
 */
#include "pricing/cel/lib_impl.h"

#define BPS_PER_UNIT 10000

struct cel_value lib_money_error(int code)
{
	switch (code) {
	case MONEY_E_NEGATIVE:
		return cel_error(CEL_R_NEGATIVE, "money below zero");
	case MONEY_E_RANGE:
		return cel_error(CEL_R_OVERFLOW, "amount of money out of range");
	case MONEY_E_CURRENCY:
		return lib_no_path();
	default:
		return cel_error(CEL_R_ARGUMENT, "not an amount of money");
	}
}

static struct cel_value money_or_error(int r, struct money m)
{
	return r == 0 ? cel_money(m) : lib_money_error(r);
}

struct cel_value lib_money_add(struct cel_value a, struct cel_value b)
{
	struct money m = { 0 };
	int r = money_add(&m, cel_money_of(a), cel_money_of(b));

	return money_or_error(r, m);
}

struct cel_value lib_money_subtract(struct cel_value a, struct cel_value b)
{
	struct money m = { 0 };
	int r = money_sub(&m, cel_money_of(a), cel_money_of(b));

	return money_or_error(r, m);
}

/* money("1.25", "ETH") and units("1250000000000000000", "ETH") */
static struct cel_value make(enum cel_function f, struct cel_value amount, struct cel_value code)
{
	struct money m = { 0 };
	currency which;
	int r;

	if (amount.kind != CEL_V_STRING || code.kind != CEL_V_STRING)
		return lib_no_overload();
	which = currency_find(cel_str(code));
	if (which == 0)
		return cel_error(CEL_R_ARGUMENT, "unknown currency");
	if (f == CEL_F_MONEY)
		r = money_parse_decimal(&m, cel_str(amount), which);
	else
		r = money_parse_amount(&m.amount, cel_str(amount));
	m.currency = which;
	return r == MONEY_E_RANGE ? lib_range() : money_or_error(r, m);
}

static struct cel_value add_bps(enum rounding mode, struct cel_value money, struct cel_value bps)
{
	struct money m;
	int r;

	if (money.kind != CEL_V_MONEY || bps.kind != CEL_V_BPS)
		return lib_no_overload();
	m = cel_money_of(money);
	if (bps.i < -BPS_PER_UNIT)
		return lib_money_error(MONEY_E_NEGATIVE);
	r = u128_mul_div(
		&m.amount, m.amount, (u128)((__int128)bps.i + BPS_PER_UNIT), BPS_PER_UNIT, mode);
	return money_or_error(r, m);
}

/* (a - b) / b in basis points. */
static struct cel_value bps_over(enum rounding mode, struct cel_value a, struct cel_value b)
{
	u128 of, over, distance;

	if (a.kind != CEL_V_MONEY || b.kind != CEL_V_MONEY)
		return lib_no_overload();
	if (!currency_is_par(a.currency, b.currency))
		return lib_no_path();
	of = cel_money_of(a).amount;
	over = cel_money_of(b).amount;
	if (over == 0)
		return cel_error(CEL_R_DIVIDE, "division by zero");
	if (u128_mul_div(&distance, of < over ? over - of : of - over, BPS_PER_UNIT, over, mode) !=
			0 ||
		distance > INT64_MAX)
		return lib_overflow();
	return cel_bps(of < over ? -(int64_t)distance : (int64_t)distance);
}

static struct cel_value extreme(enum cel_function f, const struct cel_value *args, unsigned n)
{
	int wanted = f == CEL_F_MONEY_MIN ? -1 : 1;
	struct cel_value ret = args[0];

	for (unsigned i = 0; i < n; i++) {
		struct cel_value error;
		int order;

		if (args[i].kind != CEL_V_MONEY)
			return lib_no_overload();
		if (!cel_compare(args[i], ret, &order, &error))
			return error;
		if (order == wanted)
			ret = args[i];
	}
	return ret;
}

/* An age of milliseconds; one from a clock ahead of ours is below zero, and fresh. */
static struct cel_value is_fresh(struct cel_value age, struct cel_value limit)
{
	if (limit.kind == CEL_V_STRING)
		limit = cel_duration_parse(cel_str(limit));
	if (cel_is_error(limit))
		return limit;
	if (age.kind != CEL_V_INT || limit.kind != CEL_V_DURATION)
		return lib_no_overload();
	return cel_bool((__int128)age.i * NS_PER_MS <= limit.i);
}

struct cel_value lib_money(
	struct cel_context *c, enum cel_function f, const struct cel_value *args, unsigned n)
{
	switch (f) {
	case CEL_F_MONEY:
	case CEL_F_UNITS:
		return make(f, args[0], args[1]);
	case CEL_F_BPS:
		return args[0].kind == CEL_V_INT ? cel_bps(args[0].i) : lib_no_overload();
	case CEL_F_ADD_BPS:
		return add_bps(c->rounding, args[0], args[1]);
	case CEL_F_BPS_OVER:
		return bps_over(c->rounding, args[0], args[1]);
	case CEL_F_IS_FRESH:
		return is_fresh(args[0], args[1]);
	default:
		return extreme(f, args, n);
	}
}
