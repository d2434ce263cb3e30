/*
 * The text is that of cel-go's debug writer, line by line; tests compare it byte by byte. Numbers
 * are Go's: %g with as many digits as tell the value from its neighbours.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "pricing/cel/ast.h"

struct writer {
	struct buf *out;
	enum cel_ast_form form;
	unsigned indent;
	bool is_line_start;
};

static void node(struct writer *w, const struct cel_node *n);

static void put(struct writer *w, struct str s)
{
	if (w->is_line_start) {
		w->is_line_start = false;
		for (unsigned i = 0; i < w->indent; i++)
			buf_puts(w->out, STR("  "));
	}
	buf_puts(w->out, s);
}

static void line(struct writer *w)
{
	buf_putc(w->out, '\n');
	w->is_line_start = true;
}

/* ---- constants ---- */

/* Outside of ASCII what Go's strconv.Quote escapes, of what can be expected in a rule: controls,
 * blanks other than the plain one, marks of direction, private and no characters. */
static const struct {
	uint32_t first, last;
} unprintable[] = {
	{ 0x80, 0xa0 },
	{ 0xad, 0xad },
	{ 0x600, 0x605 },
	{ 0x61c, 0x61c },
	{ 0x6dd, 0x6dd },
	{ 0x70f, 0x70f },
	{ 0x1680, 0x1680 },
	{ 0x180e, 0x180e },
	{ 0x2000, 0x200f },
	{ 0x2028, 0x202f },
	{ 0x205f, 0x206f },
	{ 0x3000, 0x3000 },
	{ 0xe000, 0xf8ff },
	{ 0xfdd0, 0xfdef },
	{ 0xfeff, 0xfeff },
	{ 0xfff0, 0xfffb },
	{ 0xfffe, 0xffff },
	{ 0x323b0, 0xe00ff },
	{ 0xe01f0, 0x10ffff },
};

static bool is_printable(uint32_t c)
{
	if (c < 0x80)
		return c >= 0x20 && c != 0x7f;
	for (size_t i = 0; i < ARRAY_LEN(unprintable); i++) {
		if (c >= unprintable[i].first && c <= unprintable[i].last)
			return false;
	}
	return true;
}

static uint32_t code_point(const char *p, size_t n)
{
	static const uint8_t lead_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = (unsigned char)p[0] & lead_bits[n];

	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)p[i] & 0x3f);
	return c;
}

static void escaped(struct writer *w, uint32_t c)
{
	static const char of_control[] = "abtnvfr"; /* 7..13 */

	if (c == '"' || c == '\\')
		buf_printf(w->out, "\\%c", (char)c);
	else if (c >= 7 && c <= 13)
		buf_printf(w->out, "\\%c", of_control[c - 7]);
	else if (c < 0x80)
		buf_printf(w->out, "\\x%02" PRIx32, c);
	else if (c < 0x10000)
		buf_printf(w->out, "\\u%04" PRIx32, c);
	else
		buf_printf(w->out, "\\U%08" PRIx32, c);
}

/* Bytes may be no UTF-8; those that are not are \x... */
static void quoted(struct writer *w, struct str s)
{
	put(w, STR("\""));
	for (size_t i = 0; i < s.n;) {
		size_t n = str_utf8_len((struct str){ s.p + i, s.n - i });
		uint32_t c = n ? code_point(s.p + i, n) : (unsigned char)s.p[i];

		if (n == 0)
			buf_printf(w->out, "\\x%02" PRIx32, c);
		else if (c == '"' || c == '\\' || !is_printable(c))
			escaped(w, c);
		else
			buf_put(w->out, s.p + i, n);
		i += n ? n : 1;
	}
	put(w, STR("\""));
}

/* The shortest decimal that reads as @d: digits without point, and the exponent of the first. */
static int shortest(double d, char digits[24])
{
	char text[40];
	int n = 0;

	for (int precision = 0; precision < 17; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, d);
		if (strtod(text, NULL) == d)
			break;
	}
	for (const char *p = text; *p && *p != 'e'; p++) {
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	}
	digits[n] = '\0';
	return atoi(strchr(text, 'e') + 1);
}

