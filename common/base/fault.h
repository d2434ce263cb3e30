#pragma once

/*
 * What went wrong at an outside edge, and who has to act on it.
 *
 * Functions return an int (0, -errno, or a positive code of their own module, handled by the direct
 * caller). Where the world outside failed or sent something bad, they also fill a fault: the kind
 * decides what is done (only the retry logic and main act on it), the text is for a person and
 * names the file, line, key, field or offset, and what would be right.
 */
#include <stdarg.h>

enum fault_kind {
	FAULT_NONE = 0,
	FAULT_RETRY,  /* timeout, 429, 5xx, transport: the same call may work later */
	FAULT_REJECT, /* bad input: answer the sender, or the dead-letter topic */
	FAULT_FATAL,  /* configuration, authentication, fenced producer: the process cannot go on */
};

struct fault {
	enum fault_kind kind;
	int code; /* -errno, or the library's code */
	char text[256];
};

/* Fills @f (which may be NULL) and returns @code, so that `return fault_set(...)` reads well. */
int fault_set(struct fault *f, enum fault_kind kind, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int fault_vset(struct fault *f, enum fault_kind kind, int code, const char *fmt, va_list ap);
