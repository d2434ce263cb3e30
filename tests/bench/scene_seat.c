/*
 * Sessions: each looks at PER_SESSION items and keeps the newest quote of each. An offer that comes
 * is compared with the item's newest write: the first revision with its price ends that write's
 * latency for this viewer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/json_out.h"
#include "common/base/log.h"
#include "common/io/ws_client.h"
#include "common/model/decode.h"
#include "common/model/offer.h"
#include "tests/bench/scene.h"
#include "ws-server/ws_server_role.h"

#define TOKEN_TTL_MS 86400000

struct message {
	struct str type;
	int64_t id;
	struct str event, offer, order, item;
};

#define AT(member) offsetof(struct message, member)
static const struct field message_fields[] = {
	{ .path = "type", .kind = FIELD_STR, .flags = FIELD_REQUIRED, .offset = AT(type) },
	{ .path = "id", .kind = FIELD_I64, .flags = FIELD_NULLABLE, .offset = AT(id) },
	{ .path = "event", .kind = FIELD_STR, .offset = AT(event) },
	{ .path = "offer", .kind = FIELD_RAW, .offset = AT(offer), .max = 16384 },
	{ .path = "order", .kind = FIELD_RAW, .offset = AT(order), .max = 4096 },
	{ .path = "item", .kind = FIELD_STR, .offset = AT(item) },
};
static const struct record_type message_type = {
	.name = "message",
	.fields = message_fields,
	.n_fields = ARRAY_LEN(message_fields),
	.size = sizeof(struct message),
};

struct told {
	struct str id, state;
};
static const struct field told_fields[] = {
	{ .path = "id",
		.kind = FIELD_STR,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct told, id) },
	{ .path = "state", .kind = FIELD_STR, .offset = offsetof(struct told, state) },
};
static const struct record_type told_type = {
	.name = "order",
	.fields = told_fields,
	.n_fields = ARRAY_LEN(told_fields),
	.size = sizeof(struct told),
};

static void say(struct seat *t, struct buf *b)
{
	if (b->failed || ws_client_send(t->client, buf_str(b)))
		t->scene->n_errors++;
}

static void opened(void *ctx)
{
	struct seat *t = ctx;
	CLEANUP(buf_fini) struct buf token = BUF_INIT(4096);
	CLEANUP(buf_fini) struct buf b = BUF_INIT(8192);
	struct json_out j = JSON_OUT(&b);
	struct fault f = { 0 };

	if (gateway_token(&token, t->scene->secret_file, t->user, NULL,
		    loop_now_ms(t->scene->process.loop) + TOKEN_TTL_MS, &f)) {
		log_error("bench", "no token", "why=%s", log_quote(str_of(f.text)));
		return;
	}
	json_begin(&j, NULL);
	json_u64(&j, "id", t->next_id++);
	json_strz(&j, "type", "connect");
	json_str(&j, "token", buf_str(&token));
	json_end(&j);
	say(t, &b);
}

static bool is_measuring(const struct scene *s, int64_t due_us)
{
	return s->begin_us && due_us >= s->begin_us + s->warm_us &&
	       due_us < s->begin_us + s->warm_us + s->measure_us;
}

static void hear_price(struct seat *t, struct place *p, const struct offer *o)
{
	struct scene *s = t->scene;
	const struct item *item = &s->items[p->item];

	if (item->last_write < 0 || p->seen_write == item->last_write ||
		o->price.amount != item->price)
		return;
	p->seen_write = item->last_write;
	if (is_measuring(s, item->due_us)) {
		s->n_revisions_measured++;
		histogram_add(s->revision, loop_mono_us(s->process.loop) - item->due_us);
	}
}

/* "<run>/<place>/<try>" */
static struct place *place_of(struct seat *t, struct str event)
{
	const char *slash = memchr(event.p, '/', event.n);
	const unsigned long i = slash ? strtoul(slash + 1, NULL, 10) : PER_SESSION;

	return i < PER_SESSION ? &t->places[i] : NULL;
}

