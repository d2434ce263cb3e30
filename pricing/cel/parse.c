/*
 * Recursive descent, with one loop for the binary operators below `&&`. The tree and the place of
 * each node are cel-go's (parser.go, CEL.g4): a chain of `&&` or `||` becomes a balanced tree,
 * `--a` is `a`, a minus directly before a number belongs to the number, a call's place is its
 * parenthesis.
 *
 * Only what stands in brackets, or behind a `?`, makes the parser call itself: that is counted by
 * `nesting`. Everything else that grows to the left (a.b.c, 1 + 2 + 3) is a loop, and bounded by
 * the depth of its node.
 */
#include "pricing/cel/parse.h"

#include "pricing/cel/literal.h"
#include "pricing/cel/parse_impl.h"

static struct cel_node *expression(struct cel_parser *p);

/* ---- nodes ---- */

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

static uint32_t deepest(struct cel_node *const *v, uint32_t n)
{
	uint32_t ret = 0;

	for (uint32_t i = 0; i < n; i++)
		ret = v[i]->depth > ret ? v[i]->depth : ret;
	return ret;
}

/* Nodes collected before it is known how many there will be. Those of most lists fit in `few`. */
struct collected {
	struct cel_node **v;
	uint32_t n, cap;
	struct cel_node *few[8];
};

#define COLLECTED_INIT(c) ((c).v = (c).few, (c).n = 0, (c).cap = ARRAY_LEN((c).few))

static bool collect(struct cel_parser *p, struct collected *c, struct cel_node *node)
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

/* For good, in the arena. NULL if it is used up (said); not NULL for none. */
static struct cel_node **collected(struct cel_parser *p, const struct collected *c)
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

/* ---- tokens ---- */

static void take(struct cel_parser *p)
{
	p->prev = p->tok;
	p->tok = cel_lexer_next(&p->lexer);
}

static bool accept(struct cel_parser *p, enum cel_token_kind kind)
{
	if (p->tok.kind != kind)
		return false;
	take(p);
	return true;
}

/* What follows from a wrong literal or name: any tree will do, nobody will see it. */
static struct cel_node *stand_in(struct cel_parser *p, struct cel_token t)
{
	return cel_parse_constant(p, cel_null(), t.begin, (struct cel_range){ t.begin, t.end });
}

static void unsupported(struct cel_parser *p, uint32_t offset, const char *what)
{
	struct cel_diag *d = cel_diag_add(
		p->diags, CEL_STAGE_PARSE, CEL_E_SYNTAX, offset, "unsupported syntax '%s'", what);

	cel_diag_hint(d, "there are no optional values; has(…) asks whether a value is there");
}

/* ---- literals ---- */

static struct cel_node *number(struct cel_parser *p, bool is_negative)
{
	struct cel_token t = p->tok;
	struct cel_range where = { is_negative ? p->prev.begin : t.begin, t.end };
	struct str text = cel_parse_text(p, t);
	struct cel_value v = cel_null();
	const char *type;
	int r;

	take(p);
	if (t.kind == CEL_TOK_INT) {
		type = "int";
		v = cel_int(0);
		r = cel_literal_int(text, is_negative, &v.i);
	} else if (t.kind == CEL_TOK_UINT) {
		type = "uint";
		v = (struct cel_value){ .kind = CEL_V_UINT };
		r = cel_literal_uint(text, &v.u);
	} else {
		type = "double";
		v = (struct cel_value){ .kind = CEL_V_DOUBLE };
		r = cel_literal_double(text, is_negative, p->arena, &v.d);
	}
	if (r == CEL_LITERAL_E_MEMORY)
		return cel_parse_too_large(p, where.begin);
	if (r != 0) {
		struct cel_diag *d = cel_diag_add(p->diags, CEL_STAGE_PARSE, CEL_E_LITERAL,
			where.begin, "invalid %s literal", type);

		cel_diag_hint(d, "out of the range of %s", type);
	}
	return cel_parse_constant(p, v, where.begin, where);
}

