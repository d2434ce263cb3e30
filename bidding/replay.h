#pragma once

/*
 * Reading a collection's book back from market.events.v1: its records from the beginning of the
 * partition up to our own owner record.
 *
 * Void records are left out: those below an owner record of the collection that name a lower epoch,
 * or none.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bidding/book.h"
#include "bidding/collection.h"
#include "common/base/cleanup.h"
#include "common/base/metrics.h"
#include "common/io/bus.h"
#include "common/io/loop.h"

struct replay;

struct replay_result {
	uint64_t n_events, n_void, n_bad;
};

typedef void (*replay_done_fn)(void *ctx, const struct replay_result *result);

/* Borrows all it is given until it is freed; @done comes from the loop, once. 0, -ENOMEM, or what
 * the bus says. */
MUST_CHECK int replay_start(struct replay **ret, struct loop *loop, struct bus *bus,
	const struct collection *c, struct book *book, int32_t partition, int64_t until,
	struct metrics *m, replay_done_fn done, void *ctx);
/* Also from inside @done. */
struct replay *replay_free(struct replay *r);

/* Whether @record is an owner record of @c, and whose: the instance lies in @a. */
struct str replay_owner_of(
	const struct collection *c, const struct bus_record *record, struct arena *a);
