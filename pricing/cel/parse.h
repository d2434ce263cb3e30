#pragma once

/*
 * Text to syntax tree: the grammar of langdef (cel-spec v0.25), macros expanded as cel-go does.
 *
 * Everything is bounded: bytes of source, depth of the tree and of nesting while parsing (recursion
 * is counted, so hostile input cannot use up the C stack), memory of the arena.
 */
#include "common/base/arena.h"
#include "pricing/cel/ast.h"
#include "pricing/cel/diag.h"
#include "pricing/cel/env.h"

struct cel_limits {
	uint32_t source_bytes; /* 0 = the default below */
	uint32_t depth;        /* of the tree */
	uint64_t cost;         /* static worst case of the expression */
};
#define CEL_SOURCE_BYTES_MAX 8192 /* of an expression in a ruleset */
#define CEL_DEPTH_MAX        32   /* of an expression in a ruleset */
#define CEL_COST_MAX         2000 /* of an expression in a ruleset */
#define CEL_DEPTH_HARD_MAX   250  /* nobody may ask for more */
#define CEL_PARSE_ARENA \
	(2048 * 1024) /* enough for 8 KiB of source; not for thousands of \
			 operators on dyn: too-large */

/* The root, or NULL with at least one diagnostic in @d. @source is borrowed by the tree. */
struct cel_node *cel_parse(struct str source, bool with_money, const struct cel_limits *limits,
	struct arena *a, struct cel_diags *d);
