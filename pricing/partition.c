/*
 * Events stand in one list in offset order. From its head: those whose messages are out (SENDING,
 * perhaps DONE), then those that wait for their decision, the first of them in the batch that is
 * being joined. One batch at a time: a second one could be answered first, and decisions would
 * leave their order.
 *
 * A repeat of an interest that was decided while its offer could live is the same event: the first
 * answer stands, and the repeat is done without a second one.
 *
 * What is sent through the owner is reported through it, and forgotten with it; what is sent
 * through the bus is reported whatever happens, so a dropped event with such a message waits as an
 * orphan.
 */
#include "pricing/partition.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/io/owner.h"
#include "common/model/offer.h"
#include "common/model/topics.h"
#include "pricing/answer.h"
#include "pricing/compute.h"
#include "pricing/recent.h"

#define COMMIT_EVERY_MS  100
#define FULL_RETRY_MS    10   /* the bus or the cache has no room */
#define FAILED_RETRY_MS  100  /* a delivery failed, the partition was lost */
#define REFUSED_RETRY_MS 1000 /* an unknown topic, no quote key */
#define OWNER_REPEAT_MS  86400000
#define INSTANCE_MAX     128

enum partition_state { PARTITION_CLAIMING, PARTITION_RUNNING, PARTITION_LOST };

struct partition {
	struct partition_env *env;
	int32_t number;
	enum partition_state state;
	struct owner *owner;
	char owner_text[INSTANCE_MAX + 1]; /* of the owner record looked at last */
	int64_t epoch;
	int64_t next; /* first offset without acknowledged results, or BUS_NO_OFFSET */
	int64_t committed;
	int64_t since; /* the predecessor's metadata, -1 = none; once ours, @recent knows */
	bool was_owned;
	struct recent *recent;
	uint64_t evicted; /* of @recent, as counted so far */

	struct event_list events;
	int64_t n_events;
	struct event *unsent;  /* first with a message that the bus has not got, NULL: none */
	struct event *waiting; /* first without a decision, NULL: none */
	struct join_batch *batch;
	struct event *batch_end; /* last event of the batch */
	int64_t asked_us;

	bool is_held, is_blocked, is_draining;
	struct loop_timer *retry, *commit, *reclaim;
	bool is_commit_due;
};

static void pump(struct partition *p);
static void join_next(struct partition *p);

/* ---- back-pressure ---- */

static void update_hold(struct partition *p)
{
	int64_t max = p->env->in_flight_max;
	bool hold = p->is_draining || p->is_blocked || p->n_events >= max ||
		    (p->is_held && p->n_events > max / 2);

	if (hold == p->is_held || p->state != PARTITION_RUNNING)
		return;
	p->is_held = hold;
	if (hold)
		counter_add(p->env->metrics.held, 1);
	bus_group_hold(p->env->group, TOPIC_INTEREST, p->number, hold);
}

static void block(struct partition *p, int64_t retry_ms)
{
	if (!p->is_blocked)
		loop_timer_start(p->retry, retry_ms);
	p->is_blocked = true;
	update_hold(p);
}

static void on_retry(void *ctx)
{
	struct partition *p = ctx;

	p->is_blocked = false;
	if (p->state != PARTITION_RUNNING)
		return;
	pump(p);
	join_next(p);
	update_hold(p);
}

/* ---- the list, and what may be committed ---- */

static void append(struct partition *p, struct event *e)
{
	TAILQ_INSERT_TAIL(&p->events, e, link);
	p->n_events++;
	p->env->metrics.in_flight->value++;
	if (!p->unsent)
		p->unsent = e;
	if (!p->waiting && e->stage == EVENT_WAITING)
		p->waiting = e;
}

static struct event *next_waiting(struct event *e)
{
	while ((e = TAILQ_NEXT(e, link)) && e->stage != EVENT_WAITING)
		;
	return e;
}

