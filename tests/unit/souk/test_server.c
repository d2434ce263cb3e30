/* The demo's HTTP as a client on the wire sees it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "souk/demo/storefront/assets.h"
#include "souk/demo/storefront/server.h"

#define TURNS_MAX 5000

static struct loop *loop;
static struct metrics *metrics;
static struct server *server;
static char answer[1 << 20];
static size_t answer_n;
static int client;
static unsigned turns;

static int echo(void *ctx, struct str query, struct buf *body)
{
	const int status = *(const int *)ctx;

	buf_printf(body, "{\"query\":\"" STR_FMT "\"}", STR_ARG(query));
	return status;
}

static int too_much(void *ctx, struct str query, struct buf *body)
{
	(void)ctx;
	(void)query;
	for (int i = 0; i <= SERVER_BODY_MAX; i += 64)
		buf_puts(body,
			STR("................................................................"));
	return 200;
}

static int fine = 200, absent = 404;

static void setup(void)
{
	struct fault f = { 0 };

	cr_assert(zero(int, loop_ev_new(&loop)));
	cr_assert(zero(int, metrics_new(&metrics, 64)));
	cr_assert(zero(int, server_new(&server, loop,
				    &(struct server_config){ .listen = "127.0.0.1:0",
					    .ws_origin = "ws://127.0.0.1:4711" },
				    metrics, &f)),
		"%s", f.text);
	server_get(server, "/api/echo", echo, &fine);
	server_get(server, "/api/absent", echo, &absent);
	server_get(server, "/api/too-much", too_much, NULL);
}

static void teardown(void)
{
	server_free(server);
	metrics_free(metrics);
	loop_free(loop);
}

TestSuite(server, .init = setup, .fini = teardown);

static void on_turn(void *ctx)
{
	(void)ctx;
	for (;;) {
		const ssize_t n = recv(
			client, answer + answer_n, sizeof(answer) - 1 - answer_n, MSG_DONTWAIT);

		if (n > 0) {
			answer_n += (size_t)n;
			continue;
		}
		if (n == 0 || (errno != EAGAIN && errno != EINTR) || ++turns > TURNS_MAX)
			loop_stop(loop);
		return;
	}
}

/* The whole answer to @request; its status. */
static int ask(const char *request)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)server_port(server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct loop_timer *turn = loop_timer_new(loop, on_turn, NULL);
	int status = 0;

	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert(zero(int, connect(client, (struct sockaddr *)&to, sizeof(to))));
	cr_assert(eq(
		long, send(client, request, strlen(request), MSG_NOSIGNAL), (long)strlen(request)));
	answer_n = turns = 0;
	loop_timer_repeat(turn, 1);
	loop_run(loop);
	loop_timer_free(turn);
	close(client);
	answer[answer_n] = '\0';
	cr_assert(turns <= TURNS_MAX, "no end of an answer");
	cr_assert(eq(int, sscanf(answer, "HTTP/1.1 %d ", &status), 1), "%s", answer);
	return status;
}

static const char *body_of(void)
{
	const char *end = strstr(answer, "\r\n\r\n");

	cr_assert(end != NULL);
	return end + 4;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

Test(server, the_root_is_the_shop)
{
	cr_assert(eq(int, ask(GET("/")), 200));
	cr_expect(strstr(answer, "Content-Type: text/html; charset=utf-8\r\n") != NULL);
	cr_expect(strstr(body_of(), "<title>") != NULL);
}

Test(server, every_file_is_served_whole_under_its_path)
{
	for (size_t i = 0; i < n_assets; i++) {
		char request[256];

		snprintf(request, sizeof(request), GET("%s"), assets[i].path);
		cr_expect(eq(int, ask(request), 200), "%s", assets[i].path);
		cr_expect(eq(sz, answer_n - (size_t)(body_of() - answer), assets[i].n), "%s",
			assets[i].path);
		cr_expect(memcmp(body_of(), assets[i].p, assets[i].n) == 0, "%s", assets[i].path);
	}
}

Test(server, every_answer_is_strict)
{
	static const char *const requests[] = { GET("/"), GET("/nothing"), GET("/api/echo"),
		"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", "nonsense\r\n\r\n" };

	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		ask(requests[i]);
		cr_expect(strstr(answer, "Content-Security-Policy: default-src 'none'; "
					 "script-src 'self'; style-src 'self'; ") != NULL,
			"%s", requests[i]);
		cr_expect(strstr(answer, "connect-src 'self' ws://127.0.0.1:4711; ") != NULL);
		cr_expect(strstr(answer, "X-Content-Type-Options: nosniff\r\n") != NULL);
		cr_expect(strstr(answer, "Referrer-Policy: no-referrer\r\n") != NULL);
		cr_expect(strstr(answer, "unsafe") == NULL);
	}
}

