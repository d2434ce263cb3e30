#pragma once

/*
 * Inside a table: what table_parse.c fills, table.c asks and table_report.c looks through.
 *
 * Inputs are what the document lists; columns are those of the index: one a field (two inputs that
 * are the same field share it), one an expression, none for an input that no cell tests.
 */
#include "pricing/rules/cell.h"
#include "pricing/rules/table.h"

struct table_input {
	char *source;
	enum cel_type_kind type;
	currency currency; /* static, 0: known at run time only */
	enum column_kind kind;
	int slot;                    /* of a field, else CEL_SLOT_NONE */
	struct cel_program *program; /* of an expression, else NULL */
	/* What values there can be: of the field. */
	const char *const *values; /* NULL: any */
	enum cel_unit unit;
	bool is_optional; /* may be absent; of an expression: always */
	uint64_t slots[CEL_VARS_MAX / 64];
};

struct table_cell {
	char *source; /* "-" for anything */
	struct cell cell;
};

struct table_column {
	int slot;                          /* or CEL_SLOT_NONE */
	const struct cel_program *program; /* borrows an input's */
	size_t input;                      /* the first that it stands for */
	bool is_text;                      /* of an expression: its symbol is looked up */
};

struct table {
	enum hit_policy hit;
	size_t n_rows, n_inputs, n_columns;
	struct table_input *inputs;
	struct table_cell *cells; /* row after row */
	char **names;             /* rows: as findings call them */
	struct table_column columns[TABLE_INPUTS_MAX];
	struct row_index *index;
	uint64_t *residual; /* bits of rows with a cell that is evaluated; NULL: none */
	bool is_plain;      /* fields only, nothing to evaluate */
	const struct cel_symbols *symbols;
	uint64_t cost;
};

static inline const struct table_cell *table_cell(const struct table *t, size_t row, size_t input)
{
	return &t->cells[row * t->n_inputs + input];
}
/* Of a row's cells that are evaluated. */
static inline bool table_is_residual(const struct table *t, size_t row)
{
	return t->residual && (t->residual[row / 64] >> (row % 64) & 1);
}
/* An input's value as a cell would name it, from its place on the column's line (accept.h). */
struct cel_value table_value(
	const struct table *t, const struct table_input *in, currency c, u128 place);
