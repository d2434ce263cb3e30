/*
 * One state per topic and one for the connection; every way a connection can end comes to closed(),
 * and every way a topic can be lost to topic_lost().
 *
 * A topic's join_ref is the ref of its join, never used again: a frame with another join_ref
 * belongs to an earlier life of the topic and is dropped, as phoenix.js does. Frames without one
 * are broadcasts, or vsn 1.
 *
 * The back-off starts over only when a join was answered: a server that accepts connections and
 * drops them at once must not be hammered.
 */
#include "bidding/opensea/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bidding/opensea/frame.h"
#include "common/base/arena.h"
#include "common/base/config.h"
#include "common/base/log.h"
#include "common/io/backoff.h"
#include "common/model/decode.h"

#define GROUP              "opensea"
#define MESSAGE_MAX        (1 << 20)
#define QUEUE_MAX          (64 << 10)
#define ARENA_BYTES        (4 << 20)
#define CONNECT_TIMEOUT_MS 10000
#define KEY_MAX            4096
#define REF_MAX            24
#define TOPIC_MAX          160
#define RECONNECT_BASE_MS  100
#define RECONNECT_CAP_MS   5000
#define REFUSED_MS         30000 /* and up to as much again */
#define CLOSE_NORMAL       1000
#define UNANSWERED         "heartbeat unanswered"

enum topic_state {
	TOPIC_IDLE,    /* not wanted, or no connection */
	TOPIC_JOINING, /* the timer runs: the reply's */
	TOPIC_WAITING, /* the timer runs: until the next try */
	TOPIC_JOINED,  /* the timer runs if stalls are watched */
};

struct opensea_topic {
	struct opensea_topic *next;
	struct opensea_stream *stream;
	const struct opensea_topic_ops *ops;
	void *ctx;
	char name[TOPIC_MAX];
	enum topic_state state;
	bool is_wanted, was_joined;
	char join_ref[REF_MAX];
	unsigned n_tries;
	int64_t heard_ms;
	struct loop_timer *timer;
};

struct opensea_stream {
	struct loop *loop;
	struct ws_client *client;
	struct opensea_stream_config config;
	char *base_url, *key_file, *url;
	struct opensea_topic *topics;
	struct arena *arena;
	struct backoff backoff;
	bool is_started, is_open, is_connecting, is_stopped;
	uint64_t next_ref;
	char beat_ref[REF_MAX]; /* unanswered; "" = none */
	int64_t beat_sent_us, last_beat_us, last_frame_us;
	struct loop_timer *beat_timer, *reconnect_timer;
	struct gauge *connected;
	struct counter *connects, *reconnects, *refused, *old_frames, *rejoins;
	struct counter *bad[OPENSEA_N_REASONS];
	struct counter *frames[16];
};

static const char *const EVENTS[] = { "item_received_bid", "item_cancelled", "order_invalidate",
	"order_revalidate", "item_listed", "item_received_offer", "collection_offer", "trait_offer",
	"item_sold", "item_transferred", "item_metadata_updated", "phx_reply", "phx_error",
	"phx_close", "unknown" };
#define EVENT_UNKNOWN (ARRAY_LEN(EVENTS) - 1)

static const struct metric_def FRAMES = { "souk_bidding_frames_total", METRIC_COUNTER,
	"Frames of the stream by event.", "event" };
static const struct metric_def BAD = { "souk_bidding_bad_frames_total", METRIC_COUNTER,
	"Frames left out, by what was wrong.", "reason" };
static const struct metric_def CONNECTED = { "souk_bidding_stream_connected", METRIC_GAUGE,
	"1 while the stream's connection is open.", NULL };
static const struct metric_def CONNECTS = { "souk_bidding_stream_connects_total", METRIC_COUNTER,
	"Attempts to connect to the stream.", NULL };
static const struct metric_def RECONNECTS = { "souk_bidding_reconnects_total", METRIC_COUNTER,
	"Connections of the stream that were lost.", NULL };
static const struct metric_def REFUSED = { "souk_bidding_stream_refused_total", METRIC_COUNTER,
	"Connections refused for the key.", NULL };
static const struct metric_def OLD_FRAMES = { "souk_bidding_old_frames_total", METRIC_COUNTER,
	"Frames of an earlier join, dropped.", NULL };
static const struct metric_def REJOINS = { "souk_bidding_rejoins_total", METRIC_COUNTER,
	"Topics lost while the connection lived, and joins that failed.", NULL };

static void reconnect_later(struct opensea_stream *s, int64_t delay_ms);

