#pragma once

/*
 * Times as the stream writes them: "2022-12-01T16:54:24.212517+00:00",
 * "2026-09-09T10:18:41.216000Z", and unix seconds ("1788949571").
 */
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"

/* Milliseconds, rounded down. 0 or -EINVAL (also before 1970 and beyond 2^53 - 1 ms). */
MUST_CHECK int opensea_time_parse(int64_t *ret_ms, struct str text);
