#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>

#include "common/base/buf.h"
#include "common/io/owner.h"
#include "common/io/sim/bus_sim.h"
#include "common/io/sim/loop_sim.h"

/* An owner record is "<shard>@<instance>", anything else is none. */
struct shard {
	char name[8];
	char instance[8];
	struct owner *owner;
	int64_t epoch;
	unsigned n_acquired, n_lost, n_sent, n_denied;
	int64_t last_offset;
	bool frees_when_lost, claims_when_lost;
	struct str told;
};

struct fixture {
	struct loop *loop;
	struct sim_broker *broker;
	struct bus *bus, *other_bus;
};

static void setup(struct fixture *f)
{
	*f = (struct fixture){ 0 };
	cr_assert(zero(int, loop_sim_new(&f->loop, 1000)));
	cr_assert(zero(int, sim_broker_new(&f->broker, f->loop)));
	cr_assert(zero(int, sim_broker_topic(f->broker, "log", 3)));
	cr_assert(zero(int, bus_sim_new(&f->bus, f->broker, "")));
	cr_assert(zero(int, bus_sim_new(&f->other_bus, f->broker, "")));
}

static void teardown(struct fixture *f)
{
	bus_free(f->bus);
	bus_free(f->other_bus);
	sim_broker_free(f->broker);
	loop_free(f->loop);
}

static void on_acquired(void *ctx, int64_t epoch)
{
	struct shard *s = ctx;

	s->n_acquired++;
	s->epoch = epoch;
}

static void on_lost(void *ctx)
{
	struct shard *s = ctx;

	s->n_lost++;
	cr_expect(eq(i64, owner_epoch(s->owner), -1));
	if (s->frees_when_lost)
		s->owner = owner_free(s->owner);
	else if (s->claims_when_lost)
		owner_claim(s->owner);
}

static struct str owner_of(void *ctx, const struct bus_record *r)
{
	struct shard *s = ctx;
	size_t n = strlen(s->name);

	if (r->value.n > n && memcmp(r->value.p, s->name, n) == 0 && r->value.p[n] == '@')
		return (struct str){ r->value.p + n + 1, r->value.n - n - 1 };
	return STR_NONE;
}

static void write_owner(void *ctx, struct buf *out)
{
	struct shard *s = ctx;

	buf_printf(out, "%s@%s", s->name, s->instance);
}

static const struct owner_ops OPS = {
	.acquired = on_acquired, .lost = on_lost, .owner_of = owner_of, .write = write_owner
};

static void shard_open_keyed(struct shard *s, struct fixture *f, struct bus *bus, const char *name,
	const char *instance, int32_t partition, struct str key)
{
	struct owner_config config = { .topic = "log",
		.partition = partition,
		.key = key,
		.instance = str_of(instance),
		.repeat_ms = 86400000 };

	*s = (struct shard){ .epoch = -1, .last_offset = -1 };
	snprintf(s->name, sizeof(s->name), "%s", name);
	snprintf(s->instance, sizeof(s->instance), "%s", instance);
	cr_assert(zero(int, owner_new(&s->owner, f->loop, bus, &config, &OPS, s)));
}

static void shard_open(
	struct shard *s, struct fixture *f, struct bus *bus, const char *name, const char *instance)
{
	shard_open_keyed(s, f, bus, name, instance, 0, STR_NONE);
	owner_claim(s->owner);
}

static void on_sent(void *ctx, int err, int32_t partition, int64_t offset)
{
	struct shard *s = ctx;

	(void)partition;
	if (err == 0)
		s->n_sent++;
	else if (err == -EPERM)
		s->n_denied++;
	s->last_offset = offset;
}

static int say(struct shard *s, const char *text)
{
	return owner_send(s->owner,
		&(struct bus_message){ .value = str_of(text), .sent = on_sent, .ctx = s });
}

static void intrude(struct bus *b, const char *text)
{
	cr_assert(zero(
		int, bus_send(b, &(struct bus_message){ .topic = "log", .value = str_of(text) })));
}

