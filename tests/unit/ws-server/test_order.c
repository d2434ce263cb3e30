/* Orders from the command to the acknowledgement. */
#include "tests/unit/ws-server/world.h"

#include "common/model/ids.h"

#define WORLD(w) \
	CLEANUP(world_fini) struct world w; \
	world_init(&w, NULL); \
	world_start(&w)

#define ERROR(id, code) "{\"id\":" id ",\"type\":\"error\",\"error\":{\"code\":\"" code "\",*}}"
#define WALLET          "0x27B1fdb04752bbc536007a920d24acb045561c26"

static int64_t ended(struct world *w, const char *result)
{
	return world_metric(w, "souk_ws_orders_total", result);
}

static void value_of(const struct bus_record *r, char *ret, size_t cap)
{
	cr_assert(not(zero(ptr, (void *)r)));
	cr_assert(zero(int, str_copy(ret, cap, r->value)));
}

Test(order, is_acknowledged_when_the_broker_has_it_and_not_before)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	char want[2048], value[2048];
	struct id id;

	sim_broker_set_latency(w.broker, 5000);
	world_say(&w, p,
		"{\"id\":3,\"type\":\"order\",\"order\":{\"id\":\"buy-1\",\"quote\":" QUOTE
		",\"wallet\":\"" WALLET "\",\"signature\":\"0xAb01\",\"pay\":{\"mode\":\"now\"}}}");
	EXPECT_NOTHING(p);
	loop_sim_advance(w.loop, 10);
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",\"order\":\"buy-1\"}");
	EXPECT_NOTHING(p);

	cr_assert(zero(int, id_for_order(&id, STR("u_42"), STR("buy-1"))));
	snprintf(want, sizeof(want),
		"{\"id\":\"%s\",\"client_id\":\"buy-1\",\"user\":\"u_42\",\"session\":\"%s\","
		"\"wallet\":\"0x27b1fdb04752bbc536007a920d24acb045561c26\",\"item\":\"" ITEM
		"\",\"offer\":\"" OFFER
		"\",\"rev\":\"7.1\",\"price\":{\"amount\":\"100\",\"currency\":\"ETH\"},"
		"\"quote\":" QUOTE
		",\"pay\":{\"mode\":\"now\"},\"signature\":\"0xAb01\",\"ts\":1795334400000}",
		id.text, w.session);
	value_of(world_order(&w, 0), value, sizeof(value));
	cr_expect(eq(str, value, want));
	cr_expect(str_eqz(world_order(&w, 0)->key, ITEM));
	cr_expect(eq(long, ended(&w, "acked"), 1));
}

Test(order, carries_the_headers_of_the_contract)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	const struct bus_record *r;
	char text[64], epoch[24];
	struct id id;

	world_say(&w, p, ORDER("3", "buy-1"));
	r = world_order(&w, 0);
	cr_assert(not(zero(ptr, (void *)r)));
	cr_assert(zero(int, id_for_order(&id, STR("u_42"), STR("buy-1"))));
	world_epoch(&w, epoch);
	cr_expect(str_eqz(bus_header(r, "ce_type"), "souk.orders.v1"));
	cr_expect(str_eqz(bus_header(r, "ce_id"), id.text));
	cr_expect(str_eqz(bus_header(r, "kafka_correlationId"), id.text));
	cr_expect(str_eqz(bus_header(r, "x-souk-session"), w.session));
	cr_expect(str_eqz(bus_header(r, "x-souk-slot-epoch"), epoch));
	cr_expect(str_eqz(bus_header(r, "kafka_replyTopic"), "eu.nft.offers.v1"));
	cr_expect(eq(sz, bus_header(r, "kafka_replyPartition").n, 4));
	cr_expect(not(str_is_set(bus_header(r, "x-souk-deadline"))));
	cr_assert(zero(int, str_copy(text, sizeof(text), bus_header(r, "traceparent"))));
	cr_expect(eq(sz, strlen(text), 55));
}

