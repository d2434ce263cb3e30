#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/io/sim/loop_sim.h"
#include "tests/conformance/timer_suite.h"

#define NOW_MS 1700000000000

static void advance(struct timer_suite *s, int64_t ms)
{
	loop_sim_advance(s->loop, ms);
}

Test(loop_sim, keeps_every_promise_about_timers)
{
	for (size_t i = 0; i < N_TIMER_CASES; i++) {
		CLEANUP(loop_free) struct loop *loop = NULL;
		struct timer_suite s = { .pass = advance };

		cr_assert(zero(int, loop_sim_new(&loop, NOW_MS)));
		s.loop = loop;
		TIMER_CASES[i].run(&s);
		cr_expect(zero(uint, s.failures), "%s", TIMER_CASES[i].name);
	}
}

struct seen {
	struct loop *loop;
	int64_t at_us[8], wall_ms;
	size_t n;
	struct loop_timer *timer;
};

static void see(void *ctx)
{
	struct seen *s = ctx;

	s->wall_ms = loop_now_ms(s->loop);
	s->at_us[s->n++] = loop_mono_us(s->loop);
}

Test(loop_sim, each_timer_sees_its_own_time)
{
	CLEANUP(loop_free) struct loop *loop = NULL;
	struct seen seen = { 0 };
	int64_t start_us;

	cr_assert(zero(int, loop_sim_new(&loop, NOW_MS)));
	seen.loop = loop;
	seen.timer = loop_timer_new(loop, see, &seen);
	start_us = loop_mono_us(loop);
	loop_timer_repeat(seen.timer, 1000);
	loop_sim_advance(loop, 3500);
	cr_assert(eq(sz, seen.n, 3));
	cr_expect(eq(i64, seen.at_us[0] - start_us, 1000000));
	cr_expect(eq(i64, seen.at_us[2] - start_us, 3000000));
	cr_expect(eq(i64, seen.wall_ms, NOW_MS + 3000));
	cr_expect(eq(i64, loop_now_ms(loop), NOW_MS + 3500));
	cr_expect(eq(i64, loop_mono_us(loop) - start_us, 3500000));
	loop_timer_free(seen.timer);
}

Test(loop_sim, settling_moves_no_clock_and_fires_only_what_is_due)
{
	CLEANUP(loop_free) struct loop *loop = NULL;
	struct seen seen = { 0 };

	cr_assert(zero(int, loop_sim_new(&loop, NOW_MS)));
	seen.loop = loop;
	seen.timer = loop_timer_new(loop, see, &seen);
	loop_timer_start_us(seen.timer, 1);
	loop_sim_settle(loop);
	cr_expect(zero(sz, seen.n));
	loop_sim_advance_us(loop, 1);
	cr_expect(eq(sz, seen.n, 1));
	loop_timer_start(seen.timer, 0);
	loop_sim_settle(loop);
	cr_expect(eq(sz, seen.n, 2));
	cr_expect(eq(i64, loop_now_ms(loop), NOW_MS));
	loop_timer_free(seen.timer);
}

Test(loop_sim, a_step_of_the_wall_clock_moves_no_timer)
{
	CLEANUP(loop_free) struct loop *loop = NULL;
	struct seen seen = { 0 };
	int64_t start_us;

	cr_assert(zero(int, loop_sim_new(&loop, NOW_MS)));
	seen.loop = loop;
	seen.timer = loop_timer_new(loop, see, &seen);
	start_us = loop_mono_us(loop);
	loop_timer_start(seen.timer, 10);
	loop_sim_step_wall(loop, 3600000);
	loop_sim_step_wall(loop, -7200000);
	cr_expect(zero(sz, seen.n));
	cr_expect(eq(i64, loop_now_ms(loop), NOW_MS - 3600000));
	loop_sim_advance(loop, 10);
	cr_expect(eq(i64, seen.at_us[0] - start_us, 10000));
	loop_timer_free(seen.timer);
}

static void stop_third(void *ctx)
{
	struct seen *s = ctx;

	see(s);
	if (s->n == 3)
		loop_stop(s->loop);
}

Test(loop_sim, running_goes_on_until_stopped_or_idle)
{
	CLEANUP(loop_free) struct loop *loop = NULL;
	struct seen seen = { 0 };

	cr_assert(zero(int, loop_sim_new(&loop, NOW_MS)));
	seen.loop = loop;
	seen.timer = loop_timer_new(loop, stop_third, &seen);
	loop_timer_repeat(seen.timer, 60000);
	loop_run(loop);
	cr_expect(eq(sz, seen.n, 3));
	cr_expect(eq(i64, loop_now_ms(loop), NOW_MS + 180000));
	loop_timer_start(seen.timer, 5);
	loop_run(loop);
	cr_expect(eq(sz, seen.n, 4));
	loop_timer_free(seen.timer);
}
