/*
 * One switch from the number of a function to what does it. The cost is counted before anything is
 * done, from the sizes of the arguments: what would be too dear is then not begun.
 */
#include "pricing/cel/lib_impl.h"

#define BYTES_PER_UNIT 10

static uint64_t text_weight(uint64_t n_bytes)
{
	return (n_bytes + BYTES_PER_UNIT - 1) / BYTES_PER_UNIT;
}

static uint64_t weight(struct cel_value v)
{
	uint64_t sum = 0;

	switch ((enum cel_value_kind)v.kind) {
	case CEL_V_STRING:
	case CEL_V_BYTES:
		return text_weight(v.n);
	case CEL_V_LIST:
		for (uint32_t i = 0; i < v.n; i++)
			sum += 1 + weight(v.list[i]);
		return sum;
	case CEL_V_MAP:
		for (uint32_t i = 0; i < v.map->n; i++)
			sum += 2 + weight(v.map->keys[i]) + weight(v.map->values[i]);
		return sum;
	default:
		return 0;
	}
}

static bool is_text(struct cel_value v)
{
	return v.kind == CEL_V_STRING || v.kind == CEL_V_BYTES;
}

/* What two values of different kinds need is nothing: the kind decides. */
static uint64_t comparison_cost(struct cel_value a, struct cel_value b)
{
	uint64_t weight_a, weight_b;

	if (a.kind != b.kind)
		return 0;
	if (is_text(a))
		return text_weight(a.n < b.n ? a.n : b.n);
	if (a.kind != CEL_V_LIST && a.kind != CEL_V_MAP)
		return 0;
	weight_a = weight(a);
	weight_b = weight(b);
	return weight_a < weight_b ? weight_a : weight_b;
}

static uint64_t in_cost(struct cel_value element, struct cel_value container)
{
	bool is_deep = element.kind == CEL_V_LIST || element.kind == CEL_V_MAP;

	if (container.kind != CEL_V_LIST)
		return container.kind == CEL_V_MAP ? text_weight(is_text(element) ? element.n : 0)
						   : 0;
	return container.n * (1 + (is_deep ? weight(element) : 0));
}

static uint64_t add_cost(struct cel_value a, struct cel_value b)
{
	if (a.kind == CEL_V_LIST && b.kind == CEL_V_LIST)
		return (uint64_t)a.n + b.n;
	return is_text(a) && is_text(b) ? text_weight((uint64_t)a.n + b.n) : 0;
}

static uint64_t texts_cost(const struct cel_value *args, unsigned n)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += is_text(args[i]) ? text_weight(args[i].n) : 0;
	return sum;
}

uint64_t cel_call_cost(enum cel_function f, const struct cel_value *args, unsigned n)
{
	switch (f) {
	case CEL_F_EQ:
	case CEL_F_NE:
	case CEL_F_LT:
	case CEL_F_LE:
	case CEL_F_GT:
	case CEL_F_GE:
		return 1 + comparison_cost(args[0], args[1]);
	case CEL_F_ADD:
		return 1 + add_cost(args[0], args[1]);
	case CEL_F_IN:
		return 1 + in_cost(args[0], args[1]);
	case CEL_F_MATCHES:
		return 1 + (is_text(args[0]) && is_text(args[1])
					   ? ((uint64_t)args[0].n * args[1].n + 39) / 40
					   : 0);
	case CEL_F_SUB:
	case CEL_F_MUL:
	case CEL_F_DIV:
	case CEL_F_MOD:
	case CEL_F_NEGATE:
	case CEL_F_NOT:
	case CEL_F_INDEX:
	case CEL_F_DYN:
	case CEL_F_TYPE:
		return 1;
	case CEL_F_MATH_LEAST:
	case CEL_F_MATH_GREATEST:
		return 1 + (args[0].kind == CEL_V_LIST ? args[0].n : n - 1);
	default:
		return 1 + texts_cost(args, n);
	}
}

struct cel_value cel_cost_error(void)
{
	return cel_error(CEL_R_COST, "the cost of the evaluation is over its limit");
}

static struct cel_value call_operator(
	struct cel_context *c, enum cel_function f, struct cel_value a, struct cel_value b)
{
	switch (f) {
	case CEL_F_EQ:
		return cel_bool(cel_equal(a, b));
	case CEL_F_NE:
		return cel_bool(!cel_equal(a, b));
	case CEL_F_ADD:
		return cel_add(c, a, b);
	case CEL_F_SUB:
		return lib_subtract(a, b);
	case CEL_F_MUL:
		return lib_multiply(a, b);
	case CEL_F_DIV:
		return lib_divide(a, b);
	case CEL_F_MOD:
		return lib_modulo(a, b);
	case CEL_F_IN:
		return cel_in(a, b);
	case CEL_F_INDEX:
		return cel_index(a, b);
	default:
		return lib_order(f, a, b);
	}
}

/* All but the operators of two operands. */
static struct cel_value call_function(
	struct cel_context *c, enum cel_function f, const struct cel_value *args, unsigned n)
{
	switch (f) {
	case CEL_F_NOT:
		return args[0].kind == CEL_V_BOOL ? cel_bool(!args[0].b) : lib_no_overload();
	case CEL_F_NEGATE:
		return lib_negate(args[0]);
	case CEL_F_SIZE:
		return lib_size(args[0]);
	case CEL_F_CONTAINS:
	case CEL_F_STARTS_WITH:
	case CEL_F_ENDS_WITH:
	case CEL_F_MATCHES:
		return lib_text_test(c, f, args[0], args[1]);
	case CEL_F_DYN:
		return args[0];
	case CEL_F_DURATION:
		return lib_to_duration(args[0]);
	case CEL_F_TIMESTAMP:
		return lib_to_timestamp(args[0]);
	case CEL_F_BOOL:
	case CEL_F_BYTES:
	case CEL_F_DOUBLE:
	case CEL_F_INT:
	case CEL_F_STRING:
	case CEL_F_TYPE:
	case CEL_F_UINT:
		return lib_convert(c, f, args[0]);
	case CEL_F_LOWER_ASCII:
	case CEL_F_UPPER_ASCII:
	case CEL_F_TRIM:
		return lib_text_change(c, f, args[0]);
	case CEL_F_MATH_LEAST:
	case CEL_F_MATH_GREATEST:
		return lib_extreme(f, args, n);
	case CEL_F_MONEY:
	case CEL_F_UNITS:
	case CEL_F_BPS:
	case CEL_F_ADD_BPS:
	case CEL_F_BPS_OVER:
	case CEL_F_MONEY_MIN:
	case CEL_F_MONEY_MAX:
	case CEL_F_IS_FRESH:
		return lib_money(c, f, args, n);
	default:
		return lib_time_get(f, args, n);
	}
}

static bool is_ours(enum cel_function f)
{
	return f > CEL_F_UNKNOWN && f < CEL_F_N && f != CEL_F_AND && f != CEL_F_OR &&
	       f != CEL_F_CONDITIONAL && f != CEL_F_NOT_STRICTLY_FALSE;
}

struct cel_value cel_call(
	struct cel_context *c, enum cel_function f, const struct cel_value *args, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (cel_is_error(args[i]))
			return args[i];
	if (!is_ours(f) || n < cel_functions[f].n_least || n > cel_functions[f].n_most)
		return lib_no_overload();
	if (!cel_spend(c, cel_call_cost(f, args, n)))
		return cel_cost_error();
	if (f >= CEL_F_EQ && f <= CEL_F_INDEX)
		return call_operator(c, f, args[0], args[1]);
	return call_function(c, f, args, n);
}
