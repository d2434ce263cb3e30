/*
 * `souk demo-part shoppers`: simulated shoppers in one process, an open-loop generator, and the
 * auditor of the run.
 *
 * Open loop: event k is due at start + k / rate, whatever happened to the ones before, and its
 * latency counts from then. A shopper who is offline, or has too much unanswered, cannot look: the
 * event is counted as missed, never silently moved. Where they look: seven times in ten at an item
 * that has something on the market soon or just had, else at anything on the shelves; one look in
 * fifty at what is sold, as people do. Whoever is told that an item is sold tells the others, as a
 * shop's page would: for a minute it is not looked at (an order may fail and the unit come back).
 *
 * Speaks JSON lines on stdout to the supervisor: {"stat":…} each second, {"offer":…} a few a
 * second, {"final":…} once.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/model/item.h"
#include "souk/command.h"
#include "souk/demo/audit.h"
#include "souk/demo/report.h"
#include "souk/demo/schedule.h"
#include "souk/demo/shopper.h"
#include "souk/demo/story.h"
#include "souk/process.h"
#include "ws-server/ws_server_role.h"

#define TICK_US          1000
#define HOT_S            14400 /* data time: ten seconds at the default speed */
#define SHOPPERS_TICK_US 20000
#define FINISH_MAX_MS    35000 /* a reservation that nobody pays, and the way of a payment */
#define SETTLE_MAX_MS    5000  /* all is told: the topics that support it may come a little later */
#define SOLD_MEMORY_MS   60000
#define WATCH_ONE_IN     8
#define OFFER_LINES_MAX  4 /* a second */
#define TOKEN_TTL_MS     86400000
#define SCRATCH_BYTES    65536

struct crowd {
	struct process process;
	const struct demo_part *part;
	struct story story;
	struct schedule *schedule;
	struct tracker *tracker;
	struct order_audit *orders;
	struct audit *audit;
	int64_t *sold_ms; /* per auction: when somebody heard that it is sold; 0: nobody did */
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
	uint32_t cursor;     /* first event of the schedule still to come */
	int64_t shoppers_us; /* when they had their last turn */
	int64_t finish_by_ms, settle_by_ms;
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

static bool is_sold(const struct crowd *c, const struct auction *a)
{
	const int64_t at = c->sold_ms[a - c->schedule->auctions];

	return at && loop_mono_ms(c->process.loop) - at < SOLD_MEMORY_MS;
}

/* Auctions are sorted by token, the last part of the item. */
static void on_sold(void *ctx, struct str item)
{
	struct crowd *c = ctx;
	struct item_parts parts;
	int64_t token;
	uint32_t low = 0, high = c->schedule->n_auctions;

	if (item_parse(&parts, item, NULL) || str_to_i64(parts.token, &token))
		return;
	while (low < high) {
		const uint32_t mid = low + (high - low) / 2;

		if (c->schedule->auctions[mid].token < token)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < c->schedule->n_auctions && c->schedule->auctions[low].token == token)
		c->sold_ms[low] = loop_mono_ms(c->process.loop);
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

		if (ev->kind == SCHEDULE_BID && a->listed_s <= now_s && a->end_s > now_s &&
			!is_sold(c, a))
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
		if (a->listed_s <= now_s &&
			(may_be_sold || ((!a->end_s || a->end_s > now_s) && !is_sold(c, a))))
			return a;
	}
	return a;
}

/* Anybody who is there; who has just left does not look. */
static struct shopper *pick_shopper(struct crowd *c)
{
	struct shopper *s = NULL;

	assert(c->n_shoppers);
	for (int i = 0; i < 8 && (!s || !s->is_connected); i++)
		s = &c->shoppers[rnd(c) % c->n_shoppers];
	return s;
}

static void look(struct crowd *c, uint64_t k, int64_t due_us)
{
	static const char *const kinds[] = { "view", "view", "view", "dwell", "dwell", "touch",
		"ask", "wishlist" };
	static const char *const places[] = { "gallery-1", "gallery-2", "gallery-3", "atrium",
		"arena", "bazaar" };
	const int64_t now_s = story_data_s(&c->story, loop_now_ms(c->process.loop));
	struct shopper *s = pick_shopper(c);
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
	if (shopper_look(s, k, due_us, &g))
		c->looks++;
	else
		c->missed++;
	if (rnd(c) % WATCH_ONE_IN == 0)
		shopper_watch(s, item);
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
	if (now_us - c->shoppers_us >= SHOPPERS_TICK_US) {
		c->shoppers_us = now_us;
		for (uint32_t i = 0; i < c->n_shoppers; i++)
			shopper_tick(&c->shoppers[i]);
	}
	for (;;) {
		const int64_t due_us =
			c->begin_us + (int64_t)((double)c->next_k * 1e6 / c->part->rate);

		if (c->shared.is_finishing || due_us > now_us)
			return;
		look(c, c->next_k++, due_us);
	}
}

