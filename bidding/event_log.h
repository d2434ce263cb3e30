#pragma once

/*
 * What waits to be written to market.events.v1: records in order, until Kafka has them.
 *
 * Bounded. Whoever puts asks first: at three quarters new orders are to be refused
 * (event_log_is_high), so that ends of orders find room; when it is full a record is dropped and
 * counted, and the book is ahead of its log, which the caller must flag.
 */
#include <stdbool.h>

#include "bidding/collection.h"
#include "common/base/cleanup.h"
#include "common/base/metrics.h"
#include "common/io/loop.h"
#include "common/io/owner.h"

struct event_log;

/* Borrows all it is given. 0 or -ENOMEM. */
MUST_CHECK int event_log_new(struct event_log **ret, struct loop *loop, const struct collection *c,
	const char *instance, size_t max, struct metrics *m);
/* After the owner: an owner's reports come here. */
struct event_log *event_log_free(struct event_log *l);

/* Writing begins, or goes on under a higher epoch. */
void event_log_open(struct event_log *l, struct owner *owner, int64_t epoch);
/* Nothing more is sent, what waits is dropped; reports in flight change nothing. */
void event_log_close(struct event_log *l);

bool event_log_is_high(const struct event_log *l);
/* Copies @json, an object with at least one member; `epoch` is added when it is sent. 0 or -ENOBUFS
 * (full, or not open). */
MUST_CHECK int event_log_put(struct event_log *l, struct str json);
size_t event_log_pending(const struct event_log *l); /* not acknowledged yet */
