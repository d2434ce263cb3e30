/*
 * Open addressing, doubled when half full; FNV-1a, because the document's author gains nothing from
 * slow checks of his own document.
 */
#include "pricing/rules/names.h"

#include <errno.h>
#include <stdlib.h>

#include "pricing/cel/nearest.h"

struct entry {
	struct str name; /* p NULL: free */
	int kind;
	const void *value;
};

struct names {
	struct entry *v;
	size_t n, cap;
};

int names_new(struct names **ret)
{
	CLEANUP(names_free) struct names *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	n->cap = 64;
	n->v = calloc(n->cap, sizeof(*n->v));
	if (!n->v)
		return -ENOMEM;
	*ret = TAKE(n);
	return 0;
}

struct names *names_free(struct names *n)
{
	if (!n)
		return NULL;
	free(n->v);
	free(n);
	return NULL;
}

static uint64_t hash(int kind, struct str name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)kind;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (unsigned char)name.p[i]) * UINT64_C(0x100000001b3);
	return h ^ h >> 32;
}

static struct entry *find(const struct names *n, int kind, struct str name)
{
	size_t i = hash(kind, name) & (n->cap - 1);

	while (n->v[i].name.p && !(n->v[i].kind == kind && str_eq(n->v[i].name, name)))
		i = (i + 1) & (n->cap - 1);
	return &n->v[i];
}

static int grow(struct names *n)
{
	struct names larger = { .n = n->n, .cap = 2 * n->cap };

	larger.v = calloc(larger.cap, sizeof(*larger.v));
	if (!larger.v)
		return -ENOMEM;
	for (size_t i = 0; i < n->cap; i++) {
		if (n->v[i].name.p)
			*find(&larger, n->v[i].kind, n->v[i].name) = n->v[i];
	}
	free(n->v);
	*n = larger;
	return 0;
}

int names_add(struct names *n, int kind, struct str name, const void *value, const void **ret_value)
{
	struct entry *e;

	if (2 * n->n >= n->cap && grow(n) != 0)
		return -ENOMEM;
	e = find(n, kind, name);
	if (e->name.p) {
		if (ret_value)
			*ret_value = e->value;
		return -EEXIST;
	}
	*e = (struct entry){ name, kind, value };
	n->n++;
	return 0;
}

bool names_has(const struct names *n, int kind, struct str name)
{
	return str_is_set(name) && find(n, kind, name)->name.p;
}

struct str names_nearest(const struct names *n, int kind, struct str name)
{
	struct nearest nearest = nearest_to(name);

	for (size_t i = 0; i < n->cap; i++) {
		if (n->v[i].name.p && n->v[i].kind == kind)
			nearest_offer(&nearest, n->v[i].name);
	}
	return nearest.best;
}
