#pragma once

/*
 * Executors on the in-memory seams, with the driven clock, and the test as the bridge that writes
 * requests. Orders are called by what the plan will do with them.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/io/sim/bus_sim.h"
#include "common/io/sim/loop_sim.h"
#include "common/model/ledger.h"
#include "common/model/offer.h"
#include "common/model/topics.h"
#include "wallet-bridge/dry_run_plan.h"
#include "wallet-bridge/executor.h"
#include "wallet-bridge/request_log.h"

#define NOW         INT64_C(1795334400000)
#define GROUP       "souk-wallet-bridge-executor"
#define SHARDS      2
#define ITEM        "game:azeroth/sword:iron/17"
#define OTHER       "game:azeroth/sword:iron/18"
#define STEP_MS     1000
#define RESERVED_MS 60000
#define LIFE_MS     200000 /* more than any order's */
#define EXECUTORS   2

struct world {
	struct loop *loop;
	struct sim_broker *broker;
	struct bus *client;
	struct arena *arena;
	struct executor_config config;
	int64_t epoch[SHARDS]; /* of the bridge */
	int64_t n_versions;
	/* Executors, each a process of its own. */
	struct executor *executor[EXECUTORS];
	struct bus *bus[EXECUTORS];
	struct metrics *metrics[EXECUTORS];
	char instance[EXECUTORS][32];
	int n_started;
};

static inline void world_init(struct world *w)
{
	*w = (struct world){ .epoch = { -1, -1 } };
	cr_assert(zero(int, loop_sim_new(&w->loop, NOW)));
	cr_assert(zero(int, sim_broker_new(&w->broker, w->loop)));
	cr_assert(zero(int, sim_broker_topic(w->broker, TOPIC_PAYMENT_REQUESTS, SHARDS)));
	cr_assert(zero(int, sim_broker_topic(w->broker, TOPIC_STOCK, SHARDS)));
	cr_assert(zero(int, sim_broker_topic(w->broker, TOPIC_LEDGER, 3)));
	cr_assert(zero(int, bus_sim_new(&w->client, w->broker, "")));
	cr_assert(zero(int, arena_new(&w->arena, 1 << 20)));
	w->config = (struct executor_config){
		.group = GROUP,
		.reservation_ms = RESERVED_MS,
		.items_max = 100,
		.orders_max = 1000,
		.step_ms = STEP_MS,
	};
}

static inline void world_start(struct world *w, int i)
{
	struct fault f = { 0 };
	struct executor_env env;

	cr_assert(zero(int, bus_sim_new(&w->bus[i], w->broker, "")));
	cr_assert(zero(int, metrics_new(&w->metrics[i], 64)));
	snprintf(w->instance[i], sizeof(w->instance[i]), "executor-%d", ++w->n_started);
	env = (struct executor_env){ w->loop, w->bus[i], w->metrics[i], w->instance[i] };
	cr_assert(zero(int, executor_dry_run_new(&w->executor[i], &env, &w->config, &f)), "%s",
		f.text);
	loop_sim_settle(w->loop);
}

/* As a crash does: nothing is said, nothing committed. */
static inline void world_kill(struct world *w, int i)
{
	w->executor[i] = executor_free(w->executor[i]);
	w->bus[i] = bus_free(w->bus[i]);
	w->metrics[i] = metrics_free(w->metrics[i]);
}

static inline void world_fini(struct world *w)
{
	for (int i = 0; i < EXECUTORS; i++)
		world_kill(w, i);
	bus_free(w->client);
	sim_broker_free(w->broker);
	arena_free(w->arena);
	loop_free(w->loop);
}

static inline int64_t world_count(const struct world *w, int i, const char *name, const char *label)
{
	return metrics_value(w->metrics[i], name, label);
}

/* ---- the bridge ---- */

static inline int64_t world_put(struct world *w, const char *topic, int32_t partition,
	const char *key, const char *value, int64_t epoch)
{
	char text[32];
	struct bus_header header = { STR(REQUEST_EPOCH_HEADER), STR_NONE };

	snprintf(text, sizeof(text), "%" PRId64, epoch);
	header.value = str_of(text);
	cr_assert(zero(int, bus_send(w->client, &(struct bus_message){ .topic = topic,
							.partition = partition,
							.key = str_of(key),
							.value = str_of(value),
							.headers = &header,
							.n_headers = epoch >= 0 })));
	loop_sim_settle(w->loop);
	return partition < 0 ? -1 : sim_broker_high(w->broker, topic, partition) - 1;
}

static inline void bridge_owner(struct world *w, int32_t shard)
{
	char json[128];

	snprintf(json, sizeof(json),
		"{\"type\":\"owner\",\"shard\":%" PRId32 ",\"instance\":\"bridge\",\"ts\":1}",
		shard);
	w->epoch[shard] = world_put(w, TOPIC_PAYMENT_REQUESTS, shard, NULL, json, -1);
}

static inline void bridge_supply(struct world *w, int32_t shard, const char *item, int64_t supply)
{
	char json[256];

	if (w->epoch[shard] < 0)
		bridge_owner(w, shard);
	snprintf(json, sizeof(json),
		"{\"type\":\"supply\",\"item\":\"%s\",\"ver\":\"%" PRId64 "\",\"supply\":%" PRId64
		"}",
		item, ++w->n_versions, supply);
	world_put(w, TOPIC_PAYMENT_REQUESTS, shard, item, json, w->epoch[shard]);
}

