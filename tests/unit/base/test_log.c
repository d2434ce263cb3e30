#include <errno.h>
#include <stdio.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/redirect.h>
#include <jansson.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"

static int64_t clock_ms;

static int64_t fixed_clock(void)
{
	return clock_ms;
}

static void setup(void)
{
	log_set_clock(fixed_clock);
	cr_redirect_stderr();
}

/* All that was written since the last call. */
static char *written(void)
{
	static char text[65536];
	FILE *f = cr_get_redirected_stderr();
	size_t n;

	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	return text;
}

/* The line behind its time. */
static char *line(void)
{
	char *text = written();
	char *level = strstr(text, " level=");

	cr_assert(ne(ptr, level, NULL), "%s", text);
	return level + 1;
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, what)); p++)
		n++;
	return n;
}

TestSuite(log, .init = setup);

Test(log, logfmt_line_has_all_parts)
{
	log_init("pricing", LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	log_info("bus", "partition assigned", "topic=%s partition=%d", "orders.v1", 3);
	cr_expect(eq(str, line(),
		"level=info role=pricing group=bus msg=\"partition assigned\" topic=orders.v1 "
		"partition=3\n"));
}

Test(log, time_is_utc_with_milliseconds)
{
	const char *text;
	int n = 0;

	log_warn("g", "m", "a=%d", 1);
	text = written();
	sscanf(text, "ts=%*4d-%*2d-%*2dT%*2d:%*2d:%*2d.%*3dZ level=warn%n", &n);
	cr_expect(gt(int, n, 0), "%s", text);
}

Test(log, level_hides_what_is_below_it)
{
	log_init("souk", LOG_LEVEL_WARN, LOG_FORMAT_LOGFMT);
	cr_expect(not(log_is_on(LOG_LEVEL_INFO)));
	log_info("g", "hidden", "a=%d", 1);
	log_debug("g", "hidden", "a=%d", 1);
	log_error("g", "shown", "a=%d", 1);
	cr_expect(eq(str, line(), "level=error role=souk group=g msg=\"shown\" a=1\n"));
}

Test(log, controls_and_broken_utf8_cannot_forge_a_line)
{
	log_info("g", "m\n\"x", "a=%s", "1\nlevel=error\r\x1b[31m\x7f\xc2\x9b\xff\xc3\xa4");
	cr_expect(eq(str, line(),
		"level=info role=souk group=g msg=\"m\\n\\\"x\" "
		"a=1\\nlevel=error\\r\\u001b[31m\\u007f\\u009b\\ufffd\xc3\xa4\n"));
}

Test(log, quote_escapes_and_cuts)
{
	char long_text[400];

	memset(long_text, 'x', sizeof(long_text));
	cr_expect(eq(str, (char *)log_quote(STR("a \"b\" \\ \n\xff")),
		"\"a \\\"b\\\" \\\\ \\n\\ufffd\""));
	cr_expect(eq(sz, strlen(log_quote((struct str){ long_text, sizeof(long_text) })), 202));
	memset(long_text, '\x01', sizeof(long_text));
	cr_expect(eq(sz, strlen(log_quote((struct str){ long_text, sizeof(long_text) })), 1202));
	cr_expect(eq(str, (char *)log_quote(STR_NONE), "\"\""));
}

Test(log, eight_quotes_live_side_by_side)
{
	const char *q[8];

	for (int i = 0; i < 8; i++)
		q[i] = log_quote((struct str){ (char[]){ (char)('a' + i) }, 1 });
	cr_expect(eq(str, (char *)q[0], "\"a\""));
	cr_expect(eq(str, (char *)q[7], "\"h\""));
}

Test(log, long_line_is_cut_at_1024_bytes)
{
	char value[3000];
	const char *text;

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	log_info("g", "m", "a=%s", value);
	text = written();
	cr_expect(le(sz, strlen(text), 1024));
	cr_expect(gt(sz, strlen(text), 1000));
	cr_expect(eq(chr, text[strlen(text) - 1], '\n'));
	cr_expect(eq(sz, count(text, "\n"), 1));
}

Test(log, eleventh_of_a_second_is_held_back_and_counted_with_the_next)
{
	const char *text;

	for (int i = 0; i < 15; i++)
		log_info("g", "again", "i=%d", i);
	log_info("g", "other", "i=%d", 0);
	text = written();
	cr_expect(eq(sz, count(text, "msg=\"again\""), 10));
	cr_expect(eq(sz, count(text, "msg=\"other\""), 1));
	cr_expect(zero(sz, count(text, "suppressed=")));

	clock_ms += 999;
	log_info("g", "again", "i=%d", 98);
	cr_expect(eq(str, written(), ""));
	clock_ms += 1;
	log_info("g", "again", "i=%d", 99);
	cr_expect(
		eq(str, line(), "level=info role=souk group=g msg=\"again\" suppressed=6 i=99\n"));
	log_info("g", "again", "i=%d", 100);
	cr_expect(zero(sz, count(written(), "suppressed=")));
}

Test(log, same_message_of_another_group_has_its_own_count)
{
	for (int i = 0; i < 10; i++)
		log_info("a", "m", "i=%d", i);
	log_info("b", "m", "i=%d", 0);
	cr_expect(eq(sz, count(written(), "\n"), 11));
}

Test(log, table_that_is_full_reports_what_it_forgot)
{
	char msg[16];

	for (int i = 0; i < 13; i++)
		log_info("g", "first", "i=%d", i);
	for (int i = 0; i < 70; i++) {
		clock_ms++;
		snprintf(msg, sizeof(msg), "m%d", i);
		log_info("g", msg, "i=%d", i);
	}
	cr_expect(eq(sz, count(written(), "suppressed_other=3"), 1));
}

Test(log, errno_survives)
{
	errno = EPIPE;
	log_info("g", "m", "a=%d", 1);
	cr_expect(eq(int, errno, EPIPE));
}

static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *v = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	cr_assert(ne(ptr, v, NULL), "%s: %s", error.text, text);
	return v;
}

