#pragma once

/*
 * Inside a program: instructions, the block that holds them, and what the files of the compiler
 * share. How the machine works is told in vm.c.
 */
#include "common/base/arena.h"
#include "pricing/cel/program.h"
#include "pricing/cel/shape.h"

#define CEL_REGISTERS_MAX 256
#define CEL_CODE_MAX      65000
#define CEL_CONSTANTS_MAX 65000

/* Where an operand lies. */
enum cel_file { CEL_IN_SLOT, CEL_IN_REGISTER, CEL_IN_CONSTANT, CEL_FILES };

/*
 * Questions. Each comes twice: J_ jumps to `t` if the answer is yes; H_ (of several in a row) only
 * remembers that one was. An error answers no and is kept in register `a`, unless that holds an
 * error already.
 */
/* clang-format off: one a line, the words beside */
#define CEL_TESTS(X) \
	X(I64_EQ) /* operand against the number `i`, both of kind `sub` */ \
	X(I64_NE) \
	X(I64_LT) \
	X(I64_LE) \
	X(I64_GT) \
	X(I64_GE) \
	X(TEXT_EQ) /* operand is the constant text `k` (its symbol: `sym`), or is not */ \
	X(TEXT_NE) \
	X(IN_BITS) /* symbol among set.bits from set.lo on, or not; set.list: the texts */ \
	X(NOT_IN_BITS) \
	X(IN_LIST) /* operand is in the list `k` (sorted symbols: set `sym`), or not */ \
	X(NOT_IN_LIST) \
	X(IS_TRUE) /* of bool */ \
	X(IS_FALSE) \
	X(PRESENT) /* has a value */ \
	X(ABSENT) \
	X(INTS) /* from here: operand against (d, k), `sub` = enum cel_relation and CEL_IF_NOT */ \
	X(MONEY) \
	X(TIMES) \
	X(DOUBLES) \
	X(ANY)

/* r: register a; x: operand (c, b); y: operand (d, k) */
#define CEL_OPS(X) \
	X(LOAD)              /* r = x */ \
	X(BOOL)              /* r = sub */ \
	X(JUMP)              /* to t */ \
	X(COST)              /* counts u */ \
	X(RETURN)            /* x */ \
	X(RETURN_BOOL)       /* sub */ \
	X(RETURN_HIT)        /* sub if an H_ said yes, else r */ \
	X(TAKE_HIT)          /* r = sub if an H_ said yes */ \
	X(JUMP_HIT)          /* to t if an H_ said yes */ \
	X(NOTE)              /* x is an error: kept in r; no bool: that is the error */ \
	X(JUMP_UNLESS_ERROR) /* register b is an error: kept in r; else to t */ \
	X(JUMP_ERROR)        /* to t if r is an error */ \
	X(NOT_FALSE)         /* r = x is not false */ \
	X(ADD)               /* r = x op y */ \
	X(SUB) \
	X(MUL) \
	X(IN)        /* r = x in y */ \
	X(INDEX)     /* r = x[y] */ \
	X(SELECT)    /* r = x.y */ \
	X(HAS)       /* r = has(x.y) */ \
	X(CALL)      /* r = function sub of c registers from b on */ \
	X(MATCHES)   /* r = pattern k finds something in x */ \
	X(IN_ZONE)   /* r = function sub of moment x in zone p */ \
	X(LIST)      /* r = an empty list with room for k; to t without memory */ \
	X(LIST_LIKE) /* the same with room for what register b holds */ \
	X(APPEND)    /* adds x to r; to t if it is an error, which r is then */ \
	X(MAP)       /* r = map of the lists in registers b (keys) and k */ \
	X(RANGE)  /* r is gone through, r + 1 counts; no range: register b is the error, to t */ \
	X(NEXT)   /* register b = the next of r, counts u; to t if there is none */ \
	X(COUNT)  /* r + 1; to t if it is an error */ \
	X(IS_ONE) /* r = (r == 1) */
/* clang-format on */

enum cel_op {
#define X(name) CEL_J_##name, CEL_H_##name,
	CEL_TESTS(X)
#undef X
#define X(name) CEL_OP_##name,
		CEL_OPS(X)
#undef X
			CEL_OP_N,
};

