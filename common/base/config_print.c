/*
 * What is printed can be loaded again, so every text is quoted, and a value that nobody gave is a
 * comment (an empty value would be an error).
 */
#include <inttypes.h>
#include <string.h>

#include "common/base/config_internal.h"

static const void *place(const struct config_section *s, const struct config_row *row)
{
	return (const char *)s->base + row->offset;
}

/* Line breaks and characters that YAML does not want plain: they would be folded or refused. */
static unsigned needs_escape(struct str s, size_t len)
{
	static const unsigned WIDE[] = { 0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff };
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned c = 0;

	if (len == 1)
		return p[0] < 0x20 || p[0] == 0x7f || p[0] == '"' || p[0] == '\\' ? p[0] : 0;
	if (len == 2 && p[0] == 0xc2 && p[1] < 0xa0)
		return p[1];
	if (len == 3)
		c = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	for (size_t i = 0; i < ARRAY_LEN(WIDE); i++)
		if (c == WIDE[i])
			return c;
	return 0;
}

static void put_quoted(FILE *out, struct str s)
{
	fputc('"', out);
	while (s.n) {
		size_t len = str_utf8_len(s);
		unsigned c = needs_escape(s, len);

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", (int)c);
		else if (c)
			fprintf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
		else
			fprintf(out, STR_FMT, (int)len, s.p);
		s.p += len ? len : 1;
		s.n -= len ? len : 1;
	}
	fputc('"', out);
}

static void put_origin(FILE *out, const struct config_section *s, const struct config_row *row)
{
	char env[CONFIG_NAME_MAX];
	const struct config_origin *o;

	if (!s->origins) {
		fputc('\n', out);
		return;
	}
	o = &s->origins[row - s->rows];
	switch (o->from) {
	case CONFIG_FROM_DEFAULT:
		fputs("  # default\n", out);
		break;
	case CONFIG_FROM_FILE:
		fputs("  # ", out);
		for (const char *p = o->file; *p; p++)
			fputc((unsigned char)*p < 0x20 ? '?' : *p, out);
		fprintf(out, ":%u:%u\n", o->line, o->column);
		break;
	case CONFIG_FROM_ENV:
		config_env_name(env, s, row);
		fprintf(out, "  # env %s\n", env);
		break;
	case CONFIG_FROM_FLAG:
		fputs("  # flag\n", out);
		break;
	}
}

static void indent(FILE *out, int depth)
{
	for (int i = 0; i < depth; i++)
		fputs("  ", out);
}

static void put_items(
	FILE *out, const struct config_section *s, const struct config_row *row, int depth)
{
	const struct config_list *list = place(s, row);

	if (list->n == 0) {
		fputs(row->type == CONFIG_MAP ? " {}" : " []", out);
		put_origin(out, s, row);
		return;
	}
	put_origin(out, s, row);
	for (size_t i = 0; i < list->n; i++) {
		struct str item = str_of(list->items[i]);
		size_t key_n = strcspn(item.p, "=");

		indent(out, depth + 1);
		if (row->type == CONFIG_MAP) {
			put_quoted(out, (struct str){ item.p, key_n });
			fputs(": ", out);
			item = str_of(item.p + key_n + (item.p[key_n] ? 1 : 0));
		} else {
			fputs("- ", out);
		}
		put_quoted(out, row->flags & CONFIG_SECRET ? STR("***") : item);
		fputc('\n', out);
	}
}

static void put_scalar(FILE *out, const struct config_section *s, const struct config_row *row)
{
	fputc(' ', out);
	if (row->flags & CONFIG_SECRET)
		fputs("\"***\"", out);
	else if (row->type == CONFIG_STR)
		put_quoted(out, str_of(*(char *const *)place(s, row)));
	else if (row->type == CONFIG_INT)
		fprintf(out, "%" PRId64, *(const int64_t *)place(s, row));
	else if (row->type == CONFIG_BOOL)
		fputs(*(const bool *)place(s, row) ? "true" : "false", out);
	else
		put_quoted(out, str_of(row->choices[*(const int64_t *)place(s, row)]));
	put_origin(out, s, row);
}

