#pragma once

/*
 * payments.ledger.v1: what the executor does and sees. Key: the signer's address, or "dry-run".
 *
 *	{"type":"outcome","shard":3,"epoch":77,"order":"…","item":"…","step":2,"state":"MINED",
 *	 "reason":"…"?,"tx":"0x…"?,"block":n?,"dry_run":true?,"ts":ms}
 *
 * `shard` is the partition of payments.requests.v1 that the request came from, `epoch` the owner
 * epoch of that shard in the ledger (docs/protocol/ownership.md): outcomes of a lower epoch behind
 * a later owner record are void. `step` counts the outcomes of an order from 1; a repeat has the
 * step of its first. States: SENT MINED CONFIRMED FINAL HELD REVERTED EXPIRED CANCELLED
 * (outcome_state_is(); the decoder takes the name of any order state). No user id is ever in it.
 */
#include <stdbool.h>

#include "common/base/json_out.h"
#include "common/model/decode.h"
#include "common/model/order.h"

struct outcome_record {
	struct str type;
	int64_t shard;
	int64_t epoch;
	struct str order, item;
	int64_t step;
	int state; /* enum order_state */
	struct str reason, tx;
	int64_t block; /* 0 = absent */
	int dry_run;   /* enum tribool */
	int64_t ts;
};
extern const struct record_type outcome_record_type;
void outcome_record_json(struct json_out *j, const struct outcome_record *o);

/* Whether an executor reports it. */
static inline bool outcome_state_is(int state)
{
	return state != ORDER_ACCEPTED && state != ORDER_RESERVED && state != ORDER_REJECTED;
}
/* Whether nothing follows it. */
static inline bool outcome_state_is_last(int state)
{
	return state == ORDER_FINAL || state == ORDER_REVERTED || state == ORDER_EXPIRED ||
	       state == ORDER_CANCELLED;
}