/* Bit i: it holds when the first is less (0), equal (1), greater (2). */
enum cel_relation {
	CEL_IS_LT = 1,
	CEL_IS_EQ = 2,
	CEL_IS_LE = 3,
	CEL_IS_GT = 4,
	CEL_IS_NE = 5,
	CEL_IS_GE = 6,
};
#define CEL_IF_NOT 8 /* the answer is yes if it does not hold */

struct cel_insn {
	uint8_t op, a;
	uint16_t b;
	uint16_t t; /* H_: where the operand's slot lies, in bytes */
	uint8_t c, sub;
	union {
		int64_t i;
		uint64_t u;
		const void *p;
		struct {
			uint32_t k;
			uint16_t d, sym;
		};
		struct {
			uint32_t bits;
			uint16_t lo, list;
		} set;
	};
};
_Static_assert(sizeof(struct cel_insn) == 16, "four to a cache line");

#define CEL_SET_NONE UINT16_MAX

struct cel_symbol_set { /* sorted */
	const uint16_t *v;
	uint32_t n;
};

/* The head of one block of memory that holds all of it but patterns. */
struct cel_program {
	const struct cel_insn *code;
	const struct cel_value *constants;
	const struct cel_symbol_set *sets;
	struct cel_pattern **patterns;
	const struct cel_env *env; /* for printing */
	uint32_t n_code, n_constants, n_sets, n_patterns, n_registers;
	bool first;         /* what register 0 begins with */
	bool is_line;       /* H_ tests of slots, then RETURN_HIT: cel_eval() has a short way */
	uint64_t cost_base; /* of what every evaluation does */
	uint64_t cost;
	const struct cel_type *type;
	uint64_t slots[CEL_VARS_MAX / 64];
};

/* ---- the compiler ---- */

struct cel_scope { /* a variable of a comprehension */
	struct str name;
	uint8_t reg;
	const struct cel_scope *outer;
};

struct cel_label {
	int at;        /* < 0: not known yet */
	uint16_t head; /* instructions that jump here, chained through `t` */
};
#define CEL_LABEL_NONE UINT16_MAX
#define CEL_LABEL_INIT ((struct cel_label){ -1, CEL_LABEL_NONE })

struct cel_operand {
	enum cel_file file;
	uint16_t at;
};

#define CEL_CODE_FEW      96
#define CEL_CONSTANTS_FEW 32

struct cel_gen {
	const struct cel_env *env;
	const struct cel_options *o;
	struct cel_diags *diags;
	struct cel_context fold; /* arena: that of the compilation */
	struct cel_insn *code;
	struct cel_value *constants;
	struct cel_symbol_set *sets;
	struct cel_pattern **patterns;
	uint32_t n_code, cap_code, n_constants, cap_constants, n_sets, cap_sets, n_patterns,
		cap_patterns;
	unsigned next, n_registers;
	unsigned run; /* J_ tests at the end of the code that wait for their label */
	const struct cel_scope *scope;
	uint64_t cost; /* of the straight line that is being made */
	uint64_t slots[CEL_VARS_MAX / 64];
	bool first;
	int failed; /* 0, -EINVAL (said), -ENOMEM */
	struct cel_insn spare;
	struct cel_insn few_code[CEL_CODE_FEW];
	struct cel_value few_constants[CEL_CONSTANTS_FEW];
};

