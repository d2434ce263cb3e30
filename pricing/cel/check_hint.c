/* What was probably meant. Nothing here decides whether an expression is right. */
#include <stdio.h>
#include <string.h>

#include "pricing/cel/check_impl.h"
#include "pricing/cel/nearest.h"

/* A word that some variable can have as its value: quotes were forgotten. */
static bool is_some_value(const struct cel_env *env, struct str word)
{
	for (size_t i = 0; i < cel_env_n(env); i++) {
		const char *const *values = cel_env_var(env, (int)i)->values;

		for (size_t k = 0; values && values[k]; k++)
			if (str_eqz(word, values[k]))
				return true;
	}
	return false;
}

bool check_hint_name(struct check *c, struct cel_diag *d, struct str name)
{
	static const char *const types[] = { "int", "uint", "double", "bool", "string", "bytes",
		"list", "map", "null_type", "type" };
	struct nearest n = nearest_to(name);
	struct str best = cel_env_nearest(c->env, name);

	if (is_some_value(c->env, name)) {
		cel_diag_hint(d, "a text stands in quotes: '" STR_FMT "'", STR_ARG(name));
		return true;
	}
	for (const struct check_scope *s = c->scope; s; s = s->outer)
		if (s->name.p[0] != '@')
			nearest_offer(&n, s->name);
	for (unsigned i = 0; !str_is_set(best) && i < ARRAY_LEN(types); i++)
		nearest_offer(&n, str_of(types[i]));
	if (!str_is_set(best) || (str_is_set(n.best) && n.edits < nearest_edits(name, best)))
		best = n.best;
	if (str_is_set(best))
		cel_diag_hint(d, "did you mean `" STR_FMT "`?", STR_ARG(best));
	return str_is_set(best);
}

void check_hint_prefix(struct check *c, struct cel_diag *d, struct str prefix)
{
	char list[CEL_DIAG_HINT_MAX] = "";
	size_t used = 0, room;
	bool is_cut = false;

	if (prefix.n * 2 + sizeof("`` has fields: write , …") > sizeof(list))
		return;
	room = sizeof(list) - prefix.n - sizeof("`` has fields: write , …");
	for (size_t i = 0; i < cel_env_n(c->env) && !is_cut; i++) {
		struct str name = cel_env_var(c->env, (int)i)->name;

		if (!str_starts(name, prefix) || name.n == prefix.n || name.p[prefix.n] != '.')
			continue;
		is_cut = used + name.n + 2 > room;
		if (!is_cut)
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s" STR_FMT,
				used ? ", " : "", STR_ARG(name));
	}
	if (used > 0)
		cel_diag_hint(d, "`" STR_FMT "` has fields: write %s%s", STR_ARG(prefix), list,
			is_cut ? ", …" : "");
}

/* ---- functions ---- */

static const char *const macros[] = { "has", "all", "exists", "exists_one", "map", "filter" };

/* What other languages call it. */
static const struct {
	const char *other, *ours;
} synonyms[] = {
	{ "max", "math.greatest" },
	{ "min", "math.least" },
	{ "length", "size" },
	{ "len", "size" },
	{ "count", "size" },
	{ "lower", "lowerAscii" },
	{ "toLower", "lowerAscii" },
	{ "toLowerCase", "lowerAscii" },
	{ "upper", "upperAscii" },
	{ "toUpper", "upperAscii" },
	{ "toUpperCase", "upperAscii" },
	{ "includes", "contains" },
	{ "any", "exists" },
	{ "some", "exists" },
	{ "every", "all" },
	{ "strip", "trim" },
	{ "float", "double" },
	{ "str", "string" },
	{ "percent", "bps" },
};

static bool is_offered(const struct check *c, enum cel_function f)
{
	char first = cel_functions[f].name.p[0];

	return first >= 'a' && first <= 'z' && (c->has_money || !cel_overloads[f].is_money);
}

static void offer_currencies(struct nearest *n, char codes[][CEL_DIAG_HINT_MAX])
{
	for (currency i = 1; i <= currency_last(); i++) {
		size_t k = 0;

		for (const char *p = currency_code(i); *p; p++)
			codes[0][k++] = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
		if (nearest_edits(n->wrong, (struct str){ codes[0], k }) < n->edits) {
			memcpy(codes[1], codes[0], k);
			nearest_offer(n, (struct str){ codes[1], k });
		}
	}
}

static void hint_nearest_function(
	struct check *c, struct cel_diag *d, struct str name, bool is_global)
{
	char codes[2][CEL_DIAG_HINT_MAX];
	struct nearest n = nearest_to(name);

	for (unsigned f = CEL_F_UNKNOWN + 1; f < CEL_F_N; f++)
		if (is_offered(c, f))
			nearest_offer(&n, cel_functions[f].name);
	for (unsigned i = 0; i < ARRAY_LEN(macros); i++)
		nearest_offer(&n, str_of(macros[i]));
	if (c->has_money && is_global)
		offer_currencies(&n, codes);
	if (str_is_set(n.best))
		cel_diag_hint(d, "did you mean `" STR_FMT "`?", STR_ARG(n.best));
}

