/*
 * Results are facts: each rests on a record of the requests log that is known to be there under our
 * epoch, or on an outcome of the ledger, and takes its time from it. So whoever tells them tells
 * the same, and telling twice does no harm.
 *
 * Outcomes are dealt with in the ledger's order for each order. A result carries the step of its
 * outcome in a header, so that whoever restores knows which outcomes are behind it: the state alone
 * does not say (MINED, SENT again, MINED).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "wallet-bridge/bridge_shard_impl.h"
#include "wallet-bridge/order_states.h"

#define RESULT_MAX 4096

/* ---- results ---- */

static int post_result(
	struct bridge_shard *s, struct order_entry *e, struct work *work, struct outcome *outcome)
{
	CLEANUP(buf_fini) struct buf value = BUF_INIT(RESULT_MAX);
	struct json_out j = JSON_OUT(&value);
	const struct told *t = &e->last;
	const struct payment_result result = {
		.order = e->id,
		.client_id = e->client_id,
		.n = t->n,
		.user = order_entry_user(e),
		.item = e->item,
		.state = t->state,
		.reason = str_of(t->reason),
		.tx = str_of(t->tx),
		.block = t->block,
		.dry_run = t->dry_run,
		.ts = t->ts,
	};
	struct message *m;

	payment_result_json(&j, &result);
	m = value.failed ? NULL
			 : bridge_message_new(s, MESSAGE_RESULT, e->item, buf_str(&value), e->id,
				   str_of(e->session));
	if (!m)
		return -ENOMEM;
	m->entry = e;
	e->n_refs++;
	e->n_results++;
	m->n = t->n;
	m->step = t->step;
	m->work = work;
	if (work)
		work->n_due++;
	m->outcome = outcome;
	bridge_post(s, m);
	return 0;
}

int bridge_tell(struct bridge_shard *s, struct order_entry *e, const struct told *told,
	struct str reason, struct str tx, struct work *work, struct outcome *outcome)
{
	struct told next = *told;

	next.n = e->last.n + 1;
	if (order_table_tell(&s->orders, e, &next, reason, tx))
		return -ENOMEM;
	counter_add(s->env->metrics.results[told->state], 1);
	return post_result(s, e, work, outcome);
}

int bridge_tell_again(struct bridge_shard *s, struct order_entry *e, struct work *work)
{
	return post_result(s, e, work, NULL);
}

static int tell_state(struct bridge_shard *s, struct order_entry *e, enum order_state state,
	struct str reason, struct work *work)
{
	/* The time of ACCEPTED is the order's. */
	const struct told told = { .state = state, .ts = e->has_record ? e->ts : e->last.ts };

	return bridge_tell(s, e, &told, reason, STR_NONE, work, NULL);
}

int bridge_tell_decision(struct bridge_shard *s, struct order_entry *e, struct work *work)
{
	const struct log_order *decided = request_log_order(s->log, e->id);
	bool is_refused;
	int r = 0;

	if (work)
		work->is_decided = true;
	if (!decided)
		return 0;
	is_refused = decided->state == LOGGED_REFUSED || decided->state == LOGGED_BEYOND;
	if (is_refused && e->last.n == 0)
		return tell_state(s, e, ORDER_REJECTED,
			decided->state == LOGGED_REFUSED ? decided->reason
							 : str_of(refusal_names[REFUSAL_SOLD_OUT]),
			work);
	if (!is_refused && e->last.n == 0)
		r = tell_state(s, e, ORDER_ACCEPTED, STR_NONE, work);
	if (!r && !is_refused && e->last.n == 1 && e->last.state == ORDER_ACCEPTED)
		r = tell_state(s, e, ORDER_RESERVED, STR_NONE, work);
	return r;
}

/* ---- outcomes ---- */

