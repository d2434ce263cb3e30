/*
 * One timer a session, set to whatever falls due first. Hearing from the client only notes the
 * time; the timer finds out when it fires, so that a busy session costs no timer work per frame.
 *
 * A token's expiry is wall time by its nature. The timer comes by at least every ping interval, so
 * a step of the wall clock is noticed then.
 */
#include "ws-server/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "common/base/crypto.h"
#include "common/base/log.h"
#include "ws-server/command_op.h"
#include "ws-server/commands.h"
#include "ws-server/push.h"
#include "ws-server/reply.h"

#define VIEW_EVERY_MS 60000
#define VIEW_TTL_MS   180000
#define ACT_AS_TIMES  16 /* as many offers, orders and watches */

static const struct outbox_ops outbox_ops;

/* ---- time ---- */

static int64_t idle_us(const struct session *s, int64_t more_ms)
{
	return s->heard_us + (s->gateway->config->ping_s * 1000 + more_ms) * 1000;
}

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void arm(struct session *s)
{
	struct loop *loop = s->gateway->env.loop;
	int64_t now_us = loop_mono_us(loop), due_us;

	if (s->state == SESSION_CLOSING) {
		loop_timer_stop(s->timer);
		return;
	}
	if (s->state == SESSION_NEW) {
		due_us = s->opened_us + s->gateway->config->connect_timeout_ms * 1000;
	} else {
		due_us = idle_us(s, s->is_pinged ? SESSION_IDLE_MORE_MS : 0);
		due_us = min64(due_us, s->view_us + VIEW_EVERY_MS * INT64_C(1000));
		due_us = min64(due_us, now_us + (s->claims.expires_ms - loop_now_ms(loop)) * 1000);
	}
	loop_timer_start_us(s->timer, due_us > now_us ? due_us - now_us : 0);
}

static void on_timer_open(struct session *s, int64_t now_us)
{
	if (s->claims.expires_ms <= loop_now_ms(s->gateway->env.loop)) {
		session_close(s, CLOSE_EXPIRED, STR("the token has expired"));
		return;
	}
	if (now_us >= idle_us(s, SESSION_IDLE_MORE_MS)) {
		session_close(s, CLOSE_MISUSE, STR("nothing was heard"));
		return;
	}
	if (now_us < idle_us(s, 0)) {
		s->is_pinged = false;
	} else if (!s->is_pinged) {
		s->is_pinged = true;
		push_ping(s);
	}
	if (now_us - s->view_us >= VIEW_EVERY_MS * INT64_C(1000))
		session_publish_view(s);
}

static void on_timer(void *ctx)
{
	struct session *s = ctx;
	int64_t now_us = loop_mono_us(s->gateway->env.loop);

	if (s->state == SESSION_OPEN)
		on_timer_open(s, now_us);
	else if (s->state == SESSION_NEW &&
		 now_us - s->opened_us >= s->gateway->config->connect_timeout_ms * 1000)
		session_close(s, CLOSE_MISUSE, STR("no connect in time"));
	arm(s);
}

/* ---- life ---- */

static struct session *session_new(struct gateway *g, struct ws_conn *c)
{
	struct session *s = calloc(1, sizeof(*s));
	uint8_t random[16];

	if (!s)
		return NULL;
	s->gateway = g;
	s->conn = c;
	s->timer = loop_timer_new(g->env.loop, on_timer, s);
	if (!s->timer || crypto_random(random, sizeof(random)) < 0 ||
		sessions_add(g->sessions, &s->entry, s) != 0) {
		loop_timer_free(s->timer);
		free(s);
		return NULL;
	}
	base64url_encode(s->epoch, random, sizeof(random));
	outbox_init(&s->outbox, (size_t)g->config->outbox_bytes, &g->frame, &outbox_ops, s);
	LIST_INIT(&s->ops);
	s->opened_us = s->heard_us = loop_mono_us(g->env.loop);
	g->metrics.connections->value++;
	return s;
}

/* The gauge is the sum of all outboxes. */
static void outbox_account(struct session *s)
{
	s->gateway->metrics.outbox_bytes->value +=
		(int64_t)s->outbox.bytes - (int64_t)s->outbox_seen;
	s->outbox_seen = s->outbox.bytes;
}