/* ---- the key ---- */

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~", c));
}

/* The URL with the key in its query (RFC 3986 2.1); it never reaches a log. */
static int make_url(struct opensea_stream *s, struct fault *f)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(KEY_MAX * 4);
	char *key = NULL;
	size_t n = 0;
	int r = file_read(s->key_file, KEY_MAX, &key, &n, f);

	if (r)
		return r;
	while (n && strchr(" \t\r\n", key[n - 1]))
		n--;
	buf_printf(&b, "%s%ctoken=", s->base_url, strchr(s->base_url, '?') ? '&' : '?');
	for (size_t i = 0; i < n; i++) {
		if (is_unreserved(key[i]))
			buf_putc(&b, key[i]);
		else
			buf_printf(&b, "%%%02X", (unsigned)(unsigned char)key[i]);
	}
	buf_puts(&b, STR("&vsn=2.0.0"));
	buf_putc(&b, '\0');
	free(key);
	if (b.failed)
		return fault_set(f, FAULT_FATAL, -EFBIG, "%s: too long for a key", s->key_file);
	free(s->url);
	s->url = strdup(b.p);
	return s->url ? 0 : -ENOMEM;
}

/* ---- sending ---- */

static void take_ref(struct opensea_stream *s, char ret[REF_MAX])
{
	snprintf(ret, REF_MAX, "%" PRIu64, ++s->next_ref);
}

/* What cannot be sent is found out by what does not come back. */
static void send_frame(struct opensea_stream *s, const char *join_ref, const char *ref,
	const char *topic, const char *event)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1024);
	int r;

	opensea_frame_write(&b, join_ref, ref, topic, event);
	r = ws_client_send(s->client, buf_str(&b));
	if (r)
		log_warn(GROUP, "frame not sent", "event=%s error=%d", event, -r);
}

/* ---- topics ---- */

static const int64_t REJOIN_MS[] = { 1000, 2000, 5000, 10000 };

static void topic_join(struct opensea_topic *t)
{
	t->state = TOPIC_JOINING;
	take_ref(t->stream, t->join_ref);
	send_frame(t->stream, t->join_ref, t->join_ref, t->name, "phx_join");
	loop_timer_start(t->timer, t->stream->config.join_timeout_ms);
}

static void topic_leave(struct opensea_topic *t)
{
	char ref[REF_MAX];

	take_ref(t->stream, ref);
	send_frame(t->stream, t->join_ref, ref, t->name, "phx_leave");
}

static void topic_retry(struct opensea_topic *t)
{
	size_t i = t->n_tries < ARRAY_LEN(REJOIN_MS) ? t->n_tries : ARRAY_LEN(REJOIN_MS) - 1;

	t->n_tries++;
	t->state = TOPIC_WAITING;
	t->join_ref[0] = '\0';
	counter_add(t->stream->rejoins, 1);
	loop_timer_start(t->timer, REJOIN_MS[i]);
}

static void topic_idle(struct opensea_topic *t)
{
	t->state = TOPIC_IDLE;
	t->join_ref[0] = '\0';
	loop_timer_stop(t->timer);
}

static void on_topic_timer(void *ctx)
{
	struct opensea_topic *t = ctx;

	switch (t->state) {
	case TOPIC_WAITING:
		topic_join(t);
		break;
	case TOPIC_JOINING:
		log_warn(GROUP, "join unanswered, leaving and trying again", "topic=%s", t->name);
		topic_leave(t);
		topic_retry(t);
		break;
	case TOPIC_JOINED:
		log_warn(GROUP, "no event for too long, joining again",
			"topic=%s stall_ms=%" PRId64, t->name, t->stream->config.stall_ms);
		topic_leave(t);
		topic_retry(t);
		break;
	case TOPIC_IDLE:
		break;
	}
}

static void topic_watch(struct opensea_topic *t)
{
	if (t->stream->config.stall_ms > 0)
		loop_timer_start(t->timer, t->stream->config.stall_ms);
	else
		loop_timer_stop(t->timer);
}

static void topic_joined(struct opensea_topic *t)
{
	bool again = t->was_joined;

	t->state = TOPIC_JOINED;
	t->was_joined = true;
	t->n_tries = 0;
	t->heard_ms = loop_now_ms(t->stream->loop);
	backoff_reset(&t->stream->backoff);
	topic_watch(t);
	log_info(GROUP, "joined", "topic=%s again=%d", t->name, again);
	t->ops->joined(t->ctx, again);
}

