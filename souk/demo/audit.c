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

#define SCRATCH_BYTES (1u << 17)

struct audit {
	struct bus *bus;
	struct bus_reader *reader;
	struct loop_timer *begin;
	struct tracker *tracker;
	struct arena *scratch;
	int32_t partitions;
	int32_t at_end; /* partitions that have been read up once */
	struct audit_counts counts;
};

/* What a price was made from, as far as the guards go. */
struct basis {
	struct money list, cost, bid_net;
	int64_t over_bid_bps, margin_bps, premium_bps, discount_bps;
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
	broken = broken_guard(&b, d->price.amount);
	if (!broken || a->counts.broke_guard++)
		return;
	snprintf(a->counts.example, sizeof(a->counts.example), "%s: interest " STR_FMT, broken,
		STR_ARG(d->interest));
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
	tracker_mark_id(a->tracker, d.interest, TRACKED_DECIDED);
	a->counts.decisions++;
	if (d.outcome >= 0 && d.outcome < AUDIT_OUTCOMES)
		a->counts.outcomes[d.outcome]++;
	if (d.reason > 0 && d.reason < AUDIT_REASONS)
		a->counts.reasons[d.reason]++;
	if (d.outcome == OUTCOME_OFFER)
		judge_price(a, &d);
}

static void records(void *ctx, const struct bus_record *r, size_t n)
{
	struct audit *a = ctx;
	struct owner_record owner;

	for (size_t i = 0; i < n; i++) {
		arena_reset(a->scratch);
		if (decode(&owner_record_type, &owner, r[i].value, a->scratch, NULL) == 0 &&
			str_eq(owner.type, STR("owner")))
			continue;
		judge(a, &r[i]);
	}
}

static void at_end(void *ctx, const char *topic, int32_t partition, int64_t next_offset)
{
	struct audit *a = ctx;

	(void)topic;
	(void)partition;
	(void)next_offset;
	if (a->at_end < a->partitions)
		a->at_end++;
}

/* Partition counts are not known at once: ask until they are. */
static void begin(void *ctx)
{
	struct audit *a = ctx;

	a->partitions = bus_partitions(a->bus, TOPIC_DECISIONS);
	if (!a->partitions)
		return;
	loop_timer_stop(a->begin);
	for (int32_t p = 0; p < a->partitions; p++)
		if (bus_reader_add(a->reader, TOPIC_DECISIONS, p, BUS_FROM_END, -1))
			log_error("audit", "a partition cannot be read", "partition=%d", p);
}

int audit_new(struct audit **ret, struct loop *loop, struct bus *bus, struct tracker *t)
{
	static const struct bus_reader_ops ops = { .records = records, .at_end = at_end };
	struct audit *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	a->bus = bus;
	a->tracker = t;
	r = arena_new(&a->scratch, SCRATCH_BYTES);
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
		arena_free(a->scratch);
		free(a);
	}
	return NULL;
}

bool audit_is_ready(const struct audit *a)
{
	return a->partitions && a->at_end >= a->partitions;
}

const struct audit_counts *audit_counts(const struct audit *a)
{
	return &a->counts;
}
