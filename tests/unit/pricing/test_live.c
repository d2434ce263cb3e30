#include "tests/unit/pricing/fixture.h"

#include <stdio.h>

#include "pricing/live.h"

#define WINDOW 250000
#define RETRY  1000000
#define TTL    30000

static struct gauge followed;

static struct live *live_of(size_t max)
{
	struct live *l = NULL;

	followed.value = 0;
	cr_assert(zero(int, live_new(&l,
				    &(struct live_config){ .max = max,
					    .revision_us = WINDOW,
					    .retry_us = RETRY,
					    .followed = &followed },
				    NULL)));
	return l;
}

/* Its first answer is made at @now_us and on its way. */
static struct live_offer *add(struct live *l, const char *user, const char *item, int64_t now_us)
{
	const struct interest interest = {
		.id = str_of(user), .user = str_of(user), .session = STR("s"), .item = str_of(item)
	};
	const struct reply_to reply = { .session = STR("session"), .partition = { "\0\0\0\1", 4 } };
	struct id id = { "an-offer" };
	struct live_offer *o = live_add(l, &id, &interest, &reply, now_us / 1000, TTL, now_us);

	if (o)
		live_unref(o); /* the table's is enough here */
	return o;
}

/* Issued long ago, acknowledged and cool. */
static struct live_offer *quiet(struct live *l, const char *user, const char *item)
{
	struct live_offer *o = add(l, user, item, 0);

	live_delivered(o, 0);
	(void)live_tick(l, WINDOW);
	return o;
}

static void expect_taken(struct live *l, struct live_offer *o)
{
	cr_expect(eq(ptr, live_take(l, false), o));
}

Test(live, texts_are_copied)
{
	CLEANUP(live_free) struct live *l = live_of(8);
	char text[] = "u_1";
	const struct interest interest = { .id = str_of(text),
		.user = str_of(text),
		.session = str_of(text),
		.item = str_of(text),
		.place = { text, 0 } };
	struct id id = { "x" };
	struct live_offer *o =
		live_add(l, &id, &interest, &(struct reply_to){ .topic = str_of(text) }, 5, TTL, 0);

	memset(text, '?', 3);
	cr_expect(str_eqz(o->interest.user, "u_1"));
	cr_expect(str_eqz(o->interest.item, "u_1"));
	cr_expect(str_eqz(o->reply.topic, "u_1"));
	cr_expect(str_is_set(o->interest.place), "empty is not absent");
	cr_expect(not(str_is_set(o->interest.wallet)));
	cr_expect(eq(i64, o->issued_ms, 5));
	cr_expect(eq(i64, o->expires_ms, 5 + TTL));
	live_unref(o);
}

Test(live, a_change_after_a_quiet_time_is_ready_at_once)
{
	CLEANUP(live_free) struct live *l = live_of(8);
	struct live_offer *o = quiet(l, "a", "x");

	cr_expect(not(live_has_ready(l, false)));
	cr_expect(eq(sz, live_changed_item(l, STR("x"), 900000), 0));
	cr_expect(live_has_ready(l, false));
	expect_taken(l, o);
	cr_expect(eq(i64, o->change_us, 900000));
	cr_expect(live_take(l, false) == NULL);
}

Test(live, changes_find_the_offers_of_their_user_or_item)
{
	CLEANUP(live_free) struct live *l = live_of(8);
	struct live_offer *ax = quiet(l, "a", "x"), *bx = quiet(l, "b", "x"),
			  *ay = quiet(l, "a", "y");

	(void)live_changed_user(l, STR("a"), 1);
	(void)live_changed_user(l, STR("nobody"), 1);
	cr_expect(ax->is_dirty && ay->is_dirty && !bx->is_dirty);
	cr_expect(eq(sz, live_changed_item(l, STR("x"), 2), 1), "one of the two was dirty");
	cr_expect(bx->is_dirty);
	cr_expect(eq(i64, ax->dirty_us, 1), "the first change counts");
	cr_expect(eq(sz, live_changed_all(l, 3), 3));
}

Test(live, in_the_window_after_a_revision_changes_wait_and_become_one)
{
	CLEANUP(live_free) struct live *l = live_of(8);
	struct live_offer *o = quiet(l, "a", "x");
	int64_t t = 1000000;

	(void)live_changed(o, t);
	expect_taken(l, o);
	live_settle(o, LIVE_REVISED, t);
	live_delivered(o, t + 10);
	(void)live_changed(o, t + 20);
	(void)live_changed(o, t + 30);
	cr_expect(eq(i64, live_tick(l, t + WINDOW - 1), t + WINDOW));
	cr_expect(live_take(l, false) == NULL);
	cr_expect(eq(i64, live_tick(l, t + WINDOW), -1));
	expect_taken(l, o);
	cr_expect(live_take(l, false) == NULL);
}

