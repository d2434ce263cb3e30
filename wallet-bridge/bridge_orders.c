/*
 * One order record to its decision. Everything that the judgement rests on is in memory, and counts
 * what is on its way to the log as if it were there, so that orders can be pipelined without
 * selling a unit twice.
 *
 * What the log says already is never judged again: neither after a restart, nor for a repeat.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/model/item.h"
#include "common/model/order_body.h"
#include "common/model/topics.h"
#include "wallet-bridge/bridge_shard_impl.h"

#define ORDER_BYTES_MAX (64 * 1024) /* a larger value cannot be an order */
#define DECISION_MAX    (16 * 1024)

/* An order record as it was read. */
struct reading {
	struct order order;
	const struct bus_record *record;
	enum refusal bad; /* REFUSAL_NONE: it has the shape of an order */
	uint8_t digest[SHA256_BYTES];
};

/* ---- works ---- */

void bridge_work_free(struct bridge_shard *s, struct work *w)
{
	TAILQ_REMOVE(&s->works, w, link);
	s->n_works--;
	s->env->metrics.in_flight->value--;
	free(w);
}

/* The run of finished ones at the head is what may be committed. */
void bridge_work_advance(struct bridge_shard *s)
{
	struct work *w;

	while ((w = TAILQ_FIRST(&s->works)) && w->is_decided && w->n_due == 0) {
		s->next = w->offset + 1;
		histogram_add(s->env->metrics.told, loop_mono_us(s->env->loop) - w->read_us);
		bridge_work_free(s, w);
	}
}

static struct work *work_add(struct bridge_shard *s, int64_t offset)
{
	struct work *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->offset = offset;
	w->read_us = loop_mono_us(s->env->loop);
	TAILQ_INSERT_TAIL(&s->works, w, link);
	s->n_works++;
	s->env->metrics.in_flight->value++;
	return w;
}

/* ---- dead letters ---- */

static struct str put(char **at, struct str t)
{
	struct str ret = { t.p ? *at : NULL, t.n };

	if (t.n)
		memcpy(*at, t.p, t.n);
	*at += t.n;
	return ret;
}

static struct bus_record *copy_record(const struct bus_record *r)
{
	size_t n = sizeof(*r) + r->n_headers * sizeof(*r->headers) + r->key.n + r->value.n;
	struct bus_header *headers;
	struct bus_record *copy;
	char *at;

	for (size_t i = 0; i < r->n_headers; i++)
		n += r->headers[i].name.n + r->headers[i].value.n;
	copy = malloc(n);
	if (!copy)
		return NULL;
	*copy = *r;
	headers = (struct bus_header *)(void *)(copy + 1);
	at = (char *)(headers + r->n_headers);
	copy->key = put(&at, r->key);
	copy->value = put(&at, r->value);
	for (size_t i = 0; i < r->n_headers; i++) {
		headers[i].name = put(&at, r->headers[i].name);
		headers[i].value = put(&at, r->headers[i].value);
	}
	copy->headers = headers;
	return copy;
}

static int post_letter(
	struct bridge_shard *s, struct work *w, const struct bus_record *r, const char *why)
{
	/* with its NUL */
	struct message *m = bridge_message_new(s, MESSAGE_LETTER, STR_NONE, STR_NONE,
		(struct str){ why, strlen(why) + 1 }, STR_NONE);

	if (!m)
		return -ENOMEM;
	m->letter = copy_record(r);
	if (!m->letter) {
		bridge_message_free(m);
		return -ENOMEM;
	}
	counter_add(s->env->metrics.dead_letters, 1);
	w->is_decided = true;
	w->n_due = 1;
	m->work = w;
	bridge_post(s, m);
	return 0;
}

/* ---- deciding ---- */

static void look(const struct bridge_shard *s, const struct reading *r, const struct goods *g,
	struct judge_facts *ret)
{
	const struct log_item *stock = request_log_item(s->log, r->order.item);

	*ret = (struct judge_facts){
		.order_ms = r->record->ts_ms,
		.is_paused = pauses_has(s->env->pauses, str_of(g ? g->collection : NULL)),
		/* without this one */
		.open_of_user = order_table_open_of(&s->orders, r->order.user) - 1,
	};
	if (!g)
		return;
	ret->has_item = g->has_row;
	ret->free_units = g->supply - (stock ? stock->taken : 0) - g->tentative;
	ret->cost = g->cost;
	ret->bid_net = g->bid_net;
}

static bool has_plain_signature(const struct order *o)
{
	return !str_is_set(o->signature) || (str_is_visible_ascii(o->signature, o->signature.n) &&
						    !memchr(o->signature.p, '"', o->signature.n) &&
						    !memchr(o->signature.p, '\\', o->signature.n));
}

/* enum refusal, or -errno. */
static int judge_it(struct bridge_shard *s, const struct reading *r, const struct goods *g,
	struct quote *ret_quote)
{
	struct judge_facts facts;
	int verdict = (int)r->bad;

