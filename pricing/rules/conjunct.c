/*
 * A test is a set of values of one variable (accept.h). `||`, `&&` and `!` between tests of the
 * same variable are union, intersection and complement of their sets: if the variable is present
 * all of them are true or false, and if it is absent none of them is true. Negation is pushed down
 * to the comparisons on the way, because two of them have no complement that is exact:
 *
 * - Money whose currency is known at run time only: `!=` holds across parity classes, and a set
 *   lies in one. (`<` across classes is an error, `==` is false: neither is true.)
 * - Moments: an index counts milliseconds. `<` and `>=` with a whole millisecond are exact for any
 *   moment, the others are not.
 *
 * Calls of constants are worked out here: money, basis points and moments have no literals.
 */
#include "pricing/rules/conjunct.h"

#include <errno.h>
#include <string.h>

#include "pricing/cel/lib.h"
#include "pricing/rules/accept.h"

#define DEPTH_MAX   32 /* of a test: sets lie on the stack */
#define MS_A_SECOND 1000
#define NS_A_MS     1000000

struct taking {
	struct cel_symbols *symbols;
	struct arena *arena;
	struct conjuncts *ret;
};

/* What is known of one variable. */
struct known {
	int slot;
	struct accept set;
};

static bool is_foldable(int function)
{
	switch (function) {
	case CEL_F_NEGATE:
	case CEL_F_ADD:
	case CEL_F_SUB:
	case CEL_F_MUL:
	case CEL_F_DIV:
	case CEL_F_MOD:
	case CEL_F_MONEY:
	case CEL_F_UNITS:
	case CEL_F_BPS:
	case CEL_F_TIMESTAMP:
	case CEL_F_DURATION:
		return true;
	default:
		return false;
	}
}

static bool constant_of(const struct cel_node *node, struct arena *a, struct cel_value *ret)
{
	struct cel_context c = { .arena = a };
	struct cel_value args[2];

	if (node->kind == CEL_N_CONST) {
		*ret = node->constant;
		return true;
	}
	if (node->kind != CEL_N_CALL || !is_foldable(node->call.function) || node->call.target ||
		node->call.n_args > ARRAY_LEN(args))
		return false;
	for (uint32_t i = 0; i < node->call.n_args; i++) {
		if (!constant_of(node->call.args[i], a, &args[i]))
			return false;
	}
	*ret = cel_call(&c, (enum cel_function)node->call.function, args, node->call.n_args);
	return !cel_is_error(*ret);
}

static bool is_variable(const struct cel_node *node)
{
	return (node->kind == CEL_N_IDENT || (node->kind == CEL_N_SELECT && !node->is_test_only)) &&
	       node->slot >= 0;
}

/* The kind of value that a variable of this type has if it is present, and the column for it. */
static bool column_of(const struct cel_type *t, enum column_kind *ret, enum cel_value_kind *value)
{
	static const struct {
		enum cel_type_kind type;
		enum column_kind column;
		enum cel_value_kind value;
	} known[] = {
		{ CEL_T_INT, COLUMN_INT, CEL_V_INT },
		{ CEL_T_BPS, COLUMN_INT, CEL_V_BPS },
		{ CEL_T_TIMESTAMP, COLUMN_INT, CEL_V_TIMESTAMP },
		{ CEL_T_STRING, COLUMN_SYMBOL, CEL_V_STRING },
		{ CEL_T_BOOL, COLUMN_SYMBOL, CEL_V_BOOL },
		{ CEL_T_MONEY, COLUMN_MONEY, CEL_V_MONEY },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (t->kind != known[i].type)
			continue;
		*ret = known[i].column;
		*value = known[i].value;
		return true;
	}
	return false;
}

/* ---- comparisons ---- */

static enum cel_function flipped(enum cel_function f)
{
	switch (f) {
	case CEL_F_LT:
		return CEL_F_GT;
	case CEL_F_LE:
		return CEL_F_GE;
	case CEL_F_GT:
		return CEL_F_LT;
	case CEL_F_GE:
		return CEL_F_LE;
	default:
		return f;
	}
}

static enum cel_function negated(enum cel_function f)
{
	switch (f) {
	case CEL_F_LT:
		return CEL_F_GE;
	case CEL_F_LE:
		return CEL_F_GT;
	case CEL_F_GT:
		return CEL_F_LE;
	case CEL_F_GE:
		return CEL_F_LT;
	case CEL_F_EQ:
		return CEL_F_NE;
	default:
		return CEL_F_EQ;
	}
}

static bool is_comparison(int f)
{
	return f == CEL_F_EQ || f == CEL_F_NE || f == CEL_F_LT || f == CEL_F_LE || f == CEL_F_GT ||
	       f == CEL_F_GE;
}

