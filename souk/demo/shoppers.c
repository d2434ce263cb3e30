/*
 * `souk demo-part shoppers`: simulated shoppers in one process, an open-loop generator, and the
 * auditor of the run.
 *
 * Open loop: event k is due at start + k / rate, whatever happened to the ones before, and its
 * latency counts from then. A shopper who is offline, or has too much unanswered, cannot look: the
 * event is counted as missed, never silently moved. Where they look: seven times in ten at an item
 * that has something on the market soon or just had, else at anything on the shelves; one look in
 * fifty at what is sold, as people do.
 *
 * Speaks JSON lines on stdout to the supervisor: {"stat":…} each second, {"offer":…} a few a
 * second, {"final":…} once.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/log.h"
#include "common/model/item.h"
#include "common/model/topics.h"
#include "souk/command.h"
#include "souk/demo/audit.h"
#include "souk/demo/schedule.h"
#include "souk/demo/shopper.h"
#include "souk/demo/story.h"
#include "souk/process.h"
#include "ws-server/ws_server_role.h"

#define TICK_US         1000
#define HOT_S           14400 /* data time: ten seconds at the default speed */
#define FINISH_MAX_MS   10000
#define OFFER_LINES_MAX 4 /* a second */
#define TOKEN_TTL_MS    86400000
#define SCRATCH_BYTES   65536

struct crowd {
	struct process process;
	const struct demo_part *part;
	struct story story;
	struct schedule *schedule;
	struct tracker *tracker;
	struct audit *audit;
	struct shoppers_shared shared;
	struct shopper *shoppers;
	uint32_t n_shoppers;
	struct loop_timer *tick, *second, *finish;
	uint64_t rng;
	int64_t begin_us; /* when event 0 was due; 0: not yet */
	uint64_t next_k;
	uint64_t missed;
	uint64_t looks;
	unsigned lines;
	uint32_t cursor; /* first event of the schedule still to come */
	bool is_finishing;
	int64_t finish_by_ms;
	bool failed;
};

static uint64_t rnd(struct crowd *c)
{
	/* splitmix64 */
	uint64_t x = c->rng += 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static const struct auction *pick_near(struct crowd *c, int64_t now_s)
{
	uint32_t from = c->cursor, until = c->cursor;

	while (from > 0 && c->schedule->events[from - 1].at_s > now_s - HOT_S / 4)
		from--;
	while (until < c->schedule->n_events && c->schedule->events[until].at_s < now_s + HOT_S)
		until++;
	for (int i = 0; i < 8 && until > from; i++) {
		const struct schedule_event *ev =
			&c->schedule->events[from + rnd(c) % (until - from)];
		const struct auction *a = &c->schedule->auctions[ev->auction];

		if (ev->kind == SCHEDULE_BID && a->listed_s <= now_s && a->end_s > now_s)
			return a;
	}
	return NULL;
}

static const struct auction *pick_any(struct crowd *c, int64_t now_s, bool may_be_sold)
{
	const struct auction *a = NULL;

	/* Most of the story is still to come: about one in ten is on the shelves. */
	for (int i = 0; i < 500; i++) {
		a = &c->schedule->auctions[rnd(c) % c->schedule->n_auctions];
		if (a->listed_s <= now_s && (may_be_sold || !a->end_s || a->end_s > now_s))
			return a;
	}
	return a;
}

static void look(struct crowd *c, uint64_t k, int64_t due_us)
{
	static const char *const kinds[] = { "view", "view", "view", "dwell", "dwell", "touch",
		"ask", "wishlist" };
	static const char *const places[] = { "gallery-1", "gallery-2", "gallery-3", "atrium",
		"arena", "bazaar" };
	const int64_t now_s = story_data_s(&c->story, loop_now_ms(c->process.loop));
	struct shopper *s = &c->shoppers[rnd(c) % c->n_shoppers];
	const unsigned roll = (unsigned)(rnd(c) % 100);
	const struct auction *a = roll < 70 ? pick_near(c, now_s) : NULL;
	char item[ITEM_MAX];
	struct glance g = { .item = item };

	if (!a)
		a = pick_any(c, now_s, roll >= 98);
	schedule_item(item, a);
	g.kind = kinds[rnd(c) % ARRAY_LEN(kinds)];
	g.dwell_ms = strcmp(g.kind, "dwell") == 0 ? 500 + (int64_t)(rnd(c) % 6000) : 0;
	g.place = places[rnd(c) % ARRAY_LEN(places)];
	g.personal = rnd(c) % 8 != 0;
	if (shopper_look(s, c->story.start_ms, k, due_us, &g))
		c->looks++;
	else
		c->missed++;
}

static uint32_t connected(const struct crowd *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->n_shoppers; i++)
		n += c->shoppers[i].is_connected;
	return n;
}

