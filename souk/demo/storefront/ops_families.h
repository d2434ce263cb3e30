#pragma once

/*
 * Which metrics of which role the operations view shows. The names on the left are the API's.
 */
#include <stddef.h>

enum ops_kind {
	OPS_RATE,    /* a counter: per second, and its total */
	OPS_VALUE,   /* a gauge, as it is */
	OPS_LATENCY, /* a histogram of seconds: columns p50, p90 and p99, in milliseconds */
};

struct ops_family {
	const char *name;
	enum ops_kind kind;
	const char *role;   /* NULL: of every role, labelled with its name */
	const char *metric; /* NULL: not a metric, the store fills it */
	const char *label;  /* whose values are the columns; NULL: one column, "all" */
};

extern const struct ops_family ops_families[];
extern const size_t ops_n_families;

/* By name; asserts that it is there. */
const struct ops_family *ops_family(const char *name);