static void on_offer(void *ctx, const struct offer *o, int64_t latency_us)
{
	struct crowd *c = ctx;

	if (c->lines++ < OFFER_LINES_MAX)
		report_offer(o, latency_us);
}

static struct report report(const struct crowd *c)
{
	return (struct report){ c->tracker, audit_counts(c->audit), &c->shared, c->orders, c->looks,
		c->missed, connected(c) };
}

static void on_second(void *ctx)
{
	struct crowd *c = ctx;
	const struct report r = report(c);

	c->lines = 0;
	report_stat(&r);
}

/* ---- the end ---- */

static size_t orders_open(const struct crowd *c)
{
	size_t n = 0;

	for (uint32_t i = 0; i < c->n_shoppers; i++)
		n += shopper_orders_open(c->shoppers[i].orders);
	return n;
}

/* Everything that was acknowledged has its end, or time is over; and nothing is held against the
 * run that a record on its way may still explain. */
static bool is_settled(struct crowd *c)
{
	const int64_t now_ms = loop_mono_ms(c->process.loop);

	if (now_ms >= c->finish_by_ms)
		return true;
	if (tracker_open(c->tracker) || orders_open(c) || order_audit_open(c->orders))
		return false;
	if (!c->settle_by_ms)
		c->settle_by_ms = now_ms + SETTLE_MAX_MS;
	return order_audit_judge(c->orders) == 0 || now_ms >= c->settle_by_ms;
}

static void on_finish(void *ctx)
{
	struct crowd *c = ctx;

	if (!is_settled(c))
		return;
	loop_timer_stop(c->finish);
	for (uint32_t i = 0; i < c->n_shoppers; i++)
		shopper_orders_close_book(c->shoppers[i].orders);
	order_audit_judge(c->orders);

	const struct report r = report(c);

	c->failed = !report_final(&r);
	process_stopped(&c->process);
}

/* No more looks and orders; what was acknowledged gets its time to be answered. */
static void stop(void *ctx)
{
	struct crowd *c = ctx;

	c->shared.is_finishing = true;
	for (uint32_t i = 0; i < c->n_shoppers; i++)
		shopper_finish(&c->shoppers[i]);
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
	c->process.drain_max_ms = FINISH_MAX_MS + SETTLE_MAX_MS;
	c->part = part;
	c->rng = part->seed;
	c->story = (struct story){ STORY_FROM_S, part->start_ms, part->speed };
	r = schedule_load(&c->schedule, part->data, STORY_FROM_S, STORY_UNTIL_S, f);
	if (r)
		return r;
	r = tracker_new(&c->tracker);
	if (!r)
		r = order_audit_new(&c->orders);
	if (!r)
		r = audit_new(&c->audit, c->process.loop, c->process.bus, c->tracker, c->orders);
	if (!r)
		r = histogram_new(&c->shared.latency);
	if (!r)
		r = histogram_new(&c->shared.order_ack);
	if (!r)
		r = histogram_new(&c->shared.order_reserved);
	if (!r)
		r = arena_new(&c->shared.scratch, SCRATCH_BYTES);
	c->tick = loop_timer_new(c->process.loop, on_tick, c);
	c->second = loop_timer_new(c->process.loop, on_second, c);
	c->finish = loop_timer_new(c->process.loop, on_finish, c);
	c->sold_ms = calloc(c->schedule->n_auctions, sizeof(*c->sold_ms));
	if (r || !c->tick || !c->second || !c->finish || !c->sold_ms)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	c->shared.loop = c->process.loop;
	c->shared.tracker = c->tracker;
	c->shared.orders = c->orders;
	c->shared.url = part->url;
	c->shared.run = part->start_ms;
	c->shared.seed = part->seed;
	c->shared.order_one_in = part->order_one_in;
	c->shared.heard = on_offer;
	c->shared.sold = on_sold;
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
	histogram_free(c->shared.order_ack);
	histogram_free(c->shared.order_reserved);
	free(c->sold_ms);
	order_audit_free(c->orders);
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
