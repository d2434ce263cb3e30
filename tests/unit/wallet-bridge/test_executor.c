#include "tests/unit/wallet-bridge/executor_world.h"

#include <errno.h>

static void run(struct world *w, int64_t ms)
{
	loop_sim_advance(w->loop, ms);
}

static void expect_states(struct world *w, const char *order, const int *states, size_t n)
{
	struct life l = world_life(w, order);

	cr_assert(eq(sz, l.n, n), "%s", order);
	for (size_t i = 0; i < n; i++)
		cr_assert(eq(int, l.state[i], states[i]), "%s: step %zu", order, i + 1);
}
#define EXPECT_STATES(w, order, ...) \
	expect_states(w, order, (const int[]){ __VA_ARGS__ }, \
		sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))

/* One order for the only item, an executor that drives it. */
static const char *begin(struct world *w, size_t n_steps)
{
	const char *order = order_of(w, n_steps, 0);

	world_start(w, 0);
	bridge_supply(w, 0, ITEM, 10);
	bridge_request(w, 0, ITEM, order);
	return order;
}

/* ---- lives ---- */

Test(executor, an_accepted_request_is_sent_mined_confirmed_and_final)
{
	const char *order;
	struct world w;
	struct life l;

	world_init(&w);
	order = begin(&w, 4);
	run(&w, LIFE_MS);
	EXPECT_STATES(&w, order, ORDER_SENT, ORDER_MINED, ORDER_CONFIRMED, ORDER_FINAL);
	l = world_life(&w, order);
	for (size_t i = 0; i < l.n; i++) {
		int64_t wait_ms = l.ts[i] - (i ? l.ts[i - 1] : NOW);

		cr_expect(
			wait_ms >= STEP_MS / 2 && wait_ms <= STEP_MS * 3 / 2, "%" PRId64, wait_ms);
	}
	cr_expect(eq(i64, world_count(&w, 0, "souk_executor_outcomes_total", "FINAL"), 1));
	cr_expect(eq(i64, world_count(&w, 0, "souk_executor_outcomes_total", "SENT"), 1));
	cr_expect(zero(i64, world_count(&w, 0, "souk_executor_open", NULL)));
	world_fini(&w);
}

Test(executor, an_outcome_says_shard_epoch_and_that_it_is_a_dry_run)
{
	const struct bus_record *r;
	struct outcome_record o;
	const char *order;
	struct world w;

	world_init(&w);
	world_start(&w, 0);
	order = order_of(&w, 4, 0);
	bridge_supply(&w, 1, ITEM, 1);
	bridge_request(&w, 1, ITEM, order);
	run(&w, LIFE_MS);
	/* Two owner records, for the two partitions; then the steps. */
	r = sim_broker_record(w.broker, TOPIC_LEDGER, ledger_partition(), 3);
	cr_assert(r != NULL);
	cr_assert(zero(int, decode(&outcome_record_type, &o, r->value, w.arena, NULL)));
	cr_expect(eq(int, o.state, ORDER_MINED));
	cr_expect(eq(i64, o.shard, 1));
	cr_expect(eq(i64, o.epoch, 1));
	cr_expect(eq(i64, o.step, 2));
	cr_expect(eq(int, o.dry_run, TRI_TRUE));
	cr_expect(str_eqz(o.item, ITEM));
	cr_expect(str_eqz(o.order, order));
	cr_expect(eq(sz, o.tx.n, 66));
	cr_expect(gt(i64, o.block, 0));
	cr_expect(str_eqz(r->key, "dry-run"));
	cr_expect(str_eqz(bus_header(r, "ce_type"), "souk.payments.ledger.v1"));
	cr_expect(str_eqz(bus_header(r, "ce_source"), "/souk/wallet-bridge/executor-1"));
	cr_expect(str_starts(bus_header(r, "ce_id"), o.order));
	world_fini(&w);
}

Test(executor, a_reorg_goes_back_to_sent_and_on_again)
{
	const char *order;
	struct world w;

	world_init(&w);
	order = begin(&w, 6);
	run(&w, LIFE_MS);
	EXPECT_STATES(&w, order, ORDER_SENT, ORDER_MINED, ORDER_SENT, ORDER_MINED, ORDER_CONFIRMED,
		ORDER_FINAL);
	world_fini(&w);
}

Test(executor, a_failed_payment_is_reverted_and_stays_open_until_its_unit_is_released)
{
	const char *order;
	struct world w;

	world_init(&w);
	w.config.fail_bps = 10000;
	order = begin(&w, 2);
	run(&w, LIFE_MS);
	EXPECT_STATES(&w, order, ORDER_SENT, ORDER_REVERTED);
	cr_expect(eq(str, world_life(&w, order).reason[1], "REVERTED"));
	cr_expect(eq(i64, world_count(&w, 0, "souk_executor_open", NULL), 1));
	bridge_release(&w, 0, ITEM, order);
	run(&w, LIFE_MS);
	cr_expect(zero(i64, world_count(&w, 0, "souk_executor_open", NULL)));
	EXPECT_STATES(&w, order, ORDER_SENT, ORDER_REVERTED);
	world_fini(&w);
}