static struct outcome *outcome_new(
	int32_t partition, int64_t offset, const struct outcome_record *o)
{
	struct outcome *x = calloc(1, sizeof(*x) + o->order.n + o->reason.n + o->tx.n);
	struct str *const to[] = { &x->order, &x->reason, &x->tx };
	const struct str from[] = { o->order, o->reason, o->tx };
	char *at;

	if (!x)
		return NULL;
	at = x->texts;
	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		*to[i] = (struct str){ from[i].p ? at : NULL, from[i].n };
		if (from[i].n)
			memcpy(at, from[i].p, from[i].n);
		at += from[i].n;
	}
	x->partition = partition;
	x->offset = offset;
	x->epoch = o->epoch;
	x->state = o->state;
	x->step = o->step;
	x->block = o->block;
	x->dry_run = o->dry_run;
	x->ts = o->ts;
	return x;
}

/* It is in no list of waiting ones any more. */
void bridge_outcome_done(struct bridge_shard *s, struct outcome *o)
{
	struct outcome_list *list = &s->places[o->partition].outcomes;

	o->is_done = true;
	while ((o = TAILQ_FIRST(list)) && o->is_done) {
		TAILQ_REMOVE(list, o, in_place);
		s->n_outcomes--;
		free(o);
	}
}

static void ignore(
	struct bridge_shard *s, struct order_entry *e, struct outcome *o, struct counter *why)
{
	counter_add(why, 1);
	TAILQ_REMOVE(&e->waiting, o, link);
	bridge_outcome_done(s, o);
}

static int tell_outcome(struct bridge_shard *s, struct order_entry *e, struct outcome *o)
{
	const struct told told = {
		.state = o->state,
		.block = o->block,
		.dry_run = o->dry_run,
		.ts = o->ts,
		.step = o->step,
	};

	counter_add(s->env->metrics.entered, 1);
	TAILQ_REMOVE(&e->waiting, o, link);
	return bridge_tell(s, e, &told, o->reason, o->tx, NULL, o);
}

/* @e NULL: nobody knows its buyer; then @o is done once the release is in the log. */
static int post_release(struct bridge_shard *s, const struct log_order *order,
	struct order_entry *e, struct outcome *o)
{
	CLEANUP(buf_fini) struct buf value = BUF_INIT(RESULT_MAX);
	struct json_out j = JSON_OUT(&value);
	const struct release_record release = {
		.order = order->id,
		.item = order->item->item,
		.reason = str_of(order_state_release_reason((enum order_state)o->state)),
	};
	struct message *m;

	release_record_json(&j, &release);
	m = value.failed ? NULL
			 : bridge_message_new(s, MESSAGE_DECISION, release.item, buf_str(&value),
				   order->id, STR_NONE);
	if (!m)
		return -ENOMEM;
	m->type = "release";
	m->effect = LOG_RELEASED;
	m->goods = goods_get(&s->goods, release.item);
	m->entry = e;
	m->outcome = e ? NULL : o;
	if (e) {
		e->n_refs++;
		e->is_releasing = true;
	}
	counter_add(s->env->metrics.releases, 1);
	bridge_post(s, m);
	return 0;
}

/* Whether the unit is free again; else it sees to it, if it ever can be. */
static int release(struct bridge_shard *s, struct order_entry *e, struct outcome *o)
{
	const struct log_order *decided = request_log_order(s->log, e->id);

	if (decided && decided->state == LOGGED_RELEASED)
		return tell_outcome(s, e, o);
	if (!decided || decided->state != LOGGED_TAKEN) {
		ignore(s, e, o, s->env->metrics.never);
		return 0;
	}
	return e->is_releasing ? 0 : post_release(s, decided, e, o);
}

/* RESERVED comes first, and the broker has it: an outcome that is told may be committed as such,
 * and then nobody could tell again what is missing before it. So does the order record, if there is
 * one to come. */
static bool may_go_on(const struct bridge_shard *s, const struct order_entry *e)
{
	if (e->last.n == 0 || e->last.state == ORDER_ACCEPTED)
		return false;
	if (e->last.state == ORDER_RESERVED && e->n_results > 0)
		return false;
	return e->has_record || s->is_caught_up;
}

