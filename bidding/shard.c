/*
 * The book is ahead of the log by what is in flight: an event is applied, then written. If the
 * process dies between the two, its successor reads a log without it, which is one more reason for
 * the gap that every restart flags.
 *
 * Two processes with the same collection would take it from each other for ever; the second and
 * later claims therefore wait, ever longer, and each is logged.
 */
#include "bidding/shard.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "bidding/book.h"
#include "bidding/event_log.h"
#include "bidding/mirror.h"
#include "bidding/opensea/decode.h"
#include "bidding/replay.h"
#include "bidding/rows.h"
#include "common/base/log.h"
#include "common/io/backoff.h"
#include "common/io/owner.h"
#include "common/model/offer.h"
#include "common/model/topics.h"

#define GROUP           "shard"
#define OWNER_REPEAT_MS 86400000
#define RECLAIM_BASE_MS 2000
#define RECLAIM_CAP_MS  60000
#define REPLAY_RETRY_MS 1000
#define DUE_CHECK_MS    1000 /* the wall clock may step */
#define EVENT_BYTES_MAX 8192
#define ARENA_BYTES     4096
#define FEED_BYTES_MAX  512

enum state { SHARD_CLAIMING, SHARD_REPLAYING, SHARD_SPEAKING, SHARD_DRAINING };

struct shard {
	struct shard_env env;
	struct collection c;
	enum state state;
	struct owner *owner;
	struct event_log *log;
	struct rows *rows;
	struct mirror *mirror;
	struct book *book;
	struct replay *replay;
	struct opensea_topic *topic;
	struct loop_timer *timer; /* to claim again, to read again */
	struct loop_timer *due;   /* the book's clock */
	struct backoff reclaim;
	int64_t spoke_ms; /* monotonic: since when we speak */
	struct arena *arena;
	struct gauge *orders, *items, *gaps, *age;
	struct counter *verdicts[BOOK_N_VERDICTS];
	struct counter *lost;
	size_t counted_orders, counted_items, counted_gaps;
};

static const struct metric_def ORDERS = { "souk_bidding_orders", METRIC_GAUGE,
	"Open orders in the books.", NULL };
static const struct metric_def ITEMS = { "souk_bidding_items", METRIC_GAUGE, "Items in the books.",
	NULL };
static const struct metric_def GAPS = { "souk_bidding_gap_items", METRIC_GAUGE,
	"Items of which something may have been missed.", NULL };
static const struct metric_def AGE = { "souk_bidding_feed_age_seconds", METRIC_GAUGE,
	"Seconds since a collection was last heard of, at its last heartbeat.", "collection" };
static const struct metric_def VERDICTS = { "souk_bidding_book_events_total", METRIC_COUNTER,
	"Events by what the book said of them.", "verdict" };
static const struct metric_def LOST = { "souk_bidding_owner_lost_total", METRIC_COUNTER,
	"Times another process took a collection.", NULL };

/* Gauges are sums over the collections. */
static void move_gauge(struct gauge *g, size_t *counted, size_t n)
{
	g->value += (int64_t)n - (int64_t)*counted;
	*counted = n;
}

static void update_gauges(struct shard *s)
{
	move_gauge(s->orders, &s->counted_orders, s->book ? book_n_orders(s->book) : 0);
	move_gauge(s->items, &s->counted_items, s->book ? book_n_items(s->book) : 0);
	move_gauge(s->gaps, &s->counted_gaps, s->book ? book_n_gap(s->book) : 0);
}

/* ---- the book's clock ---- */

static void arm_due(struct shard *s)
{
	int64_t due = s->book ? book_next_due_ms(s->book) : INT64_MAX;
	int64_t wait = due - loop_now_ms(s->env.loop);

	if (due == INT64_MAX) {
		loop_timer_stop(s->due);
		return;
	}
	loop_timer_start(s->due, wait < 0 ? 0 : wait > DUE_CHECK_MS ? DUE_CHECK_MS : wait);
}

static void on_due(void *ctx)
{
	struct shard *s = ctx;

	book_advance(s->book, loop_now_ms(s->env.loop));
	update_gauges(s);
	arm_due(s);
}

static void on_touched(void *ctx, struct book_item *item)
{
	rows_touch(((struct shard *)ctx)->rows, item);
}

/* ---- events ---- */

static bool is_new_order(int type)
{
	return type == MARKET_LISTED || type == MARKET_BID || type == MARKET_COLLECTION_OFFER ||
	       type == MARKET_TRAIT_OFFER;
}

