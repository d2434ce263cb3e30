/*
 * The whole role against a Kafka and a Redis in memory, on a driven clock.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>

#include "common/io/sim/bus_sim.h"
#include "common/io/sim/cache_sim.h"
#include "common/io/sim/loop_sim.h"
#include "connectors/connectors.h"

#define NOW  1795334400000
#define ITEM "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/77"
#define ROW  "inventory:{" ITEM "}"
#define FEED "feed:{profile}:0"

static char *table_names[] = { "profile", "inventory" };
static char *market_names[] = { "market" };

static const struct connectors_config plain = { .tables = { table_names, 2 },
	.group = "souk-connectors",
	.heartbeat_ms = 5000,
	.tombstone_ms = 604800000,
	.in_flight_max = 1024 };
static const struct connectors_config market = { .tables = { market_names, 1 },
	.group = "souk-connectors",
	.heartbeat_ms = 5000,
	.tombstone_ms = 604800000,
	.in_flight_max = 1024 };

/* One process of the role. */
struct process {
	struct bus *bus;
	struct cache *cache;
	struct metrics *metrics;
	struct connectors *c;
};

static struct world {
	struct loop *loop;
	struct sim_broker *broker;
	struct sim_store *store;
	struct bus *source; /* what other systems write with */
	struct process one;
} w;

static void setup(void)
{
	static const char *const topics[] = { "crm.profile.v1", "inventory.v1",
		"market.bestbid.v1" };
	char dead_letters[64];

	cr_assert(zero(int, loop_sim_new(&w.loop, NOW)));
	cr_assert(zero(int, sim_broker_new(&w.broker, w.loop)));
	cr_assert(zero(int, sim_store_new(&w.store, w.loop)));
	for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
		snprintf(dead_letters, sizeof(dead_letters), "%s.dlq", topics[i]);
		cr_assert(zero(int, sim_broker_topic(w.broker, topics[i], 2)));
		cr_assert(zero(int, sim_broker_topic(w.broker, dead_letters, 2)));
	}
	cr_assert(zero(int, bus_sim_new(&w.source, w.broker, "")));
}

static void end(struct process *p)
{
	p->c = connectors_free(p->c);
	p->cache = cache_free(p->cache);
	p->bus = bus_free(p->bus);
	p->metrics = metrics_free(p->metrics);
}

static void teardown(void)
{
	end(&w.one);
	w.source = bus_free(w.source);
	sim_store_free(w.store);
	sim_broker_free(w.broker);
	loop_free(w.loop);
}

TestSuite(connectors, .init = setup, .fini = teardown);

static void settle(void)
{
	loop_sim_settle(w.loop);
}

static void pass_ms(int64_t ms)
{
	loop_sim_advance(w.loop, ms);
	settle();
}

static void begin(struct process *p, const struct connectors_config *config, const char *instance)
{
	struct fault f = { .kind = FAULT_NONE };

	cr_assert(zero(int, bus_sim_new(&p->bus, w.broker, "")));
	cr_assert(zero(int, cache_sim_new(&p->cache, w.store)));
	cr_assert(zero(int, metrics_new(&p->metrics, 64)));
	struct connectors_env env = { w.loop, p->bus, p->cache, p->metrics, instance };

	cr_assert(zero(int, connectors_new(&p->c, &env, config, &f)), "%s", f.text);
	settle();
}

static void send_with(const char *topic, int32_t partition, struct str key, struct str value,
	const char *header, const char *header_value)
{
	struct bus_header h = { str_of(header), str_of(header_value) };
	struct bus_message m = { .topic = topic,
		.partition = partition,
		.key = key,
		.value = value,
		.headers = &h,
		.n_headers = header ? 1 : 0 };

	cr_assert(zero(int, bus_send(w.source, &m)));
	settle();
}

static void send_text(const char *topic, int32_t partition, const char *key, const char *value)
{
	send_with(topic, partition, str_of(key), str_of(value), NULL, NULL);
}

