#pragma once

/*
 * A cell of a table: its short form (table.h) is read into the CEL condition that it stands for,
 * with the variable `_` for the input, and then everything is as for any condition: types, units,
 * allowed values and currencies are checked with carets inside the cell, and what an index can hold
 * becomes a test. So a cell means exactly what that condition means.
 *
 * `_` is a declared variable beside the schema's, with the input's type, unit and allowed values.
 * After checking it is replaced by the input itself, so a compiled cell reads nothing but fields.
 */
#include "common/base/arena.h"
#include "common/base/cleanup.h"
#include "pricing/cel/program.h"
#include "pricing/rules/index.h"

/* The input of a column. */
struct cell_input {
	const struct cel_env *schema_env; /* programs borrow it */
	struct cel_env *env;              /* the same and `_` */
	const struct cel_node *root;      /* checked, in the arena */
	const struct cel_type *type;
	int slot; /* of `_` */
};

/* @root: of type int, string, bool, money, timestamp or bps. -ENOSPC: no variable can be added to
 * @schema_env; -ENOMEM. */
MUST_CHECK int cell_input_init(
	struct cell_input *ret, const struct cel_env *schema_env, const struct cel_node *root);
void cell_input_fini(struct cell_input *in);

struct cell {
	bool has_test;
	struct test test;           /* of the input's value: the cell holds only if it accepts */
	struct interval *intervals; /* the test's */
	/* The whole condition, if the test does not say it all; NULL otherwise. */
	struct cel_program *program;
};

void cell_fini(struct cell *c);
static inline void cell_finip(struct cell *c)
{
	cell_fini(c);
} /* CLEANUP(cell_fini) struct cell c = { 0 }; */

/* Whether the cell takes anything: "-" or blanks. */
bool cell_is_any(struct str text);
/* 0; -EINVAL with @d; -ENOMEM. Uses the arena and leaves it to the caller to rewind. */
MUST_CHECK int cell_compile(struct cell *ret, struct str text, const struct cell_input *in,
	struct cel_symbols *symbols, struct arena *a, struct cel_diags *d);

/* The condition that the text stands for, not yet checked, with `_` as a name; NULL with @d (or,
 * without a diagnostic, when the arena is exhausted). @type: the input's. */
struct cel_node *cell_read(
	struct str text, const struct cel_type *type, struct arena *a, struct cel_diags *d);
