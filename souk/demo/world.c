/*
 * `souk demo-world`: the outside world of the demo in one process: the feeder of the table topics
 * and the OpenSea stand-in, on one clock.
 *
 * Two cursors walk the same schedule. The first runs LEAD_MS ahead and raises list prices; the
 * second pushes the stream's events when their time has come, and a bid only once the list price
 * that makes room for it can be read in Redis: the consignor is quicker than the market, as in a
 * house where he must be. The lead is short on purpose. Between the two the list price is high and
 * the bid still low; a bid that doubles the price would then leave no room between the largest
 * discount allowed and what a shopper was shown before. The second cursor waits for the first join:
 * a stream does not replay, and an empty market would be a dull demo.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/io/ws_server.h"
#include "common/model/item.h"
#include "common/model/topics.h"
#include "souk/command.h"
#include "souk/demo/feeder.h"
#include "souk/demo/frames.h"
#include "souk/demo/schedule.h"
#include "souk/demo/standin.h"
#include "souk/demo/story.h"
#include "souk/process.h"

#define LEAD_MS         200
#define LOOK_MAX        32 /* rows asked for at once */
#define TICK_MS         10
#define PUSHES_PER_TICK 40
#define FEEDS_PER_TICK  200

struct world {
	struct process process;
	struct story story;
	struct schedule *schedule;
	struct feeder *feeder;
	struct standin *standin;
	struct ws_server *server;
	struct loop_timer *tick;
	struct buf message;
	bool is_loaded;
	bool is_joined;
	uint32_t raised;  /* feeder's cursor */
	uint32_t told;    /* stand-in's cursor */
	uint32_t visible; /* rows of events below this are in Redis */
	uint32_t begun;   /* events before this are the state at the start */
	bool is_looking;
};

static void joined(void *ctx, struct str slug)
{
	struct world *w = ctx;

	if (str_eq(slug, STR(SCHEDULE_SLUG)))
		w->is_joined = true;
}

/* Event @e happened before the demo began: only what is still true is worth telling. */
static bool is_superseded(const struct world *w, uint32_t e)
{
	const struct schedule_event *ev = &w->schedule->events[e];
	const struct auction *a = &w->schedule->auctions[ev->auction];

	return ev->kind == SCHEDULE_BID && ev->bid + 1 < a->n_bids &&
	       a->bids[ev->bid + 1].at_s <= w->story.from_s;
}

static void push(struct world *w, const char *event, int r)
{
	if (r || w->message.failed)
		log_error("world", "a frame could not be made", "event=%s", event);
	else
		standin_push(w->standin, SCHEDULE_SLUG, event, buf_str(&w->message));
	buf_clear(&w->message);
}

static void tell_bid(
	struct world *w, const struct schedule_event *ev, struct frame_times *t, bool is_state)
{
	const struct auction *a = &w->schedule->auctions[ev->auction];

	t->expires_ms = story_our_ms(&w->story, a->end_s);
	t->starts_ms = story_our_ms(&w->story, ev->at_s);
	push(w, "item_received_bid", frame_bid(&w->message, w->schedule, a, ev->bid, t));
	/* The outbid one is released: on Foundation by the contract, here as a cancel. */
	if (ev->bid > 0 && !is_state)
		push(w, "item_cancelled",
			frame_bid_cancelled(&w->message, w->schedule, a, ev->bid - 1, t));
}

static void tell(struct world *w, uint32_t e)
{
	const struct schedule_event *ev = &w->schedule->events[e];
	const struct auction *a = &w->schedule->auctions[ev->auction];
	struct frame_times t = { .now_ms = loop_now_ms(w->process.loop) };

	if (e < w->begun && is_superseded(w, e))
		return;
	switch (ev->kind) {
	case SCHEDULE_LIST:
		t.starts_ms = story_our_ms(&w->story, ev->at_s);
		push(w, "item_listed", frame_listed(&w->message, a, &t));
		break;
	case SCHEDULE_BID:
		tell_bid(w, ev, &t, e < w->begun);
		break;
	case SCHEDULE_SOLD:
		push(w, "item_sold", frame_sold(&w->message, w->schedule, a, &t));
		push(w, "item_transferred", frame_transferred(&w->message, w->schedule, a, &t));
		break;
	}
}

/* The rows of events from `visible` on: how many of them are at least as new as their event? */
static void looked(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct world *w = ctx;
	struct version have;

	w->is_looking = false;
	for (size_t i = 0; !err && i < n; i++) {
		if (version_parse_stored(&have, rows[i].ver) ||
			version_cmp(have, feeder_version(w->feeder, w->visible)) < 0)
			return;
		w->visible++;
	}
}

/* Asks for the rows behind the events that are settled in Kafka. A sale is not raised ahead, so it
 * is not waited for. */
