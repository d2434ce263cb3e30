#pragma once

/*
 * WebSocket client: one connection at a time, text messages, bounded queue. Reconnecting is the
 * caller's business (see backoff.h).
 *
 * Real: ws_client_lws.c. In-memory: sim/ws_sim.c, which connects to a sim server or to a script.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/str.h"
#include "common/io/loop.h"

struct ws_client;

struct ws_client_ops {
	void (*opened)(void *ctx);
	void (*text)(void *ctx, struct str message); /* whole, at most message_max */
	/* The connection is over or never came: a close code (1006 = broken), and the HTTP status
	 * (403, 502) if the upgrade was refused, else 0. @why is for a log. A new connect may be
	 * started from inside. */
	void (*closed)(void *ctx, int code, int http_status, const char *why);
};

struct ws_client_config {
	const char *url;         /* ws:// or wss:// with path and query */
	const char *subprotocol; /* or NULL */
	const char *bearer;      /* Authorization: Bearer …, or NULL */
	size_t message_max;      /* larger incoming messages close with 1009 */
	size_t queue_max;        /* bytes waiting to be sent */
	int64_t connect_timeout_ms;
};

struct ws_client_impl {
	int (*connect)(struct ws_client *c, const struct ws_client_config *config, struct fault *f);
	int (*send)(struct ws_client *c, struct str text);
	void (*close)(struct ws_client *c, int code);
	void (*free)(struct ws_client *c);
};
struct ws_client {
	const struct ws_client_impl *impl;
};

/* Starts; opened() or closed() follows. 0, -EALREADY, -EINVAL (the URL). Copies @config. */
static inline int ws_client_connect(
	struct ws_client *c, const struct ws_client_config *config, struct fault *f)
{
	return c->impl->connect(c, config, f);
}
/* 0, -ENOTCONN, -ENOBUFS. Copies. */
static inline int ws_client_send(struct ws_client *c, struct str text)
{
	return c->impl->send(c, text);
}
/* closed() follows. */
static inline void ws_client_close(struct ws_client *c, int code)
{
	c->impl->close(c, code);
}
/* At once, without callbacks. Allowed inside a callback. */
static inline struct ws_client *ws_client_free(struct ws_client *c)
{
	if (c)
		c->impl->free(c);
	return NULL;
}
DEFINE_CLEANUP(struct ws_client *, ws_client_free)

struct lws_host;
MUST_CHECK int ws_client_lws_new(
	struct ws_client **ret, struct lws_host *host, const struct ws_client_ops *ops, void *ctx);

/* How a role makes one without naming the implementation. */
struct ws_client_factory {
	int (*make)(void *factory_ctx, struct ws_client **ret, const struct ws_client_ops *ops,
		void *ctx);
	void *ctx;
};
