/*
 * Live offers of a partition, priced again.
 *
 * What changed is not believed of whoever said so: an invalidation only makes an offer dirty, and
 * the cause of a revision is found by comparing versions with those of the revision before. That
 * way a flush, a lost connection or a retry needs no cause of its own, and a revision without one
 * is none. When more than one thing changed, the reason decides (a pause, the stock), and else the
 * narrowest rule wins: changed rules hold the price shown whatever the market did, so they are
 * named before it.
 *
 * A side that is unknown or stale for the moment says nothing about the offer: it stands, is tried
 * again in a second and at the next change, and runs out in the end. The same for a row older than
 * one that the offer was made from, should the join have forgotten that one.
 *
 * A withdrawn offer stays in the table until its withdrawal is acknowledged, because one that did
 * not get out has to be made anew. If by then the item could be priced again, nothing is said: the
 * shopper may have seen the withdrawal, and a withdrawn offer is over.
 */
#include "pricing/partition_impl.h"

#include <errno.h>
#include <inttypes.h>

#include "common/base/log.h"
#include "common/model/topics.h"
#include "pricing/answer.h"
#include "pricing/guard.h"

#define SWEEP_US 1000000 /* what has run out is dropped this often */

/* ---- what an offer is made from, and what it says ---- */

static uint64_t digest(uint64_t h, const void *p, size_t n)
{
	const unsigned char *at = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ at[i]) * UINT64_C(1099511628211);
	return h;
}

static uint64_t digest_str(uint64_t h, struct str s)
{
	return digest(digest(h, &s.n, sizeof(s.n)), s.p, s.n);
}

static uint64_t told_of(const struct price_result *r)
{
	uint64_t h = UINT64_C(14695981039346656037);

	h = digest(h, &r->personalised, sizeof(r->personalised));
	h = digest_str(h, r->disclosure);
	for (size_t i = 0; i < r->n_reasons; i++) {
		h = digest_str(h, r->reasons[i].rule);
		h = digest_str(h, r->reasons[i].text);
		h = digest(h, &r->reasons[i].bps, sizeof(r->reasons[i].bps));
	}
	for (size_t i = 0; i < r->n_perks; i++) {
		h = digest_str(h, r->perks[i].id);
		h = digest_str(h, r->perks[i].text);
	}
	for (size_t i = 0; i < r->n_alternatives; i++)
		h = digest_str(h, r->alternatives[i]);
	return h;
}

static void basis_of(struct live_basis *ret, const struct price_inputs *in,
	const struct price_result *result, struct str ruleset)
{
	*ret = (struct live_basis){
		.rows = {
			[LIVE_PROFILE] = in->profile.row,
			[LIVE_LOYALTY] = in->loyalty.row,
			[LIVE_INVENTORY] = in->inventory.row,
			[LIVE_MARKET] = in->bestbid.row,
			[LIVE_STOCK] = in->stock.row,
		},
		.price = result->price,
		.list = in->inventory.list,
		.told = told_of(result),
	};
	(void)str_copy(ret->ruleset, sizeof(ret->ruleset), ruleset);
}

static int row_cmp(const struct input_row *a, const struct input_row *b)
{
	if (a->gen != b->gen)
		return a->gen < b->gen ? -1 : 1;
	return version_cmp(a->ver, b->ver);
}

static bool row_changed(const struct live_basis *a, const struct live_basis *b, enum live_side s)
{
	return a->rows[s].state != b->rows[s].state || row_cmp(&a->rows[s], &b->rows[s]) != 0;
}

/* A row without a version is one that its feed says is not there; the join judges those. */
static bool is_older(const struct live_basis *was, const struct live_basis *now)
{
	for (int s = 0; s < LIVE_SIDES; s++) {
		if (now->rows[s].state != ROW_UNKNOWN && now->rows[s].gen > 0 &&
			row_cmp(&now->rows[s], &was->rows[s]) < 0)
			return true;
	}
	return false;
}

