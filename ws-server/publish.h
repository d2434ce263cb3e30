#pragma once

/* An interest record and its headers, given to the bus. */
#include "common/base/cleanup.h"
#include "common/io/bus.h"
#include "common/model/interest.h"
#include "ws-server/gateway.h"

/*
 * Copies everything. @traceparent: of the connection, or "": a trace is begun. The reply slot must
 * be held. @sent comes later, once, if 0 is returned; else bus_send's errors.
 */
MUST_CHECK int publish_interest(struct gateway *g, const struct interest *i,
	const char *traceparent, bus_sent_fn sent, void *ctx);
