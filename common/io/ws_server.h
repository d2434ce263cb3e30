#pragma once

/*
 * Session transport, server side: WebSocket connections that a role talks to without knowing the
 * library.
 *
 * Real: ws_server_lws.c behind acceptor.c (its own SO_REUSEPORT listener; reads and judges the HTTP
 * head before the library sees the socket). In-memory: sim/ws_sim.c. Handled below the seam:
 * framing, masking, RFC 6455 pings, UTF-8 (1007), binary frames (1003), messages over the maximum
 * (1009).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/base/str.h"
#include "common/io/loop.h"

struct ws_server;
struct ws_conn;

struct ws_conn_info {
	struct str remote;        /* "127.0.0.1:51324" */
	struct str authorization; /* the header's value, or p == NULL */
	struct str traceparent;   /* valid 55-character form, or p == NULL */
	struct str origin;
	struct str query; /* after '?', undecoded, or p == NULL */
};

struct ws_server_ops {
	/* Upgraded. Returns the session, or NULL: the connection is closed with 1011. @info is
	 * borrowed for the call. Writing is allowed. */
	void *(*opened)(void *ctx, struct ws_conn *c, const struct ws_conn_info *info);
	/* One whole text message, valid UTF-8. May close the connection. */
	void (*text)(void *session, struct str message);
	/* Any frame, control frames included (but for an empty pong nobody asked for): the client
	 * is alive. Before text() of the same frame. */
	void (*heard)(void *session);
	/* ws_conn_write would be taken again. */
	void (*writable)(void *session);
	/* Last callback of the session; @code: what was received or sent, 1006 if the connection
	 * broke. */
	void (*closed)(void *session, int code);
};

struct ws_server_impl {
	int (*write)(struct ws_conn *c, struct str text);
	void (*close)(struct ws_conn *c, int code, struct str reason);
	void (*free)(struct ws_server *s);
	int (*port)(const struct ws_server *s);
	void (*pause)(struct ws_server *s, bool pause);
	size_t (*count)(const struct ws_server *s);
};

struct ws_server {
	const struct ws_server_impl *impl;
};
struct ws_conn {
	struct ws_server *server;
};

/* One text message. 0: taken (the socket's buffer or one buffered remainder); -EAGAIN: choked,
 * nothing was taken, writable() will come; -EPIPE: closing. */
static inline int ws_conn_write(struct ws_conn *c, struct str text)
{
	return c->server->impl->write(c, text);
}
/* Sends the close frame (after what was taken) and drops the connection; closed() comes later.
 * Idempotent. Reason at most 123 bytes. */
static inline void ws_conn_close(struct ws_conn *c, int code, struct str reason)
{
	c->server->impl->close(c, code, reason);
}
/* Closes every connection with 1001; no callback afterwards. */
static inline struct ws_server *ws_server_free(struct ws_server *s)
{
	if (s)
		s->impl->free(s);
	return NULL;
}
DEFINE_CLEANUP(struct ws_server *, ws_server_free)
static inline int ws_server_port(const struct ws_server *s)
{
	return s->impl->port(s);
}
/* Stop (and go on) accepting: readiness and drains. */
static inline void ws_server_pause(struct ws_server *s, bool pause)
{
	s->impl->pause(s, pause);
}
static inline size_t ws_server_count(const struct ws_server *s)
{
	return s->impl->count(s);
}

struct ws_server_config {
	const char *listen;      /* "0.0.0.0:8080", "[::]:8080"; port 0 = any */
	const char *path;        /* "/v1/ws" */
	const char *subprotocol; /* "souk.v1.json"; NULL: none is asked for and none is chosen */
	/* Asked last before the upgrade (NULL: everyone is let in): 0, or the HTTP status to refuse
	 * with. For servers whose token rides in the URL. */
	int (*admit)(void *ctx, const struct ws_conn_info *info);
	size_t message_max;       /* bytes; over it close 1009 */
	size_t conns_max;         /* over it 503 with Retry-After */
	size_t conns_per_address; /* over it 429; 0 = no limit */
	int64_t head_timeout_ms;  /* the whole HTTP head must be here by then; default 5,000 */
	int send_buffer;          /* SO_SNDBUF bytes, default 131,072 */
};

struct lws_host;
/* 0; -EADDRINUSE, -EACCES, -EINVAL with @f. */
MUST_CHECK int ws_server_lws_new(struct ws_server **ret, struct lws_host *host,
	const struct ws_server_config *config, const struct ws_server_ops *ops, void *ctx,
	struct metrics *m, struct fault *f);
