#pragma once

/*
 * A WebSocket client made of a plain socket: it can send what a library would not (bad frames, bad
 * heads, half of a message), stop reading, and vanish. For tests on a real loop: ws_raw_peer_pump()
 * reads what has come.
 */
#include <stdbool.h>

#include "common/base/str.h"

struct ws_raw_peer;

#define WS_RAW_HEAD \
	"GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" \
	"Sec-WebSocket-Protocol: souk.v1.json\r\n\r\n"

/* Connects to 127.0.0.1 and sends @head (NULL: nothing). Asserts that it can. */
struct ws_raw_peer *ws_raw_peer_connect(int port, const char *head);
struct ws_raw_peer *ws_raw_peer_free(struct ws_raw_peer *p);

void ws_raw_peer_write(struct ws_raw_peer *p, struct str bytes);
/* One masked frame; @first is its first byte (0x81: a final text frame). */
void ws_raw_peer_frame(struct ws_raw_peer *p, int first, struct str payload);
void ws_raw_peer_close(struct ws_raw_peer *p, int code); /* 0: without a code */
void ws_raw_peer_cut(struct ws_raw_peer *p);             /* a reset, as when a machine is gone */
void ws_raw_peer_half_close(struct ws_raw_peer *p); /* says nothing more, without a close frame */
void ws_raw_peer_choke(struct ws_raw_peer *p, bool choked);
void ws_raw_peer_pump(struct ws_raw_peer *p);

const char *ws_raw_peer_answer(
	const struct ws_raw_peer *p);                /* the HTTP answer as far as it is here */
int ws_raw_peer_status(const struct ws_raw_peer *p); /* 0: no whole head yet */
const char *ws_raw_peer_next(
	struct ws_raw_peer *p); /* next message; borrowed until the next call */
unsigned ws_raw_peer_pongs(const struct ws_raw_peer *p);
int ws_raw_peer_code(
	const struct ws_raw_peer *p); /* 0 = open; 1006 = the end came without a close frame */
const char *ws_raw_peer_reason(const struct ws_raw_peer *p);
bool ws_raw_peer_is_ended(const struct ws_raw_peer *p); /* the server has closed the socket */
