#pragma once

/*
 * A fuzz target: one file fuzz_<target>.c with the function below, which depends on its bytes only
 * and ends the process (abort, assert, a sanitizer) when something is wrong. Linked twice: with
 * libFuzzer (-Dfuzz=true, meson.build), and with replay.c, which runs the kept cases as a test.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* @data is not NUL-terminated. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unlike assert(), also without debugging. */
#define FUZZ_CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)
