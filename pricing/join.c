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
#include <sys/queue.h>

#include "common/io/bus.h"
#include "common/model/row_codec.h"
#include "pricing/keyed.h"

#define SIDES           5
#define SHARDS_MAX      100000
#define COLLECTION_MAX  128
#define KEY_MAX         320
#define NO_KEY          (-1)
#define ROUNDS_MAX      2
#define BYTES_PER_EVENT 2600 /* keys of one event, all sides and feeds at their longest */

enum side { SIDE_PROFILE, SIDE_LOYALTY, SIDE_INVENTORY, SIDE_MARKET, SIDE_STOCK };

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

struct collection {
	char slug[COLLECTION_MAX + 1];
};

struct used {
	int64_t used_ms;
	uint64_t gen;
	struct version ver;
	bool is_none; /* a tombstone */
};

struct refs {
	int row[SIDES];
	int shard[SIDES];                    /* NO_KEY: not asked */
	char collection[COLLECTION_MAX + 1]; /* that shard[SIDE_MARKET] is of; "" = none */
};

struct join_batch {
	LIST_ENTRY(join_batch) link;
	struct join *join;
	join_done_fn done; /* NULL: cancelled */
	void *ctx;
	struct join_event *events;
	struct refs *refs;
	size_t n;
	int side[SIDES];
	int64_t shards[SIDES]; /* assumed when the keys were made */
	int round;
	int64_t sent_us;
	struct arena *arena; /* texts of keys */
	struct str *keys;
	int n_keys, keys_max;
	int *table; /* open addressing: index of a key, or NO_KEY */
	size_t n_table;
	int err;
	const struct cache_row *rows; /* during done() */
};

struct join {
	struct cache *cache;
	struct join_config config;
	LIST_HEAD(, join_batch) batches;
	struct keyed *used;        /* row key -> struct used */
	struct keyed *collections; /* item -> struct collection */
	int64_t shards[SIDES];     /* 0: not known */
	struct counter *reads, *keys, *again, *regressed, *unreadable;
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

/* ---- life ---- */

struct join *join_free(struct join *j)
{
	struct join_batch *b;

	if (!j)
		return NULL;
	while ((b = LIST_FIRST(&j->batches))) {
		LIST_REMOVE(b, link);
		arena_free(b->arena);
		free(b->events);
		free(b->refs);
		free(b->keys);
		free(b->table);
		free(b);
	}
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
	*ret = TAKE(j);
	return 0;
}

static void batch_free(struct join_batch *b)
{
	LIST_REMOVE(b, link);
	arena_free(b->arena);
	free(b->events);
	free(b->refs);
	free(b->keys);
	free(b->table);
	free(b);
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
	b->table = calloc(b->n_table, sizeof(*b->table));
	if (!b->events || !b->refs || !b->keys || !b->table ||
		arena_new(&b->arena, n * BYTES_PER_EVENT + 1024) != 0) {
		batch_free(b);
		return -ENOMEM;
	}
	memcpy(b->events, events, n * sizeof(*events));
	*ret = b;
	return 0;
}

/* ---- keys ---- */

/* The index of the key, added if it is new. */
static int key_of(struct join_batch *b, const char *text, size_t n)
{
	uint32_t h = 2166136261u;
	size_t at;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)text[i]) * 16777619u;
	for (at = h & (b->n_table - 1); b->table[at] != NO_KEY; at = (at + 1) & (b->n_table - 1)) {
		if (str_eq(b->keys[b->table[at]], (struct str){ text, n }))
			return b->table[at];
	}
	assert(b->n_keys < b->keys_max);
	b->keys[b->n_keys] = arena_copy(b->arena, (struct str){ text, n });
	assert(b->keys[b->n_keys].p);
	return b->table[at] = b->n_keys++;
}

