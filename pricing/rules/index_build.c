/*
 * Building sweeps over each column's bounds in order with one set that is changed at each bound
 * (rows come and go) and copied into its place: bounds x words, not bounds x rows.
 *
 * A row may have several tests on a column. It is in the set while none of them refuses, so each
 * row counts how many of its tests are not met at the moment.
 *
 * Two passes: what a column needs is measured (bounds, parity classes, symbols), the block is
 * allocated, then it is filled.
 */
#include "pricing/rules/index_impl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pricing/rules/accept.h"

struct stretch {
	u128 lo, hi;
};

struct entry { /* a test */
	uint32_t row;
	uint16_t column;
	bool is_negated; /* symbols only: stretches are what it refuses */
	currency currency;
	uint32_t first, n; /* of the stretches */
};

struct builder_column {
	enum column_kind kind;
	int tag;
};

struct index_builder {
	uint32_t n_rows;
	struct builder_column columns[INDEX_COLUMNS_MAX];
	uint32_t n_columns;
	struct entry *entries;
	size_t n_entries, cap_entries;
	struct stretch *stretches;
	size_t n_stretches, cap_stretches;
};

int index_builder_new(struct index_builder **ret, size_t n_rows)
{
	struct index_builder *b = calloc(1, sizeof(*b));

	assert(n_rows <= INDEX_ROWS_MAX);
	if (!b)
		return -ENOMEM;
	b->n_rows = (uint32_t)n_rows;
	*ret = b;
	return 0;
}

struct index_builder *index_builder_free(struct index_builder *b)
{
	if (!b)
		return NULL;
	free(b->entries);
	free(b->stretches);
	free(b);
	return NULL;
}

int index_builder_column(struct index_builder *b, enum column_kind kind, int tag)
{
	if (b->n_columns == INDEX_COLUMNS_MAX)
		return -ENOSPC;
	b->columns[b->n_columns] = (struct builder_column){ kind, tag };
	return (int)b->n_columns++;
}

/* 0, -ENOSPC or -ENOMEM */
static int grow(void **p, size_t *cap, size_t n, size_t size)
{
	size_t want = *cap ? *cap * 2 : 256;
	void *q;

	if (n <= *cap)
		return 0;
	want = want < n ? n : want;
	if (n * size > INDEX_BYTES_MAX)
		return -ENOSPC;
	q = realloc(*p, want * size);
	if (!q)
		return -ENOMEM;
	*p = q;
	*cap = want;
	return 0;
}

int index_builder_test(struct index_builder *b, size_t row, int column, const struct test *t)
{
	enum column_kind kind = b->columns[column].kind;
	struct accept a;
	struct test named = *t;
	int r;

	assert(row < b->n_rows && column >= 0 && (uint32_t)column < b->n_columns);
	if (kind == COLUMN_SYMBOL)
		named.is_negated = false;
	if (!accept_of_test(&a, kind, &named))
		return -ENOSPC;
	r = grow((void **)&b->entries, &b->cap_entries, b->n_entries + 1, sizeof(*b->entries));
	if (r == 0)
		r = grow((void **)&b->stretches, &b->cap_stretches, b->n_stretches + a.n,
			sizeof(*b->stretches));
	if (r < 0)
		return r;
	b->entries[b->n_entries++] = (struct entry){ (uint32_t)row, (uint16_t)column,
		kind == COLUMN_SYMBOL && t->is_negated, t->currency, (uint32_t)b->n_stretches,
		a.n };
	for (uint32_t i = 0; i < a.n; i++)
		b->stretches[b->n_stretches++] = (struct stretch){ a.v[i].lo, a.v[i].hi };
	return 0;
}

/* ---- what is worked with while building ---- */

struct event { /* a row's test begins (step -1: one less is not met) or ends */
	u128 at;
	uint32_t row;
	int32_t step;
};

