/*
 * What fits by its type and is still wrong: a tier that no customer can have, milliseconds compared
 * with points, ETH added to EUR. Asked of a call once its overload is found, and only of operators
 * that compare or add, so that most calls are through after one look at their function.
 */
#include <stdio.h>
#include <string.h>

#include "pricing/cel/check_impl.h"
#include "pricing/cel/lib.h"
#include "pricing/cel/nearest.h"

#define WORD_MAX 40

/* Of a constant text in a message: whole characters. */
static int word_length(const struct cel_node *constant)
{
	struct str s = cel_str(constant->constant);
	size_t n = s.n < WORD_MAX ? s.n : WORD_MAX;

	while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return (int)n;
}

const struct cel_var *check_var_of(const struct check *c, const struct cel_node *node)
{
	const struct check_scope *local;

	if (node->kind != CEL_N_IDENT && node->kind != CEL_N_SELECT)
		return NULL;
	if (node->slot != CEL_SLOT_NONE)
		return node->is_test_only ? NULL : cel_env_var(c->env, node->slot);
	if (node->kind != CEL_N_IDENT)
		return NULL;
	local = check_find_local(c, node->ident.name);
	return local ? local->range_of : NULL;
}

/* ---- closed sets ---- */

static bool is_value(const struct cel_var *v, struct str text)
{
	for (size_t i = 0; text.n > 0 && v->values[i]; i++)
		if (str_eqz(text, v->values[i]))
			return true;
	return false;
}

static void hint_values(struct cel_diag *d, const struct cel_var *v)
{
	char list[CEL_DIAG_HINT_MAX - 20] = "";
	size_t used = 0;

	for (size_t i = 0; v->values[i]; i++) {
		size_t n = strlen(v->values[i]);

		if (n > 0 && used + n + sizeof(", \"\"") < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s\"%s\"",
				used ? ", " : "", v->values[i]);
	}
	cel_diag_hint(d, "it is one of %s", list);
}

static void refuse_value(struct check *c, const struct cel_var *v, const struct cel_node *constant)
{
	struct str text = cel_str(constant->constant);
	struct nearest n = nearest_to(text);
	struct cel_diag *d = check_error(c, CEL_E_ENUM, constant->offset,
		"'" STR_FMT "' is never \"%.*s\"", STR_ARG(v->name), word_length(constant), text.p);

	for (size_t i = 0; v->values[i]; i++)
		nearest_offer(&n, str_of(v->values[i]));
	if (text.n == 0)
		cel_diag_hint(d, "ask !has(" STR_FMT ")", STR_ARG(v->name));
	else if (str_is_set(n.best))
		cel_diag_hint(d, "did you mean \"" STR_FMT "\"?", STR_ARG(n.best));
	else
		hint_values(d, v);
}

/* Every constant that @node can come out as. */
static void check_values(struct check *c, const struct cel_var *v, const struct cel_node *node)
{
	if (node->kind == CEL_N_CONST && node->constant.kind == CEL_V_STRING) {
		if (!is_value(v, cel_str(node->constant)))
			refuse_value(c, v, node);
	} else if (node->kind == CEL_N_LIST) {
		for (uint32_t i = 0; i < node->list.n; i++)
			check_values(c, v, node->list.v[i]);
	} else if (node->kind == CEL_N_CALL && node->call.function == CEL_F_CONDITIONAL) {
		check_values(c, v, node->call.args[1]);
		check_values(c, v, node->call.args[2]);
	}
}

static void check_closed_sets(struct check *c, const struct check_args *args)
{
	for (uint32_t i = 0; i < 2; i++) {
		const struct cel_var *v = check_var_of(c, args->v[i]);

		if (v && v->values)
			check_values(c, v, args->v[1 - i]);
	}
}

/* ---- units ---- */

static enum cel_unit first_unit(const struct check *c, struct cel_node **v, uint32_t n)
{
	enum cel_unit ret = CEL_UNIT_NONE;

