#pragma once

/*
 * Reply slot: the partition of nft.offers.v1 at which this gateway is answered.
 *
 * A lease `gw:{<slot>}` in Redis with a random epoch as its value, taken with SET NX PX and renewed
 * by compare-and-pexpire. The holder trusts only its own monotonic deadline, counted from before
 * the command was given and cut by a margin for the difference of clocks: reply_slot_is_held() is
 * asked before every acknowledgement. A key that is gone (a flush) is taken again with the same
 * epoch before the deadline; past it, or in other hands, the slot is lost and another one is
 * sought.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"
#include "common/io/bus.h"
#include "common/io/cache.h"
#include "common/io/loop.h"

#define REPLY_SLOT_TTL_MS    10000
#define REPLY_SLOT_RENEW_MS  3000
#define REPLY_SLOT_MARGIN_MS 500
#define REPLY_SLOT_EPOCH_MAX 21 /* 20 digits and a NUL */

struct reply_slot;

struct reply_slot_ops {
	/* Ours now. @epoch lives until lost(). */
	void (*taken)(void *ctx, int32_t slot, const char *epoch);
	void (*lost)(void *ctx, int32_t slot, const char *epoch);
	/* Still ours, every REPLY_SLOT_RENEW_MS or so. May be NULL. */
	void (*kept)(void *ctx, int32_t slot, const char *epoch);
};

/* Starts seeking; @topic is borrowed. 0, -ENOMEM or -EIO (no randomness). */
MUST_CHECK int reply_slot_new(struct reply_slot **ret, struct loop *loop, struct bus *bus,
	struct cache *cache, const char *topic, const struct reply_slot_ops *ops, void *ctx);
/* The lease is left to expire unless dropped. No callback afterwards. A command may still be in
 * flight: the loop must not run again before the cache is freed. */
struct reply_slot *reply_slot_free(struct reply_slot *s);
DEFINE_CLEANUP(struct reply_slot *, reply_slot_free)

/* Held at this very moment. */
bool reply_slot_is_held(const struct reply_slot *s);
/* The slot, while held; -1 otherwise. */
int32_t reply_slot_number(const struct reply_slot *s);
struct str reply_slot_epoch(const struct reply_slot *s);
/* Counts the slots taken so far: the same number means the same slot and epoch without a gap. */
uint64_t reply_slot_term(const struct reply_slot *s);
/* Gives the lease back and seeks no other: the end of a drain. lost() is not called. */
void reply_slot_drop(struct reply_slot *s);
