#pragma once

/* What the parts of fields share. */
#include "pricing/rules/fields.h"

/* A JSON array of texts as a list in @a, texts without symbols: unset is an empty list; what is no
 * such array, and an exhausted arena, an error value. */
struct cel_value fields_texts(struct str json, struct arena *a);

/* Times and amounts as documents write them: "2026-11-20T19:00:00Z" with Z or an offset, in
 * milliseconds; "1.25 ETH". false: not so. */
bool fields_time_ms(struct str text, int64_t *ret);
bool fields_money(struct str text, struct money *ret);
