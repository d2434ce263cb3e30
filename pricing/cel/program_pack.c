/*
 * One block of memory: the program, its code, its constants and all that these point to. The same
 * walk is done twice, first to measure, then to write, so that both cannot differ.
 */
#include <errno.h>
#include <stdlib.h>

#include "pricing/cel/program_impl.h"

struct pack {
	char *base; /* NULL: measuring */
	size_t n;
};

/* Returns where the @n bytes are now; NULL when measuring. */
static void *put(struct pack *p, const void *from, size_t n, size_t align)
{
	void *to;

	p->n = (p->n + align - 1) & ~(align - 1);
	to = p->base ? p->base + p->n : NULL;
	p->n += n;
	if (to && n)
		memcpy(to, from, n);
	return to;
}

static struct cel_value put_value(struct pack *p, struct cel_value v);

static const struct cel_value *put_values(struct pack *p, const struct cel_value *v, uint32_t n)
{
	struct cel_value *to = put(p, v, n * sizeof(*v), _Alignof(struct cel_value));

	for (uint32_t i = 0; i < n; i++) {
		struct cel_value moved = put_value(p, v[i]);

		if (to)
			to[i] = moved;
	}
	return to;
}

static const struct cel_map *put_map(struct pack *p, const struct cel_map *m)
{
	struct cel_map moved = *m;

	moved.keys = put_values(p, m->keys, m->n);
	moved.values = put_values(p, m->values, m->n);
	if (m->index)
		moved.index = put(
			p, m->index, ((size_t)m->mask + 1) * sizeof(*m->index), _Alignof(uint32_t));
	return put(p, &moved, sizeof(moved), _Alignof(struct cel_map));
}

static struct cel_value put_value(struct pack *p, struct cel_value v)
{
	switch (v.kind) {
	case CEL_V_STRING:
	case CEL_V_BYTES:
		v.s = put(p, v.s, v.n, 1);
		break;
	case CEL_V_LIST:
		v.list = put_values(p, v.list, v.n);
		break;
	case CEL_V_MAP:
		v.map = put_map(p, v.map);
		break;
	default: /* names of types and texts of errors are literals */
		break;
	}
	return v;
}

/* Primitive types are shared constants. */
static const struct cel_type *put_type(struct pack *p, const struct cel_type *t)
{
	struct cel_type moved;

	if (!t || (t->kind != CEL_T_LIST && t->kind != CEL_T_MAP && t->kind != CEL_T_TYPE))
		return t;
	moved = *t;
	moved.a = put_type(p, t->a);
	moved.b = put_type(p, t->b);
	return put(p, &moved, sizeof(moved), _Alignof(struct cel_type));
}

static const struct cel_symbol_set *put_sets(struct pack *p, const struct cel_gen *g)
{
	struct cel_symbol_set *to =
		put(p, g->sets, g->n_sets * sizeof(*g->sets), _Alignof(struct cel_symbol_set));

	for (uint32_t i = 0; i < g->n_sets; i++) {
		struct cel_symbol_set moved = g->sets[i];

		moved.v = put(p, moved.v, moved.n * sizeof(*moved.v), _Alignof(uint16_t));
		if (to)
			to[i] = moved;
	}
	return to;
}

static void put_all(struct pack *p, const struct cel_gen *g, struct cel_program *head)
{
	put(p, head, sizeof(*head), _Alignof(struct cel_program));
	head->code = put(p, g->code, g->n_code * sizeof(*g->code), _Alignof(struct cel_insn));
	head->constants = put_values(p, g->constants, g->n_constants);
	head->sets = put_sets(p, g);
	head->patterns = put(p, g->patterns, g->n_patterns * sizeof(struct cel_pattern *),
		_Alignof(struct cel_pattern *));
	head->type = put_type(p, head->type);
}

/* Tests of slots one after another and nothing else. Says then where each slot lies. */
static bool make_line(struct cel_gen *g)
{
	uint32_t last = g->n_code - 1;

	for (uint32_t i = 0; i < last; i++)
		if (g->code[i].op >= CEL_OP_LOAD || !(g->code[i].op & 1) ||
			g->code[i].c != CEL_IN_SLOT)
			return false;
	for (uint32_t i = 0; i < last; i++)
		g->code[i].t = (uint16_t)(g->code[i].b * sizeof(struct cel_value));
	return g->code[last].op == CEL_OP_RETURN_HIT;
}

int cel_gen_pack(struct cel_program **ret, struct cel_gen *g, const struct cel_node *root)
{
	struct cel_program head = {
		.env = g->env,
		.n_code = g->n_code,
		.n_constants = g->n_constants,
		.n_sets = g->n_sets,
		.n_patterns = g->n_patterns,
		.n_registers = g->n_registers,
		.first = g->first,
		.is_line = make_line(g),
		.cost_base = g->cost,
		.type = g->o->is_unchecked || !root->type ? &cel_type_dyn : root->type,
	};
	struct pack p = { 0 };
	struct cel_program measured = head;

	put_all(&p, g, &measured);
	p.base = malloc(p.n);
	if (!p.base)
		return -ENOMEM;
	p.n = 0;
	put_all(&p, g, &head);
	memcpy(head.slots, g->slots, sizeof(head.slots));
	*ret = (struct cel_program *)(void *)p.base;
	**ret = head;
	g->n_patterns = 0;
	return 0;
}
