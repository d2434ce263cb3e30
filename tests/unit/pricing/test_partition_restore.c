#include "tests/unit/pricing/live_world.h"

#include <errno.h>

#define HALF   "500000000000000000"
#define ONE    "1000000000000000000"
#define MORE   "1500000000000000000"
#define MORE_  (ETH_ / 2 * 3)
#define DAY_MS 86400000

/* ---- a predecessor, and who comes after it ---- */

static void first_init(struct world *w)
{
	live_configure(w);
	world_start(w);
}

/* The first dies, its caches and connections with it; @w is the second then. */
static void die(struct world *w)
{
	w->pricing = pricing_free(w->pricing);
	w->bus = bus_free(w->bus);
	cache_free(w->cache);
	metrics_free(w->metrics);
	w->metrics = NULL;
	cr_assert(zero(int, bus_sim_new(&w->bus, w->broker, "")));
	cr_assert(zero(int, cache_sim_new(&w->cache, w->store)));
	cr_assert(zero(int, metrics_new(&w->metrics, 256)));
}

static void start_second(struct world *w)
{
	const struct pricing_env env = { w->loop, w->bus, w->cache, w->metrics, "successor" };
	struct fault f = { 0 };

	cr_assert(zero(int, pricing_new(&w->pricing, &env, &w->config, &f)), "%s", f.text);
}

static void succeed(struct world *w)
{
	die(w);
	start_second(w);
	loop_sim_settle(w->loop);
}

static void ask(struct world *w, const char *id)
{
	world_interest(w, id, USER);
	loop_sim_settle(w->loop);
}

static int64_t restored(struct world *w, const char *what)
{
	return world_count(w, "souk_pricing_restored_records_total", what);
}

static bool is_ready(struct world *w)
{
	CLEANUP(buf_fini) struct buf why = BUF_INIT(4096);

	return pricing_ready(w->pricing, &why);
}

static void append(struct world *w, int32_t shard, struct str value)
{
	cr_assert(zero(int, bus_send(w->client, &(struct bus_message){ .topic = TOPIC_DECISIONS,
							.partition = shard,
							.value = value })));
	loop_sim_settle(w->loop);
}

static void usurp(struct world *w, int32_t shard)
{
	char value[128];

	snprintf(value, sizeof(value),
		"{\"type\":\"owner\",\"shard\":%d,\"instance\":\"somebody-else\",\"ts\":1}",
		(int)shard);
	append(w, shard, str_of(value));
}

/* The text of a record with one part of it exchanged. */
static void exchange(char *ret, size_t cap, struct str text, const char *from, const char *to)
{
	char copy[8192];
	char *at;

	cr_assert(lt(sz, text.n, sizeof(copy)));
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	at = strstr(copy, from);
	cr_assert(at != NULL, "%s is not there", from);
	*at = '\0';
	cr_assert(lt(int, snprintf(ret, cap, "%s%s%s", copy, to, at + strlen(from)), (int)cap));
}

/* ---- prices ---- */

Test(partition_restore, a_successor_keeps_the_lowest_price_shown)
{
	struct str metadata;
	struct world w;

	first_init(&w);
	world_bid(&w, 1, HALF);
	ask(&w, "i-1");
	loop_sim_advance(w.loop, 200);
	cr_assert(eq(i64, world_committed(&w, shard_of(USER), &metadata), 1));
	cr_assert(str_eqz(metadata, "1"));
	succeed(&w);
	cr_expect(eq(i64, restored(&w, "restored"), 1));
	cr_expect(eq(i64, restored(&w, "owner"), 3), "the other partitions have no more");
	cr_expect(is_ready(&w));
	world_inventory(&w, 4, MORE, "1");
	ask(&w, "i-2");
	cr_expect(last_decision(&w, USER).price.amount == ETH_);
	cr_expect(eq(u64, last_decision(&w, USER).rev.part[0], 2));
	world_fini(&w);
}

