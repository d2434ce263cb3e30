#include "tests/unit/wallet-bridge/world.h"

#include <errno.h>

static struct world w;

static void setup(void)
{
	world_init(&w);
}

static void teardown(void)
{
	world_fini(&w);
}

TestSuite(wallet_role, .init = setup, .fini = teardown);

/* One item with @supply units, the role running, an executor speaking. */
static void open_shop(int64_t supply)
{
	put_inventory(&w, ITEM, 1, supply, 0);
	world_start(&w);
	put_executor(&w, part_of(ITEM));
}

/* ---- deciding ---- */

Test(wallet_role, an_order_is_accepted_and_reserved_and_takes_a_unit)
{
	open_shop(2);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);

	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED");
	cr_expect(eq(i64, free_units(&w, ITEM), 1));
	cr_expect(eq(int, distinct_requests(&w, "o1", ITEM), 1));
	cr_expect(eq(i64, committed(&w, part_of(ITEM), NULL), 1));
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_orders_total", "accepted"), 1));
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_results_total", "RESERVED"), 1));
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_orders_open", NULL), 1));
}

Test(wallet_role, a_result_carries_what_a_gateway_needs_to_find_its_session)
{
	const struct bus_record *r;
	struct payment_result result;

	open_shop(1);
	put_order(&w,
		&(struct order_spec){ .id = "o1", .user = "u_1", .item = ITEM, .session = "s_7" });
	world_settle(&w);

	r = sim_broker_record(w.broker, TOPIC_PAYMENT_RESULTS, part_of(ITEM), 1);
	cr_assert(r != NULL);
	cr_assert(zero(int, decode(&payment_result_type, &result, r->value, w.arena, NULL)));
	cr_expect(str_eqz(result.client_id, "c-o1"));
	cr_expect(str_eqz(result.user, "u_1"));
	cr_expect(eq(i64, result.n, 2));
	/* the order record's time */
	cr_expect(eq(i64, result.ts,
		sim_broker_record(w.broker, TOPIC_ORDERS, part_of(ITEM), 0)->ts_ms));
	cr_expect(str_eqz(r->key, ITEM));
	cr_expect(str_eqz(bus_header(r, "x-souk-session"), "s_7"));
	cr_expect(str_eqz(bus_header(r, "kafka_correlationId"), "o1"));
	cr_expect(str_eqz(bus_header(r, "ce_id"), "o1:2"));
	cr_expect(str_eqz(bus_header(r, "ce_type"), "souk.payments.results.v1"));
	cr_expect(bus_header(r, "x-souk-step").p == NULL);
}

Test(wallet_role, a_request_says_what_is_to_be_paid_and_no_user)
{
	static const char signature[] = "0x1234";
	const struct bus_record *r;
	struct payment_request q;

	open_shop(1);
	put_order(&w, &(struct order_spec){ .id = "o1",
			      .user = "u_secret",
			      .item = ITEM,
			      .wallet = WALLET,
			      .signature = signature });
	world_settle(&w);

	/* owner, supply, request */
	r = sim_broker_record(w.broker, TOPIC_PAYMENT_REQUESTS, part_of(ITEM), 2);
	cr_assert(r != NULL);
	cr_assert(zero(int, decode(&payment_request_type, &q, r->value, w.arena, NULL)));
	cr_expect(str_eqz(q.buyer, WALLET));
	cr_expect(str_eqz(q.seller, WALLET));
	cr_expect(str_eqz(q.pay, "{\"mode\":\"now\"}"));
	cr_expect(str_eqz(q.signatures, "{\"buyer\":\"0x1234\"}"));
	cr_expect(str_starts(q.quote, STR("sha256:")));
	cr_expect(eq(i64, q.ts, NOW));
	cr_expect(str_eqz(bus_header(r, "x-souk-epoch"), "0"));
	cr_expect(memmem(r->value.p, r->value.n, "u_secret", 8) == NULL);
}

Test(wallet_role, two_orders_for_the_last_unit_in_one_batch_go_to_the_lower_offset)
{
	open_shop(1);
	ORDER(&w, "o1", "u_1", ITEM);
	ORDER(&w, "o2", "u_2", ITEM);
	ORDER(&w, "o3", "u_3", ITEM);
	world_settle(&w);

	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED");
	EXPECT_STATES(&w, "o2", ITEM, "REJECTED:SOLD_OUT");
	EXPECT_STATES(&w, "o3", ITEM, "REJECTED:SOLD_OUT");
	cr_expect(eq(int, distinct_requests(&w, "o2", ITEM), 0));
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_refusals_total", "SOLD_OUT"), 2));
}

Test(wallet_role, each_refusal_is_told_with_its_reason)
{
	const struct order_spec specs[] = {
		{ .id = "bad", .user = "u", .item = ITEM, .quote = "{\"v\":1}" },
		{ .id = "late", .user = "u", .item = ITEM, .expires = NOW - 1 },
		{ .id = "pay", .user = "u", .item = ITEM, .pay = "{\"mode\":\"instalments\"}" },
		{ .id = "sig",
			.user = "u",
			.item = ITEM,
			.signature = "a\"b",
			.price_milli = 1100 },
		{ .id = "low", .user = "u", .item = ITEM, .price_milli = 1019 },
	};
	static const char *const states[] = { "REJECTED:BAD_QUOTE", "REJECTED:QUOTE_EXPIRED",
		"REJECTED:UNSUPPORTED", "REJECTED:BAD_SIGNATURE", "REJECTED:OFFER_CHANGED" };

	open_shop(5);
	put_bid(&w, ITEM, 1, 1000); /* floor 1030, with slack 1019.7 */
	world_settle(&w);
	for (size_t i = 0; i < ARRAY_LEN(specs); i++)
		put_order(&w, &specs[i]);
	put_order(&w, &(struct order_spec){
			      .id = "just", .user = "u", .item = ITEM, .price_milli = 1020 });
	world_settle(&w);

	for (size_t i = 0; i < ARRAY_LEN(specs); i++)
		EXPECT_STATES(&w, specs[i].id, ITEM, (char *)states[i]);
	EXPECT_STATES(&w, "just", ITEM, "ACCEPTED RESERVED");
	cr_expect(eq(i64, free_units(&w, ITEM), 4));
}

Test(wallet_role, a_wallet_that_is_none_is_said_to_be_so)
{
	CLEANUP(buf_fini) struct buf value = BUF_INIT(16384);
	CLEANUP(buf_fini) struct buf bad = BUF_INIT(16384);
	struct str s;
	const char *at;

	open_shop(1);
	s = write_order(&w, &value,
		&(struct order_spec){ .id = "o1", .user = "u", .item = ITEM, .wallet = WALLET });
	at = memmem(s.p, s.n, "\"wallet\":\"0x", 12);
	cr_assert(at != NULL);
	buf_put(&bad, s.p, (size_t)(at - s.p));
	buf_puts(&bad, STR("\"wallet\":\"1x"));
	buf_put(&bad, at + 12, s.n - (size_t)(at - s.p) - 12);
	put(&w, TOPIC_ORDERS, BUS_BY_KEY, STR(ITEM), buf_str(&bad), NULL, 0);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "REJECTED:WRONG_WALLET");
}

