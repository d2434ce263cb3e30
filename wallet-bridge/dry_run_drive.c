/*
 * One timer for all orders of the shard, at the first that is due. Steps are dated by the wall
 * clock, because the ledger's are, and timed by the monotonic one: a clock that steps can make a
 * step come at once or after its whole wait, never later.
 *
 * A step whose report failed may be in the log. It is said again as it was: what depends on the
 * clock is decided at the first try.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/io/record_headers.h"
#include "common/model/ledger.h"
#include "common/model/topics.h"
#include "wallet-bridge/dry_run_plan.h"
#include "wallet-bridge/dry_run_shard_impl.h"

#define BATCH       256 /* steps a turn */
#define COMMIT_MS   500
#define OUTCOME_MAX 2048

static int64_t clamp(int64_t v, int64_t most)
{
	return v < 0 ? 0 : v > most ? most : v;
}

/* Sooner than a timer that runs is what it is started for; later ones find it running. */
static void arm(struct dry_run_shard *s)
{
	const struct drive_order *o = drive_table_first_due(&s->table);
	int64_t now_us = loop_mono_us(s->env->loop), at_us;

	if (!o || s->is_draining || s->state == DRY_RUN_LOST) {
		loop_timer_stop(s->due);
		return;
	}
	at_us = o->due_us > s->blocked_until_us ? o->due_us : s->blocked_until_us;
	loop_timer_start_us(s->due, at_us > now_us ? at_us - now_us : 0);
}

/* ---- when ---- */

static int64_t expires_ms(const struct dry_run_shard *s, const struct drive_order *o)
{
	return o->log->ts_ms + s->env->config->reservation_ms;
}

static void schedule_in(struct dry_run_shard *s, struct drive_order *o, int64_t wait_ms)
{
	drive_table_schedule(&s->table, o, loop_mono_us(s->env->loop) + wait_ms * 1000);
	if (drive_table_first_due(&s->table) == o)
		arm(s);
}

void dry_run_schedule(struct dry_run_shard *s, struct drive_order *o)
{
	struct dry_run_step step;
	int64_t due_ms, wait_ms;
	int r = dry_run_plan_next(&step, s->env->config, o->log->id, o->n, o->state, false);

	o->is_tried = false;
	if (r == DRY_RUN_PLAN_E_OVER) /* its release is to come */
		return;
	wait_ms = r == 0 ? step.wait_ms : DRY_RUN_REFUSED_MS;
	due_ms = o->last_ms + wait_ms;
	if (!dry_run_plan_is_begun(o->n, o->state) && expires_ms(s, o) < due_ms)
		due_ms = expires_ms(s, o);
	schedule_in(s, o, clamp(due_ms - loop_now_ms(s->env->loop), wait_ms));
}

/* ---- steps ---- */

void dry_run_finish(struct dry_run_shard *s, struct drive_order *o)
{
	drive_table_finish(&s->table, o);
	dry_run_count_open(s);
	dry_run_commit_soon(s);
}

static void said(struct dry_run_shard *s, struct drive_order *o, int64_t offset)
{
	o->n++;
	o->state = o->said_state;
	o->last_ms = o->said_ms;
	o->is_tried = false;
	if (o->first.offset < 0)
		o->first = (struct ledger_place){ offset, s->epoch };
	s->ledger_end = (struct ledger_place){ offset + 1, s->epoch };
	counter_add(s->env->metrics.outcomes[o->state], 1);
	if (o->is_done)
		return;
	if (o->state == ORDER_FINAL)
		dry_run_finish(s, o);
	else
		dry_run_schedule(s, o);
}

static void on_said(void *ctx, int err, int32_t partition, int64_t offset)
{
	struct drive_order *o = ctx;
	struct dry_run_shard *s = o->table->ctx;

	(void)partition;
	o->is_sending = false;
	s->table.n_sending--;
	if (err == -EPERM) /* the shard is lost */
		return;
	if (err == 0) {
		said(s, o, offset);
	} else {
		counter_add(s->env->metrics.failed, 1);
		if (o->first.offset < 0) /* it may be in the ledger */
			o->first = o->said_from;
		if (!o->is_done)
			schedule_in(s, o, DRY_RUN_FAILED_MS);
	}
	dry_run_unblock(s);
}

static void write_outcome(const struct dry_run_shard *s, const struct drive_order *o,
	const struct dry_run_step *step, struct buf *out)
{
	struct json_out j = JSON_OUT(out);

	outcome_record_json(&j, &(struct outcome_record){ .shard = s->number,
					.epoch = s->epoch,
					.order = o->log->id,
					.item = o->log->item->item,
					.step = o->n + 1,
					.state = (int)step->state,
					.reason = str_of(step->reason),
					.tx = step->tx[0] ? str_of(step->tx) : STR_NONE,
					.block = step->block,
					.dry_run = TRI_TRUE,
					.ts = o->said_ms });
}