Test(partition_restore, the_lifetime_counts_from_when_it_was_shown)
{
	struct world w;

	first_init(&w);
	ask(&w, "i-1");
	loop_sim_advance(w.loop, TTL / 2);
	succeed(&w);
	loop_sim_advance(w.loop, TTL / 2 - 1);
	world_beat_all(&w);
	world_inventory(&w, 4, MORE, "1");
	ask(&w, "i-2");
	cr_expect(last_decision(&w, USER).price.amount == ETH_);
	world_fini(&w);

	first_init(&w);
	ask(&w, "i-1");
	loop_sim_advance(w.loop, TTL / 2);
	succeed(&w);
	loop_sim_advance(w.loop, TTL / 2);
	world_beat_all(&w);
	world_inventory(&w, 4, MORE, "1");
	ask(&w, "i-2");
	cr_expect(last_decision(&w, USER).price.amount == MORE_);
	world_fini(&w);
}

Test(partition_restore, a_market_that_moved_frees_the_price)
{
	struct world w;

	first_init(&w);
	world_bid(&w, 1, HALF);
	ask(&w, "i-1");
	loop_sim_advance(w.loop, 200);
	succeed(&w);
	world_inventory(&w, 4, MORE, "1");
	world_bid(&w, 2, "600000000000000000");
	ask(&w, "i-2");
	cr_expect(last_decision(&w, USER).price.amount == MORE_);
	world_fini(&w);
}

Test(partition_restore, a_revised_price_is_one_of_those_shown)
{
	struct world w;

	first_init(&w);
	ask(&w, "i-1");
	loop_sim_advance(w.loop, 2 * WINDOW);
	world_inventory(&w, 4, "900000000000000000", "1");
	loop_sim_advance(w.loop, WINDOW);
	cr_assert(eq(u64, last_decision(&w, USER).rev.part[1], 2));
	succeed(&w);
	world_inventory(&w, 5, MORE, "1");
	ask(&w, "i-2");
	cr_expect(last_decision(&w, USER).price.amount == ETH_ / 10 * 9);
	world_fini(&w);
}

/* Its offer's first decision has run out by then, and was all that held the metadata down. */
Test(partition_restore, a_revision_is_read_after_its_offer_has_run_out)
{
	const int32_t shard = shard_of(USER);
	struct str metadata;
	uint64_t since;
	struct world w;

	first_init(&w);
	ask(&w, "i-1");
	loop_sim_advance(w.loop, TTL - 1000);
	world_beat_all(&w);
	world_inventory(&w, 4, "900000000000000000", "1");
	loop_sim_advance(w.loop, 500);
	cr_assert(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 3));
	world_send_raw(
		&w, shard, USER, "{\"id\":\"bad\",\"user\":\"x\",\"session\":\"s\"}", NULL, 0);
	loop_sim_advance(w.loop, 2000);
	world_send_raw(
		&w, shard, USER, "{\"id\":\"bad2\",\"user\":\"x\",\"session\":\"s\"}", NULL, 0);
	loop_sim_advance(w.loop, 200);
	cr_assert(eq(i64, world_committed(&w, shard, &metadata), 3));
	cr_assert(zero(int, str_to_u64(metadata, &since)));
	cr_expect(le(u64, since, 2), "the revision is at 2");
	cr_expect(gt(u64, since, 0));
	succeed(&w);
	world_beat_all(&w);
	world_inventory(&w, 5, MORE, "1");
	ask(&w, "i-2");
	cr_expect(last_decision(&w, USER).price.amount == ETH_ / 10 * 9);
	world_fini(&w);
}

