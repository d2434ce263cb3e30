#pragma once

/*
 * One libwebsockets context per process on our libev loop (foreign loop; validity timers off;
 * compression and h2 off; default protocol refuses WebSocket). Servers, clients and the admin port
 * attach to it as vhosts.
 */
#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/io/loop.h"

struct lws_host;

/* 0 or -EIO with @f (for instance the libev plugin is not installed). */
MUST_CHECK int lws_host_new(struct lws_host **ret, struct loop *loop, struct fault *f);
struct lws_host *lws_host_free(struct lws_host *h); /* after what is attached */
DEFINE_CLEANUP(struct lws_host *, lws_host_free)

struct lws_context;
struct lws_context *lws_host_context(struct lws_host *h); /* for common/io only */
struct loop *lws_host_loop(struct lws_host *h);
