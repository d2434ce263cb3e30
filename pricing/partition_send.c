/*
 * The list of events in offset order, and what keeps it moving at its head: messages to the bus,
 * their reports, and the commit of the run of finished events. Behind a full bus or a failed
 * delivery everything waits for one timer, and reading is held meanwhile.
 */
#include "pricing/partition_impl.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/base/log.h"
#include "common/model/topics.h"

#define COMMIT_EVERY_MS 100

/* ---- back-pressure ---- */

void partition_update_hold(struct partition *p)
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

void partition_block(struct partition *p, int64_t retry_ms)
{
	if (!p->is_blocked)
		loop_timer_start(p->retry, retry_ms);
	p->is_blocked = true;
	partition_update_hold(p);
}

void partition_retry(void *ctx)
{
	struct partition *p = ctx;

	p->is_blocked = false;
	if (p->state != PARTITION_RUNNING)
		return;
	partition_pump(p);
	partition_join_next(p);
	partition_update_hold(p);
	partition_kick(p);
}

/* ---- the list, and what may be committed ---- */

void partition_append(struct partition *p, struct event *e)
{
	TAILQ_INSERT_TAIL(&p->events, e, link);
	p->n_events++;
	p->env->metrics.in_flight->value++;
	if (!p->unsent)
		p->unsent = e;
	if (!p->waiting && e->stage == EVENT_WAITING)
		p->waiting = e;
}

void partition_insert(struct partition *p, struct event *e)
{
	assert(e->is_revision && e->stage == EVENT_SENDING);
	if (p->waiting)
		TAILQ_INSERT_BEFORE(p->waiting, e, link);
	else
		TAILQ_INSERT_TAIL(&p->events, e, link);
	p->n_revisions++;
	if (!p->unsent || p->unsent == p->waiting)
		p->unsent = e;
}

struct event *partition_next_waiting(struct event *e)
{
	while ((e = TAILQ_NEXT(e, link)) && e->stage != EVENT_WAITING)
		;
	return e;
}

void partition_take_out(struct partition *p, struct event *e)
{
	if (p->unsent == e)
		p->unsent = TAILQ_NEXT(e, link);
	if (p->waiting == e)
		p->waiting = partition_next_waiting(e);
	TAILQ_REMOVE(&p->events, e, link);
	if (e->is_revision) {
		p->n_revisions--;
		return;
	}
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

void partition_commit(void *ctx)
{
	commit_now(ctx);
}

/* The run of finished events at the head is what may be committed. */
void partition_advance(struct partition *p)
{
	bool was_full = p->n_revisions >= p->env->in_flight_max;
	struct event *e;

	while ((e = TAILQ_FIRST(&p->events)) && e->stage == EVENT_DONE) {
		if (!e->is_revision)
			p->next = e->offset + 1;
		partition_take_out(p, e);
		event_free(e);
	}
	if (p->is_draining && p->n_events == 0) {
		commit_now(p);
	} else if (p->next != p->committed && !p->is_commit_due) {
		p->is_commit_due = true;
		loop_timer_start(p->commit, COMMIT_EVERY_MS);
	}
	partition_update_hold(p);
	if (was_full)
		partition_kick(p);
}

/* ---- a former epoch's answers ---- */

static bool is_outdated(const struct partition *p, const struct event *e)
{
	return e->messages[0].is_owned && e->epoch != p->epoch && event_has_unsent(e);
}

/* What it answers is answered anew: an event by another first answer, a revision by the next. */
static void take_back(struct partition *p, struct event *e)
{
	if (e->is_revision) {
		live_undelivered(e->offer, loop_mono_us(p->env->loop));
		partition_take_out(p, e);
		event_free(e);
		return;
	}
	if (e->offer)
		live_remove(e->offer);
	live_unref(TAKE(e->offer));
	recent_forget(p->recent, e->interest.id);
	event_take_back(e);
}

void partition_redo(struct partition *p)
{
	struct event *e, *next;

	join_cancel(p->batch);
	p->batch = NULL;
	p->waiting = NULL;
	for (e = TAILQ_FIRST(&p->events); e; e = next) {
		next = TAILQ_NEXT(e, link);
		e->is_joined = false;
		if (is_outdated(p, e) && event_reports_due(e) == 0)
			take_back(p, e);
	}
	TAILQ_FOREACH(e, &p->events, link) {
		if (!p->waiting && e->stage == EVENT_WAITING)
			p->waiting = e;
	}
	p->unsent = TAILQ_FIRST(&p->events);
	partition_pump(p);
	partition_join_next(p);
	partition_kick(p);
}

/* ---- sending ---- */

static void check_done(struct partition *p, struct event *e)
{
	for (size_t i = 0; i < ARRAY_LEN(e->messages); i++) {
		if (e->messages[i].state == MESSAGE_READY || e->messages[i].state == MESSAGE_SENT)
			return;
	}
	if (e->stage != EVENT_DONE && e->offer)
		partition_delivered(p, e);
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

/* A dead letter that is too large with its headers goes without its value. */
static bool shed_value(struct message *m)
{
	if (m->event->messages[0].is_owned || !str_is_set(m->m.value))
		return false;
	m->m.value = STR_NONE;
	return true;
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
	bool must_redo;

	(void)partition;
	m->state = err == 0 ? MESSAGE_DONE : MESSAGE_READY;
	if (!p) {
		on_orphan_sent(e);
		return;
	}
	if (err == 0 && m->is_owned)
		recent_logged(p->recent, e->interest.id, offset);
	if (err == -EMSGSIZE && !shed_value(m)) {
		give_up(p, m);
	} else if (err && err != -EPERM) {
		counter_add(p->env->metrics.resent, 1);
		if (m->is_owned && !e->is_revision)
			recent_resent(p->recent, loop_now_ms(p->env->loop));
		p->unsent = TAILQ_FIRST(&p->events);
		partition_block(p, FAILED_RETRY_MS);
	}
	check_done(p, e);
	must_redo = p->state == PARTITION_RUNNING && is_outdated(p, e) && event_reports_due(e) == 0;
	partition_advance(p);
	if (must_redo)
		partition_redo(p);
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

static void refused(struct partition *p, const struct message *m)
{
	log_error("pricing", "the topic or its partition is not there, waiting for it",
		"topic=%s shard=%" PRId32 " offset=%" PRId64, m->m.topic, p->number,
		m->event->offset);
	partition_block(p, REFUSED_RETRY_MS);
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
	else if (r == -EMSGSIZE && !shed_value(m))
		give_up(p, m);
	else if (r == -EINVAL)
		refused(p, m);
	else if (r != -EPERM) /* then lost() is on its way */
		partition_block(p, FULL_RETRY_MS);
	return m->state != MESSAGE_READY;
}

static bool send_event(struct partition *p, struct event *e)
{
	if (is_outdated(p, e))
		return false; /* its last report has it answered again */
	for (size_t i = 0; i < ARRAY_LEN(e->messages); i++) {
		if (!send_message(p, &e->messages[i]))
			return false;
	}
	if (e->is_revision && !e->is_timed) {
		e->is_timed = true;
		histogram_add(
			p->env->metrics.revision, loop_mono_us(p->env->loop) - e->received_us);
	}
	check_done(p, e);
	return true;
}

void partition_pump(struct partition *p)
{
	if (p->state != PARTITION_RUNNING || p->is_blocked)
		return;
	while (p->unsent && p->unsent->stage != EVENT_WAITING && send_event(p, p->unsent))
		p->unsent = TAILQ_NEXT(p->unsent, link);
	partition_advance(p);
}
