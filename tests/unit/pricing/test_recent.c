#include "tests/unit/pricing/fixture.h"

#include <stdio.h>

#include "pricing/recent.h"

#define TTL 30000

static struct recent *recent_of(size_t max)
{
	struct recent *r = NULL;

	cr_assert(zero(int, recent_new(&r, max, TTL, 100)));
	recent_reset(r, -1, 100, -TTL); /* long ago: nothing from a predecessor lives */
	return r;
}

static void offer(struct recent *r, const char *id, int64_t now, u128 price, u128 bid)
{
	const struct recent_decision d = { .interest = str_of(id),
		.session = STR("s"),
		.user = STR("u"),
		.item = STR("i"),
		.now_ms = now,
		.is_offer = true,
		.price = eth(price),
		.bid_net = bid ? weth(bid) : (struct money){ 0 } };

	cr_assert(zero(int, recent_add(r, &d)));
}

static void refuse(struct recent *r, const char *id, int64_t now)
{
	cr_assert(zero(int, recent_add(r, &(struct recent_decision){ .interest = str_of(id),
						  .session = STR("s"),
						  .user = STR("u"),
						  .now_ms = now })));
}

static struct recent_view look(struct recent *r, int64_t now)
{
	struct recent_view v;

	recent_look(r, STR("s"), STR("u"), STR("i"), now, &v);
	return v;
}

Test(recent, an_interest_is_known_while_its_offer_could_live)
{
	CLEANUP(recent_free) struct recent *r = recent_of(16);

	offer(r, "a", 1000, 10, 0);
	refuse(r, "b", 1000);
	cr_expect(recent_knows(r, STR("a"), 1000 + TTL - 1));
	cr_expect(recent_knows(r, STR("b"), 1000 + TTL - 1));
	cr_expect(not(recent_knows(r, STR("c"), 1000)));
	cr_expect(not(recent_knows(r, STR("a"), 1000 + TTL)));
}

Test(recent, live_quotes_are_counted_and_taken_back)
{
	CLEANUP(recent_free) struct recent *r = recent_of(16);

	offer(r, "a", 1000, 10, 0);
	offer(r, "b", 2000, 10, 0);
	refuse(r, "c", 2000);
	cr_expect(eq(i64, look(r, 2000).live_user, 2));
	cr_expect(eq(i64, look(r, 2000).live_item, 2));
	cr_expect(eq(i64, look(r, 1000 + TTL).live_user, 1));
	cr_expect(eq(i64, look(r, 2000 + TTL).live_item, 0));
}

Test(recent, the_lowest_price_shown_slides_with_time)
{
	CLEANUP(recent_free) struct recent *r = recent_of(64);

	offer(r, "a", 1000, 10, 0);
	offer(r, "b", 2000, 12, 0);
	offer(r, "c", 3000, 11, 0);
	cr_expect(look(r, 3000).shown_price.amount == 10);
	cr_expect(look(r, 1000 + TTL).shown_price.amount == 11, "12 was above a later 11");
	cr_expect(look(r, 3000 + TTL - 1).shown_price.amount == 11);
	cr_expect(not(money_is_set(look(r, 3000 + TTL).shown_price)));
	offer(r, "d", 50000, 7, 0);
	offer(r, "e", 50001, 6, 0);
	cr_expect(look(r, 50001).shown_price.amount == 6);
}

Test(recent, other_sessions_users_and_items_are_others)
{
	CLEANUP(recent_free) struct recent *r = recent_of(64);
	struct recent_view v;

	offer(r, "a", 1000, 10, 0);
	recent_look(r, STR("t"), STR("u"), STR("i"), 1000, &v);
	cr_expect(not(money_is_set(v.shown_price)));
	cr_expect(eq(i64, v.live_user, 1));
	recent_look(r, STR("s"), STR("v"), STR("i"), 1000, &v);
	cr_expect(not(money_is_set(v.shown_price)));
	cr_expect(eq(i64, v.live_user, 0));
	recent_look(r, STR("s"), STR("u"), STR("j"), 1000, &v);
	cr_expect(not(money_is_set(v.shown_price)));
	recent_look(r, STR("su"), STR(""), STR("i"), 1000, &v);
	cr_expect(not(money_is_set(v.shown_price)), "parts do not run together");
}

