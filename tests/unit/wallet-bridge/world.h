#pragma once

/*
 * The role on the in-memory seams, with the driven clock, and several processes of it on one broker
 * and one Redis. The test is the gateway, the shop, the market and the executor.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/io/sim/bus_sim.h"
#include "common/io/sim/cache_sim.h"
#include "common/io/sim/loop_sim.h"
#include "common/model/item.h"
#include "common/model/ledger.h"
#include "common/model/offer.h"
#include "common/model/order.h"
#include "common/model/quote.h"
#include "common/model/tables.h"
#include "common/model/topics.h"
#include "wallet-bridge/request_log.h"
#include "wallet-bridge/wallet_role.h"

#define NOW       INT64_C(1795334400000)
#define GROUP     "souk-wallet-bridge"
#define PARTS     2
#define LEDGERS   2
#define PROCESSES 3
#define ITEM      "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/77"
#define OTHER     "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/78"
#define WALLET    "0x3b3ee1931dc30c1957379fac9aba94d1c48a5405"

/* One process of the role. */
struct proc {
	struct bus *bus;
	struct cache *cache;
	struct metrics *metrics;
	struct wallet_bridge *bridge;
	struct wallet_config config;
	char instance[16], group[32];
};

struct world {
	struct loop *loop;
	struct sim_broker *broker;
	struct sim_store *store;
	struct bus *client;
	struct proc proc[PROCESSES];
	struct quote_keys *keys;
	char keys_file[512];
	struct arena *arena;
	struct wallet_config config; /* template */
	int64_t executor_epoch[PARTS];
	/* A result that failed is sent again behind those that did not. */
	bool allows_disorder;
};

static inline void world_init_with(struct world *w, int32_t stock_partitions)
{
	static const char *const topics[] = { TOPIC_ORDERS, TOPIC_ORDERS TOPIC_DLQ_SUFFIX,
		TOPIC_PAYMENT_REQUESTS, TOPIC_PAYMENT_RESULTS, TOPIC_INVENTORY, TOPIC_BESTBID };
	const char *data = getenv("SOUK_TEST_DATA");
	struct fault f = { 0 };

	*w = (struct world){ 0 };
	cr_assert(data != NULL, "SOUK_TEST_DATA is not set");
	snprintf(w->keys_file, sizeof(w->keys_file), "%s/scenario/quote-keys.json", data);
	cr_assert(zero(int, quote_keys_load(&w->keys, w->keys_file, &f)), "%s", f.text);
	cr_assert(zero(int, loop_sim_new(&w->loop, NOW)));
	cr_assert(zero(int, sim_broker_new(&w->broker, w->loop)));
	for (size_t i = 0; i < ARRAY_LEN(topics); i++)
		cr_assert(zero(int, sim_broker_topic(w->broker, topics[i], PARTS)));
	cr_assert(zero(int, sim_broker_topic(w->broker, TOPIC_STOCK, stock_partitions)));
	cr_assert(zero(int, sim_broker_topic(w->broker, TOPIC_LEDGER, LEDGERS)));
	cr_assert(zero(int, sim_broker_topic(w->broker, TOPIC_RULES, 1)));
	cr_assert(zero(int, bus_sim_new(&w->client, w->broker, "")));
	cr_assert(zero(int, sim_store_new(&w->store, w->loop)));
	cr_assert(zero(int, arena_new(&w->arena, 1 << 20)));
	w->config = (struct wallet_config){
		.quote_keys_file = w->keys_file,
		.order_slack_bps = 100,
		.floor_over_bid_bps = 300,
		.items_max = 1000,
		.orders_max = 1000,
		.in_flight_max = 256,
		.heartbeat_ms = 5000,
		.order_view_ttl_ms = INT64_C(2592000000),
	};
}

static inline void world_init(struct world *w)
{
	world_init_with(w, PARTS);
}

/* @group NULL: the role's own; another one lets two processes have the same partitions. */
static inline void proc_start(struct world *w, int i, const char *group)
{
	struct proc *p = &w->proc[i];
	struct fault f = { 0 };

	cr_assert(p->bridge == NULL);
	cr_assert(zero(int, bus_sim_new(&p->bus, w->broker, "")));
	cr_assert(zero(int, cache_sim_new(&p->cache, w->store)));
	cr_assert(zero(int, metrics_new(&p->metrics, 256)));
	p->config = w->config;
	snprintf(p->group, sizeof(p->group), "%s", group ? group : GROUP);
	p->config.group = p->group;
	snprintf(p->instance, sizeof(p->instance), "instance-%d", i);
	const struct wallet_bridge_env env = { w->loop, p->bus, p->cache, p->metrics, p->instance };

	cr_assert(zero(int, wallet_bridge_new(&p->bridge, &env, &p->config, &f)), "%s", f.text);
}

