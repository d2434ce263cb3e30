/*
 * One outbox a shard, in the order in which things were decided, whatever topic they go to; behind
 * a full bus or a failed delivery everything waits for one timer, and reading is held meanwhile.
 *
 * A decision whose delivery failed may be in the log or not. Nothing is guessed: the shard is
 * restored, and by then its own new owner record has made void whatever of it comes late. A failed
 * result is simply sent again, as it says the same.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/io/dead_letter.h"
#include "common/io/record_headers.h"
#include "common/model/topics.h"
#include "wallet-bridge/bridge_shard_impl.h"

#define COMMIT_LEDGER_US 1000000 /* when only the ledger moved */

/* ---- messages ---- */

static struct str put(char **at, struct str s)
{
	struct str ret = { s.p ? *at : NULL, s.n };

	if (s.n)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return ret;
}

struct message *bridge_message_new(struct bridge_shard *s, enum message_kind kind, struct str key,
	struct str value, struct str order, struct str session)
{
	struct message *m = calloc(1, sizeof(*m) + key.n + value.n + order.n + session.n);
	char *at;

	if (!m)
		return NULL;
	at = m->bytes;
	m->shard = s;
	m->env = s->env;
	m->kind = kind;
	m->key = put(&at, key);
	m->value = put(&at, value);
	m->order = put(&at, order);
	m->session = put(&at, session);
	return m;
}

void bridge_message_free(struct message *m)
{
	if (!m)
		return;
	if (m->entry)
		m->entry->n_refs--;
	free(m->letter);
	free(m);
}

void bridge_post(struct bridge_shard *s, struct message *m)
{
	m->seq = ++s->seq;
	TAILQ_INSERT_TAIL(&s->outbox, m, link);
}

/* Back to where it was, before all that came later. */
static void post_again(struct bridge_shard *s, struct message *m)
{
	struct message *next = TAILQ_FIRST(&s->outbox);

	while (next && next->seq < m->seq)
		next = TAILQ_NEXT(next, link);
	if (next)
		TAILQ_INSERT_BEFORE(next, m, link);
	else
		TAILQ_INSERT_TAIL(&s->outbox, m, link);
}

/* What went through the owner is reported through it, and forgotten with it. The rest is reported
 * whatever happens, and has to stay until then. */
void bridge_messages_drop(struct bridge_shard *s)
{
	struct message *m;

	while ((m = TAILQ_FIRST(&s->outbox))) {
		TAILQ_REMOVE(&s->outbox, m, link);
		bridge_message_free(m);
	}
	while ((m = TAILQ_FIRST(&s->air))) {
		TAILQ_REMOVE(&s->air, m, link);
		if (m->kind == MESSAGE_DECISION) {
			bridge_message_free(m);
			continue;
		}
		if (m->entry)
			m->entry->n_refs--;
		m->entry = NULL;
		m->shard = NULL;
		TAILQ_INSERT_TAIL(&s->env->orphans, m, link);
	}
	s->n_air = 0;
}

void bridge_orphans_free(struct bridge_env *env)
{
	struct message *m;

	while ((m = TAILQ_FIRST(&env->orphans))) {
		TAILQ_REMOVE(&env->orphans, m, link);
		bridge_message_free(m);
	}
}

/* ---- back-pressure ---- */

static bool has_room(struct bridge_shard *s)
{
	return order_table_count(&s->orders) < s->env->orders_max ||
	       order_table_oldest_over(&s->orders);
}

void bridge_update_hold(struct bridge_shard *s)
{
	size_t max = s->env->in_flight_max;
	bool hold;

	if (s->state != BRIDGE_RUNNING)
		return;
	hold = s->is_draining || s->is_blocked || s->n_works >= max ||
	       (s->is_held && s->n_works > max / 2) || !has_room(s);
	if (hold == s->is_held)
		return;
	s->is_held = hold;
	if (hold)
		counter_add(s->env->metrics.held, 1);
	bus_group_hold(s->env->group, TOPIC_ORDERS, s->number, hold);
}

static void block(struct bridge_shard *s, int64_t retry_ms)
{
	if (!s->is_blocked)
		loop_timer_start(s->retry, retry_ms);
	s->is_blocked = true;
	bridge_update_hold(s);
}

void bridge_retry(void *ctx)
{
	struct bridge_shard *s = ctx;

	s->is_blocked = false;
	if (s->state != BRIDGE_RUNNING)
		return;
	bridge_pump(s);
	bridge_update_hold(s);
}

/* ---- reports ---- */

