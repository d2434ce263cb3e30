/*
 * Requests first, then the ledger: so only outcomes of orders that are not done are kept, whatever
 * else the ledger holds. The ledger is read up to our own owner record, behind which only our
 * outcomes count. Requests that come after the end of the log was met, which was after our record,
 * can have none before it.
 *
 * Room. When orders_max is reached, what is done is forgotten. If nothing is known to be, the
 * ledger is read for what there is, and reading waits until an order is done. The bridge that wrote
 * the log had room for what was open at each place of it, so under the same limit we find it, too.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/model/ledger.h"
#include "common/model/offer.h"
#include "common/model/tables.h"
#include "common/model/topics.h"
#include "wallet-bridge/dry_run_shard_impl.h"

void dry_run_restore_drop(struct dry_run_shard *s)
{
	drive_table_fini(&s->table);
	s->log = request_log_free(s->log);
}

static void stuck(struct dry_run_shard *s)
{
	log_error("executor", "more items than there is room for, the partition is not driven",
		"shard=%" PRId32 " items_max=%zu", s->number, s->env->config->items_max);
	counter_add(s->env->metrics.full, 1);
	s->state = DRY_RUN_STUCK;
	loop_timer_stop(s->due);
}

static void out_of_memory(struct dry_run_shard *s)
{
	log_error("executor", "out of memory, restoring the partition again", "shard=%" PRId32,
		s->number);
	dry_run_fall_back(s, DRY_RUN_REFUSED_MS);
}

/* ---- the ledger ---- */

int32_t dry_run_ledger_partition(const struct dry_run_shard *s)
{
	int32_t n = bus_partitions(s->env->bus, TOPIC_LEDGER);

	return n > 0 ? bus_partition_of(dry_run_key(), n) : -1;
}

static void on_outcome(struct dry_run_shard *s, const struct outcome_record *r, int64_t offset)
{
	struct drive_order *o;

	if (r->epoch < s->ledger_epoch || !outcome_state_is(r->state))
		return;
	s->ledger_epoch = r->epoch;
	o = drive_table_get(&s->table, r->order);
	if (!o || o->is_checked || o->is_done || r->step <= o->n)
		return;
	if (o->first.offset < 0)
		o->first = (struct ledger_place){ offset, r->epoch };
	o->n = r->step;
	o->state = r->state;
	o->last_ms = r->ts;
}

static void on_ledger(void *ctx, const struct bus_record *r)
{
	struct dry_run_shard *s = ctx;
	struct arena *a = s->env->scratch;
	struct outcome_record outcome;
	struct owner_record owner;

	if (!str_eq(r->key, dry_run_key()) || !str_is_set(r->value))
		return;
	arena_reset(a);
	if (decode(&outcome_record_type, &outcome, r->value, a, NULL) == 0) {
		if (outcome.shard == s->number)
			on_outcome(s, &outcome, r->offset);
	} else if (decode(&owner_record_type, &owner, r->value, a, NULL) == 0) {
		if (owner.shard == s->number)
			s->ledger_epoch = r->offset;
	}
}

/* The ledger has spoken of all that are known: they can go on. */
static void check(struct dry_run_shard *s)
{
	struct drive_order *o, *after;

	for (o = TAILQ_FIRST(&s->table.window); o; o = after) {
		after = TAILQ_NEXT(o, window);
		if (o->is_checked)
			continue;
		o->is_checked = true;
		if (o->n > 0 && o->state == ORDER_FINAL)
			dry_run_finish(s, o);
		else if (!o->is_done)
			dry_run_schedule(s, o);
	}
}

static void on_ledger_end(void *ctx)
{
	struct dry_run_shard *s = ctx;

	check(s);
	if (s->is_caught_up) {
		s->state = DRY_RUN_RUNNING;
		log_info("executor", "partition is restored",
			"shard=%" PRId32 " orders=%zu open=%zu next=%" PRId64, s->number,
			request_log_n_orders(s->log), s->table.n_open, s->next);
	}
	dry_run_count_open(s);
	dry_run_unblock(s);
}

static void read_ledger(struct dry_run_shard *s)
{
	struct ledger_place from = { -1, -1 };

	if (s->read.is_pending)
		return;
	if (s->ledger_partition == dry_run_ledger_partition(s) &&
		s->ledger_from.offset <= s->ledger_until)
		from = s->ledger_from;
	s->ledger_epoch = from.epoch;
	s->read = (struct range_read){ .topic = TOPIC_LEDGER,
		.partition = dry_run_ledger_partition(s),
		.from = from.offset < 0 ? BUS_FROM_BEGIN : from.offset,
		.until = s->ledger_until,
		.record = on_ledger,
		.end = on_ledger_end,
		.ctx = s };
	range_reads_begin(s->env->reads, &s->read);
}

/* ---- requests ---- */

static bool make_room(struct dry_run_shard *s)
{
	struct drive_order *o = drive_table_oldest_done(&s->table);
	struct str id;

	if (!o)
		return false;
	id = o->log->id;
	drive_table_remove(&s->table, o);
	request_log_forget(s->log, id);
	counter_add(s->env->metrics.forgotten, 1);
	return true;
}

/* The request at @next finds no room. */
static void block(struct dry_run_shard *s)
{
	if (request_log_n_orders(s->log) < s->env->config->orders_max) {
		stuck(s);
		return;
	}
	counter_add(s->env->metrics.full, 1);
	log_warn("executor", "too many open orders, reading waits",
		"shard=%" PRId32 " orders_max=%zu next=%" PRId64, s->number,
		s->env->config->orders_max, s->next);
	s->is_full = true;
	if (!s->is_caught_up)
		read_ledger(s);
}

