/* Where an order stands, for who asks. */
#include "tests/unit/ws-server/world.h"

#include "common/model/ids.h"
#include "common/model/version.h"

#define WORLD(w) \
	CLEANUP(world_fini) struct world w; \
	world_init(&w, NULL); \
	world_start(&w)

#define ASK(id, order) "{\"id\":" id ",\"type\":\"order_status\",\"order\":\"" order "\"}"

static struct id order_id(const char *user, const char *client_id)
{
	struct id id;

	cr_assert(zero(int, id_for_order(&id, str_of(user), str_of(client_id))));
	return id;
}

/* As wallet-bridge keeps it. @row NULL: deleted. */
static void put(
	struct world *w, const char *user, const char *client_id, uint64_t n, const struct row *row)
{
	char key[64], ver[VERSION_TEXT_MAX];
	struct id id = order_id(user, client_id);
	struct version v = { { 7, n } };
	int key_n = snprintf(key, sizeof(key), "order:{%s}", id.text);

	cr_assert(zero(int, cache_write(w->cache,
				    &(struct cache_write){
					    .key = { key, (size_t)key_n },
					    .ver = { ver, version_format_stored(ver, v) },
					    .gen = 1,
					    .row = row,
					    .tombstone_ms = 1000,
					    .ttl_ms = row ? 86400000 : 0,
				    },
				    NULL, NULL)));
	loop_sim_settle(w->loop);
}

static void put_state(struct world *w, const char *client_id, const char *state, const char *n)
{
	struct row row = { .field = { { STR("user"), STR("u_42") },
				   { STR("client_id"), str_of(client_id) },
				   { STR("item"), STR(ITEM) }, { STR("state"), str_of(state) },
				   { STR("n"), str_of(n) }, { STR("ts"), STR("1795334400123") } },
		.n = 6 };

	put(w, "u_42", client_id, strtoull(n, NULL, 10), &row);
}

Test(order_status, answers_with_all_that_is_known)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	struct row row = { .field = { { STR("user"), STR("u_42") },
				   { STR("client_id"), STR("buy-1") }, { STR("item"), STR(ITEM) },
				   { STR("state"), STR("REVERTED") }, { STR("n"), STR("5") },
				   { STR("reason"), STR("NO_FUNDS") }, { STR("tx"), STR("0xcd") },
				   { STR("block"), STR("19") }, { STR("dry_run"), STR("true") },
				   { STR("ts"), STR("1795334400123") } },
		.n = 10 };

	put(&w, "u_42", "buy-1", 5, &row);
	put_state(&w, "buy-2", "RESERVED", "2");
	world_say(&w, p, ASK("4", "buy-1") "\n" ASK("5", "buy-2"));
	EXPECT_NEXT(p,
		"{\"id\":4,\"type\":\"order\",\"order\":{\"id\":\"buy-1\",\"state\":\"REVERTED\","
		"\"n\":5,\"item\":\"" ITEM
		"\",\"reason\":\"NO_FUNDS\",\"tx\":\"0xcd\",\"block\":19,\"dry_run\":true,"
		"\"ts\":1795334400123}}");
	EXPECT_NEXT(p,
		"{\"id\":5,\"type\":\"order\",\"order\":{\"id\":\"buy-2\",\"state\":\"RESERVED\","
		"\"n\":2,\"item\":\"" ITEM "\",\"ts\":1795334400123}}");
}

Test(order_status, after_an_answer_only_later_states_are_pushed)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	struct id id = order_id("u_42", "buy-1");

	put_state(&w, "buy-1", "SENT", "3");
	world_say(&w, p, ASK("4", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"order\",*\"n\":3,*}");
	world_tell(&w, &(struct told){ .order = id.text, .n = 2 });
	world_tell(&w, &(struct told){ .order = id.text, .state = "SENT", .n = 3 });
	EXPECT_NOTHING(p);
	world_tell(&w, &(struct told){ .order = id.text, .state = "MINED", .n = 4 });
	EXPECT_NEXT(p,
		"{\"type\":\"order\",\"seq\":1,\"order\":{\"id\":\"buy-1\",\"state\":\"MINED\","
		"\"n\":4,*}}");
	cr_expect(eq(long, world_metric(&w, "souk_ws_results_total", "old_n"), 2));
}

