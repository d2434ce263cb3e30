#pragma once

/*
 * A stand-in for OpenSea's stream: Phoenix channels, vsn 2 (array frames), as the 2026 server
 * speaks.
 *
 * Join and leave of `collection:<slug>` topics (others are refused "unmatched topic"), heartbeat
 * replies, close after 60 s of silence, 403 on a wrong token. Events are pushed to who has joined,
 * never replayed: best effort, as the real one. A reader that does not read is dropped (1011) when
 * STANDIN_BACKLOG_MAX bytes wait for it.
 */
#include "common/base/str.h"
#include "common/io/loop.h"
#include "common/io/ws_server.h"

#define STANDIN_CONNS_MAX   16
#define STANDIN_TOPICS_MAX  8
#define STANDIN_BACKLOG_MAX (4u << 20)

struct standin;

/* @joined is told when somebody joins a collection. Borrows @token (NULL: any is right). */
MUST_CHECK int standin_new(struct standin **ret, struct loop *loop, const char *token,
	void (*joined)(void *ctx, struct str slug), void *ctx);
struct standin *standin_free(struct standin *s);

extern const struct ws_server_ops standin_ops; /* ctx = the standin */
int standin_admit(void *ctx, const struct ws_conn_info *info);

/* @message: {"event_type":…,"payload":…} to everyone in collection:@slug (and collection:*).
 * Returns how many. */
unsigned standin_push(struct standin *s, const char *slug, const char *event, struct str message);
