#pragma once

/* A set of names in kinds, for what has to be unique in a document and for what is referred to.
 * Borrows the texts. */
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"

struct names;

MUST_CHECK int names_new(struct names **ret);
struct names *names_free(struct names *n);
DEFINE_CLEANUP(struct names *, names_free)

/* 0, -EEXIST (the first one's value into *@ret_value if that is not NULL) or -ENOMEM. */
MUST_CHECK int names_add(
	struct names *n, int kind, struct str name, const void *value, const void **ret_value);
bool names_has(const struct names *n, int kind, struct str name);
/* The one of that kind that is nearest to @name, STR_NONE if none is near. */
struct str names_nearest(const struct names *n, int kind, struct str name);
