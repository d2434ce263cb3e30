#pragma once

/*
 * Prices live offers again, in batches over all partitions of the process: offers of one item are
 * spread over the partitions of those who asked, and in one pipeline its rows are read once. One
 * batch at a time; what becomes ready meanwhile is the next.
 */
#include "common/base/cleanup.h"
#include "common/io/cache.h"
#include "common/io/loop.h"
#include "pricing/join.h"

struct partition;
struct reviser;

/* 0 or -ENOMEM. */
MUST_CHECK int reviser_new(
	struct reviser **ret, struct loop *loop, struct cache *cache, struct join *join);
/* After the partitions, before the join. */
struct reviser *reviser_free(struct reviser *r);

/* @p has ready offers. */
void reviser_want(struct reviser *r, struct partition *p);
/* @p goes; its offers are out of their table. */
void reviser_leave(struct reviser *r, struct partition *p);
