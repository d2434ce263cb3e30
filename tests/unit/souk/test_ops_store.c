/* Rounds in, rows out: what the operations view shows of what the roles said. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdarg.h>
#include <stdio.h>

#include <jansson.h>

#include "souk/demo/storefront/ops_store.h"

static const char *const ROLES[] = { "ws-server", "pricing" };
enum { WS, PRICING };

#define START "process_start_time_seconds 1000.25\n"

static struct ops_store *store_new(void)
{
	struct ops_store *s = NULL;

	cr_assert(zero(int, ops_store_new(&s, ROLES, ARRAY_LEN(ROLES))));
	return s;
}

static json_t *parse(struct buf *b)
{
	json_error_t e;
	json_t *j;

	cr_assert(not(b->failed));
	j = json_loadb(b->p, b->n, JSON_REJECT_DUPLICATES, &e);
	cr_assert(j != NULL, "%s in %.200s", e.text, b->p);
	return j;
}

static json_t *now_of(const struct ops_store *s)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(OPS_NOW_MAX);

	ops_store_write_now(s, &b);
	return parse(&b);
}

static json_t *series_of(const struct ops_store *s, int64_t since)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(OPS_SERIES_MAX);

	ops_store_write_series(s, since, &b);
	return parse(&b);
}

/* A member of a member of a member, borrowed. */
static json_t *at(json_t *j, const char *a, const char *b, const char *c)
{
	j = json_object_get(json_object_get(j, a), b);
	return c ? json_object_get(j, c) : j;
}

/* Numbers of a column, as text: "1 null 2.5". */
static const char *column(const struct ops_store *s, const char *family, const char *label)
{
	static char text[8192];
	json_t *j = series_of(s, 0), *v;
	size_t i, n = 0;

	text[0] = '\0';
	json_array_foreach(at(j, "series", family, label), i, v)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
			json_is_null(v) ? "%snull" : "%s%g", i ? " " : "", json_number_value(v));
	json_decref(j);
	return text;
}

static void round_of(struct ops_store *s, int64_t t_ms, const char *ws)
{
	if (ws)
		cr_assert(zero(int, ops_store_metrics(s, WS, t_ms, str_of(ws))));
	ops_store_ready(s, WS, true, STR(""));
	ops_store_commit(s, t_ms);
}

static void events(struct ops_store *s, int64_t t_ms, unsigned n)
{
	char text[128];

	snprintf(text, sizeof(text), START "souk_ws_events_total{result=\"acked\"} %u\n", n);
	round_of(s, t_ms, text);
}

Test(ops_store, a_rate_is_the_difference_over_the_time_between)
{
	CLEANUP(ops_store_free) struct ops_store *s = store_new();

	events(s, 1000, 500);
	events(s, 2000, 520);
	events(s, 4000, 570);
	cr_expect(eq(str, (char *)column(s, "events", "acked"), "null 20 25"),
		"of the first scrape nothing is known");
	json_t *now = now_of(s);

	cr_expect(eq(i64, json_integer_value(at(now, "totals", "events", "acked")), 570));
	cr_expect(eq(i64, json_integer_value(at(now, "rates", "events", "acked")), 25));
	cr_expect(eq(i64, json_integer_value(json_object_get(now, "now")), 4000));
	json_decref(now);
}

Test(ops_store, a_label_that_appears_later_has_counted_from_zero)
{
	CLEANUP(ops_store_free) struct ops_store *s = store_new();

	events(s, 1000, 5);
	round_of(s, 2000,
		START "souk_ws_events_total{result=\"acked\"} 5\n"
		      "souk_ws_events_total{result=\"bad\"} 3\n");
	cr_expect(eq(str, (char *)column(s, "events", "bad"), "null 3"));
}

Test(ops_store, a_role_that_is_away_leaves_a_hole_and_the_next_rate_spans_it)
{
	CLEANUP(ops_store_free) struct ops_store *s = store_new();

	events(s, 1000, 0);
	events(s, 2000, 10);
	round_of(s, 3000, NULL);
	round_of(s, 4000, NULL);
	events(s, 5000, 40);
	cr_expect(eq(str, (char *)column(s, "events", "acked"), "null 10 null null 10"));
	cr_expect(eq(str, (char *)column(s, "up", "ws-server"), "2 2 0 0 2"));
	cr_expect(eq(str, (char *)column(s, "up", "pricing"), "0 0 0 0 0"));
}

