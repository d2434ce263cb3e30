/*
 * A finding owns its texts: the documents and sources it speaks of are often gone when it is
 * printed. Positions are counted when an expression's diagnostics are taken over, because the
 * source is at hand only then.
 */
#include "pricing/rules/findings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json_out.h"

static const char *const level_names[] = { "error", "warning", "note" };
static const char *const level_heads[] = { "ERROR", "WARNING", "NOTE" };

static void finding_fini(struct finding *v)
{
	free(v->path);
	free(v->code);
	free(v->text);
	free(v->hint);
	free(v->source);
}

void findings_fini(struct findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		finding_fini(&f->v[i]);
	free(f->v);
	*f = (struct findings)FINDINGS_INIT;
}

static void count(struct findings *f, enum finding_level level)
{
	f->n_errors += level == FINDING_ERROR;
	f->n_warnings += level == FINDING_WARNING;
}

/* Doubles at powers of two; the maximum bounds it. */
static bool has_room(struct findings *f)
{
	struct finding *v;

	if (f->n >= FINDINGS_MAX)
		return false;
	if (f->n & (f->n - 1))
		return true;
	v = realloc(f->v, (f->n ? 2 * f->n : 1) * sizeof(*v));
	if (!v)
		return false;
	f->v = v;
	return true;
}

/* An error is said rather than what is none: the last warning or note goes for it. */
static void make_room(struct findings *f, enum finding_level level)
{
	size_t i = f->n;

	if (f->n < FINDINGS_MAX || level != FINDING_ERROR)
		return;
	while (i > 0 && f->v[i - 1].level == FINDING_ERROR)
		i--;
	if (i == 0)
		return;
	finding_fini(&f->v[i - 1]);
	memmove(&f->v[i - 1], &f->v[i], (f->n - i) * sizeof(*f->v));
	f->n--;
	f->n_dropped++;
}

/* The finding, or NULL if it is only counted. */
static struct finding *keep(struct findings *f, enum finding_level level, const char *path,
	const char *code, char *text)
{
	struct finding v = { .level = level, .text = text };

	count(f, level);
	v.path = strdup(path);
	v.code = strdup(code);
	make_room(f, level);
	if (!text || !v.path || !v.code || !has_room(f)) {
		finding_fini(&v);
		f->n_dropped++;
		return NULL;
	}
	f->v[f->n] = v;
	return &f->v[f->n++];
}

void findings_add(struct findings *f, enum finding_level level, const char *path, const char *code,
	const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	if (!f)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	keep(f, level, path, code, text);
}

/* After one was dropped the last kept is not the one meant: then there is no hint. */
void findings_hint(struct findings *f, const char *fmt, ...)
{
	char *hint = NULL;
	va_list ap;

	if (!f || f->n == 0 || f->n_dropped)
		return;
	va_start(ap, fmt);
	if (vasprintf(&hint, fmt, ap) < 0)
		hint = NULL;
	va_end(ap);
	free(f->v[f->n - 1].hint);
	f->v[f->n - 1].hint = hint;
}

void findings_add_diags(
	struct findings *f, const char *path, struct str source, const struct cel_diags *d)
{
	for (size_t i = 0; f && i < d->n; i++) {
		const struct cel_diag *diag = &d->v[i];
		struct finding *v =
			keep(f, FINDING_ERROR, path, cel_code_name(diag->code), strdup(diag->text));

		if (!v)
			continue;
		if (diag->hint[0])
			v->hint = strdup(diag->hint);
		v->source = strndup(source.p ? source.p : "", source.n);
		v->offset = diag->offset;
		cel_position(source, diag->offset, &v->line, &v->column);
	}
	if (f) {
		f->n_errors += d->n_dropped;
		f->n_dropped += d->n_dropped;
	}
}

/* ---- for people ---- */

/* The source line and its caret, as diag.c prints them; its first line, which says ERROR and knows
 * no path, is left out. */
static void print_source(struct buf *out, const struct finding *v)
{
	struct cel_diag d = { .offset = v->offset };
	CLEANUP(buf_fini) struct buf text = BUF_INIT(64 * 1024);
	const char *end;

	cel_diag_print(&text, &d, "", str_of(v->source), false);
	end = text.n ? memchr(text.p, '\n', text.n) : NULL;
	if (end)
		buf_put(out, end + 1, text.n - (size_t)(end + 1 - text.p));
}

/* Further lines of a proof are indented under the first. */
static void print_text(struct buf *out, const char *text)
{
	for (const char *p = text; *p; p++) {
		buf_putc(out, *p);
		if (*p == '\n')
			buf_puts(out, STR("   "));
	}
	buf_putc(out, '\n');
}

void findings_print(struct buf *out, const struct findings *f, const char *file)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *v = &f->v[i];

		buf_printf(out, "%s: ", level_heads[v->level]);
		if (file && *file)
			buf_printf(out, "%s: ", file);
		buf_printf(out, "%s", v->path);
		if (v->source)
			buf_printf(out, ":%u:%u", v->line, v->column);
		buf_puts(out, STR(": "));
		print_text(out, v->text);
		if (v->source)
			print_source(out, v);
		buf_printf(
			out, " = %s%s%s\n", v->code, v->hint ? ": " : "", v->hint ? v->hint : "");
	}
	if (f->n_dropped)
		buf_printf(out, "and %zu more\n", f->n_dropped);
}

/* ---- for machines ---- */

void findings_json(struct json_out *j, const char *key, const struct findings *f)
{
	json_begin_array(j, key);
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *v = &f->v[i];

		json_begin(j, NULL);
		json_strz(j, "level", level_names[v->level]);
		json_strz(j, "path", v->path);
		json_strz(j, "code", v->code);
		json_strz(j, "text", v->text);
		if (v->hint)
			json_strz(j, "hint", v->hint);
		if (v->source) {
			json_strz(j, "source", v->source);
			json_u64(j, "line", v->line);
			json_u64(j, "column", v->column);
		}
		json_end(j);
	}
	json_end_array(j);
}

int findings_fault(const struct findings *f, struct fault *ret)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *v = &f->v[i];

		if (v->level != FINDING_ERROR)
			continue;
		if (v->source)
			return fault_set(ret, FAULT_REJECT, -EINVAL, "%s:%u:%u: %s%s%s%s", v->path,
				v->line, v->column, v->text, v->hint ? " (" : "",
				v->hint ? v->hint : "", v->hint ? ")" : "");
		return fault_set(ret, FAULT_REJECT, -EINVAL, "%s: %s%s%s%s", v->path, v->text,
			v->hint ? " (" : "", v->hint ? v->hint : "", v->hint ? ")" : "");
	}
	return fault_set(
		ret, FAULT_REJECT, -EINVAL, "%zu errors that there was no room for", f->n_errors);
}
