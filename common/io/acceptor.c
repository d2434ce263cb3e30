/*
 * Most heads are whole when we first look, and then nothing is allocated but the small `pending`
 * itself. A head that comes in pieces is kept in memory of its own size and has one deadline for
 * all of it, so a client that sends a byte a second gets no further than one that sends nothing.
 *
 * The socket is peeked at before it is read, to take the head and not a byte more: the library
 * reads what follows from the socket itself.
 *
 * A refused client is given a moment to read the answer: closing a socket with unread bytes resets
 * it and takes the answer back.
 */
#include "common/io/acceptor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ev.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "common/io/acceptor_judge.h"
#include "common/io/listener.h"

#define HEADS_MAX_DEFAULT 1024
#define HEAD_TIMEOUT_MS   5000
#define LINGER_MS         1000
#define LINGER_BYTES_MAX  65536

static const struct metric_def HANDSHAKES = { "souk_edge_handshakes_total", METRIC_COUNTER,
	"WebSocket handshakes by what became of them.", "result" };
static const struct metric_def EXHAUSTIONS = { "souk_edge_accept_pauses_total", METRIC_COUNTER,
	"Times that accepting stopped for want of descriptors or memory.", NULL };

struct pending {
	TAILQ_ENTRY(pending) link;
	struct acceptor *acceptor;
	int fd;
	ev_io watcher;
	struct loop_timer *timer;
	struct sockaddr_storage from;
	char *head; /* what has come of it, or NULL */
	size_t head_n;
	bool is_refused;
	size_t lingered; /* bytes read and dropped since */
};

struct acceptor {
	struct loop *loop;
	const struct acceptor_ops *ops;
	void *ctx;
	struct acceptor_config config;
	struct metrics *metrics;
	struct listener *listener;
	struct address_count *addresses;
	TAILQ_HEAD(pending_list, pending) pending; /* oldest first */
	size_t n_pending, n_conns;
	bool is_paused;
	uint64_t exhaustions; /* already counted */
};

static void count(struct acceptor *a, const char *result)
{
	counter_add(metrics_counter(a->metrics, &HANDSHAKES, result), 1);
}

/* The socket stays open if @fd was taken out. */
static void pending_free(struct pending *p)
{
	struct acceptor *a = p->acceptor;

	ev_io_stop(loop_ev(a->loop), &p->watcher);
	loop_timer_free(p->timer);
	TAILQ_REMOVE(&a->pending, p, link);
	a->n_pending--;
	if (p->fd >= 0)
		close(p->fd);
	free(p->head);
	free(p);
}

static void pending_drop(struct pending *p, const char *result)
{
	if (!p->is_refused)
		count(p->acceptor, result);
	pending_free(p);
}

static void on_timeout(void *ctx)
{
	pending_drop(ctx, "timeout");
}

static void linger(struct pending *p)
{
	char dropped[4096];
	ssize_t n;

	while ((n = recv(p->fd, dropped, sizeof(dropped), 0)) > 0) {
		p->lingered += (size_t)n;
		if (p->lingered > LINGER_BYTES_MAX)
			break;
	}
	if (n >= 0 || (errno != EAGAIN && errno != EINTR))
		pending_free(p);
}

static void refuse(struct pending *p, const struct verdict *v)
{
	char answer[1024];
	size_t n = acceptor_answer(answer, sizeof(answer), v);

	count(p->acceptor, v->result);
	p->is_refused = true;
	/* Into an empty send buffer: whole or not at all. */
	if (send(p->fd, answer, n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)n) {
		pending_free(p);
		return;
	}
	shutdown(p->fd, SHUT_WR);
	loop_timer_start(p->timer, LINGER_MS);
	linger(p);
}

static void print_remote(char *ret, size_t cap, const struct sockaddr_storage *from)
{
	char host[INET6_ADDRSTRLEN] = "";

	if (from->ss_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
		bool is_v4 = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);

		inet_ntop(is_v4 ? AF_INET : AF_INET6,
			is_v4 ? (const void *)&v6->sin6_addr.s6_addr[12]
			      : (const void *)&v6->sin6_addr,
			host, sizeof(host));
		snprintf(ret, cap, is_v4 ? "%s:%u" : "[%s]:%u", host, ntohs(v6->sin6_port));
	} else {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;

		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
		snprintf(ret, cap, "%s:%u", host, ntohs(v4->sin_port));
	}
}

static struct verdict judge_limits(const struct acceptor *a, const struct acceptor_request *r)
{
	const struct acceptor_config *c = &a->config;
	int status;

	if (c->conns_per_address &&
		address_count_get(a->addresses, r->address) >= c->conns_per_address)
		return (struct verdict){ 429, "per_address",
			"too many connections of this address" };
	if (a->is_paused)
		return (struct verdict){ 503, "paused", "this server takes no new connections" };
	if (a->n_conns >= c->conns_max)
		return (struct verdict){ 503, "full", "this server is full" };
	status = a->ops->admit ? a->ops->admit(a->ctx, &r->info) : 0;
	if (status)
		return (struct verdict){ status, "refused", "refused" };
	return VERDICT_GOOD;
}

static void hand_over(struct pending *p, struct acceptor_request *r)
{
	struct acceptor *a = p->acceptor;

	if (address_count_add(a->addresses, r->address)) {
		pending_drop(p, "failed");
		return;
	}
	a->n_conns++;
	r->fd = p->fd;
	p->fd = -1;
	/* Before the call: it may pause us, and a pause takes in what is queued. */
	pending_free(p);
	if (a->ops->accepted(a->ctx, r)) {
		count(a, "ok");
	} else {
		count(a, "failed");
		acceptor_release(a, r->address);
	}
}

