/*
 * A cell is checked with `_` declared and compiled without it. Between the two its tree is taken
 * apart: the test on `_` goes to the index, whatever the input is. If more than that remains, the
 * whole condition is compiled (the index is then a filter before it), with `_` replaced by the
 * input: by its slot if it is a field, by its tree if it is an expression. That is done after
 * checking, so that no name inside the cell can catch one of the input's.
 */
#include "pricing/rules/cell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pricing/rules/conjunct.h"

static bool is_field(const struct cel_node *node)
{
	return (node->kind == CEL_N_IDENT || (node->kind == CEL_N_SELECT && !node->is_test_only)) &&
	       node->slot >= 0;
}

int cell_input_init(
	struct cell_input *ret, const struct cel_env *schema_env, const struct cel_node *root)
{
	struct cel_var input = { .name = STR("_"), .type = root->type };
	CLEANUP(cel_env_free) struct cel_env *env = NULL;
	int r = cel_env_new(&env, cel_env_has_money(schema_env));

	if (r < 0)
		return r;
	for (size_t i = 0; i < cel_env_n(schema_env); i++) {
		r = cel_env_add(env, cel_env_var(schema_env, (int)i));
		if (r < 0)
			return r;
	}
	if (is_field(root)) {
		input = *cel_env_var(schema_env, root->slot);
		input.name = STR("_");
	}
	r = cel_env_add(env, &input);
	if (r < 0)
		return r;
	*ret = (struct cell_input){ .schema_env = schema_env,
		.env = TAKE(env),
		.root = root,
		.type = root->type,
		.slot = r };
	return 0;
}

void cell_input_fini(struct cell_input *in)
{
	in->env = cel_env_free(in->env);
}

void cell_fini(struct cell *c)
{
	free(c->intervals);
	cel_program_free(c->program);
	*c = (struct cell){ 0 };
}

/* ---- `_` becomes the input ---- */

static void put_input(struct cel_node *node, const struct cell_input *in);

static void put_inputs(struct cel_node *const *v, uint32_t n, const struct cell_input *in)
{
	for (uint32_t i = 0; i < n; i++)
		put_input(v[i], in);
}

static void put_input(struct cel_node *node, const struct cell_input *in)
{
	if (!node)
		return;
	switch ((enum cel_node_kind)node->kind) {
	case CEL_N_CONST:
		break;
	case CEL_N_IDENT:
		if (node->slot == in->slot)
			*node = *in->root;
		break;
	case CEL_N_SELECT:
		if (node->slot < 0)
			put_input(node->select.operand, in);
		break;
	case CEL_N_CALL:
		put_input(node->call.target, in);
		put_inputs(node->call.args, node->call.n_args, in);
		break;
	case CEL_N_LIST:
		put_inputs(node->list.v, node->list.n, in);
		break;
	case CEL_N_MAP:
	case CEL_N_STRUCT:
		for (uint32_t i = 0; i < node->map.n; i++) {
			put_input(node->map.v[i].key, in);
			put_input(node->map.v[i].value, in);
		}
		break;
	case CEL_N_COMPREHENSION:
		put_input(node->comprehension.range, in);
		put_input(node->comprehension.init, in);
		put_input(node->comprehension.condition, in);
		put_input(node->comprehension.step, in);
		put_input(node->comprehension.result, in);
		break;
	}
}

/* ---- compiling ---- */

/* What a person probably meant who forgot quotes, or gave a value of another type. */
static void hint(struct cel_diags *d, size_t first, struct str text, const struct cel_type *type)
{
	static const char *const examples[] = {
		[CEL_T_BOOL] = "true or false",
		[CEL_T_INT] = "like 5000, >= 5000 or [1..100]",
		[CEL_T_STRING] = "like 'gold' or 'gold','platinum'",
		[CEL_T_TIMESTAMP] = "like >= '2026-11-01T00:00:00Z'",
		[CEL_T_MONEY] = "like >= eth(\"1.25\") or [usd(\"1\")..usd(\"9.99\")]",
		[CEL_T_BPS] = "like >= 250 (basis points)",
	};

	for (size_t i = first; i < d->n; i++) {
		struct cel_diag *one = &d->v[i];

		if (one->hint[0])
			continue;
		if (one->code == CEL_E_UNDECLARED && type->kind == CEL_T_STRING &&
			one->offset < text.n)
			cel_diag_hint(one, "texts are written in quotes: 'gold'");
		else if ((one->code == CEL_E_OVERLOAD || one->code == CEL_E_TYPE ||
				 one->code == CEL_E_SYNTAX) &&
			 type->kind < ARRAY_LEN(examples) && examples[type->kind])
			cel_diag_hint(one, "cells of this column are %s, or conditions with _",
				examples[type->kind]);
	}
}

static int keep_test(struct cell *ret, const struct test *t)
{
	struct interval *copy = calloc(t->n + 1, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	if (t->n > 0)
		memcpy(copy, t->v, t->n * sizeof(*copy));
	ret->has_test = true;
	ret->test = *t;
	ret->test.v = ret->intervals = copy;
	return 0;
}

/* 0 with the test, if there is one, and *ret_all: whether it says everything. */
static int take_apart(struct cell *ret, const struct cel_node *root, const struct cell_input *in,
	struct cel_symbols *symbols, struct arena *a, bool *ret_all)
{
	struct conjuncts c;
	int r = conjuncts_of(&c, root, symbols, a);

	*ret_all = r == 0 && c.n_rest == 0;
	for (size_t i = 0; r == 0 && i < c.n_tests; i++) {
		if (c.tests[i].slot == in->slot)
			r = keep_test(ret, &c.tests[i].test);
		else
			*ret_all = false;
	}
	return r;
}

static int compile(struct cell *ret, struct cel_node *root, const struct cell_input *in,
	struct cel_symbols *symbols, struct arena *a, struct cel_diags *d)
{
	uint64_t cost;
	bool is_all;
	int r = take_apart(ret, root, in, symbols, a, &is_all);

	if (r < 0 || is_all)
		return r;
	put_input(root, in);
	cost = cel_cost_static(root);
	if (cost > CEL_COST_MAX) {
		cel_diag_add(d, CEL_STAGE_CHECK, CEL_E_COST, root->offset,
			"the cell costs %llu in the worst case, at most %d",
			(unsigned long long)cost, CEL_COST_MAX);
		return -EINVAL;
	}
	return cel_program_new(&ret->program, root, in->schema_env,
		&(struct cel_options){ .symbols = symbols, .scratch = a }, d);
}

int cell_compile(struct cell *ret, struct str text, const struct cell_input *in,
	struct cel_symbols *symbols, struct arena *a, struct cel_diags *d)
{
	CLEANUP(cell_fini) struct cell c = { 0 };
	size_t first = d->n;
	struct cel_node *root = cell_read(text, in->type, a, d);
	int r = root ? 0 : d->n > first || d->n_dropped ? -EINVAL : -ENOMEM;

	if (r == 0 && !cel_check(root, in->env, &cel_type_bool, a, d))
		r = -EINVAL;
	if (r == 0)
		r = compile(&c, root, in, symbols, a, d);
	hint(d, first, text, in->type);
	if (r < 0)
		return r;
	*ret = c;
	c = (struct cell){ 0 };
	return 0;
}
