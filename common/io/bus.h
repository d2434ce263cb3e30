#pragma once

/*
 * Bus: what Souk needs of Kafka, and no more. Send with a delivery report; read partitions by hand;
 * be a member of a group that is given partitions; commit with metadata.
 *
 * Real: bus_kafka.c (librdkafka). In-memory: sim/bus_sim.c. One conformance suite runs against
 * both. Topic names here are the contract's names; the configured prefix is added and stripped
 * inside. Records borrow: valid during the callback only. Callbacks come on the loop thread, never
 * from inside the call that caused them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/base/str.h"
#include "common/io/loop.h"

#define BUS_BY_KEY      (-1) /* murmur2_random: Java's partitioner */
#define BUS_FROM_BEGIN  (-2)
#define BUS_FROM_END    (-1)
#define BUS_NO_OFFSET   (-1001)
#define BUS_HEADERS_MAX 24
#define BUS_BATCH_MAX   512

struct bus;
struct bus_reader;
struct bus_group;

struct bus_header {
	struct str name;
	struct str value; /* bytes */
};

struct bus_record {
	const char *topic; /* interned: lives as long as the bus */
	int32_t partition;
	int64_t offset;
	int64_t ts_ms;                    /* the record's timestamp */
	struct str key;                   /* p == NULL: none */
	struct str value;                 /* p == NULL: tombstone */
	const struct bus_header *headers; /* at most BUS_HEADERS_MAX; more are cut and counted */
	size_t n_headers;
};

/* The last header of that name (Kafka allows several); p == NULL if none. */
struct str bus_header(const struct bus_record *r, const char *name);

/* @err: 0, or -errno: -ETIMEDOUT (delivery.timeout.ms), -EMSGSIZE, -EIO. On error partition and
 * offset are -1 and the record may or may not be in the log. */
typedef void (*bus_sent_fn)(void *ctx, int err, int32_t partition, int64_t offset);

struct bus_message {
	const char *topic;
	int32_t partition; /* or BUS_BY_KEY */
	struct str key;
	struct str value; /* p == NULL: tombstone */
	const struct bus_header *headers;
	size_t n_headers;
	bus_sent_fn sent; /* may be NULL */
	void *ctx;
};

struct bus_reader_ops {
	/* 1..BUS_BATCH_MAX records of one partition in offset order. */
	void (*records)(void *ctx, const struct bus_record *r, size_t n);
	/* Everything up to @next_offset has been given (reached each time the reader catches up, at
	 * least once, also on an empty partition). For a range read: the range is complete and the
	 * partition is removed. May be NULL. */
	void (*at_end)(void *ctx, const char *topic, int32_t partition, int64_t next_offset);
	/* The start offset is not in the log (retention): reading goes on from the beginning, at
	 * @next_offset. May be NULL. */
	void (*out_of_range)(void *ctx, const char *topic, int32_t partition, int64_t next_offset);
};

struct bus_group_ops {
	/* The group gave us this partition. @committed: the next offset to read, or BUS_NO_OFFSET;
	 * @metadata is what was committed with it. No record comes before bus_group_start(). */
	void (*assigned)(void *ctx, const char *topic, int32_t partition, int64_t committed,
		struct str metadata);
	/* It goes: nothing more comes for it. What is committed from within is still sent before
	 * it is given up (unless the group has thrown us out); from then on commits for it fail. */
	void (*revoked)(void *ctx, const char *topic, int32_t partition);
	/* one partition, in order */
	void (*records)(void *ctx, const struct bus_record *r, size_t n);
	/* As a reader's: everything up to @next_offset has been given; at least once after each
	 * start, also on an empty partition. What the high watermark cannot say (the last offset
	 * may be a transaction's marker). May be NULL. */
	void (*at_end)(void *ctx, const char *topic, int32_t partition, int64_t next_offset);
};

struct bus_topic_spec {
	const char *name;
	int32_t partitions;
	const char *const *config; /* "cleanup.policy=compact", …, NULL */
};

struct bus_ops {
	void (*free)(struct bus *b);
	int (*send)(struct bus *b, const struct bus_message *m);
	size_t (*in_flight)(const struct bus *b);
	int32_t (*partitions)(struct bus *b, const char *topic);
	bool (*is_up)(struct bus *b);
	int64_t (*heard_ms)(struct bus *b);
	int (*reader_open)(struct bus *b, struct bus_reader **ret, const struct bus_reader_ops *ops,
		void *ctx);
	void (*reader_close)(struct bus_reader *r);
	int (*reader_add)(struct bus_reader *r, const char *topic, int32_t partition, int64_t from,
		int64_t until);
	void (*reader_remove)(struct bus_reader *r, const char *topic, int32_t partition);
	int64_t (*reader_high)(struct bus_reader *r, const char *topic, int32_t partition);
	int (*group_open)(struct bus *b, struct bus_group **ret, const char *group,
		const char *const *topics, size_t n_topics, const struct bus_group_ops *ops,
		void *ctx);
	void (*group_close)(struct bus_group *g);
	void (*group_start)(
		struct bus_group *g, const char *topic, int32_t partition, int64_t from);
	void (*group_hold)(struct bus_group *g, const char *topic, int32_t partition, bool hold);
	int (*group_commit)(struct bus_group *g, const char *topic, int32_t partition,
		int64_t next_offset, struct str metadata);
	int64_t (*group_high)(struct bus_group *g, const char *topic, int32_t partition);
};

struct bus {
	const struct bus_ops *ops;
};
struct bus_reader {
	struct bus *bus;
};
struct bus_group {
	struct bus *bus;
};

