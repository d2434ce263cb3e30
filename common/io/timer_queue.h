#pragma once

/*
 * The timers of one loop, soonest first; due at the same time, in the order they were started.
 *
 * Shared by both loops, so that what a role sees on the driven clock is what it sees on the real
 * one.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/io/loop.h"

struct timer_queue {
	struct queued_timer **heap;
	size_t n, cap;
	size_t n_timers; /* made and not freed; the heap always has room for all of them */
	uint64_t seq;
};

void timer_queue_init(struct timer_queue *q);
/* Timers still alive are our own mistake (assert). */
void timer_queue_fini(struct timer_queue *q);

/* A stopped timer, or NULL when out of memory. */
struct loop_timer *timer_queue_add(struct timer_queue *q, struct loop *l, loop_fn fn, void *ctx);
void timer_queue_remove(struct timer_queue *q, struct loop_timer *t);

void timer_queue_start(
	struct timer_queue *q, struct loop_timer *t, int64_t due_us, int64_t repeat_us);
void timer_queue_stop(struct timer_queue *q, struct loop_timer *t);

/* False if no timer runs. */
bool timer_queue_next_due(const struct timer_queue *q, int64_t *ret_us);
/* Starts made so far: a bound for one turn, see timer_queue_fire. */
static inline uint64_t timer_queue_mark(const struct timer_queue *q)
{
	return q->seq;
}
/* Fires the soonest timer if it is due at @now_us and was started before @mark; false if there is
 * none. */
bool timer_queue_fire(struct timer_queue *q, int64_t now_us, uint64_t mark);
