/*
 * One range of the log, [from, our own owner record), given by one reader that all partitions of
 * the process share. Where it begins is what was committed; unknown, it is the whole partition, of
 * which most is too old: those records are told by their timestamp and not decoded.
 *
 * A record counts as long as no owner record before it has a higher offset than its epoch. In
 * mid-log the highest epoch met, in offsets or in versions, is what is known of owners before.
 *
 * An own claim after a loss is no other case: what we remember is dropped, and read back together
 * with what the other owner showed meanwhile.
 */
#include "pricing/partition_restore.h"

#include <inttypes.h>

#include "common/base/log.h"
#include "common/model/offer.h"
#include "common/model/topics.h"
#include "pricing/partition_impl.h"

#define OWNER_BYTES_MAX 1024 /* a decision is larger */

/* ---- records ---- */

static void meet(struct partition *p, int64_t epoch)
{
	if (epoch > p->restore.highest)
		p->restore.highest = epoch;
}

static bool is_owner(struct partition *p, const struct bus_record *r)
{
	struct owner_record o;

	if (r->value.n > OWNER_BYTES_MAX ||
		decode(&owner_record_type, &o, r->value, p->env->scratch, NULL) != 0)
		return false;
	if (o.shard == p->number)
		meet(p, r->offset);
	return true;
}

/* Written after its decision was made; twice the lifetime is for clocks that differ. */
static bool is_long_past(const struct partition *p, const struct bus_record *r, int64_t now_ms)
{
	return r->ts_ms > 0 && r->ts_ms + 2 * p->env->offer_ttl_ms <= now_ms;
}

static void inherit(struct partition *p, const struct bus_record *r, const struct decision *d,
	const struct price_inputs *in, int64_t now_ms)
{
	const struct recent_decision past = {
		.interest = d->interest,
		.session = d->session,
		.user = d->user,
		.item = d->item,
		/* A clock ahead of ours must not bind longer than a lifetime. */
		.now_ms = d->ts < now_ms ? d->ts : now_ms,
		.is_offer = d->outcome == OUTCOME_OFFER,
		.price = d->price,
		.bid_net = in->bestbid.bid_net,
	};

	if (d->outcome == OUTCOME_WITHDRAWN)
		recent_withdrawn(p->recent, d->interest);
	else if (in->is_revision && past.is_offer)
		recent_inherit_revised(p->recent, &past, r->offset, now_ms);
	else if (recent_inherit(p->recent, &past, r->offset, now_ms) != 0)
		counter_add(p->env->metrics.forgotten, 1);
}

static enum restored_kind take(struct partition *p, const struct bus_record *r)
{
	int64_t now_ms = loop_now_ms(p->env->loop);
	struct arena *a = p->env->scratch;
	struct decision d;
	struct price_inputs in;

	arena_reset(a);
	if (!str_is_set(r->value))
		return RESTORED_UNREADABLE;
	if (is_owner(p, r))
		return RESTORED_OWNER;
	if (is_long_past(p, r, now_ms))
		return RESTORED_PAST;
	/* An epoch is the offset of a record before. */
	if (decode(&decision_type, &d, r->value, a, NULL) != 0 ||
		d.rev.part[0] >= (uint64_t)r->offset)
		return RESTORED_UNREADABLE;
	if ((int64_t)d.rev.part[0] < p->restore.highest)
		return RESTORED_VOID;
	meet(p, (int64_t)d.rev.part[0]);
	if (d.ts + p->env->offer_ttl_ms <= now_ms)
		return RESTORED_PAST;
	if (inputs_decode(&in, d.inputs, a, NULL) != 0 ||
		(d.outcome == OUTCOME_OFFER && (!money_is_set(d.price) || !str_is_set(d.item))))
		return RESTORED_UNREADABLE;
	inherit(p, r, &d, &in, now_ms);
	return RESTORED_DECISION;
}

/* ---- the range ---- */

