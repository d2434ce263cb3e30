/*
 * Frames are arrays [join_ref, ref, topic, event, payload]. Refs are the client's own texts and are
 * echoed as they came. What is received is small and rare (joins, heartbeats), so Jansson reads it;
 * what is sent is written once and copied per connection.
 */
#include "souk/demo/standin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "common/base/buf.h"
#include "common/base/json_out.h"

#define SILENCE_MAX_MS 60000
#define REF_MAX        32
#define TOPIC_MAX      128

struct topic {
	char name[TOPIC_MAX];
	char join_ref[REF_MAX];
};

struct peer {
	struct standin *standin;
	struct ws_conn *conn;
	struct loop_timer *silence;
	struct topic topics[STANDIN_TOPICS_MAX];
	size_t n_topics;
	struct buf backlog; /* frames, each ended by a NUL */
	bool used;
};

struct standin {
	struct loop *loop;
	const char *token;
	void (*joined)(void *ctx, struct str slug);
	void *ctx;
	struct peer peers[STANDIN_CONNS_MAX];
};

int standin_new(struct standin **ret, struct loop *loop, const char *token,
	void (*joined)(void *ctx, struct str slug), void *ctx)
{
	struct standin *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*s = (struct standin){ .loop = loop, .token = token, .joined = joined, .ctx = ctx };
	*ret = s;
	return 0;
}

struct standin *standin_free(struct standin *s)
{
	for (size_t i = 0; s && i < STANDIN_CONNS_MAX; i++) {
		loop_timer_free(s->peers[i].silence);
		buf_fini(&s->peers[i].backlog);
	}
	free(s);
	return NULL;
}

/* Value of @name in a query string, undecoded. */
static struct str query_value(struct str query, const char *name)
{
	const size_t name_n = strlen(name);

	while (query.n) {
		const char *amp = memchr(query.p, '&', query.n);
		size_t n = amp ? (size_t)(amp - query.p) : query.n;

		if (n > name_n && query.p[name_n] == '=' && memcmp(query.p, name, name_n) == 0)
			return (struct str){ query.p + name_n + 1, n - name_n - 1 };
		n += amp ? 1 : 0;
		query.p += n;
		query.n -= n;
	}
	return STR_NONE;
}

int standin_admit(void *ctx, const struct ws_conn_info *info)
{
	const struct standin *s = ctx;

	if (s->token && !str_eqz(query_value(info->query, "token"), s->token))
		return 403;
	return str_eq(query_value(info->query, "vsn"), STR("2.0.0")) ? 0 : 403;
}

static void peer_flush(struct peer *p)
{
	size_t sent = 0;

	while (sent < p->backlog.n) {
		struct str frame = str_of(p->backlog.p + sent);

		if (ws_conn_write(p->conn, frame))
			break;
		sent += frame.n + 1;
	}
	if (sent == p->backlog.n) {
		buf_clear(&p->backlog);
	} else if (sent) {
		memmove(p->backlog.p, p->backlog.p + sent, p->backlog.n - sent);
		p->backlog.n -= sent;
	}
}

static void peer_write(struct peer *p, struct str frame)
{
	if (p->backlog.n == 0 && ws_conn_write(p->conn, frame) != -EAGAIN)
		return;
	buf_puts(&p->backlog, frame);
	buf_putc(&p->backlog, '\0');
	if (p->backlog.failed)
		ws_conn_close(p->conn, 1011, STR("too slow"));
}

static void write_frame(struct buf *b, const char *join_ref, const char *ref, const char *topic,
	const char *event, struct str payload)
{
	struct json_out j = JSON_OUT(b);

	json_begin_array(&j, NULL);
	join_ref ? json_strz(&j, NULL, join_ref) : json_out_null(&j, NULL);
	ref ? json_strz(&j, NULL, ref) : json_out_null(&j, NULL);
	json_strz(&j, NULL, topic);
	json_strz(&j, NULL, event);
	json_raw(&j, NULL, payload);
	json_end_array(&j);
}

static void reply(struct peer *p, const char *join_ref, const char *ref, const char *topic,
	const char *event, struct str payload)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);

	write_frame(&b, join_ref, ref, topic, event, payload);
	if (!b.failed)
		peer_write(p, buf_str(&b));
}

#define REPLY_OK      STR("{\"status\":\"ok\",\"response\":{}}")
#define REPLY_UNKNOWN STR("{\"status\":\"error\",\"response\":{\"reason\":\"unmatched topic\"}}")
#define REPLY_TOO_MANY \
	STR("{\"status\":\"error\",\"response\":{\"reason\":\"too many channels joined\"}}")

static struct topic *topic_find(struct peer *p, const char *name)
{
	for (size_t i = 0; i < p->n_topics; i++)
		if (strcmp(p->topics[i].name, name) == 0)
			return &p->topics[i];
	return NULL;
}