Test(partition_restore, a_clock_ahead_of_ours_binds_no_longer_than_a_lifetime)
{
	const int32_t shard = shard_of(USER);
	struct world w;
	char value[8192];

	first_init(&w);
	ask(&w, "i-1");
	w.pricing = pricing_free(w.pricing);
	exchange(value, sizeof(value), world_record(&w, TOPIC_DECISIONS, shard, 1)->value,
		"\"ts\":1795334400000,\"price\"", "\"ts\":1795434400000,\"price\"");
	append(&w, shard, str_of(value));
	succeed(&w);
	loop_sim_advance(w.loop, TTL);
	world_beat_all(&w);
	world_inventory(&w, 4, MORE, "1");
	ask(&w, "i-2");
	cr_expect(last_decision(&w, USER).price.amount == MORE_);
	world_fini(&w);
}

/* ---- void, and others' ---- */

/* The decision of 1 ETH comes behind another's owner record, and is how the loss is noticed. */
Test(partition_restore, what_was_void_binds_nobody)
{
	const int32_t shard = shard_of(USER);
	struct world w;

	first_init(&w);
	usurp(&w, shard);
	ask(&w, "i-1");
	cr_assert(world_decision(&w, shard, 2).price.amount == ETH_);
	world_inventory(&w, 4, MORE, "1");
	loop_sim_advance(w.loop, 1000);
	cr_expect(eq(i64, world_count(&w, "souk_pricing_owner_changes_total", "lost"), 1));
	cr_expect(eq(i64, restored(&w, "void"), 1));
	cr_expect(str_eqz(last_decision(&w, USER).interest, "i-1"));
	cr_expect(eq(u64, last_decision(&w, USER).rev.part[0], 3));
	cr_expect(last_decision(&w, USER).price.amount == MORE_);
	world_fini(&w);
}

Test(partition_restore, what_another_owner_showed_binds_who_claims_again)
{
	const int32_t shard = shard_of(USER);
	char others[8192], lower[8192];
	struct world w;

	first_init(&w);
	ask(&w, "i-1");
	loop_sim_advance(w.loop, 200);
	usurp(&w, shard); /* at 2 */
	exchange(others, sizeof(others), world_record(&w, TOPIC_DECISIONS, shard, 1)->value,
		"\"rev\":\"0.1\"", "\"rev\":\"2.1\"");
	exchange(lower, sizeof(lower), str_of(others), "\"price\":{\"amount\":\"" ONE "\"",
		"\"price\":{\"amount\":\"" HALF "\"");
	append(&w, shard, str_of(lower));
	ask(&w, "i-2"); /* at 4, void */
	loop_sim_advance(w.loop, 1000);
	cr_expect(eq(i64, restored(&w, "restored"), 2), "ours too");
	cr_expect(eq(i64, restored(&w, "void"), 1));
	cr_expect(str_eqz(last_decision(&w, USER).interest, "i-2"));
	cr_expect(eq(u64, last_decision(&w, USER).rev.part[0], 5));
	cr_expect(last_decision(&w, USER).price.amount == ETH_ / 2);
	world_fini(&w);
}

Test(partition_restore, records_that_are_no_decisions_are_counted_and_left_out)
{
	const int32_t shard = shard_of(USER);
	struct world w;
	char value[8192];

	first_init(&w);
	ask(&w, "i-1");
	const struct str good = world_record(&w, TOPIC_DECISIONS, shard, 1)->value;

	w.pricing = pricing_free(w.pricing);
	append(&w, shard, STR("not JSON"));
	append(&w, shard, STR_NONE);
	/* An epoch that is not before it would make all that follow void. */
	exchange(value, sizeof(value), good, "\"rev\":\"0.1\"", "\"rev\":\"9999.1\"");
	append(&w, shard, str_of(value));
	exchange(value, sizeof(value), good, "\"rows\":{", "\"rose\":{");
	append(&w, shard, str_of(value));
	/* An owner record of another partition says nothing of this one. */
	append(&w, shard, STR("{\"type\":\"owner\",\"shard\":77,\"instance\":\"x\",\"ts\":1}"));
	append(&w, shard, good);
	succeed(&w);
	cr_expect(eq(i64, restored(&w, "unreadable"), 4));
	cr_expect(eq(i64, restored(&w, "void"), 0));
	cr_expect(eq(i64, restored(&w, "restored"), 2));
	world_inventory(&w, 4, MORE, "1");
	ask(&w, "i-2");
	cr_expect(last_decision(&w, USER).price.amount == ETH_);
	world_fini(&w);
}

