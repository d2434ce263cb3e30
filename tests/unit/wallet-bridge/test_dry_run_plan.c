#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "wallet-bridge/dry_run_plan.h"

#define STEPS_MAX 12

static const struct executor_config plain = { .reservation_ms = 60000, .step_ms = 1000 };

struct way {
	size_t n;
	struct dry_run_step step[STEPS_MAX];
};

static struct way walk(const struct executor_config *c, const char *order)
{
	struct way w = { 0 };
	int state = 0;

	while (w.n < STEPS_MAX) {
		struct dry_run_step *s = &w.step[w.n];
		int r = dry_run_plan_next(s, c, str_of(order), (int64_t)w.n, state, false);

		if (r == DRY_RUN_PLAN_E_OVER)
			return w;
		cr_assert(zero(int, r));
		state = (int)s->state;
		w.n++;
	}
	cr_assert(false, "%s never ends", order);
	return w;
}

static void expect_way(const struct way *w, const enum order_state *states, size_t n)
{
	cr_assert(eq(sz, w->n, n));
	for (size_t i = 0; i < n; i++)
		cr_expect(eq(int, (int)w->step[i].state, (int)states[i]), "step %zu", i + 1);
}
#define EXPECT_WAY(w, ...) \
	expect_way(w, (const enum order_state[]){ __VA_ARGS__ }, \
		sizeof((const enum order_state[]){ __VA_ARGS__ }) / sizeof(enum order_state))

/* The first order of those whose payment has a reorg, or none. */
static const char *order_with(const struct executor_config *c, size_t n_steps)
{
	static char id[32];

	for (int i = 0; i < 100000; i++) {
		snprintf(id, sizeof(id), "order-%d", i);
		if (walk(c, id).n == n_steps)
			return id;
	}
	cr_assert(false, "no order of %zu steps", n_steps);
	return NULL;
}

Test(dry_run_plan, most_payments_are_sent_mined_confirmed_and_final)
{
	const char *id = order_with(&plain, 4);
	struct way w = walk(&plain, id);

	EXPECT_WAY(&w, ORDER_SENT, ORDER_MINED, ORDER_CONFIRMED, ORDER_FINAL);
	for (size_t i = 0; i < w.n; i++) {
		cr_expect(eq(sz, strlen(w.step[i].tx), 66));
		cr_expect(eq(str, w.step[i].tx, w.step[0].tx));
		cr_expect(w.step[i].reason == NULL);
	}
	cr_expect(zero(i64, w.step[0].block));
	cr_expect(gt(i64, w.step[1].block, 0));
	cr_expect(eq(i64, w.step[2].block, w.step[1].block));
	cr_expect(eq(i64, w.step[3].block, w.step[1].block));
}

Test(dry_run_plan, the_transaction_is_the_digest_of_the_order)
{
	struct dry_run_step s;

	cr_assert(zero(int, dry_run_plan_next(&s, &plain, STR("o-1"), 0, 0, false)));
	/* printf souk-dry-runo-1 | sha256sum */
	cr_expect(eq(
		str, s.tx, "0x500ad58af91317690dd18611feeef0a85c66a1ca21815a96be3528ca63940a3f"));
}

Test(dry_run_plan, a_reorg_is_sent_and_mined_again_in_another_block)
{
	struct way w = walk(&plain, order_with(&plain, 6));

	EXPECT_WAY(
		&w, ORDER_SENT, ORDER_MINED, ORDER_SENT, ORDER_MINED, ORDER_CONFIRMED, ORDER_FINAL);
	cr_expect(eq(str, w.step[2].tx, w.step[0].tx));
	cr_expect(zero(i64, w.step[2].block));
	cr_expect(eq(i64, w.step[3].block, w.step[1].block + 1));
	cr_expect(eq(i64, w.step[4].block, w.step[3].block));
	cr_expect(eq(i64, w.step[5].block, w.step[3].block));
}

Test(dry_run_plan, a_failing_payment_is_reverted_with_a_reason)
{
	struct executor_config c = plain;

	c.fail_bps = 10000;
	for (int i = 0; i < 500; i++) {
		char id[32];
		struct way w;

		snprintf(id, sizeof(id), "order-%d", i);
		w = walk(&c, id);
		EXPECT_WAY(&w, ORDER_SENT, ORDER_REVERTED);
		cr_expect(eq(str, (char *)w.step[1].reason, "REVERTED"));
		cr_expect(eq(str, w.step[1].tx, w.step[0].tx));
	}
}

Test(dry_run_plan, a_held_payment_waits_for_funds_and_goes_on)
{
	struct executor_config c = plain;
	struct way w;

	c.hold_bps = 10000;
	w = walk(&c, order_with(&c, 5));
	EXPECT_WAY(&w, ORDER_HELD, ORDER_SENT, ORDER_MINED, ORDER_CONFIRMED, ORDER_FINAL);
	cr_expect(eq(str, (char *)w.step[0].reason, "FUNDS"));
	cr_expect(eq(str, w.step[0].tx, ""));
	cr_expect(ge(i64, w.step[1].wait_ms, DRY_RUN_HOLD_STEPS * c.step_ms / 2));
	w = walk(&c, order_with(&c, 7));
	EXPECT_WAY(&w, ORDER_HELD, ORDER_SENT, ORDER_MINED, ORDER_SENT, ORDER_MINED,
		ORDER_CONFIRMED, ORDER_FINAL);
}

