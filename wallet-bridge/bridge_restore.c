/*
 * What a predecessor knew, from the logs it left: in an order in which each step has what it needs.
 *
 *	1. snapshots, results, inventory and market rows, to their ends
 *	2. requests, from the beginning to our owner record
 *	3. orders, from the beginning to the committed offset
 *
 * Results come before requests because they say which orders are over, and may be forgotten when
 * the others need the room. Inventory and market rows then go straight on.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/model/order_body.h"
#include "common/model/topics.h"
#include "wallet-bridge/bridge_shard_impl.h"

#define LEFT_MAX 4096 /* newest orders without results that are never forgotten */

enum { READ_STOCK = 1, READ_RESULTS = 2, READ_INVENTORY = 4, READ_MARKET = 8 };

static const struct {
	const char *topic;
	unsigned bit;
	bool goes_on;
} firsts[] = {
	{ TOPIC_STOCK, READ_STOCK, false },
	{ TOPIC_PAYMENT_RESULTS, READ_RESULTS, false },
	{ TOPIC_INVENTORY, READ_INVENTORY, true },
	{ TOPIC_BESTBID, READ_MARKET, true },
};

static int read_range(struct bridge_shard *s, const char *topic, int64_t until)
{
	return bus_reader_add(s->env->reader, topic, s->number, BUS_FROM_BEGIN, until);
}

int bridge_restore(struct bridge_shard *s)
{
	const struct request_log_config config = {
		.items_max = s->env->items_max,
		/* The fold may have to remember what is not told yet beside all that is. */
		.orders_max = 2 * s->env->orders_max + s->env->in_flight_max + LEFT_MAX,
	};
	int r = request_log_new(&s->log, &config);

	if (!r)
		r = order_table_init(&s->orders);
	if (!r)
		r = goods_table_init(&s->goods, s->env->items_max);
	if (r)
		return r;
	s->state = BRIDGE_RESTORING;
	s->restore_us = loop_mono_us(s->env->loop);
	s->n_restored_results = s->n_restored_requests = s->n_restored_orders = 0;
	s->reading = 0;
	for (size_t i = 0; !r && i < ARRAY_LEN(firsts); i++) {
		r = read_range(s, firsts[i].topic, -1);
		s->reading |= firsts[i].bit;
	}
	return r;
}

void bridge_restore_stop(struct bridge_shard *s)
{
	for (size_t i = 0; i < ARRAY_LEN(firsts); i++)
		bus_reader_remove(s->env->reader, firsts[i].topic, s->number);
	bus_reader_remove(s->env->reader, TOPIC_PAYMENT_REQUESTS, s->number);
	bus_reader_remove(s->env->reader, TOPIC_ORDERS, s->number);
}

/* ---- room ---- */

bool bridge_make_room(struct bridge_shard *s, size_t n)
{
	while (order_table_count(&s->orders) + n > s->env->orders_max) {
		struct order_entry *e = order_table_oldest_over(&s->orders);

		if (!e)
			return false;
		counter_add(s->env->metrics.forgotten, 1);
		request_log_forget(s->log, e->id);
		bridge_view_forget(s, e);
		order_table_remove(&s->orders, e);
	}
	return true;
}

struct nameless {
	struct bridge_shard *s;
	const struct log_order **v;
	size_t n;
};

static bool collect(void *ctx, const struct log_order *o)
{
	struct nameless *all = ctx;

	if (!order_table_get(&all->s->orders, o->id))
		all->v[all->n++] = o;
	return true;
}

static int by_offset(const void *a, const void *b)
{
	int64_t x = (*(const struct log_order *const *)a)->offset;
	int64_t y = (*(const struct log_order *const *)b)->offset;

	return (x > y) - (x < y);
}

/* Orders without a result that is remembered are over and forgotten, but for the newest, which are
 * not told yet. */
static int forget_nameless(struct bridge_shard *s)
{
	struct nameless all = { .s = s };
	size_t keep = s->env->in_flight_max + LEFT_MAX;

	all.v = malloc((request_log_n_orders(s->log) + 1) * sizeof(struct log_order *));
	if (!all.v)
		return -ENOMEM;
	request_log_each_order(s->log, collect, &all);
	qsort(all.v, all.n, sizeof(struct log_order *), by_offset);
	for (size_t i = 0; i + keep < all.n; i++) {
		counter_add(s->env->metrics.forgotten, 1);
		request_log_forget(s->log, all.v[i]->id);
	}
	free(all.v);
	return all.n > keep ? 0 : REQUEST_LOG_E_FULL;
}

/* ---- records ---- */

static void take_snapshot(struct bridge_shard *s, const struct bus_record *r)
{
	struct goods *g;
	struct stock stock;
	int err;

	if (!str_is_set(r->value))
		return;
	if (decode(&stock_type, &stock, r->value, s->env->scratch, NULL) ||
		!str_eq(stock.item, r->key)) {
		counter_add(s->env->metrics.unreadable, 1);
		return;
	}
	err = request_log_snapshot(s->log, &stock);
	if (!err)
		err = goods_put(&s->goods, r->key, &g);
	if (err)
		bridge_fail(s, "more items than wallet.items_max have stock", err);
	else if (stock.through > g->snapshot_through)
		g->snapshot_through = stock.through;
}

static struct order_entry *entry_of(struct bridge_shard *s, const struct payment_result *result)
{
	struct order_entry *e = order_table_get(&s->orders, result->order);

