/* The protocol of the stream, against a far end played by the test and a clock that moves when
 * told. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bidding/opensea/stream.h"
#include "common/io/sim/loop_sim.h"
#include "common/io/sim/ws_sim.h"

#define NOW 1788949200000

struct world {
	struct loop *loop;
	struct metrics *metrics;
	struct sim_remote *remote;
	struct opensea_stream *stream;
	struct opensea_topic *topic;
	char key_file[64];
	unsigned n_joined, n_again, n_events;
	char event[64], message[256];
};

static void on_joined(void *ctx, bool again)
{
	struct world *w = ctx;

	w->n_joined++;
	w->n_again += again;
}

static void on_event(void *ctx, struct str event, struct str message, struct arena *a)
{
	struct world *w = ctx;

	(void)a;
	w->n_events++;
	str_copy(w->event, sizeof(w->event), event);
	str_copy(w->message, sizeof(w->message), message);
}

static const struct opensea_topic_ops OPS = { .joined = on_joined, .event = on_event };

static void write_key(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	cr_assert(out != NULL);
	fputs(text, out);
	fclose(out);
}

static void world_init(struct world *w, int64_t stall_ms)
{
	struct fault f = { 0 };
	struct ws_client_factory factory;
	int fd;

	*w = (struct world){ .key_file = "/tmp/souk-key-XXXXXX" };
	fd = mkstemp(w->key_file);
	cr_assert(fd >= 0);
	close(fd);
	write_key(w->key_file, "k+1/\n");
	cr_assert(zero(int, loop_sim_new(&w->loop, NOW)));
	cr_assert(zero(int, metrics_new(&w->metrics, 100)));
	cr_assert(zero(int, sim_remote_new(&w->remote, w->loop)));
	factory = sim_remote_factory(w->remote);
	cr_assert(zero(int, opensea_stream_new(&w->stream, w->loop, &factory,
				    &(struct opensea_stream_config){ .url = "wss://x.test/socket",
					    .key_file = w->key_file,
					    .heartbeat_ms = 30000,
					    .quiet_ms = 30000,
					    .join_timeout_ms = 10000,
					    .stall_ms = stall_ms,
					    .seed = 42 },
				    w->metrics, &f)),
		"%s", f.text);
	w->topic = opensea_stream_topic(w->stream, "a", &OPS, w);
	cr_assert(w->topic != NULL);
}

static void world_fini(struct world *w)
{
	opensea_stream_free(w->stream);
	sim_remote_free(w->remote);
	metrics_free(w->metrics);
	loop_free(w->loop);
	unlink(w->key_file);
}

static void say(struct world *w, const char *frame)
{
	sim_remote_send(w->remote, frame);
	loop_sim_settle(w->loop);
}

#define EXPECT_SENT(w, text) \
	do { \
		const char *got_ = sim_remote_next((w)->remote); \
		cr_expect(got_ != NULL && strcmp(got_, (text)) == 0, "sent %s, not %s", \
			got_ ? got_ : "nothing", (text)); \
	} while (0)
#define EXPECT_QUIET(w) \
	do { \
		const char *got_ = sim_remote_next((w)->remote); \
		cr_expect(got_ == NULL, "sent %s", got_); \
	} while (0)

static void join_(struct world *w)
{
	opensea_topic_want(w->topic, true);
	loop_sim_settle(w->loop);
	EXPECT_SENT(w, "[\"1\",\"1\",\"collection:a\",\"phx_join\",{}]");
	say(w, "[\"1\",\"1\",\"collection:a\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]");
	cr_assert(opensea_topic_is_joined(w->topic));
}

Test(stream, connects_with_the_key_and_joins)
{
	struct world w;

	world_init(&w, 0);
	loop_sim_settle(w.loop);
	cr_expect(zero(u32, sim_remote_connects(w.remote)), "before anything is wanted");
	join_(&w);
	cr_expect(eq(str, (char *)sim_remote_url(w.remote),
		"wss://x.test/socket?token=k%2B1%2F&vsn=2.0.0"));
	cr_expect(eq(u32, w.n_joined, 1));
	cr_expect(zero(u32, w.n_again));
	EXPECT_QUIET(&w);
	world_fini(&w);
}

Test(stream, both_shapes_of_an_event_arrive)
{
	struct world w;

	world_init(&w, 0);
	join_(&w);
	say(&w, "[\"1\",null,\"collection:a\",\"item_sold\",{\"n\":1}]");
	cr_expect(eq(str, w.message, "{\"n\":1}"));
	say(&w, "[null,null,\"collection:a\",\"item_listed\",{\"n\":2}]");
	cr_expect(eq(str, w.event, "item_listed"));
	say(&w, "{\"topic\":\"collection:a\",\"event\":\"trait_offer\",\"payload\":{\"n\":3},"
		"\"ref\":null}");
	cr_expect(eq(str, w.event, "trait_offer"));
	cr_expect(eq(str, w.message, "{\"n\":3}"));
	cr_expect(eq(u32, w.n_events, 3));
	cr_expect(eq(i64, metrics_value(w.metrics, "souk_bidding_frames_total", "item_sold"), 1));
	world_fini(&w);
}

Test(stream, a_reply_in_the_old_shape_joins_too)
{
	struct world w;

	world_init(&w, 0);
	opensea_topic_want(w.topic, true);
	loop_sim_settle(w.loop);
	say(&w, "{\"topic\":\"collection:a\",\"event\":\"phx_reply\",\"payload\":{\"status\":"
		"\"ok\","
		"\"response\":{}},\"ref\":1}");
	cr_expect(opensea_topic_is_joined(w.topic));
	world_fini(&w);
}

Test(stream, frames_of_an_earlier_join_are_dropped)
{
	struct world w;

	world_init(&w, 0);
	join_(&w);
	say(&w, "[\"0\",null,\"collection:a\",\"item_sold\",{}]");
	say(&w, "[\"0\",null,\"collection:a\",\"phx_close\",{}]");
	cr_expect(zero(u32, w.n_events));
	cr_expect(opensea_topic_is_joined(w.topic));
	cr_expect(eq(i64, metrics_value(w.metrics, "souk_bidding_old_frames_total", NULL), 2));
	say(&w, "[\"1\",null,\"collection:b\",\"item_sold\",{}]");
	cr_expect(zero(u32, w.n_events), "another topic");
	world_fini(&w);
}

Test(stream, an_unanswered_join_is_left_and_tried_again)
{
	struct world w;
	static const int64_t PAUSES_MS[] = { 1000, 2000, 5000, 10000, 10000 };
	unsigned ref = 1;
	char text[96];

	world_init(&w, 0);
	opensea_topic_want(w.topic, true);
	loop_sim_settle(w.loop);
	for (size_t i = 0; i < ARRAY_LEN(PAUSES_MS); i++) {
		snprintf(text, sizeof(text), "[\"%u\",\"%u\",\"collection:a\",\"phx_join\",{}]",
			ref, ref);
		EXPECT_SENT(&w, text);
		loop_sim_advance(w.loop, 9999);
		/* The connection itself stays alive. */
		const char *beat = sim_remote_next(w.remote);

		if (beat) {
			snprintf(text, sizeof(text),
				"[null,\"%u\",\"phoenix\",\"phx_reply\",{\"status\":\"ok\"}]",
				++ref);
			say(&w, text);
		}
		loop_sim_advance(w.loop, 1);
		snprintf(text, sizeof(text), "[\"%u\",\"%u\",\"collection:a\",\"phx_leave\",{}]",
			beat ? ref - 1 : ref, ref + 1);
		EXPECT_SENT(&w, text);
		ref++;
		loop_sim_advance(w.loop, PAUSES_MS[i] - 1);
		beat = sim_remote_next(w.remote);
		if (beat) {
			snprintf(text, sizeof(text),
				"[null,\"%u\",\"phoenix\",\"phx_reply\",{\"status\":\"ok\"}]",
				++ref);
			say(&w, text);
		}
		loop_sim_advance(w.loop, 1);
		ref++;
	}
	cr_expect(not(opensea_topic_is_joined(w.topic)));
	cr_expect(eq(u32, sim_remote_connects(w.remote), 1));
	world_fini(&w);
}

