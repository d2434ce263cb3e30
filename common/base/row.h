#pragma once

/*
 * A flat row: text fields in order, as Redis holds it. Borrows all its texts.
 */
#include "common/base/str.h"

#define ROW_FIELDS_MAX 32

struct row_field {
	struct str name;
	struct str value;
};

struct row {
	struct row_field field[ROW_FIELDS_MAX];
	size_t n;
};

/* Value of a field; p == NULL if absent. */
struct str row_get(const struct row *row, const char *name);
/* 0 or -ENOSPC beyond ROW_FIELDS_MAX. */
int row_put(struct row *row, struct str name, struct str value);
