/*
 * Ids are 128 random bits of ours, so their first bytes are hash enough for the table; what the
 * offers topic asks for is compared in full.
 */
#include "ws-server/sessions.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base/crypto.h"
#include "ws-server/hash.h"

LIST_HEAD(bucket, sessions_entry);

struct sessions {
	TAILQ_HEAD(, sessions_entry) all;
	size_t n, max;
	size_t n_buckets; /* a power of two */
	struct bucket *buckets;
};

int sessions_new(struct sessions **ret, size_t max)
{
	CLEANUP(sessions_free) struct sessions *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	TAILQ_INIT(&t->all);
	t->max = max;
	for (t->n_buckets = 16; t->n_buckets < max;)
		t->n_buckets *= 2;
	t->buckets = calloc(t->n_buckets, sizeof(*t->buckets));
	if (!t->buckets)
		return -ENOMEM;
	*ret = TAKE(t);
	return 0;
}

struct sessions *sessions_free(struct sessions *t)
{
	if (!t)
		return NULL;
	assert(t->n == 0);
	free(t->buckets);
	free(t);
	return NULL;
}

static struct bucket *bucket_of(const struct sessions *t, struct str id)
{
	return &t->buckets[hash_text(id, HASH_FNV) & (t->n_buckets - 1)];
}

int sessions_add(struct sessions *t, struct sessions_entry *e, struct session *session)
{
	uint8_t random[16];

	if (t->n == t->max)
		return SESSIONS_E_FULL;
	if (crypto_random(random, sizeof(random)) < 0)
		return -EIO;
	e->id[0] = 's';
	e->id[1] = '_';
	base64url_encode(e->id + 2, random, sizeof(random));
	e->session = session;
	LIST_INSERT_HEAD(bucket_of(t, str_of(e->id)), e, in_bucket);
	TAILQ_INSERT_TAIL(&t->all, e, in_all);
	t->n++;
	return 0;
}

void sessions_remove(struct sessions *t, struct sessions_entry *e)
{
	LIST_REMOVE(e, in_bucket);
	TAILQ_REMOVE(&t->all, e, in_all);
	t->n--;
}

struct session *sessions_find(const struct sessions *t, struct str id)
{
	struct sessions_entry *e;

	LIST_FOREACH(e, bucket_of(t, id), in_bucket)
		if (str_eqz(id, e->id))
			return e->session;
	return NULL;
}

size_t sessions_count(const struct sessions *t)
{
	return t->n;
}

struct session *sessions_first(const struct sessions *t)
{
	struct sessions_entry *e = TAILQ_FIRST(&t->all);

	return e ? e->session : NULL;
}

struct session *sessions_next(const struct sessions_entry *e)
{
	struct sessions_entry *next = TAILQ_NEXT(e, in_all);

	return next ? next->session : NULL;
}
