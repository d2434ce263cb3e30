#pragma once

/* What the modules of this role share: one gateway, one thread. */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/model/topics.h"
#include "ws-server/auth.h"
#include "ws-server/gateway_metrics.h"
#include "ws-server/idempotency.h"
#include "ws-server/reply_slot.h"
#include "ws-server/sessions.h"
#include "ws-server/users.h"
#include "ws-server/ws_server_role.h"

#define RETRY_MIN_MS 500 /* what a client is told to wait, at least */

struct deliver;
struct market;
struct results;
struct watches;
struct command_op;
LIST_HEAD(command_ops, command_op);

struct gateway {
	struct gateway_env env;
	const struct gateway_config *config;
	struct gateway_metrics metrics;
	struct ws_server *server;
	struct auth *auth;
	struct sessions *sessions;
	struct users *users;
	struct idempotency *acked;        /* events */
	struct idempotency *acked_orders; /* and what each asked for */
	struct reply_slot *slot;
	struct deliver *deliver;
	struct results *results;
	struct market *market;
	struct watches *watches;
	struct command_ops ops; /* every command without its answer yet, of sessions gone too */
	int64_t n_ops;
	struct arena *arena; /* scratch of one command */
	struct buf out;      /* one message being written */
	struct buf frame;    /* the same with its seq */
	uint64_t random;

	bool is_draining;
	int64_t drain_until_us;
	struct loop_timer *drain_timer;
	void (*drained)(void *ctx);
	void *drained_ctx;
};

/* min_ms .. min_ms + spread_ms, evenly. */
int64_t gateway_random_ms(struct gateway *g, int64_t min_ms, int64_t spread_ms);
/* Can interest be taken now? Otherwise why not, for the client. */
bool gateway_can_publish(struct gateway *g, const char **ret_why);
/* The same of orders: they need no reply slot, but results that are read. */
bool gateway_can_order(struct gateway *g, const char **ret_why);
