/*
 * Sessions on libwebsockets, which here only frames: the acceptor has judged the client, and the
 * head that the library parses is one we wrote, with the one subprotocol and no header that came
 * from outside.
 *
 * Writing goes straight to the socket while nothing is buffered: arming writability for each
 * message would cost two system calls. A message that did not fit whole stays in the library as the
 * one remainder; until it is gone, writes are refused.
 *
 * Closing: the frame is written by us at once, or when the remainder is gone; the peer's answer,
 * its hanging up or CLOSE_TIMEOUT_MS ends the connection.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "common/io/acceptor.h"
#include "common/io/lws_slot.h"
#include "common/io/ws_message.h"

#define CLOSE_TIMEOUT_MS    5000
#define RX_BUFFER_BYTES     1024  /* of each connection; larger messages come in pieces */
#define TX_PACKET_BYTES     65536 /* one send() at most */
#define SEND_BUFFER_DEFAULT 131072
#define REASON_MAX          123

static const struct metric_def CONNECTIONS = { "souk_edge_connections", METRIC_GAUGE,
	"Open WebSocket connections.", NULL };
static const struct metric_def CLOSES = { "souk_edge_closes_total", METRIC_COUNTER,
	"WebSocket connections that ended, by close code.", "code" };
static const struct metric_def RECEIVED = { "souk_edge_received_bytes_total", METRIC_COUNTER,
	"Bytes of messages from clients.", NULL };
static const struct metric_def SENT = { "souk_edge_sent_bytes_total", METRIC_COUNTER,
	"Bytes of messages to clients.", NULL };

struct lws_conn {
	struct ws_conn base;
	struct lws *wsi;
	void *session; /* NULL: opened() failed, no more callbacks */
	LIST_ENTRY(lws_conn) link;
	TAILQ_ENTRY(lws_conn) closing_link;
	LIST_ENTRY(lws_conn) choked_link;
	struct address address;
	struct ws_message message;
	char *close_reason; /* while the close frame has to wait */
	int64_t deadline_ms;
	int code; /* of the first close, from either side; 0 = none yet */
	bool is_closing, is_in_closing_list;
	bool is_choked; /* the library holds a remainder */
	bool wants_writable, owes_close_frame;
};

struct server {
	struct ws_server base;
	struct lws_host *host;
	struct lws_slot *slot;
	struct acceptor *acceptor;
	const struct ws_server_ops *ops;
	void *ctx;
	int (*admit)(void *ctx, const struct ws_conn_info *info);
	char *path, *subprotocol;
	size_t message_max;
	struct metrics *metrics;
	struct gauge *connections;
	struct counter *received, *sent;
	struct loop_timer *close_timer, *choke_timer;
	LIST_HEAD(, lws_conn) conns, choked;
	TAILQ_HEAD(, lws_conn) closing; /* soonest deadline first */
	size_t n_conns;
	/* During lws_adopt_socket_vhost_readbuf, which calls back before it returns. */
	const struct acceptor_request *adopting;
	bool is_adopted;
};

static void count_close(struct server *s, int code)
{
	static const int CODES[] = { 1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011,
		4000, 4001, 4003, 4004, 4008, 4029, 4100, 4101, 4108, 4112, 4201, 4210 };
	char label[8] = "other";

	for (size_t i = 0; i < ARRAY_LEN(CODES); i++)
		if (CODES[i] == code)
			snprintf(label, sizeof(label), "%d", code);
	counter_add(metrics_counter(s->metrics, &CLOSES, label), 1);
}

/* ---- closing ---- */

static void closing_add(struct server *s, struct lws_conn *c)
{
	c->is_closing = true;
	if (c->is_in_closing_list)
		return;
	c->is_in_closing_list = true;
	c->deadline_ms = loop_mono_ms(lws_host_loop(s->host)) + CLOSE_TIMEOUT_MS;
	if (TAILQ_EMPTY(&s->closing))
		loop_timer_start(s->close_timer, CLOSE_TIMEOUT_MS);
	TAILQ_INSERT_TAIL(&s->closing, c, closing_link);
}

static void on_close_timer(void *ctx)
{
	struct server *s = ctx;
	struct lws_conn *c;
	int64_t now_ms = loop_mono_ms(lws_host_loop(s->host));

	while ((c = TAILQ_FIRST(&s->closing)) && c->deadline_ms <= now_ms) {
		TAILQ_REMOVE(&s->closing, c, closing_link);
		c->is_in_closing_list = false;
		lws_slot_hang_up(c->wsi);
	}
	if (c)
		loop_timer_start(s->close_timer, c->deadline_ms - now_ms);
}

