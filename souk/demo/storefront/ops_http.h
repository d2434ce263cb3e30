#pragma once

/*
 * Small GETs to this machine, on the loop: nothing in it waits. For the operations view, which asks
 * each role's admin port once a second.
 *
 * A request is a slot that is used again and again; asking while its answer is due starts it over.
 */
#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/io/loop.h"

#define OPS_HTTP_SLOTS_MAX  16
#define OPS_HTTP_TIMEOUT_MS 900 /* before the next round begins */

struct ops_http;

/* @status: HTTP's, or 0: no answer (nobody listens, too late, more than the slot's maximum). @body
 * is borrowed for the call. Comes from the loop, never from inside ops_http_get(). */
typedef void (*ops_http_fn)(void *ctx, size_t slot, int status, struct str body);

/* 0, -ENOMEM or -EIO. */
MUST_CHECK int ops_http_new(struct ops_http **ret, struct loop *loop, ops_http_fn fn, void *ctx);
/* What is due is dropped without a call. Not from inside the callback. */
struct ops_http *ops_http_free(struct ops_http *h);
DEFINE_CLEANUP(struct ops_http *, ops_http_free)

/* http://127.0.0.1:@port@path, at most @max bytes of body. 0, or -ENOMEM. */
MUST_CHECK int ops_http_get(
	struct ops_http *h, size_t slot, int port, const char *path, size_t max);
