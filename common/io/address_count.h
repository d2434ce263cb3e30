#pragma once

/*
 * How many connections each client address holds. An IPv6 client owns a /64, so that is one address
 * here; an IPv4 client seen through a dual-stack socket is the same as one seen directly.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/base/cleanup.h"

struct address {
	uint64_t word[2]; /* ::ffff:a.b.c.d, or the /64, in network order */
};

struct address address_of(const struct sockaddr_storage *from);

struct address_count;

/* At most @max addresses at a time: one per connection is enough. */
MUST_CHECK int address_count_new(struct address_count **ret, size_t max);
struct address_count *address_count_free(struct address_count *c);
DEFINE_CLEANUP(struct address_count *, address_count_free)

size_t address_count_get(const struct address_count *c, struct address a);
/* 0, or -ENOSPC when another address does not fit. */
MUST_CHECK int address_count_add(struct address_count *c, struct address a);
void address_count_remove(struct address_count *c, struct address a);
