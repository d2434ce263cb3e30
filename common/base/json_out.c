/*
 * Runs of plain characters go out in one copy; only what needs an escape breaks a run. Keys are
 * escaped like values, because a map's keys come from outside.
 */
#include "common/base/json_out.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define DEPTH_MAX 32

size_t json_escape(char ret[JSON_ESCAPE_MAX], unsigned char c)
{
	static const char SHORT[] = { ['\b'] = 'b',
		['\t'] = 't',
		['\n'] = 'n',
		['\f'] = 'f',
		['\r'] = 'r',
		['"'] = '"',
		['\\'] = '\\' };

	assert(json_must_escape(c));
	if (!SHORT[c])
		return (size_t)snprintf(ret, JSON_ESCAPE_MAX, "\\u%04x", (unsigned)c);
	ret[0] = '\\';
	ret[1] = SHORT[c];
	return 2;
}

static void put_string(struct buf *b, struct str s)
{
	size_t from = 0, i = 0;

	buf_putc(b, '"');
	while (i < s.n) {
		unsigned char c = (unsigned char)s.p[i];
		size_t len = str_utf8_len((struct str){ s.p + i, s.n - i });
		char escape[JSON_ESCAPE_MAX];

		if (len && !json_must_escape(c)) {
			i += len;
			continue;
		}
		buf_put(b, s.p + from, i - from);
		if (len)
			buf_put(b, escape, json_escape(escape, c));
		else
			buf_puts(b, STR("\xef\xbf\xbd")); /* U+FFFD */
		from = ++i;
	}
	if (s.n)
		buf_put(b, s.p + from, s.n - from);
	buf_putc(b, '"');
}

static void lead(struct json_out *j, const char *key)
{
	uint64_t bit = UINT64_C(1) << j->depth;

	if (j->depth > 0 && (j->has_member & bit))
		buf_putc(j->b, ',');
	j->has_member |= bit;
	if (key) {
		put_string(j->b, str_of(key));
		buf_putc(j->b, ':');
	}
}

static void open_level(struct json_out *j, const char *key, char bracket)
{
	assert(j->depth < DEPTH_MAX);
	lead(j, key);
	buf_putc(j->b, bracket);
	j->depth++;
	j->has_member &= ~(UINT64_C(1) << j->depth);
}

static void close_level(struct json_out *j, char bracket)
{
	assert(j->depth > 0);
	j->depth--;
	buf_putc(j->b, bracket);
}

void json_begin(struct json_out *j, const char *key)
{
	open_level(j, key, '{');
}

void json_end(struct json_out *j)
{
	close_level(j, '}');
}

void json_begin_array(struct json_out *j, const char *key)
{
	open_level(j, key, '[');
}

void json_end_array(struct json_out *j)
{
	close_level(j, ']');
}

void json_str(struct json_out *j, const char *key, struct str s)
{
	if (!str_is_set(s)) {
		json_out_null(j, key);
		return;
	}
	lead(j, key);
	put_string(j->b, s);
}

void json_str_opt(struct json_out *j, const char *key, struct str s)
{
	if (str_is_set(s))
		json_str(j, key, s);
}

void json_strz(struct json_out *j, const char *key, const char *z)
{
	json_str(j, key, str_of(z));
}

void json_i64(struct json_out *j, const char *key, int64_t v)
{
	lead(j, key);
	buf_printf(j->b, "%" PRId64, v);
}

void json_u64(struct json_out *j, const char *key, uint64_t v)
{
	lead(j, key);
	buf_printf(j->b, "%" PRIu64, v);
}

void json_bool(struct json_out *j, const char *key, bool v)
{
	lead(j, key);
	buf_puts(j->b, v ? STR("true") : STR("false"));
}

void json_out_null(struct json_out *j, const char *key)
{
	lead(j, key);
	buf_puts(j->b, STR("null"));
}

void json_f64(struct json_out *j, const char *key, double v, int decimals)
{
	if (!isfinite(v)) {
		json_out_null(j, key); /* JSON has no other word for it */
		return;
	}
	lead(j, key);
	buf_printf(j->b, "%.*f", decimals, v);
}

void json_raw(struct json_out *j, const char *key, struct str json)
{
	if (!str_is_set(json)) {
		json_out_null(j, key);
		return;
	}
	lead(j, key);
	buf_puts(j->b, json);
}

void json_raw_opt(struct json_out *j, const char *key, struct str json)
{
	if (str_is_set(json))
		json_raw(j, key, json);
}
