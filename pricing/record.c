/* Written by the model's codec, so that there is one form; waterfall and inputs go in as finished
 * JSON. */
#include "pricing/record.h"

#include <errno.h>

int record_json(struct buf *out, const struct record *r)
{
	CLEANUP(buf_fini) struct buf inputs = BUF_INIT(RECORD_BYTES_MAX);
	CLEANUP(buf_fini) struct buf waterfall = BUF_INIT(RECORD_BYTES_MAX);
	struct json_out j = JSON_OUT(&inputs);
	struct json_out w = JSON_OUT(&waterfall);
	struct json_out o = JSON_OUT(out);
	const struct interest *event = &r->inputs->interest;

	inputs_json(&j, NULL, r->inputs);
	compute_waterfall_json(&w, NULL, r->result);
	const struct decision d = {
		.interest = event->id,
		.offer = r->offer,
		.rev = r->rev,
		.cause = r->cause,
		.outcome = r->result->outcome,
		.reason = r->result->reason,
		.user = event->user,
		.session = event->session,
		.item = event->item,
		.ts = r->inputs->now,
		.price = r->result->price,
		.ruleset = r->ruleset,
		.waterfall = buf_str(&waterfall),
		.inputs = buf_str(&inputs),
		.latency_us = r->latency_us,
	};

	decision_json(&o, &d, true);
	return out->failed || inputs.failed || waterfall.failed ? -ENOSPC : 0;
}
