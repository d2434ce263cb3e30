/*
 * Reading the short forms. The text is cut into pieces at commas, operators, `..` and brackets that
 * are outside quotes and nesting, each piece is parsed as an expression of its own, and the pieces
 * are put together as trees. A piece is parsed from a copy of the cell in which everything before
 * it is blank for the time being, so that every position in a tree or a diagnostic is one in the
 * cell.
 *
 * What cannot be a short form is a condition: a piece that mentions `_`, or is not constant.
 */
#include "pricing/rules/cell.h"

#include <string.h>

#define DEPTH_MAX 16 /* of not(…) */

struct reader {
	struct str text;
	char *copy; /* what trees borrow from */
	size_t at;
	unsigned depth;
	const struct cel_type *type;
	struct arena *arena;
	struct cel_diags *diags;
};

static void *fail(struct reader *r, size_t offset, const char *text, const char *hint)
{
	struct cel_diag *d =
		cel_diag_add(r->diags, CEL_STAGE_PARSE, CEL_E_SYNTAX, (uint32_t)offset, "%s", text);

	cel_diag_hint(d, "%s", hint);
	return NULL;
}

/* ---- scanning ---- */

static char peek(const struct reader *r, size_t ahead)
{
	return r->at + ahead < r->text.n ? r->text.p[r->at + ahead] : '\0';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct reader *r)
{
	while (r->at < r->text.n && is_blank(peek(r, 0)))
		r->at++;
}

static bool is_name(char c)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

/* Whether the quote at @at follows r, R, rb or br: backslashes are then nothing special. */
static bool is_raw(struct str s, size_t at)
{
	size_t begin = at;

	while (begin > 0 && is_name(s.p[begin - 1]))
		begin--;
	if (at - begin == 0 || at - begin > 2)
		return false;
	return memchr(s.p + begin, 'r', at - begin) || memchr(s.p + begin, 'R', at - begin);
}

/* Past the quoted text that begins at @at; the end if it does not end. */
static size_t skip_quoted(struct str s, size_t at)
{
	char q = s.p[at];
	bool raw = is_raw(s, at), triple = at + 2 < s.n && s.p[at + 1] == q && s.p[at + 2] == q;

	at += triple ? 3 : 1;
	for (; at < s.n; at++) {
		if (s.p[at] == '\\' && !raw) {
			at++;
			continue;
		}
		if (s.p[at] != q)
			continue;
		if (!triple)
			return at + 1;
		if (at + 2 < s.n && s.p[at + 1] == q && s.p[at + 2] == q)
			return at + 3;
	}
	return s.n;
}

static size_t skip_comment(struct str s, size_t at)
{
	while (at < s.n && s.p[at] != '\n')
		at++;
	return at;
}

enum stop {         /* where a piece ends, besides the end of the cell */
	STOP_ITEM,  /* a comma, or a closing bracket that it did not open */
	STOP_DOTS,  /* `..` too */
	STOP_RANGE, /* a bracket that ends a range too: `]`, `)`, or `[` before the item's end */
};

/* `[` ends a range if nothing but the item's end follows. */
static bool ends_item(struct str s, size_t at)
{
	while (at < s.n && is_blank(s.p[at]))
		at++;
	return at == s.n || s.p[at] == ',' || s.p[at] == ')';
}

static bool stops(struct str s, size_t at, enum stop stop)
{
	switch (s.p[at]) {
	case ',':
	case ')':
	case ']':
	case '}':
		return true;
	case '.':
		return stop == STOP_DOTS && at + 1 < s.n && s.p[at + 1] == '.';
	case '[':
		return stop == STOP_RANGE && ends_item(s, at + 1);
	default:
		return false;
	}
}

static size_t piece_end(struct str s, size_t at, enum stop stop)
{
	unsigned depth = 0;

	while (at < s.n) {
		char c = s.p[at];

		if (depth == 0 && stops(s, at, stop))
			return at;
		if (c == '\'' || c == '"' || c == '`') {
			at = skip_quoted(s, at);
			continue;
		}
		if (c == '/' && at + 1 < s.n && s.p[at + 1] == '/') {
			at = skip_comment(s, at);
			continue;
		}
		if (c == '(' || c == '[' || c == '{')
			depth++;
		if (c == ')' || c == ']' || c == '}')
			depth--;
		at++;
	}
	return s.n;
}

/* ---- trees ---- */

static struct cel_node *new_node(
	struct reader *r, enum cel_node_kind kind, size_t begin, size_t end)
{
	struct cel_node *node = arena_alloc(r->arena, sizeof(*node));

	if (node)
		*node = (struct cel_node){ .kind = (uint8_t)kind,
			.depth = 1,
			.slot = CEL_SLOT_NONE,
			.offset = (uint32_t)begin,
			.begin = (uint32_t)begin,
			.end = (uint32_t)end };
	return node;
}

/* @b may be NULL for a call of one argument. NULL if @a, or the arena, is. */
static struct cel_node *call(struct reader *r, enum cel_function f, size_t offset,
	struct cel_node *a, struct cel_node *b)
{
	struct cel_node *node = a ? new_node(r, CEL_N_CALL, a->begin, b ? b->end : a->end) : NULL;
	struct cel_node **args = node ? arena_alloc(r->arena, 2 * sizeof(*args)) : NULL;

