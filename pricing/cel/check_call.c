/*
 * Overload resolution. Nearly every call has arguments of plain types, and then one comparison of a
 * key for each row says which it is; lists, dyn and parameters take the way of cel-go: every row
 * that fits is remembered, the first gives the type, and it is dyn if another gives a different
 * one.
 */
#include <string.h>

#include "pricing/cel/check_impl.h"

#define FOUND_MAX     16 /* rows of one function that can fit at once */
#define SIGNATURE_MAX 160

static bool is_plain(const struct cel_type *t)
{
	return t->kind >= CEL_T_BOOL && t->kind <= CEL_T_BPS;
}

static void gather(const struct check *c, const struct cel_node *node, struct check_args *args)
{
	args->n = 0;
	args->has_receiver = node->call.target != NULL;
	if (args->has_receiver)
		args->v[args->n++] = node->call.target;
	for (uint32_t i = 0; i < node->call.n_args && args->n < CHECK_ARGS_MAX; i++)
		args->v[args->n++] = node->call.args[i];
	for (uint32_t i = 0; i < args->n; i++)
		args->types[i] = unify_outer(&c->unify, args->v[i]->type);
}

static uint32_t n_written(const struct cel_node *node)
{
	return node->call.n_args + (node->call.target != NULL);
}

static bool is_available(
	const struct check *c, const struct cel_overload *row, const struct check_args *args)
{
	return row->is_member == args->has_receiver && (!row->is_money || c->has_money) &&
	       (row->n_args == args->n || (row->is_variadic && row->n_args < args->n));
}

/* ---- plain types ---- */

static void settle_call(
	struct cel_node *node, const struct cel_overload *row, const struct cel_type *result)
{
	node->ref = row->id;
	node->type = result;
}

/* Rows with parameters in them, spelled out for plain types. */
static const struct cel_type *generic_result(enum cel_function f, const struct check_args *args)
{
	const struct cel_type *const *t = args->types;

	switch (f) {
	case CEL_F_EQ:
	case CEL_F_NE:
		if (is_plain(t[0]) && t[0]->kind == t[1]->kind)
			return &cel_type_bool;
		if ((unify_is_dyn_or_error(t[0]) && t[1]->kind != CEL_T_PARAM) ||
			(unify_is_dyn_or_error(t[1]) && t[0]->kind != CEL_T_PARAM))
			return &cel_type_bool;
		break;
	case CEL_F_IN:
		if (t[1]->kind == CEL_T_LIST && is_plain(t[0]) && t[0]->kind == t[1]->a->kind)
			return &cel_type_bool;
		break;
	case CEL_F_INDEX:
		if (t[0]->kind == CEL_T_LIST && t[1]->kind == CEL_T_INT)
			return t[0]->a;
		break;
	case CEL_F_CONDITIONAL:
		if (t[0]->kind == CEL_T_BOOL && is_plain(t[1]) && t[1] == t[2])
			return t[1];
		break;
	default:
		break;
	}
	return NULL;
}

static uint32_t key_of(const struct check_args *args)
{
	uint32_t key = 0;

	if (args->n > CEL_OVERLOAD_ARGS_MAX)
		return 0;
	for (uint32_t i = 0; i < args->n; i++) {
		if (!is_plain(args->types[i]))
			return 0;
		key |= (uint32_t)args->types[i]->kind << i * CEL_KEY_BITS;
	}
	return key;
}

static bool resolve_plain(struct check *c, struct cel_node *node, const struct check_args *args)
{
	const struct cel_overloads *all = &cel_overloads[node->call.function];
	const struct cel_type *result = generic_result(node->call.function, args);
	uint32_t key;

	if (result) {
		settle_call(node, &all->v[0], result);
		return true;
	}
	key = key_of(args);
	for (uint32_t i = 0; key != 0 && i < all->n; i++) {
		if (all->v[i].key == key && is_available(c, &all->v[i], args)) {
			settle_call(node, &all->v[i], all->v[i].result);
			return true;
		}
	}
	return false;
}

/* ---- any types ---- */

/* A quick no: kinds that are known and different. */
static bool may_fit(const struct cel_type *from, const struct cel_type *to)
{
	return from->kind == to->kind || to->kind == CEL_T_PARAM || to->kind == CEL_T_DYN ||
	       !(is_plain(from) || from->kind == CEL_T_LIST || from->kind == CEL_T_MAP);
}

static const struct cel_type *wanted(const struct cel_overload *row, uint32_t i)
{
	return row->args[i < row->n_args ? i : row->n_args - 1u];
}

/* The result if it fits, NULL if not; what fits stays bound. */
static const struct cel_type *try_row(
	struct check *c, const struct cel_overload *row, const struct check_args *args)
{
	const struct cel_type *fresh[CEL_OVERLOAD_PARAMS_MAX] = { NULL };
	struct unify_mark mark = unify_mark(&c->unify);

	for (uint32_t i = 0; i < args->n; i++)
		if (!may_fit(args->types[i], wanted(row, i)))
			return NULL;
	for (uint32_t i = 0; i < args->n; i++) {
		const struct cel_type *to = unify_instance(&c->unify, wanted(row, i), fresh);

		if (!unify_fits(&c->unify, args->types[i], to)) {
			unify_undo(&c->unify, mark);
			return NULL;
		}
	}
	return unify_resolve(&c->unify, unify_instance(&c->unify, row->result, fresh), false);
}

/* The ids in the order of their letters, '|' between them. */
static struct str join_ids(struct check *c, const struct cel_overload **found, uint32_t n)
{
	size_t size = 0;
	char *text, *p;

