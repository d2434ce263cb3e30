#include <stdlib.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/metrics.h"

static const struct metric_def EVENTS = { "souk_t_events_total", METRIC_COUNTER,
	"Events \\ by \"result\"\nof all.", "result" };
static const struct metric_def DEPTH = { "souk_t_depth", METRIC_GAUGE, "Depth.", NULL };
static const struct metric_def DELAY = { "souk_t_delay_seconds", METRIC_HISTOGRAM_SECONDS, "Delay.",
	NULL };
static const struct metric_def STEP = { "souk_t_step_seconds", METRIC_HISTOGRAM_SECONDS, "Step.",
	"step" };

/* The exposition from souk_ on (what comes before is the process's), as a C string. */
static const char *exposition(const struct metrics *m, struct buf *b)
{
	const char *ours;

	metrics_write(m, b);
	buf_putc(b, '\0');
	cr_assert(not(b->failed));
	ours = strstr(b->p, "# HELP souk_");
	cr_assert(ne(ptr, (void *)ours, NULL));
	return ours;
}

Test(metrics, same_series_is_the_same_pointer)
{
	CLEANUP(metrics_free) struct metrics *m = NULL;
	struct counter *ok;
	char label[] = "ok";

	cr_assert(zero(int, metrics_new(&m, 8)));
	ok = metrics_counter(m, &EVENTS, label);
	label[0] = 'x'; /* copied */
	cr_expect(eq(ptr, metrics_counter(m, &EVENTS, "ok"), ok));
	cr_expect(ne(ptr, metrics_counter(m, &EVENTS, "bad"), ok));
	counter_add(ok, 3);
	cr_expect(eq(i64, metrics_value(m, "souk_t_events_total", "ok"), 3));
	cr_expect(zero(i64, metrics_value(m, "souk_t_events_total", "none")));
}

Test(metrics, pointers_survive_later_series)
{
	CLEANUP(metrics_free) struct metrics *m = NULL;
	struct counter *z;

	cr_assert(zero(int, metrics_new(&m, 64)));
	z = metrics_counter(m, &EVENTS, "z");
	for (char c = 'a'; c < 'z'; c++)
		counter_add(metrics_counter(m, &EVENTS, (char[]){ c, '\0' }), 1);
	counter_add(z, 9);
	cr_expect(eq(i64, metrics_value(m, "souk_t_events_total", "z"), 9));
}

Test(metrics, registry_that_is_full_shares_one_series_and_counts_it)
{
	CLEANUP(metrics_free) struct metrics *m = NULL;
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
	struct counter *first;

	cr_assert(zero(int, metrics_new(&m, 1)));
	first = metrics_counter(m, &EVENTS, "ok");
	cr_expect(ne(ptr, metrics_counter(m, &EVENTS, "b"), first));
	cr_expect(eq(ptr, metrics_counter(m, &EVENTS, "c"), metrics_counter(m, &EVENTS, "d")));
	metrics_gauge(m, &DEPTH, NULL)->value = 7;
	histogram_add(metrics_histogram(m, &DELAY, NULL), 1);
	cr_expect(eq(i64, metrics_value(m, "souk_metrics_overflow_total", NULL), 5));
	cr_expect(eq(ptr, metrics_counter(m, &EVENTS, "ok"), first), "known ones still work");
	cr_expect(zero(ptr, strstr(exposition(m, &b), "souk_t_depth")));
}

Test(metrics, families_are_sorted_and_escaped)
{
	CLEANUP(metrics_free) struct metrics *m = NULL;
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);

	cr_assert(zero(int, metrics_new(&m, 8)));
	counter_add(metrics_counter(m, &EVENTS, "ok"), 2);
	counter_add(metrics_counter(m, &EVENTS, "a\"b\\c\nd"), 1);
	metrics_gauge(m, &DEPTH, NULL)->value = -5;
	cr_expect(eq(str, (char *)exposition(m, &b),
		"# HELP souk_metrics_overflow_total Look-ups of series beyond the registry's "
		"maximum.\n"
		"# TYPE souk_metrics_overflow_total counter\n"
		"souk_metrics_overflow_total 0\n"
		"# HELP souk_t_depth Depth.\n"
		"# TYPE souk_t_depth gauge\n"
		"souk_t_depth -5\n"
		"# HELP souk_t_events_total Events \\\\ by \"result\"\\nof all.\n"
		"# TYPE souk_t_events_total counter\n"
		"souk_t_events_total{result=\"a\\\"b\\\\c\\nd\"} 1\n"
		"souk_t_events_total{result=\"ok\"} 2\n"));
}