Test(live, an_offer_with_an_answer_on_its_way_waits_for_its_acknowledgement)
{
	CLEANUP(live_free) struct live *l = live_of(8);
	struct live_offer *o = add(l, "a", "x", 0);

	(void)live_changed(o, 5);
	(void)live_tick(l, 10 * WINDOW);
	cr_expect(live_take(l, false) == NULL);
	live_delivered(o, 10 * WINDOW);
	expect_taken(l, o);
}

Test(live, a_change_while_it_is_joined_makes_it_ready_again)
{
	CLEANUP(live_free) struct live *l = live_of(8);
	struct live_offer *o = quiet(l, "a", "x");

	(void)live_changed(o, 1);
	expect_taken(l, o);
	(void)live_changed(o, 2);
	cr_expect(live_take(l, false) == NULL);
	live_settle(o, LIVE_UNCHANGED, 3);
	expect_taken(l, o);
	live_settle(o, LIVE_UNCHANGED, 4);
	cr_expect(live_take(l, false) == NULL, "an unchanged price needs no window");
	(void)live_changed(o, 5);
	expect_taken(l, o);
}

Test(live, what_could_not_be_priced_is_tried_again_after_a_while_or_at_a_change)
{
	CLEANUP(live_free) struct live *l = live_of(8);
	struct live_offer *o = quiet(l, "a", "x");

	(void)live_changed(o, 0);
	expect_taken(l, o);
	live_settle(o, LIVE_AGAIN, 0);
	cr_expect(eq(i64, live_tick(l, RETRY - 1), RETRY));
	cr_expect(live_take(l, false) == NULL);
	(void)live_tick(l, RETRY);
	expect_taken(l, o);
	live_settle(o, LIVE_AGAIN, RETRY);
	(void)live_changed(o, RETRY + 1);
	expect_taken(l, o);
}

Test(live, what_is_given_back_comes_first_and_keeps_its_time)
{
	CLEANUP(live_free) struct live *l = live_of(8);
	struct live_offer *a = quiet(l, "a", "x"), *b = quiet(l, "b", "x");

	(void)live_changed(a, 1);
	(void)live_changed(b, 2);
	expect_taken(l, a);
	live_settle(a, LIVE_BACK, 9);
	expect_taken(l, a);
	cr_expect(eq(i64, a->change_us, 1));
	expect_taken(l, b);
}

Test(live, a_pause_overtakes_and_finds_its_collection)
{
	CLEANUP(live_free) struct live *l = live_of(8);
	struct live_offer *a = quiet(l, "a", "x"), *b = quiet(l, "b", "y"), *c = quiet(l, "c", "z");

	snprintf(b->collection, sizeof(b->collection), "cats");
	snprintf(c->collection, sizeof(c->collection), "cats");
	(void)live_changed(a, 1);
	(void)live_changed(b, 2); /* waits already */
	live_pause(l, STR("cats"), 3);
	cr_expect(live_has_ready(l, true));
	cr_expect(eq(ptr, live_take(l, true), b));
	cr_expect(eq(ptr, live_take(l, true), c));
	cr_expect(live_take(l, true) == NULL);
	expect_taken(l, a);
	live_settle(a, LIVE_UNCHANGED, 4);
	live_pause(l, STR_NONE, 5);
	cr_expect(eq(ptr, live_take(l, true), a));
}

Test(live, a_pause_that_comes_while_it_is_joined_overtakes_even_if_it_is_given_back)
{
	CLEANUP(live_free) struct live *l = live_of(8);
	struct live_offer *o = quiet(l, "a", "x");

	(void)live_changed(o, 1);
	expect_taken(l, o);
	live_pause(l, STR_NONE, 2);
	live_settle(o, LIVE_BACK, 3);
	cr_expect(eq(ptr, live_take(l, true), o));
	cr_expect(eq(i64, o->change_us, 1));
}

Test(live, a_pause_waits_for_the_window_too)
{
	CLEANUP(live_free) struct live *l = live_of(8);
	struct live_offer *o = add(l, "a", "x", 0);

	live_delivered(o, 1);
	live_pause(l, STR_NONE, 2);
	cr_expect(live_take(l, true) == NULL);
	(void)live_tick(l, WINDOW);
	cr_expect(eq(ptr, live_take(l, true), o));
}

Test(live, a_withdrawn_offer_hears_nothing_and_goes_when_that_is_acknowledged)
{
	CLEANUP(live_free) struct live *l = live_of(8);
	struct live_offer *o = live_ref(quiet(l, "a", "x"));

	(void)live_changed(o, 1);
	expect_taken(l, o);
	o->is_over = true;
	live_settle(o, LIVE_REVISED, 1);
	(void)live_changed(o, 2);
	cr_expect(not(o->is_dirty));
	cr_expect(eq(sz, live_count(l), 1));
	live_delivered(o, 3);
	cr_expect(eq(sz, live_count(l), 0));
	cr_expect(o->live == NULL);
	live_unref(o);
}

