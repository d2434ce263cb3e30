/*
 * Texts. All searching works on bytes: in valid UTF-8 a character is found at no other place than
 * where it begins. What changes nothing gives the argument back, so that most calls need no memory.
 */
#include "pricing/cel/lib_impl.h"

static int64_t n_code_points(struct str s)
{
	int64_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

struct cel_value lib_size(struct cel_value v)
{
	switch ((enum cel_value_kind)v.kind) {
	case CEL_V_STRING:
		return cel_int(n_code_points(cel_str(v)));
	case CEL_V_BYTES:
	case CEL_V_LIST:
		return cel_int(v.n);
	case CEL_V_MAP:
		return cel_int(v.map->n);
	default:
		return lib_no_overload();
	}
}

static bool contains(struct str s, struct str part)
{
	return part.n == 0 || (s.n != 0 && memmem(s.p, s.n, part.p, part.n) != NULL);
}

static bool ends_with(struct str s, struct str end)
{
	return s.n >= end.n && str_eq((struct str){ s.p + (s.n - end.n), end.n }, end);
}

static struct cel_value matches(struct cel_context *c, struct str s, struct str pattern)
{
	CLEANUP(cel_pattern_free) struct cel_pattern *p = NULL;
	char why[1];

	if (!c->has_patterns)
		return cel_error(CEL_R_ARGUMENT, "a pattern has to be constant here");
	if (cel_pattern_new(&p, pattern, why, sizeof(why)) != 0)
		return cel_error(CEL_R_ARGUMENT, "invalid pattern");
	return cel_bool(cel_pattern_matches(p, s));
}

struct cel_value lib_text_test(
	struct cel_context *c, enum cel_function f, struct cel_value a, struct cel_value b)
{
	if (a.kind != CEL_V_STRING || b.kind != CEL_V_STRING)
		return lib_no_overload();
	switch (f) {
	case CEL_F_CONTAINS:
		return cel_bool(contains(cel_str(a), cel_str(b)));
	case CEL_F_STARTS_WITH:
		return cel_bool(str_starts(cel_str(a), cel_str(b)));
	case CEL_F_ENDS_WITH:
		return cel_bool(ends_with(cel_str(a), cel_str(b)));
	default:
		return matches(c, cel_str(a), cel_str(b));
	}
}

/* Bytes of the white space (Unicode's property) that @s begins with, 0 if with none. */
static size_t space_at_front(struct str s)
{
	static const char *const wide[] = { "\xc2\x85", "\xc2\xa0", "\u1680", "\u2000", "\u2001",
		"\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009",
		"\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000" };

	if (s.n > 0 && (s.p[0] == ' ' || (s.p[0] >= '\t' && s.p[0] <= '\r')))
		return 1;
	for (size_t i = 0; i < ARRAY_LEN(wide); i++)
		if (str_starts(s, str_of(wide[i])))
			return strlen(wide[i]);
	return 0;
}

static size_t space_at_end(struct str s)
{
	size_t n = s.n > 0;

	while (n > 0 && n < 3 && n < s.n && ((unsigned char)s.p[s.n - n] & 0xc0) == 0x80)
		n++;
	return space_at_front((struct str){ s.p + (s.n - n), n }) == n ? n : 0;
}

static struct str trim(struct str s)
{
	size_t n;

	while ((n = space_at_front(s)) > 0)
		s = (struct str){ s.p + n, s.n - n };
	while ((n = space_at_end(s)) > 0)
		s.n -= n;
	return s;
}

/* With every ASCII letter of @first ('a' or 'A') and after it in the other case. */
static struct cel_value change_case(struct cel_context *c, struct cel_value v, char first)
{
	struct str s = cel_str(v);
	size_t at = 0;
	char *p;

	while (at < s.n && (unsigned char)(s.p[at] - first) >= 26)
		at++;
	if (at == s.n)
		return v;
	p = arena_alloc(c->arena, s.n);
	if (!p)
		return lib_no_memory();
	for (size_t i = 0; i < s.n; i++)
		p[i] = (char)((unsigned char)(s.p[i] - first) < 26 ? s.p[i] ^ 0x20 : s.p[i]);
	return cel_string((struct str){ p, s.n });
}

struct cel_value lib_text_change(struct cel_context *c, enum cel_function f, struct cel_value v)
{
	struct str s;

	if (v.kind != CEL_V_STRING)
		return lib_no_overload();
	if (f != CEL_F_TRIM)
		return change_case(c, v, f == CEL_F_LOWER_ASCII ? 'A' : 'a');
	s = trim(cel_str(v));
	return s.n == v.n ? v : cel_string(s);
}
