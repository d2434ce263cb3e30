#include "tests/conformance/bus_suite.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/conformance/bus_tape.h"

static bool fail(struct bus_harness *h, int line, const char *what)
{
	if (!h->has_failed)
		snprintf(h->failure, sizeof(h->failure), "bus_suite.c:%d: %s", line, what);
	h->has_failed = true;
	return false;
}

#define CHECK(cond) \
	do { \
		if (!(cond)) { \
			fail(h, __LINE__, #cond); \
			goto out; \
		} \
	} while (0)

/* ---- a case's world: one bus, one topic of its own, one reader and group ---- */

struct world {
	struct bus_harness *h;
	struct bus *bus;
	struct bus_reader *reader;
	struct bus_group *group, *group2;
	struct tape sent, read, got, got2;
	char topic[100], name[100];
};

static void world_open(struct world *w, struct bus_harness *h, const char *name, int32_t partitions)
{
	*w = (struct world){ .h = h };
	snprintf(w->topic, sizeof(w->topic), "%s.%s", h->run, name);
	snprintf(w->name, sizeof(w->name), "g.%s.%s", h->run, name);
	if (partitions)
		h->topic(h, w->topic, partitions);
	w->bus = h->bus_new(h, "", 0);
}

static void world_close(struct world *w)
{
	bus_group_close(w->group);
	bus_group_close(w->group2);
	bus_reader_close(w->reader);
	bus_free(w->bus);
	tape_fini(&w->sent);
	tape_fini(&w->read);
	tape_fini(&w->got);
	tape_fini(&w->got2);
}

static int send_to(struct world *w, int32_t partition, const char *key, const char *value)
{
	return bus_send(w->bus, &(struct bus_message){ .topic = w->topic,
					.partition = partition,
					.key = str_of(key),
					.value = str_of(value),
					.sent = tape_sent,
					.ctx = &w->sent });
}

/* "0", "1", … into partition 0 */
static bool fill(struct world *w, int n)
{
	size_t before = tape_count(&w->sent, TAPE_SENT);
	char text[16];

	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%d", i);
		if (send_to(w, 0, "k", text))
			return false;
	}
	if (!tape_wait(&w->sent, w->h, TAPE_SENT, before + (size_t)n))
		return false;
	for (size_t i = 0; i < w->sent.n; i++)
		if (w->sent.v[i]->err)
			return false;
	return true;
}

static int open_reader(struct world *w)
{
	return bus_reader_open(w->bus, &w->reader, &TAPE_READER, &w->read);
}

/* Whether the tape's records are @n consecutive ones from offset @first. */
static bool is_run(const struct tape *t, int64_t first, size_t n)
{
	if (tape_count(t, TAPE_RECORD) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (tape_at(t, TAPE_RECORD, i)->offset != first + (int64_t)i)
			return false;
	return true;
}

/* ---- sending ---- */

static void keyed_records_go_where_java_puts_them(struct bus_harness *h)
{
	static const char *const keys[] = { "", "4", "kafka", "giberish123456789", "u_7d1f",
		"ethereum:boredapeyachtclub", "\xff\x80\xfe\x81" };
	struct world w;

	world_open(&w, h, "keyed", 7);
	CHECK(!open_reader(&w));
	for (int32_t p = 0; p < 7; p++)
		CHECK(!bus_reader_add(w.reader, w.topic, p, BUS_FROM_BEGIN, -1));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		CHECK(!send_to(&w, BUS_BY_KEY, keys[i], "x"));
	CHECK(tape_wait(&w.read, h, TAPE_RECORD, ARRAY_LEN(keys)));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct tape_item *r = tape_at(&w.read, TAPE_RECORD, i);

		CHECK(r->key.p && r->partition == bus_partition_of(r->key, 7));
	}
out:
	world_close(&w);
}

static void reports_carry_the_offsets_in_order(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "reports", 2);
	CHECK(fill(&w, 300));
	for (size_t i = 0; i < 300; i++) {
		const struct tape_item *s = tape_at(&w.sent, TAPE_SENT, i);

		CHECK(s->err == 0 && s->partition == 0 && s->offset == (int64_t)i);
	}
	CHECK(!send_to(&w, 1, NULL, "other"));
	CHECK(tape_wait(&w.sent, h, TAPE_SENT, 301));
	CHECK(tape_last(&w.sent, TAPE_SENT)->partition == 1 &&
		tape_last(&w.sent, TAPE_SENT)->offset == 0);
	CHECK(bus_in_flight(w.bus) == 0);
out:
	world_close(&w);
}

static void no_report_comes_from_within_send(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "within", 1);
	CHECK(!send_to(&w, 0, NULL, "x"));
	CHECK(w.sent.n == 0 && bus_in_flight(w.bus) == 1);
	CHECK(tape_wait(&w.sent, h, TAPE_SENT, 1));
