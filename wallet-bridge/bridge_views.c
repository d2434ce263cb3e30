/*
 * What others read of this partition in Redis: the stock of its items, its orders, and the feed
 * that vouches for the stock. Nothing here decides anything, and nothing waits for it.
 *
 * Views are written from what is in memory at that moment, so a view that changed often meanwhile
 * is written once. Whatever made a view fail, all of them are written again once Redis is back: it
 * may be another one, or have been emptied; a version there that is as high refuses the write.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/model/item.h"
#include "wallet-bridge/bridge_shard_impl.h"

#define OUT_MAX      128 /* commands of a shard under way */
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 5000
#define SIDE         "stock"
#define ORDER_GEN    1 /* orders are no side: no generation is ever raised */

enum ask_kind { ASK_SIDE, ASK_FEED, ASK_BEAT, ASK_STOCK, ASK_ORDER };

/* A command under way; its answer frees it. */
struct view_ask {
	TAILQ_ENTRY(view_ask) link; /* of the process */
	struct bridge_env *env;
	struct bridge_shard *shard; /* NULL: nobody waits */
	enum ask_kind kind;
	struct goods *goods;
	struct order_entry *entry;
};

static struct view_ask *ask_new(struct bridge_shard *s, enum ask_kind kind)
{
	struct view_ask *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->env = s->env;
	a->shard = s;
	a->kind = kind;
	TAILQ_INSERT_TAIL(&s->env->asks, a, link);
	s->views.n_out++;
	return a;
}

/* The shard that still waits, or NULL. */
static struct bridge_shard *ask_end(struct view_ask *a)
{
	struct bridge_shard *s = a->shard;

	TAILQ_REMOVE(&a->env->asks, a, link);
	if (s)
		s->views.n_out--;
	if (s && a->kind == ASK_STOCK) {
		s->views.n_stock_out--;
		a->goods->is_writing = false;
	}
	if (s && a->kind == ASK_BEAT)
		s->views.is_beating = false;
	if (a->entry)
		a->entry->n_refs--;
	free(a);
	return s;
}

/* ---- what is to be written ---- */

void bridge_view_stock(struct bridge_shard *s, struct goods *g)
{
	if (g->is_dirty)
		return;
	g->is_dirty = true;
	s->views.n_dirty++;
	TAILQ_INSERT_TAIL(&s->views.stock, g, dirty);
}

void bridge_view_order(struct bridge_shard *s, struct order_entry *e)
{
	if (e->is_dirty)
		return;
	e->is_dirty = true;
	s->views.n_dirty++;
	TAILQ_INSERT_TAIL(&s->views.orders, e, dirty);
}

void bridge_view_forget(struct bridge_shard *s, struct order_entry *e)
{
	if (!e->is_dirty)
		return;
	e->is_dirty = false;
	s->views.n_dirty--;
	TAILQ_REMOVE(&s->views.orders, e, dirty);
}

static void all_stock(void *ctx, struct bridge_map_node *node)
{
	struct bridge_shard *s = ctx;
	struct goods *g = goods_entry(node);
	const struct log_item *item = request_log_item(s->log, g->item);

	if (item && item->has_supply)
		bridge_view_stock(s, g);
}

static void all_orders(void *ctx, struct bridge_map_node *node)
{
	struct order_entry *e = order_table_entry(node);

	if (e->acked > 0)
		bridge_view_order(ctx, e);
}

/* ---- failure ---- */

static void later(struct bridge_shard *s)
{
	s->views.retry_us = loop_mono_us(s->env->loop) + 1000 * backoff_next_ms(&s->views.backoff);
}

static void reopen(struct bridge_shard *s)
{
	if (s->views.state == VIEWS_CLOSED)
		return;
	s->views.state = VIEWS_OPENING;
	s->views.is_complete = false;
	bridge_map_each(&s->goods.by_item, all_stock, s);
	bridge_map_each(&s->orders.by_id, all_orders, s);
	counter_add(s->env->metrics.feeds_reopened, 1);
}

