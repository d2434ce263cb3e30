#pragma once

/*
 * The space of a table's inputs, as its index tells them apart: an axis a column, a point a stretch
 * of values (or a text, or absence), each with the rows that accept it. Only what can occur is
 * there: allowed texts, both truth values, absence where a field is optional.
 *
 * Reports are searches in this space for a combination of points that no row of a set accepts.
 */
#include "pricing/rules/table_impl.h"

struct axis_point {
	const uint64_t *rows;
	uint32_t set; /* of the index */
};

struct axis {
	const struct table_input *in;
	size_t column;
	struct axis_point *points; /* in order; absence last */
	size_t n;
	bool has_absence;
};

struct axes {
	const struct table *t;
	struct axis v[TABLE_INPUTS_MAX];
	size_t n;
	size_t n_words;
	/* Inputs that read the same fields: not every combination of points can occur. */
	bool is_dependent;
};

MUST_CHECK int axes_init(struct axes *ret, const struct table *t);
void axes_fini(struct axes *a);
static inline void axes_finip(struct axes *a)
{
	axes_fini(a);
} /* CLEANUP(axes_fini) struct axes a = { 0 }; */

static inline bool point_has(const struct axis_point *p, size_t row)
{
	return p->rows[row / 64] >> (row % 64) & 1;
}

/* A combination: from one point to another on each axis (both SIZE_MAX: any). */
struct axes_place {
	struct {
		size_t from, to;
	} v[TABLE_INPUTS_MAX];
};
/* "customer.tier = 'none', customer.points <= 499" */
void axes_print(struct buf *out, const struct axes *a, const struct axes_place *p);

enum axes_outcome { AXES_COVERED, AXES_FOUND, AXES_GAVE_UP };

struct axes_search {
	const struct axes *axes;
	const uint64_t *rows; /* that may cover */
	size_t n_words;       /* of them that are looked at */
	size_t within;        /* only points that this row accepts; SIZE_MAX: all */
	bool with_absence;
	bool is_natural; /* amounts of points, milliseconds and counts below zero are left out */
	int64_t *budget; /* words looked at; what is left is written back */
	struct axes_place place; /* FOUND: the first combination that none of the rows accepts */
	uint64_t covered[INDEX_WORDS(TABLE_ROWS_MAX)]; /* COVERED: rows that do, few of them */
};
/* AXES_GAVE_UP also without memory. */
enum axes_outcome axes_search(struct axes_search *s);
/* Whether a point takes part in the search. */
bool axes_takes(const struct axes_search *s, size_t axis, size_t point);
