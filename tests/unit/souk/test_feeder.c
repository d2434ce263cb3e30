/* The headers of what the demo's feeder writes; the values are the table codecs' own. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/io/sim/bus_sim.h"
#include "common/io/sim/loop_sim.h"
#include "common/model/item.h"
#include "common/model/topics.h"
#include "souk/demo/feeder.h"

#define START INT64_C(1795334400000) /* 2026-11-22T08:00:00Z */

static struct schedule_user users[] = { { .address = "0xb" } };
static const struct bid bids[] = { { .amount = 5 } };
static struct auction auctions[] = { { .token = 8, .seller = "0xs", .bids = bids, .n_bids = 1 } };
static struct schedule_event events[] = { { .kind = SCHEDULE_LIST },
	{ .at_s = 1, .kind = SCHEDULE_BID }, { .at_s = 2, .kind = SCHEDULE_SOLD } };
static const struct schedule schedule = { .auctions = auctions,
	.n_auctions = 1,
	.events = events,
	.n_events = 3,
	.users = users,
	.n_users = 1 };

struct world {
	struct loop *loop;
	struct sim_broker *broker;
	struct bus *bus;
	struct feeder *feeder;
};

static void world_init(struct world *w)
{
	static const char *const topics[] = { TOPIC_INVENTORY, TOPIC_PROFILE, TOPIC_LOYALTY };

	cr_assert(zero(int, loop_sim_new(&w->loop, START)));
	cr_assert(zero(int, sim_broker_new(&w->broker, w->loop)));
	for (size_t i = 0; i < ARRAY_LEN(topics); i++)
		cr_assert(zero(int, sim_broker_topic(w->broker, topics[i], 1)));
	cr_assert(zero(int, bus_sim_new(&w->bus, w->broker, "")));
	cr_assert(zero(int, feeder_new(&w->feeder, w->bus, &schedule,
				    &(struct feeder_config){ .start_ms = START, .n_users = 1 })));
}

static void world_fini(struct world *w)
{
	loop_sim_settle(w->loop);
	cr_expect(zero(sz, feeder_waiting(w->feeder)));
	feeder_free(w->feeder);
	bus_free(w->bus);
	sim_broker_free(w->broker);
	loop_free(w->loop);
}

static void expect_header(const struct bus_record *r, const char *name, const char *want)
{
	struct str value = bus_header(r, name);

	cr_expect(str_eq(value, str_of(want)), "%s is " STR_FMT, name, STR_ARG(value));
}

static void expect_cloud_event(
	const struct bus_record *r, const char *id, const char *type, const char *time)
{
	cr_assert(r != NULL);
	expect_header(r, "ce_specversion", "1.0");
	expect_header(r, "ce_id", id);
	expect_header(r, "ce_type", type);
	expect_header(r, "ce_source", "/souk/demo");
	expect_header(r, "ce_time", time);
	expect_header(r, "content-type", "application/json");
}

Test(feeder, rows_are_cloud_events_whose_id_is_key_and_version)
{
	const struct bus_record *r;
	struct world w;

	world_init(&w);
	cr_assert(feeder_load(w.feeder, 0));
	loop_sim_settle(w.loop);
	r = sim_broker_record(w.broker, TOPIC_PROFILE, 0, 0);
	expect_cloud_event(
		r, "0xb:1795334400000.1", "souk." TOPIC_PROFILE, "2026-11-22T08:00:00.000Z");
	expect_header(r, "x-souk-confirm", NULL);
	r = sim_broker_record(w.broker, TOPIC_LOYALTY, 0, 0);
	expect_cloud_event(
		r, "0xb:1795334400000.1", "souk." TOPIC_LOYALTY, "2026-11-22T08:00:00.000Z");
	expect_header(r, "x-souk-confirm", NULL);
	world_fini(&w);
}

Test(feeder, a_list_price_is_confirmed_and_carries_the_time_of_its_event)
{
	const struct bus_record *r;
	char item[ITEM_MAX], id[ITEM_MAX + 32];
	struct world w;

	world_init(&w);
	cr_assert(zero(int, feeder_send(w.feeder, 0, START + 60001)));
	loop_sim_settle(w.loop);
	schedule_item(item, &auctions[0]);
	snprintf(id, sizeof(id), "%s:1795334400000.2", item);
	r = sim_broker_record(w.broker, TOPIC_INVENTORY, 0, 0);
	expect_cloud_event(r, id, "souk." TOPIC_INVENTORY, "2026-11-22T08:01:00.001Z");
	expect_header(r, "x-souk-confirm", "1");
	cr_expect(str_eqz(r->key, item));
	world_fini(&w);
}

Test(feeder, a_repeated_event_has_the_id_of_the_first)
{
	struct world w;

	world_init(&w);
	cr_assert(zero(int, feeder_send(w.feeder, 0, START)));
	cr_assert(zero(int, feeder_send(w.feeder, 0, START + 1000)));
	cr_assert(zero(int, feeder_send(w.feeder, 1, START + 2000)));
	loop_sim_settle(w.loop);

	struct str id[3];
	for (int i = 0; i < 3; i++)
		id[i] = bus_header(sim_broker_record(w.broker, TOPIC_INVENTORY, 0, i), "ce_id");
	cr_expect(str_eq(id[0], id[1]));
	cr_expect(not(str_eq(id[0], id[2])));
	world_fini(&w);
}

