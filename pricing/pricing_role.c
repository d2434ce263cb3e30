/*
 * Wiring: configuration into guards, a ruleset into a group membership, and assignments into
 * partitions. No ruleset, no membership: another instance that has one takes the partitions.
 */
#include "pricing/pricing_role.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/model/topics.h"
#include "pricing/partition.h"
#include "pricing/reviser.h"

#define SCRATCH_BYTES  (64 * 1024)
#define PARTITIONS_MAX 4096
#define DRAIN_POLL_MS  20
#define RETRY_MS       1000 /* of a live offer that cannot be priced for the moment */

const char *const pricing_warm_topics[] = { TOPIC_DECISIONS, TOPIC_OFFERS, TOPIC_RULES,
	(TOPIC_INTEREST TOPIC_DLQ_SUFFIX), NULL };

struct pricing {
	struct pricing_env env;
	const char *group_name;
	struct partition_env shared;
	struct partition *partitions[PARTITIONS_MAX]; /* by number */
	struct loop_timer *drain;
	void (*drained)(void *ctx);
	void *drained_ctx;
};

/* ---- partitions ---- */

static void on_assigned(
	void *ctx, const char *topic, int32_t number, int64_t committed, struct str metadata)
{
	struct pricing *p = ctx;
	int r;

	(void)topic;
	if (number >= PARTITIONS_MAX || p->drained) {
		log_error("pricing", "an assigned partition is left alone", "partition=%" PRId32,
			number);
		return;
	}
	assert(!p->partitions[number]);
	r = partition_new(&p->partitions[number], &p->shared, number, committed, metadata);
	if (r != 0)
		log_error("pricing", "a partition could not be started",
			"partition=%" PRId32 " error=%d", number, r);
}

static void on_revoked(void *ctx, const char *topic, int32_t number)
{
	struct pricing *p = ctx;

	(void)topic;
	if (number >= PARTITIONS_MAX || !p->partitions[number])
		return;
	partition_revoked(p->partitions[number]);
	p->partitions[number] = partition_free(p->partitions[number]);
}

static void on_records(void *ctx, const struct bus_record *r, size_t n)
{
	struct pricing *p = ctx;
	struct partition *partition =
		r->partition < PARTITIONS_MAX ? p->partitions[r->partition] : NULL;

	if (partition)
		partition_records(partition, r, n);
}

/* Those of users first. */
static const char *const followed[] = { "profile:{", "loyalty:{", "inventory:{", "bestbid:{",
	"stock:{" };
#define N_BY_USER 2

static void join_group(struct pricing *p)
{
	static const struct bus_group_ops ops = {
		.assigned = on_assigned, .revoked = on_revoked, .records = on_records
	};
	static const char *const topics[] = { TOPIC_INTEREST };
	int r = bus_group_open(
		p->env.bus, &p->shared.group, p->group_name, topics, ARRAY_LEN(topics), &ops, p);

	if (r != 0)
		log_error("pricing", "the consumer group could not be joined", "error=%d", r);
}

static void on_rules(void *ctx)
{
	struct pricing *p = ctx;

	if (!p->shared.group && !p->drained)
		join_group(p);
	partitions_changed(&p->shared, STR_NONE, STR_NONE);
}

static void on_paused(void *ctx, struct str collection)
{
	struct pricing *p = ctx;

	partitions_paused(&p->shared, collection);
}

/* ---- changes of rows ---- */

/* What stands between the braces; absent if the key is another. */
static struct str key_id(struct str key, struct str prefix)
{
	if (!str_starts(key, prefix) || key.n <= prefix.n || key.p[key.n - 1] != '}')
		return STR_NONE;
	return (struct str){ key.p + prefix.n, key.n - prefix.n - 1 };
}

static void on_changed(void *ctx, struct str key)
{
	struct pricing *p = ctx;
	struct str id;

	join_changed(p->shared.join, key);
	if (!str_is_set(key)) {
		partitions_changed(&p->shared, STR_NONE, STR_NONE);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(followed); i++) {
		id = key_id(key, str_of(followed[i]));
		if (id.n == 0)
			continue;
		if (i < N_BY_USER)
			partitions_changed(&p->shared, id, STR_NONE);
		else
			partitions_changed(&p->shared, STR_NONE, id);
	}
}

