/*
 * Revisions of an offer count from 1 in each owner epoch; an interest has one so far, so every
 * answer is `<epoch>.1`. Headers are put together on the stack and copied once, with the values,
 * into the event's block.
 */
#include "pricing/answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "common/model/topics.h"

#define SOURCE "/souk/pricing"

struct headers {
	struct bus_header v[BUS_HEADERS_MAX];
	size_t n;
	char id[160], time[32], shard[16];
};

static void put(struct headers *h, struct str name, struct str value)
{
	if (str_is_set(value) && h->n < BUS_HEADERS_MAX)
		h->v[h->n++] = (struct bus_header){ name, value };
}

/* RFC 3339 in UTC with milliseconds. */
static struct str time_text(char *ret, size_t cap, int64_t ms)
{
	time_t s = (time_t)(ms / 1000);
	struct tm tm;
	char base[24];
	int n;

	gmtime_r(&s, &tm);
	strftime(base, sizeof(base), "%Y-%m-%dT%H:%M:%S", &tm);
	n = snprintf(ret, cap, "%s.%03dZ", base, (int)(ms % 1000));
	return (struct str){ ret, (size_t)n };
}

/* CloudEvents 1.0, binary mode, and the trace. */
static void put_common(
	struct headers *h, const struct answer *a, const char *id, int64_t epoch, struct str type)
{
	int n = snprintf(h->id, sizeof(h->id), "%s:%" PRId64 ".1", id, epoch);

	put(h, STR("ce_specversion"), STR("1.0"));
	put(h, STR("ce_id"), (struct str){ h->id, (size_t)n });
	put(h, STR("ce_type"), type);
	put(h, STR("ce_source"), STR(SOURCE));
	put(h, STR("ce_time"), time_text(h->time, sizeof(h->time), a->inputs->now));
	put(h, STR("content-type"), STR("application/json"));
	put(h, STR("traceparent"), a->event->traceparent);
}

static void put_reply(struct headers *h, const struct answer *a)
{
	const struct event *e = a->event;
	int n = snprintf(h->shard, sizeof(h->shard), "%" PRId32, a->shard);

	put(h, STR("kafka_replyTopic"), e->reply_topic);
	put(h, STR("kafka_replyPartition"), e->reply_partition);
	put(h, STR("kafka_correlationId"),
		str_is_set(e->correlation) ? e->correlation : e->interest.id);
	put(h, STR("x-souk-session"), str_is_set(e->session) ? e->session : e->interest.session);
	put(h, STR("x-souk-slot-epoch"), e->slot_epoch);
	put(h, STR("x-souk-shard"), (struct str){ h->shard, (size_t)n });
}

/* 4 bytes, big-endian; anything else, or a partition that is not there: by key. */
static int32_t reply_partition(const struct answer *a)
{
	struct str s = a->event->reply_partition;
	const unsigned char *p = (const unsigned char *)s.p;
	uint32_t n;

	if (s.n != 4)
		return BUS_BY_KEY;
	n = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	if (n > INT32_MAX || (a->offer_partitions > 0 && n >= (uint32_t)a->offer_partitions))
		return BUS_BY_KEY;
	return (int32_t)n;
}

static void describe_offer(
	struct offer *o, const struct answer *a, struct str id, struct version rev)
{
	const struct interest *i = &a->event->interest;

	*o = (struct offer){
		.id = id,
		.rev = rev,
		.state = OFFER_NONE,
		.interest = i->id,
		.client_id = i->client_id,
		.ts = a->event->ts,
		.user = i->user,
		.session = i->session,
		.item = i->item,
		.issued = a->inputs->now,
		.reason = a->result->reason,
	};
	if (a->result->outcome != OUTCOME_OFFER)
		return;
	o->state = OFFER_LIVE;
	o->list = a->inputs->inventory.list;
	o->price = a->result->price;
	o->ttl_ms = a->offer_ttl_ms;
	o->expires = o->issued + a->offer_ttl_ms;
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

static int write_offer(struct buf *out, const struct answer *a, struct str id, struct version rev)
{
	CLEANUP(buf_fini) struct buf quote = BUF_INIT(RECORD_BYTES_MAX);
	CLEANUP(buf_fini) struct buf reasons = BUF_INIT(RECORD_BYTES_MAX);
	struct json_out j = JSON_OUT(out);
	struct json_out r = JSON_OUT(&reasons);
	struct offer o;
	int err;

	describe_offer(&o, a, id, rev);
	if (o.state == OFFER_LIVE) {
		err = sign(&quote, &o, a);
		if (err)
			return err;
		compute_reasons_json(&r, NULL, a->result);
		o.quote = buf_str(&quote);
		o.reasons = buf_str(&reasons);
	}
	offer_json(&j, NULL, &o);
	return out->failed || quote.failed || reasons.failed ? -ENOSPC : 0;
}

static int put_messages(struct event *e, const struct answer *a, struct str offer_id,
	const struct buf *decision, const struct buf *offer)
{
	struct headers dh = { .n = 0 }, oh = { .n = 0 };
	int r;

	put_common(&dh, a, a->event->interest.id.p, a->epoch, STR("souk." TOPIC_DECISIONS));
	put_common(&oh, a, offer_id.p, a->epoch, STR("souk." TOPIC_OFFERS));
	put_reply(&oh, a);
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
	e->epoch = a->epoch;
	return 0;
}

int answer_put(struct event *e, const struct answer *a)
{
	CLEANUP(buf_fini) struct buf decision = BUF_INIT(RECORD_BYTES_MAX);
	CLEANUP(buf_fini) struct buf offer = BUF_INIT(RECORD_BYTES_MAX);
	const struct version rev = { .part = { (uint64_t)a->epoch, 1 } };
	struct id id;
	int r = id_for_offer(&id, e->interest.id);

	if (r != 0)
		return r;
	const struct record record = {
		.inputs = a->inputs,
		.result = a->result,
		.ruleset = a->ruleset,
		.offer = id_str(&id),
		.rev = rev,
		.cause = CAUSE_INTEREST,
		.latency_us = a->latency_us,
	};

	r = record_json(&decision, &record);
	if (r == 0)
		r = write_offer(&offer, a, id_str(&id), rev);
	if (r == 0)
		r = put_messages(e, a, id_str(&id), &decision, &offer);
	return r;
}
