/*
 * An open hash from text to number and an array back. Texts are copied one by one: there are few
 * thousand, and a ruleset is loaded rarely.
 */
#include "pricing/cel/symbols.h"

#include <errno.h>
#include <stdlib.h>

#define N_PLACES_FIRST 64 /* a power of two; doubled when half full */
#define FIRST_SYMBOL   (CEL_SYM_OTHER + 1)

struct cel_symbols {
	struct str *texts; /* texts[i] has symbol FIRST_SYMBOL + i */
	size_t n, cap;
	uint16_t *places; /* symbols, 0 = empty */
	size_t n_places;
};

int cel_symbols_new(struct cel_symbols **ret)
{
	struct cel_symbols *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->n_places = N_PLACES_FIRST;
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
		free((char *)s->texts[i].p);
	free(s->texts);
	free(s->places);
	free(s);
	return NULL;
}

/* Eight bytes at a time: every bound text goes through here. */
static uint64_t hash(struct str s)
{
	uint64_t h = s.n * 0x9e3779b97f4a7c15u, word;

	while (s.n >= sizeof(word)) {
		memcpy(&word, s.p, sizeof(word));
		h = (h ^ word) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
		s.p += sizeof(word);
		s.n -= sizeof(word);
	}
	word = 0;
	if (s.n)
		memcpy(&word, s.p, s.n);
	h = (h ^ word) * 0xff51afd7ed558ccdu;
	return h ^ h >> 32;
}

/* Where the text is, or the empty place where it belongs. */
static size_t place_of(const struct cel_symbols *s, struct str text)
{
	size_t at = hash(text) & (s->n_places - 1);

	while (s->places[at] != 0 && !str_eq(s->texts[s->places[at] - FIRST_SYMBOL], text))
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
	for (size_t i = 0; i < s->n; i++)
		s->places[place_of(s, s->texts[i])] = (uint16_t)(FIRST_SYMBOL + i);
	return true;
}

static bool grow_texts(struct cel_symbols *s)
{
	size_t cap = s->cap ? s->cap * 2 : N_PLACES_FIRST / 2;
	struct str *texts = realloc(s->texts, cap * sizeof(*texts));

	if (!texts)
		return false;
	s->texts = texts;
	s->cap = cap;
	return true;
}

static bool has_room(struct cel_symbols *s)
{
	return (s->n < s->cap || grow_texts(s)) && (2 * s->n < s->n_places || grow_places(s));
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
	s->texts[s->n++] = (struct str){ copy, text.n };
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
	return s->texts[sym - FIRST_SYMBOL];
}

size_t cel_symbols_n(const struct cel_symbols *s)
{
	return FIRST_SYMBOL + s->n;
}
