/*
 * The search goes axis by axis with the rows that accept all points chosen so far. It stops early
 * where one of them accepts everything that is left (so a row of "-" at the end covers at once),
 * and remembers sets of rows that were covered at the same axis before: different beginnings often
 * lead to the same rows. What remains exponential is cut off by the budget.
 */
#include "pricing/rules/table_axes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pricing/rules/accept.h"

#define WORDS_MAX INDEX_WORDS(TABLE_ROWS_MAX)
#define MEMO_N    1024 /* a power of two; later ones replace earlier ones */

/* ---- axes ---- */

static bool is_allowed_text(const struct table *t, const struct table_input *in, int64_t symbol)
{
	struct str text = cel_symbols_text(t->symbols, (uint16_t)symbol);

	for (size_t i = 0; in->values && in->values[i]; i++) {
		if (text.n > 0 && str_eqz(text, in->values[i]))
			return true;
	}
	return !in->values;
}

static bool is_named(const struct table *t, size_t column, struct str text)
{
	size_t n = index_n_sets(t->index, column);
	uint16_t symbol = cel_symbols_find(t->symbols, text);

	for (size_t set = 1; set < n; set++) {
		struct index_set s = index_set(t->index, column, set);

		if (s.kind == INDEX_SET_SYMBOL && s.v.i.lo == symbol)
			return true;
	}
	return false;
}

/* A text that the field can have and no row names; of any text, unset. */
static const char *unnamed_value(const struct table *t, const struct axis *x)
{
	for (size_t i = 0; x->in->values && x->in->values[i]; i++) {
		if (x->in->values[i][0] && !is_named(t, x->column, str_of(x->in->values[i])))
			return x->in->values[i];
	}
	return NULL;
}

static bool can_occur(const struct table *t, const struct axis *x, const struct index_set *s)
{
	bool is_bool = x->in->type == CEL_T_BOOL;

	switch (s->kind) {
	case INDEX_SET_FREE:
		return x->in->is_optional || (x->in->kind == COLUMN_MONEY && !x->in->currency);
	case INDEX_SET_SYMBOL:
		return is_bool || is_allowed_text(t, x->in, s->v.i.lo);
	case INDEX_SET_OTHER:
		if (is_bool)
			return index_n_sets(t->index, x->column) < 4;
		return !x->in->values || unnamed_value(t, x);
	case INDEX_SET_STRETCH:
		break;
	}
	return true;
}

static int axis_init(struct axis *x, const struct table *t, size_t column)
{
	size_t n = index_n_sets(t->index, column);

	x->in = &t->inputs[t->columns[column].input];
	x->column = column;
	x->points = calloc(n, sizeof(*x->points));
	if (!x->points)
		return -ENOMEM;
	for (size_t i = 1; i <= n; i++) { /* absence last */
		struct index_set s = index_set(t->index, column, i % n);

		if (!can_occur(t, x, &s))
			continue;
		x->points[x->n++] = (struct axis_point){ s.rows, (uint32_t)(i % n) };
		x->has_absence = i == n;
	}
	return 0;
}

static bool reads_the_same(const struct table_input *a, const struct table_input *b)
{
	for (size_t i = 0; i < CEL_VARS_MAX / 64; i++) {
		if (a->slots[i] & b->slots[i])
			return true;
	}
	return false;
}

int axes_init(struct axes *ret, const struct table *t)
{
	*ret = (struct axes){ .t = t, .n_words = INDEX_WORDS(t->n_rows) };
	for (size_t i = 0; i < t->n_columns; i++) {
		int r = axis_init(&ret->v[ret->n++], t, i);

		if (r < 0)
			return r;
		for (size_t k = 0; k < i; k++)
			ret->is_dependent |= reads_the_same(ret->v[i].in, ret->v[k].in);
	}
	return 0;
}

void axes_fini(struct axes *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->v[i].points);
	a->n = 0;
}

/* ---- in words ---- */

static bool is_natural(const struct axis *x)
{
	return x->in->unit == CEL_UNIT_MS || x->in->unit == CEL_UNIT_POINTS ||
	       x->in->unit == CEL_UNIT_COUNT;
}

static void print_text(struct buf *out, struct str text)
{
	if (memchr(text.p, '\'', text.n) || memchr(text.p, '\\', text.n))
		cel_value_print(out, cel_string(text));
	else
		buf_printf(out, "'" STR_FMT "'", STR_ARG(text));
}

static void print_stretch(
	struct buf *out, const struct axes *a, const struct axis *x, size_t from, size_t to)
{
	struct index_set first = index_set(a->t->index, x->column, x->points[from].set);
	struct index_set last = index_set(a->t->index, x->column, x->points[to].set);
	bool is_money = x->in->kind == COLUMN_MONEY;
	u128 lo = is_money ? first.v.m.lo : accept_key(first.v.i.lo);
	u128 hi = is_money ? last.v.m.hi : accept_key(last.v.i.hi);
	bool has_high = hi != accept_top(x->in->kind);