Test(recent, an_offer_after_the_market_moved_begins_anew)
{
	CLEANUP(recent_free) struct recent *r = recent_of(64);

	offer(r, "a", 1000, 100, 50);
	offer(r, "b", 2000, 130, 80);
	cr_expect(look(r, 2000).shown_price.amount == 130);
	cr_expect(look(r, 2000).shown_bid_net.amount == 80);
}

Test(recent, more_rising_prices_than_places_can_only_hold_down)
{
	CLEANUP(recent_free) struct recent *r = recent_of(64);
	char id[8];

	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "i%d", i);
		offer(r, id, 1000 + i, (u128)(100 + i), 0);
	}
	cr_expect(look(r, 1020).shown_price.amount == 100);
	cr_expect(look(r, 1000 + TTL).shown_price.amount == 101);
	cr_expect(look(r, 1015 + TTL).shown_price.amount <= 116);
	cr_expect(money_is_set(look(r, 1018 + TTL).shown_price));
}

Test(recent, when_full_the_oldest_goes_but_its_place_in_the_log_stays)
{
	CLEANUP(recent_free) struct recent *r = recent_of(2);

	offer(r, "a", 1000, 10, 0);
	recent_logged(r, STR("a"), 101);
	offer(r, "b", 2000, 10, 0);
	recent_logged(r, STR("b"), 102);
	offer(r, "c", 3000, 10, 0);
	recent_logged(r, STR("c"), 103);
	cr_expect(not(recent_knows(r, STR("a"), 3000)));
	cr_expect(eq(u64, recent_evicted(r), 1));
	cr_expect(eq(i64, look(r, 3000).live_user, 2));
	cr_expect(eq(i64, recent_since(r, 3000), 101));
	cr_expect(eq(i64, recent_since(r, 1000 + TTL), 102));
}

Test(recent, since_is_the_oldest_that_may_live_else_the_end)
{
	CLEANUP(recent_free) struct recent *r = recent_of(16);

	cr_expect(eq(i64, recent_since(r, 0), 100));
	offer(r, "a", 1000, 10, 0);
	cr_expect(eq(i64, recent_since(r, 1000), 100), "on its way: at or behind the end");
	recent_logged(r, STR("a"), 105);
	cr_expect(eq(i64, recent_since(r, 1000), 105));
	refuse(r, "b", 2000);
	recent_logged(r, STR("b"), 106);
	cr_expect(eq(i64, recent_since(r, 2000), 105));
	cr_expect(eq(i64, recent_since(r, 1000 + TTL), 106));
	cr_expect(eq(i64, recent_since(r, 2000 + TTL), 107));
}

Test(recent, a_predecessors_decisions_hold_until_they_have_run_out)
{
	CLEANUP(recent_free) struct recent *r = recent_of(16);

	offer(r, "a", 1000, 10, 0);
	recent_reset(r, 70, 201, 5000);
	cr_expect(not(recent_knows(r, STR("a"), 5000)));
	cr_expect(eq(i64, look(r, 5000).live_user, 0));
	cr_expect(eq(i64, recent_since(r, 5000 + TTL - 1), 70));
	cr_expect(eq(i64, recent_since(r, 5000 + TTL), 201));
	recent_reset(r, -1, 300, 5000);
	cr_expect(eq(i64, recent_since(r, 5000), -1));
}

/* The same record again, after a delivery that failed and was done all the same. */
Test(recent, the_first_place_in_the_log_counts)
{
	CLEANUP(recent_free) struct recent *r = recent_of(16);

	offer(r, "a", 1000, 10, 0);
	recent_logged(r, STR("a"), 105);
	recent_logged(r, STR("a"), 109);
	offer(r, "a", 1500, 99, 0);
	cr_expect(eq(i64, recent_since(r, 1500), 105));
	cr_expect(eq(i64, look(r, 1500).live_user, 1));
}

Test(recent, a_record_sent_again_behind_a_younger_one_hides_nothing)
{
	CLEANUP(recent_free) struct recent *r = recent_of(16);

	offer(r, "a", 1000, 10, 0);
	offer(r, "b", 2000, 10, 0);
	recent_resent(r, 3000);
	recent_logged(r, STR("b"), 105);
	recent_logged(r, STR("a"), 106);
	cr_expect(eq(i64, recent_since(r, 3000), 100));
	cr_expect(eq(i64, recent_since(r, 3000 + TTL), 107));
}