static void number(struct writer *w, double d)
{
	char digits[24];
	int n, exponent;

	if (!isfinite(d)) {
		put(w, isnan(d) ? STR("NaN") : d > 0 ? STR("+Inf") : STR("-Inf"));
		return;
	}
	put(w, signbit(d) ? STR("-") : STR(""));
	exponent = shortest(fabs(d), digits);
	n = (int)strlen(digits);
	if (exponent < -4 || exponent >= 6) {
		buf_printf(w->out, "%c%s%se%c%02d", digits[0], n > 1 ? "." : "", digits + 1,
			exponent < 0 ? '-' : '+', abs(exponent));
		return;
	}
	if (exponent < 0)
		buf_printf(w->out, "0.%.*s", -exponent - 1, "000");
	for (int i = 0; i < n || i <= exponent; i++) {
		if (i > 0 && i == exponent + 1)
			buf_putc(w->out, '.');
		buf_putc(w->out, i < n ? digits[i] : '0');
	}
}

static void constant(struct writer *w, struct cel_value v)
{
	switch (v.kind) {
	case CEL_V_NULL:
		put(w, STR("null"));
		break;
	case CEL_V_BOOL:
		put(w, v.b ? STR("true") : STR("false"));
		break;
	case CEL_V_INT:
		put(w, STR(""));
		buf_printf(w->out, "%" PRId64, v.i);
		break;
	case CEL_V_UINT:
		put(w, STR(""));
		buf_printf(w->out, "%" PRIu64 "u", v.u);
		break;
	case CEL_V_DOUBLE:
		number(w, v.d);
		break;
	case CEL_V_STRING:
		quoted(w, cel_str(v));
		break;
	case CEL_V_BYTES:
		put(w, STR("b"));
		quoted(w, cel_str(v));
		break;
	default: /* not of the parser: money and the like, in a tree made by others */
		put(w, STR(""));
		cel_value_print(w->out, v);
	}
}

/* ---- what stands behind a node ---- */

static struct str kind_name(const struct cel_node *n)
{
	static const struct str nodes[] = {
		[CEL_N_IDENT] = { "Expr_IdentExpr", 14 },
		[CEL_N_SELECT] = { "Expr_SelectExpr", 15 },
		[CEL_N_CALL] = { "Expr_CallExpr", 13 },
		[CEL_N_LIST] = { "Expr_ListExpr", 13 },
		[CEL_N_MAP] = { "Expr_StructExpr", 15 },
		[CEL_N_STRUCT] = { "Expr_StructExpr", 15 },
		[CEL_N_COMPREHENSION] = { "Expr_ComprehensionExpr", 22 },
	};

	if (n->kind != CEL_N_CONST)
		return nodes[n->kind];
	switch (n->constant.kind) {
	case CEL_V_NULL:
		return STR("Constant_NullValue");
	case CEL_V_BOOL:
		return STR("Constant_BoolValue");
	case CEL_V_INT:
		return STR("Constant_Int64Value");
	case CEL_V_UINT:
		return STR("Constant_Uint64Value");
	case CEL_V_DOUBLE:
		return STR("Constant_DoubleValue");
	case CEL_V_STRING:
		return STR("Constant_StringValue");
	case CEL_V_BYTES:
		return STR("Constant_BytesValue");
	default:
		return STR("Constant");
	}
}

static void adorn_kind(struct writer *w, struct str kind)
{
	put(w, STR("^#*expr."));
	put(w, kind);
	put(w, STR("#"));
}

static void adorn(struct writer *w, const struct cel_node *n)
{
	if (w->form == CEL_AST_PARSED) {
		adorn_kind(w, kind_name(n));
	} else if (w->form == CEL_AST_CHECKED) {
		if (n->type) {
			put(w, STR("~"));
			cel_type_print(w->out, n->type);
		}
		if (n->ref.n) {
			put(w, STR("^"));
			put(w, n->ref);
		}
	}
}

/* ---- nodes ---- */

