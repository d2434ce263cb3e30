/*
 * Conditions as jumps.
 *
 * && and || are absorbing: false && error is false. So a line of && is: each operand jumps out if
 * it is false; an error is kept in a register and the line goes on, because a later operand may
 * still be false. At the end the register holds true, or the first error. || is the same with the
 * answers swapped, and ! only swaps them; so a chain of any depth that does not change between both
 * is one line. Where it changes, the inner one has a register of its own, because its error is
 * forgotten when it is absorbed inside.
 *
 * Leaving early pays only where a test costs more than a wrong guess of the processor. Simple tests
 * in a row (variable against constant) are all asked, without a jump: each only remembers whether
 * it would have jumped, and one jump follows.
 */
#include "pricing/cel/program_impl.h"

#define RUN_MAX 8 /* tests asked in vain at most */

void cel_gen_remember(struct cel_gen *g)
{
	for (; g->run; g->run--)
		if (!g->failed)
			g->code[g->n_code - g->run].op |= 1;
}

void cel_gen_flush(struct cel_gen *g, struct cel_label *l)
{
	if (g->failed || g->run == 0)
		return;
	if (g->run == 1) {
		g->run = 0;
		cel_gen_jump(g, &g->code[g->n_code - 1], l);
		return;
	}
	cel_gen_remember(g);
	cel_gen_jump(g, cel_gen_emit(g, CEL_OP_JUMP_HIT), l);
}

static void constant(
	struct cel_gen *g, struct cel_value v, bool jump_if, struct cel_label *l, unsigned e)
{
	if (v.kind == CEL_V_BOOL && v.b != jump_if)
		return;
	cel_gen_flush(g, l);
	if (v.kind == CEL_V_BOOL)
		cel_gen_jump(g, cel_gen_emit(g, CEL_OP_JUMP), l);
	else
		cel_gen_emit_x(g, CEL_OP_NOTE, e,
			(struct cel_operand){ CEL_IN_CONSTANT, cel_gen_constant(g, v) });
}

/* && where true is wanted, || where false is: the inner line is left by @inner, its end is the
 * answer. */
static void nested(
	struct cel_gen *g, const struct cel_node *n, bool jump_if, struct cel_label *l, unsigned e)
{
	struct cel_label inner = CEL_LABEL_INIT;
	unsigned mark = g->next, own = cel_gen_register(g);
	struct cel_insn *i;

	cel_gen_flush(g, l);
	i = cel_gen_emit(g, CEL_OP_BOOL);
	i->a = (uint8_t)own;
	i->sub = true;
	for (uint32_t k = 0; k < n->call.n_args; k++)
		cel_gen_chain(g, n->call.args[k], !jump_if, &inner, own);
	cel_gen_flush(g, &inner);
	i = cel_gen_emit(g, CEL_OP_JUMP_UNLESS_ERROR);
	i->a = (uint8_t)e;
	i->b = (uint16_t)own;
	cel_gen_jump(g, i, l);
	cel_gen_bind(g, &inner);
	g->next = mark;
}

/* Anything: its value, and whether that is true. */
static void truth(
	struct cel_gen *g, const struct cel_node *n, bool jump_if, struct cel_label *l, unsigned e)
{
	unsigned mark = g->next;
	struct cel_operand x;

	if (!cel_gen_direct(g, n, &x)) {
		cel_gen_flush(g, l);
		x = cel_gen_operand(g, n);
	}
	cel_gen_emit_x(g, jump_if ? CEL_J_IS_TRUE : CEL_J_IS_FALSE, e, x);
	g->run++;
	g->next = mark;
}

void cel_gen_chain(
	struct cel_gen *g, const struct cel_node *n, bool jump_if, struct cel_label *l, unsigned e)
{
	int f = n->kind == CEL_N_CALL ? n->call.function : CEL_F_UNKNOWN;
	struct cel_value v;

	if (g->failed)
		return;
	if (g->run >= RUN_MAX)
		cel_gen_flush(g, l);
	if (f == CEL_F_AND || f == CEL_F_OR || f == CEL_F_NOT)
		g->cost++;
	if (f == CEL_F_NOT) {
		cel_gen_chain(g, n->call.args[0], !jump_if, l, e);
	} else if (f == (jump_if ? CEL_F_OR : CEL_F_AND)) {
		for (uint32_t i = 0; i < n->call.n_args; i++)
			cel_gen_chain(g, n->call.args[i], jump_if, l, e);
	} else if (f == CEL_F_AND || f == CEL_F_OR) {
		nested(g, n, jump_if, l, e);
	} else if (cel_gen_fold(g, n, &v)) {
		constant(g, v, jump_if, l, e);
	} else if (!cel_gen_compare(g, n, jump_if, l, e)) {
		truth(g, n, jump_if, l, e);
	}
}

void cel_gen_branch(
	struct cel_gen *g, const struct cel_node *n, bool jump_if, struct cel_label *l, unsigned e)
{
	cel_gen_chain(g, n, jump_if, l, e);
	cel_gen_flush(g, l);
}
