#pragma once

/*
 * Who may speak for a shard: owner records (docs/protocol/ownership.md).
 *
 * The process that is given a shard appends an owner record to the log it writes there; that
 * record's offset is its owner epoch. The owner is the only writer: when a delivery report is not
 * the last offset + 1, someone else spoke. Then the records between are read: an owner record of
 * another instance for this shard means that we are replaced (lost), and so does one of our own
 * that came late, unless the next one is under way; anything else (another shard of the same
 * partition, a stray producer) is skipped and counted.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/metrics.h"
#include "common/io/bus.h"

struct owner;

struct owner_ops {
	/* Ours from now on; epoch = offset of our owner record. Comes again, with a higher epoch,
	 * each time the record was repeated: what was built under the former epoch and is not sent
	 * yet would be void, and has to be built anew. */
	void (*acquired)(void *ctx, int64_t epoch);
	/* Replaced: nothing may be sent any more. The caller may owner_claim() again if the group
	 * still assigns it the shard. */
	void (*lost)(void *ctx);
	/* Is @record an owner record of this shard, and whose? Gives the instance text (valid until
	 * the next call), or p == NULL. Parsing stays with the caller (model is not known here). */
	struct str (*owner_of)(void *ctx, const struct bus_record *record);
	/* Appends the owner record's JSON. */
	void (*write)(void *ctx, struct buf *out);
};

struct owner_config {
	const char *topic;
	int32_t partition; /* BUS_BY_KEY: by @key */
	struct str key;
	struct str instance; /* random per process */
	int64_t repeat_ms;   /* how often the record is repeated; 86,400,000 */
};

MUST_CHECK int owner_new(struct owner **ret, struct loop *loop, struct bus *bus,
	const struct owner_config *config, const struct owner_ops *ops, void *ctx);
/* no callback afterwards; reports still in flight are dropped */
struct owner *owner_free(struct owner *o);
DEFINE_CLEANUP(struct owner *, owner_free)
/* Appends the owner record (again); acquired() follows. Failures to send are retried. Until then
 * owner_send() refuses. */
void owner_claim(struct owner *o);
int64_t owner_epoch(const struct owner *o); /* -1 while not ours */
/* Records of others met between ours that did not take the shard away. */
uint64_t owner_strays(const struct owner *o);

/* bus_send to the owned partition (message topic and partition are set here) with the offset check
 * on its report: @sent gets -EPERM if the shard was lost meanwhile. 0, -EPERM (not ours), or
 * bus_send's errors; -ENOBUFS also while the owner record is being repeated. */
MUST_CHECK int owner_send(struct owner *o, struct bus_message *m);