static void profile(const char *user, const char *ver, const char *segment)
{
	char value[256];

	snprintf(value, sizeof(value), "{\"user\":\"%s\",\"ver\":\"%s\",\"segment\":\"%s\"}", user,
		ver, segment);
	send_text("crm.profile.v1", 0, user, value);
}

static void listing(const char *ver, const char *amount, const char *confirm)
{
	char value[512];

	snprintf(value, sizeof(value),
		"{\"item\":\"" ITEM
		"\",\"ver\":\"%s\",\"list\":{\"amount\":\"%s\",\"currency\":\"ETH\"},"
		"\"supply\":1}",
		ver, amount);
	send_with("inventory.v1", 0, STR(ITEM), str_of(value), confirm ? "x-souk-confirm" : NULL,
		confirm);
}

static bool has(const char *key, const char *field, const char *value)
{
	struct str s = sim_store_get(w.store, key, field);

	if (value && !(str_is_set(s) && str_eqz(s, value)))
		fprintf(stderr, "%s %s is " STR_FMT "\n", key, field,
			STR_ARG(str_is_set(s) ? s : STR("(none)")));
	return value ? str_is_set(s) && str_eqz(s, value) : !str_is_set(s);
}

static int64_t number(const char *key, const char *field)
{
	int64_t v = -1;

	(void)str_to_i64(sim_store_get(w.store, key, field), &v);
	return v;
}

static int64_t rows(const char *result)
{
	return metrics_value(w.one.metrics, "souk_connectors_rows_total", result);
}

static bool ready(const struct process *p)
{
	return connectors_ready(p->c, NULL);
}

/* ---- loading ---- */

Test(connectors, loads_what_is_there_and_completes_the_feed)
{
	profile("u_1", "1", "collector");
	profile("u_2", "9", "whale");
	begin(&w.one, &plain, "i1");
	cr_expect(has("profile:{u_1}", "segment", "collector"));
	cr_expect(has("profile:{u_1}", "gen", "1"));
	cr_expect(has("profile:{u_1}", "src", "0:0"));
	cr_expect(has("profile:{u_2}", "segment", "whale"));
	cr_expect(has(FEED, "complete", "1"));
	cr_expect(has(FEED, "lag_ms", "0"));
	cr_expect(has("feed:{profile}:1", "complete", "1"));
	cr_expect(has("feed:{inventory}:0", "complete", "1"));
	cr_expect(has("feed:{profile}", "shards", "2"));
	cr_expect(eq(i64, number(FEED, "alive_at"), NOW));
	cr_expect(ready(&w.one));
	cr_expect(eq(i64, rows("applied"), 2));
}

Test(connectors, follows_what_comes_later_and_beats_with_what_was_heard)
{
	begin(&w.one, &plain, "i1");
	pass_ms(7000);
	profile("u_1", "1", "collector");
	cr_expect(has("profile:{u_1}", "segment", "collector"));
	cr_expect(eq(i64, number("profile:{u_1}", "et"), NOW + 7000));
	pass_ms(3000);
	cr_expect(eq(i64, number(FEED, "alive_at"), NOW + 10000));
	cr_expect(has(FEED, "lag_ms", "0"));
	cr_expect(has(FEED, "gap", "0"));
}

Test(connectors, an_older_version_changes_nothing)
{
	begin(&w.one, &plain, "i1");
	profile("u_1", "10", "new");
	profile("u_1", "9", "old");
	profile("u_1", "10", "same");
	cr_expect(has("profile:{u_1}", "segment", "new"));
	cr_expect(eq(i64, rows("applied"), 1));
	cr_expect(eq(i64, rows("stale"), 2));
}

Test(connectors, reads_from_the_beginning_whatever_was_committed)
{
	profile("u_1", "1", "collector");
	begin(&w.one, &plain, "i1");
	pass_ms(5000);
	cr_expect(eq(i64,
		sim_broker_committed(w.broker, "souk-connectors", "crm.profile.v1", 0, NULL), 1));
	end(&w.one);
	sim_store_flush(w.store);
	begin(&w.one, &plain, "i2");
	cr_expect(has("profile:{u_1}", "segment", "collector"));
	cr_expect(has(FEED, "complete", "1"));
}

