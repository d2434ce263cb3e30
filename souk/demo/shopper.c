#include "souk/demo/shopper.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json_out.h"
#include "common/base/log.h"
#include "common/model/ids.h"
#include "souk/demo/shopper_hear.h"

#define LEAVE_MEAN_MS 40000 /* between two disconnects of a shopper */
#define AWAY_MIN_MS   500
#define AWAY_SPAN_MS  3500

uint64_t shopper_random(struct shopper *s)
{
	/* splitmix64 */
	uint64_t x = s->rng += 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

bool shopper_send(struct shopper *s, struct buf *b)
{
	return !b->failed && ws_client_send(s->client, buf_str(b)) == 0;
}

static void say_connect(struct shopper *s)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
	struct json_out j = JSON_OUT(&b);

	json_begin(&j, NULL);
	json_u64(&j, "id", s->next_id++);
	json_strz(&j, "type", "connect");
	if (!s->use_header)
		json_strz(&j, "token", s->token);
	json_end(&j);
	if (!shopper_send(s, &b))
		s->shared->counts.errors++;
}

static void opened(void *ctx)
{
	say_connect(ctx);
}

static void text(void *ctx, struct str message)
{
	shopper_hear(ctx, message);
}

static void lose_session(struct shopper *s)
{
	for (size_t i = 0; i < s->n_unheard; i++)
		tracker_mark(s->shared->tracker, s->unheard[i], TRACKED_LOST);
	s->n_unheard = 0;
	memset(s->flight, 0, sizeof(s->flight));
	memset(s->watches, 0, sizeof(s->watches));
	shopper_orders_closed(s->orders);
}

static void closed(void *ctx, int code, int http_status, const char *why)
{
	struct shopper *s = ctx;

	if (s->is_connected)
		s->shared->counts.disconnects++;
	s->is_connected = false;
	s->is_waiting = true;
	lose_session(s);
	log_debug("shopper", "disconnected", "code=%d http=%d why=%s", code, http_status,
		log_quote(str_of(why)));
	loop_timer_start(s->retry, s->away_ms ? s->away_ms : 50 + backoff_next_ms(&s->backoff));
	s->away_ms = 0;
}

static void connect_now(void *ctx)
{
	struct shopper *s = ctx;
	struct fault f = { 0 };

	s->is_waiting = false;
	int r = ws_client_connect(s->client,
		&(struct ws_client_config){
			.url = s->shared->url,
			.subprotocol = "souk.v1.json",
			.bearer = s->use_header ? s->token : NULL,
			.message_max = 1u << 16,
			.queue_max = 1u << 18,
			.connect_timeout_ms = 5000,
		},
		&f);

	if (r)
		log_error("shopper", "cannot connect", "why=%s", log_quote(str_of(f.text)));
}

/* FNV-1a: a stream of draws of each shopper's own. */
static uint64_t str_hash(const char *z, uint64_t seed)
{
	uint64_t h = 0xcbf29ce484222325ull ^ seed;

	while (*z)
		h = (h ^ (unsigned char)*z++) * 0x100000001b3ull;
	return h;
}

int shopper_init(struct shopper *s, struct shoppers_shared *shared,
	const struct ws_client_factory *factory, const char *user, const char *token)
{
	static const struct ws_client_ops ops = {
		.opened = opened, .text = text, .closed = closed
	};

	*s = (struct shopper){ .shared = shared, .token = strdup(token), .next_id = 1 };
	s->rng = str_hash(user, shared->seed);
	s->backoff = BACKOFF_INIT(100, 3000, shopper_random(s));
	snprintf(s->user, sizeof(s->user), "%s", user);
	s->retry = loop_timer_new(shared->loop, connect_now, s);
	int r = s->retry && s->token ? shopper_orders_new(&s->orders, s) : -ENOMEM;

	if (r)
		return r;
	return factory->make(factory->ctx, &s->client, &ops, s);
}

void shopper_start(struct shopper *s)
{
	loop_timer_start(s->retry, 0);
}

void shopper_leave(struct shopper *s, int64_t away_ms)
{
	if (!s->is_connected || s->away_ms)
		return;
	s->away_ms = away_ms;
	s->shared->counts.left++;
	ws_client_close(s->client, 1000);
}

void shopper_finish(struct shopper *s)
{
	if (s->is_waiting)
		loop_timer_start(s->retry, 1 + (int64_t)(shopper_random(s) % 200));
}

