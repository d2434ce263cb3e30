/*
 * The library's notes go to our log under the group "lws". Its errors are mostly the peers' doing;
 * one of them is printed at every adopted connection and is none.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/base/log.h"
#include "common/io/lws_slot.h"

/* A handshake's headers: ours are below 600 bytes, a client's Authorization may take most of it. */
#define HEADER_BYTES 4096
/* Heads are handed over whole and leave at once; this bounds the outgoing handshakes. */
#define HEADERS_AT_ONCE 4096

/* 4 in every release, but named in the library's private headers only, which offer
 * lws_close_reason() instead (see lws_slot.h). */
#define WRITE_CLOSE ((enum lws_write_protocol)4)

struct lws_host {
	struct loop *loop;
	struct lws_context *context;
	struct lws_slot *slots;
	struct lws_slot *client_slots[2];
	unsigned n_slots;
	unsigned char *scratch;
	size_t scratch_n;
};

/* All zero: no validity pings, whose timers make a handshake cost O(connections). */
static const lws_retry_bo_t NO_VALIDITY_CHECKS;

static void on_log(int level, const char *line)
{
	size_t n = strcspn(line, "\n");

	if (strstr(line, "calling service"))
		return;
	if (level & LLL_ERR)
		log_write(LOG_LEVEL_WARN, "lws", "libwebsockets", "note=%s",
			log_quote((struct str){ line, n }));
	else
		log_debug("lws", "libwebsockets", "note=%s", log_quote((struct str){ line, n }));
}

int lws_host_new(struct lws_host **ret, struct loop *loop, struct fault *f)
{
	void *foreign[1] = { loop_ev(loop) };
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
			   LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
		.foreign_loops = foreign,
		.retry_and_idle_policy = &NO_VALIDITY_CHECKS,
		.max_http_header_data = HEADER_BYTES,
		.max_http_header_pool = HEADERS_AT_ONCE,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
	};
	struct lws_host *h = calloc(1, sizeof(*h));

	if (!h)
		return fault_set(f, FAULT_FATAL, -EIO, "out of memory");
	h->loop = loop;
	lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
	h->context = lws_create_context(&info);
	if (!h->context) {
		free(h);
		return fault_set(f, FAULT_FATAL, -EIO,
			"libwebsockets: no context (is the package libwebsockets-evlib-ev "
			"installed?)");
	}
	*ret = h;
	return 0;
}

struct lws_host *lws_host_free(struct lws_host *h)
{
	struct lws_slot *s;

	if (!h)
		return NULL;
	lws_context_destroy(h->context);
	while ((s = h->slots)) {
		h->slots = s->next;
		free(s->protocol);
		free(s);
	}
	free(h->scratch);
	free(h);
	return NULL;
}

struct lws_context *lws_host_context(struct lws_host *h)
{
	return h->context;
}

struct loop *lws_host_loop(struct lws_host *h)
{
	return h->loop;
}

struct lws_slot **lws_host_client_slots(struct lws_host *h)
{
	return h->client_slots;
}

static struct lws_vhost *create_vhost(
	struct lws_host *h, struct lws_slot *s, const struct lws_slot_config *config)
{
	/* Copied by the library, but for the texts. */
	const struct lws_protocols protocols[] = {
		{ .name = s->protocol,
			.callback = config->callback,
			.per_session_data_size = config->session_size,
			.rx_buffer_size = config->rx_buffer_size,
			.user = s,
			.tx_packet_size = config->tx_packet_size },
		{ 0 }
	};
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.vhost_name = s->name,
		.protocols = protocols,
		.retry_and_idle_policy = &NO_VALIDITY_CHECKS,
		.alpn = "http/1.1",
		.options = config->has_tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
	};

	/* The library would take a proxy for every client from there. */
	if (getenv("http_proxy"))
		info.http_proxy_address = "";
	return lws_create_vhost(h->context, &info);
}

int lws_host_slot(struct lws_slot **ret, struct lws_host *h, const struct lws_slot_config *config,
	void *owner, struct fault *f)
{
	struct lws_slot *s = calloc(1, sizeof(*s));

	if (!s || !(s->protocol = strdup(config->protocol))) {
		free(s);
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	}
	snprintf(s->name, sizeof(s->name), LWS_SLOT_NAME, ++h->n_slots);
	s->owner = owner;
	s->next = h->slots;
	h->slots = s;
	s->vhost = create_vhost(h, s, config);
	if (!s->vhost)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "libwebsockets: no vhost");
	*ret = s;
	return 0;
}

unsigned char *lws_host_scratch(struct lws_host *h, size_t n)
{
	if (h->scratch_n < n) {
		size_t cap = h->scratch_n ? h->scratch_n : 16384;
		unsigned char *p;

		while (cap < n)
			cap *= 2;
		p = realloc(h->scratch, LWS_PRE + cap);
		if (!p)
			return NULL;
		h->scratch = p;
		h->scratch_n = cap;
	}
	return h->scratch + LWS_PRE;
}

int lws_slot_send_close(struct lws *wsi, int code, struct str reason)
{
	unsigned char frame[LWS_PRE + 2 + 123], *p = frame + LWS_PRE;

	if (reason.n > 123)
		reason.n = 123;
	p[0] = (unsigned char)(code >> 8);
	p[1] = (unsigned char)code;
	if (reason.n)
		memcpy(p + 2, reason.p, reason.n);
	return lws_write(wsi, p, 2 + reason.n, WRITE_CLOSE) < 0 ? -EIO : 0;
}

int lws_slot_close_code(const void *payload, size_t n)
{
	const unsigned char *p = payload;

	return p && n >= 2 ? p[0] << 8 | p[1] : 1005;
}

bool lws_slot_is_lost(struct lws *wsi)
{
	struct pollfd p = { .fd = lws_get_socket_fd(wsi), .events = POLLRDHUP };

	return lws_get_close_length(wsi) > 0 || (poll(&p, 1, 0) == 1 && p.revents);
}

void lws_slot_hang_up(struct lws *wsi)
{
	lws_sockfd_type fd = lws_get_socket_fd(wsi);

	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
}