void dry_run_unblock(struct dry_run_shard *s)
{
	if (!s->is_full || s->read.is_pending || !drive_table_oldest_done(&s->table))
		return;
	s->is_full = false;
	bus_group_start(s->env->group, TOPIC_PAYMENT_REQUESTS, s->number, s->next);
	dry_run_update_hold(s);
}

static void add(struct dry_run_shard *s, const struct log_order *log)
{
	/* What was done when its executor committed and is not released is FINAL. */
	bool is_done = log->state != LOGGED_TAKEN || log->offset < s->done_until;
	struct drive_order *o = drive_table_add(&s->table, log, is_done);

	if (!o) {
		out_of_memory(s);
		return;
	}
	if (is_done || !s->is_caught_up)
		return;
	o->is_checked = true;
	dry_run_schedule(s, o);
}

static void released(struct dry_run_shard *s, const struct log_order *log)
{
	struct drive_order *o = drive_table_get(&s->table, log->id);

	counter_add(s->env->metrics.released, 1);
	if (o)
		dry_run_finish(s, o);
}

static void folded(struct dry_run_shard *s, enum log_effect effect, const struct log_order *log)
{
	struct dry_run_metrics *m = &s->env->metrics;

	switch (effect) {
	case LOG_TAKEN:
		counter_add(m->taken, 1);
		add(s, log);
		break;
	case LOG_BEYOND:
		counter_add(m->beyond, 1);
		add(s, log);
		break;
	case LOG_REFUSED:
		add(s, log);
		break;
	case LOG_RELEASED:
		released(s, log);
		break;
	case LOG_VOID:
		counter_add(m->void_, 1);
		break;
	case LOG_UNREADABLE:
		counter_add(m->unreadable, 1);
		break;
	case LOG_REPEAT:
	case LOG_OWNER:
	case LOG_SUPPLY:
		break;
	}
}

bool dry_run_fold(struct dry_run_shard *s, const struct bus_record *r)
{
	const struct log_order *log = NULL;
	enum log_effect effect;
	int err;

	arena_reset(s->env->scratch);
	do
		err = request_log_apply(s->log, r, s->env->scratch, &effect, &log);
	while (err == REQUEST_LOG_E_FULL &&
		request_log_n_orders(s->log) >= s->env->config->orders_max && make_room(s));
	if (err < 0) {
		out_of_memory(s);
		return false;
	}
	s->next = err == 0 ? r->offset + 1 : r->offset;
	if (err == 0)
		folded(s, effect, log);
	else
		block(s);
	return err == 0 && s->state != DRY_RUN_LOST;
}

/* The topic was made anew, or lost its end: what was committed says nothing about what is there. */
static bool is_foreign(const struct dry_run_shard *s, int64_t next_offset)
{
	if (s->done_until <= next_offset)
		return false;
	log_error("executor", "the log ends before what was committed, everything is looked at",
		"shard=%" PRId32 " end=%" PRId64 " done_until=%" PRId64, s->number, next_offset,
		s->done_until);
	return true;
}

void dry_run_caught_up(struct dry_run_shard *s, int64_t next_offset)
{
	if (s->is_caught_up)
		return;
	if (is_foreign(s, next_offset)) {
		s->done_until = 0;
		s->ledger_partition = -1;
		dry_run_restore_begin(s);
		return;
	}
	s->is_caught_up = true;
	s->next = next_offset;
	read_ledger(s);
}

/* ---- stock ---- */

static void on_snapshot(void *ctx, const struct bus_record *r)
{
	struct dry_run_shard *s = ctx;
	struct stock stock;
	int err;

	if (!str_is_set(r->value) || s->state != DRY_RUN_SNAPSHOTS)
		return;
	arena_reset(s->env->scratch);
	if (decode(&stock_type, &stock, r->value, s->env->scratch, NULL) != 0) {
		counter_add(s->env->metrics.unreadable, 1);
		return;
	}
	err = request_log_snapshot(s->log, &stock);
	if (err == REQUEST_LOG_E_FULL)
		stuck(s);
	else if (err != 0)
		out_of_memory(s);
}

static void on_snapshots_end(void *ctx)
{
	struct dry_run_shard *s = ctx;

	if (s->state != DRY_RUN_SNAPSHOTS)
		return;
	s->state = DRY_RUN_FOLDING;
	bus_group_start(s->env->group, TOPIC_PAYMENT_REQUESTS, s->number, BUS_FROM_BEGIN);
	dry_run_update_hold(s);
}

void dry_run_restore_begin(struct dry_run_shard *s)
{
	const struct request_log_config config = {
		.items_max = s->env->config->items_max,
		.orders_max = s->env->config->orders_max,
		.keeps_requests = false, /* nothing is paid: the order's id is enough */
	};

	dry_run_restore_drop(s);
	s->is_caught_up = s->is_full = false;
	s->next = 0;
	s->ledger_until = s->epoch;
	s->blocked_until_us = 0;
	s->state = DRY_RUN_SNAPSHOTS;
	dry_run_update_hold(s);
	if (request_log_new(&s->log, &config) != 0 || drive_table_init(&s->table, s) != 0) {
		out_of_memory(s);
		return;
	}
	s->read = (struct range_read){ .topic = TOPIC_STOCK,
		.partition = s->number,
		.from = BUS_FROM_BEGIN,
		.until = -1,
		.record = on_snapshot,
		.end = on_snapshots_end,
		.ctx = s };
	range_reads_begin(s->env->reads, &s->read);
}
