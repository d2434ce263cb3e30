/* Results of orders on their way to sessions. */
#include "tests/unit/ws-server/world.h"

#define WORLD(w) \
	CLEANUP(world_fini) struct world w; \
	world_init(&w, NULL); \
	world_start(&w)

static int64_t fate(struct world *w, const char *result)
{
	return world_metric(w, "souk_ws_results_total", result);
}

Test(results, are_pushed_in_order_and_once)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_tell(&w, &(struct told){ .n = 1, .state = "ACCEPTED" });
	world_tell(&w, &(struct told){ .n = 2 });
	world_tell(&w, &(struct told){ .n = 2 });
	world_tell(&w, &(struct told){ .n = 1, .state = "ACCEPTED" });
	world_tell(&w, &(struct told){ .n = 4,
			       .state = "MINED",
			       .more = ",\"tx\":\"0xcd\",\"block\":19,\"dry_run\":true" });
	world_tell(&w, &(struct told){ .n = 3, .state = "SENT" });
	EXPECT_NEXT(p, "{\"type\":\"order\",\"seq\":1,\"order\":{\"id\":\"buy-1\",\"state\":"
		       "\"ACCEPTED\",\"n\":1,\"item\":\"" ITEM "\",\"ts\":1795334400000}}");
	EXPECT_NEXT(
		p, "{\"type\":\"order\",\"seq\":2,\"order\":{*\"state\":\"RESERVED\",\"n\":2,*}}");
	EXPECT_NEXT(p,
		"{\"type\":\"order\",\"seq\":3,\"order\":{\"id\":\"buy-1\",\"state\":\"MINED\","
		"\"n\":4,\"item\":\"" ITEM
		"\",\"tx\":\"0xcd\",\"block\":19,\"dry_run\":true,\"ts\":1795334400000}}");
	EXPECT_NOTHING(p);
	cr_expect(eq(long, fate(&w, "pushed"), 3));
	cr_expect(eq(long, fate(&w, "old_n"), 3));
	cr_expect(eq(long, world_metric(&w, "souk_ws_pushes_total", "order"), 3));
}

Test(results, orders_do_not_hold_each_other_back)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_tell(&w, &(struct told){ .order = "a", .n = 5, .state = "FINAL" });
	world_tell(&w, &(struct told){ .order = "b", .n = 1, .state = "ACCEPTED" });
	EXPECT_NEXT(p, "{\"type\":\"order\",\"seq\":1,*\"FINAL\",\"n\":5,*}");
	EXPECT_NEXT(p, "{\"type\":\"order\",\"seq\":2,*\"ACCEPTED\",\"n\":1,*}");
}

Test(results, go_to_every_session_of_their_user_and_to_no_other)
{
	WORLD(w);
	struct sim_peer *a = world_connect(&w, "u_42"), *b = world_connect(&w, "u_42"),
			*other = world_connect(&w, "u_1"), *fresh = world_open(&w);

	world_tell(&w, &(struct told){ .n = 1 });
	EXPECT_NEXT(a, "{\"type\":\"order\",\"seq\":1,*}");
	EXPECT_NEXT(b, "{\"type\":\"order\",\"seq\":1,*}");
	EXPECT_NOTHING(other);
	EXPECT_NOTHING(fresh);
	sim_peer_close(a, 1000);
	loop_sim_settle(w.loop);
	world_tell(&w, &(struct told){ .n = 2 });
	EXPECT_NEXT(b, "{\"type\":\"order\",\"seq\":2,*}");
	sim_peer_close(b, 1000);
	loop_sim_settle(w.loop);
	world_tell(&w, &(struct told){ .n = 3 });
	cr_expect(eq(long, fate(&w, "pushed"), 3));
	cr_expect(eq(long, fate(&w, "no_session"), 1));
}

