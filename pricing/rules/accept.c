/*
 * Union and intersection are merges of two sorted lists. A symbol set that reaches the end of the
 * line is one that was negated (no symbol is that high), which is how a test is told apart again.
 */
#include "pricing/rules/accept.h"

#include <assert.h>

#include "pricing/cel/symbols.h"

#define SYMBOL_TOP UINT16_MAX
_Static_assert(CEL_SYMBOLS_MAX < SYMBOL_TOP, "the end of the line is no symbol");

#define MS_A_SECOND 1000
#define NS_A_MS     1000000

u128 accept_top(enum column_kind kind)
{
	switch (kind) {
	case COLUMN_INT:
		return UINT64_MAX;
	case COLUMN_SYMBOL:
		return SYMBOL_TOP;
	case COLUMN_MONEY:
		break;
	}
	return ~(u128)0;
}

void accept_none(struct accept *a, enum column_kind kind, currency c)
{
	a->kind = kind;
	a->currency = c;
	a->n = 0;
}

void accept_all(struct accept *a, enum column_kind kind, currency c)
{
	accept_none(a, kind, c);
	a->v[0].lo = 0;
	a->v[0].hi = accept_top(kind);
	a->n = 1;
}

/* After all others in order: touching stretches become one. */
static bool append(struct accept *a, u128 lo, u128 hi)
{
	if (a->n > 0 && (a->v[a->n - 1].hi >= lo || a->v[a->n - 1].hi + 1 == lo)) {
		if (a->v[a->n - 1].hi < hi)
			a->v[a->n - 1].hi = hi;
		return true;
	}
	if (a->n == ARRAY_LEN(a->v))
		return false;
	a->v[a->n].lo = lo;
	a->v[a->n++].hi = hi;
	return true;
}

bool accept_unite(struct accept *a, const struct accept *b)
{
	struct accept left = *a;
	uint32_t i = 0, j = 0;

	assert(a->kind == b->kind);
	a->n = 0;
	while (i < left.n || j < b->n) {
		bool is_left = j == b->n || (i < left.n && left.v[i].lo <= b->v[j].lo);
		bool ok = is_left ? append(a, left.v[i].lo, left.v[i].hi)
				  : append(a, b->v[j].lo, b->v[j].hi);

		if (!ok)
			return false;
		*(is_left ? &i : &j) += 1;
	}
	return true;
}

bool accept_add(struct accept *a, u128 lo, u128 hi)
{
	struct accept one;

	assert(lo <= hi);
	if (a->n == 0 || a->v[a->n - 1].hi < lo)
		return append(a, lo, hi);
	accept_none(&one, a->kind, a->currency);
	one.v[0].lo = lo;
	one.v[0].hi = hi;
	one.n = 1;
	return accept_unite(a, &one);
}

bool accept_intersect(struct accept *a, const struct accept *b)
{
	struct accept left = *a;
	uint32_t i = 0, j = 0;

	assert(a->kind == b->kind);
	a->n = 0;
	while (i < left.n && j < b->n) {
		u128 lo = left.v[i].lo > b->v[j].lo ? left.v[i].lo : b->v[j].lo;
		u128 hi = left.v[i].hi < b->v[j].hi ? left.v[i].hi : b->v[j].hi;

		if (lo <= hi && !append(a, lo, hi))
			return false;
		*(left.v[i].hi < b->v[j].hi ? &i : &j) += 1;
	}
	return true;
}

bool accept_complement(struct accept *a)
{
	struct accept old = *a;
	u128 top = accept_top(a->kind), next = 0;
	bool is_past = false;

	a->n = 0;
	for (uint32_t i = 0; i < old.n; i++) {
		if (old.v[i].lo > next && !append(a, next, old.v[i].lo - 1))
			return false;
		is_past = old.v[i].hi == top;
		next = old.v[i].hi + 1;
	}
	return is_past || append(a, next, top);
}

bool accept_of_test(struct accept *ret, enum column_kind kind, const struct test *t)
{
	accept_none(ret, kind, t->currency);
	for (uint32_t i = 0; i < t->n; i++) {
		u128 lo = t->v[i].m.lo, hi = t->v[i].m.hi;

		if (kind == COLUMN_INT) {
			lo = accept_key(t->v[i].i.lo);
			hi = accept_key(t->v[i].i.hi);
		} else if (kind == COLUMN_SYMBOL) {
			lo = hi = (u128)t->v[i].i.lo;
			assert(lo < SYMBOL_TOP);
		}
		if (lo <= hi && !accept_add(ret, lo, hi))
			return false;
	}
	return !t->is_negated || accept_complement(ret);
}

static bool symbols_to_test(const struct accept *a, struct test *ret, struct interval *v)
{
	struct accept named = *a;

	ret->is_negated = a->n > 0 && a->v[a->n - 1].hi == SYMBOL_TOP;
	if (ret->is_negated && !accept_complement(&named))
		return false;
	for (uint32_t i = 0; i < named.n; i++) {
		for (u128 s = named.v[i].lo; s <= named.v[i].hi; s++) {
			if (ret->n == ACCEPT_MAX)
				return false;
			v[ret->n].i.lo = v[ret->n].i.hi = (int64_t)s;
			ret->n++;
		}
	}
	return true;
}

bool accept_to_test(const struct accept *a, struct test *ret, struct interval *v)
{
	*ret = (struct test){ .v = v, .currency = a->currency };
	if (a->kind == COLUMN_SYMBOL)
		return symbols_to_test(a, ret, v);
	if (a->n > ACCEPT_MAX)
		return false;
	for (uint32_t i = 0; i < a->n; i++) {
		if (a->kind == COLUMN_MONEY) {
			v[i].m.lo = a->v[i].lo;
			v[i].m.hi = a->v[i].hi;
		} else {
			v[i].i.lo = accept_integer(a->v[i].lo);
			v[i].i.hi = accept_integer(a->v[i].hi);
		}
	}
	ret->n = a->n;
	return true;
}

static int64_t milliseconds(const struct cel_value *v)
{
	return v->i * MS_A_SECOND + v->n / NS_A_MS;
}

bool accept_place(u128 *ret, enum column_kind kind, currency c, const struct cel_value *v)
{
	switch (v->kind) {
	case CEL_V_INT:
	case CEL_V_BPS:
		*ret = accept_key(v->i);
		return kind == COLUMN_INT;
	case CEL_V_TIMESTAMP:
		*ret = accept_key(milliseconds(v));
		return kind == COLUMN_INT;
	case CEL_V_STRING:
		*ret = v->sym;
		return kind == COLUMN_SYMBOL && v->sym != CEL_SYM_NONE;
	case CEL_V_BOOL:
		*ret = v->b;
		return kind == COLUMN_SYMBOL;
	case CEL_V_MONEY:
		*ret = cel_money_of(*v).amount;
		return kind == COLUMN_MONEY && currency_is_par(c, v->currency);
	default:
		return false;
	}
}

bool test_accepts(const struct test *t, enum column_kind kind, const struct cel_value *v)
{
	struct accept a;
	u128 at;

	if (!accept_place(&at, kind, t->currency, v) || !accept_of_test(&a, kind, t))
		return false;
	for (uint32_t i = 0; i < a.n; i++) {
		if (a.v[i].lo <= at && at <= a.v[i].hi)
			return true;
	}
	return false;
}
