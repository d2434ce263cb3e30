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

#include "pricing/cel/parse_impl.h"

/* .field, .`field`, .method(…): the dot is looked at. */
static struct cel_node *selection(struct cel_parser *p, struct cel_node *operand)
{
	uint32_t dot = p->tok.begin;
	struct cel_token t;
	struct cel_node *n;
	bool is_optional;

	cel_parse_take(p);
	is_optional = cel_parse_accept(p, CEL_TOK_QUESTION);
	t = p->tok;
	if (t.kind != CEL_TOK_IDENT && t.kind != CEL_TOK_QUOTED)
		return cel_parse_unexpected(p, CEL_EXPECT_NAME);
	cel_parse_take(p);
	if (is_optional)
		cel_parse_unsupported(p, dot, ".?");
	else if (t.kind == CEL_TOK_IDENT && cel_parse_accept(p, CEL_TOK_LPAREN))
		return cel_parse_member_call(p, operand, cel_parse_text(p, t), p->prev.begin);
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

	cel_parse_take(p);
	is_optional = cel_parse_accept(p, CEL_TOK_QUESTION);
	key = cel_parse_expression(p);
	if (!key)
		return NULL;
	if (is_optional)
		cel_parse_unsupported(p, opening, "[?");
	if (!cel_parse_accept(p, CEL_TOK_RBRACKET))
		return cel_parse_unclosed(p, opening, "']'");
	n = cel_parse_call(
		p, CEL_F_INDEX, 2, opening, (struct cel_range){ operand->begin, p->prev.end });
	if (!n)
		return NULL;
	n->call.args[0] = operand;
	n->call.args[1] = key;
	return cel_parse_finish(p, n, cel_parse_deepest(n->call.args, 2));
}

static struct cel_node *postfix(struct cel_parser *p, struct cel_node *n)
{
	while (n) {
		if (p->tok.kind == CEL_TOK_DOT) {
			n = selection(p, n);
		} else if (p->tok.kind == CEL_TOK_LBRACKET) {
			n = index_of(p, n);
		} else if (p->tok.kind == CEL_TOK_LBRACE) {
			if (!cel_parse_message(p, &n))
				return n;
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

/* Behind the operators: what they are applied to. `!-1` is the one mixture that needs no
 * parentheses, because there the minus is a sign. */
static struct cel_node *negand(struct cel_parser *p, enum cel_token_kind op)
{
	if (op != CEL_TOK_NOT || !cel_parse_accept(p, CEL_TOK_MINUS))
		return cel_parse_primary(p);
	if (!is_number(p->tok.kind))
		return cel_parse_unexpected(p, CEL_EXPECT_NUMBER);
	return cel_parse_number(p, true);
}

static struct cel_node *negation(struct cel_parser *p, struct cel_token op, struct cel_node *n)
{
	enum cel_function f = op.kind == CEL_TOK_NOT ? CEL_F_NOT : CEL_F_NEGATE;
	struct cel_node *ret =
		cel_parse_call(p, f, 1, op.begin, (struct cel_range){ op.begin, n->end });

	if (!ret)
		return NULL;
	ret->call.args[0] = n;
	return cel_parse_finish(p, ret, n->depth);
}

/* A minus before a number is its sign, but of several none is: --1 is 1, ---1 is -(1). */
static struct cel_node *unary(struct cel_parser *p)
{
	struct cel_token op = p->tok;
	struct cel_node *n;
	unsigned count = 0;

	if (op.kind != CEL_TOK_NOT && op.kind != CEL_TOK_MINUS)
		return postfix(p, cel_parse_primary(p));
	while (cel_parse_accept(p, op.kind))
		count++;
	if (op.kind == CEL_TOK_MINUS && count == 1 && is_number(p->tok.kind))
		return postfix(p, cel_parse_number(p, true));
	n = postfix(p, negand(p, op.kind));
	if (!n)
		return NULL;
	if (count % 2 == 1)
		return negation(p, op, n);
	n->begin = op.begin;
	n->is_braced = false; /* --(a) is not what stands in the parentheses */
	return n;
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

		cel_parse_take(p);
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
	struct cel_collected terms;
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
	CEL_COLLECTED_INIT(c.terms);
	c.offsets = c.few;
	c.cap = ARRAY_LEN(c.few);
	cel_parse_collect(p, &c.terms, first);
	while (p->tok.kind == op) {
		if (!chain_offset(p, &c, c.terms.n - 1, p->tok.begin))
			return NULL;
		cel_parse_take(p);
		if (!cel_parse_collect(p, &c.terms, term(p)))
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

	cel_parse_take(p);
	yes = disjunction(p);
	if (!yes)
		return NULL;
	if (!cel_parse_accept(p, CEL_TOK_COLON))
		return cel_parse_unclosed(p, offset, "':'");
	no = cel_parse_expression(p);
	if (!no)
		return NULL;
	n = cel_parse_call(
		p, CEL_F_CONDITIONAL, 3, offset, (struct cel_range){ c->begin, no->end });
	if (!n)
		return NULL;
	n->call.args[0] = c;
	n->call.args[1] = yes;
	n->call.args[2] = no;
	return cel_parse_finish(p, n, cel_parse_deepest(n->call.args, 3));
}

struct cel_node *cel_parse_expression(struct cel_parser *p)
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

	cel_parse_take(p);
	n = cel_parse_expression(p);
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