Test(wallet_role, an_unknown_item_is_sold_out)
{
	open_shop(1);
	ORDER(&w, "o1", "u_1", OTHER);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", OTHER, "REJECTED:SOLD_OUT");
}

Test(wallet_role, a_pause_refuses_and_its_end_accepts)
{
	open_shop(3);
	put_pause(&w, "pause/cool-cats", true);
	world_settle(&w);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	put_pause(&w, "pause/cool-cats", false);
	put_pause(&w, "pause/all", true);
	world_settle(&w);
	ORDER(&w, "o2", "u_1", ITEM);
	world_settle(&w);
	put_pause(&w, "pause/all", false);
	world_settle(&w);
	ORDER(&w, "o3", "u_1", ITEM);
	world_settle(&w);

	EXPECT_STATES(&w, "o1", ITEM, "REJECTED:PAUSED");
	EXPECT_STATES(&w, "o2", ITEM, "REJECTED:PAUSED");
	EXPECT_STATES(&w, "o3", ITEM, "ACCEPTED RESERVED");
}

Test(wallet_role, a_pause_of_before_the_start_counts_for_the_first_order)
{
	put_inventory(&w, ITEM, 1, 1, 0);
	put_pause(&w, "pause/all", true);
	ORDER(&w, "o1", "u_1", ITEM);
	world_start(&w);
	EXPECT_STATES(&w, "o1", ITEM, "REJECTED:PAUSED");
}

Test(wallet_role, a_buyer_with_enough_open_orders_is_refused_until_one_is_over)
{
	w.config.open_per_user = 1;
	open_shop(5);
	ORDER(&w, "o1", "u_1", ITEM);
	ORDER(&w, "o2", "u_1", ITEM);
	ORDER(&w, "o3", "u_2", ITEM);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED");
	EXPECT_STATES(&w, "o2", ITEM, "REJECTED:LIMIT");
	EXPECT_STATES(&w, "o3", ITEM, "ACCEPTED RESERVED");

	outcome(&w, "o1", ITEM, 1, ORDER_FINAL);
	world_settle(&w);
	ORDER(&w, "o4", "u_1", ITEM);
	world_settle(&w);
	EXPECT_STATES(&w, "o4", ITEM, "ACCEPTED RESERVED");
}

/* ---- repeats and conflicts ---- */

Test(wallet_role, a_repeat_gets_the_last_result_again_byte_for_byte)
{
	const struct bus_record *second, *again;
	int32_t p = part_of(ITEM);

	open_shop(2);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);

	cr_assert(eq(i64, high(&w, TOPIC_PAYMENT_RESULTS, p), 3));
	second = sim_broker_record(w.broker, TOPIC_PAYMENT_RESULTS, p, 1);
	again = sim_broker_record(w.broker, TOPIC_PAYMENT_RESULTS, p, 2);
	cr_expect(str_eq(second->value, again->value));
	cr_expect(eq(i64, free_units(&w, ITEM), 1));
	cr_expect(eq(i64, high(&w, TOPIC_PAYMENT_REQUESTS, p), 3));
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_orders_total", "repeat"), 1));
	cr_expect(eq(i64, committed(&w, p, NULL), 2));
}

Test(wallet_role, a_repeat_in_the_same_batch_is_decided_once)
{
	open_shop(2);
	ORDER(&w, "o1", "u_1", ITEM);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED");
	cr_expect(eq(i64, free_units(&w, ITEM), 1));
	cr_expect(eq(i64, committed(&w, part_of(ITEM), NULL), 2));
}

Test(wallet_role, another_body_under_the_same_id_is_a_conflict_and_the_first_goes_on)
{
	const struct bus_record *r;
	struct payment_result result;
	int32_t p = part_of(ITEM);

	open_shop(2);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	put_order(&w, &(struct order_spec){ .id = "o1",
			      .user = "u_1",
			      .item = ITEM,
			      .price_milli = 900,
			      .session = "s_2" });
	world_settle(&w);

	r = sim_broker_record(w.broker, TOPIC_PAYMENT_RESULTS, p, 2);
	cr_assert(r != NULL);
	cr_assert(zero(int, decode(&payment_result_type, &result, r->value, w.arena, NULL)));
	cr_expect(eq(i64, result.n, 0));
	cr_expect(eq(int, result.state, ORDER_REJECTED));
	cr_expect(str_eqz(result.reason, "CONFLICT"));
	cr_expect(str_eqz(bus_header(r, "x-souk-session"), "s_2"));
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED");
	outcome(&w, "o1", ITEM, 1, ORDER_SENT);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED SENT");
}

Test(wallet_role, repeat_and_conflict_are_known_after_a_restart)
{
	open_shop(2);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	proc_kill(&w, 0);
	world_start(&w);
	ORDER(&w, "o1", "u_1", ITEM);
	put_order(&w, &(struct order_spec){
			      .id = "o1", .user = "u_1", .item = ITEM, .price_milli = 900 });
	world_settle(&w);

	cr_expect(eq(i64, count(&w, 0, "souk_wallet_orders_total", "repeat"), 1));
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_orders_total", "conflict"), 1));
	cr_expect(eq(i64, free_units(&w, ITEM), 1));
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED");
}

/* ---- bad records ---- */

Test(wallet_role, a_record_that_cannot_be_answered_is_a_dead_letter_untouched)
{
	static const struct bus_header mine = { { "x-mine", 6 }, { "1", 1 } };
	const struct bus_record *r;
	int32_t p = part_of(ITEM);

	open_shop(1);
	put(&w, TOPIC_ORDERS, p, STR(ITEM), STR("{\"id\":\"o1\"}"), &mine, 1);
	put(&w, TOPIC_ORDERS, p, STR(ITEM), STR_NONE, NULL, 0);
	put(&w, TOPIC_ORDERS, p, STR(ITEM), STR("no json"), NULL, 0);
	ORDER(&w, "o2", "u_1", ITEM);
	world_settle(&w);

	cr_assert(eq(i64, high(&w, TOPIC_ORDERS TOPIC_DLQ_SUFFIX, p), 3));
	r = sim_broker_record(w.broker, TOPIC_ORDERS TOPIC_DLQ_SUFFIX, p, 0);
	cr_expect(str_eqz(r->value, "{\"id\":\"o1\"}"));
	cr_expect(str_eqz(r->key, ITEM));
	cr_expect(str_eqz(bus_header(r, "x-mine"), "1"));
	cr_expect(str_eqz(bus_header(r, "x-souk-reason"), "BAD_ORDER"));
	cr_expect(str_eqz(bus_header(r, "__connect.errors.offset"), "0"));
	cr_expect(eq(i64, committed(&w, p, NULL), 4));
	EXPECT_STATES(&w, "o2", ITEM, "ACCEPTED RESERVED");
}