/* Where the constant lies on the line; false: the comparison cannot be said exactly. */
static bool place(struct taking *t, const struct cel_type *type, enum cel_function f,
	const struct cel_value *v, u128 *ret)
{
	int64_t ms;
	uint16_t sym;

	switch ((enum cel_value_kind)v->kind) {
	case CEL_V_INT:
	case CEL_V_BPS:
		*ret = accept_key(v->i);
		return true;
	case CEL_V_TIMESTAMP:
		if ((f != CEL_F_LT && f != CEL_F_GE) || v->n % NS_A_MS != 0 ||
			__builtin_mul_overflow(v->i, MS_A_SECOND, &ms))
			return false;
		*ret = accept_key(ms + v->n / NS_A_MS);
		return true;
	case CEL_V_STRING:
		sym = t->symbols ? cel_symbols_add(t->symbols, cel_str(*v)) : CEL_SYM_NONE;
		*ret = sym;
		return sym != CEL_SYM_NONE && (f == CEL_F_EQ || f == CEL_F_NE);
	case CEL_V_BOOL:
		*ret = v->b;
		return f == CEL_F_EQ || f == CEL_F_NE;
	case CEL_V_MONEY:
		*ret = cel_money_of(*v).amount;
		return type->currency ? currency_is_par(type->currency, v->currency)
				      : f != CEL_F_NE;
	default:
		return false;
	}
}

static bool add_compared(struct accept *a, enum cel_function f, u128 at)
{
	u128 top = accept_top(a->kind);

	switch (f) {
	case CEL_F_LT:
		return at == 0 || accept_add(a, 0, at - 1);
	case CEL_F_LE:
		return accept_add(a, 0, at);
	case CEL_F_GT:
		return at == top || accept_add(a, at + 1, top);
	case CEL_F_GE:
		return accept_add(a, at, top);
	case CEL_F_NE:
		return add_compared(a, CEL_F_LT, at) && add_compared(a, CEL_F_GT, at);
	default:
		return accept_add(a, at, at);
	}
}

static bool take_compared(struct taking *t, const struct cel_node *variable, enum cel_function f,
	const struct cel_node *other, struct known *ret)
{
	enum cel_value_kind want;
	enum column_kind kind;
	struct cel_value v;
	u128 at;

	if (!is_variable(variable) || !column_of(variable->type, &kind, &want) ||
		!constant_of(other, t->arena, &v) || v.kind != want ||
		!place(t, variable->type, f, &v, &at))
		return false;
	ret->slot = variable->slot;
	accept_none(&ret->set, kind, kind == COLUMN_MONEY ? v.currency : 0);
	return add_compared(&ret->set, f, at);
}

static bool take_comparison(
	struct taking *t, const struct cel_node *node, bool is_negated, struct known *ret)
{
	enum cel_function f = (enum cel_function)node->call.function;
	struct cel_node *const *args = node->call.args;

	f = is_negated ? negated(f) : f;
	return take_compared(t, args[0], f, args[1], ret) ||
	       take_compared(t, args[1], flipped(f), args[0], ret);
}

/* `x in [constants]`: equal to one of them, or unequal to all. */
static bool take_in(
	struct taking *t, const struct cel_node *node, bool is_negated, struct known *ret)
{
	const struct cel_node *variable = node->call.args[0], *list = node->call.args[1];
	enum cel_function f = is_negated ? CEL_F_NE : CEL_F_EQ;

	if (list->kind != CEL_N_LIST || list->list.n == 0 ||
		!take_compared(t, variable, f, list->list.v[0], ret))
		return false;
	for (uint32_t i = 1; i < list->list.n; i++) {
		struct known one;
		bool ok = take_compared(t, variable, f, list->list.v[i], &one) &&
			  (ret->set.kind != COLUMN_MONEY ||
				  currency_is_par(ret->set.currency, one.set.currency));

		if (!ok || !(is_negated ? accept_intersect(&ret->set, &one.set)
					: accept_unite(&ret->set, &one.set)))
			return false;
	}
	return true;
}

/* ---- tests ---- */

static bool take_truth(const struct cel_node *node, bool is_negated, struct known *ret)
{
	if (!is_variable(node) || node->type->kind != CEL_T_BOOL)
		return false;
	ret->slot = node->slot;
	accept_none(&ret->set, COLUMN_SYMBOL, 0);
	return accept_add(&ret->set, !is_negated, !is_negated);
}

static bool is_call(const struct cel_node *node, enum cel_function f)
{
	return node->kind == CEL_N_CALL && node->call.function == (int)f;
}

