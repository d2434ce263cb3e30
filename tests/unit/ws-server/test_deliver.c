/* Offers on their way to the client, the slot they come by, slow clients, and the drain. */
#include "tests/unit/ws-server/world.h"

#define WORLD(w) \
	CLEANUP(world_fini) struct world w; \
	world_init(&w, NULL); \
	world_start(&w)

static long dropped(struct world *w, const char *reason)
{
	return (long)world_metric(w, "souk_ws_drops_total", reason);
}

/* ---- what is pushed ---- */

Test(deliver, offer_is_pushed_as_it_came)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	char want[1024];

	world_answer(&w,
		&(struct answer){ .event = "e-1", .more = ",\"quote\":{\"v\":1},\"new\":[1, 2]" });
	snprintf(want, sizeof(want),
		"{\"type\":\"offer\",\"seq\":1,\"offer\":{\"id\":\"of-1\",\"rev\":\"7.1\","
		"\"state\":\"live\",\"interest\":\"in-1\","
		"\"client_id\":\"e-1\",\"ts\":1795334400000,\"user\":\"u_42\",\"session\":\"%s\","
		"\"item\":\"" ITEM "\","
		"\"issued\":1795334400000,\"expires\":1795334430000,\"quote\":{\"v\":1},\"new\":[1,"
		" 2]}}",
		w.session);
	EXPECT_NEXT(p, want);
	EXPECT_NOTHING(p);
	cr_expect(eq(long, world_metric(&w, "souk_ws_pushes_total", "offer"), 1));
}

Test(deliver, line_breaks_of_a_record_do_not_break_the_frame)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_answer(&w, &(struct answer){ .more = ",\n\"disclosure\":\r\n\"a\\nb\"" });
	EXPECT_NEXT(p, "{\"type\":\"offer\",\"seq\":1,\"offer\":{*, \"disclosure\":  \"a\\nb\"}}");
}

Test(deliver, withdrawal_names_offer_revision_and_reason)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_answer(&w, &(struct answer){ .event = "e-1" });
	EXPECT_NEXT(p, "{\"type\":\"offer\",\"seq\":1,*}");
	world_answer(&w,
		&(struct answer){
			.event = "e-1", .rev = "7.2", .state = "withdrawn", .reason = "SOLD_OUT" });
	EXPECT_NEXT(p, "{\"type\":\"offer_withdrawn\",\"seq\":2,\"event\":\"e-1\",\"offer\":{"
		       "\"id\":\"of-1\",\"rev\":\"7.2\",\"reason\":\"SOLD_OUT\"}}");
}

Test(deliver, alternatives_come_with_a_withdrawal_and_with_no_offer)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	const char *more = ",\"alternatives\":[\"game:a/b:c/1\",\"game:a/b:c/2\"]";

	world_answer(&w, &(struct answer){ .event = "e-1" });
	EXPECT_NEXT(p, "{\"type\":\"offer\",\"seq\":1,*}");
	world_answer(&w, &(struct answer){ .event = "e-1",
				 .rev = "7.2",
				 .state = "withdrawn",
				 .reason = "SOLD_OUT",
				 .more = more });
	EXPECT_NEXT(p, "{\"type\":\"offer_withdrawn\",\"seq\":2,\"event\":\"e-1\",\"offer\":{"
		       "\"id\":\"of-1\",\"rev\":\"7.2\",\"reason\":\"SOLD_OUT\","
		       "\"alternatives\":[\"game:a/b:c/1\",\"game:a/b:c/2\"]}}");
	world_answer(&w, &(struct answer){ .id = "of-2",
				 .event = "e-2",
				 .state = "none",
				 .reason = "SOLD_OUT",
				 .more = more });
	EXPECT_NEXT(p, "{\"type\":\"no_offer\",\"seq\":3,\"event\":\"e-2\",\"item\":\"" ITEM
		       "\",\"reason\":\"SOLD_OUT\","
		       "\"alternatives\":[\"game:a/b:c/1\",\"game:a/b:c/2\"]}");
}

