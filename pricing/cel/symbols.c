/*
 * An open hash from text to number and an array back. Texts are copied one by one: there are few
 * thousand, and a ruleset is loaded rarely.
 */
#include "pricing/cel/symbols.h"

#include <errno.h>
#include <stdlib.h>

#define N_PLACES_FIRST 64 /* a power of two; doubled when half full */
#define FIRST_SYMBOL   (CEL_SYM_OTHER + 1)

/* Both ends of a text, which is all of it up to ENDS_MAX bytes: every bound text comes through
 * here, and neither its hash nor its comparison calls anything. */
#define ENDS_MAX 16

struct ends {
	uint64_t a, b;
};

struct entry {
	struct str text;
	struct ends ends;
};

struct cel_symbols {
	struct entry *entries; /* entries[i] has symbol FIRST_SYMBOL + i */
	size_t n, cap;
	uint16_t *places; /* symbols, 0 = empty */
	size_t n_places;
	unsigned shift; /* to the upper bits of a hash: only they depend on all of a text */
};

int cel_symbols_new(struct cel_symbols **ret)
{
	struct cel_symbols *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->n_places = N_PLACES_FIRST;
	s->shift = 64 - (unsigned)__builtin_ctz(N_PLACES_FIRST);
	s->places = calloc(s->n_places, sizeof(*s->places));
	if (!s->places) {
		free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

struct cel_symbols *cel_symbols_free(struct cel_symbols *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->n; i++)
		free((char *)s->entries[i].text.p);
	free(s->entries);
	free(s->places);
	free(s);
	return NULL;
}

static inline uint64_t load8(const char *p)
{
	uint64_t ret;

	memcpy(&ret, p, sizeof(ret));
	return ret;
}

static inline uint32_t load4(const char *p)
{
	uint32_t ret;

	memcpy(&ret, p, sizeof(ret));
	return ret;
}

static inline struct ends ends_of(struct str s)
{
	if (s.n >= 8)
		return (struct ends){ load8(s.p), load8(s.p + s.n - 8) };
	if (s.n >= 4)
		return (struct ends){ load4(s.p), load4(s.p + s.n - 4) };
	if (s.n == 0)
		return (struct ends){ 0, 0 };
	return (struct ends){ (uint64_t)(unsigned char)s.p[0] |
				      (uint64_t)(unsigned char)s.p[s.n / 2] << 8 |
				      (uint64_t)(unsigned char)s.p[s.n - 1] << 16,
		0 };
}

static inline uint64_t hash(struct str s, struct ends e)
{
	uint64_t h = (e.a ^ s.n) * 0x9e3779b97f4a7c15u;

	h = ((h ^ h >> 32) ^ e.b) * 0xff51afd7ed558ccdu;
	for (size_t i = 8; i + 8 < s.n && s.n > ENDS_MAX; i += 8)
		h = ((h ^ h >> 32) ^ load8(s.p + i)) * 0xff51afd7ed558ccdu;
	return h;
}

static inline bool is_same(const struct entry *x, struct str text, struct ends e)
{
	return x->text.n == text.n && x->ends.a == e.a && x->ends.b == e.b &&
	       (text.n <= ENDS_MAX || memcmp(x->text.p, text.p, text.n) == 0);
}

/* Where the text is, or the empty place where it belongs. */
static inline size_t place_of(const struct cel_symbols *s, struct str text)
{
	struct ends e = ends_of(text);
	size_t at = hash(text, e) >> s->shift;

	while (s->places[at] != 0 && !is_same(&s->entries[s->places[at] - FIRST_SYMBOL], text, e))
		at = (at + 1) & (s->n_places - 1);
	return at;
}

static bool grow_places(struct cel_symbols *s)
{
	size_t n_places = s->n_places * 2;
	uint16_t *places = calloc(n_places, sizeof(*places));

	if (!places)
		return false;
	free(s->places);
	s->places = places;
	s->n_places = n_places;
	s->shift--;
	for (size_t i = 0; i < s->n; i++)
		s->places[place_of(s, s->entries[i].text)] = (uint16_t)(FIRST_SYMBOL + i);
	return true;
}

static bool grow_entries(struct cel_symbols *s)
{
	size_t cap = s->cap ? s->cap * 2 : N_PLACES_FIRST / 2;
	struct entry *entries = realloc(s->entries, cap * sizeof(*entries));

	if (!entries)
		return false;
	s->entries = entries;
	s->cap = cap;
	return true;
}

static bool has_room(struct cel_symbols *s)
{
	return (s->n < s->cap || grow_entries(s)) && (2 * s->n < s->n_places || grow_places(s));
}

uint16_t cel_symbols_add(struct cel_symbols *s, struct str text)
{
	size_t at = place_of(s, text);
	char *copy;

	if (s->places[at] != 0)
		return s->places[at];
	if (s->n == CEL_SYMBOLS_MAX || !has_room(s))
		return CEL_SYM_NONE;
	copy = malloc(text.n + 1);
	if (!copy)
		return CEL_SYM_NONE;
	if (text.n)
		memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	at = place_of(s, text); /* the hash may have grown */
	s->entries[s->n].text = (struct str){ copy, text.n };
	s->entries[s->n++].ends = ends_of(text);
	s->places[at] = (uint16_t)(FIRST_SYMBOL + s->n - 1);
	return s->places[at];
}

uint16_t cel_symbols_find(const struct cel_symbols *s, struct str text)
{
	uint16_t sym = s->places[place_of(s, text)];

	return sym ? sym : CEL_SYM_OTHER;
}

struct str cel_symbols_text(const struct cel_symbols *s, uint16_t sym)
{
	if (sym < FIRST_SYMBOL || sym >= cel_symbols_n(s))
		return STR_NONE;
	return s->entries[sym - FIRST_SYMBOL].text;
}

size_t cel_symbols_n(const struct cel_symbols *s)
{
	return FIRST_SYMBOL + s->n;
}
