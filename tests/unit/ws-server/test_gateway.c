/* A client's conversation with the gateway, from connect to the acknowledgement. */
#include "tests/unit/ws-server/world.h"

#define WORLD(w) \
	CLEANUP(world_fini) struct world w; \
	world_init(&w, NULL); \
	world_start(&w)

#define UNAUTHORIZED(id, detail) \
	"{\"id\":" id ",\"type\":\"error\",\"error\":{\"code\":\"unauthorized\",\"title\":\"*\"," \
	"\"detail\":\"" detail "\"," \
	"\"temporary\":false,\"applied\":\"no\"}}"
#define ERROR(id, code) "{\"id\":" id ",\"type\":\"error\",\"error\":{\"code\":\"" code "\",*}}"

/* ---- connect ---- */

Test(gateway, connect_is_answered_as_the_contract_writes_it)
{
	WORLD(w);
	struct sim_peer *p = world_open(&w);
	char text[2300];

	snprintf(text, sizeof(text),
		"{\"id\":1,\"type\":\"connect\",\"token\":\"%s\",\"resume\":{\"session\":\"s_9\","
		"\"epoch\":\"e\",\"seq\":41}}",
		world_token(&w, "u_42", NULL, NOW_MS + HOUR_MS));
	world_say(&w, p, text);
	EXPECT_NEXT(p,
		"{\"id\":1,\"type\":\"connected\",\"session\":\"s_*\",\"epoch\":\"*\",\"seq\":0,"
		"\"recovered\":false,"
		"\"ping_s\":25,\"expires\":1795338000000,\"now\":1795334400000,"
		"\"limits\":{\"message_max\":16384,\"commands_in_flight\":32,\"events_per_s\":20,"
		"\"orders_per_s\":5,\"queries_per_s\":50,\"watches\":64},"
		"\"server\":\"souk/0.1.0\"}");
	cr_expect(eq(int, sim_peer_close_code(p), 0));
	cr_expect(eq(long, world_metric(&w, "souk_ws_connections", NULL), 1));
}

Test(gateway, token_of_the_upgrade_lets_connect_go_without)
{
	WORLD(w);
	char header[2100];
	struct sim_peer *p;

	snprintf(header, sizeof(header), "bearer %s",
		world_token(&w, "u_42", NULL, NOW_MS + HOUR_MS));
	p = sim_peer_connect(w.server, &(struct ws_conn_info){ .authorization = str_of(header) });
	loop_sim_settle(w.loop);
	EXPECT_NOTHING(p);
	world_say(&w, p, "{\"id\":9,\"type\":\"connect\"}");
	EXPECT_NEXT(p, "{\"id\":9,\"type\":\"connected\",*}");
}

Test(gateway, bad_token_of_the_upgrade_is_an_error_without_an_id_and_4001)
{
	WORLD(w);
	struct sim_peer *p = sim_peer_connect(
		w.server, &(struct ws_conn_info){ .authorization = STR("Bearer nonsense") });

	loop_sim_settle(w.loop);
	EXPECT_NEXT(p, UNAUTHORIZED("null", "the token is not a JSON Web Token"));
	cr_expect(eq(int, sim_peer_close_code(p), 4001));
	cr_expect(eq(long, world_metric(&w, "souk_ws_connections", NULL), 0));
}

Test(gateway, bad_token_in_connect_is_an_error_and_4001)
{
	WORLD(w);
	struct sim_peer *p = world_open(&w);
	char text[2300];

	snprintf(text, sizeof(text), "{\"id\":5,\"type\":\"connect\",\"token\":\"%s\"}",
		world_token(&w, "u_42", NULL, NOW_MS - 1000));
	world_say(&w, p, text);
	EXPECT_NEXT(p, UNAUTHORIZED("5", "the token has expired"));
	cr_expect(eq(int, sim_peer_close_code(p), 4001));
}

Test(gateway, connect_without_any_token_is_4001)
{
	WORLD(w);
	struct sim_peer *p = world_open(&w);

	world_say(&w, p, "{\"id\":5,\"type\":\"connect\"}");
	EXPECT_NEXT(p, UNAUTHORIZED("5", "no token was given"));
	cr_expect(eq(int, sim_peer_close_code(p), 4001));
}