static inline int64_t bridge_request_as(
	struct world *w, int32_t shard, const char *item, const char *order, int64_t epoch)
{
	char json[512];

	snprintf(json, sizeof(json),
		"{\"type\":\"request\",\"order\":\"%s\",\"item\":\"%s\",\"price\":{\"amount\":"
		"\"5\","
		"\"currency\":\"ETH\"},\"quote\":\"sha256:00\",\"pay\":{\"mode\":\"now\"},"
		"\"signatures\":{},\"ts\":1}",
		order, item);
	return world_put(w, TOPIC_PAYMENT_REQUESTS, shard, item, json, epoch);
}

static inline int64_t bridge_request(
	struct world *w, int32_t shard, const char *item, const char *order)
{
	return bridge_request_as(w, shard, item, order, w->epoch[shard]);
}

static inline void bridge_release(
	struct world *w, int32_t shard, const char *item, const char *order)
{
	char json[256];

	snprintf(json, sizeof(json),
		"{\"type\":\"release\",\"order\":\"%s\",\"item\":\"%s\",\"reason\":\"CANCELLED\"}",
		order, item);
	world_put(w, TOPIC_PAYMENT_REQUESTS, shard, item, json, w->epoch[shard]);
}

/* ---- the ledger ---- */

static inline int32_t ledger_partition(void)
{
	return bus_partition_of(STR("dry-run"), 3);
}

struct life {
	size_t n;
	int state[32];
	int64_t ts[32], epoch[32], block[32];
	char reason[32][32];
};

static inline void take_step(
	struct life *l, const struct outcome_record *o, int64_t offset, const char *order)
{
	size_t i = (size_t)o->step - 1;

	cr_assert(o->step >= 1 && o->step <= (int64_t)l->n + 1, "%s: step %" PRId64 " after %zu",
		order, o->step, l->n);
	if (i < l->n) { /* a repeat */
		cr_assert(eq(int, o->state, l->state[i]), "%s: step %" PRId64 " at %" PRId64, order,
			o->step, offset);
		cr_assert(eq(i64, o->block, l->block[i]));
		return;
	}
	l->n++;
	l->state[i] = o->state;
	l->ts[i] = o->ts;
	l->epoch[i] = o->epoch;
	l->block[i] = o->block;
	(void)str_copy(l->reason[i], sizeof(l->reason[i]), o->reason);
}

/* What the ledger says of @order, as any reader understands it. */
static inline struct life world_life(struct world *w, const char *order)
{
	int64_t high = sim_broker_high(w->broker, TOPIC_LEDGER, ledger_partition());
	int64_t epoch[SHARDS] = { -1, -1 };
	struct life l = { 0 };

	for (int64_t i = 0; i < high; i++) {
		const struct bus_record *r =
			sim_broker_record(w->broker, TOPIC_LEDGER, ledger_partition(), i);
		struct outcome_record o;
		struct owner_record owner;

		if (!str_eqz(r->key, "dry-run"))
			continue;
		arena_reset(w->arena);
		if (decode(&owner_record_type, &owner, r->value, w->arena, NULL) == 0) {
			epoch[owner.shard] = i;
			continue;
		}
		arena_reset(w->arena);
		if (decode(&outcome_record_type, &o, r->value, w->arena, NULL) == 0 &&
			str_eqz(o.order, order) && o.epoch >= epoch[o.shard])
			take_step(&l, &o, i, order);
	}
	return l;
}

/* ---- orders by what becomes of them ---- */

/* How many steps the plan has for @order; *ret_states (may be NULL) gets them. */
static inline size_t plan_of(const struct world *w, const char *order, int ret_states[16])
{
	struct dry_run_step s;
	int state = 0;
	size_t n = 0;

	while (dry_run_plan_next(&s, &w->config, str_of(order), (int64_t)n, state, false) == 0) {
		state = (int)s.state;
		if (ret_states)
			ret_states[n] = state;
		n++;
		cr_assert(lt(sz, n, 16));
	}
	return n;
}

/* An id of an order with @n_steps steps: 4 is the plain life, 6 one with a reorg. */
static inline const char *order_of(const struct world *w, size_t n_steps, int which)
{
	static char ids[8][32];
	static int slot;
	char *id = ids[slot++ % 8];

	for (int i = 0; i < 100000; i++) {
		snprintf(id, 32, "order-%d", i);
		if (plan_of(w, id, NULL) == n_steps && which-- == 0)
			return id;
	}
	cr_assert(false, "no order has %zu steps", n_steps);
	return NULL;
}

/* The ledger has all of its plan, in order, and nothing else. */
static inline void expect_plan(struct world *w, const char *order)
{
	int states[16];
	size_t n = plan_of(w, order, states);
	struct life l = world_life(w, order);

	cr_assert(eq(sz, l.n, n), "%s", order);
	for (size_t i = 0; i < n; i++)
		cr_assert(eq(int, l.state[i], states[i]), "%s: step %zu", order, i + 1);
}
