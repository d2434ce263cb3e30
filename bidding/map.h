#pragma once

/*
 * A hash table of nodes that live inside the caller's structs, found by bytes. Its bucket array is
 * made once, for the maximum the caller allows: the caller counts, the map never grows.
 *
 * Keys come from outside, so the hash is keyed with a random seed.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"

struct bidding_map_node {
	struct bidding_map_node *next;
	struct str key; /* borrows: lives as long as the node is in the map */
	uint64_t hash;
};

struct bidding_map {
	struct bidding_map_node **buckets;
	size_t mask;
	size_t n;
	uint64_t seed;
};

/* 0 or -ENOMEM. */
MUST_CHECK int bidding_map_init(struct bidding_map *m, size_t max, uint64_t seed);
void bidding_map_fini(struct bidding_map *m); /* the nodes are the caller's */

struct bidding_map_node *bidding_map_find(const struct bidding_map *m, struct str key);
/* @node->key is set and not in the map. */
void bidding_map_add(struct bidding_map *m, struct bidding_map_node *node);
void bidding_map_remove(struct bidding_map *m, struct bidding_map_node *node);