out:
	world_close(&w);
}

static void full_queue_refuses_and_recovers(struct bus_harness *h)
{
	struct world w;
	int r = 0, n = 0;

	world_open(&w, h, "full", 1);
	w.bus = bus_free(w.bus);
	w.bus = h->bus_new(h, "", 10);
	while (n < 200 && !(r = send_to(&w, 0, NULL, "x")))
		n++;
	CHECK(r == -ENOBUFS && n >= 10);
	CHECK(tape_wait(&w.sent, h, TAPE_SENT, (size_t)n));
	CHECK(bus_in_flight(w.bus) == 0);
	CHECK(!send_to(&w, 0, NULL, "again"));
	CHECK(tape_wait(&w.sent, h, TAPE_SENT, (size_t)n + 1));
	CHECK(tape_last(&w.sent, TAPE_SENT)->err == 0);
out:
	world_close(&w);
}

static void too_long_a_message_is_refused(struct bus_harness *h)
{
	struct world w;
	size_t n = 2000000;
	char *value = calloc(1, n);

	world_open(&w, h, "long", 1);
	CHECK(value && bus_send(w.bus, &(struct bus_message){ .topic = w.topic,
					       .value = { value, n } }) == -EMSGSIZE);
	CHECK(bus_in_flight(w.bus) == 0);
out:
	free(value);
	world_close(&w);
}

static bool knows_topic(void *ctx)
{
	struct world *w = ctx;

	return bus_partitions(w->bus, w->topic) == 3;
}

static void partitions_are_known_soon_and_bound_sends(struct bus_harness *h)
{
	struct bus_header header = { STR("h"), STR("v") };
	struct world w;

	world_open(&w, h, "bound", 3);
	CHECK(h->pump(h, knows_topic, &w));
	CHECK(send_to(&w, 3, NULL, "x") == -EINVAL);
	CHECK(bus_send(w.bus, &(struct bus_message){ .topic = w.topic,
				      .partition = 7,
				      .headers = &header,
				      .n_headers = 1 }) == -EINVAL);
	CHECK(send_to(&w, -2, NULL, "x") == -EINVAL);
	CHECK(!send_to(&w, 2, NULL, "x"));
	CHECK(tape_wait(&w.sent, h, TAPE_SENT, 1));
	CHECK(w.sent.n == 1 && w.sent.v[0]->partition == 2);
out:
	world_close(&w);
}

static void unknown_topic_has_no_partitions(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "unknown", 0);
	CHECK(bus_partitions(w.bus, w.topic) == 0);
	h->settle(h);
	CHECK(bus_partitions(w.bus, w.topic) == 0);
out:
	world_close(&w);
}

static bool is_up(void *ctx)
{
	return bus_is_up(ctx);
}

static void a_reachable_broker_is_up_and_heard(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "up", 1);
	CHECK(h->pump(h, is_up, w.bus));
	CHECK(bus_heard_ms(w.bus) > 0);
out:
	world_close(&w);
}

/* ---- what a record carries ---- */

static void headers_come_back_as_they_were(struct bus_harness *h)
{
	static const struct bus_header headers[] = {
		{ STR("ce_id"), STR("1") },
		{ STR("kafka_replyPartition"), { "\0\0\1\xff", 4 } },
		{ STR("empty"), STR("") },
		{ STR("none"), STR_NONE },
		{ STR("ce_id"), STR("2") },
	};
	struct world w;

	world_open(&w, h, "headers", 1);
	CHECK(!bus_send(w.bus, &(struct bus_message){ .topic = w.topic,
				       .key = STR("k"),
				       .value = STR("v"),
				       .headers = headers,
				       .n_headers = ARRAY_LEN(headers) }));
	CHECK(!open_reader(&w) && !bus_reader_add(w.reader, w.topic, 0, BUS_FROM_BEGIN, -1));
	CHECK(tape_wait(&w.read, h, TAPE_RECORD, 1));

	const struct tape_item *i = tape_at(&w.read, TAPE_RECORD, 0);
	struct bus_record r = { .headers = i->headers, .n_headers = i->n_headers };

	CHECK(r.n_headers == ARRAY_LEN(headers));
	for (size_t n = 0; n < r.n_headers; n++)
		CHECK(str_eq(r.headers[n].name, headers[n].name) &&
			str_eq(r.headers[n].value, headers[n].value));
	CHECK(str_eq(bus_header(&r, "ce_id"), STR("2")));
	CHECK(bus_header(&r, "empty").p && bus_header(&r, "empty").n == 0);
	CHECK(!bus_header(&r, "none").p && !bus_header(&r, "absent").p);
out:
	world_close(&w);
}

