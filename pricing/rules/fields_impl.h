#pragma once

/* What the parts of fields share. */
#include "pricing/rules/fields.h"

/* A JSON array of texts as a list in @a, texts without symbols: unset is an empty list; what is no
 * such array, and an exhausted arena, an error value. */
struct cel_value fields_texts(struct str json, struct arena *a);
