#pragma once

/*
 * What is paused: records of nft.rules.v1 with the key `pause/all` or `pause/<collection slug>`; a
 * value is a pause, null resumes. Values: {"since":ms,"by":"…"?,"note":"…"?}.
 *
 * Bounded: at most PAUSES_MAX collections; beyond it everything counts as paused (the safe side)
 * and pauses_overflowed() says so until one is resumed.
 */
#include <stdbool.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"

#define PAUSES_MAX 4096

struct pauses;

/* 0 or -ENOMEM. */
MUST_CHECK int pauses_new(struct pauses **ret);
struct pauses *pauses_free(struct pauses *p);
DEFINE_CLEANUP(struct pauses *, pauses_free)

/* Whether @key is one of a pause, and applies it. @is_set: the record has a value. */
bool pauses_apply(struct pauses *p, struct str key, bool is_set);
/* @collection may be STR_NONE: only `pause/all` counts. */
bool pauses_has(const struct pauses *p, struct str collection);
bool pauses_overflowed(const struct pauses *p);
/* The key of a collection's pause, STR_NONE = all: appended to @out (`souk pause`). */
struct buf;
void pauses_key(struct buf *out, struct str collection);
