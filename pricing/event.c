/*
 * An event owns two blocks: an arena with what was read of the record, and the bytes of its
 * messages, which are kept until they are acknowledged because a failed delivery sends the same
 * bytes again.
 */
#include "pricing/event.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/io/record_headers.h"
#include "common/model/topics.h"

#define TIME_MAX_MS ((INT64_C(1) << 53) - 1)
#define N_OWN       10 /* headers of a dead letter */
#define ERRORS      "__connect.errors."

struct event *event_free(struct event *e)
{
	if (!e)
		return NULL;
	live_unref(e->offer);
	arena_free(e->arena);
	free(e->bytes);
	free(e);
	return NULL;
}

static size_t message_bytes(const struct bus_message *m)
{
	size_t n = m->key.n + m->value.n + strlen(m->topic) + 1;

	for (size_t i = 0; i < m->n_headers; i++)
		n += m->headers[i].name.n + m->headers[i].value.n;
	return n;
}

static struct str put(char **at, struct str s)
{
	struct str ret = { s.p ? *at : NULL, s.n };

	if (s.n)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return ret;
}

static void copy_message(struct message *to, const struct bus_message *m, char **at)
{
	assert(m->n_headers <= BUS_HEADERS_MAX);
	to->m = *m;
	to->m.topic = put(at, (struct str){ m->topic, strlen(m->topic) + 1 }).p;
	to->m.key = put(at, m->key);
	to->m.value = put(at, m->value);
	for (size_t i = 0; i < m->n_headers; i++) {
		to->headers[i].name = put(at, m->headers[i].name);
		to->headers[i].value = put(at, m->headers[i].value);
	}
	to->m.headers = to->headers;
	to->state = MESSAGE_READY;
}

int event_put_messages(struct event *e, const struct bus_message *m, size_t n)
{
	size_t n_bytes = 1;
	char *at;

	assert(!e->bytes && n <= ARRAY_LEN(e->messages));
	for (size_t i = 0; i < n; i++)
		n_bytes += message_bytes(&m[i]);
	e->bytes = malloc(n_bytes);
	if (!e->bytes)
		return -ENOMEM;
	at = e->bytes;
	for (size_t i = 0; i < n; i++) {
		copy_message(&e->messages[i], &m[i], &at);
		e->messages[i].event = e;
	}
	return 0;
}

void event_take_back(struct event *e)
{
	assert(event_reports_due(e) == 0);
	free(TAKE(e->bytes));
	memset(e->messages, 0, sizeof(e->messages));
	e->stage = EVENT_WAITING;
}

bool event_has_unsent(const struct event *e)
{
	for (size_t i = 0; i < ARRAY_LEN(e->messages); i++) {
		if (e->messages[i].state == MESSAGE_READY)
			return true;
	}
	return false;
}

size_t event_reports_due(const struct event *e)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(e->messages); i++)
		n += e->messages[i].state == MESSAGE_SENT;
	return n;
}

void event_forget_owner(struct event *e)
{
	for (size_t i = 0; i < ARRAY_LEN(e->messages); i++) {
		if (e->messages[i].state == MESSAGE_SENT && e->messages[i].is_owned)
			e->messages[i].state = MESSAGE_READY;
	}
}

/* ---- dead letters ---- */

static int put_dead_letter(
	struct event *e, const struct bus_record *r, const char *why, struct pricing_metrics *m)
{
	char topic[128], partition[16], offset[24];
	struct record_headers h;

	snprintf(partition, sizeof(partition), "%" PRId32, r->partition);
	snprintf(offset, sizeof(offset), "%" PRId64, r->offset);
	snprintf(topic, sizeof(topic), "%s" TOPIC_DLQ_SUFFIX, r->topic);
	h.n = 0;
	counter_add(m->cut_headers, record_headers_copy(&h, r, N_OWN));
	record_headers_put(&h, ERRORS "topic", str_of(r->topic));
	record_headers_put(&h, ERRORS "partition", str_of(partition));
	record_headers_put(&h, ERRORS "offset", str_of(offset));
	record_headers_put(&h, ERRORS "connector.name", STR("souk-pricing"));
	record_headers_put(&h, ERRORS "task.id", str_of(partition));
	record_headers_put(&h, ERRORS "stage", STR("VALUE_CONVERTER"));
	record_headers_put(&h, ERRORS "class.name", STR("pricing/event"));
	record_headers_put(&h, ERRORS "exception.class.name", STR("DECODE_E_SHAPE"));
	record_headers_put(&h, ERRORS "exception.message", str_of(why));
	record_headers_put(&h, "x-souk-reason", STR("BAD_EVENT"));

