/* A shopper against a server that the test plays: what it orders, with which quote, and what it
 * does when no answer comes. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/io/sim/loop_sim.h"
#include "common/io/sim/ws_sim.h"
#include "common/model/ids.h"
#include "souk/demo/order_plan.h"
#include "souk/demo/shopper.h"

#define START INT64_C(1795334400000)
#define USER  "0x00000000000000000000000000000000000000aa"
#define ITEM  "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/77"
#define ETH   "\"currency\":\"ETH\"}"

static struct loop *loop;
static struct sim_remote *remote;
static struct shoppers_shared shared;
static struct shopper shopper;
static char sold[300];

static void on_sold(void *ctx, struct str item)
{
	(void)ctx;
	snprintf(sold, sizeof(sold), STR_FMT, STR_ARG(item));
}

static void connect_it(void)
{
	loop_sim_advance(loop, 4000);
	cr_assert(sim_remote_is_open(remote));
	const char *hello = sim_remote_next(remote);

	cr_assert(hello != NULL && strstr(hello, "\"type\":\"connect\"") != NULL);
	sim_remote_send(remote, "{\"id\":1,\"type\":\"connected\",\"session\":\"s\",\"seq\":0}");
	loop_sim_settle(loop);
	shopper.leave_us = INT64_MAX; /* not by itself */
}

static void setup(void)
{
	struct ws_client_factory factory;

	cr_assert(zero(int, loop_sim_new(&loop, START)));
	cr_assert(zero(int, sim_remote_new(&remote, loop)));
	shared = (struct shoppers_shared){ .loop = loop,
		.url = "ws://127.0.0.1:1/v1/ws",
		.run = 9,
		.seed = 1,
		.order_one_in = 1,
		.sold = on_sold };
	cr_assert(zero(int, tracker_new(&shared.tracker)));
	cr_assert(zero(int, order_audit_new(&shared.orders)));
	cr_assert(zero(int, histogram_new(&shared.latency)));
	cr_assert(zero(int, histogram_new(&shared.order_ack)));
	cr_assert(zero(int, histogram_new(&shared.order_reserved)));
	cr_assert(zero(int, arena_new(&shared.scratch, 65536)));
	factory = sim_remote_factory(remote);
	cr_assert(zero(int, shopper_init(&shopper, &shared, &factory, USER, "token")));
	shopper.device = "phone";
	sold[0] = '\0';
	shopper_start(&shopper);
	connect_it();
}

static void teardown(void)
{
	shopper_fini(&shopper);
	sim_remote_free(remote);
	arena_free(shared.scratch);
	histogram_free(shared.latency);
	histogram_free(shared.order_ack);
	histogram_free(shared.order_reserved);
	order_audit_free(shared.orders);
	tracker_free(shared.tracker);
	loop_free(loop);
}

TestSuite(shopper, .init = setup, .fini = teardown);

/* The first event whose plan is of that kind. */
static uint64_t event_for(bool (*wanted)(const struct order_plan *p))
{
	for (uint64_t k = 0; k < 100000; k++) {
		struct order_plan p = order_plan(shared.seed, k, 1);

		if (wanted(&p))
			return k;
	}
	cr_fatal("no such plan");
	return 0;
}

static bool plain(const struct order_plan *p)
{
	return !p->hesitate_ms && !p->twice && !p->leaves && !p->misuse && p->names_wallet;
}
static bool honest_later(const struct order_plan *p)
{
	return p->hesitate_ms && p->hesitate_ms < 8000 && !p->twice && !p->leaves && !p->misuse;
}
static bool later_newest(const struct order_plan *p)
{
	return honest_later(p) && !p->first_quote && !p->stubborn;
}
static bool later_first(const struct order_plan *p)
{
	return honest_later(p) && p->first_quote;
}
static bool later_stubborn(const struct order_plan *p)
{
	return honest_later(p) && p->stubborn;
}
static bool double_click(const struct order_plan *p)
{
	return !p->hesitate_ms && p->twice && !p->leaves && !p->misuse;
}
static bool leaver(const struct order_plan *p)
{
	return !p->hesitate_ms && !p->twice && p->leaves && !p->misuse;
}
static bool tamperer(const struct order_plan *p)
{
	return !p->hesitate_ms && !p->twice && !p->leaves && p->misuse == MISUSE_TAMPER;
}
static bool debtor(const struct order_plan *p)
{
	return !p->hesitate_ms && !p->twice && !p->leaves && p->misuse == MISUSE_INSTALMENTS;
}
static bool two_faced(const struct order_plan *p)
{
	return !p->hesitate_ms && !p->twice && !p->leaves && p->misuse == MISUSE_OTHER_BODY;
}

