#pragma once

/*
 * The book of one collection: its open orders, and from them the best bid, the ask and the last
 * sale of each item.
 *
 * A pure function of the events it was given and of the clock: the same events in the order of
 * market.events.v1 build the same book, so a restarted process reads itself back. It does no I/O
 * and has no timer; the caller gives it the time.
 *
 * Rules (docs/protocol/opensea.md has the why):
 * - An order is its hash. Of its events the one with the highest `seq` counts, lower ones are
 * dropped, an equal one only if it is of the same type; where a seq is missing the timestamps are
 * compared the same way.
 * - Cancelled and sold are final, whatever comes later, also before the order itself came.
 * Invalidated is reversible.
 * - An order past `expires` is dead without any event. A listing begins at `starts`.
 * - The best bid is the one with the best net among the item's bids and the collection offers;
 * trait offers, and offers whose criteria were not understood, meet nothing. The ask is the lowest
 * public listing, a dutch one at its value now; english auctions have none.
 * - Last sale: without private sales and self-trades.
 * - A transfer ends the listings that the former owner made before it; so does the sale of a unique
 * token.
 *
 * Bounded: new orders and new items beyond the maximum are refused, ends never are; ends of unknown
 * orders are remembered in a ring.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/model/market.h"
#include "common/model/money.h"

#define BOOK_HASH_BYTES 32
#define BOOK_TICK_MS    1000 /* how often a dutch listing is valued again */

struct book;
struct book_item;

struct book_config {
	currency currency; /* of every price; another one (an older configuration's, in the log)
			      counts as no_fx */
	bool is_unique;    /* one token per item (ERC-721) */
	size_t max_orders, max_items, max_ended;
	uint64_t seed;
};

enum book_verdict {
	BOOK_ACCEPTED,
	BOOK_REPEATED, /* the same event again */
	BOOK_OLDER,    /* overtaken by a newer one of its order or item */
	BOOK_ENDED,    /* its order is cancelled, sold or ended by a transfer */
	BOOK_EXPIRED,  /* came after its own expiry */
	BOOK_CONFLICT, /* the order's hash belongs to another item or kind */
	BOOK_FULL,     /* a maximum */
	BOOK_N_VERDICTS,
};
extern const char *const book_verdict_names[BOOK_N_VERDICTS];

enum book_flags {
	BOOK_GAP = 1,
	BOOK_NO_FX = 2,
	BOOK_TOO_BIG = 4,
	BOOK_NET_ESTIMATED = 8,
	BOOK_NO_END = 16,
};

/* What an item is worth. */
struct book_value {
	struct money bid, bid_net, ask, last_sale;
	uint8_t bid_order[BOOK_HASH_BYTES]; /* if bid is set */
	int64_t bid_expires;                /* 0 = never, or no bid */
	unsigned flags;                     /* enum book_flags */
	bool is_ask_moving;                 /* from a dutch listing */
};

/* Called whenever a value may have changed; @user is the caller's, starts as NULL and lives as long
 * as the item: as long as the book. */
typedef void (*book_touched_fn)(void *ctx, struct book_item *item);

/* 0 or -ENOMEM. */
MUST_CHECK int book_new(
	struct book **ret, const struct book_config *config, book_touched_fn touched, void *ctx);
struct book *book_free(struct book *b);
DEFINE_CLEANUP(struct book *, book_free)

/* Copies what it keeps. */
enum book_verdict book_apply(struct book *b, const struct market_event *e, int64_t now_ms);

/* Expiries, starts and moving prices up to @now_ms. */
void book_advance(struct book *b, int64_t now_ms);
/* When book_advance() has something to do; INT64_MAX: never. */
int64_t book_next_due_ms(const struct book *b);

/* Something may have been missed: every item is flagged until its next event. */
void book_mark_gap(struct book *b);
size_t book_n_gap(const struct book *b); /* items flagged */
size_t book_n_orders(const struct book *b);
size_t book_n_items(const struct book *b);

struct str book_item_id(const struct book_item *item);
void **book_item_user(struct book_item *item);
void book_value(
	const struct book *b, const struct book_item *item, int64_t now_ms, struct book_value *ret);
struct book_item *book_find(const struct book *b, struct str item); /* NULL if unknown */
void book_each(struct book *b, book_touched_fn fn, void *ctx);