Test(dry_run_plan, a_held_payment_can_fail)
{
	struct executor_config c = plain;
	struct way w;

	c.hold_bps = c.fail_bps = 10000;
	w = walk(&c, "order-1");
	EXPECT_WAY(&w, ORDER_HELD, ORDER_SENT, ORDER_REVERTED);
}

Test(dry_run_plan, an_order_that_nobody_pays_expires_when_its_reservation_does)
{
	struct executor_config c = plain;
	struct way w;

	c.never_bps = 10000;
	c.hold_bps = 10000;
	w = walk(&c, "order-1");
	EXPECT_WAY(&w, ORDER_EXPIRED);
	cr_expect(eq(i64, w.step[0].wait_ms, 60000));
	cr_expect(eq(str, (char *)w.step[0].reason, "UNPAID"));
	cr_expect(eq(str, w.step[0].tx, ""));
	cr_expect(zero(i64, w.step[0].block));
}

Test(dry_run_plan, who_is_late_never_begins_but_what_was_begun_goes_on)
{
	struct dry_run_step s;
	struct str id = STR("order-1");

	cr_assert(zero(int, dry_run_plan_next(&s, &plain, id, 0, 0, true)));
	cr_expect(eq(int, (int)s.state, ORDER_EXPIRED));
	cr_assert(zero(int, dry_run_plan_next(&s, &plain, id, 1, ORDER_HELD, true)));
	cr_expect(eq(int, (int)s.state, ORDER_EXPIRED));
	cr_assert(zero(int, dry_run_plan_next(&s, &plain, id, 1, ORDER_SENT, true)));
	cr_expect(eq(int, (int)s.state, ORDER_MINED));
	cr_assert(zero(int, dry_run_plan_next(&s, &plain, id, 3, ORDER_CONFIRMED, true)));
	cr_expect(eq(int, (int)s.state, ORDER_FINAL));
}

Test(dry_run_plan, nothing_follows_an_end)
{
	const enum order_state ends[] = { ORDER_FINAL, ORDER_REVERTED, ORDER_EXPIRED,
		ORDER_CANCELLED };
	struct dry_run_step s;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		cr_expect(eq(int, dry_run_plan_next(&s, &plain, STR("o"), 2, (int)ends[i], true),
			DRY_RUN_PLAN_E_OVER));
	}
}

Test(dry_run_plan, another_configuration_goes_on_from_where_the_order_is)
{
	struct executor_config c = plain;
	struct dry_run_step s;
	struct str id = STR("order-1");

	/* Held, mined and confirmed under a configuration that knew no failures. */
	c.fail_bps = c.never_bps = 10000;
	cr_assert(zero(int, dry_run_plan_next(&s, &c, id, 1, ORDER_HELD, false)));
	cr_expect(eq(int, (int)s.state, ORDER_SENT));
	cr_assert(zero(int, dry_run_plan_next(&s, &c, id, 3, ORDER_CONFIRMED, false)));
	cr_expect(eq(int, (int)s.state, ORDER_FINAL));
	/* And back. */
	cr_assert(zero(int, dry_run_plan_next(&s, &plain, id, 1, ORDER_SENT, false)));
	cr_expect(eq(int, (int)s.state, ORDER_MINED));
}

Test(dry_run_plan, chances_are_about_what_they_are_said_to_be)
{
	struct executor_config c = plain;
	int n_never = 0, n_held = 0, n_failed = 0, n_reorg = 0;

	c.never_bps = 500;
	c.hold_bps = 1000;
	c.fail_bps = 2000;
	for (int i = 0; i < 10000; i++) {
		char id[32];
		struct way w;

		snprintf(id, sizeof(id), "order-%d", i);
		w = walk(&c, id);
		n_never += w.step[0].state == ORDER_EXPIRED;
		n_held += w.step[0].state == ORDER_HELD;
		n_failed += w.step[w.n - 1].state == ORDER_REVERTED;
		n_reorg += w.n >= 6;
	}
	cr_expect(n_never > 400 && n_never < 600, "%d", n_never);
	cr_expect(n_held > 850 && n_held < 1050, "%d of 950", n_held);
	cr_expect(n_failed > 1750 && n_failed < 2050, "%d of 1900", n_failed);
	cr_expect(n_reorg > 150 && n_reorg < 310, "%d of 228", n_reorg);
}

Test(dry_run_plan, waits_lie_around_the_mean_and_can_be_none)
{
	struct executor_config c = plain;
	int64_t sum = 0;

	for (int i = 0; i < 2000; i++) {
		char id[32];
		struct dry_run_step s;

		snprintf(id, sizeof(id), "order-%d", i);
		cr_assert(zero(int, dry_run_plan_next(&s, &c, str_of(id), 0, 0, false)));
		cr_assert(s.wait_ms >= 500 && s.wait_ms <= 1500);
		sum += s.wait_ms;
	}
	cr_expect(sum / 2000 > 950 && sum / 2000 < 1050);
	c.step_ms = 0;
	for (size_t i = 0; i < 4; i++)
		cr_expect(zero(i64, walk(&c, "order-1").step[i].wait_ms));
}

Test(dry_run_plan, an_id_that_no_order_can_have_is_refused)
{
	struct dry_run_step s;
	char id[200];

	memset(id, 'x', sizeof(id));
	cr_expect(lt(int,
		dry_run_plan_next(&s, &plain, (struct str){ id, sizeof(id) }, 0, 0, false), 0));
	cr_expect(zero(int, dry_run_plan_next(&s, &plain, (struct str){ id, 128 }, 0, 0, false)));
}
