#pragma once

/*
 * The headers of one record, put together on the stack for bus_send(), which copies them.
 *
 * At most BUS_HEADERS_MAX. Names and values are borrowed, but for what the CloudEvents set makes
 * (id, source, time), which lies here: a struct that has it must not be copied.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"
#include "common/base/time_text.h"
#include "common/io/bus.h"

#define RECORD_ID_MAX     384
#define RECORD_SOURCE_MAX 160

struct record_headers {
	struct bus_header v[BUS_HEADERS_MAX];
	size_t n;
	char id[RECORD_ID_MAX], source[RECORD_SOURCE_MAX], time[TIME_TEXT_MAX];
};

/* An absent value is left out. There is room: how many are put is ours to know. */
void record_headers_put(struct record_headers *h, const char *name, struct str value);

/* Takes over another record's headers, the first of them that leave room for @n_ours more; returns
 * how many were cut. */
size_t record_headers_copy(struct record_headers *h, const struct bus_record *r, size_t n_ours);

/*
 * CloudEvents 1.0 in binary mode (Kafka protocol binding, section 3.2): ce_specversion, ce_id,
 * ce_type, ce_source (`/souk/<role>/<instance>`, without @instance `/souk/<role>`), ce_time and
 * content-type. Copies @id; borrows @type. 0; -ENAMETOOLONG, -ERANGE (a time without a text): then
 * nothing is put.
 */
MUST_CHECK int record_headers_cloud_event(struct record_headers *h, struct str id, struct str type,
	const char *role, const char *instance, int64_t now_ms);