static void offer(int seq, uint64_t k, const char *rev, int price)
{
	char text[2048];

	snprintf(text, sizeof(text),
		"{\"type\":\"offer\",\"seq\":%d,\"offer\":{\"id\":\"of-%llu\",\"rev\":\"%s\","
		"\"state\":\"live\",\"interest\":\"i\",\"client_id\":\"9-%llu\",\"ts\":1,"
		"\"user\":\"" USER "\",\"session\":\"s\",\"item\":\"" ITEM
		"\",\"list\":{\"amount\":\"1000\"," ETH ",\"price\":{\"amount\":\"%d\"," ETH
		",\"issued\":1,\"expires\":30001,\"ttl_ms\":30000,\"reasons\":[],"
		"\"personalised\":false,\"quote\":{\"v\":1,\"price\":{\"amount\":\"%d\"," ETH
		",\"mac\":\"m-%s\"}}}",
		seq, (unsigned long long)k, rev, (unsigned long long)k, price, price, rev);
	sim_remote_send(remote, text);
	loop_sim_settle(loop);
}

static void say(const char *text)
{
	sim_remote_send(remote, text);
	loop_sim_settle(loop);
}

/* Lets time pass as the crowd does. */
static void pass(int ms)
{
	for (int at = 0; at < ms; at += 20) {
		loop_sim_advance(loop, 20);
		shopper_tick(&shopper);
	}
}

/* The next command of that type among those said; NULL if there is none. Its number in *ret_id. */
static const char *next_command(const char *type, long long *ret_id)
{
	static char kept[4096];
	char wanted[64];
	const char *text;

	snprintf(wanted, sizeof(wanted), "\"type\":\"%s\"", type);
	while ((text = sim_remote_next(remote)) != NULL) {
		if (!strstr(text, wanted))
			continue;
		snprintf(kept, sizeof(kept), "%s", text);
		*ret_id = strtoll(strstr(kept, "\"id\":") + 5, NULL, 10);
		return strstr(kept, wanted);
	}
	return NULL;
}

/* The same, waiting for it at most twenty seconds. */
static const char *await_command(const char *type, long long *ret_id)
{
	const char *text = NULL;

	for (int i = 0; i < 1000 && !text; i++) {
		pass(20);
		text = next_command(type, ret_id);
	}
	return text;
}

static void ack(long long id, uint64_t k)
{
	char text[200];

	snprintf(text, sizeof(text), "{\"id\":%lld,\"type\":\"ack\",\"order\":\"o-9-%llu\"}", id,
		(unsigned long long)k);
	say(text);
}

static void push_state(int seq, uint64_t k, const char *state, int n)
{
	char text[300];

	snprintf(text, sizeof(text),
		"{\"type\":\"order\",\"seq\":%d,\"order\":{\"id\":\"o-9-%llu\",\"state\":\"%s\","
		"\"n\":%d}}",
		seq, (unsigned long long)k, state, n);
	say(text);
}

static void error(long long id, const char *code, bool temporary)
{
	char text[300];

	snprintf(text, sizeof(text),
		"{\"id\":%lld,\"type\":\"error\",\"error\":{\"code\":\"%s\",\"title\":\"t\","
		"\"temporary\":%s,\"applied\":\"no\"}}",
		id, code, temporary ? "true" : "false");
	say(text);
}

static uint64_t breaches(enum order_breach kind)
{
	order_audit_judge(shared.orders);
	return order_audit_book(shared.orders)->breaches[kind].n;
}

