/*
 * What a message means to a shopper. Messages are read with a table as the topics are: whoever
 * writes a client has to get along with these members and no others.
 */
#include "souk/demo/shopper_hear.h"

#include "common/base/arena.h"
#include "common/base/log.h"
#include "common/model/decode.h"

/* Any message from the server, as far as a shopper cares. */
struct push {
	struct str type;
	int64_t id;
	int64_t seq;
	struct str event, item;
	struct str offer, order, error;
	struct str reason;
	int64_t as_of;
};

#define AT(member) offsetof(struct push, member)
static const struct field push_fields[] = {
	{ .path = "type", .kind = FIELD_STR, .flags = FIELD_REQUIRED, .offset = AT(type) },
	{ .path = "id", .kind = FIELD_I64, .flags = FIELD_NULLABLE, .offset = AT(id) },
	{ .path = "seq", .kind = FIELD_COUNT, .offset = AT(seq) },
	{ .path = "event", .kind = FIELD_STR, .offset = AT(event) },
	{ .path = "item", .kind = FIELD_STR, .flags = FIELD_NULLABLE, .offset = AT(item) },
	{ .path = "offer", .kind = FIELD_RAW, .offset = AT(offer), .max = 16384 },
	{ .path = "order", .kind = FIELD_RAW, .offset = AT(order) },
	{ .path = "error", .kind = FIELD_RAW, .offset = AT(error) },
	{ .path = "reason", .kind = FIELD_STR, .offset = AT(reason) },
	{ .path = "as_of", .kind = FIELD_TIME, .offset = AT(as_of) },
};
static const struct record_type push_type = {
	.name = "push",
	.fields = push_fields,
	.n_fields = ARRAY_LEN(push_fields),
	.size = sizeof(struct push),
};

#undef AT
#define AT(member) offsetof(struct told_order, member)
static const struct field told_order_fields[] = {
	{ .path = "id", .kind = FIELD_ID, .flags = FIELD_REQUIRED, .offset = AT(id) },
	{ .path = "state", .kind = FIELD_STR, .flags = FIELD_REQUIRED, .offset = AT(state) },
	{ .path = "n", .kind = FIELD_COUNT, .flags = FIELD_REQUIRED, .offset = AT(n) },
	{ .path = "reason", .kind = FIELD_STR, .offset = AT(reason) },
};
static const struct record_type told_order_type = {
	.name = "order",
	.fields = told_order_fields,
	.n_fields = ARRAY_LEN(told_order_fields),
	.size = sizeof(struct told_order),
};

struct error_member {
	struct str code;
	int temporary; /* enum tribool */
	int64_t retry_after_ms;
};

#undef AT
#define AT(member) offsetof(struct error_member, member)
static const struct field error_fields[] = {
	{ .path = "code", .kind = FIELD_STR, .flags = FIELD_REQUIRED, .offset = AT(code) },
	{ .path = "temporary", .kind = FIELD_BOOL, .offset = AT(temporary) },
	{ .path = "retry_after_ms", .kind = FIELD_COUNT, .offset = AT(retry_after_ms) },
};
static const struct record_type error_type = {
	.name = "error",
	.fields = error_fields,
	.n_fields = ARRAY_LEN(error_fields),
	.size = sizeof(struct error_member),
};

struct withdrawn_member {
	struct str id;
	struct version rev;
	struct str reason;
};

#undef AT
#define AT(member) offsetof(struct withdrawn_member, member)
static const struct field withdrawn_fields[] = {
	{ .path = "id", .kind = FIELD_ID, .flags = FIELD_REQUIRED, .offset = AT(id) },
	{ .path = "rev", .kind = FIELD_VERSION, .flags = FIELD_REQUIRED, .offset = AT(rev) },
	{ .path = "reason", .kind = FIELD_STR, .offset = AT(reason) },
};
static const struct record_type withdrawn_type = {
	.name = "withdrawn",
	.fields = withdrawn_fields,
	.n_fields = ARRAY_LEN(withdrawn_fields),
	.size = sizeof(struct withdrawn_member),
};

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

