#pragma once

/*
 * Every event that the shoppers sent, until all three are known of it: acknowledged, decided (seen
 * on nft.decisions.v1), heard by the shopper.
 *
 * Bounded: an event whose place is needed again before it is complete counts as overrun, which
 * fails the run.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"

#define TRACKER_MAX 131072

enum tracker_mark {
	TRACKED_ACKED = 1,
	TRACKED_DECIDED = 2,
	TRACKED_HEARD = 4,
	TRACKED_REFUSED = 8,
	TRACKED_LOST = 16, /* the session that was to hear it is gone, and its answer with it */
};

struct tracker_counts {
	uint64_t sent, acked, decided, heard, refused, complete, overrun;
	uint64_t heard_twice; /* two first answers to one event */
	uint64_t lost;        /* acknowledged, and the session ended before the answer */
	uint64_t cut;         /* the session ended before the acknowledgement */
};

struct tracker;

MUST_CHECK int tracker_new(struct tracker **ret);
struct tracker *tracker_free(struct tracker *t);
DEFINE_CLEANUP(struct tracker *, tracker_free)

/* Event number @k with Souk's interest id (36 characters), due at @intended_us. */
void tracker_sent(struct tracker *t, uint64_t k, struct str interest, int64_t intended_us);
/* By number; returns the intended time, or -1 if the event is not (or no longer) known or was
 * marked so before. */
int64_t tracker_mark(struct tracker *t, uint64_t k, enum tracker_mark mark);
/* By interest id. */
int64_t tracker_mark_id(struct tracker *t, struct str interest, enum tracker_mark mark);

const struct tracker_counts *tracker_counts(const struct tracker *t);
/* Whether event @k is known and marked so. */
bool tracker_is(const struct tracker *t, uint64_t k, enum tracker_mark mark);
/* Acknowledged, and not yet both decided and heard (or lost). */
uint64_t tracker_open(const struct tracker *t);
/* Of those, one that waits (for a message); its number, marks in *ret_marks. UINT64_MAX if none. */
uint64_t tracker_example(const struct tracker *t, unsigned *ret_marks);
