#pragma once

/*
 * What every session transport must do, against ws_server.h alone: run by
 * tests/unit/io/test_ws_server_sim.c and by tests/integration/ws_lws.c, so that what roles are
 * tested with and what they run on cannot drift apart.
 */
#include <stddef.h>

#include "common/io/ws_server.h"

/* How the suite reaches the transport and the far end of its connections. Peers are the harness's.
 */
struct ws_suite {
	struct ws_server *(*start)(struct ws_suite *s, const struct ws_server_config *config,
		const struct ws_server_ops *ops, void *ctx);
	/* Delivers what is due and lets a little time pass. */
	void (*turn)(struct ws_suite *s);
	void *(*connect)(struct ws_suite *s, struct ws_server *server);
	void (*drop)(struct ws_suite *s, void *peer); /* frees it; also when it is NULL */
	void (*send)(void *peer, const char *text);
	void (*pong)(void *peer);
	void (*close)(void *peer, int code);
	void (*cut)(void *peer);
	void (*choke)(void *peer, bool choked);
	const char *(*next)(void *peer);
	int (*code)(void *peer);
	const char *(*reason)(void *peer);
	/* The following are NULL where there is no wire; the cases that need them are skipped. */
	void (*frame)(void *peer, int first_byte, struct str payload);
	int (*status)(void *peer); /* HTTP status of the handshake, 0 = none yet */
	unsigned (*pongs)(void *peer);

	void *ctx;
	unsigned failures;
};

struct ws_suite_case {
	const char *name;
	bool needs_wire;
	void (*run)(struct ws_suite *s);
};

extern const struct ws_suite_case WS_SUITE_CASES[];
extern const size_t N_WS_SUITE_CASES;