static void headers_beyond_the_maximum_are_cut(struct bus_harness *h)
{
	struct bus_header headers[BUS_HEADERS_MAX + 3];
	struct world w;

	world_open(&w, h, "cut", 1);
	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		headers[i] = (struct bus_header){ STR("h"), STR("v") };
	CHECK(!bus_send(w.bus, &(struct bus_message){ .topic = w.topic,
				       .value = STR("v"),
				       .headers = headers,
				       .n_headers = ARRAY_LEN(headers) }));
	CHECK(!open_reader(&w) && !bus_reader_add(w.reader, w.topic, 0, BUS_FROM_BEGIN, -1));
	CHECK(tape_wait(&w.read, h, TAPE_RECORD, 1));
	CHECK(tape_at(&w.read, TAPE_RECORD, 0)->n_headers == BUS_HEADERS_MAX);
out:
	world_close(&w);
}

static void absent_and_empty_are_kept_apart(struct bus_harness *h)
{
	struct world w;
	const struct tape_item *r;

	world_open(&w, h, "absent", 1);
	CHECK(!send_to(&w, 0, "k", NULL) && !send_to(&w, 0, NULL, "") && !send_to(&w, 0, "", "v"));
	CHECK(!open_reader(&w) && !bus_reader_add(w.reader, w.topic, 0, BUS_FROM_BEGIN, -1));
	CHECK(tape_wait(&w.read, h, TAPE_RECORD, 3));
	r = tape_at(&w.read, TAPE_RECORD, 0);
	CHECK(str_eq(r->key, STR("k")) && !r->value.p);
	r = tape_at(&w.read, TAPE_RECORD, 1);
	CHECK(!r->key.p && r->value.p && r->value.n == 0);
	r = tape_at(&w.read, TAPE_RECORD, 2);
	CHECK(r->key.p && r->key.n == 0 && str_eq(r->value, STR("v")));
	CHECK(r->ts_ms > 0);
out:
	world_close(&w);
}

/* ---- reading by hand ---- */

static void a_reader_gets_everything_in_order(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "order", 1);
	CHECK(fill(&w, 1500));
	CHECK(!open_reader(&w) && !bus_reader_add(w.reader, w.topic, 0, BUS_FROM_BEGIN, -1));
	CHECK(tape_wait(&w.read, h, TAPE_RECORD, 1500));
	CHECK(is_run(&w.read, 0, 1500));
	for (size_t i = 0; i < 1500; i++) {
		uint64_t value = UINT64_MAX;

		CHECK(!str_to_u64(tape_at(&w.read, TAPE_RECORD, i)->value, &value) && value == i);
	}
	CHECK(tape_wait(&w.read, h, TAPE_END, 1));
	CHECK(tape_last(&w.read, TAPE_END)->offset == 1500);
	CHECK(bus_reader_high(w.reader, w.topic, 0) == 1500);
out:
	world_close(&w);
}

static void an_empty_partition_is_at_its_end(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "empty", 1);
	CHECK(!open_reader(&w) && !bus_reader_add(w.reader, w.topic, 0, BUS_FROM_BEGIN, -1));
	CHECK(w.read.n == 0);
	CHECK(tape_wait(&w.read, h, TAPE_END, 1));
	CHECK(w.read.n == 1 && w.read.v[0]->offset == 0 && w.read.v[0]->partition == 0);
	CHECK(fill(&w, 2));
	CHECK(tape_wait(&w.read, h, TAPE_RECORD, 2));
	CHECK(h->pump(h, is_up, w.bus));
	h->settle(h);
	CHECK(tape_last(&w.read, TAPE_END)->offset == 2);
out:
	world_close(&w);
}

static void from_the_end_only_later_records_come(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "fromend", 1);
	CHECK(fill(&w, 3));
	CHECK(!open_reader(&w) && !bus_reader_add(w.reader, w.topic, 0, BUS_FROM_END, -1));
	CHECK(tape_wait(&w.read, h, TAPE_END, 1));
	CHECK(w.read.n == 1 && w.read.v[0]->offset == 3);
	CHECK(fill(&w, 1) && tape_wait(&w.read, h, TAPE_RECORD, 1));
	CHECK(is_run(&w.read, 3, 1));
out:
	world_close(&w);
}

static void from_an_offset_it_begins_there(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "offset", 2);
	CHECK(fill(&w, 5));
	CHECK(!open_reader(&w) && !bus_reader_add(w.reader, w.topic, 0, 3, -1));
	CHECK(!bus_reader_add(w.reader, w.topic, 1, BUS_FROM_BEGIN, -1));
	CHECK(tape_wait(&w.read, h, TAPE_RECORD, 2) && tape_wait(&w.read, h, TAPE_END, 2));
	CHECK(is_run(&w.read, 3, 2));
