/*
 * Ownership and life. While a shard is not RUNNING nothing of it is sent, told or committed. LOST
 * ends in a clean start: the owner goes, then everything that was in memory, then a new owner
 * record is claimed and all is read again. So there is one way back from every doubt.
 */
#include "wallet-bridge/bridge_shard_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/model/offer.h"
#include "common/model/topics.h"

#define OWNER_REPEAT_MS  86400000
#define OWNER_RECORD_MAX 1024

static void fall_back(struct bridge_shard *s)
{
	if (s->state == BRIDGE_LOST)
		return;
	if (s->state == BRIDGE_RUNNING && !s->is_held)
		bus_group_hold(s->env->group, TOPIC_ORDERS, s->number, true);
	s->is_held = true;
	s->state = BRIDGE_LOST;
	loop_timer_stop(s->retry);
	loop_timer_start(s->reclaim, RECLAIM_MS);
}

void bridge_fail(struct bridge_shard *s, const char *why, int err)
{
	if (s->state == BRIDGE_LOST)
		return;
	counter_add(s->env->metrics.failed, 1);
	log_error(BRIDGE_LOG_GROUP, "partition is given up for now and will be restored",
		"shard=%" PRId32 " epoch=%" PRId64 " why=%s error=%d", s->number, s->epoch,
		log_quote(str_of(why)), err);
	fall_back(s);
}

/* ---- everything in memory ---- */

/* After the owner: what went through it is reported no more. */
static void drop_all(struct bridge_shard *s)
{
	bridge_messages_drop(s);
	bridge_views_stop(s);
	bridge_restore_stop(s);
	bridge_outcomes_drop(s);
	while (!TAILQ_EMPTY(&s->works))
		bridge_work_free(s, TAILQ_FIRST(&s->works));
	order_table_fini(&s->orders);
	goods_table_fini(&s->goods);
	s->log = request_log_free(s->log);
	TAILQ_INIT(&s->due);
	TAILQ_INIT(&s->late);
	s->n_supplies = 0;
	s->is_blocked = s->is_caught_up = false;
}

/* ---- beginning ---- */

static void owner_write(void *ctx, struct buf *out)
{
	struct bridge_shard *s = ctx;
	struct json_out j = JSON_OUT(out);
	const struct owner_record r = {
		.shard = s->number,
		.instance = str_of(s->env->instance),
		.ts = loop_now_ms(s->env->loop),
	};

	owner_record_json(&j, &r);
}

/* The fold hears of an owner record of ours that it was not read from the log. */
static void apply_owner(struct bridge_shard *s)
{
	CLEANUP(buf_fini) struct buf value = BUF_INIT(OWNER_RECORD_MAX);
	enum log_effect effect = LOG_UNREADABLE;
	struct bus_record r = {
		.topic = TOPIC_PAYMENT_REQUESTS,
		.partition = s->number,
		.offset = s->epoch,
		.ts_ms = loop_now_ms(s->env->loop),
	};
	int err;

	owner_write(s, &value);
	r.value = buf_str(&value);
	arena_reset(s->env->scratch);
	err = request_log_apply(s->log, &r, s->env->scratch, &effect, NULL);
	if (err || effect != LOG_OWNER)
		bridge_fail(s, "our owner record could not be folded", err);
}

static bool adopt_item(void *ctx, const struct log_item *item)
{
	struct bridge_shard *s = ctx;
	struct goods *g;
	int r = goods_put(&s->goods, item->item, &g);

	if (r) {
		bridge_fail(s, "more items than wallet.items_max", r);
		return false;
	}
	g->has_supply = item->has_supply;
	g->supply = item->supply;
	g->supply_ver = item->supply_ver;
	g->n = ++s->n_changes;
	if (item->through > g->snapshot_through)
		bridge_snapshot_late(s, g);
	return true;
}

static void check_supply(void *ctx, struct bridge_map_node *node)
{
	struct bridge_shard *s = ctx;

	if (s->state == BRIDGE_RUNNING)
		bridge_supply_check(s, goods_entry(node));
}

