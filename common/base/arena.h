#pragma once

/*
 * Scratch memory for one record or one frame: allocated at start, reset after handling.
 *
 * An arena never grows. Exhaustion is NULL, and the caller turns it into its typed error: hostile
 * input can cost at most the arena.
 */
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"

struct arena;

/* 0 or -ENOMEM. */
MUST_CHECK int arena_new(struct arena **ret, size_t capacity);
struct arena *arena_free(struct arena *a);
DEFINE_CLEANUP(struct arena *, arena_free)

/* Aligned for any type, not zeroed; NULL when exhausted. Valid until the next reset. */
void *arena_alloc(struct arena *a, size_t n);

/* Copies @s and appends a NUL (not counted). p == NULL when exhausted; an absent @s stays
 * absent. */
struct str arena_copy(struct arena *a, struct str s);

void arena_reset(struct arena *a);
size_t arena_used(const struct arena *a);

/* Undo allocations made since @mark (= arena_used() then). */
void arena_rewind(struct arena *a, size_t mark);