static void look(struct world *w, uint32_t settled)
{
	char text[LOOK_MAX][ITEM_MAX + 16];
	struct str keys[LOOK_MAX];
	size_t n = 0;

	if (w->is_looking)
		return;
	while (w->visible < settled && w->schedule->events[w->visible].kind == SCHEDULE_SOLD)
		w->visible++;
	for (uint32_t e = w->visible;
		n < LOOK_MAX && e < settled && w->schedule->events[e].kind != SCHEDULE_SOLD;
		e++, n++) {
		char item[ITEM_MAX];

		schedule_item(item, &w->schedule->auctions[w->schedule->events[e].auction]);
		keys[n] = (struct str){ text[n],
			(size_t)snprintf(text[n], sizeof(text[n]), "inventory:{%s}", item) };
	}
	w->is_looking = n && cache_read(w->process.cache, keys, n, looked, w) == 0;
}

static void on_tick(void *ctx)
{
	struct world *w = ctx;
	const int64_t now_ms = loop_now_ms(w->process.loop);
	const int64_t now_s = story_data_s(&w->story, now_ms),
		      ahead_s = story_data_s(&w->story, now_ms + LEAD_MS);

	if (!w->is_loaded) {
		w->is_loaded = feeder_load(w->feeder, w->begun);
		feeder_passed(w->feeder, w->raised = w->visible = w->begun);
		return;
	}
	for (int i = 0; i < FEEDS_PER_TICK && w->raised < w->schedule->n_events &&
			w->schedule->events[w->raised].at_s <= ahead_s;
		i++) {
		/* A sale is the market's: stock is taken off when it is told, not ahead of it. */
		if (w->schedule->events[w->raised].kind != SCHEDULE_SOLD &&
			feeder_send(w->feeder, w->raised, now_ms))
			break;
		feeder_passed(w->feeder, ++w->raised);
	}
	look(w, feeder_settled(w->feeder));
	for (int i = 0; w->is_joined && i < PUSHES_PER_TICK && w->told < w->visible &&
			w->schedule->events[w->told].at_s <= now_s;
		i++) {
		if (w->told >= w->begun && w->schedule->events[w->told].kind == SCHEDULE_SOLD &&
			feeder_send(w->feeder, w->told, now_ms))
			break;
		tell(w, w->told++);
	}
}

static bool is_ready(void *ctx, struct buf *why)
{
	struct world *w = ctx;

	if (w->is_loaded && feeder_waiting(w->feeder) < 100)
		return true;
	buf_puts(why, STR("world: the tables are still being fed\n"));
	return false;
}

static int world_init(struct world *w, const struct settings *settings,
	const struct demo_part *part, struct fault *f)
{
	const struct process_need need = { .name = "demo-world", .bus = true, .cache = true };
	int r = process_init(&w->process, &need, settings, f);

	if (r)
		return r;
	w->message = BUF_INIT(1u << 16);
	w->story = (struct story){ STORY_FROM_S, part->start_ms, part->speed };
	r = schedule_load(&w->schedule, part->data, STORY_FROM_S, STORY_UNTIL_S, f);
	if (r)
		return r;
	while (w->begun < w->schedule->n_events &&
		w->schedule->events[w->begun].at_s <= w->story.from_s)
		w->begun++;
	r = feeder_new(&w->feeder, w->process.bus, w->schedule,
		&(struct feeder_config){ part->start_ms, part->users });
	if (!r)
		r = standin_new(&w->standin, w->process.loop, part->token, joined, w);
	if (r)
		return fault_set(f, FAULT_FATAL, r, "out of memory");
	r = ws_server_lws_new(&w->server, w->process.host,
		&(struct ws_server_config){
			.listen = part->listen,
			.path = "/socket/websocket",
			.admit = standin_admit,
			.message_max = 65536,
			.conns_max = STANDIN_CONNS_MAX,
		},
		&standin_ops, w->standin, w->process.metrics, f);
	if (r)
		return r;
	w->tick = loop_timer_new(w->process.loop, on_tick, w);
	if (!w->tick)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	loop_timer_repeat(w->tick, TICK_MS);
	return 0;
}

static void world_fini(struct world *w)
{
	loop_timer_free(w->tick);
	ws_server_free(w->server);
	standin_free(w->standin);
	process_fini(&w->process);
	feeder_free(w->feeder);
	schedule_free(w->schedule);
	buf_fini(&w->message);
}

int demo_world(const struct settings *settings, const struct demo_part *part, struct fault *f)
{
	struct world *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	r = world_init(w, settings, part, f);
	if (!r)
		r = process_run(&w->process, is_ready, NULL, w, f);
	world_fini(w);
	free(w);
	return r;
}
