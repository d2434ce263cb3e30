#pragma once

/*
 * Inside a shard:
 *	bridge_shard.c     ownership and life
 *	bridge_restore.c   the logs, read again
 *	bridge_orders.c    an order record to its decision
 *	bridge_tell.c      results, and the outcomes that lead to them
 *	bridge_supply.c    inventory and market rows, supplies
 *	bridge_send.c      messages out, their reports, the commit
 *	bridge_views.c     Redis
 *	bridge_snapshot.c  stock.v1
 */
#include "common/io/backoff.h"
#include "common/io/owner.h"
#include "wallet-bridge/bridge_shard.h"
#include "wallet-bridge/goods.h"
#include "wallet-bridge/ledger_feed.h"
#include "wallet-bridge/order_table.h"
#include "wallet-bridge/request_log.h"

#define BRIDGE_LOG_GROUP   "wallet"
#define FULL_RETRY_MS      10   /* the bus has no room */
#define FAILED_RETRY_MS    100  /* a delivery failed */
#define RECLAIM_MS         500  /* the partition was lost, or is uncertain */
#define REFUSED_RETRY_MS   1000 /* a topic is not there */
#define OWNER_TEXT_MAX     128
#define OUTCOMES_MAX       8192          /* of a partition that are not told yet */
#define SUPPLIES_MAX       256           /* of a partition on their way */
#define BRIDGE_STEP_HEADER "x-souk-step" /* of a result: the step of its outcome */

enum bridge_state { BRIDGE_CLAIMING, BRIDGE_RESTORING, BRIDGE_RUNNING, BRIDGE_LOST };

/* An order record from reading it until its results are acknowledged; in offset order. */
struct work {
	TAILQ_ENTRY(work) link;
	int64_t offset;
	int64_t read_us;
	unsigned n_due; /* results, or the dead letter, without a report */
	bool is_decided;
};
TAILQ_HEAD(work_list, work);

/* An outcome of the ledger that has to be told. */
struct outcome {
	TAILQ_ENTRY(outcome) link;     /* of its order, or of those whose order is not read yet */
	TAILQ_ENTRY(outcome) in_place; /* of its ledger partition, in offset order */
	int32_t partition;
	int64_t offset, epoch;
	bool is_done;
	int state;
	struct str order, reason, tx; /* reason and tx may be absent */
	int64_t step, block, ts;
	int dry_run;
	char texts[];
};

/* One partition of the ledger, as this shard has it. */
struct ledger_place {
	int64_t next;                 /* everything below was given */
	int64_t epoch;                /* of the executor, -1 = none met */
	bool is_postponed;            /* no room: reading goes back to @next */
	struct outcome_list outcomes; /* not done, but for some behind the first */
};

enum message_kind { MESSAGE_DECISION, MESSAGE_RESULT, MESSAGE_LETTER, MESSAGE_SNAPSHOT };

/* A message until its report. Decisions go through the owner, and die with it. */
struct message {
	TAILQ_ENTRY(message) link;  /* outbox, air, or the orphans */
	struct bridge_shard *shard; /* NULL: an orphan */
	struct bridge_env *env;
	enum message_kind kind;
	uint64_t seq;
	struct work *work; /* may be NULL, as the three below */
	struct outcome *outcome;
	struct order_entry *entry;
	struct goods *goods;
	const char *type;       /* of what is no result: "request", … */
	enum log_effect effect; /* what a decision has to do to the fold */
	int64_t n, step;        /* of a result */
	struct str key, value;
	struct str
		order; /* or what else its CloudEvents id is made of; of a letter: why, with NUL */
	struct str session;
	struct bus_record *letter; /* one block with all its texts, owned */
	char bytes[];
};

enum views_state { VIEWS_CLOSED, VIEWS_OPENING, VIEWS_OPEN };

struct views {
	enum views_state state;
	char run[96], feed_key[64];
	uint64_t gen;
	struct goods_list stock;  /* dirty */
	struct order_list orders; /* dirty */
	size_t n_dirty;
	unsigned n_out, n_stock_out;
	bool is_beating;
	bool is_complete; /* Redis was told so */
	bool sent_complete;
	struct backoff backoff;
	int64_t retry_us;
};

struct bridge_shard {
	struct bridge_env *env;
	int32_t number;
	enum bridge_state state;
	struct owner *owner;
	char owner_text[OWNER_TEXT_MAX + 1]; /* of the owner record looked at last */
	int64_t epoch;
	struct loop_timer *retry, *reclaim;

	int64_t next; /* first order without acknowledged results, or BUS_NO_OFFSET */
	int64_t committed;
	char committed_text[4096]; /* the metadata */
	int64_t commit_us;
	struct ledger_place *places;
	int32_t n_places;
	size_t n_outcomes;
	struct outcome_list unknown; /* whose order is not read yet */

	struct request_log *log;
	struct order_table orders;
	struct goods_table goods;
	uint64_t n_changes; /* of stock, in this life */

	unsigned reading;     /* bits of what is still to be restored */
	bool has_all_results; /* neither retention nor a lack of room took any */
	int64_t restore_us;
	uint64_t n_restored_results, n_restored_requests, n_restored_orders;

