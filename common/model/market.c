/*
 * One flat record for all normalised market events: what an event does not have is absent. Prices
 * keep the currency of the collection; an amount that could not be read or converted is left out
 * and named in `flags`.
 */
#include "common/model/market.h"

#include "common/model/record_out.h"

const char *const market_event_type_names[] = { "listed", "bid", "collection_offer", "trait_offer",
	"cancelled", "sold", "transferred", "invalidated", "revalidated", "metadata", NULL };

static const struct field event_fields[] = {
	{ "type", FIELD_ENUM, FIELD_REQUIRED, offsetof(struct market_event, type), 0,
		market_event_type_names },
	{ "collection", FIELD_STR, FIELD_REQUIRED | FIELD_NONEMPTY,
		offsetof(struct market_event, collection), 128, NULL },
	{ "item", FIELD_ITEM, 0, offsetof(struct market_event, item), 0, NULL },
	{ "order", FIELD_ID, 0, offsetof(struct market_event, order), 0, NULL },
	{ "seq", FIELD_COUNT, 0, offsetof(struct market_event, seq), 0, NULL },
	{ "ts", FIELD_TIME, FIELD_REQUIRED, offsetof(struct market_event, ts), 0, NULL },
	{ "received", FIELD_TIME, 0, offsetof(struct market_event, received), 0, NULL },
	{ "maker", FIELD_WALLET, 0, offsetof(struct market_event, maker), 0, NULL },
	{ "taker", FIELD_WALLET, 0, offsetof(struct market_event, taker), 0, NULL },
	{ "from", FIELD_WALLET, 0, offsetof(struct market_event, from), 0, NULL },
	{ "to", FIELD_WALLET, 0, offsetof(struct market_event, to), 0, NULL },
	{ "price", FIELD_MONEY, 0, offsetof(struct market_event, price), 0, NULL },
	{ "price_end", FIELD_MONEY, 0, offsetof(struct market_event, price_end), 0, NULL },
	{ "price_net", FIELD_MONEY, 0, offsetof(struct market_event, price_net), 0, NULL },
	{ "quantity", FIELD_COUNT, 0, offsetof(struct market_event, quantity), 0, NULL },
	{ "starts", FIELD_TIME, 0, offsetof(struct market_event, starts), 0, NULL },
	{ "expires", FIELD_TIME, 0, offsetof(struct market_event, expires), 0, NULL },
	{ "listing", FIELD_ID, 0, offsetof(struct market_event, listing), 16, NULL },
	{ "private", FIELD_BOOL, 0, offsetof(struct market_event, is_private), 0, NULL },
	{ "flags", FIELD_RAW, 0, offsetof(struct market_event, flags), 512, NULL },
	{ "epoch", FIELD_COUNT, 0, offsetof(struct market_event, epoch), 0, NULL },
};

const struct record_type market_event_type_record = {
	.name = "market event",
	.fields = event_fields,
	.n_fields = ARRAY_LEN(event_fields),
	.size = sizeof(struct market_event),
};

void market_event_json(struct json_out *j, const struct market_event *e)
{
	json_begin(j, NULL);
	json_strz(j, "type", market_event_type_names[e->type]);
	json_str(j, "collection", e->collection);
	json_str_opt(j, "item", e->item);
	json_str_opt(j, "order", e->order);
	i64_json_opt(j, "seq", e->seq);
	json_i64(j, "ts", e->ts);
	i64_json_opt(j, "received", e->received);
	json_str_opt(j, "maker", e->maker);
	json_str_opt(j, "taker", e->taker);
	json_str_opt(j, "from", e->from);
	json_str_opt(j, "to", e->to);
	money_json(j, "price", e->price);
	money_json(j, "price_end", e->price_end);
	money_json(j, "price_net", e->price_net);
	i64_json_opt(j, "quantity", e->quantity);
	i64_json_opt(j, "starts", e->starts);
	i64_json_opt(j, "expires", e->expires);
	json_str_opt(j, "listing", e->listing);
	tribool_json(j, "private", e->is_private);
	json_raw_opt(j, "flags", e->flags);
	i64_json_opt(j, "epoch", e->epoch);
	json_end(j);
}