Test(shopper, an_offer_is_ordered_with_the_quote_as_it_came)
{
	const uint64_t k = event_for(plain);
	long long id;

	offer(1, k, "7.1", 900);
	const char *order = next_command("order", &id);

	cr_assert(order != NULL);
	cr_expect(strstr(order,
			  "\"quote\":{\"v\":1,\"price\":{\"amount\":\"900\",\"currency\":\"ETH\"},"
			  "\"mac\":\"m-7.1\"}") != NULL);
	cr_expect(strstr(order, "\"wallet\":\"" USER "\"") != NULL);
	cr_expect(strstr(order, "\"pay\":{\"mode\":\"now\"}") != NULL);
	cr_expect(eq(u64, shared.order_counts.placed, 1));
	cr_expect(eq(u64, shared.counts.offers, 1));
}

Test(shopper, a_share_of_zero_orders_nothing)
{
	long long id;

	shared.order_one_in = 0;
	offer(1, event_for(plain), "7.1", 900);
	pass(9000);
	cr_expect(next_command("order", &id) == NULL);
}

Test(shopper, without_an_ack_the_same_order_is_sent_again_until_there_is_one)
{
	const uint64_t k = event_for(plain);
	long long first, second, none;
	char order[4096];

	offer(1, k, "7.1", 900);
	snprintf(order, sizeof(order), "%s", next_command("order", &first));
	pass(SHOPPER_ORDER_ASK_MS - 40);
	cr_expect(next_command("order", &none) == NULL);
	pass(60);
	const char *again = next_command("order", &second);

	cr_assert(again != NULL);
	cr_expect(eq(str, (char *)again, order));
	cr_expect(ne(int, (int)first, (int)second));
	ack(first, k); /* the first, after all */
	pass(2 * SHOPPER_ORDER_ASK_MS);
	cr_expect(next_command("order", &none) == NULL);
	cr_expect(eq(u64, shared.order_counts.retries, 1));
	cr_expect(eq(u64, histogram_count(shared.order_ack), 1));
}

Test(shopper, a_second_click_sends_the_same_order)
{
	const uint64_t k = event_for(double_click);
	long long id;
	char order[4096];

	offer(1, k, "7.1", 900);
	snprintf(order, sizeof(order), "%s", next_command("order", &id));
	const char *again = next_command("order", &id);

	cr_assert(again != NULL);
	cr_expect(eq(str, (char *)again, order));
}

Test(shopper, who_hesitates_orders_with_the_newest_quote)
{
	const uint64_t k = event_for(later_newest);
	long long id;

	offer(1, k, "7.1", 900);
	offer(2, k, "7.2", 800);
	cr_expect(next_command("order", &id) == NULL);
	pass(8000);
	const char *order = next_command("order", &id);

	cr_assert(order != NULL);
	cr_expect(strstr(order, "m-7.2") != NULL);
	cr_expect(eq(u64, shared.counts.offers, 1));
	cr_expect(eq(u64, shared.counts.revisions, 1));
}

Test(shopper, some_order_with_the_quote_of_the_first_revision)
{
	const uint64_t k = event_for(later_first);
	long long id;

	offer(1, k, "7.1", 900);
	offer(2, k, "7.2", 800);
	pass(8000);
	const char *order = next_command("order", &id);

	cr_assert(order != NULL);
	cr_expect(strstr(order, "m-7.1") != NULL);
	cr_expect(eq(u64, shared.order_counts.first_quote, 1));
}

static void withdraw(int seq, uint64_t k, const char *rev)
{
	char text[300];

	snprintf(text, sizeof(text),
		"{\"type\":\"offer_withdrawn\",\"seq\":%d,\"event\":\"9-%llu\",\"offer\":{\"id\":"
		"\"of-%llu\",\"rev\":\"%s\",\"reason\":\"SOLD_OUT\"}}",
		seq, (unsigned long long)k, (unsigned long long)k, rev);
	say(text);
}