static void take_out(struct partition *p, struct event *e)
{
	if (p->unsent == e)
		p->unsent = TAILQ_NEXT(e, link);
	if (p->waiting == e)
		p->waiting = next_waiting(e);
	TAILQ_REMOVE(&p->events, e, link);
	p->n_events--;
	p->env->metrics.in_flight->value--;
}

static void commit_now(struct partition *p)
{
	char text[24];
	struct str metadata = STR_NONE;
	int64_t since;

	p->is_commit_due = false;
	if (p->next == p->committed)
		return;
	since = recent_since(p->recent, loop_now_ms(p->env->loop));
	if (since >= 0)
		metadata = (struct str){ text,
			(size_t)snprintf(text, sizeof(text), "%" PRId64, since) };
	if (bus_group_commit(p->env->group, TOPIC_INTEREST, p->number, p->next, metadata) == 0)
		p->committed = p->next;
}

static void on_commit(void *ctx)
{
	commit_now(ctx);
}

/* The run of finished events at the head is what may be committed. */
static void advance(struct partition *p)
{
	struct event *e;

	while ((e = TAILQ_FIRST(&p->events)) && e->stage == EVENT_DONE) {
		p->next = e->offset + 1;
		take_out(p, e);
		event_free(e);
	}
	if (p->is_draining && p->n_events == 0) {
		commit_now(p);
	} else if (p->next != p->committed && !p->is_commit_due) {
		p->is_commit_due = true;
		loop_timer_start(p->commit, COMMIT_EVERY_MS);
	}
	update_hold(p);
}

/* ---- sending ---- */

static void check_done(struct event *e)
{
	for (size_t i = 0; i < ARRAY_LEN(e->messages); i++) {
		if (e->messages[i].state == MESSAGE_READY || e->messages[i].state == MESSAGE_SENT)
			return;
	}
	e->stage = EVENT_DONE;
}

static void give_up(struct partition *p, struct message *m)
{
	counter_add(p->env->metrics.unsendable, 1);
	log_error("pricing", "a message is larger than the broker takes, given up",
		"topic=%s shard=%" PRId32 " offset=%" PRId64, m->m.topic, p->number,
		m->event->offset);
	m->state = MESSAGE_DONE;
}

static void on_orphan_sent(struct event *e)
{
	if (event_reports_due(e) > 0)
		return;
	TAILQ_REMOVE(e->orphans, e, link);
	event_free(e);
}

static void on_sent(void *ctx, int err, int32_t partition, int64_t offset)
{
	struct message *m = ctx;
	struct event *e = m->event;
	struct partition *p = e->partition;

	(void)partition;
	m->state = err == 0 ? MESSAGE_DONE : MESSAGE_READY;
	if (!p) {
		on_orphan_sent(e);
		return;
	}
	if (err == 0 && m->is_owned)
		recent_logged(p->recent, e->interest.id, offset);
	if (err == -EMSGSIZE) {
		give_up(p, m);
	} else if (err && err != -EPERM) {
		counter_add(p->env->metrics.resent, 1);
		p->unsent = TAILQ_FIRST(&p->events);
		block(p, FAILED_RETRY_MS);
	}
	check_done(e);
	advance(p);
}

static int give_to_bus(struct partition *p, struct message *m)
{
	struct bus_message owned = m->m; /* owner_send() puts its own texts in */
	int r = m->is_owned ? owner_send(p->owner, &owned) : bus_send(p->env->bus, &m->m);

	/* A reply partition that a foreign client made up. */
	if (r == -EINVAL && !m->is_owned && m->m.partition != BUS_BY_KEY) {
		m->m.partition = BUS_BY_KEY;
		r = bus_send(p->env->bus, &m->m);
	}
	return r;
}

