/*
 * Lanes: what is sent waits here, by partition, until the partition's last batch is reported, and
 * only as many partitions are under way as the connection has requests in flight.
 *
 * librdkafka 2.0.2 does not sleep while a partition has messages and the connection's requests in
 * flight (five, with idempotence) are used up: its broker thread polls without pause until a
 * response comes. With linger.ms 0 and a dozen partitions that is nearly always, and it was half of
 * a busy process' CPU (and all of what was left of the machine, when the broker was slow). So
 * librdkafka is never given more than it can send at once. What comes meanwhile makes the next,
 * larger batch: nothing waits on an idle broker, and batches grow as the broker slows.
 *
 * A message is handed over at the end of the turn of the loop it was sent in, so that what a turn
 * makes goes as one batch.
 */
#include "common/io/bus_kafka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MESSAGES 2000
#define BATCH_BYTES    (768 * 1024) /* below batch.size: one request */
#define SWEEP_US       1000000

struct kafka_lane {
	TAILQ_ENTRY(kafka_lane) in_ready;
	struct kafka_topic *topic;
	int32_t partition;
	STAILQ_HEAD(, kafka_report) waiting;
	size_t n_in_air;
	bool is_ready;
};

static size_t setting(const struct kafka_producer *p, const char *name, size_t otherwise)
{
	char text[32];
	size_t n = sizeof(text);

	if (rd_kafka_conf_get(rd_kafka_conf(p->h.rk), name, text, &n) != RD_KAFKA_CONF_OK)
		return otherwise;
	return strtoul(text, NULL, 10);
}

void kafka_lanes_init(struct kafka_producer *p)
{
	p->messages_max = setting(p, "queue.buffering.max.messages", 100000);
	p->bytes_max = setting(p, "queue.buffering.max.kbytes", 65536) * 1024;
	p->message_max = setting(p, "message.max.bytes", 1000000);
	p->window = (unsigned)setting(p, "max.in.flight.requests.per.connection", 5);
	TAILQ_INIT(&p->ready);
	p->n_lanes_in_air = 0;
	p->bytes_waiting = 0;
	p->is_kicked = false;
}

static struct kafka_lane *lane_at(struct kafka_topic *t, int32_t partition, int32_t n)
{
	struct kafka_lane *l;

	if (n > t->n_lanes) {
		struct kafka_lane **more = realloc(t->lanes, (size_t)n * sizeof(*more));

		if (!more)
			return NULL;
		memset(more + t->n_lanes, 0, (size_t)(n - t->n_lanes) * sizeof(*more));
		t->lanes = more;
		t->n_lanes = n;
	}
	l = t->lanes[partition];
	if (l)
		return l;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->topic = t;
	l->partition = partition;
	STAILQ_INIT(&l->waiting);
	return t->lanes[partition] = l;
}

struct kafka_lane *kafka_lane_of(
	struct kafka_producer *p, struct kafka_topic *t, const struct bus_message *m)
{
	int32_t n = kafka_pulse_partitions(p->pulse, t->full);
	int32_t partition = m->partition;

	if (partition == BUS_BY_KEY && str_is_set(m->key) && n > 0)
		partition = bus_partition_of(m->key, n);
	return partition >= 0 && partition < n ? lane_at(t, partition, n) : NULL;
}

static size_t size_of(const struct kafka_report *x)
{
	return sizeof(*x) + x->n_key + x->n_value;
}

void kafka_report_drop_copy(struct kafka_report *x)
{
	free(x->bytes);
	if (x->headers)
		rd_kafka_headers_destroy(x->headers);
	x->bytes = NULL;
	x->headers = NULL;
}

static void make_ready(struct kafka_producer *p, struct kafka_lane *l)
{
	if (l->is_ready || l->n_in_air || STAILQ_EMPTY(&l->waiting))
		return;
	l->is_ready = true;
	TAILQ_INSERT_TAIL(&p->ready, l, in_ready);
	if (!p->is_kicked)
		kafka_handle_kick(&p->h);
	p->is_kicked = true;
}

int kafka_lane_put(struct kafka_producer *p, struct kafka_lane *l, const struct bus_message *m,
	rd_kafka_headers_t *headers, struct kafka_report *x)
{
	if (p->n_in_flight > p->messages_max ||
		p->bytes_waiting + m->key.n + m->value.n > p->bytes_max)
		return -ENOBUFS;
	x->bytes = malloc(m->key.n + m->value.n + 1);
	if (!x->bytes)
		return -ENOBUFS;
	if (m->key.n)
		memcpy(x->bytes, m->key.p, m->key.n);
	if (m->value.n)
		memcpy(x->bytes + m->key.n, m->value.p, m->value.n);
	x->n_key = m->key.n;
	x->n_value = m->value.n;
	x->has_key = str_is_set(m->key);
	x->has_value = str_is_set(m->value);
	x->headers = headers;
	x->lane = l;
	p->bytes_waiting += size_of(x);
	STAILQ_INSERT_TAIL(&l->waiting, x, in_lane);
	make_ready(p, l);
	return 0;
}

