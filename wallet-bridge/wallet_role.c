/*
 * Wiring: the group that gives partitions, one reader for all logs and tables of them, the ledger,
 * the pauses, the timers.
 *
 * The group is joined once the pauses are read and the topics that are keyed by item are known to
 * have one partition count: with different ones an order would be judged by another item's rows.
 */
#include "wallet-bridge/wallet_role.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/model/topics.h"
#include "wallet-bridge/bridge_shard.h"
#include "wallet-bridge/ledger_feed.h"

#define SCRATCH_BYTES  (256 * 1024)
#define PARTITIONS_MAX 4096
#define TICK_MS        100
#define DRAIN_POLL_MS  20

const char *const wallet_bridge_warm_topics[] = { TOPIC_PAYMENT_REQUESTS, TOPIC_PAYMENT_RESULTS,
	TOPIC_STOCK, TOPIC_LEDGER, (TOPIC_ORDERS TOPIC_DLQ_SUFFIX), NULL };

/* Keyed by item: they must have one partition count. The first is the measure. */
static const char *const by_item[] = { TOPIC_ORDERS, TOPIC_PAYMENT_REQUESTS, TOPIC_PAYMENT_RESULTS,
	TOPIC_STOCK, TOPIC_INVENTORY, TOPIC_BESTBID };

enum counts { COUNTS_UNKNOWN, COUNTS_DIFFER, COUNTS_EQUAL };

struct wallet_bridge {
	struct wallet_bridge_env env;
	const char *group_name;
	int64_t heartbeat_ms;
	struct bridge_env shared;
	struct bridge_shard *shards[PARTITIONS_MAX]; /* by number */
	enum counts counts;
	bool has_pauses; /* read to their end */
	bool has_failed; /* to join */
	struct loop_timer *tick, *heartbeat, *drain;
	void (*drained)(void *ctx);
	void *drained_ctx;
};

/* ---- the group ---- */

static struct bridge_shard *shard_of(struct wallet_bridge *b, int32_t number)
{
	return number >= 0 && number < PARTITIONS_MAX ? b->shards[number] : NULL;
}

static void on_assigned(
	void *ctx, const char *topic, int32_t number, int64_t committed, struct str metadata)
{
	struct wallet_bridge *b = ctx;
	int r;

	(void)topic;
	if (number >= PARTITIONS_MAX || b->drained) {
		log_error(
			"wallet", "an assigned partition is left alone", "shard=%" PRId32, number);
		return;
	}
	assert(!b->shards[number]);
	r = bridge_shard_new(&b->shards[number], &b->shared, number, committed, metadata);
	if (r)
		log_error("wallet", "a partition could not be started",
			"shard=%" PRId32 " error=%d", number, r);
}

static void on_revoked(void *ctx, const char *topic, int32_t number)
{
	struct wallet_bridge *b = ctx;

	(void)topic;
	if (!shard_of(b, number))
		return;
	bridge_shard_revoked(b->shards[number]);
	b->shards[number] = bridge_shard_free(b->shards[number]);
}

static void on_orders(void *ctx, const struct bus_record *r, size_t n)
{
	struct bridge_shard *s = shard_of(ctx, r->partition);

	if (s)
		bridge_shard_orders(s, r, n);
}

static void on_orders_end(void *ctx, const char *topic, int32_t number, int64_t next_offset)
{
	struct bridge_shard *s = shard_of(ctx, number);

	(void)topic;
	if (s)
		bridge_shard_orders_end(s, next_offset);
}

static const struct bus_group_ops GROUP = {
	.assigned = on_assigned,
	.revoked = on_revoked,
	.records = on_orders,
	.at_end = on_orders_end,
};

static enum counts compare_counts(struct wallet_bridge *b)
{
	int32_t first = bus_partitions(b->env.bus, by_item[0]);
	enum counts ret = COUNTS_EQUAL;

