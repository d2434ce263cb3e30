/*
 * interest: a glance becomes a record on nft.interest.v1, and is acknowledged when the broker has
 * it.
 *
 * The acknowledgement promises an answer at our reply slot, so it is given only if the slot that
 * the record names is still held without a gap when the report comes. What cannot be promised is
 * said: `applied` is "no" while nothing was given to the bus, "unknown" after.
 */
#include <stdio.h>

#include "common/base/log.h"
#include "common/model/interest.h"
#include "ws-server/commands.h"
#include "ws-server/h3.h"
#include "ws-server/interest_op.h"
#include "ws-server/publish.h"
#include "ws-server/reply.h"
#include "ws-server/session.h"

#define GEO_RESOLUTION 6 /* hexagons of about 36 km2 */
#define BUSY_RETRY_MS  100

static void count(const struct session *s, enum event_result result)
{
	counter_add(s->gateway->metrics.events[result], 1);
}

static void refuse(struct session *s, int64_t id, enum event_result result, enum error_code code,
	const char *detail)
{
	count(s, result);
	reply_error(s, id, &(struct reply_error){ .code = code, .detail = detail });
}

static bool within_limits(struct session *s, const struct command *c)
{
	struct reply_error e = { .code = ERROR_RATE_LIMITED };

	if (s->n_ops >= s->gateway->config->commands_in_flight) {
		e.detail = "too many commands in flight";
		e.retry_after_ms = BUSY_RETRY_MS;
	} else {
		e.retry_after_ms = token_bucket_take(&s->events, c->received_us);
		if (e.retry_after_ms == 0)
			return true;
		e.detail = "too many events";
	}
	count(s, EVENT_RATE_LIMITED);
	reply_error(s, c->id, &e);
	return false;
}

static bool read_command(struct session *s, const struct command *c, struct interest *ret)
{
	struct fault f = { 0 };
	int r = decode(&interest_command_type, ret, c->json, s->gateway->arena, &f);

	if (r != 0)
		refuse(s, c->id, EVENT_BAD,
			r == DECODE_E_TOO_LARGE ? ERROR_TOO_LARGE : ERROR_BAD_COMMAND, f.text);
	return r == 0;
}

/* Sets the user the record is for. */
static bool resolve_user(struct session *s, const struct command *c, struct interest *i)
{
	if (!str_is_set(i->user)) {
		if (s->claims.is_act_as) {
			refuse(s, c->id, EVENT_BAD, ERROR_BAD_COMMAND,
				"user: required in a session that acts for others");
			return false;
		}
		i->user = str_of(s->claims.user);
	}
	if (session_speaks_for(s, i->user))
		return true;
	refuse(s, c->id, EVENT_FORBIDDEN, ERROR_FORBIDDEN,
		"user: the token does not allow to act for this user");
	return false;
}

/* What the shopper did not agree to share does not leave this process. */
static bool apply_consent(struct session *s, const struct command *c, struct interest *i)
{
	char cell[H3_TEXT_MAX];

	i->wallet = STR_NONE;
	if (!str_is_set(i->h3))
		return true;
	if (i->consent_location != TRI_TRUE) {
		i->h3 = STR_NONE;
		return true;
	}
	if (h3_coarsen(cell, i->h3, GEO_RESOLUTION) < 0) {
		refuse(s, c->id, EVENT_BAD, ERROR_BAD_COMMAND,
			"context.geo.h3: not an H3 cell in lower-case hex");
		return false;
	}
	i->h3 = arena_copy(s->gateway->arena, str_of(cell));
	return true;
}

static bool identify(struct session *s, const struct command *c, struct interest *i, struct id *id)
{
	int r;

	i->ts = loop_now_ms(s->gateway->env.loop);
	i->session = session_id(s);
	r = str_is_set(i->client_id) ? id_for_interest(id, i->user, i->client_id)
				     : id_v7(id, i->ts);
	i->id = id_str(id);
	if (r == 0)
		return true;
	count(s, EVENT_UNAVAILABLE);
	reply_unavailable(s, c->id, "no id could be made");
	return false;
}

static void acknowledge(struct interest_op *op)
{
	struct gateway *g = op->gateway;
	int64_t now_us = loop_mono_us(g->env.loop);

	if (op->has_event)
		idempotency_add(g->acked, &op->interest, now_us / 1000);
	g->metrics.events_forgotten->value = idempotency_forgotten(g->acked);
	counter_add(g->metrics.events[EVENT_ACKED], 1);
	histogram_add(g->metrics.ack_seconds, now_us - op->received_us);
	if (op->session)
		reply_ack(op->session, op->command_id, op->event);
}

static void fail(struct interest_op *op, const char *detail)
{
	struct gateway *g = op->gateway;

	counter_add(g->metrics.events[EVENT_FAILED], 1);
	if (op->session)
		reply_error(op->session, op->command_id,
			&(struct reply_error){ .code = ERROR_UNAVAILABLE,
				.detail = detail,
				.retry_after_ms = gateway_random_ms(g, RETRY_MIN_MS, 1000),
				.is_unknown = true });
}

static void on_report(void *ctx, int err, int32_t partition, int64_t offset)
{
	struct interest_op *op = ctx;
	struct gateway *g = op->gateway;
	struct session *s = op->session;
	bool is_answerable =
		reply_slot_is_held(g->slot) && reply_slot_term(g->slot) == op->slot_term;

	log_debug("interest", "reported", "interest=%s err=%d partition=%d offset=%lld",
		op->interest.text, err, (int)partition, (long long)offset);
	if (err == 0 && is_answerable)
		acknowledge(op);
	else
		fail(op, err < 0 ? "the broker did not confirm the event"
				 : "the reply slot was lost meanwhile");
	interest_op_free(op);
	if (s)
		session_op_done(s);
}

static void publish(
	struct session *s, const struct command *c, const struct interest *i, const struct id *id)
{
	struct interest_op *op = interest_op_new(s);

	if (!op) {
		count(s, EVENT_UNAVAILABLE);
		reply_unavailable(s, c->id, "too many events are in flight");
		return;
	}
	op->command_id = c->id;
	op->received_us = c->received_us;
	op->slot_term = reply_slot_term(s->gateway->slot);
	op->interest = *id;
	op->has_event = str_is_set(i->client_id);
	(void)str_copy(op->event, sizeof(op->event), op->has_event ? i->client_id : i->id);
	if (publish_interest(s->gateway, i, s->traceparent, on_report, op) < 0) {
		interest_op_free(op);
		count(s, EVENT_UNAVAILABLE);
		reply_unavailable(s, c->id, "the broker does not take events");
	}
}

void handle_interest(struct session *s, const struct command *c)
{
	struct gateway *g = s->gateway;
	struct interest i;
	struct id id;
	const char *why;

	if (!within_limits(s, c) || !read_command(s, c, &i) || !resolve_user(s, c, &i) ||
		!apply_consent(s, c, &i) || !identify(s, c, &i, &id))
		return;
	if (str_is_set(i.client_id) && idempotency_has(g->acked, &id, c->received_us / 1000)) {
		char event[EVENT_ID_MAX];

		(void)str_copy(event, sizeof(event), i.client_id);
		count(s, EVENT_REPEATED);
		reply_ack(s, c->id, event);
	} else if (!gateway_can_publish(g, &why)) {
		count(s, EVENT_UNAVAILABLE);
		reply_unavailable(s, c->id, why);
	} else {
		publish(s, c, &i, &id);
	}
}