static int row_key(struct join_batch *b, enum side s, struct str id)
{
	char text[KEY_MAX];
	int n = snprintf(text, sizeof(text), "%s:{" STR_FMT "}", sides[s].row, STR_ARG(id));

	assert(n > 0 && (size_t)n < sizeof(text));
	return key_of(b, text, (size_t)n);
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

static const struct cache_row *row_at(const struct join_batch *b, int key)
{
	return key == NO_KEY ? NULL : &b->rows[key];
}

static int64_t field_i64(const struct cache_row *row, const char *name, int64_t fallback)
{
	struct str text = row ? row_get(&row->row, name) : STR_NONE;
	int64_t v;

	return str_is_set(text) && str_to_i64(text, &v) == 0 ? v : fallback;
}

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
	b->err = err;
	b->rows = err ? NULL : rows;
	if (b->done)
		b->done(b->ctx, b);
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

void join_cancel(struct join_batch *b)
{
	if (b)
		b->done = NULL;
}

/* ---- one row ---- */

struct feed {
	bool is_known;
	bool is_complete;
	uint64_t gen; /* of the side; rows below it belong to a former life */
	int64_t age_ms;
};

static struct feed feed_of(const struct join_batch *b, size_t i, enum side s, int64_t now_ms)
{
	const struct cache_row *side = row_at(b, b->side[s]);
	const struct cache_row *shard = row_at(b, b->refs[i].shard[s]);
	int64_t alive_at = field_i64(shard, "alive_at", -1);
	int64_t lag_ms = field_i64(shard, "lag_ms", 0);
	int64_t gen = field_i64(side, "gen", 0);
	struct feed f = { .gen = gen > 0 ? (uint64_t)gen : 0 };

	/* A count that changed again during the second pipeline: the shard is not the row's. */
	if (s != SIDE_MARKET && b->join->shards[s] != b->shards[s])
		return f;
	f.is_known = alive_at >= 0;
	f.is_complete = field_i64(shard, "complete", 0) == 1;
	f.age_ms = alive_at < now_ms ? now_ms - alive_at : 0;
	if (lag_ms > 0 && lag_ms < INT64_MAX - f.age_ms)
		f.age_ms += lag_ms;
	return f;
}

static int version_of(const struct cache_row *row, struct version *ret)
{
	*ret = (struct version){ 0 };
	if (row->state == CACHE_TOMBSTONE && !str_is_set(row->ver))
		return 0;
	return version_parse_stored(ret, row->ver);
}

static struct input_row unknown(enum row_doubt doubt)
{
	return (struct input_row){ .state = ROW_UNKNOWN, .doubt = doubt };
}

/* The version used last, if it still counts. */
static const struct used *used_of(const struct join *j, struct str key, int64_t now_ms)
{
	const struct used *u = keyed_get(j->used, key);

	return u && u->used_ms + j->config.memo_ms > now_ms ? u : NULL;
}

static void remember(struct join *j, struct str key, const struct input_row *row, int64_t now_ms)
{
	struct used *u = keyed_put(j->used, key);

	if (u)
		*u = (struct used){ now_ms, (uint64_t)row->gen, row->ver, row->state == ROW_NONE };
}

static struct input_row missing(struct join *j, const struct feed *feed, const struct used *used)
{
	if (used && !used->is_none && used->gen >= feed->gen) {
		counter_add(j->regressed, 1);
		return unknown(DOUBT_OLDER);
	}
	if (!feed->is_complete)
		return unknown(DOUBT_INCOMPLETE);
	return (struct input_row){ .state = ROW_NONE };
}

/* What the row is, before its fields are read. */
static struct input_row judge(struct join *j, const struct cache_row *row, struct str key,
	const struct feed *feed, int64_t now_ms)
{
	const struct used *used = used_of(j, key, now_ms);
	struct input_row ret = { .gen = (int64_t)row->gen };

	if (row->state == CACHE_MISSING || row->gen < feed->gen)
		return missing(j, feed, used);
	if (row->gen > INT64_MAX || version_of(row, &ret.ver) != 0) {
		counter_add(j->unreadable, 1);
		return unknown(DOUBT_UNREADABLE);
	}
	if (used && (row->gen < used->gen ||
			    (row->gen == used->gen && version_cmp(ret.ver, used->ver) < 0))) {
		counter_add(j->regressed, 1);
		return unknown(DOUBT_OLDER);
	}
	ret.state = row->state == CACHE_PRESENT ? ROW_PRESENT : ROW_NONE;
	return ret;
}

/* ---- fields: only those that a price can depend on ---- */

#define F(struct_, path_, kind_, member_, max_) \
	{ \
		.path = path_, .kind = kind_, .offset = offsetof(struct struct_, member_), \
		.max = max_ \
	}
#define TYPE(name_, fields_, struct_) \
	{ \
		.name = name_, .fields = fields_, .n_fields = ARRAY_LEN(fields_), \
		.size = sizeof(struct struct_) \
	}

struct profile_row {
	struct str segment, country, consent;
};
static const struct field profile_fields[] = {
	F(profile_row, "segment", FIELD_STR, segment, 128),
	F(profile_row, "country", FIELD_STR, country, 8),
	F(profile_row, "consent", FIELD_RAW, consent, 1024),
};
static const struct field loyalty_fields[] = {
	{ .path = "tier",
		.kind = FIELD_ENUM,
		.offset = offsetof(struct input_loyalty, tier),
		.names = loyalty_tier_names },
	F(input_loyalty, "points", FIELD_I64, points, 0),
};
static const struct field inventory_fields[] = {
	F(input_inventory, "list", FIELD_MONEY, list, 0),
	F(input_inventory, "cost", FIELD_MONEY, cost, 0),
	F(input_inventory, "supply", FIELD_I64, supply, 0),
	F(input_inventory, "collection", FIELD_STR, collection, 128),
	F(input_inventory, "held", FIELD_I64, held, 0),
};
static const struct field bestbid_fields[] = {
	F(input_bestbid, "as_of", FIELD_I64, as_of, 0),
	F(input_bestbid, "bid", FIELD_MONEY, bid, 0),
	F(input_bestbid, "bid_net", FIELD_MONEY, bid_net, 0),
	F(input_bestbid, "ask", FIELD_MONEY, ask, 0),
	F(input_bestbid, "floor", FIELD_MONEY, floor, 0),
	F(input_bestbid, "floor_raw", FIELD_MONEY, floor_raw, 0),
	F(input_bestbid, "last_sale", FIELD_MONEY, last_sale, 0),
	F(input_bestbid, "flags", FIELD_RAW, flags, 512),
};
static const struct field stock_fields[] = {
	F(input_stock, "taken", FIELD_I64, taken, 0),
};

static const struct record_type types[SIDES] = {
	[SIDE_PROFILE] = TYPE("profile row", profile_fields, profile_row),
	[SIDE_LOYALTY] = TYPE("loyalty row", loyalty_fields, input_loyalty),
	[SIDE_INVENTORY] = TYPE("inventory row", inventory_fields, input_inventory),
	[SIDE_MARKET] = TYPE("bestbid row", bestbid_fields, input_bestbid),
	[SIDE_STOCK] = TYPE("stock row", stock_fields, input_stock),
};

union fields {
	struct profile_row profile;
	struct input_loyalty loyalty;
	struct input_inventory inventory;
	struct input_bestbid bestbid;
	struct input_stock stock;
};

/* The row and its fields; fields are zero unless it is present. */
static struct input_row read_row(struct join_batch *b, size_t i, enum side s,
	const struct feed *feed, int64_t now_ms, struct arena *a, union fields *ret)
{
	struct join *j = b->join;
	const struct cache_row *row = row_at(b, b->refs[i].row[s]);
	struct str key = b->keys[b->refs[i].row[s]];
	struct input_row in = judge(j, row, key, feed, now_ms);

	memset(ret, 0, sizeof(*ret));
	if (in.state == ROW_PRESENT && row_decode(&types[s], ret, &row->row, a, NULL) != 0) {
		memset(ret, 0, sizeof(*ret));
		counter_add(j->unreadable, 1);
		in = unknown(DOUBT_UNREADABLE);
	}
	if (in.state != ROW_UNKNOWN && (row->state != CACHE_MISSING && row->gen >= feed->gen))
		remember(j, key, &in, now_ms);
	return in;
}

static struct input_row read_side(struct join_batch *b, size_t i, enum side s, int64_t now_ms,
	struct arena *a, union fields *ret, int64_t *ret_age_ms)
{
	struct feed feed = feed_of(b, i, s, now_ms);
	struct input_row in;

	memset(ret, 0, sizeof(*ret));
	*ret_age_ms = 0;
	if (!feed.is_known)
		return unknown(DOUBT_FEED);
	in = read_row(b, i, s, &feed, now_ms, a, ret);
	if (in.state != ROW_UNKNOWN)
		*ret_age_ms = feed.age_ms;
	return in;
}

/* No bridge, no feed: then the row stands for itself, and no row says that nothing was taken. */
static struct input_row read_stock(
	struct join_batch *b, size_t i, int64_t now_ms, struct arena *a, union fields *ret)
{
	struct feed none = { .is_complete = true };
	struct input_row in;
	int64_t age_ms;

	if (row_at(b, b->side[SIDE_STOCK])->state == CACHE_MISSING)
		return read_row(b, i, SIDE_STOCK, &none, now_ms, a, ret);
	in = read_side(b, i, SIDE_STOCK, now_ms, a, ret, &age_ms);
	if (in.state != ROW_UNKNOWN && age_ms > b->join->config.stock_age_ms)
		return unknown(DOUBT_STALE);
	return in;
}

static void fill_item(
	struct join_batch *b, size_t i, int64_t now_ms, struct arena *a, struct price_inputs *in)
{
	union fields fields;
	struct input_row row;
	int64_t age_ms;

	row = read_side(b, i, SIDE_INVENTORY, now_ms, a, &fields, &age_ms);
	in->inventory = fields.inventory;
	in->inventory.row = row;
	in->inventory.age_ms = age_ms;

	row = read_stock(b, i, now_ms, a, &fields);
	in->stock.row = row;
	in->stock.taken = row.state == ROW_PRESENT ? fields.stock.taken : 0;

	if (in->inventory.collection.n == 0) {
		in->inventory.collection = STR_NONE;
		in->bestbid = (struct input_bestbid){ .row.state = ROW_NONE };
		return;
	}
	if (!str_eqz(in->inventory.collection, b->refs[i].collection)) {
		in->bestbid = (struct input_bestbid){ .row = unknown(DOUBT_FEED) };
		return;
	}
	row = read_side(b, i, SIDE_MARKET, now_ms, a, &fields, &age_ms);
	in->bestbid = fields.bestbid;
	in->bestbid.row = row;
	in->bestbid.age_ms = age_ms;
}

void join_fill(
	struct join_batch *b, size_t i, int64_t now_ms, struct arena *a, struct price_inputs *in)
{
	union fields fields;
	struct input_row row;
	int64_t age_ms;

	assert(i < b->n);
	if (!b->rows) {
		join_fill_unknown(in, DOUBT_CACHE);
		return;
	}
	row = read_side(b, i, SIDE_PROFILE, now_ms, a, &fields, &age_ms);
	in->profile = (struct input_profile){
		.row = row,
		.age_ms = age_ms,
		.segment = fields.profile.segment,
		.country = fields.profile.country,
		.consent = profile_allows_pricing(
				   &(struct profile){ .consent = fields.profile.consent })
				   ? TRI_TRUE
				   : TRI_ABSENT,
	};
	row = read_side(b, i, SIDE_LOYALTY, now_ms, a, &fields, &age_ms);
	in->loyalty =
		(struct input_loyalty){ row, age_ms, fields.loyalty.tier, fields.loyalty.points };
	fill_item(b, i, now_ms, a, in);
}

void join_fill_unknown(struct price_inputs *in, enum row_doubt doubt)
{
	in->profile = (struct input_profile){ .row = unknown(doubt) };
	in->loyalty = (struct input_loyalty){ .row = unknown(doubt) };
	in->inventory = (struct input_inventory){ .row = unknown(doubt) };
	in->bestbid = (struct input_bestbid){ .row = unknown(doubt) };
	in->stock = (struct input_stock){ .row = unknown(doubt) };
}
