/*
 * One table per object drives reading; writing is by hand, in the same order. Members that say
 * nothing (zero, absent) are left out both ways, which is what makes the round trip exact: an
 * absent member decodes to zero, and zero is not written. Ages are the exception (0 is a good age),
 * so they are written exactly when their row is known.
 *
 * The interest is read by its own table, except one that was refused: of that only what could be
 * read is kept, and the table for it asks for no more than the ids.
 */
#include "pricing/inputs.h"

#include <stddef.h>

#include "common/model/decode.h"

const char *const row_state_names[] = { "unknown", "none", "present", NULL };
const char *const row_doubt_names[] = { "", "cache", "feed", "incomplete", "older", "unreadable",
	"stale", "unasked", NULL };

bool inputs_consent(const struct price_inputs *in)
{
	return in->profile.row.state == ROW_PRESENT && in->profile.consent == TRI_TRUE &&
	       in->interest.consent_personalization != TRI_FALSE;
}

/* ---- writing ---- */

static void version_json(struct json_out *j, const char *key, struct version v)
{
	char text[VERSION_TEXT_MAX];

	json_str(j, key, (struct str){ text, version_format(text, v) });
}

static void row_begin(struct json_out *j, const char *key, const struct input_row *r)
{
	json_begin(j, key);
	json_strz(j, "state", row_state_names[r->state]);
	if (r->doubt)
		json_strz(j, "doubt", row_doubt_names[r->doubt]);
	if (r->state == ROW_PRESENT || r->gen) {
		json_i64(j, "gen", r->gen);
		version_json(j, "ver", r->ver);
	}
}

static void i64_opt(struct json_out *j, const char *key, int64_t v)
{
	if (v)
		json_i64(j, key, v);
}

static void true_opt(struct json_out *j, const char *key, int tribool)
{
	if (tribool == TRI_TRUE)
		json_bool(j, key, true);
}

static void rows_json(struct json_out *j, const struct price_inputs *in)
{
	json_begin(j, "rows");
	row_begin(j, "profile", &in->profile.row);
	json_str_opt(j, "segment", in->profile.segment);
	json_str_opt(j, "country", in->profile.country);
	true_opt(j, "consent", in->profile.consent);
	json_end(j);

	row_begin(j, "loyalty", &in->loyalty.row);
	if (in->loyalty.row.state == ROW_PRESENT) {
		json_strz(j, "tier", loyalty_tier_names[in->loyalty.tier]);
		json_i64(j, "points", in->loyalty.points);
	}
	json_end(j);

	row_begin(j, "inventory", &in->inventory.row);
	money_json(j, "list", in->inventory.list);
	money_json(j, "cost", in->inventory.cost);
	i64_opt(j, "supply", in->inventory.supply);
	json_str_opt(j, "collection", in->inventory.collection);
	i64_opt(j, "held", in->inventory.held);
	json_end(j);

	row_begin(j, "bestbid", &in->bestbid.row);
	i64_opt(j, "as_of", in->bestbid.as_of);
	money_json(j, "bid", in->bestbid.bid);
	money_json(j, "bid_net", in->bestbid.bid_net);
	money_json(j, "ask", in->bestbid.ask);
	money_json(j, "floor", in->bestbid.floor);
	money_json(j, "floor_raw", in->bestbid.floor_raw);
	money_json(j, "last_sale", in->bestbid.last_sale);
	json_raw_opt(j, "flags", in->bestbid.flags);
	json_end(j);

	row_begin(j, "stock", &in->stock.row);
	i64_opt(j, "taken", in->stock.taken);
	json_end(j);
	json_end(j);
}

static void age_json(struct json_out *j, const char *key, const struct input_row *r, int64_t age_ms)
{
	if (r->state != ROW_UNKNOWN)
		json_i64(j, key, age_ms);
}

static void ages_json(struct json_out *j, const struct price_inputs *in)
{
	json_begin(j, "ages");
	age_json(j, "profile", &in->profile.row, in->profile.age_ms);
	age_json(j, "loyalty", &in->loyalty.row, in->loyalty.age_ms);
	age_json(j, "inventory", &in->inventory.row, in->inventory.age_ms);
	age_json(j, "market", &in->bestbid.row, in->bestbid.age_ms);
	json_end(j);
}

