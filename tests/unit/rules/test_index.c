#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pricing/rules/accept.h"
#include "pricing/rules/index.h"

/* A generator of our own, so that a failure names a seed that gives it again. */
static uint64_t state;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t below(uint64_t n)
{
	return next() % n;
}

#define COLUMNS   5
#define TESTS_MAX 3

struct row_tests {
	size_t n;
	struct test test[TESTS_MAX];
	struct interval v[TESTS_MAX][4];
};

struct world {
	size_t n_rows, n_columns;
	enum column_kind kinds[COLUMNS];
	bool is_bool[COLUMNS];
	struct row_tests *tests; /* row-major */
	struct row_index *x;
};

static void world_fini(struct world *w)
{
	index_free(w->x);
	free(w->tests);
}

static void world_finip(struct world *w)
{
	world_fini(w);
}

static const int64_t edges[] = { INT64_MIN, INT64_MIN + 1, -1, 0, 1, 499, 500, INT64_MAX - 1,
	INT64_MAX };

static int64_t some_int(void)
{
	if (below(3) == 0)
		return edges[below(ARRAY_LEN(edges))];
	return (int64_t)below(40) - 20;
}

static u128 some_amount(void)
{
	static const int shifts[] = { 0, 63, 64, 96, 127 };

	switch (below(4)) {
	case 0:
		return ((u128)1 << shifts[below(ARRAY_LEN(shifts))]) - below(2);
	case 1:
		return ~(u128)0 - below(2);
	default:
		return below(30);
	}
}

static currency some_currency(void)
{
	static const char *const codes[] = { "ETH", "WETH", "USD" };

	return currency_find(str_of(codes[below(ARRAY_LEN(codes))]));
}

static void some_interval(const struct world *w, size_t column, struct interval *v)
{
	switch (w->kinds[column]) {
	case COLUMN_INT:
		v->i.lo = some_int();
		v->i.hi = below(3) == 0 ? v->i.lo : some_int(); /* lo > hi: accepts nothing */
		break;
	case COLUMN_SYMBOL:
		v->i.lo = v->i.hi = (int64_t)(w->is_bool[column] ? below(2) : 2 + below(9) * 3);
		break;
	case COLUMN_MONEY:
		v->m.lo = some_amount();
		v->m.hi = below(3) == 0 ? v->m.lo : some_amount();
		break;
	}
}

static void some_tests(const struct world *w, size_t column, struct row_tests *t)
{
	t->n = below(3) == 0 ? 0 : 1 + (below(4) == 0) + (below(9) == 0);
	for (size_t i = 0; i < t->n; i++) {
		struct test *test = &t->test[i];

		*test = (struct test){ .v = t->v[i], .n = (uint32_t)below(5) };
		if (w->kinds[column] == COLUMN_SYMBOL || below(5) == 0)
			test->is_negated = below(2);
		if (w->kinds[column] == COLUMN_MONEY)
			test->currency = some_currency();
		for (uint32_t k = 0; k < test->n; k++)
			some_interval(w, column, &t->v[i][k]);
	}
}

static void world_init(struct world *w, size_t n_rows)
{
	CLEANUP(index_builder_free) struct index_builder *b = NULL;

	*w = (struct world){ .n_rows = n_rows, .n_columns = below(COLUMNS + 1) };
	w->tests = calloc(n_rows * COLUMNS + 1, sizeof(*w->tests));
	cr_assert(zero(int, index_builder_new(&b, n_rows)));
	for (size_t c = 0; c < w->n_columns; c++) {
		w->kinds[c] = (enum column_kind)below(3);
		w->is_bool[c] = below(3) == 0;
		cr_assert(eq(int, index_builder_column(b, w->kinds[c], 70 + (int)c), (int)c));
	}
	for (size_t i = 0; i < n_rows; i++) {
		for (size_t c = 0; c < w->n_columns; c++) {
			struct row_tests *t = &w->tests[i * COLUMNS + c];

			some_tests(w, c, t);
			for (size_t k = 0; k < t->n; k++)
				cr_assert(zero(int, index_builder_test(b, i, (int)c, &t->test[k])));
		}
	}
	cr_assert(zero(int, index_build(&w->x, b)));
}

static struct cel_value some_value(const struct world *w, size_t column)
{
	if (below(10) == 0)
		return cel_absent(3);
	if (below(20) == 0)
		return cel_double(1.5);
	if (w->kinds[column] == COLUMN_INT)
		return below(2) ? cel_int(some_int()) : cel_bps(some_int());
	if (w->kinds[column] == COLUMN_MONEY)
		return cel_money((struct money){ some_amount(), some_currency() });
	if (w->is_bool[column])
		return cel_bool(below(2));
	return (struct cel_value){
		.kind = CEL_V_STRING, .sym = (uint16_t)(1 + below(32)), .s = "", .n = 0
	};
}

