/*
 * + - * / % and negation. Kinds must fit exactly: there is no arithmetic across int, uint and
 * double. Integers that do not fit 64 bits are errors, doubles follow IEEE 754.
 */
#include "pricing/cel/lib_impl.h"

#define PAIR(a, b) ((unsigned)(a) << 8 | (unsigned)(b))

static struct cel_value uint_overflow(void)
{
	return cel_error(CEL_R_OVERFLOW, "unsigned integer overflow");
}

static struct cel_value duration_overflow(void)
{
	return cel_error(CEL_R_RANGE, "duration overflow");
}

static struct cel_value division_by_zero(void)
{
	return cel_error(CEL_R_DIVIDE, "division by zero");
}

static struct cel_value modulus_by_zero(void)
{
	return cel_error(CEL_R_DIVIDE, "modulus by zero");
}

static struct cel_value concat_texts(struct cel_context *c, struct cel_value a, struct cel_value b)
{
	char *p;

	if (a.n == 0 || b.n == 0)
		return a.n == 0 ? b : a;
	if (b.n > UINT32_MAX - a.n)
		return lib_no_memory();
	p = arena_alloc(c->arena, (size_t)a.n + b.n);
	if (!p)
		return lib_no_memory();
	memcpy(p, a.s, a.n);
	memcpy(p + a.n, b.s, b.n);
	return (struct cel_value){ .kind = a.kind, .n = a.n + b.n, .s = p };
}

static struct cel_value concat_lists(struct cel_context *c, struct cel_value a, struct cel_value b)
{
	struct cel_value *p;

	if (a.n == 0 || b.n == 0)
		return a.n == 0 ? b : a;
	if (b.n > UINT32_MAX - a.n)
		return lib_no_memory();
	p = arena_alloc(c->arena, ((size_t)a.n + b.n) * sizeof(*p));
	if (!p)
		return lib_no_memory();
	memcpy(p, a.list, a.n * sizeof(*p));
	memcpy(p + a.n, b.list, b.n * sizeof(*p));
	return (struct cel_value){ .kind = CEL_V_LIST, .n = a.n + b.n, .list = p };
}

static struct cel_value add_i64(uint8_t kind, int64_t a, int64_t b)
{
	struct cel_value ret = { .kind = kind };

	if (__builtin_add_overflow(a, b, &ret.i))
		return kind == CEL_V_DURATION ? duration_overflow() : lib_overflow();
	return ret;
}

static struct cel_value subtract_i64(uint8_t kind, int64_t a, int64_t b)
{
	struct cel_value ret = { .kind = kind };

	if (__builtin_sub_overflow(a, b, &ret.i))
		return kind == CEL_V_DURATION ? duration_overflow() : lib_overflow();
	return ret;
}

static struct cel_value multiply_i64(uint8_t kind, int64_t a, int64_t b)
{
	struct cel_value ret = { .kind = kind };

	return __builtin_mul_overflow(a, b, &ret.i) ? lib_overflow() : ret;
}

static struct cel_value add_u64(uint64_t a, uint64_t b)
{
	uint64_t ret;

	return __builtin_add_overflow(a, b, &ret) ? uint_overflow() : cel_uint(ret);
}

struct cel_value cel_add(struct cel_context *c, struct cel_value a, struct cel_value b)
{
	switch (PAIR(a.kind, b.kind)) {
	case PAIR(CEL_V_INT, CEL_V_INT):
	case PAIR(CEL_V_BPS, CEL_V_BPS):
	case PAIR(CEL_V_DURATION, CEL_V_DURATION):
		return add_i64(a.kind, a.i, b.i);
	case PAIR(CEL_V_UINT, CEL_V_UINT):
		return add_u64(a.u, b.u);
	case PAIR(CEL_V_DOUBLE, CEL_V_DOUBLE):
		return cel_double(a.d + b.d);
	case PAIR(CEL_V_STRING, CEL_V_STRING):
	case PAIR(CEL_V_BYTES, CEL_V_BYTES):
		return concat_texts(c, a, b);
	case PAIR(CEL_V_LIST, CEL_V_LIST):
		return concat_lists(c, a, b);
	case PAIR(CEL_V_TIMESTAMP, CEL_V_DURATION):
		return lib_timestamp_add(a, b.i);
	case PAIR(CEL_V_DURATION, CEL_V_TIMESTAMP):
		return lib_timestamp_add(b, a.i);
	case PAIR(CEL_V_MONEY, CEL_V_MONEY):
		return lib_money_add(a, b);
	}
	if (cel_is_error(a) || cel_is_error(b))
		return cel_is_error(a) ? a : b;
	return lib_no_overload();
}

