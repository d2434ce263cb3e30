/*
 * A chained hash over an array that grows up to the maximum: a shopper has a handful of live
 * offers, a session that acts for many has thousands. The key is a digest, so that an id of any
 * length costs the same; who grinds ids until their digests share a chain slows down his own
 * session only.
 *
 * Entries stand in the order in which they were last raised. That is nearly the order in which they
 * run out, since all offers of a gateway live about equally long, and costs nothing to keep.
 */
#include "ws-server/shown.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "common/base/crypto.h"

#define FIRST_CAP 4
#define NONE      UINT32_MAX

struct shown_entry {
	struct shown_key key;
	struct version rev;
	int64_t until_ms;
	uint32_t next; /* in the chain, or of the free ones */
	uint32_t older, newer;
};

int shown_key(struct shown_key *ret, struct str user, struct str offer)
{
	uint8_t digest[SHA256_BYTES];
	char text[1 + 255 + 255];
	size_t n = 0;

	if (user.n > 255 || offer.n > 255)
		return -EIO;
	text[n++] = (char)(unsigned char)user.n;
	memcpy(text + n, user.p, user.n);
	n += user.n;
	memcpy(text + n, offer.p, offer.n);
	n += offer.n;
	if (crypto_sha256(digest, text, n) < 0)
		return -EIO;
	memcpy(ret->bytes, digest, SHOWN_KEY_BYTES);
	return 0;
}

void shown_init(struct shown *s, size_t max)
{
	assert(max > 0 && max < NONE);
	*s = (struct shown){ .max = (uint32_t)max, .free = NONE, .oldest = NONE, .newest = NONE };
}

void shown_fini(struct shown *s)
{
	free(s->entries);
	free(s->buckets);
	*s = (struct shown){ 0 };
}

static uint32_t *bucket(const struct shown *s, const struct shown_key *key)
{
	uint32_t h;

	memcpy(&h, key->bytes, sizeof(h));
	return &s->buckets[h & (s->n_buckets - 1)];
}

static uint32_t find(const struct shown *s, const struct shown_key *key)
{
	uint32_t at = s->n ? *bucket(s, key) : NONE;

	while (at != NONE && memcmp(&s->entries[at].key, key, sizeof(*key)) != 0)
		at = s->entries[at].next;
	return at;
}

/* ---- order ---- */

static void order_out(struct shown *s, uint32_t at)
{
	const struct shown_entry *e = &s->entries[at];

	*(e->older == NONE ? &s->oldest : &s->entries[e->older].newer) = e->newer;
	*(e->newer == NONE ? &s->newest : &s->entries[e->newer].older) = e->older;
}

static void order_in(struct shown *s, uint32_t at)
{
	struct shown_entry *e = &s->entries[at];

	e->older = s->newest;
	e->newer = NONE;
	*(s->newest == NONE ? &s->oldest : &s->entries[s->newest].newer) = at;
	s->newest = at;
}

/* ---- places ---- */

static void chain_in(struct shown *s, uint32_t at)
{
	uint32_t *first = bucket(s, &s->entries[at].key);

	s->entries[at].next = *first;
	*first = at;
}

static void drop_oldest(struct shown *s)
{
	uint32_t at = s->oldest;
	uint32_t *link = bucket(s, &s->entries[at].key);

	while (*link != at)
		link = &s->entries[*link].next;
	*link = s->entries[at].next;
	order_out(s, at);
	s->entries[at].next = s->free;
	s->free = at;
	s->n--;
}

/* All places are taken; there may be more. */
static int grow(struct shown *s)
{
	uint32_t cap = s->cap ? 2 * s->cap : FIRST_CAP, n_buckets = FIRST_CAP;
	struct shown_entry *entries;
	uint32_t *buckets;

	if (cap > s->max)
		cap = s->max;
	while (n_buckets < cap)
		n_buckets *= 2;
	assert(cap > s->cap);
	buckets = malloc(n_buckets * sizeof(*buckets));
	entries = buckets ? realloc(s->entries, cap * sizeof(*entries)) : NULL;
	if (!entries) {
		free(buckets);
		return -ENOMEM;
	}
	free(s->buckets);
	for (uint32_t i = 0; i < n_buckets; i++)
		buckets[i] = NONE;
	for (uint32_t i = cap; i-- > s->cap; s->free = i)
		entries[i].next = s->free;
	s->entries = entries;
	s->buckets = buckets;
	s->cap = cap;
	s->n_buckets = n_buckets;
	for (uint32_t i = s->oldest; i != NONE; i = entries[i].newer)
		chain_in(s, i);
	return 0;
}

/* A place for one more, or NONE without memory. */
static uint32_t place(struct shown *s, int64_t now_ms)
{
	uint32_t at;

	while (s->n && s->entries[s->oldest].until_ms < now_ms)
		drop_oldest(s);
	if (s->n == s->max) {
		drop_oldest(s);
		s->n_forgotten++;
	}
	if (s->free == NONE && grow(s) < 0)
		return NONE;
	at = s->free;
	s->free = s->entries[at].next;
	s->n++;
	return at;
}

bool shown_has(const struct shown *s, const struct shown_key *key)
{
	return find(s, key) != NONE;
}

bool shown_raise(struct shown *s, const struct shown_key *key, struct version rev, int64_t until_ms,
	int64_t now_ms)
{
	uint32_t at = find(s, key);

	if (at != NONE) {
		if (version_cmp(rev, s->entries[at].rev) <= 0)
			return false;
		order_out(s, at);
	} else {
		at = place(s, now_ms);
		if (at == NONE)
			return false;
		s->entries[at].key = *key;
		chain_in(s, at);
	}
	s->entries[at].rev = rev;
	s->entries[at].until_ms = until_ms;
	order_in(s, at);
	return true;
}