Test(gateway, connect_must_come_within_ten_seconds)
{
	WORLD(w);
	struct sim_peer *p = world_open(&w);

	loop_sim_advance(w.loop, 9999);
	cr_expect(eq(int, sim_peer_close_code(p), 0));
	sim_peer_pong(p);
	loop_sim_advance(w.loop, 1);
	cr_expect(eq(int, sim_peer_close_code(p), 4008));
	EXPECT_NOTHING(p);
}

Test(gateway, another_command_first_is_4008)
{
	WORLD(w);
	const char *const firsts[] = { "{\"id\":1,\"type\":\"interest\"," INTEREST "}",
		"{\"type\":\"pong\"}", "{\"id\":1,\"type\":\"nothing\"}" };

	for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
		struct sim_peer *p = world_open(&w);

		world_say(&w, p, firsts[i]);
		cr_expect(eq(int, sim_peer_close_code(p), 4008), "%s", firsts[i]);
	}
}

Test(gateway, second_connect_is_an_error_only)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_say(&w, p, "{\"id\":2,\"type\":\"connect\"}");
	EXPECT_NEXT(p, ERROR("2", "bad_command"));
	cr_expect(eq(int, sim_peer_close_code(p), 0));
}

/* ---- interest ---- */

Test(gateway, interest_is_acknowledged_when_the_broker_has_it)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	const struct bus_record *r;

	sim_broker_set_latency(w.broker, 5000);
	world_say(&w, p,
		"{\"id\":2,\"type\":\"interest\",\"event\":\"e-1\"," INTEREST
		",\"context\":{\"device\":\"phone\"},\"ts\":123}");
	EXPECT_NOTHING(p);
	loop_sim_advance(w.loop, 10);
	EXPECT_NEXT(p, "{\"id\":2,\"type\":\"ack\",\"event\":\"e-1\"}");

	r = world_interest(&w, 0);
	cr_assert(not(zero(ptr, (void *)r)));
	cr_expect(str_eqz(r->key, "u_42"));
	char want[1024], value[1024];
	snprintf(want, sizeof(want),
		"{\"id\":\"*\",\"client_id\":\"e-1\",\"ts\":1795334400000,\"client_ts\":123,"
		"\"user\":\"u_42\","
		"\"session\":\"%s\",\"item\":\"" ITEM
		"\",\"signal\":{\"kind\":\"view\"*},\"context\":{\"device\":\"phone\"}}",
		w.session);
	cr_assert(zero(int, str_copy(value, sizeof(value), r->value)));
	cr_expect(world_matches(want, value), "%s", value);
	cr_expect(eq(long, world_metric(&w, "souk_ws_acks_total", NULL), 1));
	cr_expect(eq(long, world_metric(&w, "souk_ws_events_total", "acked"), 1));
}

Test(gateway, interest_carries_the_headers_of_the_contract)
{
	WORLD(w);
	const char *given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
	struct sim_peer *p =
		sim_peer_connect(w.server, &(struct ws_conn_info){ .traceparent = str_of(given) });
	char text[2300], epoch[24], slot[4] = { 0, 0, 0, 0 };
	const struct bus_record *r;
	struct str trace;

	snprintf(text, sizeof(text),
		"{\"id\":1,\"type\":\"connect\",\"token\":\"%s\"}\n{\"id\":2,\"type\":"
		"\"interest\"," INTEREST "}",
		world_token(&w, "u_42", NULL, NOW_MS + HOUR_MS));
	world_say(&w, p, text);
	EXPECT_NEXT(p, "{\"id\":1,\"type\":\"connected\",*}");
	EXPECT_NEXT(p, "{\"id\":2,\"type\":\"ack\",\"event\":\"*-*-7*-*-*\"}");

	r = world_interest(&w, 0);
	cr_assert(not(zero(ptr, (void *)r)));
	cr_expect(str_eqz(bus_header(r, "ce_specversion"), "1.0"));
	cr_expect(str_eqz(bus_header(r, "ce_type"), "souk.nft.interest.v1"));
	cr_expect(str_eqz(bus_header(r, "ce_source"), "/souk/ws-server/i-1"));
	cr_expect(str_eqz(bus_header(r, "ce_time"), "2026-11-22T08:00:00.000Z"));
	cr_expect(str_eqz(bus_header(r, "content-type"), "application/json"));
	cr_expect(str_eqz(bus_header(r, "kafka_replyTopic"), "eu.nft.offers.v1"));
	cr_expect(str_eqz(bus_header(r, "x-souk-deadline"), "1795334430000"));
	slot[3] = (char)world_slot(&w);
	cr_expect(str_eq(bus_header(r, "kafka_replyPartition"), (struct str){ slot, 4 }));
	world_epoch(&w, epoch);
	cr_expect(str_eqz(bus_header(r, "x-souk-slot-epoch"), epoch));
	cr_expect(str_starts(bus_header(r, "x-souk-session"), STR("s_")));
	cr_expect(str_eq(bus_header(r, "kafka_correlationId"), bus_header(r, "ce_id")));
	trace = bus_header(r, "traceparent");
	cr_assert(eq(sz, trace.n, 55));
	cr_expect(str_starts(trace, (struct str){ given, 36 }), "the trace goes on");
	cr_expect(not(zero(int, memcmp(trace.p + 36, given + 36, 16))), "in a span of its own");
}

