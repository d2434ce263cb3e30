/*
 * Rows of the table topics. An inventory row in Redis has two members more than the record on the
 * topic (the breaker's), so the row's table is the record's plus its tail.
 */
#include "common/model/tables.h"

#include "common/model/record_out.h"

#define ROW_RAW_MAX 8192 /* attributes, traits: what a source may put into a row */

static const struct field profile_fields[] = {
	{ "user", FIELD_USER, FIELD_REQUIRED, offsetof(struct profile, user), 0, NULL },
	{ "ver", FIELD_VERSION, FIELD_REQUIRED, offsetof(struct profile, ver), 0, NULL },
	{ "segment", FIELD_STR, FIELD_NULLABLE, offsetof(struct profile, segment), 128, NULL },
	{ "country", FIELD_STR, FIELD_NULLABLE, offsetof(struct profile, country), 8, NULL },
	{ "consent", FIELD_RAW, FIELD_NULLABLE, offsetof(struct profile, consent), 1024, NULL },
	{ "attributes", FIELD_RAW, FIELD_NULLABLE, offsetof(struct profile, attributes),
		ROW_RAW_MAX, NULL },
};

const struct record_type profile_type = {
	.name = "profile",
	.fields = profile_fields,
	.n_fields = ARRAY_LEN(profile_fields),
	.size = sizeof(struct profile),
};

void profile_json(struct json_out *j, const char *key, const struct profile *p)
{
	json_begin(j, key);
	json_str(j, "user", p->user);
	version_json(j, "ver", p->ver);
	json_str_opt(j, "segment", p->segment);
	json_str_opt(j, "country", p->country);
	json_raw_opt(j, "consent", p->consent);
	json_raw_opt(j, "attributes", p->attributes);
	json_end(j);
}

struct consent {
	int pricing;
};

static const struct field consent_fields[] = {
	{ "pricing", FIELD_BOOL, FIELD_REQUIRED, offsetof(struct consent, pricing), 0, NULL },
};

static const struct record_type consent_type = {
	.name = "consent",
	.fields = consent_fields,
	.n_fields = ARRAY_LEN(consent_fields),
	.size = sizeof(struct consent),
};

/* Any doubt (no object, repeated, not a boolean) is a no: decode() needs no arena for a boolean. */
bool profile_allows_pricing(const struct profile *p)
{
	struct consent c;

	return str_is_set(p->consent) && decode(&consent_type, &c, p->consent, NULL, NULL) == 0 &&
	       c.pricing == TRI_TRUE;
}

const char *const loyalty_tier_names[] = { "none", "silver", "gold", "platinum", NULL };

static const struct field loyalty_fields[] = {
	{ "user", FIELD_USER, FIELD_REQUIRED, offsetof(struct loyalty, user), 0, NULL },
	{ "ver", FIELD_VERSION, FIELD_REQUIRED, offsetof(struct loyalty, ver), 0, NULL },
	{ "tier", FIELD_ENUM, FIELD_REQUIRED, offsetof(struct loyalty, tier), 0,
		loyalty_tier_names },
	{ "points", FIELD_I64, FIELD_NULLABLE, offsetof(struct loyalty, points), 0, NULL },
};

const struct record_type loyalty_type = {
	.name = "loyalty",
	.fields = loyalty_fields,
	.n_fields = ARRAY_LEN(loyalty_fields),
	.size = sizeof(struct loyalty),
};

void loyalty_json(struct json_out *j, const char *key, const struct loyalty *l)
{
	json_begin(j, key);
	json_str(j, "user", l->user);
	version_json(j, "ver", l->ver);
	json_strz(j, "tier", loyalty_tier_names[l->tier]);
	json_i64(j, "points", l->points);
	json_end(j);
}

#define N_ROW_ONLY 2

