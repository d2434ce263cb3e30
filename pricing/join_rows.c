/*
 * From what the cache says to what a price may be made from. A row counts only beside the feed that
 * vouches for it, and never below the version that was used before.
 */
#include "pricing/join.h"

#include <assert.h>

#include "common/model/row_codec.h"
#include "pricing/join_impl.h"

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
