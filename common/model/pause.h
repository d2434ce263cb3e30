#pragma once

/*
 * What is paused: records of nft.rules.v1 with the key `pause/all` or `pause/<collection slug>`; a
 * value is a pause, null resumes. Values: {"since":ms,"by":"…"?,"note":"…"?}; for a reader any
 * value is a pause, readable or not.
 *
 * Bounded: at most PAUSES_MAX collections; beyond it everything counts as paused (the safe side)
 * and pauses_overflowed() says so. Which pauses were dropped is not known then, so no resume ends
 * it: only reading the topic again from its beginning into new pauses does.
 */
#include <stdbool.h>

#include "common/base/cleanup.h"
#include "common/base/json_out.h"
#include "common/base/str.h"
#include "common/model/decode.h"

#define PAUSES_MAX     4096
#define PAUSE_SLUG_MAX 128 /* bytes of a collection's slug */
#define PAUSE_NOTE_MAX 512

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
/* The key of a collection's pause, STR_NONE = all: appended to @out (`souk pause`). A collection
 * called "all" has no pause of its own. */
struct buf;
void pauses_key(struct buf *out, struct str collection);

struct pause_record {
	int64_t since;
	struct str by, note;
};
extern const struct record_type pause_record_type;
void pause_record_json(struct json_out *j, const struct pause_record *p);
