#pragma once

/*
 * Parts of logs, read one after the other with one reader: several partitions that are restored at
 * the same time may want the same part of the ledger, and a reader has each partition once.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/cleanup.h"
#include "common/io/bus.h"
#include "common/io/loop.h"

/* The caller's storage, from range_reads_begin() until end() or range_reads_cancel(). */
struct range_read {
	TAILQ_ENTRY(range_read) link;
	const char *topic;
	int32_t partition;
	int64_t from;  /* or BUS_FROM_BEGIN */
	int64_t until; /* -1: until the end is met */
	void (*record)(void *ctx, const struct bus_record *r);
	void (*end)(void *ctx); /* may begin another */
	void *ctx;
	bool is_pending;
};

struct range_reads;

/* Borrows @bus and @loop. 0 or -ENOMEM, or bus_reader_open()'s errors. */
MUST_CHECK int range_reads_new(struct range_reads **ret, struct loop *loop, struct bus *bus);
struct range_reads *range_reads_free(struct range_reads *r);
DEFINE_CLEANUP(struct range_reads *, range_reads_free)

/* No callback comes from inside. Failures to begin are tried again. */
void range_reads_begin(struct range_reads *r, struct range_read *read);
/* No callback of it comes any more. No harm if it is not pending. */
void range_reads_cancel(struct range_reads *r, struct range_read *read);
