#pragma once

/*
 * Clock and timers: the seam every role lives on. One loop, one thread, nothing in it sleeps or
 * blocks.
 *
 * Real: loop_ev.c (libev). In-memory: sim/loop_sim.c, whose clock moves only when it is told to, so
 * that a role's minutes run in microseconds and always the same way.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct loop;
struct loop_timer;
typedef void (*loop_fn)(void *ctx);

struct loop_ops {
	void (*free)(struct loop *l);
	int64_t (*now_ms)(struct loop *l);
	int64_t (*mono_us)(struct loop *l);
	struct loop_timer *(*timer_new)(struct loop *l, loop_fn fn, void *ctx);
	void (*timer_start)(struct loop_timer *t, int64_t delay_us, int64_t repeat_us);
	void (*timer_stop)(struct loop_timer *t);
	void (*timer_free)(struct loop_timer *t);
	void (*run)(struct loop *l);
	void (*stop)(struct loop *l);
};

/* First member of each implementation's loop and timer. */
struct loop {
	const struct loop_ops *ops;
};
struct loop_timer {
	struct loop *loop;
};

/* Wall clock, for what is written into records. It may step; nothing is timed with it. */
static inline int64_t loop_now_ms(struct loop *l)
{
	return l->ops->now_ms(l);
}

/* Monotonic, for deadlines and durations. Read fresh at each call. */
static inline int64_t loop_mono_us(struct loop *l)
{
	return l->ops->mono_us(l);
}
static inline int64_t loop_mono_ms(struct loop *l)
{
	return loop_mono_us(l) / 1000;
}

/* A stopped timer, or NULL when out of memory. The callback may stop, restart or free its own
 * timer. */
static inline struct loop_timer *loop_timer_new(struct loop *l, loop_fn fn, void *ctx)
{
	return l->ops->timer_new(l, fn, ctx);
}
/* Once, after @delay_ms (0: at the next turn); a running timer starts over. */
static inline void loop_timer_start(struct loop_timer *t, int64_t delay_ms)
{
	t->loop->ops->timer_start(t, delay_ms * 1000, 0);
}
static inline void loop_timer_start_us(struct loop_timer *t, int64_t delay_us)
{
	t->loop->ops->timer_start(t, delay_us, 0);
}
/* Every @every_ms, first after @every_ms. */
static inline void loop_timer_repeat(struct loop_timer *t, int64_t every_ms)
{
	t->loop->ops->timer_start(t, every_ms * 1000, every_ms * 1000);
}
static inline void loop_timer_stop(struct loop_timer *t)
{
	t->loop->ops->timer_stop(t);
}
/* Accepts NULL, returns NULL. */
static inline struct loop_timer *loop_timer_free(struct loop_timer *t)
{
	if (t)
		t->loop->ops->timer_free(t);
	return NULL;
}

static inline void loop_run(struct loop *l)
{
	l->ops->run(l);
}
static inline void loop_stop(struct loop *l)
{
	l->ops->stop(l);
}
static inline struct loop *loop_free(struct loop *l)
{
	if (l)
		l->ops->free(l);
	return NULL;
}
DEFINE_CLEANUP(struct loop *, loop_free)

/* The real loop. 0 or -ENOMEM. SIGPIPE is ignored process-wide. */
MUST_CHECK int loop_ev_new(struct loop **ret);
struct ev_loop;
/* For the other real implementations of common/io only. */
struct ev_loop *loop_ev(struct loop *l);
/* @fn on the loop when the signal arrives (real loop only; for main). 0 or -EBUSY beyond 8. */
int loop_ev_signal(struct loop *l, int signo, loop_fn fn, void *ctx);
