#pragma once

/*
 * What an order asks for, as one digest: two orders of a user with one client id are repeats if
 * theirs are equal, else a conflict. Gateway and wallet-bridge ask here, so that they agree.
 */
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/crypto.h"
#include "common/model/order.h"

/*
 * SHA-256 over the RFC 8785 form of {"pay":…,"quote":…,"wallet":…}; a missing wallet is left out, a
 * missing pay is {"mode":"now"}. A quote that has no such form here (a number that is not an
 * integer, too deep) is no quote of ours and will be refused; then the digest is over the three
 * texts as they are, after another prefix. 0, -ENOMEM or -EIO.
 */
MUST_CHECK int order_body_digest(uint8_t ret[SHA256_BYTES], const struct order *o);