Test(stream, a_refused_join_is_tried_again)
{
	struct world w;

	world_init(&w, 0);
	opensea_topic_want(w.topic, true);
	loop_sim_settle(w.loop);
	EXPECT_SENT(&w, "[\"1\",\"1\",\"collection:a\",\"phx_join\",{}]");
	say(&w, "[null,\"1\",\"collection:a\",\"phx_reply\",{\"status\":\"error\",\"response\":{"
		"\"reason\":"
		"\"unmatched topic\"}}]");
	loop_sim_advance(w.loop, 1000);
	EXPECT_SENT(&w, "[\"2\",\"2\",\"collection:a\",\"phx_join\",{}]");
	say(&w, "[\"2\",\"2\",\"collection:a\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]");
	cr_expect(opensea_topic_is_joined(w.topic));
	cr_expect(zero(u32, w.n_again), "it was never joined before");
	world_fini(&w);
}

Test(stream, a_crashed_channel_is_joined_again_and_says_so)
{
	struct world w;

	world_init(&w, 0);
	join_(&w);
	say(&w, "[\"1\",\"1\",\"collection:a\",\"phx_error\",{\"reason\":\"channel_crash\"}]");
	cr_expect(not(opensea_topic_is_joined(w.topic)));
	loop_sim_advance(w.loop, 1000);
	EXPECT_SENT(&w, "[\"2\",\"2\",\"collection:a\",\"phx_join\",{}]");
	say(&w, "[\"1\",null,\"collection:a\",\"item_sold\",{}]");
	cr_expect(zero(u32, w.n_events), "of the crashed one");
	say(&w, "[\"2\",\"2\",\"collection:a\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]");
	cr_expect(eq(u32, w.n_again, 1));
	say(&w, "[\"2\",\"2\",\"collection:a\",\"phx_close\",{}]");
	cr_expect(not(opensea_topic_is_joined(w.topic)));
	world_fini(&w);
}

