/*
 * An unsorted array, scanned: a shopper has a handful of live offers, and 56 bytes an entry keep
 * even a full table within a few cache lines' worth of microseconds. The key is a digest, so that
 * an id of any length costs the same.
 */
#include "ws-server/shown.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/crypto.h"

#define FIRST_CAP 4

struct shown_entry {
	struct shown_key key;
	struct version rev;
	int64_t until_ms;
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
	*s = (struct shown){ .max = max };
}

void shown_fini(struct shown *s)
{
	free(s->entries);
	*s = (struct shown){ .max = s->max };
}

static struct shown_entry *find(struct shown *s, const struct shown_key *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (memcmp(&s->entries[i].key, key, sizeof(*key)) == 0)
			return &s->entries[i];
	return NULL;
}

static void drop_over(struct shown *s, int64_t now_ms)
{
	for (size_t i = 0; i < s->n;)
		if (s->entries[i].until_ms < now_ms)
			s->entries[i] = s->entries[--s->n];
		else
			i++;
}

static struct shown_entry *first_to_go(struct shown *s)
{
	struct shown_entry *first = &s->entries[0];

	for (size_t i = 1; i < s->n; i++)
		if (s->entries[i].until_ms < first->until_ms)
			first = &s->entries[i];
	return first;
}

/* A place for one more, or NULL without memory. */
static struct shown_entry *place(struct shown *s, int64_t now_ms)
{
	struct shown_entry *grown;
	size_t cap = s->cap ? 2 * s->cap : FIRST_CAP;

	if (s->n == s->cap)
		drop_over(s, now_ms);
	if (s->n < s->cap)
		return &s->entries[s->n++];
	if (s->n == s->max) {
		s->n_forgotten++;
		return first_to_go(s);
	}
	if (cap > s->max)
		cap = s->max;
	grown = realloc(s->entries, cap * sizeof(*grown));
	if (!grown)
		return NULL;
	s->entries = grown;
	s->cap = cap;
	return &s->entries[s->n++];
}

bool shown_raise(struct shown *s, const struct shown_key *key, struct version rev, int64_t until_ms,
	int64_t now_ms)
{
	struct shown_entry *e = find(s, key);

	if (e && version_cmp(rev, e->rev) <= 0)
		return false;
	if (!e)
		e = place(s, now_ms);
	if (!e)
		return false;
	*e = (struct shown_entry){ .key = *key, .rev = rev, .until_ms = until_ms };
	return true;
}
