/*
 * A consuming client whose partitions come and go one by one. librdkafka's partition-wise calls
 * (consume_start and consume_stop) are used: they need no group, give every partition its own
 * start, and a queue of its own that we simply do not empty while the partition is held; its fetch
 * limits then stop the broker's side. consume_stop waits for the client's main thread, never for
 * the network.
 *
 * auto.offset.reset is "error", so that a start that is out of range shows; we begin anew at the
 * beginning, whose offset is told when the first record or the end is met. End of partition events
 * are at the last stable offset, and the position may jump over control records, so a range ends
 * with whatever first lies beyond it.
 */
#include "common/io/bus_kafka.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "common/base/log.h"

#define ROUNDS_MAX 4 /* fetches from one partition a turn */

struct kafka_entry {
	struct kafka_topic *topic;
	rd_kafka_topic_t *rkt;
	rd_kafka_queue_t *queue;
	int32_t partition;
	int64_t until; /* -1: none */
	bool is_started, held, gone;
	bool must_restart; /* the start was out of range */
	bool tell_reset;   /* out_of_range is due with the next offset seen */
	bool is_empty;     /* nothing to read: the range ends where it begins */
};

static struct kafka_entry *find(const struct kafka_feed *feed, const char *topic, int32_t partition)
{
	for (size_t i = 0; i < feed->n; i++) {
		struct kafka_entry *e = feed->v[i];

		if (!e->gone && e->partition == partition && strcmp(e->topic->name, topic) == 0)
			return e;
	}
	return NULL;
}

/* ---- starting and stopping ---- */

static int start(struct kafka_feed *feed, struct kafka_entry *e, int64_t from)
{
	int64_t offset = from == BUS_FROM_END ? RD_KAFKA_OFFSET_END
			 : from < 0           ? RD_KAFKA_OFFSET_BEGINNING
					      : from;

	e->queue = rd_kafka_queue_new(feed->h.rk);
	kafka_handle_watch(&feed->h, e->queue);
	if (rd_kafka_consume_start_queue(e->rkt, e->partition, offset, e->queue)) {
		log_debug("kafka", "cannot start reading", "topic=%s partition=%d error=%s",
			e->topic->full, e->partition, rd_kafka_err2name(rd_kafka_last_error()));
		return -ENOMEM;
	}
	e->is_started = true;
	return 0;
}

static void stop(struct kafka_entry *e)
{
	if (e->queue)
		kafka_handle_unwatch(e->queue);
	if (e->is_started)
		rd_kafka_consume_stop(e->rkt, e->partition);
	e->is_started = false;
}

static void queue_free(struct kafka_entry *e)
{
	if (e->queue)
		rd_kafka_queue_destroy(e->queue);
	e->queue = NULL;
}

static void entry_free(struct kafka_entry *e)
{
	stop(e);
	queue_free(e);
	if (e->rkt)
		rd_kafka_topic_destroy(e->rkt);
	free(e);
}

/* The queue goes with the records in hand: at the sweep. */
static void leave(struct kafka_entry *e)
{
	e->gone = true;
	stop(e);
}

void kafka_feed_sweep(struct kafka_feed *feed)
{
	size_t n = 0;

	for (size_t i = 0; i < feed->n; i++) {
		if (feed->v[i]->gone)
			entry_free(feed->v[i]);
		else
			feed->v[n++] = feed->v[i];
	}
	feed->n = n;
}

/* ---- deliveries ---- */

static size_t read_headers(struct bus_kafka *k, const rd_kafka_message_t *m, struct bus_header *out)
{
	rd_kafka_headers_t *hs;
	const char *name;
	const void *value;
	size_t n = 0, size;

	if (rd_kafka_message_headers(m, &hs))
		return 0;
	for (; n < BUS_HEADERS_MAX && !rd_kafka_header_get_all(hs, n, &name, &value, &size); n++)
		out[n] = (struct bus_header){ str_of(name), { value, value ? size : 0 } };
	if (n == BUS_HEADERS_MAX && rd_kafka_header_cnt(hs) > n)
		counter_add(k->n.headers_cut, 1);
	return n;
}