Test(order, missing_pay_is_now_and_instalments_are_refused_at_once)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	char value[2048];

	world_say(&w, p, ORDER("3", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",*}");
	value_of(world_order(&w, 0), value, sizeof(value));
	cr_expect(not(zero(ptr, strstr(value, "\"pay\":{\"mode\":\"now\"}"))), "%s", value);
	world_say(&w, p,
		"{\"id\":4,\"type\":\"order\",\"order\":{\"id\":\"buy-2\",\"quote\":" QUOTE
		",\"pay\":{\"mode\":\"instalments\",\"n\":3}}}");
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"error\",\"error\":{\"code\":\"unsupported\",*"
		       "\"temporary\":false,\"applied\":\"no\"}}");
	cr_expect(eq(long, world_orders(&w), 1));
	cr_expect(eq(long, ended(&w, "unsupported"), 1));
}

Test(order, quote_goes_on_as_it_came_with_what_is_unknown_or_wrong_in_it)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	char value[2048];

	world_say(&w, p,
		"{\"id\":3,\"type\":\"order\",\"order\":{\"id\":\"buy-1\",\"quote\":{ \"x\" : "
		"[1.50, "
		"null, {\"\\u00e9\":\"\\n\"}],\"mac\":7,\"item\":\"" ITEM
		"\",\"offer\":\"o-1\",\"rev\":\"1.2\",\"price\":{\"amount\":\"5\",\"currency\":"
		"\"EUR\",\"z\":0}}}}");
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",*}");
	value_of(world_order(&w, 0), value, sizeof(value));
	cr_expect(not(zero(ptr,
			  strstr(value,
				  "\"quote\":{\"x\":[1.50,null,{\"\xc3\xa9\":\"\\n\"}],\"mac\":7,"
				  "\"item\":\"" ITEM
				  "\",\"offer\":\"o-1\",\"rev\":\"1.2\",\"price\":{\"amount\":"
				  "\"5\",\"currency\":\"EUR\",\"z\":0}},"))),
		"%s", value);
}

#define WITH_QUOTE(q) "{\"id\":\"b\",\"quote\":" q "}"
#define TAIL          "\"rev\":\"1\",\"price\":{\"amount\":\"5\",\"currency\":\"EUR\"}}"