out:
	world_close(&w);
}

static void a_range_ends_before_its_limit_and_is_removed(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "range", 1);
	CHECK(fill(&w, 10));
	CHECK(!open_reader(&w) && !bus_reader_add(w.reader, w.topic, 0, 2, 6));
	CHECK(tape_wait(&w.read, h, TAPE_END, 1));
	CHECK(is_run(&w.read, 2, 4) && tape_last(&w.read, TAPE_END)->offset == 6);
	h->settle(h);
	CHECK(w.read.n == 5);
	CHECK(!bus_reader_add(
		w.reader, w.topic, 0, BUS_FROM_BEGIN, 10)); /* free again; up to the very end */
	CHECK(tape_wait(&w.read, h, TAPE_END, 2));
	CHECK(tape_count(&w.read, TAPE_RECORD) == 14 && tape_last(&w.read, TAPE_END)->offset == 10);
out:
	world_close(&w);
}

static void an_empty_range_ends_at_once_but_not_from_within(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "emptyrange", 1);
	CHECK(!open_reader(&w) && !bus_reader_add(w.reader, w.topic, 0, BUS_FROM_BEGIN, 0));
	CHECK(w.read.n == 0);
	CHECK(tape_wait(&w.read, h, TAPE_END, 1));
	CHECK(fill(&w, 3) && !bus_reader_add(w.reader, w.topic, 0, 2, 2));
	CHECK(tape_wait(&w.read, h, TAPE_END, 2));
	CHECK(tape_count(&w.read, TAPE_RECORD) == 0 && tape_last(&w.read, TAPE_END)->offset == 2);
out:
	world_close(&w);
}

static void a_range_waits_for_what_is_not_written_yet(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "rangewait", 1);
	CHECK(fill(&w, 1));
	CHECK(!open_reader(&w) && !bus_reader_add(w.reader, w.topic, 0, BUS_FROM_BEGIN, 3));
	CHECK(tape_wait(&w.read, h, TAPE_RECORD, 1));
	h->settle(h);
	CHECK(tape_count(&w.read, TAPE_END) == 0);
	CHECK(fill(&w, 4) && tape_wait(&w.read, h, TAPE_END, 1));
	CHECK(is_run(&w.read, 0, 3));
out:
	world_close(&w);
}

static void a_start_beyond_the_log_is_told_and_begins_anew(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "beyond", 1);
	CHECK(fill(&w, 4));
	CHECK(!open_reader(&w) && !bus_reader_add(w.reader, w.topic, 0, 99, -1));
	CHECK(tape_wait(&w.read, h, TAPE_RECORD, 4));
	CHECK(is_run(&w.read, 0, 4));
	CHECK(tape_count(&w.read, TAPE_OUT_OF_RANGE) == 1 &&
		w.read.v[0]->kind == TAPE_OUT_OF_RANGE);
	CHECK(w.read.v[0]->offset == 0);
out:
	world_close(&w);
}

static void a_start_lost_to_retention_is_told(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "retention", 1);
	CHECK(fill(&w, 10));
	h->truncate(h, w.topic, 0, 6);
	CHECK(!open_reader(&w) && !bus_reader_add(w.reader, w.topic, 0, 2, -1));
	CHECK(tape_wait(&w.read, h, TAPE_RECORD, 4));
	CHECK(is_run(&w.read, 6, 4));
	CHECK(tape_count(&w.read, TAPE_OUT_OF_RANGE) == 1 && w.read.v[0]->offset == 6);
	/* from the beginning, nothing is amiss */
	bus_reader_remove(w.reader, w.topic, 0);
	CHECK(!bus_reader_add(w.reader, w.topic, 0, BUS_FROM_BEGIN, -1));
	CHECK(tape_wait(&w.read, h, TAPE_RECORD, 8));
	CHECK(tape_count(&w.read, TAPE_OUT_OF_RANGE) == 1);
out:
	world_close(&w);
}

static void a_partition_is_added_once_and_can_be_removed(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "twice", 2);
	CHECK(!open_reader(&w) && !bus_reader_add(w.reader, w.topic, 0, BUS_FROM_BEGIN, -1));
	CHECK(bus_reader_add(w.reader, w.topic, 0, BUS_FROM_END, -1) == -EEXIST);
	CHECK(!bus_reader_add(w.reader, w.topic, 1, BUS_FROM_BEGIN, -1));
	CHECK(tape_wait(&w.read, h, TAPE_END, 2));
	bus_reader_remove(w.reader, w.topic, 0);
	bus_reader_remove(w.reader, w.topic, 0);
	CHECK(fill(&w, 3) && !send_to(&w, 1, NULL, "still"));
	CHECK(tape_wait(&w.read, h, TAPE_RECORD, 1));
	h->settle(h);
	CHECK(tape_count(&w.read, TAPE_RECORD) == 1 &&
		tape_at(&w.read, TAPE_RECORD, 0)->partition == 1);
	CHECK(!bus_reader_add(w.reader, w.topic, 0, 1, -1));
	CHECK(tape_wait(&w.read, h, TAPE_RECORD, 3));
	CHECK(tape_last(&w.read, TAPE_RECORD)->offset == 2);
