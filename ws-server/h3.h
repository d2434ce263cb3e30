#pragma once

/*
 * H3 cell indexes, as far as privacy needs them: check one and make it coarser.
 *
 * Layout of the 64 bits (https://h3geo.org/docs/core-library/h3Indexing): 1 reserved, 4 mode (1 =
 * cell), 3 reserved, 4 resolution, 7 base cell (0..121), then fifteen 3-bit digits, the coarsest
 * first; a digit beyond the resolution is 7, others are 0..6. Text: lower-case hex without leading
 * zeros (15 digits for a cell).
 */
#include "common/base/cleanup.h"
#include "common/base/str.h"

#define H3_TEXT_MAX 17 /* 16 digits and a NUL */

/* The ancestor of cell @text at @resolution (0..15), or the cell itself if it is that coarse
 * already. 0, or -EINVAL (not a cell). */
MUST_CHECK int h3_coarsen(char ret[H3_TEXT_MAX], struct str text, unsigned resolution);
