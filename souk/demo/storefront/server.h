#pragma once

/*
 * The demo's HTTP: a fixed set of paths, the pages of souk/demo/web (in the binary) and JSON that
 * handlers write. GET and HEAD only; everything else is 404 or 405.
 *
 *	"/" is index.html, "/ops" is ops.html, any other file is under its own path: "/js/shop.js".
 *
 * For a browser next door, and for no one else's page in it: listens where it is told to (the demo:
 * 127.0.0.1), takes only a Host that names this machine's loopback (421 otherwise, against DNS
 * rebinding), and every answer carries a Content-Security-Policy that allows nothing but our own
 * files and the gateway's WebSocket.
 */
#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/base/str.h"
#include "common/io/loop.h"

#define SERVER_ROUTES_MAX 32
#define SERVER_BODY_MAX   (4 * 1024 * 1024)

struct server;

/*
 * Answers GET of one path: appends one JSON document to @body, returns the status (200, 400, 404,
 * 503). @query is the text after '?', not decoded; absent if there is none. Called on the loop,
 * must not block. A buf that failed becomes 500.
 */
typedef int (*server_fn)(void *ctx, struct str query, struct buf *body);

struct server_config {
	const char *listen;    /* "127.0.0.1:8080", port 0 = any */
	const char *ws_origin; /* what a page may connect to, "ws://127.0.0.1:8081"; borrowed for
				  the call */
};

/* 0; -EADDRINUSE, -EINVAL, -ENOMEM or another -errno with @f. */
MUST_CHECK int server_new(struct server **ret, struct loop *loop,
	const struct server_config *config, struct metrics *m, struct fault *f);
struct server *server_free(struct server *s);
DEFINE_CLEANUP(struct server *, server_free)
int server_port(const struct server *s);

/* GET @path ("/api/…", borrowed: a literal) is answered by @fn. Once a path (assert), at most
 * SERVER_ROUTES_MAX (assert). */
void server_get(struct server *s, const char *path, server_fn fn, void *ctx);

/* Member @name of a query text, percent-decoded, into @ret. 0, -ENOENT (not there), -EINVAL
 * (coding) or -ENAMETOOLONG; @ret is empty then. */
MUST_CHECK int server_param(struct str query, const char *name, char *ret, size_t cap);