Test(connectors, complete_comes_after_the_last_row)
{
	for (int i = 0; i < 700; i++) {
		char user[16];

		snprintf(user, sizeof(user), "u_%d", i);
		profile(user, "1", "x");
	}
	sim_store_set_latency(w.store, 1000000);
	begin(&w.one, &plain, "i1");
	pass_ms(2700);
	/* Opened and read, but Redis has not answered for the rows yet. */
	cr_expect(has("profile:{u_699}", "segment", "x"));
	cr_expect(has(FEED, "complete", NULL));
	cr_expect(not(ready(&w.one)));
	pass_ms(1000);
	cr_expect(has(FEED, "complete", "1"));
	pass_ms(1000);
	cr_expect(ready(&w.one));
}

Test(connectors, a_partition_with_too_much_under_way_is_held)
{
	static struct connectors_config narrow;

	narrow = plain;
	narrow.in_flight_max = 10;
	for (int i = 0; i < 2000; i++) {
		char user[16];

		snprintf(user, sizeof(user), "u_%d", i);
		profile(user, "1", "x");
	}
	sim_store_set_latency(w.store, 100000);
	begin(&w.one, &narrow, "i1");
	for (int i = 0; i < 30; i++) {
		pass_ms(100);
		cr_expect(le(sz, cache_in_flight(w.one.cache), (size_t)2 * BUS_BATCH_MAX));
	}
	pass_ms(5000);
	cr_expect(has("profile:{u_1999}", "segment", "x"));
	cr_expect(eq(i64, rows("applied"), 2000));
}

/* ---- deletes ---- */

Test(connectors, a_delete_with_a_version_leaves_a_tombstone)
{
	begin(&w.one, &plain, "i1");
	profile("u_1", "3", "x");
	send_with("crm.profile.v1", 0, STR("u_1"), STR_NONE, "x-souk-ver", "5");
	cr_expect(has("profile:{u_1}", "del", "1"));
	profile("u_1", "4", "late");
	cr_expect(has("profile:{u_1}", "del", "1"));
	profile("u_1", "6", "back");
	cr_expect(has("profile:{u_1}", "segment", "back"));
	cr_expect(has("profile:{u_1}", "del", NULL));
}

Test(connectors, a_delete_without_a_version_goes_by_offset)
{
	begin(&w.one, &plain, "i1");
	profile("u_1", "3", "x");
	send_with("crm.profile.v1", 1, STR("u_1"), STR_NONE, NULL, NULL);
	cr_expect(has("profile:{u_1}", "segment", "x"));
	send_with("crm.profile.v1", 0, STR("u_1"), STR_NONE, NULL, NULL);
	cr_expect(has("profile:{u_1}", "del", "1"));
}

Test(connectors, a_tombstone_expires)
{
	begin(&w.one, &plain, "i1");
	send_with("crm.profile.v1", 0, STR("u_1"), STR_NONE, "x-souk-ver", "5");
	cr_expect(has("profile:{u_1}", "del", "1"));
	pass_ms(604799000);
	cr_expect(has("profile:{u_1}", "del", "1"));
	pass_ms(2000);
	cr_expect(has("profile:{u_1}", "del", NULL));
}

/* ---- dead letters ---- */

static bool letter_has(const struct bus_record *r, const char *name, const char *value)
{
	struct str s = bus_header(r, name);

	return str_is_set(s) && str_eqz(s, value);
}