static struct cel_node *text(struct cel_parser *p)
{
	struct cel_token t = p->tok;
	bool is_bytes = t.kind == CEL_TOK_BYTES;
	struct str value, bad;
	struct cel_value v;
	int r;

	take(p);
	r = cel_literal_text(cel_parse_text(p, t), t.is_plain, is_bytes, p->arena, &value, &bad);
	if (r == CEL_LITERAL_E_MEMORY)
		return cel_parse_too_large(p, t.begin);
	if (r != 0) {
		cel_parse_bad_escape(p, r, t.begin, bad);
		return stand_in(p, t);
	}
	v = cel_string(value);
	if (is_bytes)
		v.kind = CEL_V_BYTES;
	return cel_parse_constant(p, v, t.begin, (struct cel_range){ t.begin, t.end });
}

static struct cel_node *word(struct cel_parser *p, struct cel_value v)
{
	struct cel_token t = p->tok;

	take(p);
	return cel_parse_constant(p, v, t.begin, (struct cel_range){ t.begin, t.end });
}

/* ---- names and calls ---- */

/* name(a, b): the parenthesis is taken. */
static bool arguments(struct cel_parser *p, struct collected *c)
{
	uint32_t opening = p->prev.begin;

	if (accept(p, CEL_TOK_RPAREN))
		return true;
	do {
		if (!collect(p, c, expression(p)))
			return false;
	} while (accept(p, CEL_TOK_COMMA));
	if (accept(p, CEL_TOK_RPAREN))
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
	const struct collected *args, uint32_t offset, struct cel_range where)
{
	struct cel_node *n = cel_parse_node(p, CEL_N_CALL, offset, where);
	struct str bare = name.p[0] == '.' ? (struct str){ name.p + 1, name.n - 1 } : name;
	uint32_t depth = deepest(args->v, args->n);

	if (!n)
		return NULL;
	n->call.name = name;
	n->call.function = cel_function_find(bare);
	n->call.target = target;
	n->call.n_args = args->n;
	n->call.args = collected(p, args);
	if (!n->call.args)
		return NULL;
	return cel_parse_finish(p, n, target && target->depth > depth ? target->depth : depth);
}

static struct cel_node *global_call(
	struct cel_parser *p, struct str name, uint32_t offset, uint32_t begin)
{
	struct collected args;
	struct cel_range where;
	struct cel_node *ret;
	currency c;

	COLLECTED_INIT(args);
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

static struct cel_node *member_call(
	struct cel_parser *p, struct cel_node *target, struct str name, uint32_t offset)
{
	struct collected args;
	struct cel_range where;
	struct cel_node *ret;
	struct str whole;

	COLLECTED_INIT(args);
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
	struct collected args;

	cel_parse_reserved(p, cel_parse_text(p, t), t.begin);
	take(p);
	COLLECTED_INIT(args);
	if (accept(p, CEL_TOK_LPAREN) && !arguments(p, &args))
		return NULL;
	return stand_in(p, t);
}

/* ident, .ident, ident(…), .ident(…) */
static struct cel_node *name(struct cel_parser *p)
{
	uint32_t begin = p->tok.begin;
	bool has_dot = accept(p, CEL_TOK_DOT);
	struct cel_token t = p->tok;
	struct str text = cel_parse_text(p, t);

	if (t.kind != CEL_TOK_IDENT)
		return cel_parse_unexpected(p, CEL_EXPECT_NAME);
	if (cel_parse_is_reserved(text))
		return reserved_name(p);
	take(p);
	if (has_dot)
		text = with_dot(p, text);
	if (!text.p)
		return cel_parse_too_large(p, begin);
	if (accept(p, CEL_TOK_LPAREN))
		return global_call(p, text, p->prev.begin, begin);
	return cel_parse_ident(p, text, t.begin, (struct cel_range){ begin, t.end });
}

/* ---- lists, maps, messages ---- */

/* An element or key, with the `?` of optional ones, which is refused afterwards. */
static struct cel_node *optional_expression(struct cel_parser *p)
{
	uint32_t offset = p->tok.begin;
	bool is_optional = accept(p, CEL_TOK_QUESTION);
	struct cel_node *ret = expression(p);

