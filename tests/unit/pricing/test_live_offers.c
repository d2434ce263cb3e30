/* Live offers through the whole role: what changes under them, and what the shopper hears. */
#include "tests/unit/pricing/live_world.h"

#include <errno.h>

#include "common/model/quote.h"
#include "pricing/recompute.h"

static void expect_revision(struct world *w, const char *rev, u128 price)
{
	struct offer o = last_offer(w, USER);
	char text[VERSION_TEXT_MAX];

	version_format(text, o.rev);
	cr_expect(eq(str, text, (char *)rev));
	cr_expect(eq(int, o.state, OFFER_LIVE));
	cr_expect(o.price.amount == price, "%s", text);
}

static void expect_withdrawn(
	struct world *w, const char *user, enum reason reason, enum decision_cause cause)
{
	struct offer o = last_offer(w, user);
	struct decision d = last_decision(w, user);

	cr_expect(eq(int, o.state, OFFER_WITHDRAWN));
	cr_expect(eq(str, (char *)reason_names[o.reason], (char *)reason_names[reason]));
	cr_expect(not(str_is_set(o.quote)));
	cr_expect(not(money_is_set(o.price)));
	cr_expect(eq(int, d.outcome, OUTCOME_WITHDRAWN));
	cr_expect(eq(str, (char *)reason_names[d.reason], (char *)reason_names[reason]));
	cr_expect(eq(
		str, (char *)decision_cause_names[d.cause], (char *)decision_cause_names[cause]));
	cr_expect(str_eq(d.offer, o.id));
}

static void recompute_all(struct world *w)
{
	CLEANUP(buf_fini) struct buf made = BUF_INIT(1 << 20);
	struct known_rulesets known;
	struct fault f = { 0 };

	learn_rulesets(w, &known);
	for (int32_t p = 0; p < SHARDS; p++) {
		for (int64_t i = 0; i < world_high(w, TOPIC_DECISIONS, p); i++) {
			struct str json = world_record(w, TOPIC_DECISIONS, p, i)->value;

			arena_reset(w->arena);
			if (!str_starts(json, STR("{\"type\":\"owner\"")))
				cr_expect(zero(int, recompute_decision(json, known_ruleset, &known,
							    fixture_scratch(), w->arena, &made,
							    NULL, &f)),
					"%s\n" STR_FMT, f.text, STR_ARG(json));
		}
	}
	forget_rulesets(&known);
}

static void done(struct world *w)
{
	recompute_all(w);
	world_fini(w);
}

/* ---- what changes ---- */

Test(live_offers, a_market_that_moves_gives_the_next_revision_at_once)
{
	struct quote_keys *keys = NULL;
	struct offer first, o;
	struct decision d;
	struct quote q;
	struct world w;

	live_init(&w);
	first = last_offer(&w, USER);
	cr_assert(first.price.amount == GOLD);
	world_bid(&w, 1, BID);
	expect_revision(&w, "0.2", OVER_BID);
	o = last_offer(&w, USER);
	d = last_decision(&w, USER);
	cr_expect(str_eq(o.id, first.id));
	cr_expect(str_eq(o.interest, first.interest));
	cr_expect(str_eq(o.client_id, first.client_id));
	cr_expect(eq(i64, o.ts, first.ts));
	cr_expect(eq(i64, o.issued, first.issued));
	cr_expect(eq(i64, o.expires, first.expires), "set by the first revision");
	cr_expect(str_eqz(
		o.reasons, "[{\"rule\":\"gold-tier\",\"text\":\"Gold member\",\"bps\":-500}]"));
	cr_expect(eq(int, d.cause, CAUSE_MARKET));
	cr_expect(eq(int, d.outcome, OUTCOME_OFFER));
	cr_expect(eq(i64, d.ts, NOW + 2 * WINDOW));
	cr_expect(d.price.amount == OVER_BID);
	cr_assert(zero(int, decode(&quote_type, &q, o.quote, w.arena, NULL)));
	cr_assert(zero(int, quote_keys_load(&keys, w.keys_file, NULL)));
	cr_expect(zero(int, quote_verify(&q, keys)));
	cr_expect(q.price.amount == OVER_BID);
	cr_expect(eq(i64, q.expires, first.expires));
	cr_expect(eq(u64, q.rev.part[1], 2));
	quote_keys_free(keys);
	cr_expect(eq(i64, world_count(&w, "souk_pricing_revisions_total", "market"), 1));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_offers_followed", NULL), 1));
	done(&w);
}

Test(live_offers, a_revision_goes_where_the_first_answer_went)
{
	const struct bus_header headers[] = {
		{ STR("kafka_replyTopic"), STR("nft.offers.v1") },
		{ STR("kafka_replyPartition"), { "\0\0\0\5", 4 } },
		{ STR("kafka_correlationId"), STR("i-1") },
		{ STR("x-souk-session"), STR("s_9") },
		{ STR("x-souk-slot-epoch"), STR("e-7") },
		{ STR("x-souk-deadline"), STR("1795334400000") },
	};
	static const char *const same[] = { "kafka_replyTopic", "kafka_replyPartition",
		"kafka_correlationId", "x-souk-session", "x-souk-slot-epoch", "x-souk-shard",
		"ce_type" };
	const struct bus_record *first, *next;
	struct world w;

	live_configure(&w);
	gold(&w, USER, 1);
	world_start(&w);
	world_send_raw(&w, BUS_BY_KEY, USER, INTEREST("i-1", USER), headers, ARRAY_LEN(headers));
	loop_sim_advance(w.loop, WINDOW); /* past its deadline, which is no matter */
	world_bid(&w, 1, BID);
	cr_assert(eq(i64, world_high(&w, TOPIC_OFFERS, 5), 2));
	first = world_record(&w, TOPIC_OFFERS, 5, 0);
	next = world_record(&w, TOPIC_OFFERS, 5, 1);
	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		cr_expect(str_eq(bus_header(first, same[i]), bus_header(next, same[i])), "%s",
			same[i]);
	cr_expect(str_eq(first->key, next->key));
	cr_expect(str_eqz(bus_header(world_record(&w, TOPIC_DECISIONS, shard_of(USER), 2), "ce_id"),
		"i-1:0.2"));
	done(&w);
}

