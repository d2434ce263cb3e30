/*
 * Pages are revalidated at each load (`no-cache` and a strong ETag of their bytes): the binary may
 * be another one tomorrow on the same port. Data is never kept.
 *
 * The Host check is what keeps a page of elsewhere from reading our answers after its name was made
 * to point at 127.0.0.1; without CORS headers a page that calls us by our right name cannot read
 * them either.
 */
#include "souk/demo/storefront/server.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/crypto.h"
#include "common/io/http_server.h"
#include "souk/demo/storefront/assets.h"

#define CLIENTS_MAX 128 /* browsers open six each */
#define TIMEOUT_MS  20000
#define ETAG_MAX    40

struct route {
	const char *path;
	server_fn fn;
	void *ctx;
};

struct server {
	struct http_server *http;
	struct route routes[SERVER_ROUTES_MAX];
	size_t n_routes;
	char (*etags)[ETAG_MAX]; /* of assets */
	struct counter *requests[4];
};

static const struct metric_def REQUESTS = { "souk_storefront_requests_total", METRIC_COUNTER,
	"HTTP requests, by the first digit of their answer.", "status" };

/* ---- what is asked for ---- */

static bool is_loopback(struct str host)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct str name = str_of(names[i]);

		if (str_starts(host, name) && (host.n == name.n || host.p[name.n] == ':'))
			return true;
	}
	return false;
}

static const struct asset *asset_of(struct str path)
{
	if (str_eq(path, STR("/")))
		path = STR("/index.html");
	else if (str_eq(path, STR("/ops")))
		path = STR("/ops.html");
	for (size_t i = 0; i < n_assets; i++)
		if (str_eqz(path, assets[i].path))
			return &assets[i];
	return NULL;
}

static const struct route *route_of(const struct server *s, struct str path)
{
	for (size_t i = 0; i < s->n_routes; i++)
		if (str_eqz(path, s->routes[i].path))
			return &s->routes[i];
	return NULL;
}

static const char *type_of(const char *path)
{
	static const char *const types[][2] = {
		{ ".html", "text/html" },
		{ ".css", "text/css" },
		{ ".js", "text/javascript" },
		{ ".svg", "image/svg+xml" },
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < ARRAY_LEN(types); i++)
		if (strcmp(dot, types[i][0]) == 0)
			return types[i][1];
	return "text/plain";
}

/* ---- answers ---- */

static void say(struct http_answer *a, int status, const char *text)
{
	a->status = status;
	buf_puts(&a->head, STR("Content-Type: text/plain; charset=utf-8\r\n"
			       "Cache-Control: no-store\r\n"));
	buf_printf(&a->body, "%s\n", text);
}

static void give_asset(const struct server *s, const struct asset *asset, const struct http_head *h,
	struct http_answer *a)
{
	const char *etag = s->etags[asset - assets];

	buf_printf(&a->head, "Cache-Control: no-cache\r\nETag: %s\r\n", etag);
	if (http_head_has_token(h, "if-none-match", str_of(etag), false)) {
		a->status = 304;
		return;
	}
	buf_printf(&a->head, "Content-Type: %s; charset=utf-8\r\n", type_of(asset->path));
	buf_put(&a->body, asset->p, asset->n);
}

static void on_request(void *ctx, const struct http_head *h, struct http_answer *a)
{
	struct server *s = ctx;
	const struct asset *asset = asset_of(h->path);
	const struct route *route = route_of(s, h->path);
	struct str host;

	if (http_head_get(h, "host", &host) != 1)
		say(a, 400, "want one Host");
	else if (!is_loopback(host))
		say(a, 421, "this is for 127.0.0.1 only");
	else if (!asset && !route)
		say(a, 404, "not found");
	else if (!str_eq(h->method, STR("GET")) && !str_eq(h->method, STR("HEAD")))
		say(a, 405, "want GET");
	else if (asset)
		give_asset(s, asset, h, a);
	else {
		a->status = route->fn(route->ctx, h->query, &a->body);
		buf_puts(&a->head, STR("Content-Type: application/json; charset=utf-8\r\n"
				       "Cache-Control: no-store\r\n"));
	}
	counter_add(s->requests[a->status / 100 - 2], 1);
}

