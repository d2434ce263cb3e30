#pragma once

/*
 * Commands: one JSON object each, with `type` and `id`. One table says what there is, one
 * handle_<type>.c does it.
 */
#include <stdint.h>

#include "common/base/str.h"

#define COMMAND_ID_MAX ((INT64_C(1) << 53) - 1)

struct session;

struct command {
	int64_t id;
	struct str json; /* the whole object: each handler decodes its own members from it */
	int64_t received_us;
};

/* One object from the client: decoded, judged, handled or answered with an error. */
void commands_run(struct session *s, struct str line);
void handle_connect(struct session *s, const struct command *c);
void handle_interest(struct session *s, const struct command *c);
void handle_order(struct session *s, const struct command *c);
void handle_order_status(struct session *s, const struct command *c);
void handle_pong(struct session *s, const struct command *c);
void handle_refresh(struct session *s, const struct command *c);
void handle_unwatch(struct session *s, const struct command *c);
void handle_watch(struct session *s, const struct command *c);
