#pragma once

/* Everything a bus has called back with, copied, for the cases to look at. */
#include "tests/conformance/bus_suite.h"

#define TAPE_MAX  4096
#define PARTS_MAX 16

enum tape_kind { TAPE_RECORD, TAPE_END, TAPE_OUT_OF_RANGE, TAPE_ASSIGNED, TAPE_REVOKED, TAPE_SENT };

struct tape_item {
	enum tape_kind kind;
	char topic[128];
	int32_t partition;
	int64_t offset; /* or next, or committed */
	int err;        /* of a report */
	int64_t ts_ms;
	struct str key, value, metadata; /* owned */
	struct bus_header *headers;      /* owned, texts too */
	size_t n_headers;
};

struct tape {
	struct tape_item *v[TAPE_MAX];
	size_t n;
	size_t goal_n; /* for tape_has_n of kind */
	enum tape_kind goal;
	struct bus_reader *close_reader; /* closed from within the next records() */
	struct bus_group
		*start; /* partitions are started as they are assigned, from what was committed */
	bool holds_after_first;
	struct bus_group *last_word; /* from within revoked(): commits 100 + the partition, and
					tries to start it */
	int last_word_err;
};

extern const struct bus_reader_ops TAPE_READER;
extern const struct bus_group_ops TAPE_GROUP;
void tape_sent(void *ctx, int err, int32_t partition, int64_t offset);

void tape_fini(struct tape *t);
static inline void tape_finip(struct tape *t)
{
	tape_fini(t);
}
size_t tape_count(const struct tape *t, enum tape_kind kind);
/* The @i-th of its kind, or NULL. */
const struct tape_item *tape_at(const struct tape *t, enum tape_kind kind, size_t i);
const struct tape_item *tape_last(const struct tape *t, enum tape_kind kind);
/* Pumps until there are @n of @kind. */
bool tape_wait(struct tape *t, struct bus_harness *h, enum tape_kind kind, size_t n);
