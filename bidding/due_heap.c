#include <errno.h>
#include <stdlib.h>

#include "bidding/order_book.h"

#define NOWHERE SIZE_MAX

int due_heap_init(struct due_heap *h, size_t max)
{
	*h = (struct due_heap){ .v = calloc(max, sizeof(struct order *)), .max = max };
	return h->v ? 0 : -ENOMEM;
}

void due_heap_fini(struct due_heap *h)
{
	free(h->v);
	*h = (struct due_heap){ 0 };
}

static void place(struct due_heap *h, struct order *o, size_t i)
{
	h->v[i] = o;
	o->heap_index = i;
}

static void up(struct due_heap *h, size_t i)
{
	struct order *o = h->v[i];

	for (; i > 0 && h->v[(i - 1) / 2]->due_ms > o->due_ms; i = (i - 1) / 2)
		place(h, h->v[(i - 1) / 2], i);
	place(h, o, i);
}

static void down(struct due_heap *h, size_t i)
{
	struct order *o = h->v[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < h->n && h->v[child + 1]->due_ms < h->v[child]->due_ms)
			child++;
		if (child >= h->n || h->v[child]->due_ms >= o->due_ms)
			break;
		place(h, h->v[child], i);
		i = child;
	}
	place(h, o, i);
}

static void take_out(struct due_heap *h, struct order *o)
{
	size_t i = o->heap_index;
	struct order *last = h->v[--h->n];

	o->heap_index = NOWHERE;
	if (last == o)
		return;
	place(h, last, i);
	up(h, i);
	down(h, last->heap_index);
}

void due_heap_set(struct due_heap *h, struct order *o, int64_t due_ms)
{
	if (o->heap_index != NOWHERE)
		take_out(h, o);
	o->due_ms = due_ms;
	if (due_ms == INT64_MAX)
		return;
	place(h, o, h->n++);
	up(h, o->heap_index);
}
