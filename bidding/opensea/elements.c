/*
 * Splits; does not judge. The text is known to be JSON, so a quote, a bracket and a comma are
 * enough to find where an element ends.
 */
#include "bidding/opensea/elements.h"

static struct str trim(struct str s)
{
	while (s.n && strchr(" \t\r\n", s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
		s.n--;
	return s;
}

struct opensea_elements opensea_elements(struct str json)
{
	struct str s = trim(json);

	if (s.n < 2 || s.p[0] != '[')
		return (struct opensea_elements){ STR("") };
	return (struct opensea_elements){ trim((struct str){ s.p + 1, s.n - 2 }) };
}

/* Bytes up to the comma that ends the first element, or all. */
static size_t first_length(struct str s)
{
	bool is_text = false;
	int depth = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (is_text) {
			if (c == '\\')
				i++;
			else if (c == '"')
				is_text = false;
		} else if (c == '"') {
			is_text = true;
		} else if (c == '[' || c == '{') {
			depth++;
		} else if (c == ']' || c == '}') {
			depth--;
		} else if (c == ',' && depth == 0) {
			return i;
		}
	}
	return s.n;
}

bool opensea_elements_next(struct opensea_elements *e, struct str *ret)
{
	size_t n;

	if (e->rest.n == 0)
		return false;
	n = first_length(e->rest);
	*ret = trim((struct str){ e->rest.p, n });
	if (n < e->rest.n)
		n++;
	e->rest.p += n;
	e->rest.n -= n;
	return true;
}

struct str opensea_scalar(struct str json)
{
	struct str s = trim(json);

	if (s.n >= 2 && s.p[0] == '"')
		return memchr(s.p, '\\', s.n) ? STR_NONE : (struct str){ s.p + 1, s.n - 2 };
	if (s.n && (s.p[0] == '-' || (s.p[0] >= '0' && s.p[0] <= '9')))
		return s;
	return STR_NONE;
}
