#pragma once

/* WebSocket in memory, on the driven loop: a server seam whose clients are the test, and a client
 * seam whose server is the test. */
#include "common/base/buf.h"
#include "common/io/ws_client.h"
#include "common/io/ws_server.h"

/* ---- server side: the role under test sees a ws_server, the test holds sim_peers ---- */
struct sim_peer;

MUST_CHECK int ws_server_sim_new(
	struct ws_server **ret, struct loop *loop, const struct ws_server_ops *ops, void *ctx);
/* Connects; opened() is called through the loop. Lives until sim_peer_free or the server is
 * freed. */
struct sim_peer *sim_peer_connect(struct ws_server *s, const struct ws_conn_info *info);
void sim_peer_send(struct sim_peer *p, const char *text);
void sim_peer_pong(struct sim_peer *p);               /* a control frame: heard() only */
void sim_peer_close(struct sim_peer *p, int code);    /* code 1006: the wire is cut */
void sim_peer_choke(struct sim_peer *p, bool choked); /* a reader that does not read */
/* Next message the server wrote, NUL-terminated, or NULL; borrowed until the next call. */
const char *sim_peer_next(struct sim_peer *p);
int sim_peer_close_code(const struct sim_peer *p); /* 0 while open */
const char *sim_peer_close_reason(const struct sim_peer *p);
void sim_peer_free(struct sim_peer *p);

/* ---- client side: the role under test sees a ws_client, the test answers for the remote end
 * ---- */
struct sim_remote;

MUST_CHECK int sim_remote_new(struct sim_remote **ret, struct loop *loop);
struct sim_remote *sim_remote_free(struct sim_remote *r); /* before or after its clients */
DEFINE_CLEANUP(struct sim_remote *, sim_remote_free)
struct ws_client_factory sim_remote_factory(struct sim_remote *r);
/* What connect does next: 0 = accept, else an HTTP status; -1 = connection refused. Stays so until
 * changed. */
void sim_remote_refuse(struct sim_remote *r, int http_status);
bool sim_remote_is_open(const struct sim_remote *r);
unsigned sim_remote_connects(const struct sim_remote *r); /* attempts so far */
void sim_remote_send(struct sim_remote *r, const char *text);
const char *sim_remote_next(struct sim_remote *r); /* what the role sent, or NULL */
void sim_remote_close(struct sim_remote *r, int code);
const char *sim_remote_url(const struct sim_remote *r);