static void guards_json(struct json_out *j, const struct guards *g)
{
	json_begin(j, "guards");
	json_begin(j, "max_age_ms");
	json_i64(j, "profile", g->max_age_profile_ms);
	json_i64(j, "loyalty", g->max_age_loyalty_ms);
	json_i64(j, "inventory", g->max_age_inventory_ms);
	json_i64(j, "market", g->max_age_market_ms);
	json_end(j);
	json_i64(j, "floor_over_bid_bps", g->floor_over_bid_bps);
	json_i64(j, "min_margin_bps", g->min_margin_bps);
	json_i64(j, "max_premium_bps", g->max_premium_bps);
	json_i64(j, "max_discount_bps", g->max_discount_bps);
	json_i64(j, "moved_bps", g->moved_bps);
	json_str(j, "quantum", g->quantum);
	json_i64(j, "live_per_user", g->live_per_user);
	json_i64(j, "live_per_item", g->live_per_item);
	json_end(j);
}

static void refused_json(struct json_out *j, const char *key, const struct interest *i)
{
	json_begin(j, key);
	json_str(j, "id", i->id);
	json_str_opt(j, "client_id", i->client_id);
	i64_opt(j, "ts", i->ts);
	json_str(j, "user", i->user);
	json_str(j, "session", i->session);
	json_str_opt(j, "item", i->item);
	json_end(j);
}

void inputs_json(struct json_out *j, const char *key, const struct price_inputs *in)
{
	json_begin(j, key);
	json_i64(j, "now", in->now);
	i64_opt(j, "deadline", in->deadline);
	json_str_opt(j, "bad", in->bad);
	if (str_is_set(in->bad))
		refused_json(j, "interest", &in->interest);
	else
		interest_json(j, "interest", &in->interest);
	rows_json(j, in);
	ages_json(j, in);
	guards_json(j, &in->guards);
	json_begin(j, "consent");
	json_bool(j, "personalization", in->personalization == TRI_TRUE);
	json_end(j);
	true_opt(j, "paused", in->paused);
	true_opt(j, "revision", in->is_revision ? TRI_TRUE : TRI_ABSENT);
	true_opt(j, "hold", in->holds ? TRI_TRUE : TRI_ABSENT);
	if (money_is_set(in->shown_price)) {
		json_begin(j, "shown");
		money_json(j, "price", in->shown_price);
		money_json(j, "bid_net", in->shown_bid_net);
		json_end(j);
	}
	json_begin(j, "live");
	json_i64(j, "user", in->live_user);
	json_i64(j, "item", in->live_item);
	json_end(j);
	json_end(j);
}

/* ---- reading ---- */

struct raw_inputs {
	int64_t now, deadline;
	struct str bad, interest;
	struct str profile, loyalty, inventory, bestbid, stock;
	int64_t age_profile, age_loyalty, age_inventory, age_market;
	struct str guards;
	int personalization, paused, revision, hold;
	struct money shown_price, shown_bid_net;
	int64_t live_user, live_item;
};

#define F(struct_, path_, kind_, member_, ...) \
	{ \
		.path = path_, .kind = kind_, .offset = offsetof(struct struct_, member_), \
		__VA_ARGS__ \
	}
#define MUST .flags = FIELD_REQUIRED

