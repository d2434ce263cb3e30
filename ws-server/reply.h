#pragma once

/* Answers to commands: each carries the command's id and is never dropped. */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"

struct payment_result;
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
	ERROR_NOT_FOUND,
	ERROR_CONFLICT,
	ERROR_UNSUPPORTED,
};

struct reply_error {
	enum error_code code;
	const char *detail;     /* or NULL */
	int64_t retry_after_ms; /* 0: left out */
	bool is_unknown;        /* whether it was applied; else it was not */
	bool is_temporary;      /* where the code alone does not say so */
};

/* @id 0 is written as null, here only. */
void reply_error(struct session *s, int64_t id, const struct reply_error *e);
/* Temporary, not applied, with a retry time. */
void reply_unavailable(struct session *s, int64_t id, const char *detail);
/* Temporary, and it may have been applied. */
void reply_unknown(struct session *s, int64_t id, const char *detail);
/* @what: the member that says of what, "event" or "order"; NULL: none. */
void reply_ack(struct session *s, int64_t id, const char *what, const char *name);
/* Where an order stands. */
void reply_order(struct session *s, int64_t id, const struct payment_result *r);
void reply_connected(struct session *s, int64_t id);
void reply_refreshed(struct session *s, int64_t id);
