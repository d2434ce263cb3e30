#pragma once

/* FNV-1a with its end folded, for tables of ours; a random @seed where clients choose the text. */
#include <stdint.h>

#include "common/base/str.h"

#define HASH_FNV UINT64_C(0xcbf29ce484222325)

static inline uint64_t hash_text(struct str text, uint64_t seed)
{
	uint64_t h = seed;

	for (size_t i = 0; i < text.n; i++)
		h = (h ^ (uint64_t)(unsigned char)text.p[i]) * UINT64_C(0x100000001b3);
	return h ^ h >> 32;
}