Test(owner, epoch_is_the_offset_of_the_owner_record)
{
	struct fixture f;
	struct shard a;

	setup(&f);
	intrude(f.other_bus, "earlier");
	loop_sim_settle(f.loop);
	shard_open(&a, &f, f.bus, "a", "i1");
	cr_expect(eq(i64, owner_epoch(a.owner), -1));
	cr_expect(eq(int, say(&a, "x"), -EPERM));
	loop_sim_settle(f.loop);
	cr_expect(eq(u32, a.n_acquired, 1));
	cr_expect(eq(i64, a.epoch, 1));
	cr_expect(eq(i64, owner_epoch(a.owner), 1));
	cr_expect(str_eq(sim_broker_record(f.broker, "log", 0, 1)->value, STR("a@i1")));
	owner_free(a.owner);
	teardown(&f);
}

Test(owner, messages_go_to_the_owned_partition_and_are_reported)
{
	struct fixture f;
	struct shard a;
	struct bus_message m = {
		.topic = "elsewhere", .partition = 2, .value = STR("x"), .sent = on_sent, .ctx = &a
	};

	setup(&f);
	shard_open(&a, &f, f.bus, "a", "i1");
	loop_sim_settle(f.loop);
	cr_assert(zero(int, owner_send(a.owner, &m)));
	cr_expect(eq(str, (char *)m.topic, "log"));
	cr_expect(zero(i32, m.partition));
	cr_assert(zero(int, say(&a, "y")));
	cr_expect(zero(u32, a.n_sent));
	loop_sim_settle(f.loop);
	cr_expect(eq(u32, a.n_sent, 2));
	cr_expect(eq(i64, a.last_offset, 2));
	cr_expect(zero(u64, owner_strays(a.owner)));
	owner_free(a.owner);
	teardown(&f);
}

Test(owner, partition_of_a_key_is_where_its_records_go)
{
	struct fixture f;
	struct shard a;
	struct str key = STR("ethereum:azuki");
	int32_t p = bus_partition_of(key, 3);

	setup(&f);
	shard_open_keyed(&a, &f, f.bus, "a", "i1", BUS_BY_KEY, key);
	owner_claim(a.owner);
	loop_sim_settle(f.loop);
	cr_assert(zero(int, say(&a, "x")));
	loop_sim_settle(f.loop);
	cr_expect(eq(i64, sim_broker_high(f.broker, "log", p), 2));
	cr_expect(str_eq(sim_broker_record(f.broker, "log", p, 0)->key, key));
	owner_free(a.owner);
	teardown(&f);
}

Test(owner, stray_record_is_skipped_and_counted)
{
	struct fixture f;
	struct shard a;

	setup(&f);
	shard_open(&a, &f, f.bus, "a", "i1");
	loop_sim_settle(f.loop);
	intrude(f.other_bus, "stray");
	intrude(f.other_bus, "b@i2");
	loop_sim_settle(f.loop);
	cr_assert(zero(int, say(&a, "x")));
	loop_sim_settle(f.loop);
	cr_expect(eq(u32, a.n_sent, 1));
	cr_expect(eq(i64, a.last_offset, 3));
	cr_expect(zero(u32, a.n_lost));
	cr_expect(eq(u64, owner_strays(a.owner), 2));
	owner_free(a.owner);
	teardown(&f);
}

Test(owner, owner_record_of_another_instance_takes_the_shard)
{
	struct fixture f;
	struct shard a;

	setup(&f);
	shard_open(&a, &f, f.bus, "a", "i1");
	loop_sim_settle(f.loop);
	intrude(f.other_bus, "a@i2");
	loop_sim_settle(f.loop);
	cr_assert(zero(int, say(&a, "x")));
	cr_assert(zero(int, say(&a, "y")));
	loop_sim_settle(f.loop);
	cr_expect(eq(u32, a.n_lost, 1));
	cr_expect(eq(u32, a.n_denied, 2));
	cr_expect(zero(u32, a.n_sent));
	cr_expect(eq(i64, a.last_offset, -1));
	cr_expect(eq(int, say(&a, "z"), -EPERM));
	owner_claim(a.owner);
	loop_sim_settle(f.loop);
	cr_expect(eq(i64, a.epoch, 4));
	cr_expect(zero(int, say(&a, "z")));
	loop_sim_settle(f.loop);
	cr_expect(eq(u32, a.n_sent, 1));
	owner_free(a.owner);
	teardown(&f);
}