Test(gateway, trace_is_begun_where_none_was_given)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	char text[64];

	world_say(&w, p, "{\"id\":2,\"type\":\"interest\"," INTEREST "}");
	cr_assert(zero(int,
		str_copy(text, sizeof(text), bus_header(world_interest(&w, 0), "traceparent"))));
	cr_expect(eq(sz, strlen(text), 55));
	cr_expect(world_matches("00-*-*-01", text));
	cr_expect(zero(ptr, strstr(text, "0000000000000000")), "%s", text);
}

Test(gateway, bad_interest_names_the_member_and_publishes_nothing)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_say(&w, p,
		"{\"id\":2,\"type\":\"interest\",\"item\":\"EIP\",\"signal\":{\"kind\":\"view\"}}");
	EXPECT_NEXT(p, "{\"id\":2,\"type\":\"error\",\"error\":{\"code\":\"bad_command\",*"
		       "\"detail\":\"*item*\",*\"applied\":\"no\"}}");
	world_say(&w, p, "{\"id\":3,\"type\":\"interest\",\"item\":\"" ITEM "\"}");
	EXPECT_NEXT(p, "{\"id\":3,*\"bad_command\",*\"detail\":\"*signal.kind*\"*}");
	world_say(&w, p,
		"{\"id\":4,\"type\":\"interest\",\"item\":\"" ITEM
		"\",\"signal\":{\"kind\":\"stare\"}}");
	EXPECT_NEXT(p, "{\"id\":4,*\"bad_command\",*\"detail\":\"*signal.kind*\"*}");
	cr_expect(eq(int, sim_peer_close_code(p), 0), "bad members are not bad protocol");
	cr_expect(eq(long, world_interests(&w), 0));
	cr_expect(eq(long, world_metric(&w, "souk_ws_events_total", "bad"), 3));
}

Test(gateway, place_is_removed_without_consent_and_coarsened_with)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	char value[1024];

	world_say(&w, p,
		"{\"id\":2,\"type\":\"interest\"," INTEREST
		",\"context\":{\"geo\":{\"h3\":\"891f1d4894fffff\"}}}");
	EXPECT_NEXT(p, "{\"id\":2,\"type\":\"ack\",*}");
	cr_assert(zero(int, str_copy(value, sizeof(value), world_interest(&w, 0)->value)));
	cr_expect(zero(ptr, strstr(value, "geo")), "%s", value);

	world_say(&w, p,
		"{\"id\":3,\"type\":\"interest\"," INTEREST
		",\"context\":{\"geo\":{\"h3\":\"891f1d4894fffff\"},\"consent\":{\"location\":true}"
		"}}");
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",*}");
	cr_assert(zero(int, str_copy(value, sizeof(value), world_interest(&w, 1)->value)));
	cr_expect(
		not(zero(ptr, strstr(value, "\"geo\":{\"h3\":\"861f1d48fffffff\"}"))), "%s", value);

	world_say(&w, p,
		"{\"id\":4,\"type\":\"interest\"," INTEREST
		",\"context\":{\"geo\":{\"h3\":\"fff\"},\"consent\":{\"location\":true}}}");
	EXPECT_NEXT(p, "{\"id\":4,*\"bad_command\"*context.geo.h3*}");
}

Test(gateway, foreign_user_is_forbidden_and_ones_own_is_not)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_say(&w, p, "{\"id\":2,\"type\":\"interest\",\"user\":\"u_1\"," INTEREST "}");
	EXPECT_NEXT(p, ERROR("2", "forbidden"));
	world_say(&w, p, "{\"id\":3,\"type\":\"interest\",\"user\":\"u_42\"," INTEREST "}");
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",*}");
}