static void join(struct peer *p, const char *join_ref, const char *ref, const char *name)
{
	struct topic *t = topic_find(p, name);

	if (strncmp(name, "collection:", 11) != 0 || strlen(name) >= TOPIC_MAX ||
		strlen(join_ref ? join_ref : "") >= REF_MAX) {
		reply(p, NULL, ref, name, "phx_reply", REPLY_UNKNOWN);
		return;
	}
	if (t) { /* a second join replaces the first */
		reply(p, t->join_ref, t->join_ref, name, "phx_close", STR("{}"));
	} else if (p->n_topics == STANDIN_TOPICS_MAX) {
		reply(p, join_ref, ref, name, "phx_reply", REPLY_TOO_MANY);
		return;
	} else {
		t = &p->topics[p->n_topics++];
		strcpy(t->name, name);
	}
	strcpy(t->join_ref, join_ref ? join_ref : "");
	reply(p, join_ref, ref, name, "phx_reply", REPLY_OK);
	p->standin->joined(p->standin->ctx, str_of(name + 11));
}

static void leave(struct peer *p, const char *ref, const char *name)
{
	struct topic *t = topic_find(p, name);

	if (!t)
		return;
	reply(p, t->join_ref, ref, name, "phx_reply", REPLY_OK);
	reply(p, t->join_ref, t->join_ref, name, "phx_close", STR("{}"));
	*t = p->topics[--p->n_topics];
}

static void frame_received(void *session, struct str message)
{
	struct peer *p = session;
	json_auto_t *frame = json_loadb(message.p, message.n, 0, NULL);
	const char *topic = json_string_value(json_array_get(frame, 2));
	const char *event = json_string_value(json_array_get(frame, 3));
	const char *join_ref = json_string_value(json_array_get(frame, 0));
	const char *ref = json_string_value(json_array_get(frame, 1));

	if (!topic || !event || !ref) {
		ws_conn_close(p->conn, 1011, STR("not a frame"));
		return;
	}
	if (strcmp(topic, "phoenix") == 0 && strcmp(event, "heartbeat") == 0)
		reply(p, NULL, ref, topic, "phx_reply", REPLY_OK);
	else if (strcmp(event, "phx_join") == 0)
		join(p, join_ref, ref, topic);
	else if (strcmp(event, "phx_leave") == 0)
		leave(p, ref, topic);
	else
		reply(p, NULL, ref, topic, "phx_reply", REPLY_UNKNOWN);
}

static void silence_over(void *ctx)
{
	struct peer *p = ctx;

	ws_conn_close(p->conn, 1000, STR("silence"));
}

static void heard(void *session)
{
	struct peer *p = session;

	loop_timer_start(p->silence, SILENCE_MAX_MS);
}

static void *opened(void *ctx, struct ws_conn *c, const struct ws_conn_info *info)
{
	struct standin *s = ctx;

	(void)info;
	for (size_t i = 0; i < STANDIN_CONNS_MAX; i++) {
		struct peer *p = &s->peers[i];

		if (p->used)
			continue;
		if (!p->silence)
			p->silence = loop_timer_new(s->loop, silence_over, p);
		if (!p->silence)
			return NULL;
		p->standin = s;
		p->conn = c;
		p->n_topics = 0;
		p->backlog.max = STANDIN_BACKLOG_MAX;
		p->used = true;
		heard(p);
		return p;
	}
	return NULL;
}

static void closed(void *session, int code)
{
	struct peer *p = session;

	(void)code;
	loop_timer_stop(p->silence);
	buf_clear(&p->backlog);
	p->used = false;
}

static void writable(void *session)
{
	peer_flush(session);
}

const struct ws_server_ops standin_ops = {
	.opened = opened,
	.text = frame_received,
	.heard = heard,
	.writable = writable,
	.closed = closed,
};

unsigned standin_push(struct standin *s, const char *slug, const char *event, struct str message)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1u << 18);
	unsigned n = 0;
	char topic[TOPIC_MAX];

	snprintf(topic, sizeof(topic), "collection:%s", slug);
	for (size_t i = 0; i < STANDIN_CONNS_MAX; i++) {
		struct peer *p = &s->peers[i];

		if (!p->used)
			continue;
		for (size_t t = 0; t < p->n_topics; t++) {
			if (strcmp(p->topics[t].name, topic) != 0 &&
				strcmp(p->topics[t].name, "collection:*") != 0)
				continue;
			buf_clear(&b);
			write_frame(
				&b, p->topics[t].join_ref, NULL, p->topics[t].name, event, message);
			if (!b.failed) {
				peer_write(p, buf_str(&b));
				n++;
			}
		}
	}
	return n;
}
