#pragma once

/*
 * The states of an order, and which may follow which: contracts 2, "Orders and stock".
 *
 *	ACCEPTED -> RESERVED -> SENT -> MINED -> CONFIRMED -> FINAL
 *	MINED, CONFIRMED -> SENT on a reorg
 *	RESERVED, SENT, MINED, CONFIRMED -> HELD and back to any of them
 *	terminal, never left: REJECTED REVERTED EXPIRED CANCELLED FINAL
 *
 * What a record of the requests log or an outcome of the ledger does to an order that is told of in
 * results. One result for each state that is entered; n counts them from 1. A step forward over
 * states in between (SENT was lost, MINED comes) enters the last one only. REVERTED, EXPIRED and
 * CANCELLED free the unit: a release has to be in the log before they are entered. EXPIRED and
 * CANCELLED are not believed of a payment that was seen on the chain (MINED, CONFIRMED).
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"
#include "common/model/order.h"

enum order_verdict {
	ORDER_ENTER,         /* the state is entered: a result is due */
	ORDER_ENTER_RELEASE, /* first a release has to be in the log */
	ORDER_SAME,          /* already there, or behind: a repeat, nothing to tell */
	ORDER_NEVER,         /* not from here: counted, ignored */
};

/* What an outcome (or a log record: RESERVED, REJECTED) with @to means for an order in @from. */
enum order_verdict order_states_judge(enum order_state from, enum order_state to);
bool order_state_is_terminal(enum order_state s);
/* Of those that free the unit, the release's reason; NULL for others. And back; -1 if none. */
const char *order_state_release_reason(enum order_state s);
int order_state_of_release(struct str reason);
