/*
 * All clients of a host share its two client vhosts (plain and TLS): a load generator opens
 * thousands. A client and its connection know each other by two pointers; whoever goes first clears
 * the other's.
 *
 * The library may fail a connection while it is being started. The caller is told from the loop,
 * never from inside its own ws_client_connect().
 *
 * Names are resolved by getaddrinfo(), which blocks the loop: give names of the local resolver or
 * of /etc/hosts where that matters.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "common/io/lws_slot.h"
#include "common/io/ws_client.h"
#include "common/io/ws_message.h"

#define CLOSE_TIMEOUT_MS 5000
#define RX_BUFFER_BYTES  4096
#define TX_PACKET_BYTES  65536

enum client_state {
	CLIENT_IDLE,
	CLIENT_CONNECTING,
	CLIENT_OPEN,
	CLIENT_CLOSING, /* our close frame is queued or sent */
	CLIENT_OVER,    /* closed() is due at the next turn */
};

struct message {
	STAILQ_ENTRY(message) link;
	size_t n;
	unsigned char frame[]; /* LWS_PRE bytes, then the text */
};

struct client {
	struct ws_client base;
	struct lws_host *host;
	const struct ws_client_ops *ops;
	void *ctx;
	enum client_state state;
	struct lws *wsi; /* NULL: none, or dead */
	struct loop_timer *timer;
	struct loop_timer *watch; /* runs while the library holds a remainder */
	char *authorization;      /* the header's value, or NULL */
	size_t message_max, queue_max, queued;
	STAILQ_HEAD(, message) queue;
	struct ws_message message;
	bool owes_close_frame;
	int code, http_status; /* for closed() */
	char why[96];
};

/* ---- the end of a connection ---- */

static void queue_clear(struct client *c)
{
	struct message *m;

	while ((m = STAILQ_FIRST(&c->queue))) {
		STAILQ_REMOVE_HEAD(&c->queue, link);
		free(m);
	}
	c->queued = 0;
}

/* Lets go of the connection; what becomes of it is the library's business. */
static void detach(struct client *c)
{
	struct lws *wsi = TAKE(c->wsi);

	queue_clear(c);
	ws_message_done(&c->message);
	free(c->authorization);
	c->authorization = NULL;
	c->owes_close_frame = false;
	if (!wsi)
		return;
	lws_set_opaque_user_data(wsi, NULL);
	lws_slot_hang_up(wsi);
	lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
	lws_host_wake(c->host);
}

static void set_why(struct client *c, int code, int http_status, const char *why)
{
	c->code = code;
	c->http_status = http_status;
	snprintf(c->why, sizeof(c->why), "%s", why);
}

/* closed(), after which the client may be gone. */
static void over(struct client *c)
{
	char why[sizeof(c->why)];

	memcpy(why, c->why, sizeof(why));
	detach(c);
	loop_timer_stop(c->watch);
	loop_timer_stop(c->timer);
	c->state = CLIENT_IDLE;
	c->ops->closed(c->ctx, c->code, c->http_status, why);
}

static void over_soon(struct client *c)
{
	c->state = CLIENT_OVER;
	loop_timer_start(c->timer, 0);
}

static void on_timer(void *ctx)
{
	struct client *c = ctx;

	if (c->state == CLIENT_CONNECTING)
		set_why(c, 1006, 0, "no answer in time");
	else if (c->code == 0)
		set_why(c, 1006, 0, "connection lost");
	over(c);
}

static void note_library_close(struct client *c)
{
	if (c->code == 0 && lws_get_close_length(c->wsi) >= 2)
		set_why(c, lws_slot_close_code(lws_get_close_payload(c->wsi), 2), 0,
			"protocol error");
}

static void on_watch(void *ctx)
{
	struct client *c = ctx;

	if (!c->wsi || !lws_partial_buffered(c->wsi))
		return;
	if (lws_slot_is_lost(c->wsi)) {
		note_library_close(c);
		if (c->code == 0)
			set_why(c, 1006, 0, "connection lost");
		over(c);
		return;
	}
	loop_timer_start(c->watch, LWS_SLOT_WATCH_MS);
}

static void watch_if_choked(struct client *c)
{
	if (lws_partial_buffered(c->wsi))
		loop_timer_start(c->watch, LWS_SLOT_WATCH_MS);
}

