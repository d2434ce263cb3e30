/*
 * What an operand begins with: literals, lists, maps, messages, parentheses. (Names and calls:
 * parse_call.c.)
 */
#include "pricing/cel/literal.h"
#include "pricing/cel/parse_impl.h"

/* ---- literals ---- */

struct cel_node *cel_parse_number(struct cel_parser *p, bool is_negative)
{
	struct cel_token t = p->tok;
	struct cel_range where = { is_negative ? p->prev.begin : t.begin, t.end };
	struct str text = cel_parse_text(p, t);
	struct cel_value v;
	const char *type;
	int r;

	cel_parse_take(p);
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

	cel_parse_take(p);
	r = cel_literal_text(cel_parse_text(p, t), t.is_plain, is_bytes, p->arena, &value, &bad);
	if (r == CEL_LITERAL_E_MEMORY)
		return cel_parse_too_large(p, t.begin);
	if (r != 0) {
		cel_parse_bad_escape(p, r, t.begin, bad);
		return cel_parse_stand_in(p, t);
	}
	v = cel_string(value);
	if (is_bytes)
		v.kind = CEL_V_BYTES;
	return cel_parse_constant(p, v, t.begin, (struct cel_range){ t.begin, t.end });
}

static struct cel_node *word(struct cel_parser *p, struct cel_value v)
{
	struct cel_token t = p->tok;

	cel_parse_take(p);
	return cel_parse_constant(p, v, t.begin, (struct cel_range){ t.begin, t.end });
}

/* ---- lists, maps, messages ---- */

/* An element or key, with the `?` of optional ones, which is refused afterwards. */
static struct cel_node *optional_expression(struct cel_parser *p)
{
	uint32_t offset = p->tok.begin;
	bool is_optional = cel_parse_accept(p, CEL_TOK_QUESTION);
	struct cel_node *ret = cel_parse_expression(p);

	if (ret && is_optional)
		cel_parse_unsupported(p, offset, "?");
	return ret;
}

static struct cel_node *list(struct cel_parser *p)
{
	uint32_t offset = p->tok.begin;
	struct cel_collected c;
	struct cel_node *n;

	CEL_COLLECTED_INIT(c);
	cel_parse_take(p);
	while (p->tok.kind != CEL_TOK_RBRACKET && p->tok.kind != CEL_TOK_COMMA) {
		if (!cel_parse_collect(p, &c, optional_expression(p)))
			return NULL;
		if (!cel_parse_accept(p, CEL_TOK_COMMA))
			break;
	}
	if (c.n == 0)
		cel_parse_accept(p, CEL_TOK_COMMA);
	if (!cel_parse_accept(p, CEL_TOK_RBRACKET))
		return cel_parse_unclosed(p, offset, "{',', ']'}");
	n = cel_parse_node(p, CEL_N_LIST, offset, (struct cel_range){ offset, p->prev.end });
	if (!n)
		return NULL;
	n->list.n = c.n;
	n->list.v = cel_parse_collected(p, &c);
	return n->list.v ? cel_parse_finish(p, n, cel_parse_deepest(n->list.v, n->list.n)) : NULL;
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
	cel_parse_take(p);
	return true;
}

static bool message_field(struct cel_parser *p, struct cel_entry *e)
{
	uint32_t offset = p->tok.begin;
	bool is_optional = cel_parse_accept(p, CEL_TOK_QUESTION);

	if (!field_name(p, &e->field))
		return false;
	if (is_optional)
		cel_parse_unsupported(p, offset, "?");
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
	if (!cel_parse_accept(p, CEL_TOK_COLON))
		return cel_parse_unexpected(p, CEL_EXPECT_COLON) != NULL;
	made.value = cel_parse_expression(p);
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

	cel_parse_take(p);
	while (p->tok.kind != CEL_TOK_RBRACE && p->tok.kind != CEL_TOK_COMMA) {
		if (!entry(p, &e, kind == CEL_N_STRUCT))
			return NULL;
		if (!cel_parse_accept(p, CEL_TOK_COMMA))
			break;
	}
	if (e.n == 0)
		cel_parse_accept(p, CEL_TOK_COMMA);
	if (!cel_parse_accept(p, CEL_TOK_RBRACE))
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

bool cel_parse_message(struct cel_parser *p, struct cel_node **n)
{
	struct str name = message_name(p, *n);

	if (!name.p && !p->has_failed)
		return false;
	*n = name.p ? braces(p, CEL_N_STRUCT, (*n)->begin, name) : NULL;
	return true;
}

static struct cel_node *braced(struct cel_parser *p)
{
	uint32_t opening = p->tok.begin;
	struct cel_node *n;

	cel_parse_take(p);
	n = cel_parse_expression(p);
	if (!n)
		return NULL;
	if (!cel_parse_accept(p, CEL_TOK_RPAREN))
		return cel_parse_unclosed(p, opening, "')'");
	n->is_braced = true;
	n->begin = opening;
	n->end = p->prev.end;
	return n;
}

struct cel_node *cel_parse_primary(struct cel_parser *p)
{
	switch (p->tok.kind) {
	case CEL_TOK_IDENT:
	case CEL_TOK_DOT:
		return cel_parse_name(p);
	case CEL_TOK_INT:
	case CEL_TOK_UINT:
	case CEL_TOK_FLOAT:
		return cel_parse_number(p, false);
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
