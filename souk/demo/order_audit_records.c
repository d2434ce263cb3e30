/*
 * Deliberately not wallet-bridge's fold: an auditor who calls the accountant's own functions proves
 * nothing. Only the shapes of fields are shared.
 */
#include <stdio.h>

#include "common/base/log.h"
#include "common/model/decode.h"
#include "common/model/topics.h"
#include "souk/demo/order_audit_internal.h"

/* Any record of these topics, as far as the audit cares. */
struct any_record {
	struct str type, id, order, item, state, reason;
	struct version ver;
	struct money price;
	int64_t n, supply, taken, through, shard, epoch;
};

#define FIELD_OF(path_, kind_, member_) \
	{ \
		.path = path_, .kind = kind_, .offset = offsetof(struct any_record, member_) \
	}
static const struct field any_fields[] = {
	FIELD_OF("type", FIELD_STR, type),
	FIELD_OF("id", FIELD_ID, id),
	FIELD_OF("order", FIELD_ID, order),
	FIELD_OF("item", FIELD_ITEM, item),
	FIELD_OF("state", FIELD_STR, state),
	FIELD_OF("reason", FIELD_STR, reason),
	FIELD_OF("ver", FIELD_VERSION, ver),
	FIELD_OF("price", FIELD_MONEY, price),
	FIELD_OF("n", FIELD_COUNT, n),
	FIELD_OF("supply", FIELD_COUNT, supply),
	FIELD_OF("taken", FIELD_COUNT, taken),
	FIELD_OF("through", FIELD_COUNT, through),
	FIELD_OF("shard", FIELD_COUNT, shard),
	FIELD_OF("epoch", FIELD_COUNT, epoch),
};
static const struct record_type any_type = {
	.name = "record",
	.fields = any_fields,
	.n_fields = ARRAY_LEN(any_fields),
	.size = sizeof(struct any_record),
};

static void unreadable(struct order_audit *a, const struct bus_record *r, const char *why)
{
	char where[ORDER_BOOK_TEXT_MAX];

	snprintf(where, sizeof(where), "%.24s %d:%lld", r->topic, r->partition,
		(long long)r->offset);
	log_error("audit", "a record that cannot be read",
		"topic=%s partition=%d offset=%lld why=%s", r->topic, r->partition,
		(long long)r->offset, log_quote(str_of(why)));
	order_audit_breach(a, BREACH_UNREADABLE, where);
}

/* Item and price in one number: an order and its request agree or not. */
static uint64_t terms_of(const struct any_record *v)
{
	char text[400];
	char amount[MONEY_TEXT_MAX];
	uint64_t digest[2];

	money_format_amount(amount, v->price.amount);
	const int n = snprintf(text, sizeof(text), STR_FMT " %s %d", STR_ARG(v->item), amount,
		(int)v->price.currency);

	order_book_digest(digest, (struct str){ text, (size_t)n });
	return digest[0];
}

/* ---- orders.v1 ---- */

static void take_order(
	struct order_audit *a, const struct bus_record *r, const struct any_record *v)
{
	if (!v->id.n || !v->item.n || !money_is_set(v->price)) {
		unreadable(a, r, "an order without id, item or price");
		return;
	}
	struct booked_order *o = order_book_order(a->book, v->id);

	if (!o)
		return;
	if (o->flags & BOOKED_MADE) {
		a->counts.repeats++;
		return;
	}
	o->flags |= BOOKED_MADE;
	o->made_terms = terms_of(v);
	o->item = order_book_item(a->book, v->item);
	a->counts.orders++;
}

/* ---- payments.requests.v1 ---- */

static void take_supply(struct order_audit *a, const struct bus_record *r,
	const struct any_record *v, struct booked_item *it)
{
	a->counts.supplies++;
	if (it->has_supply && version_cmp(v->ver, it->supply_ver) <= 0)
		return;
	it->has_supply = true;
	it->supply_ver = v->ver;
	it->supply = v->supply;
	if (it->supply > it->supply_max)
		it->supply_max = it->supply;
	it->moved = r->offset;
}