Test(gateway, act_as_session_names_a_user_of_its_prefix_in_each_command)
{
	WORLD(w);
	struct sim_peer *p = world_connect_as(&w, "game", "g1:");

	world_say(&w, p, "{\"id\":2,\"type\":\"interest\"," INTEREST "}");
	EXPECT_NEXT(p, ERROR("2", "bad_command"));
	world_say(&w, p, "{\"id\":3,\"type\":\"interest\",\"user\":\"g2:bob\"," INTEREST "}");
	EXPECT_NEXT(p, ERROR("3", "forbidden"));
	world_say(&w, p,
		"{\"id\":4,\"type\":\"interest\",\"event\":\"e\",\"user\":\"g1:ann\"," INTEREST
		"}");
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"ack\",\"event\":\"e\"}");
	world_say(&w, p,
		"{\"id\":5,\"type\":\"interest\",\"event\":\"e\",\"user\":\"g1:bob\"," INTEREST
		"}");
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\",\"event\":\"e\"}");
	cr_expect(eq(long, world_interests(&w), 2), "the same event id of two users is two events");
}

Test(gateway, repeated_event_is_acknowledged_again_and_not_published_again)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42"), *again;

	world_say(&w, p, "{\"id\":2,\"type\":\"interest\",\"event\":\"e-1\"," INTEREST "}");
	EXPECT_NEXT(p, "{\"id\":2,\"type\":\"ack\",\"event\":\"e-1\"}");
	again = world_connect(&w, "u_42");
	world_say(&w, again, "{\"id\":2,\"type\":\"interest\",\"event\":\"e-1\"," INTEREST "}");
	EXPECT_NEXT(again, "{\"id\":2,\"type\":\"ack\",\"event\":\"e-1\"}");
	cr_expect(eq(long, world_interests(&w), 1));
	cr_expect(eq(long, world_metric(&w, "souk_ws_events_total", "repeated"), 1));

	loop_sim_advance(w.loop, 20000);
	sim_peer_pong(again);
	loop_sim_advance(w.loop, 20000);
	sim_peer_pong(again);
	loop_sim_advance(w.loop, 20001);
	while (sim_peer_next(again))
		;
	world_say(&w, again, "{\"id\":3,\"type\":\"interest\",\"event\":\"e-1\"," INTEREST "}");
	EXPECT_NEXT(again, "{\"id\":3,\"type\":\"ack\",\"event\":\"e-1\"}");
	cr_expect(eq(long, world_interests(&w), 2), "its offer cannot live any more");
}

Test(gateway, event_without_a_report_may_be_published_twice_under_one_id)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_broker_fail_sends(w.broker, "eu." TOPIC_INTEREST, 1, -ETIMEDOUT);
	world_say(&w, p, "{\"id\":2,\"type\":\"interest\",\"event\":\"e-1\"," INTEREST "}");
	EXPECT_NEXT(p, "{\"id\":2,\"type\":\"error\",\"error\":{\"code\":\"unavailable\",*"
		       "\"temporary\":true,\"applied\":\"unknown\","
		       "\"retry_after_ms\":*}}");
	world_say(&w, p, "{\"id\":3,\"type\":\"interest\",\"event\":\"e-1\"," INTEREST "}");
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",\"event\":\"e-1\"}");
	for (int64_t i = 1; i < world_interests(&w); i++)
		cr_expect(str_eq(bus_header(world_interest(&w, i), "ce_id"),
			bus_header(world_interest(&w, 0), "ce_id")));
	cr_expect(eq(long, world_metric(&w, "souk_ws_events_total", "failed"), 1));
}

Test(gateway, full_producer_queue_is_unavailable_and_not_applied)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_bus_set_queue_max(w.bus, 0);
	world_say(&w, p, "{\"id\":2,\"type\":\"interest\"," INTEREST "}");
	EXPECT_NEXT(p, "{\"id\":2,\"type\":\"error\",\"error\":{\"code\":\"unavailable\",*"
		       "\"applied\":\"no\",\"retry_after_ms\":*}}");
}

