#pragma once

/*
 * Reads a Prometheus text exposition (format 0.0.4), sample by sample.
 *
 * The text comes from another process and may be anything: a line that is not a sample, a comment
 * or empty is skipped and counted, what is too much ends the reading. Timestamps behind a value are
 * allowed and ignored.
 */
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"

#define OPS_TEXT_MAX        (4 * 1024 * 1024) /* bytes */
#define OPS_TEXT_LINES_MAX  50000
#define OPS_TEXT_LABELS_MAX 8   /* of a sample; one with more is skipped */
#define OPS_TEXT_VALUE_MAX  128 /* bytes of a label's value, unescaped; likewise */

enum {
	OPS_TEXT_E_TOO_LARGE =
		1, /* bytes or lines beyond the maximum; samples before it were given */
};

struct ops_label {
	struct str key;
	struct str value; /* unescaped */
};

struct ops_sample {
	struct str name;
	struct ops_label label[OPS_TEXT_LABELS_MAX];
	size_t n_labels;
	double value; /* may be infinite or not a number */
};

/* Borrowed for the time of the call. */
typedef void (*ops_sample_fn)(void *ctx, const struct ops_sample *s);

/* Calls @fn for each sample, in order; *ret_skipped: lines that were none. 0 or
 * OPS_TEXT_E_TOO_LARGE. */
MUST_CHECK int ops_text_read(struct str text, ops_sample_fn fn, void *ctx, size_t *ret_skipped);

/* Value of a label; absent if the sample has none of that key. */
struct str ops_sample_label(const struct ops_sample *s, const char *key);