static void write_event(struct shard *s, const struct market_event *e)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(EVENT_BYTES_MAX);
	struct json_out j = JSON_OUT(&b);

	market_event_json(&j, e);
	if (b.failed || event_log_put(s->log, buf_str(&b))) {
		log_error(GROUP, "event is in no log", "collection=%s order=" STR_FMT, s->c.slug,
			STR_ARG(e->order));
		book_mark_gap(s->book);
	}
}

static void apply(struct shard *s, const struct market_event *e)
{
	enum book_verdict v = BOOK_FULL;

	if (!is_new_order(e->type) || !event_log_is_high(s->log))
		v = book_apply(s->book, e, loop_now_ms(s->env.loop));
	counter_add(s->verdicts[v], 1);
	if (v == BOOK_ACCEPTED)
		write_event(s, e);
	else if (v == BOOK_FULL)
		log_warn(GROUP, "order refused, full", "collection=%s orders=%zu items=%zu",
			s->c.slug, book_n_orders(s->book), book_n_items(s->book));
	update_gauges(s);
	arm_due(s);
}

static void on_event(void *ctx, struct str event, struct str message, struct arena *a)
{
	struct shard *s = ctx;
	struct market_event e;
	enum opensea_reason reason = OPENSEA_BAD_JSON;
	int r;

	if (s->state != SHARD_SPEAKING)
		return;
	r = opensea_decode(&e, &s->c, message, loop_now_ms(s->env.loop), a, &reason);
	if (r == OPENSEA_E_UNKNOWN)
		return;
	if (r) {
		opensea_stream_count_bad(s->env.stream, reason);
		log_warn(GROUP, "bad message, skipping", "collection=%s event=%s what=%s",
			s->c.slug, log_quote(event), opensea_reason_names[reason]);
		return;
	}
	apply(s, &e);
}

static void on_joined(void *ctx, bool again)
{
	struct shard *s = ctx;

	if (again && s->state == SHARD_SPEAKING)
		book_mark_gap(s->book);
	update_gauges(s);
	shard_beat(s);
}

static const struct opensea_topic_ops TOPIC_OPS = { .joined = on_joined, .event = on_event };

/* ---- from owning to speaking ---- */

static void speak(struct shard *s)
{
	s->state = SHARD_SPEAKING;
	s->spoke_ms = loop_mono_ms(s->env.loop);
	event_log_open(s->log, s->owner, owner_epoch(s->owner));
	rows_open(s->rows, s->book, owner_epoch(s->owner));
	book_each(s->book, on_touched, s);
	book_mark_gap(s->book);
	mirror_open(s->mirror);
	update_gauges(s);
	arm_due(s);
	opensea_topic_want(s->topic, true);
}

static void on_replayed(void *ctx, const struct replay_result *result)
{
	struct shard *s = ctx;

	log_info(GROUP, "read back",
		"collection=%s events=%" PRIu64 " void=%" PRIu64 " bad=%" PRIu64
		" orders=%zu items=%zu",
		s->c.slug, result->n_events, result->n_void, result->n_bad, book_n_orders(s->book),
		book_n_items(s->book));
	s->replay = replay_free(s->replay);
	speak(s);
}

static void book_drop(struct shard *s)
{
	s->replay = replay_free(s->replay);
	rows_close(s->rows);
	s->book = book_free(s->book);
	loop_timer_stop(s->due);
	update_gauges(s);
}

static int start_replay(struct shard *s)
{
	const struct bidding_config *c = s->env.config;
	struct book_config config = { .currency = s->c.currency,
		.is_unique = str_eqz(str_of(s->c.standard), "erc721"),
		.max_orders = (size_t)c->max_orders,
		.max_items = (size_t)c->max_items,
		.max_ended = (size_t)c->max_ended,
		.seed = s->env.seed };
	int32_t n = bus_partitions(s->env.bus, TOPIC_MARKET_EVENTS);
	int r = book_new(&s->book, &config, on_touched, s);

	if (r || n <= 0)
		return r ? r : -EAGAIN;
	return replay_start(&s->replay, s->env.loop, s->env.bus, &s->c, s->book,
		bus_partition_of(str_of(s->c.key), n), owner_epoch(s->owner), s->env.metrics,
		on_replayed, s);
}

static void replay_or_retry(struct shard *s)
{
	int r = start_replay(s);

	if (!r)
		return;
	log_warn(GROUP, "cannot read back, trying again", "collection=%s error=%d", s->c.slug, -r);
	book_drop(s);
	loop_timer_start(s->timer, REPLAY_RETRY_MS);
}

