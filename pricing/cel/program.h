#pragma once

/*
 * A compiled expression: bytecode for a register machine. Immutable, shared by evaluations; an
 * evaluation uses no heap but its context's arena.
 *
 *	CLEANUP(cel_program_free) struct cel_program *p = NULL;
 *	r = cel_compile(&p, STR("customer.points >= 5000"), env, &(struct cel_options){ .want =
 *&cel_type_bool }, &diags); struct cel_value v = cel_eval(p, &context, slots);
 */
#include "pricing/cel/check.h"
#include "pricing/cel/cost.h"
#include "pricing/cel/lib.h"
#include "pricing/cel/parse.h"
#include "pricing/cel/symbols.h"

struct cel_program;

struct cel_options {
	const struct cel_type *want; /* NULL = anything */
	struct cel_limits limits;    /* zeros: those of a ruleset */
	struct cel_symbols
		*symbols;      /* constants compared with variables are entered here; NULL: none */
	bool is_unchecked;     /* no types: everything is found out at run time */
	bool has_patterns;     /* `matches` with a pattern that is not constant compiles */
	struct arena *scratch; /* for the tree, rewound afterwards; NULL: one is made. At least
				  CEL_PARSE_ARENA */
};

/* 0; -EINVAL with @d; -ENOMEM. @env and @symbols are borrowed by the program; @source is not. */
MUST_CHECK int cel_compile(struct cel_program **ret, struct str source, const struct cel_env *env,
	const struct cel_options *o, struct cel_diags *d);
/* The same from a tree that was parsed and (unless o->is_unchecked) checked. Only symbols,
 * is_unchecked, has_patterns and limits.cost are looked at. */
MUST_CHECK int cel_program_new(struct cel_program **ret, const struct cel_node *root,
	const struct cel_env *env, const struct cel_options *o, struct cel_diags *d);
struct cel_program *cel_program_free(struct cel_program *p);
DEFINE_CLEANUP(struct cel_program *, cel_program_free)

/*
 * @slots: one value a declared variable; only those that cel_program_reads() names are looked at. A
 * variable without a value is cel_absent(its slot). The result is valid until the context's arena
 * is reset. Resets neither arena nor cost.
 */
struct cel_value cel_eval(
	const struct cel_program *p, struct cel_context *c, const struct cel_value *slots);

const struct cel_type *cel_program_type(const struct cel_program *p); /* dyn if unchecked */
uint64_t cel_program_cost(const struct cel_program *p);               /* static worst case */
bool cel_program_reads(const struct cel_program *p, int slot);
/* Bits of all the slots read: CEL_VARS_MAX / 64 words. */
const uint64_t *cel_program_slots(const struct cel_program *p);
/* For people: one instruction a line. */
void cel_program_print(struct buf *out, const struct cel_program *p);
