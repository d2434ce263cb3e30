/*
 * Two counters instead of two clocks. Time passes from one due timer to the next, so a callback
 * sees exactly the time it asked for, and a test of an hour costs as much as its firings.
 */
#include "common/io/sim/loop_sim.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "common/io/timer_queue.h"

/* A role that keeps itself busy without time passing is a bug, not a slow test. */
#define SETTLE_FIRINGS_MAX 1000000
/* Not zero: "never" markers and differences to the past must not look alike. */
#define MONO_START_US 1000000000

struct loop_sim {
	struct loop base;
	int64_t wall_us, mono_us;
	struct timer_queue queue;
	bool is_stopped;
};

static int64_t sim_now_ms(struct loop *l)
{
	return ((struct loop_sim *)l)->wall_us / 1000;
}

static int64_t sim_mono_us(struct loop *l)
{
	return ((struct loop_sim *)l)->mono_us;
}

static struct loop_timer *sim_timer_new(struct loop *l, loop_fn fn, void *ctx)
{
	return timer_queue_add(&((struct loop_sim *)l)->queue, l, fn, ctx);
}

static void sim_timer_start(struct loop_timer *t, int64_t delay_us, int64_t repeat_us)
{
	struct loop_sim *l = (struct loop_sim *)t->loop;

	timer_queue_start(&l->queue, t, l->mono_us + (delay_us > 0 ? delay_us : 0), repeat_us);
}

static void sim_timer_stop(struct loop_timer *t)
{
	timer_queue_stop(&((struct loop_sim *)t->loop)->queue, t);
}

static void sim_timer_free(struct loop_timer *t)
{
	timer_queue_remove(&((struct loop_sim *)t->loop)->queue, t);
}

static void move_to(struct loop_sim *l, int64_t mono_us)
{
	if (mono_us > l->mono_us) {
		l->wall_us += mono_us - l->mono_us;
		l->mono_us = mono_us;
	}
}

static void fire_until(struct loop_sim *l, int64_t until_us)
{
	int64_t due_us, at_us = -1;
	int n = 0;

	while (timer_queue_next_due(&l->queue, &due_us) && due_us <= until_us) {
		move_to(l, due_us);
		n = l->mono_us == at_us ? n + 1 : 0;
		at_us = l->mono_us;
		assert(n < SETTLE_FIRINGS_MAX);
		timer_queue_fire(&l->queue, l->mono_us, UINT64_MAX);
	}
}

/* Until stopped, or until nothing is left that could happen. */
static void sim_run(struct loop *loop)
{
	struct loop_sim *l = (struct loop_sim *)loop;
	int64_t due_us;

	l->is_stopped = false;
	while (!l->is_stopped && timer_queue_next_due(&l->queue, &due_us)) {
		move_to(l, due_us);
		timer_queue_fire(&l->queue, l->mono_us, UINT64_MAX);
	}
}

static void sim_stop(struct loop *l)
{
	((struct loop_sim *)l)->is_stopped = true;
}

static void sim_free(struct loop *loop)
{
	struct loop_sim *l = (struct loop_sim *)loop;

	timer_queue_fini(&l->queue);
	free(l);
}

static const struct loop_ops SIM_OPS = {
	.free = sim_free,
	.now_ms = sim_now_ms,
	.mono_us = sim_mono_us,
	.timer_new = sim_timer_new,
	.timer_start = sim_timer_start,
	.timer_stop = sim_timer_stop,
	.timer_free = sim_timer_free,
	.run = sim_run,
	.stop = sim_stop,
};

static struct loop_sim *sim_of(struct loop *l)
{
	assert(l->ops == &SIM_OPS);
	return (struct loop_sim *)l;
}

int loop_sim_new(struct loop **ret, int64_t now_ms)
{
	struct loop_sim *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->base.ops = &SIM_OPS;
	l->wall_us = now_ms * 1000;
	l->mono_us = MONO_START_US;
	timer_queue_init(&l->queue);
	*ret = &l->base;
	return 0;
}

void loop_sim_advance_us(struct loop *loop, int64_t us)
{
	struct loop_sim *l = sim_of(loop);
	int64_t until_us = l->mono_us + us;

	fire_until(l, until_us);
	move_to(l, until_us);
}

void loop_sim_advance(struct loop *l, int64_t ms)
{
	loop_sim_advance_us(l, ms * 1000);
}

void loop_sim_settle(struct loop *loop)
{
	struct loop_sim *l = sim_of(loop);

	fire_until(l, l->mono_us);
}

void loop_sim_step_wall(struct loop *l, int64_t ms)
{
	sim_of(l)->wall_us += ms * 1000;
}
