#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>

#include "wallet-bridge/drive_table.h"

#define N 64

static struct log_order logs[N];
static char ids[N][16];

/* In its place: its lists point to themselves. */
static void init(struct drive_table *t)
{
	cr_assert(zero(int, drive_table_init(t, NULL)));
}

/* Order @i, whose request is at offset 10 + @i. */
static struct drive_order *add(struct drive_table *t, int i, bool is_done)
{
	struct drive_order *o;

	snprintf(ids[i], sizeof(ids[i]), "o-%d", i);
	logs[i] = (struct log_order){ .id = str_of(ids[i]), .offset = 10 + i, .ts_ms = 1000 + i };
	o = drive_table_add(t, &logs[i], is_done);
	cr_assert(o != NULL);
	return o;
}

static int64_t ledger(const struct drive_table *t)
{
	struct ledger_place p = drive_table_ledger_from(t, (struct ledger_place){ 900, 9 });

	return p.offset * 100 + p.epoch;
}

Test(drive_table, an_order_is_found_by_its_id)
{
	struct drive_table t;
	struct drive_order *o;

	init(&t);
	o = add(&t, 3, false);
	cr_expect(drive_table_get(&t, STR("o-3")) == o);
	cr_expect(drive_table_get(&t, STR("o-4")) == NULL);
	cr_expect(eq(i64, o->last_ms, 1003));
	cr_expect(eq(i64, o->offset, 13));
	drive_table_fini(&t);
}

Test(drive_table, reading_begins_at_the_first_order_that_is_not_done)
{
	struct drive_table t;
	struct drive_order *o[4];

	init(&t);
	cr_expect(eq(i64, drive_table_from(&t, 77), 77));
	for (int i = 0; i < 4; i++)
		o[i] = add(&t, i, false);
	cr_expect(eq(i64, drive_table_from(&t, 77), 10));
	drive_table_finish(&t, o[1]);
	cr_expect(eq(i64, drive_table_from(&t, 77), 10));
	drive_table_finish(&t, o[0]);
	cr_expect(eq(i64, drive_table_from(&t, 77), 12));
	drive_table_finish(&t, o[0]); /* twice is once */
	cr_expect(eq(sz, t.n_open, 2));
	drive_table_finish(&t, o[3]);
	drive_table_finish(&t, o[2]);
	cr_expect(eq(i64, drive_table_from(&t, 77), 77));
	drive_table_fini(&t);
}

Test(drive_table, the_ledger_is_read_from_the_first_outcome_in_the_window)
{
	struct drive_table t;
	struct drive_order *o[3];

	init(&t);
	cr_expect(eq(i64, ledger(&t), 90009));
	for (int i = 0; i < 3; i++)
		o[i] = add(&t, i, false);
	cr_expect(eq(i64, ledger(&t), 90009)); /* their outcomes are to come */
	o[0]->first = (struct ledger_place){ 500, 4 };
	o[1]->first = (struct ledger_place){ 300, 3 };
	o[2]->first = (struct ledger_place){ 600, 5 };
	cr_expect(eq(i64, ledger(&t), 30003));
	drive_table_finish(&t, o[1]); /* within the window: met again after a restart */
	cr_expect(eq(i64, ledger(&t), 30003));
	drive_table_finish(&t, o[0]);
	cr_expect(eq(i64, ledger(&t), 60005));
	drive_table_fini(&t);
}

Test(drive_table, what_was_forgotten_in_the_window_still_says_how_far_back)
{
	struct drive_table t;
	struct drive_order *o[4];

	init(&t);
	for (int i = 0; i < 4; i++) {
		o[i] = add(&t, i, false);
		o[i]->first = (struct ledger_place){ 500 - 100 * i, 5 - i };
	}
	drive_table_finish(&t, o[2]);
	drive_table_finish(&t, o[1]);
	cr_expect(drive_table_oldest_done(&t) == o[2]);
	drive_table_remove(&t, o[2]);
	cr_expect(drive_table_oldest_done(&t) == o[1]);
	drive_table_remove(&t, o[1]);
	cr_expect(drive_table_oldest_done(&t) == NULL);
	cr_expect(drive_table_get(&t, STR("o-1")) == NULL);
	drive_table_finish(&t, o[3]);
	cr_expect(eq(i64, ledger(&t), 20002)); /* o[3] */
	drive_table_remove(&t, o[3]);
	cr_expect(eq(i64, ledger(&t), 20002));
	add(&t, 4, false);
	drive_table_finish(&t, o[0]);
	cr_expect(eq(i64, drive_table_from(&t, 77), 14));
	cr_expect(eq(i64, ledger(&t), 90009));
	drive_table_fini(&t);
}

Test(drive_table, what_is_done_from_the_start_is_in_no_window)
{
	struct drive_table t;
	struct drive_order *o;

	init(&t);
	o = add(&t, 0, true);
	cr_expect(eq(i64, drive_table_from(&t, 77), 77));
	cr_expect(zero(sz, t.n_open));
	cr_expect(drive_table_oldest_done(&t) == o);
	drive_table_remove(&t, o);
	cr_expect(eq(i64, ledger(&t), 90009));
	drive_table_fini(&t);
}

Test(drive_table, an_order_with_a_report_due_is_not_forgotten)
{
	struct drive_table t;
	struct drive_order *a, *b;

	init(&t);
	a = add(&t, 0, false);
	b = add(&t, 1, false);
	a->is_sending = true;
	drive_table_finish(&t, a);
	cr_expect(drive_table_oldest_done(&t) == NULL);
	drive_table_finish(&t, b);
	cr_expect(drive_table_oldest_done(&t) == b);
	a->is_sending = false;
	cr_expect(drive_table_oldest_done(&t) == a);
	drive_table_fini(&t);
}

static bool is_heap(const struct drive_table *t)
{
	for (size_t i = 0; i < t->n_heap; i++) {
		if (t->heap[i]->heap_i != i || !t->heap[i]->is_scheduled)
			return false;
		if (i && t->heap[(i - 1) / 2]->due_us > t->heap[i]->due_us)
			return false;
	}
	return true;
}

Test(drive_table, orders_come_when_they_are_due_whatever_was_rescheduled)
{
	struct drive_table t;
	struct drive_order *o[N];
	int64_t before = -1;
	size_t n = 0;
	unsigned seed = 7;

	init(&t);
	for (int i = 0; i < N; i++)
		o[i] = add(&t, i, false);
	for (int i = 0; i < 2000; i++) {
		struct drive_order *x = o[rand_r(&seed) % N];

		if (rand_r(&seed) % 4)
			drive_table_schedule(&t, x, rand_r(&seed) % 1000);
		else
			drive_table_unschedule(&t, x);
		cr_assert(is_heap(&t), "after %d", i);
	}
	drive_table_schedule(&t, o[5], 500);
	drive_table_finish(&t, o[5]);
	for (struct drive_order *x; (x = drive_table_first_due(&t)); n++) {
		cr_assert(x != o[5]);
		cr_assert(ge(i64, x->due_us, before));
		before = x->due_us;
		drive_table_unschedule(&t, x);
		cr_assert(is_heap(&t));
	}
	cr_expect(gt(sz, n, N / 2));
	drive_table_fini(&t);
}

Test(drive_table, an_empty_one_can_be_given_back)
{
	struct drive_table t = { 0 };

	drive_table_fini(&t);
	init(&t);
	drive_table_fini(&t);
	cr_expect(drive_table_first_due(&t) == NULL);
}
