/* Two reads a round: the sides for their numbers of shards, then all shards at once. */
#include "souk/demo/storefront/ops_feeds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define KEY_MAX 96

static const char *const sides[] = { "profile", "loyalty", "inventory", "stock" };

struct ops_feeds {
	struct loop *loop;
	struct cache *cache;
	struct ops_store *store;
	const char *const *market_shards;
	size_t n_market_shards;
	bool is_due;
	struct ops_feed feed[OPS_FEEDS_MAX]; /* what the second read asks for */
	size_t n;
};

static void add(struct ops_feeds *f, const char *side, const char *shard)
{
	struct ops_feed *feed = &f->feed[f->n];

	if (f->n == OPS_FEEDS_MAX)
		return;
	*feed = (struct ops_feed){ .age_ms = -1 };
	snprintf(feed->side, sizeof(feed->side), "%s", side);
	snprintf(feed->shard, sizeof(feed->shard), "%s", shard);
	f->n++;
}

static bool is_one(const struct row *row, const char *field)
{
	return str_eq(row_get(row, field), STR("1"));
}

static void fill(struct ops_feed *feed, const struct row *row, int64_t now_ms)
{
	int64_t alive_at, lag_ms;

	if (str_to_i64(row_get(row, "alive_at"), &alive_at) || alive_at < 0 ||
		str_to_i64(row_get(row, "lag_ms"), &lag_ms) || lag_ms < 0 || lag_ms > INT32_MAX)
		return;
	/* Another machine's clock may be a little ahead. */
	feed->age_ms = (alive_at < now_ms ? now_ms - alive_at : 0) + lag_ms;
	feed->is_complete = is_one(row, "complete");
	feed->has_gap = is_one(row, "gap");
}

static void on_shards(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct ops_feeds *f = ctx;
	const int64_t now_ms = loop_now_ms(f->loop);

	f->is_due = false;
	for (size_t i = 0; !err && i < n && i < f->n; i++)
		if (rows[i].state == CACHE_PRESENT)
			fill(&f->feed[i], &rows[i].row, now_ms);
	if (!err)
		ops_store_feeds(f->store, f->feed, f->n);
}

static void ask_shards(struct ops_feeds *f)
{
	char text[OPS_FEEDS_MAX][KEY_MAX];
	struct str keys[OPS_FEEDS_MAX];

	for (size_t i = 0; i < f->n; i++) {
		snprintf(text[i], KEY_MAX, "feed:{%.15s}:%.70s", f->feed[i].side, f->feed[i].shard);
		keys[i] = str_of(text[i]);
	}
	f->is_due = f->n && cache_read(f->cache, keys, f->n, on_shards, f) == 0;
}

static void on_sides(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct ops_feeds *f = ctx;
	char shard[16];

	f->is_due = false;
	f->n = 0;
	if (err)
		return;
	for (size_t i = 0; i < n && i < ARRAY_LEN(sides); i++) {
		uint64_t shards = 0;

		if (rows[i].state != CACHE_PRESENT ||
			str_to_u64(row_get(&rows[i].row, "shards"), &shards))
			continue;
		for (uint64_t k = 0; k < shards && k < OPS_FEEDS_MAX; k++) {
			snprintf(shard, sizeof(shard), "%u", (unsigned)k);
			add(f, sides[i], shard);
		}
	}
	for (size_t i = 0; i < f->n_market_shards; i++)
		add(f, "market", f->market_shards[i]);
	ask_shards(f);
}

void ops_feeds_ask(struct ops_feeds *f)
{
	char text[ARRAY_LEN(sides)][KEY_MAX];
	struct str keys[ARRAY_LEN(sides)];

	if (f->is_due)
		return;
	for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
		snprintf(text[i], KEY_MAX, "feed:{%s}", sides[i]);
		keys[i] = str_of(text[i]);
	}
	f->is_due = cache_read(f->cache, keys, ARRAY_LEN(sides), on_sides, f) == 0;
}

int ops_feeds_new(struct ops_feeds **ret, struct loop *loop, struct cache *cache,
	struct ops_store *store, const char *const *market_shards, size_t n_market_shards)
{
	struct ops_feeds *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->loop = loop;
	f->cache = cache;
	f->store = store;
	f->market_shards = market_shards;
	f->n_market_shards = n_market_shards;
	*ret = f;
	return 0;
}

struct ops_feeds *ops_feeds_free(struct ops_feeds *f)
{
	free(f);
	return NULL;
}