Test(ops_store, a_counter_that_falls_began_from_zero)
{
	CLEANUP(ops_store_free) struct ops_store *s = store_new();

	round_of(s, 1000,
		"souk_ws_events_total{result=\"acked\"} 100\n"
		"souk_ws_events_total{result=\"bad\"} 1\n");
	round_of(s, 2000,
		"souk_ws_events_total{result=\"acked\"} 7\n"
		"souk_ws_events_total{result=\"bad\"} 2\n");
	cr_expect(eq(str, (char *)column(s, "events", "acked"), "null 7"));
	cr_expect(eq(str, (char *)column(s, "events", "bad"), "null 2"),
		"the whole process did, not this counter alone");
	json_t *now = now_of(s);

	cr_expect(eq(i64, json_integer_value(at(now, "totals", "events", "acked")), 107));
	cr_expect(eq(i64, json_integer_value(at(now, "totals", "events", "bad")), 3));
	cr_expect(eq(i64,
		json_integer_value(json_object_get(
			json_array_get(json_object_get(now, "roles"), 0), "restarts")),
		1));
	json_decref(now);
}

Test(ops_store, another_start_time_is_a_restart_though_no_counter_fell)
{
	CLEANUP(ops_store_free) struct ops_store *s = store_new();

	round_of(s, 1000, START "souk_ws_events_total{result=\"acked\"} 5\n");
	round_of(s, 2000,
		"process_start_time_seconds 1010\n"
		"souk_ws_events_total{result=\"acked\"} 8\n");
	cr_expect(eq(str, (char *)column(s, "events", "acked"), "null 8"));
	round_of(s, 3000,
		"process_start_time_seconds 1010.99\n"
		"souk_ws_events_total{result=\"acked\"} 9\n");
	cr_expect(eq(str, (char *)column(s, "events", "acked"), "null 8 1"),
		"a clock that was set a little is none");
}

static void acks(struct ops_store *s, int64_t t_ms, unsigned in_100, unsigned in_250, unsigned all)
{
	char text[512];

	snprintf(text, sizeof(text),
		START "souk_ws_ack_seconds_bucket{le=\"0.1\"} %u\n"
		      "souk_ws_ack_seconds_bucket{le=\"0.25\"} %u\n"
		      "souk_ws_ack_seconds_bucket{le=\"+Inf\"} %u\n"
		      "souk_ws_ack_seconds_sum 1\nsouk_ws_ack_seconds_count %u\n",
		in_100, in_250, all, all);
	round_of(s, t_ms, text);
}

Test(ops_store, percentiles_are_of_what_the_buckets_gained_in_milliseconds)
{
	CLEANUP(ops_store_free) struct ops_store *s = store_new();

	acks(s, 1000, 1000, 1000, 1000);
	acks(s, 2000, 1050, 1100, 1100);
	cr_expect(eq(str, (char *)column(s, "ack", "p50"), "null 100"));
	cr_expect(eq(str, (char *)column(s, "ack", "p90"), "null 220"));
	cr_expect(eq(str, (char *)column(s, "ack", "p99"), "null 247"));
	acks(s, 3000, 3, 3, 3);
	cr_expect(eq(str, (char *)column(s, "ack", "p50"), "null 100 97.17"),
		"53 values up to 100 ms of 103: the falls of the restart do not count");
}

Test(ops_store, buckets_that_fall_are_no_histogram)
{
	CLEANUP(ops_store_free) struct ops_store *s = store_new();

	acks(s, 1000, 0, 0, 0);
	acks(s, 2000, 9, 5, 9);
	acks(s, 3000, 9, 9, 9);
	cr_expect(eq(str, (char *)column(s, "ack", "p50"), "null null 50"));
}

