#pragma once

/*
 * The items of one partition: what its inventory and market rows say, what the requests log will
 * say once everything under way is in it, and which of it still has to be written elsewhere.
 *
 * The stock itself is the fold's (request_log.h); here are only the units that requests on their
 * way will take.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/io/bus.h"
#include "common/model/tables.h"
#include "wallet-bridge/bridge_map.h"

struct goods {
	struct bridge_map_node node;
	struct str item;

	/* inventory.v1 */
	bool has_row;  /* one that is not deleted */
	bool is_known; /* a row or a delete was met */
	struct version row_ver;
	int64_t row_offset;
	int64_t row_supply;
	struct money cost;
	char *seller, *collection; /* owned; NULL = absent */

	/* market.bestbid.v1 */
	struct version bid_ver;
	int64_t bid_offset;
	struct money bid_net;

	/* the requests log, with everything under way */
	bool has_supply;
	struct version supply_ver;
	int64_t supply;
	int64_t tentative; /* requests under way */
	TAILQ_ENTRY(goods) due;
	bool is_due; /* a supply is to be written */

	/* stock.v1 */
	int64_t snapshot_through; /* of the newest snapshot there, 0 = none */
	TAILQ_ENTRY(goods) late;
	bool is_late;    /* a snapshot is to be written, at snapshot_us */
	bool is_sending; /* a snapshot is on its way */
	int64_t snapshot_us;

	/* the view in Redis */
	uint64_t n; /* second part of its version: changes of this partition */
	TAILQ_ENTRY(goods) dirty;
	bool is_dirty;
	bool is_writing;

	char text[];
};
TAILQ_HEAD(goods_list, goods);

struct goods_table {
	struct bridge_map by_item;
	size_t max;
};

/* The goods of a node of by_item. */
static inline struct goods *goods_entry(struct bridge_map_node *node)
{
	return (struct goods *)(void *)((char *)node - offsetof(struct goods, node));
}

MUST_CHECK int goods_table_init(struct goods_table *t, size_t max);
void goods_table_fini(struct goods_table *t); /* accepts a zeroed table */
/* NULL if it is not there. */
struct goods *goods_get(const struct goods_table *t, struct str item);

enum { GOODS_E_FULL = 1 };
/* Finds or adds. 0, GOODS_E_FULL, -ENOMEM. */
MUST_CHECK int goods_put(struct goods_table *t, struct str item, struct goods **ret);

/* An inventory row, or a delete (@inv NULL) with the text of its x-souk-ver (may be absent), from
 * @offset. Rows that are not newer change nothing. 0 or -ENOMEM. */
MUST_CHECK int goods_inventory(
	struct goods *g, const struct inventory *inv, struct str ver, int64_t offset);
/* Likewise the market's. */
void goods_bid(struct goods *g, const struct bestbid *bid, struct str ver, int64_t offset);

/* The supply that the log should have; false if what it has, or will have, is it. A delete without
 * a version goes one above what is there in the fourth part. */
bool goods_supply_due(const struct goods *g, struct version *ret_ver, int64_t *ret_supply);
