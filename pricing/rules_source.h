#pragma once

/*
 * Which ruleset is in force, and what is paused: nft.rules.v1 read from its beginning, and the file
 * beside it.
 *
 * Records of nft.rules.v1: `<name>/<sha256 hex>` a body; `<name>` the pointer
 * {"ruleset":"sha256:<hex>"}, null withdraws it; `pause/all`, `pause/<slug>` a pause (null =
 * resumed). The topic beats the file: while there is a pointer of our name, the body it names is
 * used (its hash is verified), and later pointers are followed by swapping one pointer between two
 * events. Without one, the file's ruleset is used, and its body is published first under
 * `<name>/<sha256>`, so that every decision can be made again from topics alone. The file is looked
 * at once a second, and read again when it is another one (inode, size or time of change).
 *
 * What is missing, wrong or of another name changes nothing: what was in force stays, the refusal
 * is counted, and rules_source_why() and rules_source_note() say it until what is wanted is right.
 */
#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/io/bus.h"
#include "common/io/loop.h"
#include "pricing/rules/ruleset.h"

struct rules_source;

struct rules_source_config {
	const char *file; /* NULL: none */
	const char *name; /* NULL: the file's */
};

/* Both come on the loop, never from inside rules_source_new(). */
struct rules_source_ops {
	/* Another ruleset is in force, or the first one. */
	void (*ruleset)(void *ctx);
	/* A collection is paused; p == NULL: all, or more than can be kept apart. */
	void (*paused)(void *ctx, struct str collection);
};

/* 0; -EINVAL (the file's ruleset, or neither file nor name), -ENOENT, -EACCES with @f; -ENOMEM. */
MUST_CHECK int rules_source_new(struct rules_source **ret, struct loop *loop, struct bus *bus,
	struct metrics *m, const struct rules_source_config *config,
	const struct rules_source_ops *ops, void *ctx, struct fault *f);
struct rules_source *rules_source_free(struct rules_source *s);
DEFINE_CLEANUP(struct rules_source *, rules_source_free)

/* NULL until one is in force. Valid until the next turn of the loop. */
const struct ruleset *rules_source_current(const struct rules_source *s);
bool rules_source_is_paused(const struct rules_source *s, struct str collection);
/* Appends one line on why there is no ruleset; nothing if there is. */
void rules_source_why(const struct rules_source *s, struct buf *why);
/* Appends one line if one is in force that is not the one wanted, because that was refused. */
void rules_source_note(const struct rules_source *s, struct buf *note);
