/*
 * The conformance suite of the bus over librdkafka, in two parts: against librdkafka's mock cluster
 * in this process, and against the real broker at SOUK_TEST_KAFKA (skipped without). Then what only
 * a real broker can show: control records, topic creation, bounded closing. Prints TAP.
 *
 * Not run on the mock cluster of librdkafka 2.0.2: cases with a second member or a rejoin, as its
 * coordinator holds the rejoin until the session timeout is nearly over; unknown topics, as it
 * creates whatever is asked for; retention, as it keeps records until memory says otherwise; it has
 * no CreateTopics, and its transactions do nothing.
 */
#include <ev.h>
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/io/bus_kafka.h"
#include "common/io/owner.h"
#include "tests/conformance/bus_suite.h"
#include "tests/conformance/bus_tape.h"

#define DEADLINE_MS 30000

struct real {
	struct bus_harness h; /* first */
	struct loop *loop;
	struct metrics *metrics;
	const char *bootstrap;
	rd_kafka_mock_cluster_t *mock; /* NULL: a real broker */
	char run[32];
	bool (*is_done)(void *ctx);
	void *ctx;
	int64_t until_ms;
	bool is_in_time;
};

static int n_tests, n_failed;

static void report(const char *what, const char *name, const char *failure)
{
	bool is_ok = !failure[0];

	printf("%s %d - %s: %s%s%s\n", is_ok ? "ok" : "not ok", ++n_tests, what, name,
		is_ok ? "" : " # ", failure);
	fflush(stdout);
	n_failed += !is_ok;
}

static void skip(const char *what, const char *name, const char *why)
{
	printf("ok %d - %s: %s # SKIP %s\n", ++n_tests, what, name, why);
	fflush(stdout);
}

#define REQUIRE(cond) \
	do { \
		if (!(cond)) { \
			printf("Bail out! line %d: %s\n", __LINE__, #cond); \
			exit(1); \
		} \
	} while (0)

/* ---- the harness ---- */

static struct bus *real_bus_new(struct bus_harness *h, const char *prefix, size_t queue_max)
{
	struct real *x = (struct real *)h;
	char queue[80];
	const char *properties[] = { queue };
	struct fault f = { 0 };
	struct bus *b = NULL;

	snprintf(queue, sizeof(queue), "queue.buffering.max.messages=%zu", queue_max);
	struct bus_kafka_config config = { .bootstrap = x->bootstrap,
		.topic_prefix = prefix,
		.client_id = "suite",
		.properties = properties,
		.n_properties = queue_max ? 1 : 0,
		.delivery_timeout_ms = 5000 };
	if (bus_kafka_new(&b, x->loop, &config, x->metrics, &f)) {
		printf("Bail out! %s\n", f.text);
		exit(1);
	}
	return b;
}

static void real_topic(struct bus_harness *h, const char *full, int32_t partitions)
{
	struct real *x = (struct real *)h;
	struct bus_kafka_config config = {
		.bootstrap = x->bootstrap, .topic_prefix = "", .client_id = "suite"
	};
	struct fault f = { 0 };

	if (x->mock) {
		REQUIRE(!rd_kafka_mock_topic_create(x->mock, full, partitions, 1));
		return;
	}
	if (bus_kafka_create_topics(&config,
		    &(struct bus_topic_spec){ .name = full, .partitions = partitions }, 1, 20000,
		    &f)) {
		printf("Bail out! %s\n", f.text);
		exit(1);
	}
}

static void on_look(void *ctx)
{
	struct real *x = ctx;

	if (x->is_done && x->is_done(x->ctx))
		x->is_in_time = true;
	if (x->is_in_time || loop_mono_ms(x->loop) >= x->until_ms)
		loop_stop(x->loop);
}

static bool run_until(struct real *x, bool (*is_done)(void *ctx), void *ctx, int64_t max_ms)
{
	struct loop_timer *look = loop_timer_new(x->loop, on_look, x);

	REQUIRE(look);
	x->is_done = is_done;
	x->ctx = ctx;
	x->until_ms = loop_mono_ms(x->loop) + max_ms;
	x->is_in_time = false;
	loop_timer_repeat(look, 2);
	loop_run(x->loop);
	loop_timer_free(look);
	return x->is_in_time;
}

static bool real_pump(struct bus_harness *h, bool (*is_done)(void *ctx), void *ctx)
{
	return run_until((struct real *)h, is_done, ctx, DEADLINE_MS);
}

static void real_settle(struct bus_harness *h)
{
	run_until((struct real *)h, NULL, NULL, 400);
}

static void mock_down(struct bus_harness *h, bool is_down)
{
	struct real *x = (struct real *)h;

	REQUIRE(!(is_down ? rd_kafka_mock_broker_set_down(x->mock, 1)
			  : rd_kafka_mock_broker_set_up(x->mock, 1)));
}

static void real_init(struct real *x, const char *bootstrap, rd_kafka_mock_cluster_t *mock,
	struct loop *loop, struct metrics *metrics)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*x = (struct real){ .h = { .bus_new = real_bus_new,
				    .topic = real_topic,
				    .pump = real_pump,
				    .settle = real_settle },
		.loop = loop,
		.metrics = metrics,
		.bootstrap = bootstrap,
		.mock = mock };
	snprintf(x->run, sizeof(x->run), "t%lx.%lx", (long)now.tv_sec, now.tv_nsec / 1000);
	x->h.run = x->run;
	x->h.set_down = mock_down;
	x->h.can = mock ? BUS_CAN_GO_DOWN : BUS_CAN_REBALANCE | BUS_KNOWS_TOPICS | BUS_CAN_TRUNCATE;
}