static void start_closing(struct client *c, int code, const char *why)
{
	set_why(c, code, 0, why);
	c->state = CLIENT_CLOSING;
	loop_timer_start(c->timer, CLOSE_TIMEOUT_MS);
	if (lws_partial_buffered(c->wsi) || !STAILQ_EMPTY(&c->queue)) {
		c->owes_close_frame = true;
		lws_callback_on_writable(c->wsi);
	} else if (lws_slot_send_close(c->wsi, code, STR_NONE)) {
		over_soon(c);
	}
}

/* ---- the library's events; each may end in free() by the role: nothing is touched after its
 * callback ---- */

static void on_receive(struct client *c, const void *p, size_t n)
{
	struct ws_message whole;
	struct str text;
	int code;

	if (c->state != CLIENT_OPEN)
		return;
	code = ws_message_add(&c->message, c->wsi, p, n, c->message_max, &text);
	if (code) {
		start_closing(c, code, code == 1009 ? "message too large" : "unwanted message");
		return;
	}
	if (!text.p)
		return;
	whole = c->message;
	c->message = (struct ws_message){ 0 };
	c->ops->text(c->ctx, text);
	ws_message_done(&whole);
}

static void on_writable(struct client *c)
{
	struct message *m;

	if (c->state == CLIENT_OVER)
		return;
	while (!lws_partial_buffered(c->wsi) && (m = STAILQ_FIRST(&c->queue))) {
		int r = lws_write(c->wsi, m->frame + LWS_PRE, m->n, LWS_WRITE_TEXT);

		STAILQ_REMOVE_HEAD(&c->queue, link);
		c->queued -= m->n;
		free(m);
		if (r < 0) {
			set_why(c, 1006, 0, "write failed");
			over_soon(c);
			return;
		}
	}
	watch_if_choked(c);
	if (!STAILQ_EMPTY(&c->queue) || lws_partial_buffered(c->wsi)) {
		lws_callback_on_writable(c->wsi);
	} else if (c->owes_close_frame) {
		c->owes_close_frame = false;
		if (lws_slot_send_close(c->wsi, c->code, STR_NONE))
			over_soon(c);
	}
}

static void on_connection_error(struct client *c, struct lws *wsi, const char *why, size_t n)
{
	int status = (int)lws_http_client_http_response(wsi);
	char text[64];

	if (status == 101)
		status = 0; /* upgraded, but wrongly */
	snprintf(text, sizeof(text), "%.*s", why ? (int)n : 12, why ? why : "no connection");
	set_why(c, 1006, status, status ? "upgrade refused" : text);
	lws_set_opaque_user_data(wsi, NULL); /* we may be gone before it is */
	c->wsi = NULL;
	over_soon(c);
}

static int on_append_header(struct client *c, struct lws *wsi, unsigned char **p, size_t n)
{
	return c->authorization && lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_AUTHORIZATION,
					   (const unsigned char *)c->authorization,
					   (int)strlen(c->authorization), p, *p + n)
		       ? -1
		       : 0;
}

/* The library begins to close by itself (see on_drop of ws_server_lws.c). */
static void on_drop(struct client *c)
{
	if (c->state != CLIENT_OPEN || !c->wsi)
		return;
	note_library_close(c);
	c->state = CLIENT_CLOSING;
	loop_timer_start(c->timer, CLOSE_TIMEOUT_MS);
}

static void on_closed(struct client *c)
{
	c->wsi = NULL;
	if (c->state == CLIENT_OVER)
		return;
	if (c->code == 0)
		set_why(c, 1006, 0, "connection lost");
	over(c);
}

static void on_established(struct client *c, struct lws *wsi)
{
	c->wsi = wsi;
	if (c->state != CLIENT_CONNECTING)
		return; /* closed meanwhile; the timer lets go of it */
	c->state = CLIENT_OPEN;
	loop_timer_stop(c->timer);
	c->ops->opened(c->ctx);
}

static int on_peer_close(struct client *c, const void *p, size_t n)
{
	if (c->state == CLIENT_CLOSING && !c->owes_close_frame)
		return -1; /* the answer to ours */
	if (c->state == CLIENT_OPEN)
		set_why(c, lws_slot_close_code(p, n), 0, "closed by the server");
	c->state = CLIENT_CLOSING;
	queue_clear(c);
	c->owes_close_frame = false; /* the library answers */
	loop_timer_start(c->timer, CLOSE_TIMEOUT_MS);
	return 0;
}

