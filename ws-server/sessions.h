#pragma once

/* All sessions of a gateway, by id. Their number has a maximum, beyond which connections are
 * refused. */
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"

#define SESSION_ID_MAX 25 /* "s_", 22 characters of base64url, a NUL */

struct session;
struct sessions;

/* Embedded in a session. */
struct sessions_entry {
	char id[SESSION_ID_MAX];
	LIST_ENTRY(sessions_entry) in_bucket;
	TAILQ_ENTRY(sessions_entry) in_all;
	struct session *session;
};

enum { SESSIONS_E_FULL = 1 };

/* 0 or -ENOMEM. */
MUST_CHECK int sessions_new(struct sessions **ret, size_t max);
struct sessions *sessions_free(struct sessions *t); /* must be empty */
DEFINE_CLEANUP(struct sessions *, sessions_free)

/* Gives @e a new id and enters it. 0, SESSIONS_E_FULL, or -EIO (no randomness). Borrows @e until it
 * is removed. */
MUST_CHECK int sessions_add(struct sessions *t, struct sessions_entry *e, struct session *session);
void sessions_remove(struct sessions *t, struct sessions_entry *e);
struct session *sessions_find(const struct sessions *t, struct str id);
size_t sessions_count(const struct sessions *t);
/* For walks in which the session at hand may be removed: the first, and the one after it. NULL at
 * the end. */
struct session *sessions_first(const struct sessions *t);
struct session *sessions_next(const struct sessions_entry *e);
