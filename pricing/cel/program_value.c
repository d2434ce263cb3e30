/*
 * Values into registers. Registers are a stack: whoever takes some gives them back when its value
 * is made. Variables and constants are operands where they lie and are copied only where a function
 * wants its arguments side by side.
 *
 * Cost: what every run through a straight line counts is summed up while its code is made, and
 * counted once: by the program (cost_base), by a turn of a loop (NEXT), by a branch of a
 * conditional (COST). A line that && or || leaves early has been counted whole.
 */
#include "pricing/cel/program_impl.h"

bool cel_gen_direct(struct cel_gen *g, const struct cel_node *n, struct cel_operand *ret)
{
	struct cel_name name;

	if ((n->kind != CEL_N_IDENT && n->kind != CEL_N_SELECT) || n->is_test_only)
		return false;
	name = cel_gen_name(g, n);
	switch (name.kind) {
	case CEL_NAME_SLOT:
		g->slots[name.at / 64] |= UINT64_C(1) << name.at % 64;
		*ret = (struct cel_operand){ CEL_IN_SLOT, (uint16_t)name.at };
		break;
	case CEL_NAME_LOCAL:
		*ret = (struct cel_operand){ CEL_IN_REGISTER, (uint16_t)name.at };
		break;
	case CEL_NAME_VALUE:
		*ret = (struct cel_operand){ CEL_IN_CONSTANT, cel_gen_constant(g, name.value) };
		break;
	case CEL_NAME_FIELD:
		return false;
	}
	g->cost++;
	return true;
}

struct cel_operand cel_gen_operand(struct cel_gen *g, const struct cel_node *n)
{
	struct cel_operand x = { CEL_IN_REGISTER, 0 };
	struct cel_value v;

	if (n->kind == CEL_N_CONST || n->kind == CEL_N_LIST || n->kind == CEL_N_MAP ||
		n->kind == CEL_N_CALL) {
		if (cel_gen_fold(g, n, &v))
			return (struct cel_operand){ CEL_IN_CONSTANT, cel_gen_constant(g, v) };
	} else if (cel_gen_direct(g, n, &x)) {
		return x;
	}
	x.at = (uint16_t)cel_gen_register(g);
	cel_gen_value(g, n, x.at);
	return x;
}

bool cel_gen_is_logic(struct cel_gen *g, const struct cel_node *n)
{
	struct cel_value v;

	if (n->kind == CEL_N_SELECT)
		return n->is_test_only && cel_gen_name(g, n).kind == CEL_NAME_SLOT;
	if (n->kind != CEL_N_CALL)
		return false;
	switch (n->call.function) {
	case CEL_F_AND:
	case CEL_F_OR:
	case CEL_F_NOT:
	case CEL_F_EQ:
	case CEL_F_NE:
	case CEL_F_LT:
	case CEL_F_LE:
	case CEL_F_GT:
	case CEL_F_GE:
		return true;
	case CEL_F_IN:
		return cel_gen_fold(g, n->call.args[1], &v) && v.kind == CEL_V_LIST;
	default:
		return false;
	}
}

/* A question as a value: register @dst begins with the answer of a line that is gone to its end,
 * and takes the first error. */
static void logic(struct cel_gen *g, const struct cel_node *n, unsigned dst)
{
	bool is_or = n->kind == CEL_N_CALL && n->call.function == CEL_F_OR;
	struct cel_label hit = CEL_LABEL_INIT, end = CEL_LABEL_INIT;
	struct cel_insn *i = cel_gen_emit(g, CEL_OP_BOOL);

	i->a = (uint8_t)dst;
	i->sub = !is_or;
	cel_gen_chain(g, n, is_or, &hit, dst);
	if (hit.head == CEL_LABEL_NONE) {
		cel_gen_remember(g);
		i = cel_gen_emit(g, CEL_OP_TAKE_HIT);
		i->a = (uint8_t)dst;
		i->sub = is_or;
		return;
	}
	cel_gen_flush(g, &hit);
	cel_gen_jump(g, cel_gen_emit(g, CEL_OP_JUMP), &end);
	cel_gen_bind(g, &hit);
	i = cel_gen_emit(g, CEL_OP_BOOL);
	i->a = (uint8_t)dst;
	i->sub = is_or;
	cel_gen_bind(g, &end);
}

