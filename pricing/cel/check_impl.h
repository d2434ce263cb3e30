#pragma once

/* The parts of the checker: check.c walks, check_name.c says what names are, check_call.c which
 * overloads fit, check_domain.c what cel-go does not ask (values, units, currencies), check_hint.c
 * what was probably meant. */
#include "pricing/cel/check.h"
#include "pricing/cel/overload.h"
#include "pricing/cel/unify.h"

/* A variable of a macro; on the C stack while its body is checked. */
struct check_scope {
	const struct check_scope *outer;
	struct str name;
	const struct cel_type *type;
	const struct cel_var *range_of; /* it runs over this declared list; NULL: over another */
};

struct check {
	const struct cel_env *env;
	struct arena *arena;
	struct cel_diags *diags;
	struct unify unify;
	const struct check_scope *scope;
	bool has_money;
};

#define CHECK_ARGS_MAX 8 /* a receiver included; no overload takes more */

/* check.c */
void check_node(struct check *c, struct cel_node *node);
/* Type of a selection on an operand that was checked. */
void check_field(struct check *c, struct cel_node *select);
/* The type as text, for messages; valid until the third call after. */
const char *check_type_text(struct check *c, const struct cel_type *t);
__attribute__((format(printf, 4, 5))) struct cel_diag *check_error(
	struct check *c, enum cel_code code, uint32_t offset, const char *fmt, ...);
const struct check_scope *check_find_local(const struct check *c, struct str name);

/* check_name.c: fills type, slot and ref of an identifier or a chain of selections, and of as many
 * nodes below it as it must. */
void check_ident(struct check *c, struct cel_node *node);
void check_select(struct check *c, struct cel_node *node);
/* The type that a name of one stands for: `int`, `google.protobuf.Timestamp`; NULL: none. */
const struct cel_type *check_type_named(struct str name);

/* check_call.c: the arguments are checked. */
void check_call(struct check *c, struct cel_node *node);

/* The arguments of a call, a receiver first. */
struct check_args {
	struct cel_node *v[CHECK_ARGS_MAX];
	const struct cel_type *types[CHECK_ARGS_MAX]; /* what is known of them */
	uint32_t n;
	bool has_receiver;
};

/* check_domain.c: after the overloads are found. The result where it has a currency, else @result.
 */
const struct cel_type *check_domain(struct check *c, struct cel_node *call,
	const struct check_args *args, const struct cel_type *result);
/* What an expression counts: its variables' unit, through + and -. */
enum cel_unit check_unit_of(const struct check *c, const struct cel_node *node);
/* The declared variable that the node reads, NULL if it is anything else. */
const struct cel_var *check_var_of(const struct check *c, const struct cel_node *node);

/* check_hint.c */
/* false: none is near. */
bool check_hint_name(struct check *c, struct cel_diag *d, struct str name);
void check_hint_prefix(struct check *c, struct cel_diag *d, struct str prefix);
void check_hint_function(struct check *c, struct cel_diag *d, const struct cel_node *call);
void check_hint_condition(struct check *c, struct cel_diag *d, const struct cel_node *node);
void check_hint_overload(
	struct check *c, struct cel_diag *d, struct cel_node *call, const struct check_args *args);