static void tell(struct partition *p)
{
	struct partition_restore *re = &p->restore;
	int64_t took_us = loop_mono_us(p->env->loop) - re->started_us;
	uint64_t n_read = 0;

	for (int i = 0; i < RESTORED_KINDS; i++) {
		n_read += re->n[i];
		counter_add(p->env->metrics.restored[i], re->n[i]);
	}
	histogram_add(p->env->metrics.restore, took_us);
	log_info("pricing", "what was shown before is restored",
		"shard=%" PRId32 " from=%" PRId64 " records=%" PRIu64 " restored=%" PRIu64
		" void=%" PRIu64 " unreadable=%" PRIu64 " ms=%" PRId64,
		p->number, re->from, n_read, re->n[RESTORED_DECISION], re->n[RESTORED_VOID],
		re->n[RESTORED_UNREADABLE], took_us / 1000);
}

static void complete(struct partition *p)
{
	p->restore.is_reading = false;
	recent_inherited(p->recent, p->epoch + 1);
	partition_count_evicted(p);
	partition_restored(p);
}

static struct partition *restoring(struct partition_env *env, int32_t number)
{
	struct partition *p;

	TAILQ_FOREACH(p, &env->partitions, link) {
		if (p->number == number && p->restore.is_reading)
			return p;
	}
	return NULL;
}

static void on_records(void *ctx, const struct bus_record *r, size_t n)
{
	struct partition *p = restoring(ctx, r->partition);

	for (size_t i = 0; p && i < n; i++)
		p->restore.n[take(p, &r[i])]++;
}

static void on_at_end(void *ctx, const char *topic, int32_t number, int64_t next_offset)
{
	struct partition *p = restoring(ctx, number);

	(void)topic, (void)next_offset;
	if (!p)
		return;
	tell(p);
	complete(p);
}

/* What retention has taken is older than any offer, unless it is set below their lifetime. */
static void on_out_of_range(void *ctx, const char *topic, int32_t number, int64_t next_offset)
{
	struct partition *p = restoring(ctx, number);

	(void)topic;
	if (!p)
		return;
	log_warn("pricing", "the decisions to restore begin later than was committed",
		"shard=%" PRId32 " from=%" PRId64 " first=%" PRId64, number, p->restore.from,
		next_offset);
}

static void read_range(struct partition *p)
{
	static const struct bus_reader_ops ops = {
		.records = on_records, .at_end = on_at_end, .out_of_range = on_out_of_range
	};
	struct partition_env *env = p->env;
	struct partition_restore *re = &p->restore;
	int r = env->reader ? 0 : bus_reader_open(env->bus, &env->reader, &ops, env);

	if (r == 0)
		r = bus_reader_add(env->reader, TOPIC_DECISIONS, p->number,
			re->from < 0 ? BUS_FROM_BEGIN : re->from, re->until);
	re->is_reading = r == 0;
	if (r == 0)
		return;
	log_warn("pricing", "the decisions to restore cannot be read, trying again",
		"shard=%" PRId32 " error=%d", p->number, r);
	loop_timer_start(re->retry, REFUSED_RETRY_MS);
}

void partition_restore_retry(void *ctx)
{
	read_range(ctx);
}

void partition_restore(struct partition *p)
{
	struct partition_restore *re = &p->restore;
	int64_t now_ms = loop_now_ms(p->env->loop);

	re->from = p->was_owned ? recent_since(p->recent, now_ms) : p->since;
	re->until = p->epoch;
	if (re->from > re->until) { /* committed for another log of this name */
		log_warn("pricing", "the committed metadata is beyond the log, reading all of it",
			"shard=%" PRId32 " from=%" PRId64 " epoch=%" PRId64, p->number, re->from,
			p->epoch);
		re->from = -1;
	}
	re->highest = -1;
	re->started_us = loop_mono_us(p->env->loop);
	for (int i = 0; i < RESTORED_KINDS; i++)
		re->n[i] = 0;
	recent_reset(p->recent, re->from, p->epoch + 1, now_ms);
	p->was_owned = true;
	p->state = PARTITION_RESTORING;
	if (re->from == re->until || re->until == 0)
		complete(p);
	else
		read_range(p);
}

void partition_restore_stop(struct partition *p)
{
	loop_timer_stop(p->restore.retry);
	if (p->restore.is_reading)
		bus_reader_remove(p->env->reader, TOPIC_DECISIONS, p->number);
	p->restore.is_reading = false;
}