/* SIGKILL: what the bus has not appended yet is gone, what is appended is not reported. */
static inline void proc_kill(struct world *w, int i)
{
	struct proc *p = &w->proc[i];

	if (!p->bridge)
		return;
	(void)w;
	wallet_bridge_free(p->bridge);
	bus_free(p->bus);
	cache_free(p->cache);
	metrics_free(p->metrics);
	*p = (struct proc){ 0 };
}

static inline void world_fini(struct world *w)
{
	for (int i = 0; i < PROCESSES; i++)
		proc_kill(w, i);
	bus_free(w->client);
	sim_store_free(w->store);
	sim_broker_free(w->broker);
	quote_keys_free(w->keys);
	arena_free(w->arena);
	loop_free(w->loop);
}

/* Long enough to join, claim, restore and read on. */
static inline void world_settle(struct world *w)
{
	loop_sim_settle(w->loop);
	loop_sim_advance(w->loop, 1000);
	loop_sim_settle(w->loop);
}

static inline void world_start(struct world *w)
{
	proc_start(w, 0, NULL);
	world_settle(w);
}

static inline int64_t count(struct world *w, int i, const char *name, const char *label)
{
	return metrics_value(w->proc[i].metrics, name, label);
}

/* ---- writing ---- */

static inline void put(struct world *w, const char *topic, int32_t partition, struct str key,
	struct str value, const struct bus_header *headers, size_t n)
{
	cr_assert(zero(int, bus_send(w->client, &(struct bus_message){ .topic = topic,
							.partition = partition,
							.key = key,
							.value = value,
							.headers = headers,
							.n_headers = n })));
}

static inline int32_t part_of(const char *item)
{
	return bus_partition_of(str_of(item), PARTS);
}

static inline struct money eth(uint64_t milli)
{
	return (struct money){ .amount = (u128)milli * 1000000000000000u,
		.currency = currency_find(STR("ETH")) };
}

static inline void put_inventory(
	struct world *w, const char *item, uint64_t ver, int64_t supply, uint64_t cost_milli)
{
	CLEANUP(buf_fini) struct buf value = BUF_INIT(4096);
	struct json_out j = JSON_OUT(&value);
	struct inventory inv = {
		.item = str_of(item),
		.ver = { { ver } },
		.list = eth(2000),
		.supply = supply,
		.seller = STR(WALLET),
		.collection = STR("cool-cats"),
	};

	if (cost_milli)
		inv.cost = eth(cost_milli);
	inventory_json(&j, NULL, &inv);
	put(w, TOPIC_INVENTORY, BUS_BY_KEY, inv.item, buf_str(&value), NULL, 0);
}

static inline void put_bid(struct world *w, const char *item, uint64_t ver, uint64_t net_milli)
{
	CLEANUP(buf_fini) struct buf value = BUF_INIT(4096);
	struct json_out j = JSON_OUT(&value);
	struct bestbid bid = {
		.item = str_of(item),
		.ver = { { ver } },
		.collection = STR("cool-cats"),
		.as_of = NOW,
		.bid_net = eth(net_milli),
		.flags = STR("[]"),
	};

	bestbid_json(&j, NULL, &bid);
	put(w, TOPIC_BESTBID, BUS_BY_KEY, bid.item, buf_str(&value), NULL, 0);
}

static inline void put_pause(struct world *w, const char *key, bool is_set)
{
	put(w, TOPIC_RULES, 0, str_of(key), is_set ? STR("{}") : STR_NONE, NULL, 0);
}

struct order_spec {
	const char *id, *user, *item; /* client id = "c-" id */
	uint64_t price_milli;         /* 0 = 1000 */
	int64_t expires;              /* 0 = NOW + 1 h */
	const char *pay, *wallet, *signature, *session;
	const char *quote; /* instead of a good one */
};

