#pragma once

/* What a session is told without having asked at that moment. */
#include <stdint.h>

#include "common/base/str.h"
#include "common/model/offer.h"
#include "ws-server/shown.h"

struct session;

/* Live, withdrawn or none. @json: the record as received. Unsent ones with the same @key are
 * replaced. */
void push_offer(
	struct session *s, const struct offer *o, struct str json, const struct shown_key *key);
void push_ping(struct session *s);
void push_draining(struct session *s, int64_t retry_ms);