Test(live_offers, a_change_of_loyalty_is_a_revision_for_that_user_alone)
{
	struct world w;

	live_init(&w);
	world_interest(&w, "i-2", "u_7");
	loop_sim_advance(w.loop, WINDOW);
	gold(&w, "u_7", 1);
	cr_expect(last_offer(&w, "u_7").price.amount == GOLD);
	cr_expect(eq(int, last_decision(&w, "u_7").cause, CAUSE_PROFILE));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_revisions_total", "profile"), 1));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_revisions_unchanged_total", NULL), 0));
	done(&w);
}

Test(live_offers, a_lower_list_price_is_a_revision_of_cause_stock)
{
	struct world w;

	live_init(&w);
	world_inventory(&w, 4, "800000000000000000", "1");
	expect_revision(&w, "0.2", ETH_ / 100 * 76);
	cr_expect(eq(int, last_decision(&w, USER).cause, CAUSE_STOCK));
	done(&w);
}

Test(live_offers, a_price_that_comes_out_the_same_says_nothing)
{
	struct world w;

	live_init(&w);
	world_bid(&w, 1, "500000000000000000");
	world_bid(&w, 2, "510000000000000000");
	gold(&w, USER, 2);
	PUT(&w, "profile:{" USER "}", 1, "user", USER, "country", "DE");
	loop_sim_advance(w.loop, 2 * WINDOW);
	cr_expect(eq(i64, n_offers(&w, USER), 2), "another country has another disclosure");
	cr_expect(eq(i64, world_count(&w, "souk_pricing_revisions_unchanged_total", NULL), 3));
	done(&w);
}

Test(live_offers, many_offers_of_an_item_change_together)
{
	char user[16], id[16];
	struct world w;

	live_init(&w);
	for (int i = 0; i < 40; i++) {
		snprintf(user, sizeof(user), "v_%d", i);
		snprintf(id, sizeof(id), "many-%d", i);
		gold(&w, user, 1);
		world_interest(&w, id, user);
	}
	loop_sim_advance(w.loop, 2 * WINDOW);
	int64_t reads = world_count(&w, "souk_pricing_cache_reads_total", NULL);

	world_bid(&w, 1, BID);
	cr_expect(eq(i64, world_count(&w, "souk_pricing_revisions_total", "market"), 41));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_cache_reads_total", NULL), reads + 1),
		"in one pipeline");
	done(&w);
}

/* ---- conflation ---- */