/* Written from the header's words, apart from everything that the index shares with accept.c. */
static bool test_holds(
	const struct world *w, size_t column, const struct test *t, const struct cel_value *v)
{
	bool is_in = false;

	switch (w->kinds[column]) {
	case COLUMN_INT:
		if (v->kind != CEL_V_INT && v->kind != CEL_V_BPS)
			return false;
		for (uint32_t i = 0; i < t->n; i++)
			is_in |= t->v[i].i.lo <= v->i && v->i <= t->v[i].i.hi;
		break;
	case COLUMN_SYMBOL:
		if (v->kind != CEL_V_STRING && v->kind != CEL_V_BOOL)
			return false;
		for (uint32_t i = 0; i < t->n; i++)
			is_in |= t->v[i].i.lo == (v->kind == CEL_V_BOOL ? v->b : v->sym);
		break;
	case COLUMN_MONEY:
		if (v->kind != CEL_V_MONEY || !currency_is_par(v->currency, t->currency))
			return false;
		for (uint32_t i = 0; i < t->n; i++)
			is_in |= t->v[i].m.lo <= cel_money_of(*v).amount &&
				 cel_money_of(*v).amount <= t->v[i].m.hi;
		break;
	}
	return is_in != t->is_negated;
}

static bool row_holds(const struct world *w, size_t row, const struct cel_value *values)
{
	for (size_t c = 0; c < w->n_columns; c++) {
		const struct row_tests *t = &w->tests[row * COLUMNS + c];

		for (size_t k = 0; k < t->n; k++) {
			if (!test_holds(w, c, &t->test[k], &values[c]))
				return false;
		}
	}
	return true;
}

static void compare_once(const struct world *w, uint64_t seed)
{
	struct cel_value values[COLUMNS];
	const struct cel_value *pointers[COLUMNS];
	uint64_t rows[INDEX_WORDS(700) + 1], allowed[INDEX_WORDS(700)];
	size_t first = SIZE_MAX, first_allowed = SIZE_MAX, words = INDEX_WORDS(w->n_rows);

	for (size_t c = 0; c < w->n_columns; c++) {
		values[c] = some_value(w, c);
		pointers[c] = &values[c];
	}
	for (size_t i = 0; i < words; i++)
		allowed[i] = next();
	rows[words] = 0x5a5a;
	index_match(w->x, pointers, rows);
	cr_assert(eq(u64, rows[words], 0x5a5a), "it writes its own words only");
	for (size_t i = 0; i < words * 64; i++) {
		bool is_in = rows[i / 64] >> (i % 64) & 1;
		bool holds = i < w->n_rows && row_holds(w, i, values);

		cr_assert(is_in == holds, "seed %lu, row %zu of %zu", (unsigned long)seed, i,
			w->n_rows);
		if (holds && first == SIZE_MAX)
			first = i;
		if (holds && first_allowed == SIZE_MAX && (allowed[i / 64] >> (i % 64) & 1))
			first_allowed = i;
	}
	cr_assert(eq(sz, index_first(w->x, pointers, NULL), first));
	cr_assert(eq(sz, index_first(w->x, pointers, allowed), first_allowed));
}

Test(index, answers_as_a_scan_of_all_rows_does)
{
	static const size_t sizes[] = { 0, 1, 5, 63, 64, 65, 128, 129, 200, 256, 257, 320, 700 };

	for (uint64_t seed = 1; seed <= 150; seed++) {
		CLEANUP(world_fini) struct world w;

		state = seed * 0x9e3779b97f4a7c15;
		world_init(&w, sizes[seed % ARRAY_LEN(sizes)]);
		for (int i = 0; i < 60; i++)
			compare_once(&w, seed);
	}
}

static struct row_index *one_row(enum column_kind kind, const struct test *t)
{
	CLEANUP(index_builder_free) struct index_builder *b = NULL;
	struct row_index *x = NULL;

	cr_assert(zero(int, index_builder_new(&b, 1)));
	cr_assert(zero(int, index_builder_column(b, kind, 0)));
	cr_assert(zero(int, index_builder_test(b, 0, 0, t)));
	cr_assert(zero(int, index_build(&x, b)));
	return x;
}

static bool accepts(const struct row_index *x, struct cel_value v)
{
	const struct cel_value *values[] = { &v };

	return index_first(x, values, NULL) == 0;
}

