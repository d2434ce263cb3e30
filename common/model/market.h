#pragma once

/* market.events.v1: OpenSea's events, normalised, and what is needed to rebuild the book from them.
 * Key `<chain>:<slug>`. */
#include "common/base/json_out.h"
#include "common/model/decode.h"
#include "common/model/money.h"
#include "common/model/version.h"

enum market_event_type {
	MARKET_LISTED,
	MARKET_BID,
	MARKET_COLLECTION_OFFER,
	MARKET_TRAIT_OFFER,
	MARKET_CANCELLED,
	MARKET_SOLD,
	MARKET_TRANSFERRED,
	MARKET_INVALIDATED,
	MARKET_REVALIDATED,
	MARKET_METADATA,
};
extern const char *const market_event_type_names[]; /* "listed", "bid", …: as in the record */

struct market_event {
	int type; /* enum market_event_type; the record's `type` member, beside "owner" */
	struct str collection;
	struct str item;  /* absent on collection and trait offers */
	struct str order; /* order hash */
	int64_t seq;      /* the stream's `version`, 0 = absent */
	int64_t ts;       /* event_timestamp, ms */
	int64_t received; /* our clock, ms */
	struct str maker;
	struct str taker;
	struct str from, to;
	struct money price;     /* per item, in the collection's list currency; absent: flagged */
	struct money price_end; /* of a dutch listing, at `expires`; absent: as price */
	struct money price_net; /* bids: what the seller would get */
	int64_t quantity;
	int64_t starts, expires; /* ms, 0 = absent */
	struct str listing;      /* "fixed" | "dutch" | "english" */
	int is_private;          /* enum tribool */
	struct str flags;        /* array of texts */
	/* owner epoch of who wrote the record; below an owner record with a higher one it is void;
	 * absent = 0 */
	int64_t epoch;
};
extern const struct record_type market_event_type_record;
void market_event_json(struct json_out *j, const struct market_event *e);