Test(live_offers, within_the_window_after_the_first_answer_a_change_waits)
{
	struct world w;

	live_configure(&w);
	gold(&w, USER, 1);
	world_start(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	world_bid(&w, 1, BID);
	loop_sim_advance(w.loop, WINDOW - 1);
	cr_expect(eq(i64, n_offers(&w, USER), 1));
	loop_sim_advance(w.loop, 1);
	expect_revision(&w, "0.2", OVER_BID);
	done(&w);
}

Test(live_offers, in_a_storm_there_is_one_revision_a_window_with_the_newest_values)
{
	uint64_t ver = 1;
	char bid[32];
	struct world w;

	live_init(&w);
	for (int i = 0; i < 100; i++) { /* 1 s */
		snprintf(bid, sizeof(bid), "93%04d000000000000", 99 - i);
		world_bid(&w, ver++, bid);
		loop_sim_advance(w.loop, 10);
	}
	loop_sim_advance(w.loop, 2 * WINDOW);
	cr_expect(eq(i64, n_offers(&w, USER), 1 + 5), "at 0, 250, 500, 750 and 1,000 ms");
	expect_revision(&w, "0.6", (u128)930000000000000000 / 100 * 103);
	for (int64_t i = 3; i < world_high(&w, TOPIC_DECISIONS, shard_of(USER)); i++)
		cr_expect(ge(i64,
			world_decision(&w, shard_of(USER), i).ts -
				world_decision(&w, shard_of(USER), i - 1).ts,
			WINDOW));
	cr_expect(gt(i64, world_count(&w, "souk_pricing_changes_conflated_total", NULL), 80));
	done(&w);
}

/* ---- withdrawals ---- */

Test(live_offers, the_last_unit_taken_withdraws)
{
	struct world w;

	live_init(&w);
	PUT(&w, "stock:{" ITEM "}", 1, "item", ITEM, "supply", "1", "taken", "1");
	expect_withdrawn(&w, USER, REASON_SOLD_OUT, CAUSE_STOCK);
	cr_expect(eq(i64, world_count(&w, "souk_pricing_withdrawn_total", "SOLD_OUT"), 1));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_offers_followed", NULL), 0));
	PUT(&w, "stock:{" ITEM "}", 2, "item", ITEM, "supply", "1", "taken", "0");
	world_bid(&w, 1, BID);
	loop_sim_advance(w.loop, 2 * WINDOW);
	cr_expect(eq(i64, n_offers(&w, USER), 2), "a withdrawn offer is over");
	done(&w);
}

Test(live_offers, a_held_listing_withdraws_with_the_circuit_open)
{
	struct world w;

	live_init(&w);
	PUT(&w, "inventory:{" ITEM "}", 4, "item", ITEM, "list", "100", "list_currency", "ETH",
		"supply", "1", "collection", "cool-cats", "held", "1");
	expect_withdrawn(&w, USER, REASON_CIRCUIT_OPEN, CAUSE_STOCK);
	done(&w);
}

Test(live_offers, an_item_that_is_gone_or_without_a_price_withdraws)
{
	struct world w;

	live_init(&w);
	world_interest(&w, "i-2", "u_7");
	loop_sim_advance(w.loop, WINDOW);
	PUT(&w, "inventory:{" ITEM "}", 4, "item", ITEM, "supply", "1", "collection", "cool-cats");
	expect_withdrawn(&w, USER, REASON_NOT_FOR_SALE, CAUSE_STOCK);
	expect_withdrawn(&w, "u_7", REASON_NOT_FOR_SALE, CAUSE_STOCK);
	world_inventory(&w, 5, "1000000000000000000", "1");
	world_interest(&w, "i-3", USER);
	loop_sim_advance(w.loop, WINDOW);
	cr_assert(zero(int, cache_write(w.writer,
				    &(struct cache_write){ .key = STR("inventory:{" ITEM "}"),
					    .ver = STR("00000000000000000006.00000000000000000000."
						       "00000000000000000000."
						       "00000000000000000000"),
					    .gen = 1,
					    .tombstone_ms = 60000 },
				    NULL, NULL)));
	loop_sim_settle(w.loop);
	expect_withdrawn(&w, USER, REASON_NO_LISTING, CAUSE_STOCK);
	done(&w);
}

Test(live_offers, a_bid_that_leaves_no_price_withdraws_with_a_conflict)
{
	struct world w;

	live_init(&w);
	world_bid(&w, 1, "990000000000000000");
	expect_withdrawn(&w, USER, REASON_GUARD_CONFLICT, CAUSE_MARKET);
	done(&w);
}

Test(live_offers, a_withdrawn_offer_counts_for_no_limit)
{
	struct price_inputs in;
	struct decision d;
	struct world w;

	live_configure(&w);
	w.config.live_per_user = 1;
	gold(&w, USER, 1);
	world_start(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_advance(w.loop, WINDOW);
	world_interest(&w, "i-2", USER);
	loop_sim_settle(w.loop);
	cr_expect(eq(int, last_offer(&w, USER).reason, REASON_QUOTE_LIMIT));
	world_bid(&w, 1, BID);
	expect_revision(&w, "0.2", OVER_BID); /* the limit is not for itself */
	d = last_decision(&w, USER);
	cr_assert(zero(int, inputs_decode(&in, d.inputs, w.arena, NULL)));
	cr_expect(eq(i64, in.live_user, 0));
	cr_expect(eq(i64, in.live_item, 0));
	cr_expect(in.is_revision && !in.holds && !in.deadline);
	loop_sim_advance(w.loop, WINDOW);
	PUT(&w, "stock:{" ITEM "}", 1, "item", ITEM, "supply", "1", "taken", "1");
	expect_withdrawn(&w, USER, REASON_SOLD_OUT, CAUSE_STOCK);
	PUT(&w, "stock:{" ITEM "}", 2, "item", ITEM, "supply", "1", "taken", "0");
	world_interest(&w, "i-3", USER);
	loop_sim_settle(w.loop);
	cr_expect(eq(int, last_offer(&w, USER).state, OFFER_LIVE));
	done(&w);
}

/* ---- pauses ---- */

Test(live_offers, a_pause_withdraws_at_once)
{
	struct world w;

	live_init(&w);
	world_rule(&w, "pause/other", "{}");
	cr_expect(eq(i64, n_offers(&w, USER), 1));
	world_rule(&w, "pause/cool-cats", "{}");
	expect_withdrawn(&w, USER, REASON_PAUSED, CAUSE_PAUSE);
	world_rule(&w, "pause/cool-cats", NULL);
	loop_sim_advance(w.loop, 2 * WINDOW);
	cr_expect(eq(i64, n_offers(&w, USER), 2), "resuming brings nothing back");
	done(&w);
}

/* The emergency that a pause is for may be that a feed is broken. */
Test(live_offers, a_pause_of_all_needs_neither_cache_nor_feeds)
{
	struct world w;

	live_init(&w);
	sim_store_set_down(w.store, true);
	loop_sim_advance(w.loop, MAX_AGE + 1);
	world_rule(&w, "pause/all", "{\"since\":1}");
	expect_withdrawn(&w, USER, REASON_PAUSED, CAUSE_PAUSE);
	done(&w);
}

Test(live_offers, a_pause_finds_an_item_that_changed_its_collection_and_not_its_price)
{
	struct world w;

	live_init(&w);
	world_beat(&w, "market", "mad-lads", true);
	PUT(&w, "inventory:{" ITEM "}", 4, "item", ITEM, "list", "1000000000000000000",
		"list_currency", "ETH", "supply", "1", "collection", "mad-lads");
	loop_sim_advance(w.loop, 2 * WINDOW);
	cr_assert(eq(i64, n_offers(&w, USER), 1));
	world_rule(&w, "pause/cool-cats", "{}");
	cr_expect(eq(i64, n_offers(&w, USER), 1));
	world_rule(&w, "pause/mad-lads", "{}");
	expect_withdrawn(&w, USER, REASON_PAUSED, CAUSE_PAUSE);
	done(&w);
}

Test(live_offers, a_pause_in_the_window_acts_at_its_end)
{
	struct world w;

	live_init(&w);
	world_bid(&w, 1, BID);
	world_rule(&w, "pause/all", "{}");
	cr_expect(eq(i64, n_offers(&w, USER), 2));
	loop_sim_advance(w.loop, WINDOW);
	expect_withdrawn(&w, USER, REASON_PAUSED, CAUSE_PAUSE);
	done(&w);
}

Test(live_offers, a_pause_of_thousands_acts_within_a_second)
{
	enum { N = 3000 };
	char user[16], id[16];
	struct world w;

	live_configure(&w);
	w.config.live_max = N;
	w.config.recent_max = w.config.memo_max = 2 * N;
	w.config.in_flight_max = 100;
	world_start(&w);
	for (int i = 0; i < N; i++) {
		snprintf(user, sizeof(user), "v_%d", i);
		snprintf(id, sizeof(id), "i-%d", i);
		world_interest(&w, id, user);
	}
	loop_sim_advance(w.loop, 2000);
	cr_assert(eq(i64, world_count(&w, "souk_pricing_offers_followed", NULL), N));
	sim_broker_set_latency(w.broker, 2000);
	world_rule(&w, "pause/all", "{}");
	loop_sim_advance(w.loop, 1000);
	cr_expect(eq(i64, world_count(&w, "souk_pricing_withdrawn_total", "PAUSED"), N));
	world_fini(&w);
}

/* ---- rules ---- */

Test(live_offers, rules_that_give_more_lower_the_price)
{
	struct world w;

	live_init(&w);
	world_publish(&w, "2", -1000);
	expect_revision(&w, "0.2", ETH_ / 10 * 9);
	cr_expect(eq(int, last_decision(&w, USER).cause, CAUSE_RULES));
	done(&w);
}

Test(live_offers, rules_that_give_less_do_not_raise_it)
{
	struct world w;

	live_init(&w);
	world_publish(&w, "2", -100);
	loop_sim_advance(w.loop, 2 * WINDOW);
	cr_expect(last_offer(&w, USER).price.amount == GOLD);
	for (int64_t i = 0; i < n_offers(&w, USER); i++)
		cr_expect(world_offer(&w, reply_of(USER), i).price.amount <= GOLD);
	done(&w);
}

Test(live_offers, rules_that_change_while_the_market_moves_do_not_raise_it_either)
{
	struct decision d;
	struct world w;

	live_init(&w);
	sim_store_set_latency(w.store, 5000);
	world_bid(&w, 1, "700000000000000000"); /* moved, and below every price */
	world_publish(&w, "2", -100);
	loop_sim_advance(w.loop, 2 * WINDOW);
	d = last_decision(&w, USER);
	cr_expect(d.price.amount <= GOLD);
	cr_expect(last_offer(&w, USER).price.amount <= GOLD);
	done(&w);
}

Test(live_offers, rules_that_leave_no_price_withdraw_for_it)
{
	struct world w;

	live_configure(&w);
	gold(&w, USER, 1);
	world_start(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_settle(w.loop);
	/* Both in the window: the bid alone would raise the price, the rules hold it. */
	world_bid(&w, 1, BID);
	world_publish(&w, "2", -100);
	loop_sim_advance(w.loop, WINDOW);
	expect_withdrawn(&w, USER, REASON_RULE_CHANGE, CAUSE_RULES);
	done(&w);
}

/* Gold members get 5 %, as in the rules that are in force, and @more. */
static void publish_more(struct world *w, const char *version, const char *text,
	const char *of_rule, const char *of_document)
{
	CLEANUP(buf_fini) struct buf body = BUF_INIT(65536);

	buf_printf(&body,
		"{\"name\":\"demo\",\"version\":\"%s\",\"disclosure\":{\"default\":\"Made for "
		"you.\"},\"groups\":[{\"id\":\"tier\",\"mode\":\"stack\",\"rules\":[{\"id\":"
		"\"gold-tier\",\"when\":\"customer.tier == 'gold'\",\"bps\":-500,"
		"\"explanation\":{\"en\":\"%s\"}%s}]}]%s}",
		version, text, of_rule, of_document);
	buf_putc(&body, '\0');
	world_publish_body(w, body.p);
	loop_sim_advance(w->loop, 2 * WINDOW);
}

#define PERK(text) ",\"perks\":[{\"id\":\"tea\",\"text\":{\"en\":\"" text "\"}}]"
#define OTHER      "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/78"
#define SUGGEST \
	",\"suggest\":[{\"id\":\"s\",\"when\":\"item.supply > 0\",\"items\":[\"" OTHER "\"]}]"

Test(live_offers, rules_that_change_only_what_is_told_are_a_revision)
{
	static const struct {
		const char *text, *of_rule, *of_document;
	} steps[] = {
		{ "Gold", "", "" },
		{ "Our gold members", "", "" },
		{ "Gold", PERK("Tea"), "" },
		{ "Gold", PERK("Black tea"), "" },
		{ "Gold", PERK("Black tea"), SUGGEST },
	};
	char version[16];
	struct offer o;
	struct world w;

	live_init(&w);
	publish_more(&w, "0", steps[0].text, "", "");
	for (size_t i = 1; i < ARRAY_LEN(steps); i++) {
		int64_t before = n_offers(&w, USER);

		snprintf(version, sizeof(version), "%zu", i);
		publish_more(&w, version, steps[i].text, steps[i].of_rule, steps[i].of_document);
		cr_expect(eq(i64, n_offers(&w, USER), before + 1), "%zu", i);
		cr_expect(last_offer(&w, USER).price.amount == GOLD);
		cr_expect(eq(int, last_decision(&w, USER).cause, CAUSE_RULES));
	}
	o = last_offer(&w, USER);
	cr_expect(str_eqz(o.perks, "[{\"id\":\"tea\",\"text\":\"Black tea\"}]"));
	cr_expect(str_eqz(o.alternatives, "[\"" OTHER "\"]"));
	publish_more(&w, "the same", steps[4].text, steps[4].of_rule, steps[4].of_document);
	cr_expect(str_eq(last_offer(&w, USER).alternatives, o.alternatives));
	cr_expect(eq(int, version_cmp(last_offer(&w, USER).rev, o.rev), 0));
	done(&w);
}

Test(live_offers, rules_that_suppress_withdraw_and_say_what_else_there_is)
{
	struct world w;
	int64_t n;

	live_init(&w);
	world_publish_body(&w,
		"{\"name\":\"demo\",\"version\":\"2\",\"groups\":[{\"id\":\"g\",\"mode\":\"stack\","
		"\"rules\":[{\"id\":\"not-now\",\"when\":\"item.supply > "
		"0\",\"suppress\":true}]}]" SUGGEST "}");
	expect_withdrawn(&w, USER, REASON_SUPPRESSED, CAUSE_RULES);
	cr_expect(str_eqz(last_offer(&w, USER).alternatives, "[\"" OTHER "\"]"));
	n = n_offers(&w, USER);
	world_publish(&w, "3", -500);
	loop_sim_advance(w.loop, 2 * WINDOW);
	cr_expect(eq(i64, n_offers(&w, USER), n), "a withdrawn offer is over");
	done(&w);
}

Test(live_offers, the_most_that_a_document_may_tell_can_be_read)
{
	CLEANUP(buf_fini) struct buf rules = BUF_INIT(65536);
	struct world w;
	struct offer o;

	live_configure(&w);
	gold(&w, USER, 1);
	world_start(&w);
	for (int i = 0; i < 2; i++) { /* texts that grow when they are written */
		buf_printf(&rules, "%s{\"id\":\"r%d\",\"when\":\"item.supply > -%d\",\"perks\":[",
			i ? "," : "", i, i + 1);
		for (int k = 0; k < 8; k++) {
			buf_printf(&rules, "%s{\"id\":\"p%d%d\",\"text\":{\"en\":\"", k ? "," : "",
				i, k);
			for (int c = 0; c < 140; c++)
				buf_puts(&rules, STR("\\u0001"));
			buf_puts(&rules, STR("\"}}"));
		}
		buf_puts(&rules, STR("]}"));
	}
	CLEANUP(buf_fini) struct buf body = BUF_INIT(65536);

	buf_printf(&body,
		"{\"name\":\"demo\",\"version\":\"2\",\"groups\":[{\"id\":\"g\",\"mode\":\"stack\","
		"\"rules\":[" STR_FMT "]}]}",
		STR_ARG(buf_str(&rules)));
	buf_putc(&body, '\0');
	world_publish_body(&w, body.p);
	world_interest(&w, "i-1", USER);
	loop_sim_advance(w.loop, 2 * WINDOW);
	o = last_offer(&w, USER); /* as a gateway reads it */
	cr_expect(eq(int, o.state, OFFER_LIVE));
	cr_expect(gt(sz, o.perks.n, 13000));
	done(&w);
}

/* ---- never a rise unless the market moved ---- */

Test(live_offers, a_price_does_not_rise_with_the_list_price_or_a_lost_tier)
{
	struct world w;

	live_init(&w);
	PUT(&w, "loyalty:{" USER "}", 2, "user", USER, "tier", "none", "points", "0");
	loop_sim_advance(w.loop, WINDOW);
	world_inventory(&w, 4, "1500000000000000000", "1");
	loop_sim_advance(w.loop, WINDOW);
	for (int64_t i = 0; i < n_offers(&w, USER); i++)
		cr_expect(world_offer(&w, reply_of(USER), i).price.amount <= GOLD);
	world_bid(&w, 1, "1100000000000000000"); /* now it moved */
	cr_expect(last_offer(&w, USER).price.amount == (u128)ETH_ / 10 * 15);
	done(&w);
}

/* A drop of a quarter of a percent at a time is no move, however many there are. */
Test(live_offers, a_market_that_creeps_does_not_raise_the_price_at_each_step)
{
	u128 before, price;
	char bid[32];
	struct world w;

	live_configure(&w);
	gold(&w, USER, 1);
	world_bid(&w, 1, BID);
	world_start(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_advance(w.loop, WINDOW);
	before = last_offer(&w, USER).price.amount;
	snprintf(bid, sizeof(bid), "952000000000000000");
	world_bid(&w, 2, bid); /* 0.2 %: the floor is above what was shown, but it did not move */
	expect_withdrawn(&w, USER, REASON_GUARD_CONFLICT, CAUSE_MARKET);
	world_interest(&w, "i-2", "u_7");
	loop_sim_advance(w.loop, WINDOW);
	world_bid(&w, 3, "949000000000000000");
	price = last_offer(&w, "u_7").price.amount;
	cr_expect(price <= (u128)ETH_);
	cr_expect(before == OVER_BID);
	done(&w);
}

/* ---- order of replies and invalidations ---- */

/* The row is read before the change and answered after it. */
Test(live_offers, a_change_that_overtakes_the_first_join_is_not_lost)
{
	struct world w;

	live_configure(&w);
	gold(&w, USER, 1);
	world_start(&w);
	world_interest(&w, "warm", "u_7"); /* shards and collection are known from now on */
	loop_sim_settle(w.loop);
	sim_store_set_latency(w.store, 10000); /* 5 ms there, 5 ms back */
	world_interest(&w, "i-1", USER);
	loop_sim_advance(w.loop, 6); /* carried out, its answer is on its way */
	sim_store_set_latency(w.store, 0);
	world_bid(&w, 1, BID);
	loop_sim_advance(w.loop, 10);
	cr_assert(eq(i64, n_offers(&w, USER), 1));
	cr_expect(last_offer(&w, USER).price.amount == GOLD, "made from the old row");
	loop_sim_advance(w.loop, WINDOW);
	expect_revision(&w, "0.2", OVER_BID);
	done(&w);
}

Test(live_offers, a_change_that_overtakes_the_join_of_a_revision_is_not_lost)
{
	struct world w;

	live_init(&w);
	sim_store_set_latency(w.store, 10000);
	world_bid(&w, 1, BID);
	loop_sim_advance(w.loop, 10); /* carried out; heard of; asked */
	loop_sim_advance(w.loop, 1);
	sim_store_set_latency(w.store, 0);
	world_bid(&w, 2, HIGHER_BID);
	loop_sim_advance(w.loop, 20);
	loop_sim_advance(w.loop, WINDOW);
	cr_expect(last_offer(&w, USER).price.amount == OVER_HIGHER);
	cr_expect(eq(i64, world_count(&w, "souk_pricing_rows_regressed_total", NULL), 0));
	done(&w);
}

Test(live_offers, a_change_between_decision_and_acknowledgement_waits_for_it)
{
	struct world w;

	live_configure(&w);
	gold(&w, USER, 1);
	world_start(&w);
	sim_broker_set_latency(w.broker, 400000);
	world_interest(&w, "i-1", USER);
	loop_sim_advance(w.loop, 500); /* decided, on its way */
	world_bid(&w, 1, BID);
	loop_sim_advance(w.loop, 290);
	cr_expect(eq(i64, world_count(&w, "souk_pricing_revisions_total", "market"), 0));
	loop_sim_advance(w.loop, 1000);
	expect_revision(&w, "0.2", OVER_BID);
	done(&w);
}

/* ---- a cache that forgets or goes ---- */

Test(live_offers, a_flush_leaves_offers_standing_and_what_comes_back_the_same_says_nothing)
{
	struct world w;

	live_init(&w);
	sim_store_flush(w.store);
	loop_sim_advance(w.loop, 3000);
	cr_expect(eq(i64, n_offers(&w, USER), 1));
	world_beat_all(&w);
	world_inventory(&w, 3, "1000000000000000000", "1");
	gold(&w, USER, 1);
	loop_sim_advance(w.loop, 3000);
	cr_expect(eq(i64, n_offers(&w, USER), 1));
	world_bid(&w, 1, BID);
	expect_revision(&w, "0.2", OVER_BID);
	done(&w);
}

Test(live_offers, rows_that_come_back_older_are_not_used)
{
	struct world w;

	live_init(&w);
	world_bid(&w, 5, BID);
	expect_revision(&w, "0.2", OVER_BID);
	sim_store_flush(w.store);
	loop_sim_settle(w.loop);
	world_beat_all(&w);
	world_inventory(&w, 3, "1000000000000000000", "1");
	gold(&w, USER, 1);
	world_bid(&w, 4, "970000000000000000");
	loop_sim_advance(w.loop, 3000);
	cr_expect(eq(i64, n_offers(&w, USER), 2));
	world_bid(&w, 6, HIGHER_BID);
	loop_sim_advance(w.loop, 1000);
	expect_revision(&w, "0.3", OVER_HIGHER);
	done(&w);
}

/* Others push what the join and the partition remember out of their tables. */
static void crowd(struct world *w)
{
	char value[512], key[200], item[128];

	for (int i = 0; i < 40; i++) {
		snprintf(item, sizeof(item),
			"eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/%d", 1000 + i);
		snprintf(key, sizeof(key), "inventory:{%s}", item);
		PUT(w, key, 1, "item", item, "list", "10000", "list_currency", "ETH", "supply",
			"1");
		snprintf(value, sizeof(value),
			"{\"id\":\"other-%d\",\"ts\":1,\"user\":\"v_%d\",\"session\":\"s\","
			"\"item\":\"%s\",\"signal\":{\"kind\":\"view\"}}",
			i, i, item);
		world_send_raw(w, shard_of(USER), USER, value, NULL, 0);
	}
	loop_sim_advance(w->loop, WINDOW);
}

Test(live_offers, rows_that_come_back_older_are_not_used_even_if_others_pushed_them_out_of_memory)
{
	struct world w;

	live_configure(&w);
	w.config.memo_max = 16;
	gold(&w, USER, 1);
	world_bid(&w, 5, BID);
	world_start(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_advance(w.loop, WINDOW);
	crowd(&w);
	sim_store_drop(w.store, "bestbid:{" ITEM "}");
	world_bid(&w, 4, "700000000000000000");
	loop_sim_advance(w.loop, 3000);
	cr_expect(last_offer(&w, USER).price.amount == OVER_BID);
	world_bid(&w, 6, "700000000000000000");
	loop_sim_advance(w.loop, 1000);
	expect_revision(&w, "0.2", GOLD);
	done(&w);
}

Test(live_offers, a_price_does_not_rise_even_if_others_pushed_it_out_of_memory)
{
	struct world w;

	live_configure(&w);
	w.config.recent_max = 16;
	gold(&w, USER, 1);
	world_start(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_advance(w.loop, WINDOW);
	crowd(&w);
	cr_assert(gt(i64, world_count(&w, "souk_pricing_decisions_forgotten_total", NULL), 0));
	world_inventory(&w, 4, "1500000000000000000", "1");
	loop_sim_advance(w.loop, WINDOW);
	cr_expect(str_eqz(last_offer(&w, USER).interest, "i-1"));
	cr_expect(last_offer(&w, USER).price.amount == GOLD);
	done(&w);
}

Test(live_offers, what_changed_while_the_cache_was_away_is_heard_of_when_it_is_back)
{
	struct world w;

	live_init(&w);
	sim_cache_lose_tracking(w.cache);
	world_bid(&w, 1, BID);
	loop_sim_advance(w.loop, 10);
	expect_revision(&w, "0.2", OVER_BID);
	sim_store_set_down(w.store, true);
	loop_sim_advance(w.loop, 5000);
	cr_expect(eq(i64, n_offers(&w, USER), 2), "it stands");
	sim_store_set_down(w.store, false);
	loop_sim_settle(w.loop);
	world_bid(&w, 2, HIGHER_BID);
	loop_sim_advance(w.loop, 1000);
	cr_expect(eq(i64, n_offers(&w, USER), 3));
	cr_expect(last_offer(&w, USER).price.amount == OVER_HIGHER);
	done(&w);
}

Test(live_offers, a_stale_side_neither_prices_nor_withdraws_and_is_tried_again)
{
	struct world w;

	live_init(&w);
	loop_sim_advance(w.loop, MAX_AGE);
	world_bid(&w, 1, BID);
	cr_expect(eq(i64, n_offers(&w, USER), 1));
	world_beat_all(&w); /* a feed is not tracked: only the retry finds it */
	cr_expect(eq(i64, n_offers(&w, USER), 1));
	loop_sim_advance(w.loop, 1000);
	expect_revision(&w, "0.2", OVER_BID);
	done(&w);
}

Test(live_offers, with_a_stock_feed_its_age_is_judged)
{
	struct world w;

	live_configure(&w);
	gold(&w, USER, 1);
	world_side(&w, "stock");
	PUT(&w, "stock:{" ITEM "}", 1, "item", ITEM, "supply", "1", "taken", "0");
	world_start(&w);
	world_interest(&w, "i-1", USER);
	loop_sim_advance(w.loop, MAX_AGE + 1);
	world_beat_all(&w); /* all but stock */
	world_bid(&w, 1, BID);
	cr_expect(eq(i64, n_offers(&w, USER), 1));
	world_side(&w, "stock");
	PUT(&w, "stock:{" ITEM "}", 2, "item", ITEM, "supply", "1", "taken", "1");
	expect_withdrawn(&w, USER, REASON_SOLD_OUT, CAUSE_STOCK);
	done(&w);
}

/* ---- the end of an offer ---- */

Test(live_offers, an_offer_that_has_run_out_gets_no_record)
{
	struct world w;

	live_init(&w);
	loop_sim_advance(w.loop, TTL - 2 * WINDOW);
	world_beat_all(&w);
	world_bid(&w, 1, BID);
	loop_sim_advance(w.loop, 2000);
	cr_expect(eq(i64, n_offers(&w, USER), 1));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_offers_followed", NULL), 0));
	done(&w);
}

Test(live_offers, beyond_the_maximum_offers_are_issued_and_not_followed)
{
	struct world w;

	live_configure(&w);
	w.config.live_max = 1;
	gold(&w, USER, 1);
	world_start(&w);
	world_interest(&w, "i-1", USER);
	world_interest(&w, "i-2", USER);
	loop_sim_advance(w.loop, 2 * WINDOW);
	cr_expect(eq(i64, n_offers(&w, USER), 2));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_offers_not_followed_total", NULL), 1));
	world_bid(&w, 1, BID);
	loop_sim_advance(w.loop, 2 * WINDOW);
	cr_expect(eq(i64, n_offers(&w, USER), 3));
	cr_expect(str_eqz(last_offer(&w, USER).interest, "i-1"));
	done(&w);
}

/* ---- delivery and ownership ---- */

Test(live_offers, a_revision_whose_delivery_failed_is_sent_again_with_the_same_bytes)
{
	struct world w;

	live_init(&w);
	sim_broker_fail_sends(w.broker, TOPIC_DECISIONS, 1, -ETIMEDOUT);
	world_bid(&w, 1, BID);
	cr_expect(eq(i64, world_high(&w, TOPIC_DECISIONS, shard_of(USER)), 2));
	world_bid(&w, 2, HIGHER_BID);
	loop_sim_advance(w.loop, 100);
	cr_assert(eq(i64, world_high(&w, TOPIC_DECISIONS, shard_of(USER)), 3));
	cr_expect(last_decision(&w, USER).price.amount == OVER_BID);
	cr_expect(eq(i64, last_decision(&w, USER).ts, NOW + 2 * WINDOW));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_resent_total", NULL), 1));
	loop_sim_advance(w.loop, WINDOW);
	expect_revision(&w, "0.3", OVER_HIGHER);
	done(&w);
}

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

/* i-2 is joined while the report of i-1 says that the partition is lost. */
Test(live_offers, what_is_joined_while_the_partition_is_lost_is_followed_once)
{
	struct world w;

	live_configure(&w);
	gold(&w, USER, 1);
	world_start(&w);
	sim_store_set_latency(w.store, 20000);
	world_interest(&w, "i-1", USER);
	loop_sim_advance(w.loop, 5);
	world_interest(&w, "i-2", USER);
	loop_sim_advance(w.loop, 5);
	usurp(&w, shard_of(USER));
	loop_sim_advance(w.loop, 1000);
	cr_expect(eq(i64, world_count(&w, "souk_pricing_owner_changes_total", "lost"), 1));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_offers_followed", NULL), 2));
	world_fini(&w);
}

Test(live_offers, who_loses_the_partition_forgets_its_offers)
{
	struct world w;

	live_init(&w);
	usurp(&w, shard_of(USER));
	world_bid(&w, 1, BID); /* its decision is void: this is how the loss is noticed */
	loop_sim_advance(w.loop, 1000);
	cr_expect(eq(i64, world_count(&w, "souk_pricing_owner_changes_total", "lost"), 1));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_offers_followed", NULL), 0));
	int64_t n = n_offers(&w, USER);

	world_bid(&w, 2, HIGHER_BID);
	loop_sim_advance(w.loop, 1000);
	cr_expect(eq(i64, n_offers(&w, USER), n));
	world_fini(&w);
}

#define DAY_MS 86400000

/* An offer made shortly before our owner record is repeated. */
static void init_before_the_repeat(struct world *w)
{
	live_configure(w);
	gold(w, USER, 1);
	world_start(w);
	loop_sim_advance(w->loop, DAY_MS - 1000);
	world_beat_all(w);
	world_interest(w, "i-1", USER);
	loop_sim_settle(w->loop);
	cr_assert(eq(i64, n_offers(w, USER), 1));
}

Test(live_offers, after_the_owner_record_is_repeated_revisions_count_from_one_again)
{
	struct world w;

	init_before_the_repeat(&w);
	loop_sim_advance(w.loop, WINDOW);
	world_bid(&w, 1, BID);
	expect_revision(&w, "0.2", OVER_BID);
	loop_sim_advance(w.loop, 1000);
	world_bid(&w, 2, HIGHER_BID);
	expect_revision(&w, "3.1", OVER_HIGHER);
	done(&w);
}

/* Made under the old epoch and sent behind the new record it would be void. */
Test(live_offers, a_revision_that_waits_while_the_record_is_repeated_is_made_again)
{
	int32_t shard = shard_of(USER);
	struct decision d;
	struct world w;

	init_before_the_repeat(&w);
	loop_sim_advance(w.loop, 1000 - 20);
	sim_broker_set_latency(w.broker, 10000);
	loop_sim_advance(w.loop, 21); /* the record is on its way */
	world_bid(&w, 1, BID);
	cr_expect(eq(i64, world_count(&w, "souk_pricing_revisions_total", "market"), 1));
	loop_sim_advance(w.loop, 2000);
	cr_assert(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 4));
	d = world_decision(&w, shard, 3);
	cr_expect(eq(u64, d.rev.part[0], 2));
	cr_expect(eq(u64, d.rev.part[1], 1));
	cr_expect(eq(int, d.cause, CAUSE_MARKET));
	expect_revision(&w, "2.1", OVER_BID);
	cr_expect(eq(i64, n_offers(&w, USER), 2));
	done(&w);
}

/* The shopper has seen what is void: the change back must be told. */
Test(live_offers, a_revision_that_is_made_again_is_told_even_if_nothing_is_new)
{
	int32_t shard = shard_of(USER);
	struct world w;

	init_before_the_repeat(&w);
	loop_sim_advance(w.loop, 1000 - 2);
	sim_broker_fail_sends(w.broker, TOPIC_DECISIONS, 1, -ETIMEDOUT);
	world_bid(&w, 1, BID); /* the offer is out, its decision is to be sent again */
	cr_assert(eq(i64, n_offers(&w, USER), 2));
	loop_sim_advance(w.loop, 2000);
	cr_assert(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 4));
	cr_expect(eq(u64, world_decision(&w, shard, 3).rev.part[0], 2));
	expect_revision(&w, "2.1", OVER_BID);
	cr_expect(eq(i64, n_offers(&w, USER), 3));
	done(&w);
}

Test(live_offers, a_withdrawal_that_is_made_again_does_not_become_an_offer)
{
	struct world w;

	init_before_the_repeat(&w);
	loop_sim_advance(w.loop, 1000 - 2);
	sim_broker_fail_sends(w.broker, TOPIC_DECISIONS, 1, -ETIMEDOUT);
	PUT(&w, "stock:{" ITEM "}", 1, "item", ITEM, "supply", "1", "taken", "1");
	cr_assert(eq(int, last_offer(&w, USER).state, OFFER_WITHDRAWN));
	PUT(&w, "stock:{" ITEM "}", 2, "item", ITEM, "supply", "1", "taken", "0");
	loop_sim_advance(w.loop, 2000);
	cr_expect(eq(i64, n_offers(&w, USER), 2));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_offers_followed", NULL), 0));
	done(&w);
}

/* @n offers of one partition, and the time after them quiet. */
static void ask_in_one_shard(struct world *w, int n)
{
	char user[16], id[16];

	for (int i = 0, n_asked = 0; n_asked < n; i++) {
		snprintf(user, sizeof(user), "v_%d", i);
		if (shard_of(user) != shard_of(USER))
			continue;
		snprintf(id, sizeof(id), "i-%02d", n_asked++);
		gold(w, user, 1);
		world_interest(w, id, user);
	}
	loop_sim_advance(w->loop, 2 * WINDOW);
	cr_assert(eq(i64, world_count(w, "souk_pricing_offers_followed", NULL), n));
}

Test(live_offers, a_full_bus_loses_no_revision_and_no_event)
{
	char id[16], user[16];
	struct world w;

	live_init(&w);
	for (int i = 0; i < 30; i++) {
		snprintf(id, sizeof(id), "a-%d", i);
		snprintf(user, sizeof(user), "v_%d", i);
		gold(&w, user, 1);
		world_interest(&w, id, user);
	}
	loop_sim_advance(w.loop, 2 * WINDOW);
	sim_bus_set_queue_max(w.bus, 3);
	world_bid(&w, 1, BID);
	for (int i = 0; i < 10; i++) {
		snprintf(id, sizeof(id), "b-%d", i);
		world_interest(&w, id, USER);
		loop_sim_advance(w.loop, 5);
	}
	loop_sim_advance(w.loop, 2000);
	cr_expect(eq(i64, world_count(&w, "souk_pricing_revisions_total", "market"), 31));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_events_in_flight", NULL), 0));
	cr_expect(eq(i64, world_committed(&w, shard_of(USER), NULL),
		world_high(&w, TOPIC_INTEREST, shard_of(USER))));
	done(&w);
}

Test(live_offers, as_many_revisions_as_may_be_on_their_way_hold_up_the_next_no_longer)
{
	struct world w;
	int n = 8;

	live_configure(&w);
	w.config.in_flight_max = 1;
	world_start(&w);
	ask_in_one_shard(&w, n);
	world_bid(&w, 1, BID);
	loop_sim_advance(w.loop, 5);
	cr_expect(eq(i64, world_count(&w, "souk_pricing_revisions_total", "market"), n));
	done(&w);
}

Test(live_offers, a_full_bus_leaves_what_waits_in_its_order)
{
	int32_t shard = shard_of(USER);
	char before[16] = "";
	struct world w;
	int n = 8;

	live_configure(&w);
	world_start(&w);
	ask_in_one_shard(&w, n);
	sim_bus_set_queue_max(w.bus, 3);
	world_bid(&w, 1, BID); /* the youngest is found first */
	loop_sim_advance(w.loop, 2000);
	cr_assert(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 1 + 2 * n));
	for (int i = 0; i < n; i++) {
		struct decision d = world_decision(&w, shard, 1 + n + i);

		cr_expect(i == 0 || str_cmp(d.interest, str_of(before)) < 0, STR_FMT " after %s",
			STR_ARG(d.interest), before);
		snprintf(before, sizeof(before), STR_FMT, STR_ARG(d.interest));
	}
	done(&w);
}

static void on_drained(void *ctx)
{
	++*(int *)ctx;
}

Test(live_offers, a_drain_ends_what_is_on_its_way_and_follows_no_more)
{
	int drained = 0;
	struct world w;

	live_init(&w);
	sim_broker_set_latency(w.broker, 30000);
	world_bid(&w, 1, BID);
	pricing_drain(w.pricing, on_drained, &drained);
	loop_sim_advance(w.loop, 20);
	cr_expect(eq(int, drained, 0));
	world_bid(&w, 2, HIGHER_BID);
	loop_sim_advance(w.loop, 1000);
	cr_expect(eq(int, drained, 1));
	expect_revision(&w, "0.2", OVER_BID);
	done(&w);
}

Test(live_offers, everything_may_be_dropped_at_any_moment)
{
	for (int64_t us = 0; us < 40000; us += 1500) {
		struct world w;

		live_init(&w);
		sim_store_set_latency(w.store, 4000);
		sim_broker_set_latency(w.broker, 9000);
		world_bid(&w, 1, BID);
		world_interest(&w, "i-2", USER);
		loop_sim_advance_us(w.loop, us);
		world_bid(&w, 2, HIGHER_BID);
		if (us / 1500 % 2)
			usurp(&w, shard_of(USER));
		loop_sim_advance_us(w.loop, us);
		world_fini(&w);
	}
}