out:
	world_close(&w);
}

static void a_reader_may_be_closed_from_its_own_callback(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "ownclose", 2);
	CHECK(fill(&w, 600) && !send_to(&w, 1, NULL, "x"));
	CHECK(!open_reader(&w));
	CHECK(!bus_reader_add(w.reader, w.topic, 0, BUS_FROM_BEGIN, -1));
	CHECK(!bus_reader_add(w.reader, w.topic, 1, BUS_FROM_BEGIN, -1));
	w.read.close_reader = TAKE(w.reader);
	CHECK(tape_wait(&w.read, h, TAPE_RECORD, 1));

	size_t n = w.read.n;
	h->settle(h);
	CHECK(w.read.n == n);
out:
	world_close(&w);
}

static void a_prefix_is_added_and_stripped(struct bus_harness *h)
{
	struct bus *prefixed = NULL;
	struct world w;
	char prefix[60];

	world_open(&w, h, "prefix.t", 1);
	snprintf(prefix, sizeof(prefix), "%s.prefix.", h->run);
	prefixed = h->bus_new(h, prefix, 0);
	CHECK(!bus_send(prefixed, &(struct bus_message){ .topic = "t", .value = STR("v") }));
	CHECK(!open_reader(&w) && !bus_reader_add(w.reader, w.topic, 0, BUS_FROM_BEGIN, -1));
	CHECK(tape_wait(&w.read, h, TAPE_RECORD, 1));
	w.reader = bus_reader_close(w.reader);
	CHECK(!bus_reader_open(prefixed, &w.reader, &TAPE_READER, &w.got));
	CHECK(!bus_reader_add(w.reader, "t", 0, BUS_FROM_BEGIN, -1));
	CHECK(tape_wait(&w.got, h, TAPE_END, 1));
	CHECK(strcmp(w.got.v[0]->topic, "t") == 0 &&
		strcmp(tape_last(&w.got, TAPE_END)->topic, "t") == 0);
out:
	w.reader = bus_reader_close(w.reader);
	bus_free(prefixed);
	world_close(&w);
}

/* ---- groups ---- */

static int join(struct world *w, struct bus_group **ret, struct tape *t)
{
	const char *topics[] = { w->topic };

	return bus_group_open(w->bus, ret, w->name, topics, 1, &TAPE_GROUP, t);
}

static void a_member_is_given_all_and_starts_each_itself(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "member", 2);
	CHECK(fill(&w, 3));
	CHECK(!join(&w, &w.group, &w.got));
	CHECK(w.got.n == 0);
	CHECK(bus_group_commit(w.group, w.topic, 0, 1, STR_NONE) == -EINVAL);
	CHECK(tape_wait(&w.got, h, TAPE_ASSIGNED, 2));
	CHECK(w.got.v[0]->offset == BUS_NO_OFFSET && w.got.v[1]->offset == BUS_NO_OFFSET);
	CHECK(w.got.v[0]->metadata.n == 0);
	h->settle(h);
	CHECK(tape_count(&w.got, TAPE_RECORD) == 0); /* not before it says so */
	bus_group_start(w.group, w.topic, 0, BUS_NO_OFFSET);
	CHECK(tape_wait(&w.got, h, TAPE_RECORD, 3) && is_run(&w.got, 0, 3));
	bus_group_start(w.group, w.topic, 1, BUS_FROM_BEGIN);
	CHECK(!send_to(&w, 1, NULL, "one") && tape_wait(&w.got, h, TAPE_RECORD, 4));
	CHECK(tape_last(&w.got, TAPE_RECORD)->partition == 1);
	CHECK(bus_group_high(w.group, w.topic, 0) == 3);
	CHECK(bus_group_commit(w.group, w.topic, 5, 1, STR_NONE) == -EINVAL);
out:
	world_close(&w);
}

static void a_group_starts_where_it_is_told(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "starts", 1);
	CHECK(fill(&w, 5));
	CHECK(!join(&w, &w.group, &w.got) && tape_wait(&w.got, h, TAPE_ASSIGNED, 1));
	bus_group_start(w.group, w.topic, 0, 3);
	CHECK(tape_wait(&w.got, h, TAPE_RECORD, 2) && is_run(&w.got, 3, 2));
out:
	world_close(&w);
}

