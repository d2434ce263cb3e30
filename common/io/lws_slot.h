#pragma once

/*
 * What common/io's own files share about the one libwebsockets context.
 *
 * A slot is a vhost with one protocol, owned by the host. libwebsockets 4.1 never finishes
 * destroying a vhost that has connections, so a slot outlives its user: the user lets go of it
 * (owner = NULL), the callbacks see that, and the context takes all slots down at its end.
 */
#include <stdbool.h>

#include <libwebsockets.h>

#include "common/base/str.h"
#include "common/io/lws_host.h"

#define LWS_SLOT_NAME "souk-%08x" /* of one length: the library compares prefixes */

struct lws_slot {
	struct lws_slot *next;
	struct lws_vhost *vhost;
	void *owner; /* NULL: let go */
	char name[16];
	char *protocol;
};

struct lws_slot_config {
	lws_callback_function *callback;
	const char *protocol; /* the subprotocol for a server; copied */
	size_t session_size;
	size_t rx_buffer_size, tx_packet_size;
	bool has_tls; /* a client with the system's certificate authorities */
};

/* 0 or -ENOMEM with @f. Lives until the host is freed. */
MUST_CHECK int lws_host_slot(struct lws_slot **ret, struct lws_host *h,
	const struct lws_slot_config *config, void *owner, struct fault *f);
/* The clients' slots, made at first use: [0] plain, [1] TLS. */
struct lws_slot **lws_host_client_slots(struct lws_host *h);

/* By the protocol and not the vhost: a Host header can move a connection to another vhost. */
static inline struct lws_slot *lws_slot_of(struct lws *wsi)
{
	const struct lws_protocols *protocol = lws_get_protocol(wsi);

	return protocol ? protocol->user : NULL;
}

/* Shared room for one message to be sent, with LWS_PRE bytes in front of it; NULL when out of
 * memory. Valid for one lws_write. */
unsigned char *lws_host_scratch(struct lws_host *h, size_t n);

/* The library sees timeouts that were set outside its callbacks only when it is woken. */
static inline void lws_host_wake(struct lws_host *h)
{
	lws_cancel_service(lws_host_context(h));
}

/* A close frame of our own making: unlike lws_close_reason() + return -1 it works outside
 * callbacks, and no ping that comes meanwhile can overwrite it. Reason cut at 123 bytes. 0 or -EIO.
 */
MUST_CHECK int lws_slot_send_close(struct lws *wsi, int code, struct str reason);
/* Code of a close frame's payload; 1005 if there is none. */
int lws_slot_close_code(const void *payload, size_t n);

/*
 * Whether a connection that the library holds a remainder for is at its end: the peer has hung up,
 * or the library wants to close (its frame's code is then there, see lws_get_close_length). It
 * would flush first, and meanwhile spin on the readable socket for as long as the peer likes; its
 * own timeouts do not end that in time. To be asked every LWS_SLOT_WATCH_MS.
 */
#define LWS_SLOT_WATCH_MS 250
bool lws_slot_is_lost(struct lws *wsi);

/* Ends both directions, so that the library finds out at the next turn, whatever it is waiting for.
 */
void lws_slot_hang_up(struct lws *wsi);
