/*
 * Order. Integers meet doubles as doubles, as in cel-go: the conformance suite has 2^63 - 1 not
 * below 2^63.0, so an exact comparison would be the wrong one. A double beyond the range of the
 * integer is decided first, for what rounding could not tell.
 */
#include <math.h>

#include "pricing/cel/lib_impl.h"

#define THREE_WAY(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_double_with_int(double d, int64_t i)
{
	return THREE_WAY(d, (double)i);
}

static int compare_double_with_uint(double d, uint64_t u)
{
	return THREE_WAY(d, (double)u);
}

static int compare_int_with_uint(int64_t i, uint64_t u)
{
	return i < 0 ? -1 : THREE_WAY((uint64_t)i, u);
}

static int compare_bytes(struct cel_value a, struct cel_value b)
{
	uint32_t n = a.n < b.n ? a.n : b.n;
	int r = n ? memcmp(a.s, b.s, n) : 0;

	return r ? THREE_WAY(r, 0) : THREE_WAY(a.n, b.n);
}

#define PAIR(a, b) ((unsigned)(a) << 8 | (unsigned)(b))

/* Two numbers of different kinds, none of them NaN; false if they are no numbers. */
static bool compare_mixed(struct cel_value a, struct cel_value b, int *ret)
{
	switch (PAIR(a.kind, b.kind)) {
	case PAIR(CEL_V_INT, CEL_V_UINT):
		*ret = compare_int_with_uint(a.i, b.u);
		return true;
	case PAIR(CEL_V_UINT, CEL_V_INT):
		*ret = -compare_int_with_uint(b.i, a.u);
		return true;
	case PAIR(CEL_V_DOUBLE, CEL_V_INT):
		*ret = compare_double_with_int(a.d, b.i);
		return true;
	case PAIR(CEL_V_INT, CEL_V_DOUBLE):
		*ret = -compare_double_with_int(b.d, a.i);
		return true;
	case PAIR(CEL_V_DOUBLE, CEL_V_UINT):
		*ret = compare_double_with_uint(a.d, b.u);
		return true;
	case PAIR(CEL_V_UINT, CEL_V_DOUBLE):
		*ret = -compare_double_with_uint(b.d, a.u);
		return true;
	}
	return false;
}

static bool is_number(struct cel_value v)
{
	return v.kind == CEL_V_INT || v.kind == CEL_V_UINT || v.kind == CEL_V_DOUBLE;
}

static bool is_nan(struct cel_value v)
{
	return v.kind == CEL_V_DOUBLE && isnan(v.d);
}

/* Everything that has no quick answer: errors, NaN, money, what has no order. NaN is neither below
 * nor above nor equal: every relation is false, as IEEE 754 and cel-go since 0.33 have it. */
static bool compare_rest(struct cel_value a, struct cel_value b, int *ret, struct cel_value *error)
{
	*ret = 0;
	*error = lib_no_overload();
	if (cel_is_error(a) || cel_is_error(b)) {
		*error = cel_is_error(a) ? a : b;
		return false;
	}
	if (is_number(a) && is_number(b) && (is_nan(a) || is_nan(b))) {
		*ret = 2;
		return true;
	}
	if (a.kind == CEL_V_MONEY && b.kind == CEL_V_MONEY) {
		*error = lib_no_path();
		if (!currency_is_par(a.currency, b.currency))
			return false;
		*ret = money_cmp(cel_money_of(a), cel_money_of(b));
		return true;
	}
	return compare_mixed(a, b, ret);
}

bool cel_compare(struct cel_value a, struct cel_value b, int *ret, struct cel_value *error)
{
	if (a.kind != b.kind)
		return compare_rest(a, b, ret, error);
	switch ((enum cel_value_kind)a.kind) {
	case CEL_V_BOOL:
		*ret = THREE_WAY(a.b, b.b);
		return true;
	case CEL_V_INT:
	case CEL_V_DURATION:
	case CEL_V_BPS:
		*ret = THREE_WAY(a.i, b.i);
		return true;
	case CEL_V_UINT:
		*ret = THREE_WAY(a.u, b.u);
		return true;
	case CEL_V_DOUBLE:
		*ret = THREE_WAY(a.d, b.d);
		return !isunordered(a.d, b.d) || compare_rest(a, b, ret, error);
	case CEL_V_STRING: /* the order of UTF-8 is that of the code points */
	case CEL_V_BYTES:
		*ret = compare_bytes(a, b);
		return true;
	case CEL_V_TIMESTAMP:
		*ret = a.i != b.i ? THREE_WAY(a.i, b.i) : THREE_WAY(a.n, b.n);
		return true;
	case CEL_V_ERROR:
	case CEL_V_NULL:
	case CEL_V_MONEY:
	case CEL_V_LIST:
	case CEL_V_MAP:
	case CEL_V_TYPE:
		return compare_rest(a, b, ret, error);
	}
	return compare_rest(a, b, ret, error);
}

struct cel_value lib_order(enum cel_function f, struct cel_value a, struct cel_value b)
{
	struct cel_value error;
	int order;

	if (!cel_compare(a, b, &order, &error))
		return error;
	switch (f) {
	case CEL_F_LT:
		return cel_bool(order < 0);
	case CEL_F_LE:
		return cel_bool(order <= 0);
	case CEL_F_GT:
		return cel_bool(order == 1);
	default:
		return cel_bool(order == 0 || order == 1);
	}
}

struct cel_value lib_extreme(enum cel_function f, const struct cel_value *args, unsigned n)
{
	int wanted = f == CEL_F_MATH_LEAST ? -1 : 1;
	struct cel_value ret;

	if (n == 1 && args[0].kind == CEL_V_LIST) {
		n = args[0].n;
		args = args[0].list;
	}
	if (n == 0)
		return cel_error(CEL_R_ARGUMENT, "argument must not be empty");
	ret = args[0];
	if (!is_number(ret))
		return cel_is_error(ret) ? ret : lib_no_overload();
	for (unsigned i = 1; i < n; i++) {
		struct cel_value error;
		int order;

		if (!is_number(args[i]))
			return lib_no_overload();
		if (!cel_compare(args[i], ret, &order, &error))
			return error;
		if (order == 2)
			return cel_error(CEL_R_ARGUMENT, "NaN values cannot be ordered");
		if (order == wanted)
			ret = args[i];
	}
	return ret;
}
