#pragma once

/*
 * A decision made again from its own record and its ruleset: the proof that price and reason were a
 * function of what the record says.
 */
#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/fault.h"
#include "common/base/str.h"
#include "pricing/rules/decide.h"

enum {
	RECOMPUTE_E_RECORD = 1, /* not a decision record, or its inputs are not what their schema
				   says; @f names the member */
	RECOMPUTE_E_RULESET,    /* @lookup does not know its ruleset */
	RECOMPUTE_E_DIFFERENT, /* it comes out otherwise: @ret holds what it should be, @f where the
				  texts part */
};

/* The ruleset of that id ("sha256:…"), or NULL. */
typedef const struct ruleset *(*recompute_lookup_fn)(void *ctx, struct str id);

/* Compares byte for byte: outcome, reason, price, waterfall, ids and inputs of @decision_json are
 * derived again; `rev`, `cause` and `latency_us` are taken as given (they are not a function of the
 * inputs), but the cause has to go with the inputs: `interest` with a first answer, `pause` with a
 * revision that is paused, `rules` with one whose price is held, the others with any revision.
 * Records of type `owner` are RECOMPUTE_E_RECORD: skip them first. @a is scratch (twice
 * the record is enough) and not reset; @s that of the decision. @ret_cause
 * (enum decision_cause; may be NULL) is set once the record is read. 0, RECOMPUTE_E_* or -EIO. */
MUST_CHECK int recompute_decision(struct str decision_json, recompute_lookup_fn lookup, void *ctx,
	struct decide_scratch *s, struct arena *a, struct buf *ret, int *ret_cause,
	struct fault *f);
