#pragma once

/*
 * One connection to Redis: where the server is, the handshake (AUTH, SELECT, PING), commands with
 * tags, and noticing that the other side is gone. Used by cache_redis.c only, on the loop thread.
 *
 * An open link is closed by its owner (closing is allowed in every callback except ready) or lost;
 * lost comes once, and the link is closed then already. Commands still unanswered are forgotten
 * silently: the owner keeps their list.
 */
#include <hiredis/async.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/str.h"
#include "common/io/loop.h"

#define REDIS_LINK_IDLE_MS  1000 /* silence after which the peer is asked */
#define REDIS_LINK_LIMIT_MS 2000 /* without any answer while one is due */

struct redis_address {
	char *host; /* or NULL */
	int port;
	char *path; /* unix socket, or NULL */
	char *user; /* NULL: the default user */
	char *password;
	int64_t db;
};

/* redis://[user]:password@host:port/db, unix:///path?db=0; %XX in user and password. 0, -EINVAL
 * with @f (which never shows the password), -ENOMEM. */
MUST_CHECK int redis_address_parse(struct redis_address *ret, const char *url, struct fault *f);
void redis_address_fini(struct redis_address *a);

enum redis_lost {
	REDIS_LOST_CONNECT,
	REDIS_LOST_REFUSED /* by the handshake */,
	REDIS_LOST_TIMEOUT,
	REDIS_LOST_CLOSED
};

struct redis_link_ops {
	void (*ready)(void *ctx); /* the server has let us in */
	void (*lost)(void *ctx, enum redis_lost why);
	/* The answer of a command. Borrowed. */
	void (*reply)(void *ctx, int tag, const redisReply *reply);
	/* A message of the subscribed channel: its third element; and, with NULL, that we are
	 * subscribed. */
	void (*message)(void *ctx, const redisReply *payload);
};

struct redis_link {
	redisAsyncContext *ac; /* NULL: closed */
	struct loop *loop;
	const struct redis_address *address;
	const struct redis_link_ops *ops;
	void *ctx;
	const char *channel;
	size_t due;          /* answers that must come */
	int64_t progress_us; /* when something last came, or became due after nothing was */
	bool is_subscribed;
};

void redis_link_init(struct redis_link *l, struct loop *loop, const struct redis_address *address,
	const struct redis_link_ops *ops, void *ctx);
/* 0, or -errno if that failed at once (no callback then). */
MUST_CHECK int redis_link_open(struct redis_link *l);
void redis_link_close(struct redis_link *l);
static inline bool redis_link_is_open(const struct redis_link *l)
{
	return l->ac;
}

/* @wire is one RESP command. 0 or -EIO (hiredis will report the loss itself). @tag >= 0. */
MUST_CHECK int redis_link_send(struct redis_link *l, int tag, const char *wire, size_t n);
/* @channel is borrowed for the life of the link; nothing else may be sent afterwards. */
MUST_CHECK int redis_link_subscribe(struct redis_link *l, const char *channel);
/* To be called a few times a second. May report the loss. */
void redis_link_tick(struct redis_link *l);
/* Our own process was asleep: nothing is held against the peer. */
void redis_link_forgive(struct redis_link *l);
