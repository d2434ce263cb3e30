#pragma once

/*
 * RFC 8785 (JCS) form of a Jansson document that holds no other numbers than integers: members
 * sorted by the UTF-16 code units of their names, shortest escapes, no spaces. What is signed or
 * named by its hash is written this way.
 */
#include <jansson.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/fault.h"

#define CANONICAL_DEPTH_MAX 16

/* Appends to @out. 0, -ENOMEM, or with @f -EINVAL (a number that is not an integer of at most 53
 * bits, depth over CANONICAL_DEPTH_MAX) or -ENOSPC (@out is full). */
MUST_CHECK int canonical_json(struct buf *out, const json_t *doc, struct fault *f);