Test(stream, heartbeats_go_out_and_their_replies_prove_the_topic_alive)
{
	struct world w;

	world_init(&w, 0);
	join_(&w);
	cr_expect(eq(i64, opensea_topic_heard_ms(w.topic), NOW));
	loop_sim_advance(w.loop, 30000);
	EXPECT_SENT(&w, "[null,\"2\",\"phoenix\",\"heartbeat\",{}]");
	cr_expect(eq(i64, opensea_topic_heard_ms(w.topic), NOW));
	say(&w, "[null,\"2\",\"phoenix\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]");
	cr_expect(eq(i64, opensea_topic_heard_ms(w.topic), NOW + 30000));
	loop_sim_advance(w.loop, 30000);
	EXPECT_SENT(&w, "[null,\"3\",\"phoenix\",\"heartbeat\",{}]");
	cr_expect(sim_remote_is_open(w.remote));
	world_fini(&w);
}

Test(stream, an_unanswered_heartbeat_ends_the_connection)
{
	struct world w;

	world_init(&w, 0);
	join_(&w);
	loop_sim_advance(w.loop, 30000);
	EXPECT_SENT(&w, "[null,\"2\",\"phoenix\",\"heartbeat\",{}]");
	loop_sim_advance(w.loop, 29999);
	cr_expect(sim_remote_is_open(w.remote));
	/* events alone do not answer it */
	say(&w, "[\"1\",null,\"collection:a\",\"item_sold\",{}]");
	loop_sim_advance(w.loop, 1);
	cr_expect(not(opensea_topic_is_joined(w.topic)));
	loop_sim_advance(w.loop, 200);
	cr_expect(eq(u32, sim_remote_connects(w.remote), 2));
	cr_expect(eq(i64, metrics_value(w.metrics, "souk_bidding_reconnects_total", NULL), 1));
	EXPECT_SENT(&w, "[\"3\",\"3\",\"collection:a\",\"phx_join\",{}]");
	say(&w, "[\"3\",\"3\",\"collection:a\",\"phx_reply\",{\"status\":\"ok\"}]");
	cr_expect(eq(u32, w.n_again, 1));
	world_fini(&w);
}

