/*
 * The static worst case: one walk over the tree with a bound of the size of every value.
 *
 * A bound has four levels: the value itself, its elements, theirs, and all that is deeper. Each
 * level knows how many bytes a text there may have and how many elements a list, because `dyn` may
 * be either. Literals are as long as they are, variables as long as cost.h assumes, and `dyn` is
 * not nested deeper than the levels.
 */
#include "pricing/cel/cost.h"

#include <assert.h>

#include "pricing/cel/function.h"
#include "pricing/cel/shape.h"

#define LEVELS 4

struct bound {
	uint32_t text[LEVELS], list[LEVELS];
	uint8_t maps; /* bit i: what level i holds may be maps */
	bool is_deep; /* there is more below the last level than it says */
};

struct local { /* a variable of a comprehension */
	struct str name;
	struct bound bound;
	const struct local *outer;
};

static const struct bound unknown = { { CEL_TEXT_WORST, CEL_TEXT_WORST, CEL_TEXT_WORST,
					      CEL_TEXT_WORST },
	{ CEL_LIST_WORST, CEL_LIST_WORST, CEL_LIST_WORST, CEL_LIST_WORST }, 0xf, false };

/* Saturating: a cost that does not fit is over any limit. */
static uint64_t sum(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static uint64_t product(uint64_t a, uint64_t b)
{
	uint64_t r;

	return __builtin_mul_overflow(a, b, &r) ? UINT64_MAX : r;
}

static uint64_t tenth(uint64_t n)
{
	return n / 10 + (n % 10 != 0);
}

static uint32_t clamp(uint64_t n)
{
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static void join(struct bound *a, const struct bound *b)
{
	for (int i = 0; i < LEVELS; i++) {
		a->text[i] = larger(a->text[i], b->text[i]);
		a->list[i] = larger(a->list[i], b->list[i]);
	}
	a->maps |= b->maps;
	a->is_deep |= b->is_deep;
}

static struct bound element_of(const struct bound *b)
{
	struct bound r = *b;

	for (int i = 0; i + 1 < LEVELS; i++) {
		r.text[i] = b->text[i + 1];
		r.list[i] = b->list[i + 1];
	}
	r.maps = b->maps >> 1;
	if (b->is_deep)
		r.maps |= b->maps & 1u << (LEVELS - 1);
	else
		r.text[LEVELS - 1] = r.list[LEVELS - 1] = 0;
	return r;
}

/* One more element of a list or map. */
static void contain(struct bound *into, const struct bound *e)
{
	for (int i = 0; i < LEVELS; i++) {
		int to = i + 1 < LEVELS ? i + 1 : i;

		into->text[to] = larger(into->text[to], e->text[i]);
		into->list[to] = larger(into->list[to], e->list[i]);
	}
	into->maps |= (uint8_t)(e->maps << 1 | (e->maps & 1u << (LEVELS - 1)));
	into->is_deep |= e->is_deep || e->list[LEVELS - 1] > 0;
}

static struct bound bound_of_type(const struct cel_type *t)
{
	struct bound r = { 0 }, e;

	if (!t)
		return unknown;
	switch (t->kind) {
	case CEL_T_DYN:
	case CEL_T_PARAM:
	case CEL_T_ERROR:
		return unknown;
	case CEL_T_STRING:
	case CEL_T_BYTES:
		r.text[0] = CEL_TEXT_WORST;
		return r;
	case CEL_T_MAP:
		e = bound_of_type(t->b);
		contain(&r, &e);
		r.maps |= 1;
		/* fall through */
	case CEL_T_LIST:
		e = bound_of_type(t->a);
		contain(&r, &e);
		r.list[0] = CEL_LIST_WORST;
		return r;
	default:
		return r;
	}
}

/* What cel_call_cost() calls the weight of a value. */
static uint64_t weight_at(const struct bound *b, unsigned level)
{
	uint64_t inside, weight;

	assert(level < LEVELS);
	weight = tenth(b->text[level]);
	if (b->list[level] == 0)
		return weight;
	inside = level + 1 < LEVELS ? weight_at(b, level + 1) : b->is_deep ? UINT32_MAX : 0;
	inside = sum(inside, 1);
	if (b->maps & 1u << level)
		inside = product(inside, 2);
	inside = product(inside, b->list[level]);
	return inside > weight ? inside : weight;
}

/* As cel_call_cost() without its 1, of bounds. */
static uint64_t extra(enum cel_function f, const struct bound *args, unsigned n)
{
	uint64_t ret = 0, a, b;

	switch (f) {
	case CEL_F_EQ:
	case CEL_F_NE:
	case CEL_F_LT:
	case CEL_F_LE:
	case CEL_F_GT:
	case CEL_F_GE:
		a = weight_at(&args[0], 0);
		b = weight_at(&args[1], 0);
		return a < b ? a : b;
	case CEL_F_ADD:
		for (unsigned i = 0; i < n; i++)
			ret = sum(ret, sum(tenth(args[i].text[0]), args[i].list[0]));
		return ret;
	case CEL_F_IN:
		a = product(args[1].list[0], args[0].list[0] ? sum(1, weight_at(&args[0], 0)) : 1);
		b = args[1].maps & 1 ? weight_at(&args[0], 0) : 0; /* a key is read once */
		return a > b ? a : b;
	case CEL_F_MATH_LEAST:
	case CEL_F_MATH_GREATEST:
		return n == 1 ? args[0].list[0] : n - 1;
	case CEL_F_MATCHES:
		ret = n == 2 ? product(args[0].text[0], args[1].text[0]) : 0; /* unchecked: any */
		return ret / 40 + (ret % 40 != 0);
	default:
		for (unsigned i = 0; i < n; i++)
			ret = sum(ret, tenth(args[i].text[0]));
		return ret;
	}
}

/* The cost of @n, and (unless NULL) the bound of its value into *ret. */
static uint64_t walk(const struct cel_node *n, const struct local *l, struct bound *ret);

static const struct local *local_of(const struct local *l, struct str name)
{
	while (l && !str_eq(l->name, name))
		l = l->outer;
	return l;
}

/* Nothing in it to read through: numbers, moments, money. */
static bool is_scalar(const struct cel_node *n)
{
	if (!n->type)
		return false;
	switch (n->type->kind) {
	case CEL_T_DYN:
	case CEL_T_STRING:
	case CEL_T_BYTES:
	case CEL_T_LIST:
	case CEL_T_MAP:
	case CEL_T_PARAM:
	case CEL_T_ERROR:
		return false;
	default:
		return true;
	}
}

static void bound_of_const(struct cel_value v, struct bound *ret)
{
	*ret = (struct bound){ 0 };
	if (v.kind == CEL_V_STRING || v.kind == CEL_V_BYTES)
		ret->text[0] = v.n;
}

static void bound_of_ident(const struct cel_node *n, const struct local *l, struct bound *ret)
{
	l = n->slot == CEL_SLOT_NONE ? local_of(l, n->ident.name) : NULL;
	*ret = l ? l->bound : bound_of_type(n->type);
}

static uint64_t of_select(const struct cel_node *n, const struct local *l, struct bound *ret)
{
	bool is_used = ret && !n->is_test_only;
	struct bound operand;
	uint64_t cost = 1;

	if (n->slot == CEL_SLOT_NONE)
		cost = sum(cost, walk(n->select.operand, l, is_used ? &operand : NULL));
	if (!is_used) {
		if (ret)
			*ret = (struct bound){ 0 };
		return cost;
	}
	*ret = n->slot == CEL_SLOT_NONE ? element_of(&operand) : bound_of_type(n->type);
	return cost;
}

/* Of an element, key or value; joined to what the whole may hold. */
static uint64_t of_part(const struct cel_node *n, const struct local *l, struct bound *whole)
{
	struct bound part;
	uint64_t cost = walk(n, l, whole ? &part : NULL);

	if (whole)
		contain(whole, &part);
	return cost;
}

static uint64_t of_list(const struct cel_node *n, const struct local *l, struct bound *ret)
{
	uint64_t cost = CEL_COST_LIST;

	if (ret)
		*ret = (struct bound){ .list = { n->list.n } };
	for (uint32_t i = 0; i < n->list.n; i++)
		cost = sum(cost, of_part(n->list.v[i], l, ret));
	return cost;
}

static uint64_t of_map(const struct cel_node *n, const struct local *l, struct bound *ret)
{
	uint64_t cost = n->kind == CEL_N_MAP ? CEL_COST_MAP : CEL_COST_STRUCT;

	if (ret)
		*ret = (struct bound){ .list = { n->map.n }, .maps = 1 };
	for (uint32_t i = 0; i < n->map.n; i++) {
		if (n->map.v[i].key)
			cost = sum(cost, of_part(n->map.v[i].key, l, ret));
		cost = sum(cost, of_part(n->map.v[i].value, l, ret));
	}
	return cost;
}

static struct bound bound_of_call(
	enum cel_function f, const struct bound *args, const struct cel_node *n)
{
	struct bound r = { 0 };

	switch (f) {
	case CEL_F_ADD:
		r = args[0];
		join(&r, &args[1]);
		r.text[0] = clamp((uint64_t)args[0].text[0] + args[1].text[0]);
		r.list[0] = clamp((uint64_t)args[0].list[0] + args[1].list[0]);
		return r;
	case CEL_F_INDEX:
		return element_of(&args[0]);
	case CEL_F_DYN:
	case CEL_F_BYTES:
	case CEL_F_LOWER_ASCII:
	case CEL_F_UPPER_ASCII:
	case CEL_F_TRIM:
		return args[0];
	case CEL_F_STRING: /* of a number or a moment: fewer than 64 */
		r.text[0] = larger(args[0].text[0], 64);
		return r;
	case CEL_F_MATH_LEAST:
	case CEL_F_MATH_GREATEST:
		if (n->call.n_args == 1)
			return element_of(&args[0]);
		return r;
	case CEL_F_UNKNOWN:
		return unknown;
	default:
		return r;
	}
}

static uint64_t of_conditional(const struct cel_node *n, const struct local *l, struct bound *ret)
{
	uint64_t cost = sum(1, walk(n->call.args[0], l, NULL));
	struct bound other;
	uint64_t a = walk(n->call.args[1], l, ret),
		 b = walk(n->call.args[2], l, ret ? &other : NULL);

	if (ret)
		join(ret, &other);
	return sum(cost, a > b ? a : b);
}

/* Whether the sizes of its arguments say anything about its cost or its value. */
static bool has_sizes(const struct cel_node *n)
{
	switch (n->call.function) {
	case CEL_F_AND:
	case CEL_F_OR:
	case CEL_F_NOT:
	case CEL_F_NOT_STRICTLY_FALSE:
		return false;
	case CEL_F_EQ:
	case CEL_F_NE:
	case CEL_F_LT:
	case CEL_F_LE:
	case CEL_F_GT:
	case CEL_F_GE:
		return !is_scalar(n->call.args[0]) && !is_scalar(n->call.args[1]);
	default:
		return true;
	}
}

#define ARGS_MAX 8 /* of any function there is */

static uint64_t of_call(const struct cel_node *n, const struct local *l, struct bound *ret)
{
	enum cel_function f = (enum cel_function)n->call.function;
	unsigned n_args = 0, has_target = n->call.target != NULL;
	struct bound bounds[ARGS_MAX];
	bool is_sized = has_sizes(n);
	uint64_t cost = 1;

	if (f == CEL_F_CONDITIONAL)
		return of_conditional(n, l, ret);
	if (ret)
		*ret = (struct bound){ 0 };
	for (uint32_t i = 0; i < n->call.n_args + has_target; i++) {
		bool is_wanted = is_sized && n_args < ARGS_MAX;

		cost = sum(cost,
			walk(has_target && i == 0 ? n->call.target : n->call.args[i - has_target],
				l, is_wanted ? &bounds[n_args] : NULL));
		n_args += is_wanted;
	}
	if (n_args == 0)
		return cost;
	if (ret)
		*ret = bound_of_call(f, bounds, n);
	return sum(cost, extra(f, bounds, n_args));
}

/* The general form: of what is accumulated nothing is known. */
static uint64_t of_general(const struct cel_node *n, const struct local *outer, struct local *accu,
	const struct local *var, uint64_t n_turns)
{
	uint64_t condition, cost = walk(n->comprehension.init, outer, NULL);

	for (int i = 0; i < LEVELS; i++)
		accu->bound.text[i] = accu->bound.list[i] = UINT32_MAX;
	accu->bound.is_deep = true;
	condition = walk(n->comprehension.condition, var, NULL);
	cost = sum(cost, sum(condition, walk(n->comprehension.result, accu, NULL)));
	return sum(cost,
		product(n_turns, sum(2, sum(condition, walk(n->comprehension.step, var, NULL)))));
}

/* What goes round does so as often as the range can have elements. */
static uint64_t of_comprehension(
	const struct cel_node *n, const struct local *outer, struct bound *ret)
{
	struct cel_shape shape = cel_shape_of(n);
	struct bound range;
	struct local accu = { .name = n->comprehension.accu, .outer = outer };
	struct local var = { .name = n->comprehension.var, .outer = &accu };
	uint64_t cost = walk(n->comprehension.range, outer, &range), turn = 2;

	var.bound = element_of(&range);
	if (shape.kind == CEL_SHAPE_GENERIC) {
		cost = sum(cost, of_general(n, outer, &accu, &var, range.list[0]));
		if (ret)
			*ret = accu.bound;
		return cost;
	}
	if (ret)
		*ret = (struct bound){ .list = { shape.value ? range.list[0] : 0 } };
	if (shape.test)
		turn = sum(turn, walk(shape.test, &var, NULL));
	if (shape.value)
		turn = sum(turn, of_part(shape.value, &var, ret));
	return sum(sum(cost, shape.value ? CEL_COST_LIST : 2), product(turn, range.list[0]));
}

static uint64_t walk(const struct cel_node *n, const struct local *l, struct bound *ret)
{
	switch ((enum cel_node_kind)n->kind) {
	case CEL_N_CONST:
		if (ret)
			bound_of_const(n->constant, ret);
		return 0;
	case CEL_N_IDENT:
		if (ret)
			bound_of_ident(n, l, ret);
		return 1;
	case CEL_N_SELECT:
		return of_select(n, l, ret);
	case CEL_N_CALL:
		return of_call(n, l, ret);
	case CEL_N_LIST:
		return of_list(n, l, ret);
	case CEL_N_MAP:
	case CEL_N_STRUCT:
		return of_map(n, l, ret);
	case CEL_N_COMPREHENSION:
		return of_comprehension(n, l, ret);
	}
	return 0;
}

uint64_t cel_cost_static(const struct cel_node *root)
{
	return walk(root, NULL, NULL);
}