static bool same_line(const struct known *a, const struct known *b)
{
	return a->slot == b->slot &&
	       (a->set.kind != COLUMN_MONEY || currency_is_par(a->set.currency, b->set.currency));
}

static bool take_test(struct taking *t, const struct cel_node *node, bool is_negated,
	unsigned depth, struct known *ret)
{
	bool is_or = is_call(node, CEL_F_OR);
	struct known b;

	if (depth > DEPTH_MAX)
		return false;
	if (node->kind != CEL_N_CALL)
		return take_truth(node, is_negated, ret);
	if (is_call(node, CEL_F_NOT))
		return take_test(t, node->call.args[0], !is_negated, depth + 1, ret);
	if (is_call(node, CEL_F_IN))
		return take_in(t, node, is_negated, ret);
	if (is_comparison(node->call.function))
		return take_comparison(t, node, is_negated, ret);
	if (!is_or && !is_call(node, CEL_F_AND))
		return false;
	if (!take_test(t, node->call.args[0], is_negated, depth + 1, ret) ||
		!take_test(t, node->call.args[1], is_negated, depth + 1, &b) || !same_line(ret, &b))
		return false;
	return is_or != is_negated ? accept_unite(&ret->set, &b.set)
				   : accept_intersect(&ret->set, &b.set);
}

/* ---- the conjunction ---- */

static struct conjunct_test *find(struct conjuncts *c, int slot)
{
	for (size_t i = 0; i < c->n_tests; i++) {
		if (c->tests[i].slot == slot)
			return &c->tests[i];
	}
	return NULL;
}

enum { NOT_TAKEN = 1 };

/* Into the arena: 0, NOT_TAKEN or -ENOMEM. */
static int keep(struct taking *t, const struct known *k, struct conjunct_test *to)
{
	struct interval v[ACCEPT_MAX], *copy;
	struct test test;

	if (!accept_to_test(&k->set, &test, v))
		return NOT_TAKEN;
	copy = arena_alloc(t->arena, (test.n + 1) * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	if (test.n > 0)
		memcpy(copy, v, test.n * sizeof(*copy));
	test.v = copy;
	*to = (struct conjunct_test){ k->slot, k->set.kind, test };
	return 0;
}

static int add_test(struct taking *t, struct known *k)
{
	struct conjunct_test *old = find(t->ret, k->slot);
	struct known both;
	int r;

	if (old) {
		both.slot = k->slot;
		if (!accept_of_test(&both.set, old->kind, &old->test) || !same_line(k, &both) ||
			!accept_intersect(&both.set, &k->set))
			return NOT_TAKEN;
		return keep(t, &both, old);
	}
	r = keep(t, k, &t->ret->tests[t->ret->n_tests]);
	t->ret->n_tests += r == 0;
	return r;
}

static bool is_true(const struct cel_node *node)
{
	return node->kind == CEL_N_CONST && node->constant.kind == CEL_V_BOOL && node->constant.b;
}

static int take(struct taking *t, const struct cel_node *node)
{
	struct known k;
	int r;

	if (is_call(node, CEL_F_AND)) {
		r = take(t, node->call.args[0]);
		return r < 0 ? r : take(t, node->call.args[1]);
	}
	if (is_true(node))
		return 0;
	r = take_test(t, node, false, 0, &k) ? add_test(t, &k) : NOT_TAKEN;
	if (r == NOT_TAKEN)
		t->ret->rest[t->ret->n_rest++] = node;
	return r < 0 ? r : 0;
}

static size_t n_leaves(const struct cel_node *node)
{
	if (!is_call(node, CEL_F_AND))
		return 1;
	return n_leaves(node->call.args[0]) + n_leaves(node->call.args[1]);
}

/* has(x) says nothing new where a test of x accepts. */
static void drop_presence(struct conjuncts *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_rest; i++) {
		const struct cel_node *node = c->rest[i];
		bool is_said = node->kind == CEL_N_SELECT && node->is_test_only &&
			       node->slot >= 0 && find(c, node->slot);

		if (!is_said)
			c->rest[n++] = node;
	}
	c->n_rest = n;
}

int conjuncts_of(struct conjuncts *ret, const struct cel_node *condition,
	struct cel_symbols *symbols, struct arena *a)
{
	struct taking t = { symbols, a, ret };
	size_t n = n_leaves(condition);
	int r;

	*ret = (struct conjuncts){ 0 };
	ret->tests = arena_alloc(a, n * sizeof(*ret->tests));
	ret->rest = arena_alloc(a, n * sizeof(struct cel_node *));
	if (!ret->tests || !ret->rest)
		return -ENOMEM;
	r = take(&t, condition);
	if (r == 0)
		drop_presence(ret);
	return r;
}