static void on_acquired(void *ctx, int64_t epoch)
{
	struct shard *s = ctx;

	log_info(GROUP, "acquired", "collection=%s epoch=%" PRId64, s->c.slug, epoch);
	if (s->book && s->state != SHARD_REPLAYING) { /* repeated */
		event_log_open(s->log, s->owner, epoch);
		rows_open(s->rows, s->book, epoch);
	} else if (s->state == SHARD_CLAIMING) {
		s->state = SHARD_REPLAYING;
		replay_or_retry(s);
	}
}

static void on_lost(void *ctx)
{
	struct shard *s = ctx;
	int64_t delay_ms;

	if (s->state == SHARD_SPEAKING && loop_mono_ms(s->env.loop) - s->spoke_ms > RECLAIM_CAP_MS)
		backoff_reset(&s->reclaim);
	delay_ms = RECLAIM_BASE_MS / 2 + backoff_next_ms(&s->reclaim);
	counter_add(s->lost, 1);
	opensea_topic_want(s->topic, false);
	event_log_close(s->log);
	mirror_close(s->mirror);
	book_drop(s);
	if (s->state == SHARD_DRAINING)
		return;
	log_warn(GROUP, "another process speaks for this collection, claiming it again later",
		"collection=%s retry_ms=%" PRId64, s->c.slug, delay_ms);
	s->state = SHARD_CLAIMING;
	loop_timer_start(s->timer, delay_ms);
}

static void on_timer(void *ctx)
{
	struct shard *s = ctx;

	if (s->state == SHARD_CLAIMING)
		owner_claim(s->owner);
	else if (s->state == SHARD_REPLAYING && !s->replay)
		replay_or_retry(s);
}

static struct str on_owner_of(void *ctx, const struct bus_record *record)
{
	struct shard *s = ctx;

	arena_reset(s->arena);
	return replay_owner_of(&s->c, record, s->arena);
}

static void on_write(void *ctx, struct buf *out)
{
	struct shard *s = ctx;
	struct json_out j = JSON_OUT(out);
	int32_t n = bus_partitions(s->env.bus, TOPIC_MARKET_EVENTS);

	owner_record_json(&j,
		&(struct owner_record){ .shard = n > 0 ? bus_partition_of(str_of(s->c.key), n) : 0,
			.instance = str_of(s->env.instance),
			.ts = loop_now_ms(s->env.loop) });
}

static const struct owner_ops OWNER_OPS = {
	.acquired = on_acquired,
	.lost = on_lost,
	.owner_of = on_owner_of,
	.write = on_write,
};

/* ---- feed ---- */

static int64_t lag_ms(const struct shard *s)
{
	int64_t since = rows_waiting_since_ms(s->rows);

	return since ? loop_mono_ms(s->env.loop) - since : 0;
}

static void send_feed(struct shard *s, int64_t alive_at, bool has_gap)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(FEED_BYTES_MAX);
	struct json_out j = JSON_OUT(&b);
	char key[sizeof("feed:") + COLLECTION_SLUG_MAX] = "feed:";

	strcat(key, s->c.slug);
	feed_record_json(&j, &(struct feed_record){ .collection = str_of(s->c.slug),
				     .alive_at = alive_at,
				     .gap = has_gap ? TRI_TRUE : TRI_FALSE });
	/* One that is not sent is made up for by the next. */
	if (!b.failed)
		(void)bus_send(s->env.bus, &(struct bus_message){ .topic = TOPIC_BESTBID,
						   .partition = BUS_BY_KEY,
						   .key = str_of(key),
						   .value = buf_str(&b) });
}

void shard_beat(struct shard *s)
{
	int64_t alive_at = opensea_topic_heard_ms(s->topic);
	bool has_gap;

	if (s->state != SHARD_SPEAKING)
		return;
	has_gap = book_n_gap(s->book) > 0;
	s->age->value = alive_at ? (loop_now_ms(s->env.loop) - alive_at) / 1000 : -1;
	mirror_beat(s->mirror, alive_at, lag_ms(s), has_gap);
	if (alive_at)
		send_feed(s, alive_at, has_gap);
}

static void on_row(void *ctx, const struct rows_done *row)
{
	mirror_row(((struct shard *)ctx)->mirror, row);
}

static void on_loaded(void *ctx)
{
	shard_beat(ctx);
}

/* ---- life ---- */

