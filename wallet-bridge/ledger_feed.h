#pragma once

/*
 * payments.ledger.v1, read once for all partitions of a process. A partition that is restored may
 * need records from further back than the others are: then reading goes back there, and whoever has
 * had a record already ignores it.
 */
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/metrics.h"
#include "common/io/bus.h"
#include "common/model/ledger.h"

struct ledger_feed;

struct ledger_feed_ops {
	/* Who speaks for requests partition @shard on this ledger partition from @offset on. */
	void (*executor)(void *ctx, int32_t shard, int32_t partition, int64_t offset);
	/* Texts in @o are valid during the call. */
	void (*outcome)(
		void *ctx, int32_t partition, int64_t offset, const struct outcome_record *o);
	/* Everything of @partition below @next_offset was given. */
	void (*passed)(void *ctx, int32_t partition, int64_t next_offset);
};

/* Borrows all for its life. 0 or -ENOMEM. */
MUST_CHECK int ledger_feed_new(struct ledger_feed **ret, struct bus_reader *reader,
	struct arena *scratch, struct counter *unreadable, const struct ledger_feed_ops *ops,
	void *ctx);
struct ledger_feed *ledger_feed_free(struct ledger_feed *f);

/* How many there are, known from then on; once. 0 or -ENOMEM. */
MUST_CHECK int ledger_feed_set_partitions(struct ledger_feed *f, int32_t n);
int32_t ledger_feed_partitions(const struct ledger_feed *f);

/* Reads @partition from @from (or from before it) on. 0 or the reader's error. Not from inside a
 * callback of this feed. */
MUST_CHECK int ledger_feed_want(struct ledger_feed *f, int32_t partition, int64_t from);

/* The reader's callbacks for the ledger. */
void ledger_feed_records(struct ledger_feed *f, const struct bus_record *r, size_t n);
void ledger_feed_at_end(struct ledger_feed *f, int32_t partition, int64_t next_offset);
