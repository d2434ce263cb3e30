#pragma once

/*
 * The run's auditor: reads the decisions and all that is said of orders live (the embedded broker
 * forgets) and judges them by arithmetic of its own.
 */
#include "common/io/bus.h"
#include "souk/demo/order_audit.h"
#include "souk/demo/tracker.h"

#define AUDIT_OUTCOMES 4
#define AUDIT_REASONS  32
#define AUDIT_CAUSES   8

struct audit_counts {
	uint64_t decisions;                /* of events: the first of each */
	uint64_t outcomes[AUDIT_OUTCOMES]; /* of these, enum decision_outcome; WITHDRAWN: of live
					      offers */
	uint64_t reasons[AUDIT_REASONS];   /* of these, enum reason, withdrawals left out */
	uint64_t revisions;                /* decisions of offers that lived already */
	uint64_t causes[AUDIT_CAUSES];     /* of revisions: enum decision_cause */
	uint64_t voided;                   /* said by a former owner */
	uint64_t unreadable;
	uint64_t missed; /* partitions of which the log had forgotten something unread */
	uint64_t broke_guard;
	char example[200]; /* of the first price that broke a guard */
	uint64_t rose;     /* prices that rose in a session without the market */
	char rose_example[200];
};

struct audit;

/* Follows every partition of nft.decisions.v1 from its end, and those of orders from their
 * beginning. Borrows @t and @orders. 0, -ENOMEM. */
MUST_CHECK int audit_new(struct audit **ret, struct loop *loop, struct bus *bus, struct tracker *t,
	struct order_audit *orders);
struct audit *audit_free(struct audit *a);
bool audit_is_ready(const struct audit *a);
const struct audit_counts *audit_counts(const struct audit *a);