/* The same as the result of all. */
static void return_logic(struct cel_gen *g, const struct cel_node *n)
{
	bool is_or = n->kind == CEL_N_CALL && n->call.function == CEL_F_OR;
	struct cel_label hit = CEL_LABEL_INIT;
	unsigned e = cel_gen_register(g);
	struct cel_insn *i;

	if (g->n_code == 0 && e == 0) {
		g->first = !is_or;
	} else {
		i = cel_gen_emit(g, CEL_OP_BOOL);
		i->a = (uint8_t)e;
		i->sub = !is_or;
	}
	cel_gen_chain(g, n, is_or, &hit, e);
	cel_gen_remember(g);
	i = cel_gen_emit(g, CEL_OP_RETURN_HIT);
	i->a = (uint8_t)e;
	i->sub = is_or;
	if (hit.head == CEL_LABEL_NONE)
		return;
	cel_gen_bind(g, &hit);
	cel_gen_emit(g, CEL_OP_RETURN_BOOL)->sub = is_or;
}

/* The code between begin and end counts for itself. Nothing is made for what costs nothing. */
struct branch_cost {
	uint64_t outside;
	uint32_t at;
	bool is_counted;
};

static struct branch_cost cost_begin(struct cel_gen *g, const struct cel_node *n)
{
	struct branch_cost b = { g->cost, g->n_code, n->kind != CEL_N_CONST };

	g->cost = 0;
	if (b.is_counted)
		cel_gen_emit(g, CEL_OP_COST);
	return b;
}

static void cost_end(struct cel_gen *g, struct branch_cost b)
{
	if (b.is_counted && !g->failed)
		g->code[b.at].u = g->cost;
	g->cost = b.outside;
}

/* dst = NULL: the branches are the result of all. */
static void conditional(struct cel_gen *g, const struct cel_node *n, const unsigned *dst)
{
	struct cel_label otherwise = CEL_LABEL_INIT, error = CEL_LABEL_INIT, end = CEL_LABEL_INIT;
	unsigned mark = g->next, e = dst ? *dst : cel_gen_register(g);
	struct cel_insn *i = cel_gen_emit(g, CEL_OP_BOOL);
	struct branch_cost cost;

	i->a = (uint8_t)e;
	i->sub = true;
	g->cost++;
	cel_gen_branch(g, n->call.args[0], false, &otherwise, e);
	i = cel_gen_emit(g, CEL_OP_JUMP_ERROR);
	i->a = (uint8_t)e;
	cel_gen_jump(g, i, &error);
	for (int k = 1; k <= 2; k++) {
		cost = cost_begin(g, n->call.args[k]);
		if (dst)
			cel_gen_value(g, n->call.args[k], *dst);
		else
			cel_gen_return(g, n->call.args[k]);
		cost_end(g, cost);
		if (k == 1 && dst)
			cel_gen_jump(g, cel_gen_emit(g, CEL_OP_JUMP), &end);
		if (k == 1)
			cel_gen_bind(g, &otherwise);
	}
	cel_gen_bind(g, &error);
	cel_gen_bind(g, &end);
	if (!dst)
		cel_gen_emit_x(
			g, CEL_OP_RETURN, 0, (struct cel_operand){ CEL_IN_REGISTER, (uint16_t)e });
	g->next = mark;
}

static void append(
	struct cel_gen *g, const struct cel_node *n, unsigned list, struct cel_label *failed)
{
	unsigned mark = g->next;
	struct cel_operand x = cel_gen_operand(g, n);

	cel_gen_jump(g, cel_gen_emit_x(g, CEL_OP_APPEND, list, x), failed);
	g->next = mark;
}

static void new_list(struct cel_gen *g, unsigned dst, uint32_t room, struct cel_label *failed)
{
	struct cel_insn *i = cel_gen_emit(g, CEL_OP_LIST);

	i->a = (uint8_t)dst;
	i->k = room;
	cel_gen_jump(g, i, failed);
}