static void run_suite(struct real *x, const char *what)
{
	const char *only = getenv("SOUK_TEST_ONLY");

	for (size_t i = 0; i < N_BUS_CASES; i++) {
		const struct bus_case *c = &BUS_CASES[i];

		if (only && !strstr(c->name, only))
			continue;
		if (c->needs & ~x->h.can) {
			skip(what, c->name, "this broker cannot be made to");
			continue;
		}
		bus_case_run(c, &x->h);
		report(what, c->name, x->h.failure);
	}
}

/* ---- deleting records: retention at will ---- */

static rd_kafka_t *plain_client(const struct real *x, const char *transactional_id)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[200];

	REQUIRE(!rd_kafka_conf_set(conf, "bootstrap.servers", x->bootstrap, why, sizeof(why)));
	if (transactional_id)
		REQUIRE(!rd_kafka_conf_set(
			conf, "transactional.id", transactional_id, why, sizeof(why)));
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	REQUIRE(rk);
	return rk;
}

static void real_truncate(struct bus_harness *h, const char *full, int32_t partition, int64_t low)
{
	rd_kafka_t *rk = plain_client((struct real *)h, NULL);
	rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

	rd_kafka_topic_partition_list_add(list, full, partition)->offset = low;
	rd_kafka_DeleteRecords_t *request = rd_kafka_DeleteRecords_new(list);
	rd_kafka_DeleteRecords(rk, &request, 1, NULL, q);
	rd_kafka_event_t *e = rd_kafka_queue_poll(q, 10000);
	REQUIRE(e && !rd_kafka_event_error(e));
	rd_kafka_event_destroy(e);
	rd_kafka_DeleteRecords_destroy(request);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_queue_destroy(q);
	rd_kafka_destroy(rk);
}

/* ---- cases of the real one alone ---- */

#define CHECK(cond) \
	do { \
		if (!(cond)) { \
			snprintf(x->h.failure, sizeof(x->h.failure), "line %d: %s", __LINE__, \
				#cond); \
			goto out; \
		} \
	} while (0)

static void in_transaction(rd_kafka_t *rk, const char *topic, int n, bool commits)
{
	REQUIRE(!rd_kafka_begin_transaction(rk));
	for (int i = 0; i < n; i++)
		REQUIRE(!rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
			RD_KAFKA_V_VALUE("x", 1), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
			RD_KAFKA_V_END));
	/* An abort purges what is still queued: it is to be in the log. */
	REQUIRE(!rd_kafka_flush(rk, 10000));
	REQUIRE(!(commits ? rd_kafka_commit_transaction(rk, 10000)
			  : rd_kafka_abort_transaction(rk, 10000)));
}