/* ---- live quotes ---- */

Test(partition_restore, live_offers_of_a_predecessor_count)
{
	struct world w;

	live_configure(&w);
	w.config.live_per_user = 1;
	world_start(&w);
	ask(&w, "i-1");
	loop_sim_advance(w.loop, 200);
	succeed(&w);
	ask(&w, "i-2");
	cr_expect(eq(int, last_decision(&w, USER).reason, REASON_QUOTE_LIMIT));
	loop_sim_advance(w.loop, TTL);
	world_beat_all(&w);
	ask(&w, "i-3");
	cr_expect(eq(int, last_decision(&w, USER).outcome, OUTCOME_OFFER));
	world_fini(&w);
}

Test(partition_restore, withdrawn_offers_of_a_predecessor_do_not_count)
{
	struct world w;

	live_configure(&w);
	w.config.live_per_user = 1;
	world_start(&w);
	ask(&w, "i-1");
	loop_sim_advance(w.loop, 2 * WINDOW);
	world_inventory(&w, 4, ONE, "0");
	loop_sim_advance(w.loop, WINDOW);
	cr_assert(eq(int, last_decision(&w, USER).outcome, OUTCOME_WITHDRAWN));
	succeed(&w);
	world_inventory(&w, 5, MORE, "1");
	ask(&w, "i-2");
	cr_expect(eq(int, last_decision(&w, USER).outcome, OUTCOME_OFFER));
	cr_expect(last_decision(&w, USER).price.amount == ETH_, "it was shown all the same");
	world_fini(&w);
}

/* Nothing was committed, so all of the log is read, and the event again. */
Test(partition_restore, an_event_that_is_read_again_is_decided_again_under_the_ceiling)
{
	const int32_t shard = shard_of(USER);
	struct world w;

	live_configure(&w);
	w.config.live_per_user = 1;
	world_start(&w);
	ask(&w, "i-1");
	cr_assert(lt(i64, world_committed(&w, shard, NULL), 0));
	world_inventory(&w, 4, MORE, "1");
	succeed(&w);
	loop_sim_advance(w.loop, 200);
	cr_assert(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 4));
	cr_expect(str_eqz(last_decision(&w, USER).interest, "i-1"));
	cr_expect(eq(int, last_decision(&w, USER).outcome, OUTCOME_OFFER),
		"its own offer is not one too many");
	cr_expect(last_decision(&w, USER).price.amount == ETH_);
	cr_expect(eq(i64, world_committed(&w, shard, NULL), 1));
	ask(&w, "i-2");
	cr_expect(eq(int, last_decision(&w, USER).reason, REASON_QUOTE_LIMIT), "it counts once");
	world_fini(&w);
}

/* ---- where to begin ---- */

Test(partition_restore, a_third_owner_knows_what_the_first_showed)
{
	struct str metadata;
	struct world w;

	first_init(&w);
	ask(&w, "i-1");
	loop_sim_advance(w.loop, 200);
	succeed(&w);
	world_send_raw(&w, shard_of(USER), USER, INTEREST("i-x", "u_x"), NULL, 0);
	loop_sim_advance(w.loop, 200);
	cr_assert(eq(i64, world_committed(&w, shard_of(USER), &metadata), 2));
	cr_expect(str_eqz(metadata, "1"), "got " STR_FMT, STR_ARG(metadata));
	succeed(&w);
	world_inventory(&w, 4, MORE, "1");
	ask(&w, "i-2");
	cr_expect(last_decision(&w, USER).price.amount == ETH_);
	world_fini(&w);
}

