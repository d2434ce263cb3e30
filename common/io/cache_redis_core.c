/*
 * Two connections make a tracking cache: commands go over `data`, and Redis sends the invalidations
 * of what anyone changes to `inval`, a subscriber that `data` names in CLIENT TRACKING (RESP2, so
 * with REDIRECT; BCAST, so the server keeps nothing for each key that was read). They live and die
 * together: a reader that keeps rows may trust them only while both are up, and one rule is easier
 * to keep than two.
 *
 * advance() takes the next missing step of: subscribe, connect, load the scripts, track, up.
 * Whatever goes wrong ends in lose(), which closes both, answers what is in flight, and tries again
 * later.
 *
 * Scripts go as EVALSHA. If the server has lost them (SCRIPT FLUSH), the first NOSCRIPT starts a
 * resend: it and everything behind it must not be answered out of turn, so replies that still come
 * for reads are dropped (repeating a read does no harm), new commands wait, and when the pipe is
 * empty the scripts are loaded and all goes out again in the old order. A script that did run
 * behind one that did not (another client loaded it meanwhile) cannot be repeated, so then the
 * connection is dropped and the callers hear -ECONNRESET.
 */
#include "common/io/cache_redis_core.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define TICK_MS      100
#define RETRY_MIN_MS 20
#define RETRY_MAX_MS 1000
#define CHANNEL      "__redis__:invalidate"

static const struct metric_def UP = { "souk_cache_up", METRIC_GAUGE, "Whether Redis answers us.",
	NULL };
static const struct metric_def IN_FLIGHT = { "souk_cache_in_flight", METRIC_GAUGE,
	"Commands without an answer yet.", NULL };
static const struct metric_def SECONDS = { "souk_cache_command_seconds", METRIC_HISTOGRAM_SECONDS,
	"From giving a command to its answer.", NULL };
static const struct metric_def LOST = { "souk_cache_lost_total", METRIC_COUNTER,
	"Connections lost or not made.", "reason" };
static const struct metric_def ERRORS = { "souk_cache_errors_total", METRIC_COUNTER,
	"Commands the server refused.", "kind" };
static const struct metric_def REFUSED = { "souk_cache_refused_total", METRIC_COUNTER,
	"Commands not taken: too many in flight.", NULL };
static const struct metric_def RESENDS = { "souk_cache_resends_total", METRIC_COUNTER,
	"Times the scripts were gone and commands were sent again.", NULL };
static const struct metric_def CUT = { "souk_cache_fields_cut_total", METRIC_COUNTER,
	"Fields of foreign hashes beyond what a row can hold.", NULL };
static const struct metric_def CHANGED = { "souk_cache_invalidations_total", METRIC_COUNTER,
	"Invalidations received.", NULL };

static const char *const lost_names[] = {
	[REDIS_LOST_CONNECT] = "connect",
	[REDIS_LOST_REFUSED] = "refused",
	[REDIS_LOST_TIMEOUT] = "timeout",
	[REDIS_LOST_CLOSED] = "closed",
};

enum tag { TAG_REQ, TAG_ID, TAG_LOAD, TAG_TRACK };

static size_t cost(const struct redis_req *r)
{
	return r->n;
}

static void settled(struct cache_redis *c, struct redis_req *r)
{
	c->in_flight -= cost(r);
	c->m_in_flight->value = (int64_t)c->in_flight;
}

/* ---- loss ---- */

static void reset(struct cache_redis *c)
{
	redis_link_close(&c->data);
	redis_link_close(&c->inval);
	c->is_up = false;
	c->m_up->value = 0;
	c->is_broken = c->has_scripts = false;
	c->is_subscribed = c->is_track_asked = c->is_tracked = false;
	c->is_resending = false;
	c->scripts_due = 0;
	c->inval_id = 0;
	TAILQ_CONCAT(&c->failed, &c->sent, link);
	TAILQ_CONCAT(&c->failed, &c->again, link);
	TAILQ_CONCAT(&c->failed, &c->queue, link);
}

static void lose(struct cache_redis *c, enum redis_lost why)
{
	bool was_tracked = c->is_tracked;
	bool is_freed = false;
	int64_t wait_ms = RETRY_MIN_MS + backoff_next_ms(&c->backoff);
	struct redis_req *r;

	counter_add(metrics_counter(c->metrics, &LOST, lost_names[why]), 1);
	reset(c);
	loop_timer_start(c->next, wait_ms < RETRY_MAX_MS ? wait_ms : RETRY_MAX_MS);
	c->is_freed = &is_freed;
	while ((r = TAILQ_FIRST(&c->failed))) {
		TAILQ_REMOVE(&c->failed, r, link);
		settled(c, r);
		r->err = -ECONNRESET;
		redis_req_answer(r);
		redis_req_free(r);
		if (is_freed)
			return;
	}
	c->is_freed = NULL;
	if (was_tracked)
		c->changed(c->changed_ctx, STR_NONE);
}