static void judge(struct pending *p, struct str text)
{
	struct acceptor *a = p->acceptor;
	struct http_head head;
	struct acceptor_request r = { .fd = -1, .address = address_of(&p->from) };
	char remote[INET6_ADDRSTRLEN + 10];
	struct verdict v = acceptor_judge(
		&head, http_head_parse(&head, text), a->config.path, a->config.subprotocol);

	if (v.status == 0) {
		print_remote(remote, sizeof(remote), &p->from);
		r.info.remote = str_of(remote);
		r.info.query = head.query;
		r.info.traceparent = acceptor_traceparent(&head);
		http_head_get(&head, "authorization", &r.info.authorization);
		http_head_get(&head, "origin", &r.info.origin);
		http_head_get(&head, "sec-websocket-key", &r.key);
		v = judge_limits(a, &r);
	}
	if (v.status)
		refuse(p, &v);
	else
		hand_over(p, &r);
}

/* All that was peeked at is part of the head: take it and wait for the rest. */
static void keep(struct pending *p, char *text, size_t n)
{
	char *head = realloc(p->head, n);

	if (!head) {
		pending_drop(p, "failed");
		return;
	}
	p->head = head;
	if (recv(p->fd, text + p->head_n, n - p->head_n, 0) != (ssize_t)(n - p->head_n)) {
		pending_drop(p, "aborted");
		return;
	}
	memcpy(p->head + p->head_n, text + p->head_n, n - p->head_n);
	p->head_n = n;
}

static void read_head(struct pending *p)
{
	char text[HTTP_HEAD_MAX];
	size_t length, n;
	ssize_t got;

	if (p->head_n)
		memcpy(text, p->head, p->head_n);
	got = recv(p->fd, text + p->head_n, sizeof(text) - p->head_n, MSG_PEEK);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		pending_drop(p, "aborted");
		return;
	}
	n = p->head_n + (size_t)got;
	length = http_head_length(text, n, p->head_n);
	if (length) {
		got = recv(p->fd, text + p->head_n, length - p->head_n, 0);
		if (got == (ssize_t)(length - p->head_n))
			judge(p, (struct str){ text, length });
		else
			pending_drop(p, "aborted");
	} else if (n == sizeof(text)) {
		refuse(p, &(struct verdict){ 431, "too_large", "the head is over 8 KiB" });
	} else {
		keep(p, text, n);
	}
}

static void on_readable(struct ev_loop *ev, ev_io *w, int revents)
{
	struct pending *p = w->data;

	(void)ev;
	(void)revents;
	if (p->is_refused)
		linger(p);
	else
		read_head(p);
}

static void note_exhaustions(struct acceptor *a)
{
	uint64_t n = listener_exhaustions(a->listener);

	counter_add(metrics_counter(a->metrics, &EXHAUSTIONS, NULL), n - a->exhaustions);
	a->exhaustions = n;
}

static void on_connection(void *ctx, int fd, const struct sockaddr_storage *from)
{
	struct acceptor *a = ctx;
	struct pending *p;

	note_exhaustions(a);
	if (a->n_pending == a->config.heads_max)
		pending_drop(TAILQ_FIRST(&a->pending), "evicted");
	p = calloc(1, sizeof(*p));
	if (!p || !(p->timer = loop_timer_new(a->loop, on_timeout, p))) {
		free(p);
		close(fd);
		count(a, "failed");
		return;
	}
	p->acceptor = a;
	p->fd = fd;
	p->from = *from;
	ev_io_init(&p->watcher, on_readable, fd, EV_READ);
	p->watcher.data = p;
	TAILQ_INSERT_TAIL(&a->pending, p, link);
	a->n_pending++;
	loop_timer_start(p->timer, a->config.head_timeout_ms);
	ev_io_start(loop_ev(a->loop), &p->watcher);
	read_head(p);
}

int acceptor_new(struct acceptor **ret, struct loop *loop, const struct acceptor_config *config,
	const struct acceptor_ops *ops, void *ctx, struct metrics *m, struct fault *f)
{
	CLEANUP(acceptor_free) struct acceptor *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	*a = (struct acceptor){
		.loop = loop, .ops = ops, .ctx = ctx, .config = *config, .metrics = m
	};
	TAILQ_INIT(&a->pending);
	if (a->config.heads_max == 0)
		a->config.heads_max = HEADS_MAX_DEFAULT;
	if (a->config.head_timeout_ms <= 0)
		a->config.head_timeout_ms = HEAD_TIMEOUT_MS;
	r = address_count_new(&a->addresses, config->conns_max);
	if (r)
		return fault_set(f, FAULT_FATAL, r, "out of memory");
	r = listener_new(&a->listener, loop,
		&(struct listener_config){ .listen = config->listen,
			.send_buffer = config->send_buffer,
			.reuse_port = true },
		on_connection, a, f);
	if (r)
		return r;
	note_exhaustions(a); /* the series is there from the start */
	*ret = TAKE(a);
	return 0;
}

struct acceptor *acceptor_free(struct acceptor *a)
{
	if (!a)
		return NULL;
	listener_free(a->listener);
	while (!TAILQ_EMPTY(&a->pending))
		pending_free(TAILQ_FIRST(&a->pending));
	address_count_free(a->addresses);
	free(a);
	return NULL;
}

void acceptor_release(struct acceptor *a, struct address address)
{
	a->n_conns--;
	address_count_remove(a->addresses, address);
}

int acceptor_port(const struct acceptor *a)
{
	return listener_port(a->listener);
}

void acceptor_pause(struct acceptor *a, bool pause)
{
	a->is_paused = pause;
	listener_pause(a->listener, pause);
}
