/*
 * Positions are counted when a diagnostic is printed and not while lexing: errors are rare, and the
 * lexer then has nothing to do but move on.
 */
#include "pricing/cel/diag.h"

#include <stdarg.h>
#include <stdio.h>

const char *const cel_stage_names[] = { "parse", "check", "eval", NULL };

static const char *const code_names[] = {
	[CEL_E_SYNTAX] = "syntax",
	[CEL_E_LITERAL] = "literal",
	[CEL_E_RESERVED] = "reserved",
	[CEL_E_MACRO] = "macro",
	[CEL_E_TOO_LONG] = "too-long",
	[CEL_E_TOO_DEEP] = "too-deep",
	[CEL_E_TOO_LARGE] = "too-large",
	[CEL_E_UNDECLARED] = "undeclared",
	[CEL_E_OVERLOAD] = "overload",
	[CEL_E_FIELD] = "field",
	[CEL_E_TYPE] = "type",
	[CEL_E_ENUM] = "enum",
	[CEL_E_CURRENCY] = "currency",
	[CEL_E_UNIT] = "unit",
	[CEL_E_SENSITIVE] = "sensitive",
	[CEL_E_PATTERN] = "pattern",
	[CEL_E_ZONE] = "zone",
	[CEL_E_COST] = "cost",
};

const char *cel_code_name(enum cel_code code)
{
	return code_names[code];
}

struct cel_diag *cel_diag_add(struct cel_diags *d, enum cel_stage stage, enum cel_code code,
	uint32_t offset, const char *fmt, ...)
{
	static _Thread_local struct cel_diag spare;
	struct cel_diag *ret = d->n < CEL_DIAGS_MAX ? &d->v[d->n++] : &spare;
	va_list ap;

	if (ret == &spare)
		d->n_dropped++;
	ret->code = code;
	ret->stage = stage;
	ret->offset = offset;
	ret->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(ret->text, sizeof(ret->text), fmt, ap);
	va_end(ap);
	return ret;
}

void cel_diag_hint(struct cel_diag *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->hint, sizeof(d->hint), fmt, ap);
	va_end(ap);
}

static size_t line_begin(struct str source, uint32_t offset)
{
	size_t at = offset < source.n ? offset : source.n;

	while (at > 0 && source.p[at - 1] != '\n')
		at--;
	return at;
}

static bool begins_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

void cel_position(struct str source, uint32_t offset, unsigned *ret_line, unsigned *ret_column)
{
	size_t begin = line_begin(source, offset);

	*ret_line = 1;
	*ret_column = 1;
	for (size_t i = 0; i < begin; i++)
		*ret_line += source.p[i] == '\n';
	for (size_t i = begin; i < offset && i < source.n; i++)
		*ret_column += begins_character(source.p[i]);
	if (offset > source.n)
		*ret_column += (unsigned)(offset - source.n);
}

/* Tabs as one blank, so that the caret stays under its column. */
static void print_line(struct buf *out, struct str source, size_t begin)
{
	size_t end = begin;

	while (end < source.n && source.p[end] != '\n')
		end++;
	buf_printf(out, " | ");
	for (size_t i = begin; i < end; i++)
		buf_printf(
			out, "%c", source.p[i] == '\t' || source.p[i] == '\r' ? ' ' : source.p[i]);
	buf_printf(out, "\n | ");
}

void cel_diag_print(struct buf *out, const struct cel_diag *d, const char *name, struct str source,
	bool with_code)
{
	unsigned line, column;

	cel_position(source, d->offset, &line, &column);
	buf_printf(out, "ERROR: %s:%u:%u: %s\n", name, line, column, d->text);
	print_line(out, source, line_begin(source, d->offset));
	for (unsigned i = 1; i < column; i++)
		buf_printf(out, ".");
	buf_printf(out, "^\n");
	if (with_code)
		buf_printf(out, " = %s%s%s\n", cel_code_name(d->code), d->hint[0] ? ": " : "",
			d->hint);
}
