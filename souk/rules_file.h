#pragma once

/* A ruleset from a file, with what there is to say about it. */
#include <stdio.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "pricing/rules/ruleset.h"

/* 0; -EINVAL: the document is refused, @findings and @f say why; -errno with @f: the file. */
MUST_CHECK int rules_file_load(
	struct ruleset **ret, const char *file, struct findings *findings, struct fault *f);

/* What was collected, to stdout or stderr. */
static inline void rules_print(const struct buf *b, FILE *to)
{
	if (b->n > 0)
		fwrite(b->p, 1, b->n, to);
}