Test(executor, a_held_payment_is_sent_after_a_while)
{
	const char *order;
	struct world w;
	struct life l;

	world_init(&w);
	w.config.hold_bps = 10000;
	order = begin(&w, 5);
	run(&w, LIFE_MS);
	EXPECT_STATES(&w, order, ORDER_HELD, ORDER_SENT, ORDER_MINED, ORDER_CONFIRMED, ORDER_FINAL);
	l = world_life(&w, order);
	cr_expect(eq(str, l.reason[0], "FUNDS"));
	cr_expect(ge(i64, l.ts[1] - l.ts[0], DRY_RUN_HOLD_STEPS * STEP_MS / 2));
	world_fini(&w);
}

Test(executor, a_payment_held_beyond_its_reservation_expires_on_time)
{
	const char *order;
	struct world w;
	struct life l;

	world_init(&w);
	w.config.hold_bps = 10000;
	w.config.step_ms = 30000; /* held for at least 60 s from 15 s on */
	order = begin(&w, 5);
	run(&w, LIFE_MS);
	EXPECT_STATES(&w, order, ORDER_HELD, ORDER_EXPIRED);
	l = world_life(&w, order);
	cr_expect(eq(i64, l.ts[1], NOW + RESERVED_MS));
	cr_expect(eq(str, l.reason[1], "UNPAID"));
	world_fini(&w);
}

Test(executor, an_order_that_nobody_pays_expires_when_its_reservation_does)
{
	const char *order;
	struct world w;

	world_init(&w);
	w.config.never_bps = 10000;
	order = begin(&w, 1);
	run(&w, RESERVED_MS - 1);
	cr_expect(zero(sz, world_life(&w, order).n));
	run(&w, 1);
	loop_sim_settle(w.loop);
	EXPECT_STATES(&w, order, ORDER_EXPIRED);
	run(&w, LIFE_MS);
	EXPECT_STATES(&w, order, ORDER_EXPIRED);
	world_fini(&w);
}

Test(executor, what_was_not_begun_in_time_is_never_begun)
{
	const char *order;
	struct world w;

	world_init(&w);
	order = order_of(&w, 4, 0);
	bridge_supply(&w, 0, ITEM, 1);
	bridge_request(&w, 0, ITEM, order);
	run(&w, RESERVED_MS);
	world_start(&w, 0);
	run(&w, LIFE_MS);
	EXPECT_STATES(&w, order, ORDER_EXPIRED);
	world_fini(&w);
}

Test(executor, the_next_step_waits_for_the_report_of_the_one_before)
{
	const char *order;
	struct world w;
	size_t n;

	world_init(&w);
	order = begin(&w, 4);
	run(&w, 100);
	sim_broker_set_latency(w.broker, 20000000);
	run(&w, 19000); /* a step is in the log at once, and reported 20 s later */
	n = world_life(&w, order).n;
	cr_expect(eq(sz, n, 1));
	run(&w, LIFE_MS);
	expect_plan(&w, order);
	world_fini(&w);
}

Test(executor, a_hundred_orders_of_two_partitions_all_get_their_plan)
{
	struct world w;
	char id[32];

	world_init(&w);
	w.config.fail_bps = 2000;
	w.config.hold_bps = 1000;
	w.config.never_bps = 1000;
	world_start(&w, 0);
	bridge_supply(&w, 0, ITEM, 100);
	bridge_supply(&w, 1, OTHER, 100);
	for (int i = 0; i < 100; i++) {
		snprintf(id, sizeof(id), "o-%d", i);
		bridge_request(&w, i % 2, i % 2 ? OTHER : ITEM, id);
		run(&w, 50);
	}
	run(&w, LIFE_MS);
	for (int i = 0; i < 100; i++) {
		snprintf(id, sizeof(id), "o-%d", i);
		expect_plan(&w, id);
	}
	world_fini(&w);
}

/* ---- what is not driven ---- */

Test(executor, a_void_request_is_not_driven)
{
	const char *late, *other;
	struct world w;
	int64_t before;

	world_init(&w);
	late = order_of(&w, 4, 0);
	other = order_of(&w, 4, 1);
	world_start(&w, 0);
	bridge_supply(&w, 0, ITEM, 10);
	before = w.epoch[0];
	bridge_owner(&w, 0);
	bridge_request_as(&w, 0, ITEM, late, before);
	bridge_request_as(&w, 0, ITEM, other, -1); /* without an epoch */
	run(&w, LIFE_MS);
	cr_expect(zero(sz, world_life(&w, late).n));
	cr_expect(zero(sz, world_life(&w, other).n));
	cr_expect(eq(i64, world_count(&w, 0, "souk_executor_requests_total", "void"), 2));
	world_fini(&w);
}

Test(executor, a_request_beyond_the_supply_is_not_driven)
{
	const char *first, *second;
	struct world w;

	world_init(&w);
	first = order_of(&w, 4, 0);
	second = order_of(&w, 4, 1);
	world_start(&w, 0);
	bridge_supply(&w, 0, ITEM, 1);
	bridge_request(&w, 0, ITEM, first);
	bridge_request(&w, 0, ITEM, second);
	run(&w, LIFE_MS);
	expect_plan(&w, first);
	cr_expect(zero(sz, world_life(&w, second).n));
	cr_expect(eq(i64, world_count(&w, 0, "souk_executor_requests_total", "beyond"), 1));
	world_fini(&w);
}