Test(stream, a_silent_connection_is_asked_before_the_heartbeat_is_due)
{
	struct world w;
	struct fault f = { 0 };
	struct ws_client_factory factory;

	world_init(&w, 0);
	opensea_stream_free(w.stream);
	factory = sim_remote_factory(w.remote);
	cr_assert(zero(int, opensea_stream_new(&w.stream, w.loop, &factory,
				    &(struct opensea_stream_config){ .url = "ws://x",
					    .key_file = w.key_file,
					    .heartbeat_ms = 30000,
					    .quiet_ms = 5000,
					    .join_timeout_ms = 10000 },
				    w.metrics, &f)));
	w.topic = opensea_stream_topic(w.stream, "a", &OPS, &w);
	join_(&w);
	loop_sim_advance(w.loop, 5000);
	EXPECT_SENT(&w, "[null,\"2\",\"phoenix\",\"heartbeat\",{}]");
	say(&w, "[null,\"2\",\"phoenix\",\"phx_reply\",{\"status\":\"ok\"}]");
	for (unsigned i = 0; i < 4; i++) {
		loop_sim_advance(w.loop, 4000);
		say(&w, "[\"1\",null,\"collection:a\",\"item_sold\",{}]");
	}
	EXPECT_QUIET(&w);
	world_fini(&w);
}

Test(stream, reconnects_come_back_with_jitter_and_a_cap)
{
	struct world w;
	unsigned n = 0;

	world_init(&w, 0);
	sim_remote_refuse(w.remote, 502);
	opensea_topic_want(w.topic, true);
	for (unsigned s = 0; s < 60; s++) {
		unsigned was = sim_remote_connects(w.remote);

		loop_sim_advance(w.loop, 1000);
		n += sim_remote_connects(w.remote) > was;
	}
	/* 100 ms doubling to 5 s, uniform below: about 60 / 2.5 attempts a minute and never none in
	 * 10 s. */
	cr_expect(ge(u32, sim_remote_connects(w.remote), 12));
	cr_expect(le(u32, sim_remote_connects(w.remote), 60));
	cr_expect(lt(u32, n, 60), "not once a second: the pauses differ");
	sim_remote_refuse(w.remote, 0);
	loop_sim_advance(w.loop, 5001);
	cr_expect(sim_remote_is_open(w.remote));
	world_fini(&w);
}

Test(stream, a_refused_key_is_tried_slowly_and_read_again)
{
	struct world w;

	world_init(&w, 0);
	sim_remote_refuse(w.remote, 403);
	opensea_topic_want(w.topic, true);
	loop_sim_settle(w.loop);
	cr_expect(eq(u32, sim_remote_connects(w.remote), 1));
	cr_expect(eq(i64, metrics_value(w.metrics, "souk_bidding_stream_refused_total", NULL), 1));
	write_key(w.key_file, "fresh");
	loop_sim_advance(w.loop, 29999);
	cr_expect(eq(u32, sim_remote_connects(w.remote), 1));
	sim_remote_refuse(w.remote, 0);
	loop_sim_advance(w.loop, 30002);
	cr_expect(eq(u32, sim_remote_connects(w.remote), 2));
	cr_expect(eq(str, (char *)sim_remote_url(w.remote),
		"wss://x.test/socket?token=fresh&vsn=2.0.0"));
	world_fini(&w);
}