Test(owner, no_report_is_given_before_the_gap_is_read)
{
	struct fixture f;
	struct shard a;

	setup(&f);
	shard_open(&a, &f, f.bus, "a", "i1");
	loop_sim_settle(f.loop);
	intrude(f.other_bus, "stray");
	loop_sim_settle(f.loop);
	sim_broker_set_latency(f.broker, 10000);
	cr_assert(zero(int, say(&a, "x")));
	cr_assert(zero(int, say(&a, "y")));
	loop_sim_advance(f.loop, 10); /* reported; the reading takes another 10 ms */
	cr_expect(zero(u32, a.n_sent));
	loop_sim_advance(f.loop, 10);
	cr_expect(eq(u32, a.n_sent, 2));
	owner_free(a.owner);
	teardown(&f);
}

Test(owner, shards_of_one_process_leave_no_gaps_for_each_other)
{
	struct fixture f;
	struct shard a, b;

	setup(&f);
	shard_open(&a, &f, f.bus, "a", "i1");
	shard_open(&b, &f, f.bus, "b", "i1");
	loop_sim_settle(f.loop);
	for (int i = 0; i < 3; i++)
		cr_assert(zero(int, say(&a, "x") | say(&b, "y")));
	loop_sim_settle(f.loop);
	cr_expect(eq(u32, a.n_sent, 3));
	cr_expect(eq(u32, b.n_sent, 3));
	cr_expect(zero(u64, owner_strays(a.owner) + owner_strays(b.owner)));
	owner_free(a.owner);
	owner_free(b.owner);
	teardown(&f);
}

Test(owner, only_the_shard_that_was_taken_is_lost)
{
	struct fixture f;
	struct shard a, b;

	setup(&f);
	shard_open(&a, &f, f.bus, "a", "i1");
	shard_open(&b, &f, f.bus, "b", "i1");
	loop_sim_settle(f.loop);
	intrude(f.other_bus, "b@i2");
	loop_sim_settle(f.loop);
	cr_assert(zero(int, say(&a, "x")));
	cr_assert(zero(int, say(&b, "y")));
	loop_sim_settle(f.loop);
	cr_expect(zero(u32, a.n_lost));
	cr_expect(eq(u32, a.n_sent, 1));
	cr_expect(eq(u32, b.n_lost, 1));
	cr_expect(eq(u32, b.n_denied, 1));
	owner_free(a.owner);
	owner_free(b.owner);
	teardown(&f);
}

Test(owner, of_two_processes_the_later_owner_record_wins)
{
	struct fixture f;
	struct shard a, b;

	setup(&f);
	shard_open(&a, &f, f.bus, "a", "i1");
	loop_sim_settle(f.loop);
	shard_open(&b, &f, f.other_bus, "a", "i2");
	loop_sim_settle(f.loop);
	cr_assert(zero(int, say(&a, "late")));
	loop_sim_settle(f.loop);
	cr_assert(zero(int, say(&b, "x")));
	loop_sim_settle(f.loop);
	cr_expect(eq(u32, a.n_lost, 1));
	cr_expect(zero(u32, b.n_lost));
	cr_expect(eq(u32, b.n_sent, 1)); /* the late record of the former owner is a stray */
	cr_expect(eq(u64, owner_strays(b.owner), 1));
	owner_free(a.owner);
	owner_free(b.owner);
	teardown(&f);
}

Test(owner, claim_is_repeated_until_a_record_is_surely_in_the_log)
{
	struct fixture f;
	struct shard a;

	setup(&f);
	sim_broker_fail_sends(f.broker, "log", 2, -EIO);
	shard_open(&a, &f, f.bus, "a", "i1");
	loop_sim_settle(f.loop);
	cr_expect(zero(u32, a.n_acquired));
	loop_sim_advance(f.loop, 1000);
	cr_expect(eq(u32, a.n_acquired, 1));
	cr_expect(zero(i64, a.epoch));
	cr_expect(eq(i64, sim_broker_high(f.broker, "log", 0), 1));
	owner_free(a.owner);
	teardown(&f);
}

