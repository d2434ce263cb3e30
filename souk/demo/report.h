#pragma once

/* The JSON lines of the shoppers' process for the supervisor. */
#include "common/base/histogram.h"
#include "souk/demo/audit.h"
#include "souk/demo/shopper.h"

struct report {
	const struct tracker *tracker;
	const struct audit_counts *audit;
	const struct shoppers_shared *shared;
	const struct order_audit *orders;
	uint64_t looks, missed;
	uint32_t connected;
};

/* {"stat":{…}}, each second. */
void report_stat(const struct report *r);
/* {"offer":{…}}, as heard. */
void report_offer(const struct offer *o, int64_t latency_us);
/* {"final":{…}}, once, after the last judgement. true: every check holds. */
bool report_final(const struct report *r);