	for (uint32_t i = 0; i < n && ret == CEL_UNIT_NONE; i++)
		ret = check_unit_of(c, v[i]);
	return ret;
}

static enum cel_unit unit_of_call(const struct check *c, const struct cel_node *node)
{
	struct cel_node **args = node->call.args;
	enum cel_unit a, b;

	switch ((enum cel_function)node->call.function) {
	case CEL_F_ADD:
	case CEL_F_SUB:
	case CEL_F_NEGATE:
	case CEL_F_INT:
	case CEL_F_UINT:
	case CEL_F_DOUBLE:
	case CEL_F_MATH_LEAST:
	case CEL_F_MATH_GREATEST:
		return first_unit(c, args, node->call.n_args);
	case CEL_F_CONDITIONAL:
		return first_unit(c, args + 1, 2);
	case CEL_F_INDEX:
		return check_unit_of(c, args[0]);
	case CEL_F_MUL:
		a = check_unit_of(c, args[0]);
		b = check_unit_of(c, args[1]);
		return a == CEL_UNIT_NONE ? b : b == CEL_UNIT_NONE ? a : CEL_UNIT_NONE;
	case CEL_F_DIV:
	case CEL_F_MOD:
		return check_unit_of(c, args[1]) == CEL_UNIT_NONE ? check_unit_of(c, args[0])
								  : CEL_UNIT_NONE;
	default:
		return CEL_UNIT_NONE;
	}
}

enum cel_unit check_unit_of(const struct check *c, const struct cel_node *node)
{
	const struct cel_var *v;

	if (node->kind == CEL_N_CALL)
		return unit_of_call(c, node);
	v = check_var_of(c, node);
	return v ? v->unit : CEL_UNIT_NONE;
}

static bool is_number(const struct cel_type *t)
{
	return t->kind >= CEL_T_INT && t->kind <= CEL_T_DOUBLE;
}

static void check_units(struct check *c, const struct cel_node *node, const struct check_args *args)
{
	enum cel_unit first = CEL_UNIT_NONE, unit;

	if (!is_number(args->types[0]))
		return;
	for (uint32_t i = 0; i < args->n; i++) {
		if (args->v[i]->kind == CEL_N_CONST)
			continue;
		unit = check_unit_of(c, args->v[i]);
		if (first == CEL_UNIT_NONE)
			first = unit;
		if (unit == CEL_UNIT_NONE || unit == first)
			continue;
		check_error(c, CEL_E_UNIT, node->offset, "one side is in %s, the other in %s",
			cel_unit_names[first], cel_unit_names[unit]);
		return;
	}
}

/* ---- money ---- */

static currency currency_of(const struct check *c, const struct cel_type *t)
{
	t = unify_outer(&c->unify, t);
	return t->kind == CEL_T_MONEY ? t->currency : 0;
}

/* The currency that all of them are at par with; 0 if none is known, or two are not. */
static currency common_currency(
	struct check *c, const struct cel_node *node, const struct check_args *args)
{
	currency ret = 0;

	for (uint32_t i = 0; i < args->n; i++) {
		const struct cel_type *t = args->types[i];
		currency next = currency_of(c, t->kind == CEL_T_LIST ? t->a : t);

		if (ret == 0)
			ret = next;
		if (next == 0 || currency_is_par(ret, next))
			continue;
		check_error(c, CEL_E_CURRENCY, node->offset, "no parity between %s and %s",
			currency_code(ret), currency_code(next));
		return 0;
	}
	return ret;
}

static void refuse_currency(struct check *c, const struct cel_node *code)
{
	struct str text = cel_str(code->constant);
	struct nearest n = nearest_to(text);
	struct cel_diag *d = check_error(c, CEL_E_CURRENCY, code->offset, "unknown currency '%.*s'",
		word_length(code), text.p);

	for (currency i = 1; i <= currency_last(); i++)
		nearest_offer(&n, str_of(currency_code(i)));
	if (str_is_set(n.best))
		cel_diag_hint(d, "did you mean " STR_FMT "?", STR_ARG(n.best));
}

