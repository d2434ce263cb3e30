#pragma once

/* RFC 3339 in UTC with milliseconds: 2026-11-24T13:43:01.123Z. Always 24 characters, so that texts
 * sort as their times do. */
#include <stdint.h>

#define TIME_TEXT_MAX 25 /* with the NUL */

/* 0, or -ERANGE (and an empty text): not in the years 1970..9999. */
int time_text(char ret[TIME_TEXT_MAX], int64_t ms);
