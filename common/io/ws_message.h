#pragma once

/* Puts one message together from the pieces in which the library delivers it. */
#include <libwebsockets.h>

#include "common/base/buf.h"

struct ws_message {
	struct buf parts; /* empty while messages come whole: idle connections own no memory */
};

/* Conditions of the direct caller: the code to close with. */
enum { WS_MESSAGE_E_BINARY = 1003, WS_MESSAGE_E_LARGE = 1009, WS_MESSAGE_E_MEMORY = 1011 };

/*
 * From LWS_CALLBACK_(CLIENT_)RECEIVE. 0: @ret is the whole message (borrowed until ws_message_done)
 * or absent, more is to come; or a close code, as soon as the announced size is too much.
 */
int ws_message_add(struct ws_message *m, struct lws *wsi, const void *p, size_t n, size_t max,
	struct str *ret);
void ws_message_done(struct ws_message *m); /* also the destructor */
