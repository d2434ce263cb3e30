#pragma once

/*
 * Watches the prices that a session is shown for an item: within a session a price rises only after
 * the market has moved.
 *
 * Sound, not complete: a rise is reported only if no two of the best bids that pricing can remember
 * lie further apart than what counts as a move, whichever of them it compares. Bounded: of each
 * (session, user, item) the latest PRICE_WATCH_OFFERS, of these the latest PRICE_WATCH_MAX; of what
 * was forgotten nothing is said.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"
#include "common/model/money.h"

#define PRICE_WATCH_MAX    16384
#define PRICE_WATCH_OFFERS 12

struct price_watch;

struct shown_price {
	struct str session, user, item;
	int64_t now_ms; /* when it was decided */
	struct money price;
	struct money bid_net; /* currency 0: none */
	int64_t moved_bps;
};

/* 0 or -ENOMEM. A lower price surely binds for @binds_ms, and surely no longer than @remembers_ms.
 */
MUST_CHECK int price_watch_new(struct price_watch **ret, int64_t binds_ms, int64_t remembers_ms);
struct price_watch *price_watch_free(struct price_watch *w);
DEFINE_CLEANUP(struct price_watch *, price_watch_free)

/* Takes note of it. true: it is higher than one shown before, and the market did not move. */
bool price_watch_rises(struct price_watch *w, const struct shown_price *s);
