#pragma once

/*
 * The breaker on list prices: a price more than 50 % away from the last one that passed, in either
 * direction or in another currency, is held (CIRCUIT_OPEN) until someone confirms it, or until the
 * price comes back.
 */
#include "common/io/cache.h"
#include "common/model/tables.h"

/*
 * Sets list_ok and held of @inv, from the row stored now. What was held before does not matter:
 * only list_ok is compared with. With nothing stored (or nothing to compare with) the price passes.
 */
void breaker_judge(struct inventory *inv, const struct cache_row *stored, bool is_confirmed);

/*
 * The version to store @ver under. A confirmation usually is the held record once more, with the
 * same version, which a compare-and-set would refuse: it gets the next fourth part, below any next
 * version of a source that uses three.
 */
struct version breaker_version(
	struct version ver, uint64_t gen, const struct cache_row *stored, bool is_confirmed);