static void ranges_end_at_control_and_aborted_records(struct real *x)
{
	CLEANUP(tape_fini) struct tape t = { 0 };
	struct bus *b = x->h.bus_new(&x->h, "", 0);
	struct bus_reader *r = NULL;
	char topic[64];

	snprintf(topic, sizeof(topic), "%s.txn", x->run);
	real_topic(&x->h, topic, 1);
	rd_kafka_t *rk = plain_client(x, topic);
	REQUIRE(!rd_kafka_init_transactions(rk, 20000));
	in_transaction(rk, topic, 3, true);  /* 0 1 2, marker at 3 */
	in_transaction(rk, topic, 2, false); /* 4 5 never seen, marker at 6 */
	rd_kafka_destroy(rk);

	CHECK(!bus_reader_open(b, &r, &TAPE_READER, &t));
	CHECK(!bus_reader_add(
		r, topic, 0, BUS_FROM_BEGIN, 4)); /* the last offset below it is the marker's */
	CHECK(tape_wait(&t, &x->h, TAPE_END, 1));
	CHECK(tape_count(&t, TAPE_RECORD) == 3 && tape_last(&t, TAPE_END)->offset == 4);
	CHECK(!bus_reader_add(r, topic, 0, 3, 7)); /* nothing in it at all */
	CHECK(tape_wait(&t, &x->h, TAPE_END, 2));
	CHECK(tape_count(&t, TAPE_RECORD) == 3 && tape_last(&t, TAPE_END)->offset == 7);
	CHECK(!bus_reader_add(r, topic, 0, BUS_FROM_BEGIN, -1));
	CHECK(tape_wait(&t, &x->h, TAPE_END, 3));
	CHECK(tape_count(&t, TAPE_RECORD) == 6 && tape_last(&t, TAPE_END)->offset == 7);
	CHECK(bus_reader_high(r, topic, 0) == 7);
out:
	bus_reader_close(r);
	bus_free(b);
}

static void topics_are_created_once_and_their_partitions_checked(struct real *x)
{
	static const char *const compact[] = { "cleanup.policy=compact",
		"max.compaction.lag.ms=3600000", NULL };
	static const char *const wrong[] = { "cleanup.policy=sometimes", NULL };
	struct bus_kafka_config config = { .bootstrap = x->bootstrap, .client_id = "suite" };
	char prefix[64];
	struct bus_topic_spec specs[] = { { "a", 3, compact }, { "b", 1, NULL } };
	struct fault f = { 0 };

	snprintf(prefix, sizeof(prefix), "%s.create.", x->run);
	config.topic_prefix = prefix;
	CHECK(!bus_kafka_create_topics(&config, specs, 2, 20000, &f));
	CHECK(!bus_kafka_create_topics(&config, specs, 2, 20000, &f));
	specs[1].partitions = 2;
	CHECK(bus_kafka_create_topics(&config, specs, 2, 20000, &f) == -EEXIST);
	CHECK(strstr(f.text, ".create.b has 1 partitions") && f.kind == FAULT_FATAL);
	CHECK(bus_kafka_create_topics(
		      &config, &(struct bus_topic_spec){ "c", 1, wrong }, 1, 20000, &f) == -EIO);
	CHECK(strstr(f.text, "create.c"));
out:;
}

static void a_broker_that_is_not_there_fails_creation_in_time(struct real *x)
{
	struct bus_kafka_config config = {
		.bootstrap = "127.0.0.1:9", .client_id = "suite", .topic_prefix = ""
	};
	struct fault f = { 0 };
	int64_t since_ms = loop_mono_ms(x->loop);

	CHECK(bus_kafka_create_topics(
		      &config, &(struct bus_topic_spec){ "c", 1, NULL }, 1, 700, &f) == -EIO);
	CHECK(f.kind == FAULT_RETRY);
	CHECK(loop_mono_ms(x->loop) - since_ms < 5000);
out:;
}

