#include "common/model/json_gate.h"

#include <assert.h>
#include <stdint.h>

/*
 * One pass, no recursion: a bit per open level says array or object. The scanner counts values as
 * it meets them, so that an error found later, while LEJP's events are read (LEJP gives no
 * positions), can be given a byte offset by scanning again: the price is paid only for bad input.
 */

struct scan {
	const unsigned char *start, *p, *end;
	unsigned depth;
	uint32_t arrays; /* bit per depth: set = array */
	unsigned n_values;
	unsigned stop_at; /* 0 = never */
	bool is_object;
	int code;
	const char *what;
};

static bool fail(struct scan *s, int code, const char *what)
{
	s->code = code;
	s->what = what;
	return false;
}

static bool syntax(struct scan *s, const char *what)
{
	return fail(s, JSON_GATE_E_SYNTAX, what);
}

static int peek(const struct scan *s)
{
	return s->p < s->end ? *s->p : -1;
}

static void skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static int hex_of(int c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Four hex digits at s->p, or -1. */
static int unit(struct scan *s)
{
	int v = 0;

	if (s->end - s->p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int h = hex_of(s->p[i]);

		if (h < 0)
			return -1;
		v = v << 4 | h;
	}
	s->p += 4;
	return v;
}

/* After "\u". Returns the bytes that LEJP will make of it, 0 on error. */
static size_t escape_unit(struct scan *s)
{
	int u = unit(s);

	if (u < 0)
		return syntax(s, "\\u needs four hex digits");
	if (u == 0)
		return syntax(s, "a text must not hold U+0000");
	if (u >= 0xdc00 && u <= 0xdfff)
		return syntax(s, "half of a surrogate pair");
	if (u >= 0xd800 && u <= 0xdbff) {
		if (s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u')
			return syntax(s, "half of a surrogate pair");
		s->p += 2;
		u = unit(s);
		if (u < 0xdc00 || u > 0xdfff)
			return syntax(s, "half of a surrogate pair");
		return 6;
	}
	return u < 0x80 ? 1 : u < 0x800 ? 2 : 3;
}

/* One UTF-8 sequence of two to four bytes at s->p; returns its length, 0 on error. */
static size_t sequence(struct scan *s)
{
	unsigned c = *s->p;
	size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	unsigned low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	unsigned high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;

	if (c < 0xc2 || c > 0xf4 || (size_t)(s->end - s->p) < n || s->p[1] < low || s->p[1] > high)
		return syntax(s, "a text must be UTF-8");
	for (size_t i = 2; i < n; i++) {
		if ((s->p[i] & 0xc0) != 0x80)
			return syntax(s, "a text must be UTF-8");
	}
	s->p += n;
	return n;
}

/* One character or escape; returns its bytes, 0 on error. */
static size_t character(struct scan *s)
{
	int c = *s->p;

	if (c >= 0x80)
		return sequence(s);
	if (c < 0x20)
		return syntax(s, "a control character in a text must be escaped");
	s->p++;
	if (c != '\\')
		return 1;

	c = peek(s);
	if (c == 'u') {
		s->p++;
		return escape_unit(s);
	}
	if (c <= 0 || !strchr("\"\\/bfnrt", c))
		return syntax(s, "an unknown escape");
	s->p++;
	return 1;
}

static bool string(struct scan *s, size_t max)
{
	size_t n = 0;

	s->p++;
	while (peek(s) != '"') {
		size_t k;

		if (s->p == s->end)
			return syntax(s, "a text without its closing quote");
		k = character(s);
		if (!k)
			return false;
		n += k;
		if (n > max)
			return fail(s, JSON_GATE_E_LIMIT, "a member name over 120 bytes");
	}
	s->p++;
	return true;
}

static bool digits(struct scan *s)
{
	if (!is_digit(peek(s)))
		return syntax(s, "a number needs a digit here");
	while (is_digit(peek(s)))
		s->p++;
	return true;
}

static bool number(struct scan *s)
{
	const unsigned char *start = s->p;

	if (peek(s) == '-')
		s->p++;
	if (peek(s) == '0') {
		s->p++;
		if (is_digit(peek(s)))
			return syntax(s, "a number must not start with 0");
	} else if (!digits(s)) {
		return false;
	}
	if (peek(s) == '.') {
		s->p++;
		if (!digits(s))
			return false;
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->p++;
		if (peek(s) == '+' || peek(s) == '-')
			s->p++;
		if (!digits(s))
			return false;
	}
	if (s->p - start > JSON_NUMBER_MAX)
		return fail(s, JSON_GATE_E_LIMIT, "a number over 128 characters");
	return true;
}

static bool literal(struct scan *s, struct str word)
{
	if ((size_t)(s->end - s->p) < word.n || memcmp(s->p, word.p, word.n) != 0)
		return syntax(s, "expected a value");
	s->p += word.n;
	return true;
}

static bool scalar(struct scan *s)
{
	switch (peek(s)) {
	case '"':
		return string(s, SIZE_MAX);
	case 't':
		return literal(s, STR("true"));
	case 'f':
		return literal(s, STR("false"));
	case 'n':
		return literal(s, STR("null"));
	case '-':
		return number(s);
	default:
		return is_digit(peek(s)) ? number(s) : syntax(s, "expected a value");
	}
}

static bool in_array(const struct scan *s)
{
	return s->arrays >> s->depth & 1;
}

static bool member_name(struct scan *s)
{
	skip_space(s);
	if (peek(s) != '"')
		return syntax(s, "expected a member name in double quotes");
	if (!string(s, JSON_KEY_MAX))
		return false;
	skip_space(s);
	if (peek(s) != ':')
		return syntax(s, "expected ':' after the member name");
	s->p++;
	return true;
}

/* Opens the object or array at s->p; *ret_empty if it closes at once. */
static bool open_level(struct scan *s, bool *ret_empty)
{
	bool is_array = *s->p == '[';

	if (s->depth == JSON_DEPTH_MAX)
		return fail(s, JSON_GATE_E_LIMIT, "objects and arrays nested over 11 levels");
	s->depth++;
	s->arrays = (s->arrays & ~(UINT32_C(1) << s->depth)) | (uint32_t)is_array << s->depth;
	s->p++;
	skip_space(s);
	*ret_empty = peek(s) == (is_array ? ']' : '}');
	if (*ret_empty) {
		s->p++;
		s->depth--;
		return true;
	}
	return is_array || member_name(s);
}

/* After a value: closes what ends here and passes a comma; *ret_more if another value follows. */
static bool after_value(struct scan *s, bool *ret_more)
{
	*ret_more = false;
	while (s->depth) {
		skip_space(s);
		if (peek(s) == ',') {
			s->p++;
			*ret_more = true;
			return in_array(s) || member_name(s);
		}
		if (peek(s) != (in_array(s) ? ']' : '}'))
			return syntax(
				s, in_array(s) ? "expected ',' or ']'" : "expected ',' or '}'");
		s->p++;
		s->depth--;
	}
	return true;
}

static bool document(struct scan *s)
{
	for (bool is_more = true; is_more;) {
		bool is_closed = true;

		skip_space(s);
		if (s->n_values == 0 && s->is_object && peek(s) != '{')
			return syntax(s, "expected an object");
		if (++s->n_values == s->stop_at)
			return true;
		if (peek(s) == '{' || peek(s) == '[') {
			if (!open_level(s, &is_closed))
				return false;
		} else if (!scalar(s)) {
			return false;
		}
		if (is_closed && !after_value(s, &is_more))
			return false;
	}
	skip_space(s);
	return s->p == s->end || syntax(s, "something follows the end of the document");
}

static struct scan scan_of(struct str json)
{
	const unsigned char *p = (const unsigned char *)(json.p ? json.p : "");

	return (struct scan){ .start = p, .p = p, .end = p + json.n };
}

int json_gate(struct str json, bool is_object, struct json_problem *ret_problem)
{
	struct scan s = scan_of(json);

	s.is_object = is_object;
	if (document(&s))
		return 0;
	if (ret_problem)
		*ret_problem =
			(struct json_problem){ .what = s.what, .offset = (size_t)(s.p - s.start) };
	return s.code;
}

size_t json_gate_offset_of(struct str json, unsigned n)
{
	struct scan s = scan_of(json);

	s.stop_at = n;
	(void)document(&s);
	return (size_t)(s.p - s.start);
}

size_t json_join_surrogates(char *text, size_t n)
{
	unsigned char *p = (unsigned char *)text;
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] != 0xed || n - i < 6 || p[i + 1] < 0xa0) {
			p[to++] = p[i];
			continue;
		}
		uint32_t high = (uint32_t)(p[i + 1] & 0x0f) << 6 | (p[i + 2] & 0x3f);
		uint32_t low = (uint32_t)(p[i + 4] & 0x0f) << 6 | (p[i + 5] & 0x3f);
		uint32_t c = 0x10000 + (high << 10) + low;

		p[to++] = (unsigned char)(0xf0 | c >> 18);
		p[to++] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
		p[to++] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		p[to++] = (unsigned char)(0x80 | (c & 0x3f));
		i += 5;
	}
	return to;
}
