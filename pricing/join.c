/*
 * A batch lives from join_read() to the end of done(). A cancelled one only waits for the cache's
 * answer and then disappears.
 */
#include "pricing/join.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/io/bus.h"
#include "pricing/join_impl.h"

#define SHARDS_MAX      100000
#define KEY_MAX         320
#define ROUNDS_MAX      2
#define BYTES_PER_EVENT 2600 /* keys of one event, all sides and feeds at their longest */

static const struct {
	const char *row;  /* prefix of row keys */
	const char *feed; /* name of the side */
	bool is_by_user;
} sides[SIDES] = {
	[SIDE_PROFILE] = { "profile", "profile", true },
	[SIDE_LOYALTY] = { "loyalty", "loyalty", true },
	[SIDE_INVENTORY] = { "inventory", "inventory", false },
	[SIDE_MARKET] = { "bestbid", "market", false },
	[SIDE_STOCK] = { "stock", "stock", false },
};

static const struct metric_def READS = { "souk_pricing_cache_reads_total", METRIC_COUNTER,
	"Pipelines of look-ups.", NULL };
static const struct metric_def KEYS = { "souk_pricing_cache_keys_total", METRIC_COUNTER,
	"Rows and feeds looked up.", NULL };
static const struct metric_def AGAIN = { "souk_pricing_cache_reads_again_total", METRIC_COUNTER,
	"Pipelines done a second time because a feed was not known.", NULL };
static const struct metric_def REGRESSED = { "souk_pricing_rows_regressed_total", METRIC_COUNTER,
	"Rows refused because a higher version was used before.", NULL };
static const struct metric_def UNREADABLE = { "souk_pricing_rows_unreadable_total", METRIC_COUNTER,
	"Rows refused because they are not what their table says.", NULL };

static const struct metric_def FORGOTTEN = { "souk_pricing_memo_forgotten_total", METRIC_COUNTER,
	"Used versions and collections forgotten because pricing.memo_max were remembered.", NULL };

/* ---- life ---- */

static void batch_free(struct join_batch *b)
{
	LIST_REMOVE(b, link);
	arena_free(b->arena);
	free(b->events);
	free(b->refs);
	free(b->keys);
	free(b->is_old);
	free(b->table);
	free(b);
}

struct join *join_free(struct join *j)
{
	struct join_batch *b;

	if (!j)
		return NULL;
	while ((b = LIST_FIRST(&j->batches)))
		batch_free(b);
	keyed_free(j->used);
	keyed_free(j->collections);
	free(j);
	return NULL;
}

int join_new(
	struct join **ret, struct cache *cache, struct metrics *m, const struct join_config *config)
{
	CLEANUP(join_free) struct join *j = calloc(1, sizeof(*j));
	int r;

	if (!j)
		return -ENOMEM;
	j->cache = cache;
	j->config = *config;
	LIST_INIT(&j->batches);
	r = keyed_new(&j->used, config->memo_max, sizeof(struct used));
	if (!r)
		r = keyed_new(&j->collections, config->memo_max, sizeof(struct collection));
	if (r)
		return r;
	j->reads = metrics_counter(m, &READS, NULL);
	j->keys = metrics_counter(m, &KEYS, NULL);
	j->again = metrics_counter(m, &AGAIN, NULL);
	j->regressed = metrics_counter(m, &REGRESSED, NULL);
	j->unreadable = metrics_counter(m, &UNREADABLE, NULL);
	j->forgotten = metrics_counter(m, &FORGOTTEN, NULL);
	*ret = TAKE(j);
	return 0;
}

static int batch_new(
	struct join_batch **ret, struct join *j, const struct join_event *events, size_t n)
{
	struct join_batch *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	LIST_INSERT_HEAD(&j->batches, b, link);
	b->join = j;
	b->n = n;
	b->keys_max = (int)(n * 2 * SIDES + SIDES);
	b->n_table = 64;
	while (b->n_table < 2 * (size_t)b->keys_max)
		b->n_table *= 2;
	b->events = calloc(n, sizeof(*b->events));
	b->refs = calloc(n, sizeof(*b->refs));
	b->keys = calloc((size_t)b->keys_max, sizeof(*b->keys));
	b->is_old = calloc((size_t)b->keys_max, sizeof(*b->is_old));
	b->table = calloc(b->n_table, sizeof(*b->table));
	if (!b->events || !b->refs || !b->keys || !b->is_old || !b->table ||
		arena_new(&b->arena, n * BYTES_PER_EVENT + 1024) != 0) {
		batch_free(b);
		return -ENOMEM;
	}
	memcpy(b->events, events, n * sizeof(*events));
	*ret = b;
	return 0;
}

