/*
 * A match is one query of the index and, for the rows that it left, the cells that no index can
 * hold. Cells of a row absorb each other as conjuncts do: one that is false makes the errors of the
 * others meaningless, and something absent makes the row not apply. So a row fails only if nothing
 * else would have kept it from holding.
 *
 * An input that fails (an expression that overflows) fails for every row that tests it. That is
 * said once, of the first such row.
 */
#include "pricing/rules/table_impl.h"

#include <string.h>

#include "pricing/rules/accept.h"

#define MS_A_SECOND 1000
#define NS_A_MS     1000000

enum verdict { NO, YES, FAILED };

struct failing { /* where failures go; more than there is room for are dropped */
	struct table_failure *v;
	uint32_t n, max;
};

struct bound {
	const struct cel_value *values[TABLE_INPUTS_MAX];
	struct cel_value computed[TABLE_INPUTS_MAX];
};

static bool is_failure(struct cel_value v)
{
	return cel_is_error(v) && v.sym < CEL_R_FIRST_NOT_APPLICABLE;
}

static void note(struct failing *f, size_t row, struct cel_value error)
{
	if (f->n < f->max)
		f->v[f->n++] = (struct table_failure){ (uint32_t)row, error };
}

/* The first row that tests the column. */
static void note_input(const struct table *t, size_t column, const uint64_t *allowed,
	struct cel_value error, struct failing *f)
{
	const uint64_t *untested = index_set(t->index, column, 0).rows;

	for (size_t i = 0; i < t->n_rows; i++) {
		uint64_t bit = (uint64_t)1 << (i % 64);

		if ((untested[i / 64] & bit) || (allowed && !(allowed[i / 64] & bit)))
			continue;
		note(f, i, error);
		return;
	}
}

/* Whether one of the rows that may be looked at tests the column: what nobody asks for is not
 * computed, least of all from fields that want consent. */
static bool is_asked(const struct table *t, size_t column, const uint64_t *allowed)
{
	const uint64_t *untested = index_set(t->index, column, 0).rows;
	uint64_t asking = 0;

	for (size_t w = 0; w < INDEX_WORDS(t->n_rows); w++)
		asking |= allowed[w] & ~untested[w];
	return asking != 0;
}

static struct cel_value compute(const struct table *t, const struct table_column *column,
	struct cel_context *c, const struct cel_value *slots)
{
	struct cel_value v = cel_eval(column->program, c, slots);

	if (column->is_text && v.kind == CEL_V_STRING && v.sym == CEL_SYM_NONE)
		v.sym = cel_symbols_find(t->symbols, cel_str(v));
	return v;
}

static void bind(const struct table *t, struct cel_context *c, const struct cel_value *slots,
	const uint64_t *allowed, struct bound *b, struct failing *f)
{
	for (size_t i = 0; i < t->n_columns; i++) {
		const struct table_column *column = &t->columns[i];

		if (!column->program) {
			b->values[i] = &slots[column->slot];
			continue;
		}
		b->values[i] = &b->computed[i];
		if (allowed && !is_asked(t, i, allowed)) {
			b->computed[i] = cel_null();
			continue;
		}
		b->computed[i] = compute(t, column, c, slots);
		if (is_failure(b->computed[i]))
			note_input(t, i, allowed, b->computed[i], f);
	}
}

/* The cells of a row that the index does not hold. */
static enum verdict evaluate(const struct table *t, size_t row, struct cel_context *c,
	const struct cel_value *slots, struct cel_value *ret_error)
{
	enum verdict ret = YES;
	bool is_absent = false;

	for (size_t i = 0; i < t->n_inputs; i++) {
		const struct cel_program *program = table_cell(t, row, i)->cell.program;
		size_t mark = arena_used(c->arena);
		struct cel_value v;

		if (!program)
			continue;
		v = cel_eval(program, c, slots);
		if (v.kind == CEL_V_BOOL)
			arena_rewind(c->arena, mark);
		if (v.kind == CEL_V_BOOL && !v.b)
			return NO;
		if (is_failure(v)) {
			*ret_error = ret == YES ? v : *ret_error;
			ret = FAILED;
		} else if (v.kind != CEL_V_BOOL) {
			is_absent = true;
		}
	}
	return is_absent ? NO : ret;
}

static enum verdict verdict_on(const struct table *t, size_t row, struct cel_context *c,
	const struct cel_value *slots, struct failing *f)
{
	struct cel_value error = cel_null();
	enum verdict ret;

	if (!table_is_residual(t, row))
		return YES;
	ret = evaluate(t, row, c, slots, &error);
	if (ret == FAILED)
		note(f, row, error);
	return ret;
}

