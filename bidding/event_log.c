/*
 * A record stays here until its report comes. One whose report is an error is sent again after the
 * others: it may be in the log twice or after its successors then, which the book's version rule
 * takes when the log is read.
 */
#include "bidding/event_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "common/base/log.h"
#include "common/io/record_headers.h"
#include "common/model/topics.h"

#define RETRY_FULL_MS  50
#define RETRY_ERROR_MS 1000

struct entry {
	STAILQ_ENTRY(entry) link;
	struct event_log *log;
	unsigned life; /* of the log when it was put */
	uint64_t n;
	int64_t put_ms;
	size_t size; /* without the closing brace */
	char json[];
};
STAILQ_HEAD(entries, entry);

struct event_log {
	struct loop *loop;
	const struct collection *c;
	const char *instance;
	struct owner *owner; /* NULL while closed */
	int64_t epoch;
	unsigned life; /* how often it was closed */
	uint64_t n;
	size_t max, n_pending;
	struct entries queue;
	struct entries flying; /* freed with the log if their reports never come */
	struct loop_timer *timer;
	struct counter *written, *dropped, *failed;
};

static const struct metric_def WRITTEN = { "souk_bidding_events_total", METRIC_COUNTER,
	"Market events acknowledged by Kafka.", NULL };
static const struct metric_def DROPPED = { "souk_bidding_events_dropped_total", METRIC_COUNTER,
	"Market events that found the queue full and are in no log.", NULL };
static const struct metric_def FAILED = { "souk_bidding_events_failed_total", METRIC_COUNTER,
	"Market events that Kafka did not take and that are sent again.", NULL };

static void on_sent(void *ctx, int err, int32_t partition, int64_t offset)
{
	struct entry *e = ctx;
	struct event_log *l = e->log;

	(void)partition;
	(void)offset;
	STAILQ_REMOVE(&l->flying, e, entry, link);
	if (err && l->owner && e->life == l->life && err != -EPERM) {
		counter_add(l->failed, 1);
		log_warn("log", "event not taken, sending again", "collection=%s error=%d",
			l->c->slug, -err);
		STAILQ_INSERT_TAIL(&l->queue, e, link);
		loop_timer_start(l->timer, RETRY_ERROR_MS);
		return;
	}
	if (!err)
		counter_add(l->written, 1);
	if (e->life == l->life)
		l->n_pending--;
	free(e);
}

/* The epoch is written now and not when the event was put: a record that waited while the owner
 * record was repeated would be void under the former one. */
static int send_one(struct event_log *l, struct entry *e)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(e->size + 64);
	struct record_headers h;
	char id[RECORD_ID_MAX];
	int r;
	struct bus_message m = { .key = str_of(l->c->key), .sent = on_sent, .ctx = e };

	buf_put(&b, e->json, e->size);
	buf_printf(&b, ",\"epoch\":%" PRId64 "}", l->epoch);
	if (b.failed)
		return -ENOBUFS;
	m.value = buf_str(&b);
	h.n = 0;
	snprintf(id, sizeof(id), "%s:%" PRId64 ".%" PRIu64, l->c->slug, l->epoch, e->n);
	r = record_headers_cloud_event(&h, str_of(id), STR("souk." TOPIC_MARKET_EVENTS), "bidding",
		l->instance, e->put_ms);
	if (r)
		return r;
	m.headers = h.v;
	m.n_headers = h.n;
	return owner_send(l->owner, &m);
}

static void flush(struct event_log *l)
{
	struct entry *e;

	while (l->owner && (e = STAILQ_FIRST(&l->queue))) {
		int r = send_one(l, e);

		if (r == -EPERM)
			return; /* lost; the owner says so itself */
		if (r) {
			loop_timer_start(l->timer, r == -ENOBUFS ? RETRY_FULL_MS : RETRY_ERROR_MS);
			return;
		}
		STAILQ_REMOVE_HEAD(&l->queue, link);
		STAILQ_INSERT_TAIL(&l->flying, e, link);
	}
}

static void on_timer(void *ctx)
{
	flush(ctx);
}

int event_log_new(struct event_log **ret, struct loop *loop, const struct collection *c,
	const char *instance, size_t max, struct metrics *m)
{
	struct event_log *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->loop = loop;
	l->c = c;
	l->instance = instance;
	l->max = max;
	STAILQ_INIT(&l->queue);
	STAILQ_INIT(&l->flying);
	l->written = metrics_counter(m, &WRITTEN, NULL);
	l->dropped = metrics_counter(m, &DROPPED, NULL);
	l->failed = metrics_counter(m, &FAILED, NULL);
	l->timer = loop_timer_new(loop, on_timer, l);
	if (!l->timer) {
		event_log_free(l);
		return -ENOMEM;
	}
	*ret = l;
	return 0;
}

static void entries_free(struct entries *q)
{
	while (!STAILQ_EMPTY(q)) {
		struct entry *e = STAILQ_FIRST(q);

		STAILQ_REMOVE_HEAD(q, link);
		free(e);
	}
}

struct event_log *event_log_free(struct event_log *l)
{
	if (!l)
		return NULL;
	entries_free(&l->queue);
	entries_free(&l->flying);
	loop_timer_free(l->timer);
	free(l);
	return NULL;
}

void event_log_open(struct event_log *l, struct owner *owner, int64_t epoch)
{
	l->owner = owner;
	l->epoch = epoch;
	flush(l);
}

void event_log_close(struct event_log *l)
{
	l->owner = NULL;
	l->life++;
	l->n_pending = 0;
	loop_timer_stop(l->timer);
	entries_free(&l->queue);
}

bool event_log_is_high(const struct event_log *l)
{
	return l->n_pending >= l->max - l->max / 4;
}

int event_log_put(struct event_log *l, struct str json)
{
	struct entry *e;

	if (!l->owner || l->n_pending >= l->max) {
		counter_add(l->dropped, 1);
		return -ENOBUFS;
	}
	e = malloc(sizeof(*e) + json.n);
	if (!e) {
		counter_add(l->dropped, 1);
		return -ENOBUFS;
	}
	e->size = json.n - 1;
	memcpy(e->json, json.p, e->size);
	e->log = l;
	e->life = l->life;
	e->n = ++l->n;
	e->put_ms = loop_now_ms(l->loop);
	l->n_pending++;
	STAILQ_INSERT_TAIL(&l->queue, e, link);
	if (STAILQ_FIRST(&l->queue) == e)
		flush(l);
	return 0;
}

size_t event_log_pending(const struct event_log *l)
{
	return l->n_pending;
}