Test(executor, a_repeated_request_is_driven_once)
{
	const char *order;
	struct world w;

	world_init(&w);
	order = begin(&w, 4);
	run(&w, 2000);
	bridge_request(&w, 0, ITEM, order);
	run(&w, LIFE_MS);
	bridge_request(&w, 0, ITEM, order);
	run(&w, LIFE_MS);
	expect_plan(&w, order);
	world_fini(&w);
}

Test(executor, what_is_released_before_it_was_begun_is_never_begun)
{
	const char *order;
	struct world w;

	world_init(&w);
	order = begin(&w, 4);
	bridge_release(&w, 0, ITEM, order);
	run(&w, LIFE_MS);
	cr_expect(zero(sz, world_life(&w, order).n));
	world_kill(&w, 0);
	world_start(&w, 0);
	run(&w, LIFE_MS);
	cr_expect(zero(sz, world_life(&w, order).n));
	world_fini(&w);
}

Test(executor, a_release_in_mid_life_ends_it)
{
	const char *order;
	struct world w;

	world_init(&w);
	order = begin(&w, 4);
	sim_broker_set_latency(w.broker, 400000);
	for (int i = 0; i < 400 && world_life(&w, order).n == 0; i++)
		run(&w, 10);
	bridge_release(&w, 0, ITEM, order); /* while the report of SENT is on its way */
	run(&w, LIFE_MS);
	EXPECT_STATES(&w, order, ORDER_SENT);
	cr_expect(zero(i64, world_count(&w, 0, "souk_executor_open", NULL)));
	world_fini(&w);
}

Test(executor, a_snapshot_stands_for_what_retention_took)
{
	const char *first, *second;
	struct world w;
	char json[256];
	int64_t through;

	world_init(&w);
	first = order_of(&w, 4, 0);
	second = order_of(&w, 4, 1);
	bridge_supply(&w, 0, ITEM, 2);
	through = bridge_request(&w, 0, ITEM, "gone") + 1;
	snprintf(json, sizeof(json),
		"{\"item\":\"" ITEM
		"\",\"ver\":\"0.1\",\"supply\":2,\"taken\":1,\"through\":%" PRId64 "}",
		through);
	world_put(&w, TOPIC_STOCK, 0, ITEM, json, -1);
	bridge_owner(&w, 0);
	sim_broker_truncate(w.broker, TOPIC_PAYMENT_REQUESTS, 0, through);
	bridge_request(&w, 0, ITEM, first);
	bridge_request(&w, 0, ITEM, second);
	world_start(&w, 0);
	run(&w, LIFE_MS);
	expect_plan(&w, first);
	cr_expect(zero(sz, world_life(&w, second).n));
	world_fini(&w);
}

/* ---- restarts ---- */

/* Killed after @at_ms and started again at once. */
static void restart_at(int64_t at_ms, size_t n_steps, int64_t latency_us)
{
	const char *order;
	struct world w;

	world_init(&w);
	w.config.hold_bps = n_steps == 5 ? 10000 : 0;
	w.config.fail_bps = n_steps == 2 ? 10000 : 0;
	order = begin(&w, n_steps);
	sim_broker_set_latency(w.broker, latency_us);
	run(&w, at_ms);
	world_kill(&w, 0);
	world_start(&w, 0);
	run(&w, LIFE_MS);
	expect_plan(&w, order);
	world_fini(&w);
}

Test(executor, killed_at_any_time_no_step_is_skipped_or_said_otherwise)
{
	for (int64_t at_ms = 0; at_ms < 8000; at_ms += 130)
		restart_at(at_ms, 6, 0);
}

/* With latency there are moments at which a step is in the log and nobody knows. */
Test(executor, killed_before_the_report_came_the_step_is_found_in_the_ledger)
{
	for (int64_t at_ms = 0; at_ms < 9000; at_ms += 170) {
		restart_at(at_ms, 4, 300000);
		restart_at(at_ms, 5, 300000);
		restart_at(at_ms, 2, 300000);
	}
}

Test(executor, killed_again_and_again_it_gets_there)
{
	const char *order;
	struct world w;

	world_init(&w);
	order = begin(&w, 6);
	for (int i = 0; i < 40; i++) {
		run(&w, 333);
		world_kill(&w, 0);
		world_start(&w, 0);
	}
	run(&w, LIFE_MS);
	expect_plan(&w, order);
	world_fini(&w);
}

static int64_t committed(struct world *w, char metadata[64])
{
	struct str text = STR_NONE;
	int64_t offset = sim_broker_committed(w->broker, GROUP, TOPIC_PAYMENT_REQUESTS, 0, &text);

	(void)str_copy(metadata, 64, text);
	return offset;
}

