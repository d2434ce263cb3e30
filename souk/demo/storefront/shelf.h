#pragma once

/*
 * What stands in the halls now: chosen by the schedule, with prices and stock as Redis has them.
 *
 *	GET /api/items
 *	{"now":ms,"items":[{"item":"eip155:1/erc721:0x…/77","title":"Foundation #77","hall":"arena",
 *	 "list":money,"bid":money?,"bids":3,"next_in_ms":800?,"ends_in_ms":41000?,"sold":false}]}
 *
 * Halls: "arena" (its auction ran when it was put up), "atrium" (the latest arrivals then),
 * "gallery-1" (the rest). `next_in_ms`: when something happens to it on the market next, which only
 * a demo can know; `ends_in_ms`: of a running auction. `sold`: gone in the auction, or no unit is
 * left; such an item stays for SHELF_SOLD_MS and is then taken away for good. An item whose row is
 * not in Redis yet is left out.
 */
#include "common/io/cache.h"
#include "souk/demo/schedule.h"
#include "souk/demo/storefront/server.h"
#include "souk/demo/story.h"

#define SHELF_ARENA_MAX   24
#define SHELF_ATRIUM_MAX  12
#define SHELF_GALLERY_MAX 24
#define SHELF_ITEMS_MAX   (SHELF_ARENA_MAX + SHELF_ATRIUM_MAX + SHELF_GALLERY_MAX)
#define SHELF_SOLD_MS     5000

struct shelf;

/* Borrows all. 0 or -ENOMEM. */
MUST_CHECK int shelf_new(struct shelf **ret, struct loop *loop, struct cache *cache,
	const struct schedule *s, const struct story *story);
struct shelf *shelf_free(struct shelf *h); /* before the cache */
DEFINE_CLEANUP(struct shelf *, shelf_free)

/* Chooses anew and asks Redis; while an earlier question is out, does nothing. Called once a second
 * by a timer of its own, too. */
void shelf_refresh(struct shelf *h);

/* server_fn; @ctx is the shelf. 503 before the first answer of Redis. */
int shelf_answer(void *ctx, struct str query, struct buf *body);
