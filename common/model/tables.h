#pragma once

/* The rows that sides are made of: what the table topics carry and the join reads. Texts borrow
 * from the decoding arena. */
#include "common/base/json_out.h"
#include "common/model/decode.h"
#include "common/model/money.h"
#include "common/model/version.h"

/* crm.profile.v1, key = user */
struct profile {
	struct str user;
	struct version ver;
	struct str segment;
	struct str country;
	struct str consent;    /* {"pricing":true} */
	struct str attributes; /* object */
};
extern const struct record_type profile_type;
void profile_json(struct json_out *j, const char *key, const struct profile *p);
/* consent.pricing is exactly true; missing = no */
bool profile_allows_pricing(const struct profile *p);

/* loyalty.v1, key = user */
enum loyalty_tier { TIER_NONE, TIER_SILVER, TIER_GOLD, TIER_PLATINUM };
extern const char *const loyalty_tier_names[]; /* "none", "silver", "gold", "platinum", NULL */
struct loyalty {
	struct str user;
	struct version ver;
	int tier; /* enum loyalty_tier */
	int64_t points;
};
extern const struct record_type loyalty_type;
void loyalty_json(struct json_out *j, const char *key, const struct loyalty *l);

/* inventory.v1, key = item */
struct inventory {
	struct str item;
	struct version ver;
	struct money list;
	struct money cost;
	/* consigned in total; Souk's own sales are never subtracted by the source */
	int64_t supply;
	struct str seller;
	struct str collection;
	struct str traits; /* object */
	struct str title;
	struct str image;
	/* Set by connectors in the row only (not on the topic): the breaker. */
	struct money list_ok; /* last list price that passed */
	int64_t held;         /* 1: CIRCUIT_OPEN until confirmed */
};
extern const struct record_type inventory_type;     /* the record: knows no list_ok and held */
extern const struct record_type inventory_row_type; /* the row in Redis: with them */
void inventory_json(struct json_out *j, const char *key, const struct inventory *i);

/* market.bestbid.v1, key = item */
struct bestbid {
	struct str item;
	struct version ver;
	struct str collection;
	int64_t as_of;
	struct money bid, bid_net, ask, floor, floor_raw, last_sale; /* absent = null on the wire */
	struct str bid_order;
	int64_t bid_expires; /* 0 = absent */
	struct str flags;    /* array of texts: "gap", "no_fx", "net_estimated", … */
};
extern const struct record_type bestbid_type;
void bestbid_json(struct json_out *j, const char *key, const struct bestbid *b);
bool bestbid_has_flag(const struct bestbid *b, const char *flag);

/* {"type":"feed"} on market.bestbid.v1, key "feed:<slug>" */
struct feed_record {
	struct str type;
	struct str collection;
	int64_t alive_at;
	int gap; /* enum tribool */
};
extern const struct record_type feed_record_type;
void feed_record_json(struct json_out *j, const struct feed_record *r);

/* stock.v1 and the stock:{item} view */
struct stock {
	struct str item;
	struct version ver;
	int64_t supply;
	int64_t taken;
	int64_t through;
};
extern const struct record_type stock_type;
void stock_json(struct json_out *j, const char *key, const struct stock *s);
