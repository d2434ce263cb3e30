#include "wallet-bridge/range_reads.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define RETRY_MS 100

struct range_reads {
	struct bus_reader *reader;
	struct loop_timer *next;
	TAILQ_HEAD(, range_read) waiting;
	struct range_read *now; /* being read */
};

static void on_records(void *ctx, const struct bus_record *r, size_t n)
{
	struct range_reads *reads = ctx;

	for (size_t i = 0; i < n && reads->now; i++)
		reads->now->record(reads->now->ctx, &r[i]);
}

static void on_at_end(void *ctx, const char *topic, int32_t partition, int64_t next_offset)
{
	struct range_reads *reads = ctx;
	struct range_read *read = reads->now;

	(void)topic;
	(void)partition;
	(void)next_offset;
	if (!read)
		return;
	if (read->until < 0)
		bus_reader_remove(reads->reader, read->topic, read->partition);
	reads->now = NULL;
	read->is_pending = false;
	loop_timer_start(reads->next, 0);
	read->end(read->ctx);
}

static void on_next(void *ctx)
{
	struct range_reads *reads = ctx;
	struct range_read *read = TAILQ_FIRST(&reads->waiting);

	if (reads->now || !read)
		return;
	if (bus_reader_add(reads->reader, read->topic, read->partition, read->from, read->until)) {
		loop_timer_start(reads->next, RETRY_MS);
		return;
	}
	TAILQ_REMOVE(&reads->waiting, read, link);
	reads->now = read;
}

void range_reads_begin(struct range_reads *r, struct range_read *read)
{
	assert(!read->is_pending);
	read->is_pending = true;
	TAILQ_INSERT_TAIL(&r->waiting, read, link);
	loop_timer_start(r->next, 0);
}

void range_reads_cancel(struct range_reads *r, struct range_read *read)
{
	if (!read->is_pending)
		return;
	read->is_pending = false;
	if (r->now != read) {
		TAILQ_REMOVE(&r->waiting, read, link);
		return;
	}
	r->now = NULL;
	bus_reader_remove(r->reader, read->topic, read->partition);
	loop_timer_start(r->next, 0);
}

int range_reads_new(struct range_reads **ret, struct loop *loop, struct bus *bus)
{
	static const struct bus_reader_ops ops = { .records = on_records, .at_end = on_at_end };
	CLEANUP(range_reads_free) struct range_reads *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	TAILQ_INIT(&r->waiting);
	r->next = loop_timer_new(loop, on_next, r);
	if (!r->next)
		return -ENOMEM;
	err = bus_reader_open(bus, &r->reader, &ops, r);
	if (err != 0)
		return err;
	*ret = TAKE(r);
	return 0;
}

struct range_reads *range_reads_free(struct range_reads *r)
{
	if (!r)
		return NULL;
	bus_reader_close(r->reader);
	loop_timer_free(r->next);
	free(r);
	return NULL;
}