Test(wallet_role, a_dead_letter_that_fails_is_sent_again)
{
	int32_t p = part_of(ITEM);

	open_shop(1);
	sim_broker_fail_sends(w.broker, TOPIC_ORDERS TOPIC_DLQ_SUFFIX, 2, -ETIMEDOUT);
	put(&w, TOPIC_ORDERS, p, STR(ITEM), STR("no json"), NULL, 0);
	world_settle(&w);
	cr_expect(eq(i64, high(&w, TOPIC_ORDERS TOPIC_DLQ_SUFFIX, p), 1));
	cr_expect(eq(i64, committed(&w, p, NULL), 1));
}

/* ---- the ledger ---- */

Test(wallet_role, outcomes_become_results_with_what_the_executor_said)
{
	const struct bus_record *r;
	struct payment_result result;

	open_shop(1);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	outcome(&w, "o1", ITEM, 1, ORDER_SENT);
	outcome(&w, "o1", ITEM, 2, ORDER_MINED);
	outcome(&w, "o1", ITEM, 3, ORDER_CONFIRMED);
	outcome(&w, "o1", ITEM, 4, ORDER_FINAL);
	world_settle(&w);

	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED SENT MINED CONFIRMED FINAL");
	r = sim_broker_record(w.broker, TOPIC_PAYMENT_RESULTS, part_of(ITEM), 3);
	cr_assert(zero(int, decode(&payment_result_type, &result, r->value, w.arena, NULL)));
	cr_expect(eq(int, result.dry_run, TRI_TRUE));
	cr_expect(str_eqz(result.tx, "0xabc"));
	cr_expect(eq(i64, result.block, 7));
	cr_expect(eq(i64, result.ts, NOW + 2));
	cr_expect(str_eqz(bus_header(r, "x-souk-step"), "2"));
	cr_expect(eq(i64, free_units(&w, ITEM), 0));
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_orders_open", NULL), 0));
}

Test(wallet_role, a_reorg_goes_back_and_repeats_change_nothing)
{
	open_shop(1);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	outcome(&w, "o1", ITEM, 1, ORDER_SENT);
	outcome(&w, "o1", ITEM, 2, ORDER_MINED);
	outcome(&w, "o1", ITEM, 2, ORDER_MINED);
	outcome(&w, "o1", ITEM, 1, ORDER_SENT); /* said again: no reorg */
	outcome(&w, "o1", ITEM, 3, ORDER_SENT); /* a reorg */
	outcome(&w, "o1", ITEM, 4, ORDER_MINED);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED SENT MINED SENT MINED");
}

Test(wallet_role, a_restart_in_a_reorg_tells_no_step_twice)
{
	open_shop(1);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	outcome(&w, "o1", ITEM, 1, ORDER_SENT);
	outcome(&w, "o1", ITEM, 2, ORDER_MINED);
	outcome(&w, "o1", ITEM, 3, ORDER_SENT);
	outcome(&w, "o1", ITEM, 4, ORDER_MINED);
	loop_sim_settle(w.loop); /* told, but the ledger's place is not committed */
	cr_assert(eq(
		str, (char *)states_of(&w, "o1", ITEM), "ACCEPTED RESERVED SENT MINED SENT MINED"));
	proc_kill(&w, 0);
	world_start(&w);
	cr_expect(eq(i64, high(&w, TOPIC_PAYMENT_RESULTS, part_of(ITEM)), 6));
	outcome(&w, "o1", ITEM, 5, ORDER_FINAL);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED SENT MINED SENT MINED FINAL");
}

Test(wallet_role, outcomes_of_a_replaced_executor_are_void)
{
	int32_t p = part_of(ITEM);
	int64_t old;

	open_shop(1);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	old = w.executor_epoch[p];
	put_executor(&w, p);
	put_outcome(&w, p, old, "o1", ITEM, 1, ORDER_REVERTED);
	outcome(&w, "o1", ITEM, 1, ORDER_SENT);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED SENT");
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_outcomes_total", "void"), 1));
}

Test(wallet_role, a_void_outcome_behind_the_committed_place_stays_void_after_a_restart)
{
	int32_t p = part_of(ITEM);
	int64_t old;

	open_shop(1);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	old = w.executor_epoch[p];
	put_executor(&w, p);
	world_settle(&w);
	loop_sim_advance(w.loop, 2000); /* the place behind the owner record is committed */
	proc_kill(&w, 0);
	put_outcome(&w, p, old, "o1", ITEM, 1, ORDER_REVERTED);
	world_start(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED");
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_outcomes_total", "void"), 1));
}

Test(wallet_role, an_expiry_releases_first_and_the_next_order_gets_the_unit)
{
	const struct bus_record *r;
	struct release_record release;
	int32_t p = part_of(ITEM);

	open_shop(1);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	outcome(&w, "o1", ITEM, 1, ORDER_EXPIRED);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED EXPIRED");
	r = sim_broker_record(
		w.broker, TOPIC_PAYMENT_REQUESTS, p, high(&w, TOPIC_PAYMENT_REQUESTS, p) - 1);
	cr_assert(zero(int, decode(&release_record_type, &release, r->value, w.arena, NULL)));
	cr_expect(str_eqz(release.order, "o1"));
	cr_expect(str_eqz(release.reason, "EXPIRED"));
	cr_expect(eq(i64, free_units(&w, ITEM), 1));

	ORDER(&w, "o2", "u_2", ITEM);
	ORDER(&w, "o3", "u_3", ITEM);
	world_settle(&w);
	EXPECT_STATES(&w, "o2", ITEM, "ACCEPTED RESERVED");
	EXPECT_STATES(&w, "o3", ITEM, "REJECTED:SOLD_OUT");
}

Test(wallet_role, a_result_that_frees_a_unit_waits_for_the_release_in_the_log)
{
	open_shop(1);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	sim_broker_set_latency(w.broker, 10000);
	outcome(&w, "o1", ITEM, 1, ORDER_SENT);
	outcome(&w, "o1", ITEM, 2, ORDER_REVERTED);
	loop_sim_advance(w.loop, 15);
	/* The release is in the log, its report is not here yet. */
	cr_expect(eq(i64, free_units(&w, ITEM), 1));
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED SENT");
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED SENT REVERTED:DRY_RUN");
}

Test(wallet_role, what_is_told_of_the_ledger_is_committed_with_the_orders)
{
	struct str metadata;

	open_shop(1);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	outcome(&w, "o1", ITEM, 1, ORDER_SENT);
	world_settle(&w);
	world_settle(&w);
	cr_expect(eq(i64, committed(&w, part_of(ITEM), &metadata), 1));
	cr_expect(str_eqz(metadata, "1 0:2/0"), STR_FMT, STR_ARG(metadata));
}

Test(wallet_role, an_outcome_of_an_unknown_order_is_counted_and_passed_over)
{
	open_shop(1);
	outcome(&w, "nobody", ITEM, 1, ORDER_SENT);
	world_settle(&w);
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_outcomes_total", "unknown"), 1));
}

Test(wallet_role, an_outcome_that_cannot_be_changes_nothing)
{
	open_shop(1);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	outcome(&w, "o1", ITEM, 1, ORDER_FINAL);
	outcome(&w, "o1", ITEM, 2, ORDER_REVERTED);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED FINAL");
	cr_expect(eq(i64, free_units(&w, ITEM), 0));
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_outcomes_total", "never"), 1));
}

/* ---- supply ---- */

Test(wallet_role, each_inventory_version_is_taken_over_as_supply)
{
	open_shop(1);
	ORDER(&w, "o1", "u_1", ITEM);
	ORDER(&w, "o2", "u_2", ITEM);
	world_settle(&w);
	put_inventory(&w, ITEM, 2, 2, 0);
	world_settle(&w);
	ORDER(&w, "o3", "u_3", ITEM);
	world_settle(&w);
	EXPECT_STATES(&w, "o2", ITEM, "REJECTED:SOLD_OUT");
	EXPECT_STATES(&w, "o3", ITEM, "ACCEPTED RESERVED");

	put_inventory(&w, ITEM, 1, 9, 0); /* an old one comes late */
	world_settle(&w);
	ORDER(&w, "o4", "u_4", ITEM);
	world_settle(&w);
	EXPECT_STATES(&w, "o4", ITEM, "REJECTED:SOLD_OUT");
}

Test(wallet_role, a_deleted_item_has_no_supply_any_more)
{
	struct bus_header ver = { STR("x-souk-ver"), STR("5") };

	open_shop(3);
	put(&w, TOPIC_INVENTORY, BUS_BY_KEY, STR(ITEM), STR_NONE, NULL, 0);
	world_settle(&w);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "REJECTED:SOLD_OUT");
	cr_expect(eq(i64, free_units(&w, ITEM), 0));

	put_inventory(&w, ITEM, 4, 3, 0);
	world_settle(&w);
	cr_expect(eq(i64, free_units(&w, ITEM), 3));
	put(&w, TOPIC_INVENTORY, BUS_BY_KEY, STR(ITEM), STR_NONE, &ver, 1);
	world_settle(&w);
	cr_expect(eq(i64, free_units(&w, ITEM), 0));
	put_inventory(&w, ITEM, 5, 3, 0);
	world_settle(&w);
	cr_expect(eq(i64, free_units(&w, ITEM), 0));
}