	if (!args)
		return NULL;
	args[0] = a;
	args[1] = b;
	node->offset = (uint32_t)offset;
	node->depth = (uint16_t)(1 + (b && b->depth > a->depth ? b->depth : a->depth));
	node->call.name = cel_functions[f].name;
	node->call.function = (int)f;
	node->call.args = args;
	node->call.n_args = b ? 2 : 1;
	return node;
}

static struct cel_node *compare(
	struct reader *r, enum cel_function f, size_t offset, struct cel_node *operand)
{
	struct cel_node *input = operand ? new_node(r, CEL_N_IDENT, offset, offset) : NULL;

	if (!input)
		return NULL;
	input->ident.name = STR("_");
	return call(r, f, offset, input, operand);
}

/* Balanced, so that a long list is not a deep tree. */
static struct cel_node *any_of(struct reader *r, struct cel_node **v, size_t n)
{
	struct cel_node *left, *right;

	if (n == 1)
		return v[0];
	left = any_of(r, v, n / 2);
	right = any_of(r, v + n / 2, n - n / 2);
	return left && right ? call(r, CEL_F_OR, right->begin, left, right) : NULL;
}

static bool mentions_input(const struct cel_node *node, bool *is_constant);

static bool any_mentions(struct cel_node *const *v, uint32_t n, bool *is_constant)
{
	bool ret = false;

	for (uint32_t i = 0; i < n; i++)
		ret |= mentions_input(v[i], is_constant);
	return ret;
}

/* Also whether the tree reads nothing at all. */
static bool mentions_input(const struct cel_node *node, bool *is_constant)
{
	bool ret = false;

	if (!node)
		return false;
	switch ((enum cel_node_kind)node->kind) {
	case CEL_N_CONST:
		return false;
	case CEL_N_IDENT:
		*is_constant = false;
		return str_eqz(node->ident.name, "_");
	case CEL_N_SELECT:
		return mentions_input(node->select.operand, is_constant);
	case CEL_N_CALL:
		ret = mentions_input(node->call.target, is_constant);
		return any_mentions(node->call.args, node->call.n_args, is_constant) || ret;
	case CEL_N_LIST:
		return any_mentions(node->list.v, node->list.n, is_constant);
	case CEL_N_MAP:
	case CEL_N_STRUCT:
		for (uint32_t i = 0; i < node->map.n; i++) {
			ret |= mentions_input(node->map.v[i].key, is_constant);
			ret |= mentions_input(node->map.v[i].value, is_constant);
		}
		return ret;
	case CEL_N_COMPREHENSION:
		break;
	}
	ret |= mentions_input(node->comprehension.range, is_constant);
	ret |= mentions_input(node->comprehension.init, is_constant);
	ret |= mentions_input(node->comprehension.condition, is_constant);
	ret |= mentions_input(node->comprehension.step, is_constant);
	ret |= mentions_input(node->comprehension.result, is_constant);
	return ret;
}

/* ---- pieces ---- */

/* The expression between the reader's place and where it stops, which becomes its place. @what: for
 * when there is nothing. */
static struct cel_node *piece(struct reader *r, enum stop stop, const char *what)
{
	size_t begin = r->at, end = piece_end(r->text, begin, stop);
	const struct cel_limits limits = { 0 };
	struct cel_node *ret;

	skip_blanks(r);
	if (r->at >= end)
		return fail(r, begin, what,
			"cells are like 5000, 'gold', >= 5000, [1..100], not('x') or -");
	begin = r->at;
	r->at = end;
	memset(r->copy, ' ', begin);
	ret = cel_parse((struct str){ r->copy, end }, true, &limits, r->arena, r->diags);
	memcpy(r->copy, r->text.p, begin);
	return ret;
}

/* Numbers stand for basis points, and texts for moments, where the input is one: there are no
 * literals of these types. */
static struct cel_node *adapted(struct reader *r, struct cel_node *operand)
{
	bool is_const = operand && operand->kind == CEL_N_CONST;

	if (is_const && r->type->kind == CEL_T_BPS && operand->constant.kind == CEL_V_INT)
		return call(r, CEL_F_BPS, operand->offset, operand, NULL);
	if (is_const && r->type->kind == CEL_T_TIMESTAMP && operand->constant.kind == CEL_V_STRING)
		return call(r, CEL_F_TIMESTAMP, operand->offset, operand, NULL);
	return operand;
}

static struct cel_node *operand(struct reader *r, enum stop stop, const char *what)
{
	return adapted(r, piece(r, stop, what));
}

/* ---- items ---- */

static bool take_operator(struct reader *r, enum cel_function *ret)
{
	static const struct {
		const char *text;
		enum cel_function f;
	} operators[] = {
		{ "<=", CEL_F_LE },
		{ ">=", CEL_F_GE },
		{ "!=", CEL_F_NE },
		{ "==", CEL_F_EQ },
		{ "<", CEL_F_LT },
		{ ">", CEL_F_GT },
	};

	for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
		size_t n = strlen(operators[i].text);

		if (peek(r, 0) != operators[i].text[0] || (n == 2 && peek(r, 1) != '='))
			continue;
		*ret = operators[i].f;
		r->at += n;
		return true;
	}
	return false;
}