Test(results, session_that_comes_back_is_told_from_then_on)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_tell(&w, &(struct told){ .n = 1 });
	sim_peer_close(p, 1006);
	loop_sim_settle(w.loop);
	world_tell(&w, &(struct told){ .n = 2 });
	p = world_connect(&w, "u_42");
	EXPECT_NOTHING(p);
	world_tell(&w, &(struct told){ .n = 3 });
	EXPECT_NEXT(p, "{\"type\":\"order\",\"seq\":1,*\"n\":3,*}");
}

Test(results, of_before_the_start_are_not_pushed)
{
	CLEANUP(world_fini) struct world w;
	struct sim_peer *p;

	world_init(&w, NULL);
	world_tell(&w, &(struct told){ .n = 1 });
	world_start(&w);
	p = world_connect(&w, "u_42");
	EXPECT_NOTHING(p);
	world_tell(&w, &(struct told){ .n = 2 });
	EXPECT_NEXT(p, "{\"type\":\"order\",\"seq\":1,*\"n\":2,*}");
}

/* ---- partitions ---- */

static void tell_in(struct world *w, int32_t partition, int n)
{
	char value[512];

	snprintf(value, sizeof(value),
		"{\"order\":\"or-1\",\"client_id\":\"buy-1\",\"n\":%d,\"user\":\"u_42\",\"item\":"
		"\"" ITEM "\",\"state\":\"SENT\",\"ts\":1}",
		n);
	cr_assert(zero(int, bus_send(w->pricing, &(struct bus_message){
							 .topic = TOPIC_PAYMENT_RESULTS,
							 .partition = partition,
							 .key = STR(ITEM),
							 .value = str_of(value),
						 })));
	loop_sim_settle(w->loop);
}

Test(results, of_partitions_that_come_later_are_pushed_from_their_first_on)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	tell_in(&w, 3, 1);
	EXPECT_NEXT(p, "{\"type\":\"order\",\"seq\":1,*\"n\":1,*}");
	cr_assert(zero(int, sim_broker_grow(w.broker, "eu." TOPIC_PAYMENT_RESULTS, 6)));
	tell_in(&w, 5, 2);
	loop_sim_advance(w.loop, 1000);
	EXPECT_NEXT(p, "{\"type\":\"order\",\"seq\":2,*\"n\":2,*}");
	tell_in(&w, 4, 3);
	EXPECT_NEXT(p, "{\"type\":\"order\",\"seq\":3,*\"n\":3,*}");
	tell_in(&w, 0, 4);
	EXPECT_NEXT(p, "{\"type\":\"order\",\"seq\":4,*\"n\":4,*}");
}

/* ---- acting for others ---- */

#define INTEREST_OF(id, user) \
	"{\"id\":" id ",\"type\":\"interest\",\"user\":\"" user "\"," INTEREST "}"

Test(results, act_as_session_is_told_of_the_users_it_spoke_for)
{
	WORLD(w);
	struct sim_peer *game = world_connect_as(&w, "game", "g1:");

	world_tell(&w, &(struct told){ .user = "g1:ann", .n = 1 });
	EXPECT_NOTHING(game);
	world_say(&w, game, INTEREST_OF("2", "g1:ann"));
	EXPECT_NEXT(game, "{\"id\":2,\"type\":\"ack\",*}");
	world_tell(&w, &(struct told){ .user = "g1:ann", .n = 2 });
	EXPECT_NEXT(game,
		"{\"type\":\"order\",\"seq\":1,\"user\":\"g1:ann\",\"order\":{\"id\":\"buy-"
		"1\",*\"n\":2,*}}");
	world_tell(&w, &(struct told){ .user = "g1:bob", .n = 2 });
	world_tell(&w, &(struct told){ .user = "game", .n = 2 });
	EXPECT_NOTHING(game);
}