Test(live, what_did_not_get_out_is_made_again_from_where_it_stood)
{
	CLEANUP(live_free) struct live *l = live_of(8);
	struct live_offer *o = quiet(l, "a", "x");
	int64_t t = 1000000;

	o->before.price = eth(1);
	o->basis.price = eth(2);
	(void)live_changed(o, t);
	expect_taken(l, o);
	o->is_over = true;
	live_settle(o, LIVE_REVISED, t);
	live_undelivered(o, t + 1);
	cr_expect(o->must_send);
	cr_expect(o->basis.price.amount == 1);
	cr_expect(live_take(l, false) == NULL, "not before it has cooled");
	(void)live_tick(l, t + WINDOW);
	expect_taken(l, o);
	live_settle(o, LIVE_REVISED, t + WINDOW);
	cr_expect(not(o->must_send));
}

Test(live, what_has_run_out_goes_without_a_word)
{
	CLEANUP(live_free) struct live *l = live_of(8);
	struct live_offer *a = add(l, "a", "x", 0), *b = add(l, "b", "x", 1000 * 1000);

	(void)live_changed(a, 0);
	live_expire(l, TTL - 1);
	cr_expect(eq(sz, live_count(l), 2));
	live_expire(l, TTL);
	cr_expect(eq(sz, live_count(l), 1));
	cr_expect(eq(i64, followed.value, 1));
	(void)live_changed_item(l, STR("x"), 1000 * 1000);
	cr_expect(b->is_dirty);
	live_expire(l, 1000 + TTL);
	cr_expect(eq(sz, live_count(l), 0));
	cr_expect(eq(i64, live_tick(l, 1 << 30), -1));
}

Test(live, what_leaves_while_it_is_joined_or_sent_lives_as_long_as_it_is_held)
{
	CLEANUP(live_free) struct live *l = live_of(8);
	struct live_offer *a = live_ref(quiet(l, "a", "x")), *b = live_ref(add(l, "b", "x", 0));

	(void)live_changed(a, 1);
	expect_taken(l, a);
	live_remove_all(l);
	live_settle(a, LIVE_REVISED, 2);
	live_delivered(b, 2);
	live_undelivered(b, 3);
	cr_expect(not(live_changed(a, 3)));
	cr_expect(str_eqz(a->interest.user, "a"));
	cr_expect(not(live_has_ready(l, false)));
	live_remove(a); /* twice is nothing */
	live_unref(a);
	live_unref(b);
}

Test(live, a_full_table_refuses_and_has_room_again)
{
	CLEANUP(live_free) struct live *l = live_of(2);
	CLEANUP(live_free) struct live *none = live_of(0);
	struct live_offer *a = quiet(l, "a", "x");

	cr_expect(add(l, "b", "x", 0) != NULL);
	cr_expect(add(l, "c", "x", 0) == NULL);
	live_remove(a);
	cr_expect(add(l, "c", "x", 0) != NULL);
	cr_expect(add(none, "a", "x", 0) == NULL);
}

/* What a naive table would say: one revision a window, none lost. */
Test(live, in_a_storm_each_offer_has_one_revision_a_window_and_the_last_change_is_answered)
{
	enum { N = 20 };
	CLEANUP(live_free) struct live *l = live_of(N);
	struct live_offer *o[N], *taken;
	int64_t changed[N] = { 0 }, answered[N] = { 0 }, revised[N];
	uint64_t x = 88172645463325252u;
	char user[8];

	for (size_t i = 0; i < N; i++) {
		snprintf(user, sizeof(user), "%zu", i);
		o[i] = quiet(l, user, i % 2 ? "odd" : "even");
		o[i]->ts = (int64_t)i;
		revised[i] = -WINDOW;
	}
	for (int64_t t = WINDOW; t < 400 * WINDOW; t += 1000 + (int64_t)(x % 9000)) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		size_t i = x % N;

		(void)live_tick(l, t);
		if (x & 1024 && t < 390 * WINDOW) {
			(void)live_changed(o[i], t);
			changed[i] = t;
		}
		while ((taken = live_take(l, false))) {
			i = (size_t)taken->ts;
			cr_assert(ge(i64, t - revised[i], WINDOW));
			revised[i] = answered[i] = t;
			live_settle(taken, LIVE_REVISED, t);
			live_delivered(taken, t);
		}
	}
	for (size_t i = 0; i < N; i++)
		cr_expect(ge(i64, answered[i], changed[i]), "offer %zu", i);
}
