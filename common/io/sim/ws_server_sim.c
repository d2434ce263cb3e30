/*
 * Everything the far end does becomes an event, and one event is delivered per turn of the loop, in
 * order: the role under test is never called from inside a test's call, as it is never called from
 * inside its own. What the role writes is in the peer's inbox at once.
 *
 * A connection is memory of its own, freed before closed() is called: a role that uses one
 * afterwards is caught by the sanitizer here, not by a customer.
 */
#include "common/io/sim/ws_sim.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

#define REASON_MAX 123

enum event_kind { EVENT_OPEN, EVENT_TEXT, EVENT_PONG, EVENT_WRITABLE, EVENT_CLOSED };

struct sim_conn {
	struct ws_conn base;
	struct sim_peer *peer; /* NULL: the test has freed it */
	void *session;
	bool is_open;    /* opened() returned a session */
	bool is_closing; /* EVENT_CLOSED waits, or opened() is about to fail */
	bool wants_writable;
};

struct message {
	STAILQ_ENTRY(message) link;
	char text[];
};

struct sim_peer {
	LIST_ENTRY(sim_peer) link;
	struct sim_server *server;
	struct sim_conn *conn; /* NULL once closed */
	struct ws_conn_info info;
	char *info_text;
	STAILQ_HEAD(, message) inbox;
	struct message *lent;
	bool is_choked;
	int close_code;
	char close_reason[REASON_MAX + 1];
};

struct event {
	STAILQ_ENTRY(event) link;
	enum event_kind kind;
	struct sim_conn *conn;
	int code;
	size_t n;
	char text[];
};

struct sim_server {
	struct ws_server base;
	const struct ws_server_ops *ops;
	void *ctx;
	struct loop_timer *timer;
	STAILQ_HEAD(, event) events;
	LIST_HEAD(, sim_peer) peers;
	size_t n_open;
	bool is_paused;
};

static void *must(void *p)
{
	assert(p); /* a test out of memory */
	return p;
}

static void event_put(struct sim_server *s, enum event_kind kind, struct sim_conn *conn, int code,
	const char *text)
{
	size_t n = text ? strlen(text) : 0;
	struct event *e = must(calloc(1, sizeof(*e) + n + 1));

	e->kind = kind;
	e->conn = conn;
	e->code = code;
	e->n = n;
	if (n)
		memcpy(e->text, text, n);
	if (STAILQ_EMPTY(&s->events))
		loop_timer_start(s->timer, 0);
	STAILQ_INSERT_TAIL(&s->events, e, link);
}

/* Nothing may be delivered to @conn any more. */
static void events_drop(struct sim_server *s, const struct sim_conn *conn)
{
	struct event *e, *next;

	for (e = STAILQ_FIRST(&s->events); e; e = next) {
		next = STAILQ_NEXT(e, link);
		if (e->conn != conn)
			continue;
		STAILQ_REMOVE(&s->events, e, event, link);
		free(e);
	}
}

static void peer_set_closed(struct sim_peer *p, int code, struct str reason)
{
	if (!p || p->close_code)
		return;
	p->close_code = code;
	if (reason.n)
		memcpy(p->close_reason, reason.p, reason.n);
	p->close_reason[reason.n] = '\0';
}

static void conn_free(struct sim_server *s, struct sim_conn *c)
{
	events_drop(s, c);
	if (c->peer)
		c->peer->conn = NULL;
	if (c->is_open)
		s->n_open--;
	free(c);
}

static void deliver_open(struct sim_server *s, struct sim_conn *c)
{
	if (!c->peer || s->is_paused) {
		peer_set_closed(c->peer, 1006, STR_NONE);
		conn_free(s, c);
		return;
	}
	c->is_open = true;
	s->n_open++;
	c->session = s->ops->opened(s->ctx, &c->base, &c->peer->info);
	if (c->session)
		return;
	peer_set_closed(c->peer, 1011, STR_NONE);
	conn_free(s, c);
}