/* program_emit.c. After a failure they go on without effect. */
struct cel_insn *cel_gen_emit(struct cel_gen *g, unsigned op);
struct cel_insn *cel_gen_emit_x(struct cel_gen *g, unsigned op, unsigned a, struct cel_operand x);
uint16_t cel_gen_constant(struct cel_gen *g, struct cel_value v);
uint16_t cel_gen_set(struct cel_gen *g, struct cel_symbol_set set);
uint32_t cel_gen_pattern(struct cel_gen *g, struct cel_pattern *p); /* takes */
unsigned cel_gen_register(struct cel_gen *g);
void cel_gen_jump(struct cel_gen *g, struct cel_insn *from, struct cel_label *to);
void cel_gen_bind(struct cel_gen *g, struct cel_label *l);
void cel_gen_fail(struct cel_gen *g, enum cel_code code, uint32_t offset, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The arena of the compilation is used up: said. */
void cel_gen_too_large(struct cel_gen *g, uint32_t offset);
void *cel_gen_alloc(struct cel_gen *g, size_t n); /* NULL: failed */

/* program_name.c: what a name or a chain of selections is */
enum cel_name_kind {
	CEL_NAME_SLOT,
	CEL_NAME_LOCAL,
	CEL_NAME_VALUE, /* a type; undeclared: the error */
	CEL_NAME_FIELD, /* a selection from a value */
};
struct cel_name {
	enum cel_name_kind kind;
	int at; /* slot or register */
	struct cel_value value;
};
struct cel_name cel_gen_name(struct cel_gen *g, const struct cel_node *n);

/* program_fold.c: the value, if it is the same in every evaluation (an error may be one). */
bool cel_gen_fold(struct cel_gen *g, const struct cel_node *n, struct cel_value *ret);
/* Arguments with the receiver first; at most @max are written. Returns how many there are. */
unsigned cel_gen_args(const struct cel_node *n, const struct cel_node **ret, unsigned max);
/* Whether the function can be called so; always true after checking. */
bool cel_gen_is_callable(const struct cel_node *n);

/* program_value.c */
void cel_gen_value(struct cel_gen *g, const struct cel_node *n, unsigned dst);
struct cel_operand cel_gen_operand(struct cel_gen *g, const struct cel_node *n);
/* Slot, constant or register that it has already. */
bool cel_gen_direct(struct cel_gen *g, const struct cel_node *n, struct cel_operand *ret);
void cel_gen_return(struct cel_gen *g, const struct cel_node *n);
bool cel_gen_is_logic(struct cel_gen *g, const struct cel_node *n);

/* program_call.c */
void cel_gen_call(struct cel_gen *g, const struct cel_node *n, unsigned dst);

/* program_test.c. Jumps to @l if it is @jump_if; goes on if it is not, or if it is an error, which
 * register @e then holds (the first one; it must be initialised). */
void cel_gen_branch(
	struct cel_gen *g, const struct cel_node *n, bool jump_if, struct cel_label *l, unsigned e);
void cel_gen_chain(
	struct cel_gen *g, const struct cel_node *n, bool jump_if, struct cel_label *l, unsigned e);
/* Tests that wait get their label. */
void cel_gen_flush(struct cel_gen *g, struct cel_label *l);
/* Tests that wait only remember. */
void cel_gen_remember(struct cel_gen *g);

/* program_compare.c: one test that waits; false if it is none of the special ones */
bool cel_gen_compare(
	struct cel_gen *g, const struct cel_node *n, bool jump_if, struct cel_label *l, unsigned e);

/* program_loop.c */
void cel_gen_loop(struct cel_gen *g, const struct cel_node *n, unsigned dst);

/* program_pack.c: the program in one block; takes the patterns. 0 or -ENOMEM */
int cel_gen_pack(struct cel_program **ret, struct cel_gen *g, const struct cel_node *root);

/* ---- the machine, apart from its loop: vm_test.c, vm_call.c ---- */

/* A test whose quick answer was none: of other kinds, errors, texts. */
bool cel_vm_test(struct cel_context *c, const struct cel_program *p, const struct cel_insn *i,
	const struct cel_value *const *base, struct cel_value *e);
/* The error of @v, or that it is no bool, into @e unless there is one. */
void cel_vm_note(struct cel_value *e, const struct cel_value *v);
struct cel_value cel_vm_matches(struct cel_context *c, const struct cel_pattern *p,
	uint32_t pattern_bytes, struct cel_value text);
/* A function whose 1 has been counted. */
struct cel_value cel_vm_binary(struct cel_context *c, enum cel_function f,
	const struct cel_value *x, const struct cel_value *y);
struct cel_value cel_vm_in_zone(unsigned function, struct cel_value moment, const void *zone);
bool cel_vm_list(struct cel_context *c, struct cel_value *ret, uint32_t room);

static inline unsigned cel_vm_test_of(unsigned op)
{
	return op & ~1u; /* the J_ of both */
}
