#pragma once

/*
 * From a judged event to its two messages: the decision for nft.decisions.v1 and the offer for
 * nft.offers.v1.
 */
#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/io/bus.h"
#include "common/model/ids.h"
#include "common/model/quote.h"
#include "pricing/event.h"
#include "pricing/record.h"

/* Scratch that keeps its memory from answer to answer. */
struct answer_bufs {
	struct buf decision, offer, quote, reasons, perks, alternatives;
	struct record_bufs record;
};
void answer_bufs_init(struct answer_bufs *b);
void answer_bufs_fini(struct answer_bufs *b);

struct answer {
	const struct event *event;
	const struct price_inputs *inputs;
	const struct price_result *result;
	const struct quote_keys *keys;
	const char *instance;
	struct str ruleset;
	const struct id *offer;
	struct version rev; /* <owner epoch>.<n> */
	enum decision_cause cause;
	int64_t issued_ms, expires_ms; /* of the first revision */
	int32_t shard;                 /* interest partition */
	int32_t offer_partitions;      /* of nft.offers.v1, 0 = unknown */
	int64_t offer_ttl_ms;
	int64_t latency_us;
	struct answer_bufs *bufs;
};

/* Appends both messages to the event. 0; -ENOMEM; -EIO (a digest); QUOTE_E_KID (no key may sign
 * yet: ask again later); -ENOSPC (larger than a record may be);
 * -ERANGE (the clock is in no year that has a text). */
MUST_CHECK int answer_put(struct event *e, const struct answer *a);
