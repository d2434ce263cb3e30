#pragma once

/*
 * A hash map from texts to structs that hold their own node. The map owns neither: keys and structs
 * are its caller's, who bounds their number. Hashes are seeded, because users choose keys.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"

struct bridge_map_node {
	struct bridge_map_node *next;
	uint64_t hash;
	struct str key; /* borrowed */
};

struct bridge_map {
	struct bridge_map_node **slots;
	size_t n_slots, n;
	uint64_t seed;
};

/* 0, -ENOMEM or -EIO (no randomness). */
MUST_CHECK int bridge_map_init(struct bridge_map *m);
void bridge_map_fini(struct bridge_map *m); /* accepts a zeroed map */

struct bridge_map_node *bridge_map_get(const struct bridge_map *m, struct str key);
/* @node->key is set and not in the map. Cannot fail: without memory to grow, chains get longer. */
void bridge_map_put(struct bridge_map *m, struct bridge_map_node *node);
void bridge_map_remove(struct bridge_map *m, struct bridge_map_node *node);
/* Takes out all, one after the other: @fn may free its node. */
void bridge_map_empty(
	struct bridge_map *m, void (*fn)(void *ctx, struct bridge_map_node *node), void *ctx);
/* All, in no order; the map may not be changed meanwhile. */
void bridge_map_each(
	const struct bridge_map *m, void (*fn)(void *ctx, struct bridge_map_node *node), void *ctx);
