#include "souk/demo/shopper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/json_out.h"
#include "common/base/log.h"
#include "common/model/decode.h"
#include "common/model/ids.h"

/* Any message from the server, as far as a shopper cares. */
struct push {
	struct str type;
	int64_t id;
	struct str event;
	struct str offer;
	struct str error;
};

#define AT(member) offsetof(struct push, member)
static const struct field push_fields[] = {
	{ .path = "type", .kind = FIELD_STR, .flags = FIELD_REQUIRED, .offset = AT(type) },
	{ .path = "id", .kind = FIELD_I64, .flags = FIELD_NULLABLE, .offset = AT(id) },
	{ .path = "event", .kind = FIELD_STR, .offset = AT(event) },
	{ .path = "offer", .kind = FIELD_RAW, .offset = AT(offer), .max = 16384 },
	{ .path = "error", .kind = FIELD_RAW, .offset = AT(error) },
};
static const struct record_type push_type = {
	.name = "push",
	.fields = push_fields,
	.n_fields = ARRAY_LEN(push_fields),
	.size = sizeof(struct push),
};

static void send_buf(struct shopper *s, struct buf *b)
{
	if (!b->failed && ws_client_send(s->client, buf_str(b)))
		s->shared->counts.errors++;
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
	send_buf(s, &b);
}

static void opened(void *ctx)
{
	say_connect(ctx);
}

/* The number behind "<run>-<k>". */
static uint64_t event_number(struct str event)
{
	const char *dash = memchr(event.p, '-', event.n);
	uint64_t k;

	if (!dash)
		return UINT64_MAX;
	struct str tail = { dash + 1, event.n - (size_t)(dash + 1 - event.p) };

	return str_to_u64(tail, &k) ? UINT64_MAX : k;
}

static void answered(struct shopper *s, int64_t id, enum tracker_mark mark)
{
	for (size_t i = 0; i < SHOPPER_IN_FLIGHT; i++) {
		if (id > 0 && s->flight[i].id == (uint64_t)id) {
			s->flight[i].id = 0;
			tracker_mark(s->shared->tracker, s->flight[i].k, mark);
			return;
		}
	}
}

/* A revision of one offer never goes back, and never comes twice. */
static void check_revision(struct shopper *s, const struct offer *o)
{
	for (size_t i = 0; i < SHOPPER_OFFERS; i++) {
		if (str_eqz(o->id, s->seen[i].id)) {
			if (version_cmp(o->rev, s->seen[i].rev) <= 0)
				s->shared->counts.rev_back++;
			s->seen[i].rev = o->rev;
			return;
		}
	}
	str_copy(s->seen[s->n_seen % SHOPPER_OFFERS].id, sizeof(s->seen[0].id), o->id);
	s->seen[s->n_seen++ % SHOPPER_OFFERS].rev = o->rev;
}

static int64_t first_answer(struct shopper *s, uint64_t k)
{
	const int64_t intended = tracker_mark(s->shared->tracker, k, TRACKED_HEARD);

	if (intended < 0)
		return -1;
	const int64_t us = loop_mono_us(s->shared->loop) - intended;

	histogram_add(s->shared->latency, us);
	return us;
}

static void hear_offer(struct shopper *s, struct str json)
{
	struct offer o;
	struct fault f = { 0 };

	if (decode(&offer_type, &o, json, s->shared->scratch, &f)) {
		s->shared->counts.unreadable++;
		log_warn("shopper", "an offer that cannot be read", "why=%s",
			log_quote(str_of(f.text)));
		return;
	}
	s->shared->counts.offers++;
	check_revision(s, &o);
	const int64_t us = first_answer(s, event_number(o.client_id));

	if (us >= 0 && s->shared->heard)
		s->shared->heard(s->shared->ctx, &o, us);
}

