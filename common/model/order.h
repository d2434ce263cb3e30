#pragma once

/* orders.v1, payments.requests.v1 and payments.results.v1: shapes only; the fold that gives them
 * meaning belongs to wallet-bridge. */
#include "common/base/json_out.h"
#include "common/model/decode.h"
#include "common/model/money.h"
#include "common/model/quote.h"
#include "common/model/version.h"

struct order {
	struct str id, client_id, user, session, wallet, item, offer;
	struct version rev;
	struct money price;
	struct str quote; /* object as JSON */
	struct str pay;   /* object as JSON */
	struct str signature;
	int64_t ts;
};
extern const struct record_type order_type;
void order_json(struct json_out *j, const struct order *o);

struct supply_record {
	struct str type, item;
	struct version ver;
	int64_t supply;
};
extern const struct record_type supply_record_type;
void supply_record_json(struct json_out *j, const struct supply_record *s);

struct payment_request {
	struct str type, order, item, buyer, seller;
	struct money price;
	struct str quote;           /* "sha256:…" */
	struct str pay, signatures; /* objects as JSON */
	int64_t ts;
};
extern const struct record_type payment_request_type;
void payment_request_json(struct json_out *j, const struct payment_request *r);

struct refusal_record {
	struct str type, order, item, reason;
};
extern const struct record_type refusal_record_type;
void refusal_record_json(struct json_out *j, const struct refusal_record *r);

struct release_record {
	struct str type, order, item, reason;
};
extern const struct record_type release_record_type;
void release_record_json(struct json_out *j, const struct release_record *r);

enum order_state {
	ORDER_ACCEPTED,
	ORDER_RESERVED,
	ORDER_SENT,
	ORDER_MINED,
	ORDER_CONFIRMED,
	ORDER_FINAL,
	ORDER_HELD,
	ORDER_REJECTED,
	ORDER_REVERTED,
	ORDER_EXPIRED,
	ORDER_CANCELLED
};
extern const char *const order_state_names[];

struct payment_result {
	struct str order, client_id;
	int64_t n;
	struct str user, item;
	int state; /* enum order_state */
	struct str reason, tx;
	int64_t block;
	int dry_run; /* enum tribool */
	int64_t ts;
};
extern const struct record_type payment_result_type;
void payment_result_json(struct json_out *j, const struct payment_result *r);
