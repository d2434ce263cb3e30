/*
 * Chained buckets and one list. The hash starts from a random seed, so that keys which users choose
 * cannot be made to meet in one bucket.
 */
#include "pricing/keyed.h"

#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "common/base/crypto.h"

struct entry {
	struct entry *next; /* in its bucket */
	TAILQ_ENTRY(entry) link;
	uint64_t hash;
	char *key;
	size_t n_key;
	alignas(max_align_t) char value[]; /* and the key behind it */
};

struct keyed {
	size_t max, value_size;
	uint64_t seed;
	size_t n, n_buckets;
	uint64_t evicted;
	TAILQ_HEAD(entries, entry) order; /* oldest first */
	struct entry *bucket[];
};

static uint64_t mixed(uint64_t h)
{
	h *= UINT64_C(0x9e3779b97f4a7c15);
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	return h ^ h >> 29;
}

static uint64_t hash_of(const struct keyed *k, struct str key)
{
	uint64_t h = k->seed ^ key.n, word;
	size_t i = 0;

	for (; i + sizeof(word) <= key.n; i += sizeof(word)) {
		memcpy(&word, key.p + i, sizeof(word));
		h = mixed(h ^ word);
	}
	word = 0;
	if (key.n > i)
		memcpy(&word, key.p + i, key.n - i);
	return mixed(h ^ word);
}

int keyed_new(struct keyed **ret, size_t max, size_t value_size)
{
	struct keyed *k;
	size_t n_buckets = 16;

	assert(max > 0);
	while (n_buckets < max)
		n_buckets *= 2;
	k = calloc(1, sizeof(*k) + n_buckets * sizeof(k->bucket[0]));
	if (!k)
		return -ENOMEM;
	k->max = max;
	k->value_size = value_size;
	k->n_buckets = n_buckets;
	TAILQ_INIT(&k->order);
	if (crypto_random(&k->seed, sizeof(k->seed)) != 0) {
		free(k);
		return -EIO;
	}
	*ret = k;
	return 0;
}

static struct entry **slot(const struct keyed *k, struct str key, uint64_t hash)
{
	struct entry **at = (struct entry **)&k->bucket[hash & (k->n_buckets - 1)];

	while (*at &&
		((*at)->hash != hash || !str_eq((struct str){ (*at)->key, (*at)->n_key }, key)))
		at = &(*at)->next;
	return at;
}

static void drop(struct keyed *k, struct entry **at)
{
	struct entry *e = *at;

	*at = e->next;
	TAILQ_REMOVE(&k->order, e, link);
	k->n--;
	free(e);
}

static void drop_oldest(struct keyed *k)
{
	struct entry *e = TAILQ_FIRST(&k->order);

	drop(k, slot(k, (struct str){ e->key, e->n_key }, e->hash));
}

void keyed_clear(struct keyed *k)
{
	while (k->n)
		drop_oldest(k);
}

struct keyed *keyed_free(struct keyed *k)
{
	if (!k)
		return NULL;
	keyed_clear(k);
	free(k);
	return NULL;
}

void *keyed_get(const struct keyed *k, struct str key)
{
	struct entry *e = *slot(k, key, hash_of(k, key));

	return e ? e->value : NULL;
}

void *keyed_put(struct keyed *k, struct str key)
{
	uint64_t hash = hash_of(k, key);
	struct entry *e = *slot(k, key, hash);

	if (e) {
		TAILQ_REMOVE(&k->order, e, link);
		TAILQ_INSERT_TAIL(&k->order, e, link);
		return e->value;
	}
	e = calloc(1, sizeof(*e) + k->value_size + key.n + 1);
	if (!e)
		return NULL;
	if (k->n == k->max) {
		drop_oldest(k);
		k->evicted++;
	}
	e->hash = hash;
	e->key = e->value + k->value_size;
	e->n_key = key.n;
	if (key.n)
		memcpy(e->key, key.p, key.n);
	e->next = k->bucket[hash & (k->n_buckets - 1)];
	k->bucket[hash & (k->n_buckets - 1)] = e;
	TAILQ_INSERT_TAIL(&k->order, e, link);
	k->n++;
	return e->value;
}

void keyed_remove(struct keyed *k, struct str key)
{
	struct entry **at = slot(k, key, hash_of(k, key));

	if (*at)
		drop(k, at);
}

void *keyed_oldest(const struct keyed *k, struct str *ret_key)
{
	struct entry *e = TAILQ_FIRST(&k->order);

	if (e && ret_key)
		*ret_key = (struct str){ e->key, e->n_key };
	return e ? e->value : NULL;
}

size_t keyed_count(const struct keyed *k)
{
	return k->n;
}

uint64_t keyed_evicted(const struct keyed *k)
{
	return k->evicted;
}
