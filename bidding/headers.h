#pragma once

/* The headers of what bidding writes: CloudEvents 1.0 in binary mode (Kafka protocol binding,
 * section 3.2). */
#include <stdint.h>

#include "common/io/bus.h"

struct bidding_headers {
	struct bus_header v[6];
	size_t n;
	char id[160], source[128], time[32];
};

/* @type "souk.<topic>"; the id is "<key>:<epoch>.<n>", so that a repeated record has another one
 * only if it is another record. */
void bidding_headers_make(struct bidding_headers *ret, struct str type, const char *instance,
	const char *key, int64_t epoch, uint64_t n, int64_t now_ms);
