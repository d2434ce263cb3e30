/*
 * Nodes lie in the arena and are never freed one by one. Lists of unknown length are collected on
 * the C stack, or in the arena if they are long, and copied once their length is known.
 */
#include "pricing/cel/parse_impl.h"

struct cel_node *cel_parse_node(
	struct cel_parser *p, enum cel_node_kind kind, uint32_t offset, struct cel_range where)
{
	struct cel_node *n = arena_alloc(p->arena, sizeof(*n));

	if (!n)
		return cel_parse_too_large(p, offset);
	*n = (struct cel_node){ .kind = (uint8_t)kind,
		.depth = 1,
		.offset = offset,
		.begin = where.begin,
		.end = where.end,
		.slot = CEL_SLOT_NONE };
	return n;
}

struct cel_node *cel_parse_call(struct cel_parser *p, enum cel_function f, uint32_t n_args,
	uint32_t offset, struct cel_range where)
{
	struct cel_node *n = cel_parse_node(p, CEL_N_CALL, offset, where);

	if (!n)
		return NULL;
	n->call.name = cel_functions[f].name;
	n->call.function = f;
	n->call.n_args = n_args;
	n->call.args = arena_alloc(p->arena, n_args * sizeof(*n->call.args));
	return n->call.args ? n : cel_parse_too_large(p, offset);
}

struct cel_node *cel_parse_finish(struct cel_parser *p, struct cel_node *node, uint32_t child_depth)
{
	if (child_depth >= p->depth_max)
		return cel_parse_too_deep(p, node->offset, "max recursion depth exceeded");
	node->depth = (uint16_t)(child_depth + 1);
	return node;
}

struct cel_node *cel_parse_constant(
	struct cel_parser *p, struct cel_value v, uint32_t offset, struct cel_range where)
{
	struct cel_node *n = cel_parse_node(p, CEL_N_CONST, offset, where);

	if (n)
		n->constant = v;
	return n;
}

struct cel_node *cel_parse_ident(
	struct cel_parser *p, struct str name, uint32_t offset, struct cel_range where)
{
	struct cel_node *n = cel_parse_node(p, CEL_N_IDENT, offset, where);

	if (n)
		n->ident.name = name;
	return n;
}

uint32_t cel_parse_deepest(struct cel_node *const *v, uint32_t n)
{
	uint32_t ret = 0;

	for (uint32_t i = 0; i < n; i++)
		ret = v[i]->depth > ret ? v[i]->depth : ret;
	return ret;
}

bool cel_parse_collect(struct cel_parser *p, struct cel_collected *c, struct cel_node *node)
{
	if (!node)
		return false;
	if (c->n == c->cap) {
		struct cel_node **more = arena_alloc(p->arena, 2 * c->cap * sizeof(*more));

		if (!more)
			return cel_parse_too_large(p, node->offset) != NULL;
		memcpy(more, c->v, c->n * sizeof(*more));
		c->v = more;
		c->cap *= 2;
	}
	c->v[c->n++] = node;
	return true;
}

struct cel_node **cel_parse_collected(struct cel_parser *p, const struct cel_collected *c)
{
	struct cel_node **ret;

	if (c->v != c->few)
		return c->v;
	ret = arena_alloc(p->arena, c->n * sizeof(*ret));
	if (!ret)
		cel_parse_too_large(p, p->prev.begin);
	else if (c->n)
		memcpy(ret, c->v, c->n * sizeof(*ret));
	return ret;
}

struct cel_node *cel_parse_stand_in(struct cel_parser *p, struct cel_token t)
{
	return cel_parse_constant(p, cel_null(), t.begin, (struct cel_range){ t.begin, t.end });
}
