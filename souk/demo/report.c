/*
 * What is broken is named on the log, each with one example: the summary says whether, the log says
 * where to look.
 */
#include "souk/demo/report.h"

#include <stdio.h>

#include "common/base/json_out.h"
#include "common/base/log.h"

static void print(struct buf *b)
{
	if (!b->failed)
		printf(STR_FMT "\n", STR_ARG(buf_str(b)));
	fflush(stdout);
}

static void json_price(struct json_out *j, const char *key, struct money m)
{
	char text[64];

	money_format_human(text, m);
	json_strz(j, key, text);
}

void report_offer(const struct offer *o, int64_t latency_us)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(16384);
	struct json_out j = JSON_OUT(&b);

	json_begin(&j, NULL);
	json_begin(&j, "offer");
	json_str(&j, "item", o->item);
	json_str(&j, "user", o->user);
	json_price(&j, "list", o->list);
	json_price(&j, "price", o->price);
	json_raw_opt(&j, "reasons", o->reasons);
	json_i64(&j, "ttl_ms", o->ttl_ms);
	json_i64(&j, "latency_us", latency_us);
	json_end(&j);
	json_end(&j);
	print(&b);
}

static void json_quantiles(struct json_out *j, const char *key, const struct histogram *h)
{
	json_begin(j, key);
	json_f64(j, "p50", (double)histogram_quantile(h, 0.5) / 1000, 2);
	json_f64(j, "p90", (double)histogram_quantile(h, 0.9) / 1000, 2);
	json_f64(j, "p99", (double)histogram_quantile(h, 0.99) / 1000, 2);
	json_f64(j, "p999", (double)histogram_quantile(h, 0.999) / 1000, 2);
	json_end(j);
}

void report_stat(const struct report *r)
{
	const struct shopper_counts *s = &r->shared->counts;
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
	struct json_out j = JSON_OUT(&b);

	json_begin(&j, NULL);
	json_begin(&j, "stat");
	json_u64(&j, "events", r->looks);
	json_u64(&j, "missed", r->missed);
	json_u64(&j, "acks", tracker_counts(r->tracker)->acked);
	json_u64(&j, "offers", s->offers);
	json_u64(&j, "revisions", s->revisions);
	json_u64(&j, "withdrawn", s->withdrawn);
	json_u64(&j, "no_offers", s->no_offers);
	json_u64(&j, "orders", r->shared->order_counts.placed);
	json_u64(&j, "errors", s->errors);
	json_u64(&j, "connected", r->connected);
	json_quantiles(&j, "latency_ms", r->shared->latency);
	json_end(&j);
	json_end(&j);
	print(&b);
}

/* ---- the end ---- */

struct checks {
	struct json_out *j;
	bool all_hold;
};

static void check(struct checks *c, const char *name, bool holds)
{
	json_bool(c->j, name, holds);
	c->all_hold = c->all_hold && holds;
}

static void write_counts(
	struct json_out *j, const char *key, const uint64_t *n, const char *const *names)
{
	json_begin(j, key);
	for (size_t i = 0; names[i]; i++)
		if (n[i] && names[i][0])
			json_u64(j, names[i], n[i]);
	json_end(j);
}

static void write_offers(struct json_out *j, const struct report *r)
{
	const struct tracker_counts *t = tracker_counts(r->tracker);
	const struct audit_counts *a = r->audit;
	const struct shopper_counts *s = &r->shared->counts;

	json_u64(j, "events", r->looks);
	json_u64(j, "missed", r->missed);
	json_u64(j, "acks", t->acked);
	json_u64(j, "refused", t->refused);
	write_counts(j, "decisions", a->outcomes, decision_outcome_names);
	write_counts(j, "reasons", a->reasons, reason_names);
	json_u64(j, "offers", s->offers);
	json_u64(j, "revisions", s->revisions);
	write_counts(j, "causes", a->causes, decision_cause_names);
	json_u64(j, "withdrawn", s->withdrawn);
	json_u64(j, "no_offers", s->no_offers);
	json_u64(j, "market", s->market);
	json_u64(j, "errors", s->errors);
	json_u64(j, "disconnects", s->disconnects);
	json_u64(j, "left", s->left);
	/* Events whose session ended before their answer, or even their acknowledgement, came. */
	json_u64(j, "unheard", t->lost);
	json_u64(j, "cut", t->cut);
	/* A new owner may decide again what was not committed, under a higher revision. */
	json_u64(j, "answered_again", t->heard_twice);
	json_quantiles(j, "latency_ms", r->shared->latency);
}