Test(recent, what_is_forgotten_is_decided_anew_and_holds_prices_down)
{
	CLEANUP(recent_free) struct recent *r = recent_of(16);

	offer(r, "a", 1000, 10, 0);
	offer(r, "b", 1000, 10, 0);
	recent_forget(r, STR("a"));
	recent_forget(r, STR("x"));
	cr_expect(not(recent_knows(r, STR("a"), 1000)));
	cr_expect(recent_knows(r, STR("b"), 1000));
	cr_expect(eq(i64, look(r, 1000).live_user, 1));
	cr_expect(look(r, 1000).shown_price.amount == 10);
}

static void revise(struct recent *r, int64_t now, u128 price, u128 bid)
{
	const struct recent_decision d = { .session = STR("s"),
		.user = STR("u"),
		.item = STR("i"),
		.now_ms = now,
		.price = eth(price),
		.bid_net = bid ? weth(bid) : (struct money){ 0 } };

	recent_revised(r, &d);
}

Test(recent, a_revised_price_is_one_of_those_shown)
{
	CLEANUP(recent_free) struct recent *r = recent_of(64);

	offer(r, "a", 1000, 10, 0);
	revise(r, 5000, 7, 0);
	revise(r, 6000, 9, 0);
	cr_expect(look(r, 6000).shown_price.amount == 7);
	cr_expect(look(r, 5000 + TTL).shown_price.amount == 9);
	cr_expect(not(money_is_set(look(r, 6000 + TTL).shown_price)));
	cr_expect(eq(i64, look(r, 6000).live_user, 0), "its offer has run out");
}

Test(recent, a_revision_after_the_market_moved_begins_anew)
{
	CLEANUP(recent_free) struct recent *r = recent_of(64);

	offer(r, "a", 1000, 100, 50);
	revise(r, 2000, 130, 80);
	cr_expect(look(r, 2000).shown_price.amount == 130);
	cr_expect(look(r, 2000).shown_bid_net.amount == 80);
}

Test(recent, a_withdrawn_offer_is_not_counted_but_known_and_shown)
{
	CLEANUP(recent_free) struct recent *r = recent_of(16);

	offer(r, "a", 1000, 10, 0);
	offer(r, "b", 1000, 11, 0);
	cr_expect(recent_counts(r, STR("a")));
	recent_withdrawn(r, STR("a"));
	recent_withdrawn(r, STR("a"));
	recent_withdrawn(r, STR("never"));
	cr_expect(not(recent_counts(r, STR("a"))));
	cr_expect(eq(i64, look(r, 1000).live_user, 1));
	cr_expect(eq(i64, look(r, 1000).live_item, 1));
	cr_expect(recent_knows(r, STR("a"), 1000));
	cr_expect(look(r, 1000).shown_price.amount == 10);
	cr_expect(eq(i64, look(r, 1000 + TTL).live_user, 0));
}

/* ---- inherited ---- */

static struct recent_decision decision_of(const char *id, int64_t now, u128 price)
{
	return (struct recent_decision){ .interest = str_of(id),
		.session = STR("s"),
		.user = STR("u"),
		.item = STR("i"),
		.now_ms = now,
		.is_offer = price > 0,
		.price = eth(price) };
}

static void inherit(
	struct recent *r, const char *id, int64_t ts, u128 price, int64_t offset, int64_t now)
{
	const struct recent_decision d = decision_of(id, ts, price);

	cr_assert(zero(int, recent_inherit(r, &d, offset, now)));
}

static void inherit_revised(struct recent *r, int64_t ts, u128 price, int64_t offset, int64_t now)
{
	const struct recent_decision d = decision_of("", ts, price);

	recent_inherit_revised(r, &d, offset, now);
}

