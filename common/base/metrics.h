#pragma once

/*
 * Counters, gauges and histograms, declared in a table next to the code that moves them.
 *
 *	static const struct metric_def EVENTS = { "souk_ws_events_total", METRIC_COUNTER,
 *		"Interest events received.", "result" };
 *	struct counter *ok = metrics_counter(m, &EVENTS, "ok");
 *	counter_add(ok, 1);
 *
 * Look a metric up once, keep the pointer: it lives as long as the registry. A registry has a
 * maximum of series; beyond it look-ups return one shared "overflow" series, counted in
 * souk_metrics_overflow_total. At most one label a metric, from a closed set: never a user, session
 * or item. Prometheus text format 0.0.4, base units. Touched by the loop thread only.
 */
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/histogram.h"

enum metric_kind {
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_HISTOGRAM_SECONDS, /* values added in microseconds */
};

struct metric_def {
	const char *name; /* souk_<role>_<noun>[_<unit>][_total] */
	enum metric_kind kind;
	const char *help;
	const char *label; /* label key, or NULL */
};

struct counter {
	uint64_t value;
};
struct gauge {
	int64_t value;
};

struct metrics;

MUST_CHECK int metrics_new(struct metrics **ret, size_t max_series);
struct metrics *metrics_free(struct metrics *m);
DEFINE_CLEANUP(struct metrics *, metrics_free)

/* Create on first use; @def and @label_value are borrowed / copied respectively; label_value is
 * NULL if the def has no label. Never NULL. */
struct counter *metrics_counter(
	struct metrics *m, const struct metric_def *def, const char *label_value);
struct gauge *metrics_gauge(
	struct metrics *m, const struct metric_def *def, const char *label_value);
struct histogram *metrics_histogram(
	struct metrics *m, const struct metric_def *def, const char *label_value);

static inline void counter_add(struct counter *c, uint64_t n)
{
	c->value += n;
}

/* Current value of a counter or gauge series; 0 if it does not exist. For tests and readiness. */
int64_t metrics_value(const struct metrics *m, const char *name, const char *label_value);

/* The exposition, families sorted by name. Also process_* metrics (CPU seconds, resident bytes,
 * open fds, start time), as far as /proc/self can be read. */
void metrics_write(const struct metrics *m, struct buf *out);