Test(deliver, no_offer_says_why_and_when_to_ask_again)
{
	WORLD(w);
	static const struct {
		const char *reason, *retry;
	} cases[] = {
		{ "STALE_MARKET", ",\"retry_after_ms\":2000" },
		{ "STALE_PROFILE", ",\"retry_after_ms\":2000" },
		{ "QUOTE_LIMIT", ",\"retry_after_ms\":5000" },
		{ "PAUSED", ",\"retry_after_ms\":10000" },
		{ "SOLD_OUT", "" },
		{ "BAD_EVENT", "" },
	};
	struct sim_peer *p = world_connect(&w, "u_42");
	char id[16], want[512];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(id, sizeof(id), "of-%zu", i);
		world_answer(&w, &(struct answer){ .id = id,
					 .state = "none",
					 .reason = cases[i].reason,
					 .event = i ? NULL : "e-1" });
		snprintf(want, sizeof(want),
			"{\"type\":\"no_offer\",\"seq\":%zu,\"event\":\"%s\",\"item\":\"" ITEM
			"\",\"reason\":\"%s\"%s}",
			i + 1, i ? "in-1" : "e-1", cases[i].reason, cases[i].retry);
		EXPECT_NEXT(p, want);
	}
}

Test(deliver, act_as_session_is_told_the_user_of_each_push)
{
	WORLD(w);
	struct sim_peer *p = world_connect_as(&w, "game", "g1:");

	world_answer(&w, &(struct answer){ .user = "g1:ann" });
	EXPECT_NEXT(p, "{\"type\":\"offer\",\"seq\":1,\"user\":\"g1:ann\",\"offer\":{*}}");
	world_answer(&w, &(struct answer){ .user = "g1:bob" });
	EXPECT_NEXT(p, "{\"type\":\"offer\",\"seq\":2,\"user\":\"g1:bob\",\"offer\":{*}}");
	world_answer(
		&w, &(struct answer){
			    .user = "g1:ann", .state = "none", .rev = "7.2", .reason = "PAUSED" });
	EXPECT_NEXT(p, "{\"type\":\"no_offer\",\"seq\":3,\"user\":\"g1:ann\",\"event\":*}");
	world_answer(&w, &(struct answer){ .user = "g2:eve" });
	EXPECT_NOTHING(p);
	cr_expect(eq(long, dropped(&w, "user"), 1));
}

/* ---- what is not ---- */

Test(deliver, revision_is_shown_once_and_never_after_a_higher_one)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_answer(&w, &(struct answer){ .rev = "7.2" });
	EXPECT_NEXT(p, "{\"type\":\"offer\",*}");
	world_answer(&w, &(struct answer){ .rev = "7.2" });
	world_answer(&w, &(struct answer){ .rev = "7.1" });
	EXPECT_NOTHING(p);
	cr_expect(eq(long, dropped(&w, "old_rev"), 2));
	world_answer(&w, &(struct answer){ .rev = "8.1" });
	EXPECT_NEXT(p, "{\"type\":\"offer\",\"seq\":2,*}");
}

Test(deliver, the_time_from_an_event_to_its_offer_is_that_of_the_first_revision)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	CLEANUP(buf_fini) struct buf text = BUF_INIT(1 << 20);

	world_answer(&w, &(struct answer){ .rev = "7.1" });
	world_answer(&w, &(struct answer){ .rev = "7.2" });
	world_answer(&w, &(struct answer){ .rev = "8.1" });
	for (int i = 0; i < 3; i++)
		EXPECT_NEXT(p, "{\"type\":\"offer\",*}");
	metrics_write(w.metrics, &text);
	buf_putc(&text, '\0');
	cr_assert(not(text.failed));
	cr_expect(strstr(text.p, "\nsouk_ws_push_seconds_count 1\n") != NULL);
}

