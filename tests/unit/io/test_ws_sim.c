/* What the two halves in memory do beyond ws_server.h and ws_client.h: what tests of roles lean on.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>

#include "common/io/sim/loop_sim.h"
#include "common/io/sim/ws_sim.h"

/* ---- the server half ---- */

struct seen {
	char remote[64], authorization[64], traceparent[64], query[64];
	bool has_origin, has_query;
	struct ws_conn *conn;
	unsigned n_opened, n_texts, n_heard, n_closed;
	int code;
};

static void *see_opened(void *ctx, struct ws_conn *c, const struct ws_conn_info *info)
{
	struct seen *s = ctx;

	s->conn = c;
	s->n_opened++;
	str_copy(s->remote, sizeof(s->remote), info->remote);
	str_copy(s->authorization, sizeof(s->authorization), info->authorization);
	str_copy(s->traceparent, sizeof(s->traceparent), info->traceparent);
	str_copy(s->query, sizeof(s->query), info->query);
	s->has_origin = str_is_set(info->origin);
	s->has_query = str_is_set(info->query);
	return s;
}

static void see_text(void *ctx, struct str message)
{
	(void)message;
	((struct seen *)ctx)->n_texts++;
}

static void see_heard(void *ctx)
{
	((struct seen *)ctx)->n_heard++;
}

static void see_writable(void *ctx)
{
	(void)ctx;
}

static void see_closed(void *ctx, int code)
{
	struct seen *s = ctx;

	s->n_closed++;
	s->code = code;
}

static const struct ws_server_ops SERVER_OPS = { see_opened, see_text, see_heard, see_writable,
	see_closed };

struct server_fixture {
	struct loop *loop;
	struct ws_server *server;
	struct seen seen;
};

static void server_setup(struct server_fixture *f)
{
	*f = (struct server_fixture){ 0 };
	cr_assert(zero(int, loop_sim_new(&f->loop, 1700000000000)));
	cr_assert(zero(int, ws_server_sim_new(&f->server, f->loop, &SERVER_OPS, &f->seen)));
}

static void server_teardown(struct server_fixture *f)
{
	ws_server_free(f->server);
	loop_free(f->loop);
}

Test(ws_sim, the_role_sees_a_copy_of_what_the_peer_came_with)
{
	struct server_fixture f;
	char token[] = "Bearer abc";

	server_setup(&f);
	sim_peer_connect(f.server, &(struct ws_conn_info){ .remote = STR("192.0.2.1:999"),
					   .authorization = str_of(token),
					   .query = STR("") });
	token[7] = '!';
	loop_sim_settle(f.loop);
	cr_expect(eq(str, f.seen.remote, "192.0.2.1:999"));
	cr_expect(eq(str, f.seen.authorization, "Bearer abc"));
	cr_expect(not(f.seen.has_origin));
	cr_expect(f.seen.has_query);
	server_teardown(&f);
}

Test(ws_sim, nothing_happens_inside_the_tests_own_call)
{
	struct server_fixture f;
	struct sim_peer *p;

	server_setup(&f);
	p = sim_peer_connect(f.server, NULL);
	cr_expect(zero(uint, f.seen.n_opened));
	loop_sim_settle(f.loop);
	cr_expect(eq(uint, f.seen.n_opened, 1));
	sim_peer_send(p, "x");
	sim_peer_pong(p);
	cr_expect(zero(uint, f.seen.n_texts + f.seen.n_heard));
	loop_sim_settle(f.loop);
	cr_expect(eq(uint, f.seen.n_texts, 1));
	cr_expect(eq(uint, f.seen.n_heard, 2));
	server_teardown(&f);
}

Test(ws_sim, text_that_is_not_utf8_closes_with_1007)
{
	struct server_fixture f;
	struct sim_peer *p;

	server_setup(&f);
	p = sim_peer_connect(f.server, NULL);
	sim_peer_send(p, "\xff");
	loop_sim_settle(f.loop);
	cr_expect(zero(uint, f.seen.n_texts));
	cr_expect(eq(int, f.seen.code, 1007));
	cr_expect(eq(int, sim_peer_close_code(p), 1007));
	server_teardown(&f);
}

