/*
 * The real session transport over loopback: the suite that the one in memory passes too, then what
 * only the wire shows (refused heads, slow heads, shared ports), the real client against the real
 * server, and the admin port. Prints TAP.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/io/acceptor.h"
#include "common/io/admin.h"
#include "common/io/lws_host.h"
#include "common/io/ws_client.h"
#include "tests/conformance/check.h"
#include "tests/conformance/ws_suite.h"
#include "tests/support/ws_raw_peer.h"

#define PEERS_MAX 64
#define TURNS_MAX 5000

struct bench {
	struct loop *loop;
	struct lws_host *host;
	struct metrics *metrics;
	struct loop_timer *timer;
	struct ws_raw_peer *peers[PEERS_MAX];
	unsigned failures;
};

static struct bench bench;

#define OK(condition) CHECK(&bench.failures, condition)

static void stop(void *ctx)
{
	loop_stop(ctx);
}

static void turn(void)
{
	loop_timer_start(bench.timer, 1);
	loop_run(bench.loop);
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (bench.peers[i])
			ws_raw_peer_pump(bench.peers[i]);
}

#define EVENTUALLY(condition) \
	do { \
		bool ok_ = (condition); \
\
		for (int turn_ = 0; turn_ < TURNS_MAX && !ok_; turn_++) { \
			turn(); \
			ok_ = (condition); \
		} \
		check_is(ok_, &bench.failures, __FILE__, __LINE__, "eventually " #condition); \
	} while (0)

static struct ws_raw_peer *peer_new(int port, const char *head)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (!bench.peers[i])
			return bench.peers[i] = ws_raw_peer_connect(port, head);
	abort();
}

static void peer_free(struct ws_raw_peer *p)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (p && bench.peers[i] == p)
			bench.peers[i] = ws_raw_peer_free(p);
}

/* ---- the suite ---- */

static struct ws_server *suite_start(struct ws_suite *s, const struct ws_server_config *config,
	const struct ws_server_ops *ops, void *ctx)
{
	struct ws_server *server = NULL;
	struct fault f = { 0 };

	(void)s;
	if (ws_server_lws_new(&server, bench.host, config, ops, ctx, bench.metrics, &f)) {
		fprintf(stderr, "# %s\n", f.text);
		abort();
	}
	return server;
}

static void suite_turn(struct ws_suite *s)
{
	(void)s;
	turn();
}

static void *suite_connect(struct ws_suite *s, struct ws_server *server)
{
	(void)s;
	return peer_new(ws_server_port(server), WS_RAW_HEAD);
}

static void suite_drop(struct ws_suite *s, void *peer)
{
	(void)s;
	peer_free(peer);
}

static void suite_send(void *peer, const char *text)
{
	ws_raw_peer_frame(peer, 0x81, str_of(text));
}

static void suite_pong(void *peer)
{
	ws_raw_peer_frame(peer, 0x8a, STR("unasked"));
}

static void suite_close(void *peer, int code)
{
	ws_raw_peer_close(peer, code);
}

static void suite_cut(void *peer)
{
	ws_raw_peer_cut(peer);
}

static void suite_choke(void *peer, bool choked)
{
	ws_raw_peer_choke(peer, choked);
}

static const char *suite_next(void *peer)
{
	return ws_raw_peer_next(peer);
}

static int suite_code(void *peer)
{
	return ws_raw_peer_code(peer);
}

static const char *suite_reason(void *peer)
{
	return ws_raw_peer_reason(peer);
}

static void suite_frame(void *peer, int first_byte, struct str payload)
{
	ws_raw_peer_frame(peer, first_byte, payload);
}

static int suite_status(void *peer)
{
	return ws_raw_peer_status(peer);
}

static unsigned suite_pongs(void *peer)
{
	return ws_raw_peer_pongs(peer);
}

static void run_suite_case(const struct ws_suite_case *c)
{
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
		.reason = suite_reason,
		.frame = suite_frame,
		.status = suite_status,
		.pongs = suite_pongs };

	c->run(&s);
	bench.failures += s.failures;
}

/* ---- an echo server, for the rest ---- */

struct echo {
	struct ws_server *server;
	struct ws_conn *conn;
	unsigned n_opened, n_texts, n_closed;
	int code;
	char remote[64], authorization[4096], traceparent[64], origin[64], query[64];
	bool has_authorization, has_traceparent, has_origin, has_query;
	int admits_with;
	bool pauses;
};

static void *echo_opened(void *ctx, struct ws_conn *c, const struct ws_conn_info *info)
{
	struct echo *e = ctx;

	e->conn = c;
	e->n_opened++;
	str_copy(e->remote, sizeof(e->remote), info->remote);
	str_copy(e->authorization, sizeof(e->authorization), info->authorization);
	str_copy(e->traceparent, sizeof(e->traceparent), info->traceparent);
	str_copy(e->origin, sizeof(e->origin), info->origin);
	str_copy(e->query, sizeof(e->query), info->query);
	e->has_authorization = str_is_set(info->authorization);
	e->has_traceparent = str_is_set(info->traceparent);
	e->has_origin = str_is_set(info->origin);
	e->has_query = str_is_set(info->query);
	if (e->pauses)
		ws_server_pause(e->server, true);
	return e;
}