	if (ret && is_optional)
		unsupported(p, offset, "?");
	return ret;
}

static struct cel_node *list(struct cel_parser *p)
{
	uint32_t offset = p->tok.begin;
	struct collected c;
	struct cel_node *n;

	COLLECTED_INIT(c);
	take(p);
	while (p->tok.kind != CEL_TOK_RBRACKET && p->tok.kind != CEL_TOK_COMMA) {
		if (!collect(p, &c, optional_expression(p)))
			return NULL;
		if (!accept(p, CEL_TOK_COMMA))
			break;
	}
	if (c.n == 0)
		accept(p, CEL_TOK_COMMA);
	if (!accept(p, CEL_TOK_RBRACKET))
		return cel_parse_unclosed(p, offset, "{',', ']'}");
	n = cel_parse_node(p, CEL_N_LIST, offset, (struct cel_range){ offset, p->prev.end });
	if (!n)
		return NULL;
	n->list.n = c.n;
	n->list.v = collected(p, &c);
	return n->list.v ? cel_parse_finish(p, n, deepest(n->list.v, n->list.n)) : NULL;
}

/* The entries of a map, each `key: value`, or of a message, each `field: value`. */
struct entries {
	struct cel_entry *v;
	uint32_t n, cap;
	uint32_t depth;
};

static struct cel_entry *entry_room(struct cel_parser *p, struct entries *e)
{
	uint32_t cap = e->cap ? 2 * e->cap : 4;
	struct cel_entry *more;

	if (e->n < e->cap)
		return &e->v[e->n];
	more = arena_alloc(p->arena, cap * sizeof(*more));
	if (!more) {
		cel_parse_too_large(p, p->tok.begin);
		return NULL;
	}
	if (e->n)
		memcpy(more, e->v, e->n * sizeof(*more));
	e->v = more;
	e->cap = cap;
	return &e->v[e->n];
}

static bool field_name(struct cel_parser *p, struct str *ret)
{
	struct str text = cel_parse_text(p, p->tok);

	if (p->tok.kind == CEL_TOK_QUOTED)
		*ret = (struct str){ text.p + 1, text.n - 2 };
	else if (p->tok.kind == CEL_TOK_IDENT)
		*ret = text;
	else
		return cel_parse_unexpected(p, CEL_EXPECT_FIELD) != NULL;
	take(p);
	return true;
}

static bool message_field(struct cel_parser *p, struct cel_entry *e)
{
	uint32_t offset = p->tok.begin;
	bool is_optional = accept(p, CEL_TOK_QUESTION);

	if (!field_name(p, &e->field))
		return false;
	if (is_optional)
		unsupported(p, offset, "?");
	return true;
}

static bool entry(struct cel_parser *p, struct entries *all, bool is_message)
{
	struct cel_entry *e = entry_room(p, all);
	struct cel_entry made = { 0 };

	if (!e)
		return false;
	if (is_message) {
		if (!message_field(p, &made))
			return false;
	} else {
		made.key = optional_expression(p);
		if (!made.key)
			return false;
	}
	made.offset = p->tok.begin;
	if (!accept(p, CEL_TOK_COLON))
		return cel_parse_unexpected(p, CEL_EXPECT_COLON) != NULL;
	made.value = expression(p);
	if (!made.value)
		return false;
	if (made.key && made.key->depth > all->depth)
		all->depth = made.key->depth;
	if (made.value->depth > all->depth)
		all->depth = made.value->depth;
	*e = made;
	all->n++;
	return true;
}

/* {…}: the brace is looked at. @begin, @name: of the message. */
static struct cel_node *braces(
	struct cel_parser *p, enum cel_node_kind kind, uint32_t begin, struct str name)
{
	uint32_t offset = p->tok.begin;
	struct entries e = { 0 };
	struct cel_node *n;