int bridge_outcomes_advance(struct bridge_shard *s, struct order_entry *e)
{
	struct outcome *o;
	int r = 0;

	while (!r && may_go_on(s, e) && (o = TAILQ_FIRST(&e->waiting))) {
		if (o->step <= e->last.step) {
			ignore(s, e, o, s->env->metrics.same);
			continue;
		}
		switch (order_states_judge(
			(enum order_state)e->last.state, (enum order_state)o->state)) {
		case ORDER_ENTER:
			r = tell_outcome(s, e, o);
			break;
		case ORDER_ENTER_RELEASE:
			r = release(s, e, o);
			if (e->is_releasing)
				return r;
			break;
		case ORDER_SAME:
			ignore(s, e, o, s->env->metrics.same);
			break;
		case ORDER_NEVER:
			log_warn(BRIDGE_LOG_GROUP, "an outcome that cannot be",
				"shard=%" PRId32 " order=" STR_FMT " from=%s to=%s", s->number,
				STR_ARG(e->id), order_state_names[e->last.state],
				order_state_names[o->state]);
			ignore(s, e, o, s->env->metrics.never);
			break;
		}
	}
	return r;
}

int bridge_outcomes_adopt(struct bridge_shard *s, struct order_entry *e)
{
	struct outcome *o, *next;

	for (o = TAILQ_FIRST(&s->unknown); o; o = next) {
		next = TAILQ_NEXT(o, link);
		if (!str_eq(o->order, e->id))
			continue;
		TAILQ_REMOVE(&s->unknown, o, link);
		TAILQ_INSERT_TAIL(&e->waiting, o, link);
	}
	return bridge_outcomes_advance(s, e);
}

static bool is_release_of(const struct message *m, struct str id)
{
	return m->kind == MESSAGE_DECISION && m->effect == LOG_RELEASED && str_eq(m->order, id);
}

/* Of an order without an entry, which would say so. */
static bool is_releasing(const struct bridge_shard *s, struct str id)
{
	const struct message_list *const lists[] = { &s->outbox, &s->air };
	const struct message *m;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		TAILQ_FOREACH(m, lists[i], link)
			if (is_release_of(m, id))
				return true;
	return false;
}

/* Of an order whose buyer nobody knows any more: nothing to tell, but its unit must not be lost.
 * @o waits for no order, and is passed over only once the release is in the log. */
static int settle_unknown(struct bridge_shard *s, struct outcome *o)
{
	const struct log_order *decided = request_log_order(s->log, o->order);

	counter_add(s->env->metrics.unknown, 1);
	if (decided && decided->state == LOGGED_TAKEN &&
		order_state_release_reason((enum order_state)o->state) &&
		!is_releasing(s, o->order))
		return post_release(s, decided, NULL, o);
	bridge_outcome_done(s, o);
	return 0;
}

void bridge_outcomes_give_up(struct bridge_shard *s)
{
	struct outcome *o;

	while (s->state == BRIDGE_RUNNING && (o = TAILQ_FIRST(&s->unknown))) {
		TAILQ_REMOVE(&s->unknown, o, link);
		if (settle_unknown(s, o))
			bridge_fail(s, "out of memory", -ENOMEM);
	}
}

static bool is_spoken_for(struct ledger_place *place, const struct outcome_record *o)
{
	if (o->epoch > place->epoch) /* reading began behind its owner record */
		place->epoch = o->epoch;
	return o->epoch == place->epoch;
}

static int take(struct bridge_shard *s, int32_t partition, int64_t offset,
	const struct outcome_record *record)
{
	struct order_entry *e = order_table_get(&s->orders, record->order);
	bool may_come = !e && !s->is_caught_up && request_log_order(s->log, record->order);
	struct outcome *o;

	o = outcome_new(partition, offset, record);
	if (!o)
		return -ENOMEM;
	s->n_outcomes++;
	TAILQ_INSERT_TAIL(&s->places[partition].outcomes, o, in_place);
	if (!e && !may_come)
		return settle_unknown(s, o);
	TAILQ_INSERT_TAIL(e ? &e->waiting : &s->unknown, o, link);
	return e ? bridge_outcomes_advance(s, e) : 0;
}

void bridge_shard_outcome(
	struct bridge_shard *s, int32_t partition, int64_t offset, const struct outcome_record *o)
{
	struct ledger_place *place = &s->places[partition];