Test(recent, what_is_inherited_binds_and_counts_but_is_not_known_as_decided)
{
	CLEANUP(recent_free) struct recent *r = recent_of(16);

	recent_reset(r, 70, 201, 5000);
	inherit(r, "a", 1000, 10, 101, 5000);
	inherit(r, "b", 2000, 0, 102, 5000);
	recent_inherited(r, 201);
	cr_expect(not(recent_knows(r, STR("a"), 5000)));
	cr_expect(recent_counts(r, STR("a")));
	cr_expect(not(recent_counts(r, STR("b"))));
	cr_expect(eq(i64, look(r, 5000).live_user, 1));
	cr_expect(eq(i64, look(r, 5000).live_item, 1));
	cr_expect(look(r, 5000).shown_price.amount == 10);
	cr_expect(eq(i64, recent_since(r, 5000), 101), "not the floor of the reset");
	cr_expect(not(money_is_set(look(r, 1000 + TTL).shown_price)));
	cr_expect(eq(i64, look(r, 1000 + TTL).live_user, 0));
	cr_expect(eq(i64, recent_since(r, 1000 + TTL), 102));
	cr_expect(eq(i64, recent_since(r, 2000 + TTL), 201));
}

Test(recent, until_all_is_inherited_the_place_stays)
{
	CLEANUP(recent_free) struct recent *r = recent_of(16);

	recent_reset(r, 70, 201, 5000);
	inherit(r, "a", 4000, 10, 101, 5000);
	cr_expect(eq(i64, recent_since(r, 5000), 70));
	recent_reset(r, -1, 201, 5000);
	inherit(r, "a", 4000, 10, 101, 5000);
	cr_expect(eq(i64, recent_since(r, 5000), -1));
	recent_inherited(r, 205);
	cr_expect(eq(i64, recent_since(r, 5000), 101));
	cr_expect(eq(i64, recent_since(r, 4000 + TTL), 205), "the owner record was repeated");
}

Test(recent, what_had_run_out_is_not_inherited)
{
	CLEANUP(recent_free) struct recent *r = recent_of(16);

	recent_reset(r, 70, 201, 50000);
	inherit(r, "a", 50000 - TTL, 10, 101, 50000);
	inherit_revised(r, 50000 - TTL, 9, 102, 50000);
	recent_inherited(r, 201);
	cr_expect(eq(i64, look(r, 50000).live_user, 0));
	cr_expect(not(money_is_set(look(r, 50000).shown_price)));
	cr_expect(eq(i64, recent_since(r, 50000), 201));
}

Test(recent, the_decision_made_again_counts_once_and_the_place_of_the_first_stays)
{
	CLEANUP(recent_free) struct recent *r = recent_of(16);

	recent_reset(r, 70, 201, 5000);
	inherit(r, "a", 1000, 10, 101, 5000);
	inherit(r, "b", 3000, 12, 103, 5000);
	recent_inherited(r, 201);
	offer(r, "a", 6000, 10, 0);
	recent_logged(r, STR("a"), 201);
	cr_expect(recent_knows(r, STR("a"), 6000));
	cr_expect(eq(i64, look(r, 6000).live_user, 2));
	cr_expect(eq(i64, recent_since(r, 6000), 101));
	cr_expect(eq(i64, recent_since(r, 1000 + TTL), 103));
	cr_expect(eq(i64, look(r, 3000 + TTL).live_user, 1));
	cr_expect(eq(i64, recent_since(r, 3000 + TTL), 201));
	cr_expect(eq(i64, look(r, 6000 + TTL).live_user, 0));
}

/* Decided by one owner and again by the next, both in the log. */
Test(recent, an_interest_decided_twice_is_inherited_once)
{
	CLEANUP(recent_free) struct recent *r = recent_of(16);

	recent_reset(r, 70, 201, 5000);
	inherit(r, "a", 1000, 10, 101, 5000);
	inherit(r, "a", 2000, 10, 111, 5000);
	recent_inherited(r, 201);
	cr_expect(eq(i64, look(r, 5000).live_user, 1));
	cr_expect(le(i64, recent_since(r, 5000), 101));
	cr_expect(eq(i64, look(r, 1000 + TTL).live_user, 1));
	cr_expect(eq(i64, look(r, 2000 + TTL).live_user, 0));
}

Test(recent, an_inherited_offer_can_be_withdrawn)
{
	CLEANUP(recent_free) struct recent *r = recent_of(16);

	recent_reset(r, 70, 201, 5000);
	inherit(r, "a", 1000, 10, 101, 5000);
	recent_withdrawn(r, STR("a"));
	recent_inherited(r, 201);
	cr_expect(eq(i64, look(r, 5000).live_user, 0));
	cr_expect(look(r, 5000).shown_price.amount == 10);
	cr_expect(eq(i64, recent_since(r, 5000), 101));
}