void check_hint_function(struct check *c, struct cel_diag *d, const struct cel_node *call)
{
	struct str name = call->call.name;

	for (unsigned i = 0; i < ARRAY_LEN(synonyms); i++) {
		if (!str_eqz(name, synonyms[i].other) ||
			(strcmp(synonyms[i].ours, "bps") == 0 && !c->has_money))
			continue;
		cel_diag_hint(d, "here it is `%s`", synonyms[i].ours);
		return;
	}
	for (unsigned i = 0; i < ARRAY_LEN(macros); i++) {
		if (!str_eqz(name, macros[i]))
			continue;
		cel_diag_hint(d,
			i == 0 ? "write has(a.b)" : "write list.%s(x, …), where x names an element",
			macros[i]);
		return;
	}
	hint_nearest_function(c, d, name, !call->call.target);
}

/* ---- operands ---- */

/* has() takes a selection. */
static bool can_be_asked(const struct cel_var *v)
{
	return memchr(v->name.p, '.', v->name.n) != NULL;
}

void check_hint_condition(struct check *c, struct cel_diag *d, const struct cel_node *node)
{
	const struct cel_var *v = check_var_of(c, node);
	const char *value = v && v->values ? v->values[0] : NULL;

	if (!v)
		return;
	if (value && !*value)
		value = v->values[1];
	if (value && v->type->kind == CEL_T_STRING)
		cel_diag_hint(d, "compare it: " STR_FMT " == \"%s\"", STR_ARG(v->name), value);
	else if (v->is_optional && can_be_asked(v))
		cel_diag_hint(d, "compare it, or ask has(" STR_FMT ")", STR_ARG(v->name));
	else
		cel_diag_hint(d, "compare `" STR_FMT "` with something", STR_ARG(v->name));
}

/* Takes "1 argument", "1 to 8 arguments". */
static void hint_count(struct cel_diag *d, unsigned least, unsigned most, unsigned n)
{
	if (least == most)
		cel_diag_hint(d, "it takes %u argument%s, not %u", least, least == 1 ? "" : "s", n);
	else
		cel_diag_hint(d, "it takes %u to %u arguments, not %u", least, most, n);
}

/* Called in the other style, or with another number of arguments. */
static bool hint_style(struct cel_diag *d, const struct cel_node *call)
{
	const struct cel_function_info *f = &cel_functions[call->call.function];
	unsigned n = call->call.n_args + (call->call.target ? 1 : 0);

	if (f->name.p[0] < 'a' || f->name.p[0] > 'z')
		return false;
	if (!call->call.target && !f->is_global) {
		cel_diag_hint(d, "write x." STR_FMT "(…)", STR_ARG(f->name));
		return true;
	}
	if (call->call.target && !f->is_member) {
		cel_diag_hint(d, "write " STR_FMT "(x)", STR_ARG(f->name));
		return true;
	}
	if (n >= f->n_least && n <= f->n_most)
		return false;
	if (call->call.target)
		hint_count(d, f->n_least - 1u, f->n_most - 1u, n - 1);
	else
		hint_count(d, f->n_least, f->n_most, n);
	return true;
}

static bool has_kind(const struct check_args *args, enum cel_type_kind kind, uint32_t *ret_at)
{
	for (uint32_t i = 0; i < args->n; i++) {
		if (args->types[i]->kind == kind) {
			*ret_at = i;
			return true;
		}
	}
	return false;
}

static bool has_number(const struct check_args *args, uint32_t *ret_at)
{
	return has_kind(args, CEL_T_INT, ret_at) || has_kind(args, CEL_T_UINT, ret_at) ||
	       has_kind(args, CEL_T_DOUBLE, ret_at);
}

/* The code in lower case, as amounts are written: eth("1.25"). */
static void currency_name(char *ret, size_t cap, currency c)
{
	size_t n = 0;

	for (const char *p = c ? currency_code(c) : "ETH"; *p && n + 1 < cap; p++)
		ret[n++] = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
	ret[n] = '\0';
}

static bool hint_money(struct cel_diag *d, const struct cel_node *call,
	const struct check_args *args, bool is_literal)
{
	char name[16];
	uint32_t money, other;

	if (is_literal) {
		if (call->call.args[1]->kind != CEL_N_CONST ||
			call->call.args[1]->constant.kind != CEL_V_STRING)
			return false;
		currency_name(
			name, sizeof(name), currency_find(cel_str(call->call.args[1]->constant)));
		cel_diag_hint(d, "an amount is a text: %s(\"1.25\")", name);
		return true;
	}
	if (!has_kind(args, CEL_T_MONEY, &money) ||
		!(has_number(args, &other) || has_kind(args, CEL_T_STRING, &other)))
		return false;
	currency_name(name, sizeof(name), args->types[money]->currency);
	if (call->call.function == CEL_F_MUL || call->call.function == CEL_F_DIV)
		cel_diag_hint(
			d, "scale an amount by basis points: m.add_bps(bps(-500)) is 5 %% less");
	else
		cel_diag_hint(d, "write an amount with its currency: %s(\"1.25\")", name);
	return true;
}