Test(metrics, histogram_is_exposed_in_seconds_with_cumulative_buckets)
{
	CLEANUP(metrics_free) struct metrics *m = NULL;
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
	const char *text;

	cr_assert(zero(int, metrics_new(&m, 8)));
	histogram_add(metrics_histogram(m, &DELAY, NULL), 500);
	histogram_add(metrics_histogram(m, &DELAY, NULL), 1200000);
	histogram_add(metrics_histogram(m, &DELAY, NULL), 60000000);
	text = exposition(m, &b);
	cr_expect(ne(ptr,
			  strstr(text, "# TYPE souk_t_delay_seconds histogram\n"
				       "souk_t_delay_seconds_bucket{le=\"0.0005\"} 1\n"
				       "souk_t_delay_seconds_bucket{le=\"0.001\"} 1\n"
				       "souk_t_delay_seconds_bucket{le=\"0.0025\"} 1\n"
				       "souk_t_delay_seconds_bucket{le=\"0.005\"} 1\n"
				       "souk_t_delay_seconds_bucket{le=\"0.01\"} 1\n"
				       "souk_t_delay_seconds_bucket{le=\"0.025\"} 1\n"
				       "souk_t_delay_seconds_bucket{le=\"0.05\"} 1\n"
				       "souk_t_delay_seconds_bucket{le=\"0.1\"} 1\n"
				       "souk_t_delay_seconds_bucket{le=\"0.25\"} 1\n"
				       "souk_t_delay_seconds_bucket{le=\"0.5\"} 1\n"
				       "souk_t_delay_seconds_bucket{le=\"1\"} 1\n"
				       "souk_t_delay_seconds_bucket{le=\"2.5\"} 2\n"
				       "souk_t_delay_seconds_bucket{le=\"5\"} 2\n"
				       "souk_t_delay_seconds_bucket{le=\"10\"} 2\n"
				       "souk_t_delay_seconds_bucket{le=\"+Inf\"} 3\n"
				       "souk_t_delay_seconds_sum 61.200500\n"
				       "souk_t_delay_seconds_count 3\n"),
			  NULL),
		"%s", text);
}

Test(metrics, histogram_label_stands_before_le)
{
	CLEANUP(metrics_free) struct metrics *m = NULL;
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
	const char *text;

	cr_assert(zero(int, metrics_new(&m, 8)));
	histogram_add(metrics_histogram(m, &STEP, "join"), 1);
	text = exposition(m, &b);
	cr_expect(ne(ptr, strstr(text, "souk_t_step_seconds_bucket{step=\"join\",le=\"+Inf\"} 1\n"),
		NULL));
	cr_expect(ne(ptr, strstr(text, "souk_t_step_seconds_sum{step=\"join\"} 0.000001\n"), NULL));
}

static double sample(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	cr_assert(ne(ptr, (void *)line, NULL), "%s", name);
	return atof(line + strlen(name));
}

Test(metrics, process_metrics_are_plausible)
{
	CLEANUP(metrics_free) struct metrics *m = NULL;
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);

	cr_assert(zero(int, metrics_new(&m, 8)));
	exposition(m, &b);
	cr_expect(ge(dbl, sample(b.p, "\nprocess_cpu_seconds_total "), 0));
	cr_expect(gt(dbl, sample(b.p, "\nprocess_resident_memory_bytes "), 1e6));
	cr_expect(ge(dbl, sample(b.p, "\nprocess_open_fds "), 3));
	cr_expect(gt(dbl, sample(b.p, "\nprocess_start_time_seconds "), 1.6e9));
}
