/*
 * The dry run's group membership: assignments into shards. It has no thread, no socket and no clock
 * of its own; all of it could speak to a chain but for dry_run_plan.c, which makes the chain up.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/model/ledger.h"
#include "common/model/topics.h"
#include "wallet-bridge/dry_run_shard.h"
#include "wallet-bridge/executor.h"

#define SCRATCH_BYTES  (64 * 1024)
#define PARTITIONS_MAX 4096
#define DRAIN_POLL_MS  20

struct dry_run {
	struct executor base; /* first */
	struct dry_run_env env;
	struct dry_run_shard *shards[PARTITIONS_MAX]; /* by number */
	struct loop_timer *drain;
	void (*drained)(void *ctx);
	void *drained_ctx;
};

static struct dry_run *self(struct executor *e)
{
	return (struct dry_run *)e;
}

/* ---- partitions ---- */

static void on_assigned(
	void *ctx, const char *topic, int32_t number, int64_t committed, struct str metadata)
{
	struct dry_run *d = ctx;
	int r;

	(void)topic;
	if (number >= PARTITIONS_MAX || d->drained) {
		log_error("executor", "an assigned partition is left alone", "partition=%" PRId32,
			number);
		return;
	}
	assert(!d->shards[number]);
	r = dry_run_shard_new(&d->shards[number], &d->env, number, committed, metadata);
	if (r != 0)
		log_error("executor", "a partition could not be started",
			"partition=%" PRId32 " error=%d", number, r);
}

static struct dry_run_shard *shard(struct dry_run *d, int32_t number)
{
	return number < PARTITIONS_MAX ? d->shards[number] : NULL;
}

static void on_revoked(void *ctx, const char *topic, int32_t number)
{
	struct dry_run *d = ctx;
	struct dry_run_shard *s = shard(d, number);

	(void)topic;
	if (!s)
		return;
	dry_run_shard_commit(s);
	d->shards[number] = dry_run_shard_free(s);
}

static void on_records(void *ctx, const struct bus_record *r, size_t n)
{
	struct dry_run_shard *s = shard(ctx, r->partition);

	if (s)
		dry_run_shard_records(s, r, n);
}

static void on_at_end(void *ctx, const char *topic, int32_t number, int64_t next_offset)
{
	struct dry_run_shard *s = shard(ctx, number);

	(void)topic;
	if (s)
		dry_run_shard_at_end(s, next_offset);
}

/* ---- drain ---- */

static void free_shards(struct dry_run *d)
{
	for (size_t i = 0; i < PARTITIONS_MAX; i++)
		d->shards[i] = dry_run_shard_free(d->shards[i]);
}

static void on_drain(void *ctx)
{
	struct dry_run *d = ctx;

	for (size_t i = 0; i < PARTITIONS_MAX; i++) {
		if (d->shards[i] && !dry_run_shard_is_idle(d->shards[i]))
			return;
	}
	loop_timer_stop(d->drain);
	for (size_t i = 0; i < PARTITIONS_MAX; i++) {
		if (d->shards[i])
			dry_run_shard_commit(d->shards[i]);
	}
	d->env.group = bus_group_close(d->env.group);
	free_shards(d);
	d->drained(d->drained_ctx);
}

static void dry_run_drain(struct executor *e, void (*done)(void *ctx), void *ctx)
{
	struct dry_run *d = self(e);

	assert(!d->drained && done);
	d->drained = done;
	d->drained_ctx = ctx;
	for (size_t i = 0; i < PARTITIONS_MAX; i++) {
		if (d->shards[i])
			dry_run_shard_drain(d->shards[i]);
	}
	loop_timer_repeat(d->drain, DRAIN_POLL_MS);
}

static bool dry_run_ready(const struct executor *e, struct buf *why)
{
	const struct dry_run *d = (const struct dry_run *)e;
	size_t before = why->n;

	if (!bus_is_up(d->env.bus))
		buf_puts(why, STR("executor: no broker has answered for 3 s\n"));
	if (d->drained)
		buf_puts(why, STR("executor: draining\n"));
	for (size_t i = 0; i < PARTITIONS_MAX; i++) {
		if (d->shards[i])
			dry_run_shard_why(d->shards[i], why);
	}
	return why->n == before;
}

/* ---- metrics ---- */

