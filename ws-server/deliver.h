#pragma once

/*
 * Offers in: the partitions of nft.offers.v1 at which this gateway is answered, routed to sessions.
 *
 * Dropped, each with a counter: records of another slot epoch, records below the owner epoch seen
 * for their shard, revisions not above what the session was shown, offers that have run out, and
 * what is for no session of ours. A slot that was lost is read on for as long as an offer can live:
 * what was acknowledged under its epoch is still answered there.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "ws-server/gateway.h"

#define DELIVER_SLOTS_MAX  4    /* the one held and the last ones lost */
#define DELIVER_SHARDS_MAX 4096 /* interest partitions; beyond it owner epochs are not compared */

/* 0, -ENOMEM, or bus_reader_open's errors. */
MUST_CHECK int deliver_new(struct deliver **ret, struct gateway *g);
struct deliver *deliver_free(struct deliver *d);
DEFINE_CLEANUP(struct deliver *, deliver_free)

/* Reads @slot from its end on, for records of @epoch (copied). Changes nothing if it does already;
 * where the bus refuses, it is to be asked again. */
void deliver_follow(struct deliver *d, int32_t slot, const char *epoch);
/* That slot and epoch are no longer ours: read on for a while. */
void deliver_retire(struct deliver *d, int32_t slot, const char *epoch);
/* Reading of @slot has begun: an offer written from now on is seen. */
bool deliver_is_following(const struct deliver *d, int32_t slot);
