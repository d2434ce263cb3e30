/*
 * Shapes of orders and payments. `quote`, `pay` and `signatures` stay JSON text: the quote is
 * checked by quote.c under its own closed table, the rest belongs to whoever executes the payment.
 */
#include "common/model/order.h"

#include "common/model/record_out.h"

#define SIGNATURE_MAX 2048 /* contract wallets (EIP-1271) sign with more than 65 bytes */

const char *const order_state_names[] = { "ACCEPTED", "RESERVED", "SENT", "MINED", "CONFIRMED",
	"FINAL", "HELD", "REJECTED", "REVERTED", "EXPIRED", "CANCELLED", NULL };

static const struct field order_fields[] = {
	{ "id", FIELD_ID, FIELD_REQUIRED, offsetof(struct order, id), 0, NULL },
	{ "client_id", FIELD_ID, FIELD_REQUIRED, offsetof(struct order, client_id), 0, NULL },
	{ "user", FIELD_USER, FIELD_REQUIRED, offsetof(struct order, user), 0, NULL },
	{ "session", FIELD_ID, FIELD_REQUIRED, offsetof(struct order, session), 0, NULL },
	{ "wallet", FIELD_WALLET, 0, offsetof(struct order, wallet), 0, NULL },
	{ "item", FIELD_ITEM, FIELD_REQUIRED, offsetof(struct order, item), 0, NULL },
	{ "offer", FIELD_ID, FIELD_REQUIRED, offsetof(struct order, offer), 0, NULL },
	{ "rev", FIELD_VERSION, FIELD_REQUIRED, offsetof(struct order, rev), 0, NULL },
	{ "price", FIELD_MONEY, FIELD_REQUIRED, offsetof(struct order, price), 0, NULL },
	{ "quote", FIELD_RAW, FIELD_REQUIRED, offsetof(struct order, quote), 0, NULL },
	{ "pay", FIELD_RAW, FIELD_REQUIRED, offsetof(struct order, pay), 1024, NULL },
	{ "signature", FIELD_STR, 0, offsetof(struct order, signature), SIGNATURE_MAX, NULL },
	{ "ts", FIELD_TIME, FIELD_REQUIRED, offsetof(struct order, ts), 0, NULL },
};

const struct record_type order_type = {
	.name = "order",
	.fields = order_fields,
	.n_fields = ARRAY_LEN(order_fields),
	.size = sizeof(struct order),
};

void order_json(struct json_out *j, const struct order *o)
{
	json_begin(j, NULL);
	json_str(j, "id", o->id);
	json_str(j, "client_id", o->client_id);
	json_str(j, "user", o->user);
	json_str(j, "session", o->session);
	json_str_opt(j, "wallet", o->wallet);
	json_str(j, "item", o->item);
	json_str(j, "offer", o->offer);
	version_json(j, "rev", o->rev);
	money_json(j, "price", o->price);
	json_raw(j, "quote", o->quote);
	json_raw(j, "pay", o->pay);
	json_str_opt(j, "signature", o->signature);
	json_i64(j, "ts", o->ts);
	json_end(j);
}

static const char *const supply_names[] = { "supply", NULL };

static const struct field supply_fields[] = {
	{ "type", FIELD_CONST, FIELD_REQUIRED, offsetof(struct supply_record, type), 0,
		supply_names },
	{ "item", FIELD_ITEM, FIELD_REQUIRED, offsetof(struct supply_record, item), 0, NULL },
	{ "ver", FIELD_VERSION, FIELD_REQUIRED, offsetof(struct supply_record, ver), 0, NULL },
	{ "supply", FIELD_COUNT, FIELD_REQUIRED, offsetof(struct supply_record, supply), 0, NULL },
};

const struct record_type supply_record_type = {
	.name = "supply",
	.fields = supply_fields,
	.n_fields = ARRAY_LEN(supply_fields),
	.size = sizeof(struct supply_record),
};

void supply_record_json(struct json_out *j, const struct supply_record *s)
{
	json_begin(j, NULL);
	json_strz(j, "type", "supply");
	json_str(j, "item", s->item);
	version_json(j, "ver", s->ver);
	json_i64(j, "supply", s->supply);
	json_end(j);
}

static const char *const request_names[] = { "request", NULL };

static const struct field request_fields[] = {
	{ "type", FIELD_CONST, FIELD_REQUIRED, offsetof(struct payment_request, type), 0,
		request_names },
	{ "order", FIELD_ID, FIELD_REQUIRED, offsetof(struct payment_request, order), 0, NULL },
	{ "item", FIELD_ITEM, FIELD_REQUIRED, offsetof(struct payment_request, item), 0, NULL },
	{ "buyer", FIELD_WALLET, 0, offsetof(struct payment_request, buyer), 0, NULL },
	{ "seller", FIELD_WALLET, 0, offsetof(struct payment_request, seller), 0, NULL },
	{ "price", FIELD_MONEY, FIELD_REQUIRED, offsetof(struct payment_request, price), 0, NULL },
	{ "quote", FIELD_STR, FIELD_REQUIRED | FIELD_NONEMPTY,
		offsetof(struct payment_request, quote), 128, NULL },
	{ "pay", FIELD_RAW, FIELD_REQUIRED, offsetof(struct payment_request, pay), 1024, NULL },
	{ "signatures", FIELD_RAW, FIELD_REQUIRED, offsetof(struct payment_request, signatures), 0,
		NULL },
	{ "ts", FIELD_TIME, FIELD_REQUIRED, offsetof(struct payment_request, ts), 0, NULL },
};

