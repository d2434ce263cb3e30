/*
 * Values that are the same in every evaluation: literals, lists and maps of them, and functions of
 * them, which are all pure. Not folded: what depends on the context (rounding), and && || ?:, whose
 * parts are.
 *
 * An error is a value like any other and left for the evaluation, because && and || may absorb it.
 * Only in a ruleset a wrong amount or zone is refused at once.
 */
#include "pricing/cel/program_impl.h"

#define ARGS_MAX 8

unsigned cel_gen_args(const struct cel_node *n, const struct cel_node **ret, unsigned max)
{
	unsigned n_all = 0;

	if (n->call.target && n_all < max)
		ret[n_all++] = n->call.target;
	for (uint32_t i = 0; i < n->call.n_args; i++, n_all++)
		if (n_all < max)
			ret[n_all] = n->call.args[i];
	return n_all;
}

bool cel_gen_is_callable(const struct cel_node *n)
{
	const struct cel_function_info *f = &cel_functions[n->call.function];
	unsigned n_args = n->call.n_args + (n->call.target != NULL);

	return n->call.function != CEL_F_UNKNOWN && n_args >= f->n_least && n_args <= f->n_most &&
	       (n->call.target ? f->is_member : f->is_global);
}

static bool is_foldable(enum cel_function f)
{
	switch (f) {
	case CEL_F_UNKNOWN:
	case CEL_F_AND:
	case CEL_F_OR:
	case CEL_F_CONDITIONAL:
	case CEL_F_NOT_STRICTLY_FALSE:
	case CEL_F_MATCHES: /* its pattern is compiled */
	case CEL_F_ADD_BPS: /* rounds as the context says */
	case CEL_F_BPS_OVER:
		return false;
	default:
		return true;
	}
}

static bool is_constant(struct cel_gen *g, const struct cel_node *n)
{
	const struct cel_node *args[ARGS_MAX];
	unsigned n_args;

	switch ((enum cel_node_kind)n->kind) {
	case CEL_N_CONST:
		return true;
	case CEL_N_IDENT:
	case CEL_N_SELECT:
		return !n->is_test_only && cel_gen_name(g, n).kind == CEL_NAME_VALUE;
	case CEL_N_CALL:
		if (!is_foldable((enum cel_function)n->call.function) || !cel_gen_is_callable(n))
			return false;
		n_args = cel_gen_args(n, args, ARGS_MAX);
		for (unsigned i = 0; i < n_args; i++)
			if (!is_constant(g, args[i]))
				return false;
		return true;
	case CEL_N_LIST:
		for (uint32_t i = 0; i < n->list.n; i++)
			if (!is_constant(g, n->list.v[i]))
				return false;
		return true;
	case CEL_N_MAP:
		for (uint32_t i = 0; i < n->map.n; i++)
			if (!is_constant(g, n->map.v[i].key) || !is_constant(g, n->map.v[i].value))
				return false;
		return true;
	case CEL_N_STRUCT:
	case CEL_N_COMPREHENSION:
		return false;
	}
	return false;
}

static struct cel_value evaluate(struct cel_gen *g, const struct cel_node *n);

static struct cel_value make_list(struct cel_gen *g, const struct cel_node *n)
{
	struct cel_value *v = cel_gen_alloc(g, n->list.n * sizeof(*v));

	if (!v)
		return cel_null();
	for (uint32_t i = 0; i < n->list.n; i++) {
		v[i] = evaluate(g, n->list.v[i]);
		if (cel_is_error(v[i]))
			return v[i];
	}
	return (struct cel_value){ .kind = CEL_V_LIST, .n = n->list.n, .list = v };
}

/* That the compilation has too little memory is no value of the expression. */
static struct cel_value kept(struct cel_gen *g, const struct cel_node *n, struct cel_value v)
{
	if (cel_is_error(v) && v.sym == CEL_R_MEMORY)
		cel_gen_too_large(g, n->offset);
	return v;
}

static struct cel_value make_map(struct cel_gen *g, const struct cel_node *n)
{
	struct cel_value *keys = cel_gen_alloc(g, n->map.n * sizeof(*keys)),
			 *values = cel_gen_alloc(g, n->map.n * sizeof(*values));

	if (!keys || !values)
		return cel_null();
	for (uint32_t i = 0; i < n->map.n; i++) {
		keys[i] = evaluate(g, n->map.v[i].key);
		values[i] = evaluate(g, n->map.v[i].value);
	}
	return kept(g, n, cel_map_make(&g->fold, keys, values, n->map.n));
}

/* A ruleset is refused for what can never have a value. */
static void refuse(struct cel_gen *g, const struct cel_node *n, struct cel_value error)
{
	enum cel_function f = (enum cel_function)n->call.function;
	uint32_t offset = n->call.n_args ? n->call.args[0]->offset : n->offset;

	if (g->o->has_patterns || g->o->is_unchecked)
		return;
	if (f >= CEL_F_GET_DATE && f <= CEL_F_GET_SECONDS && n->call.n_args == 1)
		cel_gen_fail(g, CEL_E_ZONE, offset, "no such time zone");
	else if (f == CEL_F_MONEY || f == CEL_F_UNITS)
		cel_gen_fail(g, CEL_E_LITERAL, offset, "no amount of money: %s", error.text);
}

static struct cel_value make_call(struct cel_gen *g, const struct cel_node *n)
{
	const struct cel_node *nodes[ARGS_MAX];
	struct cel_value args[ARGS_MAX], v;
	unsigned n_args = cel_gen_args(n, nodes, ARGS_MAX);

	for (unsigned i = 0; i < n_args; i++) {
		args[i] = evaluate(g, nodes[i]);
		if (cel_is_error(args[i]))
			return args[i];
	}
	v = kept(g, n, cel_call(&g->fold, (enum cel_function)n->call.function, args, n_args));
	if (cel_is_error(v))
		refuse(g, n, v);
	return v;
}

static struct cel_value evaluate(struct cel_gen *g, const struct cel_node *n)
{
	switch ((enum cel_node_kind)n->kind) {
	case CEL_N_CONST:
		return n->constant;
	case CEL_N_LIST:
		return make_list(g, n);
	case CEL_N_MAP:
		return make_map(g, n);
	case CEL_N_CALL:
		return make_call(g, n);
	default:
		return cel_gen_name(g, n).value;
	}
}

bool cel_gen_fold(struct cel_gen *g, const struct cel_node *n, struct cel_value *ret)
{
	if (n->kind == CEL_N_CONST) {
		*ret = n->constant;
		return true;
	}
	if (g->failed || !is_constant(g, n))
		return false;
	*ret = evaluate(g, n);
	return true;
}
