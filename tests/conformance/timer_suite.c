#include "tests/conformance/timer_suite.h"

#include <string.h>

#include "tests/conformance/check.h"

#define MARKS_MAX 64

/* What fired, in order. */
struct trace {
	struct timer_suite *suite;
	char marks[MARKS_MAX + 1];
	size_t n;
	struct loop_timer *other; /* for what a callback does to a timer */
	int left;
};

struct probe {
	struct trace *trace;
	char mark;
	struct loop_timer *timer;
};

static void mark(void *ctx)
{
	struct probe *p = ctx;

	if (p->trace->n < MARKS_MAX)
		p->trace->marks[p->trace->n++] = p->mark;
}

static struct loop_timer *probe_new(struct trace *t, struct probe *p, char c, loop_fn fn)
{
	*p = (struct probe){ .trace = t, .mark = c };
	p->timer = loop_timer_new(t->suite->loop, fn, p);
	return p->timer;
}

static bool fired(const struct trace *t, const char *marks)
{
	if (strcmp(t->marks, marks) == 0)
		return true;
	fprintf(stderr, "# fired \"%s\", wanted \"%s\"\n", t->marks, marks);
	return false;
}

static void fires_once_and_not_before_its_time(struct timer_suite *s)
{
	struct trace t = { .suite = s };
	struct probe a;
	int64_t started_us = loop_mono_us(s->loop);

	loop_timer_start(probe_new(&t, &a, 'a', mark), 3);
	CHECK(&s->failures, fired(&t, ""));
	while (t.n == 0)
		s->pass(s, 1);
	CHECK(&s->failures, loop_mono_us(s->loop) - started_us >= 3000);
	s->pass(s, 8);
	CHECK(&s->failures, fired(&t, "a"));
	loop_timer_free(a.timer);
}

static void fire_in_the_order_of_their_times(struct timer_suite *s)
{
	struct trace t = { .suite = s };
	struct probe a, b, c;

	loop_timer_start(probe_new(&t, &a, 'a', mark), 6);
	loop_timer_start(probe_new(&t, &b, 'b', mark), 2);
	loop_timer_start(probe_new(&t, &c, 'c', mark), 4);
	s->pass(s, 10);
	CHECK(&s->failures, fired(&t, "bca"));
	loop_timer_free(a.timer);
	loop_timer_free(b.timer);
	loop_timer_free(c.timer);
}

static void the_same_time_keeps_the_order_of_starting(struct timer_suite *s)
{
	struct trace t = { .suite = s };
	struct probe p[6];

	for (int i = 0; i < 6; i++)
		probe_new(&t, &p[i], (char)('a' + i), mark);
	for (int i = 5; i >= 0; i--)
		loop_timer_start(p[i].timer, 2);
	s->pass(s, 5);
	CHECK(&s->failures, fired(&t, "fedcba"));
	for (int i = 0; i < 6; i++)
		loop_timer_free(p[i].timer);
}

static void zero_delay_waits_for_the_next_turn(struct timer_suite *s)
{
	struct trace t = { .suite = s };
	struct probe a;

	loop_timer_start(probe_new(&t, &a, 'a', mark), 0);
	CHECK(&s->failures, fired(&t, ""));
	s->pass(s, 1);
	CHECK(&s->failures, fired(&t, "a"));
	loop_timer_free(a.timer);
}

static void a_restart_starts_over(struct timer_suite *s)
{
	struct trace t = { .suite = s };
	struct probe a, b;

	loop_timer_start(probe_new(&t, &a, 'a', mark), 2);
	loop_timer_start(probe_new(&t, &b, 'b', mark), 4);
	loop_timer_start(a.timer, 8);
	s->pass(s, 14);
	CHECK(&s->failures, fired(&t, "ba"));
	loop_timer_free(a.timer);
	loop_timer_free(b.timer);
}

static void a_stopped_timer_is_silent(struct timer_suite *s)
{
	struct trace t = { .suite = s };
	struct probe a, b;

	loop_timer_start(probe_new(&t, &a, 'a', mark), 2);
	loop_timer_start(probe_new(&t, &b, 'b', mark), 4);
	loop_timer_stop(a.timer);
	loop_timer_stop(a.timer);
	s->pass(s, 8);
	CHECK(&s->failures, fired(&t, "b"));
	loop_timer_free(a.timer);
	loop_timer_free(b.timer);
}

static void mark_and_stop_self(void *ctx)
{
	struct probe *p = ctx;

	mark(p);
	if (--p->trace->left == 0)
		loop_timer_stop(p->timer);
}

static void repeats_until_stopped_from_inside(struct timer_suite *s)
{
	struct trace t = { .suite = s, .left = 3 };
	struct probe a;

	loop_timer_repeat(probe_new(&t, &a, 'a', mark_and_stop_self), 2);
	for (int i = 0; i < 100 && t.left > 0; i++)
		s->pass(s, 2);
	s->pass(s, 8);
	CHECK(&s->failures, fired(&t, "aaa"));
	loop_timer_free(a.timer);
}

