#pragma once

/* The admin port of every role: GET /livez /readyz /startupz /metrics, nothing else (404; other
 * methods 405). */
#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/fault.h"
#include "common/io/lws_host.h"

struct admin;

struct admin_ops {
	/* Ready to serve? If not, appends one line per cause to @why ("kafka: no broker has
	 * answered for 4 s"). If so, lines are what somebody should know all the same, and follow
	 * the "ok". 200 or 503. */
	bool (*is_ready)(void *ctx, struct buf *why);
	/* Started once (never goes back). May be NULL: started when first ready. */
	bool (*is_started)(void *ctx, struct buf *why);
	void (*metrics)(void *ctx, struct buf *out);
};

/* @listen "127.0.0.1:9464", port 0 = any, or "" = none. 0, -EADDRINUSE, -EINVAL with @f. */
MUST_CHECK int admin_new(struct admin **ret, struct lws_host *host, const char *listen,
	const struct admin_ops *ops, void *ctx, struct fault *f);
struct admin *admin_free(struct admin *a);
int admin_port(const struct admin *a);