Test(order, what_cannot_be_routed_is_refused_by_the_members_path)
{
	WORLD(w);
	static const struct {
		const char *order, *code, *detail;
	} cases[] = {
		{ "7", "bad_command", "*order: order:*an object*" },
		{ "{}", "bad_command", "*order.id*" },
		{ "{\"quote\":" QUOTE "}", "bad_command", "*order.id*" },
		{ "{\"id\":\"\",\"quote\":" QUOTE "}", "bad_command", "*order.id*" },
		{ "{\"id\":\"b c\",\"quote\":" QUOTE "}", "bad_command", "*order.id*" },
		{ "{\"id\":\"b\"}", "bad_command", "*order.quote*" },
		{ "{\"id\":\"b\",\"id\":\"c\",\"quote\":" QUOTE "}", "bad_command", "*repeated*" },
		{ WITH_QUOTE("null"), "bad_command", "*order.quote*" },
		{ WITH_QUOTE("\"text\""), "bad_command", "*order.quote*" },
		{ WITH_QUOTE("[]"), "bad_command", "*order.quote*" },
		{ WITH_QUOTE("{}"), "bad_command", "*order.quote: item*" },
		{ WITH_QUOTE("{\"item\":\"sword\",\"offer\":\"o\"," TAIL), "bad_command",
			"*order.quote: item*" },
		{ WITH_QUOTE("{\"item\":\"" ITEM "\"," TAIL), "bad_command",
			"*order.quote: offer*" },
		{ WITH_QUOTE("{\"item\":\"" ITEM "\",\"offer\":\"o\",\"rev\":\"x\"}"),
			"bad_command", "*order.quote: rev*" },
		{ WITH_QUOTE("{\"item\":\"" ITEM "\",\"offer\":\"o\",\"rev\":\"1\",\"price\":5}"),
			"bad_command", "*order.quote: price*" },
		{ WITH_QUOTE("{\"item\":\"" ITEM "\",\"item\":\"" ITEM "\",\"offer\":\"o\"," TAIL),
			"bad_command", "*order.quote: item*repeated*" },
		{ "{\"id\":\"b\",\"quote\":" QUOTE ",\"wallet\":\"0x12\"}", "bad_command",
			"*order.wallet*" },
		{ "{\"id\":\"b\",\"quote\":" QUOTE ",\"signature\":\"0x1\"}", "bad_command",
			"*order.signature*" },
		{ "{\"id\":\"b\",\"quote\":" QUOTE ",\"signature\":\"0x\"}", "bad_command",
			"*order.signature*" },
		{ "{\"id\":\"b\",\"quote\":" QUOTE ",\"signature\":\"0xzz\"}", "bad_command",
			"*order.signature*" },
		{ "{\"id\":\"b\",\"quote\":" QUOTE ",\"pay\":\"now\"}", "bad_command",
			"*order.pay*" },
		{ "{\"id\":\"b\",\"quote\":" QUOTE ",\"pay\":{}}", "bad_command",
			"*order.pay: mode*" },
		{ "{\"id\":\"b\",\"quote\":" QUOTE ",\"pay\":{\"mode\":\"later\"}}", "bad_command",
			"*order.pay: mode*" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sim_peer *p = world_connect(&w, "u_42");
		char text[2048], want[256];

		snprintf(text, sizeof(text), "{\"id\":3,\"type\":\"order\",\"order\":%s}",
			cases[i].order);
		snprintf(want, sizeof(want),
			"{\"id\":3,\"type\":\"error\",\"error\":{\"code\":\"%s\",*\"detail\":\"%"
			"s\","
			"\"temporary\":false,\"applied\":\"no\"}}",
			cases[i].code, cases[i].detail);
		world_say(&w, p, text);
		EXPECT_NEXT(p, want);
		EXPECT_NOTHING(p);
		cr_expect(eq(int, sim_peer_close_code(p), 0));
	}
	cr_expect(zero(long, world_orders(&w)));
	cr_expect(eq(long, ended(&w, "bad"), (long)ARRAY_LEN(cases)));
}

Test(order, what_is_too_large_or_too_deep_is_refused)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	CLEANUP(buf_fini) struct buf b = BUF_INIT(16384);

	buf_puts(&b,
		STR("{\"id\":3,\"type\":\"order\",\"order\":{\"id\":\"b\",\"quote\":{\"x\":\""));
	for (int i = 0; i < 5000; i++)
		buf_putc(&b, 'x');
	buf_puts(&b, STR("\"}}}"));
	buf_putc(&b, '\0');
	world_say(&w, p, b.p);
	EXPECT_NEXT(p, ERROR("3", "too_large"));
	world_say(&w, p,
		"{\"id\":4,\"type\":\"order\",\"order\":{\"id\":\"b\",\"quote\":"
		"[[[[[[[[[[[[]]]]]]]]]]]]}}");
	EXPECT_NEXT(p, "{\"id\":null,\"type\":\"error\",\"error\":{\"code\":\"too_large\",*}}");
	cr_expect(zero(long, world_orders(&w)));
}

Test(order, user_is_the_sessions_or_one_it_may_act_for)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42"), *game = world_connect_as(&w, "game", "g1:");
	char value[2048];

	world_say(&w, p,
		"{\"id\":3,\"type\":\"order\",\"user\":\"u_1\",\"order\":{\"id\":\"b\","
		"\"quote\":" QUOTE "}}");
	EXPECT_NEXT(p, ERROR("3", "forbidden"));
	cr_expect(eq(long, ended(&w, "forbidden"), 1));
	world_say(&w, game, ORDER("3", "b"));
	EXPECT_NEXT(game, ERROR("3", "bad_command"));
	world_say(&w, game,
		"{\"id\":4,\"type\":\"order\",\"user\":\"g1:ann\",\"order\":{\"id\":\"b\","
		"\"quote\":" QUOTE "}}\n"
		"{\"id\":5,\"type\":\"order\",\"user\":\"g1:bob\",\"order\":{\"id\":\"b\","
		"\"quote\":" QUOTE "}}");
	EXPECT_NEXT(game, "{\"id\":4,\"type\":\"ack\",\"order\":\"b\"}");
	EXPECT_NEXT(game, "{\"id\":5,\"type\":\"ack\",\"order\":\"b\"}");
	cr_expect(eq(long, world_orders(&w), 2), "one id of two users is two orders");
	value_of(world_order(&w, 0), value, sizeof(value));
	cr_expect(not(zero(ptr, strstr(value, "\"user\":\"g1:ann\""))), "%s", value);
}

/* ---- the same id again ---- */

