/*
 * One libev timer serves our whole timer queue: it is set before the loop goes to sleep, and only
 * if the soonest deadline has changed since. libev's own timers are relative to the time the turn
 * began and their order on a tie is open; ours count from the call and keep the order of the driven
 * clock.
 *
 * The epoll back end sleeps in whole milliseconds, rounded up: a timer is never early, and up to 1
 * ms late.
 */
#include "common/io/loop.h"

#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "common/io/timer_queue.h"

#define SIGNALS_MAX 8

struct loop_signal {
	ev_signal watcher;
	loop_fn fn;
	void *ctx;
};

struct loop_real {
	struct loop base;
	struct ev_loop *ev;
	ev_timer timer;
	ev_prepare prepare;
	struct timer_queue queue;
	int64_t armed_us; /* what the libev timer is set to; valid while it is active */
	struct loop_signal signals[SIGNALS_MAX];
	size_t n_signals;
};

static int64_t clock_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t real_now_ms(struct loop *l)
{
	(void)l;
	return clock_us(CLOCK_REALTIME) / 1000;
}

static int64_t real_mono_us(struct loop *l)
{
	(void)l;
	return clock_us(CLOCK_MONOTONIC);
}

static void on_timer(struct ev_loop *ev, ev_timer *w, int revents)
{
	struct loop_real *l = w->data;
	uint64_t mark = timer_queue_mark(&l->queue);
	int64_t now_us = clock_us(CLOCK_MONOTONIC);

	(void)ev;
	(void)revents;
	/* What callbacks start now has its turn after the sockets had theirs. */
	while (timer_queue_fire(&l->queue, now_us, mark))
		;
}

static void on_prepare(struct ev_loop *ev, ev_prepare *w, int revents)
{
	struct loop_real *l = w->data;
	int64_t due_us, wait_us;

	(void)revents;
	if (!timer_queue_next_due(&l->queue, &due_us)) {
		ev_timer_stop(ev, &l->timer);
		return;
	}
	if (ev_is_active(&l->timer) && l->armed_us == due_us)
		return;
	ev_timer_stop(ev, &l->timer);
	ev_now_update(ev);
	wait_us = due_us - clock_us(CLOCK_MONOTONIC);
	ev_timer_set(&l->timer, wait_us > 0 ? (double)wait_us / 1e6 : 0., 0.);
	ev_timer_start(ev, &l->timer);
	l->armed_us = due_us;
}

static struct loop_timer *real_timer_new(struct loop *loop, loop_fn fn, void *ctx)
{
	return timer_queue_add(&((struct loop_real *)loop)->queue, loop, fn, ctx);
}

static void real_timer_start(struct loop_timer *t, int64_t delay_us, int64_t repeat_us)
{
	struct loop_real *l = (struct loop_real *)t->loop;

	timer_queue_start(
		&l->queue, t, clock_us(CLOCK_MONOTONIC) + (delay_us > 0 ? delay_us : 0), repeat_us);
}

static void real_timer_stop(struct loop_timer *t)
{
	timer_queue_stop(&((struct loop_real *)t->loop)->queue, t);
}

static void real_timer_free(struct loop_timer *t)
{
	timer_queue_remove(&((struct loop_real *)t->loop)->queue, t);
}

static void real_run(struct loop *loop)
{
	ev_run(((struct loop_real *)loop)->ev, 0);
}

static void real_stop(struct loop *loop)
{
	ev_break(((struct loop_real *)loop)->ev, EVBREAK_ALL);
}

static void real_free(struct loop *loop)
{
	struct loop_real *l = (struct loop_real *)loop;

	for (size_t i = 0; i < l->n_signals; i++)
		ev_signal_stop(l->ev, &l->signals[i].watcher);
	ev_timer_stop(l->ev, &l->timer);
	ev_prepare_stop(l->ev, &l->prepare);
	timer_queue_fini(&l->queue);
	ev_loop_destroy(l->ev);
	free(l);
}

static const struct loop_ops REAL_OPS = {
	.free = real_free,
	.now_ms = real_now_ms,
	.mono_us = real_mono_us,
	.timer_new = real_timer_new,
	.timer_start = real_timer_start,
	.timer_stop = real_timer_stop,
	.timer_free = real_timer_free,
	.run = real_run,
	.stop = real_stop,
};

int loop_ev_new(struct loop **ret)
{
	struct loop_real *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->ev = ev_loop_new(EVFLAG_AUTO);
	if (!l->ev) {
		free(l);
		return -ENOMEM;
	}
	l->base.ops = &REAL_OPS;
	timer_queue_init(&l->queue);
	ev_init(&l->timer, on_timer);
	l->timer.data = l;
	ev_prepare_init(&l->prepare, on_prepare);
	l->prepare.data = l;
	/* After every other prepare watcher, the libraries' included: they may start timers. */
	ev_set_priority(&l->prepare, EV_MINPRI);
	ev_prepare_start(l->ev, &l->prepare);
	signal(SIGPIPE, SIG_IGN);
	*ret = &l->base;
	return 0;
}

struct ev_loop *loop_ev(struct loop *l)
{
	assert(l->ops == &REAL_OPS);
	return ((struct loop_real *)l)->ev;
}

static void on_signal(struct ev_loop *ev, ev_signal *w, int revents)
{
	struct loop_signal *s = w->data;

	(void)ev;
	(void)revents;
	s->fn(s->ctx);
}

int loop_ev_signal(struct loop *loop, int signo, loop_fn fn, void *ctx)
{
	struct loop_real *l = (struct loop_real *)loop;
	struct loop_signal *s;

	assert(loop->ops == &REAL_OPS);
	if (l->n_signals == SIGNALS_MAX)
		return -EBUSY;
	s = &l->signals[l->n_signals++];
	s->fn = fn;
	s->ctx = ctx;
	ev_signal_init(&s->watcher, on_signal, signo);
	s->watcher.data = s;
	ev_signal_start(l->ev, &s->watcher);
	return 0;
}
