#pragma once

/* A value of a declared type from the JSON that people write: money as "1.25 ETH", moments as RFC
 * 3339, durations as "10m", basis points as an integer. */
#include <jansson.h>

#include "common/base/arena.h"
#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "pricing/cel/value.h"

/* What was written behind `--set name=`: JSON, or the text that it is, so that gold and 2.4.1 need no
 * quotes; of a string also what would be a number. NULL: not UTF-8, or out of memory. @t may be
 * NULL. */
json_t *rules_plain(const char *text, const struct cel_type *t);

/* 0; -EINVAL with @f saying what is wanted; -ENOMEM (the arena). */
MUST_CHECK int rules_typed(struct cel_value *ret, const struct cel_type *t, const json_t *json,
	struct arena *a, struct fault *f);