Test(order, repeated_one_is_acknowledged_again_and_not_published_again)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42"), *again;

	world_say(&w, p,
		"{\"id\":3,\"type\":\"order\",\"order\":{\"id\":\"buy-1\",\"quote\":" QUOTE
		",\"wallet\":\"" WALLET "\"}}");
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",\"order\":\"buy-1\"}");
	sim_peer_close(p, 1006);
	again = world_connect(&w, "u_42");
	world_say(&w, again,
		"{\"id\":3,\"type\":\"order\",\"order\":{\"pay\":{\"mode\":\"now\"},\"wallet\":"
		"\"0x27b1fdb04752bbc536007a920d24acb045561c26\",\"signature\":\"0x01\",\"quote\":"
		"{\"mac\":\"m\",\"expires\":2,\"issued\":1, \"price\":{\"currency\":\"ETH\","
		"\"amount\":\"100\"},\"item\":\"" ITEM
		"\",\"user\":\"u_42\",\"rev\":\"7.1\",\"offer\":\"" OFFER
		"\",\"kid\":\"k1\",\"v\":1},\"id\":\"buy-1\"}}");
	EXPECT_NEXT(again, "{\"id\":3,\"type\":\"ack\",\"order\":\"buy-1\"}");
	cr_expect(eq(long, world_orders(&w), 1));
	cr_expect(eq(long, ended(&w, "repeated"), 1));
}

Test(order, another_body_under_the_same_id_is_a_conflict_and_the_first_goes_on)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	static const char *const others[] = {
		"\"quote\":" QUOTE ",\"wallet\":\"" WALLET "\"",
		"\"quote\":" QUOTE ",\"pay\":{\"mode\":\"now\",\"tip\":1}",
		"\"quote\":{\"v\":1,\"offer\":\"" OFFER "\",\"item\":\"" ITEM "\"," TAIL,
	};

	world_say(&w, p, ORDER("3", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",*}");
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		char text[1024];

		snprintf(text, sizeof(text),
			"{\"id\":4,\"type\":\"order\",\"order\":{\"id\":\"buy-1\",%s}}", others[i]);
		world_say(&w, p, text);
		EXPECT_NEXT(p, "{\"id\":4,\"type\":\"error\",\"error\":{\"code\":\"conflict\",*"
			       "\"temporary\":false,\"applied\":\"no\"}}");
	}
	cr_expect(eq(long, world_orders(&w), 1));
	cr_expect(eq(long, ended(&w, "conflict"), 3));
	world_say(&w, p, ORDER("5", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\",\"order\":\"buy-1\"}");
}

Test(order, second_one_before_the_first_report_is_for_wallet_bridge_to_judge)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_broker_set_latency(w.broker, 5000);
	world_say(&w, p, ORDER("3", "buy-1") "\n" ORDER("4", "buy-1"));
	loop_sim_advance(w.loop, 10);
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",\"order\":\"buy-1\"}");
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"ack\",\"order\":\"buy-1\"}");
	cr_assert(eq(long, world_orders(&w), 2));
	cr_expect(str_eq(
		bus_header(world_order(&w, 0), "ce_id"), bus_header(world_order(&w, 1), "ce_id")));
}

#define ORDER_OF(command, id, item) \
	"{\"id\":" command ",\"type\":\"order\",\"order\":{\"id\":\"" id \
	"\",\"quote\":{\"item\":\"" item "\",\"offer\":\"o\"," TAIL "}}"

/* Of another item it would come to another partition, where nobody knows of the first. */
Test(order, another_one_before_the_first_report_is_a_conflict)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_broker_set_latency(w.broker, 5000);
	world_say(&w, p,
		ORDER("3", "buy-1") "\n" ORDER_OF("4", "buy-1", "game:azeroth/sword:iron/1"));
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"error\",\"error\":{\"code\":\"conflict\",*"
		       "\"temporary\":false,\"applied\":\"no\"}}");
	loop_sim_advance(w.loop, 10);
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",\"order\":\"buy-1\"}");
	cr_expect(eq(long, world_orders(&w), 1));
	cr_expect(eq(long, ended(&w, "conflict"), 1));
}

