#pragma once

/* The elements of a JSON array, one after the other, as pieces of its text. */
#include <stdbool.h>

#include "common/base/str.h"

struct opensea_elements {
	struct str rest;
};

/* @json must have passed json_gate(); anything but an array has no elements. Borrows it. */
struct opensea_elements opensea_elements(struct str json);
bool opensea_elements_next(struct opensea_elements *e, struct str *ret);

/* What a JSON string or number holds, without the quotes; p == NULL for everything else and for a
 * string with escapes (no number, name, address or date has any). */
struct str opensea_scalar(struct str json);