static void a_bad_property_is_named(struct real *x)
{
	static const struct {
		const char *property, *named;
	} bad[] = { { "no.such.thing=1", "no.such.thing" }, { "linger.ms=soon", "linger.ms" },
		{ "enable.idempotence=false", "enable.idempotence" },
		{ "isolation.level=read_uncommitted", "isolation" }, { "nothing", "nothing" } };
	struct bus *b = NULL;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct fault f = { 0 };
		struct bus_kafka_config config = { .bootstrap = x->bootstrap,
			.client_id = "suite",
			.properties = &bad[i].property,
			.n_properties = 1 };

		CHECK(bus_kafka_new(&b, x->loop, &config, x->metrics, &f) == -EINVAL);
		CHECK(f.kind == FAULT_FATAL && strstr(f.text, bad[i].named));
	}
out:;
}

static bool is_up(void *ctx)
{
	return bus_is_up(ctx);
}

static bool is_not_up(void *ctx)
{
	return !bus_is_up(ctx);
}

static void without_a_broker_nothing_blocks(struct real *x)
{
	CLEANUP(tape_fini) struct tape t = { 0 };
	const char *topics[] = { "t" };
	struct bus_kafka_config config = {
		.bootstrap = "127.0.0.1:9", .client_id = "suite", .delivery_timeout_ms = 1000
	};
	struct bus *b = NULL;
	struct bus_reader *r = NULL;
	struct bus_group *g = NULL;
	int64_t since_ms;

	CHECK(!bus_kafka_new(&b, x->loop, &config, x->metrics, NULL));
	since_ms = loop_mono_ms(x->loop);
	CHECK(!bus_reader_open(b, &r, &TAPE_READER, &t) &&
		!bus_reader_add(r, "t", 0, BUS_FROM_BEGIN, -1));
	CHECK(!bus_group_open(b, &g, "g", topics, 1, &TAPE_GROUP, &t));
	CHECK(bus_partitions(b, "t") == 0 && !bus_is_up(b) && bus_heard_ms(b) == 0);
	CHECK(!bus_send(
		b, &(struct bus_message){
			   .topic = "t", .value = STR("v"), .sent = tape_sent, .ctx = &t }));
	bus_reader_remove(r, "t", 0);
	CHECK(loop_mono_ms(x->loop) - since_ms < 500);
	CHECK(tape_wait(&t, &x->h, TAPE_SENT, 1) && t.v[0]->err == -ETIMEDOUT);
	since_ms = loop_mono_ms(x->loop);
	g = bus_group_close(g);
	r = bus_reader_close(r);
	CHECK(loop_mono_ms(x->loop) - since_ms < 500);
	b = bus_free(b);
	CHECK(loop_mono_ms(x->loop) - since_ms < 8000);
out:
	bus_group_close(g);
	bus_reader_close(r);
	bus_free(b);
}

static void an_idle_bus_stays_up(struct real *x)
{
	const char *const warm[] = { "warm" };
	struct bus_kafka_config config = { .bootstrap = x->bootstrap,
		.client_id = "suite",
		.topic_prefix = x->run,
		.warm_topics = warm,
		.n_warm_topics = 1 };
	char topic[64];
	struct bus *b = NULL;

	CHECK(!bus_kafka_new(&b, x->loop, &config, x->metrics, NULL));
	CHECK(x->mock || !run_until(x, is_up, b, 700)); /* its warm topic is not there yet */
	snprintf(topic, sizeof(topic), "%swarm", x->run);
	if (!x->mock)
		real_topic(&x->h, topic, 1);
	CHECK(x->h.pump(&x->h, is_up, b));
	CHECK(!run_until(x, is_not_up, b, 4000));
	CHECK(bus_heard_ms(b) >= loop_now_ms(x->loop) - 2500);
out:
	bus_free(b);
}