static void apply_decision(struct bridge_shard *s, const struct message *m, int64_t offset)
{
	char epoch[24];
	const struct bus_header header = { str_of(REQUEST_EPOCH_HEADER),
		{ epoch, (size_t)snprintf(epoch, sizeof(epoch), "%" PRId64, s->epoch) } };
	const struct bus_record r = {
		.topic = TOPIC_PAYMENT_REQUESTS,
		.partition = s->number,
		.offset = offset,
		.ts_ms = loop_now_ms(s->env->loop),
		.key = m->key,
		.value = m->value,
		.headers = &header,
		.n_headers = 1,
	};
	enum log_effect effect;
	int err;

	arena_reset(s->env->scratch);
	err = request_log_apply(s->log, &r, s->env->scratch, &effect, NULL);
	if (err) {
		bridge_fail(s, "a record of ours could not be folded", err);
		return;
	}
	if (effect != m->effect) {
		log_error(BRIDGE_LOG_GROUP, "a record of ours did not do what it should",
			"shard=%" PRId32 " offset=%" PRId64 " effect=%d expected=%d", s->number,
			offset, (int)effect, (int)m->effect);
		bridge_fail(s, "a record of ours did not do what it should", effect);
		return;
	}
	if (m->goods && effect != LOG_REFUSED)
		bridge_stock_changed(s, m->goods);
}

static void on_logged(struct bridge_shard *s, struct message *m, int64_t offset)
{
	struct order_entry *e = m->entry;

	apply_decision(s, m, offset);
	if (s->state != BRIDGE_RUNNING)
		return;
	if (m->effect == LOG_SUPPLY) {
		s->n_supplies--;
		bridge_supply_pump(s);
	}
	if (m->effect == LOG_TAKEN)
		m->goods->tentative--;
	if (m->outcome)
		bridge_outcome_done(s, m->outcome);
	if (!e)
		return;
	if (m->effect == LOG_RELEASED)
		e->is_releasing = false;
	else
		e->is_deciding = false;
	if ((m->effect != LOG_RELEASED && bridge_tell_decision(s, e, m->work)) ||
		bridge_outcomes_advance(s, e))
		bridge_fail(s, "out of memory", -ENOMEM);
}

static void on_told(struct bridge_shard *s, struct message *m)
{
	struct order_entry *e = m->entry;

	if (m->work)
		m->work->n_due--;
	if (m->outcome)
		bridge_outcome_done(s, m->outcome);
	if (e && m->n > e->acked) {
		e->acked = m->n;
		bridge_view_order(s, e);
	}
	if (e && --e->n_results == 0 && bridge_outcomes_advance(s, e))
		bridge_fail(s, "out of memory", -ENOMEM);
	bridge_work_advance(s);
}

static void on_acknowledged(struct bridge_shard *s, struct message *m, int64_t offset)
{
	switch (m->kind) {
	case MESSAGE_DECISION:
		on_logged(s, m, offset);
		break;
	case MESSAGE_RESULT:
		on_told(s, m);
		break;
	case MESSAGE_LETTER:
		m->work->n_due--;
		bridge_work_advance(s);
		break;
	case MESSAGE_SNAPSHOT:
		m->goods->is_sending = false;
		counter_add(s->env->metrics.snapshots, 1);
		break;
	}
}

/* True: it goes out again. */
static bool on_failed(struct bridge_shard *s, struct message *m, int err)
{
	if (m->kind == MESSAGE_DECISION) {
		bridge_fail(s, "a delivery to payments.requests.v1 failed", err);
		return false;
	}
	if (m->kind == MESSAGE_SNAPSHOT) {
		m->goods->is_sending = false;
		bridge_snapshot_late(s, m->goods);
		return false;
	}
	if (err == -EMSGSIZE && m->letter) /* with our headers it is too large */
		m->letter->value = STR_NONE;
	counter_add(s->env->metrics.resent, 1);
	post_again(s, m);
	block(s, FAILED_RETRY_MS);
	return true;
}

static void on_sent(void *ctx, int err, int32_t partition, int64_t offset)
{
	struct message *m = ctx;
	struct bridge_shard *s = m->shard;
	bool goes_again = false;

	(void)partition;
	if (!s) {
		TAILQ_REMOVE(&m->env->orphans, m, link);
		bridge_message_free(m);
		return;
	}
	TAILQ_REMOVE(&s->air, m, link);
	s->n_air--;
	if (s->state == BRIDGE_RUNNING && err)
		goes_again = on_failed(s, m, err);
	else if (s->state == BRIDGE_RUNNING)
		on_acknowledged(s, m, offset);
	if (!goes_again)
		bridge_message_free(m);
	bridge_pump(s);
	bridge_views_pump(s);
	bridge_update_hold(s);
}

/* ---- sending ---- */

