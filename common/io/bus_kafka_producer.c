/*
 * Sending. One idempotent producer: order per partition holds across retries. If librdkafka
 * declares it broken (2.0.2 does so after errors that may have stored a batch), what is in flight
 * is reported failed and a new client takes over: the owner protocol above notices a record that
 * got through after all.
 */
#include "common/io/bus_kafka.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"

static struct kafka_report *report_new(struct kafka_producer *p, const struct bus_message *m)
{
	struct kafka_report *x = malloc(sizeof(*x));

	if (!x)
		return NULL;
	*x = (struct kafka_report){
		.next = p->reports,
		.prev = &p->reports,
		.sent = m->sent,
		.ctx = m->ctx,
		.sent_us = bus_kafka_mono_us(),
	};
	if (x->next)
		x->next->prev = &x->next;
	p->reports = x;
	p->n_in_flight++;
	p->h.bus->n.in_flight->value = (int64_t)p->n_in_flight;
	return x;
}

static void report_free(struct kafka_producer *p, struct kafka_report *x)
{
	*x->prev = x->next;
	if (x->next)
		x->next->prev = x->prev;
	kafka_report_drop_copy(x);
	free(x);
	p->n_in_flight--;
	p->h.bus->n.in_flight->value = (int64_t)p->n_in_flight;
}

/* ---- reports ---- */

static int errno_of(rd_kafka_resp_err_t err)
{
	switch (err) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		return 0;
	case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
	case RD_KAFKA_RESP_ERR__TIMED_OUT:
	case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
		return -ETIMEDOUT;
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
		return -EMSGSIZE;
	default:
		return -EIO;
	}
}

static void count(struct kafka_counters *n, int err, int64_t latency_us)
{
	counter_add(err == 0            ? n->sent_ok
		    : err == -ETIMEDOUT ? n->sent_timeout
		    : err == -EMSGSIZE  ? n->sent_size
					: n->sent_error,
		1);
	if (!err)
		histogram_add(n->latency, latency_us);
}

void kafka_producer_report(struct kafka_producer *p, struct kafka_report *x, int err,
	int32_t partition, int64_t offset)
{
	bus_sent_fn sent = x->sent;
	void *ctx = x->ctx;

	count(&p->h.bus->n, err, bus_kafka_mono_us() - x->sent_us);
	if (x->lane)
		kafka_lane_landed(p, x->lane);
	report_free(p, x);
	if (sent)
		sent(ctx, err, err ? -1 : partition, err ? -1 : offset);
}

static void on_report(struct kafka_producer *p, const rd_kafka_message_t *m)
{
	if (m->err)
		bus_kafka_count_error(p->h.bus, m->err);
	kafka_producer_report(p, m->_private, errno_of(m->err), m->partition, m->offset);
}

static void on_event(struct kafka_handle *h, rd_kafka_event_t *e)
{
	struct kafka_producer *p = (struct kafka_producer *)h;
	const rd_kafka_message_t *m;

	if (rd_kafka_event_type(e) == RD_KAFKA_EVENT_DR)
		while ((m = rd_kafka_event_message_next(e)))
			on_report(p, m);
	else if (rd_kafka_event_type(e) == RD_KAFKA_EVENT_ERROR &&
		 rd_kafka_event_error(e) == RD_KAFKA_RESP_ERR__FATAL)
		p->is_fatal = true;
}

/* ---- the client and its replacement ---- */

static void forget_topics(struct bus_kafka *k)
{
	for (struct kafka_topic *t = k->topics; t; t = t->next)
		if (t->sends) {
			rd_kafka_topic_destroy(t->sends);
			t->sends = NULL;
		}
}

static void on_turn(struct kafka_handle *h);

static const struct kafka_handle_ops OPS = { .event = on_event, .turn = on_turn };

static int open_producer(struct kafka_producer *p, struct bus_kafka *k, struct fault *f)
{
	char timeout[24];
	const char *const extra[] = { "delivery.timeout.ms", timeout, NULL };
	int r;

	snprintf(timeout, sizeof(timeout), "%lld",
		(long long)(k->config.delivery_timeout_ms ? k->config.delivery_timeout_ms : 30000));
	r = kafka_handle_init(&p->h, k, KAFKA_PRODUCER, extra, &OPS, f);
	if (r)
		return r;
	p->is_fatal = false;
	kafka_lanes_init(p);
	r = kafka_pulse_new(&p->pulse, p->h.rk);
	if (r)
		kafka_handle_fini(&p->h, NULL);
	return r;
}

/* Purged messages come back as reports; what does not come within a bounded number of polls is
 * reported here. */