Test(connectors, a_bad_record_goes_to_the_dead_letters_untouched_and_the_stream_goes_on)
{
	const struct bus_record *r;

	begin(&w.one, &plain, "i1");
	profile("u_1", "1", "x");
	send_with("crm.profile.v1", 0, STR("u_2"), STR("{\"user\":"), "ce_id", "7");
	profile("u_3", "1", "y");
	cr_expect(has("profile:{u_3}", "segment", "y"));
	r = sim_broker_record(w.broker, "crm.profile.v1.dlq", 0, 0);
	cr_assert(ne(ptr, (void *)r, NULL));
	cr_expect(str_eqz(r->key, "u_2"));
	cr_expect(str_eqz(r->value, "{\"user\":"));
	cr_expect(letter_has(r, "ce_id", "7"));
	cr_expect(letter_has(r, "__connect.errors.topic", "crm.profile.v1"));
	cr_expect(letter_has(r, "__connect.errors.partition", "0"));
	cr_expect(letter_has(r, "__connect.errors.offset", "1"));
	cr_expect(letter_has(r, "x-souk-reason", "BAD_JSON"));
	cr_expect(str_is_set(bus_header(r, "__connect.errors.exception.message")));
	cr_expect(eq(i64, rows("bad"), 1));
	cr_expect(eq(
		i64, metrics_value(w.one.metrics, "souk_connectors_dead_letters_total", NULL), 1));
}

static int64_t n_letters(void)
{
	return sim_broker_high(w.broker, "crm.profile.v1.dlq", 0);
}

Test(connectors, a_bad_record_that_is_read_again_is_one_dead_letter)
{
	begin(&w.one, &plain, "i1");
	send_text("crm.profile.v1", 0, "u_2", "nonsense");
	profile("u_3", "1", "y");
	cr_assert(eq(i64, n_letters(), 1));
	sim_store_flush(w.store);
	settle();
	pass_ms(6000);
	cr_expect(has("profile:{u_3}", "segment", "y"));
	cr_expect(eq(i64, n_letters(), 1), "after a flush");
	end(&w.one);
	begin(&w.one, &plain, "i2");
	pass_ms(6000);
	cr_expect(eq(i64, n_letters(), 1), "after a restart");
	send_text("crm.profile.v1", 0, "u_4", "nonsense");
	cr_expect(eq(i64, n_letters(), 2));
}

Test(connectors, reasons_tell_what_was_wrong)
{
	const char *const want[] = { "BAD_KEY", "BAD_SHAPE", "BAD_VERSION" };

	begin(&w.one, &plain, "i1");
	profile("u_1", "1", "x");
	send_text("crm.profile.v1", 0, "u_9", "{\"user\":\"u_1\",\"ver\":\"2\"}");
	send_text("crm.profile.v1", 0, "u_1", "{\"user\":\"u_1\"}");
	send_with("crm.profile.v1", 0, STR("u_1"), STR_NONE, "x-souk-ver", "x");
	for (int i = 0; i < 3; i++) {
		const struct bus_record *r =
			sim_broker_record(w.broker, "crm.profile.v1.dlq", 0, i);

		cr_assert(ne(ptr, (void *)r, NULL));
		cr_expect(letter_has(r, "x-souk-reason", want[i]));
	}
	cr_expect(has("profile:{u_9}", "ver", NULL));
	cr_expect(has("profile:{u_1}", "segment", "x"));
}

Test(connectors, a_record_is_done_only_when_its_dead_letter_is_acknowledged)
{
	begin(&w.one, &plain, "i1");
	sim_broker_fail_sends(w.broker, "crm.profile.v1.dlq", 2, -ETIMEDOUT);
	send_text("crm.profile.v1", 0, "u_2", "nonsense");
	profile("u_3", "1", "y");
	cr_expect(eq(
		i64, metrics_value(w.one.metrics, "souk_connectors_dead_letters_total", NULL), 0));
	pass_ms(5000);
	cr_expect(eq(
		i64, metrics_value(w.one.metrics, "souk_connectors_dead_letters_total", NULL), 1));
	cr_expect(has("profile:{u_3}", "segment", "y"));
	pass_ms(10000);
	cr_expect(eq(i64,
		sim_broker_committed(w.broker, "souk-connectors", "crm.profile.v1", 0, NULL), 2));
	cr_expect(has(FEED, "lag_ms", "0"));
}

