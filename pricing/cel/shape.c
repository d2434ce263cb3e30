#include "pricing/cel/shape.h"

#include "pricing/cel/function.h"

static bool is_call(const struct cel_node *n, enum cel_function f)
{
	return n->kind == CEL_N_CALL && n->call.function == (int)f;
}

static bool is_accu(const struct cel_node *n, struct str accu)
{
	return n->kind == CEL_N_IDENT && str_eq(n->ident.name, accu);
}

static bool is_bool(const struct cel_node *n, bool b)
{
	return n->kind == CEL_N_CONST && n->constant.kind == CEL_V_BOOL && n->constant.b == b;
}

static bool is_int(const struct cel_node *n, int64_t i)
{
	return n->kind == CEL_N_CONST && n->constant.kind == CEL_V_INT && n->constant.i == i;
}

/* @not_strictly_false(@result), or of !@result. */
static bool goes_on(const struct cel_node *n, struct str accu, bool is_negated)
{
	if (!is_call(n, CEL_F_NOT_STRICTLY_FALSE))
		return false;
	n = n->call.args[0];
	if (is_negated) {
		if (!is_call(n, CEL_F_NOT))
			return false;
		n = n->call.args[0];
	}
	return is_accu(n, accu);
}

static const struct cel_node *appended(const struct cel_node *n, struct str accu)
{
	const struct cel_node *list;

	if (!is_call(n, CEL_F_ADD) || !is_accu(n->call.args[0], accu))
		return NULL;
	list = n->call.args[1];
	return list->kind == CEL_N_LIST && list->list.n == 1 ? list->list.v[0] : NULL;
}

static bool is_one(const struct cel_node *node)
{
	const struct cel_node *step = node->comprehension.step,
			      *result = node->comprehension.result;
	struct str accu = node->comprehension.accu;

	return is_int(node->comprehension.init, 0) && is_call(step, CEL_F_CONDITIONAL) &&
	       is_call(step->call.args[1], CEL_F_ADD) &&
	       is_accu(step->call.args[1]->call.args[0], accu) &&
	       is_int(step->call.args[1]->call.args[1], 1) && is_accu(step->call.args[2], accu) &&
	       is_call(result, CEL_F_EQ) && is_accu(result->call.args[0], accu) &&
	       is_int(result->call.args[1], 1);
}

static struct cel_shape append_of(const struct cel_node *node)
{
	const struct cel_node *init = node->comprehension.init, *step = node->comprehension.step;
	struct str accu = node->comprehension.accu;
	struct cel_shape s = { 0 };

	if (init->kind != CEL_N_LIST || init->list.n || !is_accu(node->comprehension.result, accu))
		return s;
	if (is_call(step, CEL_F_CONDITIONAL) && is_accu(step->call.args[2], accu)) {
		s.test = step->call.args[0];
		step = step->call.args[1];
	}
	s.value = appended(step, accu);
	if (s.value)
		s.kind = CEL_SHAPE_APPEND;
	return s;
}

struct cel_shape cel_shape_of(const struct cel_node *node)
{
	const struct cel_node *init = node->comprehension.init, *step = node->comprehension.step,
			      *condition = node->comprehension.condition;
	struct str accu = node->comprehension.accu;

	if (is_bool(condition, true)) {
		if (is_one(node))
			return (struct cel_shape){ CEL_SHAPE_ONE, step->call.args[0], NULL };
		return append_of(node);
	}
	if (step->kind != CEL_N_CALL || step->call.n_args != 2 ||
		!is_accu(step->call.args[0], accu) || !is_accu(node->comprehension.result, accu))
		return (struct cel_shape){ 0 };
	if (is_bool(init, true) && is_call(step, CEL_F_AND) && goes_on(condition, accu, false))
		return (struct cel_shape){ CEL_SHAPE_ALL, step->call.args[1], NULL };
	if (is_bool(init, false) && is_call(step, CEL_F_OR) && goes_on(condition, accu, true))
		return (struct cel_shape){ CEL_SHAPE_EXISTS, step->call.args[1], NULL };
	return (struct cel_shape){ 0 };
}