Test(executor, what_is_committed_says_what_is_done_and_where_the_ledger_speaks_of_the_rest)
{
	const char *first, *second;
	char metadata[64], expected[64];
	struct world w;
	int64_t at;

	world_init(&w);
	first = begin(&w, 4);
	run(&w, 20000);
	at = committed(&w, metadata);
	cr_expect(eq(i64, at, sim_broker_high(w.broker, TOPIC_PAYMENT_REQUESTS, 0)));
	/* The epoch of partition 0 is 0 or 1: whichever was claimed first. */
	snprintf(expected, sizeof(expected), "%" PRId32 ":%" PRId64 ":%" PRId64, ledger_partition(),
		sim_broker_high(w.broker, TOPIC_LEDGER, ledger_partition()),
		world_life(&w, first).epoch[0]);
	cr_expect(eq(str, metadata, expected));

	second = order_of(&w, 4, 1);
	at = bridge_request(&w, 0, ITEM, second);
	run(&w, 2500); /* begun, not done */
	cr_assert(gt(sz, world_life(&w, second).n, 0));
	cr_expect(eq(i64, committed(&w, metadata), at));
	cr_expect(eq(str, metadata, expected)); /* its first outcome is right there */

	world_kill(&w, 0);
	world_start(&w, 0);
	run(&w, LIFE_MS);
	expect_plan(&w, first);
	expect_plan(&w, second);
	cr_expect(eq(i64, committed(&w, metadata),
		sim_broker_high(w.broker, TOPIC_PAYMENT_REQUESTS, 0)));
	world_fini(&w);
}

/* The ledger before what was committed may be gone: it is not needed. */
Test(executor, what_is_done_is_not_driven_again_though_its_outcomes_are_not_read)
{
	const char *first, *second;
	struct world w;
	int64_t high;

	world_init(&w);
	first = begin(&w, 4);
	run(&w, LIFE_MS);
	world_kill(&w, 0);
	high = sim_broker_high(w.broker, TOPIC_LEDGER, ledger_partition());
	sim_broker_truncate(w.broker, TOPIC_LEDGER, ledger_partition(), high);
	second = order_of(&w, 4, 1);
	bridge_request(&w, 0, ITEM, second);
	world_start(&w, 0);
	run(&w, LIFE_MS);
	for (int64_t i = high; i < sim_broker_high(w.broker, TOPIC_LEDGER, ledger_partition());
		i++) {
		const struct bus_record *r =
			sim_broker_record(w.broker, TOPIC_LEDGER, ledger_partition(), i);
		struct outcome_record o;

		arena_reset(w.arena);
		if (decode(&outcome_record_type, &o, r->value, w.arena, NULL) == 0)
			cr_expect(str_eqz(o.order, second), "%s again", first);
	}
	cr_expect(eq(i64, world_count(&w, 0, "souk_executor_outcomes_total", "FINAL"), 1));
	world_fini(&w);
}

/* An order that stays open holds the committed offset back; later ones that are done must be known
 * to be done after a restart. */
Test(executor, done_orders_behind_an_open_one_are_not_driven_again)
{
	const char *done;
	struct world w;
	size_t n;

	world_init(&w);
	world_start(&w, 0);
	bridge_supply(&w, 0, ITEM, 10);
	w.config.never_bps = 10000;
	bridge_request(&w, 0, ITEM, "open-1");
	w.config.never_bps = 0;
	done = order_of(&w, 4, 0);
	w.config.reservation_ms = 10 * RESERVED_MS;
	bridge_request(&w, 0, ITEM, done);
	run(&w, 30000);
	n = (size_t)sim_broker_high(w.broker, TOPIC_LEDGER, ledger_partition());
	for (int i = 0; i < 3; i++) {
		world_kill(&w, 0);
		world_start(&w, 0);
		run(&w, 1000);
	}
	expect_plan(&w, done);
	cr_expect(zero(i64, world_count(&w, 0, "souk_executor_outcomes_total", "SENT")));
	cr_expect(ge(sz, (size_t)sim_broker_high(w.broker, TOPIC_LEDGER, ledger_partition()), n));
	world_fini(&w);
}

static void ignore_assigned(
	void *ctx, const char *topic, int32_t partition, int64_t at, struct str metadata)
{
	(void)ctx;
	(void)topic;
	(void)partition;
	(void)at;
	(void)metadata;
}

static void ignore_revoked(void *ctx, const char *topic, int32_t partition)
{
	(void)ctx;
	(void)topic;
	(void)partition;
}

static void ignore_records(void *ctx, const struct bus_record *r, size_t n)
{
	(void)ctx;
	(void)r;
	(void)n;
}

static void commit_by_hand(struct world *w, int64_t offset, const char *metadata)
{
	static const struct bus_group_ops ops = {
		.assigned = ignore_assigned, .revoked = ignore_revoked, .records = ignore_records
	};
	static const char *const topics[] = { TOPIC_PAYMENT_REQUESTS };
	struct bus_group *g = NULL;

	cr_assert(zero(int, bus_group_open(w->client, &g, GROUP, topics, 1, &ops, NULL)));
	run(w, 1000);
	cr_assert(zero(
		int, bus_group_commit(g, TOPIC_PAYMENT_REQUESTS, 0, offset, str_of(metadata))));
	run(w, 1000);
	bus_group_close(g);
	run(w, 1000);
}