Test(feeder, a_row_that_kafka_refused_is_not_settled_but_sent_again)
{
	struct world w;

	world_init(&w);
	sim_broker_fail_sends(w.broker, TOPIC_INVENTORY, 1, -ETIMEDOUT);
	cr_assert(zero(int, feeder_send(w.feeder, 0, START + 1000)));
	feeder_passed(w.feeder, 1);
	loop_sim_settle(w.loop);
	cr_expect(eq(sz, feeder_waiting(w.feeder), 1));
	cr_expect(zero(u32, feeder_settled(w.feeder))); /* and it is sent again */
	cr_expect(eq(sz, feeder_waiting(w.feeder), 1));
	cr_expect(zero(u32, feeder_settled(w.feeder)));
	loop_sim_settle(w.loop);
	cr_expect(eq(u32, feeder_settled(w.feeder), 1));
	cr_expect(zero(sz, feeder_waiting(w.feeder)));
	cr_expect(eq(i64, sim_broker_high(w.broker, TOPIC_INVENTORY, 0), 1));
	expect_header(sim_broker_record(w.broker, TOPIC_INVENTORY, 0, 0), "ce_time",
		"2026-11-22T08:00:01.000Z");
	world_fini(&w);
}

Test(feeder, a_lost_row_comes_again_as_its_item_is_by_then)
{
	const struct bus_record *r;
	char version[64];
	struct world w;

	world_init(&w);
	sim_broker_fail_sends(w.broker, TOPIC_INVENTORY, 1, -ETIMEDOUT);
	cr_assert(zero(int, feeder_send(w.feeder, 0, START)));
	cr_assert(zero(int, feeder_send(w.feeder, 1, START + 1000)));
	feeder_passed(w.feeder, 2);
	loop_sim_settle(w.loop);
	cr_expect(
		zero(u32, feeder_settled(w.feeder))); /* event 1 is there, event 0 holds it back */
	loop_sim_settle(w.loop);
	cr_expect(eq(u32, feeder_settled(w.feeder), 2));
	r = sim_broker_record(w.broker, TOPIC_INVENTORY, 0, 1);
	cr_assert(r != NULL);
	snprintf(version, sizeof(version), "\"ver\":\"%" PRId64 ".3\"", START);
	cr_expect(memmem(r->value.p, r->value.n, version, strlen(version)) != NULL, STR_FMT,
		STR_ARG(r->value));
	world_fini(&w);
}

Test(feeder, rows_of_the_load_that_were_lost_are_waited_for_and_sent_again)
{
	struct world w;

	world_init(&w);
	/* The profile is lost twice. */
	sim_broker_fail_sends(w.broker, TOPIC_PROFILE, 2, -ETIMEDOUT);
	sim_broker_fail_sends(w.broker, TOPIC_LOYALTY, 1, -ETIMEDOUT);
	cr_assert(feeder_load(w.feeder, 0));
	loop_sim_settle(w.loop);
	cr_expect(eq(sz, feeder_waiting(w.feeder), 2));
	for (int i = 0; i < 2; i++) {
		(void)feeder_settled(w.feeder);
		loop_sim_settle(w.loop);
	}
	cr_expect(zero(sz, feeder_waiting(w.feeder)));
	cr_expect(eq(i64, sim_broker_high(w.broker, TOPIC_PROFILE, 0), 1));
	cr_expect(eq(i64, sim_broker_high(w.broker, TOPIC_LOYALTY, 0), 1));
	world_fini(&w);
}

Test(feeder, a_full_bus_leaves_the_lost_for_later)
{
	struct world w;

	world_init(&w);
	sim_broker_fail_sends(w.broker, TOPIC_INVENTORY, 2, -ETIMEDOUT);
	cr_assert(zero(int, feeder_send(w.feeder, 0, START)));
	cr_assert(zero(int, feeder_send(w.feeder, 1, START)));
	feeder_passed(w.feeder, 2);
	loop_sim_settle(w.loop);
	sim_bus_set_queue_max(w.bus, 1);
	cr_expect(zero(u32, feeder_settled(w.feeder))); /* one goes, the other finds no room */
	cr_expect(eq(sz, feeder_waiting(w.feeder), 2));
	loop_sim_settle(w.loop);
	cr_expect(eq(sz, feeder_waiting(w.feeder), 1));
	cr_expect(eq(u32, feeder_settled(w.feeder), 1));
	loop_sim_settle(w.loop);
	cr_expect(eq(u32, feeder_settled(w.feeder), 2));
	world_fini(&w);
}

Test(feeder, given_up_with_lost_rows_nothing_is_left_behind)
{
	struct world w;

	world_init(&w);
	sim_broker_fail_sends(w.broker, TOPIC_INVENTORY, 1, -ETIMEDOUT);
	cr_assert(zero(int, feeder_send(w.feeder, 0, START)));
	loop_sim_settle(w.loop);
	cr_expect(eq(sz, feeder_waiting(w.feeder), 1));
	feeder_free(w.feeder);
	bus_free(w.bus);
	sim_broker_free(w.broker);
	loop_free(w.loop);
}
