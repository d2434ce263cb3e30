/*
 * All entries live equally long, so a ring in order of arrival is also a ring in order of expiry; a
 * chained index over its places finds them. Everything is allocated at start. Ids are digests of
 * what clients choose: the seed keeps them from choosing their chain.
 */
#include "ws-server/idempotency.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "ws-server/hash.h"

#define NO_PLACE UINT32_MAX

struct entry {
	struct id id;
	uint32_t next; /* in the chain */
	int64_t until_ms;
};

struct idempotency {
	uint64_t seed;
	int64_t life_ms;
	uint64_t n_forgotten;
	uint32_t n_buckets; /* a power of two */
	uint32_t *buckets;
	uint32_t max, first, n;
	uint8_t (*bodies)[SHA256_BYTES]; /* of the entries; NULL: they have none */
	struct entry entries[];
};

static uint32_t *bucket(const struct idempotency *t, const struct id *id)
{
	return &t->buckets[hash_text(id_str(id), t->seed) & (t->n_buckets - 1)];
}

int idempotency_new(struct idempotency **ret, size_t max, int64_t life_ms, bool has_bodies)
{
	CLEANUP(idempotency_free)
	struct idempotency *t = calloc(1, sizeof(*t) + max * sizeof(t->entries[0]));

	if (!t)
		return -ENOMEM;
	t->max = (uint32_t)max;
	t->life_ms = life_ms;
	for (t->n_buckets = 16; t->n_buckets < max;)
		t->n_buckets *= 2;
	t->buckets = malloc(t->n_buckets * sizeof(*t->buckets));
	if (has_bodies)
		t->bodies = malloc(max * sizeof(*t->bodies));
	if (!t->buckets || (has_bodies && !t->bodies))
		return -ENOMEM;
	for (uint32_t i = 0; i < t->n_buckets; i++)
		t->buckets[i] = NO_PLACE;
	if (crypto_random(&t->seed, sizeof(t->seed)) < 0)
		return -EIO;
	*ret = TAKE(t);
	return 0;
}

struct idempotency *idempotency_free(struct idempotency *t)
{
	if (!t)
		return NULL;
	free(t->buckets);
	free(t->bodies);
	free(t);
	return NULL;
}

static const struct entry *find(const struct idempotency *t, const struct id *id)
{
	uint32_t at = *bucket(t, id);

	while (at != NO_PLACE && strcmp(t->entries[at].id.text, id->text) != 0)
		at = t->entries[at].next;
	return at == NO_PLACE ? NULL : &t->entries[at];
}

static void drop_first(struct idempotency *t)
{
	struct entry *e = &t->entries[t->first];
	uint32_t *at = bucket(t, &e->id);

	assert(t->max > 0 && t->n > 0);
	while (*at != t->first)
		at = &t->entries[*at].next;
	*at = e->next;
	t->first = (t->first + 1) % t->max;
	t->n--;
}

bool idempotency_has(const struct idempotency *t, const struct id *id, int64_t mono_ms)
{
	const struct entry *e = find(t, id);

	return e && e->until_ms > mono_ms;
}

const uint8_t *idempotency_body(const struct idempotency *t, const struct id *id, int64_t mono_ms)
{
	const struct entry *e = find(t, id);

	return e && e->until_ms > mono_ms ? t->bodies[e - t->entries] : NULL;
}

void idempotency_add(
	struct idempotency *t, const struct id *id, const uint8_t *body, int64_t mono_ms)
{
	uint32_t at, *chain;

	while (t->n > 0 && t->entries[t->first].until_ms <= mono_ms)
		drop_first(t);
	assert(!body == !t->bodies);
	if (find(t, id))
		return;
	if (t->n == t->max) {
		drop_first(t);
		t->n_forgotten++;
	}
	at = (t->first + t->n++) % t->max;
	chain = bucket(t, id);
	t->entries[at] = (struct entry){ *id, *chain, mono_ms + t->life_ms };
	if (body)
		memcpy(t->bodies[at], body, sizeof(t->bodies[at]));
	*chain = at;
}

uint64_t idempotency_forgotten(const struct idempotency *t)
{
	return t->n_forgotten;
}