	for (uint32_t i = 0; i < n; i++) {
		const struct cel_overload *moved = found[i];
		uint32_t at = i;

		for (; at > 0 && str_cmp(found[at - 1]->id, moved->id) > 0; at--)
			found[at] = found[at - 1];
		found[at] = moved;
		size += moved->id.n + 1;
	}
	if (n == 1)
		return found[0]->id;
	text = p = arena_alloc(c->arena, size);
	if (!text) {
		c->unify.is_exhausted = true;
		return found[0]->id;
	}
	for (uint32_t i = 0; i < n; i++) {
		memcpy(p, found[i]->id.p, found[i]->id.n);
		p += found[i]->id.n;
		*p++ = '|';
	}
	return (struct str){ text, size - 1 };
}

static bool resolve_any(struct check *c, struct cel_node *node, const struct check_args *args)
{
	const struct cel_overloads *all = &cel_overloads[node->call.function];
	const struct cel_overload *found[FOUND_MAX];
	const struct cel_type *result = NULL;
	uint32_t n_found = 0;

	for (uint32_t i = 0; i < all->n && n_found < FOUND_MAX; i++) {
		const struct cel_type *t;

		if (!is_available(c, &all->v[i], args))
			continue;
		t = try_row(c, &all->v[i], args);
		if (!t)
			continue;
		found[n_found++] = &all->v[i];
		if (!result)
			result = t;
		else if (result->kind != CEL_T_DYN && !cel_type_eq(result, t))
			result = &cel_type_dyn;
	}
	if (n_found == 0)
		return false;
	node->ref = join_ids(c, found, n_found);
	node->type = result;
	return true;
}

/* ---- what cannot be called so ---- */

static struct str bare_name(const struct cel_node *node)
{
	struct str s = node->call.name;

	return s.n > 0 && s.p[0] == '.' ? (struct str){ s.p + 1, s.n - 1 } : s;
}

/* eth(1.25) was parsed into money(1.25, "ETH"): it is told as it was written. */
static bool is_currency_call(const struct cel_node *node)
{
	return node->call.function == CEL_F_MONEY && node->call.n_args == 2 &&
	       node->call.args[1]->kind == CEL_N_CONST &&
	       node->call.args[1]->begin == node->begin &&
	       node->call.args[1]->constant.kind == CEL_V_STRING;
}

static void print_name(struct buf *out, const struct cel_node *node, bool is_currency)
{
	struct str code;

	if (!is_currency) {
		buf_puts(out, bare_name(node));
		return;
	}
	code = cel_str(node->call.args[1]->constant);
	for (size_t i = 0; i < code.n; i++)
		buf_putc(out, (char)(code.p[i] >= 'A' && code.p[i] <= 'Z' ? code.p[i] - 'A' + 'a'
									  : code.p[i]));
}

static void no_overload(struct check *c, struct cel_node *node, const struct check_args *args)
{
	CLEANUP(buf_fini) struct buf text = BUF_INIT(SIGNATURE_MAX);
	bool is_currency = is_currency_call(node);
	uint32_t n = is_currency ? 1 : node->call.n_args;
	struct cel_diag *d;

	print_name(&text, node, is_currency);
	buf_puts(&text, STR("' applied to '"));
	if (node->call.target) {
		cel_type_print(&text, unify_resolve(&c->unify, node->call.target->type, true));
		buf_putc(&text, '.');
	}
	buf_putc(&text, '(');
	for (uint32_t i = 0; i < n; i++) {
		if (i > 0)
			buf_puts(&text, STR(", "));
		cel_type_print(&text, unify_resolve(&c->unify, node->call.args[i]->type, true));
	}
	buf_puts(&text, STR(")'"));
	d = check_error(c, CEL_E_OVERLOAD, node->offset, "found no matching overload for '" STR_FMT,
		STR_ARG(buf_str(&text)));
	check_hint_overload(c, d, node, args);
	node->type = &cel_type_error;
}

/* cel-go looks at the operands of && and || one by one. */
static void check_logic(struct check *c, struct cel_node *node)
{
	node->ref = cel_overloads[node->call.function].v[0].id;
	node->type = &cel_type_bool;
	for (uint32_t i = 0; i < node->call.n_args; i++) {
		struct cel_node *arg = node->call.args[i];
		struct cel_diag *d;

		if (arg->type == &cel_type_bool || unify_fits(&c->unify, arg->type, &cel_type_bool))
			continue;
		d = check_error(c, CEL_E_OVERLOAD, arg->offset, "expected type '%s' but found '%s'",
			"bool", check_type_text(c, arg->type));
		check_hint_condition(c, d, arg);
		node->type = &cel_type_error;
		node->ref = STR_NONE;
	}
}

void check_call(struct check *c, struct cel_node *node)
{
	enum cel_function f = node->call.function;
	struct check_args args;

	if (f == CEL_F_AND || f == CEL_F_OR) {
		check_logic(c, node);
		return;
	}
	if (f == CEL_F_UNKNOWN || (cel_overloads[f].is_money && !c->has_money)) {
		check_hint_function(c,
			check_error(c, CEL_E_UNDECLARED, node->offset,
				"undeclared reference to '" STR_FMT "' (in container '')",
				STR_ARG(bare_name(node))),
			node);
		node->type = &cel_type_error;
		return;
	}
	gather(c, node, &args);
	if (args.n != n_written(node) ||
		(!resolve_plain(c, node, &args) && !resolve_any(c, node, &args)))
		no_overload(c, node, &args);
	else
		node->type = check_domain(c, node, &args, node->type);
}