/* ---- Redis away, flushed, older ---- */

Test(connectors, a_flush_loads_all_again_and_completes_again)
{
	begin(&w.one, &plain, "i1");
	profile("u_1", "1", "x");
	sim_store_flush(w.store);
	settle();
	pass_ms(300);
	cr_expect(has("profile:{u_1}", "segment", "x"));
	cr_expect(has(FEED, "complete", "1"));
	cr_expect(has("feed:{profile}", "gen", "1"));
	cr_expect(ready(&w.one));
}

Test(connectors, a_takeover_by_someone_else_is_noticed_by_the_beat)
{
	CLEANUP(cache_free) struct cache *other = NULL;

	begin(&w.one, &plain, "i1");
	profile("u_1", "1", "x");
	cr_assert(zero(int, cache_sim_new(&other, w.store)));
	cr_assert(zero(int, cache_feed_open(other, STR(FEED), STR("stranger"), NULL, NULL)));
	settle();
	sim_store_drop(w.store, "profile:{u_1}");
	pass_ms(6000);
	cr_expect(not(has(FEED, "run", "stranger")));
	cr_expect(has("profile:{u_1}", "segment", "x"));
	cr_expect(eq(i64, metrics_value(w.one.metrics, "souk_connectors_reopened_total", NULL), 1));
	other = cache_free(other);
}

Test(connectors, holds_while_redis_is_away_and_goes_on_where_it_was)
{
	begin(&w.one, &plain, "i1");
	profile("u_1", "1", "x");
	pass_ms(5000);
	sim_store_set_down(w.store, true);
	settle();
	cr_expect(not(ready(&w.one)));
	profile("u_1", "2", "y");
	profile("u_1", "3", "z");
	profile("u_2", "1", "z");
	pass_ms(20000);
	sim_store_set_down(w.store, false);
	pass_ms(300);
	cr_expect(has("profile:{u_1}", "segment", "z"));
	cr_expect(has("profile:{u_2}", "segment", "z"));
	cr_expect(eq(i64, rows("applied"), 4));
	cr_expect(eq(i64, rows("stale"), 0));
	pass_ms(5000);
	cr_expect(has(FEED, "lag_ms", "0"));
	cr_expect(ready(&w.one));
}

Test(connectors, writes_that_were_under_way_when_redis_went_are_repeated)
{
	begin(&w.one, &plain, "i1");
	pass_ms(5000);
	sim_store_set_latency(w.store, 50000);
	profile("u_1", "1", "x");
	profile("u_2", "1", "x");
	pass_ms(5);
	sim_store_set_down(w.store, true);
	pass_ms(1000);
	cr_expect(has("profile:{u_2}", "segment", NULL));
	sim_store_set_down(w.store, false);
	pass_ms(2000);
	cr_expect(has("profile:{u_1}", "segment", "x"));
	cr_expect(has("profile:{u_2}", "segment", "x"));
}

Test(connectors, rows_lost_with_an_older_redis_come_back)
{
	begin(&w.one, &plain, "i1");
	pass_ms(5000);
	profile("u_1", "1", "x");
	/* Written and acknowledged after the last beat, then lost in a failover. */
	sim_store_set_down(w.store, true);
	settle();
	sim_store_drop(w.store, "profile:{u_1}");
	sim_store_set_down(w.store, false);
	pass_ms(1000);
	cr_expect(has("profile:{u_1}", "segment", "x"));
}

Test(connectors, starts_while_redis_is_away)
{
	profile("u_1", "1", "x");
	sim_store_set_down(w.store, true);
	begin(&w.one, &plain, "i1");
	pass_ms(3000);
	cr_expect(not(ready(&w.one)));
	sim_store_set_down(w.store, false);
	pass_ms(1000);
	cr_expect(has("profile:{u_1}", "segment", "x"));
	cr_expect(ready(&w.one));
}

