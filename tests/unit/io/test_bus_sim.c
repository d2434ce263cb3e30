#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>

#include "common/io/sim/bus_sim.h"
#include "common/io/sim/loop_sim.h"
#include "tests/conformance/bus_suite.h"
#include "tests/conformance/bus_tape.h"

/* ---- the suite ---- */

struct sim_harness {
	struct bus_harness h; /* first */
	struct loop *loop;
	struct sim_broker *broker;
};

static struct bus *sim_bus_new(struct bus_harness *h, const char *prefix, size_t queue_max)
{
	struct bus *b = NULL;

	cr_assert(zero(int, bus_sim_new(&b, ((struct sim_harness *)h)->broker, prefix)));
	if (queue_max)
		sim_bus_set_queue_max(b, queue_max);
	return b;
}

static void sim_topic(struct bus_harness *h, const char *full, int32_t partitions)
{
	cr_assert(zero(int, sim_broker_topic(((struct sim_harness *)h)->broker, full, partitions)));
}

static bool sim_pump(struct bus_harness *h, bool (*is_done)(void *ctx), void *ctx)
{
	struct loop *l = ((struct sim_harness *)h)->loop;

	for (int i = 0; i < 600; i++) {
		loop_sim_settle(l);
		if (is_done(ctx))
			return true;
		loop_sim_advance(l, 100);
	}
	return false;
}

static void sim_settle(struct bus_harness *h)
{
	loop_sim_advance(((struct sim_harness *)h)->loop, 1000);
}

static void sim_down(struct bus_harness *h, bool is_down)
{
	sim_broker_set_down(((struct sim_harness *)h)->broker, is_down);
}

static void sim_truncate(struct bus_harness *h, const char *full, int32_t partition, int64_t low)
{
	sim_broker_truncate(((struct sim_harness *)h)->broker, full, partition, low);
}

static void run_case(size_t i, int64_t latency_us)
{
	struct sim_harness s = { .h = { .can = BUS_CAN_GO_DOWN | BUS_CAN_REBALANCE |
					       BUS_CAN_TRUNCATE | BUS_KNOWS_TOPICS,
					 .bus_new = sim_bus_new,
					 .topic = sim_topic,
					 .pump = sim_pump,
					 .settle = sim_settle,
					 .set_down = sim_down,
					 .truncate = sim_truncate,
					 .run = "r" } };

	cr_assert(zero(int, loop_sim_new(&s.loop, 1700000000000)));
	cr_assert(zero(int, sim_broker_new(&s.broker, s.loop)));
	sim_broker_set_latency(s.broker, latency_us);
	bool is_ok = bus_case_run(&BUS_CASES[i], &s.h);
	cr_assert(is_ok, "%s (latency %lld us): %s", BUS_CASES[i].name, (long long)latency_us,
		s.h.failure);
	sim_broker_free(s.broker);
	loop_free(s.loop);
}

ParameterizedTestParameters(bus_sim, conforms)
{
	static size_t index[64];

	cr_assert(N_BUS_CASES <= ARRAY_LEN(index));
	for (size_t i = 0; i < N_BUS_CASES; i++)
		index[i] = i;
	return cr_make_param_array(size_t, index, N_BUS_CASES);
}

ParameterizedTest(size_t *i, bus_sim, conforms)
{
	run_case(*i, 0);
	run_case(*i, 3000);
}

/* ---- what only the in-memory broker has ---- */

struct fixture {
	struct loop *loop;
	struct sim_broker *broker;
	struct bus *bus;
	struct tape sent, read;
};

static void setup(struct fixture *f)
{
	*f = (struct fixture){ 0 };
	cr_assert(zero(int, loop_sim_new(&f->loop, 1000)));
	cr_assert(zero(int, sim_broker_new(&f->broker, f->loop)));
	cr_assert(zero(int, sim_broker_topic(f->broker, "p.t", 1)));
	cr_assert(zero(int, bus_sim_new(&f->bus, f->broker, "p.")));
}

static void teardown(struct fixture *f)
{
	tape_fini(&f->sent);
	tape_fini(&f->read);
	bus_free(f->bus);
	sim_broker_free(f->broker);
	loop_free(f->loop);
}

static int put(struct fixture *f, const char *value)
{
	return bus_send(f->bus,
		&(struct bus_message){
			.topic = "t", .value = str_of(value), .sent = tape_sent, .ctx = &f->sent });
}

Test(bus_sim, log_is_there_for_assertions)
{
	struct fixture f;

	setup(&f);
	cr_assert(zero(int, put(&f, "a")));
	cr_expect(zero(ptr, (void *)sim_broker_record(f.broker, "p.t", 0, 0)));
	loop_sim_settle(f.loop);
	const struct bus_record *r = sim_broker_record(f.broker, "p.t", 0, 0);
	cr_assert(not(zero(ptr, (void *)r)));
	cr_expect(str_eq(r->value, STR("a")));
	cr_expect(eq(str, (char *)r->topic, "p.t"));
	cr_expect(eq(i64, r->ts_ms, 1000));
	cr_expect(eq(i64, sim_broker_high(f.broker, "p.t", 0), 1));
	cr_expect(eq(i64, sim_broker_high(f.broker, "p.t", 1), -1));
	teardown(&f);
}