/* Whether the bus has it (or never will). */
static bool send_message(struct partition *p, struct message *m)
{
	int r;

	if (m->state != MESSAGE_READY)
		return true;
	m->m.sent = on_sent;
	m->m.ctx = m;
	r = give_to_bus(p, m);
	if (r == 0)
		m->state = MESSAGE_SENT;
	else if (r == -EMSGSIZE)
		give_up(p, m);
	else if (r != -EPERM) /* then lost() is on its way */
		block(p, r == -ENOBUFS ? FULL_RETRY_MS : REFUSED_RETRY_MS);
	return m->state != MESSAGE_READY;
}

static bool send_event(struct partition *p, struct event *e)
{
	for (size_t i = 0; i < ARRAY_LEN(e->messages); i++) {
		if (!send_message(p, &e->messages[i]))
			return false;
	}
	check_done(e);
	return true;
}

static void pump(struct partition *p)
{
	if (p->state != PARTITION_RUNNING || p->is_blocked)
		return;
	while (p->unsent && p->unsent->stage != EVENT_WAITING && send_event(p, p->unsent))
		p->unsent = TAILQ_NEXT(p->unsent, link);
	advance(p);
}

/* ---- deciding ---- */

static void fill_inputs(struct partition *p, const struct event *e, size_t row,
	enum row_doubt doubt, int64_t now_ms)
{
	struct partition_env *env = p->env;
	struct price_inputs *in = &env->inputs;
	struct recent_view view;
	const char *quantum;

	*in = (struct price_inputs){
		.now = now_ms,
		.deadline = e->deadline_ms,
		.bad = e->bad,
		.interest = e->interest,
		.guards = env->guards,
	};
	if (e->is_joined)
		join_fill(p->batch, row, now_ms, env->scratch, in);
	else
		join_fill_unknown(in, doubt);
	quantum = env->quantum[in->inventory.list.currency % CURRENCIES_MAX];
	in->guards.quantum = *quantum ? str_of(quantum) : STR("1");
	in->personalization = inputs_consent(in) ? TRI_TRUE : TRI_FALSE;
	if (rules_source_is_paused(env->rules, in->inventory.collection))
		in->paused = TRI_TRUE;
	recent_look(
		p->recent, e->interest.session, e->interest.user, e->interest.item, now_ms, &view);
	in->live_user = view.live_user;
	in->live_item = view.live_item;
	in->shown_price = view.shown_price;
	in->shown_bid_net = view.shown_bid_net;
}

static void remember(struct partition *p, const struct event *e)
{
	const struct price_inputs *in = &p->env->inputs;
	const struct price_result *result = &p->env->result;
	const struct recent_decision d = {
		.interest = e->interest.id,
		.session = e->interest.session,
		.user = e->interest.user,
		.item = e->interest.item,
		.now_ms = in->now,
		.is_offer = result->outcome == OUTCOME_OFFER,
		.price = result->price,
		.bid_net = in->bestbid.bid_net,
	};
	uint64_t evicted;

	if (recent_add(p->recent, &d) != 0)
		counter_add(p->env->metrics.forgotten, 1);
	evicted = recent_evicted(p->recent);
	counter_add(p->env->metrics.forgotten, evicted - p->evicted);
	p->evicted = evicted;
}

static void count(struct partition *p, const struct event *e)
{
	struct pricing_metrics *m = &p->env->metrics;
	const struct price_result *result = &p->env->result;

	counter_add(m->decisions[result->outcome], 1);
	if (result->reason)
		counter_add(m->reasons[result->reason], 1);
	histogram_add(m->decision, loop_mono_us(p->env->loop) - e->received_us);
}