static const struct field inventory_fields[] = {
	{ "item", FIELD_ITEM, FIELD_REQUIRED, offsetof(struct inventory, item), 0, NULL },
	{ "ver", FIELD_VERSION, FIELD_REQUIRED, offsetof(struct inventory, ver), 0, NULL },
	{ "list", FIELD_MONEY, FIELD_REQUIRED, offsetof(struct inventory, list), 0, NULL },
	{ "cost", FIELD_MONEY, FIELD_NULLABLE, offsetof(struct inventory, cost), 0, NULL },
	{ "supply", FIELD_COUNT, FIELD_REQUIRED, offsetof(struct inventory, supply), 0, NULL },
	{ "seller", FIELD_WALLET, FIELD_NULLABLE, offsetof(struct inventory, seller), 0, NULL },
	{ "collection", FIELD_STR, FIELD_NULLABLE | FIELD_NONEMPTY,
		offsetof(struct inventory, collection), 128, NULL },
	{ "traits", FIELD_RAW, FIELD_NULLABLE, offsetof(struct inventory, traits), ROW_RAW_MAX,
		NULL },
	{ "title", FIELD_STR, FIELD_NULLABLE, offsetof(struct inventory, title), 512, NULL },
	{ "image", FIELD_STR, FIELD_NULLABLE, offsetof(struct inventory, image), 2048, NULL },
	{ "list_ok", FIELD_MONEY, 0, offsetof(struct inventory, list_ok), 0, NULL },
	{ "held", FIELD_COUNT, 0, offsetof(struct inventory, held), 0, NULL },
};

const struct record_type inventory_type = {
	.name = "inventory",
	.fields = inventory_fields,
	.n_fields = ARRAY_LEN(inventory_fields) - N_ROW_ONLY,
	.size = sizeof(struct inventory),
};

const struct record_type inventory_row_type = {
	.name = "inventory row",
	.fields = inventory_fields,
	.n_fields = ARRAY_LEN(inventory_fields),
	.size = sizeof(struct inventory),
};

void inventory_json(struct json_out *j, const char *key, const struct inventory *i)
{
	json_begin(j, key);
	json_str(j, "item", i->item);
	version_json(j, "ver", i->ver);
	money_json(j, "list", i->list);
	money_json(j, "cost", i->cost);
	json_i64(j, "supply", i->supply);
	json_str_opt(j, "seller", i->seller);
	json_str_opt(j, "collection", i->collection);
	json_raw_opt(j, "traits", i->traits);
	json_str_opt(j, "title", i->title);
	json_str_opt(j, "image", i->image);
	json_end(j);
}

static const struct field bestbid_fields[] = {
	{ "item", FIELD_ITEM, FIELD_REQUIRED, offsetof(struct bestbid, item), 0, NULL },
	{ "ver", FIELD_VERSION, FIELD_REQUIRED, offsetof(struct bestbid, ver), 0, NULL },
	{ "collection", FIELD_STR, FIELD_REQUIRED | FIELD_NONEMPTY,
		offsetof(struct bestbid, collection), 128, NULL },
	{ "as_of", FIELD_TIME, FIELD_REQUIRED, offsetof(struct bestbid, as_of), 0, NULL },
	{ "bid", FIELD_MONEY, FIELD_NULLABLE, offsetof(struct bestbid, bid), 0, NULL },
	{ "bid_net", FIELD_MONEY, FIELD_NULLABLE, offsetof(struct bestbid, bid_net), 0, NULL },
	{ "ask", FIELD_MONEY, FIELD_NULLABLE, offsetof(struct bestbid, ask), 0, NULL },
	{ "floor", FIELD_MONEY, FIELD_NULLABLE, offsetof(struct bestbid, floor), 0, NULL },
	{ "floor_raw", FIELD_MONEY, FIELD_NULLABLE, offsetof(struct bestbid, floor_raw), 0, NULL },
	{ "last_sale", FIELD_MONEY, FIELD_NULLABLE, offsetof(struct bestbid, last_sale), 0, NULL },
	{ "bid_order", FIELD_ID, FIELD_NULLABLE, offsetof(struct bestbid, bid_order), 0, NULL },
	{ "bid_expires", FIELD_TIME, FIELD_NULLABLE, offsetof(struct bestbid, bid_expires), 0,
		NULL },
	{ "flags", FIELD_RAW, FIELD_NULLABLE, offsetof(struct bestbid, flags), 512, NULL },
};

