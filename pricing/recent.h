#pragma once

/*
 * What one partition remembers of its decisions for the lifetime of an offer: which interests are
 * decided (a repeat is the same event), how many quotes are live per user and item, the lowest
 * price shown to each (session, user, item), and where in nft.decisions.v1 a successor has to begin
 * reading.
 *
 * Bounded: when full, the oldest decision is forgotten early and counted; its place in the log is
 * not (recent_since stays conservative). Times are wall ms; a clock that steps back only makes
 * things live longer.
 *
 * What another owner decided is inherited: its prices bind and its live offers count, but its
 * interests are not known as decided. The decision that is made again takes the place of the first.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"
#include "common/model/money.h"

struct recent;

struct recent_decision {
	struct str interest, session, user, item; /* item may be absent */
	int64_t now_ms;
	bool is_offer;
	struct money price, bid_net; /* offers only; bid_net may be absent */
};

struct recent_view {
	int64_t live_user, live_item;
	struct money shown_price, shown_bid_net;
};

/* 0, -ENOMEM, -EIO. */
MUST_CHECK int recent_new(struct recent **ret, size_t max, int64_t ttl_ms, int64_t moved_bps);
struct recent *recent_free(struct recent *r);
DEFINE_CLEANUP(struct recent *, recent_free)

/* Decided by us within the last ttl. */
bool recent_knows(struct recent *r, struct str interest, int64_t now_ms);
/* What an event of these finds. The lowest price is that since the market last moved
 * (guard_market_moved). */
void recent_look(struct recent *r, struct str session, struct str user, struct str item,
	int64_t now_ms, struct recent_view *ret);
/* Copies. 0 or -ENOMEM (then it is not remembered). */
MUST_CHECK int recent_add(struct recent *r, const struct recent_decision *d);
/* The offer of an interest has another price: shown from now on, and bound to as any other. What
 * has no room is forgotten. */
void recent_revised(struct recent *r, const struct recent_decision *d);
/* Whether the offer of @interest is among those counted as live. */
bool recent_counts(const struct recent *r, struct str interest);
/* The offer of @interest is no longer live. What was shown of it stays. */
void recent_withdrawn(struct recent *r, struct str interest);
/* It will be decided anew. What was shown of it stays and can only hold prices down. */
void recent_forget(struct recent *r, struct str interest);
/* Its record is in the log at @offset. */
void recent_logged(struct recent *r, struct str interest, int64_t offset);

/* A record is sent again: it comes to lie behind younger ones, so its place says nothing of theirs.
 */
void recent_resent(struct recent *r, int64_t now_ms);

/* A new owner starts from nothing: @offset, what its predecessor committed as metadata (-1 =
 * unknown), holds until those decisions have run out, or all are inherited; @end is beyond its own
 * owner record. */
void recent_reset(struct recent *r, int64_t offset, int64_t end, int64_t now_ms);
/* A decision of another owner, as its record at @offset says; in the order of the log, after
 * recent_reset(). What has run out at @now_ms is left out. Copies. 0 or -ENOMEM (then it is not
 * remembered, but the place of its record is). */
MUST_CHECK int recent_inherit(
	struct recent *r, const struct recent_decision *d, int64_t offset, int64_t now_ms);
/* The same of a revision. Withdrawals: recent_withdrawn(). */
void recent_inherit_revised(
	struct recent *r, const struct recent_decision *d, int64_t offset, int64_t now_ms);
/* All up to @end are inherited, the place of each is known. */
void recent_inherited(struct recent *r, int64_t end);
/* Offset of the oldest decision or revision younger than ttl, or one a little before it; if there
 * is none, the end of what was logged; -1 = unknown, the whole partition has to be read. */
int64_t recent_since(struct recent *r, int64_t now_ms);
/* Forgotten before their time. */
uint64_t recent_evicted(const struct recent *r);