static void on_lost(void *ctx, enum redis_lost why)
{
	lose(ctx, why);
}

/* ---- coming up ---- */

static int send_scripts(struct cache_redis *c)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(65536);
	int err = 0;

	for (size_t i = 0; i < SCRIPT_MAX && !err; i++) {
		buf_clear(&b);
		redis_wire_begin(&b, 3);
		redis_wire_arg(&b, STR("SCRIPT"));
		redis_wire_arg(&b, STR("LOAD"));
		redis_wire_arg(&b, str_of(cache_scripts[i]));
		err = b.failed ? -ENOMEM : redis_link_send(&c->data, TAG_LOAD, b.p, b.n);
	}
	c->scripts_due = SCRIPT_MAX;
	return err;
}

static int send_track(struct cache_redis *c)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(65536);

	redis_wire_begin(&b, 6 + 2 * c->n_prefixes);
	redis_wire_arg(&b, STR("CLIENT"));
	redis_wire_arg(&b, STR("TRACKING"));
	redis_wire_arg(&b, STR("ON"));
	redis_wire_arg(&b, STR("REDIRECT"));
	redis_wire_i64(&b, c->inval_id);
	redis_wire_arg(&b, STR("BCAST"));
	for (size_t i = 0; i < c->n_prefixes; i++) {
		redis_wire_arg(&b, STR("PREFIX"));
		redis_wire_arg(&b, str_of(c->prefixes[i]));
	}
	return b.failed ? -ENOMEM : redis_link_send(&c->data, TAG_TRACK, b.p, b.n);
}

/* One step, or none if an answer has to come first. */
static int step(struct cache_redis *c)
{
	if (c->is_broken)
		return -EIO;
	if (c->n_prefixes && !redis_link_is_open(&c->inval))
		return redis_link_open(&c->inval);
	if (!redis_link_is_open(&c->data) && (!c->n_prefixes || c->is_subscribed))
		return redis_link_open(&c->data);
	if (c->is_subscribed && c->has_scripts && !c->is_track_asked) {
		c->is_track_asked = true;
		return send_track(c);
	}
	return 0;
}

/* The last act of whoever calls it. */
static void advance(struct cache_redis *c)
{
	bool is_new;

	if (step(c)) {
		lose(c, c->is_broken ? REDIS_LOST_CLOSED : REDIS_LOST_CONNECT);
		return;
	}
	if (!c->has_scripts || (c->n_prefixes && !c->is_tracked))
		return;
	is_new = !c->is_up;
	c->is_up = true;
	c->m_up->value = 1;
	if (is_new)
		backoff_reset(&c->backoff);
}

static void on_next(void *ctx)
{
	advance(ctx);
}

/* One connection a tick, because it may be lost, and what that calls may free us. */
static void on_tick(void *ctx)
{
	struct cache_redis *c = ctx;
	int64_t now_us = loop_mono_us(c->loop);
	bool was_asleep = now_us - c->ticked_us > 8 * TICK_MS * 1000;

	c->ticked_us = now_us;
	c->is_inval_turn = !c->is_inval_turn;
	if (was_asleep) {
		redis_link_forgive(&c->data);
		redis_link_forgive(&c->inval);
		return;
	}
	redis_link_tick(c->is_inval_turn ? &c->inval : &c->data);
}

/* A send failed: hiredis is about to say why. Never from inside a call. */
static void broken(struct cache_redis *c)
{
	c->is_broken = true;
	loop_timer_start(c->next, 0);
}

static void on_ready_data(void *ctx)
{
	if (send_scripts(ctx))
		broken(ctx);
}

static void on_ready_inval(void *ctx)
{
	static const char wire[] = "*2\r\n$6\r\nCLIENT\r\n$2\r\nID\r\n";
	struct cache_redis *c = ctx;

	if (redis_link_send(&c->inval, TAG_ID, wire, sizeof(wire) - 1))
		broken(c);
}

