/*
 * A binary heap on (due, start order). A timer knows its place in the heap, so stopping and
 * restarting one costs O(log n) and a session may push its deadline forward at every frame. The
 * heap grows when a timer is made, never when it is started: starting cannot fail.
 */
#include "common/io/timer_queue.h"

#include <assert.h>
#include <stdlib.h>

#define NOT_QUEUED SIZE_MAX

struct queued_timer {
	struct loop_timer base;
	loop_fn fn;
	void *ctx;
	int64_t due_us, repeat_us;
	uint64_t seq;
	size_t at;
};

void timer_queue_init(struct timer_queue *q)
{
	*q = (struct timer_queue){ 0 };
}

void timer_queue_fini(struct timer_queue *q)
{
	assert(q->n_timers == 0);
	free(q->heap);
	*q = (struct timer_queue){ 0 };
}

static bool is_sooner(const struct queued_timer *a, const struct queued_timer *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->seq < b->seq;
}

static void place(struct timer_queue *q, struct queued_timer *t, size_t at)
{
	q->heap[at] = t;
	t->at = at;
}

static void sift_up(struct timer_queue *q, struct queued_timer *t, size_t at)
{
	while (at > 0 && is_sooner(t, q->heap[(at - 1) / 2])) {
		place(q, q->heap[(at - 1) / 2], at);
		at = (at - 1) / 2;
	}
	place(q, t, at);
}

static void sift_down(struct timer_queue *q, struct queued_timer *t, size_t at)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= q->n)
			break;
		if (child + 1 < q->n && is_sooner(q->heap[child + 1], q->heap[child]))
			child++;
		if (!is_sooner(q->heap[child], t))
			break;
		place(q, q->heap[child], at);
		at = child;
	}
	place(q, t, at);
}

struct loop_timer *timer_queue_add(struct timer_queue *q, struct loop *l, loop_fn fn, void *ctx)
{
	struct queued_timer *t;

	if (q->n_timers == q->cap) {
		size_t cap = q->cap ? q->cap * 2 : 64;
		struct queued_timer **heap = realloc(q->heap, cap * sizeof(*heap));

		if (!heap)
			return NULL;
		q->heap = heap;
		q->cap = cap;
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	*t = (struct queued_timer){ .base.loop = l, .fn = fn, .ctx = ctx, .at = NOT_QUEUED };
	q->n_timers++;
	return &t->base;
}

void timer_queue_stop(struct timer_queue *q, struct loop_timer *timer)
{
	struct queued_timer *t = (struct queued_timer *)timer, *last;
	size_t at = t->at;

	if (at == NOT_QUEUED)
		return;
	t->at = NOT_QUEUED;
	last = q->heap[--q->n];
	if (last == t)
		return;
	if (at > 0 && is_sooner(last, q->heap[(at - 1) / 2]))
		sift_up(q, last, at);
	else
		sift_down(q, last, at);
}

void timer_queue_remove(struct timer_queue *q, struct loop_timer *timer)
{
	timer_queue_stop(q, timer);
	q->n_timers--;
	free((struct queued_timer *)timer);
}

void timer_queue_start(
	struct timer_queue *q, struct loop_timer *timer, int64_t due_us, int64_t repeat_us)
{
	struct queued_timer *t = (struct queued_timer *)timer;

	timer_queue_stop(q, timer);
	t->due_us = due_us;
	t->repeat_us = repeat_us;
	t->seq = q->seq++;
	sift_up(q, t, q->n++);
}

bool timer_queue_next_due(const struct timer_queue *q, int64_t *ret_us)
{
	if (q->n == 0)
		return false;
	*ret_us = q->heap[0]->due_us;
	return true;
}

bool timer_queue_fire(struct timer_queue *q, int64_t now_us, uint64_t mark)
{
	struct queued_timer *t = q->n ? q->heap[0] : NULL;

	if (!t || t->due_us > now_us || t->seq >= mark)
		return false;
	/* Stopped or started again before the call: afterwards @t may be gone. */
	if (t->repeat_us > 0) {
		int64_t due_us = t->due_us + t->repeat_us;

		/* A loop that was held up skips the beats it missed. */
		timer_queue_start(q, &t->base, due_us > now_us ? due_us : now_us + t->repeat_us,
			t->repeat_us);
	} else {
		timer_queue_stop(q, &t->base);
	}
	t->fn(t->ctx);
	return true;
}
