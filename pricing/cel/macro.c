/*
 * The macros of the standard library as cel-go writes them out (macro.go). What a macro adds has
 * the place of its call's parenthesis; what it was given keeps its own.
 */
#include "pricing/cel/parse_impl.h"

#define ACCUMULATOR "@result"

/* One expansion: what every node of it needs. */
struct expansion {
	struct cel_parser *p;
	uint32_t offset;
	struct cel_range where;
};

static struct cel_node *constant(const struct expansion *x, struct cel_value v)
{
	return cel_parse_constant(x->p, v, x->offset, x->where);
}

static struct cel_node *accumulator(const struct expansion *x)
{
	return cel_parse_ident(x->p, STR(ACCUMULATOR), x->offset, x->where);
}

/* Up to three arguments; NULL if one of them is, so that expansions can be written as one term. */
static struct cel_node *call(const struct expansion *x, enum cel_function f, uint32_t n_args,
	struct cel_node *a, struct cel_node *b, struct cel_node *c)
{
	struct cel_node *args[] = { a, b, c };
	struct cel_node *n;
	uint32_t depth = 0;

	for (uint32_t i = 0; i < n_args; i++) {
		if (!args[i])
			return NULL;
		depth = args[i]->depth > depth ? args[i]->depth : depth;
	}
	n = cel_parse_call(x->p, f, n_args, x->offset, x->where);
	if (!n)
		return NULL;
	memcpy(n->call.args, args, n_args * sizeof(*args));
	return cel_parse_finish(x->p, n, depth);
}

static struct cel_node *list(const struct expansion *x, struct cel_node *element)
{
	struct cel_node *n = cel_parse_node(x->p, CEL_N_LIST, x->offset, x->where);

	if (!n || !element)
		return n;
	n->list.v = arena_alloc(x->p->arena, sizeof(*n->list.v));
	if (!n->list.v)
		return cel_parse_too_large(x->p, x->offset);
	n->list.v[0] = element;
	n->list.n = 1;
	return cel_parse_finish(x->p, n, element->depth);
}

/* condition ? step : @result; without a condition the step alone */
static struct cel_node *step_if(
	const struct expansion *x, struct cel_node *condition, struct cel_node *step)
{
	if (!condition)
		return step;
	return call(x, CEL_F_CONDITIONAL, 3, condition, step, accumulator(x));
}

static struct cel_node *appended(const struct expansion *x, struct cel_node *element)
{
	return call(x, CEL_F_ADD, 2, accumulator(x), list(x, element), NULL);
}

static struct cel_node *loop(const struct expansion *x, enum cel_macro macro, struct str var,
	struct cel_node *range, struct cel_node *init, struct cel_node *condition,
	struct cel_node *step, struct cel_node *result)
{
	struct cel_node *parts[] = { range, init, condition, step, result };
	struct cel_node *n;
	uint32_t depth = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (!parts[i])
			return NULL;
		depth = parts[i]->depth > depth ? parts[i]->depth : depth;
	}
	n = cel_parse_node(x->p, CEL_N_COMPREHENSION, x->offset, x->where);
	if (!n)
		return NULL;
	n->comprehension.var = var;
	n->comprehension.accu = STR(ACCUMULATOR);
	n->comprehension.range = range;
	n->comprehension.init = init;
	n->comprehension.condition = condition;
	n->comprehension.step = step;
	n->comprehension.result = result;
	n->comprehension.macro = (uint8_t)macro;
	return cel_parse_finish(x->p, n, depth);
}

static struct cel_node *expand(const struct expansion *x, enum cel_macro macro,
	struct cel_node *range, struct cel_node **args)
{
	struct str var = args[0]->ident.name;
	struct cel_node *yes = constant(x, cel_bool(true));