Test(partition_restore, what_has_run_out_is_not_even_decoded)
{
	struct world w;

	first_init(&w);
	ask(&w, "i-1"); /* committed */
	loop_sim_advance(w.loop, 2 * TTL);
	die(&w);
	start_second(&w);
	loop_sim_settle(w.loop);
	cr_expect(eq(i64, restored(&w, "past"), 1));
	cr_expect(eq(i64, restored(&w, "restored"), 0));
	world_fini(&w);

	first_init(&w);
	ask(&w, "i-1"); /* not committed */
	die(&w);
	loop_sim_advance(w.loop, 2 * TTL);
	start_second(&w);
	loop_sim_settle(w.loop);
	cr_expect(eq(i64, restored(&w, "past"), 1));
	cr_expect(eq(i64, restored(&w, "restored"), 0));
	world_fini(&w);
}

static void on_assigned(
	void *ctx, const char *topic, int32_t number, int64_t committed, struct str metadata)
{
	struct bus_group **g = ctx;

	(void)committed, (void)metadata;
	cr_assert(zero(int, bus_group_commit(*g, topic, number, 1, STR("999"))));
}

static void on_revoked(void *ctx, const char *topic, int32_t number)
{
	(void)ctx, (void)topic, (void)number;
}

static struct bus_group *join(
	struct world *w, struct bus_group **g, const struct bus_group_ops *ops)
{
	static const char *const topics[] = { TOPIC_INTEREST };

	cr_assert(zero(int, bus_group_open(w->client, g, GROUP, topics, 1, ops, g)));
	loop_sim_settle(w->loop);
	return *g;
}

/* As of a topic that was made anew. */
Test(partition_restore, metadata_beyond_the_log_has_all_of_it_read)
{
	static const struct bus_group_ops ops = { .assigned = on_assigned, .revoked = on_revoked };
	struct bus_group *other;
	struct world w;

	first_init(&w);
	ask(&w, "i-1");
	die(&w);
	join(&w, &other, &ops);
	loop_sim_advance(w.loop, 1000);
	bus_group_close(other);
	start_second(&w);
	loop_sim_settle(w.loop);
	cr_expect(eq(i64, restored(&w, "restored"), 1));
	world_inventory(&w, 4, MORE, "1");
	ask(&w, "i-2");
	cr_expect(last_decision(&w, USER).price.amount == ETH_);
	world_fini(&w);
}

Test(partition_restore, what_retention_has_taken_is_done_without)
{
	const int32_t shard = shard_of(USER);
	struct world w;

	for (int64_t low = 2; low <= 3; low++) {
		first_init(&w);
		ask(&w, "i-1");
		ask(&w, "i-2");
		loop_sim_advance(w.loop, 200);
		die(&w);
		sim_broker_truncate(w.broker, TOPIC_DECISIONS, shard, low);
		start_second(&w);
		loop_sim_settle(w.loop);
		cr_expect(is_ready(&w));
		cr_expect(eq(i64, restored(&w, "restored"), 3 - low));
		world_inventory(&w, 4, MORE, "1");
		ask(&w, "i-3");
		cr_expect(last_decision(&w, USER).price.amount == (low == 2 ? ETH_ : MORE_));
		world_fini(&w);
	}
}

/* ---- not to the end ---- */

/* A bus whose readers fail. */
static struct bus_ops failing;
static const struct bus_ops *real;
static unsigned n_opens_to_fail;
static bool is_refusing; /* reads from the beginning; gaps are read from elsewhere */

static int open_or_fail(
	struct bus *b, struct bus_reader **ret, const struct bus_reader_ops *ops, void *ctx)
{
	if (n_opens_to_fail == 0)
		return real->reader_open(b, ret, ops, ctx);
	n_opens_to_fail--;
	return -EIO;
}

