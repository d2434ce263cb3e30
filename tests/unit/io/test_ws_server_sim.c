#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/io/sim/loop_sim.h"
#include "common/io/sim/ws_sim.h"
#include "tests/conformance/ws_suite.h"

static struct ws_server *suite_start(struct ws_suite *s, const struct ws_server_config *config,
	const struct ws_server_ops *ops, void *ctx)
{
	struct ws_server *server = NULL;

	(void)config;
	cr_assert(zero(int, ws_server_sim_new(&server, s->ctx, ops, ctx)));
	return server;
}

static void suite_turn(struct ws_suite *s)
{
	loop_sim_advance(s->ctx, 1);
}

static void *suite_connect(struct ws_suite *s, struct ws_server *server)
{
	(void)s;
	return sim_peer_connect(server, NULL);
}

static void suite_drop(struct ws_suite *s, void *peer)
{
	(void)s;
	sim_peer_free(peer);
}

static void suite_send(void *peer, const char *text)
{
	sim_peer_send(peer, text);
}

static void suite_pong(void *peer)
{
	sim_peer_pong(peer);
}

static void suite_close(void *peer, int code)
{
	sim_peer_close(peer, code);
}

static void suite_cut(void *peer)
{
	sim_peer_close(peer, 1006);
}

static void suite_choke(void *peer, bool choked)
{
	sim_peer_choke(peer, choked);
}

static const char *suite_next(void *peer)
{
	return sim_peer_next(peer);
}

static int suite_code(void *peer)
{
	return sim_peer_close_code(peer);
}

static const char *suite_reason(void *peer)
{
	return sim_peer_close_reason(peer);
}

Test(ws_server_sim, keeps_every_promise_that_needs_no_wire)
{
	for (size_t i = 0; i < N_WS_SUITE_CASES; i++) {
		CLEANUP(loop_free) struct loop *loop = NULL;
		struct ws_suite s = { .start = suite_start,
			.turn = suite_turn,
			.connect = suite_connect,
			.drop = suite_drop,
			.send = suite_send,
			.pong = suite_pong,
			.close = suite_close,
			.cut = suite_cut,
			.choke = suite_choke,
			.next = suite_next,
			.code = suite_code,
			.reason = suite_reason };

		if (WS_SUITE_CASES[i].needs_wire)
			continue;
		cr_assert(zero(int, loop_sim_new(&loop, 1700000000000)));
		s.ctx = loop;
		WS_SUITE_CASES[i].run(&s);
		cr_expect(zero(uint, s.failures), "%s", WS_SUITE_CASES[i].name);
	}
}
