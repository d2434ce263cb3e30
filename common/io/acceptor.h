#pragma once

/*
 * The door of a WebSocket server: accepts, reads the HTTP head within its time and size, judges it,
 * refuses with a proper HTTP answer, and hands over only what may be upgraded (contracts.md section
 * 4). Bytes after the head stay in the socket.
 *
 * The library behind it never sees a head that was not judged: its own parser, its 128 bytes for
 * subprotocols and its HTTP/2 are out of reach.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/io/address_count.h"
#include "common/io/loop.h"
#include "common/io/ws_server.h"

struct acceptor;

/* Borrowed for the call, except @fd. */
struct acceptor_request {
	int fd; /* non-blocking */
	struct ws_conn_info info;
	struct address address; /* for acceptor_release */
	struct str key;         /* Sec-WebSocket-Key, 24 characters */
};

struct acceptor_ops {
	/* Asked last; may be NULL. 0, or the HTTP status to refuse with. */
	int (*admit)(void *ctx, const struct ws_conn_info *info);
	/* Takes @fd, even on failure. True: the connection counts until acceptor_release. */
	bool (*accepted)(void *ctx, const struct acceptor_request *r);
};

struct acceptor_config {
	const char *listen, *path;
	/* that the client has to offer, or NULL. Borrowed like @path for the acceptor's life. */
	const char *subprotocol;
	size_t conns_max, conns_per_address; /* 0 = no limit for the second */
	/* connections whose head is not here yet; then the oldest is dropped. 0 = 1,024 */
	size_t heads_max;
	int64_t head_timeout_ms;
	int send_buffer;
};

/* 0; -EINVAL, -EADDRINUSE, -EACCES, -ENOMEM with @f. */
MUST_CHECK int acceptor_new(struct acceptor **ret, struct loop *loop,
	const struct acceptor_config *config, const struct acceptor_ops *ops, void *ctx,
	struct metrics *m, struct fault *f);
struct acceptor *acceptor_free(struct acceptor *a);
DEFINE_CLEANUP(struct acceptor *, acceptor_free)

void acceptor_release(struct acceptor *a, struct address address);
int acceptor_port(const struct acceptor *a);
/* Heads that are on their way meanwhile get 503. */
void acceptor_pause(struct acceptor *a, bool pause);