/* Between two disconnects lies a time of no memory: minus the logarithm of a draw. */
static void decide_leaving(struct shopper *s, int64_t now_us)
{
	const double draw = (double)(shopper_random(s) % 1000000 + 1) / 1e6;

	s->leave_us = now_us + (int64_t)(-log(draw) * LEAVE_MEAN_MS * 1000.0) + 1;
}

void shopper_tick(struct shopper *s)
{
	const int64_t now_us = loop_mono_us(s->shared->loop);

	shopper_orders_tick(s->orders, now_us);
	if (!s->is_connected || s->shared->is_finishing)
		return;
	if (!s->leave_us)
		decide_leaving(s, now_us);
	else if (now_us >= s->leave_us)
		shopper_leave(s, AWAY_MIN_MS + (int64_t)(shopper_random(s) % AWAY_SPAN_MS));
}

void shopper_fini(struct shopper *s)
{
	loop_timer_free(s->retry);
	ws_client_free(s->client);
	shopper_orders_free(s->orders);
	free(s->token);
}

static void write_interest(struct buf *b, const struct shopper *s, uint64_t id, const char *event,
	const struct glance *g)
{
	struct json_out j = JSON_OUT(b);

	json_begin(&j, NULL);
	json_u64(&j, "id", id);
	json_strz(&j, "type", "interest");
	json_strz(&j, "event", event);
	json_strz(&j, "item", g->item);
	json_begin(&j, "signal");
	json_strz(&j, "kind", g->kind);
	if (g->dwell_ms)
		json_i64(&j, "dwell_ms", g->dwell_ms);
	json_end(&j);
	json_begin(&j, "context");
	json_strz(&j, "place", g->place);
	json_strz(&j, "device", s->device);
	json_strz(&j, "locale", "en-GB");
	json_begin(&j, "consent");
	json_bool(&j, "personalization", g->personal);
	json_bool(&j, "location", false);
	json_end(&j);
	json_end(&j);
	json_end(&j);
}

/* Index of a free place for a command, or SHOPPER_IN_FLIGHT. */
static size_t free_flight(const struct shopper *s)
{
	size_t slot = 0;

	while (slot < SHOPPER_IN_FLIGHT && s->flight[slot].id)
		slot++;
	return slot;
}

bool shopper_look(struct shopper *s, uint64_t k, int64_t intended_us, const struct glance *g)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
	const size_t slot = free_flight(s);
	char event[64];
	struct id interest;

	if (!s->is_connected || s->away_ms || slot == SHOPPER_IN_FLIGHT ||
		s->n_unheard == SHOPPER_UNHEARD)
		return false;
	snprintf(event, sizeof(event), "%lld-%llu", (long long)s->shared->run,
		(unsigned long long)k);
	if (id_for_interest(&interest, str_of(s->user), str_of(event)))
		return false;
	write_interest(&b, s, s->next_id, event, g);
	if (!shopper_send(s, &b))
		return false;
	s->flight[slot].id = s->next_id++;
	s->flight[slot].k = k;
	s->unheard[s->n_unheard++] = k;
	tracker_sent(s->shared->tracker, k, id_str(&interest), intended_us);
	return true;
}

static bool say_watch(struct shopper *s, const char *type, const char *item)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(2048);
	struct json_out j = JSON_OUT(&b);
	const size_t slot = free_flight(s);

	if (!s->is_connected || s->away_ms || slot == SHOPPER_IN_FLIGHT)
		return false;
	json_begin(&j, NULL);
	json_u64(&j, "id", s->next_id);
	json_strz(&j, "type", type);
	json_strz(&j, "item", item);
	json_end(&j);
	if (!shopper_send(s, &b))
		return false;
	s->flight[slot].id = s->next_id++;
	s->flight[slot].k = SHOPPER_A_WATCH;
	return true;
}

void shopper_watch(struct shopper *s, const char *item)
{
	struct shopper_watch *w = &s->watches[s->n_watched % SHOPPER_WATCHES];

	for (size_t i = 0; i < SHOPPER_WATCHES; i++)
		if (strcmp(s->watches[i].item, item) == 0)
			return;
	if (w->item[0] && !say_watch(s, "unwatch", w->item))
		return;
	*w = (struct shopper_watch){ 0 };
	if (!say_watch(s, "watch", item))
		return;
	snprintf(w->item, sizeof(w->item), "%s", item);
	s->n_watched++;
}