static int on_event(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t n)
{
	struct client *c = NULL;

	(void)user;
	switch (reason) {
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
	case LWS_CALLBACK_CLIENT_RECEIVE:
	case LWS_CALLBACK_CLIENT_WRITEABLE:
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
	case LWS_CALLBACK_WS_CLIENT_DROP_PROTOCOL:
	case LWS_CALLBACK_CLIENT_CLOSED:
		c = lws_get_opaque_user_data(wsi);
		break;
	default:
		break;
	}
	/* None: an event of another kind, or a connection that was let go. */
	if (!c)
		return reason == LWS_CALLBACK_CLIENT_RECEIVE ? -1 : 0;
	switch (reason) {
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		on_connection_error(c, wsi, in, n);
		return 0;
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
		return on_append_header(c, wsi, in, n);
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		on_established(c, wsi);
		return 0;
	case LWS_CALLBACK_CLIENT_RECEIVE:
		on_receive(c, in, n);
		return 0;
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		on_writable(c);
		return 0;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		return on_peer_close(c, in, n);
	case LWS_CALLBACK_WS_CLIENT_DROP_PROTOCOL:
		on_drop(c);
		return 0;
	default:
		on_closed(c);
		return 0;
	}
}

/* ---- the seam ---- */

static int slot_get(struct lws_slot **ret, struct lws_host *h, bool has_tls, struct fault *f)
{
	struct lws_slot **slot = &lws_host_client_slots(h)[has_tls ? 1 : 0];
	int r = 0;

	if (!*slot)
		r = lws_host_slot(slot, h,
			&(struct lws_slot_config){ .callback = on_event,
				.protocol = "souk-client",
				.rx_buffer_size = RX_BUFFER_BYTES,
				.tx_packet_size = TX_PACKET_BYTES,
				.has_tls = has_tls },
			h, f);
	*ret = *slot;
	return r;
}

struct target {
	char host[256], host_header[272], path[2048];
	bool has_tls;
	int port;
};

/* ws[s]://host[:port][/path][?query]; [::1] for an IPv6 address. */
static int url_parse(struct target *t, const char *url)
{
	struct str rest = str_of(url), host;
	const char *end, *colon;
	uint64_t port;

	t->has_tls = str_starts(rest, STR("wss://"));
	if (!t->has_tls && !str_starts(rest, STR("ws://")))
		return -EINVAL;
	rest.p += t->has_tls ? 6 : 5;
	end = rest.p + strcspn(rest.p, "/?#");
	host = (struct str){ rest.p, (size_t)(end - rest.p) };
	port = t->has_tls ? 443 : 80;
	colon = memrchr(host.p, ':', host.n);
	if (colon && !memchr(colon, ']', (size_t)(end - colon))) {
		if (str_to_u64((struct str){ colon + 1, (size_t)(end - colon - 1) }, &port) ||
			port == 0 || port > UINT16_MAX)
			return -EINVAL;
		host.n = (size_t)(colon - host.p);
	}
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = (struct str){ host.p + 1, host.n - 2 };
	t->port = (int)port;
	if (end - rest.p >= (ptrdiff_t)sizeof(t->host_header))
		return -EINVAL;
	snprintf(t->host_header, sizeof(t->host_header), "%.*s", (int)(end - rest.p), rest.p);
	if (!str_is_visible_ascii(host, sizeof(t->host) - 1) ||
		str_copy(t->host, sizeof(t->host), host))
		return -EINVAL;
	if (*end && !str_is_visible_ascii(str_of(end), sizeof(t->path) - 2))
		return -EINVAL;
	snprintf(t->path, sizeof(t->path), "%s%s", *end == '/' ? "" : "/", end);
	t->path[strcspn(t->path, "#")] = '\0';
	return 0;
}

static int authorization_set(struct client *c, const char *bearer)
{
	free(c->authorization);
	c->authorization = NULL;
	if (!bearer)
		return 0;
	if (!str_is_visible_ascii(str_of(bearer), 3000))
		return -EINVAL;
	return asprintf(&c->authorization, "Bearer %s", bearer) < 0 ? -ENOMEM : 0;
}