/* How many of the first of @n offers is shown once more when it comes again: 0 or 1. */
static int shown_again_after(struct world *w, struct sim_peer *p, const char *user, int n)
{
	char id[16];

	for (int i = 0; i <= n; i++) {
		snprintf(id, sizeof(id), "of-%d", i % n);
		world_answer(w, &(struct answer){ .user = user, .id = id, .rev = "7.1" });
		if (i < n)
			EXPECT_NEXT(p, "{\"type\":\"offer\",*}");
	}
	return sim_peer_next(p) != NULL;
}

Test(deliver, act_as_session_remembers_sixteen_times_as_many_offers)
{
	static const char *const sets[] = { "ws.limits.offers_remembered=4", NULL };
	CLEANUP(world_fini) struct world w;
	struct sim_peer *p;

	world_init(&w, sets);
	world_start(&w);
	p = world_connect(&w, "u_42");
	cr_expect(zero(int, shown_again_after(&w, p, "u_42", 4)));
	p = world_connect(&w, "u_42");
	cr_expect(eq(int, shown_again_after(&w, p, "u_42", 5), 1));
	p = world_connect_as(&w, "game", "g1:");
	cr_expect(zero(int, shown_again_after(&w, p, "g1:ann", 64)));
	p = world_connect_as(&w, "game", "g1:");
	cr_expect(eq(int, shown_again_after(&w, p, "g1:ann", 65), 1));
}

Test(deliver, former_owner_of_a_shard_is_not_heard)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_answer(&w, &(struct answer){ .id = "a", .rev = "9.1", .session = "s_nobody" });
	cr_expect(eq(long, dropped(&w, "no_session"), 1));
	world_answer(&w, &(struct answer){ .id = "b", .rev = "8.5" });
	EXPECT_NOTHING(p);
	cr_expect(eq(long, dropped(&w, "owner_epoch"), 1));
	world_answer(&w, &(struct answer){ .id = "b", .rev = "8.5", .shard = "4" });
	EXPECT_NEXT(p, "{\"type\":\"offer\",*\"id\":\"b\"*}");
	world_answer(&w, &(struct answer){ .id = "c", .rev = "9.1" });
	EXPECT_NEXT(p, "{\"type\":\"offer\",*\"id\":\"c\"*}");
}

Test(deliver, answer_to_a_former_holder_of_the_slot_is_dropped)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_answer(&w, &(struct answer){ .epoch = "12345" });
	EXPECT_NOTHING(p);
	cr_expect(eq(long, dropped(&w, "slot_epoch"), 1));
	world_answer(&w, &(struct answer){ .epoch = "" });
	EXPECT_NEXT(p, "{\"type\":\"offer\",*}");
}

Test(deliver, offer_of_another_user_does_not_reach_the_session)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_answer(&w, &(struct answer){ .user = "u_1" });
	EXPECT_NOTHING(p);
	cr_expect(eq(long, dropped(&w, "user"), 1));
}

Test(deliver, offer_that_has_run_out_is_dropped)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	world_answer(&w, &(struct answer){ .expires_ms = NOW_MS });
	EXPECT_NOTHING(p);
	cr_expect(eq(long, dropped(&w, "expired"), 1));
}

Test(deliver, session_that_is_gone_or_not_connected_gets_nothing)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_peer_close(p, 1000);
	loop_sim_settle(w.loop);
	world_answer(&w, &(struct answer){ 0 });
	cr_expect(eq(long, dropped(&w, "no_session"), 1));
}

Test(deliver, bad_records_are_counted_and_the_stream_goes_on)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	static const char *const bad[] = { "nonsense", "{}", "{\"id\":\"a\"}", "[]", NULL };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_assert(
			zero(int, bus_send(w.pricing,
					  &(struct bus_message){ .topic = TOPIC_OFFERS,
						  .partition = world_slot(&w),
						  .key = STR("k"),
						  .value = bad[i] ? str_of(bad[i]) : STR_NONE })));
	loop_sim_settle(w.loop);
	cr_expect(eq(long, dropped(&w, "bad_record"), 5));
	world_answer(&w, &(struct answer){ 0 });
	EXPECT_NEXT(p, "{\"type\":\"offer\",*}");
}