/* ---- frames ---- */

struct reply {
	struct str status, reason;
};

static bool is_ok(struct opensea_stream *s, struct str payload, struct reply *ret)
{
	static const struct field fields[] = {
		{ "status", FIELD_STR, 0, offsetof(struct reply, status), 32, NULL },
		{ "response.reason", FIELD_STR, 0, offsetof(struct reply, reason), 256, NULL },
	};
	static const struct record_type type = {
		.name = "reply", .fields = fields, .n_fields = 2, .size = sizeof(struct reply)
	};

	(void)!decode(&type, ret, payload, s->arena, NULL);
	return str_eqz(ret->status, "ok");
}

static void on_join_reply(struct opensea_topic *t, struct str payload)
{
	struct reply reply;

	if (is_ok(t->stream, payload, &reply)) {
		topic_joined(t);
		return;
	}
	log_warn(GROUP, "join refused, trying again", "topic=%s reason=%s", t->name,
		log_quote(reply.reason));
	topic_retry(t);
}

static void on_reply(struct opensea_stream *s, const struct opensea_frame *f)
{
	struct opensea_topic *t;

	if (!str_is_set(f->ref))
		return;
	if (s->beat_ref[0] && str_eqz(f->ref, s->beat_ref)) {
		s->beat_ref[0] = '\0';
		for (t = s->topics; t; t = t->next) {
			if (t->state == TOPIC_JOINED)
				t->heard_ms = loop_now_ms(s->loop);
		}
		return;
	}
	for (t = s->topics; t; t = t->next) {
		if (t->state == TOPIC_JOINING && str_eqz(f->ref, t->join_ref) &&
			str_eqz(f->topic, t->name)) {
			on_join_reply(t, f->payload);
			return;
		}
	}
}

/* phx_error: the channel crashed; phx_close: the server, or our own leave of an earlier join, ended
 * it. */
static void on_lost(struct opensea_topic *t, struct str event)
{
	if (t->state != TOPIC_JOINING && t->state != TOPIC_JOINED)
		return;
	log_warn(GROUP, "topic lost, joining again", "topic=%s event=" STR_FMT, t->name,
		STR_ARG(event));
	topic_retry(t);
}

static void on_topic_frame(struct opensea_topic *t, const struct opensea_frame *f)
{
	if (str_is_set(f->join_ref) && !str_eqz(f->join_ref, t->join_ref)) {
		counter_add(t->stream->old_frames, 1);
		return;
	}
	if (str_eqz(f->event, "phx_error") || str_eqz(f->event, "phx_close")) {
		on_lost(t, f->event);
		return;
	}
	/* A push can overtake the reply to the join only with our join_ref on it. */
	if (t->state != TOPIC_JOINED && !(t->state == TOPIC_JOINING && str_is_set(f->join_ref)))
		return;
	t->heard_ms = loop_now_ms(t->stream->loop);
	if (t->state == TOPIC_JOINED)
		topic_watch(t);
	t->ops->event(t->ctx, f->event, f->payload, t->stream->arena);
}

static void count_frame(struct opensea_stream *s, struct str event)
{
	size_t i = 0;

	while (i < EVENT_UNKNOWN && !str_eqz(event, EVENTS[i]))
		i++;
	counter_add(s->frames[i], 1);
}

void opensea_stream_count_bad(struct opensea_stream *s, enum opensea_reason reason)
{
	counter_add(s->bad[reason], 1);
}

static void on_frame_error(struct opensea_stream *s, int error, size_t n, const struct fault *f)
{
	static const enum opensea_reason REASONS[] = { [OPENSEA_FRAME_E_JSON] = OPENSEA_BAD_JSON,
		[OPENSEA_FRAME_E_SHAPE] = OPENSEA_BAD_FRAME,
		[OPENSEA_FRAME_E_SIZE] = OPENSEA_BAD_SIZE };

	opensea_stream_count_bad(s, REASONS[error]);
	log_warn(GROUP, "bad frame, skipping", "bytes=%zu why=%s", n, log_quote(str_of(f->text)));
}

static void on_text(void *ctx, struct str message)
{
	struct opensea_stream *s = ctx;
	struct opensea_frame f;
	struct fault fault = { 0 };
	int r;

	arena_reset(s->arena);
	s->last_frame_us = loop_mono_us(s->loop);
	r = opensea_frame_parse(&f, message, s->arena, &fault);
	if (r) {
		on_frame_error(s, r, message.n, &fault);
		return;
	}
	count_frame(s, f.event);
	if (str_eqz(f.event, "phx_reply")) {
		on_reply(s, &f);
		return;
	}
	for (struct opensea_topic *t = s->topics; t; t = t->next) {
		if (str_eqz(f.topic, t->name)) {
			on_topic_frame(t, &f);
			return;
		}
	}
}