/* The checker leaves a chain that is a variable as it was written; cel-go makes it one name. */
static void selection(struct writer *w, const struct cel_node *n)
{
	if (w->form == CEL_AST_CHECKED && n->slot != CEL_SLOT_NONE) {
		put(w, n->ref);
	} else {
		node(w, n->select.operand);
		put(w, STR("."));
		put(w, n->select.field);
	}
	if (n->is_test_only)
		put(w, STR("~test-only~"));
}

static void separator(struct writer *w, uint32_t i)
{
	if (i > 0) {
		put(w, STR(","));
		line(w);
	}
}

/* One to a line, between what opens and what closes them. */
static void begin(struct writer *w, uint32_t n)
{
	if (n == 0)
		return;
	line(w);
	w->indent++;
}

static void end(struct writer *w, uint32_t n)
{
	if (n == 0)
		return;
	w->indent--;
	line(w);
}

static void call(struct writer *w, const struct cel_node *n)
{
	if (n->call.target) {
		node(w, n->call.target);
		put(w, STR("."));
	}
	put(w, n->call.name);
	put(w, STR("("));
	begin(w, n->call.n_args);
	for (uint32_t i = 0; i < n->call.n_args; i++) {
		separator(w, i);
		node(w, n->call.args[i]);
	}
	end(w, n->call.n_args);
	put(w, STR(")"));
}

static void list(struct writer *w, const struct cel_node *n)
{
	put(w, STR("["));
	begin(w, n->list.n);
	for (uint32_t i = 0; i < n->list.n; i++) {
		separator(w, i);
		node(w, n->list.v[i]);
	}
	end(w, n->list.n);
	put(w, STR("]"));
}

static void entries(struct writer *w, const struct cel_node *n)
{
	if (n->kind == CEL_N_STRUCT)
		put(w, n->map.name);
	put(w, STR("{"));
	begin(w, n->map.n);
	for (uint32_t i = 0; i < n->map.n; i++) {
		const struct cel_entry *e = &n->map.v[i];

		separator(w, i);
		if (e->key)
			node(w, e->key);
		else
			put(w, e->field);
		put(w, STR(":"));
		node(w, e->value);
		if (w->form == CEL_AST_PARSED)
			adorn_kind(w, STR("Expr_CreateStruct_Entry"));
	}
	end(w, n->map.n);
	put(w, STR("}"));
}

static void part(struct writer *w, const char *title)
{
	line(w);
	put(w, str_of(title));
	line(w);
}

static void comprehension(struct writer *w, const struct cel_node *n)
{
	put(w, STR("__comprehension__("));
	w->indent++;
	part(w, "// Variable");
	put(w, n->comprehension.var);
	put(w, STR(","));
	part(w, "// Target");
	node(w, n->comprehension.range);
	put(w, STR(","));
	part(w, "// Accumulator");
	put(w, n->comprehension.accu);
	put(w, STR(","));
	part(w, "// Init");
	node(w, n->comprehension.init);
	put(w, STR(","));
	part(w, "// LoopCondition");
	node(w, n->comprehension.condition);
	put(w, STR(","));
	part(w, "// LoopStep");
	node(w, n->comprehension.step);
	put(w, STR(","));
	part(w, "// Result");
	node(w, n->comprehension.result);
	put(w, STR(")"));
	w->indent--;
}

static void node(struct writer *w, const struct cel_node *n)
{
	switch (n->kind) {
	case CEL_N_CONST:
		constant(w, n->constant);
		break;
	case CEL_N_IDENT:
		put(w, n->ident.name);
		break;
	case CEL_N_SELECT:
		selection(w, n);
		break;
	case CEL_N_CALL:
		call(w, n);
		break;
	case CEL_N_LIST:
		list(w, n);
		break;
	case CEL_N_MAP:
	case CEL_N_STRUCT:
		entries(w, n);
		break;
	default:
		comprehension(w, n);
	}
	adorn(w, n);
}

void cel_ast_print(struct buf *out, const struct cel_node *root, enum cel_ast_form form)
{
	struct writer w = { .out = out, .form = form };

	node(&w, root);
}