static inline struct str write_order(struct world *w, struct buf *out, const struct order_spec *s)
{
	CLEANUP(buf_fini) struct buf quote = BUF_INIT(4096);
	struct json_out j = JSON_OUT(out), jq = JSON_OUT(&quote);
	char client_id[64], offer[64], mac[QUOTE_MAC_MAX];
	struct quote q = {
		.v = 1,
		.rev = { { 7, 1 } },
		.user = str_of(s->user),
		.item = str_of(s->item),
		.price = eth(s->price_milli ? s->price_milli : 1000),
		.issued = NOW - 1000,
		.expires = s->expires ? s->expires : NOW + 3600000,
	};
	struct order o;

	snprintf(client_id, sizeof(client_id), "c-%s", s->id);
	snprintf(offer, sizeof(offer), "offer-%s", s->id);
	q.offer = str_of(offer);
	cr_assert(zero(int, quote_sign(&q, mac, w->keys, NOW)));
	quote_json(&jq, NULL, &q);
	o = (struct order){
		.id = str_of(s->id),
		.client_id = str_of(client_id),
		.user = q.user,
		.session = s->session ? str_of(s->session) : STR("s_9"),
		.wallet = str_of(s->wallet),
		.item = q.item,
		.offer = q.offer,
		.rev = q.rev,
		.price = q.price,
		.quote = s->quote ? str_of(s->quote) : buf_str(&quote),
		.pay = s->pay ? str_of(s->pay) : STR("{\"mode\":\"now\"}"),
		.signature = str_of(s->signature),
		.ts = NOW,
	};
	order_json(&j, &o);
	return buf_str(out);
}

static inline void put_order(struct world *w, const struct order_spec *s)
{
	CLEANUP(buf_fini) struct buf value = BUF_INIT(16384);

	write_order(w, &value, s);
	put(w, TOPIC_ORDERS, BUS_BY_KEY, str_of(s->item), buf_str(&value), NULL, 0);
}

#define ORDER(w, id_, user_, item_) \
	put_order(w, &(struct order_spec){ .id = id_, .user = user_, .item = item_ })

/* ---- the executor ---- */

static inline void put_executor(struct world *w, int32_t shard)
{
	char value[128];
	int n = snprintf(value, sizeof(value),
		"{\"type\":\"owner\",\"shard\":%d,\"instance\":\"x\",\"ts\":1}", (int)shard);

	put(w, TOPIC_LEDGER, 0, STR("dry-run"), (struct str){ value, (size_t)n }, NULL, 0);
	loop_sim_settle(w->loop);
	w->executor_epoch[shard] = sim_broker_high(w->broker, TOPIC_LEDGER, 0) - 1;
}

static inline void put_outcome(struct world *w, int32_t shard, int64_t epoch, const char *order,
	const char *item, int64_t step, enum order_state state)
{
	CLEANUP(buf_fini) struct buf value = BUF_INIT(4096);
	struct json_out j = JSON_OUT(&value);
	const char *tx = state == ORDER_EXPIRED ? NULL : "0xabc";

	outcome_record_json(
		&j, &(struct outcome_record){ .shard = shard,
			    .epoch = epoch,
			    .order = str_of(order),
			    .item = str_of(item),
			    .step = step,
			    .state = (int)state,
			    .reason = state == ORDER_REVERTED ? STR("DRY_RUN") : STR_NONE,
			    .tx = str_of(tx),
			    .block = state == ORDER_MINED ? 7 : 0,
			    .dry_run = TRI_TRUE,
			    .ts = NOW + step });
	put(w, TOPIC_LEDGER, 0, STR("dry-run"), buf_str(&value), NULL, 0);
}

/* Under the executor epoch in force. */
static inline void outcome(
	struct world *w, const char *order, const char *item, int64_t step, enum order_state state)
{
	int32_t shard = part_of(item);

	put_outcome(w, shard, w->executor_epoch[shard], order, item, step, state);
}

/* ---- reading ---- */

static inline int64_t high(struct world *w, const char *topic, int32_t partition)
{
	return sim_broker_high(w->broker, topic, partition);
}

/* The results of @order in the log, each n at its first appearance. */
static inline int64_t results_of(
	struct world *w, const char *order, const char *item, const struct bus_record *ret[64])
{
	int32_t p = part_of(item);
	int64_t last = 0;

