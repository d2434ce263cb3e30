#pragma once

/* Answers to commands: each carries the command's id and is never dropped. */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"

struct session;

enum error_code {
	ERROR_BAD_JSON,
	ERROR_BAD_COMMAND,
	ERROR_UNKNOWN_TYPE,
	ERROR_UNAUTHORIZED,
	ERROR_FORBIDDEN,
	ERROR_TOO_LARGE,
	ERROR_RATE_LIMITED, /* temporary */
	ERROR_UNAVAILABLE,  /* temporary */
	ERROR_UNSUPPORTED,
};

struct reply_error {
	enum error_code code;
	const char *detail;     /* or NULL */
	int64_t retry_after_ms; /* 0: left out */
	bool is_unknown;        /* whether it was applied; else it was not */
};

/* @id 0 is written as null, here only. */
void reply_error(struct session *s, int64_t id, const struct reply_error *e);
/* Temporary, not applied, with a retry time. */
void reply_unavailable(struct session *s, int64_t id, const char *detail);
void reply_ack(struct session *s, int64_t id, const char *event);
void reply_connected(struct session *s, int64_t id);
void reply_refreshed(struct session *s, int64_t id);
