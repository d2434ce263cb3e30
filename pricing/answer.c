/*
 * A withdrawal says no more than what is over, why, and what else there is; a revision otherwise
 * has the form of the first answer, with the times of that: an offer is issued once. Headers are
 * put together on the stack and copied once, with the values, into the event's block.
 */
#include "pricing/answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/io/record_headers.h"
#include "common/model/topics.h"

/* @id and the owner epoch. */
static int put_common(
	struct record_headers *h, const struct answer *a, struct str id, struct str type)
{
	char text[RECORD_ID_MAX], rev[VERSION_TEXT_MAX];
	int r;

	(void)version_format(rev, a->rev);
	snprintf(text, sizeof(text), STR_FMT ":%s", STR_ARG(id), rev);
	r = record_headers_cloud_event(
		h, str_of(text), type, "pricing", a->instance, a->inputs->now);
	record_headers_put(h, "traceparent", a->event->reply.traceparent);
	return r;
}

/* @shard: room for its text. */
static void put_reply(struct record_headers *h, const struct answer *a, char shard[16])
{
	const struct event *e = a->event;
	const struct reply_to *to = &e->reply;

	snprintf(shard, 16, "%" PRId32, a->shard);
	record_headers_put(h, "kafka_replyTopic", to->topic);
	record_headers_put(h, "kafka_replyPartition", to->partition);
	record_headers_put(h, "kafka_correlationId",
		str_is_set(to->correlation) ? to->correlation : e->interest.id);
	record_headers_put(
		h, "x-souk-session", str_is_set(to->session) ? to->session : e->interest.session);
	record_headers_put(h, "x-souk-slot-epoch", to->slot_epoch);
	record_headers_put(h, "x-souk-shard", str_of(shard));
}

/* 4 bytes, big-endian; anything else, or a partition that is not there: by key. */
static int32_t reply_partition(const struct answer *a)
{
	struct str s = a->event->reply.partition;
	const unsigned char *p = (const unsigned char *)s.p;
	uint32_t n;

	if (s.n != 4)
		return BUS_BY_KEY;
	n = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	if (n > INT32_MAX || (a->offer_partitions > 0 && n >= (uint32_t)a->offer_partitions))
		return BUS_BY_KEY;
	return (int32_t)n;
}

static void describe_offer(struct offer *o, const struct answer *a)
{
	const struct interest *i = &a->event->interest;

	*o = (struct offer){
		.id = id_str(a->offer),
		.rev = a->rev,
		.state = a->result->outcome == OUTCOME_WITHDRAWN ? OFFER_WITHDRAWN : OFFER_NONE,
		.interest = i->id,
		.client_id = i->client_id,
		.ts = a->event->ts,
		.user = i->user,
		.session = i->session,
		.item = i->item,
		.issued = a->issued_ms,
		.reason = a->result->reason,
	};
	if (a->result->outcome != OUTCOME_OFFER)
		return;
	o->state = OFFER_LIVE;
	o->list = a->inputs->inventory.list;
	o->price = a->result->price;
	o->ttl_ms = a->offer_ttl_ms;
	o->expires = a->expires_ms;
	o->personalised = a->result->personalised ? TRI_TRUE : TRI_FALSE;
	o->disclosure = a->result->disclosure;
}

static int sign(struct buf *out, const struct offer *o, const struct answer *a)
{
	char mac[QUOTE_MAC_MAX];
	struct quote q = {
		.v = 1,
		.offer = o->id,
		.rev = o->rev,
		.user = o->user,
		.item = o->item,
		.price = o->price,
		.issued = o->issued,
		.expires = o->expires,
	};
	struct json_out j = JSON_OUT(out);
	int r = quote_sign(&q, mac, a->keys, a->inputs->now);

	if (r == 0)
		quote_json(&j, NULL, &q);
	return r;
}