/* What the broker holds, asked by a client that has nothing to do with the bus. */
static int64_t committed_at_broker(
	const struct real *x, const char *group, const char *topic, int32_t partition)
{
	rd_kafka_t *rk = plain_client(x, NULL);
	rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_ListConsumerGroupOffsets_t *request;
	int64_t offset = BUS_NO_OFFSET;
	size_t n = 0;

	rd_kafka_topic_partition_list_add(list, topic, partition);
	request = rd_kafka_ListConsumerGroupOffsets_new(group, list);
	rd_kafka_ListConsumerGroupOffsets(rk, &request, 1, NULL, q);
	rd_kafka_event_t *e = rd_kafka_queue_poll(q, 10000);
	REQUIRE(e && !rd_kafka_event_error(e));
	const rd_kafka_group_result_t **groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
		rd_kafka_event_ListConsumerGroupOffsets_result(e), &n);
	REQUIRE(n == 1 && !rd_kafka_group_result_error(groups[0]));
	offset = rd_kafka_group_result_partitions(groups[0])->elems[0].offset;
	rd_kafka_event_destroy(e);
	rd_kafka_ListConsumerGroupOffsets_destroy(request);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_queue_destroy(q);
	rd_kafka_destroy(rk);
	return offset;
}

static void commits_arrive_while_the_member_stays(struct real *x)
{
	CLEANUP(tape_fini) struct tape t = { 0 };
	struct bus *b = x->h.bus_new(&x->h, "", 0);
	struct bus_group *g = NULL;
	char topic[64];
	const char *topics[] = { topic };

	snprintf(topic, sizeof(topic), "%s.stays", x->run);
	real_topic(&x->h, topic, 1);
	CHECK(!bus_group_open(b, &g, topic, topics, 1, &TAPE_GROUP, &t));
	CHECK(tape_wait(&t, &x->h, TAPE_ASSIGNED, 1));
	for (int64_t offset = 1; offset <= 3; offset++) {
		CHECK(!bus_group_commit(g, topic, 0, offset, STR("m")));
		x->h.settle(&x->h);
		CHECK(committed_at_broker(x, topic, topic, 0) == offset);
	}
	CHECK(!bus_group_commit(g, topic, 0, 4, STR_NONE));
	CHECK(!bus_group_commit(g, topic, 0, 5, STR_NONE));
	x->h.settle(&x->h);
	CHECK(committed_at_broker(x, topic, topic, 0) == 5);
	CHECK(metrics_value(x->metrics, "souk_bus_commit_errors_total", NULL) == 0);
out:
	bus_group_close(g);
	bus_free(b);
}

/* 15 s without a record: the member must not be evicted, nor the reader's leader count as silent.
 */
static void an_idle_member_stays(struct real *x)
{
	CLEANUP(tape_fini) struct tape t = { 0 };
	const char *properties[] = { "max.poll.interval.ms=10000" };
	struct bus_kafka_config config = { .bootstrap = x->bootstrap,
		.client_id = "suite",
		.properties = properties,
		.n_properties = 1 };
	struct bus *b = NULL;
	struct bus_group *g = NULL;
	char topic[64];
	const char *topics[] = { topic };

	snprintf(topic, sizeof(topic), "%s.idle", x->run);
	real_topic(&x->h, topic, 1);
	CHECK(!bus_kafka_new(&b, x->loop, &config, x->metrics, NULL));
	CHECK(!bus_group_open(b, &g, topic, topics, 1, &TAPE_GROUP, &t));
	CHECK(tape_wait(&t, &x->h, TAPE_ASSIGNED, 1));
	bus_group_start(g, topic, 0, BUS_FROM_BEGIN);
	run_until(x, NULL, NULL, 15000);
	CHECK(tape_count(&t, TAPE_REVOKED) == 0);
	CHECK(bus_heard_ms(b) >= loop_now_ms(x->loop) - 2500);
	CHECK(!bus_send(b, &(struct bus_message){ .topic = topic, .value = STR("v") }));
	CHECK(tape_wait(&t, &x->h, TAPE_RECORD, 1));
out:
	bus_group_close(g);
	bus_free(b);
}

/* As librdkafka does after an error that may have stored a batch: reported, replaced, and on we go.
 */
