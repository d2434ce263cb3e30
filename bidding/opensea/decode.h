#pragma once

/*
 * A message of OpenSea's stream as a normalised market event. What is spoken and what is tolerated:
 * docs/protocol/opensea.md.
 */
#include <stdint.h>

#include "bidding/collection.h"
#include "common/base/arena.h"
#include "common/base/cleanup.h"
#include "common/model/market.h"

/* Flags of an event and of a row. */
#define OPENSEA_FLAG_NO_FX \
	"no_fx" /* paid in a token with no path to the list currency: no price \
		 */
#define OPENSEA_FLAG_TOO_BIG "too_big" /* an amount over 2^96 - 1: no price */
#define OPENSEA_FLAG_NET_ESTIMATED \
	"net_estimated" /* price_net is from the collection's fees, not from the order */
#define OPENSEA_FLAG_NO_END \
	"no_end" /* a dutch listing that does not say what it falls to: no ask */
#define OPENSEA_FLAG_UNMET \
	"unmet" /* an offer whose criteria were not understood: no token meets it */

enum {
	OPENSEA_E_UNKNOWN = 1, /* an event type that is not ours: skip */
	OPENSEA_E_BAD,         /* what the event needs is missing or unreadable */
};

/* Why a message is bad: one of a closed set, for a metric's label and a log. */
enum opensea_reason {
	OPENSEA_BAD_JSON,
	OPENSEA_BAD_SIZE,
	OPENSEA_BAD_FRAME,
	OPENSEA_BAD_COLLECTION,
	OPENSEA_BAD_CHAIN,
	OPENSEA_BAD_ITEM,
	OPENSEA_BAD_ORDER,
	OPENSEA_BAD_PRICE,
	OPENSEA_BAD_ACCOUNT,
	OPENSEA_N_REASONS,
};
extern const char *const opensea_reason_names[OPENSEA_N_REASONS];

/*
 * @message: {"event_type":…,"version":…,"sent_at":…,"payload":{…}}, which passed json_gate().
 * Everything in @ret lies in @a (or is static or borrowed from @c). Prices are per item and in the
 * collection's currency. 0 or OPENSEA_E_*; *ret_reason is set for OPENSEA_E_BAD.
 */
MUST_CHECK int opensea_decode(struct market_event *ret, const struct collection *c,
	struct str message, int64_t received_ms, struct arena *a, enum opensea_reason *ret_reason);
