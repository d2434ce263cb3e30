#pragma once

/*
 * The rows of one collection on their way out: which items changed, when each is written to
 * market.bestbid.v1, and what Kafka has of them.
 *
 * An item has at most one row in flight. What changes meanwhile, or within publish_ms, or while
 * Kafka takes nothing, is merged into the next one, so memory is bounded by the items and no row
 * can overtake another of its item.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bidding/book.h"
#include "bidding/collection.h"
#include "common/base/arena.h"
#include "common/base/cleanup.h"
#include "common/base/metrics.h"
#include "common/base/row.h"
#include "common/io/bus.h"
#include "common/io/loop.h"
#include "common/model/tables.h"

struct rows;

/* A row that Kafka has. */
struct rows_done {
	const struct bestbid *bestbid;
	int32_t partition;
	int64_t offset;
};

struct rows_env {
	struct loop *loop;
	struct bus *bus;
	struct metrics *metrics;
	const struct collection *collection;
	const char *instance;
	int64_t publish_ms;
	size_t in_flight_max;
	/* From the loop. */
	void (*done)(void *ctx, const struct rows_done *row);
	void *ctx;
};

/* Copies @env. 0 or -ENOMEM. */
MUST_CHECK int rows_new(struct rows **ret, const struct rows_env *env);
/* Reports may still be in flight: the bus must not run afterwards. */
struct rows *rows_free(struct rows *r);

/* Rows of @book are published from now on, as `<epoch>.<n>`. Again with a higher epoch: the next
 * rows have it. */
void rows_open(struct rows *r, struct book *book, int64_t epoch);
/* Everything about the items is forgotten, before the book is freed. */
void rows_close(struct rows *r);
void rows_touch(struct rows *r, struct book_item *item);

/* Nothing waits and nothing is in flight. */
bool rows_is_idle(const struct rows *r);
/* Since when (monotonic clock) the oldest change waits, or its row is in flight; 0 = nothing does.
 */
int64_t rows_waiting_since_ms(const struct rows *r);

/*
 * Rows that Kafka has, one after the other, for loading a cache: *at starts as 0; false at the end.
 * The texts lie in @a.
 */
bool rows_next(
	struct rows *r, size_t *at, struct rows_done *ret, struct bestbid *row, struct arena *a);
