/* The stand-in's protocol, as a Phoenix client sees it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>

#include "common/io/sim/loop_sim.h"
#include "common/io/sim/ws_sim.h"
#include "souk/demo/standin.h"

static struct loop *loop;
static struct standin *standin;
static struct ws_server *server;
static char last_slug[64];
static unsigned joins;

static void joined(void *ctx, struct str slug)
{
	(void)ctx;
	joins++;
	str_copy(last_slug, sizeof(last_slug), slug);
}

static void setup(void)
{
	cr_assert(zero(int, loop_sim_new(&loop, 1795000000000)));
	cr_assert(zero(int, standin_new(&standin, loop, "key", joined, NULL)));
	cr_assert(zero(int, ws_server_sim_new(&server, loop, &standin_ops, standin)));
}

static void teardown(void)
{
	ws_server_free(server);
	standin_free(standin);
	loop_free(loop);
}

TestSuite(standin, .init = setup, .fini = teardown);

static struct sim_peer *connect_and_join(const char *topic)
{
	struct sim_peer *p = sim_peer_connect(server, &(struct ws_conn_info){ 0 });
	char frame[200];

	loop_sim_settle(loop);
	snprintf(frame, sizeof(frame), "[\"1\",\"1\",\"%s\",\"phx_join\",{}]", topic);
	sim_peer_send(p, frame);
	loop_sim_settle(loop);
	return p;
}

Test(standin, a_collection_can_be_joined)
{
	struct sim_peer *p = connect_and_join("collection:foundation");

	cr_expect(eq(str, (char *)sim_peer_next(p),
		"[\"1\",\"1\",\"collection:foundation\",\"phx_reply\",{\"status\":\"ok\","
		"\"response\":{}}]"));
	cr_expect(eq(u32, joins, 1));
	cr_expect(eq(str, last_slug, "foundation"));
}

Test(standin, another_topic_is_unmatched)
{
	struct sim_peer *p = connect_and_join("rooms:lobby");

	cr_expect(eq(str, (char *)sim_peer_next(p),
		"[null,\"1\",\"rooms:lobby\",\"phx_reply\",{\"status\":\"error\",\"response\":{"
		"\"reason\":\"unmatched topic\"}}]"));
	cr_expect(eq(u32, joins, 0));
}

Test(standin, a_heartbeat_is_answered_by_a_reply)
{
	struct sim_peer *p = connect_and_join("collection:a");

	sim_peer_next(p);
	sim_peer_send(p, "[null,\"7\",\"phoenix\",\"heartbeat\",{}]");
	loop_sim_settle(loop);
	cr_expect(eq(str, (char *)sim_peer_next(p),
		"[null,\"7\",\"phoenix\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]"));
}

Test(standin, an_event_goes_to_who_joined_and_carries_the_join_ref)
{
	struct sim_peer *a = connect_and_join("collection:a"),
			*b = connect_and_join("collection:b");

	sim_peer_next(a);
	sim_peer_next(b);
	cr_expect(eq(u32, standin_push(standin, "a", "item_sold", STR("{\"x\":1}")), 1));
	loop_sim_settle(loop);
	cr_expect(eq(str, (char *)sim_peer_next(a),
		"[\"1\",null,\"collection:a\",\"item_sold\",{\"x\":1}]"));
	cr_expect(zero(ptr, (void *)sim_peer_next(b)));
}

Test(standin, who_left_hears_nothing_more)
{
	struct sim_peer *p = connect_and_join("collection:a");

	sim_peer_next(p);
	sim_peer_send(p, "[\"1\",\"9\",\"collection:a\",\"phx_leave\",{}]");
	loop_sim_settle(loop);
	cr_expect(eq(str, (char *)sim_peer_next(p),
		"[\"1\",\"9\",\"collection:a\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}"
		"]"));
	cr_expect(eq(
		str, (char *)sim_peer_next(p), "[\"1\",\"1\",\"collection:a\",\"phx_close\",{}]"));
	cr_expect(eq(u32, standin_push(standin, "a", "item_sold", STR("{}")), 0));
}

Test(standin, a_minute_of_silence_ends_the_connection)
{
	struct sim_peer *p = connect_and_join("collection:a");

	loop_sim_advance(loop, 59000);
	cr_expect(zero(int, sim_peer_close_code(p)));
	loop_sim_advance(loop, 2000);
	cr_expect(eq(int, sim_peer_close_code(p), 1000));
}

Test(standin, a_slow_reader_gets_everything_in_order_once_it_reads)
{
	struct sim_peer *p = connect_and_join("collection:a");

	sim_peer_next(p);
	sim_peer_choke(p, true);
	standin_push(standin, "a", "one", STR("{}"));
	standin_push(standin, "a", "two", STR("{}"));
	standin_push(standin, "a", "three", STR("{}"));
	sim_peer_choke(p, false);
	loop_sim_settle(loop);
	cr_expect(eq(str, (char *)sim_peer_next(p), "[\"1\",null,\"collection:a\",\"one\",{}]"));
	cr_expect(eq(str, (char *)sim_peer_next(p), "[\"1\",null,\"collection:a\",\"two\",{}]"));
	cr_expect(eq(str, (char *)sim_peer_next(p), "[\"1\",null,\"collection:a\",\"three\",{}]"));
}

Test(standin, what_is_no_frame_closes_the_connection)
{
	struct sim_peer *p = connect_and_join("collection:a");

	sim_peer_send(p, "{\"not\":\"an array\"}");
	loop_sim_settle(loop);
	cr_expect(eq(int, sim_peer_close_code(p), 1011));
}

Test(standin, a_wrong_key_or_version_is_refused_before_the_upgrade)
{
	cr_expect(eq(int,
		standin_admit(
			standin, &(struct ws_conn_info){ .query = STR("token=key&vsn=2.0.0") }),
		0));
	cr_expect(eq(int,
		standin_admit(
			standin, &(struct ws_conn_info){ .query = STR("vsn=2.0.0&token=key") }),
		0));
	cr_expect(eq(int,
		standin_admit(
			standin, &(struct ws_conn_info){ .query = STR("token=other&vsn=2.0.0") }),
		403));
	cr_expect(eq(int,
		standin_admit(standin, &(struct ws_conn_info){ .query = STR("token=key&vsn=9") }),
		403));
	cr_expect(eq(int, standin_admit(standin, &(struct ws_conn_info){ 0 }), 403));
}
