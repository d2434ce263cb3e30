/*
 * One cursor over one line at a time. Label values are unescaped into a buffer of fixed size that
 * is used again for each line, so that reading allocates nothing whatever the text is.
 */
#include "souk/demo/storefront/ops_text.h"

#include <stdlib.h>

#define NUMBER_MAX 64 /* bytes of a value's text; a double needs 25 */

struct line {
	const char *p, *end;
	char values[OPS_TEXT_LABELS_MAX][OPS_TEXT_VALUE_MAX];
};

static bool is_name_char(char c, bool is_first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
	       (!is_first && c >= '0' && c <= '9');
}

/* strchr() finds the NUL behind the last one too. */
static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

static void skip_space(struct line *l)
{
	while (l->p < l->end && (*l->p == ' ' || *l->p == '\t'))
		l->p++;
}

static bool take_char(struct line *l, char c)
{
	skip_space(l);
	if (l->p == l->end || *l->p != c)
		return false;
	l->p++;
	return true;
}

static bool take_name(struct line *l, struct str *ret)
{
	skip_space(l);
	*ret = (struct str){ l->p, 0 };
	while (l->p < l->end && is_name_char(*l->p, ret->n == 0)) {
		l->p++;
		ret->n++;
	}
	return ret->n > 0;
}

/* What is between two quotes; \\ \" and \n are the only escapes. */
static bool take_quoted(struct line *l, char *to, struct str *ret)
{
	size_t n = 0;

	if (!take_char(l, '"'))
		return false;
	while (l->p < l->end && *l->p != '"') {
		char c = *l->p++;

		if (c == '\\') {
			if (l->p == l->end || !is_one_of(*l->p, "\\\"n"))
				return false;
			c = *l->p == 'n' ? '\n' : *l->p;
			l->p++;
		}
		if (n == OPS_TEXT_VALUE_MAX)
			return false;
		to[n++] = c;
	}
	*ret = (struct str){ to, n };
	return take_char(l, '"');
}

static bool take_labels(struct line *l, struct ops_sample *s)
{
	s->n_labels = 0;
	if (!take_char(l, '{'))
		return true;
	while (!take_char(l, '}')) {
		struct ops_label *label = &s->label[s->n_labels];

		if (s->n_labels == OPS_TEXT_LABELS_MAX || !take_name(l, &label->key) ||
			!take_char(l, '=') ||
			!take_quoted(l, l->values[s->n_labels], &label->value))
			return false;
		s->n_labels++;
		if (!take_char(l, ',')) /* the last one may have a comma too */
			return take_char(l, '}');
	}
	return true;
}

/* A number as Go writes it, and nothing else that strtod() would take (hexadecimal, "nan(…)"). */
static bool take_number(struct line *l, double *ret)
{
	char text[NUMBER_MAX + 1], *end;
	size_t n = 0;

	skip_space(l);
	while (l->p < l->end && *l->p != ' ' && *l->p != '\t') {
		if (n == NUMBER_MAX || !is_one_of(*l->p, "0123456789+-.eEInfNa"))
			return false;
		text[n++] = *l->p++;
	}
	text[n] = '\0';
	*ret = strtod(text, &end);
	return n > 0 && *end == '\0';
}

static bool take_timestamp(struct line *l)
{
	skip_space(l);
	if (l->p < l->end && *l->p == '-')
		l->p++;
	while (l->p < l->end && *l->p >= '0' && *l->p <= '9')
		l->p++;
	skip_space(l);
	return l->p == l->end;
}

static bool read_line(struct line *l, ops_sample_fn fn, void *ctx)
{
	struct ops_sample s;

	skip_space(l);
	if (l->p == l->end || *l->p == '#')
		return true;
	if (!take_name(l, &s.name) || !take_labels(l, &s) || !take_number(l, &s.value) ||
		!take_timestamp(l))
		return false;
	fn(ctx, &s);
	return true;
}

int ops_text_read(struct str text, ops_sample_fn fn, void *ctx, size_t *ret_skipped)
{
	const char *const end = text.p + text.n;
	const char *p = text.p;
	struct line l;
	size_t lines = 0;

	*ret_skipped = 0;
	if (text.n > OPS_TEXT_MAX)
		return OPS_TEXT_E_TOO_LARGE;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		if (++lines > OPS_TEXT_LINES_MAX)
			return OPS_TEXT_E_TOO_LARGE;
		l.p = p;
		l.end = nl ? nl : end;
		if (l.end > l.p && l.end[-1] == '\r')
			l.end--;
		if (!read_line(&l, fn, ctx))
			++*ret_skipped;
		p = nl ? nl + 1 : end;
	}
	return 0;
}

struct str ops_sample_label(const struct ops_sample *s, const char *key)
{
	for (size_t i = 0; i < s->n_labels; i++)
		if (str_eqz(s->label[i].key, key))
			return s->label[i].value;
	return STR_NONE;
}