/* A state that is told now and one that follows before results are read would leave a gap. */
Test(order_status, nothing_is_answered_before_results_are_read)
{
	CLEANUP(world_fini) struct world w;
	struct sim_peer *p;

	world_init_without(&w, NULL, TOPIC_PAYMENT_RESULTS);
	world_start(&w);
	p = world_connect(&w, "u_42");
	put_state(&w, "buy-1", "SENT", "3");
	world_say(&w, p, ASK("4", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"error\",\"error\":{\"code\":\"unavailable\",*");
	cr_assert(zero(int, sim_broker_topic(w.broker, "eu." TOPIC_PAYMENT_RESULTS, 4)));
	loop_sim_advance(w.loop, 5000);
	world_say(&w, p, ASK("5", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"order\",*");
}

Test(order_status, unknown_order_is_not_found)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42"), *other = world_connect(&w, "u_1");

	world_say(&w, p, ASK("4", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"error\",\"error\":{\"code\":\"not_found\",*"
		       "\"temporary\":false,\"applied\":\"no\"}}");
	put_state(&w, "buy-1", "RESERVED", "2");
	world_say(&w, other, ASK("4", "buy-1"));
	EXPECT_NEXT(other, "{\"id\":4,*\"not_found\",*}");
	put(&w, "u_42", "buy-1", 3, NULL);
	world_say(&w, p, ASK("5", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":5,*\"not_found\",*}");
}

Test(order_status, acknowledged_order_without_a_state_is_not_found_yet)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_say(&w, p, ORDER("3", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",*}");
	world_say(&w, p, ASK("4", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"error\",\"error\":{\"code\":\"not_found\",*"
		       "\"temporary\":true,\"applied\":\"no\",\"retry_after_ms\":500}}");
	put_state(&w, "buy-1", "RESERVED", "2");
	world_say(&w, p, ASK("5", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"order\",*}");
}

Test(order_status, unreadable_view_is_unavailable)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	put_state(&w, "a", "PAID", "2");
	put_state(&w, "b", "SENT", "-2");
	put(&w, "u_42", "c", 2, &(struct row){ .n = 0 });
	world_say(&w, p, ASK("4", "a") "\n" ASK("5", "b") "\n" ASK("6", "c"));
	EXPECT_NEXT(p, "{\"id\":4,*\"unavailable\",*\"temporary\":true,*}");
	EXPECT_NEXT(p, "{\"id\":5,*\"unavailable\",*}");
	EXPECT_NEXT(p, "{\"id\":6,*\"unavailable\",*}");
}

Test(order_status, redis_away_is_unavailable_before_and_after_it_was_asked)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_store_set_latency(w.store, 500000);
	world_say(&w, p, ASK("4", "buy-1"));
	EXPECT_NOTHING(p);
	sim_store_set_down(w.store, true);
	loop_sim_advance(w.loop, 1000);
	EXPECT_NEXT(p, "{\"id\":4,*\"unavailable\",*\"temporary\":true,*\"retry_after_ms\":*}");
	world_say(&w, p, ASK("5", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":5,*\"unavailable\",*\"temporary\":true,*\"retry_after_ms\":*}");
	EXPECT_NOTHING(p);
}

Test(order_status, counts_among_the_commands_in_flight_and_may_be_left_behind)
{
	const char *sets[] = { "ws.limits.commands_in_flight=1", NULL };
	CLEANUP(world_fini) struct world w;
	struct sim_peer *p;

	world_init(&w, sets);
	world_start(&w);
	p = world_connect(&w, "u_42");
	put_state(&w, "buy-1", "RESERVED", "2");
	sim_store_set_latency(w.store, 500000);
	world_say(&w, p, ASK("4", "buy-1") "\n" ASK("5", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":5,*\"rate_limited\",*}");
	sim_peer_close(p, 1006);
	loop_sim_advance(w.loop, 1000);
	cr_expect(zero(long, world_metric(&w, "souk_ws_connections", NULL)));
	p = world_connect(&w, "u_42");
	world_say(&w, p, ASK("4", "buy-1"));
	loop_sim_advance(w.loop, 1000);
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"order\",*}");
}

Test(order_status, answer_for_a_session_that_is_being_closed_finds_nobody)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_store_set_latency(w.store, 500000);
	world_say(&w, p, ASK("4", "buy-1") "\nx\nx\nx");
	for (int i = 0; i < 3; i++)
		EXPECT_NEXT(p, "{\"id\":null,*\"bad_json\",*}");
	cr_expect(eq(int, sim_peer_close_code(p), 4008));
	loop_sim_advance(w.loop, 1000);
	EXPECT_NOTHING(p);
}

Test(order_status, drain_waits_for_its_answer)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	put_state(&w, "buy-1", "RESERVED", "2");
	sim_store_set_latency(w.store, 500000);
	world_say(&w, p, ASK("4", "buy-1"));
	gateway_drain(w.gateway, NULL, NULL);
	loop_sim_advance(w.loop, 400);
	EXPECT_NEXT(p, "{\"type\":\"draining\",*}");
	cr_expect(eq(int, sim_peer_close_code(p), 0));
	loop_sim_advance(w.loop, 200);
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"order\",*}");
	cr_expect(eq(int, sim_peer_close_code(p), 4112));
}

Test(order_status, gateway_may_be_freed_while_an_answer_and_a_report_are_due)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_store_set_latency(w.store, 500000);
	sim_broker_set_latency(w.broker, 500000);
	world_say(&w, p, ASK("4", "buy-1") "\n" ORDER("5", "buy-1"));
	EXPECT_NOTHING(p);
}

