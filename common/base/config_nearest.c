/*
 * "Did you mean": the name with the least edit distance, where swapping two neighbours is one edit
 * (the commonest slip). Nothing is suggested when more than a third of the key itself,
 * without what it stands in, would have to change.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/config_internal.h"

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Optimal string alignment over three rows; both texts are shorter than CONFIG_NAME_MAX. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][CONFIG_NAME_MAX];
	size_t na = strlen(a), nb = strlen(b);

	for (size_t k = 0; k <= nb; k++)
		rows[0][k] = k;
	for (size_t i = 1; i <= na; i++) {
		size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t k = 1; k <= nb; k++) {
			size_t same = a[i - 1] == b[k - 1] ? 0 : 1;

			now[k] = min3(last[k] + 1, now[k - 1] + 1, last[k - 1] + same);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] &&
				before[k - 2] + 1 < now[k])
				now[k] = before[k - 2] + 1;
		}
	}
	return rows[na % 3][nb];
}

struct nearest {
	const char *wrong;
	char name[CONFIG_NAME_MAX];
	size_t distance;
};

static void offer(struct nearest *n, struct str candidate)
{
	char name[CONFIG_NAME_MAX];
	size_t d;

	if (str_copy(name, sizeof(name), candidate) < 0)
		return;
	/* The mapping that the wrong key stands in is not what was meant. */
	if (str_starts(str_of(n->wrong), candidate) && n->wrong[candidate.n] == '.')
		return;
	d = distance(n->wrong, name);
	if (d < n->distance) {
		n->distance = d;
		memcpy(n->name, name, sizeof(name));
	}
}

/* Length of the key without its section or mapping. */
static size_t own_length(const char *key, bool is_env)
{
	const char *own = is_env ? strchr(key, '_') : strrchr(key, '.');

	if (own && is_env) /* SOUK_<SECTION>_ */
		own = strchr(own + 1, '_');
	return strlen(own ? own + 1 : key);
}

int config_unknown(const struct config_loader *l, const struct config_origin *at, const char *key)
{
	char wrong[CONFIG_NAME_MAX], name[CONFIG_NAME_MAX];
	struct nearest n = { .wrong = wrong };

	snprintf(wrong, sizeof(wrong), "%s", key);
	n.distance = own_length(wrong, at->from == CONFIG_FROM_ENV) / 3 + 2;
	for (size_t i = 0; i < l->n_sections; i++) {
		const struct config_section *s = &l->sections[i];

		if (at->from != CONFIG_FROM_ENV)
			offer(&n, str_of(s->name));
		for (size_t k = 0; k < s->n_rows; k++) {
			if (at->from == CONFIG_FROM_ENV) {
				config_env_name(name, s, &s->rows[k]);
				offer(&n, str_of(name));
				continue;
			}
			config_full_name(name, s, &s->rows[k]);
			for (size_t c = strlen(s->name) + 1; name[c]; c++)
				if (name[c] == '.')
					offer(&n, (struct str){ name, c });
			offer(&n, str_of(name));
		}
	}
	if (!n.name[0])
		return config_error(l, at, key, "unknown key");
	return config_error(l, at, key, "unknown key; did you mean %s?", n.name);
}