Test(connectors, a_raised_gen_loads_all_under_it)
{
	struct row raised = { .n = 2,
		.field = { { STR("gen"), STR("2") }, { STR("shards"), STR("2") } } };
	CLEANUP(cache_free) struct cache *operator_ = NULL;

	begin(&w.one, &plain, "i1");
	profile("u_1", "7", "x");
	cr_assert(zero(int, cache_sim_new(&operator_, w.store)));
	cr_assert(zero(
		int, cache_view_put(operator_, STR("feed:{profile}"), &raised, 0, NULL, NULL)));
	settle();
	cr_expect(has("profile:{u_1}", "gen", "2"));
	cr_expect(has("profile:{u_1}", "segment", "x"));
	cr_expect(has(FEED, "complete", "1"));
	operator_ = cache_free(operator_);
}

/* ---- Kafka away ---- */

Test(connectors, the_feed_goes_stale_with_kafka)
{
	begin(&w.one, &plain, "i1");
	pass_ms(5000);
	sim_broker_set_down(w.broker, true);
	pass_ms(30000);
	cr_expect(eq(i64, number(FEED, "alive_at"), NOW + 5000));
	cr_expect(not(ready(&w.one)));
	sim_broker_set_down(w.broker, false);
	pass_ms(5000);
	cr_expect(eq(i64, number(FEED, "alive_at"), NOW + 40000));
	cr_expect(has(FEED, "lag_ms", "0"));
	cr_expect(ready(&w.one));
}

Test(connectors, lag_is_what_is_not_applied_yet)
{
	begin(&w.one, &plain, "i1");
	profile("u_1", "1", "x");
	pass_ms(4000);
	/* Never acknowledged within the test: what follows is behind by the time since we had all.
	 */
	sim_broker_fail_sends(w.broker, "crm.profile.v1.dlq", 1000, -ETIMEDOUT);
	send_text("crm.profile.v1", 0, "u_2", "nonsense");
	pass_ms(60000);
	cr_expect(
		gt(i64, metrics_value(w.one.metrics, "souk_connectors_lag_seconds", "profile"), 0));
	cr_expect(eq(
		i64, metrics_value(w.one.metrics, "souk_connectors_lag_seconds", "inventory"), 0));
}

/* ---- the breaker ---- */

Test(connectors, a_price_far_off_is_held_until_it_is_confirmed)
{
	begin(&w.one, &plain, "i1");
	listing("1", "100", NULL);
	cr_expect(has(ROW, "list_ok", "100"));
	cr_expect(has(ROW, "held", NULL));
	listing("2", "151", NULL);
	cr_expect(has(ROW, "list", "151"));
	cr_expect(has(ROW, "list_ok", "100"));
	cr_expect(has(ROW, "held", "1"));
	listing("3", "160", NULL);
	cr_expect(has(ROW, "held", "1"));
	listing("4", "160", "1");
	cr_expect(has(ROW, "held", NULL));
	cr_expect(has(ROW, "list_ok", "160"));
	cr_expect(eq(i64, metrics_value(w.one.metrics, "souk_connectors_held_total", NULL), 2));
}

Test(connectors, the_held_record_itself_can_be_confirmed)
{
	begin(&w.one, &plain, "i1");
	listing("1", "100", NULL);
	listing("2", "10", NULL);
	cr_expect(has(ROW, "held", "1"));
	listing("2", "10", "1");
	cr_expect(has(ROW, "held", NULL));
	cr_expect(has(ROW, "list_ok", "10"));
	listing("3", "12", NULL);
	cr_expect(has(ROW, "list", "12"));
}

Test(connectors, a_held_price_that_comes_back_is_free)
{
	begin(&w.one, &plain, "i1");
	listing("1", "100", NULL);
	listing("2", "1000", NULL);
	listing("3", "110", NULL);
	cr_expect(has(ROW, "held", NULL));
	cr_expect(has(ROW, "list_ok", "110"));
}

