/*
 * A small HTTP/1.1 server of our own: one request a connection, the answer kept whole in memory
 * until it is written (the metrics of a busy role are some hundred kilobytes). Not the library's:
 * its vhost is chosen by the Host header among all vhosts without a listener of theirs, so a
 * probe's Host could reach the sessions' vhost.
 */
#include "common/io/admin.h"

#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/io/http_head.h"
#include "common/io/listener.h"

#define ANSWER_MAX          (8 * 1024 * 1024)
#define CLIENTS_MAX         64 /* probes and scrapers; the oldest makes room */
#define EXCHANGE_TIMEOUT_MS 10000

struct exchange {
	TAILQ_ENTRY(exchange) link;
	struct admin *admin;
	int fd;
	ev_io watcher;
	struct loop_timer *timer;
	struct buf head, out;
	size_t written;
	bool is_answered; /* written; waiting for the client to hang up */
};

struct admin {
	struct loop *loop;
	struct listener *listener; /* NULL: none was wanted */
	const struct admin_ops *ops;
	void *ctx;
	TAILQ_HEAD(exchange_list, exchange) exchanges; /* oldest first */
	size_t n_exchanges;
	bool is_started;
};

static void exchange_free(struct exchange *x)
{
	struct admin *a = x->admin;

	ev_io_stop(loop_ev(a->loop), &x->watcher);
	loop_timer_free(x->timer);
	TAILQ_REMOVE(&a->exchanges, x, link);
	a->n_exchanges--;
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
	struct ev_loop *ev = loop_ev(x->admin->loop);

	ev_io_stop(ev, &x->watcher);
	ev_io_set(&x->watcher, x->fd, events);
	ev_io_start(ev, &x->watcher);
}

/* ---- the answers ---- */

static bool is_started(struct admin *a, struct buf *why)
{
	if (!a->is_started)
		a->is_started = a->ops->is_started ? a->ops->is_started(a->ctx, why)
						   : a->ops->is_ready(a->ctx, why);
	return a->is_started;
}

static int ok_or_causes(bool is_good, struct buf *body)
{
	if (!is_good)
		return 503;
	buf_clear(body);
	buf_puts(body, STR("ok\n"));
	return 200;
}

/* Fills @body and returns the HTTP status. */
static int answer(struct admin *a, const struct http_head *h, struct buf *body)
{
	bool is_metrics = str_eq(h->path, STR("/metrics")),
	     is_ready = str_eq(h->path, STR("/readyz")),
	     is_startup = str_eq(h->path, STR("/startupz")),
	     is_live = str_eq(h->path, STR("/livez"));

	if (!is_metrics && !is_ready && !is_startup && !is_live) {
		buf_puts(body, STR("not found\n"));
		return 404;
	}
	if (!str_eq(h->method, STR("GET")) && !str_eq(h->method, STR("HEAD"))) {
		buf_puts(body, STR("want GET\n"));
		return 405;
	}
	if (is_ready)
		return ok_or_causes(a->ops->is_ready(a->ctx, body), body);
	if (is_startup)
		return ok_or_causes(is_started(a, body), body);
	if (is_live)
		return ok_or_causes(true, body);
	a->ops->metrics(a->ctx, body);
	return 200;
}

static const char *title_of(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 431:
		return "Request Header Fields Too Large";
	case 503:
		return "Service Unavailable";
	default:
		return "Internal Server Error";
	}
}

static void reply(struct exchange *x, int status, const struct buf *body, bool is_head)
{
	x->out = BUF_INIT(ANSWER_MAX + 1024);
	buf_printf(&x->out,
		"HTTP/1.1 %d %s\r\nConnection: close\r\nCache-Control: no-store\r\n%s"
		"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: "
		"%zu\r\n\r\n",
		status, title_of(status), status == 405 ? "Allow: GET, HEAD\r\n" : "", body->n);
	if (!is_head)
		buf_put(&x->out, body->p, body->n);
}

/* ---- the connection ---- */

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
	CLEANUP(buf_fini) struct buf body = BUF_INIT(ANSWER_MAX);
	struct http_head head = { 0 };
	bool is_head = false;
	int status;

	if (length == 0) {
		status = 431;
	} else if (http_head_parse(&head, (struct str){ x->head.p, length }) || head.minor < 0) {
		status = 400;
	} else {
		status = answer(x->admin, &head, &body);
		is_head = str_eq(head.method, STR("HEAD"));
	}
	if (body.failed) {
		buf_clear(&body);
		status = 500;
	}
	reply(x, status, &body, is_head);
	if (x->out.failed)
		exchange_free(x);
	else
		write_out(x);
}

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
	struct admin *a = ctx;
	struct exchange *x = calloc(1, sizeof(*x));

	(void)from;
	if (a->n_exchanges == CLIENTS_MAX)
		exchange_free(TAILQ_FIRST(&a->exchanges));
	if (!x || !(x->timer = loop_timer_new(a->loop, on_timeout, x))) {
		free(x);
		close(fd);
		return;
	}
	x->admin = a;
	x->fd = fd;
	x->head = BUF_INIT(HTTP_HEAD_MAX);
	ev_init(&x->watcher, on_event);
	x->watcher.data = x;
	TAILQ_INSERT_TAIL(&a->exchanges, x, link);
	a->n_exchanges++;
	loop_timer_start(x->timer, EXCHANGE_TIMEOUT_MS);
	watch(x, EV_READ);
}

int admin_new(struct admin **ret, struct lws_host *host, const char *listen,
	const struct admin_ops *ops, void *ctx, struct fault *f)
{
	struct admin *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	a->loop = lws_host_loop(host);
	a->ops = ops;
	a->ctx = ctx;
	TAILQ_INIT(&a->exchanges);
	if (listen[0]) {
		r = listener_new(&a->listener, a->loop,
			&(struct listener_config){ .listen = listen }, on_connection, a, f);
		if (r) {
			free(a);
			return r;
		}
	}
	*ret = a;
	return 0;
}

struct admin *admin_free(struct admin *a)
{
	if (!a)
		return NULL;
	listener_free(a->listener);
	while (!TAILQ_EMPTY(&a->exchanges))
		exchange_free(TAILQ_FIRST(&a->exchanges));
	free(a);
	return NULL;
}

int admin_port(const struct admin *a)
{
	return a->listener ? listener_port(a->listener) : 0;
}
