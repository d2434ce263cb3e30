#pragma once

/*
 * Watches: a session that wants to be told of an item's market.
 *
 * The current tick at once, then at most one in watch_ms, holding the newest. What comes in between
 * is conflated (counted). A session has at most as many as watches_of_init() says.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"

struct gateway;
struct market_item;
struct session;
struct watch;
struct watches;

/* What a session has of them. */
struct watches_of {
	struct session *session;
	LIST_HEAD(, watch) entries;
	size_t n, max;
};

enum { WATCHES_E_MANY = 1 }; /* the session has its maximum */

/* 0 or -ENOMEM. */
MUST_CHECK int watches_new(struct watches **ret, struct gateway *g);
/* After all sessions, before the market. */
struct watches *watches_free(struct watches *w);
DEFINE_CLEANUP(struct watches *, watches_free)

void watches_of_init(struct watches_of *of, struct session *session, size_t max);

/* Nothing is pushed yet. 0, also if it is watched already; WATCHES_E_MANY, or -ENOMEM (the market
 * has no place, or no memory). */
MUST_CHECK int watches_add(struct watches *w, struct watches_of *of, struct str item);
/* Pushes what is known of a watched item, as if it had just moved. */
void watches_tell(struct watches *w, struct watches_of *of, struct str item);
/* Nothing if it is not watched. */
void watches_remove(struct watches *w, struct watches_of *of, struct str item);
void watches_remove_all(struct watches *w, struct watches_of *of);

/* Its market has changed: tell who watches it. */
void watches_moved(struct watches *w, struct market_item *i);
