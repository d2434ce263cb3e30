/*
 * A query costs one lookup a column (a branch-free search, or one load from a map), and one `and` a
 * word. Nothing in it depends on how many rows hold, so it takes the same time for the first row as
 * for the last.
 *
 * Up to 256 rows the intersection stays in registers: one pass over the columns, no list of sets.
 */
#include "pricing/rules/index_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define INLINE inline __attribute__((always_inline))

#define MS_A_SECOND 1000
#define NS_A_MS     1000000

/* How many of n >= 1 bounds are at or below @v: the number of the stretch. A choice of
 * two pointers is what compilers make a conditional move of; of a conditional step they make a
 * jump, and half of those are mispredicted. */
static INLINE size_t stretch_i64(const int64_t *at, size_t n, int64_t v)
{
	const int64_t *base = at;

	while (n > 1) {
		size_t half = n / 2;
		const int64_t *next = base + half;

		base = next[-1] <= v ? next : base;
		n -= half;
	}
	return (size_t)(base - at) + (*base <= v);
}

static size_t stretch_u128(const u128 *at, size_t n, u128 v)
{
	const u128 *base = at;

	while (n > 1) {
		size_t half = n / 2;
		const u128 *next = base + half;

		base = next[-1] <= v ? next : base;
		n -= half;
	}
	return (size_t)(base - at) + (*base <= v);
}

static INLINE size_t int_set(const struct column *c, const struct cel_value *v)
{
	int64_t i = v->i;

	if (!(c->kinds >> v->kind & 1))
		return 0;
	if (v->kind == CEL_V_TIMESTAMP)
		i = v->i * MS_A_SECOND + v->n / NS_A_MS;
	return 1 + stretch_i64(c->at, c->n, i);
}

static INLINE size_t symbol_set(const struct column *c, const struct cel_value *v)
{
	unsigned sym = v->sym;

	if (!(c->kinds >> v->kind & 1))
		return 0;
	if (v->kind == CEL_V_BOOL)
		sym = v->b;
	else
		assert(sym != CEL_SYM_NONE);
	sym -= c->lowest;
	return sym < c->n ? c->map[sym] : 1;
}

static __attribute__((noinline)) size_t money_set(const struct column *c, const struct cel_value *v)
{
	if (v->kind != CEL_V_MONEY)
		return 0;
	for (size_t i = 0; i < c->n; i++) {
		const struct money_part *p = &c->parts[i];

		if (currency_is_par(p->currency, v->currency))
			return p->first_set + stretch_u128(p->at, p->n, cel_money_of(*v).amount);
	}
	return 0;
}

static INLINE const uint64_t *set_of(
	const struct column *c, const struct cel_value *v, uint32_t stride)
{
	size_t set;

	if (c->kind == COLUMN_INT)
		set = int_set(c, v);
	else if (c->kind == COLUMN_SYMBOL)
		set = symbol_set(c, v);
	else
		set = money_set(c, v);
	return c->sets + set * stride;
}

typedef uint64_t pair __attribute__((vector_size(16)));

static INLINE pair load(const uint64_t *p)
{
	pair ret;

	memcpy(&ret, p, sizeof(ret));
	return ret;
}

/* In two registers. */
static INLINE void intersect_4(
	const struct row_index *x, const struct cel_value *const *values, uint64_t acc[INDEX_BLOCK])
{
	pair low = load(x->all), high = load(x->all + 2);

	for (uint32_t i = 0; i < x->n_columns; i++) {
		const uint64_t *set = set_of(&x->columns[i], values[i], INDEX_BLOCK);

		low &= load(set);
		high &= load(set + 2);
	}
	memcpy(acc, &low, sizeof(low));
	memcpy(acc + 2, &high, sizeof(high));
}

static INLINE uint64_t intersect_1(const struct row_index *x, const struct cel_value *const *values)
{
	uint64_t acc = x->all[0];

	for (uint32_t i = 0; i < x->n_columns; i++)
		acc &= *set_of(&x->columns[i], values[i], 1);
	return acc;
}

static void sets_of(
	const struct row_index *x, const struct cel_value *const *values, const uint64_t **ret)
{
	for (uint32_t i = 0; i < x->n_columns; i++)
		ret[i] = set_of(&x->columns[i], values[i], x->stride);
}

static INLINE void intersect_block(const struct row_index *x, const uint64_t *const *sets,
	size_t first, uint64_t acc[INDEX_BLOCK])
{
	for (size_t w = 0; w < INDEX_BLOCK; w++)
		acc[w] = x->all[first + w];
	for (uint32_t i = 0; i < x->n_columns; i++) {
		for (size_t w = 0; w < INDEX_BLOCK; w++)
			acc[w] &= sets[i][first + w];
	}
}

