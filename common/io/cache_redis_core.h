#pragma once

/*
 * What is under the operations of cache_redis.c: the two connections, and the pipe of requests
 * between them. Not for others.
 */
#include "common/io/backoff.h"
#include "common/io/cache_redis_link.h"
#include "common/io/cache_redis_wire.h"

#define CACHE_REDIS_PREFIXES_MAX 8
#define CACHE_REDIS_SHA1_TEXT    40

struct cache_redis {
	struct cache base;
	struct loop *loop;
	struct redis_address address;
	struct redis_link data;
	struct redis_link inval;
	struct loop_timer *tick;
	struct loop_timer *next; /* the next step, or the next attempt */
	struct backoff backoff;
	int64_t ticked_us;
	bool is_inval_turn;
	bool is_up;
	bool *is_freed; /* set where a callback is under way that is not the last act */

	/* How far the connections are. */
	bool is_broken; /* a send failed: to be lost at the next step */
	size_t scripts_due;
	bool has_scripts;
	int64_t inval_id; /* client id, 0 = unknown */
	bool is_subscribed;
	bool is_track_asked;
	bool is_tracked;

	struct redis_reqs sent;   /* on the wire, oldest first */
	struct redis_reqs again;  /* to be sent again, before `queue` */
	struct redis_reqs queue;  /* given while resending */
	struct redis_reqs failed; /* to be answered with -ECONNRESET */
	bool is_resending;
	size_t in_flight;

	char *prefixes[CACHE_REDIS_PREFIXES_MAX];
	size_t n_prefixes;
	cache_changed_fn changed;
	void *changed_ctx;
	char sha[SCRIPT_MAX][CACHE_REDIS_SHA1_TEXT + 1];

	struct metrics *metrics;
	struct gauge *m_up, *m_in_flight;
	struct histogram *m_seconds;
	struct counter *m_refused, *m_resends, *m_cut, *m_changed, *m_oom, *m_other;
};

/* Of zeroed memory whose `base.ops` is set; fini also after a failed init. 0, -EINVAL (the url) or
 * -ENOMEM, with @f. */
MUST_CHECK int cache_redis_init(struct cache_redis *c, struct loop *loop, const char *url,
	struct metrics *m, struct fault *f);
void cache_redis_fini(struct cache_redis *c);

/* 0 if a command that costs @n may be given now; -ENOTCONN, -ENOBUFS. */
MUST_CHECK int cache_redis_admit(struct cache_redis *c, size_t n);
/* Takes @r. 0 or -ENOBUFS. */
MUST_CHECK int cache_redis_submit(struct cache_redis *c, struct redis_req *r);
/* The prefixes are set: takes the missing steps. */
void cache_redis_track(struct cache_redis *c);