static bool hint_time(struct check *c, struct cel_diag *d, const struct check_args *args)
{
	uint32_t duration, other;

	if (has_kind(args, CEL_T_DURATION, &duration) && has_number(args, &other)) {
		if (check_unit_of(c, args->v[other]) == CEL_UNIT_MS)
			cel_diag_hint(d, "it is in milliseconds: write 3000 for three seconds");
		else
			cel_diag_hint(d, "a duration is written duration(\"10m\")");
		return true;
	}
	if (has_kind(args, CEL_T_STRING, &other)) {
		if (has_kind(args, CEL_T_DURATION, &duration))
			cel_diag_hint(d, "a duration is written duration(\"10m\")");
		else if (has_kind(args, CEL_T_TIMESTAMP, &duration))
			cel_diag_hint(d, "a moment is written timestamp(\"2026-01-31T18:00:00Z\")");
		else
			return false;
		return true;
	}
	return false;
}

static const char *number_name(const struct cel_type *t)
{
	return t->kind == CEL_T_INT ? "int" : t->kind == CEL_T_UINT ? "uint" : "double";
}

static bool is_number(const struct cel_type *t)
{
	return t->kind >= CEL_T_INT && t->kind <= CEL_T_DOUBLE;
}

/* Two kinds of numbers: a constant is written otherwise where it can be, anything else converted.
 */
static bool hint_numbers(struct cel_diag *d, const struct check_args *args)
{
	const struct cel_node *constant = NULL;
	const struct cel_type *other;

	if (args->n != 2 || !is_number(args->types[0]) || !is_number(args->types[1]) ||
		args->types[0]->kind == args->types[1]->kind)
		return false;
	other = args->types[0];
	if (args->v[1]->kind == CEL_N_CONST) {
		constant = args->v[1];
	} else if (args->v[0]->kind == CEL_N_CONST) {
		constant = args->v[0];
		other = args->types[1];
	}
	if (!constant)
		cel_diag_hint(d, "kinds of numbers do not mix: convert one, with %s(…)",
			number_name(other));
	else if (constant->constant.kind == CEL_V_INT && other->kind == CEL_T_DOUBLE)
		cel_diag_hint(d, "write %lld.0", (long long)constant->constant.i);
	else if (constant->constant.kind == CEL_V_INT && constant->constant.i >= 0)
		cel_diag_hint(d, "write %lldu", (long long)constant->constant.i);
	else
		cel_diag_hint(d, "kinds of numbers do not mix: convert the %s, with %s(…)",
			number_name(other), number_name(constant->type));
	return true;
}

static bool hint_null(struct check *c, struct cel_diag *d, const struct check_args *args)
{
	uint32_t null;
	const struct cel_var *v;

	if (args->n != 2 || !has_kind(args, CEL_T_NULL, &null))
		return false;
	v = check_var_of(c, args->v[1 - null]);
	if (!v || !can_be_asked(v))
		return false;
	cel_diag_hint(d, "it is never null: ask has(" STR_FMT ")", STR_ARG(v->name));
	return true;
}

static void hint_bps(struct check *c, struct cel_diag *d, const struct cel_node *number)
{
	const struct cel_var *v = check_var_of(c, number);

	if (v)
		cel_diag_hint(d, "convert the number: bps(" STR_FMT ")", STR_ARG(v->name));
	else if (number->kind == CEL_N_CONST && number->constant.kind == CEL_V_INT)
		cel_diag_hint(
			d, "basis points are written bps(%lld)", (long long)number->constant.i);
	else
		cel_diag_hint(d, "basis points are written bps(250), for 2.5 %%");
}

void check_hint_overload(
	struct check *c, struct cel_diag *d, struct cel_node *call, const struct check_args *args)
{
	enum cel_function f = call->call.function;
	uint32_t at, number;

	if (hint_style(d, call) || hint_numbers(d, args) || hint_time(c, d, args) ||
		hint_null(c, d, args))
		return;
	if (f == CEL_F_ADD_BPS && has_number(args, &number)) {
		hint_bps(c, d, args->v[number]);
		return;
	}
	if (hint_money(d, call, args, f == CEL_F_MONEY))
		return;
	if (f == CEL_F_CONDITIONAL && args->types[0]->kind == CEL_T_BOOL)
		cel_diag_hint(d, "both branches have to be of one type");
	else if (has_kind(args, CEL_T_BPS, &at) && has_number(args, &number))
		hint_bps(c, d, args->v[number]);
}
