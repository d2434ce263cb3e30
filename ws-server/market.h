#pragma once

/*
 * The market as this gateway knows it: the newest row of each item of market.bestbid.v1, which is
 * read once, from its beginning, whoever watches.
 *
 * At most limits.market_items. When full, the item that nobody watches and that moved longest ago
 * is forgotten (counted); if all are watched, a new one is not taken (counted).
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"
#include "common/model/money.h"
#include "common/model/version.h"
#include "ws-server/shown.h"

struct gateway;
struct market;
struct watch;

struct market_item {
	LIST_ENTRY(market_item) in_bucket;
	TAILQ_ENTRY(market_item) in_idle; /* while nobody watches */
	LIST_HEAD(, watch) watches;
	struct shown_key key; /* in outboxes */
	bool has_row;         /* or only watched */
	bool is_gone;         /* deleted: no values; its version still counts */
	struct version ver;
	struct money bid, ask, floor, last_sale; /* currency 0: none */
	int64_t as_of;
	size_t n;
	char id[];
};

static inline struct str market_item_id(const struct market_item *i)
{
	return (struct str){ i->id, i->n };
}

/* Begins to read. 0, -ENOMEM, -EIO (no randomness), or bus_reader_open's errors. */
MUST_CHECK int market_new(struct market **ret, struct gateway *g);
/* Nothing may be watched any more. */
struct market *market_free(struct market *m);
DEFINE_CLEANUP(struct market *, market_free)

/* NULL: not known. */
struct market_item *market_find(const struct market *m, struct str item);
/* For a first watch: known or not, it stays from now on. NULL: no place or memory. */
struct market_item *market_hold(struct market *m, struct str item);
/* Its last watch has gone. */
void market_release(struct market *m, struct market_item *i);