static void a_broken_producer_is_replaced(struct real *x)
{
	CLEANUP(tape_fini) struct tape t = { 0 };
	struct bus *b = x->h.bus_new(&x->h, "", 0);
	struct bus_message m = { .value = STR("v"), .sent = tape_sent, .ctx = &t };
	int64_t before = metrics_value(x->metrics, "souk_bus_producer_replacements_total", NULL);
	char topic[64];
	size_t n = 20;

	snprintf(topic, sizeof(topic), "%s.broken", x->run);
	real_topic(&x->h, topic, 1);
	m.topic = topic;
	CHECK(!bus_send(b, &m) && tape_wait(&t, &x->h, TAPE_SENT, 1) && t.v[0]->err == 0);
	for (size_t i = 0; i < n; i++)
		CHECK(!bus_send(b, &m));
	rd_kafka_test_fatal_error(((struct bus_kafka *)b)->producer.h.rk,
		RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "a test");
	CHECK(bus_send(b, &m) == -ENOBUFS);
	CHECK(tape_wait(&t, &x->h, TAPE_SENT, 1 + n)); /* each once, well or not */
	CHECK(metrics_value(x->metrics, "souk_bus_producer_replacements_total", NULL) ==
		before + 1);
	CHECK(bus_in_flight(b) == 0 && !bus_send(b, &m));
	CHECK(tape_wait(&t, &x->h, TAPE_SENT, 2 + n) && tape_last(&t, TAPE_SENT)->err == 0);
	CHECK(x->h.pump(&x->h, is_up, b));
out:
	bus_free(b);
}

static void counters_say_what_happened(struct real *x)
{
	CLEANUP(tape_fini) struct tape t = { 0 };
	CLEANUP(buf_fini) struct buf text = BUF_INIT(1 << 20);
	struct bus *b = x->h.bus_new(&x->h, "", 0);
	struct bus_reader *r = NULL;
	int64_t sent = metrics_value(x->metrics, "souk_bus_sent_total", "ok");
	int64_t received = metrics_value(x->metrics, "souk_bus_received_total", NULL);
	char topic[64];

	snprintf(topic, sizeof(topic), "%s.counters", x->run);
	real_topic(&x->h, topic, 1);
	for (int i = 0; i < 3; i++)
		CHECK(!bus_send(b, &(struct bus_message){ .topic = topic, .value = STR("v") }));
	CHECK(metrics_value(x->metrics, "souk_bus_in_flight", NULL) == 3);
	CHECK(!bus_reader_open(b, &r, &TAPE_READER, &t) &&
		!bus_reader_add(r, topic, 0, BUS_FROM_BEGIN, -1));
	CHECK(tape_wait(&t, &x->h, TAPE_RECORD, 3));
	x->h.settle(&x->h);
	CHECK(metrics_value(x->metrics, "souk_bus_in_flight", NULL) == 0);
	CHECK(metrics_value(x->metrics, "souk_bus_sent_total", "ok") == sent + 3);
	CHECK(metrics_value(x->metrics, "souk_bus_received_total", NULL) == received + 3);
	metrics_write(x->metrics, &text);
	CHECK(memmem(text.p, text.n, "souk_bus_send_seconds_count", 27));
out:
	bus_reader_close(r);
	bus_free(b);
}

/* ---- the owner over a real report and a real reading of the gap ---- */

struct claimed {
	struct tape tape;
	int64_t epoch;
	unsigned n_lost;
};

static void on_acquired(void *ctx, int64_t epoch)
{
	((struct claimed *)ctx)->epoch = epoch;
}

static void on_lost(void *ctx)
{
	((struct claimed *)ctx)->n_lost++;
}

static struct str owner_of(void *ctx, const struct bus_record *r)
{
	(void)ctx;
	return str_starts(r->value, STR("owner ")) ? (struct str){ r->value.p + 6, r->value.n - 6 }
						   : STR_NONE;
}

static void write_owner(void *ctx, struct buf *out)
{
	(void)ctx;
	buf_puts(out, STR("owner me"));
}

static bool has_epoch(void *ctx)
{
	return ((struct claimed *)ctx)->epoch >= 0;
}