static bool money_eq(struct money a, struct money b)
{
	return a.currency == b.currency && a.amount == b.amount;
}

static bool says_the_same(const struct live_basis *a, const struct live_basis *b)
{
	return money_eq(a->price, b->price) && money_eq(a->list, b->list) && a->told == b->told;
}

/* ---- inputs ---- */

static void ceiling_of_its_own(const struct live_offer *o, struct price_inputs *in)
{
	if (!money_is_set(o->lowest))
		return;
	if (money_is_set(in->shown_price) &&
		(!currency_is_par(in->shown_price.currency, o->lowest.currency) ||
			in->shown_price.amount <= o->lowest.amount))
		return;
	in->shown_price = o->lowest;
	in->shown_bid_net = o->lowest_bid_net;
}

static void fill(struct partition *p, const struct live_offer *o, struct join_batch *batch,
	size_t row, int64_t now_ms)
{
	struct partition_env *env = p->env;
	struct price_inputs *in = &env->inputs;

	arena_reset(env->scratch);
	partition_fill(p, &o->interest, batch, row, DOUBT_UNASKED, now_ms);
	in->is_revision = true;
	if (in->inventory.row.state == ROW_UNKNOWN &&
		rules_source_is_paused(env->rules, str_of(o->collection)))
		in->paused = TRI_TRUE;
	ceiling_of_its_own(o, in);
	in->holds = !str_eqz(ruleset_id(rules_source_current(env->rules)), o->basis.ruleset) ||
		    (o->must_send && o->cause == CAUSE_RULES);
}

/* ---- judgement ---- */

static bool is_stale(enum reason reason)
{
	return reason == REASON_STALE_PROFILE || reason == REASON_STALE_LOYALTY ||
	       reason == REASON_STALE_INVENTORY || reason == REASON_STALE_MARKET;
}

static bool is_of_stock(enum reason reason)
{
	return reason == REASON_SOLD_OUT || reason == REASON_NO_LISTING ||
	       reason == REASON_NOT_FOR_SALE || reason == REASON_CIRCUIT_OPEN;
}

/* CAUSE_INTEREST: nothing that an offer is made from has changed. */
static enum decision_cause cause_of(const struct live_offer *o, const struct live_basis *now,
	const struct price_inputs *in, enum reason reason)
{
	const struct live_basis *was = &o->basis;
	bool stock = row_changed(was, now, LIVE_INVENTORY) || row_changed(was, now, LIVE_STOCK);

	if (in->paused == TRI_TRUE)
		return CAUSE_PAUSE;
	if (stock && is_of_stock(reason))
		return CAUSE_STOCK;
	if (in->holds)
		return CAUSE_RULES;
	if (row_changed(was, now, LIVE_MARKET))
		return CAUSE_MARKET;
	if (stock)
		return CAUSE_STOCK;
	if (row_changed(was, now, LIVE_PROFILE) || row_changed(was, now, LIVE_LOYALTY))
		return CAUSE_PROFILE;
	return o->must_send ? o->cause : CAUSE_INTEREST;
}

/* ---- the revision ---- */

/* From now on it is compared with @basis, and paused with its item's collection of now. */
static void stand_on(
	struct live_offer *o, const struct live_basis *basis, const struct price_inputs *in)
{
	o->basis = *basis;
	(void)str_copy(o->collection, sizeof(o->collection), in->inventory.collection);
}

static void remember(struct partition *p, struct live_offer *o)
{
	const struct price_inputs *in = &p->env->inputs;
	const struct price_result *result = &p->env->result;

	if (result->outcome == OUTCOME_WITHDRAWN) {
		o->is_over = true;
		recent_withdrawn(p->recent, o->interest.id);
		return;
	}
	if (!money_is_set(o->lowest) || result->price.amount <= o->lowest.amount ||
		!currency_is_par(result->price.currency, o->lowest.currency) ||
		guard_market_moved(o->lowest_bid_net, in->bestbid.bid_net, in->guards.moved_bps)) {
		o->lowest = result->price;
		o->lowest_bid_net = in->bestbid.bid_net;
	}
	recent_revised(p->recent, &(struct recent_decision){ .session = o->interest.session,
					  .user = o->interest.user,
					  .item = o->interest.item,
					  .now_ms = in->now,
					  .price = result->price,
					  .bid_net = in->bestbid.bid_net });
}

