#pragma once

/*
 * A broker in memory: topics, partitions, groups, committed offsets with metadata, on the driven
 * loop. Several buses (one per simulated process) share one sim_broker. Every delivery goes through
 * the loop, in order.
 */
#include "common/io/bus.h"

struct sim_broker;

MUST_CHECK int sim_broker_new(struct sim_broker **ret, struct loop *loop);
struct sim_broker *sim_broker_free(struct sim_broker *b); /* after its buses */
DEFINE_CLEANUP(struct sim_broker *, sim_broker_free)

MUST_CHECK int sim_broker_topic(struct sim_broker *b, const char *topic, int32_t partitions);
/* The topic gets more partitions; not from inside a callback of the bus. */
MUST_CHECK int sim_broker_grow(struct sim_broker *b, const char *topic, int32_t partitions);
MUST_CHECK int bus_sim_new(struct bus **ret, struct sim_broker *broker, const char *topic_prefix);

/* Faults. */
/* sends wait, then -ETIMEDOUT after 30 s; reads stop */
void sim_broker_set_down(struct sim_broker *b, bool down);
/* the next n reports */
void sim_broker_fail_sends(struct sim_broker *b, const char *topic, unsigned n, int err);
/* of a send's report and of a read; default 0 (next turn) */
void sim_broker_set_latency(struct sim_broker *b, int64_t us);
void sim_bus_set_queue_max(struct bus *b, size_t n); /* -ENOBUFS beyond; default 100,000 */
/* retention */
void sim_broker_truncate(struct sim_broker *b, const char *topic, int32_t partition, int64_t low);

/* What is in the log, for assertions: borrowed until the broker is freed or truncated. NULL if
 * there is none. */
const struct bus_record *sim_broker_record(
	struct sim_broker *b, const char *topic, int32_t partition, int64_t offset);
int64_t sim_broker_high(struct sim_broker *b, const char *topic, int32_t partition);
int64_t sim_broker_committed(struct sim_broker *b, const char *group, const char *topic,
	int32_t partition, struct str *ret_metadata);
