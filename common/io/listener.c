#include "common/io/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ev.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/str.h"

/* A turn of the loop belongs to the sessions too. */
#define ACCEPTS_PER_TURN 64
#define BACKLOG          4096

struct listener {
	struct loop *loop;
	ev_io watcher;
	struct loop_timer *timer; /* accept, or open, again */
	listener_fn fn;
	void *ctx;
	struct sockaddr_storage address; /* with the port we were given */
	socklen_t address_n;
	int send_buffer;
	bool reuse_port, is_paused;
	int fd; /* -1: not listening */
	uint64_t exhaustions;
};

static int address_parse(struct listener *l, const char *listen)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&l->address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&l->address;
	const char *colon = strrchr(listen, ':');
	char host[INET6_ADDRSTRLEN + 2];
	struct str name;
	uint64_t port;

	if (!colon || str_to_u64(str_of(colon + 1), &port) || port > UINT16_MAX)
		return -EINVAL;
	name = (struct str){ listen, (size_t)(colon - listen) };
	if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']') {
		if (str_copy(host, sizeof(host), (struct str){ name.p + 1, name.n - 2 }) ||
			inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
			return -EINVAL;
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		l->address_n = sizeof(*v6);
		return 0;
	}
	if (str_copy(host, sizeof(host), name) || inet_pton(AF_INET, host, &v4->sin_addr) != 1)
		return -EINVAL;
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	l->address_n = sizeof(*v4);
	return 0;
}

static int set_options(const struct listener *l, int fd)
{
	int on = 1, off = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		return -errno;
	if (l->reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)))
		return -errno;
	if (l->send_buffer > 0 &&
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &l->send_buffer, sizeof(l->send_buffer)))
		return -errno;
	if (l->address.ss_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)))
		return -errno;
	return 0;
}

static int open_socket(struct listener *l)
{
	int fd = socket(l->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	r = set_options(l, fd);
	if (r == 0 && bind(fd, (const struct sockaddr *)&l->address, l->address_n))
		r = -errno;
	if (r == 0 && listen(fd, BACKLOG))
		r = -errno;
	if (r == 0 && getsockname(fd, (struct sockaddr *)&l->address, &l->address_n))
		r = -errno;
	if (r) {
		close(fd);
		return r;
	}
	l->fd = fd;
	ev_io_set(&l->watcher, fd, EV_READ);
	ev_io_start(loop_ev(l->loop), &l->watcher);
	return 0;
}

static void close_socket(struct listener *l)
{
	if (l->fd < 0)
		return;
	ev_io_stop(loop_ev(l->loop), &l->watcher);
	close(l->fd);
	l->fd = -1;
}

static bool is_exhaustion(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

/* The callback may pause us: the descriptor is looked at each time. */
static void accept_some(struct listener *l, int max)
{
	for (int i = 0; i < max && l->fd >= 0; i++) {
		struct sockaddr_storage from;
		socklen_t from_n = sizeof(from);
		int fd = accept4(
			l->fd, (struct sockaddr *)&from, &from_n, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			l->fn(l->ctx, fd, &from);
			continue;
		}
		if (is_exhaustion(errno)) {
			l->exhaustions++;
			ev_io_stop(loop_ev(l->loop), &l->watcher);
			loop_timer_start(l->timer, LISTENER_PAUSE_MS);
			return;
		}
		if (errno == EAGAIN)
			return;
		/* The connection died while it was queued: the next one. */
	}
}

static void on_readable(struct ev_loop *ev, ev_io *w, int revents)
{
	(void)ev;
	(void)revents;
	accept_some(w->data, ACCEPTS_PER_TURN);
}

static void on_timer(void *ctx)
{
	struct listener *l = ctx;

	if (l->is_paused)
		return;
	if (l->fd >= 0)
		ev_io_start(loop_ev(l->loop), &l->watcher);
	else if (open_socket(l))
		loop_timer_start(l->timer, LISTENER_PAUSE_MS);
}

void listener_pause(struct listener *l, bool pause)
{
	if (l->is_paused == pause)
		return;
	l->is_paused = pause;
	loop_timer_stop(l->timer);
	if (pause) {
		accept_some(l, BACKLOG);
		close_socket(l);
	} else if (open_socket(l)) {
		loop_timer_start(l->timer, LISTENER_PAUSE_MS);
	}
}

int listener_new(struct listener **ret, struct loop *loop, const struct listener_config *config,
	listener_fn fn, void *ctx, struct fault *f)
{
	CLEANUP(listener_free) struct listener *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	*l = (struct listener){ .loop = loop,
		.fn = fn,
		.ctx = ctx,
		.send_buffer = config->send_buffer,
		.reuse_port = config->reuse_port,
		.fd = -1 };
	ev_init(&l->watcher, on_readable);
	l->watcher.data = l;
	if (address_parse(l, config->listen))
		return fault_set(f, FAULT_FATAL, -EINVAL,
			"listen address %s: want ADDRESS:PORT, as in 0.0.0.0:8080 or [::]:8080",
			config->listen);
	l->timer = loop_timer_new(loop, on_timer, l);
	if (!l->timer)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	r = open_socket(l);
	if (r)
		return fault_set(
			f, FAULT_FATAL, r, "listen on %s: %s", config->listen, strerror(-r));
	*ret = TAKE(l);
	return 0;
}

struct listener *listener_free(struct listener *l)
{
	if (!l)
		return NULL;
	close_socket(l);
	loop_timer_free(l->timer);
	free(l);
	return NULL;
}

int listener_port(const struct listener *l)
{
	return ntohs(l->address.ss_family == AF_INET6
			     ? ((const struct sockaddr_in6 *)&l->address)->sin6_port
			     : ((const struct sockaddr_in *)&l->address)->sin_port);
}

uint64_t listener_exhaustions(const struct listener *l)
{
	return l->exhaustions;
}