/* ---- query ---- */

static int decode(char *ret, size_t cap, struct str text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = (uint8_t)text.p[i];

		if (c == '+')
			c = ' ';
		else if (c == '%') {
			if (text.n - i < 3 || hex_decode(&c, 1, (struct str){ text.p + i + 1, 2 }))
				return -EINVAL;
			i += 2;
		}
		if (c == '\0')
			return -EINVAL;
		if (n + 1 == cap)
			return -ENAMETOOLONG;
		ret[n++] = (char)c;
	}
	ret[n] = '\0';
	return 0;
}

int server_param(struct str query, const char *name, char *ret, size_t cap)
{
	const size_t name_n = strlen(name);

	ret[0] = '\0';
	while (query.n) {
		const char *amp = memchr(query.p, '&', query.n);
		const struct str one = { query.p, amp ? (size_t)(amp - query.p) : query.n };

		if (one.n > name_n && one.p[name_n] == '=' && memcmp(one.p, name, name_n) == 0) {
			const int r = decode(
				ret, cap, (struct str){ one.p + name_n + 1, one.n - name_n - 1 });

			if (r)
				ret[0] = '\0';
			return r;
		}
		query = amp ? (struct str){ amp + 1, query.n - one.n - 1 } : STR_NONE;
	}
	return -ENOENT;
}

/* ---- life ---- */

static int make_etags(struct server *s)
{
	uint8_t digest[SHA256_BYTES];
	char hex[2 * 16 + 1];

	s->etags = calloc(n_assets, sizeof(*s->etags));
	if (!s->etags)
		return -ENOMEM;
	for (size_t i = 0; i < n_assets; i++) {
		if (crypto_sha256(digest, assets[i].p, assets[i].n))
			return -EIO;
		hex_encode(hex, digest, 16);
		snprintf(s->etags[i], ETAG_MAX, "\"%s\"", hex);
	}
	return 0;
}

static void count_in(struct server *s, struct metrics *m)
{
	static const char *const labels[] = { "2xx", "3xx", "4xx", "5xx" };

	for (size_t i = 0; i < ARRAY_LEN(labels); i++)
		s->requests[i] = metrics_counter(m, &REQUESTS, labels[i]);
}

int server_new(struct server **ret, struct loop *loop, const struct server_config *config,
	struct metrics *m, struct fault *f)
{
	CLEANUP(server_free) struct server *s = calloc(1, sizeof(*s));
	char headers[1024];
	int r = s ? make_etags(s) : -ENOMEM;

	if (r)
		return fault_set(f, FAULT_FATAL, r, "the pages cannot be kept");
	count_in(s, m);
	snprintf(headers, sizeof(headers),
		"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
		"img-src 'self' data:; connect-src 'self' %s; frame-ancestors 'none'; "
		"base-uri 'none'; form-action 'none'\r\n"
		"X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
		"Cross-Origin-Opener-Policy: same-origin\r\n"
		"Cross-Origin-Resource-Policy: same-origin\r\n",
		config->ws_origin);
	r = http_server_new(&s->http, loop,
		&(struct http_server_config){
			.listen = config->listen,
			.headers = headers,
			.clients_max = CLIENTS_MAX,
			.body_max = SERVER_BODY_MAX,
			.timeout_ms = TIMEOUT_MS,
		},
		on_request, s, f);
	if (!r)
		*ret = TAKE(s);
	return r;
}

struct server *server_free(struct server *s)
{
	if (s) {
		http_server_free(s->http);
		free(s->etags);
		free(s);
	}
	return NULL;
}

int server_port(const struct server *s)
{
	return http_server_port(s->http);
}

void server_get(struct server *s, const char *path, server_fn fn, void *ctx)
{
	assert(s->n_routes < SERVER_ROUTES_MAX && !route_of(s, str_of(path)));
	s->routes[s->n_routes++] = (struct route){ path, fn, ctx };
}