static void on_tick(void *ctx)
{
	struct crowd *c = ctx;
	const int64_t now_us = loop_mono_us(c->process.loop);
	const int64_t now_s = story_data_s(&c->story, loop_now_ms(c->process.loop));

	while (c->cursor < c->schedule->n_events && c->schedule->events[c->cursor].at_s <= now_s)
		c->cursor++;
	if (!c->begin_us) {
		if (connected(c) < c->n_shoppers || !audit_is_ready(c->audit))
			return;
		c->begin_us = now_us;
	}
	for (;;) {
		const int64_t due_us =
			c->begin_us + (int64_t)((double)c->next_k * 1e6 / c->part->rate);

		if (c->is_finishing || due_us > now_us)
			return;
		look(c, c->next_k++, due_us);
	}
}

static void offer_line(void *ctx, const struct offer *o, int64_t latency_us)
{
	struct crowd *c = ctx;
	CLEANUP(buf_fini) struct buf b = BUF_INIT(8192);
	struct json_out j = JSON_OUT(&b);
	char list[64], price[64];

	if (c->lines >= OFFER_LINES_MAX)
		return;
	c->lines++;
	money_format_human(list, o->list);
	money_format_human(price, o->price);
	json_begin(&j, NULL);
	json_begin(&j, "offer");
	json_str(&j, "item", o->item);
	json_str(&j, "user", o->user);
	json_strz(&j, "list", list);
	json_strz(&j, "price", price);
	json_raw_opt(&j, "reasons", o->reasons);
	json_i64(&j, "ttl_ms", o->ttl_ms);
	json_i64(&j, "latency_us", latency_us);
	json_end(&j);
	json_end(&j);
	if (!b.failed) {
		printf(STR_FMT "\n", STR_ARG(buf_str(&b)));
		fflush(stdout);
	}
}

static void json_latency(struct json_out *j, const struct histogram *h)
{
	json_begin(j, "latency_ms");
	json_f64(j, "p50", (double)histogram_quantile(h, 0.5) / 1000, 2);
	json_f64(j, "p90", (double)histogram_quantile(h, 0.9) / 1000, 2);
	json_f64(j, "p99", (double)histogram_quantile(h, 0.99) / 1000, 2);
	json_f64(j, "p999", (double)histogram_quantile(h, 0.999) / 1000, 2);
	json_end(j);
}

static void stat_line(void *ctx)
{
	struct crowd *c = ctx;
	const struct tracker_counts *t = tracker_counts(c->tracker);
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
	struct json_out j = JSON_OUT(&b);

	c->lines = 0;
	json_begin(&j, NULL);
	json_begin(&j, "stat");
	json_u64(&j, "events", c->looks);
	json_u64(&j, "missed", c->missed);
	json_u64(&j, "acks", t->acked);
	json_u64(&j, "offers", c->shared.counts.offers);
	json_u64(&j, "no_offers", c->shared.counts.no_offers);
	json_u64(&j, "errors", c->shared.counts.errors);
	json_u64(&j, "connected", connected(c));
	json_latency(&j, c->shared.latency);
	json_end(&j);
	json_end(&j);
	printf(STR_FMT "\n", STR_ARG(buf_str(&b)));
	fflush(stdout);
}