static void read_message(
	struct bus_kafka *k, const struct kafka_entry *e, const rd_kafka_message_t *m, size_t at)
{
	struct bus_header *headers = &k->headers[at * BUS_HEADERS_MAX];
	rd_kafka_timestamp_type_t type;

	k->records[at] = (struct bus_record){
		.topic = e->topic->name,
		.partition = e->partition,
		.offset = m->offset,
		.ts_ms = rd_kafka_message_timestamp(m, &type),
		.key = { m->key, m->key ? m->key_len : 0 },
		.value = { m->payload, m->payload ? m->len : 0 },
		.headers = headers,
		.n_headers = read_headers(k, m, headers),
	};
}

static void flush(struct kafka_feed *feed, size_t *n)
{
	struct bus_kafka *k = feed->h.bus;
	size_t n_records = *n;

	*n = 0;
	if (!n_records)
		return;
	counter_add(k->n.received, n_records);
	feed->ops->records(feed->ctx, k->records, n_records);
}

static void tell_reset(struct kafka_feed *feed, struct kafka_entry *e, int64_t offset)
{
	if (!e->tell_reset)
		return;
	e->tell_reset = false;
	if (feed->ops->out_of_range)
		feed->ops->out_of_range(feed->ctx, e->topic->name, e->partition, offset);
}

static void finish_range(struct kafka_feed *feed, struct kafka_entry *e)
{
	leave(e);
	if (feed->ops->at_end)
		feed->ops->at_end(feed->ctx, e->topic->name, e->partition, e->until);
}

static void on_end(struct kafka_feed *feed, struct kafka_entry *e, int64_t offset)
{
	tell_reset(feed, e, offset);
	if (e->gone)
		return;
	if (e->until >= 0 && offset >= e->until)
		finish_range(feed, e);
	else if (e->until < 0 && feed->ops->at_end)
		feed->ops->at_end(feed->ctx, e->topic->name, e->partition, offset);
}

static void on_error(struct kafka_feed *feed, struct kafka_entry *e, const rd_kafka_message_t *m)
{
	if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		on_end(feed, e, m->offset);
		return;
	}
	if (m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
		counter_add(feed->h.bus->n.out_of_range, 1);
		e->must_restart = true;
		return;
	}
	bus_kafka_count_error(feed->h.bus, m->err);
	log_debug("kafka", "partition error", "topic=%s partition=%d error=%s", e->topic->full,
		e->partition, rd_kafka_err2name(m->err));
}

/* Records up to the next thing that is none (end, error, the range's end) are given in one call. */
static void give(
	struct kafka_feed *feed, struct kafka_entry *e, rd_kafka_message_t **v, size_t n_messages)
{
	struct bus_kafka *k = feed->h.bus;
	size_t n = 0;

	for (size_t i = 0; i < n_messages && !e->gone; i++) {
		const rd_kafka_message_t *m = v[i];
		bool is_beyond = !m->err && e->until >= 0 && m->offset >= e->until;

		if (!m->err)
			tell_reset(feed, e, m->offset);
		if (!m->err && !is_beyond && !e->gone) {
			read_message(k, e, m, n++);
			continue;
		}
		flush(feed, &n);
		if (e->gone)
			break;
		if (is_beyond)
			finish_range(feed, e);
		else if (m->err)
			on_error(feed, e, m);
	}
	if (!e->gone)
		flush(feed, &n);
	if (!e->gone && e->until >= 0 && n_messages && !v[n_messages - 1]->err &&
		v[n_messages - 1]->offset + 1 >= e->until)
		finish_range(feed, e);
}

static void restart(struct kafka_feed *feed, struct kafka_entry *e)
{
	e->must_restart = false;
	stop(e);
	queue_free(e);
	e->tell_reset = true;
	if (start(feed, e, BUS_FROM_BEGIN))
		leave(e);
}

/* False when its share of the turn is used up. */
static bool pump(struct kafka_feed *feed, struct kafka_entry *e)
{
	rd_kafka_message_t **v = feed->h.bus->messages;

	if (e->is_empty)
		finish_range(feed, e);
	for (int round = 0; round < ROUNDS_MAX; round++) {
		if (e->gone || e->held)
			return true;

		ssize_t n = rd_kafka_consume_batch_queue(e->queue, 0, v, KAFKA_FETCH_MAX);
		if (n <= 0)
			return true;
		give(feed, e, v, (size_t)n);
		for (ssize_t i = 0; i < n; i++)
			rd_kafka_message_destroy(v[i]);
		if (e->must_restart && !e->gone)
			restart(feed, e);
	}
	return false;
}

