#pragma once

/*
 * The syntax tree, macros already expanded, in the arena of the compilation. The parser fills it,
 * the checker adds types and what names refer to; then it is only read.
 *
 * Operators are calls with cel-go's names: "_&&_" "_||_" "_?_:_" "!_" "-_" "_==_" "_!=_" "_<_"
 * "_<=_"
 * "_>_" "_>=_" "_+_" "_-_" "_*_" "_/_" "_%_" "@in" "_[_]". `function` of a call is one of the
 * interned ids of function.h, so that nobody compares texts. Known functions whose name has a dot
 * (math.least, money.min) are global calls of that name, without a target. eth("1.25") is
 * money("1.25", "ETH").
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"
#include "pricing/cel/type.h"
#include "pricing/cel/value.h"

enum cel_node_kind {
	CEL_N_CONST,
	CEL_N_IDENT,
	CEL_N_SELECT,
	CEL_N_CALL,
	CEL_N_LIST,
	CEL_N_MAP,
	CEL_N_STRUCT, /* message construction: parses; the checker knows no message types */
	CEL_N_COMPREHENSION,
};

#define CEL_SLOT_NONE (-1)

struct cel_entry { /* of a map (key node) or a message (field) */
	struct cel_node *key;
	struct str field;
	struct cel_node *value;
	uint32_t offset;
};

struct cel_node {
	uint8_t kind;
	bool is_test_only; /* SELECT made by has() */
	bool is_braced;    /* written in parentheses: cells and printing ask */
	uint16_t depth;    /* 1 + the deepest child's */
	uint32_t offset;   /* where cel-go puts its caret: operator, name, bracket, dot */
	/* Bytes of the source it came from, its own parentheses included (macros: the whole
	 * call). */
	uint32_t begin, end;

	/* set by the checker */
	const struct cel_type *type;
	int32_t slot;   /* IDENT, SELECT: >= 0, number of the declared variable that it reads */
	struct str ref; /* IDENT, SELECT: what it resolved to (a SELECT with one is that name, and
			   nothing below it was checked); CALL: overload ids joined by '|' */

	union {
		struct cel_value constant;
		struct {
			struct str name; /* "@result" of macros included; a leading dot is kept:
					    ".x" */
		} ident;
		struct {
			struct cel_node *operand;
			struct str field;
			bool is_quoted; /* `content-type` */
		} select;
		struct {
			struct str name;
			int function; /* enum cel_function, CEL_F_UNKNOWN if it is none of ours */
			struct cel_node *target; /* NULL: global */
			struct cel_node **args;
			uint32_t n_args;
		} call;
		struct {
			struct cel_node **v;
			uint32_t n;
		} list;
		struct {
			struct str name; /* STRUCT: of the message */
			struct cel_entry *v;
			uint32_t n;
		} map;
		struct {
			struct str var;  /* iteration */
			struct str accu; /* "@result" */
			struct cel_node *range, *init, *condition, *step, *result;
			uint8_t macro; /* enum cel_macro: which one it was written as */
		} comprehension;
	};
};

enum cel_macro {
	CEL_M_NONE,
	CEL_M_ALL,
	CEL_M_EXISTS,
	CEL_M_EXISTS_ONE,
	CEL_M_MAP,
	CEL_M_MAP_FILTER, /* map(x, condition, value) */
	CEL_M_FILTER,
};

/* The tree as cel-go's debug text. CEL_AST_PARSED adorns each node with its kind
 * (`1^#*expr.Constant_Int64Value#`), CEL_AST_CHECKED with type and reference (`x~int^x`),
 * CEL_AST_PLAIN with nothing. */
enum cel_ast_form { CEL_AST_PLAIN, CEL_AST_PARSED, CEL_AST_CHECKED };
void cel_ast_print(struct buf *out, const struct cel_node *root, enum cel_ast_form form);