Test(log, json_line_has_a_member_per_pair)
{
	json_t *v;

	log_init("ws", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_info("bus", "a \"b\"", "n=%d neg=-7 s=%s q=%s lead=007 word tail=%s", 5, "x",
		log_quote(STR("two words \"q\"")), "");
	v = parse(written());
	cr_expect(eq(str, (char *)json_string_value(json_object_get(v, "level")), "info"));
	cr_expect(eq(str, (char *)json_string_value(json_object_get(v, "role")), "ws"));
	cr_expect(eq(str, (char *)json_string_value(json_object_get(v, "group")), "bus"));
	cr_expect(eq(str, (char *)json_string_value(json_object_get(v, "msg")), "a \"b\""));
	cr_expect(eq(int, (int)json_integer_value(json_object_get(v, "n")), 5));
	cr_expect(eq(int, (int)json_integer_value(json_object_get(v, "neg")), -7));
	cr_expect(eq(str, (char *)json_string_value(json_object_get(v, "s")), "x"));
	cr_expect(eq(str, (char *)json_string_value(json_object_get(v, "q")), "two words \"q\""));
	cr_expect(eq(str, (char *)json_string_value(json_object_get(v, "lead")), "007"));
	cr_expect(eq(str, (char *)json_string_value(json_object_get(v, "word")), ""));
	cr_expect(eq(str, (char *)json_string_value(json_object_get(v, "tail")), ""));
	json_decref(v);
}

Test(log, json_line_stays_json_whatever_the_values_are)
{
	static const char *const VALUES[] = { "\"", "\"open", "\"bad\\q\"", "\"\\u12\"", "\"\xff\"",
		"\"a\"b", "\\", "=", "==", "a=\"", "\n", "\x01", "\xc3", "\"\\", "\"\x1f\"", "  " };
	char value[3000];

	log_init("ws", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	for (size_t i = 0; i < ARRAY_LEN(VALUES); i++) {
		clock_ms += 1000;
		log_info("g", "m", "v=%s x=1", VALUES[i]);
		json_decref(parse(written()));
	}
	for (size_t n = 900; n < 1030; n++) {
		clock_ms += 1000;
		memset(value, 'v', n);
		value[n] = '\0';
		log_info("g", "m", "n=%d long=%s last=1", 1, value);
		json_decref(parse(written()));
	}
}

Test(log, json_line_is_at_most_1024_bytes)
{
	char value[3000];
	const char *text;

	log_init("ws", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	memset(value, '\x01', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	log_info("g", value, "a=1 b=%s", value);
	text = written();
	cr_expect(le(sz, strlen(text), 1024));
	json_decref(parse(text));
}
