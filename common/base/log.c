/*
 * A line is built whole and leaves in one write(2), so that lines of several threads (librdkafka
 * logs from its own) and processes do not mix. Every escape used is also a JSON escape: a value
 * quoted by log_quote() can go into the JSON form untouched once it has been checked.
 *
 * The rate limit is a small table that is scanned: logging is not a hot path. When it is full, the
 * entry of the oldest window goes; what it had suppressed is reported as suppressed_other.
 */
#include "common/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/json_out.h"
#include "common/base/time_text.h"

#define LINE_MAX_BYTES 1024
#define QUOTE_MAX      200
#define N_QUOTES       8
#define RATE_KEYS      64
#define RATE_BURST     10
#define RATE_WINDOW_MS 1000

struct rate {
	uint64_t key;
	int64_t start_ms;
	unsigned n; /* written in this window; 0 = free entry */
	uint64_t suppressed;
};

/* What a line says beside the caller's fields. */
struct event {
	enum log_level level;
	const char *group;
	const char *msg;
	struct str fields;
	uint64_t suppressed;
	uint64_t suppressed_other;
};

static struct {
	pthread_mutex_t lock;
	const char *role;
	enum log_level level;
	enum log_format format;
	int64_t (*now_ms)(void);
	struct rate rates[RATE_KEYS]; /* {lock} */
	uint64_t suppressed_other;    /* {lock} */
	struct buf line;              /* {lock} */
} state = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.role = "souk",
	.level = LOG_LEVEL_INFO,
	.line = { .max = LINE_MAX_BYTES - 2 }, /* "}" and the newline are added last */
};

static const char *const LEVELS[] = { "error", "warn", "info", "debug" };

void log_init(const char *role, enum log_level level, enum log_format format)
{
	state.role = role;
	state.level = level;
	state.format = format;
}

void log_set_clock(int64_t (*now_ms)(void))
{
	state.now_ms = now_ms;
}

bool log_is_on(enum log_level level)
{
	return level <= state.level;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	if (state.now_ms)
		return state.now_ms();
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The escaped form of the character at the head of @s into @ret (with NUL); returns the bytes of @s
 * that it stands for. Quotes and backslashes only if @quoted. C1 controls count as controls,
 * because terminals obey them. */
static size_t escape_one(char ret[8], struct str s, bool quoted)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t len = str_utf8_len(s);

	if (len == 0)
		snprintf(ret, 8, "\\ufffd");
	else if (quoted && (c == '"' || c == '\\'))
		snprintf(ret, 8, "\\%c", c);
	else if (c == '\n' || c == '\t' || c == '\r')
		snprintf(ret, 8, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
	else if (c < 0x20 || c == 0x7f)
		snprintf(ret, 8, "\\u%04x", c);
	else if (c == 0xc2 && (unsigned char)s.p[1] < 0xa0)
		snprintf(ret, 8, "\\u%04x", (unsigned char)s.p[1]);
	else
		snprintf(ret, 8, STR_FMT, (int)len, s.p);
	return len ? len : 1;
}

/* As much of @s as fits, never half an escape. */
static void put_escaped(struct buf *b, struct str s, bool quoted)
{
	char one[8];

	while (s.n && !b->failed) {
		size_t len = escape_one(one, s, quoted);

		buf_puts(b, str_of(one));
		s.p += len;
		s.n -= len;
	}
}

const char *log_quote(struct str s)
{
	/* Worst case: every byte a six-byte escape. */
	static _Thread_local char quotes[N_QUOTES][QUOTE_MAX * 6 + 3];
	static _Thread_local unsigned next;
	char *q = quotes[next++ % N_QUOTES];
	char one[8];
	size_t n = 0, seen = 0;

	q[n++] = '"';
	while (seen < s.n && seen < QUOTE_MAX) {
		size_t len = escape_one(one, (struct str){ s.p + seen, s.n - seen }, true);

		if (seen + len > QUOTE_MAX)
			break;
		memcpy(q + n, one, strlen(one));
		n += strlen(one);
		seen += len;
	}
	q[n++] = '"';
	q[n] = '\0';
	return q;
}

static uint64_t rate_key(const char *group, const char *msg)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a; the NUL between the two counts */

	for (const char *p = group; *p; p++)
		h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	h *= UINT64_C(0x100000001b3);
	for (const char *p = msg; *p; p++)
		h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	return h;
}

static struct rate *rate_find(uint64_t key)
{
	struct rate *oldest = &state.rates[0];

	for (size_t i = 0; i < RATE_KEYS; i++) {
		struct rate *r = &state.rates[i];

		if (r->n == 0) {
			oldest = r;
			break;
		}
		if (r->key == key)
			return r;
		if (r->start_ms < oldest->start_ms)
			oldest = r;
	}
	state.suppressed_other += oldest->suppressed;
	*oldest = (struct rate){ .key = key, .start_ms = now_ms() };
	return oldest;
}

/* Whether the message may be written now; then *ret_suppressed is what was held back before it. */
static bool rate_pass(const char *group, const char *msg, uint64_t *ret_suppressed)
{
	struct rate *r = rate_find(rate_key(group, msg));
	int64_t now = now_ms();

	if (now - r->start_ms >= RATE_WINDOW_MS) {
		r->start_ms = now;
		r->n = 0;
	}
	if (r->n == RATE_BURST) {
		r->suppressed++;
		return false;
	}
	r->n++;
	*ret_suppressed = r->suppressed;
	r->suppressed = 0;
	return true;
}