static void make_metrics(struct shard *s)
{
	struct metrics *m = s->env.metrics;

	s->orders = metrics_gauge(m, &ORDERS, NULL);
	s->items = metrics_gauge(m, &ITEMS, NULL);
	s->gaps = metrics_gauge(m, &GAPS, NULL);
	s->age = metrics_gauge(m, &AGE, s->c.slug);
	s->lost = metrics_counter(m, &LOST, NULL);
	for (size_t i = 0; i < BOOK_N_VERDICTS; i++)
		s->verdicts[i] = metrics_counter(m, &VERDICTS, book_verdict_names[i]);
}

static int make_outputs(struct shard *s)
{
	const struct shard_env *e = &s->env;
	int r = event_log_new(&s->log, e->loop, &s->c, e->instance,
		(size_t)e->config->events_in_flight, e->metrics);

	if (!r)
		r = rows_new(&s->rows, &(struct rows_env){ .loop = e->loop,
					       .bus = e->bus,
					       .metrics = e->metrics,
					       .collection = &s->c,
					       .instance = e->instance,
					       .publish_ms = e->config->publish_ms,
					       .in_flight_max = (size_t)e->config->rows_in_flight,
					       .done = on_row,
					       .ctx = s });
	if (!r)
		r = mirror_new(&s->mirror, &(struct mirror_env){ .loop = e->loop,
						   .cache = e->cache,
						   .metrics = e->metrics,
						   .collection = &s->c,
						   .run = e->instance,
						   .n_shards = e->n_shards,
						   .rows = s->rows,
						   .loaded = on_loaded,
						   .ctx = s });
	return r;
}

static int make_owner(struct shard *s)
{
	return owner_new(&s->owner, s->env.loop, s->env.bus,
		&(struct owner_config){ .topic = TOPIC_MARKET_EVENTS,
			.partition = BUS_BY_KEY,
			.key = str_of(s->c.key),
			.instance = str_of(s->env.instance),
			.repeat_ms = OWNER_REPEAT_MS },
		&OWNER_OPS, s);
}

int shard_new(struct shard **ret, const struct shard_env *env, const struct collection *c)
{
	struct shard *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->env = *env;
	s->c = *c;
	s->reclaim = BACKOFF_INIT(RECLAIM_BASE_MS, RECLAIM_CAP_MS, env->seed);
	make_metrics(s);
	s->timer = loop_timer_new(env->loop, on_timer, s);
	s->due = loop_timer_new(env->loop, on_due, s);
	s->topic = opensea_stream_topic(env->stream, s->c.slug, &TOPIC_OPS, s);
	r = s->timer && s->due && s->topic ? arena_new(&s->arena, ARENA_BYTES) : -ENOMEM;
	if (!r)
		r = make_outputs(s);
	if (!r)
		r = make_owner(s);
	if (r) {
		shard_free(s);
		return r;
	}
	owner_claim(s->owner);
	*ret = s;
	return 0;
}

struct shard *shard_free(struct shard *s)
{
	if (!s)
		return NULL;
	if (s->topic)
		opensea_topic_want(s->topic, false);
	owner_free(s->owner);
	event_log_free(s->log);
	mirror_free(s->mirror);
	replay_free(s->replay);
	rows_free(s->rows);
	book_free(s->book);
	loop_timer_free(s->timer);
	loop_timer_free(s->due);
	arena_free(s->arena);
	free(s);
	return NULL;
}

void shard_drain(struct shard *s)
{
	opensea_topic_want(s->topic, false);
	loop_timer_stop(s->timer);
	if (s->state != SHARD_SPEAKING)
		book_drop(s);
	s->state = SHARD_DRAINING;
}

bool shard_is_drained(const struct shard *s)
{
	return event_log_pending(s->log) == 0 && rows_is_idle(s->rows) && mirror_is_idle(s->mirror);
}

bool shard_is_ready(const struct shard *s, struct buf *why)
{
	static const char *const WAITS[] = { [SHARD_CLAIMING] = "its owner record is not written",
		[SHARD_REPLAYING] = "market.events.v1 is being read back",
		[SHARD_SPEAKING] = NULL,
		[SHARD_DRAINING] = "stopping" };
	const char *waits = WAITS[s->state];

	if (!waits && !mirror_is_loaded(s->mirror))
		waits = "its rows are not in Redis";
	if (!waits && !opensea_topic_is_joined(s->topic))
		waits = "not joined on the stream";
	if (waits)
		buf_printf(why, "collection %s: %s\n", s->c.slug, waits);
	return !waits;
}