	struct work_list works;
	size_t n_works;
	bool is_held, is_blocked, is_draining;
	bool is_caught_up; /* the end of orders.v1 was reached once */

	struct message_list outbox, air;
	size_t n_air;
	uint64_t seq;

	struct goods_list due, late;
	size_t n_supplies;

	struct views views;
};

/* ---- bridge_shard.c ---- */

/* What is in the log is not certain, or memory ran out: everything is dropped and restored anew.
 * May be called anywhere; the shard stays. */
void bridge_fail(struct bridge_shard *s, const char *why, int err);

/* ---- bridge_restore.c ---- */

/* Begins; on the way to bridge_begin(). 0 or -errno. */
MUST_CHECK int bridge_restore(struct bridge_shard *s);
/* Stops what is being read for the shard. */
void bridge_restore_stop(struct bridge_shard *s);
/* Everything is there: tells what was decided and not told, and reads on. In bridge_shard.c. */
void bridge_begin(struct bridge_shard *s);
/* Forgets orders that are over until @n more are within orders_max. False: no further one is over;
 * a batch of orders at most goes beyond the maximum before reading is held. */
bool bridge_make_room(struct bridge_shard *s, size_t n);

/* ---- bridge_orders.c ---- */

/* The work's last report came, or it needs none. */
void bridge_work_advance(struct bridge_shard *s);
void bridge_work_free(struct bridge_shard *s, struct work *w);

/* ---- bridge_tell.c ---- */

/* Enters @state and sends the result. @outcome and @work may be NULL. 0 or -ENOMEM. */
MUST_CHECK int bridge_tell(struct bridge_shard *s, struct order_entry *e, const struct told *told,
	struct str reason, struct str tx, struct work *work, struct outcome *outcome);
/* Its decision is in the log: tells it as far as it is not told. @work may be NULL. 0 or -ENOMEM.
 */
MUST_CHECK int bridge_tell_decision(
	struct bridge_shard *s, struct order_entry *e, struct work *work);
/* The last result once more. */
MUST_CHECK int bridge_tell_again(struct bridge_shard *s, struct order_entry *e, struct work *work);
/* Deals with the outcomes that wait for @e, as far as possible. 0 or -ENOMEM. */
MUST_CHECK int bridge_outcomes_advance(struct bridge_shard *s, struct order_entry *e);
/* The order is known now: what waited for it is dealt with. 0 or -ENOMEM. */
MUST_CHECK int bridge_outcomes_adopt(struct bridge_shard *s, struct order_entry *e);
/* Orders that are not known by now never will be. */
void bridge_outcomes_give_up(struct bridge_shard *s);
void bridge_outcome_done(struct bridge_shard *s, struct outcome *o);
void bridge_outcomes_drop(struct bridge_shard *s);
/* Reads the ledger where this shard needs it. */
void bridge_ledger_want(struct bridge_shard *s);
/* The commit's metadata: where the ledger has to be read from, and who spoke there. */
void bridge_ledger_text(const struct bridge_shard *s, char *ret, size_t cap);
void bridge_ledger_parse(struct bridge_shard *s, struct str text);

/* ---- bridge_supply.c ---- */

void bridge_inventory(struct bridge_shard *s, const struct bus_record *r);
void bridge_market(struct bridge_shard *s, const struct bus_record *r);
/* Queues the supply that is due for @g, if one is. 0 or -ENOMEM. */
MUST_CHECK int bridge_supply_now(struct bridge_shard *s, struct goods *g);
/* Looks whether @g needs a supply, and writes as many as may be on their way. */
void bridge_supply_check(struct bridge_shard *s, struct goods *g);
void bridge_supply_pump(struct bridge_shard *s);

/* ---- bridge_send.c ---- */

/* Copies @key, @value, @order, @session. NULL when out of memory. Not queued yet. */
struct message *bridge_message_new(struct bridge_shard *s, enum message_kind kind, struct str key,
	struct str value, struct str order, struct str session);
void bridge_message_free(struct message *m);
/* Queues and takes @m. */
void bridge_post(struct bridge_shard *s, struct message *m);
void bridge_pump(struct bridge_shard *s);
void bridge_messages_drop(struct bridge_shard *s);
void bridge_update_hold(struct bridge_shard *s);
void bridge_retry(void *ctx);
void bridge_commit(struct bridge_shard *s);

/* ---- bridge_views.c ---- */

void bridge_views_init(struct bridge_shard *s);
void bridge_views_begin(struct bridge_shard *s);
void bridge_views_stop(struct bridge_shard *s);
void bridge_view_stock(struct bridge_shard *s, struct goods *g);
void bridge_view_order(struct bridge_shard *s, struct order_entry *e);
void bridge_view_forget(struct bridge_shard *s, struct order_entry *e);
void bridge_views_pump(struct bridge_shard *s);
void bridge_views_heartbeat(struct bridge_shard *s);
void bridge_views_tick(struct bridge_shard *s);

/* ---- bridge_snapshot.c ---- */

/* The fold of @g's item moved: its view and its snapshot are due. */
void bridge_stock_changed(struct bridge_shard *s, struct goods *g);
void bridge_snapshot_late(struct bridge_shard *s, struct goods *g);
void bridge_snapshots_pump(struct bridge_shard *s, bool all);
