#pragma once

/* A record that cannot be applied, sent to its topic's dead letters: untouched, with where it came
 * from and why. */
#include "common/io/bus.h"

/*
 * Headers: the record's own (cut, if there are so many that ours would not fit), Connect's
 * __connect.errors.topic, .partition, .offset, .exception.message, and x-souk-reason. To the
 * partition of the same number, or by key where there is none. A record that is too large with its
 * headers goes without its value. 0 or bus_send's errors: try again later.
 */
MUST_CHECK int dead_letter_send(struct bus *bus, const char *topic, const struct bus_record *r,
	const char *reason, const char *why, bus_sent_fn sent, void *ctx);