static int send_step(
	struct dry_run_shard *s, struct drive_order *o, const struct dry_run_step *step)
{
	CLEANUP(buf_fini) struct buf value = BUF_INIT(OUTCOME_MAX);
	struct record_headers headers = { .n = 0 };
	char id[RECORD_ID_MAX];
	int n = snprintf(id, sizeof(id), STR_FMT ".%" PRId64, STR_ARG(o->log->id), o->n + 1);

	write_outcome(s, o, step, &value);
	if (value.failed)
		return -ENOBUFS;
	if (record_headers_cloud_event(&headers, (struct str){ id, (size_t)n },
		    STR("souk." TOPIC_LEDGER), "wallet-bridge", s->env->instance, o->said_ms) != 0)
		return -EINVAL;
	return owner_send(s->owner, &(struct bus_message){ .key = dry_run_key(),
					    .value = buf_str(&value),
					    .headers = headers.v,
					    .n_headers = headers.n,
					    .sent = on_said,
					    .ctx = o });
}

static void decide(struct dry_run_shard *s, struct drive_order *o)
{
	if (o->is_tried)
		return;
	o->is_tried = true;
	o->said_ms = loop_now_ms(s->env->loop);
	o->is_late = !dry_run_plan_is_begun(o->n, o->state) && o->said_ms >= expires_ms(s, o);
}

/* 0, or why no step can be said now. */
static int say(struct dry_run_shard *s, struct drive_order *o)
{
	struct dry_run_step step;
	int r;

	decide(s, o);
	r = dry_run_plan_next(&step, s->env->config, o->log->id, o->n, o->state, o->is_late);
	assert(r <= 0);
	if (r == 0)
		r = send_step(s, o, &step);
	if (r != 0)
		return r;
	drive_table_unschedule(&s->table, o);
	o->said_state = (int)step.state;
	o->said_from = s->ledger_end;
	o->is_sending = true;
	s->table.n_sending++;
	return 0;
}

void dry_run_due(void *ctx)
{
	struct dry_run_shard *s = ctx;
	int64_t now_us = loop_mono_us(s->env->loop);
	struct drive_order *o;

	for (int i = 0; i < BATCH && (o = drive_table_first_due(&s->table)); i++) {
		int64_t lag_us = now_us - o->due_us;
		int r = lag_us < 0 ? 0 : say(s, o);

		if (lag_us < 0)
			break;
		if (r == 0) {
			histogram_add(s->env->metrics.lag, (uint64_t)lag_us);
			continue;
		}
		if (r == -EPERM) /* lost, as we shall hear */
			return;
		if (r != -ENOBUFS)
			log_error("executor", "a step could not be sent, trying again",
				"shard=%" PRId32 " order=" STR_FMT " error=%d", s->number,
				STR_ARG(o->log->id), r);
		s->blocked_until_us =
			now_us + 1000 * (r == -ENOBUFS ? DRY_RUN_FULL_MS : DRY_RUN_REFUSED_MS);
		break;
	}
	arm(s);
}

/* ---- counted and committed ---- */

void dry_run_count_open(struct dry_run_shard *s)
{
	int64_t n = (int64_t)s->table.n_open;

	s->env->metrics.open->value += n - s->n_counted;
	s->n_counted = n;
}

void dry_run_commit_soon(struct dry_run_shard *s)
{
	if (s->state != DRY_RUN_RUNNING || s->is_commit_due)
		return;
	s->is_commit_due = true;
	loop_timer_start(s->commit, COMMIT_MS);
}

void dry_run_commit_now(void *ctx)
{
	struct dry_run_shard *s = ctx;
	int32_t partition = dry_run_ledger_partition(s);
	struct ledger_place place;
	char metadata[64];
	int64_t from;
	int n;

	s->is_commit_due = false;
	if (s->state != DRY_RUN_RUNNING)
		return;
	from = drive_table_from(&s->table, s->next);
	place = drive_table_ledger_from(&s->table, s->ledger_end);
	if (from == s->done_until && place.offset == s->ledger_from.offset)
		return;
	n = snprintf(metadata, sizeof(metadata), "%" PRId32 ":%" PRId64 ":%" PRId64, partition,
		place.offset, place.epoch);
	if (bus_group_commit(s->env->group, TOPIC_PAYMENT_REQUESTS, s->number, from,
		    (struct str){ metadata, (size_t)n }) != 0)
		return;
	s->done_until = from;
	s->ledger_partition = partition;
	s->ledger_from = place;
}