struct plan { /* of one column */
	const struct entry *entries;
	size_t n_entries;
	uint32_t n_sets;
	size_t n_bounds; /* INT, MONEY: of all parts; SYMBOL: length of the map */
	uint32_t n_parts;
	currency classes[64];
	uint32_t lowest; /* SYMBOL */
};

struct work {
	const struct index_builder *b;
	struct plan plans[INDEX_COLUMNS_MAX];
	struct event *events; /* as many as a column can have */
	uint64_t *set;        /* the sweep's */
	uint16_t *unmet;      /* a row */
};

static void work_fini(struct work *w)
{
	free(w->events);
	free(w->set);
	free(w->unmet);
}

static void work_finip(struct work *w)
{
	work_fini(w);
}

static int by_column_and_row(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

static int by_place(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* The class's tests as events in order; those at the beginning of the line come first. */
static size_t events_of(struct work *w, const struct plan *p, enum column_kind kind, currency class)
{
	u128 top = accept_top(kind);
	size_t n = 0;

	for (size_t i = 0; i < p->n_entries; i++) {
		const struct entry *e = &p->entries[i];

		if (kind == COLUMN_MONEY && !currency_is_par(e->currency, class))
			continue;
		for (uint32_t k = 0; k < e->n; k++) {
			const struct stretch *s = &w->b->stretches[e->first + k];

			w->events[n++] = (struct event){ s->lo, e->row, -1 };
			if (s->hi < top)
				w->events[n++] = (struct event){ s->hi + 1, e->row, 1 };
		}
	}
	qsort(w->events, n, sizeof(*w->events), by_place);
	return n;
}

/* Different places beyond the beginning; at least one, so that a search has something to find. */
static size_t count_bounds(const struct event *v, size_t n)
{
	size_t ret = 0;

	for (size_t i = 0; i < n; i++)
		ret += v[i].at != 0 && (i == 0 || v[i].at != v[i - 1].at);
	return ret ? ret : 1;
}

static void plan_line(struct work *w, struct plan *p, enum column_kind kind)
{
	p->n_sets = 1;
	if (kind == COLUMN_INT) {
		p->n_bounds = count_bounds(w->events, events_of(w, p, kind, 0));
		p->n_sets += (uint32_t)p->n_bounds + 1;
		return;
	}
	for (size_t i = 0; i < p->n_entries; i++) {
		bool is_known = false;

		for (uint32_t k = 0; k < p->n_parts && !is_known; k++)
			is_known = currency_is_par(p->classes[k], p->entries[i].currency);
		if (!is_known)
			p->classes[p->n_parts++] = p->entries[i].currency;
		assert(p->n_parts < ARRAY_LEN(p->classes));
	}
	for (uint32_t k = 0; k < p->n_parts; k++) {
		size_t n = count_bounds(w->events, events_of(w, p, kind, p->classes[k]));

		p->n_bounds += n;
		p->n_sets += (uint32_t)n + 1;
	}
}

/* One event a symbol that is named. */
static size_t symbols_of(struct work *w, const struct plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_entries; i++) {
		const struct entry *e = &p->entries[i];

		for (uint32_t k = 0; k < e->n; k++) {
			const struct stretch *s = &w->b->stretches[e->first + k];

			for (u128 at = s->lo; at <= s->hi; at++)
				w->events[n++] = (struct event){ at, e->row, 0 };
		}
	}
	qsort(w->events, n, sizeof(*w->events), by_place);
	return n;
}

static void plan_symbols(struct work *w, struct plan *p)
{
	size_t n = symbols_of(w, p);

	p->n_sets = 2;
	if (n == 0)
		return;
	p->lowest = (uint32_t)w->events[0].at;
	p->n_bounds = (size_t)(w->events[n - 1].at - w->events[0].at) + 1;
	for (size_t i = 0; i < n; i++)
		p->n_sets += i == 0 || w->events[i].at != w->events[i - 1].at;
}

/* Symbols count each, stretches twice. */
static size_t n_events(const struct index_builder *b, const struct plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_entries; i++) {
		const struct entry *e = &p->entries[i];

		for (uint32_t k = 0; k < e->n; k++) {
			const struct stretch *s = &b->stretches[e->first + k];

			n += b->columns[e->column].kind == COLUMN_SYMBOL
				     ? (size_t)(s->hi - s->lo) + 1
				     : 2;
		}
	}
	return n;
}

