#include "connectors/tables/market_feeds.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"

#define KEY_MAX 160
#define RUN_MAX 96

static const struct metric_def FEEDS_REFUSED = { "souk_connectors_feeds_refused_total",
	METRIC_COUNTER, "Collections beyond the maximum: their feed is not written.", NULL };

struct feed {
	TAILQ_ENTRY(feed) link;
	int32_t partition;
	char key[KEY_MAX];
	struct str slug; /* in `key` */
	int64_t alive_at;
	bool gap;
	bool is_open; /* `run` is ours, as far as we know */
	uint64_t serial;
};

/* An answer under way; finds its feed by serial, because that may be gone by then. */
struct ask {
	TAILQ_ENTRY(ask) link;
	struct market_feeds *feeds;
	uint64_t serial;
};

struct market_feeds {
	struct loader *loader;
	TAILQ_HEAD(, feed) list;
	size_t n;
	uint64_t serial;
	TAILQ_HEAD(, ask) asks;
	char run[RUN_MAX];
	bool is_reading;
	/* Of the side, at the last heartbeat. */
	bool is_complete;
	int64_t floor_ms;
	struct counter *refused;
};

int market_feeds_new(struct market_feeds **ret, struct loader *loader, struct metrics *m)
{
	struct market_feeds *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->loader = loader;
	TAILQ_INIT(&f->list);
	TAILQ_INIT(&f->asks);
	f->refused = metrics_counter(m, &FEEDS_REFUSED, NULL);
	snprintf(f->run, sizeof(f->run), "%s.%" PRIu64, loader->instance, ++loader->n_runs);
	*ret = f;
	return 0;
}

static void feed_free(struct market_feeds *f, struct feed *feed)
{
	TAILQ_REMOVE(&f->list, feed, link);
	f->n--;
	free(feed);
}

struct market_feeds *market_feeds_free(struct market_feeds *f)
{
	struct feed *feed;
	struct ask *ask;

	if (!f)
		return NULL;
	while ((feed = TAILQ_FIRST(&f->list)))
		feed_free(f, feed);
	while ((ask = TAILQ_FIRST(&f->asks))) {
		TAILQ_REMOVE(&f->asks, ask, link);
		free(ask);
	}
	free(f);
	return NULL;
}

void market_feeds_forget(struct market_feeds *f, int32_t partition)
{
	struct feed *feed, *next;

	for (feed = TAILQ_FIRST(&f->list); feed; feed = next) {
		next = TAILQ_NEXT(feed, link);
		if (feed->partition == partition)
			feed_free(f, feed);
	}
}

static struct feed *find(struct market_feeds *f, struct str slug)
{
	struct feed *feed;

	TAILQ_FOREACH(feed, &f->list, link) {
		if (str_eq(feed->slug, slug))
			return feed;
	}
	return NULL;
}

static struct feed *feed_new(struct market_feeds *f, int32_t partition, struct str slug)
{
	struct feed *feed = f->n < MARKET_FEEDS_MAX ? calloc(1, sizeof(*feed)) : NULL;
	int n;

	if (!feed) {
		counter_add(f->refused, 1);
		log_warn("tables", "too many collections, feed not written", "max=%d",
			MARKET_FEEDS_MAX);
		return NULL;
	}
	n = snprintf(feed->key, sizeof(feed->key), "feed:{market}:" STR_FMT, STR_ARG(slug));
	feed->slug = (struct str){ feed->key + (size_t)n - slug.n, slug.n };
	feed->partition = partition;
	feed->serial = ++f->serial;
	TAILQ_INSERT_TAIL(&f->list, feed, link);
	f->n++;
	return feed;
}

void market_feeds_note(struct market_feeds *f, int32_t partition, const struct feed_record *r)
{
	struct feed *feed = find(f, r->collection);

	if (!feed)
		feed = feed_new(f, partition, r->collection);
	if (!feed)
		return;
	if (r->alive_at > feed->alive_at)
		feed->alive_at = r->alive_at;
	feed->gap = r->gap == TRI_TRUE;
}

/* ---- heartbeat ---- */

