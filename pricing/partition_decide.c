/*
 * From waiting events to answers. One batch is joined at a time: a second one could be answered
 * first, and decisions would leave their order.
 *
 * A repeat of an interest that was decided while its offer could live is the same event: the first
 * answer stands, and the repeat is done without a second one.
 */
#include "pricing/partition_impl.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "common/base/log.h"
#include "common/model/offer.h"
#include "common/model/topics.h"
#include "pricing/answer.h"
#include "pricing/compute.h"

/* ---- deciding ---- */

void partition_fill(struct partition *p, const struct interest *interest, struct join_batch *batch,
	size_t row, enum row_doubt doubt, int64_t now_ms)
{
	struct partition_env *env = p->env;
	struct price_inputs *in = &env->inputs;
	struct recent_view view;
	const char *quantum;

	*in = (struct price_inputs){
		.now = now_ms,
		.interest = *interest,
		.guards = env->guards,
	};
	if (batch)
		join_fill(batch, row, now_ms, env->scratch, in);
	else
		join_fill_unknown(in, doubt);
	quantum = env->quantum[in->inventory.list.currency % CURRENCIES_MAX];
	in->guards.quantum = *quantum ? str_of(quantum) : STR("1");
	in->personalization = inputs_consent(in) ? TRI_TRUE : TRI_FALSE;
	if (rules_source_is_paused(env->rules, in->inventory.collection))
		in->paused = TRI_TRUE;
	recent_look(p->recent, interest->session, interest->user, interest->item, now_ms, &view);
	in->live_user = view.live_user;
	in->live_item = view.live_item;
	if (recent_counts(p->recent, interest->id)) { /* its own offer is none of the others */
		in->live_user -= in->live_user > 0;
		in->live_item -= in->live_item > 0;
	}
	in->shown_price = view.shown_price;
	in->shown_bid_net = view.shown_bid_net;
}

void partition_count_evicted(struct partition *p)
{
	uint64_t evicted = recent_evicted(p->recent);

	counter_add(p->env->metrics.forgotten, evicted - p->evicted);
	p->evicted = evicted;
}

static void remember(struct partition *p, const struct event *e)
{
	const struct price_inputs *in = &p->env->inputs;
	const struct price_result *result = &p->env->result;
	const struct recent_decision d = {
		.interest = e->interest.id,
		.session = e->interest.session,
		.user = e->interest.user,
		.item = e->interest.item,
		.now_ms = in->now,
		.is_offer = result->outcome == OUTCOME_OFFER,
		.price = result->price,
		.bid_net = in->bestbid.bid_net,
	};

	if (recent_add(p->recent, &d) != 0)
		counter_add(p->env->metrics.forgotten, 1);
	partition_count_evicted(p);
}

void partition_count(struct partition *p)
{
	struct pricing_metrics *m = &p->env->metrics;
	const struct price_result *result = &p->env->result;

	counter_add(m->decisions[result->outcome], 1);
	if (result->reason)
		counter_add(m->reasons[result->reason], 1);
}

static int answer(struct partition *p, struct event *e, const struct id *offer)
{
	struct partition_env *env = p->env;
	int64_t now_ms = env->inputs.now;
	const struct answer a = {
		.event = e,
		.inputs = &env->inputs,
		.result = &env->result,
		.keys = env->keys,
		.instance = env->instance,
		.ruleset = ruleset_id(rules_source_current(env->rules)),
		.offer = offer,
		.rev = { .part = { (uint64_t)p->epoch, 1 } },
		.cause = CAUSE_INTEREST,
		.issued_ms = now_ms,
		.expires_ms = now_ms + env->offer_ttl_ms,
		.shard = p->number,
		.offer_partitions = bus_partitions(env->bus, TOPIC_OFFERS),
		.offer_ttl_ms = env->offer_ttl_ms,
		.latency_us = loop_mono_us(env->loop) - e->received_us,
		.bufs = &env->bufs,
	};

	return answer_put(e, &a);
}