Test(owner, claim_waits_for_the_topic)
{
	struct fixture f;
	struct shard a;
	struct owner_config config = {
		.topic = "new", .partition = BUS_BY_KEY, .key = STR("k"), .instance = STR("i1")
	};

	setup(&f);
	a = (struct shard){ .name = "a", .instance = "i1", .epoch = -1 };
	cr_assert(zero(int, owner_new(&a.owner, f.loop, f.bus, &config, &OPS, &a)));
	owner_claim(a.owner);
	loop_sim_advance(f.loop, 1000);
	cr_expect(zero(u32, a.n_acquired));
	cr_assert(zero(int, sim_broker_topic(f.broker, "new", 4)));
	loop_sim_advance(f.loop, 1000);
	cr_expect(eq(u32, a.n_acquired, 1));
	owner_free(a.owner);
	teardown(&f);
}

Test(owner, own_record_whose_report_was_lost_is_no_loss)
{
	struct fixture f;
	struct shard a;

	setup(&f);
	shard_open(&a, &f, f.bus, "a", "i1");
	loop_sim_settle(f.loop);
	sim_broker_fail_sends(f.broker, "log", 1, -EIO);
	owner_claim(a.owner);
	loop_sim_settle(f.loop);
	intrude(f.other_bus, "a@i1"); /* so it was there after all */
	loop_sim_settle(f.loop);
	loop_sim_advance(f.loop, 1000);
	loop_sim_settle(f.loop);
	cr_expect(zero(u32, a.n_lost));
	cr_expect(eq(i64, a.epoch, 2));
	cr_assert(zero(int, say(&a, "x")));
	loop_sim_settle(f.loop);
	cr_expect(eq(u32, a.n_sent, 1));
	owner_free(a.owner);
	teardown(&f);
}

/* Whoever reads the log goes by it, and takes what we write for void. */
Test(owner, own_record_behind_the_epoch_is_a_loss)
{
	struct fixture f;
	struct shard a;

	setup(&f);
	shard_open(&a, &f, f.bus, "a", "i1");
	loop_sim_settle(f.loop);
	intrude(f.other_bus, "a@i1");
	loop_sim_settle(f.loop);
	cr_assert(zero(int, say(&a, "x")));
	loop_sim_settle(f.loop);
	cr_expect(eq(u32, a.n_lost, 1));
	cr_expect(eq(u32, a.n_denied, 1));
	cr_expect(zero(u32, a.n_sent));
	owner_free(a.owner);
	teardown(&f);
}

Test(owner, failed_send_is_passed_on_and_nothing_is_lost)
{
	struct fixture f;
	struct shard a;

	setup(&f);
	shard_open(&a, &f, f.bus, "a", "i1");
	loop_sim_settle(f.loop);
	sim_broker_fail_sends(f.broker, "log", 1, -EIO);
	cr_assert(zero(int, say(&a, "x") | say(&a, "y")));
	loop_sim_settle(f.loop);
	cr_expect(eq(u32, a.n_sent, 1));
	cr_expect(zero(u32, a.n_denied + a.n_lost));
	owner_free(a.owner);
	teardown(&f);
}

Test(owner, record_is_repeated_under_a_higher_epoch_and_sends_wait_for_it)
{
	struct fixture f;
	struct shard a;

	setup(&f);
	shard_open(&a, &f, f.bus, "a", "i1");
	loop_sim_settle(f.loop);
	cr_assert(zero(int, say(&a, "x")));
	loop_sim_settle(f.loop);
	sim_broker_set_latency(f.broker, 5000);
	loop_sim_advance(f.loop, 86400000);
	cr_expect(eq(int, say(&a, "y"), -ENOBUFS));
	cr_expect(eq(u32, a.n_acquired, 1));
	loop_sim_advance(f.loop, 5);
	cr_expect(eq(u32, a.n_acquired, 2));
	cr_expect(eq(i64, a.epoch, 2));
	cr_expect(zero(int, say(&a, "y")));
	loop_sim_advance(f.loop, 5);
	cr_expect(eq(u32, a.n_sent, 2));
	owner_free(a.owner);
	teardown(&f);
}