static void start(struct client *c, const struct ws_client_config *config, const struct target *t,
	struct lws_slot *slot)
{
	struct lws *wsi = NULL;
	struct lws_client_connect_info info = {
		.context = lws_host_context(c->host),
		.vhost = slot->vhost,
		.address = t->host,
		.host = t->host_header,
		.port = t->port,
		.path = t->path,
		.protocol = config->subprotocol,
		.local_protocol_name = slot->protocol,
		.ssl_connection =
			(t->has_tls ? LCCSCF_USE_SSL : 0) | LCCSCF_HTTP_NO_FOLLOW_REDIRECT,
		.ietf_version_or_minus_one = -1,
		.opaque_user_data = c,
		.pwsi = &wsi,
	};

	lws_client_connect_via_info(&info);
	/* It may have failed, and even have been told so, already. */
	if (c->state != CLIENT_CONNECTING)
		return;
	c->wsi = wsi;
	if (!wsi) {
		set_why(c, 1006, 0, "no connection");
		over_soon(c);
	}
}

static int client_connect(
	struct ws_client *client, const struct ws_client_config *config, struct fault *f)
{
	struct client *c = (struct client *)client;
	struct lws_slot *slot;
	struct target t;
	int r;

	if (!config->url || url_parse(&t, config->url))
		return fault_set(f, FAULT_FATAL, -EINVAL, "%s: want ws[s]://host[:port]/path",
			config->url ? config->url : "(no URL)");
	if (c->state != CLIENT_IDLE)
		return -EALREADY;
	r = authorization_set(c, config->bearer);
	if (r)
		return fault_set(
			f, FAULT_FATAL, r, "bearer token: want 1 to 3,000 visible characters");
	r = slot_get(&slot, c->host, t.has_tls, f);
	if (r)
		return r;
	c->message_max = config->message_max;
	c->queue_max = config->queue_max;
	set_why(c, 0, 0, "");
	c->state = CLIENT_CONNECTING;
	loop_timer_start(c->timer, config->connect_timeout_ms);
	start(c, config, &t, slot);
	return 0;
}

static int client_send(struct ws_client *client, struct str text)
{
	struct client *c = (struct client *)client;
	struct message *m;

	if (c->state != CLIENT_OPEN)
		return -ENOTCONN;
	if (STAILQ_EMPTY(&c->queue) && !lws_partial_buffered(c->wsi) && text.n <= c->queue_max) {
		unsigned char *room = lws_host_scratch(c->host, text.n);

		if (!room)
			return -ENOBUFS;
		if (text.n)
			memcpy(room, text.p, text.n);
		if (lws_write(c->wsi, room, text.n, LWS_WRITE_TEXT) >= 0) {
			watch_if_choked(c);
			return 0;
		}
		set_why(c, 1006, 0, "write failed");
		over_soon(c);
		return -ENOTCONN;
	}
	if (text.n > c->queue_max - c->queued)
		return -ENOBUFS;
	m = malloc(sizeof(*m) + LWS_PRE + text.n);
	if (!m)
		return -ENOBUFS;
	m->n = text.n;
	if (text.n)
		memcpy(m->frame + LWS_PRE, text.p, text.n);
	STAILQ_INSERT_TAIL(&c->queue, m, link);
	c->queued += text.n;
	lws_callback_on_writable(c->wsi);
	return 0;
}

static void client_close(struct ws_client *client, int code)
{
	struct client *c = (struct client *)client;

	if (c->state == CLIENT_OPEN) {
		start_closing(c, code, "closed by us");
	} else if (c->state == CLIENT_CONNECTING) {
		set_why(c, code, 0, "closed by us");
		over_soon(c);
	}
}

static void client_free(struct ws_client *client)
{
	struct client *c = (struct client *)client;

	detach(c);
	loop_timer_free(c->timer);
	loop_timer_free(c->watch);
	free(c);
}

static const struct ws_client_impl LWS_IMPL = {
	.connect = client_connect,
	.send = client_send,
	.close = client_close,
	.free = client_free,
};

int ws_client_lws_new(
	struct ws_client **ret, struct lws_host *host, const struct ws_client_ops *ops, void *ctx)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->base.impl = &LWS_IMPL;
	c->host = host;
	c->ops = ops;
	c->ctx = ctx;
	STAILQ_INIT(&c->queue);
	c->timer = loop_timer_new(lws_host_loop(host), on_timer, c);
	c->watch = loop_timer_new(lws_host_loop(host), on_watch, c);
	if (!c->timer || !c->watch) {
		client_free(&c->base);
		return -ENOMEM;
	}
	*ret = &c->base;
	return 0;
}