static int add_or_fail(
	struct bus_reader *r, const char *topic, int32_t partition, int64_t from, int64_t until)
{
	if (is_refusing && from == BUS_FROM_BEGIN && strcmp(topic, TOPIC_DECISIONS) == 0)
		return -ENOMEM;
	return real->reader_add(r, topic, partition, from, until);
}

static void make_failing(struct world *w, unsigned n_opens, bool refuses)
{
	real = w->bus->ops;
	failing = *real;
	failing.reader_open = open_or_fail;
	failing.reader_add = add_or_fail;
	n_opens_to_fail = n_opens;
	is_refusing = refuses;
	w->bus->ops = &failing;
}

/* The second has claimed its partitions, and cannot read what the first showed. */
static void init_stuck(struct world *w)
{
	first_init(w);
	ask(w, "i-1"); /* not committed */
	die(w);
	make_failing(w, 0, true);
	start_second(w);
	loop_sim_advance(w->loop, 1000);
	cr_assert(eq(i64, world_high(w, TOPIC_DECISIONS, shard_of(USER)), 3));
	cr_assert(not(is_ready(w)));
}

Test(partition_restore, a_reader_that_cannot_be_had_is_tried_again)
{
	struct world w;

	init_stuck(&w);
	is_refusing = false;
	loop_sim_advance(w.loop, 1000);
	cr_expect(is_ready(&w));
	cr_expect(eq(i64, restored(&w, "restored"), 1));
	cr_expect(eq(u64, last_decision(&w, USER).rev.part[0], 2));
	world_fini(&w);

	first_init(&w);
	ask(&w, "i-1");
	die(&w);
	start_second(&w);
	make_failing(&w, 3 * SHARDS, false);
	loop_sim_advance(w.loop, 5000);
	cr_expect(zero(u64, n_opens_to_fail));
	cr_expect(is_ready(&w));
	cr_expect(eq(i64, restored(&w, "restored"), 1));
	world_fini(&w);
}

Test(partition_restore, no_event_is_answered_before_it_is_over)
{
	const int32_t shard = shard_of(USER);
	struct world w;

	init_stuck(&w);
	world_inventory(&w, 4, MORE, "1");
	ask(&w, "i-2");
	loop_sim_advance(w.loop, 1000);
	cr_expect(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 3));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_events_total", NULL), 0));
	is_refusing = false;
	loop_sim_advance(w.loop, 1000);
	cr_assert(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 5));
	cr_expect(world_decision(&w, shard, 4).price.amount == ETH_);
	world_fini(&w);
}

Test(partition_restore, the_owner_record_repeated_meanwhile_is_the_epoch)
{
	const int32_t shard = shard_of(USER);
	struct str metadata;
	struct world w;

	init_stuck(&w);
	loop_sim_advance(w.loop, DAY_MS);
	cr_assert(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 4));
	world_beat_all(&w);
	is_refusing = false;
	loop_sim_advance(w.loop, 2000);
	cr_assert(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 5));
	cr_expect(eq(u64, last_decision(&w, USER).rev.part[0], 3));
	cr_expect(eq(i64, restored(&w, "past"), 1));
	cr_expect(eq(i64, world_committed(&w, shard, &metadata), 1));
	cr_expect(str_eqz(metadata, "4"), "got " STR_FMT, STR_ARG(metadata));
	world_fini(&w);
}

Test(partition_restore, lost_meanwhile_it_is_claimed_again_and_restored_then)
{
	const int32_t shard = shard_of(USER);
	struct world w;

	init_stuck(&w);
	usurp(&w, shard); /* at 3; the repeated record at 4 shows it */
	loop_sim_advance(w.loop, DAY_MS + 1000);
	cr_expect(eq(i64, world_count(&w, "souk_pricing_owner_changes_total", "lost"), 1));
	cr_expect(eq(
		i64, world_count(&w, "souk_pricing_owner_changes_total", "acquired"), SHARDS + 1));
	/* A day later nothing lives of what was before its own first record: that is known. */
	cr_expect(eq(i64, restored(&w, "owner"), 2), "the records at 3 and 4");
	cr_assert(eq(i64, world_high(&w, TOPIC_DECISIONS, shard), 7));
	cr_expect(eq(u64, last_decision(&w, USER).rev.part[0], 5));
	world_fini(&w);
}