static void deliver_text(struct sim_server *s, struct sim_conn *c, struct str text)
{
	if (!str_is_utf8(text)) {
		ws_conn_close(&c->base, 1007, STR_NONE);
		return;
	}
	if (s->ops->heard)
		s->ops->heard(c->session);
	if (!c->is_closing)
		s->ops->text(c->session, text);
}

static void deliver_closed(struct sim_server *s, struct sim_conn *c, int code)
{
	void *session = c->is_open ? c->session : NULL;

	conn_free(s, c);
	if (session)
		s->ops->closed(session, code);
}

static void deliver(struct sim_server *s, struct event *e)
{
	struct sim_conn *c = e->conn;

	if (e->kind == EVENT_OPEN) {
		deliver_open(s, c);
	} else if (e->kind == EVENT_CLOSED) {
		deliver_closed(s, c, e->code);
	} else if (c->is_closing) {
		; /* what arrives after our close frame is not looked at */
	} else if (e->kind == EVENT_TEXT) {
		deliver_text(s, c, (struct str){ e->text, e->n });
	} else if (e->kind == EVENT_PONG) {
		if (s->ops->heard)
			s->ops->heard(c->session);
	} else if (c->wants_writable && c->peer && !c->peer->is_choked) {
		c->wants_writable = false;
		s->ops->writable(c->session);
	}
}

static void on_turn(void *ctx)
{
	struct sim_server *s = ctx;
	struct event *e = STAILQ_FIRST(&s->events);

	if (!e)
		return; /* dropped since */
	STAILQ_REMOVE_HEAD(&s->events, link);
	if (!STAILQ_EMPTY(&s->events))
		loop_timer_start(s->timer, 0);
	deliver(s, e);
	free(e);
}

static int sim_write(struct ws_conn *conn, struct str text)
{
	struct sim_conn *c = (struct sim_conn *)conn;
	struct message *m;

	if (c->is_closing)
		return -EPIPE;
	if (!c->peer || c->peer->close_code)
		return 0; /* the wire is cut, which the server does not know yet */
	if (c->peer->is_choked) {
		c->wants_writable = true;
		return -EAGAIN;
	}
	m = must(malloc(sizeof(*m) + text.n + 1));
	if (text.n)
		memcpy(m->text, text.p, text.n);
	m->text[text.n] = '\0';
	STAILQ_INSERT_TAIL(&c->peer->inbox, m, link);
	return 0;
}

static void sim_close(struct ws_conn *conn, int code, struct str reason)
{
	struct sim_conn *c = (struct sim_conn *)conn;

	assert(reason.n <= REASON_MAX);
	if (c->is_closing)
		return;
	c->is_closing = true;
	peer_set_closed(c->peer, code, reason);
	event_put((struct sim_server *)conn->server, EVENT_CLOSED, c, code, NULL);
}

static void peer_destroy(struct sim_peer *p)
{
	struct message *m;

	while ((m = STAILQ_FIRST(&p->inbox))) {
		STAILQ_REMOVE_HEAD(&p->inbox, link);
		free(m);
	}
	free(p->lent);
	free(p->info_text);
	LIST_REMOVE(p, link);
	free(p);
}

static void server_free(struct ws_server *server)
{
	struct sim_server *s = (struct sim_server *)server;
	struct sim_peer *p;
	struct event *e;

	while ((p = LIST_FIRST(&s->peers))) {
		if (p->conn)
			conn_free(s, p->conn);
		peer_destroy(p);
	}
	while ((e = STAILQ_FIRST(&s->events))) {
		struct sim_conn *c = e->conn; /* of a peer that the test has freed */

		conn_free(s, c);
	}
	loop_timer_free(s->timer);
	free(s);
}

static int server_port(const struct ws_server *s)
{
	(void)s;
	return 0;
}

static void server_pause(struct ws_server *s, bool pause)
{
	((struct sim_server *)s)->is_paused = pause;
}