static void timestamp(char ret[TIME_TEXT_MAX])
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	time_text(ret, (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static void write_logfmt(struct buf *b, const struct event *e)
{
	char ts[TIME_TEXT_MAX];

	timestamp(ts);
	buf_printf(b, "ts=%s level=%s role=%s group=%s msg=\"", ts, LEVELS[e->level], state.role,
		e->group);
	put_escaped(b, str_of(e->msg), true);
	buf_putc(b, '"');
	if (e->suppressed)
		buf_printf(b, " suppressed=%llu", (unsigned long long)e->suppressed);
	if (e->suppressed_other)
		buf_printf(b, " suppressed_other=%llu", (unsigned long long)e->suppressed_other);
	if (e->fields.n) {
		buf_putc(b, ' ');
		put_escaped(b, e->fields, false);
	}
}

/* Bytes of the JSON string that @s begins with, quotes included; 0 if it is none. */
static size_t json_string_len(struct str s)
{
	size_t i = 1;

	if (s.n == 0 || s.p[0] != '"')
		return 0;
	while (i < s.n && s.p[i] != '"') {
		size_t len = str_utf8_len((struct str){ s.p + i, s.n - i });

		if (len == 0 || (unsigned char)s.p[i] < 0x20)
			return 0;
		if (s.p[i] != '\\') {
			i += len;
			continue;
		}
		if (i + 1 < s.n && s.p[i + 1] && strchr("\"\\/bfnrt", s.p[i + 1]))
			i += 2;
		else if (i + 5 < s.n && s.p[i + 1] == 'u' &&
			 strspn(s.p + i + 2, "0123456789abcdefABCDEF") >= 4)
			i += 6;
		else
			return 0;
	}
	return i < s.n && (i + 1 == s.n || s.p[i + 1] == ' ') ? i + 1 : 0;
}

/* What does not fit is left out whole: the line stays JSON. */
static void json_undo_failed(struct json_out *j, size_t before)
{
	if (!j->b->failed)
		return;
	j->b->n = before;
	j->b->failed = false;
}

static void json_text(struct json_out *j, const char *key, struct str value)
{
	size_t before = j->b->n;

	json_raw(j, key, STR("\""));
	put_escaped(j->b, value, true);
	buf_putc(j->b, '"');
	json_undo_failed(j, before);
}

static void json_value(struct json_out *j, const char *key, struct str value)
{
	size_t before = j->b->n;
	int64_t number;

	if (value.n && json_string_len(value) == value.n)
		json_raw(j, key, value);
	else if (str_to_i64(value, &number) == 0)
		json_i64(j, key, number);
	else
		json_text(j, key, value);
	json_undo_failed(j, before);
}

/* One `key=value` off the head of @fields. */
static void json_field(struct json_out *j, struct str *fields)
{
	char key[64];
	struct str rest = *fields, value;
	const char *eq = memchr(rest.p, '=', rest.n);
	const char *space = memchr(rest.p, ' ', rest.n);
	size_t len;

	if (!eq || (space && space < eq)) { /* a lone word: the key is all there is */
		len = space ? (size_t)(space - rest.p) : rest.n;
		value = STR("");
		eq = rest.p + len;
	} else {
		value = (struct str){ eq + 1, rest.n - (size_t)(eq + 1 - rest.p) };
		len = json_string_len(value);
		space = memchr(value.p, ' ', value.n);
		value.n = len ? len : space ? (size_t)(space - value.p) : value.n;
		len = (size_t)(value.p - rest.p) + value.n;
	}
	if (eq > rest.p &&
		str_copy(key, sizeof(key), (struct str){ rest.p, (size_t)(eq - rest.p) }) == 0)
		json_value(j, key, value);
	fields->p += len;
	fields->n -= len;
	while (fields->n && fields->p[0] == ' ') {
		fields->p++;
		fields->n--;
	}
}

static void write_json(struct buf *b, const struct event *e)
{
	struct json_out j = JSON_OUT(b);
	struct str fields = e->fields;
	char ts[TIME_TEXT_MAX];

	timestamp(ts);
	json_begin(&j, NULL);
	json_strz(&j, "ts", ts);
	json_strz(&j, "level", LEVELS[e->level]);
	json_text(&j, "role", str_of(state.role));
	json_text(&j, "group", str_of(e->group));
	json_text(&j, "msg", str_of(e->msg));
	if (e->suppressed)
		json_u64(&j, "suppressed", e->suppressed);
	if (e->suppressed_other)
		json_u64(&j, "suppressed_other", e->suppressed_other);
	while (fields.n)
		json_field(&j, &fields);
}

static void put_line(struct buf *b)
{
	const char *p = b->p;
	size_t n = b->n;

	while (n) {
		ssize_t r = write(STDERR_FILENO, p, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return; /* there is nowhere to report it */
		p += r;
		n -= (size_t)r;
	}
}

void log_write(enum log_level level, const char *group, const char *msg, const char *fmt, ...)
{
	struct event e = { .level = level, .group = group, .msg = msg };
	char fields[LINE_MAX_BYTES];
	struct buf *b = &state.line;
	int saved_errno = errno;
	va_list ap;
	int n;

	if (!log_is_on(level))
		return;
	va_start(ap, fmt);
	n = vsnprintf(fields, sizeof(fields), fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	e.fields =
		(struct str){ fields, (size_t)n < sizeof(fields) ? (size_t)n : sizeof(fields) - 1 };

	pthread_mutex_lock(&state.lock);
	if (rate_pass(group, msg, &e.suppressed)) {
		e.suppressed_other = state.suppressed_other;
		state.suppressed_other = 0;
		buf_clear(b);
		if (state.format == LOG_FORMAT_JSON)
			write_json(b, &e);
		else
			write_logfmt(b, &e);
		b->max += 2;
		b->failed = false;
		buf_puts(b, state.format == LOG_FORMAT_JSON ? STR("}\n") : STR("\n"));
		b->max -= 2;
		put_line(b);
	}
	pthread_mutex_unlock(&state.lock);
	errno = saved_errno;
}
