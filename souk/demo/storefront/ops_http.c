/*
 * libcurl's multi interface on our loop: it says which sockets and which timeout it wants, we tell
 * it what happened. curl_multi_* must not be called from inside its own callbacks, and a transfer's
 * end is told after the call that made it so; hence `finish` after each action.
 */
#include "souk/demo/storefront/ops_http.h"

#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>

#include <curl/curl.h>

struct slot {
	CURL *easy; /* made at first use, kept */
	bool is_due;
	struct buf body;
};

/* A socket that curl wants to be watched. */
struct watch {
	struct ops_http *http;
	ev_io io;
	bool is_used;
};

struct ops_http {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer *timer;
	struct slot slot[OPS_HTTP_SLOTS_MAX];
	struct watch watch[2 * OPS_HTTP_SLOTS_MAX]; /* an old connection may linger beside a new */
	ops_http_fn fn;
	void *ctx;
};

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct slot *s = ctx;

	buf_put(&s->body, p, size * n);
	return s->body.failed ? 0 : size * n; /* 0: ends the transfer with an error */
}

static void stop(struct ops_http *h, struct slot *s)
{
	if (s->is_due)
		curl_multi_remove_handle(h->multi, s->easy);
	s->is_due = false;
}

static void finish(struct ops_http *h)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		struct slot *s = NULL;
		long status = 0;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&s);
		if (m->data.result == CURLE_OK)
			curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &status);
		stop(h, s); /* @m is gone with it */
		h->fn(h->ctx, (size_t)(s - h->slot), (int)status, buf_str(&s->body));
	}
}

/* ---- curl's wishes ---- */

static void on_ready(struct ev_loop *ev, ev_io *io, int revents)
{
	struct watch *w = io->data;
	struct ops_http *h = w->http;
	const int what = (revents & EV_READ ? CURL_CSELECT_IN : 0) |
			 (revents & EV_WRITE ? CURL_CSELECT_OUT : 0);
	int running;

	(void)ev;
	curl_multi_socket_action(h->multi, io->fd, what, &running);
	finish(h);
}

static struct watch *watch_new(struct ops_http *h)
{
	for (size_t i = 0; i < ARRAY_LEN(h->watch); i++) {
		struct watch *w = &h->watch[i];

		if (w->is_used)
			continue;
		*w = (struct watch){ .http = h, .is_used = true };
		ev_init(&w->io, on_ready);
		w->io.data = w;
		return w;
	}
	return NULL;
}

/* Without a watch the transfer only ends by its timeout, which is an answer too. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct ops_http *h = ctx;
	struct watch *w = socket_ctx;

	(void)easy;
	if (!w && what != CURL_POLL_REMOVE)
		w = watch_new(h);
	if (!w)
		return 0;
	ev_io_stop(loop_ev(h->loop), &w->io);
	if (what == CURL_POLL_REMOVE) {
		w->is_used = false;
		return 0;
	}
	ev_io_set(&w->io, fd,
		(what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
	ev_io_start(loop_ev(h->loop), &w->io);
	curl_multi_assign(h->multi, fd, w);
	return 0;
}

static int on_timeout_wish(CURLM *multi, long delay_ms, void *ctx)
{
	struct ops_http *h = ctx;

	(void)multi;
	if (delay_ms < 0)
		loop_timer_stop(h->timer);
	else
		loop_timer_start(h->timer, delay_ms);
	return 0;
}

static void on_timeout(void *ctx)
{
	struct ops_http *h = ctx;
	int running;

	curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish(h);
}

/* ---- life ---- */

int ops_http_new(struct ops_http **ret, struct loop *loop, ops_http_fn fn, void *ctx)
{
	struct ops_http *h;

	if (curl_global_init(CURL_GLOBAL_DEFAULT)) /* counted by curl */
		return -EIO;
	h = calloc(1, sizeof(*h));
	if (!h) {
		curl_global_cleanup();
		return -ENOMEM;
	}
	h->loop = loop;
	h->fn = fn;
	h->ctx = ctx;
	h->multi = curl_multi_init();
	h->timer = loop_timer_new(loop, on_timeout, h);
	if (!h->multi || !h->timer) {
		ops_http_free(h);
		return -ENOMEM;
	}
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wish);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	*ret = h;
	return 0;
}

struct ops_http *ops_http_free(struct ops_http *h)
{
	if (!h)
		return NULL;
	for (size_t i = 0; i < OPS_HTTP_SLOTS_MAX; i++) {
		stop(h, &h->slot[i]);
		curl_easy_cleanup(h->slot[i].easy);
		buf_fini(&h->slot[i].body);
	}
	curl_multi_cleanup(h->multi);
	for (size_t i = 0; i < ARRAY_LEN(h->watch); i++)
		if (h->watch[i].is_used)
			ev_io_stop(loop_ev(h->loop), &h->watch[i].io);
	loop_timer_free(h->timer);
	free(h);
	curl_global_cleanup();
	return NULL;
}

/* The roles close after each answer, so nothing is gained by keeping a connection. */
static CURL *easy_new(struct slot *s)
{
	CURL *e = curl_easy_init();

	if (!e)
		return NULL;
	curl_easy_setopt(e, CURLOPT_PRIVATE, s);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)OPS_HTTP_TIMEOUT_MS);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http");
	return e;
}

int ops_http_get(struct ops_http *h, size_t slot, int port, const char *path, size_t max)
{
	struct slot *s = &h->slot[slot];
	char url[128];

	assert(slot < OPS_HTTP_SLOTS_MAX);
	stop(h, s);
	if (!s->easy && !(s->easy = easy_new(s)))
		return -ENOMEM;
	buf_clear(&s->body);
	s->body.max = max;
	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", port, path);
	curl_easy_setopt(s->easy, CURLOPT_URL, url);
	if (curl_multi_add_handle(h->multi, s->easy))
		return -ENOMEM;
	s->is_due = true;
	return 0;
}