static void mark_and_stop_other(void *ctx)
{
	struct probe *p = ctx;

	mark(p);
	loop_timer_stop(p->trace->other);
}

static void a_callback_may_stop_one_that_is_due_too(struct timer_suite *s)
{
	struct trace t = { .suite = s };
	struct probe a, b, c;

	loop_timer_start(probe_new(&t, &a, 'a', mark_and_stop_other), 2);
	loop_timer_start(probe_new(&t, &b, 'b', mark), 2);
	loop_timer_start(probe_new(&t, &c, 'c', mark), 2);
	t.other = b.timer;
	s->pass(s, 6);
	CHECK(&s->failures, fired(&t, "ac"));
	loop_timer_free(a.timer);
	loop_timer_free(b.timer);
	loop_timer_free(c.timer);
}

static void mark_and_start_self(void *ctx)
{
	struct probe *p = ctx;

	mark(p);
	if (--p->trace->left > 0)
		loop_timer_start(p->timer, 0);
}

static void a_callback_may_start_its_own_timer(struct timer_suite *s)
{
	struct trace t = { .suite = s, .left = 3 };
	struct probe a;

	loop_timer_start(probe_new(&t, &a, 'a', mark_and_start_self), 1);
	for (int i = 0; i < 100 && t.left > 0; i++)
		s->pass(s, 1);
	s->pass(s, 2);
	CHECK(&s->failures, fired(&t, "aaa"));
	loop_timer_free(a.timer);
}

static void mark_and_free_self(void *ctx)
{
	struct probe *p = ctx;

	mark(p);
	p->timer = loop_timer_free(p->timer);
}

static void a_callback_may_free_its_own_timer(struct timer_suite *s)
{
	struct trace t = { .suite = s };
	struct probe a, b;

	loop_timer_repeat(probe_new(&t, &a, 'a', mark_and_free_self), 1);
	loop_timer_start(probe_new(&t, &b, 'b', mark_and_free_self), 3);
	s->pass(s, 8);
	CHECK(&s->failures, fired(&t, "ab"));
	CHECK(&s->failures, !a.timer && !b.timer);
}

static void mark_and_free_other(void *ctx)
{
	struct probe *p = ctx;

	mark(p);
	p->trace->other = loop_timer_free(p->trace->other);
}

static void a_callback_may_free_one_that_is_due_too(struct timer_suite *s)
{
	struct trace t = { .suite = s };
	struct probe a, b;

	loop_timer_start(probe_new(&t, &a, 'a', mark_and_free_other), 2);
	loop_timer_start(probe_new(&t, &b, 'b', mark), 2);
	t.other = b.timer;
	s->pass(s, 6);
	CHECK(&s->failures, fired(&t, "a"));
	loop_timer_free(a.timer);
}

struct ordered {
	struct loop_timer *timer;
	int64_t due_us;
	struct order *order;
};

struct order {
	int64_t last_us;
	size_t n;
	bool is_wrong;
};

static void note_order(void *ctx)
{
	struct ordered *o = ctx;

	o->order->is_wrong = o->order->is_wrong || o->due_us < o->order->last_us;
	o->order->last_us = o->due_us;
	o->order->n++;
}

static void thousands_with_half_of_them_freed_fire_in_order(struct timer_suite *s)
{
	enum { N = 2000 };
	static struct ordered timers[N];
	struct order order = { 0 };

	for (int i = 0; i < N; i++) {
		struct ordered *o = &timers[i];

		/* Ten milliseconds apart or equal: the time that starting them takes does not
		 * matter. */
		*o = (struct ordered){ .due_us = i * 7919 % 5 * 10000, .order = &order };
		o->timer = loop_timer_new(s->loop, note_order, o);
		loop_timer_start_us(o->timer, o->due_us);
	}
	for (int i = 0; i < N; i += 2)
		loop_timer_free(timers[i].timer);
	for (int i = 0; i < 100 && order.n < N / 2; i++)
		s->pass(s, 10);
	CHECK(&s->failures, order.n == N / 2);
	CHECK(&s->failures, !order.is_wrong);
	for (int i = 1; i < N; i += 2)
		loop_timer_free(timers[i].timer);
}

#define CASE(fn) \
	{ \
#fn, fn \
	}

const struct timer_case TIMER_CASES[] = {
	CASE(fires_once_and_not_before_its_time),
	CASE(fire_in_the_order_of_their_times),
	CASE(the_same_time_keeps_the_order_of_starting),
	CASE(zero_delay_waits_for_the_next_turn),
	CASE(a_restart_starts_over),
	CASE(a_stopped_timer_is_silent),
	CASE(repeats_until_stopped_from_inside),
	CASE(a_callback_may_stop_one_that_is_due_too),
	CASE(a_callback_may_start_its_own_timer),
	CASE(a_callback_may_free_its_own_timer),
	CASE(a_callback_may_free_one_that_is_due_too),
	CASE(thousands_with_half_of_them_freed_fire_in_order),
};
const size_t N_TIMER_CASES = sizeof(TIMER_CASES) / sizeof(TIMER_CASES[0]);