static void forget_unheard(struct shopper *s, uint64_t k)
{
	for (size_t i = 0; i < s->n_unheard; i++) {
		if (s->unheard[i] == k) {
			s->unheard[i] = s->unheard[--s->n_unheard];
			return;
		}
	}
}

/* false: no command of ours, or none that is waited for. */
static bool answered(struct shopper *s, int64_t id, enum tracker_mark mark)
{
	for (size_t i = 0; i < SHOPPER_IN_FLIGHT; i++) {
		if (id > 0 && s->flight[i].id == (uint64_t)id) {
			s->flight[i].id = 0;
			if (s->flight[i].k != SHOPPER_A_WATCH)
				tracker_mark(s->shared->tracker, s->flight[i].k, mark);
			if (mark == TRACKED_REFUSED)
				forget_unheard(s, s->flight[i].k);
			return true;
		}
	}
	return false;
}

/* A revision of one offer never goes back, and never comes twice. true: the offer is new. */
static bool follow_revision(struct shopper *s, struct str id, struct version rev)
{
	const size_t n = s->n_seen < SHOPPER_OFFERS ? s->n_seen : SHOPPER_OFFERS;

	for (size_t i = 0; i < n; i++) {
		if (str_eqz(id, s->seen[i].id)) {
			if (version_cmp(rev, s->seen[i].rev) <= 0)
				s->shared->counts.rev_back++;
			s->seen[i].rev = rev;
			return false;
		}
	}
	str_copy(s->seen[s->n_seen % SHOPPER_OFFERS].id, sizeof(s->seen[0].id), id);
	s->seen[s->n_seen++ % SHOPPER_OFFERS].rev = rev;
	return true;
}

static int64_t first_answer(struct shopper *s, uint64_t k)
{
	forget_unheard(s, k);

	const int64_t intended = tracker_mark(s->shared->tracker, k, TRACKED_HEARD);

	if (intended < 0)
		return -1;
	const int64_t us = loop_mono_us(s->shared->loop) - intended;

	histogram_add(s->shared->latency, us);
	return us;
}

static void unreadable(struct shopper *s, const char *what, const struct fault *f)
{
	s->shared->counts.unreadable++;
	log_warn("shopper", "something that cannot be read", "what=%s why=%s", what,
		log_quote(str_of(f->text)));
}

/* n of `rev`: 1 is the offer itself (an owner's first word on it), more are revisions. A first one
 * that was replaced before it was sent is not heard: then a revision is the answer. */
static bool is_answer(const struct shopper *s, const struct offer *o, bool is_new, uint64_t k)
{
	return is_new && (o->rev.part[1] <= 1 || !tracker_is(s->shared->tracker, k, TRACKED_HEARD));
}

static void hear_offer(struct shopper *s, struct str json)
{
	struct offer o;
	struct fault f = { 0 };

	if (decode(&offer_type, &o, json, s->shared->scratch, &f)) {
		unreadable(s, "offer", &f);
		return;
	}
	const bool is_new = follow_revision(s, o.id, o.rev);
	const uint64_t k = event_number(o.client_id);
	const bool is_first = is_answer(s, &o, is_new, k);

	if (is_first) {
		s->shared->counts.offers++;
		const int64_t us = first_answer(s, k);

		if (us >= 0 && s->shared->heard)
			s->shared->heard(s->shared->ctx, &o, us);
	} else {
		s->shared->counts.revisions++;
	}
	shopper_orders_offer(s->orders, &o, k, is_first);
}

static void sold_out(struct shopper *s, struct str reason, struct str item)
{
	if (s->shared->sold && item.n && str_eqz(reason, "SOLD_OUT"))
		s->shared->sold(s->shared->ctx, item);
}

static void hear_withdrawn(struct shopper *s, const struct push *p)
{
	struct withdrawn_member w;
	struct fault f = { 0 };

	if (decode(&withdrawn_type, &w, p->offer, s->shared->scratch, &f)) {
		unreadable(s, "offer_withdrawn", &f);
		return;
	}
	const uint64_t k = event_number(p->event);

	s->shared->counts.withdrawn++;
	follow_revision(s, w.id, w.rev);
	if (!tracker_is(s->shared->tracker, k, TRACKED_HEARD))
		first_answer(s, k);
	shopper_orders_withdrawn(s->orders, w.id);
}

