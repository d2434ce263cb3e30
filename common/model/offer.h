#pragma once

/* nft.offers.v1: what the shopper is told. nft.decisions.v1: owner and decision records. Shapes:
 * docs/protocol/. */
#include "common/base/json_out.h"
#include "common/model/decode.h"
#include "common/model/money.h"
#include "common/model/quote.h"
#include "common/model/version.h"

enum offer_state { OFFER_LIVE, OFFER_WITHDRAWN, OFFER_NONE };
extern const char *const offer_state_names[];

enum decision_outcome { OUTCOME_OFFER, OUTCOME_NO_OFFER, OUTCOME_EXPIRED, OUTCOME_WITHDRAWN };
extern const char *const decision_outcome_names[];

enum decision_cause {
	CAUSE_INTEREST,
	CAUSE_TAKEOVER,
	CAUSE_MARKET,
	CAUSE_STOCK,
	CAUSE_PROFILE,
	CAUSE_RULES,
	CAUSE_PAUSE
};
extern const char *const decision_cause_names[];

/* Closed list; extended here and in docs/protocol. REASON_NONE = "" = absent. */
enum reason {
	REASON_NONE,
	REASON_SOLD_OUT,
	REASON_NO_LISTING,
	REASON_NOT_FOR_SALE,
	REASON_STALE_PROFILE,
	REASON_STALE_LOYALTY,
	REASON_STALE_INVENTORY,
	REASON_STALE_MARKET,
	REASON_GUARD_CONFLICT,
	REASON_SUPPRESSED,
	REASON_CIRCUIT_OPEN,
	REASON_PAUSED,
	REASON_QUOTE_LIMIT,
	REASON_BAD_EVENT,
	REASON_EXPIRED,
	REASON_RULE_CHANGE,
};
extern const char *const reason_names[]; /* "", "SOLD_OUT", …, NULL */

/* As read by a gateway: what it routes by, and the raw object it pushes. */
struct offer {
	struct str id;
	struct version rev;
	int state; /* enum offer_state */
	struct str interest;
	struct str client_id;
	int64_t ts;
	struct str user;
	struct str session;
	struct str item;
	struct money list;
	struct money price;
	int64_t issued;
	int64_t expires;
	int64_t ttl_ms;
	struct str reasons; /* array [{"rule","text","bps"}] as JSON */
	struct str perks;   /* array [{"id","text"}] as JSON */
	int personalised;   /* enum tribool */
	struct str disclosure;
	int reason;              /* enum reason */
	struct str alternatives; /* array of items as JSON */
	struct str quote;        /* object as JSON */
};
extern const struct record_type offer_type;
void offer_json(struct json_out *j, const char *key, const struct offer *o);

struct owner_record {
	struct str type;
	int64_t shard;
	struct str instance;
	int64_t ts;
};
extern const struct record_type owner_record_type;
void owner_record_json(struct json_out *j, const struct owner_record *r);
/* Whose owner record of @shard @value is: the instance, copied into @ret; STR_NONE if it is none,
 * or
 * @cap is too small. Resets @scratch. */
struct str owner_record_instance(
	char *ret, size_t cap, struct str value, int64_t shard, struct arena *scratch);

struct decision {
	struct str type; /* set by decode(), written by decision_json() whatever it holds */
	struct str interest;
	struct str offer;
	struct version rev;
	int cause;
	int outcome;
	int reason;
	struct str user;
	struct str session;
	struct str item;
	int64_t ts;
	struct money price;
	struct str ruleset;   /* "sha256:…" */
	struct str waterfall; /* array as JSON */
	struct str inputs;    /* object as JSON; closed schema of pricing, see pricing/inputs.h */
	int64_t latency_us;
};
extern const struct record_type decision_type;
/* Everything but latency_us is a pure function of inputs and ruleset; @with_latency false leaves it
 * out (for comparison). */
void decision_json(struct json_out *j, const struct decision *d, bool with_latency);