Test(gateway, silent_broker_makes_it_unready_and_interest_unavailable)
{
	WORLD(w);
	CLEANUP(buf_fini) struct buf why = BUF_INIT(1024);
	struct sim_peer *p = world_connect(&w, "u_42");

	cr_expect(gateway_ready(w.gateway, &why), "" STR_FMT, STR_ARG(buf_str(&why)));
	sim_broker_set_down(w.broker, true);
	loop_sim_advance(w.loop, 3500);
	world_say(&w, p, "{\"id\":2,\"type\":\"interest\"," INTEREST "}");
	EXPECT_NEXT(p, "{\"id\":2,\"type\":\"error\",\"error\":{\"code\":\"unavailable\",*"
		       "\"temporary\":true,\"applied\":\"no\",\"retry_after_ms\":*}}");
	cr_expect(not(gateway_ready(w.gateway, &why)));
	cr_expect(str_eqz(buf_str(&why), "kafka: no broker answers\n"));
	sim_broker_set_down(w.broker, false);
	loop_sim_advance(w.loop, 10);
	world_say(&w, p, "{\"id\":3,\"type\":\"interest\"," INTEREST "}");
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",*}");
}

/* ---- limits ---- */

Test(gateway, events_over_the_rate_are_told_when_to_come_back)
{
	const char *sets[] = { "ws.limits.events_per_s=10", "ws.limits.events_burst=2", NULL };
	CLEANUP(world_fini) struct world w;
	struct sim_peer *p;

	world_init(&w, sets);
	world_start(&w);
	p = world_connect(&w, "u_42");
	for (int i = 0; i < 3; i++)
		world_say(&w, p, "{\"id\":2,\"type\":\"interest\"," INTEREST "}");
	EXPECT_NEXT(p, "{\"id\":2,\"type\":\"ack\",*}");
	EXPECT_NEXT(p, "{\"id\":2,\"type\":\"ack\",*}");
	EXPECT_NEXT(p, "{\"id\":2,\"type\":\"error\",\"error\":{\"code\":\"rate_limited\",*"
		       "\"temporary\":true,\"applied\":\"no\",\"retry_after_ms\":100}}");
	loop_sim_advance(w.loop, 100);
	world_say(&w, p, "{\"id\":3,\"type\":\"interest\"," INTEREST "}");
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",*}");
}

Test(gateway, thirty_third_command_in_flight_is_rate_limited)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	char text[512];

	sim_broker_set_latency(w.broker, 1000000);
	for (int id = 2; id < 35; id++) {
		snprintf(text, sizeof(text), "{\"id\":%d,\"type\":\"interest\"," INTEREST "}", id);
		world_say(&w, p, text);
	}
	EXPECT_NEXT(p, ERROR("34", "rate_limited"));
	loop_sim_advance(w.loop, 1000);
	for (int id = 2; id < 34; id++) {
		snprintf(text, sizeof(text), "{\"id\":%d,\"type\":\"ack\",*}", id);
		EXPECT_NEXT(p, text);
	}
	EXPECT_NOTHING(p);
}

Test(gateway, id_of_a_command_in_flight_cannot_be_used_again)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_broker_set_latency(w.broker, 1000000);
	world_say(&w, p, "{\"id\":2,\"type\":\"interest\"," INTEREST "}");
	world_say(&w, p, "{\"id\":2,\"type\":\"interest\"," INTEREST "}");
	EXPECT_NEXT(p, ERROR("2", "bad_command"));
	loop_sim_advance(w.loop, 1000);
	EXPECT_NEXT(p, "{\"id\":2,\"type\":\"ack\",*}");
	EXPECT_NOTHING(p);
}

Test(gateway, report_for_a_client_that_left_finds_nobody)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_broker_set_latency(w.broker, 1000000);
	world_say(&w, p, "{\"id\":2,\"type\":\"interest\"," INTEREST "}");
	sim_peer_close(p, 1006);
	loop_sim_advance(w.loop, 2000);
	cr_expect(eq(long, world_metric(&w, "souk_ws_events_total", "acked"), 1));
	cr_expect(eq(long, world_metric(&w, "souk_ws_connections", NULL), 0));
}

Test(gateway, sessions_have_a_maximum)
{
	const char *sets[] = { "ws.limits.connections=1", NULL };
	CLEANUP(world_fini) struct world w;
	struct sim_peer *p;

	world_init(&w, sets);
	world_start(&w);
	world_connect(&w, "u_42");
	p = world_open(&w);
	cr_expect(eq(int, sim_peer_close_code(p), 1011));
	cr_expect(eq(long, world_metric(&w, "souk_ws_refused_total", NULL), 1));
}

