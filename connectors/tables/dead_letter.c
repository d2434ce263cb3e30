#include "connectors/tables/dead_letter.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define N_OWN 5

struct letter {
	struct bus_header headers[BUS_HEADERS_MAX];
	size_t n;
	char partition[16], offset[24], why[320];
};

static void add(struct letter *l, const char *name, const char *value)
{
	l->headers[l->n++] = (struct bus_header){ str_of(name), str_of(value) };
}

static void write_headers(
	struct letter *l, const struct bus_record *r, const char *reason, const char *why)
{
	size_t n_theirs = r->n_headers;

	if (n_theirs > BUS_HEADERS_MAX - N_OWN)
		n_theirs = BUS_HEADERS_MAX - N_OWN;
	l->n = 0;
	for (size_t i = 0; i < n_theirs; i++)
		l->headers[l->n++] = r->headers[i];
	snprintf(l->partition, sizeof(l->partition), "%" PRId32, r->partition);
	snprintf(l->offset, sizeof(l->offset), "%" PRId64, r->offset);
	snprintf(l->why, sizeof(l->why), "%s", why);
	add(l, "__connect.errors.topic", r->topic);
	add(l, "__connect.errors.partition", l->partition);
	add(l, "__connect.errors.offset", l->offset);
	add(l, "__connect.errors.exception.message", l->why);
	add(l, "x-souk-reason", reason);
}

int dead_letter_send(struct bus *bus, const char *topic, const struct bus_record *r,
	const char *reason, const char *why, bus_sent_fn sent, void *ctx)
{
	struct letter l;
	struct bus_message m = { .topic = topic,
		.partition = r->partition,
		.key = r->key,
		.value = r->value,
		.headers = l.headers,
		.sent = sent,
		.ctx = ctx };
	int err;

	write_headers(&l, r, reason, why);
	m.n_headers = l.n;
	err = bus_send(bus, &m);
	if (err == -EINVAL) {
		m.partition = BUS_BY_KEY;
		err = bus_send(bus, &m);
	}
	if (err == -EMSGSIZE) {
		snprintf(l.why, sizeof(l.why), "%.200s (value of %zu bytes left out: too large)",
			why, r->value.n);
		l.headers[l.n - 2].value = str_of(l.why);
		m.value = STR_NONE;
		err = bus_send(bus, &m);
	}
	return err;
}