	take(p);
	while (p->tok.kind != CEL_TOK_RBRACE && p->tok.kind != CEL_TOK_COMMA) {
		if (!entry(p, &e, kind == CEL_N_STRUCT))
			return NULL;
		if (!accept(p, CEL_TOK_COMMA))
			break;
	}
	if (e.n == 0)
		accept(p, CEL_TOK_COMMA);
	if (!accept(p, CEL_TOK_RBRACE))
		return cel_parse_unclosed(p, offset, "{',', '}'}");
	n = cel_parse_node(p, kind, offset, (struct cel_range){ begin, p->prev.end });
	if (!n)
		return NULL;
	n->map.name = name;
	n->map.v = e.v;
	n->map.n = e.n;
	return cel_parse_finish(p, n, e.depth);
}

/* a.b.C as text, if that is all that @n is; STR_NONE with has_failed unset if it is not. */
static struct str message_name(struct cel_parser *p, const struct cel_node *n)
{
	size_t size = 0;
	char *text;

	for (const struct cel_node *at = n;; at = at->select.operand) {
		if (at->is_braced)
			return STR_NONE;
		if (at->kind == CEL_N_IDENT) {
			size += at->ident.name.n;
			break;
		}
		if (at->kind != CEL_N_SELECT || at->is_test_only || at->select.is_quoted)
			return STR_NONE;
		size += 1 + at->select.field.n;
	}
	text = arena_alloc(p->arena, size);
	if (!text) {
		cel_parse_too_large(p, n->offset);
		return STR_NONE;
	}
	for (size_t end = size;; n = n->select.operand) {
		struct str part = n->kind == CEL_N_IDENT ? n->ident.name : n->select.field;

		end -= part.n;
		memcpy(text + end, part.p, part.n);
		if (n->kind == CEL_N_IDENT)
			return (struct str){ text, size };
		text[--end] = '.';
	}
}

/* ---- selections, indices, operators ---- */

static struct cel_node *braced(struct cel_parser *p)
{
	uint32_t opening = p->tok.begin;
	struct cel_node *n;

	take(p);
	n = expression(p);
	if (!n)
		return NULL;
	if (!accept(p, CEL_TOK_RPAREN))
		return cel_parse_unclosed(p, opening, "')'");
	n->is_braced = true;
	n->begin = opening;
	n->end = p->prev.end;
	return n;
}

static struct cel_node *primary(struct cel_parser *p)
{
	switch (p->tok.kind) {
	case CEL_TOK_IDENT:
	case CEL_TOK_DOT:
		return name(p);
	case CEL_TOK_INT:
	case CEL_TOK_UINT:
	case CEL_TOK_FLOAT:
		return number(p, false);
	case CEL_TOK_STRING:
	case CEL_TOK_BYTES:
		return text(p);
	case CEL_TOK_TRUE:
		return word(p, cel_bool(true));
	case CEL_TOK_FALSE:
		return word(p, cel_bool(false));
	case CEL_TOK_NULL:
		return word(p, cel_null());
	case CEL_TOK_LPAREN:
		return braced(p);
	case CEL_TOK_LBRACKET:
		return list(p);
	case CEL_TOK_LBRACE:
		return braces(p, CEL_N_MAP, p->tok.begin, STR_NONE);
	default:
		return cel_parse_unexpected(p, CEL_EXPECT_VALUE);
	}
}

/* .field, .`field`, .method(…): the dot is looked at. */
static struct cel_node *selection(struct cel_parser *p, struct cel_node *operand)
{
	uint32_t dot = p->tok.begin;
	struct cel_token t;
	struct cel_node *n;
	bool is_optional;

	take(p);
	is_optional = accept(p, CEL_TOK_QUESTION);
	t = p->tok;
	if (t.kind != CEL_TOK_IDENT && t.kind != CEL_TOK_QUOTED)
		return cel_parse_unexpected(p, CEL_EXPECT_NAME);
	take(p);
	if (is_optional)
		unsupported(p, dot, ".?");
	else if (t.kind == CEL_TOK_IDENT && accept(p, CEL_TOK_LPAREN))
		return member_call(p, operand, cel_parse_text(p, t), p->prev.begin);
	n = cel_parse_node(p, CEL_N_SELECT, dot, (struct cel_range){ operand->begin, t.end });
	if (!n)
		return NULL;
	n->select.operand = operand;
	n->select.is_quoted = t.kind == CEL_TOK_QUOTED;
	n->select.field = n->select.is_quoted ? cel_parse_slice(p, t.begin + 1, t.end - 1)
					      : cel_parse_text(p, t);
	return cel_parse_finish(p, n, operand->depth);
}

static struct cel_node *index_of(struct cel_parser *p, struct cel_node *operand)
{
	uint32_t opening = p->tok.begin;
	struct cel_node *key;
	struct cel_node *n;
	bool is_optional;

