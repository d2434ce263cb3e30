#pragma once

/* For the checker: a look-up whose hash (FNV-1a) grows with the name, so that every prefix of a.b.c
 * is asked for without hashing it anew. */
#include "pricing/cel/env.h"

#define CEL_HASH_BEGIN 2166136261u

static inline uint32_t cel_hash_add(uint32_t hash, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)p[i]) * 16777619u;
	return hash;
}

/* For what the variables borrow and the environment itself read. */
struct arena *cel_env_arena(const struct cel_env *e);

int cel_env_lookup(const struct cel_env *e, struct str name, uint32_t hash);
