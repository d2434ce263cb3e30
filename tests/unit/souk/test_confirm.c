#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <stdio.h>

#include "common/io/sim/bus_sim.h"
#include "common/io/sim/loop_sim.h"
#include "common/model/tables.h"
#include "common/model/topics.h"
#include "souk/confirm.h"

#define ITEM  "game:azeroth/sword:iron/17"
#define OTHER "game:azeroth/sword:iron/18"
#define N     3

struct world {
	struct loop *loop;
	struct sim_broker *broker;
	struct bus *bus, *source;
	struct confirm *confirm;
	struct confirm_result result;
	int n_results;
};

static void world_init(struct world *w)
{
	*w = (struct world){ 0 };
	cr_assert(zero(int, loop_sim_new(&w->loop, 1795334400000)));
	cr_assert(zero(int, sim_broker_new(&w->broker, w->loop)));
	cr_assert(zero(int, sim_broker_topic(w->broker, TOPIC_INVENTORY, N)));
	cr_assert(zero(int, bus_sim_new(&w->bus, w->broker, "")));
	cr_assert(zero(int, bus_sim_new(&w->source, w->broker, "")));
}

static void world_fini(struct world *w)
{
	confirm_free(w->confirm);
	bus_free(w->bus);
	bus_free(w->source);
	sim_broker_free(w->broker);
	loop_free(w->loop);
}

static int32_t partition(void)
{
	return bus_partition_of(STR(ITEM), N);
}

static const struct bus_record *last(struct world *w)
{
	int64_t high = sim_broker_high(w->broker, TOPIC_INVENTORY, partition());

	return high ? sim_broker_record(w->broker, TOPIC_INVENTORY, partition(), high - 1) : NULL;
}

static void put(struct world *w, const char *key, struct str value, const char *header,
	const char *header_value)
{
	struct bus_header h = { str_of(header), str_of(header_value) };

	cr_assert(zero(int, bus_send(w->source, &(struct bus_message){ .topic = TOPIC_INVENTORY,
							.partition = partition(),
							.key = str_of(key),
							.value = value,
							.headers = &h,
							.n_headers = header ? 1 : 0 })));
	loop_sim_settle(w->loop);
}

static const char *row(const char *item, const char *ver, const char *amount)
{
	static char json[512];

	snprintf(json, sizeof(json),
		"{\"item\":\"%s\", "
		"\"ver\":\"%s\",\"list\":{\"amount\":\"%s\",\"currency\":\"ETH\"},"
		"\"supply\":1,\"more\":[1.50]}",
		item, ver, amount);
	return json;
}

static void list(struct world *w, const char *ver, const char *amount)
{
	put(w, ITEM, str_of(row(ITEM, ver, amount)), NULL, NULL);
}

static void on_result(void *ctx, const struct confirm_result *result)
{
	struct world *w = ctx;

	w->n_results++;
	w->result = *result;
}

static void begin(struct world *w)
{
	cr_assert(zero(int, confirm_new(&w->confirm, w->loop, w->bus, STR(ITEM), on_result, w)));
	cr_expect(zero(int, w->n_results));
}

static void confirm(struct world *w)
{
	begin(w);
	loop_sim_advance(w->loop, 1000);
	cr_assert(eq(int, w->n_results, 1));
}

static void expect_copy_of(struct world *w, const char *ver, const char *amount)
{
	const struct bus_record *r = last(w);

	cr_expect(eq(int, w->result.outcome, CONFIRM_DONE));
	cr_expect(str_eqz(r->value, row(ITEM, ver, amount)), STR_FMT, STR_ARG(r->value));
	cr_expect(str_eqz(r->key, ITEM));
	cr_expect(str_eqz(bus_header(r, "x-souk-confirm"), "1"));
	cr_expect(eq(i64, w->result.offset, r->offset));
	cr_expect(eq(int, w->result.partition, partition()));
}

