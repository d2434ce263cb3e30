#include "tests/unit/pricing/world.h"

#include <errno.h>

#include "common/model/quote.h"
#include "pricing/recompute.h"

#define USER "u_42"

/* A role with one item for 1 ETH that nobody bids on. */
static void init_with_item(struct world *w)
{
	world_init(w);
	world_beat_all(w);
	world_inventory(w, 3, "1000000000000000000", "1");
	world_start(w);
}

static void expect_refusal(struct world *w, const char *user, int64_t offset, enum reason reason)
{
	struct offer o = world_offer(w, reply_of(user), offset);

	cr_expect(eq(int, o.state, OFFER_NONE));
	cr_expect(eq(str, (char *)reason_names[o.reason], (char *)reason_names[reason]));
	cr_expect(not(money_is_set(o.price)));
	cr_expect(not(str_is_set(o.quote)));
}

Test(pricing_role, an_event_becomes_a_decision_and_an_offer)
{
	struct quote_keys *keys = NULL;
	struct decision d;
	struct offer o;
	struct quote q;
	struct world w;

	init_with_item(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);

	d = world_decision(&w, shard_of(USER), 1); /* 0 is our owner record */
	cr_expect(eq(int, d.outcome, OUTCOME_OFFER));
	cr_expect(eq(int, d.cause, CAUSE_INTEREST));
	cr_expect(str_eqz(d.interest, "i-1"));
	cr_expect(d.price.amount == ETH_);
	cr_expect(eq(u64, d.rev.part[0], 0));
	cr_expect(eq(u64, d.rev.part[1], 1));
	cr_expect(str_starts(d.ruleset, STR("sha256:")));

	o = world_offer(&w, reply_of(USER), 0);
	cr_expect(eq(int, o.state, OFFER_LIVE));
	cr_expect(str_eq(o.id, d.offer));
	cr_expect(str_eqz(o.client_id, "c-i-1"));
	cr_expect(o.price.amount == ETH_ && o.list.amount == ETH_);
	cr_expect(eq(i64, o.ts, 1795334399900));
	cr_expect(eq(i64, o.issued, NOW));
	cr_expect(eq(i64, o.expires, NOW + TTL));
	cr_expect(eq(i64, o.ttl_ms, TTL));
	cr_expect(eq(int, o.personalised, TRI_FALSE));

	cr_assert(zero(int, decode(&quote_type, &q, o.quote, w.arena, NULL)));
	cr_assert(zero(int, quote_keys_load(&keys, w.keys_file, NULL)));
	cr_expect(zero(int, quote_verify(&q, keys)));
	cr_expect(str_eq(q.offer, o.id));
	cr_expect(q.price.amount == ETH_);
	cr_expect(eq(i64, q.expires, o.expires));
	quote_keys_free(keys);
	world_fini(&w);
}

static void expect_header(const struct bus_record *r, const char *name, const char *value)
{
	struct str got = bus_header(r, name);

	if (!value)
		cr_expect(not(str_is_set(got)), "%s", name);
	else
		cr_expect(str_eqz(got, value), "%s: got " STR_FMT, name, STR_ARG(got));
}