static void check_amount(
	struct check *c, const struct cel_node *node, const struct cel_node *amount, currency unit)
{
	struct str text = cel_str(amount->constant);
	struct money m;
	u128 units;
	struct cel_diag *d;
	int r;

	if (amount->kind != CEL_N_CONST)
		return;
	r = node->call.function == CEL_F_UNITS ? money_parse_amount(&units, text)
					       : money_parse_decimal(&m, text, unit);
	if (r == 0)
		return;
	d = check_error(c, CEL_E_LITERAL, amount->offset, "'%.*s' is no amount of %s",
		word_length(amount), text.p, currency_code(unit));
	if (node->call.function == CEL_F_UNITS)
		cel_diag_hint(d, "smallest units are digits only");
	else
		cel_diag_hint(
			d, "digits, with at most %u after the point", currency_decimals(unit));
}

/* money(amount, "ETH") and units(amount, "ETH"). */
static const struct cel_type *check_literal(
	struct check *c, struct cel_node *node, const struct check_args *args)
{
	const struct cel_node *code = args->v[1];
	currency unit;

	if (code->kind != CEL_N_CONST || code->constant.kind != CEL_V_STRING) {
		check_error(c, CEL_E_CURRENCY, code->offset,
			"the currency of an amount is a constant text");
		return &cel_type_money;
	}
	unit = currency_find(cel_str(code->constant));
	if (unit == 0) {
		refuse_currency(c, code);
		return &cel_type_money;
	}
	check_amount(c, node, args->v[0], unit);
	return cel_type_money_of(unit);
}

/* age_ms.is_fresh("10m"): a text is read now, so that it cannot be wrong later. */
static void check_fresh(struct check *c, const struct cel_node *node, const struct check_args *args)
{
	enum cel_unit unit = check_unit_of(c, args->v[0]);
	const struct cel_node *limit = args->v[1];

	if (unit != CEL_UNIT_NONE && unit != CEL_UNIT_MS)
		check_error(c, CEL_E_UNIT, node->offset, "an age is in ms, this is in %s",
			cel_unit_names[unit]);
	if (args->types[1]->kind != CEL_T_STRING)
		return;
	if (limit->kind != CEL_N_CONST)
		cel_diag_hint(check_error(c, CEL_E_LITERAL, limit->offset,
				      "the oldest age is no constant"),
			"write \"10m\", or duration(…) of the text");
	else if (cel_is_error(cel_duration_parse(cel_str(limit->constant))))
		cel_diag_hint(check_error(c, CEL_E_LITERAL, limit->offset, "'%.*s' is no duration",
				      word_length(limit), limit->constant.s),
			"write \"10m\", \"1h30m\" or \"45s\"");
}

const struct cel_type *check_domain(struct check *c, struct cel_node *call,
	const struct check_args *args, const struct cel_type *result)
{
	switch ((enum cel_function)call->call.function) {
	case CEL_F_EQ:
	case CEL_F_NE:
	case CEL_F_IN:
		check_closed_sets(c, args);
		if (c->has_money)
			common_currency(c, call, args);
		check_units(c, call, args);
		return result;
	case CEL_F_LT:
	case CEL_F_LE:
	case CEL_F_GT:
	case CEL_F_GE:
	case CEL_F_ADD:
	case CEL_F_SUB:
	case CEL_F_MATH_LEAST:
	case CEL_F_MATH_GREATEST:
		check_units(c, call, args);
		break;
	case CEL_F_MONEY:
	case CEL_F_UNITS:
		return check_literal(c, call, args);
	case CEL_F_ADD_BPS:
	case CEL_F_BPS_OVER:
	case CEL_F_MONEY_MIN:
	case CEL_F_MONEY_MAX:
		break;
	case CEL_F_IS_FRESH:
		check_fresh(c, call, args);
		return result;
	default:
		return result;
	}
	if (c->has_money) {
		currency common = common_currency(c, call, args);

		if (result->kind == CEL_T_MONEY)
			return cel_type_money_of(common);
	}
	return result;
}
