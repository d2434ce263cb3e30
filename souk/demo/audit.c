/*
 * The arithmetic here is deliberately not pricing's: plain 128-bit integers on what the record says
 * it was made from. An auditor who calls the accountant's own functions proves nothing.
 */
#include "souk/demo/audit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/log.h"
#include "common/model/offer.h"
#include "common/model/topics.h"
#include "souk/demo/price_watch.h"

#define SCRATCH_BYTES  (1u << 17)
#define PARTITIONS_MAX 256
#define BINDS_MS       25000 /* a price that was shown: less than offers live */
#define REMEMBERS_MS   35000 /* more than that */

static const struct {
	const char *name;
	int64_t from;
} topics[] = {
	{ TOPIC_DECISIONS, BUS_FROM_END },
	{ TOPIC_ORDERS, BUS_FROM_BEGIN },
	{ TOPIC_PAYMENT_REQUESTS, BUS_FROM_BEGIN },
	{ TOPIC_PAYMENT_RESULTS, BUS_FROM_BEGIN },
	{ TOPIC_LEDGER, BUS_FROM_BEGIN },
	{ TOPIC_STOCK, BUS_FROM_BEGIN },
};

struct audit {
	struct bus *bus;
	struct bus_reader *reader;
	struct loop_timer *begin;
	struct tracker *tracker;
	struct order_audit *orders;
	struct price_watch *prices;
	struct arena *scratch;
	bool is_begun;
	int32_t partitions; /* of all topics */
	int32_t at_end;     /* of these, those that have been read up once */
	bool is_at_end[ARRAY_LEN(topics)][PARTITIONS_MAX];
	uint64_t epoch[PARTITIONS_MAX]; /* highest owner epoch of the decisions' partitions */
	struct audit_counts counts;
};

/* What a price was made from, as far as the guards go. */
struct basis {
	struct money list, cost, bid_net;
	int64_t over_bid_bps, margin_bps, premium_bps, discount_bps, moved_bps, now_ms;
};

#define AT(member) offsetof(struct basis, member)
static const struct field basis_fields[] = {
	{ .path = "rows.inventory.list",
		.kind = FIELD_MONEY,
		.flags = FIELD_NULLABLE,
		.offset = AT(list) },
	{ .path = "rows.inventory.cost",
		.kind = FIELD_MONEY,
		.flags = FIELD_NULLABLE,
		.offset = AT(cost) },
	{ .path = "rows.bestbid.bid_net",
		.kind = FIELD_MONEY,
		.flags = FIELD_NULLABLE,
		.offset = AT(bid_net) },
	{ .path = "guards.floor_over_bid_bps",
		.kind = FIELD_I64,
		.flags = FIELD_REQUIRED,
		.offset = AT(over_bid_bps) },
	{ .path = "guards.min_margin_bps",
		.kind = FIELD_I64,
		.flags = FIELD_REQUIRED,
		.offset = AT(margin_bps) },
	{ .path = "guards.max_premium_bps",
		.kind = FIELD_I64,
		.flags = FIELD_REQUIRED,
		.offset = AT(premium_bps) },
	{ .path = "guards.max_discount_bps",
		.kind = FIELD_I64,
		.flags = FIELD_REQUIRED,
		.offset = AT(discount_bps) },
	{ .path = "guards.moved_bps",
		.kind = FIELD_I64,
		.flags = FIELD_REQUIRED,
		.offset = AT(moved_bps) },
	{ .path = "now", .kind = FIELD_TIME, .flags = FIELD_REQUIRED, .offset = AT(now_ms) },
};
static const struct record_type basis_type = {
	.name = "inputs",
	.fields = basis_fields,
	.n_fields = ARRAY_LEN(basis_fields),
	.size = sizeof(struct basis),
};

static u128 floor_of(struct money m, int64_t bps)
{
	return (m.amount * (u128)(10000 + bps) + 9999) / 10000;
}

static const char *broken_guard(const struct basis *b, u128 price)
{
	if (money_is_set(b->bid_net) && price < floor_of(b->bid_net, b->over_bid_bps))
		return "below the best bid's floor";
	if (money_is_set(b->cost) && price < floor_of(b->cost, b->margin_bps))
		return "below cost and margin";
	if (price < floor_of(b->list, -b->discount_bps))
		return "more discount than allowed";
	if (price > b->list.amount * (u128)(10000 + b->premium_bps) / 10000)
		return "above the list price";
	return NULL;
}

static void judge_rise(struct audit *a, const struct decision *d, const struct basis *b)
{
	const struct shown_price s = {
		.session = d->session,
		.user = d->user,
		.item = d->item,
		.now_ms = b->now_ms,
		.price = d->price,
		.bid_net = b->bid_net,
		.moved_bps = b->moved_bps,
	};

	if (price_watch_rises(a->prices, &s) && a->counts.rose++ == 0)
		snprintf(a->counts.rose_example, sizeof(a->counts.rose_example),
			"interest " STR_FMT, STR_ARG(d->interest));
}

static void judge_price(struct audit *a, const struct decision *d)
{
	struct basis b;
	struct fault f = { 0 };
	const char *broken;

	if (decode(&basis_type, &b, d->inputs, a->scratch, &f) || !money_is_set(b.list)) {
		a->counts.unreadable++;
		log_error("audit", "an offer without readable inputs", "why=%s",
			log_quote(str_of(f.text)));
		return;
	}
	judge_rise(a, d, &b);
	broken = broken_guard(&b, d->price.amount);
	if (!broken || a->counts.broke_guard++)
		return;
	snprintf(a->counts.example, sizeof(a->counts.example), "%s: interest " STR_FMT, broken,
		STR_ARG(d->interest));
}

