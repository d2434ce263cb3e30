#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <signal.h>

#include "tests/conformance/timer_suite.h"

static void stop(void *ctx)
{
	loop_stop(ctx);
}

static void pass_for_real(struct timer_suite *s, int64_t ms)
{
	struct loop_timer *t = loop_timer_new(s->loop, stop, s->loop);

	loop_timer_start(t, ms);
	loop_run(s->loop);
	loop_timer_free(t);
}

Test(loop_ev, keeps_every_promise_about_timers)
{
	CLEANUP(loop_free) struct loop *loop = NULL;

	cr_assert(zero(int, loop_ev_new(&loop)));
	for (size_t i = 0; i < N_TIMER_CASES; i++) {
		struct timer_suite s = { .loop = loop, .pass = pass_for_real };

		TIMER_CASES[i].run(&s);
		cr_expect(zero(uint, s.failures), "%s", TIMER_CASES[i].name);
	}
}

Test(loop_ev, two_loops_do_not_know_each_other)
{
	CLEANUP(loop_free) struct loop *a = NULL;
	CLEANUP(loop_free) struct loop *b = NULL;
	struct loop_timer *t;

	cr_assert(zero(int, loop_ev_new(&a)));
	cr_assert(zero(int, loop_ev_new(&b)));
	t = loop_timer_new(b, stop, b);
	loop_timer_start(t, 0);
	loop_run(b);
	loop_timer_free(t);
}

Test(loop_ev, a_signal_is_a_callback_on_the_loop)
{
	CLEANUP(loop_free) struct loop *loop = NULL;

	cr_assert(zero(int, loop_ev_new(&loop)));
	cr_assert(zero(int, loop_ev_signal(loop, SIGUSR1, stop, loop)));
	raise(SIGUSR1);
	loop_run(loop);
}

Test(loop_ev, at_most_eight_signals)
{
	CLEANUP(loop_free) struct loop *loop = NULL;

	cr_assert(zero(int, loop_ev_new(&loop)));
	for (int i = 0; i < 8; i++)
		cr_assert(zero(int, loop_ev_signal(loop, SIGUSR2, stop, loop)));
	cr_expect(eq(int, loop_ev_signal(loop, SIGUSR2, stop, loop), -EBUSY));
}