Test(connectors, records_of_one_item_are_judged_one_after_the_other)
{
	listing("1", "100", NULL);
	listing("2", "140", NULL);
	listing("3", "200", NULL);
	send_with("inventory.v1", 0, STR(ITEM), STR_NONE, "x-souk-ver", "4");
	listing("5", "7", NULL);
	listing("6", "70", NULL);
	/* All six in one batch: each must see what the one before left. */
	begin(&w.one, &plain, "i1");
	cr_expect(has(ROW, "list", "70"));
	cr_expect(has(ROW, "list_ok", "7"));
	cr_expect(has(ROW, "held", "1"));
	cr_expect(eq(i64, rows("applied"), 6));
}

Test(connectors, a_reload_keeps_what_is_held)
{
	begin(&w.one, &plain, "i1");
	listing("1", "100", NULL);
	listing("2", "1000", NULL);
	end(&w.one);
	begin(&w.one, &plain, "i2");
	cr_expect(has(ROW, "held", "1"));
	cr_expect(has(ROW, "list_ok", "100"));
	cr_expect(eq(i64, rows("stale"), 2));
}

Test(connectors, an_old_price_that_is_read_again_is_not_told_as_held)
{
	begin(&w.one, &plain, "i1");
	listing("1", "100", NULL);
	listing("2", "1000", "1");
	end(&w.one);
	begin(&w.one, &plain, "i2");
	cr_expect(has(ROW, "held", NULL));
	cr_expect(eq(i64, metrics_value(w.one.metrics, "souk_connectors_held_total", NULL), 0));
}

/* ---- partitions move ---- */

Test(connectors, partitions_move_to_a_second_process_and_back)
{
	struct process two = { .c = NULL };

	profile("u_1", "1", "x");
	begin(&w.one, &plain, "i1");
	begin(&two, &plain, "i2");
	pass_ms(5000);
	cr_expect(ready(&w.one) && ready(&two));
	cr_expect(has(FEED, "complete", "1"));
	cr_expect(has("feed:{profile}:1", "complete", "1"));
	cr_expect(str_starts(sim_store_get(w.store, "feed:{profile}:1", "run"), STR("i2.")));
	end(&two);
	pass_ms(5000);
	cr_expect(str_starts(sim_store_get(w.store, "feed:{profile}:1", "run"), STR("i1.")));
	profile("u_1", "2", "y");
	cr_expect(has("profile:{u_1}", "segment", "y"));
	cr_expect(eq(i64, number("feed:{profile}:1", "alive_at"), NOW + 10000));
}

Test(connectors, a_takeover_leaves_the_feed_alone_until_it_has_caught_up)
{
	profile("u_1", "1", "x");
	begin(&w.one, &plain, "i1");
	end(&w.one);
	sim_store_set_latency(w.store, 20000000);
	begin(&w.one, &plain, "i2");
	pass_ms(58000);
	/* Opened, but its row is not acknowledged yet. */
	cr_expect(has(FEED, "complete", "1"));
	cr_expect(eq(i64, number(FEED, "alive_at"), NOW));
	pass_ms(60000);
	cr_expect(gt(i64, number(FEED, "alive_at"), NOW));
}

/* ---- market ---- */

static void feed_record(const char *slug, int64_t alive_at)
{
	char key[64], value[256];

	snprintf(key, sizeof(key), "feed:%s", slug);
	snprintf(value, sizeof(value),
		"{\"type\":\"feed\",\"collection\":\"%s\",\"alive_at\":%lld,\"gap\":true}", slug,
		(long long)alive_at);
	send_text("market.bestbid.v1", 1, key, value);
}

