#pragma once

/* The whole role on the in-memory seams, with the driven clock: nothing happens that the test does
 * not make happen. */
#include "tests/unit/pricing/fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/io/bus.h"
#include "common/io/sim/bus_sim.h"
#include "common/io/sim/cache_sim.h"
#include "common/io/sim/loop_sim.h"
#include "common/model/offer.h"
#include "common/model/topics.h"
#include "pricing/pricing_role.h"

#define NOW     INT64_C(1795334400000)
#define GROUP   "souk-pricing"
#define SHARDS  4
#define REPLIES 8
#define MAX_AGE 15000
#define TTL     30000

struct world {
	struct loop *loop;
	struct sim_broker *broker;
	struct bus *bus, *client; /* the role's, the test's */
	struct sim_store *store;
	struct cache *cache, *writer;
	struct metrics *metrics;
	struct pricing *pricing;
	struct pricing_config config;
	char rules_file[512], keys_file[512];
	struct arena *arena;
};

static inline void world_topics(struct world *w)
{
	cr_assert(zero(int, sim_broker_topic(w->broker, TOPIC_INTEREST, SHARDS)));
	cr_assert(zero(int, sim_broker_topic(w->broker, TOPIC_INTEREST TOPIC_DLQ_SUFFIX, SHARDS)));
	cr_assert(zero(int, sim_broker_topic(w->broker, TOPIC_DECISIONS, SHARDS)));
	cr_assert(zero(int, sim_broker_topic(w->broker, TOPIC_OFFERS, REPLIES)));
	cr_assert(zero(int, sim_broker_topic(w->broker, TOPIC_RULES, 1)));
}

static inline void world_init(struct world *w)
{
	const char *data = getenv("SOUK_TEST_DATA");

	*w = (struct world){ 0 };
	cr_assert(data != NULL, "SOUK_TEST_DATA is not set");
	snprintf(w->rules_file, sizeof(w->rules_file), "%s/scenario/rules.json", data);
	snprintf(w->keys_file, sizeof(w->keys_file), "%s/scenario/quote-keys.json", data);
	cr_assert(zero(int, loop_sim_new(&w->loop, NOW)));
	cr_assert(zero(int, sim_broker_new(&w->broker, w->loop)));
	world_topics(w);
	cr_assert(zero(int, bus_sim_new(&w->bus, w->broker, "")));
	cr_assert(zero(int, bus_sim_new(&w->client, w->broker, "")));
	cr_assert(zero(int, sim_store_new(&w->store, w->loop)));
	cr_assert(zero(int, cache_sim_new(&w->cache, w->store)));
	cr_assert(zero(int, cache_sim_new(&w->writer, w->store)));
	cr_assert(zero(int, metrics_new(&w->metrics, 256)));
	cr_assert(zero(int, arena_new(&w->arena, 1 << 20)));
	w->config = (struct pricing_config){
		.rules_file = w->rules_file,
		.quote_keys_file = w->keys_file,
		.group = (char *)GROUP,
		.heartbeat_ms = 5000,
		.max_age_profile_ms = MAX_AGE,
		.max_age_loyalty_ms = MAX_AGE,
		.max_age_inventory_ms = MAX_AGE,
		.max_age_market_ms = MAX_AGE,
		.offer_ttl_ms = TTL,
		.floor_over_bid_bps = 300,
		.max_discount_bps = 5000,
		.moved_bps = 100,
		.in_flight_max = 1000,
		.recent_max = 1000,
		.memo_max = 1000,
	};
}

static inline void world_start(struct world *w)
{
	const struct pricing_env env = { w->loop, w->bus, w->cache, w->metrics, "test-instance" };
	struct fault f = { 0 };

	cr_assert(zero(int, pricing_new(&w->pricing, &env, &w->config, &f)), "%s", f.text);
	loop_sim_settle(w->loop);
}

static inline void world_fini(struct world *w)
{
	pricing_free(w->pricing);
	bus_free(w->bus);
	bus_free(w->client);
	cache_free(w->cache);
	cache_free(w->writer);
	sim_store_free(w->store);
	sim_broker_free(w->broker);
	metrics_free(w->metrics);
	arena_free(w->arena);
	loop_free(w->loop);
}

/* ---- rows and feeds ---- */

static inline void world_beat(struct world *w, const char *side, const char *shard, bool complete)
{
	char key[200];

	snprintf(key, sizeof(key), "feed:{%s}:%s", side, shard);
	cr_assert(zero(int, cache_feed_open(w->writer, str_of(key), STR("run"), NULL, NULL)));
	cr_assert(zero(int, cache_feed_beat(w->writer,
				    &(struct cache_feed){ .key = str_of(key),
					    .run = STR("run"),
					    .alive_at = loop_now_ms(w->loop),
					    .complete = complete },
				    NULL, NULL)));
	loop_sim_settle(w->loop);
}