static void count(struct audit *a, const struct decision *d)
{
	const bool is_first = d->cause == CAUSE_INTEREST;

	if (is_first) {
		a->counts.decisions++;
	} else {
		a->counts.revisions++;
		if (d->cause >= 0 && d->cause < AUDIT_CAUSES)
			a->counts.causes[d->cause]++;
	}
	if (d->outcome >= 0 && d->outcome < AUDIT_OUTCOMES &&
		(is_first || d->outcome == OUTCOME_WITHDRAWN))
		a->counts.outcomes[d->outcome]++;
	if (is_first && d->reason > 0 && d->reason < AUDIT_REASONS)
		a->counts.reasons[d->reason]++;
}

static void judge(struct audit *a, const struct bus_record *r)
{
	struct decision d;
	struct fault f = { 0 };

	arena_reset(a->scratch);
	if (decode(&decision_type, &d, r->value, a->scratch, &f)) {
		a->counts.unreadable++;
		log_error("audit", "a decision that cannot be read",
			"partition=%d offset=%lld why=%s", r->partition, (long long)r->offset,
			log_quote(str_of(f.text)));
		return;
	}
	/* `rev` begins with the epoch of the owner who speaks. */
	if (d.rev.part[0] < a->epoch[r->partition]) {
		a->counts.voided++;
		return;
	}
	tracker_mark_id(a->tracker, d.interest, TRACKED_DECIDED);
	count(a, &d);
	if (d.outcome == OUTCOME_OFFER)
		judge_price(a, &d);
}

static void records(void *ctx, const struct bus_record *r, size_t n)
{
	struct audit *a = ctx;
	struct owner_record owner;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(r[i].topic, TOPIC_DECISIONS) != 0) {
			order_audit_record(a->orders, &r[i]);
			continue;
		}
		arena_reset(a->scratch);
		if (decode(&owner_record_type, &owner, r[i].value, a->scratch, NULL) == 0 &&
			str_eq(owner.type, STR("owner")))
			a->epoch[r[i].partition] = (uint64_t)r[i].offset;
		else
			judge(a, &r[i]);
	}
}

static void at_end(void *ctx, const char *topic, int32_t partition, int64_t next_offset)
{
	struct audit *a = ctx;

	(void)next_offset;
	for (size_t t = 0; t < ARRAY_LEN(topics); t++) {
		if (strcmp(topics[t].name, topic) == 0 && !a->is_at_end[t][partition]) {
			a->is_at_end[t][partition] = true;
			a->at_end++;
		}
	}
}

static void out_of_range(void *ctx, const char *topic, int32_t partition, int64_t next_offset)
{
	struct audit *a = ctx;

	log_error("audit", "the log forgot what was not read yet",
		"topic=%s partition=%d offset=%lld", topic, partition, (long long)next_offset);
	a->counts.missed++;
	order_audit_missed(a->orders, topic);
}

static void follow(struct audit *a, size_t topic)
{
	const int32_t n = bus_partitions(a->bus, topics[topic].name);

	for (int32_t p = 0; p < n; p++) {
		if (p >= PARTITIONS_MAX ||
			bus_reader_add(a->reader, topics[topic].name, p, topics[topic].from, -1)) {
			log_error("audit", "a partition cannot be read", "topic=%s partition=%d",
				topics[topic].name, p);
			a->counts.missed++;
		} else {
			a->partitions++;
		}
	}
}

/* Partition counts are not known at once: ask until they are. */
static void begin(void *ctx)
{
	struct audit *a = ctx;
	bool is_known = true;

	for (size_t t = 0; t < ARRAY_LEN(topics); t++)
		is_known = bus_partitions(a->bus, topics[t].name) > 0 && is_known;
	if (!is_known)
		return;
	loop_timer_stop(a->begin);
	for (size_t t = 0; t < ARRAY_LEN(topics); t++)
		follow(a, t);
	a->is_begun = true;
}

int audit_new(struct audit **ret, struct loop *loop, struct bus *bus, struct tracker *t,
	struct order_audit *orders)
{
	static const struct bus_reader_ops ops = {
		.records = records, .at_end = at_end, .out_of_range = out_of_range
	};
	struct audit *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	a->bus = bus;
	a->tracker = t;
	a->orders = orders;
	r = arena_new(&a->scratch, SCRATCH_BYTES);
	if (!r)
		r = price_watch_new(&a->prices, BINDS_MS, REMEMBERS_MS);
	if (!r)
		r = bus_reader_open(bus, &a->reader, &ops, a);
	a->begin = r ? NULL : loop_timer_new(loop, begin, a);
	if (!a->begin) {
		audit_free(a);
		return r ? r : -ENOMEM;
	}
	loop_timer_repeat(a->begin, 50);
	*ret = a;
	return 0;
}

struct audit *audit_free(struct audit *a)
{
	if (a) {
		loop_timer_free(a->begin);
		bus_reader_close(a->reader);
		price_watch_free(a->prices);
		arena_free(a->scratch);
		free(a);
	}
	return NULL;
}

bool audit_is_ready(const struct audit *a)
{
	return a->is_begun && a->at_end >= a->partitions;
}

const struct audit_counts *audit_counts(const struct audit *a)
{
	return &a->counts;
}