Test(order, asking_for_its_state_meanwhile_is_no_conflict)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_store_set_latency(w.store, 5000);
	world_say(&w, p,
		"{\"id\":2,\"type\":\"order_status\",\"order\":\"buy-1\"}\n" ORDER("3", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",\"order\":\"buy-1\"}");
	loop_sim_advance(w.loop, 10);
	EXPECT_NEXT(p, "{\"id\":2,*\"not_found\",*}");
}

Test(order, without_a_report_it_may_have_been_applied_and_is_not_remembered)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_broker_fail_sends(w.broker, "eu." TOPIC_ORDERS, 1, -ETIMEDOUT);
	world_say(&w, p, ORDER("3", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"error\",\"error\":{\"code\":\"unavailable\",*"
		       "\"temporary\":true,\"applied\":\"unknown\",\"retry_after_ms\":*}}");
	cr_expect(eq(long, ended(&w, "failed"), 1));
	world_say(&w, p, ORDER("4", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"ack\",\"order\":\"buy-1\"}");
}

Test(order, the_oldest_of_too_many_is_forgotten_and_published_again)
{
	const char *sets[] = { "ws.limits.orders_remembered=16", "ws.limits.orders_per_s=100",
		NULL };
	CLEANUP(world_fini) struct world w;
	struct sim_peer *p;
	char text[1024];

	world_init(&w, sets);
	world_start(&w);
	p = world_connect(&w, "u_42");
	for (int i = 0; i < 17; i++) {
		snprintf(text, sizeof(text),
			"{\"id\":3,\"type\":\"order\",\"order\":{\"id\":\"b-%d\",\"quote\":" QUOTE
			"}}",
			i);
		world_say(&w, p, text);
		EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",*}");
	}
	cr_expect(eq(long, world_metric(&w, "souk_ws_orders_forgotten_total", NULL), 1));
	world_say(&w, p, ORDER("4", "b-16"));
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"ack\",*}");
	cr_expect(eq(long, world_orders(&w), 17));
	world_say(&w, p, ORDER("5", "b-0"));
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\",*}");
	cr_expect(eq(long, world_orders(&w), 18));
}

/* ---- limits and failures ---- */

Test(order, has_a_rate_of_its_own)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	char text[1024];

	for (int i = 0; i < 11; i++) {
		snprintf(text, sizeof(text),
			"{\"id\":3,\"type\":\"order\",\"order\":{\"id\":\"b-%d\",\"quote\":" QUOTE
			"}}",
			i);
		world_say(&w, p, text);
	}
	for (int i = 0; i < 10; i++)
		EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",*}");
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"error\",\"error\":{\"code\":\"rate_limited\",*"
		       "\"temporary\":true,\"applied\":\"no\",\"retry_after_ms\":200}}");
	cr_expect(eq(long, ended(&w, "rate_limited"), 1));
	world_say(&w, p, "{\"id\":4,\"type\":\"interest\"," INTEREST "}");
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"ack\",*}");
	loop_sim_advance(w.loop, 200);
	world_say(&w, p, ORDER("5", "b-11"));
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\",*}");
}

Test(order, counts_among_the_commands_in_flight)
{
	const char *sets[] = { "ws.limits.commands_in_flight=2", NULL };
	CLEANUP(world_fini) struct world w;
	struct sim_peer *p;

	world_init(&w, sets);
	world_start(&w);
	p = world_connect(&w, "u_42");
	sim_broker_set_latency(w.broker, 1000000);
	world_say(&w, p,
		"{\"id\":2,\"type\":\"interest\"," INTEREST
		"}\n" ORDER("3", "a") "\n" ORDER("3", "b") "\n" ORDER("4", "b"));
	EXPECT_NEXT(p, ERROR("3", "bad_command"));
	EXPECT_NEXT(p, ERROR("4", "rate_limited"));
	loop_sim_advance(w.loop, 1000);
	EXPECT_NEXT(p, "{\"id\":2,\"type\":\"ack\",*}");
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",\"order\":\"a\"}");
	EXPECT_NOTHING(p);
}

