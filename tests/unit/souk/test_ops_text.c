/* Prometheus text as it comes, and as nobody should write it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/metrics.h"
#include "souk/demo/storefront/ops_text.h"

struct seen {
	char text[4096];
	size_t n;
};

/* "name{key=value;…}number|" for each sample. */
static void note(void *ctx, const struct ops_sample *s)
{
	struct seen *seen = ctx;
	char *at = seen->text + strlen(seen->text);

	at += sprintf(at, STR_FMT "{", STR_ARG(s->name));
	for (size_t i = 0; i < s->n_labels; i++)
		at += sprintf(at, STR_FMT "=" STR_FMT ";", STR_ARG(s->label[i].key),
			STR_ARG(s->label[i].value));
	sprintf(at, "}%g|", s->value);
	seen->n++;
}

static void count(void *ctx, const struct ops_sample *s)
{
	(void)s;
	++*(size_t *)ctx;
}

static size_t skipped_of(const char *text)
{
	size_t n = 0, skipped;

	cr_assert(zero(int, ops_text_read(str_of(text), count, &n, &skipped)));
	cr_expect(zero(sz, n), "no sample in: %s", text);
	return skipped;
}

Test(ops_text, samples_comments_and_empty_lines)
{
	struct seen seen = { 0 };
	size_t skipped;

	cr_assert(zero(int,
		ops_text_read(
			STR("# HELP a An a.\n# TYPE a counter\na 1\n\n"
			    "b{x=\"1\"} 2.5\r\n  c { x = \"y z\" , w=\"\", }  -3e2 1395066363000\n"
			    "d 4"),
			note, &seen, &skipped)));
	cr_expect(eq(str, seen.text, "a{}1|b{x=1;}2.5|c{x=y z;w=;}-300|d{}4|"));
	cr_expect(zero(sz, skipped));
}

Test(ops_text, escapes_of_values)
{
	struct seen seen = { 0 };
	size_t skipped;

	cr_assert(zero(
		int, ops_text_read(STR("a{x=\"q\\\"b\\\\n\\n,}\"} 1"), note, &seen, &skipped)));
	cr_expect(eq(str, seen.text, "a{x=q\"b\\n\n,};}1|"));
}

Test(ops_text, numbers_that_are_not_finite)
{
	struct seen seen = { 0 };
	size_t skipped;

	cr_assert(zero(int, ops_text_read(STR("a +Inf\nb NaN\nc -Inf"), note, &seen, &skipped)));
	cr_expect(eq(str, seen.text, "a{}inf|b{}nan|c{}-inf|"));
}

Test(ops_text, lines_that_are_no_samples_are_skipped)
{
	static const char *const lines[] = { "a", "a ", "a x", "a 1 x", "a 1 2 3", "1a 1", "a{ 1",
		"a{x} 1", "a{x=1} 1", "a{x=\"1} 1", "a{x=\"1\\t\"} 1", "a{x=\"1\"",
		"a{x=\"1\" y=\"2\"} 1", "a{,} 1", "{x=\"1\"} 1", "a 0x10", "a nan(1)", "a 1,5",
		"a{x=\"1\\", "\xff\xfe 1", "a \xff",
		"a 00000000000000000000000000000000000000000000000000000000000000000000001",
		"a{a=\"1\",b=\"1\",c=\"1\",d=\"1\",e=\"1\",f=\"1\",g=\"1\",h=\"1\",i=\"1\"} 1" };

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		cr_expect(eq(sz, skipped_of(lines[i]), 1), "%s", lines[i]);
}

Test(ops_text, a_bad_line_does_not_hide_the_next)
{
	struct seen seen = { 0 };
	size_t skipped;

	cr_assert(zero(int, ops_text_read(STR("a{\nb 1\n"), note, &seen, &skipped)));
	cr_expect(eq(str, seen.text, "b{}1|"));
	cr_expect(eq(sz, skipped, 1));
}

Test(ops_text, a_nul_is_no_end)
{
	struct seen seen = { 0 };
	size_t skipped;

	cr_assert(zero(
		int, ops_text_read(STR("a 1\0\nb{x=\"\\\0\"} 1\nc 2"), note, &seen, &skipped)));
	cr_expect(eq(str, seen.text, "c{}2|"));
	cr_expect(eq(sz, skipped, 2));
}

Test(ops_text, a_label_longer_than_its_maximum_skips_its_line)
{
	char line[OPS_TEXT_VALUE_MAX + 32], value[OPS_TEXT_VALUE_MAX + 2] = "";

	memset(value, 'v', OPS_TEXT_VALUE_MAX + 1);
	snprintf(line, sizeof(line), "a{x=\"%s\"} 1", value);
	cr_expect(eq(sz, skipped_of(line), 1));
}

Test(ops_text, too_many_lines_end_the_reading)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(OPS_TEXT_MAX);
	size_t n = 0, skipped;

	for (size_t i = 0; i < OPS_TEXT_LINES_MAX + 5; i++)
		buf_puts(&b, STR("a 1\n"));
	cr_expect(eq(int, ops_text_read(buf_str(&b), count, &n, &skipped), OPS_TEXT_E_TOO_LARGE));
	cr_expect(eq(sz, n, OPS_TEXT_LINES_MAX));
}

Test(ops_text, too_many_bytes_are_not_read)
{
	char *p = malloc(OPS_TEXT_MAX + 1);
	size_t n = 0, skipped;

	cr_assert(p != NULL);
	memset(p, '\n', OPS_TEXT_MAX + 1);
	cr_expect(eq(int, ops_text_read((struct str){ p, OPS_TEXT_MAX + 1 }, count, &n, &skipped),
		OPS_TEXT_E_TOO_LARGE));
	free(p);
}

Test(ops_text, every_cut_of_a_text_is_read_within_its_bytes)
{
	static const char text[] =
		"a{x=\"q\\\"\",y=\"2\"} +Inf 123\n# c\nb_bucket{le=\"0.5\"} 1e3\n";

	for (size_t n = 0; n < sizeof(text); n++) {
		char *cut = malloc(n + 1); /* of its own, so that a read beyond it is seen */
		size_t seen = 0, skipped;

		cr_assert(cut != NULL);
		memcpy(cut, text, n);
		cr_expect(zero(int, ops_text_read((struct str){ cut, n }, count, &seen, &skipped)));
		cr_expect(le(sz, seen + skipped, 2));
		free(cut);
	}
}

Test(ops_text, what_our_registry_writes_is_read_without_a_skip)
{
	static const struct metric_def C = { "souk_x_total", METRIC_COUNTER,
		"With \\ and \"quotes\".", "result" };
	static const struct metric_def H = { "souk_x_seconds", METRIC_HISTOGRAM_SECONDS, "H.",
		NULL };
	CLEANUP(metrics_free) struct metrics *m = NULL;
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
	size_t n = 0, skipped;

	cr_assert(zero(int, metrics_new(&m, 8)));
	counter_add(metrics_counter(m, &C, "a\"b\\c\nd"), 3);
	histogram_add(metrics_histogram(m, &H, NULL), 1500);
	metrics_write(m, &b);
	cr_assert(zero(int, ops_text_read(buf_str(&b), count, &n, &skipped)));
	cr_expect(zero(sz, skipped));
	cr_expect(ge(sz, n, 1 + 17 + 1), "the counter, a histogram of 15 buckets, our own");
}
