#pragma once

/* What a session is told without having asked at that moment. */
#include <stdint.h>

#include "common/base/str.h"
#include "common/model/offer.h"
#include "common/model/order.h"
#include "ws-server/shown.h"

struct json_out;
struct market_item;
struct session;

/* Live, withdrawn or none. @json: the record as received. Unsent ones with the same @key are
 * replaced. @is_first: answers the event (later revisions answer the market, and the event's time
 * says nothing of them). */
void push_offer(struct session *s, const struct offer *o, struct str json,
	const struct shown_key *key, bool is_first);
/* Member `order`: where it stands, under the client's id. */
void push_put_order(struct json_out *j, const struct payment_result *r);
void push_order(struct session *s, const struct payment_result *r);
/* What is known of its market. An unsent one of the same item is replaced. */
void push_market(struct session *s, const struct market_item *i);
void push_ping(struct session *s);
void push_draining(struct session *s, int64_t retry_ms);