Test(index, integers_are_told_apart_at_both_ends_of_their_range)
{
	struct interval all = { .i = { INT64_MIN, INT64_MAX } };
	struct interval lowest = { .i = { INT64_MIN, INT64_MIN } };
	struct interval highest = { .i = { INT64_MAX, INT64_MAX } };
	CLEANUP(index_free)
	struct row_index *a = one_row(COLUMN_INT, &(struct test){ .v = &all, .n = 1 });
	CLEANUP(index_free)
	struct row_index *l = one_row(COLUMN_INT, &(struct test){ .v = &lowest, .n = 1 });
	CLEANUP(index_free)
	struct row_index *h = one_row(COLUMN_INT, &(struct test){ .v = &highest, .n = 1 });

	cr_expect(accepts(a, cel_int(INT64_MIN)) && accepts(a, cel_int(INT64_MAX)));
	cr_expect(not(accepts(a, cel_absent(0))));
	cr_expect(accepts(l, cel_int(INT64_MIN)) && !accepts(l, cel_int(INT64_MIN + 1)));
	cr_expect(accepts(h, cel_int(INT64_MAX)) && !accepts(h, cel_int(INT64_MAX - 1)));
}

Test(index, a_moment_counts_as_its_millisecond_before_1970_too)
{
	struct interval v = { .i = { -1500, -1 } };
	CLEANUP(index_free)
	struct row_index *x = one_row(COLUMN_INT, &(struct test){ .v = &v, .n = 1 });
	struct cel_value t = { .kind = CEL_V_TIMESTAMP, .i = -2, .n = 500000000 };

	cr_expect(accepts(x, t), "-1500 ms");
	t.n = 499999999;
	cr_expect(not(accepts(x, t)), "-1501 ms: rounded down, not toward zero");
	t = (struct cel_value){ .kind = CEL_V_TIMESTAMP, .i = -1, .n = 999999999 };
	cr_expect(accepts(x, t), "-1 ms");
	t = (struct cel_value){ .kind = CEL_V_TIMESTAMP };
	cr_expect(not(accepts(x, t)));
}

Test(index, an_empty_test_accepts_nothing_and_its_negation_whatever_is_there)
{
	CLEANUP(index_free)
	struct row_index *none = one_row(COLUMN_SYMBOL, &(struct test){ 0 });
	CLEANUP(index_free)
	struct row_index *some = one_row(COLUMN_SYMBOL, &(struct test){ .is_negated = true });
	struct cel_value text = { .kind = CEL_V_STRING, .sym = 7, .s = "" };

	cr_expect(not(accepts(none, text)));
	cr_expect(accepts(some, text) && accepts(some, cel_bool(false)));
	cr_expect(not(accepts(some, cel_absent(0))));
	cr_expect(not(accepts(none, cel_absent(0))));
}

Test(index, what_would_be_too_large_is_refused)
{
	CLEANUP(index_builder_free) struct index_builder *b = NULL;
	CLEANUP(index_free) struct row_index *x = NULL;

	/* 64 columns of 2 x 4,096 bounds, each with a set of 512 bytes: 256 MiB. */
	cr_assert(zero(int, index_builder_new(&b, INDEX_ROWS_MAX)));
	for (int c = 0; c < INDEX_COLUMNS_MAX; c++)
		cr_assert(eq(int, index_builder_column(b, COLUMN_INT, c), c));
	cr_expect(eq(int, index_builder_column(b, COLUMN_INT, 64), -ENOSPC));
	for (size_t i = 0; i < INDEX_ROWS_MAX; i++) {
		for (int c = 0; c < INDEX_COLUMNS_MAX; c++) {
			struct interval v = { .i = { (int64_t)i * 10, (int64_t)i * 10 + 5 } };

			cr_assert(zero(int,
				index_builder_test(b, i, c, &(struct test){ .v = &v, .n = 1 })));
		}
	}
	cr_expect(eq(int, index_build(&x, b), -ENOSPC));
	cr_expect(eq(ptr, x, NULL));
}

