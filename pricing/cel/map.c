/*
 * Maps: few entries are searched from the front, which is as fast as anything and needs no memory;
 * more get an open hash beside the entries, so that these stay in the order of the literal.
 *
 * Numbers are equal by value whatever their kind, so a double is first made the integer that it is
 * (or found to be none: no key equals it), and int and uint hash alike.
 */
#include <math.h>

#include "pricing/cel/lib_impl.h"

/* What nothing else in the library does to a double: it must be that integer exactly. */
static bool integer_of(struct cel_value *ret, double d)
{
	if (d != floor(d) || !(d >= -0x1p63) || !(d < 0x1p64))
		return false;
	*ret = d < 0 ? cel_int((int64_t)d) : cel_uint((uint64_t)d);
	return true;
}

static bool is_key(struct cel_value v)
{
	return v.kind == CEL_V_STRING || v.kind == CEL_V_INT || v.kind == CEL_V_UINT ||
	       v.kind == CEL_V_BOOL;
}

static bool same_key(struct cel_value a, struct cel_value b)
{
	if (a.kind == b.kind)
		return a.kind == CEL_V_BOOL     ? a.b == b.b
		       : a.kind == CEL_V_STRING ? str_eq(cel_str(a), cel_str(b))
						: a.u == b.u;
	if (a.kind == CEL_V_INT)
		return b.kind == CEL_V_UINT && a.i >= 0 && a.u == b.u;
	return a.kind == CEL_V_UINT && b.kind == CEL_V_INT && b.i >= 0 && a.u == b.u;
}

static uint32_t hash(struct cel_value key)
{
	uint64_t h = key.kind == CEL_V_BOOL ? key.b + 2u : key.u;

	if (key.kind == CEL_V_STRING) {
		h = 14695981039346656037u;
		for (uint32_t i = 0; i < key.n; i++)
			h = (h ^ (unsigned char)key.s[i]) * 1099511628211u;
	}
	h *= 0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 32);
}

/* The place in the index that holds @key, or the empty one where it belongs. */
static uint32_t place_of(const struct cel_map *m, struct cel_value key)
{
	uint32_t at = hash(key) & m->mask;

	while (m->index[at] != 0 && !same_key(m->keys[m->index[at] - 1], key))
		at = (at + 1) & m->mask;
	return at;
}

const struct cel_value *cel_map_find(const struct cel_map *m, struct cel_value key)
{
	if (key.kind == CEL_V_DOUBLE && !integer_of(&key, key.d))
		return NULL;
	if (!is_key(key))
		return NULL;
	if (m->index) {
		uint32_t entry = m->index[place_of(m, key)];

		return entry ? &m->values[entry - 1] : NULL;
	}
	for (uint32_t i = 0; i < m->n; i++)
		if (same_key(m->keys[i], key))
			return &m->values[i];
	return NULL;
}

/* Twice to four times as many places as entries, all empty; NULL without memory. */
static uint32_t *index_new(struct cel_map *m, struct arena *a, uint32_t n)
{
	uint32_t n_places = 2 * CEL_MAP_LINEAR;
	uint32_t *index;

	while (n_places < 2 * n)
		n_places *= 2;
	index = arena_alloc(a, n_places * sizeof(*index));
	if (index)
		memset(index, 0, n_places * sizeof(*index));
	m->index = index;
	m->mask = n_places - 1;
	return index;
}

static struct cel_value check_entries(
	const struct cel_value *keys, const struct cel_value *values, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (cel_is_error(keys[i]))
			return keys[i];
		if (cel_is_error(values[i]))
			return values[i];
	}
	for (uint32_t i = 0; i < n; i++)
		if (!is_key(keys[i]))
			return cel_error(CEL_R_KEY_TYPE, "unsupported key type");
	return cel_null();
}

static struct cel_value *copy(struct arena *a, const struct cel_value *v, uint32_t n)
{
	struct cel_value *ret = arena_alloc(a, n * sizeof(*ret));

	if (ret && n)
		memcpy(ret, v, n * sizeof(*ret));
	return ret;
}

/* Entries are counted as they are added, so that each is looked for among those before it. */
static bool add_entries(struct cel_map *m, uint32_t *index, uint32_t n)
{
	for (m->n = 0; m->n < n; m->n++) {
		if (cel_map_find(m, m->keys[m->n]))
			return false;
		if (index)
			index[place_of(m, m->keys[m->n])] = m->n + 1;
	}
	return true;
}

struct cel_value cel_map_make(struct cel_context *c, const struct cel_value *keys,
	const struct cel_value *values, uint32_t n)
{
	struct cel_value wrong = check_entries(keys, values, n);
	struct cel_map *m;
	uint32_t *index = NULL;

	if (cel_is_error(wrong))
		return wrong;
	if (n > UINT32_MAX / 8)
		return lib_no_memory();
	m = arena_alloc(c->arena, sizeof(*m));
	if (!m)
		return lib_no_memory();
	*m = (struct cel_map){ .keys = copy(c->arena, keys, n),
		.values = copy(c->arena, values, n) };
	if (!m->keys || !m->values)
		return lib_no_memory();
	if (n > CEL_MAP_LINEAR) {
		index = index_new(m, c->arena, n);
		if (!index)
			return lib_no_memory();
	}
	if (!add_entries(m, index, n))
		return cel_error(CEL_R_REPEATED_KEY, "repeated key");
	return (struct cel_value){ .kind = CEL_V_MAP, .map = m };
}