Test(owner, freed_owner_is_told_nothing_more)
{
	struct fixture f;
	struct shard a, b;

	setup(&f);
	shard_open(&a, &f, f.bus, "a", "i1");
	shard_open(&b, &f, f.bus, "b", "i1");
	loop_sim_settle(f.loop);
	cr_assert(zero(int, say(&a, "x")));
	a.owner = owner_free(a.owner);
	loop_sim_settle(f.loop);
	cr_expect(zero(u32, a.n_sent));
	cr_assert(zero(int, say(&b, "y"))); /* and its record is no gap */
	loop_sim_settle(f.loop);
	cr_expect(eq(u32, b.n_sent, 1));
	cr_expect(zero(u64, owner_strays(b.owner)));
	cr_assert(zero(int, say(&b, "z")));
	b.owner = owner_free(b.owner);
	loop_sim_settle(f.loop);
	cr_expect(eq(u32, b.n_sent, 1));
	teardown(&f);
}

Test(owner, bus_may_be_freed_with_reports_outstanding)
{
	struct fixture f;
	struct shard a;

	setup(&f);
	shard_open(&a, &f, f.bus, "a", "i1");
	loop_sim_settle(f.loop);
	cr_assert(zero(int, say(&a, "x")));
	a.owner = owner_free(a.owner);
	f.bus = bus_free(f.bus);
	loop_sim_settle(f.loop);
	cr_expect(zero(u32, a.n_sent));
	teardown(&f);
}

Test(owner, may_be_freed_or_claimed_from_lost)
{
	struct fixture f;
	struct shard a, b;

	setup(&f);
	shard_open(&a, &f, f.bus, "a", "i1");
	shard_open(&b, &f, f.bus, "b", "i1");
	a.frees_when_lost = true;
	b.claims_when_lost = true;
	loop_sim_settle(f.loop);
	intrude(f.other_bus, "a@i2");
	intrude(f.other_bus, "b@i2");
	loop_sim_settle(f.loop);
	cr_assert(zero(int, say(&a, "x") | say(&b, "y")));
	loop_sim_settle(f.loop);
	cr_expect(eq(u32, a.n_lost, 1));
	cr_expect(zero(ptr, a.owner));
	cr_expect(eq(u32, b.n_lost, 1));
	cr_expect(eq(u32, b.n_denied, 1));
	cr_expect(eq(u32, b.n_acquired, 2));
	cr_expect(eq(i64, b.epoch, 6));
	owner_free(b.owner);
	teardown(&f);
}

Test(owner, freed_while_a_gap_is_read)
{
	struct fixture f;
	struct shard a;

	setup(&f);
	shard_open(&a, &f, f.bus, "a", "i1");
	loop_sim_settle(f.loop);
	intrude(f.other_bus, "a@i2");
	loop_sim_settle(f.loop);
	sim_broker_set_latency(f.broker, 10000);
	cr_assert(zero(int, say(&a, "x")));
	loop_sim_advance(f.loop, 10);
	a.owner = owner_free(a.owner);
	loop_sim_advance(f.loop, 100);
	cr_expect(zero(u32, a.n_lost + a.n_denied + a.n_sent));
	teardown(&f);
}

Test(owner, gap_that_retention_took_loses_the_shard)
{
	struct fixture f;
	struct shard a;

	setup(&f);
	shard_open(&a, &f, f.bus, "a", "i1");
	loop_sim_settle(f.loop);
	intrude(f.other_bus, "who knows");
	loop_sim_settle(f.loop);
	sim_broker_set_latency(f.broker, 10000);
	cr_assert(zero(int, say(&a, "x")));
	loop_sim_advance(f.loop, 10);
	sim_broker_truncate(f.broker, "log", 0, 2);
	loop_sim_advance(f.loop, 100);
	cr_expect(eq(u32, a.n_lost, 1));
	cr_expect(eq(u32, a.n_denied, 1));
	owner_free(a.owner);
	teardown(&f);
}
