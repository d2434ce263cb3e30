#pragma once

/* The keys behind quote.h, for quote.c and quote_keys.c only. Everything here borrows from the key
 * set. */
#include "common/model/quote.h"

#define QUOTE_KEYS_MAX         16
#define QUOTE_KEYS_FILE_MAX    65536
#define QUOTE_KID_MAX          64
#define QUOTE_SECRET_BYTES_MIN 32
#define QUOTE_SECRET_BYTES_MAX 256

struct quote_key {
	char kid[QUOTE_KID_MAX + 1];
	uint8_t secret[QUOTE_SECRET_BYTES_MAX];
	size_t n_secret;
	int64_t from; /* ms; 0 where the document has none */
};

/* NULL if no key has this name. */
const struct quote_key *quote_keys_find(const struct quote_keys *keys, struct str kid);
/* The key with the highest `from` <= @now_ms, the later in the document on a tie; NULL if none is
 * due. */
const struct quote_key *quote_keys_at(const struct quote_keys *keys, int64_t now_ms);