static void take_request(struct order_audit *a, const struct bus_record *r,
	const struct any_record *v, struct booked_order *o, struct booked_item *it)
{
	uint64_t value[2];

	order_book_digest(value, r->value);
	if (o->flags & BOOKED_REFUSED) {
		order_audit_breach(a, BREACH_DECIDED_OTHERWISE, o->id);
		return;
	}
	if (o->flags & BOOKED_REQUESTED) {
		if (value[0] != o->value[0] || value[1] != o->value[1])
			order_audit_breach(a, BREACH_TWO_REQUESTS, o->id);
		return;
	}
	a->counts.requests++;
	o->flags |= BOOKED_REQUESTED;
	o->value[0] = value[0];
	o->value[1] = value[1];
	o->request_terms = terms_of(v);
	o->item = it;
	if (it->taken >= it->supply) {
		order_audit_breach(a, BREACH_BEYOND_SUPPLY, o->id);
		return;
	}
	o->flags |= BOOKED_TAKEN;
	it->taken++;
	it->moved = r->offset;
}

static void take_refusal(struct order_audit *a, struct booked_order *o)
{
	if (o->flags & BOOKED_REQUESTED) {
		order_audit_breach(a, BREACH_DECIDED_OTHERWISE, o->id);
		return;
	}
	a->counts.refusals += !(o->flags & BOOKED_REFUSED);
	o->flags |= BOOKED_REFUSED;
}

static void take_release(struct order_audit *a, const struct bus_record *r, struct booked_order *o)
{
	if (!(o->flags & BOOKED_TAKEN)) {
		order_audit_breach(a, BREACH_RELEASE_OF_NOTHING, o->id);
		return;
	}
	if (o->flags & BOOKED_RELEASED)
		return;
	a->counts.releases++;
	o->flags |= BOOKED_RELEASED;
	o->item->taken--;
	o->item->moved = r->offset;
}

static bool is_void(const struct order_audit *a, const struct bus_record *r)
{
	uint64_t epoch;

	return str_to_u64(bus_header(r, "x-souk-epoch"), &epoch) ||
	       (int64_t)epoch != a->epoch[r->partition];
}

static void take_decided(
	struct order_audit *a, const struct bus_record *r, const struct any_record *v)
{
	if (str_eqz(v->type, "owner")) {
		a->epoch[r->partition] = r->offset;
		return;
	}
	if (is_void(a, r)) {
		a->counts.voided++;
		return;
	}
	struct booked_item *it = v->item.n ? order_book_item(a->book, v->item) : NULL;
	struct booked_order *o = v->order.n ? order_book_order(a->book, v->order) : NULL;

	if (it && str_eqz(v->type, "supply"))
		take_supply(a, r, v, it);
	else if (it && o && str_eqz(v->type, "request"))
		take_request(a, r, v, o, it);
	else if (o && str_eqz(v->type, "refusal"))
		take_refusal(a, o);
	else if (o && str_eqz(v->type, "release"))
		take_release(a, r, o);
	else
		unreadable(a, r, "nothing that may stand here");
}

/* ---- payments.results.v1 ---- */

#define TO(state) (1u << ORDER_##state)
#define ENDS      (TO(REVERTED) | TO(EXPIRED) | TO(CANCELLED) | TO(FINAL))
#define PAYING    (TO(SENT) | TO(MINED) | TO(CONFIRMED))

/* What may follow. A step over states in between is allowed; terminal states are never left. */
static const unsigned may_follow[ORDER_AUDIT_STATES] = {
	[ORDER_ACCEPTED] = TO(RESERVED) | PAYING | ENDS,
	[ORDER_RESERVED] = PAYING | TO(HELD) | ENDS,
	[ORDER_SENT] = TO(MINED) | TO(CONFIRMED) | TO(HELD) | ENDS,
	[ORDER_MINED] = TO(SENT) | TO(CONFIRMED) | TO(HELD) | ENDS,
	[ORDER_CONFIRMED] = TO(SENT) | TO(HELD) | ENDS,
	[ORDER_HELD] = TO(RESERVED) | PAYING | ENDS,
};
static const unsigned may_be_first = TO(ACCEPTED) | TO(RESERVED) | TO(REJECTED);

