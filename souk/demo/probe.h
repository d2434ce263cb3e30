#pragma once

#include <stdbool.h>
#include <stddef.h>

/* GET http://127.0.0.1:@port/readyz, at most 300 ms: 200? Else @why says what is missing (or that
 * nobody answers). */
bool probe_ready(int port, char *why, size_t cap);
