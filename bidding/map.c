/*
 * The hash multiplies 64-bit words into 128 bits and folds (the step of wyhash, public domain):
 * enough against keys that were chosen to collide, as long as the seed is not known.
 */
#include "bidding/map.h"

#include <errno.h>
#include <stdlib.h>

#include "common/model/money.h" /* u128 */

static uint64_t fold(uint64_t a, uint64_t b)
{
	u128 r = (u128)a * b;

	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

static uint64_t hash_of(struct str key, uint64_t seed)
{
	uint64_t h = seed ^ key.n;

	for (size_t i = 0; i < key.n; i += 8) {
		uint64_t w = 0;

		memcpy(&w, key.p + i, key.n - i < 8 ? key.n - i : 8);
		h = fold(h ^ w ^ 0xa0761d6478bd642fu, seed ^ 0xe7037ed1a0b428dbu ^ (h << 1));
	}
	return fold(h, 0x8ebc6af09c88c6e3u);
}

int bidding_map_init(struct bidding_map *m, size_t max, uint64_t seed)
{
	size_t n = 16;

	while (n < max && n < SIZE_MAX / 2)
		n *= 2;
	*m = (struct bidding_map){
		.buckets = calloc(n, sizeof(struct bidding_map_node *)), .mask = n - 1, .seed = seed
	};
	return m->buckets ? 0 : -ENOMEM;
}

void bidding_map_fini(struct bidding_map *m)
{
	free(m->buckets);
	*m = (struct bidding_map){ 0 };
}

struct bidding_map_node *bidding_map_find(const struct bidding_map *m, struct str key)
{
	uint64_t h = hash_of(key, m->seed);
	struct bidding_map_node *node = m->buckets[h & m->mask];

	while (node && !(node->hash == h && str_eq(node->key, key)))
		node = node->next;
	return node;
}

void bidding_map_add(struct bidding_map *m, struct bidding_map_node *node)
{
	struct bidding_map_node **bucket;

	node->hash = hash_of(node->key, m->seed);
	bucket = &m->buckets[node->hash & m->mask];
	node->next = *bucket;
	*bucket = node;
	m->n++;
}

void bidding_map_remove(struct bidding_map *m, struct bidding_map_node *node)
{
	struct bidding_map_node **at = &m->buckets[node->hash & m->mask];

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	m->n--;
}