static void a_group_is_told_of_the_end_and_may_start_again(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "ends", 2);
	CHECK(fill(&w, 5)); /* of partition 0; 1 is empty */
	CHECK(!join(&w, &w.group, &w.got) && tape_wait(&w.got, h, TAPE_ASSIGNED, 2));
	bus_group_start(w.group, w.topic, 1, BUS_FROM_BEGIN);
	CHECK(tape_wait(&w.got, h, TAPE_END, 1));
	CHECK(tape_last(&w.got, TAPE_END)->partition == 1 &&
		tape_last(&w.got, TAPE_END)->offset == 0);
	bus_group_start(w.group, w.topic, 0, BUS_FROM_BEGIN);
	CHECK(tape_wait(&w.got, h, TAPE_END, 2));
	CHECK(tape_last(&w.got, TAPE_END)->offset == 5 && is_run(&w.got, 0, 5));
	bus_group_start(w.group, w.topic, 0, 4);
	CHECK(tape_wait(&w.got, h, TAPE_END, 3) && tape_wait(&w.got, h, TAPE_RECORD, 6));
	CHECK(tape_last(&w.got, TAPE_RECORD)->offset == 4);
	CHECK(tape_last(&w.got, TAPE_END)->offset == 5);
out:
	world_close(&w);
}

static void commits_and_metadata_are_there_for_the_next_member(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "commits", 2);
	CHECK(fill(&w, 5));
	CHECK(!join(&w, &w.group, &w.got) && tape_wait(&w.got, h, TAPE_ASSIGNED, 2));
	CHECK(!bus_group_commit(w.group, w.topic, 0, 1, STR("old")));
	h->settle(h);
	CHECK(!bus_group_commit(w.group, w.topic, 0, 2, STR("older")));
	CHECK(!bus_group_commit(w.group, w.topic, 0, 4,
		STR("decisions=17"))); /* the newest wins, sent on leaving */
	w.group = bus_group_close(w.group);
	h->settle(h);

	size_t n = w.got.n;
	CHECK(!join(&w, &w.group, &w.got2) && tape_wait(&w.got2, h, TAPE_ASSIGNED, 2));
	CHECK(w.got.n == n); /* nothing for the one that closed */
	for (size_t i = 0; i < 2; i++) {
		const struct tape_item *a = tape_at(&w.got2, TAPE_ASSIGNED, i);

		CHECK(a->offset == (a->partition == 0 ? 4 : BUS_NO_OFFSET));
		CHECK(a->partition != 0 || str_eq(a->metadata, STR("decisions=17")));
	}
	w.got2.start = w.group;
	bus_group_start(w.group, w.topic, 0, 4);
	CHECK(tape_wait(&w.got2, h, TAPE_RECORD, 1) && is_run(&w.got2, 4, 1));
out:
	world_close(&w);
}

static void a_held_partition_gives_nothing_and_loses_nothing(struct bus_harness *h)
{
	struct world w;
	size_t n;

	world_open(&w, h, "held", 1);
	CHECK(!join(&w, &w.group, &w.got) && tape_wait(&w.got, h, TAPE_ASSIGNED, 1));
	bus_group_hold(w.group, w.topic, 0, true); /* before the start, too */
	bus_group_start(w.group, w.topic, 0, BUS_FROM_BEGIN);
	CHECK(fill(&w, 2000));
	h->settle(h);
	CHECK(tape_count(&w.got, TAPE_RECORD) == 0);
	w.got.start = w.group;
	w.got.holds_after_first = true; /* from within the callback */
	bus_group_hold(w.group, w.topic, 0, false);
	CHECK(tape_wait(&w.got, h, TAPE_RECORD, 1));
	h->settle(h);
	n = tape_count(&w.got, TAPE_RECORD);
	CHECK(n <= BUS_BATCH_MAX);
	w.got.holds_after_first = false;
	bus_group_hold(w.group, w.topic, 0, false);
	CHECK(tape_wait(&w.got, h, TAPE_RECORD, 2000));
	h->settle(h);
	CHECK(is_run(&w.got, 0, 2000));
out:
	world_close(&w);
}

static bool shared(const struct tape *a, const struct tape *b, size_t n)
{
	size_t na = tape_count(a, TAPE_ASSIGNED) - tape_count(a, TAPE_REVOKED);
	size_t nb = tape_count(b, TAPE_ASSIGNED) - tape_count(b, TAPE_REVOKED);

	return na == n / 2 && nb == n / 2;
}

static bool is_shared(void *ctx)
{
	struct world *w = ctx;

	return shared(&w->got, &w->got2, 4);
}

static bool second_has_all(void *ctx)
{
	struct world *w = ctx;

	return tape_count(&w->got2, TAPE_ASSIGNED) - tape_count(&w->got2, TAPE_REVOKED) == 4;
}