static size_t server_count(const struct ws_server *s)
{
	return ((const struct sim_server *)s)->n_open;
}

static const struct ws_server_impl SIM_IMPL = {
	.write = sim_write,
	.close = sim_close,
	.free = server_free,
	.port = server_port,
	.pause = server_pause,
	.count = server_count,
};

int ws_server_sim_new(
	struct ws_server **ret, struct loop *loop, const struct ws_server_ops *ops, void *ctx)
{
	struct sim_server *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->base.impl = &SIM_IMPL;
	s->ops = ops;
	s->ctx = ctx;
	STAILQ_INIT(&s->events);
	LIST_INIT(&s->peers);
	s->timer = loop_timer_new(loop, on_turn, s);
	if (!s->timer) {
		free(s);
		return -ENOMEM;
	}
	*ret = &s->base;
	return 0;
}

static struct str copy_to(char **at, struct str s)
{
	struct str copy = { s.p ? *at : NULL, s.n };

	if (s.n)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

static void copy_info(struct sim_peer *p, const struct ws_conn_info *info)
{
	struct ws_conn_info from = { 0 };
	char *at;

	if (info)
		from = *info;
	if (!from.remote.p)
		from.remote = STR("sim:1");
	at = must(malloc(from.remote.n + from.authorization.n + from.traceparent.n + from.origin.n +
			 from.query.n + 1));
	p->info_text = at;
	p->info.remote = copy_to(&at, from.remote);
	p->info.authorization = copy_to(&at, from.authorization);
	p->info.traceparent = copy_to(&at, from.traceparent);
	p->info.origin = copy_to(&at, from.origin);
	p->info.query = copy_to(&at, from.query);
}

struct sim_peer *sim_peer_connect(struct ws_server *server, const struct ws_conn_info *info)
{
	struct sim_server *s = (struct sim_server *)server;
	struct sim_peer *p = must(calloc(1, sizeof(*p)));

	p->server = s;
	STAILQ_INIT(&p->inbox);
	copy_info(p, info);
	p->conn = must(calloc(1, sizeof(*p->conn)));
	p->conn->base.server = server;
	p->conn->peer = p;
	LIST_INSERT_HEAD(&s->peers, p, link);
	event_put(s, EVENT_OPEN, p->conn, 0, NULL);
	return p;
}

void sim_peer_send(struct sim_peer *p, const char *text)
{
	if (p->conn && !p->close_code)
		event_put(p->server, EVENT_TEXT, p->conn, 0, text);
}

void sim_peer_pong(struct sim_peer *p)
{
	if (p->conn && !p->close_code)
		event_put(p->server, EVENT_PONG, p->conn, 0, NULL);
}

void sim_peer_close(struct sim_peer *p, int code)
{
	if (!p->conn || p->close_code)
		return;
	peer_set_closed(p, code, STR_NONE);
	event_put(p->server, EVENT_CLOSED, p->conn, code, NULL);
}

void sim_peer_choke(struct sim_peer *p, bool choked)
{
	p->is_choked = choked;
	if (!choked && p->conn && p->conn->wants_writable)
		event_put(p->server, EVENT_WRITABLE, p->conn, 0, NULL);
}

const char *sim_peer_next(struct sim_peer *p)
{
	free(p->lent);
	p->lent = STAILQ_FIRST(&p->inbox);
	if (!p->lent)
		return NULL;
	STAILQ_REMOVE_HEAD(&p->inbox, link);
	return p->lent->text;
}

int sim_peer_close_code(const struct sim_peer *p)
{
	return p->close_code;
}

const char *sim_peer_close_reason(const struct sim_peer *p)
{
	return p->close_reason;
}

void sim_peer_free(struct sim_peer *p)
{
	if (!p)
		return;
	sim_peer_close(p, 1006);
	if (p->conn)
		p->conn->peer = NULL;
	peer_destroy(p);
}