/* ---- keys ---- */

/* Where the key is in the table, or would be. */
static int *place_of(const struct join_batch *b, struct str key)
{
	uint32_t h = 2166136261u;
	size_t at;

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (unsigned char)key.p[i]) * 16777619u;
	for (at = h & (b->n_table - 1); b->table[at] != NO_KEY; at = (at + 1) & (b->n_table - 1)) {
		if (str_eq(b->keys[b->table[at]], key))
			break;
	}
	return &b->table[at];
}

/* The index of the key, added if it is new. */
static int key_of(struct join_batch *b, const char *text, size_t n)
{
	struct str key = { text, n };
	int *place = place_of(b, key);

	if (*place != NO_KEY)
		return *place;
	assert(b->n_keys < b->keys_max);
	b->keys[b->n_keys] = arena_copy(b->arena, key);
	assert(b->keys[b->n_keys].p);
	return *place = b->n_keys++;
}

static int row_key(struct join_batch *b, enum side s, struct str id)
{
	char text[KEY_MAX];
	size_t n = strlen(sides[s].row);

	assert(n + id.n + 3 <= sizeof(text));
	memcpy(text, sides[s].row, n);
	text[n++] = ':';
	text[n++] = '{';
	memcpy(text + n, id.p, id.n);
	n += id.n;
	text[n++] = '}';
	return key_of(b, text, n);
}

static int side_key(struct join_batch *b, enum side s)
{
	char text[KEY_MAX];
	int n = snprintf(text, sizeof(text), "feed:{%s}", sides[s].feed);

	return key_of(b, text, (size_t)n);
}

static int feed_key(struct join_batch *b, enum side s, struct str shard)
{
	char text[KEY_MAX];
	int n = snprintf(text, sizeof(text), "feed:{%s}:" STR_FMT, sides[s].feed, STR_ARG(shard));

	assert(n > 0 && (size_t)n < sizeof(text));
	return key_of(b, text, (size_t)n);
}

static struct str side_id(const struct join_event *e, enum side s)
{
	return sides[s].is_by_user ? e->user : e->item;
}

static int shard_key(struct join_batch *b, size_t i, enum side s)
{
	char text[16];
	int n;

	if (s == SIDE_MARKET)
		return b->refs[i].collection[0] ? feed_key(b, s, str_of(b->refs[i].collection))
						: NO_KEY;
	if (b->shards[s] == 0)
		return NO_KEY;
	n = snprintf(text, sizeof(text), "%" PRId32,
		bus_partition_of(side_id(&b->events[i], s), (int32_t)b->shards[s]));
	return feed_key(b, s, (struct str){ text, (size_t)n });
}

/* Rows of all events, then sides, then feeds. */
static void make_keys(struct join_batch *b)
{
	struct join *j = b->join;

	arena_reset(b->arena);
	b->n_keys = 0;
	for (size_t i = 0; i < b->n_table; i++)
		b->table[i] = NO_KEY;
	memset(b->is_old, 0, (size_t)b->keys_max * sizeof(*b->is_old));
	memcpy(b->shards, j->shards, sizeof(b->shards));
	for (size_t i = 0; i < b->n; i++) {
		const struct collection *c = keyed_get(j->collections, b->events[i].item);

		memcpy(b->refs[i].collection, c ? c->slug : "", c ? sizeof(c->slug) : 1);
		for (int s = 0; s < SIDES; s++)
			b->refs[i].row[s] =
				row_key(b, (enum side)s, side_id(&b->events[i], (enum side)s));
	}
	for (int s = 0; s < SIDES; s++)
		b->side[s] = side_key(b, (enum side)s);
	for (size_t i = 0; i < b->n; i++) {
		for (int s = 0; s < SIDES; s++)
			b->refs[i].shard[s] = shard_key(b, i, (enum side)s);
	}
}

