#pragma once

/*
 * Small numbers for the texts that a ruleset compares with, so that binding an input looks a text
 * up once and every comparison after that is one of integers (value.h).
 */
#include <stddef.h>

#include "common/base/cleanup.h"
#include "pricing/cel/value.h"

#define CEL_SYMBOLS_MAX 16384

struct cel_symbols;

MUST_CHECK int cel_symbols_new(struct cel_symbols **ret);
struct cel_symbols *cel_symbols_free(struct cel_symbols *s);
DEFINE_CLEANUP(struct cel_symbols *, cel_symbols_free)

/* The text's symbol, entered if it is new (copies). CEL_SYM_NONE when full or without memory:
 * compare bytes then. */
uint16_t cel_symbols_add(struct cel_symbols *s, struct str text);
/* CEL_SYM_OTHER if it is none of them. */
uint16_t cel_symbols_find(const struct cel_symbols *s, struct str text);
struct str cel_symbols_text(const struct cel_symbols *s, uint16_t sym);
size_t cel_symbols_n(const struct cel_symbols *s); /* one more than the highest symbol in use */
