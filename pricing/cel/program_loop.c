/*
 * Comprehensions. What the macros are written out to (shape.h) becomes a loop that does just that;
 * in particular a list grows in place, for which its room is known: that of the range. Anything
 * else of the general form is done as it is written.
 *
 *	RANGE r; <begin>; top: NEXT x; <test or step>; JUMP top; end:
 *
 * all, exists: the test leaves the loop with its answer; its first error is kept in the result and
 * the loop goes on, because a later element may absorb it. exists_one, map, filter: the first error
 * is the result.
 */
#include "pricing/cel/program_impl.h"

struct loop {
	unsigned dst, range, var; /* range + 1 counts */
	struct cel_label top, end;
	uint32_t next; /* the instruction */
	uint64_t outside;
	struct cel_scope scope;
};

static void begin(struct cel_gen *g, struct loop *l, const struct cel_node *n, unsigned dst)
{
	struct cel_insn *i;

	l->dst = dst;
	l->top = l->end = CEL_LABEL_INIT;
	l->range = cel_gen_register(g);
	cel_gen_register(g);
	l->var = cel_gen_register(g);
	cel_gen_value(g, n->comprehension.range, l->range);
	i = cel_gen_emit(g, CEL_OP_RANGE);
	i->a = (uint8_t)l->range;
	i->b = (uint16_t)dst;
	cel_gen_jump(g, i, &l->end);
}

/* @done: where to go when there is no next. */
static void turn(
	struct cel_gen *g, struct loop *l, const struct cel_node *n, struct cel_label *done)
{
	struct cel_insn *i;

	cel_gen_bind(g, &l->top);
	l->next = g->n_code;
	i = cel_gen_emit(g, CEL_OP_NEXT);
	i->a = (uint8_t)l->range;
	i->b = (uint16_t)l->var;
	cel_gen_jump(g, i, done);
	l->outside = g->cost;
	g->cost = 1;
	l->scope = (struct cel_scope){ n->comprehension.var, (uint8_t)l->var, g->scope };
	g->scope = &l->scope;
}

static void again(struct cel_gen *g, struct loop *l)
{
	cel_gen_jump(g, cel_gen_emit(g, CEL_OP_JUMP), &l->top);
	if (!g->failed)
		g->code[l->next].u = g->cost;
	g->cost = l->outside;
	g->scope = l->scope.outer;
}

static void set_bool(struct cel_gen *g, unsigned dst, bool b)
{
	struct cel_insn *i = cel_gen_emit(g, CEL_OP_BOOL);

	i->a = (uint8_t)dst;
	i->sub = b;
}

static void quantifier(
	struct cel_gen *g, struct loop *l, const struct cel_node *n, const struct cel_shape *s)
{
	bool is_exists = s->kind == CEL_SHAPE_EXISTS;
	struct cel_label out = CEL_LABEL_INIT;

	set_bool(g, l->dst, !is_exists);
	turn(g, l, n, &l->end);
	cel_gen_branch(g, s->test, is_exists, &out, l->dst);
	again(g, l);
	cel_gen_bind(g, &out);
	set_bool(g, l->dst, is_exists);
}

/*
 * Where the test of an element keeps its first error. In a line of && a later operand may absorb
 * it, and then what the loop has gathered so far must still be there: the line has a register of
 * its own. Anything else ends the loop with its error, so the result will do.
 */
static unsigned kept_in(struct cel_gen *g, const struct loop *l, const struct cel_node *test)
{
	const int f = test && test->kind == CEL_N_CALL ? test->call.function : CEL_F_UNKNOWN;

	return f == CEL_F_AND || f == CEL_F_OR || f == CEL_F_NOT ? cel_gen_register(g) : l->dst;
}

/* Goes on below if the test holds, to the next element if not; to @failed with its error. */
static void test_element(struct cel_gen *g, struct loop *l, const struct cel_node *test,
	unsigned kept, struct cel_label *failed)
{
	struct cel_insn *i;

	if (kept != l->dst)
		set_bool(g, kept, true);
	cel_gen_branch(g, test, false, &l->top, kept);
	i = cel_gen_emit(g, CEL_OP_JUMP_ERROR);
	i->a = (uint8_t)kept;
	cel_gen_jump(g, i, kept == l->dst ? &l->end : failed);
}