static void enter_state(struct order_audit *a, struct booked_order *o, int64_t n, unsigned state)
{
	const unsigned allowed = o->n ? may_follow[o->states[o->n - 1]] : may_be_first;

	if (n != o->n + 1)
		order_audit_breach(a, BREACH_RESULT_MISSING, o->id);
	else if (!(allowed & 1u << state))
		order_audit_breach(a, BREACH_TRANSITION, o->id);
	/* Those that were left out count as the one that came. */
	while (o->n < n)
		o->states[o->n++] = (uint8_t)state;
}

static void take_result(
	struct order_audit *a, const struct bus_record *r, const struct any_record *v)
{
	const int state = order_audit_state_of(v->state);

	a->counts.results++;
	if (v->n == 0 && str_eqz(v->state, "CONFLICT")) {
		a->counts.conflicts++;
		return;
	}
	if (!v->order.n || state < 0 || v->n < 1) {
		unreadable(a, r, "a result without order, state or number");
		return;
	}
	struct booked_order *o = order_book_order(a->book, v->order);

	if (!o)
		return;
	if (v->n > ORDER_BOOK_RESULTS_MAX) {
		order_audit_breach(a, BREACH_OVERRUN, o->id);
	} else if (v->n > o->n) {
		enter_state(a, o, v->n, (unsigned)state);
		o->reason = order_book_reason(a->book, v->reason);
	} else if (o->states[v->n - 1] != state) {
		order_audit_breach(a, BREACH_RESULT_CHANGED, o->id);
	}
}

/* ---- payments.ledger.v1, stock.v1 ---- */

static void take_outcome(
	struct order_audit *a, const struct bus_record *r, const struct any_record *v)
{
	const int state = order_audit_state_of(v->state);

	if (v->shard >= ORDER_AUDIT_PARTITIONS_MAX) {
		order_audit_breach(a, BREACH_OVERRUN, "shards");
		return;
	}
	if (str_eqz(v->type, "owner")) {
		a->ledger_epoch[v->shard] = r->offset;
		return;
	}
	if (!str_eqz(v->type, "outcome"))
		return; /* operations and attempts are the executor's own */
	if (!v->order.n || state < 0) {
		unreadable(a, r, "an outcome without order or state");
		return;
	}
	if (v->epoch < a->ledger_epoch[v->shard]) {
		a->counts.voided++;
		return;
	}
	struct booked_order *o = order_book_order(a->book, v->order);

	if (o)
		o->ledger |= (uint16_t)(1u << state);
	a->counts.outcomes++;
}

static void take_snapshot(
	struct order_audit *a, const struct bus_record *r, const struct any_record *v)
{
	struct booked_item *it = v->item.n ? order_book_item(a->book, v->item) : NULL;

	if (!it) {
		unreadable(a, r, "a snapshot without item");
		return;
	}
	if (it->has_snapshot && version_cmp(v->ver, it->snapshot.ver) < 0)
		return;
	it->has_snapshot = true;
	it->snapshot.ver = v->ver;
	it->snapshot.supply = v->supply;
	it->snapshot.taken = v->taken;
	it->snapshot.through = v->through;
}

void order_audit_record(struct order_audit *a, const struct bus_record *r)
{
	struct any_record v;
	struct fault f = { 0 };

	if (!str_is_set(r->value))
		return; /* a snapshot that is no longer needed */
	if (r->partition < 0 || r->partition >= ORDER_AUDIT_PARTITIONS_MAX) {
		order_audit_breach(a, BREACH_OVERRUN, "partitions");
		return;
	}
	arena_reset(a->scratch);
	if (decode(&any_type, &v, r->value, a->scratch, &f))
		unreadable(a, r, f.text);
	else if (strcmp(r->topic, TOPIC_ORDERS) == 0)
		take_order(a, r, &v);
	else if (strcmp(r->topic, TOPIC_PAYMENT_REQUESTS) == 0)
		take_decided(a, r, &v);
	else if (strcmp(r->topic, TOPIC_PAYMENT_RESULTS) == 0)
		take_result(a, r, &v);
	else if (strcmp(r->topic, TOPIC_LEDGER) == 0)
		take_outcome(a, r, &v);
	else if (strcmp(r->topic, TOPIC_STOCK) == 0)
		take_snapshot(a, r, &v);
}