Test(wallet_role, a_restart_writes_no_supply_that_the_log_has)
{
	int32_t p = part_of(ITEM);

	open_shop(3);
	proc_kill(&w, 0);
	world_start(&w);
	cr_expect(eq(i64, high(&w, TOPIC_PAYMENT_REQUESTS, p), 3)); /* owner, supply, owner */
	proc_kill(&w, 0);
	put_inventory(&w, ITEM, 2, 4, 0);
	world_start(&w);
	cr_expect(eq(i64, high(&w, TOPIC_PAYMENT_REQUESTS, p), 5)); /* owner, supply */
	cr_expect(eq(i64, free_units(&w, ITEM), 4));
}

Test(wallet_role, many_supplies_are_not_all_on_their_way_at_once)
{
	char item[160];

	sim_broker_set_latency(w.broker, 1000);
	for (int i = 0; i < 900; i++) {
		snprintf(item, sizeof(item), "eip155:1/erc721:" WALLET "/%d", i);
		put_inventory(&w, item, 1, 1, 0);
	}
	world_start(&w);
	for (int i = 0; i < 20; i++)
		world_settle(&w);
	cr_expect(eq(i64, high(&w, TOPIC_PAYMENT_REQUESTS, 0) + high(&w, TOPIC_PAYMENT_REQUESTS, 1),
		902));
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_items", NULL), 900));
}

Test(wallet_role, items_beyond_the_maximum_are_counted_and_sold_out)
{
	char item[160];

	w.config.items_max = 16;
	for (int i = 0; i < 100; i++) {
		snprintf(item, sizeof(item), "eip155:1/erc721:" WALLET "/%d", i);
		put_inventory(&w, item, 1, 1, 0);
	}
	world_start(&w);
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_items", NULL), 32));
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_items_refused_total", NULL), 68));
}

/* ---- stock.v1 ---- */

Test(wallet_role, a_snapshot_is_written_a_while_after_a_change_and_is_enough_to_restore)
{
	int32_t p = part_of(ITEM);
	const struct bus_record *r;
	struct stock stock;
	int64_t n;

	open_shop(3);
	ORDER(&w, "o1", "u_1", ITEM);
	ORDER(&w, "o2", "u_2", ITEM);
	world_settle(&w);
	cr_expect(eq(i64, high(&w, TOPIC_STOCK, p), 0));
	loop_sim_advance(w.loop, 6000);
	n = high(&w, TOPIC_STOCK, p);
	cr_assert(eq(i64, n, 1));
	r = sim_broker_record(w.broker, TOPIC_STOCK, p, 0);
	cr_assert(zero(int, decode(&stock_type, &stock, r->value, w.arena, NULL)));
	cr_expect(eq(i64, stock.supply, 3));
	cr_expect(eq(i64, stock.taken, 2));
	cr_expect(eq(i64, stock.through, high(&w, TOPIC_PAYMENT_REQUESTS, p)));
	cr_expect(str_eqz(r->key, ITEM));

	/* Retention takes all that there was. */
	proc_kill(&w, 0);
	sim_broker_truncate(
		w.broker, TOPIC_PAYMENT_REQUESTS, p, high(&w, TOPIC_PAYMENT_REQUESTS, p));
	world_start(&w);
	ORDER(&w, "o3", "u_3", ITEM);
	ORDER(&w, "o4", "u_4", ITEM);
	world_settle(&w);
	EXPECT_STATES(&w, "o3", ITEM, "ACCEPTED RESERVED");
	EXPECT_STATES(&w, "o4", ITEM, "REJECTED:SOLD_OUT");
}

static void is_done(void *ctx)
{
	*(bool *)ctx = true;
}

Test(wallet_role, a_drain_tells_commits_and_writes_its_snapshots)
{
	int32_t p = part_of(ITEM);
	bool done = false;

	open_shop(3);
	ORDER(&w, "o1", "u_1", ITEM);
	loop_sim_settle(w.loop);
	wallet_bridge_drain(w.proc[0].bridge, is_done, &done);
	cr_expect(not(done));
	ORDER(&w, "o2", "u_2", ITEM);
	world_settle(&w);
	cr_expect(done);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED");
	EXPECT_STATES(&w, "o2", ITEM, "");
	cr_expect(eq(i64, committed(&w, p, NULL), 1));
	cr_expect(eq(i64, high(&w, TOPIC_STOCK, p), 1));
}