	if (verdict)
		return verdict;
	look(s, r, g, &facts);
	verdict =
		judge(&r->order, &facts, &s->env->rules, s->env->keys, s->env->scratch, ret_quote);
	if (!verdict && !has_plain_signature(&r->order))
		verdict = REFUSAL_BAD_SIGNATURE;
	return verdict;
}

static int write_request(
	struct buf *out, const struct reading *r, const struct goods *g, const struct quote *quote)
{
	CLEANUP(buf_fini) struct buf signatures = BUF_INIT(DECISION_MAX);
	struct json_out j = JSON_OUT(&signatures);
	struct json_out request = JSON_OUT(out);
	const struct order *o = &r->order;
	char digest[72];
	int err = judge_quote_digest(digest, quote);

	assert(g); /* without goods it is SOLD_OUT */
	if (err)
		return err;
	json_begin(&j, NULL);
	json_str_opt(&j, "buyer", o->signature);
	json_end(&j);
	payment_request_json(&request, &(struct payment_request){
					       .order = o->id,
					       .item = o->item,
					       .buyer = o->wallet,
					       .seller = str_of(g->seller),
					       .price = o->price,
					       .quote = str_of(digest),
					       .pay = o->pay,
					       .signatures = buf_str(&signatures),
					       .ts = o->ts,
				       });
	return signatures.failed ? -ENOMEM : 0;
}

static void write_refusal(struct buf *out, const struct reading *r, int verdict)
{
	struct json_out j = JSON_OUT(out);

	refusal_record_json(&j, &(struct refusal_record){
					.order = r->order.id,
					.item = r->order.item,
					.reason = str_of(refusal_names[verdict]),
				});
}

static int post_decision(struct bridge_shard *s, struct order_entry *e, struct work *w,
	struct goods *g, const struct buf *value, bool is_request)
{
	struct message *m = value->failed ? NULL
					  : bridge_message_new(s, MESSAGE_DECISION, e->item,
						    buf_str(value), e->id, STR_NONE);

	if (!m)
		return -ENOMEM;
	m->type = is_request ? "request" : "refusal";
	m->effect = is_request ? LOG_TAKEN : LOG_REFUSED;
	m->goods = g;
	m->work = w;
	m->entry = e;
	e->n_refs++;
	e->is_deciding = true;
	if (is_request)
		g->tentative++;
	bridge_post(s, m);
	return 0;
}

static int decide(
	struct bridge_shard *s, const struct reading *r, struct order_entry *e, struct work *w)
{
	CLEANUP(buf_fini) struct buf value = BUF_INIT(DECISION_MAX);
	struct goods *g = goods_get(&s->goods, r->order.item);
	struct quote quote;
	int verdict, err = g ? bridge_supply_now(s, g) : 0;

	if (err)
		return err;
	verdict = judge_it(s, r, g, &quote);
	if (verdict < 0)
		return verdict;
	if (verdict == REFUSAL_NONE) {
		counter_add(s->env->metrics.accepted, 1);
		err = write_request(&value, r, g, &quote);
	} else {
		counter_add(s->env->metrics.refused, 1);
		counter_add(s->env->metrics.refusals[verdict], 1);
		write_refusal(&value, r, verdict);
	}
	return err ? err : post_decision(s, e, w, g, &value, verdict == REFUSAL_NONE);
}

/* ---- orders that are known ---- */

/* To the session that sent it; the first order goes on. */
static int tell_conflict(struct bridge_shard *s, const struct reading *r, struct work *w)
{
	CLEANUP(buf_fini) struct buf value = BUF_INIT(DECISION_MAX);
	const struct order *o = &r->order;
	struct json_out j = JSON_OUT(&value);
	struct message *m;

	payment_result_json(&j, &(struct payment_result){
					.order = o->id,
					.client_id = o->client_id,
					.user = o->user,
					.item = o->item,
					.state = ORDER_REJECTED,
					.reason = STR("CONFLICT"),
					.ts = r->record->ts_ms,
				});
	m = value.failed
		    ? NULL
		    : bridge_message_new(s, MESSAGE_RESULT, o->item, buf_str(&value), o->id,
			      str_is_set(o->session) ? o->session
						     : bus_header(r->record, "x-souk-session"));
	if (!m)
		return -ENOMEM;
	counter_add(s->env->metrics.conflicts, 1);
	w->is_decided = true;
	w->n_due = 1;
	m->work = w;
	bridge_post(s, m);
	return 0;
}

static bool is_same(const struct order_entry *e, const struct reading *r)
{
	return str_eq(order_entry_user(e), r->order.user) &&
	       str_eq(e->client_id, r->order.client_id) &&
	       (!e->has_record || memcmp(e->digest, r->digest, SHA256_BYTES) == 0);
}

static int take_known(
	struct bridge_shard *s, const struct reading *r, struct order_entry *e, struct work *w)
{
	int err = 0;