/* The socket is of no use any more; closed() comes from the loop. */
static void conn_break(struct server *s, struct lws_conn *c)
{
	if (c->code == 0)
		c->code = 1006;
	closing_add(s, c);
	lws_slot_hang_up(c->wsi);
}

/* ---- back-pressure ---- */

static void set_choked(struct server *s, struct lws_conn *c)
{
	bool is_choked = lws_partial_buffered(c->wsi);

	if (is_choked == c->is_choked)
		return;
	c->is_choked = is_choked;
	if (!is_choked) {
		LIST_REMOVE(c, choked_link);
		return;
	}
	if (LIST_EMPTY(&s->choked))
		loop_timer_start(s->choke_timer, LWS_SLOT_WATCH_MS);
	LIST_INSERT_HEAD(&s->choked, c, choked_link);
}

static void note_library_close(struct lws_conn *c)
{
	if (c->code == 0 && lws_get_close_length(c->wsi) >= 2)
		c->code = lws_slot_close_code(lws_get_close_payload(c->wsi), 2);
}

static void on_choke_timer(void *ctx)
{
	struct server *s = ctx;
	struct lws_conn *c;

	LIST_FOREACH(c, &s->choked, choked_link) {
		if (!lws_slot_is_lost(c->wsi))
			continue;
		note_library_close(c);
		conn_break(s, c);
	}
	if (!LIST_EMPTY(&s->choked))
		loop_timer_start(s->choke_timer, LWS_SLOT_WATCH_MS);
}

static void send_close_frame(struct server *s, struct lws_conn *c)
{
	c->owes_close_frame = false;
	if (lws_slot_send_close(c->wsi, c->code, str_of(c->close_reason)))
		conn_break(s, c);
	free(c->close_reason);
	c->close_reason = NULL;
}

static void conn_close(struct ws_conn *conn, int code, struct str reason)
{
	struct lws_conn *c = (struct lws_conn *)conn;
	struct server *s = (struct server *)conn->server;

	if (c->is_closing)
		return;
	c->code = code;
	closing_add(s, c);
	if (reason.n > REASON_MAX)
		reason.n = REASON_MAX;
	if (!c->is_choked) {
		if (lws_slot_send_close(c->wsi, code, reason))
			conn_break(s, c);
		return;
	}
	/* Without memory the reason is lost, not the code. */
	c->owes_close_frame = true;
	if (reason.n)
		c->close_reason = strndup(reason.p, reason.n);
}

/* ---- writing ---- */

static int conn_write(struct ws_conn *conn, struct str text)
{
	struct lws_conn *c = (struct lws_conn *)conn;
	struct server *s = (struct server *)conn->server;
	unsigned char *room;

	if (c->is_closing)
		return -EPIPE;
	if (c->is_choked) {
		c->wants_writable = true;
		return -EAGAIN;
	}
	room = lws_host_scratch(s->host, text.n);
	if (!room) {
		conn_close(conn, 1011, STR_NONE);
		return -EPIPE;
	}
	if (text.n)
		memcpy(room, text.p, text.n);
	if (lws_write(c->wsi, room, text.n, LWS_WRITE_TEXT) < 0) {
		conn_break(s, c);
		return -EPIPE;
	}
	/* The library asks for writability itself when it has kept something. */
	set_choked(s, c);
	counter_add(s->sent, text.n);
	return 0;
}

static void on_writable(struct server *s, struct lws_conn *c)
{
	bool was_choked = c->is_choked;

	set_choked(s, c);
	if (c->is_choked) {
		lws_callback_on_writable(c->wsi);
	} else if (c->is_closing) {
		if (c->owes_close_frame)
			send_close_frame(s, c);
	} else if (c->wants_writable) {
		c->wants_writable = false;
		s->ops->writable(c->session);
	} else if (!was_choked && s->ops->heard) {
		/* Nobody asked for this one but the library, to answer a ping, of which it does not
		 * tell otherwise. */
		s->ops->heard(c->session);
	}
}

/* ---- receiving ---- */

static void on_receive(struct server *s, struct lws_conn *c, const void *p, size_t n)
{
	struct str text;
	int code;

	counter_add(s->received, n);
	if (c->is_closing)
		return;
	code = ws_message_add(&c->message, c->wsi, p, n, s->message_max, &text);
	if (code) {
		ws_message_done(&c->message);
		conn_close(&c->base, code, STR_NONE);
		return;
	}
	if (s->ops->heard)
		s->ops->heard(c->session);
	if (!text.p)
		return;
	if (!c->is_closing)
		s->ops->text(c->session, text);
	ws_message_done(&c->message);
}

