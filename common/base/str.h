#pragma once

/*
 * A borrowed piece of text: pointer and length, not NUL-terminated, never owned.
 *
 * p == NULL means "absent" (a tombstone's value, a field that was not there); an empty text has
 * p != NULL and n == 0. Valid as long as whatever it points into.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

#define STR(lit)   ((struct str){ "" lit, sizeof(lit) - 1 })
#define STR_NONE   ((struct str){ NULL, 0 })
#define STR_FMT    "%.*s"
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct str str_of(const char *z)
{
	return (struct str){ z, z ? strlen(z) : 0 };
}

static inline bool str_is_set(struct str s)
{
	return s.p != NULL;
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_eqz(struct str a, const char *z)
{
	return str_eq(a, str_of(z));
}

static inline bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

/* Byte order, shorter first on a tie: the order of RFC 8785 for ASCII keys. */
int str_cmp(struct str a, struct str b);

/* ASCII. */
static inline bool str_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Copies at most cap - 1 bytes and a NUL into @ret; -ENAMETOOLONG (and an empty text) if it does
 * not fit. */
int str_copy(char *ret, size_t cap, struct str s);

/* Unsigned decimal, no sign, no leading zero (except "0"), fits. 0 or -EINVAL / -ERANGE. */
int str_to_u64(struct str s, uint64_t *ret);

/* The same with an optional '-'; "-0" is refused, so that a number has one text. 0 or -EINVAL /
 * -ERANGE. */
int str_to_i64(struct str s, int64_t *ret);

/* Without the spaces and tabs at both ends. Borrows. */
struct str str_trim(struct str s);

/* Valid UTF-8 without surrogates and overlong forms. */
bool str_is_utf8(struct str s);

/* Bytes (1..4) of the valid UTF-8 character that @s begins with; 0 if there is none. */
size_t str_utf8_len(struct str s);

/* 1..max bytes, every one in 0x21..0x7e. */
bool str_is_visible_ascii(struct str s, size_t max);
