/* Reading by hand: a feed under the bus's reader operations. */
#include "common/io/bus_kafka.h"

#include <errno.h>
#include <stdlib.h>

struct kafka_reader {
	struct bus_reader reader; /* first */
	struct kafka_reader *next;
	struct kafka_feed feed;
};

static struct kafka_reader *reader_of(struct bus_reader *r)
{
	return (struct kafka_reader *)r;
}

int kafka_reader_open(
	struct bus *b, struct bus_reader **ret, const struct bus_reader_ops *ops, void *ctx)
{
	struct bus_kafka *k = (struct bus_kafka *)b;
	struct kafka_reader *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->reader.bus = b;
	err = kafka_feed_init(&r->feed, k, ops, ctx, NULL);
	if (err) {
		free(r);
		return err;
	}
	r->next = k->readers;
	k->readers = r;
	*ret = &r->reader;
	return 0;
}

void kafka_reader_close(struct bus_reader *reader)
{
	struct kafka_reader *r = reader_of(reader);
	struct bus_kafka *k = r->feed.h.bus;

	kafka_feed_stop(&r->feed);
	if (!k->n_busy)
		kafka_readers_sweep(k);
}

int kafka_reader_add(struct bus_reader *reader, const char *topic, int32_t partition, int64_t from,
	int64_t until)
{
	struct kafka_reader *r = reader_of(reader);
	struct kafka_topic *t = bus_kafka_topic(r->feed.h.bus, topic);

	return t ? kafka_feed_add(&r->feed, t, partition, from, until) : -ENOMEM;
}

void kafka_reader_remove(struct bus_reader *r, const char *topic, int32_t partition)
{
	kafka_feed_remove(&reader_of(r)->feed, topic, partition);
}

int64_t kafka_reader_high(struct bus_reader *r, const char *topic, int32_t partition)
{
	return kafka_feed_high(&reader_of(r)->feed, topic, partition);
}

int64_t kafka_readers_heard_ms(const struct bus_kafka *k)
{
	int64_t least = INT64_MAX;

	for (const struct kafka_reader *r = k->readers; r; r = r->next)
		if (r->feed.n && r->feed.h.heard_ms < least)
			least = r->feed.h.heard_ms;
	return least;
}

void kafka_readers_sweep(struct bus_kafka *k)
{
	for (struct kafka_reader **at = &k->readers; *at;) {
		struct kafka_reader *r = *at;

		if (!r->feed.is_gone) {
			kafka_feed_sweep(&r->feed);
			at = &r->next;
			continue;
		}
		*at = r->next;
		kafka_feed_fini(&r->feed);
		free(r);
	}
}
