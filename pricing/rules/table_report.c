/*
 * What a table's author should know, from the sets that the index has anyway. Rows with cells that
 * are evaluated may or may not hold: they never cover another row or a gap, and never make an
 * overlap an error.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pricing/rules/table_axes.h"

#define WORDS_MAX    INDEX_WORDS(TABLE_ROWS_MAX)
#define OVERLAPS_MAX 12                 /* pairs that are named */
#define COVERS_MAX   4                  /* rows that are named */
#define WORDS_BUDGET (INT64_C(1) << 25) /* words of sets looked at: some 30 ms */

struct report {
	const struct table *t;
	const char *path;
	struct findings *findings;
	struct axes axes;
	int64_t budget;
	struct buf text;
};

static const char *name(const struct report *r, size_t row)
{
	return r->t->names[row];
}

static const char *text(struct report *r)
{
	buf_putc(&r->text, '\0');
	return r->text.failed ? "…" : r->text.p;
}

static const char *place_text(struct report *r, const struct axes_place *p)
{
	buf_clear(&r->text);
	axes_print(&r->text, &r->axes, p);
	return text(r);
}

static const char *row_path(struct report *r, size_t row, size_t cell)
{
	buf_clear(&r->text);
	buf_printf(&r->text, "%s.rows[%zu]", r->path, row);
	if (cell != SIZE_MAX)
		buf_printf(&r->text, ".if[%zu]", cell);
	return text(r);
}

/* ---- overlaps ---- */

/* Rows that share a point with @row on every axis. */
static void sharing(struct report *r, size_t row, uint64_t *ret)
{
	size_t n = r->axes.n_words;

	memset(ret, 0xff, n * sizeof(*ret));
	for (size_t i = 0; i < r->axes.n; i++) {
		const struct axis *x = &r->axes.v[i];
		uint64_t any[WORDS_MAX] = { 0 };

		for (size_t k = 0; k < x->n; k++) {
			if (!point_has(&x->points[k], row))
				continue;
			for (size_t w = 0; w < n; w++)
				any[w] |= x->points[k].rows[w];
			r->budget -= (int64_t)n;
		}
		for (size_t w = 0; w < n; w++)
			ret[w] &= any[w];
	}
}

/* The first point that both accept, on each axis where one of them does not accept all. */
static struct axes_place common_place(const struct report *r, size_t a, size_t b)
{
	struct axes_place ret;

	for (size_t i = 0; i < r->axes.n; i++) {
		const struct axis *x = &r->axes.v[i];
		size_t first = SIZE_MAX;
		bool is_all = true;

		for (size_t k = 0; k < x->n; k++) {
			bool is_both = point_has(&x->points[k], a) && point_has(&x->points[k], b);

			first = is_both && first == SIZE_MAX ? k : first;
			is_all &= is_both;
		}
		ret.v[i].from = ret.v[i].to = is_all ? SIZE_MAX : first;
	}
	return ret;
}

static void say_overlap(struct report *r, size_t a, size_t b)
{
	struct axes_place place = common_place(r, a, b);
	struct buf path = BUF_INIT(512);

	buf_printf(&path, "%s.rows[%zu]", r->path, b);
	buf_putc(&path, '\0');
	findings_add(r->findings, r->axes.is_dependent ? FINDING_WARNING : FINDING_ERROR,
		path.failed ? r->path : path.p, "overlap", "%s and %s %s both hold: %s", name(r, b),
		name(r, a), r->axes.is_dependent ? "may" : "can", place_text(r, &place));
	findings_hint(r->findings, "in a table with hit \"unique\" at most one row can hold");
	buf_fini(&path);
}

static const char *pairs(size_t n)
{
	return n == 1 ? "pair" : "pairs";
}

