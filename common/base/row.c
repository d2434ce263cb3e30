/*
 * Rows have a dozen fields, so a scan beats any index. A name that was put twice is found at its
 * first place; Redis never gives one twice.
 */
#include "common/base/row.h"

#include <errno.h>

struct str row_get(const struct row *row, const char *name)
{
	struct str key = str_of(name);

	for (size_t i = 0; i < row->n; i++)
		if (str_eq(row->field[i].name, key))
			return row->field[i].value;
	return STR_NONE;
}

int row_put(struct row *row, struct str name, struct str value)
{
	if (row->n >= ROW_FIELDS_MAX)
		return -ENOSPC;
	row->field[row->n++] = (struct row_field){ name, value };
	return 0;
}