Test(wallet_role, a_drain_ends_though_the_ledger_goes_on_and_what_it_says_is_told_by_the_next)
{
	bool done = false;
	char id[16];

	open_shop(1000);
	for (int i = 0; i < 400; i++) {
		snprintf(id, sizeof(id), "o%d", i);
		ORDER(&w, id, "u_1", ITEM);
	}
	world_settle(&w);
	sim_broker_set_latency(w.broker, 5000);
	for (int i = 0; i < 400; i++) {
		if (i == 10)
			wallet_bridge_drain(w.proc[0].bridge, is_done, &done);
		snprintf(id, sizeof(id), "o%d", i);
		outcome(&w, id, ITEM, 1, ORDER_FINAL);
		loop_sim_advance(w.loop, 1);
	}
	cr_expect(done);
	sim_broker_set_latency(w.broker, 0);
	proc_kill(&w, 0);
	world_start(&w);
	for (int i = 0; i < 400; i++) {
		snprintf(id, sizeof(id), "o%d", i);
		EXPECT_STATES(&w, id, ITEM, "ACCEPTED RESERVED FINAL");
	}
}

/* ---- bounds ---- */

Test(wallet_role, the_oldest_finished_order_makes_room_and_open_ones_hold_the_reading)
{
	char id[16];

	w.config.orders_max = 16;
	w.config.in_flight_max = 4;
	open_shop(100);
	for (int i = 0; i < 24; i++) {
		snprintf(id, sizeof(id), "o%d", i);
		ORDER(&w, id, "u_1", ITEM);
		world_settle(&w);
	}
	/* Sixteen are open: the next is not even read. */
	EXPECT_STATES(&w, "o15", ITEM, "ACCEPTED RESERVED");
	EXPECT_STATES(&w, "o20", ITEM, "");
	cr_expect(gt(i64, count(&w, 0, "souk_wallet_holds_total", NULL), 0));
	for (int i = 0; i < 10; i++) {
		snprintf(id, sizeof(id), "o%d", i);
		outcome(&w, id, ITEM, 1, ORDER_FINAL);
	}
	world_settle(&w);
	world_settle(&w);
	EXPECT_STATES(&w, "o23", ITEM, "ACCEPTED RESERVED");
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_orders_forgotten_total", NULL), 8));
	cr_expect(eq(i64, free_units(&w, ITEM), 76));
}

Test(wallet_role, in_flight_is_bounded_and_everything_is_told_in_the_end)
{
	char id[16];

	w.config.in_flight_max = 8;
	open_shop(1000);
	sim_broker_set_latency(w.broker, 1000);
	for (int i = 0; i < 200; i++) {
		snprintf(id, sizeof(id), "o%d", i);
		ORDER(&w, id, "u_1", ITEM);
	}
	for (int i = 0; i < 20; i++)
		world_settle(&w);
	for (int i = 0; i < 200; i++) {
		snprintf(id, sizeof(id), "o%d", i);
		EXPECT_STATES(&w, id, ITEM, "ACCEPTED RESERVED");
	}
	cr_expect(eq(i64, committed(&w, part_of(ITEM), NULL), 200));
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_orders_in_flight", NULL), 0));
}

Test(wallet_role, outcomes_beyond_the_maximum_are_read_again)
{
	char id[16];

	w.config.orders_max = 20000;
	open_shop(20000);
	for (int i = 0; i < 9000; i++) {
		snprintf(id, sizeof(id), "o%d", i);
		ORDER(&w, id, "u_1", ITEM);
	}
	world_settle(&w);
	sim_bus_set_queue_max(w.proc[0].bus, 0); /* nothing can be told */
	for (int i = 0; i < 9000; i++) {
		snprintf(id, sizeof(id), "o%d", i);
		outcome(&w, id, ITEM, 1, ORDER_FINAL);
	}
	world_settle(&w);
	cr_expect(gt(i64, count(&w, 0, "souk_wallet_outcomes_total", "postponed"), 0));
	sim_bus_set_queue_max(w.proc[0].bus, 100000);
	world_settle(&w);
	world_settle(&w);
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_results_total", "FINAL"), 9000));
}

Test(wallet_role, a_full_bus_holds_and_loses_nothing)
{
	open_shop(5);
	sim_bus_set_queue_max(w.proc[0].bus, 0);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "");
	sim_bus_set_queue_max(w.proc[0].bus, 1);
	ORDER(&w, "o2", "u_1", ITEM);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED");
	EXPECT_STATES(&w, "o2", ITEM, "ACCEPTED RESERVED");
}

/* ---- deliveries that fail ---- */

Test(wallet_role, a_request_whose_delivery_failed_is_decided_anew_under_a_new_epoch)
{
	open_shop(1);
	sim_broker_fail_sends(w.broker, TOPIC_PAYMENT_REQUESTS, 1, -ETIMEDOUT);
	ORDER(&w, "o1", "u_1", ITEM);
	ORDER(&w, "o2", "u_2", ITEM);
	world_settle(&w);
	world_settle(&w);
	/* The second's request was in the log and binds. */
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_failures_total", NULL), 1));
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED");
	EXPECT_STATES(&w, "o2", ITEM, "REJECTED:SOLD_OUT");
	cr_expect(eq(i64, free_units(&w, ITEM), 0));
}

Test(wallet_role, an_answer_that_was_lost_with_the_broker_is_found_in_the_log)
{
	open_shop(1);
	sim_broker_set_latency(w.broker, 50000);
	ORDER(&w, "o1", "u_1", ITEM);
	loop_sim_advance(w.loop, 60);
	cr_assert(eq(i64, free_units(&w, ITEM), 0)); /* in the log, not reported */
	sim_broker_set_down(w.broker, true);
	loop_sim_advance(w.loop, 40000);
	sim_broker_set_down(w.broker, false);
	for (int i = 0; i < 10; i++)
		world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED");
	cr_expect(eq(int, distinct_requests(&w, "o1", ITEM), 1));
	cr_expect(eq(i64, free_units(&w, ITEM), 0));
}

Test(wallet_role, results_that_fail_are_sent_again)
{
	open_shop(1);
	sim_broker_fail_sends(w.broker, TOPIC_PAYMENT_RESULTS, 2, -ETIMEDOUT);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED");
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_resent_total", NULL), 2));
	cr_expect(eq(i64, committed(&w, part_of(ITEM), NULL), 1));
}

/* ---- restarts ---- */

/* Two orders for one unit, a third for another item, an expiry and a late order: killed @kill_us
 * after the first of it was sent. */
