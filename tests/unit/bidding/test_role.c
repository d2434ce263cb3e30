/* The whole role on the in-memory seams: what the stream says, and what Kafka and Redis have of it.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bidding/bidding_role.h"
#include "common/base/arena.h"
#include "common/io/sim/bus_sim.h"
#include "common/io/sim/cache_sim.h"
#include "common/io/sim/loop_sim.h"
#include "common/io/sim/ws_sim.h"
#include "common/model/market.h"
#include "common/model/offer.h"
#include "common/model/tables.h"
#include "common/model/topics.h"

#define NOW      1788949200000
#define CONTRACT "0x387c41b0b2f1128de44db1bcf8baad085f26392c"
#define ITEM     "eip155:1/erc721:" CONTRACT "/"
#define WETH     "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
#define KEY      "eip155:1:argonauts"
#define N_PARTS  3
#define FEED     "feed:{market}:argonauts"

struct world {
	struct loop *loop;
	struct sim_broker *broker;
	struct sim_store *store;
	struct arena *arena;
	char key_file[64];
	struct bidding_config config;
};

/* One process. */
struct process {
	struct world *w;
	struct bus *bus;
	struct cache *cache;
	struct metrics *metrics;
	struct sim_remote *remote;
	struct bidding *bidding;
	unsigned join_ref;
	char instance[16];
};

static void configure(struct world *w)
{
	char key[100];
	const char *const sets[] = { key,
		"bidding.opensea.collections=slug=argonauts;chain=eip155:1;standard=erc721;"
		"contract=" CONTRACT ";fee_bps=750;currency=ETH",
		"bidding.opensea.stream_url=ws://stream.test/socket" };
	struct config_section section = { .name = "bidding",
		.rows = bidding_config_rows,
		.n_rows = bidding_config_n_rows,
		.base = &w->config };
	struct config_source source = { .sets = sets, .n_sets = ARRAY_LEN(sets) };
	struct fault f = { 0 };

	snprintf(key, sizeof(key), "bidding.opensea.api_key_file=%s", w->key_file);
	cr_assert(zero(int, config_load(&section, 1, &source, &f)), "%s", f.text);
}

static void world_init(struct world *w)
{
	int fd;

	*w = (struct world){ .key_file = "/tmp/souk-key-XXXXXX" };
	fd = mkstemp(w->key_file);
	cr_assert(fd >= 0 && write(fd, "k\n", 2) == 2);
	close(fd);
	configure(w);
	cr_assert(zero(int, loop_sim_new(&w->loop, NOW)));
	cr_assert(zero(int, arena_new(&w->arena, 1 << 20)));
	cr_assert(zero(int, sim_broker_new(&w->broker, w->loop)));
	cr_assert(zero(int, sim_store_new(&w->store, w->loop)));
	cr_assert(zero(int, sim_broker_topic(w->broker, TOPIC_MARKET_EVENTS, N_PARTS)));
	cr_assert(zero(int, sim_broker_topic(w->broker, TOPIC_BESTBID, N_PARTS)));
}

static void world_fini(struct world *w)
{
	struct config_section section = { .name = "bidding",
		.rows = bidding_config_rows,
		.n_rows = bidding_config_n_rows,
		.base = &w->config };

	config_unload(&section, 1);
	sim_store_free(w->store);
	sim_broker_free(w->broker);
	arena_free(w->arena);
	loop_free(w->loop);
	unlink(w->key_file);
}

static void process_start(struct process *p, struct world *w, const char *instance)
{
	struct fault f = { 0 };
	struct bidding_env env;

	*p = (struct process){ .w = w };
	snprintf(p->instance, sizeof(p->instance), "%s", instance);
	cr_assert(zero(int, bus_sim_new(&p->bus, w->broker, "")));
	cr_assert(zero(int, cache_sim_new(&p->cache, w->store)));
	cr_assert(zero(int, metrics_new(&p->metrics, 200)));
	cr_assert(zero(int, sim_remote_new(&p->remote, w->loop)));
	env = (struct bidding_env){ w->loop, p->bus, p->cache, p->metrics, p->instance,
		sim_remote_factory(p->remote) };
	cr_assert(zero(int, bidding_new(&p->bidding, &env, &w->config, &f)), "%s", f.text);
	loop_sim_settle(w->loop);
}

static void process_end(struct process *p)
{
	p->bidding = bidding_free(p->bidding);
	bus_free(p->bus);
	cache_free(p->cache);
	sim_remote_free(p->remote);
	metrics_free(p->metrics);
}

/* Answers the join that is waiting, if any; false if there was none. */
static bool answer_join(struct process *p)
{
	const char *sent;
	bool is_joined = false;

	while ((sent = sim_remote_next(p->remote))) {
		char text[160], ref[24];

		if (sscanf(sent, "[\"%20[0-9]\",\"%*[0-9]\",\"collection:argonauts\",\"phx_join\"",
			    ref) == 1) {
			snprintf(text, sizeof(text),
				"[\"%s\",\"%s\",\"collection:argonauts\",\"phx_reply\",{\"status\":"
				"\"ok\",\"response\":{}}]",
				ref, ref);
			p->join_ref = (unsigned)atoi(ref);
			sim_remote_send(p->remote, text);
			is_joined = true;
		} else if (sscanf(sent, "[null,\"%20[0-9]\",\"phoenix\"", ref) == 1) {
			snprintf(text, sizeof(text),
				"[null,\"%s\",\"phoenix\",\"phx_reply\",{\"status\":\"ok\"}]", ref);
			sim_remote_send(p->remote, text);
		}
		loop_sim_settle(p->w->loop);
	}
	return is_joined;
}