static size_t next_row(const uint64_t *rows, size_t from, size_t n)
{
	for (size_t w = from / 64; w < INDEX_WORDS(n); w++) {
		uint64_t word = rows[w];

		if (w == from / 64)
			word &= ~(uint64_t)0 << (from % 64);
		if (word)
			return w * 64 + (size_t)__builtin_ctzll(word);
	}
	return SIZE_MAX;
}

/* Takes the rows that do not hold out of @rows; of FIRST and UNIQUE all after the first that does.
 * The first, or SIZE_MAX. */
static size_t sift(const struct table *t, struct cel_context *c, const struct cel_value *slots,
	uint64_t *rows, struct failing *f)
{
	bool is_single = t->hit == HIT_FIRST || t->hit == HIT_UNIQUE;
	size_t first = SIZE_MAX, i = next_row(rows, 0, t->n_rows);

	for (; i != SIZE_MAX; i = next_row(rows, i + 1, t->n_rows)) {
		uint64_t bit = (uint64_t)1 << (i % 64);

		if (first != SIZE_MAX && t->hit == HIT_FIRST) {
			rows[i / 64] &= ~bit;
		} else if (verdict_on(t, i, c, slots, f) != YES) {
			rows[i / 64] &= ~bit;
		} else if (first == SIZE_MAX) {
			first = i;
		} else if (is_single) {
			rows[i / 64] &= ~bit;
			note(f, i, cel_error(CEL_R_ARGUMENT, "two rows hold where one may"));
		}
	}
	return first;
}

static size_t match(const struct table *t, struct cel_context *c, const struct cel_value *slots,
	const uint64_t *allowed, uint64_t *rows, struct failing *f)
{
	struct bound b;

	bind(t, c, slots, allowed, &b, f);
	index_match(t->index, b.values, rows);
	for (size_t w = 0; allowed && w < INDEX_WORDS(t->n_rows); w++)
		rows[w] &= allowed[w];
	return sift(t, c, slots, rows, f);
}

void table_match(const struct table *t, struct cel_context *c, const struct cel_value *slots,
	const uint64_t *allowed, struct table_result *ret)
{
	struct failing f = { ret->failures, 0, TABLE_FAILURES_MAX };

	match(t, c, slots, allowed, ret->rows, &f);
	ret->n_failures = f.n;
}

size_t table_first(const struct table *t, struct cel_context *c, const struct cel_value *slots,
	const uint64_t *allowed, struct table_failure *failure)
{
	const struct cel_value *values[TABLE_INPUTS_MAX];
	uint64_t rows[INDEX_WORDS(TABLE_ROWS_MAX)];
	struct failing f = { failure, 0, 1 };

	if (!t->is_plain || t->hit != HIT_FIRST)
		return match(t, c, slots, allowed, rows, &f);
	for (size_t i = 0; i < t->n_columns; i++)
		values[i] = &slots[t->columns[i].slot];
	return index_first(t->index, values, allowed);
}

enum hit_policy table_hit(const struct table *t)
{
	return t->hit;
}

size_t table_n_rows(const struct table *t)
{
	return t->n_rows;
}

uint64_t table_cost(const struct table *t)
{
	return t->cost;
}

static void add_slots(uint64_t *ret, const uint64_t *slots)
{
	for (size_t i = 0; i < CEL_VARS_MAX / 64; i++)
		ret[i] |= slots[i];
}

void table_row_slots(const struct table *t, size_t row, uint64_t ret[CEL_VARS_MAX / 64])
{
	for (size_t i = 0; i < t->n_inputs; i++) {
		const struct cell *cell = &table_cell(t, row, i)->cell;

		if (cell->has_test || cell->program)
			add_slots(ret, t->inputs[i].slots);
		if (cell->program)
			add_slots(ret, cel_program_slots(cell->program));
	}
}

void table_slots(const struct table *t, uint64_t ret[CEL_VARS_MAX / 64])
{
	for (size_t i = 0; i < t->n_inputs; i++)
		add_slots(ret, t->inputs[i].slots);
	for (size_t i = 0; i < t->n_rows; i++)
		table_row_slots(t, i, ret);
}

/* ---- why not ---- */

static struct cel_value moment(int64_t ms)
{
	int64_t seconds = ms / MS_A_SECOND - (ms % MS_A_SECOND < 0);

	return (struct cel_value){ .kind = CEL_V_TIMESTAMP,
		.n = (uint32_t)(ms - seconds * MS_A_SECOND) * NS_A_MS,
		.i = seconds };
}