/* ---- the slot ---- */

Test(deliver, nothing_is_published_before_the_reply_partition_is_read)
{
	CLEANUP(world_fini) struct world w;
	CLEANUP(buf_fini) struct buf why = BUF_INIT(512);
	struct sim_peer *p;

	world_init(&w, NULL);
	sim_broker_set_latency(w.broker, 500000);
	world_start(&w);
	loop_sim_advance(w.loop, 200);
	cr_assert(ge(int, world_slot(&w), 0));
	cr_expect(not(gateway_ready(w.gateway, &why)));
	cr_expect(
		str_eqz(buf_str(&why), "ws-server: no reply slot of nft.offers.v1 is read yet\n"));
	p = world_connect(&w, "u_42");
	world_say(&w, p, "{\"id\":2,\"type\":\"interest\"," INTEREST "}");
	EXPECT_NEXT(p, "{\"id\":2,*\"unavailable\"*\"applied\":\"no\"*}");
	loop_sim_advance(w.loop, 2000);
	cr_expect(gateway_ready(w.gateway, &why));
}

static unsigned n_refusals;
static const struct bus_ops *good;

static int refuse_reader_add(
	struct bus_reader *r, const char *topic, int32_t partition, int64_t from, int64_t until)
{
	if (strcmp(topic, TOPIC_OFFERS) != 0)
		return good->reader_add(r, topic, partition, from, until);
	n_refusals++;
	return -ENOMEM;
}

Test(deliver, a_partition_that_cannot_be_read_is_tried_again_as_the_slot_is_renewed)
{
	CLEANUP(world_fini) struct world w;
	CLEANUP(buf_fini) struct buf why = BUF_INIT(512);
	struct bus_ops bad;
	struct sim_peer *p;

	world_init(&w, NULL);
	good = w.bus->ops;
	bad = *good;
	bad.reader_add = refuse_reader_add;
	w.bus->ops = &bad;
	world_start(&w);
	cr_assert(ge(int, world_slot(&w), 0));
	loop_sim_advance(w.loop, 7000);
	cr_expect(eq(int, (int)n_refusals, 3), "as it was taken, and at each renewal");
	cr_expect(not(gateway_ready(w.gateway, &why)));
	w.bus->ops = good;
	loop_sim_advance(w.loop, 3000);
	cr_expect(gateway_ready(w.gateway, &why));
	cr_expect(zero(long, world_metric(&w, "souk_ws_slot_lost_total", NULL)));
	p = world_connect(&w, "u_42");
	world_answer(&w, &(struct answer){ 0 });
	EXPECT_NEXT(p, "{\"type\":\"offer\",*}");
	loop_sim_advance(w.loop, 3000); /* a renewal changes nothing for one that is read */
	world_answer(&w, &(struct answer){ .id = "b" });
	EXPECT_NEXT(p, "{\"type\":\"offer\",*}");
	EXPECT_NOTHING(p);
}

Test(deliver, old_records_of_the_partition_are_not_read)
{
	WORLD(w);
	struct sim_peer *p;

	world_connect(&w, "u_42");
	world_stop(&w);
	for (int32_t slot = 0; slot < SLOTS; slot++)
		cr_assert(
			zero(int, bus_send(w.pricing, &(struct bus_message){ .topic = TOPIC_OFFERS,
							      .partition = slot,
							      .key = STR("k"),
							      .value = STR("x") })));
	loop_sim_settle(w.loop);
	loop_sim_advance(w.loop, 20000);
	world_start(&w);
	p = world_connect(&w, "u_42");
	world_answer(&w, &(struct answer){ 0 });
	EXPECT_NEXT(p, "{\"type\":\"offer\",*}");
	cr_expect(eq(long, dropped(&w, "bad_record"), 0));
}