Test(pricing_role, reply_headers_are_echoed_and_the_reply_partition_is_used)
{
	const struct bus_header headers[] = {
		{ STR("kafka_replyTopic"), STR("nft.offers.v1") },
		{ STR("kafka_replyPartition"), { "\0\0\0\5", 4 } },
		{ STR("kafka_correlationId"), STR("i-1") }, { STR("x-souk-session"), STR("s_9") },
		{ STR("x-souk-slot-epoch"), STR("e-7") },
		{ STR("traceparent"),
			STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01") },
		{ STR("x-souk-deadline"), STR("1795334400000") }, /* now: still in time */
	};
	const struct bus_record *o, *d;
	struct world w;
	char shard[8];

	init_with_item(&w);
	world_send_raw(&w, BUS_BY_KEY, USER, INTEREST("i-1", USER), headers, ARRAY_LEN(headers));
	loop_sim_settle(w.loop);
	o = world_record(&w, TOPIC_OFFERS, 5, 0);
	snprintf(shard, sizeof(shard), "%d", (int)shard_of(USER));
	expect_header(o, "kafka_replyTopic", "nft.offers.v1");
	cr_expect(str_eq(bus_header(o, "kafka_replyPartition"), (struct str){ "\0\0\0\5", 4 }));
	expect_header(o, "kafka_correlationId", "i-1");
	expect_header(o, "x-souk-session", "s_9");
	expect_header(o, "x-souk-slot-epoch", "e-7");
	expect_header(o, "x-souk-shard", shard);
	expect_header(o, "ce_specversion", "1.0");
	expect_header(o, "ce_type", "souk.nft.offers.v1");
	expect_header(o, "ce_source", "/souk/pricing/test-instance");
	expect_header(o, "ce_time", "2026-11-22T08:00:00.000Z");
	expect_header(o, "content-type", "application/json");
	expect_header(o, "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
	cr_expect(str_eqz(o->key, USER));

	d = world_record(&w, TOPIC_DECISIONS, shard_of(USER), 1);
	expect_header(d, "ce_type", "souk.nft.decisions.v1");
	expect_header(d, "ce_id", "i-1:0.1");
	expect_header(d, "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
	expect_header(d, "kafka_replyPartition", NULL);
	cr_expect(str_eqz(d->key, USER));
	world_fini(&w);
}

Test(pricing_role, without_headers_the_offer_goes_by_key_and_names_session_and_interest)
{
	const struct bus_record *o;
	struct world w;

	init_with_item(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	o = world_record(&w, TOPIC_OFFERS, reply_of(USER), 0);
	expect_header(o, "kafka_correlationId", "i-1");
	expect_header(o, "x-souk-session", "s_9");
	expect_header(o, "kafka_replyPartition", NULL);
	expect_header(o, "x-souk-slot-epoch", NULL);
	world_fini(&w);
}

Test(pricing_role, a_reply_partition_that_is_not_there_is_not_used)
{
	static const struct str bad[] = { { "\0\0\0\10", 4 }, { "\377\377\377\377", 4 }, { "5", 1 },
		{ "", 0 } };
	struct world w;
	char value[1024];

	init_with_item(&w);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const struct bus_header header = { STR("kafka_replyPartition"), bad[i] };

		snprintf(value, sizeof(value),
			"{\"id\":\"i-%zu\",\"ts\":1,\"user\":\"" USER
			"\",\"session\":\"s\",\"item\":\"" ITEM
			"\",\"signal\":{\"kind\":\"view\"}}",
			i);
		world_send_raw(&w, BUS_BY_KEY, USER, value, &header, 1);
	}
	loop_sim_settle(w.loop);
	cr_expect(eq(i64, world_high(&w, TOPIC_OFFERS, reply_of(USER)), (int64_t)ARRAY_LEN(bad)));
	world_fini(&w);
}

/* ---- refusals ---- */

Test(pricing_role, each_stale_side_is_named)
{
	static const struct {
		const char *side;
		enum reason reason;
	} sides[] = { { "profile", REASON_STALE_PROFILE }, { "loyalty", REASON_STALE_LOYALTY },
		{ "inventory", REASON_STALE_INVENTORY }, { "market", REASON_STALE_MARKET } };

	for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
		struct world w;

		init_with_item(&w);
		loop_sim_advance(w.loop, MAX_AGE + 1);
		for (size_t k = 0; k < ARRAY_LEN(sides); k++) {
			if (k == i)
				continue;
			if (sides[k].reason == REASON_STALE_MARKET)
				world_beat(&w, "market", "cool-cats", true);
			else
				world_side(&w, sides[k].side);
		}
		world_interest(&w, "i-1", USER);
		loop_sim_settle(w.loop);
		expect_refusal(&w, USER, 0, sides[i].reason);
		cr_expect(eq(i64,
			world_count(
				&w, "souk_pricing_reasons_total", reason_names[sides[i].reason]),
			1));
		world_fini(&w);
	}
}

/* The flush comes when the event is on its way to the store: whatever it meets, nobody is "not
 * there". */
Test(pricing_role, a_flush_between_events_ends_in_stale)
{
	struct world w;

	init_with_item(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	cr_expect(eq(int, world_offer(&w, reply_of(USER), 0).state, OFFER_LIVE));
	sim_store_set_latency(w.store, 1000);
	world_interest(&w, "i-2", USER);
	loop_sim_settle(w.loop);
	sim_store_flush(w.store);
	loop_sim_advance(w.loop, 10);
	expect_refusal(&w, USER, 1, REASON_STALE_PROFILE);
	world_fini(&w);
}

Test(pricing_role, while_the_cache_is_away_events_are_answered_at_once)
{
	CLEANUP(buf_fini) struct buf why = BUF_INIT(1024);
	struct world w;

	init_with_item(&w);
	sim_store_set_down(w.store, true);
	world_interest(&w, "i-1", USER);
	world_interest(&w, "i-2", USER);
	loop_sim_settle(w.loop);
	expect_refusal(&w, USER, 0, REASON_STALE_PROFILE);
	expect_refusal(&w, USER, 1, REASON_STALE_PROFILE);
	cr_expect(not(pricing_ready(w.pricing, &why)));
	buf_putc(&why, '\0');
	cr_expect(strstr(why.p, "redis") != NULL, "%s", why.p);
	sim_store_set_down(w.store, false);
	world_interest(&w, "i-3", USER);
	loop_sim_advance(w.loop, 10);
	cr_expect(eq(int, world_offer(&w, reply_of(USER), 2).state, OFFER_LIVE));
	world_fini(&w);
}

Test(pricing_role, a_cache_that_goes_while_it_is_asked_makes_the_event_stale)
{
	struct world w;

	init_with_item(&w);
	sim_store_set_latency(w.store, 5000);
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	sim_store_set_down(w.store, true);
	loop_sim_settle(w.loop);
	expect_refusal(&w, USER, 0, REASON_STALE_PROFILE);
	world_fini(&w);
}

Test(pricing_role, an_item_that_nobody_lists_or_that_is_gone_is_refused)
{
	struct world w;

	world_init(&w);
	world_beat_all(&w);
	world_start(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	expect_refusal(&w, USER, 0, REASON_NO_LISTING);
	world_inventory(&w, 1, "5", "0");
	world_interest(&w, "i-2", USER);
	loop_sim_settle(w.loop);
	expect_refusal(&w, USER, 1, REASON_SOLD_OUT);
	world_inventory(&w, 2, "5", "2");
	PUT(&w, "stock:{" ITEM "}", 1, "item", ITEM, "supply", "2", "taken", "2");
	world_interest(&w, "i-3", USER);
	loop_sim_settle(w.loop);
	expect_refusal(&w, USER, 2, REASON_SOLD_OUT);
	world_fini(&w);
}

Test(pricing_role, an_event_past_its_deadline_is_expired_without_a_look_up)
{
	const struct bus_header deadline = { STR("x-souk-deadline"), STR("1795334399999") };
	struct decision d;
	int64_t reads;
	struct world w;

	init_with_item(&w);
	reads = world_count(&w, "souk_pricing_cache_reads_total", NULL);
	world_send_raw(&w, BUS_BY_KEY, USER, INTEREST("i-1", USER), &deadline, 1);
	loop_sim_settle(w.loop);
	d = world_decision(&w, shard_of(USER), 1);
	cr_expect(eq(int, d.outcome, OUTCOME_EXPIRED));
	expect_refusal(&w, USER, 0, REASON_EXPIRED);
	cr_expect(eq(i64, world_count(&w, "souk_pricing_cache_reads_total", NULL), reads));
	world_fini(&w);
}

Test(pricing_role, a_bad_event_is_answered_as_such)
{
	static const char *const bad[] = {
		"{\"id\":\"i-0\",\"ts\":1,\"user\":\"" USER
		"\",\"session\":\"s\",\"signal\":{\"kind\":\"view\"}}",
		"{\"id\":\"i-1\",\"ts\":1,\"user\":\"" USER
		"\",\"session\":\"s\",\"item\":\"no item\",\"signal\":{\"kind\":\"view\"}}",
		"{\"id\":\"i-2\",\"ts\":1,\"user\":\"" USER "\",\"session\":\"s\",\"item\":\"" ITEM
		"\",\"signal\":{\"kind\":\"stare\"}}",
		"{\"id\":\"i-3\",\"ts\":\"1\",\"user\":\"" USER
		"\",\"session\":\"s\",\"item\":\"" ITEM "\",\"signal\":{\"kind\":\"view\"}}",
		"{\"item\":7,\"id\":\"i-4\",\"user\":\"" USER
		"\",\"session\":\"s\",\"context\":[]}",
	};
	struct world w;

	init_with_item(&w);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		world_send_raw(&w, BUS_BY_KEY, USER, bad[i], NULL, 0);
	loop_sim_settle(w.loop);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		expect_refusal(&w, USER, (int64_t)i, REASON_BAD_EVENT);
	cr_expect(not(str_is_set(world_offer(&w, reply_of(USER), 1).item)));
	cr_expect(str_eqz(world_offer(&w, reply_of(USER), 2).item, ITEM));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_dead_letters_total", NULL), 0));
	world_fini(&w);
}

Test(pricing_role, an_event_that_cannot_be_answered_is_a_dead_letter_untouched)
{
	static const char *const unreadable[] = {
		"not json",
		"{\"id\":\"i\",\"ts\":1,\"user\":\"u\"}",
		"{\"id\":\"i\",\"session\":\"s\"}",
		"{\"id\":\"\",\"user\":\"u\",\"session\":\"s\"}",
		"[]",
		"",
	};
	const struct bus_header header = { STR("x-mine"), { "\0\377", 2 } };
	const struct bus_record *r;
	int32_t shard = 2;
	struct world w;
	struct str metadata;

	init_with_item(&w);
	for (size_t i = 0; i < ARRAY_LEN(unreadable); i++)
		world_send_raw(&w, shard, "key", unreadable[i], &header, 1);
	cr_assert(zero(int, bus_send(w.client, &(struct bus_message){ .topic = TOPIC_INTEREST,
						       .partition = shard }))); /* a tombstone */
	loop_sim_settle(w.loop);
	for (size_t i = 0; i < ARRAY_LEN(unreadable); i++) {
		r = world_record(&w, TOPIC_INTEREST TOPIC_DLQ_SUFFIX, shard, (int64_t)i);
		cr_expect(str_eqz(r->value, unreadable[i]));
		cr_expect(str_eqz(r->key, "key"));
		cr_expect(str_eq(bus_header(r, "x-mine"), header.value));
	}
	r = world_record(
		&w, TOPIC_INTEREST TOPIC_DLQ_SUFFIX, shard, (int64_t)ARRAY_LEN(unreadable));
	cr_expect(not(str_is_set(r->value)));
	r = world_record(&w, TOPIC_INTEREST TOPIC_DLQ_SUFFIX, shard, 1);
	expect_header(r, "__connect.errors.topic", TOPIC_INTEREST);
	expect_header(r, "__connect.errors.partition", "2");
	expect_header(r, "__connect.errors.offset", "1");
	expect_header(r, "x-souk-reason", "BAD_EVENT");
	cr_expect(str_is_set(bus_header(r, "__connect.errors.exception.message")));

	cr_expect(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 1), "owner record only");
	loop_sim_advance(w.loop, 100);
	cr_expect(
		eq(i64, world_committed(&w, shard, &metadata), (int64_t)ARRAY_LEN(unreadable) + 1));
	world_fini(&w);
}

Test(pricing_role, a_dead_letter_that_is_too_large_goes_without_its_value)
{
	const struct bus_record *r;
	struct world w;

	init_with_item(&w);
	sim_broker_fail_sends(w.broker, TOPIC_INTEREST TOPIC_DLQ_SUFFIX, 1, -EMSGSIZE);
	world_send_raw(&w, 2, "key", "nonsense", NULL, 0);
	loop_sim_advance(w.loop, 1000);
	cr_assert(gt(i64, world_high(&w, TOPIC_INTEREST TOPIC_DLQ_SUFFIX, 2), 0));
	r = world_record(&w, TOPIC_INTEREST TOPIC_DLQ_SUFFIX, 2,
		world_high(&w, TOPIC_INTEREST TOPIC_DLQ_SUFFIX, 2) - 1);
	cr_expect(not(str_is_set(r->value)));
	expect_header(r, "__connect.errors.offset", "0");
	cr_expect(eq(i64, world_count(&w, "souk_pricing_unsendable_total", NULL), 0));
	cr_expect(eq(i64, world_committed(&w, 2, NULL), 1));
	world_fini(&w);
}

/* ---- repeats, limits, prices shown ---- */

Test(pricing_role, a_repeated_interest_has_one_decision)
{
	struct world w;

	init_with_item(&w);
	world_interest(&w, "i-1", USER);
	world_interest(&w, "i-1", USER); /* in the same batch */
	loop_sim_settle(w.loop);
	world_inventory(&w, 4, "2000000000000000000", "1");
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	cr_expect(eq(i64, world_high(&w, TOPIC_DECISIONS, shard_of(USER)), 2));
	cr_expect(eq(i64, world_high(&w, TOPIC_OFFERS, reply_of(USER)), 1));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_repeats_total", NULL), 2));
	loop_sim_advance(w.loop, 100);
	cr_expect(eq(i64, world_committed(&w, shard_of(USER), NULL), 3), "a repeat is done");
	loop_sim_advance(w.loop, TTL);
	world_beat_all(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	cr_expect(eq(i64, world_high(&w, TOPIC_OFFERS, reply_of(USER)), 2));
	world_fini(&w);
}

Test(pricing_role, a_price_shown_is_not_raised_within_its_lifetime)
{
	struct world w;

	init_with_item(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	world_inventory(&w, 4, "1500000000000000000", "1");
	world_interest(&w, "i-2", USER);
	world_interest(&w, "i-3", "u_other");
	loop_sim_settle(w.loop);
	cr_expect(world_offer(&w, reply_of(USER), 1).price.amount == ETH_);
	cr_expect(
		world_offer(&w, reply_of("u_other"), reply_of("u_other") == reply_of(USER) ? 2 : 0)
			.price.amount == (u128)ETH_ / 2 * 3);
	world_bid(&w, 1, "900000000000000000");
	world_interest(&w, "i-4", USER);
	loop_sim_settle(w.loop);
	cr_expect(world_decision(&w, shard_of(USER), 3).price.amount >= ETH_);
	world_fini(&w);
}

Test(pricing_role, live_quotes_of_a_user_have_a_limit)
{
	struct world w;

	world_init(&w);
	w.config.live_per_user = 2;
	world_beat_all(&w);
	world_inventory(&w, 3, "1000", "1");
	world_start(&w);
	world_interest(&w, "i-1", USER);
	world_interest(&w, "i-2", USER);
	world_interest(&w, "i-3", USER);
	loop_sim_settle(w.loop);
	expect_refusal(&w, USER, 2, REASON_QUOTE_LIMIT);
	loop_sim_advance(w.loop, TTL);
	world_beat_all(&w);
	world_interest(&w, "i-4", USER);
	loop_sim_settle(w.loop);
	cr_expect(eq(int, world_offer(&w, reply_of(USER), 3).state, OFFER_LIVE));
	world_fini(&w);
}

Test(pricing_role, prices_are_rounded_by_currency)
{
	char *items[] = { (char *)"EUR=0.05", (char *)"ETH=0.01" };
	struct world w;

	world_init(&w);
	w.config.round = (struct config_list){ items, 2 };
	w.config.max_premium_bps = 1000;
	world_beat_all(&w);
	world_inventory(&w, 3, "1234567890000000000", "1");
	world_start(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	cr_expect(world_offer(&w, reply_of(USER), 0).price.amount == (u128)123 * (ETH_ / 100));
	world_fini(&w);
}

Test(pricing_role, a_pause_is_obeyed_from_the_next_event_on)
{
	struct world w;

	init_with_item(&w);
	cr_assert(zero(int, bus_send(w.client, &(struct bus_message){ .topic = TOPIC_RULES,
						       .partition = 0,
						       .key = STR("pause/cool-cats"),
						       .value = STR("{}") })));
	loop_sim_settle(w.loop);
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	expect_refusal(&w, USER, 0, REASON_PAUSED);
	world_fini(&w);
}

/* ---- delivery and commit ---- */

Test(pricing_role, nothing_is_committed_before_both_results_are_acknowledged)
{
	int32_t shard = shard_of(USER);
	struct str metadata;
	struct world w;

	init_with_item(&w);
	sim_broker_fail_sends(w.broker, TOPIC_OFFERS, 1, -ETIMEDOUT);
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	cr_expect(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 2));
	cr_expect(eq(i64, world_high(&w, TOPIC_OFFERS, reply_of(USER)), 0));
	loop_sim_advance(w.loop, 99);
	cr_expect(lt(i64, world_committed(&w, shard, NULL), 0));
	loop_sim_advance(w.loop, 1); /* sent again */
	cr_expect(eq(i64, world_high(&w, TOPIC_OFFERS, reply_of(USER)), 1));
	cr_expect(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 2),
		"what was acknowledged is not sent again");
	loop_sim_advance(w.loop, 100);
	cr_expect(eq(i64, world_committed(&w, shard, &metadata), 1));
	world_fini(&w);
}

Test(pricing_role, a_decision_whose_delivery_failed_is_sent_again_with_the_same_bytes)
{
	int32_t shard = shard_of(USER);
	struct str first;
	struct world w;

	init_with_item(&w);
	sim_broker_fail_sends(w.broker, TOPIC_DECISIONS, 1, -ETIMEDOUT);
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	cr_expect(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 1));
	world_inventory(
		&w, 4, "2000000000000000000", "1"); /* changes nothing about what was decided */
	loop_sim_advance(w.loop, 100);
	first = world_decision(&w, shard, 1).interest;
	cr_expect(str_eqz(first, "i-1"));
	cr_expect(world_decision(&w, shard, 1).price.amount == ETH_);
	cr_expect(eq(i64, world_decision(&w, shard, 1).ts, NOW));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_resent_total", NULL), 1));
	loop_sim_advance(w.loop, 200);
	cr_expect(eq(i64, world_committed(&w, shard, NULL), 1));
	world_fini(&w);
}

Test(pricing_role, an_event_behind_an_unfinished_one_is_not_committed)
{
	int32_t shard = shard_of(USER);
	struct world w;

	init_with_item(&w);
	sim_broker_fail_sends(w.broker, TOPIC_OFFERS, 1, -ETIMEDOUT);
	world_interest(&w, "i-1", USER);
	world_interest(&w, "i-2", USER);
	loop_sim_settle(w.loop);
	cr_expect(eq(i64, world_high(&w, TOPIC_OFFERS, reply_of(USER)), 1),
		"the second's offer is out");
	loop_sim_advance(w.loop, 99);
	cr_expect(lt(i64, world_committed(&w, shard, NULL), 0));
	loop_sim_advance(w.loop, 200);
	cr_expect(eq(i64, world_committed(&w, shard, NULL), 2));
	world_fini(&w);
}

static void refuse(void *ctx, const char *topic, int32_t number, int64_t committed, struct str m)
{
	(void)ctx, (void)topic, (void)number, (void)committed, (void)m;
}

static void pass(void *ctx, const char *topic, int32_t number)
{
	(void)ctx, (void)topic, (void)number;
}

Test(pricing_role, a_partition_that_is_taken_back_is_committed_before_the_timer)
{
	static const struct bus_group_ops ops = { .assigned = refuse, .revoked = pass };
	static const char *const topics[] = { TOPIC_INTEREST };
	int32_t shard = shard_of(USER);
	struct bus_group *other;
	struct world w;

	init_with_item(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	cr_expect(lt(i64, world_committed(&w, shard, NULL), 0));
	cr_assert(zero(int, bus_group_open(w.client, &other, GROUP, topics, 1, &ops, NULL)));
	loop_sim_settle(w.loop); /* no time passes */
	cr_expect(eq(i64, world_committed(&w, shard, NULL), 1));
	bus_group_close(other);
	world_fini(&w);
}

Test(pricing_role, the_commit_says_from_where_a_successor_has_to_read)
{
	int32_t shard = shard_of(USER);
	struct str metadata;
	struct world w;

	init_with_item(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_advance(w.loop, 200);
	cr_assert(eq(i64, world_committed(&w, shard, &metadata), 1));
	cr_expect(str_eqz(metadata, "1"), "nothing lived before, got " STR_FMT, STR_ARG(metadata));
	loop_sim_advance(w.loop, TTL);
	world_beat_all(&w);
	world_interest(&w, "i-2", USER);
	loop_sim_advance(w.loop, 200);
	cr_assert(eq(i64, world_committed(&w, shard, &metadata), 2));
	cr_expect(str_eqz(metadata, "2"), "got " STR_FMT, STR_ARG(metadata));
	loop_sim_advance(w.loop, 1000);
	world_interest(&w, "i-3", USER);
	loop_sim_advance(w.loop, 200);
	world_committed(&w, shard, &metadata);
	cr_expect(str_eqz(metadata, "2"), "got " STR_FMT, STR_ARG(metadata));
	world_fini(&w);
}

Test(pricing_role, a_full_bus_holds_reading_back_and_loses_nothing)
{
	char id[16];
	struct world w;

	init_with_item(&w);
	sim_bus_set_queue_max(w.bus, 3);
	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "i-%d", i);
		world_interest(&w, id, USER);
	}
	loop_sim_advance(w.loop, 2000);
	cr_expect(eq(i64, world_high(&w, TOPIC_DECISIONS, shard_of(USER)), 21));
	cr_expect(eq(i64, world_high(&w, TOPIC_OFFERS, reply_of(USER)), 20));
	cr_expect(eq(i64, world_committed(&w, shard_of(USER), NULL), 20));
	cr_expect(gt(i64, world_count(&w, "souk_pricing_holds_total", NULL), 0));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_events_in_flight", NULL), 0));
	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "i-%d", i);
		cr_expect(str_eqz(world_decision(&w, shard_of(USER), 1 + i).interest, id),
			"in the order of events");
	}
	world_fini(&w);
}

Test(pricing_role, events_in_flight_have_a_bound)
{
	char id[16];
	struct world w;

	world_init(&w);
	w.config.in_flight_max = 10;
	world_beat_all(&w);
	world_inventory(&w, 3, "1000", "1");
	world_start(&w);
	sim_store_set_latency(w.store, 1000000);
	for (int i = 0; i < 30; i++) {
		snprintf(id, sizeof(id), "i-%d", i);
		world_interest(&w, id, USER);
		loop_sim_settle(w.loop);
	}
	cr_expect(eq(i64, world_count(&w, "souk_pricing_events_total", NULL), 10));
	sim_store_set_latency(w.store, 0);
	loop_sim_advance(w.loop, 5000);
	cr_expect(eq(i64, world_count(&w, "souk_pricing_events_total", NULL), 30));
	cr_expect(eq(i64, world_high(&w, TOPIC_OFFERS, reply_of(USER)), 30));
	world_fini(&w);
}

/* ---- ownership ---- */

static void usurp(struct world *w, int32_t shard)
{
	char value[128];

	snprintf(value, sizeof(value),
		"{\"type\":\"owner\",\"shard\":%d,\"instance\":\"somebody-else\",\"ts\":1}",
		(int)shard);
	cr_assert(zero(int, bus_send(w->client, &(struct bus_message){ .topic = TOPIC_DECISIONS,
							.partition = shard,
							.value = str_of(value) })));
	loop_sim_settle(w->loop);
}

Test(pricing_role, the_owner_record_names_shard_and_instance)
{
	struct owner_record o;
	struct world w;

	init_with_item(&w);
	for (int32_t i = 0; i < SHARDS; i++) {
		cr_assert(zero(int,
			decode(&owner_record_type, &o,
				world_record(&w, TOPIC_DECISIONS, i, 0)->value, w.arena, NULL)));
		cr_expect(eq(i64, o.shard, i));
		cr_expect(str_eqz(o.instance, "test-instance"));
		cr_expect(eq(i64, o.ts, NOW));
	}
	world_fini(&w);
}

Test(pricing_role, who_is_replaced_claims_again_and_speaks_under_a_higher_epoch)
{
	int32_t shard = shard_of(USER);
	struct decision d;
	int64_t high;
	struct world w;

	init_with_item(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_advance(w.loop, 200);
	cr_expect(eq(i64, world_committed(&w, shard, NULL), 1));

	usurp(&w, shard); /* offset 2 */
	world_interest(&w, "i-2", USER);
	loop_sim_advance(w.loop, 1000);
	cr_expect(eq(i64, world_count(&w, "souk_pricing_owner_changes_total", "lost"), 1));
	high = world_high(&w, TOPIC_DECISIONS, shard);
	d = world_decision(&w, shard, high - 1);
	cr_expect(str_eqz(d.interest, "i-2"));
	cr_expect(gt(u64, d.rev.part[0], 2));
	cr_expect(eq(i64, world_committed(&w, shard, NULL), 2));
	for (int64_t i = 3; i < high - 1; i++) {
		const struct bus_record *r = world_record(&w, TOPIC_DECISIONS, shard, i);

		/* Between: at most the void decision under epoch 0 and our owner record. */
		if (str_starts(r->value, STR("{\"type\":\"decision\"")))
			cr_expect(eq(u64, world_decision(&w, shard, i).rev.part[0], 0));
	}
	world_fini(&w);
}

Test(pricing_role, a_void_decision_is_not_committed)
{
	int32_t shard = shard_of(USER);
	struct world w;

	init_with_item(&w);
	usurp(&w, shard);
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	cr_expect(lt(i64, world_committed(&w, shard, NULL), 0));
	loop_sim_advance(w.loop, 50);
	cr_expect(lt(i64, world_committed(&w, shard, NULL), 0));
	world_fini(&w); /* with offers perhaps on their way */
}

Test(pricing_role, dropping_everything_with_messages_in_flight_is_clean)
{
	struct world w;

	init_with_item(&w);
	sim_broker_set_latency(w.broker, 50000);
	world_interest(&w, "i-1", USER);
	world_interest(&w, "i-2", "u_7");
	loop_sim_advance(w.loop, 120);
	usurp(&w, shard_of(USER));
	usurp(&w, shard_of("u_7"));
	world_interest(&w, "i-3", USER);
	loop_sim_advance(w.loop, 160);
	world_fini(&w);
}

Test(pricing_role, two_instances_share_and_hand_over_without_loss_or_repeat)
{
	const char *const users[] = { "a", "b", "c", "d", "e", "f", "g", "h" };
	struct pricing *second = NULL;
	struct bus *bus = NULL;
	struct cache *cache = NULL;
	CLEANUP(metrics_free) struct metrics *metrics = NULL;
	struct fault f = { 0 };
	int64_t n_decisions = 0;
	struct world w;
	char id[32];

	init_with_item(&w);
	for (size_t i = 0; i < ARRAY_LEN(users); i++) {
		snprintf(id, sizeof(id), "first-%zu", i);
		world_interest(&w, id, users[i]);
	}
	loop_sim_advance(w.loop, 200);
	cr_assert(zero(int, bus_sim_new(&bus, w.broker, "")));
	cr_assert(zero(int, cache_sim_new(&cache, w.store)));
	cr_assert(zero(int, metrics_new(&metrics, 256)));
	const struct pricing_env env = { w.loop, bus, cache, metrics, "second-instance" };
	cr_assert(zero(int, pricing_new(&second, &env, &w.config, &f)), "%s", f.text);
	loop_sim_advance(w.loop, 200);
	for (size_t i = 0; i < ARRAY_LEN(users); i++) {
		snprintf(id, sizeof(id), "then-%zu", i);
		world_interest(&w, id, users[i]);
	}
	loop_sim_advance(w.loop, 200);
	second = pricing_free(second); /* it dies */
	loop_sim_advance(w.loop, 200);
	for (size_t i = 0; i < ARRAY_LEN(users); i++) {
		snprintf(id, sizeof(id), "last-%zu", i);
		world_interest(&w, id, users[i]);
	}
	loop_sim_advance(w.loop, 200);

	for (int32_t p = 0; p < SHARDS; p++) {
		uint64_t epoch = 0;

		for (int64_t i = 0; i < world_high(&w, TOPIC_DECISIONS, p); i++) {
			const struct bus_record *r = world_record(&w, TOPIC_DECISIONS, p, i);

			if (str_starts(r->value, STR("{\"type\":\"owner\""))) {
				epoch = (uint64_t)i;
				continue;
			}
			n_decisions++;
			cr_expect(eq(u64, world_decision(&w, p, i).rev.part[0], epoch),
				"nobody spoke out of turn");
		}
	}
	cr_expect(eq(i64, n_decisions, 3 * (int64_t)ARRAY_LEN(users)));
	cr_expect(gt(i64, metrics_value(metrics, "souk_pricing_events_total", NULL), 0));
	bus_free(bus);
	cache_free(cache);
	world_fini(&w);
}

#define DAY_MS 86400000

Test(pricing_role, the_repeated_owner_record_is_the_epoch_from_then_on)
{
	int32_t shard = shard_of(USER);
	struct world w;

	init_with_item(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_advance(w.loop, DAY_MS);
	cr_assert(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 3));
	world_beat_all(&w);
	world_interest(&w, "i-2", USER);
	loop_sim_settle(w.loop);
	cr_expect(eq(u64, world_decision(&w, shard, 3).rev.part[0], 2));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_owner_changes_total", "acquired"), SHARDS));
	world_fini(&w);
}

/* Made under the old epoch and sent behind the new record it would be void. */
Test(pricing_role, an_answer_that_waits_while_the_owner_record_is_repeated_is_made_again)
{
	int32_t shard = shard_of(USER);
	struct decision d;
	struct world w;

	init_with_item(&w);
	loop_sim_advance(w.loop, DAY_MS - 10);
	world_beat_all(&w);
	sim_broker_set_latency(w.broker, 3000);
	loop_sim_advance(w.loop, 8);
	world_interest(&w, "i-1", USER); /* is read while the record is on its way */
	loop_sim_advance(w.loop, 1000);
	cr_assert(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 3));
	d = world_decision(&w, shard, 2);
	cr_expect(str_eqz(d.interest, "i-1"));
	cr_expect(eq(u64, d.rev.part[0], 1));
	cr_expect(eq(i64, world_high(&w, TOPIC_OFFERS, reply_of(USER)), 1));
	cr_expect(eq(i64, world_committed(&w, shard, NULL), 1));
	world_fini(&w);
}

static void w_shown_before_the_repeat(struct world *w)
{
	init_with_item(w);
	loop_sim_advance(w->loop, DAY_MS - 10);
	world_beat_all(w);
	world_interest(w, "i-1", USER);
	loop_sim_advance(w->loop, 4);
	cr_assert(world_offer(w, reply_of(USER), 0).price.amount == ETH_);
}

/* Only what waits is made again: what was shown before still binds, and what is on its way has one
 * answer. */
Test(pricing_role, the_repeated_owner_record_does_not_make_it_forget)
{
	int32_t shard = shard_of(USER);
	struct world w;

	w_shown_before_the_repeat(&w);
	world_inventory(&w, 4, "2000000000000000000", "1");
	sim_broker_set_latency(w.broker, 3000);
	loop_sim_advance(w.loop, 5);
	world_interest(&w, "i-2", USER); /* its answer waits while the record is on its way */
	loop_sim_advance(w.loop, 1000);
	cr_assert(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 4));
	cr_expect(str_eqz(world_decision(&w, shard, 3).interest, "i-2"));
	cr_expect(eq(u64, world_decision(&w, shard, 3).rev.part[0], 2));
	cr_expect(world_offer(&w, reply_of(USER), 1).price.amount == ETH_);
	world_interest(&w, "i-1", USER);
	loop_sim_advance(w.loop, 1000);
	cr_expect(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 4), "a repeat is known");
	cr_expect(eq(i64, world_committed(&w, shard, NULL), 3));
	world_fini(&w);
}

