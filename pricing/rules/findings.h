#pragma once

/*
 * What a check of a ruleset found: errors (it is refused), warnings (it works, and is probably not
 * what was meant) and notes. Each names the place in the document as a JSON path
 * ("$.groups[0].rules[2].when") and, inside an expression, line, column, source and caret.
 *
 * Codes are stable words: those of pricing/cel/diag.h for expressions, and for documents: "member"
 * (unknown or missing), "value", "id" (repeated), "limit", "overlap", "gap", "dead-row",
 * "guard-bound", "label", "disclosure", "reserved", "explanation", "test", "json" (it is none),
 * "dead-rule", "duplicate".
 */
#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/str.h"
#include "pricing/cel/diag.h"

#define FINDINGS_MAX \
	200 /* beyond it they are counted only; errors take the place of others first */

enum finding_level { FINDING_ERROR, FINDING_WARNING, FINDING_NOTE };

struct finding {
	enum finding_level level;
	char *path;
	char *code;
	char *text; /* several lines for a proof */
	char *hint; /* NULL */
	/* of an expression: */
	char *source; /* NULL: none */
	unsigned offset, line, column;
};

struct findings {
	struct finding *v;
	size_t n, n_dropped;
	size_t n_errors, n_warnings;
};
#define FINDINGS_INIT \
	{ \
		0 \
	}

void findings_fini(struct findings *f);
static inline void findings_finip(struct findings *f)
{
	findings_fini(f);
} /* CLEANUP(findings_fini) struct findings f = FINDINGS_INIT; */

/* Copies all texts; when memory is out it is counted only. @f may be NULL: nothing is kept. */
void findings_add(struct findings *f, enum finding_level level, const char *path, const char *code,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void findings_hint(struct findings *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* One error for each of @d. */
void findings_add_diags(
	struct findings *f, const char *path, struct str source, const struct cel_diags *d);

/* The shape of cel_diag_print() with the path in front; JSON: an array of objects. */
void findings_print(struct buf *out, const struct findings *f, const char *file);
struct json_out;
void findings_json(struct json_out *j, const char *key, const struct findings *f);
/* The first error into a fault (FAULT_REJECT), for those who want one line. Returns -EINVAL. */
int findings_fault(const struct findings *f, struct fault *ret);
