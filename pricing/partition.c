/*
 * Ownership and life. Events stand in one list in offset order; from its head: those whose messages
 * are out (SENDING, perhaps DONE), then those that wait for their decision, the first of them in
 * the batch that is being joined.
 *
 * What is sent through the owner is reported through it, and forgotten with it; what is sent
 * through the bus is reported whatever happens, so a dropped event with a report due waits as an
 * orphan.
 */
#include "pricing/partition_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/model/offer.h"
#include "common/model/topics.h"

#define OWNER_REPEAT_MS 86400000

/* ---- ownership ---- */

/* What it was asked for is not decided. */
static void stop_joining(struct partition *p)
{
	join_cancel(p->batch);
	p->batch = NULL;
}

/* @with_owner: the owner was freed, and with it the reports of what went through it. */
static void drop_events(struct partition *p, bool with_owner)
{
	struct event *e;

	stop_joining(p);
	while ((e = TAILQ_FIRST(&p->events))) {
		partition_take_out(p, e);
		e->partition = NULL;
		if (with_owner)
			event_forget_owner(e);
		if (event_reports_due(e) == 0) {
			event_free(e);
			continue;
		}
		e->orphans = &p->env->orphans;
		TAILQ_INSERT_TAIL(e->orphans, e, link);
	}
}

void partition_restored(struct partition *p)
{
	log_info("pricing", "partition is ours",
		"shard=%" PRId32 " epoch=%" PRId64 " next=%" PRId64, p->number, p->epoch, p->next);
	p->state = PARTITION_RUNNING;
	p->is_blocked = false;
	bus_group_start(p->env->group, TOPIC_INTEREST, p->number, p->next);
	partition_update_hold(p);
}

static void on_acquired(void *ctx, int64_t epoch)
{
	struct partition *p = ctx;

	p->epoch = epoch;
	if (p->state == PARTITION_RUNNING)
		partition_redo(p);
	if (p->state != PARTITION_CLAIMING)
		return; /* repeated: what is being restored lies before the first */
	counter_add(p->env->metrics.acquired, 1);
	partition_restore(p);
}

static void fall_back(struct partition *p)
{
	if (p->state == PARTITION_LOST)
		return;
	if (!p->is_held)
		bus_group_hold(p->env->group, TOPIC_INTEREST, p->number, true);
	p->is_held = true;
	partition_restore_stop(p);
	stop_joining(p);
	p->state = PARTITION_LOST;
	live_remove_all(p->live);
	loop_timer_start(p->reclaim, FAILED_RETRY_MS);
}

static void on_lost(void *ctx)
{
	struct partition *p = ctx;

	counter_add(p->env->metrics.lost, 1);
	log_warn("pricing", "partition was taken from us, dropping what is in flight",
		"shard=%" PRId32 " epoch=%" PRId64, p->number, p->epoch);
	fall_back(p);
}

static struct str owner_of(void *ctx, const struct bus_record *record)
{
	struct partition *p = ctx;

	return owner_record_instance(
		p->owner_text, sizeof(p->owner_text), record->value, p->number, p->env->scratch);
}

static void owner_write(void *ctx, struct buf *out)
{
	struct partition *p = ctx;
	struct json_out j = JSON_OUT(out);
	const struct owner_record r = {
		.shard = p->number,
		.instance = str_of(p->env->instance),
		.ts = loop_now_ms(p->env->loop),
	};

	owner_record_json(&j, &r);
}

static int claim(struct partition *p)
{
	static const struct owner_ops ops = {
		.acquired = on_acquired,
		.lost = on_lost,
		.owner_of = owner_of,
		.write = owner_write,
	};
	const struct owner_config config = {
		.topic = TOPIC_DECISIONS,
		.partition = p->number,
		.instance = str_of(p->env->instance),
		.repeat_ms = OWNER_REPEAT_MS,
	};
	int r = owner_new(&p->owner, p->env->loop, p->env->bus, &config, &ops, p);

	if (r != 0)
		return r;
	p->state = PARTITION_CLAIMING;
	owner_claim(p->owner);
	return 0;
}

