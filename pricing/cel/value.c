/*
 * Equality is one switch over the kind, because nearly every comparison is of two values of one
 * kind and ends after one look at each. Only numbers are ever equal across kinds.
 */
#include "pricing/cel/value.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>

#include "pricing/cel/lib_impl.h"

static const char *const error_names[] = {
	[0] = "none",
	[CEL_R_NO_OVERLOAD] = "no-overload",
	[CEL_R_NO_KEY] = "no-key",
	[CEL_R_NO_FIELD] = "no-field",
	[CEL_R_UNDECLARED] = "undeclared",
	[CEL_R_INDEX] = "index",
	[CEL_R_OVERFLOW] = "overflow",
	[CEL_R_RANGE] = "range",
	[CEL_R_DIVIDE] = "divide",
	[CEL_R_ARGUMENT] = "argument",
	[CEL_R_KEY_TYPE] = "key-type",
	[CEL_R_REPEATED_KEY] = "repeated-key",
	[CEL_R_NEGATIVE] = "negative",
	[CEL_R_MEMORY] = "memory",
	[CEL_R_COST] = "cost",
	[CEL_R_ABSENT] = "absent",
	[CEL_R_NO_PATH] = "no-path",
};

const char *cel_error_name(enum cel_error e)
{
	return error_names[e];
}

static const char *const kind_names[] = {
	[CEL_V_ERROR] = "error",
	[CEL_V_NULL] = "null_type",
	[CEL_V_BOOL] = "bool",
	[CEL_V_INT] = "int",
	[CEL_V_UINT] = "uint",
	[CEL_V_DOUBLE] = "double",
	[CEL_V_STRING] = "string",
	[CEL_V_BYTES] = "bytes",
	[CEL_V_TIMESTAMP] = "google.protobuf.Timestamp",
	[CEL_V_DURATION] = "google.protobuf.Duration",
	[CEL_V_MONEY] = "money",
	[CEL_V_BPS] = "bps",
	[CEL_V_LIST] = "list",
	[CEL_V_MAP] = "map",
	[CEL_V_TYPE] = "type",
};

const char *cel_kind_name(enum cel_value_kind kind)
{
	return kind_names[kind];
}

static bool is_number(struct cel_value v)
{
	return v.kind == CEL_V_INT || v.kind == CEL_V_UINT || v.kind == CEL_V_DOUBLE;
}

static bool equal_across_kinds(struct cel_value a, struct cel_value b)
{
	struct cel_value error;
	int order;

	return is_number(a) && is_number(b) && cel_compare(a, b, &order, &error) && order == 0;
}

static bool equal_texts(struct cel_value a, struct cel_value b)
{
	if (a.sym != CEL_SYM_NONE && b.sym != CEL_SYM_NONE &&
		(a.sym > CEL_SYM_OTHER || b.sym > CEL_SYM_OTHER))
		return a.sym == b.sym;
	return str_eq(cel_str(a), cel_str(b));
}

static bool equal_lists(struct cel_value a, struct cel_value b)
{
	if (a.n != b.n)
		return false;
	for (uint32_t i = 0; i < a.n; i++)
		if (!cel_equal(a.list[i], b.list[i]))
			return false;
	return true;
}

static bool equal_maps(const struct cel_map *a, const struct cel_map *b)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++) {
		const struct cel_value *other = cel_map_find(b, a->keys[i]);

		if (!other || !cel_equal(a->values[i], *other))
			return false;
	}
	return true;
}

bool cel_equal(struct cel_value a, struct cel_value b)
{
	assert(a.kind != CEL_V_ERROR && b.kind != CEL_V_ERROR);
	if (a.kind != b.kind)
		return equal_across_kinds(a, b);
	switch ((enum cel_value_kind)a.kind) {
	case CEL_V_ERROR:
		return false;
	case CEL_V_NULL:
		return true;
	case CEL_V_BOOL:
		return a.b == b.b;
	case CEL_V_INT:
	case CEL_V_UINT:
	case CEL_V_DURATION:
	case CEL_V_BPS:
		return a.u == b.u;
	case CEL_V_DOUBLE:
		return a.d == b.d;
	case CEL_V_STRING:
		return equal_texts(a, b);
	case CEL_V_BYTES:
		return str_eq(cel_str(a), cel_str(b));
	case CEL_V_TIMESTAMP:
		return a.i == b.i && a.n == b.n;
	case CEL_V_MONEY:
		return a.m.lo == b.m.lo && a.m.hi == b.m.hi &&
		       currency_is_par(a.currency, b.currency);
	case CEL_V_LIST:
		return equal_lists(a, b);
	case CEL_V_MAP:
		return equal_maps(a.map, b.map);
	case CEL_V_TYPE:
		return strcmp(a.s, b.s) == 0;
	}
	return false;
}