/* 0, or what answer_put() says: the event goes on waiting. */
static int decide(struct partition *p, struct event *e, size_t row, enum row_doubt doubt)
{
	struct partition_env *env = p->env;
	const struct ruleset *rules = rules_source_current(env->rules);
	int64_t now_ms = loop_now_ms(env->loop);
	int r;

	if (recent_knows(p->recent, e->interest.id, now_ms)) {
		counter_add(env->metrics.repeats, 1);
		e->stage = EVENT_DONE;
		return 0;
	}
	arena_reset(env->scratch);
	fill_inputs(p, e, row, doubt, now_ms);
	compute(rules, &env->inputs, &env->result);
	const struct answer answer = {
		.event = e,
		.inputs = &env->inputs,
		.result = &env->result,
		.keys = env->keys,
		.ruleset = ruleset_id(rules),
		.shard = p->number,
		.offer_partitions = bus_partitions(env->bus, TOPIC_OFFERS),
		.epoch = p->epoch,
		.offer_ttl_ms = env->offer_ttl_ms,
		.latency_us = loop_mono_us(env->loop) - e->received_us,
	};

	r = answer_put(e, &answer);
	if (r != 0)
		return r;
	e->stage = EVENT_SENDING;
	remember(p, e);
	count(p, e);
	return 0;
}

/* All waiting events up to @last, in order. False: one has to go on waiting, and so do those after
 * it. */
static bool decide_until(struct partition *p, const struct event *last, enum row_doubt doubt)
{
	size_t row = 0;
	bool is_last = false;

	while (p->waiting && !is_last) {
		struct event *e = p->waiting;
		int r = decide(p, e, row, e->is_joined ? DOUBT_NONE : doubt);

		if (r != 0) {
			log_error("pricing", "no answer could be made, waiting to try again",
				"shard=%" PRId32 " offset=%" PRId64 " error=%d", p->number,
				e->offset, r);
			block(p, REFUSED_RETRY_MS);
			return false;
		}
		row += e->is_joined;
		is_last = e == last;
		p->waiting = next_waiting(e);
	}
	return true;
}

static void unjoin(struct partition *p)
{
	for (struct event *e = p->waiting; e; e = next_waiting(e))
		e->is_joined = false;
}

static void on_joined(void *ctx, struct join_batch *batch)
{
	struct partition *p = ctx;

	assert(p->batch == batch);
	(void)batch;
	histogram_add(p->env->metrics.join, loop_mono_us(p->env->loop) - p->asked_us);
	(void)decide_until(p, p->batch_end, DOUBT_UNASKED);
	p->batch = NULL;
	unjoin(p);
	pump(p);
	join_next(p);
}

/* Those that are refused before the join, or were answered already, cost no look-up. */
static bool needs_rows(struct partition *p, const struct event *e, int64_t now_ms)
{
	return !str_is_set(e->bad) && !(e->deadline_ms && now_ms > e->deadline_ms) &&
	       !recent_knows(p->recent, e->interest.id, now_ms);
}

/* The first waiting events; how many of them need rows. */
static size_t collect(struct partition *p, struct join_event events[JOIN_EVENTS_MAX])
{
	int64_t now_ms = loop_now_ms(p->env->loop);
	size_t n = 0;

	for (struct event *e = p->waiting; e && n < JOIN_EVENTS_MAX; e = next_waiting(e)) {
		p->batch_end = e;
		e->is_joined = needs_rows(p, e, now_ms);
		if (e->is_joined)
			events[n++] = (struct join_event){ e->interest.user, e->interest.item };
	}
	return n;
}

static void join_next(struct partition *p)
{
	struct join_event events[JOIN_EVENTS_MAX];
	size_t n;
	int r;

	while (p->state == PARTITION_RUNNING && p->waiting && !p->batch && !p->is_blocked) {
		n = collect(p, events);
		r = n ? join_read(p->env->join, events, n, on_joined, p, &p->batch) : 0;
		if (r == 0 && n) {
			p->asked_us = loop_mono_us(p->env->loop);
			return;
		}
		unjoin(p);
		if (r != 0 && r != -ENOTCONN) {
			block(p, FULL_RETRY_MS);
			return;
		}
		(void)decide_until(p, p->batch_end, r ? DOUBT_CACHE : DOUBT_UNASKED);
		pump(p);
	}
}

/* ---- ownership ---- */