/* The offer is out, its decision is to be sent again when the record comes between. */
Test(pricing_role, a_failed_decision_is_not_sent_again_behind_the_repeated_record)
{
	int32_t shard = shard_of(USER);
	struct world w;

	init_with_item(&w);
	loop_sim_advance(w.loop, DAY_MS - 2);
	world_beat_all(&w);
	sim_broker_fail_sends(w.broker, TOPIC_DECISIONS, 1, -ETIMEDOUT);
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	loop_sim_advance(w.loop, 1000);
	cr_assert(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 3));
	cr_expect(str_eqz(world_decision(&w, shard, 2).interest, "i-1"));
	cr_expect(eq(u64, world_decision(&w, shard, 2).rev.part[0], 1));
	cr_expect(eq(i64, world_high(&w, TOPIC_OFFERS, reply_of(USER)), 2));
	cr_expect(eq(i64, world_committed(&w, shard, NULL), 1));
	world_fini(&w);
}

/* ---- readiness, rules, drain ---- */

Test(pricing_role, without_a_ruleset_it_is_not_ready_and_takes_no_partition)
{
	CLEANUP(buf_fini) struct buf why = BUF_INIT(1024);
	struct world w;

	world_init(&w);
	w.config.rules_file = NULL;
	w.config.rules_name = (char *)"demo";
	world_beat_all(&w);
	world_start(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_advance(w.loop, 5000);
	cr_expect(not(pricing_ready(w.pricing, &why)));
	buf_putc(&why, '\0');
	cr_expect(strstr(why.p, "rules: no pointer \"demo\"") != NULL, "%s", why.p);
	cr_expect(eq(i64, world_high(&w, TOPIC_DECISIONS, shard_of(USER)), 0));
	world_fini(&w);
}

Test(pricing_role, it_is_ready_once_all_is_there)
{
	CLEANUP(buf_fini) struct buf why = BUF_INIT(1024);
	struct world w;

	init_with_item(&w);
	cr_expect(pricing_ready(w.pricing, &why), STR_FMT, STR_ARG(buf_str(&why)));
	sim_broker_set_down(w.broker, true);
	loop_sim_advance(w.loop, 3001);
	cr_expect(not(pricing_ready(w.pricing, &why)));
	world_fini(&w);
}

Test(pricing_role, published_rules_take_over_between_two_events)
{
	static const char *const half =
		"{\"groups\":[{\"id\":\"g\",\"mode\":\"stack\",\"rules\":[{\"bps\":-1000,"
		"\"explanation\":{\"en\":\"Sale\"},\"id\":\"sale\"}]}],\"name\":\"demo\","
		"\"version\":\"2\"}";
	CLEANUP(ruleset_free) struct ruleset *r = ruleset_of(half);
	char key[100], pointer[128];
	struct world w;

	init_with_item(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	snprintf(key, sizeof(key), "demo/%s", ruleset_id(r).p + 7);
	snprintf(pointer, sizeof(pointer), "{\"ruleset\":\"" STR_FMT "\"}", STR_ARG(ruleset_id(r)));
	cr_assert(zero(int, bus_send(w.client, &(struct bus_message){ .topic = TOPIC_RULES,
						       .partition = 0,
						       .key = str_of(key),
						       .value = str_of(half) })));
	cr_assert(zero(int, bus_send(w.client, &(struct bus_message){ .topic = TOPIC_RULES,
						       .partition = 0,
						       .key = STR("demo"),
						       .value = str_of(pointer) })));
	loop_sim_settle(w.loop);
	world_interest(&w, "i-2", USER);
	loop_sim_settle(w.loop);
	cr_expect(str_eq(world_decision(&w, shard_of(USER), 2).ruleset, ruleset_id(r)));
	cr_expect(not(str_eq(world_decision(&w, shard_of(USER), 1).ruleset, ruleset_id(r))));
	cr_expect(world_offer(&w, reply_of(USER), 1).price.amount == (u128)ETH_ / 10 * 9);
	cr_expect(str_eqz(world_offer(&w, reply_of(USER), 1).reasons,
		"[{\"rule\":\"sale\",\"text\":\"Sale\",\"bps\":-1000}]"));
	world_fini(&w);
}

static void publish(struct world *w, const char *rules)
{
	CLEANUP(ruleset_free) struct ruleset *r = ruleset_of(rules);
	char key[100], pointer[128];

	snprintf(key, sizeof(key), "demo/%s", ruleset_id(r).p + 7);
	snprintf(pointer, sizeof(pointer), "{\"ruleset\":\"" STR_FMT "\"}", STR_ARG(ruleset_id(r)));
	cr_assert(zero(int, bus_send(w->client, &(struct bus_message){ .topic = TOPIC_RULES,
							.partition = 0,
							.key = str_of(key),
							.value = ruleset_body(r) })));
	cr_assert(zero(int, bus_send(w->client, &(struct bus_message){ .topic = TOPIC_RULES,
							.partition = 0,
							.key = STR("demo"),
							.value = str_of(pointer) })));
}

#define SET(x, bps) \
	"{\"groups\":[{\"id\":\"g\",\"mode\":\"stack\",\"rules\":[{\"bps\":" bps \
	",\"explanation\":{\"en\":\"" x "\"},\"id\":\"" x \
	"-one\"}]},{\"id\":\"h\",\"mode\":\"stack\"," \
	"\"rules\":[{\"bps\":" bps ",\"explanation\":{\"en\":\"" x "\"},\"id\":\"" x \
	"-two\"}]}],\"name\":\"demo\",\"version\":\"" x "\"}"

/* Rulesets come and go while events are on their way: every decision is wholly of the one it
 * names. */
Test(pricing_role, no_event_is_priced_by_half_a_ruleset)
{
	static const char *const sets[] = { SET("a", "-1000"), SET("b", "-500") };
	CLEANUP(ruleset_free) struct ruleset *a = ruleset_of(sets[0]);
	struct world w;
	int n[2] = { 0 };
	int64_t n_decisions;

	init_with_item(&w);
	for (int i = 0; i < 40; i++) {
		char id[16];

		snprintf(id, sizeof(id), "i-%d", i);
		world_interest(&w, id, USER);
		if (i % 3 == 0)
			publish(&w, sets[i % 2]);
		if (i % 5 == 0)
			loop_sim_settle(w.loop);
	}
	loop_sim_settle(w.loop);
	n_decisions = world_high(&w, TOPIC_DECISIONS, shard_of(USER));
	cr_assert(ge(i64, n_decisions, 41));
	for (int64_t i = 1; i < n_decisions; i++) {
		struct decision d = world_decision(&w, shard_of(USER), i);
		bool is_a = str_eq(d.ruleset, ruleset_id(a));
		char text[2048];

		(void)str_copy(text, sizeof(text), d.waterfall);
		if (strstr(text, "-one\"") == NULL)
			continue; /* of the file, before the first pointer */
		cr_expect(strstr(text, is_a ? "\"a-one\"" : "\"b-one\"") != NULL, "%s", text);
		cr_expect(strstr(text, is_a ? "\"a-two\"" : "\"b-two\"") != NULL, "%s", text);
		cr_expect(strstr(text, is_a ? "\"b-" : "\"a-") == NULL, "%s", text);
		n[is_a]++;
	}
	cr_expect(gt(int, n[0], 3));
	cr_expect(gt(int, n[1], 3));
	world_fini(&w);
}

Test(pricing_role, a_refused_ruleset_is_told_while_the_old_one_prices)
{
	CLEANUP(buf_fini) struct buf why = BUF_INIT(4096);
	struct world w;

	init_with_item(&w);
	loop_sim_settle(w.loop);
	cr_expect(pricing_ready(w.pricing, &why));
	cr_expect(eq(sz, why.n, 0), STR_FMT, STR_ARG(buf_str(&why)));
	cr_assert(zero(int, bus_send(w.client, &(struct bus_message){ .topic = TOPIC_RULES,
						       .partition = 0,
						       .key = STR("demo"),
						       .value = STR("{\"ruleset\":1}") })));
	loop_sim_settle(w.loop);
	cr_expect(pricing_ready(w.pricing, &why), "the old one prices");
	cr_expect(str_starts(buf_str(&why), STR("rules: refused, what was in force stays: ")));
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	cr_expect(eq(i64, world_high(&w, TOPIC_DECISIONS, shard_of(USER)), 2));
	buf_clear(&why);
	publish(&w, SET("a", "-1000"));
	loop_sim_settle(w.loop);
	cr_expect(pricing_ready(w.pricing, &why));
	cr_expect(eq(sz, why.n, 0), STR_FMT, STR_ARG(buf_str(&why)));
	world_fini(&w);
}

Test(pricing_role, rules_that_fail_or_want_consent_are_counted)
{
	struct world w;

	init_with_item(&w);
	publish(&w, "{\"disclosure\":{\"default\":\"d\"},\"groups\":[{\"id\":\"g\",\"mode\":"
		    "\"stack\",\"rules\":["
		    "{\"bps\":-1,\"explanation\":{\"en\":\"e\"},\"id\":\"f\",\"when\":\"1 / "
		    "session.dwell_ms > "
		    "0\"},{\"bps\":-1,\"explanation\":{\"en\":\"e\"},\"id\":\"p\",\"when\":"
		    "\"customer.segment == "
		    "'x'\"}]}],\"name\":\"demo\",\"version\":\"9\"}");
	loop_sim_settle(w.loop);
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	cr_expect(eq(i64, metrics_value(w.metrics, "souk_pricing_rules_failed_total", NULL), 1));
	cr_expect(eq(i64, metrics_value(w.metrics, "souk_pricing_rules_left_out_total", NULL), 1));
	world_fini(&w);
}

static void on_drained(void *ctx)
{
	++*(int *)ctx;
}

Test(pricing_role, a_drain_finishes_commits_and_leaves)
{
	int drained = 0;
	struct world w;

	init_with_item(&w);
	sim_broker_set_latency(w.broker, 10000);
	world_interest(&w, "i-1", USER);
	loop_sim_advance(w.loop, 25);
	pricing_drain(w.pricing, on_drained, &drained);
	cr_expect(eq(int, drained, 0));
	loop_sim_advance(w.loop, 1000);
	cr_expect(eq(int, drained, 1));
	cr_expect(eq(i64, world_committed(&w, shard_of(USER), NULL), 1));
	world_interest(&w, "i-2", USER);
	loop_sim_advance(w.loop, 1000);
	cr_expect(eq(i64, world_high(&w, TOPIC_OFFERS, reply_of(USER)), 1),
		"left for the next owner");
	world_fini(&w);
}

Test(pricing_role, configuration_that_cannot_work_is_refused)
{
	char *items[] = { (char *)"DOGE=1" };
	struct fault f = { 0 };
	struct world w;

	world_init(&w);
	const struct pricing_env env = { w.loop, w.bus, w.cache, w.metrics, "x" };
	w.config.max_age_market_ms = 10000;
	cr_expect(eq(int, pricing_new(&w.pricing, &env, &w.config, &f), -EINVAL));
	cr_expect(strstr(f.text, "pricing.max_age_ms.market") != NULL, "%s", f.text);
	w.config.max_age_market_ms = MAX_AGE;
	w.config.round = (struct config_list){ items, 1 };
	cr_expect(eq(int, pricing_new(&w.pricing, &env, &w.config, &f), -EINVAL));
	cr_expect(strstr(f.text, "pricing.round.DOGE") != NULL, "%s", f.text);
	items[0] = (char *)"EUR=0.001";
	cr_expect(eq(int, pricing_new(&w.pricing, &env, &w.config, &f), -EINVAL));
	cr_expect(strstr(f.text, "at most 2 decimals") != NULL, "%s", f.text);
	w.config.round.n = 0;
	w.config.quote_keys_file = NULL;
	cr_expect(eq(int, pricing_new(&w.pricing, &env, &w.config, &f), -EINVAL));
	cr_expect(strstr(f.text, "quote_keys_file") != NULL, "%s", f.text);
	w.config.quote_keys_file = (char *)"/nowhere/keys.json";
	cr_expect(eq(int, pricing_new(&w.pricing, &env, &w.config, &f), -ENOENT));
	world_fini(&w);
}