Test(bus_sim, failed_send_is_reported_and_not_in_the_log)
{
	struct fixture f;

	setup(&f);
	sim_broker_fail_sends(f.broker, "p.t", 1, -EIO);
	cr_assert(zero(int, put(&f, "a")));
	cr_assert(zero(int, put(&f, "b")));
	loop_sim_settle(f.loop);
	cr_expect(eq(int, f.sent.v[0]->err, -EIO));
	cr_expect(eq(i64, f.sent.v[0]->offset, -1));
	cr_expect(eq(i64, f.sent.v[1]->offset, 0));
	cr_expect(str_eq(sim_broker_record(f.broker, "p.t", 0, 0)->value, STR("b")));
	teardown(&f);
}

Test(bus_sim, answer_lost_to_an_outage_is_a_timeout_of_a_record_in_the_log)
{
	struct fixture f;

	setup(&f);
	sim_broker_set_latency(f.broker, 5000);
	cr_assert(zero(int, put(&f, "a")));
	loop_sim_settle(f.loop);
	cr_expect(eq(i64, sim_broker_high(f.broker, "p.t", 0), 1));
	sim_broker_set_down(f.broker, true);
	loop_sim_advance(f.loop, 29000);
	cr_expect(zero(sz, f.sent.n));
	loop_sim_advance(f.loop, 2000);
	cr_assert(eq(sz, f.sent.n, 1));
	cr_expect(eq(int, f.sent.v[0]->err, -ETIMEDOUT));
	teardown(&f);
}

Test(bus_sim, bus_freed_early_drops_its_reports)
{
	struct fixture f;

	setup(&f);
	sim_broker_set_latency(f.broker, 5000);
	cr_assert(zero(int, put(&f, "in the log")));
	loop_sim_settle(f.loop);
	cr_assert(zero(int, put(&f, "not yet")));
	f.bus = bus_free(f.bus);
	loop_sim_advance(f.loop, 1000);
	cr_expect(zero(sz, f.sent.n));
	cr_expect(eq(i64, sim_broker_high(f.broker, "p.t", 0), 1));
	teardown(&f);
}

Test(bus_sim, records_come_after_the_latency)
{
	struct fixture f;
	struct bus_reader *r = NULL;

	setup(&f);
	sim_broker_set_latency(f.broker, 2000);
	cr_assert(zero(int, bus_reader_open(f.bus, &r, &TAPE_READER, &f.read)));
	cr_assert(zero(int, bus_reader_add(r, "t", 0, BUS_FROM_END, -1)));
	loop_sim_advance_us(f.loop, 2000);
	cr_assert(zero(int, put(&f, "a")));
	loop_sim_advance_us(f.loop, 1999);
	cr_expect(zero(sz, tape_count(&f.read, TAPE_RECORD)));
	loop_sim_advance_us(f.loop, 1);
	cr_expect(eq(sz, tape_count(&f.read, TAPE_RECORD), 1));
	bus_reader_close(r);
	teardown(&f);
}

Test(bus_sim, commit_shows_at_the_broker_with_its_metadata)
{
	struct fixture f;
	struct bus_group *g = NULL;
	const char *topics[] = { "t" };
	struct str metadata;

	setup(&f);
	cr_assert(zero(int, bus_group_open(f.bus, &g, "g", topics, 1, &TAPE_GROUP, &f.read)));
	loop_sim_settle(f.loop);
	cr_assert(zero(int, bus_group_commit(g, "t", 0, 7, STR("x"))));
	cr_expect(eq(i64, sim_broker_committed(f.broker, "g", "p.t", 0, &metadata), BUS_NO_OFFSET));
	loop_sim_settle(f.loop);
	cr_expect(eq(i64, sim_broker_committed(f.broker, "g", "p.t", 0, &metadata), 7));
	cr_expect(str_eq(metadata, STR("x")));
	bus_group_close(g);
	teardown(&f);
}

Test(bus_sim, truncation_below_a_reader_is_out_of_range)
{
	struct fixture f;
	struct bus_reader *r = NULL;

	setup(&f);
	for (int i = 0; i < 5; i++)
		cr_assert(zero(int, put(&f, "x")));
	loop_sim_settle(f.loop);
	cr_assert(zero(int, bus_reader_open(f.bus, &r, &TAPE_READER, &f.read)));
	cr_assert(zero(int, bus_reader_add(r, "t", 0, 1, -1)));
	sim_broker_truncate(f.broker, "p.t", 0, 4);
	loop_sim_settle(f.loop);
	cr_assert(eq(sz, f.read.n, 3));
	cr_expect(eq(int, (int)f.read.v[0]->kind, TAPE_OUT_OF_RANGE));
	cr_expect(eq(i64, f.read.v[0]->offset, 4));
	cr_expect(eq(i64, f.read.v[1]->offset, 4));
	cr_expect(eq(i64, f.read.v[2]->offset, 5));
	bus_reader_close(r);
	teardown(&f);
}