static void tell_rest(void *ctx, struct bridge_map_node *node)
{
	struct bridge_shard *s = ctx;
	struct order_entry *e = order_table_entry(node);

	order_entry_drop_aheads(e);
	if (s->state == BRIDGE_RUNNING && e->has_record && e->last.state == ORDER_ACCEPTED &&
		bridge_tell_decision(s, e, NULL))
		bridge_fail(s, "out of memory", -ENOMEM);
}

void bridge_begin(struct bridge_shard *s)
{
	int64_t took_us = loop_mono_us(s->env->loop) - s->restore_us;

	s->state = BRIDGE_RUNNING;
	if (request_log_epoch(s->log) != s->epoch)
		apply_owner(s);
	request_log_each_item(s->log, adopt_item, s);
	bridge_map_each(&s->goods.by_item, check_supply, s);
	bridge_map_each(&s->orders.by_id, tell_rest, s);
	if (s->state != BRIDGE_RUNNING)
		return;
	histogram_add(s->env->metrics.restore, took_us);
	log_info(BRIDGE_LOG_GROUP, "partition is ours",
		"shard=%" PRId32 " epoch=%" PRId64 " next=%" PRId64
		" items=%zu open=%zu results=%" PRIu64 " requests=%" PRIu64 " orders=%" PRIu64
		" ms=%" PRId64,
		s->number, s->epoch, s->next, request_log_n_items(s->log), s->orders.n_open,
		s->n_restored_results, s->n_restored_requests, s->n_restored_orders,
		took_us / 1000);
	bridge_ledger_want(s);
	if (s->state != BRIDGE_RUNNING)
		return;
	bus_group_start(s->env->group, TOPIC_ORDERS, s->number, s->next);
	bridge_pump(s);
	bridge_update_hold(s);
	if (s->state == BRIDGE_RUNNING)
		bridge_views_begin(s);
}

/* ---- ownership ---- */

static void on_acquired(void *ctx, int64_t epoch)
{
	struct bridge_shard *s = ctx;
	int r;

	s->epoch = epoch;
	if (s->state == BRIDGE_RUNNING) { /* our own record repeated */
		apply_owner(s);
		bridge_pump(s);
		return;
	}
	if (s->state != BRIDGE_CLAIMING)
		return;
	counter_add(s->env->metrics.acquired, 1);
	r = bridge_restore(s);
	if (r)
		bridge_fail(s, "restoring could not begin", r);
}

static void on_lost(void *ctx)
{
	struct bridge_shard *s = ctx;

	counter_add(s->env->metrics.lost, 1);
	log_warn(BRIDGE_LOG_GROUP, "partition was taken from us, dropping what is in flight",
		"shard=%" PRId32 " epoch=%" PRId64, s->number, s->epoch);
	fall_back(s);
}

static struct str owner_of(void *ctx, const struct bus_record *record)
{
	struct bridge_shard *s = ctx;

	return owner_record_instance(
		s->owner_text, sizeof(s->owner_text), record->value, s->number, s->env->scratch);
}

static int claim(struct bridge_shard *s)
{
	static const struct owner_ops ops = {
		.acquired = on_acquired,
		.lost = on_lost,
		.owner_of = owner_of,
		.write = owner_write,
	};
	const struct owner_config config = {
		.topic = TOPIC_PAYMENT_REQUESTS,
		.partition = s->number,
		.instance = str_of(s->env->instance),
		.repeat_ms = OWNER_REPEAT_MS,
	};
	int r = owner_new(&s->owner, s->env->loop, s->env->bus, &config, &ops, s);

	if (r)
		return r;
	s->state = BRIDGE_CLAIMING;
	owner_claim(s->owner);
	return 0;
}

static void on_reclaim(void *ctx)
{
	struct bridge_shard *s = ctx;

	s->owner = owner_free(s->owner);
	drop_all(s);
	if (!s->is_draining && claim(s))
		loop_timer_start(s->reclaim, REFUSED_RETRY_MS);
}

