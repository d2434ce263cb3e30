/*
 * The gateway put together, and taken apart again.
 *
 * A drain keeps what was promised: clients are told when to come back, their commands are answered
 * from the delivery reports still to come, and only then are they closed; the loop goes on until
 * the bus owes nothing. The reply slot is given back last.
 */
#include "ws-server/ws_server_role.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/crypto.h"
#include "common/base/log.h"
#include "ws-server/command_op.h"
#include "ws-server/deliver.h"
#include "ws-server/gateway.h"
#include "ws-server/market.h"
#include "ws-server/results.h"
#include "ws-server/session.h"
#include "ws-server/watches.h"

#define COMMAND_SCRATCH (96 * 1024)
#define OUT_MAX         (1024 * 1024)
#define ORDERS_LIFE_MS  (24 * 3600 * INT64_C(1000)) /* wallet-bridge remembers for longer */
#define DRAIN_TICK_MS   20
#define DRAIN_GRACE_MS  1000 /* for closes to come through after drain_timeout_ms */
#define WS_PATH         "/v1/ws"
#define WS_SUBPROTOCOL  "souk.v1.json"

int64_t gateway_random_ms(struct gateway *g, int64_t min_ms, int64_t spread_ms)
{
	uint64_t x = g->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	g->random = x;
	return min_ms + (int64_t)((x >> 11) % (uint64_t)(spread_ms + 1));
}

/* ---- the reply slot ---- */

static void on_slot_taken(void *ctx, int32_t slot, const char *epoch)
{
	struct gateway *g = ctx;

	log_info("slot", "reply slot taken", "slot=%d epoch=%s", (int)slot, epoch);
	counter_add(g->metrics.slot_taken, 1);
	g->metrics.slot->value = slot;
	deliver_follow(g->deliver, slot, epoch);
	for (struct session *s = sessions_first(g->sessions); s; s = sessions_next(&s->entry))
		if (s->state == SESSION_OPEN)
			session_publish_view(s);
}

static void on_slot_lost(void *ctx, int32_t slot, const char *epoch)
{
	struct gateway *g = ctx;

	log_warn("slot", "reply slot lost, taking another", "slot=%d epoch=%s", (int)slot, epoch);
	counter_add(g->metrics.slot_lost, 1);
	g->metrics.slot->value = -1;
	deliver_retire(g->deliver, slot, epoch);
}

static void on_slot_kept(void *ctx, int32_t slot, const char *epoch)
{
	struct gateway *g = ctx;

	deliver_follow(g->deliver, slot, epoch); /* if it failed before */
}

static const struct reply_slot_ops slot_ops = {
	.taken = on_slot_taken,
	.lost = on_slot_lost,
	.kept = on_slot_kept,
};

static bool has_slot(const struct gateway *g)
{
	return reply_slot_is_held(g->slot) &&
	       deliver_is_following(g->deliver, reply_slot_number(g->slot));
}

/* @missing: what else stands against it, NULL: nothing. */
static bool can_send(struct gateway *g, const char *missing, const char **ret_why)
{
	if (g->is_draining)
		*ret_why = "the server is draining";
	else if (!bus_is_up(g->env.bus))
		*ret_why = "the broker does not answer";
	else
		*ret_why = missing;
	return !*ret_why;
}

bool gateway_can_publish(struct gateway *g, const char **ret_why)
{
	return can_send(g, has_slot(g) ? NULL : "no reply slot is held", ret_why);
}

bool gateway_can_order(struct gateway *g, const char **ret_why)
{
	return can_send(g,
		results_has_begun(g->results) ? NULL : "results of orders are not read yet",
		ret_why);
}

bool gateway_ready(struct gateway *g, struct buf *why)
{
	bool is_up = bus_is_up(g->env.bus), is_answerable = has_slot(g);

	if (g->is_draining)
		buf_puts(why, STR("ws-server: draining\n"));
	if (!is_up)
		buf_puts(why, STR("kafka: no broker answers\n"));
	if (!is_answerable)
		buf_printf(why, "ws-server: no reply slot of " TOPIC_OFFERS " is %s\n",
			reply_slot_is_held(g->slot) ? "read yet" : "held");
	return !g->is_draining && is_up && is_answerable;
}

/* ---- life ---- */

static void on_drain_tick(void *ctx);

static int open_auth(struct gateway *g, struct fault *f)
{
	if (g->config->jwks_url && g->config->jwks_url[0])
		return fault_set(f, FAULT_FATAL, -EINVAL,
			"ws.auth.jwks_url: not supported yet; use ws.auth.hs256_secret_file");
	if (!g->config->hs256_secret_file || !g->config->hs256_secret_file[0])
		return fault_set(f, FAULT_FATAL, -EINVAL,
			"ws.auth.hs256_secret_file: required, a file with at least %d bytes",
			AUTH_SECRET_MIN);
	return auth_new(&g->auth, g->config->hs256_secret_file, f);
}

