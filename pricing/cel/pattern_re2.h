#pragma once

/*
 * What C++ shows of RE2, in types that both languages have. Only pattern.c includes it.
 */
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#define CEL_RE2_NOEXCEPT noexcept
#else
#define CEL_RE2_NOEXCEPT
#endif

struct cel_re2;

/* 0, -EINVAL with a text in @why (cut at @cap, a NUL at its end), -ENOMEM. */
int cel_re2_new(struct cel_re2 **ret, const char *pattern, size_t n, char *why,
	size_t cap) CEL_RE2_NOEXCEPT;
void cel_re2_free(struct cel_re2 *r) CEL_RE2_NOEXCEPT;
bool cel_re2_search(const struct cel_re2 *r, const char *text, size_t n) CEL_RE2_NOEXCEPT;

#ifdef __cplusplus
}
#endif