static void list(struct cel_gen *g, const struct cel_node *n, unsigned dst)
{
	struct cel_label end = CEL_LABEL_INIT;

	g->cost += CEL_COST_LIST;
	new_list(g, dst, n->list.n, &end);
	for (uint32_t i = 0; i < n->list.n; i++)
		append(g, n->list.v[i], dst, &end);
	cel_gen_bind(g, &end);
}

/* Keys are collected in the register of the result, so that an error is there at once. */
static void map(struct cel_gen *g, const struct cel_node *n, unsigned dst)
{
	struct cel_label end = CEL_LABEL_INIT, failed = CEL_LABEL_INIT;
	unsigned mark = g->next, values = cel_gen_register(g);
	struct cel_insn *i;

	g->cost += CEL_COST_MAP;
	new_list(g, dst, n->map.n, &end);
	new_list(g, values, n->map.n, &failed);
	for (uint32_t k = 0; k < n->map.n; k++) {
		append(g, n->map.v[k].key, dst, &end);
		append(g, n->map.v[k].value, values, &failed);
	}
	i = cel_gen_emit(g, CEL_OP_MAP);
	i->a = i->b = (uint8_t)dst;
	i->k = values;
	cel_gen_jump(g, cel_gen_emit(g, CEL_OP_JUMP), &end);
	cel_gen_bind(g, &failed);
	cel_gen_emit_x(
		g, CEL_OP_LOAD, dst, (struct cel_operand){ CEL_IN_REGISTER, (uint16_t)values });
	cel_gen_bind(g, &end);
	g->next = mark;
}

static void selection(struct cel_gen *g, const struct cel_node *n, unsigned dst)
{
	unsigned mark = g->next;
	struct cel_operand x = cel_gen_operand(g, n->select.operand);
	struct cel_insn *i =
		cel_gen_emit_x(g, n->is_test_only ? CEL_OP_HAS : CEL_OP_SELECT, dst, x);

	i->d = CEL_IN_CONSTANT;
	i->k = cel_gen_constant(g, cel_string(n->select.field));
	g->cost++;
	g->next = mark;
}

static void load(struct cel_gen *g, struct cel_operand x, unsigned dst)
{
	if (x.file != CEL_IN_REGISTER || x.at != dst)
		cel_gen_emit_x(g, CEL_OP_LOAD, dst, x);
}

void cel_gen_value(struct cel_gen *g, const struct cel_node *n, unsigned dst)
{
	struct cel_operand x;
	struct cel_value v;

	if (g->failed)
		return;
	if (cel_gen_direct(g, n, &x)) {
		load(g, x, dst);
		return;
	}
	if (cel_gen_fold(g, n, &v)) {
		load(g, (struct cel_operand){ CEL_IN_CONSTANT, cel_gen_constant(g, v) }, dst);
		return;
	}
	switch ((enum cel_node_kind)n->kind) {
	case CEL_N_LIST:
		list(g, n, dst);
		break;
	case CEL_N_MAP:
		map(g, n, dst);
		break;
	case CEL_N_STRUCT:
		v = cel_error(CEL_R_UNDECLARED, "unknown type");
		load(g, (struct cel_operand){ CEL_IN_CONSTANT, cel_gen_constant(g, v) }, dst);
		break;
	case CEL_N_COMPREHENSION:
		cel_gen_loop(g, n, dst);
		break;
	case CEL_N_CALL:
		if (n->call.function == CEL_F_CONDITIONAL)
			conditional(g, n, &dst);
		else if (cel_gen_is_logic(g, n))
			logic(g, n, dst);
		else
			cel_gen_call(g, n, dst);
		break;
	default:
		if (cel_gen_is_logic(g, n))
			logic(g, n, dst);
		else
			selection(g, n, dst);
	}
}

void cel_gen_return(struct cel_gen *g, const struct cel_node *n)
{
	unsigned mark = g->next;
	struct cel_value v;

	if (g->failed)
		return;
	if (n->kind == CEL_N_CALL && n->call.function == CEL_F_CONDITIONAL)
		conditional(g, n, NULL);
	else if (cel_gen_is_logic(g, n) && !cel_gen_fold(g, n, &v))
		return_logic(g, n);
	else
		cel_gen_emit_x(g, CEL_OP_RETURN, 0, cel_gen_operand(g, n));
	g->next = mark;
}