/* Copies everything. 0; -ENOBUFS (the queue is full: hold back and try again), -EINVAL (unknown
 * topic or partition), -EMSGSIZE. Order per partition is kept. */
static inline int bus_send(struct bus *b, const struct bus_message *m)
{
	return b->ops->send(b, m);
}
/* Messages sent without a report yet: for drains. */
static inline size_t bus_in_flight(const struct bus *b)
{
	return b->ops->in_flight(b);
}
/* Partition count, 0 while unknown (it is looked up in the background; ask again). */
static inline int32_t bus_partitions(struct bus *b, const char *topic)
{
	return b->ops->partitions(b, topic);
}
/* Whether a broker has answered within the last 3 s. */
static inline bool bus_is_up(struct bus *b)
{
	return b->ops->is_up(b);
}
/* Wall ms of the last byte heard from a broker (while partitions are read: from the least heard of
 * their leaders), 0 = never: what a feed's alive_at may claim. */
static inline int64_t bus_heard_ms(struct bus *b)
{
	return b->ops->heard_ms(b);
}
static inline struct bus *bus_free(struct bus *b)
{
	if (b)
		b->ops->free(b);
	return NULL;
}
DEFINE_CLEANUP(struct bus *, bus_free)

/* ---- reading by hand ---- */
MUST_CHECK static inline int bus_reader_open(
	struct bus *b, struct bus_reader **ret, const struct bus_reader_ops *ops, void *ctx)
{
	return b->ops->reader_open(b, ret, ops, ctx);
}
static inline struct bus_reader *bus_reader_close(struct bus_reader *r)
{
	if (r)
		r->bus->ops->reader_close(r);
	return NULL;
}
/* Reads from @from (an offset, BUS_FROM_BEGIN or BUS_FROM_END) on; with @until >= 0 only offsets
 * below it, then at_end. 0, -EEXIST, -ENOMEM. */
static inline int bus_reader_add(
	struct bus_reader *r, const char *topic, int32_t partition, int64_t from, int64_t until)
{
	return r->bus->ops->reader_add(r, topic, partition, from, until);
}
static inline void bus_reader_remove(struct bus_reader *r, const char *topic, int32_t partition)
{
	r->bus->ops->reader_remove(r, topic, partition);
}
/* The partition's end as last heard (next offset to be written), -1 while unknown. */
static inline int64_t bus_reader_high(struct bus_reader *r, const char *topic, int32_t partition)
{
	return r->bus->ops->reader_high(r, topic, partition);
}

/* ---- group membership ---- */
MUST_CHECK static inline int bus_group_open(struct bus *b, struct bus_group **ret,
	const char *group, const char *const *topics, size_t n_topics,
	const struct bus_group_ops *ops, void *ctx)
{
	return b->ops->group_open(b, ret, group, topics, n_topics, ops, ctx);
}
/* Leaves the group. No callback afterwards. */
static inline struct bus_group *bus_group_close(struct bus_group *g)
{
	if (g)
		g->bus->ops->group_close(g);
	return NULL;
}
/* Records begin, from @from (again, if they had begun already: nothing of before is given any
 * more): an offset, BUS_FROM_BEGIN, or BUS_NO_OFFSET for "as the group's policy says" (earliest).
 */
static inline void bus_group_start(
	struct bus_group *g, const char *topic, int32_t partition, int64_t from)
{
	g->bus->ops->group_start(g, topic, partition, from);
}
/* Back-pressure: while held no more records of the partition are given (at most the batch in hand
 * comes still). */
static inline void bus_group_hold(
	struct bus_group *g, const char *topic, int32_t partition, bool hold)
{
	g->bus->ops->group_hold(g, topic, partition, hold);
}
/* Asynchronous; the newest wins. 0 or -EINVAL (not assigned). Failures are logged and counted; the
 * next commit covers them. */
static inline int bus_group_commit(struct bus_group *g, const char *topic, int32_t partition,
	int64_t next_offset, struct str metadata)
{
	return g->bus->ops->group_commit(g, topic, partition, next_offset, metadata);
}
static inline int64_t bus_group_high(struct bus_group *g, const char *topic, int32_t partition)
{
	return g->bus->ops->group_high(g, topic, partition);
}

/* Java's murmur2 of a key, positive, modulo n: which partition a keyed record goes to. */
int32_t bus_partition_of(struct str key, int32_t n_partitions);

/* ---- the real one ---- */
struct bus_kafka_config {
	const char *bootstrap;
	const char *topic_prefix; /* "" = none */
	const char *client_id;
	const char *const *properties; /* "k=v" passed through to librdkafka, last wins */
	size_t n_properties;
	/* output topics whose metadata is fetched before bus_is_up (first produce would wait up to
	 * 1 s) */
	const char *const *warm_topics;
	size_t n_warm_topics;
	int64_t delivery_timeout_ms; /* 0 = 30,000 */
};
/* 0, -EINVAL (a property; @f names it), -ENOMEM. Does not wait for the broker. */
MUST_CHECK int bus_kafka_new(struct bus **ret, struct loop *loop,
	const struct bus_kafka_config *config, struct metrics *m, struct fault *f);
/* Creates what is missing; an existing topic with other partitions is a fault. Blocking (for `souk
 * topics` and the supervisor): at most @timeout_ms. 0 or -EIO / -EEXIST with @f. */
MUST_CHECK int bus_kafka_create_topics(const struct bus_kafka_config *config,
	const struct bus_topic_spec *specs, size_t n, int timeout_ms, struct fault *f);