Test(results, order_and_order_status_speak_for_a_user_too)
{
	WORLD(w);
	struct sim_peer *game = world_connect_as(&w, "game", "g1:");

	world_say(&w, game,
		"{\"id\":2,\"type\":\"order\",\"user\":\"g1:ann\",\"order\":{\"id\":\"b\","
		"\"quote\":" QUOTE "}}");
	EXPECT_NEXT(game, "{\"id\":2,\"type\":\"ack\",*}");
	world_say(&w, game,
		"{\"id\":3,\"type\":\"order_status\",\"user\":\"g1:bob\",\"order\":\"b\"}");
	EXPECT_NEXT(game, "{\"id\":3,*\"not_found\"*}");
	world_tell(&w, &(struct told){ .order = "a", .user = "g1:ann", .n = 1 });
	world_tell(&w, &(struct told){ .order = "b", .user = "g1:bob", .n = 1 });
	EXPECT_NEXT(game, "{\"type\":\"order\",\"seq\":1,\"user\":\"g1:ann\",*}");
	EXPECT_NEXT(game, "{\"type\":\"order\",\"seq\":2,\"user\":\"g1:bob\",*}");
}

Test(results, a_user_named_longest_ago_is_forgotten_when_there_are_too_many)
{
	const char *sets[] = { "ws.limits.users_remembered=2", NULL };
	CLEANUP(world_fini) struct world w;
	struct sim_peer *game;

	world_init(&w, sets);
	world_start(&w);
	game = world_connect_as(&w, "game", "g1:");
	world_say(&w, game,
		INTEREST_OF("2", "g1:ann") "\n" INTEREST_OF("3", "g1:bob") "\n" INTEREST_OF(
			"4", "g1:ann") "\n" INTEREST_OF("5", "g1:cid"));
	while (sim_peer_next(game))
		;
	world_tell(&w, &(struct told){ .order = "a", .user = "g1:ann", .n = 1 });
	world_tell(&w, &(struct told){ .order = "b", .user = "g1:bob", .n = 1 });
	world_tell(&w, &(struct told){ .order = "c", .user = "g1:cid", .n = 1 });
	EXPECT_NEXT(game, "{\"type\":\"order\",\"seq\":1,\"user\":\"g1:ann\",*}");
	EXPECT_NEXT(game, "{\"type\":\"order\",\"seq\":2,\"user\":\"g1:cid\",*}");
	EXPECT_NOTHING(game);
	sim_peer_close(game, 1000);
	loop_sim_settle(w.loop);
	cr_expect(eq(long, world_metric(&w, "souk_ws_users_forgotten_total", NULL), 1));
}

/* ---- conflicts ---- */

Test(results, conflict_is_told_to_the_session_that_caused_it_and_to_no_other)
{
	WORLD(w);
	struct sim_peer *a = world_connect(&w, "u_42"), *b = world_connect(&w, "u_42");
	struct told conflict = {
		.state = "REJECTED", .session = w.session, .more = ",\"reason\":\"CONFLICT\""
	};

	world_tell(&w, &(struct told){ .n = 2 });
	EXPECT_NEXT(a, "{\"type\":\"order\",\"seq\":1,*}");
	EXPECT_NEXT(b, "{\"type\":\"order\",\"seq\":1,*}");
	world_tell(&w, &conflict);
	EXPECT_NOTHING(a);
	EXPECT_NEXT(b,
		"{\"type\":\"order\",\"seq\":2,\"order\":{\"id\":\"buy-1\",\"state\":\"REJECTED\","
		"\"n\":0,\"item\":\"" ITEM "\",\"reason\":\"CONFLICT\",\"ts\":*}}");
	world_tell(&w, &conflict);
	EXPECT_NOTHING(b);
	conflict.ts = NOW_MS + 1;
	world_tell(&w, &conflict);
	EXPECT_NEXT(b, "{\"type\":\"order\",\"seq\":3,*\"CONFLICT\"*}");
	world_tell(&w, &(struct told){ .n = 3, .state = "SENT" });
	EXPECT_NEXT(b, "{\"type\":\"order\",\"seq\":4,*\"n\":3,*}");
}