static int answer(
	struct partition *p, struct live_offer *o, struct event *e, enum decision_cause cause)
{
	struct partition_env *env = p->env;
	uint64_t n = o->epoch == p->epoch ? o->n + 1 : 1;
	const struct answer a = {
		.event = e,
		.inputs = &env->inputs,
		.result = &env->result,
		.keys = env->keys,
		.instance = env->instance,
		.ruleset = ruleset_id(rules_source_current(env->rules)),
		.offer = &o->id,
		.rev = { .part = { (uint64_t)p->epoch, n } },
		.cause = cause,
		.issued_ms = o->issued_ms,
		.expires_ms = o->expires_ms,
		.shard = p->number,
		.offer_partitions = bus_partitions(env->bus, TOPIC_OFFERS),
		.offer_ttl_ms = env->offer_ttl_ms,
		.latency_us = loop_mono_us(env->loop) - o->change_us,
		.bufs = &env->bufs,
	};
	int r = answer_put(e, &a);

	if (r != 0)
		return r;
	e->stage = EVENT_SENDING;
	o->epoch = p->epoch;
	o->n = n;
	o->cause = cause;
	return 0;
}

static enum live_result revise(struct partition *p, struct live_offer *o,
	const struct live_basis *basis, enum decision_cause cause)
{
	struct pricing_metrics *m = &p->env->metrics;
	enum reason reason = p->env->result.reason;
	struct event *e = event_new_revision(p, o, o->change_us);
	int r = e ? answer(p, o, e, cause) : -ENOMEM;

	if (r != 0) {
		event_free(e);
		log_error("pricing", "a revision could not be made, trying again",
			"shard=%" PRId32 " offer=%s error=%d", p->number, o->id.text, r);
		return LIVE_AGAIN;
	}
	o->before = o->basis;
	if (p->env->result.outcome == OUTCOME_OFFER)
		stand_on(o, basis, &p->env->inputs);
	remember(p, o);
	partition_insert(p, e);
	partition_count(p);
	counter_add(m->revisions[cause], 1);
	if (p->env->result.outcome == OUTCOME_WITHDRAWN)
		counter_add(m->withdrawn[reason], 1);
	return LIVE_REVISED;
}

/* From env->inputs. */
static enum live_result judge(struct partition *p, struct live_offer *o)
{
	struct partition_env *env = p->env;
	const struct ruleset *rules = rules_source_current(env->rules);
	const struct price_result *result = &env->result;
	struct live_basis basis;
	enum decision_cause cause;

	compute(rules, env->decide, &env->inputs, &env->result);
	pricing_metrics_rules(&env->metrics, &env->result.decided);
	basis_of(&basis, &env->inputs, result, ruleset_id(rules));
	if (is_stale(result->reason) || is_older(&o->basis, &basis))
		return LIVE_AGAIN;
	if (o->is_over && result->outcome == OUTCOME_OFFER) {
		live_remove(o);
		return LIVE_UNCHANGED;
	}
	cause = cause_of(o, &basis, &env->inputs, result->reason);
	if (cause == CAUSE_INTEREST || (!o->must_send && result->outcome == OUTCOME_OFFER &&
					       says_the_same(&o->basis, &basis))) {
		counter_add(env->metrics.unchanged, 1);
		if (cause != CAUSE_INTEREST)
			stand_on(o, &basis, &env->inputs);
		return LIVE_UNCHANGED;
	}
	return revise(p, o, &basis, cause);
}

void partition_revise(
	struct partition *p, struct live_offer *o, struct join_batch *batch, size_t row)
{
	int64_t now_ms = loop_now_ms(p->env->loop);
	enum live_result result;