static int put_event(struct record_headers *h, const struct message *m, const char *type)
{
	char id[RECORD_ID_MAX];
	int64_t now_ms = loop_now_ms(m->env->loop);

	h->n = 0;
	if (m->kind == MESSAGE_RESULT)
		snprintf(id, sizeof(id), STR_FMT ":%" PRId64, STR_ARG(m->order), m->n);
	else
		snprintf(id, sizeof(id), STR_FMT ":%s", STR_ARG(m->order), m->type);
	return record_headers_cloud_event(
		h, str_of(id), str_of(type), "wallet-bridge", m->env->instance, now_ms);
}

static int send_decision(struct bridge_shard *s, struct message *m)
{
	struct record_headers h;
	char epoch[24];
	int r = put_event(&h, m, "souk." TOPIC_PAYMENT_REQUESTS);

	if (r)
		return r;
	snprintf(epoch, sizeof(epoch), "%" PRId64, s->epoch);
	record_headers_put(&h, REQUEST_EPOCH_HEADER, str_of(epoch));
	if (m->entry)
		record_headers_put(&h, "kafka_correlationId", m->order);
	return owner_send(s->owner, &(struct bus_message){ .key = m->key,
					    .value = m->value,
					    .headers = h.v,
					    .n_headers = h.n,
					    .sent = on_sent,
					    .ctx = m });
}

static int send_event(
	struct bridge_shard *s, struct message *m, const char *topic, const char *type)
{
	struct record_headers h;
	char step[24];
	int r = put_event(&h, m, type);

	if (r)
		return r;
	if (m->kind == MESSAGE_RESULT) {
		record_headers_put(&h, "kafka_correlationId", m->order);
		record_headers_put(&h, "x-souk-session", m->session);
	}
	snprintf(step, sizeof(step), "%" PRId64, m->step);
	if (m->step)
		record_headers_put(&h, BRIDGE_STEP_HEADER, str_of(step));
	return bus_send(s->env->bus, &(struct bus_message){ .topic = topic,
					     .partition = s->number,
					     .key = m->key,
					     .value = m->value,
					     .headers = h.v,
					     .n_headers = h.n,
					     .sent = on_sent,
					     .ctx = m });
}

static int send_message(struct bridge_shard *s, struct message *m)
{
	switch (m->kind) {
	case MESSAGE_DECISION:
		return send_decision(s, m);
	case MESSAGE_RESULT:
		return send_event(s, m, TOPIC_PAYMENT_RESULTS, "souk." TOPIC_PAYMENT_RESULTS);
	case MESSAGE_SNAPSHOT:
		return send_event(s, m, TOPIC_STOCK, "souk." TOPIC_STOCK);
	case MESSAGE_LETTER:
		break;
	}
	return dead_letter_send(s->env->bus, TOPIC_ORDERS TOPIC_DLQ_SUFFIX, m->letter, "BAD_ORDER",
		m->order.p, on_sent, m);
}

static void refused(struct bridge_shard *s, const struct message *m, int err)
{
	log_error(BRIDGE_LOG_GROUP, "the broker's topics are not as they should be, waiting",
		"shard=%" PRId32 " kind=%d error=%d", s->number, (int)m->kind, err);
	block(s, REFUSED_RETRY_MS);
}

void bridge_pump(struct bridge_shard *s)
{
	struct message *m;

	while (s->state == BRIDGE_RUNNING && !s->is_blocked && (m = TAILQ_FIRST(&s->outbox))) {
		int r = send_message(s, m);

		if (r == -EPERM) /* lost() is on its way */
			return;
		if (r == -ENOBUFS) {
			block(s, FULL_RETRY_MS);
			return;
		}
		if (r) {
			refused(s, m, r);
			return;
		}
		TAILQ_REMOVE(&s->outbox, m, link);
		TAILQ_INSERT_TAIL(&s->air, m, link);
		s->n_air++;
	}
}

/* ---- the commit ---- */

void bridge_commit(struct bridge_shard *s)
{
	char text[sizeof(s->committed_text)];
	int64_t now_us = loop_mono_us(s->env->loop);
	bool is_moved = s->next != s->committed;

	if (s->state != BRIDGE_RUNNING || s->next < 0)
		return;
	if (!is_moved && !s->is_draining && now_us - s->commit_us < COMMIT_LEDGER_US)
		return;
	bridge_ledger_text(s, text, sizeof(text));
	if (!is_moved && strcmp(text, s->committed_text) == 0)
		return;
	if (bus_group_commit(s->env->group, TOPIC_ORDERS, s->number, s->next, str_of(text)) != 0)
		return;
	s->committed = s->next;
	s->commit_us = now_us;
	memcpy(s->committed_text, text, sizeof(text));
}