static void process_up(struct process *p, struct world *w, const char *instance)
{
	process_start(p, w, instance);
	loop_sim_advance(w->loop, 100);
	cr_assert(answer_join(p));
	loop_sim_advance(w->loop, 100);
}

/* Time passes, heartbeats are answered. */
static void pass(struct process *p, int64_t ms)
{
	for (; ms > 0; ms -= 100) {
		loop_sim_advance(p->w->loop, ms < 100 ? ms : 100);
		answer_join(p);
	}
}

/* ---- what the stream says ---- */

static void push(struct process *p, const char *type, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void push(struct process *p, const char *type, const char *fmt, ...)
{
	char payload[2048], text[3000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(payload, sizeof(payload), fmt, ap);
	va_end(ap);
	snprintf(text, sizeof(text),
		"[\"%u\",null,\"collection:argonauts\",\"%s\",{\"event_type\":\"%s\",\"version\":1,"
		"\"payload\":{"
		"\"chain\":\"ethereum\",\"collection\":{\"slug\":\"argonauts\"},%s}}]",
		p->join_ref, type, type, payload);
	sim_remote_send(p->remote, text);
}

static void push_bid(
	struct process *p, unsigned order, unsigned token, const char *amount, int64_t expires_ms)
{
	push(p, "item_received_bid",
		"\"base_price\":\"%s\",\"order_hash\":\"0x%064x\",\"item\":{\"nft_id\":"
		"\"ethereum/" CONTRACT "/%u\"},\"maker\":{\"address\":\"0x%040x\"},\"quantity\":1,"
		"\"expiration_date\":\"%lld\","
		"\"payment_token\":{\"address\":\"" WETH "\"}",
		amount, order, token, order, (long long)(expires_ms / 1000));
}

static void push_cancel(struct process *p, unsigned order)
{
	push(p, "item_cancelled", "\"order_hash\":\"0x%064x\",\"item\":{}", order);
}

/* ---- what Kafka and Redis have ---- */

static int32_t events_partition(void)
{
	return bus_partition_of(STR(KEY), N_PARTS);
}

static const struct bus_record *event_record(struct world *w, int64_t offset)
{
	return sim_broker_record(w->broker, TOPIC_MARKET_EVENTS, events_partition(), offset);
}

static int64_t n_events(struct world *w)
{
	return sim_broker_high(w->broker, TOPIC_MARKET_EVENTS, events_partition());
}

/* Latest record of a key on market.bestbid.v1; *ret_n counts them. */
static const struct bus_record *latest(struct world *w, const char *key, unsigned *ret_n)
{
	int32_t part = bus_partition_of(str_of(key), N_PARTS);
	const struct bus_record *found = NULL;
	unsigned n = 0;

	for (int64_t i = 0; i < sim_broker_high(w->broker, TOPIC_BESTBID, part); i++) {
		const struct bus_record *r = sim_broker_record(w->broker, TOPIC_BESTBID, part, i);

		if (!str_eqz(r->key, key))
			continue;
		found = r;
		n++;
	}
	if (ret_n)
		*ret_n = n;
	return found;
}

static struct bestbid row_of(struct world *w, unsigned token)
{
	char key[128];
	const struct bus_record *r;
	struct bestbid b = { 0 };
	struct fault f = { 0 };

	snprintf(key, sizeof(key), ITEM "%u", token);
	r = latest(w, key, NULL);
	cr_assert(r != NULL, "no row of %s", key);
	cr_assert(zero(int, decode(&bestbid_type, &b, r->value, w->arena, &f)), "%s", f.text);
	return b;
}

static unsigned n_rows(struct world *w, unsigned token)
{
	char key[128];
	unsigned n;

	snprintf(key, sizeof(key), ITEM "%u", token);
	latest(w, key, &n);
	return n;
}

static struct str cached(struct world *w, unsigned token, const char *field)
{
	char key[160];

	snprintf(key, sizeof(key), "bestbid:{" ITEM "%u}", token);
	return sim_store_get(w->store, key, field);
}

static struct str feed(struct world *w, const char *field)
{
	return sim_store_get(w->store, FEED, field);
}

#define IS(s, text) \
	cr_expect(str_eqz((s), (text)), "\"" STR_FMT "\", not \"%s\"", STR_ARG(s), (text))

/* ---- from the stream to the topics and the rows ---- */

Test(role, speaks_after_its_owner_record_and_not_before)
{
	struct world w;
	struct process p;
	struct owner_record owner;
	CLEANUP(buf_fini) struct buf why = BUF_INIT(4096);

	world_init(&w);
	process_start(&p, &w, "one");
	cr_assert(eq(i64, n_events(&w), 1));
	cr_assert(zero(int,
		decode(&owner_record_type, &owner, event_record(&w, 0)->value, w.arena, NULL)));
	IS(owner.instance, "one");
	cr_expect(eq(i64, owner.shard, events_partition()));
	cr_expect(str_eqz(event_record(&w, 0)->key, KEY));
	cr_expect(not(bidding_ready(p.bidding, &why)));
	cr_expect(strstr(why.p, "collection argonauts: ") != NULL, STR_FMT, STR_ARG(buf_str(&why)));
	loop_sim_advance(w.loop, 200);
	cr_expect(answer_join(&p));
	loop_sim_advance(w.loop, 200);
	buf_clear(&why);
	cr_expect(bidding_ready(p.bidding, &why), STR_FMT, STR_ARG(buf_str(&why)));
	cr_expect(eq(str, (char *)sim_remote_url(p.remote),
		"ws://stream.test/socket?token=k&vsn=2.0.0"));
	process_end(&p);
	world_fini(&w);
}

Test(role, a_bid_becomes_an_event_a_row_and_a_cached_row)
{
	struct world w;
	struct process p;
	struct market_event e;
	struct bestbid b;

	world_init(&w);
	process_up(&p, &w, "one");
	push_bid(&p, 1, 7, "1000", NOW + 600000);
	loop_sim_advance(w.loop, 100);

	cr_assert(eq(i64, n_events(&w), 2));
	cr_assert(zero(int,
		decode(&market_event_type_record, &e, event_record(&w, 1)->value, w.arena, NULL)));
	cr_expect(eq(int, e.type, MARKET_BID));
	IS(e.item, ITEM "7");
	cr_expect(zero(i64, e.epoch));
	IS(bus_header(event_record(&w, 1), "ce_type"), "souk." TOPIC_MARKET_EVENTS);
	IS(bus_header(event_record(&w, 1), "ce_source"), "/souk/bidding/one");

	b = row_of(&w, 7);
	cr_expect(eq(u64, (uint64_t)b.bid.amount, 1000));
	cr_expect(eq(u64, (uint64_t)b.bid_net.amount, 925));
	cr_expect(eq(u64, b.ver.part[0], 0));
	cr_expect(eq(u64, b.ver.part[1], 1));
	cr_expect(not(money_is_set(b.ask)));
	IS(b.flags, "[\"net_estimated\"]");
	cr_expect(eq(i64, b.bid_expires, NOW + 600000));

	IS(cached(&w, 7, "bid"), "1000");
	IS(cached(&w, 7, "bid_currency"), "ETH");
	IS(cached(&w, 7, "bid_net"), "925");
	IS(cached(&w, 7, "collection"), "argonauts");
	IS(cached(&w, 7, "gen"), "1");
	cr_expect(
		str_starts(cached(&w, 7, "ver"), STR("00000000000000000000.00000000000000000001")));
	cr_expect(not(str_is_set(cached(&w, 7, "ask"))));
	process_end(&p);
	world_fini(&w);
}

Test(role, the_feed_is_complete_and_as_old_as_the_last_frame)
{
	struct world w;
	struct process p;
	struct feed_record f;
	char text[24];

	world_init(&w);
	process_up(&p, &w, "one");
	IS(feed(&w, "complete"), "1");
	IS(feed(&w, "run"), "one");
	IS(feed(&w, "gap"), "0");
	IS(sim_store_get(w.store, "feed:{market}", "shards"), "1");
	pass(&p, 60000);
	cr_expect(ge(u64, strtoull(feed(&w, "alive_at").p, NULL, 10), NOW + 60200 - 11000),
		"a quiet collection stays fresh");
	loop_sim_advance(w.loop, 6000);
	cr_assert(latest(&w, "feed:argonauts", NULL) != NULL);
	cr_assert(zero(int, decode(&feed_record_type, &f, latest(&w, "feed:argonauts", NULL)->value,
				    w.arena, NULL)));
	snprintf(text, sizeof(text), "%lld", (long long)f.alive_at);
	IS(feed(&w, "alive_at"), text);
	cr_expect(eq(int, f.gap, TRI_FALSE));
	/* The stream stops answering: the feed goes on beating, and grows old. */
	loop_sim_advance(w.loop, 20000);
	IS(feed(&w, "alive_at"), text);
	process_end(&p);
	world_fini(&w);
}

Test(role, changes_of_one_turn_and_of_fifty_milliseconds_are_one_row)
{
	struct world w;
	struct process p;

	world_init(&w);
	process_up(&p, &w, "one");
	push_bid(&p, 1, 7, "1000", NOW + 600000);
	loop_sim_settle(w.loop);
	cr_expect(eq(u32, n_rows(&w, 7), 1), "nothing waits while it is quiet");
	push_bid(&p, 2, 7, "1100", NOW + 600000);
	push_bid(&p, 3, 7, "1200", NOW + 600000);
	loop_sim_settle(w.loop);
	cr_expect(eq(u32, n_rows(&w, 7), 1));
	loop_sim_advance(w.loop, 50);
	cr_expect(eq(u32, n_rows(&w, 7), 2));
	cr_expect(eq(u64, (uint64_t)row_of(&w, 7).bid.amount, 1200));
	push_bid(&p, 4, 7, "500", NOW + 600000);
	loop_sim_advance(w.loop, 200);
	cr_expect(eq(u32, n_rows(&w, 7), 2), "a bid below the best one changes no row");
	cr_expect(eq(i64, n_events(&w), 5));
	process_end(&p);
	world_fini(&w);
}

Test(role, a_repeated_frame_is_one_event)
{
	struct world w;
	struct process p;

	world_init(&w);
	process_up(&p, &w, "one");
	push_bid(&p, 1, 7, "1000", NOW + 600000);
	push_bid(&p, 1, 7, "1000", NOW + 600000);
	loop_sim_advance(w.loop, 100);
	cr_expect(eq(i64, n_events(&w), 2));
	cr_expect(
		eq(i64, metrics_value(p.metrics, "souk_bidding_book_events_total", "repeated"), 1));
	process_end(&p);
	world_fini(&w);
}

Test(role, an_expiry_shows_within_a_second_without_any_event)
{
	struct world w;
	struct process p;
	struct bestbid b;

	world_init(&w);
	process_up(&p, &w, "one");
	push_bid(&p, 1, 7, "1000", NOW + 5000);
	loop_sim_advance(w.loop, 4000);
	cr_expect(eq(u64, (uint64_t)row_of(&w, 7).bid.amount, 1000));
	loop_sim_advance(w.loop, NOW + 5999 - loop_now_ms(w.loop));
	b = row_of(&w, 7);
	cr_expect(not(money_is_set(b.bid)));
	cr_expect(zero(i64, b.bid_expires));
	cr_expect(not(str_is_set(cached(&w, 7, "bid"))));
	process_end(&p);
	world_fini(&w);
}

Test(role, a_clock_that_is_set_forward_expires_within_a_second_too)
{
	struct world w;
	struct process p;

	world_init(&w);
	process_up(&p, &w, "one");
	push_bid(&p, 1, 7, "1000", NOW + 600000);
	loop_sim_advance(w.loop, 100);
	loop_sim_step_wall(w.loop, 700000);
	loop_sim_advance(w.loop, 1000);
	cr_expect(not(money_is_set(row_of(&w, 7).bid)));
	process_end(&p);
	world_fini(&w);
}

Test(role, a_moving_ask_is_published_when_it_moved_or_after_ten_seconds)
{
	struct world w;
	struct process p;
	unsigned n;

	world_init(&w);
	process_up(&p, &w, "one");
	/* From 1,000,000 to 0 in 10,000 s: 100 a second, which is 0.01 %. */
	push(&p, "item_listed",
		"\"base_price\":\"1000000\",\"order_hash\":\"0x%064x\",\"item\":{\"nft_id\":"
		"\"ethereum/" CONTRACT "/7\"},\"maker\":{\"address\":\"0x%040x\"},\"quantity\":1,"
		"\"listing_type\":\"dutch\",\"listing_date\":\"%lld\","
		"\"expiration_date\":\"%lld\",\"payment_token\":{\"address\":\"" WETH
		"\"},\"protocol_data\":{\"parameters\":{"
		"\"offer\":[],\"consideration\":[{\"itemType\":1,\"token\":\"" WETH
		"\",\"startAmount\":\"1000000\",\"endAmount\":\"0\"}]}}",
		1, 1, NOW / 1000LL, NOW / 1000LL + 10000);
	loop_sim_advance(w.loop, 100);
	n = n_rows(&w, 7);
	cr_expect(eq(u32, n, 1));
	pass(&p, 9000);
	cr_expect(eq(u32, n_rows(&w, 7), 1));
	pass(&p, 3000);
	cr_expect(eq(u32, n_rows(&w, 7), 2));
	cr_expect(lt(u64, (uint64_t)row_of(&w, 7).ask.amount, 999100));
	process_end(&p);
	world_fini(&w);
}

Test(role, bad_messages_are_counted_and_the_stream_goes_on)
{
	struct world w;
	struct process p;

	world_init(&w);
	process_up(&p, &w, "one");
	push(&p, "item_received_bid", "\"base_price\":\"1\"");
	push(&p, "item_teleported", "\"x\":1");
	sim_remote_send(p.remote, "[\"");
	push_bid(&p, 1, 7, "1000", NOW + 600000);
	loop_sim_advance(w.loop, 100);
	cr_expect(eq(i64, metrics_value(p.metrics, "souk_bidding_bad_frames_total", "item"), 1));
	cr_expect(eq(i64, metrics_value(p.metrics, "souk_bidding_bad_frames_total", "json"), 1));
	cr_expect(eq(i64, metrics_value(p.metrics, "souk_bidding_frames_total", "unknown"), 1));
	cr_expect(eq(i64, metrics_value(p.metrics, "souk_bidding_orders", NULL), 1));
	cr_expect(eq(u64, (uint64_t)row_of(&w, 7).bid.amount, 1000));
	process_end(&p);
	world_fini(&w);
}

/* ---- gaps and restarts ---- */

Test(role, a_restart_reads_the_book_back_and_flags_the_gap)
{
	struct world w;
	struct process p;
	struct bestbid b;

	world_init(&w);
	process_up(&p, &w, "one");
	push_bid(&p, 1, 7, "1000", NOW + 600000);
	push_bid(&p, 2, 7, "2000", NOW + 600000);
	push_bid(&p, 3, 8, "500", NOW + 600000);
	push_cancel(&p, 2);
	push_bid(&p, 4, 9, "600", NOW + 600000);
	push_cancel(&p, 4);
	loop_sim_advance(w.loop, 100);
	process_end(&p);

	process_up(&p, &w, "two");
	b = row_of(&w, 7);
	cr_expect(eq(u64, (uint64_t)b.bid.amount, 1000));
	cr_expect(bestbid_has_flag(&b, "gap"));
	cr_expect(eq(u64, b.ver.part[0], 7), "the offset of the new owner record");
	b = row_of(&w, 9);
	cr_expect(not(money_is_set(b.bid)));
	cr_expect(bestbid_has_flag(&b, "gap"), "also a row with nothing in it");
	IS(cached(&w, 7, "flags"), "[\"gap\",\"net_estimated\"]");
	IS(feed(&w, "run"), "two");
	IS(feed(&w, "gap"), "1");

	push_bid(&p, 5, 7, "1500", NOW + 600000);
	loop_sim_advance(w.loop, 100);
	b = row_of(&w, 7);
	cr_expect(eq(u64, (uint64_t)b.bid.amount, 1500));
	cr_expect(not(bestbid_has_flag(&b, "gap")));
	b = row_of(&w, 8);
	cr_expect(bestbid_has_flag(&b, "gap"));
	push_cancel(&p, 3);
	push_bid(&p, 6, 9, "1", NOW + 600000);
	pass(&p, 5100);
	IS(feed(&w, "gap"), "0");
	process_end(&p);
	world_fini(&w);
}

Test(role, the_feed_of_a_restarted_process_does_not_beat_before_its_rows_are_in)
{
	struct world w;
	struct process p;
	char was[24];

	world_init(&w);
	process_up(&p, &w, "one");
	push_bid(&p, 1, 7, "1000", NOW + 600000);
	loop_sim_advance(w.loop, 100);
	process_end(&p);
	str_copy(was, sizeof(was), feed(&w, "alive_at"));
	loop_sim_advance(w.loop, 60000);
	sim_broker_set_latency(w.broker, 3000000);
	process_start(&p, &w, "two");
	for (unsigned i = 0; i < 8; i++) {
		loop_sim_advance(w.loop, 1000);
		answer_join(&p);
		if (row_of(&w, 7).ver.part[0] == 0)
			IS(feed(&w, "alive_at"), was);
	}
	pass(&p, 10000);
	cr_expect(str_starts(cached(&w, 7, "ver"), STR("00000000000000000002.")));
	cr_expect(not(str_eqz(feed(&w, "alive_at"), was)));
	process_end(&p);
	world_fini(&w);
}

Test(role, what_a_former_owner_wrote_too_late_is_void)
{
	struct world w;
	struct process p;
	static const char late[] =
		"{\"type\":\"bid\",\"collection\":\"argonauts\",\"item\":\"" ITEM "7\",\"order\":"
		"\"0x00000000000000000000000000000000000000000000000000000000000000ff\","
		"\"ts\":1788949200000,\"price\":{\"amount\":\"9999\",\"currency\":\"ETH\"},"
		"\"price_net\":{\"amount\":\"9999\",\"currency\":\"ETH\"},\"epoch\":1}";

	world_init(&w);
	process_up(&p, &w, "one");
	push_bid(&p, 1, 7, "1000", NOW + 600000);
	loop_sim_advance(w.loop, 100);
	process_end(&p);
	process_up(&p, &w, "two"); /* epoch 2 */
	cr_assert(zero(int, bus_send(p.bus, &(struct bus_message){ .topic = TOPIC_MARKET_EVENTS,
						    .partition = events_partition(),
						    .key = STR(KEY),
						    .value = str_of(late) })));
	cr_assert(zero(int, bus_send(p.bus, &(struct bus_message){ .topic = TOPIC_MARKET_EVENTS,
						    .partition = events_partition(),
						    .key = STR(KEY),
						    .value = STR("not json") })));
	loop_sim_advance(w.loop, 100);
	process_end(&p);
	process_up(&p, &w, "three");
	cr_expect(eq(u64, (uint64_t)row_of(&w, 7).bid.amount, 1000));
	cr_expect(eq(i64, metrics_value(p.metrics, "souk_bidding_replay_void_total", NULL), 1));
	cr_expect(eq(i64, metrics_value(p.metrics, "souk_bidding_replay_bad_total", NULL), 1));
	process_end(&p);
	world_fini(&w);
}

Test(role, events_of_other_collections_in_the_partition_are_not_read)
{
	struct world w;
	struct process p;
	struct bus *other = NULL;
	static const char text[] =
		"{\"type\":\"bid\",\"collection\":\"x\",\"item\":\"" ITEM "7\",\"order\":"
		"\"0x00000000000000000000000000000000000000000000000000000000000000ff\","
		"\"ts\":1788949200000,\"price\":{\"amount\":\"9999\",\"currency\":\"ETH\"},"
		"\"price_net\":{\"amount\":\"9999\",\"currency\":\"ETH\"}}";

	world_init(&w);
	cr_assert(zero(int, bus_sim_new(&other, w.broker, "")));
	cr_assert(zero(int, bus_send(other, &(struct bus_message){ .topic = TOPIC_MARKET_EVENTS,
						    .partition = events_partition(),
						    .key = STR("eip155:1:x"),
						    .value = str_of(text) })));
	loop_sim_settle(w.loop);
	process_up(&p, &w, "one");
	cr_expect(zero(u32, n_rows(&w, 7)));
	IS(feed(&w, "gap"), "0");
	process_end(&p);
	bus_free(other);
	world_fini(&w);
}

Test(role, a_lost_connection_is_a_gap)
{
	struct world w;
	struct process p;
	struct bestbid b;

	world_init(&w);
	process_up(&p, &w, "one");
	push_bid(&p, 1, 7, "1000", NOW + 600000);
	loop_sim_advance(w.loop, 100);
	sim_remote_close(p.remote, 1006);
	pass(&p, 1000);
	b = row_of(&w, 7);
	cr_expect(bestbid_has_flag(&b, "gap"));
	cr_expect(eq(u64, (uint64_t)b.bid.amount, 1000));
	IS(feed(&w, "gap"), "1");
	cr_expect(eq(i64, metrics_value(p.metrics, "souk_bidding_gap_items", NULL), 1));
	push_cancel(&p, 1);
	loop_sim_advance(w.loop, 100);
	b = row_of(&w, 7);
	cr_expect(not(bestbid_has_flag(&b, "gap")));
	process_end(&p);
	world_fini(&w);
}

/* ---- Redis ---- */

Test(role, a_flushed_redis_gets_every_row_again)
{
	struct world w;
	struct process p;

	world_init(&w);
	process_up(&p, &w, "one");
	push_bid(&p, 1, 7, "1000", NOW + 600000);
	push_bid(&p, 2, 8, "2000", NOW + 600000);
	loop_sim_advance(w.loop, 100);
	sim_store_flush(w.store);
	cr_expect(not(str_is_set(cached(&w, 7, "bid"))));
	pass(&p, 6000);
	IS(cached(&w, 7, "bid"), "1000");
	IS(cached(&w, 8, "bid"), "2000");
	IS(feed(&w, "complete"), "1");
	IS(feed(&w, "run"), "one");
	cr_expect(eq(u32, n_rows(&w, 7), 1), "Kafka has them already");
	process_end(&p);
	world_fini(&w);
}

Test(role, what_changed_while_redis_was_away_is_there_when_it_is_back)
{
	struct world w;
	struct process p;
	CLEANUP(buf_fini) struct buf why = BUF_INIT(4096);
	char alive[24];

	world_init(&w);
	process_up(&p, &w, "one");
	push_bid(&p, 1, 7, "1000", NOW + 600000);
	loop_sim_advance(w.loop, 100);
	sim_store_set_down(w.store, true);
	push_bid(&p, 2, 7, "1500", NOW + 600000);
	pass(&p, 20000);
	str_copy(alive, sizeof(alive), feed(&w, "alive_at"));
	cr_expect(not(bidding_ready(p.bidding, &why)));
	cr_expect(strstr(why.p, "Redis") != NULL);
	cr_expect(eq(u64, (uint64_t)row_of(&w, 7).bid.amount, 1500), "Kafka goes on");
	sim_store_set_down(w.store, false);
	IS(cached(&w, 7, "bid"), "1000");
	IS(feed(&w, "alive_at"), alive);
	pass(&p, 2000);
	IS(cached(&w, 7, "bid"), "1500");
	cr_expect(not(str_eqz(feed(&w, "alive_at"), alive)));
	process_end(&p);
	world_fini(&w);
}

Test(role, a_feed_that_another_run_took_is_taken_back_with_its_rows)
{
	struct world w;
	struct process p;

	world_init(&w);
	process_up(&p, &w, "one");
	push_bid(&p, 1, 7, "1000", NOW + 600000);
	loop_sim_advance(w.loop, 100);
	sim_store_drop(w.store, FEED);
	sim_store_drop(w.store, "bestbid:{" ITEM "7}");
	pass(&p, 6000);
	IS(cached(&w, 7, "bid"), "1000");
	IS(feed(&w, "complete"), "1");
	cr_expect(ge(i64, metrics_value(p.metrics, "souk_bidding_cache_failures_total", NULL), 1));
	process_end(&p);
	world_fini(&w);
}

/* ---- Kafka ---- */

Test(role, while_kafka_is_away_changes_wait_and_are_merged)
{
	struct world w;
	struct process p;
	struct market_event e;

	world_init(&w);
	process_up(&p, &w, "one");
	push_bid(&p, 1, 7, "1000", NOW + 600000);
	loop_sim_advance(w.loop, 100);
	sim_broker_set_down(w.broker, true);
	push_bid(&p, 2, 7, "1100", NOW + 600000);
	loop_sim_advance(w.loop, 1000);
	push_bid(&p, 3, 7, "1200", NOW + 600000);
	loop_sim_advance(w.loop, 1000);
	push_bid(&p, 4, 7, "1300", NOW + 600000);
	pass(&p, 8000);
	IS(cached(&w, 7, "bid"), "1000");
	cr_expect(gt(u64, strtoull(feed(&w, "lag_ms").p, NULL, 10), 5000),
		"the feed says that rows are behind");
	sim_broker_set_down(w.broker, false);
	pass(&p, 6000);
	IS(cached(&w, 7, "bid"), "1300");
	IS(feed(&w, "lag_ms"), "0");
	cr_expect(eq(u32, n_rows(&w, 7), 3), "the one in flight and one for the rest");
	cr_assert(eq(i64, n_events(&w), 5));
	for (int64_t i = 1; i < 5; i++) {
		char hash[67];

		snprintf(hash, sizeof(hash), "0x%064x", (unsigned)i);
		cr_assert(zero(int, decode(&market_event_type_record, &e,
					    event_record(&w, i)->value, w.arena, NULL)));
		IS(e.order, hash);
	}
	process_end(&p);
	world_fini(&w);
}

Test(role, a_full_producer_holds_back_and_loses_nothing)
{
	struct world w;
	struct process p;

	world_init(&w);
	process_up(&p, &w, "one");
	sim_broker_set_latency(w.broker, 20000);
	sim_bus_set_queue_max(p.bus, 2);
	for (unsigned i = 1; i <= 30; i++)
		push_bid(&p, i, i, "1000", NOW + 600000);
	pass(&p, 30000);
	cr_expect(eq(i64, n_events(&w), 31));
	for (unsigned i = 1; i <= 30; i++) {
		cr_expect(eq(u32, n_rows(&w, i), 1));
		IS(cached(&w, i, "bid"), "1000");
	}
	process_end(&p);
	world_fini(&w);
}

Test(role, events_and_rows_that_kafka_refuses_are_sent_again)
{
	struct world w;
	struct process p;

	world_init(&w);
	process_up(&p, &w, "one");
	sim_broker_fail_sends(w.broker, TOPIC_MARKET_EVENTS, 1, -EIO);
	sim_broker_fail_sends(w.broker, TOPIC_BESTBID, 1, -EIO);
	push_bid(&p, 1, 7, "1000", NOW + 600000);
	pass(&p, 3000);
	cr_expect(eq(i64, n_events(&w), 2));
	cr_expect(eq(u64, (uint64_t)row_of(&w, 7).bid.amount, 1000));
	IS(cached(&w, 7, "bid"), "1000");
	cr_expect(eq(i64, metrics_value(p.metrics, "souk_bidding_events_failed_total", NULL), 1));
	cr_expect(eq(i64, metrics_value(p.metrics, "souk_bidding_rows_failed_total", NULL), 1));
	process_end(&p);
	world_fini(&w);
}

Test(role, when_the_log_is_behind_new_orders_are_refused_and_ends_are_not)
{
	struct world w;
	struct process p;

	world_init(&w);
	w.config.events_in_flight = 16;
	process_up(&p, &w, "one");
	sim_broker_set_down(w.broker, true);
	for (unsigned i = 1; i <= 20; i++)
		push_bid(&p, i, 7, "1000", NOW + 600000);
	loop_sim_settle(w.loop);
	cr_expect(eq(
		i64, metrics_value(p.metrics, "souk_bidding_book_events_total", "accepted"), 12));
	cr_expect(eq(i64, metrics_value(p.metrics, "souk_bidding_book_events_total", "full"), 8));
	push_cancel(&p, 1);
	loop_sim_settle(w.loop);
	cr_expect(eq(i64, metrics_value(p.metrics, "souk_bidding_orders", NULL), 11));
	for (unsigned i = 2; i <= 6; i++)
		push_cancel(&p, i);
	loop_sim_settle(w.loop);
	cr_expect(eq(i64, metrics_value(p.metrics, "souk_bidding_orders", NULL), 6));
	cr_expect(eq(i64, metrics_value(p.metrics, "souk_bidding_events_dropped_total", NULL), 2));
	cr_expect(eq(i64, metrics_value(p.metrics, "souk_bidding_gap_items", NULL), 1),
		"the book is ahead of its log");
	process_end(&p);
	world_fini(&w);
}

/* ---- ownership ---- */

Test(role, a_replaced_owner_stops_and_claims_again_from_the_log)
{
	struct world w;
	struct process p;
	struct bus *other = NULL;
	int64_t high;
	static const char record[] =
		"{\"type\":\"owner\",\"shard\":0,\"instance\":\"rival\",\"ts\":1788949200000}";
	static const char event[] =
		"{\"type\":\"bid\",\"collection\":\"argonauts\",\"item\":\"" ITEM "8\",\"order\":"
		"\"0x00000000000000000000000000000000000000000000000000000000000000ff\","
		"\"ts\":1788949200000,\"price\":{\"amount\":\"800\",\"currency\":\"ETH\"},"
		"\"price_net\":{\"amount\":\"700\",\"currency\":\"ETH\"},\"epoch\":2}";
	const char *const texts[] = { record, event };

	world_init(&w);
	process_up(&p, &w, "one");
	push_bid(&p, 1, 7, "1000", NOW + 600000);
	loop_sim_advance(w.loop, 100);
	cr_assert(zero(int, bus_sim_new(&other, w.broker, "")));
	for (size_t i = 0; i < 2; i++)
		cr_assert(zero(
			int, bus_send(other, &(struct bus_message){ .topic = TOPIC_MARKET_EVENTS,
						     .partition = events_partition(),
						     .key = STR(KEY),
						     .value = str_of(texts[i]) })));
	loop_sim_settle(w.loop);
	/* We notice when our next record is not where it should be; it is void. */
	push_bid(&p, 2, 7, "5000", NOW + 600000);
	loop_sim_settle(w.loop);
	cr_expect(eq(i64, metrics_value(p.metrics, "souk_bidding_owner_lost_total", NULL), 1));
	high = n_events(&w);
	push_bid(&p, 3, 7, "6000", NOW + 600000);
	loop_sim_advance(w.loop, 900);
	cr_expect(eq(i64, n_events(&w), high), "nothing is said while another speaks");
	pass(&p, 5000);
	cr_expect(eq(i64, n_events(&w), high + 1), "but the collection is configured here");
	cr_expect(eq(u64, (uint64_t)row_of(&w, 8).bid.amount, 800));
	cr_expect(eq(u64, row_of(&w, 8).ver.part[0], (uint64_t)high));
	cr_expect(eq(u64, (uint64_t)row_of(&w, 7).bid.amount, 1000),
		"the bid that came too late is not in the book");
	IS(cached(&w, 8, "bid"), "800");
	process_end(&p);
	bus_free(other);
	world_fini(&w);
}

Test(role, the_daily_owner_record_raises_the_epoch_and_nothing_else)
{
	struct world w;
	struct process p;
	struct market_event e;
	int64_t epoch;

	world_init(&w);
	w.config.heartbeat_ms = 3600000;
	w.config.stream_heartbeat_ms = 3600000;
	process_up(&p, &w, "one");
	push_bid(&p, 1, 7, "1000", 0);
	pass(&p, 1000);
	for (unsigned i = 0; i < 25; i++) {
		loop_sim_advance(w.loop, 3600000);
		answer_join(&p);
	}
	epoch = n_events(&w) - 1;
	cr_expect(eq(i64, epoch, 2));
	push_bid(&p, 2, 7, "2000", loop_now_ms(w.loop) + 600000);
	loop_sim_advance(w.loop, 100);
	cr_assert(zero(int,
		decode(&market_event_type_record, &e, event_record(&w, 3)->value, w.arena, NULL)));
	cr_expect(eq(i64, e.epoch, 2));
	cr_expect(eq(u64, row_of(&w, 7).ver.part[0], 2));
	cr_expect(eq(u64, row_of(&w, 7).ver.part[1], 1));
	process_end(&p);
	world_fini(&w);
}

/* ---- the end ---- */

static void on_done(void *ctx)
{
	++*(unsigned *)ctx;
}

Test(role, a_drain_waits_for_what_is_in_flight_and_takes_nothing_new)
{
	struct world w;
	struct process p;
	unsigned n_done = 0;

	world_init(&w);
	process_up(&p, &w, "one");
	sim_broker_set_latency(w.broker, 500000);
	push_bid(&p, 1, 7, "1000", NOW + 600000);
	loop_sim_settle(w.loop);
	bidding_drain(p.bidding, on_done, &n_done);
	bidding_drain(p.bidding, on_done, &n_done);
	loop_sim_advance(w.loop, 100);
	cr_expect(zero(u32, n_done));
	cr_expect(not(sim_remote_is_open(p.remote)));
	loop_sim_advance(w.loop, 2000);
	cr_expect(eq(u32, n_done, 1));
	IS(cached(&w, 7, "bid"), "1000");
	process_end(&p);
	world_fini(&w);
}

Test(role, a_drain_does_not_wait_for_ever)
{
	struct world w;
	struct process p;
	unsigned n_done = 0;

	world_init(&w);
	process_up(&p, &w, "one");
	sim_broker_set_down(w.broker, true);
	push_bid(&p, 1, 7, "1000", NOW + 600000);
	loop_sim_settle(w.loop);
	bidding_drain(p.bidding, on_done, &n_done);
	loop_sim_advance(w.loop, 9900);
	cr_expect(zero(u32, n_done));
	loop_sim_advance(w.loop, 200);
	cr_expect(eq(u32, n_done, 1));
	process_end(&p);
	world_fini(&w);
}

Test(role, a_configuration_that_cannot_work_is_a_fault)
{
	struct world w;
	struct process p = { 0 };
	struct fault f = { 0 };
	struct bidding_env env;
	char *key, *one[2];

	world_init(&w);
	cr_assert(zero(int, bus_sim_new(&p.bus, w.broker, "")));
	cr_assert(zero(int, cache_sim_new(&p.cache, w.store)));
	cr_assert(zero(int, metrics_new(&p.metrics, 200)));
	cr_assert(zero(int, sim_remote_new(&p.remote, w.loop)));
	env = (struct bidding_env){ w.loop, p.bus, p.cache, p.metrics, "i",
		sim_remote_factory(p.remote) };
	key = w.config.api_key_file;
	w.config.api_key_file = NULL;
	cr_expect(eq(int, bidding_new(&p.bidding, &env, &w.config, &f), -EINVAL));
	cr_expect(strstr(f.text, "api_key_file") != NULL, "%s", f.text);
	w.config.api_key_file = key;
	one[0] = one[1] = w.config.collections.items[0];
	struct config_list was = w.config.collections;

	w.config.collections = (struct config_list){ one, 2 };
	cr_expect(eq(int, bidding_new(&p.bidding, &env, &w.config, &f), -EINVAL));
	cr_expect(strstr(f.text, "collections[1]: slug: \"argonauts\" is followed twice") != NULL,
		"%s", f.text);
	w.config.collections = was;
	process_end(&p);
	world_fini(&w);
}
