/*
 * Headers as contract 2 has them: CloudEvents 1.0 in binary mode (Kafka protocol binding,
 * section 3.2), W3C traceparent, Spring's request-reply headers, and our own. Everything is also in
 * the value where it matters; the headers are for routing and for those who do not read our JSON.
 */
#include "ws-server/publish.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "common/base/crypto.h"
#include "ws-server/session.h"

#define CE_TYPE      "souk." TOPIC_INTEREST
#define TIME_MAX     32 /* 2026-09-25T10:00:00.123Z and a NUL, and room for any year */
#define SOURCE_MAX   160
#define TOPIC_MAX    250
#define DEADLINE_MAX 21

struct headers {
	struct bus_header v[16];
	size_t n;
	char time[TIME_MAX];
	char source[SOURCE_MAX];
	char traceparent[TRACEPARENT_LEN + 1];
	char reply_topic[TOPIC_MAX];
	char reply_partition[4];
	char deadline[DEADLINE_MAX];
};

static void put(struct headers *h, const char *name, struct str value)
{
	h->v[h->n++] = (struct bus_header){ str_of(name), value };
}

static int format_time(char ret[TIME_MAX], int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || strftime(ret, TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm) != 19)
		return -EINVAL;
	snprintf(ret + 19, TIME_MAX - 19, ".%03uZ", (unsigned)(ms % 1000));
	return 0;
}

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

static void put_cloud_event(struct headers *h, const struct gateway *g, const struct interest *i)
{
	snprintf(h->source, sizeof(h->source), "/souk/ws-server/%s", g->env.instance);
	put(h, "ce_specversion", STR("1.0"));
	put(h, "ce_id", i->id);
	put(h, "ce_type", STR(CE_TYPE));
	put(h, "ce_source", str_of(h->source));
	put(h, "ce_time", str_of(h->time));
	put(h, "content-type", STR("application/json"));
	put(h, "traceparent", str_of(h->traceparent));
}

static void put_reply_to(struct headers *h, const struct gateway *g, const struct interest *i)
{
	uint32_t partition = (uint32_t)reply_slot_number(g->slot);
	const char *prefix = g->env.topic_prefix ? g->env.topic_prefix : "";

	snprintf(h->reply_topic, sizeof(h->reply_topic), "%s" TOPIC_OFFERS, prefix);
	for (int byte = 0; byte < 4; byte++)
		h->reply_partition[byte] = (char)(partition >> (24 - 8 * byte) & 0xff);
	snprintf(h->deadline, sizeof(h->deadline), "%" PRId64, i->ts + g->config->deadline_ms);
	put(h, "kafka_replyTopic", str_of(h->reply_topic));
	put(h, "kafka_replyPartition", (struct str){ h->reply_partition, 4 });
	put(h, "kafka_correlationId", i->id);
	put(h, "x-souk-session", i->session);
	put(h, "x-souk-slot-epoch", reply_slot_epoch(g->slot));
	put(h, "x-souk-deadline", str_of(h->deadline));
}

int publish_interest(struct gateway *g, const struct interest *i, const char *traceparent,
	bus_sent_fn sent, void *ctx)
{
	struct headers h = { 0 };
	struct json_out j = JSON_OUT(&g->out);

	if (format_time(h.time, i->ts) < 0 || make_traceparent(h.traceparent, traceparent) < 0)
		return -EIO;
	put_cloud_event(&h, g, i);
	put_reply_to(&h, g, i);
	buf_clear(&g->out);
	interest_json(&j, NULL, i);
	if (g->out.failed)
		return -EMSGSIZE;
	return bus_send(g->env.bus, &(struct bus_message){ .topic = TOPIC_INTEREST,
					    .partition = BUS_BY_KEY,
					    .key = i->user,
					    .value = buf_str(&g->out),
					    .headers = h.v,
					    .n_headers = h.n,
					    .sent = sent,
					    .ctx = ctx });
}