static void run_and_kill(int64_t kill_us)
{
	world_init(&w);
	put_inventory(&w, ITEM, 1, 1, 0);
	put_inventory(&w, OTHER, 1, 1, 0);
	world_start(&w);
	put_executor(&w, part_of(ITEM));
	if (part_of(OTHER) != part_of(ITEM))
		put_executor(&w, part_of(OTHER));
	sim_broker_set_latency(w.broker, 1000);
	ORDER(&w, "o1", "u_1", ITEM);
	ORDER(&w, "o2", "u_2", ITEM);
	ORDER(&w, "o3", "u_3", OTHER);
	loop_sim_advance_us(w.loop, 4000);
	outcome(&w, "o1", ITEM, 1, ORDER_SENT);
	outcome(&w, "o1", ITEM, 2, ORDER_REVERTED);
	loop_sim_advance_us(w.loop, kill_us);
	proc_kill(&w, 0);
	world_start(&w);
	world_settle(&w);
	ORDER(&w, "o4", "u_4", ITEM);
	world_settle(&w);

	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED SENT REVERTED:DRY_RUN");
	EXPECT_STATES(&w, "o2", ITEM, "REJECTED:SOLD_OUT");
	EXPECT_STATES(&w, "o3", OTHER, "ACCEPTED RESERVED");
	EXPECT_STATES(&w, "o4", ITEM, "ACCEPTED RESERVED");
	for (int i = 1; i <= 4; i++) {
		char id[8];
		const char *item = i == 3 ? OTHER : ITEM;

		snprintf(id, sizeof(id), "o%d", i);
		cr_expect(eq(int, distinct_requests(&w, id, item), i == 2 ? 0 : 1));
	}
	cr_expect(eq(i64, free_units(&w, ITEM), 0));
	world_fini(&w);
}

Test(wallet_role, a_crash_at_any_moment_changes_no_result)
{
	world_fini(&w);
	for (int64_t us = 0; us <= 16000; us += 250)
		run_and_kill(us);
	world_init(&w);
}

/* The same with orders that arrive while nobody is there, killed while it restores. */
Test(wallet_role, a_crash_while_restoring_changes_no_result)
{
	world_fini(&w);
	for (int64_t us = 0; us <= 20000; us += 500) {
		world_init(&w);
		put_inventory(&w, ITEM, 1, 1, 0);
		world_start(&w);
		put_executor(&w, part_of(ITEM));
		ORDER(&w, "o1", "u_1", ITEM);
		world_settle(&w);
		proc_kill(&w, 0);
		outcome(&w, "o1", ITEM, 1, ORDER_EXPIRED);
		ORDER(&w, "o2", "u_2", ITEM);
		ORDER(&w, "o1", "u_1", ITEM);
		sim_broker_set_latency(w.broker, 1000);
		proc_start(&w, 0, NULL);
		loop_sim_advance_us(w.loop, us);
		proc_kill(&w, 0);
		world_start(&w);
		world_settle(&w);
		EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED EXPIRED");
		/* o2 stood before or behind the release; either way it has one answer. */
		cr_expect(ne(str, (char *)states_of(&w, "o2", ITEM), ""));
		cr_expect(le(int, distinct_requests(&w, "o2", ITEM), 1));
		world_fini(&w);
	}
	world_init(&w);
}

/* ---- others ---- */

Test(wallet_role, a_second_instance_takes_over_what_the_first_was_given)
{
	open_shop(2);
	put_inventory(&w, OTHER, 1, 2, 0);
	ORDER(&w, "o1", "u_1", ITEM);
	ORDER(&w, "p1", "u_1", OTHER);
	world_settle(&w);
	proc_start(&w, 1, NULL);
	world_settle(&w);
	ORDER(&w, "o2", "u_2", ITEM);
	ORDER(&w, "p2", "u_2", OTHER);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED");
	EXPECT_STATES(&w, "o2", ITEM, "ACCEPTED RESERVED");
	EXPECT_STATES(&w, "p2", OTHER, "ACCEPTED RESERVED");
	cr_expect(eq(i64, free_units(&w, ITEM), 0));
	cr_expect(eq(i64,
		count(&w, 0, "souk_wallet_orders_total", "repeat") +
			count(&w, 1, "souk_wallet_orders_total", "repeat"),
		1));
	proc_kill(&w, 0);
	world_settle(&w);
	outcome(&w, "o1", ITEM, 1, ORDER_SENT);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED SENT");
}

Test(wallet_role, who_was_replaced_unnoticed_can_tell_nothing_that_is_not_so)
{
	int32_t p = part_of(ITEM);

	open_shop(1);
	/* Another group: the first is not told that the partition is gone. */
	proc_start(&w, 1, "another");
	world_settle(&w);
	ORDER(&w, "o1", "u_1", ITEM);
	ORDER(&w, "o2", "u_2", ITEM);
	for (int i = 0; i < 10; i++)
		world_settle(&w);
	/* They take it from each other until one of them has decided both. */
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED");
	EXPECT_STATES(&w, "o2", ITEM, "REJECTED:SOLD_OUT");
	cr_expect(eq(i64, free_units(&w, ITEM), 0));
	cr_expect(eq(int, distinct_requests(&w, "o1", ITEM), 1));
	cr_expect(gt(i64,
		count(&w, 0, "souk_wallet_owner_changes_total", "lost") +
			count(&w, 1, "souk_wallet_owner_changes_total", "lost"),
		0));
	cr_expect(gt(i64, high(&w, TOPIC_PAYMENT_REQUESTS, p), 4));
}

Test(wallet_role, a_lost_partition_is_claimed_and_restored_again)
{
	static const char theirs[] =
		"{\"type\":\"owner\",\"shard\":%d,\"instance\":\"thief\",\"ts\":1}";
	char owner[128];
	int32_t p = part_of(ITEM);

	snprintf(owner, sizeof(owner), theirs, (int)p);
	open_shop(2);
	put(&w, TOPIC_PAYMENT_REQUESTS, p, STR_NONE, str_of(owner), NULL, 0);
	loop_sim_settle(w.loop);
	ORDER(&w, "o1", "u_1", ITEM); /* its request is void */
	loop_sim_settle(w.loop);
	EXPECT_STATES(&w, "o1", ITEM, "");
	world_settle(&w);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED");
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_owner_changes_total", "lost"), 1));
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_owner_changes_total", "acquired"), 3));
	cr_expect(eq(int, distinct_requests(&w, "o1", ITEM), 1));
	cr_expect(eq(i64, free_units(&w, ITEM), 1));
}

Test(wallet_role, the_daily_owner_record_changes_nothing)
{
	open_shop(5);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	loop_sim_advance(w.loop, 86400000);
	world_settle(&w);
	put_order(&w, &(struct order_spec){
			      .id = "o2", .user = "u_1", .item = ITEM, .expires = NOW + 90000000 });
	outcome(&w, "o1", ITEM, 1, ORDER_EXPIRED);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED EXPIRED");
	EXPECT_STATES(&w, "o2", ITEM, "ACCEPTED RESERVED");
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_failures_total", NULL), 0));
	cr_expect(eq(i64, free_units(&w, ITEM), 4));
}

/* ---- starting ---- */