Test(server, only_the_names_of_loopback_are_answered)
{
	static const struct {
		const char *host;
		int status;
	} cases[] = {
		{ "localhost", 200 },
		{ "localhost:8080", 200 },
		{ "127.0.0.1:8080", 200 },
		{ "[::1]:8080", 200 },
		{ "evil.example", 421 },
		{ "localhost.evil.example", 421 },
		{ "127.0.0.1.evil.example", 421 },
		{ "", 421 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char request[256];

		snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n",
			cases[i].host);
		cr_expect(eq(int, ask(request), cases[i].status), "%s", cases[i].host);
	}
	cr_expect(eq(int, ask("GET / HTTP/1.1\r\n\r\n"), 400));
	cr_expect(
		eq(int, ask("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"), 400));
}

Test(server, what_is_not_there_is_not_found_and_what_is_cannot_be_written)
{
	cr_expect(eq(int, ask(GET("/nothing")), 404));
	cr_expect(eq(int, ask(GET("/js")), 404));
	cr_expect(eq(int, ask(GET("/../meson.build")), 404));
	cr_expect(eq(int, ask("POST /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"), 404));
	cr_expect(eq(int, ask("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n"), 405));
	cr_expect(strstr(answer, "Allow: GET, HEAD\r\n") != NULL);
	cr_expect(eq(int, ask("DELETE /api/echo HTTP/1.1\r\nHost: localhost\r\n\r\n"), 405));
}

Test(server, head_has_the_length_and_no_body)
{
	char length[64];

	ask(GET("/shop.css"));
	snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(body_of()));
	cr_expect(eq(int, ask("HEAD /shop.css HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200));
	cr_expect(strstr(answer, length) != NULL);
	cr_expect(eq(str, (char *)body_of(), ""));
}

Test(server, a_file_that_is_known_is_not_sent_again)
{
	char etag[64], request[256];
	const char *at;

	ask(GET("/shop.css"));
	cr_expect(strstr(answer, "Cache-Control: no-cache\r\n") != NULL);
	at = strstr(answer, "ETag: ");
	cr_assert(at != NULL && sscanf(at, "ETag: %63s", etag) == 1);
	snprintf(request, sizeof(request),
		"GET /shop.css HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"x\", %s\r\n\r\n",
		etag);
	cr_expect(eq(int, ask(request), 304));
	cr_expect(eq(str, (char *)body_of(), ""));
	cr_expect(eq(int,
		ask("GET /shop.css HTTP/1.1\r\nHost: localhost\r\n"
		    "If-None-Match: \"x\"\r\n\r\n"),
		200));
}

Test(server, a_handler_gets_the_query_and_its_status_counts)
{
	cr_expect(eq(int, ask(GET("/api/echo?a=1&b=%20")), 200));
	cr_expect(eq(str, (char *)body_of(), "{\"query\":\"a=1&b=%20\"}"));
	cr_expect(strstr(answer, "Content-Type: application/json; charset=utf-8\r\n") != NULL);
	cr_expect(strstr(answer, "Cache-Control: no-store\r\n") != NULL);
	cr_expect(eq(int, ask(GET("/api/echo")), 200));
	cr_expect(eq(str, (char *)body_of(), "{\"query\":\"\"}"));
	cr_expect(eq(int, ask(GET("/api/absent")), 404));
	cr_expect(eq(int, ask(GET("/api/too-much")), 500));
	cr_expect(eq(str, (char *)body_of(), ""));
	cr_expect(eq(i64, metrics_value(metrics, "souk_storefront_requests_total", "2xx"), 3));
	cr_expect(eq(i64, metrics_value(metrics, "souk_storefront_requests_total", "4xx"), 1));
}

Test(server, a_parameter_is_found_and_decoded)
{
	static const struct {
		const char *query;
		int r;
		const char *value;
	} cases[] = {
		{ "as=gold", 0, "gold" },
		{ "x=1&as=a%2Fb+c", 0, "a/b c" },
		{ "as=first&as=second", 0, "first" },
		{ "as=", 0, "" },
		{ "", -ENOENT, "" },
		{ "bas=1", -ENOENT, "" },
		{ "as", -ENOENT, "" },
		{ "assets=1", -ENOENT, "" },
		{ "as=%2", -EINVAL, "" },
		{ "as=%zz", -EINVAL, "" },
		{ "as=a%00b", -EINVAL, "" },
		{ "as=0123456789abcde", 0, "0123456789abcde" },
		{ "as=0123456789abcdef", -ENAMETOOLONG, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char value[16] = "before";

		cr_expect(eq(int, server_param(str_of(cases[i].query), "as", value, sizeof(value)),
				  cases[i].r),
			"%s", cases[i].query);
		cr_expect(eq(str, value, (char *)cases[i].value), "%s", cases[i].query);
	}
	char value[16];

	cr_expect(eq(int, server_param(STR_NONE, "as", value, sizeof(value)), -ENOENT));
}

Test(server, a_port_in_use_is_a_fault)
{
	struct server *second = NULL;
	struct fault f = { 0 };
	char listen[32];

	snprintf(listen, sizeof(listen), "127.0.0.1:%d", server_port(server));
	cr_expect(eq(int,
		server_new(&second, loop,
			&(struct server_config){ .listen = listen, .ws_origin = "" }, metrics, &f),
		-EADDRINUSE));
	cr_expect(strstr(f.text, listen) != NULL);
}
