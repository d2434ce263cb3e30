#pragma once

/*
 * A small HTTP/1.1 server on a real loop, for what people and probes look at: one request a
 * connection (`Connection: close`), the head parsed strictly (http_head.h), the answer kept whole
 * in memory until it is written. Answers 431 and 400 by itself; everything else is the caller's.
 *
 * At most clients_max connections; beyond that the oldest makes room, and is counted.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/io/http_head.h"
#include "common/io/loop.h"

struct http_server;

struct http_answer {
	int status;
	struct buf head; /* more header lines, each ending in CRLF */
	struct buf body; /* left out for HEAD and 304, its length is still told for HEAD */
};

/* Fills @a, whose status is 200 and whose bufs are empty. A buf that failed becomes 500. */
typedef void (*http_server_fn)(void *ctx, const struct http_head *h, struct http_answer *a);

struct http_server_config {
	const char *listen;  /* "127.0.0.1:8080", port 0 = any */
	const char *headers; /* of every answer, each line ending in CRLF; copied; "" = none */
	size_t clients_max;
	size_t body_max;
	int64_t timeout_ms; /* a connection's whole life */
};

/* 0; -EADDRINUSE, -EINVAL or another -errno with @f. */
MUST_CHECK int http_server_new(struct http_server **ret, struct loop *loop,
	const struct http_server_config *config, http_server_fn fn, void *ctx, struct fault *f);
struct http_server *http_server_free(struct http_server *s);
DEFINE_CLEANUP(struct http_server *, http_server_free)

int http_server_port(const struct http_server *s);
/* Connections that had to make room. */
uint64_t http_server_evictions(const struct http_server *s);
