/*
 * A bump pointer over one block. Texts are packed without padding, everything else starts on the
 * strictest alignment; both are one comparison and one addition.
 */
#include "common/base/arena.h"

#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

struct arena {
	size_t capacity;
	size_t used;
	alignas(max_align_t) char data[];
};

int arena_new(struct arena **ret, size_t capacity)
{
	struct arena *a;

	if (capacity > SIZE_MAX - sizeof(*a))
		return -ENOMEM;
	a = malloc(sizeof(*a) + capacity);
	if (!a)
		return -ENOMEM;
	a->capacity = capacity;
	a->used = 0;
	*ret = a;
	return 0;
}

struct arena *arena_free(struct arena *a)
{
	free(a);
	return NULL;
}

static void *take(struct arena *a, size_t start, size_t n)
{
	if (start > a->capacity || n > a->capacity - start)
		return NULL;
	a->used = start + n;
	return a->data + start;
}

void *arena_alloc(struct arena *a, size_t n)
{
	size_t mask = alignof(max_align_t) - 1;

	return take(a, (a->used + mask) & ~mask, n);
}

struct str arena_copy(struct arena *a, struct str s)
{
	char *p;

	if (!s.p || s.n == SIZE_MAX)
		return STR_NONE;
	p = take(a, a->used, s.n + 1);
	if (!p)
		return STR_NONE;
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return (struct str){ p, s.n };
}

void arena_reset(struct arena *a)
{
	a->used = 0;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

void arena_rewind(struct arena *a, size_t mark)
{
	assert(mark <= a->used);
	a->used = mark;
}