static const struct field raw_fields[] = {
	F(raw_inputs, "now", FIELD_TIME, now, MUST),
	F(raw_inputs, "deadline", FIELD_TIME, deadline, ),
	F(raw_inputs, "bad", FIELD_STR, bad, ),
	F(raw_inputs, "interest", FIELD_RAW, interest, MUST, .max = 8192),
	F(raw_inputs, "rows.profile", FIELD_RAW, profile, MUST),
	F(raw_inputs, "rows.loyalty", FIELD_RAW, loyalty, MUST),
	F(raw_inputs, "rows.inventory", FIELD_RAW, inventory, MUST),
	F(raw_inputs, "rows.bestbid", FIELD_RAW, bestbid, MUST, .max = 4096),
	F(raw_inputs, "rows.stock", FIELD_RAW, stock, MUST),
	F(raw_inputs, "ages.profile", FIELD_I64, age_profile, ),
	F(raw_inputs, "ages.loyalty", FIELD_I64, age_loyalty, ),
	F(raw_inputs, "ages.inventory", FIELD_I64, age_inventory, ),
	F(raw_inputs, "ages.market", FIELD_I64, age_market, ),
	F(raw_inputs, "guards", FIELD_RAW, guards, MUST),
	F(raw_inputs, "consent.personalization", FIELD_BOOL, personalization, MUST),
	F(raw_inputs, "paused", FIELD_BOOL, paused, ),
	F(raw_inputs, "revision", FIELD_BOOL, revision, ),
	F(raw_inputs, "hold", FIELD_BOOL, hold, ),
	F(raw_inputs, "shown.price", FIELD_MONEY, shown_price, ),
	F(raw_inputs, "shown.bid_net", FIELD_MONEY, shown_bid_net, ),
	F(raw_inputs, "live.user", FIELD_I64, live_user, MUST),
	F(raw_inputs, "live.item", FIELD_I64, live_item, MUST),
};

#define ROW_FIELDS(struct_) \
	F(struct_, "state", FIELD_ENUM, row.state, MUST, .names = row_state_names), \
		F(struct_, "doubt", FIELD_ENUM, row.doubt, .names = row_doubt_names), \
		F(struct_, "gen", FIELD_I64, row.gen, ), \
		F(struct_, "ver", FIELD_VERSION, row.ver, )

static const struct field profile_fields[] = {
	ROW_FIELDS(input_profile),
	F(input_profile, "segment", FIELD_STR, segment, .max = 128),
	F(input_profile, "country", FIELD_STR, country, .max = 8),
	F(input_profile, "consent", FIELD_BOOL, consent, ),
};
static const struct field loyalty_fields[] = {
	ROW_FIELDS(input_loyalty),
	F(input_loyalty, "tier", FIELD_ENUM, tier, .names = loyalty_tier_names),
	F(input_loyalty, "points", FIELD_I64, points, ),
};
static const struct field inventory_fields[] = {
	ROW_FIELDS(input_inventory),
	F(input_inventory, "list", FIELD_MONEY, list, ),
	F(input_inventory, "cost", FIELD_MONEY, cost, ),
	F(input_inventory, "supply", FIELD_I64, supply, ),
	F(input_inventory, "collection", FIELD_STR, collection, .max = 128),
	F(input_inventory, "held", FIELD_I64, held, ),
};
static const struct field bestbid_fields[] = {
	ROW_FIELDS(input_bestbid),
	F(input_bestbid, "as_of", FIELD_I64, as_of, ),
	F(input_bestbid, "bid", FIELD_MONEY, bid, ),
	F(input_bestbid, "bid_net", FIELD_MONEY, bid_net, ),
	F(input_bestbid, "ask", FIELD_MONEY, ask, ),
	F(input_bestbid, "floor", FIELD_MONEY, floor, ),
	F(input_bestbid, "floor_raw", FIELD_MONEY, floor_raw, ),
	F(input_bestbid, "last_sale", FIELD_MONEY, last_sale, ),
	F(input_bestbid, "flags", FIELD_RAW, flags, .max = 512),
};
static const struct field stock_fields[] = {
	ROW_FIELDS(input_stock),
	F(input_stock, "taken", FIELD_I64, taken, ),
};
static const struct field guards_fields[] = {
	F(guards, "max_age_ms.profile", FIELD_I64, max_age_profile_ms, MUST),
	F(guards, "max_age_ms.loyalty", FIELD_I64, max_age_loyalty_ms, MUST),
	F(guards, "max_age_ms.inventory", FIELD_I64, max_age_inventory_ms, MUST),
	F(guards, "max_age_ms.market", FIELD_I64, max_age_market_ms, MUST),
	F(guards, "floor_over_bid_bps", FIELD_I64, floor_over_bid_bps, MUST),
	F(guards, "min_margin_bps", FIELD_I64, min_margin_bps, MUST),
	F(guards, "max_premium_bps", FIELD_I64, max_premium_bps, MUST),
	F(guards, "max_discount_bps", FIELD_I64, max_discount_bps, MUST),
	F(guards, "moved_bps", FIELD_I64, moved_bps, MUST),
	F(guards, "quantum", FIELD_STR, quantum, MUST),
	F(guards, "live_per_user", FIELD_I64, live_per_user, MUST),
	F(guards, "live_per_item", FIELD_I64, live_per_item, MUST),
};
static const struct field refused_fields[] = {
	F(interest, "id", FIELD_ID, id, MUST),
	F(interest, "client_id", FIELD_ID, client_id, ),
	F(interest, "ts", FIELD_TIME, ts, ),
	F(interest, "user", FIELD_USER, user, MUST),
	F(interest, "session", FIELD_ID, session, MUST),
	F(interest, "item", FIELD_ITEM, item, ),
};