void session_free(struct session *s)
{
	struct gateway *g = s->gateway;

	command_op_detach_all(s);
	watches_remove_all(g->watches, &s->watches);
	users_of_fini(g->users, &s->users);
	counter_add(g->metrics.offers_forgotten, s->shown.n_forgotten);
	counter_add(g->metrics.states_forgotten, s->states.n_forgotten);
	counter_add(g->metrics.users_forgotten, s->users.n_forgotten);
	g->metrics.connections->value--;
	sessions_remove(g->sessions, &s->entry);
	loop_timer_free(s->timer);
	outbox_fini(&s->outbox);
	outbox_account(s);
	shown_fini(&s->shown);
	shown_fini(&s->states);
	free(s);
}

/* The token of `Authorization: Bearer`; p == NULL if the header says something else. */
static struct str bearer_of(struct str header)
{
	static const char scheme[] = "bearer ";
	struct str token;

	if (!str_is_set(header) || header.n < sizeof(scheme) - 1 ||
		strncasecmp(header.p, scheme, sizeof(scheme) - 1) != 0)
		return STR_NONE;
	token = (struct str){ header.p + sizeof(scheme) - 1, header.n - (sizeof(scheme) - 1) };
	while (token.n && token.p[0] == ' ') {
		token.p++;
		token.n--;
	}
	return token;
}

void *session_opened(void *gateway, struct ws_conn *c, const struct ws_conn_info *info)
{
	struct gateway *g = gateway;
	struct str token = bearer_of(info->authorization);
	struct session *s = session_new(g, c);
	int r;

	if (!s) {
		counter_add(g->metrics.refused, 1);
		return NULL;
	}
	if (info->traceparent.n == TRACEPARENT_LEN)
		(void)str_copy(s->traceparent, sizeof(s->traceparent), info->traceparent);
	if (g->is_draining) {
		session_drain(s);
		return s;
	}
	if (str_is_set(token)) {
		r = auth_verify(g->auth, token, loop_now_ms(g->env.loop), &s->claims);
		if (r != 0) {
			reply_error(s, 0,
				&(struct reply_error){
					.code = ERROR_UNAUTHORIZED, .detail = auth_error(r) });
			session_close(s, CLOSE_INVALID_TOKEN, str_of(auth_error(r)));
		}
		s->has_claims = r == 0;
	}
	arm(s);
	return s;
}

void session_closed(void *session, int code)
{
	struct session *s = session;

	gateway_metrics_closed(&s->gateway->metrics, code);
	log_debug("session", "closed", "session=%s code=%d", s->entry.id, code);
	s->conn = NULL;
	s->state = SESSION_CLOSING;
	session_free(s);
}

static void init_rates(struct session *s)
{
	const struct gateway_config *config = s->gateway->config;
	int64_t act_as = config->act_as_events_per_s;

	if (s->claims.is_act_as) {
		token_bucket_init(&s->events, act_as, 2 * act_as);
		token_bucket_init(&s->orders, act_as, 2 * act_as);
		token_bucket_init(&s->queries, act_as, 2 * act_as);
	} else {
		token_bucket_init(&s->events, config->events_per_s, config->events_burst);
		token_bucket_init(&s->orders, config->orders_per_s, 2 * config->orders_per_s);
		token_bucket_init(&s->queries, config->queries_per_s, 2 * config->queries_per_s);
	}
}

void session_open(struct session *s, const struct auth_claims *claims)
{
	const struct gateway_config *config = s->gateway->config;
	int64_t times = claims->is_act_as ? ACT_AS_TIMES : 1;

	s->claims = *claims;
	s->state = SESSION_OPEN;
	shown_init(&s->shown, (size_t)(config->offers_remembered * times));
	shown_init(&s->states, (size_t)(config->orders_shown * times));
	watches_of_init(&s->watches, s, (size_t)(config->watches * times));
	users_of_init(&s->users, s, claims->is_act_as ? (size_t)config->users_remembered : 1);
	if (!claims->is_act_as)
		users_add(s->gateway->users, &s->users, str_of(claims->user));
	init_rates(s);
	counter_add(s->gateway->metrics.connects, 1);
	session_publish_view(s);
	arm(s);
}

void session_refresh(struct session *s, const struct auth_claims *claims)
{
	s->claims = *claims;
	arm(s);
}