static int open_parts(struct gateway *g)
{
	const struct gateway_config *config = g->config;
	int r = sessions_new(&g->sessions, (size_t)config->connections);

	if (r == 0)
		r = idempotency_new(&g->acked, (size_t)config->events_remembered,
			config->deadline_ms + config->offer_ttl_ms, false);
	if (r == 0)
		r = idempotency_new(
			&g->acked_orders, (size_t)config->orders_remembered, ORDERS_LIFE_MS, true);
	if (r == 0)
		r = users_new(&g->users, (size_t)config->connections);
	if (r == 0)
		r = arena_new(&g->arena, COMMAND_SCRATCH);
	if (r == 0)
		r = crypto_random(&g->random, sizeof(g->random));
	if (r == 0)
		r = deliver_new(&g->deliver, g);
	if (r == 0)
		r = results_new(&g->results, g);
	if (r == 0)
		r = watches_new(&g->watches, g);
	if (r == 0)
		r = market_new(&g->market, g);
	if (r == 0)
		r = reply_slot_new(&g->slot, g->env.loop, g->env.bus, g->env.cache, TOPIC_OFFERS,
			&slot_ops, g);
	g->random |= 1;
	g->drain_timer = loop_timer_new(g->env.loop, on_drain_tick, g);
	return r == 0 && !g->drain_timer ? -ENOMEM : r;
}

int gateway_new(struct gateway **ret, const struct gateway_env *env,
	const struct gateway_config *config, struct fault *f)
{
	CLEANUP(gateway_free) struct gateway *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return -ENOMEM;
	g->env = *env;
	g->config = config;
	g->out = BUF_INIT(OUT_MAX);
	g->frame = BUF_INIT(OUT_MAX);
	LIST_INIT(&g->ops);
	gateway_metrics_init(&g->metrics, env->metrics);
	r = open_auth(g, f);
	if (r < 0)
		return r;
	r = open_parts(g);
	if (r < 0)
		return fault_set(f, FAULT_FATAL, r, "ws-server: cannot start: %s", strerror(-r));
	*ret = TAKE(g);
	return 0;
}

struct gateway *gateway_free(struct gateway *g)
{
	struct session *s;

	if (!g)
		return NULL;
	while (g->sessions && (s = sessions_first(g->sessions)))
		session_free(s);
	command_op_free_all(g);
	reply_slot_free(g->slot);
	deliver_free(g->deliver);
	results_free(g->results);
	watches_free(g->watches);
	market_free(g->market);
	sessions_free(g->sessions);
	users_free(g->users);
	idempotency_free(g->acked);
	idempotency_free(g->acked_orders);
	auth_free(g->auth);
	arena_free(g->arena);
	loop_timer_free(g->drain_timer);
	buf_fini(&g->out);
	buf_fini(&g->frame);
	free(g);
	return NULL;
}

const struct ws_server_ops *gateway_ops(void)
{
	static const struct ws_server_ops ops = {
		.opened = session_opened,
		.text = session_text,
		.heard = session_heard,
		.writable = session_writable,
		.closed = session_closed,
	};

	return &ops;
}

struct ws_server_config gateway_server_config(const struct gateway_config *config)
{
	return (struct ws_server_config){
		.listen = config->listen,
		.path = WS_PATH,
		.subprotocol = WS_SUBPROTOCOL,
		.message_max = (size_t)config->message_max,
		.conns_max = (size_t)config->connections,
		.conns_per_address = (size_t)config->connections_per_address,
	};
}

void gateway_set_server(struct gateway *g, struct ws_server *server)
{
	g->server = server;
}

/* ---- drain ---- */

static void close_all(struct gateway *g)
{
	for (struct session *s = sessions_first(g->sessions); s; s = sessions_next(&s->entry))
		session_close_retry(s, CLOSE_DRAINING, s->drain_retry_ms);
}

static void on_drain_tick(void *ctx)
{
	struct gateway *g = ctx;
	int64_t over_us = loop_mono_us(g->env.loop) - g->drain_until_us;
	bool is_done = sessions_count(g->sessions) == 0 && bus_in_flight(g->env.bus) == 0;

	if (over_us >= 0)
		close_all(g);
	if (!is_done && over_us < DRAIN_GRACE_MS * INT64_C(1000)) {
		loop_timer_start(g->drain_timer, DRAIN_TICK_MS);
		return;
	}
	log_info("drain", "drained", "sessions=%zu in_flight=%zu", sessions_count(g->sessions),
		bus_in_flight(g->env.bus));
	reply_slot_drop(g->slot);
	g->metrics.slot->value = -1;
	if (g->drained)
		g->drained(g->drained_ctx);
}

void gateway_drain(struct gateway *g, void (*done)(void *ctx), void *ctx)
{
	if (g->is_draining)
		return;
	log_info("drain", "draining", "sessions=%zu", sessions_count(g->sessions));
	g->is_draining = true;
	g->drained = done;
	g->drained_ctx = ctx;
	g->drain_until_us = loop_mono_us(g->env.loop) + g->config->drain_timeout_ms * 1000;
	if (g->server)
		ws_server_pause(g->server, true);
	for (struct session *s = sessions_first(g->sessions); s; s = sessions_next(&s->entry))
		session_drain(s);
	loop_timer_start(g->drain_timer, 0);
}

int gateway_token(struct buf *out, const char *secret_file, const char *user,
	const char *act_prefix, int64_t expires_ms, struct fault *f)
{
	CLEANUP(auth_free) struct auth *auth = NULL;
	struct auth_claims claims = { .expires_ms = expires_ms };
	int r = auth_new(&auth, secret_file, f);

	if (r < 0)
		return r;
	if (str_copy(claims.user, sizeof(claims.user), str_of(user)) < 0 ||
		str_copy(claims.act_prefix, sizeof(claims.act_prefix),
			str_of(act_prefix ? act_prefix : "")) < 0)
		return fault_set(f, FAULT_REJECT, -EINVAL, "user: at most 128 bytes");
	claims.is_act_as = claims.act_prefix[0] != '\0';
	return auth_mint(auth, out, &claims);
}