static void print_string(struct buf *out, struct str s)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c == '\n')
			buf_printf(out, "\\n");
		else if (c < 0x20 || c == 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_putc(out, (char)c);
	}
	buf_putc(out, '"');
}

static void print_bytes(struct buf *out, struct str s)
{
	buf_printf(out, "b\"");
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
			buf_printf(out, "\\x%02x", c);
		else
			buf_putc(out, (char)c);
	}
	buf_putc(out, '"');
}

static void print_double(struct buf *out, double d)
{
	char text[32];
	size_t n = lib_double_text(text, d);

	if (isnan(d))
		buf_printf(out, "double(\"NaN\")");
	else if (isinf(d))
		buf_printf(out, "double(\"%sInfinity\")", d < 0 ? "-" : "");
	else
		buf_printf(out, "%s%s", text, strcspn(text, ".e") == n ? ".0" : "");
}

/* eth("1.25"): the constructor of a currency is its code in small letters. */
static void print_money(struct buf *out, struct money m)
{
	char text[64];
	const char *code = currency_code(m.currency);

	money_format_human(text, m);
	for (size_t i = 0; code[i]; i++)
		buf_putc(out, (char)tolower((unsigned char)code[i]));
	buf_printf(out, "(\"%.*s\")", (int)strcspn(text, " "), text);
}

static void print_list(struct buf *out, const struct cel_value *v, uint32_t n)
{
	buf_putc(out, '[');
	for (uint32_t i = 0; i < n; i++) {
		buf_printf(out, "%s", i ? ", " : "");
		cel_value_print(out, v[i]);
	}
	buf_putc(out, ']');
}

static void print_map(struct buf *out, const struct cel_map *m)
{
	buf_putc(out, '{');
	for (uint32_t i = 0; i < m->n; i++) {
		buf_printf(out, "%s", i ? ", " : "");
		cel_value_print(out, m->keys[i]);
		buf_printf(out, ": ");
		cel_value_print(out, m->values[i]);
	}
	buf_putc(out, '}');
}

static void print_time(struct buf *out, struct cel_value v)
{
	bool is_duration = v.kind == CEL_V_DURATION;
	char text[LIB_TIME_TEXT_MAX];

	if (is_duration)
		lib_duration_text(text, v.i);
	else
		lib_timestamp_text(text, v);
	buf_printf(out, "%s(\"%s\")", is_duration ? "duration" : "timestamp", text);
}

void cel_value_print(struct buf *out, struct cel_value v)
{
	switch ((enum cel_value_kind)v.kind) {
	case CEL_V_ERROR:
		buf_printf(out, "error: %s", v.text);
		return;
	case CEL_V_NULL:
		buf_printf(out, "null");
		return;
	case CEL_V_BOOL:
		buf_printf(out, "%s", v.b ? "true" : "false");
		return;
	case CEL_V_INT:
		buf_printf(out, "%lld", (long long)v.i);
		return;
	case CEL_V_UINT:
		buf_printf(out, "%lluu", (unsigned long long)v.u);
		return;
	case CEL_V_DOUBLE:
		print_double(out, v.d);
		return;
	case CEL_V_STRING:
		print_string(out, cel_str(v));
		return;
	case CEL_V_BYTES:
		print_bytes(out, cel_str(v));
		return;
	case CEL_V_TIMESTAMP:
	case CEL_V_DURATION:
		print_time(out, v);
		return;
	case CEL_V_MONEY:
		print_money(out, cel_money_of(v));
		return;
	case CEL_V_BPS:
		buf_printf(out, "%lld bps", (long long)v.i);
		return;
	case CEL_V_LIST:
		print_list(out, v.list, v.n);
		return;
	case CEL_V_MAP:
		print_map(out, v.map);
		return;
	case CEL_V_TYPE:
		buf_printf(out, "%s", v.s);
		return;
	}
}