static void on_id(void *ctx, int tag, const redisReply *reply)
{
	struct cache_redis *c = ctx;

	assert(tag == TAG_ID);
	if (reply->type != REDIS_REPLY_INTEGER) {
		lose(c, REDIS_LOST_REFUSED);
		return;
	}
	c->inval_id = reply->integer;
	if (redis_link_subscribe(&c->inval, CHANNEL))
		broken(c);
}

static void on_message(void *ctx, const redisReply *payload)
{
	struct cache_redis *c = ctx;
	bool is_freed = false;

	if (!payload) {
		c->is_subscribed = true;
		advance(c);
		return;
	}
	if (!c->is_tracked)
		return;
	if (payload->type != REDIS_REPLY_ARRAY) {
		counter_add(c->m_changed, 1);
		c->changed(c->changed_ctx, STR_NONE);
		return;
	}
	c->is_freed = &is_freed;
	for (size_t i = 0; i < payload->elements; i++) {
		const redisReply *key = payload->element[i];

		counter_add(c->m_changed, 1);
		c->changed(c->changed_ctx, (struct str){ key->str, (size_t)key->len });
		if (is_freed)
			return;
	}
	c->is_freed = NULL;
}

static void on_loaded(struct cache_redis *c, const redisReply *reply)
{
	size_t i = SCRIPT_MAX - c->scripts_due;

	if (reply->type != REDIS_REPLY_STRING || reply->len != CACHE_REDIS_SHA1_TEXT) {
		lose(c, REDIS_LOST_REFUSED);
		return;
	}
	memcpy(c->sha[i], reply->str, CACHE_REDIS_SHA1_TEXT + 1);
	if (--c->scripts_due == 0 && !c->has_scripts) {
		c->has_scripts = true;
		advance(c);
	}
}

static void on_tracked(struct cache_redis *c, const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_ERROR || c->is_broken) {
		lose(c, REDIS_LOST_REFUSED);
		return;
	}
	c->is_tracked = true;
	advance(c);
	c->changed(c->changed_ctx, STR_NONE);
}

/* ---- requests ---- */

static int req_send(struct cache_redis *c, struct redis_req *r)
{
	size_t from = 0;

	for (size_t i = 0; i < r->n; from = r->ends[i], i++) {
		int err = redis_link_send(&c->data, TAG_REQ, r->wire.p + from, r->ends[i] - from);

		if (err)
			return err;
	}
	return 0;
}

static void resend(struct cache_redis *c)
{
	struct redis_req *r;

	TAILQ_CONCAT(&c->again, &c->queue, link);
	c->is_resending = false;
	counter_add(c->m_resends, 1);
	if (send_scripts(c))
		broken(c);
	while (!c->is_broken && (r = TAILQ_FIRST(&c->again))) {
		TAILQ_REMOVE(&c->again, r, link);
		TAILQ_INSERT_TAIL(&c->sent, r, link);
		if (req_send(c, r))
			broken(c);
	}
}

/* A reply while scripts are gone: see the top of the file. */
static void put_off(struct cache_redis *c, struct redis_req *r, const redisReply *reply)
{
	if (r->is_script && !redis_reply_is(reply, "NOSCRIPT")) {
		lose(c, REDIS_LOST_CLOSED);
		return;
	}
	c->is_resending = true;
	if (++r->n_replies < r->n)
		return;
	TAILQ_REMOVE(&c->sent, r, link);
	redis_req_rewind(r);
	TAILQ_INSERT_TAIL(&c->again, r, link);
	if (TAILQ_EMPTY(&c->sent))
		resend(c);
}

static void on_answer(struct cache_redis *c, const redisReply *reply)
{
	struct redis_req *r = TAILQ_FIRST(&c->sent);
	uint64_t n_cut = 0;
	bool is_last;

	assert(r);
	if (c->is_resending || redis_reply_is(reply, "NOSCRIPT")) {
		put_off(c, r, reply);
		return;
	}
	/* A replica that we were left with after a failover, or a server that is not ready: try the
	 * address again. */
	if (redis_reply_is(reply, "READONLY") || redis_reply_is(reply, "LOADING") ||
		redis_reply_is(reply, "MASTERDOWN")) {
		lose(c, REDIS_LOST_REFUSED);
		return;
	}
	is_last = redis_req_take(r, reply, &n_cut);
	counter_add(c->m_cut, n_cut);
	if (reply->type == REDIS_REPLY_ERROR)
		counter_add(redis_reply_error(reply) == -ENOSPC ? c->m_oom : c->m_other, 1);
	if (!is_last)
		return;
	TAILQ_REMOVE(&c->sent, r, link);
	settled(c, r);
	histogram_add(c->m_seconds, loop_mono_us(c->loop) - r->sent_us);
	redis_req_answer(r);
	redis_req_free(r);
}