/* ---- other commands, and what is none ---- */

Test(gateway, several_commands_come_in_one_message)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_say(&w, p,
		"{\"id\":2,\"type\":\"order\",\"order\":{}}\n{\"id\":3,\"type\":\"unwatch\","
		"\"item\":\"" ITEM "\"}\r\n"
		"\n{\"id\":4,\"type\":\"watch\"}\n{\"id\":6,\"type\":\"dance\"}\n");
	EXPECT_NEXT(p, ERROR("2", "bad_command"));
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\"}");
	EXPECT_NEXT(p, ERROR("4", "bad_command"));
	EXPECT_NEXT(p, ERROR("6", "unknown_type"));
	cr_expect(eq(int, sim_peer_close_code(p), 0));
}

Test(gateway, third_malformed_command_closes)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_say(&w, p, "{\"id\":2,");
	EXPECT_NEXT(p, ERROR("null", "bad_json"));
	world_say(&w, p, "{\"type\":\"interest\"," INTEREST "}");
	EXPECT_NEXT(p, ERROR("null", "bad_command"));
	cr_expect(eq(int, sim_peer_close_code(p), 0));
	world_say(&w, p, "[]\n{\"id\":3,\"type\":\"refresh\",\"token\":\"x\"}");
	EXPECT_NEXT(p, "{\"id\":null,\"type\":\"error\",*}");
	EXPECT_NOTHING(p);
	cr_expect(eq(int, sim_peer_close_code(p), 4008));
}

Test(gateway, every_kind_of_malformed_envelope_is_refused_without_an_id)
{
	WORLD(w);
	static const struct {
		const char *text, *id, *code;
	} cases[] = {
		{ "nonsense", "null", "bad_json" },
		{ "\"text\"", "null", "bad_json" },
		{ "{\"id\":2,\"type\":\"pong\"} x", "null", "bad_json" },
		{ "{\"id\":2}", "2", "bad_command" },
		{ "{\"id\":0,\"type\":\"order\"}", "null", "bad_command" },
		{ "{\"id\":-4,\"type\":\"order\"}", "null", "bad_command" },
		{ "{\"id\":9007199254740992,\"type\":\"order\"}", "null", "bad_command" },
		{ "{\"id\":\"2\",\"type\":\"order\"}", "null", "bad_command" },
		{ "{\"id\":2.5,\"type\":\"order\"}", "null", "bad_command" },
		{ "{\"id\":2,\"id\":3,\"type\":\"order\"}", "2", "bad_command" },
		{ "{\"id\":2,\"type\":7}", "2", "bad_command" },
		{ "{\"id\":2,\"type\":\"order\",\"x\":[[[[[[[[[[[[[]]]]]]]]]]]]]}", "null",
			"too_large" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sim_peer *p = world_connect(&w, "u_42");
		char want[128];

		snprintf(want, sizeof(want),
			"{\"id\":%s,\"type\":\"error\",\"error\":{\"code\":\"%s\",*}}", cases[i].id,
			cases[i].code);
		world_say(&w, p, cases[i].text);
		EXPECT_NEXT(p, want);
		world_say(&w, p, "{\"id\":9007199254740991,\"type\":\"watch\"}");
		EXPECT_NEXT(p, ERROR("9007199254740991", "bad_command"));
		sim_peer_close(p, 1000);
		loop_sim_settle(w.loop);
	}
}

/* ---- time ---- */

Test(gateway, quiet_client_is_pinged_and_one_that_is_gone_is_closed)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	loop_sim_advance(w.loop, 24999);
	EXPECT_NOTHING(p);
	loop_sim_advance(w.loop, 1);
	EXPECT_NEXT(p, "{\"type\":\"ping\",\"now\":1795334425000}");
	loop_sim_advance(w.loop, 5000);
	world_say(&w, p, "{\"type\":\"pong\"}");
	loop_sim_advance(w.loop, 24999);
	EXPECT_NOTHING(p);
	loop_sim_advance(w.loop, 1);
	EXPECT_NEXT(p, "{\"type\":\"ping\",\"now\":1795334455000}");
	loop_sim_advance(w.loop, 9999);
	cr_expect(eq(int, sim_peer_close_code(p), 0));
	EXPECT_NOTHING(p);
	loop_sim_advance(w.loop, 1);
	cr_expect(eq(int, sim_peer_close_code(p), 4008));
}