Test(deliver, lost_slot_stops_acknowledgements_until_another_is_held)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");
	CLEANUP(buf_fini) struct buf why = BUF_INIT(512);

	sim_store_set_down(w.store, true);
	loop_sim_advance(w.loop, 9000);
	world_say(&w, p, "{\"id\":2,\"type\":\"interest\"," INTEREST "}");
	EXPECT_NEXT(p, "{\"id\":2,\"type\":\"ack\",*}");
	loop_sim_advance(w.loop, 1000);
	world_say(&w, p, "{\"id\":3,\"type\":\"interest\"," INTEREST "}");
	EXPECT_NEXT(p, "{\"id\":3,\"type\":\"error\",\"error\":{\"code\":\"unavailable\",*"
		       "\"temporary\":true,\"applied\":\"no\",\"retry_after_ms\":*}}");
	cr_expect(not(gateway_ready(w.gateway, &why)));
	cr_expect(eq(long, world_metric(&w, "souk_ws_slot_lost_total", NULL), 1));
	cr_expect(eq(long, world_metric(&w, "souk_ws_slot", NULL), -1));
	sim_store_set_down(w.store, false);
	loop_sim_advance(w.loop, 12000);
	world_say(&w, p, "{\"id\":4,\"type\":\"interest\"," INTEREST "}");
	EXPECT_NEXT(p, "{\"id\":4,\"type\":\"ack\",*}");
	cr_expect(gateway_ready(w.gateway, &why));
}

Test(deliver, event_whose_slot_was_lost_meanwhile_is_not_acknowledged)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_store_set_down(w.store, true);
	loop_sim_advance(w.loop, 9000);
	sim_broker_set_latency(w.broker, 2000000);
	world_say(&w, p, "{\"id\":2,\"type\":\"interest\",\"event\":\"e-1\"," INTEREST "}");
	loop_sim_advance(w.loop, 2000);
	EXPECT_NEXT(p, "{\"id\":2,\"type\":\"error\",\"error\":{\"code\":\"unavailable\",*"
		       "\"applied\":\"unknown\",\"retry_after_ms\":*}}");
	cr_expect(eq(long, world_interests(&w), 1));
	cr_expect(eq(long, world_metric(&w, "souk_ws_acks_total", NULL), 0));
}

Test(deliver, answers_under_a_lost_slot_still_come_for_as_long_as_an_offer_lives)
{
	WORLD(w);
	CLEANUP(cache_free) struct cache *other = NULL;
	struct sim_peer *p = world_connect(&w, "u_42");
	char epoch[24], key[24];
	int32_t slot = world_slot(&w);
	const struct bus_header headers[] = { { STR("x-souk-slot-epoch"), { epoch, 0 } } };
	struct bus_message m = { .topic = TOPIC_OFFERS, .partition = slot, .key = STR("k") };
	char value[512];

	world_epoch(&w, epoch);
	world_slot_key(&w, key);
	cr_assert(zero(int, cache_sim_new(&other, w.store)));
	sim_store_drop(w.store, key);
	cr_assert(
		zero(int, cache_lease_take(other, str_of(key), STR("other"), 3600000, NULL, NULL)));
	loop_sim_advance(w.loop, 3000);
	cr_assert(ne(int, world_slot(&w), slot));

	struct bus_header header = headers[0];
	header.value.n = strlen(epoch);
	m.headers = &header;
	m.n_headers = 1;
	snprintf(value, sizeof(value),
		"{\"id\":\"of-1\",\"rev\":\"7.1\",\"state\":\"none\",\"interest\":\"in-1\","
		"\"user\":\"u_42\",\"session\":\"%s\"}",
		w.session);
	m.value = str_of(value);
	cr_assert(zero(int, bus_send(w.pricing, &m)));
	loop_sim_settle(w.loop);
	EXPECT_NEXT(p, "{\"type\":\"no_offer\",\"seq\":1,\"event\":\"in-1\"}");

	for (int i = 0; i < 4; i++) {
		loop_sim_advance(w.loop, 20000);
		sim_peer_pong(p);
		loop_sim_settle(w.loop);
	}
	value[10] = '2'; /* another offer's record, 80 s later */
	cr_assert(zero(int, bus_send(w.pricing, &m)));
	loop_sim_settle(w.loop);
	EXPECT_NOTHING(p);
	cr_expect(eq(long, dropped(&w, "slot_epoch") + dropped(&w, "bad_record"), 0),
		"the partition is not read any more");
}

