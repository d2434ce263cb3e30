/*
 * Code, constants and labels while they grow. They begin in the compiler's own memory, which most
 * expressions never leave, and go on in the arena of the compilation.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "pricing/cel/program_impl.h"

void cel_gen_fail(struct cel_gen *g, enum cel_code code, uint32_t offset, const char *fmt, ...)
{
	char text[CEL_DIAG_TEXT_MAX];
	va_list ap;

	if (g->failed)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cel_diag_add(g->diags, CEL_STAGE_CHECK, code, offset, "%s", text);
	g->failed = -EINVAL;
}

void cel_gen_too_large(struct cel_gen *g, uint32_t offset)
{
	cel_gen_fail(g, CEL_E_TOO_LARGE, offset, "expression needs more memory than there is");
}

void *cel_gen_alloc(struct cel_gen *g, size_t n)
{
	void *p = arena_alloc(g->fold.arena, n);

	if (!p)
		cel_gen_too_large(g, 0);
	return p;
}

/* Room for one more of @size bytes in @v; the array, or NULL (failed). */
static void *grown(struct cel_gen *g, void *v, uint32_t n, uint32_t *cap, size_t size, uint32_t max)
{
	uint32_t more = *cap ? 2 * *cap : 8;
	void *p;

	if (n < *cap)
		return v;
	if (n >= max) {
		cel_gen_fail(g, CEL_E_TOO_LARGE, 0, "expression needs too much code");
		return NULL;
	}
	if (more > max)
		more = max;
	p = cel_gen_alloc(g, more * size);
	if (!p)
		return NULL;
	if (n)
		memcpy(p, v, n * size);
	*cap = more;
	return p;
}

struct cel_insn *cel_gen_emit(struct cel_gen *g, unsigned op)
{
	struct cel_insn *code =
		grown(g, g->code, g->n_code, &g->cap_code, sizeof(*code), CEL_CODE_MAX);

	if (!code || g->failed)
		return &g->spare;
	g->code = code;
	code += g->n_code++;
	*code = (struct cel_insn){ .op = (uint8_t)op };
	return code;
}

struct cel_insn *cel_gen_emit_x(struct cel_gen *g, unsigned op, unsigned a, struct cel_operand x)
{
	struct cel_insn *i = cel_gen_emit(g, op);

	i->a = (uint8_t)a;
	i->b = x.at;
	i->c = (uint8_t)x.file;
	return i;
}

uint16_t cel_gen_constant(struct cel_gen *g, struct cel_value v)
{
	struct cel_value *k = grown(
		g, g->constants, g->n_constants, &g->cap_constants, sizeof(*k), CEL_CONSTANTS_MAX);

	if (!k)
		return 0;
	g->constants = k;
	k[g->n_constants] = v;
	return (uint16_t)g->n_constants++;
}

uint16_t cel_gen_set(struct cel_gen *g, struct cel_symbol_set set)
{
	struct cel_symbol_set *s =
		grown(g, g->sets, g->n_sets, &g->cap_sets, sizeof(*s), CEL_SET_NONE);

	if (!s)
		return CEL_SET_NONE;
	g->sets = s;
	s[g->n_sets] = set;
	return (uint16_t)g->n_sets++;
}

uint32_t cel_gen_pattern(struct cel_gen *g, struct cel_pattern *p)
{
	struct cel_pattern **v = grown(g, g->patterns, g->n_patterns, &g->cap_patterns,
		sizeof(struct cel_pattern *), CEL_CONSTANTS_MAX);

	if (!v) {
		cel_pattern_free(p);
		return 0;
	}
	g->patterns = v;
	v[g->n_patterns] = p;
	return g->n_patterns++;
}

unsigned cel_gen_register(struct cel_gen *g)
{
	if (g->next == CEL_REGISTERS_MAX) {
		cel_gen_fail(g, CEL_E_TOO_LARGE, 0,
			"expression needs more than %d values at a time", CEL_REGISTERS_MAX);
		return 0;
	}
	if (g->next >= g->n_registers)
		g->n_registers = g->next + 1;
	return g->next++;
}

void cel_gen_jump(struct cel_gen *g, struct cel_insn *from, struct cel_label *to)
{
	if (g->failed)
		return;
	if (to->at >= 0) {
		from->t = (uint16_t)to->at;
		return;
	}
	from->t = to->head;
	to->head = (uint16_t)(from - g->code);
}

void cel_gen_bind(struct cel_gen *g, struct cel_label *l)
{
	if (g->failed)
		return;
	l->at = (int)g->n_code;
	for (uint16_t i = l->head; i != CEL_LABEL_NONE;) {
		uint16_t next = g->code[i].t;

		g->code[i].t = (uint16_t)l->at;
		i = next;
	}
	l->head = CEL_LABEL_NONE;
}