static int work_init(struct work *w, struct index_builder *b, size_t stride)
{
	size_t at = 0, most = 1;

	*w = (struct work){ .b = b };
	if (b->n_entries > 0)
		qsort(b->entries, b->n_entries, sizeof(*b->entries), by_column_and_row);
	for (uint32_t c = 0; c < b->n_columns; c++) {
		struct plan *p = &w->plans[c];
		size_t n;

		p->entries = b->entries + at;
		while (at < b->n_entries && b->entries[at].column == c)
			at++;
		p->n_entries = (size_t)(b->entries + at - p->entries);
		n = n_events(b, p);
		most = n > most ? n : most;
	}
	w->events = malloc(most * sizeof(*w->events));
	w->set = calloc(stride, sizeof(*w->set));
	w->unmet = calloc(b->n_rows + 1, sizeof(*w->unmet));
	if (!w->events || !w->set || !w->unmet)
		return -ENOMEM;
	for (uint32_t c = 0; c < b->n_columns; c++) {
		if (b->columns[c].kind == COLUMN_SYMBOL)
			plan_symbols(w, &w->plans[c]);
		else
			plan_line(w, &w->plans[c], b->columns[c].kind);
	}
	return 0;
}

/* ---- filling ---- */

static void bit_set(uint64_t *set, uint32_t row, bool is_in)
{
	uint64_t bit = (uint64_t)1 << (row & 63);

	set[row / 64] = is_in ? set[row / 64] | bit : set[row / 64] & ~bit;
}

/* Rows without a test on the column into the sweep's set. */
static void begin(struct work *w, const struct row_index *x, const struct plan *p)
{
	memcpy(w->set, x->all, x->stride * sizeof(*w->set));
	memset(w->unmet, 0, x->n_rows * sizeof(*w->unmet));
	for (size_t i = 0; i < p->n_entries; i++) {
		w->unmet[p->entries[i].row]++;
		bit_set(w->set, p->entries[i].row, false);
	}
}

static uint64_t *put_set(struct work *w, const struct row_index *x, uint64_t *to)
{
	memcpy(to, w->set, x->stride * sizeof(*to));
	return to + x->stride;
}

static void apply(struct work *w, const struct event *e)
{
	w->unmet[e->row] = (uint16_t)(w->unmet[e->row] + e->step);
	bit_set(w->set, e->row, w->unmet[e->row] == 0);
}

/* Writes bounds to @i64 or @wide (the other is NULL) and the sets; returns where the next set goes.
 */
static uint64_t *fill_line(
	struct work *w, const struct row_index *x, size_t n, int64_t *i64, u128 *wide, uint64_t *to)
{
	const struct event *v = w->events;
	size_t i = 0, k = 0;

	while (i < n && v[i].at == 0)
		apply(w, &v[i++]);
	to = put_set(w, x, to);
	while (i < n || k == 0) {
		u128 at = i < n ? v[i].at : i64 ? UINT64_MAX : ~(u128)0;

		if (i64)
			i64[k++] = accept_integer(at);
		else
			wide[k++] = at;
		while (i < n && v[i].at == at)
			apply(w, &v[i++]);
		to = put_set(w, x, to);
	}
	return to;
}

static void fill_money(
	struct work *w, const struct row_index *x, struct column *c, u128 *wide, uint64_t *sets)
{
	const struct plan *p = &w->plans[c - x->columns];
	uint64_t *to = sets + x->stride;

