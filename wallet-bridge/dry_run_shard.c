/*
 * Ownership and life. What is lost is not mended but made anew: a restore from the logs is the one
 * way into RUNNING, at the start, after a rebalance and after someone else spoke.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/model/offer.h"
#include "common/model/topics.h"
#include "wallet-bridge/dry_run_shard_impl.h"

#define OWNER_REPEAT_MS 86400000

void dry_run_update_hold(struct dry_run_shard *s)
{
	bool hold = s->is_full || s->is_draining ||
		    (s->state != DRY_RUN_FOLDING && s->state != DRY_RUN_RUNNING);

	if (hold == s->is_held)
		return;
	s->is_held = hold;
	bus_group_hold(s->env->group, TOPIC_PAYMENT_REQUESTS, s->number, hold);
}

/* ---- ownership ---- */

static void on_acquired(void *ctx, int64_t epoch)
{
	struct dry_run_shard *s = ctx;
	bool is_repeat = s->epoch >= 0;

	s->epoch = epoch;
	s->ledger_end = (struct ledger_place){ epoch + 1, epoch };
	if (is_repeat)
		return;
	counter_add(s->env->metrics.acquired, 1);
	log_info("executor", "partition is ours",
		"shard=%" PRId32 " epoch=%" PRId64 " done_until=%" PRId64, s->number, epoch,
		s->done_until);
	dry_run_restore_begin(s);
}

void dry_run_fall_back(struct dry_run_shard *s, int64_t pause_ms)
{
	if (s->state == DRY_RUN_LOST)
		return;
	s->state = DRY_RUN_LOST;
	range_reads_cancel(s->env->reads, &s->read);
	loop_timer_stop(s->due);
	loop_timer_stop(s->commit);
	dry_run_update_hold(s);
	loop_timer_start(s->reclaim, pause_ms);
}

static void on_lost(void *ctx)
{
	struct dry_run_shard *s = ctx;

	counter_add(s->env->metrics.lost, 1);
	log_warn("executor", "partition was taken from us, dropping what is on its way",
		"shard=%" PRId32 " epoch=%" PRId64, s->number, s->epoch);
	dry_run_fall_back(s, DRY_RUN_FAILED_MS);
}

/* Another signer's shards may lie in the same ledger partition. */
static struct str owner_of(void *ctx, const struct bus_record *record)
{
	struct dry_run_shard *s = ctx;

	if (!str_eq(record->key, dry_run_key()))
		return STR_NONE;
	return owner_record_instance(
		s->owner_text, sizeof(s->owner_text), record->value, s->number, s->env->scratch);
}

static void owner_write(void *ctx, struct buf *out)
{
	struct dry_run_shard *s = ctx;
	struct json_out j = JSON_OUT(out);
	const struct owner_record r = {
		.shard = s->number,
		.instance = str_of(s->env->instance),
		.ts = loop_now_ms(s->env->loop),
	};

	owner_record_json(&j, &r);
}

static int claim(struct dry_run_shard *s)
{
	static const struct owner_ops ops = {
		.acquired = on_acquired,
		.lost = on_lost,
		.owner_of = owner_of,
		.write = owner_write,
	};
	const struct owner_config config = {
		.topic = TOPIC_LEDGER,
		.partition = BUS_BY_KEY,
		.key = dry_run_key(),
		.instance = str_of(s->env->instance),
		.repeat_ms = OWNER_REPEAT_MS,
	};
	int r = owner_new(&s->owner, s->env->loop, s->env->bus, &config, &ops, s);

	if (r != 0)
		return r;
	s->state = DRY_RUN_CLAIMING;
	s->epoch = -1;
	owner_claim(s->owner);
	return 0;
}

static void drop(struct dry_run_shard *s)
{
	s->owner = owner_free(s->owner); /* and the reports that point to orders */
	dry_run_restore_drop(s);
	dry_run_count_open(s);
}

static void on_reclaim(void *ctx)
{
	struct dry_run_shard *s = ctx;

	drop(s);
	if (!s->is_draining && claim(s) != 0)
		loop_timer_start(s->reclaim, DRY_RUN_REFUSED_MS);
}