static void write_shopping(struct json_out *j, const struct shopper_order_counts *c)
{
	json_begin(j, "shopping");
	json_u64(j, "placed", c->placed);
	json_u64(j, "changed_mind", c->changed);
	json_u64(j, "crowded", c->crowded);
	json_u64(j, "older_quote", c->first_quote);
	json_u64(j, "twice", c->twice);
	json_u64(j, "retries", c->retries);
	json_u64(j, "asked", c->asked);
	json_u64(j, "learned_late", c->learned_late);
	json_u64(j, "tampered", c->tampered);
	json_u64(j, "instalments", c->unsupported);
	json_u64(j, "refused", c->refused);
	json_u64(j, "conflicts", c->conflicts_sent);
	json_u64(j, "conflicts_told", c->conflicts_told);
	json_end(j);
}

static void write_orders(struct json_out *j, const struct report *r)
{
	const struct order_audit_counts *o = order_audit_counts(r->orders);
	const struct order_book *book = order_audit_book(r->orders);

	write_counts(j, "orders", o->states, order_state_names);
	json_begin(j, "order_reasons");
	for (uint32_t i = 1; i < book->n_reasons; i++)
		if (o->reasons[i])
			json_u64(j, book->reasons[i], o->reasons[i]);
	json_end(j);
	json_begin(j, "order_records");
	json_u64(j, "orders", o->orders);
	json_u64(j, "repeats", o->repeats);
	json_u64(j, "requests", o->requests);
	json_u64(j, "refusals", o->refusals);
	json_u64(j, "releases", o->releases);
	json_u64(j, "results", o->results);
	json_u64(j, "outcomes", o->outcomes);
	json_u64(j, "void", o->voided + r->audit->voided);
	json_end(j);
	write_shopping(j, &r->shared->order_counts);
	json_begin(j, "order_latency_ms");
	json_quantiles(j, "ack", r->shared->order_ack);
	json_quantiles(j, "reserved", r->shared->order_reserved);
	json_end(j);
}

static bool write_checks(struct json_out *j, const struct report *r)
{
	static const char *const of_orders[] = { "every_order_answered", "one_request_per_order",
		"stock_adds_up", "nothing_sold_twice", "results_in_order", "refusals_are_right",
		"order_audit_complete" };
	const struct tracker_counts *t = tracker_counts(r->tracker);
	const struct audit_counts *a = r->audit;
	const struct shopper_counts *s = &r->shared->counts;
	struct checks c = { j, true };

	json_begin(j, "checks");
	check(&c, "some_events_and_offers", t->acked > 0 && s->offers > 0);
	check(&c, "every_ack_decided_and_heard",
		tracker_open(r->tracker) == 0 && t->overrun == 0 && a->missed == 0);
	check(&c, "no_price_broke_a_guard",
		a->broke_guard == 0 && a->unreadable == 0 && a->outcomes[OUTCOME_OFFER] > 0);
	check(&c, "no_price_rose_by_itself", a->rose == 0);
	check(&c, "revisions_never_back", s->rev_back == 0);
	check(&c, "pushes_in_order", s->seq_broken == 0 && s->market_back == 0);
	check(&c, "every_message_readable", s->unreadable == 0);
	check(&c, "guard_conflicts_under_1_percent",
		a->reasons[REASON_GUARD_CONFLICT] * 100 <= a->decisions);
	for (size_t i = 0; i < ARRAY_LEN(of_orders); i++)
		check(&c, of_orders[i],
			order_book_holds(order_audit_book(r->orders), of_orders[i]));
	json_end(j);
	return c.all_hold;
}

static void name_breaches(const struct report *r)
{
	const struct audit_counts *a = r->audit;
	const struct order_book *book = order_audit_book(r->orders);
	const uint64_t open = tracker_open(r->tracker);

	if (open) {
		unsigned marks = 0;
		const uint64_t k = tracker_example(r->tracker, &marks);

		log_error("shoppers", "acknowledged events without decision or answer",
			"n=%llu example=%llu decided=%d heard=%d", (unsigned long long)open,
			(unsigned long long)k, !!(marks & TRACKED_DECIDED),
			!!(marks & TRACKED_HEARD));
	}
	if (a->broke_guard)
		log_error("shoppers", "a price broke a guard", "n=%llu example=%s",
			(unsigned long long)a->broke_guard, log_quote(str_of(a->example)));
	if (a->rose)
		log_error("shoppers", "a price rose by itself", "n=%llu example=%s",
			(unsigned long long)a->rose, log_quote(str_of(a->rose_example)));
	for (size_t i = 0; i < BREACHES; i++)
		if (book->breaches[i].n)
			log_error("shoppers", breach_kinds[i].text, "check=%s n=%llu example=%s",
				breach_kinds[i].check, (unsigned long long)book->breaches[i].n,
				log_quote(str_of(book->breaches[i].example)));
}

bool report_final(const struct report *r)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(32768);
	struct json_out j = JSON_OUT(&b);

	json_begin(&j, NULL);
	json_begin(&j, "final");
	write_offers(&j, r);
	write_orders(&j, r);
	const bool holds = write_checks(&j, r);

	json_end(&j);
	json_end(&j);
	name_breaches(r);
	print(&b);
	return holds;
}