static void two_members_share_and_one_takes_over(struct bus_harness *h)
{
	struct world w;
	bool is_mine[4] = { false };

	world_open(&w, h, "share", 4);
	CHECK(!join(&w, &w.group, &w.got) && tape_wait(&w.got, h, TAPE_ASSIGNED, 4));
	for (int32_t p = 0; p < 4; p++)
		CHECK(!bus_group_commit(w.group, w.topic, p, 10 + p, STR("m")));
	CHECK(!join(&w, &w.group2, &w.got2));
	CHECK(h->pump(h, is_shared, &w));
	CHECK(tape_count(&w.got, TAPE_REVOKED) == 4); /* all, before some come back */
	CHECK(bus_group_commit(w.group, w.topic, 4, 1, STR_NONE) == -EINVAL);
	for (size_t i = 0; i < 2; i++) {
		const struct tape_item *a = tape_at(&w.got, TAPE_ASSIGNED, 4 + i);
		const struct tape_item *b = tape_at(&w.got2, TAPE_ASSIGNED, i);

		CHECK(a->offset == 10 + a->partition && b->offset == 10 + b->partition);
		CHECK(str_eq(b->metadata, STR("m")));
		CHECK(!is_mine[a->partition] && !is_mine[b->partition] &&
			a->partition != b->partition);
		is_mine[a->partition] = is_mine[b->partition] = true;
	}
	w.group = bus_group_close(w.group);

	size_t n = w.got.n;
	CHECK(h->pump(h, second_has_all, &w));
	CHECK(w.got.n == n);
out:
	world_close(&w);
}

static void a_revoked_partition_gives_nothing_and_takes_no_commit(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "revoked", 4);
	w.got.start = NULL;
	CHECK(!join(&w, &w.group, &w.got) && tape_wait(&w.got, h, TAPE_ASSIGNED, 4));
	for (int32_t p = 0; p < 4; p++)
		bus_group_start(w.group, w.topic, p, BUS_FROM_BEGIN);
	CHECK(!join(&w, &w.group2, &w.got2));
	CHECK(h->pump(h, is_shared, &w));
	/* Given back or not, a partition has to be started again. */
	for (int32_t p = 0; p < 4; p++)
		CHECK(!send_to(&w, p, NULL, "x"));
	CHECK(tape_wait(&w.sent, h, TAPE_SENT, 4));
	h->settle(h);
	CHECK(tape_count(&w.got, TAPE_RECORD) == 0 && tape_count(&w.got2, TAPE_RECORD) == 0);
	CHECK(bus_group_commit(w.group, w.topic, tape_at(&w.got2, TAPE_ASSIGNED, 0)->partition, 1,
		      STR_NONE) == -EINVAL);
out:
	world_close(&w);
}

static void what_is_committed_inside_revoked_is_where_the_next_owner_begins(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "lastword", 4);
	for (int32_t p = 0; p < 4; p++)
		CHECK(!send_to(&w, p, NULL, "x"));
	CHECK(!join(&w, &w.group, &w.got) && tape_wait(&w.got, h, TAPE_ASSIGNED, 4));
	for (int32_t p = 0; p < 4; p++)
		CHECK(!bus_group_commit(w.group, w.topic, p, 1, STR("first")));
	w.got.last_word = w.group;
	CHECK(!join(&w, &w.group2, &w.got2));
	CHECK(h->pump(h, is_shared, &w));
	CHECK(tape_count(&w.got, TAPE_REVOKED) >= 4 && w.got.last_word_err == 0);
	for (size_t i = 0; i < 2; i++) {
		const struct tape_item *a = tape_at(&w.got, TAPE_ASSIGNED, 4 + i);
		const struct tape_item *b = tape_at(&w.got2, TAPE_ASSIGNED, i);

		CHECK(a->offset == 100 + a->partition && b->offset == 100 + b->partition);
		CHECK(str_eq(a->metadata, STR("last")) && str_eq(b->metadata, STR("last")));
		CHECK(bus_group_commit(w.group, w.topic, b->partition, 1, STR_NONE) == -EINVAL);
	}
	h->settle(h);
	CHECK(tape_count(&w.got, TAPE_RECORD) == 0); /* revoked is too late for a start */
out:
	world_close(&w);
}

/* ---- the broker goes away ---- */

static void sends_wait_for_the_broker_in_order(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "down", 1);
	CHECK(fill(&w, 1));
	h->set_down(h, true);
	CHECK(!send_to(&w, 0, NULL, "1") && !send_to(&w, 0, NULL, "2"));
	h->settle(h);
	CHECK(tape_count(&w.sent, TAPE_SENT) == 1 && bus_in_flight(w.bus) == 2);
	h->set_down(h, false);
	CHECK(tape_wait(&w.sent, h, TAPE_SENT, 3));
	CHECK(w.sent.v[1]->offset == 1 && w.sent.v[2]->offset == 2);