	take(p);
	is_optional = accept(p, CEL_TOK_QUESTION);
	key = expression(p);
	if (!key)
		return NULL;
	if (is_optional)
		unsupported(p, opening, "[?");
	if (!accept(p, CEL_TOK_RBRACKET))
		return cel_parse_unclosed(p, opening, "']'");
	n = cel_parse_call(
		p, CEL_F_INDEX, 2, opening, (struct cel_range){ operand->begin, p->prev.end });
	if (!n)
		return NULL;
	n->call.args[0] = operand;
	n->call.args[1] = key;
	return cel_parse_finish(p, n, deepest(n->call.args, 2));
}

static struct cel_node *postfix(struct cel_parser *p, struct cel_node *n)
{
	while (n) {
		if (p->tok.kind == CEL_TOK_DOT) {
			n = selection(p, n);
		} else if (p->tok.kind == CEL_TOK_LBRACKET) {
			n = index_of(p, n);
		} else if (p->tok.kind == CEL_TOK_LBRACE) {
			struct str name = message_name(p, n);

			if (!name.p)
				return p->has_failed ? NULL : n;
			n = braces(p, CEL_N_STRUCT, n->begin, name);
		} else {
			return n;
		}
	}
	return NULL;
}

static bool is_number(enum cel_token_kind kind)
{
	return kind == CEL_TOK_INT || kind == CEL_TOK_FLOAT;
}

/* A minus before a number is its sign, but of several only the last is, and by then it counts as
 * an operator: --1 is 1, ---1 is -(1). Two kinds of operators do not mix without parentheses. */
static struct cel_node *unary(struct cel_parser *p)
{
	struct cel_token op = p->tok;
	struct cel_node *n;
	unsigned count = 0;

	if (op.kind != CEL_TOK_NOT && op.kind != CEL_TOK_MINUS)
		return postfix(p, primary(p));
	while (accept(p, op.kind))
		count++;
	if (op.kind == CEL_TOK_MINUS && count == 1 && is_number(p->tok.kind))
		return postfix(p, number(p, true));
	if (op.kind == CEL_TOK_NOT && accept(p, CEL_TOK_MINUS)) {
		if (!is_number(p->tok.kind))
			return cel_parse_unexpected(p, CEL_EXPECT_NUMBER);
		n = postfix(p, number(p, true));
	} else {
		n = postfix(p, primary(p));
	}
	if (!n || count % 2 == 0) {
		if (n)
			n->begin = op.begin;
		return n;
	}
	struct cel_node *call = cel_parse_call(p, op.kind == CEL_TOK_NOT ? CEL_F_NOT : CEL_F_NEGATE,
		1, op.begin, (struct cel_range){ op.begin, n->end });

	if (!call)
		return NULL;
	call->call.args[0] = n;
	return cel_parse_finish(p, call, n->depth);
}

enum { NO_OPERATOR, RELATION, SUM, PRODUCT, UNARY };

static const struct {
	uint8_t level;
	uint8_t function;
} operators[CEL_TOK_N] = {
	[CEL_TOK_LT] = { RELATION, CEL_F_LT },
	[CEL_TOK_LE] = { RELATION, CEL_F_LE },
	[CEL_TOK_GT] = { RELATION, CEL_F_GT },
	[CEL_TOK_GE] = { RELATION, CEL_F_GE },
	[CEL_TOK_EQ] = { RELATION, CEL_F_EQ },
	[CEL_TOK_NE] = { RELATION, CEL_F_NE },
	[CEL_TOK_IN] = { RELATION, CEL_F_IN },
	[CEL_TOK_PLUS] = { SUM, CEL_F_ADD },
	[CEL_TOK_MINUS] = { SUM, CEL_F_SUB },
	[CEL_TOK_STAR] = { PRODUCT, CEL_F_MUL },
	[CEL_TOK_SLASH] = { PRODUCT, CEL_F_DIV },
	[CEL_TOK_PERCENT] = { PRODUCT, CEL_F_MOD },
};

static struct cel_node *operation(struct cel_parser *p, enum cel_function f, uint32_t offset,
	struct cel_node *left, struct cel_node *right)
{
	struct cel_node *n =
		cel_parse_call(p, f, 2, offset, (struct cel_range){ left->begin, right->end });