Test(stream, a_server_that_accepts_and_drops_is_not_hammered)
{
	struct world w;

	world_init(&w, 0);
	opensea_topic_want(w.topic, true);
	for (unsigned i = 0; i < 3000; i++) {
		loop_sim_advance(w.loop, 10);
		if (sim_remote_is_open(w.remote))
			sim_remote_close(w.remote, 1012);
		loop_sim_settle(w.loop);
	}
	cr_expect(le(u32, sim_remote_connects(w.remote), 35), "30 s, %u connects",
		sim_remote_connects(w.remote));
	world_fini(&w);
}

Test(stream, a_broken_frame_is_counted_and_the_connection_goes_on)
{
	struct world w;

	world_init(&w, 0);
	join_(&w);
	say(&w, "[\"1\",null,\"collection:a\"");
	say(&w, "[1]");
	say(&w, "[\"1\",null,\"collection:a\",\"x\",[[[[[[[[[[[[[]]]]]]]]]]]]]]");
	say(&w, "");
	cr_expect(eq(i64, metrics_value(w.metrics, "souk_bidding_bad_frames_total", "json"), 2));
	cr_expect(eq(i64, metrics_value(w.metrics, "souk_bidding_bad_frames_total", "frame"), 1));
	cr_expect(eq(i64, metrics_value(w.metrics, "souk_bidding_bad_frames_total", "size"), 1));
	say(&w, "[\"1\",null,\"collection:a\",\"item_sold\",{}]");
	cr_expect(eq(u32, w.n_events, 1));
	world_fini(&w);
}

Test(stream, a_stalled_topic_is_joined_again_although_heartbeats_are_answered)
{
	struct world w;

	world_init(&w, 20000);
	join_(&w);
	loop_sim_advance(w.loop, 19000);
	say(&w, "[\"1\",null,\"collection:a\",\"item_sold\",{}]");
	loop_sim_advance(w.loop, 11000);
	EXPECT_SENT(&w, "[null,\"2\",\"phoenix\",\"heartbeat\",{}]");
	say(&w, "[null,\"2\",\"phoenix\",\"phx_reply\",{\"status\":\"ok\"}]");
	loop_sim_advance(w.loop, 9000);
	EXPECT_SENT(&w, "[\"1\",\"3\",\"collection:a\",\"phx_leave\",{}]");
	say(&w, "[\"1\",\"1\",\"collection:a\",\"phx_close\",{}]");
	loop_sim_advance(w.loop, 1000);
	EXPECT_SENT(&w, "[\"4\",\"4\",\"collection:a\",\"phx_join\",{}]");
	world_fini(&w);
}

Test(stream, leaving_stops_the_events_but_not_the_connection)
{
	struct world w;

	world_init(&w, 0);
	join_(&w);
	opensea_topic_want(w.topic, false);
	EXPECT_SENT(&w, "[\"1\",\"2\",\"collection:a\",\"phx_leave\",{}]");
	say(&w, "[\"1\",null,\"collection:a\",\"item_sold\",{}]");
	cr_expect(zero(u32, w.n_events));
	cr_expect(sim_remote_is_open(w.remote));
	opensea_topic_want(w.topic, true);
	EXPECT_SENT(&w, "[\"3\",\"3\",\"collection:a\",\"phx_join\",{}]");
	opensea_stream_stop(w.stream);
	loop_sim_advance(w.loop, 120000);
	cr_expect(not(sim_remote_is_open(w.remote)));
	cr_expect(eq(u32, sim_remote_connects(w.remote), 1));
	world_fini(&w);
}

Test(stream, a_missing_key_file_is_a_fault_that_names_it)
{
	struct world w;
	struct opensea_stream *s = NULL;
	struct fault f = { 0 };
	struct ws_client_factory factory;

	world_init(&w, 0);
	factory = sim_remote_factory(w.remote);
	cr_expect(lt(int,
		opensea_stream_new(&s, w.loop, &factory,
			&(struct opensea_stream_config){
				.url = "ws://x", .key_file = "/nonexistent/key" },
			w.metrics, &f),
		0));
	cr_expect(strstr(f.text, "/nonexistent/key") != NULL, "%s", f.text);
	world_fini(&w);
}
