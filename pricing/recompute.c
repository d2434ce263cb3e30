/*
 * The record is decoded, everything that is a function of inputs and ruleset is made again, and the
 * whole is written by the same writer. Comparing texts and not members also catches what a decoder
 * would forgive: another order, unknown members, other escapes.
 */
#include "pricing/recompute.h"

#include "common/model/ids.h"
#include "common/model/offer.h"
#include "pricing/compute.h"
#include "pricing/inputs.h"
#include "pricing/record.h"

#define AROUND 32

static int differ(struct str given, struct str made, struct fault *f)
{
	size_t at = 0, from, n;

	while (at < given.n && at < made.n && given.p[at] == made.p[at])
		at++;
	from = at > AROUND ? at - AROUND : 0;
	n = 2 * AROUND;
	return fault_set(f, FAULT_REJECT, RECOMPUTE_E_DIFFERENT,
		"byte %zu: given ..." STR_FMT "..., made ..." STR_FMT "...", at,
		(int)(given.n - from < n ? given.n - from : n), given.p + from,
		(int)(made.n - from < n ? made.n - from : n), made.p + from);
}

/* A new owner (`takeover`) speaks for both, first answers and revisions. */
static bool goes_with(int cause, const struct price_inputs *in)
{
	if (in->holds && !in->is_revision)
		return false;
	if (cause == CAUSE_TAKEOVER)
		return true;
	if (cause == CAUSE_INTEREST || !in->is_revision)
		return cause == CAUSE_INTEREST && !in->is_revision;
	if (cause == CAUSE_PAUSE || in->paused == TRI_TRUE)
		return cause == CAUSE_PAUSE && in->paused == TRI_TRUE;
	return cause != CAUSE_RULES || in->holds;
}

int recompute_decision(struct str decision_json, recompute_lookup_fn lookup, void *ctx,
	struct decide_scratch *s, struct arena *a, struct buf *ret, int *ret_cause, struct fault *f)
{
	struct decision d;
	struct price_inputs in;
	struct price_result result;
	const struct ruleset *rules;
	struct record_bufs bufs;
	struct id offer;
	int r;

	if (decode(&decision_type, &d, decision_json, a, f) != 0 ||
		inputs_decode(&in, d.inputs, a, f) != 0)
		return RECOMPUTE_E_RECORD;
	if (ret_cause)
		*ret_cause = d.cause;
	if (!goes_with(d.cause, &in))
		return fault_set(f, FAULT_REJECT, RECOMPUTE_E_DIFFERENT,
			"cause: `%s` does not go with these inputs", decision_cause_names[d.cause]);
	rules = lookup(ctx, d.ruleset);
	if (!rules)
		return fault_set(f, FAULT_REJECT, RECOMPUTE_E_RULESET,
			"ruleset " STR_FMT " is not known", STR_ARG(d.ruleset));
	r = id_for_offer(&offer, in.interest.id);
	if (r != 0)
		return fault_set(f, FAULT_FATAL, r, "SHA-256 failed");

	in.personalization = inputs_consent(&in) ? TRI_TRUE : TRI_FALSE;
	compute(rules, s, &in, &result);
	const struct record record = {
		.inputs = &in,
		.result = &result,
		.ruleset = ruleset_id(rules),
		.offer = id_str(&offer),
		.rev = d.rev,
		.cause = d.cause,
		.latency_us = d.latency_us,
		.bufs = &bufs,
	};

	buf_clear(ret);
	record_bufs_init(&bufs);
	r = record_json(ret, &record);
	record_bufs_fini(&bufs);
	if (r != 0)
		return fault_set(f, FAULT_REJECT, RECOMPUTE_E_RECORD, "larger than the maximum");
	if (!str_eq(buf_str(ret), decision_json))
		return differ(decision_json, buf_str(ret), f);
	return 0;
}