struct cel_value table_value(
	const struct table *t, const struct table_input *in, currency c, u128 place)
{
	struct cel_value v;

	switch (in->type) {
	case CEL_T_INT:
		return cel_int(accept_integer(place));
	case CEL_T_BPS:
		return cel_bps(accept_integer(place));
	case CEL_T_TIMESTAMP:
		return moment(accept_integer(place));
	case CEL_T_MONEY:
		return cel_money((struct money){ place, c });
	case CEL_T_BOOL:
		return cel_bool(place != 0);
	case CEL_T_STRING:
		v = cel_string(cel_symbols_text(t->symbols, (uint16_t)place));
		v.sym = (uint16_t)place;
		return v;
	default:
		return cel_null();
	}
}

/* The end of a stretch that is nearest to where the value lies; of an absent one, the first. */
static struct cel_value nearest_end(const struct table *t, const struct table_input *in,
	const struct accept *a, const struct cel_value *have)
{
	u128 at, best = 0, distance = ~(u128)0;
	bool is_placed = accept_place(&at, a->kind, a->currency, have);

	for (uint32_t i = 0; i < a->n; i++) {
		u128 ends[] = { a->v[i].lo, a->v[i].hi };

		for (size_t k = 0; k < ARRAY_LEN(ends); k++) {
			u128 away = ends[k] > at ? ends[k] - at : at - ends[k];

			if (!is_placed || away > distance || (i + k > 0 && away == distance))
				continue;
			best = ends[k];
			distance = away;
		}
	}
	if (!is_placed)
		best = a->v[0].lo > 0 ? a->v[0].lo : a->v[0].hi;
	return table_value(t, in, a->currency, best);
}

/* One text as it is, several as a list in the context's arena. */
static struct cel_value texts(struct cel_context *c, const struct cel_value *v, uint32_t n)
{
	struct cel_value *copy;

	if (n == 1)
		return v[0];
	copy = n ? arena_alloc(c->arena, n * sizeof(*copy)) : NULL;
	if (!copy)
		return cel_null();
	memcpy(copy, v, n * sizeof(*copy));
	return (struct cel_value){ .kind = CEL_V_LIST, .n = n, .list = copy };
}

/* Of a negated test, the texts that the field can have beside those. */
static struct cel_value nearest_texts(const struct table *t, const struct table_input *in,
	const struct test *test, struct cel_context *c)
{
	struct cel_value v[INDEX_INTERVALS_MAX];
	uint32_t n = 0;

	for (uint32_t i = 0; !test->is_negated && i < test->n; i++)
		v[n++] = table_value(t, in, 0, (u128)test->v[i].i.lo);
	for (size_t i = 0; test->is_negated && in->values && in->values[i]; i++) {
		struct cel_value one = cel_string(str_of(in->values[i]));

		one.sym = cel_symbols_find(t->symbols, cel_str(one));
		if (one.n > 0 && n < ARRAY_LEN(v) && test_accepts(test, COLUMN_SYMBOL, &one))
			v[n++] = one;
	}
	return texts(c, v, n);
}

static struct cel_value nearest_to_accepted(const struct table *t, const struct table_input *in,
	const struct cell *cell, const struct cel_value *have, struct cel_context *c)
{
	struct accept a;

	if (in->type == CEL_T_STRING)
		return nearest_texts(t, in, &cell->test, c);
	if (in->type == CEL_T_BOOL && cell->test.is_negated)
		return cel_null();
	if (!accept_of_test(&a, in->kind, &cell->test) || a.n == 0)
		return cel_null();
	return nearest_end(t, in, &a, have);
}

static struct cel_value input_value(const struct table *t, const struct table_input *in,
	struct cel_context *c, const struct cel_value *slots)
{
	struct cel_value v = in->program ? cel_eval(in->program, c, slots) : slots[in->slot];

	if (v.kind == CEL_V_STRING && v.sym == CEL_SYM_NONE)
		v.sym = cel_symbols_find(t->symbols, cel_str(v));
	return v;
}

bool table_why(const struct table *t, size_t row, struct cel_context *c,
	const struct cel_value *slots, struct table_why *ret)
{
	for (size_t i = 0; i < t->n_inputs; i++) {
		const struct table_cell *cell = table_cell(t, row, i);
		const struct table_input *in = &t->inputs[i];
		struct cel_value have = input_value(t, in, c, slots), v = cel_bool(true);
		bool is_refused =
			cell->cell.has_test && !test_accepts(&cell->cell.test, in->kind, &have);

		if (!is_refused && cell->cell.program)
			v = cel_eval(cell->cell.program, c, slots);
		if (!is_refused && v.kind == CEL_V_BOOL && v.b)
			continue;
		*ret = (struct table_why){ .column = i,
			.have = have,
			.need = is_refused ? nearest_to_accepted(t, in, &cell->cell, &have, c)
					   : cel_null(),
			.input = in->source,
			.cell = cell->source };
		return true;
	}
	return false;
}