static void say_overlaps(struct report *r, size_t n, size_t n_open, size_t a, size_t b)
{
	struct axes_place place;

	if (r->t->hit == HIT_UNIQUE) {
		if (n > OVERLAPS_MAX)
			findings_add(r->findings, FINDING_NOTE, r->path, "overlap",
				"%zu more %s of rows overlap", n - OVERLAPS_MAX,
				pairs(n - OVERLAPS_MAX));
		if (n_open > 0)
			findings_add(r->findings, FINDING_NOTE, r->path, "overlap",
				"%zu %s of rows overlap unless their conditions exclude each "
				"other: found out when prices are made",
				n_open, pairs(n_open));
		return;
	}
	if (n + n_open == 0)
		return;
	place = common_place(r, a, b);
	findings_add(r->findings, FINDING_NOTE, r->path, "overlap",
		"%zu %s of rows overlap (%s), the first: %s and %s, where %s", n + n_open,
		pairs(n + n_open), r->t->hit == HIT_FIRST ? "the earlier one holds" : "both hold",
		name(r, a), name(r, b), place_text(r, &place));
}

static void give_up(struct report *r, const char *code, const char *what, size_t row)
{
	findings_add(r->findings, FINDING_NOTE, r->path, code,
		"too many combinations to look through: %s from %s on", what, name(r, row));
}

static void report_overlaps(struct report *r)
{
	size_t n = 0, n_open = 0, first[2] = { 0, 0 };
	uint64_t rows[WORDS_MAX];

	for (size_t i = 0; i < r->t->n_rows; i++) {
		if (r->budget < 0) {
			give_up(r, "overlap", "overlaps are not looked for", i);
			break;
		}
		sharing(r, i, rows);
		for (size_t k = i + 1; k < r->t->n_rows; k++) {
			bool is_open = table_is_residual(r->t, i) || table_is_residual(r->t, k);

			if (!(rows[k / 64] >> (k % 64) & 1))
				continue;
			if (n + n_open == 0) {
				first[0] = i;
				first[1] = k;
			}
			n += !is_open;
			n_open += is_open;
			if (!is_open && r->t->hit == HIT_UNIQUE && n <= OVERLAPS_MAX)
				say_overlap(r, i, k);
		}
	}
	say_overlaps(r, n, n_open, first[0], first[1]);
}

/* ---- gaps ---- */

/* Rows below @n that hold for certain where the index says so. */
static void certain_rows(const struct report *r, size_t n, uint64_t *ret)
{
	memset(ret, 0, WORDS_MAX * sizeof(*ret));
	for (size_t i = 0; i < n; i++) {
		if (!table_is_residual(r->t, i))
			ret[i / 64] |= (uint64_t)1 << (i % 64);
	}
}

static void report_gaps(struct report *r)
{
	uint64_t rows[WORDS_MAX];
	struct axes_search *s = calloc(1, sizeof(*s));
	enum axes_outcome outcome = AXES_COVERED;

	certain_rows(r, r->t->n_rows, rows);
	for (int with_absence = 0; s && with_absence < 2 && outcome == AXES_COVERED;
		with_absence++) {
		*s = (struct axes_search){ .axes = &r->axes,
			.rows = rows,
			.n_words = r->axes.n_words,
			.within = SIZE_MAX,
			.with_absence = with_absence,
			.is_natural = true,
			.budget = &r->budget };
		outcome = axes_search(s);
	}
	if (outcome == AXES_FOUND)
		findings_add(r->findings, FINDING_NOTE, r->path, "gap", "no row %s for %s",
			r->t->residual ? "is certain to hold" : "holds", place_text(r, &s->place));
	if (outcome == AXES_GAVE_UP)
		findings_add(r->findings, FINDING_NOTE, r->path, "gap",
			"too many combinations to look through: gaps were not found out");
	free(s);
}

/* ---- rows that can never match ---- */

static bool accepts_nothing(const struct axes *a, size_t axis, size_t row)
{
	const struct axis *x = &a->v[axis];

	for (size_t k = 0; k < x->n; k++) {
		if (point_has(&x->points[k], row))
			return false;
	}
	return true;
}

