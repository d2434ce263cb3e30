/* The market of watched items. */
#include "tests/unit/ws-server/world.h"

#define WORLD(w) \
	CLEANUP(world_fini) struct world w; \
	world_init(&w, NULL); \
	world_start(&w)

#define WATCH(id)     "{\"id\":" id ",\"type\":\"watch\",\"item\":\"" ITEM "\"}"
#define UNWATCH(id)   "{\"id\":" id ",\"type\":\"unwatch\",\"item\":\"" ITEM "\"}"
#define MONEY(amount) "{\"amount\":\"" amount "\",\"currency\":\"ETH\"}"
#define TICK(seq, bid) \
	"{\"type\":\"market\",\"seq\":" seq ",\"item\":\"" ITEM "\",\"bid\":{\"amount\":\"" bid \
	"\",*}"

static void move(struct world *w, const char *item, const char *ver, const char *bid)
{
	char value[512];

	snprintf(value, sizeof(value),
		"{\"item\":\"%s\",\"ver\":\"%s\",\"collection\":\"c\",\"as_of\":1795334400001,"
		"\"bid\":{\"amount\":\"%s\",\"currency\":\"ETH\"},\"ask\":null}",
		item, ver, bid);
	world_send(w, TOPIC_BESTBID, item, value, NULL);
}

static int64_t ticks(struct world *w, const char *result)
{
	return world_metric(w, "souk_ws_ticks_total", result);
}

static int64_t rows(struct world *w, const char *result)
{
	return world_metric(w, "souk_ws_market_rows_total", result);
}

Test(watch, is_acknowledged_and_told_what_is_known)
{
	WORLD(w);
	struct sim_peer *p;

	world_send(&w, TOPIC_BESTBID, ITEM,
		"{\"item\":\"" ITEM "\",\"ver\":\"9.1\",\"collection\":\"c\",\"as_of\":"
		"1795334400001,\"bid\":" MONEY("7") ",\"bid_net\":" MONEY("6") ",\"ask\":" MONEY(
			"9") ",\"floor\":" MONEY("8") ",\"last_sale\":" MONEY("5") ",\"floor_raw\":"
										   "null}",
		NULL);
	p = world_connect(&w, "u_42");
	EXPECT_NOTHING(p);
	world_say(&w, p, WATCH("5"));
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\"}");
	EXPECT_NEXT(p, "{\"type\":\"market\",\"seq\":1,\"item\":\"" ITEM
		       "\",\"bid\":" MONEY("7") ",\"ask\":" MONEY("9") ",\"floor\":" MONEY(
			       "8") ",\"last_sale\":" MONEY("5") ",\"as_of\":1795334400001}");
	EXPECT_NOTHING(p);
	cr_expect(eq(long, world_metric(&w, "souk_ws_watches", NULL), 1));
}

Test(watch, rows_of_before_the_start_are_known)
{
	CLEANUP(world_fini) struct world w;
	struct sim_peer *p;

	world_init(&w, NULL);
	move(&w, ITEM, "9.1", "7");
	world_start(&w);
	p = world_connect(&w, "u_42");
	world_say(&w, p, WATCH("5"));
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\"}");
	EXPECT_NEXT(p, "{\"type\":\"market\",\"seq\":1,\"item\":\"" ITEM
		       "\",\"bid\":" MONEY("7") ",\"ask\":null,\"as_of\":1795334400001}");
}

Test(watch, item_without_a_market_is_pushed_once_it_has_one)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_say(&w, p, WATCH("5"));
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\"}");
	EXPECT_NOTHING(p);
	cr_expect(eq(long, world_metric(&w, "souk_ws_market_items", NULL), 1));
	move(&w, ITEM, "9.1", "7");
	EXPECT_NEXT(p, TICK("1", "7"));
	move(&w, "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/78", "9.1", "7");
	loop_sim_advance(w.loop, 1000);
	EXPECT_NOTHING(p);
}