static void metrics_init(struct dry_run_metrics *ret, struct metrics *m)
{
	static const struct metric_def OUTCOMES = { "souk_executor_outcomes_total", METRIC_COUNTER,
		"Steps of payments that the ledger has.", "state" };
	static const struct metric_def REQUESTS = { "souk_executor_requests_total", METRIC_COUNTER,
		"Records of payments.requests.v1 by what they did; those of a restore included.",
		"effect" };
	static const struct metric_def OWNED = { "souk_executor_partitions_total", METRIC_COUNTER,
		"Partitions claimed, and taken away by another executor.", "change" };
	static const struct metric_def FAILED = { "souk_executor_send_failures_total",
		METRIC_COUNTER, "Steps whose delivery failed; they are sent again.", NULL };
	static const struct metric_def FULL = { "souk_executor_full_total", METRIC_COUNTER,
		"Times that orders_max or items_max left no room.", NULL };
	static const struct metric_def FORGOTTEN = { "souk_executor_forgotten_total",
		METRIC_COUNTER, "Finished orders forgotten for room.", NULL };
	static const struct metric_def OPEN = { "souk_executor_open", METRIC_GAUGE,
		"Requests that are not done.", NULL };
	static const struct metric_def LAG = { "souk_executor_step_lag_seconds",
		METRIC_HISTOGRAM_SECONDS, "From when a step was due until it was sent.", NULL };

	for (int s = 0; order_state_names[s]; s++)
		if (outcome_state_is(s))
			ret->outcomes[s] = metrics_counter(m, &OUTCOMES, order_state_names[s]);
	ret->taken = metrics_counter(m, &REQUESTS, "taken");
	ret->beyond = metrics_counter(m, &REQUESTS, "beyond");
	ret->void_ = metrics_counter(m, &REQUESTS, "void");
	ret->released = metrics_counter(m, &REQUESTS, "released");
	ret->unreadable = metrics_counter(m, &REQUESTS, "unreadable");
	ret->acquired = metrics_counter(m, &OWNED, "acquired");
	ret->lost = metrics_counter(m, &OWNED, "lost");
	ret->failed = metrics_counter(m, &FAILED, NULL);
	ret->full = metrics_counter(m, &FULL, NULL);
	ret->forgotten = metrics_counter(m, &FORGOTTEN, NULL);
	ret->open = metrics_gauge(m, &OPEN, NULL);
	ret->lag = metrics_histogram(m, &LAG, NULL);
}

/* ---- life ---- */

static void dry_run_free(struct executor *e)
{
	struct dry_run *d = self(e);

	bus_group_close(d->env.group);
	free_shards(d);
	range_reads_free(d->env.reads);
	arena_free(d->env.scratch);
	loop_timer_free(d->drain);
	free(d);
}

static int build(struct dry_run *d)
{
	static const struct bus_group_ops ops = { .assigned = on_assigned,
		.revoked = on_revoked,
		.records = on_records,
		.at_end = on_at_end };
	static const char *const topics[] = { TOPIC_PAYMENT_REQUESTS };
	int r = arena_new(&d->env.scratch, SCRATCH_BYTES);

	if (r == 0)
		r = range_reads_new(&d->env.reads, d->env.loop, d->env.bus);
	d->drain = loop_timer_new(d->env.loop, on_drain, d);
	if (r == 0 && !d->drain)
		r = -ENOMEM;
	if (r == 0)
		r = bus_group_open(d->env.bus, &d->env.group, d->env.config->group, topics,
			ARRAY_LEN(topics), &ops, d);
	return r;
}

int executor_dry_run_new(struct executor **ret, const struct executor_env *env,
	const struct executor_config *config, struct fault *f)
{
	static const struct executor_ops ops = {
		.ready = dry_run_ready, .drain = dry_run_drain, .free = dry_run_free
	};
	struct dry_run *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return fault_set(f, FAULT_RETRY, -ENOMEM, "executor: out of memory");
	d->base.ops = &ops;
	d->env = (struct dry_run_env){
		.loop = env->loop, .bus = env->bus, .instance = env->instance, .config = config
	};
	metrics_init(&d->env.metrics, env->metrics);
	r = build(d);
	if (r != 0) {
		dry_run_free(&d->base);
		return fault_set(f, FAULT_RETRY, r,
			"executor: the consumer group could not be joined (error %d)", r);
	}
	*ret = &d->base;
	return 0;
}
