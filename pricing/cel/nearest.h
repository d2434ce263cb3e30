#pragma once

/* Names of a closed list, for errors that say what was probably meant. Lists end with NULL; "" in
 * them stands for "absent" and is never meant. */
#include <stdbool.h>

#include "common/base/str.h"

#define NEAREST_MAX 64 /* bytes: longer names are far from everything */

/* Index of @name, -1 if it is not there. */
int nearest_index(const char *name, const char *const *names);
/* The name of the list that needs the fewest edits. */
const char *nearest_name(const char *name, const char *const *names);

/* Edits from one to the other, where swapping two neighbours is one; NEAREST_MAX if either is too
 * long. */
unsigned nearest_edits(struct str a, struct str b);

/* The best of candidates that are given one by one:
 *	struct nearest n = nearest_to(STR("teir"));
 *	nearest_offer(&n, STR("tier"));
 *	n.best   STR_NONE if all would have to change in more than a third */
struct nearest {
	struct str wrong;
	struct str best;
	unsigned edits; /* only fewer are near */
};
struct nearest nearest_to(struct str wrong);
void nearest_offer(struct nearest *n, struct str candidate);
