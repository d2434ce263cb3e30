/*
 * The static worst case: one walk over the tree with a bound of the size of every value.
 *
 * A bound has four levels: the value itself, its elements, theirs, and all that is deeper. Each
 * level knows how many bytes a text there may have and how many elements a list, because `dyn` may
 * be either. Literals are as long as they are, variables as long as cost.h assumes, and `dyn` is
 * not nested deeper than the levels.
 */
#include "pricing/cel/cost.h"

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

struct estimate {
	uint64_t cost;
	struct bound bound;
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
static uint64_t weight_at(const struct bound *b, int level)
{
	uint64_t inside, weight = tenth(b->text[level]);

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
		return product(
			args[1].list[0], args[0].list[0] ? sum(1, weight_at(&args[0], 0)) : 1);
	case CEL_F_MATH_LEAST:
	case CEL_F_MATH_GREATEST:
		return n == 1 ? args[0].list[0] : n - 1;
	case CEL_F_MATCHES:
		ret = product(args[0].text[0], args[1].text[0]);
		return ret / 40 + (ret % 40 != 0);
	default:
		for (unsigned i = 0; i < n; i++)
			ret = sum(ret, tenth(args[i].text[0]));
		return ret;
	}
}

static struct estimate walk(const struct cel_node *n, const struct local *l);

static const struct local *local_of(const struct local *l, struct str name)
{
	while (l && !str_eq(l->name, name))
		l = l->outer;
	return l;
}

static struct estimate of_const(struct cel_value v)
{
	struct estimate e = { 0 };

	if (v.kind == CEL_V_STRING || v.kind == CEL_V_BYTES)
		e.bound.text[0] = v.n;
	return e;
}

static struct estimate of_ident(const struct cel_node *n, const struct local *l)
{
	l = n->slot == CEL_SLOT_NONE ? local_of(l, n->ident.name) : NULL;
	return (struct estimate){ 1, l ? l->bound : bound_of_type(n->type) };
}

static struct estimate of_select(const struct cel_node *n, const struct local *l)
{
	struct estimate e = { .cost = 1 };

	if (n->slot != CEL_SLOT_NONE) {
		if (!n->is_test_only)
			e.bound = bound_of_type(n->type);
		return e;
	}
	e = walk(n->select.operand, l);
	e.cost = sum(e.cost, 1);
	e.bound = n->is_test_only ? (struct bound){ 0 } : element_of(&e.bound);
	return e;
}

static struct estimate of_list(const struct cel_node *n, const struct local *l)
{
	struct estimate r = { .cost = CEL_COST_LIST }, e;

	for (uint32_t i = 0; i < n->list.n; i++) {
		e = walk(n->list.v[i], l);
		r.cost = sum(r.cost, e.cost);
		contain(&r.bound, &e.bound);
	}
	r.bound.list[0] = n->list.n;
	return r;
}

static struct estimate of_map(const struct cel_node *n, const struct local *l)
{
	struct estimate r = { .cost = n->kind == CEL_N_MAP ? CEL_COST_MAP : CEL_COST_STRUCT }, e;

	for (uint32_t i = 0; i < n->map.n; i++) {
		if (n->map.v[i].key) {
			e = walk(n->map.v[i].key, l);
			r.cost = sum(r.cost, e.cost);
			contain(&r.bound, &e.bound);
		}
		e = walk(n->map.v[i].value, l);
		r.cost = sum(r.cost, e.cost);
		contain(&r.bound, &e.bound);
	}
	r.bound.list[0] = n->map.n;
	r.bound.maps |= 1;
	return r;
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

static struct estimate of_conditional(const struct cel_node *n, const struct local *l)
{
	struct estimate c = walk(n->call.args[0], l), a = walk(n->call.args[1], l),
			b = walk(n->call.args[2], l);

	join(&a.bound, &b.bound);
	a.cost = sum(a.cost > b.cost ? a.cost : b.cost, 1);
	a.cost = sum(a.cost, c.cost);
	return a;
}

#define ARGS_MAX 8 /* of any function there is */

static struct estimate of_call(const struct cel_node *n, const struct local *l)
{
	enum cel_function f = (enum cel_function)n->call.function;
	struct bound bounds[ARGS_MAX];
	struct estimate r = { .cost = 1 }, e;
	unsigned n_args = 0, has_target = n->call.target != NULL;

	if (f == CEL_F_CONDITIONAL)
		return of_conditional(n, l);
	for (uint32_t i = 0; i < n->call.n_args + has_target; i++) {
		e = walk(has_target && i == 0 ? n->call.target : n->call.args[i - has_target], l);
		r.cost = sum(r.cost, e.cost);
		if (n_args < ARGS_MAX)
			bounds[n_args++] = e.bound;
	}
	if (f == CEL_F_AND || f == CEL_F_OR || f == CEL_F_NOT || !n_args)
		return r;
	r.cost = sum(r.cost, extra(f, bounds, n_args));
	r.bound = bound_of_call(f, bounds, n);
	return r;
}

/* What goes round: @step times as many as the range can have elements, at most. */
static struct estimate of_comprehension(const struct cel_node *n, const struct local *outer)
{
	struct cel_shape shape = cel_shape_of(n);
	struct estimate range = walk(n->comprehension.range, outer), init = { 0 }, step, value,
			result = { 0 };
	struct local accu = { .name = n->comprehension.accu, .outer = outer };
	struct local var = { n->comprehension.var, element_of(&range.bound), &accu };
	uint64_t each, cost = range.cost;

	if (shape.kind == CEL_SHAPE_GENERIC) {
		init = walk(n->comprehension.init, outer);
		for (int i = 0; i < LEVELS; i++)
			accu.bound.text[i] = accu.bound.list[i] = UINT32_MAX;
		accu.bound.is_deep = true;
		result = walk(n->comprehension.result, &accu);
		value = walk(n->comprehension.condition, &var);
		step = walk(n->comprehension.step, &var);
		each = sum(value.cost, step.cost);
		cost = sum(cost, sum(init.cost, result.cost));
		cost = sum(cost, value.cost);
	} else {
		step = shape.test ? walk(shape.test, &var) : (struct estimate){ 0 };
		value = shape.value ? walk(shape.value, &var) : (struct estimate){ 0 };
		each = sum(step.cost, value.cost);
		cost = sum(cost, shape.value ? CEL_COST_LIST : 2);
		if (shape.value) {
			contain(&result.bound, &value.bound);
			result.bound.list[0] = range.bound.list[0];
		}
	}
	each = product(sum(each, 2), range.bound.list[0]);
	return (struct estimate){ sum(cost, each), result.bound };
}

static struct estimate walk(const struct cel_node *n, const struct local *l)
{
	switch ((enum cel_node_kind)n->kind) {
	case CEL_N_CONST:
		return of_const(n->constant);
	case CEL_N_IDENT:
		return of_ident(n, l);
	case CEL_N_SELECT:
		return of_select(n, l);
	case CEL_N_CALL:
		return of_call(n, l);
	case CEL_N_LIST:
		return of_list(n, l);
	case CEL_N_MAP:
	case CEL_N_STRUCT:
		return of_map(n, l);
	case CEL_N_COMPREHENSION:
		return of_comprehension(n, l);
	}
	return (struct estimate){ 0 };
}

uint64_t cel_cost_static(const struct cel_node *root)
{
	return walk(root, NULL).cost;
}
