#pragma once

/*
 * The orders of one partition as an executor drives them: how far each is by the ledger, when its
 * next step is due, and from which offsets on the logs have to be read after a restart.
 *
 * An order is *done* when no outcome and no release of it is to come: FINAL, released, refused or
 * beyond the supply. The *window* holds the orders from the oldest that is not done on, done ones
 * between included: drive_table_from() and drive_table_ledger_from() are its beginning in the
 * requests and in the ledger. What is done may be forgotten for room, also within the window.
 *
 * Bounded by the request log, whose orders it follows.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "wallet-bridge/bridge_map.h"
#include "wallet-bridge/request_log.h"

/* A place in the ledger, and the owner epoch in force there. */
struct ledger_place {
	int64_t offset, epoch;
};

struct drive_order {
	struct bridge_map_node node;
	TAILQ_ENTRY(drive_order) window, done;
	struct drive_table *table;
	const struct log_order *log;
	int64_t offset; /* of the request */
	/* By the ledger. */
	int64_t n;                 /* outcomes; 0: none */
	int state;                 /* of the last one */
	int64_t last_ms;           /* its time, or the request's record time */
	struct ledger_place first; /* its first one is not before; offset -1: none */
	/* The step that is being reported. */
	bool is_tried, is_late; /* decided at the first try, and kept for the others */
	int64_t said_ms;
	int said_state;
	struct ledger_place said_from; /* it is not before */
	bool is_sending;
	int64_t due_us; /* while scheduled */
	size_t heap_i;
	bool is_done, in_window, is_scheduled;
	bool is_checked; /* the ledger was read for it */
};
TAILQ_HEAD(drive_orders, drive_order);

struct drive_table {
	struct bridge_map by_id;
	struct drive_orders window, done; /* by offset; done for longest first */
	struct drive_order **heap;
	size_t n_heap, heap_cap;
	size_t n_open;    /* not done */
	size_t n_sending; /* kept by the caller */
	/* What was forgotten within the window. */
	int64_t gone_until;       /* offset behind the last such request, -1: none */
	struct ledger_place gone; /* their first outcome, offset -1: none */
	void *ctx;                /* the caller's */
};

/* 0, -ENOMEM or -EIO. */
MUST_CHECK int drive_table_init(struct drive_table *t, void *ctx);
void drive_table_fini(struct drive_table *t); /* accepts a zeroed one */

struct drive_order *drive_table_get(const struct drive_table *t, struct str id);
/* Behind all others. Borrows @log until the order is removed. NULL when out of memory. */
struct drive_order *drive_table_add(
	struct drive_table *t, const struct log_order *log, bool is_done);
/* No harm if it was done already. */
void drive_table_finish(struct drive_table *t, struct drive_order *o);
/* What is done for longest, and has no report due; NULL: none. */
struct drive_order *drive_table_oldest_done(const struct drive_table *t);
/* Frees a done order. */
void drive_table_remove(struct drive_table *t, struct drive_order *o);

/* Of an order that is not done; again = at another time. */
void drive_table_schedule(struct drive_table *t, struct drive_order *o, int64_t due_us);
void drive_table_unschedule(struct drive_table *t, struct drive_order *o);
/* The order due first; NULL: none is scheduled. */
struct drive_order *drive_table_first_due(const struct drive_table *t);

/* Offset of the first request that is not done; @end if all are. */
int64_t drive_table_from(const struct drive_table *t, int64_t end);
/* The first outcome of any order from there on; @end if there is none. */
struct ledger_place drive_table_ledger_from(const struct drive_table *t, struct ledger_place end);