static void hear_offer(struct seat *t, struct str json)
{
	struct scene *s = t->scene;
	struct offer o;
	struct place *p;

	if (decode(&offer_type, &o, json, s->scratch, NULL) || !(p = place_of(t, o.client_id))) {
		s->n_errors++;
		return;
	}
	if (!p->is_live)
		s->n_live++;
	else
		s->n_revisions++;
	p->is_live = true;
	if (str_copy(p->quote, sizeof(p->quote), o.quote))
		s->n_errors++;
	hear_price(t, p, &o);
}

static void hear_no_offer(struct seat *t, struct str event)
{
	struct place *p = place_of(t, event);

	t->scene->n_no_offer++;
	if (!p)
		return;
	p->is_asked = false;
	p->ask_at_ms = loop_mono_ms(t->scene->process.loop) + ASK_AGAIN_MS;
}

/* Order ids are "<run>.<k>". */
static struct pending_order *order_of(struct scene *s, struct str id)
{
	const char *dot = memchr(id.p, '.', id.n);
	const unsigned long long k = dot ? strtoull(dot + 1, NULL, 10) : UINT64_MAX;

	return k < s->next_order ? &s->orders[k] : NULL;
}

static void hear_ack(struct seat *t, const struct message *m)
{
	struct scene *s = t->scene;
	const int64_t now_us = loop_mono_us(s->process.loop);
	struct pending_order *o;

	if (t->rtt_id && m->id == t->rtt_id) {
		if (is_measuring(s, t->rtt_us))
			histogram_add(s->rtt, now_us - t->rtt_us);
		t->rtt_id = 0;
		return;
	}
	if (!str_is_set(m->order) || m->order.n < 2)
		return;
	o = order_of(s, (struct str){ m->order.p + 1, m->order.n - 2 });
	if (!o || o->is_acked)
		return;
	o->is_acked = true;
	s->n_acked++;
	histogram_add(s->ack, now_us - o->due_us);
}

static void hear_order(struct seat *t, struct str json)
{
	struct scene *s = t->scene;
	struct told told;
	struct pending_order *o;

	if (decode(&told_type, &told, json, s->scratch, NULL) || !(o = order_of(s, told.id))) {
		s->n_errors++;
		return;
	}
	s->n_rejected += str_eq(told.state, STR("REJECTED"));
	if (!str_eq(told.state, STR("RESERVED")) || o->is_told)
		return;
	o->is_told = true;
	s->n_reserved++;
	histogram_add(s->reserved, loop_mono_us(s->process.loop) - o->due_us);
}

static void one(struct seat *t, struct str text)
{
	struct scene *s = t->scene;
	struct message m;

	arena_reset(s->scratch);
	if (decode(&message_type, &m, text, s->scratch, NULL)) {
		s->n_errors++;
	} else if (str_eq(m.type, STR("offer"))) {
		hear_offer(t, m.offer);
	} else if (str_eq(m.type, STR("ack"))) {
		hear_ack(t, &m);
	} else if (str_eq(m.type, STR("order"))) {
		hear_order(t, m.order);
	} else if (str_eq(m.type, STR("no_offer"))) {
		hear_no_offer(t, m.event);
	} else if (str_eq(m.type, STR("offer_withdrawn"))) {
		s->n_withdrawn++;
	} else if (str_eq(m.type, STR("connected"))) {
		t->is_connected = true;
	} else if (str_eq(m.type, STR("ping"))) {
		(void)ws_client_send(t->client, STR("{\"type\":\"pong\"}"));
	} else if (str_eq(m.type, STR("error"))) {
		if (s->n_errors++ < 3)
			log_error("bench", "a command was refused", "message=%s", log_quote(text));
	}
}

static void text(void *ctx, struct str message)
{
	while (message.n) {
		const char *nl = memchr(message.p, '\n', message.n);
		const size_t n = nl ? (size_t)(nl - message.p) : message.n;

		if (n)
			one(ctx, (struct str){ message.p, n });
		message.p += n + (nl ? 1 : 0);
		message.n -= n + (nl ? 1 : 0);
	}
}