static void put_row(FILE *out, const struct config_section *s, const struct config_row *row,
	const char *name, int depth)
{
	indent(out, depth);
	if (row->type == CONFIG_STR && !*(char *const *)place(s, row)) {
		fprintf(out, "# %s: not set\n", name);
		return;
	}
	fprintf(out, "%s:", name);
	if (row->type == CONFIG_LIST || row->type == CONFIG_MAP)
		put_items(out, s, row, depth);
	else
		put_scalar(out, s, row);
}

static bool has_earlier(const struct config_section *s, size_t row, struct str prefix)
{
	for (size_t i = 0; i < row; i++)
		if (str_starts(str_of(s->rows[i].key), prefix))
			return true;
	return false;
}

/* The rows whose keys begin with @prefix, in table order; a nested mapping stands where its first
 * row does. */
static void put_rows(FILE *out, const struct config_section *s, struct str prefix, int depth)
{
	for (size_t i = 0; i < s->n_rows; i++) {
		const char *key = s->rows[i].key;
		const char *name = key + prefix.n, *dot;
		struct str group;

		if (!str_starts(str_of(key), prefix))
			continue;
		dot = strchr(name, '.');
		if (!dot) {
			put_row(out, s, &s->rows[i], name, depth);
			continue;
		}
		group = (struct str){ key, (size_t)(dot + 1 - key) };
		if (has_earlier(s, i, group))
			continue;
		indent(out, depth);
		fprintf(out, STR_FMT ":\n", (int)(dot - name), name);
		put_rows(out, s, group, depth + 1);
	}
}

void config_print(const struct config_section *sections, size_t n_sections, FILE *out)
{
	for (size_t i = 0; i < n_sections; i++) {
		if (!sections[i].base)
			continue;
		fprintf(out, "%s:\n", sections[i].name);
		put_rows(out, &sections[i], STR(""), 1);
	}
}

static void put_type(FILE *out, const struct config_row *row)
{
	switch (row->type) {
	case CONFIG_STR:
		fputs("text", out);
		break;
	case CONFIG_INT:
		fprintf(out, "whole number, %" PRId64 " to %" PRId64, row->min, row->max);
		break;
	case CONFIG_BOOL:
		fputs("`true` or `false`", out);
		break;
	case CONFIG_ENUM:
		for (size_t i = 0; row->choices[i]; i++)
			fprintf(out, "%s`%s`", i ? ", " : "one of ", row->choices[i]);
		break;
	case CONFIG_LIST:
		fputs("list", out);
		break;
	case CONFIG_MAP:
		fputs("mapping", out);
		break;
	}
}

/* A bar would end the cell. */
static void put_cell(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			fputc('\\', out);
		fputc(*text == '\n' ? ' ' : *text, out);
	}
}

static void put_doc_row(FILE *out, const struct config_section *s, const struct config_row *row)
{
	char name[CONFIG_NAME_MAX];

	config_full_name(name, s, row);
	fprintf(out, "| `%s` | ", name);
	put_type(out, row);
	fputs(" | ", out);
	if (row->flags & CONFIG_REQUIRED) {
		fputs("required", out);
	} else if (row->def && row->def[0]) {
		fputc('`', out);
		put_cell(out, row->def);
		fputc('`', out);
	} else {
		fputs(row->def ? "empty" : "none", out);
	}
	config_env_name(name, s, row);
	fprintf(out, " | `%s` | ", name);
	put_cell(out, row->help ? row->help : "");
	fprintf(out, "%s |\n", row->flags & CONFIG_SECRET ? " Secret: never printed." : "");
}

void config_doc(const struct config_section *sections, size_t n_sections, FILE *out)
{
	for (size_t i = 0; i < n_sections; i++) {
		fprintf(out,
			"%s## %s\n\n| Key | Type | Default | Environment | Meaning |\n"
			"| --- | --- | --- | --- | --- |\n",
			i ? "\n" : "", sections[i].name);
		for (size_t k = 0; k < sections[i].n_rows; k++)
			put_doc_row(out, &sections[i], &sections[i].rows[k]);
	}
}
