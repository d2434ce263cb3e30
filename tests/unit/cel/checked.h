#pragma once

/* Expressions checked against one environment, for the tests of the checker. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "pricing/cel/check.h"
#include "pricing/cel/parse.h"

#define CHECKED_TEXT_MAX 16384

struct checked {
	struct cel_env *env;
	struct arena *arena;
	struct cel_diags diags;
	struct cel_node *root;
	bool ok;
	char text[CHECKED_TEXT_MAX]; /* of the last checked_*() that gave one */
};

static inline void checked_env(struct checked *k, const char *declarations, bool with_money)
{
	struct fault f = { 0 };

	*k = (struct checked){ 0 };
	cr_assert(zero(int, cel_env_new(&k->env, with_money)));
	cr_assert(zero(int, cel_env_load(k->env, str_of(declarations), &f)), "%s", f.text);
	cr_assert(zero(int, arena_new(&k->arena, CEL_PARSE_ARENA)));
}

static inline void checked_fini(struct checked *k)
{
	cel_env_free(k->env);
	arena_free(k->arena);
}
static inline void checked_finip(struct checked *k)
{
	checked_fini(k);
}

static inline void checked_run(struct checked *k, const char *source, const struct cel_type *want)
{
	arena_reset(k->arena);
	k->diags.n = k->diags.n_dropped = 0;
	k->root = cel_parse(str_of(source), cel_env_has_money(k->env), NULL, k->arena, &k->diags);
	cr_assert(k->root != NULL, "%s: %s", source, k->diags.v[0].text);
	k->ok = cel_check(k->root, k->env, want, k->arena, &k->diags);
	cr_expect(eq(int, k->ok, k->diags.n == 0));
}

static inline char *checked_take(struct checked *k, struct buf *b)
{
	cr_assert(not(b->failed));
	cr_assert(zero(int, str_copy(k->text, sizeof(k->text), buf_str(b))));
	buf_fini(b);
	return k->text;
}

/* The type of the whole, or the first error. */
static inline char *checked_type(struct checked *k, const char *source)
{
	struct buf b = BUF_INIT(CHECKED_TEXT_MAX);

	checked_run(k, source, NULL);
	if (k->ok)
		cel_type_print(&b, k->root->type);
	else
		buf_puts(&b, str_of(k->diags.v[0].text));
	return checked_take(k, &b);
}

/* The tree with its types and overloads, on one line. */
static inline char *checked_tree(struct checked *k, const char *source)
{
	struct buf b = BUF_INIT(CHECKED_TEXT_MAX), line = BUF_INIT(CHECKED_TEXT_MAX);
	bool was_blank = false;

	checked_run(k, source, NULL);
	cr_assert(k->ok, "%s: %s", source, k->diags.v[0].text);
	cel_ast_print(&b, k->root, CEL_AST_CHECKED);
	for (size_t i = 0; i < b.n; i++) {
		bool is_blank = b.p[i] == ' ' || b.p[i] == '\n';

		if (!is_blank || !was_blank)
			buf_putc(&line, is_blank ? ' ' : b.p[i]);
		was_blank = is_blank;
	}
	buf_fini(&b);
	return checked_take(k, &line);
}

/* All errors as they are shown: position, text, code, hint. */
static inline char *checked_errors(struct checked *k, const char *source)
{
	struct buf b = BUF_INIT(CHECKED_TEXT_MAX);

	checked_run(k, source, NULL);
	for (size_t i = 0; i < k->diags.n; i++) {
		const struct cel_diag *d = &k->diags.v[i];
		unsigned line, column;

		cr_expect(eq(int, d->stage, CEL_STAGE_CHECK));
		cel_position(str_of(source), d->offset, &line, &column);
		buf_printf(&b, "%s%u:%u %s [%s]", i ? "\n" : "", line, column, d->text,
			cel_code_name(d->code));
		if (d->hint[0])
			buf_printf(&b, " %s", d->hint);
	}
	return checked_take(k, &b);
}

#define CHECKED(k) __attribute__((cleanup(checked_finip))) struct checked k