Test(wallet_role, topics_with_other_partition_counts_are_named_and_nothing_is_decided)
{
	CLEANUP(buf_fini) struct buf why = BUF_INIT(4096);

	world_fini(&w);
	world_init_with(&w, PARTS + 1);
	open_shop(1);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	cr_expect(not(wallet_bridge_ready(w.proc[0].bridge, &why)));
	cr_expect(str_eqz(buf_str(&why), "stock.v1: 3 partitions, orders.v1 has 2\n"), "%.*s",
		(int)why.n, why.p);
	cr_expect(eq(i64, high(&w, TOPIC_PAYMENT_REQUESTS, part_of(ITEM)), 0));
	EXPECT_STATES(&w, "o1", ITEM, "");
}

Test(wallet_role, it_is_ready_once_its_stock_is_in_redis)
{
	CLEANUP(buf_fini) struct buf why = BUF_INIT(4096);

	put_inventory(&w, ITEM, 1, 1, 0);
	proc_start(&w, 0, NULL);
	cr_expect(not(wallet_bridge_ready(w.proc[0].bridge, &why)));
	world_settle(&w);
	buf_clear(&why);
	cr_expect(wallet_bridge_ready(w.proc[0].bridge, &why), "%.*s", (int)why.n, why.p);
}

Test(wallet_role, keys_that_are_not_there_are_a_fault)
{
	struct wallet_config config = w.config;
	struct wallet_bridge *b = NULL;
	struct fault f = { 0 };
	struct metrics *m;
	struct bus *bus;
	struct cache *cache;

	cr_assert(zero(int, metrics_new(&m, 256)));
	cr_assert(zero(int, bus_sim_new(&bus, w.broker, "")));
	cr_assert(zero(int, cache_sim_new(&cache, w.store)));
	const struct wallet_bridge_env env = { w.loop, bus, cache, m, "x" };

	config.group = (char *)GROUP;
	config.quote_keys_file = (char *)"/nowhere/keys.json";
	cr_expect(lt(int, wallet_bridge_new(&b, &env, &config, &f), 0));
	cr_expect(ne(str, f.text, ""));
	config.quote_keys_file = NULL;
	cr_expect(eq(int, wallet_bridge_new(&b, &env, &config, &f), -EINVAL));
	bus_free(bus);
	cache_free(cache);
	metrics_free(m);
}

/* ---- what may be lost between two steps ---- */

/* An owner record of ours that was given up as lost, and comes after the one that we go by: all
 * readers go by it. */
Test(wallet_role, an_owner_record_of_ours_that_comes_late_voids_nothing_that_is_told)
{
	int32_t p = part_of(ITEM);
	char value[128];
	int n = snprintf(value, sizeof(value),
		"{\"type\":\"owner\",\"shard\":%d,\"instance\":\"instance-0\",\"ts\":1}", (int)p);

	open_shop(1);
	put(&w, TOPIC_PAYMENT_REQUESTS, p, STR_NONE, (struct str){ value, (size_t)n }, NULL, 0);
	loop_sim_settle(w.loop);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED");
	cr_expect(zero(i64, free_units(&w, ITEM)));
}

/* Nobody knows its buyer; but its unit must come back, whenever we die. */
Test(wallet_role, a_unit_of_a_forgotten_order_is_freed_though_the_release_was_lost)
{
	int32_t p = part_of(ITEM);

	open_shop(1);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	proc_kill(&w, 0);
	/* Retention takes who ordered, and what was told. */
	sim_broker_truncate(w.broker, TOPIC_ORDERS, p, high(&w, TOPIC_ORDERS, p));
	sim_broker_truncate(w.broker, TOPIC_PAYMENT_RESULTS, p, high(&w, TOPIC_PAYMENT_RESULTS, p));
	proc_start(&w, 0, NULL);
	world_settle(&w);
	cr_assert(zero(i64, free_units(&w, ITEM)));

	sim_bus_set_queue_max(w.proc[0].bus, 0); /* the release does not get away */
	outcome(&w, "o1", ITEM, 1, ORDER_EXPIRED);
	world_settle(&w);
	world_settle(&w);
	proc_kill(&w, 0);
	proc_start(&w, 0, NULL);
	world_settle(&w);
	world_settle(&w);
	cr_expect(eq(i64, free_units(&w, ITEM), 1));
	cr_expect(zero(i64, count(&w, 0, "souk_wallet_failures_total", NULL)));
}

Test(wallet_role, a_repeated_outcome_of_a_forgotten_order_releases_once)
{
	int32_t p = part_of(ITEM);
	int64_t before;

	open_shop(1);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	proc_kill(&w, 0);
	sim_broker_truncate(w.broker, TOPIC_ORDERS, p, high(&w, TOPIC_ORDERS, p));
	sim_broker_truncate(w.broker, TOPIC_PAYMENT_RESULTS, p, high(&w, TOPIC_PAYMENT_RESULTS, p));
	proc_start(&w, 0, NULL);
	world_settle(&w);
	before = high(&w, TOPIC_PAYMENT_REQUESTS, p);
	outcome(&w, "o1", ITEM, 1, ORDER_EXPIRED);
	outcome(&w, "o1", ITEM, 1, ORDER_EXPIRED);
	world_settle(&w);
	world_settle(&w);
	cr_expect(eq(i64, high(&w, TOPIC_PAYMENT_REQUESTS, p), before + 1));
	cr_expect(eq(i64, free_units(&w, ITEM), 1));
}

/* Results that were repeated bring no order back that was forgotten for room. */
Test(wallet_role, a_restore_beyond_the_maximum_leaves_no_finished_order_open)
{
	char id[16];

	w.config.orders_max = 8;
	w.config.in_flight_max = 4;
	open_shop(100);
	for (int i = 0; i < 12; i++) {
		snprintf(id, sizeof(id), "o%d", i);
		ORDER(&w, id, "u_1", ITEM);
		world_settle(&w);
		outcome(&w, id, ITEM, 1, ORDER_FINAL);
		world_settle(&w);
		if (i == 6) {
			ORDER(&w, "o0", "u_1", ITEM); /* told again, behind the others */
			world_settle(&w);
		}
	}
	for (int i = 20; i < 30; i++) {
		snprintf(id, sizeof(id), "o%d", i);
		ORDER(&w, id, "u_1", ITEM);
		world_settle(&w);
		outcome(&w, id, ITEM, 1, ORDER_FINAL);
		world_settle(&w);
	}
	cr_expect(zero(i64, count(&w, 0, "souk_wallet_orders_open", NULL)));
	proc_kill(&w, 0);
	w.config.orders_max = 4; /* o0 is over, forgotten, and told of again */
	proc_start(&w, 0, NULL);
	world_settle(&w);
	world_settle(&w);
	cr_expect(zero(i64, count(&w, 0, "souk_wallet_orders_open", NULL)));
}

/* ---- Redis ---- */