Test(ops_store, a_text_that_is_not_to_be_believed_changes_nothing)
{
	CLEANUP(ops_store_free) struct ops_store *s = store_new();
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);

	events(s, 1000, 10);
	cr_expect(lt(int, ops_store_metrics(s, WS, 2000, STR("<html>\n")), 0));
	buf_puts(&b, STR("souk_ws_events_total{result=\"acked\"} 3\n"));
	for (int i = 0; i < 50001; i++)
		buf_puts(&b, STR("a 1\n"));
	cr_expect(lt(int, ops_store_metrics(s, WS, 2000, buf_str(&b)), 0));
	round_of(s, 2000, NULL);
	events(s, 3000, 30);
	cr_expect(eq(str, (char *)column(s, "events", "acked"), "null null 10"));
}

Test(ops_store, hostile_numbers_are_no_values)
{
	CLEANUP(ops_store_free) struct ops_store *s = store_new();

	events(s, 1000, 10);
	round_of(s, 2000,
		START "souk_ws_events_total{result=\"acked\"} NaN\n"
		      "souk_ws_events_total{result=\"bad\"} -5\n"
		      "souk_ws_events_total{result=\"failed\"} +Inf\n"
		      "souk_ws_events_total 9\n"
		      "souk_ws_connections 1e300\n");
	cr_expect(eq(str, (char *)column(s, "events", "acked"), "null 0"));
	cr_expect(eq(str, (char *)column(s, "events", "bad"), ""), "no such column");
	cr_expect(eq(str, (char *)column(s, "connections", "all"), "null null"),
		"too large for a row: a hole, and still JSON");
}

Test(ops_store, labels_beyond_the_columns_are_counted_and_left_out)
{
	CLEANUP(ops_store_free) struct ops_store *s = store_new();
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
	size_t n = 0;
	const char *key;
	json_t *now, *v;

	for (int i = 0; i < 300; i++)
		buf_printf(&b, "souk_ws_events_total{result=\"r%d\"} 1\n", i);
	buf_puts(&b, STR("souk_ws_events_total{result=\"0123456789012345678901234567890123456789"
			 "012345678901234567890\"} 1\n"));
	round_of(s, 1000, b.failed ? NULL : (buf_putc(&b, '\0'), b.p));
	now = now_of(s);
	json_object_foreach(at(now, "totals", "events", NULL), key, v)
		n++;
	cr_expect(le(sz, n, OPS_COLUMNS_MAX));
	cr_expect(gt(sz, n, 100));
	cr_expect(eq(i64, json_integer_value(json_object_get(now, "dropped")), 301 - (int64_t)n));
	json_decref(now);
}

Test(ops_store, a_label_from_outside_is_escaped)
{
	CLEANUP(ops_store_free) struct ops_store *s = store_new();
	json_t *now;

	round_of(s, 1000, "souk_ws_events_total{result=\"a\\\"}<\\n\xff\"} 1\n");
	now = now_of(s);
	cr_expect(
		eq(i64, json_integer_value(at(now, "totals", "events", "a\"}<\n\xef\xbf\xbd")), 1));
	json_decref(now);
}

Test(ops_store, the_ring_keeps_the_last_rows_only)
{
	CLEANUP(ops_store_free) struct ops_store *s = store_new();
	json_t *j, *t;

	for (unsigned i = 0; i < OPS_ROWS + 50; i++)
		events(s, 1000 * (int64_t)(i + 1), i * i);
	cr_expect(eq(sz, ops_store_rows(s), OPS_ROWS));
	j = series_of(s, 0);
	t = json_object_get(j, "t");
	cr_expect(eq(sz, json_array_size(t), OPS_ROWS));
	cr_expect(eq(i64, json_integer_value(json_array_get(t, 0)), 51000));
	cr_expect(eq(i64, json_integer_value(json_array_get(t, OPS_ROWS - 1)), 650000));
	t = at(j, "series", "events", "acked");
	cr_expect(eq(sz, json_array_size(t), OPS_ROWS));
	cr_expect(eq(i64, json_integer_value(json_array_get(t, 0)), 50 * 50 - 49 * 49));
	cr_expect(eq(
		i64, json_integer_value(json_array_get(t, OPS_ROWS - 1)), 649 * 649 - 648 * 648));
	json_decref(j);
}