	if (bus_partitions(b->env.bus, TOPIC_LEDGER) <= 0)
		return COUNTS_UNKNOWN;
	for (size_t i = 0; i < ARRAY_LEN(by_item); i++) {
		int32_t n = bus_partitions(b->env.bus, by_item[i]);

		if (n <= 0)
			return COUNTS_UNKNOWN;
		if (n != first)
			ret = COUNTS_DIFFER;
	}
	return ret;
}

static void join_group(struct wallet_bridge *b)
{
	static const char *const topics[] = { TOPIC_ORDERS };
	int r = ledger_feed_set_partitions(
		b->shared.ledger, bus_partitions(b->env.bus, TOPIC_LEDGER));

	b->shared.n_partitions = bus_partitions(b->env.bus, TOPIC_ORDERS);
	if (!r)
		r = bus_group_open(b->env.bus, &b->shared.group, b->group_name, topics,
			ARRAY_LEN(topics), &GROUP, b);
	if (r) {
		b->has_failed = true;
		log_error("wallet", "the consumer group could not be joined", "error=%d", r);
	}
}

static void try_join(struct wallet_bridge *b)
{
	enum counts before = b->counts;

	if (b->shared.group || b->has_failed || b->drained)
		return;
	b->counts = compare_counts(b);
	if (b->counts == COUNTS_DIFFER && before != COUNTS_DIFFER)
		log_error("wallet",
			"topics that are keyed by item differ in partitions, see readyz",
			"topic=%s partitions=%" PRId32, by_item[0],
			bus_partitions(b->env.bus, by_item[0]));
	if (b->counts == COUNTS_EQUAL && b->has_pauses)
		join_group(b);
}

/* ---- the reader ---- */

static void read_pauses(struct wallet_bridge *b, const struct bus_record *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)pauses_apply(b->shared.pauses, r[i].key, str_is_set(r[i].value));
}

static void on_records(void *ctx, const struct bus_record *r, size_t n)
{
	struct wallet_bridge *b = ctx;
	struct bridge_shard *s;

	if (strcmp(r->topic, TOPIC_LEDGER) == 0)
		ledger_feed_records(b->shared.ledger, r, n);
	else if (strcmp(r->topic, TOPIC_RULES) == 0)
		read_pauses(b, r, n);
	else if ((s = shard_of(b, r->partition)))
		bridge_shard_records(s, r, n);
}

static void on_at_end(void *ctx, const char *topic, int32_t partition, int64_t next_offset)
{
	struct wallet_bridge *b = ctx;
	struct bridge_shard *s;

	if (strcmp(topic, TOPIC_LEDGER) == 0) {
		ledger_feed_at_end(b->shared.ledger, partition, next_offset);
	} else if (strcmp(topic, TOPIC_RULES) == 0) {
		b->has_pauses = true;
		try_join(b);
	} else if ((s = shard_of(b, partition))) {
		bridge_shard_at_end(s, topic);
	}
}

static const struct bus_reader_ops READER = { .records = on_records, .at_end = on_at_end };

/* ---- the ledger ---- */

static void on_executor(void *ctx, int32_t shard, int32_t partition, int64_t offset)
{
	struct bridge_shard *s = shard_of(ctx, shard);

	if (s)
		bridge_shard_executor(s, partition, offset);
}

static void on_outcome(void *ctx, int32_t partition, int64_t offset, const struct outcome_record *o)
{
	struct bridge_shard *s = o->shard >= 0 && o->shard < PARTITIONS_MAX
					 ? shard_of(ctx, (int32_t)o->shard)
					 : NULL;

	if (s)
		bridge_shard_outcome(s, partition, offset, o);
}

static void on_passed(void *ctx, int32_t partition, int64_t next_offset)
{
	struct wallet_bridge *b = ctx;

	for (int32_t i = 0; i < b->shared.n_partitions && i < PARTITIONS_MAX; i++) {
		if (b->shards[i])
			bridge_shard_ledger_passed(b->shards[i], partition, next_offset);
	}
}

