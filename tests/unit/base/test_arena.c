#include <stdalign.h>
#include <stdint.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/arena.h"

Test(arena, memory_is_aligned_for_any_type_after_a_text)
{
	CLEANUP(arena_free) struct arena *a = NULL;

	cr_assert(zero(int, arena_new(&a, 256)));
	cr_assert(eq(str, (char *)arena_copy(a, STR("abc")).p, "abc"));
	cr_expect(zero(sz, (uintptr_t)arena_alloc(a, 1) % alignof(max_align_t)));
	cr_expect(zero(sz, (uintptr_t)arena_alloc(a, 1) % alignof(max_align_t)));
}

Test(arena, exhaustion_is_null_and_costs_nothing)
{
	CLEANUP(arena_free) struct arena *a = NULL;

	cr_assert(zero(int, arena_new(&a, 64)));
	cr_expect(zero(ptr, arena_alloc(a, 65)));
	cr_expect(zero(ptr, arena_alloc(a, SIZE_MAX)));
	cr_expect(zero(sz, arena_used(a)));
	cr_expect(ne(ptr, arena_alloc(a, 64), NULL), "exactly full");
	cr_expect(zero(ptr, arena_alloc(a, 1)));
	cr_expect(not(str_is_set(arena_copy(a, STR("")))), "no room for the NUL");
}

Test(arena, absent_text_stays_absent_and_an_empty_one_is_set)
{
	CLEANUP(arena_free) struct arena *a = NULL;

	cr_assert(zero(int, arena_new(&a, 8)));
	cr_expect(not(str_is_set(arena_copy(a, STR_NONE))));
	cr_expect(str_is_set(arena_copy(a, STR(""))));
}

Test(arena, rewind_gives_back_what_came_after_the_mark)
{
	CLEANUP(arena_free) struct arena *a = NULL;
	size_t mark;

	cr_assert(zero(int, arena_new(&a, 32)));
	cr_assert(str_is_set(arena_copy(a, STR("keep"))));
	mark = arena_used(a);
	cr_assert(str_is_set(arena_copy(a, STR("drop"))));
	arena_rewind(a, mark);
	cr_expect(eq(sz, arena_used(a), mark));
	arena_reset(a);
	cr_expect(zero(sz, arena_used(a)));
}

Test(arena, free_takes_null)
{
	cr_expect(zero(ptr, arena_free(NULL)));
}