out:
	h->set_down(h, false);
	world_close(&w);
}

static bool is_down(void *ctx)
{
	return !bus_is_up(ctx);
}

static void a_broker_that_stays_away_fails_sends_and_is_not_up(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "away", 1);
	CHECK(fill(&w, 1) && h->pump(h, is_up, w.bus));
	h->set_down(h, true);
	CHECK(!send_to(&w, 0, NULL, "1"));
	CHECK(h->pump(h, is_down, w.bus));

	int64_t heard = bus_heard_ms(w.bus); /* an answer on its way has come by now */
	CHECK(tape_wait(&w.sent, h, TAPE_SENT, 2));
	CHECK(w.sent.v[1]->err == -ETIMEDOUT && w.sent.v[1]->partition == -1 &&
		w.sent.v[1]->offset == -1);
	CHECK(bus_heard_ms(w.bus) == heard);
	h->set_down(h, false);
	CHECK(h->pump(h, is_up, w.bus));
	CHECK(bus_heard_ms(w.bus) > heard);
out:
	h->set_down(h, false);
	world_close(&w);
}

static void reading_stops_and_goes_on_with_the_broker(struct bus_harness *h)
{
	struct world w;

	world_open(&w, h, "pause", 1);
	CHECK(fill(&w, 2));
	h->set_down(h, true);
	CHECK(!open_reader(&w) && !bus_reader_add(w.reader, w.topic, 0, BUS_FROM_BEGIN, -1));
	h->settle(h);
	CHECK(w.read.n == 0);
	h->set_down(h, false);
	CHECK(tape_wait(&w.read, h, TAPE_END, 1) && is_run(&w.read, 0, 2));
out:
	h->set_down(h, false);
	world_close(&w);
}

#define CASE(fn) \
	{ \
#fn, fn, 0 \
	}
#define CASE_IF(fn, what) \
	{ \
#fn, fn, what \
	}

const struct bus_case BUS_CASES[] = {
	CASE(keyed_records_go_where_java_puts_them),
	CASE(reports_carry_the_offsets_in_order),
	CASE(no_report_comes_from_within_send),
	CASE(full_queue_refuses_and_recovers),
	CASE(too_long_a_message_is_refused),
	CASE(partitions_are_known_soon_and_bound_sends),
	CASE_IF(unknown_topic_has_no_partitions, BUS_KNOWS_TOPICS),
	CASE(a_reachable_broker_is_up_and_heard),
	CASE(headers_come_back_as_they_were),
	CASE(headers_beyond_the_maximum_are_cut),
	CASE(absent_and_empty_are_kept_apart),
	CASE(a_reader_gets_everything_in_order),
	CASE(an_empty_partition_is_at_its_end),
	CASE(from_the_end_only_later_records_come),
	CASE(from_an_offset_it_begins_there),
	CASE(a_range_ends_before_its_limit_and_is_removed),
	CASE(an_empty_range_ends_at_once_but_not_from_within),
	CASE(a_range_waits_for_what_is_not_written_yet),
	CASE(a_start_beyond_the_log_is_told_and_begins_anew),
	CASE_IF(a_start_lost_to_retention_is_told, BUS_CAN_TRUNCATE),
	CASE(a_partition_is_added_once_and_can_be_removed),
	CASE(a_reader_may_be_closed_from_its_own_callback),
	CASE(a_prefix_is_added_and_stripped),
	CASE(a_member_is_given_all_and_starts_each_itself),
	CASE(a_group_starts_where_it_is_told),
	CASE(a_group_is_told_of_the_end_and_may_start_again),
	CASE(commits_and_metadata_are_there_for_the_next_member),
	CASE(a_held_partition_gives_nothing_and_loses_nothing),
	CASE_IF(two_members_share_and_one_takes_over, BUS_CAN_REBALANCE),
	CASE_IF(a_revoked_partition_gives_nothing_and_takes_no_commit, BUS_CAN_REBALANCE),
	CASE_IF(what_is_committed_inside_revoked_is_where_the_next_owner_begins, BUS_CAN_REBALANCE),
	CASE_IF(sends_wait_for_the_broker_in_order, BUS_CAN_GO_DOWN),
	CASE_IF(a_broker_that_stays_away_fails_sends_and_is_not_up, BUS_CAN_GO_DOWN),
	CASE_IF(reading_stops_and_goes_on_with_the_broker, BUS_CAN_GO_DOWN),
};
const size_t N_BUS_CASES = ARRAY_LEN(BUS_CASES);

bool bus_case_run(const struct bus_case *c, struct bus_harness *h)
{
	h->has_failed = false;
	h->failure[0] = '\0';
	c->run(h);
	return !h->has_failed;
}