	for (uint32_t k = 0; k < p->n_parts; k++) {
		size_t n = events_of(w, p, COLUMN_MONEY, p->classes[k]);

		c->parts[k] =
			(struct money_part){ p->classes[k], (uint32_t)count_bounds(w->events, n),
				(uint32_t)((size_t)(to - sets) / x->stride), wide };
		begin(w, x, p);
		to = fill_line(w, x, n, NULL, wide, to);
		wide += c->parts[k].n;
	}
}

/* Whether all tests of a row accept the symbol. */
static bool row_accepts(
	const struct work *w, const struct entry *e, const struct entry *end, u128 symbol)
{
	for (; e < end; e++) {
		bool is_named = false;

		for (uint32_t k = 0; k < e->n && !is_named; k++) {
			const struct stretch *s = &w->b->stretches[e->first + k];

			is_named = s->lo <= symbol && symbol <= s->hi;
		}
		if (is_named == e->is_negated)
			return false;
	}
	return true;
}

/* The end of the tests that belong to the same row as @e. */
static const struct entry *row_end(const struct entry *e, const struct entry *end)
{
	uint32_t row = e->row;

	while (e < end && e->row == row)
		e++;
	return e;
}

/* Into the sets of the symbols that the row's tests name; elsewhere it is as for other texts. */
static void fill_row(const struct work *w, const struct row_index *x, const struct column *c,
	const struct entry *row, const struct entry *end, uint64_t *sets)
{
	for (const struct entry *e = row; e < end; e++) {
		for (uint32_t k = 0; k < e->n; k++) {
			const struct stretch *s = &w->b->stretches[e->first + k];

			for (u128 symbol = s->lo; symbol <= s->hi; symbol++)
				bit_set(sets + c->map[symbol - c->lowest] * (size_t)x->stride,
					row->row, row_accepts(w, row, end, symbol));
		}
	}
}

/* @sets: where set 0 is. */
static void fill_symbols(
	struct work *w, const struct row_index *x, struct column *c, uint16_t *map, uint64_t *sets)
{
	const struct plan *p = &w->plans[c - x->columns];
	const struct entry *end = p->entries + p->n_entries, *next;
	size_t n = symbols_of(w, p);
	uint64_t *to = sets + x->stride;
	uint16_t n_sets = 1;

	begin(w, x, p);
	for (const struct entry *e = p->entries; e < end; e = next) {
		next = row_end(e, end);
		bit_set(w->set, e->row, row_accepts(w, e, next, accept_top(COLUMN_SYMBOL)));
	}
	to = put_set(w, x, to);
	for (uint32_t i = 0; i < c->n; i++)
		map[i] = 1;
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || w->events[i].at != w->events[i - 1].at) {
			to = put_set(w, x, to);
			n_sets++;
		}
		map[w->events[i].at - c->lowest] = n_sets;
	}
	for (const struct entry *e = p->entries; e < end; e = next) {
		next = row_end(e, end);
		fill_row(w, x, c, e, next, sets);
	}
}

/* ---- the block ---- */

struct layout {
	size_t columns, all, sets, end;        /* offsets */
	size_t detail[INDEX_COLUMNS_MAX];      /* bounds or map */
	size_t parts[INDEX_COLUMNS_MAX];       /* MONEY */
	size_t column_sets[INDEX_COLUMNS_MAX]; /* of set 0 */
};

static size_t take(size_t *end, size_t n, size_t align)
{
	size_t at = (*end + align - 1) / align * align;

	*end = at + n;
	return at;
}

