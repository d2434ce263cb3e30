#pragma once

/*
 * Which events and orders of clients have been acknowledged lately.
 *
 * A client that did not hear its acknowledgement sends the command again, with its own id. While it
 * is remembered, the repetition is the same event or order: it is acknowledged again and not
 * published again. The key is the interest or order id, which is a digest of user and client id. At
 * most @max entries; beyond it the oldest is forgotten (and counted): the repetition is then
 * published again under the same id, which pricing and wallet-bridge know as the same.
 *
 * An order is remembered with the digest of what it asked for, so that another one under the same
 * id is told apart.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/crypto.h"
#include "common/model/ids.h"

struct idempotency;

/* @max: at least 1; @life_ms: how long one is remembered. 0, -ENOMEM or -EIO (no randomness). */
MUST_CHECK int idempotency_new(
	struct idempotency **ret, size_t max, int64_t life_ms, bool has_bodies);
struct idempotency *idempotency_free(struct idempotency *t);
DEFINE_CLEANUP(struct idempotency *, idempotency_free)

bool idempotency_has(const struct idempotency *t, const struct id *id, int64_t mono_ms);
/* Its SHA256_BYTES of body, until the next add; NULL: not remembered. Only with bodies. */
const uint8_t *idempotency_body(const struct idempotency *t, const struct id *id, int64_t mono_ms);
/* It has been acknowledged now; @body (copied) is NULL in a table without bodies. Adding it again
 * changes nothing. */
void idempotency_add(
	struct idempotency *t, const struct id *id, const uint8_t *body, int64_t mono_ms);
uint64_t idempotency_forgotten(const struct idempotency *t);