void index_match(const struct row_index *x, const struct cel_value *const *values, uint64_t *ret)
{
	const uint64_t *sets[INDEX_COLUMNS_MAX];
	uint64_t acc[INDEX_BLOCK];

	if (x->stride == 1) {
		acc[0] = intersect_1(x, values);
		if (x->n_words > 0)
			ret[0] = acc[0];
		return;
	}
	if (x->stride == INDEX_BLOCK) {
		intersect_4(x, values, acc);
		for (size_t w = 0; w < x->n_words; w++)
			ret[w] = acc[w];
		return;
	}
	sets_of(x, values, sets);
	for (size_t first = 0; first < x->stride; first += INDEX_BLOCK) {
		intersect_block(x, sets, first, acc);
		for (size_t w = 0; w < INDEX_BLOCK && first + w < x->n_words; w++)
			ret[first + w] = acc[w];
	}
}

/* Which word has the first row is as good as random: found without a jump. */
static INLINE size_t first_of_block(const uint64_t acc[INDEX_BLOCK])
{
	unsigned words = (unsigned)(acc[0] != 0) | (unsigned)(acc[1] != 0) << 1 |
			 (unsigned)(acc[2] != 0) << 2 | (unsigned)(acc[3] != 0) << 3;
	size_t w;

	if (!words)
		return SIZE_MAX;
	w = (size_t)__builtin_ctz(words);
	return w * 64 + (size_t)__builtin_ctzll(acc[w]);
}

static INLINE void restrict_to(
	uint64_t acc[INDEX_BLOCK], const uint64_t *allowed, size_t n_words, size_t first)
{
	if (!allowed)
		return;
	for (size_t w = 0; w < INDEX_BLOCK && first + w < n_words; w++)
		acc[w] &= allowed[first + w];
}

static size_t first_of_many(
	const struct row_index *x, const struct cel_value *const *values, const uint64_t *allowed)
{
	const uint64_t *sets[INDEX_COLUMNS_MAX];
	uint64_t acc[INDEX_BLOCK];

	sets_of(x, values, sets);
	for (size_t first = 0; first < x->stride; first += INDEX_BLOCK) {
		size_t row;

		intersect_block(x, sets, first, acc);
		restrict_to(acc, allowed, x->n_words, first);
		row = first_of_block(acc);
		if (row != SIZE_MAX)
			return first * 64 + row;
	}
	return SIZE_MAX;
}

size_t index_first(
	const struct row_index *x, const struct cel_value *const *values, const uint64_t *allowed)
{
	uint64_t acc[INDEX_BLOCK] = { 0 };

	if (x->stride == 1)
		acc[0] = intersect_1(x, values);
	else if (x->stride == INDEX_BLOCK)
		intersect_4(x, values, acc);
	else
		return first_of_many(x, values, allowed);
	restrict_to(acc, allowed, x->n_words, 0);
	return first_of_block(acc);
}

struct row_index *index_free(struct row_index *x)
{
	free(x);
	return NULL;
}

size_t index_n_rows(const struct row_index *x)
{
	return x->n_rows;
}

size_t index_n_columns(const struct row_index *x)
{
	return x->n_columns;
}

int index_column_tag(const struct row_index *x, size_t column)
{
	return x->columns[column].tag;
}

enum column_kind index_column_kind(const struct row_index *x, size_t column)
{
	return (enum column_kind)x->columns[column].kind;
}

size_t index_n_sets(const struct row_index *x, size_t column)
{
	return x->columns[column].n_sets;
}

static void describe_int(const struct column *c, size_t stretch, struct index_set *ret)
{
	ret->kind = INDEX_SET_STRETCH;
	ret->v.i.lo = stretch > 0 ? c->at[stretch - 1] : INT64_MIN;
	ret->v.i.hi = stretch < c->n ? c->at[stretch] - 1 : INT64_MAX;
}

static void describe_money(const struct column *c, size_t set, struct index_set *ret)
{
	const struct money_part *p = c->parts;
	size_t stretch;

	while (set > p->first_set + p->n)
		p++;
	stretch = set - p->first_set;
	ret->kind = INDEX_SET_STRETCH;
	ret->currency = p->currency;
	ret->v.m.lo = stretch > 0 ? p->at[stretch - 1] : 0;
	ret->v.m.hi = stretch < p->n ? p->at[stretch] - 1 : ~(u128)0;
}

static void describe_symbol(const struct column *c, size_t set, struct index_set *ret)
{
	ret->kind = set == 1 ? INDEX_SET_OTHER : INDEX_SET_SYMBOL;
	for (uint32_t i = 0; set > 1 && i < c->n; i++) {
		if (c->map[i] == set)
			ret->v.i.lo = ret->v.i.hi = c->lowest + i;
	}
}

struct index_set index_set(const struct row_index *x, size_t column, size_t set)
{
	const struct column *c = &x->columns[column];
	struct index_set ret = { .kind = INDEX_SET_FREE, .rows = c->sets + set * x->stride };

	if (set == 0)
		return ret;
	if (c->kind == COLUMN_INT)
		describe_int(c, set - 1, &ret);
	else if (c->kind == COLUMN_MONEY)
		describe_money(c, set, &ret);
	else
		describe_symbol(c, set, &ret);
	return ret;
}