static void on_established(struct server *s, struct lws_conn *c, struct lws *wsi)
{
	assert(c && s->adopting); /* on_accepted() is on the stack */
	c->base.server = &s->base;
	c->wsi = wsi;
	c->address = s->adopting->address;
	LIST_INSERT_HEAD(&s->conns, c, link);
	s->n_conns++;
	s->connections->value++;
	s->is_adopted = true;
	set_choked(s, c);
	c->session = s->ops->opened(s->ctx, &c->base, &s->adopting->info);
	if (!c->session)
		conn_close(&c->base, 1011, STR_NONE);
}

static int on_peer_close(struct server *s, struct lws_conn *c, const void *p, size_t n)
{
	/* The answer to ours: nothing more to send, hang up. */
	if (c->is_closing && c->code && !c->owes_close_frame)
		return -1;
	c->code = c->code ? c->code : lws_slot_close_code(p, n);
	c->owes_close_frame = false; /* the library answers */
	closing_add(s, c);
	return 0;
}

/*
 * The library begins to close: on our return -1, at the end of the socket, or on its own account
 * (1002, 1007). Only now is the code that it sends to be had: what it still parses may overwrite
 * it. It would wait 5 s for the answer, by a timer that is not reliable.
 */
static void on_drop(struct server *s, struct lws_conn *c)
{
	note_library_close(c);
	closing_add(s, c);
}

static void on_closed(struct server *s, struct lws_conn *c)
{
	void *session = c->session;
	int code = c->code;

	if (code == 0)
		code = 1006;
	c->is_closing = true;
	LIST_REMOVE(c, link);
	if (c->is_in_closing_list)
		TAILQ_REMOVE(&s->closing, c, closing_link);
	if (c->is_choked)
		LIST_REMOVE(c, choked_link);
	s->n_conns--;
	s->connections->value--;
	count_close(s, code);
	acceptor_release(s->acceptor, c->address);
	c->session = NULL;
	if (session)
		s->ops->closed(session, code);
}

static void conn_fini(struct lws_conn *c)
{
	ws_message_done(&c->message);
	free(c->close_reason);
	c->close_reason = NULL;
}

static int on_event(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t n)
{
	struct lws_slot *slot = lws_slot_of(wsi);
	struct server *s = slot ? slot->owner : NULL;
	struct lws_conn *c = user;
	bool is_ours = s && c && c->wsi; /* established, and the server is still there */

	switch (reason) {
	case LWS_CALLBACK_ESTABLISHED:
		if (!s || !s->adopting)
			return -1;
		on_established(s, c, wsi);
		return 0;
	case LWS_CALLBACK_RECEIVE:
		if (is_ours)
			on_receive(s, c, in, n);
		return 0;
	case LWS_CALLBACK_RECEIVE_PONG:
		if (is_ours && !c->is_closing && s->ops->heard)
			s->ops->heard(c->session);
		return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		if (is_ours)
			on_writable(s, c);
		return 0;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		return is_ours ? on_peer_close(s, c, in, n) : -1;
	case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
		if (is_ours)
			on_drop(s, c);
		return 0;
	case LWS_CALLBACK_CLOSED:
		if (is_ours)
			on_closed(s, c);
		if (c)
			conn_fini(c);
		return 0;
	case LWS_CALLBACK_HTTP:
		return -1;
	default:
		return 0;
	}
}

/* ---- the door ---- */

static int on_admit(void *ctx, const struct ws_conn_info *info)
{
	struct server *s = ctx;

	return s->admit ? s->admit(s->ctx, info) : 0;
}

static bool on_accepted(void *ctx, const struct acceptor_request *r)
{
	struct server *s = ctx;
	char head[512];
	struct lws *wsi;
	int n = snprintf(head, sizeof(head),
		"GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Key: " STR_FMT "\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
		s->slot->name, STR_ARG(r->key), s->subprotocol ? "Sec-WebSocket-Protocol: " : "",
		s->subprotocol ? s->subprotocol : "", s->subprotocol ? "\r\n" : "");

	s->adopting = r;
	s->is_adopted = false;
	wsi = lws_adopt_socket_vhost_readbuf(s->slot->vhost, r->fd, head, (size_t)n);
	s->adopting = NULL;
	if (!s->is_adopted && wsi) {
		lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
		lws_host_wake(s->host);
	}
	return s->is_adopted;
}

