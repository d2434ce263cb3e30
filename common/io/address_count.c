/*
 * Open addressing with linear probing, at most half full, deletion by shifting back: no tombstones,
 * so a table that lives for months with a steady come and go stays as quick as a new one. The hash
 * is keyed, since clients choose their addresses.
 */
#include "common/io/address_count.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/crypto.h"

struct slot {
	struct address address;
	size_t n; /* 0: empty */
};

struct address_count {
	struct slot *slots;
	size_t mask, n_used, max;
	uint64_t key;
};

struct address address_of(const struct sockaddr_storage *from)
{
	struct address a = { { 0, 0 } };
	uint8_t bytes[16] = { [10] = 0xff, [11] = 0xff };

	if (from->ss_family == AF_INET) {
		memcpy(bytes + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
	} else if (from->ss_family == AF_INET6) {
		const struct in6_addr *v6 = &((const struct sockaddr_in6 *)from)->sin6_addr;

		memcpy(bytes, v6, 16);
		if (!IN6_IS_ADDR_V4MAPPED(v6))
			memset(bytes + 8, 0, 8);
	}
	memcpy(a.word, bytes, sizeof(bytes));
	return a;
}

int address_count_new(struct address_count **ret, size_t max)
{
	struct address_count *c = calloc(1, sizeof(*c));
	size_t n = 16;

	if (!c)
		return -ENOMEM;
	while (n < 2 * max)
		n *= 2;
	c->max = max;
	c->mask = n - 1;
	c->slots = calloc(n, sizeof(*c->slots));
	if (!c->slots || crypto_random(&c->key, sizeof(c->key))) {
		address_count_free(c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

struct address_count *address_count_free(struct address_count *c)
{
	if (c)
		free(c->slots);
	free(c);
	return NULL;
}

static size_t home_of(const struct address_count *c, struct address a)
{
	uint64_t h = (a.word[0] ^ c->key) * 0x9e3779b97f4a7c15u;

	h = ((h ^ (h >> 32)) + a.word[1]) * 0xbf58476d1ce4e5b9u;
	return (size_t)(h ^ (h >> 29)) & c->mask;
}

static struct slot *find(const struct address_count *c, struct address a)
{
	size_t i = home_of(c, a);

	while (c->slots[i].n && (c->slots[i].address.word[0] != a.word[0] ||
					c->slots[i].address.word[1] != a.word[1]))
		i = (i + 1) & c->mask;
	return &c->slots[i];
}

size_t address_count_get(const struct address_count *c, struct address a)
{
	return find(c, a)->n;
}

int address_count_add(struct address_count *c, struct address a)
{
	struct slot *s = find(c, a);

	if (s->n == 0) {
		if (c->n_used == c->max)
			return -ENOSPC;
		c->n_used++;
		s->address = a;
	}
	s->n++;
	return 0;
}

void address_count_remove(struct address_count *c, struct address a)
{
	struct slot *s = find(c, a);
	size_t hole, i;

	assert(s->n > 0);
	if (--s->n > 0)
		return;
	c->n_used--;
	hole = (size_t)(s - c->slots);
	for (i = (hole + 1) & c->mask; c->slots[i].n; i = (i + 1) & c->mask) {
		size_t home = home_of(c, c->slots[i].address);

		/* May this one stand at the hole? Not if its home lies between the two. */
		if (((i - home) & c->mask) < ((i - hole) & c->mask))
			continue;
		c->slots[hole] = c->slots[i];
		c->slots[i].n = 0;
		hole = i;
	}
}