static void one_message(struct shopper *s, struct str message)
{
	struct push p;
	struct fault f = { 0 };

	arena_reset(s->shared->scratch);
	if (decode(&push_type, &p, message, s->shared->scratch, &f)) {
		s->shared->counts.unreadable++;
		log_warn("shopper", "a message that cannot be read", "why=%s",
			log_quote(str_of(f.text)));
	} else if (str_eq(p.type, STR("offer"))) {
		hear_offer(s, p.offer);
	} else if (str_eq(p.type, STR("no_offer"))) {
		s->shared->counts.no_offers++;
		first_answer(s, event_number(p.event));
	} else if (str_eq(p.type, STR("ack"))) {
		answered(s, p.id, TRACKED_ACKED);
	} else if (str_eq(p.type, STR("connected"))) {
		s->is_connected = true;
		backoff_reset(&s->backoff);
	} else if (str_eq(p.type, STR("ping"))) {
		ws_client_send(s->client, STR("{\"type\":\"pong\"}"));
	} else if (str_eq(p.type, STR("error"))) {
		s->shared->counts.errors++;
		answered(s, p.id, TRACKED_REFUSED);
		log_debug("shopper", "error", "error=%s", log_quote(p.error));
	}
}

static void text(void *ctx, struct str message)
{
	struct shopper *s = ctx;

	while (message.n) {
		const char *nl = memchr(message.p, '\n', message.n);
		const size_t n = nl ? (size_t)(nl - message.p) : message.n;

		if (n)
			one_message(s, (struct str){ message.p, n });
		message.p += n + (nl ? 1 : 0);
		message.n -= n + (nl ? 1 : 0);
	}
}

static void closed(void *ctx, int code, int http_status, const char *why)
{
	struct shopper *s = ctx;

	if (s->is_connected)
		s->shared->counts.disconnects++;
	s->is_connected = false;
	memset(s->flight, 0, sizeof(s->flight));
	log_debug("shopper", "disconnected", "code=%d http=%d why=%s", code, http_status,
		log_quote(str_of(why)));
	loop_timer_start(s->retry, 50 + backoff_next_ms(&s->backoff));
}

static void connect_now(void *ctx)
{
	struct shopper *s = ctx;
	struct fault f = { 0 };
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

int shopper_init(struct shopper *s, struct shoppers_shared *shared,
	const struct ws_client_factory *factory, const char *user, const char *token)
{
	static const struct ws_client_ops ops = {
		.opened = opened, .text = text, .closed = closed
	};

	*s = (struct shopper){ .shared = shared, .token = strdup(token), .next_id = 1 };
	s->backoff = BACKOFF_INIT(100, 3000, (uint64_t)(uintptr_t)s);
	snprintf(s->user, sizeof(s->user), "%s", user);
	s->retry = loop_timer_new(shared->loop, connect_now, s);
	if (!s->retry || !s->token)
		return -ENOMEM;
	return factory->make(factory->ctx, &s->client, &ops, s);
}

void shopper_start(struct shopper *s)
{
	loop_timer_start(s->retry, 0);
}

void shopper_fini(struct shopper *s)
{
	loop_timer_free(s->retry);
	ws_client_free(s->client);
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

bool shopper_look(
	struct shopper *s, int64_t run, uint64_t k, int64_t intended_us, const struct glance *g)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
	char event[64];
	struct id interest;
	size_t slot = 0;

	while (slot < SHOPPER_IN_FLIGHT && s->flight[slot].id)
		slot++;
	if (!s->is_connected || slot == SHOPPER_IN_FLIGHT)
		return false;
	snprintf(event, sizeof(event), "%lld-%llu", (long long)run, (unsigned long long)k);
	if (id_for_interest(&interest, str_of(s->user), str_of(event)))
		return false;
	write_interest(&b, s, s->next_id, event, g);
	if (b.failed || ws_client_send(s->client, buf_str(&b)))
		return false;
	s->flight[slot].id = s->next_id++;
	s->flight[slot].k = k;
	tracker_sent(s->shared->tracker, k, id_str(&interest), intended_us);
	return true;
}
