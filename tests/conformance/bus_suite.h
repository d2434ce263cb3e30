#pragma once

/*
 * What every implementation of common/io/bus.h has to do. The suite knows the bus by its header
 * only; a harness makes buses and topics and lets time pass. The same cases run against the
 * in-memory broker, librdkafka's mock cluster and a real Kafka.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/io/bus.h"

/* What a harness offers beyond the bus itself. */
enum {
	BUS_CAN_GO_DOWN = 1 << 0,   /* set_down */
	BUS_CAN_REBALANCE = 1 << 1, /* a second member of a group is served within the deadline */
	BUS_CAN_TRUNCATE = 1 << 2,  /* truncate */
	BUS_KNOWS_TOPICS = 1 << 3,  /* a topic that was not created is unknown */
};

struct bus_harness {
	unsigned can;
	/* A bus on the harness's broker, which the case frees. @queue_max 0: the default. */
	struct bus *(*bus_new)(struct bus_harness *h, const char *prefix, size_t queue_max);
	/* Creates a topic (full name) and returns when it can be used. */
	void (*topic)(struct bus_harness *h, const char *full, int32_t partitions);
	/* Lets time pass until @is_done(ctx); false if the deadline came first. */
	bool (*pump)(struct bus_harness *h, bool (*is_done)(void *ctx), void *ctx);
	/* Long enough for anything that is about to happen. */
	void (*settle)(struct bus_harness *h);
	void (*set_down)(struct bus_harness *h, bool is_down);
	void (*truncate)(struct bus_harness *h, const char *full, int32_t partition, int64_t low);
	/* Makes names of topics and groups this run's own. */
	const char *run;

	/* Of the case that runs. */
	bool has_failed;
	char failure[400];
};

struct bus_case {
	const char *name;
	void (*run)(struct bus_harness *h);
	unsigned needs;
};

extern const struct bus_case BUS_CASES[];
extern const size_t N_BUS_CASES;

/* False: failed, and h->failure says where and why. */
bool bus_case_run(const struct bus_case *c, struct bus_harness *h);
