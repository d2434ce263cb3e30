/*
 * What names mean. `a.b.c` is the longest declared name that it begins with, and selections on
 * that; a variable of a macro hides all names that begin with it. The prefixes are looked up in one
 * pass over the chain: their text stands in one buffer, their hash grows from segment to segment.
 */
#include <string.h>

#include "pricing/cel/check_impl.h"
#include "pricing/cel/env_impl.h"

#define SEGMENTS_MAX 32 /* of a declared name: it has at most CEL_VAR_NAME_MAX bytes */

static const struct cel_type type_any = { .kind = CEL_T_TYPE };
static const struct cel_type list_dyn = { .kind = CEL_T_LIST, .a = &cel_type_dyn };
static const struct cel_type map_dyn = {
	.kind = CEL_T_MAP, .a = &cel_type_dyn, .b = &cel_type_dyn
};

/* name, what it stands for, the type of the name itself */
static const struct {
	struct str name;
	const struct cel_type *type;
	struct cel_type type_of;
} type_names[] = {
#define ROW(text, t) \
	{ \
		{ text, sizeof(text) - 1 }, t, \
		{ \
			.kind = CEL_T_TYPE, .a = t \
		} \
	}
	ROW("int", &cel_type_int),
	ROW("uint", &cel_type_uint),
	ROW("double", &cel_type_double),
	ROW("bool", &cel_type_bool),
	ROW("string", &cel_type_string),
	ROW("bytes", &cel_type_bytes),
	ROW("list", &list_dyn),
	ROW("map", &map_dyn),
	ROW("null_type", &cel_type_null),
	ROW("type", &type_any),
	ROW("google.protobuf.Timestamp", &cel_type_timestamp),
	ROW("google.protobuf.Duration", &cel_type_duration),
#undef ROW
};

/* Index into type_names, -1: none. */
static int find_type(struct str name)
{
	for (unsigned i = 0; i < ARRAY_LEN(type_names); i++)
		if (str_eq(type_names[i].name, name))
			return (int)i;
	return -1;
}

const struct cel_type *check_type_named(struct str name)
{
	int i = find_type(name);

	return i < 0 ? NULL : type_names[i].type;
}

/* An identifier and the selections on it, outermost last. */
struct chain {
	struct cel_node *nodes[SEGMENTS_MAX];
	uint32_t n;
	char text[CEL_VAR_NAME_MAX];
	uint16_t ends[SEGMENTS_MAX]; /* of the prefix with that segment */
	uint32_t hashes[SEGMENTS_MAX];
	uint32_t n_text; /* segments whose text fits: no declared name is longer */
};

static struct str prefix_of(const struct chain *ch, uint32_t i)
{
	return (struct str){ ch->text, ch->ends[i] };
}

static void append(struct chain *ch, struct str segment)
{
	uint32_t begin = ch->n_text ? ch->ends[ch->n_text - 1] : 0;
	uint32_t hash = ch->n_text ? ch->hashes[ch->n_text - 1] : CEL_HASH_BEGIN;
	uint32_t end = begin;

	if (ch->n_text > 0)
		ch->text[end++] = '.';
	memcpy(ch->text + end, segment.p, segment.n);
	end += (uint32_t)segment.n;
	ch->ends[ch->n_text] = (uint16_t)end;
	ch->hashes[ch->n_text++] = cel_hash_add(hash, ch->text + begin, end - begin);
}

static struct str root_name(const struct cel_node *ident)
{
	struct str s = ident->ident.name;

	return s.n > 0 && s.p[0] == '.' ? (struct str){ s.p + 1, s.n - 1 } : s;
}

/* Texts and hashes, as far as a declared name could go. */
static void spell(struct chain *ch)
{
	ch->n_text = 0;
	for (uint32_t i = 0; i < ch->n; i++) {
		const struct cel_node *node = ch->nodes[i];
		struct str s = i == 0 ? root_name(node) : node->select.field;
		uint32_t used = i == 0 ? 0 : ch->ends[i - 1] + 1;

		if (used + s.n > sizeof(ch->text) || (i > 0 && node->select.is_quoted))
			return;
		append(ch, s);
	}
}

/* Takes @node apart; false if it does not begin with a name of the environment. */
static bool chain_of(const struct check *c, struct chain *ch, struct cel_node *node)
{
	struct cel_node *n = node;
	uint32_t depth = 0;

	for (; n->kind == CEL_N_SELECT; n = n->select.operand)
		depth++;
	if (n->kind != CEL_N_IDENT ||
		(n->ident.name.p[0] != '.' && c->scope && check_find_local(c, n->ident.name)))
		return false;
	ch->n = depth + 1;
	if (ch->n > SEGMENTS_MAX)
		return false;
	for (n = node; depth > 0; n = n->select.operand)
		ch->nodes[depth--] = n;
	ch->nodes[0] = n;
	spell(ch);
	return true;
}