	if (o->expires_ms <= now_ms) {
		live_remove(o);
		return;
	}
	fill(p, o, batch, row, now_ms);
	result = judge(p, o);
	live_settle(o, result, loop_mono_us(p->env->loop));
	if (result == LIVE_REVISED)
		partition_pump(p);
}

bool partition_revise_unasked(struct partition *p, struct live_offer *o)
{
	if (o->expires_ms > loop_now_ms(p->env->loop) &&
		!rules_source_is_paused(p->env->rules, str_of(o->collection)))
		return false;
	partition_revise(p, o, NULL, 0);
	partition_kick(p);
	return true;
}

bool partition_may_revise(const struct partition *p)
{
	return p->state == PARTITION_RUNNING && !p->is_blocked && !p->is_draining &&
	       p->n_revisions < p->env->in_flight_max;
}

/* ---- the first answer ---- */

void partition_follow(struct partition *p, struct event *e, const struct id *id, bool is_old)
{
	struct partition_env *env = p->env;
	const struct price_inputs *in = &env->inputs;
	int64_t now_us = loop_mono_us(env->loop);
	struct live_basis basis;
	struct live_offer *o;

	live_expire(p->live, in->now);
	o = p->is_draining ? NULL
			   : live_add(p->live, id, &e->interest, &e->reply, in->now,
				     env->offer_ttl_ms, now_us);
	if (!o) {
		counter_add(env->metrics.not_followed, 1);
		return;
	}
	e->offer = o; /* the caller's reference */
	o->ts = e->ts;
	o->epoch = p->epoch;
	o->n = 1;
	o->lowest = env->result.price;
	o->lowest_bid_net = in->bestbid.bid_net;
	basis_of(&basis, in, &env->result, ruleset_id(rules_source_current(env->rules)));
	stand_on(o, &basis, in);
	o->before = basis;
	if (is_old)
		live_changed(o, now_us);
	partition_kick(p);
}

void partition_delivered(struct partition *p, struct event *e)
{
	live_delivered(e->offer, loop_mono_us(p->env->loop));
	partition_kick(p);
}

/* ---- changes, and time ---- */

static void changed(struct partition *p, struct str user, struct str item)
{
	int64_t now_us = loop_mono_us(p->env->loop);
	size_t n;

	if (live_count(p->live) == 0)
		return;
	if (str_is_set(user))
		n = live_changed_user(p->live, user, now_us);
	else if (str_is_set(item))
		n = live_changed_item(p->live, item, now_us);
	else
		n = live_changed_all(p->live, now_us);
	counter_add(p->env->metrics.conflated, n);
	partition_kick(p);
}

void partitions_changed(struct partition_env *env, struct str user, struct str item)
{
	struct partition *p;

	TAILQ_FOREACH(p, &env->partitions, link)
		changed(p, user, item);
}

void partitions_paused(struct partition_env *env, struct str collection)
{
	struct partition *p;

	TAILQ_FOREACH(p, &env->partitions, link) {
		live_pause(p->live, collection, loop_mono_us(env->loop));
		partition_kick(p);
	}
}

void partition_kick(struct partition *p)
{
	int64_t now_us = loop_mono_us(p->env->loop);
	int64_t next_us = live_tick(p->live, now_us);

	if (live_count(p->live) && (next_us < 0 || next_us > now_us + SWEEP_US))
		next_us = now_us + SWEEP_US;
	if (next_us >= 0 && (p->wake_us < 0 || next_us < p->wake_us)) {
		p->wake_us = next_us;
		loop_timer_start_us(p->wake, next_us - now_us);
	}
	if (live_has_ready(p->live, false) && partition_may_revise(p))
		reviser_want(p->env->reviser, p);
}

void partition_wake(void *ctx)
{
	struct partition *p = ctx;

	p->wake_us = -1;
	live_expire(p->live, loop_now_ms(p->env->loop));
	partition_kick(p);
}
