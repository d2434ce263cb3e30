#pragma once

/*
 * What the files of the parser share: its state, making of nodes, saying of errors, macros.
 *
 * Two sorts of errors. Of a literal, a reserved word, a macro's arguments or unsupported syntax the
 * parser notes the place and goes on, with a node in place of what is wrong. A syntax error ends it
 * (`has_failed`, and every function returns NULL from then on), because what follows one is mostly
 * its echo.
 */
#include "pricing/cel/function.h"
#include "pricing/cel/lexer.h"
#include "pricing/cel/parse.h"

struct cel_parser {
	struct cel_lexer lexer;
	struct cel_token tok;  /* looked at */
	struct cel_token prev; /* taken last */
	struct str source;
	struct arena *arena;
	struct cel_diags *diags;
	size_t n_diags_before; /* in @diags when parsing began: not ours */
	uint32_t depth_max;
	uint32_t nesting;
	bool with_money;
	bool has_failed;
};

struct cel_range {
	uint32_t begin, end;
};

/* Zeroed but for kind, offset and range, depth 1; NULL if the arena is used up (said). */
struct cel_node *cel_parse_node(
	struct cel_parser *p, enum cel_node_kind kind, uint32_t offset, struct cel_range where);
/* A call of an operator or a known function, its arguments still to be set; then
 * cel_parse_finish(). */
struct cel_node *cel_parse_call(struct cel_parser *p, enum cel_function f, uint32_t n_args,
	uint32_t offset, struct cel_range where);
/* Sets the depth from that of the deepest child. @node, or NULL if that is too deep (said). */
struct cel_node *cel_parse_finish(
	struct cel_parser *p, struct cel_node *node, uint32_t child_depth);
struct cel_node *cel_parse_constant(
	struct cel_parser *p, struct cel_value v, uint32_t offset, struct cel_range where);
struct cel_node *cel_parse_ident(
	struct cel_parser *p, struct str name, uint32_t offset, struct cel_range where);

static inline struct str cel_parse_slice(const struct cel_parser *p, uint32_t begin, uint32_t end)
{
	return (struct str){ p->source.p + begin, end - begin };
}

static inline struct str cel_parse_text(const struct cel_parser *p, struct cel_token t)
{
	return cel_parse_slice(p, t.begin, t.end);
}

/* Nodes of which it is not yet known how many there will be. Those of most lists fit in `few`. */
struct cel_collected {
	struct cel_node **v;
	uint32_t n, cap;
	struct cel_node *few[8];
};

#define CEL_COLLECTED_INIT(c) ((c).v = (c).few, (c).n = 0, (c).cap = ARRAY_LEN((c).few))

/* False if @node is NULL, or the arena used up (said). */
bool cel_parse_collect(struct cel_parser *p, struct cel_collected *c, struct cel_node *node);
/* In the arena, to stay. NULL only if it is used up (said). */
struct cel_node **cel_parse_collected(struct cel_parser *p, const struct cel_collected *c);
uint32_t cel_parse_deepest(struct cel_node *const *v, uint32_t n);
/* In place of a wrong literal or name: any node will do, nobody will see the tree. */
struct cel_node *cel_parse_stand_in(struct cel_parser *p, struct cel_token t);

static inline void cel_parse_take(struct cel_parser *p)
{
	p->prev = p->tok;
	p->tok = cel_lexer_next(&p->lexer);
}

static inline bool cel_parse_accept(struct cel_parser *p, enum cel_token_kind kind)
{
	if (p->tok.kind != kind)
		return false;
	cel_parse_take(p);
	return true;
}

/* The grammar, from the top. All return NULL if the parser has failed. */
struct cel_node *cel_parse_expression(struct cel_parser *p);
struct cel_node *cel_parse_primary(struct cel_parser *p);
/* ident, .ident, ident(…), .ident(…) */
struct cel_node *cel_parse_name(struct cel_parser *p);
/* The number looked at; @is_negative: with the sign taken before it. */
struct cel_node *cel_parse_number(struct cel_parser *p, bool is_negative);
/* target.name(…): the parenthesis, at @offset, is taken. */
struct cel_node *cel_parse_member_call(
	struct cel_parser *p, struct cel_node *target, struct str name, uint32_t offset);
/* At a brace: if *n is nothing but a name, it becomes the message of that name (or NULL); false if
 * it is something else. */
bool cel_parse_message(struct cel_parser *p, struct cel_node **n);

/*
 * The call written as @name(@args) or @target.@name(@args), if it is a macro with so many
 * arguments: false if it is none. *ret is NULL only if the parser has failed; wrong arguments are
 * said, and a node stands in.
 */
bool cel_macro_expand(struct cel_parser *p, struct str name, struct cel_node *target,
	struct cel_node **args, uint32_t n_args, uint32_t offset, struct cel_range where,
	struct cel_node **ret);

enum cel_expected {
	CEL_EXPECT_VALUE,
	CEL_EXPECT_NUMBER,
	CEL_EXPECT_NAME,  /* behind a dot */
	CEL_EXPECT_FIELD, /* of a message */
	CEL_EXPECT_COLON, /* behind the key of a map or the field of a message */
	CEL_EXPECT_END,
};

/* The token looked at does not fit: a syntax error with what was probably meant. Returns NULL. */
struct cel_node *cel_parse_unexpected(struct cel_parser *p, enum cel_expected expected);
/* The same where the bracket (or question mark) of @opening should be closed. @expecting as in
 * "expecting ')'". */
struct cel_node *cel_parse_unclosed(struct cel_parser *p, uint32_t opening, const char *expecting);
/* Too deep, too large: nothing can follow. Returns NULL. */
struct cel_node *cel_parse_too_deep(struct cel_parser *p, uint32_t offset, const char *what);
struct cel_node *cel_parse_too_large(struct cel_parser *p, uint32_t offset);
/* "unsupported syntax '.?'": the parser goes on. */
void cel_parse_unsupported(struct cel_parser *p, uint32_t offset, const char *what);
/* "reserved identifier: if": the parser goes on. */
bool cel_parse_is_reserved(struct str name);
void cel_parse_reserved(struct cel_parser *p, struct str name, uint32_t offset);
/* Of cel_literal_text(). */
void cel_parse_bad_escape(struct cel_parser *p, int error, uint32_t offset, struct str escape);