Test(shopper, what_was_withdrawn_is_not_ordered)
{
	const uint64_t k = event_for(later_newest);
	long long id;

	offer(1, k, "7.1", 900);
	withdraw(2, k, "7.2");
	pass(9000);
	cr_expect(next_command("order", &id) == NULL);
	cr_expect(eq(u64, shared.order_counts.changed, 1));
	cr_expect(eq(u64, shared.counts.withdrawn, 1));
}

Test(shopper, unless_the_shopper_is_stubborn)
{
	const uint64_t k = event_for(later_stubborn);
	long long id;

	offer(1, k, "7.1", 900);
	withdraw(2, k, "7.2");
	pass(9000);
	cr_expect(next_command("order", &id) != NULL);
}

Test(shopper, who_leaves_right_after_the_click_comes_back_and_orders_again)
{
	const uint64_t k = event_for(leaver);
	long long id;
	char order[4096];

	offer(1, k, "7.1", 900);
	snprintf(order, sizeof(order), "%s", next_command("order", &id));
	cr_expect(not(sim_remote_is_open(remote)));
	connect_it();
	pass(20);
	const char *again = next_command("order", &id);

	cr_assert(again != NULL);
	cr_expect(eq(str, (char *)again, order));
	ack(id, k);
	pass(20);
	cr_expect(next_command("order_status", &id) != NULL, "what was pushed meanwhile is lost");
	cr_expect(zero(u64, histogram_count(shared.order_ack)), "no latency of one session");
}

Test(shopper, after_a_reconnect_open_orders_are_asked_for)
{
	const uint64_t k = event_for(plain);
	char text[300];
	long long id;

	offer(1, k, "7.1", 900);
	next_command("order", &id);
	ack(id, k);
	push_state(2, k, "RESERVED", 1);
	sim_remote_close(remote, 1006);
	loop_sim_settle(loop);
	connect_it();
	pass(20);
	cr_assert(next_command("order_status", &id) != NULL);
	snprintf(text, sizeof(text),
		"{\"id\":%lld,\"type\":\"order\",\"order\":{\"id\":\"o-9-%llu\",\"state\":"
		"\"FINAL\","
		"\"n\":5}}",
		id, (unsigned long long)k);
	say(text);
	cr_expect(zero(sz, shopper_orders_open(shopper.orders)));
	cr_expect(eq(str, sold, ITEM));
	cr_expect(zero(u64, breaches(BREACH_PUSHED_BACK)));
}

Test(shopper, an_order_that_nobody_knows_is_ordered_again)
{
	const uint64_t k = event_for(plain);
	long long id;

	offer(1, k, "7.1", 900);
	next_command("order", &id);
	ack(id, k);
	sim_remote_close(remote, 1006);
	loop_sim_settle(loop);
	connect_it();
	for (int i = 0; i < SHOPPER_NOT_FOUND_MAX; i++) {
		cr_assert(await_command("order_status", &id) != NULL);
		error(id, "not_found", false);
	}
	cr_expect(await_command("order", &id) != NULL);
}

Test(shopper, an_order_whose_state_is_still_to_come_is_not)
{
	const uint64_t k = event_for(plain);
	long long id;

	offer(1, k, "7.1", 900);
	next_command("order", &id);
	ack(id, k);
	sim_remote_close(remote, 1006);
	loop_sim_settle(loop);
	connect_it();
	for (int i = 0; i < 2 * SHOPPER_NOT_FOUND_MAX; i++) {
		cr_assert(await_command("order_status", &id) != NULL);
		error(id, "not_found", true);
	}
	cr_expect(zero(u64, shared.order_counts.retries));
}

Test(shopper, a_refusal_for_now_is_tried_again_and_one_for_good_is_held_against_the_run)
{
	const uint64_t k = event_for(plain);
	long long id;

	offer(1, k, "7.1", 900);
	next_command("order", &id);
	error(id, "unavailable", true);
	pass(260);
	cr_assert(next_command("order", &id) != NULL);
	error(id, "bad_command", false);
	pass(2 * SHOPPER_ORDER_ASK_MS);
	cr_expect(next_command("order", &id) == NULL);
	cr_expect(eq(u64, breaches(BREACH_WRONG_JUDGEMENT), 1));
}