/* A command was refused, or Redis went away: what it has is not known then. */
static void failed(struct bridge_shard *s, int err)
{
	bool is_away = err == -ENOTCONN || err == -ECONNRESET;

	counter_add(s->env->metrics.views_failed, 1);
	if (s->views.state == VIEWS_OPEN && is_away)
		reopen(s);
	later(s);
}

/* ---- opening ---- */

static void on_feed(void *ctx, int err, bool was_complete)
{
	struct bridge_shard *s = ask_end(ctx);

	(void)was_complete;
	if (!s || s->views.state != VIEWS_OPENING)
		return;
	if (err) {
		failed(s, err);
		return;
	}
	s->views.state = VIEWS_OPEN;
	backoff_reset(&s->views.backoff);
	bridge_views_pump(s);
}

static void open_feed(struct bridge_shard *s)
{
	struct view_ask *a = ask_new(s, ASK_FEED);
	struct views *v = &s->views;
	int err;

	snprintf(v->run, sizeof(v->run), "%s.%" PRIu64, s->env->instance, ++s->env->n_runs);
	if (!a) {
		later(s);
		return;
	}
	err = cache_feed_open(s->env->cache, str_of(v->feed_key), str_of(v->run), on_feed, a);
	if (err) {
		ask_end(a);
		failed(s, err);
	}
}

static void on_side(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct bridge_shard *s = ask_end(ctx);

	if (!s || s->views.state != VIEWS_OPENING)
		return;
	if (err || n != 1 || rows[0].gen == 0) {
		failed(s, err);
		return;
	}
	s->views.gen = rows[0].gen;
	open_feed(s);
}

static void open_side(struct bridge_shard *s)
{
	struct view_ask *a = ask_new(s, ASK_SIDE);
	int err;

	if (!a) {
		later(s);
		return;
	}
	err = cache_side_open(s->env->cache, STR(SIDE), s->env->n_partitions, on_side, a);
	if (err) {
		ask_end(a);
		failed(s, err);
	}
}

/* ---- rows ---- */

static void on_row(void *ctx, int err, enum cache_outcome outcome)
{
	struct view_ask *a = ctx;
	struct goods *g = a->goods;
	struct order_entry *e = a->entry;
	struct bridge_shard *s = ask_end(a);

	if (!s || s->views.state == VIEWS_CLOSED)
		return;
	if (err) {
		if (g)
			bridge_view_stock(s, g);
		else
			bridge_view_order(s, e);
		if (s->views.state == VIEWS_OPEN)
			failed(s, err);
		return;
	}
	counter_add(
		outcome == CACHE_STALE ? s->env->metrics.views_stale : s->env->metrics.views, 1);
	backoff_reset(&s->views.backoff);
	bridge_views_pump(s);
	bridge_update_hold(s);
}

static int give_row(struct bridge_shard *s, const struct cache_write *w, struct view_ask *a)
{
	int r = cache_write(s->env->cache, w, on_row, a);

	if (r)
		ask_end(a);
	return r;
}

static int write_stock(struct bridge_shard *s, struct goods *g)
{
	const struct log_item *item = request_log_item(s->log, g->item);
	char key[ITEM_MAX + 16], ver[VERSION_TEXT_MAX], supply[24], taken[24];
	struct row row = { .n = 0 };
	struct view_ask *a;
	bool is_put;

	if (!item)
		return 0;
	snprintf(key, sizeof(key), "stock:{" STR_FMT "}", STR_ARG(g->item));
	snprintf(supply, sizeof(supply), "%" PRId64, item->supply);
	snprintf(taken, sizeof(taken), "%" PRId64, item->taken);
	is_put = row_put(&row, STR("item"), g->item) == 0 &&
		 row_put(&row, STR("supply"), str_of(supply)) == 0 &&
		 row_put(&row, STR("taken"), str_of(taken)) == 0;
	a = is_put ? ask_new(s, ASK_STOCK) : NULL;
	if (!a)
		return -ENOBUFS;
	a->goods = g;
	g->is_writing = true;
	s->views.n_stock_out++;
	return give_row(s,
		&(struct cache_write){
			.key = str_of(key),
			.ver = { ver, version_format_stored(ver,
					      (struct version){ { (uint64_t)s->epoch, g->n } }) },
			.gen = s->views.gen,
			.et = loop_now_ms(s->env->loop),
			.src_partition = s->number,
			.src_offset = item->through,
			.row = &row,
		},
		a);
}