Test(recent, more_than_can_be_inherited_leaves_the_place_where_it_began)
{
	CLEANUP(recent_free) struct recent *r = recent_of(2);

	recent_reset(r, 70, 201, 5000);
	inherit(r, "a", 1000, 10, 101, 5000);
	inherit(r, "b", 2000, 10, 102, 5000);
	inherit(r, "c", 3000, 10, 103, 5000);
	recent_inherited(r, 201);
	cr_expect(eq(u64, recent_evicted(r), 1));
	cr_expect(eq(i64, look(r, 5000).live_user, 2));
	cr_expect(eq(i64, recent_since(r, 5000), 70));
}

/* A revision binds for a lifetime of its own, longer than its offer's first decision is known. */
Test(recent, since_is_not_beyond_a_revision_that_binds)
{
	CLEANUP(recent_free) struct recent *r = recent_of(16);

	offer(r, "a", 1000, 10, 0);
	recent_logged(r, STR("a"), 101);
	revise(r, 21000, 9, 0);
	recent_logged(r, STR("a"), 102);
	refuse(r, "b", 30000);
	recent_logged(r, STR("b"), 103);
	cr_expect(eq(i64, recent_since(r, 30000), 101));
	cr_expect(eq(i64, recent_since(r, 1000 + TTL), 102));
	cr_expect(eq(i64, recent_since(r, 21000 + TTL - 1), 102));
	cr_expect(eq(i64, recent_since(r, 21000 + TTL), 103));
}

Test(recent, since_is_not_beyond_an_inherited_revision)
{
	CLEANUP(recent_free) struct recent *r = recent_of(16);

	recent_reset(r, 70, 201, 30000);
	inherit(r, "a", 1000, 10, 101, 30000);
	inherit_revised(r, 21000, 9, 102, 30000);
	recent_inherited(r, 201);
	cr_expect(look(r, 30000).shown_price.amount == 9);
	cr_expect(eq(i64, recent_since(r, 30000), 101));
	cr_expect(eq(i64, recent_since(r, 1000 + TTL), 102));
	cr_expect(eq(i64, recent_since(r, 21000 + TTL), 201));
}

/* A revision each 100 ms for many lifetimes: the place follows, and is never beyond the oldest that
 * binds. */
Test(recent, with_revisions_all_the_time_since_goes_on)
{
	CLEANUP(recent_free) struct recent *r = recent_of(16);
	int64_t first = 1000, n = 0, since;

	for (int64_t now = first; now < first + 10 * TTL; now += 100, n++) {
		int64_t oldest = 100 + (now < first + TTL ? 0 : (now - TTL - first) / 100 + 1);

		revise(r, now, (u128)(1000 + n), 0);
		recent_logged(r, STR("a"), 100 + n);
		since = recent_since(r, now);
		cr_assert(le(i64, since, oldest));
		cr_assert(ge(i64, since, oldest - TTL / 100 / 4 - 1));
	}
}

/* Against a list of all that was ever shown. */
Test(recent, the_lowest_price_is_never_above_that_of_a_naive_list)
{
	CLEANUP(recent_free) struct recent *r = recent_of(4096);
	struct {
		u128 price;
		int64_t now;
	} all[2000];
	uint64_t x = 88172645463325252u;
	size_t n = 0, exact = 0;
	char id[16];

	for (int64_t now = 1000; n < ARRAY_LEN(all); now += 20) {
		u128 lowest = 0;

		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		all[n].price = 100 + x % 50;
		all[n].now = now;
		snprintf(id, sizeof(id), "%zu", n);
		if (x & 4096)
			revise(r, now, all[n].price, 0);
		else
			offer(r, id, now, all[n].price, 0);
		n++;
		for (size_t i = 0; i < n; i++) {
			if (all[i].now > now - TTL && (!lowest || all[i].price < lowest))
				lowest = all[i].price;
		}
		cr_assert(look(r, now).shown_price.amount <= lowest);
		exact += look(r, now).shown_price.amount == lowest;
	}
	cr_expect(gt(sz, exact, n / 2), "%zu of %zu", exact, n);
}
