#pragma once

/* Names of a closed list, for errors that say what was probably meant. Lists end with NULL; "" in
 * them stands for "absent" and is never meant. */

/* Index of @name, -1 if it is not there. */
int nearest_index(const char *name, const char *const *names);
/* The name of the list that needs the fewest edits; names over 24 bytes are far from everything. */
const char *nearest_name(const char *name, const char *const *names);