	switch (macro) {
	case CEL_M_ALL:
		return loop(x, macro, var, range, yes,
			call(x, CEL_F_NOT_STRICTLY_FALSE, 1, accumulator(x), NULL, NULL),
			call(x, CEL_F_AND, 2, accumulator(x), args[1], NULL), accumulator(x));
	case CEL_M_EXISTS:
		return loop(x, macro, var, range, constant(x, cel_bool(false)),
			call(x, CEL_F_NOT_STRICTLY_FALSE, 1,
				call(x, CEL_F_NOT, 1, accumulator(x), NULL, NULL), NULL, NULL),
			call(x, CEL_F_OR, 2, accumulator(x), args[1], NULL), accumulator(x));
	case CEL_M_EXISTS_ONE:
		return loop(x, macro, var, range, constant(x, cel_int(0)), yes,
			step_if(x, args[1],
				call(x, CEL_F_ADD, 2, accumulator(x), constant(x, cel_int(1)),
					NULL)),
			call(x, CEL_F_EQ, 2, accumulator(x), constant(x, cel_int(1)), NULL));
	case CEL_M_MAP:
		return loop(x, macro, var, range, list(x, NULL), yes, appended(x, args[1]),
			accumulator(x));
	case CEL_M_MAP_FILTER:
		return loop(x, macro, var, range, list(x, NULL), yes,
			step_if(x, args[1], appended(x, args[2])), accumulator(x));
	default:
		return loop(x, macro, var, range, list(x, NULL), yes,
			step_if(x, args[1], appended(x, args[0])), accumulator(x));
	}
}

static struct cel_node *refuse(
	const struct expansion *x, const struct cel_node *at, const char *text, const char *hint)
{
	struct cel_diag *d =
		cel_diag_add(x->p->diags, CEL_STAGE_PARSE, CEL_E_MACRO, at->offset, "%s", text);

	cel_diag_hint(d, "%s", hint);
	return constant(x, cel_null());
}

static struct cel_node *presence(const struct expansion *x, struct cel_node *arg)
{
	struct cel_node *n;

	if (arg->kind != CEL_N_SELECT)
		return refuse(x, arg, "invalid argument to has() macro",
			"has(…) takes one field, such as has(customer.tier)");
	n = cel_parse_node(x->p, CEL_N_SELECT, x->offset, x->where);
	if (!n)
		return NULL;
	n->is_test_only = true;
	n->select = arg->select;
	return cel_parse_finish(x->p, n, n->select.operand->depth);
}

/* By name and number of arguments: with another number it is a call like any other. */
static enum cel_macro find(struct str name, uint32_t n_args)
{
	if (n_args == 3)
		return str_eq(name, STR("map")) ? CEL_M_MAP_FILTER : CEL_M_NONE;
	if (n_args != 2)
		return CEL_M_NONE;
	if (str_eq(name, STR("all")))
		return CEL_M_ALL;
	if (str_eq(name, STR("exists")))
		return CEL_M_EXISTS;
	if (str_eq(name, STR("exists_one")))
		return CEL_M_EXISTS_ONE;
	if (str_eq(name, STR("map")))
		return CEL_M_MAP;
	if (str_eq(name, STR("filter")))
		return CEL_M_FILTER;
	return CEL_M_NONE;
}

bool cel_macro_expand(struct cel_parser *p, struct str name, struct cel_node *target,
	struct cel_node **args, uint32_t n_args, uint32_t offset, struct cel_range where,
	struct cel_node **ret)
{
	struct expansion x = { p, offset, where };
	enum cel_macro macro;
	bool is_list;

	if (!target) {
		if (n_args != 1 || !str_eq(name, STR("has")))
			return false;
		*ret = presence(&x, args[0]);
		return true;
	}
	macro = find(name, n_args);
	if (macro == CEL_M_NONE)
		return false;
	is_list = macro == CEL_M_MAP || macro == CEL_M_MAP_FILTER || macro == CEL_M_FILTER;
	if (args[0]->kind != CEL_N_IDENT || args[0]->ident.name.p[0] == '.')
		*ret = refuse(&x, args[0],
			is_list ? "argument is not an identifier"
				: "argument must be a simple name",
			"the first argument names the element: list.all(x, x > 0)");
	else if (str_eq(args[0]->ident.name, STR("__result__")))
		*ret = refuse(&x, args[0], "iteration variable overwrites accumulator variable",
			"take another name");
	else
		*ret = expand(&x, macro, target, args);
	return true;
}