/* A bracket with `..` directly inside. */
static bool is_range(const struct reader *r)
{
	char c = peek(r, 0);
	size_t end;

	if (c != '[' && c != '(' && c != ']')
		return false;
	end = piece_end(r->text, r->at + 1, STOP_DOTS);
	return c == ']' || (end < r->text.n && r->text.p[end] == '.');
}

static struct cel_node *range(struct reader *r)
{
	size_t open = r->at;
	bool is_low_open = peek(r, 0) != '[';
	struct cel_node *low, *high, *from, *to;
	char close;

	r->at++;
	low = operand(r, STOP_DOTS, "a range begins without a value");
	if (!low)
		return NULL;
	if (peek(r, 0) != '.')
		return fail(r, r->at, "a range has two values", "like [1..100] or ]1..100]");
	r->at += 2;
	high = operand(r, STOP_RANGE, "a range ends without a value");
	if (!high)
		return NULL;
	close = peek(r, 0);
	if (close != ']' && close != ')' && close != '[')
		return fail(r, r->at, "a range is not closed",
			"with ] if its end belongs to it, with ) or [ if not");
	r->at++;
	from = compare(r, is_low_open ? CEL_F_GT : CEL_F_GE, open, low);
	to = compare(r, close == ']' ? CEL_F_LE : CEL_F_LT, high->begin, high);
	return from && to ? call(r, CEL_F_AND, open, from, to) : NULL;
}

static struct cel_node *list(struct reader *r);

static bool is_not(const struct reader *r)
{
	size_t at = r->at + 3;

	if (r->text.n - r->at < 4 || memcmp(r->text.p + r->at, "not", 3) != 0)
		return false;
	while (at < r->text.n && is_blank(r->text.p[at]))
		at++;
	return at < r->text.n && r->text.p[at] == '(';
}

static struct cel_node *negation(struct reader *r)
{
	size_t begin = r->at;
	struct cel_node *inner;

	if (++r->depth > DEPTH_MAX)
		return fail(r, begin, "not(…) is nested too deeply", "not(not(x)) is x");
	while (peek(r, 0) != '(')
		r->at++;
	r->at++;
	inner = list(r);
	if (!inner)
		return NULL;
	if (peek(r, 0) != ')')
		return fail(r, r->at, "not(…) is not closed", "with )");
	r->at++;
	r->depth--;
	return call(r, CEL_F_NOT, begin, inner, NULL);
}

static struct cel_node *plain(struct reader *r)
{
	size_t begin = r->at;
	bool is_constant = true;
	struct cel_node *node = piece(r, STOP_ITEM, "a value is missing");

	if (!node || mentions_input(node, &is_constant) || !is_constant)
		return node;
	return compare(r, CEL_F_EQ, begin, adapted(r, node));
}

static struct cel_node *item(struct reader *r)
{
	enum cel_function f;
	size_t begin;

	skip_blanks(r);
	begin = r->at;
	if (is_not(r))
		return negation(r);
	if (is_range(r))
		return range(r);
	if (take_operator(r, &f))
		return compare(r, f, begin, operand(r, STOP_ITEM, "a value is missing"));
	return plain(r);
}

/* Items and commas, up to the end or a bracket. */
static struct cel_node *list(struct reader *r)
{
	size_t cap = 1, n = 0;
	struct cel_node **v;

	for (size_t i = r->at; i < r->text.n; i++)
		cap += r->text.p[i] == ',';
	v = arena_alloc(r->arena, cap * sizeof(*v));
	do {
		struct cel_node *node = v ? item(r) : NULL;

		if (!node)
			return NULL;
		v[n++] = node;
		skip_blanks(r);
	} while (peek(r, 0) == ',' && r->at++ < r->text.n);
	return any_of(r, v, n);
}

struct cel_node *cell_read(
	struct str text, const struct cel_type *type, struct arena *a, struct cel_diags *d)
{
	struct reader r = { .text = text, .type = type, .arena = a, .diags = d };
	struct cel_node *root;

	if (text.n > CEL_SOURCE_BYTES_MAX) {
		cel_diag_add(d, CEL_STAGE_PARSE, CEL_E_TOO_LONG, 0, "a cell of more than %d bytes",
			CEL_SOURCE_BYTES_MAX);
		return NULL;
	}
	r.copy = arena_alloc(a, text.n + 1);
	if (!r.copy)
		return NULL;
	memcpy(r.copy, text.p, text.n);
	root = list(&r);
	if (root && r.at < text.n)
		return fail(&r, r.at, "what follows here belongs to nothing",
			"several values are separated by commas");
	return root;
}

bool cell_is_any(struct str text)
{
	struct reader r = { .text = text };

	skip_blanks(&r);
	if (peek(&r, 0) == '-')
		r.at++;
	skip_blanks(&r);
	return r.at == text.n;
}