	if (lo == hi)
		buf_puts(out, STR(" = "));
	else if (lo == 0)
		buf_puts(out, has_high ? STR(" <= ") : STR(" is anything"));
	else
		buf_puts(out, has_high ? STR(" in [") : STR(" >= "));
	if (lo > 0)
		cel_value_print(out, table_value(a->t, x->in, first.currency, lo));
	if (lo > 0 && lo != hi && has_high)
		buf_puts(out, STR(".."));
	if (has_high && (lo == 0 || lo != hi))
		cel_value_print(out, table_value(a->t, x->in, first.currency, hi));
	if (lo > 0 && lo != hi && has_high)
		buf_putc(out, ']');
}

static void print_axis(
	struct buf *out, const struct axes *a, const struct axis *x, size_t from, size_t to)
{
	struct index_set s = index_set(a->t->index, x->column, x->points[from].set);
	const char *unnamed = unnamed_value(a->t, x);

	buf_puts(out, str_of(x->in->source));
	switch (s.kind) {
	case INDEX_SET_FREE:
		buf_puts(out, x->in->is_optional ? STR(" absent") : STR(" in another currency"));
		break;
	case INDEX_SET_STRETCH:
		print_stretch(out, a, x, from, to);
		break;
	case INDEX_SET_SYMBOL:
		buf_puts(out, STR(" = "));
		if (x->in->type == CEL_T_BOOL)
			buf_puts(out, s.v.i.lo ? STR("true") : STR("false"));
		else
			print_text(out, cel_symbols_text(a->t->symbols, (uint16_t)s.v.i.lo));
		break;
	case INDEX_SET_OTHER:
		buf_puts(out, STR(" = "));
		if (x->in->type == CEL_T_BOOL)
			buf_puts(out, index_set(a->t->index, x->column, 2).v.i.lo ? STR("false")
										  : STR("true"));
		else if (unnamed)
			print_text(out, str_of(unnamed));
		else
			buf_puts(out, STR("any other text"));
		break;
	}
}

void axes_print(struct buf *out, const struct axes *a, const struct axes_place *p)
{
	bool is_first = true;

	for (size_t i = 0; i < a->n; i++) {
		if (p->v[i].from == SIZE_MAX)
			continue;
		if (!is_first)
			buf_puts(out, STR(", "));
		is_first = false;
		print_axis(out, a, &a->v[i], p->v[i].from, p->v[i].to);
	}
	if (is_first)
		buf_puts(out, STR("anything"));
}

/* ---- search ---- */

struct memo {
	uint64_t rows[WORDS_MAX];
	uint32_t depth; /* 0: empty, else 1 + depth */
};

struct searching {
	struct axes_search *s;
	uint64_t everything[TABLE_INPUTS_MAX + 1]
			   [WORDS_MAX]; /* rows that accept all from here on */
	size_t depth;                   /* FOUND: axes that were chosen */
	struct memo memo[MEMO_N];
};

bool axes_takes(const struct axes_search *s, size_t axis, size_t point)
{
	const struct axis *x = &s->axes->v[axis];
	const struct axis_point *p = &x->points[point];

	if (s->within != SIZE_MAX && !point_has(p, s->within))
		return false;
	if (x->has_absence && point == x->n - 1 && !s->with_absence)
		return false;
	return !s->is_natural || !is_natural(x) || p->set == 0 ||
	       index_set(s->axes->t->index, x->column, p->set).v.i.hi >= 0;
}

static void prepare(struct searching *w)
{
	struct axes_search *s = w->s;
	size_t n = s->axes->n, bytes = s->n_words * sizeof(uint64_t);

	memset(w->everything[n], 0xff, bytes);
	for (size_t i = n; i-- > 0;) {
		const struct axis *x = &s->axes->v[i];

		memcpy(w->everything[i], w->everything[i + 1], bytes);
		for (size_t k = 0; k < x->n; k++) {
			if (!axes_takes(s, i, k))
				continue;
			for (size_t word = 0; word < s->n_words; word++)
				w->everything[i][word] &= x->points[k].rows[word];
		}
		*s->budget -= (int64_t)(x->n * s->n_words);
	}
}

static bool is_empty(const uint64_t *rows, size_t n)
{
	uint64_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= rows[i];
	return any == 0;
}

/* Whether one of the rows accepts all that is left; the first such is marked, unless one that is
 * marked already does. */