	const struct bus_message letter = {
		.topic = topic,
		.partition = r->partition,
		.key = r->key,
		.value = r->value,
		.headers = h.v,
		.n_headers = h.n,
	};

	e->stage = EVENT_SENDING;
	return event_put_messages(e, &letter, 1);
}

/* ---- reading ---- */

/* Of a refused event only what routes its answer, and the item if it is one. */
static void keep_ids(struct interest *i)
{
	*i = (struct interest){
		.id = i->id,
		.client_id = i->client_id,
		.ts = i->ts,
		.user = i->user,
		.session = i->session,
		.item = i->item,
	};
}

static struct str header(struct event *e, const struct bus_record *r, const char *name)
{
	return arena_copy(e->arena, bus_header(r, name));
}

static bool read_headers(struct event *e, const struct bus_record *r)
{
	static const char *const names[] = { "traceparent", "kafka_replyTopic",
		"kafka_replyPartition", "kafka_correlationId", "x-souk-session",
		"x-souk-slot-epoch" };
	struct str *const texts[] = { &e->reply.traceparent, &e->reply.topic, &e->reply.partition,
		&e->reply.correlation, &e->reply.session, &e->reply.slot_epoch };
	struct str deadline = bus_header(r, "x-souk-deadline");
	uint64_t ms;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		*texts[i] = header(e, r, names[i]);
		if (!texts[i]->p && bus_header(r, names[i]).p)
			return false;
	}
	if (str_is_set(deadline) && str_to_u64(deadline, &ms) == 0 && ms <= (uint64_t)TIME_MAX_MS)
		e->deadline_ms = (int64_t)ms;
	return true;
}

/* False: it has no id, user or session to answer; @f says why. */
static bool read_value(struct event *e, const struct bus_record *r, struct fault *f)
{
	int err;

	if (r->value.n > EVENT_BYTES_MAX) {
		(void)fault_set(f, FAULT_REJECT, DECODE_E_TOO_LARGE, "interest: over %d bytes",
			EVENT_BYTES_MAX);
		return false;
	}
	err = decode(&interest_type, &e->interest, r->value, e->arena, f);
	if (err == 0)
		return true;
	if (err == DECODE_E_JSON || !str_is_set(e->interest.id) || !str_is_set(e->interest.user) ||
		!str_is_set(e->interest.session))
		return false;
	keep_ids(&e->interest);
	e->bad = arena_copy(e->arena, str_of(f->text));
	return str_is_set(e->bad);
}

static size_t arena_bytes(const struct bus_record *r)
{
	size_t n = 4096 + (r->value.n <= EVENT_BYTES_MAX ? 2 * r->value.n : 0);

	for (size_t i = 0; i < r->n_headers; i++)
		n += r->headers[i].value.n + 1;
	return n;
}

struct event *event_new(struct partition *p, const struct bus_record *r, int64_t received_us,
	struct pricing_metrics *m)
{
	struct event *e = calloc(1, sizeof(*e));
	struct fault f = { 0 };

	if (!e)
		return NULL;
	e->partition = p;
	e->offset = r->offset;
	e->received_us = received_us;
	if (arena_new(&e->arena, arena_bytes(r)) != 0)
		return event_free(e);
	if (!read_value(e, r, &f) || !read_headers(e, r)) {
		counter_add(m->dead_letters, 1);
		if (put_dead_letter(e, r, f.text, m) != 0)
			return event_free(e);
	}
	e->ts = e->interest.ts ? e->interest.ts : r->ts_ms;
	return e;
}

struct event *event_new_revision(struct partition *p, struct live_offer *o, int64_t changed_us)
{
	struct event *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->partition = p;
	e->is_revision = true;
	e->offset = -1;
	e->received_us = changed_us;
	e->offer = live_ref(o);
	e->interest = o->interest;
	e->reply = o->reply;
	e->ts = o->ts;
	return e;
}