const struct record_type bestbid_type = {
	.name = "bestbid",
	.fields = bestbid_fields,
	.n_fields = ARRAY_LEN(bestbid_fields),
	.size = sizeof(struct bestbid),
};

void bestbid_json(struct json_out *j, const char *key, const struct bestbid *b)
{
	json_begin(j, key);
	json_str(j, "item", b->item);
	version_json(j, "ver", b->ver);
	json_str(j, "collection", b->collection);
	json_i64(j, "as_of", b->as_of);
	money_json_or_null(j, "bid", b->bid);
	money_json_or_null(j, "bid_net", b->bid_net);
	money_json_or_null(j, "ask", b->ask);
	money_json_or_null(j, "floor", b->floor);
	money_json_or_null(j, "floor_raw", b->floor_raw);
	money_json_or_null(j, "last_sale", b->last_sale);
	json_str_opt(j, "bid_order", b->bid_order);
	i64_json_opt(j, "bid_expires", b->bid_expires);
	json_raw_opt(j, "flags", b->flags);
	json_end(j);
}

/* Flags are a compact array of plain words, so a flag stands there between its quotes or not at
 * all. */
bool bestbid_has_flag(const struct bestbid *b, const char *flag)
{
	size_t n = strlen(flag);

	for (size_t i = 0; i + n + 2 <= b->flags.n; i++) {
		const char *p = b->flags.p + i;

		if (p[0] == '"' && memcmp(p + 1, flag, n) == 0 && p[n + 1] == '"')
			return true;
	}
	return false;
}

static const char *const feed_names[] = { "feed", NULL };

static const struct field feed_fields[] = {
	{ "type", FIELD_CONST, FIELD_REQUIRED, offsetof(struct feed_record, type), 0, feed_names },
	{ "collection", FIELD_STR, FIELD_REQUIRED | FIELD_NONEMPTY,
		offsetof(struct feed_record, collection), 128, NULL },
	{ "alive_at", FIELD_TIME, FIELD_REQUIRED, offsetof(struct feed_record, alive_at), 0, NULL },
	{ "gap", FIELD_BOOL, FIELD_REQUIRED, offsetof(struct feed_record, gap), 0, NULL },
};

const struct record_type feed_record_type = {
	.name = "feed",
	.fields = feed_fields,
	.n_fields = ARRAY_LEN(feed_fields),
	.size = sizeof(struct feed_record),
};

void feed_record_json(struct json_out *j, const struct feed_record *r)
{
	json_begin(j, NULL);
	json_strz(j, "type", "feed");
	json_str(j, "collection", r->collection);
	json_i64(j, "alive_at", r->alive_at);
	json_bool(j, "gap", r->gap == TRI_TRUE);
	json_end(j);
}

static const struct field stock_fields[] = {
	{ "item", FIELD_ITEM, 0, offsetof(struct stock, item), 0, NULL },
	{ "ver", FIELD_VERSION, FIELD_REQUIRED, offsetof(struct stock, ver), 0, NULL },
	{ "supply", FIELD_COUNT, FIELD_REQUIRED, offsetof(struct stock, supply), 0, NULL },
	{ "taken", FIELD_COUNT, FIELD_REQUIRED, offsetof(struct stock, taken), 0, NULL },
	{ "through", FIELD_COUNT, 0,
		/* the view in Redis goes without */ offsetof(struct stock, through), 0, NULL },
};

const struct record_type stock_type = {
	.name = "stock",
	.fields = stock_fields,
	.n_fields = ARRAY_LEN(stock_fields),
	.size = sizeof(struct stock),
};

void stock_json(struct json_out *j, const char *key, const struct stock *s)
{
	json_begin(j, key);
	json_str(j, "item", s->item);
	version_json(j, "ver", s->ver);
	json_i64(j, "supply", s->supply);
	json_i64(j, "taken", s->taken);
	json_i64(j, "through", s->through);
	json_end(j);
}