Test(watch, changes_are_conflated_to_one_push_in_watch_ms)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_say(&w, p, WATCH("5"));
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\"}");
	move(&w, ITEM, "9.1", "1");
	EXPECT_NEXT(p, TICK("1", "1"));
	loop_sim_advance(w.loop, 100);
	move(&w, ITEM, "9.2", "2");
	move(&w, ITEM, "9.3", "3");
	loop_sim_advance(w.loop, 149);
	move(&w, ITEM, "9.4", "4");
	EXPECT_NOTHING(p);
	loop_sim_advance(w.loop, 1);
	EXPECT_NEXT(p, TICK("2", "4"));
	loop_sim_advance(w.loop, 249);
	move(&w, ITEM, "9.5", "5");
	EXPECT_NOTHING(p);
	loop_sim_advance(w.loop, 1);
	EXPECT_NEXT(p, TICK("3", "5"));
	loop_sim_advance(w.loop, 250);
	EXPECT_NOTHING(p);
	move(&w, ITEM, "9.6", "6");
	EXPECT_NEXT(p, TICK("4", "6"));
	cr_expect(eq(long, ticks(&w, "pushed"), 4));
	cr_expect(eq(long, ticks(&w, "conflated"), 2));
}

Test(watch, each_session_and_item_has_its_own_pace)
{
	WORLD(w);
	struct sim_peer *a = world_connect(&w, "u_42"), *b = world_connect(&w, "u_1");

	move(&w, ITEM, "9.1", "1");
	world_say(&w, a, WATCH("5"));
	EXPECT_NEXT(a, "{\"id\":5,\"type\":\"ack\"}");
	EXPECT_NEXT(a, TICK("1", "1"));
	loop_sim_advance(w.loop, 200);
	world_say(&w, b, WATCH("5"));
	EXPECT_NEXT(b, "{\"id\":5,\"type\":\"ack\"}");
	EXPECT_NEXT(b, TICK("1", "1"));
	move(&w, ITEM, "9.2", "2");
	loop_sim_advance(w.loop, 50);
	EXPECT_NEXT(a, TICK("2", "2"));
	EXPECT_NOTHING(b);
	loop_sim_advance(w.loop, 200);
	EXPECT_NEXT(b, TICK("2", "2"));
	EXPECT_NOTHING(a);
}

Test(watch, lower_version_and_a_repetition_change_nothing)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	move(&w, ITEM, "9.10", "1");
	world_say(&w, p, WATCH("5"));
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\"}");
	EXPECT_NEXT(p, TICK("1", "1"));
	move(&w, ITEM, "9.9", "2");
	move(&w, ITEM, "8.11", "3");
	move(&w, ITEM, "9.10", "4");
	loop_sim_advance(w.loop, 1000);
	EXPECT_NOTHING(p);
	cr_expect(eq(long, rows(&w, "old_ver"), 3));
	move(&w, ITEM, "10.1", "5");
	EXPECT_NEXT(p, TICK("2", "5"));
}

Test(watch, deleted_row_is_a_market_without_values)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	struct bus_header lower = { STR("x-souk-ver"), STR("9.0") },
			  bad = { STR("x-souk-ver"), STR("x") },
			  higher = { STR("x-souk-ver"), STR("9.2") };

	move(&w, ITEM, "9.1", "1");
	world_say(&w, p, WATCH("5"));
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\"}");
	EXPECT_NEXT(p, TICK("1", "1"));
	loop_sim_advance(w.loop, 1000);
	world_send(&w, TOPIC_BESTBID, ITEM, NULL, &lower);
	world_send(&w, TOPIC_BESTBID, ITEM, NULL, &bad);
	EXPECT_NOTHING(p);
	world_send(&w, TOPIC_BESTBID, ITEM, NULL, &higher);
	EXPECT_NEXT(p, "{\"type\":\"market\",\"seq\":2,\"item\":\"" ITEM
		       "\",\"bid\":null,\"ask\":null,\"as_of\":1795334401000}");
	world_send(&w, TOPIC_BESTBID, ITEM, NULL, NULL);
	move(&w, ITEM, "9.2", "2");
	loop_sim_advance(w.loop, 1000);
	EXPECT_NOTHING(p);
	move(&w, ITEM, "9.3", "3");
	EXPECT_NEXT(p, TICK("3", "3"));
	loop_sim_advance(w.loop, 1000);
	world_send(&w, TOPIC_BESTBID, ITEM, NULL, NULL);
	EXPECT_NEXT(p, "{\"type\":\"market\",\"seq\":4,*\"bid\":null,*}");
	cr_expect(eq(long, rows(&w, "bad_record"), 1));
}