bool session_speaks_for(const struct session *s, struct str user)
{
	if (s->claims.is_act_as)
		return str_starts(user, str_of(s->claims.act_prefix));
	return str_eqz(user, s->claims.user);
}

/* ---- what comes in ---- */

void session_heard(void *session)
{
	struct session *s = session;

	s->heard_us = loop_mono_us(s->gateway->env.loop);
}

/* Several objects may come in one message, separated by LF. */
void session_text(void *session, struct str message)
{
	struct session *s = session;
	const char *p = message.p, *end = message.p + message.n;

	session_heard(s);
	while (p < end && s->state != SESSION_CLOSING) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		struct str line = { p, (size_t)((lf ? lf : end) - p) };

		p = lf ? lf + 1 : end;
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n)
			commands_run(s, line);
	}
}

/* ---- what goes out ---- */

static int on_write(void *ctx, struct str text)
{
	struct session *s = ctx;

	return ws_conn_write(s->conn, text);
}

static void on_sent(void *ctx, int64_t ts_ms)
{
	struct session *s = ctx;

	if (ts_ms > 0)
		histogram_add(s->gateway->metrics.push_seconds,
			(loop_now_ms(s->gateway->env.loop) - ts_ms) * 1000);
}

static void on_replaced(void *ctx)
{
	struct session *s = ctx;

	counter_add(s->gateway->metrics.drops[DROP_REPLACED], 1);
}

static const struct outbox_ops outbox_ops = {
	.write = on_write,
	.sent = on_sent,
	.replaced = on_replaced,
};

static void after_write(struct session *s, int r)
{
	outbox_account(s);
	if (r == OUTBOX_E_FULL || r == -ENOMEM)
		session_close_retry(s, CLOSE_SLOW,
			gateway_random_ms(s->gateway, RETRY_MIN_MS, 2 * RETRY_MIN_MS));
	else if (r < 0)
		session_close(s, CLOSE_INTERNAL, STR("write failed"));
}

void session_send(struct session *s, const struct outbox_message *m)
{
	if (s->state != SESSION_CLOSING)
		after_write(s, outbox_put(&s->outbox, m));
}

void session_writable(void *session)
{
	struct session *s = session;

	if (s->state != SESSION_CLOSING)
		after_write(s, outbox_flush(&s->outbox));
}

void session_close(struct session *s, enum close_code code, struct str reason)
{
	if (s->state == SESSION_CLOSING)
		return;
	s->state = SESSION_CLOSING;
	loop_timer_stop(s->timer);
	ws_conn_close(s->conn, (int)code, reason);
}

void session_close_retry(struct session *s, enum close_code code, int64_t retry_ms)
{
	char reason[40];
	int n = snprintf(reason, sizeof(reason), "retry_ms=%" PRId64, retry_ms);

	session_close(s, code, (struct str){ reason, (size_t)n });
}

void session_strike(struct session *s)
{
	if (++s->n_strikes >= SESSION_STRIKES)
		session_close(s, CLOSE_MISUSE, STR("malformed commands"));
}

void session_drain(struct session *s)
{
	if (s->state == SESSION_CLOSING)
		return;
	s->drain_retry_ms =
		gateway_random_ms(s->gateway, RETRY_MIN_MS, s->gateway->config->drain_spread_ms);
	push_draining(s, s->drain_retry_ms);
	session_op_done(s);
}

void session_op_done(struct session *s)
{
	if (s->gateway->is_draining && s->n_ops == 0)
		session_close_retry(s, CLOSE_DRAINING, s->drain_retry_ms);
}

/* A view for other roles: losing it costs nothing here. */
void session_publish_view(struct session *s)
{
	struct gateway *g = s->gateway;
	char key[SESSION_ID_MAX + 8], slot[12];
	struct row row = { 0 };
	int n;

	s->view_us = loop_mono_us(g->env.loop);
	if (!reply_slot_is_held(g->slot))
		return;
	snprintf(slot, sizeof(slot), "%" PRId32, reply_slot_number(g->slot));
	(void)row_put(&row, STR("slot"), str_of(slot));
	(void)row_put(&row, STR("epoch"), reply_slot_epoch(g->slot));
	n = snprintf(key, sizeof(key), "sess:{%s}", s->entry.id);
	(void)cache_view_put(
		g->env.cache, (struct str){ key, (size_t)n }, &row, VIEW_TTL_MS, NULL, NULL);
}
