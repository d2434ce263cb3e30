/*
 * Calls: arithmetic of two operands where they lie, patterns and zones that are known ahead, and
 * everything else through the library, with its arguments in registers side by side.
 */
#include <errno.h>

#include "pricing/cel/program_impl.h"

#define ARGS_MAX 8

static void load_error(struct cel_gen *g, struct cel_value error, unsigned dst)
{
	cel_gen_emit_x(g, CEL_OP_LOAD, dst,
		(struct cel_operand){ CEL_IN_CONSTANT, cel_gen_constant(g, error) });
}

/* What they cost beyond 1 the machine counts if it is not about numbers. */
static void binary(struct cel_gen *g, unsigned op, const struct cel_node *n, unsigned dst)
{
	unsigned mark = g->next;
	struct cel_operand x = cel_gen_operand(g, n->call.args[0]);
	struct cel_operand y = cel_gen_operand(g, n->call.args[1]);
	struct cel_insn *i = cel_gen_emit_x(g, op, dst, x);

	i->d = (uint16_t)y.file;
	i->k = y.at;
	g->cost++;
	g->next = mark;
}

static void not_false(struct cel_gen *g, const struct cel_node *n, unsigned dst)
{
	unsigned mark = g->next;

	cel_gen_emit_x(g, CEL_OP_NOT_FALSE, dst, cel_gen_operand(g, n->call.args[0]));
	g->cost++;
	g->next = mark;
}

/* Counted by the library when it is called. */
static void plain(struct cel_gen *g, const struct cel_node *n, unsigned dst)
{
	const struct cel_node *args[ARGS_MAX];
	unsigned mark = g->next, base = mark, n_args = cel_gen_args(n, args, ARGS_MAX);
	struct cel_insn *i;

	for (unsigned k = 0; k < n_args; k++)
		cel_gen_register(g);
	for (unsigned k = 0; k < n_args; k++)
		cel_gen_value(g, args[k], base + k);
	i = cel_gen_emit(g, CEL_OP_CALL);
	i->a = (uint8_t)dst;
	i->b = (uint16_t)base;
	i->c = (uint8_t)n_args;
	i->sub = (uint8_t)n->call.function;
	g->next = mark;
}

/* A constant pattern that is none is an error of the evaluation, where patterns may come from
 * there. */
static bool pattern_ahead(
	struct cel_gen *g, const struct cel_node *n, struct cel_value v, uint32_t *ret)
{
	struct cel_pattern *p = NULL;
	char why[128];
	int r;

	if (v.kind != CEL_V_STRING)
		return false;
	r = cel_pattern_new(&p, cel_str(v), why, sizeof(why));
	if (r == -EINVAL && !g->o->has_patterns)
		cel_gen_fail(g, CEL_E_PATTERN, n->offset, "invalid pattern: %s", why);
	else if (r == -ENOMEM && !g->failed)
		g->failed = -ENOMEM;
	if (r)
		return false;
	*ret = cel_gen_pattern(g, p);
	return true;
}

static void matches(struct cel_gen *g, const struct cel_node *n, unsigned dst)
{
	const struct cel_node *args[2];
	struct cel_value v;
	struct cel_insn *i;
	unsigned mark = g->next;
	uint32_t p = 0;

	cel_gen_args(n, args, 2);
	if (!cel_gen_fold(g, args[1], &v)) {
		if (!g->o->has_patterns)
			cel_gen_fail(g, CEL_E_PATTERN, args[1]->offset,
				"a pattern must be a constant text here");
		plain(g, n, dst);
		return;
	}
	if (!pattern_ahead(g, args[1], v, &p)) {
		plain(g, n, dst);
		return;
	}
	i = cel_gen_emit_x(g, CEL_OP_MATCHES, dst, cel_gen_operand(g, args[0]));
	i->k = p;
	i->sym = v.n > UINT16_MAX ? UINT16_MAX : (uint16_t)v.n; /* what it costs */
	g->cost++;
	g->next = mark;
}

static bool is_getter(const struct cel_node *n)
{
	return n->call.function >= CEL_F_GET_DATE && n->call.function <= CEL_F_GET_SECONDS;
}

static void in_zone(struct cel_gen *g, const struct cel_node *n, unsigned dst)
{
	const struct cel_node *args[2];
	const struct cel_zone *zone = NULL;
	struct cel_value v = { 0 };
	unsigned mark = g->next;
	struct cel_insn *i;
	bool is_constant;

	cel_gen_args(n, args, 2);
	is_constant = cel_gen_fold(g, args[1], &v);
	if (is_constant && v.kind == CEL_V_STRING)
		zone = cel_zone_find(cel_str(v));
	if (!zone && !g->o->has_patterns && !g->o->is_unchecked)
		cel_gen_fail(g, CEL_E_ZONE, args[1]->offset,
			is_constant ? "no such time zone"
				    : "a time zone must be a constant text here");
	if (!zone) {
		plain(g, n, dst);
		return;
	}
	i = cel_gen_emit_x(g, CEL_OP_IN_ZONE, dst, cel_gen_operand(g, args[0]));
	i->sub = (uint8_t)n->call.function;
	i->p = zone;
	g->cost++;
	g->next = mark;
}

void cel_gen_call(struct cel_gen *g, const struct cel_node *n, unsigned dst)
{
	if (!cel_gen_is_callable(n)) {
		load_error(g,
			n->call.function == CEL_F_UNKNOWN
				? cel_error(CEL_R_UNDECLARED, "no such overload")
				: cel_error(CEL_R_NO_OVERLOAD, "no such overload"),
			dst);
		return;
	}
	switch (n->call.function) {
	case CEL_F_ADD:
		binary(g, CEL_OP_ADD, n, dst);
		break;
	case CEL_F_SUB:
		binary(g, CEL_OP_SUB, n, dst);
		break;
	case CEL_F_MUL:
		binary(g, CEL_OP_MUL, n, dst);
		break;
	case CEL_F_IN:
		binary(g, CEL_OP_IN, n, dst);
		break;
	case CEL_F_INDEX:
		binary(g, CEL_OP_INDEX, n, dst);
		break;
	case CEL_F_NOT_STRICTLY_FALSE:
		not_false(g, n, dst);
		break;
	case CEL_F_MATCHES:
		matches(g, n, dst);
		break;
	default:
		if (is_getter(n) && n->call.n_args == 1)
			in_zone(g, n, dst);
		else
			plain(g, n, dst);
	}
}
