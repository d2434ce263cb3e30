#pragma once

/*
 * The orders of one partition as their buyers know them: who ordered what, and what was told last.
 * What decides lies in the requests log (request_log.h); here is what a result needs beside it.
 *
 * Bounded by the caller, who forgets the oldest finished one when there are order_table_max()
 * (order_table_oldest_over).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/crypto.h"
#include "common/model/order.h"
#include "wallet-bridge/bridge_map.h"

/* A result. n == 0: nothing was told yet. */
struct told {
	int64_t n;
	int state;         /* enum order_state */
	char *reason, *tx; /* owned; NULL = absent */
	int64_t block;     /* 0 = absent */
	int dry_run;       /* enum tribool */
	int64_t ts;
	int64_t step; /* of the outcome that it rests on, 0 = none */
};

/* A result that was read before the one that it follows. */
struct told_ahead {
	SLIST_ENTRY(told_ahead) link;
	struct told told;
};
SLIST_HEAD(told_aheads, told_ahead);

struct outcome;
TAILQ_HEAD(outcome_list, outcome);

struct order_buyer {
	struct bridge_map_node node;
	int64_t n_open;  /* orders that are not over */
	int64_t n_known; /* entries that point here */
	char user[];
};

struct order_entry {
	struct bridge_map_node node;
	TAILQ_ENTRY(order_entry) over;  /* is_over */
	TAILQ_ENTRY(order_entry) dirty; /* is_dirty: its view is to be written */
	struct order_buyer *buyer;
	struct str id, client_id, item;
	char *session;                /* owned; NULL until the order record was read */
	uint8_t digest[SHA256_BYTES]; /* of the body */
	bool has_record;              /* the order record was read: session, digest and ts count */
	int64_t ts;                   /* the order record's timestamp */
	bool is_deciding;             /* its request or refusal is on its way */
	bool is_releasing;            /* its release is */
	bool is_over;
	bool is_dirty;
	unsigned n_refs; /* messages and cache commands that point here */
	struct told last;
	int64_t acked;             /* n of the newest result that the broker has */
	unsigned n_results;        /* on their way */
	struct told_aheads aheads; /* while results are read */
	struct outcome_list waiting;
	char texts[];
};
TAILQ_HEAD(order_list, order_entry);

struct order_table {
	struct bridge_map by_id, buyers;
	struct order_list over; /* longest over first */
	size_t n_open;
};

/* The entry of a node of by_id. */
static inline struct order_entry *order_table_entry(struct bridge_map_node *node)
{
	return (struct order_entry *)(void *)((char *)node - offsetof(struct order_entry, node));
}

/* 0, -ENOMEM or -EIO. */
MUST_CHECK int order_table_init(struct order_table *t);
/* Nothing refers to its entries any more. Accepts a zeroed table. */
void order_table_fini(struct order_table *t);

struct order_entry *order_table_get(const struct order_table *t, struct str id);
/* A new one, open; copies. NULL when out of memory. The id is not in the table. */
struct order_entry *order_table_add(struct order_table *t, struct str id, struct str client_id,
	struct str user, struct str item);
struct str order_entry_user(const struct order_entry *e);
int64_t order_table_open_of(const struct order_table *t, struct str user);
size_t order_table_count(const struct order_table *t);

/* The order record: session, digest and time. Copies. 0 or -ENOMEM. */
MUST_CHECK int order_entry_set_record(
	struct order_entry *e, struct str session, const uint8_t digest[SHA256_BYTES], int64_t ts);
/* What was told now; copies @reason and @tx (may be absent). Moves the entry among those that are
 * over if its state is terminal. 0 or -ENOMEM. */
MUST_CHECK int order_table_tell(struct order_table *t, struct order_entry *e,
	const struct told *told, struct str reason, struct str tx);
/* What was told according to a log that may hold results in another order, some not at all (a
 * failed delivery is repeated behind later ones): @told counts once everything before it does. A
 * first result counts whatever its n, if @is_first_any. 0 or -ENOMEM. */
MUST_CHECK int order_table_read(struct order_table *t, struct order_entry *e,
	const struct told *told, struct str reason, struct str tx, bool is_first_any);
/* No more is read: what lies behind a gap does not count. */
void order_entry_drop_aheads(struct order_entry *e);
/* The one that is over longest and that nothing refers to; NULL if there is none. */
struct order_entry *order_table_oldest_over(const struct order_table *t);
/* Frees it. It has no outcomes waiting, no reference, and is in no dirty list. */
void order_table_remove(struct order_table *t, struct order_entry *e);
