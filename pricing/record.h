#pragma once

/*
 * The decision record of one judged event: what nft.decisions.v1 carries, and what recomputing it
 * must give again.
 */
#include "common/base/buf.h"
#include "common/model/ids.h"
#include "common/model/offer.h"
#include "pricing/compute.h"
#include "pricing/inputs.h"

#define RECORD_BYTES_MAX (256 * 1024)

/* Scratch that keeps its memory from record to record. */
struct record_bufs {
	struct buf inputs, waterfall;
};
void record_bufs_init(struct record_bufs *b);
void record_bufs_fini(struct record_bufs *b);

struct record {
	const struct price_inputs *inputs;
	const struct price_result *result;
	struct str ruleset; /* "sha256:…" */
	struct str offer;   /* the offer's id */
	struct version rev;
	enum decision_cause cause;
	int64_t latency_us;
	struct record_bufs *bufs;
};

/* Appends the record. 0 or -ENOSPC (over the maximum of @out or RECORD_BYTES_MAX). */
MUST_CHECK int record_json(struct buf *out, const struct record *r);