	if (!is_same(e, r))
		return tell_conflict(s, r, w);
	w->is_decided = true;
	if (!e->has_record) { /* its results are known from the log, not yet who gave it */
		if (order_entry_set_record(e, r->order.session, r->digest, r->record->ts_ms))
			return -ENOMEM;
		if (e->last.state == ORDER_ACCEPTED)
			err = bridge_tell_decision(s, e, w);
		return err ? err : bridge_outcomes_advance(s, e);
	}
	counter_add(s->env->metrics.repeats, 1);
	/* While the first is being decided, its result answers both. */
	return e->is_deciding ? 0 : bridge_tell_again(s, e, w);
}

static int take_new(struct bridge_shard *s, const struct reading *r, struct work *w)
{
	const struct order *o = &r->order;
	const struct log_order *decided = request_log_order(s->log, o->id);
	struct order_entry *e;
	int err;

	(void)bridge_make_room(s, 1);
	e = order_table_add(&s->orders, o->id, o->client_id, o->user, o->item);
	if (!e || order_entry_set_record(e, o->session, r->digest, r->record->ts_ms))
		return -ENOMEM;
	if (!decided)
		return decide(s, r, e, w);
	err = bridge_tell_decision(s, e, w); /* it was not told, or not committed */
	return err ? err : bridge_outcomes_adopt(s, e);
}

/* ---- reading ---- */

/* An order that is not as it should be, but can be answered: what is wrong with it. */
static enum refusal refusal_of(const struct fault *f)
{
	if (strncmp(f->text, "order: wallet:", 14) == 0)
		return REFUSAL_WRONG_WALLET;
	if (strncmp(f->text, "order: pay", 10) == 0)
		return REFUSAL_UNSUPPORTED;
	if (strncmp(f->text, "order: signature:", 17) == 0)
		return REFUSAL_BAD_SIGNATURE;
	return REFUSAL_BAD_QUOTE;
}

/* False: it cannot be answered; @f says why. */
static bool read_value(struct bridge_shard *s, struct reading *r, struct fault *f)
{
	struct str value = r->record->value;
	struct order *o = &r->order;
	int err;

	if (!str_is_set(value) || value.n > ORDER_BYTES_MAX) {
		(void)fault_set(f, FAULT_REJECT, -EINVAL, "order: not a value of 1 to %d bytes",
			ORDER_BYTES_MAX);
		return false;
	}
	err = decode(&order_type, o, value, s->env->scratch, f);
	if (!err)
		return true;
	if (err == DECODE_E_JSON || !str_is_set(o->id) || !str_is_set(o->client_id) ||
		!str_is_set(o->user) || !str_is_set(o->item))
		return false;
	r->bad = refusal_of(f);
	return true;
}

static int take(struct bridge_shard *s, const struct bus_record *record)
{
	struct reading r = { .record = record };
	struct work *w = work_add(s, record->offset);
	struct order_entry *e;
	struct fault f = { 0 };
	int err;

	if (!w)
		return -ENOMEM;
	arena_reset(s->env->scratch);
	if (!read_value(s, &r, &f))
		return post_letter(s, w, record, f.text);
	err = order_body_digest(r.digest, &r.order);
	if (err)
		return err;
	e = order_table_get(&s->orders, r.order.id);
	return e ? take_known(s, &r, e, w) : take_new(s, &r, w);
}

void bridge_shard_orders(struct bridge_shard *s, const struct bus_record *r, size_t n)
{
	for (size_t i = 0; i < n && s->state == BRIDGE_RUNNING && !s->is_draining; i++) {
		int err = take(s, &r[i]);

		if (err)
			bridge_fail(s, "an order could not be judged", err);
	}
	bridge_pump(s);
	if (s->state == BRIDGE_RUNNING)
		bridge_work_advance(s);
	bridge_update_hold(s);
}

/* Orders whose record is gone are told of without what it said. */
static void tell_without_record(void *ctx, struct bridge_map_node *node)
{
	struct bridge_shard *s = ctx;
	struct order_entry *e = order_table_entry(node);
	int err = 0;

	if (s->state != BRIDGE_RUNNING || e->has_record)
		return;
	if (e->last.state == ORDER_ACCEPTED)
		err = bridge_tell_decision(s, e, NULL);
	if (err || bridge_outcomes_advance(s, e))
		bridge_fail(s, "out of memory", -ENOMEM);
}

void bridge_shard_orders_end(struct bridge_shard *s, int64_t next_offset)
{
	if (s->state != BRIDGE_RUNNING)
		return;
	if (s->next < 0 && s->n_works == 0)
		s->next = next_offset;
	if (!s->is_caught_up) {
		s->is_caught_up = true;
		bridge_map_each(&s->orders.by_id, tell_without_record, s);
		bridge_outcomes_give_up(s);
	}
	bridge_pump(s);
}
