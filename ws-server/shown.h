#pragma once

/*
 * What a session has been told of each offer: the newest revision, so that a client never sees a
 * revision twice and never a lower one after a higher one. A second table does the same for orders
 * and the `n` of their states.
 *
 * Belongs to one session; at most @max entries. When full, the one that was raised longest ago is
 * forgotten (counted in n_forgotten); entries also go once their time is over.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"
#include "common/model/version.h"

#define SHOWN_KEY_BYTES 16

/* An offer of a user: a session that acts for many keeps them apart. Or whatever else two texts
 * name. */
struct shown_key {
	uint8_t bytes[SHOWN_KEY_BYTES];
};

struct shown_entry;

struct shown {
	struct shown_entry *entries;
	uint32_t *buckets; /* n_buckets, a power of two: first of the chain */
	uint32_t n, cap, max, n_buckets;
	uint32_t free, oldest, newest;
	uint64_t n_forgotten;
};

/* 0 or -EIO. */
MUST_CHECK int shown_key(struct shown_key *ret, struct str user, struct str offer);

/* @max: at least 1. Takes memory as it fills. */
void shown_init(struct shown *s, size_t max);
void shown_fini(struct shown *s);

/* Was something of @key shown, and is not forgotten? */
bool shown_has(const struct shown *s, const struct shown_key *key);

/* Is @rev higher than what was shown of @key? Then it is remembered until @until_ms. Without
 * memory: not shown. */
bool shown_raise(struct shown *s, const struct shown_key *key, struct version rev, int64_t until_ms,
	int64_t now_ms);