/* ---- slow clients ---- */

Test(deliver, slow_client_gets_the_newest_revision_and_consecutive_numbers)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_peer_choke(p, true);
	world_answer(&w, &(struct answer){ .id = "a", .rev = "7.1" });
	world_answer(&w, &(struct answer){ .id = "b", .rev = "7.1" });
	world_answer(&w, &(struct answer){ .id = "a", .rev = "7.2" });
	world_answer(&w, &(struct answer){ .id = "a", .rev = "7.3" });
	world_say(&w, p, "{\"id\":2,\"type\":\"watch\"}");
	EXPECT_NOTHING(p);
	cr_expect(gt(long, world_metric(&w, "souk_ws_outbox_bytes", NULL), 0));
	sim_peer_choke(p, false);
	loop_sim_settle(w.loop);
	EXPECT_NEXT(p, "{\"type\":\"offer\",\"seq\":1,\"offer\":{\"id\":\"a\",\"rev\":\"7.3\",*}}");
	EXPECT_NEXT(p, "{\"type\":\"offer\",\"seq\":2,\"offer\":{\"id\":\"b\",\"rev\":\"7.1\",*}}");
	EXPECT_NEXT(p, "{\"id\":2,\"type\":\"error\",*}");
	EXPECT_NOTHING(p);
	cr_expect(eq(long, dropped(&w, "replaced"), 2));
	cr_expect(eq(long, world_metric(&w, "souk_ws_outbox_bytes", NULL), 0));
}

Test(deliver, client_over_the_bound_is_closed_with_4108)
{
	const char *sets[] = { "ws.limits.outbox_bytes=4096", NULL };
	CLEANUP(world_fini) struct world w;
	struct sim_peer *p;
	char id[16];

	world_init(&w, sets);
	world_start(&w);
	p = world_connect(&w, "u_42");
	sim_peer_choke(p, true);
	for (int i = 0; i < 100 && sim_peer_close_code(p) == 0; i++) {
		cr_assert(le(long, world_metric(&w, "souk_ws_outbox_bytes", NULL), 4096));
		snprintf(id, sizeof(id), "of-%d", i);
		world_answer(&w, &(struct answer){ .id = id });
	}
	cr_expect(eq(int, sim_peer_close_code(p), 4108));
	cr_expect(world_matches("retry_ms=*", sim_peer_close_reason(p)));
	sim_peer_choke(p, false);
	loop_sim_settle(w.loop);
	EXPECT_NOTHING(p);
	cr_expect(eq(long, world_metric(&w, "souk_ws_outbox_bytes", NULL), 0));
	cr_expect(eq(long, world_metric(&w, "souk_ws_closes_total", "4108"), 1));
}

/* ---- drain ---- */

static void on_drained(void *ctx)
{
	((struct world *)ctx)->n_drained++;
}

