/*
 * Rows are compared by `ver`, which begins with the owner epoch of who wrote them: what a replaced
 * owner still says is lower and changes nothing. A deleted item keeps its version for that.
 *
 * The topic is compacted, so reading from the beginning meets each item about once, and goes on
 * with what changes.
 */
#include "ws-server/market.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "common/base/crypto.h"
#include "common/model/tables.h"
#include "ws-server/gateway.h"
#include "ws-server/hash.h"
#include "ws-server/topic_reader.h"
#include "ws-server/watches.h"

#define SCRATCH     (32 * 1024)
#define FEED_PREFIX "feed:"

LIST_HEAD(market_bucket, market_item);

struct market {
	struct gateway *gateway;
	struct topic_reader *reader;
	struct arena *arena;
	uint64_t seed;
	size_t n, max;
	size_t n_buckets; /* a power of two */
	struct market_bucket *buckets;
	TAILQ_HEAD(, market_item) idle; /* moved longest ago first */
};

static void on_record(void *ctx, const struct bus_record *r);

int market_new(struct market **ret, struct gateway *g)
{
	CLEANUP(market_free) struct market *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->gateway = g;
	m->max = (size_t)g->config->market_items;
	TAILQ_INIT(&m->idle);
	for (m->n_buckets = 16; m->n_buckets < m->max;)
		m->n_buckets *= 2;
	m->buckets = calloc(m->n_buckets, sizeof(*m->buckets));
	if (!m->buckets)
		return -ENOMEM;
	r = crypto_random(&m->seed, sizeof(m->seed));
	if (r == 0)
		r = arena_new(&m->arena, SCRATCH);
	if (r == 0)
		r = topic_reader_new(&m->reader, g->env.loop, g->env.bus, TOPIC_BESTBID,
			BUS_FROM_BEGIN, on_record, m);
	if (r < 0)
		return r;
	*ret = TAKE(m);
	return 0;
}

static void forget(struct market *m, struct market_item *i)
{
	LIST_REMOVE(i, in_bucket);
	TAILQ_REMOVE(&m->idle, i, in_idle);
	free(i);
	m->n--;
	m->gateway->metrics.market_items->value--;
}

struct market *market_free(struct market *m)
{
	struct market_item *i;

	if (!m)
		return NULL;
	topic_reader_free(m->reader);
	while ((i = TAILQ_FIRST(&m->idle)))
		forget(m, i);
	assert(m->n == 0);
	arena_free(m->arena);
	free(m->buckets);
	free(m);
	return NULL;
}

/* ---- items ---- */

static struct market_bucket *bucket_of(const struct market *m, struct str item)
{
	return &m->buckets[hash_text(item, m->seed) & (m->n_buckets - 1)];
}

struct market_item *market_find(const struct market *m, struct str item)
{
	struct market_item *i;

	LIST_FOREACH(i, bucket_of(m, item), in_bucket)
		if (str_eq(market_item_id(i), item))
			return i;
	return NULL;
}

static bool make_room(struct market *m)
{
	if (m->n < m->max)
		return true;
	if (TAILQ_EMPTY(&m->idle))
		return false;
	forget(m, TAILQ_FIRST(&m->idle));
	counter_add(m->gateway->metrics.items_forgotten, 1);
	return true;
}

/* Idle at first. */
static struct market_item *add(struct market *m, struct str item)
{
	struct market_item *i = make_room(m) ? calloc(1, sizeof(*i) + item.n) : NULL;

	/* No user has an empty id, so the key is no offer's. */
	if (!i || shown_key(&i->key, STR(""), item) < 0) {
		free(i);
		return NULL;
	}
	i->n = item.n;
	memcpy(i->id, item.p, item.n);
	LIST_INIT(&i->watches);
	LIST_INSERT_HEAD(bucket_of(m, item), i, in_bucket);
	TAILQ_INSERT_TAIL(&m->idle, i, in_idle);
	m->n++;
	m->gateway->metrics.market_items->value++;
	return i;
}

struct market_item *market_hold(struct market *m, struct str item)
{
	struct market_item *i = market_find(m, item);

	if (!i)
		i = add(m, item);
	if (i && LIST_EMPTY(&i->watches))
		TAILQ_REMOVE(&m->idle, i, in_idle);
	return i;
}

void market_release(struct market *m, struct market_item *i)
{
	TAILQ_INSERT_TAIL(&m->idle, i, in_idle);
	if (!i->has_row)
		forget(m, i);
}

/* ---- rows ---- */

static void moved(struct market *m, struct market_item *i)
{
	if (LIST_EMPTY(&i->watches)) {
		TAILQ_REMOVE(&m->idle, i, in_idle);
		TAILQ_INSERT_TAIL(&m->idle, i, in_idle);
	}
	watches_moved(m->gateway->watches, i);
}

static enum row_fate apply(struct market *m, const struct bestbid *b)
{
	struct market_item *i = market_find(m, b->item);

	if (!i)
		i = add(m, b->item);
	if (!i)
		return ROW_FULL;
	if (i->has_row && version_cmp(b->ver, i->ver) <= 0)
		return ROW_OLD_VER;
	i->has_row = true;
	i->is_gone = false;
	i->ver = b->ver;
	i->bid = b->bid;
	i->ask = b->ask;
	i->floor = b->floor;
	i->last_sale = b->last_sale;
	i->as_of = b->as_of;
	moved(m, i);
	return ROW_APPLIED;
}

/* Without a version it counts by its place in the partition, and comes after all that was read. */
static enum row_fate apply_delete(struct market *m, const struct bus_record *r)
{
	struct market_item *i = market_find(m, r->key);
	struct str text = bus_header(r, "x-souk-ver");
	struct version ver;

	if (str_is_set(text) && version_parse(&ver, text) < 0)
		return ROW_BAD_RECORD;
	if (!i || !i->has_row || i->is_gone)
		return ROW_OLD_VER;
	if (str_is_set(text)) {
		if (version_cmp(ver, i->ver) <= 0)
			return ROW_OLD_VER;
		i->ver = ver;
	}
	i->is_gone = true;
	i->bid = i->ask = i->floor = i->last_sale = (struct money){ 0 };
	i->as_of = r->ts_ms;
	moved(m, i);
	return ROW_APPLIED;
}

static void on_record(void *ctx, const struct bus_record *r)
{
	struct market *m = ctx;
	struct bestbid b;
	enum row_fate fate = ROW_BAD_RECORD;

	if (str_starts(r->key, STR(FEED_PREFIX)))
		return;
	arena_reset(m->arena);
	if (!str_is_set(r->value))
		fate = apply_delete(m, r);
	else if (decode(&bestbid_type, &b, r->value, m->arena, NULL) == 0)
		fate = apply(m, &b);
	counter_add(m->gateway->metrics.rows[fate], 1);
}
