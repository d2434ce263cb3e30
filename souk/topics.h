#pragma once

#include <stdbool.h>

#include "common/base/config.h"
#include "common/base/cleanup.h"
#include "common/base/fault.h"

/* Creates what is missing of the catalogue. @properties may be NULL. Blocking, 30 s. 0, -EEXIST (a
 * topic has other partitions) or -EIO with @f. */
MUST_CHECK int topics_create(const char *bootstrap, const char *prefix,
	const struct config_list *properties, bool demo_sizes, struct fault *f);
