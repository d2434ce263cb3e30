#pragma once

/*
 * Results in: where orders stand, from all partitions of payments.results.v1, to the sessions that
 * speak for their users.
 *
 * Every gateway reads all of them, from the end at its start. A session is told each state of an
 * order once and never a lower `n` after a higher one (as long as limits.orders_shown remembers
 * it). A result with n 0 is the answer to one order that came under another's id (CONFLICT): it is
 * for the session that sent it, which the header x-souk-session names.
 */
#include <stdbool.h>

#include "common/base/cleanup.h"

struct gateway;
struct payment_result;
struct results;
struct session;

/* 0, -ENOMEM, or bus_reader_open's errors. */
MUST_CHECK int results_new(struct results **ret, struct gateway *g);
struct results *results_free(struct results *t);
DEFINE_CLEANUP(struct results *, results_free)

/* All partitions are being read: a result that is written from now on is seen. */
bool results_has_begun(const struct results *t);

/* Whether @s has not been told of this yet; from now on it has. Needs order, n and ts. */
bool results_raise(struct session *s, const struct payment_result *r);
