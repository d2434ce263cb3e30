/*
 * What edge_python.py drives: `ws_tool serve LISTEN` prints its port and echoes until its standard
 * input ends ("close CODE REASON" closes); `ws_tool call URL` sends "hello" and prints what becomes
 * of it.
 */
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io/lws_host.h"
#include "common/io/ws_client.h"
#include "common/io/ws_server.h"

static struct loop *loop;

/* ---- serve ---- */

static void *on_opened(void *ctx, struct ws_conn *c, const struct ws_conn_info *info)
{
	(void)ctx;
	(void)info;
	return c;
}

static void on_text(void *session, struct str message)
{
	char text[256], *reason;
	long code;

	if (!str_starts(message, STR("close ")) || str_copy(text, sizeof(text), message)) {
		(void)!ws_conn_write(session, message);
		return;
	}
	code = strtol(text + 6, &reason, 10);
	ws_conn_close(session, (int)code, str_of(*reason ? reason + 1 : ""));
}

static void on_nothing(void *session)
{
	(void)session;
}

static void on_closed(void *session, int code)
{
	(void)session;
	printf("closed %d\n", code);
	fflush(stdout);
}

static const struct ws_server_ops SERVER_OPS = { on_opened, on_text, on_nothing, on_nothing,
	on_closed };

static void on_stdin(struct ev_loop *ev, ev_io *w, int revents)
{
	char dropped[64];

	(void)ev;
	(void)revents;
	if (read(w->fd, dropped, sizeof(dropped)) <= 0)
		loop_stop(loop);
}

static int serve(struct lws_host *host, const char *listen)
{
	CLEANUP(metrics_free) struct metrics *m = NULL;
	CLEANUP(ws_server_free) struct ws_server *server = NULL;
	struct fault f = { 0 };
	struct ws_server_config config = { .listen = listen,
		.path = "/v1/ws",
		.subprotocol = "souk.v1.json",
		.message_max = 16384,
		.conns_max = 1000 };
	ev_io input;

	if (metrics_new(&m, 100) ||
		ws_server_lws_new(&server, host, &config, &SERVER_OPS, NULL, m, &f)) {
		fprintf(stderr, "%s\n", f.text);
		return 1;
	}
	printf("port %d\n", ws_server_port(server));
	fflush(stdout);
	ev_io_init(&input, on_stdin, 0, EV_READ);
	ev_io_start(loop_ev(loop), &input);
	loop_run(loop);
	return 0;
}

/* ---- call ---- */

static struct ws_client *client;

static void called_opened(void *ctx)
{
	(void)ctx;
	printf("opened\n");
	(void)!ws_client_send(client, STR("hello"));
}

static void called_text(void *ctx, struct str message)
{
	(void)ctx;
	printf("text " STR_FMT "\n", STR_ARG(message));
	ws_client_close(client, 1000);
}

static void called_closed(void *ctx, int code, int http_status, const char *why)
{
	(void)ctx;
	printf("closed %d %d %s\n", code, http_status, why);
	loop_stop(loop);
}

static const struct ws_client_ops CLIENT_OPS = { called_opened, called_text, called_closed };

static int call(struct lws_host *host, const char *url)
{
	struct fault f = { 0 };
	struct ws_client_config config = { .url = url,
		.subprotocol = "souk.v1.json",
		.bearer = "a.b.c",
		.message_max = 16384,
		.queue_max = 16384,
		.connect_timeout_ms = 5000 };

	if (ws_client_lws_new(&client, host, &CLIENT_OPS, NULL) ||
		ws_client_connect(client, &config, &f)) {
		fprintf(stderr, "%s\n", f.text);
		return 1;
	}
	loop_run(loop);
	ws_client_free(client);
	return 0;
}

int main(int argc, char **argv)
{
	struct lws_host *host = NULL;
	struct fault f = { 0 };
	int r;

	if (argc != 3 || loop_ev_new(&loop))
		return 2;
	if (lws_host_new(&host, loop, &f)) {
		fprintf(stderr, "%s\n", f.text);
		return 2;
	}
	r = strcmp(argv[1], "serve") == 0 ? serve(host, argv[2]) : call(host, argv[2]);
	lws_host_free(host);
	loop_free(loop);
	return r;
}
