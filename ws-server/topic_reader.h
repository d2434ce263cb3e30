#pragma once

/* Every partition of a topic, read by this process alone. How many there are is found out in the
 * background, again and again: at start the broker may not answer or the topic not be there yet,
 * and later it may get more. */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/io/bus.h"
#include "common/io/loop.h"

struct topic_reader;

typedef void (*topic_reader_fn)(void *ctx, const struct bus_record *r);

/* @from: BUS_FROM_BEGIN or BUS_FROM_END; partitions that come later are read from their beginning.
 * Borrows @topic. 0, -ENOMEM, or bus_reader_open's errors.
 */
MUST_CHECK int topic_reader_new(struct topic_reader **ret, struct loop *loop, struct bus *bus,
	const char *topic, int64_t from, topic_reader_fn fn, void *ctx);
struct topic_reader *topic_reader_free(struct topic_reader *t);
DEFINE_CLEANUP(struct topic_reader *, topic_reader_free)

/* Every partition has been read up to its end once: what is written from now on is seen. */
bool topic_reader_has_begun(const struct topic_reader *t);