/* ---- records ---- */

void dry_run_shard_records(struct dry_run_shard *s, const struct bus_record *r, size_t n)
{
	for (size_t i = 0; i < n && !s->is_held; i++) {
		if (!dry_run_fold(s, &r[i]))
			break;
	}
	if (s->state == DRY_RUN_FOLDING || s->state == DRY_RUN_RUNNING)
		dry_run_count_open(s);
	dry_run_commit_soon(s);
	dry_run_update_hold(s);
}

void dry_run_shard_at_end(struct dry_run_shard *s, int64_t next_offset)
{
	if (s->state == DRY_RUN_FOLDING && !s->is_held)
		dry_run_caught_up(s, next_offset);
}

/* ---- life ---- */

struct dry_run_shard *dry_run_shard_free(struct dry_run_shard *s)
{
	if (!s)
		return NULL;
	range_reads_cancel(s->env->reads, &s->read);
	drop(s);
	loop_timer_free(s->due);
	loop_timer_free(s->commit);
	loop_timer_free(s->reclaim);
	free(s);
	return NULL;
}

/* What cannot be read, or is of another partition count, is no reason to stop: the whole ledger is
 * read then. */
static void take_metadata(struct dry_run_shard *s, struct str metadata)
{
	char text[64];
	int32_t partition;
	int64_t offset, epoch;
	int n = 0;

	s->ledger_partition = -1;
	s->ledger_from = (struct ledger_place){ -1, -1 };
	if (!str_is_set(metadata) || str_copy(text, sizeof(text), metadata) != 0)
		return;
	if (sscanf(text, "%" SCNd32 ":%" SCNd64 ":%" SCNd64 "%n", &partition, &offset, &epoch,
		    &n) != 3 ||
		text[n] || partition < 0 || offset < 0 || epoch < 0)
		return;
	s->ledger_partition = partition;
	s->ledger_from = (struct ledger_place){ offset, epoch };
}

int dry_run_shard_new(struct dry_run_shard **ret, struct dry_run_env *env, int32_t number,
	int64_t committed, struct str metadata)
{
	CLEANUP(dry_run_shard_free) struct dry_run_shard *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->env = env;
	s->number = number;
	s->epoch = -1;
	s->is_held = true; /* nothing comes before it is started */
	s->done_until = committed > 0 ? committed : 0;
	take_metadata(s, metadata);
	if (s->ledger_partition < 0)
		s->done_until = 0; /* what is done says the ledger then */
	s->due = loop_timer_new(env->loop, dry_run_due, s);
	s->commit = loop_timer_new(env->loop, dry_run_commit_now, s);
	s->reclaim = loop_timer_new(env->loop, on_reclaim, s);
	if (!s->due || !s->commit || !s->reclaim)
		return -ENOMEM;
	r = claim(s);
	if (r != 0)
		return r;
	*ret = TAKE(s);
	return 0;
}

void dry_run_shard_commit(struct dry_run_shard *s)
{
	dry_run_commit_now(s);
}

void dry_run_shard_drain(struct dry_run_shard *s)
{
	s->is_draining = true;
	loop_timer_stop(s->due);
	if (s->state == DRY_RUN_FOLDING || s->state == DRY_RUN_RUNNING)
		dry_run_update_hold(s);
}

bool dry_run_shard_is_idle(const struct dry_run_shard *s)
{
	return s->state == DRY_RUN_LOST || s->table.n_sending == 0;
}

void dry_run_shard_why(const struct dry_run_shard *s, struct buf *why)
{
	if (s->state == DRY_RUN_STUCK)
		buf_printf(why,
			"executor: partition %" PRId32 ": more than items_max items, not driven\n",
			s->number);
	else if (s->state != DRY_RUN_RUNNING)
		buf_printf(why, "executor: partition %" PRId32 ": assigned, not restored yet\n",
			s->number);
	else if (s->is_full)
		buf_printf(why,
			"executor: partition %" PRId32
			": orders_max orders are open, reading waits\n",
			s->number);
}
