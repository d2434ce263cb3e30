#pragma once

/*
 * The operations view's collector: once a second it asks each role for /metrics and /readyz and
 * Redis for the feeds, and keeps the last ten minutes (ops_store.h).
 *
 *	GET /api/ops/now               totals and the last second, roles, feeds
 *	GET /api/ops/series?since=MS   the rows younger than `since` (none: all that are kept)
 *
 * Errors: {"error":{"code":"bad_query","title":…}} with 400, or "unavailable" with 503 before the
 * first row.
 */
#include "common/base/fault.h"
#include "common/io/cache.h"
#include "common/io/loop.h"
#include "souk/demo/storefront/ops_store.h"
#include "souk/demo/storefront/server.h"

struct ops;

struct ops_config {
	const char *roles; /* "ws-server=9464,pricing=9465": admin ports on 127.0.0.1, or "" */
	const char *const *market_shards; /* collections whose market feed is shown; borrowed */
	size_t n_market_shards;
};

/* Registers its paths at @server. Borrows all but @config. 0; -EINVAL with @f (roles); another
 * -errno. */
MUST_CHECK int ops_new(struct ops **ret, struct loop *loop, struct cache *cache,
	struct server *server, const struct ops_config *config, struct fault *f);
/* Before the cache and the server are freed. */
struct ops *ops_free(struct ops *o);
DEFINE_CLEANUP(struct ops *, ops_free)

/* The handlers, for tests. @ctx: the ops_store. */
int ops_answer_now(void *ctx, struct str query, struct buf *body);
int ops_answer_series(void *ctx, struct str query, struct buf *body);
