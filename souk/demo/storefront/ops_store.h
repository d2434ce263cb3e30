#pragma once

/*
 * What the roles' metrics said, second by second, for the last OPS_ROWS seconds.
 *
 * A round is: give what each role answered (or did not), give the feeds, commit a row. Between
 * rounds the store is what the operations view shows. A column is one line of a chart: a family
 * (below, ops_families) and a value of its label. Labels are found as they appear, up to
 * OPS_COLUMNS_MAX columns; what is beyond is counted and left out.
 *
 * A role that did not answer leaves a hole in its columns, not a zero. One that began from zero
 * (its start time is another, or a counter fell) counts from zero, and its totals go on.
 *
 * Memory is fixed: about half a megabyte. Touched by the loop thread only.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/str.h"

#define OPS_STEP_MS     1000 /* between rows */
#define OPS_ROWS        600
#define OPS_ROLES_MAX   8
#define OPS_COLUMNS_MAX 192
#define OPS_LABEL_MAX   48 /* bytes with its NUL; a longer label is left out and counted */
#define OPS_WHY_MAX     160
#define OPS_FEEDS_MAX   128
#define OPS_NOW_MAX     (64 * 1024)       /* bytes of the answers */
#define OPS_SERIES_MAX  (4 * 1024 * 1024) /* OPS_ROWS numbers of 20 bytes, each column */

struct ops_store;

/* A feed row of Redis, as it is at this moment. */
struct ops_feed {
	char side[16];
	char shard[72];
	int64_t age_ms; /* now - alive_at + lag_ms; -1: there is no such feed */
	bool is_complete;
	bool has_gap;
};

/* Roles are named as in ops_families; borrows the names. 0, -EINVAL, -ENOMEM. */
MUST_CHECK int ops_store_new(struct ops_store **ret, const char *const *roles, size_t n_roles);
struct ops_store *ops_store_free(struct ops_store *s);
DEFINE_CLEANUP(struct ops_store *, ops_store_free)

/* The role's /metrics in this round. 0, or -EBADMSG: not to be believed (too large, or no sample in
 * it), the role counts as away. */
MUST_CHECK int ops_store_metrics(
	struct ops_store *s, size_t role, int64_t mono_ms, struct str text);
/* The role's /readyz in this round; @why: the causes it gave, if it is not ready. */
void ops_store_ready(struct ops_store *s, size_t role, bool is_ready, struct str why);
/* All feeds, as read in this round. Copies at most OPS_FEEDS_MAX. Without this call in a round the
 * ages are a hole. */
void ops_store_feeds(struct ops_store *s, const struct ops_feed *feeds, size_t n);
/* Ends the round: one row at @t_ms (later than the last row's; else one millisecond after it). */
void ops_store_commit(struct ops_store *s, int64_t t_ms);

/* Rows there are, at most OPS_ROWS. */
size_t ops_store_rows(const struct ops_store *s);

/* {"now","roles":[…],"totals":{family:{label:n}},"rates":{…},"values":{…},"latency_ms":{…},"feeds":[…],
 * "dropped":n}; a rate or a value that is not known is null. */
void ops_store_write_now(const struct ops_store *s, struct buf *out);
/* Rows younger than @since (0: all):
 * {"now","step_ms","t":[ms…],"series":{family:{label:[n|null…]}}}.
 */
void ops_store_write_series(const struct ops_store *s, int64_t since, struct buf *out);
