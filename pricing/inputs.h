#pragma once

/*
 * Everything a price depends on, and its written form.
 *
 * A decision record carries its inputs: price, reason and waterfall are a pure function of them and
 * of the ruleset (compute.h), so whoever has the topics can make the same decision again, byte for
 * byte. The schema is closed: docs/protocol/schemas/decision-inputs.schema.json. Only what a price
 * can depend on is here: titles, images and order hashes of a row are not.
 *
 * Texts are borrowed; inputs_decode() copies them into its arena.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/fault.h"
#include "common/base/json_out.h"
#include "common/model/interest.h"
#include "common/model/money.h"
#include "common/model/tables.h"
#include "common/model/version.h"

enum row_state {
	ROW_UNKNOWN, /* could not be read, or nobody can say that it does not exist: nothing is
			priced from it */
	ROW_NONE,    /* its feed is complete and it is not there */
	ROW_PRESENT,
};
extern const char *const row_state_names[]; /* "unknown", "none", "present", NULL */

/* Why a row is unknown; for people and metrics, no price depends on it. */
enum row_doubt {
	DOUBT_NONE,
	DOUBT_CACHE,      /* the cache is away */
	DOUBT_FEED,       /* its feed has no row: nobody has loaded this side */
	DOUBT_INCOMPLETE, /* missing while its feed is still being loaded */
	DOUBT_OLDER,      /* a lower version than one used before */
	DOUBT_UNREADABLE, /* the stored row is not what its table says */
	DOUBT_STALE,      /* stock only: its feed is older than the inventory side may be */
	DOUBT_UNASKED,    /* an event that was refused before the join */
};
extern const char *const row_doubt_names[]; /* "", "cache", …, NULL */

/* Version and generation as used; of a tombstone too. */
struct input_row {
	int state; /* enum row_state */
	int doubt; /* enum row_doubt, DOUBT_NONE unless ROW_UNKNOWN */
	int64_t gen;
	struct version ver;
};

struct input_profile {
	struct input_row row;
	int64_t age_ms; /* of the feed; 0 while the row is unknown */
	struct str segment;
	struct str country;
	int consent; /* enum tribool: TRI_TRUE if profile.consent.pricing is exactly true, else
			TRI_ABSENT */
};

struct input_loyalty {
	struct input_row row;
	int64_t age_ms;
	int tier;
	int64_t points;
};

struct input_inventory {
	struct input_row row;
	int64_t age_ms;
	struct money list;
	struct money cost;
	int64_t supply;
	struct str collection; /* absent: the item has no market side */
	int64_t held;
};

struct input_bestbid {
	struct input_row row;
	int64_t age_ms;
	int64_t as_of;
	struct money bid, bid_net, ask, floor, floor_raw, last_sale;
	struct str flags; /* JSON array of texts */
};

struct input_stock {
	struct input_row row; /* none: nothing was ever taken */
	int64_t taken;
};

/* The guards in force. bps: basis points; all amounts in the list currency. */
struct guards {
	int64_t max_age_profile_ms, max_age_loyalty_ms, max_age_inventory_ms, max_age_market_ms;
	int64_t floor_over_bid_bps; /* floor: bid_net + this */
	int64_t min_margin_bps;     /* floor: cost + this */
	int64_t max_premium_bps;    /* ceiling: list + this */
	int64_t max_discount_bps;   /* limit: list - this, a floor */
	int64_t moved_bps; /* a best bid that moved further frees the price from the lowest shown */
	struct str quantum; /* amount text: prices are rounded to multiples of it, half to even */
	int64_t live_per_user, live_per_item; /* live quotes in this shard, 0 = no limit */
};

struct price_inputs {
	int64_t now;      /* ms, the decision's time */
	int64_t deadline; /* ms, 0 = none */
	struct str bad;   /* set: the event is not what it should be, and why; @interest then holds
			     only ids and perhaps the item */
	struct interest interest;
	struct input_profile profile;
	struct input_loyalty loyalty;
	struct input_inventory inventory;
	struct input_bestbid bestbid;
	struct input_stock stock;
	struct guards guards;
	int personalization; /* enum tribool: whether rules on personal fields may run
				(inputs_consent) */
	int paused;          /* enum tribool */
	bool is_revision;    /* of an offer that lives: no deadline, no limit of live quotes */
	bool holds;          /* revisions: the lowest price shown binds although the market moved,
				because the rules changed */
	struct money
		shown_price; /* lowest price shown to this (session, user, item), absent: none */
	struct money shown_bid_net;   /* the best bid then, absent: none */
	int64_t live_user, live_item; /* of other interests */
};

/* profile.consent.pricing is true and context.consent.personalization is not false. */
bool inputs_consent(const struct price_inputs *in);

/* One object under @key. */
void inputs_json(struct json_out *j, const char *key, const struct price_inputs *in);

/* Reads what inputs_json() wrote: writing the result gives the same bytes. 0 or DECODE_E_* with @f.
 */
MUST_CHECK int inputs_decode(
	struct price_inputs *ret, struct str json, struct arena *a, struct fault *f);