Test(executor, a_commit_beyond_the_end_of_the_log_is_not_believed)
{
	const char *order;
	struct world w;

	world_init(&w);
	commit_by_hand(&w, 1000, "0:5:3");
	order = begin(&w, 4);
	run(&w, LIFE_MS);
	expect_plan(&w, order);
	world_fini(&w);
}

Test(executor, metadata_that_cannot_be_read_costs_a_longer_reading_only)
{
	static const char *const texts[] = { "", "7", "1:2", "1:2:3:4", "-1:2:3", "1:-2:3", "x",
		"99:1:1", "1:99999:3" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *order;
		struct world w;

		world_init(&w);
		order = begin(&w, 4);
		run(&w, 2500);
		world_kill(&w, 0);
		commit_by_hand(&w, 0, texts[i]);
		world_start(&w, 0);
		run(&w, LIFE_MS);
		expect_plan(&w, order);
		world_fini(&w);
	}
}

Test(executor, what_others_write_to_the_ledger_is_passed_over)
{
	static const char owner[] = "{\"type\":\"owner\",\"shard\":0,\"instance\":\"x\",\"ts\":1}";
	const char *order;
	struct world w;

	world_init(&w);
	order = begin(&w, 4);
	world_put(&w, TOPIC_LEDGER, ledger_partition(), "dry-run", "{\"type\":\"attempt\"}", -1);
	run(&w, 2500);
	cr_assert(gt(sz, world_life(&w, order).n, 0));
	/* Another signer's shard of the same number, in the same partition. */
	world_put(&w, TOPIC_LEDGER, ledger_partition(), "0x01", owner, -1);
	world_put(&w, TOPIC_LEDGER, ledger_partition(), "dry-run", "no JSON", -1);
	for (int i = 0; i < 400 && world_life(&w, order).n < 3; i++)
		run(&w, 10);
	cr_expect(zero(i64, world_count(&w, 0, "souk_executor_partitions_total", "lost")));
	world_kill(&w, 0);
	world_start(&w, 0);
	run(&w, LIFE_MS);
	expect_plan(&w, order);
	cr_expect(zero(i64, world_count(&w, 0, "souk_executor_outcomes_total", "SENT")));
	cr_expect(zero(i64, world_count(&w, 0, "souk_executor_partitions_total", "lost")));
	world_fini(&w);
}

/* ---- several executors ---- */

Test(executor, a_second_executor_takes_partitions_over_in_mid_life)
{
	struct world w;
	char id[32];

	world_init(&w);
	w.config.fail_bps = 2000;
	world_start(&w, 0);
	bridge_supply(&w, 0, ITEM, 100);
	bridge_supply(&w, 1, OTHER, 100);
	for (int i = 0; i < 40; i++) {
		snprintf(id, sizeof(id), "o-%d", i);
		bridge_request(&w, i % 2, i % 2 ? OTHER : ITEM, id);
	}
	run(&w, 1700);
	world_start(&w, 1);
	run(&w, 1700);
	world_kill(&w, 0);
	run(&w, LIFE_MS);
	world_start(&w, 0);
	run(&w, LIFE_MS);
	for (int i = 0; i < 40; i++) {
		snprintf(id, sizeof(id), "o-%d", i);
		expect_plan(&w, id);
	}
	cr_expect(gt(i64, world_count(&w, 1, "souk_executor_partitions_total", "acquired"), 1));
	world_fini(&w);
}

Test(executor, one_that_was_replaced_says_nothing_that_counts)
{
	const char *order;
	struct world w;
	struct life l;

	world_init(&w);
	order = begin(&w, 4);
	for (int i = 0; i < 400 && world_life(&w, order).n == 0; i++)
		run(&w, 10);
	/* Another one speaks for the partition; ours hears of it by its own next report only. */
	world_put(&w, TOPIC_LEDGER, ledger_partition(), "dry-run",
		"{\"type\":\"owner\",\"shard\":0,\"instance\":\"other\",\"ts\":1}", -1);
	run(&w, LIFE_MS);
	expect_plan(&w, order);
	l = world_life(&w, order);
	cr_expect(gt(i64, l.epoch[1], l.epoch[0])); /* said again, under a new epoch */
	cr_expect(eq(i64, world_count(&w, 0, "souk_executor_partitions_total", "lost"), 1));
	/* MINED was said in vain once. */
	cr_expect(eq(i64, world_count(&w, 0, "souk_executor_outcomes_total", "MINED"), 1));
	world_fini(&w);
}

/* The other one goes on; ours comes back after it and must not undo or repeat anything. */
Test(executor, what_another_one_did_meanwhile_is_taken_over)
{
	const char *order;
	struct world w;
	char json[512];
	int64_t epoch;

	world_init(&w);
	order = begin(&w, 4);
	for (int i = 0; i < 400 && world_life(&w, order).n == 0; i++)
		run(&w, 10);
	epoch = world_put(&w, TOPIC_LEDGER, ledger_partition(), "dry-run",
		"{\"type\":\"owner\",\"shard\":0,\"instance\":\"other\",\"ts\":1}", -1);
	snprintf(json, sizeof(json),
		"{\"type\":\"outcome\",\"shard\":0,\"epoch\":%" PRId64
		",\"order\":\"%s\",\"item\":\"" ITEM
		"\",\"step\":2,\"state\":\"HELD\",\"ts\":%" PRId64 "}",
		epoch, order, loop_now_ms(w.loop));
	world_put(&w, TOPIC_LEDGER, ledger_partition(), "dry-run", json, -1);
	run(&w, LIFE_MS);
	EXPECT_STATES(&w, order, ORDER_SENT, ORDER_HELD, ORDER_SENT, ORDER_MINED, ORDER_CONFIRMED,
		ORDER_FINAL);
	world_fini(&w);
}

