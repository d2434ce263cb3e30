#pragma once

/* OpenSea stream messages of an auction, as recorded in 2024-2026 (members and quirks:
 * docs/protocol/opensea.md): what the stand-in pushes. */
#include "common/base/buf.h"
#include "souk/demo/schedule.h"

struct frame_times {
	int64_t now_ms;
	int64_t starts_ms;  /* of the listing or bid */
	int64_t expires_ms; /* 0: null */
};

/* Each appends {"event_type":…,"version":…,"sent_at":…,"payload":{…}}. 0 or -EIO (no digest). */
int frame_listed(struct buf *b, const struct auction *a, const struct frame_times *t);
int frame_bid(struct buf *b, const struct schedule *s, const struct auction *a, uint32_t bid,
	const struct frame_times *t);
int frame_bid_cancelled(struct buf *b, const struct schedule *s, const struct auction *a,
	uint32_t bid, const struct frame_times *t);
int frame_sold(struct buf *b, const struct schedule *s, const struct auction *a,
	const struct frame_times *t);
int frame_transferred(struct buf *b, const struct schedule *s, const struct auction *a,
	const struct frame_times *t);

/* Fees of a sale in the stand-in's collection: 2.5 % of the market, 5 % of the artist. */
#define FRAME_MARKET_FEE_BPS 250
#define FRAME_ARTIST_FEE_BPS 500
