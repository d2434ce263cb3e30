/*
 * Headers as contract 2 has them: CloudEvents 1.0 in binary mode (Kafka protocol binding,
 * section 3.2), W3C traceparent, Spring's request-reply headers, and our own. Everything is also in
 * the value where it matters; the headers are for routing and for those who do not read our JSON.
 */
#include "ws-server/publish.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/base/crypto.h"
#include "common/io/record_headers.h"
#include "ws-server/session.h"

#define TOPIC_MAX    250
#define DEADLINE_MAX 21

struct headers {
	struct record_headers set;
	char traceparent[TRACEPARENT_LEN + 1];
	char reply_topic[TOPIC_MAX];
	char reply_partition[4];
	char deadline[DEADLINE_MAX];
};

/* A span of our own in the given trace, or in a new sampled one. W3C Trace Context 3.2:
 * version-trace-parent-flags. */
static int make_traceparent(char ret[TRACEPARENT_LEN + 1], const char *given)
{
	uint8_t random[16];
	char hex[33];

	if (crypto_random(random, sizeof(random)) < 0)
		return -EIO;
	random[0] |= 1; /* all zeros is not an id */
	random[8] |= 1;
	hex_encode(hex, random, 16);
	if (given[0])
		memcpy(ret, given, TRACEPARENT_LEN + 1);
	else
		snprintf(ret, TRACEPARENT_LEN + 1, "00-%s-0000000000000000-01", hex);
	if (crypto_random(random, 8) < 0)
		return -EIO;
	random[0] |= 1;
	hex_encode(hex, random, 8);
	memcpy(ret + 36, hex, 16);
	return 0;
}

static void put_slot(struct headers *h, const struct gateway *g)
{
	uint32_t partition = (uint32_t)reply_slot_number(g->slot);
	const char *prefix = g->env.topic_prefix ? g->env.topic_prefix : "";

	snprintf(h->reply_topic, sizeof(h->reply_topic), "%s" TOPIC_OFFERS, prefix);
	for (int byte = 0; byte < 4; byte++)
		h->reply_partition[byte] = (char)(partition >> (24 - 8 * byte) & 0xff);
	record_headers_put(&h->set, "kafka_replyTopic", str_of(h->reply_topic));
	record_headers_put(&h->set, "kafka_replyPartition", (struct str){ h->reply_partition, 4 });
	record_headers_put(&h->set, "x-souk-slot-epoch", reply_slot_epoch(g->slot));
}

struct source {
	struct str id, session, type;
	int64_t ts;
	const char *traceparent;
};

static int put_headers(struct headers *h, const struct gateway *g, const struct source *from)
{
	h->set.n = 0;
	if (record_headers_cloud_event(
		    &h->set, from->id, from->type, "ws-server", g->env.instance, from->ts) < 0 ||
		make_traceparent(h->traceparent, from->traceparent) < 0)
		return -EIO;
	record_headers_put(&h->set, "traceparent", str_of(h->traceparent));
	record_headers_put(&h->set, "kafka_correlationId", from->id);
	record_headers_put(&h->set, "x-souk-session", from->session);
	if (reply_slot_is_held(g->slot))
		put_slot(h, g);
	return 0;
}

static int send_out(struct gateway *g, const char *topic, struct str key, const struct headers *h,
	bus_sent_fn sent, void *ctx)
{
	if (g->out.failed)
		return -EMSGSIZE;
	return bus_send(g->env.bus, &(struct bus_message){ .topic = topic,
					    .partition = BUS_BY_KEY,
					    .key = key,
					    .value = buf_str(&g->out),
					    .headers = h->set.v,
					    .n_headers = h->set.n,
					    .sent = sent,
					    .ctx = ctx });
}

int publish_interest(struct gateway *g, const struct interest *i, const char *traceparent,
	bus_sent_fn sent, void *ctx)
{
	struct headers h;
	struct json_out j = JSON_OUT(&g->out);
	int r = put_headers(&h, g,
		&(struct source){
			i->id, i->session, STR("souk." TOPIC_INTEREST), i->ts, traceparent });

	if (r < 0)
		return r;
	snprintf(h.deadline, sizeof(h.deadline), "%" PRId64, i->ts + g->config->deadline_ms);
	record_headers_put(&h.set, "x-souk-deadline", str_of(h.deadline));
	buf_clear(&g->out);
	interest_json(&j, NULL, i);
	return send_out(g, TOPIC_INTEREST, i->user, &h, sent, ctx);
}

int publish_order(struct gateway *g, const struct order *o, const char *traceparent,
	bus_sent_fn sent, void *ctx)
{
	struct headers h;
	struct json_out j = JSON_OUT(&g->out);
	int r = put_headers(&h, g,
		&(struct source){
			o->id, o->session, STR("souk." TOPIC_ORDERS), o->ts, traceparent });

	if (r < 0)
		return r;
	buf_clear(&g->out);
	order_json(&j, o);
	return send_out(g, TOPIC_ORDERS, o->item, &h, sent, ctx);
}