Test(gateway, control_frame_keeps_a_session_alive)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	for (int i = 0; i < 10; i++) {
		loop_sim_advance(w.loop, 20000);
		sim_peer_pong(p);
		loop_sim_settle(w.loop);
	}
	EXPECT_NOTHING(p);
	cr_expect(eq(int, sim_peer_close_code(p), 0));
}

static void keep_alive_until(struct world *w, struct sim_peer *p, int64_t until_ms)
{
	while (loop_now_ms(w->loop) < until_ms) {
		int64_t left_ms = until_ms - loop_now_ms(w->loop);

		loop_sim_advance(w->loop, left_ms < 20000 ? left_ms : 20000);
		sim_peer_pong(p);
		loop_sim_settle(w->loop);
	}
}

Test(gateway, session_ends_with_its_token)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	keep_alive_until(&w, p, NOW_MS + HOUR_MS - 1);
	cr_expect(eq(int, sim_peer_close_code(p), 0));
	loop_sim_advance(w.loop, 1);
	cr_expect(eq(int, sim_peer_close_code(p), 4201));
}

Test(gateway, refresh_moves_the_end_and_takes_no_other_user)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	char text[2300];

	snprintf(text, sizeof(text), "{\"id\":2,\"type\":\"refresh\",\"token\":\"%s\"}",
		world_token(&w, "u_1", NULL, NOW_MS + 2 * HOUR_MS));
	world_say(&w, p, text);
	EXPECT_NEXT(p, ERROR("2", "forbidden"));
	world_say(&w, p, "{\"id\":3,\"type\":\"refresh\",\"token\":\"nonsense\"}");
	EXPECT_NEXT(p, ERROR("3", "unauthorized"));
	cr_expect(eq(int, sim_peer_close_code(p), 0), "the old token is still good");
	snprintf(text, sizeof(text), "{\"id\":4,\"type\":\"refresh\",\"token\":\"%s\"}",
		world_token(&w, "u_42", NULL, NOW_MS + 2 * HOUR_MS));
	world_say(&w, p, text);
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"refreshed\",\"expires\":1795341600000}");
	keep_alive_until(&w, p, NOW_MS + 2 * HOUR_MS - 1);
	cr_expect(eq(int, sim_peer_close_code(p), 0));
	loop_sim_advance(w.loop, 1);
	cr_expect(eq(int, sim_peer_close_code(p), 4201));
}

Test(gateway, session_is_found_in_redis)
{
	WORLD(w);
	char key[80], slot[8], epoch[24];

	world_connect(&w, "u_42");
	snprintf(key, sizeof(key), "sess:{%s}", w.session);
	snprintf(slot, sizeof(slot), "%d", (int)world_slot(&w));
	world_epoch(&w, epoch);
	cr_expect(str_eqz(sim_store_get(w.store, key, "slot"), slot));
	cr_expect(str_eqz(sim_store_get(w.store, key, "epoch"), epoch));
}

/* ---- start ---- */

static int start_with(const char *const *sets, const char *secret, struct fault *f)
{
	CLEANUP(world_fini) struct world w;

	world_init(&w, sets);
	if (!secret) {
		free(w.config.hs256_secret_file);
		w.config.hs256_secret_file = NULL;
	} else {
		cr_assert(zero(int, truncate(w.secret_path, (off_t)strlen(secret))));
	}
	return gateway_new(&w.gateway,
		&(struct gateway_env){ w.loop, w.bus, w.cache, w.metrics, "i-1", "eu." }, &w.config,
		f);
}

Test(gateway, bad_configuration_is_named)
{
	const char *jwks[] = { "ws.auth.jwks_url=https://keys.example/jwks.json", NULL };
	struct fault f = { 0 };

	cr_expect(eq(int, start_with(jwks, SECRET, &f), -EINVAL));
	cr_expect(not(zero(ptr, strstr(f.text, "ws.auth.jwks_url"))), "%s", f.text);
	cr_expect(eq(int, start_with(NULL, NULL, &f), -EINVAL));
	cr_expect(not(zero(ptr, strstr(f.text, "ws.auth.hs256_secret_file"))), "%s", f.text);
	cr_expect(eq(int, start_with(NULL, "short", &f), -EINVAL));
	cr_expect(not(zero(ptr, strstr(f.text, "5 bytes"))), "%s", f.text);
}
