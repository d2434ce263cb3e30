#pragma once

/* A command that waits for its answer: an event or order that was given to the bus and has no
 * report yet, or a question to the cache. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/crypto.h"
#include "common/model/ids.h"
#include "ws-server/commands.h"
#include "ws-server/gateway.h"

#define CLIENT_ID_MAX 129 /* 128 visible ASCII and a NUL */

struct command_op {
	LIST_ENTRY(command_op) in_session;
	LIST_ENTRY(command_op) in_gateway;
	struct gateway *gateway;
	struct session *session; /* NULL: gone */
	int64_t command_id;
	int64_t received_us;
	struct id record;         /* the interest's or order's */
	char name[CLIENT_ID_MAX]; /* what the answer calls it */
	bool has_event;           /* interest: a client's id, a repetition can be known */
	uint64_t slot_term;       /* interest: the slot it will be answered at */
	bool is_order;
	uint8_t body[SHA256_BYTES]; /* order: what it asks for */
};

/* NULL: out of memory, or the gateway's bound on commands in flight. */
struct command_op *command_op_new(struct session *s, const struct command *c);
/* Its session, if it is there still, may now be done with a drain. */
void command_op_done(struct command_op *op);
/* It was never in flight. */
void command_op_free(struct command_op *op);
struct command_op *command_op_find(const struct command_ops *ops, int64_t command_id);
/* The session goes: answers that are still to come find nobody. */
void command_op_detach_all(struct session *s);
/* All of them go, as at the end. */
void command_op_free_all(struct gateway *g);