/* ---- configuration ---- */

static int check_ages(const struct pricing_config *c, struct fault *f)
{
	const struct {
		const char *side;
		int64_t ms;
	} ages[] = {
		{ "profile", c->max_age_profile_ms },
		{ "loyalty", c->max_age_loyalty_ms },
		{ "inventory", c->max_age_inventory_ms },
		{ "market", c->max_age_market_ms },
	};

	for (size_t i = 0; i < ARRAY_LEN(ages); i++) {
		if (ages[i].ms <= 2 * c->heartbeat_ms)
			return fault_set(f, FAULT_FATAL, -EINVAL,
				"pricing.max_age_ms.%s: %" PRId64
				" must be more than twice pricing.heartbeat_ms (%" PRId64 ")",
				ages[i].side, ages[i].ms, c->heartbeat_ms);
	}
	return 0;
}

/* "ETH=0.0001" */
static int set_quantum(struct partition_env *env, const char *item, struct fault *f)
{
	const char *equals = strchr(item, '=');
	struct str code = { item, equals ? (size_t)(equals - item) : strlen(item) };
	currency c = currency_find(code);
	struct money m;

	if (c == 0 || c >= CURRENCIES_MAX)
		return fault_set(f, FAULT_FATAL, -EINVAL,
			"pricing.round." STR_FMT ": not a currency of this configuration",
			STR_ARG(code));
	if (!equals || money_parse_decimal(&m, str_of(equals + 1), c) != 0 || m.amount == 0)
		return fault_set(f, FAULT_FATAL, -EINVAL,
			"pricing.round." STR_FMT
			": must be a decimal above 0 with at most %u decimals",
			STR_ARG(code), currency_decimals(c));
	money_format_amount(env->quantum[c], m.amount);
	return 0;
}

static int configure(struct pricing *p, const struct pricing_config *c, struct fault *f)
{
	struct partition_env *env = &p->shared;
	int r = check_ages(c, f);

	env->guards = (struct guards){
		.max_age_profile_ms = c->max_age_profile_ms,
		.max_age_loyalty_ms = c->max_age_loyalty_ms,
		.max_age_inventory_ms = c->max_age_inventory_ms,
		.max_age_market_ms = c->max_age_market_ms,
		.floor_over_bid_bps = c->floor_over_bid_bps,
		.min_margin_bps = c->min_margin_bps,
		.max_premium_bps = c->max_premium_bps,
		.max_discount_bps = c->max_discount_bps,
		.moved_bps = c->moved_bps,
		.live_per_user = c->live_per_user,
		.live_per_item = c->live_per_item,
	};
	env->offer_ttl_ms = c->offer_ttl_ms;
	env->in_flight_max = c->in_flight_max;
	env->recent_max = c->recent_max;
	env->live = (struct live_config){
		.max = (size_t)c->live_max,
		.revision_us = c->revision_ms * 1000,
		.retry_us = RETRY_MS * INT64_C(1000),
		.followed = env->metrics.followed,
	};
	for (size_t i = 0; r == 0 && i < c->round.n; i++)
		r = set_quantum(env, c->round.items[i], f);
	if (r == 0 && !c->quote_keys_file)
		r = fault_set(f, FAULT_FATAL, -EINVAL, "pricing.quote_keys_file must be given");
	return r;
}

/* ---- drain ---- */

static void on_drain(void *ctx)
{
	struct pricing *p = ctx;

	for (size_t i = 0; i < PARTITIONS_MAX; i++) {
		if (p->partitions[i] && !partition_is_idle(p->partitions[i]))
			return;
	}
	loop_timer_stop(p->drain);
	if (p->shared.group)
		p->shared.group = bus_group_close(p->shared.group);
	for (size_t i = 0; i < PARTITIONS_MAX; i++)
		p->partitions[i] = partition_free(p->partitions[i]);
	p->drained(p->drained_ctx);
}

