#pragma once

/*
 * A new generation of sides in Redis: rows of the old one count as missing for every reader, and
 * the writers load theirs again. For a source that legitimately starts over, with versions below
 * those that are stored.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/fault.h"

#define CACHE_RESET_SIDES 4
extern const char *const cache_reset_sides[CACHE_RESET_SIDES + 1]; /* "profile", …, NULL */

/* Blocking, at most 10 s. ret_gen[i]: the new generation, 0 where the side is not in Redis. 0,
 * -EINVAL (the URL) or -EIO with @f. */
MUST_CHECK int cache_reset(
	const char *url, const char *const *sides, size_t n, long long *ret_gen, struct fault *f);
