/*
 * Four paths over http_server.h. The answer is kept whole in memory until it is written: the
 * metrics of a busy role are some hundred kilobytes.
 */
#include "common/io/admin.h"

#include <errno.h>
#include <stdlib.h>

#include "common/io/http_server.h"

#define ANSWER_MAX          (8 * 1024 * 1024)
#define NOTES_MAX           65536
#define CLIENTS_MAX         64 /* probes and scrapers; the oldest makes room */
#define EXCHANGE_TIMEOUT_MS 10000

struct admin {
	struct http_server *server; /* NULL: none was wanted */
	const struct admin_ops *ops;
	void *ctx;
	bool is_started;
};

static bool is_started(struct admin *a, struct buf *why)
{
	if (!a->is_started)
		a->is_started = a->ops->is_started ? a->ops->is_started(a->ctx, why)
						   : a->ops->is_ready(a->ctx, why);
	return a->is_started;
}

static int ok_or_causes(bool is_good, struct buf *body)
{
	CLEANUP(buf_fini) struct buf notes = BUF_INIT(NOTES_MAX);

	if (!is_good)
		return 503;
	buf_puts(&notes, buf_str(body));
	buf_clear(body);
	buf_puts(body, STR("ok\n"));
	buf_puts(body, buf_str(&notes));
	return 200;
}

/* Fills @body and returns the HTTP status. */
static int answer(struct admin *a, const struct http_head *h, struct buf *body)
{
	bool is_metrics = str_eq(h->path, STR("/metrics")),
	     is_ready = str_eq(h->path, STR("/readyz")),
	     is_startup = str_eq(h->path, STR("/startupz")),
	     is_live = str_eq(h->path, STR("/livez"));

	if (!is_metrics && !is_ready && !is_startup && !is_live) {
		buf_puts(body, STR("not found\n"));
		return 404;
	}
	if (!str_eq(h->method, STR("GET")) && !str_eq(h->method, STR("HEAD"))) {
		buf_puts(body, STR("want GET\n"));
		return 405;
	}
	if (is_ready)
		return ok_or_causes(a->ops->is_ready(a->ctx, body), body);
	if (is_startup)
		return ok_or_causes(is_started(a, body), body);
	if (is_live)
		return ok_or_causes(true, body);
	a->ops->metrics(a->ctx, body);
	return 200;
}

static void on_request(void *ctx, const struct http_head *h, struct http_answer *a)
{
	a->status = answer(ctx, h, &a->body);
}

int admin_new(struct admin **ret, struct lws_host *host, const char *listen,
	const struct admin_ops *ops, void *ctx, struct fault *f)
{
	struct admin *a = calloc(1, sizeof(*a));
	int r = 0;

	if (!a)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	a->ops = ops;
	a->ctx = ctx;
	if (listen[0])
		r = http_server_new(&a->server, lws_host_loop(host),
			&(struct http_server_config){
				.listen = listen,
				.headers = "Cache-Control: no-store\r\n"
					   "Content-Type: text/plain; version=0.0.4; "
					   "charset=utf-8\r\n",
				.clients_max = CLIENTS_MAX,
				.body_max = ANSWER_MAX,
				.timeout_ms = EXCHANGE_TIMEOUT_MS,
			},
			on_request, a, f);
	if (r) {
		free(a);
		return r;
	}
	*ret = a;
	return 0;
}

struct admin *admin_free(struct admin *a)
{
	if (!a)
		return NULL;
	http_server_free(a->server);
	free(a);
	return NULL;
}

int admin_port(const struct admin *a)
{
	return a->server ? http_server_port(a->server) : 0;
}