struct order_row {
	struct row row;
	char n[24], block[24], ts[24];
};

static void put(struct order_row *r, struct str name, struct str value)
{
	int err = str_is_set(value) ? row_put(&r->row, name, value) : 0;

	(void)err; /* ten fields: there is room */
}

static void fill_order(struct order_row *r, const struct order_entry *e)
{
	const struct told *t = &e->last;

	r->row.n = 0;
	snprintf(r->n, sizeof(r->n), "%" PRId64, t->n);
	snprintf(r->block, sizeof(r->block), "%" PRId64, t->block);
	snprintf(r->ts, sizeof(r->ts), "%" PRId64, t->ts);
	put(r, STR("user"), order_entry_user(e));
	put(r, STR("client_id"), e->client_id);
	put(r, STR("item"), e->item);
	put(r, STR("state"), str_of(order_state_names[t->state]));
	put(r, STR("n"), str_of(r->n));
	put(r, STR("reason"), str_of(t->reason));
	put(r, STR("tx"), str_of(t->tx));
	put(r, STR("block"), t->block ? str_of(r->block) : STR_NONE);
	put(r, STR("dry_run"), t->dry_run == TRI_TRUE ? STR("true") : STR_NONE);
	put(r, STR("ts"), str_of(r->ts));
}

static int write_order(struct bridge_shard *s, struct order_entry *e)
{
	char key[160], ver[VERSION_TEXT_MAX];
	struct order_row r;
	struct view_ask *a;

	if (e->acked < e->last.n) /* its report will make it dirty again */
		return 0;
	a = ask_new(s, ASK_ORDER);
	if (!a)
		return -ENOBUFS;
	a->entry = e;
	e->n_refs++;
	snprintf(key, sizeof(key), "order:{" STR_FMT "}", STR_ARG(e->id));
	fill_order(&r, e);
	return give_row(s,
		&(struct cache_write){
			.key = str_of(key),
			.ver = { ver, version_format_stored(
					      ver, (struct version){ { (uint64_t)e->last.n } }) },
			.gen = ORDER_GEN,
			.et = e->last.ts,
			.src_partition = s->number,
			.row = &r.row,
			.ttl_ms = s->env->view_ttl_ms,
		},
		a);
}

static int write_next_stock(struct bridge_shard *s, struct goods *g)
{
	int r;

	TAILQ_REMOVE(&s->views.stock, g, dirty);
	g->is_dirty = false;
	s->views.n_dirty--;
	r = write_stock(s, g);
	if (r)
		bridge_view_stock(s, g);
	return r;
}

static int write_next_order(struct bridge_shard *s, struct order_entry *e)
{
	int r;

	bridge_view_forget(s, e);
	r = write_order(s, e);
	if (r)
		bridge_view_order(s, e);
	return r;
}

/* The next one whose last write was answered; so writes of one key cannot pass each other, and what
 * changes meanwhile is written once. */
static struct goods *next_stock(struct bridge_shard *s)
{
	struct goods *g;

	TAILQ_FOREACH(g, &s->views.stock, dirty)
		if (!g->is_writing)
			break;
	return g;
}

/* Redis has a row for every item of the inventory. One whose supply is not in the log yet will have
 * one. */
static bool has_all_stock(const struct bridge_shard *s)
{
	return TAILQ_EMPTY(&s->views.stock) && s->views.n_stock_out == 0 && TAILQ_EMPTY(&s->due) &&
	       s->n_supplies == 0;
}