static struct cel_value subtract_duration(struct cel_value timestamp, int64_t ns)
{
	if (ns == INT64_MIN)
		return duration_overflow();
	return lib_timestamp_add(timestamp, -ns);
}

struct cel_value lib_subtract(struct cel_value a, struct cel_value b)
{
	switch (PAIR(a.kind, b.kind)) {
	case PAIR(CEL_V_INT, CEL_V_INT):
	case PAIR(CEL_V_BPS, CEL_V_BPS):
	case PAIR(CEL_V_DURATION, CEL_V_DURATION):
		return subtract_i64(a.kind, a.i, b.i);
	case PAIR(CEL_V_UINT, CEL_V_UINT):
		return b.u > a.u ? uint_overflow() : cel_uint(a.u - b.u);
	case PAIR(CEL_V_DOUBLE, CEL_V_DOUBLE):
		return cel_double(a.d - b.d);
	case PAIR(CEL_V_TIMESTAMP, CEL_V_DURATION):
		return subtract_duration(a, b.i);
	case PAIR(CEL_V_TIMESTAMP, CEL_V_TIMESTAMP):
		return lib_timestamp_difference(a, b);
	case PAIR(CEL_V_MONEY, CEL_V_MONEY):
		return lib_money_subtract(a, b);
	}
	return lib_no_overload();
}

struct cel_value lib_multiply(struct cel_value a, struct cel_value b)
{
	uint64_t u;

	switch (PAIR(a.kind, b.kind)) {
	case PAIR(CEL_V_INT, CEL_V_INT):
		return multiply_i64(CEL_V_INT, a.i, b.i);
	case PAIR(CEL_V_INT, CEL_V_BPS):
	case PAIR(CEL_V_BPS, CEL_V_INT):
		return multiply_i64(CEL_V_BPS, a.i, b.i);
	case PAIR(CEL_V_UINT, CEL_V_UINT):
		return __builtin_mul_overflow(a.u, b.u, &u) ? uint_overflow() : cel_uint(u);
	case PAIR(CEL_V_DOUBLE, CEL_V_DOUBLE):
		return cel_double(a.d * b.d);
	}
	return lib_no_overload();
}

/* Its own attribute, because C leaves to the implementation what IEEE 754 defines. */
__attribute__((no_sanitize("float-divide-by-zero"))) static double quotient(double a, double b)
{
	return a / b;
}

struct cel_value lib_divide(struct cel_value a, struct cel_value b)
{
	switch (PAIR(a.kind, b.kind)) {
	case PAIR(CEL_V_INT, CEL_V_INT):
		if (b.i == 0)
			return division_by_zero();
		/* The quotient of the least integer and -1 is one too large. */
		return b.i == -1 ? subtract_i64(CEL_V_INT, 0, a.i) : cel_int(a.i / b.i);
	case PAIR(CEL_V_UINT, CEL_V_UINT):
		return b.u == 0 ? division_by_zero() : cel_uint(a.u / b.u);
	case PAIR(CEL_V_DOUBLE, CEL_V_DOUBLE):
		return cel_double(quotient(a.d, b.d));
	}
	return lib_no_overload();
}

struct cel_value lib_modulo(struct cel_value a, struct cel_value b)
{
	switch (PAIR(a.kind, b.kind)) {
	case PAIR(CEL_V_INT, CEL_V_INT):
		if (b.i == 0)
			return modulus_by_zero();
		if (b.i == -1)
			return a.i == INT64_MIN ? lib_overflow() : cel_int(0);
		return cel_int(a.i % b.i);
	case PAIR(CEL_V_UINT, CEL_V_UINT):
		return b.u == 0 ? modulus_by_zero() : cel_uint(a.u % b.u);
	}
	return lib_no_overload();
}

struct cel_value lib_negate(struct cel_value a)
{
	switch ((enum cel_value_kind)a.kind) {
	case CEL_V_INT:
	case CEL_V_BPS:
	case CEL_V_DURATION:
		return subtract_i64(a.kind, 0, a.i);
	case CEL_V_DOUBLE:
		return cel_double(-a.d);
	default:
		return lib_no_overload();
	}
}