Test(ws_sim, a_write_before_the_cut_is_noticed_is_taken_and_lost)
{
	struct server_fixture f;
	struct sim_peer *p;

	server_setup(&f);
	p = sim_peer_connect(f.server, NULL);
	loop_sim_settle(f.loop);
	sim_peer_close(p, 1006);
	cr_expect(zero(int, ws_conn_write(f.seen.conn, STR("x"))));
	cr_expect(sim_peer_next(p) == NULL);
	loop_sim_settle(f.loop);
	cr_expect(eq(int, f.seen.code, 1006));
	server_teardown(&f);
}

Test(ws_sim, a_freed_peer_is_a_cut_wire)
{
	struct server_fixture f;

	server_setup(&f);
	sim_peer_connect(f.server, NULL);
	loop_sim_settle(f.loop);
	sim_peer_free(sim_peer_connect(f.server, NULL)); /* never seen */
	loop_sim_settle(f.loop);
	cr_expect(eq(uint, f.seen.n_opened, 1));
	cr_expect(zero(uint, f.seen.n_closed));
	server_teardown(&f);
}

Test(ws_sim, the_server_may_go_while_events_wait)
{
	struct server_fixture f;
	struct sim_peer *p;

	server_setup(&f);
	p = sim_peer_connect(f.server, NULL);
	loop_sim_settle(f.loop);
	sim_peer_send(p, "x");
	sim_peer_free(p);
	sim_peer_connect(f.server, NULL);
	server_teardown(&f);
	cr_expect(zero(uint, f.seen.n_closed));
}

/* ---- the client half ---- */

struct client_seen {
	struct ws_client *client;
	unsigned n_opened, n_texts, n_closed;
	int code, http_status;
	char last[64], why[64];
	const struct ws_client_config *reconnects_with;
	bool frees;
};

static void client_opened(void *ctx)
{
	((struct client_seen *)ctx)->n_opened++;
}

static void client_text(void *ctx, struct str message)
{
	struct client_seen *s = ctx;

	s->n_texts++;
	str_copy(s->last, sizeof(s->last), message);
	if (s->frees)
		s->client = ws_client_free(s->client);
}

static void client_closed(void *ctx, int code, int http_status, const char *why)
{
	struct client_seen *s = ctx;

	s->n_closed++;
	s->code = code;
	s->http_status = http_status;
	str_copy(s->why, sizeof(s->why), str_of(why));
	if (s->reconnects_with)
		cr_expect(zero(int, ws_client_connect(s->client, s->reconnects_with, NULL)));
	s->reconnects_with = NULL;
}

static const struct ws_client_ops CLIENT_OPS = { client_opened, client_text, client_closed };

static const struct ws_client_config CONFIG = { .url = "ws://market.example/socket?v=2",
	.message_max = 16,
	.queue_max = 8,
	.connect_timeout_ms = 1000 };

struct client_fixture {
	struct loop *loop;
	struct sim_remote *remote;
	struct client_seen seen;
};

static void client_setup(struct client_fixture *f)
{
	struct ws_client_factory factory;

	*f = (struct client_fixture){ 0 };
	cr_assert(zero(int, loop_sim_new(&f->loop, 1700000000000)));
	cr_assert(zero(int, sim_remote_new(&f->remote, f->loop)));
	factory = sim_remote_factory(f->remote);
	cr_assert(zero(int, factory.make(factory.ctx, &f->seen.client, &CLIENT_OPS, &f->seen)));
}

static void client_open(struct client_fixture *f)
{
	client_setup(f);
	cr_assert(zero(int, ws_client_connect(f->seen.client, &CONFIG, NULL)));
	loop_sim_settle(f->loop);
	cr_assert(eq(uint, f->seen.n_opened, 1));
}

static void client_teardown(struct client_fixture *f)
{
	ws_client_free(f->seen.client);
	sim_remote_free(f->remote);
	loop_free(f->loop);
}

