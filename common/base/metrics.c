/*
 * Series are kept sorted by name and label value, so that a scrape is one walk and a family's lines
 * stand together. A look-up is a scan: it happens once per series, at start.
 *
 * The overflow series are real ones that are never exposed: a caller beyond the maximum moves a
 * counter nobody sees, and souk_metrics_overflow_total says so.
 */
#include "common/base/metrics.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct series {
	const struct metric_def *def;
	char *label_value;
	struct counter counter;
	struct gauge gauge;
	struct histogram *histogram;
};

struct metrics {
	struct series **series;
	size_t n;
	size_t max;
	struct counter *n_overflow;
	struct counter overflow_counter;
	struct gauge overflow_gauge;
	struct histogram *overflow_histogram;
};

struct bound {
	const char *text;
	int64_t us;
};

static const struct bound BOUNDS[] = {
	{ "0.0005", 500 },
	{ "0.001", 1000 },
	{ "0.0025", 2500 },
	{ "0.005", 5000 },
	{ "0.01", 10000 },
	{ "0.025", 25000 },
	{ "0.05", 50000 },
	{ "0.1", 100000 },
	{ "0.25", 250000 },
	{ "0.5", 500000 },
	{ "1", 1000000 },
	{ "2.5", 2500000 },
	{ "5", 5000000 },
	{ "10", 10000000 },
};

static const struct metric_def OVERFLOW_TOTAL = { "souk_metrics_overflow_total", METRIC_COUNTER,
	"Look-ups of series beyond the registry's maximum.", NULL };

static struct series *series_free(struct series *s)
{
	if (!s)
		return NULL;
	histogram_free(s->histogram);
	free(s->label_value);
	free(s);
	return NULL;
}
DEFINE_CLEANUP(struct series *, series_free)

int metrics_new(struct metrics **ret, size_t max_series)
{
	CLEANUP(metrics_free) struct metrics *m = calloc(1, sizeof(*m));
	int r;

	if (!m || max_series == SIZE_MAX)
		return -ENOMEM;
	m->max = max_series + 1; /* one of our own */
	m->series = calloc(m->max, sizeof(struct series *));
	if (!m->series)
		return -ENOMEM;
	r = histogram_new(&m->overflow_histogram);
	if (r < 0)
		return r;
	m->n_overflow = metrics_counter(m, &OVERFLOW_TOTAL, NULL);
	if (m->n_overflow == &m->overflow_counter)
		return -ENOMEM;
	*ret = TAKE(m);
	return 0;
}

struct metrics *metrics_free(struct metrics *m)
{
	if (!m)
		return NULL;
	for (size_t i = 0; i < m->n; i++)
		series_free(m->series[i]);
	histogram_free(m->overflow_histogram);
	free(m->series);
	free(m);
	return NULL;
}

static int series_cmp(const struct series *s, const char *name, const char *label_value)
{
	int d = strcmp(s->def->name, name);

	if (d)
		return d;
	return strcmp(s->label_value ? s->label_value : "", label_value ? label_value : "");
}

/* Index of the series, or of the place where it belongs (*ret_found says which). */
static size_t series_find(
	const struct metrics *m, const char *name, const char *label_value, bool *ret_found)
{
	size_t i;

	*ret_found = false;
	for (i = 0; i < m->n; i++) {
		int d = series_cmp(m->series[i], name, label_value);

		*ret_found = d == 0;
		if (d >= 0)
			break;
	}
	return i;
}

static struct series *series_new(const struct metric_def *def, const char *label_value)
{
	CLEANUP(series_free) struct series *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->def = def;
	if (label_value) {
		s->label_value = strdup(label_value);
		if (!s->label_value)
			return NULL;
	}
	if (def->kind == METRIC_HISTOGRAM_SECONDS && histogram_new(&s->histogram) < 0)
		return NULL;
	return TAKE(s);
}

/* NULL when the registry or memory is full. */
static struct series *series_get(struct metrics *m, const struct metric_def *def,
	enum metric_kind kind, const char *label_value)
{
	struct series *s;
	bool found;
	size_t at;

	(void)kind; /* without assertions */
	assert(def->kind == kind);
	assert(!def->label == !label_value);
	at = series_find(m, def->name, label_value, &found);
	if (found) {
		assert(m->series[at]->def->kind == kind);
		return m->series[at];
	}
	s = m->n < m->max ? series_new(def, label_value) : NULL;
	if (!s) {
		if (m->n_overflow)
			counter_add(m->n_overflow, 1);
		return NULL;
	}
	memmove(&m->series[at + 1], &m->series[at], (m->n - at) * sizeof(struct series *));
	m->series[at] = s;
	m->n++;
	return s;
}

struct counter *metrics_counter(
	struct metrics *m, const struct metric_def *def, const char *label_value)
{
	struct series *s = series_get(m, def, METRIC_COUNTER, label_value);

	return s ? &s->counter : &m->overflow_counter;
}

struct gauge *metrics_gauge(
	struct metrics *m, const struct metric_def *def, const char *label_value)
{
	struct series *s = series_get(m, def, METRIC_GAUGE, label_value);

	return s ? &s->gauge : &m->overflow_gauge;
}

struct histogram *metrics_histogram(
	struct metrics *m, const struct metric_def *def, const char *label_value)
{
	struct series *s = series_get(m, def, METRIC_HISTOGRAM_SECONDS, label_value);

	return s ? s->histogram : m->overflow_histogram;
}