static void lay_out(struct layout *l, const struct work *w, size_t stride)
{
	const struct index_builder *b = w->b;
	static const size_t sizes[] = { [COLUMN_INT] = sizeof(int64_t),
		[COLUMN_SYMBOL] = sizeof(uint16_t),
		[COLUMN_MONEY] = sizeof(u128) };

	l->end = sizeof(struct row_index) + b->n_columns * sizeof(struct column);
	for (uint32_t c = 0; c < b->n_columns; c++) {
		const struct plan *p = &w->plans[c];

		l->parts[c] = take(&l->end, p->n_parts * sizeof(struct money_part), 8);
		l->detail[c] = take(&l->end, p->n_bounds * sizes[b->columns[c].kind], 16);
	}
	l->all = take(&l->end, stride * sizeof(uint64_t), 64);
	for (uint32_t c = 0; c < b->n_columns; c++)
		l->column_sets[c] =
			take(&l->end, w->plans[c].n_sets * stride * sizeof(uint64_t), 32);
}

/* Truth values are 0 and 1, texts begin after CEL_SYM_OTHER; presence is asked of both. */
static uint32_t symbol_kinds(const struct plan *p)
{
	if (p->n_bounds == 0)
		return 1U << CEL_V_BOOL | 1U << CEL_V_STRING;
	return p->lowest <= CEL_SYM_OTHER ? 1U << CEL_V_BOOL : 1U << CEL_V_STRING;
}

static void fill_column(struct work *w, struct row_index *x, const struct layout *l, uint32_t i)
{
	const struct plan *p = &w->plans[i];
	const struct builder_column *from = &w->b->columns[i];
	struct column *c = &x->columns[i];
	void *detail = (char *)x + l->detail[i];
	uint64_t *sets = (uint64_t *)((char *)x + l->column_sets[i]);

	*c = (struct column){ .kind = (uint8_t)from->kind,
		.lowest = (uint16_t)p->lowest,
		.n = (uint32_t)p->n_bounds,
		.n_sets = p->n_sets,
		.tag = from->tag,
		.sets = sets };
	begin(w, x, p);
	put_set(w, x, sets);
	if (from->kind == COLUMN_SYMBOL) {
		c->map = detail;
		c->kinds = symbol_kinds(p);
		fill_symbols(w, x, c, detail, sets);
	} else if (from->kind == COLUMN_INT) {
		c->at = detail;
		c->kinds = 1U << CEL_V_INT | 1U << CEL_V_BPS | 1U << CEL_V_TIMESTAMP;
		fill_line(w, x, events_of(w, p, COLUMN_INT, 0), detail, NULL, sets + x->stride);
	} else {
		c->parts = (struct money_part *)((char *)x + l->parts[i]);
		c->n = p->n_parts;
		fill_money(w, x, c, detail, sets);
	}
}

/* 1, or whole blocks. */
static uint32_t stride_of(size_t n_rows)
{
	size_t n = INDEX_WORDS(n_rows);

	if (n <= 1)
		return 1;
	return (uint32_t)((n + INDEX_BLOCK - 1) / INDEX_BLOCK * INDEX_BLOCK);
}

static int build(struct row_index **ret, struct work *w, uint32_t stride)
{
	const struct index_builder *b = w->b;
	struct layout l = { 0 };
	struct row_index *x;
	uint64_t *all;

	lay_out(&l, w, stride);
	if (l.end > INDEX_BYTES_MAX)
		return -ENOSPC;
	x = aligned_alloc(64, (l.end + 63) / 64 * 64);
	if (!x)
		return -ENOMEM;
	all = (uint64_t *)((char *)x + l.all);
	*x = (struct row_index){ .n_rows = b->n_rows,
		.n_words = INDEX_WORDS(b->n_rows),
		.stride = stride,
		.n_columns = b->n_columns,
		.all = all };
	memset(all, 0, stride * sizeof(*all));
	for (uint32_t i = 0; i < b->n_rows; i++)
		bit_set(all, i, true);
	for (uint32_t i = 0; i < b->n_columns; i++)
		fill_column(w, x, &l, i);
	*ret = x;
	return 0;
}

int index_build(struct row_index **ret, struct index_builder *b)
{
	uint32_t stride = stride_of(b->n_rows);
	CLEANUP(work_fini) struct work w;
	int r = work_init(&w, b, stride);

	return r < 0 ? r : build(ret, &w, stride);
}