/* ---- life ---- */

struct bridge_shard *bridge_shard_free(struct bridge_shard *s)
{
	if (!s)
		return NULL;
	owner_free(s->owner);
	drop_all(s);
	loop_timer_free(s->retry);
	loop_timer_free(s->reclaim);
	free(s->places);
	free(s);
	return NULL;
}
DEFINE_CLEANUP(struct bridge_shard *, bridge_shard_free)

static int make_places(struct bridge_shard *s)
{
	int32_t n = ledger_feed_partitions(s->env->ledger);

	s->places = calloc((size_t)n, sizeof(*s->places));
	if (!s->places)
		return -ENOMEM;
	s->n_places = n;
	for (int32_t i = 0; i < n; i++) {
		TAILQ_INIT(&s->places[i].outcomes);
		s->places[i].epoch = -1;
	}
	return 0;
}

int bridge_shard_new(struct bridge_shard **ret, struct bridge_env *env, int32_t number,
	int64_t committed, struct str metadata)
{
	CLEANUP(bridge_shard_free) struct bridge_shard *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->env = env;
	s->number = number;
	s->epoch = -1;
	s->next = s->committed = committed;
	TAILQ_INIT(&s->works);
	TAILQ_INIT(&s->outbox);
	TAILQ_INIT(&s->air);
	TAILQ_INIT(&s->due);
	TAILQ_INIT(&s->late);
	TAILQ_INIT(&s->unknown);
	bridge_views_init(s);
	s->retry = loop_timer_new(env->loop, bridge_retry, s);
	s->reclaim = loop_timer_new(env->loop, on_reclaim, s);
	if (!s->retry || !s->reclaim)
		return -ENOMEM;
	r = make_places(s);
	if (r)
		return r;
	bridge_ledger_parse(s, metadata);
	r = claim(s);
	if (r)
		return r;
	*ret = TAKE(s);
	return 0;
}

void bridge_shard_revoked(struct bridge_shard *s)
{
	bridge_commit(s);
}

void bridge_shard_tick(struct bridge_shard *s)
{
	if (s->state != BRIDGE_RUNNING)
		return;
	(void)bridge_make_room(s, 0);
	bridge_ledger_want(s);
	bridge_snapshots_pump(s, s->is_draining);
	bridge_views_tick(s);
	bridge_commit(s);
}

void bridge_shard_heartbeat(struct bridge_shard *s)
{
	bridge_views_heartbeat(s);
}

bool bridge_shard_is_running(const struct bridge_shard *s)
{
	return s->state == BRIDGE_RUNNING;
}

const char *bridge_shard_why(const struct bridge_shard *s)
{
	switch (s->state) {
	case BRIDGE_CLAIMING:
		return "claiming";
	case BRIDGE_RESTORING:
		return "restoring";
	case BRIDGE_LOST:
		return "lost";
	case BRIDGE_RUNNING:
		break;
	}
	return "running";
}

bool bridge_shard_is_shown(const struct bridge_shard *s)
{
	return s->views.state == VIEWS_OPEN && s->views.is_complete;
}

void bridge_shard_drain(struct bridge_shard *s)
{
	s->is_draining = true;
	bridge_update_hold(s);
}

bool bridge_shard_is_idle(const struct bridge_shard *s)
{
	if (s->state != BRIDGE_RUNNING)
		return true;
	return s->n_works == 0 && s->n_air == 0 && TAILQ_EMPTY(&s->outbox) &&
	       TAILQ_EMPTY(&s->late) && s->next == s->committed;
}

void bridge_shard_count(const struct bridge_shard *s)
{
	const struct bridge_metrics *m = &s->env->metrics;

	if (s->state != BRIDGE_RUNNING)
		return;
	m->open->value += (int64_t)s->orders.n_open;
	m->known->value += (int64_t)order_table_count(&s->orders);
	m->items->value += (int64_t)s->goods.by_item.n;
	m->views_dirty->value += (int64_t)s->views.n_dirty;
}