void kafka_lane_landed(struct kafka_producer *p, struct kafka_lane *l)
{
	if (--l->n_in_air > 0)
		return;
	p->n_lanes_in_air--;
	make_ready(p, l);
}

/* It is no longer among those that wait, and counts as in the air until it is reported. */
static void take_off(struct kafka_producer *p, struct kafka_lane *l, struct kafka_report *x)
{
	STAILQ_REMOVE_HEAD(&l->waiting, in_lane);
	p->bytes_waiting -= size_of(x);
	if (l->n_in_air++ == 0)
		p->n_lanes_in_air++;
}

static int errno_of(rd_kafka_resp_err_t err)
{
	return err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? -EMSGSIZE : -EIO;
}

/* False: librdkafka takes no more for now. */
static bool give_one(struct kafka_producer *p, struct kafka_lane *l, struct kafka_report *x)
{
	const struct bus_message m = {
		.partition = l->partition,
		.key = { x->has_key ? x->bytes : NULL, x->n_key },
		.value = { x->has_value ? x->bytes + x->n_key : NULL, x->n_value },
	};
	rd_kafka_resp_err_t err = kafka_producer_give(p, l->topic, &m, x->headers, x);

	if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL)
		return false;
	if (err == RD_KAFKA_RESP_ERR__FATAL) {
		p->is_fatal = true;
		return false;
	}
	take_off(p, l, x);
	if (!err) {
		x->headers = NULL; /* librdkafka's now */
		kafka_report_drop_copy(x);
		return true;
	}
	bus_kafka_count_error(p->h.bus, err);
	kafka_producer_report(p, x, errno_of(err), -1, -1);
	return true;
}

static bool give_batch(struct kafka_producer *p, struct kafka_lane *l)
{
	struct kafka_report *x;
	size_t n_messages = 0, n_bytes = 0;

	while ((x = STAILQ_FIRST(&l->waiting)) && n_messages < BATCH_MESSAGES &&
		(n_messages == 0 || n_bytes + size_of(x) <= BATCH_BYTES)) {
		n_messages++;
		n_bytes += size_of(x);
		if (!give_one(p, l, x))
			return false;
	}
	return true;
}

/* The oldest wait for librdkafka no longer than a message may wait within it. */
static void sweep(struct kafka_producer *p)
{
	const int64_t now_us = bus_kafka_mono_us();
	const int64_t timeout_ms = p->h.bus->config.delivery_timeout_ms;
	const int64_t before_us = now_us - (timeout_ms ? timeout_ms : 30000) * 1000;

	if (now_us - p->swept_us < SWEEP_US)
		return;
	p->swept_us = now_us;
	for (struct kafka_topic *t = p->h.bus->topics; t; t = t->next)
		for (int32_t i = 0; i < t->n_lanes; i++) {
			struct kafka_lane *l = t->lanes[i];
			struct kafka_report *x;

			while (l && (x = STAILQ_FIRST(&l->waiting)) && x->sent_us < before_us) {
				take_off(p, l, x);
				kafka_producer_report(p, x, -ETIMEDOUT, -1, -1);
			}
		}
}

void kafka_lanes_turn(struct kafka_producer *p)
{
	const int n_brokers = kafka_pulse_brokers(p->pulse);
	const unsigned most = p->window * (n_brokers > 1 ? (unsigned)n_brokers : 1);
	struct kafka_lane *l;

	p->is_kicked = false;
	sweep(p);
	while (p->n_lanes_in_air < most && (l = TAILQ_FIRST(&p->ready))) {
		TAILQ_REMOVE(&p->ready, l, in_ready);
		l->is_ready = false;
		if (give_batch(p, l))
			continue;
		if (!l->is_ready && l->n_in_air == 0) { /* its turn comes first again */
			l->is_ready = true;
			TAILQ_INSERT_HEAD(&p->ready, l, in_ready);
		}
		return;
	}
}

void kafka_lanes_forget(struct kafka_producer *p)
{
	for (struct kafka_report *x = p->reports; x; x = x->next)
		x->lane = NULL;
	for (struct kafka_topic *t = p->h.bus->topics; t; t = t->next)
		for (int32_t i = 0; i < t->n_lanes; i++)
			if (t->lanes[i]) {
				STAILQ_INIT(&t->lanes[i]->waiting);
				t->lanes[i]->n_in_air = 0;
				t->lanes[i]->is_ready = false;
			}
	TAILQ_INIT(&p->ready);
	p->n_lanes_in_air = 0;
	p->bytes_waiting = 0;
}

void kafka_lanes_free(struct kafka_topic *t)
{
	for (int32_t i = 0; i < t->n_lanes; i++)
		free(t->lanes[i]);
	free(t->lanes);
}
