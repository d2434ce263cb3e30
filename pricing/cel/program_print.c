/*
 * Disassembly, for people:
 *
 *	  0  h_not_in_bits     r0    customer.tier      ["gold", "platinum"]
 *	  1  h_i64_lt          r0    customer.points    5000
 *	  2  return_hit        r0    false
 */
#include <ctype.h>
#include <inttypes.h>

#include "pricing/cel/program_impl.h"

static const char *const names[] = {
#define X(name) "j_" #name, "h_" #name,
	CEL_TESTS(X)
#undef X
#define X(name) #name,
		CEL_OPS(X)
#undef X
};

static const char *const relation_names[] = { "", "<", "==", "<=", ">", "!=", ">=", "" };

static void operand(struct buf *out, const struct cel_program *p, unsigned file, unsigned at)
{
	if (file == CEL_IN_REGISTER) {
		buf_printf(out, " r%u", at);
	} else if (file == CEL_IN_SLOT) {
		buf_putc(out, ' ');
		buf_puts(out, cel_env_var(p->env, (int)at)->name);
	} else {
		buf_putc(out, ' ');
		cel_value_print(out, p->constants[at]);
	}
}

static void test(struct buf *out, const struct cel_program *p, const struct cel_insn *i)
{
	buf_printf(out, " r%u", i->a);
	operand(out, p, i->c, i->b);
	switch (cel_vm_test_of(i->op)) {
	case CEL_J_IN_BITS:
	case CEL_J_NOT_IN_BITS:
		operand(out, p, CEL_IN_CONSTANT, i->set.list);
		break;
	case CEL_J_TEXT_EQ:
	case CEL_J_TEXT_NE:
	case CEL_J_IN_LIST:
	case CEL_J_NOT_IN_LIST:
		operand(out, p, CEL_IN_CONSTANT, i->k);
		break;
	case CEL_J_IS_TRUE:
	case CEL_J_IS_FALSE:
	case CEL_J_PRESENT:
	case CEL_J_ABSENT:
		break;
	case CEL_J_INTS:
	case CEL_J_MONEY:
	case CEL_J_TIMES:
	case CEL_J_DOUBLES:
	case CEL_J_ANY:
		buf_printf(out, " %s%s", i->sub & CEL_IF_NOT ? "not " : "",
			relation_names[i->sub & 7]);
		operand(out, p, i->d, i->k);
		break;
	default:
		buf_putc(out, ' ');
		cel_value_print(out, (struct cel_value){ .kind = i->sub, .i = i->i });
	}
	if (!(i->op & 1))
		buf_printf(out, " -> %u", i->t);
}

static void function(struct buf *out, unsigned f)
{
	buf_putc(out, ' ');
	buf_puts(out, cel_functions[f].name);
}

static void registers(struct buf *out, const struct cel_insn *i)
{
	buf_printf(out, " r%u r%u", i->a, i->b);
}

/* Of the instructions that are no tests: their operands. */
static void others(struct buf *out, const struct cel_program *p, const struct cel_insn *i)
{
	switch (i->op) {
	case CEL_OP_LOAD:
	case CEL_OP_NOTE:
	case CEL_OP_NOT_FALSE:
	case CEL_OP_APPEND:
		buf_printf(out, " r%u", i->a);
		operand(out, p, i->c, i->b);
		break;
	case CEL_OP_RETURN:
		operand(out, p, i->c, i->b);
		break;
	case CEL_OP_BOOL:
	case CEL_OP_RETURN_HIT:
	case CEL_OP_TAKE_HIT:
		buf_printf(out, " r%u %s", i->a, i->sub ? "true" : "false");
		break;
	case CEL_OP_RETURN_BOOL:
		buf_printf(out, " %s", i->sub ? "true" : "false");
		break;
	case CEL_OP_COST:
		buf_printf(out, " %" PRIu64, i->u);
		break;
	case CEL_OP_ADD:
	case CEL_OP_SUB:
	case CEL_OP_MUL:
	case CEL_OP_IN:
	case CEL_OP_INDEX:
	case CEL_OP_SELECT:
	case CEL_OP_HAS:
		buf_printf(out, " r%u", i->a);
		operand(out, p, i->c, i->b);
		operand(out, p, i->d, i->k);
		break;
	case CEL_OP_CALL:
		registers(out, i);
		function(out, i->sub);
		buf_printf(out, "/%u", i->c);
		break;
	case CEL_OP_MATCHES:
		buf_printf(out, " r%u", i->a);
		operand(out, p, i->c, i->b);
		buf_printf(out, " pattern %u", i->k);
		break;
	case CEL_OP_IN_ZONE:
		buf_printf(out, " r%u", i->a);
		operand(out, p, i->c, i->b);
		function(out, i->sub);
		break;
	case CEL_OP_LIST:
		buf_printf(out, " r%u %u", i->a, i->k);
		break;
	case CEL_OP_MAP:
		registers(out, i);
		buf_printf(out, " r%u", i->k);
		break;
	case CEL_OP_NEXT:
		registers(out, i);
		buf_printf(out, " cost %" PRIu64, i->u);
		break;
	case CEL_OP_JUMP_UNLESS_ERROR:
	case CEL_OP_LIST_LIKE:
	case CEL_OP_RANGE:
		registers(out, i);
		break;
	case CEL_OP_JUMP_ERROR:
	case CEL_OP_COUNT:
	case CEL_OP_IS_ONE:
		buf_printf(out, " r%u", i->a);
		break;
	default:
		break;
	}
}

static bool has_target(unsigned op)
{
	switch (op) {
	case CEL_OP_JUMP:
	case CEL_OP_JUMP_HIT:
	case CEL_OP_JUMP_UNLESS_ERROR:
	case CEL_OP_JUMP_ERROR:
	case CEL_OP_LIST:
	case CEL_OP_LIST_LIKE:
	case CEL_OP_APPEND:
	case CEL_OP_RANGE:
	case CEL_OP_NEXT:
	case CEL_OP_COUNT:
		return true;
	default:
		return false;
	}
}

void cel_program_print(struct buf *out, const struct cel_program *p)
{
	for (uint32_t at = 0; at < p->n_code; at++) {
		const struct cel_insn *i = &p->code[at];

		buf_printf(out, "%4u  ", at);
		for (const char *s = names[i->op]; *s; s++)
			buf_putc(out, (char)tolower((unsigned char)*s));
		if (i->op < CEL_OP_LOAD)
			test(out, p, i);
		else
			others(out, p, i);
		if (has_target(i->op))
			buf_printf(out, " -> %u", i->t);
		buf_putc(out, '\n');
	}
	buf_printf(out, "first %s, %u registers, cost %" PRIu64 " (at once %" PRIu64 ")\n",
		p->first ? "true" : "false", p->n_registers, p->cost, p->cost_base);
}