const struct record_type payment_request_type = {
	.name = "request",
	.fields = request_fields,
	.n_fields = ARRAY_LEN(request_fields),
	.size = sizeof(struct payment_request),
};

static struct str object_or_empty(struct str json)
{
	return str_is_set(json) ? json : STR("{}");
}

void payment_request_json(struct json_out *j, const struct payment_request *r)
{
	json_begin(j, NULL);
	json_strz(j, "type", "request");
	json_str(j, "order", r->order);
	json_str(j, "item", r->item);
	json_str_opt(j, "buyer", r->buyer);
	json_str_opt(j, "seller", r->seller);
	money_json(j, "price", r->price);
	json_str(j, "quote", r->quote);
	json_raw(j, "pay", object_or_empty(r->pay));
	json_raw(j, "signatures", object_or_empty(r->signatures));
	json_i64(j, "ts", r->ts);
	json_end(j);
}

static const char *const refusal_names[] = { "refusal", NULL };

static const struct field refusal_fields[] = {
	{ "type", FIELD_CONST, FIELD_REQUIRED, offsetof(struct refusal_record, type), 0,
		refusal_names },
	{ "order", FIELD_ID, FIELD_REQUIRED, offsetof(struct refusal_record, order), 0, NULL },
	{ "item", FIELD_ITEM, FIELD_REQUIRED, offsetof(struct refusal_record, item), 0, NULL },
	{ "reason", FIELD_ID, FIELD_REQUIRED, offsetof(struct refusal_record, reason), 64, NULL },
};

const struct record_type refusal_record_type = {
	.name = "refusal",
	.fields = refusal_fields,
	.n_fields = ARRAY_LEN(refusal_fields),
	.size = sizeof(struct refusal_record),
};

void refusal_record_json(struct json_out *j, const struct refusal_record *r)
{
	json_begin(j, NULL);
	json_strz(j, "type", "refusal");
	json_str(j, "order", r->order);
	json_str(j, "item", r->item);
	json_str(j, "reason", r->reason);
	json_end(j);
}

static const char *const release_names[] = { "release", NULL };

static const struct field release_fields[] = {
	{ "type", FIELD_CONST, FIELD_REQUIRED, offsetof(struct release_record, type), 0,
		release_names },
	{ "order", FIELD_ID, FIELD_REQUIRED, offsetof(struct release_record, order), 0, NULL },
	{ "item", FIELD_ITEM, FIELD_REQUIRED, offsetof(struct release_record, item), 0, NULL },
	{ "reason", FIELD_ID, FIELD_REQUIRED, offsetof(struct release_record, reason), 64, NULL },
};

const struct record_type release_record_type = {
	.name = "release",
	.fields = release_fields,
	.n_fields = ARRAY_LEN(release_fields),
	.size = sizeof(struct release_record),
};

void release_record_json(struct json_out *j, const struct release_record *r)
{
	json_begin(j, NULL);
	json_strz(j, "type", "release");
	json_str(j, "order", r->order);
	json_str(j, "item", r->item);
	json_str(j, "reason", r->reason);
	json_end(j);
}

static const struct field result_fields[] = {
	{ "order", FIELD_ID, FIELD_REQUIRED, offsetof(struct payment_result, order), 0, NULL },
	{ "client_id", FIELD_ID, FIELD_REQUIRED, offsetof(struct payment_result, client_id), 0,
		NULL },
	{ "n", FIELD_COUNT, FIELD_REQUIRED, offsetof(struct payment_result, n), 0, NULL },
	{ "user", FIELD_USER, FIELD_REQUIRED, offsetof(struct payment_result, user), 0, NULL },
	{ "item", FIELD_ITEM, FIELD_REQUIRED, offsetof(struct payment_result, item), 0, NULL },
	{ "state", FIELD_ENUM, FIELD_REQUIRED, offsetof(struct payment_result, state), 0,
		order_state_names },
	{ "reason", FIELD_ID, 0, offsetof(struct payment_result, reason), 64, NULL },
	{ "tx", FIELD_ID, 0, offsetof(struct payment_result, tx), 0, NULL },
	{ "block", FIELD_COUNT, 0, offsetof(struct payment_result, block), 0, NULL },
	{ "dry_run", FIELD_BOOL, 0, offsetof(struct payment_result, dry_run), 0, NULL },
	{ "ts", FIELD_TIME, FIELD_REQUIRED, offsetof(struct payment_result, ts), 0, NULL },
};

const struct record_type payment_result_type = {
	.name = "result",
	.fields = result_fields,
	.n_fields = ARRAY_LEN(result_fields),
	.size = sizeof(struct payment_result),
};

void payment_result_json(struct json_out *j, const struct payment_result *r)
{
	json_begin(j, NULL);
	json_str(j, "order", r->order);
	json_str(j, "client_id", r->client_id);
	json_i64(j, "n", r->n);
	json_str(j, "user", r->user);
	json_str(j, "item", r->item);
	json_strz(j, "state", order_state_names[r->state]);
	json_str_opt(j, "reason", r->reason);
	json_str_opt(j, "tx", r->tx);
	i64_json_opt(j, "block", r->block);
	tribool_json(j, "dry_run", r->dry_run);
	json_i64(j, "ts", r->ts);
	json_end(j);
}
