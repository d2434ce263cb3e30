#pragma once

/* Calls of the library on values, and what comes out of them as text. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "pricing/cel/lib.h"

static struct cel_context lib_context;

static inline void lib_begin(void)
{
	lib_context = (struct cel_context){ .rounding = ROUND_HALF_EVEN, .has_patterns = true };
	cr_assert(zero(int, arena_new(&lib_context.arena, 256 * 1024)));
}

static inline void lib_end(void)
{
	lib_context.arena = arena_free(lib_context.arena);
}

#define V(...) \
	(struct cel_value[]) \
	{ \
		__VA_ARGS__ \
	}
#define CALL(f, ...) \
	cel_call(&lib_context, CEL_F_##f, V(__VA_ARGS__), \
		sizeof(V(__VA_ARGS__)) / sizeof(struct cel_value))
#define LIST(...) \
	((struct cel_value){ .kind = CEL_V_LIST, \
		.n = sizeof(V(__VA_ARGS__)) / sizeof(struct cel_value), \
		.list = V(__VA_ARGS__) })
#define EMPTY_LIST ((struct cel_value){ .kind = CEL_V_LIST, .list = V(cel_null()) })

static inline struct cel_value Int(int64_t i)
{
	return cel_int(i);
}
static inline struct cel_value U(uint64_t u) {
	return cel_uint(u);
} static inline struct cel_value D(double d) {
	return cel_double(d);
} static inline struct cel_value S(const char *z) {
	return cel_string(str_of(z));
} static inline struct cel_value B(const char *z) {
	return cel_bytes(str_of(z));
} static inline struct cel_value T(const char *z) /* timestamp, or its error */
{
	return cel_timestamp_parse(str_of(z));
} static inline struct cel_value Dur(const char *z)
{
	return cel_duration_parse(str_of(z));
}

/* Whether @v is written as @want; errors are "error: <text>". */
static inline void lib_expect(int line, struct cel_value v, const char *want)
{
	CLEANUP(buf_fini) struct buf out = BUF_INIT(64 * 1024);

	cel_value_print(&out, v);
	buf_putc(&out, '\0');
	cr_expect(eq(str, out.p, (char *)want), "line %d", line);
}
#define EXPECT(want, v)         lib_expect(__LINE__, v, want)
#define EXPECT_CALL(want, ...)  EXPECT(want, CALL(__VA_ARGS__))
#define EXPECT_ERROR(code, ...) lib_expect_error(__LINE__, CALL(__VA_ARGS__), CEL_R_##code)

static inline void lib_expect_error(int line, struct cel_value v, enum cel_error code)
{
	cr_expect(eq(int, v.kind, CEL_V_ERROR), "line %d", line);
	cr_expect(eq(int, v.sym, (int)code), "line %d: %s", line, v.text);
}
