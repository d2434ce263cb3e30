/*
 * Two open hashes: of the names, and of what stands before each of their dots. Both are never more
 * than half full, and nothing is ever removed.
 */
#include "pricing/cel/env.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "pricing/cel/ast.h"
#include "pricing/cel/env_impl.h"
#include "pricing/cel/nearest.h"

#define N_BUCKETS    512
#define PREFIXES_MAX 256
#define ARENA_BYTES  (128 * 1024) /* names and types of CEL_VARS_MAX variables */

_Static_assert(CEL_VARS_MAX * 2 <= N_BUCKETS && PREFIXES_MAX * 2 <= N_BUCKETS, "half full");

const char *const cel_unit_names[] = { "", "ms", "points", "count", "bps", NULL };

struct entry {
	struct str name;
	uint32_t hash;
};

struct cel_env {
	struct arena *arena;
	bool has_money;
	uint16_t n, n_prefixes;
	uint16_t buckets[N_BUCKETS]; /* slot + 1 */
	uint16_t prefix_buckets[N_BUCKETS];
	struct entry names[CEL_VARS_MAX];
	struct entry prefixes[PREFIXES_MAX];
	struct cel_var vars[CEL_VARS_MAX];
};

int cel_env_new(struct cel_env **ret, bool with_money)
{
	CLEANUP(cel_env_free) struct cel_env *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	r = arena_new(&e->arena, ARENA_BYTES);
	if (r)
		return r;
	e->has_money = with_money;
	*ret = TAKE(e);
	return 0;
}

struct cel_env *cel_env_free(struct cel_env *e)
{
	if (e)
		arena_free(e->arena);
	free(e);
	return NULL;
}

/* The bucket of the name, or the empty one where it belongs. */
static unsigned find(const uint16_t *buckets, const struct entry *entries, struct entry wanted)
{
	unsigned at = (wanted.hash ^ wanted.hash >> 15) % N_BUCKETS;

	for (; buckets[at] != 0; at = (at + 1) % N_BUCKETS) {
		const struct entry *e = &entries[buckets[at] - 1];

		if (e->hash == wanted.hash && str_eq(e->name, wanted.name))
			break;
	}
	return at;
}

static struct entry entry_of(struct str name)
{
	return (struct entry){ name, cel_hash_add(CEL_HASH_BEGIN, name.p, name.n) };
}

static int add_prefix(struct cel_env *e, struct str prefix)
{
	struct entry entry = entry_of(prefix);
	unsigned at = find(e->prefix_buckets, e->prefixes, entry);

	if (e->prefix_buckets[at] != 0)
		return 0;
	if (e->n_prefixes == PREFIXES_MAX)
		return -ENOSPC;
	e->prefixes[e->n_prefixes++] = entry;
	e->prefix_buckets[at] = e->n_prefixes;
	return 0;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* IDENT ("." IDENT)* */
static bool is_name(struct str s)
{
	bool begins = true;

	if (s.n == 0 || s.n > CEL_VAR_NAME_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!is_letter(c) && (begins || (c != '.' && !(c >= '0' && c <= '9'))))
			return false;
		begins = c == '.';
	}
	return !begins;
}

int cel_env_add(struct cel_env *e, const struct cel_var *v)
{
	struct entry entry = entry_of(v->name);
	unsigned at;
	int r;

	if (!is_name(v->name))
		return -EINVAL;
	at = find(e->buckets, e->names, entry);
	if (e->buckets[at] != 0)
		return -EEXIST;
	if (e->n == CEL_VARS_MAX)
		return -ENOSPC;
	entry.name = arena_copy(e->arena, v->name);
	e->vars[e->n] = *v;
	e->vars[e->n].name = entry.name;
	e->vars[e->n].type = cel_type_copy(e->arena, v->type);
	if (!str_is_set(entry.name) || !e->vars[e->n].type)
		return -ENOMEM;
	for (size_t i = 0; i < entry.name.n; i++) {
		if (entry.name.p[i] != '.')
			continue;
		r = add_prefix(e, (struct str){ entry.name.p, i });
		if (r)
			return r;
	}
	e->names[e->n] = entry;
	e->buckets[at] = ++e->n;
	return e->n - 1;
}

struct arena *cel_env_arena(const struct cel_env *e)
{
	return e->arena;
}

size_t cel_env_n(const struct cel_env *e)
{
	return e->n;
}

bool cel_env_has_money(const struct cel_env *e)
{
	return e->has_money;
}

const struct cel_var *cel_env_var(const struct cel_env *e, int slot)
{
	assert(slot >= 0 && slot < e->n);
	return &e->vars[slot];
}

int cel_env_lookup(const struct cel_env *e, struct str name, uint32_t hash)
{
	unsigned slot = e->buckets[find(e->buckets, e->names, (struct entry){ name, hash })];

	return slot ? (int)slot - 1 : CEL_SLOT_NONE;
}

int cel_env_find(const struct cel_env *e, struct str name)
{
	struct entry entry = entry_of(name);

	return cel_env_lookup(e, entry.name, entry.hash);
}

bool cel_env_is_prefix(const struct cel_env *e, struct str name)
{
	return e->prefix_buckets[find(e->prefix_buckets, e->prefixes, entry_of(name))] != 0;
}

/* Of the name proper only, after its last dot, a third may be wrong: "customer.colour" has eight
 * letters in common with every other field of a customer. */
struct str cel_env_nearest(const struct cel_env *e, struct str name)
{
	struct nearest n = nearest_to(name);
	size_t begin = name.n;

	while (begin > 0 && name.p[begin - 1] != '.')
		begin--;
	n.edits = nearest_to((struct str){ name.p + begin, name.n - begin }).edits;
	for (unsigned i = 0; i < e->n; i++)
		nearest_offer(&n, e->vars[i].name);
	return n.best;
}