static void on_reply(void *ctx, int tag, const redisReply *reply)
{
	if (tag == TAG_REQ)
		on_answer(ctx, reply);
	else if (tag == TAG_LOAD)
		on_loaded(ctx, reply);
	else
		on_tracked(ctx, reply);
}

int cache_redis_admit(struct cache_redis *c, size_t n)
{
	if (!c->is_up)
		return -ENOTCONN;
	if (c->in_flight + n <= CACHE_IN_FLIGHT_MAX)
		return 0;
	counter_add(c->m_refused, 1);
	return -ENOBUFS;
}

int cache_redis_submit(struct cache_redis *c, struct redis_req *r)
{
	if (r->wire.failed) {
		redis_req_free(r);
		return -ENOBUFS;
	}
	r->sent_us = loop_mono_us(c->loop);
	c->in_flight += cost(r);
	c->m_in_flight->value = (int64_t)c->in_flight;
	if (c->is_resending) {
		TAILQ_INSERT_TAIL(&c->queue, r, link);
		return 0;
	}
	TAILQ_INSERT_TAIL(&c->sent, r, link);
	if (req_send(c, r))
		broken(c);
	return 0;
}

void cache_redis_track(struct cache_redis *c)
{
	/* If nothing is open, the next attempt is on its way. */
	if (redis_link_is_open(&c->data))
		loop_timer_start(c->next, 0);
}

/* ---- life ---- */

static void drop(struct redis_reqs *list)
{
	struct redis_req *r;

	while ((r = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, r, link);
		redis_req_free(r);
	}
}

void cache_redis_fini(struct cache_redis *c)
{
	if (c->is_freed)
		*c->is_freed = true;
	redis_link_close(&c->data);
	redis_link_close(&c->inval);
	drop(&c->sent);
	drop(&c->again);
	drop(&c->queue);
	drop(&c->failed);
	loop_timer_free(c->tick);
	loop_timer_free(c->next);
	for (size_t i = 0; i < c->n_prefixes; i++)
		free(c->prefixes[i]);
	redis_address_fini(&c->address);
}

static const struct redis_link_ops data_ops = {
	.ready = on_ready_data,
	.lost = on_lost,
	.reply = on_reply,
};

static const struct redis_link_ops inval_ops = {
	.ready = on_ready_inval,
	.lost = on_lost,
	.reply = on_id,
	.message = on_message,
};

static void metrics_init(struct cache_redis *c, struct metrics *m)
{
	c->metrics = m;
	c->m_up = metrics_gauge(m, &UP, NULL);
	c->m_in_flight = metrics_gauge(m, &IN_FLIGHT, NULL);
	c->m_seconds = metrics_histogram(m, &SECONDS, NULL);
	c->m_refused = metrics_counter(m, &REFUSED, NULL);
	c->m_resends = metrics_counter(m, &RESENDS, NULL);
	c->m_cut = metrics_counter(m, &CUT, NULL);
	c->m_changed = metrics_counter(m, &CHANGED, NULL);
	c->m_oom = metrics_counter(m, &ERRORS, "oom");
	c->m_other = metrics_counter(m, &ERRORS, "other");
}

int cache_redis_init(struct cache_redis *c, struct loop *loop, const char *url, struct metrics *m,
	struct fault *f)
{
	uint64_t seed = (uint64_t)loop_mono_us(loop) ^ (uint64_t)(uintptr_t)c;
	int err;

	c->loop = loop;
	c->backoff = BACKOFF_INIT(RETRY_MIN_MS, RETRY_MAX_MS, seed);
	TAILQ_INIT(&c->sent);
	TAILQ_INIT(&c->again);
	TAILQ_INIT(&c->queue);
	TAILQ_INIT(&c->failed);
	redis_link_init(&c->data, loop, &c->address, &data_ops, c);
	redis_link_init(&c->inval, loop, &c->address, &inval_ops, c);
	metrics_init(c, m);
	err = redis_address_parse(&c->address, url, f);
	if (err)
		return err;
	c->tick = loop_timer_new(loop, on_tick, c);
	c->next = loop_timer_new(loop, on_next, c);
	if (!c->tick || !c->next)
		return fault_set(f, FAULT_RETRY, -ENOMEM, "redis: out of memory");
	c->ticked_us = loop_mono_us(loop);
	loop_timer_repeat(c->tick, TICK_MS);
	loop_timer_start(c->next, 0);
	return 0;
}