#define STOCK_VIEW "stock:{" ITEM "}"
#define FEED       "feed:{stock}:%d"

static const char *feed(const char *field)
{
	char key[64];

	snprintf(key, sizeof(key), FEED, (int)part_of(ITEM));
	return view(&w, key, field);
}

Test(wallet_role, views_follow_the_stock_and_the_order)
{
	open_shop(3);
	cr_expect(eq(str, (char *)view(&w, STOCK_VIEW, "supply"), "3"));
	cr_expect(eq(str, (char *)view(&w, STOCK_VIEW, "taken"), "0"));
	cr_expect(eq(str, (char *)feed("complete"), "1"));
	cr_expect(eq(str, (char *)view(&w, "feed:{stock}", "shards"), "2"));
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	cr_expect(eq(str, (char *)view(&w, STOCK_VIEW, "taken"), "1"));
	cr_expect(eq(str, (char *)view(&w, "order:{o1}", "state"), "RESERVED"));
	cr_expect(eq(str, (char *)view(&w, "order:{o1}", "n"), "2"));
	cr_expect(eq(str, (char *)view(&w, "order:{o1}", "user"), "u_1"));
	cr_expect(eq(str, (char *)view(&w, "order:{o1}", "client_id"), "c-o1"));
	cr_expect(eq(str, (char *)view(&w, "order:{o1}", "item"), ITEM));
	outcome(&w, "o1", ITEM, 1, ORDER_MINED);
	world_settle(&w);
	cr_expect(eq(str, (char *)view(&w, "order:{o1}", "tx"), "0xabc"));
	cr_expect(eq(str, (char *)view(&w, "order:{o1}", "block"), "7"));
	cr_expect(eq(str, (char *)view(&w, "order:{o1}", "dry_run"), "true"));
	outcome(&w, "o1", ITEM, 2, ORDER_REVERTED);
	world_settle(&w);
	cr_expect(eq(str, (char *)view(&w, "order:{o1}", "reason"), "DRY_RUN"));
	cr_expect(eq(str, (char *)view(&w, STOCK_VIEW, "taken"), "0"));
}

Test(wallet_role, a_view_of_an_order_expires_thirty_days_after_its_last_change)
{
	w.config.order_view_ttl_ms = 10000;
	open_shop(3);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	loop_sim_advance(w.loop, 8000);
	cr_expect(eq(str, (char *)view(&w, "order:{o1}", "n"), "2"));
	loop_sim_advance(w.loop, 3000);
	cr_expect(eq(str, (char *)view(&w, "order:{o1}", "n"), ""));
	cr_expect(eq(str, (char *)view(&w, STOCK_VIEW, "supply"), "3"));
}

Test(wallet_role, the_feed_beats_and_says_when_the_broker_was_heard)
{
	char before[32];

	open_shop(3);
	snprintf(before, sizeof(before), "%s", feed("alive_at"));
	cr_expect(ne(str, before, ""));
	loop_sim_advance(w.loop, 6000);
	cr_expect(ne(str, (char *)feed("alive_at"), before));
}

Test(wallet_role, a_flush_is_noticed_and_everything_is_written_again)
{
	open_shop(3);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	sim_store_flush(w.store);
	cr_expect(eq(str, (char *)view(&w, STOCK_VIEW, "taken"), ""));
	loop_sim_advance(w.loop, 6000);
	world_settle(&w);
	cr_expect(eq(str, (char *)view(&w, STOCK_VIEW, "taken"), "1"));
	cr_expect(eq(str, (char *)view(&w, "order:{o1}", "state"), "RESERVED"));
	cr_expect(eq(str, (char *)feed("complete"), "1"));
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_feeds_reopened_total", NULL), 2)); /* shards */
}

Test(wallet_role, redis_away_stops_no_order_and_is_caught_up_with)
{
	CLEANUP(buf_fini) struct buf why = BUF_INIT(4096);

	open_shop(3);
	sim_store_set_down(w.store, true);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED");
	cr_expect(not(wallet_bridge_ready(w.proc[0].bridge, &why)));
	sim_store_set_down(w.store, false);
	for (int i = 0; i < 10; i++)
		world_settle(&w);
	cr_expect(eq(str, (char *)view(&w, STOCK_VIEW, "taken"), "1"));
	cr_expect(eq(str, (char *)view(&w, "order:{o1}", "n"), "2"));
	buf_clear(&why);
	cr_expect(wallet_bridge_ready(w.proc[0].bridge, &why), "%.*s", (int)why.n, why.p);
}

Test(wallet_role, redis_away_at_the_start_stops_no_order)
{
	sim_store_set_down(w.store, true);
	open_shop(3);
	ORDER(&w, "o1", "u_1", ITEM);
	world_settle(&w);
	EXPECT_STATES(&w, "o1", ITEM, "ACCEPTED RESERVED");
	sim_store_set_down(w.store, false);
	for (int i = 0; i < 10; i++)
		world_settle(&w);
	cr_expect(eq(str, (char *)view(&w, STOCK_VIEW, "taken"), "1"));
}

Test(wallet_role, redis_away_does_not_keep_finished_orders_in_memory)
{
	char id[16];

	w.config.orders_max = 16;
	open_shop(1000);
	sim_store_set_down(w.store, true);
	for (int i = 0; i < 40; i++) {
		snprintf(id, sizeof(id), "o%d", i);
		ORDER(&w, id, "u_1", ITEM);
		world_settle(&w);
		outcome(&w, id, ITEM, 1, ORDER_FINAL);
		world_settle(&w);
	}
	EXPECT_STATES(&w, "o39", ITEM, "ACCEPTED RESERVED FINAL");
	cr_expect(eq(i64, count(&w, 0, "souk_wallet_orders_known", NULL), 16));
}

Test(wallet_role, a_new_owner_writes_the_stock_under_its_epoch)
{
	char before[96];

	open_shop(3);
	snprintf(before, sizeof(before), "%s", view(&w, STOCK_VIEW, "ver"));
	proc_kill(&w, 0);
	world_start(&w);
	cr_expect(gt(int, strcmp(view(&w, STOCK_VIEW, "ver"), before), 0));
	cr_expect(eq(str, (char *)view(&w, STOCK_VIEW, "supply"), "3"));
}

/* "No row" means "none there" to whoever reads a complete feed. */
Test(wallet_role, the_feed_is_not_complete_before_the_supplies_are_in_the_log)
{
	bool was_complete = false;

	put_inventory(&w, ITEM, 1, 3, 0);
	loop_sim_settle(w.loop);
	sim_broker_set_latency(w.broker, 200000);
	proc_start(&w, 0, NULL);
	for (int i = 0; i < 1000 && !was_complete; i++) {
		loop_sim_advance(w.loop, 10);
		was_complete = strcmp(feed("complete"), "1") == 0;
	}
	cr_assert(was_complete);
	cr_expect(eq(str, (char *)view(&w, STOCK_VIEW, "supply"), "3"));
}
