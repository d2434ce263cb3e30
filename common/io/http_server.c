/*
 * Not the library's HTTP: libwebsockets picks a vhost by the Host header among all vhosts that have
 * no listener of their own, so a probe's Host could reach the sessions' vhost; and the strict head
 * parser and the listener are here anyway. No keep-alive: every client is next door, and a
 * connection that ends with its answer has no state that could go wrong.
 */
#include "common/io/http_server.h"

#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/io/listener.h"

#define HEADERS_MAX 4096 /* bytes of the caller's header lines */

struct exchange {
	TAILQ_ENTRY(exchange) link;
	struct http_server *server;
	int fd;
	ev_io watcher;
	struct loop_timer *timer;
	struct buf head, out;
	size_t written;
	bool is_answered; /* written; waiting for the client to hang up */
};

struct http_server {
	struct loop *loop;
	struct listener *listener;
	struct http_server_config config;
	char *headers;
	http_server_fn fn;
	void *ctx;
	TAILQ_HEAD(exchange_list, exchange) exchanges; /* oldest first */
	size_t n_exchanges;
	uint64_t evictions;
};

static void exchange_free(struct exchange *x)
{
	struct http_server *s = x->server;

	ev_io_stop(loop_ev(s->loop), &x->watcher);
	loop_timer_free(x->timer);
	TAILQ_REMOVE(&s->exchanges, x, link);
	s->n_exchanges--;
	close(x->fd);
	buf_fini(&x->head);
	buf_fini(&x->out);
	free(x);
}

static void on_timeout(void *ctx)
{
	exchange_free(ctx);
}

static void watch(struct exchange *x, int events)
{
	struct ev_loop *ev = loop_ev(x->server->loop);

	ev_io_stop(ev, &x->watcher);
	ev_io_set(&x->watcher, x->fd, events);
	ev_io_start(ev, &x->watcher);
}

/* ---- the answer ---- */

static const char *title_of(int status)
{
	static const struct {
		int status;
		const char *title;
	} titles[] = {
		{ 200, "OK" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 421, "Misdirected Request" },
		{ 431, "Request Header Fields Too Large" },
		{ 503, "Service Unavailable" },
	};

	for (size_t i = 0; i < ARRAY_LEN(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Internal Server Error";
}

static void reply(struct exchange *x, const struct http_answer *a, bool is_head)
{
	const struct http_server *s = x->server;

	x->out = BUF_INIT(s->config.body_max + 2 * HEADERS_MAX + 1024);
	buf_printf(&x->out, "HTTP/1.1 %d %s\r\nConnection: close\r\n%s%s", a->status,
		title_of(a->status), s->headers, a->status == 405 ? "Allow: GET, HEAD\r\n" : "");
	buf_puts(&x->out, buf_str(&a->head));
	if (a->status != 304)
		buf_printf(&x->out, "Content-Length: %zu\r\n", a->body.n);
	buf_puts(&x->out, STR("\r\n"));
	if (!is_head && a->status != 304)
		buf_puts(&x->out, buf_str(&a->body));
}

static void write_out(struct exchange *x)
{
	while (x->written < x->out.n) {
		ssize_t n = send(x->fd, x->out.p + x->written, x->out.n - x->written,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			watch(x, EV_WRITE);
			return;
		}
		if (n < 0) {
			exchange_free(x);
			return;
		}
		x->written += (size_t)n;
	}
	/* The client hangs up first: closing over unread bytes would reset the connection and the
	 * answer with it. */
	x->is_answered = true;
	shutdown(x->fd, SHUT_WR);
	watch(x, EV_READ);
}

static void handle(struct exchange *x, size_t length)
{
	struct http_server *s = x->server;
	struct http_answer a = {
		.status = 200, .head = BUF_INIT(HEADERS_MAX), .body = BUF_INIT(s->config.body_max)
	};
	struct http_head head = { 0 };
	bool is_head = false;

	if (length == 0) {
		a.status = 431;
	} else if (http_head_parse(&head, (struct str){ x->head.p, length }) || head.minor < 0) {
		a.status = 400;
	} else {
		is_head = str_eq(head.method, STR("HEAD"));
		s->fn(s->ctx, &head, &a);
	}
	if (a.body.failed || a.head.failed) {
		buf_clear(&a.body);
		buf_clear(&a.head);
		a.status = 500;
	}
	reply(x, &a, is_head);
	buf_fini(&a.head);
	buf_fini(&a.body);
	if (x->out.failed)
		exchange_free(x);
	else
		write_out(x);
}

/* ---- the connection ---- */

static void read_in(struct exchange *x)
{
	char chunk[4096];
	ssize_t n = recv(x->fd, chunk, sizeof(chunk), 0);
	size_t length, searched = x->head.n;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		exchange_free(x);
		return;
	}
	if (x->is_answered)
		return; /* whatever else it says */
	buf_put(&x->head, chunk, (size_t)n);
	length = http_head_length(x->head.p ? x->head.p : "", x->head.n, searched);
	if (length || x->head.failed)
		handle(x, length);
}

static void on_event(struct ev_loop *ev, ev_io *w, int revents)
{
	struct exchange *x = w->data;

	(void)ev;
	if (revents & EV_WRITE)
		write_out(x);
	else
		read_in(x);
}

static void on_connection(void *ctx, int fd, const struct sockaddr_storage *from)
{
	struct http_server *s = ctx;
	struct exchange *x = calloc(1, sizeof(*x));

	(void)from;
	if (s->n_exchanges == s->config.clients_max) {
		exchange_free(TAILQ_FIRST(&s->exchanges));
		s->evictions++;
	}
	if (!x || !(x->timer = loop_timer_new(s->loop, on_timeout, x))) {
		free(x);
		close(fd);
		return;
	}
	x->server = s;
	x->fd = fd;
	x->head = BUF_INIT(HTTP_HEAD_MAX);
	ev_init(&x->watcher, on_event);
	x->watcher.data = x;
	TAILQ_INSERT_TAIL(&s->exchanges, x, link);
	s->n_exchanges++;
	loop_timer_start(x->timer, s->config.timeout_ms);
	watch(x, EV_READ);
}

int http_server_new(struct http_server **ret, struct loop *loop,
	const struct http_server_config *config, http_server_fn fn, void *ctx, struct fault *f)
{
	CLEANUP(http_server_free) struct http_server *s = calloc(1, sizeof(*s));
	int r;

	assert(config->clients_max > 0 && strlen(config->headers) < HEADERS_MAX);
	if (!s)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	*s = (struct http_server){ .loop = loop, .config = *config, .fn = fn, .ctx = ctx };
	TAILQ_INIT(&s->exchanges);
	s->headers = strdup(config->headers);
	if (!s->headers)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	r = listener_new(&s->listener, loop, &(struct listener_config){ .listen = config->listen },
		on_connection, s, f);
	if (!r)
		*ret = TAKE(s);
	return r;
}

struct http_server *http_server_free(struct http_server *s)
{
	if (!s)
		return NULL;
	listener_free(s->listener);
	while (!TAILQ_EMPTY(&s->exchanges))
		exchange_free(TAILQ_FIRST(&s->exchanges));
	free(s->headers);
	free(s);
	return NULL;
}

int http_server_port(const struct http_server *s)
{
	return listener_port(s->listener);
}

uint64_t http_server_evictions(const struct http_server *s)
{
	return s->evictions;
}