	if (s->state != BRIDGE_RUNNING || place->is_postponed || offset < place->next)
		return;
	if (s->n_outcomes >= OUTCOMES_MAX || s->is_draining) { /* else a drain may never end */
		counter_add(s->env->metrics.dropped, 1);
		place->next = offset;
		place->is_postponed = true;
		return;
	}
	place->next = offset + 1;
	if (!is_spoken_for(place, o)) {
		counter_add(s->env->metrics.void_, 1);
	} else if (!outcome_state_is(o->state)) {
		counter_add(s->env->metrics.never, 1);
	} else if (take(s, partition, offset, o)) {
		bridge_fail(s, "out of memory", -ENOMEM);
	}
	bridge_pump(s);
}

void bridge_shard_executor(struct bridge_shard *s, int32_t partition, int64_t epoch)
{
	struct ledger_place *place = &s->places[partition];

	if (s->state != BRIDGE_RUNNING || place->is_postponed || epoch < place->next)
		return;
	place->next = epoch + 1;
	place->epoch = epoch;
}

void bridge_shard_ledger_passed(struct bridge_shard *s, int32_t partition, int64_t next_offset)
{
	struct ledger_place *place = &s->places[partition];

	if (s->state == BRIDGE_RUNNING && !place->is_postponed && next_offset > place->next)
		place->next = next_offset;
}

/* ---- where the ledger is read from ---- */

void bridge_ledger_want(struct bridge_shard *s)
{
	if (s->n_outcomes > OUTCOMES_MAX / 2 || s->is_draining)
		return;
	for (int32_t i = 0; i < s->n_places && s->state == BRIDGE_RUNNING; i++) {
		int r = ledger_feed_want(s->env->ledger, i, s->places[i].next);

		s->places[i].is_postponed = false;
		if (r)
			bridge_fail(s, "the ledger cannot be read", r);
	}
}

/* Nothing of before is known; what was not told is to come again. */
void bridge_outcomes_drop(struct bridge_shard *s)
{
	for (int32_t i = 0; i < s->n_places; i++) {
		struct ledger_place *place = &s->places[i];
		struct outcome *o = TAILQ_FIRST(&place->outcomes);

		if (o) {
			place->next = o->offset;
			place->epoch = o->epoch;
		}
		place->is_postponed = false;
		while ((o = TAILQ_FIRST(&place->outcomes))) {
			TAILQ_REMOVE(&place->outcomes, o, in_place);
			free(o);
		}
	}
	TAILQ_INIT(&s->unknown);
	s->n_outcomes = 0;
}

/* "1 0:123/45 3:88/2": version, then <ledger partition>:<offset>/<executor's epoch>. */
void bridge_ledger_text(const struct bridge_shard *s, char *ret, size_t cap)
{
	size_t n = (size_t)snprintf(ret, cap, "1");

	for (int32_t i = 0; i < s->n_places; i++) {
		const struct ledger_place *place = &s->places[i];
		const struct outcome *o = TAILQ_FIRST(&place->outcomes);
		int64_t next = o ? o->offset : place->next;
		int64_t epoch = o ? o->epoch : place->epoch;
		int more;

		if (next <= 0)
			continue;
		more = snprintf(
			ret + n, cap - n, " %" PRId32 ":%" PRId64 "/%" PRId64, i, next, epoch);
		if ((size_t)more >= cap - n) { /* the rest is read from the beginning */
			ret[n] = '\0';
			return;
		}
		n += (size_t)more;
	}
}

void bridge_ledger_parse(struct bridge_shard *s, struct str text)
{
	char copy[sizeof(s->committed_text)];
	const char *at = copy;
	int32_t i;
	int64_t next, epoch;
	int n;

	if (!str_is_set(text) || str_copy(copy, sizeof(copy), text) || *at != '1')
		return;
	for (at++; sscanf(at, " %" SCNd32 ":%" SCNd64 "/%" SCNd64 "%n", &i, &next, &epoch, &n) == 3;
		at += n) {
		if (i < 0 || i >= s->n_places || next < 0)
			continue;
		s->places[i].next = next;
		s->places[i].epoch = epoch;
	}
}
