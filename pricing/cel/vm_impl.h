#pragma once

/*
 * The quick answers of tests, for both loops of the machine (vm.c, vm_line.c).
 */
#include "pricing/cel/program_impl.h"

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a bool is the lowest byte of its word");

/* A value of one word, written in whole words: whoever copies it next would wait for narrow
 * stores. */
static inline void vm_set(struct cel_value *r, enum cel_value_kind kind, uint64_t word)
{
	const uint64_t words[] = { kind, word, 0 };

	_Static_assert(sizeof(words) == sizeof(*r), "kind is the lowest byte of the first word");
	memcpy(r, words, sizeof(words));
}

static inline struct cel_value vm_bool(bool b)
{
	struct cel_value v;

	vm_set(&v, CEL_V_BOOL, b);
	return v;
}

/* Bit of enum cel_relation. */
#define ORDER(a, b) ((a) < (b) ? 0 : (a) == (b) ? 1 : 2)
/* Whether that relation is asked for, or (CEL_IF_NOT) is not. */
#define HOLDS(i, order) (((i)->sub >> (order)&1) != ((i)->sub >> 3 & 1))

static inline bool is_i64(const struct cel_value *v, const struct cel_value *w)
{
	return v->kind == w->kind &&
	       (v->kind == CEL_V_INT || v->kind == CEL_V_BPS || v->kind == CEL_V_DURATION);
}

static inline bool is_money(const struct cel_value *v, const struct cel_value *w)
{
	return v->kind == CEL_V_MONEY && w->kind == CEL_V_MONEY && v->currency == w->currency;
}

static inline int order_of_money(const struct cel_value *v, const struct cel_value *w)
{
	u128 a = (u128)v->m.hi << 64 | v->m.lo, b = (u128)w->m.hi << 64 | w->m.lo;

	return ORDER(a, b);
}

static inline int order_of_times(const struct cel_value *v, const struct cel_value *w)
{
	return v->i != w->i ? ORDER(v->i, w->i) : ORDER(v->n, w->n);
}

static inline bool both_are(
	const struct cel_value *v, const struct cel_value *w, enum cel_value_kind kind)
{
	return v->kind == kind && w->kind == kind;
}

static inline bool has_symbol(const struct cel_value *v)
{
	return v->kind == CEL_V_STRING && v->sym != CEL_SYM_NONE;
}

static inline bool in_bits(const struct cel_value *v, const struct cel_insn *i)
{
	unsigned at = (unsigned)v->sym - i->set.lo;

	return at < 32 && (i->set.bits >> at & 1);
}

static inline bool is_bool(const struct cel_value *v)
{
	return v->kind == CEL_V_BOOL;
}

/* What is quick about each test, and its answer then. v: the operand, w: the other one. */
#define QUICK_TESTS(TEST, PAIR_TEST) \
	TEST(I64_EQ, v->kind == i->sub, v->i == i->i); \
	TEST(I64_NE, v->kind == i->sub, v->i != i->i); \
	TEST(I64_LT, v->kind == i->sub, v->i < i->i); \
	TEST(I64_LE, v->kind == i->sub, v->i <= i->i); \
	TEST(I64_GT, v->kind == i->sub, v->i > i->i); \
	TEST(I64_GE, v->kind == i->sub, v->i >= i->i); \
	TEST(TEXT_EQ, has_symbol(v) && i->sym != CEL_SYM_NONE, v->sym == i->sym); \
	TEST(TEXT_NE, has_symbol(v) && i->sym != CEL_SYM_NONE, v->sym != i->sym); \
	TEST(IN_BITS, has_symbol(v), in_bits(v, i)); \
	TEST(NOT_IN_BITS, has_symbol(v), !in_bits(v, i)); \
	TEST(IN_LIST, false, false); \
	TEST(NOT_IN_LIST, false, false); \
	TEST(IS_TRUE, is_bool(v), v->b); \
	TEST(IS_FALSE, is_bool(v), !v->b); \
	TEST(PRESENT, v->kind != CEL_V_ERROR, true); \
	TEST(ABSENT, v->kind != CEL_V_ERROR, false); \
	PAIR_TEST(INTS, is_i64(v, w), ORDER(v->i, w->i)); \
	PAIR_TEST(MONEY, is_money(v, w), order_of_money(v, w)); \
	PAIR_TEST(TIMES, both_are(v, w, CEL_V_TIMESTAMP), order_of_times(v, w)); \
	PAIR_TEST(DOUBLES, both_are(v, w, CEL_V_DOUBLE) && !__builtin_isunordered(v->d, w->d), \
		ORDER(v->d, w->d)); \
	TEST(ANY, false, false)

/* Whatever is no line of tests. The base cost has been counted. */
struct cel_value cel_vm_run(
	const struct cel_program *p, struct cel_context *c, const struct cel_value *slots);
