#pragma once

/*
 * Which events of clients have been acknowledged lately.
 *
 * A client that did not hear its acknowledgement sends the event again, with its own id. While the
 * event's offer could still be made or live, the repetition is the same event: it is acknowledged
 * again and not published again. The key is the interest id, which is a digest of user and client
 * id. At most @max entries; beyond it the oldest is forgotten (and counted): the repetition is then
 * published again under the same interest id, which pricing knows as the same.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/model/ids.h"

struct idempotency;

/* @max: at least 1; @life_ms: how long an event is remembered. 0, -ENOMEM or -EIO (no randomness).
 */
MUST_CHECK int idempotency_new(struct idempotency **ret, size_t max, int64_t life_ms);
struct idempotency *idempotency_free(struct idempotency *t);
DEFINE_CLEANUP(struct idempotency *, idempotency_free)

bool idempotency_has(const struct idempotency *t, const struct id *interest, int64_t mono_ms);
/* It has been acknowledged now. Adding it again changes nothing. */
void idempotency_add(struct idempotency *t, const struct id *interest, int64_t mono_ms);
uint64_t idempotency_forgotten(const struct idempotency *t);
