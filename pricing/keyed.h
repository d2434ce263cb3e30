#pragma once

/*
 * A bounded map from a text to a value of fixed size, in order of last put. When full, the entry
 * put longest ago goes. Values are zeroed at birth, do not move, and live until their entry is
 * removed or evicted.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"

struct keyed;

/* 0, -ENOMEM or -EIO (no random seed: users choose keys). */
MUST_CHECK int keyed_new(struct keyed **ret, size_t max, size_t value_size);
struct keyed *keyed_free(struct keyed *k);
DEFINE_CLEANUP(struct keyed *, keyed_free)

/* NULL if it is not there; does not change the order. */
void *keyed_get(const struct keyed *k, struct str key);
/* Finds or adds, and makes it the newest; copies @key. NULL when out of memory. */
void *keyed_put(struct keyed *k, struct str key);
void keyed_remove(struct keyed *k, struct str key);
/* The value put longest ago, NULL if empty; @ret_key may be NULL. */
void *keyed_oldest(const struct keyed *k, struct str *ret_key);
void keyed_clear(struct keyed *k);
size_t keyed_count(const struct keyed *k);
uint64_t keyed_evicted(const struct keyed *k);