static const struct ledger_feed_ops LEDGER = {
	.executor = on_executor,
	.outcome = on_outcome,
	.passed = on_passed,
};

/* ---- timers ---- */

static void on_tick(void *ctx)
{
	struct wallet_bridge *b = ctx;
	struct bridge_metrics *m = &b->shared.metrics;

	try_join(b);
	m->open->value = m->known->value = m->items->value = m->views_dirty->value = 0;
	for (int32_t i = 0; i < b->shared.n_partitions && i < PARTITIONS_MAX; i++) {
		if (!b->shards[i])
			continue;
		bridge_shard_tick(b->shards[i]);
		bridge_shard_count(b->shards[i]);
	}
}

static void on_heartbeat(void *ctx)
{
	struct wallet_bridge *b = ctx;

	for (int32_t i = 0; i < b->shared.n_partitions && i < PARTITIONS_MAX; i++) {
		if (b->shards[i])
			bridge_shard_heartbeat(b->shards[i]);
	}
}

static void on_drain(void *ctx)
{
	struct wallet_bridge *b = ctx;

	for (size_t i = 0; i < PARTITIONS_MAX; i++) {
		if (b->shards[i] && !bridge_shard_is_idle(b->shards[i]))
			return;
	}
	loop_timer_stop(b->drain);
	loop_timer_stop(b->tick);
	loop_timer_stop(b->heartbeat);
	if (b->shared.group)
		b->shared.group = bus_group_close(b->shared.group);
	for (size_t i = 0; i < PARTITIONS_MAX; i++)
		b->shards[i] = bridge_shard_free(b->shards[i]);
	b->drained(b->drained_ctx);
}

void wallet_bridge_drain(struct wallet_bridge *b, void (*done)(void *ctx), void *ctx)
{
	assert(!b->drained && done);
	b->drained = done;
	b->drained_ctx = ctx;
	for (size_t i = 0; i < PARTITIONS_MAX; i++) {
		if (b->shards[i])
			bridge_shard_drain(b->shards[i]);
	}
	loop_timer_repeat(b->drain, DRAIN_POLL_MS);
}

/* ---- readiness ---- */

static void why_not_joined(const struct wallet_bridge *b, struct buf *why)
{
	int32_t first = bus_partitions(b->env.bus, by_item[0]);

	if (!b->has_pauses)
		buf_puts(why, STR("nft.rules.v1: pauses are not read yet\n"));
	if (b->has_failed)
		buf_puts(why, STR("kafka: the consumer group could not be joined\n"));
	if (b->counts == COUNTS_UNKNOWN)
		buf_puts(why, STR("kafka: partition counts are not known yet\n"));
	for (size_t i = 1; b->counts == COUNTS_DIFFER && i < ARRAY_LEN(by_item); i++) {
		int32_t n = bus_partitions(b->env.bus, by_item[i]);

		if (n != first)
			buf_printf(why, "%s: %" PRId32 " partitions, %s has %" PRId32 "\n",
				by_item[i], n, by_item[0], first);
	}
}

bool wallet_bridge_ready(const struct wallet_bridge *b, struct buf *why)
{
	size_t before = why->n;

	if (!bus_is_up(b->env.bus))
		buf_puts(why, STR("kafka: no broker has answered for 3 s\n"));
	if (!cache_is_up(b->env.cache))
		buf_puts(why, STR("redis: not connected, views are behind\n"));
	if (b->drained)
		buf_puts(why, STR("draining\n"));
	if (!b->shared.group && !b->drained)
		why_not_joined(b, why);
	if (pauses_overflowed(b->shared.pauses))
		buf_puts(why, STR("nft.rules.v1: too many pauses, everything counts as paused\n"));
	for (size_t i = 0; i < PARTITIONS_MAX; i++) {
		const struct bridge_shard *s = b->shards[i];

		if (s && !bridge_shard_is_running(s))
			buf_printf(why, "partition %zu: %s\n", i, bridge_shard_why(s));
		else if (s && !bridge_shard_is_shown(s))
			buf_printf(why, "partition %zu: stock is not in redis yet\n", i);
	}
	return why->n == before;
}