Test(order, needs_no_reply_slot)
{
	CLEANUP(world_fini) struct world w;
	struct sim_peer *p;

	world_init(&w, NULL);
	sim_store_set_down(w.store, true);
	world_start(&w);
	p = world_connect(&w, "u_42");
	world_say(&w, p, "{\"id\":2,\"type\":\"interest\"," INTEREST "}");
	EXPECT_NEXT(p, ERROR("2", "unavailable"));
	world_say(&w, p, ORDER("3", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",\"order\":\"buy-1\"}");
	cr_expect(str_eqz(bus_header(world_order(&w, 0), "x-souk-session"), w.session));
	cr_expect(not(str_is_set(bus_header(world_order(&w, 0), "kafka_replyPartition"))));
}

Test(order, is_unavailable_until_results_are_read)
{
	CLEANUP(world_fini) struct world w;
	struct sim_peer *p;

	world_init(&w, NULL);
	sim_broker_set_latency(w.broker, 500000);
	world_start(&w);
	p = world_connect(&w, "u_42");
	world_say(&w, p, ORDER("3", "buy-1"));
	EXPECT_NEXT(
		p, "{\"id\":3,*\"unavailable\",*results*\"applied\":\"no\",\"retry_after_ms\":*}}");
	cr_expect(zero(long, world_orders(&w)));
	loop_sim_advance(w.loop, 2000);
	world_say(&w, p, ORDER("4", "buy-1"));
	loop_sim_advance(w.loop, 2000);
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"ack\",\"order\":\"buy-1\"}");
}

Test(order, is_unavailable_while_the_topic_of_results_is_not_there_and_taken_once_it_is)
{
	CLEANUP(world_fini) struct world w;
	struct sim_peer *p;

	world_init_without(&w, NULL, TOPIC_PAYMENT_RESULTS);
	world_start(&w);
	p = world_connect(&w, "u_42");
	world_say(&w, p, ORDER("3", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":3,*\"unavailable\",*results*\"applied\":\"no\",*}");
	world_say(&w, p, "{\"id\":4,\"type\":\"interest\"," INTEREST "}");
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"ack\",*}");
	cr_assert(zero(int, sim_broker_topic(w.broker, "eu." TOPIC_PAYMENT_RESULTS, 4)));
	loop_sim_advance(w.loop, 1000);
	world_say(&w, p, ORDER("5", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":5,\"type\":\"ack\",\"order\":\"buy-1\"}");
	world_tell(&w, &(struct told){ .n = 1 });
	EXPECT_NEXT(p, "{\"type\":\"order\",\"seq\":1,*}");
}

Test(order, broker_that_is_away_or_full_is_unavailable_and_not_applied)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_bus_set_queue_max(w.bus, 0);
	world_say(&w, p, ORDER("3", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":3,*\"unavailable\",*\"applied\":\"no\",\"retry_after_ms\":*}}");
	sim_bus_set_queue_max(w.bus, 100);
	sim_broker_set_down(w.broker, true);
	loop_sim_advance(w.loop, 3500);
	world_say(&w, p, ORDER("4", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":4,*\"unavailable\",*\"applied\":\"no\",\"retry_after_ms\":*}}");
	cr_expect(eq(long, ended(&w, "unavailable"), 2));
}

static void on_drained(void *ctx)
{
	((struct world *)ctx)->n_drained++;
}

Test(order, drain_waits_for_its_report)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_broker_set_latency(w.broker, 1000000);
	world_say(&w, p, ORDER("3", "buy-1"));
	gateway_drain(w.gateway, on_drained, &w);
	loop_sim_advance(w.loop, 500);
	EXPECT_NEXT(p, "{\"type\":\"draining\",*}");
	world_say(&w, p, ORDER("4", "buy-2"));
	EXPECT_NEXT(p, "{\"id\":4,*\"unavailable\",*draining*\"applied\":\"no\"*}");
	loop_sim_advance(w.loop, 600);
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",\"order\":\"buy-1\"}");
	cr_expect(eq(int, sim_peer_close_code(p), 4112));
	cr_expect(eq(int, (int)w.n_drained, 1));
}

Test(order, report_for_a_client_that_left_is_remembered_all_the_same)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_broker_set_latency(w.broker, 5000);
	world_say(&w, p, ORDER("3", "buy-1"));
	sim_peer_close(p, 1006);
	loop_sim_advance(w.loop, 100);
	cr_expect(eq(long, ended(&w, "acked"), 1));
	p = world_connect(&w, "u_42");
	world_say(&w, p, ORDER("3", "buy-1"));
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"ack\",\"order\":\"buy-1\"}");
	cr_expect(eq(long, world_orders(&w), 1));
}