Test(executor, a_late_outcome_of_a_former_owner_is_not_taken_over)
{
	const char *order;
	struct world w;
	char json[512];

	world_init(&w);
	order = begin(&w, 4);
	for (int i = 0; i < 400 && world_life(&w, order).n == 0; i++)
		run(&w, 10);
	world_kill(&w, 0);
	world_put(&w, TOPIC_LEDGER, ledger_partition(), "dry-run",
		"{\"type\":\"owner\",\"shard\":0,\"instance\":\"other\",\"ts\":1}", -1);
	snprintf(json, sizeof(json),
		"{\"type\":\"outcome\",\"shard\":0,\"epoch\":0,\"order\":\"%s\",\"item\":\"" ITEM
		"\",\"step\":2,\"state\":\"FINAL\",\"ts\":%" PRId64 "}",
		order, NOW);
	world_put(&w, TOPIC_LEDGER, ledger_partition(), "dry-run", json, -1);
	world_start(&w, 0);
	run(&w, LIFE_MS);
	expect_plan(&w, order);
	world_fini(&w);
}

Test(executor, the_daily_owner_record_interrupts_nothing)
{
	const char *order;
	struct world w;

	world_init(&w);
	world_start(&w, 0);
	order = order_of(&w, 4, 0);
	bridge_supply(&w, 0, ITEM, 1);
	run(&w, 86400000 - 2000);
	bridge_request(&w, 0, ITEM, order);
	run(&w, LIFE_MS);
	expect_plan(&w, order);
	cr_expect(gt(i64, world_life(&w, order).epoch[3], world_life(&w, order).epoch[0]));
	cr_expect(zero(i64, world_count(&w, 0, "souk_executor_partitions_total", "lost")));
	world_fini(&w);
}

/* ---- faults ---- */

Test(executor, a_step_whose_report_failed_is_said_again_as_it_was)
{
	const char *order;
	struct world w;
	int64_t n_records;

	world_init(&w);
	order = begin(&w, 4);
	sim_broker_fail_sends(w.broker, TOPIC_LEDGER, 3, -ETIMEDOUT);
	run(&w, LIFE_MS);
	expect_plan(&w, order);
	n_records = sim_broker_high(w.broker, TOPIC_LEDGER, ledger_partition());
	cr_expect(eq(i64, world_count(&w, 0, "souk_executor_send_failures_total", NULL), 3));
	cr_expect(ge(i64, n_records, SHARDS + 4));
	world_fini(&w);
}

/* A bus that takes steps and loses the reports of the first @n_lost. */
static struct forgetful {
	struct bus bus;
	struct bus *real;
	int n_lost;
} forgetful;

struct lost_report {
	bus_sent_fn sent;
	void *ctx;
};

static void report_lost(void *ctx, int err, int32_t partition, int64_t offset)
{
	struct lost_report *r = ctx;

	(void)err;
	(void)partition;
	(void)offset;
	r->sent(r->ctx, -ETIMEDOUT, -1, -1);
	free(r);
}

static int forgetful_send(struct bus *b, const struct bus_message *m)
{
	struct bus_message as = *m;
	struct lost_report *r;
	int err;

	(void)b;
	if (m->n_headers == 0 || forgetful.n_lost == 0) /* an owner record has no headers */
		return bus_send(forgetful.real, m);
	r = malloc(sizeof(*r));
	cr_assert(r != NULL);
	*r = (struct lost_report){ m->sent, m->ctx };
	as.sent = report_lost;
	as.ctx = r;
	forgetful.n_lost--;
	err = bus_send(forgetful.real, &as);
	if (err != 0)
		free(r);
	return err;
}

static int32_t forgetful_partitions(struct bus *b, const char *topic)
{
	(void)b;
	return bus_partitions(forgetful.real, topic);
}

static int forgetful_reader_open(
	struct bus *b, struct bus_reader **ret, const struct bus_reader_ops *ops, void *ctx)
{
	(void)b;
	return bus_reader_open(forgetful.real, ret, ops, ctx);
}

static int forgetful_group_open(struct bus *b, struct bus_group **ret, const char *group,
	const char *const *topics, size_t n_topics, const struct bus_group_ops *ops, void *ctx)
{
	(void)b;
	return bus_group_open(forgetful.real, ret, group, topics, n_topics, ops, ctx);
}