Test(ws_sim, a_client_connects_talks_and_closes)
{
	struct client_fixture f;

	client_open(&f);
	cr_expect(eq(str, (char *)sim_remote_url(f.remote), "ws://market.example/socket?v=2"));
	cr_expect(sim_remote_is_open(f.remote));
	cr_expect(zero(int, ws_client_send(f.seen.client, STR("up"))));
	cr_expect(eq(str, (char *)sim_remote_next(f.remote), "up"));
	cr_expect(sim_remote_next(f.remote) == NULL);
	sim_remote_send(f.remote, "down");
	loop_sim_settle(f.loop);
	cr_expect(eq(str, f.seen.last, "down"));
	ws_client_close(f.seen.client, 1000);
	cr_expect(not(sim_remote_is_open(f.remote)));
	cr_expect(zero(uint, f.seen.n_closed));
	loop_sim_settle(f.loop);
	cr_expect(eq(uint, f.seen.n_closed, 1));
	cr_expect(eq(int, f.seen.code, 1000));
	client_teardown(&f);
}

Test(ws_sim, a_refusal_tells_its_status)
{
	struct client_fixture f;

	client_setup(&f);
	sim_remote_refuse(f.remote, 403);
	cr_assert(zero(int, ws_client_connect(f.seen.client, &CONFIG, NULL)));
	cr_expect(eq(int, ws_client_connect(f.seen.client, &CONFIG, NULL), -EALREADY));
	loop_sim_settle(f.loop);
	cr_expect(eq(int, f.seen.code, 1006));
	cr_expect(eq(int, f.seen.http_status, 403));
	sim_remote_refuse(f.remote, -1);
	cr_assert(zero(int, ws_client_connect(f.seen.client, &CONFIG, NULL)));
	loop_sim_settle(f.loop);
	cr_expect(zero(int, f.seen.http_status));
	cr_expect(zero(uint, f.seen.n_opened));
	cr_expect(eq(uint, sim_remote_connects(f.remote), 2));
	client_teardown(&f);
}

Test(ws_sim, closed_may_connect_again)
{
	struct client_fixture f;

	client_open(&f);
	f.seen.reconnects_with = &CONFIG;
	sim_remote_close(f.remote, 1012);
	loop_sim_settle(f.loop);
	cr_expect(eq(int, f.seen.code, 1012));
	cr_expect(eq(uint, f.seen.n_opened, 2));
	cr_expect(sim_remote_is_open(f.remote));
	client_teardown(&f);
}

Test(ws_sim, a_client_may_be_freed_inside_its_callback)
{
	struct client_fixture f;

	client_open(&f);
	f.seen.frees = true;
	sim_remote_send(f.remote, "one");
	sim_remote_send(f.remote, "two");
	loop_sim_settle(f.loop);
	cr_expect(eq(uint, f.seen.n_texts, 1));
	cr_expect(zero(uint, f.seen.n_closed));
	client_teardown(&f);
}

Test(ws_sim, bounds_hold_in_both_directions)
{
	struct client_fixture f;

	client_setup(&f);
	cr_expect(eq(int, ws_client_send(f.seen.client, STR("x")), -ENOTCONN));
	client_teardown(&f);
	client_open(&f);
	cr_expect(eq(int, ws_client_send(f.seen.client, STR("123456789")), -ENOBUFS));
	sim_remote_send(f.remote, "seventeen bytes..");
	loop_sim_settle(f.loop);
	cr_expect(zero(uint, f.seen.n_texts));
	cr_expect(eq(int, f.seen.code, 1009));
	client_teardown(&f);
}

Test(ws_sim, a_url_of_another_scheme_is_refused_with_a_reason)
{
	struct client_fixture f;
	struct ws_client_config config = CONFIG;
	struct fault fault = { 0 };

	client_setup(&f);
	config.url = "https://market.example/";
	cr_expect(eq(int, ws_client_connect(f.seen.client, &config, &fault), -EINVAL));
	cr_expect(eq(int, fault.kind, FAULT_FATAL));
	cr_expect(zero(uint, sim_remote_connects(f.remote)));
	client_teardown(&f);
}
