/*
 * The far end of a client, played by a test. As on the server half, what the far end does is
 * delivered by the loop, one event a turn; what the role sends is in the remote's inbox at once.
 *
 * A remote may make several clients. It talks to the one that connected last: a role that replaces
 * its connection opens the new one while the old one is still closing.
 */
#include "common/io/sim/ws_sim.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

enum client_state { CLIENT_IDLE, CLIENT_CONNECTING, CLIENT_OPEN, CLIENT_CLOSING };
enum event_kind { EVENT_ANSWER, EVENT_TEXT, EVENT_CLOSED };

struct sim_client {
	struct ws_client base;
	LIST_ENTRY(sim_client) link;
	struct sim_remote *remote; /* NULL: the test has freed it */
	const struct ws_client_ops *ops;
	void *ctx;
	enum client_state state;
	size_t message_max, queue_max;
};

struct message {
	STAILQ_ENTRY(message) link;
	char text[];
};

struct event {
	STAILQ_ENTRY(event) link;
	enum event_kind kind;
	struct sim_client *client;
	int code;
	size_t n;
	char text[];
};

struct sim_remote {
	struct loop_timer *timer;
	LIST_HEAD(, sim_client) clients;
	STAILQ_HEAD(, event) events;
	STAILQ_HEAD(, message) inbox;
	struct message *lent;
	struct sim_client *current;
	char *url;
	int refusal;
	unsigned n_connects;
};

static void *must(void *p)
{
	assert(p); /* a test out of memory */
	return p;
}

static void event_put(struct sim_remote *r, enum event_kind kind, struct sim_client *c, int code,
	const char *text)
{
	size_t n = text ? strlen(text) : 0;
	struct event *e = must(calloc(1, sizeof(*e) + n + 1));

	e->kind = kind;
	e->client = c;
	e->code = code;
	e->n = n;
	if (n)
		memcpy(e->text, text, n);
	if (STAILQ_EMPTY(&r->events))
		loop_timer_start(r->timer, 0);
	STAILQ_INSERT_TAIL(&r->events, e, link);
}

static void events_drop(struct sim_remote *r, const struct sim_client *c)
{
	struct event *e, *next;

	for (e = STAILQ_FIRST(&r->events); e; e = next) {
		next = STAILQ_NEXT(e, link);
		if (c && e->client != c)
			continue;
		STAILQ_REMOVE(&r->events, e, event, link);
		free(e);
	}
}

static void over(struct sim_client *c, int code, int http_status, const char *why)
{
	events_drop(c->remote, c);
	if (c->remote->current == c)
		c->remote->current = NULL;
	c->state = CLIENT_IDLE;
	c->ops->closed(c->ctx, code, http_status, why);
}

static void deliver_answer(struct sim_client *c)
{
	int status = c->remote->refusal;
	char why[32];

	if (status < 0) {
		over(c, 1006, 0, "connection refused");
	} else if (status > 0) {
		snprintf(why, sizeof(why), "HTTP %d", status);
		over(c, 1006, status, why);
	} else {
		c->state = CLIENT_OPEN;
		c->ops->opened(c->ctx);
	}
}

static void deliver_text(struct sim_client *c, struct str text)
{
	if (text.n > c->message_max)
		over(c, 1009, 0, "message too large");
	else if (!str_is_utf8(text))
		over(c, 1007, 0, "not UTF-8");
	else
		c->ops->text(c->ctx, text);
}

static void on_turn(void *ctx)
{
	struct sim_remote *r = ctx;
	struct event *e = STAILQ_FIRST(&r->events);
	struct sim_client *c;

	if (!e)
		return; /* dropped since */
	c = e->client;
	STAILQ_REMOVE_HEAD(&r->events, link);
	if (!STAILQ_EMPTY(&r->events))
		loop_timer_start(r->timer, 0);
	/* After the client's own close only its end is delivered. */
	if (e->kind == EVENT_CLOSED)
		over(c, e->code, 0, e->code == 1006 ? "connection lost" : "closed");
	else if (e->kind == EVENT_ANSWER && c->state == CLIENT_CONNECTING)
		deliver_answer(c);
	else if (e->kind == EVENT_TEXT && c->state == CLIENT_OPEN)
		deliver_text(c, (struct str){ e->text, e->n });
	free(e);
}

static int client_connect(
	struct ws_client *client, const struct ws_client_config *config, struct fault *f)
{
	struct sim_client *c = (struct sim_client *)client;
	struct sim_remote *r = c->remote;
	struct str url = str_of(config->url);