/* Behind the loop: only a test that failed comes here. */
static void fail_with(struct cel_gen *g, struct loop *l, unsigned kept, struct cel_label *failed)
{
	if (kept == l->dst)
		return;
	cel_gen_jump(g, cel_gen_emit(g, CEL_OP_JUMP), &l->end);
	cel_gen_bind(g, failed);
	cel_gen_emit_x(
		g, CEL_OP_LOAD, l->dst, (struct cel_operand){ CEL_IN_REGISTER, (uint16_t)kept });
}

static void count_one(
	struct cel_gen *g, struct loop *l, const struct cel_node *n, const struct cel_shape *s)
{
	struct cel_label done = CEL_LABEL_INIT, failed = CEL_LABEL_INIT;
	unsigned kept = kept_in(g, l, s->test);
	struct cel_insn *i;

	cel_gen_emit_x(g, CEL_OP_LOAD, l->dst,
		(struct cel_operand){ CEL_IN_CONSTANT, cel_gen_constant(g, cel_int(0)) });
	turn(g, l, n, &done);
	test_element(g, l, s->test, kept, &failed);
	i = cel_gen_emit(g, CEL_OP_COUNT);
	i->a = (uint8_t)l->dst;
	cel_gen_jump(g, i, &l->end);
	again(g, l);
	cel_gen_bind(g, &done);
	cel_gen_emit(g, CEL_OP_IS_ONE)->a = (uint8_t)l->dst;
	fail_with(g, l, kept, &failed);
}

static void append(
	struct cel_gen *g, struct loop *l, const struct cel_node *n, const struct cel_shape *s)
{
	struct cel_insn *i = cel_gen_emit(g, CEL_OP_LIST_LIKE);
	struct cel_label failed = CEL_LABEL_INIT;
	unsigned kept = kept_in(g, l, s->test), mark = g->next;

	i->a = (uint8_t)l->dst;
	i->b = (uint16_t)l->range;
	cel_gen_jump(g, i, &l->end);
	g->cost += CEL_COST_LIST;
	turn(g, l, n, &l->end);
	if (s->test)
		test_element(g, l, s->test, kept, &failed);
	cel_gen_jump(
		g, cel_gen_emit_x(g, CEL_OP_APPEND, l->dst, cel_gen_operand(g, s->value)), &l->end);
	g->next = mark;
	again(g, l);
	fail_with(g, l, kept, &failed);
}

/* As written: while the condition is not false, the accumulator is the step. */
static void general(struct cel_gen *g, struct loop *l, const struct cel_node *n)
{
	unsigned accu = cel_gen_register(g), mark, answer = cel_gen_register(g);
	struct cel_scope scope = { n->comprehension.accu, (uint8_t)accu, g->scope };
	struct cel_operand from = { CEL_IN_REGISTER, 0 };
	struct cel_label done = CEL_LABEL_INIT;

	mark = g->next;
	cel_gen_value(g, n->comprehension.init, accu);
	g->scope = &scope;
	turn(g, l, n, &done);
	set_bool(g, answer, true);
	cel_gen_branch(g, n->comprehension.condition, false, &done, answer);
	from.at = (uint16_t)cel_gen_register(g);
	cel_gen_value(g, n->comprehension.step, from.at);
	cel_gen_emit_x(g, CEL_OP_LOAD, accu, from);
	g->next = mark;
	again(g, l);
	cel_gen_bind(g, &done);
	cel_gen_value(g, n->comprehension.result, l->dst);
	g->scope = scope.outer;
}

void cel_gen_loop(struct cel_gen *g, const struct cel_node *n, unsigned dst)
{
	struct cel_shape s = cel_shape_of(n);
	unsigned mark = g->next;
	struct loop l;

	begin(g, &l, n, dst);
	switch (s.kind) {
	case CEL_SHAPE_ALL:
	case CEL_SHAPE_EXISTS:
		quantifier(g, &l, n, &s);
		break;
	case CEL_SHAPE_ONE:
		count_one(g, &l, n, &s);
		break;
	case CEL_SHAPE_APPEND:
		append(g, &l, n, &s);
		break;
	case CEL_SHAPE_GENERIC:
		general(g, &l, n);
		break;
	}
	cel_gen_bind(g, &l.end);
	g->next = mark;
}