static void an_owner_learns_that_it_was_replaced(struct real *x)
{
	static const struct owner_ops ops = {
		.acquired = on_acquired, .lost = on_lost, .owner_of = owner_of, .write = write_owner
	};
	struct claimed c = { .epoch = -1 };
	struct bus *b = x->h.bus_new(&x->h, "", 0);
	struct owner *o = NULL;
	char topic[64];
	struct owner_config config = { .topic = topic, .instance = STR("me") };
	struct bus_message m = { .value = STR("v"), .sent = tape_sent, .ctx = &c.tape };
	struct bus_message stray = {
		.topic = topic, .value = STR("stray"), .sent = tape_sent, .ctx = &c.tape
	};

	snprintf(topic, sizeof(topic), "%s.owned", x->run);
	real_topic(&x->h, topic, 1);
	CHECK(!owner_new(&o, x->loop, b, &config, &ops, &c));
	owner_claim(o);
	CHECK(x->h.pump(&x->h, has_epoch, &c) && c.epoch == 0);
	CHECK(!bus_send(b, &stray) && !owner_send(o, &m) &&
		tape_wait(&c.tape, &x->h, TAPE_SENT, 2));
	CHECK(c.tape.v[1]->err == 0 && c.tape.v[1]->offset == 2 && owner_strays(o) == 1);
	stray.value = STR("owner other");
	CHECK(!bus_send(b, &stray) && !owner_send(o, &m) &&
		tape_wait(&c.tape, &x->h, TAPE_SENT, 4));
	CHECK(c.n_lost == 1 && c.tape.v[3]->err == -EPERM && owner_epoch(o) == -1);
	c.epoch = -1;
	owner_claim(o);
	CHECK(x->h.pump(&x->h, has_epoch, &c) && c.epoch == 5);
out:
	owner_free(o);
	bus_free(b);
	tape_fini(&c.tape);
}

static void run_own(struct real *x, const char *what, const char *name, void (*fn)(struct real *))
{
	const char *only = getenv("SOUK_TEST_ONLY");

	if (only && !strstr(name, only))
		return;
	x->h.failure[0] = '\0';
	fn(x);
	report(what, name, x->h.failure);
}

#define OWN(fn) run_own(x, what, #fn, fn)

static void run_mock(struct loop *loop, struct metrics *metrics)
{
	const char *what = "mock";
	char why[200];
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, NULL, why, sizeof(why));
	REQUIRE(rk);
	rd_kafka_mock_cluster_t *mock = rd_kafka_mock_cluster_new(rk, 1);
	struct real real, *x = &real;

	REQUIRE(mock);
	real_init(x, rd_kafka_mock_cluster_bootstraps(mock), mock, loop, metrics);
	run_suite(x, what);
	OWN(an_idle_bus_stays_up);
	OWN(a_bad_property_is_named);
	OWN(a_broken_producer_is_replaced);
	OWN(counters_say_what_happened);
	OWN(commits_arrive_while_the_member_stays);
	OWN(an_owner_learns_that_it_was_replaced);
	OWN(without_a_broker_nothing_blocks);
	OWN(a_broker_that_is_not_there_fails_creation_in_time);
	rd_kafka_mock_cluster_destroy(mock);
	rd_kafka_destroy(rk);
}

static void run_real(const char *bootstrap, struct loop *loop, struct metrics *metrics)
{
	const char *what = "kafka";
	struct real real, *x = &real;

	real_init(x, bootstrap, NULL, loop, metrics);
	x->h.truncate = real_truncate;
	run_suite(x, what);
	OWN(an_idle_bus_stays_up);
	OWN(an_idle_member_stays);
	OWN(commits_arrive_while_the_member_stays);
	OWN(an_owner_learns_that_it_was_replaced);
	OWN(a_broken_producer_is_replaced);
	OWN(ranges_end_at_control_and_aborted_records);
	OWN(topics_are_created_once_and_their_partitions_checked);
}

int main(void)
{
	const char *bootstrap = getenv("SOUK_TEST_KAFKA");
	struct loop *loop = NULL;
	struct metrics *metrics = NULL;

	log_init("test", getenv("SOUK_TEST_DEBUG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR,
		LOG_FORMAT_LOGFMT);
	REQUIRE(!loop_ev_new(&loop));
	REQUIRE(!metrics_new(&metrics, 100));
	if (!getenv("SOUK_TEST_NO_MOCK"))
		run_mock(loop, metrics);
	if (bootstrap)
		run_real(bootstrap, loop, metrics);
	else
		skip("kafka", "everything", "SOUK_TEST_KAFKA is not set");
	metrics_free(metrics);
	loop_free(loop);
	printf("1..%d\n", n_tests);
	return n_failed ? 1 : 0;
}