static void on_reclaim(void *ctx)
{
	struct partition *p = ctx;

	p->owner = owner_free(p->owner);
	drop_events(p, true);
	if (p->is_draining)
		return;
	if (claim(p) != 0)
		loop_timer_start(p->reclaim, REFUSED_RETRY_MS);
}

/* ---- life ---- */

struct partition *partition_free(struct partition *p)
{
	if (!p)
		return NULL;
	owner_free(p->owner);
	if (p->restore.retry)
		partition_restore_stop(p);
	drop_events(p, true);
	if (p->is_linked)
		TAILQ_REMOVE(&p->env->partitions, p, link);
	reviser_leave(p->env->reviser, p);
	live_free(p->live);
	loop_timer_free(p->wake);
	loop_timer_free(p->retry);
	loop_timer_free(p->commit);
	loop_timer_free(p->reclaim);
	loop_timer_free(p->restore.retry);
	recent_free(p->recent);
	free(p);
	return NULL;
}
DEFINE_CLEANUP(struct partition *, partition_free)

int partition_new(struct partition **ret, struct partition_env *env, int32_t number,
	int64_t committed, struct str metadata)
{
	CLEANUP(partition_free) struct partition *p = calloc(1, sizeof(*p));
	uint64_t since;
	int r;

	if (!p)
		return -ENOMEM;
	p->env = env;
	p->number = number;
	p->epoch = -1;
	p->next = p->committed = committed;
	p->since = p->wake_us = -1;
	if (str_is_set(metadata) && str_to_u64(metadata, &since) == 0 && since <= INT64_MAX)
		p->since = (int64_t)since;
	TAILQ_INIT(&p->events);
	p->retry = loop_timer_new(env->loop, partition_retry, p);
	p->commit = loop_timer_new(env->loop, partition_commit, p);
	p->reclaim = loop_timer_new(env->loop, on_reclaim, p);
	p->wake = loop_timer_new(env->loop, partition_wake, p);
	p->restore.retry = loop_timer_new(env->loop, partition_restore_retry, p);
	if (!p->retry || !p->commit || !p->reclaim || !p->wake || !p->restore.retry)
		return -ENOMEM;
	r = recent_new(
		&p->recent, (size_t)env->recent_max, env->offer_ttl_ms, env->guards.moved_bps);
	if (r == 0)
		r = live_new(&p->live, &env->live, p);
	if (r == 0)
		r = claim(p);
	if (r != 0)
		return r;
	TAILQ_INSERT_TAIL(&env->partitions, p, link);
	p->is_linked = true;
	*ret = TAKE(p);
	return 0;
}

void partition_revoked(struct partition *p)
{
	partition_commit(p);
}

void partition_records(struct partition *p, const struct bus_record *r, size_t n)
{
	int64_t now_us = loop_mono_us(p->env->loop);

	for (size_t i = 0; i < n && p->state == PARTITION_RUNNING && !p->is_draining; i++) {
		struct event *e = event_new(p, &r[i], now_us, &p->env->metrics);

		if (!e) {
			log_error("pricing", "out of memory, reading the partition again",
				"shard=%" PRId32 " offset=%" PRId64, p->number, r[i].offset);
			fall_back(p);
			return;
		}
		counter_add(p->env->metrics.events, 1);
		partition_append(p, e);
	}
	partition_pump(p);
	partition_join_next(p);
	partition_update_hold(p);
}

bool partition_is_running(const struct partition *p)
{
	return p->state == PARTITION_RUNNING;
}

void partition_drain(struct partition *p)
{
	p->is_draining = true;
	live_remove_all(p->live);
	partition_update_hold(p);
	partition_advance(p);
}

bool partition_is_idle(const struct partition *p)
{
	return p->n_events == 0 && p->n_revisions == 0 &&
	       (p->next == p->committed || p->state != PARTITION_RUNNING);
}
