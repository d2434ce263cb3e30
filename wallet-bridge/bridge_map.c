#include "wallet-bridge/bridge_map.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "common/base/crypto.h"

#define SLOTS_MIN 64

/* FNV-1a with a secret start, and a finish that spreads the high bits. */
static uint64_t hash_of(const struct bridge_map *m, struct str key)
{
	uint64_t h = m->seed;

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (unsigned char)key.p[i]) * UINT64_C(1099511628211);
	h ^= h >> 32;
	return h * UINT64_C(0x9e3779b97f4a7c15);
}

static struct bridge_map_node **slot_of(const struct bridge_map *m, uint64_t hash)
{
	return &m->slots[(hash >> 16) & (m->n_slots - 1)];
}

int bridge_map_init(struct bridge_map *m)
{
	*m = (struct bridge_map){ .slots = calloc(SLOTS_MIN, sizeof(*m->slots)) };
	if (!m->slots)
		return -ENOMEM;
	m->n_slots = SLOTS_MIN;
	return crypto_random(&m->seed, sizeof(m->seed));
}

void bridge_map_fini(struct bridge_map *m)
{
	free(m->slots);
	*m = (struct bridge_map){ 0 };
}

struct bridge_map_node *bridge_map_get(const struct bridge_map *m, struct str key)
{
	uint64_t hash = hash_of(m, key);

	for (struct bridge_map_node *node = *slot_of(m, hash); node; node = node->next) {
		if (node->hash == hash && str_eq(node->key, key))
			return node;
	}
	return NULL;
}

static void grow(struct bridge_map *m)
{
	struct bridge_map bigger = *m;

	bigger.n_slots = 2 * m->n_slots;
	bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
	if (!bigger.slots)
		return;
	for (size_t i = 0; i < m->n_slots; i++) {
		struct bridge_map_node *node;

		while ((node = m->slots[i])) {
			struct bridge_map_node **slot = slot_of(&bigger, node->hash);

			m->slots[i] = node->next;
			node->next = *slot;
			*slot = node;
		}
	}
	free(m->slots);
	*m = bigger;
}

void bridge_map_put(struct bridge_map *m, struct bridge_map_node *node)
{
	struct bridge_map_node **slot;

	if (m->n >= m->n_slots)
		grow(m);
	node->hash = hash_of(m, node->key);
	slot = slot_of(m, node->hash);
	node->next = *slot;
	*slot = node;
	m->n++;
}

void bridge_map_remove(struct bridge_map *m, struct bridge_map_node *node)
{
	struct bridge_map_node **at = slot_of(m, node->hash);

	while (*at != node) {
		assert(*at);
		at = &(*at)->next;
	}
	*at = node->next;
	m->n--;
}

void bridge_map_empty(
	struct bridge_map *m, void (*fn)(void *ctx, struct bridge_map_node *node), void *ctx)
{
	for (size_t i = 0; i < m->n_slots; i++) {
		struct bridge_map_node *node;

		while ((node = m->slots[i])) {
			m->slots[i] = node->next;
			m->n--;
			fn(ctx, node);
		}
	}
}

void bridge_map_each(
	const struct bridge_map *m, void (*fn)(void *ctx, struct bridge_map_node *node), void *ctx)
{
	for (size_t i = 0; i < m->n_slots; i++) {
		for (struct bridge_map_node *node = m->slots[i]; node; node = node->next)
			fn(ctx, node);
	}
}
