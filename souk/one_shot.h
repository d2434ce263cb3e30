#pragma once

/*
 * A command that speaks to Kafka once: a loop, a bus, and a bound on how long it may take. Without
 * admin port and signals, which a process that stays has (process.h).
 */
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/io/bus.h"
#include "common/io/loop.h"
#include "souk/settings.h"

struct one_shot {
	struct loop *loop;
	struct metrics *metrics;
	struct bus *bus;
	struct loop_timer *tick, *limit;
	void (*step)(void *ctx);
	void *ctx;
	bool is_late;
};

/* 0 or -errno with @f. */
MUST_CHECK int one_shot_init(
	struct one_shot *o, const struct settings *s, const char *client_id, struct fault *f);
void one_shot_fini(struct one_shot *o); /* accepts a zeroed one */
/* Calls @step (may be NULL) every few ms until one_shot_end(). 0; -ETIMEDOUT with @f when that did
 * not come within a while; -ENOMEM. */
MUST_CHECK int one_shot_run(struct one_shot *o, const struct settings *s, void (*step)(void *ctx),
	void *ctx, struct fault *f);
void one_shot_end(struct one_shot *o);