static void echo_text(void *ctx, struct str message)
{
	struct echo *e = ctx;

	e->n_texts++;
	if (str_eq(message, STR("close 4001")))
		ws_conn_close(e->conn, 4001, STR("invalid token"));
	else
		(void)!ws_conn_write(e->conn, message);
}

static void echo_nothing(void *ctx)
{
	(void)ctx;
}

static void echo_closed(void *ctx, int code)
{
	struct echo *e = ctx;

	e->n_closed++;
	e->code = code;
}

static int echo_admit(void *ctx, const struct ws_conn_info *info)
{
	(void)info;
	return ((struct echo *)ctx)->admits_with;
}

static const struct ws_server_ops ECHO_OPS = { echo_opened, echo_text, echo_nothing, echo_nothing,
	echo_closed };

static const struct ws_server_config ECHO_CONFIG = { .listen = "127.0.0.1:0",
	.path = "/v1/ws",
	.subprotocol = "souk.v1.json",
	.admit = echo_admit,
	.message_max = 16384,
	.conns_max = 2000 };

static void echo_start(struct echo *e, const struct ws_server_config *config)
{
	struct fault f = { 0 };

	*e = (struct echo){ 0 };
	if (!OK(ws_server_lws_new(
			&e->server, bench.host, config, &ECHO_OPS, e, bench.metrics, &f) == 0)) {
		fprintf(stderr, "# %s\n", f.text);
		abort();
	}
}

static int64_t handshakes(const char *result)
{
	return metrics_value(bench.metrics, "souk_edge_handshakes_total", result);
}

/* ---- heads ---- */

static void expect_status(const struct echo *e, const char *head, int status, const char *needle)
{
	struct ws_raw_peer *p = peer_new(ws_server_port(e->server), head);

	EVENTUALLY(ws_raw_peer_is_ended(p));
	if (!OK(ws_raw_peer_status(p) == status))
		fprintf(stderr, "# wanted %d, got %d\n", status, ws_raw_peer_status(p));
	if (needle)
		OK(strstr(ws_raw_peer_answer(p), needle) != NULL);
	peer_free(p);
}

static void refusals_are_http_answers(void)
{
	struct echo e;
	static char large[9000] = "GET /v1/ws HTTP/1.1\r\nX: ";
	int64_t before = handshakes("bad_request");

	echo_start(&e, &ECHO_CONFIG);
	memset(large + strlen(large), 'x', sizeof(large) - 1 - strlen(large));
	expect_status(&e, large, 431, "problem+json");
	expect_status(&e, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 404, "Connection: close");
	expect_status(&e, "GET /v1/ws HTTP/1.1\r\nHost: x\r\n\r\n", 400, "Upgrade: websocket");
	expect_status(&e, "PRI * HTTP/2.0\r\n\r\n", 400, NULL);
	expect_status(&e,
		"GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, "
		"HTTP2-Settings\r\n"
		"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
		400, NULL);
	expect_status(&e,
		"GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n",
		426, "Sec-WebSocket-Version: 13\r\n");
	OK(handshakes("bad_request") == before + 3);
	OK(e.n_opened == 0);
	e.admits_with = 403;
	expect_status(&e, WS_RAW_HEAD, 403, "Forbidden");
	e.admits_with = 429;
	expect_status(&e, WS_RAW_HEAD, 429, "Retry-After: ");
	OK(e.n_opened == 0);
	ws_server_free(e.server);
}

static void a_large_refused_upload_does_not_take_the_answer_back(void)
{
	struct echo e;
	struct ws_raw_peer *p;
	static char body[40000];

	memset(body, 'x', sizeof(body));
	echo_start(&e, &ECHO_CONFIG);
	p = peer_new(ws_server_port(e.server),
		"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n");
	ws_raw_peer_write(p, (struct str){ body, sizeof(body) });
	EVENTUALLY(ws_raw_peer_is_ended(p));
	OK(ws_raw_peer_status(p) == 404);
	peer_free(p);
	ws_server_free(e.server);
}

static void a_head_in_single_bytes_is_a_head(void)
{
	struct echo e;
	struct ws_raw_peer *p;
	const char head[] = WS_RAW_HEAD;

	echo_start(&e, &ECHO_CONFIG);
	p = peer_new(ws_server_port(e.server), NULL);
	for (size_t i = 0; i < sizeof(head) - 1; i++) {
		ws_raw_peer_write(p, (struct str){ &head[i], 1 });
		turn();
	}
	EVENTUALLY(e.n_opened == 1);
	OK(ws_raw_peer_status(p) == 101);
	OK(strstr(ws_raw_peer_answer(p), "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") !=
		NULL);
	OK(strstr(ws_raw_peer_answer(p), "Sec-WebSocket-Protocol: souk.v1.json\r\n") != NULL);
	OK(strstr(ws_raw_peer_answer(p), "Extensions") == NULL);
	peer_free(p);
	EVENTUALLY(e.n_closed == 1);
	ws_server_free(e.server);
}