static void report_the_rest(struct kafka_producer *p)
{
	rd_kafka_event_t *e;

	kafka_lanes_forget(p);
	rd_kafka_purge(p->h.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	for (int tries = 0; p->reports && tries < 20; tries++)
		while ((e = rd_kafka_queue_poll(p->h.queue, 5))) {
			on_event(&p->h, e);
			rd_kafka_event_destroy(e);
		}
	while (p->reports) {
		struct kafka_report x = *p->reports;

		report_free(p, p->reports);
		counter_add(p->h.bus->n.sent_error, 1);
		if (x.sent)
			x.sent(x.ctx, -EIO, -1, -1);
	}
}

static void on_turn(struct kafka_handle *h)
{
	struct kafka_producer *p = (struct kafka_producer *)h;
	struct bus_kafka *k = h->bus;

	if (!p->is_fatal)
		kafka_lanes_turn(p);
	if (!p->is_fatal)
		return;
	report_the_rest(p);
	forget_topics(k);
	kafka_handle_fini(&p->h, TAKE(p->pulse));
	counter_add(k->n.producers, 1);
	/* The settings were good before; only memory or file descriptors can be missing. */
	if (open_producer(p, k, NULL))
		abort();
	for (struct kafka_topic *t = k->topics; t; t = t->next)
		if (t->is_warm)
			(void)kafka_producer_know(p, t);
}

int kafka_producer_init(struct kafka_producer *p, struct bus_kafka *bus, struct fault *f)
{
	return open_producer(p, bus, f);
}

void kafka_producer_fini(struct kafka_producer *p)
{
	if (!p->h.rk)
		return;
	kafka_lanes_forget(p);
	rd_kafka_purge(p->h.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	while (p->reports)
		report_free(p, p->reports);
	forget_topics(p->h.bus);
	kafka_handle_fini(&p->h, TAKE(p->pulse));
}

int kafka_producer_know(struct kafka_producer *p, struct kafka_topic *t)
{
	if (t->sends)
		return 0;
	t->sends = rd_kafka_topic_new(p->h.rk, t->full, NULL);
	if (!t->sends)
		return -ENOMEM;
	kafka_pulse_kick(p->pulse);
	return 0;
}

/* ---- sending ---- */

static rd_kafka_headers_t *headers_new(const struct bus_message *m)
{
	rd_kafka_headers_t *h = rd_kafka_headers_new(m->n_headers);

	for (size_t i = 0; h && i < m->n_headers; i++)
		rd_kafka_header_add(h, m->headers[i].name.p, (ssize_t)m->headers[i].name.n,
			m->headers[i].value.p, (ssize_t)m->headers[i].value.n);
	return h;
}

rd_kafka_resp_err_t kafka_producer_give(struct kafka_producer *p, struct kafka_topic *t,
	const struct bus_message *m, rd_kafka_headers_t *headers, struct kafka_report *x)
{
	int32_t partition = m->partition == BUS_BY_KEY ? RD_KAFKA_PARTITION_UA : m->partition;

#define MESSAGE \
	RD_KAFKA_V_RKT(t->sends), RD_KAFKA_V_PARTITION(partition), \
		RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(m->key.p, m->key.n), \
		RD_KAFKA_V_VALUE((void *)m->value.p, m->value.n), RD_KAFKA_V_OPAQUE(x)
	if (headers)
		return rd_kafka_producev(
			p->h.rk, MESSAGE, RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
	return rd_kafka_producev(p->h.rk, MESSAGE, RD_KAFKA_V_END);
#undef MESSAGE
}

static int refuse(struct kafka_producer *p, rd_kafka_resp_err_t err)
{
	struct kafka_counters *n = &p->h.bus->n;

	switch (err) {
	case RD_KAFKA_RESP_ERR__QUEUE_FULL:
		counter_add(n->sent_full, 1);
		return -ENOBUFS;
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
		counter_add(n->sent_size, 1);
		return -EMSGSIZE;
	case RD_KAFKA_RESP_ERR__FATAL:
		p->is_fatal = true;
		kafka_handle_kick(&p->h);
		return -ENOBUFS; /* the next client is a turn away */
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
		return -EINVAL;
	default:
		bus_kafka_count_error(p->h.bus, err);
		return -ENOBUFS;
	}
}

/* Straight to librdkafka: while the partition is not known, order with others means nothing. */
static int send_past_lanes(struct kafka_producer *p, struct kafka_topic *t,
	const struct bus_message *m, rd_kafka_headers_t *headers, struct kafka_report *x)
{
	rd_kafka_resp_err_t err = kafka_producer_give(p, t, m, headers, x);

	if (!err)
		return 0;
	if (headers)
		rd_kafka_headers_destroy(headers); /* producev leaves them with us on failure */
	report_free(p, x);
	return refuse(p, err);
}

static int send_in_lane(struct kafka_producer *p, struct kafka_lane *l, const struct bus_message *m,
	rd_kafka_headers_t *headers, struct kafka_report *x)
{
	if (kafka_lane_put(p, l, m, headers, x) == 0)
		return 0;
	if (headers)
		rd_kafka_headers_destroy(headers);
	report_free(p, x);
	counter_add(p->h.bus->n.sent_full, 1);
	return -ENOBUFS;
}

int kafka_producer_send(struct kafka_producer *p, const struct bus_message *m)
{
	struct kafka_topic *t = bus_kafka_topic(p->h.bus, m->topic);
	rd_kafka_headers_t *headers = NULL;
	struct kafka_report *x;
	struct kafka_lane *l;

	if (!t || kafka_producer_know(p, t))
		return -ENOBUFS;
	if (m->partition < BUS_BY_KEY)
		return -EINVAL;
	if (p->is_fatal || rd_kafka_fatal_error(p->h.rk, NULL, 0))
		return refuse(p, RD_KAFKA_RESP_ERR__FATAL);
	if (m->key.n + m->value.n > p->message_max)
		return refuse(p, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	if (m->n_headers && !(headers = headers_new(m)))
		return -ENOBUFS;
	x = report_new(p, m);
	if (!x) {
		if (headers)
			rd_kafka_headers_destroy(headers);
		return -ENOBUFS;
	}
	l = kafka_lane_of(p, t, m);
	return l ? send_in_lane(p, l, m, headers, x) : send_past_lanes(p, t, m, headers, x);
}
