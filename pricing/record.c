/* Written by the model's codec, so that there is one form; waterfall and inputs go in as finished
 * JSON. */
#include "pricing/record.h"

#include <errno.h>

void record_bufs_init(struct record_bufs *b)
{
	*b = (struct record_bufs){ BUF_INIT(RECORD_BYTES_MAX), BUF_INIT(RECORD_BYTES_MAX) };
}

void record_bufs_fini(struct record_bufs *b)
{
	buf_fini(&b->inputs);
	buf_fini(&b->waterfall);
}

int record_json(struct buf *out, const struct record *r)
{
	struct buf *inputs = &r->bufs->inputs, *waterfall = &r->bufs->waterfall;
	struct json_out j = JSON_OUT(inputs);
	struct json_out w = JSON_OUT(waterfall);
	struct json_out o = JSON_OUT(out);
	const struct interest *event = &r->inputs->interest;

	buf_clear(inputs);
	buf_clear(waterfall);
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
		.waterfall = buf_str(waterfall),
		.inputs = buf_str(inputs),
		.latency_us = r->latency_us,
	};

	decision_json(&o, &d, true);
	return out->failed || inputs->failed || waterfall->failed ? -ENOSPC : 0;
}