static void closed(void *ctx, int code, int http_status, const char *why)
{
	struct seat *t = ctx;

	t->is_connected = false;
	t->scene->n_errors++;
	log_error("bench", "a session was closed", "code=%d http=%d why=%s", code, http_status,
		log_quote(str_of(why)));
}

int seats_init(struct scene *s, struct fault *f)
{
	static const struct ws_client_ops ops = {
		.opened = opened, .text = text, .closed = closed
	};
	int r = 0;

	for (uint32_t i = 0; !r && i < SESSIONS; i++) {
		struct seat *t = &s->seats[i];

		t->scene = s;
		t->number = i;
		t->next_id = 1;
		snprintf(t->user, sizeof(t->user), "bench-%u", i);
		for (uint32_t j = 0; j < PER_SESSION; j++)
			t->places[j] = (struct place){
				.item = (i % (SESSIONS / VIEWERS)) * PER_SESSION + j,
				.seen_write = -1
			};
		r = ws_client_lws_new(&t->client, s->process.host, &ops, t);
		if (!r)
			r = ws_client_connect(t->client,
				&(struct ws_client_config){ .url = s->url,
					.subprotocol = "souk.v1.json",
					.message_max = 1u << 18,
					.queue_max = 1u << 20,
					.connect_timeout_ms = 10000 },
				f);
	}
	return r;
}

void seats_fini(struct scene *s)
{
	for (uint32_t i = 0; i < SESSIONS; i++)
		ws_client_free(s->seats[i].client);
}

static void ask(struct seat *t, uint32_t j)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(2048);
	struct json_out j_ = JSON_OUT(&b);
	char event[80];

	snprintf(event, sizeof(event), "%.20s/%u/%llu", t->scene->run, j,
		(unsigned long long)t->next_id);
	json_begin(&j_, NULL);
	json_u64(&j_, "id", t->next_id++);
	json_strz(&j_, "type", "interest");
	json_strz(&j_, "event", event);
	json_strz(&j_, "item", t->scene->items[t->places[j].item].id);
	json_begin(&j_, "signal");
	json_strz(&j_, "kind", "view");
	json_end(&j_);
	json_begin(&j_, "context");
	json_strz(&j_, "place", "hall");
	json_strz(&j_, "device", "phone");
	json_end(&j_);
	json_end(&j_);
	say(t, &b);
	t->places[j].is_asked = true;
}

void seats_ask(struct scene *s)
{
	const int64_t now_ms = loop_mono_ms(s->process.loop);
	struct seat *t = &s->seats[s->next_seat++ % SESSIONS];

	for (uint32_t j = 0; t->is_connected && j < PER_SESSION; j++) {
		if (!t->places[j].is_asked && t->places[j].ask_at_ms <= now_ms) {
			ask(t, j);
			return;
		}
	}
}

/* A command that costs nothing but the way there and back. */
void seats_probe(struct scene *s)
{
	struct seat *t = &s->seats[s->next_probe++ % SESSIONS];
	CLEANUP(buf_fini) struct buf b = BUF_INIT(512);

	if (t->rtt_id || !t->is_connected)
		return;
	t->rtt_id = (int64_t)t->next_id;
	t->rtt_us = loop_mono_us(s->process.loop);
	buf_printf(&b, "{\"id\":%llu,\"type\":\"unwatch\",\"item\":\"%s\"}",
		(unsigned long long)t->next_id++, s->items[0].id);
	say(t, &b);
}

void seats_order(struct scene *s, uint64_t k)
{
	struct seat *t = &s->seats[k % SESSIONS];
	struct place *p = &t->places[(k / SESSIONS) % PER_SESSION];
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);

	buf_printf(&b,
		"{\"id\":%llu,\"type\":\"order\",\"order\":{\"id\":\"%.20s.%llu\",\"quote\":%s,"
		"\"pay\":{\"mode\":\"now\"}}}",
		(unsigned long long)t->next_id++, s->run, (unsigned long long)k, p->quote);
	say(t, &b);
}