Test(executor, a_step_that_is_in_the_log_though_its_report_failed_is_repeated_with_its_number)
{
	static const struct bus_ops ops = { .send = forgetful_send,
		.partitions = forgetful_partitions,
		.reader_open = forgetful_reader_open,
		.group_open = forgetful_group_open };
	struct executor_env env;
	struct fault f = { 0 };
	const char *order;
	struct world w;

	world_init(&w);
	cr_assert(zero(int, bus_sim_new(&w.bus[0], w.broker, "")));
	cr_assert(zero(int, metrics_new(&w.metrics[0], 64)));
	forgetful = (struct forgetful){ { &ops }, w.bus[0], 3 };
	env = (struct executor_env){ w.loop, &forgetful.bus, w.metrics[0], "forgetful" };
	cr_assert(
		zero(int, executor_dry_run_new(&w.executor[0], &env, &w.config, &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	order = order_of(&w, 4, 0);
	bridge_supply(&w, 0, ITEM, 1);
	bridge_request(&w, 0, ITEM, order);
	run(&w, LIFE_MS);
	expect_plan(&w, order);
	/* SENT three times over, by the same number; nobody took the partition. */
	cr_expect(eq(
		i64, sim_broker_high(w.broker, TOPIC_LEDGER, ledger_partition()), SHARDS + 4 + 3));
	cr_expect(zero(i64, world_count(&w, 0, "souk_executor_partitions_total", "lost")));
	world_fini(&w);
}

Test(executor, a_payment_begun_in_time_does_not_expire_because_its_report_was_late)
{
	const char *order;
	struct world w;

	world_init(&w);
	order = begin(&w, 4);
	w.config.reservation_ms = 1600; /* SENT comes after 500 to 1,500 ms */
	sim_broker_fail_sends(w.broker, TOPIC_LEDGER, 30, -ETIMEDOUT);
	run(&w, LIFE_MS);
	EXPECT_STATES(&w, order, ORDER_SENT, ORDER_MINED, ORDER_CONFIRMED, ORDER_FINAL);
	world_fini(&w);
}

Test(executor, a_broker_that_is_away_for_a_while_is_waited_for)
{
	const char *order;
	struct world w;

	world_init(&w);
	order = begin(&w, 4);
	run(&w, 800);
	sim_broker_set_down(w.broker, true);
	run(&w, 50000);
	sim_broker_set_down(w.broker, false);
	run(&w, LIFE_MS);
	expect_plan(&w, order);
	world_fini(&w);
}

Test(executor, a_full_bus_is_tried_again)
{
	struct world w;
	char id[32];

	world_init(&w);
	w.config.step_ms = 0;
	world_start(&w, 0);
	sim_bus_set_queue_max(w.bus[0], 2);
	sim_broker_set_latency(w.broker, 5000);
	bridge_supply(&w, 0, ITEM, 100);
	for (int i = 0; i < 50; i++) {
		snprintf(id, sizeof(id), "o-%d", i);
		bridge_request(&w, 0, ITEM, id);
	}
	run(&w, 60000);
	for (int i = 0; i < 50; i++) {
		snprintf(id, sizeof(id), "o-%d", i);
		expect_plan(&w, id);
	}
	world_fini(&w);
}

/* ---- limits ---- */

Test(executor, more_orders_than_there_is_room_for_wait_for_those_that_are_done)
{
	struct world w;
	char id[32];

	world_init(&w);
	w.config.orders_max = 4;
	w.config.step_ms = 10;
	world_start(&w, 0);
	bridge_supply(&w, 0, ITEM, 100);
	for (int i = 0; i < 40; i++) {
		snprintf(id, sizeof(id), "o-%d", i);
		bridge_request(&w, 0, ITEM, id);
	}
	cr_expect(gt(i64, world_count(&w, 0, "souk_executor_full_total", NULL), 0));
	run(&w, LIFE_MS);
	for (int i = 0; i < 40; i++) {
		snprintf(id, sizeof(id), "o-%d", i);
		expect_plan(&w, id);
	}
	cr_expect(ge(i64, world_count(&w, 0, "souk_executor_forgotten_total", NULL), 36));
	world_fini(&w);
}

Test(executor, a_restore_with_little_room_reads_the_ledger_to_make_some)
{
	const char *last;
	struct world w;
	char id[32];

	world_init(&w);
	w.config.orders_max = 4;
	w.config.step_ms = 10;
	world_start(&w, 0);
	bridge_supply(&w, 0, ITEM, 100);
	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "o-%d", i);
		bridge_request(&w, 0, ITEM, id);
		run(&w, 300);
	}
	world_kill(&w, 0);
	commit_by_hand(&w, 0, ""); /* as if nothing had been committed */
	last = order_of(&w, 4, 0);
	bridge_request(&w, 0, ITEM, last);
	world_start(&w, 0);
	run(&w, LIFE_MS);
	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "o-%d", i);
		expect_plan(&w, id);
	}
	expect_plan(&w, last);
	cr_expect(eq(i64, world_count(&w, 0, "souk_executor_outcomes_total", "FINAL"), 1));
	world_fini(&w);
}

Test(executor, more_items_than_there_is_room_for_stop_the_partition_and_are_told)
{
	CLEANUP(buf_fini) struct buf why = BUF_INIT(1024);
	struct world w;

	world_init(&w);
	w.config.items_max = 1;
	world_start(&w, 0);
	cr_expect(executor_ready(w.executor[0], &why));
	bridge_supply(&w, 0, ITEM, 1);
	bridge_supply(&w, 0, OTHER, 1);
	run(&w, 1000);
	cr_expect(not(executor_ready(w.executor[0], &why)));
	cr_expect(strstr(why.p, "items_max") != NULL, STR_FMT, STR_ARG(buf_str(&why)));
	world_fini(&w);
}