/* ---- the server ---- */

static void server_free(struct ws_server *server)
{
	struct server *s = (struct server *)server;
	struct lws_conn *c;

	/* What is still open belongs to the library from here on; its slot has no owner. */
	while ((c = LIST_FIRST(&s->conns))) {
		LIST_REMOVE(c, link);
		if (!c->is_closing && !c->is_choked)
			(void)!lws_slot_send_close(c->wsi, 1001, STR_NONE);
		lws_slot_hang_up(c->wsi);
		count_close(s, c->code ? c->code : 1001);
		s->connections->value--;
		c->session = NULL;
	}
	if (s->slot)
		s->slot->owner = NULL;
	acceptor_free(s->acceptor);
	loop_timer_free(s->close_timer);
	loop_timer_free(s->choke_timer);
	free(s->path);
	free(s->subprotocol);
	free(s);
}

static int server_port(const struct ws_server *s)
{
	return acceptor_port(((const struct server *)s)->acceptor);
}

static void server_pause(struct ws_server *s, bool pause)
{
	acceptor_pause(((struct server *)s)->acceptor, pause);
}

static size_t server_count(const struct ws_server *s)
{
	return ((const struct server *)s)->n_conns;
}

static const struct ws_server_impl LWS_IMPL = {
	.write = conn_write,
	.close = conn_close,
	.free = server_free,
	.port = server_port,
	.pause = server_pause,
	.count = server_count,
};

static const struct acceptor_ops ACCEPTOR_OPS = { .admit = on_admit, .accepted = on_accepted };

static int server_start(struct server *s, const struct ws_server_config *config, struct fault *f)
{
	struct acceptor_config door = {
		.listen = config->listen,
		.path = s->path,
		.subprotocol = s->subprotocol,
		.conns_max = config->conns_max,
		.conns_per_address = config->conns_per_address,
		.head_timeout_ms = config->head_timeout_ms,
		.send_buffer = config->send_buffer > 0 ? config->send_buffer : SEND_BUFFER_DEFAULT,
	};
	struct lws_slot_config slot = {
		.callback = on_event,
		.protocol = s->subprotocol ? s->subprotocol : "any",
		.session_size = sizeof(struct lws_conn),
		.rx_buffer_size = RX_BUFFER_BYTES,
		.tx_packet_size = TX_PACKET_BYTES,
	};
	int r = lws_host_slot(&s->slot, s->host, &slot, s, f);

	return r ? r
		 : acceptor_new(&s->acceptor, lws_host_loop(s->host), &door, &ACCEPTOR_OPS, s,
			   s->metrics, f);
}

int ws_server_lws_new(struct ws_server **ret, struct lws_host *host,
	const struct ws_server_config *config, const struct ws_server_ops *ops, void *ctx,
	struct metrics *m, struct fault *f)
{
	struct server *s;
	int r;

	/* The library's limit for a subprotocol's name; the head that we write has room for it. */
	if (!config->path || (config->subprotocol && strlen(config->subprotocol) > 63))
		return fault_set(f, FAULT_FATAL, -EINVAL,
			"a WebSocket server wants a path, and a subprotocol of at most 63 bytes");
	s = calloc(1, sizeof(*s));
	if (!s)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	s->base.impl = &LWS_IMPL;
	s->host = host;
	s->ops = ops;
	s->ctx = ctx;
	s->admit = config->admit;
	s->message_max = config->message_max;
	s->metrics = m;
	s->connections = metrics_gauge(m, &CONNECTIONS, NULL);
	s->received = metrics_counter(m, &RECEIVED, NULL);
	s->sent = metrics_counter(m, &SENT, NULL);
	LIST_INIT(&s->conns);
	LIST_INIT(&s->choked);
	TAILQ_INIT(&s->closing);
	s->path = strdup(config->path);
	s->subprotocol = config->subprotocol ? strdup(config->subprotocol) : NULL;
	s->close_timer = loop_timer_new(lws_host_loop(host), on_close_timer, s);
	s->choke_timer = loop_timer_new(lws_host_loop(host), on_choke_timer, s);
	r = !s->path || !s->close_timer || !s->choke_timer ||
			    (config->subprotocol && !s->subprotocol)
		    ? fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory")
		    : server_start(s, config, f);
	if (r) {
		server_free(&s->base);
		return r;
	}
	*ret = &s->base;
	return 0;
}
