#include "pricing/cel/nearest.h"

static unsigned min2(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment over three rows. */
unsigned nearest_edits(struct str a, struct str b)
{
	unsigned rows[3][NEAREST_MAX + 1];

	if (a.n > NEAREST_MAX || b.n > NEAREST_MAX)
		return NEAREST_MAX;
	for (unsigned k = 0; k <= b.n; k++)
		rows[0][k] = k;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		now[0] = i;
		for (unsigned k = 1; k <= b.n; k++) {
			now[k] = min2(min2(last[k], now[k - 1]) + 1,
				last[k - 1] + (a.p[i - 1] != b.p[k - 1]));
			if (i > 1 && k > 1 && a.p[i - 1] == b.p[k - 2] && a.p[i - 2] == b.p[k - 1])
				now[k] = min2(now[k], before[k - 2] + 1);
		}
	}
	return rows[a.n % 3][b.n];
}

const char *nearest_name(const char *name, const char *const *names)
{
	const char *best = names[0];

	for (size_t i = 1; names[i]; i++) {
		if (!*best || (*names[i] && nearest_edits(str_of(name), str_of(names[i])) <
						    nearest_edits(str_of(name), str_of(best))))
			best = names[i];
	}
	return best;
}

int nearest_index(const char *name, const char *const *names)
{
	for (int i = 0; names[i]; i++) {
		if (*name && strcmp(names[i], name) == 0)
			return i;
	}
	return -1;
}

struct nearest nearest_to(struct str wrong)
{
	return (struct nearest){ .wrong = wrong, .edits = (unsigned)wrong.n / 3 + 1 };
}

void nearest_offer(struct nearest *n, struct str candidate)
{
	unsigned edits = nearest_edits(n->wrong, candidate);

	if (candidate.n > 0 && edits < n->edits) {
		n->best = candidate;
		n->edits = edits;
	}
}