	memset(ret, 0, 64 * sizeof(*ret));
	for (int64_t i = 0; i < high(w, TOPIC_PAYMENT_RESULTS, p); i++) {
		const struct bus_record *r =
			sim_broker_record(w->broker, TOPIC_PAYMENT_RESULTS, p, i);
		struct payment_result result;

		arena_reset(w->arena);
		cr_assert(
			zero(int, decode(&payment_result_type, &result, r->value, w->arena, NULL)));
		if (!str_eqz(result.order, order) || result.n == 0)
			continue;
		cr_assert(result.n < 64);
		if (ret[result.n]) {
			cr_assert(str_eq(ret[result.n]->value, r->value), "n of %s has two values",
				order);
			continue;
		}
		cr_assert(w->allows_disorder || result.n == last + 1, "a gap in the results of %s",
			order);
		ret[result.n] = r;
		if (result.n > last)
			last = result.n;
	}
	return last;
}

/* "ACCEPTED RESERVED …", reasons behind a colon; fails where a n comes with two values, or not at
 * all. */
static inline const char *states_of(struct world *w, const char *order, const char *item)
{
	static char text[8][512];
	static int turn;
	const struct bus_record *r[64];
	int64_t last = results_of(w, order, item, r);
	char *ret = text[turn++ % 8];

	*ret = '\0';
	for (int64_t n = 1; n <= last; n++) {
		struct payment_result result;
		size_t at = strlen(ret);

		cr_assert(r[n] != NULL, "result %d of %s is not there", (int)n, order);
		arena_reset(w->arena);
		cr_assert(zero(
			int, decode(&payment_result_type, &result, r[n]->value, w->arena, NULL)));
		snprintf(ret + at, sizeof(text[0]) - at, "%s%s%s" STR_FMT, at ? " " : "",
			order_state_names[result.state], str_is_set(result.reason) ? ":" : "",
			STR_ARG(result.reason));
	}
	return ret;
}

#define EXPECT_STATES(w, order, item, text) \
	do { \
		const char *states_ = states_of(w, order, item); \
		cr_expect(eq(str, (char *)states_, text)); \
	} while (0)

/* The fold of what is in the log, by its own reader. */
static inline struct request_log *fold(struct world *w, int32_t p)
{
	const struct request_log_config config = { .items_max = 1000, .orders_max = 10000 };
	struct request_log *l;
	enum log_effect effect;

	cr_assert(zero(int, request_log_new(&l, &config)));
	for (int64_t i = 0; i < high(w, TOPIC_PAYMENT_REQUESTS, p); i++) {
		arena_reset(w->arena);
		cr_assert(zero(
			int, request_log_apply(l,
				     sim_broker_record(w->broker, TOPIC_PAYMENT_REQUESTS, p, i),
				     w->arena, &effect, NULL)));
	}
	return l;
}

static inline int64_t free_units(struct world *w, const char *item)
{
	CLEANUP(request_log_free) struct request_log *l = fold(w, part_of(item));

	return request_log_free_units(l, str_of(item));
}

/* Distinct values of request records of @order in the log, void ones included. */
static inline int distinct_requests(struct world *w, const char *order, const char *item)
{
	int32_t p = part_of(item);
	struct str first = STR_NONE;
	int n = 0;

	for (int64_t i = 0; i < high(w, TOPIC_PAYMENT_REQUESTS, p); i++) {
		const struct bus_record *r =
			sim_broker_record(w->broker, TOPIC_PAYMENT_REQUESTS, p, i);
		struct payment_request q;

		arena_reset(w->arena);
		if (decode(&payment_request_type, &q, r->value, w->arena, NULL) ||
			!str_eqz(q.order, order))
			continue;
		if (!first.p || !str_eq(first, r->value))
			n++;
		first = r->value;
	}
	return n;
}

static inline int64_t committed(struct world *w, int32_t p, struct str *ret_metadata)
{
	struct str ignored;

	return sim_broker_committed(
		w->broker, GROUP, TOPIC_ORDERS, p, ret_metadata ? ret_metadata : &ignored);
}

static inline const char *view(struct world *w, const char *key, const char *field)
{
	static char text[8][256];
	static int turn;
	char *ret = text[turn++ % 8];
	struct str s = sim_store_get(w->store, key, field);

	snprintf(ret, sizeof(text[0]), STR_FMT, STR_ARG(s));
	return ret;
}
