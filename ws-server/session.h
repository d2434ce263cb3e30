#pragma once

/*
 * One client's session: a connection, who it is, and what it is owed.
 *
 * SESSION_NEW until `connect` succeeded, SESSION_OPEN, SESSION_CLOSING from the moment a close code
 * is decided: then nothing more is sent or read. Freed when the transport says closed().
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/io/ws_server.h"
#include "ws-server/auth.h"
#include "ws-server/gateway.h"
#include "ws-server/outbox.h"
#include "ws-server/sessions.h"
#include "ws-server/shown.h"
#include "ws-server/token_bucket.h"
#include "ws-server/watches.h"

#define SESSION_STRIKES      3
#define SESSION_IDLE_MORE_MS 10000 /* beyond ping_s */
#define SESSION_EPOCH_MAX    23
#define TRACEPARENT_LEN      55

enum session_state { SESSION_NEW, SESSION_OPEN, SESSION_CLOSING };

/* Contract 4. */
enum close_code {
	CLOSE_INTERNAL = 1011,
	CLOSE_INVALID_TOKEN = 4001,
	CLOSE_MISUSE = 4008,
	CLOSE_SLOW = 4108,
	CLOSE_DRAINING = 4112,
	CLOSE_EXPIRED = 4201,
};

struct session {
	struct gateway *gateway;
	struct ws_conn *conn;
	struct sessions_entry entry;
	char epoch[SESSION_EPOCH_MAX];
	char traceparent[TRACEPARENT_LEN + 1]; /* "" without one */
	enum session_state state;
	bool has_claims; /* of the upgrade's token while NEW */
	struct auth_claims claims;
	struct outbox outbox;
	size_t outbox_seen;  /* its share of the gauge */
	struct shown shown;  /* offers */
	struct shown states; /* orders: the rev is n */
	struct users_of users;
	struct watches_of watches;
	struct token_bucket events, orders, queries;
	struct command_ops ops;
	int64_t n_ops;
	unsigned n_strikes;
	struct loop_timer *timer;
	int64_t opened_us, heard_us, view_us;
	bool is_pinged; /* since it was last heard */
	int64_t drain_retry_ms;
};

/* The transport's callbacks. */
void *session_opened(void *gateway, struct ws_conn *c, const struct ws_conn_info *info);
void session_text(void *session, struct str message);
void session_heard(void *session);
void session_writable(void *session);
void session_closed(void *session, int code);

/* Frees a session whose transport is gone or going without callbacks. */
void session_free(struct session *s);

static inline struct str session_id(const struct session *s)
{
	return str_of(s->entry.id);
}

/* `connect` was good: OPEN from now on, as these claims say. */
void session_open(struct session *s, const struct auth_claims *claims);
/* A new token: its expiry counts from now on. */
void session_refresh(struct session *s, const struct auth_claims *claims);
/* Whether it may speak for @user. */
bool session_speaks_for(const struct session *s, struct str user);

/* Over the outbox's bound the session is closed. */
void session_send(struct session *s, const struct outbox_message *m);
/* Idempotent. @reason at most 123 bytes. */
void session_close(struct session *s, enum close_code code, struct str reason);
/* 4112 or 4108 with `retry_ms=`. */
void session_close_retry(struct session *s, enum close_code code, int64_t retry_ms);
/* What the client did breaks the protocol; the third time closes. */
void session_strike(struct session *s);
/* Tells it of the drain and closes it once its commands are answered. */
void session_drain(struct session *s);
/* A command was answered. */
void session_op_done(struct session *s);
/* sess:{id} in Redis -> slot and epoch. */
void session_publish_view(struct session *s);
