#pragma once

/* An interest event that was given to the bus and has no report yet. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/model/ids.h"
#include "ws-server/gateway.h"

#define EVENT_ID_MAX 129 /* 128 visible ASCII and a NUL */

struct interest_op {
	LIST_ENTRY(interest_op) in_session;
	LIST_ENTRY(interest_op) in_gateway;
	struct gateway *gateway;
	struct session *session; /* NULL: gone */
	int64_t command_id;
	int64_t received_us;
	uint64_t slot_term; /* the slot it will be answered at */
	struct id interest;
	bool has_event;           /* a client's id: a repetition can be known */
	char event[EVENT_ID_MAX]; /* what the acknowledgement names */
};

/* NULL: out of memory, or the gateway's bound on events in flight. */
struct interest_op *interest_op_new(struct session *s);
void interest_op_free(struct interest_op *op);
struct interest_op *interest_op_find(const struct interest_ops *ops, int64_t command_id);
/* The session goes: reports that are still to come find nobody. */
void interest_ops_detach(struct session *s);
/* All of them go, as at the end. */
void interest_ops_free(struct gateway *g);
