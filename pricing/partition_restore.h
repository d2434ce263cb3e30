#pragma once

/*
 * What the owners before us showed, from the tail of the partition's decisions log: lowest prices
 * and live quotes go into the partition's recent.h.
 *
 * RESTORING from partition_restore() until partition_restored() is called; no event is read
 * meanwhile. Void records (docs/protocol/ownership.md) are left out.
 */
#include <stdbool.h>
#include <stdint.h>

#include "pricing/metrics.h"

struct bus_reader;
struct loop_timer;
struct partition;
struct partition_env;

struct partition_restore {
	int64_t from, until; /* offsets; @until is our own owner record */
	int64_t highest;     /* owner epoch met so far, -1: none */
	int64_t started_us;
	uint64_t n[RESTORED_KINDS];
	bool is_reading;
	struct loop_timer *retry;
};

/* Once it is ours: reads from where the predecessor, or we ourselves, had it to be read. A reader
 * that cannot be opened is tried again. May complete from inside, when there is nothing to read. */
void partition_restore(struct partition *p);
/* Lost or freed meanwhile. No harm if it is not restoring. */
void partition_restore_stop(struct partition *p);
/* The timer's. */
void partition_restore_retry(void *ctx);