Test(confirm, the_newest_row_is_written_again_byte_by_byte_with_the_header)
{
	struct world w;

	world_init(&w);
	list(&w, "2", "100");
	list(&w, "3", "500");
	put(&w, OTHER, str_of(row(OTHER, "9", "7")), NULL, NULL);
	confirm(&w);
	expect_copy_of(&w, "3", "500");
	cr_expect(eq(u64, (uint64_t)w.result.list.amount, 500));
	cr_expect(eq(u64, w.result.ver.part[0], 3));
	cr_expect(str_eqz(bus_header(last(&w), "ce_type"), "souk.inventory.v1"));
	cr_expect(str_eqz(bus_header(last(&w), "ce_source"), "/souk/confirm"));
	world_fini(&w);
}

Test(confirm, a_late_row_of_a_lower_version_is_not_the_newest)
{
	struct world w;

	world_init(&w);
	list(&w, "10", "500");
	list(&w, "9", "100");
	confirm(&w);
	expect_copy_of(&w, "10", "500");
	world_fini(&w);
}

Test(confirm, of_equal_versions_the_later_one_is_taken)
{
	struct world w;

	world_init(&w);
	list(&w, "3", "100");
	list(&w, "3", "500");
	confirm(&w);
	expect_copy_of(&w, "3", "500");
	world_fini(&w);
}

Test(confirm, what_is_no_row_of_the_item_is_passed_over)
{
	struct world w;

	world_init(&w);
	list(&w, "3", "500");
	put(&w, ITEM, STR("no JSON"), NULL, NULL);
	put(&w, ITEM, str_of(row(OTHER, "4", "1")), NULL, NULL);
	put(&w, ITEM, STR("{\"item\":\"" ITEM "\",\"ver\":\"5\"}"), NULL, NULL);
	confirm(&w);
	expect_copy_of(&w, "3", "500");
	world_fini(&w);
}

static void expect_nothing(struct world *w)
{
	int64_t high = sim_broker_high(w->broker, TOPIC_INVENTORY, partition());

	confirm(w);
	cr_expect(eq(int, w->result.outcome, CONFIRM_NO_ITEM));
	cr_expect(eq(i64, sim_broker_high(w->broker, TOPIC_INVENTORY, partition()), high));
	world_fini(w);
}

Test(confirm, an_item_that_was_never_written_is_told)
{
	struct world w;

	world_init(&w);
	expect_nothing(&w);
	world_init(&w);
	put(&w, OTHER, str_of(row(OTHER, "9", "7")), NULL, NULL);
	expect_nothing(&w);
}

Test(confirm, a_deleted_item_has_nothing_to_confirm)
{
	struct world w;

	world_init(&w);
	list(&w, "3", "500");
	put(&w, ITEM, STR_NONE, NULL, NULL);
	expect_nothing(&w);
	world_init(&w);
	list(&w, "3", "500");
	put(&w, ITEM, STR_NONE, "x-souk-ver", "4");
	list(&w, "3", "500"); /* read again by its source: below the delete */
	expect_nothing(&w);
}

Test(confirm, a_delete_of_a_lower_version_deletes_nothing)
{
	struct world w;

	world_init(&w);
	list(&w, "3", "500");
	put(&w, ITEM, STR_NONE, "x-souk-ver", "2");
	put(&w, ITEM, STR_NONE, "x-souk-ver", "new");
	confirm(&w);
	expect_copy_of(&w, "3", "500");
	world_fini(&w);
}

Test(confirm, a_row_after_a_delete_is_there_again)
{
	struct world w;

	world_init(&w);
	list(&w, "3", "500");
	put(&w, ITEM, STR_NONE, NULL, NULL);
	list(&w, "4", "600");
	confirm(&w);
	expect_copy_of(&w, "4", "600");
	world_fini(&w);
}

/* A bus on which the source always speaks just before the copy. */
static struct overtaken {
	struct bus bus;
	struct world *world;
	const char *ver;
} overtaken;