Test(index, sets_say_what_a_column_tells_apart)
{
	CLEANUP(index_builder_free) struct index_builder *b = NULL;
	CLEANUP(index_free) struct row_index *x = NULL;
	struct interval low = { .i = { INT64_MIN, 499 } }, gold = { .i = { 5, 5 } };

	cr_assert(zero(int, index_builder_new(&b, 3)));
	cr_assert(zero(int, index_builder_column(b, COLUMN_INT, 40)));
	cr_assert(eq(int, index_builder_column(b, COLUMN_SYMBOL, 41), 1));
	cr_assert(zero(int, index_builder_test(b, 0, 0, &(struct test){ .v = &low, .n = 1 })));
	cr_assert(zero(int, index_builder_test(b, 1, 1, &(struct test){ .v = &gold, .n = 1 })));
	cr_assert(zero(int, index_build(&x, b)));

	cr_expect(eq(int, index_column_tag(x, 1), 41));
	cr_assert(eq(sz, index_n_sets(x, 0), 3));
	cr_expect(eq(int, (int)index_set(x, 0, 0).kind, INDEX_SET_FREE));
	cr_expect(eq(u64, index_set(x, 0, 0).rows[0], 6));
	cr_expect(eq(i64, index_set(x, 0, 1).v.i.hi, 499));
	cr_expect(eq(u64, index_set(x, 0, 1).rows[0], 7));
	cr_expect(eq(i64, index_set(x, 0, 2).v.i.lo, 500));
	cr_expect(eq(i64, index_set(x, 0, 2).v.i.hi, INT64_MAX));
	cr_assert(eq(sz, index_n_sets(x, 1), 3));
	cr_expect(eq(int, (int)index_set(x, 1, 1).kind, INDEX_SET_OTHER));
	cr_expect(eq(u64, index_set(x, 1, 1).rows[0], 5));
	cr_expect(eq(int, (int)index_set(x, 1, 2).kind, INDEX_SET_SYMBOL));
	cr_expect(eq(i64, index_set(x, 1, 2).v.i.lo, 5));
	cr_expect(eq(u64, index_set(x, 1, 2).rows[0], 7));
}

/* ---- sets of accepted values ---- */

Test(accept, complement_and_intersection_meet_at_the_ends_of_the_line)
{
	struct accept a, b;

	accept_none(&a, COLUMN_MONEY, 1);
	cr_assert(accept_complement(&a));
	cr_expect(eq(int, (int)a.n, 1));
	cr_expect(a.v[0].lo == 0 && a.v[0].hi == ~(u128)0);
	cr_assert(accept_complement(&a));
	cr_expect(eq(int, (int)a.n, 0));
	accept_none(&a, COLUMN_INT, 0);
	cr_assert(accept_add(&a, accept_key(INT64_MAX), accept_key(INT64_MAX)));
	cr_assert(accept_add(&a, accept_key(INT64_MIN), accept_key(-1)));
	cr_assert(accept_complement(&a));
	cr_assert(eq(int, (int)a.n, 1));
	cr_expect(eq(i64, accept_integer(a.v[0].lo), 0));
	cr_expect(eq(i64, accept_integer(a.v[0].hi), INT64_MAX - 1));
	accept_all(&b, COLUMN_INT, 0);
	cr_assert(accept_intersect(&b, &a));
	cr_expect(eq(int, (int)b.n, 1));
	cr_assert(accept_add(&a, accept_key(-5), accept_key(-1)), "touching ones become one");
	cr_expect(eq(int, (int)a.n, 1));
}

Test(accept, symbols_that_were_negated_are_told_apart_again)
{
	struct interval in[] = { { .i = { 4, 4 } }, { .i = { 2, 2 } }, { .i = { 3, 3 } } };
	struct interval out[ACCEPT_MAX];
	struct test t = { .v = in, .n = 3, .is_negated = true }, back;
	struct accept a;

	cr_assert(accept_of_test(&a, COLUMN_SYMBOL, &t));
	cr_assert(accept_to_test(&a, &back, out));
	cr_expect(back.is_negated);
	cr_assert(eq(int, (int)back.n, 3));
	cr_expect(eq(i64, out[0].i.lo, 2));
	cr_expect(eq(i64, out[2].i.lo, 4));
	cr_assert(accept_complement(&a));
	cr_assert(accept_to_test(&a, &back, out));
	cr_expect(not(back.is_negated));
	cr_expect(eq(int, (int)back.n, 3));
}

Test(accept, more_stretches_than_there_is_room_for_are_refused)
{
	struct accept a;
	struct test t;
	struct interval out[ACCEPT_MAX];

	accept_none(&a, COLUMN_INT, 0);
	for (int64_t i = 0; i < ACCEPT_MAX; i++)
		cr_assert(accept_add(&a, accept_key(i * 2), accept_key(i * 2)));
	cr_expect(accept_to_test(&a, &t, out));
	cr_expect(accept_add(&a, accept_key(1), accept_key(1)), "it fills a gap");
	cr_expect(accept_add(&a, accept_key(1000), accept_key(1000)));
	cr_expect(accept_to_test(&a, &t, out));
	cr_expect(accept_add(&a, accept_key(2000), accept_key(2000)));
	cr_expect(not(accept_to_test(&a, &t, out)), "no test has 65 intervals");
	cr_expect(not(accept_add(&a, accept_key(3000), accept_key(3000))));
}