	assert(r);
	if (!str_starts(url, STR("ws://")) && !str_starts(url, STR("wss://")))
		return fault_set(f, FAULT_FATAL, -EINVAL, "%s: want ws:// or wss://",
			config->url ? config->url : "(no URL)");
	if (c->state != CLIENT_IDLE)
		return -EALREADY;
	free(r->url);
	r->url = must(strdup(config->url));
	r->n_connects++;
	r->current = c;
	c->message_max = config->message_max;
	c->queue_max = config->queue_max;
	c->state = CLIENT_CONNECTING;
	event_put(r, EVENT_ANSWER, c, 0, NULL);
	return 0;
}

static int client_send(struct ws_client *client, struct str text)
{
	struct sim_client *c = (struct sim_client *)client;
	struct message *m;

	if (c->state != CLIENT_OPEN)
		return -ENOTCONN;
	if (text.n > c->queue_max)
		return -ENOBUFS;
	m = must(malloc(sizeof(*m) + text.n + 1));
	if (text.n)
		memcpy(m->text, text.p, text.n);
	m->text[text.n] = '\0';
	STAILQ_INSERT_TAIL(&c->remote->inbox, m, link);
	return 0;
}

static void client_close(struct ws_client *client, int code)
{
	struct sim_client *c = (struct sim_client *)client;

	if (c->state != CLIENT_CONNECTING && c->state != CLIENT_OPEN)
		return;
	c->state = CLIENT_CLOSING;
	event_put(c->remote, EVENT_CLOSED, c, code, NULL);
}

static void client_free(struct ws_client *client)
{
	struct sim_client *c = (struct sim_client *)client;

	if (c->remote) {
		events_drop(c->remote, c);
		if (c->remote->current == c)
			c->remote->current = NULL;
		LIST_REMOVE(c, link);
	}
	free(c);
}

static const struct ws_client_impl SIM_IMPL = {
	.connect = client_connect,
	.send = client_send,
	.close = client_close,
	.free = client_free,
};

static int make(
	void *factory_ctx, struct ws_client **ret, const struct ws_client_ops *ops, void *ctx)
{
	struct sim_remote *r = factory_ctx;
	struct sim_client *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->base.impl = &SIM_IMPL;
	c->remote = r;
	c->ops = ops;
	c->ctx = ctx;
	LIST_INSERT_HEAD(&r->clients, c, link);
	*ret = &c->base;
	return 0;
}

int sim_remote_new(struct sim_remote **ret, struct loop *loop)
{
	struct sim_remote *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	LIST_INIT(&r->clients);
	STAILQ_INIT(&r->events);
	STAILQ_INIT(&r->inbox);
	r->timer = loop_timer_new(loop, on_turn, r);
	if (!r->timer) {
		free(r);
		return -ENOMEM;
	}
	*ret = r;
	return 0;
}

struct sim_remote *sim_remote_free(struct sim_remote *r)
{
	struct sim_client *c;
	struct message *m;

	if (!r)
		return NULL;
	events_drop(r, NULL);
	LIST_FOREACH(c, &r->clients, link) {
		c->remote = NULL;
		c->state = CLIENT_IDLE;
	}
	while ((m = STAILQ_FIRST(&r->inbox))) {
		STAILQ_REMOVE_HEAD(&r->inbox, link);
		free(m);
	}
	loop_timer_free(r->timer);
	free(r->lent);
	free(r->url);
	free(r);
	return NULL;
}

struct ws_client_factory sim_remote_factory(struct sim_remote *r)
{
	return (struct ws_client_factory){ .make = make, .ctx = r };
}

void sim_remote_refuse(struct sim_remote *r, int http_status)
{
	r->refusal = http_status;
}

bool sim_remote_is_open(const struct sim_remote *r)
{
	return r->current && r->current->state == CLIENT_OPEN;
}

unsigned sim_remote_connects(const struct sim_remote *r)
{
	return r->n_connects;
}

void sim_remote_send(struct sim_remote *r, const char *text)
{
	if (r->current)
		event_put(r, EVENT_TEXT, r->current, 0, text);
}

const char *sim_remote_next(struct sim_remote *r)
{
	free(r->lent);
	r->lent = STAILQ_FIRST(&r->inbox);
	if (!r->lent)
		return NULL;
	STAILQ_REMOVE_HEAD(&r->inbox, link);
	return r->lent->text;
}

void sim_remote_close(struct sim_remote *r, int code)
{
	if (r->current)
		event_put(r, EVENT_CLOSED, r->current, code, NULL);
}

const char *sim_remote_url(const struct sim_remote *r)
{
	return r->url ? r->url : "";
}
