/*
 * A round takes a second: asked at one tick, committed at the next, so that every answer has the
 * same time to come and a slow role does not move the others' rows.
 */
#include "souk/demo/storefront/ops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/json_out.h"
#include "souk/demo/storefront/ops_feeds.h"
#include "souk/demo/storefront/ops_http.h"
#include "souk/demo/storefront/ops_text.h"

#define READY_BODY_MAX 4096

struct ops {
	struct loop *loop;
	struct ops_store *store;
	struct ops_http *http;
	struct ops_feeds *feeds;
	struct loop_timer *tick;
	char *role_text; /* the names are in it */
	const char *role[OPS_ROLES_MAX];
	int port[OPS_ROLES_MAX];
	size_t n_roles;
	/* The rows' clock: the wall's at the start, and steady from there. */
	int64_t start_wall_ms, start_mono_ms;
};

/* Two requests a role: 2r is /metrics, 2r + 1 is /readyz. */
static void on_answer(void *ctx, size_t slot, int status, struct str body)
{
	struct ops *o = ctx;
	const size_t role = slot / 2;

	if (slot % 2)
		ops_store_ready(o->store, role, status == 200, status == 503 ? body : STR(""));
	else if (status == 200) /* what is not to be believed is no answer */
		(void)!ops_store_metrics(o->store, role, loop_mono_ms(o->loop), body);
}

static void begin_round(struct ops *o)
{
	for (size_t i = 0; i < o->n_roles; i++) {
		/* Not asked is not answered: the row has a hole there. */
		(void)!ops_http_get(o->http, 2 * i, o->port[i], "/metrics", OPS_TEXT_MAX);
		(void)!ops_http_get(o->http, 2 * i + 1, o->port[i], "/readyz", READY_BODY_MAX);
	}
	ops_feeds_ask(o->feeds);
}

static void on_tick(void *ctx)
{
	struct ops *o = ctx;

	ops_store_commit(o->store, o->start_wall_ms + loop_mono_ms(o->loop) - o->start_mono_ms);
	begin_round(o);
}

/* ---- answers ---- */

static int refuse(struct buf *body, int status, const char *code, const char *title)
{
	struct json_out j = JSON_OUT(body);

	json_begin(&j, NULL);
	json_begin(&j, "error");
	json_strz(&j, "code", code);
	json_strz(&j, "title", title);
	json_end(&j);
	json_end(&j);
	return status;
}

int ops_answer_now(void *ctx, struct str query, struct buf *body)
{
	(void)query;
	if (!ops_store_rows(ctx))
		return refuse(body, 503, "unavailable", "nothing is collected yet");
	ops_store_write_now(ctx, body);
	return 200;
}

int ops_answer_series(void *ctx, struct str query, struct buf *body)
{
	char text[24];
	int64_t since = 0;
	const int r = server_param(query, "since", text, sizeof(text));

	if (r != -ENOENT && (r || str_to_i64(str_of(text), &since) || since < 0))
		return refuse(
			body, 400, "bad_query", "since: want whole milliseconds since the epoch");
	if (!ops_store_rows(ctx))
		return refuse(body, 503, "unavailable", "nothing is collected yet");
	ops_store_write_series(ctx, since, body);
	return 200;
}

/* ---- life ---- */

/* "NAME=PORT,NAME=PORT", or nothing. */
static int read_roles(struct ops *o, struct fault *f)
{
	char *rest = o->role_text, *one;

	while (*o->role_text && (one = strsep(&rest, ",")) != NULL) {
		char *port = strchr(one, '='), *end = NULL;
		const long n = port ? strtol(port + 1, &end, 10) : 0;

		if (!port || port == one || *end || n < 1 || n > 65535 ||
			o->n_roles == OPS_ROLES_MAX)
			return fault_set(f, FAULT_REJECT, -EINVAL,
				"roles: want NAME=PORT,… and at most %d of them, not \"%s\"",
				OPS_ROLES_MAX, one);
		*port = '\0';
		o->role[o->n_roles] = one;
		o->port[o->n_roles++] = (int)n;
	}
	return 0;
}

int ops_new(struct ops **ret, struct loop *loop, struct cache *cache, struct server *server,
	const struct ops_config *config, struct fault *f)
{
	CLEANUP(ops_free) struct ops *o = calloc(1, sizeof(*o));
	int r;

	if (!o || !(o->role_text = strdup(config->roles)))
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	o->loop = loop;
	o->start_wall_ms = loop_now_ms(loop);
	o->start_mono_ms = loop_mono_ms(loop);
	r = read_roles(o, f);
	if (r)
		return r;
	r = ops_store_new(&o->store, o->role, o->n_roles);
	if (!r)
		r = ops_http_new(&o->http, loop, on_answer, o);
	if (!r)
		r = ops_feeds_new(&o->feeds, loop, cache, o->store, config->market_shards,
			config->n_market_shards);
	if (!r && !(o->tick = loop_timer_new(loop, on_tick, o)))
		r = -ENOMEM;
	if (r)
		return fault_set(f, FAULT_FATAL, r, "the operations view cannot start");
	server_get(server, "/api/ops/now", ops_answer_now, o->store);
	server_get(server, "/api/ops/series", ops_answer_series, o->store);
	loop_timer_repeat(o->tick, OPS_STEP_MS);
	begin_round(o);
	*ret = TAKE(o);
	return 0;
}

struct ops *ops_free(struct ops *o)
{
	if (!o)
		return NULL;
	loop_timer_free(o->tick);
	ops_feeds_free(o->feeds);
	ops_http_free(o->http);
	ops_store_free(o->store);
	free(o->role_text);
	free(o);
	return NULL;
}
