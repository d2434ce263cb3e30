#pragma once

/*
 * The run's auditor: reads the decisions live (the embedded broker forgets) and judges them by
 * arithmetic of its own.
 */
#include "common/io/bus.h"
#include "souk/demo/tracker.h"

#define AUDIT_OUTCOMES 4
#define AUDIT_REASONS  32

struct audit_counts {
	uint64_t decisions;
	uint64_t outcomes[AUDIT_OUTCOMES]; /* enum decision_outcome */
	uint64_t reasons[AUDIT_REASONS];   /* enum reason */
	uint64_t unreadable;
	uint64_t broke_guard;
	char example[200]; /* of the first price that broke a guard */
};

struct audit;

/* Follows every partition of nft.decisions.v1 from its end. 0, -ENOMEM. */
MUST_CHECK int audit_new(struct audit **ret, struct loop *loop, struct bus *bus, struct tracker *t);
struct audit *audit_free(struct audit *a);
bool audit_is_ready(const struct audit *a);
const struct audit_counts *audit_counts(const struct audit *a);