static void on_turn(struct kafka_handle *h)
{
	struct kafka_feed *feed = (struct kafka_feed *)h;
	bool is_done = true;

	for (size_t i = 0; i < feed->n && !feed->is_gone; i++)
		if (!feed->v[i]->gone && !pump(feed, feed->v[i]))
			is_done = false;
	if (!is_done && !feed->is_gone)
		kafka_handle_kick(h);
}

static void on_event(struct kafka_handle *h, rd_kafka_event_t *e)
{
	(void)h;
	(void)e; /* errors are counted and retried by the client itself */
}

static const struct kafka_handle_ops OPS = { .event = on_event, .turn = on_turn };

/* ---- the feed ---- */

int kafka_feed_init(struct kafka_feed *feed, struct bus_kafka *bus,
	const struct bus_reader_ops *ops, void *ctx, struct fault *f)
{
	*feed = (struct kafka_feed){ .ops = ops, .ctx = ctx };
	return kafka_handle_init(&feed->h, bus, KAFKA_FEED, NULL, &OPS, f);
}

void kafka_feed_stop(struct kafka_feed *feed)
{
	feed->is_gone = true;
	for (size_t i = 0; i < feed->n; i++)
		if (!feed->v[i]->gone)
			leave(feed->v[i]);
}

void kafka_feed_fini(struct kafka_feed *feed)
{
	if (!feed->h.rk)
		return;
	kafka_feed_stop(feed);
	kafka_feed_sweep(feed);
	free(feed->v);
	feed->v = NULL;
	kafka_handle_fini(&feed->h, NULL);
}

static struct kafka_entry *entry_new(
	struct kafka_feed *feed, struct kafka_topic *t, int32_t partition)
{
	if (feed->n == feed->cap) {
		size_t cap = feed->cap ? 2 * feed->cap : 8;
		struct kafka_entry **v = realloc(feed->v, cap * sizeof(*v));

		if (!v)
			return NULL;
		feed->v = v;
		feed->cap = cap;
	}

	struct kafka_entry *e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->topic = t;
	e->partition = partition;
	e->rkt = rd_kafka_topic_new(feed->h.rk, t->full, NULL);
	if (!e->rkt) {
		free(e);
		return NULL;
	}
	return e;
}

int kafka_feed_add(struct kafka_feed *feed, struct kafka_topic *t, int32_t partition, int64_t from,
	int64_t until)
{
	struct kafka_entry *e;

	if (find(feed, t->name, partition))
		return -EEXIST;
	e = entry_new(feed, t, partition);
	if (!e)
		return -ENOMEM;
	e->until = until;
	e->is_empty = until >= 0 && (until == 0 || from >= until);
	if (!e->is_empty && start(feed, e, from)) {
		entry_free(e);
		return -ENOMEM;
	}
	feed->v[feed->n++] = e;
	kafka_handle_kick(&feed->h);
	return 0;
}

void kafka_feed_remove(struct kafka_feed *feed, const char *topic, int32_t partition)
{
	struct kafka_entry *e = find(feed, topic, partition);

	if (!e)
		return;
	leave(e);
	kafka_handle_kick(&feed->h); /* to the sweep */
}

void kafka_feed_hold(struct kafka_feed *feed, const char *topic, int32_t partition, bool hold)
{
	struct kafka_entry *e = find(feed, topic, partition);

	if (!e)
		return;
	e->held = hold;
	if (!hold)
		kafka_handle_kick(&feed->h);
}

int64_t kafka_feed_high(struct kafka_feed *feed, const char *topic, int32_t partition)
{
	const struct kafka_entry *e = find(feed, topic, partition);
	int64_t low, high;

	if (!e ||
		rd_kafka_get_watermark_offsets(
			feed->h.rk, e->topic->full, partition, &low, &high) ||
		high < 0)
		return -1;
	return high;
}