Test(watch, feeds_and_bad_records_are_no_rows)
{
	WORLD(w);
	static const char *const bad[] = { "", "nonsense", "{}", "{\"item\":\"" ITEM "\"}",
		"{\"item\":\"" ITEM
		"\",\"ver\":\"9.1\",\"collection\":\"c\",\"as_of\":1,\"bid\":7}" };

	world_send(&w, TOPIC_BESTBID, "feed:c",
		"{\"type\":\"feed\",\"collection\":\"c\",\"alive_at\":1,\"gap\":false}", NULL);
	world_send(&w, TOPIC_BESTBID, "feed:c", NULL, NULL);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		world_send(&w, TOPIC_BESTBID, ITEM, bad[i], NULL);
	cr_expect(eq(long, rows(&w, "bad_record"), (long)ARRAY_LEN(bad)));
	cr_expect(zero(long, rows(&w, "applied")));
	cr_expect(zero(long, world_metric(&w, "souk_ws_market_items", NULL)));
}

Test(watch, again_tells_again_at_the_same_pace)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	move(&w, ITEM, "9.1", "1");
	world_say(&w, p, WATCH("5"));
	world_say(&w, p, WATCH("6"));
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\"}");
	EXPECT_NEXT(p, TICK("1", "1"));
	EXPECT_NEXT(p, "{\"id\":6,\"type\":\"ack\"}");
	EXPECT_NOTHING(p);
	loop_sim_advance(w.loop, 250);
	EXPECT_NEXT(p, TICK("2", "1"));
	cr_expect(eq(long, world_metric(&w, "souk_ws_watches", NULL), 1));
}

Test(watch, unwatched_item_is_quiet)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_say(&w, p, UNWATCH("4"));
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"ack\"}");
	move(&w, ITEM, "9.1", "1");
	world_say(&w, p, WATCH("5"));
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\"}");
	EXPECT_NEXT(p, TICK("1", "1"));
	move(&w, ITEM, "9.2", "2");
	world_say(&w, p, UNWATCH("6"));
	EXPECT_NEXT(p, "{\"id\":6,\"type\":\"ack\"}");
	loop_sim_advance(w.loop, 1000);
	move(&w, ITEM, "9.3", "3");
	EXPECT_NOTHING(p);
	cr_expect(zero(long, world_metric(&w, "souk_ws_watches", NULL)));
	cr_expect(eq(long, world_metric(&w, "souk_ws_market_items", NULL), 1), "its row is kept");
}

/* ---- bounds ---- */

static void watch_nth(struct world *w, struct sim_peer *p, int n)
{
	char text[256];

	snprintf(text, sizeof(text),
		"{\"id\":5,\"type\":\"watch\",\"item\":\"game:azeroth/sword:iron/%d\"}", n);
	world_say(w, p, text);
}

Test(watch, session_has_a_maximum_of_them)
{
	const char *sets[] = { "ws.limits.watches=2", NULL };
	CLEANUP(world_fini) struct world w;
	struct sim_peer *p, *game;

	world_init(&w, sets);
	world_start(&w);
	p = world_connect(&w, "u_42");
	watch_nth(&w, p, 1);
	watch_nth(&w, p, 2);
	watch_nth(&w, p, 2);
	for (int i = 0; i < 3; i++)
		EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\"}");
	watch_nth(&w, p, 3);
	EXPECT_NEXT(p, "{\"id\":5,*\"rate_limited\",*unwatch*}");
	world_say(&w, p, "{\"id\":6,\"type\":\"unwatch\",\"item\":\"game:azeroth/sword:iron/1\"}");
	EXPECT_NEXT(p, "{\"id\":6,\"type\":\"ack\"}");
	watch_nth(&w, p, 3);
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\"}");
	game = world_connect_as(&w, "game", "g1:");
	for (int i = 0; i < 32; i++) {
		watch_nth(&w, game, i);
		EXPECT_NEXT(game, "{\"id\":5,\"type\":\"ack\"}");
	}
	watch_nth(&w, game, 32);
	EXPECT_NEXT(game, "{\"id\":5,*\"rate_limited\",*}");
	cr_expect(eq(long, world_metric(&w, "souk_ws_watches", NULL), 34));
}

