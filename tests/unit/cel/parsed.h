#pragma once

/* For the tests of the parser: an expression, its tree, what was said of it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "pricing/cel/parse.h"

struct parsed {
	struct arena *arena;
	struct str source;
	struct cel_diags diags;
	struct cel_node *root;
};

/* @source is borrowed. With money. */
static inline struct parsed parse_limited(struct str source, const struct cel_limits *limits)
{
	struct parsed ret = { .source = source };

	cr_assert(zero(int, arena_new(&ret.arena, CEL_PARSE_ARENA)));
	ret.root = cel_parse(source, true, limits, ret.arena, &ret.diags);
	cr_expect(eq(int, ret.root == NULL, ret.diags.n > 0), "a tree or a diagnostic: " STR_FMT,
		STR_ARG(source));
	return ret;
}

static inline struct parsed parse(const char *source)
{
	return parse_limited(str_of(source), NULL);
}

static inline void parsed_fini(struct parsed *p)
{
	p->arena = arena_free(p->arena);
}

static inline void parsed_finip(struct parsed *p)
{
	parsed_fini(p);
}

/* The tree in one line: blanks and line ends of the debug text taken out. */
static inline void expect_tree(const char *source, const char *expected)
{
	CLEANUP(parsed_fini) struct parsed p = parse(source);
	CLEANUP(buf_fini) struct buf text = BUF_INIT(65536);
	CLEANUP(buf_fini) struct buf flat = BUF_INIT(65536);
	bool in_text = false;

	cr_expect(p.root != NULL, "%s parses: %s", source, p.diags.v[0].text);
	if (!p.root)
		return;
	cel_ast_print(&text, p.root, CEL_AST_PLAIN);
	for (size_t i = 0; i < text.n; i++) {
		in_text ^= text.p[i] == '"';
		if (in_text || (text.p[i] != ' ' && text.p[i] != '\n'))
			buf_putc(&flat, text.p[i]);
	}
	cr_expect(str_eqz(buf_str(&flat), expected), "%s is\n  " STR_FMT "\nnot\n  %s", source,
		STR_ARG(buf_str(&flat)), expected);
}

/* The first diagnostic. @hint "" = none. */
static inline void expect_error(
	const char *source, enum cel_code code, uint32_t offset, const char *text, const char *hint)
{
	CLEANUP(parsed_fini) struct parsed p = parse(source);
	const struct cel_diag *d = &p.diags.v[0];

	cr_expect(p.root == NULL, "%s does not parse", source);
	cr_expect(eq(int, (int)d->code, (int)code), "%s: %s", source, d->text);
	cr_expect(eq(int, (int)d->stage, (int)CEL_STAGE_PARSE), "%s", source);
	cr_expect(eq(u32, d->offset, offset), "%s: %s", source, d->text);
	cr_expect(eq(str, (char *)d->text, (char *)text), "%s", source);
	cr_expect(eq(str, (char *)d->hint, (char *)hint), "%s", source);
}
