#include "ws-server/topic_reader.h"

#include <errno.h>
#include <stdlib.h>

#define LOOK_AGAIN_MS    200
#define LOOK_FOR_MORE_MS 1000

struct topic_reader {
	struct bus *bus;
	struct bus_reader *reader;
	struct loop_timer *timer;
	const char *topic;
	int64_t from;
	topic_reader_fn fn;
	void *ctx;
	int32_t n;       /* partitions; 0: not known yet */
	int32_t n_first; /* when they were known first */
	int32_t n_added, n_begun;
	bool *begun;
};

static void on_records(void *ctx, const struct bus_record *r, size_t n)
{
	struct topic_reader *t = ctx;

	for (size_t i = 0; i < n; i++)
		t->fn(t->ctx, &r[i]);
}

static void on_at_end(void *ctx, const char *topic, int32_t partition, int64_t next_offset)
{
	struct topic_reader *t = ctx;

	(void)topic;
	(void)next_offset;
	if (partition < t->n && !t->begun[partition]) {
		t->begun[partition] = true;
		t->n_begun++;
	}
}

static const struct bus_reader_ops reader_ops = {
	.records = on_records,
	.at_end = on_at_end,
};

static void look(struct topic_reader *t)
{
	int32_t n = bus_partitions(t->bus, t->topic);
	bool *begun = n > t->n ? realloc(t->begun, (size_t)n * sizeof(*begun)) : NULL;

	if (!begun)
		return;
	memset(begun + t->n, 0, (size_t)(n - t->n) * sizeof(*begun));
	t->begun = begun;
	if (t->n == 0)
		t->n_first = n;
	t->n = n;
}

/* Of a partition that came later nothing is old. */
static int add_next(struct topic_reader *t)
{
	int64_t from = t->n_added < t->n_first ? t->from : BUS_FROM_BEGIN;

	return bus_reader_add(t->reader, t->topic, t->n_added, from, -1);
}

static void on_timer(void *ctx)
{
	struct topic_reader *t = ctx;

	look(t);
	while (t->n_added < t->n && add_next(t) == 0)
		t->n_added++;
	loop_timer_start(
		t->timer, t->n > 0 && t->n_added == t->n ? LOOK_FOR_MORE_MS : LOOK_AGAIN_MS);
}

int topic_reader_new(struct topic_reader **ret, struct loop *loop, struct bus *bus,
	const char *topic, int64_t from, topic_reader_fn fn, void *ctx)
{
	CLEANUP(topic_reader_free) struct topic_reader *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	*t = (struct topic_reader){
		.bus = bus, .topic = topic, .from = from, .fn = fn, .ctx = ctx
	};
	t->timer = loop_timer_new(loop, on_timer, t);
	if (!t->timer)
		return -ENOMEM;
	r = bus_reader_open(bus, &t->reader, &reader_ops, t);
	if (r < 0)
		return r;
	loop_timer_start(t->timer, 0);
	*ret = TAKE(t);
	return 0;
}

struct topic_reader *topic_reader_free(struct topic_reader *t)
{
	if (!t)
		return NULL;
	bus_reader_close(t->reader);
	loop_timer_free(t->timer);
	free(t->begun);
	free(t);
	return NULL;
}

bool topic_reader_has_begun(const struct topic_reader *t)
{
	return t->n > 0 && t->n_begun == t->n;
}