static void frames_right_behind_the_head_are_not_lost(void)
{
	struct echo e;
	struct ws_raw_peer *p;
	/* "early" and "bird", masked with zeros. */
	const char early[] = WS_RAW_HEAD "\x81\x85\0\0\0\0early\x81\x84\0\0\0\0bird";
	const char *text = NULL;

	echo_start(&e, &ECHO_CONFIG);
	p = peer_new(ws_server_port(e.server), NULL);
	ws_raw_peer_write(p, (struct str){ early, sizeof(early) - 1 });
	EVENTUALLY((text = ws_raw_peer_next(p)) != NULL);
	OK(text && strcmp(text, "early") == 0);
	EVENTUALLY((text = ws_raw_peer_next(p)) != NULL);
	OK(text && strcmp(text, "bird") == 0);
	peer_free(p);
	ws_server_free(e.server);
}

static void the_session_learns_what_the_head_said(void)
{
	struct echo e;
	struct ws_raw_peer *p;
	CLEANUP(buf_fini) struct buf head = BUF_INIT(8192);

	echo_start(&e, &ECHO_CONFIG);
	buf_puts(&head, STR("GET /v1/ws?ticket=%20a HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
			    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
			    "Sec-WebSocket-Version: 13\r\nOrigin: "
			    "https://game.example\r\nSec-WebSocket-Protocol: "));
	/* A list that the library could not hold. */
	for (int i = 0; i < 50; i++)
		buf_printf(&head, "protocol-%d, ", i);
	buf_puts(&head,
		STR("souk.v1.json\r\n"
		    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
		    "Authorization: Bearer "));
	for (int i = 0; i < 3000; i++)
		buf_putc(&head, (char)('a' + i % 26));
	buf_puts(&head, STR("\r\n\r\n"));
	p = peer_new(ws_server_port(e.server), NULL);
	ws_raw_peer_write(p, buf_str(&head));
	EVENTUALLY(e.n_opened == 1);
	OK(strncmp(e.remote, "127.0.0.1:", 10) == 0);
	OK(strlen(e.authorization) == 3007 && strncmp(e.authorization, "Bearer abc", 10) == 0);
	OK(strcmp(e.traceparent, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") == 0);
	OK(strcmp(e.origin, "https://game.example") == 0);
	OK(strcmp(e.query, "ticket=%20a") == 0);
	peer_free(p);
	EVENTUALLY(e.n_closed == 1);
	p = peer_new(ws_server_port(e.server), WS_RAW_HEAD);
	EVENTUALLY(e.n_opened == 2);
	OK(!e.has_authorization && !e.has_traceparent && !e.has_origin && !e.has_query);
	peer_free(p);
	ws_server_free(e.server);
}

static void slow_heads_are_dropped_in_time_whatever_they_trickle(void)
{
	struct echo e;
	struct ws_server_config config = ECHO_CONFIG;
	struct ws_raw_peer *silent, *trickling;
	int64_t before = handshakes("timeout");

	config.head_timeout_ms = 50;
	echo_start(&e, &config);
	silent = peer_new(ws_server_port(e.server), NULL);
	trickling = peer_new(ws_server_port(e.server), "GET /v1/ws HTTP/1.1\r\n");
	for (int i = 0; i < TURNS_MAX && !ws_raw_peer_is_ended(trickling); i++) {
		ws_raw_peer_write(trickling, STR("X: y\r\n"));
		turn();
	}
	OK(ws_raw_peer_is_ended(trickling));
	EVENTUALLY(ws_raw_peer_is_ended(silent));
	OK(handshakes("timeout") == before + 2);
	peer_free(silent);
	peer_free(trickling);
	ws_server_free(e.server);
}

static bool accepted_never(void *ctx, const struct acceptor_request *r)
{
	(void)ctx;
	close(r->fd);
	return false;
}

static void too_many_heads_on_their_way_cost_the_oldest_its_place(void)
{
	static const struct acceptor_ops ops = { .accepted = accepted_never };
	const struct acceptor_config config = {
		.listen = "127.0.0.1:0", .path = "/v1/ws", .conns_max = 10, .heads_max = 2
	};
	struct acceptor *a = NULL;
	struct ws_raw_peer *p[3];
	int64_t before = handshakes("evicted");

	OK(acceptor_new(&a, bench.loop, &config, &ops, NULL, bench.metrics, NULL) == 0);
	for (int i = 0; i < 3; i++) {
		p[i] = peer_new(acceptor_port(a), "GET /v1/ws");
		turn();
	}
	EVENTUALLY(ws_raw_peer_is_ended(p[0]));
	OK(!ws_raw_peer_is_ended(p[1]) && !ws_raw_peer_is_ended(p[2]));
	OK(handshakes("evicted") == before + 1);
	for (int i = 0; i < 3; i++)
		peer_free(p[i]);
	acceptor_free(a);
}

static void a_server_without_a_subprotocol_chooses_none(void)
{
	struct echo e;
	struct ws_server_config config = ECHO_CONFIG;
	struct ws_raw_peer *p;
	const char *text = NULL;

	config.subprotocol = NULL;
	echo_start(&e, &config);
	p = peer_new(ws_server_port(e.server), WS_RAW_HEAD);
	EVENTUALLY(e.n_opened == 1);
	EVENTUALLY(ws_raw_peer_status(p) == 101);
	OK(strstr(ws_raw_peer_answer(p), "Sec-WebSocket-Protocol") == NULL);
	ws_raw_peer_frame(p, 0x81, STR("hi"));
	EVENTUALLY((text = ws_raw_peer_next(p)) != NULL);
	OK(text && strcmp(text, "hi") == 0);
	peer_free(p);
	ws_server_free(e.server);
}

/* ---- the library's own closing, which must not hang on a peer that does not read ---- */

static unsigned fill(struct ws_conn *c)
{
	static char text[16384];
	unsigned n = 0;

	memset(text, 'f', sizeof(text));
	while (n < 10000 && ws_conn_write(c, (struct str){ text, sizeof(text) }) == 0)
		n++;
	return n;
}

static void expect_end_while_choked(void (*act)(struct ws_raw_peer *p), int code)
{
	struct echo e;
	struct ws_raw_peer *p;

	echo_start(&e, &ECHO_CONFIG);
	p = peer_new(ws_server_port(e.server), WS_RAW_HEAD);
	EVENTUALLY(e.n_opened == 1);
	ws_raw_peer_choke(p, true);
	OK(fill(e.conn) < 10000);
	act(p);
	EVENTUALLY(e.n_closed == 1);
	if (!OK(e.code == code))
		fprintf(stderr, "# wanted %d, got %d\n", code, e.code);
	OK(ws_server_count(e.server) == 0);
	peer_free(p);
	ws_server_free(e.server);
}

static void act_badly(struct ws_raw_peer *p)
{
	ws_raw_peer_frame(p, 0x81, STR("\xff"));
	for (int i = 0; i < 10; i++)
		ws_raw_peer_frame(p, 0x81, STR("and more"));
}

static void act_oddly(struct ws_raw_peer *p)
{
	ws_raw_peer_frame(p, 0x83, STR("x"));
}

static void a_choked_peer_cannot_hold_the_library(void)
{
	expect_end_while_choked(ws_raw_peer_half_close, 1006);
	expect_end_while_choked(act_badly, 1007);
	expect_end_while_choked(act_oddly, 1002);
}

static void a_server_may_go_with_choked_peers(void)
{
	struct echo e;
	struct ws_raw_peer *p;

	echo_start(&e, &ECHO_CONFIG);
	p = peer_new(ws_server_port(e.server), WS_RAW_HEAD);
	EVENTUALLY(e.n_opened == 1);
	ws_raw_peer_choke(p, true);
	fill(e.conn);
	ws_conn_close(e.conn, 4112, STR("retry_ms=1700"));
	ws_server_free(e.server);
	for (int i = 0; i < 5; i++)
		turn();
	ws_raw_peer_choke(p, false);
	EVENTUALLY(ws_raw_peer_is_ended(p));
	OK(e.n_closed == 0);
	peer_free(p);
}

/* ---- ports ---- */

static void two_servers_share_a_port(void)
{
	struct echo a, b;
	struct ws_server_config config = ECHO_CONFIG;
	struct ws_raw_peer *p[20];
	char listen[32];

	echo_start(&a, &ECHO_CONFIG);
	snprintf(listen, sizeof(listen), "127.0.0.1:%d", ws_server_port(a.server));
	config.listen = listen;
	echo_start(&b, &config);
	OK(ws_server_port(a.server) == ws_server_port(b.server));
	for (int i = 0; i < 20; i++)
		p[i] = peer_new(ws_server_port(a.server), WS_RAW_HEAD);
	EVENTUALLY(a.n_opened + b.n_opened == 20);
	/* One of them pauses: the other gets all that come now. */
	ws_server_pause(a.server, true);
	for (int i = 0; i < 20; i++)
		peer_free(p[i]);
	EVENTUALLY(a.n_closed + b.n_closed == 20);
	for (int i = 0; i < 20; i++)
		p[i] = peer_new(ws_server_port(a.server), WS_RAW_HEAD);
	EVENTUALLY(a.n_opened + b.n_opened == 40);
	for (int i = 0; i < 20; i++)
		peer_free(p[i]);
	ws_server_free(a.server);
	ws_server_free(b.server);
}

static void ipv6_is_served(void)
{
	struct echo e;
	struct ws_server_config config = ECHO_CONFIG;
	struct ws_raw_peer *p;

	config.listen = "[::]:0";
	echo_start(&e, &config);
	p = peer_new(ws_server_port(e.server), WS_RAW_HEAD);
	EVENTUALLY(e.n_opened == 1);
	OK(strncmp(e.remote, "127.0.0.1:", 10) == 0);
	peer_free(p);
	ws_server_free(e.server);
}

static void bad_addresses_are_faults(void)
{
	static const char *const BAD[] = { "", "8080", "localhost:80",
		"127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "[::1:80", "::1:80", "1.2.3:80" };
	struct ws_server_config config = ECHO_CONFIG;
	struct ws_server *server = NULL;
	struct echo e;

	for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
		struct fault f = { 0 };

		config.listen = BAD[i];
		OK(ws_server_lws_new(&server, bench.host, &config, &ECHO_OPS, &e, bench.metrics,
			   &f) == -EINVAL);
		OK(f.kind == FAULT_FATAL && strstr(f.text, "listen address"));
	}
	OK(!server);
}

static void a_session_may_pause_its_server_from_opened(void)
{
	struct echo e;
	struct ws_raw_peer *a, *b;

	echo_start(&e, &ECHO_CONFIG);
	e.pauses = true;
	a = peer_new(ws_server_port(e.server), WS_RAW_HEAD);
	b = peer_new(ws_server_port(e.server), WS_RAW_HEAD);
	EVENTUALLY(e.n_opened == 1);
	EVENTUALLY(ws_raw_peer_status(b) == 503 || ws_raw_peer_status(a) == 503);
	OK(e.n_opened == 1);
	peer_free(a);
	peer_free(b);
	ws_server_free(e.server);
}

static void out_of_descriptors_accepting_waits(void)
{
	struct echo e;
	struct rlimit was, now;
	struct ws_raw_peer *p;
	int fds[64], n = 0, high;
	int64_t before = metrics_value(bench.metrics, "souk_edge_accept_pauses_total", NULL);

	echo_start(&e, &ECHO_CONFIG);
	p = peer_new(ws_server_port(e.server), WS_RAW_HEAD);
	getrlimit(RLIMIT_NOFILE, &was);
	high = dup(0);
	now = (struct rlimit){ .rlim_cur = (rlim_t)high + 1, .rlim_max = was.rlim_max };
	setrlimit(RLIMIT_NOFILE, &now);
	while (n < 64 && (fds[n] = dup(0)) >= 0)
		n++;
	for (int i = 0; i < 20; i++)
		turn();
	OK(e.n_opened == 0);
	close(high);
	while (n > 0)
		close(fds[--n]);
	setrlimit(RLIMIT_NOFILE, &was);
	EVENTUALLY(e.n_opened == 1);
	peer_free(p);
	p = peer_new(ws_server_port(e.server), WS_RAW_HEAD);
	EVENTUALLY(e.n_opened == 2);
	OK(metrics_value(bench.metrics, "souk_edge_accept_pauses_total", NULL) > before);
	peer_free(p);
	ws_server_free(e.server);
}

/* ---- the real client ---- */

struct caller {
	struct ws_client *client;
	unsigned n_opened, n_texts, n_closed;
	int code, http_status;
	char last[64], why[96];
	size_t last_n;
	bool frees_on_text, frees_on_open, reconnects;
	const struct ws_client_config *config;
};

static void caller_opened(void *ctx)
{
	struct caller *c = ctx;

	c->n_opened++;
	if (c->frees_on_open)
		c->client = ws_client_free(c->client);
}

static void caller_text(void *ctx, struct str message)
{
	struct caller *c = ctx;

	c->n_texts++;
	c->last_n = message.n;
	str_copy(c->last, sizeof(c->last), message);
	if (c->frees_on_text)
		c->client = ws_client_free(c->client);
}

static void caller_closed(void *ctx, int code, int http_status, const char *why)
{
	struct caller *c = ctx;

	c->n_closed++;
	c->code = code;
	c->http_status = http_status;
	snprintf(c->why, sizeof(c->why), "%s", why);
	if (c->reconnects) {
		c->reconnects = false;
		OK(ws_client_connect(c->client, c->config, NULL) == 0);
	}
}

static const struct ws_client_ops CALLER_OPS = { caller_opened, caller_text, caller_closed };

static char url[64];

static struct ws_client_config caller_config(int port)
{
	snprintf(url, sizeof(url), "ws://127.0.0.1:%d/v1/ws?a=b", port);
	return (struct ws_client_config){ .url = url,
		.subprotocol = "souk.v1.json",
		.bearer = "a.b.c",
		.message_max = 16384,
		.queue_max = 1 << 20,
		.connect_timeout_ms = 3000 };
}

static void caller_start(struct caller *c, const struct ws_client_config *config)
{
	*c = (struct caller){ .config = config };
	OK(ws_client_lws_new(&c->client, bench.host, &CALLER_OPS, c) == 0);
	OK(ws_client_connect(c->client, config, NULL) == 0);
	OK(ws_client_connect(c->client, config, NULL) == -EALREADY);
}

static void a_client_talks_to_a_server(void)
{
	struct echo e;
	struct caller c;
	struct ws_client_config config;
	static char large[16384];

	memset(large, 'l', sizeof(large));
	echo_start(&e, &ECHO_CONFIG);
	config = caller_config(ws_server_port(e.server));
	caller_start(&c, &config);
	OK(ws_client_send(c.client, STR("early")) == -ENOTCONN);
	EVENTUALLY(c.n_opened == 1 && e.n_opened == 1);
	OK(strcmp(e.authorization, "Bearer a.b.c") == 0);
	OK(strcmp(e.query, "a=b") == 0);
	OK(ws_client_send(c.client, STR("hello")) == 0);
	EVENTUALLY(c.n_texts == 1);
	OK(strcmp(c.last, "hello") == 0);
	OK(ws_client_send(c.client, (struct str){ large, sizeof(large) }) == 0);
	EVENTUALLY(c.n_texts == 2);
	OK(c.last_n == sizeof(large));
	for (int i = 0; i < 500; i++)
		OK(ws_client_send(c.client, (struct str){ large, 1000 }) == 0);
	EVENTUALLY(e.n_texts == 502);
	ws_client_close(c.client, 1000);
	OK(c.n_closed == 0);
	EVENTUALLY(c.n_closed == 1 && e.n_closed == 1);
	OK(c.code == 1000 && e.code == 1000);
	OK(c.http_status == 0);
	ws_client_free(c.client);
	ws_server_free(e.server);
}

static void a_client_learns_the_servers_close_code(void)
{
	struct echo e;
	struct caller c;
	struct ws_client_config config;

	echo_start(&e, &ECHO_CONFIG);
	config = caller_config(ws_server_port(e.server));
	caller_start(&c, &config);
	EVENTUALLY(c.n_opened == 1);
	OK(ws_client_send(c.client, STR("close 4001")) == 0);
	c.reconnects = true;
	EVENTUALLY(c.n_closed == 1);
	OK(c.code == 4001);
	EVENTUALLY(e.n_closed == 1);
	OK(e.code == 4001);
	EVENTUALLY(c.n_opened == 2);
	ws_client_free(c.client);
	EVENTUALLY(e.n_closed == 2);
	OK(e.code == 1006);
	ws_server_free(e.server);
}

static void a_client_learns_why_it_was_not_let_in(void)
{
	struct echo e;
	struct caller c;
	struct ws_client_config config;
	int port;

	echo_start(&e, &ECHO_CONFIG);
	port = ws_server_port(e.server);
	config = caller_config(port);
	e.admits_with = 403;
	caller_start(&c, &config);
	EVENTUALLY(c.n_closed == 1);
	OK(c.http_status == 403 && c.code == 1006);
	e.admits_with = 0;
	config.subprotocol = "souk.v2.json";
	OK(ws_client_connect(c.client, &config, NULL) == 0);
	EVENTUALLY(c.n_closed == 2);
	OK(c.http_status == 400);
	ws_server_free(e.server);
	OK(ws_client_connect(c.client, &config, NULL) == 0);
	OK(c.n_closed == 2);
	EVENTUALLY(c.n_closed == 3);
	OK(c.http_status == 0 && c.code == 1006);
	OK(c.n_opened == 0);
	ws_client_free(c.client);
}

static void a_client_gives_up_on_a_server_that_does_not_answer(void)
{
	struct caller c;
	struct ws_client_config config;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t n = sizeof(address);

	OK(listen(fd, 1) == 0 && getsockname(fd, (struct sockaddr *)&address, &n) == 0);
	config = caller_config(ntohs(address.sin_port));
	config.connect_timeout_ms = 30;
	caller_start(&c, &config);
	EVENTUALLY(c.n_closed == 1);
	OK(c.code == 1006 && strstr(c.why, "in time"));
	/* Closing and freeing while connecting. */
	config.connect_timeout_ms = 60000;
	OK(ws_client_connect(c.client, &config, NULL) == 0);
	ws_client_close(c.client, 1000);
	EVENTUALLY(c.n_closed == 2);
	OK(ws_client_connect(c.client, &config, NULL) == 0);
	turn();
	ws_client_free(c.client);
	for (int i = 0; i < 5; i++)
		turn();
	OK(c.n_closed == 2);
	close(fd);
}

static void a_client_may_be_freed_in_its_callbacks(void)
{
	struct echo e;
	struct caller c;
	struct ws_client_config config;

	echo_start(&e, &ECHO_CONFIG);
	config = caller_config(ws_server_port(e.server));
	caller_start(&c, &config);
	c.frees_on_open = true;
	EVENTUALLY(c.n_opened == 1 && e.n_closed == 1);
	caller_start(&c, &config);
	c.frees_on_text = true;
	EVENTUALLY(c.n_opened == 1);
	OK(ws_client_send(c.client, STR("x")) == 0);
	EVENTUALLY(c.n_texts == 1 && e.n_closed == 2);
	OK(c.n_closed == 0);
	ws_server_free(e.server);
}

static void a_clients_bounds_hold(void)
{
	struct echo e;
	struct caller c;
	struct ws_client_config config;
	static char text[2000];
	int r = 0, n = 0;

	memset(text, 't', sizeof(text));
	echo_start(&e, &ECHO_CONFIG);
	config = caller_config(ws_server_port(e.server));
	config.queue_max = 5000;
	config.message_max = 1999;
	caller_start(&c, &config);
	EVENTUALLY(c.n_opened == 1);
	/* The server's loop is ours and stands still: the socket fills up, then the queue. */
	while (r == 0 && n++ < 100000)
		r = ws_client_send(c.client, (struct str){ text, 1000 });
	OK(r == -ENOBUFS);
	EVENTUALLY(e.n_texts == (unsigned)n - 1);
	OK(ws_client_send(c.client, (struct str){ text, 2000 }) == 0);
	EVENTUALLY(c.n_closed == 1);
	OK(c.code == 1009);
	EVENTUALLY(e.n_closed == 1);
	OK(e.code == 1009);
	ws_client_free(c.client);
	ws_server_free(e.server);
}

static void a_thousand_clients_share_a_host(void)
{
	enum { N = 1000 };
	struct echo e;
	static struct caller c[N];
	struct ws_client_config config;
	unsigned n = 0;

	echo_start(&e, &ECHO_CONFIG);
	config = caller_config(ws_server_port(e.server));
	for (int i = 0; i < N; i++)
		caller_start(&c[i], &config);
	EVENTUALLY(e.n_opened == N);
	OK(ws_server_count(e.server) == N);
	for (int i = 0; i < N; i++) {
		EVENTUALLY(c[i].n_opened == 1);
		OK(ws_client_send(c[i].client, STR("close 4001")) == 0 || c[i].n_closed);
	}
	for (int i = 0; i < N; i++) {
		c[i].client = ws_client_free(c[i].client);
		n += c[i].n_opened;
	}
	OK(n == N);
	EVENTUALLY(ws_server_count(e.server) == 0);
	OK(e.n_closed == N);
	ws_server_free(e.server);
}

static void bad_urls_are_faults(void)
{
	static const char *const BAD[] = { "http://x/", "ws://", "ws://:80/", "ws://x:0/",
		"ws://x:65536/", "ws://x:a/", "ws://x y/", "ws://x/a b" };
	struct caller c = { 0 };
	struct ws_client_config config = caller_config(1);

	OK(ws_client_lws_new(&c.client, bench.host, &CALLER_OPS, &c) == 0);
	for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
		struct fault f = { 0 };

		config.url = BAD[i];
		if (!OK(ws_client_connect(c.client, &config, &f) == -EINVAL &&
			    f.kind == FAULT_FATAL))
			fprintf(stderr, "# %s\n", BAD[i]);
	}
	config = caller_config(1);
	config.bearer = "evil\r\nX: y";
	OK(ws_client_connect(c.client, &config, NULL) == -EINVAL);
	OK(c.n_closed == 0);
	ws_client_free(c.client);
}

/* ---- the admin port ---- */

struct probed {
	bool is_ready, has_note;
	size_t metrics_n;
};

static bool probed_is_ready(void *ctx, struct buf *why)
{
	struct probed *p = ctx;

	if (!p->is_ready)
		buf_puts(why, STR("kafka: no broker has answered for 4 s\nredis: down\n"));
	if (p->has_note)
		buf_puts(why, STR("rules: refused\n"));
	return p->is_ready;
}

static void probed_metrics(void *ctx, struct buf *out)
{
	for (size_t i = 0; i < ((struct probed *)ctx)->metrics_n; i++)
		buf_puts(out, STR("souk_x 1\n"));
}

static const struct admin_ops ADMIN_OPS = { .is_ready = probed_is_ready,
	.metrics = probed_metrics };

static void ask(int port, const char *request, int status, const char *needle, size_t answer_min)
{
	struct ws_raw_peer *p = peer_new(port, request);

	EVENTUALLY(ws_raw_peer_is_ended(p));
	if (!OK(ws_raw_peer_status(p) == status && strlen(ws_raw_peer_answer(p)) >= answer_min &&
		    (!needle || strstr(ws_raw_peer_answer(p), needle))))
		fprintf(stderr, "# %s# %.300s\n", request, ws_raw_peer_answer(p));
	peer_free(p);
}

static void the_admin_port_answers_probes_and_scrapes(void)
{
	struct probed probed = { .metrics_n = 100000 };
	struct admin *a = NULL;
	struct ws_raw_peer *slow;
	int port;

	OK(admin_new(&a, bench.host, "127.0.0.1:0", &ADMIN_OPS, &probed, NULL) == 0);
	port = admin_port(a);
	ask(port, "GET /livez HTTP/1.1\r\nHost: souk-00000001\r\n\r\n", 200, "\r\n\r\nok\n", 0);
	ask(port, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", 503, "for 4 s\nredis: down\n", 0);
	ask(port, "GET /startupz HTTP/1.1\r\nHost: x\r\n\r\n", 503, "redis: down", 0);
	probed.is_ready = true;
	ask(port, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", 200, "\r\n\r\nok\n", 0);
	probed.has_note = true;
	ask(port, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", 200, "\r\n\r\nok\nrules: refused\n",
		0);
	probed.has_note = false;
	ask(port, "GET /startupz HTTP/1.1\r\nHost: x\r\n\r\n", 200, "\r\n\r\nok\n", 0);
	probed.is_ready = false;
	ask(port, "GET /startupz HTTP/1.1\r\nHost: x\r\n\r\n", 200, "\r\n\r\nok\n", 0);
	ask(port, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 200, "text/plain; version=0.0.4",
		900000);
	ask(port, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 200, "Content-Length: 900000\r\n",
		0);
	ask(port, "GET /metrics?x=1 HTTP/1.0\r\n\r\n", 200, NULL, 900000);
	ask(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 404, NULL, 0);
	ask(port, "POST /livez HTTP/1.1\r\nHost: x\r\n\r\n", 405, "Allow: GET, HEAD", 0);
	ask(port, "nonsense\r\n\r\n", 400, NULL, 0);
	/* A reader that takes its time gets all of it. */
	slow = peer_new(port, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	ws_raw_peer_choke(slow, true);
	for (int i = 0; i < 10; i++)
		turn();
	ws_raw_peer_choke(slow, false);
	EVENTUALLY(ws_raw_peer_is_ended(slow));
	OK(strlen(ws_raw_peer_answer(slow)) > 900000);
	peer_free(slow);
	admin_free(a);
	OK(admin_new(&a, bench.host, "", &ADMIN_OPS, &probed, NULL) == 0);
	OK(admin_port(a) == 0);
	admin_free(a);
}

static void an_admin_port_in_use_is_a_fault(void)
{
	struct probed probed = { 0 };
	struct admin *a = NULL, *b = NULL;
	struct fault f = { 0 };
	char listen[32];

	OK(admin_new(&a, bench.host, "127.0.0.1:0", &ADMIN_OPS, &probed, NULL) == 0);
	snprintf(listen, sizeof(listen), "127.0.0.1:%d", admin_port(a));
	OK(admin_new(&b, bench.host, listen, &ADMIN_OPS, &probed, &f) == -EADDRINUSE);
	OK(f.kind == FAULT_FATAL && strstr(f.text, listen));
	admin_free(a);
}

/* ---- */

struct own_case {
	const char *name;
	void (*run)(void);
};

#define CASE(fn) \
	{ \
#fn, fn \
	}

static const struct own_case CASES[] = {
	CASE(refusals_are_http_answers),
	CASE(a_large_refused_upload_does_not_take_the_answer_back),
	CASE(a_head_in_single_bytes_is_a_head),
	CASE(frames_right_behind_the_head_are_not_lost),
	CASE(the_session_learns_what_the_head_said),
	CASE(slow_heads_are_dropped_in_time_whatever_they_trickle),
	CASE(too_many_heads_on_their_way_cost_the_oldest_its_place),
	CASE(a_server_without_a_subprotocol_chooses_none),
	CASE(a_choked_peer_cannot_hold_the_library),
	CASE(a_server_may_go_with_choked_peers),
	CASE(two_servers_share_a_port),
	CASE(ipv6_is_served),
	CASE(bad_addresses_are_faults),
	CASE(a_session_may_pause_its_server_from_opened),
	CASE(out_of_descriptors_accepting_waits),
	CASE(a_client_talks_to_a_server),
	CASE(a_client_learns_the_servers_close_code),
	CASE(a_client_learns_why_it_was_not_let_in),
	CASE(a_client_gives_up_on_a_server_that_does_not_answer),
	CASE(a_client_may_be_freed_in_its_callbacks),
	CASE(a_clients_bounds_hold),
	CASE(a_thousand_clients_share_a_host),
	CASE(bad_urls_are_faults),
	CASE(the_admin_port_answers_probes_and_scrapes),
	CASE(an_admin_port_in_use_is_a_fault),
};

static void report(unsigned i, const char *name, unsigned before)
{
	printf("%s %u - %s\n", bench.failures == before ? "ok" : "not ok", i, name);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : NULL;
	unsigned n = 0;

	if (loop_ev_new(&bench.loop) || lws_host_new(&bench.host, bench.loop, NULL) ||
		metrics_new(&bench.metrics, 200)) {
		printf("Bail out! no loop, no libwebsockets or no memory\n");
		return 1;
	}
	bench.timer = loop_timer_new(bench.loop, stop, bench.loop);
	if (!only)
		printf("1..%zu\n", N_WS_SUITE_CASES + ARRAY_LEN(CASES));
	for (size_t i = 0; i < N_WS_SUITE_CASES; i++) {
		unsigned before = bench.failures;

		n++;
		if (only && strcmp(only, WS_SUITE_CASES[i].name) != 0)
			continue;
		run_suite_case(&WS_SUITE_CASES[i]);
		report(n, WS_SUITE_CASES[i].name, before);
	}
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		unsigned before = bench.failures;

		n++;
		if (only && strcmp(only, CASES[i].name) != 0)
			continue;
		CASES[i].run();
		report(n, CASES[i].name, before);
	}
	lws_host_free(bench.host);
	metrics_free(bench.metrics);
	loop_timer_free(bench.timer);
	loop_free(bench.loop);
	return bench.failures ? 1 : 0;
}