/* The second has claimed its partitions, and what the first showed is on its way to it. */
static void init_reading(struct world *w)
{
	const int32_t shard = shard_of(USER);

	first_init(w);
	ask(w, "i-1");
	die(w);
	sim_broker_set_latency(w->broker, 20000);
	start_second(w);
	while (world_high(w, TOPIC_DECISIONS, shard) < 3)
		loop_sim_advance(w->loop, 1);
	while (world_count(w, "souk_pricing_owner_changes_total", "acquired") < SHARDS)
		loop_sim_advance(w->loop, 1);
	cr_assert(zero(i64, restored(w, "restored")));
	cr_assert(not(is_ready(w)));
}

Test(partition_restore, dropping_it_meanwhile_is_clean)
{
	struct world w;

	init_reading(&w);
	w.pricing = pricing_free(w.pricing);
	loop_sim_advance(w.loop, 1000);
	world_fini(&w);
}

static void refuse(void *ctx, const char *topic, int32_t number, int64_t committed, struct str m)
{
	(void)ctx, (void)topic, (void)number, (void)committed, (void)m;
}

Test(partition_restore, a_partition_that_goes_meanwhile_is_left_to_the_next)
{
	static const struct bus_group_ops ops = { .assigned = refuse, .revoked = on_revoked };
	struct bus_group *other;
	struct world w;

	init_reading(&w);
	join(&w, &other, &ops);
	loop_sim_advance(w.loop, 1000);
	cr_expect(is_ready(&w), "those that are left are restored");
	bus_group_close(other);
	loop_sim_advance(w.loop, 1000);
	cr_expect(is_ready(&w));
	cr_expect(str_eqz(last_decision(&w, USER).interest, "i-1"));
	cr_expect(gt(u64, last_decision(&w, USER).rev.part[0], 0));
	world_fini(&w);
}

static void on_drained(void *ctx)
{
	++*(int *)ctx;
}

Test(partition_restore, a_drain_does_not_wait_for_it)
{
	int drained = 0;
	struct world w;

	init_stuck(&w);
	pricing_drain(w.pricing, on_drained, &drained);
	loop_sim_advance(w.loop, 1000);
	cr_expect(eq(int, drained, 1));
	world_fini(&w);

	init_reading(&w);
	pricing_drain(w.pricing, on_drained, &drained);
	loop_sim_advance(w.loop, 1000);
	cr_expect(eq(int, drained, 2));
	cr_expect(lt(i64, world_committed(&w, shard_of(USER), NULL), 0));
	cr_expect(eq(i64, world_high(&w, TOPIC_DECISIONS, shard_of(USER)), 3));
	world_fini(&w);
}

Test(partition_restore, more_than_can_be_remembered_keeps_the_newest_and_the_place_of_all)
{
	struct str metadata;
	char id[16];
	struct world w;

	first_init(&w);
	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "i-%d", i);
		ask(&w, id);
	}
	loop_sim_advance(w.loop, 200);
	w.config.recent_max = 5;
	succeed(&w);
	cr_expect(eq(i64, restored(&w, "restored"), 20));
	cr_expect(eq(i64, world_count(&w, "souk_pricing_decisions_forgotten_total", NULL), 15));
	world_inventory(&w, 4, MORE, "1");
	ask(&w, "j");
	loop_sim_advance(w.loop, 200);
	cr_expect(last_decision(&w, USER).price.amount == ETH_);
	world_committed(&w, shard_of(USER), &metadata);
	cr_expect(str_eqz(metadata, "1"), "got " STR_FMT, STR_ARG(metadata));
	world_fini(&w);
}