int64_t metrics_value(const struct metrics *m, const char *name, const char *label_value)
{
	bool found;
	size_t at = series_find(m, name, label_value, &found);

	if (!found || m->series[at]->def->kind == METRIC_HISTOGRAM_SECONDS)
		return 0;
	if (m->series[at]->def->kind == METRIC_GAUGE)
		return m->series[at]->gauge.value;
	return (int64_t)m->series[at]->counter.value;
}

/* @quoted: a label value; otherwise a help text, where quotes stand for themselves. */
static void put_escaped(struct buf *out, const char *text, bool quoted)
{
	for (const char *p = text; *p; p++) {
		if (*p == '\n')
			buf_puts(out, STR("\\n"));
		else if (*p == '\\' || (quoted && *p == '"'))
			buf_put(out, (char[]){ '\\', *p }, 2);
		else
			buf_putc(out, *p);
	}
}

static void put_family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s ", name);
	put_escaped(out, help, false);
	buf_printf(out, "\n# TYPE %s %s\n", name, type);
}

/* Name and labels of a sample, up to its value. */
static void put_name(struct buf *out, const struct series *s, const char *suffix, const char *le)
{
	buf_printf(out, "%s%s", s->def->name, suffix);
	if (s->label_value || le)
		buf_putc(out, '{');
	if (s->label_value) {
		buf_printf(out, "%s=\"", s->def->label);
		put_escaped(out, s->label_value, true);
		buf_putc(out, '"');
	}
	if (le)
		buf_printf(out, "%sle=\"%s\"", s->label_value ? "," : "", le);
	if (s->label_value || le)
		buf_putc(out, '}');
	buf_putc(out, ' ');
}

static void put_histogram(struct buf *out, const struct series *s)
{
	const struct histogram *h = s->histogram;
	int64_t sum_us = histogram_sum(h);

	for (size_t i = 0; i < ARRAY_LEN(BOUNDS); i++) {
		put_name(out, s, "_bucket", BOUNDS[i].text);
		buf_printf(out, "%" PRIu64 "\n", histogram_count_le(h, BOUNDS[i].us));
	}
	put_name(out, s, "_bucket", "+Inf");
	buf_printf(out, "%" PRIu64 "\n", histogram_count(h));
	put_name(out, s, "_sum", NULL);
	buf_printf(out, "%" PRId64 ".%06" PRId64 "\n", sum_us / 1000000, sum_us % 1000000);
	put_name(out, s, "_count", NULL);
	buf_printf(out, "%" PRIu64 "\n", histogram_count(h));
}

static void put_series(struct buf *out, const struct series *s)
{
	if (s->def->kind == METRIC_HISTOGRAM_SECONDS) {
		put_histogram(out, s);
		return;
	}
	put_name(out, s, "", NULL);
	if (s->def->kind == METRIC_COUNTER)
		buf_printf(out, "%" PRIu64 "\n", s->counter.value);
	else
		buf_printf(out, "%" PRId64 "\n", s->gauge.value);
}

static void put_open_fds(struct buf *out)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	int n = -1; /* opendir()'s own */

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			n++;
	closedir(dir);
	put_family(out, "process_open_fds", "gauge", "Number of open file descriptors.");
	buf_printf(out, "process_open_fds %d\n", n);
}

/* Seconds since the epoch at which the machine started; 0 if unknown. */
static unsigned long long boot_time(void)
{
	FILE *f = fopen("/proc/stat", "re");
	unsigned long long btime = 0;
	char line[4096];

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "btime %llu", &btime) == 1)
			break;
	fclose(f);
	return btime;
}

/* proc(5): utime and stime are fields 14 and 15, starttime 22, rss 24. The second field is the
 * program's name and may hold anything, so counting starts behind its last parenthesis. */
static void put_process(struct buf *out)
{
	unsigned long long utime, stime, start, ticks = (unsigned long long)sysconf(_SC_CLK_TCK);
	unsigned long long btime = boot_time();
	long long rss;
	char text[1024];
	const char *p;
	size_t n;
	FILE *f = fopen("/proc/self/stat", "re");

	if (!f)
		return;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	p = strrchr(text, ')');
	if (!p || sscanf(p + 1,
			  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d "
			  "%*d %*d %llu %*u %lld",
			  &utime, &stime, &start, &rss) != 4)
		return;

	put_family(out, "process_cpu_seconds_total", "counter",
		"Total user and system CPU time spent in seconds.");
	buf_printf(
		out, "process_cpu_seconds_total %.2f\n", (double)(utime + stime) / (double)ticks);
	put_open_fds(out);
	put_family(out, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.");
	buf_printf(out, "process_resident_memory_bytes %lld\n", rss * sysconf(_SC_PAGESIZE));
	if (!btime)
		return;
	put_family(out, "process_start_time_seconds", "gauge",
		"Start time of the process since unix epoch in seconds.");
	buf_printf(out, "process_start_time_seconds %.2f\n",
		(double)btime + (double)start / (double)ticks);
}

void metrics_write(const struct metrics *m, struct buf *out)
{
	static const char *const TYPES[] = { "counter", "gauge", "histogram" };

	put_process(out);
	for (size_t i = 0; i < m->n; i++) {
		const struct metric_def *def = m->series[i]->def;

		if (i == 0 || strcmp(m->series[i - 1]->def->name, def->name) != 0)
			put_family(out, def->name, TYPES[def->kind], def->help);
		put_series(out, m->series[i]);
	}
}
