/*
 * The walk. Types of nodes may hold parameters until its end; a second walk puts in what they
 * turned out to be, and dyn where nothing is known. It is left out when there were none, as in
 * nearly every rule.
 */
#include "pricing/cel/check.h"

#include <stdarg.h>
#include <stdio.h>

#include "pricing/cel/check_impl.h"

#define TYPE_TEXT_MAX 120

const char *check_type_text(struct check *c, const struct cel_type *t)
{
	static _Thread_local char texts[3][TYPE_TEXT_MAX + 4];
	static _Thread_local unsigned next;
	CLEANUP(buf_fini) struct buf b = BUF_INIT(TYPE_TEXT_MAX);
	char *ret = texts[next++ % 3];

	cel_type_print(&b, unify_resolve(&c->unify, t, false));
	snprintf(ret, sizeof(texts[0]), STR_FMT "%s", STR_ARG(buf_str(&b)), b.failed ? "..." : "");
	return ret;
}

struct cel_diag *check_error(
	struct check *c, enum cel_code code, uint32_t offset, const char *fmt, ...)
{
	char text[CEL_DIAG_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return cel_diag_add(c->diags, CEL_STAGE_CHECK, code, offset, "%s", text);
}

const struct check_scope *check_find_local(const struct check *c, struct str name)
{
	const struct check_scope *s = c->scope;

	while (s && !str_eq(s->name, name))
		s = s->outer;
	return s;
}

static const struct cel_type *list_of(struct check *c, const struct cel_type *element)
{
	const struct cel_type *ret = cel_type_list(c->arena, element);

	if (!ret)
		c->unify.is_exhausted = true;
	return ret ? ret : &cel_type_error;
}

static void check_constant(struct cel_node *node)
{
	static const struct cel_type *const types[] = {
		[CEL_V_ERROR] = &cel_type_error,
		[CEL_V_NULL] = &cel_type_null,
		[CEL_V_BOOL] = &cel_type_bool,
		[CEL_V_INT] = &cel_type_int,
		[CEL_V_UINT] = &cel_type_uint,
		[CEL_V_DOUBLE] = &cel_type_double,
		[CEL_V_STRING] = &cel_type_string,
		[CEL_V_BYTES] = &cel_type_bytes,
		[CEL_V_TIMESTAMP] = &cel_type_timestamp,
		[CEL_V_DURATION] = &cel_type_duration,
		[CEL_V_MONEY] = &cel_type_money,
		[CEL_V_BPS] = &cel_type_bps,
		[CEL_V_LIST] = &cel_type_dyn,
		[CEL_V_MAP] = &cel_type_dyn,
		[CEL_V_TYPE] = &cel_type_dyn,
	};

	node->type = node->constant.kind == CEL_V_MONEY ? cel_type_money_of(node->constant.currency)
							: types[node->constant.kind];
}

void check_field(struct check *c, struct cel_node *select)
{
	const struct cel_type *t = unify_outer(&c->unify, select->select.operand->type);
	const struct cel_type *ret = &cel_type_dyn;

	if (t->kind == CEL_T_MAP)
		ret = t->b;
	else if (t->kind == CEL_T_PARAM)
		unify_fits(&c->unify, &cel_type_dyn, t);
	else if (!unify_is_dyn_or_error(t))
		check_error(c, CEL_E_FIELD, select->offset,
			"type '%s' does not support field selection", check_type_text(c, t));
	select->type = select->is_test_only ? &cel_type_bool : ret;
}

/* What holds for both: of two types that do not fit, dyn. */
static const struct cel_type *join(
	struct check *c, const struct cel_type *before, const struct cel_type *t)
{
	if (before == t || !before)
		return t;
	if (!unify_fits(&c->unify, before, t))
		return &cel_type_dyn;
	return unify_more_general(&c->unify, before, t);
}

static void check_list(struct check *c, struct cel_node *node)
{
	const struct cel_type *element = NULL;

	for (uint32_t i = 0; i < node->list.n; i++) {
		check_node(c, node->list.v[i]);
		element = join(c, element, node->list.v[i]->type);
	}
	node->type = list_of(c, element ? element : unify_fresh(&c->unify));
}

static void check_map(struct check *c, struct cel_node *node)
{
	const struct cel_type *key = NULL, *value = NULL;

	for (uint32_t i = 0; i < node->map.n; i++) {
		const struct cel_entry *e = &node->map.v[i];

		check_node(c, e->key);
		key = join(c, key, e->key->type);
		check_node(c, e->value);
		value = join(c, value, e->value->type);
	}
	if (!key) {
		key = unify_fresh(&c->unify);
		value = unify_fresh(&c->unify);
	}
	node->type = cel_type_map(c->arena, key, value);
	if (!node->type) {
		c->unify.is_exhausted = true;
		node->type = &cel_type_error;
	}
}

/* There are no messages; cel-go says three different things of a name that is none. */
static void check_struct(struct check *c, struct cel_node *node)
{
	struct str name = node->map.name;
	int slot;

	node->type = &cel_type_error;
	if (name.n > 0 && name.p[0] == '.')
		name = (struct str){ name.p + 1, name.n - 1 };
	slot = cel_env_find(c->env, name);
	if (slot != CEL_SLOT_NONE)
		check_error(c, CEL_E_UNDECLARED, node->offset, "'%s' is not a type",
			check_type_text(c, cel_env_var(c->env, slot)->type));
	else if (check_type_named(name))
		check_error(c, CEL_E_UNDECLARED, node->offset,
			"'" STR_FMT "' is not a message type", STR_ARG(name));
	else
		check_error(c, CEL_E_UNDECLARED, node->offset,
			"undeclared reference to '" STR_FMT "' (in container '')", STR_ARG(name));
}

static void expect(struct check *c, const struct cel_node *node, const struct cel_type *wanted)
{
	if (!unify_fits(&c->unify, wanted, node->type))
		check_error(c, CEL_E_OVERLOAD, node->offset, "expected type '%s' but found '%s'",
			check_type_text(c, wanted), check_type_text(c, node->type));
}

static const struct cel_type *range_element(struct check *c, const struct cel_node *range)
{
	const struct cel_type *t = unify_outer(&c->unify, range->type);

	switch ((enum cel_type_kind)t->kind) {
	case CEL_T_LIST:
	case CEL_T_MAP:
		return t->a;
	case CEL_T_DYN:
	case CEL_T_ERROR:
	case CEL_T_PARAM:
		unify_fits(&c->unify, &cel_type_dyn, t);
		return &cel_type_dyn;
	default:
		check_error(c, CEL_E_OVERLOAD, range->offset,
			"expression of type '%s' cannot be range of a comprehension (must be list, "
			"map, or dynamic)",
			check_type_text(c, t));
		return &cel_type_error;
	}
}

static void check_comprehension(struct check *c, struct cel_node *node)
{
	const struct cel_node *range = node->comprehension.range;
	struct check_scope accu, var;

	check_node(c, node->comprehension.range);
	check_node(c, node->comprehension.init);
	accu = (struct check_scope){ c->scope, node->comprehension.accu,
		node->comprehension.init->type, NULL };
	var = (struct check_scope){ &accu, node->comprehension.var, range_element(c, range),
		check_var_of(c, range) };
	c->scope = &var;
	check_node(c, node->comprehension.condition);
	expect(c, node->comprehension.condition, &cel_type_bool);
	check_node(c, node->comprehension.step);
	expect(c, node->comprehension.step, accu.type);
	c->scope = &accu;
	check_node(c, node->comprehension.result);
	c->scope = accu.outer;
	node->type = unify_resolve(&c->unify, node->comprehension.result->type, false);
}

static void check_call_and_arguments(struct check *c, struct cel_node *node)
{
	for (uint32_t i = 0; i < node->call.n_args; i++)
		check_node(c, node->call.args[i]);
	if (node->call.target)
		check_node(c, node->call.target);
	check_call(c, node);
}

void check_node(struct check *c, struct cel_node *node)
{
	node->slot = CEL_SLOT_NONE;
	node->ref = STR_NONE;
	switch ((enum cel_node_kind)node->kind) {
	case CEL_N_CONST:
		check_constant(node);
		break;
	case CEL_N_IDENT:
		check_ident(c, node);
		break;
	case CEL_N_SELECT:
		check_select(c, node);
		break;
	case CEL_N_CALL:
		check_call_and_arguments(c, node);
		break;
	case CEL_N_LIST:
		check_list(c, node);
		break;
	case CEL_N_MAP:
		check_map(c, node);
		break;
	case CEL_N_STRUCT:
		check_struct(c, node);
		break;
	case CEL_N_COMPREHENSION:
		check_comprehension(c, node);
		break;
	}
}

/* ---- the second walk ---- */

static void settle(struct check *c, struct cel_node *node)
{
	if (!node)
		return;
	node->type = unify_resolve(&c->unify, node->type, true);
	switch ((enum cel_node_kind)node->kind) {
	case CEL_N_SELECT:
		if (!node->ref.n)
			settle(c, node->select.operand);
		break;
	case CEL_N_CALL:
		settle(c, node->call.target);
		for (uint32_t i = 0; i < node->call.n_args; i++)
			settle(c, node->call.args[i]);
		break;
	case CEL_N_LIST:
		for (uint32_t i = 0; i < node->list.n; i++)
			settle(c, node->list.v[i]);
		break;
	case CEL_N_MAP:
		for (uint32_t i = 0; i < node->map.n; i++) {
			settle(c, node->map.v[i].key);
			settle(c, node->map.v[i].value);
		}
		break;
	case CEL_N_COMPREHENSION:
		settle(c, node->comprehension.range);
		settle(c, node->comprehension.init);
		settle(c, node->comprehension.condition);
		settle(c, node->comprehension.step);
		settle(c, node->comprehension.result);
		break;
	case CEL_N_CONST:
	case CEL_N_IDENT:
	case CEL_N_STRUCT:
		break;
	}
}

/* By place, as cel-go prints them: arguments are looked at before a receiver. */
static void sort_errors(struct cel_diags *d, size_t begin)
{
	for (size_t i = begin + 1; i < d->n; i++) {
		struct cel_diag moved = d->v[i];
		size_t at = i;

		for (; at > begin && d->v[at - 1].offset > moved.offset; at--)
			d->v[at] = d->v[at - 1];
		d->v[at] = moved;
	}
}

bool cel_check(struct cel_node *root, const struct cel_env *env, const struct cel_type *want,
	struct arena *a, struct cel_diags *d)
{
	struct check c = { .env = env,
		.arena = a,
		.diags = d,
		.unify = { .arena = a },
		.has_money = cel_env_has_money(env) };
	size_t begin = d->n, n_before = d->n + d->n_dropped;

	check_node(&c, root);
	if (want && !unify_fits(&c.unify, root->type, want))
		check_error(&c, CEL_E_TYPE, root->offset, "expected type '%s' but found '%s'",
			check_type_text(&c, want), check_type_text(&c, root->type));
	if (c.unify.n > 0)
		settle(&c, root);
	if (c.unify.is_exhausted) {
		d->n = begin; /* what was found since may be wrong */
		check_error(&c, CEL_E_TOO_LARGE, root->offset,
			"the types of this expression need more memory than there is");
	}
	sort_errors(d, begin);
	return d->n + d->n_dropped == n_before;
}