static inline void world_side(struct world *w, const char *side)
{
	char shard[16];

	cr_assert(zero(int, cache_side_open(w->writer, str_of(side), SHARDS, NULL, NULL)));
	for (int i = 0; i < SHARDS; i++) {
		snprintf(shard, sizeof(shard), "%d", i);
		world_beat(w, side, shard, true);
	}
}

static inline void world_beat_all(struct world *w)
{
	world_side(w, "profile");
	world_side(w, "loyalty");
	world_side(w, "inventory");
	world_beat(w, "market", "cool-cats", true);
}

/* Fields come in pairs, NULL-terminated. */
static inline void world_put(
	struct world *w, const char *key, uint64_t part, const char *const *fields)
{
	char ver[VERSION_TEXT_MAX];
	struct row row = { .n = 0 };

	for (size_t i = 0; fields[i]; i += 2)
		cr_assert(zero(int, row_put(&row, str_of(fields[i]), str_of(fields[i + 1]))));
	const struct cache_write write = {
		.key = str_of(key),
		.ver = { ver, version_format_stored(ver, (struct version){ { part } }) },
		.gen = 1,
		.row = &row,
	};

	cr_assert(zero(int, cache_write(w->writer, &write, NULL, NULL)));
	loop_sim_settle(w->loop);
}

#define PUT(w, key, part, ...) world_put(w, key, part, (const char *const[]){ __VA_ARGS__, NULL })

static inline void world_inventory(
	struct world *w, uint64_t ver, const char *list, const char *supply)
{
	PUT(w, "inventory:{" ITEM "}", ver, "item", ITEM, "list", list, "list_currency", "ETH",
		"supply", supply, "collection", "cool-cats");
}

static inline void world_bid(struct world *w, uint64_t ver, const char *bid_net)
{
	PUT(w, "bestbid:{" ITEM "}", ver, "item", ITEM, "collection", "cool-cats", "as_of",
		"1795334400000", "bid_net", bid_net, "bid_net_currency", "WETH");
}

/* ---- events ---- */

static inline void world_send_raw(struct world *w, int32_t partition, const char *key,
	const char *value, const struct bus_header *headers, size_t n_headers)
{
	cr_assert(zero(int, bus_send(w->client, &(struct bus_message){ .topic = TOPIC_INTEREST,
							.partition = partition,
							.key = str_of(key),
							.value = str_of(value),
							.headers = headers,
							.n_headers = n_headers })));
}

#define INTEREST(id, user) \
	"{\"id\":\"" id "\",\"client_id\":\"c-" id "\",\"ts\":1795334399900,\"user\":\"" user \
	"\",\"session\":\"s_9\"," \
	"\"item\":\"" ITEM "\",\"signal\":{\"kind\":\"view\"}}"

static inline void world_interest(struct world *w, const char *id, const char *user)
{
	char value[1024];

	snprintf(value, sizeof(value),
		"{\"id\":\"%s\",\"client_id\":\"c-%s\",\"ts\":1795334399900,\"user\":\"%s\","
		"\"session\":\"s_9\",\"item\":\"" ITEM "\",\"signal\":{\"kind\":\"view\"}}",
		id, id, user);
	world_send_raw(w, BUS_BY_KEY, user, value, NULL, 0);
}

static inline int32_t shard_of(const char *user)
{
	return bus_partition_of(str_of(user), SHARDS);
}

static inline int32_t reply_of(const char *user)
{
	return bus_partition_of(str_of(user), REPLIES);
}

/* ---- what came of them ---- */

static inline const struct bus_record *world_record(
	struct world *w, const char *topic, int32_t partition, int64_t offset)
{
	const struct bus_record *r = sim_broker_record(w->broker, topic, partition, offset);

	cr_assert(r != NULL, "no record in %s/%d at %d", topic, (int)partition, (int)offset);
	return r;
}

static inline struct decision world_decision(struct world *w, int32_t partition, int64_t offset)
{
	const struct bus_record *r = world_record(w, TOPIC_DECISIONS, partition, offset);
	struct decision d;
	struct fault f = { 0 };

	cr_assert(zero(int, decode(&decision_type, &d, r->value, w->arena, &f)), "%s", f.text);
	return d;
}

static inline struct offer world_offer(struct world *w, int32_t partition, int64_t offset)
{
	const struct bus_record *r = world_record(w, TOPIC_OFFERS, partition, offset);
	struct offer o;
	struct fault f = { 0 };

	cr_assert(zero(int, decode(&offer_type, &o, r->value, w->arena, &f)), "%s", f.text);
	return o;
}

static inline int64_t world_high(struct world *w, const char *topic, int32_t partition)
{
	return sim_broker_high(w->broker, topic, partition);
}

static inline int64_t world_count(struct world *w, const char *name, const char *label)
{
	return metrics_value(w->metrics, name, label);
}

static inline int64_t world_committed(struct world *w, int32_t partition, struct str *ret_metadata)
{
	struct str metadata;

	return sim_broker_committed(w->broker, GROUP, TOPIC_INTEREST, partition,
		ret_metadata ? ret_metadata : &metadata);
}