/* 0, or what answer_put() says: the event goes on waiting. */
static int decide_event(struct partition *p, struct event *e, size_t row, enum row_doubt doubt)
{
	struct partition_env *env = p->env;
	int64_t now_ms = loop_now_ms(env->loop);
	struct id offer;
	int r;

	if (recent_knows(p->recent, e->interest.id, now_ms)) {
		counter_add(env->metrics.repeats, 1);
		e->stage = EVENT_DONE;
		return 0;
	}
	arena_reset(env->scratch);
	partition_fill(p, &e->interest, e->is_joined ? p->batch : NULL, row, doubt, now_ms);
	env->inputs.deadline = e->deadline_ms;
	env->inputs.bad = e->bad;
	compute(rules_source_current(env->rules), env->decide, &env->inputs, &env->result);
	pricing_metrics_rules(&env->metrics, &env->result.decided);
	r = id_for_offer(&offer, e->interest.id);
	if (r == 0)
		r = answer(p, e, &offer);
	if (r != 0)
		return r;
	e->stage = EVENT_SENDING;
	remember(p, e);
	partition_count(p);
	histogram_add(env->metrics.decision, loop_mono_us(env->loop) - e->received_us);
	if (env->result.outcome == OUTCOME_OFFER)
		partition_follow(p, e, &offer, e->is_joined && join_is_old(p->batch, row));
	return 0;
}

/* All waiting events up to @last, in order. False: one has to go on waiting, and so do those after
 * it. */
static bool decide_until(struct partition *p, const struct event *last, enum row_doubt doubt)
{
	size_t row = 0;
	bool is_last = false;

	while (p->waiting && !is_last) {
		struct event *e = p->waiting;
		int r = decide_event(p, e, row, e->is_joined ? DOUBT_NONE : doubt);

		if (r != 0) {
			log_error("pricing", "no answer could be made, waiting to try again",
				"shard=%" PRId32 " offset=%" PRId64 " error=%d", p->number,
				e->offset, r);
			partition_block(p, REFUSED_RETRY_MS);
			return false;
		}
		row += e->is_joined;
		is_last = e == last;
		p->waiting = partition_next_waiting(e);
	}
	return true;
}

static void unjoin(struct partition *p)
{
	for (struct event *e = p->waiting; e; e = partition_next_waiting(e))
		e->is_joined = false;
}

static void on_joined(void *ctx, struct join_batch *batch)
{
	struct partition *p = ctx;

	assert(p->batch == batch);
	(void)batch;
	histogram_add(p->env->metrics.join, loop_mono_us(p->env->loop) - p->asked_us);
	(void)decide_until(p, p->batch_end, DOUBT_UNASKED);
	p->batch = NULL;
	unjoin(p);
	partition_pump(p);
	partition_join_next(p);
}

/* Those that are refused before the join, or were answered already, cost no look-up. */
static bool needs_rows(struct partition *p, const struct event *e, int64_t now_ms)
{
	return !str_is_set(e->bad) && !(e->deadline_ms && now_ms > e->deadline_ms) &&
	       !recent_knows(p->recent, e->interest.id, now_ms);
}

/* The first waiting events; how many of them need rows. */
static size_t collect(struct partition *p, struct join_event events[JOIN_EVENTS_MAX])
{
	int64_t now_ms = loop_now_ms(p->env->loop);
	size_t n = 0;

	for (struct event *e = p->waiting; e && n < JOIN_EVENTS_MAX;
		e = partition_next_waiting(e)) {
		p->batch_end = e;
		e->is_joined = needs_rows(p, e, now_ms);
		if (e->is_joined)
			events[n++] = (struct join_event){ e->interest.user, e->interest.item };
	}
	return n;
}

void partition_join_next(struct partition *p)
{
	struct join_event events[JOIN_EVENTS_MAX];
	size_t n;
	int r;

	while (p->state == PARTITION_RUNNING && p->waiting && !p->batch && !p->is_blocked) {
		n = collect(p, events);
		r = n ? join_read(p->env->join, events, n, on_joined, p, &p->batch) : 0;
		if (r == 0 && n) {
			p->asked_us = loop_mono_us(p->env->loop);
			return;
		}
		unjoin(p);
		if (r != 0 && r != -ENOTCONN) {
			partition_block(p, FULL_RETRY_MS);
			return;
		}
		(void)decide_until(p, p->batch_end, r ? DOUBT_CACHE : DOUBT_UNASKED);
		partition_pump(p);
	}
}