/* ---- what was learned ---- */

static struct str collection_of(const struct join_batch *b, size_t i)
{
	const struct cache_row *row = row_at(b, b->refs[i].row[SIDE_INVENTORY]);
	struct str slug = row->state == CACHE_PRESENT ? row_get(&row->row, "collection") : STR_NONE;

	return slug.n <= COLLECTION_MAX ? slug : STR_NONE;
}

/* Whether some event's feed was not in this pipeline though it should have been. */
static bool learn(struct join_batch *b)
{
	struct join *j = b->join;
	bool is_lacking = false;

	for (int s = 0; s < SIDES; s++) {
		int64_t n = field_i64(row_at(b, b->side[s]), "shards", 0);

		j->shards[s] = n > 0 && n <= SHARDS_MAX ? n : 0;
		if (s != SIDE_MARKET && j->shards[s] && j->shards[s] != b->shards[s])
			is_lacking = true;
	}
	for (size_t i = 0; i < b->n; i++) {
		struct str slug = collection_of(b, i);
		struct collection *c;

		if (str_eq(slug, str_of(b->refs[i].collection)))
			continue;
		if (slug.n == 0)
			continue; /* no market side: what was asked for nothing is not looked at */
		is_lacking = true;
		c = keyed_put(j->collections, b->events[i].item);
		if (c)
			(void)str_copy(c->slug, sizeof(c->slug), slug);
	}
	return is_lacking;
}

/* ---- reading ---- */

static void finish(struct join_batch *b, int err, const struct cache_row *rows)
{
	struct join *j = b->join;

	b->err = err;
	b->rows = err ? NULL : rows;
	if (b->done)
		b->done(b->ctx, b);
	j->forgotten->value = keyed_evicted(j->used) + keyed_evicted(j->collections);
	batch_free(b);
}

static void on_rows(void *ctx, int err, const struct cache_row *rows, size_t n);

static int ask(struct join_batch *b)
{
	struct join *j = b->join;
	int r;

	make_keys(b);
	b->round++;
	r = cache_read(j->cache, b->keys, (size_t)b->n_keys, on_rows, b);
	if (r == 0) {
		counter_add(j->reads, 1);
		counter_add(j->keys, (uint64_t)b->n_keys);
	}
	return r;
}

static void on_rows(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct join_batch *b = ctx;

	assert(err || n == (size_t)b->n_keys);
	if (err || !b->done) {
		finish(b, err, NULL);
		return;
	}
	b->rows = rows;
	if (learn(b) && b->round < ROUNDS_MAX) {
		counter_add(b->join->again, 1);
		err = ask(b);
		if (err)
			finish(b, err, NULL);
		return;
	}
	finish(b, 0, rows);
}

int join_read(struct join *j, const struct join_event *events, size_t n, join_done_fn done,
	void *ctx, struct join_batch **ret)
{
	struct join_batch *b;
	int r;

	assert(n > 0 && n <= JOIN_EVENTS_MAX);
	r = batch_new(&b, j, events, n);
	if (r != 0)
		return r;
	b->done = done;
	b->ctx = ctx;
	r = ask(b);
	if (r != 0)
		batch_free(b);
	else
		*ret = b;
	return r;
}

void join_changed(struct join *j, struct str key)
{
	struct join_batch *b;

	LIST_FOREACH(b, &j->batches, link) {
		int at = str_is_set(key) ? *place_of(b, key) : NO_KEY;

		if (at != NO_KEY)
			b->is_old[at] = true;
		else if (!str_is_set(key))
			memset(b->is_old, true, (size_t)b->n_keys * sizeof(*b->is_old));
	}
}

bool join_is_old(const struct join_batch *b, size_t i)
{
	for (int s = 0; s < SIDES; s++) {
		if (b->is_old[b->refs[i].row[s]])
			return true;
	}
	return false;
}

void join_cancel(struct join_batch *b)
{
	if (b)
		b->done = NULL;
}