static void refuse_sensitive(struct check *c, const struct chain *ch, const struct cel_var *v)
{
	check_error(c, CEL_E_SENSITIVE, ch->nodes[0]->offset,
		"a price must not depend on '" STR_FMT "': %s", STR_ARG(v->name), v->refused);
}

/* Declares the node to be the longest prefix that is a variable or a type. */
static bool resolve(struct check *c, const struct chain *ch, uint32_t *ret_at)
{
	for (uint32_t i = ch->n_text; i-- > 0;) {
		struct cel_node *node = ch->nodes[i];
		int slot = cel_env_lookup(c->env, prefix_of(ch, i), ch->hashes[i]);
		int type = -1;

		if (slot != CEL_SLOT_NONE) {
			const struct cel_var *v = cel_env_var(c->env, slot);

			node->slot = slot;
			node->ref = v->name;
			node->type = v->type;
			if (v->refused)
				refuse_sensitive(c, ch, v);
		} else {
			type = node->is_test_only ? -1 : find_type(prefix_of(ch, i));
			if (type < 0)
				continue;
			node->slot = CEL_SLOT_NONE;
			node->ref = type_names[type].name;
			node->type = &type_names[type].type_of;
		}
		if (node->is_test_only)
			node->type = &cel_type_bool;
		*ret_at = i;
		return true;
	}
	return false;
}

/* As far into the chain as declared names begin so: `customer` and a field that it has not got. */
static uint32_t known_prefix(const struct check *c, const struct chain *ch)
{
	uint32_t n = 0;

	while (n < ch->n_text && cel_env_is_prefix(c->env, prefix_of(ch, n)))
		n++;
	return n;
}

/* Where the identifier or the field stands; a selection's own place is its dot, or that of has().
 */
static uint32_t name_offset(const struct cel_node *node)
{
	if (node->kind == CEL_N_IDENT)
		return node->offset;
	return (node->is_test_only ? node->select.operand->end : node->offset) + 1;
}

static void undeclared(struct check *c, struct chain *ch)
{
	uint32_t n_known = known_prefix(c, ch);
	uint32_t last = n_known < ch->n_text || n_known == 0 ? n_known : n_known - 1;
	struct str name = ch->n_text ? prefix_of(ch, last) : root_name(ch->nodes[0]);
	struct str whole = ch->n_text ? prefix_of(ch, ch->n_text - 1) : name;
	struct cel_diag *d;

	for (uint32_t i = 0; i < ch->n; i++) {
		ch->nodes[i]->type = &cel_type_error;
		ch->nodes[i]->slot = CEL_SLOT_NONE;
		ch->nodes[i]->ref = STR_NONE;
	}
	d = check_error(c, CEL_E_UNDECLARED, name_offset(ch->nodes[last]),
		"undeclared reference to '" STR_FMT "' (in container '')", STR_ARG(name));
	if (n_known > last)
		check_hint_prefix(c, d, name);
	else if (!check_hint_name(c, d, whole) && n_known > 0)
		check_hint_prefix(c, d, prefix_of(ch, n_known - 1));
}

/* The selections above a node that is resolved. */
static void select_rest(struct check *c, struct chain *ch, uint32_t at)
{
	for (uint32_t i = at + 1; i < ch->n; i++) {
		ch->nodes[i]->slot = CEL_SLOT_NONE;
		ch->nodes[i]->ref = STR_NONE;
		check_field(c, ch->nodes[i]);
	}
}

static void check_chain(struct check *c, struct chain *ch)
{
	uint32_t at;

	if (!resolve(c, ch, &at))
		undeclared(c, ch);
	else
		select_rest(c, ch, at);
}

void check_ident(struct check *c, struct cel_node *node)
{
	const struct check_scope *local;
	struct chain ch;

	if (chain_of(c, &ch, node)) {
		check_chain(c, &ch);
		return;
	}
	local = check_find_local(c, node->ident.name);
	node->type = local->type;
	node->ref = local->name;
}

void check_select(struct check *c, struct cel_node *node)
{
	struct chain ch;

	if (chain_of(c, &ch, node)) {
		check_chain(c, &ch);
		return;
	}
	check_node(c, node->select.operand);
	check_field(c, node);
}
