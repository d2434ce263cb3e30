/*
 * Names and what is called by them: macros first, then currencies (`eth("1.25")`), then anything
 * else. Whether a function exists is the checker's question.
 */
#include "pricing/cel/parse_impl.h"

/* name(a, b): the parenthesis is taken. */
static bool arguments(struct cel_parser *p, struct cel_collected *c)
{
	uint32_t opening = p->prev.begin;

	if (cel_parse_accept(p, CEL_TOK_RPAREN))
		return true;
	do {
		if (!cel_parse_collect(p, c, cel_parse_expression(p)))
			return false;
	} while (cel_parse_accept(p, CEL_TOK_COMMA));
	if (cel_parse_accept(p, CEL_TOK_RPAREN))
		return true;
	return cel_parse_unclosed(p, opening, "{',', ')'}") != NULL;
}

#define CODE_MAX 8

/* eth("1.25"): the currency whose code this is in lower case; 0 if none. */
static currency currency_of(struct str name)
{
	char code[CODE_MAX];

	if (name.n > sizeof(code))
		return 0;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'))
			return 0;
		code[i] = (char)(c >= 'a' ? c - 'a' + 'A' : c);
	}
	return currency_find((struct str){ code, name.n });
}

static struct cel_node *money(struct cel_parser *p, currency c, struct cel_node *amount,
	uint32_t offset, struct cel_range where)
{
	struct cel_node *n = cel_parse_call(p, CEL_F_MONEY, 2, offset, where);

	if (!n)
		return NULL;
	n->call.args[0] = amount;
	n->call.args[1] =
		cel_parse_constant(p, cel_string(str_of(currency_code(c))), offset, where);
	return n->call.args[1] ? cel_parse_finish(p, n, amount->depth) : NULL;
}

/* Anything that is no macro. @target NULL: global. */
static struct cel_node *plain_call(struct cel_parser *p, struct str name, struct cel_node *target,
	const struct cel_collected *args, uint32_t offset, struct cel_range where)
{
	struct cel_node *n = cel_parse_node(p, CEL_N_CALL, offset, where);
	struct str bare = name.p[0] == '.' ? (struct str){ name.p + 1, name.n - 1 } : name;
	uint32_t depth = cel_parse_deepest(args->v, args->n);

	if (!n)
		return NULL;
	n->call.name = name;
	n->call.function = cel_function_find(bare);
	n->call.target = target;
	n->call.n_args = args->n;
	n->call.args = cel_parse_collected(p, args);
	if (!n->call.args)
		return NULL;
	return cel_parse_finish(p, n, target && target->depth > depth ? target->depth : depth);
}

static struct cel_node *global_call(
	struct cel_parser *p, struct str name, uint32_t offset, uint32_t begin)
{
	struct cel_collected args;
	struct cel_range where;
	struct cel_node *ret;
	currency c;

	CEL_COLLECTED_INIT(args);
	if (!arguments(p, &args))
		return NULL;
	where = (struct cel_range){ begin, p->prev.end };
	if (cel_macro_expand(p, name, NULL, args.v, args.n, offset, where, &ret))
		return ret;
	if (p->with_money && args.n == 1 && !cel_function_find(name)) {
		c = currency_of(name);
		if (c != 0)
			return money(p, c, args.v[0], offset, where);
	}
	return plain_call(p, name, NULL, &args, offset, where);
}

#define QUALIFIED_MAX 32

/* math.least(…) is one global function whose name has a dot; "" if @target.@name is none. */
static struct str qualified(
	const struct cel_parser *p, const struct cel_node *target, struct str name)
{
	char text[QUALIFIED_MAX];
	enum cel_function f;
	size_t n;

	if (target->kind != CEL_N_IDENT || target->is_braced ||
		target->ident.name.n + 1 + name.n > sizeof(text))
		return STR("");
	n = target->ident.name.n;
	memcpy(text, target->ident.name.p, n);
	text[n] = '.';
	memcpy(text + n + 1, name.p, name.n);
	f = cel_function_find((struct str){ text, n + 1 + name.n });
	if (!p->with_money && (f == CEL_F_MONEY_MIN || f == CEL_F_MONEY_MAX))
		return STR("");
	return cel_functions[f].name;
}

struct cel_node *cel_parse_member_call(
	struct cel_parser *p, struct cel_node *target, struct str name, uint32_t offset)
{
	struct cel_collected args;
	struct cel_range where;
	struct cel_node *ret;
	struct str whole;

	CEL_COLLECTED_INIT(args);
	if (!arguments(p, &args))
		return NULL;
	where = (struct cel_range){ target->begin, p->prev.end };
	if (cel_macro_expand(p, name, target, args.v, args.n, offset, where, &ret))
		return ret;
	whole = qualified(p, target, name);
	if (whole.n)
		return plain_call(p, whole, NULL, &args, offset, where);
	return plain_call(p, name, target, &args, offset, where);
}

static struct str with_dot(struct cel_parser *p, struct str name)
{
	char *text;

	if (name.p > p->source.p && name.p[-1] == '.')
		return (struct str){ name.p - 1, name.n + 1 };
	text = arena_alloc(p->arena, name.n + 1);
	if (!text)
		return STR_NONE;
	text[0] = '.';
	memcpy(text + 1, name.p, name.n);
	return (struct str){ text, name.n + 1 };
}

/* if, if(…) */
static struct cel_node *reserved_name(struct cel_parser *p)
{
	struct cel_token t = p->tok;
	struct cel_collected args;

	cel_parse_reserved(p, cel_parse_text(p, t), t.begin);
	cel_parse_take(p);
	CEL_COLLECTED_INIT(args);
	if (cel_parse_accept(p, CEL_TOK_LPAREN) && !arguments(p, &args))
		return NULL;
	return cel_parse_stand_in(p, t);
}

struct cel_node *cel_parse_name(struct cel_parser *p)
{
	uint32_t begin = p->tok.begin;
	bool has_dot = cel_parse_accept(p, CEL_TOK_DOT);
	struct cel_token t = p->tok;
	struct str text = cel_parse_text(p, t);

	if (t.kind != CEL_TOK_IDENT)
		return cel_parse_unexpected(p, CEL_EXPECT_NAME);
	if (cel_parse_is_reserved(text))
		return reserved_name(p);
	cel_parse_take(p);
	if (has_dot)
		text = with_dot(p, text);
	if (!text.p)
		return cel_parse_too_large(p, begin);
	if (cel_parse_accept(p, CEL_TOK_LPAREN))
		return global_call(p, text, p->prev.begin, begin);
	return cel_parse_ident(p, text, t.begin, (struct cel_range){ begin, t.end });
}
