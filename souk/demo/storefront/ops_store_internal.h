#pragma once

/* The store from inside: for ops_store.c, which fills it, and ops_report.c, which tells it. */
#include "souk/demo/storefront/ops_families.h"
#include "souk/demo/storefront/ops_latency.h"
#include "souk/demo/storefront/ops_store.h"

struct ops_column {
	const struct ops_family *family;
	size_t role; /* whose metric it is; OPS_ROLES_MAX: nobody's */
	char label[OPS_LABEL_MAX];
	double raw;      /* as last scraped; 0 after a reset */
	double incoming; /* in this scrape */
	bool has_incoming;
	double total; /* of a counter: without the falls of a restart */
	double value; /* for the row to come; not a number: a hole */
	float row[OPS_ROWS];
};

struct ops_role {
	const char *name;
	bool has_answered, is_ready; /* in this round */
	char why[OPS_WHY_MAX];
	uint8_t state; /* of the last row: as in family "up" */
	bool was_scraped;
	int64_t scraped_ms; /* monotonic */
	double start_s;     /* process_start_time_seconds; 0 unknown */
	unsigned restarts;
};

struct ops_histogram {
	const struct ops_family *family;
	size_t role;
	struct ops_buckets incoming;
	bool is_bad; /* in this scrape */
	struct ops_latency latency;
	struct ops_column *quantile[3];
};

#define OPS_HISTOGRAMS_MAX 8

extern const double ops_quantiles[3];
extern const char *const ops_quantile_names[3];

struct ops_store {
	struct ops_role role[OPS_ROLES_MAX];
	size_t n_roles;
	struct ops_column *column[OPS_COLUMNS_MAX]; /* in order of appearance */
	size_t n_columns;
	struct ops_histogram histogram[OPS_HISTOGRAMS_MAX];
	size_t n_histograms;
	struct ops_feed feed[OPS_FEEDS_MAX];
	size_t n_feeds;
	bool has_feeds;         /* given in this round */
	int64_t t_ms[OPS_ROWS]; /* of the rows; a ring, the next goes to n_rows % OPS_ROWS */
	uint64_t n_rows;        /* ever */
	uint64_t dropped;       /* samples and feeds that had no room */
};