/* The cell of the row on that axis that accepts nothing by itself, SIZE_MAX if it takes several. */
static size_t guilty_cell(const struct report *r, const struct axis *x, size_t row)
{
	size_t n = 0, ret = SIZE_MAX;

	for (size_t i = 0; i < r->t->n_inputs; i++) {
		const struct table_input *in = &r->t->inputs[i];
		const struct cell *cell = &table_cell(r->t, row, i)->cell;

		if (!cell->has_test || (in != x->in && (in->slot < 0 || in->slot != x->in->slot)))
			continue;
		if (cell->test.n == 0 && !cell->test.is_negated)
			return i;
		ret = n++ == 0 ? i : SIZE_MAX;
	}
	return ret;
}

static bool report_empty(struct report *r, size_t row)
{
	for (size_t i = 0; i < r->axes.n; i++) {
		const struct axis *x = &r->axes.v[i];
		size_t cell;

		if (!accepts_nothing(&r->axes, i, row))
			continue;
		cell = guilty_cell(r, x, row);
		findings_add(r->findings, FINDING_WARNING, row_path(r, row, cell), "dead-row",
			cell == SIZE_MAX
				? "%s can never hold: its cells for %s contradict each other"
				: "%s can never hold: this cell accepts no value that %s can have",
			name(r, row), x->in->source);
		return true;
	}
	return false;
}

static void say_covered(struct report *r, size_t row, const uint64_t *covered)
{
	struct buf rows = BUF_INIT(1024);
	size_t n = 0;

	for (size_t i = 0; i < row; i++) {
		if (!(covered[i / 64] >> (i % 64) & 1))
			continue;
		if (n < COVERS_MAX)
			buf_printf(&rows, "%s%s", n ? ", " : "", name(r, i));
		n++;
	}
	if (n > COVERS_MAX)
		buf_printf(&rows, " and %zu more", n - COVERS_MAX);
	buf_putc(&rows, '\0');
	findings_add(r->findings, FINDING_WARNING, row_path(r, row, SIZE_MAX), "dead-row",
		"%s can never hold: whatever it accepts, an earlier row takes (%s)", name(r, row),
		rows.failed ? "…" : rows.p);
	buf_fini(&rows);
}

/* Whether the search for what the row alone accepts is over; false: the budget is. */
static bool report_covered(struct report *r, size_t row)
{
	uint64_t rows[WORDS_MAX];
	struct axes_search *s = calloc(1, sizeof(*s));
	enum axes_outcome outcome = AXES_GAVE_UP;

	certain_rows(r, row, rows);
	if (s) {
		*s = (struct axes_search){ .axes = &r->axes,
			.rows = rows,
			.n_words = INDEX_WORDS(row),
			.within = row,
			.with_absence = true,
			.budget = &r->budget };
		outcome = axes_search(s);
	}
	if (outcome == AXES_COVERED)
		say_covered(r, row, s->covered);
	free(s);
	return outcome != AXES_GAVE_UP;
}

static void report_dead_rows(struct report *r)
{
	bool is_over = r->t->hit != HIT_FIRST;

	for (size_t i = 0; i < r->t->n_rows; i++) {
		if (report_empty(r, i) || i == 0 || is_over)
			continue;
		is_over = !report_covered(r, i);
		if (is_over)
			give_up(r, "dead-row", "covered rows are not looked for", i);
	}
}

void table_report(const struct table *t, const char *path, struct findings *f)
{
	struct report r = { .t = t, .path = path, .findings = f, .text = BUF_INIT(4096) };

	if (axes_init(&r.axes, t) == 0) {
		r.budget = WORDS_BUDGET;
		report_dead_rows(&r);
		r.budget = WORDS_BUDGET;
		report_overlaps(&r);
		r.budget = WORDS_BUDGET;
		report_gaps(&r);
	}
	axes_fini(&r.axes);
	buf_fini(&r.text);
}