Test(ops_store, since_gives_the_younger_rows)
{
	CLEANUP(ops_store_free) struct ops_store *s = store_new();
	static const struct {
		int64_t since;
		size_t n;
	} cases[] = { { 0, 3 }, { 999, 3 }, { 1000, 2 }, { 2500, 1 }, { 3000, 0 },
		{ INT64_MAX, 0 } };

	for (unsigned i = 1; i <= 3; i++)
		events(s, 1000 * (int64_t)i, i);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *j = series_of(s, cases[i].since);

		cr_expect(eq(sz, json_array_size(json_object_get(j, "t")), cases[i].n));
		cr_expect(eq(sz, json_array_size(at(j, "series", "events", "acked")), cases[i].n));
		json_decref(j);
	}
}

Test(ops_store, times_of_rows_rise_though_the_clock_does_not)
{
	CLEANUP(ops_store_free) struct ops_store *s = store_new();
	json_t *j;

	events(s, 5000, 1);
	events(s, 5000, 2);
	events(s, 4000, 3);
	j = series_of(s, 5000);
	cr_expect(eq(sz, json_array_size(json_object_get(j, "t")), 2));
	cr_expect(eq(i64, json_integer_value(json_object_get(j, "now")), 5002));
	json_decref(j);
}

Test(ops_store, a_role_that_is_not_ready_says_why_in_its_first_line)
{
	CLEANUP(ops_store_free) struct ops_store *s = store_new();
	json_t *now, *role;

	cr_assert(zero(int, ops_store_metrics(s, PRICING, 1000, STR("a 1\n"))));
	ops_store_ready(s, PRICING, false, STR("kafka: no broker\nredis: away\n"));
	ops_store_commit(s, 1000);
	now = now_of(s);
	role = json_array_get(json_object_get(now, "roles"), PRICING);
	cr_expect(eq(str, (char *)json_string_value(json_object_get(role, "state")), "not_ready"));
	cr_expect(eq(
		str, (char *)json_string_value(json_object_get(role, "why")), "kafka: no broker"));
	role = json_array_get(json_object_get(now, "roles"), WS);
	cr_expect(eq(str, (char *)json_string_value(json_object_get(role, "state")), "away"));
	json_decref(now);
}

Test(ops_store, the_age_of_a_side_is_that_of_its_worst_shard)
{
	CLEANUP(ops_store_free) struct ops_store *s = store_new();
	const struct ops_feed feeds[] = {
		{ .side = "profile", .shard = "0", .age_ms = 1500, .is_complete = true },
		{ .side = "profile", .shard = "1", .age_ms = 2500, .is_complete = true },
		{ .side = "market", .shard = "cool", .age_ms = -1 },
	};
	json_t *now, *list;

	ops_store_feeds(s, feeds, ARRAY_LEN(feeds));
	ops_store_commit(s, 1000);
	cr_expect(eq(str, (char *)column(s, "feed_age", "profile"), "2.5"));
	cr_expect(
		eq(str, (char *)column(s, "feed_age", "market"), "null"), "there is no such feed");
	now = now_of(s);
	list = json_object_get(now, "feeds");
	cr_expect(eq(sz, json_array_size(list), 3));
	cr_expect(eq(
		i64, json_integer_value(json_object_get(json_array_get(list, 1), "age_ms")), 2500));
	cr_expect(json_object_get(json_array_get(list, 2), "age_ms") == NULL);
	json_decref(now);

	ops_store_commit(s, 2000);
	cr_expect(eq(str, (char *)column(s, "feed_age", "profile"), "2.5 null"),
		"Redis did not answer: nothing is known");
	now = now_of(s);
	cr_expect(zero(sz, json_array_size(json_object_get(now, "feeds"))));
	json_decref(now);
}

Test(ops_store, metrics_of_every_role_are_labelled_with_its_name)
{
	CLEANUP(ops_store_free) struct ops_store *s = store_new();

	for (int i = 0; i < 2; i++) {
		cr_assert(zero(int, ops_store_metrics(s, PRICING, 1000 * i,
					    i ? STR("process_cpu_seconds_total 1.25\n"
						    "souk_ws_events_total{result=\"acked\"} 9\n")
					      : STR("process_cpu_seconds_total 1\n"))));
		ops_store_commit(s, 1000 * (i + 1));
	}
	cr_expect(eq(str, (char *)column(s, "cpu", "pricing"), "null 0.25"));
	cr_expect(
		eq(str, (char *)column(s, "events", "acked"), ""), "that metric is another role's");
}
