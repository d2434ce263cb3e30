/*
 * interest: a glance becomes a record on nft.interest.v1, and is acknowledged when the broker has
 * it.
 *
 * The acknowledgement promises an answer at our reply slot, so it is given only if the slot that
 * the record names is still held without a gap when the report comes. What cannot be promised is
 * said: `applied` is "no" while nothing was given to the bus, "unknown" after.
 */
#include "common/base/log.h"
#include "common/model/interest.h"
#include "ws-server/admit.h"
#include "ws-server/command_op.h"
#include "ws-server/h3.h"
#include "ws-server/publish.h"
#include "ws-server/session.h"

#define GEO_RESOLUTION 6 /* hexagons of about 36 km2 */

/* What the shopper did not agree to share does not leave this process. */
static bool apply_consent(const struct admit *a, struct interest *i)
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
		admit_refuse(a, COMMAND_BAD, ERROR_BAD_COMMAND,
			"context.geo.h3: not an H3 cell in lower-case hex");
		return false;
	}
	i->h3 = arena_copy(a->session->gateway->arena, str_of(cell));
	return true;
}

static bool identify(const struct admit *a, struct interest *i, struct id *id)
{
	struct session *s = a->session;
	int r;

	i->ts = loop_now_ms(s->gateway->env.loop);
	i->session = session_id(s);
	r = str_is_set(i->client_id) ? id_for_interest(id, i->user, i->client_id)
				     : id_v7(id, i->ts);
	i->id = id_str(id);
	if (r == 0)
		return true;
	admit_unavailable(a, "no id could be made");
	return false;
}

static void acknowledge(struct command_op *op)
{
	struct gateway *g = op->gateway;
	int64_t now_us = loop_mono_us(g->env.loop);

	if (op->has_event)
		idempotency_add(g->acked, &op->record, NULL, now_us / 1000);
	g->metrics.events_forgotten->value = idempotency_forgotten(g->acked);
	counter_add(g->metrics.events[COMMAND_ACKED], 1);
	histogram_add(g->metrics.ack_seconds, now_us - op->received_us);
	if (op->session)
		reply_ack(op->session, op->command_id, "event", op->name);
}

static void fail(struct command_op *op, const char *detail)
{
	struct gateway *g = op->gateway;

	counter_add(g->metrics.events[COMMAND_FAILED], 1);
	if (op->session)
		reply_unknown(op->session, op->command_id, detail);
}

static void on_report(void *ctx, int err, int32_t partition, int64_t offset)
{
	struct command_op *op = ctx;
	struct gateway *g = op->gateway;
	bool is_answerable =
		reply_slot_is_held(g->slot) && reply_slot_term(g->slot) == op->slot_term;

	log_debug("interest", "reported", "interest=%s err=%d partition=%d offset=%lld",
		op->record.text, err, (int)partition, (long long)offset);
	if (err == 0 && is_answerable)
		acknowledge(op);
	else
		fail(op, err < 0 ? "the broker did not confirm the event"
				 : "the reply slot was lost meanwhile");
	command_op_done(op);
}

static void publish(const struct admit *a, const struct interest *i, const struct id *id)
{
	struct session *s = a->session;
	struct command_op *op = command_op_new(s, a->command);

	if (!op) {
		admit_unavailable(a, "too many events are in flight");
		return;
	}
	op->slot_term = reply_slot_term(s->gateway->slot);
	op->record = *id;
	op->has_event = str_is_set(i->client_id);
	(void)str_copy(op->name, sizeof(op->name), op->has_event ? i->client_id : i->id);
	if (publish_interest(s->gateway, i, s->traceparent, on_report, op) < 0) {
		command_op_free(op);
		admit_unavailable(a, "the broker does not take events");
	}
}

void handle_interest(struct session *s, const struct command *c)
{
	struct gateway *g = s->gateway;
	struct admit a = { s, c, g->metrics.events };
	struct interest i;
	struct id id;
	const char *why;

	if (!admit_rate(&a, &s->events, "too many events") ||
		!admit_members(&a, &interest_command_type, &i) || !admit_user(&a, &i.user) ||
		!apply_consent(&a, &i) || !identify(&a, &i, &id))
		return;
	if (str_is_set(i.client_id) && idempotency_has(g->acked, &id, c->received_us / 1000)) {
		char event[CLIENT_ID_MAX];

		(void)str_copy(event, sizeof(event), i.client_id);
		admit_count(&a, COMMAND_REPEATED);
		reply_ack(s, c->id, "event", event);
	} else if (!gateway_can_publish(g, &why)) {
		admit_unavailable(&a, why);
	} else {
		publish(&a, &i, &id);
	}
}
