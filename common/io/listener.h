#pragma once

/*
 * A listening TCP socket of our own: SO_REUSEPORT, so that several processes share one port
 * (libwebsockets 4.1 cannot), and options that every accepted socket inherits (SO_SNDBUF,
 * TCP_NODELAY).
 *
 * Out of descriptors or memory, it stops accepting for LISTENER_PAUSE_MS instead of spinning.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/io/loop.h"

#define LISTENER_PAUSE_MS 200

struct listener;

/* Takes @fd (non-blocking, close-on-exec). */
typedef void (*listener_fn)(void *ctx, int fd, const struct sockaddr_storage *from);

struct listener_config {
	const char *listen; /* "127.0.0.1:8080", "[::]:8080" (both families); port 0 = any */
	int send_buffer;    /* SO_SNDBUF; 0 = the system's */
	bool reuse_port;
};

/* On a real loop. 0; -EINVAL (the address), -EADDRINUSE, -EACCES or another -errno with @f. */
MUST_CHECK int listener_new(struct listener **ret, struct loop *loop,
	const struct listener_config *config, listener_fn fn, void *ctx, struct fault *f);
struct listener *listener_free(struct listener *l);
DEFINE_CLEANUP(struct listener *, listener_free)

int listener_port(const struct listener *l);
/* Takes what the kernel has queued and closes the socket, so that another process on the port is
 * asked instead; false opens it again on the same port, and tries until it can. */
void listener_pause(struct listener *l, bool pause);
/* Times that accepting stopped for want of descriptors or memory. */
uint64_t listener_exhaustions(const struct listener *l);