	if (e)
		return e;
	if (order_table_count(&s->orders) >= s->env->orders_max)
		s->has_all_results = false;
	(void)bridge_make_room(s, 1);
	return order_table_add(
		&s->orders, result->order, result->client_id, result->user, result->item);
}

static void take_result(struct bridge_shard *s, const struct bus_record *r)
{
	struct str step = bus_header(r, BRIDGE_STEP_HEADER);
	struct payment_result result;
	struct order_entry *e;
	struct told told;

	if (!str_is_set(r->value) ||
		decode(&payment_result_type, &result, r->value, s->env->scratch, NULL)) {
		counter_add(s->env->metrics.unreadable, 1);
		return;
	}
	if (s->n_restored_results++ == 0)
		s->has_all_results = r->offset == 0;
	if (result.n == 0) /* a conflict: of no order */
		return;
	e = entry_of(s, &result);
	told = (struct told){
		.n = result.n,
		.state = result.state,
		.block = result.block,
		.dry_run = result.dry_run,
		.ts = result.ts,
	};
	if (str_is_set(step) && str_to_i64(step, &told.step))
		told.step = 0;
	/* Where retention has begun to take results, or orders are forgotten for room, the first
	 * that is left has to do. */
	if (!e || order_table_read(
			  &s->orders, e, &told, result.reason, result.tx, !s->has_all_results))
		bridge_fail(s, "out of memory", -ENOMEM);
	else
		e->acked = e->last.n;
}

static void take_request(struct bridge_shard *s, const struct bus_record *r)
{
	enum log_effect effect;
	int err = request_log_apply(s->log, r, s->env->scratch, &effect, NULL);

	if (err == REQUEST_LOG_E_FULL && !(err = forget_nameless(s)))
		err = request_log_apply(s->log, r, s->env->scratch, &effect, NULL);
	if (err) {
		bridge_fail(s, "the requests log does not fit into wallet.orders_max and items_max",
			err);
		return;
	}
	s->n_restored_requests++;
	if (effect == LOG_UNREADABLE)
		counter_add(s->env->metrics.unreadable, 1);
}

static void take_order(struct bridge_shard *s, const struct bus_record *r)
{
	uint8_t digest[SHA256_BYTES];
	struct order_entry *e;
	struct order o;
	int err;

	if (!str_is_set(r->value) ||
		decode(&order_type, &o, r->value, s->env->scratch, NULL) == DECODE_E_JSON)
		return;
	s->n_restored_orders++;
	e = str_is_set(o.id) ? order_table_get(&s->orders, o.id) : NULL;
	if (!e) { /* over and forgotten */
		if (str_is_set(o.id))
			request_log_forget(s->log, o.id);
		return;
	}
	if (e->has_record || !str_eq(order_entry_user(e), o.user) ||
		!str_eq(e->client_id, o.client_id))
		return;
	err = order_body_digest(digest, &o);
	if (!err)
		err = order_entry_set_record(e, o.session, digest, r->ts_ms);
	if (err)
		bridge_fail(s, "an order could not be restored", err);
}

static void take(struct bridge_shard *s, const struct bus_record *r)
{
	arena_reset(s->env->scratch);
	if (strcmp(r->topic, TOPIC_INVENTORY) == 0)
		bridge_inventory(s, r);
	else if (strcmp(r->topic, TOPIC_BESTBID) == 0)
		bridge_market(s, r);
	else if (strcmp(r->topic, TOPIC_STOCK) == 0)
		take_snapshot(s, r);
	else if (strcmp(r->topic, TOPIC_PAYMENT_RESULTS) == 0)
		take_result(s, r);
	else if (strcmp(r->topic, TOPIC_PAYMENT_REQUESTS) == 0)
		take_request(s, r);
	else if (strcmp(r->topic, TOPIC_ORDERS) == 0)
		take_order(s, r);
}

void bridge_shard_records(struct bridge_shard *s, const struct bus_record *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s->state != BRIDGE_RESTORING && s->state != BRIDGE_RUNNING)
			return;
		take(s, &r[i]);
	}
	bridge_pump(s);
}

/* ---- steps ---- */

static void read_orders(struct bridge_shard *s)
{
	int r;

	if (s->next <= 0) { /* none was committed */
		bridge_begin(s);
		return;
	}
	r = read_range(s, TOPIC_ORDERS, s->next);
	if (r)
		bridge_fail(s, "the orders cannot be read", r);
}

static void first_ended(struct bridge_shard *s, size_t i)
{
	int r;

	if (!(s->reading & firsts[i].bit))
		return;
	s->reading &= ~firsts[i].bit;
	if (!firsts[i].goes_on)
		bus_reader_remove(s->env->reader, firsts[i].topic, s->number);
	if (s->reading)
		return;
	r = read_range(s, TOPIC_PAYMENT_REQUESTS, s->epoch + 1);
	if (r)
		bridge_fail(s, "the requests cannot be read", r);
}

void bridge_shard_at_end(struct bridge_shard *s, const char *topic)
{
	if (s->state != BRIDGE_RESTORING)
		return;
	for (size_t i = 0; i < ARRAY_LEN(firsts) && s->state == BRIDGE_RESTORING; i++) {
		if (strcmp(topic, firsts[i].topic) == 0)
			first_ended(s, i);
	}
	if (s->state != BRIDGE_RESTORING)
		return;
	if (strcmp(topic, TOPIC_PAYMENT_REQUESTS) == 0)
		read_orders(s);
	else if (strcmp(topic, TOPIC_ORDERS) == 0)
		bridge_begin(s);
}