/* ---- life ---- */

struct wallet_bridge *wallet_bridge_free(struct wallet_bridge *b)
{
	struct bridge_env *shared;

	if (!b)
		return NULL;
	shared = &b->shared;
	if (shared->group)
		bus_group_close(shared->group);
	for (size_t i = 0; i < PARTITIONS_MAX; i++)
		bridge_shard_free(b->shards[i]);
	bridge_orphans_free(shared);
	bridge_asks_free(shared);
	bus_reader_close(shared->reader);
	ledger_feed_free(shared->ledger);
	pauses_free(shared->pauses);
	quote_keys_free(shared->keys);
	arena_free(shared->scratch);
	loop_timer_free(b->tick);
	loop_timer_free(b->heartbeat);
	loop_timer_free(b->drain);
	free(b);
	return NULL;
}

static void configure(struct wallet_bridge *b, const struct wallet_config *c)
{
	struct bridge_env *shared = &b->shared;

	b->group_name = c->group;
	b->heartbeat_ms = c->heartbeat_ms;
	shared->rules = (struct judge_rules){
		.floor_over_bid_bps = c->floor_over_bid_bps,
		.min_margin_bps = c->min_margin_bps,
		.order_slack_bps = c->order_slack_bps,
		.open_per_user = c->open_per_user,
	};
	shared->items_max = (size_t)c->items_max;
	shared->orders_max = (size_t)c->orders_max;
	shared->in_flight_max = (size_t)c->in_flight_max;
	shared->view_ttl_ms = c->order_view_ttl_ms;
}

static int build(struct wallet_bridge *b, const struct wallet_config *c, struct fault *f)
{
	struct bridge_env *shared = &b->shared;
	int r;

	if (!c->quote_keys_file)
		return fault_set(f, FAULT_FATAL, -EINVAL, "wallet.quote_keys_file must be given");
	r = quote_keys_load(&shared->keys, c->quote_keys_file, f);
	if (!r)
		r = arena_new(&shared->scratch, SCRATCH_BYTES);
	if (!r)
		r = pauses_new(&shared->pauses);
	if (!r)
		r = bus_reader_open(b->env.bus, &shared->reader, &READER, b);
	if (!r)
		r = ledger_feed_new(&shared->ledger, shared->reader, shared->scratch,
			shared->metrics.unreadable, &LEDGER, b);
	if (!r)
		r = bus_reader_add(shared->reader, TOPIC_RULES, 0, BUS_FROM_BEGIN, -1);
	b->tick = loop_timer_new(b->env.loop, on_tick, b);
	b->heartbeat = loop_timer_new(b->env.loop, on_heartbeat, b);
	b->drain = loop_timer_new(b->env.loop, on_drain, b);
	if (!r && (!b->tick || !b->heartbeat || !b->drain))
		r = -ENOMEM;
	return r;
}

int wallet_bridge_new(struct wallet_bridge **ret, const struct wallet_bridge_env *env,
	const struct wallet_config *config, struct fault *f)
{
	CLEANUP(wallet_bridge_free) struct wallet_bridge *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	b->env = *env;
	TAILQ_INIT(&b->shared.orphans);
	TAILQ_INIT(&b->shared.asks);
	b->shared.loop = env->loop;
	b->shared.bus = env->bus;
	b->shared.cache = env->cache;
	b->shared.instance = env->instance;
	bridge_metrics_init(&b->shared.metrics, env->metrics);
	configure(b, config);
	r = build(b, config, f);
	if (r)
		return r;
	loop_timer_repeat(b->tick, TICK_MS);
	loop_timer_repeat(b->heartbeat, b->heartbeat_ms);
	*ret = TAKE(b);
	return 0;
}