Test(watch, market_forgets_what_nobody_watches_and_moved_longest_ago)
{
	const char *sets[] = { "ws.limits.market_items=16", "ws.limits.watches=17", NULL };
	CLEANUP(world_fini) struct world w;
	struct sim_peer *p;
	char item[64];

	world_init(&w, sets);
	world_start(&w);
	for (int i = 0; i < 16; i++) {
		snprintf(item, sizeof(item), "game:azeroth/sword:iron/%d", i);
		move(&w, item, "9.1", "1");
	}
	p = world_connect(&w, "u_42");
	watch_nth(&w, p, 0);
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\"}");
	EXPECT_NEXT(p, "{\"type\":\"market\",\"seq\":1,*iron/0\",*}");
	move(&w, "game:azeroth/sword:iron/1", "9.2", "2");
	move(&w, ITEM, "9.1", "1"); /* takes the place of 2 */
	cr_expect(eq(long, world_metric(&w, "souk_ws_market_items", NULL), 16));
	cr_expect(eq(long, world_metric(&w, "souk_ws_market_items_forgotten_total", NULL), 1));
	watch_nth(&w, p, 1);
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\"}");
	EXPECT_NEXT(p, "{\"type\":\"market\",\"seq\":2,*iron/1\",*}");
	watch_nth(&w, p, 2);
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\"}");
	EXPECT_NOTHING(p);
	for (int i = 3; i < 16; i++) {
		watch_nth(&w, p, i);
		EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\"}");
		while (sim_peer_next(p))
			;
	}
	watch_nth(&w, p, 16);
	EXPECT_NEXT(p, "{\"id\":5,*\"unavailable\",*}");
	move(&w, "game:azeroth/sword:iron/99", "9.1", "1");
	cr_expect(eq(long, rows(&w, "full"), 1));
	sim_peer_close(p, 1000);
	loop_sim_settle(w.loop);
	move(&w, "game:azeroth/sword:iron/99", "9.1", "1");
	cr_expect(eq(long, rows(&w, "full"), 1), "places are free again");
}

Test(watch, slow_client_gets_the_newest_only)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_say(&w, p, WATCH("5"));
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\"}");
	sim_peer_choke(p, true);
	move(&w, ITEM, "9.1", "1");
	world_tell(&w, &(struct told){ .n = 1 });
	loop_sim_advance(w.loop, 250);
	move(&w, ITEM, "9.2", "2");
	loop_sim_advance(w.loop, 250);
	move(&w, ITEM, "9.3", "3");
	sim_peer_choke(p, false);
	loop_sim_settle(w.loop);
	EXPECT_NEXT(p, TICK("1", "3"));
	EXPECT_NEXT(p, "{\"type\":\"order\",\"seq\":2,*}");
	EXPECT_NOTHING(p);
	cr_expect(eq(long, world_metric(&w, "souk_ws_drops_total", "replaced"), 2));
}

Test(watch, session_that_goes_leaves_nothing_behind)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	move(&w, ITEM, "9.1", "1");
	world_say(&w, p, WATCH("5"));
	watch_nth(&w, p, 1);
	move(&w, ITEM, "9.2", "2");
	cr_expect(eq(long, world_metric(&w, "souk_ws_watches", NULL), 2));
	sim_peer_close(p, 1006);
	loop_sim_advance(w.loop, 1000);
	cr_expect(zero(long, world_metric(&w, "souk_ws_watches", NULL)));
	cr_expect(eq(long, world_metric(&w, "souk_ws_market_items", NULL), 1),
		"what was only watched is gone");
	move(&w, ITEM, "9.3", "3");
	cr_expect(eq(long, ticks(&w, "pushed"), 1));
}

Test(watch, bad_ones_are_refused)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_say(&w, p,
		"{\"id\":5,\"type\":\"watch\"}\n{\"id\":6,\"type\":\"watch\",\"item\":\"sword\"}\n"
		"{\"id\":7,\"type\":\"unwatch\",\"item\":7}");
	EXPECT_NEXT(p, "{\"id\":5,*\"bad_command\",*\"detail\":\"*item*\"*}");
	EXPECT_NEXT(p, "{\"id\":6,*\"bad_command\",*\"detail\":\"*item*\"*}");
	EXPECT_NEXT(p, "{\"id\":7,*\"bad_command\",*\"detail\":\"*item*\"*}");
	cr_expect(zero(long, world_metric(&w, "souk_ws_market_items", NULL)));
}

Test(watch, gateway_may_be_freed_while_items_cool_down)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	move(&w, ITEM, "9.1", "1");
	world_say(&w, p, WATCH("5"));
	move(&w, ITEM, "9.2", "2");
	cr_expect(eq(long, world_metric(&w, "souk_ws_watches", NULL), 1));
}
