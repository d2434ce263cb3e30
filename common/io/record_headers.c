#include "common/io/record_headers.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

void record_headers_put(struct record_headers *h, const char *name, struct str value)
{
	if (!str_is_set(value))
		return;
	assert(h->n < BUS_HEADERS_MAX);
	h->v[h->n++] = (struct bus_header){ str_of(name), value };
}

size_t record_headers_copy(struct record_headers *h, const struct bus_record *r, size_t n_ours)
{
	size_t n = 0;

	assert(h->n + n_ours <= BUS_HEADERS_MAX);
	while (n < r->n_headers && h->n + n_ours < BUS_HEADERS_MAX)
		h->v[h->n++] = r->headers[n++];
	return r->n_headers - n;
}

int record_headers_cloud_event(struct record_headers *h, struct str id, struct str type,
	const char *role, const char *instance, int64_t now_ms)
{
	int n = snprintf(h->source, sizeof(h->source), "/souk/%s%s%s", role, instance ? "/" : "",
		instance ? instance : "");

	if (n < 0 || (size_t)n >= sizeof(h->source) || str_copy(h->id, sizeof(h->id), id) < 0)
		return -ENAMETOOLONG;
	if (time_text(h->time, now_ms) < 0)
		return -ERANGE;
	record_headers_put(h, "ce_specversion", STR("1.0"));
	record_headers_put(h, "ce_id", str_of(h->id));
	record_headers_put(h, "ce_type", type);
	record_headers_put(h, "ce_source", str_of(h->source));
	record_headers_put(h, "ce_time", str_of(h->time));
	record_headers_put(h, "content-type", STR("application/json"));
	return 0;
}
