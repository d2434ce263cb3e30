#pragma once

/*
 * Outbox: what one client still has to be told, bounded in bytes.
 *
 * While the socket takes what it is given, nothing is stored. What is stored keeps its turn. A
 * message with a key replaces an unsent one with the same key in its place (an offer's newer
 * revision, an item's newer market); all others are kept. Over the bound nothing is dropped
 * silently: the caller closes the session (4108). A push's `seq` is given when it leaves, so that
 * numbers are consecutive whatever was replaced before.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/str.h"
#include "ws-server/shown.h"

enum { OUTBOX_E_FULL = 1 };

struct outbox_message {
	struct str text;
	size_t seq_at;               /* where `,"seq":n` goes in; 0: the message has none */
	const struct shown_key *key; /* NULL: never replaced */
	int64_t ts_ms;               /* given to sent() */
};

struct outbox_ops {
	/* 0: taken; -EAGAIN: nothing was taken, flush later; others: the connection is over. */
	int (*write)(void *ctx, struct str text);
	/* A message with a `seq` has left. */
	void (*sent)(void *ctx, int64_t ts_ms);
	void (*replaced)(void *ctx);
};

struct outbox_entry;

struct outbox {
	const struct outbox_ops *ops;
	void *ctx;
	struct buf *scratch;
	size_t bytes, max;
	uint64_t seq; /* the last one given */
	STAILQ_HEAD(, outbox_entry) entries;
};

/* Borrows @scratch, where a message gets its seq; it may be shared by all outboxes of a thread. */
void outbox_init(
	struct outbox *o, size_t max, struct buf *scratch, const struct outbox_ops *ops, void *ctx);
void outbox_fini(struct outbox *o);

/* Sends at once or copies. 0, OUTBOX_E_FULL, -ENOMEM, or what write() returned: then the session is
 * to be closed and nothing more sent. */
MUST_CHECK int outbox_put(struct outbox *o, const struct outbox_message *m);
/* Sends what the socket takes. 0, or what write() returned other than -EAGAIN. */
MUST_CHECK int outbox_flush(struct outbox *o);