Test(shopper, a_tampered_quote_has_another_price)
{
	const uint64_t k = event_for(tamperer);
	long long id;

	offer(1, k, "7.1", 900);
	const char *order = next_command("order", &id);

	cr_assert(order != NULL);
	cr_expect(strstr(order, "\"amount\":\"900\"") == NULL);
	cr_expect(strstr(order, "m-7.1") != NULL);
	cr_expect(eq(u64, shared.order_counts.tampered, 1));
}

Test(shopper, instalments_are_refused_and_that_is_the_end)
{
	const uint64_t k = event_for(debtor);
	long long id;

	offer(1, k, "7.1", 900);
	cr_assert(strstr(next_command("order", &id), "instalments") != NULL);
	error(id, "unsupported", false);
	cr_expect(zero(sz, shopper_orders_open(shopper.orders)));
	cr_expect(zero(u64, breaches(BREACH_WRONG_JUDGEMENT)));
}

Test(shopper, another_body_under_the_same_id_wants_a_conflict)
{
	const uint64_t k = event_for(two_faced);
	long long id;

	offer(1, k, "7.1", 900);
	const char *order = next_command("order", &id);
	const bool named = strstr(order, "wallet") != NULL;

	ack(id, k);
	order = next_command("order", &id);
	cr_assert(order != NULL);
	cr_expect(ne(int, named, strstr(order, "wallet") != NULL));
	ack(id, k);
	push_state(2, k, "RESERVED", 1);
	push_state(3, k, "FINAL", 2);
	cr_expect(eq(sz, shopper_orders_open(shopper.orders), 1), "the conflict is still to come");
	push_state(4, k, "CONFLICT", 0);
	cr_expect(zero(sz, shopper_orders_open(shopper.orders)));
	cr_expect(eq(u64, shared.order_counts.conflicts_told, 1));
	shopper_orders_close_book(shopper.orders);
	cr_expect(zero(u64, breaches(BREACH_WRONG_JUDGEMENT)));
}

Test(shopper, a_conflict_that_never_comes_is_held_against_the_run)
{
	const uint64_t k = event_for(two_faced);
	long long id;

	offer(1, k, "7.1", 900);
	next_command("order", &id);
	ack(id, k);
	next_command("order", &id);
	ack(id, k);
	shopper_orders_close_book(shopper.orders);
	cr_expect(eq(u64, breaches(BREACH_WRONG_JUDGEMENT), 1));
}

Test(shopper, a_conflict_that_nobody_asked_for_is_held_against_the_run)
{
	const uint64_t k = event_for(plain);
	long long id;

	offer(1, k, "7.1", 900);
	next_command("order", &id);
	ack(id, k);
	push_state(2, k, "CONFLICT", 0);
	cr_expect(eq(u64, breaches(BREACH_WRONG_JUDGEMENT), 1));
}

Test(shopper, pushes_that_do_not_rise_are_named)
{
	const uint64_t k = event_for(plain);
	long long id;

	offer(1, k, "7.1", 900);
	next_command("order", &id);
	ack(id, k);
	push_state(2, k, "SENT", 2);
	cr_expect(zero(u64, breaches(BREACH_PUSHED_BACK)));
	push_state(3, k, "SENT", 2);
	cr_expect(eq(u64, breaches(BREACH_PUSHED_BACK), 1));
}

Test(shopper, revisions_that_go_back_and_holes_in_seq_are_counted)
{
	offer(1, 5, "7.2", 900);
	offer(2, 5, "7.2", 900);
	offer(3, 5, "7.1", 900);
	cr_expect(eq(u64, shared.counts.rev_back, 2));
	cr_expect(zero(u64, shared.counts.seq_broken));
	offer(5, 5, "8.1", 900);
	cr_expect(eq(u64, shared.counts.seq_broken, 1));
	offer(6, 5, "8.2", 900);
	cr_expect(eq(u64, shared.counts.seq_broken, 1), "it goes on from there");
}

