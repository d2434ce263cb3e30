#pragma once

/*
 * One process of Souk: a loop and the real seams on it, the admin port, signals. What is the same
 * for every role and every helper of the demo.
 *
 * SIGTERM and SIGINT ask the part to drain (`stop`); it calls process_stopped() when it is done. A
 * second signal, or drain_max_ms, ends the loop at once.
 */
#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/io/admin.h"
#include "common/io/bus.h"
#include "common/io/cache.h"
#include "common/io/loop.h"
#include "common/io/lws_host.h"
#include "souk/settings.h"

#define PROCESS_DRAIN_MAX_MS 15000

struct process {
	const char *name;
	const struct settings *settings;
	char instance[40]; /* random, for owner records and leases */
	struct loop *loop;
	struct lws_host *host;
	struct metrics *metrics;
	struct bus *bus;      /* NULL unless asked for */
	struct cache *cache;  /* NULL unless asked for */
	int64_t drain_max_ms; /* PROCESS_DRAIN_MAX_MS; may be changed before process_run() */
	/* private */
	struct admin *admin;
	struct loop_timer *drain_timer;
	bool (*is_ready)(void *ctx, struct buf *why);
	void (*stop)(void *ctx);
	void *ctx;
	bool is_stopping;
};

struct process_need {
	const char *name;    /* "pricing": log role, client id */
	const char *section; /* of the configuration; NULL: none of its own */
	bool cache;
	bool bus;
	const char *const *warm_topics; /* NULL-terminated, or NULL */
	int default_admin_port;         /* used when admin.listen is not given; 0 = any */
};

/* 0 or a negative errno with @f. */
MUST_CHECK int process_init(struct process *p, const struct process_need *need,
	const struct settings *settings, struct fault *f);

/* Opens the admin port and runs until stopped. @is_ready is asked for /readyz; @stop begins the
 * drain (NULL: stop at once). 0 or -errno with @f. */
MUST_CHECK int process_run(struct process *p, bool (*is_ready)(void *ctx, struct buf *why),
	void (*stop)(void *ctx), void *ctx, struct fault *f);

/* The drain is done (also without having been asked: the process ends by itself). */
void process_stopped(struct process *p);

void process_fini(struct process *p);