static struct ask *ask_new(struct market_feeds *f, uint64_t serial)
{
	struct ask *ask = calloc(1, sizeof(*ask));

	if (!ask)
		return NULL;
	ask->feeds = f;
	ask->serial = serial;
	TAILQ_INSERT_TAIL(&f->asks, ask, link);
	return ask;
}

static struct market_feeds *ask_end(struct ask *ask, struct feed **ret)
{
	struct market_feeds *f = ask->feeds;
	struct feed *feed;

	*ret = NULL;
	TAILQ_FOREACH(feed, &f->list, link) {
		if (feed->serial == ask->serial)
			*ret = feed;
	}
	TAILQ_REMOVE(&f->asks, ask, link);
	free(ask);
	return f;
}

static void beat(struct market_feeds *f, struct feed *feed);

static void on_opened(void *ctx, int err, bool was_complete)
{
	struct feed *feed;
	struct market_feeds *f = ask_end(ctx, &feed);

	(void)was_complete;
	if (err || !feed)
		return;
	feed->is_open = true;
	beat(f, feed);
}

static void open_feed(struct market_feeds *f, struct feed *feed)
{
	struct ask *ask = ask_new(f, feed->serial);

	if (ask && cache_feed_open(
			   f->loader->cache, str_of(feed->key), str_of(f->run), on_opened, ask))
		ask_end(ask, &feed);
}

static void on_beaten(void *ctx, int err, bool is_ours)
{
	struct feed *feed;

	ask_end(ctx, &feed);
	/* Opened again at the next heartbeat. */
	if (feed && !err && !is_ours)
		feed->is_open = false;
}

static void beat(struct market_feeds *f, struct feed *feed)
{
	struct cache_feed beat = { .key = str_of(feed->key),
		.run = str_of(f->run),
		.alive_at = feed->alive_at < f->floor_ms ? feed->alive_at : f->floor_ms,
		.gap = feed->gap,
		.complete = f->is_complete };
	struct ask *ask = ask_new(f, feed->serial);

	if (ask && cache_feed_beat(f->loader->cache, &beat, on_beaten, ask))
		ask_end(ask, &feed);
}

static int64_t number(const struct row *row, const char *name)
{
	int64_t v = 0;

	return str_to_i64(row_get(row, name), &v) ? 0 : v;
}

static void on_partitions(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct feed *none, *feed;
	struct market_feeds *f = ask_end(ctx, &none);

	f->is_reading = false;
	if (err)
		return;
	f->is_complete = true;
	f->floor_ms = INT64_MAX;
	for (size_t i = 0; i < n; i++) {
		int64_t at = number(&rows[i].row, "alive_at") - number(&rows[i].row, "lag_ms");

		if (!str_eqz(row_get(&rows[i].row, "complete"), "1"))
			f->is_complete = false;
		if (at < f->floor_ms)
			f->floor_ms = at;
	}
	if (f->floor_ms < 0)
		f->floor_ms = 0;
	TAILQ_FOREACH(feed, &f->list, link) {
		if (feed->is_open)
			beat(f, feed);
		else
			open_feed(f, feed);
	}
}

void market_feeds_heartbeat(struct market_feeds *f)
{
	int32_t n = bus_partitions(f->loader->bus, tables[TABLE_MARKET].topic);
	char(*text)[32];
	struct str *keys;
	struct ask *ask;

	if (TAILQ_EMPTY(&f->list) || f->is_reading || n <= 0 || n > CACHE_KEYS_MAX)
		return;
	text = calloc((size_t)n, sizeof(*text));
	keys = calloc((size_t)n, sizeof(*keys));
	ask = ask_new(f, 0);
	for (int32_t p = 0; text && keys && p < n; p++) {
		keys[p].n =
			(size_t)snprintf(text[p], sizeof(text[p]), "feed:{market}:~%" PRId32, p);
		keys[p].p = text[p];
	}
	f->is_reading = ask && text && keys &&
			cache_read(f->loader->cache, keys, (size_t)n, on_partitions, ask) == 0;
	if (ask && !f->is_reading) {
		struct feed *none;

		ask_end(ask, &none);
	}
	free(text);
	free(keys);
}
