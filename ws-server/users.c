/*
 * A chained hash over entries that also stand in a list of their session. Users are chosen by
 * clients or by who makes their tokens, so the hash is seeded.
 */
#include "ws-server/users.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "common/base/crypto.h"
#include "ws-server/hash.h"

struct users_entry {
	LIST_ENTRY(users_entry) in_bucket;
	TAILQ_ENTRY(users_entry) in_session;
	struct session *session;
	size_t n;
	char user[];
};

LIST_HEAD(users_bucket, users_entry);

struct users {
	uint64_t seed;
	size_t n;
	size_t n_buckets; /* a power of two */
	struct users_bucket *buckets;
};

int users_new(struct users **ret, size_t n)
{
	CLEANUP(users_free) struct users *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	for (t->n_buckets = 16; t->n_buckets < n;)
		t->n_buckets *= 2;
	t->buckets = calloc(t->n_buckets, sizeof(*t->buckets));
	if (!t->buckets)
		return -ENOMEM;
	if (crypto_random(&t->seed, sizeof(t->seed)) < 0)
		return -EIO;
	*ret = TAKE(t);
	return 0;
}

struct users *users_free(struct users *t)
{
	if (!t)
		return NULL;
	assert(t->n == 0);
	free(t->buckets);
	free(t);
	return NULL;
}

static struct users_bucket *bucket_of(const struct users *t, struct str user)
{
	return &t->buckets[hash_text(user, t->seed) & (t->n_buckets - 1)];
}

static void remove_entry(struct users *t, struct users_of *of, struct users_entry *e)
{
	LIST_REMOVE(e, in_bucket);
	TAILQ_REMOVE(&of->entries, e, in_session);
	of->n--;
	t->n--;
	free(e);
}

void users_of_init(struct users_of *of, struct session *session, size_t max)
{
	assert(max > 0);
	*of = (struct users_of){ .session = session, .max = max };
	TAILQ_INIT(&of->entries);
}

void users_of_fini(struct users *t, struct users_of *of)
{
	struct users_entry *e;

	if (of->max == 0)
		return; /* never connected */
	while ((e = TAILQ_FIRST(&of->entries)))
		remove_entry(t, of, e);
}

static bool is_user(const struct users_entry *e, struct str user)
{
	return str_eq((struct str){ e->user, e->n }, user);
}

static struct users_entry *find(const struct users *t, const struct users_of *of, struct str user)
{
	struct users_entry *e;

	LIST_FOREACH(e, bucket_of(t, user), in_bucket)
		if (e->session == of->session && is_user(e, user))
			return e;
	return NULL;
}

void users_add(struct users *t, struct users_of *of, struct str user)
{
	struct users_entry *e = find(t, of, user);

	if (e) {
		TAILQ_REMOVE(&of->entries, e, in_session);
		TAILQ_INSERT_TAIL(&of->entries, e, in_session);
		return;
	}
	if (of->n == of->max) {
		remove_entry(t, of, TAILQ_FIRST(&of->entries));
		of->n_forgotten++;
	}
	e = malloc(sizeof(*e) + user.n);
	if (!e) {
		of->n_forgotten++;
		return;
	}
	e->session = of->session;
	e->n = user.n;
	memcpy(e->user, user.p, user.n);
	LIST_INSERT_HEAD(bucket_of(t, user), e, in_bucket);
	TAILQ_INSERT_TAIL(&of->entries, e, in_session);
	of->n++;
	t->n++;
}

const struct users_entry *users_next(
	const struct users *t, struct str user, const struct users_entry *after)
{
	const struct users_entry *e =
		after ? LIST_NEXT(after, in_bucket) : LIST_FIRST(bucket_of(t, user));

	while (e && !is_user(e, user))
		e = LIST_NEXT(e, in_bucket);
	return e;
}

struct session *users_session(const struct users_entry *e)
{
	return e->session;
}
