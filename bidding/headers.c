#include "bidding/headers.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static void put(struct bidding_headers *h, const char *name, struct str value)
{
	h->v[h->n++] = (struct bus_header){ str_of(name), value };
}

void bidding_headers_make(struct bidding_headers *ret, struct str type, const char *instance,
	const char *key, int64_t epoch, uint64_t n, int64_t now_ms)
{
	time_t s = (time_t)(now_ms / 1000);
	struct tm tm = { 0 };
	size_t len;

	ret->n = 0;
	snprintf(ret->id, sizeof(ret->id), "%.100s:%" PRId64 ".%" PRIu64, key, epoch, n);
	snprintf(ret->source, sizeof(ret->source), "souk/bidding/%.100s", instance);
	gmtime_r(&s, &tm);
	len = strftime(ret->time, sizeof(ret->time), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ret->time + len, sizeof(ret->time) - len, ".%03dZ", (int)(now_ms % 1000));
	put(ret, "ce_specversion", STR("1.0"));
	put(ret, "ce_id", str_of(ret->id));
	put(ret, "ce_type", type);
	put(ret, "ce_source", str_of(ret->source));
	put(ret, "ce_time", str_of(ret->time));
	put(ret, "content-type", STR("application/json"));
}
