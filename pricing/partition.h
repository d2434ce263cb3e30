#pragma once

/*
 * One partition of nft.interest.v1 that the group gave us: claimed by an owner record on the same
 * partition of nft.decisions.v1, read, judged and answered in order of offsets, committed when both
 * results of every event before are acknowledged.
 *
 * CLAIMING -> RESTORING on acquired(): what the owners before showed is read from the log
 * (partition_restore.h); then RUNNING. RESTORING or RUNNING -> LOST when someone else spoke: what
 * is not acknowledged is dropped, and after a pause the partition is claimed again and read from
 * the first event without acknowledged results. A partition that the group takes back is committed
 * and freed.
 *
 * Its live offers are followed while it is RUNNING: priced again when something changed under them.
 * Whoever loses the partition forgets them, and they run out.
 */
#include <stdbool.h>

#include "common/base/arena.h"
#include "common/io/bus.h"
#include "common/io/loop.h"
#include "common/model/quote.h"
#include "pricing/answer.h"
#include "pricing/compute.h"
#include "pricing/event.h"
#include "pricing/join.h"
#include "pricing/metrics.h"
#include "pricing/rules_source.h"

#define CURRENCIES_MAX 64

struct partition;
struct reviser;
TAILQ_HEAD(partition_list, partition);

/* What all partitions of a process share. */
struct partition_env {
	struct loop *loop;
	struct bus *bus;
	struct bus_group *group;
	struct bus_reader *reader; /* of decisions to restore; NULL: not needed yet */
	const char *instance;
	struct join *join;
	struct rules_source *rules;
	struct quote_keys *keys;
	struct pricing_metrics metrics;
	struct guards guards;             /* template: everything but the quantum */
	char quantum[CURRENCIES_MAX][40]; /* amount text by currency, "" = 1 */
	int64_t offer_ttl_ms;
	int64_t in_flight_max;
	int64_t recent_max;
	struct arena *scratch;         /* of one decision: what was joined */
	struct decide_scratch *decide; /* of one: its rules */
	struct price_inputs inputs;
	struct price_result result;
	struct answer_bufs bufs;
	struct event_list orphans; /* dropped events whose reports are still to come */
	struct partition_list partitions;
	struct reviser *reviser;
	struct live_config live;
};

/* @committed and @metadata as the group gave them. 0, -ENOMEM, -EIO. Claims at once. */
MUST_CHECK int partition_new(struct partition **ret, struct partition_env *env, int32_t number,
	int64_t committed, struct str metadata);
/* The group takes it back: commits what is acknowledged while that is still possible. */
void partition_revoked(struct partition *p);
/* Drops what is in flight. */
struct partition *partition_free(struct partition *p);

void partition_records(struct partition *p, const struct bus_record *r, size_t n);

/* For all partitions: a row changed, of @user or of @item (the other is absent), or everything may
 * have (neither). */
void partitions_changed(struct partition_env *env, struct str user, struct str item);
/* The same: a collection is paused, or (absent) all are, and live offers are withdrawn at once. */
void partitions_paused(struct partition_env *env, struct str collection);

bool partition_is_running(const struct partition *p);
/* Takes no more events; what it has is finished. */
void partition_drain(struct partition *p);
/* Nothing in flight, and everything acknowledged is given to the commit. */
bool partition_is_idle(const struct partition *p);