#define TYPE(name_, fields_, struct_) \
	{ \
		.name = name_, .fields = fields_, .n_fields = ARRAY_LEN(fields_), \
		.size = sizeof(struct struct_), .is_closed = true \
	}

static const struct record_type raw_type = TYPE("inputs", raw_fields, raw_inputs);
static const struct record_type profile_in = TYPE("rows.profile", profile_fields, input_profile);
static const struct record_type loyalty_in = TYPE("rows.loyalty", loyalty_fields, input_loyalty);
static const struct record_type inventory_in =
	TYPE("rows.inventory", inventory_fields, input_inventory);
static const struct record_type bestbid_in = TYPE("rows.bestbid", bestbid_fields, input_bestbid);
static const struct record_type stock_in = TYPE("rows.stock", stock_fields, input_stock);
static const struct record_type guards_in = TYPE("guards", guards_fields, guards);
static const struct record_type refused_in = TYPE("interest", refused_fields, interest);

static int parts_decode(
	struct price_inputs *ret, const struct raw_inputs *raw, struct arena *a, struct fault *f)
{
	const struct {
		const struct record_type *type;
		void *ret;
		struct str json;
	} parts[] = {
		{ str_is_set(raw->bad) ? &refused_in : &interest_type, &ret->interest,
			raw->interest },
		{ &profile_in, &ret->profile, raw->profile },
		{ &loyalty_in, &ret->loyalty, raw->loyalty },
		{ &inventory_in, &ret->inventory, raw->inventory },
		{ &bestbid_in, &ret->bestbid, raw->bestbid },
		{ &stock_in, &ret->stock, raw->stock },
		{ &guards_in, &ret->guards, raw->guards },
	};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		int r = decode(parts[i].type, parts[i].ret, parts[i].json, a, f);

		if (r != 0)
			return r;
	}
	return 0;
}

int inputs_decode(struct price_inputs *ret, struct str json, struct arena *a, struct fault *f)
{
	struct raw_inputs raw;
	int r = decode(&raw_type, &raw, json, a, f);

	if (r != 0)
		return r;
	memset(ret, 0, sizeof(*ret));
	ret->now = raw.now;
	ret->deadline = raw.deadline;
	ret->bad = raw.bad;
	ret->personalization = raw.personalization == TRI_TRUE ? TRI_TRUE : TRI_FALSE;
	ret->paused = raw.paused == TRI_TRUE ? TRI_TRUE : TRI_ABSENT;
	ret->is_revision = raw.revision == TRI_TRUE;
	ret->holds = raw.hold == TRI_TRUE;
	ret->shown_price = raw.shown_price;
	ret->shown_bid_net = raw.shown_bid_net;
	ret->live_user = raw.live_user;
	ret->live_item = raw.live_item;
	r = parts_decode(ret, &raw, a, f);
	if (r != 0)
		return r;
	ret->profile.age_ms = raw.age_profile;
	ret->loyalty.age_ms = raw.age_loyalty;
	ret->inventory.age_ms = raw.age_inventory;
	ret->bestbid.age_ms = raw.age_market;
	return 0;
}
