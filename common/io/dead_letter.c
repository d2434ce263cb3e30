#include "common/io/dead_letter.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/io/record_headers.h"

#define N_OWN 5

struct letter {
	struct record_headers headers;
	size_t why_at;
	char partition[16], offset[24], why[320];
};

static void write_headers(
	struct letter *l, const struct bus_record *r, const char *reason, const char *why)
{
	struct record_headers *h = &l->headers;

	h->n = 0;
	record_headers_copy(h, r, N_OWN);
	snprintf(l->partition, sizeof(l->partition), "%" PRId32, r->partition);
	snprintf(l->offset, sizeof(l->offset), "%" PRId64, r->offset);
	snprintf(l->why, sizeof(l->why), "%s", why);
	record_headers_put(h, "__connect.errors.topic", str_of(r->topic));
	record_headers_put(h, "__connect.errors.partition", str_of(l->partition));
	record_headers_put(h, "__connect.errors.offset", str_of(l->offset));
	l->why_at = h->n;
	record_headers_put(h, "__connect.errors.exception.message", str_of(l->why));
	record_headers_put(h, "x-souk-reason", str_of(reason));
}

int dead_letter_send(struct bus *bus, const char *topic, const struct bus_record *r,
	const char *reason, const char *why, bus_sent_fn sent, void *ctx)
{
	struct letter l;
	struct bus_message m = { .topic = topic,
		.partition = r->partition,
		.key = r->key,
		.value = r->value,
		.headers = l.headers.v,
		.sent = sent,
		.ctx = ctx };
	int err;

	write_headers(&l, r, reason, why);
	m.n_headers = l.headers.n;
	err = bus_send(bus, &m);
	if (err == -EINVAL) {
		m.partition = BUS_BY_KEY;
		err = bus_send(bus, &m);
	}
	if (err == -EMSGSIZE) {
		snprintf(l.why, sizeof(l.why), "%.200s (value of %zu bytes left out: too large)",
			why, r->value.n);
		l.headers.v[l.why_at].value = str_of(l.why);
		m.value = STR_NONE;
		err = bus_send(bus, &m);
	}
	return err;
}
