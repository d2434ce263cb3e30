#pragma once

/* `souk demo` flags. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/fault.h"

#define DEMO_SETS_MAX 16

struct demo_options {
	int64_t for_ms; /* 0: until stopped */
	double rate;
	uint32_t shoppers;
	int64_t speed;
	uint64_t seed;
	uint32_t order_one_in; /* of the offers that shoppers hear one in so many is ordered; 0:
				  none */
	int ws_port;           /* 0: any free one */
	int http_port;         /* of the storefront; 0: any free one */
	const char *kafka;     /* NULL: embedded */
	const char *redis;     /* NULL: private */
	const char *data;
	const char *sets[DEMO_SETS_MAX]; /* "kafka.properties.x=1": handed to every role */
	size_t n_sets;
	bool json, keep, verbose;
};

extern const char demo_usage[];

/* 0, 1 if help was asked for, or -EINVAL with @f naming the flag and what would be right. */
MUST_CHECK int demo_options_parse(struct demo_options *ret, int argc, char **argv, struct fault *f);