static int overtaken_send(struct bus *b, const struct bus_message *m)
{
	const struct bus_header trace = { STR("x-trace"), STR("t") };

	(void)b;
	if (overtaken.ver) {
		const char *json = row(ITEM, TAKE(overtaken.ver), "900");

		cr_assert(zero(int, bus_send(overtaken.world->source,
					    &(struct bus_message){ .topic = TOPIC_INVENTORY,
						    .partition = partition(),
						    .key = STR(ITEM),
						    .value = str_of(json),
						    .headers = &trace,
						    .n_headers = 1 })));
	}
	return bus_send(overtaken.world->bus, m);
}

static int32_t overtaken_partitions(struct bus *b, const char *topic)
{
	(void)b;
	return bus_partitions(overtaken.world->bus, topic);
}

static int overtaken_open(
	struct bus *b, struct bus_reader **ret, const struct bus_reader_ops *ops, void *ctx)
{
	(void)b;
	return bus_reader_open(overtaken.world->bus, ret, ops, ctx);
}

Test(confirm, a_row_that_came_between_reading_and_writing_stays_the_last_word)
{
	static const struct bus_ops ops = { .send = overtaken_send,
		.partitions = overtaken_partitions,
		.reader_open = overtaken_open };
	const struct bus_record *r;
	struct world w;

	world_init(&w);
	overtaken = (struct overtaken){ { &ops }, &w, "4" };
	list(&w, "3", "500");
	cr_assert(zero(
		int, confirm_new(&w.confirm, w.loop, &overtaken.bus, STR(ITEM), on_result, &w)));
	loop_sim_advance(w.loop, 1000);
	cr_assert(eq(int, w.n_results, 1));
	cr_expect(eq(int, w.result.outcome, CONFIRM_CHANGED));
	cr_expect(eq(i64, w.result.offset, 2));
	cr_expect(eq(i64, sim_broker_high(w.broker, TOPIC_INVENTORY, partition()), 4));
	r = last(&w);
	cr_expect(str_eqz(r->value, row(ITEM, "4", "900")));
	cr_expect(str_eqz(bus_header(r, "x-trace"), "t"));
	cr_expect(not(str_is_set(bus_header(r, "x-souk-confirm"))));
	world_fini(&w);
}

/* Whenever the source speaks. */
Test(confirm, a_row_that_comes_meanwhile_is_confirmed_or_comes_after)
{
	int n_read = 0, n_after = 0;

	for (int us = 0; us < 2000; us += 20) {
		const struct bus_record *r;
		struct world w;

		world_init(&w);
		list(&w, "3", "500");
		sim_broker_set_latency(w.broker, 400);
		begin(&w);
		loop_sim_advance_us(w.loop, us);
		list(&w, "4", "900");
		loop_sim_advance(w.loop, 5000);
		cr_assert(eq(int, w.n_results, 1));
		r = last(&w);
		cr_expect(str_eqz(r->value, row(ITEM, "4", "900")), "at %d us", us);
		if (str_is_set(bus_header(r, "x-souk-confirm")))
			n_read++;
		else
			n_after++;
		cr_expect(eq(u64, w.result.ver.part[0],
			str_is_set(bus_header(r, "x-souk-confirm")) ? 4 : 3));
		world_fini(&w);
	}
	cr_expect(n_read > 0 && n_after > 0, "%d %d", n_read, n_after);
}

Test(confirm, a_copy_that_is_not_acknowledged_is_told)
{
	struct world w;

	world_init(&w);
	list(&w, "3", "500");
	sim_broker_fail_sends(w.broker, TOPIC_INVENTORY, 1, -ETIMEDOUT);
	confirm(&w);
	cr_expect(eq(int, w.result.outcome, CONFIRM_FAILED));
	cr_expect(eq(int, w.result.err, -ETIMEDOUT));
	world_fini(&w);
}

Test(confirm, it_can_be_given_up_at_any_time)
{
	for (int us = 0; us < 300; us += 20) {
		struct world w;

		world_init(&w);
		list(&w, "3", "500");
		sim_broker_set_latency(w.broker, 50);
		begin(&w);
		loop_sim_advance_us(w.loop, us);
		w.confirm = confirm_free(w.confirm);
		w.n_results = 0;
		loop_sim_advance(w.loop, 1000);
		cr_expect(zero(int, w.n_results));
		world_fini(&w);
	}
}
