#pragma once

/* Expressions compiled and evaluated over one set of declared variables. */
#include <stdio.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "pricing/cel/program.h"

static struct cel_env *env;
static struct cel_symbols *symbols;
static struct arena *scratch;
static struct cel_context context;
static struct cel_value slots[CEL_VARS_MAX];
static struct cel_diags diags;

static inline int declare(const char *name, const struct cel_type *type)
{
	int slot = cel_env_add(
		env, &(struct cel_var){ .name = str_of(name), .type = type, .is_optional = true });

	cr_assert(ge(int, slot, 0), "%s", name);
	slots[slot] = cel_absent((uint32_t)slot);
	return slot;
}

static inline int slot_of(const char *name)
{
	int slot = cel_env_find(env, str_of(name));

	cr_assert(ge(int, slot, 0), "%s", name);
	return slot;
}

static inline void bind(const char *name, struct cel_value v)
{
	slots[slot_of(name)] = v;
}

/* With a symbol: it is one of the constants, whether any program names it or not. */
static inline void bind_text(const char *name, const char *text)
{
	struct cel_value v = cel_string(str_of(text));

	v.sym = cel_symbols_add(symbols, cel_str(v));
	bind(name, v);
}

static inline void program_begin(void)
{
	static const struct {
		const char *name;
		const struct cel_type *type;
	} vars[] = {
		{ "flag", &cel_type_bool },
		{ "other", &cel_type_bool },
		{ "i", &cel_type_int },
		{ "j", &cel_type_int },
		{ "u", &cel_type_uint },
		{ "d", &cel_type_double },
		{ "s", &cel_type_string },
		{ "t", &cel_type_string },
		{ "now", &cel_type_timestamp },
		{ "age", &cel_type_duration },
		{ "price", &cel_type_money },
		{ "rate", &cel_type_bps },
		{ "any", &cel_type_dyn },
		{ "customer.tier", &cel_type_string },
		{ "customer.points", &cel_type_int },
		{ "customer.blocked", &cel_type_bool },
	};

	diags = (struct cel_diags){ 0 };
	cr_assert(zero(int, cel_env_new(&env, true)));
	cr_assert(zero(int, cel_symbols_new(&symbols)));
	cr_assert(zero(int, arena_new(&scratch, CEL_PARSE_ARENA)));
	context = (struct cel_context){ .rounding = ROUND_HALF_EVEN, .has_patterns = true };
	cr_assert(zero(int, arena_new(&context.arena, 256 * 1024)));
	for (size_t k = 0; k < ARRAY_LEN(vars); k++)
		declare(vars[k].name, vars[k].type);
	declare("ints", cel_type_list(scratch, &cel_type_int));
	declare("texts", cel_type_list(scratch, &cel_type_string));
	declare("counts", cel_type_map(scratch, &cel_type_string, &cel_type_int));
}

static inline void program_end(void)
{
	env = cel_env_free(env);
	symbols = cel_symbols_free(symbols);
	scratch = arena_free(scratch);
	context.arena = arena_free(context.arena);
}

/* Unchecked, with patterns, with limits nobody reaches: what else is not set. */
static inline struct cel_program *compile_with(const char *source, const struct cel_options *o)
{
	struct cel_program *p = NULL;
	struct cel_options all = *o;

	all.scratch = scratch;
	all.symbols = symbols;
	diags = (struct cel_diags){ 0 };
	if (cel_compile(&p, str_of(source), env, &all, &diags))
		cr_assert(gt(sz, diags.n, 0), "%s", source);
	return p;
}

static inline struct cel_program *compile(const char *source)
{
	const struct cel_options o = { .limits = { .source_bytes = 1 << 20,
					       .depth = CEL_DEPTH_HARD_MAX,
					       .cost = UINT64_MAX } };
	struct cel_program *p = compile_with(source, &o);

	cr_assert(p != NULL, "%s: %s", source, diags.v[0].text);
	return p;
}

static inline struct cel_program *compile_unchecked(const char *source)
{
	const struct cel_options o = { .limits = { .source_bytes = 1 << 20,
					       .depth = CEL_DEPTH_HARD_MAX,
					       .cost = UINT64_MAX },
		.is_unchecked = true,
		.has_patterns = true };
	struct cel_program *p = compile_with(source, &o);

	cr_assert(p != NULL, "%s: %s", source, diags.v[0].text);
	return p;
}

/* The value as text, in the static @ret: "error: absent" of an error. */
static inline const char *shown(struct cel_value v)
{
	static char ret[4096];
	CLEANUP(buf_fini) struct buf out = BUF_INIT(sizeof(ret));

	if (cel_is_error(v))
		buf_printf(&out, "error: %s", cel_error_name((enum cel_error)v.sym));
	else
		cel_value_print(&out, v);
	buf_putc(&out, '\0');
	memcpy(ret, out.p, out.n);
	return ret;
}

static inline const char *value_of(struct cel_program *p)
{
	const char *ret;

	arena_reset(context.arena);
	ret = shown(cel_eval(p, &context, slots));
	cel_program_free(p);
	return ret;
}

#define EXPECT_VALUE(want, source) \
	cr_expect(eq(str, (char *)(uintptr_t)value_of(compile(source)), want), "%s", source)
#define EXPECT_UNCHECKED(want, source) \
	cr_expect(eq(str, (char *)(uintptr_t)value_of(compile_unchecked(source)), want), "%s", \
		source)

/* The instructions as text, in the static @ret. */
static inline const char *code_of(const struct cel_program *p)
{
	static char ret[16384];
	CLEANUP(buf_fini) struct buf out = BUF_INIT(sizeof(ret));

	cel_program_print(&out, p);
	buf_putc(&out, '\0');
	cr_assert(not(out.failed));
	memcpy(ret, out.p, out.n);
	return ret;
}

/* A source that a ruleset refuses, and the code it is refused with. */
static inline void expect_refused(const char *source, enum cel_code code)
{
	struct cel_program *p = compile_with(source, &(struct cel_options){ 0 });

	cr_expect(p == NULL, "%s", source);
	cr_expect(eq(int, diags.n ? diags.v[0].code : 0, (int)code), "%s: %s", source,
		diags.v[0].text);
	cel_program_free(p);
}

/* Small numbers without a pattern, the same in every run. */
static uint64_t random_state;

static inline uint32_t random_below(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((random_state >> 33) % n);
}