void pricing_drain(struct pricing *p, void (*done)(void *ctx), void *ctx)
{
	assert(!p->drained && done);
	p->drained = done;
	p->drained_ctx = ctx;
	for (size_t i = 0; i < PARTITIONS_MAX; i++) {
		if (p->partitions[i])
			partition_drain(p->partitions[i]);
	}
	loop_timer_repeat(p->drain, DRAIN_POLL_MS);
}

/* ---- readiness ---- */

bool pricing_ready(const struct pricing *p, struct buf *why)
{
	size_t before = why->n;

	rules_source_why(p->shared.rules, why);
	if (!bus_is_up(p->env.bus))
		buf_puts(why, STR("kafka: no broker has answered for 3 s\n"));
	if (!cache_is_up(p->env.cache))
		buf_puts(why, STR("redis: not connected, every event is answered STALE\n"));
	if (p->drained)
		buf_puts(why, STR("draining\n"));
	for (size_t i = 0; i < PARTITIONS_MAX; i++) {
		if (p->partitions[i] && !partition_is_running(p->partitions[i]))
			buf_printf(why,
				"partition %zu: assigned, but not ours or not restored yet\n", i);
	}
	if (why->n != before)
		return false;
	rules_source_note(p->shared.rules, why);
	return true;
}

/* ---- life ---- */

struct pricing *pricing_free(struct pricing *p)
{
	struct event *e;

	if (!p)
		return NULL;
	if (p->shared.group)
		bus_group_close(p->shared.group);
	for (size_t i = 0; i < PARTITIONS_MAX; i++)
		partition_free(p->partitions[i]);
	bus_reader_close(p->shared.reader);
	while ((e = TAILQ_FIRST(&p->shared.orphans))) {
		TAILQ_REMOVE(&p->shared.orphans, e, link);
		event_free(e);
	}
	rules_source_free(p->shared.rules);
	reviser_free(p->shared.reviser);
	join_free(p->shared.join);
	quote_keys_free(p->shared.keys);
	arena_free(p->shared.scratch);
	decide_scratch_free(p->shared.decide);
	answer_bufs_fini(&p->shared.bufs);
	loop_timer_free(p->drain);
	free(p);
	return NULL;
}

static int build(struct pricing *p, const struct pricing_config *c, struct fault *f)
{
	struct partition_env *env = &p->shared;
	static const struct rules_source_ops ops = { .ruleset = on_rules, .paused = on_paused };
	const struct rules_source_config rules = { .file = c->rules_file, .name = c->rules_name };
	const struct join_config join = {
		.memo_max = (size_t)c->memo_max,
		.memo_ms = c->offer_ttl_ms,
		.stock_age_ms = c->max_age_inventory_ms,
	};
	int r = configure(p, c, f);

	if (r == 0)
		r = quote_keys_load(&env->keys, c->quote_keys_file, f);
	if (r == 0)
		r = arena_new(&env->scratch, SCRATCH_BYTES);
	if (r == 0)
		r = decide_scratch_new(&env->decide);
	if (r == 0)
		r = join_new(&env->join, p->env.cache, p->env.metrics, &join);
	if (r == 0)
		r = reviser_new(&env->reviser, p->env.loop, p->env.cache, env->join);
	if (r == 0)
		r = rules_source_new(
			&env->rules, p->env.loop, p->env.bus, p->env.metrics, &rules, &ops, p, f);
	if (r == 0)
		r = cache_track(p->env.cache, followed, ARRAY_LEN(followed), on_changed, p);
	return r;
}

int pricing_new(struct pricing **ret, const struct pricing_env *env,
	const struct pricing_config *config, struct fault *f)
{
	CLEANUP(pricing_free) struct pricing *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	p->env = *env;
	p->group_name = config->group;
	answer_bufs_init(&p->shared.bufs);
	TAILQ_INIT(&p->shared.orphans);
	TAILQ_INIT(&p->shared.partitions);
	p->shared.loop = env->loop;
	p->shared.bus = env->bus;
	p->shared.instance = env->instance;
	pricing_metrics_init(&p->shared.metrics, env->metrics);
	p->drain = loop_timer_new(env->loop, on_drain, p);
	r = p->drain ? build(p, config, f) : -ENOMEM;
	if (r != 0)
		return r;
	*ret = TAKE(p);
	return 0;
}
