#pragma once

/*
 * Which sessions speak for a user: where results of an order are pushed.
 *
 * A shopper's session speaks for one user from `connect` on; one that acts for others for those it
 * named in a command. Of the latter the number has a maximum; beyond it the one named longest ago
 * is forgotten (counted): its results are not pushed there until it is named again.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"

struct session;
struct users;
struct users_entry;

/* What a session has of them. */
struct users_of {
	struct session *session;
	TAILQ_HEAD(, users_entry) entries; /* named longest ago first */
	size_t n, max;
	uint64_t n_forgotten;
};

/* For about @n entries; more are taken. 0, -ENOMEM or -EIO (no randomness). */
MUST_CHECK int users_new(struct users **ret, size_t n);
struct users *users_free(struct users *t); /* must be empty */
DEFINE_CLEANUP(struct users *, users_free)

/* @max: at least 1. */
void users_of_init(struct users_of *of, struct session *session, size_t max);
void users_of_fini(struct users *t, struct users_of *of);

/* Copies @user. Naming one again makes it the newest. Without memory it is counted as forgotten. */
void users_add(struct users *t, struct users_of *of, struct str user);

/* The sessions of @user, each once: NULL begins, NULL ends. Nothing may be added or removed between
 * two steps. */
const struct users_entry *users_next(
	const struct users *t, struct str user, const struct users_entry *after);
struct session *users_session(const struct users_entry *e);