/* Lists that are empty are left out. */
static void write_lists(struct offer *o, const struct answer *a)
{
	struct answer_bufs *b = a->bufs;
	struct json_out reasons = JSON_OUT(&b->reasons);
	struct json_out perks = JSON_OUT(&b->perks);
	struct json_out alternatives = JSON_OUT(&b->alternatives);

	if (a->result->n_alternatives) {
		compute_alternatives_json(&alternatives, NULL, a->result);
		o->alternatives = buf_str(&b->alternatives);
	}
	if (o->state != OFFER_LIVE)
		return;
	compute_reasons_json(&reasons, NULL, a->result);
	o->reasons = buf_str(&b->reasons);
	if (a->result->n_perks) {
		compute_perks_json(&perks, NULL, a->result);
		o->perks = buf_str(&b->perks);
	}
}

static int write_offer(struct buf *out, const struct answer *a)
{
	struct answer_bufs *b = a->bufs;
	struct json_out j = JSON_OUT(out);
	struct offer o;
	int err;

	buf_clear(&b->quote);
	buf_clear(&b->reasons);
	buf_clear(&b->perks);
	buf_clear(&b->alternatives);
	describe_offer(&o, a);
	if (o.state == OFFER_LIVE) {
		err = sign(&b->quote, &o, a);
		if (err)
			return err;
		o.quote = buf_str(&b->quote);
	}
	write_lists(&o, a);
	offer_json(&j, NULL, &o);
	return out->failed || b->quote.failed || b->reasons.failed || b->perks.failed ||
			       b->alternatives.failed
		       ? -ENOSPC
		       : 0;
}

static int put_messages(struct event *e, const struct answer *a, const struct buf *decision,
	const struct buf *offer)
{
	struct record_headers dh, oh;
	char shard[16];
	int r;

	dh.n = oh.n = 0;
	r = put_common(&dh, a, e->interest.id, STR("souk." TOPIC_DECISIONS));
	if (r == 0)
		r = put_common(&oh, a, id_str(a->offer), STR("souk." TOPIC_OFFERS));
	if (r != 0)
		return r;
	put_reply(&oh, a, shard);
	const struct bus_message m[] = {
		{
			.topic = TOPIC_DECISIONS,
			.partition = a->shard,
			.key = e->interest.user,
			.value = buf_str(decision),
			.headers = dh.v,
			.n_headers = dh.n,
		},
		{
			.topic = TOPIC_OFFERS,
			.partition = reply_partition(a),
			.key = e->interest.user,
			.value = buf_str(offer),
			.headers = oh.v,
			.n_headers = oh.n,
		},
	};

	r = event_put_messages(e, m, ARRAY_LEN(m));
	if (r != 0)
		return r;
	e->messages[0].is_owned = true;
	e->epoch = (int64_t)a->rev.part[0];
	return 0;
}

void answer_bufs_init(struct answer_bufs *b)
{
	*b = (struct answer_bufs){
		.decision = BUF_INIT(RECORD_BYTES_MAX),
		.offer = BUF_INIT(RECORD_BYTES_MAX),
		.quote = BUF_INIT(RECORD_BYTES_MAX),
		.reasons = BUF_INIT(RECORD_BYTES_MAX),
		.perks = BUF_INIT(RECORD_BYTES_MAX),
		.alternatives = BUF_INIT(RECORD_BYTES_MAX),
	};
	record_bufs_init(&b->record);
}

void answer_bufs_fini(struct answer_bufs *b)
{
	buf_fini(&b->decision);
	buf_fini(&b->offer);
	buf_fini(&b->quote);
	buf_fini(&b->reasons);
	buf_fini(&b->perks);
	buf_fini(&b->alternatives);
	record_bufs_fini(&b->record);
}

int answer_put(struct event *e, const struct answer *a)
{
	struct buf *decision = &a->bufs->decision, *offer = &a->bufs->offer;
	const struct record record = {
		.inputs = a->inputs,
		.result = a->result,
		.ruleset = a->ruleset,
		.offer = id_str(a->offer),
		.rev = a->rev,
		.cause = a->cause,
		.latency_us = a->latency_us,
		.bufs = &a->bufs->record,
	};
	int r;

	buf_clear(decision);
	buf_clear(offer);
	r = record_json(decision, &record);
	if (r == 0)
		r = write_offer(offer, a);
	if (r == 0)
		r = put_messages(e, a, decision, offer);
	return r;
}
