#pragma once

/*
 * A check that does not stop, for suites that run under Criterion (against what is in memory) and
 * in plain programs (against what is real).
 */
#include <stdbool.h>
#include <stdio.h>

/* Adds to *@failures. */
static inline bool check_is(
	bool ok, unsigned *failures, const char *file, int line, const char *what)
{
	if (!ok) {
		++*failures;
		fprintf(stderr, "# %s:%d: not so: %s\n", file, line, what);
	}
	return ok;
}

#define CHECK(failures, condition) check_is((condition), (failures), __FILE__, __LINE__, #condition)