static bool is_covered(struct searching *w, size_t depth, const uint64_t *rows)
{
	uint64_t *covered = w->s->covered;
	size_t first = SIZE_MAX;

	for (size_t i = 0; i < w->s->n_words; i++) {
		uint64_t word = rows[i] & w->everything[depth][i];

		if (word & covered[i])
			return true;
		if (word && first == SIZE_MAX)
			first = i * 64 + (size_t)__builtin_ctzll(word);
	}
	if (first == SIZE_MAX)
		return false;
	covered[first / 64] |= (uint64_t)1 << (first % 64);
	return true;
}

static struct memo *memo_of(struct searching *w, size_t depth, const uint64_t *rows)
{
	uint64_t h = depth + 1;

	for (size_t i = 0; i < w->s->n_words; i++)
		h = (h ^ rows[i]) * 0x9e3779b97f4a7c15;
	return &w->memo[(h >> 32) % MEMO_N];
}

static enum axes_outcome descend(struct searching *w, size_t depth, const uint64_t *rows)
{
	struct axes_search *s = w->s;
	const struct axis *x = &s->axes->v[depth];
	size_t bytes = s->n_words * sizeof(uint64_t);
	struct memo *memo;

	*s->budget -= (int64_t)s->n_words;
	if (*s->budget < 0)
		return AXES_GAVE_UP;
	if (is_empty(rows, s->n_words)) {
		w->depth = depth;
		return AXES_FOUND;
	}
	if (is_covered(w, depth, rows))
		return AXES_COVERED;
	memo = memo_of(w, depth, rows);
	if (memo->depth == depth + 1 && memcmp(memo->rows, rows, bytes) == 0)
		return AXES_COVERED;
	for (size_t i = 0; i < x->n; i++) {
		uint64_t next[WORDS_MAX];
		enum axes_outcome r;

		if (!axes_takes(s, depth, i))
			continue;
		for (size_t word = 0; word < s->n_words; word++)
			next[word] = rows[word] & x->points[i].rows[word];
		s->place.v[depth].from = s->place.v[depth].to = i;
		r = descend(w, depth + 1, next);
		if (r != AXES_COVERED)
			return r;
	}
	memo->depth = (uint32_t)depth + 1;
	memcpy(memo->rows, rows, bytes);
	return AXES_COVERED;
}

/* Rows that accept what was chosen on the other axes. */
static void others(
	const struct searching *w, uint64_t (*rows_of)[WORDS_MAX], size_t axis, uint64_t *ret)
{
	const struct axes_search *s = w->s;

	memcpy(ret, s->rows, s->n_words * sizeof(*ret));
	for (size_t i = 0; i < w->depth; i++) {
		for (size_t word = 0; i != axis && word < s->n_words; word++)
			ret[word] &= rows_of[i][word];
	}
}

static bool joins(const struct axes_search *s, size_t axis, size_t point)
{
	const struct axis *x = &s->axes->v[axis];
	struct index_set a, b;

	if (!axes_takes(s, axis, point))
		return false;
	a = index_set(s->axes->t->index, x->column, x->points[point - 1].set);
	b = index_set(s->axes->t->index, x->column, x->points[point].set);
	return a.kind == INDEX_SET_STRETCH && b.kind == INDEX_SET_STRETCH &&
	       a.currency == b.currency;
}

/* Stretches grow upwards as long as still no row accepts any combination: "<= 499" says more than
 * the first of many stretches below 500. */
static void widen(struct searching *w)
{
	struct axes_search *s = w->s;
	uint64_t rows_of[TABLE_INPUTS_MAX][WORDS_MAX], rest[WORDS_MAX];

	for (size_t i = 0; i < w->depth; i++)
		memcpy(rows_of[i], s->axes->v[i].points[s->place.v[i].from].rows,
			s->n_words * sizeof(uint64_t));
	for (size_t i = 0; i < w->depth; i++) {
		const struct axis *x = &s->axes->v[i];

		others(w, rows_of, i, rest);
		for (size_t k = s->place.v[i].to + 1; k < x->n && joins(s, i, k); k++) {
			uint64_t any = 0;

			for (size_t word = 0; word < s->n_words; word++)
				any |= rest[word] & x->points[k].rows[word];
			if (any)
				break;
			for (size_t word = 0; word < s->n_words; word++)
				rows_of[i][word] |= x->points[k].rows[word];
			s->place.v[i].to = k;
		}
	}
}

enum axes_outcome axes_search(struct axes_search *s)
{
	struct searching *w = calloc(1, sizeof(*w));
	enum axes_outcome ret;

	if (!w)
		return AXES_GAVE_UP;
	w->s = s;
	memset(s->covered, 0, sizeof(s->covered));
	prepare(w);
	ret = descend(w, 0, s->rows);
	if (ret == AXES_FOUND) {
		for (size_t i = w->depth; i < s->axes->n; i++)
			s->place.v[i].from = s->place.v[i].to = SIZE_MAX;
		widen(w);
	}
	free(w);
	return ret;
}