static void hear_order(struct shopper *s, const struct push *p)
{
	struct told_order t;
	struct fault f = { 0 };

	if (decode(&told_order_type, &t, p->order, s->shared->scratch, &f))
		unreadable(s, "order", &f);
	else
		shopper_orders_told(s->orders, p->id > 0 ? (uint64_t)p->id : 0, &t);
}

static void hear_market(struct shopper *s, const struct push *p)
{
	for (size_t i = 0; i < SHOPPER_WATCHES; i++) {
		if (!str_eqz(p->item, s->watches[i].item))
			continue;
		s->shared->counts.market++;
		s->shared->counts.market_back += p->as_of < s->watches[i].as_of;
		s->watches[i].as_of = p->as_of;
	}
}

static void hear_error(struct shopper *s, const struct push *p)
{
	struct error_member e;
	struct fault f = { 0 };

	if (decode(&error_type, &e, p->error, s->shared->scratch, &f)) {
		unreadable(s, "error", &f);
		return;
	}
	log_debug("shopper", "error", "error=%s", log_quote(p->error));
	if (p->id > 0 &&
		shopper_orders_error(s->orders, (uint64_t)p->id,
			&(struct told_error){ e.code, e.temporary == TRI_TRUE, e.retry_after_ms }))
		return;
	s->shared->counts.errors++;
	answered(s, p->id, TRACKED_REFUSED);
}

/* The name in an ack of an order is a text where a push has an object. */
static struct str unquoted(struct str raw)
{
	return raw.n >= 2 && raw.p[0] == '"' ? (struct str){ raw.p + 1, raw.n - 2 } : STR_NONE;
}

static void hear_ack(struct shopper *s, const struct push *p)
{
	if (!answered(s, p->id, TRACKED_ACKED) && p->id > 0 && str_is_set(p->order))
		shopper_orders_acked(s->orders, (uint64_t)p->id, unquoted(p->order));
}

static void welcome(struct shopper *s)
{
	s->is_connected = true;
	s->seq = 0;
	s->leave_us = 0;
	backoff_reset(&s->backoff);
	shopper_orders_connected(s->orders);
}

static void hear(struct shopper *s, const struct push *p)
{
	if (str_eqz(p->type, "offer")) {
		hear_offer(s, p->offer);
	} else if (str_eqz(p->type, "offer_withdrawn")) {
		hear_withdrawn(s, p);
	} else if (str_eqz(p->type, "no_offer")) {
		s->shared->counts.no_offers++;
		first_answer(s, event_number(p->event));
		sold_out(s, p->reason, p->item);
	} else if (str_eqz(p->type, "order")) {
		hear_order(s, p);
	} else if (str_eqz(p->type, "market")) {
		hear_market(s, p);
	} else if (str_eqz(p->type, "ack")) {
		hear_ack(s, p);
	} else if (str_eqz(p->type, "connected")) {
		welcome(s);
	} else if (str_eqz(p->type, "ping")) {
		ws_client_send(s->client, STR("{\"type\":\"pong\"}"));
	} else if (str_eqz(p->type, "error")) {
		hear_error(s, p);
	}
}

static void one_message(struct shopper *s, struct str message)
{
	struct push p;
	struct fault f = { 0 };

	arena_reset(s->shared->scratch);
	if (decode(&push_type, &p, message, s->shared->scratch, &f)) {
		unreadable(s, "message", &f);
		return;
	}
	if (p.seq && p.seq != ++s->seq) {
		s->shared->counts.seq_broken++;
		s->seq = p.seq;
	}
	hear(s, &p);
}

void shopper_hear(struct shopper *s, struct str message)
{
	while (message.n) {
		const char *nl = memchr(message.p, '\n', message.n);
		const size_t n = nl ? (size_t)(nl - message.p) : message.n;

		if (n)
			one_message(s, (struct str){ message.p, n });
		message.p += n + (nl ? 1 : 0);
		message.n -= n + (nl ? 1 : 0);
	}
}
