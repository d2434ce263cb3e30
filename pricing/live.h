#pragma once

/*
 * The live offers of one partition: who has to hear when something changes, and when each may be
 * priced again.
 *
 * An offer is in at most one place: READY to be priced, JOINING (taken, live_settle() gives it
 * back), COOLING after a revision until it may have the next, or RETRYING because it could not be
 * priced for the moment. A change makes it dirty; a dirty offer becomes READY as soon as it neither
 * cools, is joined nor has an answer on its way. So an offer has one revision per `revision_us`,
 * the first after a quiet time goes at once, and one answer on its way, which keeps its decisions
 * in order whatever is sent again.
 *
 * Expiry and removal leave no record. Bounded: live_add() refuses when full. Monotonic microseconds
 * unless a name says ms (wall).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/cleanup.h"
#include "common/base/metrics.h"
#include "common/base/str.h"
#include "common/model/ids.h"
#include "common/model/interest.h"
#include "common/model/offer.h"
#include "pricing/inputs.h"

#define LIVE_COLLECTION_MAX 128
#define LIVE_RULESET_MAX    72

struct live;

/* Where an answer goes, besides what the interest says: headers as received. */
struct reply_to {
	struct str traceparent, topic, partition, correlation, session, slot_epoch;
};

enum live_place {
	LIVE_NOWHERE,
	LIVE_READY,
	LIVE_URGENT,
	LIVE_JOINING,
	LIVE_COOLING,
	LIVE_RETRYING
};

enum live_side { LIVE_PROFILE, LIVE_LOYALTY, LIVE_INVENTORY, LIVE_MARKET, LIVE_STOCK, LIVE_SIDES };

/* What a revision is compared with: the versions it was made from, and what the shopper was told.
 */
struct live_basis {
	struct input_row rows[LIVE_SIDES];
	char ruleset[LIVE_RULESET_MAX];
	struct money price, list;
	uint64_t told; /* digest of everything else that is told */
};

struct live_offer {
	/* Fixed. */
	struct id id;
	struct interest interest;
	struct reply_to reply;
	int64_t ts;
	int64_t issued_ms, expires_ms;

	/* Of the last revision; kept by whoever prices. */
	int64_t epoch;
	uint64_t n;
	enum decision_cause cause;
	struct live_basis basis, before;     /* @before: of the revision before it */
	struct money lowest, lowest_bid_net; /* shown since the market moved last */
	char collection[LIVE_COLLECTION_MAX + 1];
	bool must_send; /* the last revision did not get out: the next is told even if unchanged */
	bool is_over;   /* withdrawn */

	/* Kept by the table. */
	struct live *live; /* NULL: out of the table; waits for its last reference */
	void *owner;       /* the partition, as live_new() was told */
	unsigned refs;
	enum live_place place;
	bool is_dirty, is_urgent;
	bool is_sending;   /* an answer is on its way */
	int64_t dirty_us;  /* the first change since it was taken last */
	int64_t change_us; /* the first change that is answered by what it was taken for */
	int64_t since_us;  /* in this place */
	TAILQ_ENTRY(live_offer) in_place, in_age;
	LIST_ENTRY(live_offer) of_user, of_item;
};

struct live_config {
	size_t max;
	int64_t revision_us; /* from a revision to the next, at least */
	int64_t retry_us;    /* until what could not be priced is tried again */
	struct gauge *followed;
};

/* @owner is for the caller. 0, -ENOMEM, -EIO. */
MUST_CHECK int live_new(struct live **ret, const struct live_config *config, void *owner);
struct live *live_free(struct live *l);
DEFINE_CLEANUP(struct live *, live_free)

/* A new offer, its first answer on its way: copies all texts of @interest and @reply. Holds a
 * reference besides the table's, for the caller. NULL: full, or out of memory. */
struct live_offer *live_add(struct live *l, const struct id *id, const struct interest *interest,
	const struct reply_to *reply, int64_t issued_ms, int64_t ttl_ms, int64_t now_us);
/* Out of the table, if it is there; lives on while it is referenced. */
void live_remove(struct live_offer *o);
void live_remove_all(struct live *l);
/* Those that have run out. A clock that steps back only makes them live longer. */
void live_expire(struct live *l, int64_t now_ms);

struct live_offer *live_ref(struct live_offer *o);
void live_unref(struct live_offer *o); /* accepts NULL */

/* ---- changes: how many of the marked were dirty already (conflated) ---- */

size_t live_changed_user(struct live *l, struct str user, int64_t now_us);
size_t live_changed_item(struct live *l, struct str item, int64_t now_us);
size_t live_changed_all(struct live *l, int64_t now_us);
/* A pause: before all others, and without a look-up. An absent slug is all. */
void live_pause(struct live *l, struct str collection, int64_t now_us);
/* One offer; true: it was dirty already. */
bool live_changed(struct live_offer *o, int64_t now_us);

/* ---- pricing again ---- */

/* The next that may be priced, JOINING from now on and clean; NULL: none. @urgent_only: paused ones
 * alone. Borrowed: take a reference if it is kept over a turn. */
struct live_offer *live_take(struct live *l, bool urgent_only);
bool live_has_ready(const struct live *l, bool urgent_only);

enum live_result {
	LIVE_UNCHANGED,
	LIVE_REVISED, /* an answer is on its way */
	LIVE_AGAIN,   /* not for the moment: in retry_us, or at the next change */
	LIVE_BACK,    /* untouched: READY, in front (or URGENT, if paused meanwhile) */
};
/* What became of an offer that was taken. */
void live_settle(struct live_offer *o, enum live_result result, int64_t now_us);
/* Its answer is acknowledged. */
void live_delivered(struct live_offer *o, int64_t now_us);
/* Its answer did not get out and never will: it is made anew, once it has cooled. */
void live_undelivered(struct live_offer *o, int64_t now_us);

/* Moves on those that have cooled or are to be tried again. When it has to be called next, or -1.
 */
int64_t live_tick(struct live *l, int64_t now_us);

size_t live_count(const struct live *l);