Test(connectors, market_rows_and_feeds_are_told_on)
{
	begin(&w.one, &market, "i1");
	send_text("market.bestbid.v1", 0, ITEM,
		"{\"item\":\"" ITEM "\",\"ver\":\"5.1\",\"collection\":\"apes\",\"as_of\":5,"
		"\"bid\":{\"amount\":\"7\",\"currency\":\"WETH\"}}");
	cr_expect(has("bestbid:{" ITEM "}", "bid", "7"));
	cr_expect(has("bestbid:{" ITEM "}", "bid_currency", "WETH"));
	feed_record("apes", NOW - 2000);
	cr_expect(has("feed:{market}:apes", "run", NULL));
	pass_ms(5000);
	cr_expect(has("feed:{market}:apes", "complete", "1"));
	cr_expect(has("feed:{market}:apes", "gap", "1"));
	cr_expect(eq(i64, number("feed:{market}:apes", "alive_at"), NOW - 2000));
	feed_record("apes", NOW + 3000);
	pass_ms(5000);
	cr_expect(eq(i64, number("feed:{market}:apes", "alive_at"), NOW + 3000));
	cr_expect(has("feed:{market}:~0", "complete", "1"));
}

Test(connectors, a_collection_is_not_fresher_than_any_partition)
{
	begin(&w.one, &market, "i1");
	feed_record("apes", NOW + 100000);
	pass_ms(10000);
	cr_expect(le(i64, number("feed:{market}:apes", "alive_at"), NOW + 10000));
	sim_broker_set_down(w.broker, true);
	pass_ms(20000);
	cr_expect(le(i64, number("feed:{market}:apes", "alive_at"), NOW + 10000));
}

Test(connectors, a_flushed_collection_completes_again)
{
	begin(&w.one, &market, "i1");
	feed_record("apes", NOW);
	pass_ms(5000);
	cr_expect(has("feed:{market}:apes", "complete", "1"));
	sim_store_flush(w.store);
	settle();
	cr_expect(has("feed:{market}:apes", "complete", NULL));
	pass_ms(10000);
	cr_expect(has("feed:{market}:apes", "complete", "1"));
}

/* ---- configuration ---- */

static void refuse(char **names, size_t n, const char *what)
{
	struct connectors_config config = plain;
	struct process p = { .c = NULL };
	struct fault f = { .kind = FAULT_NONE };

	config.tables = (struct config_list){ names, n };
	cr_assert(zero(int, bus_sim_new(&p.bus, w.broker, "")));
	cr_assert(zero(int, cache_sim_new(&p.cache, w.store)));
	cr_assert(zero(int, metrics_new(&p.metrics, 64)));
	struct connectors_env env = { w.loop, p.bus, p.cache, p.metrics, "i1" };

	cr_expect(eq(int, connectors_new(&p.c, &env, &config, &f), -EINVAL));
	cr_expect(eq(int, f.kind, FAULT_FATAL));
	cr_expect(ne(ptr, strstr(f.text, what), NULL), "%s", f.text);
	end(&p);
}

Test(connectors, tables_must_be_known_and_named_once)
{
	refuse((char *[]){ "profile", "stock" }, 2, "stock");
	refuse((char *[]){ "profile", "profile" }, 2, "twice");
	refuse(NULL, 0, "no table");
}

Test(connectors, the_configuration_has_the_defaults_of_the_contract)
{
	struct connectors_config config = { .group = NULL };
	struct config_section section = { .name = "connectors",
		.rows = connectors_config_rows,
		.n_rows = connectors_config_n_rows,
		.base = &config };
	struct config_source source = { .file = NULL };
	struct fault f;

	cr_assert(zero(int, config_load(&section, 1, &source, &f)));
	cr_expect(eq(sz, config.tables.n, (size_t)3));
	cr_expect(eq(str, config.tables.items[2], "inventory"));
	cr_expect(eq(i64, config.heartbeat_ms, 5000));
	cr_expect(eq(i64, config.tombstone_ms, 604800000));
	config_unload(&section, 1);
}

Test(connectors, what_is_missing_is_named)
{
	CLEANUP(buf_fini) struct buf why = BUF_INIT(1024);

	sim_store_set_down(w.store, true);
	begin(&w.one, &plain, "i1");
	cr_expect(not(connectors_ready(w.one.c, &why)));
	buf_putc(&why, '\0');
	cr_expect(ne(ptr, strstr(why.p, "redis is away"), NULL));
	cr_expect(ne(ptr, strstr(why.p, "4 of 4 partitions are loading"), NULL));
}