/* ---- readiness and drain ---- */

Test(executor, it_is_ready_once_its_partitions_are_restored)
{
	CLEANUP(buf_fini) struct buf why = BUF_INIT(1024);
	struct world w;

	world_init(&w);
	sim_broker_set_latency(w.broker, 50000);
	world_start(&w, 0);
	run(&w, 60);
	cr_expect(not(executor_ready(w.executor[0], &why)));
	cr_expect(gt(sz, why.n, 0));
	buf_clear(&why);
	run(&w, 5000);
	cr_expect(executor_ready(w.executor[0], &why), STR_FMT, STR_ARG(buf_str(&why)));
	world_fini(&w);
}

static void on_drained(void *ctx)
{
	(*(int *)ctx)++;
}

Test(executor, a_drain_lets_the_ledger_have_what_was_said_and_begins_nothing)
{
	CLEANUP(buf_fini) struct buf why = BUF_INIT(1024);
	const char *order, *other;
	int n_drained = 0;
	struct world w;
	size_t n;

	world_init(&w);
	order = begin(&w, 4);
	sim_broker_set_latency(w.broker, 300000);
	for (int i = 0; i < 400 && world_life(&w, order).n == 0; i++)
		run(&w, 10);
	executor_drain(w.executor[0], on_drained, &n_drained);
	cr_expect(zero(int, n_drained)); /* never from inside, and the report is due */
	run(&w, 50);
	cr_expect(zero(int, n_drained));
	cr_expect(not(executor_ready(w.executor[0], &why)));
	run(&w, 2000);
	cr_expect(eq(int, n_drained, 1));
	n = world_life(&w, order).n;
	other = order_of(&w, 4, 1);
	bridge_request(&w, 0, ITEM, other);
	run(&w, LIFE_MS);
	cr_expect(eq(int, n_drained, 1));
	cr_expect(eq(sz, world_life(&w, order).n, n));
	cr_expect(zero(sz, world_life(&w, other).n));
	world_fini(&w);
}

Test(executor, a_drained_one_has_committed_and_its_successor_goes_on)
{
	char metadata[64];
	const char *order;
	int n_drained = 0;
	struct world w;

	world_init(&w);
	order = begin(&w, 4);
	run(&w, 2000);
	executor_drain(w.executor[0], on_drained, &n_drained);
	run(&w, 1000);
	cr_expect(eq(int, n_drained, 1));
	cr_expect(eq(i64, committed(&w, metadata),
		sim_broker_high(w.broker, TOPIC_PAYMENT_REQUESTS, 0) - 1));
	world_kill(&w, 0);
	world_start(&w, 1);
	run(&w, LIFE_MS);
	expect_plan(&w, order);
	world_fini(&w);
}

/* What is committed must not lie behind a step that may be in the ledger. */
Test(executor, a_step_whose_report_was_lost_before_a_drain_is_found_by_the_successor)
{
	static const struct bus_ops ops = { .send = forgetful_send,
		.partitions = forgetful_partitions,
		.reader_open = forgetful_reader_open,
		.group_open = forgetful_group_open };
	const char *order, *behind;
	struct executor_env env;
	struct fault f = { 0 };
	int n_drained = 0;
	struct world w;

	world_init(&w);
	w.config.step_ms = 0;
	cr_assert(zero(int, bus_sim_new(&w.bus[0], w.broker, "")));
	cr_assert(zero(int, metrics_new(&w.metrics[0], 64)));
	forgetful = (struct forgetful){ { &ops }, w.bus[0], 1 };
	env = (struct executor_env){ w.loop, &forgetful.bus, w.metrics[0], "forgetful" };
	cr_assert(
		zero(int, executor_dry_run_new(&w.executor[0], &env, &w.config, &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	order = order_of(&w, 4, 0);
	behind = order_of(&w, 4, 1);
	bridge_supply(&w, 0, ITEM, 2);
	bridge_request(&w, 0, ITEM, order);
	bridge_request(&w, 0, ITEM, behind);
	expect_plan(&w, behind);
	cr_assert(eq(sz, world_life(&w, order).n, 1)); /* SENT, as far as the ledger goes */
	executor_drain(w.executor[0], on_drained, &n_drained);
	run(&w, 50);
	cr_assert(eq(int, n_drained, 1));
	world_kill(&w, 0);

	run(&w, RESERVED_MS + 1000); /* who thinks that nothing was begun lets it expire */
	world_start(&w, 1);
	run(&w, LIFE_MS);
	expect_plan(&w, order);
	world_fini(&w);
}

Test(executor, one_without_partitions_drains_too)
{
	int n_drained = 0;
	struct world w;

	world_init(&w);
	sim_broker_set_down(w.broker, true);
	world_start(&w, 0);
	executor_drain(w.executor[0], on_drained, &n_drained);
	run(&w, 1000);
	cr_expect(eq(int, n_drained, 1));
	world_fini(&w);
}
