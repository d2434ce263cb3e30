#pragma once

/*
 * Version of a row at its source: 1..4 unsigned 64-bit parts, "12.91", compared as numbers part by
 * part, a missing part is 0: "9" < "10", "7" = "7.0".
 *
 * Stored form (Redis `ver`): exactly four 20-digit parts joined by '.', so that byte order is
 * version order. Written form: without trailing ".0", at least one part.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"

#define VERSION_PARTS      4
#define VERSION_STORED_LEN 83 /* 4 * 20 + 3 */
#define VERSION_TEXT_MAX   84

struct version {
	uint64_t part[VERSION_PARTS];
};

/* Digits and dots, no leading zeros, 1..4 parts. 0, -EINVAL or -ERANGE (a part over 64 bits). */
int version_parse(struct version *ret, struct str text);
/* Of the stored form. 0 or -EINVAL. */
int version_parse_stored(struct version *ret, struct str text);
int version_cmp(struct version a, struct version b);
size_t version_format(char ret[VERSION_TEXT_MAX], struct version v);
size_t version_format_stored(char ret[VERSION_TEXT_MAX], struct version v);
