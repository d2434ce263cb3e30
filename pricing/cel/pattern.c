/*
 * Our types on the outside, RE2 behind pattern_re2.h: the headers of the project are C and stay so.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "pricing/cel/lib.h"
#include "pricing/cel/pattern_re2.h"

struct cel_pattern {
	struct cel_re2 *re;
};

/* "\\C", a single byte of a character: RE2 has it and Go has not, and CEL's texts have no bytes. */
static bool has_byte_escape(struct str p)
{
	bool is_quoted = false;

	for (size_t i = 0; i + 1 < p.n; i++) {
		if (p.p[i] != '\\')
			continue;
		if (is_quoted && p.p[i + 1] != 'E')
			continue;
		if (p.p[i + 1] == 'C')
			return true;
		is_quoted = p.p[i + 1] == 'Q';
		i++;
	}
	return false;
}

int cel_pattern_new(struct cel_pattern **ret, struct str pattern, char *why, size_t cap)
{
	struct cel_re2 *re = NULL;
	struct cel_pattern *p;
	int r;

	if (has_byte_escape(pattern)) {
		snprintf(why, cap, "invalid escape sequence: \\C");
		return -EINVAL;
	}
	r = cel_re2_new(&re, pattern.n ? pattern.p : "", pattern.n, why, cap);

	if (r != 0)
		return r;
	p = malloc(sizeof(*p));
	if (!p) {
		cel_re2_free(re);
		return -ENOMEM;
	}
	p->re = re;
	*ret = p;
	return 0;
}

struct cel_pattern *cel_pattern_free(struct cel_pattern *p)
{
	if (p)
		cel_re2_free(p->re);
	free(p);
	return NULL;
}

bool cel_pattern_matches(const struct cel_pattern *p, struct str text)
{
	return cel_re2_search(p->re, text.n ? text.p : "", text.n);
}
