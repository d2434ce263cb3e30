/*
 * What a name means. After checking, the tree says so. An expression that was not checked is
 * resolved here, as cel-go does at run time: of `a.b.c` the longest declared name wins over a
 * selection; variables of comprehensions hide all of them; a name with a dot in front is none of
 * those. What nobody declared is an error value, which && and || may absorb.
 */
#include "pricing/cel/program_impl.h"

static struct cel_name slot_name(int slot)
{
	return (struct cel_name){ .kind = CEL_NAME_SLOT, .at = slot };
}

static const struct cel_scope *local_of(const struct cel_gen *g, struct str name)
{
	const struct cel_scope *s = g->scope;

	while (s && !str_eq(s->name, name))
		s = s->outer;
	return s;
}

static bool type_named(struct str name, struct cel_value *ret)
{
	for (int kind = CEL_V_NULL; kind <= CEL_V_TYPE; kind++)
		if (str_eqz(name, cel_kind_name((enum cel_value_kind)kind))) {
			*ret = cel_type_value(cel_kind_name((enum cel_value_kind)kind));
			return true;
		}
	return false;
}

static struct cel_name value_name(struct str name)
{
	struct cel_name r = { .kind = CEL_NAME_VALUE };

	if (!type_named(name, &r.value))
		r.value = cel_error(CEL_R_UNDECLARED, "undeclared reference");
	return r;
}

static struct str without_dot(struct str name)
{
	if (name.n && name.p[0] == '.')
		return (struct str){ name.p + 1, name.n - 1 };
	return name;
}

static struct cel_name ident(struct cel_gen *g, const struct cel_node *n)
{
	struct str name = without_dot(n->ident.name);
	const struct cel_scope *local = name.n == n->ident.name.n ? local_of(g, name) : NULL;
	int slot;

	if (!g->o->is_unchecked && n->slot != CEL_SLOT_NONE)
		return slot_name(n->slot);
	if (local)
		return (struct cel_name){ .kind = CEL_NAME_LOCAL, .at = local->reg };
	slot = g->o->is_unchecked ? cel_env_find(g->env, name) : CEL_SLOT_NONE;
	return slot != CEL_SLOT_NONE ? slot_name(slot) : value_name(name);
}

/* "a.b.c" of a chain of selections from a name that is no local one, written from the end of
 * @ret. Unset if it is none, or too long to be declared. */
static struct str qualified(
	const struct cel_gen *g, const struct cel_node *n, char ret[CEL_VAR_NAME_MAX])
{
	size_t at = CEL_VAR_NAME_MAX;
	struct str part;

	for (;; n = n->select.operand) {
		if (n->kind != CEL_N_IDENT && n->kind != CEL_N_SELECT)
			return STR_NONE;
		part = n->kind == CEL_N_IDENT ? without_dot(n->ident.name) : n->select.field;
		if (at < part.n + 1)
			return STR_NONE;
		at -= part.n;
		memcpy(ret + at, part.p, part.n);
		if (n->kind == CEL_N_IDENT)
			break;
		ret[--at] = '.';
	}
	if (part.n == n->ident.name.n && local_of(g, part))
		return STR_NONE;
	return (struct str){ ret + at, CEL_VAR_NAME_MAX - at };
}

static struct cel_name selection(struct cel_gen *g, const struct cel_node *n)
{
	struct cel_name r = { .kind = CEL_NAME_FIELD };
	char text[CEL_VAR_NAME_MAX];
	struct str name;
	int slot;

	if (!g->o->is_unchecked) {
		if (n->slot != CEL_SLOT_NONE)
			return slot_name(n->slot);
		if (!n->type || n->type->kind != CEL_T_TYPE)
			return r;
	}
	name = qualified(g, n, text);
	if (!str_is_set(name))
		return r;
	slot = g->o->is_unchecked ? cel_env_find(g->env, name) : CEL_SLOT_NONE;
	if (slot != CEL_SLOT_NONE)
		return slot_name(slot);
	if (type_named(name, &r.value))
		r.kind = CEL_NAME_VALUE;
	return r;
}

struct cel_name cel_gen_name(struct cel_gen *g, const struct cel_node *n)
{
	return n->kind == CEL_N_IDENT ? ident(g, n) : selection(g, n);
}