Test(results, conflict_for_no_session_or_one_of_another_user_is_dropped)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_tell(&w, &(struct told){ .state = "REJECTED" });
	world_tell(&w, &(struct told){ .state = "REJECTED", .session = "s_gone" });
	world_tell(&w, &(struct told){ .state = "REJECTED", .user = "u_1", .session = w.session });
	EXPECT_NOTHING(p);
	cr_expect(eq(long, fate(&w, "no_session"), 3));
}

/* ---- hostile and slow ---- */

Test(results, bad_records_are_counted_and_left_out)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	static const char *const bad[] = { NULL, "", "nonsense", "{}",
		"{\"order\":\"a\",\"client_id\":\"b\",\"n\":-1,\"user\":\"u_42\",\"item\":\"" ITEM
		"\",\"state\":\"SENT\",\"ts\":1}",
		"{\"order\":\"a\",\"client_id\":\"b\",\"n\":1,\"user\":\"u_42\",\"item\":\"" ITEM
		"\",\"state\":\"PAID\",\"ts\":1}" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		world_send(&w, TOPIC_PAYMENT_RESULTS, ITEM, bad[i], NULL);
	EXPECT_NOTHING(p);
	cr_expect(eq(long, fate(&w, "bad_record"), (long)ARRAY_LEN(bad)));
}

Test(results, slow_client_still_gets_every_state)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_peer_choke(p, true);
	for (int64_t n = 1; n < 4; n++)
		world_tell(&w, &(struct told){ .n = n });
	EXPECT_NOTHING(p);
	sim_peer_choke(p, false);
	loop_sim_settle(w.loop);
	EXPECT_NEXT(p, "{\"type\":\"order\",\"seq\":1,*\"n\":1,*}");
	EXPECT_NEXT(p, "{\"type\":\"order\",\"seq\":2,*\"n\":2,*}");
	EXPECT_NEXT(p, "{\"type\":\"order\",\"seq\":3,*\"n\":3,*}");
}

Test(results, session_that_is_over_its_bound_is_closed_and_the_others_are_told)
{
	const char *sets[] = { "ws.limits.outbox_bytes=4096", NULL };
	CLEANUP(world_fini) struct world w;
	struct sim_peer *peers[3];

	world_init(&w, sets);
	world_start(&w);
	for (size_t i = 0; i < ARRAY_LEN(peers); i++)
		peers[i] = world_connect(&w, "u_42");
	sim_peer_choke(peers[1], true);
	for (int64_t n = 1; n <= 40; n++)
		world_tell(&w, &(struct told){ .n = n });
	cr_expect(eq(int, sim_peer_close_code(peers[1]), 4108));
	for (int64_t n = 1; n <= 40; n++) {
		EXPECT_NEXT(peers[0], "{\"type\":\"order\",*}");
		EXPECT_NEXT(peers[2], "{\"type\":\"order\",*}");
	}
	cr_expect(eq(long, world_metric(&w, "souk_ws_connections", NULL), 2));
}

Test(results, the_order_told_of_longest_ago_is_forgotten_when_there_are_too_many)
{
	const char *sets[] = { "ws.limits.orders_shown=4", NULL };
	CLEANUP(world_fini) struct world w;
	struct sim_peer *p;
	char order[16];

	world_init(&w, sets);
	world_start(&w);
	p = world_connect(&w, "u_42");
	for (int i = 0; i < 5; i++) {
		snprintf(order, sizeof(order), "o-%d", i);
		world_tell(&w, &(struct told){ .order = order, .n = 1 });
		EXPECT_NEXT(p, "{\"type\":\"order\",*}");
	}
	world_tell(&w, &(struct told){ .order = "o-4", .n = 1 });
	EXPECT_NOTHING(p);
	world_tell(&w, &(struct told){ .order = "o-0", .n = 1 });
	EXPECT_NEXT(p, "{\"type\":\"order\",*}");
	sim_peer_close(p, 1000);
	loop_sim_settle(w.loop);
	cr_expect(eq(long, world_metric(&w, "souk_ws_order_states_forgotten_total", NULL), 2));
}