/* ---- the connection ---- */

static int64_t shorter(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void send_beat(struct opensea_stream *s)
{
	take_ref(s, s->beat_ref);
	s->beat_sent_us = s->last_beat_us = loop_mono_us(s->loop);
	send_frame(s, NULL, s->beat_ref, "phoenix", "heartbeat");
}

/* Ticks more often than it beats: a beat is due after heartbeat_ms, or when nothing was heard for
 * quiet_ms. */
static void on_beat_timer(void *ctx)
{
	struct opensea_stream *s = ctx;
	int64_t now = loop_mono_us(s->loop);

	if (s->beat_ref[0]) {
		if (now - s->beat_sent_us < s->config.heartbeat_ms * 1000)
			return;
		log_warn(GROUP, UNANSWERED ", closing", "heartbeat_ms=%" PRId64,
			s->config.heartbeat_ms);
		loop_timer_stop(s->beat_timer);
		s->beat_ref[0] = '\0';
		ws_client_close(s->client, CLOSE_NORMAL);
		return;
	}
	if (now - s->last_beat_us >= s->config.heartbeat_ms * 1000 ||
		now - s->last_frame_us >= s->config.quiet_ms * 1000)
		send_beat(s);
}

static void on_opened(void *ctx)
{
	struct opensea_stream *s = ctx;

	s->is_open = true;
	s->is_connecting = false;
	s->connected->value = 1;
	s->last_beat_us = s->last_frame_us = loop_mono_us(s->loop);
	s->beat_ref[0] = '\0';
	loop_timer_repeat(s->beat_timer, shorter(s->config.heartbeat_ms, s->config.quiet_ms));
	log_info(GROUP, "connected", "url=%s", s->base_url);
	for (struct opensea_topic *t = s->topics; t; t = t->next) {
		t->n_tries = 0;
		if (t->is_wanted)
			topic_join(t);
	}
}

static bool is_key_refused(int http_status)
{
	return http_status == 401 || http_status == 403;
}

static void on_closed(void *ctx, int code, int http_status, const char *why)
{
	struct opensea_stream *s = ctx;
	int64_t delay_ms = backoff_next_ms(&s->backoff);

	if (s->is_open)
		counter_add(s->reconnects, 1);
	s->is_open = s->is_connecting = false;
	s->connected->value = 0;
	loop_timer_stop(s->beat_timer);
	for (struct opensea_topic *t = s->topics; t; t = t->next)
		topic_idle(t);
	if (s->is_stopped)
		return;
	if (is_key_refused(http_status)) {
		struct backoff slow = BACKOFF_INIT(REFUSED_MS, REFUSED_MS, s->backoff.state);

		delay_ms = REFUSED_MS + backoff_next_ms(&slow);
		counter_add(s->refused, 1);
		log_error(GROUP, "the API key is refused, trying again slowly",
			"status=%d key_file=%s retry_ms=%" PRId64, http_status, s->key_file,
			delay_ms);
	} else {
		log_warn(GROUP, "disconnected, coming back",
			"code=%d status=%d why=%s retry_ms=%" PRId64, code, http_status,
			log_quote(str_of(why)), delay_ms);
	}
	reconnect_later(s, delay_ms);
}

static void on_reconnect(void *ctx)
{
	struct opensea_stream *s = ctx;
	struct fault f = { 0 };
	int r = make_url(s, &f);

	if (r)
		log_error(GROUP, "key not readable, using the last one", "why=%s",
			log_quote(str_of(f.text)));
	counter_add(s->connects, 1);
	s->is_connecting = true;
	r = ws_client_connect(s->client,
		&(struct ws_client_config){ .url = s->url,
			.message_max = MESSAGE_MAX,
			.queue_max = QUEUE_MAX,
			.connect_timeout_ms = CONNECT_TIMEOUT_MS },
		&f);
	if (!r)
		return;
	s->is_connecting = false;
	log_error(GROUP, "cannot connect, trying again", "error=%d", -r);
	reconnect_later(s, RECONNECT_CAP_MS);
}

static void reconnect_later(struct opensea_stream *s, int64_t delay_ms)
{
	loop_timer_start(s->reconnect_timer, delay_ms);
}

static const struct ws_client_ops CLIENT_OPS = {
	.opened = on_opened,
	.text = on_text,
	.closed = on_closed,
};

/* ---- life ---- */

static void make_metrics(struct opensea_stream *s, struct metrics *m)
{
	s->connected = metrics_gauge(m, &CONNECTED, NULL);
	s->connects = metrics_counter(m, &CONNECTS, NULL);
	s->reconnects = metrics_counter(m, &RECONNECTS, NULL);
	s->refused = metrics_counter(m, &REFUSED, NULL);
	s->old_frames = metrics_counter(m, &OLD_FRAMES, NULL);
	s->rejoins = metrics_counter(m, &REJOINS, NULL);
	for (size_t i = 0; i < ARRAY_LEN(EVENTS); i++)
		s->frames[i] = metrics_counter(m, &FRAMES, EVENTS[i]);
	for (size_t i = 0; i < OPENSEA_N_REASONS; i++)
		s->bad[i] = metrics_counter(m, &BAD, opensea_reason_names[i]);
}

int opensea_stream_new(struct opensea_stream **ret, struct loop *loop,
	const struct ws_client_factory *factory, const struct opensea_stream_config *config,
	struct metrics *m, struct fault *f)
{
	CLEANUP(opensea_stream_free) struct opensea_stream *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->config = *config;
	s->backoff = BACKOFF_INIT(RECONNECT_BASE_MS, RECONNECT_CAP_MS, config->seed);
	make_metrics(s, m);
	s->base_url = strdup(config->url);
	s->key_file = strdup(config->key_file);
	s->beat_timer = loop_timer_new(loop, on_beat_timer, s);
	s->reconnect_timer = loop_timer_new(loop, on_reconnect, s);
	if (!s->base_url || !s->key_file || !s->beat_timer || !s->reconnect_timer)
		return -ENOMEM;
	r = arena_new(&s->arena, ARENA_BYTES);
	if (!r)
		r = make_url(s, f);
	if (!r)
		r = factory->make(factory->ctx, &s->client, &CLIENT_OPS, s);
	if (r)
		return r;
	*ret = TAKE(s);
	return 0;
}

struct opensea_stream *opensea_stream_free(struct opensea_stream *s)
{
	if (!s)
		return NULL;
	ws_client_free(s->client);
	while (s->topics) {
		struct opensea_topic *t = s->topics;

		s->topics = t->next;
		loop_timer_free(t->timer);
		free(t);
	}
	loop_timer_free(s->beat_timer);
	loop_timer_free(s->reconnect_timer);
	arena_free(s->arena);
	free(s->base_url);
	free(s->key_file);
	free(s->url);
	free(s);
	return NULL;
}

struct opensea_topic *opensea_stream_topic(
	struct opensea_stream *s, const char *slug, const struct opensea_topic_ops *ops, void *ctx)
{
	struct opensea_topic *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->stream = s;
	t->ops = ops;
	t->ctx = ctx;
	snprintf(t->name, sizeof(t->name), "collection:%s", slug);
	t->timer = loop_timer_new(s->loop, on_topic_timer, t);
	if (!t->timer) {
		free(t);
		return NULL;
	}
	t->next = s->topics;
	s->topics = t;
	return t;
}

void opensea_topic_want(struct opensea_topic *t, bool is_wanted)
{
	struct opensea_stream *s = t->stream;

	if (t->is_wanted == is_wanted || s->is_stopped)
		return;
	t->is_wanted = is_wanted;
	if (!is_wanted) {
		if (s->is_open && (t->state == TOPIC_JOINING || t->state == TOPIC_JOINED))
			topic_leave(t);
		topic_idle(t);
		return;
	}
	t->n_tries = 0;
	if (s->is_open) {
		topic_join(t);
	} else if (!s->is_started) {
		s->is_started = true;
		reconnect_later(s, 0);
	}
}

bool opensea_topic_is_joined(const struct opensea_topic *t)
{
	return t->state == TOPIC_JOINED;
}

int64_t opensea_topic_heard_ms(const struct opensea_topic *t)
{
	return t->heard_ms;
}

void opensea_stream_stop(struct opensea_stream *s)
{
	s->is_stopped = true;
	loop_timer_stop(s->reconnect_timer);
	loop_timer_stop(s->beat_timer);
	for (struct opensea_topic *t = s->topics; t; t = t->next)
		topic_idle(t);
	if (s->is_open || s->is_connecting)
		ws_client_close(s->client, CLOSE_NORMAL);
	s->is_open = s->is_connecting = false;
}
