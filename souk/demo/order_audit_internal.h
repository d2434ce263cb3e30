#pragma once

/* Shared by order_audit.c (what shoppers did, the end) and order_audit_records.c (what the topics
 * say). */
#include "common/base/arena.h"
#include "souk/demo/order_audit.h"

#define ORDER_AUDIT_PARTITIONS_MAX 256

struct order_audit {
	struct order_book *book;
	struct arena *scratch;
	struct order_audit_counts counts;
	int64_t epoch[ORDER_AUDIT_PARTITIONS_MAX]; /* owner epochs of the requests' partitions */
	int64_t ledger_epoch[ORDER_AUDIT_PARTITIONS_MAX]; /* of shards, as the ledger has them */
	uint64_t live[BREACHES];                          /* seen as records came */
};

/* One that shows as it comes, not at the end. */
void order_audit_breach(struct order_audit *a, enum order_breach kind, const char *id);
/* enum order_state, or -1 */
int order_audit_state_of(struct str name);