Test(deliver, drain_tells_each_client_when_to_come_back_and_closes_4112)
{
	WORLD(w);
	struct sim_peer *a = world_connect(&w, "u_1"), *b = world_connect(&w, "u_2"),
			*fresh = world_open(&w), *late;
	CLEANUP(buf_fini) struct buf why = BUF_INIT(512);
	long long told = 0, reason = 0;
	const char *text;
	char key[24];

	world_slot_key(&w, key);
	gateway_drain(w.gateway, on_drained, &w);
	cr_expect(zero(int, (int)w.n_drained), "never from inside the call");
	cr_expect(not(gateway_ready(w.gateway, &why)));
	loop_sim_advance(w.loop, 100);
	text = sim_peer_next(a);
	cr_assert(eq(int, sscanf(text, "{\"type\":\"draining\",\"retry_ms\":%lld}", &told), 1),
		"%s", text);
	cr_expect(eq(int, sscanf(sim_peer_close_reason(a), "retry_ms=%lld", &reason), 1));
	cr_expect(eq(long, (long)told, (long)reason));
	cr_expect(ge(long, (long)told, 500));
	cr_expect(le(long, (long)told, 5500));
	EXPECT_NEXT(b, "{\"type\":\"draining\",\"retry_ms\":*}");
	cr_expect(eq(int, sim_peer_close_code(a), 4112));
	cr_expect(eq(int, sim_peer_close_code(b), 4112));
	cr_expect(eq(int, sim_peer_close_code(fresh), 4112));
	cr_expect(eq(int, (int)w.n_drained, 1));
	late = world_open(&w);
	cr_expect(eq(int, sim_peer_close_code(late), 1006), "nobody is taken in");
	loop_sim_advance(w.loop, 60000);
	cr_expect(eq(int, (int)w.n_drained, 1));
	cr_expect(not(str_is_set(sim_store_get(w.store, key, NULL))), "the slot is free");
}

Test(deliver, drain_waits_for_the_reports_and_acknowledges_first)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_broker_set_latency(w.broker, 1000000);
	world_say(&w, p, "{\"id\":2,\"type\":\"interest\"," INTEREST "}");
	gateway_drain(w.gateway, on_drained, &w);
	loop_sim_advance(w.loop, 500);
	EXPECT_NEXT(p, "{\"type\":\"draining\",*}");
	cr_expect(eq(int, sim_peer_close_code(p), 0));
	world_say(&w, p, "{\"id\":3,\"type\":\"interest\"," INTEREST "}");
	EXPECT_NEXT(p, "{\"id\":3,*\"unavailable\"*\"applied\":\"no\"*}");
	cr_expect(zero(int, (int)w.n_drained));
	loop_sim_advance(w.loop, 600);
	EXPECT_NEXT(p, "{\"id\":2,\"type\":\"ack\",*}");
	cr_expect(eq(int, sim_peer_close_code(p), 4112));
	cr_expect(eq(int, (int)w.n_drained, 1));
}

Test(deliver, drain_ends_even_if_the_broker_never_reports)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_broker_set_down(w.broker, true);
	world_say(&w, p, "{\"id\":2,\"type\":\"interest\"," INTEREST "}");
	gateway_drain(w.gateway, on_drained, &w);
	loop_sim_advance(w.loop, 9999);
	cr_expect(eq(int, sim_peer_close_code(p), 0));
	cr_expect(zero(int, (int)w.n_drained));
	loop_sim_advance(w.loop, 1100);
	cr_expect(eq(int, sim_peer_close_code(p), 4112));
	cr_expect(eq(int, (int)w.n_drained, 1));
}

Test(deliver, gateway_may_be_freed_with_everything_in_flight)
{
	WORLD(w);
	struct sim_peer *p = world_connect(&w, "u_42");

	sim_broker_set_latency(w.broker, 1000000);
	sim_store_set_latency(w.store, 1000000);
	world_say(&w, p, "{\"id\":2,\"type\":\"interest\"," INTEREST "}");
	sim_peer_choke(p, true);
	world_say(&w, p, "{\"id\":3,\"type\":\"watch\"}");
	loop_sim_advance(w.loop, 10);
	cr_expect(eq(sz, bus_in_flight(w.bus), 1));
}
