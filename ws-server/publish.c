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

static void put_reply_to(struct headers *h, const struct gateway *g, const struct interest *i)
{
	uint32_t partition = (uint32_t)reply_slot_number(g->slot);
	const char *prefix = g->env.topic_prefix ? g->env.topic_prefix : "";

	snprintf(h->reply_topic, sizeof(h->reply_topic), "%s" TOPIC_OFFERS, prefix);
	for (int byte = 0; byte < 4; byte++)
		h->reply_partition[byte] = (char)(partition >> (24 - 8 * byte) & 0xff);
	snprintf(h->deadline, sizeof(h->deadline), "%" PRId64, i->ts + g->config->deadline_ms);
	record_headers_put(&h->set, "kafka_replyTopic", str_of(h->reply_topic));
	record_headers_put(&h->set, "kafka_replyPartition", (struct str){ h->reply_partition, 4 });
	record_headers_put(&h->set, "kafka_correlationId", i->id);
	record_headers_put(&h->set, "x-souk-session", i->session);
	record_headers_put(&h->set, "x-souk-slot-epoch", reply_slot_epoch(g->slot));
	record_headers_put(&h->set, "x-souk-deadline", str_of(h->deadline));
}

int publish_interest(struct gateway *g, const struct interest *i, const char *traceparent,
	bus_sent_fn sent, void *ctx)
{
	struct headers h;
	struct json_out j = JSON_OUT(&g->out);

	h.set.n = 0;
	if (record_headers_cloud_event(&h.set, i->id, STR("souk." TOPIC_INTEREST), "ws-server",
		    g->env.instance, i->ts) < 0 ||
		make_traceparent(h.traceparent, traceparent) < 0)
		return -EIO;
	record_headers_put(&h.set, "traceparent", str_of(h.traceparent));
	put_reply_to(&h, g, i);
	buf_clear(&g->out);
	interest_json(&j, NULL, i);
	if (g->out.failed)
		return -EMSGSIZE;
	return bus_send(g->env.bus, &(struct bus_message){ .topic = TOPIC_INTEREST,
					    .partition = BUS_BY_KEY,
					    .key = i->user,
					    .value = buf_str(&g->out),
					    .headers = h.set.v,
					    .n_headers = h.set.n,
					    .sent = sent,
					    .ctx = ctx });
}