Test(order_status, older_answer_than_what_was_pushed_takes_nothing_back)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	struct id id = order_id("u_42", "buy-1");

	put_state(&w, "buy-1", "RESERVED", "2");
	world_tell(&w, &(struct told){ .order = id.text, .state = "SENT", .n = 3 });
	EXPECT_NEXT(p, "{\"type\":\"order\",\"seq\":1,*\"n\":3,*}");
	world_say(&w, p, ASK("4", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"order\",*\"n\":2,*}");
	world_tell(&w, &(struct told){ .order = id.text, .state = "SENT", .n = 3 });
	EXPECT_NOTHING(p);
	world_tell(&w, &(struct told){ .order = id.text, .state = "MINED", .n = 4 });
	EXPECT_NEXT(p, "{\"type\":\"order\",\"seq\":2,*\"n\":4,*}");
}

Test(order_status, bad_ones_are_refused)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42"), *game = world_connect_as(&w, "game", "g1:");

	world_say(&w, p,
		"{\"id\":4,\"type\":\"order_status\"}\n{\"id\":5,\"type\":\"order_status\","
		"\"order\":"
		"\"\"}\n{\"id\":6,\"type\":\"order_status\",\"order\":\"x\",\"user\":\"u_1\"}");
	EXPECT_NEXT(p, "{\"id\":4,*\"bad_command\",*\"detail\":\"*order*\"*}");
	EXPECT_NEXT(p, "{\"id\":5,*\"bad_command\",*}");
	EXPECT_NEXT(p, "{\"id\":6,*\"forbidden\",*}");
	world_say(&w, game, ASK("4", "buy-1"));
	EXPECT_NEXT(game, "{\"id\":4,*\"bad_command\",*user*}");
}

Test(order_status, act_as_session_asks_for_each_of_its_users)
{
	WORLD(w);
	struct sim_peer *game = world_connect_as(&w, "game", "g1:");
	struct row row = { .field = { { STR("state"), STR("FINAL") }, { STR("n"), STR("6") } },
		.n = 2 };

	put(&w, "g1:ann", "buy-1", 6, &row);
	world_say(&w, game,
		"{\"id\":4,\"type\":\"order_status\",\"order\":\"buy-1\",\"user\":\"g1:ann\"}\n"
		"{\"id\":5,\"type\":\"order_status\",\"order\":\"buy-1\",\"user\":\"g1:bob\"}");
	EXPECT_NEXT(game,
		"{\"id\":4,\"type\":\"order\",\"order\":{\"id\":\"buy-1\",\"state\":\"FINAL\","
		"\"n\":6}}");
	EXPECT_NEXT(game, "{\"id\":5,*\"not_found\",*}");
}

Test(order_status, has_a_rate_together_with_watches)
{
	const char *sets[] = { "ws.limits.queries_per_s=1", NULL };
	CLEANUP(world_fini) struct world w;
	struct sim_peer *p;

	world_init(&w, sets);
	world_start(&w);
	p = world_connect(&w, "u_42");
	world_say(&w, p,
		ASK("4", "x") "\n{\"id\":5,\"type\":\"watch\",\"item\":\"" ITEM "\"}\n" ASK(
			"6", "x") "\n{\"id\":7,\"type\":\"unwatch\",\"item\":\"" ITEM "\"}");
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\"}");
	EXPECT_NEXT(p, "{\"id\":6,*\"rate_limited\",*\"retry_after_ms\":1000}}");
	EXPECT_NEXT(p, "{\"id\":7,*\"rate_limited\",*}");
	EXPECT_NEXT(p, "{\"id\":4,*\"not_found\",*}");
}