	if (!n)
		return NULL;
	n->call.args[0] = left;
	n->call.args[1] = right;
	return cel_parse_finish(p, n, left->depth > right->depth ? left->depth : right->depth);
}

/* Operators of @level and those that bind tighter; all of them associate to the left. Calls itself
 * at most twice. */
static struct cel_node *operations(struct cel_parser *p, unsigned level)
{
	struct cel_node *left = unary(p);

	while (left && operators[p->tok.kind].level >= level) {
		struct cel_token op = p->tok;
		unsigned tighter = operators[op.kind].level + 1;
		struct cel_node *right;

		take(p);
		right = tighter == UNARY ? unary(p) : operations(p, tighter);
		if (!right)
			return NULL;
		left = operation(
			p, (enum cel_function)operators[op.kind].function, op.begin, left, right);
	}
	return left;
}

/* The operators' places lie beside the terms: offsets[i] is between v[i] and v[i + 1]. */
struct chain {
	struct collected terms;
	uint32_t *offsets;
	uint32_t cap;
	uint32_t few[8];
};

static bool chain_offset(struct cel_parser *p, struct chain *c, uint32_t i, uint32_t offset)
{
	if (i == c->cap) {
		uint32_t *more = arena_alloc(p->arena, 2 * c->cap * sizeof(*more));

		if (!more)
			return cel_parse_too_large(p, offset) != NULL;
		memcpy(more, c->offsets, i * sizeof(*more));
		c->offsets = more;
		c->cap *= 2;
	}
	c->offsets[i] = offset;
	return true;
}

/* Of the operators lo..hi, the one in the middle on top: recursion is as deep as the tree. */
static struct cel_node *balanced(
	struct cel_parser *p, const struct chain *c, enum cel_function f, uint32_t lo, uint32_t hi)
{
	uint32_t mid = (lo + hi + 1) / 2;
	struct cel_node *left = c->terms.v[mid];
	struct cel_node *right = c->terms.v[mid + 1];

	if (mid > lo)
		left = balanced(p, c, f, lo, mid - 1);
	if (mid < hi)
		right = balanced(p, c, f, mid + 1, hi);
	return left && right ? operation(p, f, c->offsets[mid], left, right) : NULL;
}

static struct cel_node *relation(struct cel_parser *p)
{
	return operations(p, RELATION);
}

static struct cel_node *logic(struct cel_parser *p, enum cel_token_kind op, enum cel_function f,
	struct cel_node *(*term)(struct cel_parser *p))
{
	struct cel_node *first = term(p);
	struct chain c;

	if (!first || p->tok.kind != op)
		return first;
	COLLECTED_INIT(c.terms);
	c.offsets = c.few;
	c.cap = ARRAY_LEN(c.few);
	collect(p, &c.terms, first);
	while (p->tok.kind == op) {
		if (!chain_offset(p, &c, c.terms.n - 1, p->tok.begin))
			return NULL;
		take(p);
		if (!collect(p, &c.terms, term(p)))
			return NULL;
	}
	return balanced(p, &c, f, 0, c.terms.n - 2);
}

static struct cel_node *conjunction(struct cel_parser *p)
{
	return logic(p, CEL_TOK_AND, CEL_F_AND, relation);
}

static struct cel_node *disjunction(struct cel_parser *p)
{
	return logic(p, CEL_TOK_OR, CEL_F_OR, conjunction);
}

/* The rest of c ? a : b; the question mark is looked at. In the middle no other conditional may
 * stand without parentheses, at the end one may. */
static struct cel_node *conditional(struct cel_parser *p, struct cel_node *c)
{
	uint32_t offset = p->tok.begin;
	struct cel_node *yes, *no, *n;