void bridge_views_pump(struct bridge_shard *s)
{
	struct views *v = &s->views;
	int r = 0;

	while (!r && v->state == VIEWS_OPEN && v->n_out < OUT_MAX && v->n_dirty &&
		loop_mono_us(s->env->loop) >= v->retry_us) {
		struct goods *g = next_stock(s);
		struct order_entry *e = TAILQ_FIRST(&v->orders);

		if (g)
			r = write_next_stock(s, g);
		else if (e)
			r = write_next_order(s, e);
		else
			return;
	}
	if (r == -ENOBUFS)
		later(s);
	else if (r)
		failed(s, r);
	if (v->state == VIEWS_OPEN && !v->is_complete && !v->is_beating && has_all_stock(s) &&
		loop_mono_us(s->env->loop) >= v->retry_us)
		bridge_views_heartbeat(s);
}

/* ---- beating ---- */

static void on_beat(void *ctx, int err, bool is_ours)
{
	struct bridge_shard *s = ask_end(ctx);

	if (!s || s->views.state != VIEWS_OPEN)
		return;
	if (err) {
		failed(s, err);
	} else if (!is_ours) {
		log_info(BRIDGE_LOG_GROUP, "the stock feed is gone or not ours, written again",
			"shard=%" PRId32, s->number);
		reopen(s);
		bridge_views_tick(s);
	} else {
		s->views.is_complete |= s->views.sent_complete;
	}
}

void bridge_views_heartbeat(struct bridge_shard *s)
{
	struct views *v = &s->views;
	struct cache_feed feed = {
		.key = str_of(v->feed_key),
		.run = str_of(v->run),
		.alive_at = bus_heard_ms(s->env->bus),
		.complete = v->is_complete || has_all_stock(s),
	};
	struct view_ask *a;
	int err;

	if (s->state != BRIDGE_RUNNING || v->state != VIEWS_OPEN || v->is_beating ||
		feed.alive_at == 0)
		return;
	a = ask_new(s, ASK_BEAT);
	if (!a)
		return;
	v->is_beating = true;
	v->sent_complete = feed.complete;
	err = cache_feed_beat(s->env->cache, &feed, on_beat, a);
	if (err) {
		ask_end(a);
		failed(s, err);
	}
}

/* ---- life ---- */

void bridge_views_tick(struct bridge_shard *s)
{
	struct views *v = &s->views;

	if (s->state != BRIDGE_RUNNING || loop_mono_us(s->env->loop) < v->retry_us ||
		!cache_is_up(s->env->cache))
		return;
	if (v->state == VIEWS_OPENING && v->n_out == 0)
		open_side(s);
	else
		bridge_views_pump(s);
}

void bridge_views_init(struct bridge_shard *s)
{
	struct views *v = &s->views;

	*v = (struct views){ .state = VIEWS_CLOSED };
	TAILQ_INIT(&v->stock);
	TAILQ_INIT(&v->orders);
	v->backoff = BACKOFF_INIT(RETRY_MIN_MS, RETRY_MAX_MS, (uint64_t)s->number + 1);
	snprintf(v->feed_key, sizeof(v->feed_key), "feed:{" SIDE "}:%" PRId32, s->number);
}

void bridge_views_begin(struct bridge_shard *s)
{
	s->views.state = VIEWS_OPENING;
	bridge_map_each(&s->goods.by_item, all_stock, s);
	bridge_map_each(&s->orders.by_id, all_orders, s);
	bridge_views_tick(s);
}

/* Answers that are due find nobody. */
void bridge_views_stop(struct bridge_shard *s)
{
	struct view_ask *a;

	TAILQ_FOREACH(a, &s->env->asks, link) {
		if (a->shard != s)
			continue;
		if (a->entry)
			a->entry->n_refs--;
		a->shard = NULL;
		a->entry = NULL;
		a->goods = NULL;
	}
	bridge_views_init(s);
}

void bridge_asks_free(struct bridge_env *env)
{
	struct view_ask *a;

	while ((a = TAILQ_FIRST(&env->asks))) {
		TAILQ_REMOVE(&env->asks, a, link);
		free(a);
	}
}