static void check(struct json_out *j, struct crowd *c, const char *name, bool holds)
{
	json_bool(j, name, holds);
	c->failed = c->failed || !holds;
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

static void final_line(struct crowd *c)
{
	const struct tracker_counts *t = tracker_counts(c->tracker);
	const struct audit_counts *a = audit_counts(c->audit);
	const struct shopper_counts *s = &c->shared.counts;
	CLEANUP(buf_fini) struct buf b = BUF_INIT(16384);
	struct json_out j = JSON_OUT(&b);
	const uint64_t open = tracker_open(c->tracker);

	json_begin(&j, NULL);
	json_begin(&j, "final");
	json_u64(&j, "events", c->looks);
	json_u64(&j, "missed", c->missed);
	json_u64(&j, "acks", t->acked);
	json_u64(&j, "refused", t->refused);
	write_counts(&j, "decisions", a->outcomes, decision_outcome_names);
	write_counts(&j, "reasons", a->reasons, reason_names);
	json_u64(&j, "offers", s->offers);
	json_u64(&j, "no_offers", s->no_offers);
	json_u64(&j, "errors", s->errors);
	json_u64(&j, "disconnects", s->disconnects);
	/* A new owner may decide again what was not committed, under a higher revision. */
	json_u64(&j, "answered_again", t->heard_twice);
	json_latency(&j, c->shared.latency);
	json_begin(&j, "checks");
	check(&j, c, "some_events_and_offers", t->acked > 0 && s->offers > 0);
	check(&j, c, "every_ack_decided_and_heard", open == 0 && t->overrun == 0);
	check(&j, c, "no_price_broke_a_guard",
		a->broke_guard == 0 && a->unreadable == 0 && a->outcomes[OUTCOME_OFFER] > 0);
	check(&j, c, "revisions_never_back", s->rev_back == 0);
	check(&j, c, "every_message_readable", s->unreadable == 0);
	check(&j, c, "guard_conflicts_under_1_percent",
		a->reasons[REASON_GUARD_CONFLICT] * 100 <= a->decisions);
	json_end(&j);
	json_end(&j);
	json_end(&j);
	if (open) {
		unsigned marks = 0;
		const uint64_t k = tracker_example(c->tracker, &marks);

		log_error("shoppers", "acknowledged events without decision or answer",
			"n=%llu example=%llu decided=%d heard=%d", (unsigned long long)open,
			(unsigned long long)k, !!(marks & TRACKED_DECIDED),
			!!(marks & TRACKED_HEARD));
	}
	if (a->broke_guard)
		log_error("shoppers", "a price broke a guard", "n=%llu example=%s",
			(unsigned long long)a->broke_guard, log_quote(str_of(a->example)));
	printf(STR_FMT "\n", STR_ARG(buf_str(&b)));
	fflush(stdout);
}

static void on_finish(void *ctx)
{
	struct crowd *c = ctx;

	if (tracker_open(c->tracker) > 0 && loop_mono_ms(c->process.loop) < c->finish_by_ms)
		return;
	loop_timer_stop(c->finish);
	final_line(c);
	process_stopped(&c->process);
}

/* No more looks; what was acknowledged gets its time to be answered. */
static void stop(void *ctx)
{
	struct crowd *c = ctx;

	c->is_finishing = true;
	c->finish_by_ms = loop_mono_ms(c->process.loop) + FINISH_MAX_MS;
	loop_timer_repeat(c->finish, 100);
}

static bool is_ready(void *ctx, struct buf *why)
{
	const struct crowd *c = ctx;

	if (c->begin_us)
		return true;
	buf_printf(why, "shoppers: %u of %u connected\n", connected(c), c->n_shoppers);
	return false;
}

static int make_client(
	void *host, struct ws_client **ret, const struct ws_client_ops *ops, void *ctx)
{
	return ws_client_lws_new(ret, host, ops, ctx);
}

static int init_shoppers(struct crowd *c, struct fault *f)
{
	static const char *const devices[] = { "phone", "phone", "ar-headset", "desktop",
		"console" };
	const struct ws_client_factory factory = { make_client, c->process.host };
	const int64_t expires_ms = loop_now_ms(c->process.loop) + TOKEN_TTL_MS;
	int r = 0;

	c->shoppers = calloc(c->part->sessions, sizeof(*c->shoppers));
	for (uint32_t i = 0; !r && c->shoppers && i < c->part->sessions; i++) {
		const uint32_t users = c->part->users < c->schedule->n_users ? c->part->users
									     : c->schedule->n_users;
		const char *user = c->schedule->users[i * 7 % users].address;
		CLEANUP(buf_fini) struct buf token = BUF_INIT(4096);

		r = gateway_token(&token, c->part->secret_file, user, NULL, expires_ms, f);
		buf_putc(&token, '\0');
		if (r)
			break;
		c->n_shoppers++; /* to be freed, however far it comes */
		r = shopper_init(&c->shoppers[i], &c->shared, &factory, user, token.p);
		if (r)
			break;
		c->shoppers[i].device = devices[i % ARRAY_LEN(devices)];
		c->shoppers[i].use_header = i % 2;
		shopper_start(&c->shoppers[i]);
	}
	return r || c->shoppers ? r : -ENOMEM;
}

static int crowd_init(struct crowd *c, const struct settings *settings,
	const struct demo_part *part, struct fault *f)
{
	const struct process_need need = { .name = "demo-shoppers", .bus = true };
	int r = process_init(&c->process, &need, settings, f);

	if (r)
		return r;
	c->part = part;
	c->rng = part->seed;
	c->story = (struct story){ STORY_FROM_S, part->start_ms, part->speed };
	r = schedule_load(&c->schedule, part->data, STORY_FROM_S, STORY_UNTIL_S, f);
	if (r)
		return r;
	r = tracker_new(&c->tracker);
	if (!r)
		r = audit_new(&c->audit, c->process.loop, c->process.bus, c->tracker);
	if (!r)
		r = histogram_new(&c->shared.latency);
	if (!r)
		r = arena_new(&c->shared.scratch, SCRATCH_BYTES);
	c->tick = loop_timer_new(c->process.loop, on_tick, c);
	c->second = loop_timer_new(c->process.loop, stat_line, c);
	c->finish = loop_timer_new(c->process.loop, on_finish, c);
	if (r || !c->tick || !c->second || !c->finish)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	c->shared.loop = c->process.loop;
	c->shared.tracker = c->tracker;
	c->shared.url = part->url;
	c->shared.heard = offer_line;
	c->shared.ctx = c;
	r = init_shoppers(c, f);
	loop_timer_repeat(c->tick, TICK_US / 1000);
	loop_timer_repeat(c->second, 1000);
	return r;
}

static void crowd_fini(struct crowd *c)
{
	loop_timer_free(c->tick);
	loop_timer_free(c->second);
	loop_timer_free(c->finish);
	for (uint32_t i = 0; i < c->n_shoppers; i++)
		shopper_fini(&c->shoppers[i]);
	free(c->shoppers);
	audit_free(c->audit);
	process_fini(&c->process);
	arena_free(c->shared.scratch);
	histogram_free(c->shared.latency);
	tracker_free(c->tracker);
	schedule_free(c->schedule);
}

int demo_shoppers(const struct settings *settings, const struct demo_part *part, struct fault *f)
{
	struct crowd *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	r = crowd_init(c, settings, part, f);
	if (!r)
		r = process_run(&c->process, is_ready, stop, c, f);
	if (!r && c->failed)
		r = fault_set(f, FAULT_FATAL, -EIO, "a check of the run does not hold");
	crowd_fini(c);
	free(c);
	return r;
}