/* @with_owner: the owner was freed, and with it the reports of what went through it. */
static void drop_events(struct partition *p, bool with_owner)
{
	struct event *e;

	join_cancel(p->batch);
	p->batch = NULL;
	while ((e = TAILQ_FIRST(&p->events))) {
		take_out(p, e);
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

/* An answer that was made and is not on its way carries the epoch before. */
static bool has_unsent_answer(const struct partition *p)
{
	const struct event *e;

	TAILQ_FOREACH(e, &p->events, link)
	{
		for (size_t i = 0; i < ARRAY_LEN(e->messages); i++) {
			if (e->messages[i].state == MESSAGE_READY)
				return true;
		}
	}
	return false;
}

static void begin(struct partition *p)
{
	int64_t now_ms = loop_now_ms(p->env->loop);
	int64_t since = p->was_owned ? recent_since(p->recent, now_ms) : p->since;

	log_info("pricing", "partition is ours",
		"shard=%" PRId32 " epoch=%" PRId64 " next=%" PRId64 " since=%" PRId64, p->number,
		p->epoch, p->next, since);
	recent_reset(p->recent, since, p->epoch + 1, now_ms);
	p->was_owned = true;
	p->state = PARTITION_RUNNING;
	p->is_blocked = false;
	bus_group_start(p->env->group, TOPIC_INTEREST, p->number, p->next);
	update_hold(p);
}

static void on_acquired(void *ctx, int64_t epoch)
{
	struct partition *p = ctx;
	bool is_repeat = p->state == PARTITION_RUNNING;

	p->epoch = epoch;
	if (!is_repeat)
		counter_add(p->env->metrics.acquired, 1);
	else if (!has_unsent_answer(p))
		return;
	else
		drop_events(p, false);
	begin(p);
}

static void fall_back(struct partition *p)
{
	if (p->state == PARTITION_LOST)
		return;
	if (!p->is_held)
		bus_group_hold(p->env->group, TOPIC_INTEREST, p->number, true);
	p->is_held = true;
	p->state = PARTITION_LOST;
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
	struct owner_record r;

	arena_reset(p->env->scratch);
	if (!str_is_set(record->value) ||
		decode(&owner_record_type, &r, record->value, p->env->scratch, NULL) != 0 ||
		r.shard != p->number ||
		str_copy(p->owner_text, sizeof(p->owner_text), r.instance) != 0)
		return STR_NONE;
	return str_of(p->owner_text);
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
	drop_events(p, true);
	loop_timer_free(p->retry);
	loop_timer_free(p->commit);
	loop_timer_free(p->reclaim);
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
	p->since = -1;
	if (str_is_set(metadata) && str_to_u64(metadata, &since) == 0 && since <= INT64_MAX)
		p->since = (int64_t)since;
	TAILQ_INIT(&p->events);
	p->retry = loop_timer_new(env->loop, on_retry, p);
	p->commit = loop_timer_new(env->loop, on_commit, p);
	p->reclaim = loop_timer_new(env->loop, on_reclaim, p);
	if (!p->retry || !p->commit || !p->reclaim)
		return -ENOMEM;
	r = recent_new(
		&p->recent, (size_t)env->recent_max, env->offer_ttl_ms, env->guards.moved_bps);
	if (r == 0)
		r = claim(p);
	if (r != 0)
		return r;
	*ret = TAKE(p);
	return 0;
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
		append(p, e);
	}
	pump(p);
	join_next(p);
	update_hold(p);
}

int32_t partition_number(const struct partition *p)
{
	return p->number;
}

bool partition_is_running(const struct partition *p)
{
	return p->state == PARTITION_RUNNING;
}

void partition_drain(struct partition *p)
{
	p->is_draining = true;
	update_hold(p);
	advance(p);
}

bool partition_is_idle(const struct partition *p)
{
	return p->n_events == 0 && (p->next == p->committed || p->state != PARTITION_RUNNING);
}
