#pragma once

/* An interest or order record and its headers, given to the bus. */
#include "common/base/cleanup.h"
#include "common/io/bus.h"
#include "common/model/interest.h"
#include "common/model/order.h"
#include "ws-server/gateway.h"

/*
 * Both copy everything. @traceparent: of the connection, or "": a trace is begun. @sent comes
 * later, once, if 0 is returned; else bus_send's errors. An interest needs the reply slot; an order
 * names it if it is held.
 */
MUST_CHECK int publish_interest(struct gateway *g, const struct interest *i,
	const char *traceparent, bus_sent_fn sent, void *ctx);
MUST_CHECK int publish_order(struct gateway *g, const struct order *o, const char *traceparent,
	bus_sent_fn sent, void *ctx);