	take(p);
	yes = disjunction(p);
	if (!yes)
		return NULL;
	if (!accept(p, CEL_TOK_COLON))
		return cel_parse_unclosed(p, offset, "':'");
	no = expression(p);
	if (!no)
		return NULL;
	n = cel_parse_call(
		p, CEL_F_CONDITIONAL, 3, offset, (struct cel_range){ c->begin, no->end });
	if (!n)
		return NULL;
	n->call.args[0] = c;
	n->call.args[1] = yes;
	n->call.args[2] = no;
	return cel_parse_finish(p, n, deepest(n->call.args, 3));
}

static struct cel_node *expression(struct cel_parser *p)
{
	struct cel_node *n;

	if (p->nesting == p->depth_max)
		return cel_parse_too_deep(p, p->tok.begin, "expression recursion limit exceeded");
	p->nesting++;
	n = disjunction(p);
	if (n && p->tok.kind == CEL_TOK_QUESTION)
		n = conditional(p, n);
	p->nesting--;
	return n;
}

/* ---- the whole ---- */

/* Errors are found in the order of the grammar and read in that of the text. */
static void sort_diags(struct cel_parser *p)
{
	struct cel_diag *v = p->diags->v;

	for (size_t i = p->n_diags_before + 1; i < p->diags->n; i++) {
		for (size_t k = i; k > p->n_diags_before && v[k].offset < v[k - 1].offset; k--) {
			struct cel_diag swap = v[k];

			v[k] = v[k - 1];
			v[k - 1] = swap;
		}
	}
}

static void check_utf8(struct cel_parser *p)
{
	size_t at = 0;

	while (at < p->source.n) {
		size_t n = str_utf8_len((struct str){ p->source.p + at, p->source.n - at });

		if (n == 0) {
			cel_diag_add(p->diags, CEL_STAGE_PARSE, CEL_E_SYNTAX, (uint32_t)at,
				"Syntax error: the source is not UTF-8");
			return;
		}
		at += n;
	}
}

static struct cel_node *whole(struct cel_parser *p)
{
	struct cel_node *n;

	take(p);
	n = expression(p);
	if (n && p->tok.kind != CEL_TOK_END)
		n = cel_parse_unexpected(p, CEL_EXPECT_END);
	if (p->lexer.has_wide)
		check_utf8(p);
	return n;
}

static uint32_t limit(uint32_t asked, uint32_t otherwise)
{
	return asked ? asked : otherwise;
}

struct cel_node *cel_parse(struct str source, bool with_money, const struct cel_limits *limits,
	struct arena *a, struct cel_diags *d)
{
	static const struct cel_limits defaults;
	const struct cel_limits *l = limits ? limits : &defaults;
	uint32_t bytes = limit(l->source_bytes, CEL_SOURCE_BYTES_MAX);
	uint32_t depth = limit(l->depth, CEL_DEPTH_MAX);
	struct cel_parser p = { .source = source,
		.arena = a,
		.diags = d,
		.n_diags_before = d->n,
		.depth_max = depth < CEL_DEPTH_HARD_MAX ? depth : CEL_DEPTH_HARD_MAX,
		.with_money = with_money };
	size_t n_dropped = d->n_dropped;
	struct cel_node *ret;

	if (source.n > bytes) {
		cel_diag_add(d, CEL_STAGE_PARSE, CEL_E_TOO_LONG, bytes,
			"expression size exceeds limit: size: %zu, limit %u bytes", source.n,
			bytes);
		return NULL;
	}
	cel_lexer_init(&p.lexer, source);
	ret = whole(&p);
	sort_diags(&p);
	return d->n == p.n_diags_before && d->n_dropped == n_dropped ? ret : NULL;
}
