#include "souk/rules_file.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/config.h"

int rules_file_load(
	struct ruleset **ret, const char *file, struct findings *findings, struct fault *f)
{
	const struct schema *schema = price_schema();
	char *json = NULL;
	size_t n = 0;
	int r = schema ? file_read(file, RULESET_BYTES_MAX, &json, &n, f)
		       : fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");

	if (r)
		return r == -EINVAL ? -EIO : r;
	r = ruleset_parse(ret, (struct str){ json, n }, schema, findings, f);
	free(json);
	return r;
}