static void look(uint64_t k)
{
	const struct glance g = { .item = ITEM, .kind = "view", .place = "p" };
	char text[100];
	long long id;

	cr_assert(shopper_look(&shopper, k, loop_mono_us(loop), &g));
	cr_assert(next_command("interest", &id) != NULL);
	snprintf(text, sizeof(text), "{\"id\":%lld,\"type\":\"ack\",\"event\":\"9-%llu\"}", id,
		(unsigned long long)k);
	say(text);
}

Test(shopper, a_revision_is_no_second_answer)
{
	shared.order_one_in = 0;
	look(1);
	offer(1, 1, "7.1", 900);
	offer(2, 1, "7.2", 900);
	cr_expect(zero(u64, tracker_counts(shared.tracker)->heard_twice));
	cr_expect(eq(u64, tracker_counts(shared.tracker)->heard, 1));
	look(2);
	offer(3, 2, "7.4", 900); /* the first was replaced before it was sent */
	cr_expect(eq(u64, tracker_counts(shared.tracker)->heard, 2));
	look(3);
	withdraw(4, 3, "7.6");
	cr_expect(eq(u64, tracker_counts(shared.tracker)->heard, 3));
}

Test(shopper, answers_of_a_session_that_ended_are_lost)
{
	look(1);
	cr_expect(eq(u64, tracker_open(shared.tracker), 1));
	sim_remote_close(remote, 1006);
	loop_sim_settle(loop);
	cr_expect(eq(u64, tracker_counts(shared.tracker)->lost, 1));
}

Test(shopper, who_watches_hears_the_market_and_notices_when_it_goes_back)
{
	const char *moves[] = { "10", "20", "20", "15" };
	long long id;

	shopper_watch(&shopper, ITEM);
	cr_assert(next_command("watch", &id) != NULL);
	shopper_watch(&shopper, ITEM);
	cr_expect(next_command("watch", &id) == NULL, "once");
	for (int i = 0; i < 4; i++) {
		char text[400];

		snprintf(text, sizeof(text),
			"{\"type\":\"market\",\"seq\":%d,\"item\":\"" ITEM
			"\",\"bid\":null,\"ask\":null,\"as_of\":%s}",
			i + 1, moves[i]);
		say(text);
	}
	cr_expect(eq(u64, shared.counts.market, 4));
	cr_expect(eq(u64, shared.counts.market_back, 1));
}

Test(shopper, the_one_watched_longest_makes_room)
{
	char item[100];
	long long id;

	for (int i = 0; i <= SHOPPER_WATCHES; i++) {
		snprintf(item, sizeof(item), "eip155:1/erc721:0xaa/%d", i);
		shopper_watch(&shopper, item);
		say("{\"id\":0,\"type\":\"ack\"}");
	}
	const char *unwatch = next_command("unwatch", &id);

	cr_assert(unwatch != NULL);
	cr_expect(strstr(unwatch, "/0\"") != NULL);
}

Test(shopper, sooner_or_later_it_leaves_and_comes_back)
{
	shared.order_one_in = 0;
	shopper.leave_us = 0;
	for (int i = 0; i < 60 && sim_remote_is_open(remote); i++)
		pass(10000);
	cr_expect(not(sim_remote_is_open(remote)));
	cr_expect(eq(u64, shared.counts.left, 1));
	connect_it();
}

Test(shopper, at_the_end_nobody_leaves_and_who_is_away_comes_back_at_once)
{
	shopper_leave(&shopper, 3600000);
	loop_sim_settle(loop);
	cr_expect(not(sim_remote_is_open(remote)));
	shared.is_finishing = true;
	shopper_finish(&shopper);
	connect_it();
	pass(600000);
	cr_expect(sim_remote_is_open(remote));
}

Test(shopper, what_cannot_be_read_is_counted)
{
	say("{\"type\":");
	say("{\"type\":\"offer\",\"seq\":1,\"offer\":{}}");
	say("{\"type\":\"order\",\"seq\":2,\"order\":{\"id\":\"x\"}}");
	cr_expect(eq(u64, shared.counts.unreadable, 3));
}
